"""images/ is drawn by the lessons' code, the same bytes every time."""

import re

import matplotlib
import pytest

from tools import figures

PINNED = re.findall(r"^matplotlib==(\S+) ; python_full_version >= '3.11'$",
                    (figures.ROOT / "constraints.txt").read_text(), re.M)


@pytest.mark.skipif([matplotlib.__version__] != PINNED,
                    reason=f"images/ was drawn by matplotlib {PINNED}, and other versions differ")
def test_images_are_what_the_figures_draw(tmp_path):
    for path in figures.draw_all(tmp_path):
        assert path.read_bytes() == (figures.IMAGES / path.name).read_bytes(), path.name


def test_every_image_names_its_figure_and_is_shown():
    drawn = figures.all_figures()
    assert {path.name for path in figures.IMAGES.glob("*.svg")} == set(drawn)
    shown = "".join(path.read_text(encoding="utf-8") for path in
                    [figures.ROOT / "README.md", *figures.LESSONS.glob("*/lesson.md")])
    for name, (draw, source) in drawn.items():
        assert f"images/{name}" in shown
        text = (figures.IMAGES / name).read_text(encoding="utf-8")
        assert f"<!-- drawn by {source}, {draw.__name__}() -->" in text, "run `make figures`"
