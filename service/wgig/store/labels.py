"""Labels: the best label of each resource by language.

Label properties are tried in order (skos:prefLabel, rdfs:label, and so on). A skos:altLabel counts only if
its language tag ends in `-latn`, for a transliteration into Latin letters. In a language map, texts without a
language are under `@none` (JSON-LD 1.1).
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from ..rdf.labels import LABEL_PROPERTIES, label_sort_key, rank_language
from .node_cache import cache_for_node
from .view import StoreView

if TYPE_CHECKING:  # query workers do not need it
    from .store import Store

# By property: its position in the order of preference.
_LABEL_RANKS = {ox.NamedNode(iri): rank for rank, iri in enumerate(LABEL_PROPERTIES)}
ALT_LABEL_RANK = len(LABEL_PROPERTIES) - 1  # skos:altLabel is the last


def find_labels(
    store: "Store", iris: Iterable[str], language_ranges: tuple[str, ...] = ()
) -> dict[str, ox.Literal]:
    """The best label of each IRI that has one.

    `language_ranges` are in order of preference. Labels in other languages follow: English, no language,
    tags that end in `-latn`, and any language.
    """
    labels = {iri: find_label(store, iri, language_ranges) for iri in sorted(set(iris))}
    return {iri: label for iri, label in labels.items() if label is not None}


@cache_for_node
def find_label(store: "Store", iri: str, language_ranges: tuple[str, ...] = ()) -> ox.Literal | None:
    """The best label of an IRI, or None; cached until a write touches the IRI."""
    return read_label(store, iri, language_ranges)


def read_label(view: StoreView, iri: str, language_ranges: tuple[str, ...] = ()) -> ox.Literal | None:
    """The best label of an IRI, or None."""
    node = ox.NamedNode(iri)
    candidates: list[tuple[ox.NamedNode, Any]] = []
    label: ox.Literal | None = None
    for property_ in _LABEL_RANKS:
        candidates += ((property_, quad.object) for quad in view.match(node, property_))
        label = best_label(candidates, language_ranges)
        if label is not None and label.language == "en" and not language_ranges:
            break  # no later property can have a better one
    return label


def best_label(
    values: Iterable[tuple[ox.NamedNode, Any]], language_ranges: Sequence[str]
) -> ox.Literal | None:
    """The best label among (property, value) pairs of a resource; None if none is a label."""
    candidates = [
        ((rank_language(text.language or "", language_ranges), *label_sort_key(text, rank)), text)
        for property_, text in values
        if (rank := _LABEL_RANKS.get(property_)) is not None
        if isinstance(text, ox.Literal) and is_label_text(text, rank)
    ]
    return min(candidates, key=itemgetter(0))[1] if candidates else None


def is_label_text(text: ox.Literal, rank: int) -> bool:
    """Whether a text is a label; a skos:altLabel is a label only if its language ends in `-latn`."""
    return rank != ALT_LABEL_RANK or (text.language or "").lower().endswith("-latn")


def build_language_map(texts: Iterable[Any]) -> dict[str, list[str]]:
    """Texts by language; texts without a language, and other values, are under `@none` (JSON-LD 1.1)."""
    texts_by_language: dict[str, list[str]] = {}
    for text in texts:
        texts_by_language.setdefault(getattr(text, "language", None) or "@none", []).append(
            getattr(text, "value", str(text))
        )
    return texts_by_language
