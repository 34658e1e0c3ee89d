"""python -m d2lvgg, as typed in a terminal."""

import os
import re
import select
import struct
import subprocess
import sys

import pytest
from forked import run_python

fcntl = pytest.importorskip("fcntl", reason="Windows has no pseudo-terminals")
import pty  # noqa: E402
import termios  # noqa: E402

from d2lvgg import __main__ as command  # noqa: E402


def d2lvgg(*arguments, **environment):
    return run_python("-m", "d2lvgg", *arguments, **environment)


def test_train_shows_its_progress_prints_a_table_and_saves_the_curve(tmp_path):
    leader, follower = pty.openpty()  # a terminal, for the bar
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    with open(tmp_path / "printed", "w+") as printed, subprocess.Popen(
            [sys.executable, "-m", "d2lvgg", "train", "--scale", "smoke", "--out",
             str(tmp_path / "new")], stdout=printed, stderr=follower) as process:
        os.close(follower)
        shown = b""
        while process.poll() is None or select.select([leader], [], [], 0)[0]:
            try:
                if select.select([leader], [], [], 0.2)[0]:
                    shown += os.read(leader, 4096)
            except OSError:  # the other end is closed
                break
    os.close(leader)
    said = (tmp_path / "printed").read_text()
    assert process.returncode == 0, shown
    assert re.search(rb"2\.00/2 epochs, \d\d:\d\d gone, \d\d:\d\d left, \d+ examples/s",
                     shown)
    assert re.search(r"loss \d\.\d{3}, train acc \d\.\d{3}, test acc \d\.\d{3}", said)
    assert re.search(r"epoch +\n1 +\d\.\d+ ", said)
    assert "examples_per_sec  book_examples_per_sec" in said
    assert (tmp_path / "new" / "curve.svg").read_text().startswith("<?xml")


def test_check_names_versions_device_data_and_scale():
    done = d2lvgg("check")
    assert done.returncode == 0, done.stderr
    for word in ("torch:", "torchvision:", "d2l: 1.0.3", "device:", "memory:",
                 "data: Fashion-MNIST, whole", "smoke"):
        assert word in done.stdout


@pytest.mark.parametrize(("arguments", "environment", "words"), [
    (("train", "--scale", "tiny"), {}, "'tiny' is unknown: choose one of full, laptop, smoke"),
    (("train",), {"D2LVGG_SCALE": "big"}, "'big' is unknown: choose one of"),
    (("train", "--out", "/proc/none"), {}, "/proc/none"),
    (("train", "--epochs", "0"), {}, "num_epochs"),
])
def test_bad_input_is_one_sentence(monkeypatch, tmp_path, arguments, environment, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["d2lvgg", *arguments])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=words) as stop:
        command.main()
    assert str(stop.value).startswith("d2lvgg: ")  # printed to stderr, and exit status 1


def test_progress_prints_each_tally_that_it_is_given(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("D2LVGG_PROGRESS")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["d2lvgg", "progress"])
    command.main()
    assert capsys.readouterr().out == ("d2lvgg_progress.json: no lessons noted\n"
                                       "notebooks/d2lvgg_progress.json: no lessons noted\n")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "d2lvgg_progress.json").write_text(
        '{"03": {"predictions": {"How many?": true, "Why?": null}, "exercises": {"blur": true}}}')
    command.main()
    assert capsys.readouterr().out == (
        "d2lvgg_progress.json: no lessons noted\n"
        "notebooks/d2lvgg_progress.json: 1 lessons noted\n"
        "03  predictions: 1 right, 0 not, 1 not made · exercises solved: blur\n")
    (tmp_path / "other.json").write_text("[]")
    monkeypatch.setattr(sys, "argv", ["d2lvgg", "progress", "other.json"])
    with pytest.raises(SystemExit, match="other.json is not what d2lvgg wrote"):
        command.main()


def test_no_command_lists_the_commands(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["d2lvgg"])
    with pytest.raises(SystemExit):
        command.main()
    assert "check | progress | train" in capsys.readouterr().err
