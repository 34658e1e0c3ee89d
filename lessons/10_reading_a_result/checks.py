"""Lesson 10's exercises."""

import torch

from d2lvgg.exercises import LEFT_BEHIND, WrongAnswer, as_number, ask, exercise, expect, of_lesson

# What each run shows, for a name that was given to another one.
SEEN = {"stalled": "on the dotted line, ln 10, from the first step to the last",
        "diverging": "above the dotted line, in part off the scale",
        "overfitting": "far below the dotted line, and its two accuracies have parted",
        "not converged": "below the dotted line and still falling, and its two accuracies are "
                         "close and still rise"}


def as_tensor(found):
    """Return a tensor, an array or a list of real numbers as a tensor on the CPU."""
    try:
        tensor = torch.as_tensor(found).detach().cpu()
    except Exception:
        raise WrongAnswer(f"a tensor of numbers is wanted, not {type(found).__name__}") from None
    expect(not tensor.is_complex() and tensor.dtype != torch.bool,
           f"a tensor of numbers is wanted, and yours is of {tensor.dtype}")
    return tensor


@exercise
def check_names(answer):
    """Lesson 10, exercise 1: four curves, named by looking."""
    expect(isinstance(answer, dict), "a dict is wanted, such as {'A': 'stalled', …}, not "
                                     f"{type(answer).__name__}")
    truth = dict(zip("ABCD", of_lesson("10", "runs").SHUFFLED, strict=True))
    expect(set(answer) == set(truth), "a name is wanted for each of the letters 'A', 'B', 'C' and "
                                      "'D', and for nothing else")
    for letter, name in answer.items():
        expect(isinstance(name, str) and name in SEEN,
               f"{letter} is called {name!r}: choose one of {', '.join(map(repr, SEEN))}")
    twice = {name for name in answer.values() if list(answer.values()).count(name) > 1}
    expect(not twice, f"{' and '.join(map(repr, sorted(twice)))} is there more than once: each of "
                      "the four names belongs to one run")
    for letter, name in sorted(answer.items()):
        expect(name == truth[letter], f"look at {letter} again. Is it {name!r}? Its loss is "
                                      f"{SEEN[truth[letter]]}")
    return "You needed the loss and both accuracies: one of the three would not have been enough."


