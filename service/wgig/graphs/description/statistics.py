"""Statistics of the union of all graphs, for VoID: counted in full, or updated after each change.

A triple in several graphs counts once. A figure is a number, such as `triples` or `entities`, of a partition
of the data. A partition is a class, a property, a property of a class, or such a property with values of a
class or datatype. The figure `stated` is 1 if the partition exists.

An update looks up only the triples that the change adds or removes, and triples about the same nodes, before
and after the change. A full count makes one pass over the subjects, and runs three queries.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, TypeGuard

import pyoxigraph as ox

from ...rdf.namespaces import DCTERMS_LICENSE, RDF_TYPE
from ...store.change import BeforeAfter, Change, GraphName, QuadMatcher

Node = ox.NamedNode | ox.BlankNode
Classes = frozenset[str]
GraphsByTriple = defaultdict[ox.Triple, set[GraphName]]

MIN_LOOKUP_STATEMENTS = 3  # a subject with fewer touched statements is never looked up to be `isolated`
SUBJECT_COUNT_QUERY = "SELECT ?s (COUNT(*) AS ?count) { VALUES ?s { %s } ?s ?p ?o } GROUP BY ?s"


class TouchedTriples:
    """The triples that a change touches: that it adds to or removes from any graph.

    `touched` has all of them, `before` those that were in a counted graph before the change, `after` those
    that are in one after it. `isolated` has the subjects whose statements are all new.
    """

    def __init__(self, quads: ox.Store, change: Change, excluded: frozenset[ox.NamedNode]) -> None:
        """Compare the quads as they are after the change; the graphs in `excluded` do not count."""
        self.quads, self.excluded_graphs = quads, excluded
        removed, added = self.group_by_triple(change.removed), self.group_by_triple(change.added)
        self.touched = {*removed, *added}
        self.isolated = self.find_isolated_subjects(removed, added)
        before_after = BeforeAfter(quads.quads_for_pattern, change)
        self.before = {
            *removed,
            *(triple for triple in added if self.is_in_counted_graph(triple, before_after.before)),
        }
        self.after = {
            *added,
            *(triple for triple in removed if self.is_in_counted_graph(triple, before_after.after)),
        }
        self.type_triples = defaultdict[Node, list[ox.Triple]](list)
        for triple in self.touched:
            if triple.predicate == RDF_TYPE:
                self.type_triples[triple.subject].append(triple)  # type: ignore[index]
        self.known_classes: dict[Node, tuple[Classes, Classes]] = {}

    def is_in_counted_graph(self, triple: ox.Triple, match: QuadMatcher) -> bool:
        """Whether `match` finds the triple in a graph that counts."""
        return triple.subject not in self.isolated and any(
            quad.graph_name not in self.excluded_graphs for quad in match(*triple)
        )

    def find_isolated_subjects(self, removed: GraphsByTriple, added: GraphsByTriple) -> set[Any]:
        """The subjects whose statements are all new, so that no other statement about them is looked up.

        Subjects with fewer than MIN_LOOKUP_STATEMENTS touched statements are left out: they may have many
        other statements, and to look up a few statements is cheap.
        """
        touched_counts = Counter(
            triple.subject for triple in chain(removed, added) if isinstance(triple.subject, ox.NamedNode)
        )
        candidates = [
            subject for subject, number in touched_counts.items() if number >= MIN_LOOKUP_STATEMENTS
        ]
        added_counts = Counter[Any]()
        for triple, graphs in added.items():
            added_counts[triple.subject] += len(graphs)
        rows = self.quads.query(
            SUBJECT_COUNT_QUERY % " ".join(map(str, candidates)), use_default_graph_as_union=True
        )
        counts = {row["s"]: int(row["count"].value) for row in rows}  # type: ignore[union-attr]
        return {subject for subject in candidates if counts.get(subject, 0) == added_counts[subject]}

    def group_by_triple(self, quads: Iterable[ox.Quad]) -> GraphsByTriple:
        """The graphs of each triple, without excluded graphs."""
        graphs = defaultdict[ox.Triple, set[GraphName]](set)
        for quad in quads:
            if quad.graph_name not in self.excluded_graphs:
                graphs[quad.triple].add(quad.graph_name)
        return graphs

    def untouched_triples(self, subject: object, predicate: object, object_: object) -> Iterator[ox.Triple]:
        """The triples with these terms (None: any term) that the change does not touch, once per graph."""
        if subject in self.isolated:
            return
        for quad in self.quads.quads_for_pattern(subject, predicate, object_, None):  # type: ignore[arg-type]
            if quad.graph_name not in self.excluded_graphs and (triple := quad.triple) not in self.touched:
                yield triple

    def has_untouched_triple(self, subject: object, predicate: object, object_: object) -> bool:
        """Whether there is a triple with these terms (None: any term) that the change does not touch."""
        return next(self.untouched_triples(subject, predicate, object_), None) is not None

    def classes_of(self, node: object) -> tuple[Classes, Classes]:
        """The classes of a node, before and after the change."""
        if not isinstance(node, Node):
            return frozenset(), frozenset()
        if node not in self.known_classes:
            unchanged = classes_of_type_triples(self.untouched_triples(node, RDF_TYPE, None))
            touched = self.type_triples.get(node, ())
            self.known_classes[node] = (
                unchanged | classes_of_type_triples(triple for triple in touched if triple in self.before),
                unchanged | classes_of_type_triples(triple for triple in touched if triple in self.after),
            )
        return self.known_classes[node]

    def changed_classes(self) -> dict[Node, tuple[Classes, Classes]]:
        """The nodes whose classes change, each with its classes before and after."""
        classes = {node: self.classes_of(node) for node in self.type_triples}
        return {node: (before, after) for node, (before, after) in classes.items() if before != after}


def classes_of_type_triples(triples: Iterable[ox.Triple]) -> Classes:
    """The classes in the rdf:type triples of a node."""
    return frozenset(triple.object.value for triple in triples if isinstance(triple.object, ox.NamedNode))


Partition = tuple[str, ...]
Figures = Counter[tuple[Partition, str]]
FigurePattern = tuple[Any, Any, Any]  # subject, property and value; None stands for any term
ValueKind = str | Classes  # the datatype of a literal, or the classes of a node
# What the figures need of a triple: the classes of the subject, the property, the kind of the value.
TripleShape = tuple[Classes, str, ValueKind]

WHOLE_DATASET: Partition = ()
IRI_HOST_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]+", re.IGNORECASE)
CLASS_CACHE_NODES = 100_000  # nodes whose classes a full count caches in memory

SUBJECTS_QUERY = "SELECT DISTINCT ?s { ?s ?p ?o }"
OBJECT_COUNT_QUERY = "SELECT (COUNT(DISTINCT ?o) AS ?count) { ?s ?p ?o }"
PROPERTY_OBJECT_COUNT_QUERY = "SELECT ?p (COUNT(DISTINCT ?o) AS ?count) { ?s ?p ?o } GROUP BY ?p"
LICENSES_QUERY = f"SELECT DISTINCT ?o {{ ?s {DCTERMS_LICENSE} ?o FILTER(isIRI(?o)) }}"


def compute_figure_changes(
    quads: ox.Store, change: Change, base: str, excluded: frozenset[ox.NamedNode]
) -> Figures:
    """The difference of each figure by a change.

    The cost depends only on the touched triples and their nodes. `base` is the prefix of the IRIs of the
    dataset; the graphs in `excluded` do not count.
    """
    touched = TouchedTriples(quads, change, excluded)
    figures = graph_figures(change, excluded)
    removed, added = touched.before - touched.after, touched.after - touched.before
    for sign, triples in ((-1, removed), (1, added)):
        for triple in triples:
            add_to_figures(figures, link_figures(triple, base), sign)
    patterns_before, patterns_after = triple_patterns(touched.before), triple_patterns(touched.after)
    for pattern in patterns_before ^ patterns_after:
        if not touched.has_untouched_triple(*pattern):
            add_to_figures(figures, pattern_figures(pattern, base), 1 if pattern in patterns_after else -1)
    add_shape_figures(figures, count_shape_changes(touched))
    for before, after in touched.changed_classes().values():
        add_to_figures(figures, ((("class", class_), "entities") for class_ in before - after), -1)
        add_to_figures(figures, ((("class", class_), "entities") for class_ in after - before), 1)
    return figures


def count_figures(quads: ox.Store, base: str, excluded: frozenset[ox.NamedNode]) -> Figures:
    """All figures, counted from all quads.

    `base` is the prefix of the IRIs of the dataset; the graphs in `excluded` do not count.
    """
    graphs = [*(graph for graph in quads.named_graphs() if graph not in excluded), ox.DefaultGraph()]
    figures, shapes = Figures(), Counter[TripleShape]()
    add_to_figures(figures, ((("graph", graph.value), "stated") for graph in graphs if is_named_node(graph)))

    @lru_cache(CLASS_CACHE_NODES)
    def classes(node: Any) -> Classes:
        types = quads.quads_for_pattern(node, RDF_TYPE, None, None)
        return classes_of_type_triples(quad.triple for quad in types if quad.graph_name not in excluded)

    for row in query_union_rows(quads, SUBJECTS_QUERY, graphs):
        subject = row["s"]
        matches = quads.quads_for_pattern(subject, None, None, None)
        counted_quads = [quad for quad in matches if quad.graph_name not in excluded]
        graph_names = (quad.graph_name for quad in counted_quads if is_named_node(quad.graph_name))
        add_to_figures(figures, pattern_figures((subject, None, None), base))
        add_to_figures(figures, ((("graph", name.value), "triples") for name in graph_names))
        add_to_figures(figures, ((("class", class_), "entities") for class_ in classes(subject)))
        triples = {quad.triple for quad in counted_quads}
        for property_ in {triple.predicate for triple in triples}:
            add_to_figures(figures, pattern_figures((subject, property_, None), base))
        for triple in triples:
            add_to_figures(figures, link_figures(triple, base))
            shapes[classes(subject), triple.predicate.value, value_kind(triple.object, classes)] += 1
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


def query_union_rows(quads: ox.Store, query: str, graphs: list[Any]) -> Any:
    """The solutions of a query over the union of these graphs."""
    return quads.query(query, default_graph=graphs)


def add_to_figures(figures: Figures, keys: Iterator[tuple[Partition, str]], count: int = 1) -> None:
    """Add `count` to each of the figures with these keys."""
    for key in keys:
        figures[key] += count


def graph_figures(change: Change, excluded: frozenset[ox.NamedNode]) -> Figures:
    """The difference of the number of triples of each named graph, except those in `excluded`."""
    figures = Figures()
    for sign, quads in ((-1, change.removed), (1, change.added)):
        counts = Counter(quad.graph_name for quad in quads)
        for graph, number in counts.items():
            if is_named_node(graph) and graph not in excluded:
                figures[("graph", graph.value), "triples"] += sign * number
    return figures


def link_figures(triple: ox.Triple, base: str) -> Iterator[tuple[Partition, str]]:
    """The figure in which a triple counts if it links an IRI of the dataset to an IRI of another host."""
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
    """The patterns of triples that count once in `pattern_figures`, even if several triples match."""
    patterns = (
        ((subject, None, None), (subject, property_, None), (None, property_, value), (None, None, value))
        for subject, property_, value in triples
    )
    return set(chain.from_iterable(patterns))


def pattern_figures(pattern: FigurePattern, base: str) -> Iterator[tuple[Partition, str]]:
    """The figures in which a pattern counts if at least one triple matches: distinct nodes, licenses."""
    subject, property_, object_ = pattern
    partition = ("property", property_.value) if property_ else WHOLE_DATASET
    yield partition, "distinctSubjects" if subject else "distinctObjects"
    if not property_ and is_named_node(subject) and subject.value.startswith(base):
        yield WHOLE_DATASET, "entities"
    if property_ == DCTERMS_LICENSE and is_named_node(object_):
        yield ("license", object_.value), "stated"


def count_shape_changes(touched: TouchedTriples) -> Counter[TripleShape]:
    """The difference of the number of triples of each TripleShape."""
    shapes = Counter[TripleShape]()
    reclassified = {  # untouched triples of nodes whose classes change
        triple
        for node in touched.changed_classes()
        for triple in chain(
            touched.untouched_triples(node, None, None), touched.untouched_triples(None, None, node)
        )
    }
    for index, sign, triples in ((0, -1, touched.before), (1, 1, touched.after)):
        for subject, property_, object_ in chain(triples, reclassified):
            kind = value_kind(object_, lambda node: touched.classes_of(node)[index])  # noqa: B023  called in this iteration
            shapes[touched.classes_of(subject)[index], property_.value, kind] += sign
    return shapes


def value_kind(value: Any, classes: Any) -> ValueKind:
    """The datatype of a literal, or the classes of a node, from the function `classes`."""
    if isinstance(value, ox.Literal):
        return value.datatype.value
    return classes(value) if isinstance(value, ox.NamedNode | ox.BlankNode) else frozenset()


def add_shape_figures(figures: Figures, shapes: Counter[TripleShape]) -> None:
    """Add the number of triples of each TripleShape to the figures of its partitions."""
    for (classes, property_, kind), number in shapes.items():
        figures[WHOLE_DATASET, "triples"] += number
        figures[("property", property_), "triples"] += number
        values = [("datatype", kind)] if isinstance(kind, str) else [("class", class_) for class_ in kind]
        for class_ in classes:
            partition = ("class", class_, "property", property_)
            figures[partition, "triples"] += number
            for value in values:
                figures[(*partition, *value), "triples"] += number


def is_named_node(term: Any) -> TypeGuard[ox.NamedNode]:
    """Whether a term is an IRI."""
    return isinstance(term, ox.NamedNode)
