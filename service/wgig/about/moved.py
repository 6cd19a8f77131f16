"""Which triples held before a change and which hold after it, whatever graph they stand in.

Only what the change touches is looked up, and what stands beside it. Some graphs may be left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import pyoxigraph as ox

from ..rdf import term
from ..writes.changes import Change, GraphName

Node = ox.NamedNode | ox.BlankNode
Classes = frozenset[str]
Homes = defaultdict[ox.Triple, set[GraphName]]

TYPE = term("rdf:type")
MUCH = 3  # statements about one subject
COUNT = "SELECT ?s (COUNT(*) AS ?count) { VALUES ?s { %s } ?s ?p ?o } GROUP BY ?s"


class Moved:
    """The triples that a change touches: those that hold `before` it in any graph, and those `after` it."""

    def __init__(self, quads: ox.Store, change: Change, apart: frozenset[ox.NamedNode]) -> None:
        """Take the quads as they are after the change, the change, and the graphs that do not count."""
        self.quads, self.apart = quads, apart
        removed, added = (self.homes(those) for those in (change.removed, change.added))
        self.touched = {*removed, *added}
        self.alone = self.new_or_gone(removed, added)
        self.before, self.after = set[ox.Triple](), set[ox.Triple]()
        for one in self.touched:
            subject, property_, value = one
            found = () if subject in self.alone else quads.quads_for_pattern(subject, property_, value, None)
            now = self.homes(found)[one] | added[one]
            if (now - added[one]) | removed[one]:
                self.before.add(one)
            if now:
                self.after.add(one)
        self.types = defaultdict[Node, list[ox.Triple]](list)
        for one in self.touched:
            if one.predicate == TYPE:
                self.types[one.subject].append(one)  # type: ignore[index]
        self.known: dict[Node, tuple[Classes, Classes]] = {}

    def new_or_gone(self, removed: Homes, added: Homes) -> set[Any]:
        """Subjects of which there is nothing but what the change says, so that nothing is to be looked up.

        Those that it says little of are not asked for: there may be much else, and little is soon looked up.
        """
        said = Counter(one.subject for one in chain(removed, added) if isinstance(one.subject, ox.NamedNode))
        asked = [one for one, number in said.items() if number >= MUCH]
        there = Counter[Any]()
        for triple, homes in added.items():
            there[triple.subject] += len(homes)
        counts = self.quads.query(COUNT % " ".join(map(str, asked)), use_default_graph_as_union=True)
        found = {row["s"]: int(row["count"].value) for row in counts}  # type: ignore[union-attr]
        return {one for one in asked if found.get(one, 0) == there[one]}

    def homes(self, quads: Iterable[ox.Quad]) -> Homes:
        """The graphs in which triples stand."""
        found = defaultdict[ox.Triple, set[GraphName]](set)
        for one in quads:
            if one.graph_name not in self.apart:
                found[one.triple].add(one.graph_name)
        return found

    def beside(self, subject: object, predicate: object, object_: object) -> Iterator[ox.Triple]:
        """The triples with these terms that the change does not touch, each once for every graph."""
        if subject in self.alone:
            return
        for one in self.quads.quads_for_pattern(subject, predicate, object_, None):  # type: ignore[arg-type]
            if one.graph_name not in self.apart and (triple := one.triple) not in self.touched:
                yield triple

    def is_beside(self, subject: object, predicate: object, object_: object) -> bool:
        """Whether there is a triple with these terms that the change does not touch."""
        return next(self.beside(subject, predicate, object_), None) is not None

    def classes(self, node: object) -> tuple[Classes, Classes]:
        """The classes of a node, before and after."""
        if not isinstance(node, Node):
            return frozenset(), frozenset()
        if node not in self.known:
            same = classes_in(self.beside(node, TYPE, None))
            touched = self.types.get(node, ())
            self.known[node] = (
                same | classes_in(one for one in touched if one in self.before),
                same | classes_in(one for one in touched if one in self.after),
            )
        return self.known[node]

    def reclassed(self) -> dict[Node, tuple[Classes, Classes]]:
        """The nodes whose classes are others than before: those before and those after."""
        found = {one: self.classes(one) for one in self.types}
        return {one: (before, after) for one, (before, after) in found.items() if before != after}


def classes_in(types: Iterable[ox.Triple]) -> Classes:
    """The classes that these statements of a type name."""
    return frozenset(one.object.value for one in types if isinstance(one.object, ox.NamedNode))
