"""Draws the pictures of lesson 10: how to read a table, a percentage, a curve; three parts."""

import math

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from d2lvgg.display import BLUE, GREEN, ORANGE, RED, SKY


def blank(width, height, across, up):
    """Return a figure of width × height inches with axes that show nothing, 0 to across and up."""
    fig = Figure(figsize=(width, height))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, across), ylim=(0, up))
    axes.axis("off")
    return fig, axes


def reading_confusion():
    """A confusion matrix of three classes with made-up counts: a row, a column, the diagonal."""
    counts = (("80", "17", "3"), ("9", "90", "1"), ("2", "0", "98"))
    names = "shirt", "coat", "bag"
    fig, axes = blank(7, 3.5, 14, 7)
    for row, line in enumerate(counts):
        axes.text(3.8, 4.5 - 1.4 * row, names[row], ha="right", va="center", size=11)
        axes.text(4.9 + 1.4 * row, 5.4, names[row], ha="center", size=11)
        for column, count in enumerate(line):
            right = row == column
            axes.add_patch(Rectangle((4.2 + 1.4 * column, 3.8 - 1.4 * row), 1.4, 1.4,
                                     facecolor=SKY if right else "white", edgecolor="0.3"))
            axes.text(4.9 + 1.4 * column, 4.5 - 1.4 * row, count, ha="center", va="center",
                      size=13, weight="bold" if right else "normal")
    axes.text(6.3, 6.2, "what the network said", ha="center", size=11, style="italic")
    axes.text(1.2, 3.1, "what it is", ha="center", va="center", rotation=90, size=11,
              style="italic")
    axes.add_patch(Rectangle((4.12, 3.72), 4.36, 1.56, fill=False, edgecolor=RED, linewidth=2.5))
    axes.text(8.8, 4.5, "a row: all 100 shirts;\n80 were found, so the recall is 0.80",
              va="center", color=RED, size=10)
    axes.add_patch(Rectangle((5.52, 0.92), 1.56, 4.36, fill=False, edgecolor=BLUE, linewidth=2.5,
                             linestyle="--"))
    axes.text(6.3, 0.35, "a column: all that was called a coat, 90 of 107 rightly", ha="center",
              color=BLUE, size=10)
    axes.text(8.8, 2.4, "the diagonal: right answers", va="center", size=10)
    return fig


def ten_answers():
    """Ten hundreds of answers of 90 % each: calibrated, too sure, too modest."""
    fig, axes = blank(7, 2.5, 14, 5)
    axes.text(6.6, 4.55, "each square: a hundred answers with “90 %”", ha="center", size=11)
    for row, (words, hits) in enumerate((("calibrated", 9), ("too sure", 7), ("too modest", 10))):
        y = 3.2 - 1.4 * row
        axes.text(2.2, y + 0.4, words, ha="right", va="center", size=11, weight="bold")
        for place in range(10):
            right = place < hits
            axes.add_patch(Rectangle((2.6 + 0.8 * place, y), 0.7, 0.8, edgecolor="0.3",
                                     facecolor=SKY if right else ORANGE,
                                     hatch="" if right else "//"))
            axes.text(2.95 + 0.8 * place, y + 0.38, "✓" if right else "✗", ha="center",
                      va="center", size=13,
                      bbox=None if right else {"facecolor": "white", "edgecolor": "none",
                                               "pad": 0.6})
        axes.text(10.9, y + 0.4, f"{100 * hits:,} of 1,000", va="center", size=11)
    return fig


def two_rulers():
    """Accuracy within one epoch: the printed mean of the epoch, and the end, where the test is."""
    fig = Figure(figsize=(6.4, 3))
    axes = fig.subplots()
    places = [i / 100 for i in range(101)]
    rise = [0.55 + 0.3 * (1 - math.exp(-3.2 * place)) for place in places]
    mean = sum(rise) / len(rise)
    axes.fill_between(places, 0.5, rise, color=SKY, alpha=0.5)
    axes.plot(places, rise, color=BLUE)
    axes.plot([0, 1], [mean, mean], color=ORANGE, linestyle="--")
    axes.plot(1, rise[-1], color=RED, marker="o", markersize=9, clip_on=False)
    axes.text(1.03, rise[-1], "the test is\nmade here", color=RED, va="center", size=11)
    axes.text(1.03, mean - 0.005, "printed in training:\nthe mean of the epoch", va="center",
              size=11)
    axes.text(0.2, 0.62, "accuracy, batch by batch", color=BLUE, size=11)
    axes.set(xlim=(0, 1), ylim=(0.5, 0.9), yticks=[], ylabel="accuracy")
    axes.set_xticks([0, 1], ["an epoch begins", "it ends"])
    return fig


