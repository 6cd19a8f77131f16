"""Opening the folder of a store, with its lock, its layout number and the completion of a restore.

Every failure becomes a StoreError with one sentence on the cause and the fix. The layout number keeps older
versions of the package from misreading what a newer one wrote: raise it when earlier versions would misread
the folder or write it wrongly. What is rebuilt when it does not fit, such as the search index and the change
log, needs no new number.
"""

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyoxigraph as ox

from .._version import __version__
from ..files import durable, sync
from .errors import ELSEWHERE, NotWritableError, StoreError, refusal
from .files import ASIDE, finish, locked

NAME = "layout"
FIRST = 1  # also of the folders that have no number, as they are from before there was one
OURS = 1


def read(folder: Path) -> tuple[int, str]:
    """The layout of the folder of a store, and the version of the package that gave it.

    Raises ValueError where that cannot be read.
    """
    mark = folder / NAME
    if not mark.exists():
        return FIRST, ""
    number, _, wgig = mark.read_text(encoding="ascii").strip().partition(" ")
    return int(number), wgig


def note(folder: Path) -> None:
    """Note our layout in the folder of a store. Raises OSError."""
    if not (folder / NAME).exists() or read(folder)[0] != OURS:
        with durable(folder / NAME) as file:
            file.write(f"{OURS} {__version__}\n".encode("ascii"))


QUADS = "quads"
CURRENT = "CURRENT"  # the file of the engine without which there is no store
TRIES = 5
PATIENCE = 30.0  # seconds for which others are waited for who write a store that is shared
STARTING = 600.0  # the same at a start, while one of them may fill it; who dies is noticed before


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
            note(folder)
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
        number, wgig = read(folder)
    except ValueError as error:
        raise refusal(OSError("corruption"), folder) from error
    except OSError as error:
        raise refusal(error, folder) from error
    if number > OURS:
        raise StoreError(
            f"The store {folder} is of a newer version of wgig: it has layout {number}, and this one, "
            f"{__version__}, knows layout {OURS}; install wgig {wgig} or newer, restore a backup that "
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
