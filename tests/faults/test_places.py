"""Folders and machines as a class has them: read-only, full, offline, and shared by thirty."""

import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import time

import pytest

from d2lvgg import data, load_data_fashion_mnist

NAMES = sorted(f"{name}.gz" for name in data.FILES)

# Each process starts when all are there, on one empty folder.
THIRTY = """
import fcntl, json, multiprocessing, sys
from pathlib import Path
from d2lvgg import data

fcntl.flock = lambda *_: None  # as on a network drive, where it says yes to everyone
files, mirror, resources, folder, sums = json.loads(sys.argv[1])
data.FILES = {name: (digest, tuple(shape), header) for name, (digest, shape, header)
              in files.items()}
data.FashionMNIST.mirrors, data.FashionMNIST.resources = [mirror], resources
data.data_folders = lambda root=None: [Path(folder)]
data.SYSTEM_FOLDER = Path(folder) / "none"
context = multiprocessing.get_context("fork")
together = context.Barrier(30)

def student():
    together.wait(60)
    arrays, source = data.find_fashion_mnist()
    assert source.startswith("Fashion-MNIST, "), source
    assert {name: int(array.sum()) for name, array in arrays.items()} == sums

class_ = [context.Process(target=student) for _ in range(30)]
for process in class_:
    process.start()
for process in class_:
    process.join(120)
print([process.exitcode for process in class_])
"""


def test_thirty_start_on_one_empty_folder_at_once(served, tiny):
    server, folder = served
    for path in tiny.iterdir():
        server.expect_request(f"/{path.name}").respond_with_data(path.read_bytes())
    sums = {name: int(array.sum()) for name, array in data.read_folder(tiny).items()}
    done = subprocess.run(
        [sys.executable, "-c", THIRTY, json.dumps([
            data.FILES, data.FashionMNIST.mirrors[0], data.FashionMNIST.resources, str(folder),
            sums])], capture_output=True, text=True, timeout=300)
    assert done.stdout == f"{[0] * 30}\n", done.stderr[-2000:]
    assert sorted(os.listdir(folder)) == NAMES
    assert len(server.log) >= 8  # so several did start on an empty folder
    data.read_folder(folder)


def test_a_read_only_folder_with_good_data_works(tiny, public_folder, without_rights):
    folder = shutil.copytree(tiny, public_folder / "shared")
    for path in [*folder.iterdir(), folder]:
        path.chmod(0o555)
    with without_rights:
        with pytest.raises(PermissionError):
            (folder / "x").touch()
        assert data.find_fashion_mnist("folder", folder)[1] == f"Fashion-MNIST, {folder}"
        assert len(load_data_fashion_mnist(8, root=folder, source="folder")[0].labels) == 20
    folder.chmod(0o755)


def test_a_file_that_may_not_be_read_is_named(tiny, public_folder, without_rights):
    folder = shutil.copytree(tiny, public_folder / "shared")
    folder.chmod(0o755)
    (folder / NAMES[0]).chmod(0)
    with without_rights, pytest.raises(data.DataError, match=f"{NAMES[0]} cannot be read "
                                                               r"\(Permission denied"):
        data.find_fashion_mnist("folder", folder)


def test_a_read_only_folder_without_data_is_one_clear_sentence(
        public_folder, monkeypatch, without_rights):
    monkeypatch.setattr(data, "data_folders", lambda root=None: [public_folder / "data"])
    with without_rights, pytest.raises(data.DataError, match="cannot write to .*Permission "
                                         "denied.*500 MB free .*D2LVGG_DATA"):
        data.find_fashion_mnist("download")


# Sockets are blocked before d2lvgg is imported, and there is no apt, no system copy, no data.
OFFLINE = """
import socket, sys, time, warnings

def refuse(*_args, **_kwargs):
    raise OSError("blocked")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from pathlib import Path
from d2lvgg import data
data.SYSTEM_FOLDER, data.data_folders = Path("none"), lambda root=None: [Path("data")]
began = time.perf_counter()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    train_iter, _ = data.load_data_fashion_mnist(64, num_train=200, num_test=100)
print(time.perf_counter() - began, train_iter.source, len(caught), caught[0].message, sep="|")
"""


