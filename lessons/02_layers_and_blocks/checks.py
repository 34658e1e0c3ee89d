"""Lesson 02's exercises."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from d2lvgg.exercises import (
    LEFT_BEHIND,
    Unanswered,
    WrongAnswer,
    as_number,
    ask,
    ask_number,
    exercise,
    expect,
)

WITH_A_LIST = {  # what a MySequential that keeps its blocks in a Python list still does
    "net(X)": True,
    "loss.backward() fills .grad of every weight": True,
    "net.zero_grad()": False,
    "net.parameters()": False,
    "net.state_dict()": False,
    "net.to(torch.float64)": False,
    "net.eval()": False,
    "copy.deepcopy(net)": True,
}


@exercise
def check_still_works(answer):
    """Lesson 02, exercise 1: what a Python list breaks, and what not."""
    expect(isinstance(answer, dict) and set(answer) == set(WITH_A_LIST),
           "a dict with the eight lines as its keys is wanted: change the values alone")
    if any(value is ... or value is None for value in answer.values()):
        raise Unanswered
    odd = next((value for value in answer.values() if not isinstance(value, (bool, np.bool_))),
               None)
    expect(odd is None, f"True or False is wanted for each line, not {odd!r}")
    walks = "it walks the registers, and the list is in neither"
    mistakes = {
        "net(X)": "net(X) works: forward loops over the list, and needs no register for that",
        "loss.backward() fills .grad of every weight":
            "backward works: autograd follows the operations that ran, and asks no register; the "
            "gradients are there, and nobody uses them",
        "net.zero_grad()": f"zero_grad does nothing: {walks}, so gradients pile up",
        "net.parameters()": f"parameters() is empty: {walks}",
        "net.state_dict()": f"state_dict() is empty: {walks}; no error says so",
        "net.to(torch.float64)": f"to() leaves the weights as they are: {walks}; no error until "
                                 "the first product",
        "net.eval()": f"eval() does not reach the blocks: {walks}, so dropout stays on",
        "copy.deepcopy(net)": "deepcopy works: it copies every attribute, and a list is one",
    }
    for line, right in WITH_A_LIST.items():
        expect(answer[line] == right, mistakes[line])
    return "What follows the data works, what walks the registers fails; only a dtype complains."


def random_nets():
    """Yield pairs of networks and an input for both."""
    for batch, inputs, m, n in ((5, 5, 5, 2), (1, 4, 3, 5), (7, 3, 6, 6)):
        yield nn.Linear(inputs, m), nn.Sequential(nn.Linear(inputs, n), nn.ReLU()), torch.randn(
            batch, inputs)
    for n in (3, 4):
        yield nn.Conv2d(2, 3, 1), nn.Conv2d(2, n, 1), torch.randn(2, 2, 5, 5)


def forward_of(block):
    """Return block as a function with a name, for ask."""
    def forward(X):
        return block(X.clone())
    return forward


def is_close(found, wanted):
    """Tell whether two tensors have one shape and dtype and nearly equal numbers."""
    return (found.shape, found.dtype) == (wanted.shape, wanted.dtype) and torch.allclose(
        found, wanted, atol=1e-6)


def expect_joined(block, net1, net2, X):
    """Raise WrongAnswer unless block(X) is the outputs of both networks, joined along axis 1."""
    out = ask(forward_of(block), X)
    expect(isinstance(out, torch.Tensor), f"forward returned a {type(out).__name__}: join the two "
                                          "outputs into one tensor")
    left, right, found = net1(X).detach(), net2(X).detach(), out.detach()
    wanted, swapped = (torch.cat(pair, dim=1) for pair in ((left, right), (right, left)))
    shape, shapes = tuple(found.shape), f"{tuple(left.shape)} and {tuple(right.shape)}"
    if left.shape == right.shape:
        expect(not is_close(found, left + right),
               "you added the outputs: join them, so that m and n numbers become m + n")
        expect(shape[:1] != (2 * len(X),),
               f"a batch of {len(X)} became one of {2 * len(X)}: axis 0 counts examples; join "
               "along axis 1")
        expect(found.dim() == left.dim(),
               f"your output has shape {shape}: stack makes a new axis; cat joins along an old one")
        expect(X.dim() == 2 or found.shape != torch.cat([left, right], dim=-1).shape,
               "the last axis is axis 1 in a table alone: in a batch of images it is the width")
    expect(not is_close(found, left) and not is_close(found, right),
           "that is the output of one block: where is the other's?")
    expect(found.shape == wanted.shape,
           f"outputs of {shapes} became {shape}: axis 1 has room for both, and the other axes stay")
    expect(found.dtype == wanted.dtype, f"the outputs' dtype changed to {found.dtype}")
    expect(is_close(wanted, swapped) or not is_close(found, swapped),
           "the outputs are swapped: net1's come first")
    expect(is_close(found, wanted), "the shape is right and the numbers are not: does each block "
                                    "get X itself, and keeps each example its own outputs?")
    return out


@exercise
def check_parallel(answer):
    """Lesson 02, exercise 2: two blocks side by side."""
    expect(isinstance(answer, type) and issubclass(answer, nn.Module),
           "a class that inherits from nn.Module is wanted")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for net1, net2, X in random_nets():
            block = ask(answer, net1, net2)
            expect(isinstance(block, nn.Module), f"Parallel(net1, net2) made {block!r}, no block")
            first = expect_joined(block, net1, net2, X)
            expect(not is_close(ask(forward_of(block), 2 * X), first),
                   f"twice the input gave the same output: {LEFT_BEHIND}; compute it anew in "
                   "forward")
            out = expect_joined(block, net1, net2, 2 * X)
            weights = [*net1.parameters(), *net2.parameters()]
            owned = list(block.parameters())
            hidden = [p for p in weights if all(p is not mine for mine in owned)]
            expect(not hidden or len(owned) < len(weights),
                   "the outputs are right and the parameters are others: keep net1 and net2 "
                   "themselves, no copies")
            expect(not hidden, "the outputs are right and the parameters are hidden: assign the "
                               "two blocks to attributes, not to a list")
            grads = (torch.autograd.grad(out.sum(), weights, allow_unused=True)
                     if out.requires_grad else [None])
            expect(all(grad is not None for grad in grads),
                   "the outputs are right and no gradient gets to both blocks: detach, no_grad "
                   "or numpy cuts it off")
    return "It joins the channels of images as well: GoogLeNet, VGG's rival of 2014, is made so."


@exercise
def check_chain(answer):
    """Lesson 02, exercise 3: a factory's blocks in a row."""
    earlier = set()  # parameters of the chains before
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for n in (3, 1, 6):
            made = []

            def make_block(made=made):
                made.append(nn.Sequential(nn.Linear(4, 4), nn.Tanh()))
                return made[-1]

            net = ask(answer, make_block, n)
            expect(isinstance(net, nn.Module), f"a network is wanted, not a {type(net).__name__}: "
                                               "wrap the blocks in nn.Sequential")
            expect(type(net) is not nn.ModuleList, "a ModuleList holds blocks and runs none: wrap "
                                                   "them in nn.Sequential")
            expect(made, "make_block was never called: the chain is made of its blocks")
            tensors = list(net.parameters())
            expect(tensors, "the network has no parameters: its blocks are hidden in a list")
            expect(not earlier.intersection(tensors),
                   f"blocks of an earlier chain are in this one: {LEFT_BEHIND}")
            earlier.update(tensors)
            expect(len(tensors) != 2 or n == 1,
                   f"{n} places, and one set of parameters: the same block stands in all of them; "
                   "call make_block once for each place")
            expect(len(tensors) == 2 * n,
                   f"with n={n} the network has {len(tensors)} parameter tensors, two for each "
                   "different block: is each of the n places filled, by a block of its own?")
            expect(n == 1 or not all(torch.equal(tensors[0], tensor) for tensor in tensors[::2]),
                   "your blocks are copies that start from equal values: call make_block for "
                   "each, so that each draws its own")
            X = torch.randn(5, 4)
            found, wanted = ask(forward_of(net), X), nn.Sequential(*made)(X)
            expect(isinstance(found, torch.Tensor),
                   f"the network's output is a {type(found).__name__}, and a tensor is wanted")
            expect(n == 1 or not is_close(found, made[-1](X)),
                   "that is the last block's output for X itself: each block gets what the one "
                   "before it gave")
            expect(is_close(found, wanted), "the output is not that of the blocks, one after the "
                                            "other, in the order made")
    return "VGG is such a chain, except that its factory is told a width for each block."


