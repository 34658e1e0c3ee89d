"""Draws the pictures of lesson 01: a product of matrices, softmax and loss, a graph of numbers."""

import math

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from d2lvgg.display import BLUE, GREEN, ORANGE, RED, SKY


def matrix_product():
    """(5, 4) times (4, 3): one row meets one column in one entry, shown with its sum."""
    A = torch.arange(20).reshape(5, 4)
    B = torch.tensor([[1, 0, 2], [0, 1, 1], [1, 1, 0], [2, 0, 1]])
    product, row, column, gap = A @ B, 2, 1, 0.9
    (n, k), m = A.shape, B.shape[1]
    fig = Figure(figsize=(6.2, 4.6))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-1.3, k + gap + m + 3.4), ylim=(-n - 1.3, k + gap + 0.9))
    axes.set_aspect("equal")
    axes.axis("off")
    places = {"A": (A, 0, 0), "B": (B, k + gap, k + gap), "C": (product, k + gap, 0)}
    for name, (matrix, left, top) in places.items():
        for r in range(matrix.shape[0]):
            for c in range(matrix.shape[1]):
                mine = {"A": r == row, "B": c == column, "C": r == row and c == column}[name]
                colour = {"A": SKY, "B": ORANGE, "C": GREEN}[name] if mine else "w"
                axes.add_patch(Rectangle((left + c, top - r - 1), 1, 1, facecolor=colour,
                                         alpha=0.6 if mine else 1, linewidth=0))
                axes.add_patch(Rectangle((left + c, top - r - 1), 1, 1, fill=False,
                                         edgecolor="0.6", linewidth=0.7))
                axes.text(left + c + 0.5, top - r - 0.5, int(matrix[r, c]), ha="center",
                          va="center", size=10.5, weight="bold" if mine else "normal")
    for r in range(n):
        axes.text(-0.2, -r - 0.5, r, ha="right", va="center", size=9, color="0.4")
    for c in range(m):
        axes.text(k + gap + c + 0.5, k + gap + 0.12, c, ha="center", va="bottom", size=9,
                  color="0.4")
    axes.text(k / 2, -n - 0.25, f"A  ({n}, {k})", ha="center", va="top", size=11)
    axes.text(k + gap + m + 0.3, gap + k / 2, f"B  ({k}, {m})", va="center", size=11)
    axes.text(k + gap + m / 2, -n - 0.25, f"A @ B  ({n}, {m})", ha="center", va="top", size=11)
    terms = [f"{a} · {b}" for a, b in zip(A[row].tolist(), B[:, column].tolist(), strict=True)]
    axes.text(k + gap + m + 0.3, -row - 0.5, " +\n".join(terms) + f"\n= {product[row, column]}",
              va="center", size=10, color=GREEN, linespacing=1.5)
    for start, end in (((k, -row - 0.5), (k + gap, -row - 0.5)),
                       ((k + gap + column + 0.5, gap), (k + gap + column + 0.5, 0))):
        axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "0.3"})
    return fig


def scores_to_loss():
    """Three scores, their exponentials, their shares of the sum, and the loss of each share."""
    names, scores = ("boot", "sneaker", "sandal"), (2.0, 1.0, -1.0)
    powers = [math.exp(score) for score in scores]
    shares = [power / sum(powers) for power in powers]
    fig = Figure(figsize=(7.4, 2.9), layout="constrained")
    panels = fig.subplots(1, 4, width_ratios=(1, 1, 1, 1.7))
    colours = (BLUE, ORANGE, GREEN)
    for axes, title, values in zip(panels, ("scores", "exp(score)", "share of the sum"),
                                   (scores, powers, shares), strict=False):
        axes.bar(range(3), values, color=colours)
        low, high = min(0, *values), max(values)
        axes.set_ylim(low * 1.35, high * 1.2)
        for place, value in enumerate(values):
            digits = 3 if values is shares else 2
            number = f"{value:.{digits}f}".removesuffix(".00").replace("-", "−")
            axes.text(place, value, number, ha="center", size=10,
                      va="bottom" if value > 0 else "top")
        axes.axhline(0, color="0.4", linewidth=0.8)
        axes.set_title(title, size=10.5)
        axes.set_xticks(range(3), names, rotation=90, size=10)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(length=0)
    axes = panels[3]
    p = torch.linspace(0.012, 1, 300)
    axes.plot(p, -p.log(), color="k")
    for name, share, colour in zip(names, shares, colours, strict=True):
        axes.plot(share, -math.log(share), "o", color=colour, markersize=8)
        axes.annotate(f"right class: {name}\nloss {-math.log(share):.2f}",
                      (share, -math.log(share)), (9, 5), textcoords="offset points", size=9.5)
    axes.set(xlim=(0, 1.25), ylim=(0, 4.6), xticks=(0, 0.5, 1),
             xlabel="share of the right class", ylabel="loss")
    axes.set_title("−ln(share)", size=10.5)
    return fig


