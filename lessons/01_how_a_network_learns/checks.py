"""Lesson 01's exercises."""

import math

import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional as F

from d2lvgg.exercises import (
    LEFT_BEHIND,
    Unanswered,
    WrongAnswer,
    as_number,
    ask,
    ask_number,
    exercise,
    expect,
)


def tensor_of(found):
    """Return a tensor, an array or nested lists of numbers as a tensor of float64.

    Raises WrongAnswer where it is none, or holds a number too large.
    """
    try:
        tensor = torch.as_tensor(found).detach()
    except (TypeError, ValueError, RuntimeError):
        raise WrongAnswer(f"a tensor of numbers is wanted, not {found!r}") from None
    expect(tensor.dtype not in (torch.bool, torch.complex64, torch.complex128) and tensor.numel(),
           f"a tensor of numbers is wanted, not {found!r}")
    expect((tensor.abs() < 1e9).all(), "a tensor of ordinary numbers is wanted: yours holds nan, "
                                       "infinity, or what soon becomes it")
    return tensor.double()


def without_autograd(answer, *arguments):
    """Return answer(*arguments). Raises WrongAnswer where autograd is used in it."""
    by_autograd = "that came from autograd: write the formula"
    recorded = []  # autograd keeps tensors for its way back, and a formula needs none
    with saved_tensors_hooks(lambda kept: recorded.append(kept) or kept, lambda kept: kept):
        try:
            found = ask(answer, *arguments)
        except WrongAnswer as error:
            expect("torch.func" not in str(error), by_autograd)
            raise
    expect(not recorded, by_autograd)
    return found


@exercise
def check_slopes_by_hand(answer):
    """Lesson 01, exercise 1: a chain of three products, backwards."""
    expect(isinstance(answer, dict) and set(answer) == {"w1", "w2", "b"},
           "a dict with the keys w1, w2 and b is wanted: change the values alone")
    if any(value is ... or value is None for value in answer.values()):
        raise Unanswered
    x, w1, w2, b, t = 2, 3, -1, 4, 1
    back = 2 * (w2 * w1 * x + b - t)  # the slope of L in s
    right = {"w1": back * w2 * x, "w2": back * w1 * x, "b": back}
    found = {name: as_number(value) for name, value in answer.items()}
    ratios = {found[name] / right[name] for name in right}
    expect(ratios != {0.5}, "each is half of what it should be: s - t stands twice in the product, "
                            "and from each place an arrow goes back; add the two")
    expect(ratios != {-1}, "each has the wrong sign: is s larger or smaller than t?")
    for name, wrong, mistake in (
            ("b", 1, "b: this is the slope of s in b alone: go on from s to L"),
            ("w2", w1 * x, "w2: this is the slope of s in w2 alone: go on from s to L"),
            ("w2", back * x, "w2: what is w2 multiplied by? Not x: h"),
            ("w2", back * w2, "w2: the slope of a product in one factor is the other factor"),
            ("w1", w2 * x, "w1: this is the slope of s in w1 alone: go on from s to L"),
            ("w1", back * w2, "w1: this is the slope of L in h: one arrow is left, from h to w1"),
            ("w1", back * x, "w1: an arrow is left out, the one from s to h"),
            ("w1", back + w2 + x, "w1: along a chain slopes are multiplied, not added")):
        expect(found[name] != wrong, mistake)
    for name in ("b", "w2", "w1"):
        expect(abs(found[name] - right[name]) < 1e-6,
               f"{name}: make it larger by 0.001 and work out L again: that many thousandths is "
               "the slope, nearly")
    return "Three slopes, and the part from L back to s was worked out once for all of them."


