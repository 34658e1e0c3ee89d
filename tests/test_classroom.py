"""The nbgrader course, with nbgrader itself: made, released, submitted and graded."""

import os
import secrets

import nbformat
import psutil
import pytest

pytest.importorskip("nbgrader", reason="nbgrader is not here: `make class` installs it")
from tools import classroom, notebooks  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LESSON = notebooks.lesson_folders(["01b"])[0]
NAME = LESSON.name
POINTS = {f"check-{number}": points for number, points in enumerate([2, 2, 3, 3], 1)}
MARK = "D2LVGG_TEST_CLASS"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """(folder, nbgrader's interface) of a course of one lesson, generated and released."""
    folder = tmp_path_factory.mktemp("class") / "course"
    path, os.environ[MARK] = os.environ["PATH"], secrets.token_hex()
    api = classroom.open_course(folder)
    api.config.Exchange.root = str(folder.parent / "exchange")
    api.config.Execute.timeout_func = lambda cell: 30 if "nbgrader" in cell.metadata else 300
    api.config.Execute.iopub_timeout = 10
    assert classroom.write_source(LESSON, folder) == f"{NAME}: 14 points"
    for step in (api.generate_assignment, api.release_assignment):
        result = step(NAME)
        assert result["success"], result
    yield folder, api
    del os.environ[MARK]
    os.environ["PATH"] = path


def notebook_of(course, edition):
    """Read the teacher's notebook (source) or the one that students fetch (released)."""
    folder, _ = course
    place = {"source": folder / "source",
             "released": folder.parent / "exchange" / "d2lvgg" / "outbound"}[edition]
    return nbformat.read(place / NAME / f"{NAME}.ipynb", as_version=4)


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells
                if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def grade(course, student, notebook):
    """Submit notebook as student, let nbgrader grade it, and return the points of each check."""
    folder, api = course
    place = folder / "submitted" / student / NAME
    place.mkdir(parents=True)
    nbformat.write(notebook, place / f"{NAME}.ipynb")
    result = api.autograde(NAME, student)
    assert result["success"], result
    with api.gradebook as gradebook:
        return {name: gradebook.find_grade(name, NAME, NAME, student).score for name in POINTS}


def test_every_lesson_becomes_an_assignment(tmp_path):
    api = classroom.open_course(tmp_path)
    for path in notebooks.lesson_folders():
        classroom.write_source(path, tmp_path)
        result = api.generate_assignment(path.name)
        assert result["success"], result
        text = (path / "lesson.md").read_text(encoding="utf-8")
        source, release = (nbformat.read(tmp_path / place / path.name / f"{path.name}.ipynb", 4)
                           for place in ("source", "release"))
        kinds = [cell.metadata.nbgrader for cell in source.cells if "nbgrader" in cell.metadata]
        exercises = text.count('```python tags=["exercise"]')
        assert [kind.solution for kind in kinds] == [True, False] * exercises
        assert [kind.points for kind in kinds if kind.grade] == [
            int(level) for level in classroom.HEADING.findall(text)]
        stubs = [cell.source for cell in notebooks.make_notebook(path, "student").cells
                 if "exercise" in cell.metadata.get("tags", [])]
        given = [cell.source.strip() for cell in release.cells
                 if cell.metadata.get("nbgrader", {}).get("solution")]
        assert given == stubs
        everything = "\n".join(cell.source for cell in release.cells)
        assert "SOLUTION" not in everything
        assert "HIDDEN" not in everything
        for picture in classroom.make_assignment(path)[1]:
            assert (tmp_path / "release" / path.name / "images" / picture).exists()


def test_what_a_teacher_changed_stays(tmp_path):
    classroom.write_source(LESSON, tmp_path)
    mine = tmp_path / "source" / NAME / f"{NAME}.ipynb"
    mine.write_text("mine")
    assert "left as it is" in classroom.write_source(LESSON, tmp_path)
    assert mine.read_text() == "mine"


def test_the_teachers_copy_gets_full_marks(course):
    assert grade(course, "teacher", notebook_of(course, "source")) == POINTS


def test_the_untouched_copy_gets_nothing(course):
    notebook = notebook_of(course, "released")
    assert "return tuple(" not in cell_of(notebook, "exercise-2").source
    assert grade(course, "untouched", notebook) == dict.fromkeys(POINTS, 0)


def test_tests_that_a_student_deleted_or_changed_count_all_the_same(course):
    notebook = notebook_of(course, "released")
    for name in POINTS:
        cell_of(notebook, name).source = "checks = None"
    assert grade(course, "clever", notebook) == dict.fromkeys(POINTS, 0)


ANSWERS = {  # to exercise 2, which asks for a function
    "wrong": "return (shape[axis],)",
    "endless": "while True:\n        pass",
    "stubborn": "import time\n    while True:\n        try:\n            time.sleep(1)\n"
                "        except KeyboardInterrupt:\n            pass",
    "hungry": "hog = []\n    while True:\n        hog.append(bytearray(10**8))",
    "deadly": "import os\n    os._exit(1)",
}


@pytest.mark.parametrize("student", ANSWERS)
def test_one_bad_answer_loses_that_exercise_and_no_other(course, student):
    notebook = notebook_of(course, "source")
    cell_of(notebook, "exercise-2").source = (
        f"def sum_shape(shape, axis, keepdim=False):\n    {ANSWERS[student]}\n")
    assert grade(course, student, notebook) == {**POINTS, "check-2": 0}
    assert [process for process in psutil.process_iter() if is_kernel(process)] == []


def is_kernel(process):
    """Whether process is a kernel that this test's grader started and left behind."""
    try:
        return (process.pid != os.getpid() and process.environ().get(MARK) == os.environ[MARK]
                and "ipykernel_launcher" in process.cmdline())
    except psutil.Error:  # it ended, or it is somebody else's
        return False
