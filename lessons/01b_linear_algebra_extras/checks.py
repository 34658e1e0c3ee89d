"""Lesson 01b's exercises."""

import math
import random

import numpy as np
import torch

from d2lvgg.exercises import LEFT_BEHIND, Unanswered, WrongAnswer, as_number, ask, exercise, expect


def shape_of(found):
    """Return a shape as a tuple of Python's ints. Raises WrongAnswer where it is none."""
    expect(isinstance(found, (list, tuple)),
           f"a shape is a tuple such as (3, 4), and a vector's is (3,), with a comma; {found!r} is "
           "none")
    lengths = [as_number(length) for length in found]
    expect(all(length in range(100_000) for length in lengths),
           f"a shape holds lengths, which are whole and not negative; {found!r} is none")
    return tuple(map(int, lengths))


def tensor_of(found, dims):
    """Return a tensor, an array or nested lists of numbers as a tensor of float64.

    Raises WrongAnswer where it is none, has another number of axes or holds a number too large.
    """
    name = {1: "vector", 2: "matrix"}[dims]
    try:
        tensor = torch.as_tensor(found).detach()
    except (TypeError, ValueError, RuntimeError):
        raise WrongAnswer(f"a {name} of numbers is wanted, not {found!r}") from None
    expect(tensor.dtype not in (torch.bool, torch.complex64, torch.complex128)
           and tensor.dim() == dims and tensor.numel(),
           f"a {name} of numbers is wanted, not {found!r}")
    expect((tensor.abs() < 1e9).all(), f"a {name} of ordinary numbers is wanted: {found!r} holds "
                                       "nan, infinity, or what soon becomes it")
    return tensor.double()


def refusal(operation, shapes):
    """Return the message with which PyTorch refuses operation, or None where it is content."""
    try:
        operation(*(torch.zeros(shape, device="meta") for shape in shapes))  # computes nothing
    except RuntimeError:
        try:
            operation(*(torch.zeros(1).expand(shape) for shape in shapes))  # takes no memory
        except RuntimeError as error:
            return str(error)
    return None


@exercise
def check_causes(answer):
    """Lesson 01b, exercise 1: the shapes behind four messages."""
    causes = [("torch.mm", torch.mm, ((32, 4608), (25088, 4096))),
              ("torch.mv", torch.mv, ((7, 3), (7,))),
              ("torch.dot", torch.dot, ((6,), (8,))),
              ("A / A.sum(axis=1)", torch.div, ((2, 9), (2,)))]
    expect(isinstance(answer, (list, tuple)) and len(answer) == 4,
           "four pairs of shapes are wanted, in a list")
    if any(pair is ... or pair is None for pair in answer):
        raise Unanswered
    for number, ((name, operation, right), pair) in enumerate(zip(causes, answer, strict=True), 1):
        expect(isinstance(pair, (list, tuple)) and len(pair) == 2,
               f"message {number}: a pair of two shapes is wanted, not {pair!r}")
        try:
            found = tuple(map(shape_of, pair))
        except WrongAnswer as error:
            raise WrongAnswer(f"message {number}: {error}") from None
        expect(found != right[::-1], f"message {number}: these shapes in the wrong order: the "
                                     "message names them in the order they were given")
        if number == 4:
            expect(found[0] != (9, 2), "message 4: (9, 2) has 9 row sums and 2 columns, the wrong "
                                       "way round: the message's tensor a is A, and it names the "
                                       "length of A's last axis")
            expect(found[1] != (2, 1), "message 4: (2, 1) is what keepdim=True gives, and then "
                                       "nothing is refused")
            expect(len(found[0]) == 2 and found[1] == found[0][:1],
                   f"message 4: A.sum(axis=1) of a tensor of shape {found[0]} does not have shape "
                   f"{found[1]}")
        message = refusal(operation, found)
        shown = " and ".join(map(str, found))
        expect(message is not None, f"message {number}: {name} does not refuse {shown}")
        expect(message == refusal(operation, right),
               f"message {number}: with {shown} {name} says something else: {message}")
    return "A message names what met; that two of its numbers should be equal you have to know."


