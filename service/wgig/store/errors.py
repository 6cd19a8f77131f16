"""Errors of the store: StoreError and its subclasses, and the translation of engine and disk errors.

Each message is one sentence with the cause and the fix.
"""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OTHER_STORE_ADVICE = "give another folder with --store"
# What to do without a usable change log.
WITHOUT_LOG_ADVICE = (
    "restore a backup, or export the quads with wgig dump and load them into another folder "
    "with WGIG_DATA=none"
)

DAMAGE_MESSAGE = "corruption"  # in each message of the engine about a damaged file
DAMAGED_FILE_PATTERN = re.compile(r"(\w+\.(?:sst|log)|MANIFEST-\d+)\b")

# Part of an error message of the engine or the system (in lower case), its meaning, and how to fix it.
STORE_ERROR_CAUSES = (
    ("lock hold by", "is already open in this process", "use the open store"),
    (
        "lock file",
        "is in use by another process",
        f"stop it, send the data to it over HTTP, or {OTHER_STORE_ADVICE}",
    ),
    (
        "permission denied",
        "cannot be read or written with your permissions",
        f"change its owner, or {OTHER_STORE_ADVICE}",
    ),
    ("read-only file system", "is on a read-only file system", OTHER_STORE_ADVICE),
    ("no space left", "is on a disk that is full", f"free some space, or {OTHER_STORE_ADVICE}"),
    (
        "file too large",
        "has reached the maximum file size of the system",
        "raise the limit: ulimit -f unlimited",
    ),
    ("disk quota", "exceeds your disk quota", f"free some space, or {OTHER_STORE_ADVICE}"),
    (
        "too many open files",
        "needs more open files than the system allows",
        "raise the limit: ulimit -n 4096",
    ),
    ("not a directory", "is not a folder", "give a folder with --store"),
    ("file exists", "is not a folder", "give a folder with --store"),
    ("no such file", "does not exist", "create it: run wgig serve or wgig load with the same --store"),
    (DAMAGE_MESSAGE, "is damaged or not a store", f"restore a backup, or {OTHER_STORE_ADVICE}"),
)


# Parts of messages about a full disk, and of messages after which the store can still be read.
DISK_FULL_MESSAGES = ("no space left", "disk quota", "file too large")
STILL_READABLE_MESSAGES = ("lock hold by", "lock file", "permission denied", "read-only file system")


class StoreError(Exception):
    """A store operation failed; the message is one sentence with the cause and the fix."""


class DamagedStoreError(StoreError):
    """A file of the store is damaged, as the engine noticed while it read or wrote."""


class UnusableLogError(StoreError):
    """The change log is missing or damaged, or is not that of the quads."""


class DiskFullError(StoreError):
    """The disk is full, or a disk quota or file size limit is reached."""


class StoreUnavailableError(StoreError):
    """The server that holds the store does not respond, or responds with a temporary error."""


class OutcomeUnknownError(StoreError):
    """A commit may be in the change log, but is not in the engine; `version` is its version in the log."""

    def __init__(self, version: int) -> None:
        """Take the version of the commit in the change log."""
        super().__init__(
            f"The disk failed during the commit of version {version}, so it is unknown whether this "
            "write was saved. The store accepts no writes until it is reopened."
        )
        self.version = version


class StoreStoppedError(StoreUnavailableError):
    """The store accepts no writes, as the outcome of an earlier one is unknown."""


class MissingChangesError(StoreError):
    """Changes that are needed are not in the change log: bulk loaded, erased, or no longer kept."""


class StoreDeclinedError(StoreError):
    """The server that holds the store refuses the request."""


class UnstorableError(StoreError):
    """The store cannot hold the data to be written; the message says why."""


class InferenceTooLargeError(StoreError):
    """The inference from a write exceeds its bound, and the write was undone."""


class StoreNotWritableError(StoreError):
    """The store cannot be opened for writing by this process now; it may still be readable."""


STORE_ERROR_CLASSES: dict[str, type[StoreError]] = {
    **dict.fromkeys(STILL_READABLE_MESSAGES, StoreNotWritableError),
    **dict.fromkeys(DISK_FULL_MESSAGES, DiskFullError),
    DAMAGE_MESSAGE: DamagedStoreError,
}


def build_store_error(error: Exception, folder: Path | None) -> StoreError:
    """The StoreError for an error of the engine or the disk, about the store in `folder`."""
    message = str(error).lower()
    if DAMAGE_MESSAGE in message and (file := DAMAGED_FILE_PATTERN.search(str(error))):
        return DamagedStoreError(f"The store {folder} is damaged in the file {file[1]}; restore a backup.")
    for pattern, meaning, fix in STORE_ERROR_CAUSES:
        if pattern in message:
            error_class = STORE_ERROR_CLASSES.get(pattern, StoreError)
            return error_class(f"The store {folder} {meaning}; {fix}.")
    return StoreError(f"The store {folder} failed: {error}.")


def is_engine_damage(error: Exception) -> bool:
    """Whether the engine reports a damaged file, as an OSError, RuntimeError or ValueError."""
    return isinstance(error, (OSError, RuntimeError, ValueError)) and DAMAGE_MESSAGE in str(error).lower()


@contextmanager
def translate_damage(folder: Path) -> Iterator[None]:
    """Context manager that turns an error of the engine about a damaged file into a DamagedStoreError."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        if not is_engine_damage(error):
            raise
        raise build_store_error(error, folder) from error


@contextmanager
def translate_disk_errors(folder: Path | None) -> Iterator[None]:
    """Context manager that turns an error of the disk about the store in `folder` into a StoreError.

    These are each OSError, and a RuntimeError or ValueError of the engine about a damaged file.
    """
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        if not (isinstance(error, OSError) or is_engine_damage(error)):
            raise
        raise build_store_error(error, folder) from error


def free_frames(error: BaseException) -> None:
    """Free what the frames of an error refer to, on the thread that raised it.

    Only the thread that created an iterator of quads may free it, and an error is handled on another thread.
    """
    chained: BaseException | None = error
    while chained:
        traceback.clear_frames(chained.__traceback__)
        chained = chained.__cause__ or chained.__context__
