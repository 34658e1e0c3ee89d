"""Draws the matrix product of lesson 01."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from d2lvgg.display import GREEN, ORANGE, SKY


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


FIGURES = (matrix_product,)
