"""Backup and restore are killed before each step in the file system: nothing is left by halves."""

import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.store.backup.backup import list_backups
from wgig.store.store import Store

from .world import check_whole

OLD, NEW = "urn:old", "urn:new"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store that says it is old, and a backup of one that says it is new; a note beside says so, too."""
    folder = tmp_path / "run"
    for name, where in ((NEW, "saved"), (OLD, "store")):
        Store.open(folder / where).update(f"INSERT DATA {{ <{name}> <urn:p> 1 }}")
        (folder / where / "note").write_text(name)
    assert main(["backup", str(folder / "backups"), "--store", str(folder / "saved")]) == 0
    return folder


def killed(folder: Path, *command: str) -> list[Path]:
    """The folders of the runs of a command, each killed one step later than the last, the final one not."""
    script = Path(__file__).with_name("moments.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder), *command], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    steps = done.stdout.splitlines()
    assert len(steps) > 5
    return [folder.with_name(f"{folder.name}-{number}") for number in range(1, len(steps) + 2)]


def held(folder: Path) -> str:
    """What the store in a folder says, which is what the note beside its quads says."""
    (triple,) = Store.open(folder).triples(None)
    note = (folder / "note").read_text()
    assert isinstance(triple.subject, ox.NamedNode)
    assert triple.subject.value == note
    return note


def test_a_restore_that_is_killed_leaves_one_store_whole_and_the_next_one_works(folder: Path) -> None:
    runs = killed(folder, "restore", "backups", "--store", "store")
    found = [held(run / "store") for run in runs]
    first = found.index(NEW)
    assert found == [OLD] * first + [NEW] * (len(found) - first)
    assert first > 0
    for run in runs[first:]:
        (before,) = (run / "store" / "aside").glob("before-*")
        assert held(before) == OLD
    for run in runs[:first]:
        assert main(["restore", str(run / "backups"), "--store", str(run / "store")]) == 0
        assert held(run / "store") == NEW
        there = {one.name.partition("-")[0] for one in (run / "store" / "aside").iterdir()}
        assert there == {".lock", "before", "door", "last"}


def test_a_backup_that_is_killed_is_whole_or_none_and_the_next_one_is_whole(folder: Path) -> None:
    assert main(["backup", str(folder / "mine"), "--store", str(folder / "store")]) == 0
    for run in killed(folder, "backup", "mine", "--store", "store", "--keep", "1"):
        assert held(run / "store") == OLD
        assert list_backups(run / "mine")
        assert main(["backup", str(run / "mine"), "--store", str(run / "store")]) == 0
        found = list_backups(run / "mine")
        there = {one.name for one in (run / "mine").iterdir()}
        assert there == {".lock", *(one.name for one in found)}
        assert not (run / "store" / "aside" / "kept").exists()
        for one in found:
            check_whole(one)
