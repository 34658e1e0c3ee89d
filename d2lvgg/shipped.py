"""The trained network that the course ships: VGG-11 / 4 with batch norm and a pooled head.

It was trained once, by `python -m d2lvgg pretrain`, and is frozen; its card says how.
"""

import itertools
import json
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .checkpoint import read_checkpoint
from .data import load_data_fashion_mnist, read_fashion_mnist, to_float
from .devices import describe_machine
from .models import VGG_ARCHS, shrink, vgg_block
from .training import evaluate_accuracy, train

FOLDER = Path(__file__).with_name("weights")
WEIGHTS, CARD = "vgg11_4.safetensors", "card.json"
# The rate was chosen on held-out training images: benchmarks/pretrained_search.py.
SIZE, BATCH_SIZE, LR, SEED = 96, 128, 0.2, 0
# Pixels a side in each epoch: small images first, which take less than half the time.
SIZES = (64, 64, 64, 64, 64, 64, 64, SIZE, SIZE, SIZE)
# Three garments go through the course, by their places in the test set.
GARMENTS = {"sure": 0, "torn": 817, "wrong": 147}


def pooled_vgg(batch_norm=True):
    """Return an untrained VGG-11 / 4 whose head averages each feature map: 579,498 parameters.

    Maps (B, 1, H, W) to (B, 10) logits, for H and W of 32 pixels or more.
    Source: arXiv:1409.1556 for the blocks; M. Lin et al., arXiv:1312.4400, section 3.2, for the
    averaged maps.
    """
    blocks, in_channels = [], 1
    for num_convs, out_channels in shrink(VGG_ARCHS["vgg11"], 4):
        blocks.append(vgg_block(num_convs, in_channels, out_channels, batch_norm))
        in_channels = out_channels
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(in_channels, 10))


def pretrained(device=None, fold=True, folder=FOLDER):
    """Return the network that the course ships, trained, in evaluation mode.

    Maps (B, 1, H, W) in [0, 1] to (B, 10) logits; it was trained at net.size pixels a side, and
    net.card says how and how well. With fold, batch norm is in the convolutions, which is exact
    in evaluation; without, the network is as it was trained. Raises OSError where folder has none.
    """
    from safetensors.torch import load_file

    net = pooled_vgg()
    net.load_state_dict(load_file(folder / WEIGHTS))
    net.eval()
    net = fold_batch_norm(net) if fold else net
    net.card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    net.size = net.card["size"]
    return net.to(device or "cpu")


def fold_batch_norm(net):
    """Return net, a Sequential in evaluation mode, with each batch norm in its convolution."""
    layers = []
    for layer in net:
        if isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        else:
            layers.append(fold_batch_norm(layer) if isinstance(layer, nn.Sequential) else layer)
    return nn.Sequential(*layers).eval()


def garments(size=SIZE):
    """Return the course's three garments, X (3, 1, size, size) in [0, 1] and y (3,)."""
    images, labels = read_fashion_mnist()[1]
    places = list(GARMENTS.values())
    return (to_float(torch.tensor(images[places])[:, None], size),
            torch.tensor(labels[places], dtype=torch.int64))


class GrowingImages:
    """A loader's images, each pass over them enlarged to the next of sizes, an iterator."""

    def __init__(self, loader, sizes):
        self.loader, self.sizes = loader, sizes

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def __len__(self):
        return len(self.loader)

    def __iter__(self):
        return iter(self.loader.enlarged(next(self.sizes)))

    def augmented(self, augment):
        return GrowingImages(self.loader.augmented(augment), self.sizes)


def make(folder, sizes=SIZES, num_train=None, num_test=None):
    """Train the network and write its weights and its card into folder; go on where it stopped.

    The training images alone are looked at until it is trained; then the test set, once.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    net = pooled_vgg()
    options = {"num_train": num_train, "num_test": num_test, "seed": SEED}
    train_iter, test_iter = load_data_fashion_mnist(BATCH_SIZE, sizes[-1], **options)
    few = list(itertools.islice(load_data_fashion_mnist(BATCH_SIZE, sizes[-1], **options)[0], 8))
    run = folder / "run.pt"
    done = read_checkpoint(run)["progress"]["epoch"] if run.exists() else 0
    history = train(net, GrowingImages(train_iter, iter(sizes[done:])), few, len(sizes), LR,
                    recipe="strong", checkpoint=run, resume=True)
    # In half precision, but for what batch norm adds up: the accuracy is of what is written.
    weights = {name: value.half() if value.dim() > 1 else value
               for name, value in net.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    net.load_state_dict(weights)
    card = {
        "command": "python -m d2lvgg pretrain", "size": sizes[-1], "sizes": sizes, "lr": LR,
        "batch_size": BATCH_SIZE, "recipe": "strong", "seed": SEED, "machine": describe_machine(),
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
