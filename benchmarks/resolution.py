"""Train small networks at several image sizes, paired by seed, for lesson 13.

    python benchmarks/resolution.py                      all arms, five seeds
    python benchmarks/resolution.py --seeds 2 --arms 56 28    some of them, to try

Writes benchmarks/results/resolution.json after each run. It goes on where an earlier call stopped,
as long as the protocol is the same; delete the file to begin anew. A run's cpu_seconds are this
process's over loading, training and the test, which other work on the machine hardly changes.
No setting was chosen on the test images. Comparisons planned before the runs: each arm against 224.
"""

import argparse
import json
import time
from pathlib import Path

import torch

import d2lvgg
from d2lvgg.devices import describe_machine, has_fast_bf16
from d2lvgg.exercises import of_lesson

RESULT = Path(__file__).parent / "results" / "resolution.json"
trials = of_lesson("13", "trials")
NARROW = d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], 16)
ARMS = {  # name: table of blocks, pixels, side that the head reads
    "224": (NARROW, 224, 7), "96": (NARROW, 96, 3), "64": (NARROW, 64, 2), "56": (NARROW, 56, 1),
    "56, three pools": (trials.EARLY, 56, 7), "28, three pools": (trials.EARLY, 28, 3)}
PROTOCOL = {"num_images": 1000, "num_test": 2000, "num_epochs": 4, "batch_size": trials.BATCH_SIZE,
            "learning_rate": trials.LEARNING_RATE}


def one_run(name, seed, loaders):
    """Return {"seed", "accuracy", "cpu_seconds"} of one training of an arm."""
    conv_arch, pixels, side = ARMS[name]
    torch.manual_seed(seed)
    net = trials.small_net(conv_arch, side)
    began = time.process_time()
    accuracy, _ = trials.train_once(net, loaders, pixels, PROTOCOL["num_images"],
                                    PROTOCOL["num_epochs"], seed)
    return {"seed": seed, "accuracy": accuracy,
            "cpu_seconds": round(time.process_time() - began, 2)}


def read_earlier(protocol, path=RESULT):
    """Return {arm: [run, …]} of an earlier call with that protocol, {} where there is none."""
    if not path.exists():
        return {}
    earlier = json.loads(path.read_text(encoding="utf-8"))
    if earlier["protocol"] != protocol:
        raise SystemExit(f"{path} is of another protocol, {earlier['protocol']}: delete it first")
    return earlier["runs"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0 on (default: 5)")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), metavar="ARM")
    options = parser.parse_args()
    loaders = trials.load(PROTOCOL["num_test"])
    found = read_earlier(PROTOCOL)
    for seed in range(options.seeds):
        for name in options.arms:
            if any(run["seed"] == seed for run in found.get(name, [])):
                continue
            found.setdefault(name, []).append(one_run(name, seed, loaders))
            print(name, found[name][-1], flush=True)
            RESULT.write_text(json.dumps({
                "protocol": PROTOCOL,
                "data": "Fashion-MNIST; a seed draws the training images, their order, the weights",
                "precision": "bf16" if has_fast_bf16(d2lvgg.try_gpu()) else "fp32",
                "threads": torch.get_num_threads(),
                "machine": {key: value for key, value in describe_machine().items()
                            if key not in ("memory", "disk", "d2l", "jupyterlab", "matplotlib")},
                "runs": {arm: sorted(found[arm], key=lambda run: run["seed"])
                         for arm in ARMS if arm in found}}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
