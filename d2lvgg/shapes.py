"""What happens inside a network, layer by layer, without running it."""

from collections import namedtuple

import torch
from torch import nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode


class LayerShape(namedtuple("LayerShape", "name layer output_shape params flops activation_bytes")):
    """One row of a ShapeTable.

    name is the layer's place in the network, '0', or '0.2' inside block 0; layer its class,
    'Conv2d'. In flops a multiply and an add count as two; activation_bytes are of the layer's
    output, whole batch.
    """


class ShapeTable(list):
    """Rows of LayerShape: prints the book's lines, shows a table in Jupyter.

    params, flops and activation_bytes are the sums over the rows.
    """

    params = property(lambda self: sum(row.params for row in self))
    flops = property(lambda self: sum(row.flops for row in self))
    activation_bytes = property(lambda self: sum(row.activation_bytes for row in self))

    def __str__(self):
        return "\n".join(f"{row.layer} output shape:\t {row.output_shape}" for row in self)

    def to_frame(self):
        """Return the rows as a pandas DataFrame, indexed by the layer's place."""
        import pandas as pd

        rows = [row._replace(output_shape=tuple(row.output_shape)) for row in self]
        return pd.DataFrame(rows).set_index("name")

    def _repr_html_(self):
        counts = ("params", "flops", "activation_bytes")
        return self.to_frame().to_html(formatters=dict.fromkeys(counts, "{:,}".format))


def trace_shapes(net, input_shape, expand=False):
    """Return a ShapeTable of what each layer of an nn.Sequential does to input_shape.

    expand=True opens every block into its layers. Nothing is computed or stored, so a network of
    any size takes milliseconds: shapes are worked out on PyTorch's meta device. Raises ValueError
    where a layer refuses its input, and where net is no nn.Sequential or has a forward of its own.
    Source: Dive into Deep Learning, section 8.2.2; torch.utils.flop_counter.
    """
    if getattr(type(net), "forward", None) is not nn.Sequential.forward:
        raise ValueError(f"{type(net).__name__} has a forward of its own, so the order of its "
                         "layers is not known: give an nn.Sequential")
    X = torch.empty(input_shape, device="meta")
    table = ShapeTable()
    for name, layer in open_blocks(net) if expand else net._modules.items():
        tensors = [*layer.named_parameters(), *layer.named_buffers()]
        weights = {key: value.to("meta") for key, value in tensors}
        try:
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                X = functional_call(layer, weights, X)
        except RuntimeError as error:
            weight = next((tuple(p.shape) for p in layer.parameters()), "none")
            raise ValueError(f"layer {name} ({type(layer).__name__}, weight {weight}) refuses an "
                             f"input of shape {tuple(X.shape)}: {error}") from None
        params = sum(p.numel() for p in layer.parameters())
        table.append(LayerShape(name, type(layer).__name__, X.shape, params,
                                counter.get_total_flops(), X.numel() * X.element_size()))
    return table


def open_blocks(net, place=""):
    """Yield (place, layer) of every layer of a Sequential, those inside inner ones included.

    A layer that stands in two places comes twice, as it runs twice.
    """
    for name, layer in net._modules.items():
        if type(layer).forward is nn.Sequential.forward:
            yield from open_blocks(layer, f"{place}{name}.")
        else:
            yield place + name, layer


def explain_refusal(net, X, error):
    """Return in one sentence why net, which raised error, does not take the batch X."""
    if X.dtype == torch.uint8:
        return "the images are bytes from 0 to 255: give float32 from 0 to 1, X.float() / 255"
    first = next((layer for layer in net.modules() if isinstance(layer, nn.Conv2d)), None)
    if first is not None and X.dim() == 4 and X.shape[1] != first.in_channels:
        return (f"the images have shape {tuple(X.shape)}, and the first convolution takes (batch, "
                f"{first.in_channels}, height, width): build it with in_channels={X.shape[1]}")
    try:
        trace_shapes(net, X.shape)
    except ValueError as refusal:
        if type(net).forward is nn.Sequential.forward:
            return str(refusal)
    return (f"the network fails on a batch of shape {tuple(X.shape)} and type {X.dtype}: {error}")
