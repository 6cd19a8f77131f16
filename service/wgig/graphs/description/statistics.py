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

from ...rdf.namespaces import DCTERMS_LICENSE, RDF_TYPE
from ...store.change import Change, GraphName

Node = ox.NamedNode | ox.BlankNode
Classes = frozenset[str]
GraphsByTriple = defaultdict[ox.Triple, set[GraphName]]

MIN_LOOKUP_STATEMENTS = 3  # statements about one subject
SUBJECT_COUNT_QUERY = "SELECT ?s (COUNT(*) AS ?count) { VALUES ?s { %s } ?s ?p ?o } GROUP BY ?s"


class TouchedTriples:
    """The triples that a change touches: those that hold `before` it in any graph, and those `after` it."""

    def __init__(self, quads: ox.Store, change: Change, apart: frozenset[ox.NamedNode]) -> None:
        """Take the quads as they are after the change, the change, and the graphs that do not count."""
        self.quads, self.excluded_graphs = quads, apart
        removed, added = (self.group_by_graph(those) for those in (change.removed, change.added))
        self.touched = {*removed, *added}
        self.isolated = self.find_isolated_subjects(removed, added)
        self.before, self.after = set[ox.Triple](), set[ox.Triple]()
        for one in self.touched:
            subject, property_, value = one
            found = (
                () if subject in self.isolated else quads.quads_for_pattern(subject, property_, value, None)
            )
            now = self.group_by_graph(found)[one] | added[one]
            if (now - added[one]) | removed[one]:
                self.before.add(one)
            if now:
                self.after.add(one)
        self.type_triples = defaultdict[Node, list[ox.Triple]](list)
        for one in self.touched:
            if one.predicate == RDF_TYPE:
                self.type_triples[one.subject].append(one)  # type: ignore[index]
        self.known_classes: dict[Node, tuple[Classes, Classes]] = {}

    def find_isolated_subjects(self, removed: GraphsByTriple, added: GraphsByTriple) -> set[Any]:
        """Subjects of which there is nothing but what the change says, so that nothing is to be looked up.

        Those that it says little of are not asked for: there may be much else, and little is soon looked up.
        """
        said = Counter(one.subject for one in chain(removed, added) if isinstance(one.subject, ox.NamedNode))
        asked = [one for one, number in said.items() if number >= MIN_LOOKUP_STATEMENTS]
        there = Counter[Any]()
        for triple, homes in added.items():
            there[triple.subject] += len(homes)
        counts = self.quads.query(
            SUBJECT_COUNT_QUERY % " ".join(map(str, asked)), use_default_graph_as_union=True
        )
        found = {row["s"]: int(row["count"].value) for row in counts}  # type: ignore[union-attr]
        return {one for one in asked if found.get(one, 0) == there[one]}

    def group_by_graph(self, quads: Iterable[ox.Quad]) -> GraphsByTriple:
        """The graphs in which triples stand."""
        found = defaultdict[ox.Triple, set[GraphName]](set)
        for one in quads:
            if one.graph_name not in self.excluded_graphs:
                found[one.triple].add(one.graph_name)
        return found

    def untouched_triples(self, subject: object, predicate: object, object_: object) -> Iterator[ox.Triple]:
        """The triples with these terms that the change does not touch, each once for every graph."""
        if subject in self.isolated:
            return
        for one in self.quads.quads_for_pattern(subject, predicate, object_, None):  # type: ignore[arg-type]
            if one.graph_name not in self.excluded_graphs and (triple := one.triple) not in self.touched:
                yield triple

    def has_untouched_triple(self, subject: object, predicate: object, object_: object) -> bool:
        """Whether there is a triple with these terms that the change does not touch."""
        return next(self.untouched_triples(subject, predicate, object_), None) is not None

    def classes_of(self, node: object) -> tuple[Classes, Classes]:
        """The classes of a node, before and after."""
        if not isinstance(node, Node):
            return frozenset(), frozenset()
        if node not in self.known_classes:
            same = classes_of_type_triples(self.untouched_triples(node, RDF_TYPE, None))
            touched = self.type_triples.get(node, ())
            self.known_classes[node] = (
                same | classes_of_type_triples(one for one in touched if one in self.before),
                same | classes_of_type_triples(one for one in touched if one in self.after),
            )
        return self.known_classes[node]

    def changed_classes(self) -> dict[Node, tuple[Classes, Classes]]:
        """The nodes whose classes are others than before: those before and those after."""
        found = {one: self.classes_of(one) for one in self.type_triples}
        return {one: (before, after) for one, (before, after) in found.items() if before != after}


