"""Lesson 11's exercises."""

import functools
from itertools import permutations

import torch
from torch import nn

from d2lvgg.exercises import (
    LEFT_BEHIND,
    Unanswered,
    WrongAnswer,
    as_number,
    ask,
    ask_number,
    exercise,
    expect,
    of_lesson,
)

loops = of_lesson("11", "loops")

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
    """Lesson 11, exercise 11: the fractions of n that print as a given text."""
    for printed, n in (("0.906", 128), ("0.926", 128), ("1.000", 128), ("0.000", 64),
                       ("0.905", 200), ("0.906", 10_000)):
        found, again = ask_list(answer, printed, n), ask_list(answer, printed, n)
        right = [k for k in range(n + 1) if f"{k / n:.3f}" == printed]
        expect(found == again, f"could_be({printed!r}, {n}) found {len(found)} numbers and then "
                               f"{len(again)}: {LEFT_BEHIND}")
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
    return "Of 10,000 images each three-digit number has ten ways or so; of 128 most have none."


class Probe(nn.Module):
    """A classifier with dropout and a frozen layer that notes its switches at each call."""

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
    """Lesson 11, exercise 1: every example once, eval mode, no gradients, modes restored."""
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
               f"the second call with the same data gave another accuracy: {LEFT_BEHIND}")
    return "Four switches and one division, and no batch counts for more than its examples."


def run(loop, **options):
    """Return what a loop gives on small data, with the same seed for every loop."""
    train_iter, test_iter = some_batches((16, 16, 16, 5), seed=0), some_batches((16, 7), seed=1)
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 3))
    with torch.enable_grad():  # whatever a loop leaves behind
        return loop(net.eval(), train_iter, test_iter, 3, 0.3, **options)


@functools.cache
def reference(fault=""):
    return torch.tensor(run(loops.train_ch6, fault=fault))


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
    "pile in an epoch": "the gradients pile up within an epoch: clear them before every "
                        "backward(), and not once an epoch",
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
    """Lesson 11, exercise 2: the plain loop against a reference with the same seed."""

    def asked(*arguments):
        rows = ask(answer, *arguments, torch.device("cpu"))
        try:
            return [[as_number(number) for number in row] for row in rows]
        except TypeError:
            raise WrongAnswer("a list is wanted, with one (train_loss, train_acc, test_acc) an "
                              "epoch") from None

    rows, again = run(asked), run(asked)
    expect(rows == again, f"the same call with the same seed gave other rows the second time: "
                          f"{LEFT_BEHIND}, and draw nothing at random besides")
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


# Exercises 3 to 9: the student's tests, tried on loops that are right and on loops that are not.

def outcome(test, loop):
    """Return (how, what was said, calls): what a student's test does with one loop."""
    calls = []

    def watched(*arguments, **options):
        calls.append(arguments)
        return loop(*arguments, **options)

    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        try:
            found = test(watched)
        except AssertionError as error:
            return "failed", str(error), calls
        except (Exception, SystemExit) as error:
            return "raised", f"{type(error).__name__}: {error}", calls
    return "returned False" if found is False else "passed", "", calls


def try_on(test, right, faulty):
    """Raise WrongAnswer unless test passes every right loop and fails for every faulty one.

    right holds pairs (what such a loop does, loop), faulty triples with advice at the end.
    """
    expect(callable(test), f"a function is wanted, and this is {test!r}")
    for words, loop in right:
        how, said, calls = outcome(test, loop)
        if not calls and how in ("passed", "returned False"):
            raise Unanswered
        expect(how != "raised", f"your test raised {said} (and no AssertionError) with a loop that "
                                f"is right, one that {words}")
        expect(how == "passed", f"your test refuses a loop that is right, one that {words}"
                                + f" ({said})" * bool(said))
    for words, loop, advice in faulty:
        how, _, _ = outcome(test, loop)
        expect(how != "returned False", "your test returned False, and nobody looks at what a test "
                                        "returns: use assert")
        expect(how != "passed", f"your test lets a loop pass that {words}: {advice}")


def named(function, fault=""):
    """Return one of loops' functions with a fault, or with none."""
    return functools.partial(function, fault=fault)


def to_float32(net, data_iter):
    """Return the right accuracy, rounded as a mean of 32-bit numbers is."""
    return torch.tensor(loops.evaluate(net, data_iter), dtype=torch.float32).item()


