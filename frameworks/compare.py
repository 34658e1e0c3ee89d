"""Run one VGG in PyTorch, MXNet Gluon and MindSpore on the same weights and prove them equal.

    python frameworks/compare.py                 all three; writes frameworks/results.json and
                                                 gluon.safetensors, a network that Gluon trained
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
TRAINED_BY_GLUON = HERE / "gluon.safetensors"
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))
import exchange  # noqa: E402
import torch_native  # noqa: E402
import torch_vgg  # noqa: E402

BOUNDS = {"logits": 1e-4, "loss": 1e-4, "gradients": 1e-3, "losses": 1e-3, "moved_logits": 1e-4}
TITLES = {"torch": "PyTorch", "mxnet": "MXNet", "mindspore": "MindSpore"}
ROOM = {"mxnet": 1, "mindspore": 5}  # GB of disk for an environment, downloads included
NETWORK = {  # 64 pixels, so that 2 x 2 are left and flattening has an order to get wrong
    "arguments": {"conv_arch": d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], 4), "in_channels": 1,
                  "num_classes": 10, "input_size": 64},
    "batch_size": 32, "lr": 0.0005}  # small: see roundoff
# The network as each framework's users write it, with the course's pooled head: 64 pixels to prove
# and to time it, a narrower one at 32 pixels to train it.
NATIVE = {"arguments": {"conv_arch": d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], 4), "in_channels": 1,
                        "num_classes": 10, "input_size": 64}, "batch_size": 32, "lr": 0.002}
TRAINED = {"arguments": {"conv_arch": d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], 8),
                         "in_channels": 1, "num_classes": 10, "input_size": 32}}
NUM_TRAIN, NUM_TEST = 4_000, 2_000
STEPS, ROUNDS = 10, 4
# Of 24 seeds the one whose ReLUs from block 2 on lie farthest from zero, and whose maxima from the
# second largest number. With seed 0 rounding switched one ReLU of layer 2.2 on in MindSpore and off
# in the others, and that moved a gradient by 1.6e-3 of its largest number.
SEED = 23
THREADS = "1"


def sources_hash():
    """Return the SHA-256 of what the numbers in results.json are made by.

    Of this file that is the functions that give and compare; words and environments may change.
    """
    digest = hashlib.sha256(
        json.dumps([NETWORK, NATIVE, TRAINED, NUM_TRAIN, STEPS, SEED]).encode())
    for path in sorted([*HERE.glob("*_vgg.py"), *HERE.glob("*_native.py"), HERE / "exchange.py",
                        *HERE.glob("*.txt")]):
        digest.update(path.name.encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    for function in (models.vgg_block, models.vgg, models.final_side, models.shrink, strong_start,
                     export, export_network, export_shipped, export_training, compare, relative,
                     move_back, logits_of, controls, untrained, roundoff, train_again, time_all):
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


def strong_start(net):
    """Fill net with weights whose logits spread, and biases that would be missed if they got lost.

    He's weights; of biases U(-0.1, 0.1). Returns net.
    """
    torch.manual_seed(SEED)
    for name, parameter in net.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.uniform_(parameter, -0.1, 0.1)
        else:
            torch.nn.init.kaiming_uniform_(parameter, nonlinearity="relu")
    return net


def export_network(folder, net, network):
    """Write the weights of net, with what builds it, as folder/weights.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    exchange.write_arrays(folder / "weights.safetensors", torch_vgg.export_weights(net),
                          {"network": json.dumps(network)})


def export(folder, training):
    """Write weights, batches and, for training, a data set into folder; return where from."""
    count = STEPS * NETWORK["batch_size"]
    train_iter, _ = d2lvgg.load_data_fashion_mnist(NETWORK["batch_size"], device="cpu",
                                                   num_train=count, num_test=1)
    for inner, net, network in (
            (folder, d2lvgg.vgg(**NETWORK["arguments"]), NETWORK),
            (folder / "native", torch_native.make_net(**NATIVE["arguments"]), NATIVE)):
        export_network(inner, strong_start(net), network)
        exchange.write_arrays(inner / "batch.safetensors", {
            "X": to_float(train_iter.images, network["arguments"]["input_size"]).numpy(),
            "y": train_iter.labels.numpy()})
    export_shipped(folder / "native" / "shipped")
    if training:
        export_training(folder / "training")
    return words(train_iter.source)


