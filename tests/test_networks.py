"""train takes every network that the book's loop takes, and gives the same losses."""

import random

import numpy as np
import pytest
import torch
from small_runs import book_loop, plain_loaders, small_net
from torch import nn
from torch.utils.data import DataLoader
from torchvision import models

from d2lvgg import evaluate_accuracy, train


class OwnForward(nn.Sequential):
    """Runs its layers in an order of its own."""

    def forward(self, X):
        last, first, pool = self
        return last(pool(first(X)).flatten(1))


class OutOfOrder(nn.Module):
    def __init__(self):
        super().__init__()
        self.second = nn.Conv2d(3, 4, 3)
        self.first = nn.Conv2d(1, 3, 3)
        self.head = nn.Linear(4 * 24 * 24, 10)

    def forward(self, X):
        return self.head(self.second(self.first(X)).relu().view(len(X), -1))  # not reshape


class Stateful(nn.Module):
    """Holds tensors that are no parameters, and decides by what it sees."""

    def __init__(self):
        super().__init__()
        self.inside = small_net()
        self.mean = torch.tensor(0.3)
        self.register_buffer("scale", torch.tensor(2.0), persistent=False)

    def forward(self, X):
        X = (X - self.mean) * self.scale
        return self.inside(-X if X.mean() > 0 else X)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.body = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.norm, self.head = nn.BatchNorm2d(4), nn.Linear(4 * 7 * 7, 10)

    def forward(self, X):
        X = nn.functional.max_pool2d(self.stem(X), 4)
        return self.head((X + self.norm(self.body(X))).relu().flatten(1))


class Tokens(nn.Module):
    """Takes whole numbers, and has sparse gradients."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(256, 4, sparse=True), nn.Linear(4, 10)

    def forward(self, X):
        return self.head(self.embedding((255 * X).long()).flatten(1, -2).mean(dim=1))


def one_pool_twice():
    pool, relu = nn.MaxPool2d(2), nn.ReLU()
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), relu, pool,
                         nn.Conv2d(4, 4, 3, padding=1), relu, pool,
                         nn.Flatten(), nn.Linear(4 * 7 * 7, 10))


def grey_to_colour():
    return nn.Sequential(nn.Upsample(scale_factor=0.5), nn.Conv2d(1, 3, 1), nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)), nn.Flatten(),
        nn.Linear(4 * 6 * 6, 10))


def tied():
    layer = nn.Linear(784, 784)
    return nn.Sequential(nn.Flatten(), layer, nn.ReLU(), layer, nn.Linear(784, 10))


def with_hooks():
    net = small_net()
    net[0].register_forward_hook(lambda _, __, out: print(out.sum().item()))
    net[3].register_full_backward_hook(lambda *_: None)
    return net


def lazy():
    return nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.LazyLinear(10))


def frozen():
    net = small_net(batch_norm=True)
    net[0].requires_grad_(False).eval()
    return net


def normed():
    net = small_net()
    nn.utils.parametrizations.weight_norm(net[3])
    nn.utils.parametrizations.weight_norm(net[0][0])
    return net


def volumes():
    return nn.Sequential(nn.Unflatten(1, (1, 1)), nn.Conv3d(1, 2, (1, 3, 3)), nn.ReLU(),
                         nn.Flatten(), nn.Linear(2 * 26 * 26, 10))


def recurrent():
    class LastStep(nn.Module):
        def forward(self, X):
            return X[0][:, -1]

    return nn.Sequential(nn.Flatten(1, 2), nn.GRU(28, 16, batch_first=True), LastStep(),
                         nn.Linear(16, 10))


def own_forward():
    return OwnForward(nn.Linear(4 * 13 * 13, 10), nn.Conv2d(1, 4, 3), nn.MaxPool2d(2))


ODD = [small_net, own_forward, OutOfOrder, Stateful, Residual, Tokens, one_pool_twice,
       grey_to_colour, tied, with_hooks, lazy, frozen, normed, volumes, recurrent]


def beside_the_book(make, loaders, epochs=1, lr=0.05, **options):
    """Return the losses of train and of the book's loop from one start, and their accuracies."""
    torch.manual_seed(0)
    net = make()
    torch.manual_seed(0)
    book_net = make()
    torch.manual_seed(1)
    history = train(net, *loaders(), epochs, lr, "cpu", precision="fp32", **options)
    torch.manual_seed(1)
    losses, accuracies = book_loop(book_net, *loaders(), epochs, lr)
    assert [row["test_acc"] for row in history.epochs] == accuracies
    assert evaluate_accuracy(net, loaders()[1], precision="fp32") == accuracies[-1]
    assert net.state_dict().keys() == book_net.state_dict().keys()
    return history.step_losses, losses, net, book_net


