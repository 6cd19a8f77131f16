"""`wgig check` and `wgig new`: check papers, once or with `--watch`; start a paper from a template.

The report format follows `--format`, or the name of the output; reports that are lists are written file by
file, whatever the number of files. Colors only on a terminal (https://no-color.org). `--watch` compares file
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
    """Write the skeleton of a paper on an issue into a new file, or to standard output.

    Exit code 0. Raises Problem 400 for an unknown issue, and where the file is there already or no folder is.
    """
    from ..papers.skeleton import build_paper_skeleton  # noqa: PLC0415  costs 30 ms, and a check needs none

    del settings
    issue = arguments.issue.lower()
    try:
        text = build_paper_skeleton(issue)
    except Problem as unknown:  # here an issue is no thing to look up, but part of the call
        raise Problem(400, unknown.detail) from unknown
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
            400, f"{path} is there already. Name another file with --output. For standard output: --output -"
        ) from error
    print_message(f"Wrote {path}. Fill it in, then: wgig check {path}")
    return 0


WATCH_INTERVAL_SECONDS = 0.5  # seconds between two looks

# By the path of each file: what changes when it is written or replaced; None where it cannot be looked at.
FileStates = dict[str, tuple[int, int, int] | None]


def iter_file_changes(names: Sequence[str], output: Path | None) -> Iterator[FileStates]:
    """The state of the files and of those in the folders, now and after each change; never ends.

    The `output` is written after each change, and is none.
    The state is taken before it is told, so that a change in the meantime is the next one. Looking is enough:
    it works on every system and on every kind of disk, and a thousand files take some milliseconds.
    """
    told: FileStates | None = None
    while True:
        now = {file.path: file_signature(file.path) for file in iter_candidate_files(names, output)}
        if now != told:
            told = now
            yield now
        time.sleep(WATCH_INTERVAL_SECONDS)


def file_signature(path: str) -> tuple[int, int, int] | None:
    """What changes when a file is written or replaced; None where it cannot be looked at."""
    try:
        found = os.stat(path)  # noqa: PTH116  one call a file, and a Path makes it twice as slow
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


# From the best to the worst: a run ends with its worst.
CHECK_EXIT_CONFORMS, CHECK_EXIT_FAILS, CHECK_EXIT_UNREADABLE, CHECK_EXIT_MISTAKE = 0, 1, 2, 3
PROGRESS_DELAY_SECONDS = 1.0  # seconds before a bar is shown
REPORT_RULE_LINE = "─" * 70
CLEAR_TERMINAL_CODE = "\x1b[H\x1b[2J\x1b[3J"
STDIN_NAME = "-"
# The forms of a report by the endings of an output.
REPORT_ENDINGS = {one.suffix: one for one in REPORT_WRITERS} | {
    "txt": TEXT_REPORT_FORMAT,
    "xml": JUNIT_FORMAT,
}


def run_check(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files and write the report.

    Exit code 0 all conform, 1 one does not, 2 one cannot be read, 3 we made a mistake with one.
    Raises Problem for a wrong call, OSError where the report cannot be written.
    """
    check_run_arguments(arguments)
    return watch_papers(arguments, settings) if arguments.watch else check_once(arguments, settings)


def check_run_arguments(arguments: argparse.Namespace) -> None:
    """Raise Problem for a call that makes no sense."""
    if arguments.jobs < 1:
        raise Problem(400, f"--jobs is {arguments.jobs}. Give a number of processes, 1 or more.")
    if STDIN_NAME in arguments.files:
        if arguments.watch:
            raise Problem(400, "Standard input cannot be watched. Name files or folders.")
        if not arguments.input_format:
            suffixes = ", ".join(one.suffix for one in FILE_FORMATS)
            raise Problem(400, f"Say how standard input is written: --input-format {suffixes}.")
        if arguments.files.count(STDIN_NAME) > 1:
            raise Problem(400, "Standard input can be read only once. Name - once.")
    choose_report_format(arguments)
    for file in iter_candidate_files(arguments.files) if arguments.output else ():
        if is_same_file(file.path, arguments.output) and (not file.is_found or is_paper_file(file)):
            raise Problem(
                400, f"The report would replace {file.path}, which is to be checked. Name another output."
            )


