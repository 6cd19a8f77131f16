"""`wgig backup`, `wgig restore` and `wgig verify`.

A backup is a snapshot of the store that is read back and verified; a service may run meanwhile. Old backups
are deleted only with --keep. Stop the service before a restore; if a restore fails, the store is unchanged.
"""

import argparse
import shlex
import time
from pathlib import Path

from ..problems import Problem
from ..settings import Settings
from ..store.backup.backup import (
    create_backup,
    get_newest_backup,
    prune_backups,
    read_erased_digests,
    restore_backup,
    verify_backup,
    verify_store,
)
from ..store.backup.manifest import DamagedBackupError
from ..store.backup.online import open_checkpoint, request_checkpoint
from ..store.errors import DamagedStoreError, UnusableLogError
from ..store.files import MANIFEST_FILE
from ..store.folder import check_store_exists
from .console import print_message, show_progress_bar
from .parser import EXIT_NO, EXIT_OK


def run_restore(arguments: argparse.Namespace, settings: Settings) -> int:
    """Restore a backup. Exit code 0. Raises Problem, StoreError, OSError; the store is then unchanged.

    Raises ValueError for a shared store, as a backup contains only the local copy of it.
    """
    if settings.remote_query:
        raise ValueError(
            f"The data is in the shared store at {settings.remote_query}; {settings.store} only "
            "contains a copy. Restore the shared store with its own tools. To restore into a local "
            "folder, unset the WGIG_REMOTE settings."
        )
    started = time.monotonic()
    backup = get_newest_backup(arguments.backup)
    try:
        manifest, old_store = restore_backup(backup, settings.store, show_progress_bar)
    except DamagedBackupError as error:
        raise OSError(f"The backup {backup} is damaged: {error}. Use another one.") from error
    print(
        f"Restored {manifest.content.quads:,} quads in {manifest.content.graphs:,} named graphs and "
        f"{manifest.log.version:,} commits, as of {manifest.made}, from {backup} "
        f"in {time.monotonic() - started:.1f} s",
        flush=True,
    )
    if old_store.exists():
        print(f"The previous store is in {old_store}: delete it when you no longer need it.", flush=True)
    erased_later = dict.fromkeys(read_erased_digests(old_store)).keys() - set(manifest.log.erased)
    if erased_later:
        print(
            "The backup may restore content that was erased after the backup was made. If such "
            "content is current, replace or delete it. Then erase it again: wgig forget --store "
            f"{shlex.quote(str(settings.store))} {' '.join(sorted(erased_later))}",
            flush=True,
        )
    return 0


def run_backup(arguments: argparse.Namespace, settings: Settings) -> int:
    """Create a backup, then delete old ones with --keep. Exit code 0. Raises Problem, StoreError, OSError."""
    target: Path = arguments.folder
    check_backup_folder(target, settings.store)
    check_store_exists(settings.store)
    started = time.monotonic()
    try:
        backup, content = create_backup(settings.store, target, request_checkpoint, show_progress_bar)
    except DamagedBackupError as error:
        raise OSError(f"The backup failed: {error}. Check the disks and try again.") from error
    except OSError as error:
        if error.strerror is None:  # the error has a complete message
            raise
        path = error.filename or target
        raise OSError(f"The backup failed: {path}: {error.strerror}. Fix this and try again.") from error
    print(
        f"Backed up {content.quads:,} quads in {content.graphs:,} named graphs into {backup} "
        f"in {time.monotonic() - started:.1f} s",
        flush=True,
    )
    if arguments.keep:
        for deleted_backup in prune_backups(target, arguments.keep):
            print(f"Deleted {deleted_backup}", flush=True)
    return 0


def run_verify(arguments: argparse.Namespace, settings: Settings) -> int:
    """Verify all files of the store, or of a backup. Exit code 0, or 1 if a file is damaged.

    Raises Problem, StoreError or OSError if they cannot be verified.
    """
    started = time.monotonic()
    if arguments.backup and arguments.store:
        raise Problem(400, "Give a backup or --store, not both.")
    try:
        if arguments.backup:
            intact = verify_newest_backup(arguments.backup)
        else:
            intact = verify_open_store(settings.store)
    except (DamagedBackupError, DamagedStoreError, UnusableLogError) as error:
        print_message(str(error))
        return EXIT_NO
    print(f"{intact}, read in {time.monotonic() - started:.1f} s", flush=True)
    return EXIT_OK


def verify_newest_backup(folder: Path) -> str:
    """What the backup `folder`, or the newest backup below it, has. Raises DamagedBackupError and others."""
    backup = get_newest_backup(folder)
    try:
        manifest = verify_backup(backup, show_progress_bar)
    except DamagedBackupError as error:
        raise DamagedBackupError(f"The backup {backup} is damaged: {error}. Use another one.") from error
    return (
        f"The backup {backup} is intact: made {manifest.made} by wgig {manifest.wgig}, "
        f"{manifest.content.quads:,} quads in {manifest.content.graphs:,} named graphs, "
        f"{manifest.log.version:,} commits; erased versions: {len(manifest.log.erased):,}"
    )


def verify_open_store(folder: Path) -> str:
    """What the store in `folder` has. Raises DamagedBackupError and others."""
    check_store_exists(folder)
    try:
        with open_checkpoint(folder) as (checkpoint, quad_count):
            log_content = verify_store(checkpoint, show_progress_bar)
    except DamagedBackupError as error:
        raise DamagedBackupError(
            f"The store {folder} is damaged: {error}. Restore a backup, or load a dump into a new store."
        ) from error
    return (
        f"The store {folder} is intact: {quad_count:,} quads, {log_content.version:,} commits; "
        f"erased versions: {len(log_content.erased):,}"
    )


def check_backup_folder(target: Path, store: Path) -> None:
    """Raise Problem 400 for a folder in the store, and for a folder that is itself a backup."""
    if target.resolve().is_relative_to(store.resolve()):
        raise Problem(
            400,
            f"{target} is inside the store. Choose a folder outside the store, preferably on another disk.",
        )
    if (target / MANIFEST_FILE).exists():
        raise Problem(400, f"{target} is a backup. Give its parent folder.")