class CountingSGD(torch.optim.SGD):
    """SGD that counts its steps."""

    steps = 0

    def step(self, *arguments, **options):
        self.steps += 1
        return super().step(*arguments, **options)


def trained(net, data, momentum, zero=True, loss_of=F.cross_entropy):
    """Return (losses, parameters as one vector) of a copy of net after one pass over data.

    Without zero gradients pile up.
    """
    net = copy.deepcopy(net)
    optimizer, losses = torch.optim.SGD(net.parameters(), lr=0.5, momentum=momentum), []
    for X, y in data:
        loss = loss_of(net(X), y)
        if zero:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, flat(net)


def flat(net):
    """Return all parameters of net as one vector that later training does not change."""
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def expect_steps(net, before, optimizer, data):
    """Raise WrongAnswer unless the optimizer made a step a batch, and net moved."""
    moved = not torch.equal(flat(net), before)
    expect(optimizer.steps or not moved,
           "the parameters changed, and not by the optimizer that was given: call its step()")
    expect(optimizer.steps, "optimizer.step() was never called, so no parameter has changed")
    expect(moved, "optimizer.step() ran, and no parameter has changed: is .grad filled when it "
                  "runs? backward() comes right before it, with no zero_grad() between")
    expect(optimizer.steps != 1 or len(data) == 1,
           "one step was made and there are more batches: does return, or step(), stand inside "
           "the loop as it should?")
    expect(optimizer.steps == len(data), f"{len(data)} batches, and {optimizer.steps} steps: one "
                                         "step a batch is wanted, and each batch once")


