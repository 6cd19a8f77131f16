"""The mark that the index is in line with the store: a file beside it, which every write takes away.

It holds a token that the index holds as well. So a store that was written without its index, by a crash or by
another program, or that a backup brought back, is told from one that the index knows.
"""

from pathlib import Path

NAME = "indexed"


def remove(folder: Path) -> bool:
    """Take the mark away, before a write; whether there was one. Raises OSError."""
    mark = folder / NAME
    if not mark.exists():
        return False
    mark.unlink()
    return True


def leave(folder: Path, token: str) -> None:
    """Leave the mark. It need not be on disk: without it the index is made anew. Raises OSError."""
    (folder / NAME).write_text(token)


def read(folder: Path) -> str:
    """The token of the mark, empty where there is none. Raises OSError."""
    mark = folder / NAME
    return mark.read_text() if mark.exists() else ""