def four_ways():
    """Sketches, with names: stalled, diverging, overfitting, not converged."""
    fig = Figure(figsize=(8.2, 3.6))
    panels = fig.subplots(2, 4, gridspec_kw={"wspace": 0.16, "hspace": 0.25})
    places = [i / 60 for i in range(61)]
    loss = {"stalled": [2.3 + 0.03 * math.sin(40 * x) for x in places],
            "diverging": [2.3 + 0.4 * math.sin(33 * x) + 9 * x ** 1.5 for x in places],
            "overfitting": [2.3 * math.exp(-7 * x) for x in places],
            "not converged": [2.3 - 1.1 * x ** 1.3 for x in places]}
    accuracy = {"stalled": ([0.1] * 61, [0.105] * 61), "diverging": ([0.1] * 61, [0.105] * 61),
                "overfitting": ([1 - 0.9 * math.exp(-7 * x) for x in places],
                                [0.7 - 0.6 * math.exp(-9 * x) for x in places]),
                "not converged": ([0.1 + 0.52 * x ** 1.2 for x in places],
                                  [0.1 + 0.49 * x ** 1.2 for x in places])}
    for (above, below), name in zip(panels.T, loss, strict=True):
        inside = [value for value in loss[name] if value <= 5]
        above.plot(places[:len(inside)], inside, color=BLUE)
        above.axhline(math.log(10), color="black", linestyle=":", linewidth=1.2)
        above.set_title(name, size=11, weight="bold")
        above.set(ylim=(0, 5), xlim=(0, 1), xticks=[], yticks=[])
        training, held_out = accuracy[name]
        below.plot(places, training, color=GREEN)
        below.plot(places, held_out, color=ORANGE, linestyle="--")
        below.set(ylim=(0, 1.05), xlim=(0, 1), xticks=[], yticks=[])
    panels[0, 0].set_ylabel("loss")
    panels[1, 0].set_ylabel("accuracy")
    panels[0, 0].text(0.04, 2.75, "ln 10", size=10)
    panels[0, 1].text(0.62, 4.5, "off the scale", size=10, ha="center",
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})
    panels[1, 2].text(0.97, 0.83, "training", size=10, ha="right", va="center")
    panels[1, 2].text(0.97, 0.55, "held out", size=10, ha="right")
    panels[1, 3].text(0.5, 0.72, "both still rise", size=10, ha="center")
    return fig


def three_parts():
    """What training, held-out and test images are used for, and how often."""
    fig, axes = blank(7.4, 2.3, 14.8, 4.6)
    for left, width, colour, name, use, often in (
            (0.3, 6.6, SKY, "training images", "change the weights", "at every step"),
            (7.3, 3.4, ORANGE, "held-out images", "make choices", "as often as you like"),
            (11.1, 3.4, "white", "test images", "measure the end", "once")):
        axes.add_patch(FancyBboxPatch((left, 1.6), width, 2.3, facecolor=colour, edgecolor="0.3",
                                      boxstyle="round,pad=0,rounding_size=0.2",
                                      linewidth=2 if name == "test images" else 1))
        axes.text(left + width / 2, 3.2, name, ha="center", va="center", size=11, weight="bold")
        axes.text(left + width / 2, 2.3, use, ha="center", va="center", size=11)
        axes.text(left + width / 2, 1.1, often, ha="center", va="center", size=11,
                  style="italic")
    for left, right, words in ((0.3, 10.7, "the training set, cut in two"),
                               (11.1, 14.5, "the test set")):
        axes.plot([left, left, right, right], [0.75, 0.55, 0.55, 0.75], color="0.4", linewidth=1)
        axes.text((left + right) / 2, 0.4, words, ha="center", va="top", size=11)
    return fig


FIGURES = (reading_confusion, ten_answers, two_rulers, four_ways, three_parts)
