"""`wgig check`: are these papers complete?"""

import argparse
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from ..bulk import check_many
from ..documents import SUFFIXES, read
from ..files import files, within
from ..formats import Format
from ..problems import Problem
from ..report import Outcome, Unread
from ..reports import GITHUB, TEXT, WRITERS, text
from ..rules import LANGUAGES
from ..settings import Settings
from ..workers import Task, outcomes
from . import say
from .watch import changes

CONFORMS, FAILS, UNREADABLE = 0, 1, 2  # from the best to the worst: a run ends with its worst
PATIENCE = 1.0  # seconds before a bar is shown
CLEAR = "\x1b[H\x1b[2J\x1b[3J"
STDIN = "-"


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files and write the report. Exit code 0 all conform, 1 one does not, 2 one cannot be read.

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
            raise Problem(400, f"Say how standard input is written: --input-format {', '.join(SUFFIXES)}.")
        if arguments.files.count(STDIN) > 1:
            raise Problem(400, "Standard input can be read only once. Name - once.")
    if arguments.output and str(arguments.output) in arguments.files:
        raise Problem(400, f"The report would replace {arguments.output}, which is to be checked.")


def watch(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check the files whenever one changes, until Ctrl-C; then the exit code is that of the last check."""
    code = CONFORMS
    with suppress(KeyboardInterrupt):
        for state in changes(arguments.files):
            if not arguments.output and sys.stdout.isatty():
                print(CLEAR, end="", flush=True)
            try:
                code = once(arguments, settings)
            except Problem as problem:
                say(problem.detail)
                code = UNREADABLE
            say(f"{time.strftime('%H:%M:%S')} Watching files ({len(state)}). Stop with Ctrl-C.")
    return code


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
        yield from outcomes(files(names[:cut]), self.task, self.arguments.jobs)
        if cut < len(names):
            yield standard_input(self.arguments.input_format, self.task)
            yield from outcomes(files(names[cut + 1 :]), self.task, self.arguments.jobs)

    def code(self) -> int:
        """The exit code, once all is checked; says what was passed over, or that nothing was there."""
        if self.passed_over and not self.arguments.quiet:
            say(f"Passed over: Markdown without a head that names a paper ({self.passed_over}).")
        if self.checked:
            return self.worst
        endings = ", ".join(f".{suffix}" for suffix in SUFFIXES)
        raise Problem(
            400, f"There is no paper in {', '.join(self.arguments.files)}. Papers end in {endings}."
        )


def code_of(outcome: Outcome) -> int:
    """The exit code for a file alone."""
    if isinstance(outcome, Unread):
        return UNREADABLE
    return CONFORMS if outcome.conforms else FAILS


def standard_input(suffix: str, task: Task) -> Outcome:
    """What is found in standard input."""
    try:
        data = within(sys.stdin.buffer.read(task.most_bytes + 1), task.most_bytes)
        document = read("standard input", data, SUFFIXES[suffix], task.most_triples)
    except Problem as problem:
        return Unread("standard input", problem)
    return check_many([document], task.profile, task.engine)[0]


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
    """The form of the report that is asked for, or that the name of the output tells; else text."""
    forms = {one.suffix: one for one in WRITERS}
    ending = arguments.output.suffix.removeprefix(".") if arguments.output else ""
    return forms.get(arguments.format or ending, TEXT)


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
    """What takes the parts of the report. Raises Problem where the folder of the output does not exist."""
    if not arguments.output:
        yield sys.stdout.buffer.write
        sys.stdout.flush()
        return
    if not arguments.output.parent.is_dir():
        raise Problem(400, f"There is no folder {arguments.output.parent}. Make it, or name another output.")
    with arguments.output.open("wb") as file:
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
