"""Detection of damaged files that make a query hang.

If the engine cannot read a block, its iterator returns the same error again and again. A query that collects
rows (aggregates, ORDER BY, MINUS, hash joins) then never ends, cannot be interrupted, and takes 300 MB more
memory each second (pyoxigraph 0.5.13). Workers are killed at their limits. A query in another process is
watched here: if it is slow, the store is verified, and the process ends with a message if it is damaged.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pyoxigraph as ox

from .backup.manifest import DamagedBackupError
from .backup.verification import verify_quads
from .errors import build_store_error, is_engine_damage
from .files import ASIDE_FOLDER, hold_file_lock
from .snapshot import open_linked_copy

SUSPICIOUS_QUERY_SECONDS = 2.0  # until the store is verified
# A query of a large store may just be slow, and verifying takes 1.3 s for a million quads.
VERIFICATION_INTERVAL_SECONDS = 600
# In `aside`: the copy that is verified, its lock, and the file whose time is that of the last verification.
VERIFIED_COPY_FOLDER, VERIFICATION_LOCK_FILE, VERIFIED_MARK_FILE = (
    "verification",
    "verifying.lock",
    "verified",
)
DAMAGED_STORE_EXIT_CODE = 3

logger = logging.getLogger("wgig")


@contextmanager
def watch_for_damage(quads: ox.Store, folder: Path | None) -> Iterator[None]:
    """Context manager of a query of the store in `folder` (None: in memory, without files)."""
    if folder is None:
        yield
        return
    # Cleared afterwards, so that the thread of a canceled timer does not keep the store open.
    watched = [quads]
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
    try:
        if mark.exists() and time.time() - mark.stat().st_mtime < VERIFICATION_INTERVAL_SECONDS:
            return ""
        with (
            hold_file_lock(folder / ASIDE_FOLDER / VERIFICATION_LOCK_FILE, "it is being verified"),
            open_linked_copy(quads, folder, VERIFIED_COPY_FOLDER) as copy_folder,
        ):
            verify_quads(copy_folder)
        mark.touch()
    except DamagedBackupError as error:
        return f"In the store {folder}, {error}; restore a backup."
    except (OSError, RuntimeError, ValueError) as error:  # of the engine, as it copies
        return str(build_store_error(error, folder)) if is_engine_damage(error) else ""
    return ""
