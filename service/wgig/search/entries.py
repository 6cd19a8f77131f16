"""Index entries. An entry has the passages, names and texts, of a resource and its parts in one language."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import pyoxigraph as ox

from ..pages.names import RECORD_KINDS
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

# Properties with names of a resource, and properties with texts about it, each in order of importance.
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
            "mechanismRole",
            "quotation",
            "judgedAsNamed",
            "namesScope",
            "occasion",
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
PROPERTY_POSITIONS = {ox.NamedNode(iri): position for position, iri in enumerate(INDEXED_PROPERTIES)}

# Kinds of resources (see `kind_of_iri`), in the order of results of equal rank. Other kinds are last.
KIND_ORDER = (
    "issue", "principle", "category", "stakeholder-group", "agent", "mechanism", "meeting", "session",
    "agreement", "outcome", "milestone", "document", "paragraph", "definition", "dispute", "judgment",
    "recommendation", "contribution", "disagreement", "claim", "concept", "place", "term", "shape", "paper",
)  # fmt: skip
# Kinds whose names match before those of others, and kinds that are named by a sentence and match after them.
SUBJECT_KINDS = frozenset({"issue", "principle", "category"})
STATEMENT_KINDS = frozenset({"judgment", "dispute", "recommendation", "outcome", "claim"})
# Records of programs, and resources that the service creates for papers and writes: users find them by links.
UNINDEXED_KINDS = RECORD_KINDS | {"assertion", "test-result", "write", "writer", "graph"}
# Between the words of two passages, so that no phrase matches across them.
PASSAGE_SEPARATOR = "\N{SECTION SIGN}"


class Passage(NamedTuple):
    """A text in an entry, with its property as the position in INDEXED_PROPERTIES.

    `part` is the IRI suffix of the part of the resource with the text, such as `/forum/2`; empty for the
    resource.
    """

    property_position: int
    part: str
    text: str


class EntryKey(NamedTuple):
    """A resource and a language tag in lower case; the tag is empty for texts without a language."""

    iri: str
    language: str


@dataclass(frozen=True)
class IndexEntry:
    """The passages of a resource in one language, the most important first."""

    passages: list[Passage] = field(default_factory=list)

    @classmethod
    def from_passages(cls, passages: Iterable[Passage]) -> "IndexEntry":
        """An entry with passages, which may be in any order."""
        return cls(sorted(set(passages)))

    @classmethod
    def parse(cls, text: str) -> "IndexEntry":
        """The entry that is serialized as JSON."""
        return cls([Passage(*row) for row in json.loads(text)])

    def __str__(self) -> str:
        """The entry as JSON."""
        return json.dumps(self.passages, ensure_ascii=False, separators=(",", ":"))

    @property
    def names(self) -> list[str]:
        """The names of the resource, without the names of its parts."""
        return [
            passage.text
            for passage in self.passages
            if passage.property_position < len(NAME_PROPERTIES) and not passage.part
        ]

    @property
    def label(self) -> str:
        """The first name; empty if there is none in this language."""
        return next(iter(self.names), "")

    @cached_property
    def name_words(self) -> str:
        """The words of all names."""
        return join_text_words(self.names)

    @cached_property
    def passage_words(self) -> str:
        """The words of all passages."""
        return join_text_words(passage.text for passage in self.passages)


def join_text_words(texts: Iterable[str]) -> str:
    """The words of texts as `tokenize_text` returns them, with PASSAGE_SEPARATOR between texts."""
    return f" {PASSAGE_SEPARATOR} ".join(" ".join(tokenize_text(text)) for text in texts)


def find_index_passage(quad: ox.Quad, base: str) -> tuple[EntryKey, Passage] | None:
    """The key and passage for a quad; None if the quad is not indexed."""
    subject, text = quad.subject, quad.object
    position = PROPERTY_POSITIONS.get(quad.predicate)
    if position is None or not isinstance(subject, ox.NamedNode) or not isinstance(text, ox.Literal):
        return None
    if not text.language and text.datatype != XSD_STRING:
        return None
    iri = indexed_resource_iri(subject.value, base)
    if kind_of_iri(iri, base) in UNINDEXED_KINDS:
        return None
    key = EntryKey(iri, (text.language or "").lower())
    return key, Passage(position, subject.value.removeprefix(iri), text.value)


def iter_index_passages(quads: Iterable[ox.Quad], base: str) -> Iterator[tuple[EntryKey, Passage]]:
    """The keys and passages of the quads that are indexed."""
    passages = (find_index_passage(quad, base) for quad in quads)
    return (passage for passage in passages if passage is not None)


def indexed_resource_iri(iri: str, base: str) -> str:
    """The resource whose entry has the texts of an IRI: for a part of a paper, the paper."""
    papers_prefix = f"{base}id/paper/"
    if not iri.startswith(papers_prefix):
        return iri
    return papers_prefix + iri.removeprefix(papers_prefix).partition("/")[0]


def kind_rank(kind: str) -> int:
    """The position of a kind in KIND_ORDER; for other kinds, the position after the last."""
    return KIND_ORDER.index(kind) if kind in KIND_ORDER else len(KIND_ORDER)


def passage_statement(key: EntryKey, passage: Passage) -> tuple[ox.NamedNode, ox.NamedNode, ox.Literal]:
    """The triple of a passage, with the language tag in lower case."""
    text = ox.Literal(passage.text, language=key.language) if key.language else ox.Literal(passage.text)
    return (
        ox.NamedNode(key.iri + passage.part),
        ox.NamedNode(INDEXED_PROPERTIES[passage.property_position]),
        text,
    )
