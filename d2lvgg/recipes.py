"""How weights are changed: the book's plain SGD, and a stronger recipe of nine known parts."""

from collections import namedtuple
from functools import partial

import torch
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

RECIPES = ("book", "strong")
MOMENTUM, WEIGHT_DECAY, LABEL_SMOOTHING = 0.9, 5e-4, 0.1
WARM_UP = 0.2  # the share of all steps in which the rate rises
AVERAGED = 0.02  # the averaged weights look back over this share of all steps


class Recipe(namedtuple("Recipe", "optimizer loss schedule average augment", defaults=[None] * 3)):
    """What train changes the weights with; the book's has no schedule, no average, no augment.

    schedule.step() follows each step of the optimizer; average is an AveragedModel, the network
    that is evaluated, and kept at the end; augment maps images (B, C, H, W) to as many.
    """


def make_recipe(name, net, lr, num_steps):
    """Return the Recipe called name for net, which stands on its device.

    'book' is SGD at the rate lr. 'strong' is SGD with Nesterov momentum, weight decay on weight
    matrices and filters alone, a one-cycle rate that peaks at lr, label smoothing, flips and
    crops, and an average over the last weights. Give it a network with batch_norm=True.
    Source: Dive into Deep Learning, section 7.6; K. Jordan, arXiv:2404.00498, for the parts of
    'strong' and their usual settings.
    """
    # fused: one kernel, not one a tensor; it knows two devices and no sparse gradients
    fused = ({p.device.type for p in net.parameters()} <= {"cpu", "cuda"}
             and not any(getattr(layer, "sparse", False) for layer in net.modules()))
    if name == "book":
        return Recipe(torch.optim.SGD(net.parameters(), lr=lr, fused=fused), F.cross_entropy)
    weights = [p for p in net.parameters() if p.dim() > 1]
    others = [p for p in net.parameters() if p.dim() <= 1]  # biases, and the norms' scales
    groups = [{"params": weights, "weight_decay": WEIGHT_DECAY}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=lr, momentum=MOMENTUM, nesterov=True, fused=fused)
    num_steps = max(3, num_steps)  # OneCycleLR divides by zero below, and without two to rise in
    decay = 1 - 1 / max(2, AVERAGED * num_steps)
    return Recipe(
        optimizer, partial(F.cross_entropy, label_smoothing=LABEL_SMOOTHING),
        OneCycleLR(optimizer, lr, total_steps=num_steps, pct_start=max(WARM_UP, 2 / num_steps),
                   cycle_momentum=False),
        AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True),
        flip_and_crop)


def flip_and_crop(X):
    """Return X (B, C, H, W), each image mirrored or not and moved by up to a pixel each way.

    torchvision.transforms.v2 draws one flip and one place for a whole batch, hence this.
    """
    batch, _, height, width = X.shape
    mirrored = torch.rand(batch, 1, 1, 1, device=X.device) < 0.5
    down, right = torch.randint(0, 3, (2, batch), device=X.device)  # into a frame of one pixel
    framed = F.pad(X, (1, 1, 1, 1))
    windows = framed.unfold(2, height, 1).unfold(3, width, 1)  # a view, (B, C, 3, 3, H, W)
    moved = windows[torch.arange(batch, device=X.device), :, down, right]  # (B, C, H, W)
    return torch.where(mirrored, moved.flip(3), moved)
