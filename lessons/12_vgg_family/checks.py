"""Lesson 12's exercises."""

import copy
import random

import torch
from torch import nn
from torch.nn.functional import conv2d, max_pool2d

from d2lvgg.exercises import (
    LEFT_BEHIND,
    Unanswered,
    WrongAnswer,
    as_number,
    ask,
    exercise,
    expect,
)
from d2lvgg.models import VGG_ARCHS, vgg_block


def as_list(found, wanted):
    """Return what a list, set, array or tensor holds. Raises WrongAnswer for anything else."""
    try:
        return list(found if not isinstance(found, (str, bytes)) else None)
    except TypeError:
        raise WrongAnswer(f"{wanted} wanted, not {found!r}") from None


def as_numbers(found, count, wanted):
    """Return the count numbers of a list, tuple, array or tensor as a tuple of Python's."""
    numbers = as_list(found, wanted)
    expect(len(numbers) == count and not isinstance(found, (set, dict)),
           f"{wanted} wanted, not {found!r}")
    return tuple(as_number(number) for number in numbers)


def output_of(module, X):
    """Return module(X), the student's own module, its errors turned into sentences."""
    try:
        out = module(X)
    except Exception as error:
        raise WrongAnswer(f"it refuses a batch of shape {tuple(X.shape)}: {error}") from None
    expect(isinstance(out, torch.Tensor) and out.is_floating_point(),
           f"its output is a {type(out).__name__}, and feature maps are wanted")
    return out


def layers_of(block):
    """Return the modules that hold no others."""
    return [layer for layer in block.modules() if not any(True for _ in layer.children())]


@exercise
def check_vgg16_and_vgg19(answer):
    """Lesson 12, exercise 1: columns D and E as conv_archs."""
    expect(isinstance(answer, (tuple, list)) and len(answer) == 2,
           f"two conv_archs are wanted, (vgg16, vgg19), not {answer!r}")
    if any(arch is ... or arch is None for arch in answer):
        raise Unanswered
    pairs = f"five pairs (num_convs, out_channels), such as {VGG_ARCHS['vgg11']}, are"
    archs = [tuple(as_numbers(pair, 2, pairs) for pair in as_list(arch, pairs)) for arch in answer]
    expect(archs != [VGG_ARCHS["vgg19"], VGG_ARCHS["vgg16"]], "swapped: vgg16 is the shorter one")
    column_c = ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512))
    for name, column, arch in zip(("vgg16", "vgg19"), "DE", archs, strict=True):
        convs, right = sum(count for count, _ in arch), VGG_ARCHS[name]
        expect(len(arch) == 5, f"{name} has {len(arch)} blocks: every column has five")
        expect(any(count < channels for count, channels in arch),
               f"{name}: the pairs are turned round: num_convs stands first")
        expect([channels for _, channels in arch] == [channels for _, channels in right],
               f"{name}: one of the widths {[channels for _, channels in arch]} is in no column: "
               "in TABLE_1 the widths of the five blocks are the same from A to E")
        expect(name != "vgg16" or arch != column_c,
               "vgg16 is column C without its 1x1 convolutions: what has D in their place?")
        expect(arch != VGG_ARCHS["vgg13"], f"{name} is column B")
        expect(convs != int(name[3:]),
               f"{name} has {convs} convolutions, and {convs + 3} layers with the three linear "
               "ones: the name counts both")
        expect(convs + 3 == int(name[3:]), f"{name} has {convs} convolutions and 3 linear layers, "
                                           f"so it would be VGG-{convs + 3}")
        expect(arch == right, f"{name} has enough layers, but in other blocks than column {column}")
    return "From D to E the three deeper blocks grow by one convolution each, and nothing else."


def block_c(convs, X, fault=None):
    """Return what a block of column C makes of X with these convolutions, but for one fault."""
    for conv in convs[:-1]:
        X = conv2d(X, conv.weight, conv.bias, padding=1)
        X = X if fault == "relus" else X.relu()
    if fault == "pool first":
        X = max_pool2d(X, 2)
    X = conv2d(X, convs[-1].weight, convs[-1].bias)
    X = X if fault in ("last relu", "relus") else X.relu()
    return X if fault == "pool first" else max_pool2d(X, 2)


BLOCK_FAULTS = {
    "relus": "there is no ReLU between the convolutions: without one they are a single "
             "convolution",
    "last relu": "the 1x1 convolution has no ReLU behind it, and without one it adds nothing "
                 "nonlinear",
    "pool first": "the pool must stay last: the new nonlinearity comes before the downsampling",
}


