"""Lesson 02's exercises."""

import torch
from torch import nn

from d2lvgg.exercises import Unanswered, ask, ask_number, exercise, expect

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
    odd = next((value for value in answer.values() if not isinstance(value, bool)), None)
    expect(odd is None, f"True or False is wanted for each line, not {odd!r}")
    walks = "it walks the register, and the list is not in it"
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
    return "What follows the data works, what walks the register fails; only a dtype complains."


def random_nets(seed=0):
    """Yield pairs of networks and an input for both."""
    torch.manual_seed(seed)
    for batch, inputs, m, n in ((1, 4, 3, 5), (7, 3, 6, 6), (5, 5, 5, 2)):
        yield nn.Linear(inputs, m), nn.Sequential(nn.Linear(inputs, n), nn.ReLU()), torch.randn(
            batch, inputs)
    yield nn.Conv2d(2, 3, 1), nn.Conv2d(2, 4, 1), torch.randn(2, 2, 5, 5)


def forward_of(block):
    """Return block as a function with a name, for ask."""
    def forward(X):
        return block(X)
    return forward


@exercise
def check_parallel(answer):
    """Lesson 02, exercise 2: two blocks side by side."""
    expect(isinstance(answer, type) and issubclass(answer, nn.Module),
           "a class that inherits from nn.Module is wanted")
    with torch.random.fork_rng(), torch.no_grad():
        for net1, net2, X in random_nets():
            block = ask(answer, net1, net2)
            left, right = net1(X), net2(X)
            found, wanted = ask(forward_of(block), X), torch.cat([left, right], dim=1)
            expect(isinstance(found, torch.Tensor),
                   f"forward returned a {type(found).__name__}: join the two outputs into one")
            expect(not left.shape == right.shape == found.shape
                   or not torch.allclose(found, left + right),
                   "you added the outputs: join them, so that m and n numbers become m + n")
            shape, first = tuple(found.shape), tuple(X.shape)
            expect(left.shape != right.shape or shape[0] != 2 * len(X),
                   f"the batch of {len(X)} became {shape[0]}: axis 0 counts examples; join along "
                   "axis 1")
            expect(left.shape != right.shape or found.dim() == left.dim(),
                   f"your output has shape {shape}: stack makes a new axis; cat joins along an old "
                   "one")
            expect(shape == tuple(wanted.shape), f"an input of shape {first} gave {shape}, and "
                                                 f"{tuple(wanted.shape)} is wanted")
            swapped = torch.cat([right, left], dim=1)
            expect(torch.equal(wanted, swapped) or not torch.allclose(found, swapped),
                   "the outputs are swapped: net1's come first")
            expect(torch.allclose(found, wanted), "the shape is right and the numbers are not: "
                                                  "give X itself to both blocks")
            owned = {id(p) for p in block.parameters()}
            expect(all(id(p) in owned for net in (net1, net2) for p in net.parameters()),
                   "the outputs are right and the parameters are hidden: assign the two blocks to "
                   "attributes, not to a list")
    return "It joins the channels of pictures as well: GoogLeNet, VGG's rival of 2014, is made so."


@exercise
def check_chain(answer):
    """Lesson 02, exercise 3: a factory's blocks in a row."""
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
            tensors = list(net.parameters())
            expect(tensors, "the network has no parameters: its blocks are hidden in a list")
            expect(len(tensors) != 2 or n == 1,
                   f"{n} places, and one set of parameters: the same block stands in all of them; "
                   "call make_block once for each place")
            expect(len(tensors) == 2 * n, f"{n} blocks have {2 * n} parameter tensors, and yours "
                                          f"has {len(tensors)}")
            equal = all(torch.equal(tensors[0], tensor) for tensor in tensors[::2])
            expect(n == 1 or not equal, "your blocks are copies that start from equal values: call "
                                        "make_block for each, so that each draws its own")
            X = torch.randn(5, 4)
            with torch.no_grad():
                wanted, found = X, ask(forward_of(net), X)
                for block in made:
                    wanted = block(wanted)
            expect(isinstance(found, torch.Tensor) and torch.allclose(found, wanted),
                   "the output is not that of the blocks, one after the other, in the order made")
    return "VGG is such a chain, except that its factory is told a width for each block."


class Nest(nn.Module):
    """A block with some blocks registered and some in a plain list or tuple."""

    def __init__(self, hidden=(), registered=(), container=list):
        super().__init__()
        self.blocks = container(hidden)
        self.inner = nn.ModuleList(registered)


@exercise
def check_count_hidden(answer):
    """Lesson 02, exercise 4: parameters in plain lists."""
    small, large = nn.Linear(2, 3), nn.Linear(10, 10)  # 9 and 110 parameters
    found = ask_number(answer, nn.Sequential(small, large))
    expect(found == 0, f"nn.Sequential hides nothing, and you count {found}")
    found = ask_number(answer, Nest([small, nn.ReLU(), large]))
    expect(found != 2, "you counted the blocks: count the numbers in them, p.numel()")
    expect(found != 4, "you counted tensors: count the numbers in them, p.numel()")
    expect(found == 119, f"a list of Linear(2, 3), ReLU and Linear(10, 10) hides 119, and you "
                         f"count {found}")
    found = ask_number(answer, Nest([small], [large]))
    expect(found != 119, "you counted registered parameters too: those are in net.parameters()")
    expect(found == 9, f"9 are hidden beside 110 that are registered, and you count {found}")
    found = ask_number(answer, Nest([], [nn.Sequential(Nest([small]))]))
    expect(found != 0, "the list stood in a block two levels down, and you looked at net's own "
                       "attributes alone: go through net.modules()")
    expect(found == 9, f"9 are hidden two levels down, and you count {found}")
    found = ask_number(answer, Nest([small], container=tuple))
    expect(found == 9, "a tuple hides blocks as well as a list does")
    found = ask_number(answer, Nest([small], [small]))
    expect(found == 0, "this block stood in a list and was registered as well, so nothing is "
                       "hidden: compare with net.parameters()")
    found = ask_number(answer, Nest([1, "a", nn.Sequential(small, large)]))
    expect(found == 119, f"a block in a list brings all that is inside it, here 119, and you count "
                         f"{found}")
    return "Twenty minutes now, and you never lose a night to a net that half learns."
