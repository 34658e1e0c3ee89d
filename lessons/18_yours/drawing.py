"""Draws the plots of lesson 18: pairs of runs, intervals beside zero, how often luck wins."""

from matplotlib import pyplot as plt

from d2lvgg.display import BLUE, ORANGE, RED


def colour_of(low, high):
    """Return the colour of an interval: one above zero, one below, one that holds zero."""
    return BLUE if low > 0 else RED if high < 0 else "0.35"


def pairs(first, second, names, seeds):
    """Draw two lists of accuracies, an entry a seed, as pairs joined by a line."""
    fig, axis = plt.subplots(figsize=(6, 2.9), layout="constrained")
    for place, (one, other) in enumerate(zip(first, second, strict=True)):
        axis.plot([place, place], [one, other], color="0.7", linewidth=2, zorder=1)
        axis.plot(place, one, "s", color=ORANGE, markersize=9)
        axis.plot(place, other, "o", color=BLUE, markersize=9)
    low, high = min(*first, *second), max(*first, *second)
    room = max(high - low, 0.004)
    last = len(first) - 1
    ends = sorted([(first[-1], names[0], ORANGE), (second[-1], names[1], BLUE)])
    middle = (first[-1] + second[-1]) / 2
    apart = max(0.16 * room, (ends[1][0] - ends[0][0]) / 2)
    for (_, name, colour), shift in zip(ends, (-apart, apart), strict=True):
        axis.text(last + 0.18, middle + shift, name, va="center", weight="bold",
                  color="#8A5A00" if colour == ORANGE else colour)
    axis.set(xlim=(-0.4, last + 0.3 + 0.34 * (last + 1)), xlabel="seed", ylabel="accuracy",
             ylim=(low - 0.3 * room, high + 0.3 * room))
    axis.set_xticks(range(len(first)), list(map(str, seeds)))
    plt.show()


def intervals(verdicts, what="accuracy above ours, held-out images"):
    """Draw {name: a comparison with mean, low and high} as dots with their 95 % intervals."""
    fig, axis = plt.subplots(figsize=(6, 0.9 + 0.5 * len(verdicts)), layout="constrained")
    for row, verdict in enumerate(verdicts.values()):
        colour = colour_of(verdict.low, verdict.high)
        axis.plot([verdict.low, verdict.high], [row, row], color=colour, linewidth=3)
        axis.plot(verdict.mean, row, "o", color=colour, markersize=8)
    axis.axvline(0, color="black", linewidth=1, linestyle=":")
    axis.set_yticks(range(len(verdicts)), list(verdicts))
    axis.set(ylim=(len(verdicts) - 0.4, -0.6), xlabel=what)
    plt.show()
