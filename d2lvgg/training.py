"""The training loop: the book's train_ch6, at the machine's pace, drawn live, safe to interrupt."""

import importlib.util
import time
import warnings
from pathlib import Path

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from . import parallel
from .checkpoint import (
    CheckpointError,
    delete_parts,
    random_state,
    read_checkpoint,
    restore_random_state,
    write_checkpoint,
)
from .history import Diverged, History, Progress
from .memory import reused_memory
from .recipes import RECIPES, make_recipe
from .scale import has_fast_bf16, try_gpu
from .shapes import trace_shapes


@reused_memory()
def train(net, train_iter, test_iter, num_epochs, lr, device=None, *, recipe="book",
          precision="auto", channels_last=True, compile="auto", init_weights=True,
          checkpoint=None, resume=False, checkpoint_seconds=60):
    """Train net with a live plot, as d2l.train_ch6 does, and return a History.

    Batches are (X, y) with X (B, C, H, W) and y (B,). device None means a GPU where there is one.
    recipe 'book' is SGD at the rate lr; 'strong' is recipes.make_recipe's, which peaks at lr.
    precision 'auto' computes in bfloat16 where the device has it in hardware, 'fp32' and 'bf16'
    insist; weights stay float32. channels_last keeps a pixel's channels together in memory, and
    pools before ReLU, which gives the same numbers. compile 'auto' means torch.compile on a GPU.
    With 'fp32', channels_last=False and compile=False every step's loss is the book's.
    init_weights=False keeps the weights that net has.

    Ctrl-C ends the run early and returns the History so far; so does a loss that is no longer a
    number, with advice in History.diverged. checkpoint names a file that is written after each
    epoch and every checkpoint_seconds; resume=True goes on from it, where it is there. On a CPU a
    run that was killed and resumed ends as if it had not been. Under torchrun each process trains
    on its part of every batch, and rank 0 prints, plots and saves.

    Raises ValueError on bad arguments and on pictures that net does not take, CheckpointError (a
    ValueError) where checkpoint is of another run, MemoryError where a batch is too large.
    Source: Dive into Deep Learning, section 7.6; the first edition's train_ch6.
    """
    check_arguments(train_iter, num_epochs, lr, recipe, precision, compile)
    device = try_gpu() if device is None else torch.device(device)
    if precision == "auto":
        precision = "bf16" if has_fast_bf16(device) else "fp32"
    train_iter, test_iter = parallel.share(train_iter), parallel.share(test_iter)
    saver = checkpoint and Saver(checkpoint, resume, checkpoint_seconds)
    if init_weights:
        net.apply(init_xavier)
    say("training on", device)
    net.to(device, memory_format=torch.channels_last if channels_last else torch.preserve_format)
    how = make_recipe(recipe, net, lr, num_epochs * len(train_iter))
    augment = how.augment
    if augment and hasattr(train_iter, "augmented"):  # on the pictures' own pixels, not enlarged
        train_iter, augment = train_iter.augmented(augment), None
    history = History(str(device), precision, getattr(train_iter, "source", ""))
    progress = Progress(history, num_epochs, len(train_iter))
    if saver:
        saver.take(net, how, progress, train_iter, {
            "recipe": recipe, "lr": lr, "precision": precision, "channels_last": channels_last,
            "batches an epoch": len(train_iter), "processes": parallel.world_size(),
            **({"num_epochs": num_epochs} if how.schedule else {})})
    model = pool_first(net) if channels_last else net
    if parallel.world_size() > 1:
        model = DistributedDataParallel(net, [device] if device.type == "cuda" else None)
    faster = torch.compile(model) if wants_compile(compile, device) else model
    shape = None  # of a whole batch; the odd last one would be compiled anew, and runs as it is
    try:
        while progress.epoch < num_epochs:
            net.train()
            for X, y in progress.batches(train_iter):
                X, y = X.to(device, non_blocking=True), y.to(device, non_blocking=True)
                if shape is None:
                    check_pictures(net, X)
                    shape = X.shape
                X = augment(X) if augment else X
                how.optimizer.zero_grad()
                weight = parallel.loss_weight(train_iter, progress.batch, len(y))
                l, y_hat = forward_backward(faster if X.shape == shape else model, X, y, how.loss,
                                            weight, precision)
                how.optimizer.step()
                if how.schedule:
                    how.schedule.step()
                if how.average:
                    how.average.update_parameters(net)
                progress.step(l, y_hat, y)
                if saver:
                    saver.step()
            evaluated = how.average.module if how.average else net
            evaluated = pool_first(evaluated) if channels_last else evaluated
            right, examples = parallel.total(
                count_right(evaluated, eval_batches(test_iter, device), device, precision), device)
            progress.end_epoch(right / examples)
            if saver:
                saver.save()
    except KeyboardInterrupt:
        history.interrupted = True
    except Diverged:
        history.diverged = (
            f"stopped: the loss was no longer a number after step {len(history.step_losses)} "
            f"of {num_epochs * len(train_iter)}. The steps are too long for this network: start "
            f"anew with lr={lr / 4:g}, and lower still if that ends the same way")
    if how.average and history.epochs:
        net.load_state_dict(how.average.module.state_dict())
    progress.close()
    say(history)
    return history


