"""Every exercise of every lesson: its right, empty and wrong answers, and odd ones."""

import itertools
import re

import numpy as np
import pytest
import torch
from torch import nn

from d2lvgg.exercises import LESSONS, Unanswered, WrongAnswer, as_number, ask, exercise, load_file

# How a program can run, return the right type, and be wrong in its meaning alone.
KINDS = {"left-out step", "off by one", "wrong mode", "wrong axis", "wrong formula", "wrong unit",
         "state left behind", "works for the shown case only"}


class Hostile:
    """Raises whatever is asked of it."""

    def __getattr__(self, name):
        raise RuntimeError(f"no {name} here")

    def __call__(self, *_arguments, **_options):
        raise RuntimeError("not to be called")


ODD = [0, -1, 10**30, 1.5, float("nan"), float("inf"), True, 1j, "", "text", b"bytes", [], {},
       set(), (), [1, 2], [[1], [2, 3]], {"a": 1}, {1: "a"}, [None], range(3), object(),
       Hostile(), Hostile, np.float32(2), np.array([1, 2]), np.array("x"), torch.tensor(4),
       torch.zeros(0),
       torch.zeros(2, 3), torch.tensor([float("nan")]), nn.Linear(2, 3), nn.Linear, type, print]
# ... and what a function that was asked for can return.
ODD += [lambda *arguments, value=value, **options: value for value in ODD]
ODD += [itertools.count(),  # without an end
        lambda *arguments, **options: itertools.count(),
        lambda: 0, lambda *arguments, **options: arguments,
        lambda *arguments, **options: exit(1)]


def lessons_with_checks():
    return sorted(path.parent for path in LESSONS.glob("[0-9]*_*/checks.py"))


def checks_in(folder):
    """Return {name: check} of a lesson's checks."""
    module = load_file(folder / "checks.py")
    return {name: value for name, value in vars(module).items()
            if name.startswith("check_") and value.__module__ == module.__name__}


each_lesson = pytest.mark.parametrize("folder", lessons_with_checks(), ids=lambda path: path.name)
each_check = pytest.mark.parametrize(
    "check", [pytest.param(check, id=f"{folder.name}-{name}")
              for folder in lessons_with_checks() for name, check in checks_in(folder).items()])


@each_lesson
def test_every_check_is_tried_with_right_empty_and_wrong_answers(folder):
    tests = load_file(folder / "test_checks.py")
    wanted = set(checks_in(folder))
    assert {check.__name__ for check, _ in tests.RIGHT} == wanted
    assert {check.__name__ for check, _ in tests.EMPTY} == wanted
    for name in wanted:
        wrong = [(mistake, kind) for check, _, mistake, kind in tests.WRONG
                 if check.__name__ == name]
        assert len(wrong) >= 3, f"{name}: {len(wrong)} wrong answers are tried"
        kinds = {kind for _, kind in wrong if kind}
        assert kinds <= KINDS, f"{name}: {kinds - KINDS} is no kind of mistake"
        assert kinds, f"{name}: no plausible wrong program is tried (KINDS)"
        asks_for_a_program = any(callable(answer) for check, answer in tests.RIGHT
                                 if check.__name__ == name)
        assert not asks_for_a_program or "works for the shown case only" in kinds, name


@each_check
def test_odd_answers_get_a_sentence(check, capsys):
    for answer in ODD:
        try:
            solved = check(answer)
        except WrongAnswer as mistake:
            sentence = str(mistake)
        else:
            assert solved is False, f"{answer!r} was taken for right"
            sentence = capsys.readouterr().out
        assert len(sentence.split()) >= 3, f"{answer!r}: {sentence}"


def test_a_number_is_a_number_in_every_library():
    for number in (4, np.int64(4), torch.tensor(4), np.array(4), 4.0, np.float32(4)):
        assert as_number(number) == 4
        assert type(as_number(number)) in (int, float)


@pytest.mark.parametrize("odd", [True, np.bool_(True), "4", 4j, torch.zeros(2), float("nan"),
                                 torch.tensor(float("nan")), None])
def test_what_is_no_number_is_refused(odd):
    with pytest.raises(WrongAnswer, match="one number is wanted"):
        as_number(odd)


def test_a_function_cannot_change_what_the_check_compares_with():
    cases = [3, 1, 2]
    assert ask(lambda numbers: numbers.sort() or numbers, cases) == [1, 2, 3]
    assert cases == [3, 1, 2]


def test_an_error_of_the_checks_own_is_a_sentence():
    @exercise
    def check(answer):
        return answer.upper()

    with pytest.raises(WrongAnswer, match=re.escape("cannot be checked: AttributeError")):
        check(3)


@pytest.mark.parametrize("nothing", [None, ...])
def test_nothing_returned_is_not_answered(nothing):
    with pytest.raises(Unanswered):
        ask(lambda: nothing)
