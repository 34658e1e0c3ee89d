"""A model of one training step on several GPUs, for lesson 17: when is what computed, and sent?"""

from typing import NamedTuple

import torch

from d2lvgg.shapes import trace_shapes


class Part(NamedTuple):
    """A part of a network: its FLOPs forward, and the bytes of its gradients."""

    name: str
    flops: int
    size: int


def parts_of(net, input_shape):
    """Return the Parts of net, a Sequential, that have weights."""
    with torch.device("meta"):
        rows = trace_shapes(net, input_shape)
    return [Part(row.name, row.flops, 4 * row.params) for row in rows if row.params]


def all_reduce(size, gpus, bandwidth, latency):
    """Return the seconds of a ring over size bytes.

    2 (N - 1) rounds; in each a GPU sends a piece of size / N bytes, and waits one latency.
    """
    return 2 * (gpus - 1) * (latency + size / gpus / bandwidth)


def timeline(parts, gpus, step, bandwidth, latency, overlap):
    """Return (computed, sent): lists of (name, start, end) in seconds.

    step is the time one GPU computes, a third of it forward, the rest backward, shared out by
    FLOPs. One message a part; with overlap it leaves when its part's gradient is ready, else when
    all are.
    """
    total = sum(part.flops for part in parts)
    now, computed, sent = step / 3, [("forward", 0.0, step / 3)], []
    free = 0.0 if overlap else step
    for part in reversed(parts):
        ready = now + 2 / 3 * step * part.flops / total
        computed.append((part.name, now, ready))
        start = max(free, ready)
        free = start + all_reduce(part.size, gpus, bandwidth, latency)
        sent.append((part.name, start, free))
        now = ready
    return computed, sent


def step_seconds(*arguments):
    """Return how long a step takes whose timeline is given by the same arguments."""
    computed, sent = timeline(*arguments)
    return max(computed[-1][2], sent[-1][2])