@exercise
def check_counts_each_once(answer):
    """Lesson 11, exercise 3: a test for the return inside the loop, and its relatives."""
    try_on(answer, [
        ("counts each example once", loops.evaluate),
        ("has a rounding error, because it is the mean of 32-bit numbers: allow a small difference",
         to_float32)],
        [("leaves after the first batch", named(loops.evaluate, "first batch"),
          "is there a second batch, with another accuracy, and do you know the accuracy of all?"),
         ("keeps the last batch alone", named(loops.evaluate, "last batch"),
          "the last batch must have another accuracy than all together"),
         ("takes the mean of the batches' accuracies", named(loops.evaluate, "mean of batches"),
          "it cannot be seen where all batches are equally long, or equally accurate"),
         ("leaves out a last batch that is shorter", named(loops.evaluate, "drops the short one"),
          "end with a short batch whose accuracy differs from the others'")])
    return "Four faults, one line: a case whose answer you knew before."


def infer(net, data_iter):
    """Return the accuracy, measured in inference mode."""
    with torch.inference_mode():
        return loops.evaluate(net, data_iter)


@exercise
def check_records_nothing(answer):
    """Lesson 11, exercise 4: a test for a missing no_grad, which eval() is not."""
    try_on(answer, [
        ("works under no_grad, and gives each layer its mode back", loops.evaluate),
        ("works under torch.inference_mode()", infer)],
        [("calls eval() and records all the same", named(loops.evaluate, "records"),
          "look at what the network is asked under, or at its output's requires_grad, while it is "
          "being evaluated; the mode says nothing of recording"),
         ("turns recording off and never on again", named(loops.evaluate, "for good"),
          "look at torch.is_grad_enabled() after the call, too")])
    return "A network that spies on its loop: nothing in the loop had to change."


@exercise
def check_draws_the_end(answer):
    """Lesson 11, exercise 5: a test for num_epochs - 1 in the place of num_batches - 1."""
    try_on(answer, [
        ("draws as the book's does", loops.plotted_train),
        ("draws after each batch", named(loops.plotted_train, "draws each batch"))],
        [("has num_epochs - 1 for num_batches - 1", named(loops.plotted_train, "num_epochs"),
          "if num_batches is a multiple of num_batches // 5 (5 to 9 are, and 10), or the number of "
          "epochs, the last point is there by accident; and the test accuracy's point, whose y[0] "
          "is None, is none of the training loss"),
         ("draws no point at the end of an epoch", named(loops.plotted_train, "no end"),
          "a point that comes before the end is not enough"),
         ("draws the end of the last epoch only", named(loops.plotted_train, "last epoch"),
          "train for two epochs or more, and look at the end of each")])
    return "Your animator drew nothing, and saw what eyes had missed."


@exercise
def check_counts_loading(answer):
    """Lesson 11, exercise 6: a test for a timer that starts when the batch is there."""
    try_on(answer, [
        ("counts everything from the start of an epoch to its end", loops.plotted_train),
        ("counts everything, on a machine that is busy: there is no least speed to ask for",
         named(loops.plotted_train, "busy machine"))],
        [("starts its timer when the batch is there", named(loops.plotted_train, "after arrival"),
          "make the loader slow, and work out how many examples/s it can give at most"),
         ("counts the processor's time, which stands still while the loop waits",
          named(loops.plotted_train, "cpu time"),
          "make the loader slow, and work out how many examples/s it can give at most")])
    return "A limit that holds on every machine."


@exercise
def check_waits_for_the_queue(answer):
    """Lesson 11, exercise 7: a test for a clock that is read while the device still works."""
    try_on(answer, [
        ("waits at the end", loops.seconds_of),
        ("waits after each step", named(loops.seconds_of, "each step")),
        ("waits at the end, on a machine that is busy: there is no upper limit",
         named(loops.seconds_of, "busy machine"))],
        [("never waits", named(loops.seconds_of, "never"),
          "steps of so many seconds cannot be over sooner than all of them together"),
         ("waits before it starts, and not at the end", named(loops.seconds_of, "before"),
          "look at the seconds, and not at whether synchronize was called"),
         ("reads the clock first and waits then", named(loops.seconds_of, "after"),
          "look at the seconds, and not at whether synchronize was called")])
    return "No GPU was needed: what has a queue is enough."


@exercise
def check_clears_gradients(answer):
    """Lesson 11, exercise 8: a test for a missing zero_grad."""
    try_on(answer, [
        ("clears the gradients before each backward()", loops.train_ch6),
        ("clears them after each step, which comes to the same",
         named(loops.train_ch6, "clear after"))],
        [("never clears the gradients", named(loops.train_ch6, "pile"),
          "it takes two batches to see it, and a comparison: with the same first weights, what "
          "should the second step do?"),
         ("clears them once an epoch", named(loops.train_ch6, "pile in an epoch"),
          "it takes two batches in one epoch to see it")])
    return "A batch that asks for nothing shows what was left behind."


