"""Count by how much a change alters the figures, in a process of its own while the service writes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox

from ...rdf.namespaces import get_description_graphs
from ...store.change import Change, parse_change, serialize_change
from .statistics import Figures, compute_figure_changes

STATISTICS_TIMEOUT_SECONDS = 300  # seconds; for ten thousand papers it takes 150


def count_in_subprocess(folder: Path, change: Change, base: str) -> Figures:
    """By how much a change altered the figures, by a copy of the quads as they were right after it.

    Raises OSError or subprocess.SubprocessError.
    """
    command = [sys.executable, "-m", __name__, str(folder), base]
    done = subprocess.run(
        command,
        input=serialize_change(change),
        stdout=subprocess.PIPE,
        timeout=STATISTICS_TIMEOUT_SECONDS,
        check=True,
    )
    return Figures({(tuple(part), figure): by for part, figure, by in json.loads(done.stdout)})


def run_statistics_worker(folder: str, base: str) -> None:
    """Write the figures for the change that comes in. Who writes meanwhile goes first."""
    os.nice(10)
    change = parse_change(sys.stdin.buffer.read())
    found = compute_figure_changes(ox.Store.read_only(folder), change, base, get_description_graphs(base))
    json.dump([(part, figure, by) for (part, figure), by in found.items()], sys.stdout)


if __name__ == "__main__":
    run_statistics_worker(*sys.argv[1:])
