"""What was there before a write, noted beside the store until all that follows from the write is in line.

Whoever opens the store after a crash can tell from it what the write changed. It need not be on disk: a note
that a power cut damaged is known by its checksum, and counts as none.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from .changes import GraphName, Look, Seen

NAME = "journal"
MOST = 20_000  # quads in a note


class Note(NamedTuple):
    """A look at what the write may touch, what it saw before, and quads computed from that, as they were."""

    look: Look
    before: Seen
    computed: frozenset[ox.Quad]


def write(folder: Path, note: Note, digest: str) -> None:
    """Leave the note in the folder, unless it is too long; `digest` is of how things are computed."""
    parts = (note.look.quads, note.before.quads, note.computed)
    if note.look.graphs is None or sum(map(len, parts)) > MOST:
        return
    graphs = [[str(one) for one in those] for those in (note.look.graphs, note.look.names)]
    text = json.dumps([digest, *map(n_quads, parts), *graphs, sorted(note.before.graphs)])
    (folder / NAME).write_text(f"{checksum(text)}\n{text}", "utf-8")


def read(folder: Path, digest: str) -> Note | None:
    """The note in the folder; None where there is none, or none that is whole and of this digest."""
    path = folder / NAME
    told, _, text = path.read_text("utf-8", "replace").partition("\n") if path.exists() else ("", "", "")
    if told != checksum(text):
        return None
    by, looked, before, computed, graphs, names, there = json.loads(text)
    if by != digest:
        return None
    look = Look(tuple(map(graph, graphs)), tuple(quads(looked)), tuple(map(graph, names)))
    return Note(look, Seen(set(quads(before)), set(there)), frozenset(quads(computed)))


def remove(folder: Path) -> None:
    """Leave no note."""
    (folder / NAME).unlink(missing_ok=True)


def checksum(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def n_quads(quads: Iterable[ox.Quad]) -> str:
    """The quads as N-Quads."""
    return (ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b"").decode()


def quads(text: str) -> Iterable[ox.Quad]:
    """The quads of a text in N-Quads; blank nodes keep their names."""
    return ox.parse(text, format=ox.RdfFormat.N_QUADS)


def graph(name: str) -> GraphName:
    """The graph of which this is the text."""
    return ox.NamedNode(name[1:-1]) if name.startswith("<") else ox.DefaultGraph()
