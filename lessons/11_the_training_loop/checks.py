"""Lesson 11's exercises."""

import functools
from itertools import permutations

import torch
from torch import nn

from d2lvgg.exercises import (
    WrongAnswer,
    as_number,
    ask,
    ask_number,
    exercise,
    expect,
    expect_not,
)
from d2lvgg.training import evaluate_accuracy, init_xavier

KEPT = ("something is kept from one call to the next, in a global variable or in a default "
        "argument: begin anew in each call")


def ask_number_twice(function, *arguments):
    """Return a number that is asked for twice, so that what a function keeps in between shows."""
    found, again = (ask_number(function, *arguments) for _ in range(2))
    expect(found == again, f"the same call gave {found:,} and then {again:,}: {KEPT}")
    return found


def ask_list(function, *arguments):
    """Return the numbers of a list, a set or a tensor that function returns, smallest first."""
    found = ask(function, *arguments)
    wanted = f"a list of numbers is wanted, not {found!r}"
    expect(not isinstance(found, (str, bytes, dict)), wanted)
    try:
        return sorted(as_number(number) for number in found)
    except TypeError:
        raise WrongAnswer(wanted) from None


@exercise
def check_could_be(answer):
    """Lesson 11, exercise 1: the fractions of n that print as a given text."""
    for printed, n in (("0.906", 128), ("0.926", 128), ("1.000", 128), ("0.000", 64),
                       ("0.905", 200), ("0.906", 10_000)):
        found, again = ask_list(answer, printed, n), ask_list(answer, printed, n)
        right = [k for k in range(n + 1) if f"{k / n:.3f}" == printed]
        expect(found == again, f"could_be({printed!r}, {n}) found {len(found)} numbers and then "
                               f"{len(again)}: {KEPT}")
        expect(all(k == int(k) for k in found),
               "whole numbers of right answers are wanted, k, and not the fractions k / n")
        expect(found or not right, f"you find none for {printed} of {n}, and it can be: compare "
                                   "what is printed, not the unrounded fraction")
        expect(printed != "1.000" or n in found, f"all right is possible too: range({n}) stops "
                                                 "before its end")
        expect(printed != "0.000" or 0 in found, "none right is possible too: begin at 0")
        expect(found != [116] or right == [116],
               f"116 is the answer for 0.906 of 128, and this is {printed} of {n}")
        for k in set(found) - set(right):
            cut = f"{k / n:.6f}".startswith(printed)
            expect(False, f"{k} of {n} prints as {k / n:.3f}, not {printed}"
                          + ": a fraction is rounded to the nearest, not cut off" * cut)
        expect(len(set(found)) == len(found), "a number stands in your list more than once")
        expect(found == right, f"for {printed} of {n} you find {len(found)}, and there are more "
                               "that print so: try every k from none right to all right")
    return "Of 10,000 pictures every three-digit number has ten ways or so; of 128 most have none."


