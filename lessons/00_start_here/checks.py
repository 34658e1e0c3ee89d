"""Lesson 00's exercises."""

import math

from d2lvgg.exercises import ask, exercise, expect


@exercise
def check_smallest_width(answer):
    """Lesson 00, exercise 1: the width that five pools halve to one pixel."""
    expect(answer != 10, "halving is not taking away two: five halvings divide by 2 five times")
    expect(answer != 16, "16 is halved four times to 1, and the network has five blocks")
    expect(answer != 64, "64 leaves two pixels after five halvings, so there is a smaller one")
    expect(answer == 32, f"{answer!r} halved five times does not leave one pixel")
    return "At 31 pixels the fifth block would have nothing left to look at."


@exercise
def check_run_minutes(answer):
    """Lesson 00, exercise 2: minutes of the published protocol at a given rate."""
    for rate in (10, 1234.5, 4357):
        found, right = ask(answer, rate), 10_000 / rate
        close = math.isclose(found, right, rel_tol=1e-6)
        expect(not math.isclose(found, right * 60), "that is in seconds: divide by 60")
        expect(not math.isclose(found, right / 10), "that is one epoch's time: the run has ten")
        expect(close, f"at {rate} pictures a second run_minutes gave {found:.4g}, and it takes "
                      f"{right:.4g} minutes")
    return "At the 4,357 a second that d2l-zh printed, 2.3 minutes by the book's timer."
