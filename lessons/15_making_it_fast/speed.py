"""Lesson 15's tools: a ratio with its interval, a short profiler table, layers under the roof."""

import os
import time
from collections import namedtuple

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, NullFormatter
from PIL import Image
from torch import nn
from torch.autograd import DeviceType
from torch.nn import functional as F
from torchvision import transforms

from d2lvgg import compare_paired
from d2lvgg.display import BLUE, GREEN, ORANGE, RED

# PyTorch's profiler else writes a line of its own at each start and end.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")


class Ratio(namedtuple("Ratio", "mean low high pairs")):
    """How many times as fast: the geometric mean over pairs of runs, and its 95 % interval."""

    @property
    def verdict(self):
        """What the interval allows to say."""
        return "faster" if self.low > 1 else "slower" if self.high < 1 else "no difference shown"

    def __repr__(self):
        return (f"{self.mean:.2f} times as fast, 95 % interval {self.low:.2f} to {self.high:.2f} "
                f"({self.pairs} pairs): {self.verdict}")


def ratio_of(slow, fast):
    """Return the Ratio of paired seconds: slow[i] and fast[i] were measured next to each other."""
    found = compare_paired(np.log(slow), np.log(fast))  # a ratio is a difference of logarithms
    return Ratio(*map(float, np.exp(found[:3])), len(slow))


def one_by_one(images, size):
    """Enlarge bytes (B, 28, 28), as the book's loader does: (B, 1, size, size) in [0, 1]."""
    enlarge = transforms.Compose([transforms.Resize(size), transforms.ToTensor()])
    return torch.stack([enlarge(Image.fromarray(image)) for image in images])


def rows_of(prof):
    """Return [(name, calls, own ms, ms with what it calls, share of all own ms)], most first."""
    rows = [row for row in prof.key_averages() if row.device_type == DeviceType.CPU]
    clock = "device" if any(row.self_device_time_total for row in rows) else "cpu"
    found = [(row.key, row.count, getattr(row, f"self_{clock}_time_total") / 1000,
              getattr(row, f"{clock}_time_total") / 1000) for row in rows]
    total = sum(own for _, _, own, _ in found) or 1.0
    return sorted(((*row, row[2] / total) for row in found), key=lambda row: -row[2])


def table(prof, rows=8):
    """Print a profile's first rows, the largest own time first."""
    print(f"{'operation':36} {'calls':>6} {'own ms':>8} {'with calls':>11} {'share':>6}")
    for name, calls, own, whole, share in rows_of(prof)[:rows]:
        name = name.replace("autograd::engine::evaluate_function", "engine")
        print(f"{name[:36]:36} {calls:6} {own:8.1f} {whole:11.1f} {share:6.0%}")


def share(prof, *words):
    """Return the share of own time of the operations whose name has one of words in it."""
    return sum(row[4] for row in rows_of(prof) if any(word in row[0] for word in words))


def flops_and_bytes(layer, shape, itemsize):
    """Return a 3x3 convolution's FLOPs on a batch (B, C, H, W), and the bytes that it must move.

    Each gradient is a convolution of the same size: it has the same FLOPs, and reads or writes the
    same three tensors (maps before, weights, maps after).
    """
    batch, channels, height, width = shape
    places = batch * height * width
    flops = 2 * layer.weight.numel() * places
    numbers = channels * places + layer.weight.numel() + layer.out_channels * places
    return flops, numbers * itemsize


WAYS = {"forward": None, "input gradient": [True, False, False],
        "weight gradient": [False, True, False]}


