"""Lesson 08's exercises."""

import copy
import functools
import math
from itertools import islice

import torch
from torch import nn

from d2lvgg.exercises import (
    LEFT_BEHIND,
    WrongAnswer,
    as_number,
    ask,
    ask_twice,
    checks_of,
    exercise,
    expect,
    expect_not,
)
from d2lvgg.models import VGG_ARCHS, alexnet, vgg, vgg_block
from d2lvgg.shapes import open_blocks, trace_shapes

lesson_07 = checks_of("07")


def ask_three_twice(function, names, *makers):
    """Return three numbers that function gives for what makers make, anew for each of two calls."""
    answers = []
    for _ in range(2):
        found = ask(function, *(make() for make in makers))
        wanted = f"three numbers are wanted, ({names}), not {found!r}"
        expect(not isinstance(found, (str, bytes, dict, set)), wanted)
        try:
            numbers = list(islice(found, 4))
        except TypeError:
            raise WrongAnswer(wanted) from None
        expect(len(numbers) == 3, wanted)
        answers.append(tuple(as_number(number) for number in numbers))
    expect(answers[0] == answers[1],
           f"the same call gave {answers[0]} and then {answers[1]}: {LEFT_BEHIND}")
    return answers[0]


def blocks_in_a_block():
    body = nn.Sequential(vgg_block(1, 1, 2), vgg_block(2, 2, 3))
    return nn.Sequential(body, nn.Flatten(), nn.Linear(12, 10))


def networks():
    """Yield (name, maker) of networks to count in."""
    for arch in [VGG_ARCHS["vgg19"], *lesson_07.some_archs()]:
        yield f"vgg({arch})", functools.partial(lesson_07.meta_vgg, arch, input_size=2 ** len(arch))
    yield "a VGG with batch_norm=True", functools.partial(
        lesson_07.meta_vgg, ((1, 4), (3, 8)), input_size=8, batch_norm=True)
    yield "AlexNet", NETS["alexnet"]
    yield "a network with blocks in a block", blocks_in_a_block


@exercise
def check_count_results(answer):
    """Lesson 08, exercise 1: lines printed, lines with weights, layers with weights."""
    for name, make in networks():
        found, net = ask_three_twice(answer, "lines, lines_with_weights, layers", make), make()
        lines, with_weights, layers = found
        opened = [layer for _, layer in open_blocks(net)]
        blocks = sum(isinstance(line, nn.Sequential) for line in net)
        right_lines = sum(any(True for _ in line.parameters()) for line in net)
        right = sum(any(True for _ in layer.parameters()) for layer in opened)
        expect(found != (13, 8, 11) or found == (len(net), right_lines, right),
               f"13, 8 and 11 are VGG-11's, and {name} is another network: count in net")
        expect_not(lines, len(opened), len(net),
                   "you opened the blocks for the first number: trace_shapes prints one line a "
                   "child, unless it is told expand=True")
        expect(lines == len(net), f"for {name} you say that trace_shapes prints {lines} lines: "
                                  "print one and count")
        kind = nn.Conv2d, nn.Linear
        for wrong, mistake in (
                (len(net) - blocks,
                 f"{with_weights} lines of {name} are no block, which is another count: Flatten, "
                 "ReLU and Dropout have no weights, and a block has those of its layers"),
                (right, "you opened the blocks for the second number: it counts lines, and a block "
                        "is one line however many convolutions it holds"),
                (sum(isinstance(line, kind) for line in net),
                 "your second number leaves out the blocks: a block has the weights of the layers "
                 "in it"),
                (blocks, "your second number leaves out the linear layers"),
                (sum(len(list(line.parameters())) for line in net),
                 "your second number counts tensors: a line's weights and biases are one line")):
            expect_not(with_weights, wrong, right_lines, mistake)
        expect(with_weights == right_lines, f"for {name} you say that {with_weights} lines have "
                                            "weights: ask each child of net for its parameters()")
        convs = sum(isinstance(layer, nn.Conv2d) for layer in opened)
        linears = sum(isinstance(layer, nn.Linear) for layer in opened)
        for wrong, mistake in (
                (right - linears, "your third number forgets the linear layers"),
                (right_lines, "you left the blocks shut for the third number"),
                (right + blocks, "your third number counts pools, or blocks beside what is in "
                                 "them: neither has weights of its own"),
                (right + blocks + 1, "your third number counts net and its blocks beside what is "
                                     "in them: they have no weights of their own"),
                (sum(len(list(layer.parameters())) for layer in opened),
                 "your third number counts tensors: a layer's weights and biases are one layer"),
                (convs + linears, "your third number knows convolutions and linear layers only: "
                                  "BatchNorm2d has weights too, so ask layer.parameters()")):
            expect_not(layers, wrong, right, mistake)
        expect(layers == right, f"for {name} you say that {layers} layers have weights: open every "
                                "block, those inside blocks too, and ask each layer for its "
                                "parameters()")
    return "VGG-19 shows the same 13 lines as VGG-11: its eight extra layers are all in the blocks."


