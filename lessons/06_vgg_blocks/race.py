"""Trains small networks of two kinds of block, for the fair experiment of lesson 06."""

import time

import torch
from torch import nn

import d2lvgg

RATES = 0.01, 0.03, 0.1, 0.3  # that were tried for each design, with seeds 0 to 2


def small_net(block, channels):
    """Return three blocks, which leave 3x3 pixels, and a linear layer.

    block(a, b) makes a block that maps (B, a, H, W) to (B, b, H // 2, W // 2); channels are the
    three blocks'. Maps (B, 1, 28, 28) to (B, 10) logits.
    """
    blocks = [block(a, b) for a, b in zip((1, *channels), channels, strict=False)]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(channels[-1] * 3 * 3, 10))


def accuracy(block, channels, rate, seed, train_iter, test_iter):
    """Return the test accuracy after one epoch of SGD with momentum 0.9.

    The rate falls to zero in a straight line. Weights begin as He has them, biases at zero. The
    seed fixes the weights and the images' order.
    """
    torch.manual_seed(seed)
    net = small_net(block, channels)
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    net.to(train_iter.labels.device)
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, len(train_iter))
    for X, y in train_iter:  # (B, 1, 28, 28), (B,)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X), y).backward()
        optimizer.step()
        schedule.step()
    return d2lvgg.evaluate_accuracy(net, test_iter)


def times_in_turns(first, second, shape, pairs):
    """Return how many times second's seconds first takes for images of shape, for each pair.

    They run in turns, so that a slow moment of the machine hits both.
    """
    X = torch.randn(shape)

    def seconds_of(network):
        began = time.perf_counter()
        network(X)
        return time.perf_counter() - began

    with torch.no_grad():
        ratios = [seconds_of(first) / seconds_of(second) for _ in range(pairs + 1)]
    return ratios[1:]  # the first pair warms up


def best_rate(block, channels, train_iter, test_iter):
    """Return the rate of RATES with the best mean accuracy: how the lesson's two were chosen."""
    return max(RATES, key=lambda rate: sum(
        accuracy(block, channels, rate, seed, train_iter, test_iter) for seed in range(3)))
