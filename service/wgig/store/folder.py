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
from ..files import open_durable_file, sync_to_disk
from .errors import OTHER_STORE_ADVICE, StoreError, StoreNotWritableError, translate_engine_error
from .files import ASIDE_FOLDER, finish_store_swap, hold_file_lock

LAYOUT_FILE = "layout"
FIRST_LAYOUT_NUMBER = 1  # also of the folders that have no number, as they are from before there was one
CURRENT_LAYOUT_NUMBER = 1


def read_layout(folder: Path) -> tuple[int, str]:
    """The layout of the folder of a store, and the version of the package that gave it.

    Raises ValueError where that cannot be read.
    """
    mark = folder / LAYOUT_FILE
    if not mark.exists():
        return FIRST_LAYOUT_NUMBER, ""
    number, _, wgig = mark.read_text(encoding="ascii").strip().partition(" ")
    return int(number), wgig


def write_layout(folder: Path) -> None:
    """Note our layout in the folder of a store. Raises OSError."""
    if not (folder / LAYOUT_FILE).exists() or read_layout(folder)[0] != CURRENT_LAYOUT_NUMBER:
        with open_durable_file(folder / LAYOUT_FILE) as file:
            file.write(f"{CURRENT_LAYOUT_NUMBER} {__version__}\n".encode("ascii"))


QUADS_FOLDER = "quads"
ENGINE_CURRENT_FILE = "CURRENT"  # the file of the engine without which there is no store
MAX_SNAPSHOT_ATTEMPTS = 5
WRITER_WAIT_SECONDS = 30.0  # seconds for which others are waited for who write a store that is shared
STARTUP_WAIT_SECONDS = 600.0  # the same at a start, while one of them may fill it; who dies is noticed before


def open_quads(folder: Path) -> ox.Store:
    """The quads of the store in `folder`, made when there are none, to read and write.

    One process at a time can hold them so. Raises StoreError.
    """
    quads = folder / QUADS_FOLDER
    try:
        with hold_opening_lock(folder):
            check_layout_number(folder)
            quads.mkdir(exist_ok=True)
            if any(quads.iterdir()) and not (quads / ENGINE_CURRENT_FILE).exists():
                raise OSError(errno.EINVAL, "corruption")
            opened = ox.Store(quads)
            write_layout(folder)
            return opened
    except (OSError, RuntimeError) as error:
        raise translate_engine_error(error, folder) from error


def check_store_exists(folder: Path) -> None:
    """Raises StoreError where there is no store in `folder`."""
    if not (folder / QUADS_FOLDER / ENGINE_CURRENT_FILE).exists():
        raise translate_engine_error(OSError("no such file"), folder)


def check_layout_number(folder: Path) -> None:
    """Raises StoreError where a newer version of the package laid out the store in `folder`."""
    try:
        number, wgig = read_layout(folder)
    except ValueError as error:
        raise translate_engine_error(OSError("corruption"), folder) from error
    except OSError as error:
        raise translate_engine_error(error, folder) from error
    if number > CURRENT_LAYOUT_NUMBER:
        raise StoreError(
            f"The store {folder} is of a newer version of wgig: it has layout {number}, and this one, "
            f"{__version__}, knows layout {CURRENT_LAYOUT_NUMBER}; install wgig {wgig} or newer, "
            f"restore a backup that was made before, or {OTHER_STORE_ADVICE}."
        )


@contextmanager
def hold_store_closed(folder: Path) -> Iterator[None]:
    """Around what nobody may have the store in `folder` open for. Raises StoreError where somebody has."""
    with hold_opening_lock(folder):
        if (folder / QUADS_FOLDER / ENGINE_CURRENT_FILE).exists():
            try:
                ox.Store(folder / QUADS_FOLDER)
            except (OSError, RuntimeError) as error:
                meant = translate_engine_error(error, folder)
                if isinstance(meant, StoreNotWritableError):  # one that is damaged is open nowhere
                    raise meant from error
        yield


@contextmanager
def hold_opening_lock(folder: Path) -> Iterator[None]:
    """Around the opening of a store, or what keeps others from it. A swap that was cut off is made good."""
    with hold_file_lock(folder / ASIDE_FOLDER / "door"):
        finish_store_swap(folder)
        yield


def open_quads_snapshot(folder: Path) -> ox.Store:
    """The quads of the store in `folder` as they are now, to read only, beside a process that writes.

    Raises StoreError. While the writer rearranges its files an opening can fail, so it is tried a few times.
    """
    check_layout_number(folder)
    for attempt in range(MAX_SNAPSHOT_ATTEMPTS):
        try:
            return ox.Store.read_only(str(folder / QUADS_FOLDER))
        except (OSError, RuntimeError) as error:
            missing = not (folder / QUADS_FOLDER / ENGINE_CURRENT_FILE).exists()
            if missing or attempt == MAX_SNAPSHOT_ATTEMPTS - 1:
                raise translate_engine_error(error, folder) from error
            time.sleep(0.05 * (attempt + 1))
    raise AssertionError("the last try returns or raises")


def sync_engine_log(folder: Path, newest: int) -> int:
    """Bring the engine's log of the store in `folder` to disk, and with it all that was written so far.

    The engine's own flush also writes a table for each of its indexes, in 6 to 18 ms; this takes one. Takes
    the number of the newest file of the log last time, as those before it are never written again, and
    returns that of this time.
    """
    logs = {int(path.stem): path for path in (folder / QUADS_FOLDER).glob("*.log")}
    for number, path in logs.items():
        if number >= newest:
            with suppress(FileNotFoundError):  # the engine has it in its tables by now
                sync_to_disk(path)
    latest = max(logs, default=newest)
    if latest > newest:
        sync_to_disk(folder / QUADS_FOLDER)
    return latest
