"""The checks of lesson 06 against right answers, stubs and typical wrong answers."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lvgg import vgg_block
from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("06")


def stack_weights(size, num_convs, in_channels, out_channels):
    total = 0
    for _ in range(num_convs):
        total += size ** 2 * in_channels * out_channels
        in_channels = out_channels
    return total


def receptive_field(layers):
    seen, step = 1, 1
    for size, stride in layers:
        seen += (size - 1) * step
        step *= stride
    return seen


def own_stride_first(layers):
    seen, step = 1, 1
    for size, stride in layers:
        step *= stride
        seen += (size - 1) * step
    return seen


def pool_first(num_convs, in_channels, out_channels):
    *layers, relu, pool = vgg_block(num_convs, in_channels, out_channels)
    return nn.Sequential(*layers, pool, relu)


def relu_at_the_end_alone(*sizes):
    kept = [layer for layer in vgg_block(*sizes) if not isinstance(layer, nn.ReLU)]
    return nn.Sequential(*kept, nn.ReLU())


def pool_after_each(num_convs, in_channels, out_channels):
    layers = []
    for _ in range(num_convs):
        layers += [nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()]
        in_channels = out_channels
    return nn.Sequential(*layers)


def merge(first, second, turn=True):
    second = second.flip(0, 1) if turn else second
    return F.conv2d(first[None, None], second[None, None], padding=2)[0, 0]


def merge_by_gradient(first, second):
    X = torch.zeros(1, 1, 5, 5, requires_grad=True)
    F.conv2d(F.conv2d(X, first[None, None]), second[None, None]).backward()
    return X.grad[0, 0]


def pad(kernel):
    return F.pad(kernel, (1, 1, 1, 1))


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_stack_weights, stack_weights),
    (checks.check_receptive_field, receptive_field),
    (checks.check_pool_first_block, pool_first),
    (checks.check_pool_first_block, lambda *sizes: nn.Sequential(pool_first(*sizes))),
    (checks.check_merge, merge),
    (checks.check_merge, merge_by_gradient),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_stack_weights, ...),
    (checks.check_stack_weights, lambda *arguments: ...),
    (checks.check_receptive_field, lambda layers: ...),
    (checks.check_pool_first_block, lambda *sizes: ...),
    (checks.check_merge, lambda first, second: None),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_stack_weights, lambda k, n, a, b: stack_weights(k, n, a, b) + n * b,
     "counted the biases"),
    (checks.check_stack_weights, lambda k, n, a, b: n * k * k * a * b, "reads in_channels"),
    (checks.check_stack_weights, lambda k, n, a, b: n * k * k * b * b, "first layer reads out"),
    (checks.check_stack_weights, lambda k, n, a, b: stack_weights(1, n, a, b) * k, "places"),
    (checks.check_stack_weights, lambda k, n, a, b: k + n, "the layers have"),
    (checks.check_stack_weights, lambda k, n: k, "raised TypeError"),
    (checks.check_receptive_field, lambda layers: 1 + sum(k - 1 for k, _ in layers),
     "left out the strides"),
    (checks.check_receptive_field, own_stride_first, "own stride stretch"),
    (checks.check_receptive_field, lambda layers: sum(k for k, _ in layers), "whole windows"),
    (checks.check_receptive_field, lambda layers: 2 * len(layers) + 1, "pixels a side"),
    (checks.check_pool_first_block, vgg_block, "vgg_block itself"),
    (checks.check_pool_first_block, lambda *sizes: nn.Sequential(*pool_first(*sizes)[:-1]),
     "moved, not removed"),
    (checks.check_pool_first_block, relu_at_the_end_alone, "moved every ReLU"),
    (checks.check_pool_first_block, pool_after_each, "pool more than once"),
    (checks.check_pool_first_block, lambda *sizes: nn.Sequential(*vgg_block(*sizes), nn.ReLU()),
     "moved, not copied"),
    (checks.check_pool_first_block, lambda n, a, b: pool_first(n, a, b + 1), "other weights"),
    (checks.check_pool_first_block, lambda *sizes: vgg_block(*sizes)[:-1], "no MaxPool2d"),
    (checks.check_merge, lambda first, second: merge(first, second, turn=False), "turned by 180"),
    (checks.check_merge, lambda first, second: pad(first) + pad(second), "added the kernels"),
    (checks.check_merge, lambda first, second: pad(first * second), "place by place"),
    (checks.check_merge, lambda first, second: first @ second, "shape \\(5, 5\\)"),
    (checks.check_merge, lambda first, second: merge(second, second), "other numbers"),
])
def test_wrong(check, answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)


def test_what_the_reference_sees_is_what_the_gradient_reaches():
    layers = [(3, 1), (3, 1), (2, 2), (3, 1), (2, 2)]
    net = nn.Sequential(*[nn.Conv2d(1, 1, *layer, bias=False) for layer in layers])
    for conv in net:
        nn.init.ones_(conv.weight)
    X = torch.ones(1, 1, 64, 64, requires_grad=True)
    net(X)[0, 0, 5, 5].backward()
    assert int((X.grad[0, 0] != 0).any(dim=0).sum()) == receptive_field(layers)
