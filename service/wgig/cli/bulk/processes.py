"""Jobs on the processes of this machine."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice, tee
from pathlib import Path
from tempfile import TemporaryDirectory

import pyoxigraph as ox

from ...graphs.description.statistics import count_figures
from ...problems import Problem
from ...shacl.findings import UncheckedFile
from ..check_workers import check_candidate_files
from ..console import show_progress_bar
from ..files import CandidateFile, iter_folder_files
from . import (
    BULK_FILE_ENDINGS,
    REMOTE_PATH_PATTERN,
    REPORTS_FOLDER,
    SUCCESS_MARK,
    SUMMARY_FILE,
    UNREAD_FOLDER,
    VOID_FILE,
    BulkJob,
    no_paper_problem,
    output_exists_problem,
    serialize_bulk_summary,
)
from .lines import (
    BulkLine,
    BulkResult,
    BulkTally,
    iter_bulk_lines,
    read_file_quads,
    serialize_bulk_line,
    serialize_void_figures,
)

PART_FILE_LINES = 10_000  # lines of a file


def check_with_processes(job: BulkJob) -> BulkResult:
    """Check the files, and write the lines and what they come to. Raises Problem 400, OSError."""
    with open_bulk_output(job) as (out, files):
        every, found = tee(files)
        each = zip(every, check_candidate_files(found, job.task, job.jobs), strict=True)
        tally = write_line_files(
            out / REPORTS_FOLDER, (one for pair in each for one in iter_bulk_lines(*pair, job.language))
        )
        done = tally.summarize_check()
        (out / SUMMARY_FILE).write_bytes(serialize_bulk_summary(done.summary))
    return done


def describe_with_processes(job: BulkJob) -> BulkResult:
    """Count what is in the files, and write the figures. Raises Problem 400, OSError."""
    unread: list[BulkLine] = []
    seen = 0

    def read(file: CandidateFile) -> Iterable[ox.Quad]:
        nonlocal seen
        seen += 1
        found = read_file_quads(file, job.task)
        if not isinstance(found, UncheckedFile):
            return found
        unread.extend(iter_bulk_lines(file, found, job.language))
        return ()

    with open_bulk_output(job) as (out, files), TemporaryDirectory() as scratch:
        store = ox.Store(scratch)
        store.bulk_extend(chain.from_iterable(map(read, files)))
        (out / VOID_FILE).write_bytes(
            serialize_void_figures(count_figures(store, job.base, frozenset()), job.base)
        )
        done = write_line_files(out / UNREAD_FOLDER, unread).summarize_description(seen)
        (out / SUMMARY_FILE).write_bytes(serialize_bulk_summary(done.summary))
    return done


@contextmanager
def open_bulk_output(job: BulkJob) -> Iterator[tuple[Path, Iterator[CandidateFile]]]:
    """The folder to write, which gets its mark at the end, and the files, which are counted as they go.

    Raises Problem 400 where there is the one, or none of the other.
    """
    if far := next(filter(REMOTE_PATH_PATTERN.match, (*job.paths, job.out)), None):
        raise Problem(400, f"{far} is not on this machine. Spark reads it: pip install 'wgig[spark]'")
    out = Path(job.out)
    if out.exists():
        raise output_exists_problem(job.out)
    files = iter_bulk_files(job.paths)
    first = list(islice(files, 1))
    if not first:
        raise no_paper_problem(job.paths)
    out.mkdir(parents=True)
    with show_progress_bar("Reading", None, "files") as reached:
        yield out, report_files_read(chain(first, files), reached)
    (out / SUCCESS_MARK).touch()


def report_files_read(
    files: Iterable[CandidateFile], reached: Callable[[int], None]
) -> Iterator[CandidateFile]:
    """The files; the number of those that went by is told."""
    for number, one in enumerate(files, 1):
        reached(number)
        yield one


def iter_bulk_files(paths: Iterable[str]) -> Iterator[CandidateFile]:
    """The files that may be papers, by the globs, folders and names of files: what Spark reads, too.

    None begins with a dot or an underscore, nor does a folder in which it is.
    """
    for path in paths:
        there = os.path.abspath(path.removeprefix("file:"))  # noqa: PTH100  what it says is shown
        names = sorted(glob.glob(there))  # noqa: PTH207
        if not names:
            raise no_paper_problem((path,))
        for one in names:
            listed = iter_folder_files(one) if os.path.isdir(one) else [CandidateFile(one, is_found=True)]  # noqa: PTH112
            yield from (file for file in listed if is_bulk_file(file.path, os.path.dirname(one)))  # noqa: PTH120


def is_bulk_file(path: str, above: str) -> bool:
    """Whether a file is read: by its ending, and the names from the folder above on."""
    names = path.removeprefix(above).lstrip("/").split("/")
    return names[-1].rpartition(".")[2].lower() in BULK_FILE_ENDINGS and not any(
        one[:1] in "._" for one in names
    )


def write_line_files(folder: Path, lines: Iterable[BulkLine]) -> BulkTally:
    """Write lines into files of the folder, and count them."""
    folder.mkdir()
    tally, waiting = BulkTally(), iter(lines)
    for number, first in enumerate(waiting):
        with (folder / f"part-{number:05}").open("w", encoding="utf-8") as file:
            for line in chain([first], islice(waiting, PART_FILE_LINES - 1)):
                tally.add(line)
                file.write(f"{serialize_bulk_line(line)}\n")
    return tally
