"""Dumps of all graphs as files: content, digests, versions, byte ranges, licenses."""

import asyncio
import base64
import gc
import gzip
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx2
import pyoxigraph as ox
import pytest
from fastapi import FastAPI
from wgig import zstd
from wgig.app import create_app, make_service
from wgig.graphs import dumps, dumps_routes
from wgig.graphs.dumps import DUMP_NAMES, DumpFile, wrap_dump_future
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import make_client, make_service_client

pytestmark = pytest.mark.slow

FIRST_UPDATE = (
    "INSERT DATA { <x:a> <x:p> 1 GRAPH <x:g> { <x:b> <x:q> 'two' } GRAPH <x:h> { <x:b> <x:q> 'three' } }"
)
SECOND_UPDATE = "INSERT DATA { <x:c> <x:p> 3 }"


@pytest.fixture(params=["in memory", "on disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    store = Store.in_memory() if request.param == "in memory" else Store.open(tmp_path / "store")
    store.update(FIRST_UPDATE)
    return store


@pytest.fixture
def app(store: Store) -> FastAPI:
    return create_app(make_service(Settings(), store))


@pytest.fixture
def client(app: FastAPI) -> httpx2.Client:
    return make_client(app)


def decompress_dump(name: str, content: bytes) -> bytes:
    """The uncompressed content of a dump; `name` is such as `nq.gz`."""
    if name.endswith(".gz"):
        return gzip.decompress(content)
    return zstd.decompress(content) if name.endswith(".zst") else content


@pytest.mark.parametrize("name", DUMP_NAMES)
def test_dump_contains_all_graphs(client: httpx2.Client, store: Store, name: str) -> None:
    response = client.get(f"/dump.{name}")
    format_ = ox.RdfFormat.N_QUADS if name.startswith("nq") else ox.RdfFormat.TRIG
    assert set(ox.parse(decompress_dump(name, response.content), format_)) == set(store.match())
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize("name", DUMP_NAMES)
def test_digest_is_in_header_and_in_sha256_file(client: httpx2.Client, name: str) -> None:
    response = client.get(f"/dump.{name}")
    digest = hashlib.sha256(response.content)
    assert response.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert client.get(f"/dump.{name}.sha256").text == f"{digest.hexdigest()}  dump.{name}\n"
    path = response.headers["content-location"]
    assert client.get(f"{path}.sha256").text == f"{digest.hexdigest()}  {path.rpartition('/')[2]}\n"


def test_dump_is_up_to_date_after_write(client: httpx2.Client, store: Store) -> None:
    before = client.get("/dump.nq")
    assert before.headers["cache-control"] == "no-cache"
    store.update(SECOND_UPDATE)
    after = client.get("/dump.nq")
    assert set(ox.parse(after.content, ox.RdfFormat.N_QUADS)) == set(store.match())
    assert after.headers["etag"] != before.headers["etag"]


def test_version_of_dump_has_permanent_url(client: httpx2.Client, store: Store) -> None:
    first = client.get("/dump.nq.gz")
    store.update(SECOND_UPDATE)
    client.get("/dump.nq.gz")
    old = client.get(first.headers["content-location"])
    assert old.content == first.content
    assert old.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert '</dump.nq.gz>; rel="latest-version"' in old.headers["link"]
    store.update("DELETE DATA { <x:c> <x:p> 3 }")
    assert client.get("/dump.nq.gz").headers["content-location"] == first.headers["content-location"]


def test_only_last_versions_are_kept(client: httpx2.Client, store: Store) -> None:
    paths = []
    for number in range(dumps.KEPT_DUMP_VERSIONS + 1):
        store.update(f"INSERT DATA {{ <x:a> <x:n> {number} }}")
        paths.append(client.get("/dump.nq").headers["content-location"])
    assert [client.get(path).status_code for path in paths] == [404, *[200] * dumps.KEPT_DUMP_VERSIONS]
    assert "The latest: /dump.nq" in client.get(paths[0]).json()["detail"]


def test_dump_does_not_depend_on_order_of_writes(tmp_path: Path) -> None:
    quads = [f"GRAPH <x:g{number % 7}> {{ <x:{number}> <x:p> 'a text {number}' }}" for number in range(200)]
    dumps_by_store = []
    for folder, ordered_quads in (("one", quads), ("two", reversed(quads))):
        store = Store.open(tmp_path / folder)
        for quad in ordered_quads:
            store.update(f"INSERT DATA {{ {quad} }}")
        client = make_service_client(Settings(), store)
        dumps_by_store.append([client.get(f"/dump.{name}").content for name in DUMP_NAMES])
    assert dumps_by_store[0] == dumps_by_store[1]


def test_dumps_of_earlier_process_are_rewritten(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    store.update(FIRST_UPDATE)
    before = [make_service_client(Settings(), store).get(f"/dump.{name}").content for name in DUMP_NAMES]
    for file in (tmp_path / "store" / "aside" / "dumps").rglob("*.*"):
        file.write_bytes(bytes(file.stat().st_size))
    client = make_service_client(Settings(), store)
    assert [client.get(f"/dump.{name}").content for name in DUMP_NAMES] == before
    digest = hashlib.sha256(before[0]).hexdigest()
    assert client.get(f"/dump.{DUMP_NAMES[0]}.sha256").text == f"{digest}  dump.{DUMP_NAMES[0]}\n"


def damage_folder(folder: Path) -> None:
    """Remove the folder."""
    shutil.rmtree(folder)


def damage_zstd_files(folder: Path) -> None:
    """Cut the zstd files to half, and remove what was made from them."""
    for path in folder.glob("*/*"):
        if path.suffix == ".zst":
            os.truncate(path, path.stat().st_size // 2)
        elif not path.name.endswith(".zst.sha256"):
            path.unlink()


def damage_all_files(folder: Path) -> None:
    """Cut all files to length 0."""
    for path in folder.glob("*/*"):
        os.truncate(path, 0)


@pytest.mark.parametrize("damage", [damage_folder, damage_zstd_files, damage_all_files])
@pytest.mark.parametrize("name", DUMP_NAMES)
def test_damaged_dump_is_made_again(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    store = Store.open(tmp_path / "store")
    store.update(FIRST_UPDATE)
    client = make_service_client(Settings(), store)
    before = client.get(f"/dump.{name}")
    damage(tmp_path / "store" / "aside" / "dumps")
    after = client.get(f"/dump.{name}")
    assert (after.status_code, after.content) == (200, before.content)
    assert after.headers["repr-digest"] == before.headers["repr-digest"]


def test_cut_dump_is_made_again_from_its_zstd_file(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    store.update(FIRST_UPDATE)
    client = make_service_client(Settings(), store)
    first = client.get("/dump.nq.gz")
    store.update(SECOND_UPDATE)
    client.get("/dump.nq.gz")
    path = first.headers["content-location"]
    (cut_file,) = (tmp_path / "store" / "aside" / "dumps").glob(
        f"{path.removeprefix('/dump/').partition('.')[0]}/nq.gz"
    )
    os.truncate(cut_file, 0)
    assert client.get(path).content == first.content


def test_damaged_version_is_not_kept(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    store.update(FIRST_UPDATE)
    client = make_service_client(Settings(), store)
    path = client.get("/dump.nq.gz").headers["content-location"]
    store.update(SECOND_UPDATE)
    client.get("/dump.nq.gz")
    damage_zstd_files(tmp_path / "store" / "aside" / "dumps")
    response = client.get(path)
    assert response.status_code == 404
    assert "The latest: /dump.nq.gz" in response.json()["detail"]


def test_versions_from_before_the_clock_was_set_back_are_the_oldest(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    client = make_service_client(Settings(), store)

    def write_and_dump(number: int) -> str:
        store.update(f"INSERT DATA {{ <x:a> <x:n> {number} }}")
        response = client.get("/dump.nq")
        assert response.status_code == 200
        return response.headers["content-location"]

    paths = [write_and_dump(number) for number in range(dumps.KEPT_DUMP_VERSIONS)]
    for folder in (tmp_path / "store" / "aside" / "dumps").iterdir():
        os.utime(folder, (time.time() + 3600, folder.stat().st_mtime + 3600))
    paths += [write_and_dump(number) for number in range(10, 10 + dumps.KEPT_DUMP_VERSIONS)]
    kept, forgotten = paths[-dumps.KEPT_DUMP_VERSIONS :], paths[: -dumps.KEPT_DUMP_VERSIONS]
    assert {client.get(path).status_code for path in kept} == {200}
    assert {client.get(path).status_code for path in forgotten} == {404}


def test_concurrent_requests_share_one_dump(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    write_dump = dumps.StoreDumps.write_dump

    def record_call(*args: Any) -> str:
        calls.append(args)
        return write_dump(*args)

    monkeypatch.setattr(dumps.StoreDumps, "write_dump", record_call)
    threads = [threading.Thread(target=lambda: make_client(app).get("/dump.nq.gz")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert make_client(app).get("/dump.trig").status_code == 200
    assert len(calls) == 2  # N-Quads and TriG


def test_unchanged_dump_is_304(client: httpx2.Client) -> None:
    tag = client.get("/dump.nq.gz").headers["etag"]
    response = client.get("/dump.nq.gz", headers={"If-None-Match": tag})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == tag


@pytest.mark.parametrize(
    ("byte_range", "start", "end"), [("bytes=0-3", 0, 4), ("bytes=5-", 5, None), ("bytes=-4", -4, None)]
)
def test_byte_range_is_returned(client: httpx2.Client, byte_range: str, start: int, end: int | None) -> None:
    complete = client.get("/dump.nq.gz")
    partial = client.get("/dump.nq.gz", headers={"Range": byte_range, "If-Range": complete.headers["etag"]})
    assert partial.status_code == 206
    assert partial.content == complete.content[start:end]
    assert partial.headers["content-range"].endswith(f"/{len(complete.content)}")
    assert partial.headers["repr-digest"] == complete.headers["repr-digest"]


@pytest.mark.parametrize(
    "byte_range", ["bytes=3-1", "bytes=", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4"]
)
def test_invalid_range_is_ignored(client: httpx2.Client, byte_range: str) -> None:
    complete = client.get("/dump.nq.gz")
    response = client.get("/dump.nq.gz", headers={"Range": byte_range})
    assert (response.status_code, response.content) == (200, complete.content)


def test_range_is_ignored_if_if_range_does_not_match(client: httpx2.Client) -> None:
    complete = client.get("/dump.nq.gz")
    for tag in ('"another"', f"W/{complete.headers['etag']}"):
        response = client.get("/dump.nq.gz", headers={"Range": "bytes=99999-", "If-Range": tag})
        assert (response.status_code, response.content) == (200, complete.content)


def test_range_of_another_version_is_refused_by_if_match(client: httpx2.Client) -> None:
    tag = client.get("/dump.nq.gz").headers["etag"]
    for tags in ('"another"', f"W/{tag}"):
        response = client.get("/dump.nq.gz", headers={"Range": "bytes=5-", "If-Match": tags})
        assert response.status_code == 412
        assert "The dump has changed" in response.json()["detail"]
    for tags in (tag, f'"another", {tag}', "*"):
        assert client.get("/dump.nq.gz", headers={"Range": "bytes=5-", "If-Match": tags}).status_code == 206


@pytest.mark.parametrize("byte_range", ["bytes=99999-", "bytes=-0", f"bytes={'9' * 18}-"])
def test_range_after_end_is_refused(client: httpx2.Client, byte_range: str) -> None:
    response = client.get("/dump.nq.gz", headers={"Range": byte_range})
    assert response.status_code == 416
    size = len(client.get("/dump.nq.gz").content)
    assert response.headers["content-range"] == f"bytes */{size}"
    assert f"The file has {size} bytes" in response.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/dump.zip", 404),
        ("/dump.nq.gz.zst", 404),
        ("/dump.nq.sha256.sha256", 404),
        ("/dump/nq.gz", 404),
        (f"/dump/{'0' * 32}.nq.gz", 404),
        (f"/dump/{'0' * 32}.zip", 404),
        ("/dump/..%2F..%2Fquads.nq", 404),
        ("/dump.nq?version=1", 400),
    ],
)
def test_unknown_dump_is_refused(client: httpx2.Client, path: str, status: int) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_slow_dump_is_503_with_retry_after(client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    may_start = threading.Event()
    write_dump = dumps.StoreDumps.write_dump
    monkeypatch.setattr(dumps.StoreDumps, "write_dump", lambda *args: may_start.wait() and write_dump(*args))
    monkeypatch.setattr(dumps_routes, "DUMP_WAIT_SECONDS", 0)
    response = client.get("/dump.nq")
    assert (response.status_code, response.headers["retry-after"]) == (503, "30")
    monkeypatch.setattr(dumps_routes, "DUMP_WAIT_SECONDS", 20)
    may_start.set()
    assert client.get("/dump.nq").status_code == 200


def test_writes_continue_while_dump_is_made(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    store.update(FIRST_UPDATE)
    app = create_app(make_service(Settings(), store))
    write_dump = dumps.StoreDumps.write_dump

    def update_then_write(*args: Any) -> str:
        thread = threading.Thread(target=store.update, args=[SECOND_UPDATE])
        thread.start()
        thread.join()
        return write_dump(*args)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(dumps.StoreDumps, "write_dump", update_then_write)
        dump = make_client(app).get("/dump.nq").text
    assert "<x:c>" not in dump
    assert "<x:c>" in make_client(app).get("/dump.nq").text


def test_dump_has_license_that_all_graphs_state(client: httpx2.Client, store: Store) -> None:
    def get_links() -> str:
        return str(client.get("/dump.nq").headers["link"])

    assert 'rel="license"' not in get_links()
    license_ = "<http://purl.org/dc/terms/license> <x:free>"
    store.update(f"CLEAR DEFAULT ; INSERT DATA {{ GRAPH <x:g> {{ <x:g> {license_} . <x:h> {license_} }} }}")
    assert '<x:free>; rel="license"' in get_links()
    store.update(SECOND_UPDATE)
    assert 'rel="license"' not in get_links()


def test_failure_of_a_dump_that_nobody_waits_for_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    future: Future[DumpFile] = Future()

    async def leave() -> None:
        wrapped = wrap_dump_future(future)
        future.set_exception(OSError("disk full"))
        await asyncio.wait([wrapped])
        del wrapped

    asyncio.run(leave())
    gc.collect()
    assert not caplog.records
