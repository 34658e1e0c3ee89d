"""The checks of lesson 14 against right answers, stubs and typical wrong answers; its recipe."""

import ast
import copy
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("14")

ROOT = Path(__file__).parents[2]
DAYS = 200 * 1709.729176 / 86_400


def dead_fraction(maps):
    return (maps.amax(dim=(0, 2, 3)) == 0).float().mean()


def flip_each(X):
    heads = torch.rand(len(X)) < 0.5
    return torch.where(heads[:, None, None, None], X.flip(3), X)


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


def forgets(net, num_classes):
    new = transplant(net, num_classes)
    nn.init.normal_(new[0][0].weight)
    return new


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_cpu_days, DAYS),
    (checks.check_cpu_days, 200 * 1710 / 3600 / 24),
    (checks.check_dead_fraction, dead_fraction),
    (checks.check_dead_fraction, lambda m: dead_fraction(m).item()),
    (checks.check_flip_each, flip_each),
    (checks.check_transplant, transplant),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_cpu_days, ...),
    (checks.check_dead_fraction, lambda maps: ...),
    (checks.check_flip_each, lambda X: ...),
    (checks.check_transplant, lambda net, num_classes: ...),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_cpu_days, DAYS * 86_400, "those are seconds"),
    (checks.check_cpu_days, DAYS * 1440, "those are minutes"),
    (checks.check_cpu_days, DAYS * 24, "those are hours"),
    (checks.check_cpu_days, DAYS / 200, "one epoch"),
    (checks.check_cpu_days, 200 * 13.6 / 86_400, "that is the GPU"),
    (checks.check_cpu_days, 5, "not the number"),
    (checks.check_cpu_days, "4", "one number"),
    (checks.check_dead_fraction, lambda m: (m == 0).float().mean(), "counted zeros"),
    (checks.check_dead_fraction, lambda m: (m.amax(dim=(2, 3)) == 0).float().mean(),
     "picture by picture"),
    (checks.check_dead_fraction, lambda m: 1 - dead_fraction(m), "living fraction"),
    (checks.check_dead_fraction, lambda m: dead_fraction(m) * m.shape[1], "divide by all"),
    (checks.check_dead_fraction, lambda m: 0.9, "channels were dead"),
    (checks.check_dead_fraction, lambda m: m, "one number"),
    (checks.check_flip_each, all_or_none, "the same fate"),
    (checks.check_flip_each, lambda X: X.flip(3), "the same fate"),
    (checks.check_flip_each, in_place, "changed X itself"),
    (checks.check_flip_each, upside_down, "on their heads"),
    (checks.check_flip_each, same_each_time, "toss anew"),
    (checks.check_flip_each, too_often, "half is wanted"),
    (checks.check_flip_each, shuffled, "neither as they were"),
    (checks.check_flip_each, lambda X: X[:3], "same shape"),
    (checks.check_transplant, changes_net, "changed net itself"),
    (checks.check_transplant, nothing_frozen, "only the new layer's"),
    (checks.check_transplant, frozen_too, "everything is frozen"),
    (checks.check_transplant, freezes_net, "froze net itself"),
    (checks.check_transplant, behind_the_old, "behind the old one"),
    (checks.check_transplant, forgets, "keep what it learned"),
    (checks.check_transplant, lambda net, k: copy.deepcopy(net), "should have shape"),
    (checks.check_transplant, lambda net, k: 7, "a network is wanted"),
])
def test_wrong(check, answer, mistake):
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