def export_shipped(folder):
    """Write the course's own network and its three garments, for every framework to name."""
    net = d2lvgg.pretrained("cpu")
    export_network(folder, net, {"arguments": {
        **NATIVE["arguments"], "input_size": net.size}})
    exchange.write_arrays(folder / "garments.safetensors", {
        "X": d2lvgg.garments(net.size)[0].numpy()})


def export_training(folder):
    """Write the weights that all begin with, and the images in the order that all see them in."""
    export_network(folder, strong_start(torch_native.make_net(**TRAINED["arguments"])), TRAINED)
    side, generator = TRAINED["arguments"]["input_size"], torch.Generator().manual_seed(0)
    train_iter, test_iter = d2lvgg.load_data_fashion_mnist(
        1, device="cpu", num_train=NUM_TRAIN, num_test=NUM_TEST)
    order = torch.randperm(NUM_TRAIN, generator=generator)
    exchange.write_arrays(folder / "train.safetensors", {
        "X": to_float(train_iter.images[order], side).numpy(),
        "y": train_iter.labels[order].numpy(),
        "X_test": to_float(test_iter.images, side).numpy(), "y_test": test_iter.labels.numpy(),
        "garments": d2lvgg.garments(side)[0].numpy(),
    }, {"source": words(train_iter.source)})


def words(source):
    """Return where pictures came from without the folder's name, which is this machine's."""
    return source.rsplit(",", 1)[0]


# What is done with what they give back


def run_side(script, folder, task, **variables):
    """Run one script's task as a process of its own and return what it found."""
    name = script.partition("_")[0]
    environ = {**os.environ, "OMP_NUM_THREADS": THREADS, "GLOG_v": "3", **variables}
    path = folder / f"{script}_{task}.json"
    path.unlink(missing_ok=True)  # an older run's numbers are never taken for this one's
    done = subprocess.run([str(environment(name)), str(HERE / f"{script}.py"), str(folder), task],
                          text=True, stderr=subprocess.PIPE, env=environ)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise exchange.Refusal(f"{TITLES[name]}'s side failed at {task!r}: {last}")
    return json.loads(path.read_text())


def time_all(names, folder):
    """Return what each way to take a training step cost, {"framework, way": [a dict a step, …]}.

    The frameworks take turns, round by round, so what else the machine does hits all alike. Then
    MindSpore once with oneDNN as it comes.
    """
    found = {"alone": {}}
    for _ in range(ROUNDS):
        note_times(found["alone"], names, folder)
    if "mindspore" in names:
        found["oneDNN as it comes"] = run_side("mindspore_native", folder, "time",
                                               ONEDNN_MAX_CPU_ISA="DEFAULT", D2LVGG_REPEATS="1")
    return found


def note_times(found, names, folder):
    for name in names:
        for way, steps in run_side(f"{name}_native", folder, "time").items():
            found.setdefault(f"{name}, {way}", []).append(steps)


def relative(ours, theirs):
    """Return the largest difference of two arrays as a part of the largest number in them."""
    return float(abs(ours - theirs).max() / max(abs(ours).max(), abs(theirs).max()))


def compare(one, other, arrays, found):
    """Return the differences between two sides; BOUNDS says what is allowed."""
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


def move_back(net, arrays):
    """Return the largest difference in logits after moving a side's trained weights to PyTorch."""
    net.eval()
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


