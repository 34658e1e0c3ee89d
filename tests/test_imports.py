"""Importing d2lvgg is quick: nothing is imported before it is used, and editors see every name."""

import ast
import subprocess
import sys
from pathlib import Path

import jedi
import pytest

import d2lvgg

STUB = Path(d2lvgg.__file__).with_suffix(".pyi")
# Seconds or tens of MB each. torch imports its _dynamo by itself when an optimizer is made.
HEAVY = {"torchvision", "d2l", "pandas", "matplotlib", "IPython", "ipywidgets", "PIL", "requests",
         "pooch", "scipy", "sympy", "torch._dynamo", "torch._inductor"}
STAGES = {
    "python": "import ast",
    "d2lvgg": "import d2lvgg",
    "torch": "import torch",
    "models": "import d2lvgg.models",
    "every public name": "for name in dir(d2lvgg):\n"
                         "    if name != 'LiveAnimator': getattr(d2lvgg, name)",
    "loaders": "d2lvgg.load_data_fashion_mnist(32, num_train=64, num_test=32)",
    "a step of training":
        "net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))\n"
        "batch = torch.rand(8, 1, 28, 28), torch.arange(8)\n"
        "d2lvgg.train(net, [batch], [batch], 1, 0.1, torch.device('cpu'))",
    "LiveAnimator": "d2lvgg.LiveAnimator",
}


@pytest.fixture(scope="module")
def imported():
    """What each of STAGES added to sys.modules, one after the other in a Python of its own."""
    stages = [f"{code}\nprint({f'modules of {name}:'!r}, *sys.modules, flush=True)"
              for name, code in STAGES.items()]
    done = subprocess.run([sys.executable, "-c", "\n".join(["import sys", *stages])],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    added, before = {}, set()
    for name in STAGES:
        names = set(done.stdout.partition(f"modules of {name}:")[2].partition("\n")[0].split())
        added[name], before = names - before, names
    return added


def packages(names):
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)


def test_importing_d2lvgg_imports_nothing_else(imported):
    assert packages(imported["d2lvgg"]) == {"d2lvgg", "lazy_loader"}


def test_models_import_torch_alone(imported):
    assert imported["models"] == {"d2lvgg.models"}
    assert "torch" in packages(imported["torch"])  # so the stages do see what is imported


def test_no_public_name_imports_what_is_heavy(imported):
    assert packages(imported["every public name"]) <= {
        "d2lvgg", "torch", "cycler", "psutil", "tqdm", "triton"}
    assert not imported["every public name"] & HEAVY


def test_loading_data_imports_no_more(imported):
    assert packages(imported["loaders"]) <= {"d2lvgg", "torch"}
    assert not imported["loaders"] & HEAVY


def test_the_first_step_of_training_needs_neither_torchvision_nor_d2l(imported):
    assert "matplotlib" in imported["a step of training"]  # it was drawn
    assert not imported["a step of training"] & {"torchvision", "d2l", "ipywidgets", "requests",
                                                 "pooch"}
    assert "d2l" in imported["LiveAnimator"]  # which is a d2l.Animator, and so needs it


def test_the_stub_lists_the_public_names_once_and_each_is_there():
    nodes = ast.parse(STUB.read_text(encoding="utf-8")).body
    assert {type(node) for node in nodes} == {ast.ImportFrom}
    names = [part for node in nodes for part in node.names]
    assert [part.asname for part in names] == [part.name for part in names]  # exported: PEP 484
    names = [part.name for part in names]
    assert len(set(names)) == len(names) >= 20
    assert sorted(names) == sorted(d2lvgg.__all__) == sorted(dir(d2lvgg))
    assert [name for name in names if not hasattr(d2lvgg, name)] == []
    with pytest.raises(AttributeError, match="vggg"):
        _ = d2lvgg.vggg


def test_star_brings_the_public_names():
    space = {}
    exec("from d2lvgg import *", space)
    assert set(space) - {"__builtins__"} == set(d2lvgg.__all__)


@pytest.mark.parametrize(("start", "full"), [("vgg_", "vgg_block"), ("load_data_f",
                         "load_data_fashion_mnist"), ("tra", "train")])
def test_an_editor_completes_names_without_running_anything(start, full):
    root = jedi.Project(Path(d2lvgg.__file__).parents[1])
    script = jedi.Script(f"import d2lvgg\nd2lvgg.{start}", project=root)
    assert full in [found.name for found in script.complete(2, len("d2lvgg.") + len(start))]
    script = jedi.Script(f"import d2lvgg\nd2lvgg.{full}(", project=root)
    assert script.get_signatures(2, len("d2lvgg.") + len(full) + 1)[0].name == full
