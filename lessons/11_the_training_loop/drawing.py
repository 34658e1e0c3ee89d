"""Draws the plots of lesson 11, so that its cells show the idea."""

import math

import torch
from matplotlib import pyplot as plt

from d2lvgg.display import BLUE, GREEN, RED, SKY


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
    axis.set(ylim=(-0.5, 1.8), xlabel="drawn after so many batches of an epoch")
    plt.show()


def rates(delays, published, wall):
    """Draw the rate that two clocks give, in examples/s, over the loader's delay in ms."""
    fig, axis = plt.subplots(figsize=(6, 3), layout="constrained")
    for values, words, colour, marker in ((published, "published timer", RED, "o"),
                                          (wall, "clock on the wall", BLUE, "s")):
        axis.plot(delays, values, marker + "-", color=colour)
        axis.annotate(words, (delays[-1], values[-1]), (0, 7), textcoords="offset points",
                      ha="right", color=colour, weight="bold")
    axis.set(ylim=(0, 1.2 * max(*published, *wall)), xlabel="the loader's delay (ms per batch)",
             ylabel="examples/s")
    plt.show()


def losses(rows, floor):
    """Draw loss and accuracy per epoch, rows = {name: [(train_loss, train_acc, test_acc), …]}."""
    fig, panels = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained", sharex=True)
    styles = ((BLUE, "-", "o"), (RED, "--", "s"), ("#8C2D04", "-.", "^"))
    most = math.log(10) * 1.35
    for (name, found), (colour, line, marker) in zip(rows.items(), styles, strict=False):
        epochs = range(1, len(found) + 1)
        shown = [min(row[0], most) if math.isfinite(row[0]) else most for row in found]
        for axis, values in ((panels[0], shown), (panels[1], [row[2] for row in found])):
            axis.plot(epochs, values, line, marker=marker, color=colour)
            axis.annotate(name, (epochs[-1], values[-1]), (-2, 6), textcoords="offset points",
                          ha="right", color=colour, weight="bold")
    for value, words in ((math.log(10), "ln 10"), (floor, f"{floor:.2f}")):
        panels[0].axhline(value, color="0.5", linewidth=1, linestyle=":")
        panels[0].text(1, value, words, va="bottom", color="0.3")
    panels[0].set(title="training loss", xlabel="epoch", ylim=(0, 1.08 * most))
    panels[1].set(title="test accuracy", xlabel="epoch", ylim=(0, 1))
    panels[0].set_xticks(list(epochs))
    plt.show()
