"""Runs a function in several processes of this machine, for lesson 17.

torchrun starts Python anew for each process, with seconds of imports. Here, on Linux, one process
imports torch once, and the others are forked from it; elsewhere each starts anew.
"""

import contextlib
import multiprocessing
import os
import re
import runpy
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed as dist
from torch import nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data.distributed import DistributedSampler

FROM_ONE = "forkserver" if sys.platform == "linux" else "spawn"
# The names that a job's source finds; a notebook's cell has them from its imports.
NAMES = {"torch": torch, "dist": dist, "nn": nn, "F": F, "DDP": DDP,
         "DistributedSampler": DistributedSampler}


def run(source, name, arguments=(), world_size=2, patience=180):
    """Return a list with what each rank ended with: {"result": …} or {"error": words}.

    source is Python text that defines the function called name; arguments are tensors, numbers
    and text. Of a result, networks become their state_dicts. A rank that is not done after
    patience seconds is ended; in an exchange it waits a sixth of that for the others.
    """
    context = multiprocessing.get_context(FROM_ONE)
    if FROM_ONE == "forkserver":
        context.set_forkserver_preload(["torch._dynamo", "torch._inductor.config",
                                        "torch.distributed.fsdp", "torch.distributed.checkpoint",
                                        "d2lvgg"])
    with tempfile.TemporaryDirectory() as folder:
        torch.save({"source": source, "name": name, "arguments": arguments,
                    "world_size": world_size, "patience": patience}, Path(folder) / "job.pt")
        ranks = [context.Process(target=runpy.run_path, args=(__file__,), daemon=True,
                                 kwargs={"run_name": f"{rank} {folder}"})
                 for rank in range(world_size)]
        for rank in ranks:
            rank.start()
        end = time.monotonic() + patience
        for rank in ranks:
            rank.join(max(0, end - time.monotonic()))
        return [outcome(Path(folder) / f"{number}.pt", rank, patience)
                for number, rank in enumerate(ranks)]


def outcome(path, rank, patience):
    """Return what a rank wrote to path, or what became of it; it is ended if it still runs."""
    if rank.is_alive():
        rank.kill()
        rank.join()
        return {"error": f"still waiting after {patience} s"}
    if not path.exists():
        return {"error": f"ended without an answer, exit code {rank.exitcode}"}
    return torch.load(path, weights_only=True)


def plain(value):
    """Return value as tensors, numbers, text and lists of them."""
    if isinstance(value, nn.Module):
        value = getattr(value, "module", value).state_dict()
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value if isinstance(value, (int, float, str, type(None))) else repr(value)


def be_a_rank(rank, folder):
    """Run the job in folder as one rank, and write down what came of it."""
    job = torch.load(folder / "job.pt", weights_only=True)
    torch.set_num_threads(1)
    with open(os.devnull, "w", encoding="utf-8") as nowhere, \
            contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        try:
            store = dist.FileStore(str(folder / "store"), job["world_size"])
            dist.init_process_group("gloo", store=store, rank=rank, world_size=job["world_size"],
                                    timeout=timedelta(seconds=max(10, job["patience"] / 6)))
            names = {**NAMES, "__name__": "several"}
            exec(compile(job["source"], "the script", "exec"), names)
            found = {"result": plain(names[job["name"]](*job["arguments"]))}
        except BaseException as error:  # SystemExit, too: what a script does ends no check
            # Without the line of gloo's source before it, and the advice after it.
            words = re.sub(r"\[[^]]*\.cc:\d+\] ", "", str(error)).partition(". This is typ")[0]
            found = {"error": f"{type(error).__name__}: {words}"}
    torch.save(found, folder / f"{rank}.part")
    os.replace(folder / f"{rank}.part", folder / f"{rank}.pt")
    time.sleep(0.2)  # so that what was sent last arrives
    os._exit(0)      # DDP's threads would outlive Python


if __name__[0].isdigit():
    number, _, place = __name__.partition(" ")
    be_a_rank(int(number), Path(place))
