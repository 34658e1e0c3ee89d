"""What a training run did, kept while it runs: rows, sums, clocks, the plot, the bar."""

import math
import time
from dataclasses import dataclass, field

import pandas as pd
import torch
from tqdm import tqdm

from . import parallel
from .live import LiveAnimator

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
    diverged: str = ""  # where the loss stopped being a number, and what to do about it
    animator: object = None  # the LiveAnimator, for .save(path)

    def to_frame(self):
        """Return a DataFrame: train_loss, train_acc, test_acc, seconds and examples/s an epoch.

        seconds is wall-clock from asking for the first batch to knowing the test accuracy, and
        examples_per_sec divides the training examples by it. book_examples_per_sec is the figure
        that the book's timer gives: it leaves out loading, plotting and evaluation.
        """
        return pd.DataFrame(self.epochs).set_index("epoch") if self.epochs else pd.DataFrame()

    def __str__(self):
        lines = []
        if self.epochs:
            last, table = self.epochs[-1], self.to_frame()
            rate = table.examples.sum() / table.seconds.sum()
            book_rate = table.examples.sum() / table.book_seconds.sum()
            lines += [f"loss {last['train_loss']:.3f}, train acc {last['train_acc']:.3f}, "
                      f"test acc {last['test_acc']:.3f}",
                      f"{rate:.1f} examples/sec on {self.device} in {self.precision} "
                      f"(by the book's timer: {book_rate:.1f})"]
        if self.interrupted:
            lines.append(f"interrupted after {len(self.epochs)} whole epochs" if self.epochs
                         else "interrupted before the end of the first epoch")
        if self.diverged:
            lines.append(self.diverged)
        if "sketch" in self.data:
            lines.append("trained on drawn shapes: these compare with nothing published")
        return "\n".join(lines)


class Diverged(ArithmeticError):
    """The loss is no longer a number."""


