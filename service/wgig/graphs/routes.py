"""The graphs, to read: their list, and each of them (Graph Store Protocol, 5.2)."""

import json
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice

import pyoxigraph as ox
from fastapi import Request, Response

from ..http import language
from ..http.bodies import Pairs, parameters, values
from ..http.language import ranges
from ..http.parameters import host, only
from ..http.responses import answer, pick
from ..pages.rendering import graph_path
from ..problems import Problem
from ..rdf.formats import GRAPHS, HTML, JSON, JSON_LD, Format
from ..rdf.namespaces import NAMES, OUTSIDE
from ..rdf.serialization import UnfitError, serialize, used_prefixes
from ..rdf.sparql_lexer import absolute
from ..resources.alternates import Subject, alternates, common
from ..resources.description import TYPE, about
from ..resources.labels import labels, license_of
from ..resources.mappings import markup
from ..resources.negotiation import PARAMETERS, Wish, wish
from ..resources.representation import SUFFIXED, graph_body, represent, show
from ..settings import Settings
from ..sparql.service_description import dataset
from ..store import history
from ..store.history import History
from ..store.store import Store
from . import versions
from .page import graph_page, list_page, title
from .versions import difference

COMPACTED = 20_000  # statements of JSON-LD with a context, which takes twenty times as long
NARROWED = 200_000  # statements of which those in other languages are left out
READABLE = (*GRAPHS, HTML)
NAMES_OF_ONE = ("graph", "default")
EXCLUSIVE = ("version", "versions", "changes")
VERSIONS = (*EXCLUSIVE, "about")
CHANGED = 1000  # statements that a page of changes shows of those that came, and of those that went
GRAPH = ox.NamedNode(f"{OUTSIDE['sd']}NamedGraph")


def read_graphs(request: Request) -> Response:
    """The graph named by `?graph=` or `?default`, or the list of graphs."""
    pairs = only(request, (*NAMES_OF_ONE, *VERSIONS, *PARAMETERS))
    if any(key != "_mediatype" for key, _ in pairs):
        return content(request, asked_graph(request, pairs), NAMES_OF_ONE)
    settings: Settings = request.app.state.settings
    store: Store = request.app.state.store
    formats = (*GRAPHS, HTML, JSON)
    format_ = pick(request, formats)
    links = [*alternates("/graphs", formats, format_), *common()]
    store.catch_up()
    if format_ is HTML:
        return answer(request, list_page(store, settings.base), HTML, links=links)
    if format_ is JSON:
        body = json.dumps({"graphs": store.graphs()}, ensure_ascii=False).encode()
        return answer(request, body, JSON, links=links)
    triples = dataset(str(request.url.replace(query="")), store, settings.base)
    return answer(request, serialize(triples, format_, settings.base), format_, links=links)


def read_graph(request: Request, name: str) -> Response:
    """The graph of this address, or the one before the ending that names a format."""
    store: Store = request.app.state.store
    graph, suffixed = graph_iri(request, name), SUFFIXED.fullmatch(name)
    if suffixed and not store.has(graph):
        whole = graph_iri(request, suffixed["path"])
        if store.has(whole):
            return content(request, whole, suffix=suffixed["suffix"])
    return content(request, graph)


def content(request: Request, graph: str | None, names: Sequence[str] = (), suffix: str = "") -> Response:
    """The triples of one graph, now or in an old version, or a page about it; None is the default graph.

    `names` are the parameters that may name it, `suffix` the format that its address ends in. Raises Problem
    404, 400 for parameters of something else.
    """
    given = dict(parameters(request))
    several = [key for key in EXCLUSIVE if key in given]
    if len(several) > 1:
        raise Problem(400, f"The parameters {' and '.join(several)} exclude each other. Give one of them.")
    for key, old in (("versions", versions.timemap), ("version", versions.memento)):
        if key in given:  # which are there in no profile
            only(request, (*names, key, "_mediatype"))
            demand(request, graph)
            return old(request, graph)
    if "changes" in given:
        only(request, (*names, "changes", "about", "_mediatype"))
        demand(request, graph)
        return changed(request, graph)
    if elsewhere := versions.of_its_time(request, graph):
        only(request, (*names, "_mediatype"))
        return elsewhere
    asked = wish(request, READABLE, suffix, (*names, *VERSIONS))
    if "about" in given:
        raise Problem(400, "The parameter about goes with changes, which names a version of the graph.")
    if not is_there(request, graph):
        raise missing(graph)
    subject = graph_subject(request, graph, asked)
    more = ['</graphs>; rel="collection"', *versions.links(request, graph)]
    return represent(request, asked, subject, more=more, headers={"Vary": versions.VARY})


def is_there(request: Request, graph: str | None) -> bool:
    """Whether there is such a graph now; that of the history is there before the first write."""
    store: Store = request.app.state.store
    history: History | None = request.app.state.history
    if graph in {f"{request.app.state.settings.base}graph/{name}" for name in NAMES}:
        store.catch_up()
    return store.has(graph) or (history is not None and graph == history.graph.value)


