"""Lesson 05's exercises."""

import functools
import math
import random

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

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
from d2lvgg.models import VGG_ARCHS, alexnet, lenet, vgg
from d2lvgg.shapes import open_blocks, trace_shapes


def pair_of(found):
    """Return two numbers as a tuple. Raises WrongAnswer for anything else."""
    pair = found.tolist() if isinstance(found, (torch.Tensor, np.ndarray)) else found
    expect(isinstance(pair, (tuple, list)) and len(pair) == 2,
           f"two numbers are wanted, (of the parameters, of the FLOPs), not {found!r}")
    return tuple(map(as_number, pair))


def names_of(found):
    """Return names as a list. Raises WrongAnswer for anything else."""
    expect(not isinstance(found, (set, frozenset)), "a set has no order: return a sorted list")
    names = found.tolist() if isinstance(found, np.ndarray) else found
    expect(isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names),
           f"a list of names is wanted, not {found!r}")
    return list(names)


def network_of(function, *arguments):
    """Return the network that function builds, a new one at each call and ready for training."""
    net, other = (ask(function, *arguments) for _ in range(2))
    for built in (net, other):
        expect(isinstance(built, nn.Sequential), f"an nn.Sequential is wanted, not {built!r}")
    expect(not set(net.parameters()).intersection(other.parameters()),
           f"two calls gave two networks with the same weights: {LEFT_BEHIND}; build the layers "
           "inside the function")
    expect(all(layer.training for layer in net.modules()),
           "the network is in evaluation mode, in which dropout does nothing: return it as built")
    return net


def table_of(net, side):
    """Return the ShapeTable of net for two images. Raises WrongAnswer where they do not fit."""
    try:
        table = trace_shapes(net, (2, 1, side, side), expand=True)
    except Exception as error:
        raise WrongAnswer(f"it does not take images of {side} pixels: {error}") from None
    expect(table and tuple(table[-1].output_shape) == (2, 10),
           "two images become an output of shape "
           f"{tuple(table[-1].output_shape) if table else None}: ten classes are wanted for each")
    return table


def layers_of(net):
    """Return the layers of a Sequential in order, inner ones opened, without nn.Identity."""
    return [layer for _, layer in open_blocks(net) if not isinstance(layer, nn.Identity)]


def window_of(layer):
    """Return what a convolution or a pool does in its window, whatever its channels."""
    def pair(value):
        return value if isinstance(value, tuple) else (value, value)

    return [pair(getattr(layer, name, None)) for name in ("kernel_size", "stride", "dilation",
                                                          "groups")]


def expect_layers_like(net, wanted, name):
    """Raise WrongAnswer unless net has wanted's layers; the widths are not looked at."""
    found, wanted = layers_of(net), layers_of(wanted)
    for kind in dict.fromkeys(map(type, wanted)):
        count, right = (sum(type(layer) is kind for layer in layers) for layers in (found, wanted))
        expect(count == right, f"{count} layers of type {kind.__name__}: {name} has "
                               f"{'more' if count < right else 'fewer'}")
    for place, (mine, other) in enumerate(zip(found, wanted, strict=False)):
        expect(type(mine) is type(other),
               f"layer {place} is a {type(mine).__name__}, where {name} has a "
               f"{type(other).__name__}")
        expect(window_of(mine) == window_of(other),
               f"layer {place}, {mine}, has another kernel, stride or grouping than in {name}")
        expect(getattr(mine, "p", 0) == getattr(other, "p", 0), "the dropout is not one half")
        expect((getattr(mine, "bias", None) is None) == (getattr(other, "bias", None) is None),
               f"layer {place} has no bias, and in {name} it has one")
    expect(len(found) == len(wanted), f"{name} has no {type(found[-1]).__name__} at its end")


NETWORKS = {"LeNet": (lenet, 28), "AlexNet": (alexnet, 224),
            "VGG-11": (functools.partial(vgg, VGG_ARCHS["vgg11"]), 224)}


def meta_nets():
    """Yield (name, network without memory, its input shape): LeNet, AlexNet and VGG-11."""
    for name, (build, side) in NETWORKS.items():
        with torch.device("meta"):
            net = build()
        yield name, net, (1, 1, side, side)


