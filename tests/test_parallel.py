"""Several processes: the same parameters as one, an error where one dies."""

import os
import re
import subprocess
import sys
from pathlib import Path

import parallel_run
import pytest
import torch
from small_runs import own_loaders

from d2lvgg import __main__, parallel

SCRIPT = Path(__file__).with_name("parallel_run.py")


def torchrun(processes, *arguments, script=SCRIPT, timeout=120, **options):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
               f"--nproc-per-node={processes}", *map(str, [*script] if isinstance(script, tuple)
                                                     else [script]), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
                          **options)


def results(path):
    return torch.load(path, weights_only=True)


NO_ROOM = "MemoryError: a batch of 8 images .* does not fit .*: halve the batch"
FAULTS = {  # on rank 1 of the processes: what every one of them must say
    "label": "ValueError: there is a label 1[0-9], and the network has 10 outputs",
    "nan": "stopped: the loss was no longer a number after step 3 of 14",
    "forward": NO_ROOM, "backward": NO_ROOM, "evaluation": NO_ROOM,
    "batch norm": ""}  # no fault: its averages are of each share, and must be the same afterwards


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """What one process ends with."""
    path = tmp_path_factory.mktemp("one") / "one.pt"
    parallel_run.main(path)
    return results(path)


@pytest.mark.parametrize("processes", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_several_processes_end_as_one_and_fail_with_one_sentence(tmp_path, one, processes):
    # All in one start, which takes its seconds; so what fails leaves the processes in step, too.
    done = torchrun(processes, tmp_path / "many.pt", *FAULTS)
    assert done.returncode == 0, done.stderr[-2000:]
    many = results(tmp_path / "many.pt")
    for name, value in one["net"].items():
        assert value.dtype == torch.float64
        assert torch.allclose(value, many["net"][name], rtol=0, atol=1e-12), name
    moved = max((a - b).abs().max().item() for a, b in zip(one["net"].values(),
                                                         one["start"].values(), strict=True))
    assert moved > 1e-3  # there was something to agree on
    assert [row["examples"] for row in many["rows"]] == [101, 101]
    for a, b in zip(one["rows"], many["rows"], strict=True):
        assert a["train_loss"] == pytest.approx(b["train_loss"], abs=1e-12)
        assert (a["train_acc"], a["test_acc"]) == (b["train_acc"], b["test_acc"])
    for fault, words in FAULTS.items():
        said = many["said"][fault]
        assert len(said) == processes
        assert len(set(said)) == 1, said
        assert re.match(words or "$", said[0]), said[0]


def test_a_process_that_dies_ends_the_run_with_an_error(tmp_path):
    done = torchrun(2, tmp_path / "out.pt", "die")
    assert done.returncode != 0
    assert "SIGKILL" in done.stderr or "exitcode" in done.stderr
    assert not (tmp_path / "out.pt").exists()


@pytest.mark.slow  # six processes more: the loop under torchrun is tested above
def test_the_command_runs_under_torchrun_and_one_process_speaks(tmp_path, monkeypatch):
    done = torchrun(2, "train", "--scale", "smoke", "--epochs", "1", "--out", tmp_path,
                    "--checkpoint", tmp_path / "run.pt", script=("-m", "d2lvgg"))
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("training on cpu") == 1
    assert done.stdout.count("test acc") == 1
    assert (tmp_path / "curve.svg").exists()
    again = torchrun(2, "train", "--scale", "smoke", "--out", tmp_path,
                     "--checkpoint", tmp_path / "run.pt", "--resume", script=("-m", "d2lvgg"))
    assert again.returncode == 0, again.stderr[-2000:]
    assert "going on from" in again.stdout
    monkeypatch.setattr(sys, "argv", ["d2lvgg", "train", "--scale", "smoke", "--out", str(tmp_path),
                                      "--checkpoint", str(tmp_path / "run.pt"), "--resume"])
    with pytest.raises(SystemExit, match="a run with processes 2, and this one has 1"):
        __main__.main()


def test_shares_of_a_batch_are_the_batch(monkeypatch):
    loader, _ = own_loaders(23, 5, 7, seed=3)
    order = loader.generator.get_state()
    whole = list(loader)
    for processes in (1, 2, 5):
        parts = []
        for rank in range(processes):
            loader.generator.set_state(order)
            parts.append(list(loader.replace(rank=rank, world_size=processes)))
        monkeypatch.setattr(parallel, "world_size", lambda size=processes: size)
        for batch, (X, y) in enumerate(whole):
            cut = [part[batch] for part in parts]
            assert torch.equal(torch.cat([part[0] for part in cut]), X)
            assert torch.equal(torch.cat([part[1] for part in cut]), y)
            # The average over processes of weight times mean is the mean over the batch.
            means = [parallel.loss_weight(loader, batch, len(part[1])) * part[1].double().mean()
                     for part in cut if len(part[1])]
            assert sum(means) / processes == pytest.approx(y.double().mean().item())


def test_loaders_that_cannot_be_cut_are_refused(monkeypatch):
    monkeypatch.setattr(parallel, "world_size", lambda: 2)
    unseeded, _ = own_loaders(8, 4, 4, seed=None)
    for loader in (unseeded, [(torch.ones(1), torch.ones(1))]):
        with pytest.raises(ValueError, match="with the same seed="):
            parallel.share_batches(loader)
