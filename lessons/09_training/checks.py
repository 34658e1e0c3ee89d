"""Lesson 09's exercises."""

import math

import torch
from torch import nn

from d2lvgg.exercises import LEFT_BEHIND, WrongAnswer, as_number, ask, ask_number, exercise, expect


@exercise
def check_step_count(answer):
    """Lesson 09, exercise 1: the weight changes of the published protocol."""
    found = as_number(answer)
    for wrong, mistake in (
            (469, "469 is one epoch's count, and the run has more than one"),
            (4680, "4,680 leaves out the last, short batch of each epoch: it has 96 images and "
                   "changes the weights too"),
            (4687.5, "there is no half a step: each epoch ends with a batch of 96, and the next "
                     "begins anew"),
            (4687, "each epoch ends with a short batch of 96, and you count it as part of one"),
            (4688, "you rounded up once, at the end of the run: each epoch ends with a short batch "
                   "of its own"),
            (600_000, "600,000 images are seen, and each step takes 128 of them"),
            (60_000, "that is the number of images: a step takes 128 of them, and there are ten "
                     "epochs"),
            (10, "that is the number of epochs: the weights change after each batch"),
            (5480, "you counted the test batches too: testing changes no weights")):
        expect(found != wrong, mistake)
    expect(found == 4690, f"{answer!r} is not the count: how many batches has an epoch, and how "
                          "many epochs has the run?")
    return "4,690 steps: few enough that the several hundred of a plateau matter."


STATES = ("dead", "asleep", "awake")


class Noisy(nn.Module):
    """Gives every image the same scores, but for what a computer rounds away."""

    def forward(self, images):
        scores = torch.linspace(-1, 1, 10).expand(len(images), 10)
        return scores * (1 + 1e-7 * torch.arange(len(images))[:, None] / len(images))


def patient(signal, factor=1.0, dropout=0.0, classes=10):
    """Return a small network in which the image's share of the scores grows with signal.

    factor makes all scores larger, which changes nothing but their size.
    """
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(),
                        nn.Dropout(dropout), nn.Linear(4, classes))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.rand(parameter.shape, generator=generator) - 0.5)
        net[1].bias.fill_(0.5)
        net[3].weight.mul_(signal)
        net[3].bias.fill_(0.5)
        for parameter in net[6].parameters():
            parameter.mul_(factor)
    return net


def dead(**options):
    """Return a network whose first ReLUs give 0 for every image."""
    net = patient(1.0, **options)
    nn.init.constant_(net[1].bias, -100.0)
    return net


def patients():
    """Return (network, its state, what is special about it)."""
    return [
        (patient(0.02).eval(), "asleep", "a network with large biases and a weak signal"),
        (patient(5.0).eval(), "awake", "a network whose scores depend mostly on the image"),
        (dead().eval(), "dead", "a network whose ReLUs give 0 for every image"),
        (Noisy().eval(), "dead", "a network whose scores differ by rounding alone"),
        (patient(0.02, factor=1000.0).eval(), "asleep",
         "a sleeping network whose scores are all a thousand times larger"),
        (patient(5.0, factor=0.001).eval(), "awake",
         "a network that is awake, whose scores are all a thousand times smaller"),
        (dead(dropout=0.5).train(), "dead", "a dead network with Dropout, in training mode"),
        (patient(0.02, dropout=0.5).train(), "asleep",
         "a sleeping network with Dropout, in training mode"),
        (patient(0.02, classes=3).eval(), "asleep", "a sleeping network with three classes"),
    ]


