"""The checks of lesson 07 against right answers, stubs and typical wrong answers."""

import pytest

from d2lvgg import VGG_ARCHS
from d2lvgg.exercises import WrongAnswer, checks_of
from d2lvgg.models import final_side

checks = checks_of("07")

VGG13 = ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512))


def convs(arch):
    return sum(count for count, _ in arch)


def count_params(arch, input_size, bias=1, chained=True, side=None):
    side = side or final_side(arch, input_size)
    total, width = 0, 1
    for num_convs, channels in arch:
        for _ in range(num_convs):
            total += 9 * width * channels + bias * channels
            width = channels if chained else width
        width = channels
    for inputs, outputs in ((width * side * side, 4096), (4096, 4096), (4096, 10)):
        total += inputs * outputs + bias * outputs
    return total


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_vgg13, VGG13),
    (checks.check_vgg13, [list(block) for block in VGG13]),
    (checks.check_smallest_input, lambda arch: 2 ** len(arch)),
    (checks.check_count_layers, lambda arch: convs(arch) + 3),
    (checks.check_count_params, count_params),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_vgg13, ...),
    (checks.check_smallest_input, lambda arch: ...),
    (checks.check_count_layers, lambda arch: ...),
    (checks.check_count_params, lambda arch, input_size: None),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_vgg13, VGG_ARCHS["vgg16"], "are VGG-16"),
    (checks.check_vgg13, VGG_ARCHS["vgg11"], "still VGG-11"),
    (checks.check_vgg13, ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512), (2, 512)), "6 blocks"),
    (checks.check_vgg13, ((2, 64), (2, 128), (2, 256), (2, 512), (2, 1024)), "widths changed"),
    (checks.check_vgg13, ((1, 64), (1, 128), (3, 256), (3, 512), (2, 512)), "other blocks"),
    (checks.check_vgg13, ((1, 64), (1, 128), (3, 256), (2, 512), (2, 512)), "12 layers"),
    (checks.check_vgg13, 13, "not a sequence"),
    (checks.check_smallest_input, lambda arch: 32, "pools, not 5"),
    (checks.check_smallest_input, lambda arch: 2 ** convs(arch), "once a convolution"),
    (checks.check_smallest_input, lambda arch: 7 * 2 ** len(arch), "7 x 7"),
    (checks.check_smallest_input, lambda arch: 2 * len(arch), "multiply the twos"),
    (checks.check_smallest_input, lambda arch: 2 ** len(arch) + 1, "halve to one"),
    (checks.check_smallest_input, lambda arch: (32, 32), "one number"),
    (checks.check_count_layers, convs, "linear layers have weights too"),
    (checks.check_count_layers, lambda arch: len(arch) + 3, "counted blocks"),
    (checks.check_count_layers, lambda arch: convs(arch) + len(arch) + 3, "counted pools"),
    (checks.check_count_layers, lambda arch: 12, "convolutions and 3 linear"),
    (checks.check_count_params, lambda a, s: count_params(a, s, bias=0), "left out the biases"),
    (checks.check_count_params, lambda a, s: count_params(a, s, side=7), "7 x 7 for the last"),
    (checks.check_count_params, lambda a, s: count_params(a, s, chained=False), "what the first"),
    (checks.check_count_params, lambda a, s: 1, "and the network has"),
    (checks.check_count_params, lambda a, s: a[9], "raised IndexError"),
])
def test_wrong(check, answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
