"""Fashion-MNIST as it is shipped, the loader's promises, and parity with torchvision."""

import gzip
import hashlib
import shutil
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

import d2lvgg.__main__
from d2lvgg import LABELS, data, load_data_fashion_mnist


@pytest.mark.parametrize("resize", [28, 32, 64, 96, 224])
def test_equals_torchvisions_resize_and_totensor(resize):
    _, test_iter = load_data_fashion_mnist(16, resize, num_test=48, device="cpu")
    theirs = transforms.Compose([transforms.Resize(resize), transforms.ToTensor()])
    images, _ = data.read_fashion_mnist()[1]
    expected = torch.stack([theirs(Image.fromarray(image)) for image in images[:48]])
    found = torch.cat([X for X, _ in test_iter])
    assert found.shape == (48, 1, resize, resize)
    assert (found - expected).abs().max() <= 1 / 255 + 1e-6


def test_the_float_path_of_a_gpu_agrees_too():
    torch.manual_seed(0)
    images = torch.randint(0, 256, (8, 1, 28, 28), dtype=torch.uint8)
    on_bytes = data.to_float(images, 96)
    on_floats = torch.nn.functional.interpolate(
        images.float(), (96, 96), mode="bilinear", antialias=True) / 255
    assert (on_bytes - on_floats).abs().max() <= 1 / 255 + 1e-6


def test_the_shipped_set_is_whole_and_in_the_published_order():
    train_iter, test_iter = load_data_fashion_mnist(128)
    assert (len(train_iter), len(test_iter)) == (469, 79)
    assert (train_iter.source, train_iter.classes) == ("Fashion-MNIST", LABELS)
    assert test_iter.labels[:5].tolist() == [9, 2, 1, 1, 6]
    assert LABELS[9] == "ankle boot"
    assert train_iter.labels.bincount().tolist() == [6000] * 10