def on_meta(make, *arguments, **options):
    with torch.device("meta"):
        return make(*arguments, **options)


NETS = {name: functools.partial(on_meta, vgg, arch) for name, arch in VGG_ARCHS.items()}
NETS["alexnet"] = functools.partial(on_meta, alexnet)
for name in ("vgg11", "vgg16"):
    NETS[f"a small {name}"] = functools.partial(on_meta, vgg, VGG_ARCHS[name], input_size=64)


@functools.cache
def totals(name, shape):
    """Return a network's parameters, FLOPs and activation bytes, and the bytes with blocks shut."""
    shut, opened = (trace_shapes(NETS[name](), shape, expand=expand) for expand in (False, True))
    return opened.params, opened.flops, opened.activation_bytes, shut.activation_bytes


@exercise
def check_how_many_times(answer):
    """Lesson 08, exercise 2: ratios of parameters, FLOPs and activation bytes."""
    names = "params", "flops", "activation_bytes"
    for big, small, shape in (("vgg16", "vgg11", (1, 1, 224, 224)),
                              ("vgg11", "alexnet", (1, 1, 224, 224)),
                              ("vgg19", "alexnet", (1, 1, 224, 224)),
                              ("a small vgg16", "a small vgg11", (2, 1, 64, 64))):
        found = ask_three_twice(answer, ", ".join(names), NETS[big], NETS[small], lambda s=shape: s)
        above, below = totals(big, shape), totals(small, shape)
        ratios = [a / b for a, b in zip(above, below, strict=True)]
        right = ratios[:3]

        def close(wanted, found=found, **tolerance):
            return all(math.isclose(x, y, **tolerance or {"rel_tol": 1e-6})
                       for x, y in zip(found, wanted, strict=True))

        for wrong, mistake in (
                ([1 / ratio for ratio in right],
                 "upside down: the first network's numbers go above the line"),
                ([a - b for a, b in zip(above[:3], below[:3], strict=True)],
                 "those are differences: how many times is asked, so divide"),
                ([100 * ratio for ratio in right], "those are percent: how many times is asked"),
                ([ratio - 1 for ratio in right],
                 "that is how much more, and how many times is asked: do not take away 1"),
                ([*right[:2], ratios[3]],
                 "your activations are those of the blocks' results; what lies inside a block "
                 "takes memory too, so trace with expand=True")):
            expect(not close(wrong), mistake)
        expect(close(right) or not close(sorted(right), sorted(found)),
               f"your three ratios stand in another order: ({', '.join(names)}) is wanted")
        expect(close(right) or not close(right, rel_tol=0, abs_tol=0.051),
               "your ratios are rounded: return them as they are")
        for name, mine, ratio in zip(names, found, right, strict=True):
            expect(math.isclose(mine, ratio, rel_tol=1e-6),
                   f"{name}: for {big} and {small} at {shape} you say {mine:,.4g} times: divide "
                   "big's sum over all rows by small's, both traced at input_shape")
    return ("From AlexNet to VGG-11 the parameters grew least and the activations most: "
            "2.8, 8.0 and 12.3 times.")


