"""Derived data agrees with the quads after any crash and any damage of its files.

It consists of inferred triples, descriptions of the graphs, the versions of resources and the search index.
The service publishes the versions as an event stream, which a follower reads.
"""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.search.index import SEARCH_INDEX_PATH, FullTextIndex
from wgig.settings import Settings
from wgig.store import transactions
from wgig.store.change_log import ChangeLog
from wgig.store.errors import StoreError
from wgig.store.files import ASIDE_FOLDER, RESOURCE_VERSIONS_FILE
from wgig.store.folder import QUADS_FOLDER
from wgig.store.inference.inference import Inference
from wgig.store.position import POSITION_FILE, EnginePosition
from wgig.store.resource_versions.projection import ResourceVersionsProjection
from wgig.store.store import Store

from tests.fixtures.projections import StreamFollower, check_statistics, search_ids, wait_until_current
from tests.fixtures.service import make_service_client
from tests.fixtures.triples import put_turtle

pytestmark = pytest.mark.slow

BASE = Settings.base
INFERRED_GRAPH = f"{BASE}graph/inferred"
SUBCLASS_OF_IRI, TITLE_IRI = (
    "http://www.w3.org/2000/01/rdf-schema#subClassOf",
    "http://purl.org/dc/terms/title",
)
RULE = f"CONSTRUCT {{ ?x a ?d }} WHERE {{ ?c <{SUBCLASS_OF_IRI}> ?d . ?x a ?c }}"
NEVER_SECONDS = 3600.0  # longer than a test
OLD_DATA = (
    f"<x:a> a <x:C> ; <{TITLE_IRI}> 'bridges' . <x:b> <x:p> [ <x:q> 1 ] . <x:C> <{SUBCLASS_OF_IRI}> <x:D> ."
)
NEW_DATA = (
    f"<x:a> a <x:E> ; <{TITLE_IRI}> 'tunnels' . <x:n> a <x:C> ; <x:p> [ <x:q> 2 ] . "
    f"<x:E> <{SUBCLASS_OF_IRI}> <x:D> ."
)

StoreAndClient = tuple[Store, httpx2.Client]
ServiceStart = Callable[[Path], StoreAndClient]


@pytest.fixture
def start_service() -> ServiceStart:
    """A function that starts a service in this process, with inference and descriptions."""

    def open_service(folder: Path) -> StoreAndClient:
        store = Store.open(folder, [RULE], INFERRED_GRAPH, describers=[DescriptionGraphs(BASE)])
        store.flush_descriptions()  # in the background in a real service
        return store, make_service_client(Settings(token="secret"), store)

    return open_service


@pytest.fixture
def follower() -> StreamFollower:
    return StreamFollower()


@pytest.fixture
def folder(start_service: ServiceStart, follower: StreamFollower, tmp_path: Path) -> Path:
    """The folder of a store after a service has written to it and ended."""
    _, client = start_followed_service(start_service, tmp_path / "store", follower)
    put_with_token(client, OLD_DATA)
    follower.follow(client)
    return copy_as_killed(tmp_path / "store", tmp_path / "killed")


def start_followed_service(
    start_service: ServiceStart, folder: Path, follower: StreamFollower
) -> StoreAndClient:
    """Start a service, and wait until its derived data is up to date and followed."""
    store, client = start_service(folder)
    wait_until_current(client)
    follower.follow(client)
    return store, client


def copy_as_killed(store: Path, copy: Path) -> Path:
    """Copy the folder of a store as a kill of its service would leave it now, and return the copy."""
    shutil.copytree(store, copy)
    return copy


def put_with_token(client: httpx2.Client, turtle: str) -> None:
    put_turtle(client, turtle, Authorization="Bearer secret")


def check_derived_data(client: httpx2.Client, follower: StreamFollower, *, has_new_data: bool) -> None:
    """Check that all derived data agrees with the store, which has the new or the old data."""
    wait_until_current(client)
    follower.check(client)
    check_statistics(client)
    assert search_ids(client, "bridges") == (set() if has_new_data else {"x:a"})
    assert search_ids(client, "tunnels") == ({"x:a"} if has_new_data else set())


# The steps of a write, each of which may be the last one of the process: class or module, and function.
STEPS: dict[str, tuple[Any, str]] = {
    "inferred": (Inference, "derive"),
    "logged": (ChangeLog, "append"),
    "in the engine": (transactions, "apply_to_engine"),
    "resource versions updated": (ResourceVersionsProjection, "apply_many"),
    "index updated": (FullTextIndex, "apply"),
    "described": (DescriptionGraphs, "compute_change"),
    "position written": (EnginePosition, "write"),
}


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("is_deferred", [False, True], ids=["described immediately", "described later"])
@pytest.mark.parametrize("step", STEPS)
def test_derived_data_is_correct_after_a_kill_at_any_step_of_a_write(
    start_service: ServiceStart,
    follower: StreamFollower,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    step: str,
    is_deferred: bool,
    is_done: bool,
) -> None:
    monkeypatch.setattr(transactions, "DESCRIPTION_PAUSE_SECONDS", NEVER_SECONDS)
    monkeypatch.setattr(transactions, "MAX_DESCRIPTION_DELAY_SECONDS", NEVER_SECONDS)
    store, client = start_followed_service(start_service, tmp_path / "store", follower)
    if is_deferred:
        store.update_in_background()
    put_with_token(client, OLD_DATA)
    store.flush_descriptions()
    follower.follow(client)
    owner, name = STEPS[step]
    method = getattr(owner, name)

    def copy_store_at_step(*arguments: Any, **options: Any) -> Any:
        if is_done:
            result = method(*arguments, **options)
        if not (tmp_path / "killed").exists():
            copy_as_killed(tmp_path / "store", tmp_path / "killed")
        return result if is_done else method(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, copy_store_at_step)
        put_with_token(client, NEW_DATA)
        store.runner.wait_until_applied(store.runner.published_count)  # nothing is written during the copy
        store.flush_descriptions()
        store.flush()
    store, client = start_service(tmp_path / "killed")
    check_derived_data(client, follower, has_new_data=store.has_statement(None, None, ox.Literal("tunnels")))
    assert len(follower.names) == 1  # no new event stream was begun


