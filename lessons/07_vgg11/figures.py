"""Draws AlexNet beside VGG, and VGG-11's shrinking shapes, for lesson 07."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import nn

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
        axes.text(left + 1.3, -0.05, "picture 1×224×224", ha="center", size=9)
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
                axes.text(left + 2.8, y, shape, va="center", size=8.5, color="0.3")
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


FIGURES = (alexnet_to_vgg, of_lesson("07", "explorer").shapes_shrinking)
