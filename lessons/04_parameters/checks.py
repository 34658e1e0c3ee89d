"""Lesson 04's exercises."""

import copy
import itertools
import math

import torch
from torch import nn

from d2lvgg.exercises import LEFT_BEHIND, as_number, ask, ask_number, exercise, expect, expect_not


def number_for(function, layer):
    """Return the number that function gives for a copy of layer, twice."""
    found, again = (ask_number(function, copy.deepcopy(layer)) for _ in range(2))
    expect(found == again, f"asked twice about one {type(layer).__name__} you say {found} and "
                           f"{again}: {LEFT_BEHIND}, or is drawn at random")
    return found


@exercise
def check_count_parameters(answer):
    """Lesson 04, exercise 1: parameters, tied ones once."""
    shared, batch_norm = nn.Linear(8, 8), nn.BatchNorm2d(4)
    tied = nn.Sequential(nn.Linear(4, 8), shared, nn.ReLU(), shared, nn.Linear(8, 1))
    nested = nn.Sequential(nn.Sequential(nn.Linear(6, 3, bias=False), nn.ReLU()),
                           nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3)))
    with_norm = nn.Sequential(nn.Conv2d(1, 4, 3), batch_norm, nn.ReLU(), nn.Flatten(),
                              nn.Linear(4, 3))
    frozen = nn.Sequential(nn.Linear(5, 6).requires_grad_(False), nn.ReLU(), nn.Linear(6, 2))
    for net in (nn.Linear(4, 8), tied, nested, with_norm, frozen):
        found, parameters = number_for(answer, net), list(net.parameters())
        numbers = sum(p.numel() for p in parameters)
        right = sum(p.numel() for p in parameters if p.requires_grad)
        expect_not(found, len(parameters), right,
                   "you counted tensors: a weight of shape (8, 4) holds 32 numbers")
        expect_not(found, sum(p.numel() for p in parameters if p.dim() > 1), right,
                   "you left out the biases, and training changes them too")
        expect(net is not tied or found not in (numbers + 72, numbers + 64),
               "you counted the tied layer twice: it is one tensor under two names")
        expect(net not in (tied, nested)
               or found != sum({p.shape: p.numel() for p in parameters}.values()),
               "two tensors of one shape are two, unless they are tied")
        expect(net is not nested or found != 0,
               "you count 0 where all layers stand in blocks: net.parameters() looks inside")
        expect_not(found, numbers, right,
                   "you counted a frozen layer: where requires_grad is False, nothing is trained")
        expect_not(found, numbers - right, right, "you counted what is frozen: the rest is trained")
        expect_not(found, sum(t.numel() for t in net.state_dict().values()), right,
                   "you counted the state, which holds more than training changes: batch norm's "
                   "running means")
        expect(net is not with_norm
               or found != numbers - sum(p.numel() for p in batch_norm.parameters()),
               "you left out batch norm: it has a weight and a bias too")
        expect(found == right, f"you say {found} for {net}: add up p.numel() of every tensor that "
                               "training changes, each once")
    return "The optimizer and the count now agree: one tensor, one step."


@exercise
def check_he_std(answer):
    """Lesson 04, exercise 2: sqrt(2 / fan_in)."""
    layers = [nn.Linear(100, 30), nn.Linear(7, 900), nn.Conv2d(4, 64, 3), nn.Conv2d(16, 8, 5),
              nn.Conv2d(1, 96, 11, stride=4), nn.Conv2d(5, 4, (5, 3)),
              nn.Conv2d(6, 12, 3, groups=3)]
    for layer in layers:
        found, weight = number_for(answer, layer), layer.weight
        (outputs, inputs), window = weight.shape[:2], tuple(weight.shape[2:])
        n, area, groups = weight[0].numel(), weight[0, 0].numel(), getattr(layer, "groups", 1)
        right = math.sqrt(2 / n)
        for wrong, mistake in (
                (1 / n, "that is the rule without ReLU: a 2 is missing, for the half that ReLU "
                        "throws away"),
                (1 / (2 * n), "the 2 is on the wrong side: ReLU throws half away, so the weights "
                              "must be larger"),
                ((2 / n) ** 2, "that is the variance: the standard deviation is its root"),
                (6 / n, "that is the bound of a uniform distribution, which is wider than its "
                        "standard deviation"),
                (2 / inputs, "you counted input channels only: each is looked at through a window "
                             f"of {area} places"),
                (2 / area, "you counted one window: every input channel has one"),
                (2 / (9 * inputs), f"a window need not have 3 x 3 places, and {layer}'s has not"),
                (2 / (inputs * max(window, default=1) ** 2),
                 f"a window need not be square: this one is {window}"),
                (2 / (outputs * area), "you counted outputs: what a unit adds up are its inputs"),
                (2 / (n + outputs * area), "that is Xavier's rule, which averages inputs and "
                                           "outputs"),
                (2 / weight.numel(), "you counted all weights: one output adds up its own"),
                (2 / (n * groups), f"with groups={groups} an output sees a part of the input "
                                   "channels only: count the weights that enter it")):
            expect(math.isclose(math.sqrt(wrong), right)
                   or not math.isclose(found, math.sqrt(wrong), rel_tol=1e-3), mistake)
        expect(math.isclose(found, right, rel_tol=1e-3),
               f"he_std({layer}) gave {found:.4g}: how many products does one output add up, and "
               "what does ReLU leave of them?")
    return "nn.init.kaiming_normal_ does the same; now you know which 2 is in it."


