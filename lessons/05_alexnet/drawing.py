"""Draws features, units, augmented images and curves, for lesson 05."""

import math

import torch
from matplotlib import pyplot as plt

from d2lvgg.display import BLUE, GREEN, ORANGE


def edges_in_cells(images, features, titles):
    """Draw each image (H, W) beside its edges, a star of lines in each cell.

    features are (B, directions, rows, columns), as strong as the lines are long; direction k looks
    at 2 pi k / directions, and the line lies along the edge, at a right angle to that.
    """
    fig, panels = plt.subplots(1, 2 * len(images), figsize=(7.6, 1.6), layout="constrained")
    for place, (image, cells, title) in enumerate(zip(images, features, titles, strict=True)):
        axis, star = panels[2 * place], panels[2 * place + 1]
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        axis.set_title(title, fontsize=10)
        directions, rows, columns = cells.shape
        most = float(cells.max()) or 1.0
        for k in range(directions):
            turn = 2 * math.pi * k / directions + math.pi / 2
            across, down = math.cos(turn) / 2, math.sin(turn) / 2
            for row in range(rows):
                for column in range(columns):
                    long = float(cells[k, row, column]) / most
                    if long > 0.1:
                        star.plot([column - long * across, column + long * across],
                                  [row - long * down, row + long * down],
                                  color=BLUE, linestyle="-", linewidth=1.5 * long + 0.3)
        star.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal")
        star.set_title("edges", fontsize=10)
    for axis in panels:
        axis.set(xticks=[], yticks=[])
        axis.spines[["left", "bottom"]].set_visible(False)
    plt.show()


def bars(shares, label):
    """Draw {name: share} as horizontal bars with their numbers."""
    fig, axis = plt.subplots(figsize=(6, 0.45 * len(shares) + 0.7), layout="constrained")
    axis.barh(range(len(shares)), shares.values(), color=(ORANGE, GREEN, BLUE), height=0.65)
    for place, share in enumerate(shares.values()):
        axis.text(share + 0.01, place, f"{share:.3f}", va="center", fontsize=10)
    axis.set_yticks(range(len(shares)), shares)
    axis.set(xlim=(0, 1.1), xlabel=label)
    axis.invert_yaxis()
    plt.show()