@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
def test_an_odd_network_trains_as_in_the_book(make):
    ours, book, net, book_net = beside_the_book(make, lambda: plain_loaders(48, 32), 2,
                                                channels_last=False)
    assert ours == book
    for name, value in net.state_dict().items():
        assert torch.equal(value, book_net.state_dict()[name]), name
    ours, book, *_ = beside_the_book(make, lambda: plain_loaders(48, 32), 2, lr=0.01)
    assert ours == pytest.approx(book, abs=1e-5)  # channels_last rounds in another order


def colour_batches(size):
    torch.manual_seed(2)
    batch = torch.rand(2, 3, size, size), torch.tensor([1, 7])
    return [batch, batch], [batch]


def narrow_vgg(**_):
    net = models.VGG(models.vgg.make_layers([8, "M", 8, "M"], batch_norm=True), init_weights=False)
    net.classifier = nn.Sequential(nn.Linear(8 * 7 * 7, 16), nn.ReLU(), nn.Dropout(),
                                   nn.Linear(16, 10))
    return net


FAMILIES = {
    "alexnet": (models.alexnet, 64), "convnext": (models.convnext_tiny, 32),
    "densenet": (lambda **_: models.DenseNet(8, (1, 2, 1, 1), 8, num_classes=10), 32),
    "efficientnet": (models.efficientnet_b0, 32),
    "googlenet": (lambda **options: models.googlenet(aux_logits=False, init_weights=False,
                                                     **options), 32),
    "inception": (lambda **options: models.inception_v3(aux_logits=False, init_weights=False,
                                                        **options), 75),
    "mnasnet": (models.mnasnet0_5, 32), "mobilenet_v2": (models.mobilenet_v2, 32),
    "mobilenet_v3": (models.mobilenet_v3_small, 32),
    "maxvit": (lambda **_: models.MaxVit((64, 64), 8, 4, [8, 8], [1, 1], 4, 0.1,
                                         num_classes=10), 64),
    "regnet": (models.regnet_y_400mf, 32), "resnet": (models.resnet18, 32),
    "shufflenet": (models.shufflenet_v2_x0_5, 32), "squeezenet": (models.squeezenet1_1, 32),
    "swin": (lambda **_: models.SwinTransformer([2, 2], 8, [2, 2], [2, 2], [2, 2],
                                                num_classes=10), 32),
    "vgg": (narrow_vgg, 32),
    "vit": (lambda **_: models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=10), 32),
}
SLOW = {"alexnet", "convnext", "inception"}  # over half a minute together


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in FAMILIES])
def test_each_family_of_torchvision_trains_as_in_the_book(name):
    make, size = FAMILIES[name]
    ours, book, *_ = beside_the_book(lambda: make(num_classes=10), lambda: colour_batches(size),
                                     lr=0.01)
    assert ours == book  # to the bit: with a forward of its own a network is called as it is
    assert len(ours) == 2


def test_every_family_is_there():
    families = {models.get_model_builder(name).__module__.rpartition(".")[2]
                for name in models.list_models(module=models)}
    there = {"mobilenetv2": "mobilenet_v2", "mobilenetv3": "mobilenet_v3",
             "shufflenetv2": "shufflenet", "swin_transformer": "swin",
             "vision_transformer": "vit"}
    assert {there.get(name, name) for name in families} == set(FAMILIES)


class Iterator(list):
    """A loader that counts its passes, and gives other batches in each."""

    passes = 0

    def __iter__(self):
        self.passes += 1
        return iter([(X * self.passes, y) for X, y in super().__iter__()])


class Drawing(torch.utils.data.Dataset):
    """Draws from every source of random numbers that there is."""

    def __len__(self):
        return 24

    def __getitem__(self, place):
        noise = random.random() + np.random.rand() + torch.rand(1, 28, 28)
        return noise / 3, place % 10


def drawing(**options):
    random.seed(3)
    np.random.seed(3)
    return DataLoader(Drawing(), 8, shuffle=True, **options), DataLoader(Drawing(), 8)


@pytest.mark.parametrize("loaders", [
    lambda: [list(loader) for loader in plain_loaders(48)],
    lambda: [Iterator(loader) for loader in plain_loaders(48)],
    drawing, lambda: drawing(drop_last=True, pin_memory=False),
    lambda: plain_loaders(48, num_workers=2, persistent_workers=True)],
    ids=["lists", "own", "drawing", "drop_last", "workers"])
def test_an_odd_loader_gives_the_books_losses(loaders):
    ours, book, *_ = beside_the_book(small_net, loaders, 2, channels_last=False)
    assert ours == book
