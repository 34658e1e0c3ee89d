"""Damaged files and bad servers: refused or repaired, and never trained on."""

import gzip
import os
import threading
import time

import pytest
from werkzeug import Response

from d2lvgg import data, load_data_fashion_mnist

NAME = "train-images-idx3-ubyte"
PAGE = b"<!DOCTYPE html><html>Log in to the campus network</html>"


def truncated(content):
    return gzip.compress(content)[:-200]


def page(_content):
    return PAGE


def wrong_magic(content):
    return gzip.compress(b"\x89PNG" + content[4:])


def wrong_size(content):
    return gzip.compress(content[:-5])


def wrong_byte(content):
    return gzip.compress(content[:-1] + bytes([content[-1] ^ 1]))


DAMAGES = [(truncated, "truncated or damaged"), (page, "not a gzip file.*DOCTYPE"),
           (wrong_magic, "wrong contents"), (wrong_size, "should hold"),
           (wrong_byte, "wrong contents")]
each_damage = pytest.mark.parametrize(("damage", "words"), DAMAGES, ids=lambda d: getattr(
    d, "__name__", ""))


def content_of(tiny, name=NAME):
    return gzip.decompress((tiny / f"{name}.gz").read_bytes())


def serve(server, folder, **instead):
    """Serve every file of folder, but for those given, by name, as a body or a Response."""
    for path in folder.iterdir():
        answer = instead.get(path.stem, path.read_bytes())
        answer = Response(answer) if isinstance(answer, bytes) else answer
        server.expect_request(f"/{path.name}").respond_with_response(answer)


def assert_good(arrays, tiny):
    for name, array in arrays.items():
        assert content_of(tiny, name).endswith(array.tobytes())
        assert array.size > 0


@each_damage
def test_a_damaged_file_is_refused_by_name(tiny, damage, words):
    (tiny / f"{NAME}.gz").write_bytes(damage(content_of(tiny)))
    with pytest.warns(UserWarning, match=f"{NAME}.gz.*{words}"), \
            pytest.raises(data.DataError, match=f"{NAME}.gz.*delete it, or run `python -m d2lvgg"):
        data.find_fashion_mnist("folder", tiny)


@pytest.mark.parametrize("change", [lambda c: c[:-1000], lambda c: PAGE, lambda c: b"",
                                    lambda c: c[:-1] + bytes([c[-1] ^ 1])])
def test_a_damaged_extracted_file_is_refused_by_name(tiny, change):
    content = content_of(tiny)
    (tiny / f"{NAME}.gz").unlink()
    (tiny / NAME).write_bytes(change(content))
    with pytest.warns(UserWarning, match=f"{NAME} .*(should hold|wrong contents).*: delete it"), \
            pytest.raises(data.DataError, match=f"{NAME} .*delete it, or run"):
        load_data_fashion_mnist(8, root=tiny, source="folder")


@each_damage
def test_a_damaged_file_is_fetched_anew(served, tiny, damage, words):
    server, folder = served
    serve(server, tiny)
    folder.mkdir()
    (folder / f"{NAME}.gz").write_bytes(damage(content_of(tiny)))
    with pytest.warns(UserWarning, match=words):
        arrays, source = data.find_fashion_mnist()
    assert source == "Fashion-MNIST, downloaded"
    assert_good(arrays, tiny)
    assert sorted(os.listdir(folder)) == sorted(f"{name}.gz" for name in data.FILES)
    server.clear()
    assert data.find_fashion_mnist("folder")[1].endswith("cache")


def test_a_whole_download_is_kept_and_not_asked_for_again(served, tiny):
    server, folder = served
    serve(server, tiny)
    assert_good(data.find_fashion_mnist("download")[0], tiny)
    assert sorted(os.listdir(folder)) == sorted(f"{name}.gz" for name in data.FILES)
    assert len(server.log) == 4
    data.find_fashion_mnist()
    data.find_fashion_mnist("download")
    assert len(server.log) == 4


@each_damage
def test_a_server_of_damaged_files_is_refused(served, tiny, damage, words, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)  # between attempts
    server, folder = served
    serve(server, tiny, **{NAME: damage(content_of(tiny))})
    with pytest.raises(data.DataError, match=f"download of {NAME}.gz failed.*try again later, or "
                                             f"put the four files of Fashion-MNIST into {folder}"):
        data.find_fashion_mnist("download")
    assert os.listdir(folder) == []


def test_a_damaged_file_with_the_published_md5_is_refused_too(served, tiny, monkeypatch):
    server, folder = served
    bad = wrong_byte(content_of(tiny))
    serve(server, tiny, **{NAME: bad})
    monkeypatch.setattr(data.FashionMNIST, "resources", [
        (file, data.hashlib.md5(bad).hexdigest() if NAME in file else md5)
        for file, md5 in data.FashionMNIST.resources])
    with pytest.raises(data.DataError, match=f"{NAME}.gz has the right size and the wrong cont"):
        data.find_fashion_mnist("download")
    assert os.listdir(folder) == []


def test_a_server_that_is_busy_at_first_is_asked_again(served, tiny):
    server, _ = served
    for path in tiny.iterdir():
        server.expect_oneshot_request(f"/{path.name}").respond_with_data("busy", 503)
        server.expect_request(f"/{path.name}").respond_with_data(path.read_bytes())
    assert_good(data.find_fashion_mnist("download")[0], tiny)
    assert [response.status_code for _, response in server.log] == [503, 200] * 4


def test_a_connection_that_breaks_off_is_tried_again(served, tiny):
    server, _ = served
    whole = (tiny / f"{NAME}.gz").read_bytes()
    server.expect_oneshot_request(f"/{NAME}.gz").respond_with_response(
        Response(iter([whole[:500]]), headers={"Content-Length": len(whole)}))
    serve(server, tiny)
    assert_good(data.find_fashion_mnist("download")[0], tiny)
    assert len(server.log) == 5


@pytest.mark.parametrize("begin", [b"", b"\x1f\x8b half a file"])
def test_a_stalled_server_is_given_up_once(served, tiny, monkeypatch, begin):
    monkeypatch.setattr(data, "TIMEOUT", 0.5)
    server, folder = served
    over = threading.Event()

    def stall():
        yield begin  # nothing, or a beginning, and then nothing more
        over.wait(30)

    server.expect_request(f"/{NAME}.gz").respond_with_handler(lambda _request: Response(
        stall(), headers={"Content-Length": 1_000_000}))
    began = time.perf_counter()
    try:
        with pytest.raises(data.DataError, match="cannot be reached: connect to the network, or "
                                                 "put the four files of Fashion-MNIST into"):
            data.find_fashion_mnist("download")
    finally:
        over.set()
    assert time.perf_counter() - began < 5
    assert os.listdir(folder) == []
