"""Freed memory is used again while training runs, and given back afterwards."""

import ctypes
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from d2lvgg import memory

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


def in_a_process_apart(code):
    """What code prints last. Other tests leave holes in this process's memory, or move its heap."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          check=True, cwd=Path(__file__).parent)
    return json.loads(done.stdout.splitlines()[-1])


@needs_glibc
def test_freed_memory_is_kept_inside_and_given_back_at_the_end():
    found = in_a_process_apart(APART)
    many = found["after an error"]  # all 20 blocks anew
    assert found["kept"] > 3.5 * BLOCK
    assert found["left"] < BLOCK / 2
    assert found["after the inner"] < many / 5  # the outer still keeps it
    assert found["after a failure"] < many / 5  # a batch that does not fit does not end it
    assert many > 5 * BLOCK // 2**21  # in pages of 2 MB at the most


TRAINED = """
import json

import torch
from torch import nn
from test_memory import faults

from d2lvgg import training


def run(train):
    net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),
                        nn.Linear(16 * 32 * 32, 10))
    batch = torch.rand(128, 1, 32, 32), torch.arange(128) % 10
    train(net, [batch] * 20, [batch], 1, 0.01, "cpu")


run(training.train)  # what is allocated once only
anew = faults(lambda: run(training.train.__wrapped__))
print(json.dumps([anew, faults(lambda: run(training.train))]))
"""


@needs_glibc
def test_training_uses_its_memory_again():
    anew, kept = in_a_process_apart(TRAINED)
    assert anew > 2 * kept


def test_without_glibc_nothing_happens(monkeypatch):
    def refuse(_name):
        raise OSError("libc.so.6: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    with memory.reused_memory():
        assert torch.ones(2).sum() == 2
