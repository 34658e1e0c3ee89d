"""Lesson 07's exercises."""

import random

import torch

from d2lvgg.exercises import WrongAnswer, ask_number, exercise, expect, expect_not
from d2lvgg.models import VGG_ARCHS, vgg


def some_archs(seed=0):
    """Return conv_archs to try an answer on: VGG-11 and five small random ones."""
    rng = random.Random(seed)
    return [VGG_ARCHS["vgg11"],
            *(tuple((rng.randint(1, 3), rng.choice((4, 6, 8))) for _ in range(blocks))
              for blocks in (1, 2, 3, 4, 6))]


def meta_vgg(conv_arch, **options):
    with torch.device("meta"):
        return vgg(conv_arch, **options)


@exercise
def check_vgg13(answer):
    """Lesson 07, exercise 1: VGG-13 as a conv_arch."""
    try:
        arch = tuple((int(convs), int(channels)) for convs, channels in answer)
    except (TypeError, ValueError):
        raise WrongAnswer(f"{answer!r} is not a sequence of (num_convs, out_channels) pairs: write "
                          "five pairs, as in conv_arch") from None
    layers = sum(convs for convs, _ in arch) + 3
    expect(layers != 16, "13 convolutions and 3 linear layers are VGG-16: the name counts both, so "
                         "VGG-13 has 10 convolutions")
    expect(arch != VGG_ARCHS["vgg11"], "that is still VGG-11: two convolutions are missing")
    expect(len(arch) == 5, f"you have {len(arch)} blocks: each pools once more; put the new "
                           "convolutions into the five blocks")
    expect([channels for _, channels in arch] == [64, 128, 256, 512, 512],
           "the widths changed: they stay 64, 128, 256, 512, 512 in the whole family")
    expect(layers == 13, f"your network has {layers} layers with weights: {layers - 3} "
                         "convolutions and 3 linear ones")
    expect(arch == VGG_ARCHS["vgg13"], "13 layers, but in other blocks than the paper's: the two "
                                       "new convolutions go into the first two blocks")
    return "Two more convolutions, and only 184,512 more parameters: the early layers are cheap."


@exercise
def check_smallest_input(answer):
    """Lesson 07, exercise 2: the smallest picture that survives the pools."""
    for arch in some_archs():
        found, right = ask_number(answer, arch), 2 ** len(arch)
        expect_not(found, 32, right, f"{arch} has {len(arch)} pools, not 5: 32 is the answer for "
                                     "five blocks only")
        expect_not(found, 2 ** sum(count for count, _ in arch), right,
                   "you halved once a convolution: only the pool at the end of a block halves")
        expect_not(found, 7 * right, right,
                   "you asked for 7 x 7 at the end: one pixel is enough to survive")
        expect_not(found, 2 * len(arch), right,
                   "each pool halves what the one before left: multiply the twos, don't add them")
        expect(found == right, f"for {len(arch)} blocks you say {found}; {right} pixels halve to "
                               "one, and one fewer halves to none")
    return "Fashion-MNIST's 28 pixels survive four blocks, not five: that is why it is enlarged."


@exercise
def check_count_layers(answer):
    """Lesson 07, exercise 3: the number in the network's name."""
    for arch in [VGG_ARCHS["vgg19"], *some_archs()]:  # VGG-11 has 8 convolutions and 5 + 3 = 8
        found, convs = ask_number(answer, arch), sum(count for count, _ in arch)
        expect(found != convs, "you counted the convolutions alone: the three linear layers have "
                               "weights too")
        expect_not(found, len(arch) + 3, convs + 3,
                   "you counted blocks: a block of two convolutions is two layers")
        expect(found != convs + len(arch) + 3, "you counted pools too: a pool has no weights")
        expect(found == convs + 3, f"{arch} has {convs} convolutions and 3 linear layers, so "
                                   f"{convs + 3}, not {found}")
    return "The table alone knows the name; no network had to be built."


@exercise
def check_count_params(answer):
    """Lesson 07, exercise 4: parameters worked out from the table."""

    def total(arch, size, bias=1, chained=True, side=None):
        side = side or size // 2 ** len(arch)
        weights, width = 0, 1
        for convs, channels in arch:
            for _ in range(convs):
                weights += 9 * width * channels + bias * channels
                width = channels if chained else width
            width = channels
        for inputs, outputs in ((width * side * side, 4096), (4096, 4096), (4096, 10)):
            weights += inputs * outputs + bias * outputs
        return weights

    for arch, size in zip(some_archs(), (224, 32, 50, 64, 96, 128), strict=True):
        found = ask_number(answer, arch, size)
        right = sum(p.numel() for p in meta_vgg(arch, input_size=size).parameters())
        expect(found != total(arch, size, bias=0),
               "you left out the biases: one a channel, and one an output of a linear layer")
        expect_not(found, total(arch, size, side=7), right,
                   f"you took 7 x 7 for the last side; a {size}-pixel picture leaves "
                   f"{size // 2 ** len(arch)}")
        expect_not(found, total(arch, size, chained=False), right,
                   "inside a block the second convolution reads what the first one wrote: its "
                   "input channels are the block's output channels")
        expect(found == right, f"count_params({arch}, {size}) gave {found:,} and the network has "
                               f"{right:,}")
    return "A convolution's count has no picture size in it; only the first linear layer's has."
