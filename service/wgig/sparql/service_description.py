"""What the service says about itself (SPARQL 1.1 Service Description): only what is so."""

from collections.abc import Iterator
from urllib.parse import quote

import pyoxigraph as ox
from fastapi import Request, Response

from ..http.bodies import Pairs, parameters
from ..http.parameters import only
from ..http.responses import answer, pick
from ..pages.rendering import render
from ..problems import Problem
from ..rdf.formats import GRAPHS, HTML, SOLUTIONS, Format
from ..rdf.serialization import serialize, term
from ..settings import Settings
from ..store.store import Store

OPERATION = {"query", "update", "default-graph-uri", "named-graph-uri"}
TYPE, SIZE = term("rdf:type"), term("void:triples")


def is_description(pairs: Pairs) -> bool:
    """Whether a request asks for no operation, and so for the description."""
    return not any(key in OPERATION for key, _ in pairs)


def describe_service(request: Request, format_: Format) -> Response:
    """The description of the query service."""
    settings: Settings = request.app.state.settings
    endpoint = str(request.url.replace(query=""))
    triples = described(request, endpoint, "SPARQL11Query")
    return answer(request, serialize(triples, format_, settings.base), format_)


def describe_update(request: Request) -> Response:
    """The description of the update service, or a page for a browser."""
    settings: Settings = request.app.state.settings
    if not is_description(parameters(request)):
        raise Problem(
            400,
            "An operation was sent by GET to the update service. Send an update by POST, a query to /sparql.",
        )
    only(request, ("_mediatype",))
    format_ = pick(request, (*GRAPHS, HTML))
    if format_ is HTML:
        formats = [(one.title, one.media_type) for one in GRAPHS]
        page = render(
            "update.html", base=settings.base, is_open=request.app.state.tokens.is_open, formats=formats
        )
        # Tokens come and go without a write, and what is kept is kept until the next one.
        return answer(request, page, HTML, headers={"Cache-Control": "no-store"})
    endpoint = str(request.url.replace(query=""))
    triples = described(request, endpoint, "SPARQL11Update")
    return answer(request, serialize(triples, format_, settings.base), format_)


def described(request: Request, endpoint: str, language: str) -> list[ox.Triple]:
    """The service at the URL `endpoint`, and the dataset behind it."""
    settings: Settings = request.app.state.settings
    request.app.state.store.catch_up()
    return [
        *service(endpoint, language, settings),
        *dataset(endpoint, request.app.state.store, settings.base),
    ]


def sd(name: str) -> ox.NamedNode:
    """A term of the vocabulary for service descriptions."""
    return term(f"sd:{name}")


def service(endpoint: str, language: str, settings: Settings) -> Iterator[ox.Triple]:
    """The service at the URL `endpoint`: its language, formats and features."""
    node = ox.NamedNode(endpoint)  # clients look for what is said of the address that they asked
    yield ox.Triple(node, TYPE, sd("Service"))
    yield ox.Triple(node, sd("endpoint"), node)
    yield ox.Triple(node, sd("supportedLanguage"), sd(language))
    yield ox.Triple(node, sd("feature"), sd("EmptyGraphs"))
    if settings.default_graph == "union":
        yield ox.Triple(node, sd("feature"), sd("UnionDefaultGraph"))
    if settings.allow:
        yield ox.Triple(node, sd("feature"), sd("BasicFederatedQuery"))
    if language == "SPARQL11Query":
        for one in (*SOLUTIONS, *GRAPHS):
            yield ox.Triple(node, sd("resultFormat"), ox.NamedNode(one.iri))
    for role in ("defaultDataset", "availableGraphs"):
        yield ox.Triple(node, sd(role), ox.NamedNode(f"{endpoint}#dataset"))


def dataset(endpoint: str, store: Store, base: str) -> Iterator[ox.Triple]:
    """The dataset behind the URL `endpoint`: a default graph, and the named graphs with their sizes."""
    node, default = ox.NamedNode(f"{endpoint}#dataset"), ox.NamedNode(f"{endpoint}#default-graph")
    yield ox.Triple(node, TYPE, sd("Dataset"))
    yield ox.Triple(node, TYPE, sd("GraphCollection"))
    yield ox.Triple(node, sd("defaultGraph"), default)
    yield ox.Triple(default, TYPE, sd("Graph"))
    for iri in store.graphs():
        graph, name = ox.NamedNode(f"{endpoint}#{quote(iri, safe='')}"), ox.NamedNode(iri)
        yield ox.Triple(node, sd("namedGraph"), graph)
        yield ox.Triple(graph, TYPE, sd("NamedGraph"))
        yield ox.Triple(graph, sd("name"), name)
        for one in store.triples(f"{base}graph/void", name, SIZE):
            yield ox.Triple(graph, SIZE, one.object)
