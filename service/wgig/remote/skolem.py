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
from ..store.commit import serialize_data_block


class Skolemizer:
    """Blank nodes and the unnamed graph as IRIs, and back."""

    def __init__(self, base: str) -> None:
        """Take the base of the IRIs of the graph."""
        parts = urlsplit(base)
        self.genid_prefix = f"{parts.scheme}://{parts.netloc}/.well-known/genid/"
        self.unnamed_graph, self.state_graph = (
            ox.NamedNode(f"{base}graph/{name}") for name in ("unnamed", "state")
        )
        self.made_property = ox.NamedNode(f"{self.state_graph.value}#made")

    def skolemize_change(self, change: Change) -> Change:
        """A change as it is there, with a word on each graph that was made, as it may be empty."""
        removed = chain(self.skolemize(change.removed), map(self.made_graph_quad, change.dropped))
        added = chain(self.skolemize(change.added), map(self.made_graph_quad, change.created))
        return Change(tuple(removed), tuple(added), change.dropped, change.created)

    def deskolemize_change(self, change: Change) -> Change:
        """A change as it is here."""
        removed, added = (
            tuple(self.deskolemize(one for one in those if one.graph_name != self.state_graph))
            for those in (change.removed, change.added)
        )
        return Change(removed, added, change.dropped, change.created)

    def made_graph_quad(self, graph: str) -> ox.Quad:
        """What says that a graph was made."""
        return ox.Quad(self.state_graph, self.made_property, ox.NamedNode(graph), self.state_graph)

    def find_reserved_names(self, quads: Iterable[ox.Quad]) -> Iterator[ox.NamedNode]:
        """The names in the quads that mean something else there, so that nothing can be said with them."""
        for one in quads:
            if isinstance(one.graph_name, ox.NamedNode) and one.graph_name in (
                self.unnamed_graph,
                self.state_graph,
            ):
                yield one.graph_name
            terms = [one.subject, one.predicate, one.object, one.graph_name]
            while terms:
                term = terms.pop()
                if isinstance(term, ox.Triple):
                    terms += (term.subject, term.object)
                elif isinstance(term, ox.NamedNode) and term.value.startswith(self.genid_prefix):
                    yield term

    def skolemize(self, quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
        """Quads as they are there."""
        for one in quads:
            graph = (
                self.unnamed_graph
                if isinstance(one.graph_name, ox.DefaultGraph)
                else self.skolemize_term(one.graph_name)
            )
            yield ox.Quad(
                self.skolemize_term(one.subject), one.predicate, self.skolemize_term(one.object), graph
            )

    def deskolemize(self, quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
        """Quads as they are here."""
        for one in quads:
            graph = (
                ox.DefaultGraph()
                if one.graph_name == self.unnamed_graph
                else self.deskolemize_term(one.graph_name)
            )
            yield ox.Quad(
                self.deskolemize_term(one.subject), one.predicate, self.deskolemize_term(one.object), graph
            )

    def skolemize_term(self, term: Any) -> Any:
        """The IRI of a blank node; any other term as it is."""
        if isinstance(term, ox.Triple):
            return ox.Triple(
                self.skolemize_term(term.subject), term.predicate, self.skolemize_term(term.object)
            )
        return ox.NamedNode(self.genid_prefix + term.value) if isinstance(term, ox.BlankNode) else term

    def deskolemize_term(self, term: Any) -> Any:
        """The blank node of such an IRI; any other term as it is."""
        if isinstance(term, ox.Triple):
            return ox.Triple(
                self.deskolemize_term(term.subject), term.predicate, self.deskolemize_term(term.object)
            )
        if isinstance(term, ox.NamedNode) and term.value.startswith(self.genid_prefix):
            return ox.BlankNode(term.value.removeprefix(self.genid_prefix))
        return term


def serialize_string_literal(value: str) -> str:
    """A text."""
    return str(ox.Literal(value))


def build_conditional_pattern(
    quads: Iterable[ox.Quad], is_exact: Callable[[ox.Quad], bool]
) -> tuple[str, str]:
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
        bound.append(
            f"BIND(STRDT({serialize_string_literal(one.object.value)}, {one.object.datatype}) AS ?o{number})"
        )
    what[0] = serialize_data_block(exact)
    return " ".join(what), " ".join(bound)
