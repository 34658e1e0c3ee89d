"""The checks of lesson 14 against right answers, stubs and plausible wrong answers; its recipe."""

import ast
import copy
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("14")

ROOT = Path(__file__).parents[2]
DAYS = 200 * 1709.729176 / 86_400


def dead_fraction(maps):
    return (maps.amax(dim=(0, 2, 3)) == 0).float().mean()


def dead_one_by_one(maps):
    dead = [all(float(image[channel].max()) == 0 for image in maps)
            for channel in range(maps.shape[1])]
    return np.mean(dead)


def sums_up():
    counts = []  # outside the function

    def wrong(maps):
        counts.append(float(dead_fraction(maps)))
        return sum(counts)
    return wrong


def flip_each(X):
    heads = torch.rand(len(X)) < 0.5
    return torch.where(heads[:, None, None, None], X.flip(3), X)


def flip_with_index(X):
    Y, heads = X.clone(), torch.randint(2, (len(X),), dtype=torch.bool)
    Y[heads] = Y[heads].flip(-1)
    return Y


def flip_in_a_loop(X):
    return torch.stack([image.flip(2) if torch.rand(1) < 0.5 else image for image in X])


def flip_by(axes, shape=lambda X: (len(X), 1, 1, 1)):
    return lambda X: torch.where(torch.rand(shape(X)) < 0.5, X.flip(axes), X)


def flip_200(X):
    """Returns as many images as it was written for."""
    X = X[torch.arange(200) % len(X)]
    return flip_each(X)


def every_second(X):
    Y = X.clone()
    Y[::2] = X[::2].flip(3)
    return Y


def first_flip():
    kept = []

    def wrong(X):
        kept.append(flip_each(X))
        return kept[0]
    return wrong


def all_or_none(X):
    return X.flip(3) if torch.rand(1) < 0.5 else X.clone()


def in_place(X):
    heads = torch.rand(len(X)) < 0.5
    X[heads] = X[heads].flip(3)
    return X


def upside_down(X):
    return torch.where((torch.rand(len(X)) < 0.5)[:, None, None, None], X.flip(2), X)


def same_each_time(X):
    toss = torch.rand(len(X), generator=torch.Generator().manual_seed(0)) < 0.5
    return torch.where(toss[:, None, None, None], X.flip(3), X)


def too_often(X):
    return torch.where((torch.rand(len(X)) < 0.9)[:, None, None, None], X.flip(3), X)


def shuffled(X):
    return X[torch.randperm(len(X))]


def transplant(net, num_classes):
    new = copy.deepcopy(net).requires_grad_(False)
    new[-1] = nn.Linear(net[-1].in_features, num_classes)
    return new


def changes_net(net, num_classes):
    net.requires_grad_(False)
    net[-1] = nn.Linear(net[-1].in_features, num_classes)
    return net


def nothing_frozen(net, num_classes):
    new = copy.deepcopy(net)
    new[-1] = nn.Linear(net[-1].in_features, num_classes)
    return new


def frozen_too(net, num_classes):
    return nothing_frozen(net, num_classes).requires_grad_(False)


def freezes_net(net, num_classes):
    new = transplant(net, num_classes)
    net.requires_grad_(False)
    return new


def behind_the_old(net, num_classes):
    return nn.Sequential(*copy.deepcopy(net).requires_grad_(False), nn.Linear(10, num_classes))


class Transplant(nn.Module):
    """The same as a class of its own."""

    def __init__(self, net, num_classes):
        super().__init__()
        self.blocks = copy.deepcopy(net[:-1])
        for parameter in self.blocks.parameters():
            parameter.requires_grad = False
        self.last = nn.LazyLinear(num_classes)

    def forward(self, X):
        return self.last(self.blocks(X))


def shares_blocks(net, num_classes):
    return nn.Sequential(*net[:-1], nn.Linear(net[-1].in_features, num_classes))


last_layers = {}


