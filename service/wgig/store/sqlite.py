"""SQLite files in the store folder: connections, removal, detection of damaged files."""

import shutil
import sqlite3
from pathlib import Path

from ..files import make_private_file, make_private_folder

SQLITE_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def connect_sqlite(path: Path | None, *, writes: bool = False) -> sqlite3.Connection:
    """A connection to an SQLite file (None: in memory), for one thread at a time, in autocommit mode.

    With `writes`, it uses a write-ahead log, so that other connections can read meanwhile. A power cut may
    lose the last transactions, but does not damage the file. Raises sqlite3.Error and OSError.
    """
    if path:
        make_private_folder(path.parent)
        make_private_file(path)  # SQLite gives its write-ahead log the same mode
    connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
    if writes:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def remove_sqlite_file(path: Path) -> None:
    """Remove an SQLite file with its journal and write-ahead log, or a folder in its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def is_sqlite_damage(error: Exception) -> bool:
    """Whether an error means that the SQLite file is damaged and must be rebuilt."""
    primary_code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the higher bits have details
    return primary_code in SQLITE_DAMAGE_CODES
