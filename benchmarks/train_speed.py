"""The book's loader and train_ch6 against ours, in pairs, wall-clock over everything.

    python benchmarks/train_speed.py                   both sizes, 5 rounds, this machine's device
    python benchmarks/train_speed.py --rounds 7 --sizes 224

Same network (VGG-11, channels / 4), same pictures, same number of steps, batches of 128, SGD 0.05.
A run is one epoch: from asking for the first batch to the last point of the plot, loading,
training, evaluation and plotting included. Left out, and stated in the result: importing, reading
the files, one warm-up run of a few batches. Between the two stand
runs that change one thing at a time. Each has a process of its own, so that none inherits another's
memory; all are run in turn, round after round, and a ratio is taken inside a round, so that a slow
minute of the machine hits both sides.

Writes benchmarks/results/<device>.json, from which `make figures` draws the waterfall.
"""

import argparse
import contextlib
import gc
import inspect
import io
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, set_start_method
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import torch  # noqa: E402
from d2l import torch as d2l  # noqa: E402

import d2lvgg  # noqa: E402
from d2lvgg.data import read_fashion_mnist  # noqa: E402
from d2lvgg.devices import describe_machine, has_fast_bf16, try_gpu  # noqa: E402

RESULTS = Path(__file__).parent / "results"
BATCH = 128
# Pictures (train, test) a run: the book's loop wants five batches or more. On a GPU an epoch is
# seconds, so it is the whole set.
PICTURES = {"cpu": {224: (640, 128), 64: (2560, 512)},
            "cuda": {224: (60_000, 10_000), 64: (60_000, 10_000)}}


def write_book_files(folder, num_train, num_test):
    """Put the first pictures where d2l's loader looks, ../data from folder/here."""
    raw = folder / "data" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    (folder / "here").mkdir()
    counts = {"train": num_train, "t10k": num_test}
    for (part, count), (images, labels) in zip(counts.items(), read_fashion_mnist(), strict=True):
        for kind, array in (("images", images[:count]), ("labels", labels[:count])):
            header = bytes([0, 0, 8, array.ndim])
            header += b"".join(n.to_bytes(4, "big") for n in array.shape)
            (raw / f"{part}-{kind}-idx{array.ndim}-ubyte").write_bytes(header + array.tobytes())
    return folder / "here"


@contextlib.contextmanager
def working_in(folder):
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def book_loaders(size, _device, folder, _counts):
    with working_in(folder):
        return d2l.load_data_fashion_mnist(BATCH, resize=size)


def our_loaders(size, device, _folder, counts):
    return d2lvgg.load_data_fashion_mnist(BATCH, size, device=device, num_train=counts[0],
                                          num_test=counts[1], seed=0)


def ours(reused_memory=False, **options):
    train = d2lvgg.train if reused_memory else inspect.unwrap(d2lvgg.train)

    def loop(net, train_iter, test_iter, device):
        train(net, train_iter, test_iter, 1, 0.05, device,
              **{"precision": "fp32", "channels_last": False, **options})
    return loop


def book(net, train_iter, test_iter, device):
    d2l.train_ch6(net, train_iter, test_iter, 1, 0.05, device)


def steps_on(device):
    """Return the runs, from the book's to ours, each one change on: (name, loaders, loop)."""
    runs = [("the book's loader and loop", book_loaders, book),
            ("+ our loop and plot", book_loaders, ours()),
            ("+ our loader", our_loaders, ours()),
            ("+ channels_last, pool before ReLU", our_loaders, ours(channels_last=True))]
    if has_fast_bf16(device):
        runs.append(("+ bf16", our_loaders, ours(channels_last=True, precision="bf16")))
    if device.type == "cpu":
        runs.append(("+ memory used again", our_loaders,
                     ours(reused_memory=True, channels_last=True, precision="auto")))
    return runs


def wait_for(device):
    """Return when the device has done all that it was given."""
    if device.type != "cpu":
        torch.get_device_module(device).synchronize()


def seconds(loaders, loop, size, device, net):
    """Return the wall-clock seconds of one epoch."""
    gc.collect()
    wait_for(device)
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        loop(net, *loaders, device)
    wait_for(device)
    return time.perf_counter() - began


def new_net(size):
    torch.manual_seed(0)
    return d2lvgg.vgg(d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], 4), input_size=size)


def ceilings(device):
    """Return what this device does at best: TFLOP/s of a large matmul, GB/s of a large copy."""
    found = {}
    side = 2048 if device.type == "cpu" else 8192
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        if name == "bf16" and not has_fast_bf16(device):
            continue
        a = torch.randn(side, side, device=device).to(dtype)
        found[f"{name} TFLOP/s"] = 2 * side**3 / best(lambda a=a: a @ a, device) / 1e12
    block = torch.empty((256 if device.type == "cpu" else 2048) * 2**20, dtype=torch.uint8,
                        device=device)
    other = torch.empty_like(block)
    found["copy GB/s"] = 2 * block.numel() / best(lambda: other.copy_(block), device) / 1e9
    return found


