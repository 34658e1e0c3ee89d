"""Lesson 16's exercises."""

import math

import torch

import d2lvgg
from d2lvgg.exercises import (
    LEFT_BEHIND,
    as_number,
    ask,
    ask_twice,
    exercise,
    expect,
    of_lesson,
)

recorded = of_lesson("16", "recorded")


def as_name(found):
    """Return a parameter's name. Raises WrongAnswer for anything else."""
    expect(isinstance(found, str), f"a parameter's name, a text, is wanted, not {found!r}")
    return str(found)


def as_two_numbers(found):
    """Return a pair, of a tuple, list, array or tensor. Raises WrongAnswer for anything else."""
    try:
        pair = tuple(found if not isinstance(found, (str, bytes, set, dict)) else None)
    except TypeError:
        pair = ()
    expect(len(pair) == 2, f"two numbers, (before, after), are wanted, not {found!r}")
    return tuple(as_number(number) for number in pair)


def filled(theirs):
    """Return Gluon's network in PyTorch, all weights of theirs in it but those of layer 2.2."""
    net = recorded.gluon_net()
    by_depth = sorted(theirs, key=lambda name: (name.rpartition(".")[0], name.endswith("bias")))
    with torch.no_grad():
        for (place, parameter), name in zip(net.named_parameters(), by_depth, strict=True):
            if not place.startswith("2.2."):
                parameter.copy_(theirs[name])
    return net


def copied(net):
    return {name: value.detach().clone() for name, value in net.named_parameters()}


@exercise
def check_move_one(answer):
    """Lesson 16, exercise 1: weight and bias of one layer, and nothing else."""
    from_file, logits = recorded.from_gluon()
    small, _ = d2lvgg.garments(recorded.RESULTS["training"]["arguments"]["input_size"])
    generator = torch.Generator().manual_seed(0)
    others = {name: torch.randn(value.shape, generator=generator)
              for name, value in from_file.items()}
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        for theirs in (from_file, others, from_file):
            net = filled(theirs)
            before = copied(net)
            found = ask(answer, theirs, net)  # a copy of theirs, so it cannot be changed
            expect(isinstance(found, torch.nn.Module), "return the network, net")
            expect([*copied(found)] == [*before], "the network has other parameters than before: "
                   "copy numbers into the layer's weight and bias, and put no new layer there")
            expect(found is net, "another network than net came back: change net itself")
            expect_moved(theirs, before, copied(net))
            expect(net[2][2].weight.requires_grad and net[2][2].bias.requires_grad,
                   "the moved parameters want no gradients any more, so the network cannot be "
                   "trained on: use parameter.copy_(value) under torch.no_grad()")
        with torch.no_grad():
            gap = (net.eval()(small) - logits).abs().max().item()
    expect(gap < 1e-4, "the network's logits are not Gluon's")
    return f"Gluon's logits for the three garments, to {gap:.0e}: every number lies in its place."


def expect_moved(theirs, before, after):
    """Raise WrongAnswer unless after differs from before by layer 2.2, which is theirs now."""
    weight, bias = theirs["blocks.2.1.weight"], theirs["blocks.2.1.bias"]
    for name, value in after.items():
        expect(name.startswith("2.2.") or torch.equal(value, before[name]),
               f"{name} has changed, and it was right: only layer 2.2 is missing")
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    expect(changed, "nothing has changed in net: parameter.copy_(value) puts numbers into it")
    found = after["2.2.weight"]
    for wrong, mistake in (
            (theirs["blocks.3.1.weight"][:32, :32] if weight.shape[0] == 32 else None,
             "that is block 3's: both frameworks count blocks from 0"),
            (weight.transpose(0, 1), "the weight's inputs and outputs are exchanged: both sides "
             "store the outputs first, so nothing has to be transposed"),
            (weight.flip(2, 3), "the kernels are turned by 180 degrees: nothing has to be turned"),
            (weight.transpose(2, 3), "rows and columns of the kernels are exchanged"),
            (before["2.2.weight"], "the weight of 2.2 has not changed: move it, too")):
        expect(wrong is None or wrong.shape != found.shape or not torch.equal(found, wrong),
               mistake)
    expect(torch.equal(found, weight), "the numbers in 2.2's weight are not those of Gluon's "
           f"second convolution of block 2, or {LEFT_BEHIND}")
    expect(not torch.equal(after["2.2.bias"], before["2.2.bias"]),
           "the bias of 2.2 has not changed: move it, too")
    expect(not torch.equal(after["2.2.bias"], theirs["blocks.2.0.bias"]),
           "that is the bias of the block's first convolution")
    expect(torch.equal(after["2.2.bias"], bias),
           "the numbers in 2.2's bias are not those of Gluon's second convolution of block 2")


def as_weight(found, wanted):
    """Return a copy of a tensor of the wanted shape. Raises WrongAnswer for anything else."""
    expect(isinstance(found, torch.Tensor), f"a tensor is wanted, not {type(found)}")
    expect(tuple(found.shape) == wanted, f"your weight has shape {tuple(found.shape)}, and "
           f"nn.Linear wants {wanted} here: outputs first")
    return found.detach().clone().double()


