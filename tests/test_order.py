"""Tests run in random order, a notebook's cells do not, and CI sees what a test leaves behind."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tree(tmp_path):
    """A repository with this one's conftest.py, two notebooks and a test."""
    (tmp_path / "tests").mkdir()
    for name in ("conftest.py", "pyproject.toml", "tests/forked.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in "ab":
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(f"x = {cell}") for cell in range(6)])
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def run(tree, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *arguments], cwd=tree,
        text=True, capture_output=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tree),
                                             "PYTHONDONTWRITEBYTECODE": "1", **environment})


def test_a_notebooks_cells_keep_their_order(tree):
    done = run(tree, "--collect-only", "-q", "--randomly-seed=1", "a.ipynb", "b.ipynb")
    listed = [line for line in done.stdout.splitlines() if "::Cell" in line]
    for name in "ab":
        mine = [line for line in listed if line.startswith(f"{name}.ipynb")]
        assert mine == [f"{name}.ipynb::Cell {cell}" for cell in range(6)], done.stdout


@pytest.mark.parametrize(("body", "exit_status"), [
    ("pass", 0), ("open('left_behind', 'w').close()", 1)])
def test_ci_fails_where_a_test_leaves_something_behind(tree, body, exit_status):
    (tree / "test_it.py").write_text(f"def test_it():\n    {body}\n", encoding="utf-8")
    done = run(tree, "test_it.py", CI="true")
    assert done.returncode == exit_status, done.stdout + done.stderr
    assert ("left_behind" in done.stdout) == bool(exit_status)
    assert "Using --randomly-seed=" in done.stdout
