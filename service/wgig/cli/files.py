"""The files to check: named by the user or found in folders, and read within limits."""

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

IGNORED_SUFFIX = "json"  # of files in folders: most files with this suffix are not RDF
PAPER_PROBE_BYTES = 32 * 1024  # the first bytes of a Markdown file, in which papers are recognized
# Front matter keys that only papers have; other Markdown files have keys such as `title`, too.
PAPER_KEYS_PATTERN = "paper|issue|drafters|posted|pages|illustrative|cites|waivers"
# The start of a file whose front matter has such a key.
PAPER_HEAD_PATTERN = re.compile(
    rf"""\A\ufeff?---[ \t]*\r?\n(?:(?!---|\.\.\.).*\n)*?[ "']*(?:{PAPER_KEYS_PATTERN})["']?[ \t]*:""",
    re.IGNORECASE,
)
FILE_TYPE_NAMES = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class CandidateFile(NamedTuple):
    """A file to check: its path, and whether it was found in a folder instead of named by the user.

    `data` are its bytes, if the caller has read them before.
    """

    path: str
    is_found: bool = False
    data: bytes | None = None


def iter_candidate_files(
    names: Iterable[str], output: Path | None = None, *, as_found: bool = False
) -> Iterator[CandidateFile]:
    """The named files, and the files in named folders that may be papers, in sorted order.

    The `output` is excluded, as a report is not a paper. With `as_found`, named files are treated like files
    found in a folder.
    """
    for name in names:
        # not a Path, which would remove ./ from the name
        files = iter_folder_files(name) if os.path.isdir(name) else [CandidateFile(name, as_found)]  # noqa: PTH112
        yield from (file for file in files if not (output and is_same_file(file.path, output)))


def is_same_file(path: str, output: Path) -> bool:
    """Whether a path refers to the output file, even if the two are spelled differently."""
    try:
        return os.path.samefile(path, output)  # noqa: PTH121
    except (OSError, ValueError):  # one of them does not exist
        return os.path.abspath(path) == os.path.abspath(output)  # noqa: PTH100


def iter_folder_files(folder: str) -> Iterator[CandidateFile]:
    """The files below a folder with a suffix that papers can have, without hidden files and linked folders.

    An unreadable folder is yielded as a file, so that reading it reports the reason.
    """
    errors: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            suffix = name.rpartition(".")[2].lower()
            if not name.startswith(".") and suffix in FORMATS_BY_SUFFIX and suffix != IGNORED_SUFFIX:
                yield CandidateFile(os.path.join(parent, name), is_found=True)  # noqa: PTH118
    yield from (CandidateFile(str(error.filename)) for error in errors)


def candidate_size(file: CandidateFile) -> int:
    """The size of a file in bytes; 0 if it is not accessible."""
    if file.data is not None:
        return len(file.data)
    try:
        return os.stat(file.path).st_size  # noqa: PTH116
    except (OSError, ValueError):
        return 0


def read_candidate_document(
    file: CandidateFile, max_bytes: int, max_triples: int
) -> Document | UncheckedFile | None:
    """The document in a file; UncheckedFile if unreadable; None for found Markdown that is not a paper."""
    try:
        data = read_regular_file(file.path, max_bytes) if file.data is None else file.data
        check_data_size(data, max_bytes)
        if file.is_found and format_of_file(file.path) is MARKDOWN and not may_be_paper(data):
            return None
        return read_paper_document(
            displayable_path(file.path), data, get_format_by_suffix(file.path), max_triples
        )
    except Problem as problem:
        return UncheckedFile(displayable_path(file.path), problem)


def bug_problem(error: BaseException) -> Problem:
    """The problem 500 for an unexpected error; with WGIG_DEBUG, prints the traceback to standard error."""
    if os.environ.get("WGIG_DEBUG"):
        traceback.print_exception(error)
    message = traceback.format_exception_only(error)[-1].strip()
    return Problem(500, f"This is a bug in wgig: {message}. Set WGIG_DEBUG=1 to see where.")


def may_be_paper(data: bytes) -> bool:
    """Whether the beginning of a Markdown file has a front matter key of papers or a template heading."""
    from ..papers.markdown.outline import get_heading_title, parse_blocks  # noqa: PLC0415
    from ..papers.markdown.template import SECTION_HEADINGS, normalize_words  # noqa: PLC0415  not needed for RDF

    text = data[:PAPER_PROBE_BYTES].decode("utf-8", "replace")
    if PAPER_HEAD_PATTERN.match(text):
        return True
    paper_headings = {
        f"{heading.mark} {words}" for heading in SECTION_HEADINGS for words in heading.spellings
    }
    paper_headings |= {normalize_words(heading.title) for heading in SECTION_HEADINGS}
    return any(normalize_words(get_heading_title(block)) in paper_headings for block in parse_blocks(text))


def get_format_by_suffix(path: str) -> Format:
    """The format for the suffix of the file name. Raises Problem 415 for an unknown suffix."""
    format_ = format_of_file(path)
    if format_ is None:
        suffixes = ", ".join(f".{suffix}" for suffix in FORMATS_BY_SUFFIX)
        raise Problem(
            415,
            f"The format cannot be determined from the file name. Its suffix must be one of: {suffixes}.",
        )
    return format_


def read_regular_file(path: str, max_bytes: int) -> bytes:
    """The bytes of a file. Raises Problem if it is not a regular file, too large, or unreadable."""
    try:
        # The type is checked first, as opening a pipe would block until another process writes to it.
        file_status = os.stat(path)  # noqa: PTH116
        if stat.S_ISDIR(file_status.st_mode):  # `iter_folder_files` yields only unreadable folders
            raise Problem(
                403, "No permission to read the folder. Ask its owner for access, or change its permissions."
            )
        if not stat.S_ISREG(file_status.st_mode):
            raise Problem(
                400,
                f"This is {FILE_TYPE_NAMES[stat.S_IFMT(file_status.st_mode)]}, not a file. Save its "
                "content to a file, or send it to standard input and give - as the file.",
            )
        if file_status.st_size > max_bytes:
            raise file_too_large_problem(max_bytes)
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise Problem(404, "No such file. Check its name.") from error
    except PermissionError as error:
        raise Problem(
            403, "No permission to read the file. Ask its owner for access, or change its permissions."
        ) from error
    except (OSError, ValueError) as error:
        raise Problem(400, f"The file cannot be read: {getattr(error, 'strerror', error)}.") from error
    check_data_size(data, max_bytes)
    return data


def check_data_size(data: bytes, max_bytes: int) -> None:
    """Raise Problem 413 if the data exceeds the limit."""
    if len(data) > max_bytes:
        raise file_too_large_problem(max_bytes)


def file_too_large_problem(max_bytes: int) -> Problem:
    """The problem 413 for a file larger than `max_bytes`."""
    return Problem(
        413, f"The file is larger than {max_bytes} bytes. Check smaller files, or increase WGIG_PAPER_BYTES."
    )


def displayable_path(path: str) -> str:
    """A path as valid Unicode; bytes that are not UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")
