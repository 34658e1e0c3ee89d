"""What every test and every notebook of this repository runs under."""

import os
import subprocess
import tempfile
import time
from pathlib import Path
from queue import Empty

os.environ.setdefault("D2LVGG_SCALE", "smoke")
# Two test workers with two threads each on two cores wait for each other: one is ten times faster.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What the lessons note of predictions and exercises is not for this tree, and not for the author's.
os.environ["D2LVGG_PROGRESS"] = str(Path(tempfile.mkdtemp()) / "progress.json")

import matplotlib  # noqa: E402
import nbval.kernel  # noqa: E402
import pytest  # noqa: E402
from forked import ForkedKernelManager  # noqa: E402
from nbval.kernel import RunningKernel  # noqa: E402

collect_ignore = ["lessons/template"]  # to be copied; tests/test_template.py tests a copy

# Not through MPLBACKEND: the notebooks' kernels would inherit that and show no pictures.
matplotlib.use("agg")


def get_message(self, stream, timeout=None, ask=RunningKernel.get_message):
    """Wait for a kernel's message as nbval does, and notice within a second if the kernel dies.

    nbval on its own waits for the cell's time-out. Raises Empty after timeout seconds.
    """
    end = time.monotonic() + (float("inf") if timeout is None else timeout)
    while True:
        try:
            return ask(self, stream, timeout=max(0, min(1, end - time.monotonic())))
        except Empty:
            if not self.is_alive():
                raise RuntimeError("the notebook's kernel died while it ran this cell") from None
            if time.monotonic() >= end:
                raise


RunningKernel.get_message = get_message
nbval.kernel.KernelManager = ForkedKernelManager


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Bring each notebook's cells back into their order, after pytest-randomly has mixed all."""
    cells = {}
    for item in items:
        if hasattr(item, "cell_num"):
            cells.setdefault(item.parent, []).append(item)
    done, ordered = set(), []
    for item in items:
        if not hasattr(item, "cell_num"):
            ordered.append(item)
        elif item.parent not in done:
            done.add(item.parent)
            ordered += sorted(cells[item.parent], key=lambda cell: cell.cell_num)
    items[:] = ordered


def changed_files():
    """Return what git finds changed or new in this tree."""
    return subprocess.run(["git", "status", "--porcelain"], cwd=Path(__file__).parent, text=True,
                          capture_output=True).stdout


def pytest_sessionstart(session):
    session.config.changed_before = changed_files()


def pytest_sessionfinish(session):
    """In CI, fail where the tests left something behind. By hand, somebody may be editing."""
    if os.environ.get("CI") and not hasattr(session.config, "workerinput"):
        after = changed_files()
        if after != session.config.changed_before:
            print(f"\nThe tests changed the tree:\n{after}")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
