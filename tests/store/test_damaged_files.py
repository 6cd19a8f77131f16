"""What is kept beside the quads is in step with them, whatever ended the service or damaged a file."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.search.index import SEARCH_INDEX_PATH, FullTextIndex
from wgig.settings import Settings
from wgig.store import transactions
from wgig.store.changelog.sync import CHANGE_LOG_FILE, ChangeLogSync
from wgig.store.errors import StoreError
from wgig.store.files import ASIDE_FOLDER
from wgig.store.inference.inference import Inference
from wgig.store.recovery import (
    CLEAN_MARK_FILE,
    JOURNAL_FILE,
    UNDESCRIBED_MARK_FILE,
    CleanMark,
    InferenceMarks,
)
from wgig.store.recovery import INDEX_MARK_FILE as INDEXED
from wgig.store.store import Store

from tests.fixtures.projections import Follower, check_figures, found, wait_in_step
from tests.fixtures.service import service_of
from tests.fixtures.triples import put_turtle

pytestmark = pytest.mark.slow

BASE = Settings.base
INFERRED = f"{BASE}graph/inferred"
SUBCLASS, TITLE = "http://www.w3.org/2000/01/rdf-schema#subClassOf", "http://purl.org/dc/terms/title"
RULE = f"CONSTRUCT {{ ?x a ?d }} WHERE {{ ?c <{SUBCLASS}> ?d . ?x a ?c }}"
NEVER = 3600.0
LONG_AGO = f"<x:a> a <x:C> ; <{TITLE}> 'bridges' . <x:b> <x:p> [ <x:q> 1 ] . <x:C> <{SUBCLASS}> <x:D> ."
NOW = f"<x:a> a <x:E> ; <{TITLE}> 'tunnels' . <x:n> a <x:C> ; <x:p> [ <x:q> 2 ] . <x:E> <{SUBCLASS}> <x:D> ."

Served = tuple[Store, httpx.Client]
Serve = Callable[[Path], Served]


@pytest.fixture
def serve() -> Serve:
    """A service in this process on the store in a folder, which infers and describes itself."""

    def serve(folder: Path) -> Served:
        store = Store.open(folder, [RULE], INFERRED, last=[DescriptionGraphs(BASE)])
        return store, service_of(Settings(token="secret"), store)

    return serve


@pytest.fixture
def follower() -> Follower:
    return Follower()


@pytest.fixture
def folder(serve: Serve, follower: Follower, tmp_path: Path) -> Path:
    """The folder of a store that was served, followed, and searched before the service ended."""
    _, client = served(serve, tmp_path / "store", follower)
    put_with_token(client, LONG_AGO)
    follower.follow(client)
    return ended(tmp_path / "store", tmp_path / "ended")


def served(serve: Serve, folder: Path, follower: Follower) -> Served:
    """A service that is in step."""
    store, client = serve(folder)
    wait_in_step(client)
    follower.follow(client)
    return store, client


def ended(store: Path, place: Path) -> Path:
    """A copy of the folder of a store as it is left where the process of its service is ended now."""
    shutil.copytree(store, place)
    return place


def put_with_token(client: httpx.Client, turtle: str) -> None:
    put_turtle(client, turtle, Authorization="Bearer secret")


def check_in_step(client: httpx.Client, follower: Follower, *, is_now: bool) -> None:
    """All that is kept is in step with what the store holds: what was written first, or last."""
    wait_in_step(client)
    follower.check(client)
    check_figures(client)
    assert found(client, "bridges") == (set() if is_now else {"x:a"})
    assert found(client, "tunnels") == ({"x:a"} if is_now else set())


# What a write does one after the other, that may be the last thing that the process does.
STEPS: dict[str, tuple[Any, str]] = {
    "the mark of the index goes": (CleanMark, "remove"),
    "a write is announced": (InferenceMarks, "mark_dirty"),
    "what follows is inferred": (Inference, "infer"),
    "all is in line": (InferenceMarks, "mark_clean"),
    "the log of changes follows": (ChangeLogSync, "add_states"),
    "the index follows": (FullTextIndex, "write_change"),
    "it is described": (DescriptionGraphs, "describe"),
    "the description is in line": (InferenceMarks, "mark_described"),
}


@pytest.mark.parametrize("is_over", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("step", STEPS)
def test_all_is_in_step_after_a_kill_at_any_step_of_a_write(
    serve: Serve,
    follower: Follower,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    step: str,
    later: bool,
    is_over: bool,
) -> None:
    monkeypatch.setattr(transactions, "DESCRIPTION_PAUSE_SECONDS", NEVER)
    monkeypatch.setattr(transactions, "MAX_DESCRIPTION_DELAY_SECONDS", NEVER)
    store, client = served(serve, tmp_path / "store", follower)
    if later:
        store.describe_later()
    put_with_token(client, LONG_AGO)
    store.flush_descriptions()
    follower.follow(client)
    owner, name = STEPS[step]
    whole = getattr(owner, name)

    def killed(*given: Any) -> Any:
        if is_over:
            done = whole(*given)
        if not (tmp_path / "ended").exists():
            ended(tmp_path / "store", tmp_path / "ended")
        return done if is_over else whole(*given)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, killed)
        put_with_token(client, NOW)
        store.flush_descriptions()
    store, client = serve(tmp_path / "ended")
    check_in_step(client, follower, is_now=store.has_statement(None, None, ox.Literal("tunnels")))
    assert len(follower.names) == 1


def test_of_what_was_acknowledged_nothing_is_missing_where_it_was_not_described_yet(
    serve: Serve, follower: Follower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "DESCRIPTION_PAUSE_SECONDS", NEVER)
    store, client = served(serve, tmp_path / "store", follower)
    store.describe_later()
    put_with_token(client, LONG_AGO)
    put_with_token(client, NOW)
    assert client.get("/ready").json()["describing"]
    _, client = serve(ended(tmp_path / "store", tmp_path / "ended"))
    check_in_step(client, follower, is_now=True)


def test_a_description_that_failed_is_counted_anew(
    serve: Serve, follower: Follower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, client = served(serve, tmp_path / "store", follower)
    put_with_token(client, LONG_AGO)
    monkeypatch.setattr(transactions, "DESCRIPTION_PAUSE_SECONDS", NEVER)
    store.describe_later()
    put_with_token(client, NOW)
    with monkeypatch.context() as failing:
        failing.setattr(transactions, "sync_engine_log", fail)
        with pytest.raises(StoreError, match="the disk failed"):
            store.flush_descriptions()
    assert store.has_outdated_descriptions
    store.flush_descriptions()
    check_in_step(client, follower, is_now=True)


def fail(*_: object) -> int:
    raise OSError("the disk failed")


def nothing(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def nonsense(path: Path) -> None:
    path.write_bytes(b"no database and no note at all " * 1000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def holes(path: Path) -> None:
    """The second half of a database is zero."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))


