"""Compute how a change alters the figures (see `statistics`) in a subprocess, so that writes do not wait."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox

from ...rdf.namespaces import get_description_graphs
from ...store.change import Change, parse_change, serialize_change
from .statistics import Figures, compute_figure_changes

STATISTICS_TIMEOUT_SECONDS = 300  # a change of ten thousand papers takes 150 s


def count_in_subprocess(copy_folder: Path, change: Change, base: str) -> Figures:
    """The differences of the figures by a change, from a copy of the quads made right after the change.

    Raises OSError or subprocess.SubprocessError.
    """
    command = [sys.executable, "-m", __name__, str(copy_folder), base]
    process = subprocess.run(
        command,
        input=serialize_change(change),
        stdout=subprocess.PIPE,
        timeout=STATISTICS_TIMEOUT_SECONDS,
        check=True,
    )
    return Figures(
        {
            (tuple(partition), figure): difference
            for partition, figure, difference in json.loads(process.stdout)
        }
    )


def run_statistics_worker(folder: str, base: str) -> None:
    """Read a change from standard input; write the differences of the figures to standard output as JSON."""
    os.nice(10)  # requests have priority
    change = parse_change(sys.stdin.buffer.read())
    differences = compute_figure_changes(
        ox.Store.read_only(folder), change, base, get_description_graphs(base)
    )
    json.dump(
        [(partition, figure, difference) for (partition, figure), difference in differences.items()],
        sys.stdout,
    )


if __name__ == "__main__":
    run_statistics_worker(*sys.argv[1:])
