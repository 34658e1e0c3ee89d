"""Lesson 12's exercises."""

import copy
import random

import torch
from torch import nn
from torch.nn.functional import conv2d, max_pool2d

from d2lvgg.exercises import Unanswered, WrongAnswer, as_number, ask, exercise, expect
from d2lvgg.models import VGG_ARCHS, vgg


def as_list(found, wanted):
    """Return what a list, set, array or tensor holds. Raises WrongAnswer for anything else."""
    try:
        return list(found if not isinstance(found, (str, bytes)) else None)
    except TypeError:
        raise WrongAnswer(f"{wanted} wanted, not {found!r}") from None


def as_numbers(found, count, wanted):
    """Return the count numbers of a list, tuple, array or tensor as a tuple of Python's."""
    numbers = as_list(found, wanted)
    expect(len(numbers) == count and not isinstance(found, (set, dict)),
           f"{wanted} wanted, not {found!r}")
    return tuple(as_number(number) for number in numbers)


def output_of(module, X):
    """Return module(X), the student's own module, its errors turned into sentences."""
    try:
        out = module(X)
    except Exception as error:
        raise WrongAnswer(f"it refuses a batch of shape {tuple(X.shape)}: {error}") from None
    expect(isinstance(out, torch.Tensor) and out.is_floating_point(),
           f"its output is a {type(out).__name__}, and feature maps are wanted")
    return out


def layers_of(block):
    """Return the modules that hold no others."""
    return [layer for layer in block.modules() if not any(True for _ in layer.children())]


@exercise
def check_vgg16_and_vgg19(answer):
    """Lesson 12, exercise 1: columns D and E as conv_archs."""
    expect(isinstance(answer, (tuple, list)) and len(answer) == 2,
           f"two conv_archs are wanted, (vgg16, vgg19), not {answer!r}")
    if any(arch is ... or arch is None for arch in answer):
        raise Unanswered
    pairs = f"five pairs (num_convs, out_channels), such as {VGG_ARCHS['vgg11']}, are"
    archs = [tuple(as_numbers(pair, 2, pairs) for pair in as_list(arch, pairs)) for arch in answer]
    expect(archs != [VGG_ARCHS["vgg19"], VGG_ARCHS["vgg16"]], "swapped: vgg16 is the shorter one")
    column_c = ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512))
    for name, column, arch in zip(("vgg16", "vgg19"), "DE", archs, strict=True):
        convs, right = sum(count for count, _ in arch), VGG_ARCHS[name]
        expect(len(arch) == 5, f"{name} has {len(arch)} blocks: every column has five")
        expect(any(count < channels for count, channels in arch),
               f"{name}: the pairs are turned round: num_convs stands first")
        expect([channels for _, channels in arch] == [channels for _, channels in right],
               f"{name}: one of the widths {[channels for _, channels in arch]} is in no column: "
               "in TABLE_1 the widths of the five blocks are the same from A to E")
        expect(name != "vgg16" or arch != column_c,
               "vgg16 is column C without its 1x1 convolutions: what has D in their place?")
        expect(arch != VGG_ARCHS["vgg13"], f"{name} is column B")
        expect(convs != int(name[3:]),
               f"{name} has {convs} convolutions, and {convs + 3} layers with the three linear "
               "ones: the name counts both")
        expect(convs + 3 == int(name[3:]), f"{name} has {convs} convolutions and 3 linear layers, "
                                           f"so it would be VGG-{convs + 3}")
        expect(arch == right, f"{name} has enough layers, but in other blocks than column {column}")
    return "From D to E the three deeper blocks grow by one convolution each, and nothing else."


def block_c(convs, X, fault=None):
    """Return what a block of column C makes of X with these convolutions, but for one fault."""
    for conv in convs[:-1]:
        X = conv2d(X, conv.weight, conv.bias, padding=1)
        X = X if fault == "relus" else X.relu()
    if fault == "pool first":
        X = max_pool2d(X, 2)
    X = conv2d(X, convs[-1].weight, convs[-1].bias)
    X = X if fault in ("last relu", "relus") else X.relu()
    return X if fault == "pool first" else max_pool2d(X, 2)


