"""Count by how much a change alters the figures, in a process of its own while the service writes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox

from ...rdf.namespaces import graphs
from ...store.change import Change, packed, unpacked
from .statistics import Figures, difference

LONGEST = 300  # seconds; for ten thousand papers it takes 150


def counted(folder: Path, change: Change, base: str) -> Figures:
    """By how much a change altered the figures, by a copy of the quads as they were right after it.

    Raises OSError or subprocess.SubprocessError.
    """
    command = [sys.executable, "-m", __name__, str(folder), base]
    done = subprocess.run(command, input=packed(change), stdout=subprocess.PIPE, timeout=LONGEST, check=True)
    return Figures({(tuple(part), figure): by for part, figure, by in json.loads(done.stdout)})


def main(folder: str, base: str) -> None:
    """Write the figures for the change that comes in. Who writes meanwhile goes first."""
    os.nice(10)
    change = unpacked(sys.stdin.buffer.read())
    found = difference(ox.Store.read_only(folder), change, base, graphs(base))
    json.dump([(part, figure, by) for (part, figure), by in found.items()], sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
