"""Lesson 13's exercises."""

import copy
import functools
import math
import random
import statistics

import torch
from torch import nn

from d2lvgg.exercises import WrongAnswer, as_number, ask, exercise, expect
from d2lvgg.models import VGG_ARCHS, shrink, vgg, vgg_block
from d2lvgg.shapes import trace_shapes


def as_list(found, wanted):
    """Return what a list, array or tensor holds as a list. Raises WrongAnswer for others."""
    try:
        return list(found if not isinstance(found, (str, bytes, set, dict)) else None)
    except TypeError:
        raise WrongAnswer(f"{wanted} wanted, not {found!r}") from None


def as_numbers(found, count, wanted):
    """Return the count numbers of a list, tuple, array or tensor as a tuple of Python's."""
    numbers = as_list(found, wanted)
    expect(len(numbers) == count, f"{wanted} wanted, not {found!r}")
    return tuple(as_number(number) for number in numbers)


def as_truth(found):
    """Return True or False, numpy's and a tensor of one included. Raises WrongAnswer for others."""
    if getattr(found, "ndim", None) == 0 and hasattr(found, "item"):
        found = found.item()
    expect(isinstance(found, bool), f"True or False is wanted, not {found!r}")
    return found


@exercise
def check_effect(answer):
    """Lesson 13, exercise 1: the book's exercise 3, as three ratios."""

    def count(conv_arch, size):
        with torch.device("meta"):
            table = trace_shapes(vgg(conv_arch, input_size=size), (1, 1, size, size))
        blocks = table[:len(conv_arch)]
        before, places = (row.output_shape[-2:].numel() for row in blocks[-2:])
        return {"parameters": table.params, "FLOPs": table.flops, "places": places,
                "blocks' FLOPs": sum(row.flops for row in blocks), "places before": before}

    def close(a, b):
        return math.isclose(a, b, rel_tol=0.005)

    vgg11, small = VGG_ARCHS["vgg11"], ((1, 8), (2, 16), (1, 24))
    for arch, before, after in ((small, 40, 102), (vgg11, 224, 96),
                                 (shrink(vgg11, 4), 96, 224)):
        asked = f"effect({arch}, {before}, {after})"
        found, again = (as_numbers(ask(answer, arch, before, after), 3,
                                   "three numbers, (parameters, FLOPs, places), are")
                        for _ in range(2))
        expect(found == again, f"{asked} gave {found} and then {again}: something is kept from "
                               "call to call")
        old, new = count(arch, before), count(arch, after)
        ratios = {name: new[name] / old[name] for name in old}
        right = [ratios[name] for name in ("parameters", "FLOPs", "places")]

        def are(change, found=found, right=right):
            return all(close(number, change(wanted))
                       for number, wanted in zip(found, right, strict=True))

        expect(not are(lambda ratio: 1 / ratio),
               f"{asked}: your ratios are upside down: divide what {after} pixels need by what "
               f"{before} need")
        expect(not are(lambda ratio: 100 * ratio), f"{asked}: those are per cent, and not ratios")
        expect(not are(lambda ratio: ratio - 1),
               f"{asked}: that is how much is added or lost: divide after by before, no more")
        lesson = (0.35, 0.19, 9 / 49)  # as the lesson rounds VGG-11's, from 224 to 96
        expect(arch == vgg11 or not all(math.isclose(mine, known, abs_tol=0.006)
                                        for mine, known in zip(found, lesson, strict=True)),
               f"{asked}: those are VGG-11's ratios from 224 to 96: use the three arguments")
        parameters, flops, places = found
        expect(not math.isclose(parameters, 1),
               f"{asked}: you say the parameters stay the same; those of the blocks do, and the "
               "first linear layer's do not")
        expect(not close(flops, ratios["blocks' FLOPs"]) or close(flops, ratios["FLOPs"]),
               f"{asked}: those are the FLOPs of the blocks: the linear layers work too")
        expect(not close(places, ratios["places"] ** 0.5),
               f"{asked}: {places:.3f} is the ratio of the sides; a map has side times side "
               "places")
        pixels = (after / before) ** 2
        expect(not close(places, pixels) or close(pixels, ratios["places"]),
               f"{asked}: {pixels:.3f} is the ratio of the pixels; each pool drops an odd last "
               "row, so count the places that are left")
        expect(not close(places, ratios["places before"])
               or close(ratios["places"], ratios["places before"]),
               f"{asked}: those are the places before the last block: it has a pool too")
        for name, mine, wanted in zip(("parameters", "FLOPs", "places"), found, right, strict=True):
            expect(close(mine, wanted),
                   f"{asked}: for the {name} you have {mine:.4g}, and trace_shapes counts "
                   "otherwise: build vgg(conv_arch, input_size=size) for both sizes, with one "
                   "channel, and divide the second count by the first")
    return "Work falls with the pixels, weights by their head alone: so time falls more than size."