def pool_first(net):
    """Return net, its layers shared, with each ReLU that stands before a max-pool after it.

    The two commute: the largest of four clipped numbers is the clipped largest. A 2x2 pool leaves
    ReLU a quarter of the numbers to read and write.
    """
    if type(net) is not nn.Sequential:
        return net
    layers = [pool_first(layer) for layer in net]
    for place, pair in enumerate(zip(layers, layers[1:], strict=False)):
        if [type(layer) for layer in pair] == [nn.ReLU, nn.MaxPool2d]:
            layers[place:place + 2] = reversed(pair)
    return nn.Sequential(*layers)


def forward_backward(net, X, y, loss, weight, precision):
    """Return (mean loss, outputs) of a batch, and leave weight times the loss's gradients in net.

    Raises MemoryError, in words, where the device has no room for the batch.
    """
    try:
        with autocast(X.device, precision):
            y_hat = net(X)
        if precision == "bf16":
            y_hat = y_hat.float()
        l = loss(y_hat, y)
        (l * weight if weight != 1 else l).backward()
        return l.detach(), y_hat.detach()
    except torch.OutOfMemoryError:
        pass  # left behind, so that what the error holds on to is freed
    size = fitting_batch(net, X, y, loss, precision)
    raise MemoryError(f"a batch of {len(X)} pictures of {tuple(X.shape[1:])} does not fit the "
                      f"memory of {X.device}: a batch of {size} does; or take smaller pictures"
                      if size else f"not one picture of {tuple(X.shape[1:])} fits the memory of "
                      f"{X.device}: take smaller pictures or a narrower network, or stop other "
                      "programs that use the device")


def fitting_batch(net, X, y, loss, precision):
    """Return the largest half, quarter, ... of a batch that was seen to fit, or 0."""
    size = len(X) // 2
    while size:
        net.zero_grad(set_to_none=True)
        if X.device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            with autocast(X.device, precision):
                l = loss(net(X[:size]), y[:size])
            l.backward()
            return size
        except torch.OutOfMemoryError:
            size //= 2
    return 0


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
    right, examples = count_right(net, data_iter, device, precision)
    if not examples:
        raise ValueError("there are no examples to evaluate on: data_iter is empty")
    return right / examples


def count_right(net, data_iter, device, precision):
    """Return how many examples net classifies rightly, and how many there are."""
    was_training, right, examples = net.training, 0, 0
    net.eval()
    try:
        with torch.inference_mode(), autocast(device, precision):
            for X, y in data_iter:
                X, y = X.to(device, non_blocking=True), y.to(device, non_blocking=True)
                if not examples:
                    check_pictures(net, X)
                right += (net(X).argmax(dim=1) == y).sum()  # stays on the device
                examples += len(y)
    finally:
        net.train(was_training)
    return int(right), examples


def eval_batches(test_iter, device):
    """Return test_iter in larger batches where that is faster, on a GPU.

    Four times as large is safe: what training keeps for the backward pass is not kept here.
    """
    if device.type == "cuda" and hasattr(test_iter, "in_batches_of"):
        return test_iter.in_batches_of(4 * test_iter.batch_size)
    return test_iter