@exercise
def check_from_channels_last(answer):
    """Lesson 16, exercise 2: a linear layer that reads maps flattened with channels last."""
    for channels, side, outputs in ((128, 2, 5), (3, 4, 7), (4, 4, 4), (6, 1, 3)):
        generator = torch.Generator().manual_seed(channels)
        weight = torch.randn(side * side * channels, outputs, generator=generator)
        before, wanted = weight.clone(), (outputs, channels * side * side)
        found, again = (as_weight(ask(answer, weight, channels, side), wanted) for _ in range(2))
        expect(torch.equal(weight, before), "you changed the weight that you were given")
        expect(torch.equal(found, again), f"the same call gave two answers: {LEFT_BEHIND}")
        maps = torch.randn(5, channels, side, side, generator=generator).double()
        theirs = maps.permute(0, 2, 3, 1).flatten(1) @ weight.double()
        if torch.allclose(maps.flatten(1) @ found.T, theirs):
            continue
        grid = weight.reshape(side, side, channels, outputs)
        for wrong, mistake in (
                (weight.T, "you transposed it, and that gives the right shape: the inputs still "
                           "stand in the order row, column, channel, and nn.Flatten's is another"),
                (weight.reshape(outputs, -1), "reshape alone only cuts the numbers anew, it moves "
                                              "none: where do the outputs lie?"),
                (grid.permute(3, 2, 1, 0).reshape(outputs, -1),
                 "rows and columns are exchanged: the maps are mirrored at their diagonal"),
                (grid.flip(0, 1).permute(3, 2, 0, 1).reshape(outputs, -1),
                 "the maps are turned by 180 degrees")):
            expect(not torch.equal(found, wrong.double()), mistake)
        expect(False, f"for channels = {channels} and side = {side} the shape is right, and some "
                      "numbers are in the wrong places: which of row, column and channel does "
                      "nn.Flatten put first?")
    return "Every shape agreed before, too. Only the numbers could tell."


def as_verdict(found):
    """Return True or False, of Python, numpy or a tensor. Raises WrongAnswer for anything else."""
    if getattr(found, "ndim", None) == 0 and hasattr(found, "item"):
        found = found.item()
    expect(isinstance(found, bool), f"True or False is wanted, not {found!r}")
    return found


def pair_of(change, scale=1.0):
    """Return two functions: a small network, and the same with change done to its copy."""
    net, other = (recorded.pooled_net(((1, 4), (1, 6), (1, 6))) for _ in range(2))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            width = 0.3 if name.endswith("bias") else (6 / parameter[0].numel()) ** 0.5
            parameter.uniform_(-width, width, generator=generator)
        net[-1].weight *= scale
        net[-1].bias *= scale
    other.load_state_dict(net.state_dict())
    with torch.no_grad():
        change(other)
    return net.eval(), other.eval()


def transpose(net):
    net[2][0].weight.copy_(net[2][0].weight.transpose(0, 1).clone())


def turn(net):
    net[0][0].weight.copy_(net[0][0].weight.flip(2, 3).clone())


def no_biases(net):
    for name, parameter in net.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()


def one_bias(net):
    """Move all logits by one number: the answer, and softmax, stay the same."""
    net[-1].bias += 0.05


def swap_classes(net):
    net[-1].weight.copy_(net[-1].weight.roll(1, 0).clone())
    net[-1].bias.copy_(net[-1].bias.roll(1, 0).clone())


def halve(net):
    net[-1].weight *= 0.5
    net[-1].bias *= 0.5


def rounded(net):
    generator = torch.Generator().manual_seed(2)
    for parameter in net.parameters():
        parameter *= 1 + 2e-7 * torch.randn(parameter.shape, generator=generator)


def leave(net):
    pass


SAME = (("which is the other itself, layer by layer", leave, 1.0),
        ("which differs by rounding alone", rounded, 1.0),
        ("which differs by rounding alone, with logits in the hundreds", rounded, 300.0))
OTHERS = (("whose first kernels are turned by 180 degrees, which an image of zeros does not show",
           turn, 1.0),
          ("without biases", no_biases, 1.0),
          ("with a square weight transposed", transpose, 1.0),
          ("whose logits are all half as large, so the answers are the same", halve, 1.0),
          ("whose logits are all larger by the same small number, so answers and probabilities "
           "are the same", one_bias, 1.0),
          ("whose classes are numbered one further", swap_classes, 1.0))


