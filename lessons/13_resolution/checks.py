"""Lesson 13's exercises."""

import math
import random
import statistics

import torch
from torch import nn

from d2lvgg.exercises import WrongAnswer, ask, exercise, expect
from d2lvgg.models import VGG_ARCHS, shrink, vgg
from d2lvgg.shapes import trace_shapes


@exercise
def check_effect(answer):
    """Lesson 13, exercise 1: the book's exercise 3, as three ratios."""

    def count(conv_arch, size):
        with torch.device("meta"):
            net = vgg(conv_arch, input_size=size)
        table = trace_shapes(net, (1, 1, size, size))
        side = table[len(conv_arch) - 1].output_shape[-1]
        return table.params, table.flops, side * side

    vgg11, small = VGG_ARCHS["vgg11"], ((1, 8), (2, 16), (1, 24))
    for arch, before, after in ((vgg11, 224, 96), (vgg11, 224, 64), (small, 40, 99),
                                (shrink(vgg11, 4), 96, 224)):
        asked = f"effect({arch}, {before}, {after})"
        found = ask(answer, arch, before, after)
        expect(isinstance(found, (tuple, list)) and len(found) == 3
               and all(isinstance(number, (int, float)) for number in found),
               f"three numbers are wanted (parameters, FLOPs, places), not {found!r}")
        old, new = count(arch, before), count(arch, after)
        right = [b / a for a, b in zip(old, new, strict=True)]
        expect(not all(math.isclose(a * b, 1, rel_tol=0.005)
                       for a, b in zip(found, right, strict=True)),
               f"{asked}: your ratios are upside down: divide what {after} pixels need by what "
               f"{before} need")
        expect(not math.isclose(found[0], 1),
               f"{asked}: you say the parameters stay the same; those of the blocks do, and the "
               "first linear layer's do not")
        expect(not math.isclose(found[2], right[2] ** 0.5),
               f"{asked}: {found[2]:.3f} is the ratio of the sides; a map has side times side "
               "places")
        pixels = (after / before) ** 2
        expect(not math.isclose(found[2], pixels) or math.isclose(pixels, right[2]),
               f"{asked}: {pixels:.3f} is the ratio of the pixels; each pool drops an odd last "
               "row, so count the places that are left")
        for name, mine, wanted in zip(("parameters", "FLOPs", "places"), found, right, strict=True):
            expect(math.isclose(mine, wanted, rel_tol=0.005),
                   f"{asked}: for the {name} you have {mine:.4g}, and trace_shapes says "
                   f"{wanted:.4g}")
    return "Work falls with the pixels, weights by their head alone: so time falls more than size."


@exercise
def check_any_size(answer):
    """Lesson 13, exercise 2: the same weights, pictures of any size."""
    for arch, size, others in ((((1, 4), (1, 8)), 12, (24, 16, 7)), (((1, 4),), 6, (13, 2))):
        torch.manual_seed(0)
        net, side = vgg(arch, input_size=size).eval(), size // 2 ** len(arch)
        found = ask(answer, net, side)
        expect(isinstance(found, nn.Module), f"a network is wanted, not {type(found).__name__}")
        found.eval()
        ones = [m for m in found.modules() if isinstance(m, nn.AdaptiveAvgPool2d)
                and m.output_size in (1, (1, 1))]
        expect(not ones or side == 1,
               f"you pooled to 1 x 1, and the first linear layer waits for {side} x {side}: give "
               "the pool that size")
        expect(sum(p.numel() for p in found.parameters())
               == sum(p.numel() for p in net.parameters()),
               "the parameters are not as many as before: make no new layers with weights, put a "
               "pool between the old ones")
        for pixels in (size, *others):
            X = torch.rand(2, 1, pixels, pixels)
            try:
                with torch.no_grad():
                    y = found(X)
            except RuntimeError as error:
                raise WrongAnswer(f"it refused {pixels} pixels ({error}): the pool must stand "
                                  "between the blocks and Flatten") from None
            with torch.no_grad():
                maps = net[:len(arch)](X)
                right = net[len(arch):](nn.functional.adaptive_avg_pool2d(maps, side))
            expect(pixels != size or torch.allclose(y, net(X), atol=1e-5),
                   f"at {size} pixels, the size it was built for, it answers otherwise than net: "
                   "its weights must be net's")
            expect(y.shape == right.shape and torch.allclose(y, right, atol=1e-5),
                   f"at {pixels} pixels the answer is not that of an average pool to {side} x "
                   f"{side} between the blocks and Flatten")
    return "torchvision's VGG has this pool, which is why it never refused 96 pixels in lesson 07."


