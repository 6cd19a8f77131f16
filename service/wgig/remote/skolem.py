"""Skolemization for a shared store: blank nodes and the default graph as IRIs, and terms in updates.

Two requests cannot refer to the same blank node, so the service stores IRIs for them (RDF 1.1 Concepts,
section 3.5). The default graph gets a name there, as some services have none.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import pyoxigraph as ox

from ..store.change import Change
from ..store.commit import serialize_data_block


class Skolemizer:
    """Replaces blank nodes and the default graph by IRIs for the service, and back for the local copy."""

    def __init__(self, base: str) -> None:
        """`base` is the base of the IRIs of the graph."""
        parts = urlsplit(base)
        self.genid_prefix = f"{parts.scheme}://{parts.netloc}/.well-known/genid/"
        self.unnamed_graph, self.state_graph = (
            ox.NamedNode(f"{base}graph/{name}") for name in ("unnamed", "state")
        )
        self.made_property = ox.NamedNode(f"{self.state_graph.value}#made")

    def skolemize_change(self, change: Change) -> Change:
        """A change as the service stores it, with a statement on each created graph, which may be empty."""
        removed = chain(self.skolemize(change.removed), map(self.made_graph_quad, change.dropped))
        added = chain(self.skolemize(change.added), map(self.made_graph_quad, change.created))
        return Change(tuple(removed), tuple(added), change.dropped, change.created)

    def deskolemize_change(self, change: Change) -> Change:
        """A change as the local copy stores it."""
        removed, added = (
            tuple(self.deskolemize(quad for quad in quads if quad.graph_name != self.state_graph))
            for quads in (change.removed, change.added)
        )
        return Change(removed, added, change.dropped, change.created)

    def made_graph_quad(self, graph: str) -> ox.Quad:
        """The statement that a graph was created."""
        return ox.Quad(self.state_graph, self.made_property, ox.NamedNode(graph), self.state_graph)

    def find_reserved_names(self, quads: Iterable[ox.Quad]) -> Iterator[ox.NamedNode]:
        """The terms in the quads that the service uses for blank nodes and for graphs of its own."""
        for quad in quads:
            if isinstance(quad.graph_name, ox.NamedNode) and quad.graph_name in (
                self.unnamed_graph,
                self.state_graph,
            ):
                yield quad.graph_name
            terms = [quad.subject, quad.predicate, quad.object, quad.graph_name]
            while terms:
                term = terms.pop()
                if isinstance(term, ox.Triple):
                    terms += (term.subject, term.object)
                elif isinstance(term, ox.NamedNode) and term.value.startswith(self.genid_prefix):
                    yield term

    def skolemize(self, quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
        """Quads as the service stores them."""
        for quad in quads:
            graph = (
                self.unnamed_graph
                if isinstance(quad.graph_name, ox.DefaultGraph)
                else self.skolemize_term(quad.graph_name)
            )
            yield ox.Quad(
                self.skolemize_term(quad.subject), quad.predicate, self.skolemize_term(quad.object), graph
            )

    def deskolemize(self, quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
        """Quads as the local copy stores them."""
        for quad in quads:
            graph = (
                ox.DefaultGraph()
                if quad.graph_name == self.unnamed_graph
                else self.deskolemize_term(quad.graph_name)
            )
            yield ox.Quad(
                self.deskolemize_term(quad.subject), quad.predicate, self.deskolemize_term(quad.object), graph
            )

    def skolemize_term(self, term: Any) -> Any:
        """The IRI for a blank node, also within a triple term; any other term unchanged."""
        if isinstance(term, ox.Triple):
            return ox.Triple(
                self.skolemize_term(term.subject), term.predicate, self.skolemize_term(term.object)
            )
        return ox.NamedNode(self.genid_prefix + term.value) if isinstance(term, ox.BlankNode) else term

    def deskolemize_term(self, term: Any) -> Any:
        """The blank node for such an IRI, also within a triple term; any other term unchanged."""
        if isinstance(term, ox.Triple):
            return ox.Triple(
                self.deskolemize_term(term.subject), term.predicate, self.deskolemize_term(term.object)
            )
        if isinstance(term, ox.NamedNode) and term.value.startswith(self.genid_prefix):
            return ox.BlankNode(term.value.removeprefix(self.genid_prefix))
        return term


def serialize_string_literal(value: str) -> str:
    """A string as a literal in SPARQL."""
    return str(ox.Literal(value))


def build_conditional_pattern(
    quads: Iterable[ox.Quad], is_exact: Callable[[ox.Quad], bool]
) -> tuple[str, str]:
    """Quads as the template of a conditional update, and the BINDs for the variables in it.

    The object of a quad that is not exact is computed by STRDT, as the service would change it otherwise.
    """
    exact: list[ox.Quad] = []
    patterns, bindings = [""], list[str]()
    for number, quad in enumerate(quads):
        if is_exact(quad):
            exact.append(quad)
            continue
        assert isinstance(quad.object, ox.Literal)
        patterns.append(f"GRAPH {quad.graph_name} {{ {quad.subject} {quad.predicate} ?o{number} }}")
        value = serialize_string_literal(quad.object.value)
        bindings.append(f"BIND(STRDT({value}, {quad.object.datatype}) AS ?o{number})")
    patterns[0] = serialize_data_block(exact)
    return " ".join(patterns), " ".join(bindings)
