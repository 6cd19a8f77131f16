"""Skolemization for a shared store: IRIs for blank nodes and for the default graph; quads in updates.

Two requests cannot refer to the same blank node, so the service stores IRIs for blank nodes (RDF 1.1
Concepts, section 3.5). The default graph is stored as a named graph, as some services have no default graph.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import pyoxigraph as ox

from ..store.change import Change
from ..store.commit import serialize_data_block


class Skolemizer:
    """Replaces blank nodes and the default graph by IRIs for the service, and vice versa for the copy."""

    def __init__(self, base: str) -> None:
        """Take the base IRI of the graph."""
        parts = urlsplit(base)
        self.genid_prefix = f"{parts.scheme}://{parts.netloc}/.well-known/genid/"
        self.unnamed_graph, self.state_graph = (
            ox.NamedNode(f"{base}graph/{name}") for name in ("unnamed", "state")
        )
        self.created_property = ox.NamedNode(f"{self.state_graph.value}#made")

    def skolemize_change(self, change: Change) -> Change:
        """A change as stored in the service, with a statement for each created graph, as it may be empty."""
        removed = chain(self.skolemize(change.removed), map(self.created_graph_quad, change.dropped))
        added = chain(self.skolemize(change.added), map(self.created_graph_quad, change.created))
        return Change(tuple(removed), tuple(added), change.dropped, change.created)

    def deskolemize_change(self, change: Change) -> Change:
        """A change as stored in the local copy."""
        removed, added = (
            tuple(self.deskolemize(quad for quad in quads if quad.graph_name != self.state_graph))
            for quads in (change.removed, change.added)
        )
        return Change(removed, added, change.dropped, change.created)

    def created_graph_quad(self, graph: str) -> ox.Quad:
        """The statement that the graph was created."""
        return ox.Quad(self.state_graph, self.created_property, ox.NamedNode(graph), self.state_graph)

    def find_reserved_names(self, quads: Iterable[ox.Quad]) -> Iterator[ox.NamedNode]:
        """The IRIs in the quads that are reserved for blank nodes, the default graph and the ledger."""
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
        """Quads as stored in the service."""
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
        """Quads as stored in the local copy."""
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
        """The blank node for its IRI, also within a triple term; any other term unchanged."""
        if isinstance(term, ox.Triple):
            return ox.Triple(
                self.deskolemize_term(term.subject), term.predicate, self.deskolemize_term(term.object)
            )
        if isinstance(term, ox.NamedNode) and term.value.startswith(self.genid_prefix):
            return ox.BlankNode(term.value.removeprefix(self.genid_prefix))
        return term


def serialize_string_literal(value: str) -> str:
    """A string as a SPARQL literal."""
    return str(ox.Literal(value))


def build_conditional_pattern(
    quads: Iterable[ox.Quad], is_exact: Callable[[ox.Quad], bool]
) -> tuple[str, str]:
    """The quads as the template of an update with a WHERE clause, and BINDs for the variables in it.

    Some services change an object in a template. Unless `is_exact` is True for a quad, STRDT in a BIND
    creates its object.
    """
    exact_quads: list[ox.Quad] = []
    patterns, bindings = [""], list[str]()
    for number, quad in enumerate(quads):
        if is_exact(quad):
            exact_quads.append(quad)
            continue
        assert isinstance(quad.object, ox.Literal)
        patterns.append(f"GRAPH {quad.graph_name} {{ {quad.subject} {quad.predicate} ?o{number} }}")
        value = serialize_string_literal(quad.object.value)
        bindings.append(f"BIND(STRDT({value}, {quad.object.datatype}) AS ?o{number})")
    patterns[0] = serialize_data_block(exact_quads)
    return " ".join(patterns), " ".join(bindings)
