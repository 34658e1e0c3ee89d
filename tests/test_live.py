"""The live plot: in place, throttled, whole at the end, in every front end."""

import subprocess
import sys

import nbformat
import pytest
from d2l import torch as d2l
from nbclient import NotebookClient

from d2lvgg import LiveAnimator, live


class Clock:
    """A clock that stands still but for what the test and the drawing add to it."""

    now = 0.0

    def __call__(self):
        return self.now


def run_notebook(*sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", timeout=120, record_timing=False).execute()
    return notebook


def pictures(cell):
    return [output.data["image/png"] for output in cell.outputs if "image/png" in
            output.get("data", {})]


def test_is_a_d2l_animator_with_its_arguments_and_its_points():
    animator = LiveAnimator("epoch", None, ["a", "b"], [0, 2], fmts=("-", "r:"), figsize=(2, 2))
    assert isinstance(animator, d2l.Animator)
    animator.add(0.5, (1.0, None))
    animator.add(1, (2.0, 3.0))
    assert (animator.X, animator.Y) == ([[0.5, 1], [1]], [[1.0, 2.0], [3.0]])
    single = LiveAnimator()
    single.add(1, 5)
    assert single.Y == [[5]]


def test_shows_the_first_epoch_that_the_book_cuts_off():
    animator = LiveAnimator(xlim=[1, 10])
    animator.add(0.2, 1.0)
    animator.add(1.0, 0.5)
    animator.finish()
    assert animator.axes[0].get_xlim() == (0.2, 10)


def test_one_epoch_has_an_axis_with_a_width():
    animator = LiveAnimator(xlim=[1, 1])
    animator.add(1, 0.5)
    animator.finish()
    low, high = animator.axes[0].get_xlim()
    assert low < high


def drawing_costs(monkeypatch, clock, seconds):
    original = LiveAnimator._update_artists

    def slow(self):
        clock.now += seconds
        original(self)

    monkeypatch.setattr(LiveAnimator, "_update_artists", slow)


@pytest.mark.parametrize("cost", [0.001, 0.05, 1.0])
def test_drawing_is_throttled_by_time(monkeypatch, cost):
    clock = Clock()
    drawing_costs(monkeypatch, clock, cost)
    animator = LiveAnimator(clock=clock)
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
    animator = LiveAnimator(clock=clock)
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
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          timeout=120, check=True)
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
