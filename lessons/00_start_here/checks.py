"""Lesson 00's exercises."""

import math

import torch

from d2lvgg.data import LABELS
from d2lvgg.exercises import ask, ask_number, exercise, expect


@exercise
def check_torn_between(answer):
    """Lesson 00, exercise 1: the names of the two most probable classes, the first one first."""
    cases = (  # each with its two most probable places; no two places take turns in the same way
        ([0.02, 0.01, 0.52, 0.03, 0.37, 0.0, 0.04, 0.0, 0.01, 0.0], (2, 4)),
        ([0.0, 0.0, 0.0, 0.0, 0.0, 0.04, 0.0, 0.15, 0.01, 0.8], (9, 7)),
        ([0.31, 0.0, 0.05, 0.02, 0.03, 0.0, 0.58, 0.0, 0.01, 0.0], (6, 0)))
    found = []
    for probabilities, _ in cases:
        given = torch.tensor(probabilities)
        names = ask(answer, given.clone())
        expect(isinstance(names, (tuple, list)), f"two names are wanted, and this is {names!r}")
        expect(len(names) == 2, f"two names are wanted, and here are {len(names)}")
        numbers = all(not isinstance(name, str) for name in names)
        expect(not numbers, "these are numbers: LABELS has the name that belongs to the place of "
                            "a class")
        expect(all(name in LABELS for name in names),
               f"{names!r} are not two of the ten names in d2lvgg.LABELS")
        again = ask(answer, given.clone())
        expect(list(names) == list(again), f"two calls with the same probabilities gave {names!r} "
                                           f"and {again!r}: something is left behind")
        found.append(tuple(LABELS.index(name) for name in names))

    def is_like(places):
        return all(mine == tuple(places(*two, values)) for mine, (values, two)
                   in zip(found, cases, strict=True))

    expect(len(set(found)) > 1, f"you name the {LABELS[found[0][0]]} and the {LABELS[found[0][1]]} "
                                "whatever the probabilities are")
    for places, mistake in (
            (lambda first, second, _: (second, first), "the most probable class comes first"),
            (lambda first, second, _: (first, first), "that is one class twice: which comes next?"),
            (lambda first, second, _: sorted((first, second)),
             "these are the two classes, in the order of LABELS: the most probable comes first"),
            (lambda first, second, _: ((first + 1) % 10, (second + 1) % 10),
             "each name is the one after: places are counted from 0")):
        expect(not is_like(places), mistake)
    for mine, (probabilities, two) in zip(found, cases, strict=True):
        sure = " and ".join(f"{probabilities[place]:.0%}" for place in mine)
        expect(mine == two, f"once you name two classes of {sure}, and others are more probable")
    return "Two names say more than one: between them lies what the network cannot decide."


@exercise
def check_run_minutes(answer):
    """Lesson 00, exercise 2: minutes of the published protocol at a given rate."""
    rates = (10, 1234.5, 4357)
    found = []
    for rate in rates:
        first, again = ask_number(answer, rate), ask_number(answer, rate)
        expect(first == again, f"two calls with the rate {rate} gave {first} and {again}: "
                               "something is left behind from one call to the next")
        found.append(first)

    def is_like(formula):
        return all(math.isclose(minutes, formula(rate), rel_tol=1e-5)
                   for minutes, rate in zip(found, rates, strict=True))

    def right(rate):
        return 60_000 * 10 / rate / 60

    expect(len(set(found)) > 1, f"you give {found[0]:.4g} minutes at every rate: a fast machine "
                                "takes fewer than a slow one")
    for factor, mistake in (
            (60, "that is in seconds: a minute has 60"),
            (1 / 60, "that is in hours, or 60 was divided by twice"),
            (1 / 10, "that is one epoch's time: the run has ten"),
            (9 / 10, "those are nine epochs: range(1, 10) has no tenth"),
            (7 / 6, "you counted the test images too, and nothing is trained on those")):
        expect(not is_like(lambda rate, factor=factor: factor * right(rate)), mistake)
    expect(not is_like(lambda rate: 1 / right(rate)),
           "upside down: images divided by images a second are seconds")
    for rate, minutes in zip(rates, found, strict=True):
        close = math.isclose(minutes, right(rate), rel_tol=1e-5)
        expect(close or abs(minutes - right(rate)) >= 1,
               "you rounded on the way: return the minutes with their fraction")
        expect(close, f"at {rate} images a second you give {minutes:.4g} minutes: how many images "
                      "pass in the whole run, and how many in one minute?")
    return "At the 4,357 a second that d2l-zh printed, 2.3 minutes by the book's timer."