class Saver:
    """Writes a run to its checkpoint as it goes, and takes it up again."""

    def __init__(self, path, resume, seconds):
        self.path, self.seconds, self.found = Path(path), seconds, None
        if not self.path.parent.is_dir():
            raise ValueError(f"checkpoint is {str(path)!r}, and there is no folder "
                             f"{self.path.parent}: make it, or name another place")
        if self.path.exists():
            if not resume:
                raise CheckpointError(f"{path} is there already: resume=True goes on from it; to "
                                      "start anew, delete it or give another name")
            self.found = read_checkpoint(path)
        if parallel.rank() == 0:
            delete_parts(path)

    def take(self, net, how, progress, train_iter, settings):
        """Watch over a run, and bring it to where the checkpoint, if there is one, stopped."""
        self.parts = {"net": net, "optimizer": how.optimizer}
        self.parts |= {name: part for name in ("schedule", "average")
                       if (part := getattr(how, name))}
        self.progress, self.train_iter, self.settings = progress, train_iter, settings
        self.saved_at = time.monotonic()
        if self.found:
            self.check(net.state_dict())
            for name, part in self.parts.items():
                part.load_state_dict(self.found[name])
            mine = self.found["random"][parallel.rank()]
            at_batch = self.found["progress"]["batch"] > 0
            restore_random_state(self.found["epoch_random"] if at_batch else mine, train_iter)
            progress.restore(self.found["progress"],
                             lambda: restore_random_state(mine, train_iter))
            self.epoch_random = self.found["epoch_random"]
            say(f"going on from {self.path}, epoch {progress.epoch + 1}, "
                f"batch {progress.batch_restored + 1}")
            self.found = None
        else:
            self.epoch_random = random_state(train_iter)

    def check(self, state):
        """Raise CheckpointError where the checkpoint is of another network or another run."""
        remedy = "give the run that it is of, or name another file in checkpoint="
        for name, now in self.settings.items():
            if (then := self.found["settings"].get(name)) != now:
                raise CheckpointError(f"{self.path} is of a run with {name} {then!r}, and this one "
                                      f"has {now!r}: {remedy}")
        then = {name: tuple(value.shape) for name, value in self.found["net"].items()}
        now = {name: tuple(value.shape) for name, value in state.items()}
        for name in {**now, **then}:
            if now.get(name) != then.get(name):
                raise CheckpointError(
                    f"{self.path} is of another network: its {name} has the shape "
                    f"{then.get(name, 'of nothing')}, this one's {now.get(name, 'of nothing')}: "
                    f"{remedy}")

    def step(self):
        """Save in the middle of an epoch, when it is time to."""
        # In several processes the others' random states would be needed: they save between epochs.
        if time.monotonic() - self.saved_at >= self.seconds and parallel.world_size() == 1:
            self.save()

    def save(self):
        """Write the checkpoint; a disk that has no room for it does not end the run."""
        self.progress.fetch()  # raises Diverged rather than save what has no value
        now = random_state(self.train_iter)
        if self.progress.batch == 0:
            self.epoch_random = now
        everyone = parallel.gather(now)
        if parallel.rank() == 0 and all(p.isfinite().all() for p in self.parts["net"].parameters()):
            content = {name: part.state_dict() for name, part in self.parts.items()}
            try:
                write_checkpoint(self.path, {
                    **content, "settings": self.settings, "random": everyone,
                    "epoch_random": self.epoch_random, "progress": self.progress.state()})
            except (OSError, RuntimeError) as error:
                kept = "the last good one stays" if self.path.exists() else "there is none yet"
                warnings.warn(f"no checkpoint was written to {self.path} "
                              f"({getattr(error, 'strerror', None) or error}): {kept}, and "
                              "training goes on; make room on the disk", stacklevel=3)
        self.saved_at = time.monotonic()


def wants_compile(compile, device):
    """Return whether to call torch.compile: 'auto' means on a GPU where Triton is there."""
    if compile == "auto":
        return device.type == "cuda" and importlib.util.find_spec("triton") is not None
    return compile


def say(*words):
    """Print, from one process."""
    if parallel.rank() == 0:
        print(*words)


def check_arguments(train_iter, num_epochs, lr, recipe, precision, compile):
    if type(num_epochs) is not int or num_epochs < 1:
        raise ValueError(f"num_epochs is {num_epochs!r}: give a whole number above zero")
    if not lr > 0:
        raise ValueError(f"lr is {lr!r}: give a number above zero, such as 0.05")
    for name, value, allowed in (("recipe", recipe, RECIPES),
                                 ("precision", precision, ("auto", "fp32", "bf16")),
                                 ("compile", compile, ("auto", True, False))):
        if value not in allowed:
            raise ValueError(f"{name} is {value!r}: choose one of "
                             f"{', '.join(map(repr, allowed))}")
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
    if isinstance(net, nn.Sequential) and X.dtype == torch.float32:  # which trace_shapes assumes
        trace_shapes(net, X.shape)  # no arithmetic; a wrong size is refused by the layer's name
