"""Fashion-MNIST, shipped with this module, and the loader that every data set here has.

The whole set is 47 MB as 28 x 28 bytes, held on the training device. It is enlarged a batch at a
time, so there are no worker processes, and nothing to wait for.
"""

import copy
import functools
import gzip
import hashlib
import operator
import zlib
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .devices import try_gpu

LABELS = ("t-shirt", "trouser", "pullover", "dress", "coat",
          "sandal", "shirt", "sneaker", "bag", "ankle boot")

FOLDER = Path(__file__).with_name("fashion_mnist")
FILES = {  # and the SHA-256 of their decompressed bytes
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


class DataError(RuntimeError):
    """Data that cannot be had or cannot be trusted; the text says which file and what to do."""


def load_data_fashion_mnist(batch_size, resize=None, *, device=None, num_train=None,
                            num_test=None, seed=None):
    """Return (train_iter, test_iter) over Fashion-MNIST, as d2l.load_data_fashion_mnist does.

    X (B, 1, H, W) float32 in [0, 1], y (B,) int64. resize is the side in pixels (None: 28);
    num_train and num_test take the first so many; with a seed every run shuffles alike. Raises
    ValueError on bad arguments, DataError where a shipped file is missing or damaged.
    Source: Dive into Deep Learning, section 4.2; Xiao et al. 2017, arXiv:1708.07747.
    """
    numbers = whole_numbers(batch_size=batch_size, resize=resize, num_train=num_train,
                            num_test=num_test, seed=seed)
    train, test = ((images[:, None], labels) for images, labels in read_fashion_mnist())
    return make_loaders(train, test, device=device, source="Fashion-MNIST", classes=LABELS,
                        **numbers)


@functools.cache  # once a process: 55 MB
def read_fashion_mnist():
    """Return (images, labels) of the training part and of the test part, as published.

    Read-only uint8 arrays of shape (N, 28, 28) and (N,). Raises DataError.
    """
    images, labels, test_images, test_labels = map(read_file, FILES)
    return (images, labels), (test_images, test_labels)


def read_file(name):
    """Return the array in a shipped file. Raises DataError unless it is the published one."""
    path = FOLDER / f"{name}.gz"
    try:
        content = gzip.decompress(path.read_bytes())
        if hashlib.sha256(content).hexdigest() != FILES[name]:
            raise ValueError("its contents are not the published ones")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path} is missing or damaged ({getattr(error, 'strerror', None) or error}"
                        "): install d2lvgg again, or in a clone of its repository run "
                        "`git checkout d2lvgg/fashion_mnist`") from None
    dimensions = content[3]  # an IDX file says how many, then how long each is, then its bytes
    shape = np.frombuffer(content, ">u4", dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def whole_numbers(optional=("resize", "num_train", "num_test", "seed"), **values):
    """Return the named values as ints. Raises ValueError for any other.

    Integers of numpy's are taken. None, which means "the default", stays None for optional names.
    """
    for name, value in values.items():
        if value is None and name in optional:
            continue
        least = 0 if name == "seed" else 1
        try:
            values[name] = operator.index(value)
        except TypeError:
            values[name] = least - 1
        if isinstance(value, (bool, np.bool_)) or values[name] < least:
            raise ValueError(f"{name} is {value!r}: give a whole number of {least} or more")
    return values


def make_loaders(train, test, *, num_train, num_test, device, **options):
    """Return ImageLoaders over the first so many of train and of test, (images, labels) each.

    options are ImageLoader's.
    """
    device = try_gpu() if device is None else torch.device(device)
    loaders = []
    for part, (images, labels), count in (("training", train, num_train), ("test", test, num_test)):
        if count is not None and count > len(labels):
            raise ValueError(f"{count:,} images asked for: the {part} part has {len(labels):,}")
        loaders.append(ImageLoader(images[:count], labels[:count], device=device,
                                   shuffle=part == "training", **options))
    return tuple(loaders)


class ImageLoader:
    """Batches of images from one device's memory, in the manner of a DataLoader.

    Yields X (B, C, H, W) float32 in [0, 1] and y (B,) int64. Keeps the short last batch. source
    says in words which data set it is, classes names the labels. With
    shuffle, each pass has a new order: from a generator seeded once where seed is a number, from
    torch's global one (torch.manual_seed) where it is None.
    """

    def __init__(self, images, labels, *, batch_size, resize, device, shuffle, seed, source,
                 classes):
        self.images = torch.tensor(images, device=device)  # (N, C, h, w) uint8
        self.labels = torch.tensor(labels, dtype=torch.int64, device=device)
        self.batch_size, self.resize, self.shuffle = batch_size, resize, shuffle
        self.source, self.classes = source, tuple(classes)
        self.generator = None if seed is None else torch.Generator(device).manual_seed(seed)
        self.augment, self.rank, self.world_size = None, 0, 1

    def __len__(self):
        return -(-len(self.labels) // self.batch_size)

    def __iter__(self):
        count, device = len(self.labels), self.labels.device
        order = torch.arange(count, device=device)
        if self.shuffle:
            order = torch.randperm(count, generator=self.generator, device=device)
        for places in order.split(self.batch_size):
            places = places.tensor_split(self.world_size)[self.rank]
            images = self.images[places]
            if self.augment:
                images = self.augment(images)
            yield to_float(images, self.resize), self.labels[places]

    def replace(self, **attributes):
        """Return this loader with other attributes, such as batch_size and resize.

        augment maps bytes (B, C, h, w) to as many, before each enlargement; with rank and
        world_size, each batch is cut into world_size parts, of which the loader gives one.
        """
        other = copy.copy(self)
        vars(other).update(attributes)
        return other


def to_float(images, resize=None):
    """Return uint8 images (B, C, h, w) as float32 in [0, 1], enlarged to resize pixels a side.

    Within 1/255 of torchvision's Resize + ToTensor, which the book's loader calls.
    """
    if resize:
        if images.device.type != "cpu":  # a CPU takes bytes: PIL's own arithmetic, to the bit
            images = images.float()
        images = F.interpolate(images, (resize, resize), mode="bilinear", antialias=True)
    return images.float() / 255
