"""The paper's table of VGG networks, and what draws and trains for lesson 12."""

import math

import torch
from matplotlib import pyplot as plt
from torch.nn import functional as F
from torchvision.models import get_model

import d2lvgg
from d2lvgg.display import BLUE, RED

# Simonyan and Zisserman 2014, table 1: the blocks of each column. A number is a 3x3 convolution
# with so many channels, 1x256 a 1x1 convolution with 256.
TABLE_1 = {
    "A": "64     | 128     | 256 256         | 512 512         | 512 512",
    "A-LRN": "64 LRN | 128     | 256 256         | 512 512         | 512 512",
    "B": "64 64  | 128 128 | 256 256         | 512 512         | 512 512",
    "C": "64 64  | 128 128 | 256 256 1x256   | 512 512 1x512   | 512 512 1x512",
    "D": "64 64  | 128 128 | 256 256 256     | 512 512 512     | 512 512 512",
    "E": "64 64  | 128 128 | 256 256 256 256 | 512 512 512 512 | 512 512 512 512",
}
# Table 3: top-1 error in percent, trained and tested on photographs of 256 pixels.
TOP1_ERROR = {"A": 29.6, "A-LRN": 29.7, "B": 28.7, "C": 28.1, "D": 27.0, "E": 27.3}
PARENTS = {"A-LRN": "A", "B": "A", "C": "B", "D": "C", "E": "D"}  # one change each


def losses_of(net, steps, lr=0.1):
    """Train net for that many steps on batches of 64 and return the loss of each: (steps,).

    Images of 32 pixels, the same in the same order at each call.
    """
    images, _ = d2lvgg.load_data_fashion_mnist(64, 32, num_train=64 * steps, num_test=64, seed=0)
    net.to(images.labels.device)
    sgd, losses = torch.optim.SGD(net.parameters(), lr), []
    for X, y in images:
        sgd.zero_grad()
        loss = F.cross_entropy(net(X), y)
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    return torch.tensor(losses)


def random_state(net):
    """Return random numbers for all of net's state_dict, such that scores neither fade nor grow.

    Weights are drawn by He's rule, all else from 0.5 to 1.5: variances must be above zero.
    """
    def fill(name, like):
        if name.endswith("num_batches_tracked"):
            return torch.tensor(0)
        if like.dim() > 1:
            return torch.nn.init.kaiming_uniform_(torch.empty(like.shape))
        return torch.rand(like.shape) + 0.5

    return {name: fill(name, like) for name, like in net.state_dict().items()}


def untrained(name):
    """Return torchvision's network of that name in evaluation mode, all its numbers zero.

    Drawing random weights would take longer than what is measured.
    """
    with torch.device("meta"):
        net = get_model(name)
    net.to_empty(device="cpu")
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.zero_()
    return net.eval()


def losses(curves, window=5):
    """Draw losses, {name: one per step}, as means of window steps; the dotted line is ln 10.

    Each curve has its name at its end; names that would touch are moved apart.
    """
    plt.figure(figsize=(6.6, 3.2), layout="constrained")
    ends = []
    for name, curve in curves.items():
        smooth = curve.unfold(0, window, 1).mean(dim=1)
        line, = plt.plot(range(window, len(curve) + 1), smooth, label=name)
        ends.append((smooth[-1].item(), len(curve), name, line.get_color()))
    plt.axhline(math.log(10), linestyle=":", color="black", linewidth=1.2)
    plt.annotate("ln 10", (0, math.log(10)), (0, 4), textcoords="offset points")
    plt.ylim(0, 2.8)
    plt.xlim(0, len(curve))
    plt.xlabel("step")
    plt.ylabel(f"loss, mean of {window} steps")
    gap, lowest = 0.075 * plt.ylim()[1], -math.inf
    for y, x, name, colour in sorted(ends):
        lowest = max(y, lowest + gap)
        plt.annotate(name, (x, lowest), (6, 0), textcoords="offset points", va="center",
                     color=colour, annotation_clip=False)
    plt.show()


def colour_of(name):
    return RED if name.startswith("vgg") else BLUE


# Where a name stands, in points from the middle of its bubble, and which side of it: the others
# stand above theirs.
PLACES = {"vgg19_bn": (0, 24), "vgg16": (0, -30), "vgg11": (0, -30), "resnet18": (0, -16),
          "squeezenet1_1": (0, -16), "densenet121": (0, -14), "alexnet": (0, -26)}


def zoo(points):
    """Draw networks, {name: (images per second, accuracy in %, parameters)}, as bubbles."""
    fig, axes = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
    for name, (speed, accuracy, params) in points.items():
        axes.scatter(speed, accuracy, s=params / 1.5e5, color=colour_of(name), alpha=0.35,
                     linewidths=0)
        axes.plot(speed, accuracy, ".", color=colour_of(name), markersize=4)
        axes.annotate(f"{name}, {params / 1e6:.0f}", (speed, accuracy), PLACES.get(name, (0, 7)),
                      textcoords="offset points", ha="center", size=9)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:g}"[0] in "25" else "")
    axes.margins(0.16)
    axes.set_xlabel("images per second, one thread (logarithmic)")
    axes.set_ylabel("published top-1 accuracy (%)")
    plt.show()


def bars(numbers, what):
    """Draw numbers, {network: number}, as bars, the largest on top."""
    order = sorted(numbers, key=numbers.get)
    fig, axes = plt.subplots(figsize=(6, 0.27 * len(order) + 0.8), layout="constrained")
    drawn = axes.barh(order, [numbers[name] for name in order], height=0.75,
                      color=[colour_of(name) for name in order])
    axes.bar_label(drawn, fmt="%.0f", padding=3, size=9)
    axes.tick_params(left=False)
    axes.set_xlabel(what)
    plt.show()
