"""After a kill the store opens, holds all that was acknowledged, and nothing by halves."""

import io
import os
import subprocess
import sys
import threading
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from wgig.seed import open_filled_store
from wgig.settings import Settings
from wgig.store.store import Store

from .load import client_of
from .world import World, serving

LINES = 100_000  # more than a pipe and the reader's buffer hold together
WRITES = 25
TOKEN = "let me in"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def start(store: Path, *arguments: str, data: str = "none") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "wgig", *arguments, "--store", str(store)],
        env=os.environ | {"WGIG_DATA": data, "WGIG_TOKEN": TOKEN},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def lines(start: int, count: int) -> bytes:
    return b"".join(b"<urn:s%d> <urn:p> <urn:o> .\n" % number for number in range(start, start + count))


def tables(folder: Path) -> set[Path]:
    return set((folder / "quads").glob("*.sst"))


def column(store: Store, query: str) -> list[str]:
    out = io.BytesIO()
    store.query(query, "text/csv", out)
    return out.getvalue().decode().split()[1:]


def count(store: Store, graph: str = "urn:g") -> int:
    return int(column(store, f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")[0])


@pytest.fixture
def first(tmp_path: Path) -> Path:
    path = tmp_path / "first.nt"
    path.write_bytes(lines(0, 100))
    return path


def test_a_file_that_is_half_read_is_not_there_and_the_one_before_is(tmp_path: Path, first: Path) -> None:
    with start(tmp_path / "store", "load", str(first), "-", "--format", "nt", "--graph", "urn:g") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Loaded ")
        process.stdin.write(lines(100, LINES))
        process.stdin.flush()
        process.kill()
    assert count(Store.open(tmp_path / "store")) == 100


def test_a_file_that_is_being_written_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    Store.open(folder)
    before = tables(folder)
    with start(folder, "load", "-", "--format", "nt", "--graph", "urn:g") as process:
        assert process.stdin is not None
        process.stdin.write(lines(0, LINES))
        process.stdin.close()
        while process.poll() is None and tables(folder) == before:
            pass
        process.kill()
        process.stdin = None
    assert count(Store.open(folder)) in (0, LINES)


def test_what_follows_from_a_loaded_file_is_made_good(tmp_path: Path) -> None:
    settings = Settings(store=tmp_path / "store")
    paper = tmp_path / "paper.ttl"
    paper.write_text("<urn:paper> a <https://w3id.org/wgig/ontology#IssuePaper> .")
    with start(settings.store, "load", str(paper), "-", "--format", "ttl", data="shipped") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Loaded ")
        process.kill()
    store = open_filled_store(settings, lambda _: None)
    inferred = f"{settings.base}graph/inferred"
    assert column(store, f"SELECT ?kind {{ GRAPH <{inferred}> {{ <urn:paper> a ?kind }} }}")


def test_the_state_of_a_loaded_paper_is_made_good(tmp_path: Path) -> None:
    settings = Settings(store=tmp_path / "store")
    paper, graph = f"{settings.base}id/paper/new", f"{settings.base}graph/paper/new"
    file = tmp_path / "paper.nq"
    file.write_text(f"<{paper}> <{RDF_TYPE}> <{settings.base}ontology#IssuePaper> <{graph}> .")
    with start(settings.store, "load", str(file), "-", "--format", "nq", data="shipped") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Loaded ")
        process.kill()
    store = open_filled_store(settings, lambda _: None)
    assert column(store, f"SELECT ?one {{ ?one <http://www.w3.org/ns/earl#subject> <{paper}> }}")


def test_what_was_not_described_before_a_kill_is_described_after_it(tmp_path: Path) -> None:
    world = World(tmp_path, "shipped")
    with serving(world) as service, client_of(service.url) as client:
        for writer in world.writers:
            writer.write(client)
        service.process.kill()
    with serving(world):
        assert all(one.acknowledged == 1 for one in world.writers)


def test_a_killed_server_kept_what_it_acknowledged(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    enough = threading.Event()
    with start(tmp_path / "store", "serve", "--port", "0") as process:
        assert process.stdout is not None
        place = urlsplit(process.stdout.readline().decode().split()[2])

        def write() -> None:
            assert place.hostname
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/sparql-update"}
            with (
                suppress(OSError, HTTPException),
                closing(HTTPConnection(place.hostname, place.port)) as connection,
            ):
                while True:
                    number = len(acknowledged)
                    pair = f"<urn:left> <urn:n> {number} . <urn:right> <urn:n> {number}"
                    connection.request("POST", "/update", f"INSERT DATA {{ {pair} }}", headers)
                    response = connection.getresponse()
                    response.read()
                    assert response.status < 300
                    acknowledged.append(number)
                    if len(acknowledged) == WRITES:
                        enough.set()

        writer = threading.Thread(target=write)
        writer.start()
        assert enough.wait(60)
        process.kill()
        writer.join(60)
    store = Store.open(tmp_path / "store")
    left, right = (
        set(column(store, f"SELECT ?n {{ <urn:{side}> <urn:n> ?n }}")) for side in ("left", "right")
    )
    assert left == right >= {str(number) for number in acknowledged}
