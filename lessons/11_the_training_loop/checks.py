"""Lesson 11's exercises."""

import torch
from torch import nn

from d2lvgg.exercises import WrongAnswer, ask, ask_number, exercise, expect, expect_not
from d2lvgg.training import evaluate_accuracy, init_xavier


@exercise
def check_could_be(answer):
    """Lesson 11, exercise 1: the fractions of n that print as a given text."""
    for printed, n in (("0.906", 128), ("0.926", 128), ("1.000", 128), ("0.000", 64),
                       ("0.905", 200), ("0.906", 10_000)):
        found = ask(answer, printed, n)
        expect(not isinstance(found, bool) and hasattr(found, "__iter__"),
               f"a list of numbers is wanted, not {found!r}")
        found, right = list(found), [k for k in range(n + 1) if f"{k / n:.3f}" == printed]
        expect(found or not right, "".join(
            f"you find none for {printed} of {n}, and {k} of {n} is {k / n}, which prints as "
            f"{printed}: compare what is printed, not the unrounded fraction" for k in right[:1]))
        expect(printed != "1.000" or n in found, f"all {n} right is possible too: range({n}) stops "
                                                 f"at {n - 1}")
        expect(printed != "0.000" or 0 in found, "none right is possible too: begin at 0")
        others = [k for k in found if f"{k / n:.3f}" != printed]
        expect(not others, "".join(
            f"{k} of {n} prints as {k / n:.3f}, not {printed}: a fraction is rounded to the "
            "nearest, not cut off" for k in others[:1]))
        expect(found == right, f"for {printed} of {n} you find {len(found)} ways, and there are "
                               f"{len(right)}")
    return "Of 10,000 pictures every three-digit number has ten ways or so; of 128 most have none."


