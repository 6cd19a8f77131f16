"""The named graphs as pages: their list, and one of them with what it describes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from ..http.language import gettext
from ..http.language import ranges as liked
from ..pages.rendering import anchor, graph_path, in_format, render, words
from ..rdf.formats import GRAPHS
from ..rdf.namespaces import OUTSIDE, short
from ..rdf.shipped import rules
from ..resources.labels import labels
from ..store.history import Version
from ..store.store import Store
from ..store.view import Term, rows, values
from ..text import natural

LISTED = 1000
THINGS = 500
VERSIONS = 20
DCTERMS = OUTSIDE["dcterms"]
COMMENT = re.compile(r"(?:#.*\n)+")
SENTENCE = re.compile(r".+?\.(?=\s|$)")


@dataclass(frozen=True)
class Graph:
    """What a page says about a graph; `iri` is None for the default graph.

    `things` are the IRIs that it describes, at most THINGS of the `total`, in the order of their names;
    `labels` those of the IRIs that have one. `rules` say by what its statements follow, where they do.
    """

    iri: str | None
    title: ox.Literal
    descriptions: list[Term]
    sources: list[Term]
    licenses: list[Term]
    size: int
    things: list[str]
    total: int
    labels: dict[str, ox.Literal]
    rules: list[str]


def list_page(store: Store, base: str) -> bytes:
    """The page of all named graphs: the first LISTED, with their titles and sizes."""
    iris = store.graphs()
    shown = iris[:LISTED]
    pattern = f"{{ VALUES ?g {{ {values(shown)} }} GRAPH ?g {{ ?s ?p ?o }} }}"
    counted = rows(store, f"SELECT ?g (COUNT(*) AS ?n) {pattern} GROUP BY ?g")
    sizes = dict.fromkeys(shown, 0) | {row["g"].value: int(row["n"].value) for row in counted}
    return render(
        "graphs.html", base=base, sizes=sizes, total=len(iris), labels=labels(store, shown, liked())
    )


def graph_page(  # noqa: PLR0913 - what the page consists of
    store: Store,
    iri: str | None,
    base: str,
    versions: Sequence[Version] = (),
    *,
    markup: object = None,
    ranges: tuple[str, ...] = (),
) -> bytes:
    """The page of one graph, with the last of its versions, and what it tells search engines.

    Things are called by the language ranges that its reader likes.
    """
    path = graph_path(iri, base)
    formats = [(one.title, in_format(path, one.media_type)) for one in GRAPHS]
    begin = f"{path}{'&' if '?' in path else '?'}version"
    return render(
        "graph.html",
        base=base,
        graph=view(store, iri, base, ranges),
        formats=formats,
        versions=versions[-VERSIONS:],
        every=(f"{begin}s", len(versions)),
        markup=markup,
    )


def view(store: Store, iri: str | None, base: str, ranges: tuple[str, ...] = ()) -> Graph:
    """What the page of one graph shows."""
    statements = "{ ?s ?p ?o }" if iri is None else f"{{ GRAPH <{iri}> {{ ?s ?p ?o }} }}"
    described = f"{{ {statements} FILTER(isIRI(?s){'' if iri is None else f' && ?s != <{iri}>'}) }}"
    found = rows(store, f"SELECT DISTINCT ?s {described} LIMIT {THINGS}", union=False)
    things = [row["s"].value for row in found]
    sources, licenses = said(store, iri, "source"), said(store, iri, "license")
    ends = [one.value for one in (*sources, *licenses) if isinstance(one, ox.NamedNode)]
    named = by_place(things, base) | labels(store, [*things, *ends, *([iri] if iri else [])], ranges)
    return Graph(
        iri,
        title(iri, named),
        descriptions=said(store, iri, "description"),
        sources=sources,
        licenses=licenses,
        size=count(store, f"(COUNT(*) AS ?n) {statements}"),
        things=sorted(things, key=lambda one: natural(named[one].value if one in named else one)),
        total=count(store, f"(COUNT(DISTINCT ?s) AS ?n) {described}"),
        labels=named,
        rules=meanings(rules()) if iri == f"{base}graph/inferred" else [],
    )


def by_place(iris: Iterable[str], base: str) -> dict[str, ox.Literal]:
    """What things are called by their place on a page of ours, where no prefix makes their IRIs short."""
    return {
        one: ox.Literal(anchor(one))
        for one in iris
        if one.startswith(base) and anchor(one) and short(one, base) == one
    }


def title(iri: str | None, named: dict[str, ox.Literal]) -> ox.Literal:
    """What a graph is called."""
    if iri is None:
        return ox.Literal(gettext("Default graph"))
    return named[iri] if iri in named else ox.Literal(words(iri).capitalize())


def said(store: Store, iri: str | None, name: str) -> list[Term]:
    """What any graph says about this one by a property of DCTERMS."""
    if iri is None:
        return []
    found = rows(store, f"SELECT DISTINCT ?o {{ <{iri}> <{DCTERMS}{name}> ?o }} ORDER BY ?o")
    return [row["o"] for row in found]


def count(store: Store, counted: str) -> int:
    """The number that a query selects as `?n`, the unnamed graph being the default one."""
    return int(rows(store, f"SELECT {counted}", union=False)[0]["n"].value)


def meanings(texts: Iterable[str]) -> list[str]:
    """The first sentence of the comment with which each rule begins."""
    found = []
    for text in texts:
        comment = COMMENT.match(text)
        words_ = " ".join(line.strip("# ") for line in comment[0].splitlines()) if comment else ""
        found += [sentence[0] for sentence in [SENTENCE.match(words_)] if sentence]
    return found
