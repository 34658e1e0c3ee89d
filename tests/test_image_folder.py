"""A folder of images: formats, cropping, broken files, what is missing, what does not fit."""

import shutil
from collections import namedtuple

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from d2lvgg import data, image_folder, load_data_image_folder


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
    for image, label in zip(X, y, strict=True):
        assert image.mean(dim=(1, 2)).argmax() == (2, 0)[label]  # blue is channel 2
    assert train_iter.source == f"images in {mine}"


def test_lossless_images_of_the_right_size_keep_their_bytes(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    for part in ("train", "test"):
        paint(tmp_path / part / "noise" / "x.png")
        Image.fromarray(pixels).save(tmp_path / part / "noise" / "x.png")
    train_iter, _ = load_data_image_folder(tmp_path, 1, 24)
    assert np.array_equal(train_iter.images[0].numpy(), pixels.transpose(2, 0, 1))


def test_an_image_is_cropped_to_its_central_square_then_resized(tmp_path):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((90, 60), Image.Resampling.BICUBIC)
    for part in ("train", "test"):
        paint(tmp_path / part / "noise" / "x.png")
        image.save(tmp_path / part / "noise" / "x.png")
    train_iter, _ = load_data_image_folder(tmp_path, 1, 30)
    theirs = transforms.Compose([transforms.CenterCrop(60), transforms.Resize(30)])
    difference = train_iter.images[0].int().numpy() - np.asarray(theirs(image), int).transpose(
        2, 0, 1)
    assert np.abs(difference).max() <= 4  # at the cut edges; elsewhere 1
    assert np.abs(difference[:, 1:-1, 1:-1]).max() <= 1


def test_grey_images_and_turned_photographs_are_understood(mine):
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


def test_a_broken_image_is_named_and_left_out(mine):
    (mine / "train" / "red" / "broken.jpg").write_bytes(b"this is no image")
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


def test_many_broken_images_make_one_warning_of_a_readable_length(mine):
    for place in range(9):
        (mine / "test" / "red" / f"{place}.jpg").write_bytes(b"x")
    with pytest.warns(UserWarning, match="and 4 more") as caught:
        load_data_image_folder(mine, 4, 24)
    assert len(caught) == 1


def test_the_first_so_many_are_taken_class_by_class_in_turn(mine):
    train_iter, test_iter = load_data_image_folder(mine, 4, 24, num_train=4, num_test=1)
    assert train_iter.labels.tolist() == [0, 1, 0, 1]
    assert test_iter.labels.tolist() == [0]
    with pytest.raises(ValueError, match="7 images asked for.*training part has 6"):
        load_data_image_folder(mine, 4, 24, num_train=7)


def test_what_is_missing_is_said_in_one_sentence(mine, tmp_path):
    with pytest.raises(data.DataError, match="nowhere has no folder train/: put images into"):
        load_data_image_folder(tmp_path / "nowhere", 4, 24)
    paint(mine / "test" / "green" / "x.png")
    with pytest.raises(data.DataError, match="test has the class 'green', which .*train has not"):
        load_data_image_folder(mine, 4, 24)
    shutil.rmtree(mine / "test")
    with pytest.raises(data.DataError, match="has no folder test/: put images into"):
        load_data_image_folder(mine, 4, 24)
    (mine / "test").mkdir()
    with pytest.raises(data.DataError, match="test/blue holds no images that can be read: put"):
        load_data_image_folder(mine, 4, 24)
    (mine / "train" / "empty").mkdir()
    with pytest.raises(data.DataError, match="empty holds no images.*or delete the folder"):
        load_data_image_folder(mine, 4, 24)
    shutil.rmtree(mine / "train")
    with pytest.raises(data.DataError, match="has no folder train/"):
        load_data_image_folder(mine, 4, 24)


def test_images_outside_class_folders_are_no_images(tmp_path):
    for part in ("train", "test"):
        paint(tmp_path / part / "x.png")
    with pytest.raises(data.DataError, match="train/<class> holds no images"):
        load_data_image_folder(tmp_path, 4, 24)


def test_what_does_not_fit_the_memory_is_refused_before_it_is_read(mine, monkeypatch):
    free = namedtuple("Memory", "available")(30_000)
    monkeypatch.setattr(image_folder.psutil, "virtual_memory", lambda: free)
    with pytest.raises(data.DataError, match="needs 0.0 GB of memory at 100 pixels.*take fewer"):
        load_data_image_folder(mine, 4, 100)
    assert load_data_image_folder(mine, 4, 8)[0].images.shape == (6, 3, 8, 8)


@pytest.mark.parametrize(("resize", "words"), [
    (None, "resize is None: give a whole number of 1 or more"), (0, "whole number of 1 or more"),
    ("64", "resize is '64': give a whole number"), (32.0, "resize is 32.0: give a whole number")])
def test_a_folder_needs_a_size(mine, resize, words):
    with pytest.raises(ValueError, match=words):
        load_data_image_folder(mine, 4, resize)
