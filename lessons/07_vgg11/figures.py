"""Draws AlexNet beside VGG, the family's convolutions, and VGG-11's shrinking shapes."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import nn

from d2lvgg.display import BLUE, ORANGE
from d2lvgg.exercises import of_lesson
from d2lvgg.models import VGG_ARCHS, alexnet, vgg
from tools.figures import LAYER_COLOURS, layer_label, traced


def alexnet_to_vgg():
    """AlexNet and VGG-11 as block diagrams: their weighted layers and pools, top to bottom."""
    fig = Figure(figsize=(7.2, 5.9))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0.4, 10.5), ylim=(-18.3, 1.4))
    axes.axis("off")
    arch = VGG_ARCHS["vgg11"]
    nets = {"AlexNet": (0.5, traced(alexnet)), "VGG-11": (6.3, traced(lambda: vgg(arch)))}
    for name, (left, pairs) in nets.items():
        axes.text(left + 1.3, 0.75, name, ha="center", size=12, weight="bold")
        axes.text(left + 1.3, -0.05, "image 1×224×224", ha="center", size=9)
        pairs = [pair for pair in pairs if pair[1].layer in LAYER_COLOURS]
        y = -0.95
        for layer, row in pairs:
            if isinstance(layer, nn.Linear) and y > -15:  # both heads at the bottom, side by side
                axes.annotate("", (left + 1.3, -14.55), (left + 1.3, y + 0.45),
                              arrowprops={"arrowstyle": "->", "color": "0.4"})
                y = -15
            axes.add_patch(FancyBboxPatch(
                (left, y - 0.32), 2.6, 0.64, boxstyle="round,pad=0,rounding_size=0.12",
                facecolor=LAYER_COLOURS[row.layer], alpha=0.3, linewidth=0))
            axes.text(left + 1.3, y, layer_label(layer), ha="center", va="center", size=9)
            if row.layer == "MaxPool2d":
                shape = "×".join(map(str, row.output_shape[1:]))
                axes.text(left + 2.8, y, shape, va="center", size=9, color="0.3")
            y -= 0.85
            if row.layer == "MaxPool2d" and name == "VGG-11":
                convs, channels = arch[int(row.name.split(".")[0])]
                top = y + 0.85 * (convs + 2) - 0.43
                axes.add_patch(FancyBboxPatch(
                    (left - 0.12, y + 0.46), 2.84, top - y - 0.46, fill=False, linestyle="--",
                    boxstyle="round,pad=0,rounding_size=0.15", edgecolor="0.4"))
                axes.text(left - 0.3, (top + y + 0.46) / 2, f"({convs}, {channels})", ha="right",
                          va="center", size=9.5, family="DejaVu Sans Mono")
                y -= 0.27
    old, new = (next(layer.in_features for layer, _ in pairs if isinstance(layer, nn.Linear))
                for _, pairs in nets.values())
    axes.text(4.7, -15.85, f"the same head,\n{new / old:.1f} times as\nmany inputs",
              ha="center", va="center", size=9, color="0.3")
    axes.text(0.5, -18.1, "Blue: convolutions, with their output channels. Orange: pools, with the "
              "shape they leave.", size=9, color="0.3")
    return fig


def vgg_family():
    """How the convolutions of VGG-11, 13, 16 and 19 spread over their five blocks."""
    fig = Figure(figsize=(7.2, 3.4))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-1.5, 24.2), ylim=(-6.6, 1.6))
    axes.axis("off")
    starts = [0, 3.6, 7.2, 11.7, 16.2]  # where each block's convolutions begin
    for block, (start, (_, channels)) in enumerate(zip(starts, VGG_ARCHS["vgg11"], strict=True),
                                                   start=1):
        axes.text(start, 0.95, f"block {block}", size=10, weight="bold")
        axes.text(start, 0.35, f"{channels} channels", size=9, color="0.3")
    above = [0] * 5
    for row, (name, arch) in enumerate(VGG_ARCHS.items()):
        y = -0.9 - 1.4 * row
        counts = [num_convs for num_convs, _ in arch]
        axes.text(-0.35, y, name.replace("vgg", ""), ha="right", va="center", size=12,
                  weight="bold")
        for start, count, before in zip(starts, counts, above, strict=True):
            for place in range(count):
                new = row > 0 and place >= before
                axes.add_patch(FancyBboxPatch(
                    (start + place, y - 0.4), 0.8, 0.8, linewidth=1.2,
                    boxstyle="round,pad=0,rounding_size=0.12", edgecolor="0.25",
                    facecolor=ORANGE if new else BLUE, alpha=0.9 if new else 0.35))
        axes.text(20.9, y, f"{sum(counts)} + 3 = {sum(counts) + 3}", va="center", size=10)
        above = counts
    axes.text(20.9, 0.35, "with 3 linear", size=9, color="0.3")
    axes.text(-0.9, -6.3, "Each box is a convolution. Orange: what the network above does not "
              "have.", size=9, color="0.3")
    return fig


FIGURES = (alexnet_to_vgg, vgg_family, of_lesson("07", "explorer").shapes_shrinking)
