"""Draws the plots of lesson 11, so that its cells show the idea."""

import math

import torch
from matplotlib import pyplot as plt

from d2lvgg.display import BLUE, GREEN, RED, SKY


def name_ends(axis, x, ends, room):
    """Write a name beside the last point of each line, ends = [(y, name, colour), …], apart.

    x is where the lines end, room how much wider the axis gets for the names.
    """
    low, high = axis.get_ylim()
    at = low - high
    for y, name, colour in sorted(ends):
        at = max(y, at + 0.085 * (high - low))
        axis.text(x + 0.04 * room, at, f" {name}", color=colour, va="center", weight="bold")
    axis.set_xlim(right=x + room)


def spread(by_batch, true, first, size=128):
    """Draw how many batches of size examples had which accuracy, beside the binomial curve."""
    fig, axis = plt.subplots(figsize=(6, 3), layout="constrained")
    values, counts = torch.tensor(by_batch).mul(size).round().unique(return_counts=True)
    axis.bar(values / size, counts, width=0.9 / size, color=SKY)
    curve = [len(by_batch) * math.comb(size, k) * true**k * (1 - true) ** (size - k)
             for k in range(size + 1)]
    axis.plot([k / size for k in range(size + 1)], curve, color="black")
    top = 1.35 * max(*curve, float(counts.max()))
    axis.axvline(true, color=GREEN, linestyle=":")
    axis.axvline(first, color=RED, linestyle="--")
    left = first < true
    for x, words, colour, beside_left, height in (
            (true, "whole test set", GREEN, not left, 0.98),
            (first, "first batch", RED, left, 0.86)):
        axis.text(x, height * top, f" {words} ", color=colour, va="top",
                  ha="right" if beside_left else "left", weight="bold")
    width = max(4.5 * (true * (1 - true) / size) ** 0.5, 3 / size)
    axis.set(xlim=(max(0, true - width), min(1.005, true + width)), ylim=(0, top),
             xlabel=f"accuracy on one batch of {size}", ylabel="number of batches")
    plt.show()


def early_points(points, num_batches):
    """Draw after which batches of an epoch each version of a loop draws a point."""
    fig, axis = plt.subplots(figsize=(6, 1.9), layout="constrained")
    for row, places in enumerate(points.values()):
        colour = (RED, BLUE)[row]
        axis.hlines(row, 0, num_batches, color="0.8", linewidth=1)
        axis.plot(places, [row] * len(places), "os"[row], color=colour)
    axis.axvline(num_batches, color="black", linewidth=1, linestyle=":")
    axis.text(num_batches, 1.5, "end of the epoch ", ha="right", va="center")
    axis.set_yticks(range(len(points)), list(points))
    axis.set(ylim=(-0.5, 1.8), ylabel="version",
             xlabel="batches of an epoch after which a point is drawn")
    plt.show()


def rates(delays, published, wall):
    """Draw the rate that two clocks give, in examples/s, over the loader's delay in ms."""
    fig, axis = plt.subplots(figsize=(6, 3), layout="constrained")
    axis.set(ylim=(0, 1.15 * max(*published, *wall)), xlabel="the loader's delay (ms per batch)",
             ylabel="examples/s")
    axis.plot(delays, published, "o-", color=RED)
    axis.plot(delays, wall, "s-", color=BLUE)
    name_ends(axis, delays[-1], [(published[-1], "published timer", RED),
                                 (wall[-1], "clock on the wall", BLUE)], room=18)
    axis.set_xticks(delays)
    plt.show()


def losses(rows, floor):
    """Draw loss and accuracy per epoch, rows = {name: [(train_loss, train_acc, test_acc), …]}.

    Three names at most; floor is the least loss with two softmaxes.
    """
    fig, panels = plt.subplots(1, 2, figsize=(7.4, 3.2), layout="constrained")
    styles = ((BLUE, "-", "o"), (RED, "--", "s"), ("#8C2D04", "-.", "^"))
    most, epochs = math.log(10) * 1.8, range(1, len(rows["right"]) + 1)
    for axis, title, column, top in ((panels[0], "training loss", 0, 1.05 * most),
                                     (panels[1], "test accuracy", 2, 1.0)):
        axis.set(title=title, xlabel="epoch", ylim=(0, top), xticks=list(epochs))
        ends = []
        for (name, found), (colour, line, marker) in zip(rows.items(), styles, strict=True):
            values = [min(row[column], most) if math.isfinite(row[column]) else most
                      for row in found]
            axis.plot(epochs, values, line, marker=marker, color=colour)
            ends.append((values[-1], name, colour))
        name_ends(axis, epochs[-1], ends, room=0.6 * len(epochs))
    for value, words in ((math.log(10), "ln 10"), (floor, f"{floor:.2f}")):
        panels[0].axhline(value, color="0.5", linewidth=1, linestyle=":")
        panels[0].text(1, value, words, va="bottom", color="0.3")
    plt.show()
