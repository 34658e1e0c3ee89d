"""Lesson 14's exercises."""

import copy

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from d2lvgg.exercises import WrongAnswer, as_number, ask, ask_number, exercise, expect


@exercise
def check_cpu_days(answer):
    """Lesson 14, exercise 1: 200 epochs at 1709.73 seconds each."""
    days = as_number(answer)

    def near(number):
        return abs(days - number) <= 0.005 * number

    seconds = 200 * 1709.73
    expect(not near(seconds), "those are seconds: how many has a day?")
    expect(not near(seconds / 60), "those are minutes: how many has a day?")
    expect(not near(seconds / 3600), "those are hours: how many has a day?")
    expect(not near(1709.73 / 86_400), "that is one epoch: the notes report on 200")
    expect(not near(200 * 13.645 / 86_400), "that is the GPU: take the CPU's 1,709.73 s an epoch")
    expect(not near(200 / 1709.73), "you divided the epochs by the seconds: each epoch takes them")
    expect(not near(seconds / 1440), "a minute has 60 seconds too: 24 x 60 is a day in minutes")
    expect(days != 4, "you rounded to whole days: give two decimals")
    expect(near(seconds / 86_400), f"{days} is not the number: seconds an epoch, times epochs, "
                                   "over the seconds of a day")
    return "Four days, against 45 minutes on the GPU: who tunes a rate at four days a try?"


@exercise
def check_dead_fraction(answer):
    """Lesson 14, exercise 2: channels that are zero everywhere, for every image."""
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
        expect(not is_(dead / 8), "you divided by the lesson's 8 channels: maps has others")
        expect(not is_(dead / 5), "you divided by the images of the batch: divide by the channels")
        expect(abs(found - right) < 1e-6,
               f"{found:.3g} is not the share of the channels of maps, {tuple(maps.shape)}, whose "
               "largest value over all images, rows and columns is 0")
    return "A dead channel gets no gradient, so only the layers before it could wake it."


class Calls(TorchFunctionMode):
    """Counts PyTorch's operations, to tell a loop over the images from one over the batch."""

    count = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


@exercise
def check_flip_each(answer):
    """Lesson 14, exercise 3: each image mirrored by its own toss."""
    torch.manual_seed(0)
    X = torch.rand(200, 3, 4, 5)
    given = X.clone()
    with Calls() as calls:
        found = ask(answer, given)
    expect(isinstance(found, torch.Tensor) and found.shape == X.shape,
           "a batch, one tensor of the shape of X, is wanted")
    expect(torch.equal(given, X), "you changed X itself: return a new batch, for X may be the "
                                  "data set's own memory")
    expect(calls.count < len(X), f"{calls.count} operations on a batch of {len(X)}: that is a loop "
                                 "over the images; choose with one torch.where")

    def by_image(mask):
        return mask.flatten(1).all(dim=1)

    same, mirrored = by_image(found == X), by_image(found == X.flip(3))
    for axes, mistake in (((2,), "stand on their heads: mirror the last dimension, W, and not H"),
                          ((1,), "have their colours in another order: mirror W, and not the "
                                 "channels"),
                          ((2, 3), "are turned by half a circle: mirror W alone")):
        expect(not by_image(found == X.flip(axes)).any(), f"some images {mistake}")
    by_channel = ((found == X).flatten(2).all(dim=2)
                  | (found == X.flip(3)).flatten(2).all(dim=2)).all(dim=1)
    expect(not (by_channel & ~same & ~mirrored).any(),
           "you tossed once a channel: the three colours of an image are mirrored together")
    expect((same | mirrored).all(), "some images are neither as they were nor mirrored left to "
                                    "right")
    expect(not mirrored.all() and not same.all(),
           "all images had the same fate: toss once an image, with torch.rand(len(X))")
    share = float(mirrored.float().mean())
    expect(0.35 < share < 0.65, f"{share:.0%} of 200 images were mirrored: half is wanted")
    again = ask(answer, X.clone())
    expect(not torch.equal(again, found), "a second call mirrored the same images: toss anew")
    fewer = ask(answer, X[:7].clone())
    expect(isinstance(fewer, torch.Tensor) and fewer.shape == (7, 3, 4, 5),
           "a batch of 7 images does not come out as one: use len(X)")
    return "One tensor operation for the whole batch: far faster than a transform an image."


def cifar_net(depth):
    """Return a network like the lesson's, of depth blocks and ten classes, that has seen images."""
    blocks = [nn.Sequential(nn.Conv2d(inputs, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
              for inputs in (3, *[6] * (depth - 1))]
    net = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10))
    net(torch.rand(8, 3, 8, 8))  # batch norm's running statistics are no longer those of a new one
    return net


@exercise
def check_transplant(answer):
    """Lesson 14, exercise 4: old blocks, new last layer."""
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
               "copy.deepcopy(net)")
        expect(all(p.requires_grad for p in net.parameters()),
               "you froze net itself: freeze the copy's parameters")
        expect(all(module.training for module in net.modules()),
               "you left net itself in evaluation mode: it must stay as it is")
        shared = {id(p) for p in new.parameters()} & {
            id(p) for p in [*net.parameters(), *other.parameters()]}
        expect(not shared, "the new network shares layers with net or with one of another call: "
                           "copy the blocks, and make the new layer inside the function")
        X = torch.rand(4, 3, 8, 8)
        with torch.no_grad():
            features = before.eval()[:-1](X)
            try:
                y = new.eval()(X)
            except Exception as error:
                raise WrongAnswer(f"the new network refuses the images that net takes: {error}"
                                  ) from None
        expect(isinstance(y, torch.Tensor) and y.shape == (4, kinds),
               f"with num_classes = {kinds} its output for 4 images has shape "
               f"{tuple(getattr(y, 'shape', ()))}: one number for each image and class is wanted")
        linears = [m for m in new.modules() if isinstance(m, nn.Linear)]
        expect(len(linears) == 1, f"it has {len(linears)} linear layers: put the new one in the "
                                  "old one's place, or the old classes stand between")
        expect(torch.allclose(y, linears[0](features), atol=1e-5),
               "the blocks do not compute what net's do: keep the weights that it learned")
        free = [p for p in new.parameters() if p.requires_grad]
        expect(free, "everything is frozen, the new layer too: freeze first, then replace it")
        expect({id(p) for p in free} == {id(p) for p in linears[0].parameters()},
               f"{len(free)} parameter tensors would be trained, and only the new layer's weight "
               "and bias should be: set requires_grad_(False) on the rest")
    return "Two tensors to train: that is why a handful of images is enough."
