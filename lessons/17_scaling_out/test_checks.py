"""The checks of lesson 17 against right answers, stubs and plausible wrong answers."""

import itertools
import linecache

import pytest
import torch
from torch import distributed as dist
from torch import nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data.distributed import DistributedSampler

from d2lvgg.exercises import WrongAnswer, checks_of, of_lesson

checks, several, wire = checks_of("17"), of_lesson("17", "several"), of_lesson("17", "wire")
NUMBERS = itertools.count()
NAMES = {"torch": torch, "dist": dist, "nn": nn, "F": F, "DDP": DDP,
         "DistributedSampler": DistributedSampler}


def made(source, *changes):
    """Return the function that source defines, with (old, new) changes, as a cell would hold it."""
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    name = f"<answer {next(NUMBERS)}>"
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
    names = dict(NAMES)
    exec(compile(source, name, "exec"), names)
    return next(value for key, value in names.items()
                if key not in NAMES and not key.startswith("__"))


REPAIRED = """\
def repaired(images, labels, test_images, test_labels, num_epochs, batch_size):
    rank, world_size = dist.get_rank(), dist.get_world_size()
    torch.manual_seed(0)
    net = nn.Linear(784, 10)
    model = DDP(net)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    sampler = DistributedSampler(labels, shuffle=True, seed=0)
    for epoch in range(num_epochs):
        sampler.set_epoch(epoch)
        for places in torch.tensor(list(sampler)).split(batch_size // world_size):
            sgd.zero_grad()
            F.cross_entropy(model(images[places]), labels[places]).backward()
            sgd.step()
    mine = slice(rank, None, world_size)
    right = (net(test_images[mine]).argmax(dim=1) == test_labels[mine]).sum()
    dist.all_reduce(right)
    return net, right.item() / len(test_labels)
"""
BY_HAND = ((
    "    model = DDP(net)\n", "    model = net\n"), (
    "            sgd.step()\n", "            for p in net.parameters():\n"
    "                dist.all_reduce(p.grad)\n                p.grad /= world_size\n"
    "            sgd.step()\n"))
SET_EPOCH = "        sampler.set_epoch(epoch)\n"
EXCHANGE = "    dist.all_reduce(right)\n"
FOR_TWO = ("world_size = dist.get_rank(), dist.get_world_size()", "world_size = dist.get_rank(), 2")

ACCUMULATE = """\
def accumulate(net, X, y, sizes):
    net.zero_grad()
    for part, labels in zip(X.split(sizes), y.split(sizes)):
        loss = F.cross_entropy(net(part), labels) * len(part) / len(X)
        loss.backward()
"""
WEIGHT = " * len(part) / len(X)"

TOGETHER = """\
def accuracy_together(net, X, y):
    mine = slice(dist.get_rank(), None, dist.get_world_size())
    right = (net(X[mine]).argmax(dim=1) == y[mine]).sum()
    dist.all_reduce(right)
    return right.item() / len(y)
"""
CUT = ("    mine = slice(dist.get_rank(), None, dist.get_world_size())\n",
       "    mine = torch.arange(len(y)).tensor_split(dist.get_world_size())[dist.get_rank()]\n")

IN_STEP = """\
def in_step(net):
    mine = torch.cat([p.detach().flatten() for p in net.parameters()])
    theirs = mine.clone()
    dist.broadcast(theirs, 0)
    same = torch.tensor(int(torch.equal(mine, theirs)))
    dist.all_reduce(same, op=dist.ReduceOp.MIN)
    return bool(same)
"""
ALL_GATHERED = """\
def in_step(net):
    mine = [p.tolist() for p in net.parameters()]
    everyone = [None] * dist.get_world_size()
    dist.all_gather_object(everyone, mine)
    return torch.tensor(all(each == mine for each in everyone))
"""

