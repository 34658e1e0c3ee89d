"""Hundreds of updates of the live plot: artists, memory and saved size stay flat."""

import json

import nbformat
import pytest
from forked import ForkedKernelManager
from nbclient import NotebookClient

# Every update is drawn and shown: the throttle is switched off. Ticks take most of the time.
CELLS = [
    "import gc, json, psutil\n"
    "import d2lvgg\n"
    "from d2lvgg import live\n"
    "live.HEAD_START, live.FRAMES_PER_SECOND = 1e9, 1e9\n"
    "def measured(plot):\n"
    "    gc.collect()\n"
    "    rss = psutil.Process().memory_info().rss\n"
    "    artists = [len(plot.axes[0].get_children()), len(plot.fig.findobj())]\n"
    "    return {'frames': plot.frames, 'artists': artists, 'rss': rss}",
    "a = d2lvgg.LiveAnimator(legend=['x', 'y'], figsize=(1, 1))\n"
    "a.axes[0].axis('off')\n"
    "for i in range(100): a.add(i, (i % 7, None))",
    "print(json.dumps(measured(a)))",
    "for i in range(100, 500): a.add(i, (i % 7, -i % 5))",
    "print(json.dumps(measured(a)))",
]


@pytest.fixture(scope="module")
def notebook():
    """The cells above, run; the second and the fourth draw into one picture."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(made, kernel_name="python3", timeout=500, record_timing=False,
                   kernel_manager_class=ForkedKernelManager).execute()
    return made


def test_artists_and_memory_are_flat(notebook):
    before, after = (json.loads(notebook.cells[place].outputs[0].text) for place in (2, 4))
    assert (before["frames"], after["frames"]) == (100, 500)
    assert after["artists"] == before["artists"]
    assert after["rss"] - before["rss"] < 8e6  # 400 pictures kept would be more


def test_saved_size_is_flat(notebook):
    pictures = [output for cell in notebook.cells for output in cell.outputs
                if "image/png" in output.get("data", {})]
    assert len(pictures) == 1
    assert notebook.cells[1].outputs == pictures
    assert len(nbformat.writes(notebook)) < 60_000
