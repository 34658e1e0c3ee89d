"""Lesson 05's exercises."""

import math
import random

import torch
from torch import nn

from d2lvgg.data import read_fashion_mnist
from d2lvgg.exercises import Unanswered, WrongAnswer, ask, ask_number, exercise, expect, expect_not
from d2lvgg.models import VGG_ARCHS, alexnet, lenet, vgg
from d2lvgg.shapes import open_blocks, trace_shapes


def meta_nets():
    """Return (network without memory, its input shape): LeNet, AlexNet and VGG-11."""
    with torch.device("meta"):
        return [(lenet(), (1, 1, 28, 28)), (alexnet(), (1, 1, 224, 224)),
                (vgg(VGG_ARCHS["vgg11"]), (1, 1, 224, 224))]


@exercise
def check_linear_shares(answer):
    """Lesson 05, exercise 1: linear layers' shares of parameters and FLOPs."""
    for net, shape in meta_nets():
        found = ask(answer, net, shape)
        expect(isinstance(found, (tuple, list)) and len(found) == 2,
               f"two numbers are wanted, (of the parameters, of the FLOPs), not {found!r}")
        table = trace_shapes(net, shape, expand=True)
        linear = [row for row in table if row.layer == "Linear"]
        params = sum(row.params for row in linear) / table.params
        flops = sum(row.flops for row in linear) / table.flops

        def near(a, b, found=found):
            return all(math.isclose(x, y, rel_tol=1e-6) for x, y in zip(found, (a, b), strict=True))

        expect(not near(flops, params), "swapped: the parameters' share comes first")
        expect(not near(1 - params, 1 - flops), "these are the shares of the convolutions")
        expect(not near(100 * params, 100 * flops), "these are per cent: fractions lie in 0 to 1")
        expect(not near(params, 1 - flops), "the first is the linear layers' share and the second "
                                            "the convolutions': give both of the linear layers")
        expect(near(params, flops), f"linear layers hold {params:.4f} of the parameters and do "
                                    f"{flops:.4f} of the FLOPs; you say {found}")
    return ("In AlexNet 92 % of the parameters do 4.6 % of the work: each convolution's weight is "
            "used once a pixel, each linear one once.")


@exercise
def check_seconds(answer):
    """Lesson 05, exercise 2: a roofline, layer by layer."""
    rng = random.Random(0)
    cases, found = [], []
    for _ in range(8):
        work = [(rng.uniform(1, 100) * 1e9, rng.uniform(1, 100) * 1e6) for _ in range(4)]
        peak, bandwidth = rng.uniform(0.5, 2) * 1e12, rng.uniform(0.5, 2) * 1e9
        cases.append([(flops / peak, size / bandwidth) for flops, size in work])
        found.append(ask_number(answer, work, peak, bandwidth))

    def is_like(formula):
        return all(math.isclose(number, formula(times), rel_tol=1e-9)
                   for number, times in zip(found, cases, strict=True))

    expect(not is_like(lambda times: sum(map(sum, times))),
           "you added the two times: the chip computes and moves at once, so the longer counts")
    expect(not is_like(lambda times: max(map(sum, zip(*times, strict=True)))),
           "you took the larger of the two sums: a layer that waits for memory cannot use another "
           "layer's spare time, so take the larger for each layer, then add")
    expect(not is_like(lambda times: sum(t for t, _ in times)), "you left out the memory")
    expect(not is_like(lambda times: sum(t for _, t in times)), "you left out the arithmetic")
    expect(not is_like(lambda times: max(map(max, times))),
           "you took the slowest layer alone: the layers are done one after another")
    expect(not is_like(lambda times: sum(map(min, times))),
           "you took the shorter: a layer is done when both parts are done")
    right = [sum(map(max, times)) for times in cases]
    expect(is_like(lambda times: sum(map(max, times))),
           f"for four layers you say {found[0]:.3g} s, and it is {right[0]:.3g} s")
    return ("The same network wants another chip for one picture than for 128: there is no best "
            "chip without a workload.")


