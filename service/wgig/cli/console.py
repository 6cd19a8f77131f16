"""Output of the commands: messages, tables and progress bars on a terminal, and atomically replaced files."""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from ..problems import Problem
from ..rdf.formats import Format
from ..settings import THREAD_STACK_BYTES
from ..text import flatten_untrusted_text

WorkResult = TypeVar("WorkResult")

MAX_ESTIMATED_PART = 0.95  # of a stage whose progress is estimated, so that it is not done before its end


def print_message(message: str) -> None:
    """Print a message in one line to standard error."""
    print(f"wgig: {flatten_untrusted_text(message)}", file=sys.stderr, flush=True)


def run_on_thread(work: Callable[[], WorkResult]) -> Future[WorkResult]:
    """Run `work` on a daemon thread with a stack that is large enough for deeply nested queries.

    Ctrl-C interrupts waiting for the returned future, and the process can exit while `work` runs.
    """
    future: Future[WorkResult] = Future()

    def run_work() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # any error is raised in the waiting thread
            future.set_exception(error)

    threading.stack_size(THREAD_STACK_BYTES)
    threading.Thread(target=run_work, daemon=True).start()
    return future


def check_parent_folder(path: Path) -> None:
    """Raise Problem 400 if the parent folder of a file to be written does not exist."""
    if not path.parent.is_dir():
        raise Problem(400, f"There is no folder {path.parent}. Create it, or choose another output file.")


@contextmanager
def open_replacement_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a temporary file to write; it replaces the file at the path at the end, unless there is an error.

    Symbolic links, pipes and devices are written directly. Raises Problem 400 if the parent folder does not
    exist.
    """
    check_parent_folder(path)
    if path.is_symlink() or (path.exists() and not path.is_file()):
        with path.open("wb") as file:
            yield file
        return
    temporary_path = path.with_name(f".{path.name}.partial")
    try:
        with temporary_path.open("wb") as file:
            yield file
        temporary_path.replace(path)
    finally:
        temporary_path.unlink(missing_ok=True)


def get_offered_format(suffix: str, offered: Sequence[Format], subject: str) -> Format:
    """The offered format with this suffix. Raises Problem 400, whose message starts with `subject`."""
    for format_ in offered:
        if format_.suffix == suffix:
            return format_
    suffixes = ", ".join(format_.suffix for format_ in offered)
    raise Problem(400, f"{subject} cannot be written as {suffix}. Use --format {suffixes}.")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; columns of numbers are right-aligned."""
    from rich import box  # noqa: PLC0415  costs 60 ms, and is not needed in a pipe
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD)
    all_rows = list(rows)
    for index, name in enumerate(columns):
        is_numeric = bool(all_rows) and all(row[index].replace(",", "").isdigit() for row in all_rows)
        table.add_column(Text(name), overflow="fold", justify="right" if is_numeric else "left")
    for row in all_rows:
        table.add_row(*map(Text, row))
    Console().print(table)


