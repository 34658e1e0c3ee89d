"""Lesson 15's exercises."""

import math
import random

import torch

from d2lvgg.exercises import ask, ask_number, exercise, expect


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-6)


@exercise
def check_speedup(answer):
    """Lesson 15, exercise 1: Amdahl's law."""
    rng = random.Random(0)
    cases = [([0.5, 0.5], [100, 1]), ([1.0], [3]), ([0.2, 0.3, 0.5], [1, 2, 10])]
    for _ in range(5):
        parts = [rng.uniform(0.1, 1) for _ in range(4)]
        cases.append(([part / sum(parts) for part in parts],
                      [rng.uniform(0.5, 50) for _ in range(4)]))
    for shares, factors in cases:
        pairs = list(zip(shares, factors, strict=True))
        right = 1 / sum(share / factor for share, factor in pairs)
        mean = sum(share * factor for share, factor in pairs)
        found = ask_number(answer, shares, factors)
        expect(not close(found, mean) or close(mean, right),
               f"{found:.4g} for {shares} and {factors} is the mean of the factors: speeds do not "
               "add up, times do")
        expect(not close(found, math.prod(factors)) or close(math.prod(factors), right),
               "you multiplied the factors: each part is only a share of the time")
        expect(not close(found, 1 / right) or close(right, 1),
               f"{found:.4g} is the time that is left: the speed-up is one divided by it")
        expect(close(found, right), f"speedup({shares}, {factors}) is {right:.4g}, not {found:.4g}")
    return "The part that you did not touch sets the limit: half of the time left means at most 2."


@exercise
def check_verdict(answer):
    """Lesson 15, exercise 2: a sign in every pair, or no verdict."""
    cases = [
        ([2.0, 2.1, 2.2], [1.0, 1.1, 1.0], "faster"), ([1.0, 1.1], [1.2, 1.3], "slower"),
        ([1.0, 1.3, 1.1], [1.1, 1.0, 1.2], "cannot tell"),
        # The machine slowed down for both half-way: every pair agrees, the ranges overlap.
        ([1.0, 1.0, 5.0], [0.9, 0.9, 4.0], "faster"),
        # One slow minute hit one side: the sums differ, the pairs do not agree.
        ([1.0, 1.0, 9.0], [1.1, 1.1, 1.1], "cannot tell"),
        ([1.0, 2.0], [1.0, 1.0], "cannot tell")]
    why = {"faster": "fast took less time in every pair",
           "slower": "fast took more time in every pair",
           "cannot tell": "the pairs do not agree"}
    for slow, fast, right in cases:
        found = ask(answer, slow, fast)
        expect(found in why, f"the verdict {found!r} is none of {', '.join(map(repr, why))}")
        expect((slow, fast, found) != (*cases[4][:2], "faster"),
               f"{slow} against {fast}: one slow run on one side made its sum or mean larger; "
               "compare inside each pair")
        expect((slow, fast, found) != (*cases[3][:2], "cannot tell"),
               f"{slow} against {fast}: a slow minute hit both sides of a pair alike, and inside "
               "each pair fast wins; compare pair by pair, not all with all")
        expect(found == right, f"{slow} against {fast} is {right!r}, since {why[right]}; you say "
                               f"{found!r}")
    return "Seven pairs that agree by chance alone: once in 64."


@exercise
def check_conv_intensity(answer):
    """Lesson 15, exercise 3: FLOPs a byte of a 3x3 convolution."""
    for c_in, c_out, side, itemsize in ((1, 64, 224, 4), (256, 256, 56, 2), (3, 5, 7, 4)):
        weights = 9 * c_in * c_out
        flops, maps = 2 * weights * side**2, (c_in + c_out) * side**2
        right = flops / ((maps + weights) * itemsize)
        found = ask_number(answer, c_in, c_out, side, itemsize)
        where = f"conv_intensity({c_in}, {c_out}, {side}, {itemsize})"
        expect(not close(found, flops / (maps * itemsize)),
               f"{where}: you left out the bytes of the weights, which are read too")
        expect(not close(found, flops / ((c_in * side**2 + weights) * itemsize)),
               f"{where}: you left out the bytes of the output, which are written")
        expect(not close(found, right / 2), f"{where}: you counted a multiply and an add as one "
                                            "FLOP: they are two")
        expect(not close(found, right * itemsize),
               f"{where}: that is FLOPs a number: a number has {itemsize} bytes")
        expect(not close(found, right / 9), f"{where}: a 3x3 window has nine weights for each pair "
                                            "of channels")
        expect(close(found, right), f"{where} is {right:.4g}, not {found:.4g}")
    return "From 9 to 843: the same code on the same chip, and two different things to wait for."


@exercise
def check_survives(answer):
    """Lesson 15, exercise 4: rounding to bfloat16."""
    cases = [(1.0, 0.001), (1.0, 0.01), (0.01, 0.001), (-1.0, 0.001), (1.0, -0.003), (100.0, 0.1),
             (0.0, 1e-9), (1.0, 0.0), (3.0, -0.02)]
    for weight, change in cases:
        before = torch.tensor(weight, dtype=torch.bfloat16)
        right = bool(before != (before.double() + change).to(torch.bfloat16))
        half = torch.tensor(weight, dtype=torch.float16)
        found = ask(answer, weight, change)
        expect(isinstance(found, (bool, torch.Tensor)), f"True or False is wanted, not {found!r}")
        in_half = bool(half != (half.double() + change).to(torch.float16))
        known = f"survives({weight}, {change}) is {right}"
        expect(bool(found) == right or weight != 1.0 or change != 0.001 or bool(found) != in_half,
               f"{known}: you rounded to another type, or not at all: float16 and float32 keep "
               "more digits than bfloat16")
        expect(bool(found) == right or weight != 0.01,
               f"{known}: what counts is the change relative to the weight, and small weights "
               "have small neighbours")
        expect(bool(found) == right or weight != 0.0,
               f"{known}: beside 0 even a very small number is another number; bfloat16 has the "
               "range of float32")
        expect(bool(found) == right, f"{known}, and you say {bool(found)}")
    return "So autocast casts copies, and the weights themselves stay in float32."