def classes_of_type_triples(types: Iterable[ox.Triple]) -> Classes:
    """The classes that these statements of a type name."""
    return frozenset(one.object.value for one in types if isinstance(one.object, ox.NamedNode))


Partition = tuple[str, ...]
Figures = Counter[tuple[Partition, str]]
FigurePattern = tuple[Any, Any, Any]  # a triple in which None stands for any term
ValueKind = str | Classes  # of a value: its datatype, or its classes
# Of a triple: classes of its subject, property, kind of its value.
TripleShape = tuple[Classes, str, ValueKind]

WHOLE_DATASET: Partition = ()
IRI_HOST_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]+", re.IGNORECASE)
CLASS_CACHE_NODES = 100_000  # nodes whose classes are at hand while all is counted

SUBJECTS_QUERY = "SELECT DISTINCT ?s { ?s ?p ?o }"
OBJECT_COUNT_QUERY = "SELECT (COUNT(DISTINCT ?o) AS ?count) { ?s ?p ?o }"
PROPERTY_OBJECT_COUNT_QUERY = "SELECT ?p (COUNT(DISTINCT ?o) AS ?count) { ?s ?p ?o } GROUP BY ?p"
LICENSES_QUERY = f"SELECT DISTINCT ?o {{ ?s {DCTERMS_LICENSE} ?o FILTER(isIRI(?o)) }}"


def compute_figure_changes(
    quads: ox.Store, change: Change, base: str, apart: frozenset[ox.NamedNode]
) -> Figures:
    """By how much a change alters the figures. What that costs depends on the change and what it touches.

    `base` begins the IRIs that count as ours, the graphs `apart` do not count.
    """
    moved = TouchedTriples(quads, change, apart)
    figures = graph_figures(change, apart)
    before, after = moved.before - moved.after, moved.after - moved.before
    for sign, those in ((-1, before), (1, after)):
        for one in those:
            add_to_figures(figures, link_figures(one, base), sign)
    fewer, more = triple_patterns(moved.before), triple_patterns(moved.after)
    for pattern in fewer ^ more:
        if not moved.has_untouched_triple(*pattern):
            add_to_figures(figures, pattern_figures(pattern, base), 1 if pattern in more else -1)
    add_shape_figures(figures, count_shape_changes(moved))
    for was, is_ in moved.changed_classes().values():
        add_to_figures(figures, ((("class", one), "entities") for one in was - is_), -1)
        add_to_figures(figures, ((("class", one), "entities") for one in is_ - was), 1)
    return figures


def count_figures(quads: ox.Store, base: str, apart: frozenset[ox.NamedNode]) -> Figures:
    """The figures, counted from all quads: one look at each subject, and two queries."""
    graphs = [*(one for one in quads.named_graphs() if one not in apart), ox.DefaultGraph()]
    figures, shapes = Figures(), Counter[TripleShape]()
    add_to_figures(figures, ((("graph", one.value), "stated") for one in graphs if is_named_node(one)))

    @lru_cache(CLASS_CACHE_NODES)
    def classes(node: Any) -> Classes:
        found = quads.quads_for_pattern(node, RDF_TYPE, None, None)
        return classes_of_type_triples(one.triple for one in found if one.graph_name not in apart)

    for row in query_union_rows(quads, SUBJECTS_QUERY, graphs):
        subject = row["s"]
        about = quads.quads_for_pattern(subject, None, None, None)
        found = [one for one in about if one.graph_name not in apart]
        homes = (one.graph_name for one in found if is_named_node(one.graph_name))
        add_to_figures(figures, pattern_figures((subject, None, None), base))
        add_to_figures(figures, ((("graph", one.value), "triples") for one in homes))
        add_to_figures(figures, ((("class", one), "entities") for one in classes(subject)))
        triples = {one.triple for one in found}
        for property_ in {one.predicate for one in triples}:
            add_to_figures(figures, pattern_figures((subject, property_, None), base))
        for one in triples:
            add_to_figures(figures, link_figures(one, base))
            shapes[classes(subject), one.predicate.value, value_kind(one.object, classes)] += 1
    add_shape_figures(figures, shapes)
    for row in query_union_rows(quads, PROPERTY_OBJECT_COUNT_QUERY, graphs):
        figures[("property", row["p"].value), "distinctObjects"] = int(row["count"].value)
    for row in query_union_rows(quads, OBJECT_COUNT_QUERY, graphs):
        figures[WHOLE_DATASET, "distinctObjects"] = int(row["count"].value)
    add_to_figures(
        figures,
        ((("license", row["o"].value), "stated") for row in query_union_rows(quads, LICENSES_QUERY, graphs)),
    )
    return figures


