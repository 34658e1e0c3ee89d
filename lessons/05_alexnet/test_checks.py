"""The checks of lesson 05 against right answers, stubs and typical wrong answers."""

import math

import pytest
import torch
from torch import nn

from d2lvgg import alexnet, lenet, trace_shapes
from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("05")

LONG = {"no dropout": "overfits", "no dropout, sigmoid for ReLU": "breaks",
        "no dropout, every weight 0.01": "breaks", "no dropout, learning rate 10": "breaks"}


def linear_shares(net, shape):
    table = trace_shapes(net, shape, expand=True)
    linear = [row for row in table if row.layer == "Linear"]
    return (sum(row.params for row in linear) / table.params,
            sum(row.flops for row in linear) / table.flops)


def seconds(work, peak, bandwidth, join=max):
    return sum(join((flops / peak, size / bandwidth)) for flops, size in work)


def max_of_sums(work, peak, bandwidth):
    return max(sum(f for f, _ in work) / peak, sum(b for _, b in work) / bandwidth)


def beaten_by(name, table):
    a, p, f = table[name]
    return sorted(other for other, row in table.items()
                  if other != name and row[0] >= a and row[1] <= p and row[2] <= f)


def largest_batch(net, picture, memory, copies=2, expand=True, up=0):
    table = trace_shapes(net, (1, *picture), expand=expand)
    return max(0, (memory - copies * 4 * table.params) // table.activation_bytes + up)


def narrow_alexnet(ratio, kinds=10, hidden=None, stride=4, dropout=True):
    a, b, c, h = (width // ratio for width in (96, 256, 384, 4096))
    h = hidden or h
    drops = [nn.Dropout(0.5) if dropout else nn.Identity() for _ in range(2)]
    side = 5 if stride == 4 else 12
    return nn.Sequential(
        nn.Conv2d(1, a, 11, stride=stride, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(a, b, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(b, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1), nn.ReLU(),
        nn.Conv2d(c, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Flatten(),
        nn.Linear(b * side * side, h), nn.ReLU(), drops[0], nn.Linear(h, h), nn.ReLU(), drops[1],
        nn.Linear(h, kinds))


def alexnet28(act=nn.ReLU, dropout=True, width=32, hidden=128, pool=nn.MaxPool2d, last=None,
              convs=3):
    drop = nn.Dropout(0.5) if dropout else nn.Identity()
    middle = [layer for _ in range(convs)
              for layer in (nn.Conv2d(width, width, 3, padding=1), act())]
    side = 3 if pool is nn.MaxPool2d else 28
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), act(), pool(2), nn.Conv2d(16, width, 3, padding=1), act(),
        pool(2), *middle, pool(2), nn.Flatten(), nn.Linear(width * side ** 2, hidden), act(), drop,
        nn.Linear(hidden, hidden), act(), drop, nn.Linear(hidden, 10), *([last] if last else []))


def no_pool(_):
    return nn.Identity()


def stop_epoch(accuracies, patience, start=1, equal=False):
    best = 0
    for epoch, accuracy in enumerate(accuracies):
        if accuracy > accuracies[best] or equal and accuracy == accuracies[best]:
            best = epoch
        if epoch - best == patience:
            break
    return best + start


def where_it_stops(accuracies, patience):
    return min(len(accuracies), stop_epoch(accuracies, patience) + patience)


def modern_lenet(drops=(8, 11), act=nn.ReLU, pool=None, rate=0.5):
    layers = [act() if isinstance(layer, nn.Sigmoid) else
              pool(2, 2) if pool and isinstance(layer, nn.AvgPool2d) else layer
              for layer in lenet()]
    for place in sorted(drops, reverse=True):  # places in lenet(): 7 linear, 9 linear, 11 linear
        layers.insert(place + 1, nn.Dropout(rate))
    return nn.Sequential(*layers)


def flip_some(X, p=0.5, axis=3):
    return torch.where(torch.rand(len(X), 1, 1, 1) < p, X.flip(axis), X)


def flip_in_place(X, p=0.5):
    X.copy_(flip_some(X, p))
    return X


def flip_same(X, p=0.5):
    coins = torch.rand(len(X), 1, 1, 1, generator=torch.Generator().manual_seed(1)) < p
    return torch.where(coins, X.flip(3), X)


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_linear_shares, linear_shares),
    (checks.check_seconds, seconds),
    (checks.check_beaten_by, beaten_by),
    (checks.check_largest_batch, largest_batch),
    (checks.check_narrow_alexnet, narrow_alexnet),
    (checks.check_alexnet28, alexnet28),
    (checks.check_stop_epoch, stop_epoch),
    (checks.check_modern_lenet, lambda: modern_lenet((8, 10))),
    (checks.check_flip_some, flip_some),
    (checks.check_overfits_or_breaks, LONG),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_linear_shares, lambda net, input_shape: ...),
    (checks.check_seconds, lambda work, peak, bandwidth: ...),
    (checks.check_beaten_by, lambda name, table: ...),
    (checks.check_largest_batch, lambda net, picture_shape, memory: ...),
    (checks.check_narrow_alexnet, lambda ratio: ...),
    (checks.check_alexnet28, lambda: ...),
    (checks.check_stop_epoch, lambda accuracies, patience: ...),
    (checks.check_modern_lenet, lambda: ...),
    (checks.check_flip_some, lambda X, p=0.5: ...),
    (checks.check_overfits_or_breaks, dict.fromkeys(LONG, ...)),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_linear_shares, lambda *a: linear_shares(*a)[::-1], "swapped"),
    (checks.check_linear_shares, lambda *a: tuple(1 - s for s in linear_shares(*a)),
     "shares of the convolutions"),
    (checks.check_linear_shares, lambda *a: tuple(100 * s for s in linear_shares(*a)), "per cent"),
    (checks.check_linear_shares, lambda *a: (linear_shares(*a)[0], 1 - linear_shares(*a)[1]),
     "give both"),
    (checks.check_linear_shares, lambda *a: 0.9, "two numbers"),
    (checks.check_seconds, lambda *a: seconds(*a, join=sum), "added the two times"),
    (checks.check_seconds, max_of_sums, "larger of the two sums"),
    (checks.check_seconds, lambda w, p, b: sum(f for f, _ in w) / p, "left out the memory"),
    (checks.check_seconds, lambda w, p, b: sum(b_ for _, b_ in w) / b, "left out the arithmetic"),
    (checks.check_seconds, lambda w, p, b: max(max(f / p, s / b) for f, s in w), "slowest layer"),
    (checks.check_seconds, lambda w, p, b: 1.0, "for four layers"),
    (checks.check_seconds, lambda *a: seconds(*a, join=min), "the shorter"),
    (checks.check_beaten_by, lambda n, t: sorted([*beaten_by(n, t), n]), "beat itself"),
    (checks.check_beaten_by, lambda n, t: beaten_by(n, t)[::-1], "sort them"),
    (checks.check_beaten_by, lambda n, t: sorted(
        o for o, r in t.items() if o != n and r[0] >= t[n][0]), "may cost more"),
    (checks.check_beaten_by, lambda n, t: sorted(
        o for o, r in t.items() if o != n and all((r[0] > t[n][0], r[1] < t[n][1],
                                                   r[2] < t[n][2]))), "left out equals"),
    (checks.check_beaten_by, lambda n, t: sorted(
        o for o, r in t.items() if o != n and r[0] >= t[n][0]
        and (r[1] <= t[n][1] or r[2] <= t[n][2])), "both are wanted"),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, copies=1), "left out the gradients"),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, copies=0), "left out the weights"),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, expand=False), "expand=True"),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, up=1), "rounded up"),
    (checks.check_largest_batch, lambda n, p, m: -1, "not negative"),
    (checks.check_largest_batch, lambda n, p, m: 1.5, "whole pictures"),
    (checks.check_narrow_alexnet, lambda r: narrow_alexnet(r, kinds=max(1, 10 // r)), "ten kinds"),
    (checks.check_narrow_alexnet, lambda r: narrow_alexnet(r, hidden=4096), "still 4,096"),
    (checks.check_narrow_alexnet, lambda r: narrow_alexnet(r, stride=2), "sides of the maps"),
    (checks.check_narrow_alexnet, lambda r: narrow_alexnet(r, dropout=False), "0 dropout"),
    (checks.check_narrow_alexnet, lambda r: alexnet(), "still 4,096"),
    (checks.check_alexnet28, alexnet, "28-pixel"),
    (checks.check_alexnet28, lambda: alexnet28(act=nn.Sigmoid), "sigmoid"),
    (checks.check_alexnet28, lambda: alexnet28(dropout=False), "dropout is missing"),
    (checks.check_alexnet28, lambda: alexnet28(hidden=2048), "more than 467,647"),
    (checks.check_alexnet28, lambda: alexnet28(pool=no_pool, hidden=64), "more than 467,647"),
    (checks.check_alexnet28, lambda: alexnet28(width=24, pool=no_pool, hidden=8), "18.7 million"),
    (checks.check_alexnet28, lambda: alexnet28(convs=2), "4 layers of type Conv2d"),
    (checks.check_alexnet28, lambda: alexnet28(last=nn.ReLU()), "8 ReLUs"),
    (checks.check_alexnet28, lambda: alexnet28(last=nn.Threshold(1e9, 0)), "behind the last layer"),
    (checks.check_stop_epoch, lambda a, p: stop_epoch(a, p, start=0), "count epochs from 1"),
    (checks.check_stop_epoch, where_it_stops, "where it stops"),
    (checks.check_stop_epoch, lambda a, p: a.index(max(a)) + 1, "best of all"),
    (checks.check_stop_epoch, lambda a, p: stop_epoch(a, p, equal=True), "nothing better"),
    (checks.check_modern_lenet, lambda: modern_lenet((8, 10), act=nn.Sigmoid), "sigmoid is left"),
    (checks.check_modern_lenet, lambda: modern_lenet(()), "dropout is missing"),
    (checks.check_modern_lenet, lambda: modern_lenet((8, 11)), "none behind the output"),
    (checks.check_modern_lenet, lambda: modern_lenet((1, 8)), "among the convolutions"),
    (checks.check_modern_lenet, lambda: modern_lenet((7, 9)), "behind the ReLU"),
    (checks.check_modern_lenet, lambda: modern_lenet((8, 10), pool=nn.MaxPool2d), "averaging"),
    (checks.check_modern_lenet, lambda: modern_lenet((8, 10), rate=0.2), "not one half"),
    (checks.check_flip_some, lambda X, p: X.flip(3) if torch.rand(1) < p else X, "one coin"),
    (checks.check_flip_some, lambda X, p: flip_some(X, p, axis=2), "top to bottom"),
    (checks.check_flip_some, flip_in_place, "changed X itself"),
    (checks.check_flip_some, flip_same, "each time"),
    (checks.check_flip_some, lambda X, p: flip_some(X, 0.2), "not half"),
    (checks.check_flip_some, lambda X, p: flip_some(X, 0.5), "with p=0.0"),
    (checks.check_flip_some, lambda X, p: X[0], "a batch of shape"),
    (checks.check_overfits_or_breaks, LONG | {"no dropout": "breaks"}, "by heart"),
    (checks.check_overfits_or_breaks, LONG | {"no dropout, sigmoid for ReLU": "overfits"},
     "seven sigmoids"),
    (checks.check_overfits_or_breaks, LONG | {"no dropout, learning rate 10": "diverges"},
     "write 'overfits'"),
    (checks.check_overfits_or_breaks, {"no dropout": "overfits"}, "a verdict for each"),
])
def test_wrong(check, answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)


def test_what_the_praises_say():
    table = trace_shapes(alexnet(), (1, 1, 224, 224), expand=True)
    assert math.ceil(2 * 4 * table.params / table.activation_bytes) == 70
    assert [round(share, 3) for share in linear_shares(alexnet(), (1, 1, 224, 224))] == [.92, .046]
