"""Lesson 15's exercises."""

import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

import d2lvgg
from d2lvgg.exercises import (
    LEFT_BEHIND,
    WrongAnswer,
    as_number,
    ask,
    ask_twice,
    exercise,
    expect,
)
from d2lvgg.shapes import open_blocks


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-6)


def as_truth(found):
    """Return True or False, numpy's and a tensor of one included. Raises WrongAnswer for others."""
    if getattr(found, "ndim", None) == 0 and hasattr(found, "item"):
        found = found.item()
    expect(isinstance(found, bool), f"True or False is wanted, not {found!r}")
    return found


class Watched(nn.Sequential):
    """A network that notes each batch it is given: (how many images, whether autograd records)."""

    def __init__(self, *layers):
        super().__init__(*layers)
        self.calls = []

    def forward(self, X):
        self.calls.append((len(X), torch.is_grad_enabled()))
        return super().forward(X)


class Enlarger:
    """Enlarges bytes (B, 1, 4, 4) to floats (B, 1, 8, 8), and counts the images."""

    def __init__(self):
        self.count = 0

    def __call__(self, images):
        self.count += len(images)
        return images.float().repeat_interleave(2, 2).repeat_interleave(2, 3) / 255


def plain_training(net, images, labels, test_images, test_labels, enlarge, num_epochs):
    """Train as the slow script does, without its waste."""
    optimizer, rows = torch.optim.SGD(net.parameters(), lr=0.1), []
    for _ in range(num_epochs):
        loss_sum = 0.0
        for start in range(0, len(images), 32):
            X, y = enlarge(images[start:start + 32]), labels[start:start + 32]
            optimizer.zero_grad()
            l = F.cross_entropy(net(X), y)
            l.backward()
            optimizer.step()
            loss_sum += l.item() * len(y)
        with torch.no_grad():
            hits = net(enlarge(test_images)).argmax(dim=1) == test_labels
        rows.append((loss_sum / len(images), hits.float().mean().item()))
    return rows


