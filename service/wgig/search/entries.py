"""Index entries. An entry has the passages, names and texts, of a resource and its parts in one language."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import pyoxigraph as ox

from ..pages.names import RECORD_KINDS, VOCABULARY_KIND_NAMES
from ..rdf.labels import LABEL_PROPERTIES
from ..rdf.namespaces import (
    RDF_NAMESPACE,
    SKOS_NAMESPACE,
    WGIG_NAMESPACE,
    XSD_STRING,
    expand_curie,
    kind_of_iri,
)
from .stemming import find_word_stems, fold_and_stem
from .tokenizer import list_written_words, tokenize_text

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
NOTE_POSITION = INDEXED_PROPERTIES.index(f"{SKOS_NAMESPACE}note")
ALTERNATIVE_LABEL_POSITION = len(LABEL_PROPERTIES) - 1  # of skos:altLabel, and notations follow
PROPERTY_POSITIONS = {ox.NamedNode(iri): position for position, iri in enumerate(INDEXED_PROPERTIES)}

# Terms, downloads and other records for programs. They come after all other results.
MACHINE_KINDS = ("term", "shape", "scheme", "profile", "software", "other")
# Values of vocabularies, such as the roles of members and the verdicts of judgments.
VOCABULARY_VALUE_KINDS = tuple(
    kind for kind in VOCABULARY_KIND_NAMES if kind not in {*MACHINE_KINDS, "paragraph"}
)
# Kinds of resources (see `kind_of_iri`), in the order of results of equal rank. Unknown kinds come last.
KIND_ORDER = (
    "issue", "principle", "category", "stakeholder-group", "agent", "mechanism", "meeting", "session",
    "agreement", "outcome", "milestone", "document", "query", "paragraph", "definition", "dispute",
    "judgment", "recommendation", "contribution", "disagreement", "claim", "concept", "place", "citation",
    "membership", "participation", *VOCABULARY_VALUE_KINDS, "paper", *MACHINE_KINDS,
)  # fmt: skip
# Kinds of what people ask about, whose names match before those of others; of resources that have the name of
# another, such as the issue that a paper is about; and of those that are named by a sentence, and match last.
SUBJECT_KINDS = ("issue", "principle", "category")
NAMESAKE_KINDS = ("paragraph", "paper", "session", "membership", "participation")
STATEMENT_KINDS = (
    "judgment", "dispute", "recommendation", "outcome", "claim", "citation", "contribution", "disagreement",
)  # fmt: skip
# Records of programs, and resources that the service creates for papers and writes: users find them by links.
UNINDEXED_KINDS = RECORD_KINDS | {"assertion", "test-result", "write", "writer", "graph"}
# A word in brackets; one with two capitals, such as (ITU), is the short name of what precedes it.
BRACKETED_WORD_PATTERN = re.compile(r"[(（]([\w.-]{2,12})[)）]")
MAX_RANKED_FORMS, MAX_RANKED_CHARACTERS = (
    50,
    500,
)  # of the names of a resource, and of each; the rest is ignored
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
    def texts(self) -> list[str]:
        """The texts of all passages."""
        return [passage.text for passage in self.passages]

    @property
    def label(self) -> str:
        """The first name that is no alternative; empty if there is none in this language."""
        return next(
            (
                passage.text
                for passage in self.passages
                if passage.property_position < ALTERNATIVE_LABEL_POSITION and not passage.part
            ),
            "",
        )

    @cached_property
    def name_words(self) -> str:
        """The words of all names."""
        return join_text_words(self.names)

    @cached_property
    def passage_words(self) -> str:
        """The words of all passages."""
        return join_text_words(self.texts)


class NameForm(NamedTuple):
    """The folded words of a name, and for each of them its stem, or the word itself if it has none."""

    words: list[str]
    stems: list[str]


def serialize_name_forms(names: Iterable[str], language: str) -> str:
    """The forms of the names and their variants, the most important first, for `parse_name_forms`."""
    variants = islice(iter_name_variants(names), MAX_RANKED_FORMS)
    lines = dict.fromkeys(serialize_name_form(name, language) for name in variants)
    return "\n".join(line for line in lines if line)


def serialize_name_form(name: str, language: str) -> str:
    """A name as its folded words, a tab, and their stems; empty if it has no words."""
    pairs = [fold_and_stem(word, language) for word in list_written_words(name[:MAX_RANKED_CHARACTERS])]
    words = " ".join([word for word, _ in pairs if word])
    return f"{words}\t{' '.join([stem for _, stem in pairs if stem])}" if words else ""


def parse_name_forms(text: str) -> list[NameForm]:
    """The forms that `serialize_name_forms` serialized."""
    return [NameForm(*(part.split(" ") for part in line.split("\t"))) for line in text.splitlines()]


def iter_name_variants(names: Iterable[str]) -> Iterator[str]:
    """The names; with an abbreviation in brackets, also without it, and the abbreviation itself."""
    for name in names:
        yield name
        words = BRACKETED_WORD_PATTERN.findall(name)
        abbreviations = [word for word in words if sum(map(str.isupper, word)) >= 2]
        if abbreviations:
            yield BRACKETED_WORD_PATTERN.sub(" ", name)
            yield from abbreviations


def list_text_stems(texts: Iterable[str], language: str) -> list[str]:
    """The stems of all words of texts, each once, without words that are their own stem."""
    words = {word for text in texts for word in list_written_words(text)}
    return sorted({stem for word in words for stem in find_word_stems(word, language)})


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
