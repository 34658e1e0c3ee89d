"""Lesson 06's exercises."""

import random

import torch
from torch import nn
from torch.nn import functional as F

from d2lvgg.exercises import ask, ask_number, exercise, expect, expect_not
from d2lvgg.models import vgg_block


def chain(size, num_convs, in_channels, out_channels, bias=0):
    """Return the weights of a chain of convolutions, with bias times their biases."""
    first = size ** 2 * in_channels * out_channels
    return first + (num_convs - 1) * size ** 2 * out_channels ** 2 + bias * num_convs * out_channels


@exercise
def check_stack_weights(answer):
    """Lesson 06, exercise 1: weights of a stack of equal windows."""
    rng = random.Random(0)
    cases = [(3, 2, 1, 64), (3, 3, 128, 256), (5, 1, 3, 8), (7, 2, 4, 4)]
    cases += [(rng.choice((3, 5, 7)), rng.randint(2, 4), rng.randint(2, 9), rng.randint(10, 99))
              for _ in range(5)]
    for size, num_convs, a, b in cases:
        found, right = ask_number(answer, size, num_convs, a, b), chain(size, num_convs, a, b)
        expect_not(found, chain(size, num_convs, a, b, bias=1), right,
                   "you counted the biases too: they add out_channels a layer, and weights alone "
                   "are wanted")
        expect_not(found, num_convs * size ** 2 * a * b, right,
                   "every layer of yours reads in_channels: from the second on, a convolution "
                   "reads what the one before wrote, out_channels")
        expect_not(found, num_convs * size ** 2 * b * b, right,
                   "your first layer reads out_channels: it reads in_channels, and only the later "
                   "ones have c in and c out")
        expect_not(found, chain(1, num_convs, a, b) * size, right,
                   f"a window of {size} x {size} has {size ** 2} places, not {size}")
        expect(found == right, f"stack_weights{(size, num_convs, a, b)} gave {found:,}, and the "
                               f"layers have {right:,}")
    return "With a = b = c, two 3x3 give 18 c²; with a = 1 nearly all is in the second layer."


def field(layers, early=False):
    """Return what one output pixel sees; early lets a layer's own stride count for its window."""
    seen, step = 1, 1
    for size, stride in layers:
        step *= stride if early else 1
        seen += (size - 1) * step
        step *= 1 if early else stride
    return seen


@exercise
def check_receptive_field(answer):
    """Lesson 06, exercise 2: the side of the window that one output pixel sees."""
    rng = random.Random(0)
    cases = [[(3, 1), (3, 1)], [(5, 1)], [(3, 1), (3, 1), (2, 2)], [(3, 1), (2, 2), (3, 1), (2, 2)],
             [(11, 4), (3, 2), (5, 1)]]
    cases += [[(rng.choice((2, 3, 5)), rng.choice((1, 2, 3))) for _ in range(rng.randint(2, 6))]
              for _ in range(6)]
    for layers in cases:
        found, right = ask_number(answer, layers), field(layers)
        expect_not(found, field([(size, 1) for size, _ in layers]), right,
                   "you left out the strides: after a stride of 2 a neighbour is 2 pixels of the "
                   "picture away, so the later windows reach twice as far")
        expect_not(found, field(layers, early=True), right,
                   "you let a layer's own stride stretch its own window: its stride counts from "
                   "the next layer on")
        expect_not(found, sum(size for size, _ in layers), right,
                   "you added whole windows: neighbouring windows overlap, so each layer adds "
                   "size - 1")
        expect(found == right, f"receptive_field({layers}) gave {found}, and one output pixel sees "
                               f"{right} pixels a side")
    return ("VGG-11's last pool sees 150 of the picture's 224 pixels: only the linear layers see "
            "it whole.")


def leaves(net):
    return [layer for layer in net.modules() if not list(layer.children())]


