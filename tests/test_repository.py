"""The house in order: one list of packages, style, tests that can fail, nothing of one machine."""

import ast
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tools import notebooks

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())


def wanted():
    """Return what conda's Python 3.11 needs, d2l as the extra `book` names it: for any Python."""
    project, extras = PROJECT["project"], PROJECT["project"]["optional-dependencies"]
    everywhere = [spec for spec in project["dependencies"] if not Requirement(spec).marker]
    return everywhere + extras["book"] + extras["test"]


def test_d2l_is_asked_for_where_pip_can_install_it():
    project = PROJECT["project"]
    marked = [Requirement(spec) for spec in project["dependencies"] if Requirement(spec).marker]
    book, = map(Requirement, project["optional-dependencies"]["book"])
    assert [(spec.name, spec.specifier) for spec in marked] == [(book.name, book.specifier)]
    assert [marked[0].marker.evaluate({"python_version": version})
            for version in ("3.10", "3.11", "3.12", "3.13", "3.14")] == [True, True] + [False] * 3
    assert book.marker is None
    installs = re.findall(r"uv pip install .*-e '\.\[([a-z,]+)\]'", (ROOT / "Makefile").read_text())
    assert len(installs) == 3
    assert all("book" in extras.split(",") for extras in installs)


def test_conda_and_pip_ask_for_the_same_packages():
    pip = next(entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict))
    only_here = ["--editable .", "ipython<9"]  # the second for matplotlib 3.7.2, which d2l pins
    assert sorted(pip) == sorted([*wanted(), *only_here])
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]
    assert "python=3.11" in CONDA["dependencies"]


def test_each_conda_dependency_says_who_needs_it():
    lines = (ROOT / "environment.yml").read_text().splitlines()
    listed = [line for line in lines if re.match(r"\s+- (?!conda-forge|nodefaults|pip:)", line)]
    assert len(listed) == len(wanted()) + 4  # python, pip, ipython and the course itself
    assert [line for line in listed if "# " not in line] == []


def test_constraints_meet_every_requirement_and_name_no_host():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines]
    assert all(re.fullmatch(r"==[^,=]+", str(pin.specifier)) for pin in pins)
    extras = PROJECT["project"]["optional-dependencies"].values()
    for name in map(Requirement, [*wanted(), *itertools.chain(*extras)]):
        mine = [pin for pin in pins if pin.name == name.name]
        assert mine, f"{name.name} is not in constraints.txt: run `make constraints`"
        assert all(name.specifier.contains(str(pin.specifier)[2:]) for pin in mine)
    assert not any(pin.url for pin in pins)


def test_ruff_finds_nothing():
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stdout


def test_functions(path):
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            and "path" not in [argument.arg for argument in node.args.args]]


test_functions.__test__ = False


@pytest.mark.parametrize("path", sorted(
    [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "lessons").rglob("test_*.py")]),
    ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_test_without_an_assertion(path):
    def asserts(function):
        return any(isinstance(node, ast.Assert) or (isinstance(node, ast.Attribute)
                   and node.attr in ("raises", "warns", "assert_close"))
                   for node in ast.walk(function))

    functions = test_functions(path)
    assert functions
    assert [function.name for function in functions if not asserts(function)] == []


ORDER = ["devices", "predictions", "exercises", "verdicts", "models", "display", "shapes", "data",
         "image_folder", "cifar10", "live", "memory", "recipes", "fast_form", "history", "parallel",
         "mistakes", "progress", "checkpoint", "training", "shipped", "__main__"]


def imports(path, level):
    return {name for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and node.level == level
            for name in ([node.module] if node.module else [part.name for part in node.names])}


def test_imports_run_one_way():
    files = sorted((ROOT / "d2lvgg").glob("*.py"))
    assert {path.stem for path in files} <= {*ORDER, "__init__"}
    for path in files:
        if path.stem != "__init__":
            assert imports(path, 1) <= set(ORDER[:ORDER.index(path.stem)]), path.name
    assert imports(ROOT / "d2lvgg" / "models.py", 0) == {"torch"}


@pytest.mark.parametrize("name", notebooks.PAGES)
def test_pages_show_the_measured_tables(name):
    page = (ROOT / name).read_text(encoding="utf-8")
    assert page.count("<!-- end ") >= 1
    assert notebooks.page_with_tables(name) == page, (
        f"the tables of {name} are not of lessons/facts.json and benchmarks/results: "
        "run `make tables`")


def test_teaching_names_lessons_and_commands_that_are_there():
    text = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    table = text.split("## Timetables")[1].split("## A hub")[0]
    numbers = set(re.findall(r"\b[01]\d\b", table))
    assert numbers
    assert numbers <= {notebooks.number_of(folder.name) for folder in notebooks.lesson_folders()}
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make (\w+)`", text):
        assert re.search(rf"^{target}:", makefile, re.M), target
    assert {"OWNER/REPOSITORY", "HUB"} <= set(re.findall(r"OWNER/REPOSITORY|HUB", text))


def test_each_lesson_has_a_session_plan_that_adds_up():
    plans = (notebooks.LESSONS / "TEACHING.md").read_text(encoding="utf-8").split("\n## ")[1:]
    numbers = [plan.split()[0] for plan in plans]
    # Lessons of the older form, which have no predictions, have no plan either.
    assert numbers == [
        notebooks.number_of(folder.name) for folder in notebooks.lesson_folders()
        if '["predict"]' in (folder / "lesson.md").read_text(encoding="utf-8")]
    for number, plan in zip(numbers, plans, strict=True):
        rows = re.findall(r"^\| (\d+) \| (\d+|–) \| (.+) \|$", plan, re.M)
        whole, half = rows.pop(0)[:2]  # the table's head: the minutes of a session, and of half
        assert sum(int(row[0]) for row in rows) == int(whole) == 90, number
        assert sum(int(row[1]) for row in rows if row[1] != "–") == int(half) == 45, number
        assert len(re.findall(r'^- \*\*.+\*\* "[^"]+" .+', plan, re.M)) == 3, number
        assert "\nAt home: " in plan, number


def test_make_lab_opens_the_first_lesson():
    makefile = (ROOT / "Makefile").read_text()
    # Not the file as an argument: Jupyter would serve its folder alone, and no ../images.
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in makefile
    assert (ROOT / "notebooks" / "00_start_here.ipynb").exists()


def test_every_notebook_runs_under_nbval_with_a_time_out(pytestconfig):
    assert {"tests", "notebooks"} <= set(pytestconfig.getini("testpaths"))
    assert pytestconfig.option.nbval_lax
    assert int(pytestconfig.option.nbval_cell_timeout) <= 120
    assert float(pytestconfig.getini("timeout")) > 0
