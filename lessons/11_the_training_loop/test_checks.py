"""The checks of lesson 11 against right answers, stubs and plausible wrong answers."""

import copy
import io
import re
import time

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lvgg.exercises import WrongAnswer, checks_of, of_lesson
from d2lvgg.training import init_xavier

checks = checks_of("11")
loops = of_lesson("11", "loops")


def could_be(printed, n, last=1, first=0):
    return [k for k in range(first, n + last) if f"{k / n:.3f}" == printed]


def could_be_backwards(printed, n):
    for k in range(n, -1, -1):
        if abs(round(k / n, 3) - float(printed)) < 1e-9:
            yield k


def cut_off(printed, n):
    return [k for k in range(n + 1) if f"{k / n:.6f}"[:5] == printed]


def could_be_kept(printed, n, found=[]):  # noqa: B006
    found += could_be(printed, n)
    return found


def modes_of(net):
    return [(module, module.training) for module in net.modules()]


def eval_mode(net):
    net.eval()


def give_back(net, modes):
    for module, mode in modes:
        module.training = mode


def evaluate(net, data_iter, divide="examples", switch=eval_mode, restore=give_back, record=False):
    modes, right, examples, fractions = modes_of(net), 0, 0, []
    switch(net)
    with torch.set_grad_enabled(record):
        for X, y in data_iter:
            hits = (net(X).argmax(dim=1) == y).sum().item()
            right, examples = right + hits, examples + len(y)
            fractions.append(hits / len(y))
    restore(net, modes)
    return {"examples": right / examples, "first": fractions[0], "nothing": right,
            "last": fractions[-1], "batches": sum(fractions) / len(fractions),
            "size": right / (8 * len(fractions)), "number": right / len(fractions),
            "off": right / examples + 0.01}[divide]


def top_flag(net):
    net.training = False


def top_flag_back(net, modes):
    net.training = modes[0][1]


def train_back(net, modes):
    net.train(modes[0][1])


@torch.inference_mode()
def evaluate_inferring(net, data_iter):
    modes = {name: module.training for name, module in net.named_modules()}
    hits = [net.eval()(X).argmax(dim=1) == y for X, y in data_iter]
    for name, module in net.named_modules():
        module.training = modes[name]
    return torch.cat(hits).float().mean()


def evaluate_for_good(net, data_iter):
    torch.set_grad_enabled(False)
    modes = modes_of(net)
    net.eval()
    right = sum(int((net(X).argmax(dim=1) == y).sum()) for X, y in data_iter)
    give_back(net, modes)
    return right / sum(len(y) for _, y in data_iter)


def evaluate_frozen(net, data_iter):
    accuracy = evaluate(net, data_iter)
    net.requires_grad_(False)
    return accuracy


def evaluate_counting_on(net, data_iter, counts=[0, 0]):  # noqa: B006
    examples = sum(len(y) for _, y in data_iter)
    counts[0] += evaluate(net, data_iter, "nothing")
    counts[1] += examples + (counts[1] > 0)
    return counts[0] / counts[1]


def train_loop(fault=""):
    def train_ch6(net, train_iter, test_iter, num_epochs, lr, device):
        return loops.train_ch6(net, train_iter, test_iter, num_epochs, lr, device, fault)
    return train_ch6


def written_out(net, train_iter, test_iter, num_epochs, lr, device, to_train=nn.Module.train):
    net.apply(init_xavier)
    rows = torch.zeros(num_epochs, 3)
    for epoch in range(num_epochs):
        losses, hits = [], []
        to_train(net)
        for X, y in train_iter:
            y_hat = net(X.to(device))
            l = F.cross_entropy(y_hat, y, reduction="none")
            net.zero_grad()
            l.mean().backward()
            with torch.no_grad():
                for p in net.parameters():
                    p -= lr * p.grad
            losses.append(l.detach())
            hits.append(y_hat.argmax(dim=1) == y)
        rows[epoch] = torch.stack([torch.cat(losses).mean(), torch.cat(hits).float().mean(),
                                   torch.tensor(evaluate(net, test_iter))])
    return rows


def top_flag_on(net):
    net.training = True


def rows_kept(net, train_iter, test_iter, num_epochs, lr, device, rows=[]):  # noqa: B006
    rows += train_loop()(net, train_iter, test_iter, num_epochs, lr, device)
    return rows


