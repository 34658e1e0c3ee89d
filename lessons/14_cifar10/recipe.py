"""The recipe of lesson 14: its network, its nine ingredients, its training, its evaluation.

Whatever is not left out is in; benchmarks/cifar10_recipe.py runs the same code.
"""

import json
import warnings
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import d2lvgg
from d2lvgg.devices import pick_precision
from d2lvgg.fast_form import fast_form, outputs, restore_layout
from d2lvgg.memory import reused_memory

INGREDIENTS = ("batch norm", "four blocks", "one-cycle rate", "flips", "crops", "label smoothing",
               "weight decay", "averaging", "test-time flip")
LR, BATCH_SIZE, MOMENTUM, WEIGHT_DECAY, SMOOTHING, MOST = 0.1, 64, 0.9, 5e-4, 0.1, 2
MIDDLE = 0.45  # about the mean of CIFAR-10's pixels, taken away from each
RESULTS = Path(d2lvgg.__file__).parents[1] / "benchmarks" / "results"


def small_vgg(ratio=4, left_out=(), num_classes=10):
    """Return VGG-11's first four blocks, channels / ratio, a mean, a linear layer: (B, 10).

    Takes (B, 3, 32, 32). Without "four blocks" it has all five.
    """
    arch = d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], ratio)
    blocks, inputs = [], 3
    for num_convs, channels in arch[:4] if "four blocks" not in left_out else arch:
        blocks.append(d2lvgg.vgg_block(num_convs, inputs, channels, "batch norm" not in left_out))
        inputs = channels
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(inputs, num_classes))


def flip(X):
    """Return X (B, C, H, W), each image mirrored left to right or not, by its own toss."""
    mirrored = torch.rand(len(X), 1, 1, 1, device=X.device) < 0.5
    return torch.where(mirrored, X.flip(3), X)


def crop(X, most=MOST):
    """Return X (B, C, H, W), each image moved by up to most pixels each way, in a black frame."""
    side = X.shape[-1]
    framed = F.pad(X, [most] * 4)
    windows = framed.unfold(2, side, 1).unfold(3, side, 1)  # a view, (B, C, 5, 5, H, W)
    down, right = torch.randint(0, 2 * most + 1, (2, len(X)), device=X.device)
    return windows[torch.arange(len(X), device=X.device), :, down, right]


def make_optimizer(net, num_steps, lr, left_out=()):
    """Return SGD with momentum, and the schedule of its rate, which peaks at lr."""
    decay = 0.0 if "weight decay" in left_out else WEIGHT_DECAY
    weights = [p for p in net.parameters() if p.dim() > 1]
    others = [p for p in net.parameters() if p.dim() <= 1]  # biases, batch norm's scales
    optimizer = torch.optim.SGD(
        [{"params": weights, "weight_decay": decay}, {"params": others}],
        lr=lr, momentum=MOMENTUM, nesterov=True, fused=True)
    if "one-cycle rate" in left_out:  # flat, at half the peak: about the mean of the other
        for group in optimizer.param_groups:
            group["lr"] = lr / 2
        return optimizer, None
    num_steps = max(3, num_steps)  # OneCycleLR divides by zero below, and without two to rise in
    return optimizer, OneCycleLR(optimizer, lr, total_steps=num_steps,
                                 pct_start=max(0.25, 2 / num_steps), cycle_momentum=False)


