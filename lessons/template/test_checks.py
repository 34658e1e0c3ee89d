"""The checks of lesson 99 against right answers, stubs and plausible wrong answers."""

import pytest

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("99")

RIGHT = [
    (checks.check_count, lambda n, m: n * m + m),
    (checks.check_share_of_biases, lambda n, m: m / (n * m + m)),
]
EMPTY = [
    (checks.check_count, lambda n, m: ...),
    (checks.check_share_of_biases, lambda n, m: ...),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_count, lambda n, m: n * m, "count the biases", "left-out step"),
    (checks.check_count, lambda n, m: n * m + n, "a weight for each input", "wrong axis"),
    (checks.check_count, lambda n, m: 210, "a weight for each input",
     "works for the shown case only"),
    (checks.check_share_of_biases, lambda n, m: 1 / n, "divide by all", "left-out step"),
    (checks.check_share_of_biases, lambda n, m: 100 / (n + 1), "is no share", "wrong unit"),
    (checks.check_share_of_biases, lambda n, m: 1 / 21, "count the biases",
     "works for the shown case only"),
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