def small_task(num_train, num_test, seed):
    """Return (network, images, labels, test images, test labels) that are quickly trained."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(num_train + num_test) % 3
    images = torch.randint(0, 200, (len(labels), 1, 4, 4), generator=generator)
    images[torch.arange(len(labels)), 0, labels] += 25  # a slightly brighter row
    images = images.to(torch.uint8)
    linear = nn.Linear(64, 3)
    linear.weight.data = 0.1 * torch.randn(3, 64, generator=generator)
    linear.bias.data.zero_()
    net = Watched(nn.Flatten(), linear)
    return net, images[:num_train], labels[:num_train], images[num_train:], labels[num_train:]


def as_rows(found, num_epochs):
    """Return rows as a list of pairs of numbers. Raises WrongAnswer for anything else."""
    wanted = "a list with a pair (training loss, test accuracy) per epoch is wanted"
    expect(isinstance(found, (list, tuple)) and all(
        isinstance(row, (list, tuple)) and len(row) == 2 for row in found), wanted)
    expect(len(found) == num_epochs, f"{wanted}, and you give {len(found)} pairs for {num_epochs} "
                                     "epochs")
    return [tuple(as_number(number) for number in row) for row in found]


def near(found, right):
    return all(math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-5)
               for a, b in zip(found, right, strict=True))


def expect_same_training(net, reference, rows, wanted):
    """Raise WrongAnswer unless net was trained as reference was, and rows are what is wanted."""
    same = all(torch.allclose(p, q, atol=1e-5) for p, q in
               zip(net.parameters(), reference.parameters(), strict=True))
    if not same:
        tests = {n for n, recorded in reference.calls if not recorded}
        steps, right_steps = ([n for n, recorded in one.calls if recorded]
                              for one in (net, reference))
        differ = "the weights differ from the slow script's"
        expect(steps, f"{differ}: yours was never trained")
        expect({*steps} <= {*right_steps} | tests,
               f"{differ}: you train on batches of {max(steps)} images, so there are other steps")
        expect(sum(steps) >= sum(right_steps), f"{differ}: you train on fewer images, and every "
                                               "batch counts, the short last one too")
        expect(False, f"{differ}: take the same batches, in the same order, with the same steps")
    (losses, accs), (right_losses, right_accs) = (zip(*both, strict=True)
                                                  for both in (rows, wanted))
    expect(near(losses, right_losses), "the training losses differ from the slow script's: sum the "
                                       "loss times the length of its batch, and divide at the end")
    expect(not near([acc / 100 for acc in accs], right_accs) or near(accs, right_accs),
           "the test accuracies are percent, and the slow script returns fractions")
    expect(near(accs, right_accs),
           "the test accuracies differ from the slow script's: each epoch has its own, taken after "
           "the last step of that epoch")


@exercise
def check_fast_training(answer):
    """Lesson 15, exercise 1: the same result, and no image enlarged or named without need."""
    for case, (num_train, num_test, num_epochs, seed) in enumerate((
            (80, 40, 3, 0), (80, 40, 3, 1), (100, 90, 2, 2))):
        task = small_task(num_train, num_test, seed)
        reference = copy.deepcopy(task[0])
        wanted = plain_training(reference, *task[1:], Enlarger(), num_epochs)
        enlarge = Enlarger()
        try:
            rows = as_rows(ask(answer, *task, enlarge, num_epochs), num_epochs)
            recording = torch.is_grad_enabled()
        finally:
            torch.set_grad_enabled(True)
        net = task[0]
        try:
            expect_same_training(net, reference, rows, wanted)
        except WrongAnswer as mistake:
            expect(case == 0, "the first data set gives the slow script's result, and another does "
                              f"not: a number of the first is built in, or {LEFT_BEHIND}")
            raise mistake
        used = num_epochs * (num_train + num_test)
        expect(enlarge.count <= used,
               f"the result is right, and {enlarge.count:,} images were enlarged for {num_epochs} "
               f"epochs on {num_train} images and {num_test} test images: which of them are never "
               "looked at?")
        passed = sum(n for n, _ in net.calls)
        expect(passed <= used,
               f"the result is right, and {passed:,} images went through the network in "
               f"{num_epochs} epochs on {num_train} images and {num_test} test images: which "
               "answers are never used?")
        recorded = sum(n for n, records in net.calls if records)
        expect(recorded <= num_epochs * num_train,
               "the result is right, and autograd recorded the test: nobody goes back through it, "
               "so put it under torch.no_grad()")
        expect(recording, "gradients are still off after your function: use `with torch.no_grad():`"
                          ", which turns them on again at its end")
    return "The same numbers, and only the work that they need. Nothing about this was a GPU's."


def leaves(net):
    """Return the layers of a network in the order in which they run, blocks opened."""
    return [layer for _, layer in open_blocks(net)]


def reordered(net):
    """Return net's layers, each ReLU that stands before a max-pool after it, blocks opened."""
    found = []
    for layer in net:
        found.extend(reordered(layer) if isinstance(layer, nn.Sequential) else [layer])
        if (isinstance(layer, nn.MaxPool2d) and len(found) > 1 and isinstance(found[-2], nn.ReLU)
                and found[-2] in list(net)):
            found[-2:] = found[-1], found[-2]
    return found


def networks_to_reorder():
    """Return networks of blocks, blocks inside blocks, and none; with average pools, too."""
    conv = nn.Conv2d
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return [
            nn.Sequential(d2lvgg.vgg_block(1, 1, 2), d2lvgg.vgg_block(2, 2, 3), nn.Flatten(),
                          nn.Linear(48, 4)),
            nn.Sequential(conv(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), conv(2, 2, 1), nn.ReLU(),
                          nn.MaxPool2d(3, 1)),
            nn.Sequential(nn.Sequential(d2lvgg.vgg_block(1, 1, 2), nn.Sequential(
                d2lvgg.vgg_block(1, 2, 2))), nn.Flatten(), nn.Linear(32, 5), nn.ReLU()),
            nn.Sequential(nn.Sequential(conv(1, 2, 3), nn.ReLU(), nn.AvgPool2d(2)),
                          nn.Sequential(conv(2, 3, 1), nn.ReLU()), conv(3, 2, 1), nn.ReLU(),
                          nn.AvgPool2d(2), nn.ReLU(), nn.MaxPool2d(2)),
            nn.Sequential(nn.Sequential(nn.MaxPool2d(2), nn.ReLU(), conv(1, 2, 3)),
                          nn.Sequential(conv(2, 3, 1), nn.ReLU()))]


