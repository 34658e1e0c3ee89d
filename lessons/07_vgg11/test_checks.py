"""The checks of lesson 07 against right answers, stubs and plausible wrong answers."""

import numpy as np
import pytest
import torch

from d2lvgg import VGG_ARCHS, vgg
from d2lvgg.exercises import WrongAnswer, checks_of
from d2lvgg.models import final_side

checks = checks_of("07")

VGG13 = ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512))


def convs(arch):
    return sum(count for count, _ in arch)


def searched(arch):
    size = 1
    while True:
        try:
            final_side(arch, size)
        except ValueError:
            size += 1
        else:
            return size


def doubled(arch, kept={"size": 1}):  # noqa: B006
    for _ in arch:
        kept["size"] *= 2
    return kept["size"]


def counted(arch, layers=[]):  # noqa: B006
    for num_convs, _ in arch:
        layers += ["conv"] * num_convs
    return len(layers) + 3


def count_params(arch, input_size, bias=1, chained=True, side=None, window=9, fewer=0,
                 head=(4096, 4096, 10)):
    side = side or final_side(arch, input_size)
    total, width = 0, 1
    for num_convs, channels in arch:
        for _ in range(num_convs - fewer):
            total += window * width * channels + bias * channels
            width = channels if chained else width
        width = channels
    width *= side * side
    for outputs in head:
        total += width * outputs + bias * outputs
        width = outputs
    return total


def by_building(arch, input_size):
    with torch.device("meta"):
        return sum(p.numel() for p in vgg(arch, input_size=input_size).parameters())


def biases_of_the_inputs(arch, input_size):
    total, width = 0, 1
    for num_convs, channels in arch:
        for _ in range(num_convs):
            total += 9 * width * channels + width
            width = channels
    width *= final_side(arch, input_size) ** 2
    for outputs in (4096, 4096, 10):
        total += width * outputs + width
        width = outputs
    return total


def total_kept(arch, input_size, kept={"total": 0}):  # noqa: B006
    kept["total"] += count_params(arch, input_size)
    return kept["total"]


def by_convolution(weight):
    """The answer of three ones at each place, as an einsum."""
    return torch.einsum("ocij,kc->okij", weight, torch.ones(1, weight.shape[1]))


def changing(weight):
    weight[:, :1] += weight[:, 1:2] + weight[:, 2:3]
    return weight[:, :1]


def added_to(weight, kept=[]):  # noqa: B006
    kept.append(0)
    return len(kept) * weight.sum(dim=1, keepdim=True)


