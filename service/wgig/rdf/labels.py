"""What things are called: the properties that name them, and the text that is best for a reader.

A language range fits a tag that is equal or begins with it (RFC 4647, section 3.3.1). After the languages of
the reader come English, no language, Latin letters, and any language.
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
    """How far a language is from what is liked: the place of its range, and whether it is only below that."""
    tag = tag.lower()
    fitting = ((at, tag != one) for at, one in enumerate(ranges) if tag == one or tag.startswith(f"{one}-"))
    return next(fitting, (len(ranges), False))


def label_distance(text: ox.Literal, place: int = 0) -> tuple[int, int, str]:
    """How far a text, by the label property in this place, is from what a reader of English wants."""
    language, _, script = (text.language or "").partition("-")
    return {"en": 0, "": 1}.get(language, 2 if script == "latn" else 3), place, text.value


def best_text(texts: Iterable[Any], ranges: Sequence[str] = (), otherwise: str = "") -> ox.Literal:
    """The text that is best for a reader of these languages; `otherwise` where no term is a text."""
    found = [one for one in texts if isinstance(one, ox.Literal)]
    if not found:
        return ox.Literal(otherwise)
    return min(found, key=lambda one: (rank_language(one.language or "", ranges), label_distance(one)))


def label_or_words(labels: Mapping[str, ox.Literal], iri: str) -> ox.Literal:
    """The label of an IRI among those that are known, else the end of the IRI in words."""
    return labels[iri] if iri in labels else ox.Literal(words_of_iri(iri))


def words_of_iri(iri: str) -> str:
    """The last part of an IRI as words, for terms that come without a label: `isPartOf` is "is part of"."""
    name = re.split(r"[#/]", iri.rstrip("#/"))[-1]
    return WORD_BREAK_PATTERN.sub(" ", name).strip().lower() or iri
