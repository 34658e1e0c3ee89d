"""What the sides of the comparison share: the files they exchange, clocks, refusals in words.

Each side is a module (torch_vgg, mxnet_vgg, mindspore_vgg) that runs as a process of its own, in
an environment of its own, so this file needs numpy and safetensors and no framework. Arrays cross
under the names of d2lvgg.vgg's state_dict. A side has

    VERSIONS                                     {package: version}
    make_net(conv_arch, in_channels, num_classes, input_size, dropout=0.5)
    export_weights(net)                          {its own name for a parameter: array}
    load_weights(net, weights)                   from such a dict
    forward_backward(net, X, y)                  logits, loss, {its own name: gradient}
    sgd(net, lr)                                 step(X, y) -> (loss, logits)
    predict(net, X), layer_shapes(net, X), probes()

and, where it writes the network as its users do (torch_native, mxnet_native, mindspore_native),

    fit(net, data, recipe)                       the epochs' losses and seconds
    save_and_load(net, folder, X)                bytes of its own file, difference after loading
    WAYS                                         {way to run a step: as sgd, above}
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

PYTHON = (3, 11)
TASKS = ("parity", "time", "train")
RECIPE = {"lr": 0.05, "momentum": 0.9, "batch_size": 50, "num_epochs": 3}  # of all three alike


class Refusal(ValueError):
    """What a side will not do; the text is one sentence that says what to do instead."""


def check_python(framework):
    """Raise Refusal unless this is the Python that framework's wheel was tried on."""
    if tuple(sys.version_info[:2]) != PYTHON:
        raise Refusal(f"{framework} runs here on Python 3.11, and this is Python "
                      f"{sys.version_info[0]}.{sys.version_info[1]}: run `make frameworks`, which "
                      "makes an environment for it")


def missing(framework, error):
    """Return the Refusal for a framework that cannot be imported."""
    return Refusal(f"{framework} cannot be imported in this environment ({error}): run `make "
                   "frameworks`, which makes an environment for it")


def pair_weights(weights, wanted, conv_arch):
    """Return [(name in weights, name wanted)]: both in order of depth, equal in shape.

    weights is {name: array}; wanted is {native name: shape} in the order in which the network was
    built. Raises Refusal where the two are not of one architecture.
    """
    advice = (f"the network here is {tuple(map(tuple, conv_arch))}: export the weights of a "
              "d2lvgg.vgg with that conv_arch, in_channels, num_classes and input_size")
    if len(weights) != len(wanted):
        raise Refusal(f"the weights are of another architecture, {len(weights)} arrays for "
                      f"{len(wanted)} parameters; {advice}")
    pairs = list(zip(sorted(weights, key=depth), wanted, strict=True))
    for name, native in pairs:
        if tuple(weights[name].shape) != tuple(wanted[native]):
            raise Refusal(f"the weights are of another architecture, {name} has shape "
                          f"{tuple(weights[name].shape)} and {native} {tuple(wanted[native])}; "
                          f"{advice}")
    return pairs


def depth(name):
    """Return the key that sorts '2.0.weight' before '10.bias', and a weight before its bias."""
    *place, kind = name.split(".")
    return [int(number) for number in place], kind != "weight"


