"""Skolemization for a shared store: blank nodes and the default graph as IRIs, and terms in updates.

No request could name a blank node twice, so that it is an IRI there (RDF 1.1 Concepts, section 3.5); the
default graph has a name, as not every service has one.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import pyoxigraph as ox

from ..store.change import Change
from ..store.commit import data


class Ground:
    """Blank nodes and the unnamed graph as IRIs, and back."""

    def __init__(self, base: str) -> None:
        """Take the base of the IRIs of the graph."""
        parts = urlsplit(base)
        self.home = f"{parts.scheme}://{parts.netloc}/.well-known/genid/"
        self.unnamed, self.state = (ox.NamedNode(f"{base}graph/{name}") for name in ("unnamed", "state"))
        self.made = ox.NamedNode(f"{self.state.value}#made")

    def ground(self, change: Change) -> Change:
        """A change as it is there, with a word on each graph that was made, as it may be empty."""
        removed = chain(self.down(change.removed), map(self.word, change.dropped))
        added = chain(self.down(change.added), map(self.word, change.made))
        return Change(tuple(removed), tuple(added), change.dropped, change.made)

    def loose(self, change: Change) -> Change:
        """A change as it is here."""
        removed, added = (
            tuple(self.up(one for one in those if one.graph_name != self.state))
            for those in (change.removed, change.added)
        )
        return Change(removed, added, change.dropped, change.made)

    def word(self, graph: str) -> ox.Quad:
        """What says that a graph was made."""
        return ox.Quad(self.state, self.made, ox.NamedNode(graph), self.state)

    def reserved(self, quads: Iterable[ox.Quad]) -> Iterator[ox.NamedNode]:
        """The names in the quads that mean something else there, so that nothing can be said with them."""
        for one in quads:
            if isinstance(one.graph_name, ox.NamedNode) and one.graph_name in (self.unnamed, self.state):
                yield one.graph_name
            terms = [one.subject, one.predicate, one.object, one.graph_name]
            while terms:
                term = terms.pop()
                if isinstance(term, ox.Triple):
                    terms += (term.subject, term.object)
                elif isinstance(term, ox.NamedNode) and term.value.startswith(self.home):
                    yield term

    def down(self, quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
        """Quads as they are there."""
        for one in quads:
            graph = self.unnamed if isinstance(one.graph_name, ox.DefaultGraph) else self.iri(one.graph_name)
            yield ox.Quad(self.iri(one.subject), one.predicate, self.iri(one.object), graph)

    def up(self, quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
        """Quads as they are here."""
        for one in quads:
            graph = ox.DefaultGraph() if one.graph_name == self.unnamed else self.blank(one.graph_name)
            yield ox.Quad(self.blank(one.subject), one.predicate, self.blank(one.object), graph)

    def iri(self, term: Any) -> Any:
        """The IRI of a blank node; any other term as it is."""
        if isinstance(term, ox.Triple):
            return ox.Triple(self.iri(term.subject), term.predicate, self.iri(term.object))
        return ox.NamedNode(self.home + term.value) if isinstance(term, ox.BlankNode) else term

    def blank(self, term: Any) -> Any:
        """The blank node of such an IRI; any other term as it is."""
        if isinstance(term, ox.Triple):
            return ox.Triple(self.blank(term.subject), term.predicate, self.blank(term.object))
        if isinstance(term, ox.NamedNode) and term.value.startswith(self.home):
            return ox.BlankNode(term.value.removeprefix(self.home))
        return term


def literal(value: str) -> str:
    """A text."""
    return str(ox.Literal(value))


def conditional(quads: Iterable[ox.Quad], is_exact: Callable[[ox.Quad], bool]) -> tuple[str, str]:
    """Quads as they stand in a conditional update, and what gives the variables in them their values.

    The object of one that is not exact is computed, as written out it would come to be another.
    """
    exact: list[ox.Quad] = []
    what, bound = [""], list[str]()
    for number, one in enumerate(quads):
        if is_exact(one):
            exact.append(one)
            continue
        assert isinstance(one.object, ox.Literal)
        what.append(f"GRAPH {one.graph_name} {{ {one.subject} {one.predicate} ?o{number} }}")
        bound.append(f"BIND(STRDT({literal(one.object.value)}, {one.object.datatype}) AS ?o{number})")
    what[0] = data(exact)
    return " ".join(what), " ".join(bound)
