"""Checkpoints: one file, always whole, that runs no code when it is read."""

import os
import secrets
from pathlib import Path
from pickle import UnpicklingError

import torch

FORMAT = "d2lvgg checkpoint 1"


class CheckpointError(ValueError):
    """A checkpoint that cannot be gone on from; the text says why and what to do."""


def write_checkpoint(path, content):
    """Write content to path, whole or not at all.

    content is a dict of tensors, numbers and text, and of lists and dicts of them. It goes into a
    file of its own beside path, which takes path's name once it is on the disk. Raises OSError
    where there is no room or no right to write; what stood at path then still does.
    """
    path = Path(path)
    private = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with open(private, "xb") as file:
            torch.save({"format": FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(private, path)
    except BaseException:
        private.unlink(missing_ok=True)
        raise


def read_checkpoint(path):
    """Return what write_checkpoint wrote to path, on the CPU.

    Raises CheckpointError where path holds something else or part of it only. Nothing that the
    file says is executed: torch.load with weights_only=True builds tensors, numbers and text.
    """
    remedy = "delete it, or name another file in checkpoint=, to start anew"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        raise CheckpointError(f"{path} holds something that is not a checkpoint of d2lvgg.train, "
                              f"and nothing of it was run: {remedy}") from None
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        what = str(error).partition("\n")[0] or "it ends too early"
        raise CheckpointError(f"{path} is truncated or damaged ({what}): {remedy}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} was not written by d2lvgg.train: {remedy}")
    return content


def delete_parts(path):
    """Delete what writes of path that were killed half-way left beside it."""
    path = Path(path)
    for part in path.parent.glob(f".{path.name}.*.part"):
        part.unlink(missing_ok=True)


def random_state(train_iter):
    """Return torch's random states, and that of train_iter's own generator if it has one."""
    own = getattr(train_iter, "generator", None)
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    if own is not None:
        state["loader"] = own.get_state()
    return state


def restore_random_state(state, train_iter):
    """Bring back what random_state returned."""
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
    if "loader" in state:
        train_iter.generator.set_state(state["loader"])
