"""`wgig backup` and `wgig restore`.

A backup is a snapshot of the store that is read back and verified, also while a service runs. Old ones are
deleted only if asked for. A restore needs the service stopped; if it fails, the store is as it was.
"""

import argparse
import time
from pathlib import Path

from ..problems import Problem
from ..settings import Settings
from ..store.backup.backup import create_backup, get_newest_backup, prune_backups, restore_backup
from ..store.backup.manifest import MANIFEST_FILE, DamagedBackupError
from ..store.backup.online import request_checkpoint
from ..store.folder import check_store_exists
from .console import show_progress_bar


def run_restore(arguments: argparse.Namespace, settings: Settings) -> int:
    """Restore a backup. Exit code 0. Raises Problem, StoreError, OSError: the store is as it was then.

    Raises ValueError over a shared store, of whose copy alone there is a backup.
    """
    if settings.remote_query:
        raise ValueError(
            f"The data is in the shared store at {settings.remote_query}, and {settings.store} has a copy "
            "of it. Restore the shared store by its own means. To restore into a folder without it, leave "
            "the WGIG_REMOTE settings out."
        )
    started = time.monotonic()
    backup = get_newest_backup(arguments.backup)
    try:
        manifest, before = restore_backup(backup, settings.store, show_progress_bar)
    except DamagedBackupError as error:
        raise OSError(f"The backup {backup} is damaged: {error}. Take another one.") from error
    print(
        f"Restored {manifest.content.quads:,} quads in {manifest.content.graphs:,} named graphs, as of "
        f"{manifest.made}, from {backup} in {time.monotonic() - started:.1f} s",
        flush=True,
    )
    if before.exists():
        print(f"The store as it was is in {before}: delete that when nobody needs it.", flush=True)
    return 0


def run_backup(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make a backup, then delete old ones if so asked. Exit code 0. Raises Problem, StoreError, OSError."""
    target: Path = arguments.folder
    check_backup_folder(target, settings.store)
    check_store_exists(settings.store)
    started = time.monotonic()
    try:
        backup, holds = create_backup(settings.store, target, request_checkpoint, show_progress_bar)
    except DamagedBackupError as error:
        raise OSError(f"There is no new backup: {error}. Look after the disks and try again.") from error
    except OSError as error:
        if error.strerror is None:  # it is a sentence already
            raise
        place = error.filename or target
        raise OSError(
            f"There is no new backup: {place}: {error.strerror}. Mend that and try again."
        ) from error
    print(
        f"Backed up {holds.quads:,} quads in {holds.graphs:,} named graphs into {backup} "
        f"in {time.monotonic() - started:.1f} s",
        flush=True,
    )
    if arguments.keep:
        for one in prune_backups(target, arguments.keep):
            print(f"Deleted {one}", flush=True)
    return 0


def check_backup_folder(target: Path, store: Path) -> None:
    """Raise Problem 400 where backups cannot be kept in a folder."""
    if target.resolve().is_relative_to(store.resolve()):
        raise Problem(400, f"{target} is in the store itself. Name a folder elsewhere, best on another disk.")
    if (target / MANIFEST_FILE).exists():
        raise Problem(400, f"{target} is a backup. Name the folder that it is in.")
