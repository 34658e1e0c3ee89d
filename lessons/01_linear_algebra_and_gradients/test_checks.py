"""The checks of lesson 01 against right answers, stubs and typical wrong answers."""

import pytest
import torch

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("01")

MM, MV, DOT, DIV = (((32, 4608), (25088, 4096)), ((7, 3), (7,)), ((6,), (8,)), ((2, 9), (2,)))
UP = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
E1, E2 = torch.eye(2)


def sum_shape(shape, axis, keepdim=False):
    return tuple(torch.zeros(shape).sum(axis=axis, keepdim=keepdim).shape)


def cut_at_axis(shape, axis, keepdim=False):  # goes wrong for -1: shape[0:] is the whole of it
    return shape[:axis] + (1,) * keepdim + shape[axis + 1:]


def claims(**changes):
    right = {"(A.T).T = A": True, "A.T + B.T = (A + B).T": True, "A + A.T is symmetric": True,
             "(A B).T = A.T B.T": (UP, UP.T), "A A.T = A.T A": UP}
    names = dict(zip(("twice", "plus", "symmetric", "product", "gram"), right, strict=True))
    return right | {names[name]: value for name, value in changes.items()}


def fake(p):
    return lambda x: (x.abs() ** p).sum() ** (1 / p)


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_causes, [MM, MV, DOT, DIV]),
    (checks.check_causes, [[list(shape) for shape in cause] for cause in (MM, MV, DOT, DIV)]),
    (checks.check_sum_shape, sum_shape),
    (checks.check_claims, claims()),
    (checks.check_claims, claims(gram=[torch.tensor([[1, 2], [3, 4]])])),
    (checks.check_fake_norm, (fake(0.5), (E1, E2))),
    (checks.check_fake_norm, (lambda x: x.abs().prod().item() ** (1 / len(x)), (E1, E2))),
    (checks.check_norm_gradient, lambda x: x / x.norm()),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_causes, [...] * 4),
    (checks.check_causes, [MM, ..., ..., ...]),
    (checks.check_sum_shape, lambda shape, axis, keepdim=False: ...),
    (checks.check_claims, claims(gram=...)),
    (checks.check_fake_norm, (lambda x: ..., ...)),
    (checks.check_fake_norm, (lambda x: None, (E1, E2))),
    (checks.check_norm_gradient, lambda x: ...),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_causes, [MM, MV, DOT], "four pairs"),
    (checks.check_causes, [MM, MV, (6, 8), DIV], "with a comma"),
    (checks.check_causes, [MM[::-1], MV, DOT, DIV], "message 1: the right shapes in the wrong"),
    (checks.check_causes, [((32, 4608), (4608, 4096)), MV, DOT, DIV], "does not refuse"),
    (checks.check_causes, [MM, ((7, 3), (3,)), DOT, DIV], "torch.mv does not refuse"),
    (checks.check_causes, [MM, MV, ((6, 8), (6, 8)), DIV], "says something else"),
    (checks.check_causes, [MM, MV, DOT, ((9, 2), (9,))], "the wrong way round"),
    (checks.check_causes, [MM, MV, DOT, ((2, 9), (2, 1))], "keepdim=True"),
    (checks.check_causes, [MM, MV, DOT, ((2, 9), (9,))], "does not have shape"),
    (checks.check_sum_shape, lambda shape, axis, keepdim=False: (shape[axis],), "kept it alone"),
    (checks.check_sum_shape, lambda shape, axis, keepdim=False: sum_shape(shape, axis, True),
     "drops the axis"),
    (checks.check_sum_shape, lambda shape, axis, keepdim=False: sum_shape(shape, axis),
     "keeps the axis, with length 1"),
    (checks.check_sum_shape, cut_at_axis, "counts from the end"),
    (checks.check_sum_shape, lambda *a: list(sum_shape(*a)), "a tuple is wanted"),
    (checks.check_claims, claims(product=True), "socks and shoes"),
    (checks.check_claims, claims(gram=True), "a single 1"),
    (checks.check_claims, claims(twice=UP), "is true, and for your matrices too"),
    (checks.check_claims, claims(product=False), "False needs proof"),
    (checks.check_claims, claims(product=UP), "a pair of matrices"),
    (checks.check_claims, claims(gram=torch.ones(2, 3)), "square matrices"),
    (checks.check_claims, claims(gram=torch.eye(2)), "your matrices obey it"),
    (checks.check_claims, {}, "five claims"),
    (checks.check_fake_norm, (lambda x: (x ** 2).sum(), (E1, E1)), "take a square root"),
    (checks.check_fake_norm, (lambda x: x.sum(), (E1, E2)), "the sign law"),
    (checks.check_fake_norm, (lambda x: (x != 0).sum(), (E1, E2)), "scaling is broken too"),
    (checks.check_fake_norm, (fake(1), (E1, E2)), "may be a true norm"),
    (checks.check_fake_norm, (fake(0.5), (E1, E1)), "your witness obeys"),
    (checks.check_fake_norm, (fake(0.5), 3), "a pair of vectors"),
    (checks.check_fake_norm, (lambda x: x.abs(), (E1, E2)), "one number"),
    (checks.check_norm_gradient, lambda x: 2 * x, "the squared norm"),
    (checks.check_norm_gradient, lambda x: x.sign(), "1-norm"),
    (checks.check_norm_gradient, lambda x: x / (x ** 2).sum(), "square of the length"),
    (checks.check_norm_gradient, lambda x: x / x.norm() / 2, "a 2 is left over"),
    (checks.check_norm_gradient, lambda x: x.norm(), "the shape of x"),
    (checks.check_norm_gradient, lambda x: x + 7, "finite differences"),
])
def test_wrong(check, answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
