"""The checks of lesson 00 against right answers, stubs and plausible wrong answers."""

import numpy as np
import pytest
import torch

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("00")


def minutes_by_loop(rate):
    seconds = 0
    for _ in range(10):
        seconds += 60_000 / rate
    return torch.tensor(seconds / 60)


def growing(program):
    """Return program as it is where its answers add up from call to call."""
    answers = []

    def call(*arguments):
        answers.append(program(*arguments))
        return sum(answers)
    return call


RIGHT = [
    (checks.check_smallest_width, 2 ** 5),
    (checks.check_smallest_width, np.float32(32)),
    (checks.check_smallest_width, torch.tensor(32)),
    (checks.check_run_minutes, lambda rate: 60_000 * 10 / rate / 60),
    (checks.check_run_minutes, lambda rate: np.float32(10_000) / rate),
    (checks.check_run_minutes, minutes_by_loop),
]
EMPTY = [
    (checks.check_smallest_width, ...),
    (checks.check_run_minutes, lambda rate: ...),
]
WRONG = [
    (checks.check_smallest_width, 5 * 2, "halving is not taking away", "wrong formula"),
    (checks.check_smallest_width, 5 ** 2, "less than one", "wrong formula"),
    (checks.check_smallest_width, 2 ** 4, "the network has five blocks", "off by one"),
    (checks.check_smallest_width, 31, "less than one", "off by one"),
    (checks.check_smallest_width, 2 ** 6, "more than one", "off by one"),
    (checks.check_smallest_width, 33, "a smaller image does too", "off by one"),
    (checks.check_smallest_width, 1024, "how many has one row", "wrong unit"),
    (checks.check_smallest_width, 1, "less than one", "left-out step"),
    (checks.check_smallest_width, 224, "more than one", "works for the shown case only"),
    (checks.check_smallest_width, "32", "one number is wanted", None),
    (checks.check_run_minutes, lambda rate: 600_000 / rate, "that is in seconds", "wrong unit"),
    (checks.check_run_minutes, lambda rate: 600_000 / rate / 3600, "that is in hours",
     "wrong unit"),
    (checks.check_run_minutes, lambda rate: 60_000 / rate / 60, "one epoch's time",
     "left-out step"),
    (checks.check_run_minutes, lambda rate: sum(60_000 / rate / 60 for _ in range(1, 10)),
     "nine epochs", "off by one"),
    (checks.check_run_minutes, lambda rate: 70_000 * 10 / rate / 60, "the test images too",
     "wrong formula"),
    (checks.check_run_minutes, lambda rate: rate * 60 / 600_000, "upside down", "wrong formula"),
    (checks.check_run_minutes, lambda rate: 600_000 // rate // 60, "you rounded",
     "wrong formula"),
    (checks.check_run_minutes, lambda rate: 2.295, "at every rate",
     "works for the shown case only"),
    (checks.check_run_minutes, lambda rate: 10_000 / rate if rate > 4000 else 2.3,
     "how many images pass", "works for the shown case only"),
    (checks.check_run_minutes, growing(lambda rate: 10_000 / rate), "left behind",
     "state left behind"),
    (checks.check_run_minutes, lambda: 2.3, "raised TypeError", None),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert "Right." in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer"), EMPTY)
def test_empty(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake", "kind"), WRONG)
def test_wrong(check, answer, mistake, kind):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
