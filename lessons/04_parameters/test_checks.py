"""The checks of lesson 04 against right answers, stubs and plausible wrong answers."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("04")


def state_left_behind(program):
    """Return program as it is where it keeps a list, its first argument, from call to call."""
    kept = []
    return lambda *arguments: program(kept, *arguments)


def count(net):
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def count_by_loop(net):
    total, seen = torch.tensor(0), set()
    for module in net.modules():
        for p in module.parameters(recurse=False):
            if p.requires_grad and id(p) not in seen:
                seen.add(id(p))
                total += p.numel()
    return total


def count_total(kept, net):
    kept.append(count(net))
    return sum(kept)


def count_children(net):  # of a layer, or of the layers of a flat network
    layers = dict.fromkeys([net, *net.children()])
    return sum(p.numel() for layer in layers for p in layer.parameters(recurse=False)
               if p.requires_grad)


def count_unfrozen(net):
    return count(net.requires_grad_(True))


def count_shapes(net):
    return sum({p.shape: p.numel() for p in net.parameters() if p.requires_grad}.values())


def count_linear_and_convolutions(net):
    return sum({id(p): p.numel() for m in net.modules() if isinstance(m, (nn.Linear, nn.Conv2d))
                for p in m.parameters() if p.requires_grad}.values())


def fan_in(layer):
    return layer.weight[0].numel()


def fan_out(layer):
    return layer.weight.shape[0] * layer.weight[0, 0].numel()


def make_identity(conv, place=(1, 1), bias=0.0, mixed=False):
    with torch.no_grad():
        conv.weight.zero_()
        conv.bias.fill_(bias)
        for channel in range(conv.out_channels):
            for source in range(conv.in_channels) if mixed else [channel]:
                conv.weight[channel, source, place[0], place[1]] = 1
    return conv


def all_ones(conv, value=1.0):
    nn.init.constant_(conv.weight, value)
    nn.init.zeros_(conv.bias)
    return conv


def dirac(conv):
    nn.init.dirac_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv


def new_weights(conv):
    weight = np.zeros(conv.weight.shape, dtype=np.float32)
    weight[range(conv.out_channels), range(conv.out_channels), 1, 1] = 1
    conv.weight = nn.Parameter(torch.from_numpy(weight))
    conv.bias = None
    return conv


def without_zero(conv):
    with torch.no_grad():
        for channel in range(conv.out_channels):
            conv.weight[channel, channel, 1, 1] = 1
        conv.bias.zero_()
    return conv


def one_channel(conv):
    with torch.no_grad():
        conv.weight.zero_()[0, 0, 1, 1] = 1
        conv.bias.zero_()
    return conv


def reversed_channels(conv):
    with torch.no_grad():
        dirac(conv).weight.copy_(conv.weight.flip(0))
    return conv


def first_layer(kept, conv):
    kept.append(dirac(conv))
    return kept[0]


def he_std_by_loop(layer):
    n = 1
    for length in layer.weight.shape[1:]:
        n *= length
    return np.sqrt(np.float32(2) / n)


def he_std_once(kept, layer):
    kept.append(fan_in(layer))
    return math.sqrt(2 / sum(kept))


def he_std_with_side(layer):
    side = getattr(layer, "kernel_size", (1,))[0]
    return math.sqrt(2 / (layer.weight.shape[1] * side * side))


def he_std_with_nine(layer):
    area = 9 if isinstance(layer, nn.Conv2d) else 1
    return math.sqrt(2 / (layer.weight.shape[1] * area))


def he_std_measured(layer):
    return nn.init.kaiming_normal_(layer.weight).std()


def wake(net, std=lambda layer: math.sqrt(2 / fan_in(layer)), kinds=(nn.Linear, nn.Conv2d),
         layers=nn.Module.modules):
    for layer in layers(net):
        if isinstance(layer, kinds):
            nn.init.normal_(layer.weight, std=std(layer))
            nn.init.zeros_(layer.bias)
    return net


def wake_with(init, bias=None):
    def fill(layer):
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            init(layer.weight)
            if bias is not None:
                nn.init.constant_(layer.bias, bias)
    return lambda net: net.apply(fill)


def wake_by_hand(net):
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn(p.shape) * (2 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0 * p)
    return net


def wake_first(kept, net):  # one deviation for all networks: that of the first
    kept.append(next(fan_in(layer) for layer in reversed(list(net.modules()))
                     if isinstance(layer, nn.Linear)))
    return wake(net, std=lambda layer: math.sqrt(2 / kept[0]))


RIGHT = [
    (checks.check_wake, wake),
    (checks.check_wake, wake_by_hand),
    (checks.check_wake, wake_with(nn.init.kaiming_normal_, 0)),
    (checks.check_wake, wake_with(lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"))),
    (checks.check_count_parameters, count),
    (checks.check_count_parameters, count_by_loop),
    (checks.check_my_init_std, 5.40),
    (checks.check_my_init_std, math.sqrt(175 / 6)),
    (checks.check_my_init_std, torch.tensor(175 / 6).sqrt()),
    (checks.check_my_init_std, np.float32(5.4)),
    (checks.check_he_std, lambda layer: math.sqrt(2 / fan_in(layer))),
    (checks.check_he_std, lambda layer: torch.tensor(2 / fan_in(layer)) ** 0.5),
    (checks.check_he_std, he_std_by_loop),
    (checks.check_make_identity, make_identity),
    (checks.check_make_identity, dirac),
    (checks.check_make_identity, new_weights),
]
EMPTY = [
    (checks.check_wake, lambda net: None),
    (checks.check_count_parameters, lambda net: ...),
    (checks.check_my_init_std, ...),
    (checks.check_he_std, lambda layer: ...),
    (checks.check_make_identity, lambda conv: None),
]
WRONG = [
    (checks.check_wake, lambda net: net, "as they were", "left-out step"),
    (checks.check_wake, wake_with(nn.init.xavier_uniform_, 0), "about half", "wrong formula"),
    (checks.check_wake, lambda net: wake(net, lambda layer: math.sqrt(1 / fan_in(layer))),
     "about half", "left-out step"),
    (checks.check_wake, lambda net: wake(net, lambda layer: 2 / fan_in(layer)), "shrinks",
     "wrong unit"),
    (checks.check_wake, lambda net: wake(net, lambda layer: math.sqrt(2 / fan_out(layer))),
     "narrower: the signal grows", "wrong axis"),
    (checks.check_wake, lambda net: wake(net, lambda layer: 0.01), "shrinks", "wrong formula"),
    (checks.check_wake, wake_with(lambda w: nn.init.constant_(w, 0.02), 0), "draw at random",
     "wrong formula"),
    (checks.check_wake, wake_with(nn.init.zeros_, 0), "are zero", "wrong formula"),
    (checks.check_wake, wake_with(nn.init.kaiming_normal_, 42), "drown what differs",
     "wrong formula"),
    (checks.check_wake, lambda net: wake(net, lambda layer: math.sqrt(2 / 100)),
     "narrower: the signal grows", "works for the shown case only"),
    (checks.check_wake, lambda net: wake(net, kinds=nn.Linear), "Conv2d.* as they were",
     "works for the shown case only"),
    (checks.check_wake, lambda net: wake(net, layers=nn.Module.children),
     "blocks that gets narrower: .* as they were", "works for the shown case only"),
    (checks.check_wake, state_left_behind(wake_first), "the signal grows", "state left behind"),
    (checks.check_wake, lambda net: nn.Sequential(wake(net), nn.BatchNorm1d(10)), "add no layers",
     None),
    (checks.check_wake, lambda net: net.parameters(), "return the network", None),
    (checks.check_count_parameters, lambda net: len(list(net.parameters())), "counted tensors",
     "wrong unit"),
    (checks.check_count_parameters,
     lambda net: sum(p.numel() for p in net.parameters() if p.dim() > 1), "left out the biases",
     "left-out step"),
    (checks.check_count_parameters,
     lambda net: sum(t.numel() for t in net.state_dict().values()), "tied layer twice",
     "wrong formula"),
    (checks.check_count_parameters,
     lambda net: sum({t.data_ptr(): t.numel() for t in net.state_dict().values()}.values()),
     "running means", "wrong formula"),
    (checks.check_count_parameters,
     lambda net: sum(p.numel() for p in net.parameters()), "frozen layer", "left-out step"),
    (checks.check_count_parameters, count_unfrozen, "frozen layer", "wrong mode"),
    (checks.check_count_parameters,
     lambda net: sum(p.numel() for p in net.parameters()) - count(net),
     "you counted what is frozen", "wrong mode"),
    (checks.check_count_parameters, count_shapes, "two tensors of one shape", "wrong formula"),
    (checks.check_count_parameters, count_children, "all layers stand in blocks",
     "works for the shown case only"),
    (checks.check_count_parameters, count_linear_and_convolutions, "left out batch norm",
     "left-out step"),
    (checks.check_count_parameters, lambda net: 40, r"p.numel\(\) of every tensor",
     "works for the shown case only"),
    (checks.check_count_parameters, state_left_behind(count_total), "left behind",
     "state left behind"),
    (checks.check_count_parameters, lambda net: net, "one number", None),
    (checks.check_my_init_std, 7.64, "left out the zeros", "left-out step"),
    (checks.check_my_init_std, 5.77, "before the mask", "left-out step"),
    (checks.check_my_init_std, 1.44, "its own mean", "wrong formula"),
    (checks.check_my_init_std, 29.17, "the variance", "wrong unit"),
    (checks.check_my_init_std, 58.33, "a root is missing", "wrong unit"),
    (checks.check_my_init_std, 3.75, "absolute values", "wrong formula"),
    (checks.check_my_init_std, 3.82, "the other side", "left-out step"),
    (checks.check_my_init_std, 5.30, "for 7.5", "wrong formula"),
    (checks.check_my_init_std, 0, "the mean", "wrong formula"),
    (checks.check_my_init_std, -5.4, "is negative", "wrong formula"),
    (checks.check_my_init_std, 3, "is not it", None),
    (checks.check_my_init_std, "5.4", "one number", None),
    (checks.check_he_std, lambda layer: math.sqrt(1 / fan_in(layer)), "a 2 is missing",
     "left-out step"),
    (checks.check_he_std, lambda layer: math.sqrt(0.5 / fan_in(layer)), "the wrong side",
     "wrong formula"),
    (checks.check_he_std, lambda layer: 2 / fan_in(layer), "the variance", "wrong unit"),
    (checks.check_he_std, lambda layer: math.sqrt(6 / fan_in(layer)), "a uniform distribution",
     "wrong formula"),
    (checks.check_he_std, lambda layer: math.sqrt(2 / layer.weight.shape[1]), "a window of 9",
     "left-out step"),
    (checks.check_he_std, lambda layer: math.sqrt(2 / layer.weight[0, 0].numel())
     if layer.weight.dim() == 4 else math.sqrt(2 / layer.in_features), "counted one window",
     "left-out step"),
    (checks.check_he_std, lambda layer: math.sqrt(2 / fan_out(layer)), "counted outputs",
     "wrong axis"),
    (checks.check_he_std, lambda layer: math.sqrt(2 / layer.weight.numel()), "all weights",
     "wrong axis"),
    (checks.check_he_std,
     lambda layer: math.sqrt(2 / (fan_in(layer) + fan_out(layer))), "Xavier's rule",
     "wrong formula"),
    (checks.check_he_std,
     lambda layer: math.sqrt(2 / (fan_in(layer) * getattr(layer, "groups", 1))), "groups=3",
     "wrong formula"),
    (checks.check_he_std, he_std_with_nine, "3 x 3 places", "works for the shown case only"),
    (checks.check_he_std, he_std_with_side, "need not be square", "works for the shown case only"),
    (checks.check_he_std, lambda layer: math.sqrt(2 / layer.in_features), "raised AttributeError",
     "works for the shown case only"),
    (checks.check_he_std, lambda layer: 0.01, "one output add up", "works for the shown case only"),
    (checks.check_he_std, he_std_measured, "drawn at random", "wrong mode"),
    (checks.check_he_std, state_left_behind(he_std_once), "left behind", "state left behind"),
    (checks.check_he_std, lambda layer: layer.weight, "one number", None),
    (checks.check_make_identity, lambda conv: make_identity(conv, bias=0.5), "bias still adds",
     "left-out step"),
    (checks.check_make_identity, lambda conv: nn.init.dirac_(conv.weight) is None or conv,
     "bias still adds", "left-out step"),
    (checks.check_make_identity, without_zero, "still as they were", "left-out step"),
    (checks.check_make_identity, lambda conv: make_identity(conv, mixed=True), "alone",
     "wrong formula"),
    (checks.check_make_identity, lambda conv: make_identity(conv, place=(0, 0)), "shifted",
     "off by one"),
    (checks.check_make_identity, lambda conv: make_identity(conv, place=(1, 2)), "shifted",
     "off by one"),
    (checks.check_make_identity, reversed_channels, "change places", "wrong axis"),
    (checks.check_make_identity, one_channel, "the others are not",
     "works for the shown case only"),
    (checks.check_make_identity, all_ones, "whole window", "wrong formula"),
    (checks.check_make_identity, lambda conv: all_ones(conv, 1 / 9), "which blurs",
     "wrong formula"),
    (checks.check_make_identity, lambda conv: all_ones(conv, 0), "all weights are zero",
     "left-out step"),
    (checks.check_make_identity, lambda conv: conv, "the weights are as they were",
     "left-out step"),
    (checks.check_make_identity, lambda conv: nn.Conv2d(conv.in_channels, conv.out_channels, 3),
     "bias still adds", "left-out step"),
    (checks.check_make_identity, state_left_behind(first_layer), "the layer that was given",
     "state left behind"),
    (checks.check_make_identity, lambda conv: conv.weight, "return the layer", None),
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