def query_union_rows(quads: ox.Store, text: str, graphs: list[Any]) -> Any:
    """The solutions of a query over the union of these graphs."""
    return quads.query(text, default_graph=graphs)


def add_to_figures(figures: Figures, names: Iterator[tuple[Partition, str]], count: int = 1) -> None:
    """Let there be so many more of each of these."""
    for one in names:
        figures[one] += count


def graph_figures(change: Change, apart: frozenset[ox.NamedNode]) -> Figures:
    """By how much the triples of each named graph change."""
    figures = Figures()
    for sign, those in ((-1, change.removed), (1, change.added)):
        homes = Counter(one.graph_name for one in those)
        for home, number in homes.items():
            if is_named_node(home) and home not in apart:
                figures[("graph", home.value), "triples"] += sign * number
    return figures


def link_figures(triple: ox.Triple, base: str) -> Iterator[tuple[Partition, str]]:
    """The figure for which a triple counts that leads from a thing of ours to another host."""
    subject, property_, object_ = triple
    if (
        is_named_node(subject)
        and is_named_node(object_)
        and property_ != RDF_TYPE
        and subject.value.startswith(base)
    ):
        host = IRI_HOST_PATTERN.match(object_.value)
        if host and not object_.value.startswith(base):
            yield ("linkset", f"{host[0]}/", property_.value), "triples"


def triple_patterns(triples: set[ox.Triple]) -> set[FigurePattern]:
    """What is counted once, however many triples fit it."""
    each = (
        ((subject, None, None), (subject, property_, None), (None, property_, value), (None, None, value))
        for subject, property_, value in triples
    )
    return set(chain.from_iterable(each))


def pattern_figures(pattern: FigurePattern, base: str) -> Iterator[tuple[Partition, str]]:
    """The figures for which it counts that any triple fits the pattern."""
    subject, property_, object_ = pattern
    part = ("property", property_.value) if property_ else WHOLE_DATASET
    yield part, "distinctSubjects" if subject else "distinctObjects"
    if not property_ and is_named_node(subject) and subject.value.startswith(base):
        yield WHOLE_DATASET, "entities"
    if property_ == DCTERMS_LICENSE and is_named_node(object_):
        yield ("license", object_.value), "stated"


def count_shape_changes(moved: TouchedTriples) -> Counter[TripleShape]:
    """How many more or fewer triples there are of each shape."""
    shapes = Counter[TripleShape]()
    near = {
        triple
        for node in moved.changed_classes()
        for triple in chain(
            moved.untouched_triples(node, None, None), moved.untouched_triples(None, None, node)
        )
    }
    for when, sign, those in ((0, -1, moved.before), (1, 1, moved.after)):
        for subject, property_, object_ in chain(those, near):
            kind = value_kind(object_, lambda node: moved.classes_of(node)[when])  # noqa: B023  called at once
            shapes[moved.classes_of(subject)[when], property_.value, kind] += sign
    return shapes


def value_kind(value: Any, classes: Any) -> ValueKind:
    """The datatype of a literal, the classes of a node."""
    if isinstance(value, ox.Literal):
        return value.datatype.value
    return classes(value) if isinstance(value, ox.NamedNode | ox.BlankNode) else frozenset()


def add_shape_figures(figures: Figures, shapes: Counter[TripleShape]) -> None:
    """Let there be so many more triples of each shape."""
    for (classes, property_, kind), number in shapes.items():
        figures[WHOLE_DATASET, "triples"] += number
        figures[("property", property_), "triples"] += number
        values = [("datatype", kind)] if isinstance(kind, str) else [("class", one) for one in kind]
        for one in classes:
            part = ("class", one, "property", property_)
            figures[part, "triples"] += number
            for value in values:
                figures[(*part, *value), "triples"] += number


def is_named_node(term_: Any) -> TypeGuard[ox.NamedNode]:
    """Whether a term is an IRI."""
    return isinstance(term_, ox.NamedNode)