@pytest.mark.parametrize(("name", "digest"), [
    ("train-images-idx3", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
    ("train-labels-idx1", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    ("t10k-images-idx3", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
    ("t10k-labels-idx1", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34")])
def test_the_shipped_files_are_the_published_ones_with_their_licence(name, digest):
    with gzip.open(data.FOLDER / f"{name}-ubyte.gz") as file:
        assert hashlib.sha256(file.read()).hexdigest() == digest
    licence = (data.FOLDER / "LICENSE").read_text()
    assert "Copyright (c) 2017 Zalando SE" in licence
    assert "arXiv:1708.07747" in licence


def test_the_set_is_read_once_and_no_loader_can_change_it_for_another():
    (images, labels), _ = data.read_fashion_mnist()
    assert data.read_fashion_mnist()[0][0] is images
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0
    first, _ = load_data_fashion_mnist(8, num_train=8)
    first.images.zero_()
    first.labels.zero_()
    second, _ = load_data_fashion_mnist(8, num_train=8)
    assert second.images.any()
    assert second.labels.tolist() == labels[:8].tolist()


SMALLEST = "t10k-labels-idx1-ubyte"


@pytest.fixture
def copy(monkeypatch, tmp_path):
    """The path of one shipped file, to be damaged, of a copy that is read in place of the set."""
    folder = tmp_path / "fashion_mnist"
    folder.mkdir()
    for name in data.FILES:
        (folder / f"{name}.gz").symlink_to(data.FOLDER / f"{name}.gz")
    path = folder / f"{SMALLEST}.gz"
    path.unlink()
    shutil.copy(data.FOLDER / path.name, path)
    monkeypatch.setattr(data, "FOLDER", folder)
    data.read_fashion_mnist.cache_clear()
    yield path
    data.read_fashion_mnist.cache_clear()


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def flip_a_label(path):
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] ^= 1
    path.write_bytes(gzip.compress(content))


def cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def shorten(path):
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-5]))


def replace_by_a_page(path):
    path.write_text("<!DOCTYPE html><html>404</html>")


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"more")


def empty(path):
    path.write_bytes(b"")


def delete(path):
    path.unlink()


@pytest.mark.parametrize("damage", [flip_a_bit, flip_a_label, cut, shorten, lengthen,
                                    replace_by_a_page, empty, delete])
def test_a_damaged_shipped_file_is_refused_in_one_sentence(copy, damage):
    data.read_file(SMALLEST)  # as it is, it is good
    damage(copy)
    with pytest.raises(data.DataError) as caught:
        data.read_file(SMALLEST)
    words = str(caught.value)
    assert words.startswith(f"{copy} is missing or damaged (")
    assert words.endswith("): install d2lvgg again, or in a clone of its repository run "
                          "`git checkout d2lvgg/fashion_mnist`")
    assert "()" not in words
    assert "\n" not in words


def test_a_damaged_shipped_file_stops_the_loader_and_the_command(copy, monkeypatch):
    load_data_fashion_mnist(8, num_train=8, num_test=8)
    data.read_fashion_mnist.cache_clear()
    flip_a_label(copy)
    for _ in range(2):  # the refusal is not forgotten
        with pytest.raises(data.DataError, match=copy.name):
            load_data_fashion_mnist(8, num_train=8, num_test=8)
    monkeypatch.setattr(sys, "argv", ["d2lvgg", "check"])
    with pytest.raises(SystemExit, match=f"^d2lvgg: .*{copy.name} is missing or damaged"):
        d2lvgg.__main__.main()


def test_batches_are_as_promised():
    train_iter, test_iter = load_data_fashion_mnist(32, 40, num_train=100, num_test=33)
    X, y = next(iter(train_iter))
    assert (X.shape, X.dtype) == ((32, 1, 40, 40), torch.float32)
    assert (y.shape, y.dtype) == ((32,), torch.int64)
    assert X.min() >= 0
    assert X.max() <= 1
    assert [len(y) for _, y in train_iter] == [32, 32, 32, 4]  # the short one is kept
    assert [len(y) for _, y in test_iter] == [32, 1]
    assert len(train_iter) == 4


def labels_of(loader):
    return torch.cat([y for _, y in loader])


def test_shuffling_is_seeded_and_complete():
    first, test_iter = load_data_fashion_mnist(16, num_train=200, num_test=50, seed=3)
    second, _ = load_data_fashion_mnist(16, num_train=200, num_test=50, seed=3)
    one, two = labels_of(first), labels_of(first)
    assert not torch.equal(one, two)  # a new order each epoch
    assert torch.equal(one, labels_of(second))
    assert torch.equal(one.bincount(), two.bincount())
    assert torch.equal(labels_of(test_iter), test_iter.labels)  # tests are in order
    torch.manual_seed(5)
    unseeded, _ = load_data_fashion_mnist(16, num_train=200, num_test=50)
    a = labels_of(unseeded)
    torch.manual_seed(5)
    assert torch.equal(a, labels_of(unseeded))


@pytest.mark.parametrize("options", [
    {"batch_size": 0}, {"batch_size": None}, {"batch_size": 1.5}, {"batch_size": True},
    {"resize": 0}, {"resize": "64"}, {"resize": np.float32(64)}, {"num_train": -1},
    {"num_train": False}, {"num_train": np.bool_(True)}, {"num_test": 2.0}, {"seed": -1},
    {"seed": "0"}, {"seed": 1.0}])
def test_bad_numbers_are_refused_in_words(options):
    (name, value), = options.items()
    least = 0 if name == "seed" else 1
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the words are compared below
        load_data_fashion_mnist(**{"batch_size": 8, **options})
    assert str(caught.value) == f"{name} is {value!r}: give a whole number of {least} or more"


@pytest.mark.parametrize("kind", [np.int64, np.uint8, torch.tensor])
def test_any_whole_number_will_do(kind):
    plain = load_data_fashion_mnist(4, 32, num_train=10, num_test=6, seed=0)
    other = load_data_fashion_mnist(kind(4), kind(32), num_train=kind(10), num_test=kind(6),
                                    seed=kind(0))
    for a, b in zip(plain, other, strict=True):
        assert len(a) == len(b)
        for (X, y), (X_other, y_other) in zip(a, b, strict=True):
            assert torch.equal(X, X_other)
            assert torch.equal(y, y_other)


@pytest.mark.parametrize(("options", "words"), [
    ({"num_train": 60_001}, "60,001 images asked for.*training part has 60,000"),
    ({"num_test": 10_001}, "10,001 images asked for.*test part has 10,000")])
def test_more_images_than_there_are(options, words):
    with pytest.raises(ValueError, match=words):
        load_data_fashion_mnist(8, **options)
