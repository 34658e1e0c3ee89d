"""The checks of lesson 09 against right answers, stubs and plausible wrong answers."""

import math

import numpy as np
import pytest
import torch

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("09")


def change_of(network, images, axis=0):
    with torch.no_grad():
        scores = network(images)
    differs = (scores - scores.mean(dim=axis, keepdim=True)).abs().mean()
    return (differs / scores.abs().mean()).item()


def named(change, dead=1e-5, asleep=0.1):
    return "dead" if change < dead else "asleep" if change < asleep else "awake"


def state_of(network, images):
    was_training = network.training
    network.eval()
    change = change_of(network, images)
    network.train(was_training)
    return named(change)


def state_by_numpy(network, images):
    mode = network.training
    try:
        scores = network.eval()(images).detach().numpy()
    finally:
        network.train(mode)
    change = np.abs(scores - scores.mean(axis=0)).mean() / np.abs(scores).mean()
    return np.array(["dead", "asleep", "awake"])[(change >= 1e-5) + int(change >= 0.1)].item()


def dropout_forgotten(network, images):
    return named(change_of(network, images))


def mode_not_given_back(network, images):
    return named(change_of(network.eval(), images))


def by_class(network, images):
    mode = network.training
    change = change_of(network.eval(), images, axis=1)
    network.train(mode)
    return named(change)


def by_itself(network, images):
    mode = network.training
    with torch.no_grad():
        change = network.eval()(images).std(dim=0).mean().item()
    network.train(mode)
    return named(change)


def by_equality(network, images):
    mode = network.training
    with torch.no_grad():
        scores = network.eval()(images)
    network.train(mode)
    if (scores == scores[0]).all():
        return "dead"
    return named(change_of(network, images), dead=0)


SEEN = []


def first_one_kept(network, images):
    SEEN.append(state_of(network, images))
    return SEEN[0]


def with_state_kept(network, images, counts=[]):  # noqa: B006
    counts.append(1)
    return state_of(network, images) if len(counts) % 10 else "dead"


def paired(first, second, factor=1.96, power=0.5):
    differences = np.array(first, float) - np.array(second, float)
    return differences.mean(), factor * differences.std(ddof=1) / len(differences) ** power


def paired_torch(first, second):
    differences = (torch.tensor(first) - torch.tensor(second)).double()
    return torch.stack([differences.mean(), 1.96 * differences.std(correction=0)
                        / math.sqrt(len(differences))])


def as_if_apart(first, second):
    p, q, n = sum(first) / len(first), sum(second) / len(second), len(first)
    return p - q, 1.96 * ((p * (1 - p) + q * (1 - q)) / n) ** 0.5


def always_10_000(first, second):
    mean, half = paired(first, second)
    return mean, half * (len(first) / 10_000) ** 0.5


def one_cycle(step, num_steps, peak, share=0.2):
    top = share * num_steps
    return peak * (step / top if step < top else (num_steps - step) / (num_steps - top))


RIGHT = [
    (checks.check_step_count, 4690),
    (checks.check_step_count, torch.tensor(4690)),
    (checks.check_step_count, np.ceil(60_000 / 128) * 10),
    (checks.check_state_of, state_of),
    (checks.check_state_of, state_by_numpy),
    (checks.check_paired, paired),
    (checks.check_paired, paired_torch),
    (checks.check_one_cycle, one_cycle),
    (checks.check_one_cycle, lambda step, n, peak: np.interp(step, [0, n / 5, n], [0, peak, 0])),
]
EMPTY = [
    (checks.check_step_count, ...),
    (checks.check_state_of, lambda network, images: ...),
    (checks.check_paired, lambda first, second: None),
    (checks.check_one_cycle, lambda step, num_steps, peak: ...),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_step_count, 469, "one epoch's count", "left-out step"),
    (checks.check_step_count, 4680, "last, short batch", "left-out step"),
    (checks.check_step_count, 4687.5, "half a step", "wrong formula"),
    (checks.check_step_count, 60_000 * 10 // 128, "part of one", "wrong formula"),
    (checks.check_step_count, math.ceil(60_000 * 10 / 128), "rounded up once", "off by one"),
    (checks.check_step_count, 600_000, "each step takes 128", "wrong unit"),
    (checks.check_step_count, 10, "number of epochs", "wrong unit"),
    (checks.check_step_count, 5480, "test batches", "wrong mode"),
    (checks.check_step_count, 4689, "how many batches", "off by one"),

    (checks.check_state_of, dropout_forgotten, "Dropout changes the scores", "wrong mode"),
    (checks.check_state_of, mode_not_given_back, "in another mode", "state left behind"),
    (checks.check_state_of, by_class, "called", "wrong axis"),
    (checks.check_state_of, by_itself, "share of the scores' size",
     "works for the shown case only"),
    (checks.check_state_of, by_equality, "rounds", "wrong formula"),
    (checks.check_state_of, first_one_kept, "was called 'asleep'", "state left behind"),
    (checks.check_state_of, with_state_kept, "left behind from one call", "state left behind"),
    (checks.check_state_of, lambda *given: "asleep", "was called 'asleep'",
     "works for the shown case only"),
    (checks.check_state_of, lambda *given: state_of(*given).upper(), "one of the texts", None),

    (checks.check_paired, as_if_apart, "different images", "wrong formula"),
    (checks.check_paired, lambda first, second: paired(second, first), "wrong sign", "wrong axis"),
    (checks.check_paired, lambda *both: paired(*both, factor=1), "one standard error",
     "left-out step"),
    (checks.check_paired, lambda *both: paired(*both, factor=2 * 1.96), "whole width",
     "wrong formula"),
    (checks.check_paired, lambda *both: paired(*both, power=0), "spread of single images",
     "left-out step"),
    (checks.check_paired, lambda *both: paired(*both, power=1), "not by its root",
     "wrong formula"),
    (checks.check_paired, always_10_000, "root of 10,000", "works for the shown case only"),
    (checks.check_paired, lambda *both: tuple(100 * x for x in paired(*both)), "in percent",
     "wrong unit"),
    (checks.check_paired, lambda *both: (sum(both[0]) - sum(both[1]), 0.01), "number of images",
     "wrong unit"),
    (checks.check_paired, lambda *both: paired(*both)[0], "two numbers", None),

    (checks.check_one_cycle, lambda step, n, peak: one_cycle(step, n, 1), "multiply by peak",
     "left-out step"),
    (checks.check_one_cycle, lambda step, n, peak: one_cycle(step + 1, n, peak), "at step 0",
     "off by one"),
    (checks.check_one_cycle, lambda *given: one_cycle(*given, share=0.8), "the rate rises",
     "wrong formula"),
    (checks.check_one_cycle, lambda step, n, peak: min(1, step / (n / 5)) * peak, "the rate falls",
     "left-out step"),
    (checks.check_one_cycle, lambda step, n, peak: one_cycle(step, 100, peak), "gave",
     "works for the shown case only"),
    (checks.check_one_cycle, lambda step, n, peak: peak, "at step 0", "left-out step"),
    (checks.check_one_cycle, lambda *given: str(one_cycle(*given)), "one number", None),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert "Right." in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer"), EMPTY)
def test_empty(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake", "kind"), WRONG)
def test_wrong(check, answer, mistake, kind):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
