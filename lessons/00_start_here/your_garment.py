"""A photo of a garment, made into an image like those of Fashion-MNIST, and a file chooser for it.

The steps are those of the data set's makers (Xiao et al. 2017, arXiv:1708.07747, section 2), who
trimmed the edges, made the longer side 28 pixels, centred, negated and took the colour out; they
had white backgrounds, so a photo's background is subtracted here, too.
"""

import base64
import io
from pathlib import Path

import numpy as np
import torch
from matplotlib import pyplot as plt
from PIL import Image, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError
from torch.nn import functional as F

SIDE = 28         # pixels, as in Fashion-MNIST
LARGEST = 560     # pixels to which a large photo is reduced before anything else
STANDS_OUT = 0.15  # how far a garment differs from its background, in [0, 1]


def prepare(source):
    """Return {name of a step: array}, from the photo to the 28 x 28 image, in that order.

    source is a file's name, its bytes or a PIL image. 'photo' is (H, W, 3) uint8, the others are
    float (H, W) in [0, 1], 'as the data' (28, 28). Raises ValueError with one sentence where
    source is no image, or nothing stands out from its background.
    """
    photo = open_photo(source)
    grey = np.asarray(photo.convert("L"), float) / 255
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    inverted = 1 - grey if np.median(edge) > 0.5 else grey
    dark = remove_background(inverted)
    cropped = crop(dark)
    return {"photo": np.asarray(photo), "grey": grey, "dark background": dark, "cropped": cropped,
            "as the data": centre(cropped)}


def open_photo(source):
    """Return source as an upright PIL image in RGB, transparent parts white."""
    name = "the file" if isinstance(source, bytes) else repr(str(source))
    try:
        if isinstance(source, Image.Image):
            photo = source
        else:
            photo = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
        photo.draft("RGB", (LARGEST, LARGEST))  # a JPEG is read small, where that is possible
        photo = ImageOps.exif_transpose(photo)  # phones note how they were held
        photo.thumbnail((LARGEST, LARGEST))
        clear = photo.convert("RGBA")
    except FileNotFoundError:
        raise ValueError(f"there is no file {name}: give its name with the folder, seen from "
                         f"{Path.cwd().name}/") from None
    except UnidentifiedImageError:
        raise ValueError(f"{name} is not an image that can be read here: save it as JPEG or PNG "
                         "(phones may write HEIC)") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{name} cannot be read ({error}): save it anew as JPEG or "
                         "PNG") from None
    if min(photo.size) < SIDE:
        raise ValueError(f"{name} has {photo.width} x {photo.height} pixels: take a photo of "
                         f"{SIDE} x {SIDE} or more")
    white = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(white, clear).convert("RGB")


def remove_background(image):
    """Return image (H, W) with what is like its edges at 0 and its brightest part at 1."""
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    level = np.median(edge)
    noise = 3 * np.median(np.abs(edge - level))
    brightest = np.quantile(image, 0.995)
    if brightest - level - noise < STANDS_OUT:
        raise ValueError("nothing stands out from the background: lay the garment on a plain "
                         "surface, much brighter or much darker than it is")
    return np.clip((image - level - noise) / (brightest - level - noise), 0, 1)


def crop(image):
    """Return the part of image (H, W) that holds the garment: rows and columns with some of it."""
    inside = image > STANDS_OUT
    rows, columns = (np.flatnonzero(inside.mean(axis=axis) > 0.02) for axis in (1, 0))
    if not len(rows) or not len(columns):
        raise ValueError("what stands out from the background is a few pixels: go nearer, so that "
                         "the garment fills half of the photo")
    return image[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]


