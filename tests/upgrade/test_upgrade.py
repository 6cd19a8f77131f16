"""A store of an older version is upgraded with all its data; a store of a newer version is refused.

The layout number of a store increases with each change that older versions cannot read.
"""

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pyoxigraph as ox
import pytest
from wgig._version import __version__
from wgig.cli.main import main
from wgig.cli.parser import EXIT_FAILED
from wgig.rdf.serialization import normalize_triples
from wgig.rdf.shipped import read_turtle_files
from wgig.seed import digest_triples, list_shipped_files
from wgig.settings import Settings
from wgig.store import folder
from wgig.store.backup.backup import list_backups
from wgig.store.files import BACKUP_STORE_FOLDER
from wgig.store.store import Store

from tests.fixtures.processes import ServiceStarter
from tests.fixtures.projections import StreamFollower, check_statistics, wait_until_current
from tests.upgrade.make import (
    BASE,
    PAPER_IRI,
    STORES_FOLDER,
    STORES_WITH_CITATIONS,
    digest_cited_content,
    list_digested_versions,
)

PACKED_STORES = sorted(STORES_FOLDER.glob("*.tar.xz"))
STORES_WITH_HISTORY = PACKED_STORES[1:]
# The others are opened without the shipped data, which takes a sixth of the time.
STORES_WITH_NEW_GRAPHS = [PACKED_STORES[0], PACKED_STORES[-1]]
USER_GRAPH, CHANGED_GRAPH = "urn:theirs", f"{Settings.base}graph/principles"
WAIVED_SECTION_QUERY = f"""
PREFIX earl: <http://www.w3.org/ns/earl#>
PREFIX part: <{BASE}id/document/form/issue-paper/>
PREFIX wgig: <{BASE}ontology#>
ASK {{ ?assertion earl:subject <{PAPER_IRI}> ; wgig:partWaived part:5 ; wgig:partMissing part:4 }}"""


class OlderStore(NamedTuple):
    """The folder of a store of an older version, and the dump of its changed graphs by that version."""

    folder: Path
    dump: Path
    data: str  # WGIG_DATA of the service that opens it

    def read_answers(self) -> dict[str, Any]:
        """What `make.write_cited_graphs` returned for that version."""
        answers: dict[str, Any] = json.loads(self.dump.with_suffix(".json").read_text(encoding="utf-8"))
        return answers


def unpack_store(packed: Path, target: Path) -> Path:
    with tarfile.open(packed) as file:
        file.extractall(target, filter="data")
    return target / "store"


def get_store_name(packed: Path) -> str:
    return packed.name.partition(".")[0]


@pytest.fixture(scope="module", params=PACKED_STORES, ids=get_store_name)
def older_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OlderStore:
    packed: Path = request.param
    name = get_store_name(packed)
    data = "shipped" if packed in STORES_WITH_NEW_GRAPHS else "none"
    return OlderStore(
        unpack_store(packed, tmp_path_factory.mktemp(name)), packed.with_name(f"{name}.nq"), data
    )


@pytest.fixture(scope="module")
def client(older_store: OlderStore, start_service: ServiceStarter) -> Iterator[httpx2.Client]:
    """A client of a service that has opened the older store."""
    with (
        start_service(older_store.folder, WGIG_DATA=older_store.data) as url,
        httpx2.Client(base_url=url, timeout=60) as http_client,
    ):
        yield http_client


def canonicalize(quads: Iterable[ox.Quad]) -> set[ox.Quad]:
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return set(dataset)


def test_an_upgraded_store_has_the_same_statements(client: httpx2.Client, older_store: OlderStore) -> None:
    response = client.get("/dump.nq").raise_for_status()
    dump = list(ox.parse(path=older_store.dump))
    graph_names = {quad.graph_name for quad in dump}
    assert {ox.NamedNode(USER_GRAPH), ox.NamedNode(CHANGED_GRAPH)} <= graph_names
    quads = (
        quad for quad in ox.parse(response.content, ox.RdfFormat.N_QUADS) if quad.graph_name in graph_names
    )
    assert canonicalize(quads) == canonicalize(dump)


@pytest.mark.parametrize("older_store", STORES_WITH_NEW_GRAPHS, ids=get_store_name, indirect=True)
@pytest.mark.usefixtures("client")
def test_the_bundled_graphs_are_updated_except_the_changed_one(
    older_store: OlderStore,
) -> None:
    store = Store.open_read_only(older_store.folder)
    assert [
        graph
        for graph, paths in list_shipped_files(Settings.base).items()
        if digest_triples(store.triples(graph)) != digest_triples(normalize_triples(read_turtle_files(paths)))
    ] == [CHANGED_GRAPH]


def test_indexes_and_change_log_are_up_to_date(client: httpx2.Client, older_store: OlderStore) -> None:
    wait_until_current(client)
    if older_store.data == "shipped":  # a store without shipped data has no descriptions
        check_statistics(client)
    StreamFollower().check(client)
    results = client.get("/search", params={"q": "category"}, headers={"Accept": "application/json"}).json()
    assert results["items"]


