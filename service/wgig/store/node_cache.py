"""A cache for what is read about a node or from a graph, such as a label; valid until a write touches it.

A write leaves nearly all labels as they are. If it dropped them all, as `version_cache` does, each page would
take twice as long after a write.
"""

from collections.abc import Callable, Hashable, Iterator
from itertools import chain
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

import pyoxigraph as ox

from .change import Change

MAX_KEPT_NODE_RESULTS = 40_000  # then all are dropped; a label takes 300 bytes
MAX_RECORDED_VERSIONS = 100  # results of older versions are computed again
MAX_RECORDED_QUADS = 2_000  # of one write; a larger one counts as touching all nodes


class NodeResults:
    """The kept results of a store, and the nodes that its last writes touched."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self.results: dict[Hashable, tuple[int, Any]] = {}  # with the version before they were read
        self.touched_nodes: dict[int, frozenset[str] | None] = {}  # by version; None: all nodes

    def record(self, version: int, change: Change | None) -> None:
        """Record the nodes that the change to a version touches (None: unknown), before it is the current."""
        self.touched_nodes[version] = (
            None
            if change is None or len(change) > MAX_RECORDED_QUADS
            else frozenset(iter_touched_nodes(change))
        )
        self.touched_nodes.pop(version - MAX_RECORDED_VERSIONS, None)

    def is_untouched(self, node: str, version: int, current: int) -> bool:
        """Whether no change after a version touched the node, up to the current version."""
        return all(
            (nodes := self.touched_nodes.get(number)) is not None and node not in nodes
            for number in range(version + 1, current + 1)
        )


def iter_touched_nodes(change: Change) -> Iterator[str]:
    """The IRIs and blank node labels of the subjects, objects and graphs of the quads of a change."""
    yield from (*change.dropped, *change.created)
    for quad in chain(change.removed, change.added):
        for term in (quad.subject, quad.object, quad.graph_name):
            if isinstance(term, ox.NamedNode | ox.BlankNode):
                yield term.value


class NodeResultsSource(Protocol):
    """A store with results of its current version."""

    node_results: NodeResults

    @property
    def version(self) -> int:
        """The number of the last write."""


AnyStore = TypeVar("AnyStore", bound=NodeResultsSource)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
NodeReader = Callable[Concatenate[AnyStore, str, Arguments], Result]


def cache_for_node(
    function: NodeReader[AnyStore, Arguments, Result],
) -> NodeReader[AnyStore, Arguments, Result]:
    """Decorator: keep the results of a function of a store, an IRI or blank node label, and more arguments.

    The function must read only quads with the node as subject, object or graph, and all arguments must be
    hashable.
    """

    def call(store: AnyStore, node: str, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        kept, version, key = store.node_results, store.version, (function, node, *args, *kwargs.items())
        kept_version, kept_result = kept.results.get(key, (-1, None))
        if kept_version == version:
            return cast("Result", kept_result)
        is_valid = kept_version >= 0 and kept.is_untouched(node, kept_version, version)
        result = cast("Result", kept_result) if is_valid else function(store, node, *args, **kwargs)
        if len(kept.results) >= MAX_KEPT_NODE_RESULTS:
            kept.results = {}
        kept.results[key] = version, result
        return result

    return call
