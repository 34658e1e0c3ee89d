"""Draws lesson 00's picture: what goes into a network, and what comes out."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from d2lvgg.data import LABELS, read_fashion_mnist
from d2lvgg.display import BLUE
from d2lvgg.shipped import GARMENTS

# Of a drawing, not of a run: what matters is that one is the largest.
SCORES = (-0.8, -1.4, -0.6, -1.2, -0.4, 0.9, -0.7, 1.2, 0.4, 4.2)


def image_to_percentages():
    """An image as a grid of numbers, a box for the network, ten scores, ten percentages."""
    fig = Figure(figsize=(7.2, 2.7))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.axis("off")
    # The boot of the course, each square the mean of two by two pixels.
    image = read_fashion_mnist()[1][0][GARMENTS["sure"]]
    pixels = image.reshape(14, 2, 14, 2).mean(axis=(1, 3)) / 255
    side = 2.1 / 14
    axes.add_patch(Rectangle((0.1, 0.3), 2.1, 2.1, facecolor="black"))
    for (row, column), value in np.ndenumerate(pixels):
        if value > 0.02:
            axes.add_patch(Rectangle((0.1 + column * side, 2.4 - (row + 1) * side), side, side,
                                     facecolor=str(round(float(value), 2)), linewidth=0))
    arrow = {"arrowstyle": "-|>", "color": "0.2", "linewidth": 1.5}
    for left, right in ((2.26, 2.54), (4.0, 4.28)):
        axes.annotate("", (right, 1.35), (left, 1.35), arrowprops=arrow)
    axes.add_patch(FancyBboxPatch((2.62, 0.75), 1.3, 1.2, boxstyle="round,pad=0.02",
                                  facecolor=BLUE, edgecolor="none"))
    axes.text(3.27, 1.35, "network\nhalf a million\nnumbers, set\nby training", ha="center",
              va="center", color="white", fontsize=9, linespacing=1.5)
    shares = np.exp(SCORES) / np.exp(SCORES).sum()
    for place, (name, score, share) in enumerate(zip(LABELS, SCORES, shares, strict=True)):
        height = 2.3 - 0.2 * place
        best = place == len(LABELS) - 1
        style = {"height": 0.13, "color": BLUE if best else "0.6"}
        axes.barh(height, 0.16 * score, left=4.65, **style)
        axes.barh(height, 0.5 * share, left=5.75, **style)
        axes.text(7.12, height, name, ha="right", va="center", fontsize=9,
                  weight="bold" if best else "normal")
    axes.plot([4.65, 4.65], [0.4, 2.4], color="0.3", linewidth=0.8)
    axes.annotate("", (5.68, 1.0), (5.05, 1.0), arrowprops=arrow)
    axes.text(5.34, 1.1, "softmax", ha="center", fontsize=9)
    for x, words in ((1.15, "an image: a grid of numbers"), (4.75, "ten scores"),
                     (6.42, "ten percentages")):
        axes.text(x, 2.52, words, ha="center", fontsize=9, weight="bold")
    axes.set(xlim=(0, 7.2), ylim=(0.2, 2.75))
    return fig


FIGURES = (image_to_percentages,)
