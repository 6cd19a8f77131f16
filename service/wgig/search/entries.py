"""What the index holds of a thing in one language: its names, and the texts about it and its parts."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import pyoxigraph as ox

from ..rdf.namespaces import OUTSIDE, kind_of, namespaces
from ..settings import Settings
from .tokenizer import words

WGIG = namespaces(Settings.base)["wgig"]
XSD_STRING = ox.Literal("").datatype

# Properties whose values are names of a thing, then those whose values are texts about it. What stands first
# is shown first.
NAMES = tuple(
    OUTSIDE[prefix] + name
    for prefix, name in (
        ("skos", "prefLabel"),
        ("rdfs", "label"),
        ("foaf", "name"),
        ("dcterms", "title"),
        ("skos", "altLabel"),
        ("skos", "notation"),
    )
)
TEXTS = (
    *(
        OUTSIDE[prefix] + name
        for prefix, name in (
            ("skos", "definition"),
            ("dcterms", "description"),
            ("rdfs", "comment"),
            ("skos", "scopeNote"),
            ("skos", "note"),
        )
    ),
    *(
        WGIG + name
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
    OUTSIDE["rdf"] + "value",
)
PROPERTIES = (*NAMES, *TEXTS)
PLACES = {ox.NamedNode(iri): place for place, iri in enumerate(PROPERTIES)}

# Kinds in the order in which things come that are alike otherwise; others come last.
KINDS = (
    "issue", "principle", "category", "stakeholder-group", "agent", "meeting", "session", "agreement",
    "milestone", "document", "paragraph", "contribution", "disagreement", "claim", "concept", "place", "term",
    "shape", "paper",
)  # fmt: skip
# What the service computes or notes of each paper and write is found by its links, not by its words, and a
# graph by what stands in it.
UNNAMED = frozenset({"assertion", "test-result", "write", "writer", "identifier", "graph"})
GAP = "\N{SECTION SIGN}"  # stands between two passages, so that no phrase reaches from one into the other


class Passage(NamedTuple):
    """A value of a property: its place among PROPERTIES, the part of the thing that has it, and the text."""

    place: int
    part: str
    text: str


class Key(NamedTuple):
    """A thing and a language, in lower case; empty for texts of none."""

    iri: str
    language: str


@dataclass(frozen=True)
class Entry:
    """The passages of a thing in one language, the most important first."""

    passages: list[Passage] = field(default_factory=list)

    @classmethod
    def of(cls, passages: Iterable[Passage]) -> "Entry":
        """The entry of these passages, in whatever order they come."""
        return cls(sorted(set(passages)))

    @classmethod
    def read(cls, text: str) -> "Entry":
        """The entry that was written so."""
        return cls([Passage(*one) for one in json.loads(text)])

    def __str__(self) -> str:
        """The entry as it is kept."""
        return json.dumps(self.passages, ensure_ascii=False, separators=(",", ":"))

    @property
    def names(self) -> list[str]:
        """What the thing itself is called."""
        return [one.text for one in self.passages if one.place < len(NAMES) and not one.part]

    @property
    def label(self) -> str:
        """What it is called first of all; empty where it has no name in this language."""
        return next(iter(self.names), "")

    @cached_property
    def named(self) -> str:
        """The words of all names."""
        return as_words(self.names)

    @cached_property
    def written(self) -> str:
        """The words of all passages."""
        return as_words(one.text for one in self.passages)


def as_words(texts: Iterable[str]) -> str:
    """The words of texts with spaces between, and a sign where one text ends."""
    return f" {GAP} ".join(" ".join(words(one)) for one in texts)


def entry_of(quad: ox.Quad, base: str) -> tuple[Key, Passage] | None:
    """Where a statement belongs in the index, and as what; None where it does not."""
    subject, text = quad.subject, quad.object
    place = PLACES.get(quad.predicate)
    if place is None or not isinstance(subject, ox.NamedNode) or not isinstance(text, ox.Literal):
        return None
    if not text.language and text.datatype != XSD_STRING:
        return None
    iri = thing_of(subject.value, base)
    if kind_of(iri, base) in UNNAMED:
        return None
    key = Key(iri, (text.language or "").lower())
    return key, Passage(place, subject.value.removeprefix(iri), text.value)


def entries_of(quads: Iterable[ox.Quad], base: str) -> Iterator[tuple[Key, Passage]]:
    """Where statements belong in the index, and as what."""
    found = (entry_of(one, base) for one in quads)
    return (one for one in found if one is not None)


def thing_of(iri: str, base: str) -> str:
    """The thing that an IRI names, or that it names a part of: a paper is found as a whole."""
    home = f"{base}id/paper/"
    if not iri.startswith(home):
        return iri
    return home + iri.removeprefix(home).partition("/")[0]


def rank_of(kind: str) -> int:
    """How early things of a kind come."""
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def statement(key: Key, passage: Passage) -> tuple[ox.NamedNode, ox.NamedNode, ox.Literal]:
    """The terms of the statement that a passage comes from, but for the capitals of its language."""
    text = ox.Literal(passage.text, language=key.language) if key.language else ox.Literal(passage.text)
    return ox.NamedNode(key.iri + passage.part), ox.NamedNode(PROPERTIES[passage.place]), text