@exercise
def check_state_of(answer):
    """Lesson 09, exercise 2: dead, asleep or awake, by how the scores change with the image."""
    images = torch.rand(32, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    hints = {"dead": "do its scores change at all, from image to image?",
             "asleep": "its scores change, but by how much of their size?",
             "awake": "its scores change by more than a tenth of their size"}
    for network, state, words in patients():
        mode = network.training
        found = ask(answer, network, images.clone())
        expect(isinstance(found, str) and found in STATES,
               f"one of the texts {', '.join(map(repr, STATES))} is wanted, not {found!r}")
        hint = hints[state]
        if mode:
            hint = "in training mode Dropout changes the scores at random, so switch it off"
        elif isinstance(network, Noisy):
            hint = ("a computer rounds, so equal scores can differ in their seventh digit: do not "
                    "ask for exact equality")
        elif "thousand" in words:
            hint = "measure the change as a share of the scores' size, not by itself"
        expect(found == state, f"{words} was called {found!r}: {hint}")
        expect(network.training == mode, "the network came back in another mode than it had: put "
                                         "it back into training mode where it was in it")
    first, state, _ = patients()[0]
    expect(ask(answer, first, images.clone()) == state,
           f"the same network got another answer the second time: {LEFT_BEHIND}")
    return "Ask a network this before you wait for it."


@exercise
def check_paired(answer):
    """Lesson 09, exercise 3: the difference of two accuracies, and half its interval, paired."""
    generator = torch.Generator().manual_seed(0)
    for count, level, change in ((1000, 0.85, 0.1), (400, 0.6, 0.3), (5000, 0.92, 0.04)):
        first = (torch.rand(count, generator=generator) < level).int()
        other = (torch.rand(count, generator=generator) < 0.4).int()
        second = torch.where(torch.rand(count, generator=generator) < change, other, first)
        lists = first.tolist(), second.tolist()
        found = ask(answer, *lists)
        try:
            mean, half = (as_number(part) for part in found)
        except (TypeError, ValueError):
            raise WrongAnswer("two numbers are wanted, the difference and half the interval's "
                              f"width, not {type(found).__name__}") from None
        difference = (first - second).double()
        right, error = difference.mean().item(), difference.std().item() / count ** 0.5

        def is_near(number, wanted):
            return abs(number - wanted) <= 2e-3 * abs(wanted)

        expect(not is_near(mean, -right), "the difference has the wrong sign: it is the first "
                                          "network's accuracy less the second's")
        expect(not is_near(mean, 100 * right), "those are points in percent: accuracies are shares")
        expect(not is_near(mean, count * right), "that is a number of images: divide by how many "
                                                 "there are")
        expect(is_near(mean, right), "the difference is not the first accuracy less the second")
        p, q = first.double().mean().item(), second.double().mean().item()
        apart = ((p * (1 - p) + q * (1 - q)) / count) ** 0.5
        for wrong, mistake in (
                (1.96 * apart, "you added the variances of two accuracies, as if the networks had "
                               "been tested on different images: take the differences image by "
                               "image"),
                (error, "that is one standard error: the interval reaches 1.96 of them each way"),
                (2 * 1.96 * error, "that is the whole width: half of it is wanted"),
                (1.96 * error * count ** 0.5, "that is the spread of single images: the standard "
                                              "error of a mean divides it by the root of their "
                                              "number"),
                (1.96 * error / count ** 0.5, "you divided by the number of images, not by its "
                                              "root"),
                (1.96 * error * (count / 10_000) ** 0.5, "you divided by the root of 10,000: count "
                                                         "the images that are given"),
                (1.96 * (p * (1 - p) / count) ** 0.5, "that is one network's own error: the "
                                                      "differences have one of their own")):
            expect(not is_near(half, wrong), mistake)
        expect(is_near(half, 1.96 * error), "half the width is off: take the standard deviation of "
                                            "the differences, then its standard error, then 1.96 "
                                            "of these")
    return "Images on which both agree add nothing to the difference, and little to its error."


@exercise
def check_one_cycle(answer):
    """Lesson 09, exercise 4: up for a fifth of the steps, then down to 0."""

    def right(step, num_steps, peak):
        top = num_steps / 5
        return peak * (step / top if step < top else (num_steps - step) / (num_steps - top))

    for num_steps, peak in ((100, 1.0), (1000, 0.2), (50, 0.4)):
        top = num_steps // 5
        for step in (0, top // 2, top, (top + num_steps) // 2, num_steps):
            found = ask_number(answer, step, num_steps, peak)
            wanted, shown = right(step, num_steps, peak), f"one_cycle({step}, {num_steps}, {peak})"
            if math.isclose(found, wanted, rel_tol=1e-6, abs_tol=1e-9):
                continue
            expect(not (peak != 1 and math.isclose(found, wanted / peak, rel_tol=1e-6)),
                   f"{shown} gave a share of the peak: multiply by peak")
            expect(step != 0, f"{shown} gave {found}: at step 0 the rate is 0")
            expect(step != num_steps, f"{shown} gave {found}: at the end the rate is 0 again")
            expect(step != top, f"{shown} gave {found}: a fifth of the steps is done, so the rate "
                                "is at its peak")
            expect(step < top, f"{shown} gave {found}: after the peak the rate falls in a straight "
                               "line to the end")
            expect(False, f"{shown} gave {found}: up to the peak the rate rises in a straight line")
    return "Large steps in the middle cover distance, small ones at the end settle."
