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
    predict(net, X), layer_shapes(net, X), probes(), train_runs(folder), timings(net, X, y)
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

PYTHON = (3, 11)
TASKS = ("parity", "time", "train")
# d2l-zh's MindSpore run (60,000 pictures of 224 pixels, SGD 0.05, batches of 128) at a size for two
# cores: smaller batches for more steps, and the larger rate that few steps ask for.
THREE_EPOCHS = {"conv_arch": [[1, 16], [1, 32], [2, 64], [2, 128], [2, 128]], "input_size": 32,
                "lr": 0.1, "batch_size": 32, "num_epochs": 3}


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

    weights is {name: array}, wanted is {native name: shape}. Raises Refusal where the two are not
    of one architecture.
    """
    advice = (f"the network here is {tuple(map(tuple, conv_arch))}: export the weights of a "
              "d2lvgg.vgg with that conv_arch, in_channels, num_classes and input_size")
    if len(weights) != len(wanted):
        raise Refusal(f"the weights are of another architecture, {len(weights)} arrays for "
                      f"{len(wanted)} parameters; {advice}")
    pairs = list(zip(sorted(weights, key=depth), sorted(wanted, key=depth), strict=True))
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
    """Return wall-clock and processor seconds of step(): the first call apart, then the rest.

    step must end with a number on the host, or it has only been queued.
    """
    wall, cpu = [], []
    for _ in range(repeats + 1):
        began, began_cpu = time.perf_counter(), time.process_time()
        step()
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - began_cpu)
    return {"median": statistics.median(wall[1:]), "least": min(wall[1:]), "most": max(wall[1:]),
            "cpu_median": statistics.median(cpu[1:]), "first": wall[0], "repeats": repeats}


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


def train(side, net, step, data, *, num_epochs, batch_size, seed=0):
    """Train net by step(X, y) on data, uint8 pictures; return one dict an epoch."""
    rng, X, y = np.random.RandomState(seed), data["X"], data["y"]
    epochs = []
    for epoch in range(1, num_epochs + 1):
        began, losses, right = time.perf_counter(), 0.0, 0
        for places in np.array_split(rng.permutation(len(y)), -(-len(y) // batch_size)):
            loss, logits = step(as_float(X[places]), y[places])
            losses += float(loss) * len(places)
            right += int((logits.argmax(axis=1) == y[places]).sum())
        epochs.append({"epoch": epoch, "loss": losses / len(y), "train_acc": right / len(y),
                       "test_acc": accuracy(side, net, data["X_test"], data["y_test"]),
                       "seconds": time.perf_counter() - began})
        print(f"{name_of(side)}: epoch {epoch} of {num_epochs}, "
              + ", ".join(f"{name} {epochs[-1][name]:.3f}"
                          for name in ("loss", "train_acc", "test_acc"))
              + f", {epochs[-1]['seconds']:.0f} s", flush=True)
    return epochs


def accuracy(side, net, X, y, batch_size=256):
    """Return the fraction of the pictures X (N, C, H, W) uint8 that net names rightly."""
    right = sum(int((side.predict(net, as_float(X[at:at + batch_size])).argmax(axis=1)
                     == y[at:at + batch_size]).sum()) for at in range(0, len(y), batch_size))
    return right / len(y)


def as_float(pictures):
    return pictures.astype(np.float32) / 255


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
        elif task == "time":
            weights, network = read_network(folder)
            batch, _ = read_arrays(folder / "batch.safetensors")
            net, _ = net_with(side, weights, network)
            size = network["batch_size"]
            found = side.timings(net, batch["X"][:size], batch["y"][:size])
        else:
            found = side.train_runs(folder)
        (folder / f"{name_of(side)}_{task}.json").write_text(json.dumps(found))
    except Refusal as refusal:
        raise SystemExit(str(refusal)) from None
