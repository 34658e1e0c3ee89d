"""Train lesson 14's recipe on all of CIFAR-10 for some ten minutes, and note what it reached.

    D2LVGG_DATA=FOLDER OMP_NUM_THREADS=1 python benchmarks/cifar10_laptop.py
    ... --epochs 30 --ratio 4       a quarter of the paper's widths (the default)

Writes benchmarks/results/cifar10_laptop.json after every epoch. seconds are wall-clock over
loading, augmentation, training and testing, and cpu_seconds this process's share of them, which
other work on the machine hardly changes; importing torch and reading the pictures are left out.
Nothing was chosen on the test set: it is measured after each epoch, and the last one counts.
tests/test_checks_12.py compares the two functions below with the lesson's.
"""

import argparse
import json
import os
import time
from pathlib import Path

import torch
from torch import nn
from torchvision.transforms import v2

import d2lvgg
from d2lvgg import vgg_block
from d2lvgg.devices import describe_machine, has_fast_bf16

RESULT = Path(__file__).parent / "results" / "cifar10_laptop.json"

augment = v2.Compose([v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip()])


def small_vgg(ratio, batch_norm=True, in_channels=3, num_classes=10):
    blocks = []
    for num_convs, channels in d2lvgg.shrink(d2lvgg.VGG_ARCHS["vgg11"], ratio):
        blocks.append(vgg_block(num_convs, in_channels, channels, batch_norm))
        in_channels = channels
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(channels, num_classes))


def train_recipe(net, train_iter, test_iter, num_epochs, max_lr=0.1):
    device = d2lvgg.try_gpu()
    net.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=max_lr, momentum=0.9,
                                nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr, total_steps=num_epochs * len(train_iter))
    for epoch in range(1, num_epochs + 1):
        net.train()
        for X, y in train_iter:
            X = torch.stack([augment(picture) for picture in X])  # each its own draw
            with torch.autocast(device.type, torch.bfloat16,
                                enabled=has_fast_bf16(device)):
                loss = nn.functional.cross_entropy(net(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        yield epoch, d2lvgg.evaluate_accuracy(net, test_iter)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--ratio", type=int, default=4, help="what the widths are divided by")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train_iter, test_iter = d2lvgg.load_data_cifar10(64, source="folder", seed=options.seed)
    recompressed = "image files" in train_iter.source
    torch.manual_seed(options.seed)
    net = small_vgg(options.ratio)
    rows, began, cpu_began = [], time.perf_counter(), time.process_time()
    for epoch, accuracy in train_recipe(net, train_iter, test_iter, options.epochs):
        rows.append({"epoch": epoch, "seconds": round(time.perf_counter() - began, 1),
                     "cpu_seconds": round(time.process_time() - cpu_began, 1),
                     "test_acc": accuracy})
        print(rows[-1], flush=True)
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps({
            "network": f"VGG-11 with batch norm, widths / {options.ratio}, one linear layer",
            "parameters": sum(p.numel() for p in net.parameters()),
            "recipe": "SGD 0.1 one-cycle, momentum 0.9, weight decay 5e-4, flips and crops",
            "data": "CIFAR-10" + ", recompressed pictures (JPEG)" * recompressed,
            "train_pictures": len(train_iter.labels), "test_pictures": len(test_iter.labels),
            "batch_size": 64, "seed": options.seed, "ratio": options.ratio,
            "num_epochs": options.epochs,
            "precision": "bf16" if has_fast_bf16(d2lvgg.try_gpu()) else "fp32",
            "machine": {key: value for key, value in describe_machine().items()
                        if key not in ("memory", "disk", "d2l", "jupyterlab", "matplotlib")},
            "processor": torch.cpu.get_capabilities()["cpu_name"],
            "cores_of_the_machine": os.cpu_count(), "threads": torch.get_num_threads(),
            "note": "a shared machine: other work ran beside it",
            "timer": "loading, augmentation, training and testing, since the start",
            "epochs": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
