"""Dumps of all graphs: files made once for what the store holds, with their digests, and in parts."""

import base64
import gzip
import hashlib
import threading
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
import zstandard
from fastapi import FastAPI
from wgig.app import create_app, make_service
from wgig.graphs import dumps, dumps_routes
from wgig.graphs.dumps import DUMP_NAMES
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import client_of, service_of

pytestmark = pytest.mark.slow

ONE = "INSERT DATA { <x:a> <x:p> 1 GRAPH <x:g> { <x:b> <x:q> 'two' } GRAPH <x:h> { <x:b> <x:q> 'three' } }"
MORE = "INSERT DATA { <x:c> <x:p> 3 }"


@pytest.fixture(params=["in memory", "on disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    store = Store.in_memory() if request.param == "in memory" else Store.open(tmp_path / "store")
    store.update(ONE)
    return store


@pytest.fixture
def app(store: Store) -> FastAPI:
    return create_app(make_service(Settings(), store))


@pytest.fixture
def client(app: FastAPI) -> httpx.Client:
    return client_of(app)


def plain(name: str, content: bytes) -> bytes:
    """What a dump holds, whatever its coding."""
    if name.endswith(".gz"):
        return gzip.decompress(content)
    return (
        zstandard.ZstdDecompressor().decompressobj().decompress(content) if name.endswith(".zst") else content
    )


def quads(store: Store) -> set[ox.Quad]:
    return set(store.match())


@pytest.mark.parametrize("name", DUMP_NAMES)
def test_a_dump_holds_every_graph(client: httpx.Client, store: Store, name: str) -> None:
    answer = client.get(f"/dump.{name}")
    format_ = ox.RdfFormat.N_QUADS if name.startswith("nq") else ox.RdfFormat.TRIG
    assert set(ox.parse(plain(name, answer.content), format_)) == quads(store)
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("name", DUMP_NAMES)
def test_a_dump_tells_its_digest_in_a_field_and_in_a_file_beside(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/dump.{name}")
    digest = hashlib.sha256(answer.content)
    assert answer.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert client.get(f"/dump.{name}.sha256").text == f"{digest.hexdigest()}  dump.{name}\n"
    here = answer.headers["content-location"]
    assert client.get(f"{here}.sha256").text == f"{digest.hexdigest()}  {here.rpartition('/')[2]}\n"


def test_a_dump_shows_each_write(client: httpx.Client, store: Store) -> None:
    before = client.get("/dump.nq")
    assert before.headers["cache-control"] == "no-cache"
    store.update(MORE)
    after = client.get("/dump.nq")
    assert set(ox.parse(after.content, ox.RdfFormat.N_QUADS)) == quads(store)
    assert after.headers["etag"] != before.headers["etag"]


def test_a_version_has_an_address_that_never_changes(client: httpx.Client, store: Store) -> None:
    first = client.get("/dump.nq.gz")
    store.update(MORE)
    client.get("/dump.nq.gz")
    old = client.get(first.headers["content-location"])
    assert old.content == first.content
    assert old.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert '</dump.nq.gz>; rel="latest-version"' in old.headers["link"]
    store.update("DELETE DATA { <x:c> <x:p> 3 }")
    assert client.get("/dump.nq.gz").headers["content-location"] == first.headers["content-location"]


def test_only_the_last_versions_are_kept(client: httpx.Client, store: Store) -> None:
    places = []
    for number in range(dumps.KEPT_DUMP_VERSIONS + 1):
        store.update(f"INSERT DATA {{ <x:a> <x:n> {number} }}")
        places.append(client.get("/dump.nq").headers["content-location"])
    assert [client.get(one).status_code for one in places] == [404, *[200] * dumps.KEPT_DUMP_VERSIONS]
    assert "The latest: /dump.nq" in client.get(places[0]).json()["detail"]


def test_the_same_data_has_the_same_bytes(tmp_path: Path) -> None:
    lines = [f"GRAPH <x:g{number % 7}> {{ <x:{number}> <x:p> 'a text {number}' }}" for number in range(200)]
    given = []
    for name, order in (("one", lines), ("two", reversed(lines))):
        store = Store.open(tmp_path / name)
        for one in order:
            store.update(f"INSERT DATA {{ {one} }}")
        client = service_of(Settings(), store)
        given.append([client.get(f"/dump.{one}").content for one in DUMP_NAMES])
    assert given[0] == given[1]


def test_a_dump_that_was_damaged_while_no_service_ran_is_made_anew(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    store.update(ONE)
    before = [service_of(Settings(), store).get(f"/dump.{name}").content for name in DUMP_NAMES]
    for one in (tmp_path / "store" / "aside" / "dumps").rglob("*.*"):
        one.write_bytes(bytes(one.stat().st_size))
    client = service_of(Settings(), store)
    assert [client.get(f"/dump.{name}").content for name in DUMP_NAMES] == before
    digest = hashlib.sha256(before[0]).hexdigest()
    assert client.get(f"/dump.{DUMP_NAMES[0]}.sha256").text == f"{digest}  dump.{DUMP_NAMES[0]}\n"


def test_a_dump_is_made_once_for_all_who_ask(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    write = dumps.StoreDumps.write_dump

    def counted(*given: Any) -> str:
        made.append(given)
        return write(*given)

    monkeypatch.setattr(dumps.StoreDumps, "write_dump", counted)
    who = [threading.Thread(target=lambda: client_of(app).get("/dump.nq.gz")) for _ in range(4)]
    for one in who:
        one.start()
    for one in who:
        one.join()
    assert client_of(app).get("/dump.trig").status_code == 200
    assert len(made) == 2  # N-Quads and TriG


def test_who_has_the_dump_is_told_so(client: httpx.Client) -> None:
    tag = client.get("/dump.nq.gz").headers["etag"]
    answer = client.get("/dump.nq.gz", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag


@pytest.mark.parametrize(
    ("asked", "start", "end"), [("bytes=0-3", 0, 4), ("bytes=5-", 5, None), ("bytes=-4", -4, None)]
)
def test_a_part_is_given_where_one_is_asked_for(
    client: httpx.Client, asked: str, start: int, end: int | None
) -> None:
    whole = client.get("/dump.nq.gz")
    part = client.get("/dump.nq.gz", headers={"Range": asked, "If-Range": whole.headers["etag"]})
    assert part.status_code == 206
    assert part.content == whole.content[start:end]
    assert part.headers["content-range"].endswith(f"/{len(whole.content)}")
    assert part.headers["repr-digest"] == whole.headers["repr-digest"]


@pytest.mark.parametrize(
    "asked", ["bytes=3-1", "bytes=", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4"]
)
def test_a_range_that_says_nothing_is_ignored(client: httpx.Client, asked: str) -> None:
    whole = client.get("/dump.nq.gz")
    answer = client.get("/dump.nq.gz", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, whole.content)


def test_a_part_of_another_version_is_not_given(client: httpx.Client) -> None:
    whole = client.get("/dump.nq.gz")
    for tag in ('"another"', f"W/{whole.headers['etag']}"):
        answer = client.get("/dump.nq.gz", headers={"Range": "bytes=99999-", "If-Range": tag})
        assert (answer.status_code, answer.content) == (200, whole.content)


@pytest.mark.parametrize("asked", ["bytes=99999-", "bytes=-0", f"bytes={'9' * 18}-"])
def test_a_part_behind_the_end_is_refused(client: httpx.Client, asked: str) -> None:
    answer = client.get("/dump.nq.gz", headers={"Range": asked})
    assert answer.status_code == 416
    size = len(client.get("/dump.nq.gz").content)
    assert answer.headers["content-range"] == f"bytes */{size}"
    assert f"The file has {size} bytes" in answer.json()["detail"]


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
def test_there_is_no_other_dump(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_who_asks_for_a_dump_that_takes_long_is_asked_to_come_again(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = threading.Event()
    write = dumps.StoreDumps.write_dump
    monkeypatch.setattr(dumps.StoreDumps, "write_dump", lambda *given: going.wait() and write(*given))
    monkeypatch.setattr(dumps_routes, "DUMP_WAIT_SECONDS", 0)
    answer = client.get("/dump.nq")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    monkeypatch.setattr(dumps_routes, "DUMP_WAIT_SECONDS", 20)
    going.set()
    assert client.get("/dump.nq").status_code == 200


def test_others_write_while_a_dump_is_made(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    store.update(ONE)
    app = create_app(make_service(Settings(), store))
    write = dumps.StoreDumps.write_dump

    def slowly(*given: Any) -> str:
        other = threading.Thread(target=store.update, args=[MORE])
        other.start()
        other.join()
        return write(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dumps.StoreDumps, "write_dump", slowly)
        first = client_of(app).get("/dump.nq").text
    assert "<x:c>" not in first
    assert "<x:c>" in client_of(app).get("/dump.nq").text


def test_a_dump_has_the_license_that_all_its_graphs_state(client: httpx.Client, store: Store) -> None:
    def links() -> str:
        return str(client.get("/dump.nq").headers["link"])

    assert 'rel="license"' not in links()
    license_ = "<http://purl.org/dc/terms/license> <x:free>"
    store.update(f"CLEAR DEFAULT ; INSERT DATA {{ GRAPH <x:g> {{ <x:g> {license_} . <x:h> {license_} }} }}")
    assert '<x:free>; rel="license"' in links()
    store.update("INSERT DATA { <x:c> <x:p> 3 }")
    assert 'rel="license"' not in links()