def centre(image):
    """Return image (H, W) with its longer side at 28 pixels, in the middle of (28, 28) zeros."""
    small = Image.fromarray(np.uint8(255 * image))
    scale = SIDE / max(small.size)
    small = small.resize([max(1, round(scale * side)) for side in small.size], Image.BOX)
    result = Image.new("L", (SIDE, SIDE))
    result.paste(small, ((SIDE - small.width) // 2, (SIDE - small.height) // 2))
    return np.asarray(result, float) / 255


def to_batch(image, size):
    """Return a (28, 28) image as the network takes it: (1, 1, size, size) float32 in [0, 1]."""
    X = torch.as_tensor(image, dtype=torch.float32)[None, None]
    return F.interpolate(X, (size, size), mode="bilinear", antialias=True)


def show_steps(steps, answer):
    """Return a figure of prepare()'s steps in a row, the answer in words above the last."""
    fig, axes = plt.subplots(1, len(steps), figsize=(9, 2.6), layout="constrained")
    for axis, (name, image) in zip(axes, steps.items(), strict=True):
        axis.imshow(image, cmap="gray", vmin=0, vmax=None if image.ndim == 3 else 1)
        axis.set_title(name if name != "as the data" else f"{name}:\n{answer}", fontsize=9)
        axis.axis("off")
    return fig


def answer_in_words(net, image):
    """Return net's two most probable classes for a (28, 28) image, in words."""
    from d2lvgg import LABELS

    device = next(net.parameters()).device
    with torch.no_grad():
        probabilities = net(to_batch(image, net.size).to(device)).softmax(dim=1)[0]
    values, classes = probabilities.topk(2)
    return "\n".join(f"{LABELS[kind]} {100 * value:.0f} %"
                     for value, kind in zip(values.tolist(), classes.tolist(), strict=True))


def choose(net):
    """Show a button that takes a file, and below it what net says of the garment in it."""
    import ipywidgets
    from IPython.display import display

    button = ipywidgets.FileUpload(accept="image/*", multiple=False,
                                   description="Choose an image")
    display(button)
    shown = display({"text/plain": "No image chosen yet."}, raw=True, display_id=True)

    def follow(_change):
        for upload in button.value:
            shown.update(**say(net, bytes(upload["content"])))

    button.observe(follow, "value")
    return None


def say(net, content):
    """Return what a display shows of a file's bytes: the steps as a picture, or one sentence."""
    try:
        steps = prepare(content)
    except ValueError as error:
        return {"obj": {"text/plain": f"Not possible: {error}"}, "raw": True}
    answer = answer_in_words(net, steps["as the data"])
    fig, picture = show_steps(steps, answer), io.BytesIO()
    fig.savefig(picture, format="png")
    plt.close(fig)
    words = "It says: " + answer.replace("\n", ", or ")
    return {"obj": {"image/png": base64.b64encode(picture.getvalue()).decode(),
                    "text/plain": words}, "raw": True,
            "metadata": {"image/png": {"alt": f"Your photo and the steps to 28 by 28. {words}"}}}


def draw_boot(path):
    """Write a drawn photo of a boot on a bright floor, 640 x 480 pixels, and return path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    across, down = np.meshgrid(np.linspace(0, 1, 640), np.linspace(0, 1, 480))
    light = 232 - 22 * down - 12 * across  # the floor is brighter near the window
    floor = np.stack([light, light - 6, light - 18], axis=-1).astype(np.uint8)
    photo = Image.fromarray(floor)
    draw = ImageDraw.Draw(photo)
    leather = [(330, 90), (455, 90), (452, 200), (462, 290), (462, 345), (150, 345), (146, 318),
               (165, 292), (230, 268), (296, 240), (322, 200)]
    draw.polygon(leather, fill=(104, 66, 40))
    draw.polygon([(330, 90), (455, 90), (455, 112), (329, 112)], fill=(132, 90, 60))
    draw.polygon([(146, 345), (464, 345), (464, 385), (395, 385), (388, 362), (146, 362)],
                 fill=(52, 36, 28))
    for height in range(150, 250, 22):  # laces
        draw.line([(322 - (height - 150) // 8, height), (352, height + 8)], fill=(196, 164, 128),
                  width=5)
    photo.filter(ImageFilter.GaussianBlur(1.5)).save(path)
    return path
