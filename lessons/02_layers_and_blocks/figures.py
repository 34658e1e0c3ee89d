"""Draws the pictures of lesson 02: layers, ReLU, the register, the loop, a block of blocks."""

from math import cos, pi, sin

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Polygon

import d2lvgg
from d2lvgg.display import BLUE, GREEN, ORANGE, RED, SKY
from tools.figures import canvas

PALE = {BLUE: "#CCE3F0", ORANGE: "#FAEBCC", GREEN: "#CCECE3", SKY: "#DDF0FB"}
HINGES = ((1.0, 0.4), (-1.6, 1.2), (1.8, 2.2))  # weight and beginning of each ReLU that is added
SECONDS = 1.6  # that a step of the loop stays marked


def box(axes, left, low, wide, tall, colour, **style):
    """Draw a box with rounded corners."""
    style = {"edgecolor": "0.35", "linewidth": 1, **style}
    axes.add_patch(FancyBboxPatch((left, low), wide, tall, facecolor=colour,
                                  boxstyle="round,pad=0,rounding_size=0.08", **style))


def hidden_layer():
    """Two coordinates, four of the sixteen hidden units, three scores."""
    fig, axes = canvas(6.6, 3.5, (-0.6, 6.0), (-1.7, 1.8))
    columns = [(0.3, 2, SKY), (2.6, 4, ORANGE), (4.9, 3, SKY)]
    places = [[(x, 1.05 - 2.1 * place / (count - 1)) if count > 2 else (x, 0.7 - 1.4 * place)
               for place in range(count)] for x, count, _ in columns]
    for before, after in zip(places, places[1:], strict=False):
        for start in before:
            for end in after:
                axes.plot(*zip(start, end, strict=True), "-", color="0.6", linewidth=1, zorder=1)
    for column, (_, _, colour) in zip(places, columns, strict=True):
        for x, y in column:
            axes.add_patch(Circle((x, y), 0.17, facecolor=PALE[colour], edgecolor="0.3",
                                  linewidth=1.2, zorder=2))
    for x, words in ((0.3, "the point's\ntwo coordinates"), (2.6, "hidden layer:\n4 hidden units"),
                     (4.9, "three scores,\none per arm")):
        axes.text(x, 1.35, words, ha="center", va="bottom", size=10)
    for x, words in ((1.45, "2 · 4 weights,\n4 biases"), (3.75, "4 · 3 weights,\n3 biases")):
        axes.text(x, -1.2, words, ha="center", va="top", size=10)
    axes.set_aspect("equal")
    return fig


def relu():
    """ReLU, and three of them added up."""
    fig = Figure(figsize=(6.8, 3), layout="constrained")
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.3))
    x = torch.linspace(-3, 3, 301)
    left.plot(x, x.relu(), color=ORANGE, linewidth=3)
    left.set(title="ReLU(x) = max(0, x)", xlabel="x, what goes in", ylabel="what comes out",
             xticks=range(-3, 4), yticks=range(4))
    left.grid(True)
    x = torch.linspace(0, 3.2, 321)
    pieces = [weight * (x - start).relu() for weight, start in HINGES]
    total = sum(pieces)
    for piece, (weight, start) in zip(pieces, HINGES, strict=True):
        right.plot(x, piece, "--", color=BLUE, linewidth=1.3)
        right.text(3.25, float(piece[-1]), f"{weight:g} · ReLU(x − {start:g})".replace("-", "−"),
                   size=9, va="center", color=BLUE)
    right.plot(x, total, color=ORANGE, linewidth=3)
    right.text(0.1, 1.15, "their sum", size=10, va="center", weight="bold")
    for _, start in HINGES:
        right.plot(start, float(total[round(start * 100)]), "o", color="k", markersize=5)
    right.set(title="three of them, added", xlabel="x", xlim=(0, 3.2), xticks=range(4))
    right.grid(True)
    return fig


