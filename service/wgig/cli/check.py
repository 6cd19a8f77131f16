"""`wgig check` and `wgig new`: check papers, once or with `--watch`; write the skeleton of a paper.

With shapes, or for a graph, `check_shapes` makes the outcomes.

The report format is that of `--format`, or of the suffix of the output file. Text and GitHub annotations are
written file by file, in constant memory. Only a terminal gets colors (https://no-color.org). `--watch`
compares file metadata twice a second; Ctrl-C exits with the code of the last check.
"""

import argparse
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..papers.readers import read_paper_document
from ..problems import Problem
from ..rdf.formats import FILE_FORMATS, FORMATS_BY_SUFFIX, Format
from ..settings import Settings
from ..shacl.batch import check_documents
from ..shacl.check import get_issue_papers
from ..shacl.conformance import WHOLE_PAPER_PROFILE
from ..shacl.documents import Document
from ..shacl.findings import CheckOutcome, UncheckedFile
from ..shacl.reports import GITHUB_ANNOTATIONS_FORMAT, JUNIT_FORMAT, REPORT_WRITERS, TEXT_REPORT_FORMAT, text
from ..shacl.rules import MESSAGE_LANGUAGES
from .check_workers import CheckTask, check_candidate_files
from .console import check_parent_folder, open_replacement_file, print_message
from .files import (
    CandidateFile,
    bug_problem,
    candidate_size,
    check_data_size,
    is_same_file,
    iter_candidate_files,
    read_candidate_document,
)

if TYPE_CHECKING:
    from ..validation.shapes_graph import ShapesSource


