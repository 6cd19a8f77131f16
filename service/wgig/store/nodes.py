"""What is stated about a node, and what refers to it, read once and cached until the store changes.

Pages follow many properties of the same nodes, and the same property several times. Of a node with many
statements, only those with a property are read, and none are cached.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pyoxigraph as ox

from .store import Store
from .version_cache import cache_for_version

MAX_CACHED_NODES, MAX_NODE_QUADS = 4_000, 100
MAX_CACHED_SUBJECT_LISTS, MAX_LISTED_SUBJECTS = 500, 250


def iter_objects(store: Store, node: ox.NamedNode, property_: ox.NamedNode) -> Iterator[Any]:
    """The objects of a property of a node in all graphs; one that is in several graphs may be repeated."""
    objects = read_node_objects(store, node.value)
    if objects is None:
        return (quad.object for quad in store.match(node, property_))
    return iter(objects.get(property_, ()))


@cache_for_version(MAX_CACHED_NODES)
def read_node_objects(store: Store, iri: str) -> Mapping[ox.NamedNode, list[Any]] | None:
    """The objects of each property of a node; None if it has more than MAX_NODE_QUADS quads."""
    quads = list(islice(store.match(ox.NamedNode(iri)), MAX_NODE_QUADS + 1))
    if len(quads) > MAX_NODE_QUADS:
        return None
    objects: dict[ox.NamedNode, list[Any]] = {}
    for quad in quads:
        objects.setdefault(quad.predicate, []).append(quad.object)
    return objects


def iter_subjects(store: Store, property_: ox.NamedNode, node: ox.NamedNode) -> Iterator[Any]:
    """The subjects of a property with the node as object, in all graphs; some may be repeated."""
    subjects = read_subjects(store, property_, node)
    if subjects is None:
        return (quad.subject for quad in store.match(None, property_, node))
    return iter(subjects)


@cache_for_version(MAX_CACHED_SUBJECT_LISTS)
def read_subjects(store: Store, property_: ox.NamedNode, node: ox.NamedNode) -> Sequence[Any] | None:
    """The subjects of a property with the node as object; None if there are more than MAX_LISTED_SUBJECTS."""
    quads = islice(store.match(None, property_, node), MAX_LISTED_SUBJECTS + 1)
    subjects = [quad.subject for quad in quads]
    return subjects if len(subjects) <= MAX_LISTED_SUBJECTS else None