@exercise
def check_same_network(answer):
    """Lesson 16, exercise 3: a comparison that passes the right and refuses the wrong."""
    with torch.random.fork_rng(devices=[]):
        for expected, cases in ((True, SAME), (False, OTHERS)):
            for words, change, scale in cases:
                ours, theirs = pair_of(change, scale)
                found, again = (as_verdict(ask(answer, ours, theirs)) for _ in range(2))
                expect(found == again, f"two verdicts on the same two networks: {LEFT_BEHIND}, or "
                       "you draw other images each time, and your bound is too near")
                expect(found == expected or expected is False,
                       f"you refuse a network {words}: allow a small difference, as a part of the "
                       "largest logit")
                expect(found == expected, f"you accept a network {words}")
        ours, theirs = pair_of(leave)
        torch.manual_seed(0)
        rarely = torch.nn.Parameter(torch.randn(1, 1, 32, 32))

        def sometimes(X):
            """A fault that one batch in many images shows: wrong where an image's sum is high."""
            high = X.sum(dim=(1, 2, 3)) > 0.6 * X[0].numel() ** 0.5
            return theirs(torch.where(high[:, None, None, None], X + rarely, X))

        expect(not as_verdict(ask(answer, ours, sometimes)),
               "you accept a network that is wrong on some images only: try more of them, with "
               "negative numbers, too")
    return "It passes the right, and you have seen it refuse the wrong: now it is a proof."


@exercise
def check_gluon_name(answer):
    """Lesson 16, exercise 4: a parameter's name where ReLUs have no number of their own."""
    for blocks in (5, 1, 3, 12):
        for block in range(blocks):
            for conv in range(4):
                for kind in ("weight", "bias"):
                    name, right = f"{block}.{2 * conv}.{kind}", f"{block}.{conv}.{kind}"
                    found = ask_twice(as_name, answer, name, blocks)
                    call = f"gluon_name({name!r}, {blocks}) gave {found!r}"
                    expect(found == right or found != name, f"{name} kept its number: in a Gluon "
                           "block the ReLU is inside the convolution, so the second one comes "
                           "right after the first")
                    expect(found == right or not found.startswith(f"{block}.{conv}."),
                           f"{call}: the last part, weight or bias, stays")
                    expect(found == right or found.startswith(f"{block}."),
                           f"{call}: it is in block {block} here and there")
                    expect(found == right, f"{call}: in a block only the second number changes: "
                                           "how many convolutions stand before this one there?")
        for linear in range(3):
            for kind in ("weight", "bias"):
                name = f"{blocks + 1 + 3 * linear}.{kind}"
                right = f"{blocks + 1 + 2 * linear}.{kind}"
                found = ask_twice(as_name, answer, name, blocks)
                call = f"gluon_name({name!r}, {blocks}) gave {found!r}"
                expect(found == right or found != name,
                       f"{name} kept its number: the ReLU between linear layers is inside Dense "
                       "too")
                expect(found == right or found != f"{blocks + linear}.{kind}",
                       f"{call}: you dropped Flatten or Dropout as well: they are layers of their "
                       "own in Gluon, only the ReLUs are not")
                expect(found == right or found != f"{blocks + 1 + linear}.{kind}",
                       f"{call}: you dropped Dropout as well: it is a layer of its own in Gluon, "
                       "only the ReLUs are not")
                expect(found == right,
                       f"{call}: after the {blocks} blocks of this network come Flatten and the "
                       "linear layers; how many ReLUs stand before this one?")
    return "Matching by depth needs no such rule, and no luck."


@exercise
def check_same_padding(answer):
    """Lesson 16, exercise 5: TensorFlow's and MindSpore's 'same'."""
    for size, kernel, stride in ((224, 11, 4), (8, 3, 2), (8, 3, 1), (7, 3, 2), (224, 7, 2),
                                 (5, 1, 3), (9, 2, 1), (10, 4, 3)):
        outputs = math.ceil(size / stride)
        total = max((outputs - 1) * stride + kernel - size, 0)
        found = ask_twice(as_two_numbers, answer, size, kernel, stride)
        call = f"same_padding({size}, {kernel}, {stride}) gave {found}"
        expect(all(number % 1 == 0 for number in found), f"{call}: whole pixels are wanted")
        before, after = found
        expect(min(found) >= 0, f"{call}: nothing is ever cut off; where the kernel fits, there is "
                                "no padding")
        expect(sum(found) == total or found != (kernel // 2, kernel // 2),
               f"{call}: that is PyTorch's padding of half a kernel, and here less is enough, or "
               "more is needed")
        row = (size + sum(found) - kernel) // stride + 1
        expect(row >= outputs, f"{call}: the row comes out {row} long, and that is too short for "
                               "ceil(size / stride)")
        expect(row <= outputs, f"{call}: the row comes out {row} long, and that is longer than "
                               "ceil(size / stride)")
        expect(sum(found) <= total,
               f"{call}: the row comes out long enough, and would with less padding too")
        expect(before <= after, f"{call}: when the sum is odd the larger part goes after, not "
                                "before")
        expect(after - before <= 1, f"{call}: the sum is right, and it is not shared out: both "
                                    "sides get half of it, but for an odd pixel")
    return ("For 3 x 3 with stride 2 on an even side this is (0, 1): the same shape as padding 1, "
            "and another image.")
