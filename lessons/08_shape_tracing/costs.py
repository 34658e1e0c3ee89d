"""Counts what a network keeps for its backward pass, and paints scores onto images: lesson 08."""

import torch
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

from d2lvgg.display import BLUE, ORANGE
from d2lvgg.shapes import trace_shapes

SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "white", ORANGE])
# How many times its output's bytes a layer makes autograd keep. A pool keeps places of 8 bytes
# beside its numbers of 4. Layers that are not named keep nothing of their own.
KEPT = {"ReLU": 1, "MaxPool2d": 3, "Dropout": 2}


def predict_kept(net, shape):
    """Return the bytes that a training step of net keeps for a batch of that shape (float32).

    net is an nn.Sequential of blocks and a head of linear layers with Dropout, such as VGG-11.
    """
    table = trace_shapes(net, shape, expand=True)
    images = 4 * torch.Size(shape).numel()
    return images + sum(KEPT.get(row.layer, 0) * row.activation_bytes for row in table)


def measure_kept(net, X):
    """Return the bytes that autograd keeps when net reads X: each tensor once, no weights."""
    weights = {p.untyped_storage().data_ptr() for p in net.parameters()}
    kept = {}

    def keep(tensor):  # autograd calls this for each tensor that it puts aside
        place = tensor.untyped_storage().data_ptr()
        if place not in weights:
            kept[place] = tensor.detach()
        return tensor.detach()

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        net(X)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def paint(X, maps, titles):
    """Show each image X (B, 1, H, W) with its map (B, h, w) as coloured squares over it.

    Orange squares are positive, blue ones negative, each with its number; one scale for all.
    """
    fig, panels = plt.subplots(1, len(X), squeeze=False, layout="constrained",
                               figsize=(2.3 * len(X), 2.6))
    most, side = float(maps.abs().max()) or 1.0, X.shape[-1]
    for axis, image, squares, title in zip(panels[0], X[:, 0], maps, titles, strict=True):
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=1, extent=(0, side, side, 0))
        axis.imshow(squares, cmap=SIGNED, vmin=-most, vmax=most, alpha=0.6,
                    extent=(0, side, side, 0))
        step = side / len(squares)
        for row, line in enumerate(squares.tolist()):
            for column, score in enumerate(line):
                axis.text(step * (column + 0.5), step * (row + 0.5), f"{score:+.1f}", size=10,
                          ha="center", va="center",
                          bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1})
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    plt.show()
