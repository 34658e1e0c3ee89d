"""Lesson 08's exercises."""

import math

import torch
from torch import nn

from d2lvgg.exercises import ask, ask_number, checks_of, exercise, expect, expect_not
from d2lvgg.models import VGG_ARCHS, alexnet, vgg
from d2lvgg.shapes import trace_shapes

lesson_07 = checks_of("07")


@exercise
def check_count_results(answer):
    """Lesson 08, exercise 1: lines printed, lines with weights, layers with weights."""
    for arch in [*VGG_ARCHS.values(), *lesson_07.some_archs()]:
        net = lesson_07.meta_vgg(arch, input_size=2 ** len(arch))
        found = ask(answer, net)
        expect(isinstance(found, tuple) and len(found) == 3,
               f"three numbers are wanted, (lines, lines_with_weights, layers), not {found!r}")
        lines, with_weights, layers = found
        convs = sum(count for count, _ in arch)
        expect(lines == len(net), f"trace_shapes prints {len(net)} lines for this network, one a "
                                  f"child, and you say {lines}")
        expect_not(with_weights, 8, len(arch) + 3,
                   f"with {len(arch)} blocks it is not 8: eight lines are no block, which is "
                   "another eight; Flatten, ReLU and Dropout have no weights")
        expect_not(with_weights, convs + 3, len(arch) + 3,
                   "you opened the blocks for the second number: it counts lines, and a block is "
                   "one line however many convolutions it holds")
        expect(with_weights == len(arch) + 3, f"{len(arch)} blocks and 3 linear layers have "
                                              f"weights, and you say {with_weights}")
        expect(layers != convs, "your third number forgets the three linear layers")
        expect(layers != convs + len(arch) + 3, "your third number counts pools, or blocks beside "
                                                "what is in them: neither has weights of its own")
        expect(layers == convs + 3, f"{convs} convolutions and 3 linear layers have weights, and "
                                    f"you say {layers}")
    return "VGG-19 shows the same 13 lines as VGG-11: its eight extra layers are all in the blocks."


@exercise
def check_how_many_times(answer):
    """Lesson 08, exercise 2: ratios of parameters, FLOPs and activation bytes."""
    shape = (1, 1, 224, 224)
    with torch.device("meta"):
        nets = {name: vgg(arch) for name, arch in VGG_ARCHS.items()} | {"alexnet": alexnet()}
    totals = {}
    for name, net in nets.items():
        shut, opened = (trace_shapes(net, shape, expand=expand) for expand in (False, True))
        totals[name] = (opened.params, opened.flops, opened.activation_bytes,
                        shut.activation_bytes)
    for big, small in (("vgg11", "alexnet"), ("vgg16", "vgg11"), ("vgg19", "alexnet")):
        found = ask(answer, nets[big], nets[small], shape)
        expect(isinstance(found, tuple) and len(found) == 3,
               f"three ratios are wanted, (params, flops, activation_bytes), not {found!r}")
        ratios = [a / b for a, b in zip(totals[big], totals[small], strict=True)]
        expect(not all(math.isclose(x * y, 1) for x, y in zip(found, ratios, strict=False)),
               "upside down: the first network's numbers go above the line")
        expect(not math.isclose(found[2], ratios[3]),
               "your activations are those of the blocks' results; what lies inside a block takes "
               "memory too, so trace with expand=True")
        for name, mine, right in zip(("params", "flops", "activation_bytes"), found, ratios,
                                     strict=False):
            expect(math.isclose(mine, right, rel_tol=1e-6),
                   f"{name}: {big} has {right:.3f} times {small}'s, and you say {mine:.3f}")
    return ("From AlexNet to VGG-11 the parameters grew least and the activations most: "
            "2.8, 8.0 and 12.3 times.")


@exercise
def check_saved_bytes(answer):
    """Lesson 08, exercise 3: what the blocks keep for the backward pass, one picture."""

    def kept(arch, size, index=8, convs_too=False, picture=True):
        total = 4 * size * size * picture
        for convs, channels in arch:
            total += 4 * channels * size * size * convs * (1 + convs_too)
            size //= 2
            total += (4 + index) * channels * size * size
        return total

    for arch, size in zip(lesson_07.some_archs(), (224, 32, 50, 64, 96, 128), strict=True):
        found, right = ask_number(answer, arch, size), kept(arch, size)
        expect(found != kept(arch, size, convs_too=True),
               "you counted what the convolutions put out: ReLU's backward needs only its own "
               "result, so that memory is free again")
        expect(found != kept(arch, size, index=0), "you left out the places the pools remember")
        expect(found != kept(arch, size, index=4),
               "a place is an int64: eight bytes, twice the float beside it")
        expect(found != kept(arch, size, picture=False),
               "you left out the picture: the first convolution keeps it for its weights' gradient")
        expect(found == right, f"saved_bytes({arch}, {size}) gave {found:,} and PyTorch keeps "
                               f"{right:,}")
    return "Times the batch size, this is most of what a training step needs."


@exercise
def check_linear_as_conv(answer):
    """Lesson 08, exercise 4: a linear layer after Flatten, as a convolution."""
    generator = torch.Generator().manual_seed(0)
    for channels, side, outputs in ((3, 2, 5), (4, 4, 4), (2, 7, 3)):
        linear = nn.Linear(channels * side * side, outputs)
        with torch.no_grad():
            for tensor in linear.parameters():
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
        conv = ask(answer, linear, channels, side)
        expect(isinstance(conv, nn.Conv2d), f"an nn.Conv2d is wanted, not {type(conv).__name__}")
        expect(conv.weight.shape == (outputs, channels, side, side),
               f"the weights are {tuple(conv.weight.shape)}; the filter covers the whole map, so "
               f"{(outputs, channels, side, side)}")
        X = torch.randn(2, channels, side, side, generator=generator)
        with torch.no_grad():
            wanted, found = linear(X.flatten(1)), conv(X)
            bias = linear.bias if conv.bias is None else linear.bias - conv.bias
            turned = linear.weight.reshape(outputs, side, side, channels).permute(0, 3, 1, 2)
        expect(found.shape == (2, outputs, 1, 1),
               f"the output is {tuple(found.shape)}: with no padding, one place is left")
        found = found.flatten(1)
        expect(not torch.allclose(found + bias, wanted, atol=1e-4) or bias.abs().max() < 1e-4,
               "the weights are right and the bias is not: copy linear.bias too")
        expect(not torch.allclose(conv.weight, turned),
               "the channels came last: Flatten runs through all places of channel 0 first, so "
               "reshape to (outputs, channels, side, side)")
        expect(torch.allclose(found, wanted, atol=1e-4), "the shapes agree and the outputs differ: "
                                                         "copy linear.weight into the filters")
    return ("The same weights, and now a larger picture gives a map of answers: the paper tested "
            "its networks so.")