@exercise
def check_small_arch(answer):
    """Lesson 13, exercise 3: eight convolutions for 28 pixels."""
    try:
        arch = tuple((int(convs), int(channels)) for convs, channels in answer)
    except (TypeError, ValueError):
        raise WrongAnswer(f"{answer!r} is not a sequence of (num_convs, out_channels) pairs"
                          ) from None
    convs = sum(count for count, _ in arch)
    expect(len(arch) != 8, "you made eight blocks, and each pools: 28 pixels survive four; put "
                           "several convolutions into a block")
    expect(len(arch) < 5, f"{len(arch)} blocks pool {len(arch)} times, and 28 pixels survive four")
    expect(len(arch) == 2, f"{len(arch)} blocks leave {28 // 2 ** len(arch)} x "
                           f"{28 // 2 ** len(arch)}: for 7 x 7, 28 is halved twice")
    expect(convs == 8, f"your table has {convs} convolutions, and eight are wanted")
    with torch.device("meta"):
        blocks = vgg(arch, input_size=28)[:2]
    flops = trace_shapes(blocks, (1, 1, 28, 28)).flops
    expect(flops <= 64e6, f"it takes {flops / 1e6:.0f} MFLOP a picture, and 64 are allowed: halve "
                          "the channels, and the work falls to a quarter")
    return f"{flops / 1e6:.0f} MFLOP: as deep as VGG-11, and it never saw an enlarged pixel."


@exercise
def check_apart(answer):
    """Lesson 13, exercise 4: two lists of accuracies, told apart or not."""

    def gap(first, second, spread=statistics.variance, root_n=True):
        errors = [spread(runs) / (len(runs) if root_n else 1) for runs in (first, second)]
        return abs(statistics.mean(first) - statistics.mean(second)) / sum(errors) ** 0.5

    rng = random.Random(0)
    cases = []
    while len(cases) < 60:
        n, m = rng.randint(2, 5), rng.randint(2, 5)
        first = [round(rng.gauss(0.80, 0.01), 3) for _ in range(n)]
        second = [round(rng.gauss(0.80 + rng.choice((-1, 1)) * 0.014, 0.01), 3) for _ in range(m)]
        if min(statistics.variance(first), statistics.variance(second)) > 0 \
                and abs(gap(first, second) - 2) > 0.05:
            cases.append((first, second))
    found = [bool(ask(answer, *case)) for case in cases]
    for others, mistake in (
            ([max(a) != max(b) for a, b in cases],
             "you compared the best runs: the luckiest of several says little about the next"),
            ([gap(a, b, root_n=False) > 2 for a, b in cases],
             "you compared with the spread of single runs: the mean of n runs scatters less, so "
             "divide each variance by n"),
            ([gap(a, b, statistics.pvariance) > 2 for a, b in cases],
             "you divided the squares by n: with few runs take n - 1 (statistics.variance)"),
            ([gap(a, b) > 2 and statistics.mean(a) > statistics.mean(b) for a, b in cases],
             "apart means either way: take the absolute difference"),
            ([statistics.mean(a) != statistics.mean(b) for a, b in cases],
             "two means are never equal: compare their difference with its error")):
        expect(found != others, mistake)
    for case, mine in zip(cases, found, strict=True):
        right = gap(*case) > 2
        expect(mine == right, f"apart{case} gave {mine}: the means are {gap(*case):.1f} standard "
                              "errors apart, and the line is drawn at 2")
    return "With three seeds 2 is a lenient line; a t-test would draw it nearer 3."
