"""The training loop: the book's train_ch6, at the machine's pace, drawn live, safe to interrupt."""

import torch
from torch import nn

from . import parallel
from .checkpoint import Saver, describe_loader
from .devices import autocast, pick_precision, try_gpu
from .fast_form import fast_form, outputs, restore_layout
from .history import History
from .memory import reused_memory
from .mistakes import check_arguments, check_labels, in_words, remember, to_device
from .progress import Diverged, Progress
from .recipes import make_recipe


@reused_memory()
def train(net, train_iter, test_iter, num_epochs, lr, device=None, *, recipe="book",
          precision="auto", channels_last=True, init_weights=True, checkpoint=None, resume=False):
    """Train net with a live plot, as d2l.train_ch6 does, and return a History.

    Batches are (X, y) with X (B, ...), images (B, C, H, W) as a rule, and classes y (B,) int64;
    net gives (B, classes). device None means try_gpu's. recipe 'book' is SGD at the rate lr;
    'strong' is recipes.make_recipe's, which peaks at lr. precision 'auto' is what the device
    computes fastest in (devices.pick_precision); weights stay float32. channels_last keeps a
    pixel's channels together in memory and pools before ReLU, which gives the same numbers; it
    is left out where code other than PyTorch's could see it. With 'fp32' and channels_last=False
    every step is the book's, to the bit. init_weights=False keeps net's weights. A network that
    was given to torch.compile is taken like any other.

    As after the book's loop, net is on the device, in evaluation mode, and laid out in memory as
    it came; each epoch puts all of it into training mode, frozen parts too. Ctrl-C ends the run
    early and returns the History so far; so does a loss that is no longer a number, with advice in
    History.diverged. checkpoint names a file that is written after each epoch; resume=True goes on
    from it, where it is there. On a CPU a run that was killed and resumed ends as if it had not
    been. Under torchrun each process trains on its part of every batch, and rank 0 prints, plots
    and saves.

    Raises ValueError, with net as it was, on bad arguments and on a first batch that net does not
    take, CheckpointError (a ValueError) where checkpoint is of another run, MemoryError where a
    batch is too large.
    Source: Dive into Deep Learning, section 7.6; the first edition's train_ch6.
    """
    # Check what was asked for, before anything changes.
    num_epochs, lr = check_arguments(train_iter, test_iter, num_epochs, lr, recipe, precision)
    device = try_gpu() if device is None else torch.device(device)
    precision = pick_precision(precision, device)
    train_iter, test_iter = parallel.share_batches(train_iter), parallel.share_batches(test_iter)
    num_steps = num_epochs * len(train_iter)
    saver = checkpoint and Saver(checkpoint, resume, net, {
        **describe_loader(train_iter), "recipe": recipe, "lr": lr, "device": device.type,
        "precision": precision, "channels_last": channels_last, "processes": parallel.world_size(),
        "num_epochs": num_epochs if recipe == "strong" else None})

    history = History(str(device), precision, getattr(train_iter, "source", ""))
    progress = Progress(history, num_epochs, len(train_iter))
    give_back, layout = remember(net), []  # for the case that the first batch is refused
    rule = None  # Ctrl-C may come before it is made
    try:
        # Draw new weights, and bring the network to its device.
        if init_weights:
            net.apply(init_xavier)
        net.to(device)
        parallel.say("training on", device)
        model, layout = fast_form(net) if channels_last else (net, [])

        # Make what changes the weights; go on from the checkpoint, if there is one.
        rule = make_recipe(recipe, net, lr, num_steps)
        scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")
        augment = rule.augment
        if augment and hasattr(train_iter, "replace"):  # before it enlarges them
            train_iter, augment = train_iter.replace(augment=augment), None
        if saver:
            parts = {"net": net, "scaler": scaler, **rule._asdict()}
            saver.start(parts, progress, train_iter, device)
        parallel.copy_from_rank_0([*net.parameters(), *net.buffers()])

        while progress.epoch < num_epochs:
            net.train()
            for batch in progress.batches(train_iter):
                # Bring the batch to the device.
                X, y = to_device(batch, device, model is not net)
                X = augment(X) if augment else X
                rule.optimizer.zero_grad()

                # Forward and backward.
                with parallel.together(), in_words(net, X):
                    y_hat = outputs(model, X, precision)
                    if give_back:
                        check_labels(y_hat, y)
                        give_back = None
                    l = rule.loss(y_hat, y)
                    weight = parallel.loss_weight(train_iter, progress.batch, len(y))
                    scaler.scale(l * weight).backward()
                parallel.average_gradients(net)

                # Change the weights.
                scaler.step(rule.optimizer)
                scaler.update()
                if rule.schedule:
                    rule.schedule.step()
                if rule.average:
                    rule.average.update_parameters(net)

                # Keep account.
                progress.step(l, y_hat, y)

            # Test, and end the epoch.
            evaluated = rule.average.module if rule.average else net
            parallel.copy_from_rank_0(evaluated.buffers())  # a batch norm's are of its own share
            with parallel.together():
                counts = count_right(evaluated, test_iter, device, precision, channels_last)
            right, examples = parallel.total(counts)
            progress.end_epoch(test_acc=right / examples)
            if saver:
                saver.save()
    except KeyboardInterrupt:
        history.interrupted = True
        progress.collect()
    except Diverged:
        history.diverged = (
            f"stopped: the loss was no longer a number after step {len(history.step_losses)} of "
            f"{num_steps}: such steps are too long, so start anew with lr={lr / 4:g} or lower")
    except Exception:
        if give_back:
            give_back()
        raise
    finally:
        restore_layout(layout)
        progress.close()

    # Leave the network as the book's loop does.
    if rule and rule.average and history.epochs:
        net.load_state_dict(rule.average.module.state_dict())
    net.eval()
    parallel.say(history)
    return history


def init_xavier(layer):
    """Fill a linear or convolutional layer's weights as d2l.train_ch6 does."""
    if type(layer) in (nn.Linear, nn.Conv2d):
        nn.init.xavier_uniform_(layer.weight)


def evaluate_accuracy(net, data_iter, device=None, *, precision="auto", channels_last=True):
    """Return the fraction of examples that net classifies rightly, each counted once.

    It computes as train does with the same options, so it finds the test accuracy of train's
    History. Each layer of net is left in the mode, training or evaluation, that it came in.
    device None means where its parameters are. Raises ValueError where data_iter holds nothing
    and where net does not take its batches.
    """
    device = torch.device(device or next((p.device for p in net.parameters()), "cpu"))
    precision = pick_precision(precision, device)
    right, examples = count_right(net, data_iter, device, precision, channels_last)
    return right / examples


def count_right(net, data_iter, device, precision, channels_last):
    """Return how many examples net classifies rightly, and how many there are."""
    modes = [(layer, layer.training) for layer in net.modules()]
    model, layout = fast_form(net) if channels_last else (net, [])
    right = examples = 0
    net.eval()
    try:
        with torch.no_grad(), autocast(device, precision):
            for batch in data_iter:
                X, y = to_device(batch, device, model is not net)
                with in_words(net, X):
                    y_hat = model(X)
                    if not examples:
                        check_labels(y_hat, y)
                    right += (y_hat.argmax(dim=1) == y).sum()  # stays on the device
                examples += len(y)
    finally:
        restore_layout(layout)
        for layer, training in modes:
            layer.training = training
    if not examples and parallel.world_size() == 1:  # of several, one may have no share
        raise ValueError("there are no examples to evaluate on: the loader is empty")
    return int(right), examples
