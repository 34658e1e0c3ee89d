"""Lesson 12's exercises."""

import copy
import random

import torch
from torch import nn

from d2lvgg.exercises import Unanswered, WrongAnswer, ask, exercise, expect
from d2lvgg.models import VGG_ARCHS, vgg


@exercise
def check_vgg16_and_vgg19(answer):
    """Lesson 12, exercise 1: columns D and E as conv_archs."""
    expect(isinstance(answer, (tuple, list)) and len(answer) == 2,
           f"two conv_archs are wanted, (vgg16, vgg19), not {answer!r}")
    if any(arch is ... or arch is None for arch in answer):
        raise Unanswered
    try:
        archs = [tuple((int(convs), int(channels)) for convs, channels in arch) for arch in answer]
    except (TypeError, ValueError):
        raise WrongAnswer("each is a tuple of five pairs, (num_convs, out_channels), such as "
                          f"{VGG_ARCHS['vgg11']}") from None
    expect(archs != [VGG_ARCHS["vgg19"], VGG_ARCHS["vgg16"]], "swapped: vgg16 is the shorter one")
    column_c = ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512))
    for name, column, arch in zip(("vgg16", "vgg19"), "DE", archs, strict=True):
        convs, right = sum(count for count, _ in arch), VGG_ARCHS[name]
        expect(len(arch) == 5, f"{name} has {len(arch)} blocks: every column has five")
        expect([channels for _, channels in arch] == [channels for _, channels in right],
               f"{name}: the widths of the blocks stay 64, 128, 256, 512, 512 in all columns")
        expect(name != "vgg16" or arch != column_c,
               "vgg16 is column C without its 1x1 convolutions: D has a 3x3 in their place")
        expect(convs != int(name[3:]),
               f"{name} has {convs} convolutions, and {convs + 3} layers with the three linear "
               "ones: the name counts both")
        expect(convs + 3 == int(name[3:]), f"{name} has {convs} convolutions and 3 linear layers, "
                                           f"so it would be VGG-{convs + 3}")
        expect(arch == right, f"{name} has enough layers, but in other blocks than column {column}")
    return "From D to E the three deeper blocks grow by one convolution each, and nothing else."


@exercise
def check_vgg_block_c(answer):
    """Lesson 12, exercise 2: a block of column C."""
    for num_convs, inputs, outputs in ((2, 3, 8), (1, 4, 4), (3, 8, 5)):
        block = ask(answer, num_convs, inputs, outputs)
        expect(isinstance(block, nn.Module), f"a block is wanted, not {block!r}")
        try:
            shape = tuple(block(torch.rand(2, inputs, 12, 16)).shape)
        except RuntimeError as error:
            raise WrongAnswer(f"vgg_block_c{num_convs, inputs, outputs} refuses a picture of "
                              f"{inputs} channels: {error}") from None
        layers = [layer for layer in block.modules() if not any(True for _ in layer.children())]
        convs = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
        kinds = [layer.kernel_size for layer in convs]
        expect(kinds != [(3, 3)] * num_convs, "the 1x1 convolution is missing")
        expect(kinds != [(3, 3)] * (num_convs + 1),
               "one more 3x3 is column D: column C's last convolution is 1x1")
        expect(kinds != [(3, 3)] * (num_convs - 1) + [(1, 1)],
               f"the 1x1 comes on top of the {num_convs} 3x3 convolutions: you replaced one")
        expect(kinds == [(3, 3)] * num_convs + [(1, 1)],
               f"the kernels are {kinds}: {num_convs} of 3x3 are wanted, then one of 1x1")
        expect(convs[-1].padding in ((0, 0), 0, "valid", "same"),
               "the 1x1 convolution has padding: it adds a border that no picture had")
        names = [type(layer).__name__ for layer in layers]
        expect(names.count("MaxPool2d") == 1,
               f"{names.count('MaxPool2d')} pools: a block has one, at its end")
        expect(names[-1] == "MaxPool2d",
               "the pool must stay last: the new nonlinearity comes before the downsampling")
        expect(names.count("ReLU") > num_convs, "the 1x1 convolution has no ReLU behind it, and "
                                                "without one it adds nothing nonlinear")
        expect(names == ["Conv2d", "ReLU"] * (num_convs + 1) + ["MaxPool2d"],
               f"the layers are {', '.join(names)}: a convolution and a ReLU by turns, then a pool")
        widths = [(conv.in_channels, conv.out_channels) for conv in convs]
        expect(widths == [(inputs, outputs)] + [(outputs, outputs)] * num_convs,
               f"the channels go {widths}: from {inputs} to {outputs} at once, then they stay")
        expect(shape == (2, outputs, 6, 8), f"(2, {inputs}, 12, 16) became {shape}: a block halves "
                                            "height and width")
    return "A 1x1 costs a ninth of a 3x3's weights, for as many ReLUs."


