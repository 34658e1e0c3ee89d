"""CIFAR-10: found on the disk, else downloaded, else coloured shapes in its place.

It is read from its binary version. The version that torchvision downloads is a Python pickle,
which can run code while it is opened.
"""

import hashlib
import io
import os
import tarfile
import warnings
from functools import partial
from pathlib import Path

import numpy as np

from .data import DataError, make_loaders, whole_numbers
from .exercises import of_lesson
from .image_folder import read_image_folder

CIFAR10_LABELS = ("airplane", "automobile", "bird", "cat", "deer",
                  "dog", "frog", "horse", "ship", "truck")

# The binary version that https://www.cs.toronto.edu/~kriz/cifar.html names, and its MD5 from there.
SITE = "https://www.cs.toronto.edu/~kriz/"
ARCHIVE = "cifar-10-binary.tar.gz"
ARCHIVE_HASH = "md5:c32a1d4ab5d03f1284b67883e8d87530"
# The files in it. Each holds 10,000 records: a label byte, and 3 x 32 x 32 bytes of an image.
BATCHES = [f"cifar-10-batches-bin/{name}.bin" for name in (
    "data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")]
RECORD = 1 + 3 * 32 * 32  # bytes
SOURCES = ("auto", "folder", "download", "sketch")
DATA_FOLDER = Path(__file__).parents[1] / "data"  # the project's
TIMEOUT, RETRIES = 5, 2  # seconds without a byte before an attempt is given up; how many follow


def load_data_cifar10(batch_size, resize=None, *, device=None, num_train=None, num_test=None,
                      root=None, source="auto", seed=None):
    """Return (train_iter, test_iter) over CIFAR-10, X (B, 3, 32, 32), as for Fashion-MNIST.

    resize is the side in pixels (None: 32). source 'auto' looks in root, $D2LVGG_DATA and the
    project's data/, for CIFAR-10's binary version or for the set as image files in
    train/<class>/ and test/<class>/; then a download; then it falls back on drawn shapes with a
    warning. 'folder', 'download' and 'sketch' insist. `.source` says which it was, `.classes`
    names the labels. Raises DataError where the data cannot be had, ValueError on bad arguments.
    Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """
    numbers = whole_numbers(batch_size=batch_size, resize=resize, num_train=num_train,
                            num_test=num_test, seed=seed)
    train, test, found = find_cifar10(source, root, numbers["num_train"], numbers["num_test"])
    return make_loaders(train, test, device=device, source=found, classes=CIFAR10_LABELS, **numbers)


def find_cifar10(source="auto", root=None, num_train=None, num_test=None):
    """Return ((images, labels), (images, labels), source in words), uint8 (N, 3, 32, 32) and (N,).

    At least num_train and num_test images, where there are so many.
    """
    if source not in SOURCES:
        raise ValueError(f"source {source!r} is unknown: choose one of {', '.join(SOURCES)}")
    folders = [Path(place) for place in (root, os.environ.get("D2LVGG_DATA"), DATA_FOLDER) if place]
    steps = [("folder", partial(read_folder, folder, num_train, num_test)) for folder in folders]
    reasons = []
    for name, step in [*steps, ("download", partial(download, folders[0]))]:
        if source in ("auto", name):
            try:
                return step()
            except DataError as error:
                reasons.append(str(error))
    if source not in ("auto", "sketch"):
        raise DataError("; ".join(reasons))
    if reasons:
        warnings.warn("no CIFAR-10 could be had, so this runs on drawn shapes, and its accuracies "
                      f"compare with nothing published. Tried: {'; '.join(reasons)}", stacklevel=3)
    draw = of_lesson("14", "drawn").draw_images
    return draw(num_train or 10_000, seed=0), draw(num_test or 2_000, seed=1), "coloured sketch set"


def read_folder(folder, num_train, num_test):
    """Return what folder holds of CIFAR-10, in its own bytes or else as image files."""
    try:
        return *read_archive(folder), f"CIFAR-10, {folder}"
    except DataError:
        for place in (folder, folder / "cifar10"):  # one of its many copies as image files
            if all((place / "train" / name).is_dir() for name in CIFAR10_LABELS):
                train, test, _ = read_image_folder(place, 32, num_train, num_test)
                return train, test, f"CIFAR-10 as image files (not its own bytes), {place}"
        raise


def read_archive(folder):
    """Return (train, test), (images, labels) each, from the archive in folder.

    Raises DataError where it is not there, or is not byte for byte the published one.
    """
    archive = folder / ARCHIVE
    try:
        content = archive.read_bytes()
    except OSError as error:
        raise DataError(f"{archive} cannot be read ({error.strerror})") from None
    if f"md5:{hashlib.md5(content).hexdigest()}" != ARCHIVE_HASH:
        raise DataError(f"{archive} is not the published file: delete it, and it is fetched anew")
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:  # nothing is unpacked to the disk
        *train, test = (np.frombuffer(tar.extractfile(name).read(), np.uint8).reshape(-1, RECORD)
                        for name in BATCHES)
    return [(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0])
            for records in (np.concatenate(train), test)]


def download(folder):
    """Download the archive into folder, and return what it holds.

    It gets there whole and of the published hash, or not at all.
    """
    import pooch
    from requests.exceptions import RequestException

    pooch.get_logger().setLevel("WARNING")  # the bar says enough; its notes hold private paths
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # pooch writes a file of its own beside the archive, which takes its name when it is whole:
        # thirty students may start on one shared folder at once.
        pooch.create(path=folder, base_url=SITE, registry={ARCHIVE: ARCHIVE_HASH},
                     retry_if_failed=RETRIES).fetch(ARCHIVE, downloader=pooch.HTTPDownloader(
                         progressbar=True, timeout=TIMEOUT))
    except (RequestException, ValueError) as error:
        raise DataError(f"{SITE} cannot be reached, or sends another file ({type(error).__name__}):"
                        f" connect to the network, or put {ARCHIVE} into {folder}") from None
    except OSError as error:
        raise DataError(f"cannot write to {folder} ({error.strerror}): name a folder with 500 MB "
                        "free in root= or in the environment variable D2LVGG_DATA") from None
    return *read_archive(folder), "CIFAR-10, downloaded"
