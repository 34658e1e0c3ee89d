"""Train VGG-11 / 4 on Fashion-MNIST with several seeds, and note what it reached.

    python benchmarks/accuracy.py                      the scale that this machine can afford
    python benchmarks/accuracy.py --precision fp32     insist on float32
    python benchmarks/accuracy.py --scale full --seeds 0 1 2 3 4

Writes benchmarks/results/accuracy_<scale>_<device>_<precision>.json, one file a claim. Seconds are
wall-clock over loading, training, evaluation after each epoch, and plotting; importing torch and
finding the data are left out.
"""

import argparse
import json
import statistics
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import torch  # noqa: E402

import d2lvgg  # noqa: E402
from d2lvgg.scale import describe_machine  # noqa: E402

RESULTS = Path(__file__).parent / "results"


def one_run(scale, precision, seed):
    """Train once; return the History's frame and its precision."""
    torch.manual_seed(seed)
    loaders = d2lvgg.load_data_fashion_mnist(
        scale.batch_size, scale.resize, num_train=scale.num_train, num_test=scale.num_test,
        seed=seed)
    if "sketch" in loaders[0].source:
        raise SystemExit("no Fashion-MNIST could be had, and sketches are worth no benchmark")
    net = d2lvgg.vgg(d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], 4), input_size=scale.resize)
    history = d2lvgg.train(net, *loaders, scale.num_epochs, scale.lr, precision=precision)
    return history.to_frame(), history.precision, loaders[0].source


def mean_and_spread(values, digits):
    """Return 'mean ± standard deviation (n seeds)', or the one value."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f} (one seed)"
    return (f"{statistics.mean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f} "
            f"({len(values)} seeds)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", help="full, laptop or smoke (default: by the device)")
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    scale, runs = d2lvgg.pick_scale(options.scale), []
    for seed in options.seeds:
        frame, precision, source = one_run(scale, options.precision, seed)
        runs.append({"seed": seed, "loss": frame.train_loss.iloc[-1],
                     "train_acc": frame.train_acc.iloc[-1], "test_acc": frame.test_acc.iloc[-1],
                     "seconds": frame.seconds.sum()})
    machine = describe_machine()
    words = (f"{machine['device']}, {machine['CPU cores for torch']} threads, fast bfloat16: "
             f"{machine['fast bfloat16']}, Python "
             f"{machine['Python']}, torch {machine['torch']}")
    result = {
        "run": f"VGG-11 / 4, {scale.num_train:,} pictures at {scale.resize} x {scale.resize}, "
               f"{scale.num_epochs} epochs, batch {scale.batch_size}, SGD {scale.lr}, {precision}",
        "test_acc": mean_and_spread([run["test_acc"] for run in runs], 3),
        "seconds": mean_and_spread([run["seconds"] for run in runs], 0),
        "machine": words, "data": source, "runs": runs}
    RESULTS.mkdir(exist_ok=True)
    device = d2lvgg.try_gpu().type
    path = RESULTS / f"accuracy_{scale.name}_{device}_{precision}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{result['test_acc']} in {result['seconds']} s: {path.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
