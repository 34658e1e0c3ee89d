"""Two epochs in float64, in as many processes as torchrun starts. See test_parallel.py."""

import copy
import os
import signal
import sys

import torch
from small_runs import own_loaders
from torch import nn

import d2lvgg
from d2lvgg import parallel


class Doubles:
    """Gives a loader's images as float64; on rank 1, at a word, what goes wrong in one process."""

    def __init__(self, train_iter, fault):
        self.train_iter, self.fault = train_iter, fault

    def __getattr__(self, name):
        return getattr(self.train_iter, name)

    def __len__(self):
        return len(self.train_iter)

    def replace(self, rank, **attributes):
        return Doubles(self.train_iter.replace(rank=rank, **attributes),
                       self.fault if rank == 1 else None)

    def __iter__(self):
        for number, (X, y) in enumerate(self.train_iter):
            if number == 2 and self.fault == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if number == 2 and self.fault == "nan":
                X = X * torch.nan
            if number == 0 and self.fault == "label":
                y = y + 10
            yield X.double(), y


class Full(nn.Identity):
    """Stands for a device that has no room left, in one of the passes, on rank 1, from step 3."""

    def __init__(self, fault):
        super().__init__()
        self.fault, self.steps = fault, 0

    def forward(self, X):
        self.steps += 1
        if self.training and self.steps == 3 and parallel.rank() == 1:
            if self.fault == "forward":
                raise torch.OutOfMemoryError("out of memory")
            if self.fault == "backward":
                X.register_hook(self.refuse)
        elif not self.training and self.fault == "evaluation" and parallel.rank() == 1:
            raise torch.OutOfMemoryError("out of memory")
        return X

    @staticmethod
    def refuse(_gradient):
        raise torch.OutOfMemoryError("out of memory")


def run(fault=None):
    """Train for two epochs; return the History, the network, and the state it began with."""
    torch.manual_seed(parallel.rank())  # each has its own weights: rank 0's must win
    body = d2lvgg.vgg(((1, 4), (1, 8)), input_size=28, batch_norm=fault == "batch norm")
    net = nn.Sequential(*body[:3], Full(fault), nn.Linear(8 * 7 * 7, 10)).double()
    loaders = [Doubles(loader, fault) for loader in own_loaders(101, 33, seed=4)]
    start = copy.deepcopy(net.state_dict())
    history = d2lvgg.train(net, *loaders, 2, 0.1, "cpu", precision="fp32", init_weights=False)
    states = parallel.gather(net.state_dict())
    assert all(torch.allclose(state[name], value, rtol=0, atol=0, equal_nan=True)
               for state in states
               for name, value in net.state_dict().items())
    return history, net, start


def words_of(fault):
    """Return what each process says of a fault on rank 1."""
    try:
        said = run(fault)[0].diverged
    except (ValueError, MemoryError) as error:
        said = f"{type(error).__name__}: {error}"
    return parallel.gather(said)


def main(out, *faults):
    with parallel.process_group():
        history, net, start = run()
        said = {fault: words_of(fault) for fault in faults}
        if parallel.rank() == 0:
            rows = [{name: row[name] for name in ("train_loss", "train_acc", "test_acc",
                                                  "examples")} for row in history.epochs]
            torch.save({"net": net.state_dict(), "start": start, "rows": rows, "said": said}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
