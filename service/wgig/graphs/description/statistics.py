"""Statistics of the union of all graphs, for VoID; `figure_changes` updates them after each change.

A triple in several graphs counts once. A figure is a number, such as `triples` or `entities`, of a partition
of the data. A partition is a class, a property, a property of a class, or such a property with values of a
class or datatype. The figure `stated` is 1 if the partition exists.

The full count here uses aggregates of the engine. To read a term from disk takes 1 to 4 microseconds, most of
the time of a count in Python; the engine groups and joins terms without reading them. Two queries read each
different subject or object once. Queries run on two threads and do not hold Python's global lock, so that
requests go on. Each is about a batch of properties, which limits its memory. They count quads; a triple in
several graphs is rare, so its other quads are subtracted afterwards.
"""

import os
import re
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeGuard

import pyoxigraph as ox

from ...rdf.namespaces import DCTERMS_LICENSE, RDF_TYPE

Node = ox.NamedNode | ox.BlankNode
Classes = frozenset[str]
Partition = tuple[str, ...]
FigureKey = tuple[Partition, str]  # a partition, and the name of a figure
Figures = Counter[FigureKey]
ValueKind = str | Classes  # the datatype of a literal, or the classes of a node
# What the figures need of a triple: the classes of the subject, the property, the kind of the value.
TripleShape = tuple[Classes, str, ValueKind]

WHOLE_DATASET: Partition = ()
NO_CLASSES: Classes = frozenset()
IRI_HOST_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]+", re.IGNORECASE)
COUNT_THREADS = 2
COUNT_NICE_LEVEL = 10  # added to that of the service, so that requests get the CPU first
MAX_BATCH_QUADS = 300_000  # quads of a batch of properties: about 100 MB; one property may have more
CLASS_CACHE_NODES = 100_000  # nodes whose classes are cached to subtract repeated triples

# Kinds of objects that are not literals; the kind of a literal is its datatype.
EXTERNAL_KIND, NODE_KIND = "external IRI", "node"

Rows = list[tuple[Any, ...]]


def count_figures(quads: ox.Store, base: str, excluded: frozenset[ox.NamedNode]) -> Figures:
    """All figures that are not 0, counted from all quads.

    `base` is the prefix of the IRIs of the dataset; the graphs in `excluded` do not count.
    """
    counter, figures = FigureCounter(quads, base, excluded), Figures()
    with ThreadPoolExecutor(COUNT_THREADS, "statistics", lower_thread_priority) as pool:
        shapes = pool.submit(counter.count_node_shapes)
        batches = [pool.submit(counter.count_properties, batch) for batch in counter.list_batches()]
        counts = [pool.submit(count) for count in (counter.count_dataset_nodes, counter.count_graphs)]
        datatypes, mixed = dict[str, str](), list[ox.NamedNode]()
        for batch in batches:
            batch_figures, batch_datatypes, batch_mixed = batch.result()
            figures.update(batch_figures)
            datatypes.update(batch_datatypes)
            mixed += batch_mixed
        counts.append(pool.submit(counter.count_literals, mixed))
        for count in counts:
            figures.update(count.result())
        add_shape_figures(figures, shapes.result(), datatypes)
    return +figures


def lower_thread_priority() -> None:
    """Lower the priority of this thread on Linux, where each thread has its own."""
    if sys.platform == "linux":
        nice_level = os.getpriority(os.PRIO_PROCESS, 0) + COUNT_NICE_LEVEL
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice_level)


