"""Draws images/: every picture of the course that is not made by running a lesson.

Each function returns a matplotlib Figure; draw_all writes them as SVG, the same bytes every time.
Colours are Okabe and Ito's, which colour-blind readers tell apart and which differ in grey.
"""

import json
from pathlib import Path

import matplotlib
import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle
from torch import nn

from .models import VGG_ARCHS, alexnet, lenet, shrink, vgg
from .models import vgg_block as build_block
from .shapes import open_blocks, trace_shapes

IMAGES = Path(__file__).parents[1] / "images"
RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
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


# Lesson 01


def matrix_product():
    """(5, 4) times (4, 3): one row meets one column in one entry, shown with its sum."""
    A = torch.arange(20).reshape(5, 4)
    B = torch.tensor([[1, 0, 2], [0, 1, 1], [1, 1, 0], [2, 0, 1]])
    product, row, column, gap = A @ B, 2, 1, 0.9
    (n, k), m = A.shape, B.shape[1]
    fig = Figure(figsize=(6.2, 4.6))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-1.3, k + gap + m + 3.4), ylim=(-n - 1.3, k + gap + 0.9))
    axes.set_aspect("equal")
    axes.axis("off")
    places = {"A": (A, 0, 0), "B": (B, k + gap, k + gap), "C": (product, k + gap, 0)}
    for name, (matrix, left, top) in places.items():
        for r in range(matrix.shape[0]):
            for c in range(matrix.shape[1]):
                mine = {"A": r == row, "B": c == column, "C": r == row and c == column}[name]
                colour = {"A": SKY, "B": ORANGE, "C": GREEN}[name] if mine else "w"
                axes.add_patch(Rectangle((left + c, top - r - 1), 1, 1, facecolor=colour,
                                         alpha=0.6 if mine else 1, linewidth=0))
                axes.add_patch(Rectangle((left + c, top - r - 1), 1, 1, fill=False,
                                         edgecolor="0.6", linewidth=0.7))
                axes.text(left + c + 0.5, top - r - 0.5, int(matrix[r, c]), ha="center",
                          va="center", size=10.5, weight="bold" if mine else "normal")
    axes.text(k / 2, -n - 0.25, f"A  ({n}, {k})", ha="center", va="top", size=11)
    axes.text(k + gap + m + 0.3, gap + k / 2, f"B  ({k}, {m})", va="center", size=11)
    axes.text(k + gap + m / 2, -n - 0.25, f"A @ B  ({n}, {m})", ha="center", va="top", size=11)
    terms = [f"{a} · {b}" for a, b in zip(A[row].tolist(), B[:, column].tolist(), strict=True)]
    axes.text(k + gap + m + 0.3, -row - 0.5, " +\n".join(terms) + f"\n= {product[row, column]}",
              va="center", size=10, color=GREEN, linespacing=1.5)
    for start, end in (((k, -row - 0.5), (k + gap, -row - 0.5)),
                       ((k + gap + column + 0.5, gap), (k + gap + column + 0.5, 0))):
        axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "0.3"})
    return fig


# Lesson 02


def block_of_blocks():
    """A small VGG as its register holds it: blocks as boxes, layers inside, paths as names."""
    with torch.device("meta"):
        net = vgg(((1, 16), (2, 32)), input_size=28)
    blocks = [(name, block) for name, block in net.named_children() if len(list(block.children()))]
    columns = [[(f"{name}.{inner}", layer) for inner, layer in block.named_children()]
               for name, block in blocks]
    columns.append([(name, layer) for name, layer in net.named_children()
                    if not len(list(layer.children()))])
    wide, step, tall, gap = 2.5, 0.62, max(map(len, columns)), 0.45
    fig = Figure(figsize=(7.2, 4.4))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.5, 3 * (wide + gap) + 0.15), ylim=(-tall * step - 0.6, 1.35))
    axes.axis("off")
    box = {"boxstyle": "round,pad=0,rounding_size=0.1", "linestyle": "--"}
    axes.add_patch(FancyBboxPatch((-0.35, -tall * step - 0.3), 3 * (wide + gap) + 0.25,
                                  tall * step + 1.15, fill=False, edgecolor="0.2", **box))
    axes.text(-0.35, 1.0, f"net: a {type(net).__name__} of {len(net)}", size=11, weight="bold")
    for place, column in enumerate(columns):
        left = place * (wide + gap)
        if place < len(blocks):
            name, block = blocks[place]
            axes.add_patch(FancyBboxPatch((left - 0.15, -len(column) * step - 0.08), wide + 0.3,
                                          len(column) * step + 0.68, facecolor="0.96",
                                          edgecolor="0.4", **box))
            axes.text(left, 0.27, f"{name}: a {type(block).__name__} of {len(block)}", size=10)
        for row, (path, layer) in enumerate(column):
            y, trained = -row * step, bool(layer.state_dict())
            axes.add_patch(FancyBboxPatch(
                (left, y - 0.44), wide, 0.5, boxstyle="round,pad=0,rounding_size=0.08",
                facecolor=LAYER_COLOURS[type(layer).__name__] if trained else "0.6",
                alpha=0.3, linewidth=0))
            axes.text(left + 0.12, y - 0.19, type(layer).__name__, va="center", size=9.5)
            axes.text(left + wide - 0.12, y - 0.19, f"{path}.weight" if trained else path,
                      va="center", ha="right", size=9, family="DejaVu Sans Mono",
                      color="k" if trained else "0.4")
    return fig


