"""The form in which a network computes fastest, where nothing can tell the difference."""

import torch
from torch import nn
from torch.nn.modules import module

from .devices import autocast

HOOKS = ("forward_pre", "forward", "backward_pre", "backward")


def fast_form(net):
    """Return (model, layout): net's layers as they compute fastest, and how its weights lay.

    In model, which shares net's layers, each ReLU before a max-pool stands behind it, and the
    convolutions' weights are channels_last. layout is for restore_layout. Where code other than
    PyTorch's could see that, which is in a forward of one's own or a hook, model is net itself.
    """
    watched = any(getattr(module, f"_global_{kind}_hooks") for kind in HOOKS)
    if watched or not all(map(is_plain, net.modules())):
        return net, []
    layout = [(tensor, tensor.stride()) for tensor in net.parameters() if tensor.dim() == 4]
    for tensor, _ in layout:
        tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)
    return nn.Sequential(pool_first(net)), layout


def is_plain(layer):
    """Return whether layer is PyTorch's own, runs its own forward, and has no hooks."""
    own = type(layer).__module__.startswith("torch.nn.modules.") and "forward" not in vars(layer)
    return own and not any(getattr(layer, f"_{kind}_hooks") for kind in HOOKS)


def pool_first(net):
    """Return net, its layers shared, with each ReLU that stands before a max-pool after it.

    The two commute: the largest of four clipped numbers is the clipped largest. A 2x2 pool leaves
    ReLU a quarter of the numbers to read and write.
    """
    if type(net) is not nn.Sequential:
        return net
    layers = [pool_first(layer) for layer in net]
    for place, (first, second) in enumerate(zip(layers, layers[1:], strict=False)):
        if (type(first) is nn.ReLU and type(second) is nn.MaxPool2d
                and not second.return_indices):
            layers[place:place + 2] = second, first
    return nn.Sequential(*layers)


def restore_layout(layout):
    """Lay weights, and their gradients, out in memory as they were before fast_form."""
    for weight, stride in layout:
        for tensor in (weight, weight.grad):
            if tensor is not None and tensor.stride() != stride:
                tensor.data = torch.empty_strided(
                    tensor.shape, stride, dtype=tensor.dtype, device=tensor.device).copy_(tensor)


def outputs(model, X, precision):
    """Return model(X), computed in precision."""
    with autocast(X.device, precision):
        y_hat = model(X)
    return y_hat if precision == "fp32" else y_hat.float()