def other_optimizer(net, train_iter, test_iter, num_epochs, lr, device):
    return loops.train_ch6(net, train_iter, test_iter, num_epochs, lr / 2)


def one_epoch_less(net, train_iter, test_iter, num_epochs, lr, device):
    return loops.train_ch6(net, train_iter, test_iter, num_epochs - 1, lr)


def percent(*given):
    return [(l, 100 * a, 100 * b) for l, a, b in train_loop()(*given)]


def knowing():
    net = nn.Linear(2, 2, bias=False)
    net.weight.data = torch.eye(2)
    return net


BATCHES = [(torch.eye(2)[[0, 1, 0, 1]], torch.tensor([0, 1, 0, 1])),
           (torch.eye(2)[[0, 0, 1, 1]], torch.tensor([0, 1, 1, 0])),
           (torch.eye(2)[[0]], torch.tensor([1]))]


def counting(evaluate, batches, tolerance=1e-6, wanted=None, keep=True):
    right = sum(int((X.argmax(1) == y).sum()) for X, y in batches)
    wanted = wanted or right / sum(len(y) for _, y in batches)
    found = evaluate(knowing(), batches)
    assert abs(found - wanted) <= tolerance or not keep


def only_a_range(evaluate):
    assert 0 <= evaluate(knowing(), BATCHES) <= 1


def counted_otherwise(evaluate):
    """Without weights that are known: compare with one batch that holds all."""
    net = nn.Linear(3, 3)
    X, y = torch.randn(90, 3), torch.randint(3, (90,))
    y[:40] = net(X).argmax(1)[:40]
    y[40:] = (net(X).argmax(1)[40:] + 1) % 3
    y[-1] = net(X).argmax(1)[-1]
    cut = zip(X.split(32), y.split(32), strict=True)
    assert np.isclose(evaluate(net, list(cut)), 41 / 90)


def in_evaluation_mode(evaluate):
    net, modes = nn.Linear(2, 2).train(), []
    net.register_forward_hook(lambda layer, *_: modes.append(layer.training))
    evaluate(net, BATCHES)
    assert not any(modes)


def left_in_evaluation_mode(evaluate):
    net = nn.Linear(2, 2).train()
    evaluate(net, BATCHES)
    assert not net.training


def spying(evaluate, during=True, afterwards=True):
    class Spy(nn.Linear):
        seen = []

        def forward(self, X):
            self.seen.append(torch.is_grad_enabled())
            return super().forward(X)

    net = Spy(2, 2)
    net.seen.clear()
    evaluate(net, BATCHES)
    assert not during or not any(net.seen)
    assert not afterwards or torch.is_grad_enabled()


def drawing(train, num_batches, epochs=2, any_point=False, exactly=None):
    class Notes:
        def __init__(self):
            self.points = []

        def add(self, x, y):
            if any_point or y[0] is not None:
                self.points.append(x)

    data, notes = [BATCHES[0]] * num_batches, Notes()
    train(nn.Linear(2, 2), data, data[:1], epochs, 0.1, "cpu", notes)
    for end in range(1, epochs + 1):
        assert np.isclose(notes.points, end).any()
    assert exactly is None or len(notes.points) == exactly * epochs


def loading(train, seconds, most=None, least=0):
    slow = loops.SlowLoader([BATCHES[0]] * 5, seconds)
    *_, rate = train(nn.Linear(2, 2), slow, BATCHES, 1, 0.1, "cpu", loops.NoPlot())
    assert least <= rate <= (most or (4 / seconds if seconds else 1e9))


def queueing(seconds_of, least=4 * 0.02 * 0.99, most=1e9):
    gpu = loops.Queue(0.02)
    assert least <= seconds_of(gpu.step, 4, gpu.synchronize) <= most


def was_synchronize_called(seconds_of):
    calls = []
    seconds_of(lambda: None, 4, lambda: calls.append(time.perf_counter()))
    assert calls


def clearing(train, first=1, epochs=1, seeded=True):
    silent, weights = (torch.zeros(4, 2), BATCHES[0][1]), []
    for data in (BATCHES[:first] or [silent], [*BATCHES[:1], silent]):
        if seeded:
            torch.manual_seed(0)
        net = nn.Linear(2, 2, bias=False)
        train(net, data, data, epochs, 0.5, "cpu")
        weights.append(net.weight.detach().clone())
    assert torch.equal(*weights)


