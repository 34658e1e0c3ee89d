"""Lesson 09's exercises."""

import torch

from d2lvgg.exercises import WrongAnswer, as_number, ask, exercise, expect

KEPT = ("something is kept from one call to the next, in a global variable or in a default "
        "argument: begin anew in each call")


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
    return "4,690 steps: few enough that the several hundred of the flat beginning matter."


@exercise
def check_recalls(answer):
    """Lesson 09, exercise 2: the diagonal over the row sums."""
    generator = torch.Generator().manual_seed(0)
    for kinds in (3, 2, 10):
        confusion = torch.randint(1, 50, (kinds, kinds), generator=generator)
        found, again = (as_tensor(ask(answer, confusion.clone())).double() for _ in range(2))
        expect(found.shape == (kinds,), f"one number a kind is wanted, {kinds} here, and yours has "
                                        f"shape {tuple(found.shape)}")
        expect(torch.equal(found, again), f"the same table gave other numbers the second time: "
                                          f"{KEPT}")
        right_ones, rows = confusion.diagonal().double(), confusion.sum(dim=1).double()
        right = right_ones / rows
        for wrong, mistake in (
                (right_ones / confusion.sum(dim=0),
                 "you divided by the column's sum: that is precision, how often the network is "
                 "right when it names a kind; recall divides by the images of the kind, the row"),
                (right_ones / confusion.sum(),
                 "you divided by all images: divide by those of the kind, the row's sum"),
                (right_ones, "those are counts: of the images of each kind, what fraction is it?"),
                (right_ones / rows[0], "you divided by the first kind's images: each kind has a "
                                       "number of its own"),
                (right_ones / 1000, "you divided by 1,000: that many images a kind has the full "
                                    "test set alone, so count them in the table"),
                (right_ones // rows, "// drops what is behind the point: divide with /"),
                (right_ones / (rows - right_ones), "you divided by the wrong ones alone: a row's "
                                                   "sum has the right ones in it"),
                (right_ones / kinds, "you divided by the number of kinds, a mean: sum the row"),
                (1 - right, "that is how many are missed: what fraction is named rightly?"),
                (100 * right, "those are percent: a fraction is wanted")):
            expect(not torch.allclose(found, wrong.double()), mistake)
        expect(torch.allclose(found, right) or not torch.allclose(found, right, atol=0.0051),
               "the numbers are rounded: return them as they are")
        expect(torch.allclose(found, right),
               "the numbers are off: divide the diagonal by the sum of each row")
    return "The mean of these is the accuracy only because every kind has as many test images."


@exercise
def check_diagnose(answer):
    """Lesson 09, exercise 3: four kinds of curve, told apart by their last epoch."""
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
                                        f"{again!r}: {KEPT}")
        expect(again == name, f"diagnose{numbers} gave {again!r}: look again, {why[name]}")
    return "Three numbers are enough here; on a plot you see it sooner."


@exercise
def check_split(answer):
    """Lesson 09, exercise 4: two disjoint random parts, repeatable."""

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
               "whole kinds, so take them at random")
        expect(asked(n, holdout, 0) == (train, chosen),
               "the same seed gave another split: make a generator of this seed in each call")
        expect(set(asked(n, holdout, 1)[1]) != set(chosen),
               "another seed gave the same split: use the seed that is given")
    return "Choose on the second part as often as you like; open the test set once."