def nets_to_wake():
    """Yield (what it is, a network that stalls, the shape of its images)."""
    yield ("twenty linear layers of one width",
           nn.Sequential(nn.Linear(50, 100), nn.ReLU(), *[part for _ in range(18) for part in (
               nn.Linear(100, 100), nn.ReLU())], nn.Linear(100, 10)), (50,))
    widths = (1024, 512, 256, 128, 64, 32)
    yield ("a network in blocks that gets narrower",
           nn.Sequential(*[nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU())
                           for inputs, outputs in itertools.pairwise(widths)], nn.Linear(32, 10)),
           (1024,))
    yield ("a network of convolutions",
           nn.Sequential(*[nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding="same"),
                                         nn.ReLU())
                           for inputs, outputs, kernel in ((1, 16, 3), (16, 32, 3), (32, 64, 1),
                                                           (64, 128, 3), (128, 64, (3, 1)))],
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64 * 6 * 6, 10)), (1, 12, 12))


def factor_of(net, shape):
    """Return by what each layer with weights multiplies the square of a small difference.

    That is the geometric mean of all but the first and the last, 0 where nothing is left.
    """
    generator, sizes = torch.Generator().manual_seed(0), []
    X = torch.randn(2, 32, *shape, generator=generator, dtype=torch.float64)
    X = torch.cat([X[0], X[0] + 1e-4 * X[1]])  # 32 images, and each of them a little changed

    def keep(_layer, _inputs, output):
        sizes.append(((output[32:] - output[:32]) ** 2).mean().item())

    net = copy.deepcopy(net).double().cpu()
    for layer in weighted(net):
        layer.register_forward_hook(keep)
    with torch.no_grad():
        net(X)
    first, last = sizes[0], sizes[-2]
    return (last / first) ** (1 / (len(sizes) - 2)) if first and math.isfinite(last) else first


def weighted(net):
    return [layer for layer in net.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]


@exercise
def check_wake(answer):
    """Lesson 04, exercise 3: first numbers with which the signal keeps its size."""
    for name, net, shape in nets_to_wake():
        types = [type(module) for module in net.modules()]
        before = [layer.weight.detach().clone() for layer in weighted(net)]
        found = ask(answer, net)
        expect(isinstance(found, nn.Module),
               f"return the network, not {type(found).__name__}")
        expect([type(module) for module in found.modules()] == types,
               "another network came back: change the parameters, and add no layers")
        for layer, weight in zip(weighted(found), before, strict=True):
            new = layer.weight.detach()
            expect(new.shape == weight.shape and bool(new.isfinite().all()),
                   f"{layer} came back with weights of another shape, or that are no numbers")
            expect(not torch.equal(new, weight.to(new)),
                   f"{name}: the weights of {layer} are as they were. net.modules() finds layers "
                   "of each kind, inside blocks too")
            expect(bool(new.any()), f"{name}: all weights of {layer} are zero, so nothing of the "
                                    "signal is left")
            expect(not torch.equal(new[0], new[1]),
                   f"{name}: all units of {layer} are equal, and will stay so: draw at random")
            expect(layer.bias is None or bool(layer.bias.abs().max() < 1),
                   f"{name}: the biases of {layer} are large. They add the same to every image, "
                   "and drown what differs")
        factor = factor_of(found, shape)
        expect(not (0.4 < factor < 0.6) or "one width" not in name,
               f"{name}: each layer loses about half of the mean square. Which half does a ReLU "
               "throw away, and do your weights make up for it?")
        expect(factor > 0.7, f"{name}: the signal shrinks, to {factor:.2g} of its mean square in "
                             "each layer. Which weights enter one output?")
        expect(factor < 1.4, f"{name}: the signal grows, to {factor:.2g} times its mean square in "
                             "each layer. Which weights enter one output?")
    return "You picked first numbers by arithmetic, and a network of any depth wakes."


