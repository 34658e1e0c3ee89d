"""The checks of lesson 01b against right answers, stubs and plausible wrong answers."""

import numpy as np
import pytest
import torch
from torch.linalg import vector_norm

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("01b")

MM, MV, DOT, DIV = (((32, 4608), (25088, 4096)), ((7, 3), (7,)), ((6,), (8,)), ((2, 9), (2,)))
UP = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
E1, E2 = torch.eye(2)


def sum_shape(shape, axis, keepdim=False):
    axis = axis % len(shape)
    return shape[:axis] + (1,) * keepdim + shape[axis + 1:]


def sum_shape_by_loop(shape, axis, keepdim=False):
    kept = []
    for place, length in enumerate(shape):
        if place not in (axis, axis + len(shape)):
            kept.append(np.int64(length))
        elif keepdim:
            kept.append(1)
    return tuple(kept)


def sum_shape_of_a_tensor(shape, axis, keepdim=False):
    return tuple(torch.zeros(shape).sum(axis=axis, keepdim=keepdim).shape)


def cut_at_axis(shape, axis, keepdim=False):  # goes wrong for -1: shape[0:] is the whole of it
    return shape[:axis] + (1,) * keepdim + shape[axis + 1:]


def cut_before_axis(shape, axis, keepdim=False):
    return sum_shape(shape, axis - 1, keepdim)


def sum_shape_of_the_lesson(shape, axis, keepdim=False):
    return sum_shape((2, 3, 4), axis % len(shape), keepdim)


def state_left_behind(program):
    """Return program as it is where it keeps a list, its first argument, from call to call."""
    kept = []
    return lambda *arguments: program(kept, *arguments)


def sum_shape_remembered(kept, shape, axis, keepdim=False):
    kept.append((shape, axis, sum_shape(shape, axis, keepdim)))
    return next(found for *call, found in kept if call == [shape, axis])


def axes_lost_so_far(kept, shape, axis, keepdim=False):
    kept.append(sum_shape(kept[-1] if kept else shape, 0, keepdim))
    return kept[-1]


def claims(**changes):
    right = {"(A.T).T = A": True, "A.T + B.T = (A + B).T": True, "A + A.T is symmetric": True,
             "(A B).T = A.T B.T": (UP, UP.T), "A A.T = A.T A": UP}
    names = dict(zip(("twice", "plus", "symmetric", "product", "gram"), right, strict=True))
    return right | {names[name]: value for name, value in changes.items()}


def fake(p):
    return lambda x: (x.abs() ** p).sum() ** (1 / p)


def fake_by_loop(x):
    total = 0.0
    for entry in x.tolist():
        total += abs(entry) ** 0.5
    return np.float64(total) ** 2


def true_but_for_the_witness(x):
    return 5.0 if x.tolist() == [1.0, 1.0] else vector_norm(x)


def in_place(x):
    return (x.abs_() ** 0.5).sum() ** 2


def larger_each_time(kept, x):
    kept.append(x)
    return fake(0.5)(x) * len(kept)

