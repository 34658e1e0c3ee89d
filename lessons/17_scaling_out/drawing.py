"""Draws the plots of lesson 17, so that its cells show the idea."""

from matplotlib import pyplot as plt

from d2lvgg.display import BLUE, GREEN, ORANGE, RED, SKY


def speedups(counts, found, titles):
    """Draw how many times faster than one so many GPUs are.

    found is {(title, wire, overlap): [times faster, one for each count]}; drawn for one panel a
    title. Solid with overlap, dashed without; the wires' names stand at the lines' ends.
    """
    fig, panels = plt.subplots(1, len(titles), figsize=(7.6, 3.6), sharey=True,
                               layout="constrained")
    colours = dict(zip({wire: None for _, wire, _ in found}, (RED, ORANGE, BLUE), strict=True))
    for axis, title in zip(panels, titles, strict=True):
        axis.plot(counts, counts, ":", color="0.5", linewidth=1.2)
        axis.text(3.6, 6, "ideal", color="0.35", ha="right")
        ends = []
        for (panel, wire, overlap), times in found.items():
            if panel == title:
                axis.plot(counts, times, "-" if overlap else "--", color=colours[wire],
                          linewidth=2 if overlap else 1.4)
                ends += [(times[-1], wire)] * overlap
        at = 0.0
        for end, wire in sorted(ends):  # names must not lie on each other
            at = max(end, 1.7 * at)
            axis.text(counts[-1] * 1.15, at, wire, color=colours[wire], va="center", weight="bold")
        axis.set(xscale="log", yscale="log", title=title, xlabel="GPUs", ylim=(0.06, 80),
                 xlim=(0.9, counts[-1] * 9))
        axis.set_xticks(counts, [str(count) for count in counts])
        axis.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        axis.axhline(1, color="0.7", linewidth=0.8)
        axis.minorticks_off()
    panels[0].set_ylabel("times faster than one (modelled)")
    plt.show()


def held(rows):
    """Draw what a rank holds: rows = {name: {"parameters": bytes, …}}, measured."""
    fig, axis = plt.subplots(figsize=(6.4, 1.9), layout="constrained")
    colours = {"parameters": BLUE, "gradients": SKY, "Adam's averages": GREEN}
    for place, parts in enumerate(rows.values()):
        left = 0
        for what, size in parts.items():
            axis.barh(place, size / 1e6, left=left, height=0.6, color=colours[what],
                      edgecolor="white")
            if place == 0:
                axis.text(left + size / 2e6, place - 0.45, what, ha="center", va="bottom")
            left += size / 1e6
        axis.text(left + 0.1, place, f"{left:.2f} MB", va="center")
    axis.set_yticks(range(len(rows)), list(rows))
    axis.invert_yaxis()
    axis.set(xlabel="MB that one rank of two holds, measured", ylim=(len(rows) - 0.5, -1))
    plt.show()


def plans(found, original):
    """Draw test accuracies, one dot a seed: found = {name: [accuracy, …]}, a row a plan."""
    fig, axis = plt.subplots(figsize=(6.4, 0.55 * len(found) + 0.9), layout="constrained")
    for row, (name, values) in enumerate(found.items()):
        colour = BLUE if name == original else RED
        axis.plot(values, [row] * len(values), "o", color=colour, alpha=0.5)
        axis.plot(sum(values) / len(values), row, "|", color="black", markersize=18)
    axis.set_yticks(range(len(found)), list(found))
    axis.invert_yaxis()
    axis.set(xlabel="test accuracy (a dot a seed, a bar at the mean)",
             ylim=(len(found) - 0.5, -0.5))
    axis.grid(axis="x")
    plt.show()
