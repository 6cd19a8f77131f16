"""Where the disk takes no write, it is refused as a whole, and all that is there can be read."""

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.fixtures.projections import Follower, wait_in_step

from .disks import LAZY, fail, formatted, mounted

pytestmark = pytest.mark.long

ROOM = 4_000_000  # bytes of the largest file that the service may write
TTL = {"Content-Type": "text/turtle"}
BATCH = 2000
LITTLE = 8_000_000  # bytes that are left on a disk


@contextmanager
def served(store: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    command = [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", str(store)]
    env = os.environ | {"WGIG_DATA": "none", "WGIG_TOKEN": "secret"} | settings
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        headers = {"Authorization": "Bearer secret", "Accept": "application/n-triples"}
        try:
            with httpx.Client(base_url=found[0], headers=headers, timeout=60) as client:
                yield process, client
        finally:
            process.terminate()
        assert "Traceback" not in process.stderr.read()


def triples(graph: int) -> str:
    return "".join(f"<x:{one}> <x:p> <x:{graph}/{'y' * 200}> .\n" for one in range(BATCH))


def count(client: httpx.Client, graph: int) -> int:
    answer = client.get(f"/graph/{graph}")
    return len(answer.text.splitlines()) if answer.status_code == 200 else 0


def put_batch(client: httpx.Client, graph: int) -> httpx.Response:
    return client.put(f"/graph/{graph}", content=triples(graph), headers=TTL)


def until_refused(client: httpx.Client) -> tuple[int, httpx.Response]:
    for graph in range(50):
        answer = put_batch(client, graph)
        if answer.status_code != 201:
            return graph, answer
    raise AssertionError("nothing is refused")


def check_whole(client: httpx.Client, refused: int) -> None:
    assert [count(client, graph) for graph in range(refused)] == [BATCH] * refused
    assert count(client, refused) in (0, BATCH)
    for path in ("/changes", "/search?q=any"):  # without room they may not be in step, and say so then
        assert client.get(path, headers={"Accept": "*/*"}).status_code in (200, 503)


def check_kept(client: httpx.Client) -> None:
    wait_in_step(client)
    Follower().check(client)


@pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="limits of another process are set on Linux only"
)
@pytest.mark.parametrize("history", ["kept", "lost"])
def test_a_full_disk_refuses_writes_and_reading_goes_on(tmp_path: Path, history: str) -> None:
    with served(tmp_path / "store", WGIG_HISTORY=history) as (process, client):
        _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (ROOM, most))
        refused, answer = until_refused(client)
        assert (answer.status_code, answer.json()["title"]) == (507, "Disk full")
        assert str(tmp_path) not in answer.text
        check_whole(client, refused)
        update = client.post("/update", data={"update": "INSERT DATA { <x:a> <x:p> 1 }"})
        assert update.status_code in (204, 507)
        assert client.get("/sparql", params={"query": "ASK {}"}, headers={"Accept": "*/*"}).status_code == 200
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
        late = put_batch(client, refused + 1)
        assert late.status_code == 507, "The page on writing says that the engine wants to be started anew."
        assert client.get("/ready").json()["failedWrite"]
    with served(tmp_path / "store", WGIG_HISTORY=history) as (_, client):
        check_whole(client, refused)
        check_kept(client)
        assert put_batch(client, refused + 1).status_code == 201
        check_kept(client)


def test_who_made_room_on_a_full_disk_starts_anew_and_writes_on(tmp_path: Path) -> None:
    image, folder = formatted(tmp_path / "disk"), tmp_path / "mounted"
    with mounted(image, folder, *LAZY):
        with (folder / "other").open("wb") as other:
            os.posix_fallocate(other.fileno(), 0, shutil.disk_usage(folder).free - LITTLE)
        with served(folder / "store") as (_, client):
            refused, answer = until_refused(client)
            assert (answer.status_code, answer.json()["title"]) == (507, "Disk full")
            assert "frees space and restarts it" in answer.json()["detail"]
            check_whole(client, refused)
        (folder / "other").unlink()
        with served(folder / "store") as (_, client):
            check_whole(client, refused)
            check_kept(client)
            assert put_batch(client, refused + 1).status_code == 201
            check_kept(client)


def test_a_disk_that_fails_takes_no_write_and_reading_goes_on(tmp_path: Path) -> None:
    image, folder = formatted(tmp_path / "disk"), tmp_path / "mounted"
    with mounted(image, folder, *LAZY), served(folder / "store") as (_, client):
        assert put_batch(client, 0).status_code == 201
        fail(folder)
        answer = put_batch(client, 1)
        assert (answer.status_code, answer.json()["title"]) == (500, "The write failed")
        assert "repairs it and restarts it" in answer.json()["detail"]
        assert str(tmp_path) not in answer.text
        check_whole(client, 1)
    with mounted(image, folder, *LAZY), served(folder / "store") as (_, client):
        check_whole(client, 1)
        check_kept(client)
        assert put_batch(client, 2).status_code == 201
