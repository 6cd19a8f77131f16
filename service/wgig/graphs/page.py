"""HTML pages of graphs: the list of all named graphs, and each graph with the resources that it describes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyoxigraph as ox

from ..http.language import gettext, label_languages
from ..http.parameters import add_url_parameters
from ..pages.dependencies import RequestContext
from ..pages.rendering import graph_path, iri_fragment, path_in_format, render_template
from ..rdf.formats import GRAPH_FORMATS, JSON_LD, TURTLE
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import DCTERMS_MODIFIED, DCTERMS_NAMESPACE, shorten_iri
from ..rdf.shipped import read_inference_rules
from ..store.change import BEGINNING_OF_TIME
from ..store.history import MAX_LISTED_VERSIONS, GraphHistory, find_erased_digests, list_graph_versions
from ..store.labels import find_labels
from ..store.store import Store
from ..store.view import ResultTerm, select_solutions, serialize_values_block
from ..text import natural_sort_key

GRAPH_DOWNLOAD_FORMATS = (TURTLE, JSON_LD)  # of each graph on the page of all graphs
MAX_LISTED_GRAPHS = 1000  # on the page of all graphs
MAX_GRAPH_RESOURCES = 500  # listed on the page of one graph
RULE_COMMENT_PATTERN = re.compile(r"(?:#.*\n)+")  # at the top of an inference rule
SENTENCE_PATTERN = re.compile(r".+?\.(?=\s|$)")  # the first sentence of a text


@dataclass(frozen=True)
class GraphView:
    """The content of the page of a graph; `iri` is None for the default graph.

    `size` is its number of triples. `resources` are the IRIs of the resources that it describes, at most
    MAX_GRAPH_RESOURCES of `total`, sorted by label. `labels` are by IRI. `rules` has a sentence for each
    inference rule if it is the graph of inferred statements; else it is empty.
    """

    iri: str | None
    title: ox.Literal
    descriptions: list[ResultTerm]
    sources: list[ResultTerm]
    licenses: list[ResultTerm]
    size: int
    resources: list[str]
    total: int
    labels: dict[str, ox.Literal]
    rules: list[str]


def render_graphs_page(history: GraphHistory | None, store: Store, base: str) -> bytes:
    """The page of the first MAX_LISTED_GRAPHS named graphs, sorted by title.

    Each has its title, number of triples, the time of its last change, and links to its formats.
    """
    iris = store.graphs()
    shown_iris = iris[:MAX_LISTED_GRAPHS]
    labels = find_labels(store, shown_iris, label_languages())
    shown_iris.sort(key=lambda iri: natural_sort_key(graph_title(iri, labels).value))
    pattern = f"{{ VALUES ?g {{ {serialize_values_block(shown_iris)} }} GRAPH ?g {{ ?s ?p ?o }} }}"
    rows = select_solutions(store, f"SELECT ?g (COUNT(*) AS ?n) {pattern} GROUP BY ?g")
    sizes = dict.fromkeys(shown_iris, 0) | {row["g"].value: int(row["n"].value) for row in rows}
    return render_template(
        "graphs.html",
        base=base,
        sizes=sizes,
        change_times=find_change_times(history, store, shown_iris, base),
        downloads={
            iri: [
                (format_.title, path_in_format(graph_path(iri, base), format_.media_type))
                for format_ in GRAPH_DOWNLOAD_FORMATS
            ]
            for iri in shown_iris
        },
        total=len(iris),
        labels=labels,
    )


def find_change_times(
    history: GraphHistory | None, store: Store, graphs: Sequence[str], base: str
) -> dict[str, datetime]:
    """When each graph last changed: by the history, or else by the catalog that comes with the data."""
    catalog_graph = f"{base}graph/catalog"
    times = history.find_write_times(store, graphs) if history else {}
    for graph in graphs:
        modified = store.triples(catalog_graph, ox.NamedNode(graph), DCTERMS_MODIFIED)
        stated = [
            datetime.fromisoformat(triple.object.value)
            for triple in modified
            if isinstance(triple.object, ox.Literal)
        ]
        if stated:
            times[graph] = max(*stated, times.get(graph, BEGINNING_OF_TIME))
    return times


def render_graph_page(
    context: RequestContext, iri: str | None, *, json_ld: object, language_ranges: tuple[str, ...]
) -> bytes:
    """The page of a graph (None: the default graph), with its last MAX_LISTED_VERSIONS versions.

    `json_ld` is the schema.org JSON-LD for search engines. `language_ranges` are the languages of labels, the
    preferred first.
    """
    store, base = context.store, context.base
    versions = list_graph_versions(context.history, store, iri)
    shown_versions = versions[-MAX_LISTED_VERSIONS:]
    path = graph_path(iri, base)
    formats = [(format_.title, path_in_format(path, format_.media_type)) for format_ in GRAPH_FORMATS]
    return render_template(
        "graph.html",
        base=base,
        graph=build_graph_view(store, iri, base, language_ranges),
        formats=formats,
        versions=shown_versions,
        erased=find_erased_digests(context.history, store, shown_versions),
        version_list_path=add_url_parameters(path, [("versions", None)]),
        version_count=len(versions),
        json_ld=json_ld,
    )


def build_graph_view(
    store: Store, iri: str | None, base: str, language_ranges: tuple[str, ...] = ()
) -> GraphView:
    """The content of the page of a graph (None: the default graph)."""
    statements_pattern = "{ ?s ?p ?o }" if iri is None else f"{{ GRAPH <{iri}> {{ ?s ?p ?o }} }}"
    resources_pattern = (
        f"{{ {statements_pattern} FILTER(isIRI(?s){'' if iri is None else f' && ?s != <{iri}>'}) }}"
    )
    rows = select_solutions(
        store, f"SELECT DISTINCT ?s {resources_pattern} LIMIT {MAX_GRAPH_RESOURCES}", union=False
    )
    resources = [row["s"].value for row in rows]
    sources = graph_property_values(store, iri, "source")
    licenses = graph_property_values(store, iri, "license")
    referenced_iris = [term.value for term in (*sources, *licenses) if isinstance(term, ox.NamedNode)]
    labels = anchor_labels(resources, base) | find_labels(
        store, [*resources, *referenced_iris, *([iri] if iri else [])], language_ranges
    )
    return GraphView(
        iri,
        graph_title(iri, labels),
        descriptions=graph_property_values(store, iri, "description"),
        sources=sources,
        licenses=licenses,
        size=select_count(store, f"(COUNT(*) AS ?n) {statements_pattern}"),
        resources=sorted(
            resources, key=lambda iri: natural_sort_key(labels[iri].value if iri in labels else iri)
        ),
        total=select_count(store, f"(COUNT(DISTINCT ?s) AS ?n) {resources_pattern}"),
        labels=labels,
        rules=rule_summaries(read_inference_rules()) if iri == f"{base}graph/inferred" else [],
    )


def anchor_labels(iris: Iterable[str], base: str) -> dict[str, ox.Literal]:
    """Labels for IRIs of this service that have a fragment and no short form (prefix:name): the fragment."""
    return {
        iri: ox.Literal(iri_fragment(iri))
        for iri in iris
        if iri.startswith(base) and iri_fragment(iri) and shorten_iri(iri, base) == iri
    }


def graph_title(iri: str | None, labels: dict[str, ox.Literal]) -> ox.Literal:
    """The title of a graph: its label, or else words made from its IRI."""
    if iri is None:
        return ox.Literal(gettext("Default graph"))
    return labels[iri] if iri in labels else ox.Literal(words_of_iri(iri).capitalize())


def graph_property_values(store: Store, iri: str | None, name: str) -> list[ResultTerm]:
    """The values of a DCTERMS property of a graph, stated in any graph, sorted."""
    if iri is None:
        return []
    rows = select_solutions(
        store, f"SELECT DISTINCT ?o {{ <{iri}> <{DCTERMS_NAMESPACE}{name}> ?o }} ORDER BY ?o"
    )
    return [row["o"] for row in rows]


def select_count(store: Store, clause: str) -> int:
    """The number that `SELECT {clause}` binds to `?n`.

    A pattern without GRAPH matches only the default graph, not the union of all graphs.
    """
    return int(select_solutions(store, f"SELECT {clause}", union=False)[0]["n"].value)


def rule_summaries(rules: Iterable[str]) -> list[str]:
    """The first sentence of the comment at the top of each rule that has a comment."""
    summaries = []
    for rule in rules:
        comment = RULE_COMMENT_PATTERN.match(rule)
        comment_text = " ".join(line.strip("# ") for line in comment[0].splitlines()) if comment else ""
        if sentence := SENTENCE_PATTERN.match(comment_text):
            summaries.append(sentence[0])
    return summaries
