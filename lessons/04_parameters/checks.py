"""Lesson 04's exercises."""

import copy
import math

import torch
from torch import nn

from d2lvgg.exercises import ask, ask_number, exercise, expect, expect_not


@exercise
def check_count_parameters(answer):
    """Lesson 04, exercise 1: parameters, tied ones once."""

    def with_norm():
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
                             nn.Linear(4, 3))

    def tied():
        shared = nn.Linear(8, 8)
        return nn.Sequential(nn.Linear(4, 8), shared, nn.ReLU(), shared, nn.Linear(8, 1))

    def frozen():
        net = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))
        net[0].requires_grad_(False)
        return net

    for net in (nn.Linear(4, 8), tied(), with_norm(), frozen()):
        found = ask_number(answer, net)
        right = sum(p.numel() for p in net.parameters() if p.requires_grad)
        expect_not(found, len(list(net.parameters())), right,
                   "you counted tensors: a weight of shape (8, 4) holds 32 numbers")
        expect_not(found, sum(p.numel() for p in net.parameters() if p.dim() > 1), right,
                   "you left out the biases, and training changes them too")
        state = sum(t.numel() for t in net.state_dict().values())
        twice = sum(p.numel() for m in net.modules() if isinstance(m, nn.Sequential)
                    for child in m for p in child.parameters())
        shared = isinstance(net, nn.Sequential) and net[1] is net[3 % len(net)]
        expect(not shared or found not in (state, twice),
               "you counted the tied layer twice: it is one tensor under two names")
        expect_not(found, sum(p.numel() for p in net.parameters()), right,
                   "you counted a frozen layer: where requires_grad is False, nothing is trained")
        expect_not(found, state, right, "you counted the state, which holds more than training "
                                        "changes: batch norm's running means")
        expect(found == right, f"{net} has {right} trainable numbers, and you say {found}")
    return "The optimizer and the count now agree: one tensor, one step."


@exercise
def check_my_init_std(answer):
    """Lesson 04, exercise 2: the standard deviation of the notes' distribution."""
    expect(isinstance(answer, (int, float)), f"one number is wanted, not {answer!r}")
    square = (25 + 50 + 100) / 3

    def near(value):
        return abs(answer - value) < 0.02

    expect(not near(math.sqrt(square)), "you left out the zeros: half of the weights add nothing "
                                        "to the mean square")
    expect(not near(10 / math.sqrt(3)), "that is U(-10, 10) before the mask: the small weights "
                                        "were set to zero")
    expect(not near(square / 2), "that is the variance: the standard deviation is its root")
    expect(not near(7.5 / math.sqrt(2)), "you took every weight of U(5, 10) for 7.5: the mean of "
                                         "the squares is more than the square of the mean")
    expect(abs(answer) > 0.02, "that is the mean; how far do the weights lie from it?")
    expect(near(math.sqrt(square / 2)), f"{answer} is not it: half the mean square of U(5, 10), "
                                        "then the root")
    return ("Setting half of U(-10, 10) to zero took only 6 % off its spread: small weights "
            "add little to it.")


@exercise
def check_he_std(answer):
    """Lesson 04, exercise 3: sqrt(2 / fan_in)."""
    layers = [nn.Linear(100, 30), nn.Linear(7, 900), nn.Conv2d(3, 64, 3), nn.Conv2d(16, 8, 5),
              nn.Conv2d(1, 96, 11, stride=4), nn.Conv2d(8, 12, 3, groups=4)]
    for layer in layers:
        found = ask_number(answer, layer)
        weight = layer.weight
        n, area = weight[0].numel(), weight[0, 0].numel()

        def near(value, found=found):
            return math.isclose(found, value, rel_tol=1e-3)

        expect(not near(math.sqrt(1 / n)), "that is the rule without ReLU: a 2 is missing, for the "
                                           "half that ReLU throws away")
        expect(not near(2 / n), "that is the variance: the standard deviation is its root")
        expect(area == 1 or not near(math.sqrt(2 / weight.shape[1])),
               "you counted input channels only: each is looked at through a window of "
               f"{area} places")
        expect(not near(math.sqrt(2 / (weight.shape[0] * area))),
               "you counted outputs: what a unit adds up are its inputs")
        expect(not near(math.sqrt(2 / (n + weight.shape[0] * area))),
               "that is Xavier's rule, which averages inputs and outputs")
        groups = getattr(layer, "groups", 1)
        expect(groups == 1 or not near(math.sqrt(2 / (n * groups))),
               f"with groups={groups} an output sees a part of the input channels only: count "
               "the weights that enter it")
        expect(near(math.sqrt(2 / n)), f"he_std({layer}) gave {found:.4g}, and {n} weights enter "
                                       f"each output: {math.sqrt(2 / n):.4g}")
    return "nn.init.kaiming_normal_ does the same; now you know which 2 is in it."


@exercise
def check_make_identity(answer):
    """Lesson 04, exercise 4: a convolution that passes its input on."""
    generator = torch.Generator().manual_seed(0)
    for channels in (1, 3, 8):
        conv = nn.Conv2d(channels, channels, 3, padding=1)
        X = torch.randn(2, channels, 6, 7, generator=generator)
        found = ask(answer, copy.deepcopy(conv))
        expect(isinstance(found, nn.Conv2d), f"return the layer, not {type(found).__name__}")
        expect(found.weight.shape == conv.weight.shape,
               f"the weights' shape changed to {tuple(found.weight.shape)}")
        with torch.no_grad():
            out = found(X)
            unbiased = out if found.bias is None else out - found.bias.reshape(-1, 1, 1)
            summed = X.sum(dim=1, keepdim=True).expand_as(X)
        expect(torch.allclose(out, unbiased, atol=1e-6)
               or not torch.allclose(unbiased, X, atol=1e-5),
               "the weights are right and the bias still adds something: set it to zero")
        expect(channels == 1 or not torch.allclose(unbiased, summed, atol=1e-5),
               "every output is the sum of all channels: output channel o must look at input "
               "channel o alone")
        if found.weight.detach().eq(1).all():
            expect(False, "all ones add up the whole window: one weight a channel is 1")
        for dy, dx in ((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx):
            inside = X.roll((dy, dx), (2, 3))[:, :, 1:-1, 1:-1]
            expect(not torch.allclose(unbiased[:, :, 1:-1, 1:-1], inside, atol=1e-5),
                   "the picture is shifted by a pixel: the middle of a 3x3 window is [1, 1]")
        expect(torch.allclose(out, X, atol=1e-5), "the output differs from the input")
    return ("A ReLU after it changes nothing either, as what comes in has passed a ReLU: so a "
            "trained VGG can be deepened without forgetting.")
