"""Trains the small networks of lesson 10, with the book's plain SGD."""

import hashlib
import math

import torch
from torch import nn
from torch.nn import functional as F

import d2lvgg

# How each of the four runs was made to go wrong: images, epochs, learning rate.
SETTINGS = {"stalled": (512, 12, 1e-4), "diverging": (512, 12, 20.0),
            "overfitting": (128, 60, 0.1), "not converged": (2000, 4, 0.01)}
# A to D, in an order that nobody chose.
SHUFFLED = sorted(SETTINGS, key=lambda name: hashlib.md5(name.encode()).digest())
BLIND = math.log(10)  # the loss of a guess that gives each of ten classes the same probability


def parts(*counts, batch_size=32):
    """Return loaders over consecutive parts of Fashion-MNIST's training set, 28 pixels a side.

    The first one shuffles, by torch's global generator; the others, held-out images, do not.
    """
    everything, _ = d2lvgg.load_data_fashion_mnist(batch_size, num_test=1)
    start, loaders = 0, []
    for count in counts:
        chosen = slice(start, start + count)
        loaders.append(everything.replace(images=everything.images[chosen], shuffle=not start,
                                          labels=everything.labels[chosen]))
        start += count
    return loaders


def small_net(batch_norm=False, dropout=0.0):
    """Return two VGG blocks and a linear layer: (B, 1, 28, 28) -> (B, 10) logits."""
    return nn.Sequential(d2lvgg.vgg_block(1, 1, 16, batch_norm),
                         d2lvgg.vgg_block(1, 16, 32, batch_norm), nn.Flatten(),
                         nn.Dropout(dropout), nn.Linear(32 * 7 * 7, 10))


def one_epoch(net, images, lr, loss=F.cross_entropy):
    """Train net once over a loader, on the loader's device. Return the loss of each step."""
    net.to(images.labels.device).train()
    optimizer, losses = torch.optim.SGD(net.parameters(), lr=lr), []
    for X, y in images:  # (B, 1, 28, 28), (B,)
        optimizer.zero_grad()
        value = loss(net(X), y)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return losses


def ask(net, images):
    """Return how sure net, in evaluation mode, is of each class: (N, 10), on the CPU."""
    net.eval()
    with torch.no_grad():
        return torch.cat([net(X).softmax(dim=1) for X, _ in images]).cpu()


def four_runs(short=False):
    """Return four runs as dicts: letter, losses of each step, accuracies after each epoch.

    short takes a tenth of the work, for a trial.
    """
    found = []
    for letter, name in zip("ABCD", SHUFFLED, strict=True):
        count, epochs, lr = SETTINGS[name]
        count, epochs = (max(64, count // 5), max(2, epochs // 6)) if short else (count, epochs)
        few, _, held_out = parts(count, 4000 - count, 500)
        torch.manual_seed(1)
        net = small_net()
        run = {"letter": letter, "losses": [], "training": [], "held out": []}
        for _ in range(epochs):
            run["losses"] += one_epoch(net, few, lr)
            run["training"].append(d2lvgg.evaluate_accuracy(net, few))
            run["held out"].append(d2lvgg.evaluate_accuracy(net, held_out))
        found.append(run)
    return found


def ends(four):
    """Return {name: whether its run of the four ended as it was made to}."""
    found = {}
    for name, run in zip(SHUFFLED, four, strict=True):
        loss = sum(run["losses"][-10:]) / 10
        training, held_out = (run[which][-1] for which in ("training", "held out"))
        found[name] = {
            "stalled": abs(loss - BLIND) < 0.1,
            "diverging": not loss < BLIND + 0.5,
            "overfitting": training > 0.95 and held_out < training - 0.1,
            "not converged": loss < BLIND - 0.3 and abs(training - held_out) < 0.05
            and min(run["held out"][-1] - run["held out"][-2],
                    run["training"][-1] - run["training"][-2]) > 0.01}[name]
    return found
