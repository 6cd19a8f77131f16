"""Quads as they will be after a change that is not applied yet.

So everything that follows from a change is computed before the change is committed.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Protocol

import pyoxigraph as ox

from .change import Change, GraphName


class QuadSource(Protocol):
    """The part of the interface of an engine's store that reads quads; its overlay has it, too."""

    def __iter__(self) -> Iterator[ox.Quad]:
        """All quads."""

    def __contains__(self, quad: ox.Quad, /) -> bool:
        """Whether a quad exists."""

    def quads_for_pattern(
        self, subject: Any, predicate: Any, object_: Any, graph_name: Any = None, /
    ) -> Iterator[ox.Quad]:
        """The quads with these terms; None matches any term."""

    def named_graphs(self) -> Iterator[ox.NamedNode | ox.BlankNode]:
        """The names of the named graphs, also of empty ones."""

    def contains_named_graph(self, graph_name: Any, /) -> bool:
        """Whether a named graph exists; the default graph always does."""


class QuadOverlay:
    """The quads of a store with a change applied to them, without a copy. It may be read while it is used.

    The change is exact: it removes quads that exist, and adds quads that do not.
    """

    def __init__(self, quads: QuadSource, change: Change) -> None:
        """Take the quads before the change, and the change."""
        self.quads, self.change = quads, change
        self.removed, self.added = frozenset(change.removed), ox.Store()
        self.added.extend(change.added)
        self.dropped, self.created = frozenset(change.dropped), {*change.created, *change.filled_graphs}

    def __iter__(self) -> Iterator[ox.Quad]:
        """All quads."""
        return self.quads_for_pattern(None, None, None)

    def __contains__(self, quad: ox.Quad) -> bool:
        """Whether a quad exists."""
        return quad in self.added or (quad not in self.removed and quad in self.quads)

    def quads_for_pattern(
        self, subject: Any, predicate: Any, object_: Any, graph_name: Any = None, /
    ) -> Iterator[ox.Quad]:
        """The quads with these terms; None matches any term."""
        pattern = (subject, predicate, object_, graph_name)
        existing: Iterable[ox.Quad] = self.quads.quads_for_pattern(*pattern)
        if self.removed:
            existing = (quad for quad in existing if quad not in self.removed)
        return chain(existing, self.added.quads_for_pattern(*pattern))

    def named_graphs(self) -> Iterator[ox.NamedNode | ox.BlankNode]:
        """The names of the named graphs, also of empty ones."""
        existing = set[ox.NamedNode | ox.BlankNode](self.quads.named_graphs())
        remaining = {name for name in existing if name.value not in self.dropped}
        return iter(remaining.union(map(ox.NamedNode, self.created)))

    def contains_named_graph(self, graph_name: GraphName) -> bool:
        """Whether a named graph exists; the default graph always does."""
        if isinstance(graph_name, ox.NamedNode) and graph_name.value in self.created:
            return True
        is_dropped = isinstance(graph_name, ox.NamedNode) and graph_name.value in self.dropped
        return not is_dropped and self.quads.contains_named_graph(graph_name)