RIGHT = [
    (checks.check_causes, [MM, MV, DOT, DIV]),
    (checks.check_causes, [[list(shape) for shape in cause] for cause in (MM, MV, DOT, DIV)]),
    (checks.check_causes, (MM, MV, (torch.Size([6]), (np.int64(8),)), DIV)),
    (checks.check_sum_shape, sum_shape),
    (checks.check_sum_shape, sum_shape_by_loop),
    (checks.check_claims, claims()),
    (checks.check_claims, claims(gram=[torch.tensor([[1, 2], [3, 4]])], twice=np.True_)),
    (checks.check_claims, claims(gram=[[0, 1], [0, 0]], product=(UP.numpy(), UP.T.numpy()))),
    (checks.check_claims, claims(gram=1e-6 * UP)),
    (checks.check_fake_norm, (fake(0.5), (E1, E2))),
    (checks.check_fake_norm, (fake_by_loop, ([1.0, 0.0], [0.0, 1.0]))),
    (checks.check_fake_norm, (fake(0.9), torch.eye(3)[:2] * 1e-6)),
    (checks.check_fake_norm, (lambda x: x.abs().prod().item() ** (1 / len(x)), (E1, E2))),
    (checks.check_fake_norm, (in_place, (E1, E2))),
]
EMPTY = [
    (checks.check_causes, [...] * 4),
    (checks.check_causes, [MM, ..., ..., ...]),
    (checks.check_sum_shape, lambda shape, axis, keepdim=False: ...),
    (checks.check_claims, claims(gram=...)),
    (checks.check_fake_norm, (lambda x: ..., ...)),
    (checks.check_fake_norm, (lambda x: None, (E1, E2))),
    (checks.check_fake_norm, (fake(0.5), (E1, ...))),
]
WRONG = [
    (checks.check_causes, [MM[::-1], MV, DOT, DIV], "message 1: these shapes in the wrong order",
     "wrong axis"),
    (checks.check_causes, [((32, 4608), (4608, 4096)), MV, DOT, DIV], "does not refuse",
     "left-out step"),
    (checks.check_causes, [MM, ((7, 3), (3,)), DOT, DIV], "torch.mv does not refuse",
     "wrong axis"),
    (checks.check_causes, [MM, ((3, 7), (3,)), DOT, DIV], "says something else", "wrong axis"),
    (checks.check_causes, [MM, MV, ((6, 8), (6, 8)), DIV], "says something else",
     "wrong formula"),
    (checks.check_causes, [MM, MV, ((7,), (9,)), DIV], "says something else", "off by one"),
    (checks.check_causes, [MM, MV, DOT, ((9, 2), (9,))], "the wrong way round", "wrong axis"),
    (checks.check_causes, [MM, MV, DOT, ((2, 9), (2, 1))], "keepdim=True", "wrong mode"),
    (checks.check_causes, [MM, MV, DOT, ((2, 9), (9,))], "does not have shape", "wrong axis"),
    (checks.check_causes, [((5, 4), (4, 3))] * 4, "does not refuse",
     "works for the shown case only"),
    (checks.check_causes, [MM, MV, DOT], "four pairs", None),
    (checks.check_causes, [MM, MV, (6, 8), DIV], "with a comma", None),
    (checks.check_causes, [((32.5, 4608), MM[1]), MV, DOT, DIV], "whole and not negative", None),
    (checks.check_causes, [((-1, 4608), MM[1]), MV, DOT, DIV], "whole and not negative", None),
    (checks.check_causes, [(torch.zeros(2, 3), torch.zeros(2, 3)), MV, DOT, DIV], "a shape is",
     None),
    (checks.check_causes, [MM, MV, "68", DIV], "a pair of two shapes", None),
    (checks.check_sum_shape, lambda shape, axis, keepdim=False: (shape[axis],), "kept it alone",
     "wrong axis"),
    (checks.check_sum_shape, cut_before_axis, "keeps its place", "off by one"),
    (checks.check_sum_shape, lambda shape, axis, keepdim=False: sum_shape(shape, axis, True),
     "drops the axis", "left-out step"),
    (checks.check_sum_shape, lambda shape, axis, keepdim=False: sum_shape(shape, axis),
     "keeps the axis, with length 1", "left-out step"),
    (checks.check_sum_shape, lambda shape, axis, keepdim=True: sum_shape(shape, axis, keepdim),
     "where it is left out", "wrong mode"),
    (checks.check_sum_shape, cut_at_axis, "counts from the end", "off by one"),
    (checks.check_sum_shape, sum_shape_of_the_lesson, "whatever the shape",
     "works for the shown case only"),
    (checks.check_sum_shape, lambda shape, axis, keepdim=False: [(3, 4), (2, 4), (2, 3)][axis],
     "keeps the axis, with length 1", "works for the shown case only"),
    (checks.check_sum_shape, state_left_behind(sum_shape_remembered), "keeps the axis",
     "state left behind"),
    (checks.check_sum_shape, state_left_behind(axes_lost_so_far), "left behind",
     "state left behind"),
    (checks.check_sum_shape, sum_shape_of_a_tensor, "no machine makes a tensor", "wrong mode"),
    (checks.check_sum_shape, lambda *a: list(sum_shape(*a)), "a tuple is wanted", None),
    (checks.check_claims, claims(product=True), "socks and shoes", "wrong formula"),
    (checks.check_claims, claims(gram=True), "a single 1", "wrong formula"),
    (checks.check_claims, claims(twice=UP), "your matrices obey it, and so do others",
     "left-out step"),
    (checks.check_claims, claims(gram=torch.eye(2)), "symmetric ones often do",
     "works for the shown case only"),
    (checks.check_claims, claims(product=(torch.eye(2), UP)), "your matrices obey it",
     "works for the shown case only"),
    (checks.check_claims, claims(gram=torch.ones(2, 3)), "square matrices", "wrong axis"),
    (checks.check_claims, claims(twice=torch.full((2, 2), torch.nan)), "ordinary numbers",
     "wrong formula"),
    (checks.check_claims, claims(product=False), "False needs proof", None),
    (checks.check_claims, claims(product=UP), "a pair of matrices", None),
    (checks.check_claims, claims(gram="no"), "a matrix of numbers is wanted", None),
    (checks.check_claims, {}, "five claims", None),
    (checks.check_fake_norm, (lambda x: (x ** 2).sum(), (E1, E1)), "take a square root",
     "left-out step"),
    (checks.check_fake_norm, (lambda x: (x.abs() ** 0.5).sum(), (E1, E2)), "scaling is broken too",
     "left-out step"),
    (checks.check_fake_norm, (lambda x: (x ** 0.5).sum() ** 2, (E1, E2)), "absolute values first",
     "left-out step"),
    (checks.check_fake_norm, (lambda x: x.sum(), (E1, E2)), "the sign law", "left-out step"),
    (checks.check_fake_norm, (lambda x: (x != 0).sum(), (E1, E2)), "scaling is broken too",
     "wrong formula"),
    (checks.check_fake_norm, (fake(1), (E1, E2)), "may be a true norm", "wrong formula"),
    (checks.check_fake_norm, (lambda x: x.float().norm(), (E1 / 3, E1 / 7)), "may be a true norm",
     "wrong formula"),
    (checks.check_fake_norm, (fake(0.5), (E1, E1)), "your witness obeys", "wrong axis"),
    (checks.check_fake_norm, (true_but_for_the_witness, (E1, E2)), r"for \[1.0, 1.0\]",
     "works for the shown case only"),
    (checks.check_fake_norm, (vector_norm, (1e200 * E1.double(), 1e200 * E2)), "ordinary numbers",
     "works for the shown case only"),
    (checks.check_fake_norm, (state_left_behind(larger_each_time), (E1, E2)), "left behind",
     "state left behind"),
    (checks.check_fake_norm, (fake(0.5), 3), "a pair of vectors", None),
    (checks.check_fake_norm, (fake(0.5), (E1, torch.ones(3))), "differ in length", None),
    (checks.check_fake_norm, (fake(0.5), ("a", "b")), "a vector of numbers", None),
    (checks.check_fake_norm, (lambda x: x.abs(), (E1, E2)), "one number", None),
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
