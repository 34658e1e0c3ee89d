"""Folders and machines as a class has them: read-only, full, offline, and shared by thirty."""

import json
import os
import resource
import shutil
import subprocess
import sys

import pytest
from forked import run_python

from d2lvgg import cifar10, data, load_data_cifar10

# Each process starts when all are there, on one empty folder.
THIRTY = """
import fcntl, json, multiprocessing, sys
from pathlib import Path
from d2lvgg import cifar10

fcntl.flock = lambda *_: None  # as on a network drive, where it says yes to everyone
cifar10.SITE, cifar10.ARCHIVE_HASH, folder, total = json.loads(sys.argv[1])
cifar10.DATA_FOLDER = Path(folder)
context = multiprocessing.get_context("fork")
together = context.Barrier(30)

def student():
    together.wait(60)
    (images, labels), _, source = cifar10.find_cifar10()
    assert source.startswith("CIFAR-10, "), source
    assert int(images.sum()) == total

class_ = [context.Process(target=student) for _ in range(30)]
for process in class_:
    process.start()
for process in class_:
    process.join(120)
print([process.exitcode for process in class_])
"""


def test_thirty_start_on_one_empty_folder_at_once(served, archive):
    server, folder = served
    server.expect_request(f"/{cifar10.ARCHIVE}").respond_with_data(
        (archive / cifar10.ARCHIVE).read_bytes())
    images = cifar10.read_archive(archive)[0][0]
    done = subprocess.run(
        [sys.executable, "-c", THIRTY, json.dumps([
            cifar10.SITE, cifar10.ARCHIVE_HASH, str(folder), int(images.sum())])],
        capture_output=True, text=True, timeout=300)
    assert done.stdout == f"{[0] * 30}\n", done.stderr[-2000:]
    assert os.listdir(folder) == [cifar10.ARCHIVE]
    assert len(server.log) >= 2  # so several did start on an empty folder
    assert (cifar10.read_archive(folder)[0][0] == images).all()


def test_a_read_only_folder_with_good_data_works(archive, public_folder, without_rights):
    folder = shutil.copytree(archive, public_folder / "shared")
    for path in [*folder.iterdir(), folder]:
        path.chmod(0o555)
    with without_rights:
        with pytest.raises(PermissionError):
            (folder / "x").touch()
        train_iter, _ = load_data_cifar10(8, root=folder, source="folder")
    assert train_iter.source == f"CIFAR-10, {folder}"
    assert len(train_iter.labels) == 100
    folder.chmod(0o755)


def test_a_file_that_may_not_be_read_is_named(archive, public_folder, without_rights):
    folder = shutil.copytree(archive, public_folder / "shared")
    folder.chmod(0o755)
    (folder / cifar10.ARCHIVE).chmod(0)
    with without_rights, pytest.raises(data.DataError, match=f"{cifar10.ARCHIVE} cannot be read "
                                                               r"\(Permission denied\)"):
        cifar10.read_archive(folder)


def test_a_shipped_file_that_may_not_be_read_is_named(monkeypatch, public_folder, without_rights):
    name = "t10k-labels-idx1-ubyte"
    shutil.copy(data.FOLDER / f"{name}.gz", public_folder)
    monkeypatch.setattr(data, "FOLDER", public_folder)
    assert len(data.read_file(name)) == 10_000
    (public_folder / f"{name}.gz").chmod(0)
    with without_rights, pytest.raises(data.DataError, match=rf"{name}.gz .*\(Permission denied\)"):
        data.read_file(name)


def test_a_read_only_folder_without_data_is_one_clear_sentence(
        nowhere, public_folder, monkeypatch, without_rights):
    monkeypatch.setattr(cifar10, "DATA_FOLDER", public_folder / "data")
    with without_rights, pytest.raises(data.DataError, match="cannot write to .*Permission "
                                         "denied.*500 MB free .*D2LVGG_DATA"):
        cifar10.find_cifar10("download")


# Sockets are blocked before d2lvgg is imported, and there are no programs and no CIFAR-10.
OFFLINE = """
import socket, warnings

def refuse(*_args, **_kwargs):
    raise OSError("blocked")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from pathlib import Path
from d2lvgg import cifar10, data
cifar10.DATA_FOLDER = Path("data")
with warnings.catch_warnings():
    warnings.simplefilter("error")
    print(data.load_data_fashion_mnist(64, num_train=200, num_test=100)[0].source)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(cifar10.load_data_cifar10(64, num_train=200, num_test=100)[0].source)
print(*[warning.message for warning in caught], sep="|")
"""


def test_offline_fashion_mnist_is_there_and_shapes_stand_in_for_cifar10(tmp_path):
    done = run_python("-c", OFFLINE, folder=tmp_path, PATH="", D2LVGG_DATA="")
    assert done.returncode == 0, done.stderr
    fashion_mnist, cifar, words = done.stdout.splitlines()
    assert (fashion_mnist, cifar) == ("Fashion-MNIST", "coloured sketch set")
    assert "|" not in words  # one warning
    assert words.startswith("no CIFAR-10 could be had, so this runs on drawn shapes, and its "
                            "accuracies compare with nothing published. Tried: ")
    for reason in (f"{cifar10.ARCHIVE} cannot be read (No such file or directory)",
                   "cannot be reached, or sends another file (ConnectionError): connect to the "):
        assert reason in words
    assert os.listdir(tmp_path) == ["data"]
    assert os.listdir(tmp_path / "data") == []  # nothing half-written


def test_no_network_is_one_clear_sentence(nowhere, monkeypatch):
    asked = []

    def refuse(*arguments, **_options):
        asked.append(arguments[0])
        raise OSError("no network in this test")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)  # between attempts
    with pytest.raises(data.DataError, match="kriz/ cannot be reached.* connect to the network, or "
                                             f"put {cifar10.ARCHIVE} into {nowhere}"):
        cifar10.find_cifar10("download")
    assert set(asked) == {"www.cs.toronto.edu"}


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, with too little room for the archive."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", disk],
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk of its own without the right to mount ({done.stderr.strip()})")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.fixture
def serving(served, archive):
    """The empty data folder; the whole archive, of more than 100 kB, is served."""
    server, folder = served
    content = (archive / cifar10.ARCHIVE).read_bytes()
    assert len(content) > 100_000
    server.expect_request(f"/{cifar10.ARCHIVE}").respond_with_data(content)
    return folder


FULL = r"cannot write to .*{}.*: name a folder with 500 MB free .*D2LVGG_DATA"


def test_a_disk_that_fills_up_during_a_download(serving, small_disk, monkeypatch):
    monkeypatch.setattr(cifar10, "DATA_FOLDER", small_disk / "data")
    with pytest.raises(data.DataError, match=FULL.format("No space left on device")):
        cifar10.find_cifar10("download")
    assert os.listdir(small_disk / "data") == []


def test_a_quota_that_ends_during_a_download(serving):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, hard))
    try:
        with pytest.raises(data.DataError, match=FULL.format("File too large")):
            cifar10.find_cifar10("download")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(serving) == []
