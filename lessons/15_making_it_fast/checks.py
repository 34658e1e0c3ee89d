"""Lesson 15's exercises."""

import math
import random
import statistics

import torch

from d2lvgg.exercises import as_number, ask_twice, exercise, expect


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-6)


def as_truth(found):
    """Return True or False, numpy's and a tensor of one included. Raises WrongAnswer for others."""
    if getattr(found, "ndim", None) == 0 and hasattr(found, "item"):
        found = found.item()
    expect(isinstance(found, bool), f"True or False is wanted, not {found!r}")
    return found


def as_verdict(found):
    """Return one of the three words. Raises WrongAnswer for anything else."""
    words = ("faster", "slower", "cannot tell")
    expect(isinstance(found, str) and found in words,
           f"the verdict {found!r} is none of {', '.join(map(repr, words))}")
    return str(found)


@exercise
def check_speedup(answer):
    """Lesson 15, exercise 1: Amdahl's law."""
    rng = random.Random(0)
    cases = [([0.2, 0.3, 0.5], [1, 2, 10]), ([0.5, 0.5], [100, 1]), ([1.0], [3])]
    for _ in range(5):
        parts = [rng.uniform(0.1, 1) for _ in range(4)]
        cases.append(([part / sum(parts) for part in parts],
                      [rng.uniform(0.5, 50) for _ in range(4)]))
    for shares, factors in cases:
        pairs = list(zip(shares, factors, strict=True))
        left = sum(share / factor for share, factor in pairs)  # of the time
        found = ask_twice(as_number, answer, shares, factors)
        call = f"speedup({shares}, {factors}) gave {found:.4g}"
        for wrong, mistake in (
                (sum(share * factor for share, factor in pairs),
                 "the mean of the factors: speeds do not add up, times do"),
                (math.prod(factors), "the product of the factors: each part is only a share of "
                                     "the time"),
                (sum(factors) / len(factors), "the mean of the factors, without the shares"),
                (sum(factors), "the sum of the factors, without the shares"),
                (len(factors) / sum(1 / factor for factor in factors),
                 "as if every part had the same share of the time"),
                (max(factors), "the largest factor: the other parts still take their time"),
                (1 / (1 - shares[0] + shares[0] / factors[0]),
                 "as if the first part alone became faster: factors has a number for each"),
                (left, "the time that is left: the speed-up is one divided by it"),
                (1 - left, "the time that is saved: how many times as fast is the whole?"),
                (1 / left - 1, "how much is added: twice as fast is 2, not 1"),
                (100 / left, "in per cent: how many times as fast is wanted")):
            expect(not close(found, wrong) or close(wrong, 1 / left), f"{call}: that is {mistake}")
        expect(close(found, 1 / left),
               f"{call}: how long does each part take now, and how long do all together?")
    return "The part that you did not touch sets the limit: half of the time left means at most 2."


def by(measure):
    """Return a verdict that compares one number of all runs."""
    return lambda slow, fast: in_pairs([(measure(slow), measure(fast))])


def in_pairs(pairs):
    """Return the verdict on pairs (slow, fast) of numbers."""
    if all(fast < slow for slow, fast in pairs):
        return "faster"
    return "slower" if all(fast > slow for slow, fast in pairs) else "cannot tell"


def equal_counts(slow, fast):
    """Return a verdict that takes equal times for a sign."""
    pairs = list(zip(slow, fast, strict=True))
    if all(a >= b for a, b in pairs):
        return "faster"
    return "slower" if all(a <= b for a, b in pairs) else "cannot tell"