@exercise
def check_reports_cross_entropy(answer):
    """Lesson 11, exercise 9: a test for a softmax too many."""
    try_on(answer, [
        ("gives the network's scores to cross-entropy", loops.train_ch6),
        ("takes log_softmax first, which changes nothing: compare the loss, and with a tolerance",
         named(loops.train_ch6, "log_softmax"))],
        [("takes a softmax first", named(loops.train_ch6, "softmax"),
          "work the loss out yourself, for weights that you know"),
         ("takes a sigmoid first", named(loops.train_ch6, "sigmoid"),
          "work the loss out yourself, for weights that you know"),
         ("divides the loss by the batch size twice", named(loops.train_ch6, "divided twice"),
          "a limit on one side lets it through: work the loss out, and compare")])
    return "With a rate of 0 the loop cannot hide its weights."


VERDICTS = {"a": "divided twice", "b": "gradients pile up", "c": "right", "d": "softmax twice",
            "e": "evaluation mode"}
SIGNS = {"divided twice": "its loss would be far too small for its accuracy",
         "gradients pile up": "it would fail your test of exercise 8",
         "softmax twice": "its loss could not be below 1.46",
         "evaluation mode": "dropout would be off while it trains, and your tests of exercises 8 "
                            "and 9 would pass",
         "right": "all of your tests would pass, and dropout would be on while it trains"}


@exercise
def check_verdicts(answer):
    """Lesson 11, exercise 10: which loop of the line-up has which fault."""
    expect(isinstance(answer, dict) and set(answer) == set(VERDICTS),
           "a dict with the keys 'a', 'b', 'c', 'd' and 'e' is wanted")
    names = list(answer.values())
    for name in names:
        expect(isinstance(name, str) and name in SIGNS,
               f"{name!r} is none of the five names: {', '.join(sorted(SIGNS))}")
    for name in names:
        expect(names.count(name) == 1, f"{name!r} stands there {names.count(name)} times: each "
                                       "loop has a name of its own")
    for letter, name in VERDICTS.items():
        expect(answer[letter] == name, f"{letter} is not {answer[letter]!r}: then "
                                       f"{SIGNS[answer[letter]]}")
    return "Evaluation mode is the one that no alarm finds: its training numbers look better."


def same(ours, theirs):
    """Return whether two nested dicts of tensors and numbers are equal, to the bit."""
    if isinstance(ours, torch.Tensor) and isinstance(theirs, torch.Tensor):
        return torch.equal(ours, theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return ours == theirs


NOT_BACK = {
    "weights": "the weights are not back: net.load_state_dict",
    "optimizer": "the optimizer's memory (momentum) is not as it was: it has a state_dict of its "
                 "own, which is no copy either",
    "schedule": "the schedule is not back, so the learning rate goes on from another place",
    "random numbers": "the generator of random numbers is not where it was, so the images come in "
                      "another order: torch.get_rng_state and torch.set_rng_state",
}


@exercise
def check_save_and_load(answer):
    """Lesson 11, exercise 12: all of a run, as it was, and none of what came later."""
    expect(isinstance(answer, (tuple, list)) and len(answer) == 2 and all(map(callable, answer)),
           "two functions are wanted, (save_run, load_run)")
    save, load = answer
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        for stop, seed in ((2, 3), (1, 4)):
            images, labels = torch.randn(96, 1, 4, 4), torch.arange(96) % 10
            run = loops.Run(images, labels, seed).train(until=stop)
            then = run.save()
            saved = ask(save, run.net, run.optimizer, run.schedule, run.epoch)
            expect(same(run.save(), then), "saving changed the run itself")
            whole = run.train()  # on to the end, with the live tensors
            new = loops.Run(images, labels, seed=9)
            try:
                epoch = ask_number(load, saved, new.net, new.optimizer, new.schedule)
            except Unanswered:
                expect(False, "load_run returned nothing: return the epoch")
            now = new.save()
            later = whole.save()
            expect(not same(now["weights"], later["weights"]),
                   "what you saved went on training: state_dict() hands out the live tensors, so "
                   "save a copy")
            for part, mistake in NOT_BACK.items():
                expect(same(now[part], then[part]), mistake)
            expect(epoch == stop, f"the run was saved after epoch {stop}, and load_run returned "
                                  "another number")
            new.epoch = stop
            expect(new.train().distance(whole) == 0,
                   "the continued run ends with other weights than the uninterrupted one")
    return "To the last bit: nobody can see that this run was ever stopped."