def expect_numbers(found, count):
    """Raise WrongAnswer unless found is a list of that many numbers; return them."""
    expect(isinstance(found, (list, tuple)),
           f"a list of the losses is wanted, one per batch, not a {type(found).__name__}")
    expect(not any(isinstance(loss, torch.Tensor) and loss.requires_grad for loss in found),
           "your losses are tensors that keep the whole record of their computation in memory: "
           "loss.item() is the number alone")
    expect(len(found) == count, f"{count} batches, and {len(found)} losses: one per batch of this "
                                "call is wanted")
    return [as_number(loss) for loss in found]


def close(losses, wanted):
    return torch.allclose(torch.tensor(losses), torch.tensor(wanted), atol=1e-4)


@exercise
def check_train_epoch(answer):
    """Lesson 02, exercise 4: the training loop."""
    with torch.random.fork_rng():
        for seed, batches, momentum in ((0, (4, 4, 3), 0), (1, (6, 2), 0.9), (2, (5,), 0)):
            torch.manual_seed(seed)
            net = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
            data = [(torch.randn(size, 6), torch.randint(3, (size,))) for size in batches]
            optimizer = CountingSGD(net.parameters(), lr=0.5, momentum=momentum)
            before, start = flat(net), copy.deepcopy(net)
            try:
                found = ask(answer, net, data, optimizer)
            except WrongAnswer as mistake:
                expect("modified by an inplace operation" not in str(mistake),
                       "optimizer.step() stands before backward(): the record of the forward pass "
                       "no longer fits the changed weights; backward() comes first")
                raise
            expect(net.training, "the network is in evaluation mode now: that is for testing")
            expect_steps(net, before, optimizer, data)
            losses, after = expect_numbers(found, len(data)), flat(net)

            def as_if(start=start, data=data, momentum=momentum, after=after, **mistake):
                made = trained(start, data, momentum, **mistake)[1]
                return torch.allclose(made, after, atol=1e-5)

            wanted, _ = trained(start, data, momentum)
            if not as_if():
                expect(not as_if(zero=False), "gradients pile up from batch to batch: empty them "
                                              "with zero_grad() each time")
                expect(not as_if(loss_of=lambda scores, y: F.cross_entropy(scores.softmax(1), y)),
                       "cross_entropy has a softmax inside: give it the scores as they are")
                expect(not as_if(loss_of=lambda scores, y: F.cross_entropy(scores, y,
                                                                           reduction="sum")),
                       "the loss is a sum over the batch: cross_entropy's mean is wanted, or a "
                       "larger batch makes a longer step")
                expect(not as_if(data=data[::-1]), "the batches come in another order than in data")
                expect(False, "one step per batch was made, but not with the gradients of "
                              "cross_entropy(net(X), y): is it the given net, and each batch of "
                              "data once?")
            lengths = [len(X) for X, _ in data]
            expect(not close(losses, [w * n for w, n in zip(wanted, lengths, strict=True)]),
                   "the network is trained rightly, and your losses are sums over the batch")
            expect(close(losses, wanted),
                   "the network is trained rightly, and the losses are others: note for each batch "
                   "the loss that was computed before the step")
    return "Five lines, and they train any network of this course."


