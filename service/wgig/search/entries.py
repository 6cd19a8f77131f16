"""What the index holds of a thing in one language: its names, and the texts about it and its parts."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import pyoxigraph as ox

from ..rdf.labels import LABEL_PROPERTIES
from ..rdf.namespaces import (
    RDF_NAMESPACE,
    SKOS_NAMESPACE,
    WGIG_NAMESPACE,
    XSD_STRING,
    expand_curie,
    kind_of_iri,
)
from .tokenizer import tokenize_text

# Properties whose values are names of a thing, then those whose values are texts about it. What stands first
# is shown first.
NAME_PROPERTIES = (*LABEL_PROPERTIES, f"{SKOS_NAMESPACE}notation")
TEXT_PROPERTIES = (
    *(
        expand_curie(name).value
        for name in ("skos:definition", "dcterms:description", "rdfs:comment", "skos:scopeNote", "skos:note")
    ),
    *(
        WGIG_NAMESPACE + name
        for name in (
            "issueDescription",
            "labelAsListed",
            "strength",
            "weakness",
            "opportunity",
            "threat",
            "participants",
            "nature",
            "decisionProcedure",
            "objectives",
            "content",
            "rationale",
            "additionalComments",
            "topic",
            "relevance",
            "sessionTitle",
            "postTitle",
            "venue",
        )
    ),
    RDF_NAMESPACE + "value",
)
INDEXED_PROPERTIES = (*NAME_PROPERTIES, *TEXT_PROPERTIES)
PROPERTY_POSITIONS = {ox.NamedNode(iri): place for place, iri in enumerate(INDEXED_PROPERTIES)}

# Kinds in the order in which things come that are alike otherwise; others come last.
KIND_ORDER = (
    "issue", "principle", "category", "stakeholder-group", "agent", "meeting", "session", "agreement",
    "milestone", "document", "paragraph", "contribution", "disagreement", "claim", "concept", "place", "term",
    "shape", "paper",
)  # fmt: skip
# What the service computes or notes of each paper and write is found by its links, not by its words, and a
# graph by what stands in it.
UNINDEXED_KINDS = frozenset({"assertion", "test-result", "write", "writer", "identifier", "graph"})
# Stands between two passages, so that no phrase reaches from one into the other.
PASSAGE_SEPARATOR = "\N{SECTION SIGN}"


class Passage(NamedTuple):
    """A value of a property: its place among PROPERTIES, the part of the thing that has it, and the text."""

    place: int
    part: str
    text: str


class EntryKey(NamedTuple):
    """A thing and a language, in lower case; empty for texts of none."""

    iri: str
    language: str


@dataclass(frozen=True)
class IndexEntry:
    """The passages of a thing in one language, the most important first."""

    passages: list[Passage] = field(default_factory=list)

    @classmethod
    def from_passages(cls, passages: Iterable[Passage]) -> "IndexEntry":
        """The entry of these passages, in whatever order they come."""
        return cls(sorted(set(passages)))

    @classmethod
    def parse(cls, text: str) -> "IndexEntry":
        """The entry that was written so."""
        return cls([Passage(*one) for one in json.loads(text)])

    def __str__(self) -> str:
        """The entry as it is kept."""
        return json.dumps(self.passages, ensure_ascii=False, separators=(",", ":"))

    @property
    def names(self) -> list[str]:
        """What the thing itself is called."""
        return [one.text for one in self.passages if one.place < len(NAME_PROPERTIES) and not one.part]

    @property
    def label(self) -> str:
        """What it is called first of all; empty where it has no name in this language."""
        return next(iter(self.names), "")

    @cached_property
    def name_words(self) -> str:
        """The words of all names."""
        return join_text_words(self.names)

    @cached_property
    def passage_words(self) -> str:
        """The words of all passages."""
        return join_text_words(one.text for one in self.passages)


def join_text_words(texts: Iterable[str]) -> str:
    """The words of texts with spaces between, and a sign where one text ends."""
    return f" {PASSAGE_SEPARATOR} ".join(" ".join(tokenize_text(one)) for one in texts)


def find_index_passage(quad: ox.Quad, base: str) -> tuple[EntryKey, Passage] | None:
    """Where a statement belongs in the index, and as what; None where it does not."""
    subject, text = quad.subject, quad.object
    place = PROPERTY_POSITIONS.get(quad.predicate)
    if place is None or not isinstance(subject, ox.NamedNode) or not isinstance(text, ox.Literal):
        return None
    if not text.language and text.datatype != XSD_STRING:
        return None
    iri = indexed_resource_iri(subject.value, base)
    if kind_of_iri(iri, base) in UNINDEXED_KINDS:
        return None
    key = EntryKey(iri, (text.language or "").lower())
    return key, Passage(place, subject.value.removeprefix(iri), text.value)


def iter_index_passages(quads: Iterable[ox.Quad], base: str) -> Iterator[tuple[EntryKey, Passage]]:
    """Where statements belong in the index, and as what."""
    found = (find_index_passage(one, base) for one in quads)
    return (one for one in found if one is not None)


def indexed_resource_iri(iri: str, base: str) -> str:
    """The thing that an IRI names, or that it names a part of: a paper is found as a whole."""
    home = f"{base}id/paper/"
    if not iri.startswith(home):
        return iri
    return home + iri.removeprefix(home).partition("/")[0]


def kind_rank(kind: str) -> int:
    """How early things of a kind come."""
    return KIND_ORDER.index(kind) if kind in KIND_ORDER else len(KIND_ORDER)


def passage_statement(key: EntryKey, passage: Passage) -> tuple[ox.NamedNode, ox.NamedNode, ox.Literal]:
    """The terms of the statement that a passage comes from, but for the capitals of its language."""
    text = ox.Literal(passage.text, language=key.language) if key.language else ox.Literal(passage.text)
    return ox.NamedNode(key.iri + passage.part), ox.NamedNode(INDEXED_PROPERTIES[passage.place]), text
