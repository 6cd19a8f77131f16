"""Checkpoints: the folder of a store at a point in time, from which another process makes a backup.

A checkpoint has a snapshot of the quads, hard links of the other files of the store, and a copy of the change
log, which is changed in place. As that is copied last, it may have later commits than the quads: they are
replayed. The quads are counted by streaming rows after the write lock is released; an aggregate query would
count them under the lock.
"""

import io
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from ..files import PARTIAL_SUFFIX
from .files import ENTRIES_OUTSIDE_BACKUP
from .folder import CHANGE_LOG_FILE, QUADS_FOLDER

CHECKPOINT_FOLDER = "checkpoint"  # in `aside`

# A row for each quad. Rows are read lazily, from the state of the store when the query began, so that writes
# need not wait. An aggregate would be computed when the query begins.
QUAD_ROWS_QUERY = "SELECT (1 AS ?one) { { ?s ?p ?o } UNION { GRAPH ?graph { ?s ?p ?o } } }"


class LineCounter(io.RawIOBase):
    """A writable file that only counts the lines written to it."""

    count = 0

    def writable(self) -> bool:
        """Always True."""
        return True

    def write(self, data: Any) -> int:
        """Count the lines of the data. Returns its length in bytes."""
        self.count += bytes(data).count(b"\n")
        return len(data)


def select_quad_rows(quads: ox.Store) -> ox.QuerySolutions:
    """A row for each quad that exists now."""
    rows = quads.query(QUAD_ROWS_QUERY)
    assert isinstance(rows, ox.QuerySolutions)
    return rows


def count_rows(rows: ox.QuerySolutions) -> int:
    """The number of rows. Call it on the thread that began the query."""
    lines = LineCounter()
    with io.BufferedWriter(lines) as file:
        rows.serialize(file, ox.QueryResultsFormat.CSV)
    return lines.count - 1  # without the header line


def link_store_files(folder: Path, checkpoint: Path) -> None:
    """Hard-link the files of a store into a new folder, except its quads and its change log."""

    def ignore_files(parent: str, names: list[str]) -> set[str]:
        partial_files = {name for name in names if name.endswith(PARTIAL_SUFFIX)}
        log_files = {name for name in names if name.startswith(CHANGE_LOG_FILE)}
        left_out = ENTRIES_OUTSIDE_BACKUP | {QUADS_FOLDER} | log_files
        return partial_files | (left_out if Path(parent) == folder else set())

    shutil.copytree(folder, checkpoint, copy_function=link_file, ignore=ignore_files)


def link_file(source: str, target: str) -> None:
    """Hard-link a file, unless it has been removed meanwhile."""
    with suppress(FileNotFoundError):
        os.link(source, target)
