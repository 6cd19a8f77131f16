"""Detection of damaged files that make a query hang.

If the engine cannot read a block, its iterator returns the same error again and again. A query that collects
rows (aggregates, ORDER BY, MINUS, hash joins) then never ends, cannot be interrupted, and takes 300 MB more
memory each second (pyoxigraph 0.5.13). Workers are killed at their limits. A query in another process is
watched here: if it is slow, the store is verified, and the process ends with a message if it is damaged.
"""

import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pyoxigraph as ox

from .backup.manifest import DamagedBackupError
from .backup.verification import verify_quads
from .errors import build_store_error, is_engine_damage
from .files import ASIDE_FOLDER
from .folder import QUADS_FOLDER

SUSPICIOUS_QUERY_SECONDS = 2.0  # until the store is verified
# A query of a large store may just be slow, and verifying takes 1.3 s for a million quads.
VERIFICATION_INTERVAL_SECONDS = 600
# In `aside`: the prefix of the copy that a process verifies, and the file whose time is that of the last
# verification.
VERIFIED_COPY_PREFIX, VERIFIED_MARK_FILE = "verification-", "verified"
DAMAGED_STORE_EXIT_CODE = 3

logger = logging.getLogger("wgig")


@contextmanager
def watch_for_damage(quads: ox.Store, folder: Path | None) -> Iterator[None]:
    """Context manager of a query of the store in `folder` (None: in memory, without files)."""
    if folder is None:
        yield
        return
    watched = [
        quads
    ]  # cleared afterwards, so that the thread of a canceled timer does not keep the store open
    timer = Timer(SUSPICIOUS_QUERY_SECONDS, exit_if_damaged, (watched, folder))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        watched.clear()
        timer.cancel()


def exit_if_damaged(watched: list[ox.Store], folder: Path) -> None:
    """Verify a store, unless this was done recently. If it is damaged, log it and end the process.

    `watched` has the store while its query runs, else it is empty.
    """
    for quads in watched:
        message = find_damage(quads, folder)
        if message:
            logger.critical("%s", message)
            logging.shutdown()
            os._exit(DAMAGED_STORE_EXIT_CODE)  # the query cannot be interrupted


def find_damage(quads: ox.Store, folder: Path) -> str:
    """A sentence about the damage of a store; empty if there is none, or if it was verified recently.

    It is also empty if the store cannot be verified, for example on a full disk.
    """
    if folder.parent.name == ASIDE_FOLDER:  # a snapshot
        folder = folder.parent.parent
    mark = folder / ASIDE_FOLDER / VERIFIED_MARK_FILE
    copy_folder = folder / ASIDE_FOLDER / f"{VERIFIED_COPY_PREFIX}{os.getpid()}"
    try:
        if mark.exists() and time.time() - mark.stat().st_mtime < VERIFICATION_INTERVAL_SECONDS:
            return ""
        copy_folder.mkdir(parents=True)  # fails if another thread verifies the store
    except OSError:
        return ""
    try:
        quads.backup(str(copy_folder / QUADS_FOLDER))
        verify_quads(copy_folder / QUADS_FOLDER)
        mark.touch()
    except DamagedBackupError as error:
        return f"In the store {folder}, {error}; restore a backup."
    except (OSError, RuntimeError, ValueError) as error:  # of the engine, as it copies
        return str(build_store_error(error, folder)) if is_engine_damage(error) else ""
    finally:
        shutil.rmtree(copy_folder, ignore_errors=True)
    return ""


def remove_verified_copies(folder: Path) -> None:
    """Remove copies that a crash left during a verification from the folder of a store."""
    for copy_folder in (folder / ASIDE_FOLDER).glob(f"{VERIFIED_COPY_PREFIX}*"):
        shutil.rmtree(copy_folder, ignore_errors=True)
