"""CIFAR-10: found on the disk, else downloaded, else coloured shapes in its place.

It is read from its binary version. The version that torchvision downloads is a Python pickle,
which can run code while it is opened.
"""

import hashlib
import os
import tarfile
import warnings
import zlib
from functools import partial
from pathlib import Path

import numpy as np

from .data import DataError, make_loaders, whole_numbers
from .exercises import of_lesson
from .image_folder import read_image_folder

CIFAR10_LABELS = ("airplane", "automobile", "bird", "cat", "deer",
                  "dog", "frog", "horse", "ship", "truck")

# Address and hash of the binary version as published on https://www.cs.toronto.edu/~kriz/cifar.html
SITE = "https://www.cs.toronto.edu/~kriz/"
ARCHIVE = "cifar-10-binary.tar.gz"
ARCHIVE_HASH = "md5:c32a1d4ab5d03f1284b67883e8d87530"
UNPACKED = "cifar-10-batches-bin"
# SHA-256 of each file. Its 10,000 records are a label byte and 3 x 32 x 32 bytes of an image.
BATCHES = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
SOURCES = ("auto", "folder", "download", "sketch")
DATA_FOLDER = Path(__file__).parents[1] / "data"  # the project's
PER_BATCH = 10_000
RECORD = 1 + 3 * 32 * 32  # bytes
TIMEOUT = 5  # seconds without a byte before a download attempt is given up


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
        raise ValueError(f"the data source {source!r} is unknown: choose one of "
                         f"{', '.join(SOURCES)}")
    places = [root, os.environ.get("D2LVGG_DATA"), DATA_FOLDER]  # first choice first
    folders = [Path(place) for place in places if place]
    steps = [("folder", partial(read_folder, folder, num_train, num_test)) for folder in folders]
    steps += [("download", partial(download, folders, num_train)),
              ("sketch", partial(draw, num_train or 10_000, num_test or 2_000))]
    reasons = []
    for name, step in steps:
        if source not in ("auto", name):
            continue
        if reasons and name == "sketch":
            warnings.warn("no CIFAR-10 could be had, so this runs on drawn shapes, and its "
                          "accuracies compare with nothing published. Tried: "
                          + "; ".join(reasons), stacklevel=3)
        try:
            return step()
        except DataError as error:
            reasons.append(str(error))
    raise DataError("; ".join(reasons))


def draw(num_train, num_test):
    draw_images = of_lesson("14", "drawn").draw_images
    return draw_images(num_train, seed=0), draw_images(num_test, seed=1), "coloured sketch set"


def read_folder(folder, num_train, num_test):
    """Return what folder holds of CIFAR-10, in its own bytes or else as image files."""
    try:
        return *read_batches(folder, num_train), f"CIFAR-10, {folder}"
    except DataError:
        for place in (folder, folder / "cifar10"):  # one of its many copies as image files
            if all((place / "train" / name).is_dir() for name in CIFAR10_LABELS):
                train, test, _ = read_image_folder(place, 32, num_train, num_test)
                return train, test, f"CIFAR-10 as image files (not its own bytes), {place}"
        raise


def read_batches(folder, num_train=None):
    """Return (train, test), (images, labels) each, from the archive in folder or its files.

    Reads the batches that hold the first num_train, and the test batch. Raises DataError where a
    file is missing, or is not byte for byte the published one.
    """
    archive, unpacked = folder / ARCHIVE, folder / UNPACKED
    *train_names, test_name = BATCHES
    count = len(train_names) if num_train is None else -(-num_train // PER_BATCH)
    names = [*train_names[:count], test_name]
    try:
        if archive.exists():
            with tarfile.open(archive, "r:gz") as tar:  # nothing is unpacked to the disk
                contents = [tar.extractfile(f"{UNPACKED}/{name}").read(PER_BATCH * RECORD + 1)
                            for name in names]
        else:
            contents = [(unpacked / name).read_bytes() for name in names]
    except FileNotFoundError:
        raise DataError(f"{archive} is not there") from None
    except (tarfile.TarError, KeyError, EOFError, zlib.error) as error:
        raise DataError(f"{archive} is truncated or damaged ({error}): delete it, and it is "
                        "fetched anew") from None
    except OSError as error:
        raise DataError(f"{error.filename or archive} cannot be read "
                        f"({error.strerror or error}): delete it, and it is fetched anew") from None
    for name, content in zip(names, contents, strict=True):
        if hashlib.sha256(content).hexdigest() != BATCHES[name]:
            place = archive if archive.exists() else unpacked
            raise DataError(f"{place / name} is not the published file ({len(content):,} bytes "
                            f"read, {PER_BATCH * RECORD:,} and another content wanted): delete "
                            "it, and it is fetched anew")
    *train, test = (np.frombuffer(content, np.uint8).reshape(PER_BATCH, RECORD)
                    for content in contents)
    return [(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0])
            for records in (np.concatenate(train), test)]


def download(folders, num_train):
    """Download the archive into the first of folders, and return what it holds.

    It gets there whole and of the published hash, or not at all.
    """
    import pooch
    import requests

    folder = folders[0]

    def getter(url, output, mirror):
        try:
            pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)(url, output, mirror)
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
            # A DataError ends it here: pooch tries again after errors of requests alone, and a
            # student with no network would wait three times.
            raise DataError(f"{SITE} cannot be reached: connect to the network, or put {ARCHIVE} "
                            f"into {folder}") from None

    pooch.get_logger().setLevel("WARNING")  # the bar says enough; its notes hold private paths
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # pooch writes a file of its own beside the archive, which takes its name when it is whole:
        # thirty students may start on one shared folder at once.
        pooch.create(path=folder, base_url=SITE, registry={ARCHIVE: ARCHIVE_HASH},
                     retry_if_failed=2).fetch(ARCHIVE, downloader=getter)
    except (requests.exceptions.RequestException, ValueError) as error:
        raise DataError(f"the download of {ARCHIVE} failed ({error}): try again later, or put it "
                        f"into {folder} yourself") from None
    except OSError as error:
        raise DataError(f"cannot write to {folder} ({error.strerror}): name a folder with 500 MB "
                        "free that you can write to, in root= or in the environment variable "
                        "D2LVGG_DATA") from None
    return *read_batches(folder, num_train), "CIFAR-10, downloaded"
