"""What every test and every notebook of this repository runs under."""

import os

import pytest

os.environ.setdefault("D2LVGG_SCALE", "smoke")
# Two test workers with two threads each on two cores wait for each other: one is ten times faster.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib  # noqa: E402

# Not through MPLBACKEND: the notebooks' kernels would inherit that and show no pictures.
matplotlib.use("agg")


def pytest_collection_modifyitems(items):
    """Keep the cells of a notebook together, and in order, on one test worker."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
