"""What this machine is, and how much work it can afford."""

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
import torch


@dataclass(frozen=True)
class Scale:
    """How much work a lesson does: picture size in pixels, epochs, examples, batch size.

    lr is the learning rate that goes with them: the published one at full scale, and twice that
    where there are few steps to learn in.
    """

    name: str
    resize: int
    num_epochs: int
    num_train: int
    num_test: int
    batch_size: int
    lr: float
    why: str = ""

    def __str__(self):
        return (f"{self.name} scale: {self.num_train:,} pictures at {self.resize} x {self.resize}, "
                f"{self.num_epochs} epochs, batches of {self.batch_size}, SGD {self.lr}; "
                f"{self.num_test:,} pictures to test on\n({self.why})")


SCALES = {
    "full": Scale("full", 224, 10, 60_000, 10_000, 128, 0.05),
    "laptop": Scale("laptop", 32, 6, 20_000, 10_000, 64, 0.1),
    "smoke": Scale("smoke", 32, 2, 512, 256, 64, 0.1),
}


def pick_scale(name=None):
    """Return the Scale to run at: name, else $D2LVGG_SCALE, else what the device can afford.

    'full' is the published protocol and wants a GPU; 'laptop' keeps a training lesson under five
    minutes on two CPU cores; 'smoke' is for tests. Raises ValueError for any other name.
    """
    if name is not None:
        why = "you asked for it"
    elif name := os.environ.get("D2LVGG_SCALE"):
        why = "the environment variable D2LVGG_SCALE says so"
    elif torch.cuda.is_available():
        name, why = "full", "a GPU was found; for a shorter run: pick_scale('laptop')"
    else:
        name, why = "laptop", "no CUDA GPU was found; for the published run: pick_scale('full')"
    if name not in SCALES:
        raise ValueError(f"the scale {name!r} is unknown: choose one of {', '.join(SCALES)} "
                         "(in pick_scale, --scale or D2LVGG_SCALE)")
    return Scale(**{**vars(SCALES[name]), "why": why})


def try_gpu():
    """Return the device to train on: cuda:0, else Apple's mps (untried here), else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda:0")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def has_fast_bf16(device):
    """Return whether the device multiplies bfloat16 in hardware."""
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def version_of(package):
    """Return the version of an installed package, or 'not installed'."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def describe_machine():
    """Return what a bug report needs, as a dict of text: versions, device, memory, disk."""
    device = try_gpu()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{device} ({torch.cpu.get_capabilities()['cpu_name']})"
    memory = psutil.virtual_memory()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version_of(name) for name in ("torch", "torchvision", "d2l", "numpy",
                                               "matplotlib", "jupyterlab")},
        "device": name,
        "fast bfloat16": "yes" if has_fast_bf16(device) else "no",
        "CPU cores for torch": str(torch.get_num_threads()),
        "memory": f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free",
        "disk": f"{shutil.disk_usage(Path.cwd()).free / 2**30:.1f} GiB free",
    }