def test_acknowledged_writes_that_were_not_described_yet_are_not_lost(
    start_service: ServiceStart, follower: StreamFollower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "DESCRIPTION_PAUSE_SECONDS", NEVER_SECONDS)
    store, client = start_followed_service(start_service, tmp_path / "store", follower)
    store.update_in_background()
    put_with_token(client, OLD_DATA)
    put_with_token(client, NEW_DATA)
    assert client.get("/ready").json()["describing"]
    _, client = start_service(copy_as_killed(tmp_path / "store", tmp_path / "killed"))
    check_derived_data(client, follower, has_new_data=True)


def test_a_failed_description_is_recomputed(
    start_service: ServiceStart, follower: StreamFollower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, client = start_followed_service(start_service, tmp_path / "store", follower)
    put_with_token(client, OLD_DATA)
    monkeypatch.setattr(transactions, "DESCRIPTION_PAUSE_SECONDS", NEVER_SECONDS)
    store.update_in_background()
    put_with_token(client, NEW_DATA)
    with monkeypatch.context() as patch:
        patch.setattr(transactions, "apply_to_engine", fail_on_disk)
        with pytest.raises(StoreError, match="the disk failed"):
            store.flush_descriptions()
    assert store.has_outdated_descriptions
    store.flush_descriptions()
    check_derived_data(client, follower, has_new_data=True)


def fail_on_disk(*_: object) -> int:
    raise OSError("the disk failed")


def remove_path(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def write_nonsense(path: Path) -> None:
    path.write_bytes(b"no database and no note at all " * 1000)


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


def zero_second_half(path: Path) -> None:
    """Overwrite the second half of a database with zeros."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))


DERIVED_FILES = (
    f"{ASIDE_FOLDER}/{RESOURCE_VERSIONS_FILE}",
    str(SEARCH_INDEX_PATH),
    POSITION_FILE,
)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((name, damage) for name in DERIVED_FILES for damage in (remove_path, write_nonsense, make_empty)),
        *((name, zero_second_half) for name in DERIVED_FILES[:2]),  # the databases
    ],
)
def test_a_missing_or_damaged_file_is_rebuilt(
    start_service: ServiceStart,
    follower: StreamFollower,
    folder: Path,
    name: str,
    damage: Callable[[Path], None],
) -> None:
    damage(folder / name)
    _, client = start_service(folder)
    check_derived_data(client, follower, has_new_data=False)
    put_with_token(client, NEW_DATA)
    check_derived_data(client, follower, has_new_data=True)


@pytest.mark.parametrize(
    "missing",
    [(ASIDE_FOLDER,), (ASIDE_FOLDER, POSITION_FILE), (QUADS_FOLDER,), (QUADS_FOLDER, POSITION_FILE)],
)
def test_derived_data_is_built_for_a_store_without_it(
    start_service: ServiceStart, follower: StreamFollower, folder: Path, missing: tuple[str, ...]
) -> None:
    for name in missing:
        remove_path(folder / name)
    _, client = start_service(folder)
    check_derived_data(client, follower, has_new_data=False)


@pytest.fixture
def backups(tmp_path: Path, folder: Path) -> Path:
    """A folder with a backup of the store."""
    assert main(["backup", str(tmp_path / "backups"), "--store", str(folder)]) == 0
    return tmp_path / "backups"


def test_a_restore_in_place_is_logged_as_changes(
    start_service: ServiceStart, follower: StreamFollower, tmp_path: Path, folder: Path, backups: Path
) -> None:
    _, client = start_followed_service(start_service, folder, follower)
    put_with_token(client, NEW_DATA)
    follower.check(client)
    later = copy_as_killed(folder, tmp_path / "later")
    assert main(["restore", str(backups), "--store", str(later)]) == 0
    _, client = start_service(later)
    check_derived_data(client, follower, has_new_data=False)
    put_with_token(client, NEW_DATA)
    check_derived_data(client, follower, has_new_data=True)
    assert len(follower.names) == 1


def test_a_restore_into_another_folder_begins_a_new_event_stream(
    start_service: ServiceStart, follower: StreamFollower, tmp_path: Path, backups: Path
) -> None:
    assert main(["restore", str(backups), "--store", str(tmp_path / "other")]) == 0
    _, client = start_service(tmp_path / "other")
    check_derived_data(client, follower, has_new_data=False)
    assert len(set(follower.names)) == 2


def test_an_event_stream_with_another_base_is_replaced(folder: Path) -> None:
    store = Store.open(folder, [RULE], INFERRED_GRAPH)
    streams = (
        ResourceVersionsProjection(store, BASE),
        ResourceVersionsProjection(store, "https://example.org/"),
    )
    for stream in streams:
        stream.open()
    assert streams[0].versions.stream_id != streams[1].versions.stream_id
