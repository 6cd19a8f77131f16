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
from threading import Timer
from typing import TYPE_CHECKING

from .backup.manifest import DamagedBackupError
from .backup.verification import verify_quads
from .errors import DamagedStoreError, StoreError
from .files import ASIDE_FOLDER, find_backup_of_store, hold_file_lock

if TYPE_CHECKING:
    from .view import StoreView

SUSPICIOUS_QUERY_SECONDS = 2.0  # until the store is verified
# A query of a large store may just be slow, and verifying takes 1.3 s for a million quads.
VERIFICATION_INTERVAL_SECONDS = 600
# In `aside`: the snapshot that is verified, a lock, and the file whose time is that of the last verification.
VERIFIED_COPY_FOLDER, VERIFICATION_LOCK_FILE, VERIFICATION_TIME_FILE = (
    "verification",
    "verifying.lock",
    "verified",
)
DAMAGED_STORE_EXIT_CODE = 3

logger = logging.getLogger("wgig")


@contextmanager
def watch_for_damage(view: "StoreView") -> Iterator[None]:
    """Context manager of a query of a view, whose folder is that of the store."""
    if view.folder is None:  # in memory, without files
        yield
        return
    # Cleared afterwards, so that the thread of a canceled timer does not keep the store open.
    watched = [view]
    timer = Timer(SUSPICIOUS_QUERY_SECONDS, exit_if_damaged, [watched])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        watched.clear()
        timer.cancel()


def exit_if_damaged(watched: list["StoreView"]) -> None:
    """Verify a store, unless this was done recently. If it is damaged, log it and end the process.

    `watched` has a view of the store while its query runs, else it is empty.
    """
    for view in watched:
        message = find_damage(view)
        if message:
            logger.critical("%s", message)
            logging.shutdown()
            os._exit(DAMAGED_STORE_EXIT_CODE)  # the query cannot be interrupted


def find_damage(view: "StoreView") -> str:
    """A sentence about the damage of a store; empty if there is none, or if it was verified recently.

    It is also empty if the store cannot be verified, for example on a full disk or in a backup.
    """
    folder = view.folder
    assert folder
    if find_backup_of_store(folder):
        return ""  # it must not change; `wgig verify` verifies it
    time_file = folder / ASIDE_FOLDER / VERIFICATION_TIME_FILE
    try:
        if time_file.exists() and time.time() - time_file.stat().st_mtime < VERIFICATION_INTERVAL_SECONDS:
            return ""
        with (
            hold_file_lock(folder / ASIDE_FOLDER / VERIFICATION_LOCK_FILE, "it is being verified"),
            view.snapshot(VERIFIED_COPY_FOLDER) as snapshot,
        ):
            assert snapshot.folder
            verify_quads(snapshot.folder)
        time_file.touch()
    except DamagedBackupError as error:
        return f"In the store {folder}, {error}; restore a backup."
    except DamagedStoreError as error:  # found by the engine as it copied
        return str(error)
    except (StoreError, OSError, RuntimeError, ValueError):
        pass
    return ""
