"""The exact net change of a write: the quads added and removed, the graphs created and dropped.

A change is the difference between the contents of everything that the write may touch before it and after it.
Contents of more than 100,000 quads are not compared, nor are graphs that blank nodes name: such a change is
unknown (None). No quad is in both parts of a change. Changes can be combined, replayed on a copy
(idempotent), and packed as bytes for other processes.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, NamedTuple, TypeVar

import pyoxigraph as ox

from ..rdf.serialization import parse_n_quads, serialize_n_quads

GraphName = ox.NamedNode | ox.BlankNode | ox.DefaultGraph

MAX_COMPARED_QUADS = 100_000  # quads that are compared; beyond, what changed is not known

BEGINNING_OF_TIME = datetime.min.replace(tzinfo=UTC)  # before the first write

# Finds quads by subject, predicate and object, in whatever graph; None is any term.
QuadMatcher = Callable[..., Iterable[ox.Quad]]
QuadOrIri = TypeVar("QuadOrIri", ox.Quad, str)


@dataclass(frozen=True)
class Change:
    """What one write did to the quads, net: nothing stands in both.

    Quads are as the store gives them back. `dropped` and `created` are the IRIs of named graphs that went and
    came, also of empty ones.
    """

    removed: tuple[ox.Quad, ...] = ()
    added: tuple[ox.Quad, ...] = ()
    dropped: tuple[str, ...] = ()
    created: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is not as it was."""
        return bool(self.removed or self.added or self.dropped or self.created)

    def __len__(self) -> int:
        """How many quads go and come."""
        return len(self.removed) + len(self.added)

    @property
    def only_adds(self) -> bool:
        """Whether nothing goes, and each graph that comes has something in it."""
        return not (self.removed or self.dropped) and set(self.created) <= self.filled_graphs

    @property
    def filled_graphs(self) -> set[str]:
        """The IRIs of the named graphs that it adds quads to."""
        return {one.graph_name.value for one in self.added if isinstance(one.graph_name, ox.NamedNode)}

    @property
    def graphs(self) -> set[str]:
        """The IRIs of the named graphs in which anything is not as it was."""
        names = {one.graph_name for one in chain(self.removed, self.added)}
        return {one.value for one in names if isinstance(one, ox.NamedNode)} | {*self.dropped, *self.created}

    @property
    def inverse(self) -> "Change":
        """What takes this change back."""
        return Change(self.added, self.removed, self.created, self.dropped)

    def combine(self, later: "Change") -> "Change":
        """This change and a later one, as one."""
        return combine_changes((self, later))


class Contents(NamedTuple):
    """What a look found: quads, and the IRIs of named graphs that are there."""

    quads: set[ox.Quad]
    graphs: set[str]


@dataclass(frozen=True)
class WriteScope:
    """A look at what a write may touch, taken before and after it.

    It sees all quads of these graphs (None: of all), these quads beside, and whether these graphs are there.
    """

    graphs: tuple[GraphName, ...] | None = ()
    quads: tuple[ox.Quad, ...] = ()
    names: tuple[GraphName, ...] = ()

    def __call__(self, store: ox.Store) -> Contents | None:
        """What is there now; None where that is too much to compare.

        Nothing is said either where a graph has a blank node for a name, for it cannot be told.
        """
        named = tuple(store.named_graphs()) if self.graphs is None else self.graphs
        if len(self.quads) > MAX_COMPARED_QUADS or any(isinstance(one, ox.BlankNode) for one in named):
            return None
        graphs = (*named, ox.DefaultGraph()) if self.graphs is None else named
        whole = chain.from_iterable(iter_graph_quads(store, one) for one in graphs)
        found = set(islice(chain(whole, (one for one in self.quads if one in store)), MAX_COMPARED_QUADS + 1))
        return (
            Contents(found, find_existing_graphs(store, (*named, *self.names)))
            if len(found) <= MAX_COMPARED_QUADS
            else None
        )


WHOLE_STORE = WriteScope(None)


def scope_of_graphs(names: Iterable[GraphName]) -> WriteScope:
    """A look at these graphs."""
    return WriteScope(tuple(names))


def scope_of_quads(candidates: Iterable[ox.Quad], names: Iterable[GraphName]) -> WriteScope:
    """A look at which of these quads are there, and which of these graphs."""
    normal = ox.Store()  # it writes numbers in one way only, as every store does
    normal.extend(candidates)
    return WriteScope((), tuple(normal), tuple(names))


def compare_contents(before: Contents, after: Contents) -> Change:
    """What changed from one look to the next."""
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
    """The IRIs of those named graphs that are there."""
    return {
        name.value for name in names if isinstance(name, ox.NamedNode) and quads.contains_named_graph(name)
    }


class BeforeAfter:
    """Finds quads by their terms, in whatever graph, as they are after a change, and as they were before it.

    The change is made already. A quad that it names as removed and as added was there before it.
    """

    def __init__(self, after: QuadMatcher, change: Change) -> None:
        """Take what finds quads as they are, and the change."""
        self.after = after
        self._added, self._removed = frozenset(change.added), ox.Store()
        self._removed.extend(change.removed)

    def before(self, *pattern: Any) -> Iterator[ox.Quad]:
        """The quads as they were that have this subject, predicate and object; None is any term."""
        there = (quad for quad in self.after(*pattern) if quad not in self._added)
        return chain(there, self._removed.quads_for_pattern(*pattern))


def apply_change(change: Change, quads: ox.Store) -> None:
    """Do to a copy of the quads what was done to others, one after the other; twice is as once."""
    for one in change.removed:
        quads.remove(one)
    quads.extend(change.added)
    for iri in change.dropped:
        quads.remove_graph(ox.NamedNode(iri))
    for iri in change.created:
        quads.add_graph(ox.NamedNode(iri))


def combine_changes(changes: Sequence[Change]) -> Change:
    """Changes that came one after the other, as one."""
    removed, added = net_difference((one.removed, one.added) for one in changes)
    dropped, made = net_difference((one.dropped, one.created) for one in changes)
    return Change(removed, added, dropped, made)


def net_difference(
    steps: Iterable[tuple[Iterable[QuadOrIri], Iterable[QuadOrIri]]],
) -> tuple[tuple[QuadOrIri, ...], tuple[QuadOrIri, ...]]:
    """What went and what came by steps one after the other, each given as what went and what came."""
    gone, come = set[QuadOrIri](), set[QuadOrIri]()
    for gone_now, come_now in steps:
        gone_now, come_now = set(gone_now), set(come_now)  # noqa: PLW2901  as sets
        new, back = gone_now - come, come_now - gone
        come -= gone_now
        gone -= come_now
        gone |= new
        come |= back
    return tuple(gone), tuple(come)


def serialize_change(change: Change) -> bytes:
    """A change as bytes."""
    members = (
        serialize_n_quads(change.removed).decode(),
        serialize_n_quads(change.added).decode(),
        change.dropped,
        change.created,
    )
    return json.dumps(members).encode()


def parse_change(body: bytes) -> Change:
    """The change of such bytes."""
    removed, added, dropped, made = json.loads(body)
    return Change(tuple(parse_n_quads(removed)), tuple(parse_n_quads(added)), tuple(dropped), tuple(made))
