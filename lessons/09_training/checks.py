"""Lesson 09's exercises."""

import torch

from d2lvgg.exercises import ask, exercise, expect


@exercise
def check_step_count(answer):
    """Lesson 09, exercise 1: the weight changes of the published protocol."""
    expect(answer != 469, "469 is one epoch's count, and the run has ten")
    expect(answer != 4680, "4,680 leaves out the last, short batch of each epoch: it has 96 "
                           "pictures and changes the weights too")
    expect(answer != 4687.5, "there is no half a step: each epoch ends with a batch of 96, and the "
                             "next begins anew")
    expect(answer != 600_000, "600,000 pictures are seen, and each step takes 128 of them")
    expect(answer == 4690, f"{answer!r} is not the count: how many batches has an epoch, and how "
                           "many epochs has the run?")
    return "4,690 steps: few enough that the several hundred of the flat beginning matter."


@exercise
def check_recalls(answer):
    """Lesson 09, exercise 2: the diagonal over the row sums."""
    generator = torch.Generator().manual_seed(0)
    for kinds in (2, 3, 10):
        confusion = torch.randint(1, 50, (kinds, kinds), generator=generator)
        found = ask(answer, confusion)
        expect(isinstance(found, torch.Tensor), f"a tensor is wanted, not {type(found).__name__}")
        expect(found.shape == (kinds,), f"{kinds} kinds give {kinds} numbers, and yours has shape "
                                        f"{tuple(found.shape)}")
        diagonal = confusion.diagonal()
        expect(not torch.allclose(found.double(), diagonal / confusion.sum(0).double()),
               "you divided by the column's sum: that is precision, how often the network is right "
               "when it names a kind; recall divides by the pictures of the kind, the row")
        expect(not torch.allclose(found.double(), diagonal / confusion.sum().double()),
               "you divided by all pictures: divide by those of the kind, the row's sum")
        expect(torch.allclose(found.double(), diagonal / confusion.sum(1).double()),
               "the numbers are off: divide the diagonal by the sum of each row")
    return "The mean of these is the accuracy only because every kind has as many test pictures."


@exercise
def check_diagnose(answer):
    """Lesson 09, exercise 3: four kinds of curve, told apart by their last epoch."""
    nan = float("nan")
    cases = [((2.301, 0.11, 0.10), "stalled"), ((2.35, 0.10, 0.10), "stalled"),
             ((0.02, 1.0, 0.74), "overfitting"), ((0.25, 0.95, 0.80), "overfitting"),
             ((9.7, 0.10, 0.10), "diverging"), ((nan, 0.10, 0.10), "diverging"),
             ((0.171, 0.937, 0.926), "healthy"), ((0.44, 0.84, 0.85), "healthy")]
    why = {"stalled": "its loss is ln 10, so it knows nothing yet",
           "overfitting": "it knows its training pictures far better than new ones",
           "diverging": "its loss is above that of a blind guess, or is no number at all",
           "healthy": "its loss is well below ln 10 and its two accuracies are close"}
    for numbers, name in cases:
        found = ask(answer, *numbers)
        expect(found == name, f"diagnose{numbers} gave {found!r}, and this run is {name}: "
                              f"{why[name]}")
    return "Three numbers are enough here; on a plot you see it sooner."


@exercise
def check_split(answer):
    """Lesson 09, exercise 4: two disjoint random parts, repeatable."""
    for n, holdout in ((10, 3), (1000, 100), (60_000, 5_000)):
        train, chosen = (part.tolist() for part in ask(answer, n, holdout, 0))
        expect((len(train), len(chosen)) != (holdout, n - holdout),
               f"the two parts are swapped: the first, to train on, has {n - holdout} of {n}")
        expect((len(train), len(chosen)) == (n - holdout, holdout),
               f"split({n}, {holdout}, 0) gave parts of {len(train)} and {len(chosen)}; wanted "
               f"are {n - holdout} and {holdout}")
        both = len(set(train) & set(chosen))
        expect(not both, f"{both} pictures are in both parts: cut one permutation in two")
        expect(sorted(train + chosen) == list(range(n)),
               f"the parts together are not each of range({n}) once")
        expect(chosen not in (list(range(holdout)), list(range(n - holdout, n))),
               "the held-out pictures are the first or last ones in order: a sorted data set "
               "would leave out whole kinds, so take them at random")
        again, other = ask(answer, n, holdout, 0), ask(answer, n, holdout, 1)
        expect(again[1].tolist() == chosen, "the same seed gave another split")
        expect(other[1].tolist() != chosen, "another seed gave the same split")
    return "Choose on the second part as often as you like; open the test set once."
