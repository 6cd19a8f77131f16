"""Crash recovery: the journal of the current write, and the clean marks of what is derived from the data.

The journal records what the write may touch and what was there before, until everything that follows from the
write is up to date. After a crash, the next opening tells from it what the write changed. It need not be
fsynced: a checksum detects a journal that a power cut damaged, and such a journal counts as none. A write of
more than 20,000 quads has none, nor has one that may touch any graph.

Marks in the store folder say that inferred quads, descriptions and the search index agree with the data. The
mark of the index holds a token that the index holds too, so that a store written without its index (after a
crash, by another program, from a backup) is told from the one that the index knows; without it, the index is
rebuilt.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..files import sync
from .change import GraphName, Look, Seen

INDEX_MARK = "indexed"


def remove_index_mark(folder: Path) -> bool:
    """Take the mark away, before a write; whether there was one. Raises OSError."""
    mark = folder / INDEX_MARK
    if not mark.exists():
        return False
    mark.unlink()
    return True


def leave(folder: Path, token: str) -> None:
    """Leave the mark. It need not be on disk: without it the index is made anew. Raises OSError."""
    (folder / INDEX_MARK).write_text(token)


def read_index_mark(folder: Path) -> str:
    """The token of the mark, empty where there is none. Raises OSError."""
    mark = folder / INDEX_MARK
    return mark.read_text() if mark.exists() else ""


JOURNAL = "journal"
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


def write_journal(folder: Path, note: Note, digest: str) -> None:
    """Leave the note in the folder, unless it is too long; `digest` is of how things are computed."""
    parts = (note.look.quads, note.before.quads, note.computed)
    if note.look.graphs is None or sum(map(len, parts)) > MOST:
        return
    graphs = [[str(one) for one in those] for those in (note.look.graphs, note.look.names)]
    rest = (*graphs, sorted(note.before.graphs), note.described)
    put(folder / JOURNAL, [digest, *map(n_quads, parts), *rest])


def read_journal(folder: Path, digest: str) -> Note | None:
    """The note in the folder; None where there is none, or none that is whole and of this digest."""
    found = got(folder / JOURNAL)
    if found is None or found[0] != digest:
        return None
    _, looked, before, computed, graphs, names, there, described = found
    look = Look(tuple(map(graph, graphs)), tuple(quads(looked)), tuple(map(graph, names)))
    return Note(look, Seen(set(quads(before)), set(there)), frozenset(quads(computed)), described)


def write_inferred(folder: Path, gone: Iterable[ox.Quad], come: Iterable[ox.Quad]) -> None:
    """Add to the note, where there is one, what is going to change of what was inferred."""
    if (folder / JOURNAL).exists():
        put(folder / INFERRED, [n_quads(gone), n_quads(come)])


def read_inferred(folder: Path) -> tuple[set[ox.Quad], set[ox.Quad]] | None:
    """What goes and what comes of what was inferred; None where that was not noted."""
    found = got(folder / INFERRED)
    return (set(quads(found[0])), set(quads(found[1]))) if found else None


def remove_journal(folder: Path) -> None:
    """Leave no note."""
    for name in (JOURNAL, INFERRED):
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


SETTLED = "inferred-by"  # is there while stated and inferred quads agree
UNDESCRIBED = "undescribed"  # is there while what is computed last may be behind


class Marks:
    """The marks of the store in a folder. Methods raise OSError."""

    def __init__(self, folder: Path, digest: str) -> None:
        """Take the folder, and the digest of how things are computed."""
        self.folder, self.digest = folder, digest

    @property
    def is_settled(self) -> bool:
        """Whether stated and inferred quads agree, and things are computed as they were last time."""
        return settling(self.folder).partition(" ")[0] == self.digest

    @property
    def is_described(self) -> bool:
        """Whether what is computed last is in line."""
        return not (self.folder / UNDESCRIBED).exists()

    def unsettle(self) -> None:
        """Note that a write is coming; on disk, lest a power cut keeps the write and forgets the note."""
        (self.folder / SETTLED).unlink(missing_ok=True)
        sync(self.folder)

    def settle(self) -> None:
        """Note that stated and inferred quads agree, in other words than ever before."""
        mark = self.folder / SETTLED
        mark.unlink(missing_ok=True)  # a backup may hold it by a link, so that it is not changed in place
        mark.write_text(f"{self.digest} {uuid.uuid4().hex}")

    def undescribe(self) -> None:
        """Note that what is computed last is going to be behind."""
        (self.folder / UNDESCRIBED).touch()

    def describe(self) -> None:
        """Note that what is computed last is in line."""
        (self.folder / UNDESCRIBED).unlink(missing_ok=True)


def settling(folder: Path) -> str:
    """What tells one settling of the store in a folder from any other; empty where it is not settled."""
    mark = folder / SETTLED
    return mark.read_text() if mark.exists() else ""