def best(work, device, repeats=10):
    times = []
    for _ in range(repeats):
        wait_for(device)
        began = time.perf_counter()
        work()
        wait_for(device)
        times.append(time.perf_counter() - began)
    return min(times)


def work_of(size):
    """Return FLOPs a picture of a training step, and numbers kept in memory a picture."""
    table = d2lvgg.trace_shapes(new_net(size), (1, 1, size, size), expand=True)
    first = next(row for row in table if row.layer == "Conv2d")
    # Forward once, backward twice, but for the first layer, whose input needs no gradient.
    return 3 * table.flops - first.flops, table.activation_bytes // 4


def middle_and_spread(values):
    """Return the median, the smallest and the largest."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def prepare(place, size, folder, counts):
    """Make ready, in a process of its own, the run that stands at place in steps_on's list."""
    global run
    set_start_method(None, force=True)  # the book's workers start as they do in a script
    device = try_gpu()
    _, make, loop = steps_on(device)[place]
    run = make(size, device, folder, counts), loop, size, device


def one_epoch():
    loaders, loop, size, device = run
    return seconds(loaders, loop, size, device, new_net(size))


def warm_up():
    """Run five batches; return the seconds."""
    loaders, loop, size, device = run
    began = time.perf_counter()
    X, y = next(iter(loaders[0]))
    seconds(([(X, y)] * 5, [(X, y)]), loop, size, device, new_net(size))
    return time.perf_counter() - began


def measure(size, device, rounds):
    counts = PICTURES["cuda" if device.type == "cuda" else "cpu"][size]
    runs, times = steps_on(device), {}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        folder = write_book_files(Path(folder), *counts)
        processes = {
            name: stack.enter_context(ProcessPoolExecutor(
                1, get_context("spawn"), prepare, (place, size, folder, counts)))
            for place, (name, *_) in enumerate(runs)}
        warm_ups = {name: process.submit(warm_up).result() for name, process in processes.items()}
        for turn in range(rounds):
            for name in processes if turn % 2 == 0 else reversed(processes):
                times.setdefault(name, []).append(processes[name].submit(one_epoch).result())
                print(f"{size} px, round {turn + 1}: {name:33} "
                      f"{counts[0] / times[name][-1]:8.1f} examples/s", flush=True)
    first, last = runs[0][0], runs[-1][0]
    ratios = [a / b for a, b in zip(times[first], times[last], strict=True)]
    flops, numbers = work_of(size)
    rate = statistics.median(counts[0] / t for t in times[last])
    return {
        "train pictures": counts[0], "test pictures": counts[1], "rounds": rounds,
        "ratio of the book's seconds to ours": middle_and_spread(ratios),
        "examples/s": {name: middle_and_spread([counts[0] / t for t in times[name]])
                       for name, *_ in runs},
        "seconds of each round": times, "warm-up seconds, left out above": warm_ups,
        "GFLOP a picture and training step": flops / 1e9,
        "MB of activations a picture in fp32": numbers * 4 / 1e6,
        "TFLOP/s reached": rate * flops / 1e12}


def git_commit():
    try:
        return subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True,
                              text=True, check=True, cwd=Path(__file__).parent).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def processor():
    """Return the processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[224, 64], choices=[224, 64])
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    device = try_gpu()
    precision = "bf16" if has_fast_bf16(device) else "fp32"
    result = {"machine": describe_machine(), "processor": processor(), "precision": precision,
              "commit": git_commit(), "ceilings": ceilings(device), "sizes": {}}
    for size in options.sizes:
        found = measure(size, device, options.rounds)
        peak = result["ceilings"][f"{precision} TFLOP/s"]
        found["share of the matmul ceiling"] = found["TFLOP/s reached"] / peak
        result["sizes"][str(size)] = found
        ratio = found["ratio of the book's seconds to ours"]
        print(f"{size} px: {ratio['median']:.2f} times the book's speed ({ratio['least']:.2f} to "
              f"{ratio['most']:.2f} in {options.rounds} rounds), "
              f"{found['TFLOP/s reached']:.3f} TFLOP/s, "
              f"{found['share of the matmul ceiling']:.0%} of a large matmul's", flush=True)
    options.out.mkdir(exist_ok=True)
    path = options.out / f"{device.type}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    import train_speed  # by its name: d2l's plot may put IPython's __main__ in the place of this

    train_speed.main()