@exercise
def check_gradient_step(answer):
    """Lesson 01, exercise 2: one step of softmax regression, by the formula."""
    generator = torch.Generator().manual_seed(0)
    for count, width, rate in ((6, 4, 0.5), (23, 7, 0.1), (1, 3, 2.0)):
        W, X = (torch.randn(rows, width, generator=generator) for rows in (10, count))
        y = torch.randint(10, (count,), generator=generator)
        kept = W.clone()
        found = without_autograd(answer, W, X, y, rate)
        expect(torch.equal(W, kept), "your function changed W itself, and a new tensor is wanted: "
                                     "W - ..., not W -= ...")
        again = without_autograd(answer, W, X, y, rate)
        found, again = tensor_of(found), tensor_of(again)
        expect(found.shape == W.shape, f"the weights have the shape {tuple(W.shape)}, and you "
                                       f"returned {tuple(found.shape)}")
        expect(torch.equal(found, again), "two calls with the same arguments differ: "
                                          f"{LEFT_BEHIND}")
        W, X = W.double(), X.double()
        truth, logits = F.one_hot(y, 10).double(), X @ W.T
        shares = logits.softmax(dim=1)
        gradient = (shares - truth).T @ X / count
        for wrong, mistake in (
                (W, "the weights are as they were: no step was taken"),
                (gradient, "this is the gradient; the weights after the step are wanted"),
                (W + rate * gradient, "that is a step uphill: the loss rises along the gradient"),
                (W - gradient, "the learning rate is left out"),
                (W - rate * count * gradient, "the sum over the images is taken: the loss is their "
                                              "mean"),
                (W - rate * count / 10 * gradient, "you divide by the number of classes, and the "
                                                   "mean is over the images"),
                (W - rate * shares.T @ X / count, "the truth is left out: a share minus the truth"),
                (W + rate * truth.T @ X / count, "the shares are left out: share minus truth"),
                (W - rate * (0.1 - truth).T @ X / count,
                 "a tenth for each class is right only where all weights are zero"),
                (W - rate * (logits - truth).T @ X / count,
                 "these are scores minus the truth: make shares of them by softmax"),
                (W - rate * (logits.softmax(dim=0) - truth).T @ X / count,
                 "the shares of an image add up to 1: softmax over the classes, dim=1")):
            expect(count == 1 or not torch.allclose(found, wrong, atol=1e-5), mistake)
        expect(torch.allclose(found, W - rate * gradient, atol=1e-5),
               "this is not the step that autograd takes: compare with F.cross_entropy(X @ W.T, y) "
               "and backward()")
    return "That is all that backward() and a step do for these weights."


def slope_in(value, result):
    """Return how fast result moves with value: along each way multiply, and add the ways up."""
    if result is value:
        return 1.0
    return sum(as_number(slope) * slope_in(value, source) for source, slope in result.made_of)


@exercise
def check_relu(answer):
    """Lesson 01, exercise 3: an operation that remembers its slope."""
    expect(isinstance(answer, (list, tuple)) and len(answer) == 2 and all(map(callable, answer)),
           "the pair (Value, relu) is wanted, of the class and your function")
    Value, relu = answer
    expect(isinstance(Value, type), "the class Value comes first, then your function")
    two = Value(2.0)
    expect(slope_in(two, two * two) == 4.0,
           "the class Value is not the one of the lesson any more: run its cell again")
    for number in (3.0, -2.0, 0.5, -0.25, 0.0):
        value = Value(number)
        found = ask(relu, value)
        expect(isinstance(found, Value), f"relu(Value({number})) gave {found!r}: a Value is "
                                         "wanted, which can be used further")
        data = as_number(found.data)
        expect(data != abs(number) or number >= 0, "a negative number becomes 0, and not positive")
        expect(data != number or number >= 0, "a negative number goes through: it becomes 0")
        expect(data == max(0.0, number), f"relu(Value({number})) holds {data}")
        slope = slope_in(value, found)
        at = f"with a value of {number}"
        expect(not (number > 0 and slope == 0), f"{at} nothing goes back: what was it made of? "
                                                "Give a list with the pair of source and slope")
        expect(slope != number or number in (0, 1), f"{at} its slope is the number itself: the "
                                                    "slope says how fast the result moves with it")
        expect(not (number == 0 and slope), "at 0 the slope 0 was asked for")
        expect(not (number < 0 and slope), f"{at} the result stays 0 if it moves a little, so what "
                                           "is the slope?")
        expect(number <= 0 or slope == 1, f"{at} the result moves exactly as far as it does")
    first, second = Value(2.0), Value(2.0)
    product = ask(relu, first) * ask(relu, second)
    expect(slope_in(first, product) == slope_in(second, product) == 2.0,
           f"used twice in one product it goes wrong: {LEFT_BEHIND}")
    return "Where the number was negative, nothing goes back: what lies before learns nothing."


