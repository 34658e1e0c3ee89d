"""Ten classes of coloured shapes, drawn where CIFAR-10 cannot be had, so that its lesson runs.

An accuracy reached on them compares with nothing published.
"""

import numpy as np

SIDE = 32  # pixels, as in CIFAR-10
SHAPES = (  # whether a point is inside, at x and y from the centre in radii
    lambda x, y: x**2 + y**2 < 1,
    lambda x, y: np.maximum(abs(x), abs(y)) < 0.9,
    lambda x, y: abs(x) + abs(y) < 1,
    lambda x, y: (0.4 < x**2 + y**2) & (x**2 + y**2 < 1),
    lambda x, y: (np.minimum(abs(x), abs(y)) < 0.3) & (np.maximum(abs(x), abs(y)) < 1),
)


def draw_images(count, seed):
    """Return (images, labels): uint8 arrays of shape (count, 3, 32, 32) and (count,).

    Five shapes, reddish with the labels 0 to 4 and bluish with 5 to 9; the classes take turns.
    Equal seeds draw equal images.
    """
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = np.empty((count, 3, SIDE, SIDE), np.uint8)
    for image, label in zip(images, labels, strict=True):
        x, y = (np.arange(SIDE) - random.uniform(12, 20, (2, 1))) / random.uniform(8, 12)
        colour = random.uniform(30, 140, (3, 1, 1))
        colour[0 if label < 5 else 2] = random.uniform(180, 255)
        inside = SHAPES[label % 5](x, y[:, None])
        clean = np.where(inside, colour, random.uniform(0, 120, (3, 1, 1)))
        image[:] = np.clip(clean + random.normal(0, 14, image.shape), 0, 255)
    return images, labels
