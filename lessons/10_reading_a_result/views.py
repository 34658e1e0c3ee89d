"""Draws what lesson 10 reads: tables, garments, histograms, maps, barcodes, curves."""

import math

import torch
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

from d2lvgg.display import BLUE, GREEN, ORANGE, RED

SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "white", ORANGE])
TOP = 5.0  # of the curves' losses; what is larger is drawn as a triangle


def confusion(table, names):
    """Draw a confusion matrix (classes, classes): true classes down, answers across."""
    fig, axis = plt.subplots(figsize=(6.6, 5.6))
    shares = table / table.sum(dim=1, keepdim=True)
    axis.imshow(shares.sqrt(), cmap="Greys", vmin=0, vmax=1)  # sqrt: 4 % is seen beside 90 %
    for row in range(len(table)):
        for column in range(len(table)):
            if count := int(table[row, column]):
                dark = shares[row, column] > 0.3
                axis.text(column, row, count, ha="center", va="center", fontsize=10,
                          color="white" if dark else "black")
    axis.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="what the network said", ylabel="what it is")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    plt.show()


def garments(images, titles, columns=8):
    """Draw images (N, H, W), each with its title, in rows of that many columns."""
    rows = -(-len(images) // columns)
    fig, axes = plt.subplots(rows, columns, squeeze=False, layout="constrained",
                             figsize=(1.15 * columns, 1.65 * rows))
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image, cmap="gray_r")
        axis.set_title(title, fontsize=9, loc="center")
    plt.show()


def confidences(right, wrong):
    """Draw the shares of right and of wrong answers (N,) that have each confidence."""
    fig, axis = plt.subplots(figsize=(6, 2.8))
    edges = torch.linspace(0, 1, 21).tolist()
    most = 0
    for values, colour, shift in ((right, BLUE, -0.011), (wrong, ORANGE, 0.011)):
        shares = torch.histc(values, 20, 0, 1) / max(1, len(values))
        centres = [(a + b) / 2 + shift for a, b in zip(edges, edges[1:], strict=False)]
        axis.bar(centres, shares, width=0.021, color=colour)
        most = max(most, float(shares.max()))
    axis.set(xlim=(0.1, 1), ylim=(0, 1.1 * most), xlabel="confidence",
             ylabel="share of these answers")
    for words, colour, place in ((f"{len(right):,} right answers", BLUE, 0.95),
                                 (f"{len(wrong):,} wrong answers", RED, 0.84)):
        axis.text(0.03, place, words, color=colour, weight="bold", transform=axis.transAxes)
    plt.show()


def reliability(groups):
    """Draw each group's share of right answers over its mean confidence.

    groups are pairs (confidence (n,), right (n,) as 0 or 1); empty ones are left out. The line at
    a dot is two standard errors long, up and down.
    """
    fig, axis = plt.subplots(figsize=(4.4, 4))
    axis.plot([0.3, 1], [0.3, 1], color="0.4", linewidth=1.2, linestyle="--")
    axis.text(0.52, 0.49, "as often as it says", rotation=45, rotation_mode="anchor", color="0.3",
              fontsize=10, transform_rotates_text=True, va="top")
    for said, right in groups:
        if len(said):
            share = float(right.mean())
            error = (share * (1 - share) / len(right)) ** 0.5
            axis.errorbar(float(said.mean()), share, 2 * error, color=BLUE, marker="o",
                          markersize=6, linestyle="")
    axis.text(0.32, 0.95, "too modest", fontsize=10)
    axis.text(0.98, 0.36, "too sure", fontsize=10, ha="right")
    axis.set(xlim=(0.3, 1.02), ylim=(0.3, 1.02), aspect="equal", xlabel="mean confidence",
             ylabel="share that is right")
    plt.show()


def filters(networks):
    """Draw the filters {name: (16, 1, 3, 3)} in two rows each, orange above zero, blue below."""
    fig, axes = plt.subplots(2 * len(networks), 8, figsize=(6, 1.55 * len(networks)))
    for place, (name, weights) in enumerate(networks.items()):
        rows = axes[2 * place:2 * place + 2]
        for axis, weight in zip(rows.flat, weights.detach().cpu()[:, 0], strict=True):
            most = float(weight.abs().max())
            axis.imshow(weight, cmap=SIGNED, vmin=-most, vmax=most)
            axis.axis("off")
        rows[0, 0].text(-1, 3.2, name, ha="right", va="center", fontsize=11)
    plt.show()


