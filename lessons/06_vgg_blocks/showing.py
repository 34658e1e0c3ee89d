"""Draws grids of numbers, and frames on an image, for lesson 06."""

from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

from d2lvgg.display import BLUE, RED


def numbers(grids, titles):
    """Draw grids (side, side) of whole numbers side by side, the larger the darker."""
    fig, axes = plt.subplots(1, len(grids), figsize=(3.1 * len(grids), 3.1))
    for axis, title, grid in zip(axes, titles, grids, strict=True):
        most = int(max(each.max() for each in grids))
        axis.imshow(grid, cmap="Blues", vmin=0, vmax=1.4 * most)
        for row, line in enumerate(grid.int().tolist()):
            for column, number in enumerate(line):
                axis.text(column, row, number, ha="center", va="center", fontsize=10,
                          color="black" if number else "0.75")
        axis.set_title(title)
        axis.set(xticks=[], yticks=[])
        axis.grid(False)
    plt.show()


def framed(axis, image, sides, centre, names, cmap="gray_r"):
    """Draw an image (H, W) with square frames of sides pixels around (centre, centre)."""
    axis.imshow(image, cmap=cmap, vmin=0, vmax=float(image.max()))
    for place, (side, name) in enumerate(zip(sides, names, strict=True)):
        corner = centre - side / 2 - 0.5
        axis.add_patch(Rectangle((corner, corner), side, side, fill=False, linewidth=2,
                                 edgecolor=(RED, BLUE)[place % 2]))
        below = place == 0  # the smallest, whose name the next one's frame would cover
        axis.text(corner, centre + 6 if below else corner - 1, name, ha="left", fontsize=10,
                  va="top" if below else "bottom", color=(RED, BLUE)[place % 2], weight="bold",
                  # on a dark garment a coloured word is hard to read
                  bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1})
    axis.axis("off")


def windows(image, sides):
    """Draw a frame a block on an image (H, W): the pixels that one number after it depends on."""
    fig, axis = plt.subplots(figsize=(4.6, 4.6))
    middle = image.shape[0] / 2
    names = [f"block {place}: {side}" for place, side in enumerate(sides, 1)]
    framed(axis, image, sides, middle, names)
    corner, side = -0.5, image.shape[0]
    axis.add_patch(Rectangle((corner, corner), side, side, fill=False, edgecolor="0.6"))
    reach = max(image.shape[0], *sides) / 2 + 8
    axis.set(xlim=(middle - reach, middle + reach), ylim=(middle + reach, middle - reach))
    plt.show()


def used(image, use, sides, centre):
    """Draw frames on an image (H, W) and on use (H, W), how much each of its pixels matters."""
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.4))
    titles = "what it could see", "what it uses (64 images)"
    for axis, each, cmap, title in zip(axes, (image, use), ("gray_r", "Greys"), titles,
                                       strict=True):
        framed(axis, each, sides, centre, [f"{side}" for side in sides], cmap)
        axis.set_title(title)
    plt.show()
