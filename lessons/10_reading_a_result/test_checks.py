"""The checks of lesson 10 against right answers, stubs and plausible wrong answers."""

import math
import random

import numpy as np
import pytest
import torch

from d2lvgg.exercises import WrongAnswer, checks_of, of_lesson

checks, runs = checks_of("10"), of_lesson("10", "runs")

NAMES = dict(zip("ABCD", runs.SHUFFLED, strict=True))
LETTERS = {name: letter for letter, name in NAMES.items()}


def swapped(one, other):
    """Return the right names with two of them the other way round."""
    return {**NAMES, LETTERS[one]: other, LETTERS[other]: one}


def precisions(confusion):
    return confusion.diagonal() / confusion.sum(dim=0).clamp(min=1)


def precisions_in_place(confusion):
    rights = [int(confusion[i, i]) / max(1, int(confusion[:, i].sum()))
              for i in range(len(confusion))]
    confusion.zero_()
    return rights


TABLES = {}


def tables_kept(confusion):
    total = TABLES.setdefault(len(confusion), torch.zeros_like(confusion))
    total += confusion * (1 + total)
    return precisions(total)


def diagnose(train_loss, train_acc, test_acc, classes=10, gap=0.1):
    blind = math.log(classes)
    if math.isnan(train_loss) or train_loss > blind + 0.3:
        return "diverging"
    if abs(train_loss - blind) < 0.1:
        return "stalled"
    return "overfitting" if train_acc - test_acc > gap else "healthy"


def diagnose_otherwise(train_loss, train_acc, test_acc):
    if train_loss <= 2:
        return "healthy" if test_acc > train_acc - 0.08 else "overfitting"
    return "stalled" if train_loss < 2.8 else "diverging"


def nan_forgotten(train_loss, train_acc, test_acc):
    if train_loss > math.log(10) + 0.3:
        return "diverging"
    return diagnose(train_loss if train_loss == train_loss else 0, train_acc, test_acc)


def by_accuracy_alone(train_loss, train_acc, test_acc):
    if train_acc < 0.2:
        return "stalled"
    return "overfitting" if train_acc - test_acc > 0.1 else "healthy"


def by_the_lessons_run(train_loss, train_acc, test_acc):
    found = diagnose(train_loss, train_acc, test_acc)
    return "overfitting" if train_acc > 0.95 else found


def against_the_first(train_loss, train_acc, test_acc, losses=[]):  # noqa: B006
    losses.append(train_loss)
    return "diverging" if train_loss > losses[-2:][0] else diagnose(train_loss, train_acc, test_acc)


def split(n, holdout, seed):
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return order[holdout:], order[:holdout]