@exercise
def check_my_init_std(answer):
    """Lesson 04, exercise 4: the standard deviation of my_init's weights."""
    found = as_number(answer)
    square = (25 + 50 + 100) / 3  # the mean square of U(5, 10), and of U(-10, -5)

    def near(value):
        return abs(found - value) < 0.02

    for wrong, mistake in (
            (math.sqrt(square), "you left out the zeros: half of the weights add nothing to the "
                                "mean square"),
            (10 / math.sqrt(3), "that is U(-10, 10) before the mask: the small weights were set "
                                "to zero"),
            (5 / math.sqrt(12), "that is how far U(5, 10) lies from its own mean, 7.5: the mean "
                                "of all weights is 0"),
            (square / 2, "that is the variance: the standard deviation is its root"),
            (square, "that is the mean square of U(5, 10) alone: half of the weights are zero, "
                     "and a root is missing"),
            (7.5 / 2, "that is the mean of the absolute values: square them first"),
            (math.sqrt(square / 4), "you gave U(5, 10) a quarter of the weights and forgot the "
                                    "other side, U(-10, -5)"),
            (7.5 / math.sqrt(2), "you took every weight of U(5, 10) for 7.5: the mean of the "
                                 "squares is more than the square of the mean"),
            (0, "that is the mean; how far do the weights lie from it?")):
        expect(not near(wrong), mistake)
    expect(found > 0, f"{found} is negative: a standard deviation is a distance")
    expect(near(math.sqrt(square / 2)), f"{found} is not it: what is the mean square of each of "
                                        "the three parts, and which share has each?")
    return ("Setting half of U(-10, 10) to zero took only 6 % off its spread: small weights "
            "add little to it.")


@exercise
def check_make_identity(answer):
    """Lesson 04, exercise 5: a convolution that passes its input on."""
    generator = torch.Generator().manual_seed(0)
    middle = torch.zeros(3, 3)
    middle[1, 1] = 1
    for channels in (1, 3, 8, 3):
        conv = nn.Conv2d(channels, channels, 3, padding=1)
        X = torch.randn(2, channels, 6, 7, generator=generator)
        found = ask(answer, copy.deepcopy(conv))
        expect(isinstance(found, nn.Conv2d), f"return the layer, not {type(found).__name__}")
        weight, bias = found.weight.detach(), found.bias
        expect(weight.shape == conv.weight.shape,
               f"a layer of {channels} channels came back with weights of shape "
               f"{tuple(weight.shape)}: change the layer that was given")
        expect(bool(weight.any()), "all weights are zero: one in each window of its own channel "
                                   "has to pass the pixel on")
        expect(not weight.eq(1).all(), "all ones add up the whole window: one weight a channel "
                                       "is 1")
        expect(not torch.allclose(weight, torch.full_like(weight, 1 / 9)),
               "that is the window's mean, which blurs: the middle alone counts")
        own = weight[range(channels), range(channels)]  # (C, 3, 3)
        expect(not torch.equal(own[:1], middle[None]) or channels == 1 or bool(own[1:].any()),
               "channel 0 is passed on and the others are not: one weight for each channel")
        expect(channels == 1 or not torch.equal(weight, middle.expand_as(weight)),
               "every output is the sum of all channels: output channel o must look at input "
               "channel o alone")
        expect(not (weight == conv.weight).any() or torch.equal(weight, conv.weight),
               "some weights are still as they were: set them all to zero first")
        expect(not torch.equal(weight, conv.weight), "the weights are as they were: change them")
        expect(not weight.sum(dim=1).eq(middle).all() or torch.equal(own, middle.expand_as(own)),
               "the channels change places: output channel o must look at input channel o")
        moved = own.eq(own[0]).all() and own[0].sum() == 1 and own[0, 1, 1] == 0
        expect(not moved, "the image is shifted by a pixel: the middle of a 3x3 window is [1, 1]")
        expect(bias is None or torch.allclose(bias, torch.zeros_like(bias)),
               "the bias still adds something: set it to zero")
        with torch.no_grad():
            out = ask(found, X)
        expect(out.shape == X.shape and torch.allclose(out, X, atol=1e-5),
               "the output differs from the input")
    return ("A ReLU after it changes nothing either, as what comes in has passed a ReLU: so a "
            "trained VGG can be deepened without forgetting.")
