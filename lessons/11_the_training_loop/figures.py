"""Draws lesson 11's pictures: a loop's switches, a GPU's queue, what a checkpoint holds."""

from matplotlib.patches import FancyArrowPatch, Rectangle

from d2lvgg.display import BLUE, GREEN, ORANGE, RED
from tools.figures import box, canvas


def loop_clocks():
    """One epoch as a strip of time, and what must be on when. Widths are not to scale."""
    fig, axes = canvas(6.6, 2.9, (-3.8, 13.1), (-4.4, 1.4))
    parts = [("load", 1.1), ("step", 1.4), ("load", 1.1), ("step", 1.4), ("plot", 1),
             ("load", 1.1), ("step", 1.4), ("test: load, predict", 4.2)]
    colours = {"load": ORANGE, "step": BLUE, "plot": "0.6", "test: load, predict": GREEN}
    bands = {"training mode": ("load", "step", "plot"), "autograd records": ("step",),
             "clock on the wall": tuple(colours), "published timer": ("step",)}
    x = 0
    for name, width in parts:
        box(axes, x, 0, width, 0.8, name, colours[name])
        for row, inside in enumerate(bands.values()):
            if name in inside:
                axes.add_patch(Rectangle((x, -1.05 - row), width, 0.55, linewidth=0,
                                         facecolor=RED if row == 3 else "0.35"))
        x += width
    for row, name in enumerate(bands):
        axes.text(-0.3, -0.78 - row, name, ha="right", va="center")
        axes.plot([0, x], [-1.05 - row] * 2, color="0.8", linewidth=0.8, zorder=0)
    axes.text(-0.3, 0.4, "one epoch", ha="right", va="center", weight="bold")
    axes.text(0, 1.05, "step: clear the gradients, predict, loss, backward, change the weights",
              color="0.3")
    return fig


def queue_and_clock():
    """The CPU orders four steps and is done; the GPU works them off; two clocks stop."""
    fig, axes = canvas(6.4, 2.3, (-2.6, 14.2), (-2.5, 2.7))
    for lane, (name, y) in enumerate((("CPU orders", 0.9), ("GPU works", -0.5))):
        axes.text(-0.3, y + 0.4, name, ha="right", va="center", weight="bold")
        for step in range(4):
            start, width = ((0.7 * step, 0.6), (0.7 + 3 * step, 2.9))[lane]
            box(axes, start, y, width, 0.8, str(step + 1), (ORANGE, BLUE)[lane])
    for x, words, colour, where in ((2.75, "clock stops too early", RED, "left"),
                                    (12.65, "clock waits for the queue", GREEN, "right")):
        axes.plot([x, x], [-1.2, 2.0], color=colour, linewidth=2,
                  linestyle="--" if colour == RED else "-")
        axes.text(x, 2.15, words, color=colour, ha=where, va="bottom", weight="bold")
    axes.add_patch(FancyArrowPatch((0, -1.5), (14, -1.5), arrowstyle="->", mutation_scale=12,
                                   color="0.3"))
    axes.text(14, -1.7, "time", ha="right", va="top", color="0.3")
    return fig


def checkpoint_parts():
    """A run of four epochs, one that was killed after two, and the five parts that continue it."""
    fig, axes = canvas(6.4, 2.7, (-2.9, 13.2), (-3.3, 2.6))
    for y, name in ((1.3, "never stopped"), (-0.2, "stopped, then\ncontinued")):
        axes.text(-0.3, y + 0.4, name, ha="right", va="center", weight="bold")
        for epoch in range(4):
            x = 2.4 * epoch + (2.6 if epoch > 1 and y < 0 else 0)
            box(axes, x, y, 2.3, 0.8, f"epoch {epoch + 1}", BLUE if epoch < 2 else GREEN)
    axes.plot([4.78] * 2, [-0.4, 0.85], color=RED, linewidth=2.5)
    box(axes, 1.2, -3.0, 9.5, 1.5, "weights · optimizer's memory · place in the schedule\n"
        "epoch · random numbers: order, dropout", ORANGE)
    for start, end in (((4.78, -0.45), (4.78, -1.45)), ((7.5, -1.45), (7.5, -0.3))):
        axes.add_patch(FancyArrowPatch(start, end, arrowstyle="->", mutation_scale=14,
                                       color="0.3"))
    axes.text(4.6, -0.95, "save", ha="right", va="center", color="0.3")
    axes.text(7.7, -0.9, "load", ha="left", va="center", color="0.3")
    return fig


FIGURES = (loop_clocks, queue_and_clock, checkpoint_parts)
