"""Draws the pictures of lesson 05: the competition, the timeline, and AlexNet's shapes."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from d2lvgg.display import BLUE, GREEN, ORANGE, SKY
from d2lvgg.models import VGG_ARCHS, alexnet, lenet, vgg
from d2lvgg.shapes import trace_shapes
from tools.figures import short_number

HAND, LEARNED, BOTH = "features made by hand", "learned features", "both"
# Top-5 errors of the classification task, in per cent: (year, winner, runner-up), each a name, the
# error and its features. Russakovsky et al. 2015, tables of the teams; 2012: the organisers' page.
COMPETITION = (
    (2010, ("NEC", 28.2, HAND), ("XRCE", 33.6, HAND)),
    (2011, ("XRCE", 25.8, HAND), ("UvA", 31.0, HAND)),
    (2012, ("AlexNet", 15.3, LEARNED), ("ISI", 26.2, HAND)),
    (2013, ("Clarifai", 11.7, LEARNED), ("NUS", 13.0, BOTH)),
    (2014, ("GoogLeNet", 6.7, LEARNED), ("VGG", 7.3, LEARNED)),
)
MARKS = {HAND: ("s", ORANGE), LEARNED: ("o", BLUE), BOTH: ("D", GREEN)}

YEARS = {"LeNet": 1998, "AlexNet": 2012, "VGG": 2014}
# Of one network each, on the validation images of 2012: Krizhevsky et al. 2012, table 2; Simonyan
# and Zisserman 2014, table 3, A and E tested at 256 pixels.
SINGLE_ERRORS = {"AlexNet": (18.2,), "VGG": (10.4, 9.0)}


def competition():
    """The ImageNet competition's top-5 errors from 2010 to 2014: winner and runner-up."""
    fig = Figure(figsize=(7.2, 3.5))
    axes = fig.subplots()
    winners = [(year, winner[1]) for year, winner, _ in COMPETITION]
    axes.plot(*zip(*winners, strict=True), color="0.75", linestyle="-", linewidth=1.5, zorder=1)
    for year, *teams in COMPETITION:
        for place, (name, error, features) in enumerate(teams):
            marker, colour = MARKS[features]
            axes.plot(year, error, marker, color=colour, markersize=9, linestyle="",
                      markerfacecolor=colour if place == 0 else "white", markeredgewidth=2)
            close = abs(teams[0][1] - teams[1][1]) < 3
            shift = (-7 if place == 0 else 7) if close else 0
            axes.annotate(f"{name} {error}", (year, error), (9, shift), size=10, va="center",
                          textcoords="offset points", weight="bold" if place == 0 else "normal")
    for row, (features, (marker, colour)) in enumerate(MARKS.items()):
        axes.plot(2013.15, 33.4 - 2.6 * row, marker, color=colour, markersize=8)
        axes.text(2013.3, 33.4 - 2.6 * row, features, va="center", size=10)
    axes.text(2010.0, 4.2, "filled: winner\nopen: runner-up", size=10, va="center")
    axes.set(ylim=(0, 36), xlim=(2009.7, 2015), xticks=range(2010, 2015),
             ylabel="top-5 error on test images, %")
    return fig


