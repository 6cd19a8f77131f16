"""Backup and restore that are killed at any step leave complete stores and backups."""

import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.store.backup.backup import list_backups
from wgig.store.checkpoint import CHECKPOINT_FOLDER
from wgig.store.store import Store

from .moments import PROBE_COUNT
from .world import check_backup

OLD, NEW = "urn:old", "urn:new"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the store OLD, and a backup of the store NEW; a file `note` names the store, too."""
    monkeypatch.setattr("wgig.store.backup.verification.PROBE_COUNT", PROBE_COUNT)
    folder = tmp_path / "run"
    for name, subfolder in ((NEW, "saved"), (OLD, "store")):
        Store.open(folder / subfolder).update(f"INSERT DATA {{ <{name}> <urn:p> 1 }}")
        (folder / subfolder / "note").write_text(name)
    assert main(["backup", str(folder / "backups"), "--store", str(folder / "saved")]) == 0
    return folder


def run_killed_at_each_step(folder: Path, *command: str) -> list[Path]:
    """The folders of the runs of a command: each is killed one step later, and the last one is not killed."""
    script = Path(__file__).with_name("moments.py")
    process = subprocess.run(
        [sys.executable, str(script), str(folder), *command], capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stderr) == (0, "")
    steps = process.stdout.splitlines()
    assert len(steps) > 5
    return [folder.with_name(f"{folder.name}-{number}") for number in range(1, len(steps) + 2)]


def read_store_name(folder: Path) -> str:
    """OLD or NEW: the subject in the store of a folder, which must equal the text of `note`."""
    (triple,) = Store.open(folder).triples(None)
    note = (folder / "note").read_text()
    assert isinstance(triple.subject, ox.NamedNode)
    assert triple.subject.value == note
    return note


def test_a_killed_restore_leaves_a_complete_store_and_can_be_repeated(folder: Path) -> None:
    runs = run_killed_at_each_step(folder, "restore", "backups", "--store", "store")
    names = [read_store_name(run / "store") for run in runs]
    old_count = names.index(NEW)
    assert names == [OLD] * old_count + [NEW] * (len(names) - old_count)
    assert old_count > 0
    for run in runs[old_count:]:
        (replaced_store,) = (run / "store" / "aside").glob("before-*")
        assert read_store_name(replaced_store) == OLD
    for run in runs[:old_count]:
        assert main(["restore", str(run / "backups"), "--store", str(run / "store")]) == 0
        assert read_store_name(run / "store") == NEW
        files = {path.name.partition("-")[0] for path in (run / "store" / "aside").iterdir()}
        # Locks (.lock, door), replaced stores, and `last-backup`, but no part of the interrupted restore.
        assert files == {".lock", "before", "door", "last"}


def test_a_killed_backup_is_complete_or_missing_and_can_be_repeated(folder: Path) -> None:
    assert main(["backup", str(folder / "store-backups"), "--store", str(folder / "store")]) == 0
    for run in run_killed_at_each_step(folder, "backup", "store-backups", "--store", "store", "--keep", "1"):
        assert read_store_name(run / "store") == OLD
        assert list_backups(run / "store-backups")
        assert main(["backup", str(run / "store-backups"), "--store", str(run / "store")]) == 0
        backups = list_backups(run / "store-backups")
        names = {path.name for path in (run / "store-backups").iterdir()}
        assert names == {".lock", *(backup.name for backup in backups)}
        assert not (run / "store" / "aside" / CHECKPOINT_FOLDER).exists()
        for backup in backups:
            check_backup(backup)
