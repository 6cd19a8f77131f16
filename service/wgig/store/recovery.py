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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..files import sync_to_disk
from ..rdf.serialization import parse_n_quads, serialize_n_quads
from .change import Contents, GraphName, WriteScope


@dataclass(frozen=True)
class CleanMark:
    """A file that is there while something agrees with the quads; its text tells with which write.

    It is removed before a write, and written when all is in line again. Methods raise OSError.
    """

    path: Path

    def read(self) -> str:
        """The text; empty where there is no mark."""
        return self.path.read_text("utf-8", "replace") if self.path.exists() else ""

    def write(self, text: str) -> None:
        """Leave the mark. It need not be on disk: without it, what it stands for is made anew."""
        self.path.unlink(missing_ok=True)  # not changed in place, as a backup may hold it by a link
        self.path.write_text(text, "utf-8")

    def remove(self) -> bool:
        """Take the mark away; whether there was one."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True


INDEX_MARK_FILE = "indexed"


def get_index_mark(folder: Path) -> CleanMark:
    """The mark of the search index, whose text is a token that stands in the index as well."""
    return CleanMark(folder / INDEX_MARK_FILE)


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
    write_checksummed_json(
        folder / JOURNAL_FILE, [digest, *(serialize_n_quads(quads).decode() for quads in parts), *rest]
    )


def read_journal(folder: Path, digest: str) -> JournalEntry | None:
    """The note in the folder; None where there is none, or none that is whole and of this digest."""
    found = read_checksummed_json(folder / JOURNAL_FILE)
    if found is None or found[0] != digest:
        return None
    _, looked, before, computed, graphs, names, there, described = found
    look = WriteScope(
        tuple(map(parse_graph_name, graphs)),
        tuple(parse_n_quads(looked)),
        tuple(map(parse_graph_name, names)),
    )
    return JournalEntry(
        look,
        Contents(set(parse_n_quads(before)), set(there)),
        frozenset(parse_n_quads(computed)),
        described,
    )


def write_inferred_journal(folder: Path, gone: Iterable[ox.Quad], come: Iterable[ox.Quad]) -> None:
    """Add to the note, where there is one, what is going to change of what was inferred."""
    if (folder / JOURNAL_FILE).exists():
        write_checksummed_json(
            folder / INFERRED_JOURNAL_FILE, [serialize_n_quads(quads).decode() for quads in (gone, come)]
        )


def read_inferred_journal(folder: Path) -> tuple[set[ox.Quad], set[ox.Quad]] | None:
    """What goes and what comes of what was inferred; None where that was not noted."""
    found = read_checksummed_json(folder / INFERRED_JOURNAL_FILE)
    return (set(parse_n_quads(found[0])), set(parse_n_quads(found[1]))) if found else None


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


def parse_graph_name(name: str) -> GraphName:
    """The graph of which this is the text."""
    return ox.NamedNode(name[1:-1]) if name.startswith("<") else ox.DefaultGraph()


CLEAN_MARK_FILE = "inferred-by"  # is there while stated and inferred quads agree
UNDESCRIBED_MARK_FILE = "undescribed"  # is there while what is computed last may be behind


def get_inference_mark(folder: Path) -> CleanMark:
    """The mark of what is inferred: how it is computed, and what tells each write from any other."""
    return CleanMark(folder / CLEAN_MARK_FILE)


class InferenceMarks:
    """What tells of the store in a folder whether all that follows is there. Methods raise OSError."""

    def __init__(self, folder: Path, digest: str) -> None:
        """Take the folder, and the digest of how things are computed."""
        self.folder, self.digest = folder, digest
        self.clean_mark = get_inference_mark(folder)
        self.undescribed = folder / UNDESCRIBED_MARK_FILE

    @property
    def is_clean(self) -> bool:
        """Whether stated and inferred quads agree, and things are computed as they were last time."""
        return self.clean_mark.read().partition(" ")[0] == self.digest

    @property
    def is_described(self) -> bool:
        """Whether what is computed last is in line."""
        return not self.undescribed.exists()

    def mark_dirty(self) -> None:
        """Note that a write is coming; on disk, lest a power cut keeps the write and forgets the note."""
        self.clean_mark.remove()
        sync_to_disk(self.folder)

    def mark_clean(self) -> None:
        """Note that stated and inferred quads agree, in other words than ever before."""
        self.clean_mark.write(f"{self.digest} {uuid.uuid4().hex}")

    def mark_undescribed(self) -> None:
        """Note that what is computed last is going to be behind."""
        self.undescribed.touch()

    def mark_described(self) -> None:
        """Note that what is computed last is in line."""
        self.undescribed.unlink(missing_ok=True)
