"""Draws lesson 17's pictures: two processes, gradients on their way, shares, a restart."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from d2lvgg.display import BLUE, GREEN, ORANGE, RED, SKY
from d2lvgg.exercises import of_lesson
from d2lvgg.models import VGG_ARCHS, shrink, vgg

wire = of_lesson("17", "wire")


def canvas(width, height, across, up):
    """Return (figure, axes without frame) of width × height inches that show across × up."""
    fig = Figure(figsize=(width, height))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=across, ylim=up)
    axes.axis("off")
    return fig, axes


def box(axes, x, y, width, height, text, colour, alpha=0.4, **style):
    """Draw a box with words in it; x and y are its lower left corner."""
    axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, alpha=alpha, edgecolor="w",
                             linewidth=1.5))
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", **style)


def arrow(axes, start, end):
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="->", mutation_scale=13, color="0.3"))


def two_processes():
    """One step in two processes: equal weights, other images, one sum, equal weights again."""
    fig, axes = canvas(7.6, 2.9, (-1.9, 15.9), (-0.9, 5.4))
    for y, rank, images in ((3, 0, "images 1 to 8"), (0, 1, "images 9 to 16")):
        axes.text(-0.2, y + 0.6, f"rank {rank}", ha="right", va="center", weight="bold")
        box(axes, 0, y, 2.3, 1.2, "weights", BLUE)
        box(axes, 2.9, y, 3.5, 1.2, f"{images}:\nforward, backward", SKY)
        box(axes, 7, y, 2.2, 1.2, "own\ngradients", ORANGE)
        box(axes, 11.8, y, 1.4, 1.2, "step", SKY)
        box(axes, 13.8, y, 2.1, 1.2, "weights", BLUE)
        for start, end in ((2.3, 2.9), (6.4, 7), (9.2, 9.8), (11.2, 11.8), (13.2, 13.8)):
            arrow(axes, (start, y + 0.6), (end, y + 0.6))
    box(axes, 9.8, 0, 1.4, 4.2, "all-\nreduce", RED)
    axes.text(10.5, 4.75, "mean of all gradients, in every process", ha="center", va="center")
    for x in (1.15, 14.85):
        axes.text(x, 2.1, "equal", ha="center", va="center", color="0.3")
        for end in (2.9, 1.3):
            arrow(axes, (x, 2.1 + (0.3 if end > 2 else -0.3)), (x, end))
    axes.text(4.65, 2.1, "different", ha="center", va="center", color="0.3")
    axes.text(0, -0.6, "time →", color="0.3", va="center")
    return fig


def gradients_travel():
    """One step of VGG-11 / 4 on two GPUs, to scale: the wire waits, or works while they compute.

    A model: 64 images each at the published 4,357 examples/s, PCIe 3.0's nominal 16 GB/s, and 10
    microseconds of latency a round.
    """
    with torch.device("meta"):
        net = vgg(shrink(VGG_ARCHS["vgg11"], 4))
    parts = wire.parts_of(net, (1, 1, 224, 224))
    fig = Figure(figsize=(7.4, 3.5))
    axes = fig.add_axes((0.1, 0.14, 0.89, 0.8))

    def strip(row, start, end, colour, label=""):
        axes.add_patch(Rectangle((1000 * start, row - 0.3), 1000 * (end - start), 0.6,
                                 facecolor=colour, alpha=0.45, edgecolor="w", linewidth=1.2))
        axes.text(500 * (start + end), row, label, ha="center", va="center", size=9)

    for top, overlap in ((3.5, False), (1, True)):
        computed, sent = wire.timeline(parts, 2, 64 / 4357, 16e9, 1e-5, overlap)
        for name, start, end in computed:
            strip(top, start, end, SKY if name == "forward" else BLUE,
                  name if end - start > 7e-4 else "")
        for part, (_, start, end) in zip(reversed(parts), sent, strict=True):
            strip(top - 1, start, end, RED, f"{part.size / 1e6:.0f} MB" * (part.size > 50e6))
        last = 1000 * max(computed[-1][2], sent[-1][2])
        axes.plot([last, last], [top - 1.4, top + 0.4], color="0.2", linewidth=1, linestyle=":")
        axes.text(last + 0.15, top + 0.05, f"step ends:\n{last:.1f} ms", va="center", size=9)
        axes.text(0, top + 0.47, "DDP: each part is sent when it is ready" if overlap else
                  "by hand: everything is sent after the backward pass", size=10, weight="bold")
        axes.text(computed[1][1] * 1000 + 0.1, top - 0.33, "backward: head, then blocks 4 to 0",
                  size=9, va="top", color="0.3")
    axes.set(xlim=(0, 28.5), ylim=(-0.5, 4.3), xlabel="milliseconds (modelled)")
    axes.set_yticks([3.5, 2.5, 1, 0], ["GPU", "wire", "GPU", "wire"])
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    return fig


def shares():
    """What each of four ranks holds of parameters, gradients and Adam's averages, by stage."""
    fig, axes = canvas(7.4, 3.4, (-3.1, 20.4), (-6.6, 1.7))
    kinds = ((BLUE, 1), (SKY, 1), (GREEN, 2))  # bytes of Adam's two averages: twice the others
    stages = (("DDP", (1, 1, 1)), ("ZeRO-1", (1, 1, 4)), ("ZeRO-2", (1, 4, 4)),
              ("ZeRO-3, FSDP", (4, 4, 4)))
    for row, (name, cuts) in enumerate(stages):
        y = -1.7 * row - 0.6
        axes.text(-0.3, y + 0.5, name, ha="right", va="center", weight="bold")
        bytes_held = sum(4 * width / cut for (_, width), cut in zip(kinds, cuts, strict=True))
        for rank in range(4):
            x = 4.5 * rank
            for (colour, width), cut in zip(kinds, cuts, strict=True):
                part = width / cut
                axes.add_patch(Rectangle((x, y), width, 1, facecolor="none", edgecolor="0.8",
                                         linestyle=":", linewidth=0.8))
                axes.add_patch(Rectangle((x + rank * part * (cut > 1), y), part, 1,
                                         facecolor=colour, edgecolor="w", linewidth=0.8))
                x += width
        axes.text(18, y + 0.5, f"{bytes_held:g} bytes", va="center")
    for rank in range(4):
        axes.text(4.5 * rank + 2, 0.75, f"rank {rank}", ha="center", va="center")
    axes.text(18, 0.75, "per parameter", va="center")
    for x, words, colour in ((0, "parameters", BLUE), (5, "gradients", "#2F7FB0"),
                             (9.6, "Adam's two averages", GREEN)):
        axes.text(x, 1.45, words, color=colour, weight="bold", va="center")
    return fig