@exercise
def check_precisions(answer):
    """Lesson 10, exercise 2: the diagonal over the column sums, 0 where there is none."""
    generator = torch.Generator().manual_seed(0)
    for classes in (3, 2, 10, 4):
        confusion = torch.randint(1, 50, (classes, classes), generator=generator)
        if classes == 4:
            confusion[:, 2] = 0  # a name that is never given
        found, again = (as_tensor(ask(answer, confusion.clone())).double() for _ in range(2))
        expect(found.shape == (classes,), f"one number per class is wanted, {classes} here, and "
                                          f"yours has shape {tuple(found.shape)}")
        expect(bool(found.isfinite().all()), "a name that was never given has no column to divide "
                                             "by: give 0 for it, and not nan")
        expect(torch.equal(found, again), f"the same table gave other numbers the second time: "
                                          f"{LEFT_BEHIND}")
        right_ones, given = confusion.diagonal().double(), confusion.sum(dim=0).double()
        whole = given.clamp(min=1)
        right = right_ones / whole
        for wrong, mistake in (
                (right_ones / confusion.sum(dim=1),
                 "you divided by the row's sum: that is recall, how many images of the class were "
                 "found; precision divides by how often its name was given, the column"),
                (right_ones / confusion.sum(),
                 "you divided by all images: divide by those that got the name, the column's sum"),
                (right_ones, "those are counts: of the images with each name, what fraction is "
                             "it?"),
                (right_ones / whole[0], "you divided by the first name's images: each name has a "
                                        "number of its own"),
                (right_ones / 1000, "you divided by 1,000: so many images has a class of the full "
                                    "test set, and a name can be given more or less often"),
                (right_ones // whole, "// drops what is behind the point: divide with /"),
                (right_ones / (whole - right_ones), "you divided by the wrong ones alone: a "
                                                    "column's sum has the right ones in it"),
                (right_ones / classes, "you divided by the number of classes, a mean: sum the "
                                       "column"),
                (1 - right, "that is how many got the name wrongly: what fraction got it rightly?"),
                (100 * right, "those are percent: a fraction is wanted")):
            expect(not torch.allclose(found, wrong.double()), mistake)
        expect(torch.allclose(found, right) or not torch.allclose(found, right, atol=0.0051),
               "the numbers are rounded: return them as they are")
        expect(torch.allclose(found, right),
               "the numbers are off: divide the diagonal by the sum of each column")
    return "Recall asks how many were found, precision whom to believe. They are two questions."


# Accuracies on held-out and on test images, epoch by epoch: in each the best epochs differ.
RUNS = [((0.61, 0.74, 0.80, 0.79, 0.78), (0.60, 0.75, 0.77, 0.81, 0.76)),
        ((0.55, 0.83, 0.70, 0.83, 0.81), (0.56, 0.79, 0.84, 0.80, 0.82)),
        ((0.90, 0.88), (0.85, 0.86)),
        ((0.30, 0.42, 0.51, 0.58, 0.57, 0.66, 0.64), (0.33, 0.41, 0.55, 0.54, 0.62, 0.60, 0.67))]


class TestSet:
    """Opens a test set and counts how often."""

    def __init__(self, accuracies):
        self.accuracies, self.opened = accuracies, []

    def __call__(self, epoch):
        self.opened.append(epoch)
        number = as_number(epoch)
        if number not in range(1, len(self.accuracies) + 1):
            raise ValueError(f"there is no epoch {epoch!r}: epochs count from 1 to "
                             f"{len(self.accuracies)}")
        return self.accuracies[int(number) - 1]

    def __repr__(self):
        return "open_test"


@exercise
def check_choose_and_test(answer):
    """Lesson 10, exercise 3: choose on held-out images, open the test set once."""
    for held_out, test in RUNS:
        chosen = held_out.index(max(held_out)) + 1
        lucky = test.index(max(test)) + 1
        tested = TestSet(test)
        found = ask(answer, list(held_out), tested)
        wanted = f"a pair is wanted, (epoch, accuracy), not {found!r}"
        expect(isinstance(found, (tuple, list)) and len(found) == 2, wanted)
        epoch, accuracy = (as_number(part) for part in found)
        times, shown = len(tested.opened), f"with held-out accuracies {list(held_out)}"
        expect(times < 2 or epoch != lucky,
               f"you opened the test set {times} times and took the epoch that it liked best: "
               "then it is no test any more. Choose on the held-out accuracies")
        expect(times < 2, f"you opened the test set {times} times: choose first, then open it for "
                          "the chosen epoch alone")
        expect(times, "you never opened the test set: the held-out accuracy flatters, because you "
                      "chose by it, so report open_test(epoch)")
        asked = as_number(tested.opened[0])
        expect(asked == epoch, f"{shown} you opened the test set for epoch {asked} and returned "
                               f"epoch {epoch}")
        expect(epoch in range(1, len(held_out) + 1),
               f"{shown} you chose epoch {epoch}, and there is none")
        epoch = int(epoch)
        # Which mistake, where it can be seen: no message says which epoch is right.
        expect(epoch == chosen or epoch != len(held_out),
               f"{shown} you took the last epoch: which one was the best on held-out images?")
        expect(epoch == chosen or epoch != chosen - 1,
               f"{shown} you chose epoch {epoch}: the list begins with epoch 1, at place 0")
        expect(epoch == chosen or held_out[epoch - 1] != max(held_out),
               f"{shown} two epochs are equally good, and you took the later one")
        expect(epoch == chosen or held_out[epoch - 1] != min(held_out),
               f"{shown} you took the worst epoch: these are accuracies, not losses")
        expect(epoch == chosen, f"{shown} you chose epoch {epoch}: choose the one with the largest "
                                "held-out accuracy")
        expect(accuracy != max(held_out),
               "you report the held-out accuracy: it flatters, because you chose by it. Report "
               "what open_test returned")
        expect(accuracy != 100 * tested.accuracies[chosen - 1],
               "your accuracy is in percent: report it as open_test returned it")
        expect(accuracy == tested.accuracies[chosen - 1],
               f"{shown} you report an accuracy that open_test did not return for that epoch")
    return "The number that you report played no part in the choice."


@exercise
def check_split(answer):
    """Lesson 10, exercise 4: two disjoint random parts, repeatable."""

    def asked(n, holdout, seed):
        found = ask(answer, n, holdout, seed)
        try:
            train, chosen = (as_tensor(part) for part in found)
        except (TypeError, ValueError):
            raise WrongAnswer("two tensors are wanted, one of indices to train on and one of "
                              f"indices to choose with, not {type(found).__name__}") from None
        for part in (train, chosen):
            expect(part.ndim == 1 and not part.is_floating_point(),
                   f"each part is a row of whole numbers, and one of yours has shape "
                   f"{tuple(part.shape)} and is of {part.dtype}")
        return train.tolist(), chosen.tolist()

    for n, holdout in ((1000, 100), (10, 3), (60_000, 5_000)):
        train, chosen = asked(n, holdout, 0)
        sizes = len(train), len(chosen)
        shown = f"split({n}, {holdout}, 0)"
        expect(sizes != (holdout, n - holdout),
               "the two parts are swapped: the first is the large one, to train on")
        expect(len(chosen) != n * holdout // 100,
               "you took holdout for percent: it is a number of images")
        expect(sum(sizes) != 60_000 or n == 60_000,
               f"{shown} cut 60,000 indices in two, whatever n is")
        expect(sizes == (n - holdout, holdout),
               f"{shown} gave parts of {len(train)} and {len(chosen)}: the second has holdout "
               "indices, and the first all others")
        both = len(set(train) & set(chosen))
        expect(not both, f"{both} images are in both parts: cut one permutation in two")
        expect(sorted(train + chosen) == list(range(n)),
               f"the parts of {shown} together are not each of range({n}) once")
        if n == 10:  # so few that chance makes rows of neighbours, and equal parts
            continue
        expect(max(chosen) - min(chosen) > holdout - 1,
               "the held-out images are neighbours in the data set: a sorted one would leave out "
               "whole classes, so take them at random")
        expect(asked(n, holdout, 0) == (train, chosen),
               "the same seed gave another split: make a generator of this seed in each call")
        expect(set(asked(n, holdout, 1)[1]) != set(chosen),
               "another seed gave the same split: use the seed that is given")
    return "Choose on the second part as often as you like; open the test set once."


@exercise
def check_diagnose(answer):
    """Lesson 10, exercise 5: a run named by the numbers of its last epoch."""
    nan, inf = float("nan"), float("inf")
    cases = [((2.301, 0.11, 0.10), "stalled"), ((2.35, 0.10, 0.10), "stalled"),
             ((0.02, 1.0, 0.74), "overfitting"), ((0.25, 0.95, 0.80), "overfitting"),
             ((9.7, 0.10, 0.10), "diverging"), ((nan, 0.10, 0.10), "diverging"),
             ((inf, 0.10, 0.10), "diverging"), ((0.04, 0.985, 0.955), "healthy"),
             ((0.171, 0.937, 0.926), "healthy"), ((0.44, 0.84, 0.85), "healthy")]
    why = {"stalled": "its loss is ln 10, so it knows nothing yet, and nothing broke either",
           "overfitting": "it knows its training images far better than new ones",
           "diverging": "its loss is above that of a blind guess, or is no number at all",
           "healthy": "its loss is well below ln 10 and its two accuracies are close"}

    def asked(numbers):
        found = ask(answer, *numbers)
        expect(isinstance(found, str) and found in why,
               f"diagnose{numbers} gave {found!r}, and one of these texts is wanted: "
               f"{', '.join(map(repr, why))}")
        return found

    found = {numbers: asked(numbers) for numbers, _ in cases}
    for numbers, name in cases:  # once more, after the others: what is kept between calls shows
        again = asked(numbers)
        expect(found[numbers] == again, f"diagnose{numbers} gave {found[numbers]!r} and then "
                                        f"{again!r}: {LEFT_BEHIND}")
        expect(again == name, f"diagnose{numbers} gave {again!r}: look again, {why[name]}")
    return ("Three numbers of one epoch do not say whether they still improve: that is why there "
            "are curves.")
