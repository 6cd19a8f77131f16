"""Property paths: the IRIs and literals that a path leads to from a resource."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..rdf.namespaces import RDF_TYPE, expand_curie
from ..store.node_cache import cache_for_node
from ..store.store import Store

MAX_PARSED_PATHS = 2_000
MAX_CACHED_TERMS = 100  # of one step
MAX_PATH_TERMS = 200  # terms at the end of a path
MAX_PATH_NODES = 1000  # nodes after each step of a path

# The objects by IRI and property, of resources whose statements were all read before.
KnownValues = Mapping[str, Mapping[ox.NamedNode, Sequence[Any]]]
NO_KNOWN_VALUES: KnownValues = {}


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


class PathStep(NamedTuple):
    """A step of a path: from a node to the objects of a property, or to the subjects if it is inverse."""

    predicate: ox.NamedNode
    is_inverse: bool

    @property
    def inverse(self) -> "PathStep":
        """The step in the opposite direction."""
        return PathStep(self.predicate, not self.is_inverse)


TYPE_STEP = PathStep(RDF_TYPE, is_inverse=False)


@lru_cache(MAX_PARSED_PATHS)
def parse_property_path(path: str, base: str) -> tuple[PathStep, ...]:
    """The steps of a path of prefixed names and `a`, for IRIs below `base`."""
    steps = ((element.removeprefix("^"), element.startswith("^")) for element in path.split("/"))
    return tuple(
        PathStep(RDF_TYPE if name == "a" else expand_curie(name, base), is_inverse)
        for name, is_inverse in steps
    )


def follow_property_path(
    store: Store, iri: str, path: PropertyPath, base: str, known_values: KnownValues = NO_KNOWN_VALUES
) -> tuple[list[Any], bool]:
    """The IRIs and literals at the end of a path from a resource, each once, and whether none is left out."""
    nodes, is_complete = [ox.NamedNode(iri)], True
    for step in parse_property_path(path.path, base):
        ends = chain.from_iterable(follow_step(store, node, step, known_values) for node in nodes)
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


def follow_step(
    store: Store, node: Any, step: PathStep, known_values: KnownValues = NO_KNOWN_VALUES
) -> Iterable[Any]:
    """The terms to which a step leads from a node; one that is in several graphs may be repeated."""
    if not isinstance(node, ox.NamedNode):
        return iter_step_terms(store, node, step)
    iri = node.value
    if iri in known_values and not step.is_inverse:
        return known_values[iri].get(step.predicate, ())
    terms = read_step_terms(store, iri, step)
    return iter_step_terms(store, node, step) if terms is None else terms


@cache_for_node
def read_step_terms(store: Store, iri: str, step: PathStep) -> Sequence[Any] | None:
    """The terms to which a step leads; None if there are more than MAX_CACHED_TERMS.

    They are cached until a write touches the node, as the overview of a resource follows some steps several
    times, and those of other resources lead through the same nodes.
    """
    terms = list(islice(iter_step_terms(store, ox.NamedNode(iri), step), MAX_CACHED_TERMS + 1))
    return terms if len(terms) <= MAX_CACHED_TERMS else None


def iter_step_terms(store: Store, node: Any, step: PathStep) -> Iterator[Any]:
    """The terms to which a step leads, read from the store."""
    if step.is_inverse:
        quads = store.match(None, step.predicate, node) if isinstance(node, ox.NamedNode) else iter(())
        return (quad.subject for quad in quads)
    quads = store.match(node, step.predicate) if isinstance(node, ox.NamedNode | ox.BlankNode) else iter(())
    return (quad.object for quad in quads)
