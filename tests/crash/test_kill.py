"""After a kill the store opens, and has all acknowledged writes, each completely."""

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

from tests.fixtures.processes import copy_filled_store

from .family import find_descendants, wait_for_exit
from .load import WRITE_TOKEN, make_client
from .world import Scenario, Service, run_scenario

LOADED_LINES = 100_000  # more than fit into a pipe and the reader's buffer together
MIN_WRITES = 25  # acknowledged before the server is killed
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def start_command(store: Path, *arguments: str, data: str = "none") -> subprocess.Popen[bytes]:
    """Start a command of `wgig` with this WGIG_DATA. Given the file `-`, it waits for the standard input."""
    return subprocess.Popen(
        [sys.executable, "-m", "wgig", *arguments, "--store", str(store)],
        env=os.environ | {"WGIG_DATA": data, "WGIG_TOKEN": WRITE_TOKEN},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if "load" in arguments else None,
    )


def wait_for_second_file(process: subprocess.Popen[bytes]) -> None:
    """Wait until `wgig load FILE -` has loaded the file and waits for the standard input."""
    assert process.stderr is not None
    assert any(b" Loading - ..." in line for line in process.stderr)


def make_n_triples(first: int, count: int) -> bytes:
    return b"".join(b"<urn:s%d> <urn:p> <urn:o> .\n" % number for number in range(first, first + count))


def list_engine_tables(folder: Path) -> set[Path]:
    """The files in which the engine (RocksDB) stores quads."""
    return set((folder / "quads").glob("*.sst"))


def query_column(store: Store, query: str) -> list[str]:
    out = io.BytesIO()
    store.query(query, "text/csv", out)
    return out.getvalue().decode().split()[1:]


def count_triples(store: Store, graph: str = "urn:g") -> int:
    return int(query_column(store, f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")[0])


@pytest.fixture
def first_file(tmp_path: Path) -> Path:
    path = tmp_path / "first.nt"
    path.write_bytes(make_n_triples(0, 100))
    return path


def test_a_file_read_in_part_is_not_loaded_and_the_one_before_is(tmp_path: Path, first_file: Path) -> None:
    with start_command(
        tmp_path / "store", "load", str(first_file), "-", "--format", "nt", "--graph", "urn:g"
    ) as process:
        assert process.stdin is not None
        wait_for_second_file(process)
        process.stdin.write(make_n_triples(100, LOADED_LINES))
        process.stdin.flush()
        process.kill()
    assert count_triples(Store.open(tmp_path / "store")) == 100


def test_a_file_written_during_a_kill_is_loaded_completely_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    Store.open(folder)
    before = list_engine_tables(folder)
    with start_command(folder, "load", "-", "--format", "nt", "--graph", "urn:g") as process:
        assert process.stdin is not None
        process.stdin.write(make_n_triples(0, LOADED_LINES))
        process.stdin.close()
        while process.poll() is None and list_engine_tables(folder) == before:
            pass
        process.kill()
        process.stdin = None  # closed already, so that the end of the block does not flush it
    assert count_triples(Store.open(folder)) in (0, LOADED_LINES)


def test_inference_and_conformance_after_a_load_are_completed_after_a_kill(tmp_path: Path) -> None:
    settings = Settings(store=tmp_path / "store")
    paper, graph = f"{settings.base}id/paper/new", f"{settings.base}graph/paper/new"
    copy_filled_store(settings.store)
    file = tmp_path / "paper.nq"
    file.write_text(f"<{paper}> <{RDF_TYPE}> <{settings.base}ontology#IssuePaper> <{graph}> .")
    with start_command(settings.store, "load", str(file), "-", "--format", "nq", data="shipped") as process:
        wait_for_second_file(process)
        process.kill()
    store = open_filled_store(settings, lambda _: None)
    inferred = f"{settings.base}graph/inferred"
    assert query_column(store, f"SELECT ?type {{ GRAPH <{inferred}> {{ <{paper}> a ?type }} }}")
    assert query_column(store, f"SELECT ?s {{ ?s <http://www.w3.org/ns/earl#subject> <{paper}> }}")


def test_derived_data_is_completed_after_a_kill(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path, "shipped")
    service = Service(scenario.folder, scenario.data)
    try:
        with make_client(service.url) as client:
            for writer in scenario.writers:
                writer.write(client)
    finally:
        service.end()
    with run_scenario(scenario):  # checks the data derived from the quads
        assert all(writer.acknowledged == 1 for writer in scenario.writers)


def test_a_killed_server_keeps_acknowledged_writes(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    has_enough_writes, is_killed = threading.Event(), threading.Event()
    with start_command(tmp_path / "store", "serve", "--port", "0") as process:
        assert process.stdout is not None
        url = urlsplit(process.stdout.readline().decode().split()[2])  # of "Serving on URL (…)"

        def write() -> None:
            assert url.hostname
            headers = {"Authorization": f"Bearer {WRITE_TOKEN}", "Content-Type": "application/sparql-update"}
            with (
                suppress(OSError, HTTPException),
                closing(HTTPConnection(url.hostname, url.port)) as connection,
            ):
                while True:
                    number = len(acknowledged)
                    pair = f"<urn:left> <urn:n> {number} . <urn:right> <urn:n> {number}"
                    connection.request("POST", "/update", f"INSERT DATA {{ {pair} }}", headers)
                    response = connection.getresponse()
                    response.read()
                    if response.status >= 300:  # by a front process that has lost the process that writes
                        assert is_killed.is_set()
                        return
                    acknowledged.append(number)
                    if len(acknowledged) == MIN_WRITES:
                        has_enough_writes.set()

        writer = threading.Thread(target=write)
        writer.start()
        assert has_enough_writes.wait(60)
        processes = find_descendants(process.pid)
        is_killed.set()
        process.kill()
        writer.join(60)
        assert not wait_for_exit(processes)
    store = Store.open(tmp_path / "store")
    left, right = (
        set(query_column(store, f"SELECT ?n {{ <urn:{side}> <urn:n> ?n }}")) for side in ("left", "right")
    )
    assert left == right >= {str(number) for number in acknowledged}
