"""Trains one small network once, for lesson 13: paired by seed, timed, tested."""

import time
from contextlib import nullcontext

import torch
from torch import nn
from torch.nn import functional as F

import d2lvgg
from d2lvgg.devices import has_fast_bf16
from d2lvgg.memory import reused_memory

BATCH_SIZE, LEARNING_RATE = 32, 0.1
EARLY = ((2, 8), (2, 16), (4, 32))  # eight convolutions, as VGG-11 has, and three pools


def small_net(conv_arch, side):
    """Return blocks of conv_arch, an average down to side x side places, one linear layer.

    Maps (B, 1, H, W) to (B, 10) logits; lesson 13 shows it.
    """
    blocks, channels = [], 1
    for num_convs, out_channels in conv_arch:
        blocks.append(d2lvgg.vgg_block(num_convs, channels, out_channels, batch_norm=True))
        channels = out_channels
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(side), nn.Flatten(),
                         nn.Linear(channels * side * side, 10))


def load(num_test):
    """Return (all training images, the first num_test test images) as loaders of 28 pixels."""
    return d2lvgg.load_data_fashion_mnist(BATCH_SIZE, num_test=num_test, seed=0)


def drawn(loader, num_images, size, seed):
    """Return a loader of num_images that the seed draws, at size pixels a side.

    The seed also sets their order in each epoch. A larger number with the same seed begins with
    the same images.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(loader.labels), generator=generator)[:num_images]
    chosen = chosen.to(loader.labels.device)
    order = torch.Generator(loader.labels.device).manual_seed(seed)
    return loader.replace(images=loader.images[chosen], labels=loader.labels[chosen], resize=size,
                          generator=order)


def train_once(net, loaders, size, num_images, num_epochs, seed):
    """Train net and return (test accuracy, seconds of training).

    SGD with momentum 0.9 and a rate that rises to 0.1 and falls again over all steps. The seed
    draws the images and their order; the first weights are the caller's.
    """
    everything, test_iter = loaders
    train_iter, device = drawn(everything, num_images, size, seed), everything.labels.device
    net = net.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(  # it would change the momentum, too
        optimizer, LEARNING_RATE, total_steps=num_epochs * len(train_iter), cycle_momentum=False)
    fast, began = has_fast_bf16(device), time.perf_counter()
    with reused_memory() if device.type == "cpu" else nullcontext():
        for _ in range(num_epochs):
            net.train()
            for X, y in train_iter:
                with torch.autocast(device.type, torch.bfloat16, enabled=fast):
                    loss = F.cross_entropy(net(X), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds = time.perf_counter() - began
        precision = "bf16" if fast else "fp32"
        at_size = test_iter.replace(resize=size, batch_size=4 * BATCH_SIZE)
        return d2lvgg.evaluate_accuracy(net, at_size, precision=precision), seconds
