"""A restore that is killed at a random moment leaves the store as it was, or as the backup is, whole."""

import random
import shutil
import subprocess
import time
from io import BytesIO
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.store.backup.backup import get_newest_backup
from wgig.store.backup.manifest import BackupManifest, StoreContent, read_store_content
from wgig.store.folder import open_quads
from wgig.store.store import Store

from .world import ENVIRONMENT, ROUNDS, SEED, WGIG

pytestmark = pytest.mark.long

TRIPLES = 20_000
SHARE = 3  # there is one of these rounds for so many in which somebody of a service is killed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store, a backup of it, and one of another store."""
    for backups, name in (("other", "other"), ("same", "store")):
        lines = "".join(f"<urn:{name}> <urn:n> {number} .\n" for number in range(TRIPLES))
        Store.open(tmp_path / name).bulk_load(BytesIO(lines.encode()), ox.RdfFormat.TURTLE, "urn:g")
        assert main(["backup", str(tmp_path / "backups" / backups), "--store", str(tmp_path / name)]) == 0
    return tmp_path


def begin(store: Path, backup: Path) -> "subprocess.Popen[bytes]":
    """Begin a restore; what it restores comes in just now."""
    shutil.rmtree(store / "aside" / "restoring", ignore_errors=True)  # of one that was killed
    process = subprocess.Popen(
        [*WGIG, "restore", str(backup), "--store", str(store)], env=ENVIRONMENT, stdout=subprocess.DEVNULL
    )
    while process.poll() is None and not (store / "aside" / "restoring").exists():
        pass
    return process


def held(store: Path) -> StoreContent:
    """What is in a store when it was opened again."""
    open_quads(store)
    return read_store_content(store)


@pytest.mark.parametrize("seed", [f"seed {SEED}"])
def test_a_restore_that_is_killed_leaves_one_store_or_the_other_whole(folder: Path, seed: str) -> None:
    store, chance = folder / "store", random.Random(seed)
    backups = [folder / "backups" / name for name in ("same", "other")]
    holds = [BackupManifest.read(get_newest_backup(one)).content for one in backups]
    with begin(store, backups[1]) as process:
        started = time.monotonic()
        assert process.wait() == 0
        seconds = time.monotonic() - started
    assert held(store) == holds[1]
    there = 1
    for _ in range(ROUNDS // SHARE):
        with begin(store, backups[1 - there]) as process:
            time.sleep(chance.uniform(0, seconds))
            process.kill()
        found = held(store)
        assert found in (holds if process.returncode else [holds[1 - there]])
        there = holds.index(found)
        for before in (store / "aside").glob("before-*"):
            assert read_store_content(before) in holds
            shutil.rmtree(before)
    assert main(["restore", str(backups[1 - there]), "--store", str(store)]) == 0
    assert held(store) == holds[1 - there]
    assert not (store / "aside" / "restoring").exists()