# Lesson 04

# Published figures: (year, ImageNet top-5 error of the competition entry, in per cent).
PUBLISHED = {"LeNet": (1998, None),  # LeCun et al. 1998; ImageNet is of 2009
             "AlexNet": (2012, 15.3),  # Krizhevsky et al. 2012, abstract: ILSVRC-2012 test
             "VGG": (2014, 7.3)}  # Simonyan and Zisserman 2014, table 7: ILSVRC-2014 test


def timeline():
    """LeNet, AlexNet and VGG by year: layers, parameters, work, and error on ImageNet."""
    with torch.device("meta"):
        nets = {"LeNet": [(lenet(), 28)], "AlexNet": [(alexnet(), 224)],
                "VGG": [(vgg(VGG_ARCHS[name]), 224) for name in ("vgg11", "vgg19")]}
    fig = Figure(figsize=(7.2, 5.4))
    rows = fig.subplots(4, 1, sharex=True, gridspec_kw={"hspace": 0.18})
    labels = ("layers with\nweights", "parameters", "FLOPs for\none picture",
              "top-5 error\non ImageNet, %")
    for axes, label in zip(rows, labels, strict=True):
        axes.set_ylabel(label, rotation=0, ha="right", va="center")
    for (name, (year, error)), colour in zip(PUBLISHED.items(), (GREEN, ORANGE, BLUE),
                                             strict=True):
        side_of_text = {"ha": "right" if name == "AlexNet" else "left", "va": "center",
                        "textcoords": "offset points"}
        left = -8 if name == "AlexNet" else 8  # points
        for place, (net, side) in enumerate(nets[name]):
            table = trace_shapes(net, (1, 1, side, side), expand=True)
            values = [sum(row.params > 0 for row in table), table.params, table.flops]
            words = [f"{values[0]}", short_number(table.params), short_number(table.flops)]
            last = f"VGG-{values[0]}: " * (name == "VGG")
            for axes, value, word in zip(rows, values, words, strict=False):
                axes.plot(year, value, "o", color=colour, markersize=7)
                rise = 0 if name != "VGG" or axes is rows[0] else (-6, 7)[place]
                axes.annotate(last + word, (year, value), xytext=(left, rise), **side_of_text)
        if error:
            rows[3].plot(year, error, "s", color=colour, markersize=7)
            rows[3].annotate(f"{error}", (year, error), xytext=(left, 0), **side_of_text)
        rows[0].annotate(f"{name}, {year}", (year, 26.5), xytext=(-left, 0), color=colour,
                         weight="bold", size=10.5, annotation_clip=False, **side_of_text)
    rows[3].text(PUBLISHED["LeNet"][0], 10, "read digits; ImageNet is of 2009", color="0.3",
                 va="center")
    rows[0].set(ylim=(0, 24), xlim=(1996.5, 2019))
    rows[1].set(yscale="log", ylim=(1e4, 1e9), yticks=(1e4, 1e6, 1e8))
    rows[2].set(yscale="log", ylim=(1e5, 4e11), yticks=(1e5, 1e8, 1e11))
    rows[3].set(ylim=(0, 20), xlabel="year", xticks=range(1998, 2017, 2))
    for axes in rows:
        axes.minorticks_off()
        axes.grid(axis="x", color="0.9")
    return fig


def short_number(number):
    """Return a count in words of three digits: '46.8 million'."""
    size, word = (1e9, "billion") if number >= 1e9 else (1e6, "million")
    return f"{number / size:.3g} {word}" if number >= 1e5 else f"{number:,}"


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


