"""The checks of lesson 16 against right answers, stubs and plausible wrong answers."""

import math
import re

import numpy as np
import pytest
import torch

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("16")


def gluon_name(name, num_blocks, in_block=lambda k: k // 2, in_head=lambda k: k - k // 3):
    *place, kind = name.split(".")
    place = [int(number) for number in place]
    if len(place) == 2:
        place[1] = in_block(place[1])
    else:
        place[0] = num_blocks + 1 + in_head(place[0] - num_blocks - 1)
    return ".".join([*map(str, place), kind])


def same_padding(size, kernel, stride):
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def unclipped(size, kernel, stride):
    total = (-(-size // stride) - 1) * stride + kernel - size
    return total // 2, total - total // 2


def gluon_name_by_counting(name, num_blocks):
    """Writes down the numbers of both and looks one up in the other."""
    ours = [n for n in range(num_blocks + 10) if n not in (num_blocks + 2, num_blocks + 5)]
    first, rest = name.split(".", 1)
    if "." in rest:
        return re.sub(r"\.(\d+)\.", lambda place: f".{int(place[1]) // 2}.", name)
    return f"{ours.index(int(first))}.{rest}"


def shown_names(name, num_blocks):
    return {"2.2.weight": "2.1.weight", "12.bias": "10.bias"}.get(name, name)


def one_digit(name, num_blocks):
    """Takes the name apart by its letters."""
    if name[1] == "." and name[3:4] == ".":
        return f"{name[0]}.{int(name[2]) // 2}{name[3:]}"
    return gluon_name(name, num_blocks) if name.count(".") == 1 else name


def numbers_turned(name, num_blocks):
    first, second, *kind = gluon_name(name, num_blocks).split(".")
    return ".".join([second, first, *kind] if kind else [first, second])


def names_kept():
    places = []  # outside the function

    def wrong(name, num_blocks):
        places.append(name)
        number = len(places)
        return gluon_name(name, num_blocks) if number % 2 else name
    return wrong


def padding_by_trying(size, kernel, stride):
    total = 0
    while math.floor((size + total - kernel) / stride) + 1 < math.ceil(size / stride):
        total += 1
    return [math.floor(total / 2), math.ceil(total / 2)]


def padding_for(size, kernel, stride, outputs):
    total = max((outputs - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def summed(function):
    """Adds up its answers from call to call, in a number outside the function."""
    answers = []

    def wrong(*arguments):
        answers.append(np.array(function(*arguments)))
        return sum(answers)
    return wrong


def effective_lr(lr, batch_size, n):
    return lr * batch_size / n


RIGHT = [
    (checks.check_gluon_name, gluon_name),
    (checks.check_gluon_name, gluon_name_by_counting),
    (checks.check_gluon_name, lambda *given: np.str_(gluon_name(*given))),
    (checks.check_same_padding, same_padding),
    (checks.check_same_padding, padding_by_trying),
    (checks.check_same_padding, lambda *numbers: np.array(same_padding(*numbers))),
    (checks.check_same_padding, lambda *numbers: torch.tensor(same_padding(*numbers))),
    (checks.check_effective_lr, effective_lr),
    (checks.check_effective_lr, lambda lr, batch_size, n: np.float64(lr / n * batch_size)),
    (checks.check_effective_lr, lambda lr, batch_size, n: torch.tensor(
        lr, dtype=torch.float64) * batch_size / n),
]
EMPTY = [
    (checks.check_gluon_name, lambda name, num_blocks: ...),
    (checks.check_same_padding, lambda size, kernel, stride: None),
    (checks.check_effective_lr, lambda lr, batch_size, n: ...),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_gluon_name, lambda name, blocks: name, "inside the convolution",
     "left-out step"),
    (checks.check_gluon_name, shown_names, "0.2.weight kept its number",
     "works for the shown case only"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b, in_head=lambda k: k), "inside Dense",
     "left-out step"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b, in_head=lambda k: k // 3 - 1),
     "dropped Flatten or Dropout", "off by one"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b, in_head=lambda k: k // 3),
     "dropped Dropout", "wrong formula"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, 5), "the 1 blocks of this network",
     "works for the shown case only"),
    (checks.check_gluon_name, one_digit, "10.2.weight kept its number",
     "works for the shown case only"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b, in_block=lambda k: k // 2 + 1),
     "how many convolutions", "off by one"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b).replace("bias", "weight"),
     "weight or bias, stays", "wrong formula"),
    (checks.check_gluon_name, numbers_turned, "in block 0 here and there", "wrong axis"),
    (checks.check_gluon_name, names_kept(), "left behind from one call", "state left behind"),
    (checks.check_gluon_name, lambda n, b: n.split("."), "a text", None),
    (checks.check_same_padding, lambda size, kernel, stride: (kernel // 2, kernel // 2),
     "half a kernel", "wrong formula"),
    (checks.check_same_padding, lambda *numbers: same_padding(*numbers)[::-1], "goes after",
     "wrong axis"),
    (checks.check_same_padding, lambda *numbers: (0, sum(same_padding(*numbers))),
     "not shared out", "left-out step"),
    (checks.check_same_padding, unclipped, "ever cut off", "left-out step"),
    (checks.check_same_padding, lambda s, k, t: padding_for(s, k, t, s // t), "too short",
     "wrong formula"),
    (checks.check_same_padding, lambda s, k, t: padding_for(s, k, t, -(-s // t) + 1),
     "longer than", "off by one"),
    (checks.check_same_padding, lambda s, k, t: padding_for(s, k, 1, s), "half a kernel",
     "works for the shown case only"),
    (checks.check_same_padding, lambda s, k, t: padding_for(s + 1, k + 2, t, -(-s // t)),
     "less padding", "off by one"),
    (checks.check_same_padding, lambda *numbers: tuple(
        number / 2 for number in [sum(same_padding(*numbers))] * 2), "whole pixels",
     "left-out step"),
    (checks.check_same_padding, lambda *numbers: (0, 1), "too short",
     "works for the shown case only"),
    (checks.check_same_padding, summed(same_padding), "left behind from one call",
     "state left behind"),
    (checks.check_same_padding, lambda *numbers: sum(same_padding(*numbers)), "two numbers", None),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr, "left lr as it is",
     "works for the shown case only"),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr / n, "differentiates the sum",
     "left-out step"),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr / batch_size, "divided by batch_size",
     "wrong formula"),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr * n / batch_size, "upside down",
     "wrong formula"),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr * batch_size, "where is it",
     "left-out step"),
    (checks.check_effective_lr, lambda lr, batch_size, n: batch_size / n, "lr is missing",
     "left-out step"),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr * 128 / n, "use batch_size",
     "works for the shown case only"),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr * (batch_size // n), "not //",
     "wrong unit"),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr * (batch_size + 1) / n,
     "set them equal", "off by one"),
    (checks.check_effective_lr, summed(effective_lr), "left behind from one call",
     "state left behind"),
    (checks.check_effective_lr, lambda lr, batch_size, n: "lr", "one number", None),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), EMPTY)
def test_empty(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake", "kind"), WRONG)
def test_wrong(check, answer, mistake, kind):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
