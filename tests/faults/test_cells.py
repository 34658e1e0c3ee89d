"""What students do to a notebook: stop a cell, run cells out of order, run everything twice."""

import os
import re
import threading
from pathlib import Path

import pytest
from forked import ForkedKernelManager
from werkzeug import Response

from d2lvgg import cifar10
from tools import notebooks

ROOT = Path(__file__).parents[2]

LESSONS = notebooks.lesson_folders()
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.name)


class Notebook:
    """A kernel, and what a student does to it."""

    def __init__(self, folder):
        self.manager = ForkedKernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, source, on_output=lambda message: None):
        """Run source as one cell; return (the text it printed, its error's name and words)."""
        printed = []

        def hook(message):
            printed.append(message["content"].get("text", ""))
            on_output(message)

        reply = self.client.execute_interactive(source, output_hook=hook, timeout=300,
                                                allow_stdin=False, stop_on_error=False)["content"]
        return "".join(printed), (reply.get("ename"), reply.get("evalue"))

    def stop_cell(self):
        self.manager.interrupt_kernel()

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def notebook(tmp_path):
    kernel = Notebook(tmp_path)
    yield kernel
    kernel.close()


FINE = (None, None)


def code_cells(path, edition="student"):
    notebook = notebooks.make_notebook(path, edition)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.slow  # two runs of each lesson; nbval has made one
@each_lesson
@pytest.mark.timeout(1500)
def test_a_lesson_run_twice_in_one_kernel_says_the_same_twice(path, notebook):
    cells = code_cells(path, "solutions")
    first, second = ([notebook.run(cell.source) for cell in cells] for _ in range(2))
    assert [error for _, error in first + second] == [FINE] * 2 * len(cells)
    for cell, (before, _), (after, _) in zip(cells, first, second, strict=True):
        if "nbval-check-output" in cell.metadata.get("tags", []):
            assert before == after, cell.id


@pytest.mark.slow  # again two runs of each lesson
@each_lesson
@pytest.mark.timeout(1500)
def test_cells_out_of_order_say_what_is_missing_and_spoil_nothing(path, notebook):
    imports, *rest = code_cells(path, "solutions")
    assert notebook.run(imports.source)[1] == FINE
    errors = [notebook.run(cell.source)[1] for cell in reversed(rest)]
    assert {name for name, _ in errors} == {None, "NameError"}, errors
    assert [notebook.run(cell.source)[1] for cell in [imports, *rest]] == [FINE] * (len(rest) + 1)


def test_a_training_cell_is_stopped_and_run_again(notebook):
    cells = code_cells(notebooks.lesson_folders(["09"])[0])
    place = next(place for place, cell in enumerate(cells) if "d2lvgg.train(" in cell.source)
    for cell in cells[:place]:
        assert notebook.run(cell.source)[1] == FINE
    assert notebook.run("wanted, scale = scale, scale._replace(num_epochs=1000)")[1] == FINE

    def stop_at_the_first_picture(message):
        if "image/png" in message["content"].get("data", {}) and not stopped.is_set():
            stopped.set()
            notebook.stop_cell()

    stopped = threading.Event()
    printed, error = notebook.run(cells[place].source, stop_at_the_first_picture)
    assert error == FINE
    assert "interrupted " in printed
    state = "print(history.interrupted, len(history.epochs))"
    assert re.fullmatch(r"True \d{1,3}\n", notebook.run(state)[0])
    notebook.run("scale = wanted")
    assert notebook.run(cells[place].source)[1] == FINE
    assert notebook.run(state)[0] == "False 2\n"
    assert [notebook.run(cell.source)[1] for cell in cells[place + 1:]] == (
        [FINE] * len(cells[place + 1:]))


def test_a_download_is_stopped_and_run_again(notebook, served, archive):
    server, folder = served
    over = threading.Event()

    def stall(_request):
        notebook.stop_cell()
        over.wait(30)
        return Response(b"")

    handler = server.expect_oneshot_request(f"/{cifar10.ARCHIVE}")
    handler.respond_with_handler(stall)
    server.expect_request(f"/{cifar10.ARCHIVE}").respond_with_data(
        (archive / cifar10.ARCHIVE).read_bytes())
    notebook.run("import d2lvgg; from d2lvgg import cifar10; from pathlib import Path\n"
                 f"cifar10.SITE, cifar10.ARCHIVE_HASH = "
                 f"{cifar10.SITE!r}, {cifar10.ARCHIVE_HASH!r}\n"
                 f"cifar10.DATA_FOLDER = Path({str(folder)!r})")
    load = "print(len(d2lvgg.load_data_cifar10(8, source='download')[0].labels))"
    assert notebook.run(load)[1][0] == "KeyboardInterrupt"
    over.set()
    assert os.listdir(folder) == []
    printed, error = notebook.run(load)
    assert (printed[-4:], error) == ("100\n", FINE)
