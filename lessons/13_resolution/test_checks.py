"""The checks of lesson 13 against right answers, stubs and typical wrong answers."""

import copy
import statistics

import pytest
import torch
from torch import nn

from d2lvgg import trace_shapes, vgg
from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("13")


def measures(conv_arch, size):
    with torch.device("meta"):
        table = trace_shapes(vgg(conv_arch, input_size=size), (1, 1, size, size))
    side = table[len(conv_arch) - 1].output_shape[-1]
    return table.params, table.flops, side * side


def effect(conv_arch, before, after):
    old, new = measures(conv_arch, before), measures(conv_arch, after)
    return tuple(b / a for a, b in zip(old, new, strict=True))


def replaced(place, value):
    """effect with one of its three numbers wrong."""
    def wrong(conv_arch, before, after):
        found = list(effect(conv_arch, before, after))
        found[place] = value(found[place], before, after)
        return found
    return wrong


def any_size(net, side):
    *blocks, flatten, a, b, c, d, e, f, g = net
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(side), flatten, a, b, c, d, e, f, g)


def pooled_to_one(net, side):
    return any_size(net, 1)


def pooled_too_late(net, side):
    return nn.Sequential(*net[:-7], nn.AdaptiveAvgPool1d(net[-7].in_features), *net[-7:])


def new_head(net, side):
    found = any_size(net, side)
    found[-1] = nn.Linear(4096, 10)
    return found


def more_layers(net, side):
    return nn.Sequential(*any_size(net, side), nn.Linear(10, 10))


def largest_not_mean(net, side):
    return nn.Sequential(*net[:-8], nn.AdaptiveMaxPool2d(side), *net[-8:])


def errors_apart(first, second, variance=statistics.variance, root_n=True):
    error = sum(variance(runs) / (len(runs) if root_n else 1) for runs in (first, second)) ** 0.5
    return (statistics.mean(first) - statistics.mean(second)) / error


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_effect, effect),
    (checks.check_effect, lambda *a: list(effect(*a))),
    (checks.check_any_size, any_size),
    (checks.check_any_size, lambda net, side: any_size(copy.deepcopy(net), (side, side))),
    (checks.check_small_arch, ((4, 16), (4, 32))),
    (checks.check_small_arch, [[2, 16], [6, 32]]),
    (checks.check_apart, lambda a, b: abs(errors_apart(a, b)) > 2),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_effect, lambda conv_arch, before, after: ...),
    (checks.check_any_size, lambda net, side: ...),
    (checks.check_small_arch, ...),
    (checks.check_apart, lambda first, second: ...),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_effect, lambda arch, before, after: effect(arch, after, before), "upside down"),
    (checks.check_effect, replaced(0, lambda *_: 1.0), "first linear layer's do not"),
    (checks.check_effect, replaced(2, lambda ratio, *_: ratio ** 0.5), "ratio of the sides"),
    (checks.check_effect, replaced(2, lambda _, a, b: (b / a) ** 2), "ratio of the pixels"),
    (checks.check_effect, replaced(1, lambda ratio, *_: ratio * 2), "for the FLOPs you have"),
    (checks.check_effect, lambda *_: 0.51, "three numbers are wanted"),
    (checks.check_any_size, pooled_to_one, "pooled to 1 x 1"),
    (checks.check_any_size, pooled_too_late, "between the blocks and Flatten"),
    (checks.check_any_size, lambda net, side: net, "refused 24 pixels"),
    (checks.check_any_size, new_head, "its weights must be net's"),
    (checks.check_any_size, more_layers, "no new layers with weights"),
    (checks.check_any_size, largest_not_mean, "average pool"),
    (checks.check_any_size, lambda net, side: 7, "a network is wanted, not int"),
    (checks.check_small_arch, ((1, 8),) * 8, "eight blocks"),
    (checks.check_small_arch, ((1, 8), (1, 16), (2, 32), (2, 64), (2, 64)), "survive four"),
    (checks.check_small_arch, ((2, 8), (3, 16), (3, 32)), "leave 3 x 3"),
    (checks.check_small_arch, ((2, 16), (2, 32)), "has 4 convolutions"),
    (checks.check_small_arch, ((4, 64), (4, 128)), "64 are allowed"),
    (checks.check_small_arch, 8, "not a sequence"),
    (checks.check_apart, lambda a, b: max(a) != max(b), "luckiest"),
    (checks.check_apart, lambda a, b: abs(errors_apart(a, b, root_n=False)) > 2, "divide each"),
    (checks.check_apart, lambda a, b: abs(errors_apart(a, b, statistics.pvariance)) > 2, "n - 1"),
    (checks.check_apart, lambda a, b: errors_apart(a, b) > 2, "either way"),
    (checks.check_apart, lambda a, b: statistics.mean(a) != statistics.mean(b), "never equal"),
    (checks.check_apart, lambda a, b: True, "standard errors apart|never equal"),
])
def test_wrong(check, answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
