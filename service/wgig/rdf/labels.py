"""Labels: the properties that hold them, and the choice of the best text for the preferred languages.

A language range matches a tag that is equal or begins with it (RFC 4647, section 3.3.1). After the preferred
languages come English, no language, Latin script, and any other language, in this order.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyoxigraph as ox

from .namespaces import expand_curie

LABEL_PROPERTIES = tuple(
    expand_curie(name).value
    for name in ("skos:prefLabel", "rdfs:label", "foaf:name", "dcterms:title", "skos:altLabel")
)
WORD_BREAK_PATTERN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+")


def rank_language(tag: str, ranges: Sequence[str]) -> tuple[int, bool]:
    """A sort key: the index of the first range that matches, and whether it is only a prefix of the tag."""
    tag = tag.lower()
    matches = (
        (index, tag != range_)
        for index, range_ in enumerate(ranges)
        if tag == range_ or tag.startswith(f"{range_}-")
    )
    return next(matches, (len(ranges), False))


def label_distance(text: ox.Literal, property_index: int = 0) -> tuple[int, int, str]:
    """A sort key without preferences: English first; `property_index` is that in LABEL_PROPERTIES."""
    language, _, script = (text.language or "").partition("-")
    return {"en": 0, "": 1}.get(language, 2 if script == "latn" else 3), property_index, text.value


def best_text(terms: Iterable[Any], ranges: Sequence[str] = (), default: str = "") -> ox.Literal:
    """The best literal for these language ranges; `default` as a literal if there is none among the terms."""
    texts = [term for term in terms if isinstance(term, ox.Literal)]
    if not texts:
        return ox.Literal(default)
    return min(texts, key=lambda text: (rank_language(text.language or "", ranges), label_distance(text)))


def label_or_words(labels: Mapping[str, ox.Literal], iri: str) -> ox.Literal:
    """The label of an IRI, or else the words of its last part."""
    return labels[iri] if iri in labels else ox.Literal(words_of_iri(iri))


def words_of_iri(iri: str) -> str:
    """The last part of an IRI as words, for terms without a label: `isPartOf` gives "is part of"."""
    name = re.split(r"[#/]", iri.rstrip("#/"))[-1]
    return WORD_BREAK_PATTERN.sub(" ", name).strip().lower() or iri
