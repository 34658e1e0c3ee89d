"""The checks of lesson 99 against right answers, stubs and typical wrong answers."""

import pytest

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("99")


def test_right(capsys):
    assert checks.check_count(lambda n, m: n * m + m) is True
    assert "Right." in capsys.readouterr().out


def test_stub(capsys):
    assert checks.check_count(lambda n, m: ...) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "mistake"), [
    (lambda n, m: n * m, "count the biases"),
    (lambda n, m: n * m + n, "a weight for each input"),
    (lambda n, m: n + m, "a weight for each input"),
])
def test_wrong(answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        checks.check_count(answer)