def shapes_shrinking(conv_arch=VGG_ARCHS["vgg11"], input_size=224):
    """A VGG's picture and block outputs as boxes, height × width × channels to scale."""
    fig = Figure(figsize=(7.2, 3.9))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set_aspect("equal")
    with torch.device("meta"):
        rows = trace_shapes(vgg(conv_arch, input_size=input_size), (1, 1, input_size, input_size))
    volumes = [("picture", (1, input_size, input_size)),
               *((f"block {row.name}", tuple(row.output_shape[1:])) for row in rows
                 if row.layer == "Sequential")]
    thick, slant = 0.25, 0.3  # of a channel, in units of which a picture has 224; depth is slanted
    pixel = 224 / input_size
    thickness = "a quarter" if thick == 0.25 * pixel else f"{thick / pixel:.2f}"
    x = 0
    for place, (name, (channels, height, width)) in enumerate(volumes):
        w, d, h = channels * thick, width * pixel * slant, height * pixel
        colour = ORANGE if place == 0 else BLUE
        for corners, alpha in (
                (((0, 0), (w, 0), (w, h), (0, h)), 0.55),
                (((0, h), (w, h), (w + d, h + d), (d, h + d)), 0.25),
                (((w, 0), (w + d, d), (w + d, h + d), (w, h)), 0.4)):
            axes.add_patch(Polygon([(x + a, b) for a, b in corners], facecolor=colour,
                                   alpha=alpha, edgecolor="0.2", linewidth=0.6))
        middle = x + (w + d) / 2
        axes.text(middle, -14, name, ha="center", va="top", size=9, weight="bold")
        axes.text(middle, -34, f"{channels}×{height}×{width}", ha="center", va="top", size=9)
        axes.text(middle, -54, f"{channels * height * width:,}", ha="center", va="top", size=9)
        x += max(w + d, 92) + 22
    x = max(x, 620)  # with few blocks, room for the words
    axes.text(-24, -54, "numbers", ha="right", va="top", size=9, color="0.3")
    axes.text(-24, -34, "shape", ha="right", va="top", size=9, color="0.3")
    head = " → ".join(f"{row.output_shape[1]:,}" for row in rows
                      if row.layer in ("Flatten", "Linear"))
    axes.text(x - 22, 165, f"then flattened, and three linear layers:\n{head}", ha="right",
              size=9, linespacing=1.6)
    axes.text(x - 22, 250, "All boxes to one scale. Width is drawn slanted;\n"
              f"a channel is drawn {thickness} of a pixel thick.", ha="right", size=9, color="0.3",
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


# Lesson 09


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


# Lesson 11


def seen_side(conv_arch):
    """Return the side, in pixels, of what one number after the last pool of conv_arch sees."""
    seen, step = 1, 1  # pixels seen, and pixels between two neighbours
    for num_convs, _ in conv_arch:
        seen += num_convs * 2 * step + step  # a 3x3 adds a neighbour a side, a 2x2 pool one
        step *= 2
    return seen


def same_picture():
    """One 28-pixel picture at four sizes: VGG-11's last places, and what one of them sees."""
    arch, original = VGG_ARCHS["vgg11"], 28
    fig = Figure(figsize=(7.4, 2.75))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-2, 149), ylim=(-18, 38))
    axes.set_aspect("equal")
    axes.axis("off")
    for place, size in enumerate((224, 96, 64, 56)):
        left, pixel = 38 * place + 1, original / size  # one fed pixel, in original ones
        cell = 2 ** len(arch) * pixel
        side, seen = size // 2 ** len(arch), seen_side(arch) * pixel
        axes.add_patch(Rectangle((left, 0), original, original, facecolor="0.9", edgecolor="0.4"))
        for row in range(side):
            for column in range(side):
                axes.add_patch(Rectangle((left + column * cell, original - (row + 1) * cell), cell,
                                         cell, facecolor=SKY, alpha=0.5, edgecolor="w"))
        middle = (side // 2 + 0.5) * cell
        low, high = max(0, middle - seen / 2), min(original, middle + seen / 2)
        axes.add_patch(Rectangle((left + low, original - high), high - low, high - low, fill=False,
                                 edgecolor=RED, linewidth=2))
        axes.text(left + original / 2, original + 2.5, f"{size} pixels", ha="center", size=11,
                  weight="bold")
        axes.text(left + original / 2, -2.5, f"{side}×{side} places,\n{cell:.3g} original\npixels "
                  "a side", ha="center", va="top", size=9.5)
    return fig


# Lesson 13


def speed_waterfall():
    """Examples a second from the book's loop to ours, as benchmarks/train_speed.py measured."""
    results = json.loads((RESULTS / "cpu.json").read_text(encoding="utf-8"))
    fig = Figure(figsize=(7.4, 4.4))
    panels = fig.subplots(len(results["sizes"]), 1, squeeze=False)[:, 0]
    for axes, (pixels, found) in zip(panels, results["sizes"].items(), strict=True):
        rates = found["examples/s"]
        medians = [rate["median"] for rate in rates.values()]
        for place, (rate, before) in enumerate(zip(rates.values(), [0, *medians], strict=False)):
            axes.barh(place, min(rate["median"], before), color="0.8")
            gain = rate["median"] - before
            axes.barh(place, abs(gain), left=min(rate["median"], before),
                      color=BLUE if gain > 0 else ORANGE)
            axes.plot([rate["least"], rate["most"]], [place, place], color="k", linewidth=1)
            axes.text(max(rate["median"], rate["most"]) + 0.01 * max(medians), place,
                      f"{rate['median']:.0f}", va="center", size=9)
        axes.axvline(medians[0], color="0.4", linestyle="--", linewidth=0.8, zorder=0)
        axes.set_yticks(range(len(rates)), list(rates), size=9)
        axes.invert_yaxis()
        axes.set_xlim(0, max(rate["most"] for rate in rates.values()) * 1.1)
        ratio = found["ratio of the book's seconds to ours"]
        axes.set_title(f"{pixels} pixels: {ratio['median']:.1f} times the book's speed "
                       f"({ratio['least']:.1f} to {ratio['most']:.1f})", size=10, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlabel(f"examples a second, wall-clock, on {results['processor']} with "
                          f"{results['machine']['CPU cores for torch']} threads", size=9)
    fig.tight_layout()
    return fig


# Lesson 15


def gradients_travel():
    """One step of VGG-11 / 4 on two GPUs, to scale: the wire waits, or works while they compute.

    A model: 64 pictures each at the published 4,357 examples/s, time split by FLOPs, backward
    twice forward, and a wire of 16 GB/s (PCIe 3.0) on which two processes send each byte once.
    """
    with torch.device("meta"):
        net = vgg(shrink(VGG_ARCHS["vgg11"], 4))
    rows = trace_shapes(net, (1, 1, 224, 224))
    parts = [(row.name, row.flops, 4 * row.params) for row in rows if row.params]
    unit = 64 / 4357 * 1000 / 3 / sum(flops for _, flops, _ in parts)  # ms a forward FLOP
    fig = Figure(figsize=(7.4, 3.3))
    axes = fig.add_axes((0.13, 0.15, 0.85, 0.76))
    forward = unit * sum(flops for _, flops, _ in parts)

    def strip(row, start, width, colour, label=""):
        axes.add_patch(Rectangle((start, row - 0.3), width, 0.6, facecolor=colour, alpha=0.45,
                                 edgecolor="w", linewidth=1.2))
        axes.text(start + width / 2, row, label, ha="center", va="center", size=8.5)

    for top, overlap in ((3.4, False), (1, True)):
        strip(top, 0, forward, SKY, "forward")
        ready, wire_free = forward, 0 if overlap else 3 * forward
        for name, flops, size in reversed(parts):
            width = 2 * unit * flops
            strip(top, ready, width, BLUE, name * (int(name) < 5 and width > 0.5))
            ready += width
            start = max(wire_free, ready)
            wire_free = start + size / 16e9 * 1000
            strip(top - 1, start, wire_free - start, RED,
                  f"{size / 1e6:.0f} MB" * (size > 50e6))
        end = max(ready, wire_free)
        axes.plot([end, end], [top - 1.4, top + 0.4], color="0.2", linewidth=1, linestyle=":")
        axes.text(end + 0.15, top + 0.05, f"step ends:\n{end:.1f} ms", va="center", size=8.5)
        axes.text(0, top + 0.47, "DDP: each part is sent when it is ready" if overlap else
                  "by hand: everything is sent after the backward pass", size=9.5, weight="bold")
    for top in (3.4, 1):
        axes.text(forward + 0.1, top - 0.32, "backward: head, blocks 4 to 0", size=8.5, va="top",
                  color="0.3")
    axes.text(forward, 0.85 - 1.5, "head first, so the most travels first", size=8.5, color="0.3")
    axes.set(xlim=(0, 28.5), ylim=(-0.8, 4.2), xlabel="milliseconds (modelled)")
    axes.set_yticks([3.4, 2.4, 1, 0], ["GPU", "wire", "GPU", "wire"])
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    return fig


FIGURES = (
    matrix_product,
    block_of_blocks,
    timeline,
    alexnet_to_vgg,
    shapes_shrinking,
    params_and_flops,
    receptive_field,
    vgg_block,
    loop_clocks,
    same_picture,
    speed_waterfall,
    gradients_travel,
)