RIGHT = [
    (checks.check_repaired, made(REPAIRED)),
    (checks.check_repaired, made(REPAIRED, *BY_HAND)),
    (checks.check_repaired, made(REPAIRED, ("return net,", "return model,"))),
    (checks.check_accumulate, made(ACCUMULATE)),
    (checks.check_accumulate, made(ACCUMULATE, (
        WEIGHT, ", reduction='sum') / len(X)"), (", labels),", ", labels,"))),
    (checks.check_accuracy_together, made(TOGETHER)),
    (checks.check_accuracy_together, made(TOGETHER, CUT)),
    (checks.check_in_step, made(IN_STEP)),
    (checks.check_in_step, made(ALL_GATHERED)),
]
EMPTY = [
    (checks.check_repaired, made("def repaired(a, b, c, d, e, f):\n    ...\n")),
    (checks.check_accumulate, made("def accumulate(net, X, y, sizes):\n    ...\n")),
    (checks.check_accuracy_together, made("def accuracy_together(net, X, y):\n    ...\n")),
    (checks.check_in_step, made("def in_step(net):\n    return ...\n")),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_repaired, made(REPAIRED, (SET_EPOCH, "")), "told which epoch", "left-out step"),
    (checks.check_repaired, made(REPAIRED, ("batch_size // world_size", "batch_size")),
     "the batch of all ranks", "wrong formula"),
    (checks.check_repaired, made(REPAIRED, (SET_EPOCH, ""), (
        "batch_size // world_size", "batch_size")), "a whole batch of its own", "left-out step"),
    (checks.check_repaired, made(REPAIRED, (EXCHANGE, "    if rank == 0:\n    " + EXCHANGE)),
     "never came to", "left-out step"),
    (checks.check_repaired, made(REPAIRED, (EXCHANGE, "")), "different accuracies",
     "left-out step"),
    (checks.check_repaired, made(REPAIRED, *BY_HAND, (
        "                p.grad /= world_size\n", "")),
     "by the number of ranks", "left-out step"),
    (checks.check_repaired, made(REPAIRED, ("    model = DDP(net)\n", "    model = net\n")),
     "different weights", "left-out step"),
    (checks.check_repaired, made(REPAIRED, ("/ len(test_labels)", "/ len(test_labels[mine])")),
     "different accuracies|more than the test set", "wrong formula"),
    (checks.check_repaired, made(REPAIRED, (
        "/ len(test_labels)", "/ len(test_labels) / world_size")),
     "do not divide", "wrong formula"),
    (checks.check_repaired, made(REPAIRED, (".sum()", ".float().mean()"), (
        "/ len(test_labels)", "/ world_size")), "not equally large", "wrong axis"),
    (checks.check_repaired, made(REPAIRED, FOR_TWO), "with 3 processes",
     "works for the shown case only"),
    (checks.check_repaired, made(REPAIRED, ("return net, ", "return ")), "return net, accuracy",
     None),
    (checks.check_repaired, made(REPAIRED, ("nn.Linear", "my_net")), "travels alone", None),
    (checks.check_repaired, made("def repaired(images):\n    ...\n"), "takes 6 arguments", None),
    (checks.check_repaired, lambda *arguments: None, "written with def", None),
    (checks.check_accumulate, made(ACCUMULATE, (WEIGHT, "")), "weigh each", "left-out step"),
    (checks.check_accumulate, made(ACCUMULATE, (WEIGHT, " / len(sizes)")),
     "averaged over the parts", "works for the shown case only"),
    (checks.check_accumulate, made(ACCUMULATE, (WEIGHT, " * len(part)")), "divide by their number",
     "left-out step"),
    (checks.check_accumulate, made(ACCUMULATE, ("    net.zero_grad()\n", ""), (
        "        loss =", "        net.zero_grad()\n        loss =")), "only the last part",
     "wrong formula"),
    (checks.check_accumulate, made(ACCUMULATE, ("    net.zero_grad()\n", "")),
     "adds to the first one's", "state left behind"),
    (checks.check_accumulate, made(ACCUMULATE, ("X.split(sizes), y.split(sizes)", "[X], [y]")),
     "one part at a time", "left-out step"),
    (checks.check_accumulate, made(ACCUMULATE, (
        "        loss.backward()\n", "        loss.backward()\n        break\n")),
     "one part at a time", "off by one"),
    (checks.check_accumulate, made(ACCUMULATE, ("        loss.backward()\n", "")),
     "call backward", "left-out step"),
    (checks.check_accumulate, made(ACCUMULATE + "    with torch.no_grad():\n"
                                   "        for p in net.parameters():\n            p -= p.grad\n"),
     "no step", "wrong formula"),
    (checks.check_accumulate, made(ACCUMULATE, ("len(X)", "nothing")), "raised NameError", None),
    (checks.check_accuracy_together, made(TOGETHER, ("    dist.all_reduce(right)\n", "")),
     "different answers", "left-out step"),
    (checks.check_accuracy_together, made(TOGETHER, (
        "dist.get_rank(), None, dist.get_world_size()", "0, None")), "every rank looked",
     "left-out step"),
    (checks.check_accuracy_together, made(TOGETHER, (" / len(y)", "")), "how many are right",
     "left-out step"),
    (checks.check_accuracy_together, made(TOGETHER, (".sum()", ".float().mean()"), (
        "/ len(y)", "/ dist.get_world_size()")), "not nan|add up counts|not the share",
     "wrong axis"),
    (checks.check_accuracy_together, made(TOGETHER, (
        "slice(dist.get_rank(), None, dist.get_world_size())",
        "list(DistributedSampler(y, shuffle=False))")), "some come twice", "wrong formula"),
    (checks.check_accuracy_together, made(TOGETHER, ("dist.get_world_size()", "2")),
     "some come twice|looked at", "works for the shown case only"),
    (checks.check_accuracy_together, made(TOGETHER, (
        "    dist.all_reduce(right)\n", "    if len(y[mine]):\n        dist.all_reduce(right)\n")),
     "never came to", "left-out step"),
    (checks.check_in_step, made(IN_STEP, (
        "    dist.all_reduce(same, op=dist.ReduceOp.MIN)\n", "")), "verdict must be exchanged",
     "left-out step"),
    (checks.check_in_step, made(IN_STEP, ("mine.clone()", "mine")), "do not see it",
     "left-out step"),
    (checks.check_in_step, made(IN_STEP, (
        "torch.cat([p.detach().flatten() for p in net.parameters()])",
        "sum(p.detach().sum() for p in net.parameters())")), "do not see it", "wrong formula"),
    (checks.check_in_step, made(IN_STEP, (
        "torch.cat([p.detach().flatten() for p in net.parameters()])",
        "next(net.parameters()).detach()")), "last bias", "left-out step"),
    (checks.check_in_step, made(IN_STEP, ("torch.equal", "torch.allclose")), "bit by bit",
     "wrong formula"),
    (checks.check_in_step, made(IN_STEP, ("bool(same)", "not same")), "they are equal",
     "wrong formula"),
    (checks.check_in_step, made(
        "def in_step(net):\n    p = net[0].weight.data\n    dist.broadcast(p, 0)\n"
        "    return True\n"), "own parameters have changed|do not see it", "state left behind"),
    (checks.check_in_step, made(IN_STEP, (
        "    dist.broadcast(theirs, 0)\n",
        "    if dist.get_rank() == 1:\n        dist.send(mine, 0)\n"
        "    if dist.get_rank() == 0:\n        dist.recv(theirs, 1)\n")), "rank 2",
     "works for the shown case only"),
    (checks.check_in_step, made(IN_STEP, ("bool(same)", "theirs")), "True or False", None),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), EMPTY)