def kept(arch, size, *, number=4, index=8, outputs=1, relus=True, image=True, pool=True,
         up=False, late=False):
    """Return saved_bytes, or with one option changed, what one mistake makes of it."""
    total, inputs = number * size * size * image, 1
    for num_convs, channels in arch:
        maps = (inputs if late else channels) * size * size
        total += number * maps * outputs * (num_convs if relus else 1)
        size = -(-size // 2) if up else size // 2
        total += (number * pool + index) * channels * size * size
        inputs = channels
    return total


@exercise
def check_saved_bytes(answer):
    """Lesson 08, exercise 3: what the blocks keep for the backward pass, one image."""
    shown = kept(VGG_ARCHS["vgg11"], 224)
    for arch, size in zip(lesson_07.some_archs(), (224, 32, 50, 64, 96, 128), strict=True):
        found, right = ask_twice(as_number, answer, arch, size), kept(arch, size)
        for options, mistake in (
                ({"outputs": 2}, "you counted what the convolutions put out: ReLU's backward needs "
                                 "only its own result, so that memory is free again"),
                ({"index": 0}, "you left out the places the pools remember"),
                ({"index": 4}, "each number that a pool puts out costs you eight bytes: it is a "
                               "float, which the next layer keeps, and beside it a place, an int64 "
                               "of eight bytes alone"),
                ({"image": False}, "you left out the image: the first convolution keeps it for its "
                                   "weights' gradient"),
                ({"outputs": 0}, "you left out the ReLUs' outputs"),
                ({"relus": False}, "you counted one ReLU a block: each convolution has one"),
                ({"late": True}, "your ReLUs put out as many channels as the block reads: they put "
                                 "out as many as its convolutions write"),
                ({"up": True}, "you rounded the side up: a pool drops an odd last row"),
                ({"number": 1, "index": 1}, "you counted numbers: bytes are wanted, and a float32 "
                                            "has four"),
                ({"number": 8}, "your floats have eight bytes: a float32 has four")):
            expect_not(found, kept(arch, size, **options), right, mistake)
        expect_not(found, 8 * right, right, "those are bits: bytes are wanted")
        expect_not(found, shown, right, "that is VGG-11's number at 224 pixels, whatever was "
                                        "asked: work it out from the table and the size")
        expect(found == right, f"saved_bytes({arch}, {size}) gave {found:,}, which is "
                               f"{'too few' if found < right else 'too many'}: go block by block, "
                               "ReLUs at the old side, the pool's numbers and places at the new "
                               "one")
    return "Times the batch size, this is most of what a training step needs."


def put_through(conv, X):
    try:
        with torch.no_grad():
            return conv(X)
    except Exception as error:
        raise WrongAnswer(f"your convolution refuses maps of shape {tuple(X.shape)}: "
                          f"{error}") from None


@exercise
def check_linear_as_conv(answer):
    """Lesson 08, exercise 4: a linear layer after Flatten, as a convolution."""
    generator = torch.Generator().manual_seed(0)
    for channels, side, outputs in ((3, 2, 5), (4, 4, 4), (2, 7, 3)):
        linears = [nn.Linear(channels * side * side, outputs) for _ in range(2)]
        with torch.no_grad():
            for tensor in [p for linear in linears for p in linear.parameters()]:
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
        convs = [ask(answer, copy.deepcopy(linear), channels, side) for linear in linears]
        expect(convs[0] is not convs[1], f"two calls gave one and the same convolution: "
                                         f"{LEFT_BEHIND}")
        for linear, conv in zip(linears, convs, strict=True):
            expect(isinstance(conv, nn.Conv2d),
                   f"an nn.Conv2d is wanted, not {type(conv).__name__}")
            expect(conv.weight.shape == (outputs, channels, side, side),
                   f"your weights have shape {tuple(conv.weight.shape)}: there is one filter an "
                   "output, it reads all channels, and it covers the whole map")
            X = torch.randn(2, channels, side, side, generator=generator)
            wanted, found = linear(X.flatten(1)).detach(), put_through(conv, X)
            expect(found.shape == (2, outputs, 1, 1),
                   f"the output is {tuple(found.shape)}: with no padding, one place is left")
            weight, mine = linear.weight.detach(), conv.weight.detach()
            right = weight.reshape(outputs, channels, side, side)
            last = weight.reshape(outputs, side, side, channels).permute(0, 3, 1, 2)
            expect(not torch.allclose(mine, last),
                   "the channels came last: Flatten runs through all places of channel 0 first, so "
                   "reshape to (outputs, channels, side, side)")
            expect(not torch.allclose(mine, right.transpose(2, 3)),
                   "rows and columns of each map are swapped: Flatten goes row by row")
            expect(not torch.allclose(mine, right.flip(2, 3)),
                   "your filters are turned by 180 degrees: nn.Conv2d does not turn them")
            expect(not torch.allclose(mine, weight.T.reshape(right.shape)),
                   "you transposed the weights: linear.weight is (outputs, inputs) already")
            expect(torch.allclose(mine, right),
                   "the shapes agree and the outputs differ: copy linear.weight into the filters")
            expect(torch.allclose(found.flatten(1), wanted, atol=1e-4),
                   "the weights are right and the bias is not: copy linear.bias too")
            wide = torch.randn(1, channels, side + 1, side + 1, generator=generator)
            expect(put_through(conv, wide).shape == (1, outputs, 2, 2),
                   "on a map one pixel larger the filter fits at four places, and yours leaves "
                   "some out: it moves by one pixel, stride=1")
    return ("The same weights, and now a larger image gives a map of answers: the paper tested "
            "its networks so.")
