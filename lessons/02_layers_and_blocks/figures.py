"""Draws the nested blocks of lesson 02."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from d2lvgg.models import vgg
from tools.figures import LAYER_COLOURS


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


FIGURES = (block_of_blocks,)
