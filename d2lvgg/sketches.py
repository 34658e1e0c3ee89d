"""The sketch set: ten kinds of garment drawn by code, for a lesson with no data at hand.

The kinds are those of Fashion-MNIST, in its order. Accuracies reached here compare with nothing
published; the set exists so that every cell of the course runs with no network.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 28  # pixels, as in Fashion-MNIST
_FINE = 4  # drawn four times as large, then reduced, for smooth edges


def draw_sketches(count, seed):
    """Return (images, labels): uint8 arrays of shape (count, 28, 28) and (count,).

    The kinds take turns, so any leading part is balanced. Equal seeds draw equal pictures.
    """
    random = np.random.default_rng(seed)
    labels = np.arange(count) % len(_GARMENTS)
    images = np.stack([_sketch(_GARMENTS[label], random) for label in labels])
    return images.astype(np.uint8), labels.astype(np.uint8)


def _sketch(garment, random):
    picture = Image.new("L", (SIDE * _FINE, SIDE * _FINE))
    cloth = int(random.integers(90, 230))  # the garment's shade
    garment(_Pen(picture, random, cloth), random)
    picture = picture.rotate(random.normal(0, 5), resample=Image.Resampling.BILINEAR)
    picture = picture.filter(ImageFilter.BoxBlur(1)).resize((SIDE, SIDE), Image.Resampling.BOX)
    pixels = np.asarray(picture, dtype=np.float32)
    weave = random.normal(0, 18, pixels.shape) * (pixels > 10)  # texture on cloth only
    return np.clip(pixels + weave, 0, 255)


class _Pen:
    """Draws polygons given in 28-pixel coordinates, each corner a little displaced."""

    def __init__(self, picture, random, cloth):
        self.draw = ImageDraw.Draw(picture)
        self.random = random
        self.cloth = cloth

    def polygon(self, corners, shade=0):
        shaken = np.array(corners, dtype=float) + self.random.normal(0, 0.6, (len(corners), 2))
        fill = int(np.clip(self.cloth + shade, 20, 255))
        self.draw.polygon([tuple(corner) for corner in shaken * _FINE], fill=fill)

    def both_sides(self, corners, shade=0):
        self.polygon(corners, shade)
        self.polygon([(SIDE - x, y) for x, y in corners], shade)


def _body(pen, random, hem):
    half = random.uniform(5, 7)
    pen.polygon([(14 - half, 5), (14 + half, 5), (14 + half, hem), (14 - half, hem)])


def _t_shirt(pen, random):
    _body(pen, random, hem=23)
    pen.both_sides([(9, 4), (2, 9), (5, 12), (9, 10)])


def _trouser(pen, random):
    gap = random.uniform(0.5, 2)
    pen.both_sides([(8, 3), (14, 3), (14 - gap, 26), (9, 26)])


def _pullover(pen, random):
    _body(pen, random, hem=23)
    pen.both_sides([(9, 4), (3, 8), (2, 23), (6, 23), (9, 11)])


def _dress(pen, random):
    flare = random.uniform(5, 8)
    pen.polygon([(11, 2), (17, 2), (16, 11), (14 + flare, 26), (14 - flare, 26), (12, 11)])


def _coat(pen, random):
    _body(pen, random, hem=26)
    pen.both_sides([(9, 4), (3, 8), (2, 24), (6, 24), (9, 11)])
    pen.polygon([(13.5, 5), (14.5, 5), (14.5, 26), (13.5, 26)], shade=-70)


def _sandal(pen, random):
    heel = random.uniform(0, 5)
    pen.polygon([(2, 21), (26, 20 - heel), (26, 22), (2, 23)])
    pen.polygon([(7, 21), (12, 12), (14, 13), (10, 21)])
    pen.polygon([(18, 20), (21, 12), (23, 12), (21, 20)])


def _shirt(pen, random):
    _body(pen, random, hem=24)
    pen.both_sides([(9, 4), (4, 8), (3, 21), (6, 22), (9, 11)])
    pen.polygon([(10, 4), (18, 4), (14, 9)], shade=50)


def _sneaker(pen, random):
    ankle = random.uniform(12, 15)
    pen.polygon([(2, 20), (9, 17), (17, ankle), (25, ankle), (26, 22), (2, 22)])
    pen.polygon([(2, 21), (26, 21), (26, 23), (2, 23)], shade=60)


def _bag(pen, random):
    top = random.uniform(10, 13)
    pen.both_sides([(8, top), (11, 5), (14, 5), (14, 6.5), (12, 6.5), (10, top)])
    pen.polygon([(3, top), (25, top), (26, 24), (2, 24)])


def _ankle_boot(pen, random):
    shaft = random.uniform(3, 7)
    pen.polygon([(15, shaft), (25, shaft), (26, 23), (3, 23), (4, 19), (14, 15)])
    pen.polygon([(3, 22), (26, 22), (26, 25), (3, 24)], shade=-50)


_GARMENTS = (_t_shirt, _trouser, _pullover, _dress, _coat,
             _sandal, _shirt, _sneaker, _bag, _ankle_boot)
