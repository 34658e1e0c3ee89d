"""frameworks/: the recorded comparison is of the present code, and what cannot run says why."""

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from packaging.requirements import Requirement

import d2lvgg

ROOT = Path(__file__).parents[1]
FRAMEWORKS = ROOT / "frameworks"
sys.path.insert(0, str(FRAMEWORKS))
import compare  # noqa: E402
import exchange  # noqa: E402

RESULTS = json.loads((FRAMEWORKS / "results.json").read_text(encoding="utf-8"))
ARCH = ((1, 2), (2, 3))
each_framework = pytest.mark.parametrize(("name", "title"), [
    ("mxnet", "MXNet"), ("mindspore", "MindSpore")])


# results.json


def test_results_are_of_the_present_sources():
    assert RESULTS["sources"] == compare.sources_hash(), (
        "frameworks/results.json is older than the code it is made by: run `make frameworks`")


def test_results_are_within_the_bounds_of_the_issue_and_of_all_three():
    assert RESULTS["bounds"] == compare.BOUNDS
    assert compare.BOUNDS["logits"] <= 1e-4
    assert compare.BOUNDS["gradients"] <= 1e-3
    assert compare.BOUNDS["losses"] <= 1e-3
    assert {tuple(row["pair"]) for row in RESULTS["parity"]} == {
        ("torch", "mxnet"), ("torch", "mindspore"), ("mxnet", "mindspore")}
    assert all(len(side["losses"]) == 10 for side in RESULTS["frameworks"].values())
    assert "sketch" not in RESULTS["data"]
    compare.judge(RESULTS)


def test_results_name_the_versions_that_are_asked_for():
    for name in ("mxnet", "mindspore"):
        pins = {pin.name: str(pin.specifier)[2:] for pin in map(
            Requirement, (FRAMEWORKS / f"requirements-{name}.txt").read_text().splitlines())}
        versions = RESULTS["frameworks"][name]["versions"]
        assert versions[name] == pins[name]
        assert versions["numpy"] == pins["numpy"]
        assert versions["Python"].startswith("3.11.")


def test_every_gradient_was_compared():
    names = set(d2lvgg.vgg(compare.NETWORK["arguments"]["conv_arch"], input_size=64).state_dict())
    for row in RESULTS["parity"]:
        assert set(row["gradients_by_name"]) == names
        assert row["gradients"] == max(row["gradients_by_name"].values())


def change(results, *places, value):
    results = copy.deepcopy(results)
    inner = results
    for place in places[:-1]:
        inner = inner[place]
    inner[places[-1]] = value
    return results


@pytest.mark.parametrize(("places", "value", "sentence"), [
    (("parity", 0, "logits"), 2e-4, "logits of PyTorch and MXNet differ by 2.0e-04, allowed is"),
    (("parity", 1, "gradients"), float("nan"), "gradients of PyTorch and MindSpore differ"),
    (("parity", 2, "losses"), 0.5, "losses of MXNet and MindSpore differ by 5.0e-01"),
    (("moved_back", "mxnet"), 1.0, "weights moved from MXNet to PyTorch"),
    (("controls", "biases left out"), 1e-6, "the proof is blind to it"),
    (("losses_untrained", 9), RESULTS["frameworks"]["torch"]["losses"][9], "prove nothing"),
    (("native", "parity", 0, "logits"), 2e-4, "logits of PyTorch and MXNet differ by 2.0e-04"),
    (("native", "shipped", "mindspore", 0, 0), 50.0, "MindSpore names the three garments with"),
])
def test_a_difference_fails_loudly(places, value, sentence):
    with pytest.raises(exchange.Refusal, match=re.escape(sentence)):
        compare.judge(change(RESULTS, *places, value=value))


def test_relative_difference_is_of_the_largest_number():
    assert compare.relative(np.array([1.0, -10.0]), np.array([1.5, -10.0])) == 0.05


def test_results_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("before")
    with pytest.raises(TypeError):
        compare.write_results({"cannot": object()}, path)
    assert path.read_text() == "before"
    compare.write_results({"can": 1}, path)
    assert json.loads(path.read_text()) == {"can": 1}
    assert [found.name for found in tmp_path.iterdir()] == ["results.json"]


def test_no_path_of_a_machine_is_recorded():
    text = (FRAMEWORKS / "results.json").read_text(encoding="utf-8")
    assert not re.search(r"/(tmp|home|root|usr|work|Users)/", text)


SHOWN = [("vgg", "vgg_block"), ("vgg", "sgd"), ("native", "VGG"), ("native", "fit")]