@functools.cache
def trace_of(name, expand=True):
    """Return the ShapeTable of a network of meta_nets for one image."""
    return next(trace_shapes(net, shape, expand) for other, net, shape in meta_nets()
                if other == name)


@exercise
def check_linear_shares(answer):
    """Lesson 05, exercise 4: linear layers' shares of parameters and FLOPs."""
    for name, net, shape in meta_nets():
        table = trace_of(name)
        linear = [row for row in table if row.layer == "Linear"]
        params = sum(row.params for row in linear) / table.params
        flops = sum(row.flops for row in linear) / table.flops
        found = ask_twice(pair_of, answer, net, shape)

        def near(a, b, within=1e-6, found=found):
            return all(math.isclose(x, y, abs_tol=within) for x, y in zip(found, (a, b),
                                                                           strict=True))

        expect(not near(flops, params), "swapped: the parameters' share comes first")
        expect(not near(1 - params, 1 - flops), "these are the shares of the convolutions")
        expect(not near(100 * params, 100 * flops), "these are per cent: fractions lie in 0 to 1")
        expect(not near(params, 1 - flops), "the first is the linear layers' share and the second "
                                            "the convolutions': give both of the linear layers")
        expect(not near(sum(row.params for row in linear), sum(row.flops for row in linear)),
               "these are numbers, not shares: divide by the whole table's")
        expect(not near(linear[-1].params / table.params, linear[-1].flops / table.flops),
               "you took the last linear layer alone: there are several")
        expect(not near(linear[0].params / table.params, linear[0].flops / table.flops),
               "you took the first linear layer alone: there are several")
        expect(near(params, flops) or not near(params, flops, 5e-3),
               "you rounded: return the fractions as they are")
        expect(near(params, flops), f"for an input of shape {shape} you say {found}: sum what the "
                                    "rows of linear layers hold and do, and divide by the table's "
                                    "own sums")
    return ("In AlexNet 92 % of the parameters do 4.6 % of the work: each convolution's weight is "
            "used once a pixel, each linear one once.")


@exercise
def check_seconds(answer):
    """Lesson 05, exercise 5: arithmetic and memory, layer by layer."""
    rng = random.Random(0)
    cases, found = [], []
    for layers in (4, 1, 4, 7, 2, 4, 3, 4):
        work = [(rng.uniform(1, 100) * 1e9, rng.uniform(1, 100) * 1e6) for _ in range(layers)]
        peak, bandwidth = rng.uniform(0.5, 2) * 1e12, rng.uniform(0.5, 2) * 1e9
        cases.append([(flops / peak, size / bandwidth) for flops, size in work])
        found.append(ask_twice(as_number, answer, work, peak, bandwidth))
    faster = ask_twice(as_number, answer, work, 2 * peak, 2 * bandwidth)
    expect(faster != found[-1], f"{faster:.3g} s, and as long on a chip that does and moves twice "
                                "as much a second: do you use peak and bandwidth?")

    def is_like(formula):
        return all(math.isclose(number, formula(times), rel_tol=1e-6)
                   for number, times in zip(found, cases, strict=True))

    for formula, mistake in (
            (lambda times: sum(map(sum, times)), "you added the two times: the chip computes and "
             "moves at once, so the longer counts"),
            (lambda times: max(map(sum, zip(*times, strict=True))), "you took the larger of the "
             "two sums: a layer that waits for memory cannot use another layer's spare time, so "
             "take the larger for each layer, then add"),
            (lambda times: sum(t for t, _ in times), "you left out the memory"),
            (lambda times: sum(t for _, t in times), "you left out the arithmetic"),
            (lambda times: max(map(max, times)), "you took the slowest layer alone: the layers "
             "are done one after another"),
            (lambda times: max(times[0]), "you took the first layer alone: the layers are done "
             "one after another"),
            (lambda times: sum(map(max, times)) / len(times), "that is the mean of the layers: "
             "they are done one after another"),
            (lambda times: 1e3 * sum(map(max, times)), "that is in milliseconds"),
            (lambda times: sum(max(1 / a, 1 / b) for a, b in times), "upside down: what there is "
             "to do, divided by what is done in a second"),
            (lambda times: sum(map(min, times)), "you took the shorter: a layer is done when both "
             "parts are done")):
        expect(not is_like(formula), mistake)
    for number, times in zip(found, cases, strict=True):
        expect(math.isclose(number, sum(map(max, times)), rel_tol=1e-6),
               f"for {len(times)} layers you say {number:.3g} s: how long does each wait for "
               "arithmetic, how long for memory, and for which of the two in the end?")
    return ("The same network wants another chip for one image than for 128: there is no best "
            "chip without a workload.")


