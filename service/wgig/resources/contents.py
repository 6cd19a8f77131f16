"""The table of contents of a document, and the resources before and after one in its series."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..rdf.labels import best_text
from ..rdf.namespaces import DCTERMS_DESCRIPTION, DCTERMS_TITLE, RDF_TYPE, expand_curie, kind_of_iri
from ..store.store import Store
from ..store.version_cache import cache_for_version
from ..text import natural_sort_key
from .property_path import NO_KNOWN_VALUES, TYPE_STEP, KnownValues, PathStep, follow_step

DCTERMS_TYPE = expand_curie("dcterms:type")
MAX_CONTENTS_PARTS = 2_000  # parts of one document


class DocumentPart(NamedTuple):
    """A section or paragraph: its IRI, kind (an IRI), number, title or else summary, and its parts in order.

    Texts are empty if they are not known, and the kind is None.
    """

    iri: str
    is_paragraph: bool
    kind: str | None
    number: str
    text: ox.Literal
    parts: list["DocumentPart"]


class AdjacentParagraphs(NamedTuple):
    """The IRIs of the paragraphs, or the like, before and after one; None if there is none."""

    previous: str | None
    next: str | None


NO_PARAGRAPHS = AdjacentParagraphs(None, None)


def build_contents(
    store: Store, iri: str, base: str, language_ranges: Sequence[str] = ()
) -> list[DocumentPart]:
    """The sections and paragraphs that are part of a document or section, each with its own parts.

    Titles are in the languages of `language_ranges` if there are such titles. Parts beyond the maximum are
    left out.
    """
    part_of, order, number = (
        expand_curie(name, base) for name in ("wgig:partOf", "wgig:order", "wgig:number")
    )
    section, paragraph = expand_curie("wgig:Section", base), expand_curie("wgig:Paragraph", base)
    seen = {iri}

    def list_objects(node: ox.NamedNode, property_: ox.NamedNode) -> list[Any]:
        return [*dict.fromkeys(quad.object for quad in store.match(node, property_))]

    def order_key(node: ox.NamedNode) -> tuple[object, ...]:
        return natural_sort_key(best_text(list_objects(node, order)).value), natural_sort_key(node.value)

    def list_parts(parent: str) -> list[DocumentPart]:
        subjects = {quad.subject for quad in store.match(None, part_of, ox.NamedNode(parent))}
        types_by_node = {
            node: list_objects(node, RDF_TYPE) for node in subjects if isinstance(node, ox.NamedNode)
        }
        nodes = [
            node
            for node, types in types_by_node.items()
            if (section in types or paragraph in types) and node.value not in seen
        ]
        nodes = sorted(nodes, key=order_key)[: MAX_CONTENTS_PARTS - len(seen)]
        seen.update(node.value for node in nodes)
        return [
            DocumentPart(
                node.value,
                paragraph in types_by_node[node],
                next((kind.value for kind in list_objects(node, DCTERMS_TYPE)), None),
                best_text(list_objects(node, number)).value,
                best_text(
                    list_objects(node, DCTERMS_TITLE) or list_objects(node, DCTERMS_DESCRIPTION),
                    language_ranges,
                ),
                list_parts(node.value),
            )
            for node in nodes
        ]

    return list_parts(iri)


def iter_parts(parts: list[DocumentPart]) -> Iterator[DocumentPart]:
    """The parts and all their parts, in order."""
    for part in parts:
        yield part
        yield from iter_parts(part.parts)


def find_adjacent_paragraphs(store: Store, iri: str, base: str) -> AdjacentParagraphs:
    """The paragraphs before and after a paragraph in its document."""
    return pick_adjacent(list_paragraphs(store, find_document(store, iri, base), base), iri)


class Series(NamedTuple):
    """Resources with the same value of the property `group`, in the order of the values of `order`.

    `value` is the IRI of the only value that makes a series, without the base, or empty.
    """

    group: str
    order: str
    value: str = ""


# The series of the resources of a kind; other events than the meetings of the group are no series.
SERIES_BY_KIND = {
    "agreement": Series("wgig:settledAt", "wgig:order"),
    "meeting": Series("wgig:actualKind", "schema:startDate", "id/session-kind/meeting"),
    "session": Series("wgig:partOf", "schema:startDate"),
}


def find_adjacent_in_series(store: Store, iri: str, base: str) -> AdjacentParagraphs:
    """The resources before and after one in its series; none for resources of other kinds."""
    series = SERIES_BY_KIND.get(kind_of_iri(iri, base))
    if not series:
        return NO_PARAGRAPHS
    group, order = expand_curie(series.group, base), expand_curie(series.order, base)
    values: list[Any] = [quad.object for quad in store.match(ox.NamedNode(iri), group)]
    if len(values) != 1 or (series.value and values[0].value != base + series.value):
        return NO_PARAGRAPHS
    members = (quad.subject for quad in store.match(None, group, values[0]))
    positions = {
        member.value: natural_sort_key(place.object.value)
        for member in members
        if isinstance(member, ox.NamedNode)
        for place in store.match(member, order)
        if isinstance(place.object, ox.Literal)
    }
    return pick_adjacent(sorted(positions, key=lambda name: (positions[name], natural_sort_key(name))), iri)


def pick_adjacent(members: Sequence[str], iri: str) -> AdjacentParagraphs:
    """The members before and after one; none if it is not among them."""
    if iri not in members:
        return NO_PARAGRAPHS
    index = members.index(iri)
    return AdjacentParagraphs(
        members[index - 1] if index else None,
        members[index + 1] if index + 1 < len(members) else None,
    )


@cache_for_version(32)
def list_paragraphs(store: Store, document: str, base: str) -> tuple[str, ...]:
    """The IRIs of the paragraphs of a document, in order; cached until the store changes."""
    parts = iter_parts(build_contents(store, document, base))
    return tuple(part.iri for part in parts if part.is_paragraph)


def find_document(store: Store, iri: str, base: str) -> str:
    """The IRI of the document that a part belongs to: what it is directly or indirectly a part of."""
    part_of, seen = expand_curie("wgig:partOf", base), [iri]
    while True:
        wholes = (quad.object for quad in store.match(ox.NamedNode(seen[-1]), part_of))
        iris = [whole.value for whole in wholes if isinstance(whole, ox.NamedNode)]
        if not iris or min(iris) in seen:
            return seen[-1]
        seen.append(min(iris))


def find_nearest_document(
    store: Store, iri: str, base: str, known_values: KnownValues = NO_KNOWN_VALUES
) -> str:
    """The IRI of the document that this resource is, or is a part of; empty if it is neither."""
    part_of, document_class = expand_curie("wgig:partOf", base), expand_curie("wgig:Document", base)
    seen = list[str]()
    while iri and iri not in seen:
        node = ox.NamedNode(iri)
        if document_class in follow_step(store, node, TYPE_STEP, known_values):
            return iri
        seen.append(iri)
        wholes = follow_step(store, node, PathStep(part_of, is_inverse=False), known_values)
        iri = min((whole.value for whole in wholes if isinstance(whole, ox.NamedNode)), default="")
    return ""
