"""The graphs, to read: their list, each of them, all of them as a dump (Graph Store Protocol, 5.2)."""

import gzip
import json

from fastapi import Request, Response

from .about.portrait import NAMES
from .answers import Bounded, TooLargeError, answer, pick
from .bodies import Pairs, parameters, values
from .describe import dataset
from .formats import DATASETS, GRAPHS, HTML, JSON, Format, named
from .namespaces import namespaces
from .pages.graph import graph_page, list_page
from .problems import Problem
from .rdf import serialize, used_prefixes
from .records import mementos
from .settings import Settings
from .sparql import absolute
from .store import Store

GZIP = Format("application/gzip", "gz", "gzip")
COMPRESSED = ".gz"


def read_graphs(request: Request) -> Response:
    """The graph named by `?graph=` or `?default`, or the list of graphs."""
    pairs = parameters(request)
    if any(key in ("graph", "default") for key, _ in pairs):
        return content(request, asked_graph(request, pairs))
    settings: Settings = request.app.state.settings
    store: Store = request.app.state.store
    format_ = pick(request, (*GRAPHS, HTML, JSON))
    store.catch_up()
    if format_ is HTML:
        return answer(request, list_page(store, settings.base), HTML)
    if format_ is JSON:
        return answer(request, json.dumps({"graphs": store.graphs()}, ensure_ascii=False).encode(), JSON)
    triples = dataset(str(request.url.replace(query="")), store, settings.base)
    return answer(request, serialize(triples, format_, settings.base), format_)


def read_graph(request: Request, name: str) -> Response:
    """The graph of this address."""
    return content(request, graph_iri(request, name))


def content(request: Request, graph: str | None) -> Response:
    """The triples of one graph, now or in an old version, or a page about it; None is the default graph.

    Raises Problem 404.
    """
    store: Store = request.app.state.store
    pairs = parameters(request)
    if any(key == "versions" for key, _ in pairs):
        return mementos.timemap(request, graph)
    if names := values(pairs, "version"):
        return mementos.memento(request, graph, names[0])
    if elsewhere := mementos.of_its_time(request, graph):
        return elsewhere
    if graph in {f"{request.app.state.settings.base}graph/{name}" for name in NAMES}:
        store.catch_up()
    if not store.has(graph):
        raise missing(graph)
    format_ = pick(request, (*GRAPHS, HTML))
    if format_ is HTML:
        versions = mementos.versions(request, graph)
        body = graph_page(store, graph, request.app.state.settings.base, versions)
    else:
        body = written(request, graph, format_)
    links = ['</graphs>; rel="collection"', *mementos.links(request, graph)]
    return answer(request, body, format_, links=links, headers={"Vary": mementos.VARY})


def written(request: Request, graph: str | None, format_: Format) -> bytes:
    """One graph in an RDF format, with the prefixes that it can use."""
    store: Store = request.app.state.store
    prefixes = used_prefixes(store.triples(graph), request.app.state.settings.base)
    return store.graph(graph, format_.media_type, prefixes)


def dump(request: Request, suffix: str) -> Response:
    """All graphs as one file: `nq` or `trig`, each with `.gz` too."""
    settings: Settings = request.app.state.settings
    try:
        format_ = named(suffix.removesuffix(COMPRESSED), DATASETS)
    except Problem as problem:
        raise Problem(
            404, "There is no such dump. Take /dump.nq.gz, /dump.trig.gz, /dump.nq or /dump.trig."
        ) from problem
    out = Bounded(settings.result_bytes)
    request.app.state.store.catch_up()
    try:
        request.app.state.store.dump(out, format_.media_type, namespaces(settings.base))
    except TooLargeError as error:
        raise Problem(
            503, "The dump is too large for one answer. Take the graphs of /graphs one by one."
        ) from error
    if suffix.endswith(COMPRESSED):
        return answer(request, gzip.compress(out.getvalue(), mtime=0), GZIP)
    return answer(request, out.getvalue(), format_)


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
