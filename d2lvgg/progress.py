"""The accounts of a training run while it runs: sums, clocks, the plot, the terminal's bar."""

import math
import time

import torch

from . import parallel
from .live import LivePlot

BAR = "{l_bar}{bar}| {n:.2f}/{total} epochs, {elapsed} gone, {remaining} left{postfix}"
POINTS_PER_EPOCH = 20  # on the plot; each one waits for the device


class Diverged(ArithmeticError):
    """The loss is no longer a number."""


class Progress:
    """Keeps the accounts of a training run and shows them.

    Losses stay on the device until a point of the plot is due, so that a GPU is not made to wait
    at every step. epoch and batch count what is done: in all, and in this epoch.
    """

    def __init__(self, history, num_epochs, num_batches):
        from tqdm import tqdm

        self.history, self.num_epochs, self.num_batches = history, num_epochs, num_batches
        self.animator = history.animator = LivePlot(
            xlabel="epoch", xlim=[0, num_epochs], ylim=[0, 2.4], figsize=(4.5, 3),
            legend=["train loss", "train acc", "test acc"])
        hidden = parallel.rank() > 0 or None  # None: where there is no terminal
        self.bar = tqdm(total=num_epochs, disable=hidden, smoothing=0, bar_format=BAR)
        self.began = time.perf_counter()
        self.pending = []  # (examples, loss, how many right) of steps that are on the device yet
        self.epoch = self.all_examples = 0

    def batches(self, train_iter):
        """Yield the batches of an epoch, timing how long each is waited for."""
        self.batch = self.examples = self.right = 0
        self.loss_sum = waited = 0.0
        drawn_before = self.animator.seconds_drawing
        asked = self.epoch_began = time.perf_counter()
        for batch in train_iter:
            waited += time.perf_counter() - asked
            yield batch
            asked = time.perf_counter()
        waited += time.perf_counter() - asked  # for the end of the loader
        if not self.batch:
            raise ValueError(f"train_iter gave no batch in epoch {self.epoch + 1}: is it used up?")
        self.fetch()
        drawn = self.animator.seconds_drawing - drawn_before
        self.book_seconds = time.perf_counter() - self.epoch_began - waited - drawn

    def step(self, loss, y_hat, y):
        """Take note of one step; every so often add a point to the plot."""
        with torch.no_grad():
            self.pending.append((len(y), loss.detach(), (y_hat.argmax(dim=1) == y).sum()))
        self.batch += 1
        self.bar.update(1 / self.num_batches)
        every = max(1, self.num_batches // POINTS_PER_EPOCH)
        if self.batch % every == 0 or self.batch == self.num_batches:
            self.fetch()
            if self.examples:  # in several processes the last batch may have no part for this one
                means = self.loss_sum / self.examples, self.right / self.examples
                self.add_point(self.epoch + self.batch / self.num_batches, (*means, None))

    def end_epoch(self, test_acc):
        """Write the epoch's row into the History, summed over all processes."""
        self.add_point(self.epoch + 1, (None, None, test_acc))
        loss_sum, right, examples = parallel.total([self.loss_sum, self.right, self.examples])
        seconds = time.perf_counter() - self.epoch_began
        self.history.epochs.append({
            "epoch": self.epoch + 1, "train_loss": loss_sum / examples,
            "train_acc": right / examples, "test_acc": test_acc, "examples": examples,
            "seconds": seconds, "book_seconds": self.book_seconds,
            "examples_per_sec": examples / seconds,
            "book_examples_per_sec": examples / self.book_seconds})
        self.epoch += 1

    def fetch(self):
        """Collect the pending losses. Raises Diverged, in every process, where one is no number."""
        self.collect()
        if parallel.total([not math.isfinite(self.loss_sum)])[0]:
            raise Diverged

    def collect(self):
        """Bring the pending losses from the device, and add them up."""
        if self.pending:
            sizes, losses, rights = zip(*self.pending, strict=True)
            losses, rights = torch.stack(losses).tolist(), torch.stack(rights).tolist()
            self.pending = []
            self.history.step_losses += losses
            for size, loss in zip(sizes, losses, strict=True):
                self.loss_sum += size * loss if size else 0
            self.right += sum(rights)
            self.examples += sum(sizes)
            self.all_examples += sum(sizes)

    def add_point(self, x, values):
        elapsed = time.perf_counter() - self.began
        rate = self.all_examples / elapsed
        left = self.bar.format_interval(elapsed * (self.num_epochs / x - 1))
        text = f"epoch {x:.2f} of {self.num_epochs}, {rate:.0f} examples/s, {left} left"
        if "sketch" in self.history.data:
            text += "\non drawn images, not the real ones"
        mean = self.loss_sum / self.examples if self.examples else math.nan
        self.bar.set_postfix_str(f"{rate:.0f} examples/s, loss {mean:.3f}")
        self.animator.add(x, values, text)

    def close(self):
        """Show the last frame of the plot, and end the bar."""
        self.animator.finish()
        self.bar.close()

    def state(self):
        """Return what restore needs to go on from the end of an epoch, in numbers and text."""
        return {"epoch": self.epoch, "all_examples": self.all_examples,
                "seconds": time.perf_counter() - self.began, "epochs": self.history.epochs,
                "step_losses": self.history.step_losses, "X": self.animator.X,
                "Y": self.animator.Y}

    def restore(self, state):
        """Go on from what state() returned."""
        self.epoch, self.all_examples = state["epoch"], state["all_examples"]
        self.began = time.perf_counter() - state["seconds"]
        self.history.epochs, self.history.step_losses = state["epochs"], state["step_losses"]
        self.animator.restore(state["X"], state["Y"])
        self.bar.update(self.epoch)
