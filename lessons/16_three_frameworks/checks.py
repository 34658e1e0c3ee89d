"""Lesson 16's exercises."""

import math

from d2lvgg.exercises import as_number, ask_twice, exercise, expect


def as_name(found):
    """Return a parameter's name. Raises WrongAnswer for anything else."""
    expect(isinstance(found, str), f"a parameter's name, a text, is wanted, not {found!r}")
    return str(found)


def as_two_numbers(found):
    """Return a pair, of a tuple, list, array or tensor. Raises WrongAnswer for anything else."""
    try:
        pair = tuple(found if not isinstance(found, (str, bytes, set, dict)) else None)
    except TypeError:
        pair = ()
    expect(len(pair) == 2, f"two numbers, (before, after), are wanted, not {found!r}")
    return tuple(as_number(number) for number in pair)


@exercise
def check_gluon_name(answer):
    """Lesson 16, exercise 1: a parameter's name where ReLUs have no number of their own."""
    for blocks in (5, 1, 3, 12):
        for block in range(blocks):
            for conv in range(4):
                for kind in ("weight", "bias"):
                    name, right = f"{block}.{2 * conv}.{kind}", f"{block}.{conv}.{kind}"
                    found = ask_twice(as_name, answer, name, blocks)
                    call = f"gluon_name({name!r}, {blocks}) gave {found!r}"
                    expect(found == right or found != name, f"{name} kept its number: in a Gluon "
                           "block the ReLU is inside the convolution, so the second one comes "
                           "right after the first")
                    expect(found == right or not found.startswith(f"{block}.{conv}."),
                           f"{call}: the last part, weight or bias, stays")
                    expect(found == right or found.startswith(f"{block}."),
                           f"{call}: it is in block {block} here and there")
                    expect(found == right, f"{call}: in a block only the second number changes: "
                                           "how many convolutions stand before this one there?")
        for linear in range(3):
            for kind in ("weight", "bias"):
                name = f"{blocks + 1 + 3 * linear}.{kind}"
                right = f"{blocks + 1 + 2 * linear}.{kind}"
                found = ask_twice(as_name, answer, name, blocks)
                call = f"gluon_name({name!r}, {blocks}) gave {found!r}"
                expect(found == right or found != name,
                       f"{name} kept its number: the ReLU between linear layers is inside Dense "
                       "too")
                expect(found == right or found != f"{blocks + linear}.{kind}",
                       f"{call}: you dropped Flatten or Dropout as well: they are layers of their "
                       "own in Gluon, only the ReLUs are not")
                expect(found == right or found != f"{blocks + 1 + linear}.{kind}",
                       f"{call}: you dropped Dropout as well: it is a layer of its own in Gluon, "
                       "only the ReLUs are not")
                expect(found == right,
                       f"{call}: after the {blocks} blocks of this network come Flatten and the "
                       "linear layers; how many ReLUs stand before this one?")
    return "Matching by depth, as exchange.pair_weights does, needs no such rule, and no luck."


@exercise
def check_same_padding(answer):
    """Lesson 16, exercise 2: TensorFlow's and MindSpore's 'same'."""
    for size, kernel, stride in ((224, 11, 4), (8, 3, 2), (8, 3, 1), (7, 3, 2), (224, 7, 2),
                                 (5, 1, 3), (9, 2, 1), (10, 4, 3)):
        outputs = math.ceil(size / stride)
        total = max((outputs - 1) * stride + kernel - size, 0)
        found = ask_twice(as_two_numbers, answer, size, kernel, stride)
        call = f"same_padding({size}, {kernel}, {stride}) gave {found}"
        expect(all(number % 1 == 0 for number in found), f"{call}: whole pixels are wanted")
        before, after = found
        expect(min(found) >= 0, f"{call}: nothing is ever cut off; where the kernel fits, there is "
                                "no padding")
        expect(sum(found) == total or found != (kernel // 2, kernel // 2),
               f"{call}: that is PyTorch's padding of half a kernel, and here less is enough, or "
               "more is needed")
        row = (size + sum(found) - kernel) // stride + 1
        expect(row >= outputs, f"{call}: the row comes out {row} long, and that is too short for "
                               "ceil(size / stride)")
        expect(row <= outputs, f"{call}: the row comes out {row} long, and that is longer than "
                               "ceil(size / stride)")
        expect(sum(found) <= total,
               f"{call}: the row comes out long enough, and would with less padding too")
        expect(before <= after, f"{call}: when the sum is odd the larger part goes after, not "
                                "before")
        expect(after - before <= 1, f"{call}: the sum is right, and it is not shared out: both "
                                    "sides get half of it, but for an odd pixel")
    return ("For 3 x 3 with stride 2 on an even side this is (0, 1): the same shape as padding 1, "
            "and another image.")


@exercise
def check_effective_lr(answer):
    """Lesson 16, exercise 3: what trainer.step(n) makes of a learning rate."""
    for lr, batch_size, n in ((0.1, 32, 80), (0.05, 128, 1), (0.01, 96, 128), (0.05, 128, 128)):
        found, right = ask_twice(as_number, answer, lr, batch_size, n), lr * batch_size / n
        call = f"effective_lr({lr}, {batch_size}, {n}) gave {found}"
        for wrong, mistake in (
                (lr, "you left lr as it is: that is right only where n is the batch size"),
                (lr / n, "you forgot that Gluon differentiates the sum over the batch, and not the "
                         "mean"),
                (lr / batch_size, "you divided by batch_size: trainer.step(n) divides by n"),
                (lr * n / batch_size, "upside down: dividing by a larger n makes the step smaller"),
                (lr * n, "upside down: trainer.step(n) divides by n"),
                (lr * batch_size, "trainer.step(n) divides the gradients by n: where is it?"),
                (batch_size / n, "lr is missing: that is the factor on it"),
                (lr * 128 / n, "128 is one batch size of many: use batch_size"),
                (lr * batch_size / 128, "128 is one n of many: use n"),
                (lr * (batch_size // n), "a short batch gives a fraction: divide with /, not //")):
            expect(not math.isclose(found, wrong) or math.isclose(wrong, right),
                   f"{call}: {mistake}")
        expect(math.isclose(found, right),
               f"{call}: write both steps down, Gluon's with the gradient of the sum, PyTorch's "
               "with that of the mean, and set them equal")
    return ("With trainer.step(1) and batches of 128, a rate of 0.05 is really 6.4. And the short "
            "last batch of an epoch wants step(len(y)), not step(batch_size).")
