"""Draws when gradients travel, for lesson 17."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from d2lvgg.display import BLUE, RED, SKY
from d2lvgg.models import VGG_ARCHS, shrink, vgg
from d2lvgg.shapes import trace_shapes


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


FIGURES = (gradients_travel,)
