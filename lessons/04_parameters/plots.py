"""Draws weights, what happens in each layer, and losses, for lesson 04."""

import math

from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

from d2lvgg.display import BLUE, ORANGE

SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "white", ORANGE])


def matrices(tensors, titles, size=1.7):
    """Draw matrices side by side, one scale for all: blue is below zero, orange above."""
    most = max(float(tensor.abs().max()) for tensor in tensors)
    fig, panels = plt.subplots(1, len(tensors), figsize=(size * len(tensors), 2.4),
                               squeeze=False, layout="constrained")
    for axis, tensor, title in zip(panels[0], tensors, titles, strict=True):
        axis.imshow(tensor, cmap=SIGNED, vmin=-most, vmax=most)
        axis.set_title(title, fontsize=10)
        axis.set(xticks=[], yticks=[])
        for spine in axis.spines.values():
            spine.set_visible(True)
    plt.show()


def histogram(weight, shares):
    """Draw how often each weight occurs; write the shares of the three parts over them."""
    plt.figure(figsize=(6, 2.6))
    plt.hist(weight.detach().flatten().numpy(), bins=80, color=BLUE)
    for x, y, share in zip((7.5, 0, -7.5), (20_000, 700_000, 20_000), shares, strict=True):
        plt.text(x, y, f"{share:.2%}", ha="center")
    plt.yscale("log")
    plt.ylim(1e3, 3e6)
    plt.xlabel("weight")
    plt.ylabel("how many")
    plt.show()


def name_ends(axis, ends):
    """Write names beside the last points of curves: ends are (name, x, y, colour).

    Names of curves that end close together are moved apart.
    """
    fig, lowest = axis.figure, None
    fig.draw_without_rendering()  # now the axis knows its scale
    points = 72 / fig.dpi
    for name, x, y, colour in sorted(ends, key=lambda end: end[2]):
        height = axis.transData.transform((x, y))[1] * points
        place = height if lowest is None else max(height, lowest + 13)
        lowest = place
        axis.annotate(name, (x, y), (8, place - height), va="center", color=colour,
                      textcoords="offset points", annotation_clip=False)


def through_the_layers(looks, titles=("signal", "error", "gradient / weights",
                                      "slope, without its sign")):
    """Draw what look_inside returned for each way to begin, {name: four lists}: a panel a list.

    In the last panel each curve has its name, and its markers are its own in all of them.
    """
    fig, panels = plt.subplots(2, 2, figsize=(7.6, 5.6), sharex=True, layout="constrained")
    for place, (axis, title) in enumerate(zip(panels.flat, titles, strict=True)):
        ends = []
        for (name, look), marker in zip(looks.items(), "os^Dv*", strict=False):
            layers = range(1, len(look[place]) + 1)
            line, = axis.semilogy(layers, look[place], marker=marker, markersize=4, label=name)
            ends.append((name, layers[-1], look[place][-1], line.get_color()))
        axis.set_title(title, fontsize=10.5)
        axis.set(xlabel="layer" if place > 1 else "", xticks=[1, 4, 8, 11])
        axis.axvspan(0.5, 8.5, color="gray", alpha=0.1, linewidth=0)
    name_ends(axis, ends)
    plt.show()


def losses(curves, window=10):
    """Draw losses, {name: one per step}, as means of window steps; the dotted line is ln 10."""
    plt.figure(figsize=(6.6, 3), layout="constrained")
    ends = []
    for name, curve in curves.items():
        smooth = curve.unfold(0, window, 1).mean(dim=1)
        line, = plt.plot(range(window, len(curve) + 1), smooth, label=name)
        ends.append((name, len(curve), smooth[-1].item(), line.get_color()))
    plt.axhline(math.log(10), linestyle=":", color="black", linewidth=1.2)
    plt.annotate("ln 10", (0, math.log(10)), (0, 4), textcoords="offset points")
    plt.ylim(0, None)
    plt.xlabel("step")
    plt.ylabel(f"loss, mean of {window} steps")
    name_ends(plt.gca(), ends)
    plt.show()
