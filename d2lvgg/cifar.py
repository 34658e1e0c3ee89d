"""CIFAR-10 and your own pictures: in colour, held on the training device as bytes.

CIFAR-10 is read from its binary version. The version that torchvision downloads is a Python
pickle, which can run code while it is opened.
"""

import hashlib
import tarfile
import warnings
import zlib
from pathlib import Path

import numpy as np
import psutil
from PIL import Image, ImageOps
from torchvision.datasets import CIFAR10

from .data import (
    DataError,
    check_numbers,
    data_folders,
    fetch,
    first_that_works,
    make_loaders,
    writable,
)
from .sketches import draw_colour_sketches

CIFAR10_LABELS = ("airplane", "automobile", "bird", "cat", "deer",
                  "dog", "frog", "horse", "ship", "truck")

SITE = CIFAR10.url.rsplit("/", 1)[0] + "/"
ARCHIVE = "cifar-10-binary.tar.gz"
ARCHIVE_HASH = "md5:c32a1d4ab5d03f1284b67883e8d87530"  # as published beside it
UNPACKED = "cifar-10-batches-bin"
# SHA-256 of each file. Its 10,000 records are a label byte and 3 x 32 x 32 bytes of picture.
BATCHES = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
PER_BATCH = 10_000
RECORD = 1 + 3 * 32 * 32  # bytes


def load_data_cifar10(batch_size, resize=None, *, device=None, num_train=None, num_test=None,
                      root=None, source="auto", seed=None):
    """Return (train_iter, test_iter) over CIFAR-10, X (B, 3, 32, 32), as for Fashion-MNIST.

    resize is the side in pixels (None: 32). source 'auto' looks in root, $D2LVGG_DATA and the
    project's data/, for CIFAR-10's binary version or for the set as picture files in
    train/<class>/ and test/<class>/; then a download; then it falls back on coloured sketches with
    a warning. 'folder', 'download' and 'sketch' insist. `.source` says which it was, `.classes`
    names the labels. Raises DataError where the data cannot be had, ValueError on bad arguments.
    Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """
    check_numbers(batch_size, resize=resize, num_train=num_train, num_test=num_test)
    train, test, found = find_cifar10(source, root, num_train, num_test)
    return make_loaders(train, test, batch_size, resize, device, num_train=num_train,
                        num_test=num_test, seed=seed, source=found, classes=CIFAR10_LABELS)


def find_cifar10(source="auto", root=None, num_train=None, num_test=None):
    """Return ((images, labels), (images, labels), source in words), uint8 (N, 3, 32, 32) and (N,).

    At least num_train and num_test pictures, where there are so many.
    """
    folders = data_folders(root)
    return first_that_works(source, "CIFAR-10", {
        "folder": lambda: from_folders(folders, num_train, num_test),
        "download": lambda: (*download(folders, num_train), "CIFAR-10, downloaded"),
        "sketch": lambda: (draw_colour_sketches(num_train or 10_000, seed=0),
                           draw_colour_sketches(num_test or 2_000, seed=1), "coloured sketch set"),
    })


def from_folders(folders, num_train, num_test):
    reasons = []
    for folder in folders:
        try:
            return *read_batches(folder, num_train), f"CIFAR-10, {folder}"
        except DataError as error:
            reasons.append(str(error))
        for place in (folder, folder / "cifar10"):  # one of its many copies as picture files
            if all((place / "train" / name).is_dir() for name in CIFAR10_LABELS):
                train, test, _ = read_folders(place, 32, num_train, num_test)
                return train, test, f"CIFAR-10 as picture files (not its own bytes), {place}"
    raise DataError("; ".join(reasons))