@pytest.mark.parametrize("edition", ["notebooks", "notebooks/solutions"])
def test_the_lesson_shows_the_code_that_was_run(edition):
    """The built notebook's outputs hold the framework files' present text."""
    notebook = nbformat.read(ROOT / edition / "16_three_frameworks.ipynb", as_version=4)
    pages = [output["data"]["text/html"] for cell in notebook.cells if cell.cell_type == "code"
             for output in cell.outputs if "text/html" in output.get("data", {})]
    shown = squeeze("".join(re.sub("<[^>]*>", "", page) for page in pages))
    for side in ("torch", "mxnet", "mindspore"):
        for kind, name in SHOWN:
            if side == "torch" and name in ("vgg_block", "VGG"):
                continue  # shown from d2lvgg.models; torch_native's is a function, make_net
            text = (FRAMEWORKS / f"{side}_{kind}.py").read_text(encoding="utf-8")
            found = re.search(rf"^(?:def|class) {name}\(.*?(?=^\S|\Z)", text, re.M | re.S).group()
            assert squeeze(found) in shown, f"{side}: {name}: run python -m tools.notebooks 16"


def test_native_variants_are_proved_as_the_others_are():
    native = RESULTS["native"]
    assert {tuple(row["pair"]) for row in native["parity"]} == {
        ("torch", "mxnet"), ("torch", "mindspore"), ("mxnet", "mindspore")}
    names = set(d2lvgg.pretrained("cpu").state_dict())
    assert all(set(row["gradients_by_name"]) == names for row in native["parity"])
    ours = np.array(native["shipped"]["torch"])
    assert all(abs(np.array(logits) - ours).max() <= compare.BOUNDS["logits"]
               for logits in native["shipped"].values())


def test_times_were_taken_in_turns_and_every_training_had_equal_epochs():
    alone = RESULTS["seconds"]["alone"]
    assert {way.partition(",")[0] for way in alone} == {"torch", "mxnet", "mindspore"}
    assert {len(rounds) for rounds in alone.values()} == {compare.ROUNDS}
    runs = RESULTS["training"]["runs"]
    assert {len(run["epochs"]) for run in runs.values()} == {RESULTS["training"]["recipe"][
        "num_epochs"]}
    assert all(run["kept"]["difference"] == 0 for run in runs.values())


def test_gluons_weights_are_those_of_the_training():
    arrays, _ = exchange.read_arrays(compare.TRAINED_BY_GLUON)
    arch = RESULTS["training"]["arguments"]["conv_arch"]
    assert arrays["output.weight"].shape == (10, arch[-1][1])
    assert arrays["logits"].shape == (3, 10)


def squeeze(text):
    return re.sub(r"\s", "", text.replace("&#39;", "'").replace("&gt;", ">"))


# What cannot run


def run(*arguments, **environ):
    return subprocess.run([sys.executable, *map(str, arguments)], text=True, capture_output=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT), **environ})


def one_sentence(done):
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    return done.stderr.strip()


@each_framework
def test_a_missing_framework_is_one_sentence(name, title, tmp_path):
    (tmp_path / f"{name}.py").write_text(f'raise ModuleNotFoundError("No module named {name!r}")')
    done = run("-c", "import sys, runpy; sys.version_info = (3, 11, 0, 'final', 0); "
               f"sys.path[:0] = [{str(tmp_path)!r}, {str(FRAMEWORKS)!r}]; "
               f"runpy.run_path({str(FRAMEWORKS / f'{name}_vgg.py')!r}, run_name='__main__')")
    assert re.fullmatch(f"{title} cannot be imported in this environment .*: run `make frameworks`"
                        ", which makes an environment for it", one_sentence(done))


@each_framework
def test_a_wrong_python_is_one_sentence(name, title):
    done = run("-c", "import sys, runpy; "
               f"sys.path.insert(0, {str(FRAMEWORKS)!r}); import exchange; "
               "sys.version_info = (3, 13, 1, 'final', 0); "
               f"runpy.run_path({str(FRAMEWORKS / f'{name}_vgg.py')!r}, run_name='__main__')")
    assert one_sentence(done).startswith(
        f"{title} runs here on Python 3.11, and this is Python 3.13: run `make frameworks`")


def export_weights(folder, built, said):
    """Write weights of conv_arch built into folder, with the word that they are of said."""
    net = d2lvgg.vgg(built, input_size=8)
    exchange.write_arrays(
        folder / "weights.safetensors", {k: v.numpy() for k, v in net.state_dict().items()},
        {"network": json.dumps({"arguments": {
            "conv_arch": said, "in_channels": 1, "num_classes": 10, "input_size": 8},
            "batch_size": 1, "lr": 0.1})})
    exchange.write_arrays(folder / "batch.safetensors", {"X": np.zeros((1, 1, 8, 8), np.float32),
                                                         "y": np.zeros(1, np.int64)})


