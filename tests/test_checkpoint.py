"""Checkpoints: killed at any moment, on a full disk, damaged, foreign, hostile."""

import hashlib
import pickle
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from killed_run import make_net
from small_runs import own_loaders
from torch import nn

import d2lvgg
from d2lvgg import checkpoint
from d2lvgg.checkpoint import CheckpointError, read_checkpoint, write_checkpoint

SCRIPT = Path(__file__).with_name("killed_run.py")


def train(path, num_epochs=1, net=None, lr=0.1, loaders=None, **options):
    return d2lvgg.train(net or make_net(), *(loaders or own_loaders()), num_epochs, lr, "cpu",
                        checkpoint=path, **{"precision": "fp32", **options})


@pytest.mark.parametrize(("recipe", "seed", "precision"), [
    ("book", "0", "fp32"), pytest.param("strong", "None", "auto", marks=pytest.mark.slow)])
def test_a_run_killed_many_times_ends_as_if_it_had_not_been(tmp_path, recipe, seed, precision):
    done = subprocess.run([sys.executable, SCRIPT, tmp_path, recipe, seed, precision], check=True,
                          capture_output=True, text=True, timeout=300)
    assert int(done.stdout.split()[0]) >= 10, done.stdout
    assert "3 inside a save" in done.stdout
    whole, cut = (torch.load(tmp_path / name / "result.pt") for name in ("whole", "cut"))
    assert len(whole["steps"]) == 24
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


def sealed(content, path):
    """Write content as write_checkpoint seals it, whatever it is."""
    torch.save(content, path)
    path.write_bytes(path.read_bytes() + hashlib.sha256(path.read_bytes()).digest())


@pytest.mark.parametrize("damage", [
    lambda path: path.write_bytes(path.read_bytes()[:-1000]),
    lambda path: path.write_bytes(path.read_bytes()[:100]),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    lambda path: path.write_text("<html>not found</html>"),
    lambda path: path.write_bytes(pickle.dumps(Hostile())),
    lambda path: torch.save(nn.Linear(2, 2).state_dict(), path),
    lambda path: sealed(nn.Linear(2, 2).state_dict(), path),
    lambda path: sealed([1], path),
    lambda path: sealed({"net": Hostile()}, path)])
def test_what_is_no_checkpoint_is_refused_and_runs_nothing(tmp_path, monkeypatch, damage):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.pt"
    train(path)
    damage(path)
    before, net = path.read_bytes(), make_net()
    weights = [p.clone() for p in net.parameters()]
    with pytest.raises(CheckpointError, match="run.pt .*nothing of it was run; delete it"):
        train(path, net=net, resume=True)
    assert path.read_bytes() == before
    assert all(torch.equal(a, b) for a, b in zip(weights, net.parameters(), strict=True))
    assert not (tmp_path / "was_run").exists()


def test_one_flipped_bit_is_refused_wherever_it_is(tmp_path):
    path = tmp_path / "run.pt"
    write_checkpoint(path, {"net": nn.Linear(40, 40).state_dict(), "progress": {"epoch": 3}})
    good = path.read_bytes()
    assert read_checkpoint(path)["progress"] == {"epoch": 3}
    directory = good.index(b"PK\1\2")  # where zip's list of contents begins
    places = [*range(8 * 100), *range(8 * directory, 8 * len(good), 7),  # header, directory, digest
              *random.Random(0).sample(range(8 * len(good)), 400)]
    for place in places:
        flipped = bytearray(good)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError, match="damaged"):
            read_checkpoint(path)
    assert len(places) > 1200


def wider():
    net = make_net()
    net[3] = nn.Linear(8 * 7 * 7, 64)
    net[6] = nn.Linear(64, 10)
    return net


def relabelled():
    loaders = own_loaders()
    loaders[0].labels = loaders[0].labels.flip(0)
    return loaders


@pytest.mark.parametrize(("options", "words"), [
    ({"net": wider()}, r"shape of 3.weight \[32, 392\], and this one has \[64, 392\]"),
    ({"net": make_net()[:4]}, r"shape of 6.weight \[10, 32\], and this one has None"),
    ({"lr": 0.2}, "a run with lr 0.1, and this one has 0.2"),
    ({"recipe": "strong"}, "a run with recipe 'book', and this one has 'strong'"),
    ({"precision": "bf16"}, "a run with precision 'fp32'"),
    ({"loaders": own_loaders(seed=None)}, "a run with seed 0, and this one has None"),
    ({"loaders": own_loaders(seed=1)}, "a run with seed 0, and this one has 1"),
    ({"loaders": own_loaders(source="other")}, "source 'made up', and this one has 'other'"),
    ({"loaders": own_loaders(60, batch_size=15)}, "batch size 16, and this one has 15"),
    ({"loaders": [list(loader) for loader in own_loaders()]}, "a run with loader '"),
    ({"loaders": relabelled()}, "a run with checksum of labels ")])
def test_a_checkpoint_of_another_run_is_refused_before_anything_changes(tmp_path, options, words):
    train(tmp_path / "run.pt")
    net = options.get("net") or make_net()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    with pytest.raises(CheckpointError, match=words):
        train(tmp_path / "run.pt", resume=True, **{**options, "net": net})
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_checkpoint_of_another_device_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    train(path)
    content = read_checkpoint(path)
    content["settings"]["device"] = "cuda"
    write_checkpoint(path, content)
    with pytest.raises(CheckpointError, match="a run with device 'cuda', and this one has 'cpu'"):
        train(path, resume=True)


def test_the_random_state_is_that_of_the_device_in_use(monkeypatch):
    monkeypatch.setattr(torch.cuda, "default_generators", ("of cuda:0", "of cuda:1"))
    for device, theirs in (("cpu", {}), ("cuda", {"cuda": "of cuda:0"}),
                           ("cuda:1", {"cuda": "of cuda:1"})):
        found = checkpoint.generators([], torch.device(device))
        assert found == {"cpu": torch.default_generator, **theirs}
    loader, _ = own_loaders(seed=3)
    assert checkpoint.generators(loader, torch.device("cpu"))["loader"] is loader.generator


def test_a_strong_run_cannot_change_its_length(tmp_path):
    train(tmp_path / "run.pt", 1, recipe="strong")
    with pytest.raises(CheckpointError, match="a run with num_epochs 1, and this one has 2"):
        train(tmp_path / "run.pt", 2, recipe="strong", resume=True)


def test_a_network_that_is_spoilt_is_not_saved(tmp_path):
    net = make_net()
    history = train(tmp_path / "run.pt", 2, net, lr=1e39)
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
