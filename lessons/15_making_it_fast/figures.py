"""Draws lesson 15's pictures: pairs in time, memory order, bits, a GPU's lanes, the record."""

import itertools
import json

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from d2lvgg.display import BLUE, GREEN, ORANGE, RED
from d2lvgg.exercises import of_lesson
from tools.figures import RESULTS, box, canvas

ratio_of = of_lesson("15", "speed").ratio_of


def timed_in_pairs():
    """The machine's speed over time, and A and B run in two blocks, or in pairs."""
    fig, axes = canvas(6.4, 2.6, (-2.9, 12.4), (-0.5, 5.6))
    x = np.linspace(0, 12, 200)
    axes.plot(x, 4.0 + 0.95 / (1 + np.exp(-3 * (6 - x))) + 0.12 * np.sin(3 * x), color="0.35")
    axes.text(-0.3, 4.5, "speed of\nthe machine", ha="right", va="center", weight="bold")
    axes.text(7.2, 5.05, "a neighbour starts to work", ha="left", va="center", color="0.3")
    for y, order, name in ((2.2, "AAAABBBB", "in two blocks"), (0, "ABABABAB", "in pairs")):
        axes.text(-0.3, y + 0.5, name, ha="right", va="center", weight="bold")
        for place, letter in enumerate(order):
            box(axes, 1.5 * place, y, 1.44, 1, letter, BLUE if letter == "A" else ORANGE,
                weight="bold")
    for place in range(4):
        axes.plot([3 * place + 0.1, 3 * place + 2.84], [-0.2, -0.2], "-", color="0.3",
                  linewidth=1.5)
    axes.text(9, 1.6, "B alone was slowed down", ha="center", va="center", color=RED)
    return fig


def two_layouts():
    """One 2×2 image of three channels, and its twelve numbers in memory, in two orders."""
    fig, axes = canvas(6.6, 2.9, (-3.4, 12.2), (-0.4, 6.5))
    colours = (BLUE, ORANGE, GREEN)
    for channel, colour in enumerate(colours):
        for pixel in range(4):
            left, low = 2.4 + 2.6 * channel + pixel % 2, 4.9 - pixel // 2
            box(axes, left, low, 1, 1, "abcd"[pixel], colour,
                weight="bold" if pixel == 0 else "normal")
        axes.text(3.4 + 2.6 * channel, 6.1, f"channel {channel + 1}", ha="center", va="center")
    axes.text(-0.3, 4.9, "three maps of\n2 × 2 pixels", ha="right", va="center", weight="bold")
    orders = {"default": [(c, p) for c in range(3) for p in range(4)],
              "channels_last": [(c, p) for p in range(4) for c in range(3)]}
    for y, (name, order) in zip((2, 0), orders.items(), strict=True):
        axes.text(-0.3, y + 0.5, name, ha="right", va="center", weight="bold")
        for place, (channel, pixel) in enumerate(order):
            box(axes, place, y, 1, 1, "abcd"[pixel], colours[channel],
                weight="bold" if pixel == 0 else "normal")
            if pixel == 0:
                axes.plot([place + 0.12, place + 0.88], [y - 0.15] * 2, "-", color="black",
                          linewidth=2)
    return fig


def bits_of_a_number():
    """How float32, bfloat16 and float16 share out their bits."""
    fig, axes = canvas(6.4, 1.9, (-6, 33), (-0.6, 6.6))
    for y, (name, size, digits) in zip((4.6, 2.3, 0), (
            ("float32", 8, 23), ("bfloat16", 8, 7), ("float16", 5, 10)), strict=True):
        axes.text(-0.5, y + 0.8, name, ha="right", va="center", weight="bold")
        x = 0
        for count, colour in ((1, "0.5"), (size, ORANGE), (digits, BLUE)):
            for bit in range(count):
                box(axes, x + bit, y, 1, 1.6, "", colour, alpha=0.5)
            if count > 1:
                axes.text(x + count / 2, y + 0.8, count, ha="center", va="center", weight="bold")
            x += count
    axes.text(17, 3.1, "orange: how large (the range)", va="center", color="#8A5A00")
    axes.text(17, 0.8, "blue: the digits. First bit: the sign", va="center", color=BLUE)
    return fig


def gpu_lanes():
    """Load, copy, compute for three batches, one after the other, and overlapped."""
    fig, axes = canvas(6.6, 3.4, (-3.1, 13.2), (-0.9, 7.9))
    lanes = ("CPU loads", "copy", "GPU computes")
    widths, colours = (1.3, 0.7, 2.0), (ORANGE, "0.5", BLUE)
    for top, title in ((4.3, "one after the other"), (0, "overlapped: workers, pinned memory")):
        axes.text(0, top + 3.15, title, weight="bold", va="center")
        for lane, name in enumerate(lanes):
            axes.text(-0.2, top + 2.35 - lane, name, ha="right", va="center")
        free, ready = [0.0, 0.0, 0.0], 0.0
        for batch in range(3):
            if not top:
                ready = 0.0
            for lane, width in enumerate(widths):
                start = max(free[lane], ready)
                box(axes, start, top + 2 - lane, width, 0.7, batch + 1, colours[lane], alpha=0.45)
                free[lane] = ready = start + width
        axes.plot([ready] * 2, [top - 0.15, top + 2.8], color=GREEN, linewidth=2)
        axes.text(ready + 0.12, top + 2.6, "three batches" if not top else "", color=GREEN,
                  weight="bold", va="center")
    axes.add_patch(FancyArrowPatch((0, -0.4), (13, -0.4), arrowstyle="->", mutation_scale=12,
                                   color="0.3"))
    axes.text(13, -0.65, "time", ha="right", va="center", color="0.3")
    return fig


def speed_waterfall():
    """Examples per second from the book's loop to ours, as benchmarks/train_speed.py measured."""
    results = json.loads((RESULTS / "cpu.json").read_text(encoding="utf-8"))
    fig = Figure(figsize=(6.8, 5.4), layout="constrained")
    panels = fig.subplots(len(results["sizes"]), 1, squeeze=False)[:, 0]
    for axes, (pixels, found) in zip(panels, results["sizes"].items(), strict=True):
        rounds, images = found["seconds of each round"], found["train pictures"]
        rates = [found["examples/s"][name]["median"] for name in rounds]
        gains = [None, *(ratio_of(*both) for both in itertools.pairwise(rounds.values()))]
        for place, (rate, gain) in enumerate(zip(rates, gains, strict=True)):
            shown = gain is None or gain.verdict != "no difference shown"
            axes.barh(place, rate, color=(ORANGE if gain is None else BLUE) if shown else "0.7")
            words = f"{rate:.0f}"
            if gain:
                words += f"   ×{gain.mean:.2f} ({gain.low:.2f} to {gain.high:.2f})"
            axes.text(rate + 0.01 * max(rates), place, words, va="center",
                      color="black" if shown else "0.35")
        axes.set_yticks(range(len(rates)), list(rounds))
        axes.invert_yaxis()
        axes.set_xlim(0, 1.8 * max(rates))
        axes.set_title(f"{pixels} pixels, {images} images per round, {found['rounds']} rounds")
    panels[-1].set_xlabel("examples/s by the clock on the wall (median); times the bar above, with "
                          "95 % interval", loc="right")
    return fig


FIGURES = (timed_in_pairs, two_layouts, bits_of_a_number, gpu_lanes, speed_waterfall)
