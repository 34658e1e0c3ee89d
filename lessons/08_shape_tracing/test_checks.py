"""The checks of lesson 08 against right answers, stubs and plausible wrong answers."""

import numpy as np
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


def count_by_modules(net):
    net.eval()
    own = [module for module in net.modules() if list(module.parameters(recurse=False))]
    lines = [child for child in net.children() if list(child.parameters())]
    return torch.tensor([len(list(net.children())), len(lines), len(own)])


def count_and_empty(net):
    numbers = list(count_results(net))
    del net[0]
    return numbers


def by_class(net):
    def weighs(layer):
        return isinstance(layer, (nn.Conv2d, nn.Linear))

    layers = sum(weighs(layer) for _, layer in open_blocks(net))
    return *count_results(net)[:2], layers


def one_level_deep(net):
    layers = 0
    for child in net:
        for layer in child if isinstance(child, nn.Sequential) else [child]:
            layers += has_weights(layer) and not isinstance(layer, nn.Sequential)
    return *count_results(net)[:2], layers


def tensors(net):
    return *count_results(net)[:2], len(list(net.parameters()))


def blocks_too(net):
    layers = sum(has_weights(layer) for layer in net.modules())
    return *count_results(net)[:2], layers


def counted(net, layers=[]):  # noqa: B006
    layers += [layer for _, layer in open_blocks(net) if has_weights(layer)]
    return *count_results(net)[:2], len(layers)


def nonblock_lines(net):
    lines, _, layers = count_results(net)
    return lines, sum(not isinstance(child, nn.Sequential) for child in net), layers


def opened_lines(net):
    lines, _, layers = count_results(net)
    return lines, layers, layers


def how_many_times(big, small, input_shape, expand=True):
    a, b = (trace_shapes(net, input_shape, expand=expand) for net in (big, small))
    return a.params / b.params, a.flops / b.flops, a.activation_bytes / b.activation_bytes


def times_by_rows(big, small, input_shape):
    frames = [trace_shapes(net, input_shape, expand=True).to_frame() for net in (big, small)]
    columns = ["params", "flops", "activation_bytes"]
    return (frames[0][columns].sum() / frames[1][columns].sum()).to_numpy()


def differences(big, small, input_shape):
    a, b = (trace_shapes(net, input_shape, expand=True) for net in (big, small))
    return a.params - b.params, a.flops - b.flops, a.activation_bytes - b.activation_bytes


def sum_kept(big, small, input_shape, sums=[0, 0]):  # noqa: B006
    for i, net in enumerate((big, small)):
        sums[i] += trace_shapes(net, input_shape, expand=True).params + i
    return sums[0] / sums[1], *how_many_times(big, small, input_shape)[1:]


def big_kept(big, small, input_shape, known={}):  # noqa: B006
    if "big" not in known:
        known["big"] = big
    return how_many_times(known["big"], small, input_shape)


def saved_bytes(arch, size, index=8, convs_too=False, picture=True):
    total = 4 * size * size * picture
    for num_convs, channels in arch:
        total += 4 * num_convs * channels * size * size * (2 if convs_too else 1)
        size //= 2
        total += (4 + index) * channels * size * size
    return total