@exercise
def check_beaten_by(answer):
    """Lesson 05, exercise 6: networks that are at least as good in everything."""
    rng = random.Random(0)
    tables = [{"old": (56, 61, 7), "tiny": (58, 1, 3), "even": (56, 61, 7), "wide": (70, 90, 9),
               "busy": (70, 11, 18), "fat": (70, 90, 3), "weak": (50, 1, 1)}]
    tables += [{name: tuple(rng.randint(1, 9) for _ in range(3)) for name in "hgfedcba"}
               for _ in range(4)]
    cases = [(name, table) for table in tables for name in table]
    found = [ask_twice(names_of, answer, name, table) for name, table in cases]

    def others(name, table, condition):
        return {other for other, row in table.items()
                if other != name and condition(*row, *table[name])}

    def right(a, p, f, accuracy, params, flops):
        return a >= accuracy and p <= params and f <= flops

    for names, (name, table) in zip(found, cases, strict=True):
        shown = f"beaten_by({name!r}, {table}) gave {names}"
        expect(name not in names, "a network does not beat itself: leave it out")
        expect(len(set(names)) == len(names), f"{shown}: a name stands there twice")
        expect(set(names) <= set(table), f"{shown}: not all of those are in the table")
    for wrong, mistake in (
            (lambda a, p, f, accuracy, params, flops: a >= accuracy and (p <= params or f <= flops),
             "fewer parameters or fewer FLOPs is not enough: both are wanted"),
            (lambda a, p, f, accuracy, params, flops: a > accuracy and p < params and f < flops,
             "you left out equals: 'at least as accurate' and 'no more' allow them"),
            (lambda a, p, f, accuracy, params, flops: a > accuracy and p <= params and f <= flops,
             "you left out networks that are as accurate: 'at least' allows them"),
            (lambda a, p, f, accuracy, params, flops: a >= accuracy,
             "more accurate is not enough: it may cost more"),
            (lambda a, p, f, accuracy, params, flops: a >= accuracy and p <= params,
             "you left out the FLOPs: it may do more work"),
            (lambda a, p, f, accuracy, params, flops: a >= accuracy and f <= flops,
             "you left out the parameters: it may have more of them"),
            (lambda a, p, f, accuracy, params, flops: p <= params and f <= flops,
             "cheaper is not enough: it may be less accurate"),
            (lambda a, p, f, accuracy, params, flops: right(accuracy, params, flops, a, p, f),
             "those are the networks that it beats: turn the three comparisons round")):
        expect(not all(set(names) == others(*case, wrong)
                       for names, case in zip(found, cases, strict=True)), mistake)
    for names, (name, table) in zip(found, cases, strict=True):
        expect(set(names) == others(name, table, right),
               f"beaten_by({name!r}, {table}) gave {names}: ask each of the others for its "
               "accuracy, its parameters and its FLOPs, and take it where all three are as wanted")
        expect(names == sorted(names), f"the right names in the wrong order, {names}: sort them by "
                                       "name")
    return ("SqueezeNet has a fiftieth of AlexNet's parameters and half its work, and is more "
            "accurate: to be fast at AlexNet proves little.")


