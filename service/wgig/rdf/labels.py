"""Labels: the properties that have them as values, and the choice of the best text by language.

A language range matches a tag that is equal or begins with it (RFC 4647, section 3.3.1). After the preferred
languages come English, no language, tags with the script `Latn` such as `zh-Latn`, and all other tags.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyoxigraph as ox

from .namespaces import MAX_CACHED_NAMES, expand_curie

LABEL_PROPERTIES = tuple(  # in order of preference
    expand_curie(name).value
    for name in ("skos:prefLabel", "rdfs:label", "foaf:name", "dcterms:title", "skos:altLabel")
)
WORD_BREAK_PATTERN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+")


def rank_language(tag: str, ranges: Sequence[str]) -> tuple[int, bool]:
    """A sort key: the index of the first of the lowercase ranges that matches; whether the tag is longer."""
    tag = tag.lower()
    matches = (
        (index, tag != range_)
        for index, range_ in enumerate(ranges)
        if tag == range_ or tag.startswith(f"{range_}-")
    )
    return next(matches, (len(ranges), False))


def label_sort_key(text: ox.Literal, property_index: int = 0) -> tuple[int, int, str]:
    """A sort key without preferred languages: English first.

    `property_index` is the index of the property of the text in LABEL_PROPERTIES.
    """
    language, _, script = (text.language or "").partition("-")
    return {"en": 0, "": 1}.get(language, 2 if script == "latn" else 3), property_index, text.value


def best_text(terms: Iterable[Any], ranges: Sequence[str] = (), default: str = "") -> ox.Literal:
    """The best literal for these language ranges; `default` as a literal if there is none among the terms."""
    texts = [term for term in terms if isinstance(term, ox.Literal)]
    if not texts:
        return ox.Literal(default)
    return min(texts, key=lambda text: (rank_language(text.language or "", ranges), label_sort_key(text)))


def label_or_words(labels: Mapping[str, ox.Literal], iri: str) -> ox.Literal:
    """The label of an IRI; without one, the words of its last segment."""
    return labels[iri] if iri in labels else ox.Literal(words_of_iri(iri))


@lru_cache(MAX_CACHED_NAMES)
def words_of_iri(iri: str) -> str:
    """The last segment of an IRI as words, for terms without a label: "is part of" for `isPartOf`."""
    name = re.split(r"[#/]", iri.rstrip("#/"))[-1]
    return WORD_BREAK_PATTERN.sub(" ", name).strip().lower() or iri
