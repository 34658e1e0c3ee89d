"""Training in several processes, by torch's own DistributedDataParallel. Lesson 17 explains it."""

import gc
import os
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed as dist

from .data import PictureLoader
from .scale import try_gpu

PATIENCE = timedelta(minutes=5)  # that a process waits for the others before it gives up


def world_size():
    """Return how many processes train together: 1 outside torchrun."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank():
    """Return this process's place among them, from 0. Rank 0 plots, prints and saves."""
    return dist.get_rank() if world_size() > 1 else 0


@contextmanager
def process_group():
    """Join the processes that torchrun started, and yield this one's device.

    Outside torchrun there is one process, and nothing to join. A process whose partner dies is
    told by the connection's end, or after PATIENCE, and raises RuntimeError.
    """
    if "LOCAL_RANK" not in os.environ:
        yield try_gpu()
        return
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield device
    finally:
        gc.collect()  # DDP refers to itself: left alive, its threads outlive Python and abort it
        dist.destroy_process_group()


def share(loader):
    """Return loader, so that each batch is this process's part of the whole batch.

    Raises ValueError for a loader of another kind, and for one that shuffles without a seed: each
    process would have its own order.
    """
    if world_size() == 1:
        return loader
    if not isinstance(loader, PictureLoader) or loader.shuffle and loader.generator is None:
        raise ValueError("several processes must cut the same batches: give them loaders of "
                         "load_data_fashion_mnist, load_data_cifar10 or load_data_image_folder, "
                         "with the same seed=")
    return loader.shared(rank(), world_size())


def loss_weight(loader, batch, examples):
    """Return the weight of the mean loss over this process's examples of batch number batch.

    DistributedDataParallel averages the processes' gradients as if all had as many examples; with
    this weight the average is the gradient of the mean over the whole batch.
    """
    if world_size() == 1:
        return 1.0
    whole = min(loader.batch_size, len(loader.labels) - batch * loader.batch_size)
    return examples * world_size() / whole


def total(numbers, device):
    """Return the sums of numbers over all processes, as floats."""
    if world_size() == 1:
        return numbers
    sums = torch.tensor(numbers, dtype=torch.float64, device=device)
    dist.all_reduce(sums)
    return sums.tolist()


def gather(value):
    """Return a list of every process's value; values are what pickle takes."""
    if world_size() == 1:
        return [value]
    values = [None] * world_size()
    dist.all_gather_object(values, value)
    return values
