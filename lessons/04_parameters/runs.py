"""LeNet as lesson 04 compares with it, and a training that keeps its losses."""

import torch
from torch import nn
from torch.nn import functional as F

import d2lvgg


def lenet():
    """Return the book's LeNet with ReLU for sigmoid and the largest for the mean in its pools."""
    new = {nn.Sigmoid: nn.ReLU, nn.AvgPool2d: lambda: nn.MaxPool2d(2)}
    return nn.Sequential(*[new[type(layer)]() if type(layer) in new else layer
                           for layer in d2lvgg.lenet()])


def losses_of(net, steps, lr=0.1):
    """Train net for that many steps on batches of 64 and return the loss of each: (steps,).

    The images and their order are the same at each call.
    """
    images, _ = d2lvgg.load_data_fashion_mnist(64, num_train=64 * steps, num_test=64, seed=0)
    net.to(images.labels.device)
    sgd, losses = torch.optim.SGD(net.parameters(), lr), []
    for X, y in images:
        sgd.zero_grad()
        loss = F.cross_entropy(net(X), y)
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    return torch.tensor(losses)
