"""Trains small networks on few images, for the experiment of lesson 02."""

import torch
from torch.nn import functional as F

import d2lvgg


def accuracy(make, seed, train_iter, test_iter, num_epochs, rate=0.02):
    """Return the test accuracy of make()'s network after num_epochs of SGD at this rate.

    The network maps (B, 1, 28, 28) to (B, 10) scores. The seed fixes its first weights and the
    images' order.
    """
    torch.manual_seed(seed)
    net = make().to(train_iter.labels.device)
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    for _ in range(num_epochs):
        for X, y in train_iter:  # (B, 1, 28, 28), (B,)
            optimizer.zero_grad()
            F.cross_entropy(net(X), y).backward()
            optimizer.step()
    return d2lvgg.evaluate_accuracy(net, test_iter)
