"""A store as it is at one moment, kept by hard links while it is written on."""

import io
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from ..durable import PARTIAL
from ..opening import QUADS
from .swap import ASIDE, STAYS

KEPT = "kept"

# A row for each quad. Rows are taken one by one from the store as it was when the query came, so that writes
# need not wait for them; an aggregate would be computed at once.
ROWS = "SELECT (1 AS ?one) { { ?s ?p ?o } UNION { GRAPH ?graph { ?s ?p ?o } } }"


class Lines(io.RawIOBase):
    """A file that keeps nothing of the lines that are written to it but their number."""

    count = 0

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Take the bytes and say how many they were."""
        self.count += bytes(data).count(b"\n")
        return len(data)


def checkpoint(quads: ox.Store, folder: Path) -> Callable[[], int]:
    """Keep the store in `folder`, with what is beside its quads, in a folder `kept` of its `aside`.

    Nobody may write meanwhile. A file beside the quads is never changed in place, as it is kept by a link:
    it is written once, or replaced. What is returned counts the quads that the store itself had at that
    moment, on the same thread.
    """

    def apart(where: str, names: list[str]) -> set[str]:
        unfinished = {one for one in names if one.endswith(PARTIAL)}
        return unfinished | (STAYS | {QUADS} if Path(where) == folder else set())

    place = folder / ASIDE / KEPT
    shutil.copytree(folder, place, copy_function=link, ignore=apart)
    quads.backup(str(place / QUADS))
    rows = quads.query(ROWS)
    assert isinstance(rows, ox.QuerySolutions)

    def count() -> int:
        lines = Lines()
        with io.BufferedWriter(lines) as file:
            rows.serialize(file, ox.QueryResultsFormat.CSV)
        return lines.count - 1  # the first one is the head

    return count


def link(source: str, target: str) -> None:
    """Another name for a file, unless it was a passing one."""
    with suppress(FileNotFoundError):
        os.link(source, target)