def register():
    """What self.hidden = … and self.layers = […] write, and who reads the registers."""
    fig, axes = canvas(7, 3.9, (0, 14), (-0.4, 7.6))
    code = {"family": "DejaVu Sans Mono", "size": 9}
    box(axes, 4.6, 0.1, 5.2, 6.5, "w", linestyle="--")
    axes.text(4.6, 6.8, "the block, as PyTorch keeps it", size=10, weight="bold")
    box(axes, 4.9, 4.1, 4.6, 2.2, PALE[BLUE], edgecolor=BLUE, linewidth=1.6)
    axes.text(5.1, 5.8, "register of blocks, _modules", size=9.5, weight="bold", color=BLUE)
    axes.text(5.1, 5.1, "hidden   a linear layer", **code)
    axes.text(5.1, 4.4, "out      a linear layer", **code)
    box(axes, 4.9, 2.35, 4.6, 1.5, PALE[BLUE], edgecolor=BLUE, linewidth=1.6)
    axes.text(5.1, 3.35, "own numbers, _parameters", size=9.5, weight="bold", color=BLUE)
    axes.text(5.1, 2.65, "(none: the layers have theirs)", size=9, style="italic")
    box(axes, 4.9, 0.4, 4.6, 1.7, "0.93", linestyle=":")
    axes.text(5.1, 1.55, "all other attributes", size=10, weight="bold", color="0.3")
    axes.text(5.1, 0.75, "layers   a Python list", **code)
    for y, line, target in ((5.25, "self.hidden = nn.Linear(…)", 5.25),
                            (4.55, "self.out = nn.Linear(…)", 4.55),
                            (0.9, "self.layers = [nn.Linear(…)]", 0.9)):
        axes.text(0, y, line, va="center", **{**code, "size": 8.5})
        axes.annotate("", (5.0, target), (4.25, y), arrowprops={"arrowstyle": "->"})
    readers = ("parameters()", "state_dict()", "to(device)", "zero_grad()", "train(), eval()")
    for place, name in enumerate(readers):
        y = 6 - 0.75 * place
        axes.text(11.3, y, name, va="center", **code)
        for register in (5.2, 3.1)[:1 if "train" in name else 2]:  # train() asks blocks alone
            axes.annotate("", (11.2, y), (9.6, register),
                          arrowprops={"arrowstyle": "->", "color": BLUE, "linewidth": 0.9})
    axes.text(11.3, 0.9, "nobody\nlooks here", size=10, va="center", color="0.3", style="italic")
    axes.plot([9.6, 11.1], [0.9, 0.9], ":", color="0.5", linewidth=1.5)
    return fig


def block_of_blocks():
    """The shipped network's register: its eight parts, one opened, and one layer's two tensors."""
    net = d2lvgg.pretrained()
    block, number = net[2], 2
    layer = block[number]
    fig, axes = canvas(7.2, 4.5, (-0.2, 14.4), (-0.3, 9))
    mono = "DejaVu Sans Mono"

    def row(left, low, wide, parts, chosen, colour):
        """Draw boxes side by side; return the corners below the chosen one."""
        step = wide / len(parts)
        for place, words in enumerate(parts):
            box(axes, left + place * step + 0.1, low, step - 0.2, 1.3,
                PALE[colour] if place == chosen else "w",
                edgecolor=colour if place == chosen else "0.6",
                linewidth=2 if place == chosen else 1)
            axes.text(left + (place + 0.5) * step, low + 0.95, place, ha="center", va="center",
                      size=10, family=mono, weight="bold")
            axes.text(left + (place + 0.5) * step, low + 0.4, words, ha="center", va="center",
                      size=9)
        return left + chosen * step + 0.1, left + (chosen + 1) * step - 0.1

    names = [{"Sequential": "block", "AdaptiveAvgPool2d": "mean"}.get(type(part).__name__,
                                                                       type(part).__name__)
             for part in net]
    names = [name.lower() if name != "Linear" else "linear" for name in names]
    axes.text(0, 8.6, "the network of lesson 00: eight parts, by number", size=10, weight="bold")
    left, right = row(0, 6.9, 14, names, 2, BLUE)
    axes.add_patch(Polygon([(left, 6.9), (right, 6.9), (12.1, 5.5), (1.9, 5.5)], closed=True,
                           facecolor=PALE[BLUE], edgecolor="none", alpha=0.6, zorder=0))
    words = {"Conv2d": "convolution", "ReLU": "ReLU", "MaxPool2d": "max-pool"}
    left, right = row(2, 4.2, 10, [words[type(part).__name__] for part in block], number, ORANGE)
    axes.add_patch(Polygon([(left, 4.2), (right, 4.2), (10.2, 2.8), (3.8, 2.8)], closed=True,
                           facecolor=PALE[ORANGE], edgecolor="none", alpha=0.6, zorder=0))
    for place, (name, tensor) in enumerate(layer.named_parameters()):
        chosen = name == "weight"
        box(axes, 3.9 + 3.2 * place, 1.5, 3.0, 1.3, PALE[GREEN] if chosen else "w",
            edgecolor=GREEN if chosen else "0.6", linewidth=2 if chosen else 1)
        axes.text(5.4 + 3.2 * place, 2.45, name, ha="center", va="center", size=10, family=mono,
                  weight="bold")
        axes.text(5.4 + 3.2 * place, 1.9, f"{tensor.numel():,} numbers", ha="center", va="center",
                  size=9)
    for words, x, colour in (("2", 4.3, BLUE), (".", 4.6, "0.2"), ("2", 4.9, ORANGE),
                             (".", 5.2, "0.2"), ("weight", 6.28, GREEN)):
        axes.text(x, 0.3, words, ha="center", va="center", size=17, family=mono, weight="bold",
                  color=colour)
    axes.text(3.9, 0.3, "its name:", ha="right", va="center", size=10)
    return fig


