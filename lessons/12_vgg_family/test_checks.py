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


def deepen(net, arch, init=nn.init.dirac_, bias=0.0, relu=True, place=None, size=3, extra=0,
           copied=True):
    grown = copy.deepcopy(net) if copied else nn.Sequential(*net)
    for number, (num_convs, channels) in enumerate(arch):
        *layers, pool = grown[number]
        for _ in range(num_convs + extra - len(layers) // 2):
            new = nn.Conv2d(channels, channels, size, padding=size // 2)
            init(new.weight)
            nn.init.constant_(new.bias, bias)
            at = len(layers) if place is None else place
            layers[at:at] = [new, nn.ReLU()] if relu else [new]
        grown[number] = nn.Sequential(*layers, pool)
    return grown


def deepen_from_scratch(net, arch):
    """New blocks, by list, into which net's weights go; the new kernels by hand."""
    blocks = []
    for (num_convs, channels), old in zip(arch, net, strict=False):
        convs = [layer for layer in old if isinstance(layer, nn.Conv2d)]
        block = vgg_block(num_convs, convs[0].in_channels, channels)
        for place, conv in enumerate(layer for layer in block if isinstance(layer, nn.Conv2d)):
            with torch.no_grad():
                if place < len(convs):
                    conv.load_state_dict(convs[place].state_dict())
                else:
                    conv.weight.zero_()
                    conv.weight[range(channels), range(channels), 1, 1] = 1
                    conv.bias.zero_()
        blocks.append(block)
    return nn.Sequential(*blocks, *copy.deepcopy(list(net)[len(arch):]))


def all_channels(weight):
    with torch.no_grad():
        weight.zero_()[:, :, 1, 1] = 1


def corner(weight):
    with torch.no_grad():
        weight.zero_()
        weight[range(len(weight)), range(len(weight)), 0, 0] = 1


def swapped_channels(weight):
    nn.init.dirac_(weight)
    weight.data = weight.data.flip(0)


def deepen_in_place(net, arch):
    grown = deepen(net, arch)
    for place in range(len(arch)):
        net[place] = grown[place]
    return net


def after_the_pool(net, arch):
    grown = deepen(net, arch)
    for number, block in enumerate(grown[:len(arch)]):
        old = len(net[number]) - 1
        layers = list(block)
        grown[number] = nn.Sequential(*layers[:old], layers[-1], *layers[old:-1])
    return grown


def into_the_last(net, arch):
    """All new layers go into the last block."""
    have = [sum(isinstance(layer, nn.Conv2d) for layer in net[n]) for n in range(len(arch))]
    missing = sum(wanted for wanted, _ in arch) - sum(have)
    lengths = have[:-1] + [have[-1] + missing]
    return deepen(net, [(n, c) for n, (_, c) in zip(lengths, arch, strict=True)])


first_grown = []


def deepen_once(net, arch):
    if not first_grown or first_grown[0][0] is not net:
        first_grown[:] = [(net, deepen(net, arch))]
    return first_grown[0][1]


def restore(net, images, reset=True, momentum=None, train=True, end=True, batches=slice(None)):
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            if reset:
                layer.reset_running_stats()
            layer.momentum = momentum
    net.train(train)
    with torch.no_grad():
        for X in images[batches]:
            net(X)
    return net.eval() if end else net


def restore_by_pytorch(net, images):
    torch.optim.swa_utils.update_bn(images, net)
    return net.eval()


def all_at_once(net, images):
    return restore(net, [torch.cat(images)])


def trained_on(net, images):
    sgd = torch.optim.SGD(net.parameters(), lr=0.01)
    net.train()
    for X in images:
        sgd.zero_grad()
        net(X).square().mean().backward()
        sgd.step()
    return net.eval()


def first_layer_only(net, images):
    restore(net, images, batches=slice(0))
    norm = net[0][1]
    with torch.no_grad():
        seen = torch.cat([net[0][0](X) for X in images])
    norm.running_mean, norm.running_var = (seen.mean(dim=(0, 2, 3)), seen.var(dim=(0, 2, 3)))
    return net


def three_batches(net, images):
    return restore(net, images, batches=slice(3))


kept_images = []


def restore_kept(net, images):
    kept_images.extend([50 + 20 * X[:, :1] for X in images])
    return restore(net, [X.expand(-1, images[0].shape[1], -1, -1) for X in kept_images])


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
    (checks.check_deepen, deepen),
    (checks.check_deepen, deepen_from_scratch),
    (checks.check_restore, restore),
    (checks.check_restore, restore_by_pytorch),
    (checks.check_restore, all_at_once),
    (checks.check_frontier, frontier),
    (checks.check_frontier, frontier_from_the_fastest),
    (checks.check_frontier, lambda zoo: sorted(frontier(zoo))[::-1]),
]
EMPTY = [
    (checks.check_vgg16_and_vgg19, (..., ...)),
    (checks.check_vgg16_and_vgg19, (D, ...)),
    (checks.check_vgg_block_c, lambda num_convs, in_channels, out_channels: ...),
    (checks.check_deepen, lambda net, conv_arch: ...),
    (checks.check_restore, lambda net, images: ...),
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
    (checks.check_deepen, lambda n, a: deepen(n, a, nn.init.kaiming_uniform_),
     "moves or mixes pixels", "left-out step"),
    (checks.check_deepen, lambda n, a: deepen(n, a, bias=0.1), "bias that is not zero",
     "left-out step"),
    (checks.check_deepen, lambda n, a: deepen(n, a, nn.init.zeros_), "hands on nothing",
     "wrong formula"),
    (checks.check_deepen, lambda n, a: deepen(n, a, all_channels), "mixes or scales the channels",
     "wrong formula"),
    (checks.check_deepen, lambda n, a: deepen(n, a, swapped_channels), "mixes or scales",
     "wrong axis"),
    (checks.check_deepen, lambda n, a: deepen(n, a, corner), "beside the middle", "off by one"),
    (checks.check_deepen, lambda n, a: deepen(n, a, relu=False), "no VGG block any more",
     "left-out step"),
    (checks.check_deepen, after_the_pool, "no VGG block any more", "wrong formula"),
    (checks.check_deepen, into_the_last, "and 2 are wanted", "wrong formula"),
    (checks.check_deepen, lambda n, a: deepen(n, a, extra=1), "counts the ones that were there",
     "off by one"),
    (checks.check_deepen, lambda n, a: copy.deepcopy(n), "nothing was added", "left-out step"),
    (checks.check_deepen, lambda n, a: deepen(n, a, size=1), "is not 3x3", "wrong formula"),
    (checks.check_deepen, lambda n, a: deepen(n, a, place=0), "refuses a batch", "wrong formula"),
    (checks.check_deepen, lambda n, a: deepen(n, ((2, 4), (3, 6))), "refuses a batch",
     "works for the shown case only"),
    (checks.check_deepen, deepen_in_place, "changed net itself", "state left behind"),
    (checks.check_deepen, lambda n, a: deepen(n, a, copied=False), "shares tensors",
     "state left behind"),
    (checks.check_deepen, deepen_once, "two calls share layers", "state left behind"),
    (checks.check_deepen, lambda n, a: a, "a network is wanted", None),
    (checks.check_restore, lambda n, i: restore(n, i, momentum=0.1), "of the way from the old",
     "left-out step"),
    (checks.check_restore, lambda n, i: restore(n, i, reset=False), "of the way from the old",
     "left-out step"),
    (checks.check_restore, lambda n, i: restore(n, i, train=False), "nothing was measured",
     "wrong mode"),
    (checks.check_restore, lambda n, i: restore(n, i, reset=False, train=False),
     "in training mode alone", "wrong mode"),
    (checks.check_restore, lambda n, i: restore(n, i, end=False), "comes back in training mode",
     "wrong mode"),
    (checks.check_restore, lambda n, i: restore(n, i, batches=slice(1)), "only the first batch",
     "left-out step"),
    (checks.check_restore, lambda n, i: restore(n, i, momentum=1.0), "only the last batch",
     "wrong formula"),
    (checks.check_restore, trained_on, "a parameter has changed", "wrong formula"),
    (checks.check_restore, first_layer_only, "let the whole network read", "left-out step"),
    (checks.check_restore, three_batches, "let the whole network read|of the way",
     "works for the shown case only"),
    (checks.check_restore, restore_kept, "let the whole network read|of the way",
     "state left behind"),
    (checks.check_restore, lambda n, i: copy.deepcopy(n), "in training mode alone",
     "left-out step"),
    (checks.check_restore, lambda n, i: i, "a network is wanted", None),
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