WRONG_VERDICTS = {
    "you have one verdict for all": lambda slow, fast: "faster",
    "you have one verdict for all: 'cannot tell' is the safe one, and often wrong":
        lambda slow, fast: "cannot tell",
    "you mixed up 'faster' and 'slower': is it fast that took less time?":
        lambda slow, fast: in_pairs(list(zip(fast, slow, strict=True))),
    "you compared sums or means: one slow run on one side decides them; compare inside each pair":
        by(sum),
    "you compared the medians: look whether all pairs agree": by(statistics.median),
    "you compared the best runs: look whether all pairs agree": by(min),
    "you compared the ranges, all runs with all: a slow minute that hits both sides of a pair "
    "alike spoils that; compare pair by pair":
        lambda slow, fast: in_pairs([(a, b) for a in slow for b in fast]),
    "you went by the majority of the pairs: every pair is wanted":
        lambda slow, fast: in_pairs([(sum(a > b for a, b in zip(slow, fast, strict=True)),
                                      sum(a < b for a, b in zip(slow, fast, strict=True)))]),
    "a pair of equal times is neither less nor more": equal_counts,
    "you sorted the runs, and the pairs are lost: compare pair by pair":
        lambda slow, fast: in_pairs(list(zip(sorted(slow), sorted(fast), strict=True))),
    "you left out the last pair": lambda slow, fast: in_pairs(
        list(zip(slow[:-1], fast[:-1], strict=True))),
    "you left out the first pair": lambda slow, fast: in_pairs(
        list(zip(slow[1:], fast[1:], strict=True))),
    "you looked at the first pair alone": lambda slow, fast: in_pairs([(slow[0], fast[0])]),
    "you never say 'slower'": lambda slow, fast: in_pairs(
        list(zip(slow, fast, strict=True))).replace("slower", "cannot tell"),
}


@exercise
def check_verdict(answer):
    """Lesson 15, exercise 2: a sign in every pair, or no verdict."""
    cases = [
        ([2.0, 2.1, 2.2], [1.0, 1.1, 1.0]), ([1.0, 1.1], [1.2, 1.3]),
        ([1.0, 1.3, 1.1], [1.1, 1.0, 1.2]), ([1.2, 1.3, 1.4, 1.0], [1.1, 1.2, 1.3, 1.1]),
        ([1.0] * 7, [0.9] * 7), ([1.1, 1.1, 1.0], [1.0, 1.2, 0.9]),
        ([1.0, 1.0, 5.0], [0.9, 0.9, 4.0]),  # the machine slowed down for both half-way
        ([1.0, 1.0, 9.0], [1.1, 1.1, 1.1]),  # one slow minute hit one side
        ([1.0, 2.0], [1.0, 1.0]), ([1.0, 1.0], [1.0, 2.0]), ([2.0, 1.0], [1.0, 1.0]),
        ([1.0, 3.0, 3.0, 3.0], [1.5, 2.0, 2.0, 2.0]), ([1.0, 3.0], [2.0, 0.5])]
    found = [ask_twice(as_verdict, answer, slow, fast) for slow, fast in cases]
    for mistake, wrong in WRONG_VERDICTS.items():
        expect(found != [wrong(*case) for case in cases], mistake)
    for (slow, fast), mine in zip(cases, found, strict=True):
        expect(mine == in_pairs(list(zip(slow, fast, strict=True))),
               f"of {slow} against {fast} you say {mine!r}: go through them pair by pair")
    return "Seven pairs that agree by chance alone: once in 64."


@exercise
def check_conv_intensity(answer):
    """Lesson 15, exercise 3: FLOPs a byte of a 3x3 convolution."""
    for c_in, c_out, side, itemsize in ((3, 5, 7, 4), (1, 64, 224, 4), (256, 256, 56, 2),
                                        (2, 3, 9, 8)):
        places, weights = side**2, 9 * c_in * c_out
        flops, maps = 2 * weights * places, (c_in + c_out) * places
        right = flops / ((maps + weights) * itemsize)
        found = ask_twice(as_number, answer, c_in, c_out, side, itemsize)
        call = f"conv_intensity({c_in}, {c_out}, {side}, {itemsize}) gave {found:.4g}"
        for wrong, mistake in (
                (flops / (maps * itemsize),
                 "you left out the bytes of the weights, which are read too"),
                (flops / ((c_in * places + weights) * itemsize),
                 "you left out the bytes of the output, which are written"),
                (flops / ((c_out * places + weights) * itemsize),
                 "you left out the bytes of the input, which are read"),
                (right / 2, "you counted a multiply and an add as one FLOP: they are two"),
                (right * itemsize, "that is FLOPs a number: a number has itemsize bytes"),
                (right * itemsize / 2, "you took two bytes a number: itemsize says how many"),
                (right / 8, "that is FLOPs a bit: bytes are wanted"),
                (1 / right, "upside down: FLOPs a byte is FLOPs divided by bytes"),
                (right / 9, "each output adds up a window of 3x3 for each input channel"),
                (flops / 9 / ((maps + weights / 9) * itemsize),
                 "that is a 1x1 convolution's: a 3x3 window has nine weights"),
                (flops / places / ((maps + weights) * itemsize),
                 "you counted the work at one place: every weight works at all of them"),
                (2 * weights * side / (((c_in + c_out) * side + weights) * itemsize),
                 "a map has side rows of side places"),
                (right * (side - 2)**2 / places,
                 "you counted the places without padding: same-padded, the output has all"),
                (flops / (((c_in + 1) * places + weights) * itemsize),
                 "the output has as many maps as output channels")):
            expect(not close(found, wrong) or close(wrong, right), f"{call}: {mistake}")
        expect(close(found, right), f"{call}: count FLOPs, then the numbers of input, weights and "
                                    "output, one by one")
    return "From 9 to 843: the same code on the same chip, and two different things to wait for."


