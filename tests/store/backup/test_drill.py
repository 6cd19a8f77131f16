"""The drill: a store is lost under its service, and comes back from its backup with all that it answered."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from wgig.sparql.examples import list_example_queries
from wgig.store.backup.backup import BACKUP_STORE_FOLDER, list_backups
from wgig.store.backup.manifest import BackupManifest, read_store_content

from tests.fixtures.processes import Serving

pytestmark = pytest.mark.slow

TOKEN = "secret"
GRAPH = "/graphs?graph=urn:theirs"
TURTLE = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}


@contextmanager
def client_of(serving: Serving, store: Path) -> Iterator[httpx.Client]:
    with serving(store, WGIG_TOKEN=TOKEN) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def asked(client: httpx.Client, query: str) -> httpx.Response:
    """The answer to a query, asked again where the service is busy and says so, as on a slow machine."""
    for _ in range(3):
        answer = client.post("/sparql", data={"query": query}, headers={"Accept": "text/csv"})
        if answer.status_code != 503:
            break
        time.sleep(int(answer.headers.get("retry-after", "1")))
    return answer


def answers(client: httpx.Client) -> dict[str, list[str]]:
    """What the example queries answer, the twelve questions among them, by their names; rows in any order."""
    found = {}
    for one in list_example_queries():
        answer = asked(client, one.text)
        assert answer.status_code == 200, answer.text
        found[one.name] = sorted(answer.text.splitlines())
    return found


def command(name: str, folder: Path, store: Path) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "wgig", name, str(folder), "--store", str(store)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def damage(backup: Path) -> None:
    """Turn one bit of the largest file of a backup, as a disk may."""
    largest = max((backup / BACKUP_STORE_FOLDER).rglob("*"), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)


def test_the_drill(serving: Serving, tmp_path: Path) -> None:
    store, kept = tmp_path / "store", tmp_path / "backups"
    with client_of(serving, store) as client:
        client.put(GRAPH, content="<urn:a> <urn:p> 1 .", headers=TURTLE).raise_for_status()
        before = answers(client)
        assert len(before) >= 12
        assert all(len(rows) > 1 for rows in before.values())
        assert command("backup", kept, store).returncode == 0
        client.put(GRAPH, content="<urn:a> <urn:p> 2 .", headers=TURTLE).raise_for_status()
        shutil.rmtree(store)  # under the running service
    (backup,) = list_backups(kept)

    assert command("restore", kept, store).returncode == 0
    assert read_store_content(store) == BackupManifest.read(backup).content
    with client_of(serving, store) as client:
        assert answers(client) == before
        assert client.get(GRAPH, headers={"Accept": "application/n-triples"}).text.count("integer") == 1
        assert client.get("/ready").json()["lastBackup"] == BackupManifest.read(backup).made
        assert command("backup", kept, store).returncode == 0
    first, second = (BackupManifest.read(one).content for one in list_backups(kept))
    assert second == first

    damage(backup)
    refused = command("restore", backup, store)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "is damaged: the file quads/" in refused.stderr
    with client_of(serving, store) as client:
        assert answers(client) == before
