"""Disaster drill: a store is deleted while it is served, and restored from its backup."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from wgig.cli.parser import EXIT_FAILED
from wgig.sparql.examples import list_example_queries
from wgig.store.backup.backup import list_backups
from wgig.store.backup.manifest import BackupManifest, read_store_content
from wgig.store.files import BACKUP_STORE_FOLDER

from tests.fixtures.processes import ServiceStarter

pytestmark = pytest.mark.slow

TOKEN = "secret"
GRAPH_PATH = "/graphs?graph=urn:g"
WRITER_HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}


@contextmanager
def open_client(start_service: ServiceStarter, store: Path) -> Iterator[httpx2.Client]:
    with start_service(store, WGIG_TOKEN=TOKEN) as url, httpx2.Client(base_url=url, timeout=60) as client:
        yield client


def send_query(client: httpx2.Client, query: str) -> httpx2.Response:
    """The response to a query; it is sent up to three times while the service is busy (503)."""
    for _ in range(3):
        response = client.post("/sparql", data={"query": query}, headers={"Accept": "text/csv"})
        if response.status_code != 503:
            break
        time.sleep(int(response.headers.get("retry-after", "1")))
    return response


def run_example_queries(client: httpx2.Client) -> dict[str, list[str]]:
    """The sorted rows of two thirds of the example queries, by name; store contents are compared, too."""
    results = {}
    examples = list_example_queries()
    for example in [*examples[::3], *examples[1::3]]:
        response = send_query(client, example.text)
        assert response.status_code == 200, response.text
        results[example.name] = sorted(response.text.splitlines())
    return results


def run_command(name: str, folder: Path, store: Path) -> "subprocess.CompletedProcess[str]":
    arguments = [sys.executable, "-m", "wgig", name, str(folder), "--store", str(store)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


def flip_bit(backup: Path) -> None:
    """Flip a bit in the largest file of a backup."""
    largest = max((backup / BACKUP_STORE_FOLDER).rglob("*"), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)


def test_a_deleted_store_is_restored_from_its_backup(start_service: ServiceStarter, tmp_path: Path) -> None:
    store, backups = tmp_path / "store", tmp_path / "backups"
    with open_client(start_service, store) as client:
        client.put(GRAPH_PATH, content="<urn:a> <urn:p> 1 .", headers=WRITER_HEADERS).raise_for_status()
        before = run_example_queries(client)
        assert len(before) >= 12
        assert all(len(rows) > 1 for rows in before.values())
        assert run_command("backup", backups, store).returncode == 0
        client.put(GRAPH_PATH, content="<urn:a> <urn:p> 2 .", headers=WRITER_HEADERS).raise_for_status()
        shutil.rmtree(store)  # under the running service
    (backup,) = list_backups(backups)

    assert run_command("restore", backups, store).returncode == 0
    assert read_store_content(store) == BackupManifest.read(backup).content
    with open_client(start_service, store) as client:
        assert run_example_queries(client) == before
        triples = client.get(GRAPH_PATH, headers={"Accept": "application/n-triples"}).text.splitlines()
        assert len(triples) == 1
        assert '"1"' in triples[0]  # the state before the second write
        assert client.get("/ready").json()["lastBackup"] == BackupManifest.read(backup).made
        assert run_command("backup", backups, store).returncode == 0
    first, second = (BackupManifest.read(path).content for path in list_backups(backups))
    assert second == first

    content = read_store_content(store)
    flip_bit(backup)
    process = run_command("restore", backup, store)
    assert (process.returncode, process.stdout) == (EXIT_FAILED, "")
    assert "is damaged: the file quads/" in process.stderr
    assert read_store_content(store) == content
