"""Draws the receptive field and the VGG block of lesson 06."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from torch import nn

from d2lvgg.display import BLUE, ORANGE, RED, SKY
from d2lvgg.models import vgg_block as build_block
from d2lvgg.shapes import trace_shapes
from tools.figures import LAYER_COLOURS, layer_label


def seen_by_middle(net, side):
    """Return which pixels of a side × side picture the output's middle pixel depends on."""
    X = torch.ones(1, 1, side, side, requires_grad=True)
    net(X)[0, 0, side // 2, side // 2].backward()
    return X.grad[0, 0] != 0


def receptive_field():
    """What one output pixel sees: through two 3×3 convolutions, and through one 5×5."""
    side, gap = 9, 3.4  # cells a map, cells between two maps
    fig = Figure(figsize=(7.2, 5.3))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.3, 3 * side + 2 * gap + 0.3), ylim=(-2.2, 2 * side + 5.3))
    axes.set_aspect("equal")
    axes.axis("off")
    for bottom, kernels in ((side + 3.6, (3, 3)), (0, (5,))):
        convs = [nn.Conv2d(1, 1, size, padding=size // 2, bias=False) for size in kernels]
        for conv in convs:
            nn.init.ones_(conv.weight)
        lefts = [0, side + gap, 2 * (side + gap)] if len(kernels) == 2 else [0, 2 * (side + gap)]
        names = ["picture", *["map between"] * (len(kernels) - 1), "output"]
        corners = []
        for place, (left, name) in enumerate(zip(lefts, names, strict=True)):
            seen = seen_by_middle(nn.Sequential(*convs[place:]), side)
            for row, column in [(r, c) for r in range(side) for c in range(side)]:
                axes.add_patch(Rectangle(
                    (left + column, bottom + row), 1, 1, linewidth=0.6, edgecolor="0.65",
                    facecolor=(ORANGE if name == "output" else SKY) if seen[row, column] else "w"))
            first, width = int(seen.any(0).nonzero()[0]), int(seen.any(0).sum())
            corners.append((left + first, bottom + first, width))
            label = "one output pixel" if name == "output" else f"{width}×{width} of the {name}"
            axes.text(left + side / 2, bottom - 0.4, label, ha="center", va="top", size=9.5)
        for size, (left, low, width), (next_left, next_low, next_width) in zip(
                kernels, corners, corners[1:], strict=False):
            for rise in (0, 1):  # from the window's edges to the edges of what it made
                axes.plot([left + width, next_left],
                          [low + rise * width, next_low + rise * next_width],
                          color=RED, linewidth=1.2)
            axes.text((left + width + next_left) / 2, bottom + side / 2, f"{size}×{size}",
                      ha="center", va="center", size=9.5, color=RED, weight="bold",
                      bbox={"facecolor": "w", "edgecolor": "none", "pad": 1.5})
        if len(kernels) == 2:  # the pixel in a corner of the map between, and what it sees
            for left, size in zip(lefts, (3, 1), strict=False):
                axes.add_patch(Rectangle(
                    (left + corners[1][0] - lefts[1] - size // 2, corners[1][1] - size // 2), size,
                    size, fill=False, linestyle="--", linewidth=1.8, edgecolor=RED))
        title = "two 3×3 convolutions" if len(kernels) == 2 else "one 5×5 convolution"
        axes.text(0, bottom + side + 0.5, title, size=11, weight="bold")
    return fig


def vgg_block():
    """One VGG block, vgg_block(2, 128, 256), layer by layer, with the shapes in between."""
    num_convs, in_channels, out_channels, side = 2, 128, 256, 56
    block = build_block(num_convs, in_channels, out_channels)
    rows = trace_shapes(block, (1, in_channels, side, side), expand=True)
    shapes = [(in_channels, side, side), *(tuple(row.output_shape[1:]) for row in rows)]
    fig = Figure(figsize=(7.4, 2.1))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.6, 5.15), ylim=(-0.8, 1.0))
    axes.axis("off")
    for place, (layer, row) in enumerate(zip(block, rows, strict=True)):
        axes.add_patch(FancyBboxPatch(
            (place, -0.25), 0.7, 0.5, boxstyle="round,pad=0,rounding_size=0.08", alpha=0.3,
            facecolor={**LAYER_COLOURS, "ReLU": "0.6"}[row.layer], linewidth=0))
        label = "ReLU" if row.layer == "ReLU" else layer_label(layer).replace(", ", "\n")
        axes.text(place + 0.35, 0, label, ha="center", va="center", size=8.5)
        if row.layer == "Conv2d":
            axes.text(place + 0.35, 0.32, f"{row.params:,}\nparameters", ha="center", va="bottom",
                      size=8.5, color=BLUE)
            axes.add_patch(FancyBboxPatch(
                (place - 0.06, -0.33), 1.82, 1.06, boxstyle="round,pad=0,rounding_size=0.08",
                fill=False, linestyle="--", edgecolor="0.4"))
    for place, shape in enumerate(shapes):
        axes.annotate("", (place, 0), (place - 0.3, 0), arrowprops={"arrowstyle": "->"})
        axes.text(place - 0.15, -0.4, "×".join(map(str, shape)), ha="center", va="top", size=8.5)
    axes.text(-0.15, -0.62, "channels×height×width", size=8.5, color="0.3", ha="left", va="top")
    axes.text(-0.06, 0.83, f"num_convs = {num_convs} times", size=9.5)
    axes.text(2 * num_convs + 0.35, 0.83, "once", size=9.5, ha="center")
    return fig


FIGURES = (receptive_field, vgg_block)
