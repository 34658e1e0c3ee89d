"""Choose the peak learning rate of the network that the course ships, on held-out training images.

    python benchmarks/pretrained_search.py --runs runs/search

VGG-11 / 4 with batch norm and a pooled head learns from the first 20,000 training images of
Fashion-MNIST, at 64 pixels a side, three epochs by the strong recipe, once for each rate in RATES;
the last 6,000 choose. The test set is not looked at. Each run is written to the folder RUNS after
each epoch, and the same command goes on from there.

Writes benchmarks/results/pretrained_search.json.
"""

import argparse
import json
import time
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import torch  # noqa: E402
from train_speed import processor  # noqa: E402

import d2lvgg  # noqa: E402
from d2lvgg import data, shipped  # noqa: E402

RATES = (0.2, 0.1, 0.4)
NUM_TRAIN, NUM_HELD_OUT, NUM_EPOCHS, SIZE, BATCH_SIZE, SEED = 20_000, 6_000, 3, 64, 128, 0


def held_out_loaders():
    """Return loaders over the first NUM_TRAIN training images, and the last NUM_HELD_OUT."""
    images, labels = data.read_fashion_mnist()[0]
    images = images[:, None]
    return data.make_loaders(
        (images[:NUM_TRAIN], labels[:NUM_TRAIN]), (images[-NUM_HELD_OUT:], labels[-NUM_HELD_OUT:]),
        num_train=None, num_test=None, device=None, batch_size=BATCH_SIZE, resize=SIZE, seed=SEED,
        source="Fashion-MNIST, 6,000 training images held out", classes=data.LABELS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True)
    options = parser.parse_args()
    options.runs.mkdir(parents=True, exist_ok=True)
    rows = []
    for lr in RATES:
        torch.manual_seed(SEED)
        began = time.perf_counter()
        history = d2lvgg.train(shipped.pooled_vgg(), *held_out_loaders(), NUM_EPOCHS, lr,
                               recipe="strong", checkpoint=options.runs / f"{lr}.pt", resume=True)
        rows.append({"lr": lr, "held_out_accuracy": [row["test_acc"] for row in history.epochs],
                     "seconds": [row["seconds"] for row in history.epochs],
                     "seconds_of_this_process": time.perf_counter() - began})
        print(rows[-1], flush=True)
    best = max(rows, key=lambda row: row["held_out_accuracy"][-1])
    path = Path(__file__).parent / "results" / "pretrained_search.json"
    path.write_text(json.dumps({
        "machine": d2lvgg.describe_machine(), "processor": processor(), "num_train": NUM_TRAIN,
        "num_held_out": NUM_HELD_OUT,
        "num_epochs": NUM_EPOCHS, "size": SIZE, "batch_size": BATCH_SIZE, "seed": SEED,
        "rows": rows, "chosen": best["lr"]}, indent=2) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