# The graph of s = w x + b and L = s s: node -> (place, what it is, its number, its gradient).
NODES = {"w": ((0, 4.8), "w", 3, 20), "x": ((0, 2.4), "x", 2, 30), "b": ((0, 0), "b", -1, 10),
         "wx": ((4, 3.6), "w · x", 6, 10), "s": ((8, 1.8), "s = wx + b", 5, 10),
         "L": ((12.4, 1.8), "L = s · s", 25, 1)}
# Arrow -> (its own slope, how far it bends).
ARROWS = {("w", "wx"): (2, 0), ("x", "wx"): (3, 0), ("wx", "s"): (1, 0), ("b", "s"): (1, 0),
          ("s", "L"): (5, -0.35)}


def draw_graph(gradients):
    """Return the graph: numbers in the circles, slopes on the arrows, gradients if asked for."""
    fig = Figure(figsize=(7.4, 3.75))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-1.6, 14.6), ylim=(-2.1, 6.1))
    axes.set_aspect("equal")
    axes.axis("off")
    arrows = [(*pair, *how) for pair, how in ARROWS.items()] + [("s", "L", 5, 0.35)]
    for start, end, slope, bend in arrows:
        (x0, y0), (x1, y1) = NODES[start][0], NODES[end][0]
        axes.annotate("", (x1, y1), (x0, y0), arrowprops={
            "arrowstyle": "-|>", "color": "0.35", "shrinkA": 26, "shrinkB": 27, "linewidth": 1.3,
            "connectionstyle": f"arc3,rad={bend}"})
        axes.text((x0 + x1) / 2, (y0 + y1) / 2 - bend * 2.5 * (x1 > 12) + 0.12, f"× {slope}",
                  ha="center", va="bottom" if bend <= 0 else "top", size=10.5, color=BLUE,
                  bbox={"facecolor": "w", "edgecolor": "none", "pad": 1})
    for (x, y), name, number, gradient in NODES.values():
        axes.add_patch(Circle((x, y), 0.78, facecolor="#DCEFFB", edgecolor="0.3", zorder=3))
        axes.text(x, y, f"{number}".replace("-", "−"), ha="center", va="center", size=12,
                  zorder=4)
        if x:
            axes.text(x, y + 0.9, name, ha="center", va="bottom", size=10.5)
        else:
            axes.text(-1, y, name, ha="right", va="center", size=10.5)
        if gradients:
            axes.text(x, y - 0.9, f"slope {gradient}", ha="center", va="top", size=10.5,
                      color=RED, weight="bold")
    if gradients:
        axes.annotate("", (4.2, -1.75), (13, -1.75), arrowprops={
            "arrowstyle": "-|>", "color": RED, "linewidth": 1.3})
        axes.text(8.6, -1.65, "backward: multiply along the arrows, add where they meet", size=10,
                  ha="center", va="bottom", color=RED,
                  bbox={"facecolor": "w", "edgecolor": "none", "pad": 1})
    else:
        axes.annotate("", (13, -1.75), (4.2, -1.75), arrowprops={
            "arrowstyle": "-|>", "color": "0.35", "linewidth": 1.3})
        axes.text(8.6, -1.65, "forward: each number from those before it", size=10,
                  ha="center", va="bottom", color="0.25",
                  bbox={"facecolor": "w", "edgecolor": "none", "pad": 1})
    return fig


def graph_forward():
    """The numbers of L = (wx + b)², and the slope of each step alone."""
    return draw_graph(gradients=False)


def graph_backward():
    """The same graph with the slope of L in each number."""
    return draw_graph(gradients=True)


FIGURES = (matrix_product, scores_to_loss, graph_forward, graph_backward)
