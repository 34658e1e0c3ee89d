"""The course without a notebook: python -m d2lvgg check | progress | train."""

import argparse
import sys
from pathlib import Path

import torch

import d2lvgg
from d2lvgg import data, devices, parallel, predictions, recipes


def check(_options):
    """Print what a bug report needs, and whether the data is whole."""
    for name, value in d2lvgg.describe_machine().items():
        print(f"{name:>20}: {value}")
    data.read_fashion_mnist()  # refuses a file that is damaged
    print(f"{'data':>20}: Fashion-MNIST, whole\n{'scale':>20}: {d2lvgg.pick_scale()}")


def train(options):
    """Train the network of lesson 09 and save its curve as a picture."""
    chosen = d2lvgg.pick_scale(options.scale)
    options.out.mkdir(parents=True, exist_ok=True)  # refused now rather than after the training
    with parallel.process_group() as device:
        parallel.say(chosen)
        train_iter, test_iter = d2lvgg.load_data_fashion_mnist(
            chosen.batch_size, chosen.resize, device=device, num_train=chosen.num_train,
            num_test=chosen.num_test, seed=options.seed)
        parallel.say(f"data: {train_iter.source}")
        torch.manual_seed(options.seed + parallel.rank())  # dropout differs from rank to rank
        arch = d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], 4)
        net = d2lvgg.vgg(arch, input_size=chosen.resize, batch_norm=options.recipe == "strong")
        num_epochs = chosen.num_epochs if options.epochs is None else options.epochs
        history = d2lvgg.train(net, train_iter, test_iter, num_epochs, chosen.lr, device,
                               recipe=options.recipe, checkpoint=options.checkpoint,
                               resume=options.resume)
        if parallel.rank() == 0:
            print(history.to_frame().round(3).to_string())
            history.animator.save(options.out / "curve.svg")
            print(f"curve: {options.out / 'curve.svg'}")
    if history.diverged:
        raise ValueError(history.diverged)


def progress(options):
    """Print which predictions were right and which exercises are solved, lesson by lesson."""
    here = predictions.progress_file()
    for path in options.files or [here, Path("notebooks") / here.name]:
        noted = predictions.read_progress(path)
        print(f"{path}: {len(noted) or 'no'} lessons noted")
        for lesson in sorted(noted):
            print(f"{lesson}  {predictions.describe_progress(noted[lesson])}")


def main():
    parser = argparse.ArgumentParser(prog="python -m d2lvgg", description=__doc__)
    parts = parser.add_subparsers(required=True, metavar="check | progress | train")
    commands = {}
    for run in (check, progress, train):
        commands[run] = parts.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        commands[run].set_defaults(run=run)
    commands[progress].add_argument("files", nargs="*", type=Path, metavar="FILE",
                                    help="tallies (default: the one here or in notebooks/)")
    add = commands[train].add_argument
    add("--scale", help=f"{', '.join(devices.SCALES)} (default: by the device)")
    add("--epochs", type=int, help="instead of the scale's own number")
    add("--seed", type=int, default=0)
    add("--recipe", default="book", help=f"one of {', '.join(recipes.RECIPES)} (default: book)")
    add("--checkpoint", type=Path, metavar="FILE", help="write the run to FILE after each epoch")
    add("--resume", action="store_true", help="go on from the checkpoint, if it is there")
    add("--out", type=Path, default=Path("runs"), help="folder for the curve (default: runs)")
    options = parser.parse_args()
    try:
        options.run(options)
    except (data.DataError, ValueError, MemoryError, OSError) as error:
        sys.exit(f"d2lvgg: {error}")


if __name__ == "__main__":
    main()