def test_an_upgraded_store_has_the_layout_of_this_version(
    client: httpx2.Client, older_store: OlderStore
) -> None:
    assert client.get("/ready").json()["status"] == "ready"
    assert folder.read_layout(older_store.folder) == (folder.CURRENT_LAYOUT_NUMBER, __version__)


@pytest.mark.parametrize("older_store", STORES_WITH_HISTORY, ids=get_store_name, indirect=True)
def test_old_versions_of_a_graph_remain_readable(client: httpx2.Client) -> None:
    response = client.get(f"/graphs?graph={USER_GRAPH}&versions", headers={"Accept": "application/json"})
    oldest, *_ = response.json()["versions"]
    version = client.get(oldest["version"], headers={"Accept": "application/n-triples"})
    assert '"one"@en' in version.text


with_citations = pytest.mark.parametrize(
    "older_store",
    [packed for packed in PACKED_STORES if get_store_name(packed) in STORES_WITH_CITATIONS],
    ids=get_store_name,
    indirect=True,
)


@with_citations
def test_every_version_of_a_graph_is_listed_and_has_the_same_content(
    client: httpx2.Client, older_store: OlderStore
) -> None:
    versions_by_path = {
        path: [{"erased": False, **version} for version in versions]  # older versions did not have it
        for path, versions in older_store.read_answers()["versions"].items()
    }
    assert {path: list_digested_versions(client, path) for path in versions_by_path} == versions_by_path


@with_citations
def test_cited_content_has_the_same_digest(client: httpx2.Client, older_store: OlderStore) -> None:
    digests = {item["path"]: item["sha256"] for item in older_store.read_answers()["citations"]}
    assert {path: digest_cited_content(client, path) for path in digests} == digests


@with_citations
def test_a_waiver_still_counts(client: httpx2.Client) -> None:
    response = client.get(
        "/sparql",
        params={"query": WAIVED_SECTION_QUERY},
        headers={"Accept": "application/sparql-results+json"},
    )
    assert response.raise_for_status().json()["boolean"]


@pytest.fixture
def newer_store(tmp_path: Path) -> Path:
    """The store of a newer version with another layout."""
    store = tmp_path / "store"
    Store.open(store).update("INSERT DATA { <urn:s> <urn:p> 1 }")
    (store / folder.LAYOUT_FILE).write_text(f"{folder.CURRENT_LAYOUT_NUMBER + 1} 9.0.0\n")
    return store


def test_a_service_refuses_the_store_of_a_newer_version(newer_store: Path) -> None:
    command = [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", str(newer_store)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (process.returncode, process.stdout) == (EXIT_FAILED, "")
    assert (
        f"The store {newer_store} was written by a newer version of wgig: it has layout "
        f"{folder.CURRENT_LAYOUT_NUMBER + 1}" in process.stderr
    )
    assert "install wgig 9.0.0 or newer, restore an older backup" in process.stderr


@pytest.mark.parametrize("command", ["query ASK{}", "stats", "dump", "backup backups"])
def test_each_command_refuses_the_store_of_a_newer_version(
    newer_store: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(newer_store.parent)
    assert main([*command.split(), "--store", str(newer_store)]) == EXIT_FAILED
    assert "was written by a newer version of wgig" in capsys.readouterr().err
    assert not list(newer_store.parent.glob("backups/wgig-*"))


def test_an_unreadable_layout_number_counts_as_damage(
    newer_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (newer_store / folder.LAYOUT_FILE).write_text("one")
    assert main(["stats", "--store", str(newer_store)]) == EXIT_FAILED
    assert "is damaged or not a store" in capsys.readouterr().err


def test_an_older_backup_can_be_restored_over_a_newer_store(newer_store: Path, tmp_path: Path) -> None:
    older_store, backups = tmp_path / "before", tmp_path / "backups"
    Store.open(older_store).update("INSERT DATA { <urn:s> <urn:p> 2 }")
    assert main(["backup", str(backups), "--store", str(older_store)]) == 0
    assert main(["restore", str(backups), "--store", str(newer_store)]) == 0
    assert folder.read_layout(newer_store)[0] == folder.CURRENT_LAYOUT_NUMBER
    # The object is 2 in the backup, and was 1 in the newer store.
    assert "2" in str(next(iter(Store.open_read_only(newer_store).triples(None))).object)


def test_a_backup_of_a_newer_version_is_not_restored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, backups = tmp_path / "store", tmp_path / "backups"
    Store.open(store).update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert main(["backup", str(backups), "--store", str(store)]) == 0
    (backup,) = list_backups(backups)
    (backup / BACKUP_STORE_FOLDER / folder.LAYOUT_FILE).write_text(
        f"{folder.CURRENT_LAYOUT_NUMBER + 1} 9.0.0\n"
    )
    assert main(["restore", str(backups), "--store", str(store)]) == EXIT_FAILED
    assert "was written by a newer version of wgig" in capsys.readouterr().err
    assert folder.read_layout(store)[0] == folder.CURRENT_LAYOUT_NUMBER