@exercise
def check_cross_entropy(answer):
    """Lesson 01, exercise 4: the loss of any scores, in floating point."""

    def truth(scores, right):
        largest = max(scores)
        return math.log(sum(math.exp(s - largest) for s in scores)) + largest - scores[right]

    for scores, right in (([2.0, 1.0, -1.0], 0), ([2.0, 1.0, -1.0], 2), ([0.0] * 10, 3),
                          ([0.5, -0.3, 1.7, 0.2], 1)):
        found, again = (ask_number(answer, scores, right) for _ in range(2))
        call = f"cross_entropy({scores}, {right})"
        expect(found == again, f"{call} gives two different numbers: {LEFT_BEHIND}")
        wanted, share = truth(scores, right), math.exp(-truth(scores, right))
        for wrong, mistake in (
                (-wanted, "a logarithm of a share is negative: the loss is minus it"),
                (share, "this is the share of the right class: its logarithm is left out"),
                (wanted / math.log(10), "the natural logarithm is wanted, math.log with one "
                                        "argument"),
                (wanted / math.log(2), "the natural logarithm is wanted, not that to base 2"),
                (-scores[right], "this is minus the score: softmax is left out"),
                (truth(scores, 0), "the right class is always 0 for you: use right"),
                (truth(scores, right - 1), "this is the loss of the class before: count from 0"),
                (sum(truth(scores, k) for k in range(len(scores))), "only the right class counts")):
            expect(abs(wrong - wanted) < 1e-4 or abs(found - wrong) > 1e-5, f"{call}: {mistake}")
        expect(abs(found - wanted) < 1e-5, f"{call} gave {found:.6g}, and F.cross_entropy says "
                                           "otherwise")
    for scores, right in (([1001.0, 1002.0, 1003.0], 1), ([-2000.0, -1999.0], 0),
                          ([0.0, 2000.0], 0), ([800.0, 0.0], 0)):
        call = f"cross_entropy({scores}, {right})"
        try:
            found = ask_number(answer, scores, right)
        except WrongAnswer as error:
            raise WrongAnswer(f"right for small scores, but {error}") from None
        expect(abs(found - truth(scores, right)) < 1e-3,
               f"right for small scores, but {call} gave {found:.6g}: an exponential was too large "
               "or too small on the way")
    return "F.cross_entropy does the same: give it scores, and never shares."


@exercise
def check_norm_gradient(answer):
    """Lesson 01, exercise 5: the gradient of the 2-norm."""

    def gradient(x):
        found = without_autograd(answer, x.clone())
        shaped = f"a gradient has the shape of x, ({len(x)},): one partial derivative an entry"
        try:
            found = tensor_of(found)
        except WrongAnswer as error:
            raise WrongAnswer(f"{error}; {shaped}") from None
        expect(found.shape == x.shape, shaped)
        return found

    generator = torch.Generator().manual_seed(0)
    for size in (2, 3, 10):
        x = torch.randn(size, generator=generator, dtype=torch.float64) * size
        found, again = gradient(x), gradient(x)
        expect(torch.equal(found, again), f"two calls with the same x gave {found.tolist()} and "
                                          f"{again.tolist()}: {LEFT_BEHIND}")
        length = x.norm()
        for wrong, mistake in (
                (2 * x, "2x is the gradient of the squared norm: the root has a derivative too"),
                (x.sign(), "the signs are the gradient of the 1-norm"),
                (x / x.abs().sum(), "you divided by the 1-norm: in the 2-norm stands a root"),
                (x / length ** 2, "you divided by the square of the length: one root is left"),
                (x / (2 * length), "a 2 is left over: the one from the square cancels the one from "
                                   "the root"),
                (2 * x / length, "a 2 is left over: the derivative of the root is 1 / (2 sqrt s)"),
                (-x / length, "that points inwards, where the length falls: look at the sign"),
                (x.abs() / length, "the signs are lost: a step that makes a negative entry larger "
                                   "makes the vector shorter"),
                (x, "x is the gradient of half the squared norm: divide by the length")):
            expect(not torch.allclose(found, wrong, atol=1e-5), mistake)
        expect(torch.allclose(found, x / length, atol=1e-5),
               "finite differences say otherwise: try central_difference(torch.norm, x)")
    tiny = 1e-9 * x
    expect(torch.allclose(gradient(tiny), tiny / tiny.norm(), atol=1e-5),
           "right, until x is 1e-9 long: a difference steps over it; write the formula")
    return ("Its norm is 1 everywhere: no step changes a length by more than the step. At 0 there "
            "is no gradient: every direction leads up.")