@exercise
def check_left_out(answer):
    """Lesson 11, exercise 2: batches after the last point that the published loop draws."""
    for n in (469, 20, 14, 29, 5, 7, 1000, 1875):
        found, right = ask_number(answer, n), n % (n // 5)
        expect_not(found, n % 5, right, f"{n} % 5 is {n % 5}, but the points do not come every 5 "
                                        f"batches: they come every {n} // 5 = {n // 5}")
        expect_not(found, n // 5, right, f"{n // 5} is how far apart the points are; wanted is "
                                         "what is left after the last of them")
        expect_not(found, n - n % (n // 5), right,
                   "that is the batch of the last point: take it away from the number of batches")
        expect(found == right, f"of {n} batches, {right} come after the last multiple of "
                               f"{n // 5}, and you say {found}")
    return "Never more than four: n = 5q + r, and n % q is r % q."


class Probe(nn.Module):
    """A classifier that notes how it is called: in training mode, with autograd recording."""

    def __init__(self):
        super().__init__()
        self.linear, self.calls = nn.Linear(4, 3), []

    def forward(self, X):
        self.calls.append((self.training, torch.is_grad_enabled()))
        return self.linear(X)


def some_batches(sizes, seed):
    """Return batches (X (B, 4), y (B,)) that a linear layer learns with some mistakes."""
    generator = torch.Generator().manual_seed(seed)
    batches = []
    for size in sizes:
        X = torch.randn(size, 4, generator=generator)
        y = (X[:, :3] + 0.7 * torch.randn(size, 3, generator=generator)).argmax(dim=1)
        batches.append((X, y))
    return batches


@exercise
def check_evaluate_accuracy(answer):
    """Lesson 11, exercise 3: every example once, eval mode, no gradients, mode restored."""
    for rights, was_training in (((5, 7, 3, 3), True), ((8, 2, 6, 1), False)):
        torch.manual_seed(sum(rights))
        net, data = Probe(), []
        for X, hits in zip(torch.randn(27, 4).split(8), rights, strict=True):
            with torch.no_grad():
                named = net.linear(X).argmax(dim=1)
            data.append((X, (named + (torch.arange(len(X)) >= hits)) % 3))  # the first are right
        net.train(was_training)
        sizes = [len(y) for _, y in data]
        right = sum(rights) / sum(sizes)
        try:
            found = float(ask(answer, net, data))
        except (TypeError, ValueError):
            raise WrongAnswer("one number is wanted, the fraction that is right") from None
        fractions = [r / n for r, n in zip(rights, sizes, strict=True)]
        expect(found != fractions[0],
               "you left after the first batch: the return belongs after the loop")
        expect(found != sum(rights),
               "that is how many are right: divide by how many there are")
        expect(abs(found - sum(fractions) / len(fractions)) > 1e-6,
               "you averaged the batches' accuracies: the last batch has 3 examples and weighs as "
               "much as one of 8, so count examples instead")
        expect(abs(found - sum(rights) / (8 * len(sizes))) > 1e-6,
               "you divided by batches times batch size: the last batch is short")
        expect(abs(found - right) < 1e-6, f"{sum(rights)} of {sum(sizes)} are right, which is "
                                          f"{right:.4f}, and you say {found:.4f}")
        expect(not any(training for training, _ in net.calls),
               "the network was in training mode while you tested it: dropout was on, so call "
               "net.eval() first")
        expect(not any(recording for _, recording in net.calls),
               "autograd recorded the test: put the loop under torch.no_grad()")
        expect(net.training or not was_training,
               "the network came in training mode and you left it in evaluation mode: whoever "
               "trains on now trains without dropout")
        expect(was_training or not net.training,
               "the network came in evaluation mode and you left it in training mode")
    return "Four switches and one division, and no batch counts for more than its examples."


def reference_rows(net, train_iter, test_iter, num_epochs, lr, fault=""):
    """Return plain_train_ch6's rows, or those of a loop with one fault."""
    if fault != "init":
        net.apply(init_xavier)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    rows, sums, batches = [], [0.0, 0, 0], 0
    net.train(fault != "eval")
    for _ in range(num_epochs):
        if fault != "carry":
            sums, batches = [0.0, 0, 0], 0
        for X, y in train_iter:
            if fault != "pile":
                optimizer.zero_grad()
            y_hat = net(X)
            l = nn.functional.cross_entropy(y_hat, y)
            l.backward()
            if fault != "no step":
                optimizer.step()
            weight = 1 if fault in ("batch mean", "divided twice") else len(y)
            sums[0] += l.item() * weight
            sums[1] += int((y_hat.argmax(dim=1) == y).sum())
            sums[2] += len(y)
            batches += 1
        test_acc = evaluate_accuracy(net, train_iter if fault == "test" else test_iter)
        net.train(fault not in ("eval", "left in eval"))
        rows.append((sums[0] / (batches if fault == "batch mean" else sums[2]),
                     sums[1] / sums[2], test_acc))
    return rows


LOOP_FAULTS = {
    "init": "the weights were not initialised: call net.apply(init_xavier) before training",
    "eval": "the network was in evaluation mode while it trained: call net.train() in every epoch",
    "left in eval": "from the second epoch on it trained in evaluation mode: testing switched "
                    "dropout off, so call net.train() at the start of every epoch",
    "carry": "your sums run on from epoch to epoch: begin them at zero in every epoch",
    "pile": "the gradients pile up: call optimizer.zero_grad() before every backward()",
    "no step": "the weights never change: is optimizer.step() called after backward(), with the "
               "gradients still there?",
    "batch mean": "your training loss is a mean over batches: the last one is short, so weigh each "
                  "by its examples",
    "divided twice": "your training loss is too small: cross-entropy is already a mean over the "
                     "batch, so multiply it by len(y) before you divide by all examples",
    "test": "your test accuracy was measured on the training data",
}


@exercise
def check_train_ch6(answer):
    """Lesson 11, exercise 4: the plain loop against a reference with the same seed."""
    train_iter, test_iter = some_batches((16, 16, 16, 5), seed=0), some_batches((16, 7), seed=1)

    def run(loop, **options):
        torch.manual_seed(3)
        net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 3))
        return loop(net.eval(), train_iter, test_iter, 3, 0.3, **options)

    def asked(*arguments):
        return ask(answer, *arguments, torch.device("cpu"))

    try:
        found = torch.tensor([[float(number) for number in row] for row in run(asked)])
    except TypeError:
        raise WrongAnswer("a list is wanted, with one (train_loss, train_acc, test_acc) an "
                          "epoch") from None
    expect(found.shape == (3, 3), f"three epochs give three rows of three numbers, and yours have "
                                  f"shape {tuple(found.shape)}")

    def close(wanted):
        return torch.allclose(found, torch.tensor(wanted), atol=1e-5)

    for fault, mistake in LOOP_FAULTS.items():
        expect(not close(run(reference_rows, fault=fault)), mistake)
    right = run(reference_rows)
    expect(close(right), "with the same seed the reference's first epoch gives "
                         f"{tuple(round(number, 4) for number in right[0])} and yours "
                         f"{tuple(round(number, 4) for number in found[0].tolist())}: "
                         "zero_grad, predict, loss, backward, step, and nothing random besides")
    return "Twenty lines. Everything else in d2lvgg.train is about watching them."


VERDICTS = {"a": "gradients pile up", "b": "dropout off", "c": "softmax twice",
            "d": "divided twice"}
WHY = {"a": "zero_grad is skipped, so each step repeats all steps before it",
       "b": "net.train(False) leaves dropout off, and its training accuracy is the best of all",
       "c": "y_hat.softmax(1) goes into cross_entropy, whose loss then cannot fall below 1.461",
       "d": "the batch's mean is not multiplied by len(y), and its accuracy is the faultless one's"}


@exercise
def check_verdicts(answer):
    """Lesson 11, exercise 5: which fault is which."""
    expect(isinstance(answer, dict) and set(answer) == set(VERDICTS),
           "a dict with the keys 'a', 'b', 'c' and 'd' is wanted")
    for name in answer.values():
        expect(name in VERDICTS.values(), f"{name!r} is none of the four names: "
                                          f"{', '.join(sorted(VERDICTS.values()))}")
    for letter, name in VERDICTS.items():
        expect(answer[letter] == name, f"{letter} is not '{answer[letter]}': look at what "
                                       f"fault == \"{letter}\" changes ({WHY[letter]})")
    return "b is the one that no alarm finds: its numbers are better than the right ones."
