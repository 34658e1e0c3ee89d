"""Run one VGG in PyTorch, MXNet Gluon and MindSpore on the same weights and prove them equal.

    python frameworks/compare.py                 all three; writes frameworks/results.json
    python frameworks/compare.py --parity        only what proves equality, MindSpore only where
                                                 there is room; writes build/frameworks/results.json
    python frameworks/compare.py --parity --only mxnet

Each framework gets an environment of its own under build/frameworks/ (Python 3.11, made by uv) and
runs as a process of its own, on one thread. It fails, and writes nothing, where the three differ.
"""

import argparse
import hashlib
import inspect
import itertools
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

import d2lvgg
from d2lvgg import models
from d2lvgg.data import to_float
from d2lvgg.devices import describe_machine

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "frameworks"
RESULTS = HERE / "results.json"
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))
import exchange  # noqa: E402
import torch_vgg  # noqa: E402

BOUNDS = {"logits": 1e-4, "loss": 1e-4, "gradients": 1e-3, "losses": 1e-3, "moved_logits": 1e-4}
TITLES = {"torch": "PyTorch", "mxnet": "MXNet", "mindspore": "MindSpore"}
ROOM = {"mxnet": 1, "mindspore": 5}  # GB of disk for an environment, downloads included
NETWORK = {  # 64 pixels, so that 2 x 2 are left and flattening has an order to get wrong
    "arguments": {"conv_arch": d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], 4), "in_channels": 1,
                  "num_classes": 10, "input_size": 64},
    "batch_size": 32, "lr": 0.0005}  # small: see roundoff
STEPS = 10
THREADS = "1"


