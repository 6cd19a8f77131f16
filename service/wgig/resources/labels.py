"""Labels: the best label of each resource by language, natural sort order, and the license of each graph.

Label properties are tried in order (skos:prefLabel, rdfs:label, and so on). An alternative label counts only
where it spells a name of another script in Latin letters. Texts without a language are under `@none` (JSON-LD
1.1). A graph has a license where it states exactly one.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import pyoxigraph as ox

from ..rdf.labels import LABEL_PROPERTIES, label_distance, rank_language
from ..rdf.namespaces import DCTERMS_LICENSE
from ..store.projections import cache_for_version
from ..store.store import Store
from ..store.view import StoreView


def shared_license(view: StoreView, graphs: Iterable[str | None]) -> str:
    """The IRI of the license that each of these graphs has; empty where one has none, or several."""
    every = set[str]()
    for graph in graphs:
        stated = view.match(ox.NamedNode(graph), DCTERMS_LICENSE) if graph else ()
        own = {one.object.value for one in stated if isinstance(one.object, ox.NamedNode)}
        every |= own or {""}
        if len(every) > 1:
            return ""
    return "".join(every)


@cache_for_version(1)
def store_license(view: StoreView, version: int) -> str:
    """The license of all that a store holds in a version, as `shared_license`."""
    del version  # which makes the cache forget
    unnamed = [None] if any(True for _ in view.triples(None)) else []
    return shared_license(view, [*unnamed, *view.graphs()])


_LABEL_RANKS = {ox.NamedNode(iri): place for place, iri in enumerate(LABEL_PROPERTIES)}
ALT_LABEL_RANK = len(LABEL_PROPERTIES) - 1


def find_labels(store: Store, iris: Iterable[str], ranges: tuple[str, ...] = ()) -> dict[str, ox.Literal]:
    """The best label of each IRI that has one, by the language ranges that a reader likes, the best first.

    After those come English, no language, Latin letters, and any language.
    """
    version = store.version
    best = {iri: find_label(store, version, iri, ranges) for iri in sorted(set(iris))}
    return {iri: found for iri, found in best.items() if found is not None}


@cache_for_version(20_000)
def find_label(store: Store, version: int, iri: str, ranges: tuple[str, ...] = ()) -> ox.Literal | None:
    """The best label of an IRI in a version of the store."""
    del version  # which makes the cache forget
    node = ox.NamedNode(iri)
    said: list[tuple[ox.NamedNode, Any]] = []
    found: ox.Literal | None = None
    for property_ in _LABEL_RANKS:
        said += ((property_, quad.object) for quad in store.match(node, property_))
        found = best_label(said, ranges)
        if found is not None and found.language == "en" and not ranges:
            break  # as no later property has a better one
    return found


def best_label(said: Iterable[tuple[ox.NamedNode, Any]], ranges: Sequence[str]) -> ox.Literal | None:
    """The best label among properties of a thing with their values."""
    found = [
        ((rank_language(text.language or "", ranges), *label_distance(text, place)), text)
        for property_, text in said
        if (place := _LABEL_RANKS.get(property_)) is not None
        if isinstance(text, ox.Literal) and is_label_text(text, place)
    ]
    return min(found, key=itemgetter(0))[1] if found else None


def is_label_text(text: ox.Literal, place: int) -> bool:
    """Whether a text is a label: an alternative one only where it spells another script in Latin letters."""
    return place != ALT_LABEL_RANK or (text.language or "").lower().endswith("-latn")


def build_language_map(texts: Iterable[Any]) -> dict[str, list[str]]:
    """Texts by language; those without one, and what is no text, are under `@none` (JSON-LD 1.1)."""
    found: dict[str, list[str]] = {}
    for one in texts:
        found.setdefault(getattr(one, "language", None) or "@none", []).append(
            getattr(one, "value", str(one))
        )
    return found
