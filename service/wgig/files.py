"""Durable, atomic file writes: after a crash, a file has either its old or its new content."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

PARTIAL_SUFFIX = ".partial"  # of the temporary file that is being written
PRIVATE_FOLDER_MODE, PRIVATE_FILE_MODE = 0o700, 0o600  # files of the store have what was deleted from graphs


class FileError(Exception):
    """A file cannot be read or written; the message says why and what to do."""

    @classmethod
    def from_os_error(cls, content: str, path: Path, error: OSError) -> Self:
        """The FileError for an OSError; `content` names what the file has, such as "The tokens"."""
        reason = (error.strerror or str(error)).lower()
        return cls(f"{content} in {path} cannot be read or written: {reason}. Fix this, or use another file.")


@contextmanager
def open_durable_file(path: Path, mode: int = PRIVATE_FILE_MODE) -> Iterator[IO[bytes]]:
    """A temporary file for writing, which replaces the file at `path` when the block ends without error.

    The new content is then synced to disk. After an error the old file is unchanged. Raises OSError.
    """
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    partial.unlink(missing_ok=True)  # left by a crash
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_to_disk(path.parent)


def make_private_folder(path: Path) -> None:
    """Create a folder, and those above it that do not exist, so that only their owner can open them.

    Raises OSError.
    """
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(PRIVATE_FOLDER_MODE, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Create an empty file that only its owner can open, unless it exists. Raises OSError."""
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, PRIVATE_FILE_MODE))


def sync_to_disk(path: Path) -> None:
    """Call fsync on a file, or on a folder, which syncs its entries. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
