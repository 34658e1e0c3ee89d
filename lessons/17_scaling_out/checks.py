"""Lesson 17's exercises. Three of them run the student's function in several processes."""

import inspect
import re
import textwrap

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data.distributed import DistributedSampler

from d2lvgg.exercises import (
    LEFT_BEHIND,
    Unanswered,
    WrongAnswer,
    as_number,
    exercise,
    expect,
    of_lesson,
)

several = of_lesson("17", "several")
EMPTY = (None, "Ellipsis")  # what a stub comes back as


def source_of(answer, parameters):
    """Return (source, name) of a function with as many parameters, written with def."""
    expect(inspect.isfunction(answer) and answer.__name__.isidentifier(),
           f"a function is wanted, written with def, not {answer!r}")
    wanted = list(inspect.signature(answer).parameters.values())
    expect(len(wanted) == parameters and all(p.kind is p.POSITIONAL_OR_KEYWORD for p in wanted),
           f"the function takes {parameters} arguments, as in its stub")
    try:
        return textwrap.dedent(inspect.getsource(answer)), answer.__name__
    except (OSError, TypeError):
        raise WrongAnswer("the text of this function is not found: run its cell again") from None


def results_of(source, name, arguments, world_size):
    """Return what each rank's call gave. Raises WrongAnswer where one ended with an error."""
    found = several.run(source, name, arguments, world_size)
    errors = [(rank, each["error"]) for rank, each in enumerate(found) if "error" in each]
    # One rank's own error makes the others lose their connection: say the first cause.
    errors.sort(key=lambda pair: bool(re.search("onnection|timed out|Timed out", pair[1])))
    for rank, words in errors:
        where = f"with {world_size} processes, rank {rank} ended with {words[:200]!r}: "
        lost = re.search("onnection|timed out|Timed out|still waiting", words)
        expect(not lost, where + "it waited for the others in an exchange that they never came to; "
                                 "every rank must call every exchange, in the same order")
        expect("NameError" not in words, where + "the function travels alone, so its imports and "
                                                 "helpers must stand inside it")
        expect(False, where + "run the script in one process first?")
    results = [each["result"] for each in found]
    if all(result in EMPTY for result in results if not isinstance(result, (dict, list))) and all(
            not isinstance(result, (dict, list)) for result in results):
        raise Unanswered
    return results


