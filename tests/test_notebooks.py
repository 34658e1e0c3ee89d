"""Lessons and notebooks: in step, the same every time, and true to the module they teach."""

import ast
import inspect
import json
import re
import textwrap
from pathlib import Path

import nbformat
import pytest

import d2lvgg
from tools import notebooks

ROOT = Path(__file__).parents[1]

LESSONS = notebooks.lesson_folders()
each_lesson = pytest.mark.parametrize("folder", LESSONS, ids=lambda folder: folder.name)
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("[0-9]*.ipynb"))


def test_every_notebook_is_its_lessons():
    assert list(notebooks.differences(ROOT)) == []


def test_a_notebook_that_was_edited_by_hand_is_found(tmp_path):
    name = LESSONS[0].name
    for edition, (subfolder, _) in notebooks.EDITIONS.items():
        notebook = notebooks.make_notebook(LESSONS[0], edition)
        if edition == "solutions":
            notebook.cells[0].source += " edited"
        notebooks.write(notebook, tmp_path / subfolder / f"{name}.ipynb")
    found = list(notebooks.differences(tmp_path, [name]))
    assert len(found) == 1
    assert f"solutions/{name}.ipynb differs from lessons/{name}/lesson.md (in '# " in found[0]


LESSON = """\
# Title

text

```python tags=["exercise"]
x = ...
```

```python tags=["solution"]
x = 1
```

![a picture](../images/a.svg)
"""


def write_lesson(folder, text):
    lesson = folder / "42_small"
    lesson.mkdir(exist_ok=True)
    (lesson / "lesson.md").write_text(text, encoding="utf-8")
    return lesson


@pytest.mark.parametrize(("edition", "code", "image"), [
    ("student", "x = ...", "(../images/a.svg)"), ("solutions", "x = 1", "(../../images/a.svg)")])
def test_each_edition_keeps_one_of_stub_and_answer(tmp_path, edition, code, image):
    notebook = notebooks.make_notebook(write_lesson(tmp_path, LESSON), edition)
    assert [cell.source for cell in notebook.cells if cell.cell_type == "code"] == [code]
    text = "\n".join(cell.source for cell in notebook.cells)
    assert image in text
    nbformat.validate(notebook)


def ids(folder, text):
    notebook = notebooks.make_notebook(write_lesson(folder, text), "student")
    return [cell.id for cell in notebook.cells]


def test_a_cell_that_is_inserted_changes_no_other_id(tmp_path):
    before = ids(tmp_path, LESSON)
    after = ids(tmp_path, LESSON.replace("text\n", "text\n\n```python\nnew = 1\n```\n"))
    assert len(after) == len(before) + 1
    assert [name for name in after if name in before] == before


def test_the_same_words_twice_have_two_ids(tmp_path):
    cell = "\n```python\nx = 1\n```\n\nand\n"
    found = ids(tmp_path, LESSON + cell + cell)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("broken", [
    LESSON.replace('["solution"]', '["other"]'), LESSON.replace('["exercise"]', '["other"]')])
def test_a_stub_without_an_answer_fails_the_build(tmp_path, broken):
    with pytest.raises(ValueError, match="42_small: .*must be followed by one tagged 'solution'"):
        notebooks.make_notebook(write_lesson(tmp_path, broken), "student")


def without_timing(notebook):
    return [{**cell, "outputs": "timing"} if "timing" in cell.metadata.get("tags", []) else cell
            for cell in notebook.cells]


@pytest.mark.slow  # `make test` runs each notebook once, under nbval
@each_lesson
def test_building_twice_gives_the_same_bytes(folder, tmp_path):
    runs = []
    for _ in range(2):
        notebook = notebooks.make_notebook(folder, "student")
        notebooks.execute(notebook, tmp_path, "smoke")
        runs.append(json.dumps(without_timing(notebook), sort_keys=True))
    assert runs[0] == runs[1]


def definitions(source):
    """Return {name: code} of the functions and classes in source, docstrings left out."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            for inner in ast.walk(node):
                if (isinstance(inner, (ast.FunctionDef, ast.ClassDef))
                        and ast.get_docstring(inner) is not None):
                    inner.body = inner.body[1:] or [ast.Pass()]
            found[node.name] = ast.unparse(node)
    return found


TAUGHT = [("05", "alexnet"), ("06", "vgg_block"), ("07", "vgg"), ("08", "trace_shapes")]


@pytest.mark.parametrize(("number", "name"), TAUGHT)
def test_what_a_lesson_teaches_is_what_the_module_runs(number, name):
    lesson = notebooks.make_notebook(notebooks.lesson_folders([number])[0], "student")
    code = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "code")
    module = textwrap.dedent(inspect.getsource(getattr(d2lvgg, name)))
    assert definitions(code)[name] == definitions(module)[name]


@each_lesson
def test_a_lesson_has_its_bones(folder):
    text = (folder / "lesson.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.M)
    assert headings[-4:] == ["If it goes wrong", "Summary", "Exercises", "References"]
    assert "{{facts}} · builds on:" in text
    assert "You will be able to" in text
    assert "**Predict.**" in text
    exercises = text.count('```python tags=["exercise"]')
    assert exercises >= 2
    assert len(re.findall(r"^### .+\(\d+ minutes, difficulty [1-5]\)$", text, re.M)) == exercises
    assert text.count("<details><summary>Hint</summary>") == exercises
    assert len(re.findall(r"checks\.check_\w+\(", text)) == exercises


@each_lesson
def test_cells_are_short_and_pictures_are_described(folder):
    for cell in notebooks.make_notebook(folder, "student").cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 40, cell.id
        for words, target in re.findall(r"!\[(.*?)\]\((.*?)\)", cell.source):
            assert len(words.split()) >= 5, f"{cell.id}: alt text of {target}"
            assert (ROOT / "notebooks" / target).exists(), target


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_notebook_was_run_and_shows_no_error_and_no_warning(path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = {(output.output_type, output.get("name")) for cell in code for output in cell.outputs}
    assert not any(kind == "error" or name == "stderr" for kind, name in kinds)


@each_lesson
def test_a_lesson_was_measured_and_fits_a_shared_hub(folder):
    fact = json.loads(notebooks.FACTS.read_text(encoding="utf-8"))["lessons"][folder.name]
    assert fact["gib"] * 2**30 < 2e9
    assert fact["minutes"] < 5
