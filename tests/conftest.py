"""What several test files share: a small CIFAR-10, and a machine with nothing at hand."""

import hashlib
import io
import socket
import tarfile

import numpy as np
import pytest

from d2lvgg import cifar10


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A machine with no network and no CIFAR-10; the folder, not there yet, where it is looked for.
    """
    def refuse(*_args, **_kwargs):
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("D2LVGG_DATA", raising=False)
    monkeypatch.setattr(cifar10, "DATA_FOLDER", tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def batches():
    """Six small files that stand for CIFAR-10's, by name."""
    random = np.random.default_rng(0)
    files = {}
    for name in cifar10.BATCHES:
        records = random.integers(0, 256, (20, cifar10.RECORD), dtype=np.uint8)
        records[:, 0] = np.arange(20) % 10
        files[name] = records.tobytes()
    return files


@pytest.fixture
def archive(batches, tmp_path, monkeypatch):
    """A folder with the archive of them in it, which has the hash that is wanted."""
    folder = tmp_path / "good"
    folder.mkdir()
    pack(batches, folder / cifar10.ARCHIVE)
    digest = hashlib.md5((folder / cifar10.ARCHIVE).read_bytes()).hexdigest()
    monkeypatch.setattr(cifar10, "ARCHIVE_HASH", f"md5:{digest}")
    return folder


def pack(files, path):
    """Write files, by name, into an archive such as CIFAR-10's."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