@exercise
def check_sum_shape(answer):
    """Lesson 01b, exercise 2: the shape of X.sum(axis, keepdim)."""

    def right(shape, axis, keepdim):
        return tuple(torch.empty(shape, device="meta").sum(axis=axis, keepdim=keepdim).shape)

    rng = random.Random(0)
    shapes = [(2, 3, 4), (5, 4), *(tuple(rng.sample(range(2, 9), n)) for n in (1, 2, 3, 4))]
    for shape in shapes:
        for axis in (*range(len(shape)), *range(-len(shape), 0)):
            for keepdim in (False, True):
                found, again = (ask(answer, shape, axis, keepdim) for _ in range(2))
                call = f"sum_shape({shape}, {axis}, {keepdim}) gave {found!r}"
                expect(isinstance(found, tuple), f"{call}: a tuple is wanted, such as (3, 4), or "
                                                 "(3,), or ()")
                expect(found == again, f"{call}, and when asked again {again}: {LEFT_BEHIND}")
                if shape_of(found) == right(shape, axis, keepdim):
                    continue
                expect(found != (shape[axis],),
                       f"{call}: that axis is the one you lose, and you kept it alone")
                expect(found != right(shape, axis, not keepdim), f"{call}: keepdim={keepdim} "
                       + ("keeps the axis, with length 1" if keepdim else "drops the axis"))
                expect(axis >= 0, f"{call}: a negative axis counts from the end, so -1 is the last")
                expect(len(shape) > 2 or found != right(shapes[0], axis, keepdim),
                       f"{call}: that is what {shapes[0]} gives, whatever the shape")
                expect(len(found) == len(shape) - (not keepdim),
                       f"{call}: one axis is lost, or with keepdim=True none")
                expect(False, f"{call}: every other axis keeps its place and its length")
    expect(ask(answer, (6, 7), 1) == (6,), "keepdim is False where it is left out")
    huge = (10 ** 9, 5, 10 ** 9, 10 ** 9)
    try:
        found = ask(answer, huge, 1, False)
    except WrongAnswer:
        raise WrongAnswer(f"right, until the shape is {huge}: no machine makes a tensor of that "
                          "size, so work with the lengths alone") from None
    expect(found == huge[:1] + huge[2:], f"sum_shape({huge}, 1, False) gave {found}")
    return "With shape (5,) the result is (): a number is a tensor with no axis left to lose."


CLAIMS = {
    "(A.T).T = A": (1, lambda A: (A.T.T, A)),
    "A.T + B.T = (A + B).T": (2, lambda A, B: (A.T + B.T, (A + B).T)),
    "A + A.T is symmetric": (1, lambda A: (A + A.T, (A + A.T).T)),
    "(A B).T = A.T B.T": (2, lambda A, B: ((A @ B).T, A.T @ B.T)),
    "A A.T = A.T A": (1, lambda A: (A @ A.T, A.T @ A)),
}


def matrices_of(found, count):
    """Return count matrices, each with a largest entry of 1 (the claims hold at every size)."""
    if count == 1 and not (isinstance(found, (list, tuple)) and len(found) == 1
                           and isinstance(found[0], (torch.Tensor, np.ndarray))):
        found = [found]
    wanted = ("a matrix", "a pair of matrices")[count - 1]
    expect(isinstance(found, (list, tuple)) and len(found) == count,
           f"True is wanted, or {wanted}, not {found!r}")
    try:
        matrices = [tensor_of(matrix, 2) for matrix in found]
    except WrongAnswer as error:
        raise WrongAnswer(f"True is wanted, or {wanted}: {error}") from None
    expect(all(m.shape[0] == m.shape[1] and m.shape == matrices[0].shape for m in matrices),
           "the claim is about square matrices of one size, and yours have shapes "
           + " and ".join(str(tuple(m.shape)) for m in matrices))
    return [matrix / matrix.abs().max().clamp(min=1e-300) for matrix in matrices]