def rounded_sum(weight, change, dtype=torch.bfloat16):
    """Return whether change makes a difference to weight, kept in dtype."""
    before = torch.tensor(weight, dtype=dtype)
    return bool(before != (before.double() + change).to(dtype))


# What a program that is wrong in one way answers.
def late_rounding(weight, change):
    before, after = (torch.tensor(number, dtype=torch.float64).to(torch.bfloat16)
                     for number in (weight, weight + change))
    return bool(before != after)


def double_rounding(weight, change):
    before, small = (torch.tensor(number, dtype=torch.bfloat16) for number in (weight, change))
    return bool(before != before + small)


def digits_kept(places):
    """Return a rule that compares change with weight."""
    return lambda weight, change: abs(change) > abs(weight) * 2.0**-places


WRONGLY_SURVIVING = {
    "you say True of every change": lambda w, c: True,
    "you say False of every change": lambda w, c: False,
    "you answer the opposite: does the change make a difference?":
        lambda w, c: not rounded_sum(w, c),
    "you rounded to another type: float16 keeps more digits than bfloat16":
        lambda w, c: rounded_sum(w, c, torch.float16),
    "you did not round, or to another type: float32 and Python's numbers keep more digits than "
    "bfloat16": lambda w, c: w + c != w,
    "the weight is kept in bfloat16: round it before you add": late_rounding,
    "you rounded the change too, as PyTorch does with what is added to a tensor: compute the sum "
    "exactly and round once": double_rounding,
    "a change downwards counts too": lambda w, c: c > 0 and rounded_sum(w, c),
    "what counts is the change relative to the weight: small weights have small neighbours":
        lambda w, c: abs(c) > 2**-8,
}


@exercise
def check_survives(answer):
    """Lesson 15, exercise 4: rounding to bfloat16."""
    cases = [(1.0, 0.001), (1.0, 0.01), (0.01, 0.001), (-1.0, 0.001), (1.0, -0.003), (100.0, 0.1),
             (0.0, 1e-9), (1.0, 0.0), (3.0, -0.02), (0.01, -0.000025), (1.0, 2**-8 * 1.0005),
             (1.0, 0.0035), (1.9, 0.005), (0.001, 0.003), (1000.0, 0.5), (1e-6, 1e-9)]
    found = [ask_twice(as_truth, answer, weight, change) for weight, change in cases]
    for mistake, wrong in WRONGLY_SURVIVING.items():
        expect(found != [wrong(*case) for case in cases], mistake)
    for places in range(6, 11):
        expect(found != [digits_kept(places)(*case) for case in cases],
               "you compared change with a fixed fraction of weight: the numbers of bfloat16 lie "
               "equally far apart from one power of two to the next")
    for (weight, change), mine in zip(cases, found, strict=True):
        right = rounded_sum(weight, change)
        expect(mine == right or weight != 0, f"survives({weight}, {change}): beside 0 even a very "
               "small number is another number; bfloat16 has the range of float32")
        expect(mine == right, f"survives({weight}, {change}): you say {mine}; round the weight, "
                              "add in float64, round the sum, and compare the two")
    return "So autocast casts copies, and the weights themselves stay in float32."