BLOCK_FAULTS = {
    "relus": "there is no ReLU between the convolutions: without one they are a single "
             "convolution",
    "last relu": "the 1x1 convolution has no ReLU behind it, and without one it adds nothing "
                 "nonlinear",
    "pool first": "the pool must stay last: the new nonlinearity comes before the downsampling",
}


@exercise
def check_vgg_block_c(answer):
    """Lesson 12, exercise 2: a block of column C."""
    torch.manual_seed(0)
    for num_convs, inputs, outputs in ((2, 3, 8), (1, 4, 4), (3, 8, 5)):
        block, again = (ask(answer, num_convs, inputs, outputs) for _ in range(2))
        expect(isinstance(block, nn.Module) and isinstance(again, nn.Module),
               f"a block, one nn.Module, is wanted, not {block!r}")
        expect(not {id(p) for p in block.parameters()} & {id(p) for p in again.parameters()},
               "two calls share layers: make new ones in each call, in a list inside the function")
        X = torch.randn(2, inputs, 12, 16)
        out = output_of(block, X)
        convs = [layer for layer in layers_of(block) if isinstance(layer, nn.Conv2d)]
        kernels = [conv.kernel_size for conv in convs]
        expect(kernels != [(3, 3)] * num_convs, "the 1x1 convolution is missing")
        expect(kernels != [(3, 3)] * (num_convs + 1),
               "one more 3x3 is column D: column C's last convolution is 1x1")
        expect(kernels != [(3, 3)] * (num_convs - 1) + [(1, 1)],
               f"the 1x1 comes on top of the {num_convs} 3x3 convolutions: you replaced one")
        expect(kernels != [(1, 1)] + [(3, 3)] * num_convs,
               "the 1x1 convolution stands first: it comes after the 3x3 ones")
        expect(kernels == [(3, 3)] * num_convs + [(1, 1)],
               f"for num_convs = {num_convs} the kernels are {kernels}: so many of 3x3 are wanted, "
               "then one of 1x1")
        expect(convs[-1].padding in ((0, 0), 0, "valid", "same"),
               "the 1x1 convolution has padding: it adds a border that no image had")
        widths = [(conv.in_channels, conv.out_channels) for conv in convs]
        expect(widths == [(inputs, outputs)] + [(outputs, outputs)] * num_convs,
               f"the channels go {widths}: the first convolution makes out_channels of "
               "in_channels, and then they stay")

        expect(out.shape[2:] != (12, 16), "height and width stay: a block ends with a pool")
        expect(out.shape[2:] != (3, 4), "height and width are halved twice: a block has one pool")

        def same(fault=None, out=out, convs=convs, X=X):
            wanted = block_c(convs, X, fault)
            return out.shape == wanted.shape and torch.allclose(out, wanted, atol=1e-5)

        for fault, mistake in BLOCK_FAULTS.items():
            expect(not same(fault), mistake)
        expect(same(), "the output is not that of convolutions and ReLUs by turns and a 2x2 "
                          "max-pool: the layers are "
                          + ", ".join(type(layer).__name__ for layer in layers_of(block)))
    return "A 1x1 costs a ninth of a 3x3's weights, for as many ReLUs."


