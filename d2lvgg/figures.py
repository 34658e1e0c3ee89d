"""Draws images/: every picture of the course that is not made by running a lesson.

Each function returns a matplotlib Figure; draw_all writes them as SVG, the same bytes every time.
Colours are Okabe and Ito's, which colour-blind readers tell apart and which differ in grey.
"""

from pathlib import Path

import matplotlib
import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle
from torch import nn

from .models import VGG_ARCHS, alexnet, vgg
from .models import vgg_block as build_block
from .shapes import open_blocks, trace_shapes

IMAGES = Path(__file__).parents[1] / "images"
BLUE, ORANGE, GREEN, YELLOW, SKY, RED = (
    "#0072B2", "#E69F00", "#009E73", "#F0E442", "#56B4E9", "#D55E00")
STYLE = {"svg.hashsalt": "d2lvgg", "font.family": "DejaVu Sans", "font.size": 9,
         "axes.spines.top": False, "axes.spines.right": False}


def draw_all(folder=IMAGES):
    """Write every figure into folder and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        for draw in FIGURES:
            paths.append(folder / f"{draw.__name__}.svg")
            draw().savefig(paths[-1], bbox_inches="tight", metadata={"Date": None})
    return paths


# Lessons 06 and 07
LAYER_COLOURS = {"Conv2d": BLUE, "MaxPool2d": ORANGE, "Linear": GREEN}


def traced(make, expand=True):
    """Return (layer, its row of the shape table) of a network for one 224-pixel picture."""
    with torch.device("meta"):
        net = make()
    layers = [layer for _, layer in open_blocks(net)] if expand else list(net)
    return list(zip(layers, trace_shapes(net, (1, 1, 224, 224), expand), strict=True))


def layer_label(layer):
    """Return a layer in words: '3×3 conv, 64'."""
    if isinstance(layer, nn.Linear):
        return f"linear, {layer.in_features:,} → {layer.out_features:,}"
    size = layer.kernel_size if isinstance(layer, nn.MaxPool2d) else layer.kernel_size[0]
    if isinstance(layer, nn.MaxPool2d):
        return f"{size}×{size} max-pool, stride {layer.stride}"
    stride = f", stride {layer.stride[0]}" * (layer.stride[0] > 1)
    return f"{size}×{size} conv, {layer.out_channels}{stride}"


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


def shapes_shrinking():
    """VGG-11's picture and block outputs as boxes, height × width × channels to scale."""
    fig = Figure(figsize=(7.2, 3.9))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set_aspect("equal")
    rows = [row for _, row in traced(lambda: vgg(VGG_ARCHS["vgg11"]), expand=False)]
    volumes = [("picture", (1, 224, 224)),
               *((f"block {row.name}", tuple(row.output_shape[1:])) for row in rows
                 if row.layer == "Sequential")]
    thick, slant = 0.25, 0.3  # a channel is a quarter of a pixel thick; depth is drawn slanted
    x = 0
    for place, (name, (channels, height, width)) in enumerate(volumes):
        w, d = channels * thick, width * slant
        colour = ORANGE if place == 0 else BLUE
        for corners, alpha in (
                (((0, 0), (w, 0), (w, height), (0, height)), 0.55),
                (((0, height), (w, height), (w + d, height + d), (d, height + d)), 0.25),
                (((w, 0), (w + d, d), (w + d, height + d), (w, height)), 0.4)):
            axes.add_patch(Polygon([(x + a, b) for a, b in corners], facecolor=colour,
                                   alpha=alpha, edgecolor="0.2", linewidth=0.6))
        middle = x + (w + d) / 2
        axes.text(middle, -14, name, ha="center", va="top", size=9, weight="bold")
        axes.text(middle, -34, f"{channels}×{height}×{width}", ha="center", va="top", size=9)
        axes.text(middle, -54, f"{channels * height * width:,}", ha="center", va="top", size=9)
        x += max(w + d, 92) + 22
    axes.text(-24, -54, "numbers", ha="right", va="top", size=9, color="0.3")
    axes.text(-24, -34, "shape", ha="right", va="top", size=9, color="0.3")
    head = " → ".join(f"{row.output_shape[1]:,}" for row in rows
                      if row.layer in ("Flatten", "Linear"))
    axes.text(x - 22, 165, f"then flattened, and three linear layers:\n{head}", ha="right",
              size=9, linespacing=1.6)
    axes.text(x - 22, 250, "All boxes to one scale. Width is drawn slanted;\n"
              "a channel is drawn a quarter of a pixel thick.", ha="right", size=9, color="0.3",
              linespacing=1.6)
    axes.set(xlim=(-82, x - 10), ylim=(-75, 310))
    return fig


def params_and_flops():
    """Where VGG-11's parameters and FLOPs live: two bars a layer, back to back."""
    pairs = [(layer, row) for layer, row in traced(lambda: vgg(VGG_ARCHS["vgg11"])) if row.params]
    fig = Figure(figsize=(7.6, 4.2))
    left, right = fig.subplots(1, 2, sharey=True, gridspec_kw={"wspace": 1.15})
    values = {left: [row.params / 1e6 for _, row in pairs],
              right: [row.flops / 1e9 for _, row in pairs]}
    colours = [LAYER_COLOURS[row.layer] for _, row in pairs]
    for axes, numbers in values.items():
        axes.barh(range(len(pairs)), numbers, color=colours, alpha=0.8)
        for place, number in enumerate(numbers):
            axes.annotate(f"{number:.1f}" if number >= 0.05 else "< 0.1", (number, place),
                          xytext=(-4 if axes is left else 4, 0), textcoords="offset points",
                          ha="right" if axes is left else "left", va="center", size=8.5)
        axes.tick_params(left=False, labelleft=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlim(0, max(numbers) * 1.18)
    left.invert_xaxis()
    left.invert_yaxis()
    left.set(xlabel="parameters (millions)", title="parameters")
    right.set(xlabel="forward FLOPs for one picture (billions)", title="work")
    for place, (layer, row) in enumerate(pairs):
        side = f" at {row.output_shape[-1]}×{row.output_shape[-1]}" * (row.layer == "Conv2d")
        right.annotate(layer_label(layer) + side, (0, place), xytext=(-9.5, 0),
                       textcoords="offset fontsize", ha="center", va="center", size=8.5)
    return fig


# Lesson 05


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


FIGURES = (
    alexnet_to_vgg,
    shapes_shrinking,
    params_and_flops,
    receptive_field,
    vgg_block,
)
