"""The checks of lesson 01 against right answers, stubs and plausible wrong answers."""

import math

import numpy as np
import pytest
import torch
from torch.linalg import vector_norm
from torch.nn import functional as F

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("01")


SLOPES = {"w1": 12, "w2": -36, "b": -6}


class Value:
    """The lesson's, in short."""

    def __init__(self, data, made_of=()):
        self.data, self.made_of, self.grad = data, made_of, 0.0

    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])


class Forgetful(Value):
    """Another class of the name: its product remembers nothing."""

    def __mul__(self, other):
        return Forgetful(self.data * other.data)


def relu(value):
    return Value(max(0.0, value.data), [(value, float(value.data > 0))])


def relu_by_product(value):
    return value * Value(1.0 if value.data > 0 else 0.0)


def relu_of_one_value(kept, value):
    kept.append(relu(value))
    return next(found for found in kept if found.data == kept[-1].data)


def gradient(W, X, y):
    return ((X @ W.T).softmax(dim=1) - F.one_hot(y, 10)).T @ X / len(y)


def gradient_step(W, X, y, learning_rate):
    return W - learning_rate * gradient(W, X, y)


def step_by_loop(W, X, y, learning_rate):
    change = torch.zeros_like(W)
    for image, label in zip(X, y, strict=True):
        slopes = (W @ image).softmax(dim=0)
        slopes[label] -= 1
        change += torch.outer(slopes, image) / len(y)
    return W - learning_rate * change


def step_by_autograd(W, X, y, learning_rate):
    W = W.clone().requires_grad_()
    F.cross_entropy(X @ W.T, y).backward()
    return (W - learning_rate * W.grad).detach()


def step_in_place(W, X, y, learning_rate):
    W -= learning_rate * gradient(W, X, y)
    return W


def step_with_momentum(kept, W, X, y, learning_rate):
    kept.append(gradient(W, X, y))
    return W - learning_rate * (kept[-1] + (kept[-2] if len(kept) % 2 == 0 else 0))


def step_for_zero_weights(W, X, y, learning_rate):
    return W - learning_rate * (0.1 - F.one_hot(y, 10).float()).T @ X / len(y)


def step_of(slopes):
    """Return a step whose slopes of the scores are slopes(logits, truth)."""
    def step(W, X, y, learning_rate):
        return W - learning_rate * slopes(X @ W.T, F.one_hot(y, 10).float()).T @ X / len(y)
    return step


def cross_entropy(scores, right):
    largest = max(scores)
    return math.log(sum(math.exp(s - largest) for s in scores)) + largest - scores[right]


def naive(scores, right):
    return -math.log(math.exp(scores[right]) / sum(map(math.exp, scores)))


def half_stable(scores, right):  # no overflow, but a share of 0 has no logarithm
    powers = [math.exp(s - max(scores)) for s in scores]
    return -math.log(powers[right] / sum(powers))


def clamped(scores, right):
    powers = [math.exp(s - max(scores)) for s in scores]
    return -math.log(powers[right] / sum(powers) + 1e-300)


def of_three(scores, right):
    return cross_entropy(scores[:3], right % 3)


def growing(kept, scores, right):
    kept.append(cross_entropy(scores, right))
    return sum(kept)


def state_left_behind(program):
    """Return program as it is where it keeps a list, its first argument, from call to call."""
    kept = []
    return lambda *arguments: program(kept, *arguments)


def gradient_by_loop(x):
    length = sum(entry ** 2 for entry in x) ** 0.5
    return [entry / length for entry in x]


def gradient_of_two(x):
    return torch.stack([x[0], x[1]]) / (x[0] ** 2 + x[1] ** 2).sqrt()


def gradient_by_autograd(x):
    x.requires_grad_()
    x.norm().backward()
    return x.grad


def gradient_by_difference(x, h=1e-5):
    return torch.stack([(vector_norm(x + step) - vector_norm(x - step)) / (2 * h)
                        for step in h * torch.eye(len(x), dtype=x.dtype)])


def gradient_that_adds_up(kept, x):  # as .grad does
    kept.append(x / x.norm())
    return sum(kept)


