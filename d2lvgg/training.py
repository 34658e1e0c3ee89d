"""The training loop: the book's train_ch6, timed honestly, drawn live, safe to interrupt."""

import time
from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from .live import LiveAnimator
from .scale import has_fast_bf16, try_gpu
from .shapes import trace_shapes

POINTS_PER_EPOCH = 20  # on the plot; each one waits for the device


@dataclass
class History:
    """What a training run did. One row an epoch; loss and accuracies are means over examples."""

    device: str
    precision: str
    data: str = ""  # where the pictures came from
    epochs: list = field(default_factory=list)  # dicts, see to_frame
    step_losses: list = field(default_factory=list)  # the loss of every step, in order
    interrupted: bool = False
    animator: object = None  # the LiveAnimator, for .save(path)

    def to_frame(self):
        """Return a DataFrame: train_loss, train_acc, test_acc, seconds and examples/s an epoch.

        seconds is wall-clock from asking for the first batch to knowing the test accuracy, and
        examples_per_sec divides the training examples by it. book_examples_per_sec is the figure
        that the book's timer gives: it leaves out loading, plotting and evaluation.
        """
        return pd.DataFrame(self.epochs).set_index("epoch") if self.epochs else pd.DataFrame()

    def __str__(self):
        if not self.epochs:
            return "interrupted before the end of the first epoch"
        last, table = self.epochs[-1], self.to_frame()
        rate = table.examples.sum() / table.seconds.sum()
        book_rate = table.examples.sum() / table.book_seconds.sum()
        lines = [f"loss {last['train_loss']:.3f}, train acc {last['train_acc']:.3f}, "
                 f"test acc {last['test_acc']:.3f}",
                 f"{rate:.1f} examples/sec on {self.device} in {self.precision} "
                 f"(by the book's timer: {book_rate:.1f})"]
        if self.interrupted:
            lines.append(f"interrupted after {len(self.epochs)} whole epochs")
        if "sketch" in self.data:
            lines.append("trained on drawn sketches: these compare with nothing published")
        return "\n".join(lines)


def train(net, train_iter, test_iter, num_epochs, lr, device=None, *, precision="auto",
          channels_last=True, init_weights=True):
    """Train net by SGD with a live plot, as d2l.train_ch6 does, and return a History.

    Batches are (X, y) with X (B, C, H, W) and y (B,). device None means a GPU where there is one.
    precision 'auto' computes in bfloat16 where the device has it in hardware, 'fp32' and 'bf16'
    insist; weights stay float32. With 'fp32' and channels_last=False every step's loss is the
    book's. init_weights=False keeps the weights that net has. Ctrl-C ends the run early and
    returns the History so far. Raises ValueError on bad arguments and on pictures that net does
    not take.
    Source: Dive into Deep Learning, section 7.6; the first edition's train_ch6.
    """
    check_arguments(train_iter, num_epochs, lr, precision)
    device = try_gpu() if device is None else torch.device(device)
    if precision == "auto":
        precision = "bf16" if has_fast_bf16(device) else "fp32"
    if init_weights:
        net.apply(init_xavier)
    print("training on", device)
    net.to(device, memory_format=torch.channels_last if channels_last else torch.preserve_format)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    loss = nn.CrossEntropyLoss()
    history = History(str(device), precision, getattr(train_iter, "source", ""))
    progress = Progress(history, num_epochs, len(train_iter))
    try:
        for epoch in range(num_epochs):
            net.train()
            for X, y in progress.batches(epoch, train_iter):
                X, y = X.to(device), y.to(device)
                if progress.batch == 0:
                    check_pictures(net, X)
                optimizer.zero_grad()
                with autocast(device, precision):
                    y_hat = net(X)
                l = loss(y_hat.float(), y)
                l.backward()
                optimizer.step()
                progress.step(l, y_hat, y)
            progress.end_epoch(evaluate_accuracy(net, test_iter, device, precision=precision))
    except KeyboardInterrupt:
        history.interrupted = True
    progress.close()
    print(history)
    return history


def init_xavier(layer):
    """Fill a linear or convolutional layer's weights as d2l.train_ch6 does."""
    if type(layer) in (nn.Linear, nn.Conv2d):
        nn.init.xavier_uniform_(layer.weight)


