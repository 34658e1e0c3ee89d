"""Trains the network that the course ships anew: hours, not minutes. It goes on if stopped.

    python -m tools.pretrain [FOLDER]     writes the weights and their card into FOLDER, else runs/
"""

import itertools
import json
import sys
from pathlib import Path

import torch

from d2lvgg.data import load_data_fashion_mnist
from d2lvgg.devices import describe_machine
from d2lvgg.shipped import CARD, SIZE, WEIGHTS, pooled_vgg
from d2lvgg.training import evaluate_accuracy, train

# On held-out training images (benchmarks/pretrained_search.py) rates of 0.1, 0.2 and 0.4 differed
# by less than their standard error: this is the middle one.
BATCH_SIZE, NUM_EPOCHS, LR, SEED = 128, 12, 0.2, 0


def make(folder, size=SIZE, num_epochs=NUM_EPOCHS, num_train=None, num_test=None):
    """Train the network and write its weights and its card into folder; go on where it stopped.

    The training images alone are looked at until it is trained; then the test set, once.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    net = pooled_vgg()
    options = {"num_train": num_train, "num_test": num_test, "seed": SEED}
    train_iter, test_iter = load_data_fashion_mnist(BATCH_SIZE, size, **options)
    few = list(itertools.islice(load_data_fashion_mnist(BATCH_SIZE, size, **options)[0], 8))
    history = train(net, train_iter, few, num_epochs, LR, recipe="strong",
                    checkpoint=folder / "run.pt", resume=True)
    # In half precision, but for what batch norm adds up: the accuracy is of what is written.
    weights = {name: value.half() if value.dim() > 1 else value
               for name, value in net.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    net.load_state_dict(weights)
    card = {
        "command": "python -m tools.pretrain", "size": size, "num_epochs": num_epochs,
        "lr": LR, "batch_size": BATCH_SIZE, "recipe": "strong", "seed": SEED,
        "machine": describe_machine(),
        "precision": history.precision, "examples": sum(r["examples"] for r in history.epochs),
        "minutes": round(sum(row["seconds"] for row in history.epochs) / 60, 1),
        "train_loss": [round(row["train_loss"], 4) for row in history.epochs],
        "test_accuracy": evaluate_accuracy(net, test_iter),
        "mistakes": count_mistakes(net, test_iter)}
    (folder / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(f"test accuracy {card['test_accuracy']:.4f}: {folder / WEIGHTS}")


def count_mistakes(net, test_iter):
    """Return {"shirt taken for t-shirt": how often, …}, the most frequent first."""
    counts = torch.zeros(10, 10, dtype=torch.int64)
    with torch.no_grad():
        for X, y in test_iter:
            for pair in zip(y.tolist(), net(X).argmax(dim=1).tolist(), strict=True):
                counts[pair] += 1
    names = test_iter.classes
    found = {f"{names[y]} taken for {names[guess]}": int(counts[y, guess])
             for y in range(10) for guess in range(10) if y != guess and counts[y, guess]}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


if __name__ == "__main__":
    make(Path(*sys.argv[1:] or ["runs"]))
