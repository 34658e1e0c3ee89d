"""The course's network, VGG-11's blocks and a pooled head, trained as PyTorch's users do."""

import sys
import time

import exchange
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch_vgg import (  # noqa: F401  (exchange asks for all of them)
    VERSIONS,
    export_weights,
    forward_backward,
    layer_shapes,
    load_weights,
    predict,
    sgd,
)

from d2lvgg import vgg_block

WAYS = {"eager": sgd}


def make_net(conv_arch, in_channels, num_classes, input_size=None, dropout=0.0):
    """Return the network; of input_size and dropout it needs none, and the others pass them."""
    blocks = []
    for num_convs, out_channels in conv_arch:
        blocks.append(vgg_block(num_convs, in_channels, out_channels))
        in_channels = out_channels
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(in_channels, num_classes))


def fit(net, data, recipe):
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(
        net.parameters(), lr=recipe['lr'],
        momentum=recipe['momentum'])
    train_iter = DataLoader(
        TensorDataset(torch.tensor(data['X']),
                      torch.tensor(data['y'])),
        batch_size=recipe['batch_size'])
    epochs = []
    for _ in range(recipe['num_epochs']):
        start, total, right = time.time(), 0, 0
        net.train()
        for X, y in train_iter:
            optimizer.zero_grad()
            y_hat = net(X)
            l = loss(y_hat, y)
            l.backward()
            optimizer.step()
            total += l.item() * len(y)
            right += (y_hat.argmax(1) == y).sum().item()
        epochs.append({
            'loss': total / len(data['y']),
            'train_acc': right / len(data['y']),
            'seconds': time.time() - start})
    return epochs


def save_and_load(net, folder, X):
    path = folder / 'net.pt'
    torch.save(net.state_dict(), path)
    again = make_net(*architecture(net))
    again.load_state_dict(
        torch.load(path, weights_only=True))
    return {'file_bytes': path.stat().st_size,
            'difference': float(
                abs(predict(again, X) - predict(net, X)).max())}


def architecture(net):
    """Return (conv_arch, in_channels, num_classes) of a network that make_net made."""
    blocks = [[layer for layer in block if isinstance(layer, nn.Conv2d)]
              for block in net if isinstance(block, nn.Sequential)]
    return ([(len(convs), convs[0].out_channels) for convs in blocks],
            blocks[0][0].in_channels, net[-1].out_features)


def probes():
    return {}


if __name__ == "__main__":
    exchange.main(sys.modules[__name__])
