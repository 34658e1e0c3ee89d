"""The checks of lesson 15 against right answers, stubs and plausible wrong answers."""

import math
import statistics

import numpy as np
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


def by_sums(slow, fast):
    return ("faster" if sum(slow) > sum(fast) else
            "slower" if sum(slow) < sum(fast) else "cannot tell")


def by_ranges(slow, fast):
    return ("faster" if min(slow) > max(fast) else
            "slower" if max(slow) < min(fast) else "cannot tell")


def by_medians(slow, fast):
    a, b = statistics.median(slow), statistics.median(fast)
    return "faster" if a > b else "slower" if a < b else "cannot tell"


def zipped(slow, fast):
    return list(zip(slow, fast, strict=True))


def verdict_in_a_loop(slow, fast):
    wins = sum(a > b for a, b in zipped(slow, fast))
    losses = sum(a < b for a, b in zipped(slow, fast))
    return {(len(slow), 0): "faster", (0, len(slow)): "slower"}.get((wins, losses), "cannot tell")


def of_seven(slow, fast):
    wins = sum(a > b for a, b in zipped(slow, fast))
    return "faster" if wins == 7 else "slower" if wins == 0 else "cannot tell"


def by_majority(slow, fast):
    wins = sum(1 if a > b else -1 if a < b else 0 for a, b in zipped(slow, fast))
    return "faster" if wins > 0 else "slower" if wins < 0 else "cannot tell"


def with_equal_times(slow, fast):
    if all(a >= b for a, b in zipped(slow, fast)):
        return "faster"
    return "slower" if all(a <= b for a, b in zipped(slow, fast)) else "cannot tell"


def summed(function):
    """Adds up its answers from call to call, in a number outside the function."""
    answers = []

    def wrong(*arguments):
        answers.append(function(*arguments))
        return sum(answers)
    return wrong


def kept_runs():
    runs = []  # outside the function

    def wrong(slow, fast):
        runs.extend(zipped(slow, fast))
        return verdict(*zip(*runs, strict=True)) if len(runs) > len(slow) else "cannot tell"
    return wrong


def kept_change():
    changes = {}  # outside the function

    def wrong(weight, change):
        changes[weight] = changes.get(weight, 0) + change
        return survives(weight, changes[weight])
    return wrong


def intensity(i, o, side, size, output=True, places=None):
    places = side**2 if places is None else places
    maps = (i + o * output) * side**2
    return 18 * i * o * places / (size * (maps + 9 * i * o))


def late_rounding(weight, change):
    return (torch.tensor(weight, dtype=torch.float64).to(torch.bfloat16)
            != torch.tensor(weight + change, dtype=torch.float64).to(torch.bfloat16))


