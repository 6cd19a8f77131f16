"""Crash recovery: the journal of the current write, and the clean marks of derived data.

The journal has the scope of the write, and the contents of the scope before the write. It exists until all
derived data is up to date. If there is a journal when the store is opened after a crash, the change of the
write is computed from it. The journal is not synced to disk: a checksum detects a journal that a power cut
damaged, and such a journal is ignored. A write of more than 20,000 quads, or one that may change any graph,
has no journal. If the write was refused because too much follows from it, it is undone instead.

Marks are files in the store folder. They record whether inferred quads, descriptions (graphs about the store)
and the search index agree with the data. The mark of the index has a token that is also stored in the index.
The tokens differ if the store was written without the index (after a crash, by another program, from a
backup); then the index is rebuilt.
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
    """A file that exists while derived data agrees with the quads; its text identifies the last write.

    It is removed before a write, and written when the derived data is up to date. Methods raise OSError.
    """

    path: Path

    def read(self) -> str:
        """The text of the mark; empty if there is none."""
        return self.path.read_text("utf-8", "replace") if self.path.exists() else ""

    def write(self, text: str) -> None:
        """Write the mark. It need not be synced: if it is lost, the derived data is rebuilt."""
        self.path.unlink(missing_ok=True)  # never changed in place, as a checkpoint may hard-link it
        self.path.write_text(text, "utf-8")

    def remove(self) -> bool:
        """Remove the mark. Returns whether there was one."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True


INDEX_MARK_FILE = "indexed"


def get_index_mark(folder: Path) -> CleanMark:
    """The mark of the search index; its text is a token that is also stored in the index."""
    return CleanMark(folder / INDEX_MARK_FILE)


JOURNAL_FILE = "journal"
INFERRED_JOURNAL_FILE = "journal-inferred"
UNDO_MARK_FILE = "journal-undone"  # exists if the journaled write was refused, and is to be undone
MAX_JOURNAL_QUADS = 20_000


class JournalEntry(NamedTuple):
    """The scope of a write; before the write, its contents and the quads of computed graphs from them.

    `described_state` identifies the state of the quads that is described: None if descriptions were outdated,
    empty if there are none.
    """

    scope: WriteScope
    contents_before: Contents
    computed_quads: frozenset[ox.Quad]
    described_state: str | None = ""


def write_journal(folder: Path, entry: JournalEntry, digest: str) -> None:
    """Write the journal of a store folder, unless it is too large or the write may change any graph.

    `digest` is that of the `Inference`.
    """
    parts = (entry.scope.quads, entry.contents_before.quads, entry.computed_quads)
    if entry.scope.graphs is None or sum(map(len, parts)) > MAX_JOURNAL_QUADS:
        return
    graphs = [[str(name) for name in names] for names in (entry.scope.graphs, entry.scope.names)]
    other_parts = (*graphs, sorted(entry.contents_before.graphs), entry.described_state)
    write_checksummed_json(
        folder / JOURNAL_FILE, [digest, *(serialize_n_quads(quads).decode() for quads in parts), *other_parts]
    )


def read_journal(folder: Path, digest: str) -> JournalEntry | None:
    """The journal of a store folder; None if there is none, it is damaged, or its digest differs."""
    parts = read_checksummed_json(folder / JOURNAL_FILE)
    if parts is None or parts[0] != digest:
        return None
    _, scope_quads, quads_before, computed_quads, graphs, extra_graphs, graphs_before, described_state = parts
    scope = WriteScope(
        tuple(map(parse_graph_term, graphs)),
        tuple(parse_n_quads(scope_quads)),
        tuple(map(parse_graph_term, extra_graphs)),
    )
    return JournalEntry(
        scope,
        Contents(set(parse_n_quads(quads_before)), set(graphs_before)),
        frozenset(parse_n_quads(computed_quads)),
        described_state,
    )


def write_inferred_journal(folder: Path, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> None:
    """Write the inferred quads to remove and to add, if there is a journal."""
    if (folder / JOURNAL_FILE).exists():
        write_checksummed_json(
            folder / INFERRED_JOURNAL_FILE, [serialize_n_quads(quads).decode() for quads in (removed, added)]
        )


def read_inferred_journal(folder: Path) -> tuple[set[ox.Quad], set[ox.Quad]] | None:
    """The inferred quads to remove and those to add; None if they were not written or are damaged."""
    parts = read_checksummed_json(folder / INFERRED_JOURNAL_FILE)
    return (set(parse_n_quads(parts[0])), set(parse_n_quads(parts[1]))) if parts else None


def mark_undone(folder: Path) -> None:
    """Mark the journaled write as one to be undone."""
    (folder / UNDO_MARK_FILE).touch()


def is_marked_undone(folder: Path) -> bool:
    """Whether the journaled write is to be undone."""
    return (folder / UNDO_MARK_FILE).exists()


def remove_journal(folder: Path) -> None:
    """Remove the journal files."""
    for name in (UNDO_MARK_FILE, JOURNAL_FILE, INFERRED_JOURNAL_FILE):
        (folder / name).unlink(missing_ok=True)


def write_checksummed_json(path: Path, parts: list[Any]) -> None:
    """Write a JSON file that begins with a checksum."""
    text = json.dumps(parts)
    path.write_text(f"{hash_journal_text(text)}\n{text}", "utf-8")


def read_checksummed_json(path: Path) -> list[Any] | None:
    """The content of a checksummed JSON file; None if it is missing or damaged."""
    checksum, _, text = path.read_text("utf-8", "replace").partition("\n") if path.exists() else ("", "", "")
    parts: list[Any] | None = json.loads(text) if checksum == hash_journal_text(text) else None
    return parts


def hash_journal_text(text: str) -> str:
    """The SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def parse_graph_term(name: str) -> GraphName:
    """The term of a graph name in N-Quads syntax; the default graph unless it is an IRI."""
    return ox.NamedNode(name[1:-1]) if name.startswith("<") else ox.DefaultGraph()


CLEAN_MARK_FILE = "inferred-by"  # exists while inferred quads agree with the asserted ones
UNDESCRIBED_MARK_FILE = "undescribed"  # exists while the descriptions may be out of date


def get_inference_mark(folder: Path) -> CleanMark:
    """The mark of inferred quads: the digest of the `Inference`, and a token that each write changes."""
    return CleanMark(folder / CLEAN_MARK_FILE)


class InferenceMarks:
    """The marks of the inferred quads and descriptions in a store folder. Methods raise OSError."""

    def __init__(self, folder: Path, digest: str) -> None:
        """Take the store folder, and the digest of the `Inference`."""
        self.folder, self.digest = folder, digest
        self.clean_mark = get_inference_mark(folder)
        self.undescribed = folder / UNDESCRIBED_MARK_FILE

    @property
    def is_clean(self) -> bool:
        """Whether inferred quads agree with the asserted ones, by the rules of this digest."""
        return self.clean_mark.read().partition(" ")[0] == self.digest

    @property
    def is_described(self) -> bool:
        """Whether the descriptions are up to date."""
        return not self.undescribed.exists()

    def mark_dirty(self) -> None:
        """Remove the clean mark before a write, and sync: no power cut may keep both write and mark."""
        self.clean_mark.remove()
        sync_to_disk(self.folder)

    def mark_clean(self) -> None:
        """Write the clean mark with a new token."""
        self.clean_mark.write(f"{self.digest} {uuid.uuid4().hex}")

    def mark_undescribed(self) -> None:
        """Mark the descriptions as out of date."""
        self.undescribed.touch()

    def mark_described(self) -> None:
        """Mark the descriptions as up to date."""
        self.undescribed.unlink(missing_ok=True)
