"""For readers who see no colours, other colours, or nothing: palettes, line styles, alt text."""

import itertools

import nbformat
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from test_notebooks import NOTEBOOKS

from d2lvgg import display
from d2lvgg.live import LivePlot
from tools import notebooks
from tools.figures import LAYER_COLOURS

# Machado, Oliveira, Fernandes 2009, table 1, severity 1: what a colour becomes, in linear RGB.
SEEN_BY = {
    "everybody": torch.eye(3).tolist(),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]]}
TO_XYZ = torch.tensor([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]])  # sRGB, D65
DRAWN = (display.BLUE, display.ORANGE, display.GREEN, display.YELLOW, display.SKY, display.RED)


def lab(colour, matrix):
    """Return a colour as CIE L*, a*, b*, as seen through the matrix."""
    rgb = torch.tensor(to_rgb(colour))
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ (torch.tensor(matrix) @ linear).clamp(0, 1) / TO_XYZ.sum(dim=1)
    f = torch.where(xyz > 216 / 24389, xyz ** (1 / 3), (24389 / 27 * xyz + 16) / 116)
    return torch.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def nearest(colours, matrix):
    return min(float((lab(a, matrix) - lab(b, matrix)).norm())
               for a, b in itertools.combinations(colours, 2))


def test_lab_is_lab():
    assert lab("#ffffff", SEEN_BY["everybody"]).tolist() == pytest.approx([100, 0, 0], abs=0.1)
    assert lab("#ff0000", SEEN_BY["everybody"]).tolist() == pytest.approx([53.2, 80.1, 67.2],
                                                                          abs=0.1)
    red_and_green = ("#C04020", "#6A7000")  # what this test is for: far apart, and yet alike
    assert nearest(red_and_green, SEEN_BY["everybody"]) > 60
    assert nearest(red_and_green, SEEN_BY["deuteranopia"]) < 15


@pytest.mark.parametrize("eyes", SEEN_BY)
@pytest.mark.parametrize(("colours", "least"), [(display.COLOURS, 30), (DRAWN, 15)],
                         ids=["curves", "drawn"])
def test_colours_stay_apart(colours, least, eyes):
    assert nearest(colours, SEEN_BY[eyes]) >= least


@pytest.mark.parametrize("colours", [display.COLOURS, tuple(LAYER_COLOURS.values())],
                         ids=["curves", "layers"])
def test_colours_stay_apart_in_grey(colours):
    grey = sorted(float(lab(colour, SEEN_BY["everybody"])[0]) for colour in colours)
    assert min(b - a for a, b in itertools.pairwise(grey)) >= 10
    assert max(grey) <= 80  # and apart from white paper


def test_a_curve_is_known_by_its_colour_or_its_style():
    display.use_png_display()
    try:
        styles = [(style["color"], style["linestyle"]) for style in plt.rcParams["axes.prop_cycle"]]
    finally:
        plt.rcdefaults()
    assert len(set(styles)) == len(styles) >= 10


def test_the_live_plots_lines_differ_in_style():
    animator = LivePlot(legend=list("abcd"))
    animator.add(0, (1, 2, 3, 4))
    assert len({line.get_linestyle() for line in animator.lines}) == 4


def test_a_figure_says_what_it_shows():
    fig, (left, right) = plt.subplots(1, 2)
    left.plot([1, 2], label="Adam")
    left.set(xlabel="step", ylabel="loss", yscale="log")
    left.legend()
    right.set_title("second\npanel")
    words = display.describe(fig)
    bare = display.describe(plt.figure())
    fig, panels = plt.subplots(1, 3)
    panels[0].set_title("original")
    one_of_three = display.describe(fig)
    fig, axes = plt.subplots()
    axes.set_ylabel("share that differs")
    three_words = display.describe(fig)
    plt.close("all")
    assert words == "2 panels. loss (logarithmic) against step, with Adam; second, panel."
    assert bare == one_of_three == three_words == ""  # the caption says it better


def test_a_picture_without_words_gets_its_caption():
    output = nbformat.v4.new_output("display_data", {"image/png": ""}, metadata={})
    named = nbformat.v4.new_output("display_data", {"image/png": ""},
                                   metadata={"image/png": {"alt": "loss against step."}})
    notebook = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_code_cell(outputs=[output, named]),
        nbformat.v4.new_markdown_cell("*A `net` of* five *blocks.*\n\nText.")])
    notebooks.add_alt_text(notebook)
    assert [out.metadata["image/png"]["alt"] for out in notebook.cells[0].outputs] == [
        "A net of five blocks.", "loss against step."]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_picture_of_a_notebook_has_alt_text(path):
    pictures = [(cell.id, output.metadata.get("image/png", {}).get("alt", ""))
                for cell in nbformat.read(path, as_version=4).cells
                for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
    assert [place for place, words in pictures if len(words.split()) < 4] == [], (
        "no alt text: build the lesson anew, and name the axes or put a caption under the picture")
