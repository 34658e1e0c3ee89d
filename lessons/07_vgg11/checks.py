"""Lesson 07's exercises."""

import random
import textwrap

import torch

from d2lvgg.exercises import WrongAnswer, as_number, ask, ask_twice, exercise, expect, expect_not
from d2lvgg.models import VGG_ARCHS, vgg


def some_archs(seed=0):
    """Return conv_archs to try an answer on: VGG-11 and five small random ones."""
    rng = random.Random(seed)
    return [VGG_ARCHS["vgg11"],
            *(tuple((rng.randint(1, 3), rng.choice((4, 6, 8))) for _ in range(blocks))
              for blocks in (1, 2, 3, 4, 6))]


def meta_vgg(conv_arch, **options):
    with torch.device("meta"):
        return vgg(conv_arch, **options)


def as_arch(answer):
    """Return a conv_arch, of whatever lists or numbers it is made, as tuples."""
    kind = (f"{textwrap.shorten(repr(answer), 100)} is not a sequence of (num_convs, out_channels) "
            "pairs: write five pairs, as in conv_arch")
    try:
        pairs = [tuple(pair) for pair in answer]
    except TypeError:
        raise WrongAnswer(kind) from None
    expect(pairs and all(len(pair) == 2 for pair in pairs), kind)
    return tuple((as_number(num_convs), as_number(channels)) for num_convs, channels in pairs)


@exercise
def check_vgg13(answer):
    """Lesson 07, exercise 1: VGG-13 as a conv_arch."""
    arch, widths = as_arch(answer), [channels for _, channels in VGG_ARCHS["vgg11"]]
    convs = sum(count for count, _ in arch)
    expect([count for count, _ in arch] != widths,
           "the pairs are the wrong way round: a pair is (num_convs, out_channels)")
    expect(convs != 13, "your 13 are the convolutions: the name counts the linear layers too, and "
                        "with 13 convolutions it is VGG-16")
    expect(arch != VGG_ARCHS["vgg11"], "that is still VGG-11: the new convolutions are missing")
    expect(len(arch) == 5, f"you have {len(arch)} blocks: each pools once more; put the new "
                           "convolutions into the blocks that are there")
    expect([channels for _, channels in arch] == widths,
           "the widths changed: they stay as they are in the whole family")
    expect(convs + 3 == 13, f"your network has {convs + 3} layers with weights, {convs} "
                            "convolutions and 3 linear ones, and its name says another number")
    expect(arch == VGG_ARCHS["vgg13"], "13 layers, but in other blocks than the paper's: read "
                                       "again which blocks get one more convolution each")
    return "Two more convolutions, and only 184,512 more parameters: the early layers are cheap."


@exercise
def check_smallest_input(answer):
    """Lesson 07, exercise 4: the smallest image that survives the pools."""
    for arch in some_archs():
        found, right = ask_twice(as_number, answer, arch), 2 ** len(arch)
        for wrong, mistake in (
                (32, f"{arch} has {len(arch)} pools, not 5: 32 is the answer for five blocks only"),
                (2 ** sum(count for count, _ in arch),
                 "you halved once a convolution: only the pool at the end of a block halves"),
                (7 * right, "you asked for 7 x 7 at the end: one pixel is enough to survive"),
                (2 * len(arch), "each pool halves what the one before left: multiply the twos, "
                                "don't add them"),
                (len(arch), "that is the number of pools: how many pixels does each need?"),
                (right // 2, f"{found} pixels are 1 after all pools but the last, which leaves "
                             "none: count the pools again"),
                (2 * right, f"{found} pixels are 2 after the last pool, and 1 is enough"),
                (right - 1, "a pixel fewer than enough: somewhere an odd last row is dropped, and "
                            "nothing is left at the end"),
                (right + 1, "that survives, and a pixel fewer does too"),
                (right ** 2, "that is the number of pixels in the whole image: the side is "
                             "wanted")):
            expect_not(found, wrong, right, mistake)
        expect(found == right, f"for {len(arch)} blocks you say {found}: is one pixel left at the "
                               "end, and would one fewer at the beginning leave none?")
    return "Fashion-MNIST's 28 pixels survive four blocks, not five: that is why it is enlarged."


@exercise
def check_count_layers(answer):
    """Lesson 07, exercise 2: the number in the network's name."""
    for arch in [VGG_ARCHS["vgg19"], *some_archs()]:  # VGG-11 has 8 convolutions and 5 + 3 = 8
        found, convs = ask_twice(as_number, answer, arch), sum(count for count, _ in arch)
        for wrong, mistake in (
                (convs, "you counted the convolutions alone: the linear layers have weights too"),
                (len(arch) + 3, "you counted blocks: a block of two convolutions is two layers"),
                (convs + len(arch) + 3, "you counted pools too: a pool has no weights"),
                (convs + 1, "your head has one layer with weights: look at the end of vgg again"),
                (convs + 2, "your head is a layer short: the one that names the classes counts "
                            "too"),
                (sum(channels for _, channels in arch) + 3,
                 "you added the channels: the first number of a pair counts convolutions"),
                (2 * (convs + 3), "you counted tensors: a layer's weights and its biases are one "
                                  "layer"),
                (11, f"11 is VGG-11's, and {arch} is another network: count what is in the table"),
                (19, f"19 is VGG-19's, and {arch} is another network: count what is in the "
                     "table")):
            expect_not(found, wrong, convs + 3, mistake)
        expect(found == convs + 3, f"for {arch} you say {found}: count each convolution of the "
                                   "table once, and then the layers of the head that have weights")
    return "The table alone knows the name; no network had to be built."