def made_up_images(count, seed):
    """Return made-up images (count, 784) and labels that a linear layer learns with mistakes."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(10, 784, generator=torch.Generator().manual_seed(7))
    labels = torch.randint(10, (count,), generator=generator)
    noise = torch.randn(count, 784, generator=generator)
    return (centres[labels] + 8 * noise) / 100, labels  # so that no step is too long


def train_alone(images, labels, num_epochs, batch_size, world_size, faults=()):
    """Return the state_dict that the repaired script ends with, worked out in one process.

    faults: 'same order', 'batch each', 'summed'.
    """
    torch.manual_seed(0)
    net = nn.Linear(784, 10)
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    size = batch_size if "batch each" in faults else batch_size // world_size
    for epoch in range(num_epochs):
        shares = []
        for rank in range(world_size):
            sampler = DistributedSampler(labels, world_size, rank, shuffle=True, seed=0)
            if "same order" not in faults:
                sampler.set_epoch(epoch)
            shares.append(torch.tensor(list(sampler)).split(size))
        for places in map(torch.cat, zip(*shares, strict=True)):
            sgd.zero_grad()
            loss = F.cross_entropy(net(images[places]), labels[places])
            (loss * (world_size if "summed" in faults else 1)).backward()
            sgd.step()
    return net.state_dict()


def equal(one, other):
    return one.keys() == other.keys() and all(
        torch.allclose(one[name], other[name], atol=1e-5) for name in one)


TRAINING_FAULTS = (
    (("same order", "batch each"), "the images come in the same order in every epoch, and each "
     "rank takes a whole batch of its own"),
    (("same order",), "the images come in the same order in every epoch: the sampler has to be "
                      "told which epoch it is"),
    (("batch each",), "batch_size is the batch of all ranks together, and each of yours takes as "
                      "many by itself"),
    (("summed",), "the steps are too long by the number of ranks: DDP has already averaged"),
)


@exercise
def check_repaired(answer):
    """Lesson 17, exercise 1: the script without its three faults, on two and three processes."""
    source, name = source_of(answer, 6)
    (images, labels), (test_images, test_labels) = (
        made_up_images(48, seed=0), made_up_images(35, seed=1))
    for world_size in (2, 3):
        given = images, labels, test_images, test_labels, 3, 12
        results = results_of(source, name, given, world_size)
        expect(all(isinstance(result, list) and len(result) == 2 and isinstance(result[0], dict)
                   and isinstance(result[1], (int, float)) for result in results),
               "the network and one accuracy are wanted from every rank: return net, accuracy")
        nets, accuracies = zip(*results, strict=True)
        nets = [{key.removeprefix("module."): value for key, value in net.items()} for net in nets]
        expect(all(equal(net, nets[0]) for net in nets),
               "the ranks end with different weights, so they are no longer one training")
        for faults, mistake in TRAINING_FAULTS:
            wrong = train_alone(images, labels, 3, 12, world_size, faults)
            expect(not equal(nets[0], wrong), f"with {world_size} processes: {mistake}")
        right = train_alone(images, labels, 3, 12, world_size)
        expect(equal(nets[0], right),
               f"with {world_size} processes the weights are not those of one process on the same "
               "batches: keep the script's seed, sampler, rate and network")
        hits = (F.linear(test_images, nets[0]["weight"], nets[0]["bias"]).argmax(dim=1)
                == test_labels).float()
        expect(len({round(accuracy, 6) for accuracy in accuracies}) == 1,
               "the ranks give different accuracies, each that of its own share: all of them must "
               "take part in the exchange")
        shares = [hits[rank::world_size].mean().item() for rank in range(world_size)]
        whole, found = hits.mean().item(), accuracies[0]
        for wrong, mistake in (
                (sum(shares) / world_size, "you averaged the shares' accuracies, and the shares "
                                           "are not equally large: add up counts"),
                (hits.sum().item(), "that is how many are right: divide by how many there are"),
                (whole / world_size, "the sum over all ranks is there already: do not divide by "
                                     "their number"),
                (whole * world_size, "that is more than the test set holds")):
            expect(abs(found - wrong) > 1e-6 or abs(wrong - whole) < 1e-6, mistake)
        expect(abs(found - whole) < 1e-6, f"the accuracy {found:.4f} is not that of the whole test "
                                          "set, each image counted once")
    return "One fault waited, two kept silent. A test on two processes finds all three in a second."


class Counting(nn.Module):
    """A small network that notes how many images came in each call."""

    def __init__(self):
        super().__init__()
        self.body, self.calls = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)), []

    def forward(self, X):
        self.calls.append(len(X))
        return self.body(X)


def gradients_of(net):
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in net.parameters()]


@exercise
def check_accumulate(answer):
    """Lesson 17, exercise 2: the gradient of the whole from parts that are not equally large."""
    expect(callable(answer), f"a function is wanted, and this is {answer!r}")
    for sizes in ([4, 4, 4], [5, 2, 1], [1, 6], [3]):
        torch.manual_seed(sum(sizes))
        net, n = Counting().double(), sum(sizes)
        X, y = torch.randn(n, 6).double(), torch.randint(3, (n,))
        before = [p.detach().clone() for p in net.parameters()]

        def gradients(weights, chosen=None, net=net, X=X, y=y, sizes=sizes):
            net.zero_grad()
            parts = zip(weights, X.split(sizes), y.split(sizes), strict=True)
            for number, (weight, some, labels) in enumerate(parts):
                if chosen is None or number == chosen:
                    (weight * F.cross_entropy(net(some), labels)).backward()
            return gradients_of(net)

        parts = len(sizes)
        right = gradients([size / n for size in sizes])
        wrongs = ((gradients([1] * parts), "you added the means of the parts: weigh each"),
                  (gradients([1 / parts] * parts),
                   "you averaged over the parts: an image of a small part then weighs more"),
                  (gradients(sizes), "you added up all images' gradients: divide by their number"),
                  (gradients([size / n for size in sizes], chosen=parts - 1),
                   "only the last part's gradient is left: clear the gradients once, before all"),
                  (gradients([size / n for size in sizes], chosen=0),
                   "only the first part's gradient is there: stop after the last part"),
                  ([torch.zeros_like(p) for p in before],
                   "there is no gradient in net afterwards: call backward()"))
        for attempt in (1, 2):  # the second finds the first one's gradients in net
            if attempt == 1:
                net.zero_grad()
            net.calls.clear()
            try:
                returned = answer(net, X, y, list(sizes))
            except (Exception, SystemExit) as error:
                raise WrongAnswer(f"accumulate(net, X, y, {sizes}) raised "
                                  f"{type(error).__name__}: {error}") from None
            if not net.calls and returned in (None, ...):
                raise Unanswered
            given = f"for parts of {sizes} images: "
            expect(all(map(torch.equal, net.parameters(), before)),
                   given + "the weights have changed: gradients alone are wanted, and no step")
            expect(net.calls == sizes, given + f"net was called on {net.calls} images: one part at "
                                               "a time, in order")
            found = gradients_of(net)

            def same(wrong, found=found):
                return all(torch.allclose(a, b, rtol=1e-6, atol=1e-9)
                           for a, b in zip(found, wrong, strict=True))

            expect(attempt == 1 or not same([2 * g for g in right]),
                   "a second call adds to the first one's gradients: clear them first, for "
                   f"otherwise {LEFT_BEHIND}")
            for wrong, mistake in wrongs:
                expect(same(right) or not same(wrong), given + mistake)
            expect(same(right), given + "the gradient is not that of the mean loss over all "
                                        "images: how much does each image weigh?")
    return "A large batch on a small GPU: the memory is that of the largest part."


COUNT_CASES = """

