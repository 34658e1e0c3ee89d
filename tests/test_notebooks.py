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


FRAMED = """\
# Title

```python
x = 0.25
```

<!-- #region tags=["predict"] -->
How large is x?

- [ ] 1: that is all.
- [x] a quarter: it was set so.
<!-- #endregion -->

```python tags=["answer"]
print("x is")
print(x)
```

<!-- #region tags=["answer"] -->
It is {{ x:.1%}} or {{ x * 2 }}, and not {{ {"a": x}["a"]:.3f }}.
<!-- #endregion -->

```python tags=["check"]
# x is what was set
assert x == 0.25
```
"""


def test_a_framed_lesson_folds_what_answers_and_works_its_numbers_out(tmp_path, monkeypatch):
    lesson = write_lesson(tmp_path, FRAMED.replace("x:.1%}}", "x:.1% }}"))
    notebook = notebooks.make_notebook(lesson, "student")
    names = [cell.id for cell in notebook.cells]
    monkeypatch.setitem(notebooks.os.environ, "OMP_NUM_THREADS", "1")
    notebook.cells[1].source = "import d2lvgg\nx = 0.25"
    notebooks.execute(notebook, tmp_path, "smoke")
    nbformat.validate(notebook)
    _, _, predict, code, text, check = notebook.cells
    assert [cell.id for cell in notebook.cells] == names
    assert predict.source.startswith("# A prediction")
    assert predict.metadata["jupyter"] == {"source_hidden": True}
    assert set(predict.outputs[0].data) == {"text/markdown", "text/plain"}  # no widget is saved
    assert code.metadata["jupyter"] == {"outputs_hidden": True}
    assert text.source == ("<details><summary>What the run shows</summary>\n\n"
                           "It is 25.0% or 0.5, and not 0.250.\n\n</details>")
    assert check.metadata["jupyter"] == {"source_hidden": True}
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == [1, 2, 3, 4]
    again = notebooks.make_notebook(lesson, "student")
    notebooks.with_values(again, notebooks.saved_values(notebook))
    assert again.cells[4].source == text.source


def test_a_built_number_stays_until_its_expression_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "LESSONS", tmp_path)
    lesson = write_lesson(tmp_path, "# Title\n\n```python\nx = 1\n```\n\nx is {{ x }}.\n")
    for edition, (subfolder, _) in notebooks.EDITIONS.items():
        built = notebooks.make_notebook(lesson, edition)
        cell = built.cells[2]
        assert cell.source == "x is {{ x }}."
        notebooks.write(notebooks.with_values(built, {cell.id: ["1"]}),
                        tmp_path / subfolder / "42_small.ipynb")
    assert list(notebooks.differences(tmp_path)) == []
    path = tmp_path / "notebooks" / "42_small.ipynb"
    notebooks.rewrite_text(lesson, "student", path)
    assert nbformat.read(path, as_version=4).cells[2].source == "x is 1."
    write_lesson(tmp_path, "# Title\n\n```python\nx = 1\n```\n\nx is {{ x + 1 }}.\n")
    assert len(list(notebooks.differences(tmp_path))) == 2


def test_a_prediction_that_cannot_be_answered_fails_the_build(tmp_path):
    with pytest.raises(ValueError, match="a prediction needs two to four choices"):
        notebooks.make_notebook(write_lesson(tmp_path, FRAMED.replace("[x]", "[ ]")), "student")


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


def is_framed(text):
    """Return whether a lesson has predictions that can be clicked; the others wait for theirs."""
    return 'tags=["predict"]' in text


@pytest.mark.parametrize("folder", [
    folder for folder in LESSONS if is_framed((folder / "lesson.md").read_text(encoding="utf-8"))],
    ids=lambda folder: folder.name)
def test_a_framed_lesson_keeps_its_readers_time_and_answers_its_questions(folder):
    notebook = notebooks.make_notebook(folder, "student")
    assert notebooks.reading_minutes(notebook) <= 25
    core, more = notebooks.exercise_minutes(folder)
    assert core > 0
    text = (folder / "lesson.md").read_text(encoding="utf-8")
    assert 2 <= len(re.findall(r"^### .+, core\)$", text, re.M)) <= 3
    assert text.count("(difficulty") == 0
    assert len(re.findall(r"<!-- handout -->", text)) == len(re.findall(r"<!-- /handout -->", text))
    assert "<!-- handout -->" in text
    assert f'd2lvgg.tally("{notebooks.number_of(folder.name)}")' in text
    kinds = ["heading" if cell.source.startswith("#") and cell.cell_type == "markdown" else
             next(iter(cell.metadata.get("tags", [])), "") for cell in notebook.cells]
    for place, kind in enumerate(kinds):
        if kind == "predict":  # what answers it comes before the next section or prediction
            after = kinds[place + 1:]
            end = next((i for i, k in enumerate(after) if k in ("heading", "predict")), len(after))
            assert "answer" in after[:end], notebook.cells[place].source
        if kind == "check":
            assert notebook.cells[place].source.startswith("# "), "a check says what it checks"


@each_lesson
def test_a_lesson_has_its_bones(folder):
    text = (folder / "lesson.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.M)
    where_next = ["Where next"] * is_framed(text)
    assert headings[-4 - len(where_next):] == [
        "If it goes wrong", "Summary", "Exercises", *where_next, "References"]
    assert "{{facts}} · builds on:" in text
    assert "You will be able to" in text
    assert is_framed(text) or "**Predict.**" in text
    exercises = text.count('```python tags=["exercise"]')
    assert exercises >= 2
    heading = r"^### .+\(\d+ minutes, difficulty [1-5](?:, (?:core|more))?\)$"
    assert len(re.findall(heading, text, re.M)) == exercises
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
