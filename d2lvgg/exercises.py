"""What every check is made of, and where the lessons' own checks are found."""

import functools
import importlib.util
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
# In an installed course the lessons' checks lie inside the package, in the repository beside it.
LESSONS = next(folder for folder in (HERE / "lessons", HERE.parent / "lessons") if folder.is_dir())


def checks_of(number):
    """Return the module of checks of the lesson whose number, such as "06", is given.

    Raises ValueError where no lesson has that number.
    """
    for path in LESSONS.glob(f"{number}_*/checks.py"):
        return load_file(path)
    raise ValueError(f"no lesson {number!r} has checks: give a lesson's number as text, such as "
                     "checks_of('06')")


def load_file(path):
    """Return a lesson's Python file as a module, run once a process."""
    name = f"d2lvgg_lessons.{path.parent.name}.{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


class WrongAnswer(AssertionError):
    """A wrong answer; Jupyter shows its sentence alone, with no traceback."""

    def _render_traceback_(self):
        return [f"Not yet: {self}"]


class Unanswered(Exception):
    """The stub still stands."""


def exercise(check):
    """Make a check of a function that raises WrongAnswer and returns the words of praise."""

    @functools.wraps(check)
    def call(answer):
        try:
            if answer is None or answer is ...:
                raise Unanswered
            praise = check(answer)
        except Unanswered:
            print("Not answered yet: replace the ... and run both cells again.")
            return False
        print(f"Right. {praise}")
        return True

    return call


def expect(condition, mistake):
    """Raise WrongAnswer(mistake) unless condition holds."""
    if not condition:
        raise WrongAnswer(mistake)


def ask(function, *arguments):
    """Return function(*arguments), the student's own function, its errors turned into sentences."""
    expect(callable(function), f"a function is wanted, and this is {function!r}")
    shown = textwrap.shorten(f"{function.__name__}({', '.join(map(repr, arguments))})", 200)
    try:
        answer = function(*arguments)
    except Exception as error:
        raise WrongAnswer(f"{shown} raised {type(error).__name__}: {error}") from None
    if answer is None or answer is ...:
        raise Unanswered
    return answer


def ask_number(function, *arguments):
    found = ask(function, *arguments)
    expect(isinstance(found, (int, float)), f"one number is wanted, not {found!r}")
    return found


def expect_not(found, wrong, right, mistake):
    """Raise WrongAnswer(mistake) where found is the wrong number, unless that is right too."""
    expect(found != wrong or wrong == right, mistake)
