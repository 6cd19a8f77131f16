"""What was there before a write, noted beside the store until all that follows from the write is in line.

Whoever opens the store after a crash can tell from it what the write changed. It need not be on disk: a note
that a power cut damaged is known by its checksum, and counts as none.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pyoxigraph as ox

from .changes import GraphName, Look, Seen

NAME = "journal"
INFERRED = "journal-inferred"
MOST = 20_000  # quads in a note


class Note(NamedTuple):
    """A look at what the write may touch, what it saw before, and quads computed from that, as they were.

    And which state the description of all was about, None where it was behind.
    """

    look: Look
    before: Seen
    computed: frozenset[ox.Quad]
    described: str | None = ""


def write(folder: Path, note: Note, digest: str) -> None:
    """Leave the note in the folder, unless it is too long; `digest` is of how things are computed."""
    parts = (note.look.quads, note.before.quads, note.computed)
    if note.look.graphs is None or sum(map(len, parts)) > MOST:
        return
    graphs = [[str(one) for one in those] for those in (note.look.graphs, note.look.names)]
    rest = (*graphs, sorted(note.before.graphs), note.described)
    put(folder / NAME, [digest, *map(n_quads, parts), *rest])


def read(folder: Path, digest: str) -> Note | None:
    """The note in the folder; None where there is none, or none that is whole and of this digest."""
    found = got(folder / NAME)
    if found is None or found[0] != digest:
        return None
    _, looked, before, computed, graphs, names, there, described = found
    look = Look(tuple(map(graph, graphs)), tuple(quads(looked)), tuple(map(graph, names)))
    return Note(look, Seen(set(quads(before)), set(there)), frozenset(quads(computed)), described)


def write_inferred(folder: Path, gone: Iterable[ox.Quad], come: Iterable[ox.Quad]) -> None:
    """Add to the note, where there is one, what is going to change of what was inferred."""
    if (folder / NAME).exists():
        put(folder / INFERRED, [n_quads(gone), n_quads(come)])


def read_inferred(folder: Path) -> tuple[set[ox.Quad], set[ox.Quad]] | None:
    """What goes and what comes of what was inferred; None where that was not noted."""
    found = got(folder / INFERRED)
    return (set(quads(found[0])), set(quads(found[1]))) if found else None


def remove(folder: Path) -> None:
    """Leave no note."""
    for name in (NAME, INFERRED):
        (folder / name).unlink(missing_ok=True)


def put(path: Path, parts: list[Any]) -> None:
    """Write a file whose damage can be told."""
    text = json.dumps(parts)
    path.write_text(f"{checksum(text)}\n{text}", "utf-8")


def got(path: Path) -> list[Any] | None:
    """What was put into a file; None where there is none, or it is damaged."""
    told, _, text = path.read_text("utf-8", "replace").partition("\n") if path.exists() else ("", "", "")
    found: list[Any] | None = json.loads(text) if told == checksum(text) else None
    return found


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
