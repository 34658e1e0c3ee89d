"""Draws lesson 16's pictures: what the proof compares, and a window that pads in two ways."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from d2lvgg.display import BLUE, GREEN, ORANGE, RED, SKY


def canvas(width, height, across, up):
    """Return (figure, axes without frame) of width × height inches that show across × up."""
    fig = Figure(figsize=(width, height))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=across, ylim=up)
    axes.axis("off")
    return fig, axes


def box(axes, x, y, width, height, text, colour):
    axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, alpha=0.35, edgecolor="w"))
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center")


def arrow(axes, start, end):
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="->", mutation_scale=13, color="0.3"))


def proof_of_three():
    """Same weights and batches into three frameworks; four things come out and are compared."""
    fig, axes = canvas(7, 2.9, (0, 14), (0, 5.8))
    box(axes, 0.2, 3.2, 2.8, 1.1, "same weights", ORANGE)
    box(axes, 0.2, 1.5, 2.8, 1.1, "same batches", ORANGE)
    for y, name, colour in ((4.3, "PyTorch", BLUE), (2.35, "MXNet", GREEN),
                            (0.4, "MindSpore", SKY)):
        box(axes, 4.6, y, 2.6, 1.1, name, colour)
        arrow(axes, (3.1, 2.9), (4.5, y + 0.55))
        arrow(axes, (7.3, y + 0.55), (8.6, 2.9))
    for row, words in enumerate(("logits", "loss", "every gradient", "losses of ten steps")):
        box(axes, 8.7, 4.2 - 0.95 * row, 3.2, 0.85, words, "0.7")
    axes.text(12.1, 3.2, "equal?", weight="bold", va="center", size=12)
    axes.text(12.1, 2.5, "and would\nwe notice\nif not?", va="top", color=RED)
    return fig


def two_paddings():
    """A row of eight pixels, kernel 3, stride 2: padding 1 and "same" look at other pixels."""
    fig, axes = canvas(6.8, 2.9, (-4.4, 10.4), (-4.6, 1.6))
    for y, name, first in ((0, "padding 1", -1), (-3, "“same”", 0)):
        axes.text(-1.6, y + 0.4, name, ha="right", va="center", weight="bold")
        for pixel in range(-1, 9):
            inside = 0 <= pixel < 8
            if not inside and (pixel < first or pixel > first + 8):
                continue
            axes.add_patch(Rectangle((pixel, y), 0.92, 0.8, linewidth=1, edgecolor="0.4",
                                     facecolor=SKY if inside else "white",
                                     linestyle="-" if inside else ":"))
            axes.text(pixel + 0.46, y + 0.4, str(pixel + 1) if inside else "0", ha="center",
                      va="center", size=9.5)
        for output in range(4):
            left, low = first + 2 * output, y - 0.3 - 0.28 * (output % 2)
            axes.plot([left + 0.05, left + 2.87], [low, low], color=(BLUE, RED)[output % 2],
                      linewidth=3, linestyle="-", solid_capstyle="butt")
    axes.text(3.5, 1.15, "a row of eight pixels; each line is one window of three", ha="center",
              color="0.3")
    return fig


FIGURES = (proof_of_three, two_paddings)
