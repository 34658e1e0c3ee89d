"""Draws garments, losses and accuracies for lesson 09."""

import math

from matplotlib import pyplot as plt

from d2lvgg.display import BLUE, GREEN, ORANGE, RED

PARTS = [*(f"block {number}" for number in range(1, 6)),
         *(f"linear {number}" for number in range(1, 4))]


def images(X, titles, columns=8):
    """Draw the images X (B, 1, H, W), each with its title above it."""
    rows = -(-len(X) // columns)
    fig, axes = plt.subplots(rows, columns, figsize=(0.95 * columns, 1.2 * rows), squeeze=False)
    for axis, image, title in zip(axes.flat, X[:, 0].cpu(), titles, strict=False):
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        axis.set_title(title, fontsize=10, loc="center")
    for axis in axes.flat:
        axis.axis("off")
    fig.tight_layout()
    plt.show()


def shares(with_biases, without):
    """Draw two bars for each part of VGG-11: the change of its output, beside its size."""
    fig, axis = plt.subplots(figsize=(6.4, 3.1))
    for shift, values, colour, hatch, name in (
            (-0.2, with_biases, BLUE, "", "with its biases"),
            (0.2, without, ORANGE, "//", "all biases set to 0")):
        bars = axis.bar([place + shift for place in range(len(values))], values, width=0.38,
                        color=colour, hatch=hatch, edgecolor="white", label=name)
        words = [f"{100 * value:.{1 if value < 0.1 else 0}f}" for value in values]
        axis.bar_label(bars, words, padding=1, fontsize=9)
    axis.set_xticks(range(len(with_biases)), PARTS, fontsize=9)
    axis.set_yticks([])
    axis.set_ylim(0, 1.35 * max(*with_biases, *without))
    axis.set_ylabel("change from image to\nimage, % of the size")
    axis.legend(loc="upper right", ncols=2)
    plt.show()


def waking(losses, smooth, awake):
    """Draw the loss of each step, its running mean, ln 10, and the step at which it wakes."""
    fig, axis = plt.subplots(figsize=(6.4, 3.2))
    window = len(losses) - len(smooth) + 1
    axis.plot(range(1, len(losses) + 1), losses, color="0.75", linewidth=0.7, linestyle="-")
    axis.plot(range(window, len(losses) + 1), smooth, color=BLUE, linestyle="-")
    axis.axhline(math.log(10), color="black", linestyle="--", linewidth=1.2)
    axis.annotate("ln 10: a blind guess", (1, math.log(10)), xycoords=("axes fraction", "data"),
                  xytext=(0, 4), textcoords="offset points", ha="right")
    axis.annotate(f"mean of {window} steps", (len(losses), float(smooth[-1])), color=BLUE,
                  xytext=(0, -20), textcoords="offset points", ha="right", va="top")
    if awake:
        axis.axvline(awake, color=RED, linestyle=":")
        axis.annotate(f"awake: step {awake}", (awake, 0.06), color=RED, ha="right",
                      xycoords=("data", "axes fraction"), xytext=(-5, 0),
                      textcoords="offset points")
    axis.set(xlabel="step", ylabel="loss of one batch", xlim=(0, len(losses) + 1),
             ylim=(0, 1.12 * max(2.4, float(smooth.max()))))
    plt.show()


def accuracies(names, shares_right):
    """Draw a bar for each network: the share of the same test images that it names rightly."""
    fig, axis = plt.subplots(figsize=(6.2, 0.55 * len(names) + 0.6))
    colours = (BLUE, ORANGE, GREEN)
    for place, (share, colour) in enumerate(zip(shares_right, colours, strict=True)):
        axis.barh(place, share, height=0.6, color=colour)
        axis.text(share + 0.01, place, f"{100 * share:.1f} %", va="center")
    axis.axvline(0.1, color="black", linestyle="--", linewidth=1.2)
    axis.text(0.1, -0.42, " a blind guess", va="bottom", fontsize=9)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlim=(0, 1.12), ylim=(len(names) - 0.5, -0.9), xticks=[],
             xlabel="share of the same test images named rightly")
    axis.tick_params(left=False)
    plt.show()
