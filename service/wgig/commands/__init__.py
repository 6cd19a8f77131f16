"""The commands of the shell, one module each; `cli` says what they are called with."""

import sys
from collections.abc import Iterable, Sequence

from ..formats import Format
from ..problems import Problem


def say(sentence: str) -> None:
    """Tell the user something beside the answer."""
    print(f"wgig: {sentence}", file=sys.stderr, flush=True)


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
