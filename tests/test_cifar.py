"""CIFAR-10 and picture folders: the search order, the checks, the fallback, broken pictures."""

import hashlib
import io
import shutil
import socket
import tarfile
import warnings
from collections import namedtuple

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from d2lvgg import CIFAR10_LABELS, cifar, data, load_data_cifar10, load_data_image_folder
from d2lvgg.sketches import draw_colour_sketches

SITE = "https://www.cs.toronto.edu/~kriz/"


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    """No network, and no data but what a test makes."""
    def refuse(*_args, **_kwargs):
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("D2LVGG_DATA", raising=False)
    monkeypatch.setattr(cifar, "data_folders", lambda root=None: [
        *([data.Path(root)] if root else []), tmp_path / "data"])


@pytest.fixture
def batches(monkeypatch):
    """Six small files that stand for CIFAR-10's, by name, with hashes to match."""
    monkeypatch.setattr(cifar, "PER_BATCH", 20)
    random = np.random.default_rng(0)
    files = {}
    for name in cifar.BATCHES:
        records = random.integers(0, 256, (20, cifar.RECORD), dtype=np.uint8)
        records[:, 0] = np.arange(20) % 10
        files[name] = records.tobytes()
    monkeypatch.setattr(cifar, "BATCHES", {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()})
    return files


@pytest.fixture
def archive(batches, tmp_path):
    """A folder with the archive in it."""
    folder = tmp_path / "good"
    folder.mkdir()
    pack(batches, folder / cifar.ARCHIVE)
    return folder


def pack(files, path):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{cifar.UNPACKED}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def unpack(batches, folder):
    place = folder / cifar.UNPACKED
    place.mkdir(parents=True)
    for name, content in batches.items():
        (place / name).write_bytes(content)
    return place


def test_where_it_comes_from_is_where_torchvision_has_it_from():
    assert cifar.SITE == SITE
    assert cifar.ARCHIVE_HASH == "md5:c32a1d4ab5d03f1284b67883e8d87530"
    assert cifar.RECORD * cifar.PER_BATCH == 30_730_000
    assert len(CIFAR10_LABELS) == 10
    assert list(CIFAR10_LABELS) == sorted(CIFAR10_LABELS)


def test_the_archive_is_read_in_order_and_in_colour(archive, batches):
    train_iter, test_iter = load_data_cifar10(16, root=archive)
    assert train_iter.source == f"CIFAR-10, {archive}"
    assert train_iter.classes == CIFAR10_LABELS
    first = np.frombuffer(batches["data_batch_2.bin"], np.uint8)[:cifar.RECORD]
    assert train_iter.images[20].flatten().tolist() == first[1:].tolist()
    assert len(test_iter.labels) == 20
    X, y = next(iter(test_iter))
    assert (X.shape, X.dtype) == ((16, 3, 32, 32), torch.float32)
    assert (y.shape, y.dtype) == ((16,), torch.int64)
    red = np.frombuffer(batches["test_batch.bin"], np.uint8)[1:1 + 32 * 32].reshape(32, 32)
    torch.testing.assert_close(X[0, 0], torch.tensor(red / 255, dtype=torch.float32))
    assert next(iter(load_data_cifar10(4, 48, root=archive)[0]))[0].shape == (4, 3, 48, 48)


def test_unpacked_files_are_read_too_and_only_those_that_are_needed(batches, tmp_path):
    unpack(batches, tmp_path / "mine")
    (tmp_path / "mine" / cifar.UNPACKED / "data_batch_3.bin").unlink()
    train_iter, _ = load_data_cifar10(16, num_train=40, root=tmp_path / "mine")
    assert len(train_iter.labels) == 40
    with pytest.raises(data.DataError, match="is not there"):
        cifar.find_cifar10("folder", tmp_path / "mine")


def test_root_comes_first_then_the_other_folders(archive, tmp_path):
    shutil.copytree(archive, tmp_path / "data")
    assert cifar.find_cifar10(root=archive)[2].endswith("good")
    assert cifar.find_cifar10()[2].endswith("data")


def shorten(path):
    path.write_bytes(path.read_bytes()[:-300])


def not_a_tar(path):
    path.write_bytes(b"<!DOCTYPE html><html>404</html>")


def leave_one_out(path):
    pack({"data_batch_1.bin": b"x"}, path)