@exercise
def check_vgg_block_c(answer):
    """Lesson 12, exercise 2: a block of column C."""
    torch.manual_seed(0)
    for num_convs, inputs, outputs in ((2, 3, 8), (1, 4, 4), (3, 8, 5)):
        block, again = (ask(answer, num_convs, inputs, outputs) for _ in range(2))
        expect(isinstance(block, nn.Module) and isinstance(again, nn.Module),
               f"a block, one nn.Module, is wanted, not {block!r}")
        expect(not {id(p) for p in block.parameters()} & {id(p) for p in again.parameters()},
               "two calls share layers: make new ones in each call, in a list inside the function")
        X = torch.randn(2, inputs, 12, 16)
        out = output_of(block, X)
        convs = [layer for layer in layers_of(block) if isinstance(layer, nn.Conv2d)]
        kernels = [conv.kernel_size for conv in convs]
        expect(kernels != [(3, 3)] * num_convs, "the 1x1 convolution is missing")
        expect(kernels != [(3, 3)] * (num_convs + 1),
               "one more 3x3 is column D: column C's last convolution is 1x1")
        expect(kernels != [(3, 3)] * (num_convs - 1) + [(1, 1)],
               f"the 1x1 comes on top of the {num_convs} 3x3 convolutions: you replaced one")
        expect(kernels != [(1, 1)] + [(3, 3)] * num_convs,
               "the 1x1 convolution stands first: it comes after the 3x3 ones")
        expect(kernels == [(3, 3)] * num_convs + [(1, 1)],
               f"for num_convs = {num_convs} the kernels are {kernels}: so many of 3x3 are wanted, "
               "then one of 1x1")
        expect(convs[-1].padding in ((0, 0), 0, "valid", "same"),
               "the 1x1 convolution has padding: it adds a border that no image had")
        widths = [(conv.in_channels, conv.out_channels) for conv in convs]
        expect(widths == [(inputs, outputs)] + [(outputs, outputs)] * num_convs,
               f"the channels go {widths}: the first convolution makes out_channels of "
               "in_channels, and then they stay")

        expect(out.shape[2:] != (12, 16), "height and width stay: a block ends with a pool")
        expect(out.shape[2:] != (3, 4), "height and width are halved twice: a block has one pool")

        def same(fault=None, out=out, convs=convs, X=X):
            wanted = block_c(convs, X, fault)
            return out.shape == wanted.shape and torch.allclose(out, wanted, atol=1e-5)

        for fault, mistake in BLOCK_FAULTS.items():
            expect(not same(fault), mistake)
        expect(same(), "the output is not that of convolutions and ReLUs by turns and a 2x2 "
                          "max-pool: the layers are "
                          + ", ".join(type(layer).__name__ for layer in layers_of(block)))
    return "A 1x1 costs a ninth of a 3x3's weights, for as many ReLUs."


def small_net(arch, in_channels, batch_norm=False):
    """Return blocks and a pooled head with random weights and biases, as training could leave."""
    blocks = []
    for num_convs, out_channels in arch:
        blocks.append(vgg_block(num_convs, in_channels, out_channels, batch_norm))
        in_channels = out_channels
    net = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(in_channels, 4))
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn_like(p) * (0.3 if p.dim() == 1 else (2 / p[0].numel()) ** 0.5))
    return net.eval()


def state_of(net):
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


def same_state(net, state):
    found = net.state_dict()
    return list(found) == list(state) and all(map(torch.equal, found.values(), state.values()))


