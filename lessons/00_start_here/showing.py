"""What lesson 00 shows: images with a network's answers, where it looks, how fast it is."""

import time

import torch
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

import d2lvgg
from d2lvgg.display import BLUE, ORANGE, RED

CLEAR_TO_ORANGE = LinearSegmentedColormap.from_list("heat", [(1, 1, 1, 0), ORANGE])


def percent(probability):
    """Return a probability in words of a percentage, which never claims to be certain."""
    if probability > 0.995:
        return "over 99 %"
    return f"{100 * probability:.0f} %" if probability >= 0.005 else "under 1 %"


def images(X, titles, columns=None, width=1.8, line=0.17):
    """Show images X (B, 1, H, W) in [0, 1] side by side, a title above each.

    width and line are an image's width and a line of its title, in inches. Returns (fig, axes).
    """
    columns = columns or len(X)
    rows = -(-len(X) // columns)
    lines = 1 + max(title.count("\n") for title in titles)
    fig, axes = plt.subplots(rows, columns, squeeze=False, layout="constrained",
                             figsize=(columns * width, rows * (width + lines * line)))
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, X[:, 0].cpu(), titles, strict=False):
        axis.imshow(image, cmap="gray", vmin=0, vmax=1)
        axis.set_title(title, fontsize=9, linespacing=1.25)
    return fig, axes


def top_three(X, probabilities, labels):
    """Show images X (B, 1, H, W) above bars of the three most probable classes of each.

    probabilities (B, 10); labels (B,) are the true classes, or None where nobody knows.
    """
    fig, axes = plt.subplots(2, len(X), squeeze=False, layout="constrained",
                             figsize=(2.5 * len(X), 2.9), height_ratios=(1.9, 1))
    for place, (image, row) in enumerate(zip(X[:, 0].cpu(), probabilities.cpu(), strict=True)):
        above, below = axes[:, place]
        above.imshow(image, cmap="gray", vmin=0, vmax=1)
        above.axis("off")
        values, classes = row.topk(3)
        names = [d2lvgg.LABELS[kind] for kind in classes]
        if labels is None:
            above.set_title(f"It says: {names[0]}", fontsize=9)
        else:
            right = classes[0] == labels[place]
            above.set_title(f"{'✓ right' if right else '✗ wrong'}: it is a"
                            f"{'n' * (labels[place] == 9)} {d2lvgg.LABELS[labels[place]]}",
                            fontsize=9, weight="normal" if right else "bold")
        below.barh(names, values, color=[BLUE, "0.75", "0.75"], height=0.6)
        for height, value in enumerate(values.tolist()):
            below.text(value + 0.03, height, percent(value), va="center", fontsize=9)
        below.set(xlim=(0, 1.5), xticks=[])
        below.invert_yaxis()
        below.tick_params(left=False, labelsize=9)
        below.spines[:].set_visible(False)
    return fig


def answers(X, probabilities, labels, columns=8):
    """Show images X (B, 1, H, W), each with the answer, how sure it is, and whether it is right.

    What is wrong has a cross, the true class below, and a thick dashed frame.
    """
    best, classes = probabilities.cpu().max(dim=1)
    labels = labels.cpu()
    titles = [f"{'✓' if kind == label else '✗'} {d2lvgg.LABELS[kind]}\n{percent(value)}"
              + (f"\nis: {d2lvgg.LABELS[label]}" if kind != label else "\n")
              for value, kind, label in zip(best.tolist(), classes, labels, strict=True)]
    fig, axes = images(X, titles, columns, width=1)
    for axis, wrong in zip(axes.flat, (classes != labels).tolist(), strict=False):
        if wrong:
            axis.axis("on")
            axis.set(xticks=[], yticks=[])
            for spine in axis.spines.values():
                spine.set(visible=True, color=RED, linewidth=3, linestyle=(0, (2, 1)))
    return fig


def heat(X, maps, titles):
    """Show each image X (B, 1, H, W) alone, and below with its map (B, h, w) laid over it.

    A map's colour starts at zero and is full at its own largest value; the line is at half of it.
    """
    side = X.shape[-1]
    shown = torch.nn.functional.interpolate(maps[:, None].clamp(min=0), (side, side),
                                            mode="bicubic", align_corners=False)[:, 0]
    fig, axes = images(torch.cat([X, X]), [*titles, *[""] * len(X)], columns=len(X), width=2)
    for axis, heat_map in zip(axes[1], shown.cpu(), strict=True):
        if heat_map.max() > 0:
            axis.imshow(heat_map / heat_map.max(), cmap=CLEAR_TO_ORANGE, vmin=0, vmax=1, alpha=0.75)
            axis.contour(heat_map / heat_map.max(), levels=[0.5], colors="white", linewidths=1.5)
    return fig


def training_rate(net, scale):
    """Return how many images a second net trains on at a scale, measured for ten seconds.

    At smoke scale half a second has to do. The loading and the first steps, in which PyTorch gets
    ready, are left out; net is changed.
    """
    from IPython.utils.capture import capture_output

    train_iter, _ = d2lvgg.load_data_fashion_mnist(
        scale.batch_size, scale.resize, num_train=scale.batch_size, num_test=1)
    batch = next(iter(train_iter))
    seconds = 0.5 if scale.name == "smoke" else 10

    class SameBatch:
        """The same batch again and again, until the seconds are over."""

        def __len__(self):
            return 200

        def __iter__(self):
            began = time.perf_counter()
            for _ in range(len(self)):
                yield batch
                if time.perf_counter() - began > seconds:
                    return

    with capture_output():  # the plot of a run that is too short to learn from
        d2lvgg.train(net, [batch] * 3, [batch], 1, scale.lr)
        run = d2lvgg.train(net, SameBatch(), [batch], 1, scale.lr)
    return run.epochs[0]["book_examples_per_sec"]
