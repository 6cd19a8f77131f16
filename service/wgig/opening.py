"""Open the folder of a store, or say in one sentence why not and how to mend it."""

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyoxigraph as ox

from . import __version__, layout
from .backup.locking import locked
from .backup.swap import ASIDE, finish
from .durable import sync

QUADS = "quads"
CURRENT = "CURRENT"  # the file of the engine without which there is no store
TRIES = 5
PATIENCE = 30.0  # seconds for which others are waited for who write a store that is shared
STARTING = 600.0  # the same at a start, while one of them may fill it; who dies is noticed before
ELSEWHERE = "give another folder with --store"

# What the engine or the system says (in lower case), what it means, and the mend.
CAUSES = (
    ("lock hold by", "is open already in this process", "use the store that is open"),
    ("lock file", "is in use by another process", f"stop it, send the data to it over HTTP, or {ELSEWHERE}"),
    ("permission denied", "may not be read or written by you", f"change its owner, or {ELSEWHERE}"),
    ("read-only file system", "is on a read-only file system", ELSEWHERE),
    ("no space left", "is on a disk that is full", f"make room there, or {ELSEWHERE}"),
    ("file too large", "holds a file as large as the system allows", "raise the limit: ulimit -f unlimited"),
    ("disk quota", "is over your disk quota", f"make room there, or {ELSEWHERE}"),
    (
        "too many open files",
        "needs more open files than the system allows",
        "raise the limit: ulimit -n 4096",
    ),
    ("not a directory", "is not a folder", "give a folder with --store"),
    ("no such file", "holds no store", "make one: wgig serve, or wgig load, with the same --store"),
    ("corruption", "is damaged or not a store", f"load a dump into a new one, or {ELSEWHERE}"),
)


# Of these, what says that there is no room, and what keeps nobody from reading.
FULL = ("no space left", "disk quota", "file too large")
READABLE = ("lock hold by", "lock file", "permission denied", "read-only file system")


class StoreError(Exception):
    """The store cannot do what was asked; the message is one sentence with the mend."""


class FullError(StoreError):
    """There is no room on the disk, or none that we may use."""


class UnavailableError(StoreError):
    """The service that holds the store does not answer, or not as it should; it may soon."""


class DeclinedError(StoreError):
    """The service that holds the store does not do what it was asked."""


class UnfittingError(StoreError):
    """What is to be written does not fit into the store; the message says why."""


class NotWritableError(StoreError):
    """The store cannot be written, by us or now; maybe it can be read."""


KINDS: dict[str, type[StoreError]] = {
    **dict.fromkeys(READABLE, NotWritableError),
    **dict.fromkeys(FULL, FullError),
}


def refusal(error: Exception, folder: Path | None) -> StoreError:
    """What the engine's error means for who uses the store in `folder`."""
    said = str(error).lower()
    for sign, meaning, mend in CAUSES:
        if sign in said:
            kind = KINDS.get(sign, StoreError)
            return kind(f"The store {folder} {meaning}; {mend}.")
    return StoreError(f"The store {folder} failed: {error}.")


@contextmanager
def spoken(folder: Path | None) -> Iterator[None]:
    """Around work on the store in `folder`: what the disk says becomes a StoreError."""
    try:
        yield
    except OSError as error:
        raise refusal(error, folder) from error


def open_quads(folder: Path) -> ox.Store:
    """The quads of the store in `folder`, made when there are none, to read and write.

    One process at a time can hold them so. Raises StoreError.
    """
    quads = folder / QUADS
    try:
        with door(folder):
            refuse_newer(folder)
            quads.mkdir(exist_ok=True)
            if any(quads.iterdir()) and not (quads / CURRENT).exists():
                raise OSError(errno.EINVAL, "corruption")
            opened = ox.Store(quads)
            layout.note(folder)
            return opened
    except (OSError, RuntimeError) as error:
        raise refusal(error, folder) from error


def refuse_without_store(folder: Path) -> None:
    """Raises StoreError where there is no store in `folder`."""
    if not (folder / QUADS / CURRENT).exists():
        raise refusal(OSError("no such file"), folder)


def refuse_newer(folder: Path) -> None:
    """Raises StoreError where a newer version of the package laid out the store in `folder`."""
    try:
        number, wgig = layout.read(folder)
    except ValueError as error:
        raise refusal(OSError("corruption"), folder) from error
    except OSError as error:
        raise refusal(error, folder) from error
    if number > layout.OURS:
        raise StoreError(
            f"The store {folder} is of a newer version of wgig: it has layout {number}, and this one, "
            f"{__version__}, knows layout {layout.OURS}; install wgig {wgig} or newer, restore a backup that "
            f"was made before, or {ELSEWHERE}."
        )


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Around what nobody may have the store in `folder` open for. Raises StoreError where somebody has."""
    with door(folder):
        if (folder / QUADS / CURRENT).exists():
            try:
                ox.Store(folder / QUADS)
            except (OSError, RuntimeError) as error:
                meant = refusal(error, folder)
                if isinstance(meant, NotWritableError):  # one that is damaged is open nowhere
                    raise meant from error
        yield


@contextmanager
def door(folder: Path) -> Iterator[None]:
    """Around the opening of a store, or what keeps others from it. A swap that was cut off is made good."""
    with locked(folder / ASIDE / "door"):
        finish(folder)
        yield


def open_snapshot(folder: Path) -> ox.Store:
    """The quads of the store in `folder` as they are now, to read only, beside a process that writes.

    Raises StoreError. While the writer rearranges its files an opening can fail, so it is tried a few times.
    """
    refuse_newer(folder)
    for attempt in range(TRIES):
        try:
            return ox.Store.read_only(str(folder / QUADS))
        except (OSError, RuntimeError) as error:
            missing = not (folder / QUADS / CURRENT).exists()
            if missing or attempt == TRIES - 1:
                raise refusal(error, folder) from error
            time.sleep(0.05 * (attempt + 1))
    raise AssertionError("the last try returns or raises")


def sync_log(folder: Path, newest: int) -> int:
    """Bring the engine's log of the store in `folder` to disk, and with it all that was written so far.

    The engine's own flush also writes a table for each of its indexes, in 6 to 18 ms; this takes one. Takes
    the number of the newest file of the log last time, as those before it are never written again, and
    returns that of this time.
    """
    logs = {int(path.stem): path for path in (folder / QUADS).glob("*.log")}
    for number, path in logs.items():
        if number >= newest:
            with suppress(FileNotFoundError):  # the engine has it in its tables by now
                sync(path)
    latest = max(logs, default=newest)
    if latest > newest:
        sync(folder / QUADS)
    return latest