def restart():
    """Rank 1 dies in epoch 3; torchrun starts both again; they go on from the checkpoint."""
    fig, axes = canvas(7.4, 2.7, (-1.6, 15.6), (-2.1, 3.6))
    for y, rank in ((1.5, 0), (0, 1)):
        axes.text(-0.2, y + 0.5, f"rank {rank}", ha="right", va="center", weight="bold")
        for epoch in (1, 2):
            box(axes, 2.2 * (epoch - 1), y, 2.1, 1, f"epoch {epoch}", BLUE)
        box(axes, 4.4, y, 1.2, 1, "3", BLUE)
        for epoch in (3, 4):
            box(axes, 8.9 + 2.2 * (epoch - 3), y, 2.1, 1, f"epoch {epoch}", GREEN)
    axes.text(5.75, 0.5, "× killed", color=RED, va="center", weight="bold")
    axes.text(5.75, 2, "error, stopped", color=RED, va="center")
    axes.text(7.9, 3.2, "torchrun starts both again", ha="center", va="center")
    axes.plot([8.8] * 2, [-0.2, 2.8], color="0.3", linewidth=1.2, linestyle=":")
    box(axes, 2.3, -1.8, 4.2, 1, "checkpoint of epoch 2", ORANGE)
    arrow(axes, (4.4, -0.1), (4.4, -0.75))
    arrow(axes, (6.55, -1.3), (8.9, -0.15))
    axes.text(13.5, 1.25, "the same\nweights as in\na run that was\nnever stopped", va="center")
    return fig


FIGURES = (two_processes, gradients_travel, shares, restart)
