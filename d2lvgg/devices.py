"""What to compute on, in which precision, and how much work this machine can afford."""

import functools
import os
import platform
import warnings
from collections import namedtuple
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import torch
from torch.nn import functional as F


class Scale(namedtuple("Scale", "name resize num_epochs num_train num_test batch_size lr why")):
    """How much work a lesson does: image size in pixels, epochs, examples, batch size.

    lr is the learning rate that goes with them: the published one at full scale, and twice that
    where there are few steps to learn in. why says who chose this scale.
    """

    def __str__(self):
        return (f"{self.name} scale: {self.num_train:,} images at {self.resize} x {self.resize}, "
                f"{self.num_epochs} epochs, batches of {self.batch_size}, SGD {self.lr}; "
                f"{self.num_test:,} images to test on\n({self.why})")


SCALES = {
    "full": Scale("full", 224, 10, 60_000, 10_000, 128, 0.05, ""),
    "laptop": Scale("laptop", 32, 3, 20_000, 10_000, 64, 0.1, ""),
    "smoke": Scale("smoke", 32, 2, 512, 256, 64, 0.1, ""),
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
    elif try_gpu().type == "cuda":
        name, why = "full", "a GPU was found; for a shorter run: pick_scale('laptop')"
    else:
        name, why = "laptop", "no CUDA GPU was found; for the published run: pick_scale('full')"
    if name not in SCALES:
        raise ValueError(f"the scale {name!r} is unknown: choose one of {', '.join(SCALES)}")
    return SCALES[name]._replace(why=why)


def try_gpu(i=0):
    """Return the device to train on: cuda:i, else Apple's mps, else the CPU.

    A device other than the CPU is chosen only where one small training step on it agrees with the
    CPU's; where it does not, a warning says so, once.
    Source: Dive into Deep Learning, section 6.7.
    """
    device = cpu = torch.device("cpu")
    if torch.cuda.device_count() > i and torch.cuda.is_available():
        device = torch.device("cuda", i)
    elif torch.backends.mps.is_available():
        device = torch.device("mps")
    return device if device == cpu or agrees_with_cpu(device) else cpu


@functools.cache
def agrees_with_cpu(device):
    """Return whether a small training step on device gives the CPU's numbers; warn if it does not.

    The tolerance lets TensorFloat-32 pass, which a GPU's convolutions may compute in.
    """
    try:
        pairs = zip(small_step(device), small_step(torch.device("cpu")), strict=True)
        if all(torch.allclose(there, here, rtol=1e-2, atol=1e-3) for there, here in pairs):
            return True
        reason = "gives other numbers than the CPU's"
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch was built without it
        reason = f"fails ({str(error).partition(chr(10))[0]})"
    warnings.warn(f"a small training step on {device} {reason}, so the CPU is used: update PyTorch "
                  f"and the driver, or insist with device={str(device)!r}", stacklevel=3)
    return False


def small_step(device):
    """Return the loss and the weights after one step on enlarged noise, on the CPU.

    It draws from a generator of its own, so that no one else's random numbers change.
    """
    generator = torch.Generator().manual_seed(0)
    noise, kernels, matrix = (torch.randn(shape, generator=generator).to(device)
                              for shape in ((16, 1, 8, 8), (4, 1, 3, 3), (10, 4 * 8 * 8)))
    weights = kernels.requires_grad_(), matrix.div_(16).requires_grad_()
    images = F.interpolate(noise, (16, 16), mode="bilinear", antialias=True)
    maps = F.max_pool2d(F.relu(F.conv2d(images, kernels, padding=1)), 2)
    labels = torch.arange(16, device=device) % 10
    loss = F.cross_entropy(F.linear(maps.flatten(1), matrix), labels)
    loss.backward()
    torch.optim.SGD(weights, lr=0.1).step()
    return [tensor.detach().cpu() for tensor in (loss, *weights)]


PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def pick_precision(precision, device):
    """Return precision, a name in PRECISIONS, or for 'auto' what device computes fastest in.

    That is bf16 where it is in hardware; else fp16 on a CUDA GPU with tensor cores, such as a T4,
    where training scales the loss so that small gradients survive; else fp32.
    """
    if precision != "auto":
        return precision
    if has_fast_bf16(device):
        return "bf16"
    tensor_cores = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (7, 0)
    return "fp16" if tensor_cores else "fp32"


def autocast(device, precision):
    """Return the context in which convolutions and matrix products run in precision."""
    return torch.autocast(device.type, PRECISIONS[precision], enabled=precision != "fp32")


def has_fast_bf16(device):
    """Return whether the device multiplies bfloat16 in hardware."""
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = cpu_capabilities()
    return device.type == "cpu" and bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def cpu_capabilities():
    """Return what PyTorch knows of the processor; an older PyTorch says nothing."""
    return getattr(torch.cpu, "get_capabilities", dict)()


def describe_machine():
    """Return what a bug report needs, as a dict of text: versions, device, memory."""
    import psutil

    device = try_gpu()
    name = (torch.cuda.get_device_name(device) if device.type == "cuda"
            else f"{device} ({cpu_capabilities().get('cpu_name') or platform.processor()})")
    versions = dict.fromkeys(("torch", "torchvision", "d2l", "numpy", "matplotlib", "jupyterlab"),
                             "not installed")
    for package in versions:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    memory = psutil.virtual_memory()
    return {
        "system": f"{platform.system()} {platform.machine()}", "Python": platform.python_version(),
        **versions,
        "device": name, "fast bfloat16": "yes" if has_fast_bf16(device) else "no",
        "CPU cores for torch": str(torch.get_num_threads()),
        "memory": f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free"}
