"""What every check is made of, and where the lessons' own checks are found."""

import copy
import functools
import importlib.util
import math
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from .predictions import record

LEFT_BEHIND = "something is left behind from one call to the next (a global or a default argument)"
HERE = Path(__file__).resolve().parent
# In an installed course the lessons' checks lie inside the package, in the repository beside it.
LESSONS = next(folder for folder in (HERE / "lessons", HERE.parent / "lessons") if folder.is_dir())


def checks_of(number):
    """Return the checks of the lesson whose number, such as "06", is given."""
    return of_lesson(number, "checks")


def of_lesson(number, name):
    """Return lessons/<number>_*/<name>.py as a module. Raises ValueError where there is none."""
    for path in LESSONS.glob(f"{number}_*/{name}.py"):
        return load_file(path)
    raise ValueError(f"no lesson {number!r} has a {name}.py: give its number as text, such as '06'")


def load_file(path):
    """Return a lesson's Python file as a module, run once a process."""
    name = f"d2lvgg_lessons.{path.parent.name}.{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module  # not before: what fails half-way is no module
    return sys.modules[name]


class WrongAnswer(AssertionError):
    """A wrong answer; Jupyter shows its sentence alone, with no traceback."""

    def _render_traceback_(self):
        return [f"Not yet: {self}"]


class Unanswered(Exception):
    """The stub still stands."""


def exercise(check):
    """Make a check of a function that raises WrongAnswer and returns the words of praise.

    Whatever else goes wrong with an odd answer becomes a WrongAnswer too: a student sees a sentence
    and never a traceback of ours.
    """

    @functools.wraps(check)
    def call(answer):
        try:
            if answer is None or answer is ...:
                raise Unanswered
            expect(not isinstance(answer, Iterator), "a list is wanted, which can be read twice")
            print(f"Right. {check(answer)}")
        except Unanswered:
            print("Not answered yet: replace the ... (a function has to return), run both cells.")
            return False
        except WrongAnswer:
            raise
        except Exception as error:
            raise WrongAnswer("this answer is of another kind than was asked for, and cannot be "
                              f"checked: {type(error).__name__}: {error}") from None
        record(check.__module__.partition("lessons.")[2].partition("_")[0], "exercises",
               check.__name__.removeprefix("check_"), True)
        return True

    return call


def expect(condition, mistake):
    """Raise WrongAnswer(mistake) unless condition holds."""
    if not condition:
        raise WrongAnswer(mistake)


def ask(function, *arguments):
    """Return function(*arguments), the student's own function, its errors turned into sentences.

    Lists, dicts and sets are copied first: what the function changes in them is not the check's.
    """
    expect(callable(function), f"a function is wanted, and this is {function!r}")
    name = getattr(function, "__name__", "your function")
    shown = textwrap.shorten(f"{name}({', '.join(map(repr, arguments))})", 200)
    given = [copy.deepcopy(argument) if isinstance(argument, (list, dict, set)) else argument
             for argument in arguments]
    try:
        answer = function(*given)
        if isinstance(answer, Iterator) and not hasattr(answer, "read"):  # it may have no end
            answer = [value for value, _ in zip(answer, range(10_000), strict=False)]
    except (Exception, SystemExit) as error:
        raise WrongAnswer(f"{shown} raised {type(error).__name__}: {error}") from None
    if answer is None or answer is ...:
        raise Unanswered
    return answer


def ask_twice(read, function, *arguments):
    """Return what read makes of function(*arguments). Raises WrongAnswer where two calls differ."""
    found, again = (read(ask(function, *arguments)) for _ in range(2))
    expect(found == again, f"the same call gave {found} and then {again}: {LEFT_BEHIND}")
    return found


def ask_number(function, *arguments):
    """Return what ask does, as a Python number. Raises WrongAnswer where it is none."""
    return as_number(ask(function, *arguments))


def as_number(found):
    """Return a number, numpy's and a tensor of one included, as Python's int or float.

    Raises WrongAnswer for anything else, True, False and nan included.
    """
    if getattr(found, "ndim", None) == 0 and hasattr(found, "item"):
        found = found.item()
    expect(type(found) in (int, float), f"one number is wanted, not {found!r}")
    expect(not math.isnan(found), "one number is wanted, not nan: look for 0 / 0 or inf - inf")
    return found


def expect_not(found, wrong, right, mistake):
    """Raise WrongAnswer(mistake) where found is the wrong number, unless that is right too."""
    expect(found != wrong or wrong == right, mistake)