def by_lists(arch, input_size):
    sides = [input_size // 2 ** i for i in range(len(arch) + 1)]
    relus = sum(n * c * side ** 2 for (n, c), side in zip(arch, sides[:-1], strict=True))
    pools = sum(c * side ** 2 for (_, c), side in zip(arch, sides[1:], strict=True))
    return np.int64(4 * (input_size ** 2 + relus) + 12 * pools)


def bytes_kept(arch, size, tensors=[]):  # noqa: B006
    tensors.append(saved_bytes(arch, size))
    return sum(tensors)


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


def conv_of_its_parameters(linear, channels, side):
    conv = nn.Conv2d(channels, linear.out_features, (side, side))
    conv.weight = nn.Parameter(linear.weight.view(-1, channels, side, side))
    conv.bias = linear.bias
    return conv


def changed(change):
    def changed_conv(linear, channels, side):
        conv = linear_as_conv(linear, channels, side)
        conv.weight.data = change(conv.weight.data)
        return conv
    return changed_conv


CONVS = {}


def conv_kept(linear, channels, side):
    conv = CONVS.setdefault((channels, side), nn.Conv2d(channels, linear.out_features, side))
    conv.load_state_dict(linear_as_conv(linear, channels, side).state_dict())
    return conv


RIGHT = [
    (checks.check_count_results, count_results),
    (checks.check_count_results, count_by_modules),
    (checks.check_count_results, count_and_empty),
    (checks.check_how_many_times, how_many_times),
    (checks.check_how_many_times, times_by_rows),
    (checks.check_saved_bytes, saved_bytes),
    (checks.check_saved_bytes, by_lists),
    (checks.check_linear_as_conv, linear_as_conv),
    (checks.check_linear_as_conv, conv_of_its_parameters),
]
EMPTY = [
    (checks.check_count_results, lambda net: ...),
    (checks.check_how_many_times, lambda big, small, input_shape: ...),
    (checks.check_saved_bytes, lambda arch, input_size: ...),
    (checks.check_linear_as_conv, ...),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_count_results, nonblock_lines, "another count", "wrong formula"),
    (checks.check_count_results, opened_lines, "opened the blocks", "wrong formula"),
    (checks.check_count_results,
     lambda net: (*count_results(net)[:2], sum(isinstance(layer, (nn.Conv2d, nn.BatchNorm2d))
                                               for layer in net.modules())),
     "forgets the linear", "left-out step"),
    (checks.check_count_results, lambda net: (13, 8, 11), "are VGG-11's",
     "works for the shown case only"),
    (checks.check_count_results, by_class, "BatchNorm2d has weights too",
     "works for the shown case only"),
    (checks.check_count_results, one_level_deep, "those inside blocks too",
     "works for the shown case only"),
    (checks.check_count_results, tensors, "counts tensors", "wrong unit"),
    (checks.check_count_results, blocks_too, "counts net and its blocks", "wrong formula"),
    (checks.check_count_results, lambda net: (*count_results(net)[:2], count_results(net)[1]),
     "left the blocks shut", "left-out step"),
    (checks.check_count_results, lambda net: (len(net) - 1, *count_results(net)[1:]),
     "print one and count", "off by one"),
    (checks.check_count_results,
     lambda net: (len(list(open_blocks(net))), *count_results(net)[1:]),
     "for the first number", "wrong formula"),
    (checks.check_count_results, counted, "left behind from one call", "state left behind"),
    (checks.check_count_results, lambda net: 8, "three numbers", None),

    (checks.check_how_many_times, lambda a, b, shape: how_many_times(b, a, shape), "upside down",
     "wrong axis"),
    (checks.check_how_many_times, lambda *a: how_many_times(*a, expand=False), "expand=True",
     "left-out step"),
    (checks.check_how_many_times, differences, "are differences", "wrong formula"),
    (checks.check_how_many_times, lambda *a: [100 * ratio for ratio in how_many_times(*a)],
     "are percent", "wrong unit"),
    (checks.check_how_many_times, lambda *a: [ratio - 1 for ratio in how_many_times(*a)],
     "take away 1", "off by one"),
    (checks.check_how_many_times, lambda *a: [round(ratio, 1) for ratio in how_many_times(*a)],
     "are rounded", "wrong formula"),
    (checks.check_how_many_times, lambda *a: how_many_times(*a)[::-1], "another order",
     "wrong axis"),
    (checks.check_how_many_times, lambda a, b, shape: how_many_times(a, b, (1, 1, 224, 224)),
     "refuses an input", "works for the shown case only"),
    (checks.check_how_many_times, lambda a, b, shape: (2.8, 8.0, 12.3), "params: for vgg16",
     "works for the shown case only"),
    (checks.check_how_many_times, sum_kept, "left behind from one call", "state left behind"),
    (checks.check_how_many_times, big_kept, "params: for vgg11 and alexnet", "state left behind"),
    (checks.check_how_many_times, lambda a, b, shape: (1, 1, 1), "params: for vgg16",
     "wrong formula"),

    (checks.check_saved_bytes, lambda a, s: saved_bytes(a, s, convs_too=True), "free again",
     "wrong formula"),
    (checks.check_saved_bytes, lambda a, s: saved_bytes(a, s, index=0), "pools remember",
     "left-out step"),
    (checks.check_saved_bytes, lambda a, s: saved_bytes(a, s, index=4), "costs you eight",
     "wrong unit"),
    (checks.check_saved_bytes, lambda a, s: saved_bytes(a, s, picture=False), "the image",
     "left-out step"),
    (checks.check_saved_bytes, lambda a, s: saved_bytes([(1, c) for _, c in a], s),
     "one ReLU a block", "left-out step"),
    (checks.check_saved_bytes, lambda a, s: 8 * saved_bytes(a, s), "are bits", "wrong unit"),
    (checks.check_saved_bytes, lambda a, s: checks.kept(a, s, up=True), "rounded the side up",
     "off by one"),
    (checks.check_saved_bytes, lambda a, s: checks.kept(a, s, late=True), "the block reads",
     "off by one"),
    (checks.check_saved_bytes, lambda a, s: checks.kept(a, s, pool=False), "costs you eight",
     "left-out step"),
    (checks.check_saved_bytes, lambda a, s: checks.kept(a, s, number=1, index=1),
     "counted numbers", "wrong unit"),
    (checks.check_saved_bytes, bytes_kept, "left behind from one call", "state left behind"),
    (checks.check_saved_bytes, lambda a, s: 48_269_312, "VGG-11's number",
     "works for the shown case only"),
    (checks.check_saved_bytes, lambda a, s: saved_bytes(a, 224), "too many: go block by block",
     "works for the shown case only"),
    (checks.check_saved_bytes, lambda a, s: 1, "too few: go block by block", "wrong formula"),

    (checks.check_linear_as_conv, lambda *a: linear_as_conv(*a, last=True), "channels came last",
     "wrong axis"),
    (checks.check_linear_as_conv, changed(lambda weight: weight.transpose(2, 3)),
     "rows and columns", "wrong axis"),
    (checks.check_linear_as_conv, changed(lambda weight: weight.flip(2, 3)), "turned by 180",
     "wrong formula"),
    (checks.check_linear_as_conv, lambda *a: linear_as_conv(*a, bias=False), "bias is not",
     "left-out step"),
    (checks.check_linear_as_conv, lambda *a: linear_as_conv(*a, padding=1), "no padding",
     "wrong formula"),
    (checks.check_linear_as_conv, lambda linear, c, s: linear_as_conv(linear, c, s, stride=s),
     "stride=1", "works for the shown case only"),
    (checks.check_linear_as_conv, lambda linear, c, s: nn.Conv2d(c, linear.out_features, 7),
     "covers the whole map", "works for the shown case only"),
    (checks.check_linear_as_conv, lambda linear, c, s: nn.Conv2d(c, linear.out_features, s),
     "copy linear.weight", "left-out step"),
    (checks.check_linear_as_conv, lambda linear, c, s: nn.Conv2d(c, linear.out_features, s - 1),
     "covers the whole map", "off by one"),
    (checks.check_linear_as_conv, conv_kept, "left behind from one call", "state left behind"),
    (checks.check_linear_as_conv, lambda linear, c, s: linear, "an nn.Conv2d is wanted", None),
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
