"""Draws where a network's parameters, work and memory are, and two orders of a head: lesson 08."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from d2lvgg.display import BLUE, GREEN, ORANGE, SKY
from d2lvgg.exercises import of_lesson
from d2lvgg.models import VGG_ARCHS, vgg
from tools.figures import LAYER_COLOURS, layer_label, traced

predict_kept = of_lesson("08", "costs").predict_kept


def vgg11():
    return vgg(VGG_ARCHS["vgg11"])


def three_costs():
    """VGG-11's parameters, FLOPs and activations: three bars for each layer with weights."""
    pairs = [(layer, row) for layer, row in traced(vgg11) if row.params]
    columns = (("parameters\n(millions)", [row.params / 1e6 for _, row in pairs]),
               ("work for one image\n(billions of FLOPs)", [row.flops / 1e9 for _, row in pairs]),
               ("output for one image\n(megabytes)", [row.activation_bytes / 1e6
                                                       for _, row in pairs]))
    fig = Figure(figsize=(7.6, 4.2))
    panels = fig.subplots(1, 3, sharey=True, gridspec_kw={"wspace": 0.12})
    for axes, (title, numbers) in zip(panels, columns, strict=True):
        axes.barh(range(len(pairs)), numbers, height=0.75,
                  color=[LAYER_COLOURS[row.layer] for _, row in pairs])
        for place, number in enumerate(numbers):
            axes.annotate(f"{number:.1f}" if number >= 0.05 else "< 0.1", (number, place),
                          xytext=(4, 0), textcoords="offset points", va="center", size=9)
        axes.set_xlim(0, max(numbers) * 1.25)
        axes.set_title(title, size=10)
        axes.set_xticks([])
        axes.tick_params(left=False)
        axes.spines["bottom"].set_visible(False)
    panels[0].invert_yaxis()
    panels[0].set_yticks(range(len(pairs)), [
        layer_label(layer) + (f" at {row.output_shape[-1]}×{row.output_shape[-1]}"
                              if row.layer == "Conv2d" else "") for layer, row in pairs], size=9)
    return fig


def training_memory():
    """What a step of Adam on VGG-11 holds in memory, for batches of 1, 16 and 128 images."""
    with torch.device("meta"):
        net = vgg11()
    million = sum(p.numel() for p in net.parameters()) / 1e6
    fig = Figure(figsize=(7.2, 2.6))
    axes = fig.subplots()
    for place, batch in enumerate((1, 16, 128)):
        left = 0
        kept = predict_kept(net, (batch, 1, 224, 224)) / 1e6
        for name, width, colour, hatch, words in (
                ("weights", 4 * million, BLUE, "", 0), ("gradients", 4 * million, SKY, "//", 1000),
                ("Adam's two averages", 8 * million, GREEN, "..", 2200),
                ("outputs kept", kept, ORANGE, "", None)):
            axes.barh(place, width, left=left, height=0.6, color=colour, hatch=hatch,
                      edgecolor="white", linewidth=0.8)
            if place == 0 and words is not None:
                axes.annotate(name, (left + width / 2, -0.3), (words, -1), va="center", size=9.5,
                              arrowprops={"arrowstyle": "-", "color": "0.4", "relpos": (0, 0.5)})
            left += width
        axes.text(left + 60, place, f"{left:,.0f} MB", va="center", size=9.5)
    axes.text(left - kept / 2, place, "outputs kept for the backward pass", ha="center",
              va="center", size=9.5)
    axes.set_yticks(range(3), ["1 image", "16 images", "128 images"])
    axes.invert_yaxis()
    axes.set(xlim=(0, 9600), ylim=(2.5, -1.4), xlabel="megabytes")
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    return fig


def grid(axes, left, bottom, cells, size, colour):
    """Draw cells × cells squares, each size wide, whose lower left corner is (left, bottom)."""
    for row in range(cells):
        for column in range(cells):
            axes.add_patch(Rectangle((left + size * column, bottom + size * row), size, size,
                                     facecolor=colour, edgecolor="0.3", linewidth=0.7))


def two_orders():
    """Feature maps to ten scores: averaged first, or a score for each square first."""
    fig = Figure(figsize=(7.4, 3.9))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-1, 34.5), ylim=(-2.6, 16.4), aspect="equal")
    axes.axis("off")
    for back in reversed(range(4)):  # some of the 128 maps
        grid(axes, 0.5 * back, 5.2 + 0.5 * back, 3, 1.2, SKY)
    axes.text(2.4, 4.6, "128 maps of 3×3", ha="center", va="top", size=9.5)
    axes.add_patch(Rectangle((15.5, 12.2), 0.9, 3.4, facecolor=SKY, edgecolor="0.3"))
    axes.text(16, 11.7, "128 numbers", ha="center", va="top", size=9.5)
    for back in reversed(range(4)):  # some of the ten maps of scores
        grid(axes, 14.5 + 0.5 * back, -0.6 + 0.5 * back, 3, 1.2, ORANGE)
    axes.text(17, -1.2, "10 maps of scores: where", ha="center", va="top", size=9.5,
              weight="bold")
    for row in range(10):
        axes.add_patch(Rectangle((31, 4.6 + 0.55 * row), 1.6, 0.55, facecolor=ORANGE,
                                 edgecolor="0.3", linewidth=0.7))
    axes.text(31.8, 4.0, "10 scores", ha="center", va="top", size=9.5)
    for start, end, words, place, sides in (
            ((6, 9.5), (15, 13.8), "average", (9.6, 12.6), ("right", "bottom")),
            ((17, 13.8), (30.5, 9), "linear layer", (24.6, 12.2), ("left", "bottom")),
            ((6, 6.2), (14, 2.6), "1×1 convolution,\nthe same weights", (9.4, 3.5),
             ("right", "top")),
            ((20.4, 2.2), (30.5, 6.2), "average", (26.2, 3.4), ("left", "top"))):
        axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "linewidth": 1.3})
        axes.text(*place, words, ha=sides[0], va=sides[1], size=9.5)
    return fig


FIGURES = (three_costs, training_memory, two_orders)
