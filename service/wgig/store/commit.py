"""A write as one SPARQL Update, which the engine does as a whole or not at all; what graphs are computed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import pyoxigraph as ox

from .change import Change, GraphName, Look, among, content

Named = ox.NamedNode | ox.DefaultGraph


def update_of(quads: ox.Store, change: Change, anew: set[GraphName]) -> str:
    """The update that makes the change to the quads, and writes some graphs anew as a whole.

    The blank nodes of those get new names, the same in all of them.
    """
    gone = {ox.NamedNode(one) for one in change.dropped}
    removed = [one for one in change.removed if one.graph_name not in anew | gone]
    added = [one for one in change.added if one.graph_name not in anew]
    kept = chain.from_iterable(after(quads, graph, change) for graph in anew - gone)
    return ";\n".join(
        [
            *(f"DROP SILENT GRAPH {one}" for one in sorted(gone, key=str)),
            *(f"CLEAR SILENT {in_update(one)}" for one in sorted(anew - gone, key=str)),
            f"DELETE DATA {{ {data(removed)} }}",
            *(f"CREATE SILENT GRAPH {ox.NamedNode(one)}" for one in change.made),
            f"INSERT DATA {{ {data(chain(added, kept))} }}",
        ]
    )


def replacement(graphs: Mapping[Named, Iterable[ox.Triple] | None]) -> str:
    """The update that makes these triples the whole content of these graphs; a graph given None goes."""
    return ";\n".join(
        f"DROP SILENT {in_update(name)}" if triples is None else content_of(name, lines(triples))
        for name, triples in graphs.items()
    )


def content_of(graph: Named, text: str) -> str:
    """The update that makes what N-Triples state the whole content of a graph."""
    if isinstance(graph, ox.DefaultGraph):
        return f"DROP DEFAULT; INSERT DATA {{ {text} }}"
    return f"DROP SILENT GRAPH {graph}; CREATE GRAPH {graph}; INSERT DATA {{ GRAPH {graph} {{ {text} }} }}"


def look_at(change: Change, anew: set[GraphName]) -> Look:
    """A look at all that the update may touch."""
    every = [*change.removed, *change.added]
    graphs = anew | {one.graph_name for one in every if any(blanks(one))}
    names = [ox.NamedNode(one) for one in (*change.dropped, *change.made)]
    narrow = among((one for one in every if one.graph_name not in graphs), [*touched(every), *names])
    return Look(tuple(one for one in graphs if not isinstance(one, ox.BlankNode)), narrow.quads, narrow.names)


def to_be_written_anew(quads: ox.Store, change: Change, apart: Iterable[GraphName] = ()) -> set[GraphName]:
    """The graphs that cannot be changed statement by statement: SPARQL has no name for a blank node in them.

    From there on, so are all that share such a node, for it gets a new name. `apart` are graphs that are
    computed from the others after the change.
    """
    graphs = {one.graph_name for one in change.removed if any(blanks(one))}
    spoken_of = {blank for one in change.added for blank in blanks(one)}
    while True:
        renamed = {blank for graph in graphs for one in after(quads, graph, change) for blank in blanks(one)}
        sharing = {one.graph_name for blank in renamed | spoken_of for one in about(quads, blank)}
        more = sharing.difference(graphs, apart)
        if not more:
            return graphs
        graphs |= more


def touched(quads: Iterable[ox.Quad]) -> set[Named]:
    """The graphs of the quads."""
    return {one.graph_name for one in quads if not isinstance(one.graph_name, ox.BlankNode)}


def after(quads: ox.Store, graph: GraphName, change: Change) -> set[ox.Quad]:
    """What a graph holds after the change."""
    before = set(content(quads, graph)).difference(change.removed)
    return before.union(one for one in change.added if one.graph_name == graph)


def about(quads: ox.Store, blank: ox.BlankNode) -> Iterator[ox.Quad]:
    """The quads with a blank node."""
    return chain(quads.quads_for_pattern(blank, None, None), quads.quads_for_pattern(None, None, blank))


def blanks(statement: ox.Quad | ox.Triple) -> Iterator[ox.BlankNode]:
    """The blank nodes of a statement, be they within a triple that it is about."""
    terms = [statement.subject, statement.object]
    while terms:
        term = terms.pop()
        if isinstance(term, ox.BlankNode):
            yield term
        elif isinstance(term, ox.Triple):
            terms += (term.subject, term.object)


def data(quads: Iterable[ox.Quad]) -> str:
    """The quads as SPARQL Update takes them."""
    triples = defaultdict[GraphName, list[ox.Triple]](list)
    for one in quads:
        triples[one.graph_name].append(one.triple)
    return "\n".join(
        lines(those) if isinstance(graph, ox.DefaultGraph) else f"GRAPH {graph} {{ {lines(those)} }}"
        for graph, those in triples.items()
    )


def lines(triples: Iterable[ox.Triple]) -> str:
    """The triples as N-Triples."""
    return (ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b"").decode()


def in_update(graph: GraphName) -> str:
    """A graph as SPARQL Update names it."""
    return "DEFAULT" if isinstance(graph, ox.DefaultGraph) else f"GRAPH {graph}"


class Computed(Protocol):
    """What is computed from the stated quads into a graph, and rules may ask for."""

    graph: ox.NamedNode

    @property
    def digest(self) -> str:
        """The digest of how it is computed."""

    def follow(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Bring it in line with the stated quads after a change; None: it may be anything.

        Returns the change with what followed, None where that is not known.
        """

    def told(self, quads: ox.Store, graphs: Iterable[str]) -> set[ox.Quad] | None:
        """What is computed from these graphs alone; None where their change may change the rest as well."""


class Describing(Protocol):
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
