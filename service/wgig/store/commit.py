"""A change as one SPARQL Update, which the engine does as a whole or not at all; computed graphs.

SPARQL has no name for a blank node that is there, so that graphs with such a one in the change are written
anew as a whole. Two protocols: `ComputedGraph` is a graph that is computed in the transaction, before the
rules, which may ask for it; `GraphDescriber` computes graphs from all quads once the rules were followed,
maybe later and on a copy.
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


def build_change_update(quads: ox.Store, change: Change, anew: set[GraphName]) -> str:
    """The update that makes the change to the quads, and writes some graphs anew as a whole.

    The blank nodes of those get new names, the same in all of them.
    """
    gone = {ox.NamedNode(one) for one in change.dropped}
    removed = [one for one in change.removed if one.graph_name not in anew | gone]
    added = [one for one in change.added if one.graph_name not in anew]
    kept = chain.from_iterable(quads_after_change(quads, graph, change) for graph in anew - gone)
    return ";\n".join(
        [
            *(f"DROP SILENT GRAPH {one}" for one in sorted(gone, key=str)),
            *(f"CLEAR SILENT {serialize_update_graph(one)}" for one in sorted(anew - gone, key=str)),
            f"DELETE DATA {{ {serialize_data_block(removed)} }}",
            *(f"CREATE SILENT GRAPH {ox.NamedNode(one)}" for one in change.created),
            f"INSERT DATA {{ {serialize_data_block(chain(added, kept))} }}",
        ]
    )


def build_replacement_update(graphs: Mapping[NamedOrDefaultGraph, Iterable[ox.Triple] | None]) -> str:
    """The update that makes these triples the whole content of these graphs; a graph given None goes."""
    return ";\n".join(
        f"DROP SILENT {serialize_update_graph(name)}"
        if triples is None
        else build_content_update(name, serialize_n_triples(triples).decode())
        for name, triples in graphs.items()
    )


def build_content_update(graph: NamedOrDefaultGraph, text: str) -> str:
    """The update that makes what N-Triples state the whole content of a graph."""
    if isinstance(graph, ox.DefaultGraph):
        return f"DROP DEFAULT; INSERT DATA {{ {text} }}"
    return f"DROP SILENT GRAPH {graph}; CREATE GRAPH {graph}; INSERT DATA {{ GRAPH {graph} {{ {text} }} }}"


def scope_of_change(change: Change, anew: set[GraphName]) -> WriteScope:
    """A look at all that the update may touch."""
    every = [*change.removed, *change.added]
    graphs = anew | {one.graph_name for one in every if any(iter_blank_nodes(one))}
    names = [ox.NamedNode(one) for one in (*change.dropped, *change.created)]
    narrow = scope_of_quads(
        (one for one in every if one.graph_name not in graphs), [*graphs_of_quads(every), *names]
    )
    return WriteScope(
        tuple(one for one in graphs if not isinstance(one, ox.BlankNode)), narrow.quads, narrow.names
    )


def find_rewritten_graphs(quads: ox.Store, change: Change, apart: Iterable[GraphName] = ()) -> set[GraphName]:
    """The graphs that cannot be changed statement by statement: SPARQL has no name for a blank node in them.

    From there on, so are all that share such a node, for it gets a new name. `apart` are graphs that are
    computed from the others after the change.
    """
    graphs = {one.graph_name for one in change.removed if any(iter_blank_nodes(one))}
    spoken_of = {blank for one in change.added for blank in iter_blank_nodes(one)}
    while True:
        renamed = {
            blank
            for graph in graphs
            for one in quads_after_change(quads, graph, change)
            for blank in iter_blank_nodes(one)
        }
        sharing = {
            one.graph_name for blank in renamed | spoken_of for one in iter_quads_mentioning(quads, blank)
        }
        more = sharing.difference(graphs, apart)
        if not more:
            return graphs
        graphs |= more


def graphs_of_quads(quads: Iterable[ox.Quad]) -> set[NamedOrDefaultGraph]:
    """The graphs of the quads."""
    return {one.graph_name for one in quads if not isinstance(one.graph_name, ox.BlankNode)}


def quads_after_change(quads: ox.Store, graph: GraphName, change: Change) -> set[ox.Quad]:
    """What a graph holds after the change."""
    before = set(iter_graph_quads(quads, graph)).difference(change.removed)
    return before.union(one for one in change.added if one.graph_name == graph)


def iter_quads_mentioning(quads: ox.Store, blank: ox.BlankNode) -> Iterator[ox.Quad]:
    """The quads with a blank node."""
    return chain(quads.quads_for_pattern(blank, None, None), quads.quads_for_pattern(None, None, blank))


def iter_blank_nodes(statement: ox.Quad | ox.Triple) -> Iterator[ox.BlankNode]:
    """The blank nodes of a statement, be they within a triple that it is about."""
    terms = [statement.subject, statement.object]
    while terms:
        term = terms.pop()
        if isinstance(term, ox.BlankNode):
            yield term
        elif isinstance(term, ox.Triple):
            terms += (term.subject, term.object)


def serialize_data_block(quads: Iterable[ox.Quad]) -> str:
    """The quads as SPARQL Update takes them."""
    triples = defaultdict[GraphName, list[ox.Triple]](list)
    for one in quads:
        triples[one.graph_name].append(one.triple)
    blocks = ((graph, serialize_n_triples(those).decode()) for graph, those in triples.items())
    return "\n".join(
        text if isinstance(graph, ox.DefaultGraph) else f"GRAPH {graph} {{ {text} }}"
        for graph, text in blocks
    )


def serialize_update_graph(graph: GraphName) -> str:
    """A graph as SPARQL Update names it."""
    return "DEFAULT" if isinstance(graph, ox.DefaultGraph) else f"GRAPH {graph}"


# What was found in quads before they are written, by the digest of what it rests on, so that what is computed
# from them need not find it again.
CheckResults = Mapping[str, frozenset[Any]]
NOTHING_CHECKED: CheckResults = MappingProxyType({})


class ComputedGraph(Protocol):
    """What is computed from the stated quads into a graph, and rules may ask for."""

    graph: ox.NamedNode

    @property
    def digest(self) -> str:
        """The digest of how it is computed."""

    def apply(
        self, quads: ox.Store, change: Change | None, checked: CheckResults = NOTHING_CHECKED
    ) -> Change | None:
        """Bring it in line with the stated quads after a change; None: it may be anything.

        `checked` is what was found in the quads of the change before. Returns the change with what followed,
        None where that is not known.
        """

    def computed_from(self, quads: ox.Store, graphs: Iterable[str]) -> set[ox.Quad] | None:
        """What is computed from these graphs alone; None where their change may change the rest as well."""


class GraphDescriber(Protocol):
    """What is computed from all quads once rules were followed. No rule asks for it."""

    graphs: frozenset[ox.NamedNode]

    @property
    def digest(self) -> str:
        """The digest of how it is computed."""

    def describe(self, quads: ox.Store, change: Change | None, prepared: Any = None) -> Change:
        """Bring it in line with a change of the other quads, None: they may be any. What that changed.

        Where it is `prepared`, the quads may be further than this change by now.
        """

    def prepare(self, copy: Path, change: Change) -> Any:
        """Do what takes long of `describe` in another process, from a copy of the quads as after the change.

        Raises OSError or subprocess.SubprocessError.
        """

    def can_prepare(self, quads: ox.Store, change: Change) -> bool:
        """Whether what was prepared is enough to describe the change."""

    def state(self, quads: ox.Store) -> str:
        """What tells one state that is described from any other."""
