"""Draws lesson 18's pictures: the way of a design through the contest, and four blocks."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from d2lvgg.display import BLUE, GREEN, ORANGE, RED, SKY


def blank(width, height, across, up):
    """Return a figure of width × height inches with axes that show nothing, 0 to across and up."""
    fig = Figure(figsize=(width, height))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, across), ylim=(0, up))
    axes.axis("off")
    return fig, axes


def box(axes, x, y, width, height, text, colour, **style):
    """Draw a rounded box with words in it; x and y are its lower left corner."""
    axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.12",
                                  facecolor=colour, alpha=0.3, edgecolor="none"))
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center",
              **{"size": 10, **style})


def arrow(axes, start, end, **style):
    axes.add_patch(FancyArrowPatch(start, end, **{"arrowstyle": "->", "mutation_scale": 13,
                                                  "color": "0.3", "shrinkA": 0, "shrinkB": 0,
                                                  **style}))


def contest_path():
    """A design on its way: practice as often as one likes, the contest, the test set, the file."""
    fig, axes = blank(7.2, 2.2, 14.4, 4.4)
    stops = (("practise", "held-out images,\nany other seeds", SKY, "as often as\nyou like"),
             ("contest", "held-out images,\nseeds 0 to 4,\nin pairs", BLUE, "counted"),
             ("test", "10,000 images\nthat chose\nnothing", ORANGE, "once"),
             ("hand in", "design, seeds,\nresults, card", GREEN, "one file"),
             ("marker", "counts, reads,\ntrains it anew", "0.5", "other seeds,\ntoo"))
    for place, (name, words, colour, often) in enumerate(stops):
        x = 0.05 + 2.94 * place
        box(axes, x, 1.1, 2.5, 1.7, words, colour)
        axes.text(x + 1.25, 3.0, name, ha="center", size=11, weight="bold")
        axes.text(x + 1.25, 0.85, often, ha="center", va="top", size=10, color="0.3")
        if place < len(stops) - 1:
            arrow(axes, (x + 2.52, 1.95), (x + 2.92, 1.95))
    arrow(axes, (2.0, 3.5), (0.6, 3.5), connectionstyle="arc3,rad=0.6")
    axes.text(2.15, 3.85, "another idea", size=10, color="0.3", va="center")
    return fig


def four_blocks():
    """A VGG block and three that came later, as columns of layers, the input below."""
    fig, axes = blank(7.2, 3.45, 14.4, 6.9)
    columns = (("VGG block", "2014", [("3x3", BLUE), ("3x3", BLUE), ("pool", ORANGE)]),
               ("bottleneck", "2013 to 2015", [("1x1, narrow", SKY), ("3x3", BLUE),
                                               ("1x1, wide", SKY), ("pool", ORANGE)]),
               ("residual", "2015", [("3x3", BLUE), ("3x3", BLUE), ("+", "0.5"),
                                     ("pool", ORANGE)]),
               ("depthwise", "2014 to 2017", [("3x3, each\nchannel alone", RED),
                                              ("1x1, mixes\nchannels", SKY), ("pool", ORANGE)]))
    for place, (name, year, layers) in enumerate(columns):
        x = 0.5 + 3.55 * place
        axes.text(x + 1.2, 6.4, name, ha="center", size=11, weight="bold")
        axes.text(x + 1.2, 5.95, year, ha="center", size=10, color="0.3")
        y, tops = 1.0, []
        for words, colour in layers:
            height = 0.95 if "\n" in words else 0.7
            width = (0.7 if words == "+" else 1.35 if words == "3x3" and name == "bottleneck"
                     else 2.4)
            box(axes, x + 1.2 - width / 2, y, width, height, words, colour)
            tops.append((y, y + height))
            y += height + 0.45
        for (_, top), (bottom, _) in zip(tops, tops[1:], strict=False):
            arrow(axes, (x + 1.2, top + 0.03), (x + 1.2, bottom - 0.03))
        arrow(axes, (x + 1.2, 0.55), (x + 1.2, 0.97))
        arrow(axes, (x + 1.2, tops[-1][1] + 0.03), (x + 1.2, tops[-1][1] + 0.4))
        if name == "residual":
            side, (low, high) = x + 2.85, tops[2]
            middle = (low + high) / 2
            axes.plot([x + 1.2, side, side], [0.75, 0.75, middle], color=ORANGE, linewidth=2.5)
            arrow(axes, (side, middle), (x + 1.6, middle), color=ORANGE, linewidth=2.5)
    axes.text(7.2, 0.15, "a channels, H x W pixels below; b channels, half as high and wide above",
              ha="center", size=10, color="0.3")
    return fig


FIGURES = (contest_path, four_blocks)
