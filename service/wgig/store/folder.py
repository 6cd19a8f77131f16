"""Opening the folder of a store: its lock, its layout number, and the completion of an interrupted restore.

It also replaces the quads of a store that no process has open. Every failure becomes a StoreError with one
sentence on the cause and the fix. The layout number keeps older versions of the package from misreading a
folder that a newer one wrote. Increase it if older versions would misread or corrupt the folder. Derived
files that are rebuilt when their format does not fit, such as the search index and the change log, do not
need a new number.
"""

import errno
import logging
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyoxigraph as ox

from .._version import __version__
from ..files import PRIVATE_FOLDER_MODE, make_private_folder, open_durable_file, sync_to_disk
from .errors import (
    OTHER_STORE_ADVICE,
    StoreError,
    StoreNotWritableError,
    build_store_error,
    translate_disk_errors,
)
from .files import ASIDE_FOLDER, find_backup_of_store, finish_store_swap, hold_file_lock

LAYOUT_FILE = "layout"
FIRST_LAYOUT_NUMBER = 1  # also of folders without a layout file
CURRENT_LAYOUT_NUMBER = 2  # with a change log


def read_layout(folder: Path) -> tuple[int, str]:
    """The layout number of a store folder, and the version of the package that wrote it (empty: unknown).

    Raises ValueError if the layout file is malformed.
    """
    layout_file = folder / LAYOUT_FILE
    if not layout_file.exists():
        return FIRST_LAYOUT_NUMBER, ""
    number, _, version = layout_file.read_text(encoding="ascii").strip().partition(" ")
    return int(number), version


def write_layout(folder: Path) -> None:
    """Write the current layout number into a store folder that does not have it. Raises OSError."""
    if not (folder / LAYOUT_FILE).exists() or read_layout(folder)[0] != CURRENT_LAYOUT_NUMBER:
        with open_durable_file(folder / LAYOUT_FILE) as file:
            file.write(f"{CURRENT_LAYOUT_NUMBER} {__version__}\n".encode("ascii"))


QUADS_FOLDER = "quads"
# In `aside`: quads that are to replace those of the store, and those that were replaced.
COMMITTED_QUADS_FOLDER, REPLACED_QUADS_FOLDER = "new-quads", "old-quads"
CHANGE_LOG_FILE = "log.sqlite"
ENGINE_CURRENT_FILE = "CURRENT"  # a file that every store of the engine has
OTHERS_MODE = 0o077  # permissions of others than the owner
OPENING_LOCK_FILE = "door"  # locked while a store is opened, or replaced by a restore
MAX_SNAPSHOT_ATTEMPTS = 5
SNAPSHOT_RETRY_SECONDS = 0.05  # pause after the first failed attempt; after the second, twice as long, etc.
# Time to wait for other writers of a shared store, which several services write to over HTTP.
WRITER_WAIT_SECONDS = 30.0
STARTUP_WAIT_SECONDS = 600.0  # the same at startup, as another writer may be filling the store


ENGINE_REPORT_FILE = "LOG"  # of the engine, about what it did since the store was opened
# The engine drops records of a damaged log without an error. A truncated last record is none: it was being
# written in a crash, so it was not acknowledged.
DROPPED_RECORDS_PATTERN = re.compile(r"(\d+\.log): dropping \d+ bytes; Corruption: (?!truncated)")

logger = logging.getLogger("wgig")


def find_damaged_log(quads_folder: Path) -> str:
    """The name of a log file in which the engine found damage when it opened a store, or empty."""
    report = (quads_folder / ENGINE_REPORT_FILE).read_text(encoding="utf-8", errors="replace")
    match = DROPPED_RECORDS_PATTERN.search(report)
    return match[1] if match else ""


def open_quads(folder: Path) -> ox.Store:
    """The engine's store in `folder`, created if there is none, for reading and writing.

    Only one process at a time can open it. A store of an older layout keeps its layout number, as it is to be
    upgraded. Raises StoreError.
    """
    quads = folder / QUADS_FOLDER
    try:
        with hold_opening_lock(folder):
            check_layout_number(folder)
            make_private_folder(quads)
            is_new = not any(quads.iterdir())
            if not (is_new or (quads / ENGINE_CURRENT_FILE).exists()):
                raise OSError(errno.EINVAL, "corruption")  # build_store_error recognizes this word
            if is_new:
                write_layout(folder)
            store = ox.Store(quads)
            if damaged_log := find_damaged_log(quads):
                logger.error(
                    "The file %s of the store %s is damaged: the last writes may be lost. Compare the store "
                    "with a backup.",
                    damaged_log,
                    folder,
                )
            return store
    except (OSError, RuntimeError) as error:
        raise build_store_error(error, folder) from error


def has_quads(folder: Path) -> bool:
    """Whether the engine has a store in `folder`."""
    return (folder / QUADS_FOLDER / ENGINE_CURRENT_FILE).exists()


