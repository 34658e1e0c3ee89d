"""Run on a GPU what the course says of GPUs, and write results and notebooks to be committed.

    python -m tools.gpu                     every part, one after the other
    python -m tools.gpu tests speed         ... these parts

Each part ends within nine minutes or is stopped, and can be called again by itself.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
LIMIT = 9 * 60  # seconds
LESSONS = ("00", "09", "15")  # that show what a GPU does
PARTS = {
    "tests": ("the tests that need a GPU",
              [PYTHON, "-m", "pytest", "-m", "gpu", "-n", "0", "tests"]),
    "speed": ("the book's training against ours, in pairs, into benchmarks/results/cuda.json",
              [PYTHON, "benchmarks/train_speed.py"]),
    "protocol": ("the published protocol with five seeds, into benchmarks/results/",
                 [PYTHON, "benchmarks/accuracy.py", "--scale", "full", "--seeds", *"01234"]),
    "strong": ("the strong recipe at full scale, into benchmarks/results/",
               [PYTHON, "benchmarks/accuracy.py", "--scale", "full", "--recipe", "strong",
                "--lr", "0.1"]),
    **{f"lesson{number}": (f"lesson {number} at full scale, into notebooks/",
                           [PYTHON, "-m", "tools.notebooks", number, "--scale", "full"])
       for number in LESSONS},
}


def run(name):
    """Run one part; return whether it ended well, and say how long it took."""
    what, command = PARTS[name]
    print(f"{name}: {what}", flush=True)
    began = time.monotonic()
    try:
        well = subprocess.run(command, cwd=ROOT, timeout=LIMIT).returncode == 0
        ended = "done" if well else "failed"
    except subprocess.TimeoutExpired:
        well, ended = False, f"stopped at its limit of {LIMIT // 60} minutes"
    print(f"{name}: {ended} after {time.monotonic() - began:.0f} s", flush=True)
    return well


def plan():
    """Return in words what would run."""
    return "\n".join(f"  {name:9} {what}" for name, (what, _) in PARTS.items())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog=f"parts:\n{plan()}",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[[], *PARTS],
                        help=f"one of {', '.join(PARTS)}; default all")
    names = parser.parse_args().parts or list(PARTS)
    import torch

    if not torch.cuda.is_available():
        print("This machine has no CUDA GPU, so nothing was run. On one that has, this would run,"
              f" each within {LIMIT // 60} minutes:\n{plan()}")
        return
    failed = [name for name in names if not run(name)]
    if failed:
        sys.exit(f"not done: {', '.join(failed)}; each can be called again by its name")


if __name__ == "__main__":
    main()