def one_last_layer(net, num_classes):
    """Makes a layer for a number of classes once, and trains it on in the next network."""
    new = transplant(net, num_classes)
    new[-1] = last_layers.setdefault(num_classes, new[-1])
    return new


def leaves_eval_mode(net, num_classes):
    return transplant(net.eval(), num_classes)


def parameters_alone(net, num_classes):
    """Copies the weights, and not batch norm's running statistics."""
    new = transplant(net, num_classes)
    for module in new.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    return new


def for_512_features(net, num_classes):
    new = transplant(net, num_classes)
    new[-1] = nn.Linear(512, num_classes)
    return new


def forgets(net, num_classes):
    new = transplant(net, num_classes)
    nn.init.normal_(new[0][0].weight)
    return new


RIGHT = [
    (checks.check_cpu_days, DAYS),
    (checks.check_cpu_days, 200 * 1710 / 3600 / 24),
    (checks.check_cpu_days, round(DAYS, 2)),
    (checks.check_cpu_days, np.float32(DAYS)),
    (checks.check_cpu_days, torch.tensor(DAYS)),
    (checks.check_dead_fraction, dead_fraction),
    (checks.check_dead_fraction, lambda m: dead_fraction(m).item()),
    (checks.check_dead_fraction, dead_one_by_one),
    (checks.check_flip_each, flip_each),
    (checks.check_flip_each, flip_with_index),
    (checks.check_transplant, transplant),
    (checks.check_transplant, Transplant),
]
EMPTY = [
    (checks.check_cpu_days, ...),
    (checks.check_dead_fraction, lambda maps: ...),
    (checks.check_flip_each, lambda X: ...),
    (checks.check_transplant, lambda net, num_classes: ...),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_cpu_days, DAYS * 86_400, "those are seconds", "wrong unit"),
    (checks.check_cpu_days, DAYS * 1440, "those are minutes", "wrong unit"),
    (checks.check_cpu_days, DAYS * 24, "those are hours", "wrong unit"),
    (checks.check_cpu_days, DAYS * 60, "a minute has 60 seconds", "left-out step"),
    (checks.check_cpu_days, DAYS / 200, "one epoch", "left-out step"),
    (checks.check_cpu_days, 200 / 1709.73, "divided the epochs", "wrong formula"),
    (checks.check_cpu_days, 200 * 13.6 / 86_400, "that is the GPU", "wrong formula"),
    (checks.check_cpu_days, 4, "whole days", "left-out step"),
    (checks.check_cpu_days, 5, "not the number", "off by one"),
    (checks.check_cpu_days, "4", "one number", None),
    (checks.check_dead_fraction, lambda m: (m == 0).float().mean(), "counted zeros",
     "left-out step"),
    (checks.check_dead_fraction, lambda m: (m.amax(dim=(2, 3)) == 0).float().mean(),
     "image by image", "wrong axis"),
    (checks.check_dead_fraction, lambda m: (m[0].amax(dim=(1, 2)) == 0).float().mean(),
     "first image alone", "left-out step"),
    (checks.check_dead_fraction, lambda m: (m.amax(dim=(1, 2, 3)) == 0).float().mean(),
     "fraction of images", "wrong axis"),
    (checks.check_dead_fraction, lambda m: (m.amin(dim=(0, 2, 3)) == 0).float().mean(),
     "zero somewhere", "wrong formula"),
    (checks.check_dead_fraction, lambda m: 1 - dead_fraction(m), "living fraction",
     "wrong formula"),
    (checks.check_dead_fraction, lambda m: 100 * dead_fraction(m), "per cent", "wrong unit"),
    (checks.check_dead_fraction, lambda m: dead_fraction(m) * m.shape[1], "divide by all",
     "left-out step"),
    (checks.check_dead_fraction, lambda m: dead_fraction(m) * m.shape[1] / 8, "lesson's 8",
     "works for the shown case only"),
    (checks.check_dead_fraction, lambda m: dead_fraction(m) * m.shape[1] / len(m),
     "images of the batch", "wrong axis"),
    (checks.check_dead_fraction, sums_up(), "kept from call to call", "state left behind"),
    (checks.check_dead_fraction, lambda m: 0.9, "not the share", "works for the shown case only"),
    (checks.check_dead_fraction, lambda m: m, "one number", None),
    (checks.check_flip_each, all_or_none, "the same fate", "works for the shown case only"),
    (checks.check_flip_each, flip_200, "7 images", "works for the shown case only"),
    (checks.check_flip_each, lambda X: X.flip(3), "the same fate", "left-out step"),
    (checks.check_flip_each, flip_in_a_loop, "a loop over the images", "wrong formula"),
    (checks.check_flip_each, in_place, "changed X itself", "state left behind"),
    (checks.check_flip_each, upside_down, "on their heads", "off by one"),
    (checks.check_flip_each, flip_by((1,)), "colours in another order", "wrong axis"),
    (checks.check_flip_each, flip_by((2, 3)), "half a circle", "wrong axis"),
    (checks.check_flip_each, flip_by((3,), lambda X: (len(X), 3, 1, 1)), "once a channel",
     "wrong axis"),
    (checks.check_flip_each, flip_by((3,), lambda X: X.shape), "neither as they were",
     "wrong axis"),
    (checks.check_flip_each, same_each_time, "toss anew", "state left behind"),
    (checks.check_flip_each, first_flip(), "toss anew", "state left behind"),
    (checks.check_flip_each, every_second, "toss anew", "left-out step"),
    (checks.check_flip_each, too_often, "half is wanted", "wrong formula"),
    (checks.check_flip_each, shuffled, "neither as they were", "wrong axis"),
    (checks.check_flip_each, lambda X: X[:3], "of the shape of X", None),
    (checks.check_transplant, changes_net, "changed net itself", "state left behind"),
    (checks.check_transplant, nothing_frozen, "only the new layer's", "left-out step"),
    (checks.check_transplant, frozen_too, "everything is frozen", "wrong formula"),
    (checks.check_transplant, freezes_net, "froze net itself", "state left behind"),
    (checks.check_transplant, shares_blocks, "shares layers with net", "left-out step"),
    (checks.check_transplant, one_last_layer, "one of another call", "state left behind"),
    (checks.check_transplant, leaves_eval_mode, "evaluation mode", "wrong mode"),
    (checks.check_transplant, behind_the_old, "in the old one's place", "wrong formula"),
    (checks.check_transplant, forgets, "that it learned", "left-out step"),
    (checks.check_transplant, parameters_alone, "that it learned", "left-out step"),
    (checks.check_transplant, lambda net, k: transplant(net, 3), "num_classes = 2",
     "works for the shown case only"),
    (checks.check_transplant, for_512_features, "refuses the images",
     "works for the shown case only"),
    (checks.check_transplant, lambda net, k: copy.deepcopy(net), "each image and class",
     "left-out step"),
    (checks.check_transplant, lambda net, k: 7, "a network is wanted", None),
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


def functions(code):
    return {node.name: ast.unparse(node) for node in ast.parse(code).body
            if isinstance(node, ast.FunctionDef)}


def test_the_lesson_teaches_the_recipe_that_was_measured():
    lesson = (ROOT / "lessons" / "14_cifar10" / "lesson.md").read_text(encoding="utf-8")
    taught = {}
    for code in re.findall(r"^```python[^\n]*\n(.*?)^```", lesson, re.M | re.S):
        taught.update(functions(code))
        if code.startswith("augment = "):
            taught["augment"] = code.splitlines()[0]
    measured_code = (ROOT / "benchmarks" / "cifar10_laptop.py").read_text()
    measured = functions(measured_code)
    for name in ("small_vgg", "train_recipe"):
        assert taught[name] == measured[name]
    assert taught["augment"] in measured_code
