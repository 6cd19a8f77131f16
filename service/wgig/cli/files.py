"""The files of a run: named or found in folders, and read within limits."""

import os
import re
import stat
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..papers.readers import read_paper_document
from ..problems import Problem
from ..rdf.formats import FORMATS_BY_SUFFIX, MARKDOWN, Format, format_of_file
from ..shacl.documents import Document
from ..shacl.findings import UncheckedFile

# In a folder, a file of this ending is seldom RDF.
IGNORED_ENDING = "json"
PAPER_PROBE_BYTES = 32 * 1024  # bytes of a Markdown file that are looked at to tell whether it may be a paper
# Keys of the head of a paper that the heads of other Markdown files do not have, as they have a title.
PAPER_KEYS_PATTERN = "paper|issue|drafters|posted|pages|illustrative|cites|waivers"
PAPER_HEAD_PATTERN = re.compile(
    rf"""\A\ufeff?---[ \t]*\r?\n(?:(?!---|\.\.\.).*\n)*?[ "']*(?:{PAPER_KEYS_PATTERN})["']?[ \t]*:""",
    re.IGNORECASE,
)
FILE_KIND_NAMES = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class CandidateFile(NamedTuple):
    """A file to check: whether it was found, as in a folder, rather than named by the user; its bytes.

    There are bytes where somebody else has read them.
    """

    path: str
    is_found: bool = False
    data: bytes | None = None


def iter_candidate_files(
    names: Iterable[str], output: Path | None = None, *, found: bool = False
) -> Iterator[CandidateFile]:
    """The named files, and in place of each folder the files in it that may hold papers, in sorted order.

    The `output` is left out, as a report is no paper. `found` says that the names were found, too.
    """
    for name in names:
        # A Path would take away what the user wrote, such as ./
        listed = iter_folder_files(name) if os.path.isdir(name) else [CandidateFile(name, found)]  # noqa: PTH112
        yield from (one for one in listed if not (output and is_same_file(one.path, output)))


def is_same_file(path: str, output: Path) -> bool:
    """Whether a path leads to the output, however both are written."""
    try:
        return os.path.samefile(path, output)  # noqa: PTH121
    except (OSError, ValueError):  # one of them is not there
        return os.path.abspath(path) == os.path.abspath(output)  # noqa: PTH100


def iter_folder_files(folder: str) -> Iterator[CandidateFile]:
    """The files below a folder whose names end as papers do, without what is hidden and links to folders.

    A folder that cannot be read comes as a file, so that it is told why.
    """
    closed: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(names):
            suffix = name.rpartition(".")[2].lower()
            if not name.startswith(".") and suffix in FORMATS_BY_SUFFIX and suffix != IGNORED_ENDING:
                yield CandidateFile(os.path.join(place, name), is_found=True)  # noqa: PTH118
    yield from (CandidateFile(str(error.filename)) for error in closed)


def candidate_size(file: CandidateFile) -> int:
    """The size of a file in bytes, 0 where it cannot be told."""
    if file.data is not None:
        return len(file.data)
    try:
        return os.stat(file.path).st_size  # noqa: PTH116
    except (OSError, ValueError):
        return 0


def read_candidate_document(
    file: CandidateFile, most_bytes: int, most_triples: int
) -> Document | UncheckedFile | None:
    """The document in a file; why it cannot be read; or None for one found that looks like no paper."""
    try:
        data = (
            read_regular_file(file.path, most_bytes)
            if file.data is None
            else check_data_size(file.data, most_bytes)
        )
        if file.is_found and format_of_file(file.path) is MARKDOWN and not may_be_paper(data):
            return None
        return read_paper_document(
            displayable_path(file.path), data, get_format_by_ending(file.path), most_triples
        )
    except Problem as problem:
        return UncheckedFile(displayable_path(file.path), problem)


def mistake_problem(error: BaseException) -> Problem:
    """The 500 for what nobody foresaw; with WGIG_DEBUG, standard error shows where it happened."""
    if os.environ.get("WGIG_DEBUG"):
        traceback.print_exception(error)
    said = traceback.format_exception_only(error)[-1].strip()
    return Problem(500, f"This is a mistake of ours: {said}. Set WGIG_DEBUG=1 to see where.")


def may_be_paper(data: bytes) -> bool:
    """Whether Markdown has a key of the head of a paper, or a heading of the template, at its beginning."""
    from ..papers.markdown.outline import MARKDOWN_PARSER, iter_top_blocks  # noqa: PLC0415
    from ..papers.markdown.template import SECTION_HEADINGS, normalize_words  # noqa: PLC0415  who sends RDF need not wait for it

    text = data[:PAPER_PROBE_BYTES].decode("utf-8", "replace")
    if PAPER_HEAD_PATTERN.match(text):
        return True
    known = {f"{one.mark} {words}" for one in SECTION_HEADINGS for words in one.spellings}
    known |= {normalize_words(one.title) for one in SECTION_HEADINGS}
    return any(
        normalize_words(title) in known for _, title, _ in iter_top_blocks(MARKDOWN_PARSER.parse(text))
    )


def get_format_by_ending(path: str) -> Format:
    """The format by the ending of a name. Raises Problem 415 for an ending that says nothing."""
    found = format_of_file(path)
    if found is None:
        endings = ", ".join(f".{suffix}" for suffix in FORMATS_BY_SUFFIX)
        raise Problem(
            415, f"The ending of the name does not tell the format. It should be one of: {endings}."
        )
    return found


def read_regular_file(path: str, limit: int) -> bytes:
    """The bytes of a file. Raises Problem where it is none, is larger than the limit, or cannot be read."""
    try:
        # Opening a pipe waits for whoever writes to it.
        about = os.stat(path)  # noqa: PTH116
        if stat.S_ISDIR(about.st_mode):  # one that may be read is walked
            raise Problem(403, "The folder may not be read. Ask its owner, or change its permissions.")
        if not stat.S_ISREG(about.st_mode):
            raise Problem(
                400,
                f"This is {FILE_KIND_NAMES[stat.S_IFMT(about.st_mode)]}, no file. "
                "Save it to a file, or send it to standard input and name that as -",
            )
        if about.st_size > limit:
            raise file_too_large_problem(limit)
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise Problem(404, "There is no such file. Check its name.") from error
    except PermissionError as error:
        raise Problem(403, "The file may not be read. Ask its owner, or change its permissions.") from error
    except (OSError, ValueError) as error:
        raise Problem(400, f"The file cannot be read: {getattr(error, 'strerror', error)}.") from error
    return check_data_size(data, limit)


def check_data_size(data: bytes, limit: int) -> bytes:
    """The data. Raises Problem 413 where it is larger than the limit."""
    if len(data) > limit:
        raise file_too_large_problem(limit)
    return data


def file_too_large_problem(limit: int) -> Problem:
    """The 413 that says what fits."""
    return Problem(
        413, f"The file is larger than {limit} bytes. Check smaller ones, or set WGIG_PAPER_BYTES higher."
    )


def displayable_path(path: str) -> str:
    """A path as it can be shown, whatever its bytes."""
    return os.fsencode(path).decode("utf-8", "replace")