def untrained(net, batch, folder):
    """Return the losses of the steps' batches if no step changed a weight: a second control."""
    net.eval().load_state_dict({name: torch.tensor(value) for name, value in exchange.read_arrays(
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


def train_again(folder):
    """Return PyTorch's epochs from weights changed in the seventh digit: how far one run drifts."""
    weights, network = exchange.read_network(folder)
    data, _ = exchange.read_arrays(folder / "train.safetensors")
    rng = np.random.RandomState(0)
    changed = {name: (value * (1 + 2e-7 * rng.randn(*value.shape))).astype(np.float32)
               for name, value in weights.items()}
    net, _ = exchange.net_with(torch_native, changed, network)
    return torch_native.fit(net, data, exchange.RECIPE)


def judge(results):
    """Raise exchange.Refusal, naming every number out of bounds, unless all sides are equal."""
    native = results["native"]
    wrong = [f"{what} of {' and '.join(TITLES[name] for name in row['pair'])} differ by "
             f"{row[what]:.1e}, allowed is {bound:.0e}"
             for row in results["parity"] + native["parity"] for what, bound in BOUNDS.items()
             if what in row and not row[what] <= bound]
    wrong += [f"weights moved from {TITLES[name]} to PyTorch give logits off by {difference:.1e}, "
              f"allowed is {BOUNDS['moved_logits']:.0e}"
              for moved in (results["moved_back"], native["moved_back"])
              for name, difference in moved.items() if not difference <= BOUNDS["moved_logits"]]
    ours = np.array(native["shipped"]["torch"])
    wrong += [f"{TITLES[name]} names the three garments with logits off by "
              f"{abs(np.array(logits) - ours).max():.1e}"
              for name, logits in native["shipped"].items()
              if not abs(np.array(logits) - ours).max() <= BOUNDS["logits"]]
    wrong += [f"the mistake '{mistake}' changes the logits by {difference:.1e} alone, so the proof "
              "is blind to it" for mistake, difference in results["controls"].items()
              if not difference > 100 * BOUNDS["logits"]]
    for part in (results, native):
        moved = abs(part["losses_untrained"][-1] - part["frameworks"]["torch"]["losses"][-1])
        if not moved > 100 * BOUNDS["losses"]:
            wrong.append(f"{STEPS} steps changed the loss by {moved:.1e} alone, so equal losses "
                         "prove nothing")
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
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in names:
        environment(name)
    data, machine = export(folder, training=not parity_only), describe_machine()
    results = {
        "sources": sources_hash(), "network": NETWORK, "steps": STEPS, "data": data,
        "machine": f"{os.cpu_count()} cores of {machine['device']}", "threads": int(THREADS),
        "bounds": BOUNDS, **prove(names, "vgg", folder, lambda: d2lvgg.vgg(
            **NETWORK["arguments"], dropout=0.0))}
    arrays, _ = exchange.read_arrays(folder / "torch_vgg.safetensors")
    batch, _ = exchange.read_arrays(folder / "batch.safetensors")
    arrays["X"] = batch["X"][:NETWORK["batch_size"]]
    results.update(logits_spread=float(arrays["logits"].std()), controls=controls(arrays, folder),
                   roundoff=roundoff(batch, folder))
    native = prove(names, "native", folder / "native",
                   lambda: torch_native.make_net(**NATIVE["arguments"]))
    native["network"] = NATIVE
    native["shipped"] = {name: side.pop("shipped") for name, side in native["frameworks"].items()}
    results["native"] = native
    judge(results)
    if not parity_only:
        results["seconds"] = time_all(names, folder / "native")
        results["training"] = {
            **TRAINED, "recipe": exchange.RECIPE, "num_train": NUM_TRAIN, "num_test": NUM_TEST,
            "runs": {name: run_side(f"{name}_native", folder / "training", "train")
                     for name in names},
            "roundoff": train_again(folder / "training")}
        shutil.copy(folder / "training" / "mxnet_native_trained.safetensors", TRAINED_BY_GLUON)
    return results


def prove(names, kind, folder, make_net):
    """Run one file a framework, *_vgg.py or *_native.py, and compare what comes back."""
    found = {name: run_side(f"{name}_{kind}", folder, "parity") for name in names}
    arrays = {name: exchange.read_arrays(folder / f"{name}_{kind}.safetensors")[0]
              for name in names}
    batch, _ = exchange.read_arrays(folder / "batch.safetensors")
    for side in arrays.values():
        side["X"] = batch["X"][:NETWORK["batch_size"]]
    return {"frameworks": found,
            "parity": [compare(one, other, arrays, found)
                       for one, other in itertools.combinations(names, 2)],
            "moved_back": {name: move_back(make_net(), arrays[name]) for name in names},
            "losses_untrained": untrained(make_net(), batch, folder)}


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
    for row in results["parity"] + results["native"]["parity"]:
        print(f"{' and '.join(TITLES[name] for name in row['pair'])} are equal: largest difference "
              + ", ".join(f"{what} {row[what]:.1e}" for what in BOUNDS if what in row))
    print(f"ran {', '.join(TITLES[name] for name in names)}: {path.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
