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

from ..papers.readers import read
from ..problems import Problem
from ..rdf.formats import FORMATS, SUFFIXES, Format
from ..settings import Settings
from ..shacl.batch import check_many
from ..shacl.check import papers_of
from ..shacl.documents import Document
from ..shacl.findings import Outcome, Unread
from ..shacl.reports import GITHUB, JUNIT, TEXT, WRITERS, text
from ..shacl.rules import LANGUAGES
from .check_workers import Task, check_files
from .console import refuse_without_folder, replaced, say
from .files import Candidate, files, is_same, mistake, opened, size_of, within


def run_new(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the skeleton of a paper on an issue into a new file, or to standard output.

    Exit code 0. Raises Problem 400 for an unknown issue, and where the file is there already or no folder is.
    """
    from ..papers.skeleton import skeleton  # noqa: PLC0415  costs 30 ms, and a check needs none

    del settings
    issue = arguments.issue.lower()
    try:
        text = skeleton(issue)
    except Problem as unknown:  # here an issue is no thing to look up, but part of the call
        raise Problem(400, unknown.detail) from unknown
    if arguments.output == "-":
        sys.stdout.write(text)
        return 0
    path = Path(arguments.output or f"{issue}.md")
    refuse_without_folder(path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Problem(
            400, f"{path} is there already. Name another file with --output. For standard output: --output -"
        ) from error
    say(f"Wrote {path}. Fill it in, then: wgig check {path}")
    return 0


INTERVAL = 0.5  # seconds between two looks

# By the path of each file: what changes when it is written or replaced; None where it cannot be looked at.
State = dict[str, tuple[int, int, int] | None]


def changes(names: Sequence[str], output: Path | None) -> Iterator[State]:
    """The state of the files and of those in the folders, now and after each change; never ends.

    The `output` is written after each change, and is none.
    The state is taken before it is told, so that a change in the meantime is the next one. Looking is enough:
    it works on every system and on every kind of disk, and a thousand files take some milliseconds.
    """
    told: State | None = None
    while True:
        now = {file.path: signature(file.path) for file in files(names, output)}
        if now != told:
            told = now
            yield now
        time.sleep(INTERVAL)


def signature(path: str) -> tuple[int, int, int] | None:
    """What changes when a file is written or replaced; None where it cannot be looked at."""
    try:
        found = os.stat(path)  # noqa: PTH116  one call a file, and a Path makes it twice as slow
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


CONFORMS, FAILS, UNREADABLE, MISTAKEN = 0, 1, 2, 3  # from the best to the worst: a run ends with its worst
PATIENCE = 1.0  # seconds before a bar is shown
RULE = "─" * 70
CLEAR = "\x1b[H\x1b[2J\x1b[3J"
STDIN = "-"
# The forms of a report by the endings of an output.
ENDINGS = {one.suffix: one for one in WRITERS} | {"txt": TEXT, "xml": JUNIT}


def run_check(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files and write the report.

    Exit code 0 all conform, 1 one does not, 2 one cannot be read, 3 we made a mistake with one.
    Raises Problem for a wrong call, OSError where the report cannot be written.
    """
    refuse(arguments)
    return watch(arguments, settings) if arguments.watch else once(arguments, settings)


def refuse(arguments: argparse.Namespace) -> None:
    """Raise Problem for a call that makes no sense."""
    if arguments.jobs < 1:
        raise Problem(400, f"--jobs is {arguments.jobs}. Give a number of processes, 1 or more.")
    if STDIN in arguments.files:
        if arguments.watch:
            raise Problem(400, "Standard input cannot be watched. Name files or folders.")
        if not arguments.input_format:
            suffixes = ", ".join(one.suffix for one in FORMATS)
            raise Problem(400, f"Say how standard input is written: --input-format {suffixes}.")
        if arguments.files.count(STDIN) > 1:
            raise Problem(400, "Standard input can be read only once. Name - once.")
    form(arguments)
    for file in files(arguments.files) if arguments.output else ():
        if is_same(file.path, arguments.output) and (not file.found or is_paper(file)):
            raise Problem(
                400, f"The report would replace {file.path}, which is to be checked. Name another output."
            )


def is_paper(file: Candidate) -> bool:
    """Whether a file is, or may be, a paper, and not the report of a former run."""
    size = size_of(file)  # a report may be larger than a paper
    try:
        document = opened(file, size, size)
        return bool(papers_of(document)) if isinstance(document, Document) else document is not None
    except Problem:
        return False
    except Exception:  # whatever it is, it may be a paper
        return True


def watch(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files whenever one changes, until Ctrl-C; then the exit code is that of the last check."""
    code = CONFORMS
    with suppress(KeyboardInterrupt):
        for state in changes(arguments.files, arguments.output):
            begin(arguments)
            try:
                code = once(arguments, settings)
            except Problem as problem:
                say(problem.detail)
                code = UNREADABLE
            say(f"{time.strftime('%H:%M:%S')} Watching files ({len(state)}). Stop with Ctrl-C.")
    return code


def begin(arguments: argparse.Namespace) -> None:
    """Set a report for people apart from the one before, with the time; a terminal is cleared."""
    if arguments.output or arguments.quiet or form(arguments) is not TEXT:
        return
    print(f"{CLEAR if sys.stdout.isatty() else ''}{time.strftime('%H:%M:%S')} {RULE}", flush=True)


def once(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files, write the report, and return the exit code."""
    run_ = Run(arguments, settings)
    with output(arguments) as write:
        for part in written(bar(run_.outcomes(), arguments), arguments):
            write(part)
    return run_.code()


class Run:
    """One check of the files, and what it comes to."""

    def __init__(self, arguments: argparse.Namespace, settings: Settings) -> None:
        """Take what to check and how."""
        self.arguments = arguments
        self.task = Task(arguments.profile, settings.shacl, settings.paper_bytes, settings.paper_triples)
        self.worst, self.checked, self.passed_over = CONFORMS, 0, 0

    def outcomes(self) -> Iterator[Outcome]:
        """What is found in each file; the run keeps count."""
        for found in self.found():
            if found is None:
                self.passed_over += 1
                continue
            self.checked += 1
            self.worst = max(self.worst, code_of(found))
            yield found

    def found(self) -> Iterator[Outcome | None]:
        """What is found in each file, standard input in its turn; None for one that is passed over."""
        names = self.arguments.files
        cut = names.index(STDIN) if STDIN in names else len(names)
        yield from self.found_in(names[:cut])
        if cut < len(names):
            yield standard_input(self.arguments.input_format, self.task)
            yield from self.found_in(names[cut + 1 :])

    def found_in(self, names: Sequence[str]) -> Iterator[Outcome | None]:
        """What is found in each of the named files and folders."""
        listed = files(names, self.arguments.output, found=self.arguments.skip_others)
        return check_files(listed, self.task, self.arguments.jobs)

    def code(self) -> int:
        """The exit code, once all is checked; says what was passed over, or that nothing was there."""
        if self.passed_over and not self.arguments.quiet:
            say(f"Passed over: Markdown that looks like no paper ({self.passed_over}).")
        if self.checked or (self.passed_over and self.arguments.skip_others):
            return self.worst
        endings = ", ".join(f".{suffix}" for suffix in SUFFIXES)
        raise Problem(
            400, f"There is no paper in {', '.join(self.arguments.files)}. Papers end in {endings}."
        )


def code_of(outcome: Outcome) -> int:
    """The exit code for a file alone."""
    if isinstance(outcome, Unread):
        return MISTAKEN if outcome.problem.status >= 500 else UNREADABLE
    return CONFORMS if outcome.conforms else FAILS


def standard_input(suffix: str, task: Task) -> Outcome:
    """What is found in standard input."""
    try:
        data = within(sys.stdin.buffer.read(task.most_bytes + 1), task.most_bytes)
        document = read("standard input", data, SUFFIXES[suffix], task.most_triples)
        return check_many([document], task.profile, task.engine)[0]
    except Problem as problem:
        return Unread("standard input", problem)
    except Exception as error:
        return Unread("standard input", mistake(error))


def written(outcomes: Iterator[Outcome], arguments: argparse.Namespace) -> Iterator[bytes]:
    """The report in parts: those that are lists of files come file by file, whatever the number of files."""
    if arguments.quiet and not arguments.output:
        deque(outcomes, maxlen=0)
        return
    format_, language = form(arguments), arguments.lang or language_of(os.environ)
    if format_ is TEXT:
        yield from text.stream(outcomes, language, color=wants_color(arguments))
    elif format_ is GITHUB:
        yield from (WRITERS[GITHUB]([one], language) for one in outcomes)
    else:
        yield WRITERS[format_](list(outcomes), language)


def form(arguments: argparse.Namespace) -> Format:
    """The form of the report that is asked for, or that the name of the output tells; else text.

    Raises Problem 400 for an output with an ending that tells nothing.
    """
    ending = arguments.output.suffix.removeprefix(".").lower() if arguments.output else ""
    name = arguments.format or ending or TEXT.suffix
    if name not in ENDINGS:
        endings = ", ".join(f".{one}" for one in ENDINGS)
        raise Problem(400, f"The ending .{name} tells no form of a report. Take {endings}, or say --format.")
    return ENDINGS[name]


def language_of(environment: Mapping[str, str]) -> str:
    """The language of the surroundings where the rules speak it, else English."""
    name = environment.get("LC_ALL") or environment.get("LANG") or ""
    language = re.split(r"[_.@-]", name)[0].lower()
    return language if language in LANGUAGES else "en"


def wants_color(arguments: argparse.Namespace) -> bool:
    """Whether the report is read on a terminal that shows colors (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not (arguments.output or plain) and sys.stdout.isatty()


@contextmanager
def output(arguments: argparse.Namespace) -> Iterator[Callable[[bytes], object]]:
    """What takes the parts of the report."""
    if not arguments.output:
        yield sys.stdout.buffer.write
        sys.stdout.flush()
        return
    with replaced(arguments.output) as file:
        yield file.write


def bar(outcomes: Iterator[Outcome], arguments: argparse.Namespace) -> Iterator[Outcome]:
    """The outcomes; on a terminal a bar counts them when they take long, unless the report itself does."""
    told = not arguments.output and sys.stdout.isatty() and form(arguments) in (TEXT, GITHUB)
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
            if shown.disable and time.monotonic() - started > PATIENCE:
                shown.disable = False
                shown.start()
            shown.advance(task)
            yield one