class Nest(nn.Module):
    """A block with some blocks registered and some in a plain list or tuple."""

    def __init__(self, hidden=(), registered=(), container=list, name="blocks"):
        super().__init__()
        setattr(self, name, container(hidden))
        self.inner = nn.ModuleList(registered)


@exercise
def check_count_hidden(answer):
    """Lesson 02, exercise 5: parameters in plain lists."""

    def count(net):
        found, again = ask_number(answer, net), ask_number(answer, net)
        expect(found == again,
               f"asked twice about one network you count {found} and {again}: {LEFT_BEHIND}")
        return found

    small, large = nn.Linear(2, 3), nn.Linear(10, 10)
    numbers = {layer: sum(p.numel() for p in layer.parameters()) for layer in (small, large)}
    both = sum(numbers.values())
    found = count(nn.Sequential(small, large))
    expect(found == 0, f"nn.Sequential hides nothing, and you count {found}")
    found = count(Nest([small, nn.ReLU(), large]))
    expect(found not in (2, 3), "you counted the blocks: count the numbers in them, p.numel()")
    expect(found != 4, "you counted tensors: count the numbers in them, p.numel()")
    expect(found != small.weight.numel() + large.weight.numel(),
           "you left out the biases: p goes through block.parameters()")
    expect(found not in numbers.values(), "you counted one block of the list: go on to the others")
    expect(found != 0, "a list of Linear(2, 3), ReLU and Linear(10, 10) stood in an attribute, and "
                       "you count 0: go through the values of vars(block), whatever their names")
    expect(found == both, f"in a list of Linear(2, 3), ReLU and Linear(10, 10) you count {found}: "
                          "each parameter once, p.numel() of it")
    expect(count(Nest([small, large], name="more")) == both,
           "the list's attribute had another name than before, and you missed it: go through the "
           "values of vars(block)")
    found = count(Nest([small], [large]))
    expect(found not in (both, numbers[large]),
           "you counted registered parameters too: those are in net.parameters()")
    expect(found == numbers[small],
           f"you count {found} in Linear(2, 3), which a list hides beside a registered block")
    found = count(Nest([], [nn.Sequential(Nest([small]))]))
    expect(found != 0, "the list stood in a block two levels down, and you looked at net's own "
                       "attributes alone: go through net.modules()")
    expect(found == numbers[small], f"you count {found} in Linear(2, 3), hidden two levels down")
    found = count(Nest([small], container=tuple))
    expect(found == numbers[small], "a tuple hides blocks as well as a list does")
    found = count(Nest([small], [small]))
    expect(found == 0, "this block stood in a list and was registered as well, so nothing is "
                       "hidden: compare with net.parameters()")
    found = count(Nest([1, "a", nn.Sequential(small, large)]))
    expect(found == both, f"a block in a list brings all that is inside it, and you count {found}")
    return "Twenty minutes now, and you never lose a night to a net that half learns."
