"""Lesson 11's loops, right and faulty ones; a slow loader; a GPU's queue; a run to interrupt."""

import copy
import time

import torch
from torch import nn
from torch.nn import functional as F

from d2lvgg.training import init_xavier

SCORES = {"softmax": lambda scores: scores.softmax(1), "sigmoid": torch.sigmoid,
          "log_softmax": lambda scores: scores.log_softmax(1)}  # the last one changes no loss


def train_ch6(net, train_iter, test_iter, num_epochs, lr, device="cpu", fault=""):
    """Train net; return a (train_loss, train_acc, test_acc) an epoch. A fault is one thing wrong.

    Batches are (X, y), X what net takes, y (B,) int64. checks.LOOP_FAULTS says what each fault is;
    'clear after' and 'log_softmax' are none, and look like some.
    """
    if fault != "init":
        net.apply(init_xavier)
    net.to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1 if fault == "lr" else lr)
    rows, sums, batches = [], [0.0, 0, 0], 0
    net.train(fault != "eval")
    for _ in range(num_epochs):
        if fault == "init again":
            net.apply(init_xavier)
        if fault != "carry":
            sums, batches = [0.0, 0, 0], 0
        if fault == "pile in an epoch":
            optimizer.zero_grad()
        for X, y in train_iter:
            X, y = X.to(device), y.to(device)
            if fault == "last batch":
                sums = [0.0, 0, 0]
            if fault not in ("pile", "pile in an epoch", "clear after"):
                optimizer.zero_grad()
            y_hat = net(X)
            l = F.cross_entropy(SCORES[fault](y_hat) if fault in SCORES else y_hat, y)
            l.backward()
            if fault != "no step":
                optimizer.step()
            if fault == "clear after":
                optimizer.zero_grad()
            weight = 1 if fault in ("batch mean", "divided twice") else len(y)
            sums[0] += l.item() * weight
            sums[1] += int((y_hat.argmax(dim=1) == y).sum())
            sums[2] += len(y)
            batches += 1
        test_acc = evaluate(net, train_iter if fault == "test" else test_iter)
        train_acc = evaluate(net, train_iter) if fault == "after" else sums[1] / sums[2]
        net.train(fault not in ("eval", "left in eval"))
        rows.append((sums[0] / (batches if fault == "batch mean" else sums[2]), train_acc,
                     test_acc))
    return rows


SUSPECTS = {"a": "divided twice", "b": "pile", "c": "", "d": "softmax", "e": "eval"}


def suspect(letter):
    """Return a training loop of the line-up, with train_ch6's arguments."""

    def train(net, train_iter, test_iter, num_epochs, lr, device="cpu"):
        return train_ch6(net, train_iter, test_iter, num_epochs, lr, device, SUSPECTS[letter])

    return train


def evaluate(net, data_iter, fault=""):
    """Return the fraction of data_iter that net classifies rightly, or what a faulty loop does.

    net is left in the mode that it came in; with the fault 'in training mode' it is asked so.
    """
    modes = [(layer, layer.training) for layer in net.modules()]
    device = next((p.device for p in net.parameters()), "cpu")
    right, fractions, sizes = 0, [], []
    net.train(fault == "in training mode")
    with torch.set_grad_enabled(fault == "records"):
        for X, y in data_iter:
            X, y = X.to(device), y.to(device)
            hits = int((net(X).argmax(dim=1) == y).sum())
            right += hits
            sizes.append(len(y))
            fractions.append(hits / len(y))
            if fault == "first batch":
                break
    for layer, training in modes:
        layer.training = training
    if fault == "for good":
        torch.set_grad_enabled(False)
    if fault == "last batch":
        return fractions[-1]
    if fault == "mean of batches":
        return sum(fractions) / len(fractions)
    if fault == "drops the short one" and sizes[-1] < sizes[0]:
        right -= round(fractions.pop() * sizes[-1])
        sizes.pop()
    return right / sum(sizes)