@exercise
def check_largest_batch(answer):
    """Lesson 05, exercise 7: weights, gradients and every layer's outputs."""
    for name, net, (_, *image) in meta_nets():
        table, closed = trace_of(name), trace_of(name, expand=False).activation_bytes
        weights, one = 4 * table.params, table.activation_bytes
        for memory in (2 * weights + 10 * one + one // 2, 4 * 10 ** 9, 3 * weights, weights):
            found = ask_twice(as_number, answer, net, tuple(image), memory)
            left = memory - 2 * weights
            right = max(0, left // one)
            expect(math.isfinite(found) and found == int(found),
                   f"whole images only: {found} is not a batch")
            expect(found >= 0, "where the weights alone do not fit, the batch is 0, not negative")
            for wrong, mistake in (
                    ((memory - 2 * table.params) // one, "a parameter is four bytes, and you "
                     "counted it as one"),
                    ((memory - weights) // one, "you left out the gradients: as many bytes as the "
                     "weights"),
                    ((memory - 3 * weights) // one, "you counted the weights three times: weights "
                     "and gradients are kept, and plain training keeps no more"),
                    (memory // one, "you left out the weights and the gradients"),
                    (memory // (2 * weights + one), "weights and gradients are there once, however "
                     "large the batch"),
                    (left // closed, "you counted the blocks' outputs: what lies inside a block is "
                     "kept too, so trace with expand=True"),
                    (left // (one // 4), "you counted numbers: each takes four bytes"),
                    (left // table[-1].activation_bytes, "you counted the last layer's output "
                     "alone: all are kept"),
                    (-(-left // one), "rounded up: the last image does not fit"),
                    (left // one - 1, "one more image fits")):
                expect_not(found, max(0, wrong), right, mistake)
            expect(found == right, f"in {memory:,} bytes you fit {found}: what is kept once, what "
                                   "for each image, and how much memory is left for the images?")
    return ("One AlexNet image takes 5.4 MB while training: from about 70 images on, the "
            "outputs take more memory than weights and gradients.")


@exercise
def check_narrow_alexnet(answer):
    """Lesson 05, exercise 8: all widths divided."""
    for ratio in (1, 4, 8, 3):
        with torch.device("meta"):
            net, whole = network_of(answer, ratio), alexnet()
        table = table_of(net, 224)
        expect_layers_like(net, whole, "AlexNet")
        widths, originals = ([layer.weight.shape[0] for layer in layers_of(network)
                              if isinstance(layer, (nn.Conv2d, nn.Linear))]
                             for network in (net, whole))
        expect(widths[5:7] != originals[5:7] or ratio == 1,
               "the two hidden layers are still 4,096 wide, and most parameters are there")
        for place, (width, original) in enumerate(zip(widths[:-1], originals[:-1], strict=True)):
            expect(width == original // ratio,
                   f"with ratio {ratio} the layer with weights number {place} is {width} wide: "
                   f"AlexNet's {original} are divided by the ratio, and the fraction is dropped")
        sides, originals = ([row.output_shape[2:] for row in rows if row.output_shape[2:]]
                            for rows in (table, trace_of("AlexNet")))
        expect(list(dict.fromkeys(sides)) == list(dict.fromkeys(originals)),
               "the sides of the maps changed: keep kernels, strides, padding and pools")
    return ("Dividing the widths by 4 divides parameters and work by 15 or so, as both the inputs "
            "and the outputs of a layer shrink.")


@exercise
def check_alexnet28(answer):
    """Lesson 05, exercise 9: small enough, of AlexNet's kind, and able to learn."""
    with torch.device("meta"):  # weights cost no time until they are needed
        net = network_of(answer)
    table, layers = table_of(net, 28), layers_of(net)
    for kind, count in ((nn.Conv2d, 5), (nn.Linear, 3)):
        found = sum(isinstance(layer, kind) for layer in layers)
        expect(found == count,
               f"{found} layers of type {kind.__name__}, and AlexNet has {count}")
    expect(not any(isinstance(layer, nn.Sigmoid) for layer in layers),
           "a sigmoid is in it: eight layers of those pass almost no gradient")
    names = ["weights" if isinstance(layer, (nn.Conv2d, nn.Linear)) else type(layer).__name__
             for layer in layers]
    relus = names.count("ReLU")
    expect(relus == 7, f"{relus} ReLUs: AlexNet has one behind each of its first seven layers")
    expect(names[-1] == "weights", f"a {names[-1]} stands behind the last layer: its ten "
                                   "numbers are the answer")
    order = [name for name in names if name in ("weights", "ReLU")]
    expect(order == ["weights", "ReLU"] * 7 + ["weights"],
           "two ReLUs follow each other, and two layers have none between them: one ReLU "
           "behind each of the first seven layers")
    drops = [layer for layer in layers if isinstance(layer, nn.Dropout)]
    expect(drops, "AlexNet's dropout is missing")
    expect(all(0 < layer.p < 1 for layer in drops),
           "a dropout of 0 drops nothing, and one of 1 drops everything: AlexNet drops half")
    expect(table.params <= 467_647, f"{table.params:,} parameters are more than 467,647: most "
                                    "will be in the first linear layer, so pool once more "
                                    "before it")
    flops = table.flops // 2
    expect(flops <= 18_700_000, f"{flops:,} FLOPs are more than 18.7 million: pool earlier, or "
                                "use fewer channels where the maps are large")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        share = memorised(ask(answer))
    expect(share > 0.8, f"after 80 steps it knows {share:.0%} of 20 images: is a layer too narrow, "
                        "or its output cut off?")
    return "At 28 pixels AlexNet's first stride and large windows have nothing to do."


def memorised(net):
    """Return the fraction of 20 images that net knows after 80 steps of learning them."""
    from d2lvgg import load_data_fashion_mnist

    loader, _ = load_data_fashion_mnist(20, device="cpu", num_train=20, num_test=20, seed=0)
    X, y = next(iter(loader))
    for layer in net.modules():
        if type(layer) in (nn.Conv2d, nn.Linear):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    optimizer = torch.optim.Adam(net.eval().parameters(), lr=2e-3)
    for _ in range(80):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X), y).backward()
        optimizer.step()
    with torch.no_grad():
        return (net(X).argmax(dim=1) == y).float().mean().item()


def stop_epoch(accuracies, patience, previous=False, in_all=False, equal=False):
    """Return (the best epoch, the epoch at which it stops), both counted from 1.

    Three common mistakes: previous=True compares with the epoch before, in_all=True counts the
    epochs that bring nothing better in a row or not, and equal=True takes an equal one for better.
    """
    best = waited = epoch = 0
    while waited < patience and epoch + 1 < len(accuracies):
        epoch += 1
        rival = accuracies[epoch - 1 if previous else best]
        if accuracies[epoch] > rival or equal and accuracies[epoch] == rival:
            best, waited = epoch, waited if in_all else 0
        else:
            waited += 1
    return best + 1, epoch + 1


@exercise
def check_stop_epoch(answer):
    """Lesson 05, exercise 10: early stopping."""
    rng = random.Random(0)
    cases = [([0.1, 0.5, 0.4, 0.45, 0.9], 2), ([0.1, 0.5, 0.4, 0.45, 0.9], 3), ([0.3], 1),
             ([0.2, 0.3, 0.4], 1), ([0.5, 0.5, 0.5, 0.6], 3), ([0.5, 0.4, 0.45, 0.44, 0.6], 2),
             ([0.1, 0.5, 0.4, 0.6, 0.5, 0.7], 2)]
    cases += [([rng.randint(1, 20) / 20 for _ in range(12)], rng.randint(1, 4)) for _ in range(20)]
    found = [ask_twice(as_number, answer, *case) for case in cases]
    for wrong, mistake in (
            (lambda a, p: stop_epoch(a, p)[0] - 1, "count epochs from 1, as the plots do"),
            (lambda a, p: stop_epoch(a, p)[1], "that is where it stops; wanted is the best epoch "
             "until then"),
            (lambda a, p: a[stop_epoch(a, p)[0] - 1], "that is an accuracy; wanted is its epoch"),
            (lambda a, p: stop_epoch(a, p, equal=True)[0], "an equal accuracy is nothing better, "
             "so the first one counts"),
            (lambda a, p: stop_epoch(a, p, in_all=True)[0], "you counted all epochs that brought "
             "nothing better: they have to be in a row"),
            (lambda a, p: stop_epoch(a, p, previous=True)[0], "better than the epoch before is not "
             "enough: it has to be better than the best so far"),
            (lambda a, p: stop_epoch(a, p + 1)[0], "it goes on for an epoch longer than patience "
             "allows"),
            (lambda a, p: stop_epoch(a, p - 1)[0], "it stops an epoch earlier than patience "
             "demands"),
            (lambda a, p: a.index(max(a)) + 1, "that is the best of all epochs, and you cannot "
             "know of those after the stop"),
            (lambda a, p: stop_epoch(a, 3)[0], "you wait for 3 epochs whatever patience says"),
            (lambda a, p: len(a), "that is the last epoch: where does it stop, and which was the "
             "best until then?")):
        expect(not all(epoch == wrong(*case) for epoch, case in zip(found, cases, strict=True)),
               mistake)
    for epoch, case in zip(found, cases, strict=True):
        expect(epoch == stop_epoch(*case)[0],
               f"stop_epoch{case} gave {epoch}: go through the epochs, and keep which was the best "
               "so far and how long ago that is")
    return "Choose with a validation set: an epoch chosen on the test set flatters (lesson 09)."


@exercise
def check_modern_lenet(answer):
    """Lesson 05, exercise 2: ReLU and dropout in LeNet."""
    net = network_of(answer)
    names = [type(layer).__name__ for layer in layers_of(net)]
    expect("Sigmoid" not in names, "a sigmoid is left: all four become ReLU")
    expect(names.count("ReLU") == 4, f"{names.count('ReLU')} ReLUs, and LeNet has four activations")
    linears = [place for place, name in enumerate(names) if name == "Linear"]
    drops = [place for place, name in enumerate(names) if "Dropout" in name]
    expect(drops, "the dropout is missing")
    expect(linears and all(place > linears[0] for place in drops),
           "dropout belongs behind the hidden linear layers, not among the convolutions")
    expect(len(linears) == 3 and len(drops) == 2 and linears[0] < drops[0] < linears[1] < drops[1]
           < linears[2],
           "one dropout behind each of the two hidden layers, and none behind the output")
    expect(all(names[place - 1] == "ReLU" for place in drops),
           "put the dropout behind the ReLU")
    wanted = []
    for layer in lenet():
        wanted.append(nn.ReLU() if isinstance(layer, nn.Sigmoid) else layer)
        if isinstance(layer, nn.Sigmoid) and any(isinstance(other, nn.Linear) for other in wanted):
            wanted.append(nn.Dropout(0.5))
    expect_layers_like(net, nn.Sequential(*wanted), "LeNet")
    expect([p.shape for p in net.parameters()] == [p.shape for p in lenet().parameters()],
           "the weights' shapes changed: only activations and dropout are new")
    table_of(net, 28)
    return "ReLU costs nothing and helps at once; dropout pays when a network begins to overfit."


class CallCounter(TorchFunctionMode):
    """Counts PyTorch's functions that are called inside."""

    calls = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.calls += 1
        return func(*args, **(kwargs or {}))


@exercise
def check_flip_some(answer):
    """Lesson 05, exercise 1: one coin an image."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        expect_flipped(answer)
    return "A batch costs one draw and one where; augmenting on the GPU costs almost nothing."


def expect_flipped(answer):
    """Raise WrongAnswer unless answer mirrors each image of a batch with a coin of its own."""
    expect(callable(answer), f"a function is wanted, and this is {answer!r}")
    X = torch.rand(400, 2, 5, 6)
    counter = CallCounter()

    def flip_some(X, p):
        with counter:
            return answer(X, p)

    def flipped_by(p):
        given = X.clone()
        out = ask(flip_some, given, p)
        expect(isinstance(out, torch.Tensor) and (out.shape, out.dtype) == (X.shape, X.dtype),
               f"a tensor of shape {tuple(X.shape)} is wanted, as the batch was, and "
               f"{type(out).__name__} {tuple(getattr(out, 'shape', ()))} came back")
        expect(torch.equal(given, X), "you changed X itself: the next epoch would mirror it back")
        return out

    def like(out, other, axes=1):
        return (out == other).flatten(axes).all(dim=axes)

    def tolerance(p):
        return 5 * math.sqrt(p * (1 - p) / len(X)) + 1e-9  # five standard errors

    out = flipped_by(0.5)
    same, flipped, upside_down = (like(out, other) for other in (X, X.flip(3), X.flip(2)))
    expect(not (same | upside_down).all() or same.all(),
           "you mirrored top to bottom: width is the last axis")
    expect(not same.all() and not flipped.all(),
           "all images or none: one coin was tossed for the whole batch")
    expect((same | flipped).all() or not (like(out, X, 2) | like(out, X.flip(3), 2)).all(),
           "channels of one image were mirrored apart: one coin an image, of shape (B, 1, 1, 1)")
    expect((same | flipped).all(), "some images are neither as they were nor mirrored: does each "
                                   "keep its place, its channels and all its pixels?")
    share = flipped.float().mean().item()
    expect(abs(share - 0.5) < tolerance(0.5), f"with p=0.5 you mirror {share:.0%} of the images")
    others = [like(flipped_by(0.5), X.flip(3)) for _ in range(5)]
    expect(not any(torch.equal(other, flipped) for other in others),
           "the same images are mirrored each time: draw new coins")
    expect(len({int(drawn.sum()) for drawn in (flipped, *others)}) > 1,
           "exactly as many are mirrored each time: toss a coin for each, whatever the others got")
    for p in (0.0, 1.0, 0.2):
        share = like(flipped_by(p), X.flip(3)).float().mean().item()
        expect(abs(share - p) <= tolerance(p) or abs(share - (1 - p)) > tolerance(p),
               f"with p={p} you mirror {share:.0%} of the images: the other way round")
        expect(abs(share - p) <= tolerance(p), f"with p={p} you mirror {share:.0%} of the images")
    expect(counter.calls < len(X), f"{counter.calls:,} calls of PyTorch for ten batches: you go "
                                   "through the images one by one; toss all coins at once")


@exercise
def check_diagnose(answer):
    """Lesson 05, exercise 3: breaks, overfits or learns."""
    nan = math.nan
    cases = {  # (train_acc, test_acc): the word, and what is wrong with any other
        (nan, nan): ("breaks", "a loss that ran away leaves no accuracy: nan is neither larger nor "
                               "smaller than any number, so which of your comparisons is it to "
                               "pass?"),
        (nan, 0.1): ("breaks", "a train_acc of nan is a broken training, whatever the test says"),
        (0.1, 0.1): ("breaks", "it guesses on its own images, too"),
        (0.2, 0.19): ("breaks", "'at most' takes the bound itself in"),
        (0.2, 0.05): ("breaks", "it is no better than a guess on its own images: ask that first, "
                                "the gap says nothing then"),
        (0.21, 0.2): ("learns", "a little above a guess is not broken"),
        (1.0, 0.75): ("overfits", "it knows its own images by heart and the others much less"),
        (0.5, 0.375): ("overfits", "a gap counts wherever it lies: not all images need be known"),
        (0.3, 0.15): ("overfits", "overfitting is the gap between its own images and the others, "
                                  "however low the test is"),
        (0.9, 0.85): ("learns", "the gap is small"),
        (0.95, 0.9): ("learns", "the gap is small: a high accuracy is not overfitting yet"),
        (0.25, 0.23): ("learns", "the gap is a difference and not a ratio"),
        (0.625, 0.75): ("learns", "it is better on the test than on its own images: the gap has a "
                                  "sign"),
        (0.99, 0.01): ("overfits", "the gap between its own images and the others is huge"),
    }
    found = {case: ask(answer, *case) for case in cases}
    for case, word in found.items():
        expect(isinstance(word, str), f"diagnose{case} gave {word!r}: one of the words is wanted")
        expect(word in ("breaks", "overfits", "learns"),
               f"diagnose{case} gave {word!r}, which is none of the three words")
    expect(len(set(found.values())) > 1, f"{word!r} whatever the two numbers are: compare them")
    turned = all(ask(answer, test, train) == cases[train, test][0] for train, test in cases
                 if train == train and test == test)
    expect(not turned, "your two arguments are swapped: train_acc comes first")
    for case, (word, why) in cases.items():
        expect(found[case] == word, f"diagnose{case} gave {found[case]!r}: {why}")
    expect(all(ask(answer, *case) == word for case, word in found.items()),
           f"asked again, it gives other words: {LEFT_BEHIND}")
    return ("Two numbers, counted in the same way, and three words: that is how a training is read "
            "before anything is changed.")
