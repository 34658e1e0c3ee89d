"""Your own images, from a folder for each class: in colour, held on the device as bytes."""

import warnings
from pathlib import Path

import numpy as np
import psutil

from .data import DataError, make_loaders, whole_numbers


def load_data_image_folder(root, batch_size, resize, *, device=None, num_train=None, num_test=None,
                           seed=None):
    """Return (train_iter, test_iter) over the images in root/train/<class>/, root/test/<class>/.

    Each image, colour or grey, is cropped to its central square and brought to resize pixels a
    side: X (B, 3, resize, resize). `.classes` holds the class folders' names, sorted; a label is a
    place in it. num_train and num_test take so many, the classes in turn. A file that is no
    image is named in a warning and left out. Raises DataError where folders or images are
    missing or do not fit the memory, ValueError on bad numbers.
    """
    numbers = whole_numbers(optional=("num_train", "num_test", "seed"), batch_size=batch_size,
                            resize=resize, num_train=num_train, num_test=num_test, seed=seed)
    train, test, classes = read_image_folder(Path(root), numbers["resize"], numbers["num_train"],
                                             numbers["num_test"])
    return make_loaders(train, test, device=device, source=f"images in {root}", classes=classes,
                        **{**numbers, "resize": None})  # they have their size


def read_image_folder(root, side, num_train=None, num_test=None):
    """Return (train, test, classes) of an image folder, (images, labels) for each part."""
    for part in ("train", "test"):
        if not (root / part).is_dir():
            raise DataError(f"{root.absolute()} has no folder {part}/: put images into train/"
                            "<class>/ there, and others into test/<class>/")
    classes = class_names(root / "train")
    if unknown := set(class_names(root / "test")) - set(classes):
        raise DataError(f"{root}/test has the class {min(unknown)!r}, which {root}/train has not: "
                        "a network cannot name what it was never shown")
    train = read_part(root / "train", classes, side, num_train)
    test = read_part(root / "test", classes, side, num_test)
    return train, test, classes


def visible(folder):
    """Return what is in folder, sorted, without what systems leave behind."""
    return sorted(path for path in folder.glob("[!.]*")
                  if path.name not in ("Thumbs.db", "desktop.ini"))


def class_names(folder):
    return [path.name for path in visible(folder) if path.is_dir()]


def read_part(folder, classes, side, count=None):
    """Return (images, labels) of folder/<class>/*: classes in turn, the first count that open."""
    ranked = sorted((place, label, path) for label, name in enumerate(classes)
                    for place, path in enumerate(visible(folder / name)) if path.is_file())
    size = 2 * 3 * side * side * min(len(ranked), count or len(ranked))  # twice: one copy is made
    if size > (free := psutil.virtual_memory().available):
        raise DataError(f"{folder} needs {size / 1e9:.1f} GB of memory at {side} pixels a side, "
                        f"and {free / 1e9:.1f} GB are free: take fewer images, or a smaller resize")
    images, labels, broken = [], [], []
    for _, label, path in ranked:
        if len(images) == count:
            break
        try:
            images.append(read_image(path, side))
            labels.append(label)
        except Exception as error:  # what decoders raise for a broken file is not one family
            broken.append(f"{path} ({error})".replace(f" '{path}'", ""))
    if broken:
        more = f", and {len(broken) - 5} more" * (len(broken) > 5)
        warnings.warn("left out, as no image could be read from it: "
                      f"{'; '.join(broken[:5])}{more}", stacklevel=4)
    missing = [name for label, name in enumerate(classes) if label not in labels]
    if not images or missing and folder.name == "train" and count is None:
        raise DataError(f"{folder / (missing or ['<class>'])[0]} holds no images that can be read: "
                        "put JPEG or PNG files there, or delete the folder")
    return np.stack(images), np.array(labels)


def read_image(path, side):
    """Return an image's central square as uint8 (3, side, side)."""
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        image.draft("RGB", (2 * side, 2 * side))  # a large JPEG is decoded at part of its size
        upright = ImageOps.exif_transpose(image).convert("RGB")  # phones note how they were held
        square = ImageOps.fit(upright, (side, side), Image.Resampling.BILINEAR)
    return np.asarray(square).transpose(2, 0, 1)
