"""The checks of lesson 05 against right answers, stubs and plausible wrong answers."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from d2lvgg import alexnet, lenet, trace_shapes
from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("05")

with torch.device("meta"):
    WHOLE = alexnet()



def linear_shares(net, shape):
    table = trace_shapes(net, shape, expand=True)
    linear = [row for row in table if row.layer == "Linear"]
    return (sum(row.params for row in linear) / table.params,
            sum(row.flops for row in linear) / table.flops)


def linear_shares_by_loop(net, shape):
    shares = np.zeros(2)
    table = trace_shapes(net, shape, expand=True)
    for row in table:
        if row.layer == "Linear":
            shares += row.params / table.params, row.flops / table.flops
    return torch.tensor(shares)


def one_linear_share(net, shape, place):
    table = trace_shapes(net, shape, expand=True)
    row = [row for row in table if row.layer == "Linear"][place]
    return row.params / table.params, row.flops / table.flops


def state_left_behind(program):
    """Return program as it is where it keeps a list, its first argument, from call to call."""
    kept = []
    return lambda *arguments: program(kept, *arguments)


def add_up(program):
    """Return program as it is where its answers add up from call to call."""
    def call(kept, *arguments):
        kept.append(program(*arguments))
        return sum(kept[1:], kept[0])
    return state_left_behind(call)


def seconds_by_loop(work, peak, bandwidth):
    total = np.float32(0)
    while work:
        flops, size = work.pop()
        total += max(flops / peak, size / bandwidth)
    return total


def seconds(work, peak, bandwidth, join=max):
    return sum(join((flops / peak, size / bandwidth)) for flops, size in work)


def max_of_sums(work, peak, bandwidth):
    return max(sum(f for f, _ in work) / peak, sum(b for _, b in work) / bandwidth)


def beaten_by(name, table):
    a, p, f = table[name]
    return sorted(other for other, row in table.items()
                  if other != name and row[0] >= a and row[1] <= p and row[2] <= f)


def beaten_by_loop(name, table):
    mine, names = table.pop(name), []
    for other in sorted(table):
        if table[other][0] >= mine[0] and np.all(np.array(table[other][1:]) <= mine[1:]):
            names.append(other)
    return np.array(names)


def others_with(condition):
    """Return beaten_by with another condition on a row and the row of name."""
    return lambda name, table: sorted(other for other, row in table.items()
                                      if other != name and condition(row, table[name]))


def largest_batch_by_search(net, image, memory):
    table, batch = trace_shapes(net, (1, *image), expand=True), torch.tensor(0)
    step = 2 ** 20
    while step:
        if 8 * table.params + (batch + step) * table.activation_bytes <= memory:
            batch += step
        step //= 2
    return batch


def largest_batch(net, image, memory, copies=2, expand=True, up=0, size=4):
    table = trace_shapes(net, (1, *image), expand=expand)
    each = table.activation_bytes * size // 4
    return max(0, (memory - copies * 4 * table.params) // each + up)


def narrow_by_loop(ratio):
    layers, width = [], 1
    for layer in alexnet():
        if isinstance(layer, nn.Conv2d):
            layer = nn.Conv2d(width, layer.out_channels // ratio, layer.kernel_size, layer.stride,
                              layer.padding)
            width = layer.out_channels
        elif isinstance(layer, nn.Linear):
            out = layer.out_features // ratio if layer.out_features > 10 else 10
            layer = nn.Linear(width if layer.in_features != 6400 else width * 25, out)
            width = out
        layers.append(layer)
    return nn.Sequential(nn.Sequential(*layers[:13]), nn.Identity(), *layers[13:])


def narrow_with(change):
    """Return narrow_alexnet with change(layers) made to the list of its layers."""
    def narrow(ratio):
        layers = list(narrow_alexnet(ratio))
        change(layers)
        return nn.Sequential(*layers)
    return narrow


def replace(old, new):
    """Return the change of every layer of one class into what new returns."""
    def change(layers):
        layers[:] = [new() if isinstance(layer, old) else layer for layer in layers]
    return change


def move_dropout(layers):
    layers.insert(0, layers.pop(16))


def same_network(build):
    """Return build as it is where it builds one network and returns that again and again."""
    made = {}
    return lambda *arguments: made.setdefault(0, build(*arguments))


def narrow_alexnet(ratio, classes=10, hidden=None, stride=4, dropout=True, divide=int.__floordiv__):
    a, b, c, h = (divide(width, ratio) for width in (96, 256, 384, 4096))
    h = hidden or h
    drops = [nn.Dropout(0.5) if dropout else nn.Identity() for _ in range(2)]
    side = 5 if stride == 4 else 12
    return nn.Sequential(
        nn.Conv2d(1, a, 11, stride=stride, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(a, b, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(b, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1), nn.ReLU(),
        nn.Conv2d(c, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Flatten(),
        nn.Linear(b * side * side, h), nn.ReLU(), drops[0], nn.Linear(h, h), nn.ReLU(), drops[1],
        nn.Linear(h, classes))


def alexnet28(act=nn.ReLU, dropout=0.5, width=32, hidden=128, pool=nn.MaxPool2d, last=None,
              convs=3):
    drop = nn.Identity() if dropout is None else nn.Dropout(dropout)
    middle = [layer for _ in range(convs)
              for layer in (nn.Conv2d(width, width, 3, padding=1), act())]
    side = 3 if pool is nn.MaxPool2d else 28
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), act(), pool(2), nn.Conv2d(16, width, 3, padding=1), act(),
        pool(2), *middle, pool(2), nn.Flatten(), nn.Linear(width * side ** 2, hidden), act(), drop,
        nn.Linear(hidden, hidden), act(), drop, nn.Linear(hidden, 10), *([last] if last else []))


def alexnet28_by_loop():
    net, width = nn.Sequential(), 1
    for place, out in enumerate((8, 16, 24, 24, 16)):
        block = [nn.Conv2d(width, out, 3, padding=1), nn.ReLU(inplace=True)]
        net.append(nn.Sequential(*block, *[nn.AvgPool2d(2)] * (place in (0, 1, 4))))
        width = out
    net.extend([nn.Flatten(), nn.Linear(144, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
                nn.Dropout(0.2), nn.Linear(64, 10)])
    return net


def two_relus():
    layers = list(alexnet28())
    layers.insert(1, layers.pop(4))
    return nn.Sequential(*layers)


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


def stop_epoch_by_cuts(accuracies, patience):
    a = np.array(accuracies)
    for last in range(patience, len(a)):
        if a[:last + 1].argmax() + patience == last:
            return a[:last + 1].argmax() + 1
    return torch.tensor(a.argmax()) + 1


def stop_epoch_of_memory(kept, accuracies, patience):
    kept.extend(accuracies)
    return stop_epoch(kept, patience)


def better_than_before(accuracies, patience):
    best = 1
    for epoch in range(1, len(accuracies)):
        if accuracies[epoch] > accuracies[epoch - 1]:
            best = epoch + 1
        if epoch + 1 - best == patience:
            break
    return best


def not_in_a_row(accuracies, patience):
    best = 0
    for epoch in range(1, len(accuracies)):
        if accuracies[epoch] > accuracies[best]:
            best = epoch
        else:
            patience -= 1
        if patience == 0:
            break
    return best + 1


def where_it_stops(accuracies, patience):
    return min(len(accuracies), stop_epoch(accuracies, patience) + patience)


def modern_lenet(drops=(8, 11), act=nn.ReLU, pool=None, rate=0.5):
    layers = [act() if isinstance(layer, nn.Sigmoid) else
              pool(2, 2) if pool and isinstance(layer, nn.AvgPool2d) else layer
              for layer in lenet()]
    for place in sorted(drops, reverse=True):  # places in lenet(): 7 linear, 9 linear, 11 linear
        layers.insert(place + 1, nn.Dropout(rate))
    return nn.Sequential(*layers)


def modern_lenet_by_hand():
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2),
                      nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten()),
        nn.Linear(400, 120), nn.ReLU(), nn.Dropout(), nn.Linear(120, 84), nn.ReLU(), nn.Dropout(),
        nn.Linear(84, 10))


def flip_by_index(X, p=0.5):
    out, chosen = X.clone(), np.random.default_rng().random(len(X)) < p
    out[chosen] = X[chosen].flip(-1)
    return out


def flip_one_by_one(X, p=0.5):
    return torch.stack([x.flip(2) if torch.rand(1) < p else x for x in X])


def flip_pieces(X, p=0.5, axes=2):
    coins = torch.rand(*X.shape[:axes], *[1] * (4 - axes)) < p
    return torch.where(coins, X.flip(3), X)


def flip_half(X, p=0.5):
    out, chosen = X.clone(), torch.randperm(len(X))[:round(p * len(X))]
    out[chosen] = X[chosen].flip(3)
    return out


def flip_with_coins_of_before(kept, X, p=0.5):
    kept.append(torch.rand(len(X), 1, 1, 1) < p)
    return torch.where(kept[0], X.flip(3), X)


def flip_some(X, p=0.5, axis=3):
    return torch.where(torch.rand(len(X), 1, 1, 1) < p, X.flip(axis), X)


def flip_in_place(X, p=0.5):
    X.copy_(flip_some(X, p))
    return X


def flip_same(X, p=0.5):
    coins = torch.rand(len(X), 1, 1, 1, generator=torch.Generator().manual_seed(1)) < p
    return torch.where(coins, X.flip(3), X)


def diagnose(train, test, least=0.2, gap=0.1):
    if not train > least:
        return "breaks"
    return "overfits" if train - test > gap else "learns"


def diagnose_by_isnan(train_acc, test_acc):
    broken = math.isnan(train_acc) or train_acc <= 0.2
    return ("breaks", ("learns", "overfits")[train_acc > test_acc + 0.1])[not broken]


def without_nan(train, test):
    if train <= 0.2:
        return "breaks"
    return "overfits" if train - test > 0.1 else "learns"


def gap_first(train, test):
    return "overfits" if train - test > 0.1 else diagnose(train, test)


def nan_for_both(train, test):
    return "breaks" if math.isnan(train) and math.isnan(test) else without_nan(train, test)


def by_ratio(train, test):
    return "overfits" if train > 0.2 and train > 1.07 * test else diagnose(train, test, gap=1)


def by_distance(train, test):
    return "overfits" if train > 0.2 and abs(train - test) > 0.1 else diagnose(train, test, gap=1)


def by_height(train, test):
    return "overfits" if train > 0.94 else diagnose(train, test, gap=1)


def diagnose_of_memory(kept, train, test):
    kept.append(train)
    return diagnose(max(kept), test)


def diagnose_once(kept, train, test):
    kept.append(1)
    return diagnose(train, test) if len(kept) < 22 else "learns"


RIGHT = [
    (checks.check_linear_shares, linear_shares),
    (checks.check_linear_shares, linear_shares_by_loop),
    (checks.check_seconds, seconds),
    (checks.check_seconds, seconds_by_loop),
    (checks.check_beaten_by, beaten_by),
    (checks.check_beaten_by, beaten_by_loop),
    (checks.check_largest_batch, largest_batch),
    (checks.check_largest_batch, largest_batch_by_search),
    (checks.check_narrow_alexnet, narrow_alexnet),
    (checks.check_narrow_alexnet, narrow_by_loop),
    (checks.check_alexnet28, alexnet28),
    (checks.check_alexnet28, alexnet28_by_loop),
    (checks.check_stop_epoch, stop_epoch),
    (checks.check_stop_epoch, stop_epoch_by_cuts),
    (checks.check_modern_lenet, lambda: modern_lenet((8, 10))),
    (checks.check_modern_lenet, modern_lenet_by_hand),
    (checks.check_flip_some, flip_some),
    (checks.check_flip_some, flip_by_index),
    (checks.check_diagnose, diagnose),
    (checks.check_diagnose, diagnose_by_isnan),
]
EMPTY = [
    (checks.check_linear_shares, lambda net, input_shape: ...),
    (checks.check_seconds, lambda work, peak, bandwidth: ...),
    (checks.check_beaten_by, lambda name, table: ...),
    (checks.check_largest_batch, lambda net, image_shape, memory: ...),
    (checks.check_narrow_alexnet, lambda ratio: ...),
    (checks.check_alexnet28, lambda: ...),
    (checks.check_stop_epoch, lambda accuracies, patience: ...),
    (checks.check_modern_lenet, lambda: ...),
    (checks.check_flip_some, lambda X, p=0.5: ...),
    (checks.check_diagnose, lambda train_acc, test_acc: ...),
]
WRONG = [
    (checks.check_linear_shares, lambda *a: linear_shares(*a)[::-1], "swapped", "wrong axis"),
    (checks.check_linear_shares, lambda *a: tuple(1 - s for s in linear_shares(*a)),
     "shares of the convolutions", "wrong formula"),
    (checks.check_linear_shares, lambda *a: tuple(100 * s for s in linear_shares(*a)), "per cent",
     "wrong unit"),
    (checks.check_linear_shares, lambda *a: (linear_shares(*a)[0], 1 - linear_shares(*a)[1]),
     "give both", "wrong formula"),
    (checks.check_linear_shares, lambda *a: one_linear_share(*a, 0), "the first linear layer alone",
     "left-out step"),
    (checks.check_linear_shares, lambda *a: one_linear_share(*a, -1), "the last linear layer alone",
     "left-out step"),
    (checks.check_linear_shares, lambda *a: tuple(round(s, 3) for s in linear_shares(*a)),
     "you rounded", "wrong unit"),
    (checks.check_linear_shares, lambda *a: (0.92, 0.046), "by the table's own sums",
     "works for the shown case only"),
    (checks.check_linear_shares, lambda *a: linear_shares(WHOLE, (1, 1, 224, 224)),
     "by the table's own sums", "works for the shown case only"),
    (checks.check_linear_shares, add_up(lambda *a: torch.tensor(linear_shares(*a))), "left behind",
     "state left behind"),
    (checks.check_linear_shares, lambda *a: 0.9, "two numbers", None),
    (checks.check_linear_shares, lambda *a: ("92 %", "5 %"), "one number", None),
    (checks.check_seconds, lambda *a: seconds(*a, join=sum), "added the two times",
     "wrong formula"),
    (checks.check_seconds, max_of_sums, "larger of the two sums", "wrong axis"),
    (checks.check_seconds, lambda w, p, b: sum(f for f, _ in w) / p, "left out the memory",
     "left-out step"),
    (checks.check_seconds, lambda w, p, b: sum(b_ for _, b_ in w) / b, "left out the arithmetic",
     "left-out step"),
    (checks.check_seconds, lambda w, p, b: max(max(f / p, s / b) for f, s in w), "slowest layer",
     "wrong formula"),
    (checks.check_seconds, lambda w, p, b: seconds(w[:1], p, b), "the first layer alone",
     "off by one"),
    (checks.check_seconds, lambda w, p, b: seconds(w, p, b) / len(w), "the mean of the layers",
     "wrong formula"),
    (checks.check_seconds, lambda *a: 1e3 * seconds(*a), "milliseconds", "wrong unit"),
    (checks.check_seconds, lambda w, p, b: sum(max(p / f, b / s) for f, s in w), "upside down",
     "wrong formula"),
    (checks.check_seconds, lambda *a: seconds(*a, join=min), "the shorter", "wrong formula"),
    (checks.check_seconds, lambda w, p, b: seconds(w[1:], p, b), "how long does each wait",
     "off by one"),
    (checks.check_seconds, lambda w, p, b: seconds(w, 20e12, 1e12), "do you use peak",
     "works for the shown case only"),
    (checks.check_seconds, add_up(seconds), "left behind", "state left behind"),
    (checks.check_seconds, lambda w, p, b: [max(f / p, s / b) for f, s in w], "one number", None),
    (checks.check_beaten_by, lambda n, t: sorted([*beaten_by(n, t), n]), "beat itself",
     "left-out step"),
    (checks.check_beaten_by, lambda n, t: beaten_by(n, t)[::-1], "sort them", "left-out step"),
    (checks.check_beaten_by, lambda n, t: sorted(beaten_by(n, t), key=t.get), "sort them",
     "wrong axis"),
    (checks.check_beaten_by, others_with(lambda r, own: r[0] >= own[0]), "may cost more",
     "left-out step"),
    (checks.check_beaten_by, others_with(lambda r, own: r[0] >= own[0] and r[1] <= own[1]),
     "left out the FLOPs", "left-out step"),
    (checks.check_beaten_by, others_with(lambda r, own: r[0] >= own[0] and r[2] <= own[2]),
     "left out the parameters", "left-out step"),
    (checks.check_beaten_by, others_with(lambda r, own: r[1] <= own[1] and r[2] <= own[2]),
     "cheaper is not enough", "left-out step"),
    (checks.check_beaten_by,
     others_with(lambda r, own: r[0] > own[0] and r[1] < own[1] and r[2] < own[2]),
     "left out equals", "off by one"),
    (checks.check_beaten_by,
     others_with(lambda r, own: r[0] > own[0] and r[1] <= own[1] and r[2] <= own[2]),
     "as accurate", "off by one"),
    (checks.check_beaten_by,
     others_with(lambda r, own: r[0] >= own[0] and (r[1] <= own[1] or r[2] <= own[2])),
     "both are wanted", "wrong formula"),
    (checks.check_beaten_by,
     others_with(lambda r, own: r[0] <= own[0] and r[1] >= own[1] and r[2] >= own[2]),
     "turn the three comparisons round", "wrong formula"),
    (checks.check_beaten_by, lambda n, t: beaten_by(next(iter(t)), t), "beat itself",
     "works for the shown case only"),
    (checks.check_beaten_by, lambda n, t: beaten_by(n, t) if n == "old" else [], "ask each",
     "works for the shown case only"),
    (checks.check_beaten_by, add_up(beaten_by), "left behind", "state left behind"),
    (checks.check_beaten_by, lambda n, t: set(beaten_by(n, t)), "a set has no order", None),
    (checks.check_beaten_by, lambda n, t: [t[o] for o in beaten_by(n, t)], "a list of names", None),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, copies=1), "left out the gradients",
     "left-out step"),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, copies=0), "left out the weights",
     "left-out step"),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, copies=3), "three times",
     "wrong formula"),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, copies=0.5), "four bytes",
     "wrong unit"),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, size=1), "each takes four bytes",
     "wrong unit"),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, expand=False), "expand=True",
     "wrong mode"),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, up=1), "rounded up", "off by one"),
    (checks.check_largest_batch, lambda *a: largest_batch(*a, up=-1), "one more image",
     "off by one"),
    (checks.check_largest_batch, lambda n, p, m: (m - 8 * trace_shapes(n, (1, *p)).params)
     // trace_shapes(n, (1, *p), expand=True).activation_bytes, "not negative", "left-out step"),
    (checks.check_largest_batch, lambda n, p, m: (m - 8 * trace_shapes(n, (1, *p)).params)
     / trace_shapes(n, (1, *p), expand=True).activation_bytes, "whole images", "left-out step"),
    (checks.check_largest_batch, lambda n, p, m: largest_batch(WHOLE, (1, 224, 224), m),
     "what is kept once", "works for the shown case only"),
    (checks.check_largest_batch, add_up(largest_batch), "left behind", "state left behind"),
    (checks.check_largest_batch, lambda n, p, m: math.inf, "whole images", None),
    (checks.check_narrow_alexnet, lambda r: narrow_alexnet(r, classes=max(1, 10 // r)),
     "ten classes", "wrong formula"),
    (checks.check_narrow_alexnet, lambda r: narrow_alexnet(r, hidden=4096), "still 4,096",
     "left-out step"),
    (checks.check_narrow_alexnet, lambda r: narrow_alexnet(r, divide=lambda w, r: -(-w // r)),
     "the fraction is dropped", "off by one"),
    (checks.check_narrow_alexnet, lambda r: narrow_alexnet(r, stride=2), "another kernel, stride",
     "wrong formula"),
    (checks.check_narrow_alexnet, lambda r: narrow_alexnet(r, dropout=False),
     "0 layers of type Dropout", "left-out step"),
    (checks.check_narrow_alexnet, narrow_with(replace(nn.ReLU, nn.Identity)),
     "0 layers of type ReLU", "left-out step"),
    (checks.check_narrow_alexnet, narrow_with(replace(nn.ReLU, nn.Sigmoid)),
     "0 layers of type ReLU", "wrong formula"),
    (checks.check_narrow_alexnet, narrow_with(replace(nn.MaxPool2d, lambda: nn.AvgPool2d(3, 2))),
     "0 layers of type MaxPool2d", "wrong formula"),
    (checks.check_narrow_alexnet, narrow_with(replace(nn.Dropout, lambda: nn.Dropout(0.1))),
     "not one half", "wrong formula"),
    (checks.check_narrow_alexnet, narrow_with(move_dropout), "layer 0 is a Dropout", "wrong axis"),
    (checks.check_narrow_alexnet, narrow_with(lambda layers: layers.append(nn.Softmax(1))),
     "has no Softmax", "wrong formula"),
    (checks.check_narrow_alexnet, lambda r: narrow_alexnet(r).eval(), "evaluation mode",
     "wrong mode"),
    (checks.check_narrow_alexnet, lambda r: alexnet(), "still 4,096",
     "works for the shown case only"),
    (checks.check_narrow_alexnet, lambda r: narrow_alexnet(4), "with ratio 1",
     "works for the shown case only"),
    (checks.check_narrow_alexnet, same_network(narrow_alexnet), "left behind",
     "state left behind"),
    (checks.check_narrow_alexnet, lambda r: list(narrow_alexnet(r)), "an nn.Sequential", None),
    (checks.check_alexnet28, alexnet, "images of 28 pixels", "works for the shown case only"),
    (checks.check_alexnet28, lambda: alexnet28(act=nn.Sigmoid), "sigmoid", "wrong formula"),
    (checks.check_alexnet28, lambda: alexnet28(dropout=None), "dropout is missing",
     "left-out step"),
    (checks.check_alexnet28, lambda: alexnet28(dropout=0.0), "drops nothing", "left-out step"),
    (checks.check_alexnet28, lambda: alexnet28(hidden=2048), "more than 467,647", "wrong unit"),
    (checks.check_alexnet28, lambda: alexnet28(pool=no_pool, hidden=64), "more than 467,647",
     "left-out step"),
    (checks.check_alexnet28, lambda: alexnet28(width=24, pool=no_pool, hidden=8), "18.7 million",
     "left-out step"),
    (checks.check_alexnet28, lambda: alexnet28(convs=2), "4 layers of type Conv2d", "off by one"),
    (checks.check_alexnet28, two_relus, "two ReLUs follow each other", "wrong axis"),
    (checks.check_alexnet28, lambda: alexnet28(last=nn.ReLU()), "8 ReLUs", "off by one"),
    (checks.check_alexnet28, lambda: alexnet28(last=nn.Softmax(1)), "behind the last layer",
     "wrong formula"),
    (checks.check_alexnet28, lambda: alexnet28(width=1, hidden=1), "too narrow",
     "wrong formula"),
    (checks.check_alexnet28, lambda: alexnet28().eval(), "evaluation mode", "wrong mode"),
    (checks.check_alexnet28, same_network(alexnet28), "left behind", "state left behind"),
    (checks.check_alexnet28, lambda: nn.Linear(784, 10), "an nn.Sequential", None),
    (checks.check_stop_epoch, lambda a, p: stop_epoch(a, p, start=0), "count epochs from 1",
     "off by one"),
    (checks.check_stop_epoch, lambda a, p: stop_epoch(a, p + 1), "an epoch longer", "off by one"),
    (checks.check_stop_epoch, lambda a, p: stop_epoch(a, p - 1) if p > 1 else 1,
     "an epoch earlier", "off by one"),
    (checks.check_stop_epoch, where_it_stops, "where it stops", "wrong formula"),
    (checks.check_stop_epoch, lambda a, p: a[stop_epoch(a, p) - 1], "that is an accuracy",
     "wrong unit"),
    (checks.check_stop_epoch, lambda a, p: a.index(max(a)) + 1, "the best of all",
     "left-out step"),
    (checks.check_stop_epoch, lambda a, p: len(a), "the last epoch", "left-out step"),
    (checks.check_stop_epoch, lambda a, p: stop_epoch(a, p, equal=True), "nothing better",
     "wrong formula"),
    (checks.check_stop_epoch, better_than_before, "the epoch before", "wrong formula"),
    (checks.check_stop_epoch, not_in_a_row, "in a row", "left-out step"),
    (checks.check_stop_epoch, lambda a, p: stop_epoch(a, 3), "whatever patience says",
     "works for the shown case only"),
    (checks.check_stop_epoch, lambda a, p: 2, "go through the epochs",
     "works for the shown case only"),
    (checks.check_stop_epoch, state_left_behind(stop_epoch_of_memory), "go through the epochs",
     "state left behind"),
    (checks.check_stop_epoch, add_up(stop_epoch), "left behind", "state left behind"),
    (checks.check_stop_epoch, lambda a, p: (stop_epoch(a, p), p), "one number", None),
    (checks.check_modern_lenet, lambda: modern_lenet((8, 10), act=nn.Sigmoid), "sigmoid is left",
     "left-out step"),
    (checks.check_modern_lenet, lenet, "sigmoid is left", "works for the shown case only"),
    (checks.check_modern_lenet, lambda: modern_lenet(()), "dropout is missing", "left-out step"),
    (checks.check_modern_lenet, lambda: modern_lenet((8, 11)), "none behind the output",
     "off by one"),
    (checks.check_modern_lenet, lambda: modern_lenet((8,)), "each of the two hidden layers",
     "left-out step"),
    (checks.check_modern_lenet, lambda: modern_lenet((1, 8)), "among the convolutions",
     "wrong axis"),
    (checks.check_modern_lenet, lambda: modern_lenet((7, 9)), "behind the ReLU", "off by one"),
    (checks.check_modern_lenet, lambda: modern_lenet((8, 10), pool=nn.MaxPool2d),
     "0 layers of type AvgPool2d", "wrong formula"),
    (checks.check_modern_lenet, lambda: modern_lenet((8, 10), rate=0.2), "not one half",
     "wrong formula"),
    (checks.check_modern_lenet, lambda: nn.Sequential(*modern_lenet((8, 10)), nn.Softmax(1)),
     "has no Softmax", "wrong formula"),
    (checks.check_modern_lenet, lambda: modern_lenet((8, 10)).eval(), "evaluation mode",
     "wrong mode"),
    (checks.check_modern_lenet, same_network(lambda: modern_lenet((8, 10))), "left behind",
     "state left behind"),
    (checks.check_modern_lenet, lambda: "LeNet", "an nn.Sequential", None),
    (checks.check_flip_some, lambda X, p: X.flip(3) if torch.rand(1) < p else X, "one coin",
     "left-out step"),
    (checks.check_flip_some, lambda X, p: flip_some(X, p, axis=2), "top to bottom", "wrong axis"),
    (checks.check_flip_some, lambda X, p: flip_some(X, p, axis=1), "neither as they were",
     "wrong axis"),
    (checks.check_flip_some, lambda X, p: flip_some(X, p, axis=0), "neither as they were",
     "wrong axis"),
    (checks.check_flip_some, flip_pieces, "channels of one image", "wrong axis"),
    (checks.check_flip_some, lambda X, p: flip_pieces(X, p, axes=4), "neither as they were",
     "wrong axis"),
    (checks.check_flip_some, flip_in_place, "changed X itself", "state left behind"),
    (checks.check_flip_some, flip_same, "each time", "state left behind"),
    (checks.check_flip_some, state_left_behind(flip_with_coins_of_before), "each time",
     "state left behind"),
    (checks.check_flip_some, flip_half, "exactly as many", "wrong formula"),
    (checks.check_flip_some, flip_one_by_one, "one by one", "wrong mode"),
    (checks.check_flip_some, lambda X, p: flip_some(X, 1 - p), "the other way round",
     "wrong formula"),
    (checks.check_flip_some, lambda X, p: flip_some(X, 0.2), "with p=0.5",
     "works for the shown case only"),
    (checks.check_flip_some, lambda X, p: flip_some(X, 0.5), "with p=0.0",
     "works for the shown case only"),
    (checks.check_flip_some, lambda X, p: X[0], "a tensor of shape", None),
    (checks.check_flip_some, lambda X, p: flip_some(X, p).numpy(), "a tensor of shape", None),
    (checks.check_diagnose, without_nan, "ran away", "left-out step"),
    (checks.check_diagnose, nan_for_both, "whatever the test says", "left-out step"),
    (checks.check_diagnose, lambda t, e: "breaks" if t < 0.2 else diagnose(t, e, 0),
     "the bound itself", "off by one"),
    (checks.check_diagnose, gap_first, "ask that first", "wrong formula"),
    (checks.check_diagnose, by_height, "wherever it lies", "wrong formula"),
    (checks.check_diagnose, by_ratio, "not a ratio", "wrong formula"),
    (checks.check_diagnose, by_distance, "has a sign", "wrong formula"),
    (checks.check_diagnose, lambda t, e: diagnose(t, e, gap=0.04), "the gap is small",
     "wrong formula"),
    (checks.check_diagnose, lambda t, e: diagnose(t, e, 20, 10), "whatever the two numbers",
     "wrong unit"),
    (checks.check_diagnose, lambda t, e: diagnose(e, t), "swapped", "wrong axis"),
    (checks.check_diagnose, lambda t, e: "breaks" if not e > 0.2 else "learns",
     "a little above a guess", "wrong formula"),
    (checks.check_diagnose, lambda t, e: "overfits", "whatever the two numbers",
     "works for the shown case only"),
    (checks.check_diagnose, state_left_behind(diagnose_of_memory), "whatever the two numbers",
     "state left behind"),
    (checks.check_diagnose, state_left_behind(diagnose_once), "other words", "state left behind"),
    (checks.check_diagnose, lambda t, e: t > 0.2, "one of the words", None),
    (checks.check_diagnose, lambda t, e: "diverges", "none of the three words", None),
    (checks.check_diagnose, "overfits", "a function is wanted", None),
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


def test_what_the_praises_say():
    table = trace_shapes(WHOLE, (1, 1, 224, 224), expand=True)
    assert math.ceil(2 * 4 * table.params / table.activation_bytes) == 70
    assert [round(share, 3) for share in linear_shares(WHOLE, (1, 1, 224, 224))] == [.92, .046]
