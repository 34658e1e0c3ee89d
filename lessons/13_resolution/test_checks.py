"""The checks of lesson 13 against right answers, stubs and plausible wrong answers."""

import copy

import numpy as np
import pytest
import torch
from scipy import stats
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
    found[-1] = nn.Linear(found[-1].in_features, 10)
    return found


def more_layers(net, side):
    return nn.Sequential(*any_size(net, side), nn.Linear(10, 10))


def largest_not_mean(net, side):
    return nn.Sequential(*net[:-8], nn.AdaptiveMaxPool2d(side), *net[-8:])


class Resized(nn.Module):
    """any_size as a class of its own."""

    def __init__(self, net, side):
        super().__init__()
        self.blocks, self.head, self.side = net[:-8], net[-8:], side

    def forward(self, X):
        return self.head(nn.functional.adaptive_avg_pool2d(self.blocks(X), self.side))


def inserted(net, side):
    net.insert(len(net) - 8, nn.AdaptiveAvgPool2d(side))
    return net


def pooled_too_early(net, side):
    return nn.Sequential(*net[:-9], nn.AdaptiveAvgPool2d(2 * side), *net[-9:])


class Cropped(nn.Module):
    """Takes the upper left side x side places, and puts zeros where there are none."""

    def __init__(self, net, side):
        super().__init__()
        self.blocks, self.head, self.side = net[:-8], net[-8:], side

    def forward(self, X):
        maps = self.blocks(X)[..., :self.side, :self.side]
        rows, columns = (self.side - length for length in maps.shape[-2:])
        return self.head(nn.functional.pad(maps, (0, columns, 0, rows)))


first_nets = {}


def kept_net(net, side):
    """Keeps one network a size from call to call."""
    return first_nets.setdefault(side, any_size(net, side))


def decide(ours, theirs, comparisons, *, quantile=None, free=None, root=True, ddof=1, sides=2):
    differences = np.array(ours) - np.array(theirs)
    n = len(differences)
    error = differences.std(ddof=ddof) / (np.sqrt(n) if root else 1)
    level = 1 - 0.05 / comparisons / sides
    reach = (quantile or stats.t(free or n - 1).ppf)(level) * error
    if differences.mean() > reach:
        return "better"
    return "worse" if differences.mean() < -reach else "not shown"


def decide_with_scipy(ours, theirs, comparisons):
    low, high = stats.ttest_rel(ours, theirs).confidence_interval(1 - 0.05 / comparisons)
    return "better" if low > 0 else "worse" if high < 0 else "not shown"


def decide_by_p(ours, theirs, comparisons):
    found = stats.ttest_rel(ours, theirs)
    if found.pvalue > 0.05 / comparisons:
        return "not shown"
    return "better" if found.statistic > 0 else "worse"


def unpaired(ours, theirs, comparisons):
    low, high = stats.ttest_ind(ours, theirs).confidence_interval(1 - 0.05 / comparisons)
    return "better" if low > 0 else "worse" if high < 0 else "not shown"


def two_joint_errors(ours, theirs, comparisons):
    joint = np.sqrt(np.var(ours, ddof=1) / len(ours) + np.var(theirs, ddof=1) / len(theirs))
    gap = np.mean(ours) - np.mean(theirs)
    return "not shown" if abs(gap) <= 2 * joint else "better" if gap > 0 else "worse"


def kept_runs():
    all_ours, all_theirs = [], []  # outside the function

    def wrong(ours, theirs, comparisons):
        all_ours.extend(ours)
        all_theirs.extend(theirs)
        return decide(all_ours, all_theirs, comparisons)
    return wrong


kept_counts = {}


def kept_effect(arch, before, after):
    """Adds up what earlier calls counted."""
    for size in (before, after):
        kept_counts.setdefault(size, []).append(measures(arch, size))
    old, new = ([sum(numbers) for numbers in zip(*kept_counts[size], strict=True)]
                for size in (before, after))
    return tuple(b / a for a, b in zip(old, new, strict=True))


