"""`import d2lvgg` against `import torch`, in pairs, and the time to the first plot.

    python benchmarks/import_time.py                   5 pairs
    python benchmarks/import_time.py --pairs 15        on a quiet machine

Each run is a Python of its own, from its start to its end: wall seconds, and the most memory that
it held (Linux and macOS). One run a kind comes first and is not counted: it reads the files from
the disk and compiles them. A pair is `import torch` and `import d2lvgg` with every public name but
LiveAnimator fetched (that one imports d2l, which is not ours), in an order that changes from pair
to pair, and a ratio is taken inside a pair, so that a slow minute of the machine hits both. The
first plot is a third run beside each pair: import, load 512 images, train LeNet for an epoch of 16
steps, and write the plot that train drew.

Result, 5 pairs on 2 cores of an AMD EPYC that others used too, Python 3.11.7, torch 2.15.0, medians
(least to most): d2lvgg takes 1.10 times the seconds of torch (0.92 to 1.43) and 1.12 times the
memory (1.12 to 1.12); the first plot is there after 24.9 s (22.7 to 38.6) where `import torch`
takes 9.6 s (8.4 to 10.4). Most of the difference is torch's own: the first optimizer that is made
imports torch._dynamo.

Writes benchmarks/results/import_cpu.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
TORCH = "import torch"
D2LVGG = """
import d2lvgg
for name in dir(d2lvgg):
    if name != "LiveAnimator":
        getattr(d2lvgg, name)
"""
FIRST_PLOT = """
import d2lvgg
train_iter, test_iter = d2lvgg.load_data_fashion_mnist(32, num_train=512, num_test=256, seed=0)
history = d2lvgg.train(d2lvgg.lenet(), train_iter, test_iter, 1, 0.5)
history.animator.save("first_plot.png")
"""


def run(code, folder):
    """Run code in a new Python in folder; return {'seconds': …, 'megabytes': …}."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"this ended with exit code {process.returncode}:\n{code}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return {"seconds": seconds, "megabytes": used.ru_maxrss / unit}


def measure(pairs):
    """Return {name: [run, …]} of so many pairs, each with a first plot after it."""
    kinds = {"import torch": TORCH, "import d2lvgg": D2LVGG, "first plot": FIRST_PLOT}
    runs = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as folder:
        for code in kinds.values():
            run(code, folder)
        for turn in range(pairs):
            pair = ["import torch", "import d2lvgg"]
            for name in [*(pair if turn % 2 == 0 else reversed(pair)), "first plot"]:
                runs[name].append(run(kinds[name], folder))
                print(f"pair {turn + 1}: {name:13} {runs[name][-1]['seconds']:6.2f} s "
                      f"{runs[name][-1]['megabytes']:6.0f} MB", flush=True)
    return runs


def summary(runs):
    """Return medians with the smallest and the largest: of each kind, and of d2lvgg over torch."""
    from train_speed import middle_and_spread

    found = {name: {unit: middle_and_spread([run[unit] for run in kind])
                    for unit in ("seconds", "megabytes")} for name, kind in runs.items()}
    found["d2lvgg over torch"] = {
        unit: middle_and_spread([ours[unit] / torchs[unit] for ours, torchs in zip(
            runs["import d2lvgg"], runs["import torch"], strict=True)])
        for unit in ("seconds", "megabytes")}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    runs = measure(options.pairs)
    # Only now: a process's peak memory is counted from its parent's, which has no torch till here.
    from train_speed import git_commit, processor

    from d2lvgg import describe_machine

    found = summary(runs)
    for name, units in found.items():
        print(f"{name:18}", *(f"{value['median']:8.2f} {unit} ({value['least']:.2f} to "
                              f"{value['most']:.2f})" for unit, value in units.items()))
    path = options.out / "import_cpu.json"
    path.write_text(json.dumps({
        "machine": describe_machine(), "processor": processor(), "commit": git_commit(),
        "pairs": options.pairs, **found, "runs": runs}, indent=2) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
