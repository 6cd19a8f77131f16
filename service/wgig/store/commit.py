"""Applying a change to the engine in one atomic update; protocols of derived graphs.

SPARQL Update cannot refer to an existing blank node. So quads with blank nodes are written by a DELETE and an
INSERT whose terms come from custom functions, by the number of the quad: blank nodes keep their labels.

There are two protocols of derived graphs: a `ComputedGraph` is computed before a commit, so that rules can
query it; a `GraphDescriber` computes descriptions from all quads, after the commit or later.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import pyoxigraph as ox

from ..rdf.serialization import serialize_n_triples
from .change import Change, GraphName
from .overlay import QuadSource

NamedOrDefaultGraph = ox.NamedNode | ox.DefaultGraph

# The custom functions that return a term of a quad with blank nodes, by the number of the quad.
TERM_FUNCTIONS = {
    name: ox.NamedNode(f"urn:wgig:{name}") for name in ("subject", "predicate", "object", "graph_name")
}
BIND_TERMS = " ".join(
    f"BIND(<{TERM_FUNCTIONS[name].value}>(?number) AS ?{variable})"
    for name, variable in (("subject", "s"), ("predicate", "p"), ("object", "o"))
)
BIND_GRAPH = f"BIND(<{TERM_FUNCTIONS['graph_name'].value}>(?number) AS ?g)"


def apply_to_engine(change: Change, quads: ox.Store) -> None:
    """Apply a change to the engine's store in one atomic operation. Raises OSError."""
    if change.only_adds:  # twice as fast as an update, whose text would have to be parsed
        quads.extend(change.added)
        return
    blank_quads = [quad for quad in chain(change.removed, change.added) if has_blank_node(quad)]
    quads.update(build_change_update(change, blank_quads), custom_functions=make_term_functions(blank_quads))


def build_change_update(change: Change, blank_quads: Sequence[ox.Quad] = ()) -> str:
    """The SPARQL Update that makes the change. `blank_quads` are those of its quads with blank nodes."""
    dropped_graphs = {ox.NamedNode(iri) for iri in change.dropped}
    numbers = {quad: number for number, quad in enumerate(blank_quads)}
    removed = [quad for quad in change.removed if quad.graph_name not in dropped_graphs]
    return ";\n".join(
        [
            *(f"DROP SILENT GRAPH {graph}" for graph in sorted(dropped_graphs, key=str)),
            f"DELETE DATA {{ {serialize_data_block(quad for quad in removed if quad not in numbers)} }}",
            *build_blank_updates("DELETE", [quad for quad in removed if quad in numbers], numbers),
            *(f"CREATE SILENT GRAPH {ox.NamedNode(iri)}" for iri in change.created),
            f"INSERT DATA {{ {serialize_data_block(quad for quad in change.added if quad not in numbers)} }}",
            *build_blank_updates("INSERT", [quad for quad in change.added if quad in numbers], numbers),
        ]
    )


def build_blank_updates(verb: str, quads: Iterable[ox.Quad], numbers: Mapping[ox.Quad, int]) -> Iterator[str]:
    """The operations that delete or insert quads with blank nodes, in the default graph and in named ones."""
    for is_default in (True, False):
        rows = [
            str(numbers[quad]) for quad in quads if isinstance(quad.graph_name, ox.DefaultGraph) == is_default
        ]
        template = "?s ?p ?o" if is_default else "GRAPH ?g { ?s ?p ?o }"
        binds = BIND_TERMS if is_default else f"{BIND_TERMS} {BIND_GRAPH}"
        if rows:
            yield f"{verb} {{ {template} }} WHERE {{ VALUES ?number {{ {' '.join(rows)} }} {binds} }}"


def make_term_functions(quads: Sequence[ox.Quad]) -> dict[ox.NamedNode, Callable[..., Any]]:
    """The custom functions that return the terms of these quads."""

    def make_function(name: str) -> Callable[[ox.Literal], Any]:
        return lambda number: getattr(quads[int(number.value)], name)

    return {function: make_function(name) for name, function in TERM_FUNCTIONS.items()} if quads else {}


def graphs_of_quads(quads: Iterable[ox.Quad]) -> set[NamedOrDefaultGraph]:
    """The graphs of the quads, without graphs named by blank nodes."""
    return {quad.graph_name for quad in quads if not isinstance(quad.graph_name, ox.BlankNode)}


def has_blank_node(quad: ox.Quad) -> bool:
    """Whether a term of a quad is a blank node, or a triple term with one."""
    terms: list[Any] = [*quad]
    while terms:
        term = terms.pop()
        if isinstance(term, ox.BlankNode):
            return True
        if isinstance(term, ox.Triple):
            terms += (term.subject, term.object)
    return False


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


# What a check before the write has computed, by the digest of the data: the quads about the data in a
# computed graph, as N-Quads, so that they are not computed again.
CheckedQuads = Mapping[str, bytes]
NO_CHECKED_QUADS: CheckedQuads = MappingProxyType({})


class ComputedGraph(Protocol):
    """A graph that is computed from the stated quads before inference, so that rules can query it."""

    graph: ox.NamedNode

    @property
    def digest(self) -> str:
        """The digest of everything that determines how the graph is computed."""

    def iter_changes(
        self,
        quads: QuadSource,
        change: Change | None,
        checked_quads: CheckedQuads = NO_CHECKED_QUADS,
        snapshot: Path | None = None,
    ) -> Iterator[Change]:
        """The changes of this graph that follow from a change of the stated quads (None: unknown).

        `quads` are as after that change, but this graph is as before it. `checked_quads` are known quads
        for data of the change. The changes after an unknown one come in batches, as they may be large; each
        may be applied before the next is computed. `snapshot` is the folder of a snapshot of the quads, if
        there is one, from which other processes may read.
        """


class GraphDescriber(Protocol):
    """Computes descriptions: graphs about all quads, computed after inference. No rule queries them."""

    graphs: frozenset[ox.NamedNode]

    @property
    def digest(self) -> str:
        """The digest of how the graphs are computed."""

    def compute_change(self, quads: ox.Store, change: Change | None) -> Change:
        """The change of the graphs that follows from a change of other quads (None: unknown).

        `quads` have that change already.
        """
