"""Draws what lesson 01 shows: images side by side, landscapes of a loss, slopes, curves."""

import functools
import math

import torch
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

from d2lvgg.display import BLUE, GREEN, ORANGE, RED

SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "white", ORANGE])


def images(images, titles, columns=5, size=1.35):
    """Draw images (N, 28, 28), each with its title, in rows of that many columns.

    Negative numbers are blue, positive ones orange, on one scale for all; with no negative number,
    the larger the blacker. size is an image's width in inches.
    """
    rows = -(-len(images) // columns)
    _, axes = plt.subplots(rows, columns, squeeze=False, layout="constrained",
                             figsize=(size * columns, (size + 0.25) * rows))
    most = float(images.abs().max()) or 1.0
    how = ({"cmap": SIGNED, "vmin": -most} if images.min() < 0 else {"cmap": "gray_r", "vmin": 0})
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image, vmax=most, **how)
        axis.set_title(title, fontsize=10)
    plt.show()


@functools.cache  # each landscape is drawn several times
def heights(f, xlim, ylim):
    """Return (w1, w2, f at each pair) in these limits; f takes many pairs (2, N) at once."""
    w1 = torch.linspace(*xlim, 46, dtype=torch.float64)
    w2 = torch.linspace(*ylim, 41, dtype=torch.float64)
    places = torch.cartesian_prod(w2, w1).flip(1)  # (41 * 46, 2)
    return w1, w2, f(places.T).reshape(41, 46)


def contours(axis, f, xlim=(-3, 6), ylim=(-4, 4)):
    """Draw lines of equal f, a function of two weights, and write on some how high they are."""
    levels = [0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 6, 8, 10]
    levels += [15, 20, 30] * (xlim[1] > 6)
    lines = axis.contour(*heights(f, xlim, ylim), levels, cmap="Greys", linewidths=1, vmin=-6)
    axis.clabel(lines, levels[::2], fontsize=9)
    axis.set(xlabel="weight 1", ylabel="weight 2", aspect="equal")


def landscape(f):
    """Draw the lines of equal loss of f, a function of two weights."""
    _, axis = plt.subplots(figsize=(5, 4.3), layout="constrained")
    contours(axis, f)
    axis.set_title("lines of equal loss")
    plt.show()


def compass(f, point, gradient, angles, slopes):
    """Draw the gradient at point on f's contours, and f's slopes in the directions of angles."""
    _, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
    contours(left, f)
    for sign, colour, words in ((1, RED, "the gradient:\nsteepest up"),
                                (-1, GREEN, "against it:\nsteepest down")):
        tip = point + sign * 1.8 * gradient / gradient.norm()
        left.annotate("", tip.tolist(), point.tolist(), arrowprops={
            "arrowstyle": "-|>", "color": colour, "linewidth": 2.5, "shrinkA": 0, "shrinkB": 0})
        left.text(tip[0] + 0.4, tip[1], words, color=colour, fontsize=9.5, weight="bold",
                  ha="left", va="center",
                  bbox={"facecolor": "w", "edgecolor": "none", "alpha": 0.8, "pad": 1})
    left.plot(*point.tolist(), "ko", markersize=6)
    right.plot(angles.rad2deg(), slopes, "o", markersize=4, color="k", label="measured")
    ways = torch.stack([angles.cos(), angles.sin()], dim=1)
    right.plot(angles.rad2deg(), ways @ gradient, color=ORANGE, zorder=0,
               label="dot(gradient, direction)")
    right.axhline(0, color="0.5", linewidth=0.8)
    up = math.degrees(math.atan2(gradient[1], gradient[0])) % 360
    for where, colour in ((up, RED), ((up + 180) % 360, GREEN)):
        right.axvline(where, linestyle=":", color=colour)
    right.set(xlabel="direction (degrees)", ylabel="slope of the loss", xticks=range(0, 361, 90))
    right.legend(fontsize=9.5, loc="lower center", bbox_to_anchor=(0.5, 0.98), ncols=2)
    plt.show()


def paths(f, found):
    """Draw the ways downhill, {title: places (steps + 1, 2)}, on the contours of f.

    A way that leaves the usual map gets a wider one.
    """
    _, axes = plt.subplots(1, len(found), figsize=(3.1 * len(found), 3.3), layout="constrained")
    for axis, (title, places) in zip(axes, found.items(), strict=True):
        (left, low), (right, high) = places.amin(dim=0).tolist(), places.amax(dim=0).tolist()
        xlim, ylim = (-3, 6), (-4, 4)
        if left < -3 or right > 6 or low < -4 or high > 4:
            xlim, ylim = (min(left, -3) - 1, right + 2), (low - 2, high + 2)
        contours(axis, f, xlim, ylim)
        axis.plot(*places.T, "o-", color=RED, markersize=3, linewidth=1.2)
        axis.plot(*places[0], "ko", markersize=6)
        axis.set(xlim=xlim, ylim=ylim)
        axis.set_title(f"{title}\nends at a loss of {f(places[-1]):.2f}", fontsize=10)
    plt.show()


def errors(steps, curves):
    """Draw the errors of gradients, {name: errors}, against the step that they were tried with."""
    _, axis = plt.subplots(figsize=(5.6, 3.4), layout="constrained")
    for name, values in curves.items():
        axis.loglog(steps, values, label=name)
    axis.set(xlabel="step h", ylabel="error of the gradient", ylim=(1e-13, 1e2))
    axis.legend(fontsize=9.5, loc="upper right")
    plt.show()


def curves(losses, images_per_step):
    """Draw losses, {name: a loss after each step}, against steps and against images looked at."""
    _, axes = plt.subplots(1, 2, figsize=(7.6, 3.2), sharey=True, layout="constrained")
    for (name, values), each in zip(losses.items(), images_per_step, strict=True):
        steps = range(len(values))
        axes[0].plot(steps, values, label=name)
        axes[1].plot([step * each for step in steps], values, "o-", markersize=3, label=name)
    axes[0].set(xlabel="steps", ylabel="loss on all 5,000 images")
    axes[1].set(xlabel="images looked at", xlim=(-300, 21_000))
    axes[0].legend(fontsize=9.5)
    plt.show()


def shares(image, maps, titles):
    """Draw an image (28, 28), and beside it maps (N, 28, 28) of what each pixel adds to a score."""
    _, axes = plt.subplots(1, 1 + len(maps), figsize=(2.1 * (1 + len(maps)), 2.4),
                             layout="constrained")
    most = float(maps.abs().max())
    axes[0].imshow(image, cmap="gray_r", vmin=0, vmax=1)
    for axis, each in zip(axes[1:], maps, strict=True):
        axis.imshow(each, cmap=SIGNED, vmin=-most, vmax=most)
    for axis, title in zip(axes, titles, strict=True):
        axis.axis("off")
        axis.set_title(title, fontsize=10)
    plt.show()