@exercise
def check_left_out(answer):
    """Lesson 11, exercise 2: batches after the last point that the published loop draws."""
    for n in (469, 20, 14, 29, 5, 7, 1000, 1875):
        found, right = ask_number_twice(answer, n), n % (n // 5)
        for wrong, mistake in (
                (n % 5, f"you took {n} % 5, but the points do not come every 5 batches: they come "
                        f"every {n} // 5"),
                (4, f"4 is the answer for 469 batches, and these are {n}"),
                (n // 5, f"{found} is how far apart the points are; wanted is what is left after "
                         "the last of them"),
                (n - right, "that is the batch of the last point: take it away from the number of "
                            "batches"),
                (n % (n / 5), f"the points are {n} // 5 batches apart, a whole number, and you "
                              "divided with /"),
                ((n - 1) % (n // 5), "you counted to num_batches - 1: (i + 1) is a multiple of "
                                     "num_batches // 5 where a point is drawn"),
                (right + 1, "you counted the batch of the last point too, which is in it"),
                (right / n, "that is a share of the epoch: the number of batches is wanted")):
            expect_not(found, wrong, right, mistake)
        expect(found == right, f"of {n} batches you say {found} are left out: how many come after "
                               f"the last multiple of {n} // 5?")
    return "Never more than four: n = 5q + r, and n % q is r % q."


class Probe(nn.Module):
    """A classifier with dropout and a frozen layer that notes the switches at every call."""

    def __init__(self):
        super().__init__()
        self.dropout, self.frozen = nn.Dropout(0.5), nn.BatchNorm1d(4)
        self.linear, self.calls = nn.Linear(4, 3), []

    def modes(self):
        return self.training, self.dropout.training, self.linear.training, self.frozen.training

    def forward(self, X):
        self.calls.append((*self.modes(), torch.is_grad_enabled()))
        return self.linear(self.frozen(self.dropout(X)))


def some_batches(sizes, seed):
    """Return batches (X (B, 4), y (B,)) that a linear layer learns with some mistakes."""
    generator = torch.Generator().manual_seed(seed)
    batches = []
    for size in sizes:
        X = torch.randn(size, 4, generator=generator)
        y = (X[:, :3] + 0.7 * torch.randn(size, 3, generator=generator)).argmax(dim=1)
        batches.append((X, y))
    return batches


def expect_switches(net, came, recording):
    """Raise WrongAnswer unless the Probe was tested, and left, with its switches as they belong."""
    expect(net.calls, "net was never asked: let it name every batch of data_iter")
    expect(not any(top for top, *_ in net.calls),
           "the network was in training mode while you tested it: dropout was on, so call "
           "net.eval() first")
    expect(not any(dropout for _, dropout, *_ in net.calls),
           "dropout was on while you tested: net.training = False changes one flag, and every "
           "layer has its own; net.eval() changes them all")
    expect(not any(recorded for *_, recorded in net.calls),
           "autograd recorded the test: put the loop under torch.no_grad()")
    expect(recording, "gradients are still off after your function: put the loop under `with "
                      "torch.no_grad():`, which turns them on again at its end")
    expect(all(p.requires_grad for p in net.parameters()),
           "the network's parameters want no gradients any more, so it cannot be trained on: use "
           "torch.no_grad() and leave them alone")
    left = net.modes()
    expect(left[0] or not came[0],
           "the network came in training mode and you left it in evaluation mode: whoever trains "
           "on now trains without dropout")
    expect(came[0] or not left[0],
           "the network came in evaluation mode and you left it in training mode")
    expect(left[1:3] == came[1:3],
           "you gave the network's own flag back, and its layers are still in evaluation mode: "
           "each has a flag of its own, so note those of all net.modules()")
    expect(left == came,
           "a frozen layer came in evaluation mode, and you left it in training mode: net.train() "
           "changes every layer, so note the flags of all net.modules() and give each its own back")


@exercise
def check_evaluate_accuracy(answer):
    """Lesson 11, exercise 3: every example once, eval mode, no gradients, modes restored."""
    for rights, was_training in (((5, 7, 4, 3), True), ((8, 2, 6, 1), False)):
        torch.manual_seed(sum(rights))
        net, data = Probe().eval(), []
        for X, hits in zip(torch.randn(27, 4).split(8), rights, strict=True):
            with torch.no_grad():
                named = net(X).argmax(dim=1)
            data.append((X, (named + (torch.arange(len(X)) >= hits)) % 3))  # the first are right
        net.train(was_training)
        net.frozen.eval()
        net.calls, came = [], net.modes()
        with torch.enable_grad():  # and what it is afterwards is undone at the end of this block
            found = ask_number(answer, net, data)
            recording = torch.is_grad_enabled()
        expect_switches(net, came, recording)
        sizes = [len(y) for _, y in data]
        right, examples = sum(rights), sum(sizes)
        fractions = [r / n for r, n in zip(rights, sizes, strict=True)]
        for wrong, mistake in (
                (fractions[0], "you left after the first batch: the return belongs after the loop"),
                (fractions[-1], "you kept the last batch alone: the counters begin at zero once, "
                                "before the loop"),
                (right, "that is how many are right: divide by how many there are"),
                (sum(fractions) / len(fractions),
                 "you averaged the batches' accuracies: the last batch has 3 examples and weighs "
                 "as much as one of 8, so count examples instead"),
                (right / (8 * len(sizes)),
                 "you divided by batches times batch size: the last batch is short"),
                (sum(rights[:-1]) / sum(sizes[:-1]), "you left out the last batch, which is short"),
                (right / len(sizes), "you divided by the number of batches: divide by that of the "
                                     "examples"),
                (1 - right / examples, "that is the share of the wrong ones"),
                (100 * right / examples, "that is percent: a fraction is wanted")):
            expect(abs(found - wrong) > 1e-6, mistake)
        expect(abs(found - right / examples) < 1e-6,
               f"{found:.4f} is not the fraction that is right: count where argmax(dim=1) is y, "
               "over all batches, and divide by the number of examples")
        expect(ask_number(answer, net, data) == found,
               f"the second call with the same data gave another accuracy: {KEPT}")
    return "Four switches and one division, and no batch counts for more than its examples."


def reference_rows(net, train_iter, test_iter, num_epochs, lr, fault=""):
    """Return plain_train_ch6's rows, or those of a loop with one fault."""
    if fault != "init":
        net.apply(init_xavier)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1 if fault == "lr" else lr)
    rows, sums, batches = [], [0.0, 0, 0], 0
    net.train(fault != "eval")
    for _ in range(num_epochs):
        if fault == "init again":
            net.apply(init_xavier)
        if fault != "carry":
            sums, batches = [0.0, 0, 0], 0
        for X, y in train_iter:
            if fault == "last batch":
                sums = [0.0, 0, 0]
            if fault != "pile":
                optimizer.zero_grad()
            y_hat = net(X)
            l = nn.functional.cross_entropy(y_hat.softmax(1) if fault == "softmax" else y_hat, y)
            l.backward()
            if fault != "no step":
                optimizer.step()
            weight = 1 if fault in ("batch mean", "divided twice") else len(y)
            sums[0] += l.item() * weight
            sums[1] += int((y_hat.argmax(dim=1) == y).sum())
            sums[2] += len(y)
            batches += 1
        test_acc = evaluate_accuracy(net, train_iter if fault == "test" else test_iter)
        train_acc = evaluate_accuracy(net, train_iter) if fault == "after" else sums[1] / sums[2]
        net.train(fault not in ("eval", "left in eval"))
        rows.append((sums[0] / (batches if fault == "batch mean" else sums[2]), train_acc,
                     test_acc))
    return rows


def run(loop, **options):
    """Return what a loop gives on small data, with the same seed for every loop."""
    train_iter, test_iter = some_batches((16, 16, 16, 5), seed=0), some_batches((16, 7), seed=1)
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 3))
    with torch.enable_grad():  # whatever a loop leaves behind
        return loop(net.eval(), train_iter, test_iter, 3, 0.3, **options)