def demand(request: Request, graph: str | None) -> None:
    """Raises Problem 404 where there neither is nor was such a graph."""
    if not is_there(request, graph) and not history.versions(request, graph):
        raise missing(graph)


def changed(request: Request, graph: str | None) -> Response:
    """What a version of a graph changed, of all or of one thing. Raises Problem 404, 406."""
    store, base = request.app.state.store, request.app.state.settings.base
    format_ = pick(request, (JSON, HTML))
    found = difference(request, graph)
    if format_ is JSON:
        names = {"from": found.before and found.before.name, "to": found.after.name}
        body = json.dumps({**names, "removed": found.gone, "added": found.come}, ensure_ascii=False).encode()
        return answer(request, body, JSON)
    page = show(
        request,
        "changes.html",
        title=title(graph, labels(store, [graph] if graph else [], ranges())),
        path=graph_path(graph, base),
        found=found,
        about=next(iter(values(parameters(request), "about")), ""),
        most=CHANGED,
    )
    return answer(request, page, HTML)


def graph_subject(request: Request, graph: str | None, asked: Wish) -> Subject:
    """A graph, which our own profile gives itself, and others describe as a dataset."""
    base: str = request.app.state.settings.base
    path = graph_path(graph, base)
    iri = graph or base.rstrip("/") + path
    narrowed = narrow(request, graph, asked) if asked.languages.only else None

    def write(format_: Format) -> bytes:
        if format_ is HTML:
            page = host(request).rstrip("/") + path
            block = graph and markup(iri, page, told(request, iri), asked.languages.ranges, base)
            versions = history.versions(request, graph)
            ranges = asked.languages.ranges
            return graph_page(request.app.state.store, graph, base, versions, markup=block, ranges=ranges)
        if narrowed is not None:
            return graph_body(request, narrowed, format_)
        return written(request, graph, format_)

    types = frozenset((GRAPH.value,)) if graph else None
    license_ = license_of(request.app.state.store, [graph])
    return Subject(
        iri, path, lambda: told(request, iri), write, types, READABLE, suffixed=False, license=license_
    )


def narrow(request: Request, graph: str | None, asked: Wish) -> list[ox.Triple]:
    """The triples of a graph, with texts in the languages that are asked for. Raises Problem 406, 503."""
    triples = list(islice(request.app.state.store.triples(graph), NARROWED + 1))
    if len(triples) > NARROWED:
        raise Problem(503, f"More than {NARROWED} statements are not sorted by language. Ask without lang.")
    return language.as_asked(triples, asked.languages)


def told(request: Request, iri: str) -> list[ox.Triple]:
    """What is said of a graph."""
    said = [one.triple for one in about(request.app.state.store, [iri])]
    return [*said, ox.Triple(ox.NamedNode(iri), TYPE, GRAPH)]


def written(request: Request, graph: str | None, format_: Format) -> bytes:
    """One graph in an RDF format. Raises UnfitError."""
    return in_json_ld(request, graph) if format_ is JSON_LD else in_full(request, graph, format_)


def in_json_ld(request: Request, graph: str | None) -> bytes:
    """One graph as compact JSON-LD; a large one, or one that has no such form, in full. Raises UnfitError."""
    triples = list(islice(request.app.state.store.triples(graph), COMPACTED + 1))
    if len(triples) <= COMPACTED:
        with suppress(UnfitError):
            return graph_body(request, triples, JSON_LD)
    return in_full(request, graph, JSON_LD)


def in_full(request: Request, graph: str | None, format_: Format) -> bytes:
    """One graph as the engine writes it, with the prefixes that it can use. Raises UnfitError."""
    store: Store = request.app.state.store
    prefixes = used_prefixes(store.triples(graph), request.app.state.settings.base)
    return store.graph(graph, format_.media_type, prefixes)


def asked_graph(request: Request, pairs: Pairs) -> str | None:
    """The one graph that `?graph=` or `?default` names (None: the default graph). Raises Problem 400."""
    iris, default = values(pairs, "graph"), values(pairs, "default")
    if len(iris) + len(default) != 1:
        raise Problem(400, "Name exactly one graph: /graphs?graph=<its IRI>, or /graphs?default.")
    return at_home(request, absolute(iris[0], "graph")) if iris else None


def at_home(request: Request, iri: str) -> str:
    """The IRI of the graph; an address of this host stands for the IRI below the base."""
    here = f"{request.base_url}graph/"
    return f"{request.app.state.settings.base}graph/{iri.removeprefix(here)}" if iri.startswith(here) else iri


def graph_iri(request: Request, name: str) -> str:
    """The IRI of the graph at the address /graph/<name>. Raises Problem 400."""
    return absolute(f"{request.app.state.settings.base}graph/{name}", "The graph")


def missing(graph: str | None) -> Problem:
    """The 404 for a graph."""
    return Problem(404, f"There is no graph <{graph}>. The list of graphs is at /graphs.")