def run_new(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the skeleton of a paper on an issue to a new file, or to standard output.

    Exit code 0. Raises Problem 400 for an unknown issue, an existing file, or a missing parent folder.
    """
    from ..papers.skeleton import build_paper_skeleton  # noqa: PLC0415  costs 30 ms, and is not needed for a check

    del settings
    issue = arguments.issue.lower()
    try:
        skeleton = build_paper_skeleton(issue)
    except Problem as problem:  # a wrong argument, not a missing resource
        raise Problem(400, problem.detail) from problem
    if arguments.output == "-":
        sys.stdout.write(skeleton)
        return 0
    path = Path(arguments.output or f"{issue}.md")
    check_parent_folder(path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(skeleton)
    except FileExistsError as error:
        raise Problem(
            400,
            f"{path} already exists. Choose another file with --output, or print to standard output "
            "with --output -",
        ) from error
    print_message(f"Wrote {path}. Fill it in, then run: wgig check {path}")
    return 0


WATCH_INTERVAL_SECONDS = 0.5  # between two polls

# Modification time, size and inode by path; None for a file that is not accessible.
FileStates = dict[str, tuple[int, int, int] | None]


def iter_file_changes(names: Sequence[str], output: Path | None) -> Iterator[FileStates]:
    """Yield the states of the named files and the files in named folders, at first and after each change.

    The `output`, which each check writes, is excluded. A change while the caller checks is noticed
    afterwards. Polling works on every system and file system, and takes some milliseconds for a thousand
    files.
    """
    last_states: FileStates | None = None
    while True:
        states = {file.path: file_signature(file.path) for file in iter_candidate_files(names, output)}
        if states != last_states:
            last_states = states
            yield states
        time.sleep(WATCH_INTERVAL_SECONDS)


def file_signature(path: str) -> tuple[int, int, int] | None:
    """Modification time, size and inode of a file; None if it is not accessible."""
    try:
        file_status = os.stat(path)  # noqa: PTH116  a Path is half as fast
    except (OSError, ValueError):
        return None
    return file_status.st_mtime_ns, file_status.st_size, file_status.st_ino


# From the best to the worst: the exit code of a check is that of its worst file.
CHECK_EXIT_CONFORMS, CHECK_EXIT_FAILS, CHECK_EXIT_UNREADABLE, CHECK_EXIT_BUG = 0, 1, 2, 3
PROGRESS_DELAY_SECONDS = 1.0  # from the start of a check until its progress bar is shown
REPORT_SEPARATOR_LINE = "─" * 70  # between the reports of two checks
CLEAR_TERMINAL_CODE = "\x1b[H\x1b[2J\x1b[3J"
STDIN_NAME = "-"
# The formats of a report by the suffix of the output file.
REPORT_FORMATS_BY_SUFFIX = {format_.suffix: format_ for format_ in REPORT_WRITERS} | {
    "txt": TEXT_REPORT_FORMAT,
    "xml": JUNIT_FORMAT,
}


def run_check(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files and write the report.

    Exit codes: 0 all files conform, 1 a file does not, 2 a file cannot be read, 3 a bug in wgig. Raises
    Problem for wrong arguments, OSError if the report cannot be written.
    """
    if arguments.engine:
        settings = replace(settings, shacl=arguments.engine)
    validate_check_arguments(arguments)
    return watch_papers(arguments, settings) if arguments.watch else check_once(arguments, settings)


def validate_check_arguments(arguments: argparse.Namespace) -> None:
    """Raise Problem for arguments that are invalid or contradict each other."""
    if arguments.jobs < 1:
        raise Problem(400, f"--jobs is {arguments.jobs}. Give a number of processes, 1 or more.")
    if names_graph(arguments):
        if arguments.files or arguments.watch:
            excess = "--watch" if arguments.watch else arguments.files[0]
            raise Problem(400, f"A graph is checked instead of files. Leave out {excess}.")
    elif not arguments.files:
        shapes_hint = " Give it before --shapes, or after --." if arguments.shapes else ""
        raise Problem(400, f"Give a file to check, or a graph: --graph, --store or --endpoint.{shapes_hint}")
    if arguments.profile and (arguments.shapes or names_graph(arguments)):
        raise Problem(400, "A profile is for papers, without --shapes. Leave out --profile.")
    if arguments.endpoint and arguments.store:
        raise Problem(400, "Give either --store or --endpoint.")
    if STDIN_NAME in arguments.files:
        if arguments.watch:
            raise Problem(400, "Standard input cannot be watched. Give files or folders.")
        if not arguments.input_format:
            suffixes = ", ".join(format_.suffix for format_ in FILE_FORMATS)
            raise Problem(400, f"Give the format of standard input: --input-format {suffixes}.")
        if arguments.files.count(STDIN_NAME) > 1:
            raise Problem(400, "Standard input can be read only once. Give - only once.")
    choose_output_format(arguments)
    # A report in a checked folder may be overwritten, a paper not.
    shapes = [CandidateFile(name) for name in arguments.shapes]
    for file in (*iter_candidate_files(arguments.files), *shapes) if arguments.output else ():
        if is_same_file(file.path, arguments.output) and (not file.is_found or is_paper_file(file)):
            raise Problem(
                400,
                f"The report would overwrite {file.path}, which is one of the files to check. Choose "
                "another output file.",
            )


def names_graph(arguments: argparse.Namespace) -> bool:
    """Whether the arguments name a graph to check instead of files."""
    return bool(arguments.graph or arguments.store or arguments.endpoint)


def is_paper_file(file: CandidateFile) -> bool:
    """Whether a file is, or may be, a paper, and not the report of an earlier check."""
    # The maximum is the size of the file, because a report may be larger than the largest permitted paper.
    size = candidate_size(file)
    try:
        document = read_candidate_document(file, size, size)  # triples are at most as many as bytes
        return bool(get_issue_papers(document)) if isinstance(document, Document) else document is not None
    except Problem:
        return False
    except Exception:  # a bug; the file may be a paper
        return True


def watch_papers(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files whenever one changes, until Ctrl-C. Returns the exit code of the last check."""
    code = CHECK_EXIT_CONFORMS
    with suppress(KeyboardInterrupt):
        for states in iter_file_changes([*arguments.files, *arguments.shapes], arguments.output):
            print_report_heading(arguments)
            try:
                code = check_once(arguments, settings)
            except Problem as problem:
                print_message(problem.detail)
                code = CHECK_EXIT_UNREADABLE
            print_message(f"{time.strftime('%H:%M:%S')} Watching files ({len(states)}). Stop with Ctrl-C.")
    return code


def print_report_heading(arguments: argparse.Namespace) -> None:
    """Print the time and a line above a text report on standard output; clear a terminal first."""
    if arguments.output or arguments.quiet or choose_output_format(arguments) is not TEXT_REPORT_FORMAT:
        return
    clear_code = CLEAR_TERMINAL_CODE if sys.stdout.isatty() else ""
    print(f"{clear_code}{time.strftime('%H:%M:%S')} {REPORT_SEPARATOR_LINE}", flush=True)


def check_once(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files and write the report. Returns the exit code."""
    check_run = CheckRun(arguments, settings)
    with open_report_output(arguments) as write:
        outcomes = show_check_progress(check_run.iter_outcomes(), arguments)
        for chunk in iter_report_chunks(outcomes, arguments):
            write(chunk)
    return check_run.exit_code()


class CheckRun:
    """A check of files, with the numbers of checked and skipped files and the worst exit code."""

    def __init__(self, arguments: argparse.Namespace, settings: Settings) -> None:
        """Take the arguments of the command, and the settings with the limits."""
        self.arguments = arguments
        self.settings = settings
        self.shapes: tuple[ShapesSource, ...] = ()
        if arguments.shapes and not names_graph(arguments):
            from .check_shapes import read_shapes_sources  # noqa: PLC0415  costs 0.2 s, and papers do not need it

            self.shapes = read_shapes_sources(arguments.shapes, settings)
        profile = arguments.profile or WHOLE_PAPER_PROFILE
        self.task = CheckTask(profile, settings.shacl, settings.paper_bytes, settings.paper_triples)
        self.worst_code, self.checked_count, self.skipped_count = CHECK_EXIT_CONFORMS, 0, 0

    def iter_outcomes(self) -> Iterator[CheckOutcome]:
        """Yield the outcome of each file that is not skipped, and update the counts."""
        for outcome in self.iter_results():
            if outcome is None:
                self.skipped_count += 1
                continue
            self.checked_count += 1
            self.worst_code = max(self.worst_code, outcome_exit_code(outcome))
            yield outcome

    def iter_results(self) -> Iterator[CheckOutcome | None]:
        """The outcome of each file, in order, including standard input; None for a file that is skipped."""
        if names_graph(self.arguments):
            from .check_shapes import check_named_graph  # noqa: PLC0415

            yield check_named_graph(self.arguments, self.settings)
            return
        names = self.arguments.files
        stdin_index = names.index(STDIN_NAME) if STDIN_NAME in names else len(names)
        yield from self.check_names(names[:stdin_index])
        if stdin_index < len(names):
            yield self.check_standard_input()
            yield from self.check_names(names[stdin_index + 1 :])

    def check_names(self, names: Sequence[str]) -> Iterator[CheckOutcome | None]:
        """The outcomes of these files and of the files in these folders; None for a file that is skipped."""
        files = iter_candidate_files(names, self.arguments.output, as_found=self.arguments.skip_others)
        if not self.shapes:
            yield from check_candidate_files(files, self.task, self.arguments.jobs)
            return
        from .check_shapes import check_files_by_shapes, open_processes  # noqa: PLC0415

        with open_processes(self.settings, self.arguments.jobs) as processes:
            yield from check_files_by_shapes(files, self.shapes, processes)

    def check_standard_input(self) -> CheckOutcome:
        """The outcome of standard input."""
        return check_standard_input(self.arguments.input_format, self.task, self.shapes, self.settings)

    def exit_code(self) -> int:
        """Print the number of skipped files, and return the exit code. Raises Problem 400 without a paper."""
        if self.skipped_count and not self.arguments.quiet:
            print_message(f"Skipped Markdown files that are not papers: {self.skipped_count}.")
        if self.checked_count or (self.skipped_count and self.arguments.skip_others):
            return self.worst_code
        suffixes = ", ".join(f".{suffix}" for suffix in FORMATS_BY_SUFFIX)
        raise Problem(
            400,
            f"No papers found in {', '.join(self.arguments.files)}. The file name of a paper ends in "
            f"{suffixes}.",
        )


def outcome_exit_code(outcome: CheckOutcome) -> int:
    """The exit code for one file."""
    if isinstance(outcome, UncheckedFile):
        return CHECK_EXIT_BUG if outcome.problem.status >= 500 else CHECK_EXIT_UNREADABLE
    return CHECK_EXIT_CONFORMS if outcome.conforms else CHECK_EXIT_FAILS


def check_standard_input(
    suffix: str, task: CheckTask, shapes: "tuple[ShapesSource, ...]", settings: Settings
) -> CheckOutcome:
    """The outcome of standard input, by the shapes if there are any."""
    try:
        data = sys.stdin.buffer.read(task.max_bytes + 1)
        check_data_size(data, task.max_bytes)
        if shapes:
            from .check_shapes import check_input_by_shapes  # noqa: PLC0415

            return check_input_by_shapes(data, suffix, shapes, settings)
        document = read_paper_document("standard input", data, FORMATS_BY_SUFFIX[suffix], task.max_triples)
        return check_documents([document], task.profile, task.engine)[0]
    except Problem as problem:
        return UncheckedFile("standard input", problem)
    except Exception as error:
        return UncheckedFile("standard input", bug_problem(error))


def iter_report_chunks(outcomes: Iterator[CheckOutcome], arguments: argparse.Namespace) -> Iterator[bytes]:
    """The report in chunks: a chunk per file for text and GitHub annotations, one for other formats."""
    if arguments.quiet and not arguments.output:
        deque(outcomes, maxlen=0)
        return
    format_, language = choose_output_format(arguments), arguments.lang or environment_language(os.environ)
    if format_ is TEXT_REPORT_FORMAT:
        yield from text.iter_text_report(outcomes, language, color=wants_color(arguments))
    elif format_ is GITHUB_ANNOTATIONS_FORMAT:
        yield from (REPORT_WRITERS[GITHUB_ANNOTATIONS_FORMAT]([outcome], language) for outcome in outcomes)
    else:
        yield REPORT_WRITERS[format_](list(outcomes), language)


def choose_output_format(arguments: argparse.Namespace) -> Format:
    """The format of `--format`, or of the suffix of the output file, or text.

    Raises Problem 400 for an output file with an unknown suffix.
    """
    file_suffix = arguments.output.suffix.removeprefix(".").lower() if arguments.output else ""
    name = arguments.format or file_suffix or TEXT_REPORT_FORMAT.suffix
    if name not in REPORT_FORMATS_BY_SUFFIX:
        suffixes = ", ".join(f".{suffix}" for suffix in REPORT_FORMATS_BY_SUFFIX)
        raise Problem(400, f"The suffix .{name} is not a report format. Use {suffixes}, or give --format.")
    return REPORT_FORMATS_BY_SUFFIX[name]


def environment_language(environment: Mapping[str, str]) -> str:
    """The language of LC_ALL or LANG if there are messages in it, else English."""
    name = environment.get("LC_ALL") or environment.get("LANG") or ""
    language = re.split(r"[_.@-]", name)[0].lower()
    return language if language in MESSAGE_LANGUAGES else "en"


def wants_color(arguments: argparse.Namespace) -> bool:
    """Whether the report goes to a terminal that shows colors (https://no-color.org)."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not (arguments.output or is_plain) and sys.stdout.isatty()


@contextmanager
def open_report_output(arguments: argparse.Namespace) -> Iterator[Callable[[bytes], object]]:
    """Yield the function that writes bytes of the report to standard output or to the output file."""
    if not arguments.output:
        yield sys.stdout.buffer.write
        sys.stdout.flush()
        return
    with open_replacement_file(arguments.output) as file:
        yield file.write


def show_check_progress(
    outcomes: Iterator[CheckOutcome], arguments: argparse.Namespace
) -> Iterator[CheckOutcome]:
    """The outcomes; for long checks, shows a progress bar on a terminal that does not show the report."""
    is_report_shown = (
        not arguments.output
        and sys.stdout.isatty()
        and choose_output_format(arguments) in (TEXT_REPORT_FORMAT, GITHUB_ANNOTATIONS_FORMAT)
    )
    if arguments.quiet or is_report_shown or not sys.stderr.isatty():
        yield from outcomes
        return
    from rich import progress as rich  # noqa: PLC0415  costs 30 ms, and is not needed in a pipe
    from rich.console import Console  # noqa: PLC0415

    columns = (rich.TextColumn("{task.completed:,} papers"), rich.BarColumn(), rich.TimeElapsedColumn())
    started = time.monotonic()
    with rich.Progress(*columns, console=Console(stderr=True), disable=True, transient=True) as progress:
        task = progress.add_task("", total=None)
        for outcome in outcomes:
            if progress.disable and time.monotonic() - started > PROGRESS_DELAY_SECONDS:
                progress.disable = False
                progress.start()
            progress.advance(task)
            yield outcome
