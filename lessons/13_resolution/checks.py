"""Lesson 13's exercises."""

import copy
import functools
import math
import random
import statistics

import torch
from scipy.stats import norm, t
from torch import nn

from d2lvgg.exercises import (
    WrongAnswer,
    as_number,
    ask,
    ask_twice,
    exercise,
    expect,
)
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
        found = ask_twice(
            lambda numbers: as_numbers(numbers, 3, "three numbers, (parameters, FLOPs, places), "
                                                   "are"), answer, arch, before, after)
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
    """Lesson 13, exercise 4: the same weights, images of any size."""
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
    """Lesson 13, exercise 2: eight convolutions for 28 pixels."""
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
    flops, parameters, inputs = 0, 0, 1
    for place, (count, channels) in enumerate(arch):
        kernels = inputs * channels + (count - 1) * channels**2
        flops += 2 * 9 * kernels * (28 // 2**place) ** 2
        parameters += 9 * kernels + 3 * count * channels  # a bias, and batch norm's two
        inputs = channels
    parameters += (49 * inputs + 1) * 10
    expect(flops <= 64e6, f"it takes {flops / 1e6:.3g} MFLOP an image, and 64 are allowed: halve "
                          "the channels, and the work falls to a quarter")
    expect(45_000 <= parameters <= 60_000,
           f"small_net(arch_28, 7) has {parameters:,} parameters, too "
           f"{'few' if parameters < 45_000 else 'many'} for a fair comparison: the channels of the "
           "last block decide most of them")
    return (f"{flops / 1e6:.0f} MFLOP and {parameters:,} parameters, and not one enlarged pixel. "
            "Train it in your experiment.")


students_t = functools.cache(lambda level, free: float(t.ppf(level, free)))  # scipy's is slow


def interval(ours, theirs, comparisons, *, quantile=None, spread=statistics.stdev, root=True,
             paired=True, free=None, sides=2):
    """Return (low, high) of the mean difference, or with an option changed, one mistake's."""
    n = len(ours)
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    middle = statistics.mean(differences)
    free = (n - 1 if paired else 2 * n - 2) if free is None else free
    level = 1 - 0.05 / comparisons / sides
    if paired:
        error = spread(differences) / (n**0.5 if root else 1)
    else:
        error = ((statistics.variance(ours) + statistics.variance(theirs)) / n) ** 0.5
    reach = error * (students_t(level, free) if quantile is None else quantile(level))
    return middle - reach, middle + reach


def verdict_of(ours, theirs, comparisons, **mistake):
    low, high = interval(ours, theirs, comparisons, **mistake)
    return "better" if low > 0 else "worse" if high < 0 else "not shown"


TURNED = {"better": "worse", "worse": "better", "not shown": "not shown"}
WRONG_VERDICTS = {
    "you say 'better' of every pair": lambda a, b, m: "better",
    "you say 'not shown' of every pair": lambda a, b, m: "not shown",
    "better and worse are turned round: ours less theirs": lambda a, b, m:
        TURNED[verdict_of(a, b, m)],
    "you compared the means alone: ask whether the interval misses 0": lambda a, b, m:
        "better" if statistics.mean(a) > statistics.mean(b) else "worse",
    "a significant difference may also be a loss: look at its sign": lambda a, b, m:
        "not shown" if verdict_of(a, b, m) == "not shown" else "better",
    "you forgot the worse ones: an interval below 0 is a verdict, too": lambda a, b, m:
        "better" if verdict_of(a, b, m) == "better" else "not shown",
    "you took one comparison as given: with several, each must be surer": lambda a, b, m:
        verdict_of(a, b, 1),
    "more comparisons make your interval narrower, and it must get wider: the chance of an error "
    "is divided among them": lambda a, b, m: verdict_of(a, b, 1 / m),
    "your interval leaves the whole chance of an error at one end: it has two, so half of it "
    "belongs to each": lambda a, b, m: verdict_of(a, b, m, sides=1),
    "your interval comes from the normal curve: with few seeds Student's t is wider": lambda a, b,
        m: verdict_of(a, b, m, quantile=norm.ppf),
    "two standard errors, whatever n is: take Student's t": lambda a, b, m:
        verdict_of(a, b, m, quantile=lambda level: 2),
    "you compared the two lists as if they had no seeds in common: take the differences, seed by "
    "seed, first": lambda a, b, m: verdict_of(a, b, m, paired=False),
    "your degrees of freedom are n: one is spent on the mean": lambda a, b, m:
        verdict_of(a, b, m, free=len(a)),
    "your degrees of freedom are those of five seeds: n may differ": lambda a, b, m:
        verdict_of(a, b, m, free=4),
    "you took the spread of single differences: the mean of n has an error smaller by the root of "
    "n": lambda a, b, m: verdict_of(a, b, m, root=False),
    "you divided the squares by n: with few seeds take n - 1 (statistics.stdev)": lambda a, b, m:
        verdict_of(a, b, m, spread=statistics.pstdev),
}


@functools.cache
def pairs_of_runs():
    """Return (ours, theirs, comparisons) with few and many seeds, none of them near the line."""
    rng, cases = random.Random(0), []
    while len(cases) < 120:
        n, comparisons = rng.randint(3, 9), rng.choice((1, 1, 2, 6, 15))
        common = [rng.gauss(0.8, 0.02) for _ in range(n)]  # good seeds are good for both arms
        gap, scatter = rng.choice((-1, 1)) * rng.uniform(0.004, 0.03), rng.uniform(0.002, 0.012)
        ours = [round(c + gap + rng.gauss(0, scatter), 4) for c in common]
        theirs = [round(c + rng.gauss(0, scatter), 4) for c in common]
        low, high = interval(ours, theirs, comparisons)
        if min(abs(low), abs(high)) > 0.02 * (high - low) > 0:
            cases.append((ours, theirs, comparisons))
    return cases


def as_verdict(found):
    word = found.strip().lower() if isinstance(found, str) else found
    expect(isinstance(word, str) and word in TURNED,
           f"one of 'better', 'worse' and 'not shown' is wanted, not {found!r}")
    return word


@exercise
def check_decide(answer):
    """Lesson 13, exercise 3: a verdict by Student's t on paired seeds, for several comparisons."""
    cases = pairs_of_runs()
    found = [ask_twice(as_verdict, answer, *case) for case in cases]
    right = [verdict_of(*case) for case in cases]
    for mistake, wrong in WRONG_VERDICTS.items() if found != right else ():
        same = all(mine == wrong(*case) for mine, case in zip(found, cases, strict=True))
        expect(not same, mistake)
    for (ours, theirs, comparisons), mine, wanted in zip(cases, found, right, strict=True):
        expect(mine == wanted,
               f"decide({ours}, {theirs}, {comparisons}) gave {mine!r}: take the differences seed "
               "by seed, their mean, its standard error, and Student's t for as many seeds and as "
               "many comparisons")
    return "Two questions are left: who chose the seeds, and how many arms were not shown?"
