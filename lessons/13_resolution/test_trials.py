"""Lesson 13's trainings are paired by seed, and its recorded runs are whole."""

import json

import torch

from d2lvgg.exercises import LESSONS, of_lesson

trials = of_lesson("13", "trials")
RECORDED = LESSONS.parent / "benchmarks" / "results" / "resolution.json"


def batches(size, num_images, seed):
    everything, _ = trials.load(10)
    return list(trials.drawn(everything, num_images, size, seed))


def test_a_seed_draws_the_same_images_in_the_same_order_at_each_size():
    for (X, y), (larger, labels) in zip(batches(28, 70, 1), batches(56, 70, 1), strict=True):
        assert torch.equal(y, labels)
        assert (X.shape[-1], larger.shape[-1]) == (28, 56)
        assert (X.mean() - larger.mean()).abs() < 0.01
    assert not torch.equal(batches(28, 70, 1)[0][1], batches(28, 70, 2)[0][1])


def test_more_images_of_a_seed_begin_with_the_same():
    few, many = (torch.cat([X for X, _ in batches(28, count, 3)]) for count in (32, 64))
    assert {X.numpy().tobytes() for X in few} < {X.numpy().tobytes() for X in many}


def test_a_training_is_the_same_twice_and_learns():
    found = []
    for _ in range(2):
        torch.manual_seed(0)
        net = trials.small_net(((1, 8), (1, 8)), 3)
        found.append(trials.train_once(net, trials.load(200), 28, 320, 2, seed=0)[0])
    assert found[0] == found[1]
    assert found[0] > 0.3


def test_the_recorded_runs_are_paired():
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert {"device", "torch", "Python"} <= set(recorded["machine"])
    assert recorded["protocol"]["learning_rate"] == trials.LEARNING_RATE
    seeds = [[run["seed"] for run in runs] for runs in recorded["runs"].values()]
    assert len(seeds) == 6
    assert all(numbers == seeds[0] for numbers in seeds)
    assert len(seeds[0]) >= 5