def two_steps_by_hand(train):
    X, y = torch.randn(2, 8, 2), torch.randint(2, (2, 8))
    torch.manual_seed(0)
    net = nn.Linear(2, 2, bias=False)
    before = torch.get_rng_state()
    nn.init.xavier_uniform_(net.weight)
    weight = net.weight.detach().clone()
    for batch, labels in zip(X, y, strict=True):
        weight.requires_grad_()
        (slope,) = torch.autograd.grad(F.cross_entropy(batch @ weight.T, labels), weight)
        weight = (weight - 0.5 * slope).detach()
    torch.set_rng_state(before)
    data = list(zip(X, y, strict=True))
    train(net, data, data, 1, 0.5, "cpu")
    torch.testing.assert_close(net.weight.detach(), weight)


def between_epochs(train):
    """A faulty loop that clears once an epoch is right for epochs of one batch."""
    X, y = torch.randn(8, 2), torch.randint(2, (8,))
    torch.manual_seed(0)
    net = nn.Linear(2, 2, bias=False)
    before = torch.get_rng_state()
    nn.init.xavier_uniform_(net.weight)
    weight = net.weight.detach().clone()
    for _ in range(2):
        weight.requires_grad_()
        (slope,) = torch.autograd.grad(F.cross_entropy(X @ weight.T, y), weight)
        weight = (weight - 0.5 * slope).detach()
    torch.set_rng_state(before)
    train(net, [(X, y)], [(X, y)], 2, 0.5, "cpu")
    torch.testing.assert_close(net.weight.detach(), weight)


def gradients_are_gone(train):
    net = nn.Linear(2, 2)
    train(net, BATCHES, BATCHES, 1, 0.5, "cpu")
    assert net.weight.grad is None or not net.weight.grad.any()


def reporting(train, lr=0.0, tolerance=1e-4):
    net = nn.Linear(2, 3)
    X, y = 3 * torch.randn(30, 2), torch.tensor([0, 1, 2] * 10)
    rows = train(net, [(X, y)], [(X, y)], 1, lr, "cpu")
    assert abs(rows[0][0] - F.cross_entropy(net(X).double(), y).item()) <= tolerance


def can_be_small(train):
    X, y = 5 * torch.eye(2).repeat(8, 1), torch.tensor([0, 1] * 8)
    rows = train(nn.Linear(2, 2), [(X, y)], [(X, y)], 50, 0.5, "cpu")
    assert rows[-1][0] < 0.1


def save_run(net, optimizer, schedule, epoch):
    return copy.deepcopy(save_live(net, optimizer, schedule, epoch))


