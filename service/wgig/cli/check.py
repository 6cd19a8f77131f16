"""`wgig check` and `wgig new`: check papers, once or with `--watch`; start a paper from a template.

The report format follows `--format`, or the name of the output; text and GitHub annotations are written file
by file, in constant memory. Colors only on a terminal (https://no-color.org). `--watch` compares file
metadata twice a second; Ctrl-C exits with the code of the last check.
"""

import argparse
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ..papers.readers import read_paper_document
from ..problems import Problem
from ..rdf.formats import FILE_FORMATS, FORMATS_BY_SUFFIX, Format
from ..settings import Settings
from ..shacl.batch import check_documents
from ..shacl.check import get_issue_papers
from ..shacl.documents import Document
from ..shacl.findings import CheckOutcome, UncheckedFile
from ..shacl.reports import GITHUB_ANNOTATIONS_FORMAT, JUNIT_FORMAT, REPORT_WRITERS, TEXT_REPORT_FORMAT, text
from ..shacl.rules import MESSAGE_LANGUAGES
from .check_workers import CheckTask, check_candidate_files
from .console import check_parent_folder, open_replacement_file, print_message
from .files import (
    CandidateFile,
    candidate_size,
    check_data_size,
    is_same_file,
    iter_candidate_files,
    mistake_problem,
    read_candidate_document,
)


