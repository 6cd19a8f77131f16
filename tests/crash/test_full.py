"""If the disk is full or fails, writes are refused completely, and reading continues."""

import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tests.fixtures.projections import StreamFollower, wait_until_current

from .disks import LAZY_COMMIT_OPTIONS, abort_file_system, format_image, mount_image
from .family import list_processes_by_type

pytestmark = pytest.mark.long

MAX_FILE_BYTES = 4_000_000  # of each file that the service writes
TURTLE_HEADERS = {"Content-Type": "text/turtle"}
BATCH_TRIPLES = 2000  # of a graph that is written as a whole
FREE_DISK_BYTES = 24_000_000  # beside the file `filler`
ENGINE_RECOVERY_SECONDS = 60  # it looks for free space every 5 seconds


@contextmanager
def run_service(store: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    command = [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", str(store)]
    env = os.environ | {"WGIG_DATA": "none", "WGIG_TOKEN": "secret"} | settings
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        match = re.search(r"http://\S+", process.stdout.readline())
        assert match
        headers = {"Authorization": "Bearer secret", "Accept": "application/n-triples"}
        try:
            with httpx2.Client(base_url=match[0], headers=headers, timeout=60) as client:
                yield process, client
        finally:
            process.terminate()
        assert "Traceback" not in process.stderr.read()


REFUSALS = ((507, "Disk full"), (503, "Temporarily unavailable"))


def make_batch(graph: int) -> str:
    return "".join(f"<x:{number}> <x:p> <x:{graph}/{'y' * 200}> .\n" for number in range(BATCH_TRIPLES))


def count_triples(client: httpx2.Client, graph: int) -> int:
    response = client.get(f"/graph/{graph}")
    return len(response.text.splitlines()) if response.status_code == 200 else 0


def put_batch(client: httpx2.Client, graph: int) -> httpx2.Response:
    return client.put(f"/graph/{graph}", content=make_batch(graph), headers=TURTLE_HEADERS)


def fill_disk(client: httpx2.Client) -> tuple[int, httpx2.Response]:
    """Write graphs until one is refused. Returns its number and the response."""
    for graph in range(50):
        response = put_batch(client, graph)
        if response.status_code != 201:
            return graph, response
    raise AssertionError("no write is refused")


def check_graphs(client: httpx2.Client, refused: int) -> None:
    """Check that the graphs before number `refused` are complete, and that one is complete or missing."""
    assert [count_triples(client, graph) for graph in range(refused)] == [BATCH_TRIPLES] * refused
    assert count_triples(client, refused) in (0, BATCH_TRIPLES)
    for path in ("/changes", "/search?q=any"):  # 503 if they cannot be updated on the full disk
        assert client.get(path, headers={"Accept": "*/*"}).status_code in (200, 503)


def check_derived_data(client: httpx2.Client) -> None:
    wait_until_current(client)
    StreamFollower().check(client)


@pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="limits of another process are set on Linux only"
)
@pytest.mark.parametrize("history", ["kept", "lost"])
def test_a_full_disk_refuses_writes_and_reading_continues(tmp_path: Path, history: str) -> None:
    with run_service(tmp_path / "store", WGIG_HISTORY=history) as (process, client):
        while not (processes := list_processes_by_type(process.pid))["holder"]:
            pass  # a front process cannot be distinguished from the writer before
        (writer_id,) = processes["writer"] or [process.pid]
        # A limit of the file size has the effect of a full disk.
        _, original_limit = resource.prlimit(writer_id, resource.RLIMIT_FSIZE)
        resource.prlimit(writer_id, resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, original_limit))
        refused, response = fill_disk(client)
        # The log can have the write when the engine fails: then its outcome is unknown.
        assert (response.status_code, response.json()["title"]) in REFUSALS
        assert str(tmp_path) not in response.text
        check_graphs(client, refused)
        update = client.post("/update", data={"update": "INSERT DATA { <x:a> <x:p> 1 }"})
        assert update.status_code in (204, 507, 503)  # so few bytes may still fit
        assert client.get("/sparql", params={"query": "ASK {}"}, headers={"Accept": "*/*"}).status_code == 200
        resource.prlimit(writer_id, resource.RLIMIT_FSIZE, (original_limit, original_limit))
        late_response = put_batch(client, refused + 1)
        assert late_response.status_code in (507, 503), "There are no writes until a restart."
        ready = client.get("/ready")
        assert ready.status_code == 503 or ready.json()["failedWrite"]
    with run_service(tmp_path / "store", WGIG_HISTORY=history) as (_, client):
        check_graphs(client, refused)
        check_derived_data(client)
        assert put_batch(client, refused + 1).status_code == 201
        check_derived_data(client)


def test_a_disk_that_fills_up_refuses_writes_before_they_are_logged(tmp_path: Path) -> None:
    image, folder = format_image(tmp_path / "disk"), tmp_path / "mounted"
    with mount_image(image, folder, *LAZY_COMMIT_OPTIONS):
        with (folder / "filler").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free - FREE_DISK_BYTES)
        with run_service(folder / "store") as (_, client):
            refused, response = fill_disk(client)
            assert (response.status_code, response.json()["title"]) == (507, "Disk full")
            assert "frees space and restarts it" in response.json()["detail"]
            check_graphs(client, refused)
            (folder / "filler").unlink()
            assert put_batch(client, refused).status_code == 201, "A restart is not needed."
            check_derived_data(client)
        with run_service(folder / "store") as (_, client):
            check_graphs(client, refused + 1)
            check_derived_data(client)


def test_a_disk_without_any_space_stops_no_later_write(tmp_path: Path) -> None:
    image, folder = format_image(tmp_path / "disk"), tmp_path / "mounted"
    with (
        mount_image(image, folder, *LAZY_COMMIT_OPTIONS),
        run_service(folder / "store", WGIG_DATA="shipped") as (_, client),
    ):
        assert put_batch(client, 0).status_code == 201
        fill_completely(folder / "filler")
        for _ in range(2):
            assert put_batch(client, 1).status_code == 507
        assert client.get("/graph/void").status_code == 503  # its update would have stopped the engine
        (folder / "filler").unlink()
        deadline = time.monotonic() + ENGINE_RECOVERY_SECONDS
        # The engine, if it was about to flush, refuses writes until it has noticed the free space.
        while (status := put_batch(client, 1).status_code) != 201:
            assert status == 507
            assert time.monotonic() < deadline
        check_graphs(client, 1)


def fill_completely(path: Path) -> None:
    """Write to a file until the disk has no space left."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_failing_disk_refuses_writes_and_reading_continues(tmp_path: Path) -> None:
    image, folder = format_image(tmp_path / "disk"), tmp_path / "mounted"
    with mount_image(image, folder, *LAZY_COMMIT_OPTIONS), run_service(folder / "store") as (_, client):
        assert put_batch(client, 0).status_code == 201
        abort_file_system(folder)
        response = put_batch(client, 1)
        assert response.status_code == 500, "It is refused before it is logged."
        assert str(tmp_path) not in response.text
        check_graphs(client, 1)
    with mount_image(image, folder, *LAZY_COMMIT_OPTIONS), run_service(folder / "store") as (_, client):
        check_graphs(client, 1)
        check_derived_data(client)
        assert put_batch(client, 2).status_code == 201
