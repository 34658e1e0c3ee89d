"""VGG against torchvision's, weight for weight, and what it says to bad input."""

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from d2lvgg import VGG_ARCHS, alexnet, lenet, shrink, trace_shapes, vgg, vgg_block

archs = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 12)), min_size=1, max_size=4)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("name", VGG_ARCHS)
def test_logits_equal_torchvisions(name, batch_norm):
    with torch.device("meta"):  # neither draws weights of its own: both get the same ones below
        ours = vgg(VGG_ARCHS[name], in_channels=3, num_classes=1000, batch_norm=batch_norm)
        theirs = getattr(torchvision.models, name + "_bn" * batch_norm)()
    torch.manual_seed(0)
    state = {key: (torch.rand_like if "running_var" in key else torch.randn_like)(
                value, device="cpu", dtype=torch.float32) * 0.02 + ("running_var" in key)
             for key, value in theirs.state_dict().items() if value.is_floating_point()}
    counters = {key: torch.tensor(0) for key in theirs.state_dict() if key not in state}
    theirs.load_state_dict({**state, **counters}, assign=True)
    renamed = dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True))
    ours.load_state_dict(renamed, assign=True)
    X = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        expected, found = theirs.eval()(X), ours.eval()(X)
    assert expected.std() > 1e-6
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("net", "shape"), [(alexnet, (1, 1, 224, 224)), (lenet, (1, 1, 28, 28))])
def test_older_networks_end_in_as_many_numbers_as_classes(net, shape):
    assert net()(torch.rand(shape)).shape == (1, 10)
    assert net(3)(torch.rand(shape)).shape == (1, 3)


def test_parameter_counts_are_the_published_ones():
    def count(net):
        return sum(p.numel() for p in net.parameters())

    with torch.device("meta"):
        assert count(vgg(VGG_ARCHS["vgg11"])) == 128_806_154
        assert count(vgg(shrink(VGG_ARCHS["vgg11"], 4))) == 43_093_322
        assert count(alexnet()) == 46_764_746
        assert count(lenet()) == 61_706
        for name in VGG_ARCHS:
            published = torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"]
            assert count(vgg(VGG_ARCHS[name], in_channels=3, num_classes=1000)) == published


def test_vgg_block_is_the_books():
    layers = [type(layer) for layer in vgg_block(2, 3, 8)]
    assert layers == [nn.Conv2d, nn.ReLU, nn.Conv2d, nn.ReLU, nn.MaxPool2d]
    with_norm = [type(layer) for layer in vgg_block(1, 3, 8, batch_norm=True)]
    assert with_norm == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d]


@settings(deadline=None, max_examples=25)
@given(num_convs=st.integers(1, 3), channels=st.tuples(st.integers(1, 6), st.integers(1, 6)),
       size=st.tuples(st.integers(2, 15), st.integers(2, 15)))
def test_a_block_halves_any_picture(num_convs, channels, size):
    block = vgg_block(num_convs, *channels)
    assert block(torch.rand(2, channels[0], *size)).shape == (2, channels[1], size[0] // 2,
                                                             size[1] // 2)


@settings(deadline=None, max_examples=25)
@given(arch=archs, extra=st.integers(0, 20), in_channels=st.integers(1, 4),
       num_classes=st.integers(1, 12))
def test_any_arch_works_at_any_size_that_survives(arch, extra, in_channels, num_classes):
    size = 2 ** len(arch) + extra
    with torch.device("meta"):
        net = vgg(arch, in_channels=in_channels, num_classes=num_classes, input_size=size)
    table = trace_shapes(net, (2, in_channels, size, size), expand=True)
    assert table[-1].output_shape == (2, num_classes)
    assert sum(row.layer == "Conv2d" for row in table) == sum(n for n, _ in arch)


@settings(deadline=None)
@given(arch=archs, ratio=st.integers(1, 12))
def test_shrink_divides_or_refuses(arch, ratio):
    narrowest = min(channels for _, channels in arch)
    if ratio <= narrowest:
        assert shrink(arch, ratio) == tuple((n, channels // ratio) for n, channels in arch)
    else:
        with pytest.raises(ValueError, match=f"from 1 to {narrowest}"):
            shrink(arch, ratio)


@pytest.mark.parametrize(("arch", "words"), [
    ((), "give blocks"), (None, "give blocks"), (5, "give blocks"),
    ("vgg11", r"VGG_ARCHS\['vgg11'\]"), ("vgg12", "give blocks, such as"),
    (((1, 64), 128), "block 2 of conv_arch is 128"), (((1, 64, 3),), "block 1"),
    (((0, 64),), "above zero"), (((1, 0),), "above zero"), (((1.0, 64),), "whole"),
    (((True, 64),), "whole"), (((1, "64"),), "whole")])
def test_a_malformed_arch_is_refused_in_words(arch, words):
    with pytest.raises(ValueError, match=words):
        vgg(arch)
    with pytest.raises(ValueError, match=words):
        shrink(arch, 1)


def test_too_small_a_picture_is_refused_with_the_smallest_that_works():
    with pytest.raises(ValueError, match="input_size 31 does not survive 5 pools.*at least 32"):
        vgg(VGG_ARCHS["vgg11"], input_size=31)
    with torch.device("meta"):
        assert vgg(VGG_ARCHS["vgg11"], input_size=32)[6].in_features == 512


@pytest.mark.parametrize("size", [0, -1, 2.5, "224", None, (224, 224), True])
def test_a_size_that_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match="input_size is"):
        vgg(VGG_ARCHS["vgg11"], input_size=size)


@pytest.mark.parametrize("ratio", [0, -4, 2.0, "4", None])
def test_a_ratio_that_is_no_ratio_is_refused(ratio):
    with pytest.raises(ValueError, match="ratio is"):
        shrink(VGG_ARCHS["vgg11"], ratio)
