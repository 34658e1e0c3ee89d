"""The networks of the course: VGG, and the AlexNet and LeNet it grew out of.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", 2014 (arXiv:1409.1556); Dive into Deep Learning, sections 7.6, 8.1 and 8.2.
"""

from torch import nn

# Table 1 of the paper, columns A, B, D and E: one (num_convs, out_channels) a block.
VGG_ARCHS = {
    "vgg11": ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)),
    "vgg13": ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512)),
    "vgg16": ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)),
    "vgg19": ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512)),
}


def vgg_block(num_convs, in_channels, out_channels, batch_norm=False):
    """Return one VGG block: 3x3 convolutions with ReLU, then a 2x2 max-pool.

    Maps (B, in_channels, H, W) to (B, out_channels, H // 2, W // 2).
    Source: arXiv:1409.1556, section 2.1; Dive into Deep Learning, section 8.2.1.
    """
    layers = []
    for _ in range(num_convs):
        layers.append(nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(out_channels))
        layers.append(nn.ReLU())
        in_channels = out_channels
    layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


def vgg(conv_arch, *, in_channels=1, num_classes=10, input_size=224, dropout=0.5,
        batch_norm=False):
    """Return a VGG network for square pictures of input_size pixels a side.

    Maps (B, in_channels, input_size, input_size) to (B, num_classes) logits.
    Raises ValueError where conv_arch is malformed or input_size does not survive its pools.
    Source: arXiv:1409.1556, table 1; Dive into Deep Learning, section 8.2.2.
    """
    side = final_side(conv_arch, input_size)
    blocks = []
    for num_convs, out_channels in conv_arch:
        blocks.append(vgg_block(num_convs, in_channels, out_channels, batch_norm))
        in_channels = out_channels
    return nn.Sequential(
        *blocks, nn.Flatten(),
        nn.Linear(out_channels * side * side, 4096), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(4096, num_classes))


def final_side(conv_arch, input_size):
    """Return the height and width, in pixels, that are left after the blocks of conv_arch.

    Raises ValueError where conv_arch is not a sequence of (num_convs, out_channels) pairs of
    whole numbers above zero, or where input_size is halved to nothing on the way.
    """
    check_arch(conv_arch)
    if not is_count(input_size):
        raise ValueError(f"input_size is {input_size!r}: give the picture's height in pixels, "
                         "one whole number above zero")
    side = input_size // 2 ** len(conv_arch)  # each pool halves, and drops an odd last row
    if side == 0:
        raise ValueError(
            f"input_size {input_size} does not survive {len(conv_arch)} pools, each of which "
            f"halves it: use at least {2 ** len(conv_arch)} pixels, or fewer blocks")
    return side


def shrink(conv_arch, ratio):
    """Return conv_arch with every channel count divided by ratio, fractions dropped.

    Raises ValueError where ratio leaves a block without channels.
    Source: Dive into Deep Learning, section 8.2.3.
    """
    check_arch(conv_arch)
    narrowest = min(channels for _, channels in conv_arch)
    if not is_count(ratio) or ratio > narrowest:
        raise ValueError(f"ratio is {ratio!r}: give a whole number from 1 to {narrowest}, so that "
                         "every block keeps at least one channel")
    return tuple((num_convs, channels // ratio) for num_convs, channels in conv_arch)


def check_arch(conv_arch):
    """Raise ValueError unless conv_arch is a sequence of (num_convs, out_channels) pairs."""
    if not isinstance(conv_arch, (list, tuple)) or not conv_arch:
        raise ValueError(f"conv_arch is {conv_arch!r}: give blocks, such as VGG_ARCHS['vgg11']")
    for place, block in enumerate(conv_arch, start=1):
        if not isinstance(block, (list, tuple)) or len(block) != 2 or not all(map(is_count, block)):
            raise ValueError(f"block {place} of conv_arch is {block!r}: give a pair of whole "
                             "numbers above zero, (num_convs, out_channels), such as (1, 64)")


def is_count(number):
    return isinstance(number, int) and not isinstance(number, bool) and number > 0


def alexnet(num_classes=10):
    """Return the book's AlexNet: (B, 1, 224, 224) to (B, num_classes).

    Source: Krizhevsky et al. 2012; Dive into Deep Learning, section 8.1.
    """
    return nn.Sequential(
        nn.Conv2d(1, 96, kernel_size=11, stride=4, padding=1), nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(96, 256, kernel_size=5, padding=2), nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(256, 384, kernel_size=3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, kernel_size=3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2), nn.Flatten(),
        nn.Linear(6400, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, num_classes))


def lenet(num_classes=10):
    """Return the book's LeNet: (B, 1, 28, 28) to (B, num_classes).

    Source: LeCun et al. 1998; Dive into Deep Learning, section 7.6.
    """
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Conv2d(6, 16, kernel_size=5), nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2), nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(),
        nn.Linear(84, num_classes))
