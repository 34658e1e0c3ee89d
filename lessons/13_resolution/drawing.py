"""Draws the plots of lesson 13, so that its cells show the idea."""

import torch
from matplotlib import pyplot as plt

from d2lvgg.display import BLUE, GREEN, ORANGE, RED


def costs(table):
    """Draw each cost over the pixels, both as shares of the first row's, on logarithmic axes.

    table is a dict {pixels a side: {cost: number}}; the first row is the largest size.
    """
    fig, axis = plt.subplots(figsize=(6, 3.3), layout="constrained")
    sizes = list(table)
    shares = [(size / sizes[0]) ** 2 for size in sizes]
    axis.plot(shares, shares, color="0.5", linestyle="--", linewidth=1.2)
    axis.text(shares[-1], 0.8 * shares[-1], "falls with the pixels", color="0.3", va="top")
    for name, colour, marker in zip(table[sizes[0]], (BLUE, ORANGE, GREEN), "os^", strict=True):
        values = [table[size][name] / table[sizes[0]][name] for size in sizes]
        axis.plot(shares, values, marker=marker, color=colour, linestyle="-")
        axis.text(0.88 * shares[-1], values[-1], name, color=colour, ha="right", va="center",
                  weight="bold")
    axis.set(xscale="log", yscale="log", xlim=(0.011, 1.15), ylim=(0.03, 1.4),
             xlabel="pixels, as a share of 224 × 224", ylabel="cost, as a share of 224's")
    axis.set_xticks(shares, [f"{size}²" for size in sizes])
    axis.set_yticks([0.05, 0.1, 0.2, 0.5, 1], ["5 %", "10 %", "20 %", "50 %", "100 %"])
    axis.minorticks_off()
    plt.show()


def sizes(accuracies, trained_at):
    """Draw a network's accuracy over the side of its images, {pixels: accuracy}."""
    fig, axis = plt.subplots(figsize=(6, 2.8), layout="constrained")
    axis.axvline(trained_at, color="0.6", linewidth=1.2, linestyle=":")
    axis.plot(list(accuracies), list(accuracies.values()), "o-", color=BLUE)
    axis.text(trained_at, 0.03, f" trained at {trained_at}", color="0.3")
    axis.axhline(0.1, color=RED, linewidth=1.2, linestyle="--")
    axis.text(max(accuracies), 0.12, "a guess", color=RED, ha="right")
    axis.set(xscale="log", ylim=(0, 1), xlabel="pixels a side of the images", ylabel="accuracy")
    axis.set_xticks(list(accuracies), list(map(str, accuracies)))
    axis.minorticks_off()
    plt.show()


def alarms(ratios, lines):
    """Draw how often equal arms differ by how many joint errors, and the share beyond each line.

    ratios (N,) are gaps divided by their errors; lines = {where: name}, both sides are counted.
    """
    fig, axis = plt.subplots(figsize=(6, 3), layout="constrained")
    counts, _, _ = axis.hist(ratios.clamp(-6, 6), bins=60, range=(-6, 6), color="0.75")
    top = counts.max()
    for (at, name), colour, height in zip(lines.items(), (RED, BLUE), (0.98, 0.7), strict=True):
        share = (ratios.abs() > at).double().mean().item()
        for x in (-at, at):
            axis.axvline(x, ymax=height - 0.02, color=colour,
                         linestyle="--" if colour == RED else "-")
        axis.text(at + 0.12, height * top, f"{name}:\n{share:.0%} outside", color=colour,
                  va="top", weight="bold")
    axis.set(xlim=(-6, 6), ylim=(0, 1.02 * top), yticks=[],
             xlabel="gap between two arms that are equal, in its standard errors",
             ylabel="how often")
    plt.show()


def verdicts(found, xlabel):
    """Draw an interval for each comparison, {name: Difference}; those that miss 0 are filled."""
    fig, axis = plt.subplots(figsize=(6.4, 0.9 + 0.52 * len(found)), layout="constrained")
    axis.axvline(0, color="0.4", linewidth=1.2)
    low, high = (end(end(v.low, v.high, 0) for v in found.values()) for end in (min, max))
    right = high + 0.05 * (high - low)
    for row, verdict in enumerate(found.values()):
        colour = GREEN if verdict.low > 0 else RED if verdict.high < 0 else "0.35"
        axis.plot([verdict.low, verdict.high], [row, row], color=colour, linestyle="-")
        axis.plot([verdict.mean], [row], "o", color=colour, markersize=8,
                  markerfacecolor="white" if colour == "0.35" else colour)
        word = "better" if colour == GREEN else "worse" if colour == RED else "not significant"
        axis.text(right, row, word, color=colour, va="center")
    axis.set(xlim=(low - 0.05 * (high - low), high + 0.4 * (high - low)), xlabel=xlabel,
             ylim=(len(found) - 0.5, -0.5))
    axis.set_yticks(range(len(found)), list(found))
    plt.show()


def equal_arms(times, seeds):
    """Return (times,) gaps of two equal arms in their joint standard errors, seeds runs each.

    Accuracies scatter normally; what they scatter around makes no difference to the ratio.
    """
    generator = torch.Generator().manual_seed(0)
    runs = torch.randn(times, 2, seeds, generator=generator, dtype=torch.float64)
    errors = (runs.var(dim=2) / seeds).sum(dim=1).sqrt()
    return (runs[:, 0].mean(dim=1) - runs[:, 1].mean(dim=1)) / errors


def in_words(verdict):
    """Return what a Difference in accuracy allows to say."""
    if verdict.low > 0:
        return "significantly more accurate"
    return "significantly less accurate" if verdict.high < 0 else "not significantly different"
