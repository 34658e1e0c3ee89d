"""A photo becomes an image like the data, or one sentence says why it cannot."""

import io
import re
from datetime import datetime, timezone

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from d2lvgg.data import read_fashion_mnist
from d2lvgg.exercises import of_lesson

garment = of_lesson("00", "your_garment")


def photo_of(image, background, sign, mode="RGB", size=(640, 480), place=(150, 60)):
    """Return a large photo of a 28 x 28 garment, bytes, on a background of brightness 0 to 255."""
    large = np.asarray(Image.fromarray(image).resize((300, 300), Image.BICUBIC), float)
    photo = np.full((size[1], size[0]), float(background))
    photo[place[1]:place[1] + 300, place[0]:place[0] + 300] += sign * 0.75 * large
    return Image.fromarray(photo.clip(0, 255).astype(np.uint8)).convert(mode)


def as_bytes(photo, kind="PNG"):
    content = io.BytesIO()
    photo.save(content, kind)
    return content.getvalue()


def likeness(found, wanted):
    """Return the correlation of two 28 x 28 images, at the best shift of up to two pixels."""
    return max(np.corrcoef(np.roll(found, (down, right), (0, 1)).ravel(), wanted.ravel())[0, 1]
               for down in range(-2, 3) for right in range(-2, 3))


@pytest.fixture(scope="module")
def trousers():
    images, labels = read_fashion_mnist()[1]
    return images[np.flatnonzero(labels == 1)[0]]


@pytest.mark.parametrize(("background", "sign"), [(235, -1), (20, 1)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_a_photo_of_a_garment_of_the_data_becomes_that_garment(trousers, background, sign, kind):
    steps = garment.prepare(as_bytes(photo_of(trousers, background, sign), kind))
    found = steps["as the data"]
    assert found.shape == (28, 28)
    assert found.min() == 0
    assert found.max() > 0.9
    assert likeness(found, trousers) > 0.9


def test_the_steps_are_told_in_order(trousers):
    steps = garment.prepare(photo_of(trousers, 235, -1))
    assert list(steps) == ["photo", "grey", "dark background", "cropped", "as the data"]
    assert steps["photo"].shape == (420, 560, 3)
    assert steps["cropped"].shape < steps["dark background"].shape == (420, 560)
    for name, image in list(steps.items())[1:]:
        assert image.min() >= 0, name
        assert image.max() <= 1, name


def test_the_longer_side_fills_the_image_and_the_other_is_centred():
    photo = np.full((300, 400), 240, np.uint8)
    photo[50:250, 300:340] = 30  # a narrow thing, far to the right
    found = garment.prepare(Image.fromarray(photo))["as the data"]
    rows, columns = (np.flatnonzero(found.max(axis=axis) > 0.5) for axis in (1, 0))
    assert (rows[0], rows[-1]) == (0, 27)
    assert abs(columns[0] + columns[-1] - 27) <= 1
    assert 4 <= len(columns) <= 7


def test_a_phone_that_was_held_sideways_changes_nothing(trousers):
    upright = photo_of(trousers, 235, -1)
    lying = upright.rotate(90, expand=True)
    noted = Image.Exif()
    noted[0x0112] = 6  # to be turned by a quarter, clockwise
    content = io.BytesIO()
    lying.save(content, "PNG", exif=noted)
    same = garment.prepare(content.getvalue())["as the data"]
    assert np.allclose(same, garment.prepare(as_bytes(upright))["as the data"], atol=0.02)


def test_what_is_transparent_counts_as_white(trousers):
    photo = photo_of(trousers, 235, -1, "RGBA")
    clear = np.array(photo)
    clear[clear[..., 0] > 225, 3] = 0
    found = garment.prepare(as_bytes(Image.fromarray(clear)))["as the data"]
    assert likeness(found, trousers) > 0.9


def test_the_drawn_boot_is_prepared_from_its_file(tmp_path):
    path = garment.draw_boot(tmp_path / "new" / "boot.png")
    found = garment.prepare(str(path))["as the data"]
    assert found[:8, :10].max() < 0.1  # above the toe there is nothing
    assert found[20:, :].mean() > 0.4


def plain(brightness, side=200):
    return as_bytes(Image.new("L", (side, side), brightness))


def speck():
    photo = Image.new("L", (400, 400), 240)
    for place in range(40):
        photo.putpixel((200 + place % 5, 200 + place // 5), 0)
    return as_bytes(photo)


@pytest.mark.parametrize(("source", "message"), [
    ("no_such_file.png", "there is no file 'no_such_file.png'"),
    (b"these are words", "the file is not an image that can be read here"),
    (b"", "the file is not an image"),
    (as_bytes(Image.effect_noise((300, 300), 60))[:4000], "the file cannot be read"),
    (plain(128), "nothing stands out from the background"),
    (plain(255), "nothing stands out from the background"),
    (plain(0), "nothing stands out from the background"),
    (plain(0, 20), "the file has 20 x 20 pixels"),
    (speck(), "nothing stands out|a few pixels"),
])
def test_a_bad_file_gets_one_sentence(source, message):
    with pytest.raises(ValueError, match="^[^\n]+$") as caught:
        garment.prepare(source)
    assert re.search(message, str(caught.value))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        garment.prepare(tmp_path)


class Always(nn.Module):
    """Says ankle boot, whatever it is shown."""

    size = 96

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.eye(10)[9] * 5)

    def forward(self, X):
        assert X.shape[1:] == (1, self.size, self.size)
        return self.bias.expand(len(X), 10)


def test_an_uploaded_file_is_shown_with_its_answer(trousers):
    said = garment.say(Always(), as_bytes(photo_of(trousers, 235, -1)))
    assert set(said["obj"]) == {"image/png", "text/plain"}
    assert said["obj"]["text/plain"].startswith("It says: ankle boot 94 %, or ")
    assert "ankle boot" in said["metadata"]["image/png"]["alt"]


def test_an_uploaded_file_that_is_no_image_is_refused_in_a_sentence():
    said = garment.say(Always(), b"words")
    assert said["obj"]["text/plain"].startswith("Not possible: the file is not an image")


def test_the_button_takes_a_file(trousers):
    shown = []

    class Handle:
        def update(self, obj, raw, metadata=None):
            shown.append(obj)

    import IPython.display
    import ipywidgets

    monkey = pytest.MonkeyPatch()
    buttons = []
    monkey.setattr(IPython.display, "display", lambda *what, **_: buttons.extend(what) or Handle())
    garment.choose(Always())
    monkey.undo()
    button = buttons[0]
    assert isinstance(button, ipywidgets.FileUpload)
    button.value = ({"name": "mine.png", "type": "image/png", "size": 1,
                     "last_modified": datetime.now(timezone.utc),
                     "content": memoryview(as_bytes(photo_of(trousers, 235, -1)))},)
    assert shown[-1]["text/plain"].startswith("It says: ankle boot")
