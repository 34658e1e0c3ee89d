"""Turn the lessons into an nbgrader course: one assignment a lesson, which grades itself.

    python -m tools.classroom build/class

An exercise's stub becomes a solution cell and its check a locked test, worth as many points as
the exercise is difficult (1 to 5). An assignment that is in the folder's source/ already is left
as it is, so that a teacher's changes stay. nbgrader's own commands do the rest, from that folder.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

from traitlets.config import PyFileConfigLoader

from tools import notebooks

try:
    from nbgrader.apps import NbGraderAPI
except ImportError:
    sys.exit("nbgrader is not installed: `make class` installs it, on Python 3.11 or later")

HEADING = re.compile(r"^### .+ minutes, difficulty ([1-5])\)$", re.M)
CHECK = re.compile(r"checks\.check_\w+\(.*\)")
# The student keeps the lesson's stub: nbgrader's own raises an error, and no check could speak.
EXERCISE = "{stub}\n### BEGIN SOLUTION\n{answer}\n### END SOLUTION"
HIDDEN = ("{test}\n### BEGIN HIDDEN TESTS\nfrom d2lvgg.exercises import checks_of\n"
          "checks = checks_of('{number}')  # whatever checks is by now\n"
          "assert {call}, 'not answered'\n### END HIDDEN TESTS")


def make_assignment(lesson):
    """Return a lesson as nbgrader's source notebook, with its picture files' names."""
    notebook = notebooks.make_notebook(lesson, "student")
    answers = (cell.source for cell in notebooks.make_notebook(lesson, "solutions").cells
               if "solution" in cell.metadata.get("tags", []))
    exercises = points = 0
    answered = False
    pictures = set()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for heading in HEADING.finditer(cell.source):
                points = int(heading[1])
            pictures.update(re.findall(r"\(\.\./images/(.+?)\)", cell.source))
            cell.source = cell.source.replace("(../images/", "(images/")
            # Each assignment is a folder of its own.
            cell.source = re.sub(r"\((\d\w+)\.ipynb\)", r"(../\1/\1.ipynb)", cell.source)
        elif "exercise" in cell.metadata.get("tags", []):
            exercises += 1
            cell.source = EXERCISE.format(stub=cell.source, answer=next(answers))
            mark(cell, f"exercise-{exercises}", solution=True)
            answered = True
        elif answered and (call := CHECK.search(cell.source)):
            cell.source = HIDDEN.format(test=cell.source, call=call[0],
                                        number=notebooks.number_of(lesson.name))
            mark(cell, f"check-{exercises}", grade=True, locked=True, points=points)
            answered = False
    return notebook, sorted(pictures)


def mark(cell, name, **options):
    cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": name, "grade": False,
                                 "solution": False, "locked": False, "task": False, **options}


def write_source(lesson, course):
    """Write a lesson's assignment into course/source/, unless there is one; say which."""
    folder = course / "source" / lesson.name
    if folder.exists():
        return f"{lesson.name}: left as it is in {folder.parent}"
    notebook, pictures = make_assignment(lesson)
    notebooks.write(notebook, folder / f"{lesson.name}.ipynb")
    for picture in pictures:
        (folder / "images").mkdir(exist_ok=True)
        shutil.copy(notebooks.ROOT / "images" / picture, folder / "images")
    points = sum(cell.metadata.nbgrader.get("points", 0) for cell in notebook.cells
                 if "nbgrader" in cell.metadata)
    return f"{lesson.name}: {points} points"


def open_course(course):
    """Return nbgrader's own interface to the course in a folder, with the folder's settings."""
    settings = course / "nbgrader_config.py"
    if not settings.exists():
        try:
            course.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            sys.exit(f"cannot make the folder {course} ({error.strerror}): name another, as in "
                     "`make class NBGRADER_COURSE=~/course`")
        shutil.copy(Path(__file__).with_name(settings.name), settings)
    config = PyFileConfigLoader(settings.name, path=str(course)).load_config()
    config.CourseDirectory.root = str(course.resolve())
    return NbGraderAPI(config=config)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("course", type=Path, help="folder of the nbgrader course")
    parser.add_argument("lessons", nargs="*", help="numbers, such as 06; default all")
    options = parser.parse_args()
    api = open_course(options.course)
    for lesson in notebooks.lesson_folders(options.lessons):
        print(write_source(lesson, options.course), flush=True)
        made = api.generate_assignment(lesson.name)
        if not made["success"]:
            sys.exit(f"nbgrader could not make the students' version of {lesson.name}:\n"
                     f"{made.get('error', '')}{made.get('log', '')}")
    print(f"for students: {options.course}/release/; next: cd {options.course} && nbgrader --help")


if __name__ == "__main__":
    main()
