"""The trained network that the course ships: VGG-11 / 4 with batch norm and a pooled head.

It was trained once, by `python -m tools.pretrain`, and is frozen; its card says how.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .data import read_fashion_mnist, to_float
from .models import VGG_ARCHS, shrink, vgg_block

FOLDER = Path(__file__).with_name("weights")
WEIGHTS, CARD = "vgg11_4.safetensors", "card.json"
SIZE = 96  # pixels a side of the images that it was trained on in the end
# Three garments go through the course, by their places in the test set.
GARMENTS = {"sure": 0, "torn": 49, "wrong": 147}


def pooled_vgg(batch_norm=True):
    """Return an untrained VGG-11 / 4 whose head averages each feature map: 579,498 parameters.

    Maps (B, 1, H, W) to (B, 10) logits, for H and W of 32 pixels or more.
    Source: arXiv:1409.1556 for the blocks; M. Lin et al., arXiv:1312.4400, section 3.2, for the
    averaged maps.
    """
    blocks, in_channels = [], 1
    for num_convs, out_channels in shrink(VGG_ARCHS["vgg11"], 4):
        blocks.append(vgg_block(num_convs, in_channels, out_channels, batch_norm))
        in_channels = out_channels
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(in_channels, 10))


def pretrained(device=None, fold=True, folder=FOLDER):
    """Return the network that the course ships, trained, in evaluation mode.

    Maps (B, 1, H, W) in [0, 1] to (B, 10) logits; it was trained at net.size pixels a side, and
    net.card says how and how well. With fold, batch norm is in the convolutions, which is exact
    in evaluation; without, the network is as it was trained. Raises OSError where folder has none.
    """
    from safetensors.torch import load_file

    net = pooled_vgg()
    net.load_state_dict(load_file(folder / WEIGHTS))
    net.eval()
    net = fold_batch_norm(net) if fold else net
    net.card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    net.size = net.card["size"]
    return net.to(device or "cpu")


def fold_batch_norm(net):
    """Return net, a Sequential in evaluation mode, with each batch norm in its convolution."""
    layers = []
    for layer in net:
        if isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        else:
            layers.append(fold_batch_norm(layer) if isinstance(layer, nn.Sequential) else layer)
    return nn.Sequential(*layers).eval()


def garments(size=SIZE):
    """Return the course's three garments, X (3, 1, size, size) in [0, 1] and y (3,)."""
    X, y = (torch.tensor(part[list(GARMENTS.values())]) for part in read_fashion_mnist()[1])
    return to_float(X[:, None], size), y.long()
