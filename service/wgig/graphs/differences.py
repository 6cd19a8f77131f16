"""Differences grouped by resource and property, with labels, for the pages of changes.

The labels of a resource that no longer exists are read from the statements that were removed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pyoxigraph as ox
from wgig_client.namespaces import namespaces_by_prefix

from ..http.language import label_languages
from ..pages.names import foreign_property_label, localized_kind_title
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import RDF_TYPE, shorten_iri
from ..store.labels import best_label, find_label, find_labels
from ..store.store import Store
from ..store.view import ResultTerm
from ..text import natural_sort_key

DOCUMENT_KIND = "document"


class ChangedValue(NamedTuple):
    """The object of a statement that was added or removed."""

    term: ResultTerm
    is_added: bool


class ChangedProperty(NamedTuple):
    """The changed values of a property of a resource; those that were removed come first."""

    iri: str
    label: ox.Literal
    values: list[ChangedValue]


class ResourceTitle(NamedTuple):
    """A changed resource: its IRI, its title, and what it is (empty if unknown).

    The IRI is empty for a blank node, whose title is its label. `exists` is whether anything is stated about
    the resource now.
    """

    iri: str
    title: ox.Literal
    kind: ox.Literal
    exists: bool


class ResourceDifference(NamedTuple):
    """The statements about a resource that changed, by property."""

    resource: ResourceTitle
    properties: list[ChangedProperty]


class ChangedStatement(NamedTuple):
    """A statement that was added or removed."""

    triple: ox.Triple
    is_added: bool


def parse_changed_lines(lines: Iterable[str], *, is_added: bool) -> Iterator[ChangedStatement]:
    """The statements on N-Triples lines that were added or removed."""
    text = "\n".join(lines)
    return (ChangedStatement(quad.triple, is_added) for quad in ox.parse(text, ox.RdfFormat.N_TRIPLES))


def group_by_resource(
    statements: Iterable[ChangedStatement],
) -> dict[ox.NamedNode | ox.BlankNode, list[ChangedStatement]]:
    """The statements by their subject."""
    groups: dict[ox.NamedNode | ox.BlankNode, list[ChangedStatement]] = {}
    for statement in statements:
        subject = statement.triple.subject
        assert isinstance(subject, ox.NamedNode | ox.BlankNode)
        groups.setdefault(subject, []).append(statement)
    return groups


def build_differences(
    store: Store, statements: Iterable[ChangedStatement], base: str
) -> list[ResourceDifference]:
    """The differences of all resources: those with most statements first, each followed by its parts."""
    groups = group_by_resource(statements)
    wholes = {node: find_whole_iri(node.value, base) for node in groups}
    whole_sizes = Counter[str]()
    for node, group in groups.items():
        whole_sizes[wholes[node]] += len(group)

    def sort_key(node: ox.NamedNode | ox.BlankNode) -> tuple[object, ...]:
        size = whole_sizes[wholes[node]]
        return isinstance(node, ox.BlankNode), -size, wholes[node], natural_sort_key(node.value)

    nodes = sorted(groups, key=sort_key)
    property_iris = {statement.triple.predicate.value for group in groups.values() for statement in group}
    property_labels = find_labels(store, property_iris, label_languages())
    return [
        ResourceDifference(
            describe_changed_resource(store, node, groups[node], base),
            group_by_changed_property(groups[node], property_labels),
        )
        for node in nodes
    ]


def find_whole_iri(iri: str, base: str) -> str:
    """The IRI of the resource that an IRI is a part of, such as `…/paper/x` for `…/paper/x/mechanism/1`.

    The paragraphs of a document are resources of their own.
    """
    prefix = f"{base}id/"
    kind, *names = iri.removeprefix(prefix).split("/")
    is_part = iri.startswith(prefix) and len(names) > 1 and kind != DOCUMENT_KIND
    return f"{prefix}{kind}/{names[0]}" if is_part else iri


def group_by_changed_property(
    statements: Sequence[ChangedStatement], labels: dict[str, ox.Literal]
) -> list[ChangedProperty]:
    """The changed values of a resource by property, sorted by the label of the property."""
    values: dict[str, list[ChangedValue]] = {}
    for triple, is_added in sorted(statements, key=lambda statement: (statement.is_added, str(statement[0]))):
        values.setdefault(triple.predicate.value, []).append(ChangedValue(triple.object, is_added))
    properties = [
        ChangedProperty(iri, labels.get(iri) or foreign_property_label(iri), changed)
        for iri, changed in values.items()
    ]
    return sorted(properties, key=lambda changed: changed.label.value.casefold())


def describe_changed_resource(
    store: Store,
    node: ox.NamedNode | ox.BlankNode,
    statements: Sequence[ChangedStatement],
    base: str,
) -> ResourceTitle:
    """The title of a resource with these changed statements."""
    return ResourceTitle(
        node.value if isinstance(node, ox.NamedNode) else "",
        find_changed_title(store, node, statements, base),
        find_changed_kind(store, node, statements, base),
        any(True for _ in store.match(node)),
    )


def find_changed_title(
    store: Store, node: ox.NamedNode | ox.BlankNode, statements: Iterable[ChangedStatement], base: str
) -> ox.Literal:
    """The label of a changed resource: its current one, or else that in its changed statements."""
    if isinstance(node, ox.BlankNode):
        return ox.Literal(str(node))
    pairs = ((triple.predicate, triple.object) for triple, _ in statements if triple.subject == node)
    name = words_of_iri(node.value) if node.value.startswith(base) else shorten_iri(node.value, base)
    return (
        find_label(store, node.value, label_languages())
        or best_label(pairs, label_languages())
        or ox.Literal(name)
    )


def find_changed_kind(
    store: Store, node: ox.NamedNode | ox.BlankNode, statements: Iterable[ChangedStatement], base: str
) -> ox.Literal:
    """What a changed resource is: the label of its class in the ontology, or else its kind by its IRI."""
    namespaces = namespaces_by_prefix(base)
    inferred_graph = ox.NamedNode(f"{base}graph/inferred")
    current_types = (quad.object for quad in store.match(node, RDF_TYPE) if quad.graph_name != inferred_graph)
    changed_types = (
        triple.object for triple, _ in statements if triple.subject == node and triple.predicate == RDF_TYPE
    )
    classes = sorted(
        {
            class_.value
            for class_ in (*current_types, *changed_types)
            if isinstance(class_, ox.NamedNode) and class_.value.startswith(namespaces["wgig"])
        }
    )
    labels = find_labels(store, classes, label_languages())
    if labels:
        return next(iter(labels.values()))
    kind, slash, _ = node.value.removeprefix(f"{base}id/").partition("/")
    return ox.Literal(localized_kind_title(kind) if slash and node.value.startswith(f"{base}id/") else "")
