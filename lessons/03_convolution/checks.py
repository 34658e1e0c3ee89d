"""Lesson 03's exercises."""

import math

import torch
from torch.nn import functional as F

from d2lvgg.exercises import ask, ask_number, exercise, expect, expect_not


def ask_tensor(function, *arguments, shape, called):
    """Return what ask does, a tensor of that shape in float64. Raises WrongAnswer elsewhere."""
    found = ask(function, *arguments)
    expect(isinstance(found, torch.Tensor),
           f"a tensor is wanted, and {called} returned {type(found).__name__}")
    expect(tuple(found.shape) == shape,
           f"{called} has shape {tuple(found.shape)}, and {shape} is wanted")
    expect(not found.is_complex(), "real numbers are wanted, not complex ones")
    found = found.detach().double()
    expect(found.isfinite().all(), f"{called} holds numbers that are inf or nan")
    return found


def is_close(found, wanted):
    """Tell whether two tensors agree, up to float32's rounding."""
    return torch.allclose(found, wanted.double(), rtol=1e-4, atol=1e-4)


@exercise
def check_output_side(answer):
    """Lesson 03, exercise 1: the side of what a convolution or a pool gives."""
    cases = ((28, 3, 1, 0), (32, 5, 1, 2), (28, 3, 1, 1), (28, 2, 2, 0), (224, 11, 4, 1),
             (7, 7, 3, 0), (9, 2, 2, 0), (10, 3, 3, 2))
    for side, kernel, stride, padding in cases:
        found = ask_number(answer, side, kernel, stride, padding)
        X = torch.zeros(1, 1, side, side)
        right = F.conv2d(X, torch.zeros(1, 1, kernel, kernel), stride=stride,
                         padding=padding).shape[-1]
        case = f"side {side}, kernel {kernel}, stride {stride}, padding {padding}"
        room = side + 2 * padding - kernel
        expect(found == int(found) if math.isfinite(found) else False,
               f"{case}: {found} is no whole number: a last step that does not fit is left out")
        expect_not(found, room // stride, right,
                   f"{case}: count the first window, too, before any step is taken")
        expect_not(found, side, right, f"{case}: that is the side that goes in")
        expect_not(found, (side + padding - kernel) // stride + 1, right,
                   f"{case}: the padding stands at both ends")
        expect_not(found, (side - kernel) // stride + 1, right,
                   f"{case}: where is the padding in your formula?")
        expect_not(found, room + 1, right, f"{case}: where is the stride in your formula?")
        expect_not(found, -(-room // stride) + 1, right,
                   f"{case}: your last window stands out over the border: round down")
        expect(found == right, f"{case}: {found} is not what a window of {kernel} pixels can do; "
                               "count the places where it can begin")
    found = ask_number(answer, 12, 3)
    expect(found == 10, "with a side and a kernel alone, the stride is 1 and there is no padding: "
                        "keep the default values of the stub")
    return "One formula for every convolution and every pool of this course."


@exercise
def check_blurred(answer):
    """Lesson 03, exercise 2: the mean of size × size pixels, as a convolution."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        cases = [(torch.rand(shape), size) for shape, size in (
            ((1, 1, 8, 8), 3), ((2, 1, 9, 12), 5), ((3, 1, 6, 7), 1), ((1, 1, 11, 10), 7))]
    for images, size in cases:
        kernel = torch.ones(1, 1, size, size)
        total, called = F.conv2d(images, kernel, padding=size // 2), f"blurred(images, {size})"
        before = images.clone()
        found = ask(answer, images, size)
        expect(isinstance(found, torch.Tensor),
               f"a tensor is wanted, and {called} returned {type(found).__name__}")
        expect(torch.equal(images, before),
               "the images that were given have changed: compute the blurred ones in a new tensor")
        small = (*images.shape[:2], *(side - size + 1 for side in images.shape[2:]))
        expect(size == 1 or tuple(found.shape) != small,
               f"{tuple(images.shape)} became {small}: give padding, so that the size stays")
        found = ask_tensor(answer, images, size, shape=tuple(images.shape), called=called)
        expect(size == 1 or not is_close(found, total),
               f"that is the sum of {size} x {size} pixels: an even area gets {size * size} times "
               "as dark; the mean is wanted")
        expect(size == 1 or not is_close(found, total / size),
               "the weights of a square of pixels must add up to 1: how many are there?")
        covered = F.conv2d(torch.ones_like(images), kernel, padding=size // 2)
        expect(size == 1 or not is_close(found, total / covered),
               "at the border you divide by the number of pixels inside: here zeros count as well")
        expect(size == 3 or not is_close(found, F.avg_pool2d(images, 3, 1, 1)),
               "that is a blur of 3 x 3, whatever the size")
        expect(size == 1 or not is_close(found, images), "that is the image as it was")
        expect(is_close(found, total / size ** 2),
               f"{called}: the numbers are not the means. All weights of the kernel are equal, "
               "and the image stays in its place")
    return "The larger the kernel, the less is left of the edges: a blur is their opposite."


@exercise
def check_edge_at(answer):
    """Lesson 03, exercise 3: a filter for edges in one direction."""
    rows, columns = torch.meshgrid(torch.arange(-1., 2), torch.arange(-1., 2), indexing="ij")
    for degrees in (30, 0, 90, 45, 180, 270, 200, -60):
        called = f"edge_at({degrees})"
        kernel = ask_tensor(answer, degrees, shape=(3, 3), called=called)
        expect(kernel.abs().max() > 1e-3, f"{called} is all zeros, and answers to nothing")
        expect(abs(kernel.sum()) < 1e-3 * kernel.abs().sum(),
               f"the nine numbers of {called} add up to {kernel.sum():.3g}: an even area must get "
               "the response 0")
        # Its responses to areas that get darker to the right, and downwards.
        right, down = float((kernel * columns).sum()), float((kernel * rows).sum())
        strength = math.hypot(right, down)
        expect(strength > 1e-3 * kernel.abs().sum(),
               f"{called} does not answer to areas that get darker in any one direction")
        right, down = right / strength, down / strength

        def points_to(across, up, right=right, down=down):
            return math.hypot(right - across, down - up) < 1e-3

        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        right_way = points_to(cos, sin)
        expect(right_way or not points_to(math.cos(degrees), math.sin(degrees)),
               f"{called} takes its degrees for radians: turn them into radians first")
        expect(right_way or not points_to(-cos, -sin),
               f"{called} answers most to the opposite direction: the 1 stand where it is darker")
        expect(right_way or not points_to(sin, cos),
               f"{called} answers most to another direction: 0 degrees is to the right, 90 down; "
               "are cosine and sine exchanged?")
        expect(right_way or not points_to(cos, -sin),
               f"{called} looks upwards where it should look down: row 2 is below row 0")
        expect(right_way or not (points_to(1, 0) or points_to(0, 1)),
               f"{called} answers most to a direction that is right for another angle: mix the "
               "filter for 'right' and the one for 'down'")
        expect(right_way, f"{called} answers most to another direction than {degrees} degrees")
    return "Two filters, mixed, make every direction. 0 and 180 degrees differ by their sign alone."


@exercise
def check_count_parameters(answer):
    """Lesson 03, exercise 4: what a stack of 3 × 3 convolutions holds."""
    for channels in ([1, 16, 32], [3, 8], [5], [2, 2, 2, 2], [1, 16, 32, 64, 64]):
        layers = [torch.nn.Conv2d(into, out, 3, device="meta")
                  for into, out in zip(channels, channels[1:], strict=False)]
        weights = sum(layer.weight.numel() for layer in layers)
        biases = sum(layer.bias.numel() for layer in layers)
        found, right = ask_number(answer, channels), weights + biases
        case = f"{channels}: {found} is not it. "
        expect_not(found, weights, right, case + "Those are the weights: count the biases too")
        expect_not(found, weights + sum(channels[:-1]), right,
                   case + "A bias belongs to each channel that goes out, not to one that comes in")
        expect_not(found, weights + len(layers), right,
                   case + "Each filter has a bias of its own, not each layer")
        expect_not(found, sum(10 * out for out in channels[1:]), right,
                   case + "A filter has a kernel of nine for each channel that comes in")
        expect_not(found, weights // 9 + biases, right,
                   case + "A kernel has nine weights, three by three")
        expect(found == right, case + "Go through the list in neighbouring pairs, one layer each; "
                                      "one number alone is no layer")
    return "Channels multiply twice: twice as many everywhere is four times the numbers."


@exercise
def check_as_matrix(answer):
    """Lesson 03, exercise 5: the matrix that does what a convolution does."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        cases = [(torch.randn(3, 3), side) for side in (5, 3, 8)]
    for kernel, side in cases:
        shape, called = ((side - 2) ** 2, side ** 2), f"as_matrix(kernel, {side})"
        found = ask(answer, kernel.clone(), side)
        expect(isinstance(found, torch.Tensor),
               f"a tensor is wanted, and {called} returned {type(found).__name__}")
        expect(tuple(found.shape) != shape[::-1] or side == 2,
               f"{called} has shape {tuple(found.shape)}: rows and columns are exchanged; a row "
               "for each number that comes out")
        expect(tuple(found.shape) != (side ** 2,) * 2,
               f"{called} has shape {tuple(found.shape)}: without padding fewer numbers come out")
        found = ask_tensor(answer, kernel.clone(), side, shape=shape, called=called)
        pixels = torch.eye(side ** 2).reshape(-1, 1, side, side)

        def matrix(kernel, pixels=pixels):
            return F.conv2d(pixels, kernel[None, None]).flatten(1).T

        expect(not is_close(found, matrix(kernel.flip(0, 1))),
               "your kernel is turned by 180 degrees: conv2d lays it on as it is")
        expect(not is_close(found, matrix(kernel.T)),
               "rows and columns of the kernel are exchanged")
        expect(side == 3 or (found == 0).sum() > 0,
               "no number of the matrix is 0: a place has weights for the nine pixels of its "
               "window alone")
        expect(side == 3 or is_close(found, matrix(kernel))
               or not is_close(found[0], matrix(kernel)[0]),
               f"{called}: the first row is right. Where does the window of a later place lie? "
               "The last window of a line and the first of the next are three pixels apart")
        expect(is_close(found, matrix(kernel)),
               f"{called} @ image.flatten() is not the feature map: each row has the kernel's "
               "nine numbers at the pixels of its window")
    return "A linear layer could learn this matrix; the convolution need not."
