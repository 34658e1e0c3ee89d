"""The checks of lesson 06 against right answers, stubs and plausible wrong answers."""

import functools

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


def stack_weights_kept(size, num_convs, in_channels, out_channels, layers=[]):  # noqa: B006
    for _ in range(num_convs):
        layers.append(size ** 2 * in_channels * out_channels)
        in_channels = out_channels
    return sum(layers)


def receptive_field(layers):
    seen, step = 1, 1
    for size, stride in layers:
        seen += (size - 1) * step
        step *= stride
    return seen


def from_the_last(layers):
    seen = 1
    while layers:  # empties the list that it is given
        size, stride = layers.pop()
        seen = (seen - 1) * stride + size
    return seen


def own_stride_first(layers):
    seen, step = 1, 1
    for size, stride in layers:
        step *= stride
        seen += (size - 1) * step
    return seen


def strides_added(layers):
    seen, step = 1, 1
    for size, stride in layers:
        seen += (size - 1) * step
        step += stride
    return seen


def last_stride_alone(layers):
    seen, step = 1, 1
    for size, stride in layers:
        seen += (size - 1) * step
        step = stride
    return seen


def step_kept(layers, kept={"step": 1}):  # noqa: B006
    seen = 1
    for size, stride in layers:
        seen += (size - 1) * kept["step"]
        kept["step"] *= stride
    return seen


def pool_first(num_convs, in_channels, out_channels):
    *layers, relu, pool = vgg_block(num_convs, in_channels, out_channels)
    return nn.Sequential(*layers, pool, relu)


def pool_first_lazy(num_convs, in_channels, out_channels):
    relu, layers = nn.ReLU(), []
    for _ in range(num_convs):
        layers += [nn.LazyConv2d(out_channels, 3, padding=1), relu]
    return nn.Sequential(*layers[:-1], nn.MaxPool2d(2), relu)


class PoolFirst(nn.Module):
    def __init__(self, num_convs, in_channels, out_channels):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(out_channels if i else in_channels, out_channels, 3, padding=1)
            for i in range(num_convs))

    def forward(self, X):
        *convs, last = self.convs
        for conv in convs:
            X = F.relu(conv(X))
        return F.relu(F.max_pool2d(last(X), 2))


def relu_at_the_end_alone(*sizes):
    kept = [layer for layer in vgg_block(*sizes) if not isinstance(layer, nn.ReLU)]
    return nn.Sequential(*kept, nn.ReLU())


def pool_after_each(num_convs, in_channels, out_channels):
    layers = []
    for _ in range(num_convs):
        layers += [nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()]
        in_channels = out_channels
    return nn.Sequential(*layers)


def pool_before_the_last_convolution(*sizes):
    *layers, conv, relu, pool = vgg_block(*sizes)
    return nn.Sequential(*layers, pool, conv, relu)


def for_one_convolution(num_convs, in_channels, out_channels):
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.MaxPool2d(2),
                         nn.ReLU())


def rounded_up(*sizes):
    block = pool_first(*sizes)
    block[-2] = nn.MaxPool2d(2, ceil_mode=True)
    return block


def and_dropout(*sizes):
    return nn.Sequential(pool_first(*sizes), nn.Dropout(0.5))


def one_convolution_again_and_again(num_convs, in_channels, out_channels):
    conv = nn.LazyConv2d(out_channels, 3, padding=1)
    return nn.Sequential(*[conv, nn.ReLU()] * (num_convs - 1), conv, nn.MaxPool2d(2), nn.ReLU())


def merge(first, second, turn=(0, 1)):
    return F.conv2d(first[None, None], second.flip(turn)[None, None], padding=2)[0, 0]


def merge_by_gradient(first, second):
    X = torch.zeros(1, 1, 5, 5, requires_grad=True)
    F.conv2d(F.conv2d(X, first[None, None]), second[None, None]).backward()
    return X.grad[0, 0]


def merge_by_loops(first, second):
    merged = [[0.0] * 5 for _ in range(5)]
    for i in range(3):
        for j in range(3):
            for k in range(3):
                for l in range(3):
                    merged[i + k][j + l] += float(first[i, j] * second[k, l])
    return merged


def merge_in_place(first, second):
    second[:] = second.flip(0, 1)
    return merge(first, second, ())


