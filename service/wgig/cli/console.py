"""What the commands print on a terminal: messages, tables, progress bars; and files that they replace."""

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


def print_message(sentence: str) -> None:
    """Tell the user something beside the answer, in one line."""
    print(f"wgig: {flatten_untrusted_text(sentence)}", file=sys.stderr, flush=True)


def run_on_thread(work: Callable[[], WorkResult]) -> Future[WorkResult]:
    """What `work` yields, on a thread with room for deeply nested queries.

    Whoever waits for it can be interrupted, and the process can end without it.
    """
    future: Future[WorkResult] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # whatever it is, it is for the one who waits
            future.set_exception(error)

    threading.stack_size(THREAD_STACK_BYTES)
    threading.Thread(target=run, daemon=True).start()
    return future


def check_parent_folder(path: Path) -> None:
    """Raise Problem 400 where there is no folder for a file that is to be written."""
    if not path.parent.is_dir():
        raise Problem(400, f"There is no folder {path.parent}. Make it, or name another output.")


@contextmanager
def open_replacement_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that is replaced as a whole, or not at all; links, pipes and devices are written as they are.

    Raises Problem 400 where there is no folder for it.
    """
    check_parent_folder(path)
    if path.is_symlink() or (path.exists() and not path.is_file()):
        with path.open("wb") as file:
            yield file
        return
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def get_offered_format(suffix: str, offered: Sequence[Format], what: str) -> Format:
    """The offered format with this suffix. Raises Problem 400; `what` says what cannot be written so."""
    for one in offered:
        if one.suffix == suffix:
            return one
    suffixes = ", ".join(one.suffix for one in offered)
    raise Problem(400, f"{what} cannot be written as {suffix}. Take --format {suffixes}.")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; numbers stand to the right."""
    from rich import box  # noqa: PLC0415  costs 60 ms, and pipes need none
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD)
    kept = list(rows)
    for place, name in enumerate(columns):
        numeric = bool(kept) and all(row[place].replace(",", "").isdigit() for row in kept)
        table.add_column(Text(name), overflow="fold", justify="right" if numeric else "left")
    for row in kept:
        table.add_row(*map(Text, row))
    Console().print(table)


@contextmanager
def show_progress_bar(title: str, total: int | None, unit: str = "bytes") -> Iterator[Callable[[int], None]]:
    """What is to be called with how many of `total` are done so far: on a terminal it moves a bar."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich import progress as rich  # noqa: PLC0415  costs 30 ms, and pipes need none
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
        yield lambda reached: bar.update(task, completed=reached)