def test_empty(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake", "kind"), WRONG)
def test_wrong(check, answer, mistake, kind):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)


def test_what_a_rank_does_is_told():
    source = ("def job(what):\n    rank = dist.get_rank()\n"
              "    if what == 'exit' and rank == 1:\n        import os; os._exit(3)\n"
              "    if what == 'sleep' and rank == 1:\n        import time; time.sleep(60)\n"
              "    return {'rank': [rank, nn.Linear(1, 1), object]}\n")
    first, second = several.run(source, "job", ("exit",))
    assert first["result"]["rank"][0] == 0
    assert set(first["result"]["rank"][1]) == {"weight", "bias"}
    assert "exit code 3" in second["error"]
    assert "still waiting" in several.run(source, "job", ("sleep",), patience=8)[1]["error"]


def test_the_model_of_the_wire():
    parts = [wire.Part("a", 3, 1000), wire.Part("b", 1, 4000)]
    assert wire.all_reduce(4000, 4, 1000, 0.5) == 6 * (0.5 + 1)
    computed, sent = wire.timeline(parts, 2, 3.0, 1000, 0, overlap=True)
    assert computed == [("forward", 0.0, 1.0), ("b", 1.0, 1.5), ("a", 1.5, 3.0)]
    assert sent == [("b", 1.5, 5.5), ("a", 5.5, 6.5)]
    assert wire.step_seconds(parts, 2, 3.0, 1000, 0, False) == 8
    assert wire.step_seconds(parts, 1, 3.0, 1000, 9, False) == 3