RIGHT = [
    (checks.check_vgg13, VGG13),
    (checks.check_vgg13, [list(block) for block in VGG13]),
    (checks.check_vgg13, np.array(VGG13)),
    (checks.check_vgg13, torch.tensor(VGG13)),
    (checks.check_smallest_input, lambda arch: 2 ** len(arch)),
    (checks.check_smallest_input, searched),
    (checks.check_smallest_input, lambda arch: np.power(2, len(arch))),
    (checks.check_count_layers, lambda arch: convs(arch) + 3),
    (checks.check_count_layers, lambda arch: torch.tensor(arch)[:, 0].sum() + 3),
    (checks.check_grey_kernels, lambda weight: weight.sum(dim=1, keepdim=True)),
    (checks.check_grey_kernels, lambda weight: weight.sum(1)[:, None].double()),
    (checks.check_grey_kernels, by_convolution),
    (checks.check_grey_kernels, lambda weight: torch.nn.Parameter(weight.sum(1, True))),
    (checks.check_count_params, count_params),
    (checks.check_count_params, by_building),
    (checks.check_count_params, lambda *given: torch.tensor(count_params(*given))),
]
EMPTY = [
    (checks.check_vgg13, ...),
    (checks.check_smallest_input, lambda arch: ...),
    (checks.check_count_layers, lambda arch: ...),
    (checks.check_grey_kernels, lambda weight: None),
    (checks.check_count_params, lambda arch, input_size: None),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_vgg13, VGG_ARCHS["vgg16"], "it is VGG-16", "wrong formula"),
    (checks.check_vgg13, VGG_ARCHS["vgg11"], "still VGG-11", "left-out step"),
    (checks.check_vgg13, ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512), (2, 512)), "6 blocks",
     "wrong formula"),
    (checks.check_vgg13, ((2, 64), (2, 128), (2, 256), (2, 512), (2, 1024)), "widths changed",
     "wrong formula"),
    (checks.check_vgg13, ((1, 64), (1, 128), (3, 256), (3, 512), (2, 512)), "other blocks",
     "wrong formula"),
    (checks.check_vgg13, ((2, 64), (1, 128), (2, 256), (2, 512), (2, 512)), "12 layers",
     "off by one"),
    (checks.check_vgg13, [(channels, count) for count, channels in VGG13], "wrong way round",
     "wrong axis"),
    (checks.check_vgg13, 13, "not a sequence", None),
    (checks.check_vgg13, ((2.5, 64), *VGG13[1:]), "13.5 layers", None),
    (checks.check_vgg13, (("2", "64"),) * 5, "one number", None),

    (checks.check_smallest_input, lambda arch: 32, "pools, not 5", "works for the shown case only"),
    (checks.check_smallest_input, lambda arch: 2 ** convs(arch), "once a convolution",
     "wrong formula"),
    (checks.check_smallest_input, lambda arch: 7 * 2 ** len(arch), "7 x 7", "wrong formula"),
    (checks.check_smallest_input, lambda arch: 224, "7 x 7",
     "works for the shown case only"),
    (checks.check_smallest_input, lambda arch: 2 * len(arch), "multiply the twos",
     "wrong formula"),
    (checks.check_smallest_input, lambda arch: 2 ** (len(arch) - 1), "leaves none",
     "off by one"),
    (checks.check_smallest_input, lambda arch: 2 ** (len(arch) + 1), "2 after the last pool",
     "off by one"),
    (checks.check_smallest_input, lambda arch: 2 ** len(arch) + 1, "a pixel fewer does too",
     "off by one"),
    (checks.check_smallest_input, lambda arch: 2 ** len(arch) - 1, "odd last row",
     "off by one"),
    (checks.check_smallest_input, lambda arch: 4 ** len(arch), "the side is wanted", "wrong unit"),
    (checks.check_smallest_input, len, "number of pools", "left-out step"),
    (checks.check_smallest_input, doubled, "left behind from one call", "state left behind"),
    (checks.check_smallest_input, lambda arch: (32, 32), "one number", None),

    (checks.check_count_layers, convs, "linear layers have weights too", "left-out step"),
    (checks.check_count_layers, lambda arch: len(arch) + 3, "counted blocks", "wrong formula"),
    (checks.check_count_layers, lambda arch: convs(arch) + len(arch) + 3, "counted pools",
     "wrong formula"),
    (checks.check_count_layers, lambda arch: convs(arch) + 2, "a layer short", "off by one"),
    (checks.check_count_layers, lambda arch: sum(width for _, width in arch) + 3,
     "added the channels", "wrong axis"),
    (checks.check_count_layers, lambda arch: 2 * (convs(arch) + 3), "counted tensors",
     "wrong unit"),
    (checks.check_count_layers, counted, "left behind from one call", "state left behind"),
    (checks.check_count_layers, lambda arch: 2 * len(arch) + 1, "is VGG-11's",
     "works for the shown case only"),
    (checks.check_count_layers, lambda arch: convs(arch) + len(arch) - 2,
     "convolution of the table", "works for the shown case only"),

    (checks.check_grey_kernels, lambda w: w.mean(dim=1, keepdim=True), "third of the response",
     "wrong formula"),
    (checks.check_grey_kernels, lambda w: w[:, :1], "left the other two out", "left-out step"),
    (checks.check_grey_kernels, lambda w: w[:, 2:], "left the other two out", "left-out step"),
    (checks.check_grey_kernels, lambda w: w[:, 1:2], "left the other two out", "left-out step"),
    (checks.check_grey_kernels, lambda w: w[:, :2].sum(1, True), "last channel out", "off by one"),
    (checks.check_grey_kernels, lambda w: w[:, 1:].sum(1, True), "first channel out", "off by one"),
    (checks.check_grey_kernels, lambda w: w.sum(dim=1), "axis of the channels is gone",
     "wrong axis"),
    (checks.check_grey_kernels, lambda w: w.sum(dim=0, keepdim=True), "added up the filters",
     "wrong axis"),
    (checks.check_grey_kernels, lambda w: w, "each with one kernel", "left-out step"),
    (checks.check_grey_kernels, lambda w: w.abs().sum(1, True), "signs count", "wrong formula"),
    (checks.check_grey_kernels, lambda w: w.amax(1, True), "largest of the three",
     "wrong formula"),
    (checks.check_grey_kernels, lambda w: 3 * w.sum(1, True), "three times", "wrong formula"),
    (checks.check_grey_kernels,
     lambda w: (w * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, True),
     "made grey", "wrong formula"),
    (checks.check_grey_kernels, changing, "changed the weights", "state left behind"),
    (checks.check_grey_kernels, added_to, "the maps differ", "state left behind"),
    (checks.check_grey_kernels, lambda w: w.reshape(64, 3, 3, 3).sum(1, True), "raised",
     "works for the shown case only"),
    (checks.check_grey_kernels, lambda w: w.sum(1, True).reshape(w.shape[0], 1, 3, 3), "raised",
     "works for the shown case only"),
    (checks.check_grey_kernels, lambda w: [0], "tensor of weights", None),

    (checks.check_count_params, lambda a, s: count_params(a, s, bias=0), "left out the biases",
     "left-out step"),
    (checks.check_count_params, biases_of_the_inputs, "a bias for each input", "wrong axis"),
    (checks.check_count_params, lambda a, s: count_params(a, s, side=7), "7 x 7 for the last",
     "works for the shown case only"),
    (checks.check_count_params, lambda a, s: 128_806_154, "whatever was asked",
     "works for the shown case only"),
    (checks.check_count_params, lambda a, s: count_params(a, s, side=1), "left out Flatten",
     "left-out step"),
    (checks.check_count_params, lambda a, s: count_params(a, s, side=-(-s // 2 ** len(a))),
     "rounded the last side up", "off by one"),
    (checks.check_count_params, lambda a, s: count_params(a, s, chained=False), "what the first",
     "wrong formula"),
    (checks.check_count_params, lambda a, s: count_params(a, s, window=3), "you count 3",
     "wrong formula"),
    (checks.check_count_params, lambda a, s: count_params(a, s, head=(4096, 10)),
     "second hidden layer", "left-out step"),
    (checks.check_count_params, lambda a, s: count_params(a, s, fewer=1),
     "too few in each block", "off by one"),
    (checks.check_count_params, lambda a, s: 4 * count_params(a, s), "bytes", "wrong unit"),
    (checks.check_count_params, total_kept, "left behind from one call", "state left behind"),
    (checks.check_count_params, lambda a, s: 1, "too few: go through", "wrong formula"),
    (checks.check_count_params, lambda a, s: a[9], "raised IndexError", None),
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
