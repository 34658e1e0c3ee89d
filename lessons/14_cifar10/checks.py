"""Lesson 14's exercises."""

import copy

import torch
from torch import nn

from d2lvgg.exercises import ask, exercise, expect


@exercise
def check_cpu_days(answer):
    """Lesson 14, exercise 1: 200 epochs at 1709.73 seconds each."""
    expect(isinstance(answer, (int, float)), f"one number is wanted, not {answer!r}")

    def near(number):
        return abs(answer - number) <= 0.02 * number

    seconds = 200 * 1709.73
    expect(not near(seconds), "those are seconds: a day has 86,400")
    expect(not near(seconds / 60), "those are minutes: a day has 1,440")
    expect(not near(seconds / 3600), "those are hours: a day has 24")
    expect(not near(1709.73 / 86_400), "that is one epoch: the notes report on 200")
    expect(not near(200 * 13.645 / 86_400), "that is the GPU: take the CPU's 1,709.73 s an epoch")
    expect(near(seconds / 86_400), f"{answer!r} is not the number: seconds an epoch, times epochs, "
                                   "over the seconds of a day")
    return "Four days, against 45 minutes on the GPU: who tunes a rate at four days a try?"


@exercise
def check_dead_fraction(answer):
    """Lesson 14, exercise 2: channels that are zero everywhere, for every picture."""
    generator = torch.Generator().manual_seed(0)
    for channels, dead in ((4, 1), (10, 7), (6, 0), (3, 3)):
        maps = torch.randn(5, channels, 6, 6, generator=generator).relu()
        maps[:, :dead] = 0
        if channels > dead:
            maps[2, -1] = 0  # a living channel that is silent for one picture
        found = ask(answer, maps)
        expect(isinstance(found, (int, float, torch.Tensor))
               and torch.as_tensor(found).numel() == 1,
               f"one number is wanted, not {type(found).__name__}")
        found = float(found)
        right = dead / channels
        zeros = float((maps == 0).float().mean())
        silent = float((maps.amax(dim=(2, 3)) == 0).float().mean())
        expect(abs(found - zeros) > 1e-6 or right == zeros,
               "you counted zeros: a ReLU is silent half of the time and alive; a dead channel is "
               "zero in every place of every picture")
        expect(abs(found - silent) > 1e-6 or abs(silent - right) < 1e-6,
               "you asked picture by picture: a channel that is silent for one picture and "
               "answers to another is alive")
        expect(abs(found - (1 - right)) > 1e-6 or right == 0.5, "that is the living fraction")
        expect(abs(found - dead) > 1e-6 or dead in (0, right),
               f"that is how many are dead; divide by all {channels}")
        expect(abs(found - right) < 1e-6, f"{dead} of {channels} channels were dead, and you "
                                          f"found {found:.3f}")
    return "A dead channel gets no gradient, so only the layers before it could wake it."


@exercise
def check_flip_each(answer):
    """Lesson 14, exercise 3: each picture mirrored by its own toss."""
    torch.manual_seed(0)
    X = torch.rand(200, 3, 4, 5)
    before, found = X.clone(), ask(answer, X)
    expect(isinstance(found, torch.Tensor) and found.shape == X.shape,
           "a batch of the same shape is wanted")
    expect(torch.equal(X, before), "you changed X itself: return a new batch, for X may be the "
                                   "data set's own memory")
    same = (found == X).flatten(1).all(dim=1)
    mirrored = (found == X.flip(3)).flatten(1).all(dim=1)
    upside_down = (found == X.flip(2)).flatten(1).all(dim=1)
    expect(not upside_down.any(), "some pictures stand on their heads: mirror the last dimension, "
                                  "W, and not H")
    expect((same | mirrored).all(), "some pictures are neither as they were nor mirrored left to "
                                    "right")
    expect(not mirrored.all() and not same.all(),
           "all pictures had the same fate: toss once a picture, with torch.rand(len(X))")
    share = float(mirrored.float().mean())
    expect(0.35 < share < 0.65, f"{share:.0%} of 200 pictures were mirrored: half is wanted")
    again = ask(answer, X)
    expect(not torch.equal(again, found), "a second call mirrored the same pictures: toss anew")
    return "One tensor operation for the whole batch: far faster than a transform a picture."


@exercise
def check_transplant(answer):
    """Lesson 14, exercise 4: old blocks, new last layer."""
    for kinds in (2, 5):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6),
                                          nn.ReLU()),
                            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10))
        before = copy.deepcopy(net)
        new = ask(answer, net, kinds)
        expect(isinstance(new, nn.Module), f"a network is wanted, not {type(new).__name__}")
        y = new.eval()(torch.rand(4, 3, 8, 8))
        expect(y.shape == (4, kinds), f"for 4 pictures and {kinds} classes the output should have "
                                      f"shape (4, {kinds}), and yours has {tuple(y.shape)}")
        expect(len(net) == 4 and net[-1].out_features == 10 and all(
            torch.equal(a, b) for a, b in zip(net.state_dict().values(),
                                              before.state_dict().values(), strict=True)),
               "you changed net itself, and its ten classes are gone: work on a copy, with "
               "copy.deepcopy(net)")
        expect(all(p.requires_grad for p in net.parameters()),
               "you froze net itself: freeze the copy's parameters")
        linears = [m for m in new.modules() if isinstance(m, nn.Linear)]
        expect(len(linears) == 1, "you put the new layer behind the old one: replace it, or the "
                                  "old classes stand between")
        old, kept = (m[0][0].weight for m in (before, new))
        expect(torch.equal(old, kept), "the blocks' weights are not net's: keep what it learned")
        free = [p for p in new.parameters() if p.requires_grad]
        expect(free, "everything is frozen, the new layer too: freeze first, then replace it")
        expect({id(p) for p in free} == {id(p) for p in linears[0].parameters()},
               f"{len(free)} parameter tensors would be trained, and only the new layer's weight "
               "and bias should be: set requires_grad_(False) on the rest")
    return "Two tensors to train: that is why a handful of pictures is enough."
