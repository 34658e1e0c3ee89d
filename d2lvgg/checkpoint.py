"""Checkpoints: one file, always whole, that runs no code when it is read."""

import hashlib
import os
import warnings
import zlib
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch.nn.parameter import is_lazy

from . import parallel

FORMAT = "d2lvgg checkpoint 2"
DIGEST_SIZE = 32  # bytes of SHA-256 at the end of the file, over all that stands before them


class CheckpointError(ValueError):
    """A checkpoint that cannot be gone on from; the text says why and what to do."""


def write_checkpoint(path, content):
    """Write content to path, whole or not at all.

    path is a Path, content a dict of tensors, numbers and text, and of lists and dicts of them. It
    goes into a file of its own beside path, which takes path's name once it is on the disk. Raises
    OSError where there is no room or no right to write; what stood at path then still does. A
    write that is killed leaves its own file behind, for the next one to write over.
    """
    private = path.with_name(f".{path.name}.part")
    try:
        with open(private, "w+b") as file:
            torch.save({"format": FORMAT, **content}, file)
            file.write(digest(file, file.tell()))
            file.flush()
            os.fsync(file.fileno())
        os.replace(private, path)
    except BaseException:
        private.unlink(missing_ok=True)
        raise


def read_checkpoint(path):
    """Return what write_checkpoint wrote to path, on the CPU.

    Raises CheckpointError where path holds anything else, were it one bit. Nothing that the file
    says is executed: torch.load with weights_only=True builds tensors, numbers and text.
    """
    content = None
    with open(path, "rb") as file, suppress(UnpicklingError):
        size = max(0, file.seek(0, os.SEEK_END) - DIGEST_SIZE)
        if digest(file, size) == file.read():
            file.seek(0)
            content = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is no whole checkpoint of this version of d2lvgg.train (cut "
                              "short, damaged, or of something else): nothing of it was run; "
                              "delete it, or name another file in checkpoint=, to start anew")
    return content


def digest(file, size):
    """Return the SHA-256 of the first size bytes of file, and leave it standing behind them."""
    file.seek(0)
    sha = hashlib.sha256()
    while size > 0 and (block := file.read(min(size, 2**20))):
        sha.update(block)
        size -= len(block)
    return sha.digest()


def generators(train_iter, device):
    """Return torch's generators of random numbers, and train_iter's own if it has one, by name."""
    found = {"cpu": torch.default_generator, "loader": getattr(train_iter, "generator", None)}
    if device.type == "cuda":
        found["cuda"] = torch.cuda.default_generators[device.index or 0]
    return {name: generator for name, generator in found.items() if generator is not None}


def describe_loader(train_iter):
    """Return what must be the same when a run goes on: which images, and in which order."""
    generator = getattr(train_iter, "generator", None)
    labels = getattr(train_iter, "labels", None)
    return {"loader": type(train_iter).__name__, "batches an epoch": len(train_iter),
            "source": getattr(train_iter, "source", None),
            "batch size": getattr(train_iter, "batch_size", None),
            "seed": None if generator is None else generator.initial_seed(),
            "checksum of labels": None if labels is None else zlib.crc32(labels.cpu().numpy())}


class Saver:
    """Writes a run to its checkpoint as it goes, and takes it up again."""

    def __init__(self, path, resume, net, settings):
        """Read the checkpoint at path, if there is one. Raises CheckpointError where it is not to
        be gone on from with net and settings; nothing has changed then."""
        shapes = {f"shape of {name}": list(value.shape) for name, value in net.state_dict().items()
                  if isinstance(value, torch.Tensor) and not is_lazy(value)}
        self.path = Path(path)
        self.settings = {**settings, **shapes}
        if not self.path.parent.is_dir():
            raise ValueError(f"checkpoint={str(path)!r}: there is no folder {self.path.parent}")
        if self.path.exists() and not resume:
            raise CheckpointError(f"{path} is there already: resume=True goes on from it")
        self.found = read_checkpoint(path) if self.path.exists() else None
        then, now = self.found["settings"] if self.found else self.settings, self.settings
        for name in {**now, **then}:
            if then.get(name) != now.get(name):
                raise CheckpointError(f"{path} is of a run with {name} {then.get(name)!r}, and "
                                      f"this one has {now.get(name)!r}: name another file")

    def start(self, parts, progress, train_iter, device):
        """Watch over a run, and bring it to where the checkpoint, if there is one, stopped.

        Of parts, objects by name, those are kept that have a state_dict.
        """
        self.parts = {name: part for name, part in parts.items() if hasattr(part, "state_dict")}
        self.progress, self.train_iter, self.device = progress, train_iter, device
        if self.found:
            for name, part in self.parts.items():
                part.load_state_dict(self.found[name])
            progress.restore(self.found["progress"])
            parallel.say(f"going on from {self.path}, epoch {progress.epoch + 1}")
            random = self.found["random"][parallel.rank()]
            for name, generator in generators(train_iter, device).items():
                generator.set_state(random[name])
            self.found = None

    def save(self):
        """Write the checkpoint; a disk that has no room for it does not end the run."""
        everyone = parallel.gather({name: generator.get_state() for name, generator in
                                    generators(self.train_iter, self.device).items()})
        if parallel.rank() == 0 and all(p.isfinite().all() for p in self.parts["net"].parameters()):
            content = {name: part.state_dict() for name, part in self.parts.items()}
            content.update(settings=self.settings, random=everyone, progress=self.progress.state())
            try:
                write_checkpoint(self.path, content)
            except (OSError, RuntimeError) as error:
                warnings.warn(f"no checkpoint was written ({error}): the last good one stays, and "
                              "training goes on; make room on the disk", stacklevel=3)
