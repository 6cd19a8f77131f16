"""EndpointGraphSource: a graph of a SPARQL endpoint, read in small parts, for `wgig check --endpoint`.

Pages begin after the last IRI of the page before, as an OFFSET would make the endpoint sort all nodes again.
Blank nodes have no names in queries, so they come with the node around them, and get labels that no other
response has. What cannot be read in this way is reported.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.formats import N_TRIPLES, TSV
from ..rdf.namespaces import RDF_TYPE, RDFS_NAMESPACE
from ..sparql.language.parser import ParsedSparqlText
from ..store.view import parse_tsv_solutions
from ..text import shorten_untrusted_text
from ..validation.shapes_graph import ShapesNote, ShapeTargets
from .query import QueryEvaluator

ENDPOINT_PAGE_NODES = 100  # whose IRIs are in each query; many endpoints return at most 10,000 rows
MAX_BLANK_NODE_DEPTH = 4  # of nested blank nodes
SUBCLASS_PATH = f"<{RDFS_NAMESPACE}subClassOf>*"


@dataclass(frozen=True)
class EndpointGraphSource:
    """A graph of a SPARQL endpoint; its default graph if `graph` is None."""

    evaluate: QueryEvaluator
    graph: str | None
    page_nodes: int = ENDPOINT_PAGE_NODES
    reads_whole_nodes: bool = True
    response_numbers: Iterator[int] = field(default_factory=count)

    @property
    def name(self) -> str:
        """The graph, as it is named in the report."""
        return self.graph or "default graph"

    def is_empty(self) -> bool:
        """Whether the endpoint has no triple in the graph, such as one that does not exist."""
        return not self.select_rows(f"SELECT ?s {{ {self.in_graph('?s ?p ?o')} }} LIMIT 1")

    def iter_focus_nodes(self, targets: ShapeTargets) -> Iterator[Any]:
        """The IRIs and literals that are targets, each once, by one query for each page."""
        last = ""
        while rows := self.select_nodes(targets, f"isIRI(?node) && STR(?node) > {ox.Literal(last)}"):
            yield from rows
            last = rows[-1].value
        offset = 0
        while rows := self.select_nodes(targets, "isLiteral(?node)", offset):
            yield from rows
            offset += len(rows)

    def select_nodes(self, targets: ShapeTargets, condition: str, offset: int = 0) -> list[Any]:
        """A page of the targets that meet a condition, sorted by their text."""
        query = (
            f"SELECT ?node {{ SELECT DISTINCT ?node {{ {self.match_targets(targets)} "
            f"FILTER({condition}) }} }} ORDER BY STR(?node) LANG(?node) STR(DATATYPE(?node)) "
            f"LIMIT {self.page_nodes} OFFSET {offset}"
        )
        return [row["node"] for row in self.select_rows(query)]

    def count_focus_nodes(self, targets: ShapeTargets) -> int:
        """The number of targets that can be checked."""
        return self.count_nodes(targets, "!isBlank(?node)")

    def list_notes(self, targets: ShapeTargets) -> list[ShapesNote]:
        """A note about the blank nodes that are targets, if there are any."""
        blank_count = self.count_nodes(targets, "isBlank(?node)")
        note = ShapesNote("unreachable", (("count", blank_count),), ox.Literal(self.name))
        return [note] if blank_count else []

    def count_nodes(self, targets: ShapeTargets, condition: str) -> int:
        """The number of targets that meet a condition."""
        rows = self.select_rows(
            f"SELECT (COUNT(DISTINCT ?node) AS ?count) {{ {self.match_targets(targets)} "
            f"FILTER({condition}) }}"
        )
        return int(rows[0]["count"].value)

    def match_targets(self, targets: ShapeTargets) -> str:
        """A pattern that binds ?node to the targets."""
        named = [node for node in targets.nodes if not isinstance(node, ox.BlankNode)]
        patterns = [
            *(f"?node {RDF_TYPE}/{SUBCLASS_PATH} <{iri}>" for iri in sorted(targets.classes)),
            *(f"?node <{iri}> ?value" for iri in sorted(targets.subjects_of)),
            *(f"?value <{iri}> ?node" for iri in sorted(targets.objects_of)),
        ]
        groups = [f"{{ {self.in_graph(pattern)} }}" for pattern in patterns]
        if named:
            groups.append(f"{{ {serialize_values('?node', named)} }}")
        return " UNION ".join(groups)

    def fetch_outgoing(
        self, nodes: Collection[Any], properties: frozenset[str] | None
    ) -> Iterator[ox.Triple]:
        """The triples of nodes with these properties, or any, and all triples of the blank nodes in them.

        Raises Problem 413 if blank nodes are nested too deeply.
        """
        named_nodes = [node for node in nodes if isinstance(node, ox.NamedNode)]
        property_values = "" if properties is None else serialize_values("?p0", map(ox.NamedNode, properties))
        last = MAX_BLANK_NODE_DEPTH
        nested, template = "", f"?n{last} ?p{last} ?n{last + 1}"
        for depth in range(last, 0, -1):
            nested = f"OPTIONAL {{ ?n{depth} ?p{depth} ?n{depth + 1} FILTER(isBlank(?n{depth})) {nested} }}"
            template = f"?n{depth - 1} ?p{depth - 1} ?n{depth} . {template}"
        for begin in range(0, len(named_nodes), self.page_nodes):
            node_values = serialize_values("?n0", named_nodes[begin : begin + self.page_nodes])
            pattern = self.in_graph(f"{node_values} {property_values} ?n0 ?p0 ?n1 {nested}")
            triples = self.construct_triples(f"CONSTRUCT {{ {template} }} WHERE {{ {pattern} }}")
            check_blank_node_depth(triples)
            yield from triples

    def fetch_incoming(self, nodes: Collection[Any], properties: frozenset[str]) -> Iterator[ox.Triple]:
        """The triples with these properties whose objects are the nodes.

        Raises Problem 413 for subjects that are blank nodes, as nothing more can be read about these.
        """
        named_nodes = [node for node in nodes if not isinstance(node, ox.BlankNode)]
        property_values = serialize_values("?p", map(ox.NamedNode, properties))
        for begin in range(0, len(named_nodes) if properties else 0, self.page_nodes):
            node_values = serialize_values("?o", named_nodes[begin : begin + self.page_nodes])
            pattern = self.in_graph(f"{node_values} {property_values} ?s ?p ?o")
            for triple in self.construct_triples(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {pattern} }}"):
                if isinstance(triple.subject, ox.BlankNode):
                    raise unreadable_blank_nodes_problem(
                        f"A blank node refers to {shorten_untrusted_text(str(triple.object), 200)}"
                    )
                yield triple

    def fetch_all(self, max_triples: int) -> Iterator[ox.Triple]:
        """All triples, but at most `max_triples`."""
        pattern = self.in_graph("?s ?p ?o")
        query = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {pattern} }} LIMIT {max_triples}"
        return iter(self.construct_triples(query))

    def in_graph(self, pattern: str) -> str:
        """A pattern that is matched in the graph."""
        return f"GRAPH <{self.graph}> {{ {pattern} }}" if self.graph else pattern

    def select_rows(self, query: str) -> list[dict[str, Any]]:
        """The solutions of a SELECT. Raises Problem if the response is none."""
        try:
            return [*parse_tsv_solutions(self.evaluate(ParsedSparqlText(query), TSV, warns=False))]
        except (SyntaxError, ValueError) as error:
            raise Problem(
                400, f"{self.name} sent no valid result of a query. Check the address of the endpoint."
            ) from error

    def construct_triples(self, query: str) -> list[ox.Triple]:
        """The triples of a CONSTRUCT; blank nodes get labels that no other response has."""
        body = self.evaluate(ParsedSparqlText(query), N_TRIPLES, warns=False)
        prefix = f"r{next(self.response_numbers)}-"

        def rename_term(term: Any) -> Any:
            return ox.BlankNode(prefix + term.value) if isinstance(term, ox.BlankNode) else term

        return [
            ox.Triple(rename_term(quad.subject), quad.predicate, rename_term(quad.object))
            for quad in ox.parse(body, ox.RdfFormat.N_TRIPLES)
        ]


def serialize_values(variable: str, terms: Iterable[Any]) -> str:
    """A VALUES block of one variable."""
    return f"VALUES {variable} {{ {' '.join(map(str, terms))} }}"


def check_blank_node_depth(triples: Iterable[ox.Triple]) -> None:
    """Raise Problem 413 if the triples, from named nodes on, have blank nodes that are nested too deeply."""
    children: dict[Any, list[Any]] = {}
    for triple in triples:
        children.setdefault(triple.subject, []).append(triple.object)
    frontier = {node for node in children if not isinstance(node, ox.BlankNode)}
    for _ in range(MAX_BLANK_NODE_DEPTH + 1):
        frontier = {
            child for node in frontier for child in children.get(node, ()) if isinstance(child, ox.BlankNode)
        }
    if frontier:
        raise unreadable_blank_nodes_problem(f"Blank nodes are nested more than {MAX_BLANK_NODE_DEPTH} times")


def unreadable_blank_nodes_problem(cause: str) -> Problem:
    """The Problem 413 for blank nodes about which an endpoint does not return everything."""
    return Problem(
        413,
        f"{cause}, so this graph cannot be checked over SPARQL. Download it, and check the file, or load it "
        "and check the store.",
    )