def rates_of(num_steps, lr=LR):
    """Return the learning rate of each step of the one-cycle schedule."""
    weight = torch.zeros(1, 1, requires_grad=True)
    optimizer, schedule = make_optimizer(nn.ParameterList([weight]), num_steps, lr)
    rates = []
    for _ in range(num_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


@reused_memory()
def train(net, train_iter, num_epochs, left_out=(), lr=LR, after_epoch=None, checkpoint=None):
    """Train net on train_iter's device; return (net, average), both in evaluation mode.

    average is the network with the running average of the last weights. after_epoch, if given,
    is called with the epoch's number and the average after each epoch. checkpoint names a file
    that is written after each epoch; where it is there, training goes on from it.
    """
    device = train_iter.labels.device
    precision, num_steps = pick_precision("auto", device), num_epochs * len(train_iter)
    tricks = [trick for name, trick in (("flips", flip), ("crops", crop)) if name not in left_out]

    def augment(X):
        for trick in tricks:
            X = trick(X)
        return X

    train_iter = train_iter.replace(augment=augment)  # images are changed while they are bytes
    model, layout = fast_form(net.to(device).train())
    optimizer, schedule = make_optimizer(net, num_steps, lr, left_out)
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(1 - 1 / max(2, num_steps // 50)),
                            use_buffers=True)
    smoothing = 0.0 if "label smoothing" in left_out else SMOOTHING
    parts = {"net": net, "average": average, "optimizer": optimizer, "schedule": schedule}
    for epoch in range(1 + go_on(checkpoint, parts), num_epochs + 1):
        net.train()
        for X, y in train_iter:
            loss = F.cross_entropy(outputs(model, X - MIDDLE, precision), y,
                                   label_smoothing=smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if schedule:
                schedule.step()
            average.update_parameters(net)
        if after_epoch:
            after_epoch(epoch, average.module)
        save(checkpoint, parts, epoch)
    restore_layout(layout)
    return net.eval(), average.module.eval()


def save(checkpoint, parts, epoch):
    """Write what is needed to go on, under another name first, so that no half file is left."""
    if checkpoint:
        states = {name: part.state_dict() for name, part in parts.items() if part}
        new = Path(f"{checkpoint}.new")
        torch.save({**states, "epoch": epoch, "random": torch.get_rng_state()}, new)
        new.replace(checkpoint)


def go_on(checkpoint, parts):
    """Return how many epochs are done, after parts were set to what checkpoint holds, if any."""
    if not checkpoint or not Path(checkpoint).exists():
        return 0
    saved = torch.load(checkpoint, weights_only=True)
    for name, part in parts.items():
        if part:
            part.load_state_dict(saved[name])
    torch.set_rng_state(saved["random"])
    return saved["epoch"]


def scores(net, X, mirrored=True):
    """Return net's scores of images X (B, 3, H, W) in [0, 1]: (B, classes).

    mirrored adds those of the mirrored images: the test-time flip.
    """
    X = X - MIDDLE
    return net(X) + net(X.flip(3)) if mirrored else net(X)


def accuracy(net, test_iter, mirrored=True):
    """Return the fraction of test_iter's images that net, in evaluation mode, names rightly."""
    right = 0
    with torch.inference_mode():
        for X, y in test_iter.replace(batch_size=500):
            right += (scores(net, X, mirrored).argmax(dim=1) == y).sum().item()
    return right / len(test_iter.labels)


def one_run(left_out, train_iter, test_iter, num_epochs, seed, ratio=4, lr=LR, **options):
    """Return the test accuracy of a run without the ingredients left_out.

    Equal seeds give equal first weights, and equal orders of the images. Raises ValueError for an
    ingredient that there is not.
    """
    if unknown := set(left_out) - set(INGREDIENTS):
        raise ValueError(f"{min(unknown)!r} is no ingredient: choose of {', '.join(INGREDIENTS)}")
    torch.manual_seed(seed)
    net, average = train(small_vgg(ratio, left_out), train_iter, num_epochs, left_out, lr,
                         **options)
    return accuracy(net if "averaging" in left_out else average.eval(), test_iter,
                    mirrored="test-time flip" not in left_out)


def load(num_train, num_test, source="auto"):
    """Return (train_iter, test_iter) over CIFAR-10, and in words what it is.

    Where it cannot be had, drawn images take its place. Torch's global random numbers decide the
    order of the training images.
    """
    with warnings.catch_warnings(record=True):  # the words say it, without private paths
        warnings.simplefilter("always")
        train_iter, test_iter = d2lvgg.load_data_cifar10(
            BATCH_SIZE, num_train=num_train, num_test=num_test, source=source)
    if "sketch" in train_iter.source:
        return train_iter, test_iter, "drawn stand-in"
    copy = "image files" in train_iter.source
    return train_iter, test_iter, "recompressed CIFAR-10" if copy else "CIFAR-10"


def recorded(name):
    """Return the recorded results called name, or None where there are none."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def worth(record):
    """Return {ingredient: by how much accuracy falls without it}, the largest first.

    Each value is what d2lvgg.compare_paired finds over the record's seeds.
    """
    rows = record["accuracies"]
    found = {name: d2lvgg.compare_paired(rows["nothing"], rows[name])
             for name in INGREDIENTS if name in rows}
    return dict(sorted(found.items(), key=lambda item: -item[1].mean))


def in_words(names):
    """Return 'a, b and c', or 'none'."""
    *first, last = names or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


def long_in_words(long):
    """Return a sentence about a recorded longer run, or about there being none."""
    if not long:
        return ("A run on all 50,000 images takes an hour on two cores; "
                "`benchmarks/cifar10_recipe.py` says how to start one.")
    last = long["epochs"][-1]
    passed = [row["epoch"] for row in long["epochs"] if row["test_accuracy"] > 0.7405]
    words = (f"The same recipe with a network twice as wide ({long['parameters']:,} parameters) on "
             f"{long['num_train']:,} images of {long['data']}, seed {long['seeds'][0]}, reached "
             f"{last['test_accuracy']:.3f} after {last['epoch']} epochs and "
             f"{last['seconds'] / 60:.0f} minutes on {long['threads']} cores of a CPU")
    return words + (f"; it passed the notes in epoch {passed[0]}." if passed else ".")
