"""The checks of lesson 08 against right answers, stubs and typical wrong answers."""

import pytest
import torch
from torch import nn

from d2lvgg import trace_shapes, vgg
from d2lvgg.exercises import WrongAnswer, checks_of
from d2lvgg.shapes import open_blocks

checks = checks_of("08")


def has_weights(layer):
    return any(True for _ in layer.parameters())


def count_results(net):
    lines = sum(has_weights(child) for child in net)
    return len(net), lines, sum(has_weights(layer) for _, layer in open_blocks(net))


def how_many_times(big, small, input_shape, expand=True):
    a, b = (trace_shapes(net, input_shape, expand=expand) for net in (big, small))
    return a.params / b.params, a.flops / b.flops, a.activation_bytes / b.activation_bytes


def saved_bytes(arch, size, index=8, convs_too=False, picture=True):
    total = 4 * size * size * picture
    for num_convs, channels in arch:
        total += 4 * num_convs * channels * size * size * (2 if convs_too else 1)
        size //= 2
        total += (4 + index) * channels * size * size
    return total


def linear_as_conv(linear, channels, side, bias=True, last=False, **options):
    conv = nn.Conv2d(channels, linear.out_features, side, **options)
    with torch.no_grad():
        if last:
            weight = linear.weight.reshape(-1, side, side, channels).permute(0, 3, 1, 2)
        else:
            weight = linear.weight.reshape(-1, channels, side, side)
        conv.weight.copy_(weight)
        if bias:
            conv.bias.copy_(linear.bias)
    return conv


def nonblock_lines(net):
    lines, _, layers = count_results(net)
    return lines, sum(not isinstance(child, nn.Sequential) for child in net), layers


def opened_lines(net):
    lines, _, layers = count_results(net)
    return lines, layers, layers


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_count_results, count_results),
    (checks.check_how_many_times, how_many_times),
    (checks.check_saved_bytes, saved_bytes),
    (checks.check_linear_as_conv, linear_as_conv),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_count_results, lambda net: ...),
    (checks.check_how_many_times, lambda big, small, input_shape: ...),
    (checks.check_saved_bytes, lambda arch, input_size: ...),
    (checks.check_linear_as_conv, ...),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_count_results, nonblock_lines, "another eight"),
    (checks.check_count_results, opened_lines, "opened the blocks"),
    (checks.check_count_results, lambda net: (*count_results(net)[:2], 8), "forgets the three"),
    (checks.check_count_results, lambda net: (8, 8, 11), "prints 13 lines"),
    (checks.check_count_results, lambda net: 8, "three numbers"),
    (checks.check_how_many_times, lambda a, b, shape: how_many_times(b, a, shape), "upside down"),
    (checks.check_how_many_times, lambda *a: how_many_times(*a, expand=False), "expand=True"),
    (checks.check_how_many_times, lambda a, b, shape: (1, 1, 1), "params: vgg11"),
    (checks.check_saved_bytes, lambda a, s: saved_bytes(a, s, convs_too=True), "free again"),
    (checks.check_saved_bytes, lambda a, s: saved_bytes(a, s, index=0), "pools remember"),
    (checks.check_saved_bytes, lambda a, s: saved_bytes(a, s, index=4), "int64"),
    (checks.check_saved_bytes, lambda a, s: saved_bytes(a, s, picture=False), "the picture"),
    (checks.check_saved_bytes, lambda a, s: 1, "PyTorch keeps"),
    (checks.check_linear_as_conv, lambda *a: linear_as_conv(*a, last=True), "channels came last"),
    (checks.check_linear_as_conv, lambda *a: linear_as_conv(*a, bias=False), "bias is not"),
    (checks.check_linear_as_conv, lambda *a: linear_as_conv(*a, padding=1), "no padding"),
    (checks.check_linear_as_conv, lambda linear, c, s: nn.Conv2d(c, linear.out_features, s),
     "copy linear.weight"),
    (checks.check_linear_as_conv, lambda linear, c, s: nn.Conv2d(c, linear.out_features, 1),
     "covers the whole map"),
    (checks.check_linear_as_conv, lambda linear, c, s: linear, "an nn.Conv2d is wanted"),
])
def test_wrong(check, answer, mistake):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)


@pytest.mark.parametrize(("arch", "size"), [(((1, 4), (2, 8)), 13), (((2, 6),), 8),
                                            (((1, 3), (3, 5), (1, 2)), 17)])
def test_saved_bytes_is_what_pytorch_keeps(arch, size):
    net, kept = vgg(arch, input_size=size)[:len(arch)], {}
    weights = {p.untyped_storage().data_ptr() for p in net.parameters()}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.detach()
        return tensor.detach()

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = net(torch.randn(1, 1, size, size))
    found = sum(tensor.untyped_storage().nbytes() for place, tensor in kept.items()
                if place not in weights)
    assert found + out.numel() * 4 == saved_bytes(arch, size)  # the head will keep the last output
