"""The net change of a write: the quads added and removed, the graphs created and dropped.

The scope of a write is the set of quads and graphs that it may change. The change is the difference between
the contents of the scope before and after the write. It is unknown (None) if the contents have more than
100,000 quads, or a graph is named by a blank node, as these are not compared. No quad is both added and
removed. Changes can be combined, replayed on a copy (idempotent), and packed as bytes for other processes.
"""

import json
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, NamedTuple, TypeVar

import pyoxigraph as ox

from ..rdf.serialization import parse_n_quads, serialize_n_quads

GraphName = ox.NamedNode | ox.BlankNode | ox.DefaultGraph

MAX_COMPARED_QUADS = 100_000  # a larger change is unknown

BEGINNING_OF_TIME = datetime.min.replace(tzinfo=UTC)  # before the first write

# Finds quads by subject, predicate and object, in any graph; None matches any term.
QuadMatcher = Callable[..., Iterable[ox.Quad]]
QuadOrIri = TypeVar("QuadOrIri", ox.Quad, str)


@dataclass(frozen=True)
class Change:
    """The net change of the quads by one write: no quad is both in `removed` and in `added`.

    Quads are normalized as the store returns them. `dropped` and `created` are IRIs of named graphs, also of
    empty ones.
    """

    removed: tuple[ox.Quad, ...] = ()
    added: tuple[ox.Quad, ...] = ()
    dropped: tuple[str, ...] = ()
    created: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.removed or self.added or self.dropped or self.created)

    def __len__(self) -> int:
        """The number of quads removed and added."""
        return len(self.removed) + len(self.added)

    @property
    def only_adds(self) -> bool:
        """Whether nothing is removed or dropped, and each created graph gets quads."""
        return not (self.removed or self.dropped) and set(self.created) <= self.filled_graphs

    @property
    def filled_graphs(self) -> set[str]:
        """The IRIs of the named graphs to which quads are added."""
        names = {quad.graph_name for quad in self.added}
        return {name.value for name in names if isinstance(name, ox.NamedNode)}

    @property
    def graphs(self) -> set[str]:
        """The IRIs of the named graphs that are changed, created or dropped."""
        names = {quad.graph_name for quad in chain(self.removed, self.added)}
        iris = {name.value for name in names if isinstance(name, ox.NamedNode)}
        return iris | {*self.dropped, *self.created}

    @property
    def inverse(self) -> "Change":
        """The change that undoes this one."""
        return Change(self.added, self.removed, self.created, self.dropped)

    def without_graphs(self, names: Container[GraphName]) -> "Change":
        """The change of all other graphs than these."""
        removed, added = (
            tuple(quad for quad in quads if quad.graph_name not in names)
            for quads in (self.removed, self.added)
        )
        dropped, created = (
            tuple(iri for iri in iris if ox.NamedNode(iri) not in names)
            for iris in (self.dropped, self.created)
        )
        return Change(removed, added, dropped, created)

    def split(self, max_quads: int) -> "list[Change]":
        """Consecutive changes with at most so many quads each, which together are this change."""
        if len(self) <= max_quads:
            return [self]
        first = Change(dropped=self.dropped, created=self.created)
        removals = [
            Change(self.removed[start : start + max_quads])
            for start in range(0, len(self.removed), max_quads)
        ]
        additions = [
            Change((), self.added[start : start + max_quads])
            for start in range(0, len(self.added), max_quads)
        ]
        return [first, *removals, *additions]

    def combine(self, later: "Change") -> "Change":
        """The net change of this change and a later one."""
        return combine_changes((self, later))


class Contents(NamedTuple):
    """The contents of a scope: its quads, and the IRIs of its named graphs that exist."""

    quads: set[ox.Quad]
    graphs: set[str]


@dataclass(frozen=True)
class WriteScope:
    """The quads and graphs that a write may change.

    These are all quads of `graphs` (None: all graphs), the single `quads`, and the existence of the graphs in
    `graphs` and `names`.
    """

    graphs: tuple[GraphName, ...] | None = ()
    quads: tuple[ox.Quad, ...] = ()
    names: tuple[GraphName, ...] = ()

    def read_contents(self, store: ox.Store) -> Contents | None:
        """The current contents of the scope.

        None if they have too many quads to be compared, or a graph is named by a blank node.
        """
        named_graphs = tuple(store.named_graphs()) if self.graphs is None else self.graphs
        if len(self.quads) > MAX_COMPARED_QUADS or any(
            isinstance(graph, ox.BlankNode) for graph in named_graphs
        ):
            return None
        graphs = (*named_graphs, ox.DefaultGraph()) if self.graphs is None else named_graphs
        graph_quads = chain.from_iterable(iter_graph_quads(store, graph) for graph in graphs)
        single_quads = (quad for quad in self.quads if quad in store)
        quads = set(islice(chain(graph_quads, single_quads), MAX_COMPARED_QUADS + 1))
        return (
            Contents(quads, find_existing_graphs(store, (*named_graphs, *self.names)))
            if len(quads) <= MAX_COMPARED_QUADS
            else None
        )


