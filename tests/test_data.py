"""Fashion-MNIST: the search order, the checks, the fallback, and parity with torchvision."""

import gzip
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from d2lvgg import LABELS, data, load_data_fashion_mnist
from d2lvgg.sketches import draw_sketches

needs_real = pytest.mark.skipif(
    not data.SYSTEM_FOLDER.exists(),
    reason="no real Fashion-MNIST: apt-get install dataset-fashion-mnist")


@needs_real
@pytest.mark.parametrize("resize", [28, 32, 64, 96, 224])
def test_equals_torchvisions_resize_and_totensor(resize):
    _, test_iter = load_data_fashion_mnist(16, resize, num_test=48, source="system")
    theirs = transforms.Compose([transforms.Resize(resize), transforms.ToTensor()])
    images = data.find_fashion_mnist("system")[0]["t10k-images-idx3-ubyte"]
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


@needs_real
def test_real_data_is_whole_and_in_the_published_order():
    train_iter, test_iter = load_data_fashion_mnist(128, source="system")
    assert (len(train_iter), len(test_iter)) == (469, 79)
    assert test_iter.labels[:5].tolist() == [9, 2, 1, 1, 6]
    assert LABELS[9] == "ankle boot"
    assert train_iter.labels.bincount().tolist() == [6000] * 10


def test_batches_are_as_promised():
    train_iter, test_iter = load_data_fashion_mnist(
        32, 40, num_train=100, num_test=33, source="sketch")
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
    first, test_iter = load_data_fashion_mnist(16, num_train=200, source="sketch", seed=3)
    second, _ = load_data_fashion_mnist(16, num_train=200, source="sketch", seed=3)
    one, two = labels_of(first), labels_of(first)
    assert not torch.equal(one, two)  # a new order each epoch
    assert torch.equal(one, labels_of(second))
    assert torch.equal(one.bincount(), two.bincount())
    assert torch.equal(labels_of(test_iter), test_iter.labels)  # tests are in order
    torch.manual_seed(5)
    unseeded, _ = load_data_fashion_mnist(16, num_train=200, source="sketch")
    a = labels_of(unseeded)
    torch.manual_seed(5)
    assert torch.equal(a, labels_of(unseeded))


def test_explicit_root_comes_first_then_the_variable(tiny, monkeypatch, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(tiny, other)
    monkeypatch.setenv("D2LVGG_DATA", str(other))
    assert data.find_fashion_mnist(root=tiny)[1].endswith("good")
    assert data.find_fashion_mnist()[1].endswith("other")


def test_torchvisions_folder_and_extracted_files_are_read(tiny, tmp_path):
    raw = tmp_path / "root" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for path in tiny.iterdir():
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    assert "root" in data.find_fashion_mnist("folder", tmp_path / "root")[1]


def test_an_unwritable_folder_is_one_clear_sentence(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setattr(data, "data_folders", lambda root=None: [blocked / "data"])
    with pytest.raises(data.DataError, match="cannot write to .*D2LVGG_DATA"):
        data.find_fashion_mnist("download")


@pytest.mark.parametrize("options", [
    {"batch_size": 0}, {"batch_size": None}, {"batch_size": 1.5}, {"resize": 0}, {"resize": "64"},
    {"num_train": -1}, {"num_test": 2.0}])
def test_bad_numbers_are_refused_in_words(options):
    (name, value), = options.items()
    with pytest.raises(ValueError, match=f"{name} is {value!r}: give a whole number"):
        load_data_fashion_mnist(**{"batch_size": 8, "source": "sketch", **options})


def test_more_pictures_than_there_are(tiny):
    with pytest.raises(ValueError, match="21 pictures were asked for.*training part has 20"):
        load_data_fashion_mnist(8, num_train=21, root=tiny)


def test_an_unknown_source_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'web' is unknown: choose one of auto, folder"):
        load_data_fashion_mnist(8, source="web")


def test_sketches_are_ten_kinds_that_can_be_told_apart():
    images, labels = draw_sketches(400, seed=0)
    assert (images.shape, images.dtype) == ((400, 28, 28), np.uint8)
    assert np.bincount(labels).tolist() == [40] * 10
    again, _ = draw_sketches(400, seed=0)
    assert np.array_equal(images, again)
    means = np.stack([images[labels == k][:20].mean(0).ravel() for k in range(10)])
    rest = np.concatenate([images[labels == k][20:] for k in range(10)]).reshape(200, -1)
    nearest = ((rest[:, None].astype(float) - means) ** 2).sum(-1).argmin(1)
    assert (nearest == np.repeat(np.arange(10), 20)).mean() > 0.5  # ten blind kinds: 0.1