@functools.cache
def reference(fault=""):
    return torch.tensor(run(reference_rows, fault=fault))


LOOP_FAULTS = {
    "init": "the weights were not initialised: call net.apply(init_xavier) before training",
    "init again": "the weights are thrown away in every epoch: initialise once, before the first",
    "eval": "the network was in evaluation mode while it trained: call net.train() in every epoch "
            "(net.training = True changes one flag, and dropout has its own)",
    "left in eval": "from the second epoch on it trained in evaluation mode: testing switched "
                    "dropout off, so call net.train() at the start of every epoch",
    "carry": "your sums run on from epoch to epoch: begin them at zero in every epoch",
    "last batch": "your sums hold the last batch alone: begin them at zero once an epoch",
    "pile": "the gradients pile up: call optimizer.zero_grad() before every backward()",
    "no step": "the weights never change: is optimizer.step() called after backward(), with the "
               "gradients still there?",
    "softmax": "your loss takes softmax twice: cross-entropy does it itself, so give it what the "
               "network puts out",
    "lr": "you train at a rate of 0.1, whatever was asked: use lr",
    "batch mean": "your training loss is a mean over batches: the last one is short, so weigh each "
                  "by its examples",
    "divided twice": "your training loss is too small: cross-entropy is already a mean over the "
                     "batch, so multiply it by len(y) before you divide by all examples",
    "after": "your training accuracy was measured after the epoch: count while it trains",
    "test": "your test accuracy was measured on the training data",
}