@exercise
def check_deepen(answer):
    """Lesson 12, exercise 3: a deeper network that gives the same answers."""
    torch.manual_seed(0)
    for old, wanted, inputs in ((((1, 4), (2, 6)), ((2, 4), (3, 6)), 1),
                                (((1, 5), (1, 5), (2, 7)), ((1, 5), (4, 5), (2, 7)), 3),
                                (((2, 3),), ((5, 3),), 2)):
        net = small_net(old, inputs)
        before = state_of(net)
        grown, again = (ask(answer, net, wanted) for _ in range(2))
        expect(isinstance(grown, nn.Module), f"a network is wanted, not {type(grown).__name__}")
        expect(same_state(net, before) and grown is not net,
               "you changed net itself: begin with copy.deepcopy(net)")
        tensors = [{p.untyped_storage().data_ptr() for p in which.parameters()}
                   for which in (net, grown, again)]
        expect(not tensors[1] & tensors[0], "the new network shares tensors with net: training it "
                                            "would change net, too")
        expect(not tensors[1] & tensors[2], f"two calls share layers: {LEFT_BEHIND}")
        convs = [layer for layer in layers_of(grown) if isinstance(layer, nn.Conv2d)]
        count = sum(num_convs for num_convs, _ in wanted)
        expect(len(convs) != sum(num_convs for num_convs, _ in old) or len(convs) == count,
               f"for {wanted} nothing was added: the new network has {len(convs)} convolutions")
        expect(len(convs) == count,
               f"{wanted} asks for {count} convolutions, and the new network has {len(convs)}: "
               "num_convs counts the ones that were there, too")
        expect(all(conv.kernel_size == (3, 3) for conv in convs),
               "a new convolution is not 3x3, as those of a VGG block are")
        X = torch.randn(2, inputs, 16, 24)
        with torch.no_grad():
            right, found = net(X), output_of(grown, X)
        expect(found.shape == right.shape,
               f"the scores have shape {tuple(found.shape)}, and net's {tuple(right.shape)}")
        fresh = [conv for conv in convs if not any(torch.equal(conv.weight, tensor)
                                                   for tensor in before.values())]
        expect(len(fresh) <= count - sum(num_convs for num_convs, _ in old),
               "not all of net's convolutions are in the new network: the first ones of each block "
               "keep their weights")
        explain_layers(fresh)
        expect(torch.allclose(found, right, rtol=1e-3, atol=1e-4),
               "the new layers hand on what they get, and still the scores differ from net's: do "
               "they stand in the right block, before its pool, with a ReLU each?")
        for place, (num_convs, _) in enumerate(wanted):
            block = layers_of(grown[place])
            kinds = [type(layer) for layer in block]
            expect(kinds.count(nn.Conv2d) == num_convs,
                   f"block {place} has {kinds.count(nn.Conv2d)} convolutions, and {num_convs} are "
                   "wanted")
            expect(kinds == [nn.Conv2d, nn.ReLU] * num_convs + [nn.MaxPool2d],
                   f"block {place} is no VGG block any more: behind each convolution stands a "
                   "ReLU, and at the end the pool")
    return "Training can go on from here, and now the new layers may become something of their own."


def explain_layers(convs):
    """Raise WrongAnswer where one of the new convolutions does not hand its input on."""
    for conv in convs:
        weight, channels = conv.weight.detach(), conv.out_channels
        expect(conv.in_channels == channels,
               f"a new convolution makes {channels} channels of {conv.in_channels}: it stands "
               "behind those of its block, where the channels stay")
        expect(conv.bias is None or not conv.bias.any(),
               "a new convolution adds a bias that is not zero")
        expect(weight.any(), "a new convolution has weights of zero: it hands on nothing")
        middle = torch.zeros_like(weight)
        middle[:, :, 1, 1] = weight[:, :, 1, 1]
        expect(torch.equal(weight, middle),
               "a new convolution has weights beside the middle of its windows: it moves or mixes "
               "pixels")
        expect(torch.equal(weight[:, :, 1, 1], torch.eye(channels)),
               "a new convolution looks at the right pixel, but mixes or scales the channels: "
               "output channel k is input channel k")


def set_averages(net, images):
    """Return a copy of net whose batch norms hold the mean of what they see in these batches."""
    net = copy.deepcopy(net)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None
    net.train()
    with torch.no_grad():
        for X in images:
            net(X)
    return net.eval()


@exercise
def check_restore(answer):
    """Lesson 12, exercise 4: the running averages, from a few batches."""
    torch.manual_seed(0)
    for arch, inputs, count in ((((1, 8), (2, 8)), 1, 3), (((2, 6), (1, 8), (1, 8)), 3, 5)):
        net = small_net(arch, inputs, batch_norm=True)
        images = [torch.randn(16, inputs, 16, 16) * (1 + n) + 1 for n in range(count)]
        if inputs == 3:  # averages of something else, seen for a while
            net = set_averages(net, [9 * X + 30 for X in images])
        before = {name: p.clone() for name, p in net.named_parameters()}
        probe = torch.randn(64, inputs, 16, 16) * 2 + 1
        right = [set_averages(net, batches)(probe).detach() for batches in (
            images, [torch.cat(images)])]  # batch by batch, or all at once
        others = {
            "only the first batch counts for your averages": images[:1],
            "only the last batch counts for your averages": images[-1:]}
        given = copy.deepcopy(net)
        found = ask(answer, given, [X.clone() for X in images])
        expect(isinstance(found, nn.Module), f"a network is wanted, not {type(found).__name__}")
        parameters = dict(found.named_parameters())
        expect(parameters.keys() == before.keys(),
               "the network that you return has other parameters than net")
        expect(all(torch.equal(p, before[name]) for name, p in parameters.items()),
               "a parameter has changed: no optimizer is needed, the averages alone are wrong")
        norms = [layer for layer in found.modules() if isinstance(layer, nn.BatchNorm2d)]
        expect(not found.training and not any(layer.training for layer in norms),
               "the network comes back in training mode: call eval()")
        scores = output_of(found, probe).detach()

        def near(wanted, scores=scores):
            return (scores - wanted).abs().max() < 0.12 * wanted.std()

        if not any(map(near, right)):
            explain_averages(net, norms, images, others, near, probe)
    return "PyTorch has this as torch.optim.swa_utils.update_bn, for weights that were averaged."