def save_live(net, optimizer, schedule, epoch):
    return {"net": net.state_dict(), "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(), "epoch": epoch, "random": torch.get_rng_state()}


def load_run(saved, net, optimizer, schedule):
    for name, part in (("net", net), ("optimizer", optimizer), ("schedule", schedule)):
        if name in saved:
            part.load_state_dict(saved[name])
    if "random" in saved:
        torch.set_rng_state(saved["random"])
    return saved["epoch"]


def loading_without(part):
    return lambda saved, *parts: load_run(
        {name: value for name, value in saved.items() if name != part}, *parts)


def save_to_file(*run):
    file = io.BytesIO()
    torch.save(save_live(*run), file)
    return file


def load_from_file(file, *run):
    file.seek(0)
    return load_run(torch.load(file, weights_only=True), *run)


FAULT_KINDS = {"eval": "wrong mode", "left in eval": "wrong mode", "carry": "state left behind",
               "pile": "state left behind",
               "pile in an epoch": "state left behind", "lr": "works for the shown case only",
               "init": "left-out step", "no step": "left-out step"}

RIGHT = [
    (checks.check_could_be, could_be),
    (checks.check_could_be, could_be_backwards),
    (checks.check_could_be, lambda printed, n: set(could_be(printed, n))),
    (checks.check_could_be, lambda printed, n: np.array(could_be(printed, n))),
    (checks.check_evaluate_accuracy, evaluate),
    (checks.check_evaluate_accuracy, lambda *given: np.float64(evaluate(*given))),
    (checks.check_evaluate_accuracy, evaluate_inferring),
    (checks.check_train_ch6, train_loop()),
    (checks.check_train_ch6, written_out),
    (checks.check_counts_each_once, lambda evaluate: counting(evaluate, BATCHES)),
    (checks.check_counts_each_once, counted_otherwise),
    (checks.check_records_nothing, spying),
    (checks.check_draws_the_end, lambda train: drawing(train, 11)),
    (checks.check_draws_the_end, lambda train: drawing(train, 14 + 3, epochs=3)),
    (checks.check_counts_loading, lambda train: loading(train, 0.02)),
    (checks.check_waits_for_the_queue, queueing),
    (checks.check_clears_gradients, clearing),
    (checks.check_clears_gradients, two_steps_by_hand),
    (checks.check_reports_cross_entropy, reporting),
    (checks.check_save_and_load, (save_run, load_run)),
    (checks.check_save_and_load, [save_to_file, load_from_file]),
    (checks.check_verdicts, checks.VERDICTS),
    (checks.check_verdicts, dict(reversed(checks.VERDICTS.items()))),
]
EMPTY = [
    (checks.check_could_be, lambda printed, n: ...),
    (checks.check_evaluate_accuracy, lambda net, data_iter: ...),
    (checks.check_train_ch6, lambda *given: ...),
    (checks.check_verdicts, ...),
    (checks.check_counts_each_once, lambda evaluate: ...),
    (checks.check_records_nothing, lambda evaluate: ...),
    (checks.check_draws_the_end, lambda train: ...),
    (checks.check_counts_loading, lambda train: ...),
    (checks.check_waits_for_the_queue, lambda seconds_of: ...),
    (checks.check_clears_gradients, lambda train: ...),
    (checks.check_reports_cross_entropy, lambda train: ...),
    (checks.check_save_and_load, (lambda *run: ..., lambda *run: ...)),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_could_be, lambda p, n: [k for k in range(n + 1) if k / n == float(p)],
     "compare what is printed", "wrong formula"),
    (checks.check_could_be, lambda p, n: could_be(p, n, last=0), "you find none for 1.000",
     "off by one"),
    (checks.check_could_be, lambda p, n: could_be(p, n, last=0) + [127] * (p == "1.000"),
     "all right is possible", "off by one"),
    (checks.check_could_be, lambda p, n: could_be(p, n, first=1) + [1] * (p == "0.000"),
     "none right is possible", "off by one"),
    (checks.check_could_be, lambda p, n: [int(float(p) * n)], "115 of 128 prints as",
     "wrong formula"),
    (checks.check_could_be, lambda p, n: [k + 1 for k in could_be(p, n)], "117 of 128 prints as",
     "off by one"),
    (checks.check_could_be, cut_off, "of 10000 .* not cut off", "wrong formula"),
    (checks.check_could_be, lambda p, n: could_be(p, n)[:1], "there are more", "left-out step"),
    (checks.check_could_be, lambda p, n: [k / n for k in could_be(p, n)], "not the fractions",
     "wrong unit"),
    (checks.check_could_be, lambda p, n: 2 * could_be(p, n), "more than once", "wrong formula"),
    (checks.check_could_be, could_be_kept, "left behind from one call", "state left behind"),
    (checks.check_could_be, lambda p, n: [116], "this is 0.926 of 128",
     "works for the shown case only"),
    (checks.check_could_be, lambda p, n: could_be(p, 128), "of 64 prints as|you find none",
     "works for the shown case only"),
    (checks.check_could_be, lambda p, n: True, "a list of numbers", None),
    (checks.check_could_be, lambda p, n: "116", "a list of numbers", None),

    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "first"), "after the first batch",
     "wrong formula"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "last"), "last batch alone",
     "wrong formula"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "nothing"), "divide by how many",
     "left-out step"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "batches"), "averaged the batches",
     "works for the shown case only"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "size"), "batches times batch size",
     "works for the shown case only"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "number"), "number of batches",
     "wrong unit"),
    (checks.check_evaluate_accuracy, lambda *g: 100 * evaluate(*g), "percent", "wrong unit"),
    (checks.check_evaluate_accuracy, lambda *g: 1 - evaluate(*g), "the wrong ones",
     "wrong formula"),
    (checks.check_evaluate_accuracy, lambda net, data: evaluate(net, data[:-1]),
     "left out the last batch", "off by one"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "off"), "is not the fraction",
     "wrong formula"),
    (checks.check_evaluate_accuracy, lambda *g: 0.9, "never asked",
     "works for the shown case only"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, switch=lambda net: None),
     "dropout was on, so call", "wrong mode"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, switch=top_flag),
     "net.training = False changes one flag", "wrong mode"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, record=True), "autograd recorded",
     "wrong mode"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, restore=lambda net, modes: None),
     "you left it in eval", "state left behind"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, restore=lambda net, _: net.train()),
     "a frozen layer came|you left it in training", "wrong mode"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, restore=top_flag_back),
     "its layers are still in evaluation", "state left behind"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, restore=train_back),
     "a frozen layer came in evaluation mode", "state left behind"),
    (checks.check_evaluate_accuracy, lambda *g: (evaluate(*g), setattr(g[0], "training", True))[0],
     "you left it in training", "wrong mode"),
    (checks.check_evaluate_accuracy, evaluate_for_good, "still off after", "state left behind"),
    (checks.check_evaluate_accuracy, evaluate_frozen, "want no gradients", "state left behind"),
    (checks.check_evaluate_accuracy, evaluate_counting_on, "left behind from one call",
     "state left behind"),
    (checks.check_evaluate_accuracy, lambda *g: "0.9 right", "one number is wanted", None),

    *((checks.check_train_ch6, train_loop(fault), re.escape(mistake[:30]),
       FAULT_KINDS.get(fault, "wrong formula")) for fault, mistake in checks.LOOP_FAULTS.items()),
    (checks.check_train_ch6, lambda *g: written_out(*g, to_train=top_flag_on),
     "net.training = True changes one flag", "wrong mode"),
    (checks.check_train_ch6, rows_kept, "left behind from one call", "state left behind"),
    (checks.check_train_ch6, other_optimizer, "is another than the plain loop's",
     "wrong formula"),
    (checks.check_train_ch6, one_epoch_less, "you give 2 rows", "off by one"),
    (checks.check_train_ch6, lambda *g: train_loop()(*g)[-1:], "you give 1 rows",
     "works for the shown case only"),
    (checks.check_train_ch6, lambda *g: [row[::-1] for row in train_loop()(*g)], "another order",
     "wrong axis"),
    (checks.check_train_ch6, percent, "are percent", "wrong unit"),
    (checks.check_train_ch6, lambda *g: 0.9, "a list is wanted", None),

    (checks.check_verdicts, {**checks.VERDICTS, "a": "softmax twice", "d": "divided twice"},
     "a is not 'softmax twice'", "wrong formula"),
    (checks.check_verdicts, {**checks.VERDICTS, "c": "evaluation mode", "e": "right"},
     "c is not 'evaluation mode': then dropout would be off", "wrong mode"),
    (checks.check_verdicts, {**checks.VERDICTS, "b": "right", "c": "gradients pile up"},
     "b is not 'right'", "left-out step"),
    (checks.check_verdicts, {**checks.VERDICTS, "b": "right"}, "a name of its own",
     "wrong formula"),
    (checks.check_verdicts, {"a": "right"}, "keys 'a', 'b'", None),
    (checks.check_verdicts, {**checks.VERDICTS, "b": "dropout on"}, "none of the five names", None),
    (checks.check_verdicts, {**checks.VERDICTS, "b": 2}, "none of the five names", None),

    (checks.check_counts_each_once, lambda e: counting(e, BATCHES[:1]), "leaves after the first",
     "works for the shown case only"),
    (checks.check_counts_each_once, lambda e: counting(e, BATCHES[:2]), "mean of the batches",
     "works for the shown case only"),
    (checks.check_counts_each_once, lambda e: counting(e, [BATCHES[1], BATCHES[1]]),
     "leaves after the first", "works for the shown case only"),
    (checks.check_counts_each_once, lambda e: counting(e, BATCHES[::2] * 2, keep=False),
     "leaves after|keeps the last|mean of the batches", "left-out step"),
    (checks.check_counts_each_once, lambda e: counting(e, BATCHES, tolerance=0),
     "rounding error", "wrong formula"),
    (checks.check_counts_each_once, lambda e: counting(e, BATCHES, wanted=0.5),
     "refuses a loop that is right, one that counts", "wrong formula"),
    (checks.check_counts_each_once, only_a_range, "leaves after the first", "left-out step"),
    (checks.check_counts_each_once, lambda e: abs(e(knowing(), BATCHES) - 6 / 9) < 1e-6,
     "returned False", "left-out step"),
    (checks.check_counts_each_once, lambda e: e(knowing()), "raised TypeError", None),
    (checks.check_counts_each_once, 6 / 9, "a function is wanted", None),

    (checks.check_records_nothing, in_evaluation_mode, "calls eval.. and records", "wrong mode"),
    (checks.check_records_nothing, left_in_evaluation_mode, "refuses a loop that is right",
     "wrong mode"),
    (checks.check_records_nothing, lambda e: spying(e, afterwards=False), "never on again",
     "state left behind"),
    (checks.check_records_nothing, lambda e: spying(e, during=False), "calls eval.. and records",
     "works for the shown case only"),

    (checks.check_draws_the_end, lambda t: drawing(t, 10), "by accident",
     "works for the shown case only"),
    (checks.check_draws_the_end, lambda t: drawing(t, 11, epochs=11), "by accident",
     "works for the shown case only"),
    (checks.check_draws_the_end, lambda t: drawing(t, 11, epochs=1), "last epoch only",
     "off by one"),
    (checks.check_draws_the_end, lambda t: drawing(t, 11, any_point=True), "by accident",
     "wrong formula"),
    (checks.check_draws_the_end, lambda t: drawing(t, 11, exactly=6), "draws after each batch",
     "wrong formula"),
    (checks.check_draws_the_end, lambda t: drawing(t, 3), "raised ZeroDivisionError",
     "off by one"),

    (checks.check_counts_loading, lambda t: loading(t, 0), "when the batch is there",
     "works for the shown case only"),
    (checks.check_counts_loading, lambda t: loading(t, 0.02, most=1e9), "when the batch is there",
     "wrong formula"),
    (checks.check_counts_loading, lambda t: loading(t, 0.02, most=1 / 0.02),
     "refuses a loop that is right", "wrong unit"),
    (checks.check_counts_loading, lambda t: loading(t, 0.02, least=60), "busy",
     "works for the shown case only"),

    (checks.check_waits_for_the_queue, lambda s: queueing(s, least=0), "never waits",
     "left-out step"),
    (checks.check_waits_for_the_queue, lambda s: queueing(s, least=80), "refuses a loop",
     "wrong unit"),
    (checks.check_waits_for_the_queue, lambda s: queueing(s, most=0.3), "busy",
     "works for the shown case only"),
    (checks.check_waits_for_the_queue, was_synchronize_called, "waits before it starts",
     "wrong formula"),

    (checks.check_clears_gradients, lambda t: clearing(t, first=0), "refuses a loop",
     "left-out step"),
    (checks.check_clears_gradients, lambda t: clearing(t, epochs=0), "never clears",
     "works for the shown case only"),
    (checks.check_clears_gradients, lambda t: clearing(t, seeded=False), "refuses a loop",
     "state left behind"),
    (checks.check_clears_gradients, between_epochs, "once an epoch",
     "works for the shown case only"),
    (checks.check_clears_gradients, gradients_are_gone, "refuses a loop", "wrong formula"),

    (checks.check_reports_cross_entropy, lambda t: reporting(t, lr=0.5), "refuses a loop",
     "wrong formula"),
    (checks.check_reports_cross_entropy, lambda t: reporting(t, tolerance=0), "refuses a loop",
     "wrong formula"),
    (checks.check_reports_cross_entropy, lambda t: reporting(t, tolerance=9), "takes a softmax",
     "wrong formula"),
    (checks.check_reports_cross_entropy, can_be_small, "divides the loss",
     "works for the shown case only"),

    (checks.check_save_and_load, (save_run, lambda *given: load_run(*given) + 1),
     "another number", "off by one"),
    (checks.check_save_and_load, (save_run, lambda *given: load_run(*given) and 2),
     "another number", "works for the shown case only"),
    (checks.check_save_and_load, (save_live, load_run), "went on training", "state left behind"),
    *((checks.check_save_and_load, (save_run, loading_without(part)), mistake, "left-out step")
      for part, mistake in (("net", "weights are not back"), ("optimizer", "memory .momentum."),
                            ("schedule", "schedule is not back"),
                            ("random", "generator of random numbers"))),
    (checks.check_save_and_load, (save_run, lambda *given: [load_run(*given)][1:] or None),
     "load_run returned nothing", "left-out step"),
    (checks.check_save_and_load, save_run, "two functions are wanted", None),
    (checks.check_save_and_load, (save_run,), "two functions are wanted", None),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert "Right." in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer"), EMPTY)
def test_empty(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake", "kind"), WRONG)
def test_wrong(check, answer, mistake, kind):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)


def test_a_check_leaves_gradients_on():
    with pytest.raises(WrongAnswer, match="still off"):
        checks.check_evaluate_accuracy(evaluate_for_good)
    assert torch.is_grad_enabled()
