"""The files of a run: named or found in folders, and read within limits."""

import os
import re
import stat
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..papers.readers import read
from ..problems import Problem
from ..rdf.formats import MARKDOWN, SUFFIXES, Format, format_of
from ..shacl.documents import Document
from ..shacl.findings import Unread

# In a folder, a file of this ending is seldom RDF.
NOT_SOUGHT = "json"
BEGINNING = 32 * 1024  # bytes of a Markdown file that are looked at to tell whether it may be a paper
# Keys of the head of a paper that the heads of other Markdown files do not have, as they have a title.
KEYS = "paper|issue|drafters|posted|pages|illustrative|cites|waivers"
HEAD = re.compile(
    rf"""\A\ufeff?---[ \t]*\r?\n(?:(?!---|\.\.\.).*\n)*?[ "']*(?:{KEYS})["']?[ \t]*:""", re.IGNORECASE
)
KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Candidate(NamedTuple):
    """A file to check: whether it was found, as in a folder, rather than named by the user; its bytes.

    There are bytes where somebody else has read them.
    """

    path: str
    found: bool = False
    data: bytes | None = None


def files(names: Iterable[str], output: Path | None = None, *, found: bool = False) -> Iterator[Candidate]:
    """The named files, and in place of each folder the files in it that may hold papers, in sorted order.

    The `output` is left out, as a report is no paper. `found` says that the names were found, too.
    """
    for name in names:
        # A Path would take away what the user wrote, such as ./
        listed = inside(name) if os.path.isdir(name) else [Candidate(name, found)]  # noqa: PTH112
        yield from (one for one in listed if not (output and is_same(one.path, output)))


def is_same(path: str, output: Path) -> bool:
    """Whether a path leads to the output, however both are written."""
    try:
        return os.path.samefile(path, output)  # noqa: PTH121
    except (OSError, ValueError):  # one of them is not there
        return os.path.abspath(path) == os.path.abspath(output)  # noqa: PTH100


def inside(folder: str) -> Iterator[Candidate]:
    """The files below a folder whose names end as papers do, without what is hidden and links to folders.

    A folder that cannot be read comes as a file, so that it is told why.
    """
    closed: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(names):
            suffix = name.rpartition(".")[2].lower()
            if not name.startswith(".") and suffix in SUFFIXES and suffix != NOT_SOUGHT:
                yield Candidate(os.path.join(place, name), found=True)  # noqa: PTH118
    yield from (Candidate(str(error.filename)) for error in closed)


def size_of(file: Candidate) -> int:
    """The size of a file in bytes, 0 where it cannot be told."""
    if file.data is not None:
        return len(file.data)
    try:
        return os.stat(file.path).st_size  # noqa: PTH116
    except (OSError, ValueError):
        return 0


def opened(file: Candidate, most_bytes: int, most_triples: int) -> Document | Unread | None:
    """The document in a file; why it cannot be read; or None for one found that looks like no paper."""
    try:
        data = content(file.path, most_bytes) if file.data is None else within(file.data, most_bytes)
        if file.found and format_of(file.path) is MARKDOWN and not may_be_paper(data):
            return None
        return read(shown(file.path), data, known_format(file.path), most_triples)
    except Problem as problem:
        return Unread(shown(file.path), problem)


def mistake(error: BaseException) -> Problem:
    """The 500 for what nobody foresaw; with WGIG_DEBUG, standard error shows where it happened."""
    if os.environ.get("WGIG_DEBUG"):
        traceback.print_exception(error)
    said = traceback.format_exception_only(error)[-1].strip()
    return Problem(500, f"This is a mistake of ours: {said}. Set WGIG_DEBUG=1 to see where.")


def may_be_paper(data: bytes) -> bool:
    """Whether Markdown has a key of the head of a paper, or a heading of the template, at its beginning."""
    from ..papers.markdown.outline import PARSER, blocks  # noqa: PLC0415
    from ..papers.markdown.template import SECTIONS, plain  # noqa: PLC0415  who sends RDF need not wait for it

    text = data[:BEGINNING].decode("utf-8", "replace")
    if HEAD.match(text):
        return True
    known = {f"{one.mark} {words}" for one in SECTIONS for words in one.spellings}
    known |= {plain(one.title) for one in SECTIONS}
    return any(plain(title) in known for _, title, _ in blocks(PARSER.parse(text)))


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
        if stat.S_ISDIR(about.st_mode):  # one that may be read is walked
            raise Problem(403, "The folder may not be read. Ask its owner, or change its permissions.")
        if not stat.S_ISREG(about.st_mode):
            raise Problem(
                400,
                f"This is {KINDS[stat.S_IFMT(about.st_mode)]}, no file. Save it to a file, or send it to "
                "standard input and name that as -",
            )
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
