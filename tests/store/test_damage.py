"""A damaged block that makes a query hang is found, and ends the process with a message."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.store import damage
from wgig.store import view as view_module
from wgig.store.damage import VERIFICATION_TIME_FILE, VERIFIED_COPY_FOLDER, find_damage
from wgig.store.files import ASIDE_FOLDER
from wgig.store.folder import QUADS_FOLDER
from wgig.store.store import Store
from wgig.store.view import StoreView, select_solutions

from tests.fixtures.tables import MIN_TABLE_BYTES, build_store_with_tables, overwrite_bytes

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from pathlib import Path
from wgig.store import damage
from wgig.store.store import Store
from wgig.store.view import select_solutions

damage.SUSPICIOUS_QUERY_SECONDS = 0.1
store = Store.open_read_only(Path(sys.argv[1]))
with store.write_lock():
    select_solutions(store, "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p")
"""


@pytest.fixture
def store_folder(tmp_path: Path) -> Path:
    return build_store_with_tables(tmp_path / "store")


def open_view(store_folder: Path) -> StoreView:
    return Store.open_read_only(store_folder)


def damage_large_tables(quads_folder: Path) -> None:
    for table in quads_folder.glob("*.sst"):
        if table.stat().st_size > MIN_TABLE_BYTES:
            overwrite_bytes(table, 0.02)


def test_query_that_hangs_at_a_damaged_block_ends_its_process(store_folder: Path) -> None:
    damage_large_tables(store_folder / QUADS_FOLDER)
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(store_folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 3, process.stderr
    assert f"In the store {store_folder}, the file {QUADS_FOLDER}/" in process.stderr
    assert process.stderr.endswith(" is damaged; restore a backup.\n")


def test_damage_is_looked_for_once_in_ten_minutes(store_folder: Path) -> None:
    view = open_view(store_folder)
    assert not find_damage(view)
    damage_large_tables(store_folder / QUADS_FOLDER)
    assert not find_damage(view)
    os.utime(store_folder / ASIDE_FOLDER / VERIFICATION_TIME_FILE, (0, 0))
    assert "is damaged" in find_damage(view)
    assert not (store_folder / ASIDE_FOLDER / VERIFIED_COPY_FOLDER).exists()


@pytest.mark.parametrize(
    ("message", "damage_file"),
    [("Corruption: block checksum mismatch in /x/000086.sst", "000086.sst"), ("Resource busy", "")],
)
def test_error_of_the_copy_that_is_verified_is_damage_only_if_it_says_so(
    tmp_path: Path, message: str, damage_file: str
) -> None:
    class UnreadableQuads:
        def backup(self, _: str) -> None:
            raise RuntimeError(message)

    found = find_damage(StoreView(cast(ox.Store, UnreadableQuads()), tmp_path))
    assert (damage_file in found, bool(found)) == (True, bool(damage_file))


def test_damage_of_a_snapshot_is_that_of_its_store(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = list[StoreView]()

    @contextmanager
    def watch(view: StoreView) -> Iterator[None]:
        verified.append(view)
        yield

    monkeypatch.setattr(view_module, "watch_for_damage", watch)
    store = Store.open(store_folder)
    with store.snapshot("group/copy") as snapshot:
        select_solutions(snapshot, "SELECT * { <x:s1> <x:p> ?o }", union=False)
        assert (snapshot.folder, verified[0].folder) == (store_folder / "aside/group/copy", store_folder)
        assert snapshot.folder
        damage_large_tables(snapshot.folder)
        assert f"In the store {store_folder}, " in find_damage(verified[0])


def test_quick_query_is_not_followed_by_a_verification(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[bool] = []

    class RecordedTimer:
        daemon = False

        def __init__(self, seconds: float, function: object, _: object) -> None:
            assert (seconds, function) == (damage.SUSPICIOUS_QUERY_SECONDS, damage.exit_if_damaged)

        def start(self) -> None:
            timers.append(True)

        def cancel(self) -> None:
            timers.append(False)

    monkeypatch.setattr(damage, "Timer", RecordedTimer)
    view = open_view(store_folder)
    assert select_solutions(view, "SELECT * { <x:s1> <x:p> ?o }", union=False)
    with pytest.raises(SyntaxError):
        select_solutions(view, "SELECT")
    assert timers == [True, False, True, False]


def test_copy_left_by_a_crash_is_removed_at_start(store_folder: Path) -> None:
    copy = store_folder / ASIDE_FOLDER / VERIFIED_COPY_FOLDER
    copy.mkdir(parents=True)
    Store.open(store_folder)
    assert not copy.exists()


def test_command_reports_the_damaged_file(store_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage_large_tables(store_folder / QUADS_FOLDER)
    query = "SELECT * { ?s ?p ?o }"
    assert main(["query", query, "--store", str(store_folder)]) == 3
    error = capsys.readouterr().err
    assert f"The store {store_folder} is damaged in the file " in error
    assert "restore a backup" in error