@exercise
def check_beaten_by(answer):
    """Lesson 05, exercise 3: networks that are at least as good in everything."""
    rng = random.Random(0)
    tables = [{"old": (56, 61, 7), "tiny": (58, 1, 3), "even": (56, 61, 7), "wide": (70, 90, 9),
               "busy": (70, 11, 18), "fat": (70, 90, 3), "weak": (50, 1, 1)}]
    tables += [{name: tuple(rng.randint(1, 9) for _ in range(3)) for name in "hgfedcba"}
               for _ in range(4)]
    for table in tables:
        for name, (accuracy, params, flops) in table.items():
            found = ask(answer, name, dict(table))
            expect(isinstance(found, (list, tuple, set)), f"a list of names is wanted: {found!r}")
            others = {other: row for other, row in table.items() if other != name}
            right = sorted(other for other, (a, p, f) in others.items()
                           if a >= accuracy and p <= params and f <= flops)
            shown = f"beaten_by({name!r}, {table})"
            expect(name not in found, "a network does not beat itself: leave it out")
            expect(set(found) == set(right) or set(found) != {
                other for other, (a, p, f) in others.items()
                if a >= accuracy and (p <= params or f <= flops)},
                "fewer parameters or fewer FLOPs is not enough: both are wanted")
            expect(set(found) == set(right) or set(found) != {
                other for other, (a, p, f) in others.items()
                if a > accuracy and p < params and f < flops},
                "you left out equals: 'at least as accurate' and 'no more' allow them")
            expect(set(found) == set(right) or set(found) != {
                other for other, (a, _, _) in others.items() if a >= accuracy},
                "more accurate is not enough: it may cost more")
            expect(set(found) == set(right), f"{shown} gave {found}, and it is {right}")
            expect(list(found) == right, f"right names, wrong order: sort them ({right})")
    return ("SqueezeNet has a fiftieth of AlexNet's parameters and half its work, and is more "
            "accurate: to be fast at AlexNet proves little.")


