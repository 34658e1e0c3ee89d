"""Lesson 14's exercises."""

import copy

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from d2lvgg.exercises import LEFT_BEHIND, WrongAnswer, ask, ask_number, exercise, expect


class Calls(TorchFunctionMode):
    """Counts PyTorch's operations, which shows a loop over the images of a batch."""

    count = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


def covered_of(answer, X, size):
    """Return which pixels (B, H, W) the answer covers. Raises WrongAnswer where it is no cutout."""
    given = X.clone()
    with Calls() as calls:
        found = ask(answer, given, size)
    expect(isinstance(found, torch.Tensor), "a batch, one tensor of the shape of X, is wanted")
    expect(found.shape == X.shape, f"a batch of shape {tuple(X.shape)} came out as "
                                   f"{tuple(found.shape)}: only pixel values change")
    expect(torch.equal(given, X), "you changed X itself: return a new batch, for X may be the "
                                  "data set's own memory")
    expect(calls.count < len(X), f"{calls.count} operations on a batch of {len(X)}: that is a loop "
                                 "over the images; compare rows and columns of all at once")
    zero = found == 0  # X has no zeros
    expect(bool((zero | (found == X)).all()),
           "some pixels are neither as they were nor 0: nothing else may change")
    covered = zero.any(dim=1)
    expect(torch.equal(covered, zero.all(dim=1)),
           "some pixels are 0 in one channel and not in another: cover all channels of a pixel")
    return covered


@exercise
def check_cutout(answer):
    """Lesson 14, exercise 1: a square of each image covered, at a place of its own."""
    torch.manual_seed(0)
    for batch, channels, height, width, size in ((400, 3, 7, 9, 3), (300, 1, 6, 5, 2),
                                                 (120, 2, 4, 4, 4)):
        X = torch.rand(batch, channels, height, width) + 0.1
        covered = covered_of(answer, X, size)
        counts = covered.flatten(1).sum(dim=1)
        expect(counts.max() > 0, "no pixel is covered")
        rows, columns = covered.any(dim=2), covered.any(dim=1)  # (B, H), (B, W)
        tall, wide = rows.sum(dim=1), columns.sum(dim=1)
        expect(not (tall * wide > counts).any(),
               "what is covered is no square: its rows and columns hang together, and each pixel "
               "in both is covered")
        expect(not ((tall > size) | (wide > size)).any(),
               f"with size = {size} up to {int(tall.max())} rows and {int(wide.max())} columns are "
               "covered")
        expect(not ((tall < size) | (wide < size)).any(),
               f"with size = {size} some squares have fewer rows or columns: they hang out of the "
               "image, or the size is another; draw the first row so that the last one fits")
        if size == min(height, width):
            continue
        expect(not bool((covered == covered[0]).all()),
               "all images are covered at the same place: draw a place for each")
        for lines, name, count in ((rows, "row", height), (columns, "column", width)):
            first = lines.float().argmax(dim=1)
            expect(set(first.tolist()) == set(range(count - size + 1)),
                   f"of {batch} squares none begins in some {name} where it would fit: the upper "
                   "end of torch.randint is left out")
        other = covered_of(answer, X, size)
        expect(not torch.equal(covered, other),
               "a second call covered the same places: draw anew in each call")
        first_rows, first_columns = (lines.float().argmax(dim=1) for lines in (rows, columns))
        expect(not torch.equal(first_rows, first_columns),
               "each square lies on the diagonal: draw its column apart from its row")
    return "Add it to recipe.py's tricks, and you can ask what it is worth, with an interval."


def cifar_net(depth):
    """Return a network like the lesson's, of depth blocks and ten classes, that has seen images."""
    blocks = [nn.Sequential(nn.Conv2d(inputs, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
              for inputs in (3, *[6] * (depth - 1))]
    net = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10))
    net(torch.rand(8, 3, 8, 8))  # batch norm's running averages are no longer those of a new one
    return net


def answers_of(new, X, kinds):
    """Return new's scores of X. Raises WrongAnswer where they have the wrong shape."""
    try:
        y = new(X)
    except Exception as error:
        raise WrongAnswer(f"the new network refuses the images that net takes: {error}") from None
    expect(isinstance(y, torch.Tensor) and y.shape == (len(X), kinds),
           f"with num_classes = {kinds} its output for {len(X)} images has shape "
           f"{tuple(getattr(y, 'shape', ()))}: one number for each image and class is wanted")
    return y


