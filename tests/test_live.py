"""The live plot: in place, throttled, whole at the end, in every front end; with d2l, without."""

import inspect

import nbformat
import pytest
from d2l import torch as d2l
from forked import ForkedKernelManager, run_python
from matplotlib import pyplot as plt
from nbclient import NotebookClient

import d2lvgg
from d2lvgg import live
from d2lvgg.live import LivePlot


class Clock:
    """A clock that stands still but for what the test and the drawing add to it."""

    now = 0.0

    def __call__(self):
        return self.now


def run_notebook(*sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", timeout=120, record_timing=False,
                   kernel_manager_class=ForkedKernelManager).execute()
    return notebook


def pictures(cell):
    return [output.data["image/png"] for output in cell.outputs if "image/png" in
            output.get("data", {})]


def test_live_animator_is_live_plot_and_the_books_animator_and_draws_once():
    assert d2lvgg.LiveAnimator is live.LiveAnimator
    assert issubclass(d2lvgg.LiveAnimator, LivePlot)
    assert issubclass(d2lvgg.LiveAnimator, d2l.Animator)
    open_before = plt.get_fignums()
    animator = d2lvgg.LiveAnimator("epoch", figsize=(2, 2))
    assert isinstance(animator, d2l.Animator)
    assert plt.get_fignums() == open_before  # where the book's own __init__ leaves a figure
    animator.add(1, 2.0)
    assert (animator.X, animator.Y, animator.frames) == ([[1]], [[2.0]], 1)
    with pytest.raises(AttributeError, match="no attribute LiveAnimators"):
        _ = live.LiveAnimators


@pytest.mark.parametrize("method", ["__init__", "add"])
def test_arguments_are_the_books(method):
    books, ours = (list(inspect.signature(getattr(kind, method)).parameters.values())
                   for kind in (d2l.Animator, LivePlot))
    assert ours[:len(books)] == books
    assert all(more.default is not inspect.Parameter.empty for more in ours[len(books):])


ADDED = {"scalars": [(0.5, 3), (1, 2.0)], "single point": [(1, 5)],
         "lists": [([1, 2], [3, 4]), ((2, 3), (5, 6))],
         "some of them none": [(0.5, (1.0, None, 3)), (1, (None, 2.0, None)), (None, (1, 1, 1))],
         "more lines than formats": [(1, (1, 2, 3, 4)), (2, (4, 3, 2, 1))]}


@pytest.mark.parametrize("points", ADDED.values(), ids=ADDED.keys())
def test_the_same_points_make_the_books_plot(points, capsys):
    options = {"xlabel": "epoch", "ylabel": "loss", "legend": ["a", "b", "c"], "xlim": [0, 4],
               "ylim": [0, 7], "yscale": "linear", "figsize": (2, 2)}
    book, ours = d2l.Animator(**options), LivePlot(**options)
    for x, y in points:
        book.add(x, y)
        ours.add(x, y)
    ours.finish()
    plt.close(book.fig)
    assert capsys.readouterr().out.count("<Figure") == len(points)  # the book's, and no more
    assert (ours.X, ours.Y, ours.fmts) == (book.X, book.Y, book.fmts)
    assert len(ours.axes) == len(book.axes) == 1
    mine, books = ours.axes[0], book.axes[0]
    assert len(mine.lines) == len(books.lines) > 0
    for line, books_line in zip(mine.lines, books.lines, strict=True):
        assert line.get_xydata().tolist() == books_line.get_xydata().tolist()
        assert line.get_linestyle() == books_line.get_linestyle()
    for what in ("xlabel", "ylabel", "xscale", "yscale", "xlim", "ylim"):
        assert getattr(mine, f"get_{what}")() == getattr(books, f"get_{what}")(), what
    assert [line.get_visible() for line in mine.get_xgridlines()] == [
        line.get_visible() for line in books.get_xgridlines()]
    names = [text.get_text() for text in mine.get_legend().get_texts()]
    assert names == ["a", "b", "c"][:len(mine.lines)]
    assert names == [text.get_text() for text in books.get_legend().get_texts()]