def autocast(device, precision):
    """Return the context in which convolutions and matrix products run in bfloat16, or do not."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def evaluate_accuracy(net, data_iter, device=None, *, precision="fp32"):
    """Return the fraction of examples that net classifies rightly, each counted once.

    net is left in the mode, training or evaluation, that it came in. device None means where its
    parameters are. Raises ValueError where data_iter holds nothing.
    """
    device = next(net.parameters()).device if device is None else torch.device(device)
    was_training, right, examples = net.training, 0, 0
    net.eval()
    try:
        with torch.inference_mode(), autocast(device, precision):
            for X, y in data_iter:
                X, y = X.to(device), y.to(device)
                if not examples:
                    check_pictures(net, X)
                right += (net(X).argmax(dim=1) == y).sum()  # stays on the device
                examples += len(y)
    finally:
        net.train(was_training)
    if not examples:
        raise ValueError("there are no examples to evaluate on: data_iter is empty")
    return int(right) / examples


class Progress:
    """Keeps the accounts of a training run: sums, clocks, the plot and the terminal's bar.

    Sums stay on the device until a point is due, so that a GPU is not made to wait every step.
    """

    def __init__(self, history, num_epochs, num_batches):
        self.history, self.num_epochs, self.num_batches = history, num_epochs, num_batches
        self.animator = history.animator = LiveAnimator(
            xlabel="epoch", xlim=[0, num_epochs], ylim=[0, 2.4], figsize=(4.5, 3),
            legend=["train loss", "train acc", "test acc"])
        self.bar = tqdm(total=num_epochs, unit="epoch", disable=None, smoothing=0,
                        bar_format="{l_bar}{bar}| {n:.2f}/{total} epochs, {elapsed} gone, "
                                   "{remaining} left{postfix}")
        self.began, self.all_examples, self.pending = time.perf_counter(), 0, []

    def batches(self, epoch, train_iter):
        """Yield the batches of train_iter, timing how long each is waited for."""
        self.epoch, self.batch, self.examples, self.loss_sum, self.right = epoch, 0, 0, 0.0, 0
        self.epoch_began = time.perf_counter()
        self.waited, self.drawn_before = 0.0, self.animator.seconds_drawing
        batches = iter(train_iter)
        while True:
            asked = time.perf_counter()
            batch = next(batches, None)
            self.waited += time.perf_counter() - asked
            if batch is None:
                break
            yield batch
        self.fetch()
        if not self.examples:
            raise ValueError(f"train_iter gave no batch in epoch {epoch + 1}: give a loader that "
                             "can be gone through once an epoch")

    def step(self, loss, y_hat, y):
        """Take note of one step; every so often add a point to the plot."""
        with torch.no_grad():
            self.pending.append((len(y), loss.detach(), (y_hat.argmax(dim=1) == y).sum()))
        self.batch += 1
        self.bar.update(1 / self.num_batches)
        if (self.batch % max(1, self.num_batches // POINTS_PER_EPOCH) == 0
                or self.batch == self.num_batches):
            self.fetch()
            means = self.loss_sum / self.examples, self.right / self.examples
            self.add_point(self.epoch + self.batch / self.num_batches, (*means, None))

    def end_epoch(self, test_acc):
        """Write the epoch's row into the History."""
        self.add_point(self.epoch + 1, (None, None, test_acc))
        self.history.epochs.append({
            "epoch": self.epoch + 1, "train_loss": self.loss_sum / self.examples,
            "train_acc": self.right / self.examples, "test_acc": test_acc,
            "examples": self.examples, "seconds": time.perf_counter() - self.epoch_began,
            "book_seconds": self.book_seconds})
        row = self.history.epochs[-1]
        row["examples_per_sec"] = row["examples"] / row["seconds"]
        row["book_examples_per_sec"] = row["examples"] / row["book_seconds"]

    def fetch(self):
        """Bring the pending sums from the device."""
        if self.pending:
            sizes, losses, rights = zip(*self.pending, strict=True)
            self.pending = []
            losses = torch.stack(losses).tolist()
            self.history.step_losses += losses
            self.loss_sum += sum(n * l for n, l in zip(sizes, losses, strict=True))
            self.right += int(torch.stack(rights).sum())
            self.examples += sum(sizes)
            self.all_examples += sum(sizes)
        drawn = self.animator.seconds_drawing - self.drawn_before
        self.book_seconds = time.perf_counter() - self.epoch_began - self.waited - drawn

    def add_point(self, x, values):
        elapsed = time.perf_counter() - self.began
        rate = self.all_examples / elapsed
        left = tqdm.format_interval(elapsed * (self.num_epochs / x - 1))
        text = f"epoch {x:.2f} of {self.num_epochs}, {rate:.0f} examples/s, {left} left"
        if "sketch" in self.history.data:
            text += "\non drawn sketches, not Fashion-MNIST"
        self.bar.set_postfix_str(f"{rate:.0f} examples/s, loss {self.loss_sum / self.examples:.3f}")
        self.animator.add(x, values, text)

    def close(self):
        self.fetch()
        self.animator.finish()
        self.bar.close()


def check_arguments(train_iter, num_epochs, lr, precision):
    if type(num_epochs) is not int or num_epochs < 1:
        raise ValueError(f"num_epochs is {num_epochs!r}: give a whole number above zero")
    if not lr > 0:
        raise ValueError(f"lr is {lr!r}: give a number above zero, such as 0.05")
    if precision not in ("auto", "fp32", "bf16"):
        raise ValueError(f"precision is {precision!r}: choose one of 'auto', 'fp32', 'bf16'")
    if not hasattr(train_iter, "__len__") or len(train_iter) == 0:
        raise ValueError("train_iter has no batches, or does not say how many: give a loader that "
                         "len() counts, such as load_data_fashion_mnist's")


def check_pictures(net, X):
    """Raise ValueError, in words, where net does not take pictures of X's shape."""
    first = next((layer for layer in net.modules() if isinstance(layer, nn.Conv2d)), None)
    if first is not None and (X.dim() != 4 or X.shape[1] != first.in_channels):
        raise ValueError(
            f"the pictures have shape {tuple(X.shape)}, and the network takes (batch, "
            f"{first.in_channels}, height, width): build it with in_channels equal to the "
            "pictures' channels, 1 for grey and 3 for colour")
    if isinstance(net, nn.Sequential):
        trace_shapes(net, X.shape)  # no arithmetic; a wrong size is refused by the layer's name
