"""Backups: a folder each, with the store as it was at one moment and a manifest of it.

A backup is written under another name and renamed when all of it was read again and found right, so that
what is called a backup is one.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from ..._version import __version__
from ...files import PARTIAL_SUFFIX, open_durable_file, sync_to_disk
from ...problems import Problem
from ..files import ASIDE_FOLDER, hold_file_lock, swap_store
from ..folder import check_layout_number, hold_store_closed
from ..snapshot import CHECKPOINT_FOLDER
from .manifest import (
    MANIFEST_FILE,
    BackupManifest,
    ByteProgress,
    DamagedBackupError,
    FileChecksum,
    StoreContent,
    check_content_counts,
    check_file_checksums,
    iter_file_chunks,
    list_file_sizes,
    read_store_content,
)

BACKUP_STORE_FOLDER = "store"  # in a backup, the folder that is like that of a store
LAST_BACKUP_FILE = "last-backup"
BACKUP_NAME_PREFIX = "wgig-"
BACKUP_LOCK_FILE = ".lock"

# What follows a step of the work, given a word for it, how much there is to do, and the unit of that.
Progress = Callable[[str, int, str], AbstractContextManager[ByteProgress]]

BACKUP_BUSY_MESSAGE = "Another backup or restore of {} is under way. Wait for it."


def current_backup_time() -> str:
    """The point of time in UTC, to the millisecond (ISO 8601)."""
    return f"{datetime.now(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def compact_timestamp(when: str) -> str:
    """A point of time as it may stand in the name of a file."""
    return when.replace("-", "").replace(":", "")


def create_backup(
    folder: Path, target: Path, keep: Callable[[Path], int], progress: Progress
) -> tuple[Path, StoreContent]:
    """Make a backup of the store in `folder` below `target`; returns where it is and what it holds.

    `keep` makes the checkpoint of the store, and tells how many quads the store had. Raises OSError, and what
    `keep` raises: there is no new backup then.
    """
    kept, partial = folder / ASIDE_FOLDER / CHECKPOINT_FOLDER, target / PARTIAL_SUFFIX
    with (
        hold_file_lock(folder / ASIDE_FOLDER / BACKUP_LOCK_FILE, BACKUP_BUSY_MESSAGE.format(folder)),
        hold_file_lock(target / BACKUP_LOCK_FILE, f"Another backup into {target} is under way. Wait for it."),
    ):
        try:
            for one in (kept, partial):  # of one that was cut off
                shutil.rmtree(one, ignore_errors=True)
            when = current_backup_time()
            count = keep(folder)
            holds = write_backup(kept, partial, count, when, progress)
            backup = target / (BACKUP_NAME_PREFIX + compact_timestamp(when))
            partial.rename(backup)
            sync_to_disk(target)
        finally:
            for one in (kept, partial):
                shutil.rmtree(one, ignore_errors=True)
        write_backup_time(folder, when)
    return backup, holds


def write_backup(kept: Path, backup: Path, count: int, when: str, progress: Progress) -> StoreContent:
    """Write a backup of a checkpoint, read all of it again, and then write its manifest."""
    backup.mkdir(mode=0o700)
    files = copy_store_files(kept, backup / BACKUP_STORE_FOLDER, progress)
    check_store_files(backup / BACKUP_STORE_FOLDER, files, progress)
    with progress("Reading", count, "quads") as reached:
        holds = read_store_content(backup / BACKUP_STORE_FOLDER, reached)
    if holds.quads != count:
        raise DamagedBackupError(f"it holds {holds.quads} quads, and the store had {count}")
    BackupManifest(__version__, when, holds, files).write(backup)
    return holds


def restore_backup(backup: Path, folder: Path, progress: Progress) -> tuple[BackupManifest, Path]:
    """Make a backup the store in `folder`; returns what it says of itself, and where the old store is now.

    Raises DamagedBackupError, OSError, or StoreError where a process has the store open, or a newer version
    of the package made the backup: all is as it was then.
    """
    manifest = BackupManifest.read(backup)
    check_layout_number(backup / BACKUP_STORE_FOLDER)
    with hold_file_lock(folder / ASIDE_FOLDER / BACKUP_LOCK_FILE, BACKUP_BUSY_MESSAGE.format(folder)):
        with hold_store_closed(folder):
            pass  # nobody waits for a copy, only to be told so
        fresh = folder / ASIDE_FOLDER / "restoring"
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            copy_store_files(backup / BACKUP_STORE_FOLDER, fresh, progress)
            check_store_files(fresh, manifest.files, progress)
            check_content_counts(fresh, manifest.content)
            with hold_store_closed(folder):
                before = swap_store(folder, fresh, compact_timestamp(current_backup_time()))
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        write_backup_time(folder, manifest.made)
    return manifest, before


def copy_store_files(source: Path, target: Path, progress: Progress) -> dict[str, FileChecksum]:
    """Copy a folder to one that is not there yet, down to the disk; returns its files as they were read."""
    lengths = list_file_sizes(source)
    files, done = {}, 0
    with progress("Copying", sum(lengths.values()), "bytes") as reached:
        for name in lengths:
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            digest, before = hashlib.sha256(), done
            with place.open("xb") as file:
                for piece in iter_file_chunks(source / name):
                    file.write(piece)
                    digest.update(piece)
                    done += len(piece)
                    reached(done)
                file.flush()
                shutil.copymode(source / name, place)
                os.fsync(file.fileno())
            files[name] = FileChecksum(done - before, digest.hexdigest())
    for one in (target, *(one for one in target.rglob("*") if one.is_dir())):
        sync_to_disk(one)
    return files


def check_store_files(store: Path, files: dict[str, FileChecksum], progress: Progress) -> None:
    """Raises DamagedBackupError where the files of a store are not these, to the byte."""
    with progress("Checking", sum(one.bytes for one in files.values()), "bytes") as reached:
        check_file_checksums(store, files, reached)


def list_backups(target: Path) -> list[Path]:
    """The backups below a folder, the oldest first."""
    return sorted(one.parent for one in target.glob(f"{BACKUP_NAME_PREFIX}*/{MANIFEST_FILE}"))


def get_newest_backup(place: Path) -> Path:
    """The backup that a folder is, or the newest one below it. Raises Problem 404."""
    found = [place] if (place / MANIFEST_FILE).exists() else list_backups(place)
    if not found:
        raise Problem(
            404, f"There is no backup in {place}. Name one, or the folder that wgig backup was given."
        )
    return found[-1]


def prune_backups(target: Path, most: int) -> list[Path]:
    """Delete all backups below a folder but the newest; returns those that are gone. Raises OSError."""
    with hold_file_lock(target / BACKUP_LOCK_FILE):
        old = list_backups(target)[:-most]
        for one in old:
            one.rename(target / PARTIAL_SUFFIX)  # no backup any more, also where this ends
            shutil.rmtree(target / PARTIAL_SUFFIX)
    return old


def write_backup_time(folder: Path, when: str) -> None:
    """Note in the folder of a store when its last backup was made."""
    with open_durable_file(folder / ASIDE_FOLDER / LAST_BACKUP_FILE) as file:
        file.write(when.encode())


def read_backup_time(folder: Path | None) -> str | None:
    """The point of time of the last backup of the store in a folder (ISO 8601, UTC), None without one."""
    try:
        return (folder / ASIDE_FOLDER / LAST_BACKUP_FILE).read_text(encoding="utf-8") if folder else None
    except OSError:
        return None