@exercise
def check_reorder(answer):
    """Lesson 15, exercise 2: the same layers and answers, ReLU after max-pool."""
    for net in networks_to_reorder():
        X = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(1)) - 0.5
        before, wanted = leaves(net), reordered(net)
        with torch.no_grad():
            right = net(X)
        found = ask(answer, net)
        expect(isinstance(found, nn.Sequential),
               f"an nn.Sequential is wanted, not {type(found).__name__}")
        expect(leaves(net) == before, "net itself has changed: build a new nn.Sequential from a "
                                      "list of its layers")
        mine = leaves(found)
        expect(len(mine) >= len(before), "a layer is missing: change places, and leave none out")
        expect({*map(id, mine)} == {*map(id, before)},
               "these are other layers than net's: whoever trains copies does not train net, so "
               "take the layers themselves")
        with torch.no_grad():
            try:
                answers = found(X)
            except RuntimeError as error:
                raise WrongAnswer(f"your network refuses what net takes: {error}") from None
        for first, second in zip(mine, mine[1:], strict=False):
            expect(not (isinstance(first, nn.AvgPool2d) and isinstance(second, nn.ReLU))
                   or (first, second) in zip(before, before[1:], strict=False),
                   "you moved a ReLU behind an average pool: the mean of clipped numbers is not "
                   "the clipped mean")
        expect(answers.shape == right.shape and torch.allclose(answers, right, atol=1e-6),
               "your network gives other answers than net: only a ReLU right before a max-pool may "
               "change places")
        still = [layer for layer, after in zip(mine, mine[1:], strict=False)
                 if isinstance(layer, nn.ReLU) and isinstance(after, nn.MaxPool2d)]
        inside = [layer for layer in still if layer not in list(net)]
        expect(not inside, "a ReLU inside a block still stands before its max-pool: blocks may lie "
                           "inside blocks, so call your function for each of them")
        expect(not still, "a ReLU still stands before its max-pool: try every pair of neighbours, "
                          "to the last")
        expect(mine == wanted, "the answers are right, and the order is another: leave alone what "
                               "does not stand right before a max-pool")
    return "The same answers and gradients, and ReLU reads a quarter of the numbers."


def roofs(net, shape):
    """Return [(FLOPs, numbers read, parameters, numbers written, layer's class)], a row a layer."""
    rows, before = [], torch.Size(shape).numel()
    for row in d2lvgg.trace_shapes(net, shape, expand=True):
        rows.append((row.flops, before, row.params, row.output_shape.numel(), row.layer))
        before = row.output_shape.numel()
    return rows


def least(rows, peak, bandwidth, choose=max):
    """Return the sum over the layers of what choose makes of the two limits, in seconds."""
    return sum(choose(flops / peak, 4 * (a + p + b) / bandwidth) for flops, a, p, b, _ in rows)


@exercise
def check_least_seconds(answer):
    """Lesson 15, exercise 3: the sum of each layer's roof."""
    blocks = nn.Sequential(d2lvgg.vgg_block(1, 1, 4), d2lvgg.vgg_block(2, 4, 8), nn.Flatten(),
                           nn.Linear(8 * 4 * 4, 10))
    linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 3))
    for net, shape, peak, bandwidth in (
            (blocks, (5, 1, 16, 16), 8e8, 1e8), (blocks, (2, 1, 16, 16), 3e9, 2e8),
            (linear, (7, 1, 8, 8), 1.5e8, 1e8), (linear, (1, 1, 8, 8), 1.5e8, 5e8)):
        rows = roofs(net, shape)
        found = ask_twice(as_number, answer, net, shape, peak, bandwidth)
        right = least(rows, peak, bandwidth)
        for wrong, mistake in (
                (max(sum(row[0] for row in rows) / peak,
                     4 * sum(a + p + b for _, a, p, b, _ in rows) / bandwidth),
                 "you took one roof for all layers together, or one limit alone: each layer has a "
                 "roof of its own, and waits for what it lacks"),
                (least(rows, peak, bandwidth, min), "you took the shorter of the two times: a "
                 "layer is done when both its arithmetic and its bytes are"),
                (least(rows, peak, bandwidth, lambda a, b: a + b), "you added both times of a "
                 "layer: at best it computes while it moves"),
                (least(rows, peak, bandwidth, lambda a, b: a), "you counted arithmetic alone"),
                (least(rows, peak, bandwidth, lambda a, b: b), "you counted bytes alone"),
                (least(rows, peak, 4 * bandwidth), "you counted numbers: each has four bytes"),
                (least(rows, peak, 2 * bandwidth), "you took two bytes for a number: float32 has "
                                                   "four"),
                (least([(f, a, 0, b, c) for f, a, p, b, c in rows], peak, bandwidth),
                 "you left out the parameters, which are read, too"),
                (least([(f, 0, p, b, c) for f, a, p, b, c in rows], peak, bandwidth),
                 "you left out what a layer reads: the output of the one before"),
                (least([(f, a, p, 0, c) for f, a, p, b, c in rows], peak, bandwidth),
                 "you left out what a layer writes"),
                (least([(f, b, p, b, c) for f, a, p, b, c in rows], peak, bandwidth),
                 "you took a layer's output for its input: it reads what the layer before wrote"),
                (least(rows, 2 * peak, bandwidth), "you counted a multiply and an add as one FLOP: "
                                                   ".flops counts both, as they are"),
                (least([row for row in rows if row[2]], peak, bandwidth),
                 "you left out the layers without parameters: they move bytes, too"),
                (least(rows[:-1], peak, bandwidth), "you left out the last layer"),
                (least(rows[1:], peak, bandwidth), "you left out the first layer"),
                (1000 * right, "that is in milliseconds: seconds are wanted")):
            expect(not close(found, wrong) or close(wrong, right), mistake)
        expect(close(found, right),
               f"least_seconds gave {found:.4g} for a batch of {shape}: for each layer, blocks "
               "opened, take the longer of two times, and add them up")
    return "No code for this chip can be faster; what you measure is what is left to gain."