@exercise
def check_grey_kernels(answer):
    """Lesson 07, exercise 3: a colour network's first layer for grey images."""
    generator = torch.Generator().manual_seed(0)
    for shape in ((64, 3, 3, 3), (5, 3, 7, 7), (3, 3, 3, 3), (2, 3, 1, 1)):
        weight = torch.randn(shape, generator=generator)
        given = weight.clone()
        found, right = ask(answer, given), weight.sum(dim=1, keepdim=True)
        expect(isinstance(found, torch.Tensor) and found.is_floating_point(),
               "a tensor of weights is wanted")
        expect(torch.equal(given, weight), "your function changed the weights that it was given: "
                                           "make new ones, for the colour network still needs its "
                                           "own")
        expect(found.shape != weight[:, 0].shape,
               f"the axis of the channels is gone: a convolution of one channel has weights of "
               f"four axes, and yours have {found.dim()}")
        expect(found.shape != weight.sum(dim=0, keepdim=True).shape or shape[0] == 3,
               "you added up the filters and not the channels: which axis is which?")
        expect(found.shape == right.shape,
               f"for weights of shape {tuple(weight.shape)} yours have the shape "
               f"{tuple(found.shape)}: as many filters as before, each with one kernel")
        luma = torch.tensor([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1)
        for wrong, mistake in (
                (weight.mean(dim=1, keepdim=True),
                 "that is the mean of the three kernels, and gives a third of the response: the "
                 "three copies of the image do not share one response, each adds its own"),
                (weight[:, :1], "you kept the red kernel and left the other two out: they answer "
                                "to the grey image, too"),
                (weight[:, -1:], "you kept the last kernel and left the other two out"),
                (weight[:, 1:2], "you kept the middle kernel and left the other two out"),
                (weight[:, :2].sum(dim=1, keepdim=True), "you left the last channel out"),
                (weight[:, 1:].sum(dim=1, keepdim=True), "you left the first channel out"),
                ((weight * luma).sum(dim=1, keepdim=True),
                 "these are the weights with which a colour image is made grey: here the image is "
                 "grey already, and comes in three times, whole"),
                (weight.abs().sum(dim=1, keepdim=True), "signs count: where a kernel is negative, "
                                                        "it takes away"),
                (weight.amax(dim=1, keepdim=True), "that is the largest of the three: a filter "
                                                   "adds the responses of its kernels"),
                (3 * right, "three times too large: the grey image comes in once now, so count "
                            "each kernel once")):
            expect(not torch.allclose(found, wrong.to(found.dtype), rtol=1e-4, atol=1e-5), mistake)
        expect(torch.allclose(found, right.to(found.dtype), rtol=1e-4, atol=1e-5),
               f"the shape is right, and the maps differ from the colour layer's for weights of "
               f"shape {tuple(weight.shape)}: write down what a filter does with one pixel that is "
               "the same in all channels")
    return "A third of the multiplications, and the same maps: nothing that was learned is lost."


def total(arch, size, *, bias=1, bias_of="outputs", first=1, window=9, chained=True, fewer=0,
          side=None, head=(4096, 4096, 10)):
    """Return count_params, or with one option changed, what one mistake makes of it."""
    side = size // 2 ** len(arch) if side is None else side
    layers, inputs = [], first
    for num_convs, channels in arch:
        for _ in range(num_convs - fewer):
            layers.append((window, inputs, channels))
            inputs = channels if chained else inputs
        inputs = channels
    inputs *= side * side
    for outputs in head:
        layers.append((1, inputs, outputs))
        inputs = outputs
    return sum(places * inputs * outputs + bias * (outputs if bias_of == "outputs" else inputs)
               for places, inputs, outputs in layers)


@exercise
def check_count_params(answer):
    """Lesson 07, exercise 5: parameters worked out from the table."""
    for arch, size in zip(some_archs(), (224, 32, 50, 64, 96, 128), strict=True):
        found = ask_twice(as_number, answer, arch, size)
        right = sum(p.numel() for p in meta_vgg(arch, input_size=size).parameters())
        for options, mistake in (
                ({"bias": 0}, "you left out the biases: one a channel, and one an output of a "
                              "linear layer"),
                ({"bias_of": "inputs"}, "you counted a bias for each input: there is one for each "
                                        "output"),
                ({"side": 7}, "you took 7 x 7 for the last side: that is what 224 pixels and five "
                              "pools leave, so work it out from input_size"),
                ({"side": 1}, "you left out Flatten: the first linear layer reads a number for "
                              "each place of each channel"),
                ({"side": -(-size // 2 ** len(arch))}, "you rounded the last side up: a pool drops "
                                                       "an odd last row"),
                ({"chained": False},
                 "inside a block the second convolution reads what the first one wrote: its input "
                 "channels are the block's output channels"),
                ({"window": 3}, "a 3x3 window has 9 places, and you count 3"),
                ({"window": 1}, "a window has 9 places, and you count one"),
                ({"first": 3}, "your first convolution reads 3 channels: the exercise's image has "
                               "one"),
                ({"fewer": 1}, "you count a convolution too few in each block"),
                ({"head": ()}, "you left out the head: its three linear layers have parameters"),
                ({"head": (4096, 10)}, "you left out the head's second hidden layer"),
                ({"head": (4096, 4096)}, "you left out the last layer, which names the classes")):
            expect_not(found, total(arch, size, **options), right, mistake)
        expect_not(found, 4 * right, right, "those are the bytes of float32: the number of "
                                            "parameters is wanted")
        expect_not(found, 128_806_154, right, "that is VGG-11's number at 224 pixels, whatever was "
                                              "asked: work it out from the table and the size")
        expect(found == right, f"count_params({arch}, {size}) gave {found:,}, which is "
                               f"{'too few' if found < right else 'too many'}: go through vgg line "
                               "by line, and keep the inputs of each layer up to date")
    return "A convolution's count has no image size in it; only the first linear layer's has."
