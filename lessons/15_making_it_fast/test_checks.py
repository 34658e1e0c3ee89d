"""Lesson 15's checks: the right answer passes, each wrong one is told what is wrong."""

import math
import statistics

import pytest
import torch

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("15")


def speedup(shares, factors):
    return 1 / sum(s / f for s, f in zip(shares, factors, strict=True))


def verdict(slow, fast):
    ratios = [a / b for a, b in zip(slow, fast, strict=True)]
    return "faster" if min(ratios) > 1 else "slower" if max(ratios) < 1 else "cannot tell"


def conv_intensity(i, o, side, size):
    return 18 * i * o * side**2 / (size * ((i + o) * side**2 + 9 * i * o))


def survives(weight, change, dtype=torch.bfloat16):
    before = torch.tensor(weight, dtype=dtype)
    return bool(before != (before.double() + change).to(dtype))


RIGHT = [(checks.check_speedup, speedup), (checks.check_verdict, verdict),
         (checks.check_conv_intensity, conv_intensity), (checks.check_survives, survives)]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right_answers_pass_and_stubs_wait(check, answer, capsys):
    assert check(answer) is True
    assert "Right." in capsys.readouterr().out
    assert check(lambda *_: ...) is False
    assert "Not answered yet" in capsys.readouterr().out


def by_sums(slow, fast):
    return ("faster" if sum(slow) > sum(fast) else
            "slower" if sum(slow) < sum(fast) else "cannot tell")


def by_ranges(slow, fast):
    return ("faster" if min(slow) > max(fast) else
            "slower" if max(slow) < min(fast) else "cannot tell")


def by_medians(slow, fast):
    a, b = statistics.median(slow), statistics.median(fast)
    return "faster" if a > b else "slower" if a < b else "cannot tell"


@pytest.mark.parametrize(("check", "answer", "words"), [
    (checks.check_speedup, lambda s, f: sum(a * b for a, b in zip(s, f, strict=True)),
     "speeds do not add up"),
    (checks.check_speedup, lambda s, f: 1 / speedup(s, f), "the time that is left"),
    (checks.check_speedup, lambda s, f: math.prod(f), "multiplied the factors"),
    (checks.check_verdict, by_sums, "cannot tell"),
    (checks.check_verdict, by_ranges, "compare pair by pair"),
    (checks.check_verdict, by_medians, "the pairs do not agree"),
    (checks.check_verdict, lambda a, b: "yes", "none of"),
    (checks.check_conv_intensity, lambda i, o, s, b: 18 * i * o / (b * (i + o)),
     "left out the bytes of the weights"),
    (checks.check_conv_intensity,
     lambda i, o, s, b: 18 * i * o * s * s / (b * (i * s * s + 9 * i * o)), "of the output"),
    (checks.check_conv_intensity, lambda *a: conv_intensity(*a) / 2, "they are two"),
    (checks.check_conv_intensity, lambda *a: conv_intensity(*a) * a[-1], "FLOPs a number"),
    (checks.check_survives, lambda w, c: survives(w, c, torch.float16), "rounded to another type"),
    (checks.check_survives, lambda w, c: w + c != w, "rounded to another type"),
    (checks.check_survives, lambda w, c: abs(c) > 2**-8, "relative to the weight"),
    (checks.check_survives, lambda w, c: abs(c) > abs(w) * 2**-6, "and you say False")])
def test_wrong_answers_are_told_what_is_wrong(check, answer, words):
    with pytest.raises(WrongAnswer, match=words):
        check(answer)
