"""Files of a store folder: graph versions by content, the atomic swap of a store, file locks, SQLite.

Former contents of graphs are kept compressed under their SHA-256. A version is on disk before the write that
replaces it. One left by a crash is harmless: nothing refers to it, and the next version with the same content
reuses it.

A restore replaces the store in its folder completely or not at all, even if the process ends in the middle:
from the first rename on, the next opening completes the swap. Everything happens inside the folder, so that
it may be a mount point; files that are no part of the store are in its folder `aside`.
"""

import fcntl
import gzip
import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..files import open_durable_file, sync_to_disk
from .errors import StoreError, translate_engine_error


@contextmanager
def hold_file_lock(path: Path, busy: str = "") -> Iterator[None]:
    """Around what one process at a time may do; who comes second waits, or is refused in the words of `busy`.

    The lock goes with its process, however that ends. Raises OSError, also where it is busy.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError as error:
            raise OSError(busy) from error
        yield


SQLITE_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def connect_sqlite(path: Path | None, *, writes: bool = False) -> sqlite3.Connection:
    """A connection to a database (None: in memory), for one thread at a time; transactions begin by BEGIN.

    One that writes does so beside those that read; a power cut may lose what it wrote last, and no more.
    Raises sqlite3.Error and OSError.
    """
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
    if writes:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def remove_sqlite_file(path: Path) -> None:
    """Remove a database with the files that SQLite keeps beside it."""
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def is_sqlite_damage(error: Exception) -> bool:
    """Whether an error says that the file itself is damaged, so that it is to be made anew."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in SQLITE_DAMAGE_CODES


ASIDE_FOLDER = "aside"
# What stays in the folder, whatever store comes and goes. Who may write is no content: a backup gives no
# tokens away, and a restore brings none back that was revoked.
PERMANENT_STORE_FILES = {ASIDE_FOLDER, "tokens.json", "tokens.json.lock"}
DECIDED_SWAP_PREFIX, PREVIOUS_STORE_PREFIX = "restored-", "before-"  # and a point of time
INCOMING_STORE_FOLDER = "coming"


def swap_store(folder: Path, fresh: Path, when: str) -> Path:
    """Make what `fresh` in the `aside` of a store holds the store; returns where the old one is, if any.

    From the first renaming on, the swap is decided: where it is cut off, `finish` goes on with it. Nobody
    may open the store meanwhile.
    """
    fresh.rename(fresh.with_name(DECIDED_SWAP_PREFIX + when))
    sync_to_disk(fresh.parent)
    finish_store_swap(folder)
    return folder / ASIDE_FOLDER / (PREVIOUS_STORE_PREFIX + when)


def finish_store_swap(folder: Path) -> None:
    """Go on with a swap that was cut off, if there is one. Nobody may open the store meanwhile."""
    aside = folder / ASIDE_FOLDER
    coming = aside / INCOMING_STORE_FOLDER
    for decided in aside.glob(f"{DECIDED_SWAP_PREFIX}*"):
        before = aside / decided.name.replace(DECIDED_SWAP_PREFIX, PREVIOUS_STORE_PREFIX, 1)
        before.mkdir(exist_ok=True)
        # As long as it is called decided, nothing new has come, and all that is there is old.
        move_store_files(folder, before)
        if not any(before.iterdir()):
            before.rmdir()
        decided.rename(coming)
    if coming.exists():
        move_store_files(coming, folder)
        coming.rmdir()
        sync_to_disk(folder)


def move_store_files(source: Path, target: Path) -> None:
    """Move what a folder holds, but what stays, into another one."""
    for one in list(source.iterdir()):
        if one.name not in PERMANENT_STORE_FILES:
            one.rename(target / one.name)


VERSIONS_FOLDER = "versions"
SHA256_HEX_PATTERN = re.compile(r"[0-9a-f]{64}")
VERSION_GZIP_LEVEL = 6


class ContentStore:
    """Contents by their SHA-256 in hexadecimal. Methods raise StoreError where the disk fails."""

    def __init__(self, folder: Path | None) -> None:
        """Take the folder of the store (None: they are kept in memory)."""
        self.folder = folder and folder / VERSIONS_FOLDER
        self.contents: dict[str, bytes] = {}

    def keep(self, content: bytes) -> str:
        """Keep the content, if it is not there; its digest."""
        digest = hashlib.sha256(content).hexdigest()
        if self.folder is None:
            self.contents[digest] = content
            return digest
        path = self.path(self.folder, digest)
        try:
            if not path.parent.exists():
                path.parent.mkdir(parents=True)
                sync_to_disk(self.folder)
            if path.exists():  # the one who put it there may have died before the folder was on disk
                sync_to_disk(path.parent)
            else:
                with open_durable_file(path) as file:
                    file.write(gzip.compress(content, VERSION_GZIP_LEVEL, mtime=0))
        except OSError as error:
            raise translate_engine_error(error, self.folder.parent) from error
        return digest

    def read(self, digest: str) -> bytes:
        """What has this digest."""
        if self.folder is None:
            return self.contents[digest]
        try:
            content = gzip.decompress(self.path(self.folder, digest).read_bytes())
        except (OSError, EOFError) as error:
            raise StoreError(f"The version {digest} of a graph cannot be read: {error}.") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoreError(f"The version {digest} of a graph is damaged. Take it from a backup.")
        return content

    def path(self, folder: Path, digest: str) -> Path:
        """Where a version is; few files in one folder."""
        if not SHA256_HEX_PATTERN.fullmatch(digest):
            raise StoreError(f"{digest!r} is no digest of a version.")
        return folder / digest[:2] / f"{digest[2:]}.nt.gz"
