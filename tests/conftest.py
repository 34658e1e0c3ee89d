"""What several test files share: small data sets, and a machine with no data at hand."""

import gzip
import hashlib
import shutil
import socket

import numpy as np
import pytest

from d2lvgg import data


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No data on this machine, no network, no apt; an empty data folder."""
    def refuse(*_args, **_kwargs):
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(data, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.setattr(data, "data_folders", lambda root=None: [tmp_path / "data"])
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    return tmp_path


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Four small files that stand for Fashion-MNIST, with hashes to match."""
    folder = tmp_path / "good"
    folder.mkdir()
    random = np.random.default_rng(0)
    files = {}
    for name, (_, shape, header) in data.FILES.items():
        shape = (20, *shape[1:])
        pixels = random.integers(0, 10, shape, dtype=np.uint8)
        content = b"\0" * header + pixels.tobytes()
        files[name] = (hashlib.sha256(content).hexdigest(), shape, header)
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    monkeypatch.setattr(data, "FILES", files)
    monkeypatch.setattr(data, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.delenv("D2LVGG_DATA", raising=False)
    return folder
