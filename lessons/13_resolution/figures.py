"""Draws lesson 13's pictures: what pools leave of a side, and what the places that are left see."""

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from d2lvgg.data import read_fashion_mnist
from d2lvgg.display import BLUE, GREEN, RED, SKY
from d2lvgg.exercises import of_lesson
from d2lvgg.models import VGG_ARCHS
from d2lvgg.shipped import GARMENTS

EARLY = of_lesson("13", "trials").EARLY


def seen_side(conv_arch):
    """Return the side, in pixels, of what one number after the last pool of conv_arch sees."""
    seen, step = 1, 1  # pixels seen, and pixels between two neighbours
    for num_convs, _ in conv_arch:
        seen += num_convs * 2 * step + step  # a 3x3 adds a neighbour each side, a 2x2 pool one
        step *= 2
    return seen


def canvas(width, height, across, up):
    """Return (figure, axes without frame) of width × height inches that show across × up."""
    fig = Figure(figsize=(width, height))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=across, ylim=up)
    axes.axis("off")
    return fig, axes


def pools_halve():
    """Five sides, halved five times; where a side is odd, its last row is dropped."""
    fig, axes = canvas(6.8, 3.0, (-1.0, 9.3), (-5.0, 1.2))
    axes.text(0, 0.8, "image", ha="center", weight="bold")
    for pool in range(1, 6):
        axes.text(pool, 0.8, f"pool {pool}", ha="center", color="0.3")
    axes.text(6.1, 0.8, "numbers for the head", weight="bold")
    for row, size in enumerate((224, 96, 64, 56, 32)):
        side, y = size, -row
        for pool in range(6):
            odd = side % 2 and pool < 5
            colour = RED if odd else GREEN if pool == 5 else "0.85"
            axes.add_patch(Rectangle((pool - 0.33, y - 0.32), 0.66, 0.64, facecolor=colour,
                                     alpha=0.55 if pool == 5 or odd else 1))
            axes.text(pool, y, str(side), ha="center", va="center", size=11,
                      weight="bold" if pool in (0, 5) else "normal")
            if pool < 5:
                axes.annotate("", (pool + 0.65, y), (pool + 0.35, y),
                              arrowprops={"arrowstyle": "->", "color": "0.4"})
                side //= 2
        axes.text(6.1, y, f"128 × {side} × {side} = {128 * side**2:,}", va="center", size=11)
    axes.text(-0.33, -4.85, "orange: an odd side; the pool drops its last row and column", size=9.5,
              color="0.2")
    return fig


def same_garment():
    """The boot at four sizes: VGG-11's last places, what one of them sees; and with three pools."""
    boot, original = read_fashion_mnist()[1][0][GARMENTS["sure"]], 28
    fig, axes = canvas(7.6, 2.5, (-2, 189), (-20, 42))
    axes.set_aspect("equal")
    panels = [(size, VGG_ARCHS["vgg11"], "five pools") for size in (224, 96, 64, 56)]
    for place, (size, arch, pools) in enumerate([*panels, (56, EARLY, "three pools")]):
        left, pixel = 38 * place + 1, original / size  # one fed pixel, in original ones
        cell = 2 ** len(arch) * pixel
        side, seen = size // 2 ** len(arch), seen_side(arch) * pixel
        axes.imshow(boot, cmap="gray_r", vmax=400, extent=(left, left + original, 0, original))
        axes.add_patch(Rectangle((left, 0), original, original, fill=False, edgecolor="0.5"))
        for row in range(side):
            for column in range(side):
                axes.add_patch(Rectangle((left + column * cell, original - (row + 1) * cell), cell,
                                         cell, facecolor=SKY, alpha=0.35, edgecolor=BLUE))
        middle = (side // 2 + 0.5) * cell
        low, high = max(0, middle - seen / 2), min(original, middle + seen / 2)
        axes.add_patch(Rectangle((left + low, original - high), high - low, high - low, fill=False,
                                 edgecolor=RED, linewidth=2.5))
        axes.text(left + original / 2, original + 2.5, f"{size} pixels,\n{pools}", ha="center",
                  size=10.5, weight="bold")
        axes.text(left + original / 2, -2.5, f"{side} × {side} places", ha="center", va="top",
                  size=10.5)
    axes.set(xlim=(-2, 189), ylim=(-9, 42))
    return fig


FIGURES = (pools_halve, same_garment)