@exercise
def check_claims(answer):
    """Lesson 01b, exercise 3: laws of the transpose, or counterexamples."""
    expect(isinstance(answer, dict) and set(answer) == set(CLAIMS),
           "a dict with the five claims as its keys is wanted: change the values alone")
    if any(value is ... or value is None for value in answer.values()):
        raise Unanswered
    generator = torch.Generator().manual_seed(0)
    for claim, (count, sides) in CLAIMS.items():
        pairs = torch.randn(20, count, 3, 3, generator=generator, dtype=torch.float64)
        holds = all(torch.allclose(*sides(*matrices)) for matrices in pairs)
        found = answer[claim]
        if isinstance(found, (bool, np.bool_)):
            expect(found, f"{claim}: False needs proof; write a counterexample instead, or think "
                          "again whether there is one")
            expect(holds or claim[0] != "(", "(A B).T = A.T B.T is false for almost any two "
                   "matrices: the order turns round, as with socks and shoes; try random ones")
            expect(holds, f"{claim} is false for almost any matrix: with a single 1, off the "
                          "diagonal, the two sides are easily told apart")
            continue
        try:
            matrices = matrices_of(found, count)
        except WrongAnswer as error:
            raise WrongAnswer(f"{claim}: {error}") from None
        equal = torch.allclose(*sides(*matrices), atol=1e-6)
        expect(not (holds and equal),
               f"{claim}: your matrices obey it, and so do others: compare entry (i, j) of both "
               "sides")
        expect(not equal, f"{claim}: your matrices obey it: symmetric ones often do; try one with "
                          "a single 1, off the diagonal")
    return "The first three are laws, so no search finds a counterexample; two need one look."


@exercise
def check_fake_norm(answer):
    """Lesson 01b, exercise 4: scaling and sign, and no triangle."""
    expect(isinstance(answer, (list, tuple)) and len(answer) == 2 and callable(answer[0]),
           "a pair (fake_norm, witness) is wanted, of a function and two vectors")
    function, witness = answer
    if witness is None or witness is ...:
        raise Unanswered

    def value(x):
        found, again = (ask(function, x.clone()) for _ in range(2))
        expect(not (isinstance(found, complex) or np.isscalar(found) and found != found
                    or isinstance(found, torch.Tensor) and found.dim() == 0 and found.isnan()),
               f"your fake gives {found} for {x.tolist()}: has a negative number a root? Take "
               "absolute values first")
        found, again = as_number(found), as_number(again)
        expect(found == again, f"your fake gives {found:.4g} for {x.tolist()}, and when asked "
                               f"again {again:.4g}: {LEFT_BEHIND}")
        return found

    def obeys_scaling_and_sign(x):
        fx = value(x)
        expect(fx >= 0, f"your fake gives {fx:.3g} for {x.tolist()}: the sign law has to hold")
        for alpha in (-2.0, 0.5, 3.0):
            found = value(alpha * x)
            scaled = (f"scaling is broken too: for {x.tolist()} and {alpha} times as much your "
                      f"fake gives {fx:.4g} and {found:.4g}")
            expect(fx == 0 or not math.isclose(found, alpha * alpha * fx, rel_tol=1e-4),
                   f"{scaled}, by {alpha} squared: take a square root somewhere")
            expect(math.isclose(found, abs(alpha) * fx, rel_tol=1e-4), scaled)
        return fx

    def breaks_triangle(x, y):
        return value(x + y) > (1 + 1e-4) * (value(x) + value(y))

    generator = torch.Generator().manual_seed(0)
    for size in (2, 3, 5):
        for x in torch.randn(10, size, generator=generator, dtype=torch.float64):
            obeys_scaling_and_sign(x)
    if isinstance(witness, (torch.Tensor, np.ndarray)) and witness.ndim == 2:
        witness = list(witness)
    expect(isinstance(witness, (list, tuple)) and len(witness) == 2,
           f"witness should be a pair of vectors, and is {witness!r}")
    if any(vector is ... or vector is None for vector in witness):
        raise Unanswered
    x, y = (tensor_of(vector, 1) for vector in witness)
    expect(x.shape == y.shape, "the two vectors of witness differ in length")
    fx, fy, both = (obeys_scaling_and_sign(vector) for vector in (x, y, x + y))
    if not breaks_triangle(x, y):
        tries = torch.randn(200, 2, 3, generator=generator, dtype=torch.float64)
        expect(any(breaks_triangle(a, b) for a, b in tries),
               "200 random pairs obey the triangle, so this may be a true norm: for p >= 1 the "
               "p-norms are")
        raise WrongAnswer(f"a good fake, but your witness obeys the triangle: {both:.4g} is not "
                          f"more than {fx:.4g} + {fy:.4g}")
    return "Under a fake norm a detour is shorter than the way, so it cannot measure distance."
