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
from ...files import PARTIAL, durable, sync
from ...problems import Problem
from ..files import ASIDE, locked, swap
from ..folder import closed, refuse_newer
from ..snapshot import KEPT
from .manifest import (
    NAME,
    Content,
    DamagedError,
    File,
    Manifest,
    Reached,
    check_count,
    check_files,
    content,
    listed,
    pieces,
)

STORE = "store"  # in a backup, the folder that is like that of a store
LAST = "last-backup"
PREFIX = "wgig-"
LOCK = ".lock"

# What follows a step of the work, given a word for it, how much there is to do, and the unit of that.
Progress = Callable[[str, int, str], AbstractContextManager[Reached]]

BUSY = "Another backup or restore of {} is under way. Wait for it."


def now() -> str:
    """The point of time in UTC, to the millisecond (ISO 8601)."""
    return f"{datetime.now(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def in_name(when: str) -> str:
    """A point of time as it may stand in the name of a file."""
    return when.replace("-", "").replace(":", "")


def back_up(
    folder: Path, target: Path, keep: Callable[[Path], int], progress: Progress
) -> tuple[Path, Content]:
    """Make a backup of the store in `folder` below `target`; returns where it is and what it holds.

    `keep` makes the checkpoint of the store, and tells how many quads the store had. Raises OSError, and what
    `keep` raises: there is no new backup then.
    """
    kept, partial = folder / ASIDE / KEPT, target / PARTIAL
    with (
        locked(folder / ASIDE / LOCK, BUSY.format(folder)),
        locked(target / LOCK, f"Another backup into {target} is under way. Wait for it."),
    ):
        try:
            for one in (kept, partial):  # of one that was cut off
                shutil.rmtree(one, ignore_errors=True)
            when = now()
            count = keep(folder)
            holds = written(kept, partial, count, when, progress)
            backup = target / (PREFIX + in_name(when))
            partial.rename(backup)
            sync(target)
        finally:
            for one in (kept, partial):
                shutil.rmtree(one, ignore_errors=True)
        note(folder, when)
    return backup, holds


def written(kept: Path, backup: Path, count: int, when: str, progress: Progress) -> Content:
    """Write a backup of a checkpoint, read all of it again, and then write its manifest."""
    backup.mkdir(mode=0o700)
    files = copy(kept, backup / STORE, progress)
    check(backup / STORE, files, progress)
    with progress("Reading", count, "quads") as reached:
        holds = content(backup / STORE, reached)
    if holds.quads != count:
        raise DamagedError(f"it holds {holds.quads} quads, and the store had {count}")
    Manifest(__version__, when, holds, files).write(backup)
    return holds


def restore(backup: Path, folder: Path, progress: Progress) -> tuple[Manifest, Path]:
    """Make a backup the store in `folder`; returns what it says of itself, and where the old store is now.

    Raises DamagedError, OSError, or StoreError where a process has the store open, or a newer version of the
    package made the backup: all is as it was then.
    """
    manifest = Manifest.read(backup)
    refuse_newer(backup / STORE)
    with locked(folder / ASIDE / LOCK, BUSY.format(folder)):
        with closed(folder):
            pass  # nobody waits for a copy, only to be told so
        fresh = folder / ASIDE / "restoring"
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            copy(backup / STORE, fresh, progress)
            check(fresh, manifest.files, progress)
            check_count(fresh, manifest.content)
            with closed(folder):
                before = swap(folder, fresh, in_name(now()))
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        note(folder, manifest.made)
    return manifest, before


def copy(source: Path, target: Path, progress: Progress) -> dict[str, File]:
    """Copy a folder to one that is not there yet, down to the disk; returns its files as they were read."""
    lengths = listed(source)
    files, done = {}, 0
    with progress("Copying", sum(lengths.values()), "bytes") as reached:
        for name in lengths:
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            digest, before = hashlib.sha256(), done
            with place.open("xb") as file:
                for piece in pieces(source / name):
                    file.write(piece)
                    digest.update(piece)
                    done += len(piece)
                    reached(done)
                file.flush()
                shutil.copymode(source / name, place)
                os.fsync(file.fileno())
            files[name] = File(done - before, digest.hexdigest())
    for one in (target, *(one for one in target.rglob("*") if one.is_dir())):
        sync(one)
    return files


def check(store: Path, files: dict[str, File], progress: Progress) -> None:
    """Raises DamagedError where the files of a store are not these, to the byte."""
    with progress("Checking", sum(one.bytes for one in files.values()), "bytes") as reached:
        check_files(store, files, reached)


def backups(target: Path) -> list[Path]:
    """The backups below a folder, the oldest first."""
    return sorted(one.parent for one in target.glob(f"{PREFIX}*/{NAME}"))


def chosen(place: Path) -> Path:
    """The backup that a folder is, or the newest one below it. Raises Problem 404."""
    found = [place] if (place / NAME).exists() else backups(place)
    if not found:
        raise Problem(
            404, f"There is no backup in {place}. Name one, or the folder that wgig backup was given."
        )
    return found[-1]


def prune(target: Path, most: int) -> list[Path]:
    """Delete all backups below a folder but the newest; returns those that are gone. Raises OSError."""
    with locked(target / LOCK):
        old = backups(target)[:-most]
        for one in old:
            one.rename(target / PARTIAL)  # no backup any more, also where this ends
            shutil.rmtree(target / PARTIAL)
    return old


def note(folder: Path, when: str) -> None:
    """Note in the folder of a store when its last backup was made."""
    with durable(folder / ASIDE / LAST) as file:
        file.write(when.encode())


def last(folder: Path | None) -> str | None:
    """The point of time of the last backup of the store in a folder (ISO 8601, UTC), None without one."""
    try:
        return (folder / ASIDE / LAST).read_text(encoding="utf-8") if folder else None
    except OSError:
        return None
