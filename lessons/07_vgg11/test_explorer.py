"""The widget of lesson 07: its arithmetic, its sentences, and a real front end."""

import nbformat
import pytest
import torch
from forked import ForkedKernelManager
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from test_browser import CHROMIUM, ROOT, lab, open_notebook, page  # noqa: F401

from d2lvgg import VGG_ARCHS, shrink, trace_shapes, vgg
from d2lvgg.exercises import of_lesson

explorer = of_lesson("07", "explorer")

SUMS = ".jp-OutputArea-output p b"


def test_the_sums_are_those_of_the_lessons():
    table, sums = explorer.summarise(VGG_ARCHS["vgg11"], 1, 224, 128)
    assert sums == ("128,806,154 parameters, 15.094 GFLOP forward for one image, "
                    "7.22 GB to train on batches of 128")
    assert [tuple(row.output_shape) for row in table][:2] == [(1, 64, 112, 112), (1, 128, 56, 56)]
    assert table.params == 128_806_154


def test_training_memory_is_weights_gradients_and_what_autograd_keeps():
    net = vgg(shrink(VGG_ARCHS["vgg11"], 16), input_size=32)
    kept, weights = {}, {p.untyped_storage().data_ptr() for p in net.parameters()}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = (tensor, storage.nbytes())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        net(torch.randn(64, 1, 32, 32))
    wanted = sum(size for _, size in kept.values()) + 8 * sum(p.numel() for p in net.parameters())
    _, sums = explorer.summarise(VGG_ARCHS["vgg11"], 16, 32, 64)
    assert f" {wanted / 1e9:.2f} GB" in sums
    assert wanted > 1.05 * 8 * sum(p.numel() for p in net.parameters())  # what is kept counts


@pytest.mark.parametrize(("text", "arch"), [
    ("vgg16", VGG_ARCHS["vgg16"]), ("((1, 64), (2, 128))", ((1, 64), (2, 128)))])
def test_an_architecture_is_a_name_or_a_table(text, arch):
    assert explorer.read_arch(text) == arch


@pytest.mark.parametrize(("arch", "ratio", "size", "message"), [
    ("vgg12", 1, 224, "conv_arch is 'vgg12'"),
    ("((1, 64)", 1, 224, "conv_arch is '((1, 64)'"),
    ("__import__('os').getcwd()", 1, 224, "conv_arch is "),
    ("((1, 64))", 1, 224, "block 1 of conv_arch is 1"),
    ("", 1, 224, "conv_arch is ''"),
    ("vgg11", 1, 16, "does not survive 5 pools"),
    ("((1, 2),)", 4, 32, "give a whole number from 1 to 2")])
def test_what_cannot_be_is_refused_in_a_sentence(arch, ratio, size, message):
    with pytest.raises(ValueError, match="^[^\n]+$") as caught:
        explorer.summarise(explorer.read_arch(arch), ratio, size, 128)
    assert message in str(caught.value)


@pytest.fixture(scope="module")
def notebook():
    """A notebook that was executed with no front end, and a slider moved by the program."""
    cells = [nbformat.v4.new_code_cell(source) for source in (
        "from d2lvgg.exercises import of_lesson\n"
        "of_lesson('07', 'explorer').explore_vgg('vgg11', ratio=4)",
        "import ipywidgets\n"
        "slider = [w for w in ipywidgets.widgets.widget._instances.values()\n"
        "          if isinstance(w, ipywidgets.IntSlider)][0]\nslider.value = 16")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", timeout=120, record_timing=False,
                   kernel_manager_class=ForkedKernelManager).execute()
    return notebook


def test_without_a_front_end_there_is_a_described_picture(notebook):
    html, _ = HTMLExporter().from_notebook_node(notebook)
    picture = notebook.cells[0].outputs[2]
    assert 'src="data:image/png;base64,iVBOR' in html
    assert picture.metadata["image/png"]["alt"].endswith("to 16×112×112 to 32×56×56 to 64×28×28 "
                                                         "to 128×14×14 to 128×7×7")


def test_a_network_that_cannot_be_leaves_a_sentence(notebook):
    said = notebook.cells[0].outputs[1]["data"]
    assert said["text/plain"].startswith("Not possible: input_size 16 does not survive 5 pools")


def numbers_shown(page):  # noqa: F811
    """Return {'params': …} of the widget's sums, as the browser shows them."""
    sums = page.locator(SUMS, has_text="GFLOP").inner_text()
    words = sums.split()
    return {"params": int(words[0].replace(",", "")), "gflop": float(words[2]),
            "gigabytes": float(words[8])}


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not CHROMIUM, reason="no chromium: install it, or set CHROMIUM")
def test_in_the_browser_the_numbers_follow_the_controls(lab, page):  # noqa: F811
    open_notebook(page, lab, "07_vgg11.ipynb")
    picture = page.locator(".jp-OutputArea-output img[src^='data:image/png']").first
    before_run = picture.get_attribute("src")  # the static picture, before anything runs
    page.evaluate("() => { const panel = window.jupyterapp.shell.currentWidget;"
                  "const cell = panel.content.widgets.findIndex("
                  "cell => cell.model.sharedModel.getSource().includes('explore_vgg(\"vgg11\"'));"
                  "panel.content.activeCellIndex = cell;"
                  "window.jupyterapp.commands.execute('notebook:run-cell'); }")
    page.wait_for_selector(".widget-slider", timeout=120_000)
    page.wait_for_function("() => document.querySelectorAll('.widget-readout').length === 2")
    first = numbers_shown(page)
    assert first == {"params": 43_093_322, "gflop": 1.024, "gigabytes": 1.92}
    assert before_run

    page.locator(".widget-slider .noUi-handle").nth(1).focus()  # input_size
    for _ in range(14):
        page.keyboard.press("ArrowLeft")
    page.locator(SUMS, has_text="22,121,802 parameters").wait_for(timeout=60_000)
    assert numbers_shown(page)["gflop"] == 0.278
    assert picture.get_attribute("src") != before_run

    page.locator(".widget-combobox input, .widget-text input").first.fill("((1, 64), (2, 128))")
    page.keyboard.press("Enter")
    small = trace_shapes(vgg(((1, 16), (2, 32)), input_size=112), (1, 1, 112, 112)).params
    page.locator(SUMS, has_text=f"{small:,} parameters").wait_for(timeout=60_000)
    page.locator(".widget-combobox input, .widget-text input").first.fill("vgg12")
    page.keyboard.press("Enter")
    page.get_by_text("Not possible: conv_arch is 'vgg12'").wait_for(timeout=60_000)
    assert page.errors == []
    page.screenshot(path=ROOT / "build" / "widget.png")
