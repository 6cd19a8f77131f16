"""Index entries: the names and texts of a resource, with those of its parts, in one language."""

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

# Properties whose values are names of a resource, then those whose values are texts about it. Earlier ones
# are shown first.
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

# The order of kinds among results of equal rank; other kinds come last.
KIND_ORDER = (
    "issue", "principle", "category", "stakeholder-group", "agent", "meeting", "session", "agreement",
    "milestone", "document", "paragraph", "contribution", "disagreement", "claim", "concept", "place", "term",
    "shape", "paper",
)  # fmt: skip
# Resources that the service computes or records for each paper and write are found by links, not by words,
# and graphs by their content.
UNINDEXED_KINDS = frozenset({"assertion", "test-result", "write", "writer", "identifier", "graph"})
# Separates two passages, so that no phrase matches across them.
PASSAGE_SEPARATOR = "\N{SECTION SIGN}"


class Passage(NamedTuple):
    """A value of a property: the index of the property in INDEXED_PROPERTIES, the part that has it, the text.

    `part` is the suffix of the IRI of the part of the resource; empty for the resource itself.
    """

    place: int
    part: str
    text: str


class EntryKey(NamedTuple):
    """A resource and a language tag in lower case; the tag is empty for texts without language."""

    iri: str
    language: str


@dataclass(frozen=True)
class IndexEntry:
    """The passages of a thing in one language, the most important first."""

    passages: list[Passage] = field(default_factory=list)

    @classmethod
    def from_passages(cls, passages: Iterable[Passage]) -> "IndexEntry":
        """The entry of these passages, which may be in any order."""
        return cls(sorted(set(passages)))

    @classmethod
    def parse(cls, text: str) -> "IndexEntry":
        """The entry from its JSON."""
        return cls([Passage(*row) for row in json.loads(text)])

    def __str__(self) -> str:
        """The entry as JSON."""
        return json.dumps(self.passages, ensure_ascii=False, separators=(",", ":"))

    @property
    def names(self) -> list[str]:
        """The names of the resource itself."""
        return [
            passage.text
            for passage in self.passages
            if passage.place < len(NAME_PROPERTIES) and not passage.part
        ]

    @property
    def label(self) -> str:
        """Its first name; empty where it has none in this language."""
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
    """The words of texts, separated by spaces, with PASSAGE_SEPARATOR between texts."""
    return f" {PASSAGE_SEPARATOR} ".join(" ".join(tokenize_text(text)) for text in texts)


def find_index_passage(quad: ox.Quad, base: str) -> tuple[EntryKey, Passage] | None:
    """The key and passage that a quad adds to the index; None where it adds nothing."""
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
    """The keys and passages that quads add to the index."""
    passages = (find_index_passage(quad, base) for quad in quads)
    return (passage for passage in passages if passage is not None)


def indexed_resource_iri(iri: str, base: str) -> str:
    """The resource under which an IRI is indexed: for parts of a paper, the paper."""
    papers_prefix = f"{base}id/paper/"
    if not iri.startswith(papers_prefix):
        return iri
    return papers_prefix + iri.removeprefix(papers_prefix).partition("/")[0]


def kind_rank(kind: str) -> int:
    """The position of a kind in KIND_ORDER."""
    return KIND_ORDER.index(kind) if kind in KIND_ORDER else len(KIND_ORDER)


def passage_statement(key: EntryKey, passage: Passage) -> tuple[ox.NamedNode, ox.NamedNode, ox.Literal]:
    """The triple that a passage comes from, except that its language tag is in lower case."""
    text = ox.Literal(passage.text, language=key.language) if key.language else ox.Literal(passage.text)
    return ox.NamedNode(key.iri + passage.part), ox.NamedNode(INDEXED_PROPERTIES[passage.place]), text
