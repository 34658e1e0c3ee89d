"""Draws images and feature maps side by side, for lesson 03."""

from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

from d2lvgg.display import BLUE, ORANGE

SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "white", ORANGE])


def show(images, titles, columns, signed=False, size=1.6):
    """Draw images (H, W), each with its title, in rows of that many columns.

    One with negative numbers is drawn blue below zero, white at zero, orange above, and with signed
    each is; others are grey, and black is the largest number. Each has a scale of its own. size is
    a tile's width in inches.
    """
    rows = -(-len(images) // columns)
    fig, axes = plt.subplots(rows, columns, squeeze=False,
                             figsize=(size * columns, (size + 0.3) * rows))
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        most = float(image.abs().max()) or 1.0
        if signed or image.min() < 0:
            axis.imshow(image, cmap=SIGNED, vmin=-most, vmax=most)
        else:
            axis.imshow(image, cmap="gray_r", vmin=0, vmax=most)
        axis.set_title(title, fontsize=9)
    plt.show()
