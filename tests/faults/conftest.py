"""A local server that stands in for Fashion-MNIST's mirror."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from d2lvgg import data

NOBODY = 65534


@pytest.fixture
def served(tiny, monkeypatch, tmp_path):
    """(server, empty data folder): where d2lvgg downloads from, and where to. Nothing is served
    until a test says so; tiny holds what should be."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(data, "data_folders", lambda root=None: [folder])
    monkeypatch.setattr(data.FashionMNIST, "resources", [
        (f"{name}.gz", hashlib.md5((tiny / f"{name}.gz").read_bytes()).hexdigest())
        for name in data.FILES])
    with HTTPServer(threaded=True) as server:
        monkeypatch.setattr(data.FashionMNIST, "mirrors", [server.url_for("/")])
        yield server, folder


@pytest.fixture
def public_folder():
    """A folder that a user without rights can reach, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture
def without_rights():
    """A context without root's rights: root may write anywhere, so no folder is read-only to it."""
    @contextlib.contextmanager
    def somebody_else():
        if os.geteuid():
            yield
            return
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)

    return somebody_else()
