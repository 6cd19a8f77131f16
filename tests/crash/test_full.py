"""Where the disk takes no more, a write is refused as a whole, and all that is there can be read."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOM = 4_000_000  # bytes of the largest file that the service may write
TTL = {"Content-Type": "text/turtle"}
BATCH = 2000


@contextmanager
def served(store: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    command = [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", str(store)]
    env = os.environ | {"WGIG_DATA": "none", "WGIG_TOKEN": "secret"} | settings
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        headers = {"Authorization": "Bearer secret", "Accept": "application/n-triples"}
        with httpx.Client(base_url=found[0], headers=headers, timeout=60) as client:
            yield process, client
        process.terminate()


def triples(graph: int) -> str:
    return "".join(f"<x:{one}> <x:p> <x:{graph}/{'y' * 200}> .\n" for one in range(BATCH))


def count(client: httpx.Client, graph: int) -> int:
    answer = client.get(f"/graph/{graph}")
    return len(answer.text.splitlines()) if answer.status_code == 200 else 0


@pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="limits of another process are set on Linux only"
)
@pytest.mark.parametrize("history", ["kept", "lost"])
def test_a_full_disk_refuses_writes_and_reading_goes_on(tmp_path: Path, history: str) -> None:
    acknowledged = []
    with served(tmp_path / "store", WGIG_HISTORY=history) as (process, client):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (ROOM, ROOM))
        for graph in range(50):
            answer = client.put(f"/graph/{graph}", content=triples(graph), headers=TTL)
            if answer.status_code != 201:
                break
            acknowledged.append(graph)
        assert (answer.status_code, answer.json()["title"]) == (507, "No room")
        assert str(tmp_path) not in answer.text
        assert [count(client, one) for one in acknowledged] == [BATCH] * len(acknowledged)
        assert count(client, graph) in (0, BATCH)
        update = client.post("/update", data={"update": "INSERT DATA { <x:a> <x:p> 1 }"})
        assert update.status_code in (204, 507)
        assert client.get("/sparql", params={"query": "ASK {}"}, headers={"Accept": "*/*"}).status_code == 200
    with served(tmp_path / "store", WGIG_HISTORY=history) as (_, client):
        assert [count(client, one) for one in acknowledged] == [BATCH] * len(acknowledged)
        assert count(client, graph) in (0, BATCH)
        assert client.put("/graph/after", content=triples(0), headers=TTL).status_code == 201
