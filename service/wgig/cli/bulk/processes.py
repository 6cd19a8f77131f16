"""Bulk checks and statistics with the processes of this machine, without Spark."""

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
    BULK_FILE_SUFFIXES,
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

PART_FILE_LINES = 10_000  # the maximum in an output file; further lines are in the next file


def check_with_processes(job: BulkJob) -> BulkResult:
    """Check the files, and write the JSON lines and the summary.

    Raises Problem 400 as `open_bulk_output` does, OSError if a file cannot be written.
    """
    with open_bulk_output(job) as (folder, files):
        listed_files, checked_files = tee(files)
        outcomes_by_file = zip(
            listed_files, check_candidate_files(checked_files, job.task, job.jobs), strict=True
        )
        tally = write_line_files(
            folder / REPORTS_FOLDER,
            (
                line
                for file_and_outcome in outcomes_by_file
                for line in iter_bulk_lines(*file_and_outcome, job.language)
            ),
        )
        result = tally.summarize_check()
        (folder / SUMMARY_FILE).write_bytes(serialize_bulk_summary(result.summary))
    return result


def describe_with_processes(job: BulkJob) -> BulkResult:
    """Compute and write the statistics of the files.

    Raises Problem 400 as `open_bulk_output` does, OSError if a file cannot be written.
    """
    unread_lines: list[BulkLine] = []
    file_count = 0

    def read_quads(file: CandidateFile) -> Iterable[ox.Quad]:
        nonlocal file_count
        file_count += 1
        quads = read_file_quads(file, job.task)
        if not isinstance(quads, UncheckedFile):
            return quads
        unread_lines.extend(iter_bulk_lines(file, quads, job.language))
        return ()

    with open_bulk_output(job) as (folder, files), TemporaryDirectory() as store_folder:
        store = ox.Store(store_folder)  # on disk, as the quads may not fit into memory
        store.bulk_extend(chain.from_iterable(map(read_quads, files)))
        (folder / VOID_FILE).write_bytes(
            serialize_void_figures(count_figures(store, job.base, frozenset()), job.base)
        )
        result = write_line_files(folder / UNREAD_FOLDER, unread_lines).summarize_description(file_count)
        (folder / SUMMARY_FILE).write_bytes(serialize_bulk_summary(result.summary))
    return result


@contextmanager
def open_bulk_output(job: BulkJob) -> Iterator[tuple[Path, Iterator[CandidateFile]]]:
    """Create the output folder, and yield it with the files; show a progress bar; write SUCCESS_MARK last.

    Raises Problem 400 if the folder exists, there are no files, or a path needs Spark.
    """
    if remote_path := next(filter(REMOTE_PATH_PATTERN.match, (*job.paths, job.out)), None):
        raise Problem(
            400, f"{remote_path} is not on this machine. Only Spark can read it: pip install 'wgig[spark]'"
        )
    folder = Path(job.out)
    if folder.exists():
        raise output_exists_problem(job.out)
    files = iter_bulk_files(job.paths)
    first_file = list(islice(files, 1))
    if not first_file:
        raise no_paper_problem(job.paths)
    folder.mkdir(parents=True)
    with show_progress_bar("Reading", None, "files") as report_progress:
        yield folder, report_files_read(chain(first_file, files), report_progress)
    (folder / SUCCESS_MARK).touch()


def report_files_read(
    files: Iterable[CandidateFile], report_progress: Callable[[int], None]
) -> Iterator[CandidateFile]:
    """The files; `report_progress` is called with the number of files so far."""
    for number, file in enumerate(files, 1):
        report_progress(number)
        yield file


def iter_bulk_files(paths: Iterable[str]) -> Iterator[CandidateFile]:
    """The files that may be papers, at these globs, folders and file names. Spark selects the same files.

    Files and folders whose names start with a dot or an underscore are skipped.
    """
    for path in paths:
        absolute_path = os.path.abspath(path.removeprefix("file:"))  # noqa: PTH100  like the paths from Spark
        names = sorted(glob.glob(absolute_path))  # noqa: PTH207
        if not names:
            raise no_paper_problem((path,))
        for name in names:
            folder_files = (
                iter_folder_files(name)
                if os.path.isdir(name)  # noqa: PTH112
                else [CandidateFile(name, is_found=True)]
            )
            yield from (file for file in folder_files if is_bulk_file(file.path, os.path.dirname(name)))  # noqa: PTH120


def is_bulk_file(path: str, folder: str) -> bool:
    """Whether a file below the folder is read: it has a known suffix, and no part of its path is hidden."""
    names = path.removeprefix(folder).lstrip("/").split("/")
    return names[-1].rpartition(".")[2].lower() in BULK_FILE_SUFFIXES and not any(
        name[:1] in "._" for name in names
    )


def write_line_files(folder: Path, lines: Iterable[BulkLine]) -> BulkTally:
    """Write lines into files of a new folder, and count them."""
    folder.mkdir()
    tally, remaining_lines = BulkTally(), iter(lines)
    for number, first_line in enumerate(remaining_lines):
        with (folder / f"part-{number:05}").open("w", encoding="utf-8") as file:
            for line in chain([first_line], islice(remaining_lines, PART_FILE_LINES - 1)):
                tally.add(line)
                file.write(f"{serialize_bulk_line(line)}\n")
    return tally
