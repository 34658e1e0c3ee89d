"""Measure what each ingredient of lesson 14's recipe is worth, or train once for long.

    D2LVGG_DATA=FOLDER python benchmarks/cifar10_recipe.py --runs runs/ablation
    D2LVGG_DATA=FOLDER python benchmarks/cifar10_recipe.py --runs runs/long --name cifar10_long \\
        --arms nothing --seeds 0 --ratio 2 --num-train 50000 --num-test 10000 --epochs 30

The first writes benchmarks/results/cifar10_ablation.json, a row for each ingredient left out, with
the same seeds in every row; the second a run of an hour or so, with the accuracy after each epoch.
Rate, widths and batch size were chosen on training images that were held out. The test set chooses
nothing: the last epoch counts. Each run leaves a file in the folder RUNS, a run that is not over a
checkpoint; the same command goes on from there, so several processes can share the seeds
(--seeds 0 1, --seeds 2 3) and the last one to end finds all. seconds are by the clock, over
augmentation, training and testing, without reading the images.
"""

import argparse
import json
import os
import time
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import torch  # noqa: E402

from d2lvgg.devices import describe_machine  # noqa: E402
from d2lvgg.exercises import of_lesson  # noqa: E402

recipe = of_lesson("14", "recipe")
# Averaging and the test-time flip come after training: the run without nothing gives these, too.
AFTER_TRAINING = ("averaging", "test-time flip")


def run(arm, seed, options, loaders):
    """Train without the ingredient arm; return its row, and those that cost no training."""
    train_iter, test_iter = loaders
    left_out = () if arm == "nothing" else (arm,)
    checkpoint, epochs = options.runs / f"{arm}_{seed}.pt", []
    account = options.runs / f"{arm}_{seed}.epochs.json"
    if checkpoint.exists():
        epochs = json.loads(account.read_text())
    before, began = epochs[-1]["seconds"] if epochs else 0.0, time.perf_counter()

    def after_epoch(epoch, average):
        del epochs[epoch - 1:]  # written, and then killed before its checkpoint was
        found = recipe.accuracy(average.eval(), test_iter) if options.long else None
        epochs.append({"epoch": epoch, "seconds": round(before + time.perf_counter() - began, 1),
                       "test_accuracy": found})
        account.write_text(json.dumps(epochs))
        if options.long:
            print(epochs[-1], flush=True)

    torch.manual_seed(seed)
    net, average = recipe.train(
        recipe.small_vgg(options.ratio, left_out), train_iter, options.epochs, left_out, options.lr,
        after_epoch, checkpoint if options.long else None)
    found = {arm: recipe.accuracy(average, test_iter)}
    if arm == "nothing":
        found["averaging"] = recipe.accuracy(net, test_iter)
        found["test-time flip"] = recipe.accuracy(average, test_iter, mirrored=False)
    return {"seed": seed, "accuracies": found, "epochs": epochs,
            "seconds": round(before + time.perf_counter() - began, 1)}


def write(options, what, parameters):
    """Write what the runs in the folder found, for each seed with which all arms are over."""
    runs = [json.loads(path.read_text()) for path in options.runs.glob("*.done.json")]
    found = {(arm, row["seed"]): value for row in runs for arm, value in row["accuracies"].items()}
    arms = sorted({arm for arm, _ in found})
    seeds = [seed for seed in sorted({seed for _, seed in found})
             if all((arm, seed) in found for arm in arms)]  # others are not over yet
    accuracies = {arm: [found[arm, seed] for seed in seeds] for arm in arms}
    left = ("memory", "disk", "d2l", "jupyterlab", "matplotlib")
    path = recipe.RESULTS / f"{options.name}.json"
    path.write_text(json.dumps({
        "data": what, "num_train": options.num_train, "num_test": options.num_test,
        "ratio": options.ratio, "parameters": parameters, "num_epochs": options.epochs,
        "lr": options.lr, "batch_size": recipe.BATCH_SIZE, "seeds": seeds, "accuracies": accuracies,
        "epochs": runs[0]["epochs"] if options.long else [],
        "seconds": round(sum(row["seconds"] for row in runs if row["seed"] in seeds), 1),
        "machine": {key: value for key, value in describe_machine().items() if key not in left},
        "cores_of_the_machine": os.cpu_count(), "threads": torch.get_num_threads(),
    }, indent=1) + "\n", encoding="utf-8")
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--name", default="cifar10_ablation")
    parser.add_argument("--arms", nargs="*", default=["nothing", *(
        name for name in recipe.INGREDIENTS if name not in AFTER_TRAINING)])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2, 3])
    parser.add_argument("--ratio", type=int, default=4, help="what VGG's widths are divided by")
    parser.add_argument("--num-train", type=int, default=6_000)
    parser.add_argument("--num-test", type=int, default=4_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=recipe.LR)
    options = parser.parse_args()
    options.long = options.arms == ["nothing"] and len(options.seeds) == 1
    options.runs.mkdir(parents=True, exist_ok=True)
    *loaders, what = recipe.load(options.num_train, options.num_test)
    parameters = sum(p.numel() for p in recipe.small_vgg(options.ratio).parameters())
    for seed in options.seeds:
        for arm in options.arms:
            done = options.runs / f"{arm}_{seed}.done.json"
            if not done.exists():
                done.write_text(json.dumps(run(arm, seed, options, loaders)))
                print(arm, seed, json.loads(done.read_text())["accuracies"], flush=True)
    print(write(options, what, parameters))


if __name__ == "__main__":
    main()
