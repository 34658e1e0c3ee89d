"""Draws lesson 14's picture: blocks that are kept, a new last layer, and what still moves."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from d2lvgg.display import BLUE, GREEN, ORANGE, RED


def box(axes, x, y, width, height, text, colour, alpha=0.35):
    """Draw a box with a word in it; x and y are its lower left corner."""
    axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, alpha=alpha, edgecolor="w",
                             linewidth=1.5))
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center")


def frozen_blocks():
    """A trained network, its blocks copied into another, and what training leaves alone there."""
    fig = Figure(figsize=(6.6, 3.5))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-2.6, 12.4), ylim=(-5.2, 2.9))
    axes.axis("off")
    for y, name, head, colour in ((1.4, "trained on\nsix classes", "six\nscores", ORANGE),
                                  (-1.1, "four new\nclasses", "four\nscores", GREEN)):
        axes.text(-0.3, y + 0.5, name, ha="right", va="center", weight="bold")
        for block in range(4):
            box(axes, 2.1 * block, y, 2.0, 1, f"block {block + 1}", BLUE)
        box(axes, 8.7, y, 1.7, 1, head, colour, 0.6)
    axes.add_patch(FancyArrowPatch((4.15, 1.3), (4.15, 0.05), arrowstyle="->", mutation_scale=16,
                                   color="0.3"))
    axes.text(4.4, 0.66, "copied, frozen", va="center", color="0.3")
    axes.text(10.55, -0.6, "new:\nlearns", va="center", color="#00664B", weight="bold")
    axes.text(-0.3, -2.1, "in the frozen blocks", ha="right", va="center", color="0.3", size=9.5)
    for x, words in ((1.9, "parameters"), (5.6, "running averages\nof batch norm")):
        axes.text(x, -2.1, words, ha="center", va="center", color="0.3")
    for y, mode, averages in ((-3.3, "net.train()", "move"),
                              (-4.5, "batch norm in eval()", "stay")):
        axes.text(8.0, y, mode, va="center", family="DejaVu Sans Mono", size=9)
        for x, words in ((1.9, "stay"), (5.6, averages)):
            moves = words == "move"
            axes.text(x, y, words, ha="center", va="center", weight="bold",
                      color=RED if moves else "0.2", bbox={
                          "boxstyle": "round,pad=0.45", "facecolor": "white", "linewidth": 1.5,
                          "edgecolor": RED if moves else "0.6"})
    axes.plot([-2.5, 12.3], [-1.45, -1.45], color="0.85", linewidth=1)
    return fig


FIGURES = (frozen_blocks,)
