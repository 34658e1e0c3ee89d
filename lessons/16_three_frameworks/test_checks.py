"""The checks of lesson 16 against right answers, stubs and plausible wrong answers."""

import math
import re

import numpy as np
import pytest
import torch

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("16")


def gluon_name(name, num_blocks, in_block=lambda k: k // 2, in_head=lambda k: k - k // 3):
    *place, kind = name.split(".")
    place = [int(number) for number in place]
    if len(place) == 2:
        place[1] = in_block(place[1])
    else:
        place[0] = num_blocks + 1 + in_head(place[0] - num_blocks - 1)
    return ".".join([*map(str, place), kind])


def same_padding(size, kernel, stride):
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def unclipped(size, kernel, stride):
    total = (-(-size // stride) - 1) * stride + kernel - size
    return total // 2, total - total // 2


def gluon_name_by_counting(name, num_blocks):
    """Writes down the numbers of both and looks one up in the other."""
    ours = [n for n in range(num_blocks + 10) if n not in (num_blocks + 2, num_blocks + 5)]
    first, rest = name.split(".", 1)
    if "." in rest:
        return re.sub(r"\.(\d+)\.", lambda place: f".{int(place[1]) // 2}.", name)
    return f"{ours.index(int(first))}.{rest}"


def shown_names(name, num_blocks):
    return {"2.2.weight": "2.1.weight", "12.bias": "10.bias"}.get(name, name)


def one_digit(name, num_blocks):
    """Takes the name apart by its letters."""
    if name[1] == "." and name[3:4] == ".":
        return f"{name[0]}.{int(name[2]) // 2}{name[3:]}"
    return gluon_name(name, num_blocks) if name.count(".") == 1 else name


def numbers_turned(name, num_blocks):
    first, second, *kind = gluon_name(name, num_blocks).split(".")
    return ".".join([second, first, *kind] if kind else [first, second])


def names_kept():
    places = []  # outside the function

    def wrong(name, num_blocks):
        places.append(name)
        number = len(places)
        return gluon_name(name, num_blocks) if number % 2 else name
    return wrong


def padding_by_trying(size, kernel, stride):
    total = 0
    while math.floor((size + total - kernel) / stride) + 1 < math.ceil(size / stride):
        total += 1
    return [math.floor(total / 2), math.ceil(total / 2)]


def padding_for(size, kernel, stride, outputs):
    total = max((outputs - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def summed(function):
    """Adds up its answers from call to call, in a number outside the function."""
    answers = []

    def wrong(*arguments):
        answers.append(np.array(function(*arguments)))
        return sum(answers)
    return wrong


def move_one(theirs, net, name="blocks.2.1", change=lambda weight: weight, to=2):
    with torch.no_grad():
        net[to][2].weight.copy_(change(theirs[f"{name}.weight"]))
        net[to][2].bias.copy_(theirs[f"{name}.bias"])
    return net


def move_by_state(theirs, net):
    net.load_state_dict({**net.state_dict(), "2.2.weight": theirs["blocks.2.1.weight"],
                         "2.2.bias": theirs["blocks.2.1.bias"]})
    return net


def move_by_data(theirs, net):
    net[2][2].weight.data = theirs["blocks.2.1.weight"].clone()
    net[2][2].bias.data = theirs["blocks.2.1.bias"].clone()
    return net


def move_frozen(theirs, net):
    net[2][2].weight = torch.nn.Parameter(theirs["blocks.2.1.weight"].clone(), False)
    net[2][2].bias = torch.nn.Parameter(theirs["blocks.2.1.bias"].clone(), False)
    return net


def move_weight_alone(theirs, net):
    with torch.no_grad():
        net[2][2].weight.copy_(theirs["blocks.2.1.weight"])
    return net


def move_block_too(theirs, net):
    with torch.no_grad():
        net[2][0].weight.add_(1)
    return move_one(theirs, net)


def move_the_first_given():
    first = []  # outside the function

    def wrong(theirs, net):
        first.append({name: value.clone() for name, value in theirs.items()})
        return move_one(first[0], net)
    return wrong


def from_channels_last(weight, channels, side, axes=(3, 2, 0, 1)):
    outputs = weight.shape[1]
    return weight.reshape(side, side, channels, outputs).permute(axes).reshape(outputs, -1)


def by_counting(weight, channels, side):
    """Writes down where each of PyTorch's inputs stands in theirs."""
    places = [(row * side + column) * channels + channel for channel in range(channels)
              for row in range(side) for column in range(side)]
    return weight[places].T


def taken_for_ours(weight, channels, side):
    outputs = weight.shape[1]
    return weight.reshape(channels, side, side, outputs).permute(3, 0, 1, 2).reshape(outputs, -1)


def adds_up():
    seen = []  # outside the function

    def wrong(weight, channels, side):
        seen.append(1)
        return from_channels_last(weight, channels, side) * len(seen)
    return wrong


def same_network(ours, theirs, images=None, bound=1e-4, relative=True, change=lambda z: z):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(64, 1, 32, 32, generator=generator) if images is None else images
    with torch.no_grad():
        a, b = change(ours(X)), change(theirs(X))
    return bool((a - b).abs().max() <= bound * (a.abs().max() if relative else 1))


def same_by_numpy(ours, theirs):
    torch.manual_seed(3)
    X = torch.randn(100, 1, 32, 32)
    return np.allclose(ours(X).detach().numpy(), theirs(X).detach().numpy(), rtol=1e-4, atol=1e-4)


def alternating():
    seen = []  # outside the function

    def wrong(ours, theirs):
        seen.append(1)
        return len(seen) % 2 == 1
    return wrong


RIGHT = [
    (checks.check_gluon_name, gluon_name),
    (checks.check_gluon_name, gluon_name_by_counting),
    (checks.check_gluon_name, lambda *given: np.str_(gluon_name(*given))),
    (checks.check_same_padding, same_padding),
    (checks.check_same_padding, padding_by_trying),
    (checks.check_same_padding, lambda *numbers: np.array(same_padding(*numbers))),
    (checks.check_same_padding, lambda *numbers: torch.tensor(same_padding(*numbers))),
    (checks.check_move_one, move_one),
    (checks.check_move_one, move_by_state),
    (checks.check_move_one, move_by_data),
    (checks.check_from_channels_last, from_channels_last),
    (checks.check_from_channels_last, by_counting),
    (checks.check_same_network, same_network),
    (checks.check_same_network, same_by_numpy),
    (checks.check_same_network, lambda ours, theirs: torch.tensor(same_network(ours, theirs))),
]
EMPTY = [
    (checks.check_gluon_name, lambda name, num_blocks: ...),
    (checks.check_same_padding, lambda size, kernel, stride: None),
    (checks.check_move_one, lambda theirs, net: ...),
    (checks.check_from_channels_last, lambda weight, channels, side: None),
    (checks.check_same_network, lambda ours, theirs: ...),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_gluon_name, lambda name, blocks: name, "inside the convolution",
     "left-out step"),
    (checks.check_gluon_name, shown_names, "0.2.weight kept its number",
     "works for the shown case only"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b, in_head=lambda k: k), "inside Dense",
     "left-out step"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b, in_head=lambda k: k // 3 - 1),
     "dropped Flatten or Dropout", "off by one"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b, in_head=lambda k: k // 3),
     "dropped Dropout", "wrong formula"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, 5), "the 1 blocks of this network",
     "works for the shown case only"),
    (checks.check_gluon_name, one_digit, "10.2.weight kept its number",
     "works for the shown case only"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b, in_block=lambda k: k // 2 + 1),
     "how many convolutions", "off by one"),
    (checks.check_gluon_name, lambda n, b: gluon_name(n, b).replace("bias", "weight"),
     "weight or bias, stays", "wrong formula"),
    (checks.check_gluon_name, numbers_turned, "in block 0 here and there", "wrong axis"),
    (checks.check_gluon_name, names_kept(), "left behind from one call", "state left behind"),
    (checks.check_gluon_name, lambda n, b: n.split("."), "a text", None),
    (checks.check_same_padding, lambda size, kernel, stride: (kernel // 2, kernel // 2),
     "half a kernel", "wrong formula"),
    (checks.check_same_padding, lambda *numbers: same_padding(*numbers)[::-1], "goes after",
     "wrong axis"),
    (checks.check_same_padding, lambda *numbers: (0, sum(same_padding(*numbers))),
     "not shared out", "left-out step"),
    (checks.check_same_padding, unclipped, "ever cut off", "left-out step"),
    (checks.check_same_padding, lambda s, k, t: padding_for(s, k, t, s // t), "too short",
     "wrong formula"),
    (checks.check_same_padding, lambda s, k, t: padding_for(s, k, t, -(-s // t) + 1),
     "longer than", "off by one"),
    (checks.check_same_padding, lambda s, k, t: padding_for(s, k, 1, s), "half a kernel",
     "works for the shown case only"),
    (checks.check_same_padding, lambda s, k, t: padding_for(s + 1, k + 2, t, -(-s // t)),
     "less padding", "off by one"),
    (checks.check_same_padding, lambda *numbers: tuple(
        number / 2 for number in [sum(same_padding(*numbers))] * 2), "whole pixels",
     "left-out step"),
    (checks.check_same_padding, lambda *numbers: (0, 1), "too short",
     "works for the shown case only"),
    (checks.check_same_padding, summed(same_padding), "left behind from one call",
     "state left behind"),
    (checks.check_same_padding, lambda *numbers: sum(same_padding(*numbers)), "two numbers", None),
    (checks.check_move_one, lambda theirs, net: net, "nothing has changed", "left-out step"),
    (checks.check_move_one, move_weight_alone, "the bias of 2.2 has not changed", "left-out step"),
    (checks.check_move_one, lambda theirs, net: move_one(
        theirs, net, change=lambda weight: weight.transpose(0, 1)), "outputs first", "wrong axis"),
    (checks.check_move_one, lambda theirs, net: move_one(
        theirs, net, change=lambda weight: weight.flip(2, 3)), "180 degrees", "wrong axis"),
    (checks.check_move_one, lambda theirs, net: move_one(
        theirs, net, change=lambda weight: weight.transpose(2, 3)), "rows and columns",
     "wrong axis"),
    (checks.check_move_one, lambda theirs, net: move_one(
        theirs, net, "blocks.3.1", to=3), "nothing has changed", "off by one"),
    (checks.check_move_one, lambda theirs, net: move_one(
        theirs, net, "blocks.4.1", to=3), "3.2.weight has changed", "off by one"),
    (checks.check_move_one, lambda theirs, net: move_one(
        theirs, net, "blocks.2.0", change=lambda weight: weight.repeat(1, 2, 1, 1)),
     "second convolution of block 2", "off by one"),
    (checks.check_move_one, move_block_too, "2.0.weight has changed", "wrong formula"),
    (checks.check_move_one, move_frozen, "want no gradients", "wrong mode"),
    (checks.check_move_one, move_the_first_given(), "are not those of Gluon",
     "state left behind"),
    (checks.check_move_one, lambda theirs, net: move_one(checks.recorded.from_gluon()[0], net),
     "are not those of Gluon", "works for the shown case only"),
    (checks.check_move_one, lambda theirs, net: theirs, "return the network", None),
    (checks.check_from_channels_last, lambda weight, channels, side: weight.T, "you transposed it",
     "left-out step"),
    (checks.check_from_channels_last, lambda weight, channels, side: weight.reshape(
        weight.shape[1], -1), "reshape alone", "wrong formula"),
    (checks.check_from_channels_last, lambda *given: from_channels_last(*given, (3, 2, 1, 0)),
     "rows and columns", "wrong axis"),
    (checks.check_from_channels_last, taken_for_ours, "you transposed it", "wrong axis"),
    (checks.check_from_channels_last, lambda weight, channels, side: from_channels_last(
        weight, weight.shape[0] // 4, 2) if weight.shape[0] % 4 == 0 else weight.T,
     "which of row, column and channel", "works for the shown case only"),
    (checks.check_from_channels_last, lambda weight, channels, side: weight, "outputs first",
     "left-out step"),
    (checks.check_from_channels_last, adds_up(), "two answers", "state left behind"),
    (checks.check_from_channels_last, lambda *given: from_channels_last(*given).tolist(),
     "a tensor is wanted", None),
    (checks.check_same_network, lambda ours, theirs: True, "you accept a network",
     "works for the shown case only"),
    (checks.check_same_network, lambda ours, theirs: False, "you refuse a network",
     "works for the shown case only"),
    (checks.check_same_network, lambda ours, theirs: same_network(ours, theirs, bound=0),
     "allow a small difference", "wrong formula"),
    (checks.check_same_network, lambda ours, theirs: same_network(ours, theirs, bound=0.5),
     "you accept a network", "wrong formula"),
    (checks.check_same_network, lambda ours, theirs: same_network(
        ours, theirs, bound=1e-6, relative=False), "you refuse a network", "wrong unit"),
    (checks.check_same_network, lambda ours, theirs: same_network(
        ours, theirs, images=torch.zeros(8, 1, 32, 32)), "turned by 180 degrees",
     "works for the shown case only"),
    (checks.check_same_network, lambda ours, theirs: same_network(
        ours, theirs, images=-torch.rand(4, 1, 32, 32)), "on some images only",
     "works for the shown case only"),
    (checks.check_same_network, lambda ours, theirs: same_network(
        ours, theirs, change=lambda logits: logits.argmax(1).double()), "you accept a network",
     "wrong formula"),
    (checks.check_same_network, lambda ours, theirs: same_network(
        ours, theirs, change=lambda logits: logits.softmax(1)), "by the same small number",
     "wrong formula"),
    (checks.check_same_network, lambda ours, theirs: same_network(
        ours, theirs, change=lambda logits: logits.sort(dim=1)[0]), "numbered one further",
     "wrong axis"),
    (checks.check_same_network, alternating(), "two verdicts", "state left behind"),
    (checks.check_same_network, lambda ours, theirs: "yes", "True or False", None),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), EMPTY)
def test_empty(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake", "kind"), WRONG)
def test_wrong(check, answer, mistake, kind):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
