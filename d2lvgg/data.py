"""Fashion-MNIST, found wherever it is, held on the training device as bytes.

The whole set is 47 MB as 28 x 28 bytes. It is enlarged a batch at a time, so there are no worker
processes, and nothing to wait for.
"""

import copy
import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pooch
import requests
import torch
from torch.nn import functional as F
from torchvision.datasets import FashionMNIST

from .devices import try_gpu
from .sketches import draw_sketches

LABELS = ("t-shirt", "trouser", "pullover", "dress", "coat",
          "sandal", "shirt", "sneaker", "bag", "ankle boot")

# name: (SHA-256 of the decompressed bytes, their shape, bytes of header before them).
FILES = {
    "train-images-idx3-ubyte": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", (60_000, 28, 28), 16),
    "train-labels-idx1-ubyte": (
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", (60_000,), 8),
    "t10k-images-idx3-ubyte": (
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", (10_000, 28, 28), 16),
    "t10k-labels-idx1-ubyte": (
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", (10_000,), 8),
}
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # Debian: dataset-fashion-mnist
SOURCES = ("auto", "folder", "system", "download", "debian", "sketch")
pooch.get_logger().setLevel("WARNING")  # the bar says enough; its notes hold this machine's paths
TIMEOUT = 5  # seconds without a byte before a download attempt is given up


class DataError(RuntimeError):
    """Data that cannot be had or cannot be trusted; the text says which file and what to do."""


class PictureLoader:
    """Batches of pictures from one device's memory, in the manner of a DataLoader.

    Yields X (B, C, H, W) float32 in [0, 1] and y (B,) int64. Keeps the short last batch. With
    shuffle, each pass has a new order: from a generator seeded once where seed is a number, from
    torch's global one (torch.manual_seed) where it is None.
    """

    def __init__(self, images, labels, batch_size, resize, device, *, shuffle, seed, source,
                 classes=()):
        self.images = torch.tensor(images, device=device)  # (N, C, h, w) uint8
        self.labels = torch.tensor(labels, dtype=torch.int64, device=device)
        self.batch_size, self.resize, self.shuffle = batch_size, resize, shuffle
        self.source = source  # where the pictures came from, in words
        self.classes = tuple(classes)  # the name of each label
        self.generator = None if seed is None else torch.Generator(device).manual_seed(seed)
        self.augment, self.rank, self.world_size = None, 0, 1

    def __len__(self):
        return -(-len(self.labels) // self.batch_size)

    def __iter__(self):
        device = self.labels.device
        if self.shuffle:
            order = torch.randperm(len(self.labels), generator=self.generator, device=device)
        else:
            order = torch.arange(len(self.labels), device=device)
        for places in order.split(self.batch_size):
            places = places.tensor_split(self.world_size)[self.rank]
            images = self.images[places]
            if self.augment:
                images = self.augment(images)
            yield to_float(images, self.resize), self.labels[places]

    def augmented(self, augment):
        """Return this loader with augment, bytes (B, C, h, w) to bytes, before each enlargement."""
        other = copy.copy(self)
        other.augment = augment
        return other

    def shared(self, rank, world_size):
        """Return this loader with each batch cut into world_size parts, of which it gives one."""
        other = copy.copy(self)
        other.rank, other.world_size = rank, world_size
        return other

    def in_batches_of(self, batch_size):
        """Return this loader with batches of another size."""
        other = copy.copy(self)
        other.batch_size = batch_size
        return other


def to_float(images, resize=None):
    """Return uint8 pictures (B, C, h, w) as float32 in [0, 1], enlarged to resize pixels a side.

    Within 1/255 of torchvision's Resize + ToTensor, which the book's loader calls.
    """
    if resize and images.device.type == "cpu":  # on bytes: PIL's own arithmetic, to the bit
        images = F.interpolate(images, (resize, resize), mode="bilinear", antialias=True)
    elif resize:
        images = F.interpolate(images.float(), (resize, resize), mode="bilinear", antialias=True)
    return images.float() / 255


def load_data_fashion_mnist(batch_size, resize=None, *, device=None, num_train=None,
                            num_test=None, root=None, source="auto", seed=None):
    """Return (train_iter, test_iter) over Fashion-MNIST, as d2l.load_data_fashion_mnist does.

    resize is the side in pixels (None: 28); num_train and num_test take the first so many. source
    'auto' looks in root, $D2LVGG_DATA, the project's data/, a system copy, a download, Debian's
    package, and falls back on drawn sketches with a warning; `.source` of either result says which
    it was. Any other of SOURCES insists. Raises DataError where that one cannot be had, ValueError
    on bad arguments.
    Source: Dive into Deep Learning, section 4.2; Xiao et al. 2017, arXiv:1708.07747.
    """
    check_numbers(batch_size, resize=resize, num_train=num_train, num_test=num_test)
    arrays, found = find_fashion_mnist(source, root, num_train, num_test)
    train, test = ((arrays[f"{part}-images-idx3-ubyte"][:, None],
                    arrays[f"{part}-labels-idx1-ubyte"]) for part in ("train", "t10k"))
    return make_loaders(train, test, batch_size, resize, device, num_train=num_train,
                        num_test=num_test, seed=seed, source=found, classes=LABELS)


def check_numbers(batch_size, **others):
    """Raise ValueError unless each is a whole number above zero; the others may be None."""
    for name, value in {"batch_size": batch_size, **others}.items():
        if not (value is None and name != "batch_size" or type(value) is int and value > 0):
            raise ValueError(f"{name} is {value!r}: give a whole number above zero")


def make_loaders(train, test, batch_size, resize, device, *, num_train, num_test, seed, source,
                 classes):
    """Return PictureLoaders over the first so many of train and of test, (images, labels) each."""
    device = try_gpu() if device is None else torch.device(device)
    loaders = []
    for part, (images, labels), count in (("training", train, num_train), ("test", test, num_test)):
        if count is not None and count > len(labels):
            raise ValueError(f"{count:,} pictures were asked for, and the set's {part} part has "
                             f"{len(labels):,}")
        loaders.append(PictureLoader(images[:count], labels[:count], batch_size, resize, device,
                                     shuffle=part == "training", seed=seed, source=source,
                                     classes=classes))
    return tuple(loaders)


def find_fashion_mnist(source="auto", root=None, num_train=None, num_test=None):
    """Return (arrays, source in words): each name in FILES with its uint8 array.

    num_train and num_test matter to the sketch set alone, which draws as many as asked for.
    """
    return first_that_works(source, "Fashion-MNIST", {
        "folder": lambda: from_folders(data_folders(root)),
        "system": lambda: (read_folder(SYSTEM_FOLDER), f"Fashion-MNIST, {SYSTEM_FOLDER}"),
        "download": lambda: (download(data_folders(root)), "Fashion-MNIST, downloaded"),
        "debian": lambda: (unpack_debian(data_folders(root)), "Fashion-MNIST, Debian's package"),
        "sketch": lambda: (sketches(num_train or 12_000, num_test or 2_000), "sketch set"),
    })


def first_that_works(source, title, steps):
    """Return steps[source](), or for 'auto' the first that raises no DataError.

    The last step is 'sketch': 'auto' warns before it falls back on that.
    """
    if source not in ("auto", *steps):
        raise ValueError(f"the data source {source!r} is unknown: choose one of "
                         f"{', '.join(('auto', *steps))}")
    if source != "auto":
        return steps[source]()
    reasons = []
    for name, step in steps.items():
        if name == "sketch":
            warnings.warn(f"no {title} could be had, so this runs on drawn sketches, and its "
                          "accuracies compare with nothing published. Tried: "
                          + "; ".join(reasons), stacklevel=4)
        try:
            return step()
        except DataError as error:
            reasons.append(str(error))


def data_folders(root=None):
    """Return the folders where data may lie and be put, first choice first."""
    folders = [root, os.environ.get("D2LVGG_DATA"), Path(__file__).parents[1] / "data"]
    return [Path(folder) for folder in folders if folder]


def from_folders(folders):
    reasons = []
    for folder in folders:
        try:
            return read_folder(folder), f"Fashion-MNIST, {folder}"
        except DataError as error:
            reasons.append(str(error))
    raise DataError("; ".join(reasons))


def read_folder(folder):
    """Return the four verified arrays from folder, gzipped or not, or from the subfolder that
    torchvision and d2l use. Raises DataError naming the first file that is missing or wrong."""
    return {name: read_file(folder, name) for name in FILES}


def read_file(folder, name):
    reason = f"{Path(folder) / name}.gz is not there"
    for place in (Path(folder), Path(folder) / "FashionMNIST" / "raw"):
        for path in (place / f"{name}.gz", place / name):
            try:
                return verify(path.read_bytes(), path)
            except FileNotFoundError:
                continue
            except OSError as error:
                reason = f"{path} cannot be read ({error.strerror})"
            except DataError as error:
                # A damaged file is worth a word even when a good copy turns up elsewhere.
                warnings.warn(str(error), stacklevel=2)
                reason = str(error)
    raise DataError(reason)


def verify(data, path):
    """Return the uint8 array that data, gzipped or not, holds. Raises DataError if it is not
    byte for byte the published file; path is its place, whose name says which it should be."""
    name = path.name.removesuffix(".gz")
    expected_hash, shape, header = FILES[name]
    remedy = f"delete it, or run `python -m d2lvgg data` to fetch it anew into {data_folders()[-1]}"
    if path.suffix == ".gz":
        if data[:2] != b"\x1f\x8b":
            raise DataError(f"{path} is not a gzip file (it begins with {data[:15]!r}): {remedy}")
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, ValueError, gzip.zlib.error) as error:
            raise DataError(f"{path} is truncated or damaged ({error}): {remedy}") from None
    expected_size = header + int(np.prod(shape))
    if len(data) != expected_size:
        raise DataError(f"{path} holds {len(data):,} bytes and should hold {expected_size:,}: "
                        f"{remedy}")
    if hashlib.sha256(data).hexdigest() != expected_hash:
        raise DataError(f"{path} has the right size and the wrong contents: {remedy}")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def download(folders):
    """Fetch the four files into the first of folders that can be written, and return the arrays."""
    folder = writable(folders)
    for name, (file, md5) in zip(FILES, FashionMNIST.resources, strict=True):
        try:
            read_file(folder, name)
            continue
        except DataError:
            pass
        fetch(FashionMNIST.mirrors[0], file, f"md5:{md5}", folder,
              "the four files of Fashion-MNIST", lambda path: verify(path.read_bytes(), path))
    return read_folder(folder)


def fetch(base_url, file, known_hash, folder, wanted, check=lambda path: None):
    """Download file into folder, whole, of known_hash and passed by check(path), or not at all.

    wanted says what can be put there by hand, for a machine with no network.
    """
    def getter(url, output, mirror):
        try:
            pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)(url, output, mirror)
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
            # A DataError ends it here: pooch tries again after errors of requests alone, and a
            # student with no network would wait three times.
            raise DataError(f"{base_url} cannot be reached: connect to the network, or put "
                            f"{wanted} into {folder}") from None

    try:
        with tempfile.TemporaryDirectory(dir=folder) as private:
            # In a folder of its own: thirty students may start on one shared folder at once.
            fetcher = pooch.create(path=private, base_url=base_url, registry={file: known_hash},
                                   retry_if_failed=2)
            fetched = Path(fetcher.fetch(file, downloader=getter))
            check(fetched)
            os.replace(fetched, folder / file)
    except (requests.exceptions.RequestException, ValueError) as error:
        raise DataError(f"the download of {file} failed ({error}): try again later, or put "
                        f"{wanted} into {folder}") from None
    except OSError as error:
        raise DataError(no_room(folder, error.strerror)) from None


def unpack_debian(folders):
    """Unpack Debian's and Ubuntu's package without root, and return the arrays."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise DataError("this system has no apt-get, so Debian's package is out of reach")
    folder = writable(folders)
    with tempfile.TemporaryDirectory(dir=folder) as private:
        get = ["apt-get", "download", "-qq", "-o", f"Acquire::http::Timeout={TIMEOUT}",
               "-o", "Acquire::Retries=0", "-o", "APT::Sandbox::User=root", "dataset-fashion-mnist"]
        options = {"check": True, "capture_output": True, "env": {**os.environ, "LC_ALL": "C"}}
        try:
            subprocess.run(get, cwd=private, timeout=60, **options)
            package = next(Path(private).glob("*.deb"))
            subprocess.run(["dpkg-deb", "-x", package, private], **options)
        except (subprocess.SubprocessError, StopIteration) as error:
            if b"No space left on device" in (getattr(error, "stderr", None) or b""):
                raise DataError(no_room(folder, "No space left on device")) from None
            raise DataError("apt-get could not download dataset-fashion-mnist: an administrator "
                            "can install it with `apt-get install dataset-fashion-mnist`") from None
        unpacked = Path(private) / SYSTEM_FOLDER.relative_to("/")
        arrays = read_folder(unpacked)
        for name in FILES:
            os.replace(unpacked / f"{name}.gz", folder / f"{name}.gz")
    return arrays


def writable(folders):
    """Return the first of folders that can be written, made where it is missing."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            return folder
        except OSError as error:
            reason = no_room(folder, error.strerror)
    raise DataError(reason)


def no_room(folder, reason):
    return (f"cannot write to {folder} ({reason}): name a folder with 500 MB free that you "
            "can write to, in root= or in the environment variable D2LVGG_DATA")


def sketches(num_train, num_test):
    """Return the sketch set under the names of FILES."""
    train, test = draw_sketches(num_train, seed=0), draw_sketches(num_test, seed=1)
    return dict(zip(FILES, (*train, *test), strict=True))
