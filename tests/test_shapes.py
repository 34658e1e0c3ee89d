"""The tracer: the notes' thirteen lines, and counts that agree with a real forward pass."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from d2lvgg import VGG_ARCHS, alexnet, shrink, trace_shapes, vgg

THE_NOTES = """\
Sequential output shape:\t torch.Size([1, 64, 112, 112])
Sequential output shape:\t torch.Size([1, 128, 56, 56])
Sequential output shape:\t torch.Size([1, 256, 28, 28])
Sequential output shape:\t torch.Size([1, 512, 14, 14])
Sequential output shape:\t torch.Size([1, 512, 7, 7])
Flatten output shape:\t torch.Size([1, 25088])
Linear output shape:\t torch.Size([1, 4096])
ReLU output shape:\t torch.Size([1, 4096])
Dropout output shape:\t torch.Size([1, 4096])
Linear output shape:\t torch.Size([1, 4096])
ReLU output shape:\t torch.Size([1, 4096])
Dropout output shape:\t torch.Size([1, 4096])
Linear output shape:\t torch.Size([1, 10])"""


@pytest.fixture(scope="module")
def vgg11():
    with torch.device("meta"):
        return vgg(VGG_ARCHS["vgg11"])


def test_prints_the_notes_thirteen_lines(vgg11):
    assert str(trace_shapes(vgg11, (1, 1, 224, 224))) == THE_NOTES


@pytest.mark.parametrize("expand", [False, True])
def test_totals_are_the_measured_ones(vgg11, expand):
    table = trace_shapes(vgg11, (1, 1, 224, 224), expand=expand)
    assert table.params == 128_806_154
    assert round(table.flops / 1e9, 2) == 15.09
    linear = sum(row.params for row in table if row.layer == "Linear")
    assert round(100 * linear / table.params, 2) == 92.84


def test_agrees_with_a_real_forward_pass():
    net = vgg(shrink(VGG_ARCHS["vgg11"], 16), input_size=64, batch_norm=True)
    X = torch.rand(2, 1, 64, 64)
    table = trace_shapes(net, X.shape, expand=True)
    seen = []
    for layer in net.modules():
        if not isinstance(layer, nn.Sequential):
            layer.register_forward_hook(lambda _, __, out: seen.append(
                (out.shape, out.numel() * out.element_size())))
    with FlopCounterMode(display=False) as counter:
        net(X)
    assert [(row.output_shape, row.activation_bytes) for row in table] == seen
    assert table.flops == counter.get_total_flops()
    assert table.params == sum(p.numel() for p in net.parameters())


def test_leaves_the_network_as_it_was():
    net = vgg(((1, 4),), input_size=8, batch_norm=True)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    trace_shapes(net, (2, 1, 8, 8), expand=True)
    assert net.training
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


def test_shows_a_table_in_jupyter_and_gives_a_frame(vgg11):
    table = trace_shapes(vgg11, (1, 1, 224, 224), expand=True)
    assert "102,764,544" in table._repr_html_()  # the first linear layer's parameters
    assert table.to_frame().loc["2.0", "output_shape"] == (1, 256, 56, 56)
    assert len(table) == 29
    assert sum(row.params > 0 for row in table) == 11


@pytest.mark.parametrize(("shape", "words"), [
    ((1, 1, 96, 96), r"layer 6 \(Linear, weight \(4096, 25088\)\) refuses.*\(1, 4608\)"),
    ((1, 3, 224, 224), r"layer 0 \(Sequential, weight \(64, 1, 3, 3\)\) refuses.*\(1, 3, 224")])
def test_says_which_layer_refuses_what(vgg11, shape, words):
    with pytest.raises(ValueError, match=words):
        trace_shapes(vgg11, shape)


def test_alexnet_has_the_notes_shapes():
    table = trace_shapes(alexnet(), (1, 1, 224, 224))
    assert [row.output_shape[-1] for row in table if row.layer == "MaxPool2d"] == [26, 12, 5]
    assert table[0].output_shape == (1, 96, 54, 54)
    assert round(table.flops / 1e9, 2) == 1.88


def test_a_layer_that_stands_twice_comes_twice():
    pool = nn.MaxPool2d(2)
    block = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), pool)
    net = nn.Sequential(block, pool, nn.Sequential(pool), nn.Flatten())
    assert [row.output_shape[-1] for row in trace_shapes(net, (1, 1, 16, 16))] == [8, 4, 2, 8]
    assert [row.name for row in trace_shapes(net, (1, 1, 16, 16), expand=True)] == [
        "0.0", "0.1", "1", "2.0", "3"]


def test_buffers_that_no_state_dict_holds_are_traced_too():
    layer = nn.BatchNorm2d(2)
    layer.register_buffer("running_mean", torch.zeros(2), persistent=False)
    assert trace_shapes(nn.Sequential(layer), (1, 2, 4, 4))[0].output_shape == (1, 2, 4, 4)


class OwnOrder(nn.Sequential):
    def forward(self, X):
        return self[0](self[1](X))


@pytest.mark.parametrize("net", [OwnOrder(nn.ReLU(), nn.Flatten()), nn.Linear(2, 3)])
def test_what_has_its_own_forward_is_refused(net):
    with pytest.raises(ValueError, match="has a forward of its own.*give an nn.Sequential"):
        trace_shapes(net, (1, 2))


def test_a_block_with_its_own_forward_is_one_row():
    net = nn.Sequential(OwnOrder(nn.Linear(4, 3), nn.Flatten()))
    assert [row.layer for row in trace_shapes(net, (1, 1, 2, 2), expand=True)] == ["OwnOrder"]
