"""The figures of the data as VoID: the dataset with its partitions and linksets, and each named graph.

What a figure was is read from the statements, once.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote

import pyoxigraph as ox

from ...rdf.namespaces import RDF_TYPE, expand_curie, namespaces_by_prefix, shorten_iri
from ...rdf.serialization import build_quad
from .statistics import WHOLE_DATASET, Figures, Partition

Triples = set[ox.Triple]

DATASET_TITLE = "The Working Group on Internet Governance (2004-2005) as linked data"
DATASET_DESCRIPTION = (
    "All graphs of the store as one, in which each triple counts once, but for the graphs void, dcat and "
    "queries, which describe the others. Kept in line with each write."
)
VOID_VOCABULARY = expand_curie("void:vocabulary")
# Partitions of the whole, and what counts them.
PARTITION_COUNTERS = {"class": "classes", "property": "properties"}

# By the kind of a partition: how it is tied to what it is a part of, and how it says what it is about.
PARTITION_PROPERTIES = {
    "class": ("void:classPartition", "void:class"),
    "property": ("void:propertyPartition", "void:property"),
    "datatype": ("void-ext:datatypePartition", "void-ext:datatype"),
}


class FigureChange(NamedTuple):
    """A figure of a part, as it was and as it is."""

    part: Partition
    figure: str
    was: int
    now: int


class VoidDescription:
    """Writes figures as statements about a dataset, and reads them."""

    def __init__(self, base: str) -> None:
        """Take the base of the IRIs."""
        self.base, self.prefixes = base, namespaces_by_prefix(base)
        self.graph = ox.NamedNode(f"{base}graph/void")
        self.namespace = f"{base}.well-known/void#"
        self.short_names: dict[str, str] = {}
        self.cached_figures: dict[tuple[Partition, str], int] = {}  # figures, as the graph has them
        self.dataset = ox.NamedNode(f"{self.namespace}dataset")

    def triple_count(self, quads: ox.Store) -> int:
        """How many triples there are by the graph."""
        found = next(
            quads.quads_for_pattern(self.dataset, expand_curie("void:triples"), None, self.graph), None
        )
        return int(found.object.value) if found else 0  # type: ignore[union-attr]

    def describes_graph(self, quads: ox.Store, graph: ox.NamedNode) -> bool:
        """Whether a named graph is told of."""
        return build_quad(ox.Triple(self.dataset, expand_curie("void:subset"), graph), self.graph) in quads

    def constant_triples(self) -> Iterator[ox.Triple]:
        """What is so whatever the dataset holds."""
        yield ox.Triple(self.dataset, RDF_TYPE, expand_curie("void:Dataset"))
        yield ox.Triple(self.dataset, RDF_TYPE, expand_curie("sd:Dataset"))
        for name, text in (("title", DATASET_TITLE), ("description", DATASET_DESCRIPTION)):
            yield ox.Triple(self.dataset, expand_curie(f"dcterms:{name}"), ox.Literal(text, language="en"))
        for name, place in (
            ("void:sparqlEndpoint", "sparql"),
            ("void:dataDump", "dump.nq.gz"),
            ("void:dataDump", "dump.trig.gz"),
            ("foaf:homepage", ""),
        ):
            yield ox.Triple(self.dataset, expand_curie(name), ox.NamedNode(self.base + place))
        yield ox.Triple(self.dataset, expand_curie("void:uriSpace"), ox.Literal(self.base))

    def diff_statements(self, quads: ox.Store, difference: Figures) -> tuple[Triples, Triples]:
        """The statements that go and those that come where figures change by so much."""
        steps = [
            self.figure_change(quads, part, figure, by) for (part, figure), by in difference.items() if by
        ]
        terms = [
            one
            for one in steps
            if len(one.part) == 2 and one.part[0] in PARTITION_COUNTERS and is_partition_change(one)
        ]
        for kind, figure in PARTITION_COUNTERS.items():
            more = sum(bool(one.now) - bool(one.was) for one in terms if one.part[0] == kind)
            steps.append(self.figure_change(quads, WHOLE_DATASET, figure, more))
        gone = {self.figure_triple(one, one.was) for one in steps if one.was and one.figure != "stated"}
        come = {self.figure_triple(one, one.now) for one in steps if one.now and one.figure != "stated"}
        for one in filter(is_partition_change, steps):
            (come if one.now else gone).update(self.partition_triples(one.part))
        if terms:
            held, now = self.vocabulary_changes(quads, terms)
            gone, come = gone | held, come | now
        return gone - come, come - gone

    def figure_change(self, quads: ox.Store, part: Partition, figure: str, by: int) -> FigureChange:
        """What a figure was, by the graph, and is."""
        if figure == "stated":
            return FigureChange(part, figure, int(by < 0), int(by > 0))
        was = self.cached_figures.get((part, figure))
        if was is None:
            node, property_ = self.partition_node(part), expand_curie(f"void:{figure}")
            found = next(quads.quads_for_pattern(node, property_, None, self.graph), None)
            was = int(found.object.value) if found else 0  # type: ignore[union-attr]
        self.cached_figures[part, figure] = was + by
        return FigureChange(part, figure, was, was + by)

    def figure_triple(self, step: FigureChange, number: int) -> ox.Triple:
        """That a figure is such a number."""
        return ox.Triple(
            self.partition_node(step.part), expand_curie(f"void:{step.figure}"), ox.Literal(number)
        )

    def partition_triples(self, part: Partition) -> Iterator[ox.Triple]:
        """What makes a part one, and says what it is about."""
        node = self.partition_node(part)
        match part:
            case ("linkset", host, property_):
                yield from self.linkset_triples(node, host, property_)
            case ("license", _):
                yield ox.Triple(self.dataset, expand_curie("dcterms:license"), node)
            case ("graph", _):
                yield from self.named_graph_triples(node)
            case (*above, kind, about):
                tie, property_ = PARTITION_PROPERTIES[kind]
                yield ox.Triple(self.partition_node(tuple(above)), expand_curie(tie), node)
                yield ox.Triple(node, expand_curie(property_), ox.NamedNode(about))

    def linkset_triples(self, node: ox.NamedNode, host: str, property_: str) -> Iterator[ox.Triple]:
        """Links by a property to things of another host (VoID, section 5)."""
        yield ox.Triple(self.dataset, expand_curie("void:subset"), node)
        yield ox.Triple(node, RDF_TYPE, expand_curie("void:Linkset"))
        yield ox.Triple(node, expand_curie("void:subjectsTarget"), self.dataset)
        yield ox.Triple(node, expand_curie("void:linkPredicate"), ox.NamedNode(property_))
        yield ox.Triple(node, expand_curie("void:objectsTarget"), ox.NamedNode(host))

    def named_graph_triples(self, graph: ox.NamedNode) -> Iterator[ox.Triple]:
        """A named graph as a subset, and as the service calls it."""
        yield ox.Triple(self.dataset, expand_curie("void:subset"), graph)
        yield ox.Triple(self.dataset, expand_curie("sd:namedGraph"), graph)
        yield ox.Triple(graph, RDF_TYPE, expand_curie("void:Dataset"))
        yield ox.Triple(graph, RDF_TYPE, expand_curie("sd:NamedGraph"))
        yield ox.Triple(graph, expand_curie("sd:name"), graph)

    def vocabulary_changes(self, quads: ox.Store, terms: Iterable[FigureChange]) -> tuple[Triples, Triples]:
        """What was said of the vocabularies in use, and what is to be said once terms come and go."""
        said = quads.quads_for_pattern(self.dataset, VOID_VOCABULARY, None, self.graph)
        used: set[Partition] = {
            (kind, one.object.value)  # type: ignore[union-attr]
            for kind in PARTITION_COUNTERS
            for one in quads.quads_for_pattern(None, expand_curie(f"void:{kind}"), None, self.graph)
        }
        used -= {one.part for one in terms if not one.now}
        used |= {one.part for one in terms if one.now}
        spaces = {iri[: max(iri.rfind("#"), iri.rfind("/")) + 1] for _, iri in used} - {""}
        come = {ox.Triple(self.dataset, VOID_VOCABULARY, ox.NamedNode(one)) for one in spaces}
        return {one.triple for one in said}, come

    def partition_node(self, part: Partition) -> ox.NamedNode:
        """The IRI of a part."""
        if part[:1] in (("graph",), ("license",)):
            return ox.NamedNode(part[1])
        return ox.NamedNode(self.namespace + "/".join(map(self.shorten_name, part))) if part else self.dataset

    def shorten_name(self, word: str) -> str:
        """A word of a name, as short as its meaning allows."""
        if word not in self.short_names:
            iri = shorten_iri(word, self.base)
            self.short_names[word] = iri if iri != word else quote(word, safe="")
        return self.short_names[word]


def main_figure(part: Partition) -> str:
    """The figure of a part that is there as long as the part."""
    if part[:1] in (("graph",), ("license",)):
        return "stated"
    return "entities" if part[:1] == ("class",) and len(part) == 2 else "triples" if part else ""


def is_partition_change(step: FigureChange) -> bool:
    """Whether a part comes or goes by this."""
    return step.figure == main_figure(step.part) and bool(step.was) != bool(step.now)
