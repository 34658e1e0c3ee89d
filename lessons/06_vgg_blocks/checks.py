"""Lesson 06's exercises."""

import random

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from d2lvgg.exercises import (
    LEFT_BEHIND,
    WrongAnswer,
    as_number,
    ask,
    ask_twice,
    exercise,
    expect,
    expect_not,
)
from d2lvgg.models import vgg_block


def chain(size, num_convs, in_channels, out_channels, bias=0):
    """Return the weights of a chain of convolutions, with bias times their biases."""
    first = size ** 2 * in_channels * out_channels
    return first + (num_convs - 1) * size ** 2 * out_channels ** 2 + bias * num_convs * out_channels


@exercise
def check_stack_weights(answer):
    """Lesson 06, exercise 1: weights of a stack of equal windows."""
    rng = random.Random(0)
    cases = [(5, 2, 3, 8), (3, 2, 1, 64), (3, 3, 128, 256), (5, 1, 3, 8), (7, 2, 4, 4)]
    cases += [(rng.choice((3, 5, 7)), rng.randint(2, 4), rng.randint(2, 9), rng.randint(10, 99))
              for _ in range(5)]
    for size, num_convs, a, b in cases:
        found = ask_twice(as_number, answer, size, num_convs, a, b)
        right = chain(size, num_convs, a, b)
        for wrong, mistake in (
                (chain(size, num_convs, a, b, bias=1),
                 "you counted the biases too: they add out_channels a layer, and weights alone are "
                 "wanted"),
                (num_convs * size ** 2 * a * b,
                 "every layer of yours reads in_channels: from the second on, a convolution reads "
                 "what the one before wrote, out_channels"),
                (num_convs * size ** 2 * b * b,
                 "your first layer reads out_channels: it reads in_channels, and only the later "
                 "ones read as many as they write"),
                (chain(1, num_convs, a, b) * size,
                 "a window of size x size has size times size places, and you count size of them"),
                (chain(3, num_convs, a, b), "you take every window for 3 x 3: use size"),
                (chain(size, num_convs, b, a),
                 "in_channels and out_channels are swapped: the first layer alone reads "
                 "in_channels, and all write out_channels"),
                (right - size ** 2 * a * b,
                 "you left out the first layer, which reads in_channels"),
                (chain(size, num_convs - 1, a, b),
                 "you left out a layer: num_convs counts the first one too"),
                (chain(size, num_convs + 1, a, b),
                 "you counted a layer too many: num_convs counts the first one too"),
                (4 * right, "those are the bytes of float32: the number of weights is wanted"),
                (chain(3, 2, 64, 64), "that is the number of two 3x3 layers of 64 channels, "
                                      "whatever was asked: work it out from the arguments")):
            expect_not(found, wrong, right, mistake)
        expect(found == right, f"stack_weights{(size, num_convs, a, b)} gave {found:,}: add up "
                               "layer by layer the places of a window, times the channels that the "
                               "layer reads, times those that it writes")
    return "With a = b = c, two 3x3 give 18 c²; with a = 1 nearly all is in the second layer."


def field(layers, early=False, overlap=1, further=lambda step, stride: step * stride):
    """Return what one output pixel sees; early lets a layer's own stride count for its window."""
    seen, step = 1, 1
    for size, stride in layers:
        next_step = further(step, stride)
        seen += (size - overlap) * (next_step if early else step)
        step = next_step
    return seen


