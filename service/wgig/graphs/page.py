"""The named graphs as pages: their list, and one of them with what it describes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from ..http.language import gettext
from ..http.language import label_languages as liked
from ..http.parameters import add_url_parameters
from ..pages.rendering import graph_path, iri_fragment, path_in_format, render_template
from ..rdf.formats import GRAPH_FORMATS
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import DCTERMS_NAMESPACE, shorten_iri
from ..rdf.shipped import read_inference_rules
from ..resources.labels import find_labels
from ..store.history import MAX_LISTED_VERSIONS, GraphVersion
from ..store.store import Store
from ..store.view import ResultTerm, select_solutions, serialize_values_block
from ..text import natural_sort_key

MAX_LISTED_GRAPHS = 1000
MAX_GRAPH_THINGS = 500
RULE_COMMENT_PATTERN = re.compile(r"(?:#.*\n)+")
SENTENCE_PATTERN = re.compile(r".+?\.(?=\s|$)")


@dataclass(frozen=True)
class GraphView:
    """What a page says about a graph; `iri` is None for the default graph.

    `things` are the IRIs that it describes, at most MAX_GRAPH_THINGS of the `total`, in the order of their
    names; `labels` those of the IRIs that have one. `rules` say by what its statements follow, where they do.
    """

    iri: str | None
    title: ox.Literal
    descriptions: list[ResultTerm]
    sources: list[ResultTerm]
    licenses: list[ResultTerm]
    size: int
    things: list[str]
    total: int
    labels: dict[str, ox.Literal]
    rules: list[str]


def render_graphs_page(store: Store, base: str) -> bytes:
    """The page of all named graphs: the first MAX_LISTED_GRAPHS, with their titles and sizes."""
    iris = store.graphs()
    shown = iris[:MAX_LISTED_GRAPHS]
    pattern = f"{{ VALUES ?g {{ {serialize_values_block(shown)} }} GRAPH ?g {{ ?s ?p ?o }} }}"
    counted = select_solutions(store, f"SELECT ?g (COUNT(*) AS ?n) {pattern} GROUP BY ?g")
    sizes = dict.fromkeys(shown, 0) | {row["g"].value: int(row["n"].value) for row in counted}
    return render_template(
        "graphs.html", base=base, sizes=sizes, total=len(iris), labels=find_labels(store, shown, liked())
    )


def render_graph_page(  # noqa: PLR0913 - what the page consists of
    store: Store,
    iri: str | None,
    base: str,
    versions: Sequence[GraphVersion] = (),
    *,
    markup: object = None,
    ranges: tuple[str, ...] = (),
) -> bytes:
    """The page of one graph, with the last of its versions, and what it tells search engines.

    Things are called by the language ranges that its reader likes.
    """
    path = graph_path(iri, base)
    formats = [(one.title, path_in_format(path, one.media_type)) for one in GRAPH_FORMATS]
    return render_template(
        "graph.html",
        base=base,
        graph=build_graph_view(store, iri, base, ranges),
        formats=formats,
        versions=versions[-MAX_LISTED_VERSIONS:],
        every=(add_url_parameters(path, [("versions", None)]), len(versions)),
        markup=markup,
    )


def build_graph_view(store: Store, iri: str | None, base: str, ranges: tuple[str, ...] = ()) -> GraphView:
    """What the page of one graph shows."""
    statements = "{ ?s ?p ?o }" if iri is None else f"{{ GRAPH <{iri}> {{ ?s ?p ?o }} }}"
    described = f"{{ {statements} FILTER(isIRI(?s){'' if iri is None else f' && ?s != <{iri}>'}) }}"
    found = select_solutions(store, f"SELECT DISTINCT ?s {described} LIMIT {MAX_GRAPH_THINGS}", union=False)
    things = [row["s"].value for row in found]
    sources, licenses = (
        graph_property_values(store, iri, "source"),
        graph_property_values(store, iri, "license"),
    )
    ends = [one.value for one in (*sources, *licenses) if isinstance(one, ox.NamedNode)]
    named = anchor_labels(things, base) | find_labels(
        store, [*things, *ends, *([iri] if iri else [])], ranges
    )
    return GraphView(
        iri,
        graph_title(iri, named),
        descriptions=graph_property_values(store, iri, "description"),
        sources=sources,
        licenses=licenses,
        size=select_count(store, f"(COUNT(*) AS ?n) {statements}"),
        things=sorted(things, key=lambda one: natural_sort_key(named[one].value if one in named else one)),
        total=select_count(store, f"(COUNT(DISTINCT ?s) AS ?n) {described}"),
        labels=named,
        rules=rule_summaries(read_inference_rules()) if iri == f"{base}graph/inferred" else [],
    )


def anchor_labels(iris: Iterable[str], base: str) -> dict[str, ox.Literal]:
    """What things are called by their place on a page of ours, where no prefix makes their IRIs short."""
    return {
        one: ox.Literal(iri_fragment(one))
        for one in iris
        if one.startswith(base) and iri_fragment(one) and shorten_iri(one, base) == one
    }


def graph_title(iri: str | None, named: dict[str, ox.Literal]) -> ox.Literal:
    """What a graph is called."""
    if iri is None:
        return ox.Literal(gettext("Default graph"))
    return named[iri] if iri in named else ox.Literal(words_of_iri(iri).capitalize())


def graph_property_values(store: Store, iri: str | None, name: str) -> list[ResultTerm]:
    """What any graph says about this one by a property of DCTERMS."""
    if iri is None:
        return []
    found = select_solutions(
        store, f"SELECT DISTINCT ?o {{ <{iri}> <{DCTERMS_NAMESPACE}{name}> ?o }} ORDER BY ?o"
    )
    return [row["o"] for row in found]


def select_count(store: Store, counted: str) -> int:
    """The number that a query selects as `?n`, the unnamed graph being the default one."""
    return int(select_solutions(store, f"SELECT {counted}", union=False)[0]["n"].value)


def rule_summaries(texts: Iterable[str]) -> list[str]:
    """The first sentence of the comment with which each rule begins."""
    found = []
    for text in texts:
        comment = RULE_COMMENT_PATTERN.match(text)
        words_ = " ".join(line.strip("# ") for line in comment[0].splitlines()) if comment else ""
        found += [sentence[0] for sentence in [SENTENCE_PATTERN.match(words_)] if sentence]
    return found
