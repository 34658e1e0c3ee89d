"""What makes a mistake one sentence, and leaves nothing half-changed behind."""

import copy
import math
from contextlib import contextmanager
from numbers import Real
from operator import length_hint

import torch
from torch.nn.parameter import is_lazy

from .data import whole_numbers
from .devices import PRECISIONS
from .memory import is_out_of_memory
from .recipes import RECIPES
from .shapes import explain_refusal


def check_arguments(train_iter, test_iter, num_epochs, lr, recipe, precision):
    """Return (num_epochs, lr) as an int and a float. Raises ValueError on what train cannot do."""
    epochs = whole_numbers(num_epochs=num_epochs)["num_epochs"]
    if not isinstance(lr, Real) or not 0 < lr < math.inf:
        raise ValueError(f"lr is {lr!r}: give a number above zero, such as 0.05")
    for name, value, allowed in (("recipe", recipe, RECIPES),
                                 ("precision", precision, ("auto", *PRECISIONS))):
        if value not in allowed:
            raise ValueError(f"{name} is {value!r}: choose one of {', '.join(map(repr, allowed))}")
    if length_hint(train_iter, -1) < 1:
        raise ValueError("train_iter has no batches, or does not say how many (len)")
    if length_hint(test_iter, -1) == 0:
        raise ValueError("test_iter has no batches: give at least one to test on")
    return epochs, float(lr)


def to_device(batch, device, channels_last):
    """Return (X, y) of a loader's batch on the device. Raises ValueError where it is no such."""
    if not (isinstance(batch, (tuple, list)) and len(batch) == 2
            and all(isinstance(part, torch.Tensor) for part in batch)):
        raise ValueError(f"these are batches of type {type(batch).__name__}: give pairs of tensors")
    X, y = batch
    layout = torch.channels_last if channels_last and X.dim() == 4 else torch.preserve_format
    return X.to(device, non_blocking=True, memory_format=layout), y.to(device, non_blocking=True)


def check_labels(y_hat, y):
    """Raise ValueError unless y holds a class for each row of the outputs y_hat."""
    if y_hat.dim() != 2:
        raise ValueError(f"the outputs have shape {tuple(y_hat.shape)}, and not (batch, classes)")
    if y.dim() != 1 or len(y) != len(y_hat) or y.dtype not in (torch.int64, torch.uint8):
        raise ValueError(f"the labels have shape {tuple(y.shape)} and type {y.dtype}: give the "
                         "number of each image's class, as int64; of rows, y.argmax(dim=1)")
    classes = y_hat.shape[1]
    strange = y[((y < 0) | (y >= classes)) & (y != -100)]  # -100: left out of the loss
    if len(strange):
        raise ValueError(f"there is a label {int(strange[0])}, and the network has {classes} "
                         f"outputs, for classes 0 to {classes - 1}: let num_classes fit the data")


@contextmanager
def in_words(net, X):
    """Say in one sentence what PyTorch says where net, or the device's memory, does not take X."""
    problem = None
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise ValueError(explain_refusal(net, X, error)) from error
        problem = (f"a batch of {len(X)} images of shape {tuple(X.shape[1:])} does not fit the "
                   f"memory of {X.device}: halve the batch size, or take smaller images")
    if problem:  # raised out here, so that what the error holds on to is freed
        raise MemoryError(problem)


def remember(net):
    """Return a function that brings net back to what it is now: weights, device, modes."""
    state = {name: copy.deepcopy(value) for name, value in net.state_dict().items()
             if not is_lazy(value)}
    device = next((p.device for p in net.parameters()), None)
    modes = [(layer, layer.training) for layer in net.modules()]

    def give_back():
        net.to(device)
        net.load_state_dict(state, strict=False)
        for layer, training in modes:
            layer.training = training

    return give_back
