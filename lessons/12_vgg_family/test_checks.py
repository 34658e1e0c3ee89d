"""The checks of lesson 12 against right answers, stubs and typical wrong answers."""

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


def fold(conv, bn, root=0.5, eps=True, use_gamma=True, use_bias=True, scale_bias=True, shift=True,
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


def fold_in_place(conv, bn):
    with torch.no_grad():
        for mine, new in zip(conv.parameters(), fold(conv, bn).parameters(), strict=True):
            mine.copy_(new)
    return conv


def frontier(zoo, beats=lambda a, b: a[0] >= b[0] and a[1] >= b[1] and a != b):
    return {name for name, mine in zoo.items()
            if not any(beats(other, mine) for rival, other in zoo.items() if rival != name)}


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_vgg16_and_vgg19, (D, E)),
    (checks.check_vgg16_and_vgg19, [[list(pair) for pair in D], E]),
    (checks.check_vgg_block_c, block_c),
    (checks.check_bn_numbers, bn_numbers),
    (checks.check_fold, fold),
    (checks.check_frontier, frontier),
    (checks.check_frontier, lambda zoo: sorted(frontier(zoo))),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_vgg16_and_vgg19, (..., ...)),
    (checks.check_vgg16_and_vgg19, (D, ...)),
    (checks.check_vgg_block_c, lambda num_convs, in_channels, out_channels: ...),
    (checks.check_bn_numbers, lambda conv_arch: ...),
    (checks.check_fold, lambda conv, bn: ...),
    (checks.check_frontier, lambda zoo: ...),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_vgg16_and_vgg19, (E, D), "swapped"),
    (checks.check_vgg16_and_vgg19, (C, E), "column C without its 1x1"),
    (checks.check_vgg16_and_vgg19, (((2, 64), (2, 128), (3, 256), (3, 512), (4, 512)), E),
     "it would be VGG-17"),
    (checks.check_vgg16_and_vgg19, (D, ((3, 64), (3, 128), (4, 256), (4, 512), (5, 512))),
     "the name counts both"),
    (checks.check_vgg16_and_vgg19, (((3, 64), (2, 128), (3, 256), (3, 512), (2, 512)), E),
     "in other blocks than column D"),
    (checks.check_vgg16_and_vgg19, (D, E[:4]), "every column has five"),
    (checks.check_vgg16_and_vgg19, (D[:4] + ((3, 1024),), E), "widths"),
    (checks.check_vgg16_and_vgg19, D, "two conv_archs"),
    (checks.check_vgg16_and_vgg19, ("vgg16", "vgg19"), "five pairs"),
    (checks.check_vgg_block_c, vgg_block, "1x1 convolution is missing"),
    (checks.check_vgg_block_c, lambda n, i, o: vgg_block(n + 1, i, o), "is column D"),
    (checks.check_vgg_block_c, one_replaced, "you replaced one"),
    (checks.check_vgg_block_c, lambda *a: block_c(*a, padding=1), "has padding"),
    (checks.check_vgg_block_c, lambda *a: block_c(*a, relu=False), "no ReLU behind it"),
    (checks.check_vgg_block_c, lambda *a: block_c(*a, pool_last=False), "pool must stay last"),
    (checks.check_vgg_block_c, two_pools, "2 pools"),
    (checks.check_vgg_block_c, lambda n, i, o: block_c(n, i, o, size=5, padding=2), "the kernels"),
    (checks.check_vgg_block_c, lambda n, i, o: block_c(n, o, o), "refuses a picture"),
    (checks.check_vgg_block_c, lambda n, i, o: [nn.ReLU()], "a block is wanted"),
    (checks.check_bn_numbers, lambda a: bn_numbers(a)[::-1], "swapped"),
    (checks.check_bn_numbers, lambda a: bn_numbers(a, counters=False), "num_batches_tracked"),
    (checks.check_bn_numbers, lambda a: bn_numbers(a, per_channel=(1, 1)), "two numbers a channel"),
    (checks.check_bn_numbers, lambda a: (bn_numbers(a)[0], sum(bn_numbers(a))), "leave weight"),
    (checks.check_bn_numbers, lambda a: (sum(bn_numbers(a)), bn_numbers(a)[1]),
     "running statistics as parameters"),
    (checks.check_bn_numbers, lambda a: (bn_numbers(a)[0], 0), "though no gradient"),
    (checks.check_bn_numbers, lambda a: bn_numbers(a, one_a_block=True), "one layer a block"),
    (checks.check_bn_numbers, lambda a: 5504, "two counts"),
    (checks.check_fold, lambda c, b: fold(c, b, root=1), "square root"),
    (checks.check_fold, lambda c, b: fold(c, b, eps=False), "eps is missing"),
    (checks.check_fold, lambda c, b: fold(c, b, use_gamma=False), "bn.weight is missing"),
    (checks.check_fold, lambda c, b: fold(c, b, scale_weight=False), "kernels are unchanged"),
    (checks.check_fold, lambda c, b: fold(c, b, use_bias=False), "own bias is lost"),
    (checks.check_fold, lambda c, b: fold(c, b, scale_bias=False), "goes through batch norm too"),
    (checks.check_fold, lambda c, b: fold(c, b, use_mean=False), "mean is not subtracted"),
    (checks.check_fold, lambda c, b: fold(c, b, scale_mean=False), "before the scaling"),
    (checks.check_fold, lambda c, b: fold(c, b, shift=False), "bn.bias is missing"),
    (checks.check_fold, lambda c, b: fold(c, b, padding=False), "conv's padding"),
    (checks.check_fold, fold_in_place, "you changed conv or bn"),
    (checks.check_fold, nn.Sequential, "one nn.Conv2d is wanted"),
    (checks.check_frontier, lambda z: frontier(z, lambda a, b: a[0] > b[0] and a[1] > b[1]),
     "better in one of the two is enough"),
    (checks.check_frontier, lambda z: frontier(z, lambda a, b: a[0] >= b[0] and a[1] >= b[1]),
     "both stay"),
    (checks.check_frontier, lambda z: frontier(z, lambda a, b: a[0] >= b[0] or a[1] >= b[1]),
     "at least as good in both"),
    (checks.check_frontier, lambda z: frontier(z, lambda a, b: a[1] > b[1]), "most accurate alone"),
    (checks.check_frontier, lambda z: frontier(z, lambda a, b: a[0] > b[0]), "fastest alone"),
    (checks.check_frontier, lambda z: set(z) - frontier(z), "the beaten ones"),
    (checks.check_frontier, lambda z: set(z), "you say"),
    (checks.check_frontier, lambda z: set(z.values()), "a set of names"),
])
def test_wrong(check, answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)


def test_what_the_praises_say():
    assert [e - d for (e, _), (d, _) in zip(E, D, strict=True)] == [0, 0, 1, 1, 1]
    one, three = (nn.Conv2d(512, 512, size).weight.numel() for size in (1, 3))
    assert three == 9 * one
