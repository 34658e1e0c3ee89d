"""The checks of lesson 02 against right answers, stubs and plausible wrong answers."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("02")

WITH_A_LIST = checks.WITH_A_LIST
LINES = list(WITH_A_LIST)


class Parallel(nn.Module):
    def __init__(self, net1, net2):
        super().__init__()
        self.net1, self.net2 = net1, net2

    def join(self, left, right):
        return torch.cat([left, right], dim=1)

    def forward(self, X):
        return self.join(self.net1(X), self.net2(X))


class Added(Parallel):
    def join(self, left, right):
        return left + right if left.shape == right.shape else torch.cat([left, right], dim=1)


class Longer(Parallel):
    def join(self, left, right):
        return torch.cat([left, right], dim=int(left.shape != right.shape))


class Stacked(Parallel):
    def join(self, left, right):
        same = left.shape == right.shape
        return torch.stack([left, right]) if same else torch.cat([left, right], dim=1)


class Swapped(Parallel):
    def join(self, left, right):
        return torch.cat([right, left], dim=1)


class Pair(Parallel):
    def join(self, left, right):
        return left, right


class First(Parallel):
    def join(self, left, right):
        return left


class LastAxis(Parallel):
    def join(self, left, right):
        return torch.cat([left, right], dim=-1)


class Flat(Parallel):
    def join(self, left, right):
        return torch.cat([left, right], dim=1).reshape(1, -1)


class Mixed(Parallel):  # each example gets numbers of another one
    def join(self, left, right):
        joined = torch.cat([left.flatten(), right.flatten()])
        return joined.reshape(len(left), -1, *left.shape[2:])


class Alone(Parallel):  # made for one example
    def join(self, left, right):
        return torch.cat([left[0], right[0]])[None]


class Detached(Parallel):
    def join(self, left, right):
        return torch.cat([left, right], dim=1).detach()


class WithoutGrad(Parallel):
    def forward(self, X):
        with torch.no_grad():
            return super().forward(X)


class RightCut(Parallel):
    def join(self, left, right):
        return torch.cat([left, torch.tensor(right.detach().numpy())], dim=1)


class Chained(Parallel):
    def forward(self, X):
        return self.join(self.net1(X), self.net2(self.net1(X)))


class Remembers(Parallel):
    def forward(self, X):
        if not hasattr(self, "out"):
            self.out = super().forward(X)
        return self.out


class Copies(Parallel):
    def __init__(self, net1, net2):
        super().__init__(copy.deepcopy(net1), copy.deepcopy(net2))


class HalfHidden(Parallel):
    def __init__(self, net1, net2):
        super().__init__(net1, None)
        self.rest = [net2]

    def forward(self, X):
        return self.join(self.net1(X), self.rest[0](X))


class ByIndex(nn.Module):
    def __init__(self, *nets):
        super().__init__()
        self.nets = nn.ModuleList(nets)

    def forward(self, X):
        outputs = [net(X) for net in self.nets]
        joined = X.new_empty(len(X), sum(out.shape[1] for out in outputs), *outputs[0].shape[2:])
        start = 0
        for out in outputs:
            joined[:, start:start + out.shape[1]] = out
            start += out.shape[1]
        return joined


class Hidden(nn.Module):
    def __init__(self, net1, net2):
        super().__init__()
        self.nets = [net1, net2]

    def forward(self, X):
        return torch.cat([net(X) for net in self.nets], dim=1)


class Unfinished(nn.Module):
    def __init__(self, net1, net2):
        super().__init__()

    def forward(self, X):
        ...


def chain(make_block, n):
    return nn.Sequential(*[make_block() for _ in range(n)])


def chain_by_loop(make_block, n):
    net = nn.Sequential()
    for place in range(n):
        net.add_module(f"block{place}", make_block())
    return net


class InAList(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.blocks = blocks

    def forward(self, X):
        for block in self.blocks:
            X = block(X)
        return X


class LastOnly(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, X):
        for block in self.blocks:
            out = block(X)
        return out


def chain_of_all(kept, make_block, n):
    kept.extend(make_block() for _ in range(n))
    return nn.Sequential(*kept)


def chain_of_the_lesson(make_block, n):
    return nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.ReLU()) for _ in range(5)])


def copies(make_block, n):
    block = make_block()
    return nn.Sequential(*[copy.deepcopy(block) for _ in range(n)])


def train_epoch(net, data, optimizer):
    losses = []
    for X, y in data:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(X), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train_epoch_by_hand(net, data, optimizer):
    """Another order of the same steps, and the loss from its definition."""
    losses = []
    for X, y in data:
        logs = net(X).log_softmax(dim=1)
        loss = -logs[torch.arange(len(y)), y].mean()
        net.zero_grad()
        loss.backward()
        losses += [loss.item()]
        optimizer.step()
    return losses


def loop(steps, inside=False, note=lambda loss, net, X, y: loss.item(), loss_of=F.cross_entropy):
    """Return a train_epoch with these steps in this order: z: zero_grad, b: backward, s: step."""
    def train_epoch(net, data, optimizer):
        losses = []
        for X, y in data:
            loss = loss_of(net(X), y)
            for step in steps:
                {"z": optimizer.zero_grad, "b": loss.backward, "s": optimizer.step}[step]()
            losses.append(note(loss, net, X, y))
            if inside:
                return losses
        return losses
    return train_epoch


def with_own_optimizer(net, data, optimizer):
    return train_epoch(net, data, torch.optim.SGD(net.parameters(), lr=0.5))


def in_evaluation(net, data, optimizer):
    return train_epoch(net.eval(), data, optimizer)


def without_record(net, data, optimizer):
    with torch.no_grad():
        return train_epoch(net, data, optimizer)


def mean_only(net, data, optimizer):
    return sum(train_epoch(net, data, optimizer)) / len(data)


def without_the_last(net, data, optimizer):
    return train_epoch(net, data[:-1], optimizer)


def twice(net, data, optimizer):
    train_epoch(net, data, optimizer)
    return train_epoch(net, data, optimizer)


def three_batches(net, data, optimizer):
    return train_epoch(net, [data[0], data[-2], data[-1]], optimizer)


def own_data(net, data, optimizer):
    return train_epoch(net, [(torch.randn(4, 6), torch.randint(3, (4,))) for _ in data], optimizer)


def batches_of_four(net, data, optimizer):
    return train_epoch(net, [(X.reshape(4, 6), y) for X, y in data], optimizer)


def all_losses(kept, net, data, optimizer):
    kept.extend(train_epoch(net, data, optimizer))
    return kept


def softmax_first(scores, y):
    return F.cross_entropy(scores.softmax(dim=1), y)


def summed(scores, y):
    return F.cross_entropy(scores, y, reduction="sum")


def loss_after(loss, net, X, y):
    return F.cross_entropy(net(X), y).item()


def count_hidden(net, deep=True, kinds=(list, tuple), count=torch.Tensor.numel, known=True):
    seen, total = {id(p) for p in net.parameters() if known}, 0
    for block in net.modules() if deep else [net]:
        for value in vars(block).values():
            for item in value if isinstance(value, kinds) else ():
                if isinstance(item, nn.Module):
                    total += sum(count(p) for p in item.parameters() if id(p) not in seen)
    return total


def count_by_names(net):
    total, known = 0, [id(p) for p in net.parameters()]
    for block in net.modules():
        for name in vars(block):
            value = getattr(block, name)
            if type(value) in (list, tuple):
                inside = nn.ModuleList([b for b in value if isinstance(b, nn.Module)])
                total += sum(torch.tensor(p.shape).prod() for p in inside.parameters()
                             if id(p) not in known)
    return total


def count_in_layers(net):  # the lesson's net keeps its list in an attribute of this name
    return sum(p.numel() for block in getattr(net, "layers", []) for p in block.parameters())


def count_in_blocks(net):
    return sum(p.numel() for block in net.modules() for item in getattr(block, "blocks", ())
               if isinstance(item, nn.Module) for p in item.parameters())


def count_once(kept, net):
    new = [p for block in net.modules() for value in vars(block).values()
           if isinstance(value, (list, tuple)) for item in value if isinstance(item, nn.Module)
           for p in item.parameters() if all(p is not old for old in kept)]
    kept.extend(new)
    return sum(p.numel() for p in new)


def count_in_first(net):
    return sum(p.numel() for value in vars(net).values() if isinstance(value, list) and value
               for p in value[0].parameters())


def state_left_behind(program):
    """Return program as it is where it keeps a list, its first argument, from call to call."""
    kept = []
    return lambda *arguments: program(kept, *arguments)


def count_unregistered(net):
    return count_hidden(net, known=False) + sum(p.numel() for p in net.parameters())


RIGHT = [
    (checks.check_still_works, dict(WITH_A_LIST)),
    (checks.check_still_works, {line: np.bool_(works) for line, works in WITH_A_LIST.items()}),
    (checks.check_parallel, Parallel),
    (checks.check_parallel, ByIndex),
    (checks.check_chain, chain),
    (checks.check_chain, chain_by_loop),
    (checks.check_train_epoch, train_epoch),
    (checks.check_train_epoch, train_epoch_by_hand),
    (checks.check_train_epoch, loop("bsz")),
    (checks.check_count_hidden, count_hidden),
    (checks.check_count_hidden, count_by_names),
]
EMPTY = [
    (checks.check_still_works, dict.fromkeys(LINES, ...)),
    (checks.check_still_works, WITH_A_LIST | {"net(X)": ...}),
    (checks.check_parallel, Unfinished),
    (checks.check_chain, lambda make_block, n: ...),
    (checks.check_train_epoch, lambda net, data, optimizer: ...),
    (checks.check_count_hidden, lambda net: None),
]
WRONG = [
    (checks.check_still_works, dict.fromkeys(LINES, True), "zero_grad does nothing",
     "works for the shown case only"),
    (checks.check_still_works, dict.fromkeys(LINES, False), r"net\(X\) works",
     "works for the shown case only"),
    (checks.check_still_works, WITH_A_LIST | {LINES[1]: False}, "backward works", "wrong mode"),
    (checks.check_still_works, WITH_A_LIST | {"net.zero_grad()": True}, "gradients pile up",
     "state left behind"),
    (checks.check_still_works, WITH_A_LIST | {"net.parameters()": True}, "is empty",
     "left-out step"),
    (checks.check_still_works, WITH_A_LIST | {"net.eval()": True}, "dropout stays on",
     "wrong mode"),
    (checks.check_still_works, WITH_A_LIST | {"net.state_dict()": True}, "no error says so",
     "left-out step"),
    (checks.check_still_works, WITH_A_LIST | {"net.to(torch.float64)": True}, "as they are",
     "left-out step"),
    (checks.check_still_works, WITH_A_LIST | {"copy.deepcopy(net)": False}, "deepcopy works",
     "left-out step"),
    (checks.check_still_works, WITH_A_LIST | {"net(X)": "yes"}, "True or False", None),
    (checks.check_still_works, WITH_A_LIST | {"net(X)": 1}, "True or False", None),
    (checks.check_still_works, {}, "eight lines", None),
    (checks.check_parallel, Added, "you added", "wrong formula"),
    (checks.check_parallel, Longer, "axis 0 counts examples", "wrong axis"),
    (checks.check_parallel, Stacked, "stack makes a new axis", "wrong axis"),
    (checks.check_parallel, LastAxis, "the last axis is axis 1 in a table alone", "wrong axis"),
    (checks.check_parallel, Mixed, "its own outputs", "wrong axis"),
    (checks.check_parallel, Flat, "the other axes stay", "wrong axis"),
    (checks.check_parallel, Alone, "the other axes stay", "works for the shown case only"),
    (checks.check_parallel, Swapped, "swapped", "wrong axis"),
    (checks.check_parallel, First, "the output of one block", "left-out step"),
    (checks.check_parallel, Chained, "get X itself", "wrong formula"),
    (checks.check_parallel, Hidden, "parameters are hidden", "left-out step"),
    (checks.check_parallel, HalfHidden, "parameters are hidden", "left-out step"),
    (checks.check_parallel, Copies, "no copies", "left-out step"),
    (checks.check_parallel, Detached, "no gradient gets", "wrong mode"),
    (checks.check_parallel, WithoutGrad, "no gradient gets", "wrong mode"),
    (checks.check_parallel, RightCut, "no gradient gets", "wrong mode"),
    (checks.check_parallel, Remembers, "left behind", "state left behind"),
    (checks.check_parallel, Pair, "returned a tuple", None),
    (checks.check_parallel, nn.Sequential, "the other axes stay", "wrong formula"),
    (checks.check_parallel, lambda net1, net2: Parallel(net1, net2), "a class that inherits",
     None),
    (checks.check_chain, lambda make, n: nn.Sequential(*[make()] * n), "the same block stands",
     "left-out step"),
    (checks.check_chain, copies, "start from equal values", "wrong mode"),
    (checks.check_chain, lambda make, n: InAList([make() for _ in range(n)]), "hidden in a list",
     "left-out step"),
    (checks.check_chain, lambda make, n: chain(make, n + 1), "each of the n places", "off by one"),
    (checks.check_chain, lambda make, n: nn.Sequential(*[make() for _ in range(1, n)]),
     "each of the n places", "off by one"),
    (checks.check_chain, lambda make, n: chain(make, n)[::-1], "in the order made", "wrong axis"),
    (checks.check_chain, lambda make, n: LastOnly([make() for _ in range(n)]),
     "the last block's output", "wrong formula"),
    (checks.check_chain, lambda make, n: chain(make, 5), "each of the n places",
     "works for the shown case only"),
    (checks.check_chain, chain_of_the_lesson, "never called", "works for the shown case only"),
    (checks.check_chain, state_left_behind(chain_of_all), "left behind", "state left behind"),
    (checks.check_chain, lambda make, n: nn.ModuleList([make() for _ in range(n)]), "runs none",
     None),
    (checks.check_chain, lambda make, n: [make() for _ in range(n)], "not a list", None),
    (checks.check_chain, lambda make, n: nn.Sequential(make, n), "raised TypeError", None),
    (checks.check_train_epoch, loop("bs"), "gradients pile up", "left-out step"),
    (checks.check_train_epoch, loop("zb"), "never called", "left-out step"),
    (checks.check_train_epoch, loop("zs"), "is .grad filled", "left-out step"),
    (checks.check_train_epoch, loop("bzs"), "is .grad filled", "wrong formula"),
    (checks.check_train_epoch, loop("szb"), "stands before backward", "off by one"),
    (checks.check_train_epoch, loop("zbs", inside=True), "inside the loop", "off by one"),
    (checks.check_train_epoch, without_the_last, "one step a batch", "off by one"),
    (checks.check_train_epoch, twice, "one step a batch", "wrong formula"),
    (checks.check_train_epoch, loop("zbs", loss_of=softmax_first), "a softmax inside",
     "wrong formula"),
    (checks.check_train_epoch, loop("zbs", loss_of=summed), "a sum over the batch", "wrong unit"),
    (checks.check_train_epoch, loop("zbs", note=lambda loss, net, X, y: len(X) * loss.item()),
     "sums over the batch", "wrong unit"),
    (checks.check_train_epoch, loop("zbs", note=loss_after), "before the step", "wrong formula"),
    (checks.check_train_epoch, loop("zbs", note=lambda loss, net, X, y: loss), "loss.item",
     "left-out step"),
    (checks.check_train_epoch, lambda net, data, optimizer: train_epoch(
        net, data[::-1], optimizer)[::-1], "in another order", "wrong axis"),
    (checks.check_train_epoch, with_own_optimizer, "not by the optimizer that was given",
     "left-out step"),
    (checks.check_train_epoch, in_evaluation, "evaluation mode", "wrong mode"),
    (checks.check_train_epoch, without_record, "raised RuntimeError", "wrong mode"),
    (checks.check_train_epoch, mean_only, "not a float", "wrong unit"),
    (checks.check_train_epoch, own_data, "each batch of data once",
     "works for the shown case only"),
    (checks.check_train_epoch, three_batches, "one step a batch", "works for the shown case only"),
    (checks.check_train_epoch, batches_of_four, "raised RuntimeError",
     "works for the shown case only"),
    (checks.check_train_epoch, state_left_behind(all_losses), "per batch of this call",
     "state left behind"),
    (checks.check_train_epoch, lambda net, data, optimizer: [0.5] * len(data), "never called",
     "wrong formula"),
    (checks.check_count_hidden, lambda net: count_hidden(net, deep=False), "two levels down",
     "left-out step"),
    (checks.check_count_hidden, lambda net: count_hidden(net, kinds=list), "a tuple hides",
     "left-out step"),
    (checks.check_count_hidden, lambda net: count_hidden(net, count=lambda p: 1), "tensors",
     "wrong unit"),
    (checks.check_count_hidden,
     lambda net: count_hidden(net, count=lambda p: p.numel() * (p.dim() > 1)),
     "left out the biases", "left-out step"),
    (checks.check_count_hidden, lambda net: count_hidden(net, known=False), "registered as well",
     "left-out step"),
    (checks.check_count_hidden, count_unregistered, "hides nothing", "wrong formula"),
    (checks.check_count_hidden, count_in_first, "one block of the list", "off by one"),
    (checks.check_count_hidden, count_in_layers, "whatever their names",
     "works for the shown case only"),
    (checks.check_count_hidden, count_in_blocks, "had another name",
     "works for the shown case only"),
    (checks.check_count_hidden, lambda net: 7946, "hides nothing",
     "works for the shown case only"),
    (checks.check_count_hidden, state_left_behind(count_once), "left behind", "state left behind"),
    (checks.check_count_hidden, lambda net: [], "one number", None),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert "Right." in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer"), EMPTY)
def test_empty(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake", "kind"), WRONG)
def test_wrong(check, answer, mistake, kind):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)


def test_what_a_list_breaks_is_true():
    """Each line of exercise 1, tried."""
    net, X = InAList([nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 2)]), torch.rand(3, 4)
    net(X).sum().backward()
    weights = [p for block in net.blocks for p in block.parameters()]
    found = {"net(X)": net(X).shape == (3, 2), LINES[1]: all(p.grad is not None for p in weights)}
    net.zero_grad()
    found["net.zero_grad()"] = all(p.grad is None for p in weights)
    found["net.parameters()"] = len(list(net.parameters())) == 4
    found["net.state_dict()"] = len(net.state_dict()) == 4
    net.to(torch.float64)
    found["net.to(torch.float64)"] = all(p.dtype == torch.float64 for p in weights)
    net.eval()
    found["net.eval()"] = not any(block.training for block in net.blocks)
    twin = copy.deepcopy(net)
    found["copy.deepcopy(net)"] = (torch.equal(twin.blocks[0].weight, weights[0])
                                   and twin.blocks[0].weight is not weights[0])
    assert found == WITH_A_LIST
