"""Draws the pictures of lesson 06: blocks, what a pixel sees, the halving, the VGG block."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

import d2lvgg
from d2lvgg.display import BLUE, GREEN, ORANGE, RED, SKY
from d2lvgg.models import vgg_block as build_block
from d2lvgg.shapes import trace_shapes
from tools.figures import LAYER_COLOURS, layer_label

SECONDS = 0.8  # that each step of a moving picture stays


# What moves: SVG with CSS, since matplotlib draws nothing that moves.

def svg(across, up, style, body):
    """Return the text of an SVG of across × up pixels; style is the CSS that moves it."""
    css = (f"text{{font:13px 'DejaVu Sans',sans-serif}}"
           f"@media screen and (prefers-reduced-motion:no-preference){{{style}}}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{up}" '
            f'viewBox="-4 0 {across} {up}"><style>{css}</style>'
            f'<rect x="-4" width="100%" height="100%" fill="#fff"/>{"".join(body)}</svg>\n')


def box(x, y, side, fill="none", more='stroke="#999"'):
    """Return SVG of a square."""
    return f'<rect x="{x}" y="{y}" width="{side}" height="{side}" fill="{fill}" {more}/>'


def words(x, y, text, more=""):
    """Return SVG of a line of text."""
    return f'<text x="{x}" y="{y}"{more}>{text}</text>'


def walk(name, places, count):
    """Return CSS that moves the class name to each (x, y) in turn, in a round of count steps."""
    frames = "".join(f"{100 * step / count:.3f}%{{transform:translate({x}px,{y}px)}}"
                     for step, (x, y) in enumerate(places))
    return (f"@keyframes {name}{{{frames}}}"
            f".{name}{{animation:{name} {SECONDS * count:.1f}s step-end infinite}}")


def appear(steps, count):
    """Return CSS by which the class s<step> is pale until its step, in a round of count steps."""
    return "".join(
        f"@keyframes s{step}{{0%{{opacity:.25}}{100 * step / count:.3f}%{{opacity:1}}}}"
        f".s{step}{{animation:s{step} {SECONDS * count:.1f}s step-end infinite}}" for step in steps)


def receptive_field():
    """What one output pixel sees: through two 3×3 convolutions, step by step, and one 5×5.

    Pixels to be reached are pale, so that a frame caught on its way says the same.
    """
    cells, cell = 7, 22  # cells a map, pixels a cell
    side, middle = cells * cell, cells // 2
    lefts, tops = (0, side + 120, 2 * (side + 120)), (52, 52 + side + 92)
    nine = [(column, row) for row in (-1, 0, 1) for column in (-1, 0, 1)]
    count = len(nine) + 5  # the whole stays for five steps more

    def reached(column, row):  # the first of the nine windows that holds this cell, or None
        return next((step for step, (x, y) in enumerate(nine)
                     if abs(column - middle - x) < 2 and abs(row - middle - y) < 2), None)

    body = []
    for top, title, between in zip(tops, ("two 3×3 convolutions", "one 5×5 convolution"),
                                   (True, False), strict=True):
        body.append(words(0, top - 32, title, ' style="font-weight:bold"'))
        for left, name, reach in zip(lefts, ("5 × 5 pixels of the image",
                                             "3 × 3 of the map between", "one output pixel"),
                                     (2, 1, 0), strict=True):
            if reach == 1 and not between:
                continue
            for row in range(cells):
                for column in range(cells):
                    inside = max(abs(row - middle), abs(column - middle)) <= reach
                    step = reached(column, row) if inside and reach == 2 and between else None
                    fill = (SKY if reach else ORANGE) if inside else "#fff"
                    body.append(box(left + cell * column, top + cell * row, cell, "#fff"))
                    if inside:
                        body.append(box(left + cell * column, top + cell * row, cell, fill,
                                        'stroke="#999"' + (f' class="s{step}"' if step is not None
                                                           else "")))
            body.append(words(left, top + side + 18, name))
        # From the output's pixel to the window that it reads.
        reads, reach = (lefts[1], 1) if between else (lefts[0], 2)
        for sign in (0, 1):
            body.append(f'<path d="M{lefts[2] + middle * cell} {top + (middle + sign) * cell}'
                        f'L{reads + (middle + reach + 1) * cell} '
                        f'{top + (middle + sign + (reach if sign else -reach)) * cell}" '
                        f'stroke="{RED}" stroke-width="1.5" fill="none"/>')
        size = 2 * reach + 1
        body.append(box(reads + (middle - reach) * cell, top + (middle - reach) * cell,
                        size * cell, more=f'stroke="{RED}" stroke-width="3"'))
    top = tops[0]
    x, y = lefts[0] + (middle - 1) * cell, top + (middle - 1) * cell
    a, b = lefts[1] + middle * cell, top + middle * cell
    moving = "".join([
        box(x, y, 3 * cell, more=f'stroke="{RED}" stroke-width="4"'),
        box(a, b, cell, more=f'stroke="{RED}" stroke-width="4"'),
        *[f'<path d="M{a} {b + low * cell}L{x + 3 * cell} {y + 3 * low * cell}" stroke="{RED}" '
          'stroke-width="1.5" stroke-dasharray="4 3" fill="none"/>' for low in (0, 1)]])
    body.append(f'<g class="window" style="transform:translate({-cell}px,{-cell}px)">{moving}</g>')
    body.append(words(0, top - 14, "each of the nine pixels between reads 3 × 3 pixels of the "
                                   "image; together they read 5 × 5"))
    body.append(words(0, tops[1] - 14, "the output pixel reads the same 5 × 5 at once"))
    places = [(cell * column, cell * row) for column, row in nine]
    style = walk("window", places, count) + appear(range(len(nine)), count)
    return svg(lefts[2] + side + 12, tops[1] + side + 30, style, body)


def halving():
    """Three max-pools halve eight pixels of the boot to four, two and one; a fourth cannot."""
    X, _ = d2lvgg.garments(28)
    numbers = (10 * torch.nn.functional.adaptive_avg_pool2d(X[:1], 8)).round()  # (1, 1, 8, 8)
    grids = [numbers]
    while grids[-1].shape[-1] > 1:
        grids.append(torch.nn.functional.max_pool2d(grids[-1], 2))
    cell, left, lefts, top = 30, 0, [], 30
    for grid in grids:
        lefts.append(left)
        left += cell * grid.shape[-1] + 50
    places = [(stage, row, column) for stage, grid in enumerate(grids[1:])
              for row in range(grid.shape[-1]) for column in range(grid.shape[-1])]
    count = len(places) + 5
    step_of = {(stage + 1, row, column): step for step, (stage, row, column) in enumerate(places)}
    body = []
    for stage, (grid, left) in enumerate(zip(grids, lefts, strict=True)):
        side = grid.shape[-1]
        body.append(words(left, top - 10, f"{side} × {side}"))
        for row in range(side):
            for column in range(side):
                ink = int(grid[0, 0, row, column])
                grey = f"#{round(255 - 20 * ink):02x}" + 2 * f"{round(255 - 20 * ink):02x}"
                x, y = left + cell * column, top + cell * row
                step = step_of.get((stage, row, column))
                mark = "" if step is None else f' class="s{step}"'
                body.append(f'<g{mark}>{box(x, y, cell, grey)}' + words(
                    x + cell / 2, y + 20, ink,
                    f' text-anchor="middle" fill="{"#fff" if ink > 6 else "#000"}"') + "</g>")
    reads = [(lefts[stage] + 2 * cell * column, top + 2 * cell * row)
             for stage, row, column in places]
    writes = [(lefts[stage + 1] + cell * column, top + cell * row) for stage, row, column in places]
    still = 10  # the window that the picture shows when it stands still
    for name, where, size in (("reads", reads, 2), ("writes", writes, 1)):
        x, y = where[still]
        body.append(f'<g class="{name}" style="transform:translate({x}px,{y}px)">'
                    + box(0, 0, size * cell, more=f'stroke="{RED}" stroke-width="4"') + "</g>")
    for rise, line in ((34, "each pool keeps the largest of four numbers,"),
                       (14, "so a side of 8 can be halved three times")):
        body.append(words(lefts[1], top + cell * 8 - rise, line))
    style = walk("reads", reads, count) + walk("writes", writes, count) + appear(
        range(len(places)), count)
    return svg(max(lefts[1] + 330, lefts[-1] + cell + 20), top + cell * 8 + 10, style, body)


# What stands still.

def neurons_layers_blocks():
    """Chip designers went from transistors to gates to blocks; neurons, layers, blocks did too."""
    fig = Figure(figsize=(7.2, 3.5))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 14.4), ylim=(-0.3, 6.7), aspect="equal")
    axes.axis("off")

    def part(x, y, width, height, text, colour, size=9):
        axes.add_patch(FancyBboxPatch((x, y), width, height, linewidth=0.9, edgecolor="0.3",
                                      boxstyle="round,pad=0,rounding_size=0.1", facecolor=colour))
        axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", size=size)

    for y, names in ((3.7, ("transistor", "gate", "block of gates")),
                     (-0.1, ("neuron", "layer", "block of layers"))):
        for x, name in zip((2.2, 6.3, 11.6), names, strict=True):
            axes.text(x, y, name, ha="center", va="bottom", size=10.5)
    for y, name in ((5.3, "chips"), (1.7, "networks")):
        axes.text(0.1, y, name, va="center", size=10.5, weight="bold", rotation=90)
        for x in (3.4, 8.1):
            axes.annotate("", (x + 0.9, y), (x, y), arrowprops={"arrowstyle": "->"})
    axes.plot([1.5, 2.0], [5.3, 5.3], "-", color="k", linewidth=1.2)  # a transistor's sign
    axes.plot([2.0, 2.0], [4.8, 5.8], "-", color="k", linewidth=2.2)
    for sign in (-1, 1):
        axes.plot([2.0, 2.5, 2.5], [5.3 + 0.2 * sign, 5.3 + 0.45 * sign, 5.3 + 0.85 * sign],
                  "-", color="k", linewidth=1.2)
    part(5.5, 4.8, 1.6, 1.0, "AND", "0.9")
    for place, name in enumerate(("AND", "XOR", "OR")):
        part(9.6 + 1.4 * place, 4.8, 1.1, 1.0, name, "0.9")
        if place:
            axes.plot([9.3 + 1.4 * place, 9.6 + 1.4 * place], [5.3, 5.3], "-", color="k",
                      linewidth=1)
    axes.add_patch(Rectangle((9.3, 4.5), 4.5, 1.6, fill=False, linestyle="--", edgecolor="0.3"))
    for rise in (-0.7, 0, 0.7):
        axes.plot([1.3, 2.2], [1.7 + rise, 1.7], "-", color="0.3", linewidth=1)
    axes.add_patch(Circle((2.2, 1.7), 0.35, facecolor=SKY, edgecolor="0.3"))
    for low in (0.75, 1.7, 2.65):
        for high in (0.75, 1.7, 2.65):
            axes.plot([5.6, 7.0], [low, high], "-", color="0.5", linewidth=0.8, zorder=1)
        for x in (5.6, 7.0):
            axes.add_patch(Circle((x, low), 0.26, facecolor=SKY, edgecolor="0.3", zorder=2))
    for place, (name, colour) in enumerate((("conv", BLUE), ("ReLU", "#888888"), ("conv", BLUE),
                                            ("ReLU", "#888888"), ("pool", ORANGE))):
        part(9.45 + 0.86 * place, 1.1, 0.76, 1.2, name,
             (*[int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)], 0.35))
    axes.add_patch(Rectangle((9.3, 0.8), 4.5, 1.8, fill=False, linestyle="--", edgecolor="0.3"))
    return fig


def vgg_block():
    """One VGG block, vgg_block(2, 128, 256), layer by layer, with the shapes in between."""
    num_convs, in_channels, out_channels, side = 2, 128, 256, 56
    block = build_block(num_convs, in_channels, out_channels)
    rows = trace_shapes(block, (1, in_channels, side, side), expand=True)
    shapes = [(in_channels, side, side), *(tuple(row.output_shape[1:]) for row in rows)]
    fig = Figure(figsize=(7.4, 2.2))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.6, 5.15), ylim=(-0.85, 1.0))
    axes.axis("off")
    for place, (layer, row) in enumerate(zip(block, rows, strict=True)):
        axes.add_patch(FancyBboxPatch(
            (place, -0.25), 0.7, 0.5, boxstyle="round,pad=0,rounding_size=0.08", alpha=0.3,
            facecolor={**LAYER_COLOURS, "ReLU": "0.6"}[row.layer], linewidth=0))
        label = "ReLU" if row.layer == "ReLU" else layer_label(layer).replace(", ", "\n")
        axes.text(place + 0.35, 0, label, ha="center", va="center", size=9)
        if row.layer == "Conv2d":
            axes.text(place + 0.35, 0.32, f"{row.params:,}\nparameters", ha="center", va="bottom",
                      size=9, color=BLUE)
            axes.add_patch(FancyBboxPatch(
                (place - 0.06, -0.33), 1.82, 1.06, boxstyle="round,pad=0,rounding_size=0.08",
                fill=False, linestyle="--", edgecolor="0.4"))
    for place, shape in enumerate(shapes):
        axes.annotate("", (place, 0), (place - 0.3, 0), arrowprops={"arrowstyle": "->"})
        axes.text(place - 0.15, -0.4, "×".join(map(str, shape)), ha="center", va="top", size=9)
    axes.text(-0.15, -0.64, "channels×height×width", size=9, color="0.3", ha="left", va="top")
    axes.text(-0.06, 0.83, f"num_convs = {num_convs} times", size=9.5)
    axes.text(2 * num_convs + 0.35, 0.83, "once", size=9.5, ha="center")
    return fig


def blocks_since():
    """Six blocks, from AlexNet's time to today, with the year and what is new."""
    rows = (("2013", "NiN", (("n×n", "0.6"), ("1×1", GREEN), ("1×1", GREEN))),
            ("2014", "VGG", (("3×3", BLUE), ("3×3", BLUE))),
            ("2015", "ResNet", (("1×1", GREEN), ("3×3", BLUE), ("1×1", GREEN))),
            ("2022", "ConvNeXt", (("7×7", ORANGE), ("1×1", GREEN), ("1×1", GREEN))))
    fig = Figure(figsize=(7.2, 2.5))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.2, 14.2), ylim=(-0.2, 4.6), aspect="equal")
    axes.axis("off")
    for place, (year, name, kernels) in enumerate(rows):
        left = 3.6 * place
        axes.text(left + 1.2, 4.2, f"{name}, {year}", ha="center", va="center", size=10.5,
                  weight="bold")
        for step, (kernel, colour) in enumerate(kernels):
            bottom = 2.8 - 1.2 * step
            axes.add_patch(FancyBboxPatch(
                (left + 0.3, bottom), 1.8, 0.8, boxstyle="round,pad=0,rounding_size=0.1",
                facecolor=colour, alpha=0.35, linewidth=0))
            axes.text(left + 1.2, bottom + 0.4, kernel, ha="center", va="center", size=10)
            axes.annotate("", (left + 1.2, bottom + 0.8), (left + 1.2, bottom + 1.15),
                          arrowprops={"arrowstyle": "->"})
        if name in ("ResNet", "ConvNeXt"):
            axes.annotate("", (left + 2.15, 0.25), (left + 2.15, 3.95), arrowprops={
                "arrowstyle": "->", "connectionstyle": "arc3,rad=-0.25", "color": RED})
    return fig


FIGURES = (neurons_layers_blocks, vgg_block, blocks_since)
MOVING = (receptive_field, halving)
