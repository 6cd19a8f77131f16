"""HTML pages of graphs: the list of all named graphs, and each graph with the resources that it describes."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyoxigraph as ox
from wgig_client.namespaces import DCTERMS_NAMESPACE

from ..http.language import gettext, label_languages
from ..http.parameters import add_url_parameters
from ..pages.dependencies import RequestContext
from ..pages.rendering import SortLink, graph_path, iri_fragment, path_in_format, render_template
from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS, JSON_LD, TURTLE
from ..rdf.labels import best_text, words_of_iri
from ..rdf.namespaces import DCTERMS_DESCRIPTION, DESCRIPTION_GRAPH_NAMES, LICENSE_IRI, shorten_iri
from ..rdf.shipped import read_inference_rules
from ..resources.source_names import SourceName, name_sources
from ..settings import Settings
from ..store.change import BEGINNING_OF_TIME
from ..store.graph_dates import GraphDate, find_graph_date, find_graph_dates
from ..store.history import MAX_LISTED_VERSIONS, find_erased_digests, list_graph_versions
from ..store.labels import find_labels
from ..store.store import Store
from ..store.view import ResultTerm, select_solutions
from ..text import natural_sort_key
from .dependencies import find_rules_status

GRAPH_DOWNLOAD_FORMATS = (TURTLE, JSON_LD)  # of each graph on the page of all graphs
MAX_LISTED_GRAPHS = 1000  # on the page of all graphs
MAX_GRAPH_RESOURCES = 500  # listed on the page of one graph
RULE_COMMENT_PATTERN = re.compile(r"(?:#.*\n)+")  # at the top of an inference rule
RECORDED_KIND, INFERRED_KIND, COMPUTED_KIND = "recorded", "inferred", "computed"
COMPUTED_GRAPHS = (*DESCRIPTION_GRAPH_NAMES, "catalog", "conformance", "history")  # beside the inferred ones
GRAPH_GROUPS = ("topics", "papers", "computed")
GRAPH_LIST_PARAMETERS = ("q", "group", "sort")
SENTENCE_PATTERN = re.compile(r".+?\.(?=\s|$)")  # the first sentence of a text


class GraphEntry(NamedTuple):
    """A graph in the list: `kind` is recorded, inferred or computed, `group` one of GRAPH_GROUPS.

    The description is empty if there is none, `date` None if no change is recorded.
    """

    iri: str
    title: ox.Literal
    description: ox.Literal
    kind: str
    group: str
    size: int
    date: GraphDate | None


class GraphChoice(NamedTuple):
    """Which graphs are listed, in which order; what is not chosen is empty.

    `q` are words, `group` is one of GRAPH_GROUPS, `sort` a name in SORT_KEYS, with `-` in descending order.
    """

    q: str = ""
    group: str = ""
    sort: str = ""

    @property
    def path(self) -> str:
        """The path of the list."""
        pairs = zip(GRAPH_LIST_PARAMETERS, self, strict=True)
        return add_url_parameters("/graphs", [(name, value) for name, value in pairs if value])


@dataclass(frozen=True)
class GraphView:
    """The content of the page of a graph; `iri` is None for the default graph.

    `kind` is recorded, inferred or computed, `date` None if no change is recorded. `size` is its number of
    triples. `source_names` are those of sources on other sites, by IRI. `resources` are the IRIs of the
    resources that it describes, at most MAX_GRAPH_RESOURCES of `total`, sorted by label. `labels` are by IRI.
    `rules` has a sentence for each inference rule if it is the graph of inferred facts; else it is empty.
    """

    iri: str | None
    title: ox.Literal
    kind: str
    date: GraphDate | None
    descriptions: list[ResultTerm]
    sources: list[ResultTerm]
    source_names: dict[str, SourceName]
    licenses: list[ResultTerm]
    size: int
    resources: list[str]
    total: int
    labels: dict[str, ox.Literal]
    rules: list[str]


SORT_KEYS: Mapping[str, Callable[[GraphEntry], Any]] = {
    "title": lambda entry: natural_sort_key(entry.title.value),
    "size": lambda entry: entry.size,
    "date": lambda entry: (entry.date and entry.date.time) or BEGINNING_OF_TIME,
}


def render_graphs_page(context: RequestContext, sizes: Mapping[str, int], choice: GraphChoice) -> bytes:
    """The page of the first MAX_LISTED_GRAPHS named graphs, in groups, with links to the formats of each."""
    iris = sorted(sizes)
    entries = list_graph_entries(context, sizes, iris[:MAX_LISTED_GRAPHS])
    found = sort_entries(filter_entries(entries, choice.q), choice.sort)
    shown = [entry for entry in found if choice.group in ("", entry.group)]
    return render_template(
        "graphs.html",
        base=context.base,
        groups={
            group: members
            for group in GRAPH_GROUPS
            if (members := [entry for entry in shown if entry.group == group])
        },
        counts=Counter(entry.group for entry in found),
        choice=choice,
        sorts={name: build_graph_sort_link(choice, name) for name in SORT_KEYS},
        links={group: choice._replace(group=group).path for group in ("", *GRAPH_GROUPS)},
        formats=GRAPH_DOWNLOAD_FORMATS,
        listed_count=len(entries),
        total=len(iris),
    )


def find_graphs(context: RequestContext, sizes: Mapping[str, int], choice: GraphChoice) -> list[str]:
    """The IRIs of all named graphs that are chosen, sorted by IRI unless the choice says otherwise."""
    graphs = sorted(sizes)
    if choice == GraphChoice():
        return graphs
    entries = filter_entries(list_graph_entries(context, sizes, graphs), choice.q)
    shown = [entry for entry in entries if choice.group in ("", entry.group)]
    return [entry.iri for entry in (sort_entries(shown, choice.sort) if choice.sort else shown)]


def list_graph_entries(
    context: RequestContext, sizes: Mapping[str, int], graphs: Sequence[str]
) -> list[GraphEntry]:
    """The graphs with their titles, descriptions, kinds, sizes and dates."""
    store, base, ranges = context.store, context.base, label_languages()
    labels, dates = find_labels(store, graphs, ranges), find_graph_dates(context.history, store, graphs, base)
    entries = []
    for graph in graphs:
        kind = graph_kind(graph, context.settings)
        is_paper = graph.startswith(f"{base}graph/paper/")
        group = "computed" if kind != RECORDED_KIND else "papers" if is_paper else "topics"
        descriptions = (quad.object for quad in store.match(ox.NamedNode(graph), DCTERMS_DESCRIPTION))
        description = best_text(descriptions, ranges)
        title = graph_title(graph, labels)
        entries.append(GraphEntry(graph, title, description, kind, group, sizes[graph], dates.get(graph)))
    return entries


def graph_kind(graph: str, settings: Settings) -> str:
    """The kind of a graph: recorded, inferred or computed."""
    name = graph.removeprefix(f"{settings.base}graph/")
    if name == "inferred" or graph == settings.rules_graph_iri:
        return INFERRED_KIND
    return COMPUTED_KIND if name in COMPUTED_GRAPHS else RECORDED_KIND


def filter_entries(entries: Iterable[GraphEntry], text: str) -> list[GraphEntry]:
    """The graphs that have each word of a text in the title, description or address."""
    words = text.casefold().split()
    return [
        entry
        for entry in entries
        if all(
            word in f"{entry.title.value}\n{entry.description.value}\n{entry.iri}".casefold()
            for word in words
        )
    ]


def sort_entries(entries: Iterable[GraphEntry], sort: str) -> list[GraphEntry]:
    """The graphs by title, or by what `sort` names; with `-`, in descending order."""
    by_title = sorted(entries, key=SORT_KEYS["title"])
    return sorted(by_title, key=SORT_KEYS[sort.removeprefix("-") or "title"], reverse=sort.startswith("-"))


def build_graph_sort_link(choice: GraphChoice, name: str) -> SortLink:
    """The link that sorts by `name`, or if the graphs are sorted by it, in the opposite order."""
    sort = choice.sort or "title"
    if sort.removeprefix("-") != name:
        return SortLink(choice._replace(sort=name).path, "")
    is_descending = sort.startswith("-")
    opposite = name if is_descending else f"-{name}"
    return SortLink(choice._replace(sort=opposite).path, "descending" if is_descending else "ascending")


def parse_graph_choice(q: str | None, group: str | None, sort: str | None) -> GraphChoice:
    """The chosen graphs. Raises Problem 400 for an unknown group or sort key."""
    sorts = [*SORT_KEYS, *(f"-{name}" for name in SORT_KEYS)]
    for name, value, values in (("group", group, GRAPH_GROUPS), ("sort", sort, sorts)):
        if value and value not in values:
            raise Problem(400, f"{name} is {value!r}. Choose one of: {', '.join(values)}.")
    return GraphChoice(" ".join((q or "").split()), group or "", sort or "")


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
        graph=build_graph_view(context, iri, language_ranges),
        formats=formats,
        versions=shown_versions,
        erased=find_erased_digests(context.history, store, shown_versions),
        version_list_path=add_url_parameters(path, [("versions", None)]),
        version_count=len(versions),
        common_license=LICENSE_IRI,
        json_ld=json_ld,
        rules_status=find_rules_status(context.request) if iri == context.settings.rules_graph_iri else None,
        rules_quads=context.settings.rules_quads,
    )


def build_graph_view(
    context: RequestContext, iri: str | None, language_ranges: tuple[str, ...] = ()
) -> GraphView:
    """The content of the page of a graph (None: the default graph)."""
    store, base = context.store, context.base
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
        graph_kind(iri, context.settings) if iri else RECORDED_KIND,
        find_graph_date(context.history, store, iri, base),
        descriptions=graph_property_values(store, iri, "description"),
        sources=sources,
        source_names=name_sources(store, sources, base, language_ranges),
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
