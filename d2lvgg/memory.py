"""Memory: freed and asked for again a moment later (lesson 15 explains it), or not enough of it."""

import ctypes
from contextlib import contextmanager

# mallopt's parameters, by their numbers in glibc's malloc.h
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX, ARENA_MAX = -1, -3, -4, -8
users = 0  # how many are inside reused_memory: it concerns the whole process, and may be nested


@contextmanager
def reused_memory():
    """Keep what is freed inside for the next allocation, and give it back at the end.

    glibc takes each large block from the operating system and returns it as soon as it is freed.
    A training step on a CPU frees hundreds of MB, and the next one waits while every page of them
    is cleared anew. Results do not change. Nothing happens where the C library is not glibc
    (macOS, Windows), and nothing to a GPU's memory, which PyTorch keeps by itself.
    Source: The GNU C Library manual, "Malloc Tunable Parameters".
    """
    global users
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        yield
        return
    # One heap: a batch that does not fit would move this thread to another, which keeps nothing.
    libc.mallopt(ARENA_MAX, 1)
    libc.mallopt(MMAP_MAX, 0)
    libc.mallopt(TRIM_THRESHOLD, 2**31 - 1)
    users += 1
    try:
        yield
    finally:
        users -= 1
        if users == 0:  # the highest thresholds that glibc would have moved to by itself
            libc.mallopt(MMAP_MAX, 65_536)
            libc.mallopt(MMAP_THRESHOLD, 32 * 2**20)
            libc.mallopt(TRIM_THRESHOLD, 64 * 2**20)
            libc.malloc_trim(0)


def is_out_of_memory(error):
    """Return whether error says that a device has no memory left, in any device's words."""
    # CUDA and mps; cuDNN and cuBLAS; a CPU, twice
    words = "out of memory", "ALLOC_FAILED", "DefaultCPUAllocator", "can't allocate memory"
    return any(part in str(error) for part in words)
