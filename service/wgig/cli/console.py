"""Output of the commands: messages, tables and progress bars on a terminal, and atomically replaced files."""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from ..problems import Problem
from ..rdf.formats import Format
from ..settings import THREAD_STACK_BYTES
from ..text import flatten_untrusted_text

WorkResult = TypeVar("WorkResult")


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
        raise Problem(400, f"There is no folder {path.parent}. Create it, or name another output.")


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
