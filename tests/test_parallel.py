"""Several processes: the same parameters as one, an error where one dies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import d2lvgg
from d2lvgg import parallel

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


@pytest.mark.parametrize("processes", [2, 3])
def test_several_processes_end_with_the_parameters_of_one(tmp_path, processes):
    one = subprocess.run([sys.executable, SCRIPT, tmp_path / "one.pt"], capture_output=True,
                         text=True, timeout=120, env={**os.environ, "MPLBACKEND": "agg"})
    assert one.returncode == 0, one.stderr[-2000:]
    many = torchrun(processes, tmp_path / "many.pt")
    assert many.returncode == 0, many.stderr[-2000:]
    one, many = results(tmp_path / "one.pt"), results(tmp_path / "many.pt")
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


def test_a_process_that_dies_ends_the_run_with_an_error(tmp_path):
    done = torchrun(2, tmp_path / "out.pt", "die")
    assert done.returncode != 0
    assert "SIGKILL" in done.stderr or "exitcode" in done.stderr
    assert not (tmp_path / "out.pt").exists()


def test_the_command_runs_under_torchrun_and_one_process_speaks(tmp_path):
    done = torchrun(2, "train", "--scale", "smoke", "--out", tmp_path,
                    "--checkpoint", tmp_path / "run.pt", script=("-m", "d2lvgg"))
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("training on cpu") == 1
    assert done.stdout.count("test acc") == 1
    assert (tmp_path / "curve.svg").exists()
    again = torchrun(2, "train", "--scale", "smoke", "--out", tmp_path,
                     "--checkpoint", tmp_path / "run.pt", "--resume", script=("-m", "d2lvgg"))
    assert again.returncode == 0, again.stderr[-2000:]
    assert "going on from" in again.stdout
    alone = subprocess.run(
        [sys.executable, "-m", "d2lvgg", "train", "--scale", "smoke",
         "--out", tmp_path, "--checkpoint", tmp_path / "run.pt", "--resume"],
        capture_output=True, text=True, timeout=120)
    assert alone.returncode != 0
    assert "a run with processes 2, and this one has 1" in alone.stderr


def test_shares_of_a_batch_are_the_batch(monkeypatch):
    loader, _ = d2lvgg.load_data_fashion_mnist(7, num_train=23, num_test=5, seed=3)
    order = loader.generator.get_state()
    whole = list(loader)
    for processes in (1, 2, 5):
        parts = []
        for rank in range(processes):
            loader.generator.set_state(order)
            parts.append(list(loader.shared(rank, processes)))
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
    unseeded, _ = d2lvgg.load_data_fashion_mnist(4, num_train=8, num_test=4)
    for loader in (unseeded, [(torch.ones(1), torch.ones(1))]):
        with pytest.raises(ValueError, match="with the same seed="):
            parallel.share(loader)