@pytest.mark.parametrize("damage", [shorten, not_a_tar, leave_one_out])
def test_a_damaged_archive_is_refused_by_name(archive, damage):
    damage(archive / cifar.ARCHIVE)
    with pytest.raises(data.DataError, match=f"{cifar.ARCHIVE}.*delete it, and it is fetched"):
        cifar.find_cifar10("folder", archive)


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + b"x",
                                    lambda c: c[:-1] + bytes([c[-1] ^ 1])])
def test_a_changed_file_is_refused_by_name(batches, tmp_path, change):
    place = unpack(batches, tmp_path / "mine") / "data_batch_4.bin"
    place.write_bytes(change(place.read_bytes()))
    with pytest.raises(data.DataError, match="data_batch_4.bin is not the published file"):
        cifar.find_cifar10("folder", tmp_path / "mine")


class Mirror:
    """Stands where pooch's downloader stands; serves one file, and keeps the address."""

    content, asked = b"", []

    def __init__(self, **_options):
        pass

    def __call__(self, url, output, _pooch):
        self.asked.append(url)
        data.Path(output).write_bytes(self.content)


def test_a_download_is_checked_and_moved_into_place(archive, monkeypatch, tmp_path):
    Mirror.content = (archive / cifar.ARCHIVE).read_bytes()
    monkeypatch.setattr(data.pooch, "HTTPDownloader", Mirror)
    with pytest.raises(data.DataError, match="download of .* failed .*put cifar-10-binary.tar.gz"):
        cifar.find_cifar10("download")  # not the published hash
    assert list((tmp_path / "data").iterdir()) == []
    found = hashlib.md5(Mirror.content).hexdigest()
    monkeypatch.setattr(cifar, "ARCHIVE_HASH", f"md5:{found}")
    train, _, source = cifar.find_cifar10("download")
    assert source == "CIFAR-10, downloaded"
    assert Mirror.asked[-1] == SITE + cifar.ARCHIVE
    assert len(train[1]) == 100
    assert [path.name for path in (tmp_path / "data").iterdir()] == [cifar.ARCHIVE]
    assert cifar.find_cifar10()[2].endswith("data")  # no second download


def test_no_network_is_one_clear_sentence():
    with pytest.raises(data.DataError, match=f"{SITE} cannot be reached: connect .* put cifar-10"):
        cifar.find_cifar10("download")


def test_with_nothing_at_hand_coloured_sketches_are_drawn_and_say_so(tmp_path):
    with pytest.warns(UserWarning, match="no CIFAR-10 could be had.*drawn sketches") as caught:
        train_iter, test_iter = load_data_cifar10(8, num_train=20, num_test=10)
    assert caught[0].filename == __file__  # it points at the caller's line
    assert "sketch" in train_iter.source
    assert (len(train_iter.labels), len(test_iter.labels)) == (20, 10)
    assert list((tmp_path / "data").iterdir()) == []  # nothing half-written


def test_asked_for_sketches_come_without_a_warning_and_bad_arguments_are_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_data_cifar10(8, num_train=20, num_test=5, source="sketch")[0]) == 3
    with pytest.raises(ValueError, match="'debian' is unknown: choose one of auto, folder, downl"):
        load_data_cifar10(8, source="debian")
    with pytest.raises(ValueError, match="batch_size is 0: give a whole number"):
        load_data_cifar10(0, source="sketch")


def test_more_pictures_than_there_are(archive):
    with pytest.raises(ValueError, match="101 pictures were asked for.*training part has 100"):
        load_data_cifar10(8, num_train=101, root=archive)


def test_coloured_sketches_are_ten_kinds_that_can_be_told_apart():
    images, labels = draw_colour_sketches(400, seed=0)
    assert (images.shape, images.dtype) == ((400, 3, 32, 32), np.uint8)
    assert np.bincount(labels).tolist() == [40] * 10
    assert np.array_equal(images, draw_colour_sketches(400, seed=0)[0])
    assert not np.array_equal(images, draw_colour_sketches(400, seed=1)[0])
    means = np.stack([images[labels == k][:20].mean(0).ravel() for k in range(10)])
    rest = np.concatenate([images[labels == k][20:] for k in range(10)]).reshape(200, -1)
    nearest = ((rest[:, None].astype(float) - means) ** 2).sum(-1).argmin(1)
    assert 0.3 < (nearest == np.repeat(np.arange(10), 20)).mean() < 0.9


