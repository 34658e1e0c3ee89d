"""The checks of lesson 04 against right answers, stubs and typical wrong answers."""

import math

import pytest
import torch
from torch import nn

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("04")


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


def all_ones(conv):
    nn.init.ones_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_count_parameters,
     lambda net: sum(p.numel() for p in net.parameters() if p.requires_grad)),
    (checks.check_my_init_std, 5.40),
    (checks.check_my_init_std, math.sqrt(175 / 6)),
    (checks.check_he_std, lambda layer: math.sqrt(2 / fan_in(layer))),
    (checks.check_make_identity, make_identity),
    (checks.check_make_identity, lambda conv: nn.init.dirac_(conv.weight) is None or
     nn.init.zeros_(conv.bias) is None or conv),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_count_parameters, lambda net: ...),
    (checks.check_my_init_std, ...),
    (checks.check_he_std, lambda layer: ...),
    (checks.check_make_identity, lambda conv: None),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_count_parameters, lambda net: len(list(net.parameters())), "counted tensors"),
    (checks.check_count_parameters,
     lambda net: sum(p.numel() for p in net.parameters() if p.dim() > 1), "left out the biases"),
    (checks.check_count_parameters,
     lambda net: sum(t.numel() for t in net.state_dict().values()), "tied layer twice"),
    (checks.check_count_parameters,
     lambda net: sum({t.data_ptr(): t.numel() for t in net.state_dict().values()}.values()),
     "running means"),
    (checks.check_count_parameters,
     lambda net: sum(p.numel() for p in net.parameters()), "frozen layer"),
    (checks.check_count_parameters, lambda net: 7, "trainable numbers"),
    (checks.check_my_init_std, 7.64, "left out the zeros"),
    (checks.check_my_init_std, 5.77, "before the mask"),
    (checks.check_my_init_std, 29.17, "the variance"),
    (checks.check_my_init_std, 5.30, "for 7.5"),
    (checks.check_my_init_std, 0, "the mean"),
    (checks.check_my_init_std, 3, "is not it"),
    (checks.check_my_init_std, "5.4", "one number"),
    (checks.check_he_std, lambda layer: math.sqrt(1 / fan_in(layer)), "a 2 is missing"),
    (checks.check_he_std, lambda layer: 2 / fan_in(layer), "the variance"),
    (checks.check_he_std, lambda layer: math.sqrt(2 / layer.weight.shape[1]), "a window of 9"),
    (checks.check_he_std, lambda layer: math.sqrt(2 / fan_out(layer)), "counted outputs"),
    (checks.check_he_std,
     lambda layer: math.sqrt(2 / (fan_in(layer) + fan_out(layer))), "Xavier's rule"),
    (checks.check_he_std,
     lambda layer: math.sqrt(2 / (fan_in(layer) * getattr(layer, "groups", 1))), "groups=4"),
    (checks.check_he_std, lambda layer: 0.01, "weights enter each output"),
    (checks.check_make_identity, lambda conv: make_identity(conv, bias=0.5), "bias still adds"),
    (checks.check_make_identity, lambda conv: make_identity(conv, mixed=True), "alone"),
    (checks.check_make_identity, lambda conv: make_identity(conv, place=(0, 0)), "shifted"),
    (checks.check_make_identity, all_ones, "whole window"),
    (checks.check_make_identity, lambda conv: conv, "differs from the input"),
    (checks.check_make_identity, lambda conv: conv.weight, "return the layer"),
])
def test_wrong(check, answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)
