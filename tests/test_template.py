"""Adding a lesson: a copy of lessons/template is a lesson, with its check, tests and picture."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from tools.notebooks import PAGES, ROOT

NEW = "99_new_lesson"


@pytest.fixture
def course(tmp_path):
    """A copy of the course in which the template was copied as lesson 99."""
    for name in ("d2lvgg", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name,
                        ignore=shutil.ignore_patterns("fashion_mnist", "__pycache__"))
    (tmp_path / "d2lvgg" / "fashion_mnist").symlink_to(ROOT / "d2lvgg" / "fashion_mnist")
    (tmp_path / "tests").mkdir()
    for name in (*PAGES, "conftest.py", "pyproject.toml", "tests/forked.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "notebooks" / "solutions").mkdir(parents=True)
    (tmp_path / "lessons").mkdir()
    for name in ("facts.json", "saved.json"):
        shutil.copy(ROOT / "lessons" / name, tmp_path / "lessons")
    shutil.copytree(ROOT / "lessons" / "template", tmp_path / "lessons" / NEW)
    return tmp_path


def run(course, *command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=course, text=True,
                          env={**os.environ, "PYTHONPATH": str(course)}, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow  # six processes, each of which imports torch
def test_a_copy_of_the_template_is_a_lesson(course):
    run(course, "tools.notebooks", "99", "--preview")
    built = nbformat.read(course / "build" / "notebooks" / f"{NEW}.ipynb", as_version=4)
    printed = "".join(output.get("text", "") for cell in built.cells
                      for output in cell.get("outputs", []))
    assert "210" in printed
    assert "It holds 210: 200 weights and 10 biases." in "".join(
        cell.source for cell in built.cells)
    assert "Not answered yet" in printed  # the check was found, and the stub stands
    tests = run(course, "pytest", "-p", "no:cacheprovider", f"lessons/{NEW}/test_checks.py")
    assert "10 passed" in tests
    run(course, "tools.notebooks", "--tables")
    assert f"| [99 Title: what it is about](notebooks/{NEW}.ipynb) |" in (
        course / "README.md").read_text(encoding="utf-8")
    assert "images/bars_of_lesson_99.svg" in run(course, "tools.figures")
    # What is asked of each lesson's text, checks and pictures is asked of this one, and holds.
    shutil.copytree(ROOT / "tests", course / "tests", dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__"))
    asked = run(course, "pytest", "-p", "no:cacheprovider", "-n", "0", "tests/test_notebooks.py",
                "tests/test_exercises.py", "-k", "99 and not measured")
    assert "6 passed" in asked, asked
    drawn = (course / "images" / "bars_of_lesson_99.svg").read_text(encoding="utf-8")
    assert f"<!-- drawn by lessons/{NEW}/figures.py, bars_of_lesson_99() -->" in drawn