def time_convolutions(net, shape, dtype, seconds, repeats=5):
    """Return [(way, number, FLOPs, bytes, seconds)] of net's convolutions, the best of repeats.

    way is one of WAYS; the first convolution needs no input gradient. shape is that of a batch.
    seconds is a function that times a call. Layers are those of an nn.Sequential of blocks.
    """
    found, number = [], 0
    device = next(net.parameters()).device
    for layer in (layer for block in net for layer in getattr(block, "children", list)()):
        if isinstance(layer, nn.MaxPool2d):
            shape = (*shape[:2], shape[2] // 2, shape[3] // 2)
        if not isinstance(layer, nn.Conv2d):
            continue
        number += 1
        lay = {"dtype": dtype, "memory_format": torch.channels_last}
        X = torch.rand(shape, device=device).to(**lay)
        W = layer.weight.detach().to(**lay)
        with torch.no_grad():
            Y = F.conv2d(X, W, padding=1)
        for way, mask in WAYS.items():
            if way == "input gradient" and number == 1:
                continue

            def run(X=X, W=W, Y=Y, mask=mask):
                if mask is None:
                    F.conv2d(X, W, padding=1)
                else:
                    torch.ops.aten.convolution_backward(
                        Y, X, W, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask)

            with torch.no_grad():
                run()
                best = min(seconds(run) for _ in range(repeats))
            found.append((way, number, *flops_and_bytes(layer, shape, dtype.itemsize), best))
        shape = (shape[0], layer.out_channels, *shape[2:])
    return found


def fastest_arithmetic(device, dtype, seconds, repeats=10):
    """Return the most FLOP/s found: of a large matrix product and of large convolutions.

    Either can be the faster one: their code comes from different libraries.
    """
    square = torch.randn(1024, 1024, device=device).to(dtype)
    lay = {"dtype": dtype, "memory_format": torch.channels_last}
    X = torch.randn(32, 128, 24, 24, device=device).to(**lay)
    W = torch.randn(128, 128, 3, 3, device=device).to(**lay)
    found = []
    with torch.no_grad():
        for flops, work in ((2 * 1024**3, lambda: square @ square),
                            (2 * W.numel() * 32 * 24**2, lambda: F.conv2d(X, W, padding=1))):
            work()
            found.append(flops / min(seconds(work) for _ in range(repeats)))
    return max(found)


def mean_rate(points, way):
    """Return the FLOP/s of one way through all convolutions but the first, taken together."""
    mine = [(flops, spent) for w, number, flops, _, spent in points if w == way and number > 1]
    return sum(flops for flops, _ in mine) / sum(spent for _, spent in mine)


def draw_roofline(points, peak, bandwidth):
    """Draw the roof (FLOP/s, bytes/s) and time_convolutions' points under it."""
    fig, axis = plt.subplots(figsize=(6.6, 3.8), layout="constrained")
    per_byte = sorted({flops / moved for _, _, flops, moved, _ in points})
    low, high = min(per_byte[0], peak / bandwidth) / 2.2, max(per_byte[-1], peak / bandwidth) * 2
    ridge = peak / bandwidth
    axis.loglog([low, ridge, high], [low * bandwidth / 1e9, peak / 1e9, peak / 1e9], color="black")
    for way, colour, marker in zip(WAYS, (BLUE, ORANGE, RED), "os^", strict=True):
        mine = [(f / b, f / s / 1e9) for w, _, f, b, s in points if w == way]
        axis.plot(*zip(*mine, strict=True), marker, color=colour, markersize=6, label=way)
    bottom = min(f / s for _, _, f, _, s in points) / 1e9
    same = {}
    for way, number, flops, moved, _ in points:  # layers with the same intensity share a name
        if way == "forward":
            same.setdefault(flops / moved, []).append(str(number))
    last, row = 0.0, 0
    for x, numbers in sorted(same.items()):
        row = (row + 1) % 3 if last and x / last < 1.35 else 0  # too near: a row further down
        last = x
        axis.text(x, bottom / (1.7, 2.4, 3.4)[row], ", ".join(numbers), ha="center", va="center")
    axis.text(low * 1.1, bottom / 5.2, "number of the convolution, above its intensity", size=10,
              color="0.3", va="center")
    axis.set(xlim=(low, high), ylim=(bottom / 7.5, peak / 1e9 * 2.2),
             xlabel="FLOP per byte moved (arithmetic intensity)", ylabel="GFLOP/s")
    axis.text(high, peak / 1e9 * 1.12, "limit of arithmetic ", ha="right", va="bottom")
    for each in (axis.xaxis, axis.yaxis):
        each.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        each.set_minor_formatter(NullFormatter())
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=3, handletextpad=0.1)
    plt.show()


def draw_ratios(found):
    """Draw {change: Ratio} as points with their intervals; what may be 1 is grey."""
    fig, axis = plt.subplots(figsize=(6.6, 0.6 + 0.42 * len(found)), layout="constrained")
    colours = {"faster": BLUE, "slower": RED}
    for row, ratio in enumerate(found.values()):
        colour = colours.get(ratio.verdict, "0.55")
        axis.plot([ratio.low, ratio.high], [row, row], "-", color=colour)
        axis.plot(ratio.mean, row, "o", color=colour)
        axis.text(1.02, row, f"{ratio.mean:.2f}", va="center", color=colour, weight="bold",
                  transform=axis.get_yaxis_transform())
    axis.axvline(1, color="black", linewidth=1)
    axis.set_yticks(range(len(found)), list(found))
    axis.invert_yaxis()
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    ticks = [step * 10.0**power for power in range(-3, 4) for step in (1, 2, 5)]
    axis.set_xticks(shown := [tick for tick in ticks if low <= tick <= high],
                    [f"{tick:g}" for tick in shown])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set(xlabel="times as fast, with 95 % interval (logarithmic)", ylabel="change")
    plt.show()


def draw_sweep(sizes, rates):
    """Draw images/s over the batch size."""
    fig, axis = plt.subplots(figsize=(6, 2.8), layout="constrained")
    axis.plot(sizes, rates, "o-", color=BLUE)
    axis.set_xscale("log", base=2)
    axis.set_xticks(sizes, sizes)
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set(ylim=(0, 1.2 * max(rates)), xlabel="images per batch (logarithmic)",
             ylabel="images/s, forward")
    axis.annotate("the boot alone", (sizes[0], rates[0]), (2, -20), textcoords="offset points",
                  color=GREEN, weight="bold")
    axis.plot(sizes[0], rates[0], "s", color=GREEN, markersize=8)
    plt.show()


class Queue:
    """A stand-in for a GPU: Python needs python seconds to order a step, the GPU gpu to do it."""

    def __init__(self, python, gpu):
        self.python, self.gpu, self.free = python, gpu, 0.0

    def step(self):
        """Order a step; return before it is done."""
        time.sleep(self.python)
        self.free = max(self.free, time.perf_counter()) + self.gpu

    def item(self):
        """Wait for the last step's loss, as a number."""
        time.sleep(max(0.0, self.free - time.perf_counter()))
        return 0.0
