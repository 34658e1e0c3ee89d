"""What lesson 11 uses of the book's package, for a machine that has it not: three small things.

Source: Dive into Deep Learning, sections 3.4 and 3.6 of its first edition.
"""

import time


def accuracy(y_hat, y):
    """Return how many rows of y_hat (B, classes) are largest at their label in y (B,)."""
    return float((y_hat.argmax(dim=1) == y).sum())


class Accumulator:
    """Sums over n numbers: add(a, b, …) adds to each, [i] reads one."""

    def __init__(self, n):
        self.data = [0.0] * n

    def add(self, *numbers):
        self.data = [a + float(b) for a, b in zip(self.data, numbers, strict=True)]

    def __getitem__(self, place):
        return self.data[place]


class Timer:
    """Seconds between start() and stop(), kept one by one."""

    def __init__(self):
        self.times = []
        self.start()

    def start(self):
        self.began = time.time()

    def stop(self):
        self.times.append(time.time() - self.began)
        return self.times[-1]

    def sum(self):
        return sum(self.times)
