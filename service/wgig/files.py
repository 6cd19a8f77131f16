"""The files of a run: named or found in folders, and read within limits."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .documents import MARKDOWN, SUFFIXES, Document, format_of, read
from .formats import Format
from .problems import Problem
from .report import Unread

# In a folder, a file of this ending is seldom RDF.
NOT_SOUGHT = "json"
HEAD = 32 * 1024  # bytes at the beginning of a Markdown file, among which its head must be
PAPER = re.compile(rb"\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n(?:(?!---|\.\.\.).*\n)*?paper[ \t]*:")
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class File(NamedTuple):
    """A file to check, and whether it was found in a folder rather than named by the user."""

    path: str
    found: bool = False


def files(names: Iterable[str]) -> Iterator[File]:
    """The named files, and in place of each folder the files in it that may hold papers, in sorted order."""
    for name in names:
        if os.path.isdir(name):  # noqa: PTH112  a Path would take away what the user wrote, such as ./
            yield from inside(name)
        else:
            yield File(name)


def inside(folder: str) -> Iterator[File]:
    """The files below a folder whose names end as papers do, without what is hidden and links to folders.

    A folder that cannot be read comes as a file, so that it is told why.
    """
    closed: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(names):
            suffix = name.rpartition(".")[2].lower()
            if not name.startswith(".") and suffix in SUFFIXES and suffix != NOT_SOUGHT:
                yield File(os.path.join(place, name), found=True)  # noqa: PTH118
    yield from (File(str(error.filename)) for error in closed)


def opened(file: File, most_bytes: int, most_triples: int) -> Document | Unread | None:
    """The document in a file; why it cannot be read; or None for Markdown of a folder that is no paper."""
    try:
        data = content(file.path, most_bytes)
        if file.found and format_of(file.path) is MARKDOWN and not PAPER.match(data[:HEAD]):
            return None
        return read(shown(file.path), data, known_format(file.path), most_triples)
    except Problem as problem:
        return Unread(shown(file.path), problem)


def known_format(path: str) -> Format:
    """The format by the ending of a name. Raises Problem 415 for an ending that says nothing."""
    found = format_of(path)
    if found is None:
        endings = ", ".join(f".{suffix}" for suffix in SUFFIXES)
        raise Problem(
            415, f"The ending of the name does not tell the format. It should be one of: {endings}."
        )
    return found


def content(path: str, limit: int) -> bytes:
    """The bytes of a file. Raises Problem where it is none, is larger than the limit, or cannot be read."""
    try:
        # Opening a pipe waits for whoever writes to it.
        about = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(about.st_mode):
            raise Problem(400, f"This is {KINDS[stat.S_IFMT(about.st_mode)]}, no file. {mend(about.st_mode)}")
        if about.st_size > limit:
            raise too_large(limit)
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise Problem(404, "There is no such file. Check its name.") from error
    except PermissionError as error:
        raise Problem(403, "The file may not be read. Ask its owner, or change its permissions.") from error
    except (OSError, ValueError) as error:
        raise Problem(400, f"The file cannot be read: {getattr(error, 'strerror', error)}.") from error
    return within(data, limit)


def mend(mode: int) -> str:
    """What to do about something that is no file."""
    if stat.S_ISDIR(mode):
        return "It may not be read, or it leads back to itself. Name the files in it."
    return "Save it to a file, or send it to standard input and name that as -"


def within(data: bytes, limit: int) -> bytes:
    """The data. Raises Problem 413 where it is larger than the limit."""
    if len(data) > limit:
        raise too_large(limit)
    return data


def too_large(limit: int) -> Problem:
    """The 413 that says what fits."""
    return Problem(
        413, f"The file is larger than {limit} bytes. Check smaller ones, or set WGIG_PAPER_BYTES higher."
    )


def shown(path: str) -> str:
    """A path as it can be shown, whatever its bytes."""
    return os.fsencode(path).decode("utf-8", "replace")