def blocks_only(arch, before, after):
    flops = []
    for size in (before, after):
        with torch.device("meta"):
            net = vgg(arch, input_size=size)[:len(arch)]
        flops.append(trace_shapes(net, (1, 1, size, size)).flops)
    return effect(arch, before, after)[0], flops[1] / flops[0], effect(arch, before, after)[2]


def places_before_the_last_pool(arch, before, after):
    sides = [size // 2 ** (len(arch) - 1) for size in (before, after)]
    return *effect(arch, before, after)[:2], (sides[1] / sides[0]) ** 2


VGG11 = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))

RIGHT = [
    (checks.check_effect, effect),
    (checks.check_effect, lambda *a: np.array(effect(*a))),
    (checks.check_effect, lambda *a: [torch.tensor(ratio) for ratio in effect(*a)]),
    (checks.check_any_size, any_size),
    (checks.check_any_size, lambda net, side: any_size(copy.deepcopy(net), (side, side))),
    (checks.check_any_size, Resized),
    (checks.check_any_size, inserted),
    (checks.check_small_arch, ((4, 16), (4, 32))),
    (checks.check_small_arch, [[3, 20], [5, 28]]),
    (checks.check_small_arch, np.array([[5, 16], [3, 32]])),
    (checks.check_decide, decide),
    (checks.check_decide, decide_with_scipy),
    (checks.check_decide, decide_by_p),
]
EMPTY = [
    (checks.check_effect, lambda conv_arch, before, after: ...),
    (checks.check_any_size, lambda net, side: ...),
    (checks.check_small_arch, ...),
    (checks.check_decide, lambda ours, theirs, comparisons: ...),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_effect, lambda arch, before, after: effect(arch, after, before), "upside down",
     "wrong axis"),
    (checks.check_effect, replaced(0, lambda *_: 1.0), "first linear layer's do not",
     "left-out step"),
    (checks.check_effect, replaced(2, lambda ratio, *_: ratio ** 0.5), "ratio of the sides",
     "left-out step"),
    (checks.check_effect, replaced(2, lambda _, a, b: (b / a) ** 2), "ratio of the pixels",
     "wrong formula"),
    (checks.check_effect, places_before_the_last_pool, "before the last block", "off by one"),
    (checks.check_effect, blocks_only, "FLOPs of the blocks", "left-out step"),
    (checks.check_effect, replaced(1, lambda ratio, *_: ratio * 2), "for the FLOPs you have",
     "wrong formula"),
    (checks.check_effect, lambda *a: [100 * ratio for ratio in effect(*a)], "per cent",
     "wrong unit"),
    (checks.check_effect, lambda *a: [ratio - 1 for ratio in effect(*a)], "added or lost",
     "wrong formula"),
    (checks.check_effect, lambda *_: (0.35, 0.19, 9 / 49), "VGG-11's ratios from 224 to 96",
     "works for the shown case only"),
    (checks.check_effect, lambda arch, before, after: effect(VGG11, before, after),
     "for the parameters you have", "works for the shown case only"),
    (checks.check_effect, kept_effect, "left behind", "state left behind"),
    (checks.check_effect, lambda *_: 0.51, "three numbers, .* are wanted", None),
    (checks.check_any_size, pooled_to_one, "pooled to", "wrong formula"),
    (checks.check_any_size, lambda net, side: any_size(net, 7), "waits for 3 x 3",
     "works for the shown case only"),
    (checks.check_any_size, pooled_too_late, "between the blocks and Flatten", "off by one"),
    (checks.check_any_size, pooled_too_early, "size that side says", "off by one"),
    (checks.check_any_size, lambda net, side: net, "refused 24 pixels",
     "works for the shown case only"),
    (checks.check_any_size, Cropped, "average pool", "wrong formula"),
    (checks.check_any_size, kept_net, "those of this call", "state left behind"),
    (checks.check_any_size, new_head, "its weights must be net's", "left-out step"),
    (checks.check_any_size, more_layers, "no new layers with weights", "wrong formula"),
    (checks.check_any_size, largest_not_mean, "average pool", "wrong formula"),
    (checks.check_any_size, lambda net, side: 7, "a network is wanted, not int", None),
    (checks.check_small_arch, ((1, 8),) * 8, "eight blocks", "wrong formula"),
    (checks.check_small_arch, ((1, 8), (1, 16), (2, 32), (2, 64), (2, 64)), "survive four",
     "wrong formula"),
    (checks.check_small_arch, ((2, 8), (3, 16), (3, 32)), "leave 3 x 3", "off by one"),
    (checks.check_small_arch, ((8, 16),), "leave 14 x 14", "off by one"),
    (checks.check_small_arch, ((2, 16), (2, 32)), "has 4 convolutions", "left-out step"),
    (checks.check_small_arch, ((4, 16), (5, 32)), "has 9 convolutions", "off by one"),
    (checks.check_small_arch, ((16, 4), (32, 4)), "turned round", "wrong axis"),
    (checks.check_small_arch, ((4, 64), (4, 128)), "64 are allowed", "left-out step"),
    (checks.check_small_arch, ((4, 16), (4, 10**30)), "64 are allowed", None),
    (checks.check_small_arch, ((8, 16), (0, 32)), "above zero", None),
    (checks.check_small_arch, ((4.5, 16), (3.5, 32)), "whole numbers", None),
    (checks.check_small_arch, 8, "pairs", None),
    (checks.check_small_arch, ((4, 8), (4, 24)), "too few for a fair", "left-out step"),
    (checks.check_small_arch, ((4, 4), (4, 40)), "too many for a fair", "wrong formula"),
    (checks.check_decide, lambda a, b, m: "better", "'better' of every pair",
     "works for the shown case only"),
    (checks.check_decide, lambda a, b, m: decide(b, a, m), "turned round", "wrong axis"),
    (checks.check_decide, lambda a, b, m: "better" if np.mean(a) > np.mean(b) else "worse",
     "means alone", "left-out step"),
    (checks.check_decide, lambda a, b, m: decide(a, b, m).replace("worse", "better"),
     "may also be a loss", "wrong formula"),
    (checks.check_decide, lambda a, b, m: decide(a, b, m).replace("worse", "not shown"),
     "forgot the worse ones", "left-out step"),
    (checks.check_decide, lambda a, b, m: decide(a, b, 1), "one comparison as given",
     "works for the shown case only"),
    (checks.check_decide, lambda a, b, m: decide(a, b, 1 / m), "must get wider", "wrong formula"),
    (checks.check_decide, lambda a, b, m: decide(a, b, m, sides=1), "it has two", "off by one"),
    (checks.check_decide, lambda a, b, m: decide(a, b, m, quantile=stats.norm.ppf),
     "normal curve", "wrong formula"),
    (checks.check_decide, lambda a, b, m: decide(a, b, m, quantile=lambda level: 2),
     "whatever n is", "works for the shown case only"),
    (checks.check_decide, unpaired, "no seeds in common", "wrong formula"),
    (checks.check_decide, two_joint_errors, "seed by seed", "wrong formula"),
    (checks.check_decide, lambda a, b, m: decide(a, b, m, free=len(a)), "one is spent",
     "off by one"),
    (checks.check_decide, lambda a, b, m: decide(a, b, m, free=4), "those of five seeds",
     "works for the shown case only"),
    (checks.check_decide, lambda a, b, m: decide(a, b, m, root=False), "root of n",
     "left-out step"),
    (checks.check_decide, lambda a, b, m: decide(a, b, m, ddof=0), "take n - 1", "off by one"),
    (checks.check_decide, lambda a, b, m: decide(sorted(a), sorted(b), m), "seed by seed",
     "wrong axis"),
    (checks.check_decide, kept_runs(), "left behind", "state left behind"),
    (checks.check_decide, lambda a, b, m: True, "one of 'better'", None),
    (checks.check_decide, lambda a, b, m: "significant", "one of 'better'", None),
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
