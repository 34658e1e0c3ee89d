"""Train VGG-11 / 4 on Fashion-MNIST with several seeds, and note what it reached.

    python benchmarks/accuracy.py                      the scale that this machine can afford
    python benchmarks/accuracy.py --precision fp32     insist on float32
    python benchmarks/accuracy.py --scale full --seeds 0 1 2 3 4
    python benchmarks/accuracy.py --recipe strong --lr 0.05 --validate     to choose a setting

--validate trains on pictures of the first 55,000 and tests on the last 5,000 of the 60,000, and
writes nothing: settings are chosen there, so that the test set is looked at once.

Writes benchmarks/results/accuracy_<scale>_<device>_<precision>.json, one file a claim; the name
ends in _strong with the strong recipe, and in _20_epochs where --epochs 20 was asked for. Seconds
are wall-clock over loading, training, evaluation after each epoch, and plotting; importing torch
and finding the data are left out.
"""

import argparse
import json
import statistics
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import torch  # noqa: E402

import d2lvgg  # noqa: E402
from d2lvgg.data import make_loaders, read_fashion_mnist  # noqa: E402
from d2lvgg.devices import describe_machine  # noqa: E402
from d2lvgg.recipes import RECIPES  # noqa: E402

RESULTS = Path(__file__).parent / "results"


def load(scale, seed, validate):
    if not validate:
        return d2lvgg.load_data_fashion_mnist(
            scale.batch_size, scale.resize, num_train=scale.num_train, num_test=scale.num_test,
            seed=seed)
    (images, labels), _ = read_fashion_mnist()
    images = images[:, None]
    return make_loaders(
        (images[:55_000], labels[:55_000]), (images[55_000:], labels[55_000:]),
        batch_size=scale.batch_size, resize=scale.resize, num_train=min(scale.num_train, 55_000),
        num_test=None, seed=seed, device=None, source="Fashion-MNIST", classes=d2lvgg.LABELS)


def one_run(scale, options, seed):
    """Train once; return the History's frame, its precision and the data's source."""
    loaders = load(scale, seed, options.validate)
    torch.manual_seed(seed)
    net = d2lvgg.vgg(d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], options.ratio),
                     input_size=scale.resize, batch_norm=options.recipe == "strong",
                     dropout=options.dropout)
    history = d2lvgg.train(net, *loaders, scale.num_epochs, scale.lr, recipe=options.recipe,
                           precision=options.precision)
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
    parser.add_argument("--recipe", default="book", choices=RECIPES)
    parser.add_argument("--validate", action="store_true", help="test on training pictures")
    parser.add_argument("--epochs", type=int, help="instead of the scale's")
    parser.add_argument("--lr", type=float, help="instead of the scale's")
    parser.add_argument("--num-train", type=int, help="instead of the scale's")
    parser.add_argument("--ratio", type=int, default=4, help="divides the channels (default: 4)")
    parser.add_argument("--dropout", type=float, default=0.5)
    options = parser.parse_args()
    scale, runs = d2lvgg.pick_scale(options.scale), []
    given = {"num_epochs": options.epochs, "lr": options.lr, "num_train": options.num_train}
    scale = scale._replace(**{k: v for k, v in given.items() if v is not None})
    for seed in options.seeds:
        frame, precision, source = one_run(scale, options, seed)
        runs.append({"seed": seed, "loss": frame.train_loss.iloc[-1],
                     "train_acc": frame.train_acc.iloc[-1], "test_acc": frame.test_acc.iloc[-1],
                     "seconds": frame.seconds.sum()})
    if options.validate:
        print(json.dumps(runs, indent=2))
        return
    machine = describe_machine()
    words = (f"{machine['device']}, {machine['CPU cores for torch']} threads, fast bfloat16: "
             f"{machine['fast bfloat16']}, Python "
             f"{machine['Python']}, torch {machine['torch']}")
    result = {
        "run": f"VGG-11 / {options.ratio}, {scale.num_train:,} pictures at {scale.resize} x "
               f"{scale.resize}, "
               f"{scale.num_epochs} epochs, batch {scale.batch_size}, "
               + (f"SGD {scale.lr}" if options.recipe == "book" else
                  f"strong recipe at {scale.lr}, dropout {options.dropout}") + f", {precision}",
        "test_acc": mean_and_spread([run["test_acc"] for run in runs], 3),
        "seconds": mean_and_spread([run["seconds"] for run in runs], 0),
        "machine": words, "data": source, "runs": runs}
    RESULTS.mkdir(exist_ok=True)
    device = d2lvgg.try_gpu().type
    recipe = "" if options.recipe == "book" else f"_{options.recipe}"
    recipe += f"_{options.epochs}_epochs" if options.epochs else ""
    path = RESULTS / f"accuracy_{scale.name}_{device}_{precision}{recipe}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{result['test_acc']} in {result['seconds']} s: {path.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
