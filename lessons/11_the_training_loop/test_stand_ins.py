"""The stand-ins for the book's package do what the book's do."""

import pytest
import torch

from d2lvgg.exercises import of_lesson

d2l = pytest.importorskip("d2l.torch", reason="the book's package is not here")
stand_ins = of_lesson("11", "stand_ins")


def test_accuracy_is_the_books():
    y_hat, y = torch.randn(32, 10), torch.randint(0, 10, (32,))
    assert stand_ins.accuracy(y_hat, y) == d2l.accuracy(y_hat, y)
    assert stand_ins.accuracy(torch.eye(3), torch.tensor([0, 1, 1])) == 2


def test_accumulator_is_the_books():
    found, wanted = stand_ins.Accumulator(2), d2l.Accumulator(2)
    for sums in (found, wanted):
        sums.add(1, 0.5)
        sums.add(torch.tensor(2), 3)
    assert [found[0], found[1]] == [wanted[0], wanted[1]] == [3, 3.5]


def test_timer_sums_what_lies_between_start_and_stop(monkeypatch):
    clock = iter([0, 1, 3, 10, 15]).__next__
    monkeypatch.setattr("time.time", clock)
    timer = stand_ins.Timer()  # starts at 0
    timer.start()
    assert timer.stop() == 2
    timer.start()
    timer.stop()
    assert timer.sum() == 2 + 5