class FigureCounter:
    """Counts parts of the figures by queries, which may run on several threads at once."""

    def __init__(self, quads: ox.Store, base: str, excluded: frozenset[ox.NamedNode]) -> None:
        """Take the arguments of `count_figures`."""
        self.quads, self.base, self.excluded_graphs = quads, base, excluded
        self.any_quad = self.build_pattern("?s ?p ?o", "?g")
        self.subject_classes = self.build_classes_pattern("?s", "?classes")
        self.value_classes = self.build_classes_pattern("?o", "?values")
        # The string of a blank node is an error, which COALESCE turns into false.
        self.is_own_subject = f"COALESCE(STRSTARTS(STR(?s), {ox.Literal(base)}), false)"
        self.is_external_object = f"(isIRI(?o) && !STRSTARTS(STR(?o), {ox.Literal(base)}))"

    def build_pattern(self, triple: str, graph: str) -> str:
        """The pattern that matches a triple in each counted graph, so once per graph."""
        excluded = ", ".join(map(str, self.excluded_graphs))
        condition = f"FILTER({graph} NOT IN ({excluded}))" if excluded else ""
        return f"{{ {{ GRAPH {graph} {{ {triple} }} {condition} }} UNION {{ {triple} }} }}"

    def build_classes_pattern(self, node: str, classes: str) -> str:
        """The pattern of a node with classes, and one text that has all of them, separated by spaces."""
        triple = self.build_pattern(f"{node} {RDF_TYPE} {classes}_iri", f"{node}_graph")
        return (
            f"{{ SELECT {node} (GROUP_CONCAT(DISTINCT STR({classes}_iri)) AS {classes})"
            f" {{ {triple} FILTER(isIRI({classes}_iri)) }} GROUP BY {node} }}"
        )

    def build_batch_pattern(self, properties: Iterable[ox.NamedNode]) -> str:
        """The pattern of the quads with these properties."""
        return f"{{ VALUES ?p {{ {' '.join(map(str, properties))} }} {self.any_quad} }}"

    def query_rows(self, query: str) -> Rows:
        """The solutions of a query, as tuples of terms."""
        solutions: Any = self.quads.query(query)
        return [tuple(solution) for solution in solutions]

    def query_counts(self, query: str) -> Iterator[tuple[Any, ...]]:
        """The solutions of a query whose last variable is a count."""
        return ((*terms, int(count.value)) for *terms, count in self.query_rows(query))

    def list_batches(self) -> list[list[ox.NamedNode]]:
        """All properties, in batches of at most MAX_BATCH_QUADS."""
        counts = dict(self.query_counts(f"SELECT ?p (COUNT(*) AS ?n) {self.any_quad} GROUP BY ?p"))
        batches, batch_quads = list[list[ox.NamedNode]](), MAX_BATCH_QUADS
        for property_ in sorted(counts, key=counts.__getitem__, reverse=True):
            if batch_quads + counts[property_] > MAX_BATCH_QUADS:
                batches.append([])
                batch_quads = 0
            batches[-1].append(property_)
            batch_quads += counts[property_]
        return batches

    def count_graphs(self) -> Figures:
        """The figures of named graphs, also of empty ones."""
        figures = Figures()
        names = (graph for graph in self.quads.named_graphs() if graph not in self.excluded_graphs)
        add_to_figures(figures, ((("graph", name.value), "stated") for name in names if is_named_node(name)))
        for name, count in self.query_counts(f"SELECT ?g (COUNT(*) AS ?n) {self.any_quad} GROUP BY ?g"):
            if is_named_node(name):
                figures[("graph", name.value), "triples"] = count
        return figures

    def count_dataset_nodes(self) -> Figures:
        """The number of distinct nodes of the dataset and of each class; its licenses."""
        figures = Figures()
        for is_own, count in self.query_counts(
            f"SELECT ?own (COUNT(*) AS ?n) {{ {{ SELECT DISTINCT ?s {self.any_quad} }}"
            f" BIND({self.is_own_subject} AS ?own) }} GROUP BY ?own"
        ):
            figures[WHOLE_DATASET, "distinctSubjects"] += count
            figures[WHOLE_DATASET, "entities"] += count if is_own.value == "true" else 0
        for (count,) in self.query_counts(f"SELECT (COUNT(DISTINCT ?o) AS ?n) {self.any_quad}"):
            figures[WHOLE_DATASET, "distinctObjects"] = count
        types = self.build_pattern(f"?s {RDF_TYPE} ?class", "?g")
        for class_, count in self.query_counts(
            f"SELECT ?class (COUNT(DISTINCT ?s) AS ?n) {types} GROUP BY ?class"
        ):
            if is_named_node(class_):
                figures[("class", class_.value), "entities"] = count
        licenses = self.build_pattern(f"?s {DCTERMS_LICENSE} ?o", "?g")
        for (license_,) in self.query_rows(f"SELECT DISTINCT ?o {licenses}"):
            if is_named_node(license_):
                figures[("license", license_.value), "stated"] = 1
        return figures

    def count_node_shapes(self) -> Counter[TripleShape]:
        """The number of quads of each TripleShape, as if literals were nodes without classes.

        The row of a quad has all classes of a node in one text, so classes do not multiply the rows.
        """
        shapes = Counter[TripleShape]()
        for property_, classes, values, count in self.query_counts(
            f"SELECT ?p ?classes ?values (COUNT(*) AS ?n) {{ {self.any_quad}"
            f" OPTIONAL {self.subject_classes} OPTIONAL {self.value_classes} }} GROUP BY ?p ?classes ?values"
        ):
            shapes[split_classes(classes), property_.value, split_classes(values)] += count
        return shapes

    def count_properties(
        self, properties: list[ox.NamedNode]
    ) -> tuple[Figures, dict[str, str], list[ox.NamedNode]]:
        """The figures of these properties that `count_node_shapes` does not give.

        Also the datatype of each property whose values are literals of one datatype, which most are, and the
        properties with literals and other values, for `count_literals`.
        """
        figures, repeated = Figures(), list[ox.NamedNode]()
        quads = self.build_batch_pattern(properties)
        for property_, subjects, objects, triples, count in self.query_rows(
            "SELECT ?p (COUNT(DISTINCT ?s) AS ?subjects) (COUNT(DISTINCT ?o) AS ?objects)"
            f" (COUNT(DISTINCT *) AS ?triples) (COUNT(*) AS ?n) {{ SELECT ?s ?p ?o {quads} }} GROUP BY ?p"
        ):
            figures[("property", property_.value), "distinctSubjects"] = int(subjects.value)
            figures[("property", property_.value), "distinctObjects"] = int(objects.value)
            if triples != count:
                repeated.append(property_)
        kinds = defaultdict[ox.NamedNode, set[str]](set)
        for property_, kind in self.query_rows(
            f"SELECT DISTINCT ?p ?kind {{ {{ SELECT DISTINCT ?p ?o {quads} }} BIND(COALESCE(DATATYPE(?o),"
            f" IF({self.is_external_object}, '{EXTERNAL_KIND}', '{NODE_KIND}')) AS ?kind) }}"
        ):
            kinds[property_].add(kind.value)
        with_links = [property_ for property_ in kinds if EXTERNAL_KIND in kinds[property_]]
        with_literals = [property_ for property_ in kinds if kinds[property_] - {EXTERNAL_KIND, NODE_KIND}]
        mixed = [property_ for property_ in with_literals if len(kinds[property_]) > 1]
        self.count_links(figures, with_links)
        self.subtract_repeated_triples(figures, repeated)
        return figures, {p.value: min(kinds[p]) for p in with_literals if len(kinds[p]) == 1}, mixed

    def count_links(self, figures: Figures, properties: list[ox.NamedNode]) -> None:
        """Count the links by these properties from the dataset to IRIs of other hosts."""
        properties = [property_ for property_ in properties if property_ != RDF_TYPE]
        quads, own_node = self.build_batch_pattern(properties), ox.NamedNode(self.base)
        for property_, value, count in self.query_counts(
            "SELECT ?p ?o (COUNT(*) AS ?n)"
            f" {{ {{ SELECT DISTINCT ?p ?o {{ {quads} FILTER({self.is_external_object}) }} }}"
            f" {quads} FILTER(isIRI(?s) && {self.is_own_subject}) }} GROUP BY ?p ?o"
        ):
            add_to_figures(figures, link_figures(ox.Triple(own_node, property_, value), self.base), count)

    def count_literals(self, properties: list[ox.NamedNode]) -> Figures:
        """The figures of the literals of these properties by datatype; they are counted as nodes so far.

        All properties take little more time than one, as the classes of all subjects are read.
        """
        quads = self.build_batch_pattern(properties)
        datatypes = "BIND(DATATYPE(?o) AS ?datatype) FILTER(BOUND(?datatype))"
        figures, shapes = Figures(), Counter[TripleShape]()
        for property_, classes, datatype, count in (
            self.query_counts(
                "SELECT ?p ?classes ?datatype (COUNT(*) AS ?n)"
                f" {{ {{ SELECT ?s ?p ?datatype {{ {quads} {datatypes} }} }}"
                f" OPTIONAL {self.subject_classes} }} GROUP BY ?p ?classes ?datatype"
            )
            if properties
            else ()
        ):
            shapes[split_classes(classes), property_.value, NO_CLASSES] -= count
            shapes[split_classes(classes), property_.value, datatype.value] += count
        add_shape_figures(figures, shapes)
        return figures

    def subtract_repeated_triples(self, figures: Figures, properties: list[ox.NamedNode]) -> None:
        """Count the triples with these properties that are in several graphs only once."""
        shapes = Counter[TripleShape]()

        @lru_cache(CLASS_CACHE_NODES)
        def classes(node: Any) -> Classes:
            types = self.quads.quads_for_pattern(node, RDF_TYPE, None, None)
            return classes_of_type_triples(
                quad.triple for quad in types if quad.graph_name not in self.excluded_graphs
            )

        for subject, property_, value, count in (
            self.query_counts(
                f"SELECT ?s ?p ?o (COUNT(*) AS ?n) {self.build_batch_pattern(properties)}"
                " GROUP BY ?s ?p ?o HAVING(COUNT(*) > 1)"
            )
            if properties
            else ()
        ):
            shapes[classes(subject), property_.value, value_kind(value, classes)] -= count - 1
            add_to_figures(figures, link_figures(ox.Triple(subject, property_, value), self.base), 1 - count)
        add_shape_figures(figures, shapes)


