"""A change as one SPARQL Update, which the engine does as a whole or not at all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

import pyoxigraph as ox

from .changes import Change, GraphName, Look, among, content

Named = ox.NamedNode | ox.DefaultGraph


def update_of(quads: ox.Store, change: Change) -> str:
    """The update that makes the change to the quads.

    SPARQL has no name for a blank node that is there already. So a graph in which a change is about one is
    written anew as a whole, and its blank nodes get new names, the same in all graphs that are written so.
    """
    anew = entangled(quads, change)
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


def look_at(quads: ox.Store, change: Change) -> Look:
    """A look at all that the update of the change may touch."""
    every = [*change.removed, *change.added]
    graphs = {one.graph_name for one in every if any(blanks(one))} | entangled(quads, change)
    names = [ox.NamedNode(one) for one in (*change.dropped, *change.made)]
    narrow = among((one for one in every if one.graph_name not in graphs), [*touched(every), *names])
    return Look(tuple(one for one in graphs if not isinstance(one, ox.BlankNode)), narrow.quads, narrow.names)


def touched(quads: Iterable[ox.Quad]) -> set[Named]:
    """The graphs of the quads."""
    return {one.graph_name for one in quads if not isinstance(one.graph_name, ox.BlankNode)}


def entangled(quads: ox.Store, change: Change) -> set[GraphName]:
    """The graphs in which the change removes, or says something of, a blank node that is there already."""
    removed = {one.graph_name for one in change.removed if any(blanks(one))}
    return removed | {
        one.graph_name for one in change.added if any(is_there(quads, blank) for blank in blanks(one))
    }


def after(quads: ox.Store, graph: GraphName, change: Change) -> set[ox.Quad]:
    """What a graph holds after the change."""
    before = set(content(quads, graph)).difference(change.removed)
    return before.union(one for one in change.added if one.graph_name == graph)


def is_there(quads: ox.Store, blank: ox.BlankNode) -> bool:
    """Whether a quad is about the blank node."""
    found = chain(quads.quads_for_pattern(blank, None, None), quads.quads_for_pattern(None, None, blank))
    return next(found, None) is not None


def blanks(statement: ox.Quad | ox.Triple) -> Iterator[ox.BlankNode]:
    """The blank nodes of a statement, be they within a triple that it is about."""
    for term in (statement.subject, statement.object):
        if isinstance(term, ox.BlankNode):
            yield term
        elif isinstance(term, ox.Triple):
            yield from blanks(term)


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