def read_batches(folder, num_train=None):
    """Return (train, test), (images, labels) each, from the archive in folder or its files.

    Reads the batches that hold the first num_train, and the test batch. Raises DataError where a
    file is missing, or is not byte for byte the published one.
    """
    archive, unpacked = folder / ARCHIVE, folder / UNPACKED
    *train_names, test_name = BATCHES
    count = len(train_names) if num_train is None else -(-num_train // PER_BATCH)
    names = [*train_names[:count], test_name]
    records = np.empty((len(names), PER_BATCH, RECORD), np.uint8)
    try:
        if archive.exists():
            with tarfile.open(archive, "r:gz") as tar:  # nothing is unpacked to the disk
                for place, name in enumerate(names):
                    file = tar.extractfile(f"{UNPACKED}/{name}")
                    records[place] = verify(file.read(PER_BATCH * RECORD + 1), archive / name)
        else:
            for place, name in enumerate(names):
                records[place] = verify((unpacked / name).read_bytes(), unpacked / name)
    except FileNotFoundError:
        raise DataError(f"{archive} is not there") from None
    except (tarfile.TarError, KeyError, EOFError, zlib.error) as error:
        raise DataError(f"{archive} is truncated or damaged ({error}): delete it, and it is "
                        "fetched anew") from None
    except OSError as error:
        raise DataError(f"{error.filename or archive} cannot be read "
                        f"({error.strerror or error}): delete it, and it is fetched anew") from None
    labels, images = records[..., 0], records[..., 1:].reshape(len(names), PER_BATCH, 3, 32, 32)
    train = images[:-1].reshape(-1, 3, 32, 32), labels[:-1].reshape(-1)
    return train, (images[-1], labels[-1])


def verify(content, path):
    """Return the records in content. Raises DataError unless it is the published file path.name."""
    if hashlib.sha256(content).hexdigest() != BATCHES[path.name]:
        raise DataError(f"{path} is not the published file ({len(content):,} bytes read, "
                        f"{PER_BATCH * RECORD:,} and another content wanted): delete it, and it "
                        "is fetched anew")
    return np.frombuffer(content, np.uint8).reshape(PER_BATCH, RECORD)


def download(folders, num_train):
    """Fetch the archive into the first of folders that can be written, and return what it holds."""
    folder = writable(folders)
    fetch(SITE, ARCHIVE, ARCHIVE_HASH, folder, ARCHIVE)
    return read_batches(folder, num_train)


def load_data_image_folder(root, batch_size, resize, *, device=None, num_train=None, num_test=None,
                           seed=None):
    """Return (train_iter, test_iter) over the pictures in root/train/<class>/, root/test/<class>/.

    Each picture, colour or grey, is cropped to its central square and brought to resize pixels a
    side: X (B, 3, resize, resize). `.classes` holds the class folders' names, sorted; a label is a
    place in it. num_train and num_test take so many, the classes in turn. A file that is no
    picture is named in a warning and left out. Raises DataError where folders or pictures are
    missing or do not fit the memory, ValueError on bad numbers.
    """
    check_numbers(batch_size, num_train=num_train, num_test=num_test)
    if type(resize) is not int or resize < 1:
        raise ValueError(f"resize is {resize!r}: pictures of many sizes become one, so give their "
                         "side in pixels, such as 64")
    train, test, classes = read_folders(Path(root), resize, num_train, num_test)
    return make_loaders(train, test, batch_size, None, device, num_train=num_train,
                        num_test=num_test, seed=seed, source=f"pictures in {root}", classes=classes)


def read_folders(root, side, num_train=None, num_test=None):
    """Return (train, test, classes) of a picture folder, (images, labels) for each part."""
    if not root.is_dir():
        raise DataError(f"{root} is not a folder (looked for from {Path.cwd()}): give the one "
                        "that holds train/ and test/")
    for part in ("train", "test"):
        if not (root / part).is_dir():
            raise DataError(f"{root} has no folder {part}/: put pictures into {root}/train/<class>/"
                            f" and others into {root}/test/<class>/")
    classes = class_names(root / "train")
    unknown = [name for name in class_names(root / "test") if name not in classes]
    if unknown:
        raise DataError(f"{root}/test has the class {unknown[0]!r}, which {root}/train has not: a "
                        f"network cannot name what it was never shown (train has "
                        f"{', '.join(classes) or 'no class folders'})")
    train = read_part(root / "train", classes, side, num_train)
    test = read_part(root / "test", classes, side, num_test)
    return train, test, classes


def class_names(folder):
    return sorted(path.name for path in folder.iterdir()
                  if path.is_dir() and not path.name.startswith("."))


def read_part(folder, classes, side, count=None):
    """Return (images, labels) of folder/<class>/*: classes in turn, the first count that open."""
    ranked = sorted((place, label, path) for label, name in enumerate(classes)
                    for place, path in enumerate(picture_files(folder / name)))
    size = 2 * 3 * side * side * min(len(ranked), count or len(ranked))  # twice: one copy is made
    free = psutil.virtual_memory().available
    if size > free:
        raise DataError(f"the pictures in {folder} need {size / 1e9:.1f} GB of memory at {side} "
                        f"pixels a side, and {free / 1e9:.1f} GB are free: take fewer (num_train, "
                        "num_test) or a smaller resize")
    images, labels, broken = [], [], []
    for _, label, path in ranked:
        if len(images) == count:
            break
        try:
            images.append(read_picture(path, side))
            labels.append(label)
        except Exception as error:  # what decoders raise for a broken file is not one family
            broken.append(f"{path} ({error})".replace(f" '{path}'", ""))
    if broken:
        more = f", and {len(broken) - 5} more" * (len(broken) > 5)
        warnings.warn(f"left out, as no picture could be read from it: "
                      f"{'; '.join(broken[:5])}{more}", stacklevel=4)
    if not images:
        raise DataError(f"{folder} holds no pictures that can be read: put JPEG or PNG files into "
                        f"{folder}/<class>/, one folder a class")
    missing = set(range(len(classes))) - set(labels)
    if missing and folder.name == "train" and count is None:
        raise DataError(f"{folder / classes[min(missing)]} holds no pictures that can be read: put "
                        "some there, or delete the folder")
    return np.stack(images), np.array(labels)


def picture_files(folder):
    """Return the files of a class folder, sorted, without those that systems leave behind."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file()
                  and not path.name.startswith(".") and path.name not in ("Thumbs.db",
                                                                          "desktop.ini"))


def read_picture(path, side):
    """Return a picture's central square as uint8 (3, side, side)."""
    with Image.open(path) as picture:
        picture.draft("RGB", (2 * side, 2 * side))  # a large JPEG is decoded at part of its size
        upright = ImageOps.exif_transpose(picture).convert("RGB")  # phones note how they were held
        square = ImageOps.fit(upright, (side, side), Image.Resampling.BILINEAR)
    return np.asarray(square).transpose(2, 0, 1)
