"""Lesson 01's exercises."""

import random

import torch

from d2lvgg.exercises import Unanswered, WrongAnswer, ask, exercise, expect


def refusal(operation, shapes):
    """Return the message with which PyTorch refuses operation, or None where it is content."""
    tensors = [torch.zeros(1).expand(shape) for shape in shapes]  # takes no memory at any shape
    try:
        operation(*tensors)
    except RuntimeError as error:
        return str(error)
    return None


@exercise
def check_causes(answer):
    """Lesson 01, exercise 1: the shapes behind four messages."""
    causes = [("torch.mm", torch.mm, ((32, 4608), (25088, 4096))),
              ("torch.mv", torch.mv, ((7, 3), (7,))),
              ("torch.dot", torch.dot, ((6,), (8,))),
              ("A / A.sum(axis=1)", torch.div, ((2, 9), (2,)))]
    expect(isinstance(answer, (list, tuple)) and len(answer) == 4,
           "four pairs of shapes are wanted")
    if ... in answer:
        raise Unanswered
    for number, ((name, operation, right), found) in enumerate(zip(causes, answer, strict=True), 1):
        try:
            found = tuple(tuple(int(length) for length in shape) for shape in found)
        except TypeError:
            raise WrongAnswer(f"message {number}: a pair of tuples is wanted, not {found!r}; the "
                              "shape of a vector of six is written (6,), with a comma") from None
        expect(len(found) == 2, f"message {number}: a pair is two shapes, and this is {len(found)}")
        expect(found != right[::-1], f"message {number}: the right shapes in the wrong order: the "
                                     "message names them in the order they were given")
        if number == 4:
            expect(found[0] != (9, 2), "message 4: (9, 2) has 9 row sums and 2 columns, the wrong "
                                       "way round: tensor a's last axis, the columns, is 9 long")
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
    """Lesson 01, exercise 2: the shape of X.sum(axis, keepdim)."""
    rng = random.Random(0)
    shapes = [(2, 3, 4), (5, 4), *(tuple(rng.sample(range(2, 9), n)) for n in (1, 2, 3, 4))]
    for shape in shapes:
        for axis in range(-len(shape), len(shape)):
            for keepdim in (False, True):
                found = ask(answer, shape, axis, keepdim)
                call = f"sum_shape({shape}, {axis}, {keepdim})"
                expect(isinstance(found, tuple), f"{call} gave {found!r}: a tuple is wanted, such "
                                                 "as (3, 4), or (3,), or ()")
                right = tuple(torch.zeros(shape).sum(axis=axis, keepdim=keepdim).shape)
                expect(found == right or found != (shape[axis],),
                       f"{call} gave {found}: that axis is the one you lose, and you kept it alone")
                expect(found == right or found != tuple(
                       torch.zeros(shape).sum(axis=axis, keepdim=not keepdim).shape),
                       f"{call} gave {found}: keepdim={keepdim} "
                       + ("keeps the axis, with length 1" if keepdim else "drops the axis"))
                expect(found == right or axis >= 0,
                       f"{call} gave {found} and PyTorch {right}: a negative axis counts from the "
                       "end, so -1 is the last")
                expect(found == right, f"{call} gave {found}, and PyTorch {right}")
    return "With shape (5,) the result is (): a number is a tensor with no axis left to lose."


CLAIMS = {
    "(A.T).T = A": (1, lambda A: (A.T.T, A)),
    "A.T + B.T = (A + B).T": (2, lambda A, B: (A.T + B.T, (A + B).T)),
    "A + A.T is symmetric": (1, lambda A: (A + A.T, (A + A.T).T)),
    "(A B).T = A.T B.T": (2, lambda A, B: ((A @ B).T, A.T @ B.T)),
    "A A.T = A.T A": (1, lambda A: (A @ A.T, A.T @ A)),
}


