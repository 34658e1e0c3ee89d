"""A copy of the notes' network with an eighth of the channels, and what to measure in it."""

import torch
from torch import nn
from torch.nn import functional as F

import d2lvgg
from d2lvgg.training import init_xavier


def notes_net(seed=0):
    """Return VGG-11 / 8 for (B, 3, 32, 32) with the notes' head and first weights."""
    torch.manual_seed(seed)
    arch = d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], 8)
    return d2lvgg.vgg(arch, in_channels=3, input_size=32).apply(init_xavier)


def with_batch_norm(seed=0):
    """Return the same blocks with batch norm, and one linear layer for a head."""
    torch.manual_seed(seed)
    arch, blocks, inputs = d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], 8), [], 3
    for num_convs, channels in arch:
        blocks.append(d2lvgg.vgg_block(num_convs, inputs, channels, batch_norm=True))
        inputs = channels
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(inputs, 10)).apply(init_xavier)


def first_step(net, batch, lr):
    """Take one step of Adam; return, for each layer's weights, a tuple of three numbers.

    The median size of the gradients, the median size of the changes, and these in standard
    deviations of the weights. A weight without a gradient is not counted.
    """
    X, y = batch
    weights = [p for p in net.to(X.device).parameters() if p.dim() > 1]
    before = [p.detach().clone() for p in weights]
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    F.cross_entropy(net(X), y).backward()
    optimizer.step()
    rows = []
    for weight, old in zip(weights, before, strict=True):
        felt = weight.grad != 0  # a weight behind a silent ReLU gets no gradient at all
        moved = (weight.detach() - old).abs()[felt].median().item()
        rows.append((weight.grad.abs()[felt].median().item(), moved, moved / old.std().item()))
    return rows


def silent_units(net, images):
    """Return two things: for each ReLU the share of units that are 0 for all images, and a number.

    The number is the outputs' standard deviation over the images, its mean over the classes.
    """
    silent, hooks = [], []

    def note(layer, inputs, out):  # out: (B, C, H, W) or (B, C)
        highest = out.amax(dim=(0, 2, 3)) if out.dim() == 4 else out.amax(dim=0)
        silent.append((highest == 0).float().mean().item())

    for layer in net.modules():
        if isinstance(layer, nn.ReLU):
            hooks.append(layer.register_forward_hook(note))
    net.eval()
    with torch.no_grad():
        logits = net(images)  # (B, 10)
    for hook in hooks:
        hook.remove()
    return silent, logits.std(dim=0).mean().item()


def largest_gradients(net, batch):
    """Return the size of the largest gradient in the first filters, and in the last bias."""
    X, y = batch
    net.zero_grad()
    F.cross_entropy(net.eval()(X), y).backward()
    tensors = [p.grad for p in net.parameters()]
    net.zero_grad()
    return tensors[0].abs().max().item(), tensors[-1].abs().max().item()
