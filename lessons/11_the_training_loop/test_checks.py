"""The checks of lesson 11 against right answers, stubs and plausible wrong answers."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from d2lvgg.exercises import WrongAnswer, checks_of
from d2lvgg.training import init_xavier

checks = checks_of("11")


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


def left_out_counted(num_batches):
    points = [i + 1 for i in range(num_batches) if (i + 1) % (num_batches // 5) == 0]
    return np.int64(num_batches - points[-1])


def left_out_kept(num_batches, points=[0]):  # noqa: B006
    points += range(num_batches // 5, num_batches + 1, num_batches // 5)
    return sum(points) % num_batches


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
    def plain_train_ch6(net, train_iter, test_iter, num_epochs, lr, device):
        return checks.reference_rows(net, train_iter, test_iter, num_epochs, lr, fault)
    return plain_train_ch6


def written_out(net, train_iter, test_iter, num_epochs, lr, device, to_train=nn.Module.train):
    net.apply(init_xavier)
    rows = torch.zeros(num_epochs, 3)
    for epoch in range(num_epochs):
        losses, hits = [], []
        to_train(net)
        for X, y in train_iter:
            y_hat = net(X.to(device))
            l = nn.functional.cross_entropy(y_hat, y, reduction="none")
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
    return checks.reference_rows(net, train_iter, test_iter, num_epochs, lr / 2)


def one_epoch_less(net, train_iter, test_iter, num_epochs, lr, device):
    return checks.reference_rows(net, train_iter, test_iter, num_epochs - 1, lr)


def percent(*given):
    return [(l, 100 * a, 100 * b) for l, a, b in train_loop()(*given)]


FAULT_KINDS = {"eval": "wrong mode", "left in eval": "wrong mode", "carry": "state left behind",
               "pile": "state left behind", "lr": "works for the shown case only",
               "init": "left-out step", "no step": "left-out step"}

RIGHT = [
    (checks.check_could_be, could_be),
    (checks.check_could_be, could_be_backwards),
    (checks.check_could_be, lambda printed, n: set(could_be(printed, n))),
    (checks.check_could_be, lambda printed, n: np.array(could_be(printed, n))),
    (checks.check_left_out, lambda n: n % (n // 5)),
    (checks.check_left_out, left_out_counted),
    (checks.check_evaluate_accuracy, evaluate),
    (checks.check_evaluate_accuracy, lambda *given: np.float64(evaluate(*given))),
    (checks.check_evaluate_accuracy, evaluate_inferring),
    (checks.check_train_ch6, train_loop()),
    (checks.check_train_ch6, written_out),
    (checks.check_verdicts, checks.VERDICTS),
    (checks.check_verdicts, dict(reversed(checks.VERDICTS.items()))),
]
EMPTY = [
    (checks.check_could_be, lambda printed, n: ...),
    (checks.check_left_out, lambda n: ...),
    (checks.check_evaluate_accuracy, lambda net, data_iter: ...),
    (checks.check_train_ch6, lambda *given: ...),
    (checks.check_verdicts, ...),
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
    (checks.check_could_be, could_be_kept, "kept from one call", "state left behind"),
    (checks.check_could_be, lambda p, n: [116], "this is 0.926 of 128",
     "works for the shown case only"),
    (checks.check_could_be, lambda p, n: could_be(p, 128), "of 64 prints as|you find none",
     "works for the shown case only"),
    (checks.check_could_be, lambda p, n: True, "a list of numbers", None),
    (checks.check_could_be, lambda p, n: "116", "a list of numbers", None),

    (checks.check_left_out, lambda n: n % 5, "do not come every 5", "wrong formula"),
    (checks.check_left_out, lambda n: n // 5, "how far apart", "left-out step"),
    (checks.check_left_out, lambda n: n - n % (n // 5), "batch of the last point",
     "left-out step"),
    (checks.check_left_out, lambda n: n % (n / 5), "divided with /", "wrong formula"),
    (checks.check_left_out, lambda n: (n - 1) % (n // 5), "num_batches - 1", "off by one"),
    (checks.check_left_out, lambda n: n % (n // 5) + 1, "too, which is in it", "off by one"),
    (checks.check_left_out, lambda n: n % (n // 5) / n, "a share of the epoch", "wrong unit"),
    (checks.check_left_out, left_out_kept, "kept from one call", "state left behind"),
    (checks.check_left_out, lambda n: 4, "for 469 batches", "works for the shown case only"),
    (checks.check_left_out, lambda n: {469: 4, 20: 0}.get(n, 3), "after the last multiple",
     "works for the shown case only"),
    (checks.check_left_out, lambda n: "4", "one number", None),

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
    (checks.check_evaluate_accuracy, evaluate_counting_on, "kept from one call",
     "state left behind"),
    (checks.check_evaluate_accuracy, lambda *g: "0.9 right", "one number is wanted", None),

    *((checks.check_train_ch6, train_loop(fault), re.escape(mistake[:30]),
       FAULT_KINDS.get(fault, "wrong formula")) for fault, mistake in checks.LOOP_FAULTS.items()),
    (checks.check_train_ch6, lambda *g: written_out(*g, to_train=top_flag_on),
     "net.training = True changes one flag", "wrong mode"),
    (checks.check_train_ch6, rows_kept, "kept from one call", "state left behind"),
    (checks.check_train_ch6, other_optimizer, "is another than the plain loop's",
     "wrong formula"),
    (checks.check_train_ch6, one_epoch_less, "you give 2 rows", "off by one"),
    (checks.check_train_ch6, lambda *g: train_loop()(*g)[-1:], "you give 1 rows",
     "works for the shown case only"),
    (checks.check_train_ch6, lambda *g: [row[::-1] for row in train_loop()(*g)], "another order",
     "wrong axis"),
    (checks.check_train_ch6, percent, "are percent", "wrong unit"),
    (checks.check_train_ch6, lambda *g: 0.9, "a list is wanted", None),

    (checks.check_verdicts, {**checks.VERDICTS, "c": "divided twice", "d": "softmax twice"},
     "c is not 'divided twice'", "wrong formula"),
    (checks.check_verdicts, {**checks.VERDICTS, "a": "dropout off", "b": "gradients pile up"},
     "a is not 'dropout off'", "wrong mode"),
    (checks.check_verdicts, {**checks.VERDICTS, "b": "softmax twice", "c": "dropout off"},
     "which of its layers listens", "wrong mode"),
    (checks.check_verdicts, {**checks.VERDICTS, "b": "softmax twice"}, "a name of its own",
     "wrong formula"),
    (checks.check_verdicts, {"a": "softmax twice"}, "keys 'a', 'b'", None),
    (checks.check_verdicts, {**checks.VERDICTS, "b": "dropout on"}, "none of the four names", None),
    (checks.check_verdicts, {**checks.VERDICTS, "b": 2}, "none of the four names", None),
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