def explain_averages(net, norms, images, others, near, probe):
    """Raise WrongAnswer with what is wrong with these running averages."""
    old = [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]
    expect(not all(torch.equal(a.running_mean, b.running_mean)
                   for a, b in zip(norms, old, strict=True)),
           "the averages are what they were: nothing was measured, and batch norm notes them in "
           "training mode alone")
    expect(not all((layer.running_mean == 0).all() for layer in norms),
           "the averages are mean 0 and variance 1: they are reset, and nothing was noted since")
    for mistake, batches in others.items():
        expect(not near(set_averages(net, batches)(probe).detach()), mistake)
    seen, first = torch.cat(images), net[0][0]
    with torch.no_grad():
        wanted = first(seen).mean(dim=(0, 2, 3))
    start = old[0].running_mean
    share = ((norms[0].running_mean - start) @ (wanted - start)
             / ((wanted - start) @ (wanted - start)))
    expect(not 0.05 < share < 0.95,
           f"the averages have moved by {share:.0%} of the way from the old ones: either each "
           "batch moves them by a part only (momentum), or the old ones still count")
    raise WrongAnswer("the averages are not those that each batch norm sees in these batches: "
                      "let the whole network read every batch once, in training mode, after the "
                      "old averages are gone")


@exercise
def check_frontier(answer):
    """Lesson 12, exercise 5: the networks that no other beats."""
    rng = random.Random(0)
    zoos = [{"slow": (1, 90), "fast": (9, 50), "middle": (5, 70), "beaten": (4, 60)},
            {"twin a": (3, 3), "twin b": (3, 3), "low": (2, 1)},
            {"as fast": (5, 60), "better": (5, 70)}, {"as good": (4, 70), "faster": (5, 70)},
            {"alone": (1, 1)}]
    zoos += [{name: (rng.randint(1, 9), rng.randint(1, 9)) for name in "abcdefgh"}
             for _ in range(20)]
    for zoo in zoos:
        found = as_list(ask(answer, zoo), "a set of names is")
        expect(all(isinstance(name, str) for name in found),
               f"a set of names is wanted, not {found!r}")
        found = set(found)
        expect(found <= set(zoo), f"{found - set(zoo)} are no names of this zoo, {zoo}: was "
                                  "something kept from another call?")

        def unbeaten(beats, zoo=zoo):
            return {name for name, mine in zoo.items() if not any(
                beats(other, mine) for rival, other in zoo.items() if rival != name)}

        def beats(a, b):
            return a[0] >= b[0] and a[1] >= b[1] and a != b

        right = unbeaten(beats)
        for wrong, mistake in (
                (unbeaten(lambda a, b: a[0] > b[0] and a[1] > b[1]),
                 "as fast and more accurate beats too: better in one of the two is enough"),
                (unbeaten(lambda a, b: a[0] >= b[0] and a[1] >= b[1]),
                 "two equal networks do not beat each other: both stay"),
                (unbeaten(lambda a, b: a[0] >= b[0] or a[1] >= b[1]),
                 "to beat is to be at least as good in both: you took one of the two"),
                (unbeaten(lambda a, b: a[1] > b[1]), "that is the most accurate alone: a faster "
                                                     "one is worth considering too"),
                (unbeaten(lambda a, b: a[0] > b[0]), "that is the fastest alone: a more accurate "
                                                     "one is worth considering too"),
                (set(zoo) - right, "these are the beaten ones: you want the others")):
            expect(found != wrong or wrong == right, f"{mistake} ({zoo})")
        for name in sorted(found - right):
            rival = next(rival for rival, other in zoo.items() if beats(other, zoo[name]))
            raise WrongAnswer(f"you keep {name!r}, and {rival!r} beats it ({zoo})")
        for name in sorted(right - found):
            raise WrongAnswer(f"you leave out {name!r}: which network beats it? ({zoo})")
    return "Economists call it the Pareto frontier: off it, there is a choice with no drawback."