def check_store_exists(folder: Path) -> None:
    """Raise StoreError if there is no store in `folder`, or if it is that of a backup.

    An interrupted restore is completed.
    """
    if not has_quads(folder) and (folder / ASIDE_FOLDER).exists():
        with translate_disk_errors(folder), hold_opening_lock(folder):
            pass
    if not has_quads(folder):
        raise build_store_error(OSError("no such file"), folder)
    check_not_in_backup(folder)


def check_not_in_backup(folder: Path) -> None:
    """Raise StoreNotWritableError if the store in `folder` is that of a backup, which must not change."""
    backup = find_backup_of_store(folder)
    if backup:
        raise StoreNotWritableError(
            f"The store {folder} is part of a backup, which must not be changed. You can restore it "
            f"(wgig restore {backup}), verify it (wgig verify {backup}), or read it (wgig query, "
            "dump and stats)."
        )


def check_layout_number(folder: Path) -> None:
    """Raise StoreError if a newer version of the package wrote the store in `folder`."""
    try:
        number, version = read_layout(folder)
    except ValueError as error:
        raise build_store_error(OSError("corruption"), folder) from error
    except OSError as error:
        raise build_store_error(error, folder) from error
    if number > CURRENT_LAYOUT_NUMBER:
        raise StoreError(
            f"The store {folder} was written by a newer version of wgig: it has layout {number}, and this "
            f"version, {__version__}, supports layout {CURRENT_LAYOUT_NUMBER}; install wgig {version} or "
            f"newer, restore an older backup, or {OTHER_STORE_ADVICE}."
        )


@contextmanager
def hold_store_closed(folder: Path) -> Iterator[None]:
    """Prevent that a process opens the store in `folder`. Raises StoreError if one has it open."""
    with hold_opening_lock(folder):
        if has_quads(folder):
            try:
                ox.Store(folder / QUADS_FOLDER)
            except (OSError, RuntimeError) as error:
                store_error = build_store_error(error, folder)
                if isinstance(store_error, StoreNotWritableError):  # a damaged store counts as closed
                    raise store_error from error
        yield


@contextmanager
def hold_opening_lock(folder: Path) -> Iterator[None]:
    """Hold the lock for opening a store, after completing an interrupted restore or replacement of quads.

    Raises StoreNotWritableError, without a change, for the store of a backup.
    """
    check_not_in_backup(folder)
    aside = folder / ASIDE_FOLDER
    make_private_folder(aside)
    if aside.stat().st_mode & OTHERS_MODE:  # made by an older version
        with suppress(PermissionError):
            aside.chmod(PRIVATE_FOLDER_MODE)
    with hold_file_lock(aside / OPENING_LOCK_FILE):
        finish_store_swap(folder)
        finish_quads_swap(folder)
        yield


def swap_quads(folder: Path, new_quads: Path) -> None:
    """Replace the quads in `folder` with those in `new_quads`, a folder in its `aside`, and delete the old.

    The rename commits it: if it is interrupted, `finish_quads_swap` completes it. Raises StoreError if a
    process has the store open, and OSError.
    """
    with hold_store_closed(folder):
        new_quads.rename(folder / ASIDE_FOLDER / COMMITTED_QUADS_FOLDER)
        sync_to_disk(folder / ASIDE_FOLDER)
        finish_quads_swap(folder)


def finish_quads_swap(folder: Path) -> None:
    """Complete an interrupted replacement of quads, if there is one. No process may have the store open."""
    aside = folder / ASIDE_FOLDER
    committed, replaced = aside / COMMITTED_QUADS_FOLDER, aside / REPLACED_QUADS_FOLDER
    if committed.exists():
        if (folder / QUADS_FOLDER).exists():
            shutil.rmtree(replaced, ignore_errors=True)
            (folder / QUADS_FOLDER).rename(replaced)
        committed.rename(folder / QUADS_FOLDER)
        sync_to_disk(folder)
    if replaced.exists():
        shutil.rmtree(replaced)


def open_quads_snapshot(folder: Path) -> ox.Store:
    """A read-only snapshot of the engine's store in `folder`, also while another process writes.

    Raises StoreError. Opening can fail while the writer compacts its files, so there are 5 attempts.
    """
    check_layout_number(folder)
    for attempt in range(MAX_SNAPSHOT_ATTEMPTS):
        try:
            return ox.Store.read_only(str(folder / QUADS_FOLDER))
        except (OSError, RuntimeError) as error:
            is_missing = not has_quads(folder)
            if is_missing or attempt == MAX_SNAPSHOT_ATTEMPTS - 1:
                raise build_store_error(error, folder) from error
            time.sleep(SNAPSHOT_RETRY_SECONDS * (attempt + 1))
    raise AssertionError("the last attempt returns or raises")