def timeline():
    """LeNet, AlexNet and VGG by year: layers, parameters, work, and a single network's error."""
    with torch.device("meta"):
        nets = {"LeNet": [(lenet(), 28)], "AlexNet": [(alexnet(), 224)],
                "VGG": [(vgg(VGG_ARCHS[name]), 224) for name in ("vgg11", "vgg19")]}
    fig = Figure(figsize=(7.2, 5.4))
    rows = fig.subplots(4, 1, sharex=True, gridspec_kw={"hspace": 0.18})
    labels = ("layers with\nweights", "parameters", "FLOPs for\none image",
              "top-5 error of\na single network\non ImageNet, %")
    for axes, label in zip(rows, labels, strict=True):
        axes.set_ylabel(label, rotation=0, ha="right", va="center")
    for (name, year), colour in zip(YEARS.items(), (GREEN, ORANGE, BLUE), strict=True):
        left = -8 if name == "AlexNet" else 8  # points
        style = {"ha": "right" if name == "AlexNet" else "left", "va": "center",
                 "textcoords": "offset points"}
        for place, (net, side) in enumerate(nets[name]):
            table = trace_shapes(net, (1, 1, side, side), expand=True)
            values = [sum(row.params > 0 for row in table), table.params, table.flops]
            words = [f"{values[0]}", short_number(table.params), short_number(table.flops)]
            if name in SINGLE_ERRORS:
                values.append(SINGLE_ERRORS[name][place])
                words.append(f"{values[-1]}")
            last = f"VGG-{values[0]}: " * (name == "VGG")
            for axes, value, word in zip(rows, values, words, strict=False):
                axes.plot(year, value, "o", color=colour, markersize=7)
                rise = 0
                if name == "VGG" and axes is not rows[0]:
                    rise = (7, -6)[place] if axes is rows[3] else (-6, 7)[place]
                axes.annotate(last + word, (year, value), xytext=(left, rise), **style)
        rows[0].annotate(f"{name}, {year}", (year, 26.5), xytext=(-left, 0), color=colour,
                         weight="bold", size=10.5, annotation_clip=False, **style)
    rows[3].text(YEARS["LeNet"], 10, "read digits; ImageNet came in 2009", color="0.3",
                 va="center")
    rows[0].set(ylim=(0, 24), xlim=(1996.5, 2019))
    rows[1].set(yscale="log", ylim=(1e4, 1e9), yticks=(1e4, 1e6, 1e8))
    rows[2].set(yscale="log", ylim=(1e5, 4e11), yticks=(1e5, 1e8, 1e11))
    rows[3].set(ylim=(0, 22), xlabel="year", xticks=range(1998, 2017, 2))
    for axes in rows:
        axes.minorticks_off()
        axes.grid(axis="x", color="0.9")
    return fig


def alexnet_shapes():
    """AlexNet from the image to ten scores: maps to scale, and what stands between them."""
    with torch.device("meta"):
        table = trace_shapes(alexnet(), (1, 1, 224, 224))
    shapes = [(1, 224)] + [tuple(row.output_shape[1:3]) for row in table
                           if len(row.output_shape) == 4 and row.layer != "ReLU"]
    between = ("11×11 conv\nstride 4", "pool", "5×5 conv", "pool", "3×3 conv", "3×3 conv",
               "3×3 conv", "pool")
    fig = Figure(figsize=(8.4, 2.9))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-6, 152), ylim=(-8, 46), aspect="equal")
    axes.axis("off")
    left, middle = 0, 22
    for place, (channels, side) in enumerate(shapes):
        high, wide = 0.19 * side, 1.2 + channels / 75
        axes.add_patch(Rectangle((left, middle - high / 2), wide, high, edgecolor="0.3",
                                 facecolor=SKY if place else "0.8"))
        below = -0.5 if place == 0 else 14
        axes.text(left + wide / 2, below, f"{channels}\n{side}×{side}", ha="center", va="top",
                  size=9)
        gap = 15 if place == 0 else 7.2
        if place < len(between):
            high_word = 36 if place % 2 == 0 else 31
            axes.annotate("", (left + wide + gap - 0.8, middle), (left + wide + 0.8, middle),
                          arrowprops={"arrowstyle": "->", "color": "0.3"})
            axes.plot([left + wide + gap / 2] * 2, [middle + 1, high_word - 2], color="0.75",
                      linewidth=0.8, linestyle="-", zorder=0)
            axes.text(left + wide + gap / 2, high_word, between[place], ha="center", va="center",
                      size=9, color="#7a5500" if between[place] == "pool" else BLUE)
        left += wide + gap
    for numbers, high in ((6400, 20), (4096, 13), (4096, 13), (10, 1.5)):
        axes.add_patch(Rectangle((left, middle - high / 2), 1.6, high, facecolor=GREEN,
                                 edgecolor="0.3"))
        axes.text(left + 0.8, middle - 11, f"{numbers:,}", ha="center", va="top", size=9)
        left += 1.6 + 8
    axes.text(left - 24, 36, "flattened, then three linear layers", ha="center", va="center",
              size=9, color="#006b4f")
    return fig


FIGURES = (competition, timeline, alexnet_shapes)