WHOLE_STORE = WriteScope(None)


def scope_of_graphs(names: Iterable[GraphName]) -> WriteScope:
    """The scope of all quads of these graphs."""
    return WriteScope(tuple(names))


def scope_of_quads(candidates: Iterable[ox.Quad], names: Iterable[GraphName]) -> WriteScope:
    """The scope of single quads, and of the existence of graphs."""
    normalizer = ox.Store()  # a store normalizes literals, such as numbers
    normalizer.extend(candidates)
    return WriteScope((), tuple(normalizer), tuple(names))


def compare_contents(before: Contents, after: Contents) -> Change:
    """The change between two contents of the same scope."""
    return Change(
        tuple(before.quads - after.quads),
        tuple(after.quads - before.quads),
        tuple(before.graphs - after.graphs),
        tuple(after.graphs - before.graphs),
    )


def iter_graph_quads(quads: ox.Store, graph: GraphName) -> Iterator[ox.Quad]:
    """The quads of one graph."""
    return quads.quads_for_pattern(None, None, None, graph)


def find_existing_graphs(quads: ox.Store, names: Iterable[GraphName]) -> set[str]:
    """The IRIs of the graphs in `names` that exist and are named by IRIs."""
    return {
        name.value for name in names if isinstance(name, ox.NamedNode) and quads.contains_named_graph(name)
    }


class BeforeAfter:
    """Finds quads by their terms, in any graph, both after a change and before it.

    The store has the change already. Here the change need not be a net change: a quad that is both in
    `removed` and in `added` existed before it.
    """

    def __init__(self, after: QuadMatcher, change: Change) -> None:
        """Take the function that finds quads in the current state, and the change."""
        self.after = after
        self._added, self._removed = frozenset(change.added), ox.Store()
        self._removed.extend(change.removed)

    def before(self, *pattern: Any) -> Iterator[ox.Quad]:
        """The quads with this subject, predicate and object before the change; None matches any term."""
        unchanged = (quad for quad in self.after(*pattern) if quad not in self._added)
        return chain(unchanged, self._removed.quads_for_pattern(*pattern))


def apply_change(change: Change, quads: ox.Store) -> None:
    """Apply a change to a copy of the quads. Applying it again changes nothing."""
    for quad in change.removed:
        quads.remove(quad)
    quads.extend(change.added)
    for iri in change.dropped:
        quads.remove_graph(ox.NamedNode(iri))
    for iri in change.created:
        quads.add_graph(ox.NamedNode(iri))


def combine_changes(changes: Sequence[Change]) -> Change:
    """The net change of consecutive changes."""
    changes = [change for change in changes if change]
    if len(changes) == 1:
        return changes[0]
    removed, added = net_difference((change.removed, change.added) for change in changes)
    dropped, created = net_difference((change.dropped, change.created) for change in changes)
    return Change(removed, added, dropped, created)


def net_difference(
    steps: Iterable[tuple[Iterable[QuadOrIri], Iterable[QuadOrIri]]],
) -> tuple[tuple[QuadOrIri, ...], tuple[QuadOrIri, ...]]:
    """The net removals and additions of consecutive steps, each a pair of removals and additions."""
    removed, added = set[QuadOrIri](), set[QuadOrIri]()
    for removals, additions in steps:
        step_removed, step_added = set(removals), set(additions)
        newly_removed, newly_added = step_removed - added, step_added - removed
        added -= step_removed
        removed -= step_added
        removed |= newly_removed
        added |= newly_added
    return tuple(removed), tuple(added)


def serialize_change(change: Change) -> bytes:
    """A change as JSON bytes, with quads as N-Quads."""
    members = (
        serialize_n_quads(change.removed).decode(),
        serialize_n_quads(change.added).decode(),
        change.dropped,
        change.created,
    )
    return json.dumps(members).encode()


def parse_change(data: bytes) -> Change:
    """The change from the bytes of `serialize_change`."""
    removed, added, dropped, created = json.loads(data)
    return Change(tuple(parse_n_quads(removed)), tuple(parse_n_quads(added)), tuple(dropped), tuple(created))
