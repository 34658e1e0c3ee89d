"""What a class trusts: a server that asks for a token, and files that cannot run code."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests
import torch

import d2lvgg
from tools import notebooks

ROOT = Path(__file__).parents[2]

CODE = [(f"{folder}/{path.name}", path.read_text(encoding="utf-8"))
        for folder in ("d2lvgg", "lessons", "tools", "benchmarks", "frameworks")
        for path in sorted((ROOT / folder).rglob("*.py"))]
CODE += [(path.name, "\n".join(cell.source for cell in notebooks.make_notebook(path, edition).cells
                               if cell.cell_type == "code"))
         for path in notebooks.lesson_folders() for edition in notebooks.EDITIONS]

PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def unsafe(source):
    """Yield what in source may open a pickle and run what is in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from {name.name.split(".")[0] for name in node.names} & PICKLES
        elif isinstance(node, ast.ImportFrom):
            if [name.name for name in node.names] != ["UnpicklingError"]:  # to refuse with
                yield from {(node.module or "").split(".")[0]} & PICKLES
        elif isinstance(node, ast.Call):
            function = ast.unparse(node.func)
            given = {option.arg: ast.unparse(option.value) for option in node.keywords}
            if function == "torch.load" and given.get("weights_only") != "True":
                yield ast.unparse(node)
            if given.get("allow_pickle", "False") != "False":
                yield ast.unparse(node)
            if function.endswith(("read_pickle", "load_model", "hub.load")):
                yield function


@pytest.mark.parametrize("source", [
    "import pickle", "from joblib import load", "torch.load('x')", "np.load(f, allow_pickle=True)",
    "torch.load(f, weights_only=False)", "pd.read_pickle('x')"])
def test_the_search_finds_what_it_looks_for(source):
    assert list(unsafe(source)) != []


def test_no_lesson_and_no_module_opens_a_pickle_that_can_run_code():
    assert len(CODE) > 20
    assert {name: found for name, source in CODE if (found := list(unsafe(source)))} == {}
    assert any("torch.load(" in source for _, source in CODE)


def test_a_checkpoint_that_runs_code_is_refused(tmp_path):
    lesson = next(source for name, source in CODE if name == "09_training")
    load = next(ast.unparse(node) for node in ast.walk(ast.parse(lesson))
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load")

    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "went off",)

    torch.save({"weight": Bomb()}, tmp_path / "vgg11.pt")
    with pytest.raises(Exception, match="[Ww]eights.?only"):
        eval(load, {"torch": torch, "folder": tmp_path, "device": "cpu", "d2lvgg": d2lvgg})
    assert not (tmp_path / "went off").exists()


@pytest.fixture
def lab(tmp_path):
    """The server that `make lab` starts, by make's own word; yields (its address, its process)."""
    made = subprocess.run(["make", "--no-print-directory", "-n", "-o", ".venv/installed", "lab"],
                          cwd=ROOT, capture_output=True, text=True, check=True)
    command = shlex.split(made.stdout.splitlines()[-1])
    assert command[1:3] == ["-m", "jupyterlab"]
    folders = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind)
               for kind in ("CONFIG", "DATA", "RUNTIME")}
    process = subprocess.Popen(  # the machine that tests has no browser to open
        [sys.executable, *command[1:], "--no-browser"], cwd=ROOT, env={**os.environ, **folders},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            assert process.poll() is None, "jupyter lab ended"
            files = list((tmp_path / "RUNTIME").glob("jpserver-*.json"))
            if files and files[0].read_text().endswith("}"):
                break
            time.sleep(0.1)
        yield json.loads(files[0].read_text()), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def test_make_lab_asks_for_a_token_and_listens_on_the_loopback_only(lab):
    server, process = lab
    assert re.fullmatch("[0-9a-f]{48}", server["token"])
    assert not server["password"]
    address = f"http://127.0.0.1:{urlsplit(server['url']).port}"
    for _ in range(100):
        try:
            refused = requests.get(f"{address}/api/contents", timeout=10)
            break
        except requests.exceptions.ConnectionError:
            time.sleep(0.1)
    assert refused.status_code == 403
    headers = {"Authorization": f"token {server['token']}"}
    assert requests.get(f"{address}/api/contents", headers=headers, timeout=10).ok
    heard = {connection.laddr.ip for connection in process.net_connections()
             if connection.status == psutil.CONN_LISTEN}
    assert heard
    assert heard <= {"127.0.0.1", "::1"}
