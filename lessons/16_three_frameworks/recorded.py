"""What lesson 16 reads: the frameworks' recorded run, their source, and a network of Gluon's."""

import ast
import json
from pathlib import Path

import torch
from safetensors.torch import load_file

import d2lvgg

FOLDER = Path(d2lvgg.__file__).resolve().parents[1] / "frameworks"
RESULTS = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
TITLES = {"torch": "PyTorch", "mxnet": "MXNet Gluon", "mindspore": "MindSpore"}
PRE = "font: 11px/1.4 monospace; white-space: pre; margin: 0; padding: 6px; color: black"


def version(name):
    """Return the version of a framework, 'torch', 'mxnet' or 'mindspore', that was run."""
    return RESULTS["frameworks"][name]["versions"][name]


def probe(what):
    """Return {framework's title: what it did where nobody told it what to do}."""
    return {title: RESULTS["frameworks"][name]["probes"].get(what)
            for name, title in TITLES.items()}


def differences(rows):
    """Return {pair of frameworks: {what was compared: largest difference}}."""
    return {" and ".join(TITLES[name] for name in row["pair"]): {
        what: row[what] for what in ("logits", "loss", "gradients", "losses")} for row in rows}


def source_of(path, name):
    """Return the source of one function or class in a file, without its docstring."""
    text = path.read_text(encoding="utf-8")
    node = next(n for n in ast.parse(text).body if getattr(n, "name", None) == name)
    lines = text.splitlines()[node.lineno - 1:node.end_lineno]
    if ast.get_docstring(node) is not None:
        doc = node.body[0]
        del lines[doc.lineno - node.lineno:doc.end_lineno - node.lineno + 1]
    return "\n".join(lines)


def side_by_side(kind, name, **elsewhere):
    """Show one function or class of all three files of a kind, "vgg" or "native", in columns.

    elsewhere gives a framework another (path, name).
    """
    from IPython.display import HTML
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    style, columns = "display: inline-block; vertical-align: top; margin: 4px 24px 12px 0", []
    for side, title in TITLES.items():
        path, found = elsewhere.get(side, (FOLDER / f"{side}_{kind}.py", name))
        code = highlight(source_of(path, found), PythonLexer(),
                         HtmlFormatter(noclasses=True, prestyles=PRE))
        columns.append(f'<div style="{style}"><b>{title}</b>{code}</div>')
    return HTML("".join(columns))


def from_gluon():
    """Return ({Gluon's name: tensor}, logits (3, 10)): a network that Gluon trained.

    The logits are those that Gluon computed for the course's three garments at 32 pixels.
    """
    arrays = load_file(FOLDER / "gluon.safetensors")
    logits = arrays.pop("logits")
    return dict(sorted(arrays.items())), logits


def pooled_net(conv_arch):
    """Return an untrained network of VGG blocks whose head averages each map."""
    blocks, in_channels = [], 1
    for num_convs, out_channels in conv_arch:
        blocks.append(d2lvgg.vgg_block(num_convs, in_channels, out_channels))
        in_channels = out_channels
    return torch.nn.Sequential(*blocks, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
                               torch.nn.Linear(in_channels, 10))


def gluon_net():
    """Return an untrained network as Gluon trained it, with weights of its own."""
    return pooled_net(RESULTS["training"]["arguments"]["conv_arch"])