RIGHT = [
    (checks.check_speedup, speedup),
    (checks.check_speedup, lambda s, f: 1 / np.sum(np.array(s) / np.array(f))),
    (checks.check_speedup, lambda s, f: 1 / (torch.tensor(s, dtype=torch.float64)
                                             / torch.tensor(f, dtype=torch.float64)).sum()),
    (checks.check_verdict, verdict),
    (checks.check_verdict, verdict_in_a_loop),
    (checks.check_conv_intensity, conv_intensity),
    (checks.check_conv_intensity, lambda *a: np.float64(intensity(*a))),
    (checks.check_survives, survives),
    (checks.check_survives, lambda w, c: (torch.tensor(w).bfloat16().float() + c).bfloat16()
     != torch.tensor(w).bfloat16()),
    (checks.check_survives, lambda w, c: np.bool_(survives(w, c))),
]
EMPTY = [(check, lambda *_: ...) for check in (
    checks.check_speedup, checks.check_verdict, checks.check_conv_intensity,
    checks.check_survives)]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_speedup, lambda s, f: sum(a * b for a, b in zip(s, f, strict=True)),
     "speeds do not add up", "wrong formula"),
    (checks.check_speedup, lambda s, f: 1 / speedup(s, f), "the time that is left",
     "left-out step"),
    (checks.check_speedup, lambda s, f: 1 - 1 / speedup(s, f), "the time that is saved",
     "wrong formula"),
    (checks.check_speedup, lambda s, f: speedup(s, f) - 1, "how much is added", "off by one"),
    (checks.check_speedup, lambda s, f: 100 * speedup(s, f), "per cent", "wrong unit"),
    (checks.check_speedup, lambda s, f: math.prod(f), "product of the factors", "wrong formula"),
    (checks.check_speedup, lambda s, f: sum(f) / len(f), "without the shares", "left-out step"),
    (checks.check_speedup, lambda s, f: statistics.harmonic_mean(f), "same share of the time",
     "left-out step"),
    (checks.check_speedup, lambda s, f: max(f), "largest factor", "wrong formula"),
    (checks.check_speedup, lambda s, f: 1 / (1 - s[0] + s[0] / f[0]), "first part alone",
     "works for the shown case only"),
    (checks.check_speedup, lambda s, f: 200 / 101, "how long does each part take",
     "works for the shown case only"),
    (checks.check_speedup, summed(speedup), "left behind from one call", "state left behind"),
    (checks.check_speedup, lambda s, f: "twice", "one number", None),
    (checks.check_verdict, by_sums, "one slow run on one side", "wrong formula"),
    (checks.check_verdict, by_ranges, "compare pair by pair", "wrong axis"),
    (checks.check_verdict, by_medians, "compared the medians", "wrong formula"),
    (checks.check_verdict, by_majority, "the majority", "left-out step"),
    (checks.check_verdict, with_equal_times, "neither less nor more", "left-out step"),
    (checks.check_verdict, lambda slow, fast: verdict(fast, slow), "mixed up", "wrong axis"),
    (checks.check_verdict, lambda slow, fast: verdict(slow[:-1], fast[:-1]), "the last pair",
     "off by one"),
    (checks.check_verdict, lambda slow, fast: verdict(slow[1:], fast[1:]), "the first pair",
     "off by one"),
    (checks.check_verdict, lambda slow, fast: verdict(slow[:1], fast[:1]), "first pair alone",
     "left-out step"),
    (checks.check_verdict, lambda slow, fast: verdict(sorted(slow), sorted(fast)), "you sorted",
     "wrong axis"),
    (checks.check_verdict, of_seven, "pair by pair", "works for the shown case only"),
    (checks.check_verdict, lambda slow, fast: "faster", "one verdict for all",
     "works for the shown case only"),
    (checks.check_verdict, kept_runs(), "left behind from one call", "state left behind"),
    (checks.check_verdict, lambda a, b: "yes", "none of", None),
    (checks.check_conv_intensity, lambda i, o, s, b: 18 * i * o / (b * (i + o)),
     "left out the bytes of the weights", "left-out step"),
    (checks.check_conv_intensity, lambda *a: intensity(*a, output=False), "of the output",
     "left-out step"),
    (checks.check_conv_intensity,
     lambda i, o, s, b: 18 * i * o * s * s / (b * (o * s * s + 9 * i * o)), "of the input",
     "left-out step"),
    (checks.check_conv_intensity, lambda *a: conv_intensity(*a) / 2, "they are two",
     "left-out step"),
    (checks.check_conv_intensity, lambda *a: conv_intensity(*a) * a[-1], "FLOPs a number",
     "wrong unit"),
    (checks.check_conv_intensity, lambda *a: conv_intensity(*a) / 8, "FLOPs a bit", "wrong unit"),
    (checks.check_conv_intensity, lambda i, o, s, b: conv_intensity(i, o, s, 2),
     "itemsize says how many", "works for the shown case only"),
    (checks.check_conv_intensity, lambda *a: 843.0, "count FLOPs",
     "works for the shown case only"),
    (checks.check_conv_intensity, lambda i, o, s, b: intensity(i, o, s, b, places=(s - 2)**2),
     "same-padded", "off by one"),
    (checks.check_conv_intensity, lambda i, o, s, b: intensity(i, o, s, b, places=1),
     "work at one place", "left-out step"),
    (checks.check_conv_intensity,
     lambda i, o, s, b: 18 * i * o * s / (b * ((i + o) * s + 9 * i * o)), "side rows",
     "wrong formula"),
    (checks.check_conv_intensity,
     lambda i, o, s, b: 2 * i * o * s**2 / (b * ((i + o) * s**2 + i * o)), "1x1 convolution's",
     "wrong formula"),
    (checks.check_conv_intensity, lambda *a: 1 / conv_intensity(*a), "upside down",
     "wrong formula"),
    (checks.check_conv_intensity, summed(conv_intensity), "left behind from one call",
     "state left behind"),
    (checks.check_conv_intensity, lambda *a: "many", "one number", None),
    (checks.check_survives, lambda w, c: survives(w, c, torch.float16), "float16 keeps more",
     "wrong unit"),
    (checks.check_survives, lambda w, c: survives(w, c, torch.float32), "float32 and Python",
     "wrong unit"),
    (checks.check_survives, lambda w, c: w + c != w, "did not round", "left-out step"),
    (checks.check_survives, late_rounding, "round it before you add", "left-out step"),
    (checks.check_survives, lambda w, c: torch.tensor(w).bfloat16() + torch.tensor(c).bfloat16()
     != torch.tensor(w).bfloat16(), "rounded the change too", "wrong formula"),
    (checks.check_survives, lambda w, c: abs(c) > 2**-8, "relative to the weight",
     "works for the shown case only"),
    (checks.check_survives, lambda w, c: c >= 0.005 or c / max(w, 1e-9) > 0.05,
     "survives\\(", "works for the shown case only"),
    (checks.check_survives, lambda w, c: abs(c) > abs(w) * 2**-6, "fixed fraction",
     "wrong formula"),
    (checks.check_survives, lambda w, c: abs(c) > abs(w) * 2**-9, "fixed fraction", "off by one"),
    (checks.check_survives, lambda w, c: not survives(w, c), "the opposite", "wrong formula"),
    (checks.check_survives, lambda w, c: c > 0 and survives(w, c), "downwards", "left-out step"),
    (checks.check_survives, kept_change(), "left behind from one call", "state left behind"),
    (checks.check_survives, lambda w, c: True, "True of every", "works for the shown case only"),
    (checks.check_survives, lambda w, c: w + c, "True or False", None),
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