@exercise
def check_pool_first_block(answer):
    """Lesson 06, exercise 3: the last ReLU behind the pool, outputs equal to the bit."""
    generator = torch.Generator().manual_seed(0)
    for case in ((1, 1, 8), (2, 3, 8), (3, 4, 6)):
        found, wanted = ask(answer, *case), vgg_block(*case)
        expect(isinstance(found, nn.Module), f"a network is wanted, not {found!r}")
        kinds = [type(layer) for layer in leaves(found)]
        expect(nn.MaxPool2d in kinds, "there is no MaxPool2d in your block")
        expect(kinds.count(nn.MaxPool2d) == 1, "you pool more than once: a block pools once, after "
                                               "all its convolutions")
        ours, theirs = list(wanted.parameters()), list(found.parameters())
        expect([p.shape for p in ours] == [p.shape for p in theirs],
               f"pool_first_block{case} has other weights than vgg_block{case}: take over its "
               "convolutions as they are")
        expect(kinds != [type(layer) for layer in wanted],
               "that is vgg_block itself: its last ReLU still stands before the pool")
        expect(nn.ReLU in kinds[kinds.index(nn.MaxPool2d):],
               "nothing follows the pool, so negative numbers come out: the last ReLU is moved, "
               "not removed")
        expect(kinds.count(nn.ReLU) >= case[0],
               "you moved every ReLU behind the pool: with none between them, two convolutions are "
               "one (exercise 4); move the last one alone")
        expect(kinds.count(nn.ReLU) == case[0],
               "the ReLU before the pool still stands beside the new one: it is moved, not copied")
        with torch.no_grad():
            for p, q in zip(ours, theirs, strict=True):
                q.copy_(p)
            for side in (8, 9):
                X = torch.randn(2, case[1], side, side, generator=generator)
                expect(torch.equal(wanted(X), found(X)),
                       f"pool_first_block{case} gives other numbers than vgg_block{case} for the "
                       "same weights: only the last two layers change places")
    return ("Exact, not roughly: ReLU never puts two numbers out of order, so the largest of four "
            "stays the largest.")


@exercise
def check_merge(answer):
    """Lesson 06, exercise 4: one 5x5 kernel that does the work of two 3x3."""
    generator = torch.Generator().manual_seed(0)

    def kernel(size):
        whole = torch.randint(-4, 5, (size, size), generator=generator)  # sums come out exact
        return whole.to(torch.float32)

    for _ in range(4):
        first, second, X = kernel(3), kernel(3), kernel(9)
        found = ask(answer, first, second)
        expect(isinstance(found, torch.Tensor), f"a tensor is wanted, not {type(found).__name__}")
        expect(found.shape == (5, 5), f"the kernel has shape (5, 5), and yours has "
                                      f"{tuple(found.shape)}")
        unflipped = F.conv2d(first[None, None], second[None, None], padding=2)[0, 0]
        expect(not torch.equal(found, unflipped) and not torch.equal(found, unflipped.flip(0, 1)),
               "conv2d slides a kernel without turning it, and here one of the two has to be "
               "turned by 180 degrees: .flip(0, 1)")
        expect(not torch.equal(found, F.pad(first, (1, 1, 1, 1)) + F.pad(second, (1, 1, 1, 1))),
               "you added the kernels: the second convolution reads the output of the first, so "
               "their weights multiply along each path")
        expect(not torch.equal(found, F.pad(first * second, (1, 1, 1, 1))),
               "you multiplied the kernels place by place: a pixel reaches the output over many "
               "paths, so sum over all of them")
        twice = F.conv2d(F.conv2d(X[None, None], first[None, None]), second[None, None])
        expect(torch.allclose(F.conv2d(X[None, None], found.detach()[None, None]), twice),
               "your kernel gives other numbers than the two convolutions one after the other")
    return ("18 numbers cannot make every kernel of 25, so without its ReLU the stack can do less "
            "than one 5x5, not more.")
