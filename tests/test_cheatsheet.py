"""lessons/CHEATSHEET.md says nothing that the code does not: every number and every line of it."""

import math
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import d2lvgg
from tools.notebooks import LESSONS

SHEET = (LESSONS / "CHEATSHEET.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"`([^`=]+) = ([\d.,]+)`")
BLOCK, LOOP, MODULE = re.findall(r"```python\n(.*?)```", SHEET, re.S)
TABLE = re.search(r"\| part \|.*?\n\n", SHEET, re.S)[0]


def test_every_example_is_worked_out_rightly():
    assert len(EXAMPLE.findall(SHEET)) == 10
    for expression, said in EXAMPLE.findall(SHEET):
        value = eval(expression, {"math": math})
        assert f"{value:,.{len(said.partition('.')[2])}f}" == said, expression


def test_the_examples_are_what_the_layers_do():
    said = [value for _, value in EXAMPLE.findall(SHEET)]
    layers = [(nn.Conv2d(1, 64, 3, padding=1), 224), (nn.MaxPool2d(2, stride=2), 7)]
    assert [str(layer(torch.zeros(1, 1, side, side)).shape[-1]) for layer, side in layers
            ] == said[:2]
    with torch.device("meta"):
        rows = d2lvgg.trace_shapes(d2lvgg.vgg(((1, 64),)), (1, 1, 224, 224), expand=True)
        head = d2lvgg.trace_shapes(nn.Sequential(nn.Linear(512 * 7 * 7, 4096)), (1, 512 * 7 * 7))
        norm = sum(p.numel() for p in nn.BatchNorm2d(8).parameters())
    assert [f"{number:,}" for row in (rows[0], head[0]) for number in (row.params, row.flops)
            ] == said[4:8]
    assert norm == 2 * 8
    assert [row.flops for row in rows[1:3]] == [0, 0]  # ReLU and pooling
    with pytest.raises(ValueError, match="at least 32 pixels"):
        d2lvgg.vgg(d2lvgg.VGG_ARCHS["vgg11"], input_size=31)


def test_the_table_is_vgg_11():
    arch = d2lvgg.VGG_ARCHS["vgg11"]
    with torch.device("meta"):
        table = d2lvgg.trace_shapes(d2lvgg.vgg(arch), (1, 1, 224, 224))
    rows = [row for row in table if row.params]
    names = [f"block {place}: {count} convolution{'s' * (count > 1)}"
             for place, (count, _) in enumerate(arch)] + ["linear"] * 3
    made = [f"| {name} | {' x '.join(map(str, row.output_shape[1:]))} | {row.params:,} "
            f"| {row.flops / 1e9:.3f} |" for name, row in zip(names, rows, strict=True)]
    made.append(f"| all | | {table.params:,} | {table.flops / 1e9:.3f} |")
    assert TABLE.splitlines()[2:-1] == made


def test_its_block_is_the_modules():
    names = {"nn": nn}
    exec(BLOCK, names)
    assert str(names["vgg_block"](2, 3, 8)) == str(d2lvgg.vgg_block(2, 3, 8))


def test_its_loop_learns_and_counts_as_the_module_does():
    torch.manual_seed(0)
    images, labels = torch.randn(32, 1, 4, 4), torch.randint(10, (32,))
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 10))
    names = {"F": F, "torch": torch, "net": net, "num_epochs": 200, "device": "cpu",
             "train_iter": [(images, labels)], "test_iter": [(images, labels)],
             "optimizer": torch.optim.SGD(net.parameters(), lr=0.5)}
    exec(LOOP, names)
    assert names["l"] < math.log(10) / 2
    assert names["right"] / 32 == d2lvgg.evaluate_accuracy(net, [(images, labels)])


def test_its_lines_of_the_module_run():
    small = {"(128, ": "(8, num_train=8, num_test=8, ", "96": "32",
             "num_epochs=5": "num_epochs=1"}
    code = MODULE
    for said, instead in small.items():
        assert said in code
        code = code.replace(said, instead)
    names = {"d2lvgg": d2lvgg}
    exec(code, names)
    assert isinstance(names["history"], d2lvgg.History)


def test_it_has_every_public_name():
    section = SHEET.split("| names in `d2lvgg` |")[1]
    named = re.findall(r"`(\w+)`", section)
    assert sorted(named) == sorted(d2lvgg.__all__)


def test_no_other_number_is_in_it():
    rest = SHEET.replace(TABLE, "")
    for checked in (r"```.*?```", r"`[^`]*`", r"\$\$.*?\$\$", r"\[\d+\]\([^)]*\)"):
        rest = re.sub(checked, "", rest, flags=re.S)
    # Beside names such as 3x3: the formulas' 2 and 1, the least side, bytes, 0.9 of 10,000 images.
    assert set(re.findall(r"\d[\d.,x]*\d|\d", rest)) == {
        "3x3", "1", "2x2", "2", "5x5", "32", "4", "11", "224", "0.9", "10,000"}
    assert torch.zeros(1).element_size() == 4
