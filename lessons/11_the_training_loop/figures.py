"""Draws what the clocks of a training loop count, for lesson 11."""

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from d2lvgg.display import BLUE, GREEN, ORANGE, RED


def loop_clocks():
    """One epoch as a strip of time, and what must be on when. Widths are not to scale."""
    fig = Figure(figsize=(7.4, 3.1))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-3.3, 13.1), ylim=(-4.55, 1.35))
    axes.axis("off")
    parts = [("load", 1), ("step", 1.5), ("load", 1), ("step", 1.5), ("plot", 1), ("load", 1),
             ("step", 1.5), ("test: load and predict", 4.2)]
    colours = {"load": ORANGE, "step": BLUE, "plot": "0.6", "test: load and predict": GREEN}
    bands = {"training mode": ("load", "step", "plot"), "autograd records": ("step",),
             "wall clock": tuple(colours), "published timer": ("step",)}
    x = 0
    for name, width in parts:
        axes.add_patch(Rectangle((x, 0), width, 0.8, facecolor=colours[name], alpha=0.35,
                                 edgecolor="w", linewidth=1.5))
        axes.text(x + width / 2, 0.4, name, ha="center", va="center", size=9)
        for row, inside in enumerate(bands.values()):
            if name in inside:
                axes.add_patch(Rectangle((x, -1.05 - row), width, 0.55, linewidth=0,
                                         facecolor=RED if row == 3 else "0.35"))
        x += width
    for row, name in enumerate(bands):
        axes.text(-0.3, -0.78 - row, name, ha="right", va="center", size=9.5)
        axes.plot([0, x], [-1.05 - row] * 2, color="0.8", linewidth=0.8, zorder=0)
    axes.text(-0.3, 0.4, "one epoch", ha="right", va="center", size=9.5, weight="bold")
    axes.text(0, 1.0, "step: predict, loss, clear the gradients, backward, change the weights",
              size=9, color="0.3")
    return fig


FIGURES = (loop_clocks,)
