"""Draws the plots of lesson 14, so that its cells show the idea."""

import math

from matplotlib import pyplot as plt

from d2lvgg.display import BLUE, GREEN, ORANGE, RED


def images(X, names=(), columns=8):
    """Show images X (B, 3, H, W) in [0, 1] in rows of columns, with a name above each."""
    rows = -(-len(X) // columns)
    fig, axes = plt.subplots(rows, columns, figsize=(7.2, (1.15 if names else 0.95) * rows),
                             layout="constrained", squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for place, (axis, image) in enumerate(zip(axes.flat, X.cpu(), strict=False)):
        axis.imshow(image.permute(1, 2, 0))  # (C, H, W) -> (H, W, C)
        if names:
            axis.set_title(names[place], fontsize=10, loc="center")
    plt.show()


def stall(losses, silent):
    """Draw the loss of each step, and the share of silent units of each ReLU.

    losses is {name: losses}, silent {name: shares} for the first two names.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.1), layout="constrained")
    styles = ((RED, "-"), (BLUE, "--"), (GREEN, "-."))
    for values, (colour, line) in zip(losses.values(), styles, strict=False):
        left.plot(range(1, len(values) + 1), values, line, color=colour)
    left.axhline(math.log(10), color="0.4", linewidth=1, linestyle=":")
    low = min(min(values) for values in losses.values())
    left.set(title="loss of one batch", xlabel="step", ylim=(low - 0.9, 4.2))
    left.text(len(values), math.log(10) + 0.05, "ln 10", ha="right", va="bottom", color="0.3")
    for row, (name, (colour, line)) in enumerate(zip(losses, styles, strict=False)):
        y = left.get_ylim()[0] + 0.62 - 0.26 * row
        left.plot([1, 0.09 * len(values) + 1], [y, y], line, color=colour)
        left.text(0.11 * len(values) + 1, y, name, color=colour, va="center", weight="bold")
    for row, (name, shares) in enumerate(silent.items()):
        places = [layer + 0.38 * row - 0.19 for layer in range(1, len(shares) + 1)]
        right.bar(places, shares, 0.38, color=styles[row][0], hatch=("", "///")[row],
                  edgecolor="white")
        right.text(0.5, (1.2, 1.09)[row], f"rate {name}", color=styles[row][0], weight="bold")
    right.set(title="silent for every image", xlabel="ReLU, first to last", ylim=(0, 1.3),
              ylabel="share of units", xticks=range(1, 11), yticks=(0, 0.5, 1))
    plt.show()


def epochs(runs, rates, mark):
    """Draw the accuracy after each epoch, and beneath it the learning rate of each step.

    runs is {name: accuracies}, one or two of equal length in epochs or not; rates belong to the
    first. mark is the accuracy of the notes.
    """
    fig, (upper, lower) = plt.subplots(2, 1, figsize=(6.4, 4), layout="constrained", sharex=True,
                                       height_ratios=(2.4, 1))
    lowest = min([mark, *(min(values) for values in runs.values())])
    for (name, values), (colour, line) in zip(runs.items(), ((BLUE, "o-"), (ORANGE, "s--")),
                                              strict=False):
        where = [(epoch + 1) / len(values) for epoch in range(len(values))]
        upper.plot(where, values, line, color=colour, markersize=4)
        upper.text(1.01, values[-1], name, color=colour, va="center", weight="bold")
    upper.axhline(mark, color="0.4", linewidth=1, linestyle=":")
    upper.text(0.01, mark + 0.01, f"the notes: {mark}", color="0.3", va="bottom")
    upper.set(ylabel="test accuracy", ylim=(lowest - 0.05, 1.0))
    lower.plot([(step + 1) / len(rates) for step in range(len(rates))], rates, color=GREEN)
    lower.set(ylabel="learning rate", ylim=(0, None), xlabel="share of the training that is done",
              xlim=(0, 1))
    plt.show()


def worth(found, mine=()):
    """Draw by how much accuracy falls without each ingredient, with its interval.

    found is {ingredient: Difference}, the largest first. mine is (ingredient, Difference) of the
    reader's own runs. Where the first one is far larger than all others, an arrow says so.
    """
    fig, axis = plt.subplots(figsize=(7, 0.42 * len(found) + 0.9), layout="constrained")
    first, *others = found.values()
    everything = [*others, *([mine[1]] if mine and mine[0] != next(iter(found)) else [])]
    edge = max(d.high for d in everything)
    edge = max(first.high, edge) if first.high < 2 * edge else edge
    least = min(0, *(d.low for d in everything))

    def interval(y, d, colour, marker, words=""):
        if d.mean > edge:
            axis.annotate("", (edge, y), (0.8 * edge, y),
                          arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 2})
        else:
            axis.plot([d.low, d.high], [y, y], "-", color=colour)
            axis.plot(d.mean, y, marker, color=colour)
        axis.text(edge + 0.05 * (edge - least), y, f"{d.mean:+.3f}{words}", va="center",
                  color="#8C5A00" if words else colour)

    for row, (name, d) in enumerate(reversed(found.items())):
        interval(row, d, BLUE if d.low > 0 else RED if d.high < 0 else "0.45", "o")
        if mine and name == mine[0]:
            interval(row - 0.36, mine[1], ORANGE, "D", " yours")
    axis.axvline(0, color="0.4", linewidth=1, linestyle=":")
    axis.set_yticks(range(len(found)), list(reversed(found)))
    axis.set(xlabel="accuracy lost without it", ylim=(-0.6, len(found) - 0.4),
             xlim=(least - 0.02 * (edge - least), edge + 0.02 * (edge - least)))
    plt.show()


def transfer(rows, sizes):
    """Draw each run's accuracy as a dot, an arm a line; rows is {name: accuracies}."""
    fig, axis = plt.subplots(figsize=(6.6, 0.55 * len(rows) + 0.8), layout="constrained")
    for row, values in enumerate(reversed(rows.values())):
        axis.plot(values, [row] * len(values), "o", color=(RED, ORANGE, BLUE)[row % 3], alpha=0.7)
        mean = sum(values) / len(values)
        axis.plot([mean, mean], [row - 0.22, row + 0.22], color="black")
        axis.text(mean, row + 0.26, f"{mean:.2f}", ha="center", va="bottom")
    axis.set_yticks(range(len(rows)), list(reversed(rows)))
    axis.set(xlabel=f"accuracy on {sizes:,} test images of the four new classes",
             ylim=(-0.5, len(rows) - 0.2))
    plt.show()