def read_arrays(path):
    """Return (arrays, metadata) of a safetensors file."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def write_arrays(path, arrays, metadata=None):
    from safetensors.numpy import save_file

    # save_file writes the memory as it lies, so a transposed view would arrive untransposed.
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path,
              metadata=metadata)


def read_network(folder):
    """Return (weights, facts of the network) that compare.py exported into folder."""
    path = folder / "weights.safetensors"
    if not path.exists():
        raise Refusal(f"{path} is not there: run `make frameworks`, which exports it")
    weights, metadata = read_arrays(path)
    return weights, json.loads(metadata["network"])


def clock(step, repeats):
    """Return what repeats calls of step() cost, after one call that does not count.

    Each is a dict of seconds: wall on the clock, cpu of all threads, and {thread: [on a core,
    waiting for a core]} of the busiest three, where Linux tells. step must end with a number on
    the host, or it has only been queued.
    """
    step()
    found = []
    for _ in range(repeats):
        threads, wall, cpu = thread_seconds(), time.perf_counter(), time.process_time()
        step()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        spent = {name: [after - before for after, before in zip(
            times, threads.get(name, (0, 0)), strict=True)]
            for name, times in thread_seconds().items()}
        busiest = sorted(spent, key=lambda name: -sum(spent[name]))[:3]
        found.append({"wall": wall, "cpu": cpu, "threads": {
            name.split(":")[0]: spent[name] for name in busiest if sum(spent[name]) > 0.1 * wall}})
    return found


def thread_seconds():
    """Return {"name:id": (seconds on a core, seconds ready and without one)} of this process."""
    found = {}
    for folder in Path("/proc/self/task").glob("*"):
        try:
            on_core, waiting = (folder / "schedstat").read_text().split()[:2]
            name = "main" if folder.name == str(os.getpid()) else (
                folder / "comm").read_text().strip()
        except OSError:  # the thread has ended
            continue
        found[f"{name}:{folder.name}"] = (int(on_core) / 1e9, int(waiting) / 1e9)
    return found


def name_of(side):
    return Path(side.__file__).stem  # its __name__ is __main__


def net_with(side, weights, network):
    """Return side's network with weights in it, and the pairs (name in weights, side's name)."""
    net = side.make_net(**network["arguments"], dropout=0.0)
    wanted = {name: value.shape for name, value in side.export_weights(net).items()}
    pairs = pair_weights(weights, wanted, network["arguments"]["conv_arch"])
    side.load_weights(net, {native: weights[name] for name, native in pairs})
    return net, pairs


def parity(side, folder):
    """Do what all sides do on the same weights and pictures; write arrays, return the rest."""
    weights, network = read_network(folder)
    batch, _ = read_arrays(folder / "batch.safetensors")
    X, y, size = batch["X"], batch["y"], network["batch_size"]
    net, pairs = net_with(side, weights, network)
    logits, loss, gradients = side.forward_backward(net, X[:size], y[:size])
    shapes = side.layer_shapes(net, X[:1])
    step = side.sgd(net, network["lr"])
    losses = [float(step(X[at:at + size], y[at:at + size])[0]) for at in range(0, len(X), size)]
    trained = side.export_weights(net)
    write_arrays(folder / f"{name_of(side)}.safetensors", {
        "logits": logits, "trained_logits": side.predict(net, X[:size]),
        **{f"gradient.{name}": gradients[native] for name, native in pairs},
        **{f"trained.{name}": trained[native] for name, native in pairs}})
    return {"loss": float(loss), "losses": losses, "shapes": shapes, "probes": side.probes()}


def train(side, folder):
    """Train the network as this framework's users do; return its epochs and what it answers.

    All three begin with the same weights and see the same batches in the same order, so their
    curves can be compared point by point.
    """
    weights, network = read_network(folder)
    data, metadata = read_arrays(folder / "train.safetensors")
    net, pairs = net_with(side, weights, network)
    epochs = side.fit(net, data, RECIPE)
    for epoch in epochs:
        print(f"{name_of(side)}: {epoch}", flush=True)
    kept = side.save_and_load(net, folder, data["X_test"][:32])
    trained = side.export_weights(net)
    write_arrays(folder / f"{name_of(side)}_trained.safetensors", {
        **{native: trained[native] for _, native in pairs},
        "logits": side.predict(net, data["garments"])})
    return {"epochs": epochs, "kept": kept, "data": metadata["source"],
            "test_acc": accuracy(side, net, data["X_test"], data["y_test"])}


def shipped(side, folder):
    """Return the logits, nested lists, of the course's own network for its three garments."""
    weights, network = read_network(folder / "shipped")
    net, _ = net_with(side, weights, network)
    garments, _ = read_arrays(folder / "shipped" / "garments.safetensors")
    return side.predict(net, garments["X"]).tolist()


def accuracy(side, net, X, y, batch_size=256):
    """Return the fraction of the images X (N, C, H, W) that net names rightly."""
    right = sum(int((side.predict(net, X[at:at + batch_size]).argmax(axis=1)
                     == y[at:at + batch_size]).sum()) for at in range(0, len(y), batch_size))
    return right / len(y)


def main(side):
    """Run `python SIDE.py FOLDER TASK`: write what was found into FOLDER, or refuse in words."""
    try:
        if len(sys.argv) != 3 or sys.argv[2] not in TASKS:
            raise Refusal(f"usage: {Path(sys.argv[0]).name} FOLDER TASK, with TASK one of "
                          f"{', '.join(TASKS)}; `make frameworks` calls it so")
        folder, task = Path(sys.argv[1]), sys.argv[2]
        if task == "parity":
            found = {"versions": {"Python": sys.version.split()[0], **side.VERSIONS},
                     **parity(side, folder)}
            if (folder / "shipped").exists():
                found["shipped"] = shipped(side, folder)
        elif task == "time":
            weights, network = read_network(folder)
            batch, _ = read_arrays(folder / "batch.safetensors")
            size, repeats = network["batch_size"], int(os.environ.get("D2LVGG_REPEATS", "3"))
            found = {}
            for way, make_step in side.WAYS.items():
                net, _ = net_with(side, weights, network)  # each way begins with a fresh one
                step = make_step(net, network["lr"])
                found[way] = clock(lambda step=step: step(
                    batch["X"][:size], batch["y"][:size]), repeats)
        else:
            found = train(side, folder)
        (folder / f"{name_of(side)}_{task}.json").write_text(json.dumps(found))
    except Refusal as refusal:
        raise SystemExit(str(refusal)) from None