def add_to_figures(figures: Figures, keys: Iterator[tuple[Partition, str]], count: int = 1) -> None:
    """Add `count` to each of the figures with these keys."""
    for key in keys:
        figures[key] += count


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


def add_shape_figures(
    figures: Figures, shapes: Counter[TripleShape], datatypes: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Add the number of triples of each TripleShape to the figures of its partitions.

    `datatypes` has properties whose values are all literals of a datatype.
    """
    for (classes, property_, kind), number in shapes.items():
        figures[WHOLE_DATASET, "triples"] += number
        figures[("property", property_), "triples"] += number
        datatype = kind if isinstance(kind, str) else datatypes.get(property_)
        values = [("datatype", datatype)] if datatype else [("class", class_) for class_ in kind]
        for class_ in classes:
            partition = ("class", class_, "property", property_)
            figures[partition, "triples"] += number
            for value in values:
                figures[(*partition, *value), "triples"] += number


def split_classes(text: ox.Literal | None) -> Classes:
    """The classes in a text that separates them by spaces; none if it is None."""
    return frozenset(text.value.split(" ")) if text else NO_CLASSES


def value_kind(value: Any, classes: Any) -> ValueKind:
    """The datatype of a literal, or the classes of a node, from the function `classes`."""
    if isinstance(value, ox.Literal):
        return value.datatype.value
    return classes(value) if isinstance(value, ox.NamedNode | ox.BlankNode) else frozenset()


def classes_of_type_triples(triples: Iterable[ox.Triple]) -> Classes:
    """The classes in the rdf:type triples of a node."""
    return frozenset(triple.object.value for triple in triples if isinstance(triple.object, ox.NamedNode))


def is_named_node(term: Any) -> TypeGuard[ox.NamedNode]:
    """Whether a term is an IRI."""
    return isinstance(term, ox.NamedNode)
