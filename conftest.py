"""What every test and every notebook of this repository runs under."""

import os
import time
from queue import Empty

os.environ.setdefault("D2LVGG_SCALE", "smoke")
# Two test workers with two threads each on two cores wait for each other: one is ten times faster.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib  # noqa: E402
from nbval.kernel import RunningKernel  # noqa: E402

collect_ignore = ["lessons/template"]  # to be copied; tests/test_template.py tests a copy

# Not through MPLBACKEND: the notebooks' kernels would inherit that and show no pictures.
matplotlib.use("agg")


def get_message(self, stream, timeout=None, ask=RunningKernel.get_message):
    """Wait for a kernel's message as nbval does, and notice within a second if the kernel dies.

    nbval on its own waits for the cell's time-out. Raises Empty after timeout seconds.
    """
    end = time.monotonic() + (float("inf") if timeout is None else timeout)
    while True:
        try:
            return ask(self, stream, timeout=max(0, min(1, end - time.monotonic())))
        except Empty:
            if not self.is_alive():
                raise RuntimeError("the notebook's kernel died while it ran this cell") from None
            if time.monotonic() >= end:
                raise


RunningKernel.get_message = get_message
