"""The checks of lesson 12 against right answers, stubs and plausible wrong answers."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from d2lvgg import VGG_ARCHS, vgg_block
from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("12")

D, E = VGG_ARCHS["vgg16"], VGG_ARCHS["vgg19"]
C = ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512))


def block_c(num_convs, inputs, outputs, size=1, padding=0, relu=True, pool_last=True):
    *layers, pool = vgg_block(num_convs, inputs, outputs)
    new = [nn.Conv2d(outputs, outputs, size, padding=padding), *([nn.ReLU()] if relu else [])]
    return nn.Sequential(*layers, *new, pool) if pool_last else nn.Sequential(*layers, pool, *new)


class BlockC(nn.Module):
    """The block as a class of its own, its ReLUs and its pool as functions."""

    def __init__(self, num_convs, inputs, outputs):
        super().__init__()
        self.convs = nn.ModuleList([nn.LazyConv2d(outputs, 3, padding=1)
                                    for _ in range(num_convs)] + [nn.LazyConv2d(outputs, 1)])

    def forward(self, X):
        for conv in self.convs:
            X = conv(X).relu()
        return nn.functional.max_pool2d(X, 2)


kept_layers = []


def list_outside(num_convs, inputs, outputs):
    kept_layers.extend(block_c(num_convs, inputs, outputs))
    return nn.Sequential(*kept_layers)


def without_pool(num_convs, inputs, outputs):
    return block_c(num_convs, inputs, outputs)[:-1]


def linear_block(num_convs, inputs, outputs):
    return nn.Sequential(*[layer for layer in block_c(num_convs, inputs, outputs)
                           if not isinstance(layer, nn.ReLU)])


def first_1x1(num_convs, inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, inputs, 1), nn.ReLU(),
                         *vgg_block(num_convs, inputs, outputs))


def one_replaced(num_convs, inputs, outputs):
    if num_convs > 1:
        return block_c(num_convs - 1, inputs, outputs)
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.ReLU(), nn.MaxPool2d(2))


def two_pools(num_convs, inputs, outputs):
    return nn.Sequential(vgg_block(num_convs, inputs, outputs), nn.Conv2d(outputs, outputs, 1),
                         nn.ReLU(), nn.MaxPool2d(2))


def bn_numbers(arch, per_channel=(2, 2), counters=True, one_a_block=False):
    layers = sum(1 if one_a_block else convs for convs, _ in arch)
    channels = sum((1 if one_a_block else convs) * width for convs, width in arch)
    return per_channel[0] * channels, per_channel[1] * channels + layers * counters


def kept_counts():
    total = [0, 0]  # outside the function

    def wrong(arch):
        total[:] = map(sum, zip(total, bn_numbers(arch), strict=True))
        return tuple(total)
    return wrong


def fold(conv, bn, root=0.5, eps=1, use_gamma=True, use_bias=True, scale_bias=True, shift=True,
         use_mean=True, scale_mean=True, scale_weight=True, padding=True):
    scale = ((bn.weight if use_gamma else torch.ones_like(bn.weight))
             / (bn.running_var + bn.eps * eps) ** root)
    folded = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size,
                       padding=conv.padding if padding else 0)
    with torch.no_grad():
        folded.weight.copy_(conv.weight * (scale[:, None, None, None] if scale_weight else 1))
        folded.bias.copy_(bn.bias * shift + conv.bias * use_bias * (scale if scale_bias else 1)
                          - bn.running_mean * use_mean * (scale if scale_mean else 1))
    return folded


def fold_in_a_copy(conv, bn):
    new, scale = copy.deepcopy(conv), bn.weight * torch.rsqrt(bn.running_var + bn.eps)
    new.weight.data = torch.einsum("o,oihw->oihw", scale, conv.weight).detach()
    new.bias.data = torch.addcmul(bn.bias, conv.bias - bn.running_mean, scale).detach()
    return new


def fold_wrong_axis(conv, bn):
    new = fold(conv, bn, scale_weight=False)
    scale = bn.weight / (bn.running_var + bn.eps).sqrt()
    new.weight.data *= scale.detach().mean() if conv.in_channels != len(scale) else scale.detach()[
        None, :, None, None]
    return new


def fold_eps_outside(conv, bn):
    bn = copy.deepcopy(bn)
    bn.running_var, bn.eps = (bn.running_var.sqrt() + bn.eps) ** 2, 0
    return fold(conv, bn)


def fold_usual_eps(conv, bn):
    bn = copy.deepcopy(bn)
    bn.eps = 1e-5
    return fold(conv, bn)


def fold_in_training_mode(conv, bn):
    bn.train()
    return fold(conv, bn)


first_fold = []


def fold_once(conv, bn):
    first_fold.append(fold(conv, bn))
    return first_fold[0]


def fold_in_place(conv, bn):
    with torch.no_grad():
        for mine, new in zip(conv.parameters(), fold(conv, bn).parameters(), strict=True):
            mine.copy_(new)
    return conv


def frontier(zoo, beats=lambda a, b: a[0] >= b[0] and a[1] >= b[1] and a != b):
    return {name for name, mine in zoo.items()
            if not any(beats(other, mine) for rival, other in zoo.items() if rival != name)}


def frontier_from_the_fastest(zoo):
    """A sweep: of those at least as fast none may be better."""
    found, best = set(), -1
    for speed in sorted({speed for speed, _ in zoo.values()}, reverse=True):
        most = max(accuracy for s, accuracy in zoo.values() if s == speed)
        if most > best:
            found |= {name for name, point in zoo.items() if point == (speed, most)}
            best = most
    return found


kept_names = set()


def frontier_kept(zoo):
    kept_names.update(frontier(zoo))
    return kept_names


def neighbours_only(zoo):
    """Compares each with the next faster one alone."""
    names = sorted(zoo, key=lambda name: zoo[name])
    return {a for a, b in zip(names, names[1:] + [None], strict=True)
            if b is None or zoo[a][1] > zoo[b][1] or zoo[a] == zoo[b]}


RIGHT = [
    (checks.check_vgg16_and_vgg19, (D, E)),
    (checks.check_vgg16_and_vgg19, [[list(pair) for pair in D], E]),
    (checks.check_vgg16_and_vgg19, (np.array(D), torch.tensor(E))),
    (checks.check_vgg_block_c, block_c),
    (checks.check_vgg_block_c, BlockC),
    (checks.check_bn_numbers, bn_numbers),
    (checks.check_bn_numbers, lambda arch: np.array(bn_numbers(arch))),
    (checks.check_bn_numbers, lambda arch: [torch.tensor(n) for n in bn_numbers(arch)]),
    (checks.check_fold, fold),
    (checks.check_fold, fold_in_a_copy),
    (checks.check_frontier, frontier),
    (checks.check_frontier, frontier_from_the_fastest),
    (checks.check_frontier, lambda zoo: sorted(frontier(zoo))[::-1]),
]
EMPTY = [
    (checks.check_vgg16_and_vgg19, (..., ...)),
    (checks.check_vgg16_and_vgg19, (D, ...)),
    (checks.check_vgg_block_c, lambda num_convs, in_channels, out_channels: ...),
    (checks.check_bn_numbers, lambda conv_arch: ...),
    (checks.check_fold, lambda conv, bn: ...),
    (checks.check_frontier, lambda zoo: ...),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_vgg16_and_vgg19, (E, D), "swapped", "wrong formula"),
    (checks.check_vgg16_and_vgg19, (C, E), "column C without its 1x1", "left-out step"),
    (checks.check_vgg16_and_vgg19, (D, C), "column B", "wrong formula"),
    (checks.check_vgg16_and_vgg19, (((2, 64), (2, 128), (3, 256), (3, 512), (4, 512)), E),
     "it would be VGG-17", "off by one"),
    (checks.check_vgg16_and_vgg19, (D, ((3, 64), (3, 128), (4, 256), (4, 512), (5, 512))),
     "the name counts both", "left-out step"),
    (checks.check_vgg16_and_vgg19, (((3, 64), (2, 128), (3, 256), (3, 512), (2, 512)), E),
     "in other blocks than column D", "wrong formula"),
    (checks.check_vgg16_and_vgg19, (D, E[:4]), "every column has five", "left-out step"),
    (checks.check_vgg16_and_vgg19, (D[:4] + ((3, 1024),), E), "widths", "wrong formula"),
    (checks.check_vgg16_and_vgg19, ([pair[::-1] for pair in D], E), "turned round", "wrong axis"),
    (checks.check_vgg16_and_vgg19, D, "two conv_archs", None),
    (checks.check_vgg16_and_vgg19, ("vgg16", "vgg19"), "five pairs", None),
    (checks.check_vgg16_and_vgg19, ([64, 64, "M"], E), "pairs", None),
    (checks.check_vgg_block_c, vgg_block, "1x1 convolution is missing", "left-out step"),
    (checks.check_vgg_block_c, lambda n, i, o: vgg_block(n + 1, i, o), "is column D",
     "wrong formula"),
    (checks.check_vgg_block_c, one_replaced, "you replaced one", "off by one"),
    (checks.check_vgg_block_c, first_1x1, "stands first", "wrong formula"),
    (checks.check_vgg_block_c, lambda *a: block_c(*a, padding=1), "has padding", "off by one"),
    (checks.check_vgg_block_c, lambda *a: block_c(*a, relu=False), "no ReLU behind it",
     "left-out step"),
    (checks.check_vgg_block_c, linear_block, "no ReLU between", "left-out step"),
    (checks.check_vgg_block_c, without_pool, "ends with a pool", "left-out step"),
    (checks.check_vgg_block_c, lambda *a: block_c(*a, pool_last=False), "pool must stay last",
     "wrong formula"),
    (checks.check_vgg_block_c, two_pools, "has one pool", "wrong formula"),
    (checks.check_vgg_block_c, lambda *a: nn.Sequential(block_c(*a), nn.Dropout()),
     "layers are Conv2d", "wrong mode"),
    (checks.check_vgg_block_c, lambda n, i, o: block_c(n, i, o, size=5, padding=2), "the kernels",
     "wrong formula"),
    (checks.check_vgg_block_c, lambda n, i, o: block_c(n, o, o), "refuses a batch",
     "works for the shown case only"),
    (checks.check_vgg_block_c, lambda n, i, o: block_c(2, i, o), "for num_convs = 1",
     "works for the shown case only"),
    (checks.check_vgg_block_c, list_outside, "share layers", "state left behind"),
    (checks.check_vgg_block_c, lambda n, i, o: [nn.ReLU()], "a block, one nn.Module", None),
    (checks.check_bn_numbers, lambda a: bn_numbers(a)[::-1], "swapped", "wrong axis"),
    (checks.check_bn_numbers, lambda a: bn_numbers(a, counters=False), "num_batches_tracked",
     "left-out step"),
    (checks.check_bn_numbers, lambda a: (bn_numbers(a)[0], bn_numbers(a)[0] + 1),
     "not once a network", "off by one"),
    (checks.check_bn_numbers, lambda a: (bn_numbers(a)[0], bn_numbers(a)[0] + len(a)),
     "not once a block", "wrong formula"),
    (checks.check_bn_numbers, lambda a: bn_numbers(a, per_channel=(1, 1)), "two numbers a channel",
     "left-out step"),
    (checks.check_bn_numbers, lambda a: (bn_numbers(a)[0], sum(bn_numbers(a))), "leave weight",
     "wrong formula"),
    (checks.check_bn_numbers, lambda a: (sum(bn_numbers(a)), bn_numbers(a)[1]),
     "running statistics as parameters", "wrong formula"),
    (checks.check_bn_numbers, lambda a: (bn_numbers(a)[0], 0), "though no gradient",
     "left-out step"),
    (checks.check_bn_numbers, lambda a: bn_numbers(a, one_a_block=True), "one layer a block",
     "left-out step"),
    (checks.check_bn_numbers, lambda a: bn_numbers([*a, (2, 4096)]), "first count is not",
     "wrong formula"),
    (checks.check_bn_numbers, lambda a: (5504, 5512), "use conv_arch",
     "works for the shown case only"),
    (checks.check_bn_numbers, kept_counts(), "kept from call to call", "state left behind"),
    (checks.check_bn_numbers, lambda a: 5504, "two counts", None),
    (checks.check_fold, lambda c, b: fold(c, b, root=1), "square root", "left-out step"),
    (checks.check_fold, lambda c, b: fold(c, b, eps=0), "eps is missing", "left-out step"),
    (checks.check_fold, fold_usual_eps, "the layer's own", "works for the shown case only"),
    (checks.check_fold, fold_eps_outside, "not behind it", "wrong formula"),
    (checks.check_fold, fold_wrong_axis, "second axis", "wrong axis"),
    (checks.check_fold, lambda c, b: fold(c, b, use_gamma=False), "bn.weight is missing",
     "left-out step"),
    (checks.check_fold, lambda c, b: fold(c, b, scale_weight=False), "kernels are unchanged",
     "left-out step"),
    (checks.check_fold, lambda c, b: fold(c, b, use_bias=False), "own bias is lost",
     "left-out step"),
    (checks.check_fold, lambda c, b: fold(c, b, scale_bias=False), "goes through batch norm too",
     "left-out step"),
    (checks.check_fold, lambda c, b: fold(c, b, use_mean=False), "mean is not subtracted",
     "left-out step"),
    (checks.check_fold, lambda c, b: fold(c, b, scale_mean=False), "before the scaling",
     "wrong formula"),
    (checks.check_fold, lambda c, b: fold(c, b, shift=False), "bn.bias is missing",
     "left-out step"),
    (checks.check_fold, lambda c, b: fold(c, b, padding=False), "conv's padding", "left-out step"),
    (checks.check_fold, fold_in_place, "you changed conv or bn", "state left behind"),
    (checks.check_fold, fold_in_training_mode, "their mode", "wrong mode"),
    (checks.check_fold, fold_once, "gave the same convolution", "state left behind"),
    (checks.check_fold, lambda c, b: copy.deepcopy(c), "differ from bn", "left-out step"),
    (checks.check_fold, nn.Sequential, "one nn.Conv2d is wanted", None),
    (checks.check_frontier, lambda z: frontier(z, lambda a, b: a[0] > b[0] and a[1] > b[1]),
     "better in one of the two is enough", "wrong formula"),
    (checks.check_frontier, lambda z: frontier(z, lambda a, b: a[0] >= b[0] and a[1] >= b[1]),
     "both stay", "left-out step"),
    (checks.check_frontier, lambda z: frontier(z, lambda a, b: a[0] >= b[0] or a[1] >= b[1]),
     "at least as good in both", "wrong formula"),
    (checks.check_frontier, lambda z: frontier(z, lambda a, b: a[1] > b[1]), "most accurate alone",
     "left-out step"),
    (checks.check_frontier, lambda z: frontier(z, lambda a, b: a[0] > b[0]), "fastest alone",
     "wrong axis"),
    (checks.check_frontier, lambda z: set(z) - frontier(z), "the beaten ones", "wrong formula"),
    (checks.check_frontier, lambda z: set(z), "you keep 'beaten'", "left-out step"),
    (checks.check_frontier, lambda z: set(z) - {"vgg11"}, "you keep 'beaten'",
     "works for the shown case only"),
    (checks.check_frontier, neighbours_only, "you keep '.', and '.' beats it", "off by one"),
    (checks.check_frontier, lambda z: frontier(z) - {max(z)}, "you leave out", "off by one"),
    (checks.check_frontier, frontier_kept, "kept from another call", "state left behind"),
    (checks.check_frontier, lambda z: set(z.values()), "a set of names", None),
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


def test_what_the_praises_say():
    assert [e - d for (e, _), (d, _) in zip(E, D, strict=True)] == [0, 0, 1, 1, 1]
    one, three = (nn.Conv2d(512, 512, size).weight.numel() for size in (1, 3))
    assert three == 9 * one
