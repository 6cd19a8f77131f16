"""The exact net change of a write: the quads added and removed, the graphs created and dropped.

A change is the difference between the contents of everything that the write may touch before it and after it.
Contents of more than 100,000 quads are not compared, nor are graphs that blank nodes name: such a change is
unknown (None). No quad is in both parts of a change. Changes can be combined, replayed on a copy
(idempotent), and packed as bytes for other processes.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple, TypeVar

import pyoxigraph as ox

GraphName = ox.NamedNode | ox.BlankNode | ox.DefaultGraph

MOST = 100_000  # quads that are compared; beyond, what changed is not known

One = TypeVar("One", ox.Quad, str)


@dataclass(frozen=True)
class Change:
    """What one write did to the quads, net: nothing stands in both.

    Quads are as the store gives them back. `dropped` and `made` are the IRIs of named graphs that went and
    came, also of empty ones.
    """

    removed: tuple[ox.Quad, ...] = ()
    added: tuple[ox.Quad, ...] = ()
    dropped: tuple[str, ...] = ()
    made: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is not as it was."""
        return bool(self.removed or self.added or self.dropped or self.made)

    def __len__(self) -> int:
        """How many quads go and come."""
        return len(self.removed) + len(self.added)

    @property
    def only_adds(self) -> bool:
        """Whether nothing goes, and each graph that comes has something in it."""
        return not (self.removed or self.dropped) and set(self.made) <= self.filled

    @property
    def filled(self) -> set[str]:
        """The IRIs of the named graphs that it adds quads to."""
        return {one.graph_name.value for one in self.added if isinstance(one.graph_name, ox.NamedNode)}

    @property
    def graphs(self) -> set[str]:
        """The IRIs of the named graphs in which anything is not as it was."""
        names = {one.graph_name for one in chain(self.removed, self.added)}
        return {one.value for one in names if isinstance(one, ox.NamedNode)} | {*self.dropped, *self.made}

    @property
    def undone(self) -> "Change":
        """What takes this change back."""
        return Change(self.added, self.removed, self.made, self.dropped)

    def then(self, later: "Change") -> "Change":
        """This change and a later one, as one."""
        return together((self, later))


class Seen(NamedTuple):
    """What a look found: quads, and the IRIs of named graphs that are there."""

    quads: set[ox.Quad]
    graphs: set[str]


@dataclass(frozen=True)
class Look:
    """A look at what a write may touch, taken before and after it.

    It sees all quads of these graphs (None: of all), these quads beside, and whether these graphs are there.
    """

    graphs: tuple[GraphName, ...] | None = ()
    quads: tuple[ox.Quad, ...] = ()
    names: tuple[GraphName, ...] = ()

    def __call__(self, store: ox.Store) -> Seen | None:
        """What is there now; None where that is too much to compare.

        Nothing is said either where a graph has a blank node for a name, for it cannot be told.
        """
        named = tuple(store.named_graphs()) if self.graphs is None else self.graphs
        if len(self.quads) > MOST or any(isinstance(one, ox.BlankNode) for one in named):
            return None
        graphs = (*named, ox.DefaultGraph()) if self.graphs is None else named
        whole = chain.from_iterable(content(store, one) for one in graphs)
        found = set(islice(chain(whole, (one for one in self.quads if one in store)), MOST + 1))
        return Seen(found, there(store, (*named, *self.names))) if len(found) <= MOST else None


everywhere = Look(None)


def in_graphs(names: Iterable[GraphName]) -> Look:
    """A look at these graphs."""
    return Look(tuple(names))


def among(candidates: Iterable[ox.Quad], names: Iterable[GraphName]) -> Look:
    """A look at which of these quads are there, and which of these graphs."""
    normal = ox.Store()  # it writes numbers in one way only, as every store does
    normal.extend(candidates)
    return Look((), tuple(normal), tuple(names))


def between(before: Seen, after: Seen) -> Change:
    """What changed from one look to the next."""
    return Change(
        tuple(before.quads - after.quads),
        tuple(after.quads - before.quads),
        tuple(before.graphs - after.graphs),
        tuple(after.graphs - before.graphs),
    )


def content(quads: ox.Store, graph: GraphName) -> Iterator[ox.Quad]:
    """The quads of one graph."""
    return quads.quads_for_pattern(None, None, None, graph)


def there(quads: ox.Store, names: Iterable[GraphName]) -> set[str]:
    """The IRIs of those named graphs that are there."""
    return {
        name.value for name in names if isinstance(name, ox.NamedNode) and quads.contains_named_graph(name)
    }


def carry_out(change: Change, quads: ox.Store) -> None:
    """Do to a copy of the quads what was done to others, one after the other; twice is as once."""
    for one in change.removed:
        quads.remove(one)
    quads.extend(change.added)
    for iri in change.dropped:
        quads.remove_graph(ox.NamedNode(iri))
    for iri in change.made:
        quads.add_graph(ox.NamedNode(iri))


def together(changes: Sequence[Change]) -> Change:
    """Changes that came one after the other, as one."""
    removed, added = net((one.removed, one.added) for one in changes)
    dropped, made = net((one.dropped, one.made) for one in changes)
    return Change(removed, added, dropped, made)


def net(steps: Iterable[tuple[Iterable[One], Iterable[One]]]) -> tuple[tuple[One, ...], tuple[One, ...]]:
    """What went and what came by steps one after the other, each given as what went and what came."""
    gone, come = set[One](), set[One]()
    for gone_now, come_now in steps:
        gone_now, come_now = set(gone_now), set(come_now)  # noqa: PLW2901  as sets
        new, back = gone_now - come, come_now - gone
        come -= gone_now
        gone -= come_now
        gone |= new
        come |= back
    return tuple(gone), tuple(come)


N_QUADS = ox.RdfFormat.N_QUADS


def packed(change: Change) -> bytes:
    """A change as bytes."""
    members = (lines(change.removed), lines(change.added), change.dropped, change.made)
    return json.dumps(members).encode()


def unpacked(body: bytes) -> Change:
    """The change of such bytes."""
    removed, added, dropped, made = json.loads(body)
    return Change(quads(removed), quads(added), tuple(dropped), tuple(made))


def lines(quads: Iterable[ox.Quad]) -> str:
    """The quads as N-Quads."""
    written = ox.serialize(quads, format=N_QUADS)
    assert written is not None
    return written.decode()


def quads(text: str) -> tuple[ox.Quad, ...]:
    """The quads of N-Quads."""
    return tuple(ox.parse(text, N_QUADS))