def training_loop():
    """Return SVG text: the five steps of the loop on a ring, marked one after the other."""
    steps = (("optimizer.zero_grad()", "forget the last gradients"),
             ("scores = net(X)", "forward: what does it say?"),
             ("loss = cross_entropy(…)", "how wrong is it?"),
             ("loss.backward()", "fill .grad of each parameter"),
             ("optimizer.step()", "move each parameter a little"))
    wide, tall, middle, up = 220, 50, (350, 178), 132
    body = []
    angles = [2 * pi * place / len(steps) - pi / 2 for place in range(len(steps))]
    centres = [(middle[0] + 232 * cos(angle), middle[1] + up * sin(angle)) for angle in angles]
    for (x, y), (after_x, after_y) in zip(centres, centres[1:] + centres[:1], strict=True):
        body.append(f'<line x1="{x:.0f}" y1="{y:.0f}" x2="{x + 0.58 * (after_x - x):.0f}" '
                    f'y2="{y + 0.58 * (after_y - y):.0f}" stroke="#666" stroke-width="2" '
                    'marker-end="url(#tip)"/>'
                    f'<line x1="{x:.0f}" y1="{y:.0f}" x2="{after_x:.0f}" y2="{after_y:.0f}" '
                    'stroke="#666" stroke-width="2"/>')
    for place, ((x, y), (code, words)) in enumerate(zip(centres, steps, strict=True)):
        left, top = x - wide / 2, y - tall / 2
        body.append(
            f'<rect x="{left:.0f}" y="{top:.0f}" width="{wide}" height="{tall}" rx="7" fill="#fff" '
            f'stroke="#666"/><rect class="now" x="{left:.0f}" y="{top:.0f}" width="{wide}" '
            f'height="{tall}" rx="7" fill="{PALE[ORANGE]}" stroke="{RED}" stroke-width="2.5" '
            f'style="animation-delay:{SECONDS * (place - len(steps)):.1f}s"/>'
            f'<text x="{x:.0f}" y="{y - 5:.0f}" text-anchor="middle" class="code">{place + 1}  '
            f'{code}</text><text x="{x:.0f}" y="{y + 14:.0f}" text-anchor="middle">{words}</text>')
    body.append(f'<text x="{middle[0]}" y="{middle[1] + 6}" text-anchor="middle" class="big">once '
                'per batch</text>')
    share = 100 / len(steps)
    css = ("text{font:12.5px 'DejaVu Sans',sans-serif}.big{font-size:15px;font-weight:bold}"
           ".code{font-family:'DejaVu Sans Mono',monospace;font-weight:bold;font-size:12px}"
           ".now{opacity:0}@media screen and (prefers-reduced-motion:no-preference){"
           f".now{{animation:now {SECONDS * len(steps):.1f}s step-end infinite}}"
           f"@keyframes now{{0%{{opacity:1}}{share:.0f}%{{opacity:0}}}}}}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="700" height="310" '
            f'viewBox="0 12 700 310"><style>{css}</style><defs><marker id="tip" '
            'viewBox="0 0 10 10" refX="5" refY="5" markerWidth="8" markerHeight="8" '
            'orient="auto"><path d="M0 0L10 5L0 10z" fill="#666"/></marker></defs>'
            f'<rect width="100%" height="340" fill="#fff"/>{"".join(body)}</svg>\n')


FIGURES = (hidden_layer, relu, register, block_of_blocks)
MOVING = (training_loop,)