def maps(X, networks):
    """Draw for each network and each image of X (B, 1, H, W) one map after each of five blocks.

    It is the map that differs most between the images and between places. One scale for a network
    and a block: white is zero, black the largest number of the maps on show.
    """
    fig, axes = plt.subplots(len(networks) * len(X), 6, layout="constrained",
                             figsize=(6.8, 1.2 * len(networks) * len(X)))
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set(visible=True, color="0.7")
    for place, (name, net) in enumerate(networks.items()):
        rows, maps_now = axes[place * len(X):(place + 1) * len(X)], X
        for column in range(6):
            if column:
                with torch.no_grad():
                    maps_now = net[column - 1](maps_now)
            spread = maps_now.transpose(0, 1).flatten(1).std(dim=1)  # (channels,)
            shown = maps_now[:, spread.argmax()].cpu()
            for row, image in zip(rows[:, column], shown, strict=True):
                row.imshow(image, cmap="gray_r", vmin=0, vmax=float(shown.max()) or 1)
        for row in rows[:, 0]:
            row.set_ylabel(name, fontsize=10)
    titles = "garment", *(f"block {block}" for block in range(1, 6))
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=10, loc="center")
    plt.show()


def barcodes(codes, names):
    """Draw the barcodes {title: (B, numbers)} of B garments called names, dark where large.

    The numbers are sorted by which garment has the largest, then by how large it is.
    """
    fig, axes = plt.subplots(len(codes), 1, layout="constrained", figsize=(7, 1.5 * len(codes)))
    for axis, (title, code) in zip(axes, codes.items(), strict=True):
        most, owner = code.max(dim=0)
        order = sorted(range(code.shape[1]), key=lambda i: (int(owner[i]), -float(most[i])))
        axis.imshow(code[:, order].cpu(), cmap="gray_r", aspect="auto", interpolation="nearest",
                    vmin=0, vmax=float(code.max()))
        axis.set_yticks(range(len(names)), names)
        axis.set(xticks=[], title=f"{title} training")
        axis.tick_params(length=0)
        axis.hlines([row + 0.5 for row in range(len(names) - 1)], -0.5, code.shape[1] - 0.5,
                    color="white", linewidth=3)
    plt.show()


def ladder(steps, tested):
    """Draw accuracies {how it was measured: accuracy} one below the other, beside the test's."""
    fig, axis = plt.subplots(figsize=(6.6, 2.6))
    values = list(steps.values())
    axis.axvline(tested, color=RED, linestyle="--", linewidth=1.5)
    axis.text(tested, -0.75, f"test {tested:.3f}", color=RED, ha="center", va="bottom")
    axis.plot(values, range(len(values)), color=BLUE, marker="o", linewidth=1)
    for place, value in enumerate(values):
        axis.annotate(f"{value:.3f}", (value, place), xytext=(7, 5), textcoords="offset points")
    low, high = min([*values, tested]), max([*values, tested])
    room = 0.15 * (high - low) or 0.01
    axis.set_yticks(range(len(steps)), steps)
    axis.set(xlim=(low - room, high + 2 * room), ylim=(len(values) - 0.5, -0.8),
             xlabel="accuracy")
    plt.show()


def curves(four):
    """Draw the losses and the accuracies of four runs, each with nothing but its letter."""
    fig, axes = plt.subplots(2, 4, sharey="row", figsize=(8.6, 4.4),
                             gridspec_kw={"hspace": 0.5, "wspace": 0.15})
    for (above, below), run in zip(axes.T, four, strict=True):
        losses = run["losses"]
        steps = range(1, len(losses) + 1)
        beyond = [step for step, loss in zip(steps, losses, strict=True) if not loss <= TOP]
        above.plot(steps, [loss if loss <= TOP else math.nan for loss in losses], color=BLUE,
                   linewidth=0.8)
        above.plot(beyond, [TOP] * len(beyond), color=BLUE, marker="^", markersize=4,
                   linestyle="", clip_on=False)
        above.axhline(math.log(10), color="black", linestyle=":", linewidth=1.2)
        above.set_title(run["letter"], fontsize=13, weight="bold")
        epochs = range(1, len(run["training"]) + 1)
        below.plot(epochs, run["training"], color=GREEN, linestyle="-")
        below.plot(epochs, run["held out"], color=ORANGE, linestyle="--")
        above.set_xlabel("step")
        below.set_xlabel("epoch")
    axes[0, 0].set(ylabel="loss", ylim=(0, TOP))
    axes[1, 0].set(ylabel="accuracy", ylim=(0, 1.03))
    plt.show()


def chosen(accuracies, best):
    """Draw the held-out accuracy after each epoch, and mark the one that was chosen."""
    fig, axis = plt.subplots(figsize=(5.6, 2.6))
    epochs = range(1, len(accuracies) + 1)
    axis.plot(epochs, accuracies, color=ORANGE, linestyle="--", marker="o", markersize=4)
    axis.plot(best + 1, accuracies[best], color=RED, marker="o", markersize=11, fillstyle="none",
              markeredgewidth=2)
    axis.annotate("chosen", (best + 1, accuracies[best]), xytext=(0, 9), color=RED,
                  textcoords="offset points", ha="center")
    axis.margins(y=0.25)
    axis.set(xlabel="epoch", ylabel="held-out accuracy")
    plt.show()
