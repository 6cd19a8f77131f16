"""The SPARQL Update that makes a change, which the engine runs atomically; protocols of derived graphs.

SPARQL Update cannot refer to an existing blank node, so a graph whose change involves one is rewritten
completely. There are two protocols of derived graphs: a `ComputedGraph` is computed in the transaction,
before inference, so that rules can query it; a `GraphDescriber` computes descriptions from all quads after
inference, possibly later and on a copy.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import pyoxigraph as ox

from ..rdf.serialization import serialize_n_triples
from .change import Change, GraphName, WriteScope, iter_graph_quads, scope_of_quads

NamedOrDefaultGraph = ox.NamedNode | ox.DefaultGraph


def build_change_update(quads: ox.Store, change: Change, rewritten_graphs: set[GraphName]) -> str:
    """The SPARQL Update that makes the change, and rewrites the graphs in `rewritten_graphs` completely.

    Blank nodes of rewritten graphs get new labels, consistent across these graphs.
    """
    dropped_graphs = {ox.NamedNode(iri) for iri in change.dropped}
    removed = [quad for quad in change.removed if quad.graph_name not in rewritten_graphs | dropped_graphs]
    added = [quad for quad in change.added if quad.graph_name not in rewritten_graphs]
    remaining = chain.from_iterable(
        quads_after_change(quads, graph, change) for graph in rewritten_graphs - dropped_graphs
    )
    return ";\n".join(
        [
            *(f"DROP SILENT GRAPH {graph}" for graph in sorted(dropped_graphs, key=str)),
            *(
                f"CLEAR SILENT {serialize_update_graph(graph)}"
                for graph in sorted(rewritten_graphs - dropped_graphs, key=str)
            ),
            f"DELETE DATA {{ {serialize_data_block(removed)} }}",
            *(f"CREATE SILENT GRAPH {ox.NamedNode(iri)}" for iri in change.created),
            f"INSERT DATA {{ {serialize_data_block(chain(added, remaining))} }}",
        ]
    )


def build_replacement_update(graphs: Mapping[NamedOrDefaultGraph, Iterable[ox.Triple] | None]) -> str:
    """The SPARQL Update that replaces the contents of graphs by these triples; None drops the graph."""
    return ";\n".join(
        f"DROP SILENT {serialize_update_graph(name)}"
        if triples is None
        else build_content_update(name, serialize_n_triples(triples).decode())
        for name, triples in graphs.items()
    )


def build_content_update(graph: NamedOrDefaultGraph, triples: str) -> str:
    """The SPARQL Update that replaces the content of a graph by triples in N-Triples."""
    if isinstance(graph, ox.DefaultGraph):
        return f"DROP DEFAULT; INSERT DATA {{ {triples} }}"
    return f"DROP SILENT GRAPH {graph}; CREATE GRAPH {graph}; INSERT DATA {{ GRAPH {graph} {{ {triples} }} }}"


def scope_of_change(change: Change, rewritten_graphs: set[GraphName]) -> WriteScope:
    """The scope of everything that the update of `build_change_update` may touch."""
    quads = [*change.removed, *change.added]
    graphs = rewritten_graphs | {quad.graph_name for quad in quads if any(iter_blank_nodes(quad))}
    names = [ox.NamedNode(iri) for iri in (*change.dropped, *change.created)]
    quad_scope = scope_of_quads(
        (quad for quad in quads if quad.graph_name not in graphs), [*graphs_of_quads(quads), *names]
    )
    return WriteScope(
        tuple(graph for graph in graphs if not isinstance(graph, ox.BlankNode)),
        quad_scope.quads,
        quad_scope.names,
    )


def find_rewritten_graphs(
    quads: ox.Store, change: Change, excluded_graphs: Iterable[GraphName] = ()
) -> set[GraphName]:
    """The graphs that must be rewritten, as SPARQL Update cannot refer to the blank nodes in their change.

    Such a blank node gets a new label, so graphs that share it are included, transitively. `excluded_graphs`
    are left out: they are computed from the others after the change.
    """
    graphs = {quad.graph_name for quad in change.removed if any(iter_blank_nodes(quad))}
    added_nodes = {blank for quad in change.added for blank in iter_blank_nodes(quad)}
    while True:
        renamed_nodes = {
            blank
            for graph in graphs
            for quad in quads_after_change(quads, graph, change)
            for blank in iter_blank_nodes(quad)
        }
        sharing_graphs = {
            quad.graph_name
            for blank in renamed_nodes | added_nodes
            for quad in iter_quads_mentioning(quads, blank)
        }
        new_graphs = sharing_graphs.difference(graphs, excluded_graphs)
        if not new_graphs:
            return graphs
        graphs |= new_graphs


def graphs_of_quads(quads: Iterable[ox.Quad]) -> set[NamedOrDefaultGraph]:
    """The graphs of the quads, without graphs named by blank nodes."""
    return {quad.graph_name for quad in quads if not isinstance(quad.graph_name, ox.BlankNode)}


def quads_after_change(quads: ox.Store, graph: GraphName, change: Change) -> set[ox.Quad]:
    """The quads that a graph will have after the change."""
    before = set(iter_graph_quads(quads, graph)).difference(change.removed)
    return before.union(quad for quad in change.added if quad.graph_name == graph)


def iter_quads_mentioning(quads: ox.Store, blank: ox.BlankNode) -> Iterator[ox.Quad]:
    """The quads that have the blank node as subject or object."""
    return chain(quads.quads_for_pattern(blank, None, None), quads.quads_for_pattern(None, None, blank))


def iter_blank_nodes(statement: ox.Quad | ox.Triple) -> Iterator[ox.BlankNode]:
    """The blank nodes of a statement, also within triple terms."""
    terms = [statement.subject, statement.object]
    while terms:
        term = terms.pop()
        if isinstance(term, ox.BlankNode):
            yield term
        elif isinstance(term, ox.Triple):
            terms += (term.subject, term.object)


def serialize_data_block(quads: Iterable[ox.Quad]) -> str:
    """The quads as the content of an INSERT DATA or DELETE DATA block."""
    triples_by_graph = defaultdict[GraphName, list[ox.Triple]](list)
    for quad in quads:
        triples_by_graph[quad.graph_name].append(quad.triple)
    blocks = ((graph, serialize_n_triples(triples).decode()) for graph, triples in triples_by_graph.items())
    return "\n".join(
        text if isinstance(graph, ox.DefaultGraph) else f"GRAPH {graph} {{ {text} }}"
        for graph, text in blocks
    )


def serialize_update_graph(graph: GraphName) -> str:
    """A graph as a GraphRef of SPARQL Update: `DEFAULT` or `GRAPH <iri>`."""
    return "DEFAULT" if isinstance(graph, ox.DefaultGraph) else f"GRAPH {graph}"


# Results of SHACL checks before the write, by the digest of the data, so that a computed graph does not have
# to check the same data again.
CheckResults = Mapping[str, frozenset[Any]]
NO_CHECK_RESULTS: CheckResults = MappingProxyType({})


class ComputedGraph(Protocol):
    """A graph that is computed from the asserted quads before inference, so that rules can query it."""

    graph: ox.NamedNode

    @property
    def digest(self) -> str:
        """The digest of everything that determines how the graph is computed."""

    def apply(
        self, quads: ox.Store, change: Change | None, check_results: CheckResults = NO_CHECK_RESULTS
    ) -> Change | None:
        """Update the graph after a change of the asserted quads (None: the change is unknown).

        `check_results` are known results for data of the change. Returns the change combined with the change
        of this graph, None if it is unknown.
        """

    def quads_computed_from(self, quads: ox.Store, graphs: Iterable[str]) -> set[ox.Quad] | None:
        """The computed quads that depend only on these graphs; None if other quads may depend on them too."""


class GraphDescriber(Protocol):
    """Computes descriptions: graphs about all quads, computed after inference. No rule queries them."""

    graphs: frozenset[ox.NamedNode]

    @property
    def digest(self) -> str:
        """The digest of how the graphs are computed."""

    def describe(self, quads: ox.Store, change: Change | None, prepared: Any = None) -> Change:
        """Update the graphs after a change of other quads (None: unknown). Returns the change of the graphs.

        `prepared` is the result of `prepare`. With it, the quads may include later changes too.
        """

    def prepare(self, copy: Path, change: Change) -> Any:
        """Do the slow part of `describe` in another process, on a copy of the quads after the change.

        Raises OSError or subprocess.SubprocessError.
        """

    def can_prepare(self, quads: ox.Store, change: Change) -> bool:
        """Whether the change can be described from the result of `prepare`."""

    def state(self, quads: ox.Store) -> str:
        """An identifier of the described state of the quads, different for each state."""
