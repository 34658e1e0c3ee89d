"""Small data sets and networks that train in a moment, for the tests of the training core."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from d2lvgg import data, vgg


def make_images(count, seed, channels=1):
    """Return bytes (count, channels, 28, 28) and labels: noise with a bar that stands for each."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    images = random.integers(0, 60, (count, channels, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 2 * label + 2:2 * label + 6, 4:24] += 150
    return images, labels


def plain_loaders(num_train=200, num_test=50, batch_size=16, shuffle=True, channels=1, **options):
    """Return (train_iter, test_iter) as anybody would make them."""
    sets = []
    for count, seed in ((num_train, 0), (num_test, 1)):
        images, labels = make_images(count, seed, channels)
        sets.append(TensorDataset(torch.tensor(images) / 255, torch.tensor(labels)))
    return (DataLoader(sets[0], batch_size, shuffle=shuffle, **options),
            DataLoader(sets[1], batch_size))


def own_loaders(num_train=64, num_test=16, batch_size=16, *, seed=0, resize=None, device="cpu",
                source="made up"):
    """Return (train_iter, test_iter) of the course's own kind."""
    return data.make_loaders(make_images(num_train, 0), make_images(num_test, 1),
                             batch_size=batch_size, resize=resize, device=device, num_train=None,
                             num_test=None, seed=seed, source=source, classes=())


def small_net(**options):
    torch.manual_seed(0)
    body = vgg(((1, 4), (1, 8)), input_size=28, **options)
    return nn.Sequential(*body[:3], nn.Linear(8 * 7 * 7, 32), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(32, 10))


def book_loop(net, train_iter, test_iter, num_epochs, lr):
    """Train as d2l.train_ch6 does, on the CPU; return the loss of each step and the accuracies."""
    def init_weights(layer):
        if type(layer) in (nn.Linear, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)

    net.apply(init_weights)
    optimizer, loss = torch.optim.SGD(net.parameters(), lr=lr), nn.CrossEntropyLoss()
    losses, accuracies = [], []
    for _ in range(num_epochs):
        net.train()
        for X, y in train_iter:
            optimizer.zero_grad()
            l = loss(net(X), y)
            l.backward()
            optimizer.step()
            losses.append(l.item())
        net.eval()
        with torch.no_grad():
            guesses = [(net(X).argmax(1) == y) for X, y in test_iter]
        accuracies.append(torch.cat(guesses).double().mean().item())
    return losses, accuracies
