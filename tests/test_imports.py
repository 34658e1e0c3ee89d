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
         "pooch", "scipy", "torch._dynamo", "torch._inductor", "sympy"}
OURS = {"d2lvgg", "lazy_loader"}
LOADERS = "d2lvgg.load_data_fashion_mnist(32, num_train=64, num_test=32)"
ONE_STEP = """
import torch
net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
batch = torch.rand(8, 1, 28, 28), torch.arange(8)
d2lvgg.train(net, [batch], [batch], 1, 0.1, torch.device("cpu"))
"""


def imported(code):
    """Return the names in sys.modules after code, in a Python of its own: {'torch.nn', …}."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('modules:', *sys.modules)"],
        capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("modules:")[2].split())


def packages(names):
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)


@pytest.fixture(scope="module")
def with_torch():
    return imported("import torch")


def test_importing_d2lvgg_imports_nothing_else():
    assert packages(imported("import d2lvgg") - imported("import ast")) == OURS


def test_models_import_torch_alone(with_torch):
    names = imported("import d2lvgg.models")
    assert packages(names - with_torch) == OURS
    assert not names & HEAVY


@pytest.mark.parametrize("name", d2lvgg.__all__)
def test_no_public_name_imports_what_is_heavy(name, with_torch):
    """But for LiveAnimator, which is a d2l.Animator, and so needs d2l."""
    names = imported(f"import d2lvgg\nd2lvgg.{name}")
    assert ("d2l" in names) == (name == "LiveAnimator")
    if name != "LiveAnimator":
        assert packages(names - with_torch) <= OURS | {"cycler", "psutil", "tqdm", "triton"}
        assert not names & HEAVY


def test_loading_data_imports_no_more(with_torch):
    names = imported(f"import d2lvgg\n{LOADERS}")
    assert packages(names - with_torch) <= OURS | {"psutil"}
    assert not names & HEAVY


def test_the_first_step_of_training_needs_neither_torchvision_nor_d2l():
    names = imported(f"import d2lvgg\n{ONE_STEP}")
    assert "matplotlib" in names  # it was drawn
    assert not names & {"torchvision", "d2l", "pandas", "ipywidgets", "requests", "pooch"}


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
