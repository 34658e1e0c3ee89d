"""The checks of lesson 18 against right answers, stubs and plausible wrong answers."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lvgg import vgg_block
from d2lvgg.exercises import WrongAnswer, checks_of, of_lesson

checks = checks_of("18")
contest = of_lesson("18", "contest")
Sum = contest.Sum
WIDTH = 24


def flat():
    return nn.Sequential(vgg_block(1, 1, 16, batch_norm=True), nn.ReLU(),
                         vgg_block(1, 16, 32, batch_norm=True), nn.Flatten(),
                         nn.Linear(32 * 7 * 7, 10))


def with_a_class_inside():
    class Twice(nn.Module):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def forward(self, X):
            return self.layer(self.layer(X))

    return nn.Sequential(vgg_block(1, 1, 16), Sum(nn.Identity(), Twice(nn.Conv2d(16, 16, 1))),
                         nn.Dropout(0.2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))


def too_wide():
    return nn.Sequential(vgg_block(1, 1, 64), vgg_block(1, 64, 64), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(64, 10))


def no_flatten():
    return nn.Sequential(vgg_block(1, 1, 16), nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 10, 1))


def nine_classes():
    return nn.Sequential(vgg_block(1, 1, 16), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(16, 9))


def eight_images_only():
    return nn.Sequential(vgg_block(1, 1, 16), nn.AdaptiveAvgPool2d(1), nn.Flatten(0),
                         nn.Unflatten(0, (8, 16)), nn.Linear(16, 10))


def name_from_outside():
    return nn.Sequential(vgg_block(1, 1, WIDTH), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(WIDTH, 10))


def batch_statistics():
    return nn.Sequential(vgg_block(1, 1, 16), nn.BatchNorm2d(16, track_running_stats=False),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))


def softmax_over_the_batch():
    return nn.Sequential(vgg_block(1, 1, 16), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(16, 10), nn.Softmax(dim=0))


def three_channels():
    return nn.Sequential(vgg_block(1, 3, 16), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(16, 10))


def more_work_in_training():
    class Busy(nn.Module):
        def __init__(self):
            super().__init__()
            self.small, self.large = nn.Conv2d(1, 8, 3), nn.Conv2d(1, 2000, 3)
            self.last = nn.Linear(8, 10)

        def forward(self, X):
            more = self.large(X).mean() if self.training else 0
            return self.last(self.small(X).mean(dim=(2, 3)) + more)

    return Busy()


def own_seed():
    torch.manual_seed(7)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def with_an_import():
    import numpy

    return nn.Sequential(nn.Flatten(), nn.Linear(int(numpy.prod((28, 28))), 10))


def copy_of_ours():
    return nn.Sequential(
        vgg_block(1, 1, 16, batch_norm=True),
        vgg_block(1, 16, 32, batch_norm=True),
        vgg_block(2, 32, 64, batch_norm=True),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def mean(values):
    return sum(values) / len(values)


def card(result, words=None, accuracy=None, ends=None, parts=None, filling=""):
    """Return a whole card, or one with one thing changed."""
    verdict = result.verdict
    low, high = ends or (verdict.low, verdict.high)
    accuracy = f"{mean(result.test_theirs):.3f}" if accuracy is None else accuracy
    eight = "these are a few words, and there are more than eight" + filling
    texts = {"Result": f"{words or result.words}, from {low:+.3f} to {high:+.3f}; test accuracy "
                       f"{accuracy} on ten thousand images"}
    names = parts or ("What it is", "What I expected", "What it is for", "How it was measured",
                      "Result", "Where it fails")
    return "# Card\n\n" + "\n".join(f"## {name}\n{texts.get(name, eight)}\n" for name in names)


def judge(file, seeds=True, flops=True, whole="ours theirs", verdict=True, opened=True):
    numbers = [number for part in whole.split() for number in file[part]]
    difference = [a - b for a, b in zip(file["theirs"], file["ours"], strict=True)]
    value = torch.tensor(difference, dtype=torch.float64)
    half = 2.7764 * value.std().item() / len(value) ** 0.5
    low, high = value.mean().item() - half, value.mean().item() + half
    words = "ahead of ours" if low > 0 else "behind ours" if high < 0 else "not decided"
    return ((not seeds or file["seeds"] == [0, 1, 2, 3, 4])
            and (not flops or file["flops"] <= 8_000_000)
            and all(abs(number * 5_000 - round(number * 5_000)) < 1e-6 for number in numbers)
            and (not verdict or file["verdict"] == words)
            and (not opened or file["opened"] == 1))


def strict_judge(file):
    return judge(file) and all(number % (1 / 5_000) < 1e-9 for number in file["theirs"])


SEEN = []


def judge_with_a_grudge(file):
    SEEN.append(judge(file))
    return all(SEEN)


def hidden_conv(X, weight, border=1, turned=False, axes=(2, 3), channels=slice(None)):
    X, weight = X[:, channels], weight[:, channels]
    weight = weight.flip(2, 3) if turned else weight
    weight = weight if axes == (2, 3) else weight.transpose(2, 3)
    padded = F.pad(X, (border,) * 4)[:, None]
    height, width = (side - 2 for side in padded.shape[3:])
    total = 0
    for i in range(3):
        for j in range(3):
            window = padded[..., i:i + height, j:j + width]
            total = total + (window * weight[:, :, i, j, None, None]).sum(dim=2)
    return total


def by_unfold(X, weight):
    columns = F.unfold(X, 3, padding=1)[:, None]                      # (B, 1, C * 9, H * W)
    total = (columns * weight.flatten(1)[:, :, None]).sum(dim=2)
    return total.unflatten(2, X.shape[2:])


RIGHT = [
    (checks.check_my_design, flat),
    (checks.check_my_design, with_a_class_inside),
    (checks.check_card, card),
    (checks.check_card, lambda result: card(result) + "\n## Thanks\nto all\n"),
    (checks.check_judge, judge),
    (checks.check_unseen, hidden_conv),
    (checks.check_unseen, by_unfold),
]
EMPTY = [
    (checks.check_my_design, lambda: ...),
    (checks.check_card, lambda result: ...),
    (checks.check_judge, lambda file: ...),
    (checks.check_unseen, lambda X, weight: ...),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_my_design, too_wide, "more than the budget", "wrong formula"),
    (checks.check_my_design, more_work_in_training, "more than the budget", "wrong mode"),
    (checks.check_my_design, no_flatten, r"8 images give \(8, 10, 1, 1\)", "left-out step"),
    (checks.check_my_design, nine_classes, r"8 images give \(8, 9\)", "off by one"),
    (checks.check_my_design, eight_images_only, "none of 3 or 5", "works for the shown case only"),
    (checks.check_my_design, name_from_outside, "uses the name 'WIDTH'",
     "works for the shown case only"),
    (checks.check_my_design, batch_statistics, "depends on the other images", "wrong mode"),
    (checks.check_my_design, softmax_over_the_batch, "depends on the other images", "wrong axis"),
    (checks.check_my_design, three_channels, "does not take a batch", "wrong axis"),
    (checks.check_my_design, own_seed, "uses .manual_seed: a choice of random", None),
    (checks.check_my_design, with_an_import, "imports something", None),
    (checks.check_my_design, copy_of_ours, "block for block", "left-out step"),
    (checks.check_my_design, lambda: flat(), "not Python|one function", None),
    (checks.check_my_design, flat(), "a function is wanted|raised", None),
    (checks.check_my_design, lambda: "a network", "return the network itself", None),

    (checks.check_card, lambda result: card(checks.AHEAD), r"\(behind ours\): ",
     "works for the shown case only"),
    (checks.check_card, lambda result: card(result, words="ahead of ours"),
     "not what the interval", "works for the shown case only"),
    (checks.check_card, lambda result: card(result, words="better"), "says no verdict",
     "wrong formula"),
    (checks.check_card, lambda result: card(result, words="ahead of ours or not decided"),
     "'ahead of ours' and 'not decided'", "wrong formula"),
    (checks.check_card, lambda result: card(result, accuracy=f"{mean(result.theirs):.3f}"),
     "held-out images'", "wrong formula"),
    (checks.check_card,
     lambda result: card(result, accuracy=f"{100 * mean(result.test_theirs):.1f} %"),
     "is percent", "wrong unit"),
    (checks.check_card, lambda result: card(result, accuracy=f"{max(result.test_theirs):.4f}"),
     "does not hold the design's mean", "wrong formula"),
    (checks.check_card, lambda result: card(result, ends=result.test_verdict[1:3]),
     "both ends of the interval", "wrong formula"),
    (checks.check_card, lambda result: card(result, parts=("What it is", "Result")),
     "no part '## What I expected'", "left-out step"),
    (checks.check_card, lambda result: card(result, filling=" ..."), "dots where", "left-out step"),
    (checks.check_card, lambda result: card(result).replace("these are a few words, and", ""),
     "says too little", "left-out step"),
    (checks.check_card, lambda result: 0.9, "a card is a text", None),

    (checks.check_judge, lambda file: True, "believes a file that has a verdict",
     "works for the shown case only"),
    (checks.check_judge, lambda file: judge(file) and file["verdict"] == "ahead of ours",
     "does not believe an honest file, one that is behind", "wrong formula"),
    (checks.check_judge, lambda file: judge(file) and file["flops"] < 8_000_000,
     "uses the whole budget", "off by one"),
    (checks.check_judge, lambda file: judge(file, verdict=False), "has a verdict that its own",
     "left-out step"),
    (checks.check_judge, lambda file: judge(file, seeds=False), "has a seed that is none",
     "left-out step"),
    (checks.check_judge, lambda file: judge(file, seeds=False) and {*file["seeds"]} <= {*range(5)},
     "the contest's seeds twice", "wrong formula"),
    (checks.check_judge, lambda file: judge(file, flops=False), "above the budget",
     "left-out step"),
    (checks.check_judge, lambda file: judge(file, whole=""), "no number of 5,000", "left-out step"),
    (checks.check_judge, lambda file: judge(file, whole="theirs"), "among ours", "left-out step"),
    (checks.check_judge, lambda file: judge(file, opened=False), "three designs", "left-out step"),
    (checks.check_judge, strict_judge, "does not believe an honest file", "wrong formula"),
    (checks.check_judge, judge_with_a_grudge, "left behind", "state left behind"),
    (checks.check_judge, lambda file: "yes", "True or False", None),

    (checks.check_unseen, lambda X, weight: F.conv2d(X, weight, padding=1), "the counter saw",
     "wrong formula"),
    (checks.check_unseen, lambda X, weight: (F.unfold(X, 3, padding=1).transpose(1, 2)
                                             @ weight.flatten(1).T).transpose(1, 2),
     "the counter saw", "wrong formula"),
    (checks.check_unseen, lambda *given: hidden_conv(*given, border=0), "so pad it",
     "left-out step"),
    (checks.check_unseen, lambda *given: hidden_conv(*given, border=2), "so pad it", "off by one"),
    (checks.check_unseen, lambda *given: hidden_conv(*given, turned=True), "turned around",
     "wrong formula"),
    (checks.check_unseen, lambda *given: hidden_conv(*given, axes=(3, 2)), "rows and columns",
     "wrong axis"),
    (checks.check_unseen, lambda *given: hidden_conv(*given, channels=slice(1)),
     "only the first channel", "works for the shown case only"),
    (checks.check_unseen, lambda X, weight: hidden_conv(X, weight) / (9 * X.shape[1]),
     "a mean", "wrong formula"),
    (checks.check_unseen, lambda X, weight: hidden_conv(X, weight) + 1, "not those of a",
     "wrong formula"),
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
    SEEN.clear()
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