# A folder of pictures

Kind = namedtuple("Kind", "name colour")


def paint(path, size=(40, 30), colour=(200, 30, 30), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).convert(mode).save(path, **options)
    return path


@pytest.fixture
def mine(tmp_path):
    """Two classes, in several formats and sizes; train has three of each, test one."""
    root = tmp_path / "mine"
    for name, colour in (("red", (200, 30, 30)), ("blue", (30, 30, 200))):
        paint(root / "train" / name / "a.png", (20, 20), colour)
        paint(root / "train" / name / "b.jpg", (600, 400), colour, quality=95)
        paint(root / "train" / name / "c.bmp", (30, 90), colour)
        paint(root / "test" / name / "d.webp", (33, 21), colour, lossless=True)
    return root


def test_a_folder_becomes_two_loaders(mine):
    train_iter, test_iter = load_data_image_folder(mine, 4, 24, seed=0)
    assert train_iter.classes == test_iter.classes == ("blue", "red")
    assert [len(y) for _, y in train_iter] == [4, 2]
    assert test_iter.labels.tolist() == [0, 1]
    X, y = next(iter(train_iter))
    assert (X.shape, X.dtype, y.dtype) == ((4, 3, 24, 24), torch.float32, torch.int64)
    for picture, label in zip(X, y, strict=True):
        assert picture.mean(dim=(1, 2)).argmax() == (2, 0)[label]  # blue is channel 2
    assert train_iter.source == f"pictures in {mine}"


