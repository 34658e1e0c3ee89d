"""Freed memory is used again while training runs, and given back afterwards."""

import ctypes
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from d2lvgg import memory, training

resource = pytest.importorskip("resource", reason="no page faults to count on Windows")
BLOCK = 2**26  # bytes


def glibc():
    try:
        return ctypes.CDLL("libc.so.6")
    except OSError:
        return None


needs_glibc = pytest.mark.skipif(not glibc(), reason="the C library is not glibc")


def faults(work):
    """Return how many pages the system had to hand out while work ran."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def use_blocks():
    for _ in range(20):
        torch.empty(BLOCK, dtype=torch.uint8).fill_(1)


APART = """
import json, sys
import psutil, torch
from test_memory import BLOCK, faults, use_blocks
from d2lvgg.memory import reused_memory

resident = lambda: psutil.Process().memory_info().rss
before, found = resident(), {}
with reused_memory():
    blocks = [torch.ones(BLOCK, dtype=torch.uint8) for _ in range(4)]
    del blocks
    found["kept"] = resident() - before
found["left"] = resident() - before
with reused_memory():
    use_blocks()
    with reused_memory():
        use_blocks()
    found["after the inner"] = faults(use_blocks)
    try:
        torch.empty(2**60, dtype=torch.uint8)
    except RuntimeError:
        found["after a failure"] = faults(use_blocks)
try:
    with reused_memory():
        raise KeyError("mine")
except KeyError:
    found["after an error"] = faults(use_blocks)
print(json.dumps(found))
"""


@needs_glibc
def test_freed_memory_is_kept_inside_and_given_back_at_the_end():
    # In a process apart: other tests leave holes in this one's memory, or move it to another heap.
    done = subprocess.run([sys.executable, "-c", APART], capture_output=True, text=True,
                          check=True, cwd=Path(__file__).parent)
    found = json.loads(done.stdout)
    many = found["after an error"]  # all 20 blocks anew
    assert found["kept"] > 3.5 * BLOCK
    assert found["left"] < BLOCK / 2
    assert found["after the inner"] < many / 5  # the outer still keeps it
    assert found["after a failure"] < many / 5  # a batch that does not fit does not end it
    assert many > 5 * BLOCK // 2**21  # in pages of 2 MB at the most


@needs_glibc
def test_training_uses_its_memory_again():
    def run(train):
        net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),
                            nn.Linear(16 * 32 * 32, 10))
        batch = torch.rand(128, 1, 32, 32), torch.arange(128) % 10
        train(net, [batch] * 20, [batch], 1, 0.01, "cpu")

    run(training.train)  # what is allocated once only
    assert faults(lambda: run(training.train.__wrapped__)) > 2 * faults(
        lambda: run(training.train))


def test_without_glibc_nothing_happens(monkeypatch):
    def refuse(_name):
        raise OSError("libc.so.6: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    with memory.reused_memory():
        assert torch.ones(2).sum() == 2
