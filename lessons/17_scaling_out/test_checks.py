"""The checks of lesson 17 against right answers, stubs and typical wrong answers."""

import pytest

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


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_share, share),
    (checks.check_share, lambda n, w, r: list(range(r, n, w))),
    (checks.check_average, average),
    (checks.check_bytes_sent, bytes_sent),
    (checks.check_link_needed, link_needed),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


def test_the_praise_of_link_needed():
    ratio = link_needed(1, 1e9, 8, 0.99) / link_needed(1, 1e9, 8, 0.9)
    assert ratio == pytest.approx(11)


@pytest.mark.parametrize("check", [checks.check_share, checks.check_average,
                                   checks.check_bytes_sent, checks.check_link_needed])
def test_stub(check, capsys):
    assert check(lambda *given: ...) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_share, lambda n, w, r: n // w, "as a range or a list"),
    (checks.check_share, lambda n, w, r: range(n // w * r, n // w * (r + 1)), "nobody takes"),
    (checks.check_share, chunk, "differ by more than one"),
    (checks.check_share, all_to_the_last, "differ by more than one"),
    (checks.check_share, lambda n, w, r: range(n // w), "the same pictures"),
    (checks.check_share, lambda n, w, r: range(n // w * r, n // w * (r + 1) + 1), "outside"),
    (checks.check_share, lambda n, w, r: range(n * r // w, min(n, n * (r + 1) // w + 1)), "twice"),
    (checks.check_share, lambda n, w, r: list(share(n, w, r))[1:], "taken by nobody"),
    (checks.check_average, lambda g, c: sum(g), "you added"),
    (checks.check_average, lambda g, c: sum(g) / len(g), "you averaged the processes"),
    (checks.check_average, lambda g, c: average(g, c) * sum(c), "divide by all pictures"),
    (checks.check_average, lambda g, c: average(g, c) * sum(c) / len(c), "number of pictures"),
    (checks.check_average, lambda g, c: average(g, c) / len(c), "need no more dividing"),
    (checks.check_average, lambda g, c: average(g, c[::-1]), "weigh each by its count"),
    (checks.check_average, lambda g, c: 1.0, "a tensor"),
    (checks.check_bytes_sent, lambda p, N: bytes_sent(p, N) / 4, "each takes 4 bytes"),
    (checks.check_bytes_sent, lambda p, N: 8 * p * (N - 1) / N / 2, "one tour"),
    (checks.check_bytes_sent, lambda p, N: 4 * p, "size of the gradients"),
    (checks.check_bytes_sent, lambda p, N: 4 * p * (N - 1), "everything to everybody"),
    (checks.check_bytes_sent, lambda p, N: N * bytes_sent(p, N), "send together"),
    (checks.check_bytes_sent, lambda p, N: bytes_sent(p, max(N, 2)), "nobody to send to"),
    (checks.check_bytes_sent, lambda p, N: 8 * p, "each sends"),
    (checks.check_bytes_sent, lambda p, N: "much", "one number"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, N, e) / e,
     "a share of all the time"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, N, e) * (1 - e),
     "all the time, and most"),
    (checks.check_link_needed, lambda t, s, N, e: 2 * (N - 1) / N * s / (t * e),
     "what is left is for the wire"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t, s, N, e) * N / (N - 1) / 2,
     "gradients once"),
    (checks.check_link_needed, lambda t, s, N, e: 8 * link_needed(t, s, N, e), "bits"),
    (checks.check_link_needed, lambda t, s, N, e: link_needed(t / N, s, N, e), "nothing is cut"),
    (checks.check_link_needed, lambda t, s, N, e: 1e9, "and you say"),
])
def test_wrong(check, answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
