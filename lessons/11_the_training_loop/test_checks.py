"""The checks of lesson 11 against right answers, stubs and typical wrong answers."""

import pytest
import torch

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("11")


def could_be(printed, n, last=1, first=0):
    return [k for k in range(first, n + last) if f"{k / n:.3f}" == printed]


def cut_off(printed, n):
    return [k for k in range(n + 1) if f"{k / n:.6f}"[:5] == printed]


def evaluate(net, data_iter, divide="examples", eval_mode=True, restore=True, record=False):
    was_training, right, examples, fractions = net.training, 0, 0, []
    if eval_mode:
        net.eval()
    with torch.set_grad_enabled(record):
        for X, y in data_iter:
            hits = (net(X).argmax(dim=1) == y).sum().item()
            right, examples = right + hits, examples + len(y)
            fractions.append(hits / len(y))
    if restore:
        net.train(was_training)
    return {"examples": right / examples, "first": fractions[0], "nothing": right,
            "batches": sum(fractions) / len(fractions), "size": right / (8 * len(fractions)),
            "off": right / examples + 0.01}[divide]


def train_loop(fault=""):
    def plain_train_ch6(net, train_iter, test_iter, num_epochs, lr, device):
        return checks.reference_rows(net, train_iter, test_iter, num_epochs, lr, fault)
    return plain_train_ch6


def other_optimizer(net, train_iter, test_iter, num_epochs, lr, device):
    return checks.reference_rows(net, train_iter, test_iter, num_epochs, lr / 2)


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_could_be, could_be),
    (checks.check_could_be, lambda printed, n: tuple(could_be(printed, n))),
    (checks.check_left_out, lambda n: n % (n // 5)),
    (checks.check_evaluate_accuracy, evaluate),
    (checks.check_evaluate_accuracy, lambda *given: torch.tensor(evaluate(*given))),
    (checks.check_train_ch6, train_loop()),
    (checks.check_verdicts, checks.VERDICTS),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_could_be, lambda printed, n: ...),
    (checks.check_left_out, lambda n: ...),
    (checks.check_evaluate_accuracy, lambda net, data_iter: ...),
    (checks.check_train_ch6, lambda *given: ...),
    (checks.check_verdicts, ...),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_could_be, lambda p, n: True, "a list of numbers"),
    (checks.check_could_be, lambda p, n: [k for k in range(n + 1) if k / n == float(p)],
     "compare what is printed"),
    (checks.check_could_be, lambda p, n: could_be(p, n, last=0),
     "you find none for 1.000"),
    (checks.check_could_be, lambda p, n: could_be(p, n, last=0) + [127] * (p == "1.000"),
     "all 128 right"),
    (checks.check_could_be, lambda p, n: could_be(p, n, first=1) + [1] * (p == "0.000"),
     "none right is possible"),
    (checks.check_could_be, lambda p, n: [int(float(p) * n)], "rounded to the nearest"),
    (checks.check_could_be, cut_off, "of 10000 prints as"),
    (checks.check_could_be, lambda p, n: could_be(p, n)[:1], "there are 1[01]"),
    (checks.check_left_out, lambda n: n % 5, "do not come every 5"),
    (checks.check_left_out, lambda n: n // 5, "how far apart"),
    (checks.check_left_out, lambda n: n - n % (n // 5), "batch of the last point"),
    (checks.check_left_out, lambda n: 3, "and you say 3"),
    (checks.check_left_out, lambda n: "4", "one number"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "first"), "after the first batch"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "nothing"), "divide by how many"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "batches"), "averaged the batches"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "size"), "batches times batch size"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, "off"), "and you say"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, eval_mode=False), "dropout was on"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, record=True), "autograd recorded"),
    (checks.check_evaluate_accuracy, lambda *g: evaluate(*g, restore=False), "you left it in eval"),
    (checks.check_evaluate_accuracy, lambda *g: (evaluate(*g), g[0].train())[0],
     "you left it in training"),
    (checks.check_evaluate_accuracy, lambda *g: "0.9 right", "one number is wanted"),
    *((checks.check_train_ch6, train_loop(fault), mistake[:30].replace("(", r"\("))
      for fault, mistake in checks.LOOP_FAULTS.items()),
    (checks.check_train_ch6, other_optimizer, "the reference's first epoch"),
    (checks.check_train_ch6, lambda *g: train_loop()(*g)[:1], "three rows"),
    (checks.check_train_ch6, lambda *g: 0.9, "a list is wanted"),
    (checks.check_verdicts, {"a": "softmax twice"}, "keys 'a', 'b'"),
    (checks.check_verdicts, {**checks.VERDICTS, "b": "dropout on"}, "none of the four names"),
    (checks.check_verdicts, {**checks.VERDICTS, "c": "divided twice", "d": "softmax twice"},
     "c is not 'divided twice'"),
    (checks.check_verdicts, {**checks.VERDICTS, "a": "dropout off", "b": "gradients pile up"},
     "a is not 'dropout off'"),
])
def test_wrong(check, answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