@exercise
def check_bn_numbers(answer):
    """Lesson 12, exercise 3: parameters and buffers of batch norm."""
    archs = [((3, 5), (1, 7)), ((2, 8),), VGG_ARCHS["vgg11"], VGG_ARCHS["vgg19"]]
    for arch in archs:
        found, again = (as_numbers(ask(answer, arch), 2, "two counts, (parameters, others), are")
                        for _ in range(2))
        expect(found == again, f"the same call gave {found} and then {again}: something is kept "
                               "from call to call")
        with torch.device("meta"):
            plain, normed = (vgg(arch, input_size=64, batch_norm=bn) for bn in (False, True))
        params = sum(p.numel() for p in normed.parameters()) - sum(
            p.numel() for p in plain.parameters())
        others = sum(b.numel() for b in normed.buffers())
        layers = sum(convs for convs, _ in arch)
        right, of_vgg11 = (params, others), (5504, 5512)  # the second stands in the lesson
        for wrong, mistake in (
                (of_vgg11, "that is VGG-11's: use conv_arch"),
                ((others, params), "swapped: the parameters come first"),
                ((params, others - layers), "you left out num_batches_tracked: one counter a "
                                            "batch-norm layer is in the state_dict too"),
                ((params, others - layers + 1), "num_batches_tracked is there once a batch-norm "
                                                "layer, not once a network"),
                ((params, others - layers + len(arch)), "num_batches_tracked is there once a "
                                                        "batch-norm layer, not once a block"),
                ((params // 2, (others - layers) // 2 + layers),
                 "two numbers a channel, twice: weight and bias are parameters, running_mean and "
                 "running_var are not"),
                ((params, params + others), "the second count is of what are no parameters: leave "
                                            "weight and bias out of it"),
                ((params + others, others), "you counted the running statistics as parameters: no "
                                            "gradient changes them"),
                ((params + others - layers, layers),
                 "you counted the running statistics as parameters: no gradient changes them"),
                ((params, 0), "the running mean and variance are in the state_dict, though no "
                              "gradient touches them")):
            expect(found != wrong or wrong == right, mistake)
        one_a_block = 2 * sum(channels for _, channels in arch)
        expect(found[0] != one_a_block or one_a_block == params,
               "you counted one layer a block: every convolution has a batch norm behind it")
        expect(found[0] == params, f"for {arch} the first count is not {found[0]:,}: what has "
                                   "nn.BatchNorm2d(8).parameters(), and how many such layers are "
                                   "there, of how many channels?")
        expect(found[1] == others, f"for {arch} the second count is not {found[1]:,}: look at "
                                   "nn.BatchNorm2d(8).state_dict(), entry by entry")
    return "Forget to save the buffers, and every parameter is right and every answer wrong."


def folded(conv, bn, fault=None):
    """Return (weight, bias) of conv with bn's evaluation mode folded in, but for one fault."""
    eps = {"eps": 0, "eps outside": 0, "default eps": 1e-5}.get(fault, bn.eps)
    variance = bn.running_var + eps
    root = variance if fault == "root" else variance.sqrt()
    root = root + bn.eps if fault == "eps outside" else root
    scale = (1 if fault == "gamma" else bn.weight) / root
    by_channel = scale[None, :, None, None] if fault == "axis" else scale[:, None, None, None]
    weight = conv.weight * (1 if fault == "weight" else by_channel)
    bias = 0 if fault == "conv bias" else conv.bias * (1 if fault == "bias unscaled" else scale)
    mean = bn.running_mean * {"mean": 0, "mean unscaled": 1}.get(fault, scale)
    return weight, (0 if fault == "shift" else bn.bias) + bias - mean


FOLD_FAULTS = {
    "root": "you divided by the variance: batch norm divides by its square root",
    "gamma": "bn.weight is missing: batch norm multiplies by it after dividing",
    "weight": "the kernels are unchanged: the scale multiplies conv.weight too",
    "axis": "you scaled conv.weight along its second axis, the input channels: batch norm comes "
            "after the convolution",
    "conv bias": "the convolution's own bias is lost: batch norm sees it, and scales it",
    "bias unscaled": "the convolution's bias goes through batch norm too: multiply it by the scale",
    "mean": "the running mean is not subtracted",
    "mean unscaled": "the running mean is subtracted before the scaling: multiply it by the scale",
    "shift": "bn.bias is missing: it is added at the end",
    "eps": "bn.eps is missing under the root: small variances show it",
    "eps outside": "bn.eps stands under the root, not behind it",
    "default eps": "1e-5 is the usual bn.eps: take the layer's own",
}


def conv_and_bn(inputs, outputs, size):
    """Return a convolution and a batch norm in evaluation mode, as training could leave them."""
    conv, bn = nn.Conv2d(inputs, outputs, size, padding=size // 2), nn.BatchNorm2d(outputs)
    with torch.no_grad():
        for tensor in (conv.bias, bn.weight, bn.bias, bn.running_mean):
            tensor.normal_(mean=0.5)
        bn.running_var.uniform_(0.001, 0.01)  # small: eps matters
        bn.eps = 1e-3
    return conv, bn.eval()


@exercise
def check_fold(answer):
    """Lesson 12, exercise 4: batch norm folded into the convolution before it."""
    torch.manual_seed(0)
    for inputs, outputs, size in ((5, 5, 1), (3, 6, 3), (4, 7, 5)):
        given, kept = (pair := conv_and_bn(inputs, outputs, size)), copy.deepcopy(pair)
        found, again = (ask(answer, *given) for _ in range(2))
        expect(isinstance(found, nn.Conv2d),
               f"one nn.Conv2d is wanted, not a {type(found).__name__}")
        unchanged = all(torch.equal(old.state_dict()[name], value) and old.training == now.training
                        for old, now in zip(kept, given, strict=True)
                        for name, value in now.state_dict().items())
        expect(found is not given[0] and unchanged,
               "you changed conv or bn, their numbers or their mode: fold twice and the second "
               "result would be wrong")
        expect(found is not again, "two calls gave the same convolution: make a new one each time")
        X = torch.randn(2, inputs, 9, 9)
        with torch.inference_mode():
            right, out = kept[1](kept[0](X)), output_of(found, X)

            def same(fault, out=out, conv=kept[0], bn=kept[1], X=X):
                wrong = conv2d(X, *folded(conv, bn, fault), padding=conv.padding)
                return torch.allclose(out, wrong, rtol=1e-3, atol=1e-3)

            expect(out.shape == right.shape,
                   f"the output has shape {tuple(out.shape)}, and bn(conv(X)) has another: hand on "
                   "conv's padding")
            for fault, mistake in FOLD_FAULTS.items():
                expect((fault == "axis" and inputs != outputs) or not same(fault), mistake)
            expect(torch.allclose(out, right, rtol=1e-3, atol=1e-3),
                   f"the outputs differ from bn(conv(X)) by up to {(out - right).abs().max():.2g}: "
                   "write down what multiplies the convolution, and what is added")
    return "Networks are shipped like this: batch norm costs nothing once training is over."


@exercise
def check_frontier(answer):
    """Lesson 12, exercise 5: the networks that no other beats."""
    rng = random.Random(0)
    zoos = [{"slow": (1, 90), "fast": (9, 50), "middle": (5, 70), "beaten": (4, 60)},
            {"twin a": (3, 3), "twin b": (3, 3), "low": (2, 1)},
            {"as fast": (5, 60), "better": (5, 70)}, {"as good": (4, 70), "faster": (5, 70)},
            {"alone": (1, 1)}]
    zoos += [{name: (rng.randint(1, 9), rng.randint(1, 9)) for name in "abcdefgh"}
             for _ in range(20)]
    for zoo in zoos:
        found = as_list(ask(answer, zoo), "a set of names is")
        expect(all(isinstance(name, str) for name in found),
               f"a set of names is wanted, not {found!r}")
        found = set(found)
        expect(found <= set(zoo), f"{found - set(zoo)} are no names of this zoo, {zoo}: was "
                                  "something kept from another call?")

        def unbeaten(beats, zoo=zoo):
            return {name for name, mine in zoo.items() if not any(
                beats(other, mine) for rival, other in zoo.items() if rival != name)}

        def beats(a, b):
            return a[0] >= b[0] and a[1] >= b[1] and a != b

        right = unbeaten(beats)
        for wrong, mistake in (
                (unbeaten(lambda a, b: a[0] > b[0] and a[1] > b[1]),
                 "as fast and more accurate beats too: better in one of the two is enough"),
                (unbeaten(lambda a, b: a[0] >= b[0] and a[1] >= b[1]),
                 "two equal networks do not beat each other: both stay"),
                (unbeaten(lambda a, b: a[0] >= b[0] or a[1] >= b[1]),
                 "to beat is to be at least as good in both: you took one of the two"),
                (unbeaten(lambda a, b: a[1] > b[1]), "that is the most accurate alone: a faster "
                                                     "one is worth considering too"),
                (unbeaten(lambda a, b: a[0] > b[0]), "that is the fastest alone: a more accurate "
                                                     "one is worth considering too"),
                (set(zoo) - right, "these are the beaten ones: you want the others")):
            expect(found != wrong or wrong == right, f"{mistake} ({zoo})")
        for name in sorted(found - right):
            rival = next(rival for rival, other in zoo.items() if beats(other, zoo[name]))
            raise WrongAnswer(f"you keep {name!r}, and {rival!r} beats it ({zoo})")
        for name in sorted(right - found):
            raise WrongAnswer(f"you leave out {name!r}: which network beats it? ({zoo})")
    return "Economists call it the Pareto frontier: off it, there is a choice with no drawback."