@exercise
def check_freeze(answer):
    """Lesson 14, exercise 2: old blocks that stay as they are, and a new last layer."""
    torch.manual_seed(0)
    for kinds, depth in ((3, 1), (2, 3), (5, 2)):
        net = cifar_net(depth)
        before = copy.deepcopy(net)
        new, other = (ask(answer, net, kinds) for _ in range(2))
        expect(isinstance(new, nn.Module) and isinstance(other, nn.Module),
               f"a network is wanted, not {type(new).__name__}")
        expect(len(net) == len(before) and net[-1].out_features == 10 and all(
            torch.equal(a, b) for a, b in zip(net.state_dict().values(),
                                              before.state_dict().values(), strict=True)),
               "you changed net itself, and its ten classes are gone: work on a copy, with "
               "copy.deepcopy")
        shared = {id(p) for p in new.parameters()} & {
            id(p) for p in [*net.parameters(), *other.parameters()]}
        expect(not shared, "the new network shares layers with net or with one of another call: "
                           "copy the blocks, and make the new layer inside the function")
        expect(all(p.requires_grad for p in net.parameters()),
               "you froze net itself: freeze the copy's parameters")
        expect(all(module.training for module in net.modules()),
               "you left net itself in evaluation mode: it must stay as it is")
        expect(new.train() is new, "train() has to return the network itself, as PyTorch's does: "
                                   "end it with return self")
        check_parts(new, before, kinds)
        check_stays(new, before, kinds)
    return "Now one set of blocks can serve ten tasks, each with a small layer of its own."


def check_parts(new, before, kinds):
    """Raise WrongAnswer unless new is before's blocks, frozen, and one layer that can learn."""
    X = torch.rand(4, 3, 8, 8)
    linears = [m for m in new.modules() if isinstance(m, nn.Linear)]
    with torch.no_grad():
        features = before.eval()[:-1](X)
        y = answers_of(new.eval(), X, kinds)
        expect(len(linears) == 1, f"it has {len(linears)} linear layers: put the new one in the "
                                  "old one's place, or the old classes stand between")
        expect(torch.allclose(y, linears[0](features), atol=1e-5),
               "the blocks do not compute what net's do: keep the weights that it learned, and "
               "batch norm's running averages")
    free = [p for p in new.parameters() if p.requires_grad]
    expect(free, "everything is frozen, the new layer too: freeze first, then replace it")
    expect({id(p) for p in free} == {id(p) for p in linears[0].parameters()},
           f"{len(free)} parameter tensors would be trained, and only the new layer's weight "
           "and bias should be: set requires_grad_(False) on the rest")


def check_stays(new, before, kinds):
    """Raise WrongAnswer unless a few training steps change the new layer and nothing else."""
    batches = [torch.rand(6, 3, 8, 8) * 3 + 1 for _ in range(3)]
    expect(new.train().training, "after train() the network says that it is in evaluation mode: "
                                 "call super().train(mode), then eval() on the frozen part")
    learns = [p for p in new.parameters() if p.requires_grad]
    old = [p.detach().clone() for p in learns]
    norms = [m for m in new.modules() if isinstance(m, nn.BatchNorm2d)]
    averages = [norm.running_mean.clone() for norm in norms]
    optimizer = torch.optim.SGD(new.parameters(), lr=0.1, weight_decay=0.01)
    for X in batches:
        new.train()
        optimizer.zero_grad()
        F.cross_entropy(answers_of(new, X, kinds), torch.arange(6) % kinds).backward()
        optimizer.step()
    expect(all(torch.equal(a, norm.running_mean)
               for a, norm in zip(averages, norms, strict=True)),
           "after new.train() and three batches, batch norm's running averages have moved: "
           "requires_grad_(False) does not stop them; keep the frozen part in eval()")
    X, linear = batches[0], next(m for m in new.modules() if isinstance(m, nn.Linear))
    with torch.no_grad():
        same = torch.allclose(new.train()(X), linear(before.eval()[:-1](X)), atol=1e-4)
    expect(same, "in training mode the frozen part computes something else than in evaluation "
                 "mode: batch norm uses the batch's own averages; keep it in eval()")
    expect(not any(torch.equal(a, b) for a, b in zip(old, learns, strict=True)),
           "three training steps leave the new layer as it was: nothing reaches it")


