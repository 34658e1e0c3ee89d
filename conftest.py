"""What every test and every notebook of this repository runs under."""

import os

os.environ.setdefault("D2LVGG_SCALE", "smoke")
# Two test workers with two threads each on two cores wait for each other: one is ten times faster.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib  # noqa: E402

# Not through MPLBACKEND: the notebooks' kernels would inherit that and show no pictures.
matplotlib.use("agg")
