"""The checks of lesson 16 against right answers, stubs and typical wrong answers."""

import pytest

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


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_gluon_name, gluon_name),
    (checks.check_same_padding, same_padding),
    (checks.check_same_padding, lambda *numbers: list(same_padding(*numbers))),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr * batch_size / n),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr / n * batch_size),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_gluon_name, lambda name, num_blocks: ...),
    (checks.check_same_padding, lambda size, kernel, stride: None),
    (checks.check_effective_lr, lambda lr, batch_size, n: ...),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_gluon_name, lambda name, blocks: name, "inside the convolution"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b, in_head=lambda k: k), "inside Dense"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b, in_head=lambda k: k // 3 - 1),
     "dropped Flatten or Dropout"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, 5), "linear layers are children"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b, in_block=lambda k: k // 2 + 1),
     "it halves"),
    (checks.check_same_padding, lambda size, kernel, stride: (kernel // 2, kernel // 2),
     "half a kernel"),
    (checks.check_same_padding, lambda *numbers: same_padding(*numbers)[::-1], "goes after"),
    (checks.check_same_padding, unclipped, "ever cut off"),
    (checks.check_same_padding, lambda *numbers: sum(same_padding(*numbers)), "two numbers"),
    (checks.check_same_padding, lambda *numbers: (3, 4), "beyond the row"),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr, "left lr as it is"),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr / n, "differentiates the sum"),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr * n / batch_size, "upside down"),
    (checks.check_effective_lr, lambda lr, batch_size, n: lr * batch_size, "divided by"),
    (checks.check_effective_lr, lambda lr, batch_size, n: "lr", "one number"),
])
def test_wrong(check, answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
