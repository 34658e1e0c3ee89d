"""A local server that stands in for CIFAR-10's, and a user without rights."""

import contextlib
import os
import tempfile
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from d2lvgg import cifar10

NOBODY = 65534


@pytest.fixture
def served(archive, monkeypatch, tmp_path):
    """(server, empty data folder): where d2lvgg downloads CIFAR-10 from, and where to. Nothing is
    served until a test says so; archive holds what should be."""
    folder = tmp_path / "cache"
    monkeypatch.delenv("D2LVGG_DATA", raising=False)
    monkeypatch.setattr(cifar10, "DATA_FOLDER", folder)
    with HTTPServer(threaded=True) as server:
        monkeypatch.setattr(cifar10, "SITE", server.url_for("/"))
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
