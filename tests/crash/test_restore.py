"""A restore that is killed at a random time leaves either the old store or the restored one, complete."""

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

from .world import ENVIRONMENT, ROUND_COUNT, SEED, WGIG_COMMAND

pytestmark = pytest.mark.long

STORE_TRIPLES = 20_000
KILLS_PER_RESTORE = 3  # rounds of test_rounds.py for each round here


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store, a backup of it, and a backup of another store."""
    for backups, name in (("other", "other"), ("same", "store")):
        lines = "".join(f"<urn:{name}> <urn:n> {number} .\n" for number in range(STORE_TRIPLES))
        Store.open(tmp_path / name).bulk_load(BytesIO(lines.encode()), ox.RdfFormat.TURTLE, "urn:g")
        assert main(["backup", str(tmp_path / "backups" / backups), "--store", str(tmp_path / name)]) == 0
    return tmp_path


def start_restore(store: Path, backup: Path) -> "subprocess.Popen[bytes]":
    """Start a restore, and wait until it begins to copy files."""
    shutil.rmtree(store / "aside" / "restoring", ignore_errors=True)  # left by a killed restore
    process = subprocess.Popen(
        [*WGIG_COMMAND, "restore", str(backup), "--store", str(store)],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None and not (store / "aside" / "restoring").exists():
        pass
    return process


def reopen_store(store: Path) -> StoreContent:
    """The content of a store after it was opened."""
    open_quads(store)
    return read_store_content(store)


@pytest.mark.parametrize("seed", [f"seed {SEED}"])
def test_a_killed_restore_leaves_one_of_the_two_stores_complete(folder: Path, seed: str) -> None:
    store, chance = folder / "store", random.Random(seed)
    backups = [folder / "backups" / name for name in ("same", "other")]
    contents = [BackupManifest.read(get_newest_backup(backup)).content for backup in backups]
    with start_restore(store, backups[1]) as process:
        started = time.monotonic()
        assert process.wait() == 0
        seconds = time.monotonic() - started
    assert reopen_store(store) == contents[1]
    current = 1  # the index of the backup that the store was restored from
    for _ in range(ROUND_COUNT // KILLS_PER_RESTORE):
        with start_restore(store, backups[1 - current]) as process:
            time.sleep(chance.uniform(0, seconds))
            process.kill()
        content = reopen_store(store)
        assert content in (contents if process.returncode else [contents[1 - current]])
        current = contents.index(content)
        for old_store in (store / "aside").glob("before-*"):
            assert read_store_content(old_store) in contents
            shutil.rmtree(old_store)
    assert main(["restore", str(backups[1 - current]), "--store", str(store)]) == 0
    assert reopen_store(store) == contents[1 - current]
    assert not (store / "aside" / "restoring").exists()
