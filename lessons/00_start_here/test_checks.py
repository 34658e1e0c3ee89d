"""The checks of lesson 00 against right answers, stubs and plausible wrong answers."""

import numpy as np
import pytest
import torch

from d2lvgg import LABELS
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


def named(places):
    """Return a program that names what places finds in the probabilities."""
    return lambda probabilities: tuple(LABELS[place] for place in places(probabilities))


def by_sorting(probabilities):
    order = sorted(range(10), key=lambda place: -probabilities[place])
    return [LABELS[place] for place in order[:2]]


def taking_turns(program):
    """Return program as it is where each second answer is turned round."""
    calls = []

    def call(probabilities):
        calls.append(1)
        return program(probabilities)[::-1 if len(calls) % 2 == 0 else 1]
    return call


def top_two(probabilities):
    return probabilities.topk(2).indices.tolist()


RIGHT = [
    (checks.check_torn_between, named(top_two)),
    (checks.check_torn_between, by_sorting),
    (checks.check_torn_between, named(lambda p: np.argsort(-p.numpy())[:2])),
    (checks.check_run_minutes, lambda rate: 60_000 * 10 / rate / 60),
    (checks.check_run_minutes, lambda rate: np.float32(10_000) / rate),
    (checks.check_run_minutes, minutes_by_loop),
]
EMPTY = [
    (checks.check_torn_between, ...),
    (checks.check_torn_between, lambda probabilities: ...),
    (checks.check_run_minutes, lambda rate: ...),
]
WRONG = [
    (checks.check_torn_between, top_two, "LABELS has the name", "left-out step"),
    (checks.check_torn_between, lambda p: LABELS[p.argmax()], "two names are wanted",
     "left-out step"),
    (checks.check_torn_between, lambda p: [LABELS[p.argmax()]], "here are 1", "left-out step"),
    (checks.check_torn_between, named(lambda p: p.argsort()[-2:]), "comes first",
     "wrong formula"),
    (checks.check_torn_between, named(lambda p: p.argsort()[:2]), "others are more probable",
     "wrong formula"),
    (checks.check_torn_between, named(lambda p: [p.argmax(), p.argmax()]), "one class twice",
     "left-out step"),
    (checks.check_torn_between, named(lambda p: sorted(top_two(p))), "in the order of LABELS",
     "wrong formula"),
    (checks.check_torn_between, named(lambda p: [(place + 1) % 10 for place in top_two(p)]),
     "counted from 0", "off by one"),
    (checks.check_torn_between, lambda p: ("pullover", "coat"), "whatever the probabilities",
     "works for the shown case only"),
    (checks.check_torn_between, lambda p: ("pullover", "coat") if p[2] > 0.5 else
     ("ankle boot", "sneaker"), "others are more probable", "works for the shown case only"),
    (checks.check_torn_between, taking_turns(named(top_two)), "left behind", "state left behind"),
    (checks.check_torn_between, lambda p: ("Pullover", "hat"), "not two of the ten", None),
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
