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

from ..files import sync_to_disk
from .change import Contents, GraphName, WriteScope

INDEX_MARK_FILE = "indexed"


def remove_index_mark(folder: Path) -> bool:
    """Take the mark away, before a write; whether there was one. Raises OSError."""
    mark = folder / INDEX_MARK_FILE
    if not mark.exists():
        return False
    mark.unlink()
    return True


def write_index_mark(folder: Path, token: str) -> None:
    """Leave the mark. It need not be on disk: without it the index is made anew. Raises OSError."""
    (folder / INDEX_MARK_FILE).write_text(token)


def read_index_mark(folder: Path) -> str:
    """The token of the mark, empty where there is none. Raises OSError."""
    mark = folder / INDEX_MARK_FILE
    return mark.read_text() if mark.exists() else ""


JOURNAL_FILE = "journal"
INFERRED_JOURNAL_FILE = "journal-inferred"
MAX_JOURNAL_QUADS = 20_000  # quads in a note


class JournalEntry(NamedTuple):
    """A look at what the write may touch, what it saw before, and quads computed from that, as they were.

    And which state the description of all was about, None where it was behind.
    """

    scope: WriteScope
    contents_before: Contents
    computed: frozenset[ox.Quad]
    described_state: str | None = ""


def write_journal(folder: Path, note: JournalEntry, digest: str) -> None:
    """Leave the note in the folder, unless it is too long; `digest` is of how things are computed."""
    parts = (note.scope.quads, note.contents_before.quads, note.computed)
    if note.scope.graphs is None or sum(map(len, parts)) > MAX_JOURNAL_QUADS:
        return
    graphs = [[str(one) for one in those] for those in (note.scope.graphs, note.scope.names)]
    rest = (*graphs, sorted(note.contents_before.graphs), note.described_state)
    write_checksummed_json(folder / JOURNAL_FILE, [digest, *map(serialize_journal_quads, parts), *rest])


def read_journal(folder: Path, digest: str) -> JournalEntry | None:
    """The note in the folder; None where there is none, or none that is whole and of this digest."""
    found = read_checksummed_json(folder / JOURNAL_FILE)
    if found is None or found[0] != digest:
        return None
    _, looked, before, computed, graphs, names, there, described = found
    look = WriteScope(
        tuple(map(parse_graph_name, graphs)),
        tuple(parse_journal_quads(looked)),
        tuple(map(parse_graph_name, names)),
    )
    return JournalEntry(
        look,
        Contents(set(parse_journal_quads(before)), set(there)),
        frozenset(parse_journal_quads(computed)),
        described,
    )


def write_inferred_journal(folder: Path, gone: Iterable[ox.Quad], come: Iterable[ox.Quad]) -> None:
    """Add to the note, where there is one, what is going to change of what was inferred."""
    if (folder / JOURNAL_FILE).exists():
        write_checksummed_json(
            folder / INFERRED_JOURNAL_FILE, [serialize_journal_quads(gone), serialize_journal_quads(come)]
        )


def read_inferred_journal(folder: Path) -> tuple[set[ox.Quad], set[ox.Quad]] | None:
    """What goes and what comes of what was inferred; None where that was not noted."""
    found = read_checksummed_json(folder / INFERRED_JOURNAL_FILE)
    return (set(parse_journal_quads(found[0])), set(parse_journal_quads(found[1]))) if found else None


def remove_journal(folder: Path) -> None:
    """Leave no note."""
    for name in (JOURNAL_FILE, INFERRED_JOURNAL_FILE):
        (folder / name).unlink(missing_ok=True)


def write_checksummed_json(path: Path, parts: list[Any]) -> None:
    """Write a file whose damage can be told."""
    text = json.dumps(parts)
    path.write_text(f"{hash_journal_text(text)}\n{text}", "utf-8")


def read_checksummed_json(path: Path) -> list[Any] | None:
    """What was put into a file; None where there is none, or it is damaged."""
    told, _, text = path.read_text("utf-8", "replace").partition("\n") if path.exists() else ("", "", "")
    found: list[Any] | None = json.loads(text) if told == hash_journal_text(text) else None
    return found


def hash_journal_text(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def serialize_journal_quads(quads: Iterable[ox.Quad]) -> str:
    """The quads as N-Quads."""
    return (ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b"").decode()


def parse_journal_quads(text: str) -> Iterable[ox.Quad]:
    """The quads of a text in N-Quads; blank nodes keep their names."""
    return ox.parse(text, format=ox.RdfFormat.N_QUADS)


def parse_graph_name(name: str) -> GraphName:
    """The graph of which this is the text."""
    return ox.NamedNode(name[1:-1]) if name.startswith("<") else ox.DefaultGraph()


CLEAN_MARK_FILE = "inferred-by"  # is there while stated and inferred quads agree
UNDESCRIBED_MARK_FILE = "undescribed"  # is there while what is computed last may be behind


class CleanMarks:
    """The marks of the store in a folder. Methods raise OSError."""

    def __init__(self, folder: Path, digest: str) -> None:
        """Take the folder, and the digest of how things are computed."""
        self.folder, self.digest = folder, digest

    @property
    def is_clean(self) -> bool:
        """Whether stated and inferred quads agree, and things are computed as they were last time."""
        return read_clean_mark(self.folder).partition(" ")[0] == self.digest

    @property
    def is_described(self) -> bool:
        """Whether what is computed last is in line."""
        return not (self.folder / UNDESCRIBED_MARK_FILE).exists()

    def mark_dirty(self) -> None:
        """Note that a write is coming; on disk, lest a power cut keeps the write and forgets the note."""
        (self.folder / CLEAN_MARK_FILE).unlink(missing_ok=True)
        sync_to_disk(self.folder)

    def mark_clean(self) -> None:
        """Note that stated and inferred quads agree, in other words than ever before."""
        mark = self.folder / CLEAN_MARK_FILE
        mark.unlink(missing_ok=True)  # a backup may hold it by a link, so that it is not changed in place
        mark.write_text(f"{self.digest} {uuid.uuid4().hex}")

    def mark_undescribed(self) -> None:
        """Note that what is computed last is going to be behind."""
        (self.folder / UNDESCRIBED_MARK_FILE).touch()

    def mark_described(self) -> None:
        """Note that what is computed last is in line."""
        (self.folder / UNDESCRIBED_MARK_FILE).unlink(missing_ok=True)


def read_clean_mark(folder: Path) -> str:
    """What tells one settling of the store in a folder from any other; empty where it is not settled."""
    mark = folder / CLEAN_MARK_FILE
    return mark.read_text() if mark.exists() else ""
