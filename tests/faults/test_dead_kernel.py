"""A kernel that dies in the middle of a cell, as it does when a machine runs out of memory."""

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil

ROOT = Path(__file__).parents[2]


def test_a_dead_kernel_is_reported_within_ten_seconds_and_leaves_no_process(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (
        "1 + 1",
        "import os, pathlib, signal, time\n"
        "pathlib.Path('died').write_text(str(time.time()))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
        "time.sleep(1000)",
        "2 + 2")])
    nbformat.write(notebook, tmp_path / "dies.ipynb")
    mark = secrets.token_hex()
    done = subprocess.run(  # as `make test` runs the notebooks: same settings, same conftest.py
        [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "--rootdir", ROOT,
         "-p", "conftest", "-p", "no:cacheprovider", tmp_path / "dies.ipynb"],
        capture_output=True, text=True, timeout=110,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
             "D2LVGG_TEST": mark})
    waited = time.time() - float((tmp_path / "died").read_text())
    assert done.returncode == 1, done.stdout
    assert "1 passed" in done.stdout
    assert "2 failed" in done.stdout
    assert "the notebook's kernel died while it ran this cell" in done.stdout
    assert waited < 10
    left = [process for process in psutil.process_iter() if has_mark(process, mark)]
    assert psutil.wait_procs(left, timeout=5)[1] == []  # what was about to end may do so


def has_mark(process, mark):
    try:
        return process.environ().get("D2LVGG_TEST") == mark
    except psutil.Error:  # it ended, or it is somebody else's
        return False
