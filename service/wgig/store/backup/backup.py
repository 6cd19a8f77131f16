"""Backups: each is a folder with the store at a point in time, and a manifest.

It is copied from a checkpoint, a copy of the store folder by hard links, in `aside` (the subfolder for files
that are not part of the store). A backup is written under a temporary name, and renamed after all of it was
read and verified. So each folder with the name of a backup is complete.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from ..._version import __version__
from ...files import PARTIAL_SUFFIX, make_private_folder, open_durable_file, sync_to_disk
from ...problems import Problem
from ..change_log import ChangeLog
from ..checkpoint import CHECKPOINT_FOLDER
from ..errors import StoreError
from ..files import ASIDE_FOLDER, BACKUP_STORE_FOLDER, MANIFEST_FILE, hold_file_lock, swap_store
from ..folder import (
    CHANGE_LOG_FILE,
    QUADS_FOLDER,
    check_layout_number,
    check_not_in_backup,
    hold_store_closed,
)
from .manifest import (
    BackupManifest,
    DamagedBackupError,
    FileChecksum,
    LogContent,
    ProgressCallback,
    StoreContent,
    check_content_counts,
    check_file_checksums,
    iter_file_chunks,
    list_file_sizes,
    read_store_content,
)
from .verification import link_quads, verify_quads

PARTIAL_BACKUP_FOLDER = PARTIAL_SUFFIX  # the temporary name of a backup that is being written or deleted
LAST_BACKUP_FILE = "last-backup"  # in `aside`: the time of the last backup
BACKUP_NAME_PREFIX = "wgig-"
BACKUP_LOCK_FILE = ".lock"

# Opens a display of the progress of a step; arguments are its title, the total amount, and the unit.
ProgressDisplay = Callable[[str, int, str], AbstractContextManager[ProgressCallback]]

BACKUP_BUSY_MESSAGE = "Another backup or restore of {} is in progress. Wait until it ends."


def current_backup_time() -> str:
    """The current time in UTC, to the millisecond (ISO 8601)."""
    return f"{datetime.now(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def compact_timestamp(time: str) -> str:
    """An ISO 8601 time without hyphens and colons, for file names."""
    return time.replace("-", "").replace(":", "")


def create_backup(
    folder: Path, target: Path, make_checkpoint: Callable[[Path], int], progress: ProgressDisplay
) -> tuple[Path, StoreContent]:
    """Make a backup of the store in `folder` below `target`. Returns the folder and content of the backup.

    `make_checkpoint` makes the checkpoint of the store, and returns the number of quads in it. Raises OSError
    and the errors of `make_checkpoint`; there is no new backup then.
    """
    checkpoint, partial = folder / ASIDE_FOLDER / CHECKPOINT_FOLDER, target / PARTIAL_BACKUP_FOLDER
    with (
        hold_file_lock(folder / ASIDE_FOLDER / BACKUP_LOCK_FILE, BACKUP_BUSY_MESSAGE.format(folder)),
        hold_file_lock(
            target / BACKUP_LOCK_FILE, f"Another backup into {target} is in progress. Wait until it ends."
        ),
    ):
        try:
            for path in (checkpoint, partial):  # left by an interrupted backup
                shutil.rmtree(path, ignore_errors=True)
            timestamp = current_backup_time()
            quad_count = make_checkpoint(folder)
            content = write_backup(checkpoint, partial, quad_count, timestamp, progress)
            backup = target / (BACKUP_NAME_PREFIX + compact_timestamp(timestamp))
            partial.rename(backup)
            sync_to_disk(target)
        finally:
            for path in (checkpoint, partial):
                shutil.rmtree(path, ignore_errors=True)
        write_backup_time(folder, timestamp)
    return backup, content


def write_backup(
    checkpoint: Path, backup: Path, quad_count: int, timestamp: str, progress: ProgressDisplay
) -> StoreContent:
    """Copy a checkpoint into a backup, verify the copy, and write the manifest. Returns the content."""
    backup.mkdir(mode=0o700)
    files = copy_store_files(checkpoint, backup / BACKUP_STORE_FOLDER, progress)
    check_store_files(backup / BACKUP_STORE_FOLDER, files, progress)
    with progress("Reading", quad_count, "quads") as report_quads:
        content = read_store_content(backup / BACKUP_STORE_FOLDER, report_quads)
    log_content = verify_store(checkpoint, progress)
    if content.quads != quad_count:
        raise DamagedBackupError(f"it has {content.quads} quads, but the store had {quad_count}")
    BackupManifest(__version__, timestamp, content, log_content, files).write(backup)
    return content


def verify_store(copy: Path, progress: ProgressDisplay) -> LogContent:
    """Verify all quads and the change log of a copy of a store, which is changed. Returns what the log has.

    Raises DamagedBackupError, OSError.
    """
    with progress("Verifying the indexes", 2, "steps") as report_steps:
        verify_quads(copy / QUADS_FOLDER)
        report_steps(1)
        log_content = verify_change_log(copy)
        report_steps(2)
    return log_content


def verify_change_log(store: Path) -> LogContent:
    """Read the change log in the folder of a store completely. Returns what it has.

    Raises DamagedBackupError.
    """
    if not (store / CHANGE_LOG_FILE).exists():  # a store of the first layout
        return LogContent()
    try:
        with closing(ChangeLog(store / CHANGE_LOG_FILE)) as change_log:
            change_log.verify()
            return LogContent(change_log.last_version, tuple(change_log.purged_digests))
    except StoreError as error:
        raise DamagedBackupError(f"the file {CHANGE_LOG_FILE} is damaged") from error


def verify_backup(backup: Path, progress: ProgressDisplay) -> BackupManifest:
    """Verify all files, the quads and the change log of a backup, which is not changed. Returns its manifest.

    Its indexes were verified when it was made, and the checksums of their files are compared. Raises
    DamagedBackupError, OSError, or StoreError if a newer version of the package made the backup.
    """
    manifest, store = BackupManifest.read(backup), backup / BACKUP_STORE_FOLDER
    check_layout_number(store)
    check_store_files(store, manifest.files, progress)
    with progress("Reading", manifest.content.quads, "quads") as report_quads:
        content = read_store_content(store, report_quads)
    if content != manifest.content:
        raise DamagedBackupError(f"its quads do not match its {MANIFEST_FILE}")
    with TemporaryDirectory() as copy:  # SQLite writes beside a database that it reads
        for path in store.glob(f"{CHANGE_LOG_FILE}*"):
            shutil.copy(path, copy)
        log_content = verify_change_log(Path(copy))
    if log_content.version != manifest.log.version:
        raise DamagedBackupError(f"its {CHANGE_LOG_FILE} does not match its {MANIFEST_FILE}")
    return manifest


def read_erased_digests(store: Path) -> list[str]:
    """The SHA-256 of each content that was erased from the store in a folder; none if it is damaged."""
    with suppress(StoreError):
        if (store / CHANGE_LOG_FILE).exists():
            with closing(ChangeLog(store / CHANGE_LOG_FILE)) as change_log:
                return change_log.erased_digests
    return []


def begin_log_epoch(store: Path) -> None:
    """Begin a new epoch of the change log in a folder: after a restore, versions may have other content."""
    if (store / CHANGE_LOG_FILE).exists():
        with closing(ChangeLog(store / CHANGE_LOG_FILE)) as change_log:
            change_log.begin_epoch()


def restore_backup(backup: Path, folder: Path, progress: ProgressDisplay) -> tuple[BackupManifest, Path]:
    """Replace the store in `folder` by a backup. Returns the manifest, and the folder of the old store.

    Raises DamagedBackupError, OSError, or StoreError if a process has the store open, or a newer version of
    the package made the backup; the store is unchanged then.
    """
    check_not_in_backup(folder)
    manifest = BackupManifest.read(backup)
    check_layout_number(backup / BACKUP_STORE_FOLDER)
    with hold_file_lock(folder / ASIDE_FOLDER / BACKUP_LOCK_FILE, BACKUP_BUSY_MESSAGE.format(folder)):
        with hold_store_closed(folder):
            pass  # fail before the copy, which takes long, if the store is open
        new_store, verified = (folder / ASIDE_FOLDER / name for name in ("restoring", "verifying"))
        for path in (new_store, verified):
            shutil.rmtree(path, ignore_errors=True)
        try:
            copy_store_files(backup / BACKUP_STORE_FOLDER, new_store, progress)
            check_store_files(new_store, manifest.files, progress)
            check_content_counts(new_store, manifest.content)
            link_quads(new_store / QUADS_FOLDER, verified / QUADS_FOLDER)
            verify_quads(verified / QUADS_FOLDER)
            verify_change_log(new_store)
            begin_log_epoch(new_store)
            with hold_store_closed(folder):
                previous = swap_store(folder, new_store, compact_timestamp(current_backup_time()))
        finally:
            for path in (new_store, verified):
                shutil.rmtree(path, ignore_errors=True)
        write_backup_time(folder, manifest.made)
    return manifest, previous


def copy_store_files(source: Path, target: Path, progress: ProgressDisplay) -> dict[str, FileChecksum]:
    """Copy a folder to a new one, synced to disk. Returns the checksums of the files in `source`."""
    file_sizes = list_file_sizes(source)
    files, copied_bytes = {}, 0
    with progress("Copying", sum(file_sizes.values()), "bytes") as report_bytes:
        for name in file_sizes:
            target_file = target / name
            make_private_folder(target_file.parent)
            digest, start_bytes = hashlib.sha256(), copied_bytes
            with target_file.open("xb") as file:
                for chunk in iter_file_chunks(source / name):
                    file.write(chunk)
                    digest.update(chunk)
                    copied_bytes += len(chunk)
                    report_bytes(copied_bytes)
                file.flush()
                shutil.copymode(source / name, target_file)
                os.fsync(file.fileno())
            files[name] = FileChecksum(copied_bytes - start_bytes, digest.hexdigest())
    for path in (target, *(path for path in target.rglob("*") if path.is_dir())):
        sync_to_disk(path)
    return files


def check_store_files(store: Path, files: dict[str, FileChecksum], progress: ProgressDisplay) -> None:
    """Raise DamagedBackupError if the files of a store do not have these checksums."""
    with progress("Checking", sum(checksum.bytes for checksum in files.values()), "bytes") as report_bytes:
        check_file_checksums(store, files, report_bytes)


def list_backups(target: Path) -> list[Path]:
    """The backups below a folder, oldest first."""
    return sorted(manifest.parent for manifest in target.glob(f"{BACKUP_NAME_PREFIX}*/{MANIFEST_FILE}"))


def get_newest_backup(folder: Path) -> Path:
    """The folder itself if it is a backup, else the newest backup below it. Raises Problem 400."""
    backups = [folder] if (folder / MANIFEST_FILE).exists() else list_backups(folder)
    if not backups:
        raise Problem(
            400,
            f"There is no backup in {folder}. Give a backup, or the folder that was given to wgig backup.",
        )
    return backups[-1]


def prune_backups(target: Path, keep_count: int) -> list[Path]:
    """Delete all but the newest `keep_count` backups in a folder. Returns those deleted. Raises OSError."""
    with hold_file_lock(target / BACKUP_LOCK_FILE):
        old_backups = list_backups(target)[:-keep_count]
        for backup in old_backups:
            backup.rename(
                target / PARTIAL_BACKUP_FOLDER
            )  # no longer a backup, even if the deletion is interrupted
            shutil.rmtree(target / PARTIAL_BACKUP_FOLDER)
    return old_backups


def write_backup_time(folder: Path, timestamp: str) -> None:
    """Store the time of the last backup in the folder of a store."""
    with open_durable_file(folder / ASIDE_FOLDER / LAST_BACKUP_FILE) as file:
        file.write(timestamp.encode())


def read_backup_time(folder: Path | None) -> str | None:
    """The time of the last backup of the store in a folder (ISO 8601, UTC); None if there is none."""
    try:
        return (folder / ASIDE_FOLDER / LAST_BACKUP_FILE).read_text(encoding="utf-8") if folder else None
    except OSError:
        return None