def split_numpy(n, holdout, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[:-holdout], order[-holdout:]


def split_lists(n, holdout, seed):
    chosen = random.Random(seed).sample(range(n), holdout)
    held = set(chosen)
    return [[i for i in range(n) if i not in held], chosen]


def two_permutations(n, holdout, seed):
    torch.manual_seed(seed)
    return torch.randperm(n)[holdout:], torch.randperm(n)[:holdout]


def in_order(n, holdout, seed):
    return torch.arange(n - holdout), torch.arange(n - holdout, n)


def from_a_random_place(n, holdout, seed):
    start = random.Random(seed).randrange(n - holdout)
    order = torch.arange(n)
    return torch.cat([order[:start], order[start + holdout:]]), order[start:start + holdout]


def unseeded(n, holdout, seed):
    order = torch.randperm(n)
    return order[holdout:], order[:holdout]


GENERATOR = torch.Generator().manual_seed(0)


def generator_kept(n, holdout, seed):
    order = torch.randperm(n, generator=GENERATOR)
    return order[holdout:], order[:holdout]


def with_repetition(n, holdout, seed):
    torch.manual_seed(seed)
    chosen = torch.randint(n, (holdout,))
    others = [i for i in range(n) if i not in set(chosen.tolist())]
    return torch.tensor(others[:n - holdout]), chosen


def in_percent(n, holdout, seed):
    return split(n, n * holdout // 100, seed)


def choose_and_test(held_out, open_test):
    epoch = held_out.index(max(held_out)) + 1
    return epoch, open_test(epoch)


def chosen_by_numpy(held_out, open_test):
    epoch = np.argmax(held_out) + 1
    return [epoch, np.float64(open_test(epoch))]


def chosen_on_the_test_set(held_out, open_test):
    tested = [open_test(epoch + 1) for epoch in range(len(held_out))]
    return tested.index(max(tested)) + 1, max(tested)


def opened_for_all(held_out, open_test):
    tested = [open_test(epoch + 1) for epoch in range(len(held_out))]
    epoch = held_out.index(max(held_out))
    return epoch + 1, tested[epoch]


def counted_from_zero(held_out, open_test):
    epoch = held_out.index(max(held_out))
    return epoch, open_test(epoch)


def returned_from_zero(held_out, open_test):
    epoch = held_out.index(max(held_out))
    return epoch, open_test(epoch + 1)


def by(pick):
    """Return an answer that picks the place in held_out."""
    def picked(held_out, open_test):
        epoch = pick(held_out) + 1
        return epoch, open_test(epoch)
    return picked


def later_of_two(held_out):
    return max(range(len(held_out)), key=lambda place: (held_out[place], place))


def reporting(change):
    """Return an answer that reports change(held_out, the test accuracy)."""
    def reported(held_out, open_test):
        epoch, accuracy = choose_and_test(held_out, open_test)
        return epoch, change(held_out, accuracy)
    return reported


def all_runs_kept(held_out, open_test, seen=[]):  # noqa: B006
    seen += held_out
    return choose_and_test(seen, open_test)


RIGHT = [
    (checks.check_names, NAMES),
    (checks.check_names, dict(reversed(NAMES.items()))),
    (checks.check_precisions, precisions),
    (checks.check_precisions, lambda confusion: precisions(confusion).numpy()),
    (checks.check_precisions, precisions_in_place),
    (checks.check_choose_and_test, choose_and_test),
    (checks.check_choose_and_test, chosen_by_numpy),
    (checks.check_split, split),
    (checks.check_split, split_numpy),
    (checks.check_split, split_lists),
    (checks.check_diagnose, diagnose),
    (checks.check_diagnose, diagnose_otherwise),
]
EMPTY = [
    (checks.check_names, ...),
    (checks.check_precisions, lambda confusion: ...),
    (checks.check_choose_and_test, lambda held_out, open_test: ...),
    (checks.check_split, lambda n, holdout, seed: ...),
    (checks.check_diagnose, lambda train_loss, train_acc, test_acc: None),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_names, swapped("stalled", "diverging"), "look at . again.*dotted line",
     "wrong formula"),
    (checks.check_names, swapped("overfitting", "not converged"), "two accuracies",
     "left-out step"),
    (checks.check_names, swapped("stalled", "not converged"), "look at . again", "wrong formula"),
    (checks.check_names, dict.fromkeys("ABCD", "stalled"), "more than once", None),
    (checks.check_names, {**NAMES, "A": "healthy"}, "choose one of", None),
    (checks.check_names, {**NAMES, "A": ["stalled"]}, "choose one of", None),
    (checks.check_names, {"A": NAMES["A"]}, "each of the letters", None),
    (checks.check_names, list(NAMES.values()), "a dict is wanted", None),

    (checks.check_choose_and_test, chosen_on_the_test_set, "no test any more", "wrong formula"),
    (checks.check_choose_and_test, opened_for_all, "choose first, then open", "wrong formula"),
    (checks.check_choose_and_test, counted_from_zero, "at place 0", "off by one"),
    (checks.check_choose_and_test, returned_from_zero, "and returned epoch", "off by one"),
    (checks.check_choose_and_test, by(lambda held_out: len(held_out) - 1), "the last epoch",
     "left-out step"),
    (checks.check_choose_and_test, by(later_of_two), "equally good", "off by one"),
    (checks.check_choose_and_test, by(lambda held_out: held_out.index(min(held_out))),
     "worst epoch", "wrong formula"),
    (checks.check_choose_and_test, by(lambda held_out: 2), "largest held-out accuracy",
     "works for the shown case only"),
    (checks.check_choose_and_test,
     lambda held_out, open_test: (held_out.index(max(held_out)) + 1, max(held_out)),
     "never opened", "left-out step"),
    (checks.check_choose_and_test, reporting(lambda held_out, _: max(held_out)),
     "report the held-out accuracy", "wrong formula"),
    (checks.check_choose_and_test, reporting(lambda _, accuracy: 100 * accuracy), "in percent",
     "wrong unit"),
    (checks.check_choose_and_test, reporting(lambda _, accuracy: accuracy - 0.001),
     "did not return", "wrong formula"),
    (checks.check_choose_and_test, all_runs_kept, "there is no epoch", "state left behind"),
    (checks.check_choose_and_test, lambda held_out, open_test: open_test(3), "a pair is wanted",
     None),

    (checks.check_precisions, lambda table: table.diagonal() / table.sum(dim=1), "is recall",
     "wrong axis"),
    (checks.check_precisions, lambda table: table.diagonal() / table.sum(), "by all images",
     "wrong formula"),
    (checks.check_precisions, torch.Tensor.diagonal, "those are counts", "left-out step"),
    (checks.check_precisions, lambda table: 100 * precisions(table), "are percent", "wrong unit"),
    (checks.check_precisions, lambda table: 1 - precisions(table), "name wrongly", "wrong formula"),
    (checks.check_precisions, lambda table: table.diagonal() // table.sum(dim=0), "divide with /",
     "wrong formula"),
    (checks.check_precisions,
     lambda table: table.diagonal() / (table.sum(dim=0) - table.diagonal()), "wrong ones alone",
     "wrong formula"),
    (checks.check_precisions, lambda table: table.diagonal() / table[:, 0].sum(), "first name's",
     "works for the shown case only"),
    (checks.check_precisions, lambda table: table.diagonal() / 1000, "by 1,000",
     "works for the shown case only"),
    (checks.check_precisions, lambda table: table.diagonal(offset=1) / table.sum(dim=0)[1:],
     "one number per class", "off by one"),
    (checks.check_precisions, lambda table: precisions(table).mean(), "one number per class",
     "wrong formula"),
    (checks.check_precisions, lambda table: (precisions(table) * 100).round() / 100, "are rounded",
     "wrong formula"),
    (checks.check_precisions, lambda table: precisions(table.flip(0)), "the numbers are off",
     "wrong axis"),
    (checks.check_precisions, lambda table: table.diagonal() / table.sum(dim=0), "was never given",
     "left-out step"),
    (checks.check_precisions, tables_kept, "left behind from one call", "state left behind"),
    (checks.check_precisions, lambda table: "0.9", "a tensor of numbers", None),

    (checks.check_diagnose, nan_forgotten, "no number at all", "left-out step"),
    (checks.check_diagnose, by_accuracy_alone, "above that of a blind guess", "left-out step"),
    (checks.check_diagnose, by_the_lessons_run, "two accuracies are close",
     "works for the shown case only"),
    (checks.check_diagnose, lambda *run: diagnose(*run, classes=math.e), "gave 'diverging'.*ln 10",
     "wrong formula"),
    (checks.check_diagnose, lambda loss, *accs: diagnose(loss, *accs[::-1]),
     "better than new ones", "wrong axis"),
    (checks.check_diagnose, lambda *run: diagnose(*run, gap=10), "better than new ones",
     "wrong unit"),
    (checks.check_diagnose, against_the_first, "left behind from one call", "state left behind"),
    (checks.check_diagnose, lambda *run: "stalled", "better than new ones", "wrong formula"),
    (checks.check_diagnose, lambda *run: diagnose(*run).capitalize(), "one of these texts", None),

    (checks.check_split, lambda *given: split(*given)[::-1], "are swapped", "wrong axis"),
    (checks.check_split, two_permutations, "in both parts", "wrong formula"),
    (checks.check_split, in_order, "neighbours", "left-out step"),
    (checks.check_split, from_a_random_place, "neighbours", "wrong formula"),
    (checks.check_split, unseeded, "same seed gave another", "left-out step"),
    (checks.check_split, generator_kept, "same seed gave another", "state left behind"),
    (checks.check_split, lambda n, holdout, seed: split(n, holdout, 0), "another seed",
     "works for the shown case only"),
    (checks.check_split, lambda n, holdout, seed: split(60_000, holdout, seed), "whatever n is",
     "works for the shown case only"),
    (checks.check_split, lambda n, holdout, seed: split(n, holdout + 1, seed), "holdout indices",
     "off by one"),
    (checks.check_split, lambda *given: [part + 1 for part in split(*given)], "not each of range",
     "off by one"),
    (checks.check_split, with_repetition, "not each of range", "wrong formula"),
    (checks.check_split, in_percent, "for percent", "wrong unit"),
    (checks.check_split, lambda n, holdout, seed: split(n, holdout, seed)[1], "two tensors", None),
    (checks.check_split, lambda *given: [part.float() for part in split(*given)], "whole numbers",
     None),
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


def test_the_four_names_are_shuffled():
    told = "stalled", "diverging", "overfitting", "not converged"  # as the lesson lists them
    assert sorted(runs.SHUFFLED) == sorted(told) == sorted(checks.SEEN)
    assert all(name != listed for name, listed in zip(runs.SHUFFLED, told, strict=True))


def test_parts_of_the_training_set_share_no_image():
    few, held_out = runs.parts(40, 24)
    images = torch.cat([few.images, held_out.images]).flatten(1)
    assert len(images) == len(images.unique(dim=0)) == 64
    assert (few.shuffle, held_out.shuffle) == (True, False)