def test_offline_with_no_data_the_sketch_set_is_reached_in_ten_seconds(tmp_path):
    done = subprocess.run([sys.executable, "-c", OFFLINE], capture_output=True, text=True,
                          cwd=tmp_path, timeout=300, check=True,
                          env={**os.environ, "PATH": "", "D2LVGG_DATA": ""})
    seconds, source, warned, words = done.stdout.strip().split("|")
    assert float(seconds) < 10
    assert source == "sketch set"
    assert warned == "1"
    assert words.startswith("no Fashion-MNIST could be had, so this runs on drawn sketches, and "
                            "its accuracies compare with nothing published. Tried: ")
    for reason in ("train-images-idx3-ubyte.gz is not there", "cannot be reached", "no apt-get"):
        assert reason in words
    assert os.listdir(tmp_path / "data") == []  # nothing half-written


def test_no_network_is_one_clear_sentence(nowhere):
    began = time.perf_counter()
    with pytest.raises(data.DataError, match="cannot be reached: connect to the network, or put"):
        data.find_fashion_mnist("download")
    assert time.perf_counter() - began < 5


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, with room for one small file and not for a second."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", disk],
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk of its own without the right to mount ({done.stderr.strip()})")
    yield disk
    subprocess.run(["umount", disk], check=True)


def too_large(path, size=100_000):
    """Give a .gz file a tail of other members, so that it still holds what it held."""
    with path.open("ab") as file:
        file.write(gzip.compress(b"", 0) * (size // 20))


def serve_large(served, tiny, monkeypatch):
    server, folder = served
    monkeypatch.setattr(data.FashionMNIST, "resources", [])
    found = []
    for path in tiny.iterdir():
        too_large(path)
        server.expect_request(f"/{path.name}").respond_with_data(path.read_bytes())
    for name in data.FILES:
        content = (tiny / f"{name}.gz").read_bytes()
        found.append((f"{name}.gz", data.hashlib.md5(content).hexdigest()))
    monkeypatch.setattr(data.FashionMNIST, "resources", found)
    return folder


FULL = r"cannot write to .*{}.*: name a folder with 500 MB free .*D2LVGG_DATA"


def test_a_disk_that_fills_up_during_a_download(served, tiny, small_disk, monkeypatch):
    serve_large(served, tiny, monkeypatch)
    monkeypatch.setattr(data, "data_folders", lambda root=None: [small_disk / "data"])
    with pytest.raises(data.DataError, match=FULL.format("No space left on device")):
        data.find_fashion_mnist("download")
    assert os.listdir(small_disk / "data") == []


def test_a_quota_that_ends_during_a_download(served, tiny, monkeypatch):
    folder = serve_large(served, tiny, monkeypatch)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, hard))
    try:
        with pytest.raises(data.DataError, match=FULL.format("File too large")):
            data.find_fashion_mnist("download")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(folder) == []


@pytest.fixture
def debian(tiny, tmp_path, monkeypatch):
    """An apt-get that hands out a small dataset-fashion-mnist; returns the data folder."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("no dpkg-deb: this is not Debian")
    root = tmp_path / "package"
    shutil.copytree(tiny, root / "usr/share/datasets/fashion-mnist")
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN" / "control").write_text(
        "Package: dataset-fashion-mnist\nVersion: 1\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: small\n")
    monkeypatch.setattr(data, "SYSTEM_FOLDER", data.Path("/usr/share/datasets/fashion-mnist"))
    folder = tmp_path / "data"
    monkeypatch.setattr(data, "data_folders", lambda root=None: [folder])
    binaries = tmp_path / "bin"
    binaries.mkdir()
    monkeypatch.setenv("PATH", f"{binaries}:{os.environ['PATH']}")

    def pack():
        package = tmp_path / "small.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", root, package], check=True,
                       capture_output=True)
        (binaries / "apt-get").write_text(f"#!/bin/sh\nln -s {package} ./small.deb\n")
        (binaries / "apt-get").chmod(0o755)
        return folder

    pack.contents = root / "usr/share/datasets/fashion-mnist"
    return pack


def test_debians_package_is_unpacked_and_nothing_else_is_left(debian):
    folder = debian()
    assert data.find_fashion_mnist("debian")[1] == "Fashion-MNIST, Debian's package"
    assert sorted(os.listdir(folder)) == NAMES


def test_a_disk_that_fills_up_during_unpacking(debian, small_disk, monkeypatch):
    for path in debian.contents.iterdir():
        too_large(path)
    debian()
    monkeypatch.setattr(data, "data_folders", lambda root=None: [small_disk / "data"])
    with pytest.raises(data.DataError, match=FULL.format("No space left on device")):
        data.find_fashion_mnist("debian")
    assert os.listdir(small_disk / "data") == []
