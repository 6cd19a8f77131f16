"""What `wgig check --watch` does: look at files again and again, and say when one has changed."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..files import files

INTERVAL = 0.5  # seconds between two looks

# By the path of each file: what changes when it is written or replaced; None where it cannot be looked at.
State = dict[str, tuple[int, int, int] | None]


def changes(names: Sequence[str], output: Path | None) -> Iterator[State]:
    """The state of the files and of those in the folders, now and after each change; never ends.

    The `output` is written after each change, and is none.
    The state is taken before it is told, so that a change in the meantime is the next one. Looking is enough:
    it works on every system and on every kind of disk, and a thousand files take some milliseconds.
    """
    told: State | None = None
    while True:
        now = {file.path: signature(file.path) for file in files(names, output)}
        if now != told:
            told = now
            yield now
        time.sleep(INTERVAL)


def signature(path: str) -> tuple[int, int, int] | None:
    """What changes when a file is written or replaced; None where it cannot be looked at."""
    try:
        found = os.stat(path)  # noqa: PTH116  one call a file, and a Path makes it twice as slow
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