def averaging_net():
    """Return a small network whose running averages have moved, and which counted its batches."""
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
                        nn.Linear(4 * 4, 3))
    nn.init.normal_(net[1].weight)
    nn.init.normal_(net[1].bias)
    for _ in range(int(torch.randint(1, 9, ()))):
        net(torch.rand(8, 3, 4, 4) + torch.rand(()))
    return net


@exercise
def check_update_average(answer):
    """Lesson 14, exercise 3: the running average of a network's weights."""
    torch.manual_seed(0)
    for decay in (0.9, 0.25):
        net, average = averaging_net(), averaging_net()
        new, old = (copy.deepcopy(n.state_dict()) for n in (net, average))
        given = average.state_dict()  # shares memory with average
        ask(answer, average, net, decay)
        expect(all(torch.equal(t, new[name]) for name, t in net.state_dict().items()),
               "you changed net: only average may change")
        now = average.state_dict()
        expect(not all(torch.equal(now[name], t) for name, t in old.items()),
               "average is as it was: change it in place")
        expect(all(now[name].data_ptr() == t.data_ptr() for name, t in given.items()),
               "average has got other tensors: change the old ones in place, with methods such as "
               "mul_ and copy_")
        for name, t in now.items():
            kind = "parameters" if "running" not in name else "batch norm's running averages"
            if not t.is_floating_point():
                expect(torch.equal(t, new[name]), "batch norm's counter of batches is not net's: "
                                                  "copy whole numbers")
                continue
            expect(not torch.allclose(t, (1 - decay) * old[name] + decay * new[name]),
                   "you gave net the share of the average: decay belongs to what is old")
            expect(not torch.equal(t, old[name]), f"the {kind} were left as they were")
            expect(not torch.equal(t, new[name]), f"the {kind} are net's: average them, too")
            expect(torch.allclose(t, decay * old[name] + (1 - decay) * new[name], atol=1e-6),
                   f"with decay = {decay} the {kind} are not decay · average + "
                   "(1 - decay) · net")
    return "Call it after each step, and test the average: that is the ingredient, all of it."


def views(X, moves=((1, 1), (0, 1), (2, 1), (1, 0), (1, 2)), flips=(False, True), axis=3):
    """Return the versions of X, moved within a frame of one pixel and mirrored."""
    height, width = X.shape[-2:]
    framed = F.pad(X, [1, 1, 1, 1])
    moved = [framed[:, :, top:top + height, left:left + width] for top, left in moves]
    return [view.flip(axis) if flipped else view for view in moved for flipped in flips]


