"""The checks of lesson 17 against right answers, stubs and plausible wrong answers."""

import numpy as np
import pytest
import torch

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("17")


def share(n, world_size, rank):
    return range(n * rank // world_size, n * (rank + 1) // world_size)


def chunk(n, world_size, rank):
    size = -(-n // world_size)
    return range(min(n, rank * size), min(n, (rank + 1) * size))


def all_to_the_last(n, world_size, rank):
    size = n // world_size
    return range(rank * size, n if rank == world_size - 1 else (rank + 1) * size)


def average(gradients, counts):
    return sum(n * g for g, n in zip(gradients, counts, strict=True)) / sum(counts)


def bytes_sent(parameters, world_size):
    return 8 * parameters * (world_size - 1) / world_size


def link_needed(seconds, size, N, efficiency):
    return 2 * (N - 1) / N * size / (seconds / efficiency - seconds)


def share_with_divmod(n, world_size, rank):
    size, left = divmod(n, world_size)
    start = rank * size + min(rank, left)
    return torch.arange(start, start + size + (rank < left))


def next_share():
    start = [0]  # outside the function: each call takes what comes after the last one's

    def wrong(n, world_size, rank):
        size = len(share(n, world_size, rank))
        places = range(start[0], start[0] + size)
        start[0] = (start[0] + size) % n
        return places
    return wrong


def share_of_two(n, world_size, rank):
    return range(n // 2) if rank == 0 else range(n // 2, n)


def average_stacked(gradients, counts):
    weights = torch.tensor(counts, dtype=torch.float64) / sum(counts)
    return torch.einsum("p,pi->i", weights, torch.stack(gradients)).numpy()


def average_in_place(gradients, counts):
    total = gradients[0].mul_(counts[0])
    for gradient, count in zip(gradients[1:], counts[1:], strict=True):
        total += gradient * count
    return (total / sum(counts)).float()


def summed(function):
    """Adds up its answers from call to call, in a number outside the function."""
    answers = []

    def wrong(*arguments):
        answers.append(function(*arguments))
        return sum(answers)
    return wrong


RIGHT = [
    (checks.check_share, share),
    (checks.check_share, share_with_divmod),
    (checks.check_share, lambda n, w, r: list(range(r, n, w))[::-1]),
    (checks.check_share, lambda n, w, r: np.array_split(np.arange(n), w)[r]),
    (checks.check_average, average),
    (checks.check_average, average_stacked),
    (checks.check_average, average_in_place),
    (checks.check_bytes_sent, bytes_sent),
    (checks.check_bytes_sent, lambda p, N: np.float64(4 * p) * 2 * (1 - 1 / N)),
    (checks.check_bytes_sent, lambda p, N: torch.tensor(bytes_sent(p, N), dtype=torch.float64)),
    (checks.check_link_needed, link_needed),
    (checks.check_link_needed, lambda t, s, N, e: np.float64(bytes_sent(s / 4, N)) * e
     / (1 - e) / t),
]
EMPTY = [(check, lambda *given: ...) for check in (
    checks.check_share, checks.check_average, checks.check_bytes_sent, checks.check_link_needed)]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_share, lambda n, w, r: range(n // w * r, n // w * (r + 1)),
     "leave the remainder behind", "left-out step"),
    (checks.check_share, chunk, "differ by more than one", "wrong formula"),
    (checks.check_share, all_to_the_last, "differ by more than one", "left-out step"),
    (checks.check_share, lambda n, w, r: range(n // w), "the same images", "left-out step"),
    (checks.check_share, lambda n, w, r: range(n // w * r, n // w * (r + 1) + 1), "outside",
     "off by one"),
    (checks.check_share, lambda n, w, r: [place + 1 for place in share(n, w, r)],
     "counts from 0", "off by one"),
    (checks.check_share, lambda n, w, r: range(n * r // w, min(n, n * (r + 1) // w + 1)), "twice",
     "off by one"),
    (checks.check_share, lambda n, w, r: list(share(n, w, r))[1:], "taken by nobody",
     "off by one"),
    (checks.check_share, lambda n, w, r: range(w * r, min(n, w * (r + 1))), "taken by nobody",
     "wrong axis"),
    (checks.check_share, lambda n, w, r: [[0, 1], [2, 3, 4]][r % 2], "taken by nobody",
     "works for the shown case only"),
    (checks.check_share, share_of_two, "take the same images", "works for the shown case only"),
    (checks.check_share, next_share(), "left behind from one call", "state left behind"),
    (checks.check_share, lambda n, w, r: n // w, "as a range or a list", None),
    (checks.check_share, lambda n, w, r: [r + 0.5], "whole numbers", None),
    (checks.check_average, lambda g, c: sum(g), "you added", "left-out step"),
    (checks.check_average, lambda g, c: sum(g) / len(g), "you averaged the processes",
     "works for the shown case only"),
    (checks.check_average, lambda g, c: average(g, c) * sum(c), "divide by all images",
     "left-out step"),
    (checks.check_average, lambda g, c: average(g, c) * sum(c) / len(c), "number of images",
     "wrong axis"),
    (checks.check_average, lambda g, c: average(g, c) * sum(c) / 128, "one batch of many",
     "works for the shown case only"),
    (checks.check_average, lambda g, c: average(g, c) * sum(c) / c[0], "first share's images",
     "wrong formula"),
    (checks.check_average, lambda g, c: average(g, c) / len(c), "need no more dividing",
     "wrong formula"),
    (checks.check_average, lambda g, c: average(g, c[::-1]), "another one's count", "wrong axis"),
    (checks.check_average, lambda g, c: sum(g) / sum(c), "weighed no gradient", "left-out step"),
    (checks.check_average, lambda g, c: g[0], "the first process's", "left-out step"),
    (checks.check_average, lambda g, c: average(g[1:], c[1:]), "not that of the whole",
     "off by one"),
    (checks.check_average, summed(average), "left behind from one call", "state left behind"),
    (checks.check_average, lambda g, c: average(g, c).mean(), "gradients' own shape", "wrong axis"),
    (checks.check_average, lambda g, c: 1.0, "one tensor", None),
    (checks.check_bytes_sent, lambda p, N: bytes_sent(p, N) / 4, "each takes 4 bytes",
     "left-out step"),
    (checks.check_bytes_sent, lambda p, N: bytes_sent(p, N) / 2, "one tour", "left-out step"),
    (checks.check_bytes_sent, lambda p, N: 4 * p, "size of the gradients", "wrong formula"),
    (checks.check_bytes_sent, lambda p, N: 8 * p, "the gradients twice", "left-out step"),
    (checks.check_bytes_sent, lambda p, N: 8 * p / N, "one step of each tour", "left-out step"),
    (checks.check_bytes_sent, lambda p, N: 8 * p * (N + 1) / N, "fewer steps", "off by one"),
    (checks.check_bytes_sent, lambda p, N: 4 * p * (N - 1), "everything to everybody",
     "wrong formula"),
    (checks.check_bytes_sent, lambda p, N: N * bytes_sent(p, N), "send together", "wrong unit"),
    (checks.check_bytes_sent, lambda p, N: 8 * bytes_sent(p, N), "those are bits", "wrong unit"),
    (checks.check_bytes_sent, lambda p, N: bytes_sent(p, N) / 1e6, "megabytes", "wrong unit"),
    (checks.check_bytes_sent, lambda p, N: bytes_sent(43_093_322, N), "the lesson's parameters",
     "works for the shown case only"),
    (checks.check_bytes_sent, lambda p, N: bytes_sent(p, 8), "use world_size",
     "works for the shown case only"),
    (checks.check_bytes_sent, lambda p, N: 1.0, "not it", "works for the shown case only"),
    (checks.check_bytes_sent, lambda p, N: bytes_sent(p, max(N, 2)), "nobody to send to",
     "left-out step"),
    (checks.check_bytes_sent, summed(bytes_sent), "left behind from one call", "state left behind"),
    (checks.check_bytes_sent, lambda p, N: "much", "one number", None),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, N, e) / e,
     "a share of all the time", "wrong formula"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, N, e) * (1 - e),
     "all the time, and most", "left-out step"),
    (checks.check_link_needed, lambda t, s, N, e: 2 * (N - 1) / N * s / (t * e),
     "what is left is for the wire", "left-out step"),
    (checks.check_link_needed, lambda t, s, N, e: 2 * (N - 1) / N * s / t,
     "as long as the computing", "left-out step"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, N, e) * N / (N - 1) / 2,
     "gradients once", "left-out step"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, N, e) * N / (N - 1),
     "all the gradients in each tour", "left-out step"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, N, e) / 2, "one tour",
     "left-out step"),
    (checks.check_link_needed, lambda t, s, N, e: 8 * link_needed(t, s, N, e), "bits",
     "wrong unit"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, N, e) / 1e9, "gigabytes",
     "wrong unit"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t / N, s, N, e), "nothing is cut",
     "wrong formula"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, N + 1, e),
     "how many bytes", "off by one"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, 8, e), "use world_size",
     "works for the shown case only"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, N, 0.9), "use efficiency",
     "works for the shown case only"),
    (checks.check_link_needed, lambda t, s, N, e: 1e9, "is not it",
     "works for the shown case only"),
    (checks.check_link_needed, summed(link_needed), "left behind from one call",
     "state left behind"),
    (checks.check_link_needed, lambda t, s, N, e: "NVLink", "one number", None),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), EMPTY)
def test_empty(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake", "kind"), WRONG)
def test_wrong(check, answer, mistake, kind):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)


def test_the_praise_of_link_needed():
    ratio = link_needed(1, 1e9, 8, 0.99) / link_needed(1, 1e9, 8, 0.9)
    assert ratio == pytest.approx(11)
