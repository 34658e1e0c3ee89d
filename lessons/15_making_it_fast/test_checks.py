"""The checks of lesson 15 against right answers, stubs and plausible wrong answers."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import d2lvgg
from d2lvgg.exercises import WrongAnswer, checks_of, of_lesson
from d2lvgg.fast_form import pool_first

checks = checks_of("15")
speed = of_lesson("15", "speed")


def train(net, images, labels, test_images, test_labels, enlarge, num_epochs, *, whole=False,
          each_step=False, recorded=False, size=32, last=None, mean_of_batches=False, scale=1,
          after=True):
    """The slow script, with its waste and with other faults switched on one by one."""
    optimizer, rows = torch.optim.SGD(net.parameters(), lr=0.1), []

    def test():
        with torch.set_grad_enabled(recorded):
            hits = net(enlarge(test_images)).argmax(dim=1) == test_labels
        return scale * hits.float().mean().item()

    for _ in range(num_epochs):
        loss_sum, batches, acc = 0.0, 0, None if after else test()
        for start in range(0, last or len(images), size):
            some = slice(start, start + size)
            X, y = enlarge(images)[some] if whole else enlarge(images[some]), labels[some]
            optimizer.zero_grad()
            l = F.cross_entropy(net(X), y)
            l.backward()
            optimizer.step()
            loss_sum += l.item() * (1 if mean_of_batches else len(y))
            batches += 1
            if each_step:
                acc = test()
        if acc is None:
            acc = test()
        rows.append((loss_sum / (batches if mean_of_batches else len(images)), acc))
    return rows


def training(**faults):
    """Return the training script with these faults."""
    return lambda *given: train(*given, **faults)


def enlarged_once(net, images, labels, test_images, test_labels, enlarge, num_epochs):
    """Right: both sets are enlarged once, and looked at from there."""
    return train(net, enlarge(images), labels, enlarge(test_images), test_labels, lambda X: X,
                 num_epochs)


def kept_images():
    """Keeps the enlarged images of the first call, in a list outside the function."""
    kept = []

    def wrong(net, images, labels, test_images, test_labels, enlarge, num_epochs):
        if not kept:
            kept.extend([enlarge(images), enlarge(test_images)])
        return train(net, kept[0], labels, kept[1], test_labels, lambda X: X, num_epochs)
    return wrong


def last_test_for_all(*given):
    rows = train(*given)
    return [(l, rows[-1][1]) for l, _ in rows]


def off_for_good(*given):
    rows = train(*given)
    torch.set_grad_enabled(False)
    return rows


def never_trained(net, images, labels, test_images, test_labels, enlarge, num_epochs):
    return [(1.0, 0.5)] * num_epochs


def without_clearing(net, images, labels, test_images, test_labels, enlarge, num_epochs):
    zero_grad, torch.optim.SGD.zero_grad = torch.optim.SGD.zero_grad, lambda self: None
    try:
        return train(net, images, labels, test_images, test_labels, enlarge, num_epochs)
    finally:
        torch.optim.SGD.zero_grad = zero_grad


def reorder(net, *, inside=True, pools=nn.MaxPool2d, end=0, depth=9):
    """The solution of exercise 2, with faults that can be switched on."""
    layers = [reorder(layer, pools=pools, end=end, depth=depth - 1)
              if isinstance(layer, nn.Sequential) and inside and depth else layer for layer in net]
    for place in range(len(layers) - 1 - end):
        first, second = layers[place:place + 2]
        if isinstance(first, nn.ReLU) and isinstance(second, pools):
            layers[place:place + 2] = second, first
    return nn.Sequential(*layers)


def flat(net):
    return nn.Sequential(*checks.leaves(reorder(net)))


def in_place(net):
    for place in range(len(net) - 1):
        if isinstance(net[place], nn.Sequential):
            in_place(net[place])
        elif isinstance(net[place], nn.ReLU) and isinstance(net[place + 1], nn.MaxPool2d):
            net[place], net[place + 1] = net[place + 1], net[place]
    return net


def last_two(net):
    """As if each block ended in ReLU and a pool."""
    return nn.Sequential(*(nn.Sequential(*layer[:-2], layer[-1], layer[-2])
                           if isinstance(layer, nn.Sequential) else layer for layer in net))


def without_relu(net):
    layers = checks.leaves(net)
    return nn.Sequential(*(layer for layer, after in zip(layers, [*layers[1:], None], strict=True)
                           if not (isinstance(layer, nn.ReLU) and isinstance(after, nn.MaxPool2d))))


def least(net, shape, peak, bandwidth, *, choose=max, itemsize=4, parameters=True, read=True,
          write=True, expand=True, together=False, factor=1, only=None, first=None):
    """The solution of exercise 3, with faults that can be switched on."""
    total, before, times = 0.0, first or torch.Size(shape).numel(), [0, 0]
    for row in d2lvgg.trace_shapes(net, shape, expand=expand):
        after = row.output_shape.numel()
        moved = itemsize * (before * read + row.params * parameters + after * write)
        both = factor * row.flops / peak, moved / bandwidth
        if only is None or row.layer in only:
            total += choose(both)
        times = [old + new for old, new in zip(times, both, strict=True)]
        before = after
    return max(times) if together else total


def roofline(**faults):
    return lambda *given: least(*given, **faults)


def summed(function):
    """Adds up its answers from call to call, in a number outside the function."""
    answers = []

    def wrong(*arguments):
        answers.append(function(*arguments))
        return sum(answers)
    return wrong


def kept_change():
    changes = {}  # outside the function

    def wrong(weight, change):
        changes[weight] = changes.get(weight, 0) + change
        return survives(weight, changes[weight])
    return wrong


def survives(weight, change, dtype=torch.bfloat16):
    before = torch.tensor(weight, dtype=dtype)
    return bool(before != (before.double() + change).to(dtype))


def late_rounding(weight, change):
    return (torch.tensor(weight, dtype=torch.float64).to(torch.bfloat16)
            != torch.tensor(weight + change, dtype=torch.float64).to(torch.bfloat16))


RIGHT = [
    (checks.check_fast_training, train),
    (checks.check_fast_training, enlarged_once),
    (checks.check_fast_training, lambda *given: [list(row) for row in train(*given)]),
    (checks.check_reorder, reorder),
    (checks.check_reorder, flat),
    (checks.check_reorder, pool_first),
    (checks.check_least_seconds, least),
    (checks.check_least_seconds, lambda *given: torch.tensor(least(*given), dtype=torch.float64)),
    (checks.check_survives, survives),
    (checks.check_survives, lambda w, c: (torch.tensor(w).bfloat16().float() + c).bfloat16()
     != torch.tensor(w).bfloat16()),
    (checks.check_survives, lambda w, c: np.bool_(survives(w, c))),
]
EMPTY = [(check, lambda *_: ...) for check in (
    checks.check_fast_training, checks.check_reorder, checks.check_least_seconds,
    checks.check_survives)]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_fast_training, training(whole=True, each_step=True, recorded=True),
     "images were enlarged", "left-out step"),
    (checks.check_fast_training, training(whole=True), "images were enlarged", "left-out step"),
    (checks.check_fast_training, lambda net, images, labels, tests, *rest: train(
        net, images, labels, rest[1](tests), rest[0],
        lambda X: rest[1](X) if X.dtype == torch.uint8 else X, rest[2], each_step=True),
     "went through the network", "left-out step"),
    (checks.check_fast_training, training(recorded=True), "autograd recorded", "wrong mode"),
    (checks.check_fast_training, last_test_for_all, "each epoch has its own", "wrong formula"),
    (checks.check_fast_training, training(after=False), "each epoch has its own", "off by one"),
    (checks.check_fast_training, training(size=64), "batches of 64 images", "wrong formula"),
    (checks.check_fast_training, training(last=64), "fewer images", "off by one"),
    (checks.check_fast_training, training(last=80), "a number of the first is built in|raised",
     "works for the shown case only"),
    (checks.check_fast_training, training(mean_of_batches=True), "training losses differ",
     "wrong formula"),
    (checks.check_fast_training, training(scale=100), "are percent", "wrong unit"),
    (checks.check_fast_training, without_clearing, "with the same steps", "left-out step"),
    (checks.check_fast_training, never_trained, "never trained", "left-out step"),
    (checks.check_fast_training, kept_images(), "left behind from one call", "state left behind"),
    (checks.check_fast_training, off_for_good, "still off", "state left behind"),
    (checks.check_fast_training, lambda *given: train(*given)[-1:], "you give 1 pairs",
     "works for the shown case only"),
    (checks.check_fast_training, lambda *given: 0.9, "a list with a pair", None),

    (checks.check_reorder, lambda net: nn.Sequential(*net), "still stands before",
     "left-out step"),
    (checks.check_reorder, lambda net: reorder(net, inside=False), "inside a block",
     "left-out step"),
    (checks.check_reorder, lambda net: reorder(net, depth=1), "inside a block",
     "works for the shown case only"),
    (checks.check_reorder, lambda net: reorder(net, end=1), "still stands before", "off by one"),
    (checks.check_reorder, lambda net: reorder(net, pools=(nn.MaxPool2d, nn.AvgPool2d)),
     "behind an average pool", "wrong formula"),
    (checks.check_reorder, lambda net: reorder(copy.deepcopy(net)), "copies", "left-out step"),
    (checks.check_reorder, in_place, "net itself has changed", "state left behind"),
    (checks.check_reorder, last_two, "refuses|other answers|still stands",
     "works for the shown case only"),
    (checks.check_reorder, without_relu, "a layer is missing", "left-out step"),
    (checks.check_reorder, lambda net: nn.ReLU(), "nn.Sequential is wanted", None),

    (checks.check_least_seconds, roofline(together=True), "one roof for all", "wrong formula"),
    (checks.check_least_seconds, roofline(choose=min), "the shorter", "wrong formula"),
    (checks.check_least_seconds, roofline(choose=sum), "added both times", "wrong formula"),
    (checks.check_least_seconds, roofline(choose=lambda both: both[0]), "arithmetic alone",
     "left-out step"),
    (checks.check_least_seconds, roofline(choose=lambda both: both[1]),
     "bytes alone|one limit alone", "left-out step"),
    (checks.check_least_seconds, roofline(itemsize=1), "each has four bytes", "wrong unit"),
    (checks.check_least_seconds, roofline(itemsize=2), "two bytes", "wrong unit"),
    (checks.check_least_seconds, roofline(parameters=False), "the parameters", "left-out step"),
    (checks.check_least_seconds, roofline(read=False), "what a layer reads", "left-out step"),
    (checks.check_least_seconds, roofline(write=False), "what a layer writes", "left-out step"),
    (checks.check_least_seconds, roofline(factor=0.5), "as one FLOP", "wrong formula"),
    (checks.check_least_seconds, roofline(expand=False), "blocks opened",
     "works for the shown case only"),
    (checks.check_least_seconds, roofline(only=("Conv2d", "Linear")), "without parameters",
     "left-out step"),
    (checks.check_least_seconds, lambda *given: 1000 * least(*given), "milliseconds",
     "wrong unit"),
    (checks.check_least_seconds, lambda net, *rest: least(net[:-1], *rest), "the last layer",
     "off by one"),
    (checks.check_least_seconds, summed(least), "left behind from one call", "state left behind"),
    (checks.check_least_seconds, lambda *given: "soon", "one number", None),

    (checks.check_survives, lambda w, c: survives(w, c, torch.float16), "float16 keeps more",
     "wrong unit"),
    (checks.check_survives, lambda w, c: survives(w, c, torch.float32), "float32 and Python",
     "wrong unit"),
    (checks.check_survives, lambda w, c: w + c != w, "did not round", "left-out step"),
    (checks.check_survives, late_rounding, "round it before you add", "left-out step"),
    (checks.check_survives, lambda w, c: torch.tensor(w).bfloat16() + torch.tensor(c).bfloat16()
     != torch.tensor(w).bfloat16(), "rounded the change too", "wrong formula"),
    (checks.check_survives, lambda w, c: abs(c) > 2**-8, "relative to the weight",
     "works for the shown case only"),
    (checks.check_survives, lambda w, c: c >= 0.005 or c / max(w, 1e-9) > 0.05,
     "survives\\(", "works for the shown case only"),
    (checks.check_survives, lambda w, c: abs(c) > abs(w) * 2**-6, "fixed fraction",
     "wrong formula"),
    (checks.check_survives, lambda w, c: abs(c) > abs(w) * 2**-9, "fixed fraction", "off by one"),
    (checks.check_survives, lambda w, c: not survives(w, c), "the opposite", "wrong formula"),
    (checks.check_survives, lambda w, c: c > 0 and survives(w, c), "downwards", "left-out step"),
    (checks.check_survives, kept_change(), "left behind from one call", "state left behind"),
    (checks.check_survives, lambda w, c: True, "True of every", "works for the shown case only"),
    (checks.check_survives, lambda w, c: w + c, "True or False", None),
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


def test_a_check_leaves_gradients_on():
    with pytest.raises(WrongAnswer, match="still off"):
        checks.check_fast_training(off_for_good)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(("seconds", "verdict"), [
    ([1.0, 1.1, 1.0, 1.2], "slower"), ([4.0, 4.1, 4.0, 4.2], "faster"),
    ([2.0, 2.1, 1.9, 2.0], "no difference shown")])
def test_a_ratio_says_what_its_interval_allows(seconds, verdict):
    ratio = speed.ratio_of(seconds, [2.0, 2.1, 2.0, 1.9])
    assert ratio.verdict == verdict
    assert ratio.low < ratio.mean < ratio.high
    assert ratio.pairs == 4


def test_all_ways_through_the_convolutions_are_timed():
    net = nn.Sequential(d2lvgg.vgg_block(1, 1, 4), d2lvgg.vgg_block(2, 4, 8), nn.Flatten())
    calls = []

    def seconds(work):
        calls.append(work())
        return float(len(calls))

    points = speed.time_convolutions(net, (2, 1, 8, 8), torch.float32, seconds, repeats=2)
    assert [(way, number) for way, number, *_ in points] == [
        ("forward", 1), ("weight gradient", 1), ("forward", 2), ("input gradient", 2),
        ("weight gradient", 2), ("forward", 3), ("input gradient", 3), ("weight gradient", 3)]
    assert len(calls) == 16
    # Convolution 2 reads 4 maps and writes 8, of 2 images of 4 x 4 pixels each.
    assert points[2][2:4] == (2 * 9 * 4 * 8 * 32, 4 * (4 * 32 + 9 * 4 * 8 + 8 * 32))