def test_config_axes_brings_back_what_was_changed():
    book, ours = (kind(xlabel="epoch", yscale="log", xlim=[1, 3], ylim=[1, 10])
                  for kind in (d2l.Animator, LivePlot))
    for animator in (book, ours):
        animator.axes[0].cla()
        animator.config_axes()
    plt.close(book.fig)
    for what in ("xlabel", "yscale", "xlim", "ylim"):
        assert getattr(ours.axes[0], f"get_{what}")() == getattr(book.axes[0], f"get_{what}")()


def test_several_panels_as_the_book_has_them():
    book, ours = d2l.Animator(nrows=1, ncols=3), LivePlot(nrows=1, ncols=3)
    plt.close(book.fig)
    assert len(ours.axes) == len(book.axes) == 3
    ours.add(1, 2)
    assert [len(axes.lines) for axes in ours.axes] == [1, 0, 0]


def test_matplotlibs_settings_stay_as_they_are(tmp_path):
    before = dict(plt.rcParams)
    animator = LivePlot(legend=["a", "b"])
    animator.add(1, (1, 2))
    animator.finish()
    animator.save(tmp_path / "curve.svg")
    assert dict(plt.rcParams) == before
    assert animator.fig.dpi == 200 != plt.rcParams["figure.dpi"]  # its own came in a context


HIDE_D2L = """
import sys
sys.modules["d2l"] = sys.modules["torchvision"] = None  # importing them raises ImportError
import importlib.metadata as metadata
def version(name, ask=metadata.version):
    if name in ("d2l", "torchvision"):
        raise metadata.PackageNotFoundError(name)
    return ask(name)
metadata.version = version
import d2lvgg
from d2lvgg.live import LivePlot
"""


