"""A small training run with checkpoints, for tests that kill it. See test_checkpoint.py."""

import contextlib
import io
import os
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.figure  # noqa: E402  (here and the next once, and not in every child)
import torch  # noqa: E402
import torch._dynamo  # noqa: E402
from small_runs import own_loaders  # noqa: E402
from torch import nn  # noqa: E402

import d2lvgg  # noqa: E402

EPOCHS, TRAIN, BATCH = 8, 48, 16  # 24 steps, and a checkpoint after each epoch


def make_net():
    torch.manual_seed(0)
    body = d2lvgg.vgg(((1, 4), (1, 8)), input_size=28, batch_norm=True)
    return nn.Sequential(*body[:3], nn.Linear(8 * 7 * 7, 32), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(32, 10))


def run(folder, recipe, seed, **options):
    """Train in folder, from its checkpoint if there is one, and leave result.pt."""
    torch.set_num_threads(1)
    net = make_net()
    loaders = own_loaders(TRAIN, 32, BATCH, seed=seed)
    if seed is None:  # the loader draws its order from torch's own generator
        torch.manual_seed(5)
    with contextlib.redirect_stdout(io.StringIO()):
        history = d2lvgg.train(net, *loaders, EPOCHS, 0.1, "cpu", recipe=recipe,
                               checkpoint=folder / "run.pt", resume=True, **options)
    rows = [{name: row[name] for name in ("epoch", "train_loss", "train_acc", "test_acc",
                                          "examples")} for row in history.epochs]
    torch.save({"net": net.state_dict(), "rows": rows, "steps": history.step_losses,
                "plot": [history.animator.X, history.animator.Y]}, folder / "result.pt")


def in_a_child(function, kill_after=None):
    """Call function in a forked process, killed after so many seconds; return whether it ended."""
    child = os.fork()
    if child == 0:
        try:
            sys.stderr = open(os.devnull, "w")  # the progress bar
            function()
        except BaseException as error:
            print(repr(error), file=sys.__stderr__, flush=True)
            os._exit(1)
        os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return False
    assert status == 0
    return True


def die(*_arguments):
    os.kill(os.getpid(), signal.SIGKILL)


def write_half(content, file):
    whole = io.BytesIO()
    SAVE(content, whole)
    file.write(whole.getvalue()[:len(whole.getvalue()) // 2])
    file.flush()
    die()


SAVE = torch.save
INSIDE = {"save": (torch, "save", write_half), "fsync": (os, "fsync", die),
          "replace": (os, "replace", die)}  # the three stages of a save


def run_and_die_in(stage, folder, recipe, seed, options):
    """Run, and be killed inside the second save."""
    module, name, deadly = INSIDE[stage]
    real, calls = getattr(module, name), []

    def counting(*arguments):
        calls.append(name)
        return deadly(*arguments) if len(calls) == 2 else real(*arguments)

    setattr(module, name, counting)
    run(folder, recipe, seed, **options)


def main(folder, recipe, seed, precision):
    seed, options = None if seed == "None" else int(seed), {"precision": precision}
    whole, cut = folder / "whole", folder / "cut"
    whole.mkdir()
    cut.mkdir()
    began = time.monotonic()
    assert in_a_child(lambda: run(whole, recipe, seed, **options))
    seconds = time.monotonic() - began
    inside = 0
    for stage in INSIDE:
        assert not in_a_child(partial(run_and_die_in, stage, cut, recipe, seed, options))
        inside += (cut / ".run.pt.part").exists()
    random.seed(0)
    kills, ended = 0, False
    while not ended:
        # Early enough that there are many, late enough that some steps are made.
        ended = in_a_child(lambda: run(cut, recipe, seed, **options),
                           seconds * random.uniform(0.2, 0.6) if kills < 30 else None)
        kills += not ended
        if ended and kills < 10:  # go again: from the start, for there is more to be killed
            (cut / "run.pt").unlink()
            ended = False
    print(f"{kills} kills at random, {inside} inside a save")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