class Progress:
    """Keeps the accounts of a training run: sums, clocks, the plot and the terminal's bar.

    Sums stay on the device until a point is due, so that a GPU is not made to wait every step.
    """

    def __init__(self, history, num_epochs, num_batches):
        self.history, self.num_epochs, self.num_batches = history, num_epochs, num_batches
        self.animator = history.animator = LiveAnimator(
            xlabel="epoch", xlim=[0, num_epochs], ylim=[0, 2.4], figsize=(4.5, 3),
            legend=["train loss", "train acc", "test acc"])
        self.bar = tqdm(total=num_epochs, unit="epoch", disable=parallel.rank() > 0 or None,
                        smoothing=0, bar_format="{l_bar}{bar}| {n:.2f}/{total} epochs, {elapsed} "
                                                "gone, {remaining} left{postfix}")
        self.began, self.all_examples, self.pending = time.perf_counter(), 0, []
        self.epoch = self.batch = self.batch_restored = self.examples = self.right = 0
        self.loss_sum = self.waited = self.seconds_before = self.drawn_before = 0.0
        self.epoch_began = self.began

    def batches(self, train_iter):
        """Yield the batches of an epoch, timing how long each is waited for.

        Where an epoch was restored in its middle, the batches that it has seen are passed over.
        """
        if not self.batch_restored:
            self.batch = self.examples = self.right = 0
            self.loss_sum = self.waited = self.seconds_before = 0.0
        self.epoch_began = time.perf_counter() - self.seconds_before
        self.drawn_before = self.animator.seconds_drawing
        batches = iter(train_iter)
        for _ in range(self.batch_restored):
            next(batches)
        if self.batch_restored:
            self.when_restored()
        self.batch_restored = 0
        while True:
            asked = time.perf_counter()
            batch = next(batches, None)
            self.waited += time.perf_counter() - asked
            if batch is None:
                break
            yield batch
        self.fetch()
        if not self.batch:
            raise ValueError(f"train_iter gave no batch in epoch {self.epoch + 1}: give a loader "
                             "that can be gone through once an epoch")

    def step(self, loss, y_hat, y):
        """Take note of one step; every so often add a point to the plot."""
        with torch.no_grad():
            self.pending.append((len(y), loss.detach(), (y_hat.argmax(dim=1) == y).sum()))
        self.batch += 1
        self.bar.update(1 / self.num_batches)
        if (self.batch % max(1, self.num_batches // POINTS_PER_EPOCH) == 0
                or self.batch == self.num_batches):
            self.fetch()
            if self.examples:  # in several processes the last batch may have no part for this one
                means = self.loss_sum / self.examples, self.right / self.examples
                self.add_point(self.epoch + self.batch / self.num_batches, (*means, None))

    def end_epoch(self, test_acc):
        """Write the epoch's row into the History, summed over all processes."""
        self.add_point(self.epoch + 1, (None, None, test_acc))
        loss_sum, right, examples = parallel.total(
            [self.loss_sum, self.right, self.examples], self.history.device)
        seconds = time.perf_counter() - self.epoch_began
        self.history.epochs.append({
            "epoch": self.epoch + 1, "train_loss": loss_sum / examples,
            "train_acc": right / examples, "test_acc": test_acc, "examples": int(examples),
            "seconds": seconds, "book_seconds": self.book_seconds,
            "examples_per_sec": examples / seconds,
            "book_examples_per_sec": examples / self.book_seconds})
        self.epoch, self.batch = self.epoch + 1, 0

    def fetch(self):
        """Bring the pending sums from the device. Raises Diverged where a loss is not a number."""
        if self.pending:
            sizes, losses, rights = zip(*self.pending, strict=True)
            self.pending = []
            losses = torch.stack(losses).tolist()
            self.history.step_losses += losses
            for n, l in zip(sizes, losses, strict=True):
                if n:
                    self.loss_sum += n * l  # one at a time: the sum is the same however often
            self.right += int(torch.stack(rights).sum())
            self.examples += sum(sizes)
            self.all_examples += sum(sizes)
            if not math.isfinite(self.loss_sum):
                raise Diverged
        drawn = self.animator.seconds_drawing - self.drawn_before
        self.book_seconds = time.perf_counter() - self.epoch_began - self.waited - drawn

    def add_point(self, x, values):
        elapsed = time.perf_counter() - self.began
        rate = self.all_examples / elapsed
        left = tqdm.format_interval(elapsed * (self.num_epochs / x - 1))
        text = f"epoch {x:.2f} of {self.num_epochs}, {rate:.0f} examples/s, {left} left"
        if "sketch" in self.history.data:
            text += "\non drawn shapes, not CIFAR-10"
        mean = self.loss_sum / self.examples if self.examples else math.nan
        self.bar.set_postfix_str(f"{rate:.0f} examples/s, loss {mean:.3f}")
        self.animator.add(x, values, text)

    def close(self):
        self.animator.finish()
        self.bar.close()

    def state(self):
        """Return what restore needs to go on from here, in tensors, numbers and text."""
        now = time.perf_counter()
        state = {"epoch": self.epoch, "batch": self.batch, "all_examples": self.all_examples,
                 "seconds": now - self.began, "epochs": self.history.epochs,
                 "step_losses": self.history.step_losses, "X": self.animator.X,
                 "Y": self.animator.Y}
        if self.batch:
            state |= {"loss_sum": self.loss_sum, "right": self.right, "examples": self.examples,
                      "waited": self.waited, "epoch_seconds": now - self.epoch_began}
        return state

    def restore(self, state, when_restored):
        """Go on from state; call when_restored() once the batches already seen are passed over."""
        self.epoch, self.batch_restored = state["epoch"], state["batch"]
        self.when_restored = when_restored
        self.all_examples = state["all_examples"]
        self.began = time.perf_counter() - state["seconds"]
        self.history.epochs, self.history.step_losses = state["epochs"], state["step_losses"]
        self.animator.restore(state["X"], state["Y"])
        self.bar.update(self.epoch + self.batch_restored / self.num_batches)
        if self.batch_restored:
            self.batch, self.loss_sum = state["batch"], state["loss_sum"]
            self.right, self.examples = state["right"], state["examples"]
            self.waited, self.seconds_before = state["waited"], state["epoch_seconds"]
