"""Draws what networks say about each place of the plane, and their losses, for lesson 02."""

import math

import torch
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap

SIDE, REACH = 160, 2.3  # the picture's side in points, and how far it goes from the middle
AREAS = ListedColormap(["#A6D3EE", "#F5E3B5", "#5E9C88"])  # apart in grey, too
DOTS = (("o", "#0072B2"), ("s", "#A65E00"), ("^", "#00352A"))
STYLES = (("-", "#000000"), ("-", "#0072B2"), (":", "#8C2D04"), ("--", "#E69F00"), ("-", "#009E73"))


def regions(nets, X, y):
    """Draw the arm that each of nets, {name: net}, says at each place; return {name: share right}.

    X (N, 2) are the points, y (N,) the arms, 0 to 2. A net maps (B, 2) to (B, 3) scores.
    """
    line = torch.linspace(-REACH, REACH, SIDE)
    grid = torch.cartesian_prod(line, line)  # (SIDE * SIDE, 2)
    fig, axes = plt.subplots(1, len(nets), figsize=(1.85 * len(nets), 2.3), squeeze=False,
                             layout="constrained")
    right = {}
    for axis, (name, net) in zip(axes.flat, nets.items(), strict=True):
        with torch.no_grad():
            said = net(grid).argmax(dim=1).reshape(SIDE, SIDE)  # (x, y)
            right[name] = (net(X).argmax(dim=1) == y).float().mean().item()
        axis.imshow(said.T, origin="lower", extent=(-REACH, REACH, -REACH, REACH), cmap=AREAS,
                    vmin=0, vmax=2)
        for arm, (mark, colour) in enumerate(DOTS):
            axis.plot(*X[y == arm].T, mark, color=colour, markersize=2)
        axis.set_title(f"{name}\n{right[name]:.2f} right", fontsize=9)
        axis.axis("off")
    plt.show()
    return right


def losses(curves):
    """Draw curves, {name: list of losses}, each with its name at its end.

    Curves that end within 0.001 of each other share one line of text.
    """
    fig, axis = plt.subplots(figsize=(6, 3.2))
    ends = {}  # height: names
    for (name, curve), (style, colour) in zip(curves.items(), STYLES, strict=True):
        axis.plot(curve, style, color=colour)
        near = next((height for height in ends if math.isclose(height, curve[-1], abs_tol=1e-3)),
                    curve[-1])
        ends.setdefault(near, []).append((name, colour))
    place = -1.0
    for height, names in sorted(ends.items()):
        place = max(height, place + 0.1)  # names stand one above the other
        axis.text(len(curve) * 1.02, place, " and ".join(name for name, _ in names), va="center",
                  color=names[-1][1] if len(names) == 1 else "black")
    axis.set(xlabel="step", ylabel="loss", xlim=(0, len(curve)), ylim=(0, 1.25))
    plt.tight_layout()
    plt.show()
