"""The checks of lesson 03 against right answers, stubs and plausible wrong answers."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from d2lvgg.exercises import WrongAnswer, checks_of

checks = checks_of("03")


def side(n, k, s=1, p=0):
    return (n + 2 * p - k) // s + 1


def side_by_counting(n, k, s=1, p=0):
    return np.int64(len(range(-p, n + p - k + 1, s)))


def blurred(images, size, weight=None, padding=None):
    kernel = torch.full((1, 1, size, size), 1 / size ** 2 if weight is None else weight)
    return F.conv2d(images, kernel, padding=size // 2 if padding is None else padding)


def blurred_by_pool(images, size):
    return F.avg_pool2d(images, size, stride=1, padding=size // 2)


def blurred_inside(images, size):
    return F.avg_pool2d(images, size, 1, size // 2, count_include_pad=False)


def blurred_in_place(images, size):
    images[:] = blurred(images, size)
    return images


def blurred_by_shift(images, size):
    return blurred(images, size).roll(1, dims=-1)


RIGHT_EDGE = torch.tensor([[-1., 0, 1]] * 3)
SOBEL = torch.tensor([[-1., 0, 1], [-2, 0, 2], [-1, 0, 1]])


def edge_at(degrees, kernel=RIGHT_EDGE, turn=math.radians, across=math.cos, down=math.sin):
    return across(turn(degrees)) * kernel + down(turn(degrees)) * kernel.T


def edge_of_four(degrees):
    return torch.rot90(RIGHT_EDGE, -(degrees // 90))


def count(channels, size=9, bias=lambda into, out: out):
    return sum(into * out * size + bias(into, out)
               for into, out in zip(channels, channels[1:], strict=False))


def as_matrix(kernel, n, transposed=False, padding=0):
    pixels = torch.eye(n ** 2).reshape(-1, 1, n, n)
    maps = F.conv2d(pixels, kernel[None, None], padding=padding).flatten(1)
    return maps if transposed else maps.T


def as_matrix_by_rows(kernel, n, width=None, side=None):
    matrix = torch.zeros((n - 2) ** 2, n ** 2, dtype=torch.float64)
    width = n if width is None else width
    for place in range((n - 2) ** 2):
        row, column = divmod(place, n - 2)
        start = place if side == "every pixel" else row * n + column
        for i in range(3):
            for j in range(3):
                matrix[place, (start + i * width + j) % n ** 2] = kernel[i, j]
    return matrix


RIGHT = [
    (checks.check_output_side, side),
    (checks.check_output_side, side_by_counting),
    (checks.check_blurred, blurred),
    (checks.check_blurred, blurred_by_pool),
    (checks.check_edge_at, edge_at),
    (checks.check_edge_at, lambda degrees: edge_at(degrees, SOBEL).double()),
    (checks.check_count_parameters, count),
    (checks.check_count_parameters, lambda channels: torch.tensor(count(channels))),
    (checks.check_as_matrix, as_matrix),
    (checks.check_as_matrix, as_matrix_by_rows),
]
EMPTY = [
    (checks.check_output_side, lambda n, k, s=1, p=0: ...),
    (checks.check_blurred, lambda images, size: ...),
    (checks.check_edge_at, lambda degrees: ...),
    (checks.check_count_parameters, lambda channels: None),
    (checks.check_as_matrix, lambda kernel, n: ...),
]
SHOWN = "works for the shown case only"
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_output_side, lambda n, k, s=1, p=0: side(n, k, s, p) - 1, "the first window",
     "off by one"),
    (checks.check_output_side, lambda n, k, s=1, p=0: (n + 2 * p - k) / s + 1, "no whole number",
     "left-out step"),
    (checks.check_output_side, lambda n, k, s=1, p=0: math.ceil((n + 2 * p - k) / s) + 1,
     "round down", "wrong formula"),
    (checks.check_output_side, lambda n, k, s=1, p=0: (n + p - k) // s + 1, "both ends",
     "wrong formula"),
    (checks.check_output_side, lambda n, k, s=1, p=0: (n - k) // s + 1, "where is the padding",
     "left-out step"),
    (checks.check_output_side, lambda n, k, s=1, p=0: n + 2 * p - k + 1, "where is the stride",
     "left-out step"),
    (checks.check_output_side, lambda n, k, s=1, p=0: n, "that goes in", "left-out step"),
    (checks.check_output_side, lambda n, k, s=1, p=0: 26, "that goes in|can begin", SHOWN),
    (checks.check_output_side, lambda n, k, s=1, p=0: side(n, k, s, p) if s < 4 else 54.5,
     "no whole number", "left-out step"),
    (checks.check_output_side, lambda n, k, s, p: side(n, k, s, p), "raised TypeError",
     "left-out step"),
    (checks.check_output_side, lambda n, k, s=2, p=0: side(n, k, s, p), "default values",
     "wrong mode"),
    (checks.check_blurred, lambda images, size: blurred(images, size, weight=1.), "the sum of",
     "left-out step"),
    (checks.check_blurred, lambda images, size: blurred(images, size, weight=1 / size),
     "add up to 1", "wrong formula"),
    (checks.check_blurred, lambda images, size: blurred(images, size, padding=0), "give padding",
     "left-out step"),
    (checks.check_blurred, lambda images, size: blurred(images, size, padding=1),
     "is wanted", SHOWN),
    (checks.check_blurred, lambda images, size: blurred(images, 3), "whatever the size", SHOWN),
    (checks.check_blurred, lambda images, size: blurred(images, size, padding=size // 2 + 1),
     "is wanted", "off by one"),
    (checks.check_blurred, blurred_inside, "zeros count as well", "wrong mode"),
    (checks.check_blurred, blurred_in_place, "have changed", "state left behind"),
    (checks.check_blurred, blurred_by_shift, "stays in its place", "off by one"),
    (checks.check_blurred, lambda images, size: images.clone(), "as it was", "left-out step"),
    (checks.check_blurred, lambda images, size: blurred(images, size)[0], "is wanted",
     "wrong axis"),
    (checks.check_blurred, lambda images, size: 0.5, "a tensor is wanted", None),
    (checks.check_edge_at, lambda degrees: edge_at(degrees, turn=float), "radians", "wrong unit"),
    (checks.check_edge_at, lambda degrees: -edge_at(degrees), "opposite direction",
     "wrong formula"),
    (checks.check_edge_at, lambda degrees: edge_at(degrees).T, "exchanged", "wrong axis"),
    (checks.check_edge_at, lambda degrees: edge_at(-degrees), "row 2 is below", "wrong axis"),
    (checks.check_edge_at, lambda degrees: RIGHT_EDGE, "mix the filter", SHOWN),
    (checks.check_edge_at, lambda degrees: edge_at(degrees).relu(), "add up to", "left-out step"),
    (checks.check_edge_at, edge_of_four, "another angle|another direction", SHOWN),
    (checks.check_edge_at, lambda degrees: edge_at(degrees)[:1], "is wanted", "left-out step"),
    (checks.check_edge_at, lambda degrees: torch.zeros(3, 3), "all zeros", None),
    (checks.check_edge_at, lambda degrees: torch.tensor([[1., -2, 1]] * 3), "any one direction",
     "wrong formula"),
    (checks.check_edge_at, lambda degrees: [[-1, 0, 1]] * 3, "a tensor is wanted", None),
    (checks.check_count_parameters, lambda c: count(c, bias=lambda i, o: 0), "biases too",
     "left-out step"),
    (checks.check_count_parameters, lambda c: count(c, bias=lambda i, o: i), "goes out",
     "wrong axis"),
    (checks.check_count_parameters, lambda c: count(c, bias=lambda i, o: 1), "of its own",
     "wrong formula"),
    (checks.check_count_parameters, lambda c: sum(10 * out for out in c[1:]), "a kernel of nine",
     "left-out step"),
    (checks.check_count_parameters, lambda c: count(c, size=1), "three by three",
     "left-out step"),
    (checks.check_count_parameters, lambda c: count([1, 16, 32]), "neighbouring pairs", SHOWN),
    (checks.check_count_parameters, lambda c: count([*c, 10]), "neighbouring pairs", "off by one"),
    (checks.check_count_parameters, lambda c: 4 * count(c), "neighbouring pairs", "wrong unit"),
    (checks.check_as_matrix, lambda kernel, n: as_matrix(kernel, n, transposed=True),
     "rows and columns are exchanged", "wrong axis"),
    (checks.check_as_matrix, lambda kernel, n: as_matrix(kernel, n, padding=1),
     "without padding", "wrong mode"),
    (checks.check_as_matrix, lambda kernel, n: as_matrix(kernel.flip(0, 1), n), "180 degrees",
     "wrong formula"),
    (checks.check_as_matrix, lambda kernel, n: as_matrix(kernel.T, n), "of the kernel are",
     "wrong axis"),
    (checks.check_as_matrix, lambda kernel, n: as_matrix_by_rows(kernel, n, side="every pixel"),
     "three pixels apart", "off by one"),
    (checks.check_as_matrix, lambda kernel, n: as_matrix_by_rows(kernel, n, width=3),
     "at the pixels of its window", "wrong formula"),
    (checks.check_as_matrix, lambda kernel, n: as_matrix(kernel, 5), "is wanted", SHOWN),
    (checks.check_as_matrix, lambda kernel, n: torch.ones((n - 2) ** 2, n ** 2), "is 0",
     "left-out step"),
    (checks.check_as_matrix, lambda kernel, n: kernel, "is wanted", None),
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
