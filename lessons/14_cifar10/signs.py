"""Draws a folder of road signs, as a folder of one's own images looks: all sizes and formats."""

import shutil
import warnings
from pathlib import Path

import numpy as np

SIGNS = {"give way": (3, 180, "red"), "parking": (4, 0, "blue"), "stop": (8, 22, "red")}


def draw_folder(folder, counts=(("train", 12), ("test", 8))):
    """Write images of signs to folder/train/<class>/ and folder/test/<class>/; return folder.

    Some are grey, and one file in train/stop/ is no image.
    """
    folder, rng = Path(folder), np.random.default_rng(0)
    shutil.rmtree(folder, ignore_errors=True)
    for part, count in counts:
        for kind in SIGNS:
            (folder / part / kind).mkdir(parents=True)
            for number in range(count):
                sign = draw_sign(kind, rng, tuple(rng.integers(40, 300, 2).tolist()))
                if number % 6 == 5:
                    sign = sign.convert("L")  # grey
                ending = ("jpg", "png", "bmp", "webp")[number % 4]
                sign.save(folder / part / kind / f"{number:02}.{ending}")
    (folder / "train" / "stop" / "holiday.jpg").write_text("This is no image.")
    return folder


def draw_sign(kind, rng, size):
    """Return an image of size (width, height) with a sign somewhere near its middle."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", size, tuple(rng.integers(60, 200, 3).tolist()))
    corners, turned, colour = SIGNS[kind]
    r = min(size) * rng.uniform(0.25, 0.4)  # pixels, from the middle to a corner
    x, y = (side / 2 + rng.normal(0, r / 8) for side in size)
    pen = ImageDraw.Draw(image)
    pen.regular_polygon((x, y, r), corners, rotation=turned, fill=colour)
    pen.ellipse((x - r / 4, y - r / 4, x + r / 4, y + r / 4), fill="white")
    return image


def warnings_of(function, *arguments, **options):
    """Return what function returns, and what it warned of as a list of texts."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = function(*arguments, **options)
    return found, [str(word.message).replace("\\", "/") for word in caught]