@exercise
def check_train_ch6(answer):
    """Lesson 11, exercise 4: the plain loop against a reference with the same seed."""

    def asked(*arguments):
        rows = ask(answer, *arguments, torch.device("cpu"))
        try:
            return [[as_number(number) for number in row] for row in rows]
        except TypeError:
            raise WrongAnswer("a list is wanted, with one (train_loss, train_acc, test_acc) an "
                              "epoch") from None

    rows, again = run(asked), run(asked)
    expect(rows == again, f"the same call with the same seed gave other rows the second time: "
                          f"{KEPT}, and draw nothing at random besides")
    expect(len(rows) == 3 and all(len(row) == 3 for row in rows),
           f"one row of three numbers is wanted for each of num_epochs epochs, and you give "
           f"{len(rows)} rows of {sorted({len(row) for row in rows})} numbers for 3 epochs")
    found, right = torch.tensor(rows).float(), reference()

    def close(wanted):
        return torch.allclose(found, wanted, atol=1e-5)

    expect(not close(right * torch.tensor([1, 100, 100])),
           "your accuracies are percent: fractions are wanted")
    for order in list(permutations(range(3)))[1:]:
        expect(not close(right[:, order]), "your three numbers stand in another order: "
                                           "(train_loss, train_acc, test_acc) is wanted")
    for fault, mistake in LOOP_FAULTS.items():
        expect(not close(reference(fault)), mistake)
    expect(close(right), "with the same seed your first row, "
                         f"{tuple(round(number, 4) for number in rows[0])}, is another than the "
                         "plain loop's: SGD at lr; zero_grad, predict, loss, backward, step; and "
                         "nothing random besides")
    return "Twenty lines. Everything else in d2lvgg.train is about watching them."


VERDICTS = {"a": "gradients pile up", "b": "dropout off", "c": "softmax twice",
            "d": "divided twice"}
WHERE = {"a": "zero_grad() is skipped, and what does backward() do with what is there?",
         "b": "the network is told net.train(False), and which of its layers listens?",
         "c": "cross_entropy gets something else than y_hat, and what does it do itself?",
         "d": "l is added up without len(y), and what is l, a sum or a mean?"}


@exercise
def check_verdicts(answer):
    """Lesson 11, exercise 5: which fault is which."""
    expect(isinstance(answer, dict) and set(answer) == set(VERDICTS),
           "a dict with the keys 'a', 'b', 'c' and 'd' is wanted")
    names = list(answer.values())
    for name in names:
        expect(isinstance(name, str) and name in VERDICTS.values(),
               f"{name!r} is none of the four names: {', '.join(sorted(VERDICTS.values()))}")
    for name in names:
        expect(names.count(name) == 1, f"{name!r} stands there {names.count(name)} times: each "
                                       "letter has a name of its own")
    for letter, name in VERDICTS.items():
        expect(answer[letter] == name, f"{letter} is not {answer[letter]!r}: look at what "
                                       f"fault == \"{letter}\" changes. {WHERE[letter]}")
    return "b is the one that no alarm finds: its numbers are better than the right ones."
