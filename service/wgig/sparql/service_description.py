"""What the service says about itself (SPARQL 1.1 Service Description): only what is so."""

from collections.abc import Iterator
from urllib.parse import quote

import pyoxigraph as ox
from fastapi import Response

from ..http.bodies import Pairs, get_query_parameters
from ..http.dependencies import TokensDep
from ..http.negotiation import choose_response_format
from ..http.parameters import check_query_parameters
from ..http.responses import NO_STORE_HEADERS, respond_with_body
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.rendering import render_template
from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS, HTML, SOLUTION_FORMATS, Format
from ..rdf.namespaces import RDF_TYPE, VOID_TRIPLES, expand_curie
from ..rdf.serialization import serialize_triples
from ..settings import Settings
from ..store.store import Store

OPERATION_PARAMETERS = {"query", "update", "default-graph-uri", "named-graph-uri"}


def is_description_request(pairs: Pairs) -> bool:
    """Whether a request asks for no operation, and so for the description."""
    return not any(key in OPERATION_PARAMETERS for key, _ in pairs)


def describe_service(context: RequestContext, format_: Format) -> Response:
    """The description of the query service."""
    settings = context.settings
    endpoint = str(context.request.url.replace(query=""))
    triples = build_service_description(context, endpoint, "SPARQL11Query")
    return respond_with_body(context.request, serialize_triples(triples, format_, settings.base), format_)


def get_update(context: ContextDep, tokens: TokensDep) -> Response:
    """The description of the update service, or a page for a browser."""
    request = context.request
    settings = context.settings
    if not is_description_request(get_query_parameters(request)):
        raise Problem(
            400,
            "An operation was sent by GET to the update service. Send an update by POST, a query to /sparql.",
        )
    check_query_parameters(request, ("_mediatype",))
    format_ = choose_response_format(request, (*GRAPH_FORMATS, HTML))
    if format_ is HTML:
        formats = [(one.title, one.media_type) for one in GRAPH_FORMATS]
        page = render_template("update.html", base=settings.base, is_open=tokens.has_tokens, formats=formats)
        # Tokens come and go without a write, and what is kept is kept until the next one.
        return respond_with_body(request, page, HTML, headers=NO_STORE_HEADERS)
    endpoint = str(request.url.replace(query=""))
    triples = build_service_description(context, endpoint, "SPARQL11Update")
    return respond_with_body(request, serialize_triples(triples, format_, settings.base), format_)


def build_service_description(context: RequestContext, endpoint: str, language: str) -> list[ox.Triple]:
    """The service at the URL `endpoint`, and the dataset behind it."""
    settings = context.settings
    context.store.flush_descriptions()
    return [
        *iter_service_triples(endpoint, language, settings),
        *iter_service_dataset_triples(endpoint, context.store, settings.base),
    ]


def sd_term(name: str) -> ox.NamedNode:
    """A term of the vocabulary for service descriptions."""
    return expand_curie(f"sd:{name}")


def iter_service_triples(endpoint: str, language: str, settings: Settings) -> Iterator[ox.Triple]:
    """The service at the URL `endpoint`: its language, formats and features."""
    node = ox.NamedNode(endpoint)  # clients look for what is said of the address that they asked
    yield ox.Triple(node, RDF_TYPE, sd_term("Service"))
    yield ox.Triple(node, sd_term("endpoint"), node)
    yield ox.Triple(node, sd_term("supportedLanguage"), sd_term(language))
    yield ox.Triple(node, sd_term("feature"), sd_term("EmptyGraphs"))
    if settings.default_graph == "union":
        yield ox.Triple(node, sd_term("feature"), sd_term("UnionDefaultGraph"))
    if settings.allow:
        yield ox.Triple(node, sd_term("feature"), sd_term("BasicFederatedQuery"))
    if language == "SPARQL11Query":
        for one in (*SOLUTION_FORMATS, *GRAPH_FORMATS):
            yield ox.Triple(node, sd_term("resultFormat"), ox.NamedNode(one.iri))
    for role in ("defaultDataset", "availableGraphs"):
        yield ox.Triple(node, sd_term(role), ox.NamedNode(f"{endpoint}#dataset"))


def iter_service_dataset_triples(endpoint: str, store: Store, base: str) -> Iterator[ox.Triple]:
    """The dataset behind the URL `endpoint`: a default graph, and the named graphs with their sizes."""
    node, default = ox.NamedNode(f"{endpoint}#dataset"), ox.NamedNode(f"{endpoint}#default-graph")
    yield ox.Triple(node, RDF_TYPE, sd_term("Dataset"))
    yield ox.Triple(node, RDF_TYPE, sd_term("GraphCollection"))
    yield ox.Triple(node, sd_term("defaultGraph"), default)
    yield ox.Triple(default, RDF_TYPE, sd_term("Graph"))
    for iri in store.graphs():
        graph, name = ox.NamedNode(f"{endpoint}#{quote(iri, safe='')}"), ox.NamedNode(iri)
        yield ox.Triple(node, sd_term("namedGraph"), graph)
        yield ox.Triple(graph, RDF_TYPE, sd_term("NamedGraph"))
        yield ox.Triple(graph, sd_term("name"), name)
        for one in store.triples(f"{base}graph/void", name, VOID_TRIPLES):
            yield ox.Triple(graph, VOID_TRIPLES, one.object)
