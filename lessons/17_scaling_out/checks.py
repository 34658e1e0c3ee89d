"""Lesson 17's exercises."""

import torch

from d2lvgg.exercises import WrongAnswer, ask, ask_number, exercise, expect, expect_not


@exercise
def check_share(answer):
    """Lesson 17, exercise 1: shares that are the batch, each picture once, equal but for one."""
    for n, world_size in ((96, 2), (96, 7), (101, 3), (10, 4), (5, 5), (2, 3)):
        shares = []
        for rank in range(world_size):
            found = ask(answer, n, world_size, rank)
            try:
                shares.append([int(place) for place in found])
            except TypeError:
                raise WrongAnswer("the places in the batch are wanted, as a range or a list, not "
                                  f"{found!r}") from None
        places, sizes = sorted(sum(shares, [])), [len(share) for share in shares]
        cut = f"{n} pictures among {world_size} processes"
        expect(all(0 <= place < n for place in places),
               f"{cut}: you give places outside range({n})")
        expect(world_size == 1 or shares[0] != shares[1] or not shares[0],
               f"{cut}: ranks 0 and 1 take the same pictures, so use rank")
        twice = [here for here, after in zip(places, places[1:], strict=False) if here == after]
        expect(not twice, f"{cut}: the picture {twice[:1]} is taken twice, and weighs double")
        expect(len(places) == n or set(sizes) != {n // world_size},
               f"{cut}: nobody takes the last {n - len(places)}: shares of n // world_size leave "
               "the remainder behind")
        expect(len(places) == n, f"{cut}: {n - len(places)} are taken by nobody")
        expect(max(sizes) - min(sizes) <= 1,
               f"{cut}: your shares have {sizes}, which differ by more than one, and all wait for "
               "the largest: spread the remainder, one picture a process")
    return "All wait for the process with the most, so equal shares are also the fastest."


@exercise
def check_average(answer):
    """Lesson 17, exercise 2: the shares' gradients, weighted by their pictures."""
    generator = torch.Generator().manual_seed(0)
    for counts in ([64, 64], [3, 2], [43, 43, 42], [127, 1], [5, 0]):
        gradients = [torch.randn(6, generator=generator, dtype=torch.float64) for _ in counts]
        found = ask(answer, [gradient.clone() for gradient in gradients], list(counts))
        expect(isinstance(found, torch.Tensor) and found.shape == (6,),
               "a tensor of the gradients' own shape is wanted")
        total = sum(n * gradient for n, gradient in zip(counts, gradients, strict=True))
        right = total / sum(counts)

        def is_(wrong, found=found, right=right):
            return torch.allclose(found, wrong) and not torch.allclose(wrong, right)

        cut = " + ".join(map(str, counts))
        expect(not is_(sum(gradients)), "you added the gradients: a sum of means is no mean")
        expect(not is_(sum(gradients) / len(counts)),
               f"you averaged the processes: in {cut} a picture of the smaller share then weighs "
               "more than one of the larger")
        expect(not is_(total), "you added up the counts' products: divide by all pictures")
        expect(not is_(total / len(counts)),
               "you divided by the number of processes: divide by the number of pictures")
        expect(not is_(right / len(counts)),
               "too small by the number of processes: weights that add up to one need no more "
               "dividing")
        expect(torch.allclose(found, right),
               f"for {cut} the gradient is not that of the whole: weigh each by its count")
    return "d2lvgg puts the weight on the loss, so that DDP's plain mean comes out right."


@exercise
def check_bytes_sent(answer):
    """Lesson 17, exercise 3: 2 (N - 1) / N times four bytes a parameter."""
    for parameters, N in ((43_093_322, 5), (43_093_322, 8), (1_000, 2), (1_000, 1)):
        found = ask_number(answer, parameters, N)
        right, given = 8 * parameters * (N - 1) / N, f"{parameters:,} parameters in {N} processes: "
        expect(N > 1 or found == 0, "one process has nobody to send to: 0 bytes")
        expect_not(found, 2 * parameters * (N - 1) / N, right,
                   given + "you count numbers, and each takes 4 bytes")
        expect_not(found, 4 * parameters, right,
                   given + "that is the size of the gradients, and a ring sends each piece on "
                   "through both tours")
        expect_not(found, 4 * parameters * (N - 1) / N, right,
                   given + "that is one tour, which sums up: the sums must go round too")
        expect_not(found, 4 * parameters * (N - 1), right,
                   given + "that is everything to everybody: in a ring a process sends pieces, to "
                   "its neighbour alone")
        expect_not(found, N * right, right, given + "that is what all of them send together")
        expect(abs(found - right) <= 1e-6 * right,
               given + f"each sends {right:,.0f} bytes, and you say {found:,.0f}")
    return "It never reaches twice the gradients: the wire's load hardly grows with the processes."


@exercise
def check_link_needed(answer):
    """Lesson 17, exercise 4: the wire's speed that leaves a given efficiency."""
    for seconds, size, N, efficiency in ((0.03, 172e6, 6, 0.9), (0.03, 2e6, 2, 0.5),
                                         (0.5, 1e9, 4, 0.75)):
        found = ask_number(answer, seconds, size, N, efficiency)
        sent, spare = 2 * (N - 1) / N * size, seconds / efficiency - seconds
        right = sent / spare

        def is_(wrong, found=found, right=right):
            return abs(found - wrong) < 1e-6 * wrong and abs(wrong - right) > 1e-6 * right

        given = f"{efficiency:.0%} with {N} GPUs and {seconds} s a step: "
        expect(not is_(sent / (seconds * (1 - efficiency))),
               given + "the wire may take a share of all the time, not of the computing time: "
               "first find how long all of it is")
        expect(not is_(sent / (seconds / efficiency)),
               given + "you gave the wire all the time, and most of it is computing")
        expect(not is_(sent / (seconds * efficiency)),
               given + "you gave the wire the computing time's share: what is left is for the wire")
        expect(not is_(size / spare),
               given + "a process does not send the gradients once: 2 (N - 1) / N times")
        expect(not is_(8 * right), given + "that is in bits a second: bytes are wanted")
        expect(not is_(N * right),
               given + "here each GPU computes step_seconds on a batch of its own: nothing is cut")
        expect(abs(found - right) <= 1e-6 * right,
               given + f"a wire of {right:.3g} bytes/s is needed, and you say {found:.3g}")
    return "From 0.9 to 0.99 the wire must be eleven times faster: the last points cost the most."