def is_paper_file(file: CandidateFile) -> bool:
    """Whether a file is, or may be, a paper, and not the report of a former run."""
    size = candidate_size(file)  # a report may be larger than a paper
    try:
        document = read_candidate_document(file, size, size)
        return bool(get_issue_papers(document)) if isinstance(document, Document) else document is not None
    except Problem:
        return False
    except Exception:  # whatever it is, it may be a paper
        return True


def watch_papers(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files whenever one changes, until Ctrl-C; then the exit code is that of the last check."""
    code = CHECK_EXIT_CONFORMS
    with suppress(KeyboardInterrupt):
        for state in iter_file_changes(arguments.files, arguments.output):
            print_report_heading(arguments)
            try:
                code = check_once(arguments, settings)
            except Problem as problem:
                print_message(problem.detail)
                code = CHECK_EXIT_UNREADABLE
            print_message(f"{time.strftime('%H:%M:%S')} Watching files ({len(state)}). Stop with Ctrl-C.")
    return code


def print_report_heading(arguments: argparse.Namespace) -> None:
    """Set a report for people apart from the one before, with the time; a terminal is cleared."""
    if arguments.output or arguments.quiet or choose_report_format(arguments) is not TEXT_REPORT_FORMAT:
        return
    print(
        f"{CLEAR_TERMINAL_CODE if sys.stdout.isatty() else ''}{time.strftime('%H:%M:%S')} {REPORT_RULE_LINE}",
        flush=True,
    )


def check_once(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files, write the report, and return the exit code."""
    run_ = CheckRun(arguments, settings)
    with open_report_output(arguments) as write:
        for part in iter_report_parts(show_check_progress(run_.iter_outcomes(), arguments), arguments):
            write(part)
    return run_.exit_code()


class CheckRun:
    """One check of the files, and what it comes to."""

    def __init__(self, arguments: argparse.Namespace, settings: Settings) -> None:
        """Take what to check and how."""
        self.arguments = arguments
        self.task = CheckTask(arguments.profile, settings.shacl, settings.paper_bytes, settings.paper_triples)
        self.worst_code, self.checked_count, self.skipped_count = CHECK_EXIT_CONFORMS, 0, 0

    def iter_outcomes(self) -> Iterator[CheckOutcome]:
        """What is found in each file; the run keeps count."""
        for found in self.iter_results():
            if found is None:
                self.skipped_count += 1
                continue
            self.checked_count += 1
            self.worst_code = max(self.worst_code, outcome_exit_code(found))
            yield found

    def iter_results(self) -> Iterator[CheckOutcome | None]:
        """What is found in each file, standard input in its turn; None for one that is passed over."""
        names = self.arguments.files
        cut = names.index(STDIN_NAME) if STDIN_NAME in names else len(names)
        yield from self.check_names(names[:cut])
        if cut < len(names):
            yield check_standard_input(self.arguments.input_format, self.task)
            yield from self.check_names(names[cut + 1 :])

    def check_names(self, names: Sequence[str]) -> Iterator[CheckOutcome | None]:
        """What is found in each of the named files and folders."""
        listed = iter_candidate_files(names, self.arguments.output, found=self.arguments.skip_others)
        return check_candidate_files(listed, self.task, self.arguments.jobs)

    def exit_code(self) -> int:
        """The exit code, once all is checked; says what was passed over, or that nothing was there."""
        if self.skipped_count and not self.arguments.quiet:
            print_message(f"Passed over: Markdown that looks like no paper ({self.skipped_count}).")
        if self.checked_count or (self.skipped_count and self.arguments.skip_others):
            return self.worst_code
        endings = ", ".join(f".{suffix}" for suffix in FORMATS_BY_SUFFIX)
        raise Problem(
            400, f"There is no paper in {', '.join(self.arguments.files)}. Papers end in {endings}."
        )


def outcome_exit_code(outcome: CheckOutcome) -> int:
    """The exit code for a file alone."""
    if isinstance(outcome, UncheckedFile):
        return CHECK_EXIT_MISTAKE if outcome.problem.status >= 500 else CHECK_EXIT_UNREADABLE
    return CHECK_EXIT_CONFORMS if outcome.conforms else CHECK_EXIT_FAILS


def check_standard_input(suffix: str, task: CheckTask) -> CheckOutcome:
    """What is found in standard input."""
    try:
        data = check_data_size(sys.stdin.buffer.read(task.max_bytes + 1), task.max_bytes)
        document = read_paper_document("standard input", data, FORMATS_BY_SUFFIX[suffix], task.max_triples)
        return check_documents([document], task.profile, task.engine)[0]
    except Problem as problem:
        return UncheckedFile("standard input", problem)
    except Exception as error:
        return UncheckedFile("standard input", mistake_problem(error))


def iter_report_parts(outcomes: Iterator[CheckOutcome], arguments: argparse.Namespace) -> Iterator[bytes]:
    """The report in parts: those that are lists of files come file by file, whatever the number of files."""
    if arguments.quiet and not arguments.output:
        deque(outcomes, maxlen=0)
        return
    format_, language = choose_report_format(arguments), arguments.lang or environment_language(os.environ)
    if format_ is TEXT_REPORT_FORMAT:
        yield from text.iter_text_report(outcomes, language, color=wants_color(arguments))
    elif format_ is GITHUB_ANNOTATIONS_FORMAT:
        yield from (REPORT_WRITERS[GITHUB_ANNOTATIONS_FORMAT]([one], language) for one in outcomes)
    else:
        yield REPORT_WRITERS[format_](list(outcomes), language)


def choose_report_format(arguments: argparse.Namespace) -> Format:
    """The form of the report that is asked for, or that the name of the output tells; else text.

    Raises Problem 400 for an output with an ending that tells nothing.
    """
    ending = arguments.output.suffix.removeprefix(".").lower() if arguments.output else ""
    name = arguments.format or ending or TEXT_REPORT_FORMAT.suffix
    if name not in REPORT_ENDINGS:
        endings = ", ".join(f".{one}" for one in REPORT_ENDINGS)
        raise Problem(400, f"The ending .{name} tells no form of a report. Take {endings}, or say --format.")
    return REPORT_ENDINGS[name]


def environment_language(environment: Mapping[str, str]) -> str:
    """The language of the surroundings where the rules speak it, else English."""
    name = environment.get("LC_ALL") or environment.get("LANG") or ""
    language = re.split(r"[_.@-]", name)[0].lower()
    return language if language in MESSAGE_LANGUAGES else "en"


def wants_color(arguments: argparse.Namespace) -> bool:
    """Whether the report is read on a terminal that shows colors (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not (arguments.output or plain) and sys.stdout.isatty()


@contextmanager
def open_report_output(arguments: argparse.Namespace) -> Iterator[Callable[[bytes], object]]:
    """What takes the parts of the report."""
    if not arguments.output:
        yield sys.stdout.buffer.write
        sys.stdout.flush()
        return
    with open_replacement_file(arguments.output) as file:
        yield file.write


def show_check_progress(
    outcomes: Iterator[CheckOutcome], arguments: argparse.Namespace
) -> Iterator[CheckOutcome]:
    """The outcomes; on a terminal a bar counts them when they take long, unless the report itself does."""
    told = (
        not arguments.output
        and sys.stdout.isatty()
        and choose_report_format(arguments) in (TEXT_REPORT_FORMAT, GITHUB_ANNOTATIONS_FORMAT)
    )
    if arguments.quiet or told or not sys.stderr.isatty():
        yield from outcomes
        return
    from rich import progress as rich  # noqa: PLC0415  costs 30 ms, and pipes need none
    from rich.console import Console  # noqa: PLC0415

    columns = (rich.TextColumn("{task.completed:,} papers"), rich.BarColumn(), rich.TimeElapsedColumn())
    started = time.monotonic()
    with rich.Progress(*columns, console=Console(stderr=True), disable=True, transient=True) as shown:
        task = shown.add_task("", total=None)
        for one in outcomes:
            if shown.disable and time.monotonic() - started > PROGRESS_DELAY_SECONDS:
                shown.disable = False
                shown.start()
            shown.advance(task)
            yield one
