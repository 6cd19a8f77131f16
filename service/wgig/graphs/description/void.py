"""The figures of the data (see `statistics`) as VoID: the dataset, its partitions and linksets, named graphs.

The previous value of a figure is read from the graph `void`, or from a cache.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote

import pyoxigraph as ox

from ...rdf.namespaces import RDF_TYPE, expand_curie, shorten_iri
from ...rdf.serialization import build_quad
from .statistics import WHOLE_DATASET, FigureKey, Figures, Partition

Triples = set[ox.Triple]

DATASET_TITLE = "The Working Group on Internet Governance (2004–2005) as linked data"
DATASET_DESCRIPTION = (
    "The union of all graphs of the store except void, dcat and queries, which describe the others. "
    "Updated after each write."
)
VOID_VOCABULARY = expand_curie("void:vocabulary")
# Kinds of partitions of the whole dataset, and the VoID properties that count them.
PARTITION_COUNTERS = {"class": "classes", "property": "properties"}

# By kind of partition: the property that links the partition, and the property that states its class,
# property or datatype.
PARTITION_PROPERTIES = {
    "class": ("void:classPartition", "void:class"),
    "property": ("void:propertyPartition", "void:property"),
    "datatype": ("void-ext:datatypePartition", "void-ext:datatype"),
}


class FigureChange(NamedTuple):
    """A figure of a partition, before and after a change."""

    partition: Partition
    figure: str
    before: int
    after: int


class VoidDescription:
    """Converts figures to VoID statements, and reads them from the graph `void`."""

    def __init__(self, base: str) -> None:
        """Describe a dataset whose IRIs begin with `base`."""
        self.base = base
        self.graph = ox.NamedNode(f"{base}graph/void")
        self.namespace = f"{base}.well-known/void#"
        self.short_names: dict[str, str] = {}  # segments of IRIs, cached by `shorten_name`
        self.dataset = ox.NamedNode(f"{self.namespace}dataset")

    def triple_count(self, quads: ox.Store) -> int:
        """The number of triples of the dataset, as stated in the graph `void`."""
        quad = next(
            quads.quads_for_pattern(self.dataset, expand_curie("void:triples"), None, self.graph), None
        )
        return int(quad.object.value) if quad else 0  # type: ignore[union-attr]

    def describes_graph(self, quads: ox.Store, graph: ox.NamedNode) -> bool:
        """Whether the graph `void` describes this named graph."""
        return build_quad(ox.Triple(self.dataset, expand_curie("void:subset"), graph), self.graph) in quads

    def constant_triples(self) -> Iterator[ox.Triple]:
        """The statements about the dataset that do not depend on its content."""
        yield ox.Triple(self.dataset, RDF_TYPE, expand_curie("void:Dataset"))
        yield ox.Triple(self.dataset, RDF_TYPE, expand_curie("sd:Dataset"))
        for name, text in (("title", DATASET_TITLE), ("description", DATASET_DESCRIPTION)):
            yield ox.Triple(self.dataset, expand_curie(f"dcterms:{name}"), ox.Literal(text, language="en"))
        for name, path in (
            ("void:sparqlEndpoint", "sparql"),
            ("void:dataDump", "dump.nq.gz"),
            ("void:dataDump", "dump.trig.gz"),
            ("foaf:homepage", ""),
        ):
            yield ox.Triple(self.dataset, expand_curie(name), ox.NamedNode(self.base + path))
        yield ox.Triple(self.dataset, expand_curie("void:uriSpace"), ox.Literal(self.base))

    def diff_statements(
        self, quads: ox.Store, differences: Figures, cached: dict[FigureKey, int] | None = None
    ) -> tuple[Triples, Triples]:
        """The statements to remove and those to add, if figures change by these differences.

        `cached` has figures before the change. It gets all changed ones, after the change.
        """
        cached = {} if cached is None else cached
        changes = [
            self.figure_change(quads, partition, figure, difference, cached)
            for (partition, figure), difference in differences.items()
            if difference
        ]
        term_changes = [  # classes and properties that begin or cease to be used
            change
            for change in changes
            if len(change.partition) == 2
            and change.partition[0] in PARTITION_COUNTERS
            and is_partition_change(change)
        ]
        for kind, figure in PARTITION_COUNTERS.items():
            difference = sum(
                bool(change.after) - bool(change.before)
                for change in term_changes
                if change.partition[0] == kind
            )
            changes.append(self.figure_change(quads, WHOLE_DATASET, figure, difference, cached))
        # The figure `stated` is not written as a number: `partition_triples` are its statements.
        number_changes = [change for change in changes if change.figure != "stated"]
        removed = {self.figure_triple(change, change.before) for change in number_changes if change.before}
        added = {self.figure_triple(change, change.after) for change in number_changes if change.after}
        for change in filter(is_partition_change, changes):
            (added if change.after else removed).update(self.partition_triples(change.partition))
        if term_changes:
            vocabularies_before, vocabularies_after = self.vocabulary_changes(quads, term_changes)
            removed, added = removed | vocabularies_before, added | vocabularies_after
        return removed - added, added - removed

    def figure_change(
        self,
        quads: ox.Store,
        partition: Partition,
        figure: str,
        difference: int,
        cached: dict[FigureKey, int],
    ) -> FigureChange:
        """A figure before (from the graph `void`) and after a change by this difference."""
        if figure == "stated":
            return FigureChange(partition, figure, int(difference < 0), int(difference > 0))
        before = cached.get((partition, figure))
        if before is None:
            node, property_ = self.partition_node(partition), expand_curie(f"void:{figure}")
            quad = next(quads.quads_for_pattern(node, property_, None, self.graph), None)
            before = int(quad.object.value) if quad else 0  # type: ignore[union-attr]
        cached[partition, figure] = before + difference
        return FigureChange(partition, figure, before, before + difference)

    def figure_triple(self, change: FigureChange, number: int) -> ox.Triple:
        """The statement that a figure has this value."""
        return ox.Triple(
            self.partition_node(change.partition), expand_curie(f"void:{change.figure}"), ox.Literal(number)
        )

    def partition_triples(self, partition: Partition) -> Iterator[ox.Triple]:
        """The statements that declare a partition."""
        node = self.partition_node(partition)
        match partition:
            case ("linkset", host, property_):
                yield from self.linkset_triples(node, host, property_)
            case ("license", _):
                yield ox.Triple(self.dataset, expand_curie("dcterms:license"), node)
            case ("graph", _):
                yield from self.named_graph_triples(node)
            case (*parent, kind, term):
                partition_property, property_ = PARTITION_PROPERTIES[kind]
                yield ox.Triple(self.partition_node(tuple(parent)), expand_curie(partition_property), node)
                yield ox.Triple(node, expand_curie(property_), ox.NamedNode(term))

    def linkset_triples(self, node: ox.NamedNode, host: str, property_: str) -> Iterator[ox.Triple]:
        """The statements about the links by a property to resources of another host (VoID, section 5)."""
        yield ox.Triple(self.dataset, expand_curie("void:subset"), node)
        yield ox.Triple(node, RDF_TYPE, expand_curie("void:Linkset"))
        yield ox.Triple(node, expand_curie("void:subjectsTarget"), self.dataset)
        yield ox.Triple(node, expand_curie("void:linkPredicate"), ox.NamedNode(property_))
        yield ox.Triple(node, expand_curie("void:objectsTarget"), ox.NamedNode(host))

    def named_graph_triples(self, graph: ox.NamedNode) -> Iterator[ox.Triple]:
        """The statements about a named graph as a part of the dataset (VoID, SPARQL Service Description)."""
        yield ox.Triple(self.dataset, expand_curie("void:subset"), graph)
        yield ox.Triple(self.dataset, expand_curie("sd:namedGraph"), graph)
        yield ox.Triple(graph, RDF_TYPE, expand_curie("void:Dataset"))
        yield ox.Triple(graph, RDF_TYPE, expand_curie("sd:NamedGraph"))
        yield ox.Triple(graph, expand_curie("sd:name"), graph)

    def vocabulary_changes(
        self, quads: ox.Store, term_changes: Iterable[FigureChange]
    ) -> tuple[Triples, Triples]:
        """The void:vocabulary statements before and after these changes of classes and properties."""
        stated = quads.quads_for_pattern(self.dataset, VOID_VOCABULARY, None, self.graph)
        terms: set[Partition] = {
            (kind, quad.object.value)  # type: ignore[union-attr]
            for kind in PARTITION_COUNTERS
            for quad in quads.quads_for_pattern(None, expand_curie(f"void:{kind}"), None, self.graph)
        }
        terms -= {change.partition for change in term_changes if not change.after}
        terms |= {change.partition for change in term_changes if change.after}
        namespaces = {iri[: max(iri.rfind("#"), iri.rfind("/")) + 1] for _, iri in terms} - {""}
        after = {ox.Triple(self.dataset, VOID_VOCABULARY, ox.NamedNode(iri)) for iri in namespaces}
        return {quad.triple for quad in stated}, after

    def partition_node(self, partition: Partition) -> ox.NamedNode:
        """The IRI of a partition."""
        if partition[:1] in (("graph",), ("license",)):
            return ox.NamedNode(partition[1])
        return (
            ox.NamedNode(self.namespace + "/".join(map(self.shorten_name, partition)))
            if partition
            else self.dataset
        )

    def shorten_name(self, name: str) -> str:
        """A name in a partition as a segment of its IRI: `prefix:name`, or else percent-encoded."""
        if name not in self.short_names:
            short_name = shorten_iri(name, self.base)
            self.short_names[name] = short_name if short_name != name else quote(name, safe="")
        return self.short_names[name]


def main_figure(partition: Partition) -> str:
    """The figure that is above 0 if and only if the partition exists; empty for the whole dataset."""
    if partition[:1] in (("graph",), ("license",)):
        return "stated"
    return (
        "entities" if partition[:1] == ("class",) and len(partition) == 2 else "triples" if partition else ""
    )


def is_partition_change(change: FigureChange) -> bool:
    """Whether a partition begins or ceases to exist."""
    return change.figure == main_figure(change.partition) and bool(change.before) != bool(change.after)
