"""Lesson 17's exercises."""

import math

import torch

from d2lvgg.exercises import WrongAnswer, as_number, ask_twice, exercise, expect


def as_places(found):
    """Return whole numbers, of a range, list or tensor. Raises WrongAnswer for anything else."""
    try:
        places = [as_number(place) for place in (found if not isinstance(found, str) else None)]
    except TypeError:
        raise WrongAnswer(f"the places in the batch are wanted, as a range or a list, not {found!r}"
                          ) from None
    expect(all(place % 1 == 0 for place in places), f"places are whole numbers, unlike {found!r}")
    return sorted(places)


def as_gradient(found):
    """Return six numbers as a list. Raises WrongAnswer for anything else."""
    expect(hasattr(found, "shape") and tuple(found.shape) == (6,),
           f"one tensor of the gradients' own shape, (6,), is wanted, not {found!r}")
    return [as_number(number) for number in found]


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-6)


@exercise
def check_share(answer):
    """Lesson 17, exercise 1: shares that are the batch, each image once, equal but for one."""
    for n, world_size in ((96, 2), (96, 7), (101, 3), (10, 4), (5, 5), (2, 3), (5, 2), (4, 1)):
        shares = [ask_twice(as_places, answer, n, world_size, rank)
                  for rank in reversed(range(world_size))][::-1]
        places, sizes = sorted(sum(shares, [])), [len(share) for share in shares]
        cut = f"{n} images among {world_size} processes"
        expect(not places or (places[0] >= 0 and places[-1] < n),
               f"{cut}: {[place for place in places if not 0 <= place < n][:1]} is outside "
               f"range({n}), which counts from 0")
        twins = [(rank, rank + 1) for rank in range(world_size - 1)
                 if shares[rank] and shares[rank] == shares[rank + 1]]
        expect(not twins, f"{cut}: ranks {twins[:1]} take the same images: use rank")
        twice = [here for here, after in zip(places, places[1:], strict=False) if here == after]
        expect(not twice, f"{cut}: the image {twice[:1]} is taken twice, and weighs double")
        missing = n - len(places)
        expect(not missing or set(sizes) != {n // world_size},
               f"{cut}: nobody takes {missing} of them: shares of n // world_size leave the "
               "remainder behind")
        expect(not missing, f"{cut}: {missing} of them are taken by nobody")
        expect(max(sizes) - min(sizes) <= 1,
               f"{cut}: your shares have {sizes}, which differ by more than one, and all wait for "
               "the largest: spread the remainder")
    return "All wait for the process with the most, so equal shares are also the fastest."


@exercise
def check_average(answer):
    """Lesson 17, exercise 2: the shares' gradients, weighted by their images."""
    generator = torch.Generator().manual_seed(0)
    for counts in ([3, 2], [64, 64], [43, 43, 42], [127, 1], [5, 0]):
        gradients = [torch.randn(6, generator=generator, dtype=torch.float64) for _ in counts]
        found = torch.tensor(ask_twice(as_gradient, answer, gradients, counts),
                             dtype=torch.float64)
        total = sum(n * gradient for n, gradient in zip(counts, gradients, strict=True))
        right, mean = total / sum(counts), sum(gradients) / len(counts)
        turned = sum(n * gradient for n, gradient in zip(counts[::-1], gradients, strict=True))
        cut = " + ".join(map(str, counts))
        for wrong, mistake in (
                (sum(gradients), "you added the gradients: a sum of means is no mean"),
                (mean, "you averaged the processes: an image of the smaller share then weighs more "
                       "than one of the larger"),
                (total, "you added up the counts' products: divide by all images"),
                (total / len(counts), "you divided by the number of processes: divide by the "
                                      "number of images"),
                (total / 128, "128 is one batch of many: divide by the images of this one"),
                (total / counts[0], "you divided by the first share's images: divide by all"),
                (right / len(counts), "too small by the number of processes: weights that add up "
                                      "to one need no more dividing"),
                (turned / sum(counts), "each gradient has another one's count as its weight"),
                (sum(gradients) / sum(counts), "you divided by all images, and weighed no gradient "
                                               "with its own: a mean times its count is a sum"),
                (gradients[0], "that is the first process's: the others have gradients too")):
            expect(not torch.allclose(found, wrong, rtol=1e-4, atol=1e-6)
                   or torch.allclose(wrong, right, rtol=1e-4, atol=1e-6), f"{cut}: {mistake}")
        expect(torch.allclose(found, right, rtol=1e-4, atol=1e-6),
               f"for {cut} images the gradient is not that of the whole: how much does each image "
               "weigh?")
    return ("d2lvgg puts the weight on the loss, so that the plain mean over the processes comes "
            "out right.")


@exercise
def check_bytes_sent(answer):
    """Lesson 17, exercise 3: 2 (N - 1) / N times four bytes a parameter."""
    for parameters, N in ((1_000, 6), (43_093_322, 5), (43_093_322, 8), (1_000, 2), (1_000, 1)):
        found = ask_twice(as_number, answer, parameters, N)
        right, given = 8 * parameters * (N - 1) / N, f"{parameters:,} parameters in {N} processes: "
        expect(N > 1 or found == 0, "one process has nobody to send to")
        for wrong, mistake in (
                (right / 4, "you count numbers, and each takes 4 bytes"),
                (right / 2, "that is one tour, which sums up: the sums must go round too (or each "
                            "number has 4 bytes, and not 2)"),
                (4 * parameters, "that is the size of the gradients, and a ring sends each piece "
                                 "on through both tours"),
                (8 * parameters, "that is the gradients twice: a process has less to send on, for "
                                 "a tour has N - 1 steps of N pieces"),
                (4 * parameters * (N - 1), "that is everything to everybody: in a ring a process "
                                           "sends pieces, to its neighbour alone"),
                (8 * parameters / N, "that is one step of each tour: how many has a tour?"),
                (8 * parameters * (N + 1) / N, "a tour has fewer steps than there are processes"),
                (N * right, "that is what all of them send together: one process sends a piece of "
                            "N in each step"),
                (8 * right, "those are bits: bytes are wanted"),
                (2 * right, "8 bytes a number are float64's: float32 is exchanged"),
                (right / 1e6, "those are megabytes: bytes are wanted"),
                (right / 2**20, "those are mebibytes: bytes are wanted"),
                (8 * 43_093_322 * (N - 1) / N, "those are the lesson's parameters: use the "
                                               "argument"),
                *((8 * parameters * (n - 1) / n, "you took the number of processes from the "
                                                 "lesson: use world_size") for n in (7, 8, 1000))):
            expect(not close(found, wrong) or close(wrong, right), given + mistake)
        expect(close(found, right),
               given + f"{found:,.0f} bytes are not it: how many pieces, of what size, does a "
               "process send in the two tours?")
    return "It never reaches twice the gradients: the wire's load hardly grows with the processes."


@exercise
def check_link_needed(answer):
    """Lesson 17, exercise 4: the wire's speed that leaves a given efficiency."""
    for seconds, size, N, efficiency in ((0.03, 172e6, 6, 0.8), (0.03, 172e6, 8, 0.95),
                                         (0.03, 2e6, 2, 0.5), (0.5, 1e9, 4, 0.75)):
        found = ask_twice(as_number, answer, seconds, size, N, efficiency)
        sent, spare = 2 * (N - 1) / N * size, seconds / efficiency - seconds
        right = sent / spare
        given = f"{efficiency:.0%} with {N} GPUs and {seconds} s a step: "
        for wrong, mistake in (
                (sent / (seconds * (1 - efficiency)),
                 "the wire may take a share of all the time, not of the computing time: first find "
                 "how long all of it is"),
                (sent / (seconds / efficiency),
                 "you gave the wire all the time, and most of it is computing"),
                (sent / seconds, "you gave the wire as long as the computing"),
                (sent / (seconds * efficiency),
                 "you gave the wire the computing time's share: what is left is for the wire"),
                (size / spare, "a process does not send the gradients once: exercise 3 has the "
                               "factor"),
                (2 * size / spare, "a process does not send all the gradients in each tour: "
                                   "exercise 3 has the factor"),
                (right / 2, "that is one tour: the sums must go round too"),
                (N * right / 2, "that is everything to everybody: exercise 3 has the ring's "
                                "factor"),
                (2 * (8 - 1) / 8 * size / spare, "you took 8 GPUs: use world_size"),
                (sent / (seconds / 9), "that wire is for 90 %: use efficiency"),
                (8 * right, "that is in bits a second: bytes are wanted"),
                (right / 1e9, "that is in gigabytes a second: bytes are wanted"),
                (N * right,
                 "here each GPU computes step_seconds on a batch of its own: nothing is cut"),
                (sent * spare, "a wire's speed is bytes divided by seconds"),
                (1 / right, "upside down: a wire's speed is bytes divided by seconds")):
            expect(not close(found, wrong) or close(wrong, right), given + mistake)
        expect(close(found, right),
               given + f"{found:.3g} bytes/s is not it: how many bytes does a process send, and "
               "how many seconds are left for them?")
    return "From 0.9 to 0.99 the wire must be eleven times faster: the last points cost the most."
