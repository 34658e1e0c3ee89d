"""Draws the paper's table of six networks, and what each step changed: lesson 12."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import nn

from d2lvgg.display import BLUE, ORANGE, SKY
from d2lvgg.exercises import of_lesson
from d2lvgg.shapes import trace_shapes

family = of_lesson("12", "family")
STEPS = {"A-LRN": "LRN", "B": "a second 3×3\nin blocks 0, 1", "C": "a 1×1 more\nin blocks 2 to 4",
         "D": "these 1×1\nbecome 3×3", "E": "a 3×3 more\nin blocks 2 to 4"}


def words_of(name):
    """Return the words of a column, a list for each block."""
    return [block.split() for block in family.TABLE_1[name].split("|")]


def table_1():
    """The six columns of boxes; orange is what a column has and its parent has not."""
    fig = Figure(figsize=(8, 5.6))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.9, 5.6), ylim=(20.6, -2.9))
    axes.axis("off")
    longest = [max(len(words_of(name)[block]) for name in family.TABLE_1) for block in range(5)]
    top = [sum(longest[:block]) + 0.7 * block for block in range(5)]
    for x, name in enumerate(family.TABLE_1):
        parent = family.PARENTS.get(name)
        axes.text(x, -1.75, name, ha="center", weight="bold", size=12)
        axes.text(x, -0.55, f"from {parent}" if parent else "VGG-11", ha="center", size=9.5,
                  color="0.35")
        for block, words in enumerate(words_of(name)):
            old = words_of(parent)[block] if parent else words
            for y, word in enumerate(words):
                new = y >= len(old) or old[y] != word
                low = top[block] + y
                axes.add_patch(Rectangle((x - 0.44, low + 0.06), 0.88, 0.88, edgecolor="0.3",
                                         facecolor=ORANGE if new else SKY, linewidth=0.7))
                text = word if word == "LRN" else (
                    word.replace("x", "×1, ") if word[:2] == "1x" else f"3×3, {word}")
                axes.text(x, low + 0.52, text, ha="center", va="center", size=9.5)
    for block in range(5):
        axes.text(-0.55, top[block] + longest[block] / 2, f"block {block}", ha="right",
                  va="center", size=9.5, color="0.35")
        axes.plot((-0.45, 5.45), 2 * [top[block] - 0.35], color="0.8", linewidth=0.8)
    for x, layers in enumerate((11, 11, 13, 16, 16, 19)):
        axes.text(x, 20.3, f"{layers} layers", ha="center", size=9.5, color="0.35")
    return fig


def gigaflops(name):
    """Return the work of a column for one colour image of 224 pixels, in billions of FLOPs."""
    layers, channels = [], 3
    with torch.device("meta"):
        for words in words_of(name):
            for word in words:
                if word == "LRN":
                    continue
                size, out = (1, int(word[2:])) if word[:2] == "1x" else (3, int(word))
                layers.append(nn.Conv2d(channels, out, size, padding=size // 2))
                channels = out
            layers.append(nn.MaxPool2d(2))
        net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(512 * 7 * 7, 4096),
                            nn.Linear(4096, 4096), nn.Linear(4096, 1000))
    return trace_shapes(net, (1, 3, 224, 224)).flops / 1e9


def five_steps():
    """Error against work for the six columns, an arrow for each change."""
    fig = Figure(figsize=(6.6, 4))
    axes = fig.subplots()
    places = {name: (gigaflops(name), error) for name, error in family.TOP1_ERROR.items()}
    places["A-LRN"] = places["A"][0] + 1.2, places["A-LRN"][1]  # beside A, with as much work
    for new, old in family.PARENTS.items():
        axes.annotate("", places[new], places[old], arrowprops={
            "arrowstyle": "->", "color": "0.5", "linewidth": 1.4, "shrinkA": 4, "shrinkB": 5})
    for name, (x, error) in places.items():
        axes.errorbar(x, error, yerr=0.4, fmt="o", color=BLUE, capsize=3, linewidth=1.3)
        sides = {"A": (-8, 0, "right"), "B": (8, 8, "left"), "D": (-8, -9, "right")}.get(
            name, (8, 2, "left"))
        axes.annotate(name, (x, error), sides[:2], textcoords="offset points", ha=sides[2],
                      va="center", weight="bold", size=10.5)
    for name, (x, y) in {"B": (18.9, 28.75), "C": (25.2, 28.65), "D": (26.0, 27.3),
                         "E": (33.4, 26.6)}.items():
        axes.text(x, y, STEPS[name], size=9.5, color="0.3", va="center",
                  ha="left" if name in "EC" else "right")
    axes.set(xlim=(8, 44), ylim=(26.2, 30.4), xlabel="work for one image (billions of FLOPs)",
             ylabel="top-1 error (%)")
    return fig


FIGURES = (table_1, five_steps)
