"""The contest of lesson 18: its rules, its data, its training, and who is ahead by how much.

A design is a function without arguments that returns a network, (B, 1, 28, 28) to (B, 10), and a
learning rate. All else is the same for every design, and stands here.
"""

import functools
import hashlib
import inspect
import textwrap
import time
from collections import namedtuple

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

import d2lvgg
from d2lvgg import vgg_block
from d2lvgg.exercises import of_lesson
from d2lvgg.predictions import read_progress, record

sieve = of_lesson("18", "sieve")

FLOPS = 8_000_000  # of one image's forward pass, in training or in evaluation mode
SECONDS = 300  # for a design's five trainings
SEEDS = (0, 1, 2, 3, 4)  # of the contest; try a design with others
RATE = 0.1  # ours

Setting = namedtuple("Setting", "name num_train num_held_out num_test epochs batch_size seeds")
SETTINGS = {"laptop": Setting("laptop", 4_000, 5_000, 10_000, 3, 64, SEEDS),
            "smoke": Setting("smoke", 256, 250, 500, 1, 64, SEEDS[:2])}


class ContestError(ValueError):
    """A design or a file that cannot take part; Jupyter shows its sentence and no traceback."""

    def _render_traceback_(self):
        return [f"Not in the contest: {self}"]


class Sum(nn.Module):
    """Adds what several paths make of the same input: (B, C, H, W) from each."""

    def __init__(self, *paths):
        super().__init__()
        self.paths = nn.ModuleList(paths)

    def forward(self, X):
        return sum(path(X) for path in self.paths)


# What a design can name besides Python's own: sieve.PYTHON.
NAMES = {"torch": torch, "nn": nn, "F": F, "vgg_block": vgg_block, "Sum": Sum}