OTHERS = [(((1, 2), (2, 4)), "1.0.weight has shape (4, 2, 3, 3) and 1.0.weight (3, 2, 3, 3)"),
          (((1, 2), (1, 3)), "10 arrays for 12 parameters")]


@pytest.mark.parametrize("side", ["torch", "mxnet", "mindspore"])
@pytest.mark.parametrize(("other", "words"), OTHERS, ids=["width", "depth"])
def test_weights_of_another_architecture_are_one_sentence(side, other, words, tmp_path):
    python = sys.executable
    if side != "torch":
        python = compare.BUILD / side / "bin" / "python"
        if not python.exists():
            pytest.skip(f"{side}'s environment is not here: `make frameworks` makes it")
    export_weights(tmp_path, other, ARCH)
    done = subprocess.run([python, FRAMEWORKS / f"{side}_vgg.py", tmp_path, "parity"], text=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"the weights are of another architecture, {words}; the network here is "
                           "((1, 2), (2, 3)): export the weights of a d2lvgg.vgg")


@pytest.mark.parametrize(("arguments", "sentence"), [
    ((), "usage: torch_vgg.py FOLDER TASK, with TASK one of parity, time, train"),
    (("folder", "dance"), "usage: torch_vgg.py FOLDER TASK"),
    (("nowhere", "parity"), "weights.safetensors is not there: run `make frameworks`"),
])
def test_a_side_called_wrongly_is_one_sentence(arguments, sentence, tmp_path):
    done = run(FRAMEWORKS / "torch_vgg.py", *arguments)
    assert sentence in one_sentence(done)


def test_a_framework_with_its_own_names_is_paired_by_depth():
    weights = {name: np.zeros((4, 3) if name.endswith("weight") else 4)
               for name in ("10.bias", "2.0.bias", "2.0.weight", "10.weight")}
    wanted = {"2.1.weight": (4, 3), "2.1.bias": (4,), "9.weight": (4, 3), "9.bias": (4,)}
    assert exchange.pair_weights(weights, wanted, ARCH) == [
        ("2.0.weight", "2.1.weight"), ("2.0.bias", "2.1.bias"),
        ("10.weight", "9.weight"), ("10.bias", "9.bias")]


def test_a_transposed_view_arrives_transposed(tmp_path):
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    exchange.write_arrays(tmp_path / "a.safetensors", {"a": matrix.T})
    arrays, _ = exchange.read_arrays(tmp_path / "a.safetensors")
    assert arrays["a"].tolist() == matrix.T.tolist()


# The environments


@pytest.fixture
def no_environments(tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "BUILD", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("script", "sentence"), [
    ("echo 'error: no interpreter' >&2; exit 2", r"Python 3.11 was not found and could not be "
     r"fetched: install it .* \(error: no interpreter\)"),
    ("[ $1 = venv ] || { echo 'no wheels' >&2; exit 1; }", r"MXNet could not be installed: .* "
     r"\(no wheels\)"),
])
def test_an_environment_that_cannot_be_made_is_one_sentence(no_environments, monkeypatch, script,
                                                            sentence):
    uv = no_environments / "uv"
    uv.write_text(f"#!/bin/sh\n{script}\n")
    uv.chmod(0o755)
    monkeypatch.setattr(compare.shutil, "which", lambda *args, **kwargs: str(uv))
    with pytest.raises(exchange.Refusal, match=sentence):
        compare.environment("mxnet")


def test_without_uv_or_room_there_is_one_sentence(no_environments, monkeypatch):
    monkeypatch.setattr(compare.shutil, "which", lambda *args, **kwargs: None)
    with pytest.raises(exchange.Refusal, match="uv was not found"):
        compare.environment("mxnet")
    monkeypatch.setattr(compare, "free_gb", lambda: 0.5)
    with pytest.raises(exchange.Refusal, match="MindSpore's environment takes up to 5 GB of disk, "
                                               "and 0.5 GB are free"):
        compare.environment("mindspore")


def test_where_there_is_no_room_mindspore_is_left_out_and_said(no_environments, monkeypatch,
                                                               capsys):
    monkeypatch.setattr(compare, "free_gb", lambda: 2.0)
    assert compare.choose(parity_only=True, only=None) == ["torch", "mxnet"]
    assert "MindSpore is left out" in capsys.readouterr().out
    assert compare.choose(parity_only=False, only=None) == ["torch", "mxnet", "mindspore"]
    assert compare.choose(parity_only=True, only=["mindspore"]) == ["torch", "mindspore"]
