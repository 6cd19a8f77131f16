"""The graphs that describe the store: void, dcat and queries, updated after writes.

They are left out of what they describe. Example queries are in RDF by the SIB conventions, with the prefixes
that they may use (SHACL, section 5.2.1).
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain
from pathlib import Path

import pyoxigraph as ox

from ..._version import __version__
from ...rdf.namespaces import (
    DCTERMS_MODIFIED,
    PROV_ENDED_AT_TIME,
    RDF_TYPE,
    XSD_DATE_TIME,
    expand_curie,
    get_description_graphs,
    namespaces_by_prefix,
)
from ...rdf.serialization import build_quad, normalize_triples
from ...sparql.examples import EXAMPLE_QUERIES_FOLDER, list_example_queries
from ...store.change import BEGINNING_OF_TIME, Change, find_existing_graphs, iter_graph_quads
from ...store.commit import build_change_update
from .dcat import DcatCatalog
from .statistics import Figures, compute_figure_changes, count_figures
from .statistics_worker import count_in_subprocess
from .void import Triples, VoidDescription


def example_query_triples(base: str) -> Iterator[ox.Triple]:
    """Each example query: what it asks in words, its text, and where to send it."""
    for one in list_example_queries():
        node = ox.NamedNode(f"{base}queries/{one.name}")
        asks = one.form.lower()
        for type_ in ("SPARQLExecutable", f"SPARQL{asks.capitalize()}Executable"):
            yield ox.Triple(node, RDF_TYPE, expand_curie(f"sh:{type_}"))
        yield ox.Triple(node, expand_curie(f"sh:{asks}"), ox.Literal(one.text))
        yield ox.Triple(node, expand_curie("sh:prefixes"), ontology_node(base))
        yield ox.Triple(node, expand_curie("rdfs:label"), ox.Literal(one.title, language="en"))
        yield ox.Triple(node, expand_curie("rdfs:comment"), ox.Literal(one.question, language="en"))
        yield ox.Triple(node, expand_curie("schema:target"), ox.NamedNode(f"{base}sparql"))
        for keyword in one.keywords:
            yield ox.Triple(node, expand_curie("schema:keywords"), ox.Literal(keyword, language="en"))


def prefix_declaration_triples(base: str) -> Iterator[ox.Triple]:
    """Each prefix that the graph uses, declared by the ontology (SHACL, section 5.2.1)."""
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


ONE_MICROSECOND = timedelta(microseconds=1)
BULK_LOAD_MIN_QUADS = 2000  # quads


class DescriptionGraphs:
    """Describes all graphs of a store in three of their own, which are left out of what they describe."""

    def __init__(self, base: str) -> None:
        """Take the base of the IRIs."""
        self.base, self.void, self.catalog = base, VoidDescription(base), DcatCatalog(base)
        self.queries = ox.NamedNode(f"{base}graph/queries")
        self.time_sources = [
            (ox.NamedNode(f"{base}graph/{name}"), property_)
            for name, property_ in (("history", PROV_ENDED_AT_TIME), ("catalog", DCTERMS_MODIFIED))
        ]
        self.known_state = ""  # the state of which the figures are at hand
        self.graphs = get_description_graphs(base)

    @cached_property
    def digest(self) -> str:
        """The digest of what is described beside the figures."""
        files = [path.read_bytes() for path in sorted(EXAMPLE_QUERIES_FOLDER.glob("*.rq"))]
        offered = sorted(str(one).encode() for one in self.catalog.catalog_triples(set()))
        return hashlib.sha256(b"\n".join([__version__.encode(), *offered, *files])).hexdigest()

    def describe(self, quads: ox.Store, change: Change | None, prepared: Figures | None = None) -> Change:
        """Say how it is after a change; None: it may be anything, and all is counted. What that changed.

        The figures may be `prepared`.
        """
        if change is not None and not change:
            return change
        if change is None or not self.can_prepare(quads, change):
            return self.rebuild(quads)
        if prepared is None:
            prepared = compute_figure_changes(quads, change, self.base, self.graphs)
        return self.apply_figures(quads, change, Figures(prepared))

    def prepare(self, copy: Path, change: Change) -> Figures:
        """By how much a change altered the figures, by a copy of the quads.

        Raises OSError or subprocess.SubprocessError.
        """
        return count_in_subprocess(copy, change, self.base)

    def can_prepare(self, quads: ox.Store, change: Change) -> bool:
        """Whether the change can be described without looking at all quads, and that is faster."""
        ours = {one.value for one in self.graphs}
        return bool(self.state(quads) and not change.graphs & ours and not self.changes_most(quads, change))

    def apply_figures(self, quads: ox.Store, change: Change, figures: Figures) -> Change:
        """Say what is other than before, where the figures changed by so much; what that changed."""
        if self.state(quads) != self.known_state:
            self.void.cached_figures.clear()
        dropped, made = self.diff_graph_names(quads, change.graphs)
        for sign, names in ((-1, dropped), (1, made)):
            figures.update(dict.fromkeys(((("graph", one), "stated") for one in names), sign))
        gone, come = self.void.diff_statements(quads, figures)
        gone |= self.stated_modified_triples(quads)
        modified = self.build_modified_triple(quads, change.added)
        come.add(modified)
        followed = Change(
            (
                *quads_in_graph(gone, self.void.graph),
                *quads_in_graph(self.catalog_triples(dropped), self.catalog.graph),
            ),
            (
                *quads_in_graph(come, self.void.graph),
                *quads_in_graph(self.catalog_triples(made), self.catalog.graph),
            ),
        )
        self.known_state = ""  # until all is there
        quads.update(build_change_update(quads, followed, set()))
        self.known_state = modified.object.value  # type: ignore[union-attr]
        return followed

    def changes_most(self, quads: ox.Store, change: Change) -> bool:
        """Whether more changed than there was, so that it is faster to count anew."""
        return len(change) > self.void.triple_count(quads)

    def diff_graph_names(self, quads: ox.Store, names: Iterable[str]) -> tuple[set[str], set[str]]:
        """Those of these graphs that are told of and not there, and those that are there and not told of."""
        graphs = [ox.NamedNode(one) for one in names]
        told = {one.value for one in graphs if self.void.describes_graph(quads, one)}
        are = find_existing_graphs(quads, graphs)
        return told - are, are - told

    def stated_modified_triples(self, quads: ox.Store) -> Triples:
        """What is said of the last change."""
        found = quads.quads_for_pattern(self.void.dataset, DCTERMS_MODIFIED, None, self.void.graph)
        return {one.triple for one in found}

    def state(self, quads: ox.Store) -> str:
        """When the dataset changed last, as it is described."""
        return "".join(one.object.value for one in self.stated_modified_triples(quads))  # type: ignore[union-attr]

    def rebuild(self, quads: ox.Store) -> Change:
        """Say all, from what is there; of nothing, nothing. What that changed."""
        if all(one.graph_name in self.graphs for one in quads):
            return self.clear(quads)
        names = {one.value for one in quads.named_graphs() if isinstance(one, ox.NamedNode)}
        names -= {one.value for one in self.graphs}
        self.known_state = ""
        self.void.cached_figures.clear()
        _, figures = self.void.diff_statements(ox.Store(), count_figures(quads, self.base, self.graphs))
        modified = self.build_modified_triple(quads, self.recorded_times(quads))
        now = {
            *quads_in_graph({*figures, *self.void.constant_triples(), modified}, self.void.graph),
            *quads_in_graph(self.catalog.catalog_triples(names), self.catalog.graph),
            *quads_in_graph(example_query_triples(self.base), self.queries),
            *quads_in_graph(prefix_declaration_triples(self.base), self.queries),
        }
        before = {one for graph in self.graphs for one in iter_graph_quads(quads, graph)}
        was = find_existing_graphs(quads, self.graphs)
        come = now - before
        (quads.extend if len(come) < BULK_LOAD_MIN_QUADS else quads.bulk_extend)(come)
        for one in before - now:
            quads.remove(one)
        self.known_state = modified.object.value  # type: ignore[union-attr]
        return Change(
            tuple(before - now), tuple(come), (), tuple(find_existing_graphs(quads, self.graphs) - was)
        )

    def clear(self, quads: ox.Store) -> Change:
        """Say nothing any more; what that changed."""
        said = [one for graph in self.graphs for one in iter_graph_quads(quads, graph)]
        dropped = find_existing_graphs(quads, self.graphs)
        for graph in self.graphs:
            quads.remove_graph(graph)
        return Change(tuple(said), (), tuple(dropped))

    def catalog_triples(self, graphs: Iterable[str]) -> Triples:
        """What the catalog says of these graphs."""
        return {triple for one in graphs for triple in self.catalog.graph_triples(one)}

    def build_modified_triple(self, quads: ox.Store, new: Iterable[ox.Quad]) -> ox.Triple:
        """Since when the dataset is as it is: the last write, if what is new has a record of it, else now.

        So an old version that is built anew has the time that it had.
        """
        times = (one.object for one in new if (one.graph_name, one.predicate) in self.time_sources)
        last = max(
            (parse_moment(one.value) for one in times if isinstance(one, ox.Literal)),
            default=BEGINNING_OF_TIME,
        )
        before = parse_moment(self.state(quads))
        if last <= before:
            last = max(datetime.now(UTC), before + ONE_MICROSECOND)
        since = ox.Literal(last.isoformat(), datatype=XSD_DATE_TIME)
        return next(normalize_triples([ox.Triple(self.void.dataset, DCTERMS_MODIFIED, since)]))

    def recorded_times(self, quads: ox.Store) -> Iterator[ox.Quad]:
        """What tells when something was written or shipped."""
        found = (
            quads.quads_for_pattern(None, property_, None, graph) for graph, property_ in self.time_sources
        )
        return chain.from_iterable(found)


def parse_moment(text: str) -> datetime:
    """The moment that a text tells, the begin of time where it tells none."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return BEGINNING_OF_TIME


def quads_in_graph(triples: Iterable[ox.Triple], graph: ox.NamedNode) -> set[ox.Quad]:
    """The triples in a graph."""
    return {build_quad(one, graph) for one in triples}
