"""Draws the plots of lesson 16, so that its cells show the idea."""

import statistics

from matplotlib import pyplot as plt

from d2lvgg.display import BLUE, GREEN, ORANGE, RED

STYLES = ((BLUE, "o-"), (GREEN, "s--"), ("#8C2D04", "^:"))


def by_step(rows, allowed):
    """Draw how far the losses of each two frameworks are apart, step by step, and the bound."""
    fig, axis = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
    ends = []
    for (pair, values), (colour, style) in zip(rows.items(), STYLES, strict=True):
        heights = [max(value, 2e-8) for value in values]  # equal to the last digit: no logarithm
        axis.semilogy(range(1, 11), heights, style, color=colour, markersize=4)
        ends.append((heights[-1], pair, colour))
    at = 0
    for height, pair, colour in sorted(ends):
        at = max(height, 2.2 * at)  # a line above the one below
        axis.text(10.2, at, pair, color=colour, va="center", size=9.5)
    axis.axhline(allowed, color=RED, linewidth=1.2)
    axis.text(1, allowed * 1.4, "allowed", color=RED, va="bottom")
    axis.set(xlim=(0.7, 15.4), ylim=(1e-8, 1e-2), xticks=range(1, 11), xlabel="step",
             ylabel="difference of the losses")
    plt.show()


def mistakes(found, frameworks, allowed):
    """Draw what each mistake does to the logits, and how far the frameworks are apart."""
    fig, axis = plt.subplots(figsize=(6.4, 2.6), layout="constrained")
    names = sorted(found, key=found.get)
    axis.plot(frameworks, 0, "s", color=BLUE)
    axis.plot([found[name] for name in names], range(1, len(names) + 1), "o", color=ORANGE)
    axis.axvline(allowed, color=RED, linewidth=1.2)
    axis.text(allowed * 1.3, 4.35, "allowed", color=RED, va="center")
    axis.set_yticks(range(len(names) + 1), ["the frameworks among each other", *names])
    axis.set(xscale="log", xlabel="largest difference in the logits", xlim=(1e-7, 20),
             ylim=(-0.6, 4.7))
    axis.grid(axis="y")
    plt.show()


def seconds(rounds):
    """Draw the milliseconds of a training step, a point a round, {way: [seconds, …]}."""
    fig, axis = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
    for place, (way, values) in enumerate(rounds.items()):
        colour = {"torch": BLUE, "mxnet": GREEN, "mindspore": "#8C2D04"}[way.partition(",")[0]]
        axis.plot([1000 * value for value in values], [place] * len(values), "o", color=colour,
                  alpha=0.5)
        middle = 1000 * statistics.median(values)
        axis.plot([middle, middle], [place - 0.3, place + 0.3], color=colour)
    axis.set_yticks(range(len(rounds)), rounds)
    axis.set(xlabel="milliseconds per step, on the wall clock", xlim=(0, None))
    axis.invert_yaxis()
    axis.grid(axis="x")
    plt.show()


def threads(steps):
    """Draw what the busiest threads did in one step, {way: {thread: [on a core, waiting]}}.

    A step is {"wall": seconds, "threads": …}; every bar is a share of the step's wall clock.
    """
    rows = [(f"{way}: {name}", [part / step["wall"] for part in spent])
            for way, step in steps.items() for name, spent in step["threads"].items()]
    fig, axis = plt.subplots(figsize=(6.8, 0.42 * len(rows) + 1.2), layout="constrained")
    for place, (_, (on_core, waiting)) in enumerate(rows):
        axis.barh(place, on_core, height=0.6, color=BLUE)
        axis.barh(place, waiting, left=on_core, height=0.6, color=ORANGE, hatch="//",
                  edgecolor="white")
    axis.text(0, -0.75, "on a core", color=BLUE, weight="bold")
    axis.text(0.3, -0.75, "ready, waiting for a core", color="#9A6A00", weight="bold")
    axis.set_yticks(range(len(rows)), [name for name, _ in rows])
    axis.set(xlim=(0, 1.1), ylim=(len(rows) - 0.5, -1.1), xlabel="share of the step's wall clock")
    plt.show()
