"""The commands of the shell, one module each; `cli` says what they are called with."""

import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from ..formats import Format
from ..problems import Problem
from ..settings import STACK

T = TypeVar("T")


def say(sentence: str) -> None:
    """Tell the user something beside the answer."""
    print(f"wgig: {sentence}", file=sys.stderr, flush=True)


def aside(work: Callable[[], T]) -> Future[T]:
    """What `work` yields, on a thread with room for deeply nested queries.

    Whoever waits for it can be interrupted, and the process can end without it.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # whatever it is, it is for the one who waits
            future.set_exception(error)

    threading.stack_size(STACK)
    threading.Thread(target=run, daemon=True).start()
    return future


def format_named(suffix: str, offered: Sequence[Format], what: str) -> Format:
    """The offered format with this suffix. Raises Problem 400; `what` says what cannot be written so."""
    for one in offered:
        if one.suffix == suffix:
            return one
    suffixes = ", ".join(one.suffix for one in offered)
    raise Problem(400, f"{what} cannot be written as {suffix}. Take --format {suffixes}.")


def show(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
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
