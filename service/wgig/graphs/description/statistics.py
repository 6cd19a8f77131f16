"""Statistics of the union of all graphs, as VoID needs them: counted anew, or updated from each change.

A triple in several graphs counts once. A figure belongs to a partition of the data: a property, a class, a
property of a class, or the class or datatype of its values. The figure `stated` is 1 where the partition
exists at all.

For an update, only the triples that the change touches and those beside them are looked up, as they were
before and are after it. A full count makes one pass over the subjects and two queries.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, TypeGuard

import pyoxigraph as ox

from ...rdf.serialization import term
from ...store.change import Change, GraphName

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


Part = tuple[str, ...]
Figures = Counter[tuple[Part, str]]
Pattern = tuple[Any, Any, Any]  # a triple in which None stands for any term
Kind = str | Classes  # of a value: its datatype, or its classes
Shape = tuple[Classes, str, Kind]  # of a triple: classes of its subject, property, kind of its value

WHOLE: Part = ()
LICENSE = term("dcterms:license")
HOST = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]+", re.IGNORECASE)
REMEMBERED = 100_000  # nodes whose classes are at hand while all is counted

SUBJECTS = "SELECT DISTINCT ?s { ?s ?p ?o }"
OBJECTS = "SELECT (COUNT(DISTINCT ?o) AS ?count) { ?s ?p ?o }"
OBJECTS_OF = "SELECT ?p (COUNT(DISTINCT ?o) AS ?count) { ?s ?p ?o } GROUP BY ?p"
LICENSES = f"SELECT DISTINCT ?o {{ ?s {LICENSE} ?o FILTER(isIRI(?o)) }}"


def difference(quads: ox.Store, change: Change, base: str, apart: frozenset[ox.NamedNode]) -> Figures:
    """By how much a change alters the figures. What that costs depends on the change and what it touches.

    `base` begins the IRIs that count as ours, the graphs `apart` do not count.
    """
    moved = Moved(quads, change, apart)
    figures = of_graphs(change, apart)
    before, after = moved.before - moved.after, moved.after - moved.before
    for sign, those in ((-1, before), (1, after)):
        for one in those:
            add(figures, of_link(one, base), sign)
    fewer, more = patterns(moved.before), patterns(moved.after)
    for pattern in fewer ^ more:
        if not moved.is_beside(*pattern):
            add(figures, of_pattern(pattern, base), 1 if pattern in more else -1)
    add_shapes(figures, moved_shapes(moved))
    for was, is_ in moved.reclassed().values():
        add(figures, ((("class", one), "entities") for one in was - is_), -1)
        add(figures, ((("class", one), "entities") for one in is_ - was), 1)
    return figures


def count(quads: ox.Store, base: str, apart: frozenset[ox.NamedNode]) -> Figures:
    """The figures, counted from all quads: one look at each subject, and two queries."""
    graphs = [*(one for one in quads.named_graphs() if one not in apart), ox.DefaultGraph()]
    figures, shapes = Figures(), Counter[Shape]()
    add(figures, ((("graph", one.value), "stated") for one in graphs if is_iri(one)))

    @lru_cache(REMEMBERED)
    def classes(node: Any) -> Classes:
        found = quads.quads_for_pattern(node, TYPE, None, None)
        return classes_in(one.triple for one in found if one.graph_name not in apart)

    for row in rows(quads, SUBJECTS, graphs):
        subject = row["s"]
        about = quads.quads_for_pattern(subject, None, None, None)
        found = [one for one in about if one.graph_name not in apart]
        homes = (one.graph_name for one in found if is_iri(one.graph_name))
        add(figures, of_pattern((subject, None, None), base))
        add(figures, ((("graph", one.value), "triples") for one in homes))
        add(figures, ((("class", one), "entities") for one in classes(subject)))
        triples = {one.triple for one in found}
        for property_ in {one.predicate for one in triples}:
            add(figures, of_pattern((subject, property_, None), base))
        for one in triples:
            add(figures, of_link(one, base))
            shapes[classes(subject), one.predicate.value, kind_of(one.object, classes)] += 1
    add_shapes(figures, shapes)
    for row in rows(quads, OBJECTS_OF, graphs):
        figures[("property", row["p"].value), "distinctObjects"] = int(row["count"].value)
    for row in rows(quads, OBJECTS, graphs):
        figures[WHOLE, "distinctObjects"] = int(row["count"].value)
    add(figures, ((("license", row["o"].value), "stated") for row in rows(quads, LICENSES, graphs)))
    return figures


def rows(quads: ox.Store, text: str, graphs: list[Any]) -> Any:
    """The solutions of a query over the union of these graphs."""
    return quads.query(text, default_graph=graphs)


def add(figures: Figures, names: Iterator[tuple[Part, str]], count: int = 1) -> None:
    """Let there be so many more of each of these."""
    for one in names:
        figures[one] += count


def of_graphs(change: Change, apart: frozenset[ox.NamedNode]) -> Figures:
    """By how much the triples of each named graph change."""
    figures = Figures()
    for sign, those in ((-1, change.removed), (1, change.added)):
        homes = Counter(one.graph_name for one in those)
        for home, number in homes.items():
            if is_iri(home) and home not in apart:
                figures[("graph", home.value), "triples"] += sign * number
    return figures


def of_link(triple: ox.Triple, base: str) -> Iterator[tuple[Part, str]]:
    """The figure for which a triple counts that leads from a thing of ours to another host."""
    subject, property_, object_ = triple
    if is_iri(subject) and is_iri(object_) and property_ != TYPE and subject.value.startswith(base):
        host = HOST.match(object_.value)
        if host and not object_.value.startswith(base):
            yield ("linkset", f"{host[0]}/", property_.value), "triples"


def patterns(triples: set[ox.Triple]) -> set[Pattern]:
    """What is counted once, however many triples fit it."""
    each = (
        ((subject, None, None), (subject, property_, None), (None, property_, value), (None, None, value))
        for subject, property_, value in triples
    )
    return set(chain.from_iterable(each))


def of_pattern(pattern: Pattern, base: str) -> Iterator[tuple[Part, str]]:
    """The figures for which it counts that any triple fits the pattern."""
    subject, property_, object_ = pattern
    part = ("property", property_.value) if property_ else WHOLE
    yield part, "distinctSubjects" if subject else "distinctObjects"
    if not property_ and is_iri(subject) and subject.value.startswith(base):
        yield WHOLE, "entities"
    if property_ == LICENSE and is_iri(object_):
        yield ("license", object_.value), "stated"


def moved_shapes(moved: Moved) -> Counter[Shape]:
    """How many more or fewer triples there are of each shape."""
    shapes = Counter[Shape]()
    near = {
        triple
        for node in moved.reclassed()
        for triple in chain(moved.beside(node, None, None), moved.beside(None, None, node))
    }
    for when, sign, those in ((0, -1, moved.before), (1, 1, moved.after)):
        for subject, property_, object_ in chain(those, near):
            kind = kind_of(object_, lambda node: moved.classes(node)[when])  # noqa: B023  called at once
            shapes[moved.classes(subject)[when], property_.value, kind] += sign
    return shapes


def kind_of(value: Any, classes: Any) -> Kind:
    """The datatype of a literal, the classes of a node."""
    if isinstance(value, ox.Literal):
        return value.datatype.value
    return classes(value) if isinstance(value, ox.NamedNode | ox.BlankNode) else frozenset()


def add_shapes(figures: Figures, shapes: Counter[Shape]) -> None:
    """Let there be so many more triples of each shape."""
    for (classes, property_, kind), number in shapes.items():
        figures[WHOLE, "triples"] += number
        figures[("property", property_), "triples"] += number
        values = [("datatype", kind)] if isinstance(kind, str) else [("class", one) for one in kind]
        for one in classes:
            part = ("class", one, "property", property_)
            figures[part, "triples"] += number
            for value in values:
                figures[(*part, *value), "triples"] += number


def is_iri(term_: Any) -> TypeGuard[ox.NamedNode]:
    """Whether a term is an IRI."""
    return isinstance(term_, ox.NamedNode)