RIGHT = [
    (checks.check_slopes_by_hand, SLOPES),
    (checks.check_slopes_by_hand, {"w1": torch.tensor(12.0), "w2": np.float64(-36), "b": -6.0}),
    (checks.check_gradient_step, gradient_step),
    (checks.check_gradient_step, step_by_loop),
    (checks.check_gradient_step, lambda W, X, y, rate: gradient_step(W, X, y, rate).numpy()),
    (checks.check_relu, (Value, relu)),
    (checks.check_relu, (Value, relu_by_product)),
    (checks.check_cross_entropy, cross_entropy),
    (checks.check_cross_entropy, lambda scores, right: F.cross_entropy(
        torch.tensor([scores]).double(), torch.tensor([right]))),
    (checks.check_cross_entropy, lambda scores, right: max(scores) - scores[right] + math.log(
        math.fsum(math.exp(s - max(scores)) for s in scores))),
    (checks.check_norm_gradient, lambda x: x / x.norm()),
    (checks.check_norm_gradient, lambda x: x.div_((x * x).sum().sqrt())),
    (checks.check_norm_gradient, gradient_by_loop),
    (checks.check_norm_gradient, lambda x: x.numpy() / np.linalg.norm(x.numpy())),
    (checks.check_norm_gradient, lambda x: x.float() / x.float().norm()),
]
EMPTY = [
    (checks.check_slopes_by_hand, {"w1": ..., "w2": ..., "b": ...}),
    (checks.check_slopes_by_hand, SLOPES | {"b": ...}),
    (checks.check_gradient_step, lambda W, X, y, learning_rate: ...),
    (checks.check_gradient_step, lambda W, X, y, learning_rate: None),
    (checks.check_relu, (Value, lambda value: ...)),
    (checks.check_cross_entropy, lambda scores, right: ...),
    (checks.check_norm_gradient, lambda x: ...),
]
WRONG = [
    (checks.check_slopes_by_hand, {"w1": 6, "w2": -18, "b": -3}, "stands twice", "left-out step"),
    (checks.check_slopes_by_hand, {"w1": -12, "w2": 36, "b": 6}, "the wrong sign", "wrong formula"),
    (checks.check_slopes_by_hand, {"w1": -2, "w2": 6, "b": 1}, "in b alone", "left-out step"),
    (checks.check_slopes_by_hand, SLOPES | {"w2": 6}, "in w2 alone", "left-out step"),
    (checks.check_slopes_by_hand, SLOPES | {"w1": -2}, "in w1 alone", "left-out step"),
    (checks.check_slopes_by_hand, SLOPES | {"w2": -12}, "Not x: h", "wrong formula"),
    (checks.check_slopes_by_hand, SLOPES | {"w1": 6}, "one arrow is left", "left-out step"),
    (checks.check_slopes_by_hand, SLOPES | {"w1": -12}, "left out", "left-out step"),
    (checks.check_slopes_by_hand, SLOPES | {"w1": -5}, "multiplied, not added", "wrong formula"),
    (checks.check_slopes_by_hand, SLOPES | {"w2": -35}, "make it larger by", "off by one"),
    (checks.check_slopes_by_hand, SLOPES | {"w2": "no"}, "one number is wanted", None),
    (checks.check_slopes_by_hand, {"w1": 12}, "a dict with the keys", None),
    (checks.check_gradient_step, lambda W, X, y, rate: W + rate * gradient(W, X, y), "uphill",
     "wrong formula"),
    (checks.check_gradient_step, lambda W, X, y, rate: W - gradient(W, X, y), "rate is left out",
     "left-out step"),
    (checks.check_gradient_step, lambda W, X, y, rate: gradient(W, X, y), "this is the gradient",
     "left-out step"),
    (checks.check_gradient_step, lambda W, X, y, rate: W.clone(), "no step", "left-out step"),
    (checks.check_gradient_step, lambda W, X, y, rate: W - rate * len(y) * gradient(W, X, y),
     "the sum over the images", "left-out step"),
    (checks.check_gradient_step, lambda W, X, y, rate: W - rate * len(y) / 10 * gradient(W, X, y),
     "number of classes", "wrong axis"),
    (checks.check_gradient_step, step_of(lambda logits, truth: logits.softmax(dim=1)),
     "truth is left out", "left-out step"),
    (checks.check_gradient_step, step_of(lambda logits, truth: -truth), "shares are left out",
     "left-out step"),
    (checks.check_gradient_step, step_of(lambda logits, truth: logits - truth), "by softmax",
     "left-out step"),
    (checks.check_gradient_step, step_of(lambda logits, truth: logits.softmax(dim=0) - truth),
     "over the classes", "wrong axis"),
    (checks.check_gradient_step, step_of(lambda logits, truth: logits.sigmoid() - truth),
     "compare with F.cross_entropy", "wrong formula"),
    (checks.check_gradient_step, step_for_zero_weights, "all weights are zero",
     "works for the shown case only"),
    (checks.check_gradient_step, step_by_autograd, "from autograd", "wrong mode"),
    (checks.check_gradient_step, step_in_place, "changed W itself", "state left behind"),
    (checks.check_gradient_step, state_left_behind(step_with_momentum), "left behind",
     "state left behind"),
    (checks.check_gradient_step, lambda W, X, y, rate: gradient_step(W, X, y, rate).T,
     "the weights have the shape", "wrong axis"),
    (checks.check_gradient_step, lambda W, X, y, rate: W / 0, "ordinary numbers", None),
    (checks.check_relu, (Value, lambda value: Value(value.data, [(value, 1.0)])), "goes through",
     "left-out step"),
    (checks.check_relu, (Value, lambda value: Value(abs(value.data), [(value, 1.0)])),
     "not positive", "wrong formula"),
    (checks.check_relu, (Value, lambda value: Value(max(0.0, value.data))), "nothing goes back",
     "left-out step"),
    (checks.check_relu, (Value, lambda value: Value(max(0.0, value.data), [(value, 1.0)])),
     "stays 0", "wrong formula"),
    (checks.check_relu, (Value, lambda value: Value(max(0.0, value.data), [(value, value.data)])),
     "the number itself", "wrong formula"),
    (checks.check_relu, (Value, lambda value: Value(max(0.0, value.data),
                                                    [(value, float(value.data >= 0))])),
     "at 0 the slope 0", "off by one"),
    (checks.check_relu, (Value, lambda value: Value(max(0.0, value.data),
                                                    [(value, 0.5 * (value.data > 0))])),
     "exactly as far", "wrong formula"),
    (checks.check_relu, (Value, lambda value: Value(3.0, [(value, 1.0)])), "holds 3.0",
     "works for the shown case only"),
    (checks.check_relu, (Value, state_left_behind(relu_of_one_value)), "left behind",
     "state left behind"),
    (checks.check_relu, (Value, lambda value: max(0.0, value.data)), "a Value is wanted", None),
    (checks.check_relu, (Forgetful, relu), "not the one of the lesson", None),
    (checks.check_relu, relu, "the pair", None),
    (checks.check_cross_entropy, lambda s, right: -cross_entropy(s, right), "minus it",
     "left-out step"),
    (checks.check_cross_entropy, lambda s, right: math.exp(-cross_entropy(s, right)),
     "its logarithm is left out", "left-out step"),
    (checks.check_cross_entropy, lambda s, right: cross_entropy(s, right) / math.log(10),
     "natural logarithm", "wrong unit"),
    (checks.check_cross_entropy, lambda s, right: cross_entropy(s, right) / math.log(2),
     "base 2", "wrong unit"),
    (checks.check_cross_entropy, lambda s, right: -s[right], "softmax is left out",
     "left-out step"),
    (checks.check_cross_entropy, lambda s, right: cross_entropy(s, 0), "use right",
     "works for the shown case only"),
    (checks.check_cross_entropy, lambda s, right: cross_entropy(s, right - 1), "count from 0",
     "off by one"),
    (checks.check_cross_entropy, lambda s, right: sum(cross_entropy(s, k) for k in range(len(s))),
     "only the right class", "wrong axis"),
    (checks.check_cross_entropy, of_three, "says otherwise", "works for the shown case only"),
    (checks.check_cross_entropy, naive, "right for small scores", "works for the shown case only"),
    (checks.check_cross_entropy, half_stable, "right for small scores", "left-out step"),
    (checks.check_cross_entropy, clamped, "too large or too small", "wrong formula"),
    (checks.check_cross_entropy, state_left_behind(growing), "left behind", "state left behind"),
    (checks.check_cross_entropy, lambda s, right: s, "one number is wanted", None),
    (checks.check_norm_gradient, lambda x: 2 * x, "the squared norm", "left-out step"),
    (checks.check_norm_gradient, lambda x: x, "half the squared norm", "left-out step"),
    (checks.check_norm_gradient, lambda x: x.sign(), "1-norm", "wrong formula"),
    (checks.check_norm_gradient, lambda x: x / x.abs().sum(), "divided by the 1-norm",
     "wrong formula"),
    (checks.check_norm_gradient, lambda x: x / (x ** 2).sum(), "square of the length",
     "left-out step"),
    (checks.check_norm_gradient, lambda x: x / x.norm() / 2, "a 2 is left over", "left-out step"),
    (checks.check_norm_gradient, lambda x: 2 * x / x.norm(), "a 2 is left over", "left-out step"),
    (checks.check_norm_gradient, lambda x: -x / x.norm(), "inwards", "wrong formula"),
    (checks.check_norm_gradient, lambda x: x.abs() / x.norm(), "the signs are lost",
     "wrong formula"),
    (checks.check_norm_gradient, lambda x: x.norm(), "the shape of x", "wrong axis"),
    (checks.check_norm_gradient, gradient_of_two, "the shape of x",
     "works for the shown case only"),
    (checks.check_norm_gradient, lambda x: x / 5, "finite differences",
     "works for the shown case only"),
    (checks.check_norm_gradient, gradient_by_autograd, "from autograd", "wrong mode"),
    (checks.check_norm_gradient, torch.func.grad(vector_norm), "from autograd", "wrong mode"),
    (checks.check_norm_gradient, gradient_by_difference, "a difference steps over it",
     "wrong mode"),
    (checks.check_norm_gradient, state_left_behind(gradient_that_adds_up), "left behind",
     "state left behind"),
    (checks.check_norm_gradient, lambda x: x / 0, "ordinary numbers", None),
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