def test_lossless_pictures_of_the_right_size_keep_their_bytes(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    for part in ("train", "test"):
        paint(tmp_path / part / "noise" / "x.png")
        Image.fromarray(pixels).save(tmp_path / part / "noise" / "x.png")
    train_iter, _ = load_data_image_folder(tmp_path, 1, 24)
    assert np.array_equal(train_iter.images[0].numpy(), pixels.transpose(2, 0, 1))


def test_a_picture_is_cropped_to_its_central_square_then_resized(tmp_path):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    picture = Image.fromarray(small).resize((90, 60), Image.Resampling.BICUBIC)
    for part in ("train", "test"):
        paint(tmp_path / part / "noise" / "x.png")
        picture.save(tmp_path / part / "noise" / "x.png")
    train_iter, _ = load_data_image_folder(tmp_path, 1, 30)
    theirs = transforms.Compose([transforms.CenterCrop(60), transforms.Resize(30)])
    difference = train_iter.images[0].int().numpy() - np.asarray(theirs(picture), int).transpose(
        2, 0, 1)
    assert np.abs(difference).max() <= 4  # at the cut edges; elsewhere 1
    assert np.abs(difference[:, 1:-1, 1:-1]).max() <= 1


def test_grey_pictures_and_turned_photographs_are_understood(mine):
    paint(mine / "train" / "red" / "grey.png", mode="L")
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: the file lies on its side
    lying = Image.new("RGB", (80, 80), (0, 0, 0))
    lying.paste((255, 255, 255), (0, 0, 40, 80))  # the left half of the file is the photo's top
    lying.save(mine / "train" / "red" / "photo.jpg", exif=exif, quality=95)
    train_iter, _ = load_data_image_folder(mine, 4, 8)
    red = train_iter.images[train_iter.labels == 1]
    assert (red.float().std(dim=1).mean(dim=(1, 2)) < 1).sum() == 2  # three equal channels
    photo = red[-1].float().mean(dim=0)
    assert photo[:3].mean() > 200
    assert photo[-3:].mean() < 50


def test_a_broken_picture_is_named_and_left_out(mine):
    (mine / "train" / "red" / "broken.jpg").write_bytes(b"this is no picture")
    whole = (mine / "train" / "blue" / "b.jpg").read_bytes()
    (mine / "train" / "blue" / "cut.jpg").write_bytes(whole[:len(whole) // 2])
    (mine / "train" / "blue" / ".DS_Store").write_bytes(b"left by a system")
    (mine / "train" / "blue" / "Thumbs.db").write_bytes(b"left by a system")
    (mine / "train" / ".ipynb_checkpoints").mkdir()
    with pytest.warns(UserWarning, match="left out") as caught:
        train_iter, _ = load_data_image_folder(mine, 4, 24)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    words = str(caught[0].message)
    assert words.count("broken.jpg") == 1  # Pillow's own message names the path once more
    assert words.count("cut.jpg") == 1
    assert "DS_Store" not in words
    assert "Thumbs" not in words
    assert len(train_iter.labels) == 6


def test_many_broken_pictures_make_one_warning_of_a_readable_length(mine):
    for place in range(9):
        (mine / "test" / "red" / f"{place}.jpg").write_bytes(b"x")
    with pytest.warns(UserWarning, match="and 4 more") as caught:
        load_data_image_folder(mine, 4, 24)
    assert len(caught) == 1


def test_the_first_so_many_are_taken_class_by_class_in_turn(mine):
    train_iter, test_iter = load_data_image_folder(mine, 4, 24, num_train=4, num_test=1)
    assert train_iter.labels.tolist() == [0, 1, 0, 1]
    assert test_iter.labels.tolist() == [0]
    with pytest.raises(ValueError, match="7 pictures were asked for.*training part has 6"):
        load_data_image_folder(mine, 4, 24, num_train=7)


def test_what_is_missing_is_said_in_one_sentence(mine, tmp_path):
    with pytest.raises(data.DataError, match="nowhere is not a folder.*train/ and test/"):
        load_data_image_folder(tmp_path / "nowhere", 4, 24)
    paint(mine / "test" / "green" / "x.png")
    with pytest.raises(data.DataError, match="test has the class 'green', which .*train has not.*"
                                             "train has blue, red"):
        load_data_image_folder(mine, 4, 24)
    shutil.rmtree(mine / "test")
    with pytest.raises(data.DataError, match="has no folder test/: put pictures into"):
        load_data_image_folder(mine, 4, 24)
    (mine / "test").mkdir()
    with pytest.raises(data.DataError, match="test holds no pictures that can be read: put JPEG"):
        load_data_image_folder(mine, 4, 24)
    (mine / "train" / "empty").mkdir()
    with pytest.raises(data.DataError, match="empty holds no pictures.*or delete the folder"):
        load_data_image_folder(mine, 4, 24)
    shutil.rmtree(mine / "train")
    with pytest.raises(data.DataError, match="has no folder train/"):
        load_data_image_folder(mine, 4, 24)


def test_pictures_outside_class_folders_are_no_pictures(tmp_path):
    for part in ("train", "test"):
        paint(tmp_path / part / "x.png")
    with pytest.raises(data.DataError, match="train holds no pictures.*one folder a class"):
        load_data_image_folder(tmp_path, 4, 24)


def test_what_does_not_fit_the_memory_is_refused_before_it_is_read(mine, monkeypatch):
    free = namedtuple("Memory", "available")(30_000)
    monkeypatch.setattr(cifar.psutil, "virtual_memory", lambda: free)
    with pytest.raises(data.DataError, match="need 0.0 GB of memory at 100 pixels.*take fewer"):
        load_data_image_folder(mine, 4, 100)
    assert load_data_image_folder(mine, 4, 8)[0].images.shape == (6, 3, 8, 8)


@pytest.mark.parametrize("resize", [None, 0, "64", 32.0])
def test_a_folder_needs_a_size(mine, resize):
    with pytest.raises(ValueError, match="give their side in pixels"):
        load_data_image_folder(mine, 4, resize)


def test_cifar10_as_picture_files_is_taken_and_said_to_be_so(tmp_path):
    root = tmp_path / "pictures" / "cifar10"
    for part, count in (("train", 3), ("test", 2)):
        for name in CIFAR10_LABELS:
            for place in range(count):
                paint(root / part / name / f"{place}.png", (32, 32), (place, 0, 0))
    train_iter, test_iter = load_data_cifar10(8, num_train=25, root=tmp_path / "pictures")
    assert train_iter.source.startswith("CIFAR-10 as picture files (not its own bytes), ")
    assert train_iter.labels.tolist() == [*range(10), *range(10), *range(5)]
    assert train_iter.images[24].tolist() == torch.tensor([2, 0, 0], dtype=torch.uint8).view(
        3, 1, 1).expand(3, 32, 32).tolist()
    assert len(test_iter.labels) == 20
