"""Draws a loss, a network asleep and one dead, a recipe and a paired comparison: lesson 09."""

import math

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import d2lvgg
from d2lvgg.display import BLUE, ORANGE, RED, SKY
from d2lvgg.recipes import LABEL_SMOOTHING, make_recipe


def loss_of_a_probability():
    """Cross-entropy of one image, against the probability that its right class was given."""
    fig = Figure(figsize=(6, 3))
    axes = fig.subplots()
    p = torch.linspace(0.01, 1, 400)
    axes.plot(p, -p.log(), color=BLUE)
    for probability, words, shift in ((0.1, "a blind guess: 1 in 10 costs ln 10 = 2.303", (12, 6)),
                                      (0.5, "half: 0.693", (8, 6)),
                                      (0.9, "nearly sure: 0.105", (6, 12)),
                                      (0.02, "nearly sure of another class: 3.912", (12, 0))):
        axes.plot(probability, -math.log(probability), "o", color="black", markersize=6)
        axes.annotate(words, (probability, -math.log(probability)), xytext=shift,
                      textcoords="offset points", va="center" if not shift[1] else "bottom",
                      ha="center" if shift[0] == 6 else "left")
    axes.set(xlabel="probability that the network gave to the right class",
             ylabel="loss of the image", xlim=(0, 1.02), ylim=(0, 4.7))
    return fig


def asleep_or_dead():
    """Two networks as chains of parts: how much of the image is left after each."""
    fig = Figure(figsize=(7.4, 3.3))
    axes = fig.add_axes((0, 0, 1, 1))
    names = ["image", *(f"block {number}" for number in range(1, 6)), "linear\nlayers", "scores"]
    signal = (12, 9, 7, 5, 3.6, 2.6, 1.8)  # line widths between the parts: smaller and smaller
    for low, kept, gradient, words in (
            (2.6, signal, range(7), "A, asleep: little of the image reaches the scores and little "
                                    "of the gradient\ncomes back, but some of both does"),
            (0, signal[:5], (5, 6), "B, dead: one layer gives 0 for every image. Behind it nothing "
                                    "is left of the image,\nbefore it no gradient arrives")):
        for place, name in enumerate(names):
            cut = low == 0 and place == 5
            axes.add_patch(Rectangle((1.5 * place - 0.52, low - 0.4), 1.04, 0.8, zorder=2,
                                     facecolor="0.4" if cut else "white", edgecolor="0.3"))
            axes.text(1.5 * place, low, name, ha="center", va="center", size=9.5, zorder=3,
                      color="white" if cut else "black")
        for place in range(7):
            ends = [1.5 * place + 0.52, 1.5 * place + 0.98]
            if place < len(kept):
                axes.plot(ends, [low + 0.13] * 2, color=BLUE, linewidth=kept[place],
                          linestyle="-", solid_capstyle="butt")
            if place in gradient:
                axes.plot(ends, [low - 0.25] * 2, color=RED, linewidth=1.8, linestyle=":")
        axes.text(-0.52, low + 0.55, words, va="bottom", size=10.5, weight="bold")
    axes.text(-0.52, 1.9, "solid: what differs from image to image", color=BLUE, size=10.5,
              va="center")
    axes.text(11.02, 1.9, "dotted: the gradient, on its way back", color=RED, size=10.5,
              va="center", ha="right")
    axes.set(xlim=(-0.7, 11.2), ylim=(-0.6, 4.0))
    axes.axis("off")
    return fig


def strong_recipe():
    """Three parts of the strong recipe: its learning rate, its targets, its flips and moves."""
    fig = Figure(figsize=(7.4, 2.7))
    rate, target, moved = fig.subplots(1, 3, gridspec_kw={"wspace": 0.35,
                                                          "width_ratios": (1.2, 1.2, 1)})
    recipe = make_recipe("strong", torch.nn.Linear(2, 2), 1.0, 1000)
    rates = []
    for _ in range(1000):
        rates.append(recipe.optimizer.param_groups[0]["lr"])
        recipe.optimizer.step()
        recipe.schedule.step()
    share = [step / 10 for step in range(1000)]
    rate.plot(share, rates, color=BLUE)
    rate.plot([0, 100], [0.5, 0.5], color=ORANGE, linestyle="--")
    rate.text(40, 0.93, "one cycle", color=BLUE)
    rate.text(100, 0.53, "plain", color="#8a5a00", ha="right", va="bottom")
    rate.set(xlabel="% of all steps", ylabel="learning rate", yticks=[], ylim=(0, 1.1))
    rate.set_title("the rate rises and falls", size=10)
    smooth = [LABEL_SMOOTHING / 10] * 10
    smooth[9] += 1 - LABEL_SMOOTHING
    target.bar(range(10), smooth, color=BLUE)
    target.text(8.4, 0.93, f"{smooth[9]:.2f}", ha="right", va="center")
    target.text(4, 0.06, f"{smooth[0]:.2f} each", ha="center")
    target.set(xticks=[0, 9], yticks=[], ylim=(0, 1.1), xlabel="class")
    target.set_xticklabels(["t-shirt", "boot"])
    target.set_title("what it asks for, for a boot", size=10)
    boot = d2lvgg.garments(28)[0][0, 0]
    framed = torch.nn.functional.pad(boot.flip(1), (1, 1, 1, 1))[2:30, 2:30]
    for left, image in ((0, boot), (30, framed)):
        moved.imshow(image, cmap="gray_r", vmin=0, vmax=1, extent=(left, left + 28, 0, 28))
        moved.add_patch(Rectangle((left, 0), 28, 28, fill=False, edgecolor="0.5"))
    moved.set(xlim=(-1, 59), ylim=(-1, 29))
    moved.axis("off")
    moved.set_title("mirrored, moved by a pixel", size=10)
    return fig


def paired_images():
    """The test images as squares: both right, both wrong, and those that decide."""
    fig = Figure(figsize=(7, 2.9))
    axes = fig.subplots()
    places = torch.randperm(100, generator=torch.Generator().manual_seed(3)).tolist()
    kinds = {place: kind for kind, part in (("first", places[:12]), ("second", places[12:16]),
                                            ("neither", places[16:24])) for place in part}
    styles = {"first": (ORANGE, "1"), "second": (BLUE, "2"), "neither": ("0.35", ""),
              "both": (SKY, "")}
    for place in range(100):
        colour, letter = styles[kinds.get(place, "both")]
        row, column = divmod(place, 20)
        pale = kinds.get(place, "both") in ("both", "neither")
        axes.add_patch(Rectangle((column, -row), 0.9, 0.9, facecolor=colour,
                                 alpha=0.35 if pale else 1, edgecolor="0.4", linewidth=0.6))
        axes.text(column + 0.45, 0.45 - row, letter, ha="center", va="center", size=10,
                  color="white" if colour == BLUE else "black")
    lines = (("pale: both right (76) or both wrong (8): they say nothing about the difference"),
             ("1: only the first network is right (12)      2: only the second is right (4)"),
             ("difference of the two accuracies: (12 − 4) of 100 images = 8 points"))
    for row, words in enumerate(lines):
        axes.text(0, -4.6 - 0.85 * row, words, va="center", size=10,
                  weight="bold" if row == 2 else "normal")
    axes.set(xlim=(-0.1, 20.1), ylim=(-6.8, 1.1))
    axes.axis("off")
    return fig


FIGURES = (loss_of_a_probability, asleep_or_dead, strong_recipe, paired_images)
