"""CIFAR-10: the search order, the checks, the fallback."""

import shutil
import warnings

import numpy as np
import pooch
import pytest
import torch
from PIL import Image
from torchvision.datasets import CIFAR10

from d2lvgg import CIFAR10_LABELS, cifar10, data, load_data_cifar10

pytestmark = pytest.mark.usefixtures("nowhere")


def test_where_it_comes_from_is_where_torchvision_has_it_from():
    assert CIFAR10.url.startswith(cifar10.SITE)
    assert len(CIFAR10_LABELS) == 10
    assert list(CIFAR10_LABELS) == sorted(CIFAR10_LABELS)


def test_the_archive_is_read_in_order_and_in_colour(archive, batches):
    train_iter, test_iter = load_data_cifar10(16, root=archive)
    assert train_iter.source == f"CIFAR-10, {archive}"
    assert train_iter.classes == CIFAR10_LABELS
    first = np.frombuffer(batches[cifar10.BATCHES[1]], np.uint8)[:cifar10.RECORD]
    assert train_iter.images[20].flatten().tolist() == first[1:].tolist()
    assert len(test_iter.labels) == 20
    X, y = next(iter(test_iter))
    assert (X.shape, X.dtype) == ((16, 3, 32, 32), torch.float32)
    assert (y.shape, y.dtype) == ((16,), torch.int64)
    red = np.frombuffer(batches[cifar10.BATCHES[-1]], np.uint8)[1:1 + 32 * 32].reshape(32, 32)
    torch.testing.assert_close(X[0, 0].cpu(), torch.tensor(red / 255, dtype=torch.float32))
    assert next(iter(load_data_cifar10(4, 48, root=archive)[0]))[0].shape == (4, 3, 48, 48)


def test_root_comes_first_then_the_variable_then_the_projects_folder(
        archive, nowhere, monkeypatch, tmp_path):
    shutil.copytree(archive, nowhere)
    shutil.copytree(archive, tmp_path / "variable")
    assert cifar10.find_cifar10()[2].endswith("data")
    monkeypatch.setenv("D2LVGG_DATA", str(tmp_path / "variable"))
    assert cifar10.find_cifar10()[2].endswith("variable")
    assert cifar10.find_cifar10(root=archive)[2].endswith("good")


class Mirror:
    """Stands where pooch's downloader stands; serves one file, and keeps the address."""

    content, asked = b"", []

    def __init__(self, **_options):
        pass

    def __call__(self, url, output, _pooch):
        self.asked.append(url)
        data.Path(output).write_bytes(self.content)


def test_a_download_is_asked_for_at_the_published_address(archive, nowhere, monkeypatch):
    monkeypatch.setattr(Mirror, "content", (archive / cifar10.ARCHIVE).read_bytes())
    monkeypatch.setattr(Mirror, "asked", [])
    monkeypatch.setattr(pooch, "HTTPDownloader", Mirror)
    train, _, source = cifar10.find_cifar10("download")
    assert source == "CIFAR-10, downloaded"
    assert Mirror.asked == [CIFAR10.url.replace("python", "binary")]  # torchvision's, beside it
    assert len(train[1]) == 100
    assert [path.name for path in nowhere.iterdir()] == [cifar10.ARCHIVE]
    assert cifar10.find_cifar10()[2].endswith("data")
    assert len(Mirror.asked) == 1  # no second download


def test_with_nothing_at_hand_shapes_are_drawn_and_say_so(nowhere):
    with pytest.warns(UserWarning, match="no CIFAR-10 could be had.*drawn shapes") as caught:
        train_iter, test_iter = load_data_cifar10(8, num_train=20, num_test=10)
    assert caught[0].filename == __file__  # it points at the caller's line
    assert train_iter.source == "coloured sketch set"
    assert (len(train_iter.labels), len(test_iter.labels)) == (20, 10)
    assert list(nowhere.iterdir()) == []  # nothing half-written


def test_asked_for_shapes_come_without_a_warning_and_bad_arguments_are_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_data_cifar10(8, num_train=20, num_test=5, source="sketch")[0]) == 3
    with pytest.raises(ValueError, match="'debian' is unknown: choose one of auto, folder, downl"):
        load_data_cifar10(8, source="debian")
    with pytest.raises(ValueError, match="batch_size is 0: give a whole number"):
        load_data_cifar10(0, source="sketch")


def test_more_images_than_there_are(archive):
    with pytest.raises(ValueError, match="101 images asked for.*training part has 100"):
        load_data_cifar10(8, num_train=101, root=archive)


def test_cifar10_as_image_files_is_taken_and_said_to_be_so(tmp_path):
    root = tmp_path / "images" / "cifar10"
    for part, count in (("train", 3), ("test", 2)):
        for name in CIFAR10_LABELS:
            (root / part / name).mkdir(parents=True)
            for place in range(count):
                Image.new("RGB", (32, 32), (place, 0, 0)).save(root / part / name / f"{place}.png")
    train_iter, test_iter = load_data_cifar10(8, num_train=25, root=tmp_path / "images")
    assert train_iter.source.startswith("CIFAR-10 as image files (not its own bytes), ")
    assert train_iter.labels.tolist() == [*range(10), *range(10), *range(5)]
    assert train_iter.images[24].tolist() == torch.tensor([2, 0, 0], dtype=torch.uint8).view(
        3, 1, 1).expand(3, 32, 32).tolist()
    assert len(test_iter.labels) == 20