@exercise
def check_receptive_field(answer):
    """Lesson 06, exercise 2: the side of the window that one output pixel sees."""
    rng = random.Random(0)
    cases = [[(5, 3), (3, 2), (7, 1)], [(3, 1), (3, 1)], [(5, 1)], [(3, 1), (3, 1), (2, 2)],
             [(3, 1), (2, 2), (3, 1), (2, 2)], [(11, 4), (3, 2), (5, 1)]]
    cases += [[(rng.choice((2, 3, 5)), rng.choice((1, 2, 3))) for _ in range(rng.randint(2, 6))]
              for _ in range(6)]
    whole = ("you added whole windows: neighbouring windows overlap, so each layer adds size - 1 "
             "of its steps")
    multiply = ("your steps are off: after strides of 3 and 2, neighbours are 3 times 2 pixels of "
                "the image apart, so all strides so far multiply")
    example = "that is an example's answer, whatever was asked: work it out from layers"
    for layers in cases:
        found, right = ask_twice(as_number, answer, layers), field(layers)
        for wrong, mistake in (
                (field([(size, 1) for size, _ in layers]),
                 "you left out the strides: after a stride of 2 a neighbour is 2 pixels of the "
                 "image away, so the later windows reach twice as far"),
                (field(layers, early=True),
                 "you let a layer's own stride stretch its own window: its stride counts from the "
                 "next layer on"),
                (sum(size for size, _ in layers), whole),
                (field(layers, overlap=0), whole),
                (field(layers, overlap=0) - 1, whole),
                (field(layers[::-1]),
                 "you went through the layers from the last to the first with the rule for the "
                 "other way: a stride stretches the windows of the layers behind it"),
                (field(layers, further=lambda step, stride: step + stride), multiply),
                (field(layers, further=lambda _, stride: stride), multiply),
                (right - 1, "you begin with 0: with no layer at all, a pixel sees itself"),
                (right ** 2, "that is the window's area: its side is wanted"),
                (2 * len(layers) + 1, "you take every layer for a 3x3 window of stride 1: use the "
                                      "sizes and strides in layers"),
                (5, example), (150, example)):
            expect_not(found, wrong, right, mistake)
        expect(found == right, f"receptive_field({layers}) gave {found}: from the first layer to "
                               "the last, each adds size - 1 steps; how many pixels of the image "
                               "is a step there?")
    return ("VGG-11's last pool sees 150 of the image's 224 pixels: only the linear layers see "
            "it whole.")


class Steps(TorchDispatchMode):
    """Notes the convolutions, ReLUs and max-pools of a forward pass, modules or functions."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        name = function.overloadpacket.__name__  # such as max_pool2d_with_indices
        self.names += [step for step in ("convolution", "relu", "max_pool")
                       if name.startswith(step)]
        return function(*arguments, **(options or {}))


def run(net, X):
    """Return a network's output and the Steps that led there."""
    expect(isinstance(net, nn.Module), f"a network is wanted, not {net!r}")
    try:
        with torch.no_grad(), Steps() as steps:
            return net(X.clone()), steps.names
    except Exception as error:
        raise WrongAnswer(f"your network refuses an input of shape {tuple(X.shape)}: "
                          f"{error}") from None


@exercise
def check_pool_first_block(answer):
    """Lesson 06, exercise 3: the last ReLU behind the pool, outputs equal to the bit."""
    generator = torch.Generator().manual_seed(0)
    for case in ((2, 3, 8), (1, 1, 8), (3, 4, 6)):
        found, again, wanted = ask(answer, *case), ask(answer, *case), vgg_block(*case)
        X = torch.randn(2, case[1], 8, 8, generator=generator)
        steps, known = run(found, X)[1], run(wanted, X)[1]
        run(again, X)
        shown = f"pool_first_block{case}"
        expect("max_pool" in steps, "there is no max-pool in your block")
        expect(steps.count("max_pool") == 1, "you pool more than once: a block pools once, after "
                                             "all its convolutions")
        expect(steps.count("convolution") == case[0],
               f"{shown} runs {steps.count('convolution')} of its convolutions, and not num_convs")
        ours, theirs = list(wanted.parameters()), list(found.parameters())
        expect([p.shape for p in ours] == [p.shape for p in theirs],
               f"{shown} has other weights than vgg_block{case}: take over its convolutions as "
               "they are")
        expect([p.shape for p in again.parameters()] == [p.shape for p in ours]
               and not {id(p) for p in theirs} & {id(p) for p in again.parameters()},
               f"two calls gave blocks that share their layers: {LEFT_BEHIND}")
        expect(steps != known, "that is vgg_block itself: its last ReLU still stands before the "
                               "pool")
        expect("relu" in steps[steps.index("max_pool"):],
               "nothing follows the pool, so negative numbers come out: the last ReLU is moved, "
               "not removed")
        expect(steps.count("relu") >= case[0],
               "you moved every ReLU behind the pool: with none between them, two convolutions are "
               "one (exercise 4); move the last one alone")
        expect(steps.count("relu") == case[0],
               "the ReLU before the pool still stands beside the new one: it is moved, not copied")
        expect(steps == [*known[:-2], "max_pool", "relu"],
               f"your block goes {', '.join(steps)}: of vgg_block's layers only the last two "
               "change places")
        with torch.no_grad():
            for p, q in zip(ours, theirs, strict=True):
                q.copy_(p)
        for side in (8, 9):
            X = torch.randn(2, case[1], side, side, generator=generator)
            wanted_Y, Y = run(wanted, X)[0], run(found, X)[0]
            expect(wanted_Y.shape == Y.shape,
                   f"your block makes {tuple(Y.shape)} of {tuple(X.shape)}, and vgg_block does "
                   "not: take over the padding of its convolutions, and its pool, as they are")
            expect(torch.equal(wanted_Y, Y),
                   f"{shown} gives other numbers than vgg_block{case} for the same weights: take "
                   "over its convolutions and its pool as they are, and add nothing")
    return ("Exact, not roughly: ReLU never puts two numbers out of order, so the largest of four "
            "stays the largest.")