def ours():
    return nn.Sequential(
        vgg_block(1, 1, 16, batch_norm=True),      # 28 x 28 -> 14 x 14
        vgg_block(1, 16, 32, batch_norm=True),     # 14 x 14 -> 7 x 7
        vgg_block(2, 32, 64, batch_norm=True),     # 7 x 7 -> 3 x 3
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def setting():
    """Return how much the contest does: the same on every machine, and next to nothing in tests."""
    return SETTINGS["smoke" if d2lvgg.pick_scale().name == "smoke" else "laptop"]


@functools.cache
def images(part, chosen):
    """Return a loader over 'training', 'held-out' or 'test' images, 28 pixels a side.

    The first come from the start of Fashion-MNIST's training part, the second from its end.
    """
    train, test = d2lvgg.load_data_fashion_mnist(chosen.batch_size, num_test=chosen.num_test,
                                                 seed=0)
    if part == "test":
        return test.replace(batch_size=500)
    where, size = ((slice(chosen.num_train), chosen.batch_size) if part == "training" else
                   (slice(60_000 - chosen.num_held_out, 60_000), 500))
    return train.replace(images=train.images[where], labels=train.labels[where],
                         shuffle=part == "training", batch_size=size)


def source_of(design):
    """Return the text of a design's function. Raises ContestError where it cannot be had."""
    if isinstance(design, str):
        return design
    try:
        return textwrap.dedent(inspect.getsource(design))
    except (OSError, TypeError):
        raise ContestError(f"a function is wanted that was written with def in a cell, and this is "
                           f"{design!r}") from None


def rebuild(source):
    """Return the function that source defines, run in a room with NAMES alone.

    Raises ContestError where sieve.look refuses the text.
    """
    if refused := sieve.look(source, NAMES):
        raise ContestError(refused)
    room = {"__builtins__": sieve.allowed_builtins(), "__name__": "design", **NAMES}
    code = compile(source, "<design>", "exec")
    exec(code, room)  # what the sieve let through
    return room[sieve.name_of(source)]


def build(source, seed=0):
    """Return a design's network, its first weights drawn with seed. Raises ContestError."""
    make = rebuild(source)
    torch.manual_seed(seed)
    try:
        net = make()
    except Exception as error:
        raise ContestError(f"the design raises {type(error).__name__} when it is built: {error}"
                           ) from None
    if not isinstance(net, nn.Module):
        raise ContestError(f"the design returns {type(net).__name__}: return a network, such as an "
                           "nn.Sequential")
    return net


Cost = namedtuple("Cost", "flops params")


def cost_of(design):
    """Return (FLOPs of one image, parameters), whatever the budget. Raises ContestError.

    FLOPs are those of convolutions and matrix products, a multiply and an add counting as two, in
    training or evaluation mode, whichever takes more; what works number by number is not counted.
    """
    net, found = build(source_of(design)), []
    X = next(iter(images("held-out", setting())))[0][:8].cpu()
    for training in (True, False):
        net.train(training)
        try:
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                answers = net(X)
        except Exception as error:
            raise ContestError(f"the network does not take a batch of shape {tuple(X.shape)}: "
                               f"{error}") from None
        if not isinstance(answers, torch.Tensor) or answers.shape != (8, 10):
            raise ContestError(f"8 images give {tuple(getattr(answers, 'shape', ()))}: (8, 10) is "
                               "wanted, a score for each of ten classes")
        found.append(counter.get_total_flops() // len(X))
    if not torch.allclose(answers, answers_in_parts(net, X), atol=1e-4, equal_nan=True):
        raise ContestError("in evaluation mode the answer to an image depends on the other images "
                           "of its batch: each has to be named for itself")
    return Cost(max(found), sum(p.numel() for p in net.parameters()))


def answers_in_parts(net, X):
    """Return what net, in evaluation mode, answers to X in batches of 3 and 5. ContestError."""
    try:
        with torch.no_grad():
            return torch.cat([net(X[:3]), net(X[3:])])
    except Exception as error:
        raise ContestError("the network takes a batch of 8 images and none of 3 or 5, so it counts "
                           f"on one batch size: {error}") from None


def check(design):
    """Return what cost_of does. Raises ContestError where a design breaks a rule."""
    cost = cost_of(design)
    if cost.flops > FLOPS:
        raise ContestError(f"{cost.flops:,} FLOPs per image are more than the budget of {FLOPS:,}: "
                           "fewer channels help most, since the work grows with their square")
    return cost


def check_rate(rate):
    """Return rate as a float. Raises ContestError where it is no learning rate."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < 100:
        raise ContestError(f"the learning rate is {rate!r}: give a number above zero, such as 0.1")
    return float(rate)


@functools.lru_cache(maxsize=64)
def trained(source, rate, seed, chosen):
    """Return (network, seconds) after SGD whose rate falls to zero in a straight line.

    The seed draws the first weights and the order of the images, so two designs with one seed see
    the same batches. Nothing here depends on the design.
    """
    began = time.perf_counter()
    net, batches = build(source, seed), images("training", chosen)
    net.to(batches.labels.device).train()
    batches.generator.manual_seed(seed)
    sgd = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9, nesterov=True,
                          weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.LinearLR(sgd, 1.0, 0.0, chosen.epochs * len(batches))
    for _ in range(chosen.epochs):
        for X, y in batches:  # (B, 1, 28, 28), (B,)
            sgd.zero_grad()
            F.cross_entropy(net(X), y).backward()
            sgd.step()
            schedule.step()
        if (took := time.perf_counter() - began) > SECONDS:
            raise ContestError(f"one training has taken {took:.0f} s, and {SECONDS} are allowed "
                               f"for all {len(chosen.seeds)}: take a network that is faster here")
    return net.eval(), time.perf_counter() - began


class Result(namedtuple("Result", "source rate scale seeds flops params seconds ours theirs "
                        "test_ours test_theirs contests opened")):
    """What a contest found: accuracies are lists with one entry a seed, () where not measured.

    seconds are those of the design's trainings; contests and opened count the designs that the
    progress file beside the notebook has seen raced, and tested; both are 0 in a rehearsal.
    """

    @property
    def verdict(self):
        """By how much the design is above ours on held-out images, with its interval."""
        return d2lvgg.compare_paired(self.theirs, self.ours)

    @property
    def test_verdict(self):
        """The same on the test set. Raises ContestError where it has not been opened."""
        if not self.test_theirs:
            raise ContestError("the test set has not been opened for this design: open_test(...)")
        return d2lvgg.compare_paired(self.test_theirs, self.test_ours)

    @property
    def words(self):
        return words_of(self.verdict)


def words_of(verdict):
    """Return what an interval allows to be said: 'ahead of ours', 'behind ours', 'not decided'."""
    if verdict.low > 0:
        return "ahead of ours"
    return "behind ours" if verdict.high < 0 else "not decided"


def accuracies(source, rate, seeds, part, chosen):
    """Return (accuracy on a part for each seed, seconds of training). Raises ContestError."""
    found, seconds = [], 0
    for seed in seeds:
        net, took = trained(source, rate, seed, chosen)
        found.append(d2lvgg.evaluate_accuracy(net, images(part, chosen)))
        seconds += took
        if seconds > SECONDS:
            raise ContestError(f"{len(found)} of {len(seeds)} trainings took {seconds:.0f} s, and "
                               f"{SECONDS} are allowed for all: take a network that is faster here")
    return found, seconds


def practise(design, rate, seeds=(5, 6, 7)):
    """Return the held-out accuracies of a design for seeds of your own. Raises ContestError."""
    check(design)
    return accuracies(source_of(design), check_rate(rate), seeds, "held-out", setting())[0]


def run(design, rate, rehearsal=False):
    """Race a design against ours on the contest's seeds and return the Result.

    A rehearsal is not counted, and its file is not taken. Raises ContestError where the design
    breaks a rule.
    """
    cost, rate, source, chosen = check(design), check_rate(rate), source_of(design), setting()
    base, _ = accuracies(source_of(ours), RATE, chosen.seeds, "held-out", chosen)
    found, seconds = accuracies(source, rate, chosen.seeds, "held-out", chosen)
    return Result(source, rate, chosen.name, list(chosen.seeds), *cost, round(seconds, 1), base,
                  found, [], [],
                  0 if rehearsal else noted("contests", source, rate, found), 0)


def open_test(result):
    """Measure both networks of a Result on the test set and return it with what came out."""
    chosen = SETTINGS[result.scale]
    pairs = [accuracies(source, rate, chosen.seeds, "test", chosen)[0] for source, rate in
             ((source_of(ours), RATE), (result.source, result.rate))]
    opened = result.contests and noted("test set opened", result.source, result.rate, pairs[1])
    return result._replace(test_ours=pairs[0], test_theirs=pairs[1], opened=opened)


def noted(kind, source, rate, found):
    """Note in the progress file that a design had its turn; return how many designs have had it."""
    name = hashlib.sha256(f"{source}{rate}".encode()).hexdigest()[:12]
    record("18", kind, name, found)
    try:
        return max(1, len(read_progress().get("18", {}).get(kind, {})))
    except ValueError:  # the file is no tally; record has said so
        return 1