@exercise
def check_claims(answer):
    """Lesson 01, exercise 3: laws of the transpose, or counterexamples."""
    expect(isinstance(answer, dict) and set(answer) == set(CLAIMS),
           "a dict with the five claims as its keys is wanted: change the values alone")
    if any(value is ... or value is None for value in answer.values()):
        raise Unanswered
    generator = torch.Generator().manual_seed(0)
    for claim, (count, sides) in CLAIMS.items():
        pairs = torch.randn(20, count, 3, 3, generator=generator, dtype=torch.float64)
        holds = all(torch.allclose(*sides(*matrices)) for matrices in pairs)
        found = answer[claim]
        if found is True:
            expect(holds or claim[0] != "(", "(A B).T = A.T B.T is false for almost any two "
                   "matrices: the order turns round, as with socks and shoes; try random ones")
            expect(holds, f"{claim} is false for almost any matrix: with a single 1, off the "
                          "diagonal, the two sides are easily told apart")
            continue
        expect(found is not False, f"{claim}: False needs proof; write a counterexample instead")
        matrices = [found] if isinstance(found, torch.Tensor) else found
        expect(isinstance(matrices, (list, tuple)) and len(matrices) == count
               and all(isinstance(matrix, torch.Tensor) for matrix in matrices),
               f"{claim}: True is wanted, or {('a matrix', 'a pair of matrices')[count - 1]}")
        expect(all(m.dim() == 2 and m.shape[0] == m.shape[1] and m.shape == matrices[0].shape
                   for m in matrices),
               f"{claim}: the claim is about square matrices of one size, and yours have shapes "
               + " and ".join(str(tuple(m.shape)) for m in matrices))
        left, right = sides(*(matrix.double() for matrix in matrices))
        expect(not (holds and torch.allclose(left, right)),
               f"{claim} is true, and for your matrices too: compare entry (i, j) of both sides")
        expect(not torch.allclose(left, right),
               f"{claim} is false, but your matrices obey it: symmetric ones often do; try one "
               "with a single 1, off the diagonal")
    return "The first three are laws, so no search finds a counterexample; two need one look."


@exercise
def check_fake_norm(answer):
    """Lesson 01, exercise 4: scaling and sign, and no triangle."""
    function, witness = answer
    if witness is None or witness is ...:
        raise Unanswered
    generator = torch.Generator().manual_seed(0)

    def value(x):
        found = torch.as_tensor(ask(function, x))
        expect(found.numel() == 1, f"one number is wanted for a vector, not {tuple(found.shape)}")
        return float(found)

    for size in (2, 3, 5):
        for x in torch.randn(40, size, generator=generator, dtype=torch.float64):
            fx = value(x)
            expect(fx >= 0, f"your fake gives {fx:.3g} for {x.tolist()}: the sign law has to hold")
            for alpha in (-2.0, 0.5, 3.0):
                found, right = value(alpha * x), abs(alpha) * fx
                expect(abs(found - alpha * alpha * fx) > 1e-9 * abs(found) or fx == 0,
                       f"scaling is broken too: {alpha} times the vector, and the fake is "
                       f"{alpha * alpha} times as large; take a square root somewhere")
                expect(abs(found - right) <= 1e-6 * abs(right) + 1e-12,
                       f"scaling is broken too: {alpha} times the vector should give "
                       f"{right:.4g}, and gives {found:.4g}")
    expect(isinstance(witness, (list, tuple)) and len(witness) == 2
           and all(isinstance(vector, torch.Tensor) and vector.dim() == 1 for vector in witness),
           "witness should be a pair of vectors: two tensors with one axis")
    expect(witness[0].shape == witness[1].shape, "the two vectors of witness differ in length")
    x, y = (vector.double() for vector in witness)
    if value(x + y) <= value(x) + value(y) + 1e-9:
        tries = torch.randn(400, 2, 3, generator=generator, dtype=torch.float64)
        honest = all(value(a + b) <= value(a) + value(b) + 1e-9 for a, b in tries)
        expect(not honest, "400 random pairs obey the triangle, so this may be a true norm: for "
                           "p >= 1 the p-norms are")
        raise WrongAnswer(f"a good fake, but your witness obeys the triangle: {value(x + y):.4g} "
                          f"is not more than {value(x):.4g} + {value(y):.4g}")
    return "Under a fake norm a detour is shorter than the way, so it cannot measure distance."


@exercise
def check_norm_gradient(answer):
    """Lesson 01, exercise 5: the gradient of the 2-norm."""
    generator = torch.Generator().manual_seed(0)
    for size in (2, 3, 10):
        x = torch.randn(size, generator=generator, dtype=torch.float64) * size
        found = ask(answer, x.clone())
        expect(isinstance(found, torch.Tensor) and found.shape == x.shape,
               f"a gradient has the shape of x, ({size},): one partial derivative an entry")
        expect(not found.requires_grad, "that came from autograd: write the formula")
        length = x.norm()
        for wrong, mistake in (
                (2 * x, "2x is the gradient of the squared norm: the root has a derivative too"),
                (x.sign(), "the signs are the gradient of the 1-norm"),
                (x / length ** 2, "you divided by the square of the length: one root is left"),
                (x / (2 * length), "a 2 is left over: the one from the square cancels the one from "
                                   "the root"),
                (2 * x / length, "a 2 is left over: the derivative of the root is 1 / (2 sqrt s)"),
                (x, "x is the gradient of half the squared norm: divide by the length")):
            expect(not torch.allclose(found.double(), wrong), mistake)
        expect(torch.allclose(found.double(), x / length, atol=1e-5),
               "finite differences say otherwise: try central_difference(vector_norm, x, 1e-5)")
    return ("Its norm is 1 everywhere: no step changes a length by more than the step. At 0 there "
            "is no gradient: every direction leads up.")
