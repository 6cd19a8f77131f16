"""The table of contents of a document, and the paragraphs before and after a paragraph."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..rdf.labels import best_text
from ..rdf.namespaces import DCTERMS_DESCRIPTION, DCTERMS_TITLE, RDF_TYPE, expand_curie
from ..store.store import Store
from ..store.version_cache import cache_for_version
from ..text import natural_sort_key

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
    """The IRIs of the paragraphs before and after a paragraph; None if there is none."""

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
    paragraphs = list_paragraphs(store, find_document(store, iri, base), base)
    if iri not in paragraphs:
        return NO_PARAGRAPHS
    index = paragraphs.index(iri)
    return AdjacentParagraphs(
        paragraphs[index - 1] if index else None,
        paragraphs[index + 1] if index + 1 < len(paragraphs) else None,
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


def find_nearest_document(store: Store, iri: str, base: str) -> str:
    """The IRI of the document that this resource is, or is a part of; empty if it is neither."""
    part_of, document_class = expand_curie("wgig:partOf", base), expand_curie("wgig:Document", base)
    seen = list[str]()
    while iri and iri not in seen:
        node = ox.NamedNode(iri)
        if store.has_statement(node, RDF_TYPE, document_class):
            return iri
        seen.append(iri)
        wholes = (quad.object for quad in store.match(node, part_of))
        iri = min((whole.value for whole in wholes if isinstance(whole, ox.NamedNode)), default="")
    return ""