@exercise
def check_bn_numbers(answer):
    """Lesson 12, exercise 3: parameters and buffers of batch norm."""
    archs = [VGG_ARCHS["vgg11"], VGG_ARCHS["vgg19"], ((3, 5), (1, 7)), ((2, 8),)]
    for arch in archs:
        found = ask(answer, arch)
        expect(isinstance(found, (tuple, list)) and len(found) == 2,
               f"two counts are wanted, (parameters, other numbers), not {found!r}")
        found = tuple(found)
        with torch.device("meta"):
            plain, normed = (vgg(arch, batch_norm=bn) for bn in (False, True))
        params = sum(p.numel() for p in normed.parameters()) - sum(
            p.numel() for p in plain.parameters())
        others = sum(b.numel() for b in normed.buffers())
        layers = sum(convs for convs, _ in arch)
        last = 2 * sum(channels for _, channels in arch)  # one layer a block
        for wrong, mistake in (
                ((others, params), "swapped: the parameters come first"),
                ((params, others - layers), "you left out num_batches_tracked: one counter a "
                                            "batch-norm layer is in the state_dict too"),
                ((params // 2, (others - layers) // 2 + layers),
                 "two numbers a channel, twice: weight and bias are parameters, running_mean and "
                 "running_var are not"),
                ((params, params + others), "the second count is of what are no parameters: leave "
                                            "weight and bias out of it"),
                ((params + others, others), "you counted the running statistics as parameters: no "
                                            "gradient changes them"),
                ((params, 0), "the running mean and variance are in the state_dict, though no "
                              "gradient touches them")):
            expect(found != wrong or wrong == (params, others), mistake)
        expect(found[0] != last or last == params,
               "you counted one layer a block: every convolution has a batch norm behind it")
        expect(found == (params, others), f"for {arch} you say {found}, and it is "
                                          f"{(params, others)}")
    return "Forget to save the buffers, and every parameter is right and every answer wrong."


def folded(conv, bn, fault):
    """Return conv with bn's evaluation-mode arithmetic in its weights, but for one fault."""
    variance = bn.running_var + (0 if fault == "eps" else bn.eps)
    scale = torch.ones_like(variance) if fault == "gamma" else bn.weight.clone()
    scale = scale / (variance if fault == "root" else variance.sqrt())
    bias = torch.zeros_like(variance) if fault == "conv bias" else conv.bias
    mean = torch.zeros_like(variance) if fault == "mean" else bn.running_mean
    shift = torch.zeros_like(variance) if fault == "shift" else bn.bias
    result = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride,
                       padding=conv.padding)
    with torch.no_grad():
        result.weight.copy_(conv.weight * (1 if fault == "weight" else scale[:, None, None, None]))
        result.bias.copy_(shift + (bias * (1 if fault == "bias unscaled" else scale)
                                   - mean * (1 if fault == "mean unscaled" else scale)))
    return result


FOLD_FAULTS = {
    "root": "you divided by the variance: batch norm divides by its square root",
    "gamma": "bn.weight is missing: batch norm multiplies by it after dividing",
    "weight": "the kernels are unchanged: the scale multiplies conv.weight too",
    "conv bias": "the convolution's own bias is lost: batch norm sees it, and scales it",
    "bias unscaled": "the convolution's bias goes through batch norm too: multiply it by the scale",
    "mean": "the running mean is not subtracted",
    "mean unscaled": "the running mean is subtracted before the scaling: multiply it by the scale",
    "shift": "bn.bias is missing: it is added at the end",
    "eps": "bn.eps is missing under the root: small variances show it",
}


@exercise
def check_fold(answer):
    """Lesson 12, exercise 4: batch norm folded into the convolution before it."""
    torch.manual_seed(0)
    for inputs, outputs, size in ((3, 6, 3), (5, 5, 1), (4, 7, 5)):
        conv, bn = nn.Conv2d(inputs, outputs, size, padding=size // 2), nn.BatchNorm2d(outputs)
        with torch.no_grad():
            for tensor in (conv.bias, bn.weight, bn.bias, bn.running_mean):
                tensor.normal_(mean=0.5)
            bn.running_var.uniform_(0.001, 0.01)  # small: eps matters
            bn.eps = 1e-3
        bn.eval()
        before = copy.deepcopy([conv.state_dict(), bn.state_dict()])
        found = ask(answer, conv, bn)
        expect(isinstance(found, nn.Conv2d),
               f"one nn.Conv2d is wanted, not a {type(found).__name__}")
        unchanged = all(torch.equal(old[name], value)
                        for old, module in zip(before, (conv, bn), strict=True)
                        for name, value in module.state_dict().items())
        expect(found is not conv and unchanged,
               "you changed conv or bn: fold twice and the second result would be wrong")
        X = torch.randn(2, inputs, 9, 9)
        with torch.inference_mode():
            right, out = bn(conv(X)), found(X)
            expect(out.shape == right.shape, f"the output has shape {tuple(out.shape)} and should "
                                             f"have {tuple(right.shape)}: hand on conv's padding")
            for fault, mistake in FOLD_FAULTS.items():
                wrong = folded(conv, bn, fault)(X)
                expect(not torch.allclose(out, wrong, rtol=1e-3, atol=1e-3), mistake)
            expect(torch.allclose(out, right, rtol=1e-3, atol=1e-3),
                   f"the outputs differ by up to {(out - right).abs().max():.2g}")
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
        found = ask(answer, dict(zoo))
        expect(isinstance(found, (set, frozenset, list, tuple, dict)),
               f"a set of names is wanted, not {found!r}")
        expect(all(name in zoo for name in found), f"a set of names is wanted, not {found!r}")
        found = set(found)

        def unbeaten(beats, zoo=zoo):
            return {name for name, mine in zoo.items() if not any(
                beats(other, mine) for rival, other in zoo.items() if rival != name)}

        right = unbeaten(lambda a, b: a[0] >= b[0] and a[1] >= b[1] and a != b)
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
        expect(found == right, f"for {zoo} you say {sorted(found)}, and it is {sorted(right)}")
    return "Economists call it the Pareto frontier: off it, there is a choice with no drawback."