def sources_hash():
    """Return the SHA-256 of what the numbers in results.json are made by.

    Of this file that is the functions that give and compare; words and environments may change.
    """
    digest = hashlib.sha256(json.dumps([NETWORK, STEPS]).encode())
    for path in sorted([*HERE.glob("*_vgg.py"), HERE / "exchange.py", *HERE.glob("*.txt")]):
        digest.update(path.name.encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    for function in (models.vgg_block, models.vgg, models.final_side, models.shrink, export,
                     export_data, compare, relative, move_back, logits_of, controls, untrained,
                     roundoff):
        digest.update(inspect.getsource(function).encode())
    return digest.hexdigest()


# The environments


def environment(name):
    """Return the Python of the framework's environment, made where it is missing or out of date.

    Raises exchange.Refusal, in words, where it cannot be made.
    """
    if name == "torch":
        return Path(sys.executable)
    folder, wanted = BUILD / name, HERE / f"requirements-{name}.txt"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    marker = folder / "installed.txt"
    if python.exists() and marker.exists() and marker.read_text() == wanted.read_text():
        return python
    if free_gb() < ROOM[name]:
        raise exchange.Refusal(f"{TITLES[name]}'s environment takes up to {ROOM[name]} GB of disk, "
                               f"and {free_gb():.1f} GB are free: make room, or leave it out with "
                               "--parity --only")
    print(f"making {TITLES[name]}'s environment in {folder}", flush=True)
    uv_or_refuse("venv", "--clear", "--python", "3.11", str(folder), refusal=(
        "Python 3.11 was not found and could not be fetched: install it (package python3.11, or "
        "`uv python install 3.11`) and run again"))
    # --no-config: this project tells uv to ignore pins of numpy, and here the pins matter.
    uv_or_refuse("pip", "install", "--python", str(python), "-r", str(wanted), refusal=(
        f"{TITLES[name]} could not be installed: its wheels are for 64-bit Linux and a few other "
        "systems, and the network must reach the package index"))
    marker.write_text(wanted.read_text())
    return python


def uv_or_refuse(*arguments, refusal):
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv is None:
        raise exchange.Refusal("uv was not found: `pip install uv` in the course's environment")
    done = subprocess.run([uv, arguments[0], *arguments[1:], "--no-config", "--quiet"], text=True,
                          capture_output=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1].strip()
        raise exchange.Refusal(f"{refusal} ({last})")


def free_gb():
    BUILD.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(BUILD).free / 1e9


# What all sides are given


def export(folder, training):
    """Write weights, batches and, for training, data sets into folder; return where from."""
    torch.manual_seed(0)
    net = d2lvgg.vgg(**NETWORK["arguments"])
    for name, parameter in net.named_parameters():
        if name.endswith("bias"):  # not zero, or a lost bias would go unnoticed
            torch.nn.init.uniform_(parameter, -0.1, 0.1)
        else:  # large enough for logits that spread, and for steps that learn from the first
            torch.nn.init.kaiming_uniform_(parameter, nonlinearity="relu")
    weights = {name: value.numpy() for name, value in net.state_dict().items()}
    exchange.write_arrays(folder / "weights.safetensors", weights,
                          {"network": json.dumps(NETWORK)})
    count, side = STEPS * NETWORK["batch_size"], NETWORK["arguments"]["input_size"]
    train_iter, _ = d2lvgg.load_data_fashion_mnist(NETWORK["batch_size"], device="cpu",
                                                   num_train=count, num_test=1)
    exchange.write_arrays(folder / "batch.safetensors", {
        "X": to_float(train_iter.images, side).numpy(), "y": train_iter.labels.numpy()})
    if training:
        export_data(folder / "fashion.safetensors", d2lvgg.load_data_fashion_mnist(
            1, device="cpu", num_train=10_000, num_test=2_000),
            side=exchange.THREE_EPOCHS["input_size"])
        export_data(folder / "cifar.safetensors", d2lvgg.load_data_cifar10(
            1, device="cpu", num_train=5_000, num_test=2_000), side=None)
    return words(train_iter.source)


def export_data(path, loaders, side):
    def pictures(loader):
        return (to_float(loader.images, side) * 255).round().to(torch.uint8).numpy()

    train_iter, test_iter = loaders
    exchange.write_arrays(path, {
        "X": pictures(train_iter), "y": train_iter.labels.numpy(),
        "X_test": pictures(test_iter), "y_test": test_iter.labels.numpy(),
    }, {"source": words(train_iter.source)})


def words(source):
    """Return where pictures came from without the folder's name, which is this machine's."""
    return source.rsplit(",", 1)[0]


# What is done with what they give back


def run_side(name, folder, task, **variables):
    """Run one side's task as a process of its own and return what it found."""
    environ = {**os.environ, "OMP_NUM_THREADS": THREADS, "GLOG_v": "3", **variables}
    path = folder / f"{name}_vgg_{task}.json"
    path.unlink(missing_ok=True)  # an older run's numbers are never taken for this one's
    done = subprocess.run([str(environment(name)), str(HERE / f"{name}_vgg.py"), str(folder), task],
                          text=True, stderr=subprocess.PIPE, env=environ)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise exchange.Refusal(f"{TITLES[name]}'s side failed at {task!r}: {last}")
    return json.loads(path.read_text())


def relative(ours, theirs):
    """Return the largest difference of two arrays as a part of the largest number in them."""
    return float(abs(ours - theirs).max() / max(abs(ours).max(), abs(theirs).max()))


def compare(one, other, arrays, found):
    """Return the differences between two sides, each beside its bound in BOUNDS."""
    here, there = arrays[one], arrays[other]
    gradients = {name.removeprefix("gradient."): relative(here[name], there[name])
                 for name in here if name.startswith("gradient.")}
    losses = [abs(a - b) for a, b in zip(found[one]["losses"], found[other]["losses"],
                                         strict=True)]
    return {"pair": [one, other],
            "logits": float(abs(here["logits"] - there["logits"]).max()),
            "loss": abs(found[one]["loss"] - found[other]["loss"]),
            "gradients": max(gradients.values()), "losses": max(losses),
            "gradients_by_name": gradients, "losses_by_step": losses}


def move_back(name, arrays):
    """Return the largest difference in logits after moving a side's trained weights to PyTorch."""
    net = d2lvgg.vgg(**NETWORK["arguments"]).eval()
    net.load_state_dict({key.removeprefix("trained."): torch.tensor(value)
                         for key, value in arrays.items() if key.startswith("trained.")})
    return float(abs(logits_of(net, arrays) - arrays["trained_logits"]).max())


def logits_of(net, arrays):
    with torch.inference_mode():
        return net(torch.tensor(arrays["X"])).numpy()


def controls(arrays, folder):
    """Return how far the logits move by each mistake in moving weights that no shape gives away."""
    weights, _ = exchange.read_arrays(folder / "weights.safetensors")
    channels = NETWORK["arguments"]["conv_arch"][-1][1]
    hidden, width = weights["6.weight"].shape
    mistakes = {
        "kernels turned by 180 degrees": {
            name: value[:, :, ::-1, ::-1] for name, value in weights.items() if value.ndim == 4},
        "flattened with channels last": {
            "6.weight": weights["6.weight"].reshape(hidden, channels, -1).transpose(0, 2, 1)
            .reshape(hidden, width)},
        "square matrix transposed": {"9.weight": weights["9.weight"].T},
        "biases left out": {
            name: np.zeros_like(value) for name, value in weights.items() if value.ndim == 1},
    }
    found = {}
    for mistake, changed in mistakes.items():
        net = d2lvgg.vgg(**NETWORK["arguments"]).eval()
        net.load_state_dict({name: torch.tensor(np.ascontiguousarray(value))
                             for name, value in {**weights, **changed}.items()})
        found[mistake] = float(abs(logits_of(net, arrays) - arrays["logits"]).max())
    return found


def untrained(batch, folder):
    """Return the losses of the steps' batches if no step changed a weight: a second control."""
    net = d2lvgg.vgg(**NETWORK["arguments"]).eval()
    net.load_state_dict({name: torch.tensor(value) for name, value in exchange.read_arrays(
        folder / "weights.safetensors")[0].items()})
    X, y = (torch.tensor(batch[name]).split(NETWORK["batch_size"]) for name in ("X", "y"))
    with torch.inference_mode():
        return [torch.nn.functional.cross_entropy(net(pictures), labels).item()
                for pictures, labels in zip(X, y, strict=True)]


def roundoff(batch, folder):
    """Return {rate: how far the losses of PyTorch's steps move if weights change in digit seven}.

    A ReLU at zero flips by round-off alone. At a rate that overshoots, its step grows into a
    difference that has nothing to do with frameworks. The largest of three changes.
    """
    weights, _ = exchange.read_arrays(folder / "weights.safetensors")
    found = {}
    for lr in (NETWORK["lr"], 20 * NETWORK["lr"]):
        runs = []
        for seed in range(4):
            rng, change = np.random.RandomState(seed), 2e-7 if seed else 0
            changed = {name: value * (1 + change * rng.randn(*value.shape))
                       for name, value in weights.items()}
            net = d2lvgg.vgg(**NETWORK["arguments"], dropout=0.0)
            net.load_state_dict({name: torch.tensor(value, dtype=torch.float32)
                                 for name, value in changed.items()})
            step, size = torch_vgg.sgd(net, lr), NETWORK["batch_size"]
            runs.append([step(batch["X"][at:at + size], batch["y"][at:at + size])[0]
                         for at in range(0, STEPS * size, size)])
        found[str(lr)] = float(abs(np.array(runs[1:]) - np.array(runs[0])).max())
    return found


def judge(results):
    """Raise exchange.Refusal, naming every number out of bounds, unless all sides are equal."""
    wrong = [f"{what} of {' and '.join(TITLES[name] for name in row['pair'])} differ by "
             f"{row[what]:.1e}, allowed is {bound:.0e}"
             for row in results["parity"] for what, bound in BOUNDS.items()
             if what in row and not row[what] <= bound]
    wrong += [f"weights moved from {TITLES[name]} to PyTorch give logits off by {difference:.1e}, "
              f"allowed is {BOUNDS['moved_logits']:.0e}"
              for name, difference in results["moved_back"].items()
              if not difference <= BOUNDS["moved_logits"]]
    wrong += [f"the mistake '{mistake}' changes the logits by {difference:.1e} alone, so the proof "
              "is blind to it" for mistake, difference in results["controls"].items()
              if not difference > 100 * BOUNDS["logits"]]
    moved = abs(results["losses_untrained"][-1] - results["frameworks"]["torch"]["losses"][-1])
    if not moved > 100 * BOUNDS["losses"]:
        wrong.append(f"{STEPS} steps changed the loss by {moved:.1e} alone, so equal losses prove "
                     "nothing")
    if wrong:
        raise exchange.Refusal("the frameworks are not equal: " + "; ".join(wrong))


def write_results(results, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(draft, path)


def choose(parity_only, only):
    """Return the frameworks to run, and say which are left out and why."""
    names = ["torch", *(only or ["mxnet", "mindspore"])]
    made = (BUILD / "mindspore" / "installed.txt").exists()
    if parity_only and not only and not made and free_gb() < ROOM["mindspore"]:
        names.remove("mindspore")
        print(f"MindSpore is left out: its environment takes {ROOM['mindspore']} GB of disk and "
              f"{free_gb():.1f} GB are free")
    return names


def run(names, parity_only):
    """Do it all; return the results, judged."""
    folder = BUILD / "exchange"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        environment(name)
    data = export(folder, training=not parity_only)
    found = {name: run_side(name, folder, "parity") for name in names}
    arrays = {name: exchange.read_arrays(folder / f"{name}_vgg.safetensors")[0] for name in names}
    batch, _ = exchange.read_arrays(folder / "batch.safetensors")
    for side in arrays.values():
        side["X"] = batch["X"][:NETWORK["batch_size"]]
    machine = describe_machine()
    results = {
        "sources": sources_hash(), "network": NETWORK, "steps": STEPS, "data": data,
        "machine": f"{os.cpu_count()} cores of {machine['device']}", "threads": int(THREADS),
        "bounds": BOUNDS, "frameworks": found,
        "logits_spread": float(arrays["torch"]["logits"].std()),
        "parity": [compare(one, other, arrays, found)
                   for one, other in itertools.combinations(names, 2)],
        "moved_back": {name: move_back(name, arrays[name]) for name in names},
        "controls": controls(arrays["torch"], folder),
        "losses_untrained": untrained(batch, folder), "roundoff": roundoff(batch, folder)}
    judge(results)
    if not parity_only:
        results["step_seconds"] = {name: run_side(name, folder, "time") for name in names}
        results["step_seconds"]["mindspore"]["pynative, oneDNN unlimited"] = run_side(
            "mindspore", folder, "time", ONEDNN_MAX_CPU_ISA="DEFAULT")["pynative"]
        slowest_first = names[::-1]
        with ThreadPoolExecutor(2) as pool:  # two processes of one thread: seconds are not compared
            results["training"] = dict(zip(slowest_first, pool.map(
                lambda name: run_side(name, folder, "train"), slowest_first), strict=True))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parity", action="store_true", help="no timing and no training")
    parser.add_argument("--only", nargs="+", choices=["mxnet", "mindspore"],
                        help="with --parity: beside PyTorch, run these alone")
    options = parser.parse_args()
    if options.only and not options.parity:
        parser.error("--only goes with --parity: results.json is of all three")
    path = BUILD / "results.json" if options.parity else RESULTS
    try:
        names = choose(options.parity, options.only)
        results = run(names, options.parity)
    except exchange.Refusal as refusal:
        raise SystemExit(str(refusal)) from None
    write_results(results, path)
    for row in results["parity"]:
        print(f"{' and '.join(TITLES[name] for name in row['pair'])} are equal: largest difference "
              + ", ".join(f"{what} {row[what]:.1e}" for what in BOUNDS if what in row))
    print(f"ran {', '.join(TITLES[name] for name in names)}: {path.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
