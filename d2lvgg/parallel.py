"""Training in several processes that torchrun starts. Lesson 17 explains it.

Each process computes the gradients of its part of a batch; then they are averaged. torch's own
DistributedDataParallel does so in the middle of the backward pass, and where one process fails
there the others wait for it. Here all processes hear of the failure first, and end together.
"""

import os
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed as dist

from .devices import try_gpu

PATIENCE = timedelta(minutes=5)  # that a process waits for the others before it gives up


def world_size():
    """Return how many processes train together: 1 outside torchrun."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank():
    """Return this process's place among them, from 0. Rank 0 plots, prints and saves."""
    return dist.get_rank() if world_size() > 1 else 0


def say(*words):
    """Print, from one process."""
    if rank() == 0:
        print(*words)


@contextmanager
def process_group():
    """Join the processes that torchrun started, and yield this one's device.

    Outside torchrun there is one process, and nothing to join. A process whose partner dies is
    told by the connection's end, or after PATIENCE, and raises RuntimeError.
    """
    if "LOCAL_RANK" not in os.environ:
        yield try_gpu()
        return
    device = try_gpu(int(os.environ["LOCAL_RANK"]))
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # Numbers and words go between the CPUs, so that no GPU has to wait for them.
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
                            timeout=PATIENCE)
    try:
        all_on_gpus = all(kind == "cuda" for kind in gather(device.type))
        yield device if all_on_gpus else torch.device("cpu")
    finally:
        dist.destroy_process_group()


def share_batches(train_iter):
    """Return train_iter, so that each batch is this process's part of the whole batch.

    Raises ValueError for a loader of another kind than the course's, and for one that shuffles
    without a seed: each process would have its own order.
    """
    if world_size() == 1:
        return train_iter
    if not hasattr(train_iter, "replace") or train_iter.shuffle and train_iter.generator is None:
        raise ValueError("several processes must cut the same batches: give them loaders of this "
                         "module, with the same seed=")
    return train_iter.replace(rank=rank(), world_size=world_size())


def loss_weight(train_iter, batch, examples):
    """Return the weight of the mean loss over this process's examples of batch number batch.

    average_gradients takes all processes for equal; with this weight the average is the gradient
    of the mean over the whole batch.
    """
    if world_size() == 1:
        return 1.0
    whole = min(train_iter.batch_size, len(train_iter.labels) - batch * train_iter.batch_size)
    return examples * world_size() / whole


def average_gradients(net):
    """Replace every gradient of net by its mean over the processes."""
    if world_size() > 1:
        for weight in net.parameters():
            if weight.requires_grad:
                weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
                gradient = weight.grad.contiguous()  # as it must be to travel
                dist.all_reduce(gradient)
                weight.grad.copy_(gradient / world_size())


def copy_from_rank_0(tensors):
    """Give every process rank 0's values of tensors."""
    if world_size() > 1:
        for tensor in tensors:
            values = tensor.detach().contiguous()
            dist.broadcast(values, 0)
            tensor.detach().copy_(values)


@contextmanager
def together():
    """Raise in every process the ValueError or MemoryError that one of them raises inside."""
    problem = None
    try:
        yield
    except (ValueError, MemoryError) as error:
        if world_size() == 1:
            raise
        problem = type(error), str(error)
    for kind, words in filter(None, gather(problem)):
        raise kind(words)


def total(numbers):
    """Return the sums of numbers over all processes."""
    return [sum(values) for values in zip(*gather(numbers), strict=True)]


def gather(value):
    """Return a list of every process's value; values are what pickle takes."""
    if world_size() == 1:
        return [value]
    values = [None] * world_size()
    dist.all_gather_object(values, value)
    return values
