"""The graphs that describe the store: `void`, `dcat` and `queries`, updated after writes.

The graph `void` states figures, such as the number of triples of a class (see `statistics`).
These graphs do not describe themselves. Example queries are in RDF by the conventions of SIB (Swiss Institute
of Bioinformatics), with prefix declarations (SHACL, section 5.2.1).
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain

import pyoxigraph as ox
from wgig_client.namespaces import namespaces_by_prefix

from ..._version import __version__
from ...rdf.namespaces import (
    DCTERMS_MODIFIED,
    PROV_ENDED_AT_TIME,
    RDF_TYPE,
    XSD_DATE_TIME,
    expand_curie,
    get_description_graphs,
)
from ...rdf.serialization import build_quad, normalize_triples
from ...sparql.examples import EXAMPLE_QUERIES_FOLDER, list_example_queries
from ...store.change import BEGINNING_OF_TIME, Change, find_existing_graphs, iter_graph_quads
from .dcat import DcatCatalog
from .figure_changes import LookupCache, compute_figure_changes
from .statistics import FigureKey, Figures, count_figures
from .void import Triples, VoidDescription


def example_query_triples(base: str) -> Iterator[ox.Triple]:
    """The triples about each example query: question, text, keywords, and the endpoint to send it to."""
    for example in list_example_queries():
        node = ox.NamedNode(f"{base}queries/{example.name}")
        form = example.form.lower()
        for type_ in ("SPARQLExecutable", f"SPARQL{form.capitalize()}Executable"):
            yield ox.Triple(node, RDF_TYPE, expand_curie(f"sh:{type_}"))
        yield ox.Triple(node, expand_curie(f"sh:{form}"), ox.Literal(example.text))
        yield ox.Triple(node, expand_curie("sh:prefixes"), ontology_node(base))
        yield ox.Triple(node, expand_curie("rdfs:label"), ox.Literal(example.title, language="en"))
        yield ox.Triple(node, expand_curie("rdfs:comment"), ox.Literal(example.question, language="en"))
        yield ox.Triple(node, expand_curie("schema:target"), ox.NamedNode(f"{base}sparql"))
        for keyword in example.keywords:
            yield ox.Triple(node, expand_curie("schema:keywords"), ox.Literal(keyword, language="en"))


def prefix_declaration_triples(base: str) -> Iterator[ox.Triple]:
    """The triples by which the ontology declares the prefixes of this service (SHACL, section 5.2.1)."""
    for prefix, namespace in namespaces_by_prefix(base).items():
        node = ox.NamedNode(f"{base}.well-known/sparql-examples#{prefix}")
        yield ox.Triple(ontology_node(base), expand_curie("sh:declare"), node)
        yield ox.Triple(node, RDF_TYPE, expand_curie("sh:PrefixDeclaration"))
        yield ox.Triple(node, expand_curie("sh:prefix"), ox.Literal(prefix))
        yield ox.Triple(
            node,
            expand_curie("sh:namespace"),
            ox.Literal(namespace, datatype=expand_curie("xsd:anyURI")),
        )


def ontology_node(base: str) -> ox.NamedNode:
    """The IRI of the ontology."""
    return ox.NamedNode(f"{base}ontology")


ONE_MICROSECOND = timedelta(microseconds=1)  # the smallest difference of two recorded times
# Above this share of the dataset, a full count is faster: it takes 5 to 10 microseconds a quad of the
# dataset, an update 20 to 30 microseconds a quad of the change.
MAX_CHANGED_SHARE = 0.25


class DescriptionCache:
    """What the last description has read, to be used for the next one."""

    def __init__(self) -> None:
        """Begin empty."""
        self.state = ""  # the `state` of the quads to which it belongs
        self.figures = dict[FigureKey, int]()  # as stated in the graph `void`
        self.lookups = LookupCache()


class DescriptionGraphs:
    """Computes the graphs `void`, `dcat` and `queries`, which describe all other graphs of a store."""

    def __init__(self, base: str) -> None:
        """Describe a store whose IRIs begin with `base`."""
        self.base, self.void, self.catalog = base, VoidDescription(base), DcatCatalog(base)
        self.queries = ox.NamedNode(f"{base}graph/queries")  # the graph of example queries
        self.time_sources = [  # (graph, property) of the recorded times of changes
            (ox.NamedNode(f"{base}graph/{name}"), property_)
            for name, property_ in (("history", PROV_ENDED_AT_TIME), ("catalog", DCTERMS_MODIFIED))
        ]
        self.caches = deque[DescriptionCache](maxlen=1)
        self.graphs = get_description_graphs(base)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of all inputs except the data: software version, catalog and example queries."""
        files = [path.read_bytes() for path in sorted(EXAMPLE_QUERIES_FOLDER.glob("*.rq"))]
        catalog = sorted(str(triple).encode() for triple in self.catalog.catalog_triples(set()))
        return hashlib.sha256(b"\n".join([__version__.encode(), *catalog, *files])).hexdigest()

    def compute_change(self, quads: ox.Store, change: Change | None) -> Change:
        """The change of the descriptions that follows from a change (None: unknown). Writes nothing.

        `quads` have the change already. May be called on several threads at once, for example with a
        snapshot.
        """
        if change is not None and not change:
            return change
        if change is None or not self.can_update(quads, change):
            return self.rebuild(quads)
        cache = self.take_cache()
        if cache.state != self.state(quads):
            cache = DescriptionCache()  # it does not include an earlier change
        figures = compute_figure_changes(quads, change, self.base, self.graphs, cache.lookups)
        return self.apply_figures(quads, change, Figures(figures), cache)

    def can_update(self, quads: ox.Store, change: Change) -> bool:
        """Whether an update by differences of the figures is possible, and faster than a rebuild."""
        description_graphs = {graph.value for graph in self.graphs}
        return bool(
            self.state(quads)
            and not change.graphs & description_graphs
            and not self.exceeds_dataset_size(quads, change)
        )

    def take_cache(self) -> DescriptionCache:
        """The cache of the last description, so that no other thread uses it; it is put back at the end."""
        try:
            return self.caches.pop()
        except IndexError:
            return DescriptionCache()

    def apply_figures(
        self, quads: ox.Store, change: Change, figures: Figures, cache: DescriptionCache
    ) -> Change:
        """The change of the descriptions by differences of the figures."""
        dropped, created = self.diff_graph_names(quads, change.graphs)
        for sign, names in ((-1, dropped), (1, created)):
            figures.update(dict.fromkeys(((("graph", name), "stated") for name in names), sign))
        removed, added = self.void.diff_statements(quads, figures, cache.figures)
        removed |= self.stated_modified_triples(quads)
        modified = self.build_modified_triple(quads, change.added)
        added.add(modified)
        cache.state = modified.object.value  # type: ignore[union-attr]
        self.caches.append(cache)
        return Change(
            (
                *quads_in_graph(removed, self.void.graph),
                *quads_in_graph(self.catalog_triples(dropped), self.catalog.graph),
            ),
            (
                *quads_in_graph(added, self.void.graph),
                *quads_in_graph(self.catalog_triples(created), self.catalog.graph),
            ),
        )

    def exceeds_dataset_size(self, quads: ox.Store, change: Change) -> bool:
        """Whether the change is so large for the described dataset that a full count is faster."""
        return len(change) > self.void.triple_count(quads) * MAX_CHANGED_SHARE

    def diff_graph_names(self, quads: ox.Store, names: Iterable[str]) -> tuple[set[str], set[str]]:
        """Of these graphs, those that no longer exist but are described, and those not yet described."""
        graphs = [ox.NamedNode(name) for name in names]
        described = {graph.value for graph in graphs if self.void.describes_graph(quads, graph)}
        existing = find_existing_graphs(quads, graphs)
        return described - existing, existing - described

    def stated_modified_triples(self, quads: ox.Store) -> Triples:
        """The dcterms:modified statements of the dataset."""
        matches = quads.quads_for_pattern(self.void.dataset, DCTERMS_MODIFIED, None, self.void.graph)
        return {quad.triple for quad in matches}

    def state(self, quads: ox.Store) -> str:
        """The dcterms:modified of the dataset, which identifies a state of the data; empty if not stated."""
        return "".join(triple.object.value for triple in self.stated_modified_triples(quads))  # type: ignore[union-attr]

    def rebuild(self, quads: ox.Store) -> Change:
        """The change to descriptions of all quads, counted anew; an empty store has none."""
        if all(quad.graph_name in self.graphs for quad in quads):
            return self.clear(quads)
        names = {graph.value for graph in quads.named_graphs() if isinstance(graph, ox.NamedNode)}
        names -= {graph.value for graph in self.graphs}
        figures = count_figures(quads, self.base, self.graphs)
        _, figure_triples = self.void.diff_statements(ox.Store(), figures)
        after = {
            *quads_in_graph({*figure_triples, *self.void.constant_triples()}, self.void.graph),
            *quads_in_graph(self.catalog.catalog_triples(names), self.catalog.graph),
            *quads_in_graph(example_query_triples(self.base), self.queries),
            *quads_in_graph(prefix_declaration_triples(self.base), self.queries),
        }
        before = {quad for graph in self.graphs for quad in iter_graph_quads(quads, graph)}
        stated_modified = quads_in_graph(self.stated_modified_triples(quads), self.void.graph)
        if stated_modified and after == before - stated_modified:
            return Change()
        modified = self.build_modified_triple(quads, self.recorded_times(quads))
        after |= quads_in_graph([modified], self.void.graph)
        created = {graph.value for graph in self.graphs} - find_existing_graphs(quads, self.graphs)
        return Change(tuple(before - after), tuple(after - before), (), tuple(created))

    def clear(self, quads: ox.Store) -> Change:
        """The change that removes all descriptions."""
        removed = [quad for graph in self.graphs for quad in iter_graph_quads(quads, graph)]
        return Change(tuple(removed), (), tuple(find_existing_graphs(quads, self.graphs)))

    def catalog_triples(self, graphs: Iterable[str]) -> Triples:
        """The triples of the catalog about these graphs."""
        return {triple for graph in graphs for triple in self.catalog.graph_triples(graph)}

    def build_modified_triple(self, quads: ox.Store, added: Iterable[ox.Quad]) -> ox.Triple:
        """The dcterms:modified of the dataset: the last time recorded in the quads `added`, or else now.

        A rebuilt old version thus gets its original time.
        """
        times = (quad.object for quad in added if (quad.graph_name, quad.predicate) in self.time_sources)
        last = max(
            (parse_iso_time(time.value) for time in times if isinstance(time, ox.Literal)),
            default=BEGINNING_OF_TIME,
        )
        before = parse_iso_time(self.state(quads))
        if last <= before:
            last = max(datetime.now(UTC), before + ONE_MICROSECOND)
        modified = ox.Literal(last.isoformat(), datatype=XSD_DATE_TIME)
        return next(normalize_triples([ox.Triple(self.void.dataset, DCTERMS_MODIFIED, modified)]))

    def recorded_times(self, quads: ox.Store) -> Iterator[ox.Quad]:
        """The quads that state the time of a write, or of a change of the bundled data."""
        matches = (
            quads.quads_for_pattern(None, property_, None, graph) for graph, property_ in self.time_sources
        )
        return chain.from_iterable(matches)


def parse_iso_time(text: str) -> datetime:
    """A time in ISO 8601, converted to UTC; BEGINNING_OF_TIME for any other text."""
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return BEGINNING_OF_TIME


def quads_in_graph(triples: Iterable[ox.Triple], graph: ox.NamedNode) -> set[ox.Quad]:
    """The triples as quads of a graph."""
    return {build_quad(triple, graph) for triple in triples}
