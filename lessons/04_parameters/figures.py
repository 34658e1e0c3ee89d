"""Draws the pictures of lesson 04: a tied layer, two depths, ReLU's half, and batch norm's mean."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from d2lvgg.data import read_fashion_mnist
from d2lvgg.display import BLUE, ORANGE, RED, SKY
from tools.figures import LAYER_COLOURS

ARROW = {"arrowstyle": "-|>", "color": "0.3", "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}


def blend(colour, share):
    """Return colour, '#RRGGBB', mixed with white: all of it at share 1, white at 0."""
    parts = (int(colour[place:place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in parts)


def canvas(width, height, across, up):
    """Return (figure, axes without frame) of width × height inches that show across × up units."""
    fig = Figure(figsize=(width, height))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, across), ylim=(0, up))
    axes.axis("off")
    return fig, axes


def box(axes, left, low, wide, high, words, colour, size=10):
    """Draw a box with words in its middle."""
    axes.add_patch(FancyBboxPatch((left, low), wide, high, boxstyle="round,pad=0,rounding_size=0.1",
                                  facecolor=colour, edgecolor="0.3"))
    axes.text(left + wide / 2, low + high / 2, words, ha="center", va="center", size=size)


def tied_gradients():
    """One weight matrix at two places of a network: two gradients come back, and are added."""
    fig, axes = canvas(6.8, 2.9, 17, 7.2)
    row, high = 4.6, 1.3
    for left, wide, words, colour in (
            (0.2, 2.6, "4 → 8", "w"), (4, 3.2, "W\n8 → 8", SKY), (9, 3.2, "W\n8 → 8", SKY),
            (13.6, 2.6, "8 → 1", "w")):
        box(axes, left, row, wide, high, words, colour if colour == "w" else blend(colour, 0.6))
    for start, end in ((2.8, 4), (7.2, 9), (12.2, 13.6)):
        axes.annotate("", (end, row + high / 2), (start, row + high / 2), arrowprops=ARROW)
        axes.text((start + end) / 2, row + high + 0.15, "ReLU", ha="center", size=9)
    box(axes, 6.5, 0.4, 3.2, 1.3, "one tensor W", blend(SKY, 0.6))
    for left, end, words, side in ((5.6, 7.2, "gradient of the\nfirst place", "right"),
                                   (10.6, 9, "gradient of the\nsecond place", "left")):
        axes.annotate("", (end, 1.75), (left, row - 0.05),
                      arrowprops={**ARROW, "color": RED, "linewidth": 2.2})
        axes.text(left + (-0.1 if side == "right" else 0.1), 3.1, words, ha=side, va="center",
                  size=10)
    axes.text(8.1, 2.3, "+", ha="center", va="center", size=20, color=RED)
    return fig


def five_and_eleven():
    """LeNet's five layers with weights, and below them the eleven of this lesson's network."""
    fig, axes = canvas(7, 2.7, 26.4, 8.2)
    plans = (("LeNet: 5 layers with weights", 5.3, ["6", None, "16", None]),
             ("11 layers with weights", 1.8, ["16", "16", None, "32", "32", "32", None, "64", "64",
                                             "64", None]))
    for title, low, plan in plans:
        axes.text(0.1, low + 1.75, title, weight="bold", size=10.5)
        left = 0.1
        for part in [*plan, "120", "84", "10"]:
            linear = part in ("120", "84", "10")
            name = "MaxPool2d" if part is None else "Linear" if linear else "Conv2d"
            wide = 0.7 if part is None else 1.9
            axes.add_patch(Rectangle((left, low), wide, 1.4, edgecolor="0.3",
                                     facecolor=blend(LAYER_COLOURS[name], 0.45)))
            axes.text(left + wide / 2, low + 0.7, part or "", ha="center", va="center", size=10)
            left += wide + 0.2
    for left, name, words in ((0.1, "Conv2d", "convolution and its channels"),
                              (10.7, "MaxPool2d", "pool: half the side"),
                              (18.2, "Linear", "linear layer, outputs")):
        axes.add_patch(Rectangle((left, 0.2), 0.8, 0.7, edgecolor="0.3",
                                 facecolor=blend(LAYER_COLOURS[name], 0.45)))
        axes.text(left + 1.05, 0.55, words, va="center", size=9.5)
    return fig


def relu_halves():
    """A symmetric bell of numbers before a ReLU, and what is left of its mean square behind it."""
    fig = Figure(figsize=(6.6, 2.6))
    before, after = fig.subplots(1, 2, sharey=True)
    x = torch.linspace(-3.5, 3.5, 281)
    bell = (-(x ** 2) / 2).exp() / (2 * torch.pi) ** 0.5
    for axes, title in ((before, "before the ReLU"), (after, "behind it")):
        axes.set_title(title, fontsize=10.5)
        axes.set(yticks=[], xticks=[-2, 0, 2], ylim=(0, 0.52), xlim=(-3.6, 3.6))
        axes.spines["left"].set_visible(False)
    before.fill_between(x, bell, where=x >= 0, color=blend(ORANGE, 0.7))
    before.fill_between(x, bell, where=x <= 0, color=blend(BLUE, 0.5))
    for axes in (before, after):
        axes.plot(x if axes is before else x[x >= 0], bell if axes is before else bell[x >= 0],
                  color="0.2", linewidth=1.5)
    after.fill_between(x, bell, where=x >= 0, color=blend(ORANGE, 0.7))
    after.annotate("", (0, 0.5), (0, 0), arrowprops={**ARROW, "color": BLUE, "linewidth": 4})
    after.text(-0.25, 0.3, "the negative half\nis 0 now", ha="right", size=10)
    before.text(0, 0.45, "mean square 1", ha="center", size=10)
    after.text(0.3, 0.45, "mean square ½", size=10)
    fig.tight_layout()
    return fig


def all_but_its_own():
    """The gradient of a layer: what comes from the left has passed the layers before it, …"""
    fig, axes = canvas(7, 3.3, 24, 9.6)
    for low, own in ((5.6, 3), (1.1, 9)):
        for layer in range(1, 12):
            left = 0.3 + 2.14 * (layer - 1)
            colour = "w" if layer == own else blend(BLUE if layer < own else ORANGE, 0.45)
            axes.add_patch(Rectangle((left, low), 1.9, 1.5, facecolor=colour,
                                     edgecolor=RED if layer == own else "0.3",
                                     linewidth=2.5 if layer == own else 1))
            axes.text(left + 0.95, low + 0.75, layer, ha="center", va="center", size=11)
        middle = 0.3 + 2.14 * (own - 1)
        axes.annotate("", (middle - 0.1, low + 2.0), (0.3, low + 2.0),
                      arrowprops={**ARROW, "color": BLUE, "linewidth": 2.5})
        axes.annotate("", (middle + 2.0, low + 2.0), (23.6, low + 2.0),
                      arrowprops={**ARROW, "color": RED, "linewidth": 2.5})
        axes.text(0.3, low + 2.3, f"signal: {own - 1} factors", size=10)
        axes.text(23.6, low + 2.3, f"error: {11 - own} factors", ha="right", size=10)
        axes.text(middle + 0.95, low - 0.2, f"gradient of layer {own}: {own - 1} + {11 - own} = 10 "
                  "factors", ha="left" if own < 6 else "right", va="top", size=10)
    return fig


def what_is_averaged():
    """A batch of feature maps: batch norm takes one mean a channel, over a column of them."""
    fig, axes = canvas(6.8, 3.5, 17, 8.75)
    (_, _), (images, _) = read_fashion_mnist()
    X = torch.tensor(images[:3])[:, None].float()  # (3, 1, 28, 28)
    kernels = torch.tensor([[[-1., 0, 1]] * 3, [[-1.] * 3, [0.] * 3, [1.] * 3],
                            [[1 / 3] * 3] * 3, [[1., 0, -1]] * 3])
    maps = torch.nn.functional.conv2d(X, kernels[:, None], padding=1).relu()  # (3, 4, 28, 28)
    chosen, side, step = 3, 1.9, 2.3
    for row in range(3):
        low = 5.3 - step * row
        axes.text(2.6, low + side / 2, f"image {row + 1}", ha="right", va="center", size=10)
        for channel in range(4):
            left = 3 + step * channel
            axes.imshow(maps[row, channel], cmap="gray_r", vmin=0, aspect="auto",
                        vmax=float(maps[:, channel].max()),
                        extent=(left, left + side, low, low + side))
            axes.add_patch(Rectangle((left, low), side, side, fill=False, edgecolor="0.5"))
    for channel in range(4):
        axes.text(3 + step * channel + side / 2, 7.8, f"channel {channel + 1}", ha="center",
                  size=10)
    right = 3 + step * chosen + side + 0.25
    axes.add_patch(Rectangle((3 + step * chosen - 0.25, 0.4), side + 0.5, 7.1, fill=False,
                             edgecolor=RED, linewidth=3))
    axes.annotate("", (right + 0.1, 3.95), (right + 1, 3.95),
                  arrowprops={**ARROW, "color": RED, "linewidth": 2})
    axes.text(right + 1.1, 3.95, "one mean and\none variance\nfor channel 4,\nover all images\n"
              "and all places", va="center", size=10.5)
    axes.set(xlim=(0, 17.6), ylim=(0, 8.75))
    return fig


FIGURES = (tied_gradients, five_and_eleven, relu_halves, all_but_its_own, what_is_averaged)
