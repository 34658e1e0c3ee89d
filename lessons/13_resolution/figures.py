"""Draws one garment at five sizes, for lesson 13."""

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from d2lvgg.display import RED, SKY
from d2lvgg.models import VGG_ARCHS


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


FIGURES = (same_picture,)
