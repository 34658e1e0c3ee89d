"""Freed memory is used again while training runs, and given back afterwards."""

import ctypes
import subprocess
import sys

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


GIVEN_BACK = """
import psutil, torch
from d2lvgg.memory import reused_memory
resident = lambda: psutil.Process().memory_info().rss
before = resident()
with reused_memory():
    blocks = [torch.ones(2**26, dtype=torch.uint8) for _ in range(4)]
    del blocks
    kept = resident()
print(kept - before, resident() - before)
"""


@needs_glibc
def test_what_is_freed_is_kept_inside_and_given_back_at_the_end():
    done = subprocess.run([sys.executable, "-c", GIVEN_BACK], capture_output=True, text=True,
                          check=True)  # apart: other tests leave holes in this process's memory
    kept, left = map(int, done.stdout.split())
    assert kept > 3.5 * BLOCK
    assert left < BLOCK / 2


@needs_glibc
def test_an_error_inside_gives_it_back_too():
    with pytest.raises(KeyError), memory.reused_memory():
        raise KeyError("mine")
    assert faults(use_blocks) > 5 * BLOCK // 2**21  # pages of 2 MB at the most


@needs_glibc
def test_the_inner_of_two_leaves_it_to_the_outer():
    with memory.reused_memory():
        use_blocks()
        with memory.reused_memory():
            use_blocks()
        assert faults(use_blocks) < BLOCK // 2**21
    assert faults(use_blocks) > 5 * BLOCK // 2**21


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
