"""Property paths: the IRIs and literals that a path leads to from a resource."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..rdf.namespaces import expand_curie
from ..store.store import Store

MAX_PATH_TERMS = 200  # terms at the end of a path
MAX_PATH_NODES = 1000  # nodes after each step of a path


class PropertyPath(NamedTuple):
    """A property path, such as `^wgig:issue/wgig:category`; `^` means the inverse property.

    It leads only to IRIs that begin with the namespace `target_prefix`, such as `paper:`, unless it is empty.
    """

    path: str
    target_prefix: str = ""

    @property
    def is_property(self) -> bool:
        """Whether the path is a single property, and leads to all its values."""
        return not self.target_prefix and not {"^", "/"}.intersection(self.path)

    @property
    def is_single_step(self) -> bool:
        """Whether the path is a single property, inverse or not."""
        return "/" not in self.path


def follow_property_path(store: Store, iri: str, path: PropertyPath, base: str) -> tuple[list[Any], bool]:
    """The IRIs and literals at the end of a path from a resource, each once, and whether none is left out."""
    nodes, is_complete = [ox.NamedNode(iri)], True
    for step in path.path.split("/"):
        ends = (end for node in nodes for end in follow_property(store, node, step, base))
        first_ends = list(islice(ends, MAX_PATH_NODES + 1))
        is_complete &= len(first_ends) <= MAX_PATH_NODES
        nodes = list(dict.fromkeys(first_ends[:MAX_PATH_NODES]))
    prefix = expand_curie(path.target_prefix, base).value if path.target_prefix else ""
    terms = [
        node
        for node in nodes
        if isinstance(node, ox.Literal) or (isinstance(node, ox.NamedNode) and node.value.startswith(prefix))
    ]
    return terms[:MAX_PATH_TERMS], is_complete and len(terms) <= MAX_PATH_TERMS


def follow_property(store: Store, node: Any, name: str, base: str) -> Iterator[Any]:
    """The objects of a property of a node, or its subjects if the CURIE `name` begins with `^`."""
    property_ = expand_curie(name.removeprefix("^"), base)
    if name.startswith("^"):
        quads = store.match(None, property_, node) if isinstance(node, ox.NamedNode) else ()
        return (quad.subject for quad in quads)
    quads = store.match(node, property_) if isinstance(node, ox.NamedNode | ox.BlankNode) else ()
    return (quad.object for quad in quads)
