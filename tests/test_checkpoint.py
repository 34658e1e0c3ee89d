"""Checkpoints: killed at any moment, on a full disk, damaged, foreign, hostile."""

import pickle
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from killed_run import make_net
from torch import nn

import d2lvgg
from d2lvgg.checkpoint import CheckpointError, read_checkpoint, write_checkpoint

SCRIPT = Path(__file__).with_name("killed_run.py")


def loaders(num_train=64, seed=0):
    return d2lvgg.load_data_fashion_mnist(16, num_train=num_train, num_test=16, seed=seed)


def train(path, num_epochs=1, net=None, lr=0.1, **options):
    return d2lvgg.train(net or make_net(), *loaders(), num_epochs, lr, "cpu", checkpoint=path,
                        **{"precision": "fp32", **options})


@pytest.mark.parametrize(("recipe", "seed", "precision"), [
    ("book", "0", "fp32"), ("strong", "None", "auto")])
def test_a_run_killed_many_times_ends_as_if_it_had_not_been(tmp_path, recipe, seed, precision):
    done = subprocess.run([sys.executable, SCRIPT, tmp_path, recipe, seed, precision], check=True,
                          capture_output=True, text=True, timeout=300)
    assert int(done.stdout.split()[0]) >= 10, done.stdout
    assert "3 inside a save" in done.stdout
    whole, cut = (torch.load(tmp_path / name / "result.pt") for name in ("whole", "cut"))
    assert len(whole["steps"]) == 18
    for part in ("rows", "steps", "plot"):
        assert whole[part] == cut[part], part
    assert whole["net"].keys() == cut["net"].keys()
    assert all(torch.equal(whole["net"][name], cut["net"][name]) for name in whole["net"])
    assert [path.name for path in (tmp_path / "cut").iterdir() if "part" in path.name] == []


def test_resume_goes_on_where_a_shorter_run_ended_and_then_has_nothing_to_do(tmp_path, capsys):
    path = tmp_path / "run.pt"
    assert len(train(path, 1, resume=True).epochs) == 1  # nothing there yet: it begins
    longer = train(path, 3, resume=True)
    assert "going on from" in capsys.readouterr().out
    assert [row["epoch"] for row in longer.epochs] == [1, 2, 3]
    at_once = train(tmp_path / "other.pt", 3)
    assert longer.step_losses == at_once.step_losses
    net = make_net()
    again = train(path, 3, net, resume=True)
    assert again.epochs == longer.epochs
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(),
                                                 read_checkpoint(path)["net"].values(),
                                                 strict=True))


def test_an_old_checkpoint_is_not_written_over_by_accident(tmp_path):
    path = tmp_path / "run.pt"
    train(path)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="is there already: resume=True goes on from it"):
        train(path)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="there is no folder"):
        train(tmp_path / "nowhere" / "run.pt")


def test_a_full_disk_keeps_the_last_good_checkpoint_and_says_so(tmp_path):
    path = tmp_path / "run.pt"
    train(path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.warns(UserWarning, match="no checkpoint was written.*the last good one stays"):
            history = train(path, 2, resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(history.epochs) == 2  # training went on
    assert path.read_bytes() == before
    assert [other.name for other in tmp_path.iterdir()] == ["run.pt"]


class Hostile:
    def __reduce__(self):
        return exec, ("open('was_run', 'w')",)


@pytest.mark.parametrize(("damage", "words"), [
    (lambda path: path.write_bytes(path.read_bytes()[:-1000]), "truncated or damaged"),
    (lambda path: path.write_bytes(path.read_bytes()[:100]), "truncated or damaged"),
    (lambda path: path.write_bytes(b""), "truncated or damaged"),
    (lambda path: path.write_text("<html>not found</html>"), "not a checkpoint"),
    (lambda path: torch.save(nn.Linear(2, 2).state_dict(), path), "not written by d2lvgg.train"),
    (lambda path: torch.save([1], path), "not written by d2lvgg.train"),
    (lambda path: torch.save({"net": Hostile()}, path), "nothing of it was run"),
    (lambda path: path.write_bytes(pickle.dumps(Hostile())), "nothing of it was run")])
def test_what_is_no_checkpoint_is_refused_and_runs_nothing(tmp_path, monkeypatch, damage, words):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.pt"
    train(path)
    damage(path)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=words) as caught:
        train(path, resume=True)
    assert "run.pt" in str(caught.value)
    assert "delete it" in str(caught.value)
    assert path.read_bytes() == before
    assert not (tmp_path / "was_run").exists()


def wider():
    net = make_net()
    net[3] = nn.Linear(8 * 7 * 7, 64)
    net[6] = nn.Linear(64, 10)
    return net


@pytest.mark.parametrize(("options", "words"), [
    ({"net": wider()}, r"another network: its 3.weight has the shape \(32, 392\), this one's \(64"),
    ({"net": make_net()[:4]}, r"its 6.weight has the shape \(10, 32\), this one's of nothing"),
    ({"lr": 0.2}, "a run with lr 0.1, and this one has 0.2"),
    ({"recipe": "strong"}, "a run with recipe 'book', and this one has 'strong'"),
    ({"precision": "bf16"}, "a run with precision 'fp32'")])
def test_a_checkpoint_of_another_run_is_refused(tmp_path, options, words):
    train(tmp_path / "run.pt")
    with pytest.raises(CheckpointError, match=words):
        train(tmp_path / "run.pt", resume=True, **options)


def test_a_strong_run_cannot_change_its_length(tmp_path):
    train(tmp_path / "run.pt", 1, recipe="strong")
    with pytest.raises(CheckpointError, match="a run with num_epochs 1, and this one has 2"):
        train(tmp_path / "run.pt", 2, recipe="strong", resume=True)


def test_a_network_that_is_spoilt_is_not_saved(tmp_path):
    net = make_net()
    history = train(tmp_path / "run.pt", 2, net, lr=1e39, checkpoint_seconds=0)
    assert "no longer a number" in history.diverged
    assert not (tmp_path / "run.pt").exists()


def test_a_write_that_fails_leaves_nothing_behind(tmp_path):
    path = tmp_path / "run.pt"
    write_checkpoint(path, {"a": torch.ones(3)})
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        write_checkpoint(path, {"a": lambda: 0})
    assert [other.name for other in tmp_path.iterdir()] == ["run.pt"]
    assert torch.equal(read_checkpoint(path)["a"], torch.ones(3))
    assert path.stat().st_mode & 0o044  # others may read it, as any file
