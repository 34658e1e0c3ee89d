"""Transfer from six classes to four others of which ten images each are known."""

import copy

import torch
from torch import nn

from d2lvgg.exercises import of_lesson

recipe = of_lesson("14", "recipe")
OLD, NEW = (0, 1, 2, 3, 4, 5), (6, 7, 8, 9)
PER_CLASS, NUM_EPOCHS, BATCH_SIZE = 10, 30, 20


class Frozen(nn.Module):
    """The blocks of a trained network, kept as they are, and a new linear layer: (B, num_classes).

    train() leaves the blocks in evaluation mode, so that batch norm's averages stay as well.
    """

    def __init__(self, net, num_classes):
        super().__init__()
        self.blocks = copy.deepcopy(net[:-1]).requires_grad_(False)
        self.head = nn.Linear(net[-1].in_features, num_classes)
        self.to(net[-1].weight.device).train()

    def train(self, mode=True):
        super().train(mode)
        self.blocks.eval()
        return self

    def forward(self, X):
        return self.head(self.blocks(X))


def drifting(net, num_classes):
    """Return what is often published as frozen: parameters alone, and batch norm's averages not."""
    new = copy.deepcopy(net).requires_grad_(False)
    new[-1] = nn.Linear(net[-1].in_features, num_classes).to(net[-1].weight.device)
    return new


def fine_tuned(net, num_classes):
    """Return net with a new last layer, all of it to be trained further."""
    return drifting(net, num_classes).requires_grad_(True)


def from_nothing(net, num_classes):
    """Return a new network of the same shape: nothing of net's weights is in it."""
    ratio = 512 // net[-1].in_features
    return recipe.small_vgg(ratio, num_classes=num_classes).to(net[-1].weight.device)


ARMS = {"from nothing": (from_nothing, 0.1), "fine-tuned": (fine_tuned, 0.02),
        "frozen": (Frozen, 0.1)}


def classes_of(loader, classes, per_class=None, seed=None):
    """Return loader with the images of classes alone, numbered from 0.

    per_class takes that many of each, drawn by seed.
    """
    places = [(loader.labels == label).nonzero().flatten().cpu() for label in classes]
    if per_class:
        generator = torch.Generator().manual_seed(seed)
        places = [p[torch.randperm(len(p), generator=generator)[:per_class]] for p in places]
    labels = torch.cat([torch.full((len(p),), new) for new, p in enumerate(places)])
    chosen = torch.cat(places).to(loader.labels.device)
    return loader.replace(images=loader.images[chosen], labels=labels.to(chosen.device),
                          classes=tuple(loader.classes[label] for label in classes))


def learn_four(make, lr, net, train_iter, test_iter, seed, num_epochs=NUM_EPOCHS):
    """Return the test accuracy on NEW after training make(net, 4) on ten images of each class."""
    few = classes_of(train_iter, NEW, PER_CLASS, seed).replace(batch_size=BATCH_SIZE)
    torch.manual_seed(seed)
    new, average = recipe.train(make(net, len(NEW)), few, num_epochs, lr=lr)
    return recipe.accuracy(average, classes_of(test_iter, NEW))