def narrow_vgg(conv_arch, size):
    """Return a network as vgg builds it, with a head of 16 in place of 4096: that is quicker."""
    blocks, channels = [], 1
    for num_convs, out_channels in conv_arch:
        blocks.append(vgg_block(num_convs, channels, out_channels))
        channels = out_channels
    places = (size // 2 ** len(conv_arch)) ** 2
    return nn.Sequential(*blocks, nn.Flatten(),
                         nn.Linear(channels * places, 16), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(16, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 10))


@exercise
def check_any_size(answer):
    """Lesson 13, exercise 2: the same weights, images of any size."""
    torch.manual_seed(0)
    for arch, size, others in ((((1, 4), (1, 8)), 12, (24, 16, 7)),
                               (((1, 4), (1, 8)), 12, (24,)), (((1, 4),), 6, (13, 2))):
        net, side = narrow_vgg(arch, size).eval(), size // 2 ** len(arch)
        found = ask(answer, copy.deepcopy(net), side)
        expect(isinstance(found, nn.Module), f"a network is wanted, not {type(found).__name__}")
        found.eval()
        pools = [module.output_size for module in found.modules()
                 if isinstance(module, nn.AdaptiveAvgPool2d)]
        expect(all(pool in (side, (side, side), [side, side]) for pool in pools),
               f"you pooled to {pools}, and the first linear layer waits for {side} x {side}: give "
               "the pool the size that side says")
        expect(sum(p.numel() for p in found.parameters())
               == sum(p.numel() for p in net.parameters()),
               "the parameters are not as many as before: make no new layers with weights, put a "
               "pool between the old ones")
        for pixels in (size, *others):
            X = torch.rand(2, 1, pixels, pixels)
            with torch.no_grad():
                maps = net[:len(arch)](X)
                right = net[len(arch):](nn.functional.adaptive_avg_pool2d(maps, side))
                try:
                    y = found(X)
                except Exception as error:
                    raise WrongAnswer(f"it refused {pixels} pixels ({error}): the pool must stand "
                                      "between the blocks and Flatten") from None
            expect(isinstance(y, torch.Tensor) and y.shape == right.shape,
                   f"at {pixels} pixels it gives no row of classes for each image")
            expect(pixels != size or torch.allclose(y, right, atol=1e-5),
                   f"at {size} pixels, the size it was built for, it answers otherwise than net: "
                   "its weights must be net's, those of this call")
            expect(torch.allclose(y, right, atol=1e-5),
                   f"at {pixels} pixels the answer is not that of an average pool, to side x side, "
                   "between the blocks and Flatten")
    return "torchvision's VGG has this pool, which is why it never refused 96 pixels in lesson 07."


@exercise
def check_small_arch(answer):
    """Lesson 13, exercise 3: eight convolutions for 28 pixels."""
    pairs = "pairs (num_convs, out_channels), such as those of VGG_ARCHS, are"
    arch = [as_numbers(pair, 2, pairs) for pair in as_list(answer, pairs)]
    expect(arch and all(number > 0 and number % 1 == 0 for pair in arch for number in pair),
           f"{pairs} wanted, whole numbers above zero, not {answer!r}")
    convs = sum(count for count, _ in arch)
    expect(convs <= 8 or sum(channels for _, channels in arch) != 8,
           "the pairs are turned round: num_convs stands first")
    expect(len(arch) != 8, "you made eight blocks, and each pools: 28 pixels survive four; put "
                           "several convolutions into a block")
    expect(len(arch) < 5, f"{len(arch)} blocks pool {len(arch)} times, and 28 pixels survive four")
    side = 28 // 2 ** len(arch)
    expect(side == 7, f"your {len(arch)} blocks leave {side} x {side} places, and 7 x 7 are "
                      "wanted: each block halves the side once")
    expect(convs == 8, f"your table has {convs} convolutions, and eight are wanted")
    flops, inputs = 0, 1
    for place, (count, channels) in enumerate(arch):
        kernels = inputs * channels + (count - 1) * channels**2
        flops += 2 * 9 * kernels * (28 // 2**place) ** 2
        inputs = channels
    expect(flops <= 64e6, f"it takes {flops / 1e6:.3g} MFLOP an image, and 64 are allowed: halve "
                          "the channels, and the work falls to a quarter")
    return f"{flops / 1e6:.0f} MFLOP: as deep as VGG-11, and it never saw an enlarged pixel."


def standard_errors(first, second, spread=statistics.variance, counts=None):
    """Return how many joint standard errors the mean of first is above that of second."""
    counts = counts or (len(first), len(second))
    squares = [spread(runs) / n for runs, n in zip((first, second), counts, strict=True)]
    return (statistics.mean(first) - statistics.mean(second)) / sum(squares) ** 0.5


def summed_errors(first, second):
    errors = [statistics.stdev(runs) / len(runs) ** 0.5 for runs in (first, second)]
    return (statistics.mean(first) - statistics.mean(second)) / sum(errors)


WRONGLY_APART = {
    "you say True of every pair": lambda a, b: True,
    "you say False of every pair": lambda a, b: False,
    "you compared the best runs: the luckiest of several says little about the next":
        lambda a, b: max(a) != max(b),
    "you compared the ranges: the standard error of the mean is wanted":
        lambda a, b: max(a) < min(b) or max(b) < min(a),
    "you compared with the spread of single runs: the mean of n runs scatters less, so divide "
    "each variance by n": lambda a, b: abs(standard_errors(a, b, counts=(1, 1))) > 2,
    "you divided both variances by the same number: the lists may differ in length":
        lambda a, b: abs(standard_errors(a, b, counts=(len(a), len(a)))) > 2,
    "you divided both variances by 3: the lists may have any length":
        lambda a, b: abs(standard_errors(a, b, counts=(3, 3))) > 2,
    "you divided the squares by n: with few runs take n - 1 (statistics.variance)":
        lambda a, b: abs(standard_errors(a, b, statistics.pvariance)) > 2,
    "you took the standard deviations for variances, or divided them by n: square first":
        lambda a, b: abs(standard_errors(a, b, statistics.stdev)) > 2,
    "you added the two standard errors: of independent numbers the variances add, the errors "
    "do not": lambda a, b: abs(summed_errors(a, b)) > 2,
    "apart means either way: take the absolute difference":
        lambda a, b: standard_errors(a, b) > 2,
    "one standard error is not enough: the line is drawn at two":
        lambda a, b: abs(standard_errors(a, b)) > 1,
    "two means are never equal: compare their difference with its error":
        lambda a, b: statistics.mean(a) != statistics.mean(b),
    "these are the pairs that are not told apart": lambda a, b: abs(standard_errors(a, b)) <= 2,
}


@functools.cache
def pairs_of_runs():
    """Return pairs of lists of accuracies, none of them near the line."""
    rng = random.Random(0)
    pairs = [([0.25, 0.75], [0.5, 0.375, 0.625]), ([0.10, 0.11], [0.90, 0.91, 0.92])]
    while len(pairs) < 100:
        n, m = rng.randint(2, 6), rng.randint(2, 6)
        first = [round(rng.gauss(0.80, 0.01), 3) for _ in range(n)]
        second = [round(rng.gauss(0.80 + rng.choice((-1, 1)) * 0.014, 0.01), 3) for _ in range(m)]
        if min(statistics.variance(first), statistics.variance(second)) > 0 \
                and abs(abs(standard_errors(first, second)) - 2) > 0.05:
            pairs.append((first, second))
    return pairs


@exercise
def check_apart(answer):
    """Lesson 13, exercise 4: two lists of accuracies, told apart or not."""
    cases = pairs_of_runs()
    found = [as_truth(ask(answer, *case)) for case in cases]
    expect(found == [as_truth(ask(answer, *case)) for case in cases],
           "the same lists twice gave two answers: something is kept from call to call")
    for mistake, wrong in WRONGLY_APART.items():
        expect(found != [wrong(*case) for case in cases], mistake)
    for case, mine in zip(cases, found, strict=True):
        expect(mine == (abs(standard_errors(*case)) > 2),
               f"apart{case} gave {mine}: compare the distance of the means with two joint "
               "standard errors, the root of the sum of variance / n of both lists")
    return "With three seeds 2 is a lenient line; a t-test would draw it nearer 3."