KEPT_X = torch.zeros(1, 1, 5, 5, requires_grad=True)


def gradient_kept(first, second):
    F.conv2d(F.conv2d(KEPT_X, first[None, None]), second[None, None]).backward()
    return KEPT_X.grad[0, 0].clone()


def pad(kernel):
    return F.pad(kernel, (1, 1, 1, 1))


ONES = torch.ones(3, 3)

RIGHT = [
    (checks.check_stack_weights, stack_weights),
    (checks.check_stack_weights,
     lambda k, n, a, b: torch.tensor(k * k * b * (a + (n - 1) * b))),
    (checks.check_receptive_field, receptive_field),
    (checks.check_receptive_field, from_the_last),
    (checks.check_pool_first_block, pool_first),
    (checks.check_pool_first_block, lambda *sizes: nn.Sequential(pool_first(*sizes))),
    (checks.check_pool_first_block, pool_first_lazy),
    (checks.check_pool_first_block, PoolFirst),
    (checks.check_merge, merge),
    (checks.check_merge, merge_by_gradient),
    (checks.check_merge, merge_by_loops),
    (checks.check_merge, lambda *kernels: merge(*kernels).double().numpy()),
    (checks.check_merge, merge_in_place),
]
EMPTY = [
    (checks.check_stack_weights, ...),
    (checks.check_stack_weights, lambda *arguments: ...),
    (checks.check_receptive_field, lambda layers: ...),
    (checks.check_pool_first_block, lambda *sizes: ...),
    (checks.check_merge, lambda first, second: None),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_stack_weights, lambda k, n, a, b: stack_weights(k, n, a, b) + n * b,
     "counted the biases", "wrong formula"),
    (checks.check_stack_weights, lambda k, n, a, b: n * k * k * a * b, "reads in_channels",
     "left-out step"),
    (checks.check_stack_weights, lambda k, n, a, b: n * k * k * b * b, "first layer reads out",
     "wrong formula"),
    (checks.check_stack_weights, lambda k, n, a, b: stack_weights(1, n, a, b) * k, "places",
     "wrong formula"),
    (checks.check_stack_weights, lambda k, n, a, b: stack_weights(k, n, b, a), "are swapped",
     "wrong axis"),
    (checks.check_stack_weights, lambda k, n, a, b: (n - 1) * k * k * b * b,
     "left out the first layer", "left-out step"),
    (checks.check_stack_weights, lambda k, n, a, b: stack_weights(k, n - 1, a, b),
     "left out a layer", "off by one"),
    (checks.check_stack_weights, lambda k, n, a, b: stack_weights(k, n + 1, a, b),
     "a layer too many", "off by one"),
    (checks.check_stack_weights, lambda k, n, a, b: 4 * stack_weights(k, n, a, b), "the bytes",
     "wrong unit"),
    (checks.check_stack_weights, stack_weights_kept, "left behind from one call",
     "state left behind"),
    (checks.check_stack_weights, lambda k, n, a, b: 18 * 64 ** 2, "two 3x3 layers of 64",
     "works for the shown case only"),
    (checks.check_stack_weights, lambda k, n, a, b: stack_weights(3, n, a, b),
     "every window for 3 x 3", "works for the shown case only"),
    (checks.check_stack_weights, lambda k, n, a, b: k + n, "add up layer by layer",
     "wrong formula"),
    (checks.check_stack_weights, lambda k, n: k, "raised TypeError", None),

    (checks.check_receptive_field, lambda layers: 1 + sum(k - 1 for k, _ in layers),
     "left out the strides", "left-out step"),
    (checks.check_receptive_field, own_stride_first, "own stride stretch", "off by one"),
    (checks.check_receptive_field, lambda layers: receptive_field(layers) - 1, "begin with 0",
     "off by one"),
    (checks.check_receptive_field, lambda layers: sum(k for k, _ in layers), "whole windows",
     "wrong formula"),
    (checks.check_receptive_field, strides_added, "strides so far multiply", "wrong formula"),
    (checks.check_receptive_field, last_stride_alone, "strides so far multiply", "left-out step"),
    (checks.check_receptive_field, lambda layers: receptive_field(layers[::-1]),
     "from the last to the first", "wrong axis"),
    (checks.check_receptive_field, lambda layers: receptive_field(layers) ** 2, "area",
     "wrong unit"),
    (checks.check_receptive_field, step_kept, "left behind from one call", "state left behind"),
    (checks.check_receptive_field, lambda layers: 2 * len(layers) + 1, "3x3 window of stride 1",
     "works for the shown case only"),
    (checks.check_receptive_field, lambda layers: 5 if len(layers) == 2 else 150,
     "an example's answer", "works for the shown case only"),

    (checks.check_pool_first_block, vgg_block, "vgg_block itself", "left-out step"),
    (checks.check_pool_first_block, lambda *sizes: nn.Sequential(*pool_first(*sizes)[:-1]),
     "moved, not removed", "left-out step"),
    (checks.check_pool_first_block, relu_at_the_end_alone, "moved every ReLU", "wrong formula"),
    (checks.check_pool_first_block, pool_after_each, "pool more than once", "wrong formula"),
    (checks.check_pool_first_block, pool_before_the_last_convolution, "only the last two",
     "off by one"),
    (checks.check_pool_first_block, lambda n, a, b: pool_first(n + 1, a, b),
     "runs 3 of", "off by one"),
    (checks.check_pool_first_block, one_convolution_again_and_again, "refuses an input", None),
    (checks.check_pool_first_block, lambda *sizes: nn.Sequential(*vgg_block(*sizes), nn.ReLU()),
     "moved, not copied", "wrong formula"),
    (checks.check_pool_first_block, lambda n, a, b: pool_first(n, a, b + 1), "other weights",
     "off by one"),
    (checks.check_pool_first_block, lambda n, a, b: pool_first(n, b, a), "refuses an input",
     "wrong axis"),
    (checks.check_pool_first_block, rounded_up, "its pool, as they are", "off by one"),
    (checks.check_pool_first_block, and_dropout, "add nothing", "wrong formula"),
    (checks.check_pool_first_block, functools.cache(pool_first), "left behind from one call",
     "state left behind"),
    (checks.check_pool_first_block, for_one_convolution, "runs 1 of",
     "works for the shown case only"),
    (checks.check_pool_first_block, lambda *sizes: vgg_block(*sizes)[:-1], "no max-pool",
     "left-out step"),

    (checks.check_merge, lambda first, second: merge(first, second, turn=()), "turned by 180",
     "works for the shown case only"),
    (checks.check_merge, lambda first, second: merge(first, second, turn=(0,)), "rows and columns",
     "wrong axis"),
    (checks.check_merge, lambda first, second: merge(first, second).T, "transposed",
     "wrong axis"),
    (checks.check_merge, lambda first, second: merge(first, second).flip(0, 1), "upside down",
     "wrong formula"),
    (checks.check_merge, lambda first, second: pad(first) + pad(second), "added the kernels",
     "wrong formula"),
    (checks.check_merge, lambda first, second: pad(first * second), "place by place",
     "left-out step"),
    (checks.check_merge, lambda first, second: merge(ONES, ONES), "two kernels of ones",
     "works for the shown case only"),
    (checks.check_merge, gradient_kept, "adds up until", "state left behind"),
    (checks.check_merge, lambda first, second: merge(second, second), "second kernel twice",
     "wrong formula"),
    (checks.check_merge, lambda first, second: merge(first, second) / 9, "other numbers",
     "wrong unit"),
    (checks.check_merge, lambda first, second: merge(first, second)[1:-1, 1:-1],
     "shape \\(5, 5\\)", "off by one"),
    (checks.check_merge, lambda first, second: first @ second, "shape \\(5, 5\\)", None),
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


def test_what_the_reference_sees_is_what_the_gradient_reaches():
    layers = [(3, 1), (3, 1), (2, 2), (3, 1), (2, 2)]
    net = nn.Sequential(*[nn.Conv2d(1, 1, *layer, bias=False) for layer in layers])
    for conv in net:
        nn.init.ones_(conv.weight)
    X = torch.ones(1, 1, 64, 64, requires_grad=True)
    net(X)[0, 0, 5, 5].backward()
    assert int((X.grad[0, 0] != 0).any(dim=0).sum()) == receptive_field(layers)
