"""The layout of the folder of a store, numbered, so that no older version misreads what a newer one wrote.

The number goes up when versions before it would misread the folder, or write it wrongly. What is made anew
where it does not fit, as the index and the log of changes are, needs no new number.
"""

from pathlib import Path

from . import __version__
from .durable import durable

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