def test_without_d2l_the_live_plot_stands_on_its_own(tmp_path):
    script = HIDE_D2L + f"""
assert d2lvgg.LiveAnimator is LivePlot
plot = d2lvgg.LiveAnimator(legend=["a"])
plot.add(1, 2)
plot.finish()
plot.save({str(tmp_path / "curve.png")!r})
machine = d2lvgg.describe_machine()
print(plot.X, plot.Y, machine["d2l"], machine["torchvision"])
"""
    done = run_python("-c", script)
    assert (done.returncode, done.stdout) == (0, "[[1]] [[2]] not installed not installed\n"), (
        done.stderr)
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_without_d2l_a_network_is_trained():
    script = HIDE_D2L + """
import torch
net = d2lvgg.lenet()
batches = [(torch.rand(8, 1, 28, 28), torch.arange(8))] * 2
history = d2lvgg.train(net, batches, batches, 1, 0.1, torch.device("cpu"))
print(type(history.animator).__name__, len(history.epochs))
"""
    done = run_python("-c", script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("LivePlot 1\n")


def test_shows_the_first_epoch_that_the_book_cuts_off():
    animator = LivePlot(xlim=[1, 10])
    animator.add(0.2, 1.0)
    animator.add(1.0, 0.5)
    animator.finish()
    assert animator.axes[0].get_xlim() == (0.2, 10)


def test_one_epoch_has_an_axis_with_a_width():
    animator = LivePlot(xlim=[1, 1])
    animator.add(1, 0.5)
    animator.finish()
    low, high = animator.axes[0].get_xlim()
    assert low < high


def drawing_costs(monkeypatch, clock, seconds):
    original = LivePlot._update_artists

    def slow(self):
        clock.now += seconds
        original(self)

    monkeypatch.setattr(LivePlot, "_update_artists", slow)


@pytest.mark.parametrize("cost", [0.001, 0.05, 1.0])
def test_drawing_is_throttled_by_time(monkeypatch, cost):
    clock = Clock()
    drawing_costs(monkeypatch, clock, cost)
    animator = LivePlot(clock=clock)
    times = []
    for step in range(20_000):
        clock.now += 0.01
        before = animator.frames
        animator.add(step, 1.0)
        if animator.frames > before:
            times.append(clock.now)
    animator.finish()
    assert animator.frames >= 3
    gaps = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert min(gaps) >= 1 / live.FRAMES_PER_SECOND
    assert animator.seconds_drawing <= 0.02 * clock.now + 2 * cost  # the last two may overrun
    assert animator.frames * cost == pytest.approx(animator.seconds_drawing)


def test_the_last_point_is_always_drawn():
    clock = Clock()
    animator = LivePlot(clock=clock)
    for x in range(10):  # no time passes: only the first is drawn on the way
        animator.add(x, x)
    assert animator.frames == 1
    assert animator.lines[0].get_xdata() == [0]
    animator.finish()
    assert list(animator.lines[0].get_xdata()) == list(range(10))
    animator.finish()
    assert animator.frames == 2  # nothing new, so nothing drawn


def test_works_in_a_plain_script(tmp_path):
    script = ("from d2lvgg import LiveAnimator\n"
              "a = LiveAnimator(legend=['x'])\n"
              "for i in range(5): a.add(i, i)\n"
              f"a.finish(); a.save({str(tmp_path / 'curve.png')!r}); print('saved')\n")
    done = run_python("-c", script)
    assert done.stdout == "saved\n"  # and no figure's repr
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def notebook():
    """One kernel for what only a notebook can show."""
    return run_notebook(
        "import d2lvgg\nfrom d2lvgg import live\n"
        "live.HEAD_START, live.FRAMES_PER_SECOND = 1e9, 1e9",
        # 1: drawn updates, then a print, which wipes the last frame of the book's
        "a = d2lvgg.LiveAnimator(legend=['x'], figsize=(2, 1.5))\n"
        "for i in range(20): a.add(i, i % 7)\nprint('after', a.frames)",
        # 2: the book's kind of loop, throttled, with no finish()
        "live.HEAD_START, live.FRAMES_PER_SECOND = 0, 1e-9\n"
        "c = d2lvgg.LiveAnimator(legend=['x'], figsize=(2, 1.5))\n"
        "for i in range(50): c.add(i, i)\nprint(c.frames)",
        # 3: what the end of the cell before it did
        "print(c.frames, list(c.lines[0].get_xdata()) == list(range(50)))",
        # 4: interrupted while points wait to be drawn
        "d = d2lvgg.LiveAnimator(figsize=(2, 1.5))\n"
        "try:\n    d.add(0, 0); d.add(1, 1); raise KeyboardInterrupt\n"
        "except KeyboardInterrupt: print('stopped')",
        # 5: nothing is left hanging on the shell
        "print(len(get_ipython().events.callbacks['post_run_cell']), c.frames, d.frames)")


def text(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def test_a_later_print_does_not_wipe_the_plot(notebook):
    assert len(pictures(notebook.cells[1])) == 1


def test_the_end_of_a_cell_draws_what_is_left(notebook):
    assert text(notebook.cells[2]) == "1\n"
    assert text(notebook.cells[3]) == "2 True\n"


def test_an_interrupted_plot_stays(notebook):
    assert text(notebook.cells[4]) == "stopped\n"
    assert len(pictures(notebook.cells[4])) == 1


def test_no_callback_is_left_behind(notebook):
    baseline = run_notebook("print(len(get_ipython().events.callbacks['post_run_cell']))")
    callbacks, c_frames, d_frames = text(notebook.cells[5]).split()
    inline = run_notebook("import d2lvgg",
                          "print(len(get_ipython().events.callbacks['post_run_cell']))")
    assert callbacks == text(inline.cells[1]).strip()
    assert text(baseline.cells[0])
    assert (c_frames, d_frames) == ("2", "2")
