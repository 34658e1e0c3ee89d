"""images/ is drawn by the code, the same bytes every time."""

import re
from pathlib import Path

import matplotlib
import pytest

from d2lvgg import figures

ROOT = Path(__file__).parents[1]
PINNED = re.findall(r"^matplotlib==(\S+) ; python_full_version >= '3.11'$",
                    (ROOT / "constraints.txt").read_text(), re.M)


@pytest.mark.skipif([matplotlib.__version__] != PINNED,
                    reason=f"images/ was drawn by matplotlib {PINNED}, and other versions differ")
def test_images_are_what_the_figures_draw(tmp_path):
    for path in figures.draw_all(tmp_path):
        assert path.read_bytes() == (figures.IMAGES / path.name).read_bytes(), path.name


def test_every_image_has_its_figure_and_is_shown():
    drawn = {draw.__name__ for draw in figures.FIGURES}
    assert {path.stem for path in figures.IMAGES.glob("*.svg")} == drawn
    shown = "".join(path.read_text(encoding="utf-8")
                    for path in [ROOT / "README.md", *ROOT.glob("lessons/*.md")])
    assert [name for name in drawn if f"images/{name}.svg" not in shown] == []