@contextmanager
def show_progress_bar(title: str, total: int | None, unit: str = "bytes") -> Iterator[Callable[[int], None]]:
    """Yield the function to call with the amount completed so far; on a terminal, it updates a progress bar.

    `total` is the amount at the end, None if it is unknown.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich import progress as rich  # noqa: PLC0415  costs 30 ms, and is not needed in a pipe
    from rich.console import Console  # noqa: PLC0415

    amounts = (
        (rich.DownloadColumn(), rich.TransferSpeedColumn())
        if unit == "bytes"
        else (rich.MofNCompleteColumn(), rich.TextColumn(unit))
    )
    columns = (
        rich.TextColumn("{task.description}"), rich.BarColumn(), *amounts, rich.TimeRemainingColumn()
    )  # fmt: skip
    with rich.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total)
        yield lambda completed: bar.update(task, completed=completed)


class StageProgress:
    """The stages of a long command: on a terminal a progress bar with the time left, else lines for each."""

    def __init__(self, stages: Mapping[str, float]) -> None:
        """Take the stages by name, and the usual share of the time of each."""
        self.stages = stages
        self.stage = self.title = ""  # the current stage, empty before the first; its title in the output
        self.done, self.total, self.unit = 0, 0, ""  # of the stage; the total is 0 if it is not known
        # Seconds of the monotonic clock: the begin of the command and of the stage, and the last report.
        self.started = self.stage_started = self.reported = time.monotonic()

    def begin_stage(self, stage: str, subject: str = "") -> None:
        """Begin a stage, or its next part; `subject` follows its name in the output.

        Without a terminal, it is printed.
        """
        if self.stage != stage:
            self.end_stage()
            if not self.stage:
                self.started = time.monotonic()
            self.stage = stage
            self.stage_started = self.reported = time.monotonic()
            self.done = self.total = 0
        self.title = f"{self.numbered_name}{subject}"
        if not sys.stderr.isatty():
            print_message(f"{self.title} ...")

    def end_stage(self) -> None:
        """Without a terminal, print the time that the current stage took, if there is one."""
        if self.stage and not sys.stderr.isatty():
            print_message(f"{self.numbered_name}: {time.monotonic() - self.stage_started:.1f} s")

    def print_message(self, message: str) -> None:
        """Print a message, unless a stage runs, which says the same."""
        if not self.stage:
            print_message(message)

    def report(self, done: int, total: int, unit: str = "") -> None:
        """Report what is done of the current stage."""
        self.done, self.total, self.unit = done, total, unit
        self.reported = time.monotonic()

    @property
    def numbered_name(self) -> str:
        """The name of the current stage, after its number."""
        return f"{[*self.stages].index(self.stage) + 1}/{len(self.stages)} {self.stage}"

    @property
    def amount(self) -> str:
        """What is done of the current stage, and how much it is; empty if that is not known."""
        return f"{self.done:,} of {self.total:,} {self.unit}".rstrip() if self.total else ""

    @property
    def shares(self) -> tuple[float, float, float]:
        """The shares of the time of the stages before the current one, of it, and of those after it."""
        shares = [share / sum(self.stages.values()) for share in self.stages.values()]
        index = [*self.stages].index(self.stage)
        return sum(shares[:index]), shares[index], sum(shares[index + 1 :])

    def estimate_share(self, now: float) -> float:
        """The share of the time that has passed, from 0 to 1.

        That of a stage without an amount is estimated from the time that the stages before it took.
        """
        before, share, _ = self.shares
        if self.total:
            part = self.done / self.total
        elif before:
            expected_seconds = (self.stage_started - self.started) * share / before
            part = min((now - self.stage_started) / (expected_seconds or 1), MAX_ESTIMATED_PART)
        else:
            part = 0.0
        return before + share * part

    def estimate_seconds_left(self, now: float) -> float | None:
        """The seconds to the end of the last stage; None if nothing is known yet.

        They are estimated at each report, and count down until the next one.
        """
        reported_share = self.estimate_share(self.reported)
        if not reported_share:
            return None
        all_seconds = (self.reported - self.started) / reported_share
        before, share, after = self.shares
        seconds_of_stage = all_seconds * (before + share - reported_share) - (now - self.reported)
        return max(seconds_of_stage, 0) + all_seconds * after

    @contextmanager
    def show(self) -> Iterator[None]:
        """Show the progress until the end of the block."""
        if not sys.stderr.isatty():
            yield
            return
        from rich import progress as rich  # noqa: PLC0415  costs 30 ms, and is not needed in a pipe
        from rich.console import Console, RenderableType  # noqa: PLC0415

        stages = self

        class StageBar(rich.Progress):
            def get_renderables(self) -> Iterable[RenderableType]:
                now = time.monotonic()
                if stages.stage:
                    self.update(
                        task,
                        visible=True,
                        description=stages.title,
                        completed=stages.estimate_share(now),
                        amount=stages.amount,
                        left=format_time_left(stages.estimate_seconds_left(now)),
                    )
                return super().get_renderables()

        columns = (
            rich.TextColumn("{task.description}"),
            rich.BarColumn(),
            rich.TextColumn("{task.fields[amount]}"),
            rich.TextColumn("{task.fields[left]}"),
        )
        # Standard output that is no terminal must not be redirected to the terminal.
        console, is_redirected = Console(stderr=True), sys.stdout.isatty()
        bar = StageBar(*columns, console=console, transient=True, redirect_stdout=is_redirected)
        task = bar.add_task("", total=1, visible=False, amount="", left="")
        with bar:
            yield


def format_time_left(seconds: float | None) -> str:
    """The time left in minutes and seconds."""
    if seconds is None:
        return ""
    minutes, rest = divmod(max(1, round(seconds)), 60)
    return f"{minutes}:{rest:02} left"
