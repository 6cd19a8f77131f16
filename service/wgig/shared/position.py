"""Which version of which shared store the copy in a folder is in line with."""

from pathlib import Path
from typing import NamedTuple

NAME = "in-line-with"


class Position(NamedTuple):
    """A version of a store, and the mark of the write that made it."""

    store: str
    version: int
    by: str


def read(folder: Path) -> Position | None:
    """What is noted in the folder; None where nothing is."""
    path = folder / NAME
    if not path.exists():
        return None
    match path.read_text("utf-8").split(" "):
        case [store, version, by] if version.isdecimal():
            return Position(store, int(version), by)
    return None


def note(folder: Path, position: Position) -> None:
    """Note a version, after all of it is on disk."""
    path = folder / NAME
    path.unlink(missing_ok=True)  # a backup may hold it by a link, so that it is not changed in place
    path.write_text(" ".join(map(str, position)), "utf-8")
