"""Lesson 00's exercises."""

import math

from d2lvgg.exercises import as_number, ask_number, exercise, expect


@exercise
def check_smallest_width(answer):
    """Lesson 00, exercise 1: the width that five pools halve to one pixel."""
    found = as_number(answer)
    expect(found != 5 * 2, "halving is not taking away two: each of five halvings divides by 2")
    expect(found != 2 ** 4, "halved four times that leaves 1, and the network has five blocks")
    expect(found != (2 ** 5) ** 2, "so many pixels has the whole image: how many has one row?")
    expect(found >= 2 ** 5, f"{found} pixels, halved five times, leave less than one")
    expect(found < 2 ** 6, f"{found} pixels, halved five times, leave more than one")
    expect(found == 2 ** 5, f"{found} pixels leave one as well, as half pixels are dropped, but a "
                            "smaller image does too")
    return "At 31 pixels the fifth block would have nothing left to look at."


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