def run_new(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the skeleton of a paper on an issue to a new file, or to standard output.

    Exit code 0. Raises Problem 400 for an unknown issue, for an existing file, and without the parent
    folder.
    """
    from ..papers.skeleton import build_paper_skeleton  # noqa: PLC0415  costs 30 ms, and is not needed for a check

    del settings
    issue = arguments.issue.lower()
    try:
        text = build_paper_skeleton(issue)
    except Problem as problem:  # a wrong argument, not a missing resource
        raise Problem(400, problem.detail) from problem
    if arguments.output == "-":
        sys.stdout.write(text)
        return 0
    path = Path(arguments.output or f"{issue}.md")
    check_parent_folder(path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Problem(
            400, f"{path} already exists. Name another file with --output. For standard output: --output -"
        ) from error
    print_message(f"Wrote {path}. Fill it in, then run: wgig check {path}")
    return 0


WATCH_INTERVAL_SECONDS = 0.5  # between two polls

# File signatures by path.
FileStates = dict[str, tuple[int, int, int] | None]


def iter_file_changes(names: Sequence[str], output: Path | None) -> Iterator[FileStates]:
    """The state of the files and of those in the folders, at first and after each change; never ends.

    The `output`, which each check writes, is left out. A change during a check is noticed afterwards.
    Polling works on every system and file system, and takes some milliseconds for a thousand files.
    """
    last_states: FileStates | None = None
    while True:
        states = {file.path: file_signature(file.path) for file in iter_candidate_files(names, output)}
        if states != last_states:
            last_states = states
            yield states
        time.sleep(WATCH_INTERVAL_SECONDS)


def file_signature(path: str) -> tuple[int, int, int] | None:
    """Modification time, size and inode of a file; None where it is not accessible."""
    try:
        file_status = os.stat(path)  # noqa: PTH116  a Path is half as fast
    except (OSError, ValueError):
        return None
    return file_status.st_mtime_ns, file_status.st_size, file_status.st_ino


# From the best to the worst: the exit code of a run is the worst of its files.
CHECK_EXIT_CONFORMS, CHECK_EXIT_FAILS, CHECK_EXIT_UNREADABLE, CHECK_EXIT_MISTAKE = 0, 1, 2, 3
PROGRESS_DELAY_SECONDS = 1.0  # before the progress bar is shown
REPORT_RULE_LINE = "─" * 70
CLEAR_TERMINAL_CODE = "\x1b[H\x1b[2J\x1b[3J"
STDIN_NAME = "-"
# The formats of a report by the ending of the output.
REPORT_ENDINGS = {format_.suffix: format_ for format_ in REPORT_WRITERS} | {
    "txt": TEXT_REPORT_FORMAT,
    "xml": JUNIT_FORMAT,
}


def run_check(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files and write the report.

    Exit code 0 all conform, 1 one does not, 2 one cannot be read, 3 an error of ours with one. Raises
    Problem for wrong arguments, OSError where the report cannot be written.
    """
    check_run_arguments(arguments)
    return watch_papers(arguments, settings) if arguments.watch else check_once(arguments, settings)


def check_run_arguments(arguments: argparse.Namespace) -> None:
    """Raise Problem for arguments that do not fit together."""
    if arguments.jobs < 1:
        raise Problem(400, f"--jobs is {arguments.jobs}. Give a number of processes, 1 or more.")
    if STDIN_NAME in arguments.files:
        if arguments.watch:
            raise Problem(400, "Standard input cannot be watched. Name files or folders.")
        if not arguments.input_format:
            suffixes = ", ".join(format_.suffix for format_ in FILE_FORMATS)
            raise Problem(400, f"Give the format of standard input: --input-format {suffixes}.")
        if arguments.files.count(STDIN_NAME) > 1:
            raise Problem(400, "Standard input can be read only once. Name - once.")
    choose_report_format(arguments)
    for file in iter_candidate_files(arguments.files) if arguments.output else ():
        if is_same_file(file.path, arguments.output) and (not file.is_found or is_paper_file(file)):
            raise Problem(
                400, f"The report would overwrite {file.path}, which is to be checked. Name another output."
            )


def is_paper_file(file: CandidateFile) -> bool:
    """Whether a file is, or may be, a paper, and not the report of an earlier run."""
    size = candidate_size(file)  # without the limits, as a report may be larger than a paper
    try:
        document = read_candidate_document(file, size, size)
        return bool(get_issue_papers(document)) if isinstance(document, Document) else document is not None
    except Problem:
        return False
    except Exception:  # it may be a paper that triggers a bug
        return True


def watch_papers(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files whenever one changes, until Ctrl-C. The exit code is that of the last check."""
    code = CHECK_EXIT_CONFORMS
    with suppress(KeyboardInterrupt):
        for states in iter_file_changes(arguments.files, arguments.output):
            print_report_heading(arguments)
            try:
                code = check_once(arguments, settings)
            except Problem as problem:
                print_message(problem.detail)
                code = CHECK_EXIT_UNREADABLE
            print_message(f"{time.strftime('%H:%M:%S')} Watching files ({len(states)}). Stop with Ctrl-C.")
    return code


def print_report_heading(arguments: argparse.Namespace) -> None:
    """Print the time and a line above a text report to standard output; clear a terminal first."""
    if arguments.output or arguments.quiet or choose_report_format(arguments) is not TEXT_REPORT_FORMAT:
        return
    print(
        f"{CLEAR_TERMINAL_CODE if sys.stdout.isatty() else ''}{time.strftime('%H:%M:%S')} {REPORT_RULE_LINE}",
        flush=True,
    )


def check_once(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files and write the report. The exit code."""
    check_run = CheckRun(arguments, settings)
    with open_report_output(arguments) as write:
        for part in iter_report_parts(show_check_progress(check_run.iter_outcomes(), arguments), arguments):
            write(part)
    return check_run.exit_code()


class CheckRun:
    """A check of the files, with its counts and the worst exit code."""

    def __init__(self, arguments: argparse.Namespace, settings: Settings) -> None:
        """Take the arguments of the command."""
        self.arguments = arguments
        self.task = CheckTask(arguments.profile, settings.shacl, settings.paper_bytes, settings.paper_triples)
        self.worst_code, self.checked_count, self.skipped_count = CHECK_EXIT_CONFORMS, 0, 0

    def iter_outcomes(self) -> Iterator[CheckOutcome]:
        """The outcome of each file that is not skipped; updates the counts."""
        for outcome in self.iter_results():
            if outcome is None:
                self.skipped_count += 1
                continue
            self.checked_count += 1
            self.worst_code = max(self.worst_code, outcome_exit_code(outcome))
            yield outcome

    def iter_results(self) -> Iterator[CheckOutcome | None]:
        """The outcome of each file, with standard input in its place; None for a file that is skipped."""
        names = self.arguments.files
        stdin_index = names.index(STDIN_NAME) if STDIN_NAME in names else len(names)
        yield from self.check_names(names[:stdin_index])
        if stdin_index < len(names):
            yield check_standard_input(self.arguments.input_format, self.task)
            yield from self.check_names(names[stdin_index + 1 :])

    def check_names(self, names: Sequence[str]) -> Iterator[CheckOutcome | None]:
        """The outcomes of the files of these names and in these folders."""
        files = iter_candidate_files(names, self.arguments.output, found=self.arguments.skip_others)
        return check_candidate_files(files, self.task, self.arguments.jobs)

    def exit_code(self) -> int:
        """The exit code after all files; prints how many were skipped. Raises Problem 400 without a paper."""
        if self.skipped_count and not self.arguments.quiet:
            print_message(f"Skipped Markdown files that are not papers: {self.skipped_count}.")
        if self.checked_count or (self.skipped_count and self.arguments.skip_others):
            return self.worst_code
        endings = ", ".join(f".{suffix}" for suffix in FORMATS_BY_SUFFIX)
        raise Problem(
            400, f"There is no paper in {', '.join(self.arguments.files)}. Papers end in {endings}."
        )


def outcome_exit_code(outcome: CheckOutcome) -> int:
    """The exit code for one file."""
    if isinstance(outcome, UncheckedFile):
        return CHECK_EXIT_MISTAKE if outcome.problem.status >= 500 else CHECK_EXIT_UNREADABLE
    return CHECK_EXIT_CONFORMS if outcome.conforms else CHECK_EXIT_FAILS


def check_standard_input(suffix: str, task: CheckTask) -> CheckOutcome:
    """The outcome of standard input."""
    try:
        data = check_data_size(sys.stdin.buffer.read(task.max_bytes + 1), task.max_bytes)
        document = read_paper_document("standard input", data, FORMATS_BY_SUFFIX[suffix], task.max_triples)
        return check_documents([document], task.profile, task.engine)[0]
    except Problem as problem:
        return UncheckedFile("standard input", problem)
    except Exception as error:
        return UncheckedFile("standard input", mistake_problem(error))


def iter_report_parts(outcomes: Iterator[CheckOutcome], arguments: argparse.Namespace) -> Iterator[bytes]:
    """The report in parts: text and GitHub annotations file by file, other formats as one part."""
    if arguments.quiet and not arguments.output:
        deque(outcomes, maxlen=0)
        return
    format_, language = choose_report_format(arguments), arguments.lang or environment_language(os.environ)
    if format_ is TEXT_REPORT_FORMAT:
        yield from text.iter_text_report(outcomes, language, color=wants_color(arguments))
    elif format_ is GITHUB_ANNOTATIONS_FORMAT:
        yield from (REPORT_WRITERS[GITHUB_ANNOTATIONS_FORMAT]([outcome], language) for outcome in outcomes)
    else:
        yield REPORT_WRITERS[format_](list(outcomes), language)


def choose_report_format(arguments: argparse.Namespace) -> Format:
    """The format of `--format` or of the name of the output; else text.

    Raises Problem 400 for an output with an unknown ending.
    """
    ending = arguments.output.suffix.removeprefix(".").lower() if arguments.output else ""
    name = arguments.format or ending or TEXT_REPORT_FORMAT.suffix
    if name not in REPORT_ENDINGS:
        endings = ", ".join(f".{suffix}" for suffix in REPORT_ENDINGS)
        raise Problem(400, f"The ending .{name} is no report format. Use {endings}, or give --format.")
    return REPORT_ENDINGS[name]


def environment_language(environment: Mapping[str, str]) -> str:
    """The language of the locale in the environment where there are messages in it, else English."""
    name = environment.get("LC_ALL") or environment.get("LANG") or ""
    language = re.split(r"[_.@-]", name)[0].lower()
    return language if language in MESSAGE_LANGUAGES else "en"


def wants_color(arguments: argparse.Namespace) -> bool:
    """Whether the report goes to a terminal that shows colors (https://no-color.org)."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not (arguments.output or is_plain) and sys.stdout.isatty()


@contextmanager
def open_report_output(arguments: argparse.Namespace) -> Iterator[Callable[[bytes], object]]:
    """The function that writes a part of the report."""
    if not arguments.output:
        yield sys.stdout.buffer.write
        sys.stdout.flush()
        return
    with open_replacement_file(arguments.output) as file:
        yield file.write


def show_check_progress(
    outcomes: Iterator[CheckOutcome], arguments: argparse.Namespace
) -> Iterator[CheckOutcome]:
    """The outcomes; a terminal gets a progress bar for long checks unless the report is printed there."""
    is_report_shown = (
        not arguments.output
        and sys.stdout.isatty()
        and choose_report_format(arguments) in (TEXT_REPORT_FORMAT, GITHUB_ANNOTATIONS_FORMAT)
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