def rounded_sum(weight, change, dtype=torch.bfloat16):
    """Return whether change makes a difference to weight, kept in dtype."""
    before = torch.tensor(weight, dtype=dtype)
    return bool(before != (before.double() + change).to(dtype))


# What a program that is wrong in one way answers.
def late_rounding(weight, change):
    before, after = (torch.tensor(number, dtype=torch.float64).to(torch.bfloat16)
                     for number in (weight, weight + change))
    return bool(before != after)


def double_rounding(weight, change):
    before, small = (torch.tensor(number, dtype=torch.bfloat16) for number in (weight, change))
    return bool(before != before + small)


def digits_kept(places):
    """Return a rule that compares change with weight."""
    return lambda weight, change: abs(change) > abs(weight) * 2.0**-places


WRONGLY_SURVIVING = {
    "you say True of every change": lambda w, c: True,
    "you say False of every change": lambda w, c: False,
    "you answer the opposite: does the change make a difference?":
        lambda w, c: not rounded_sum(w, c),
    "you rounded to another type: float16 keeps more digits than bfloat16":
        lambda w, c: rounded_sum(w, c, torch.float16),
    "you did not round, or to another type: float32 and Python's numbers keep more digits than "
    "bfloat16": lambda w, c: w + c != w,
    "the weight is kept in bfloat16: round it before you add": late_rounding,
    "you rounded the change too, as PyTorch does with what is added to a tensor: compute the sum "
    "exactly and round once": double_rounding,
    "a change downwards counts too": lambda w, c: c > 0 and rounded_sum(w, c),
    "what counts is the change relative to the weight: small weights have small neighbours":
        lambda w, c: abs(c) > 2**-8,
}


@exercise
def check_survives(answer):
    """Lesson 15, exercise 4: rounding to bfloat16."""
    cases = [(1.0, 0.001), (1.0, 0.01), (0.01, 0.001), (-1.0, 0.001), (1.0, -0.003), (100.0, 0.1),
             (0.0, 1e-9), (1.0, 0.0), (3.0, -0.02), (0.01, -0.000025), (1.0, 2**-8 * 1.0005),
             (1.0, 0.0035), (1.9, 0.005), (0.001, 0.003), (1000.0, 0.5), (1e-6, 1e-9)]
    found = [ask_twice(as_truth, answer, weight, change) for weight, change in cases]
    for mistake, wrong in WRONGLY_SURVIVING.items():
        expect(found != [wrong(*case) for case in cases], mistake)
    for places in range(6, 11):
        expect(found != [digits_kept(places)(*case) for case in cases],
               "you compared change with a fixed fraction of weight: the numbers of bfloat16 lie "
               "equally far apart from one power of two to the next")
    for (weight, change), mine in zip(cases, found, strict=True):
        right = rounded_sum(weight, change)
        expect(mine == right or weight != 0, f"survives({weight}, {change}): beside 0 even a very "
               "small number is another number; bfloat16 has the range of float32")
        expect(mine == right, f"survives({weight}, {change}): you say {mine}; round the weight, "
                              "add in float64, round the sum, and compare the two")
    return "So autocast casts copies, and the weights themselves stay in float32."
