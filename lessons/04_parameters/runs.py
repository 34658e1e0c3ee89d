"""LeNet as lesson 04 compares with it, a training that keeps its losses, and layers' outputs."""

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


def layers_and_outputs(net, X):
    """Run X through net; return its convolutions and linear layers, and the output of each.

    The outputs keep their gradients, which a backward pass would otherwise throw away.
    """
    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    outputs = []

    def keep(_layer, _inputs, output):  # PyTorch calls this hook when a layer has run
        output.retain_grad()
        outputs.append(output)

    hooks = [layer.register_forward_hook(keep) for layer in layers]
    net(X)
    for hook in hooks:
        hook.remove()
    return layers, outputs