@exercise
def check_ten_views(answer):
    """Lesson 14, exercise 4: scores averaged over ten versions of each image."""
    torch.manual_seed(0)
    for batch, channels, height, width, kinds in ((4, 3, 6, 5, 3), (2, 1, 4, 7, 5)):
        net = nn.Sequential(nn.Conv2d(channels, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(),
                            nn.Dropout(0.5), nn.Flatten(), nn.Linear(5 * height * width, kinds))
        net(torch.rand(16, channels, height, width) * 2)
        net[1].eval()  # a frozen layer
        modes = [layer.training for layer in net.modules()]
        state = copy.deepcopy(net.state_dict())
        X = torch.rand(batch, channels, height, width)
        given = X.clone()
        found = ask(answer, net, given)
        expect(isinstance(found, torch.Tensor) and found.shape == (batch, kinds),
               "one row of scores for each image is wanted, a tensor of shape (B, classes)")
        expect(torch.equal(given, X), "you changed X itself")
        expect(not found.requires_grad, "the scores are recorded by autograd: use torch.no_grad()")
        now = [layer.training for layer in net.modules()]
        compare_scores(found, copy.deepcopy(net).eval(), X)
        expect(now == modes, "a layer of net is in another mode than before the call: note the "
                             "mode of each of net.modules(), and give it back")
        expect(all(torch.equal(t, state[name]) for name, t in net.state_dict().items()),
               "net has changed: ask it in evaluation mode")
        expect(torch.equal(ask(answer, net, given), found),
               f"the same images got other scores in a second call: {LEFT_BEHIND}, or dropout was "
               "on in one")
    return "Ten times the work for one answer: whether it pays is one more ablation."


def compare_scores(found, net, X):
    """Raise WrongAnswer where found are not the mean scores of net over X's ten versions."""
    def mean(versions):
        return torch.stack([net(version) for version in versions]).mean(dim=0)

    with torch.no_grad():
        right, everything = mean(views(X)), views(X)
        probabilities = torch.stack([net(v).softmax(dim=1) for v in everything]).mean(dim=0)
        sides = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
        rolled = [torch.roll(X, (1 - top, 1 - left), (2, 3)) for top, left in sides]
        mistakes = (
            (10 * right, "that is the sum over ten versions: divide it"),
            (probabilities, "those are means of probabilities: average the scores"),
            (mean(views(X, flips=(False,))), "the mirror images are missing"),
            (mean(views(X, flips=(True,))), "the five versions that are not mirrored are missing"),
            (mean(views(X, moves=sides[:1])), "the moved versions are missing"),
            (mean(views(X, moves=sides[1:])), "the images as they are, not moved, are missing"),
            (mean(views(X, axis=2)), "the images stand on their heads: mirror W and not H"),
            (mean([*rolled, *(v.flip(3) for v in rolled)]),
             "what leaves the image on one side comes in on the other: it should be 0"),
            (net(X), "those are the scores of X alone"))
    for wrong, mistake in mistakes:
        expect(not torch.allclose(found, wrong, atol=1e-5), mistake)
    expect(torch.allclose(found, right, atol=1e-4),
           "those are not the mean scores over the ten versions, asked in evaluation mode")


@exercise
def check_dead_fraction(answer):
    """Lesson 14, exercise 5: channels that are zero everywhere, for every image."""
    generator = torch.Generator().manual_seed(0)
    for channels, dead in ((10, 7), (4, 1), (6, 0), (3, 3)):
        maps = torch.randn(5, channels, 6, 7, generator=generator).relu()
        maps[:, :dead] = 0
        maps[3] = 0  # a black image
        if channels > dead:
            maps[0, -1] = 0  # a living channel that is silent for one image
            maps[:, -1, 2] = maps[:, -1, :, 4] = 0  # ... and in one row and one column
        found, again = (ask_number(answer, maps.clone()) for _ in range(2))
        expect(found == again, f"the same maps gave {found} and then {again}: something is kept "
                               "from call to call, or maps was changed")
        right, zero = dead / channels, maps == 0

        def is_(wrong, found=found, right=right):
            return abs(found - wrong) < 1e-6 and abs(wrong - right) > 1e-6

        expect(not is_(float(zero.float().mean())),
               "you counted zeros: a ReLU is silent half of the time and alive; a dead channel is "
               "zero in every place of every image")
        expect(not is_(float(zero.all(dim=3).all(dim=2).float().mean())),
               "you asked image by image: a channel that is silent for one image and answers to "
               "another is alive")
        expect(not is_(float(zero[0].flatten(1).all(dim=1).float().mean())),
               "you looked at the first image alone: a channel that it leaves silent can answer "
               "to another")
        expect(not is_(float(zero.flatten(1).all(dim=1).float().mean())),
               "that is the fraction of images that are black: axis 1 is that of the channels")
        expect(not is_(float(zero.any(dim=0).flatten(1).any(dim=1).float().mean())),
               "you counted channels that are zero somewhere: dead ones are zero everywhere")
        expect(not is_(1 - right), "that is the living fraction")
        expect(not is_(100 * right), "that is in per cent: a fraction is wanted")
        expect(not is_(dead), "that is how many are dead: divide by all channels")
        expect(not is_(dead / 8), "you divided by 8 channels: maps has others")
        expect(not is_(dead / 5), "you divided by the images of the batch: divide by the channels")
        expect(abs(found - right) < 1e-6,
               f"{found:.3g} is not the share of the channels of maps, {tuple(maps.shape)}, whose "
               "largest value over all images, rows and columns is 0")
    return "A dead channel gets no gradient, so only the layers before it could wake it."