@exercise
def check_largest_batch(answer):
    """Lesson 05, exercise 4: weights, gradients and every layer's outputs."""
    for net, (_, *picture) in meta_nets():
        table = trace_shapes(net, (1, *picture), expand=True)
        closed = trace_shapes(net, (1, *picture)).activation_bytes
        weights, one = 4 * table.params, table.activation_bytes
        for memory in (2 * weights + 10 * one + one // 2, 4 * 10 ** 9, 3 * weights, weights):
            found = ask_number(answer, net, tuple(picture), memory)
            right = max(0, (memory - 2 * weights) // one)
            expect(found == int(found), f"whole pictures only: {found} is not a batch")
            expect_not(found, (memory - 2 * table.params) // one, right,
                       "a parameter is four bytes, and you counted it as one")
            expect(found >= 0, "where the weights alone do not fit, the batch is 0, not negative")
            expect_not(found, max(0, (memory - weights) // one), right,
                       "you left out the gradients: as many bytes as the weights")
            expect_not(found, memory // one, right, "you left out the weights and the gradients")
            expect_not(found, memory // (2 * weights + one), right,
                       "weights and gradients are there once, however large the batch")
            expect_not(found, max(0, (memory - 2 * weights) // closed), right,
                       "you counted the blocks' outputs: what lies inside a block is kept too, so "
                       "trace with expand=True")
            expect_not(found, max(0, -(-(memory - 2 * weights) // one)), right,
                       "rounded up: the last picture does not fit")
            expect(found == right, f"in {memory:,} bytes you fit {found}, and it is {right}: "
                                   f"{2 * weights:,} once and {one:,} a picture")
    return ("One AlexNet picture takes 5.4 MB while training: from about 70 pictures on, the "
            "outputs take more memory than weights and gradients.")


@exercise
def check_narrow_alexnet(answer):
    """Lesson 05, exercise 5: all widths divided."""
    for ratio in (1, 4, 8, 3):
        with torch.device("meta"):
            net = ask(answer, ratio)
            wanted = [tuple(p.shape) for p in alexnet().parameters()]
        expect(isinstance(net, nn.Module), f"a network is wanted, not {net!r}")
        try:
            table = trace_shapes(net, (2, 1, 224, 224), expand=True)
        except ValueError as error:
            raise WrongAnswer(f"narrow_alexnet({ratio}) does not take 224 pixels: "
                              f"{error}") from None
        layers = [m for m in net.modules() if type(m) in (nn.Conv2d, nn.Linear)]
        expect(len(layers) == 8, f"{len(layers)} layers with weights, and AlexNet has 8")
        expect(table[-1].output_shape == (2, 10),
               f"the output is {tuple(table[-1].output_shape)}: the ten kinds are not divided")
        widths = [layer.weight.shape[0] for layer in layers]
        right = [shape[0] // ratio for shape in wanted[::2]]
        right[-1] = 10
        expect(widths[5:7] != [4096, 4096] or ratio == 1,
               "the two hidden layers are still 4,096 wide, and most parameters are there")
        expect(widths == right, f"ratio {ratio}: the widths are {widths}, and should be {right}")
        with torch.device("meta"):
            same_sides = map_sides(net) == map_sides(alexnet())
        expect(same_sides,
               "the sides of the maps changed: keep kernels, strides, padding and pools")
        drops = sum(isinstance(m, nn.Dropout) for m in net.modules())
        expect(drops == 2, f"{drops} dropout layers: AlexNet has two, behind the hidden layers")
    return ("Dividing the widths by 4 divides parameters and work by 15 or so, as both the inputs "
            "and the outputs of a layer shrink.")


def map_sides(net):
    """Return the sides of the maps after each convolution and each pool."""
    return [row.output_shape[-1] for row in trace_shapes(net, (1, 1, 224, 224), expand=True)
            if "Conv" in row.layer or "Pool" in row.layer]


@exercise
def check_alexnet28(answer):
    """Lesson 05, exercise 6: small enough, of AlexNet's kind, and able to learn."""
    torch.manual_seed(0)
    net = ask(answer)
    expect(isinstance(net, nn.Sequential), f"an nn.Sequential is wanted, not {type(net).__name__}")
    try:
        table = trace_shapes(net, (2, 1, 28, 28), expand=True)
    except ValueError as error:
        raise WrongAnswer(f"it does not take 28-pixel pictures: {error}") from None
    expect(table[-1].output_shape == (2, 10),
           f"(2, 10) is wanted for two pictures, not {tuple(table[-1].output_shape)}")
    layers = [layer for _, layer in open_blocks(net)]
    for kind, count in ((nn.Conv2d, 5), (nn.Linear, 3)):
        found = sum(isinstance(layer, kind) for layer in layers)
        expect(found == count, f"{found} layers of type {kind.__name__}, and AlexNet has {count}")
    expect(not any(isinstance(layer, nn.Sigmoid) for layer in layers),
           "a sigmoid is in it: eight layers of those pass almost no gradient")
    relus = sum(isinstance(layer, nn.ReLU) for layer in layers)
    expect(relus == 7, f"{relus} ReLUs: AlexNet has one behind each of its first seven layers")
    expect(any(isinstance(layer, nn.Dropout) for layer in layers), "AlexNet's dropout is missing")
    expect(table.params <= 467_647, f"{table.params:,} parameters are more than 467,647: most will "
                                    "be in the first linear layer, so pool once more before it")
    flops = table.flops // 2
    expect(flops <= 18_700_000, f"{flops:,} FLOPs are more than 18.7 million: pool earlier, or use "
                                "fewer channels where the maps are large")
    share = memorised(net)
    expect(share > 0.8, f"after 80 steps it knows {share:.0%} of 20 images: is a layer's output "
                        "cut off, or is there a ReLU behind the last layer?")
    return "At 28 pixels AlexNet's first stride and large windows have nothing to do."


def memorised(net):
    """Return the fraction of 20 images that net knows after 80 steps of learning them."""
    (images, labels), _ = read_fashion_mnist()
    X = torch.tensor(images[:20, None]).float() / 255
    y = torch.tensor(labels[:20]).long()
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


@exercise
def check_stop_epoch(answer):
    """Lesson 05, exercise 7: early stopping."""

    def stop(accuracies, patience):
        best = 0
        for epoch, accuracy in enumerate(accuracies):
            best = epoch if accuracy > accuracies[best] else best
            if epoch - best == patience:
                break
        return best + 1

    rng = random.Random(0)
    cases = [([0.1, 0.5, 0.4, 0.45, 0.9], 2), ([0.1, 0.5, 0.4, 0.45, 0.9], 3), ([0.3], 1),
             ([0.2, 0.3, 0.4], 1), ([0.5, 0.5, 0.5, 0.6], 3), ([0.5, 0.4, 0.45, 0.44, 0.6], 2)]
    cases += [([rng.randint(1, 20) / 20 for _ in range(12)], rng.randint(1, 4)) for _ in range(20)]
    for accuracies, patience in cases:
        found, right = ask_number(answer, list(accuracies), patience), stop(accuracies, patience)
        shown = f"stop_epoch({accuracies}, {patience})"
        last = min(len(accuracies), right + patience)
        expect_not(found, right - 1, right,
                   f"{shown} gave {found}: count epochs from 1, as the plots do")
        expect_not(found, last, right, f"{shown} gave {found}, where it stops: wanted is the best "
                                       f"epoch, {right}")
        best = accuracies.index(max(accuracies)) + 1
        expect_not(found, best, right, f"{shown}: the run had stopped before epoch {best}, which "
                                       f"is the best of all; you cannot know of it")
        equals = max(i for i, a in enumerate(accuracies[:last], 1) if a == accuracies[right - 1])
        expect_not(found, equals, right, f"{shown} gave {found}: an equal accuracy is nothing "
                                         "better, so the first one counts")
        expect(found == right, f"{shown} gave {found}, and it is {right}")
    return "Choose with a validation set: an epoch chosen on the test set flatters (lesson 09)."


@exercise
def check_modern_lenet(answer):
    """Lesson 05, exercise 8: ReLU and dropout in LeNet."""
    net = ask(answer)
    expect(isinstance(net, nn.Sequential), f"an nn.Sequential is wanted, not {type(net).__name__}")
    names = [type(layer).__name__ for _, layer in open_blocks(net)]
    expect("Sigmoid" not in names, "a sigmoid is left: all four become ReLU")
    expect(names.count("ReLU") == 4, f"{names.count('ReLU')} ReLUs, and LeNet has four activations")
    expect("Dropout" in names, "the dropout is missing")
    expect(not (names[-1] == "Dropout" or names[-2:] == ["Dropout", "Linear"] and
                names.count("Dropout") == 1),
           "one dropout behind each of the two hidden layers, and none behind the output")
    linears = [place for place, name in enumerate(names) if name == "Linear"]
    drops = [place for place, name in enumerate(names) if name in ("Dropout", "Dropout2d")]
    expect(linears and all(place > linears[0] for place in drops),
           "dropout belongs behind the hidden linear layers, not among the convolutions")
    expect(len(linears) == 3 and len(drops) == 2 and linears[0] < drops[0] < linears[1] < drops[1]
           < linears[2], "one dropout behind each of the two hidden layers")
    expect(all(names[place - 1] == "ReLU" for place in drops),
           "put the dropout behind the ReLU")
    wanted = lenet()
    expect([tuple(p.shape) for p in net.parameters()] == [tuple(p.shape) for p in
                                                          wanted.parameters()],
           "the weights' shapes changed: only activations and dropout are new")
    expect([name for name in names if name not in ("ReLU", "Dropout")]
           == [type(layer).__name__ for layer in wanted if not isinstance(layer, nn.Sigmoid)],
           "another layer changed too: LeNet pools by averaging, twice")
    expect(all(layer.p == 0.5 for layer in net.modules() if isinstance(layer, nn.Dropout)),
           "the dropout is not one half")
    return "ReLU costs nothing and helps at once; dropout pays when a network begins to overfit."


@exercise
def check_flip_some(answer):
    """Lesson 05, exercise 9: one coin a picture."""
    torch.manual_seed(0)
    X = torch.rand(400, 2, 5, 6)
    kept = X.clone()
    out = ask(answer, X, 0.5)
    expect(isinstance(out, torch.Tensor) and out.shape == X.shape,
           f"a batch of shape {tuple(X.shape)} is wanted")
    expect(torch.equal(X, kept), "you changed X itself: the next epoch would mirror it back")

    def like(other):
        return (out == other).flatten(1).all(dim=1)  # (B,)

    same, flipped = like(X), like(X.flip(3))
    expect(not (same | like(X.flip(2))).all() or same.all(),
           "you mirrored top to bottom: width is the last axis")
    expect(not same.all() and not flipped.all(),
           "all pictures or none: one coin was tossed for the whole batch")
    expect((same | flipped).all(), "some pictures are neither as they were nor mirrored: does each "
                                   "keep its place and its channels?")
    share = flipped.float().mean().item()
    expect(abs(share - 0.5) < 4 * math.sqrt(0.25 / 400), f"{share:.0%} are mirrored, not half")
    again = (ask(answer, X, 0.5) == X).flatten(1).all(dim=1)
    expect(not torch.equal(again, same), "the same pictures are mirrored each time: draw new coins")
    for p in (0.0, 1.0, 0.2):
        share = (ask(answer, X, p) != X).flatten(1).any(dim=1).float().mean().item()
        expect(abs(share - p) <= 4 * math.sqrt(p * (1 - p) / 400) + 1e-9,
               f"with p={p} you mirror {share:.0%} of the pictures")
    return "A batch costs one draw and one where; augmenting on the GPU costs almost nothing."


@exercise
def check_overfits_or_breaks(answer):
    """Lesson 05, exercise 10: what overfits and what breaks."""
    expect(isinstance(answer, dict), f"a dict of verdicts is wanted, not {answer!r}")
    wanted = {
        "no dropout": ("overfits", "without dropout nothing stops it from learning 256 pictures by "
                                   "heart, and its gradients are fine"),
        "no dropout, sigmoid for ReLU": ("breaks", "with seven sigmoids almost no gradient gets to "
                                                   "the first layers, so it cannot even learn its "
                                                   "own pictures"),
        "no dropout, every weight 0.01": ("breaks", "equal weights stay equal: each layer is one "
                                                    "unit, and its gradients cancel"),
        "no dropout, learning rate 10": ("breaks", "each step overshoots, and the loss leaves for "
                                                   "infinity"),
    }
    expect(set(answer) == set(wanted), f"give a verdict for each of {', '.join(wanted)}")
    if any(verdict is ... or verdict is None for verdict in answer.values()):
        raise Unanswered
    for name, (right, why) in wanted.items():
        expect(answer[name] in ("overfits", "breaks"),
               f"{name!r}: write 'overfits' or 'breaks', not {answer[name]!r}")
        expect(answer[name] == right, f"{name!r} {right}: {why}")
    return "To overfit, everything must work. A network that cannot overfit 256 pictures has a bug."
