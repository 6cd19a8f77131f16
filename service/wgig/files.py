"""Durable files: each is there whole or not at all, whatever ends the process or the power."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

PARTIAL_SUFFIX = ".partial"  # ends the name of a file that is being written


class FileError(Exception):
    """A file cannot be read or written; the message is one sentence with the mend."""

    @classmethod
    def from_os_error(cls, what: str, path: Path, error: OSError) -> Self:
        """What an error of the system means for the file that holds `what` (in the plural)."""
        why = (error.strerror or str(error)).lower()
        return cls(f"{what} in {path} cannot be read or written: {why}. Mend that, or name another file.")


@contextmanager
def open_durable_file(path: Path, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """A file to be written that takes the place of what is at the path; it is on disk at the end.

    Where that fails, what was there stays. Raises OSError.
    """
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    partial.unlink(missing_ok=True)  # a crash left it
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


def sync_to_disk(path: Path) -> None:
    """Bring to disk what a file holds, or which files are in a folder. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
