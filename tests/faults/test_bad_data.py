"""Damaged archives and bad servers of CIFAR-10: refused or repaired, and never trained on.

What a damaged file of Fashion-MNIST does stands in tests/test_data.py.
"""

import gzip
import os
import threading
import time

import pytest
from werkzeug import Response

from d2lvgg import cifar10, data

PAGE = b"<!DOCTYPE html><html>Log in to the campus network</html>"
PATH = f"/{cifar10.ARCHIVE}"


def truncated(content):
    return content[:-300]


def page(_content):
    return PAGE


def nothing(_content):
    return b""


def wrong_byte(content):
    """Change one byte of an image inside: the archive itself opens, its file is not the one."""
    unpacked = bytearray(gzip.decompress(content))
    unpacked[1000] ^= 1
    return gzip.compress(unpacked)


def not_all(content):
    """End the archive after its first file."""
    unpacked = gzip.decompress(content)
    return gzip.compress(unpacked[:512 + 20 * cifar10.RECORD // 512 * 512 + 512] + bytes(1024))


each_damage = pytest.mark.parametrize("damage", [truncated, page, nothing, not_all, wrong_byte])
NOT_IT = f"{cifar10.ARCHIVE} is not the published file: delete it, and it is fetched"


def whole(archive):
    return (archive / cifar10.ARCHIVE).read_bytes()


def assert_good(found, archive):
    (images, labels), (_, test_labels), source = found
    assert source == "CIFAR-10, downloaded"
    assert (images == cifar10.read_archive(archive)[0][0]).all()
    assert labels.tolist() == [*range(10)] * 10
    assert test_labels.tolist() == [*range(10)] * 2


@each_damage
def test_a_damaged_archive_is_refused_by_name(archive, damage):
    (archive / cifar10.ARCHIVE).write_bytes(damage(whole(archive)))
    with pytest.raises(data.DataError, match=NOT_IT):
        cifar10.read_archive(archive)


@each_damage
def test_a_damaged_archive_is_fetched_anew(served, archive, damage):
    server, folder = served
    server.expect_request(PATH).respond_with_data(whole(archive))
    folder.mkdir()
    (folder / cifar10.ARCHIVE).write_bytes(damage(whole(archive)))
    with pytest.raises(data.DataError, match=NOT_IT):
        cifar10.find_cifar10("folder")
    assert_good(cifar10.find_cifar10(), archive)
    assert os.listdir(folder) == [cifar10.ARCHIVE]


def test_a_whole_download_is_kept_and_not_asked_for_again(served, archive):
    server, folder = served
    server.expect_request(PATH).respond_with_data(whole(archive))
    assert_good(cifar10.find_cifar10("download"), archive)
    assert os.listdir(folder) == [cifar10.ARCHIVE]
    assert (folder / cifar10.ARCHIVE).read_bytes() == whole(archive)
    assert cifar10.find_cifar10()[2].endswith("cache")
    assert len(server.log) == 1


@each_damage
def test_a_server_of_a_damaged_archive_is_refused(served, archive, damage, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)  # between attempts
    server, folder = served
    server.expect_request(PATH).respond_with_data(damage(whole(archive)))
    with pytest.raises(data.DataError, match=r"sends another file \(ValueError\): connect to "
                                             f".*or put {cifar10.ARCHIVE} into {folder}"):
        cifar10.find_cifar10("download")
    assert os.listdir(folder) == []


def test_a_server_that_is_busy_at_first_is_asked_again(served, archive, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    server, _ = served
    server.expect_oneshot_request(PATH).respond_with_data("busy", 503)
    server.expect_request(PATH).respond_with_data(whole(archive))
    assert_good(cifar10.find_cifar10("download"), archive)
    assert [response.status_code for _, response in server.log] == [503, 200]


def test_a_connection_that_breaks_off_is_tried_again(served, archive, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    server, _ = served
    content = whole(archive)
    server.expect_oneshot_request(PATH).respond_with_response(
        Response(iter([content[:500]]), headers={"Content-Length": len(content)}))
    server.expect_request(PATH).respond_with_data(content)
    assert_good(cifar10.find_cifar10("download"), archive)
    assert len(server.log) == 2


@pytest.mark.parametrize("begin", [b"", b"\x1f\x8b half a file"])
def test_a_stalled_server_is_given_up(served, monkeypatch, begin):
    monkeypatch.setattr(cifar10, "TIMEOUT", 0.5)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    server, folder = served
    over, asked = threading.Event(), []

    def stall():
        yield begin  # nothing, or a beginning, and then nothing more
        over.wait(30)

    def answer(request):
        asked.append(request.path)
        return Response(stall(), headers={"Content-Length": 1_000_000})

    server.expect_request(PATH).respond_with_handler(answer)
    try:
        with pytest.raises(data.DataError, match="cannot be reached.*: connect to the network, or "
                                                 f"put {cifar10.ARCHIVE} into {folder}"):
            cifar10.find_cifar10("download")
    finally:
        over.set()
    assert asked == [PATH] * (1 + cifar10.RETRIES)
    assert os.listdir(folder) == []
