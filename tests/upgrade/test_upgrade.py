"""A store of an older version is brought up to date with all that it holds; one of a newer one is refused."""

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest
from wgig._version import __version__
from wgig.cli.main import main
from wgig.rdf.serialization import normalize_triples
from wgig.rdf.shipped import read_turtle_files
from wgig.seed import digest_triples, list_shipped_files
from wgig.settings import Settings
from wgig.store import folder
from wgig.store.backup.backup import BACKUP_STORE_FOLDER, list_backups
from wgig.store.store import Store

from tests.fixtures.processes import Serving
from tests.fixtures.projections import Follower, check_figures, wait_in_step

STORES = sorted(Path(__file__).with_name("stores").glob("*.tar.xz"))
WITH_HISTORY = STORES[1:]
THEIRS, CHANGED = "urn:theirs", f"{Settings.base}graph/principles"


def unpacked(packed: Path, folder: Path) -> Path:
    with tarfile.open(packed) as file:
        file.extractall(folder, filter="data")
    return folder / "store"


def name_of(packed: Path) -> str:
    return packed.name.partition(".")[0]


@pytest.fixture(scope="module", params=STORES, ids=name_of)
def older(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The store of an older version, and the file with what that version said that it holds."""
    packed: Path = request.param
    name = name_of(packed)
    return unpacked(packed, tmp_path_factory.mktemp(name)), packed.with_name(f"{name}.nq")


@pytest.fixture(scope="module")
def client(older: tuple[Path, Path], serving: Serving) -> Iterator[httpx.Client]:
    """A client of a service that has opened it."""
    with serving(older[0]) as url, httpx.Client(base_url=url, timeout=60) as one:
        yield one


def canonical(quads: Iterator[ox.Quad]) -> set[ox.Quad]:
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return set(dataset)


def test_it_holds_the_same_statements(client: httpx.Client, older: tuple[Path, Path]) -> None:
    answer = client.get("/dump.nq").raise_for_status()
    theirs = {ox.NamedNode(THEIRS), ox.NamedNode(CHANGED)}
    held = (one for one in ox.parse(answer.content, ox.RdfFormat.N_QUADS) if one.graph_name in theirs)
    assert canonical(held) == canonical(ox.parse(path=older[1]))


@pytest.mark.usefixtures("client")
def test_the_shipped_graphs_are_those_of_this_version_but_for_the_one_that_was_changed(
    older: tuple[Path, Path],
) -> None:
    store = Store.open_read_only(older[0])
    assert [
        graph
        for graph, paths in list_shipped_files(Settings.base).items()
        if digest_triples(store.triples(graph)) != digest_triples(normalize_triples(read_turtle_files(paths)))
    ] == [CHANGED]


def test_what_is_kept_beside_is_in_step(client: httpx.Client) -> None:
    wait_in_step(client)
    check_figures(client)
    Follower().check(client)
    found = client.get("/search", params={"q": "category"}, headers={"Accept": "application/json"}).json()
    assert found["items"]


def test_it_has_the_layout_of_this_version(client: httpx.Client, older: tuple[Path, Path]) -> None:
    assert client.get("/ready").json()["status"] == "ready"
    assert folder.read_layout(older[0]) == (folder.CURRENT_LAYOUT_NUMBER, __version__)


@pytest.mark.parametrize("older", WITH_HISTORY, ids=name_of, indirect=True)
def test_old_versions_of_a_graph_stay_readable(client: httpx.Client) -> None:
    listed = client.get(f"/graphs?graph={THEIRS}&versions", headers={"Accept": "application/json"}).json()
    oldest, *_ = listed["versions"]
    version = client.get(oldest["version"], headers={"Accept": "application/n-triples"})
    assert '"one"@en' in version.text


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The store of a version that lays stores out in another way."""
    store = tmp_path / "store"
    Store.open(store).update("INSERT DATA { <urn:s> <urn:p> 1 }")
    (store / folder.LAYOUT_FILE).write_text(f"{folder.CURRENT_LAYOUT_NUMBER + 1} 9.0.0\n")
    return store


def test_a_service_refuses_the_store_of_a_newer_version(newer: Path) -> None:
    command = [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", str(newer)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert (
        f"The store {newer} was written by a newer version of wgig: it has layout "
        f"{folder.CURRENT_LAYOUT_NUMBER + 1}" in done.stderr
    )
    assert "install wgig 9.0.0 or newer, restore an older backup" in done.stderr


@pytest.mark.parametrize("command", ["query ASK{}", "stats", "dump", "backup backups"])
def test_so_does_each_command(
    newer: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(newer.parent)
    assert main([*command.split(), "--store", str(newer)]) == 3
    assert "was written by a newer version of wgig" in capsys.readouterr().err
    assert not list(newer.parent.glob("backups/wgig-*"))


def test_a_number_that_cannot_be_read_is_damage(newer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (newer / folder.LAYOUT_FILE).write_text("one")
    assert main(["stats", "--store", str(newer)]) == 3
    assert "is damaged or not a store" in capsys.readouterr().err


def test_the_way_back_is_a_backup_of_before(newer: Path, tmp_path: Path) -> None:
    before, kept = tmp_path / "before", tmp_path / "backups"
    Store.open(before).update("INSERT DATA { <urn:s> <urn:p> 2 }")
    assert main(["backup", str(kept), "--store", str(before)]) == 0
    assert main(["restore", str(kept), "--store", str(newer)]) == 0
    assert folder.read_layout(newer)[0] == folder.CURRENT_LAYOUT_NUMBER
    assert "2" in str(next(iter(Store.open_read_only(newer).triples(None))).object)


def test_a_backup_of_a_newer_version_is_not_restored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, kept = tmp_path / "store", tmp_path / "backups"
    Store.open(store).update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert main(["backup", str(kept), "--store", str(store)]) == 0
    (backup,) = list_backups(kept)
    (backup / BACKUP_STORE_FOLDER / folder.LAYOUT_FILE).write_text(
        f"{folder.CURRENT_LAYOUT_NUMBER + 1} 9.0.0\n"
    )
    assert main(["restore", str(kept), "--store", str(store)]) == 3
    assert "was written by a newer version of wgig" in capsys.readouterr().err
    assert folder.read_layout(store)[0] == folder.CURRENT_LAYOUT_NUMBER
