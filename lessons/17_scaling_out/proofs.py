"""What lesson 17 proves with two processes, all in one start, which takes its seconds:

    torchrun --standalone --nproc-per-node 2 --max-restarts 1 proofs.py FOLDER

FOLDER gets proofs.pt, restarted.pt, and checkpoints. In the first start rank 1 kills itself;
torchrun starts both processes again, and they go on from the last checkpoint.
"""

import contextlib
import gc
import os
import signal
import sys
from pathlib import Path

import torch
from torch import distributed as dist
from torch import nn
from torch.distributed import checkpoint as dcp
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.fsdp import fully_shard
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel as DDP

import d2lvgg

NUM_EPOCHS, DIES_IN = 4, 3  # of the run that is killed


def train_share(rank, world_size, with_ddp=False):
    torch.manual_seed(0)                              # the same network, images, order in all
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                        nn.Linear(4 * 13 * 13, 10)).double()
    X, y = torch.rand(101, 1, 28, 28).double(), torch.randint(10, (101,))
    model = DDP(net) if with_ddp else net
    for batch in torch.randperm(101).split(16):       # the last batch has 5
        mine = batch.tensor_split(world_size)[rank]   # my share
        weight = len(mine) * world_size / len(batch)  # 1 where shares are equal
        net.zero_grad()
        (weight * F.cross_entropy(model(X[mine]), y[mine])).backward()
        for p in net.parameters():
            if world_size > 1 and not with_ddp:
                dist.all_reduce(p.grad)               # the sum, in every process
                p.grad /= world_size
            p.data -= 0.1 * p.grad                    # SGD
    return net.state_dict()


def accumulate(quiet, parts=4):
    """Return (gradients as one vector, bytes this rank put in) of one step in so many parts.

    quiet: all parts but the last are under no_sync, so that their gradients stay at home.
    """
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).double()
    X, y = torch.rand(64, 784).double(), torch.randint(10, (64,))
    model, sent = DDP(net), []

    def counted(group, bucket):
        sent.append(bucket.buffer().nbytes)
        return allreduce_hook(group, bucket)

    model.register_comm_hook(None, counted)
    shares = torch.arange(64).tensor_split(dist.get_world_size())[dist.get_rank()].chunk(parts)
    for number, share in enumerate(shares):
        last = number == parts - 1
        with model.no_sync() if quiet and not last else contextlib.nullcontext():
            (F.cross_entropy(model(X[share]), y[share]) / parts).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()]), sum(sent)


def local_bytes(tensors):
    """Return how many bytes of tensors this rank holds: of a DTensor, those of its own share."""
    return sum((t.to_local() if hasattr(t, "to_local") else t).nbytes for t in tensors)


def bytes_held(sharded):
    """Return {what: bytes} that this rank holds after a step of Adam on the pooled VGG-11 / 4."""
    torch.manual_seed(0)
    blocks = d2lvgg.vgg(d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], 4), input_size=32)[:5]
    net = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))
    if sharded:
        for block in net[:5]:
            fully_shard(block)  # gathered together, and let go together
        fully_shard(net)        # what is left: the linear layer
    model = net if sharded else DDP(net)
    adam = torch.optim.Adam(model.parameters())
    F.cross_entropy(model(torch.rand(4, 1, 32, 32)), torch.arange(4)).backward()
    adam.step()
    parameters = list(net.parameters())
    return {"parameters": local_bytes(parameters),
            "gradients": local_bytes(p.grad for p in parameters),
            "Adam's averages": local_bytes(state[name] for state in adam.state.values()
                                           for name in ("exp_avg", "exp_avg_sq"))}


def whole(net):
    """Return net's parameters, each gathered from all ranks."""
    return {name: (p.full_tensor() if hasattr(p, "full_tensor") else p).detach().clone()
            for name, p in net.named_parameters()}


def train_sharded(num_epochs, folder=None, dies_in=None):
    """Return (the epoch it went on from, the parameters at that moment, those at the end).

    In one process the network is whole, in several each holds a share. The run goes on from the
    last checkpoint in folder, if there is one. With dies_in, each epoch is saved there, and at the
    end of epoch dies_in rank 1 kills itself before that is done.
    """
    several = dist.is_initialized()
    rank, world_size = (dist.get_rank(), dist.get_world_size()) if several else (0, 1)
    torch.manual_seed(0)
    net = nn.Sequential(d2lvgg.vgg_block(1, 1, 6), nn.Flatten(), nn.Linear(6 * 14 * 14, 10))
    net.double()
    if several:
        fully_shard(net[0])
        fully_shard(net)
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    X, y = torch.rand(96, 1, 28, 28).double(), torch.randint(10, (96,))
    done = 0
    saved = sorted(path.parent for path in Path(folder).glob("epoch-*/.metadata")) if folder else []
    if saved:
        weights, momentum = get_state_dict(net, sgd)  # says what is wanted, and which share
        state = {"net": weights, "sgd": momentum, "epoch": 0}
        dcp.load(state, checkpoint_id=saved[-1], no_dist=not several)
        set_state_dict(net, sgd, model_state_dict=state["net"], optim_state_dict=state["sgd"])
        done = state["epoch"]
    start = whole(net)
    for epoch in range(done + 1, num_epochs + 1):
        order = torch.randperm(96, generator=torch.Generator().manual_seed(epoch))
        for batch in order.split(12):
            mine = batch.tensor_split(world_size)[rank]
            sgd.zero_grad()
            F.cross_entropy(net(X[mine]), y[mine]).backward()
            sgd.step()
        if epoch == dies_in and rank == 1:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        if dies_in:
            weights, momentum = get_state_dict(net, sgd)
            dcp.save({"net": weights, "sgd": momentum, "epoch": epoch},
                     checkpoint_id=Path(folder) / f"epoch-{epoch}")
    return done, start, whole(net)


def main(folder):
    start = int(os.environ["TORCHELASTIC_RESTART_COUNT"])  # 0, then 1 after the restart
    store, rank, world_size = next(dist.rendezvous("env://"))  # what torchrun has prepared
    # After a restart the ranks meet at the same store; a name of its own for each start keeps them
    # from the addresses that dead processes left there.
    store = dist.PrefixStore(f"start {start}", store)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=world_size)

    def keep(name, content):
        if rank == 0:
            torch.save(content, Path(folder) / name)

    if start == 0:
        found = {"by hand": train_share(rank, world_size),
                 "DDP": train_share(rank, world_size, with_ddp=True),
                 "accumulated": {quiet: accumulate(quiet) for quiet in (False, True)},
                 "held": {"DDP": bytes_held(False), "FSDP": bytes_held(True)},
                 "never stopped": train_sharded(NUM_EPOCHS)[2]}
        lines = [None] * world_size
        dist.all_gather_object(lines, f"rank {rank} of {world_size}, process {os.getpid()}, "
                                      f"{torch.get_num_threads()} thread")
        keep("proofs.pt", {**found, "lines": lines})
        train_sharded(NUM_EPOCHS, folder, dies_in=DIES_IN)
    else:
        keep("restarted.pt", train_sharded(NUM_EPOCHS, folder))
    gc.collect()  # DDP refers to itself; left alive, its threads outlive Python
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