def gradients(inputs, slopes, arrived):
    """Draw activation functions' slopes at inputs, and the gradient that arrives at each layer.

    slopes is {name: slope at each input}, arrived {name: sizes, first layer first}.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3), width_ratios=(2, 3),
                                      layout="constrained")
    styles = {"ReLU": (BLUE, "-", "o"), "Sigmoid": (ORANGE, "-", "s"), "Tanh": (GREEN, "--", "^")}
    for name, (colour, line, mark) in styles.items():
        left.plot(inputs, slopes[name], color=colour, linestyle=line)
        layers = range(1, len(arrived[name]) + 1)
        right.semilogy(layers, arrived[name], line, marker=mark, color=colour)
    left.text(5.8, 0.93, "ReLU", ha="right", color=BLUE)
    left.text(-5.8, 0.2, "Sigmoid", color="#8a6000")
    left.text(-1.1, 0.6, "Tanh", ha="right", color=GREEN)
    left.set(xlabel="what goes in", title="slope", yticks=(0, 0.25, 1))
    quarter = [arrived["Sigmoid"][-1] * 4.0 ** -back for back in range(len(layers) - 1, -1, -1)]
    right.semilogy(layers, quarter, ":", color="0.4")
    right.text(1.4, arrived["ReLU"][0] / 3.5, "ReLU", color=BLUE)
    right.text(1.1, arrived["Tanh"][0] * 1.9, "Tanh", color=GREEN)
    right.text(1.2, arrived["Sigmoid"][1] * 3.5, "Sigmoid", color="#8a6000", ha="left")
    right.text(3.3, quarter[2] / 6, "dotted: a quarter a layer", color="0.3", fontsize=9)
    right.set(xlabel="layer, counted from the image", title="size of the gradient that arrives",
              xticks=layers, ylim=(None, 3))
    plt.show()


def losses(runs, width=20):
    """Draw {name: loss of each step} as means of width steps, each named at its end."""
    fig, axis = plt.subplots(figsize=(6.6, 3), layout="constrained")
    colours = (ORANGE, GREEN, BLUE)
    for (name, steps), colour in zip(runs.items(), colours, strict=True):
        window = min(width, len(steps))
        means = torch.tensor(steps).unfold(0, window, 1).mean(dim=1)
        axis.plot(range(window, len(steps) + 1), means, color=colour, linestyle="-")
        axis.annotate(name, (len(steps), means[-1]), (6, 0), textcoords="offset points",
                      va="bottom" if means[-1] > 2.2 else "center", annotation_clip=False,
                      fontsize=10)
    axis.axhline(math.log(10), linestyle=":", color="0.2", linewidth=1.2)
    axis.text(0.2 * len(steps), math.log(10) - 0.2, "dotted: a blind guess, ln 10", fontsize=9)
    axis.set(xlabel="step", ylabel=f"loss, mean of {window} steps", ylim=(0, 2.6),
             xlim=(0, len(steps)))
    axis.spines["right"].set_visible(False)
    plt.show()


def units(rows):
    """Draw {title: numbers}, 0 white, 1 middle, 2 dark, each as 8 x 16 squares."""
    fig, axes = plt.subplots(1, len(rows), figsize=(7.4, 1.7), layout="constrained")
    for axis, (title, numbers) in zip(axes, rows.items(), strict=True):
        axis.imshow(numbers[:128].reshape(8, 16), cmap="Blues", vmin=0, vmax=2)
        axis.set_title(title, fontsize=10)
        axis.set(xticks=[], yticks=[])
    plt.show()


def versions(images, augment, columns=8):
    """Draw each image (1, H, W), then augmented versions of it, in a row."""
    fig, axes = plt.subplots(len(images), columns, figsize=(7.4, len(images) + 0.3),
                             layout="constrained")
    for row, image in zip(axes, images, strict=True):
        for column, axis in enumerate(row):
            version = augment(image) if column else image
            axis.imshow(version[0], cmap="gray_r", vmin=0, vmax=1)
            axis.axis("off")
    axes[0, 0].set_title("original", fontsize=10)
    axes[0, 1].set_title("seven versions", fontsize=10, loc="left")
    plt.show()


def beside(recorded, losses_here, batch_size):
    """Draw the loss of a recorded run, and of a few steps here, against images seen."""
    fig, axis = plt.subplots(figsize=(6.6, 3), layout="constrained")
    seen = [epoch * recorded.IMAGES for epoch in recorded.EPOCHS]
    axis.semilogx(seen, recorded.TRAIN_LOSS, color=BLUE, linestyle="-")
    here = [batch_size * (step + 1) for step in range(len(losses_here))]
    axis.semilogx(here, losses_here, "o", color=ORANGE, markersize=5)
    axis.text(here[0], min(losses_here) - 0.25, "your steps", color="#8a6000")
    axis.text(seen[0] * 0.8, 0.9, "the recorded run,\nten epochs", color=BLUE, ha="right")
    axis.set(xlabel="images seen", ylabel="loss", ylim=(0, 2.6))
    plt.show()


def stairs(recorded):
    """Draw the accuracies of a recorded run as its live plot showed them, from epoch 0.8 on."""
    fig, axis = plt.subplots(figsize=(6.6, 3), layout="constrained")
    axis.plot(recorded.EPOCHS, recorded.TRAIN_ACC, color=BLUE, linestyle="-")
    axis.plot(range(1, 11), recorded.TEST_ACC, "o", color=ORANGE, markersize=6)
    axis.text(1.4, 0.68, "train acc (line)", color=BLUE)
    axis.text(3.1, 0.865, "test acc (dots)", color="#8a6000")
    axis.set(xlabel="epoch", ylabel="accuracy", xticks=range(1, 11), xlim=(0.8, 10.2),
             ylim=(0.4, 0.92))
    axis.grid(axis="x")
    plt.show()


def counted(rows):
    """Draw {name: accuracies after each epoch}, each named at its end, spread where they meet."""
    fig, axis = plt.subplots(figsize=(7.4, 3.2), layout="constrained")
    styles = {name: style for name, style in zip(rows, (
        (ORANGE, "--"), (GREEN, "-."), (BLUE, "-"), ("k", ":")), strict=True)}
    epochs = range(1, len(next(iter(rows.values()))) + 1)
    for name, numbers in rows.items():
        colour, line = styles[name]
        axis.plot(epochs, numbers, marker="o", markersize=4, color=colour, linestyle=line)
    low, high = axis.get_ylim()
    gap, heights = (high - low) / 11, {}
    for name in sorted(rows, key=lambda name: rows[name][-1]):  # from below, a line apart
        heights[name] = max(rows[name][-1], max(heights.values(), default=low) + gap)
    too_high = sum(heights[name] - rows[name][-1] for name in rows) / len(rows)
    for name, height in heights.items():
        axis.annotate(f"{name} {rows[name][-1]:.3f}", (epochs[-1], rows[name][-1]),
                      (epochs[-1] + 0.25, height - too_high), va="center", fontsize=10,
                      annotation_clip=False)
    axis.set(xlabel="epoch", ylabel="accuracy", xticks=epochs,
             xlim=(epochs[0] - 0.2, epochs[-1] + 0.2))
    axis.spines["right"].set_visible(False)
    plt.show()
