"""Lesson 18's exercises: a design within the rules, its card, a judge, and a hole in the rules."""

import ast

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from d2lvgg.exercises import LEFT_BEHIND, WrongAnswer, ask, exercise, expect, of_lesson

contest = of_lesson("18", "contest")
handing_in = of_lesson("18", "handing_in")


def same_code(source, other):
    """Return whether two functions' texts differ in nothing but their name and comments."""
    first, second = (ast.parse(text).body[0] for text in (source, other))
    return [ast.dump(part) for part in first.body] == [ast.dump(part) for part in second.body]


@exercise
def check_my_design(answer):
    """Lesson 18, exercise 1: a network of the student's own that the contest takes."""
    net = ask(answer)
    expect(isinstance(net, nn.Module),
           f"{type(net).__name__} is returned: return the network itself, such as an nn.Sequential")
    try:
        source = contest.source_of(answer)
        cost = contest.check(source)
    except contest.ContestError as error:
        raise WrongAnswer(str(error)) from None
    expect(not same_code(source, contest.source_of(contest.ours)),
           "this is our network, block for block: change at least one thing")
    return (f"{cost.flops:,} FLOPs per image, {cost.flops / contest.FLOPS:.0%} of the budget. Now "
            "practise with it.")


def made_up(theirs, test_theirs, opened=1):
    """Return a contest's Result with these numbers of images right, of 5,000 and of 10,000."""
    ours, test_ours = (4310, 4335, 4290, 4322, 4301), (8541, 8602, 8517, 8574, 8533)
    return contest.Result(
        contest.source_of(contest.ours), 0.1, "laptop", list(contest.SEEDS), 7_440_640, 61_000,
        48.2, [right / 5_000 for right in ours], [right / 5_000 for right in theirs],
        [right / 10_000 for right in test_ours], [right / 10_000 for right in test_theirs], 1,
        opened)


AHEAD = made_up((4391, 4402, 4377, 4399, 4380), (8701, 8744, 8688, 8719, 8690))
BEHIND = made_up((4201, 4238, 4188, 4219, 4207), (8330, 8398, 8312, 8367, 8341))
OPEN = made_up((4333, 4309, 4318, 4300, 4321), (8566, 8587, 8549, 8551, 8540))


@exercise
def check_card(answer):
    """Lesson 18, exercise 2: a card whose numbers and verdict are the result's, whatever it is."""
    for result in (AHEAD, BEHIND, OPEN):
        card = ask(answer, result)
        faults = handing_in.card_faults(card, result)
        expect(not faults, f"for a made-up result ({result.words}): {'; '.join(faults[:2])}")
    return "A stranger can now say what your network is for, and how sure you are."


def as_file(result, **changes):
    """Return the part of a handed-in file that exercise 3 judges."""
    file = {"seeds": result.seeds, "flops": result.flops, "ours": result.ours,
            "theirs": result.theirs, "verdict": result.words, "opened": result.opened}
    return {**file, **changes}


HONEST = {"is ahead": as_file(AHEAD), "is behind, and says so": as_file(BEHIND),
          "is not decided, and says so": as_file(OPEN),
          "uses the whole budget": as_file(AHEAD, flops=contest.FLOPS)}
TAMPERED = {
    "has a verdict that its own accuracies do not allow": as_file(OPEN, verdict="ahead of ours"),
    "says that it is behind, where it is ahead": as_file(AHEAD, verdict="behind ours"),
    "has a seed that is none of the contest's": as_file(AHEAD, seeds=[0, 1, 2, 3, 17]),
    "has the contest's seeds twice or not at all": as_file(AHEAD, seeds=[1, 1, 1, 1, 1]),
    "is above the budget of FLOPs": as_file(AHEAD, flops=contest.FLOPS + 1),
    "has an accuracy that no number of 5,000 images gives": as_file(
        AHEAD, theirs=[0.87815, *AHEAD.theirs[1:]]),
    "has such an accuracy among ours": as_file(AHEAD, ours=[*AHEAD.ours[:4], 0.86011]),
    "opened the test set for three designs": as_file(AHEAD, opened=3)}


def believed(answer, file):
    """Return what a judge says of a file, True or False. Raises WrongAnswer for anything else."""
    found = ask(answer, file)
    expect(found in (True, False) and isinstance(found, (bool, int)),
           f"True or False is wanted, and the judge returned {found!r:.80}")
    return bool(found)


@exercise
def check_judge(answer):
    """Lesson 18, exercise 3: believes honest files, a loser's too, and no tampered one."""
    for words, file in HONEST.items():
        expect(believed(answer, file), f"your judge does not believe an honest file, one that "
                                       f"{words}")
    for words, file in TAMPERED.items():
        expect(not believed(answer, file), f"your judge believes a file that {words}")
    expect(believed(answer, HONEST["is ahead"]),
           f"after a tampered file your judge believes no honest one any more: {LEFT_BEHIND}")
    return "It reads what can be read. What it cannot see, only a new training shows."


@exercise
def check_unseen(answer):
    """Lesson 18, exercise 4: a convolution that the counter of FLOPs does not see."""
    generator = torch.Generator().manual_seed(0)
    sizes = (1, 1, 1, 5, 5), (2, 3, 4, 6, 5), (3, 2, 2, 4, 7)
    for batch, inputs, outputs, height, width in sizes:
        X = torch.randn(batch, inputs, height, width, generator=generator)
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator)
        with FlopCounterMode(display=False) as counter:
            found = ask(answer, X, weight)
        expect(isinstance(found, torch.Tensor), f"a tensor is wanted, not {type(found).__name__}")
        expect(counter.get_total_flops() == 0, "the counter saw your convolution: it looks for "
               "convolutions and matrix products (@, einsum, F.linear too), so multiply number by "
               "number")
        shape = batch, outputs, height, width
        expect(found.shape == shape, f"images {tuple(X.shape)} and weights {tuple(weight.shape)} "
               f"gave {tuple(found.shape)}: each filter makes one map as large as the image, so "
               "pad it")
        wanted = F.conv2d(X, weight, padding=1)
        for other, mistake in (
                (F.conv2d(X, weight.flip(2, 3), padding=1), "your kernel is turned around: its "
                 "upper left number belongs to the pixel to the upper left"),
                (F.conv2d(X, weight.transpose(2, 3), padding=1), "rows and columns of your kernel "
                 "are swapped"),
                (F.conv2d(X, weight, padding=1) / (9 * inputs), "you take a mean: a sum is wanted"),
                (F.conv2d(X[:, :1], weight[:, :1], padding=1), "only the first channel of the "
                 "input counts: sum over all")):
            expect(torch.allclose(other, wanted) or not torch.allclose(found, other, atol=1e-4),
                   mistake)
        expect(torch.allclose(found, wanted, atol=1e-4), "the numbers are not those of a "
               "convolution: for each place of the kernel, shift the padded image, multiply by the "
               "weight there, and add up over places and channels")
    return "Zero FLOPs, says the counter. A budget is only as good as what counts it."