def run_the_cases():
    torch.manual_seed(0)
    found = []
    for count in (8, 7, 2):
        net, seen = nn.Linear(6, 3), [0]
        net.register_forward_hook(lambda layer, inputs, y_hat: seen.append(len(y_hat)))
        X, y = torch.randn(count, 6), torch.randint(3, (count,))
        right = (F.linear(X, net.weight, net.bias).argmax(dim=1) == y).tolist()
        found.append([NAME(net, X, y), sum(seen), right])
    return found
"""


@exercise
def check_accuracy_together(answer):
    """Lesson 17, exercise 3: the accuracy of a test set that three ranks share, each image once."""
    source, name = source_of(answer, 3)
    ranks = results_of(source + COUNT_CASES.replace("NAME", name), "run_the_cases", (), 3)
    for case in zip(*ranks, strict=True):
        found, seen, rights = zip(*case, strict=True)
        right, count = rights[0], len(rights[0])
        if all(each in EMPTY for each in found if not isinstance(each, torch.Tensor)) and not any(
                isinstance(each, torch.Tensor) for each in found):
            raise Unanswered
        found = [as_number(each) for each in found]
        given = f"{count} images, 3 processes: "
        expect(len({round(each, 6) for each in found}) == 1,
               given + "the ranks give different answers: all must know the whole result")
        expect(sum(seen) > count - 1, given + f"only {sum(seen)} of them were looked at")
        expect(sum(seen) != 3 * count, given + "every rank looked at every image: give each a "
                                               "share, for that is what the others are for")
        expect(sum(seen) == count, given + f"{sum(seen)} were looked at: some come twice, as with "
                                           "DistributedSampler, which pads")
        found, whole = found[0], sum(right) / count
        expect(found != sum(right) or whole == sum(right),
               given + "that is how many are right: divide by how many there are")
        expect(abs(found - whole) < 1e-6, given + f"{found:.4f} is not the share that is right; "
               "the shares are not equally large, so add up counts, not accuracies")
    return "d2lvgg.train does the same: it adds up (right, examples) over the ranks."


STEP_CASES = """

def run_the_cases():
    rank, found = dist.get_rank(), []
    for case in ("equal", "first weight", "last bias", "exchanged", "rank 0", "by little"):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
        with torch.no_grad():
            if case == "first weight" and rank == 1:
                net[0].weight[0, 0] += 1
            if case == "last bias" and rank == 2:
                net[1].bias[-1] += 1
            if case == "exchanged" and rank == 2:
                net[0].weight.copy_(net[0].weight.flip(0))
            if case == "rank 0" and rank == 0:
                net[1].weight[1, 1] -= 1
            if case == "by little" and rank == 1:
                net[1].weight[0, 0] *= 1 + 1e-6
        before = [p.detach().clone() for p in net.parameters()]
        answer = NAME(net)
        found.append([answer, all(map(torch.equal, before, net.parameters()))])
    return found
"""
STEP_MISTAKES = ("they are equal, and you say that they are not",
                 "rank 1 has another first weight, and you do not see it",
                 "rank 2 has another last bias, and you do not see it",
                 "rank 2 has the same weights in other places, and you do not see it: a sum says "
                 "too little",
                 "rank 0 has another weight, and you do not see it",
                 "one weight differs in its seventh digit, and you do not see it: it will be more "
                 "soon, so compare bit by bit")


@exercise
def check_in_step(answer):
    """Lesson 17, exercise 4: whether all ranks hold the same parameters, known to all of them."""
    source, name = source_of(answer, 1)
    ranks = results_of(source + STEP_CASES.replace("NAME", name), "run_the_cases", (), 3)
    for number, (case, mistake) in enumerate(zip(zip(*ranks, strict=True), STEP_MISTAKES,
                                                 strict=True)):
        found, kept = zip(*case, strict=True)
        if all(not isinstance(each, torch.Tensor) and each in EMPTY for each in found):
            raise Unanswered
        found = [each.item() if isinstance(each, torch.Tensor) and each.numel() == 1 else each
                 for each in found]
        expect(all(each in (True, False) for each in found if not isinstance(each, torch.Tensor))
               and not any(isinstance(each, torch.Tensor) for each in found),
               f"True or False is wanted, not {found[0]!r}")
        expect(all(kept), "the network's own parameters have changed: an exchange in place writes "
                          "over them, so give it a copy")
        expect(len({bool(each) for each in found}) == 1,
               "some ranks say True and others False: the verdict must be exchanged, too, or the "
               "one that stops leaves the others waiting")
        expect(bool(found[0]) == (number == 0), mistake)
    return "Call it once an epoch: replicas that drift apart raise no error by themselves."