def plotted_train(net, train_iter, test_iter, num_epochs, lr, device, animator, fault=""):
    """Train net with a plot and a clock: (train_loss, train_acc, test_acc, examples/s).

    'draws each batch' and 'busy machine' are no faults.
    """
    clock = time.process_time if fault == "cpu time" else time.perf_counter
    optimizer = torch.optim.SGD(net.to(device).parameters(), lr=lr)
    num_batches, seconds, examples = len(train_iter), 0.0, 0
    for epoch in range(num_epochs):
        loss_sum, right, count, began = 0.0, 0, 0, clock()
        net.train()
        for i, (X, y) in enumerate(train_iter):
            if fault == "after arrival":
                began = clock()
            X, y = X.to(device), y.to(device)
            optimizer.zero_grad()
            y_hat = net(X)
            l = F.cross_entropy(y_hat, y)
            l.backward()
            optimizer.step()
            loss_sum += l.item() * len(y)
            right += int((y_hat.argmax(dim=1) == y).sum())
            count += len(y)
            if fault == "after arrival":
                seconds += clock() - began
            last = {"num_epochs": num_epochs - 1, "no end": None}.get(fault, num_batches - 1)
            if fault == "last epoch" and epoch < num_epochs - 1:
                last = None
            if (i + 1) % (num_batches // 5) == 0 or i == last or fault == "draws each batch":
                animator.add(epoch + (i + 1) / num_batches, (loss_sum / count, right / count, None))
        if fault == "busy machine":
            time.sleep(0.3)
        if fault != "after arrival":
            seconds += clock() - began
        examples += count
        test_acc = evaluate(net, test_iter)
        animator.add(epoch + 1, (None, None, test_acc))
    return loss_sum / count, right / count, test_acc, examples / max(seconds, 1e-9)


def seconds_of(step, num_steps, synchronize, fault=""):
    """Return the seconds that num_steps steps of a device with a queue take, or seem to take.

    'each step' and 'busy machine' are no faults.
    """
    if fault == "before":
        synchronize()
    began = time.perf_counter()
    for _ in range(num_steps):
        step()
        if fault == "each step":
            synchronize()
    if fault in ("", "busy machine"):
        synchronize()
    if fault == "busy machine":
        time.sleep(0.3)
    seconds = time.perf_counter() - began
    if fault == "after":
        synchronize()
    return seconds


class NoPlot:
    """An animator that draws nothing."""

    def add(self, x, y):
        pass


class SlowLoader:
    """data_iter with a wait of so many seconds before each batch, as if images were decoded."""

    def __init__(self, data_iter, seconds):
        self.data_iter, self.seconds = data_iter, seconds

    def __len__(self):
        return len(self.data_iter)

    def __iter__(self):
        for batch in self.data_iter:
            time.sleep(self.seconds)
            yield batch


class Queue:
    """A stand-in for a GPU: step() only orders a step, which then takes so many seconds."""

    def __init__(self, seconds):
        self.seconds, self.free = seconds, 0.0

    def step(self):
        """Put a step into the queue, and return at once."""
        self.free = max(self.free, time.perf_counter()) + self.seconds

    def synchronize(self):
        """Wait until the queue is empty."""
        while (left := self.free - time.perf_counter()) > 0:
            time.sleep(left)


PARTS = ("weights", "optimizer", "schedule", "epoch", "random numbers")


class Run:
    """A training run that can be stopped: dropout, momentum, a falling rate, shuffled images."""

    def __init__(self, images, labels, seed=0, num_epochs=4):
        torch.manual_seed(seed)
        self.images, self.labels, self.num_epochs = images.flatten(1), labels, num_epochs
        self.net = nn.Sequential(nn.Linear(self.images.shape[1], 32), nn.ReLU(), nn.Dropout(0.5),
                                 nn.Linear(32, 10))
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1, momentum=0.9)
        self.schedule = torch.optim.lr_scheduler.StepLR(self.optimizer, step_size=1, gamma=0.5)
        self.epoch = 0

    def train(self, until=None):
        """Train to the end of an epoch, by default the last. Return self."""
        self.net.train()
        while self.epoch < (until or self.num_epochs):
            for places in torch.randperm(len(self.labels)).split(32):
                self.optimizer.zero_grad()
                y_hat = self.net(self.images[places])
                F.cross_entropy(y_hat, self.labels[places]).backward()
                self.optimizer.step()
            self.schedule.step()
            self.epoch += 1
        return self

    def save(self):
        """Return a dict with a copy of each of PARTS."""
        return copy.deepcopy({
            "weights": self.net.state_dict(), "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(), "epoch": self.epoch,
            "random numbers": torch.get_rng_state()})

    def load(self, saved):
        """Take up what saved holds of PARTS. Return self."""
        saved = copy.deepcopy(saved)
        for name, part in (("weights", self.net), ("optimizer", self.optimizer),
                           ("schedule", self.schedule)):
            if name in saved:
                part.load_state_dict(saved[name])
        if "optimizer" in saved and "schedule" not in saved:  # the rate is in both
            for group in self.optimizer.param_groups:
                group["lr"] = group["initial_lr"]
        self.epoch = saved.get("epoch", 0)
        if "random numbers" in saved:
            torch.set_rng_state(saved["random numbers"])
        return self

    def distance(self, other):
        """Return the largest difference between two runs' weights."""
        return max((ours - theirs).abs().max().item() for ours, theirs in
                   zip(self.net.parameters(), other.net.parameters(), strict=True))


def shuffled_spread(counts, times=1000, seed=0):
    """Return (low, high): what the spread of batches' accuracies would be in a random order.

    counts are pairs (right, examples), one a batch. The answers are shuffled and cut anew so many
    times; 95 % of the standard deviations of the full batches lie between low and high.
    """
    size, right = counts[0][1], sum(right for right, _ in counts)
    full, total = sum(n == size for _, n in counts), sum(n for _, n in counts)
    answers = (torch.arange(total) < right).float()
    generator = torch.Generator().manual_seed(seed)
    spreads = torch.stack([answers[torch.randperm(total, generator=generator)][:full * size]
                           .reshape(full, size).mean(dim=1).std() for _ in range(times)])
    return tuple(spreads.quantile(torch.tensor([0.025, 0.975])).tolist())


def verdict_on_the_order(measured, low, high):
    """Return in words where a measured spread lies beside the range of random orders."""
    if measured > high:
        return ("above this range: these batches differ somewhat more than random ones would, so "
                "the order of this test set is not quite a random one, and ± 0.052 is, if "
                "anything, too small")
    if measured < low:
        return "below this range: these batches differ less than random ones would"
    return "in this range: nothing speaks against a random order, which does not prove one"
