"""Errors of the store: StoreError and its subclasses, and the translation of engine and disk errors.

Each message is one sentence with the cause and the fix.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OTHER_STORE_ADVICE = "give another folder with --store"

# What the engine or the system says (in lower case), what it means, and the mend.
STORE_ERROR_CAUSES = (
    ("lock hold by", "is open already in this process", "use the store that is open"),
    (
        "lock file",
        "is in use by another process",
        f"stop it, send the data to it over HTTP, or {OTHER_STORE_ADVICE}",
    ),
    ("permission denied", "may not be read or written by you", f"change its owner, or {OTHER_STORE_ADVICE}"),
    ("read-only file system", "is on a read-only file system", OTHER_STORE_ADVICE),
    ("no space left", "is on a disk that is full", f"make room there, or {OTHER_STORE_ADVICE}"),
    ("file too large", "holds a file as large as the system allows", "raise the limit: ulimit -f unlimited"),
    ("disk quota", "is over your disk quota", f"make room there, or {OTHER_STORE_ADVICE}"),
    (
        "too many open files",
        "needs more open files than the system allows",
        "raise the limit: ulimit -n 4096",
    ),
    ("not a directory", "is not a folder", "give a folder with --store"),
    ("no such file", "holds no store", "make one: wgig serve, or wgig load, with the same --store"),
    ("corruption", "is damaged or not a store", f"load a dump into a new one, or {OTHER_STORE_ADVICE}"),
)


# Of these, what says that there is no room, and what keeps nobody from reading.
DISK_FULL_MESSAGES = ("no space left", "disk quota", "file too large")
STILL_READABLE_MESSAGES = ("lock hold by", "lock file", "permission denied", "read-only file system")


class StoreError(Exception):
    """The store cannot do what was asked; the message is one sentence with the mend."""


class DiskFullError(StoreError):
    """There is no room on the disk, or none that we may use."""


class StoreUnavailableError(StoreError):
    """The service that holds the store does not answer, or not as it should; it may soon."""


class StoreDeclinedError(StoreError):
    """The service that holds the store does not do what it was asked."""


class UnstorableError(StoreError):
    """What is to be written does not fit into the store; the message says why."""


class StoreNotWritableError(StoreError):
    """The store cannot be written, by us or now; maybe it can be read."""


STORE_ERROR_CLASSES: dict[str, type[StoreError]] = {
    **dict.fromkeys(STILL_READABLE_MESSAGES, StoreNotWritableError),
    **dict.fromkeys(DISK_FULL_MESSAGES, DiskFullError),
}


def translate_engine_error(error: Exception, folder: Path | None) -> StoreError:
    """What the engine's error means for who uses the store in `folder`."""
    said = str(error).lower()
    for sign, meaning, mend in STORE_ERROR_CAUSES:
        if sign in said:
            kind = STORE_ERROR_CLASSES.get(sign, StoreError)
            return kind(f"The store {folder} {meaning}; {mend}.")
    return StoreError(f"The store {folder} failed: {error}.")


@contextmanager
def translate_disk_errors(folder: Path | None) -> Iterator[None]:
    """Around work on the store in `folder`: what the disk says becomes a StoreError."""
    try:
        yield
    except OSError as error:
        raise translate_engine_error(error, folder) from error
