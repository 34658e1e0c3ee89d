"""The sketch sets: ten kinds of garment, and ten kinds of animal and vehicle, drawn by code.

The kinds are those of Fashion-MNIST and of CIFAR-10, in their order. Accuracies reached here
compare with nothing published; the sets exist so that every cell of the course runs with no
network.
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


COLOUR_SIDE = 32  # pixels, as in CIFAR-10


def draw_colour_sketches(count, seed):
    """Return (images, labels): uint8 arrays of shape (count, 3, 32, 32) and (count,).

    The kinds are CIFAR-10's, in its order, and take turns. Equal seeds draw equal pictures.
    """
    random = np.random.default_rng(seed)
    labels = np.arange(count) % len(_THINGS)
    images = np.stack([_colour_sketch(*_THINGS[label], random) for label in labels])
    return images.astype(np.uint8), labels.astype(np.uint8)


def _colour_sketch(thing, ground, random):
    size = COLOUR_SIDE * _FINE
    light = random.uniform(0.55, 1.1)
    picture = Image.new("RGB", (size, size), _shaken(ground, random, light))
    thing(_ColourPen(picture, random, light), random)
    picture = picture.resize((COLOUR_SIDE, COLOUR_SIDE), Image.Resampling.BOX)
    pixels = np.asarray(picture, dtype=np.float32).transpose(2, 0, 1)
    pixels = pixels[..., ::-1] if random.random() < 0.5 else pixels
    return np.clip(pixels + random.normal(0, 14, pixels.shape), 0, 255)


def _shaken(colour, random, light=1.0, by=22):
    off = random.normal(0, by, 3)
    return tuple(max(0, min(255, int((c + o) * light))) for c, o in zip(colour, off, strict=True))


class _ColourPen:
    """Draws in 32-pixel coordinates, in the light, at the place and in the size of one picture."""

    def __init__(self, picture, random, light):
        self.draw, self.random, self.light = ImageDraw.Draw(picture), random, light
        self.scale, self.shift = random.uniform(0.8, 1.2), random.uniform(-3, 3, 2)

    def colour(self, *choices):
        """Return one of choices, a little off."""
        return _shaken(choices[self.random.integers(len(choices))], self.random)

    def polygon(self, corners, colour):
        shaken = np.array(corners, dtype=float) + self.random.normal(0, 0.4, (len(corners), 2))
        self.draw.polygon(self._placed(shaken), self._lit(colour))

    def oval(self, left, top, right, bottom, colour):
        box = np.array([(left, top), (right, bottom)], dtype=float)
        self.draw.ellipse(self._placed(box), self._lit(colour))

    def legs(self, xs, top, bottom, width, colour):
        for x in xs:
            self.polygon([(x, top), (x + width, top), (x + width, bottom), (x, bottom)], colour)

    def _placed(self, points):
        middle = COLOUR_SIDE / 2
        placed = (points - middle) * self.scale + middle + self.shift
        return [tuple(point) for point in (placed * _FINE).tolist()]

    def _lit(self, colour):
        return tuple(min(255, int(c * self.light)) for c in colour)


_BLACK, _WHITE, _GREY, _RED, _BLUE = (
    (25, 25, 25), (235, 235, 235), (150, 150, 150), (200, 40, 40), (40, 70, 190))
_BROWN, _TAN, _GINGER, _GREEN, _YELLOW = (
    (110, 70, 40), (190, 150, 100), (205, 125, 50), (60, 150, 50), (225, 190, 50))
_SKY, _WATER, _ROAD, _GRASS, _ROOM = (
    (150, 195, 235), (60, 110, 150), (140, 140, 145), (110, 150, 80), (170, 140, 120))


def _airplane(pen, random):
    hull = pen.colour(_WHITE, _WHITE, _GREY)
    pen.polygon([(5, 13), (8, 13), (11, 16), (6, 17)], hull)  # tail fin
    pen.polygon([(5, 16), (24, 14), (28, 16.5), (24, 18.5), (6, 18.5)], hull)
    pen.polygon([(13, 17), (18, 17), (11, 26), (8, 26)], pen.colour(_GREY))
    pen.polygon([(15, 14.5), (18, 14.5), (14, 8), (12, 8)], pen.colour(_GREY))


def _automobile(pen, random):
    paint = pen.colour(_RED, _BLUE, _GREY, _YELLOW, _BLACK)
    pen.polygon([(8, 16), (12, 10), (21, 10), (25, 16)], paint)
    pen.polygon([(10.5, 15.5), (13, 11.5), (20, 11.5), (22.5, 15.5)], pen.colour((160, 190, 210)))
    pen.polygon([(3, 16), (28, 16), (29, 22), (3, 22)], paint)
    for x in (6, 20):
        pen.oval(x, 19, x + 6, 25, _BLACK)


def _bird(pen, random):
    plumage = pen.colour(_BROWN, _BLUE, _RED, _YELLOW, _GREY)
    pen.polygon([(9, 17), (3, 22), (5, 24), (12, 20)], plumage)  # tail
    pen.oval(8, 11, 22, 22, plumage)
    pen.oval(18, 7, 25, 14, plumage)
    pen.polygon([(24.5, 9.5), (28.5, 11), (24.5, 12)], pen.colour(_YELLOW))
    pen.polygon([(11, 14), (19, 14), (12, 20)], pen.colour(_BLACK, _GREY))
    pen.legs((14, 17), 21, 27, 0.8, pen.colour(_BLACK))


def _cat(pen, random):
    fur = pen.colour(_GREY, _GINGER, _BLACK, _WHITE)
    for ear in ([(8, 14), (8, 4), (15, 9)], [(24, 14), (24, 4), (17, 9)]):
        pen.polygon(ear, fur)
    pen.oval(7, 8, 25, 25, fur)
    for x in (11, 18):
        pen.oval(x, 13, x + 3, 16, pen.colour(_GREEN, _YELLOW))
    pen.polygon([(15, 18), (17, 18), (16, 19.5)], (225, 130, 140))
    for y in (19, 21):
        pen.polygon([(3, y), (13, 19.6), (3, y + 0.5)], _WHITE)
        pen.polygon([(29, y), (19, 19.6), (29, y + 0.5)], _WHITE)


def _four_legs(pen, coat, back, neck_x, head_y):
    """A body on four legs, its neck rising to a head on the right."""
    pen.oval(6, back, neck_x + 2, back + 7, coat)
    pen.legs((7.5, 9.5, neck_x - 3, neck_x - 1), back + 5, 29, 1.3, coat)
    pen.polygon([(neck_x - 3, back + 4), (neck_x + 1.5, back + 4), (neck_x + 4, head_y),
                 (neck_x + 1, head_y - 1)], coat)
    pen.polygon([(neck_x, head_y - 2), (neck_x + 4, head_y - 2), (neck_x + 8, head_y + 1.5),
                 (neck_x + 6.5, head_y + 3), (neck_x + 1, head_y + 2)], coat)


def _deer(pen, random):
    coat = pen.colour(_GINGER, _BROWN)
    _four_legs(pen, coat, 16, 19, 11)
    antlers = pen.colour(_TAN, _WHITE)
    for x in (18, 23):
        pen.polygon([(21, 9), (22.3, 9), (x + 1, 2), (x, 2)], antlers)
        pen.polygon([(x + 0.3, 5.5), (x + 3.4, 2.8), (x + 0.6, 4)], antlers)
        pen.polygon([(x + 0.3, 6.5), (x - 2.6, 3.8), (x + 0.2, 5)], antlers)


def _dog(pen, random):
    fur = pen.colour(_BROWN, _TAN, _WHITE, _GINGER)
    pen.oval(8, 6, 24, 24, fur)
    pen.oval(11, 15, 21, 26, pen.colour(_TAN, _WHITE))  # muzzle
    for ear in ([(10, 7), (4, 9), (4, 20), (8, 20)], [(22, 7), (28, 9), (28, 20), (24, 20)]):
        pen.polygon(ear, pen.colour(_BROWN))
    for x in (11.5, 18):
        pen.oval(x, 11, x + 2.5, 13.5, _BLACK)
    pen.oval(13.5, 16, 18.5, 19.5, _BLACK)
    pen.polygon([(15, 23), (17.5, 23), (17.5, 28), (15, 28)], (215, 100, 110))  # tongue


def _frog(pen, random):
    skin = pen.colour(_GREEN, _GREEN, (130, 140, 50))
    for left, right in ((2, 12), (20, 30)):
        pen.oval(left, 16, right, 27, skin)
    pen.oval(7, 11, 25, 26, skin)
    for x in (8, 18):
        pen.oval(x, 6, x + 6, 13, skin)
        pen.oval(x + 1.5, 7.5, x + 4.5, 10.5, pen.colour(_YELLOW))
        pen.oval(x + 2.4, 8.2, x + 3.8, 9.8, _BLACK)
    pen.polygon([(10, 18), (22, 18), (20, 20), (12, 20)], pen.colour(_BLACK))


def _horse(pen, random):
    coat = pen.colour(_BROWN, _BLACK, _WHITE, _GREY)
    _four_legs(pen, coat, 14, 20, 8)
    mane = pen.colour(_BLACK, _TAN)
    pen.polygon([(18, 16), (20.5, 6), (22, 5.5), (20.5, 15)], mane)
    pen.polygon([(7, 15), (3, 18), (2.5, 25), (5, 24)], mane)  # tail


def _ship(pen, random):
    pen.polygon([(-9, 22), (41, 22), (41, 41), (-9, 41)], pen.colour(_WATER))
    pen.polygon([(9, 12), (20, 12), (21, 18), (8, 18)], pen.colour(_WHITE))
    pen.polygon([(12, 7), (15, 7), (15, 12), (12, 12)], pen.colour(_RED, _YELLOW))
    pen.polygon([(2, 17), (30, 17), (25, 25), (6, 25)], pen.colour(_BLACK, _RED, _BLUE, _WHITE))


def _truck(pen, random):
    pen.polygon([(2, 7), (20, 7), (20, 23), (2, 23)], pen.colour(_WHITE, _RED, _YELLOW, _GREY))
    pen.polygon([(21, 12), (26, 12), (29, 17), (29, 23), (21, 23)],
                pen.colour(_RED, _BLUE, _WHITE, _GREEN))
    pen.polygon([(23, 13), (25.5, 13), (27.5, 17), (23, 17)], pen.colour((160, 190, 210)))
    for x in (4, 10, 22):
        pen.oval(x, 20, x + 5.5, 26, _BLACK)


_THINGS = ((_airplane, _SKY), (_automobile, _ROAD), (_bird, _SKY), (_cat, _ROOM), (_deer, _GRASS),
           (_dog, _ROOM), (_frog, _GRASS), (_horse, _GRASS), (_ship, _SKY), (_truck, _ROAD))
