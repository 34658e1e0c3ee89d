"""Draws what lesson 01b shows: tables of numbers, a running sum, the balls of norms."""

from matplotlib import pyplot as plt

from d2lvgg.display import COLOURS, ORANGE


def tables(named):
    """Draw square tables, {title: (n, n)}, with the sum of each row at its left."""
    _, axes = plt.subplots(1, len(named), figsize=(3.1 * len(named), 2.9), layout="constrained")
    for axis, (title, table) in zip(axes, named.items(), strict=True):
        axis.imshow(table, cmap="Blues", vmin=0, vmax=1.2)
        for r, row in enumerate(table.tolist()):
            for c, value in enumerate(row):
                axis.text(c, r, f"{value:.2f}", ha="center", va="center", fontsize=10,
                          color="white" if value > 0.7 else "black")
        axis.set(xticks=[], yticks=range(len(table)))
        axis.set_yticklabels([f"sum {total:.2f}" for total in table.sum(axis=1)])
        axis.set_title(title)
    plt.show()


def running_sum(row, running):
    """Draw numbers (n,) as bars, and the sum so far as a curve."""
    _, axis = plt.subplots(figsize=(5.6, 2.9), layout="constrained")
    bars = axis.twinx()
    bars.bar(range(len(row)), row, color=ORANGE)
    bars.set(ylim=(0, 1.6), yticks=(0, 0.5, 1))
    bars.set_ylabel("bars: ink of a pixel", color="#8a6000")
    axis.plot(running, "ko-", markersize=3)
    axis.set(xlabel="column (pixels)", ylabel="curve: cumsum, the sum so far")
    axis.set_zorder(2)  # the curve before the bars
    axis.patch.set_visible(False)
    plt.show()


def balls(named):
    """Draw the vectors of norm 1, {p: (N, 2)}, and a line that shows the dent of the first."""
    _, axis = plt.subplots(figsize=(4.4, 4.2), layout="constrained")
    places = ((-0.25, -0.25), (-0.5, -0.5), (0.71, -0.71), (-0.84, 0.84), (1.1, 1.1))
    for (p, ball), colour, place in zip(named.items(), COLOURS, places, strict=True):
        axis.plot(*ball.T, "--" if p < 1 else "-", color=colour)
        axis.text(*place, f"p = {p}".replace("inf", "∞"), color=colour, fontsize=10, ha="center",
                  va="center", bbox={"facecolor": "w", "edgecolor": "none", "pad": 1.5})
    axis.plot([1, 0], [0, 1], "k:o", markersize=4)
    axis.plot([0.5], [0.5], "kx", markersize=9)
    axis.set(aspect="equal", xlabel="first entry", ylabel="second entry", xlim=(-1.15, 1.35),
             ylim=(-1.15, 1.2))
    plt.show()