KEPT = (
    f"{ASIDE_FOLDER}/{CHANGE_LOG_FILE}",
    str(SEARCH_INDEX_PATH),
    INDEXED,
    CLEAN_MARK_FILE,
    UNDESCRIBED_MARK_FILE,
    JOURNAL_FILE,
)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((name, damage) for name in KEPT for damage in (nothing, nonsense, empty)),
        *((name, holes) for name in KEPT[:2]),
    ],
)
def test_what_is_missing_or_damaged_is_made_anew(
    serve: Serve, follower: Follower, folder: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(folder / name)
    _, client = serve(folder)
    check_in_step(client, follower, is_now=False)
    put_with_token(client, NOW)
    check_in_step(client, follower, is_now=True)


@pytest.mark.parametrize("missing", [(ASIDE_FOLDER,), (ASIDE_FOLDER, INDEXED, CLEAN_MARK_FILE), (INDEXED,)])
def test_an_older_store_that_never_had_any_of_it_gets_it(
    serve: Serve, follower: Follower, folder: Path, missing: tuple[str, ...]
) -> None:
    for one in missing:
        nothing(folder / one)
    _, client = serve(folder)
    check_in_step(client, follower, is_now=False)


@pytest.fixture
def backups(tmp_path: Path, folder: Path) -> Path:
    """A folder with a backup of the store, whose last write was followed."""
    assert main(["backup", str(tmp_path / "backups"), "--store", str(folder)]) == 0
    return tmp_path / "backups"


def test_a_restore_in_place_is_told_as_the_changes_that_it_makes(
    serve: Serve, follower: Follower, tmp_path: Path, folder: Path, backups: Path
) -> None:
    _, client = served(serve, folder, follower)
    put_with_token(client, NOW)
    follower.check(client)
    later = ended(folder, tmp_path / "later")
    assert main(["restore", str(backups), "--store", str(later)]) == 0
    _, client = serve(later)
    check_in_step(client, follower, is_now=False)
    put_with_token(client, NOW)
    check_in_step(client, follower, is_now=True)
    assert len(follower.names) == 1


def test_a_restore_elsewhere_begins_a_stream_of_its_own(
    serve: Serve, follower: Follower, tmp_path: Path, backups: Path
) -> None:
    assert main(["restore", str(backups), "--store", str(tmp_path / "other")]) == 0
    _, client = serve(tmp_path / "other")
    check_in_step(client, follower, is_now=False)
    assert len(set(follower.names)) == 2


def test_a_stream_of_another_base_is_not_gone_on_with(folder: Path) -> None:
    store = Store.open(folder, [RULE], INFERRED)
    logs = ChangeLogSync(store, BASE), ChangeLogSync(store, "https://example.org/")
    for log in logs:
        log.open()
    assert logs[0].log.log_id != logs[1].log.log_id