@exercise
def check_merge(answer):
    """Lesson 06, exercise 4: one 5x5 kernel that does the work of two 3x3."""
    generator = torch.Generator().manual_seed(0)

    def kernel(size):
        whole = torch.randint(-4, 5, (size, size), generator=generator)  # sums come out exact
        return whole.to(torch.float32)

    def merged(first, second):
        return F.conv2d(first[None, None], second[None, None], padding=2)[0, 0]

    def asked(first, second):
        found = ask(answer, first.clone(), second.clone())
        try:
            found = torch.as_tensor(found).detach().cpu()
        except Exception:
            raise WrongAnswer(f"a tensor is wanted, not {type(found).__name__}") from None
        expect(not found.is_complex(), "real numbers are wanted, not complex ones")
        expect(found.shape == (5, 5), f"a kernel of shape (5, 5) is wanted, and yours has "
                                      f"{tuple(found.shape)}")
        return found.float()

    turn = ("conv2d slides a kernel without turning it, and here one of the two has to be turned "
            "by 180 degrees, rows and columns: .flip(0, 1)")
    for _ in range(4):
        first, second, X = kernel(3), kernel(3), kernel(9)
        found, again = asked(first, second), asked(first, second)
        right, unturned = merged(first, second.flip(0, 1)), merged(first, second)
        one, two = (F.pad(each, (1, 1, 1, 1)) for each in (first, second))
        expect(torch.equal(found, again),
               f"the same two kernels gave another answer the second time: {LEFT_BEHIND}; "
               ".grad, too, adds up until it is emptied")
        for wrong, mistake in (
                (unturned, turn), (unturned.flip(0, 1), turn),
                (merged(first, second.flip(0)), turn), (merged(first, second.flip(1)), turn),
                (right.flip(0, 1), "your kernel is upside down: you turned both kernels, and one "
                                   "has to be turned"),
                (right.T, "your kernel's rows are its columns: it is the right one, transposed"),
                (one + two, "you added the kernels: the second convolution reads the output of the "
                            "first, so their weights multiply along each path"),
                (one * two, "you multiplied the kernels place by place: an image's pixel reaches "
                            "the output over many paths, so sum over all of them"),
                (merged(first, first.flip(0, 1)), "you used the first kernel twice"),
                (merged(second, second.flip(0, 1)), "you used the second kernel twice"),
                (merged(torch.ones(3, 3), torch.ones(3, 3)),
                 "that is what two kernels of ones give, whatever was asked: use first and "
                 "second")):
            expect(not torch.equal(found, wrong) or torch.equal(wrong, right), mistake)
        twice = F.conv2d(F.conv2d(X[None, None], first[None, None]), second[None, None])
        expect(torch.allclose(F.conv2d(X[None, None], found[None, None]), twice),
               "your kernel gives other numbers than the two convolutions one after the other: for "
               "each of 25 pixels, add up the products along all its paths to the output")
    return ("18 numbers cannot make every kernel of 25, so without its ReLU the stack can do less "
            "than one 5x5, not more.")
