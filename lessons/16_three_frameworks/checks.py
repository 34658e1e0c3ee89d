"""Lesson 16's exercises."""

import math

from d2lvgg.exercises import ask, ask_number, exercise, expect, expect_not


@exercise
def check_gluon_name(answer):
    """Lesson 16, exercise 1: a parameter's name where ReLUs have no number of their own."""
    for blocks in (5, 1, 3):
        for block in range(blocks):
            for conv in range(4):
                for kind in ("weight", "bias"):
                    name, right = f"{block}.{2 * conv}.{kind}", f"{block}.{conv}.{kind}"
                    found = ask(answer, name, blocks)
                    expect_not(found, name, right, f"{name} kept its number: in a Gluon block the "
                               "ReLU is inside the convolution, so the second one comes right "
                               "after the first")
                    expect(found == right, f"gluon_name({name!r}, {blocks}) gave {found!r}: in a "
                                           "block only the second number changes, and it halves")
        for linear in range(3):
            name = f"{blocks + 1 + 3 * linear}.bias"
            right = f"{blocks + 1 + 2 * linear}.bias"
            found = ask(answer, name, blocks)
            expect_not(found, name, right, f"{name} kept its number: the ReLU between linear "
                       "layers is inside Dense too")
            expect_not(found, f"{blocks + linear}.bias", right, "you dropped Flatten or Dropout "
                       "as well: they are layers of their own in Gluon, only the ReLUs are not")
            expect(found == right, f"gluon_name({name!r}, {blocks}) gave {found!r}: with {blocks} "
                                   f"blocks the linear layers are children {blocks + 1}, "
                                   f"{blocks + 3} and {blocks + 5}")
    return "Matching by depth, as exchange.pair_weights does, needs no such rule, and no luck."


@exercise
def check_same_padding(answer):
    """Lesson 16, exercise 2: TensorFlow's and MindSpore's 'same'."""
    for size, kernel, stride in ((8, 3, 2), (8, 3, 1), (7, 3, 2), (224, 7, 2), (224, 11, 4),
                                 (5, 1, 3), (9, 2, 1), (10, 4, 3)):
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        right = (total // 2, total - total // 2)
        found, call = ask(answer, size, kernel, stride), f"same_padding({size}, {kernel}, {stride})"
        expect(isinstance(found, (tuple, list)) and len(found) == 2,
               f"{call} gave {found!r}: two numbers are wanted, (before, after)")
        found = tuple(found)
        expect_not(found, (kernel // 2, kernel // 2), right,
                   f"{call} gave {found}: that is PyTorch's padding of half a kernel, and here "
                   f"{total} in all is enough for {math.ceil(size / stride)} outputs")
        expect_not(found, right[::-1], right,
                   f"{call} gave {found}: when the sum is odd the larger part goes after")
        expect(min(found) >= 0, f"{call} gave {found}: nothing is ever cut off; where the kernel "
                                "fits, the padding is 0")
        expect(found == right, f"{call} gave {found}; the last of {math.ceil(size / stride)} "
                               f"outputs reaches {total} beyond the row")
    return ("For 3 x 3 with stride 2 on an even side this is (0, 1): the same shape as padding 1, "
            "and another picture.")


@exercise
def check_effective_lr(answer):
    """Lesson 16, exercise 3: what trainer.step(n) makes of a learning rate."""
    for lr, batch_size, n in ((0.1, 32, 64), (0.05, 128, 1), (0.01, 96, 128), (0.05, 128, 128)):
        found, right = ask_number(answer, lr, batch_size, n), lr * batch_size / n
        expect_not(found, lr, right, "you left lr as it is: that is right only where n is the "
                                     "batch size")
        expect_not(found, lr / n, right, "you forgot that Gluon differentiates the sum over the "
                                         "batch, which is batch_size times the mean's gradient")
        expect(not math.isclose(found, lr * n / batch_size) or math.isclose(right, found),
               "upside down: dividing by a larger n makes the step smaller")
        expect(math.isclose(found, right), f"effective_lr({lr}, {batch_size}, {n}) gave {found}; "
                                           f"the sum's gradient is {batch_size} times the mean's, "
                                           f"and it is divided by {n}")
    return ("With trainer.step(1) and batches of 128, a rate of 0.05 is really 6.4. And the short "
            "last batch of an epoch wants step(len(y)), not step(batch_size).")
