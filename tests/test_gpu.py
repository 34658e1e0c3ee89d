"""make gpu: what it runs, and what it says where there is no GPU."""

import subprocess
import sys

import pytest
import torch

from tools import gpu


@pytest.fixture
def on_a_gpu(monkeypatch):
    """A machine that says that it has one."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    return monkeypatch


def call(monkeypatch, *parts):
    monkeypatch.setattr(sys, "argv", ["gpu", *parts])
    gpu.main()


def test_without_a_gpu_it_says_what_it_would_do(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("something was run"))
    call(monkeypatch)
    said = capsys.readouterr().out
    assert "no CUDA GPU, so nothing was run" in said
    assert [name for name in gpu.PARTS if name not in said] == []


def test_each_part_calls_what_is_there():
    for _, command in gpu.PARTS.values():
        script = command[1]
        assert script == "-m" or (gpu.ROOT / script).is_file()
    assert gpu.LIMIT <= 9 * 60
    lessons = {path.name[:2] for path in (gpu.ROOT / "lessons").glob("[0-9]*")}
    assert set(gpu.LESSONS) <= lessons


def test_parts_are_called_one_by_one(on_a_gpu, capsys):
    called = []
    on_a_gpu.setattr(gpu, "PARTS", {"good": ("", [sys.executable, "-c", "print('ran')"]),
                                    "other": ("", [sys.executable, "-c", "1 / 0"])})
    on_a_gpu.setattr(gpu, "run", lambda name, real=gpu.run: called.append(name) or real(name))
    call(on_a_gpu, "good")
    assert called == ["good"]
    assert "good: done after" in capsys.readouterr().out


def test_a_part_that_fails_or_hangs_does_not_stop_the_others(on_a_gpu, capsys):
    on_a_gpu.setattr(gpu, "LIMIT", 2)
    on_a_gpu.setattr(gpu, "PARTS", {
        "bad": ("", [sys.executable, "-c", "1 / 0"]),
        "slow": ("", [sys.executable, "-c", "import time; time.sleep(60)"]),
        "good": ("", [sys.executable, "-c", ""])})
    with pytest.raises(SystemExit, match="not done: bad, slow; each can be called again"):
        call(on_a_gpu)
    said = capsys.readouterr().out
    assert "bad: failed" in said
    assert "slow: stopped at its limit" in said
    assert "good: done" in said


def test_a_part_that_is_not_there_is_refused(on_a_gpu, capsys):
    with pytest.raises(SystemExit):
        call(on_a_gpu, "everything")
    assert "invalid choice: 'everything'" in capsys.readouterr().err
