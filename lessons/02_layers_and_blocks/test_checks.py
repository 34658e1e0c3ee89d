"""The checks of lesson 02 against right answers, stubs and typical wrong answers."""

import copy

import pytest
import torch
from torch import nn

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


class InAList(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.blocks = blocks

    def forward(self, X):
        for block in self.blocks:
            X = block(X)
        return X


def copies(make_block, n):
    block = make_block()
    return nn.Sequential(*[copy.deepcopy(block) for _ in range(n)])


def count_hidden(net, deep=True, kinds=(list, tuple), count=torch.Tensor.numel, known=True):
    seen, total = {id(p) for p in net.parameters() if known}, 0
    for block in net.modules() if deep else [net]:
        for value in vars(block).values():
            for item in value if isinstance(value, kinds) else ():
                if isinstance(item, nn.Module):
                    total += sum(count(p) for p in item.parameters() if id(p) not in seen)
    return total


def count_unregistered(net):
    return count_hidden(net, known=False) + sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_still_works, dict(WITH_A_LIST)),
    (checks.check_parallel, Parallel),
    (checks.check_chain, chain),
    (checks.check_count_hidden, count_hidden),
])
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), [
    (checks.check_still_works, dict.fromkeys(LINES, ...)),
    (checks.check_still_works, WITH_A_LIST | {"net(X)": ...}),
    (checks.check_parallel, Unfinished),
    (checks.check_chain, lambda make_block, n: ...),
    (checks.check_count_hidden, lambda net: None),
])
def test_stub(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake"), [
    (checks.check_still_works, dict.fromkeys(LINES, True), "zero_grad does nothing"),
    (checks.check_still_works, dict.fromkeys(LINES, False), r"net\(X\) works"),
    (checks.check_still_works, WITH_A_LIST | {LINES[1]: False}, "backward works"),
    (checks.check_still_works, WITH_A_LIST | {"net.eval()": True}, "dropout stays on"),
    (checks.check_still_works, WITH_A_LIST | {"net.state_dict()": True}, "no error says so"),
    (checks.check_still_works, WITH_A_LIST | {"copy.deepcopy(net)": False}, "deepcopy works"),
    (checks.check_still_works, WITH_A_LIST | {"net(X)": "yes"}, "True or False"),
    (checks.check_still_works, {}, "eight lines"),
    (checks.check_parallel, Added, "you added"),
    (checks.check_parallel, Longer, "axis 0 counts examples"),
    (checks.check_parallel, Stacked, "stack makes a new axis"),
    (checks.check_parallel, Swapped, "swapped"),
    (checks.check_parallel, Pair, "returned a tuple"),
    (checks.check_parallel, First, "is wanted"),
    (checks.check_parallel, LastAxis, "raised RuntimeError"),
    (checks.check_parallel, Hidden, "parameters are hidden"),
    (checks.check_parallel, lambda net1, net2: Parallel(net1, net2), "a class that inherits"),
    (checks.check_chain, lambda make, n: nn.Sequential(*[make()] * n), "the same block stands"),
    (checks.check_chain, copies, "start from equal values"),
    (checks.check_chain, lambda make, n: [make() for _ in range(n)], "not a list"),
    (checks.check_chain, lambda make, n: InAList([make() for _ in range(n)]), "hidden in a list"),
    (checks.check_chain, lambda make, n: chain(make, n + 1), "parameter tensors"),
    (checks.check_chain, lambda make, n: chain(make, n)[::-1], "in the order made"),
    (checks.check_chain, lambda make, n: nn.Sequential(make, n), "raised TypeError"),
    (checks.check_count_hidden, lambda net: count_hidden(net, deep=False), "two levels down"),
    (checks.check_count_hidden, lambda net: count_hidden(net, kinds=list), "a tuple hides"),
    (checks.check_count_hidden, lambda net: count_hidden(net, count=lambda p: 1), "tensors"),
    (checks.check_count_hidden, lambda net: count_hidden(net, known=False), "registered as well"),
    (checks.check_count_hidden, count_unregistered, "hides nothing"),
    (checks.check_count_hidden, lambda net: [], "one number"),
])
def test_wrong(check, answer, mistake):
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
