"""The service description of /sparql and /update (SPARQL 1.1 Service Description)."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import quote

import pyoxigraph as ox
from fastapi import Query, Request, Response

from ..http.bodies import Pairs, get_query_parameters
from ..http.dependencies import TokensDep
from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_media_type
from ..http.responses import NO_STORE_HEADERS, respond_with_body
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.rendering import render_template
from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS, HTML, SOLUTION_FORMATS, Format
from ..rdf.namespaces import RDF_TYPE, VOID_TRIPLES, expand_curie
from ..rdf.serialization import serialize_triples
from ..settings import Settings
from ..store.store import Store

# A request with one of these is a query or an update.
OPERATION_PARAMETERS = {"query", "update", "default-graph-uri", "named-graph-uri"}


def is_description_request(pairs: Pairs) -> bool:
    """Whether a request is for the service description, as it has no query, update or dataset."""
    return not any(key in OPERATION_PARAMETERS for key, _ in pairs)


def describe_service(context: RequestContext, format_: Format) -> Response:
    """The response with the description of the query service."""
    settings = context.settings
    endpoint = str(context.request.url.replace(query=""))
    triples = build_service_description(context, endpoint, "SPARQL11Query")
    return respond_with_body(context.request, serialize_triples(triples, format_, settings.base), format_)


async def refuse_operation(request: Request) -> None:
    """Raises Problem 400 for a query or an update that is sent by GET to the update service."""
    if not is_description_request(get_query_parameters(request)):
        raise Problem(
            400,
            "This is the update service. Send updates by POST, and queries to /sparql.",
        )


class UpdateDescriptionParameters(ParameterModel):
    """Query parameters of GET /update."""

    media_type: Text = describe_media_type((*GRAPH_FORMATS, HTML))


UPDATE_PAGE_OPERATION = Operation(
    name="getUpdateService", formats=(*GRAPH_FORMATS, HTML), early_dependencies=(refuse_operation,)
)


def get_update(
    context: ContextDep, tokens: TokensDep, parameters: Annotated[UpdateDescriptionParameters, Query()]
) -> Response:
    """The description of the update service, or an HTML page for browsers."""
    request = context.request
    settings = context.settings
    format_ = choose_response_format(request, (*GRAPH_FORMATS, HTML), parameters.media_type)
    if format_ is HTML:
        formats = [(graph_format.title, graph_format.media_type) for graph_format in GRAPH_FORMATS]
        # Without tokens, nobody can write.
        page = render_template("update.html", base=settings.base, is_open=tokens.has_tokens, formats=formats)
        # A cached page is valid until the next write. This page depends on tokens, which change without a
        # write.
        return respond_with_body(request, page, HTML, headers=NO_STORE_HEADERS)
    endpoint = str(request.url.replace(query=""))
    triples = build_service_description(context, endpoint, "SPARQL11Update")
    return respond_with_body(request, serialize_triples(triples, format_, settings.base), format_)


def build_service_description(context: RequestContext, endpoint: str, language: str) -> list[ox.Triple]:
    """The triples about the service at the URL `endpoint` and about its dataset."""
    settings = context.settings
    context.store.flush_descriptions()  # which have the sizes of the graphs
    return [
        *iter_service_triples(endpoint, language, settings),
        *iter_service_dataset_triples(endpoint, context.store, settings.base),
    ]


def sd_term(name: str) -> ox.NamedNode:
    """A term of the service description vocabulary."""
    return expand_curie(f"sd:{name}")


def iter_service_triples(endpoint: str, language: str, settings: Settings) -> Iterator[ox.Triple]:
    """The triples about the service at the URL `endpoint`: its language, formats and features."""
    node = ox.NamedNode(endpoint)  # clients look for statements on the URL that they requested
    yield ox.Triple(node, RDF_TYPE, sd_term("Service"))
    yield ox.Triple(node, sd_term("endpoint"), node)
    yield ox.Triple(node, sd_term("supportedLanguage"), sd_term(language))
    yield ox.Triple(node, sd_term("feature"), sd_term("EmptyGraphs"))
    if settings.default_graph == "union":
        yield ox.Triple(node, sd_term("feature"), sd_term("UnionDefaultGraph"))
    if settings.allow:
        yield ox.Triple(node, sd_term("feature"), sd_term("BasicFederatedQuery"))
    if language == "SPARQL11Query":
        for format_ in (*SOLUTION_FORMATS, *GRAPH_FORMATS):
            yield ox.Triple(node, sd_term("resultFormat"), ox.NamedNode(format_.iri))
    for role in ("defaultDataset", "availableGraphs"):
        yield ox.Triple(node, sd_term(role), ox.NamedNode(f"{endpoint}#dataset"))


def iter_service_dataset_triples(endpoint: str, store: Store, base: str) -> Iterator[ox.Triple]:
    """The triples about the dataset of a service: a default graph, and the named graphs with their sizes."""
    node, default_graph = ox.NamedNode(f"{endpoint}#dataset"), ox.NamedNode(f"{endpoint}#default-graph")
    yield ox.Triple(node, RDF_TYPE, sd_term("Dataset"))
    yield ox.Triple(node, RDF_TYPE, sd_term("GraphCollection"))
    yield ox.Triple(node, sd_term("defaultGraph"), default_graph)
    yield ox.Triple(default_graph, RDF_TYPE, sd_term("Graph"))
    for iri in store.graphs():
        graph, name = ox.NamedNode(f"{endpoint}#{quote(iri, safe='')}"), ox.NamedNode(iri)
        yield ox.Triple(node, sd_term("namedGraph"), graph)
        yield ox.Triple(graph, RDF_TYPE, sd_term("NamedGraph"))
        yield ox.Triple(graph, sd_term("name"), name)
        for triple in store.triples(f"{base}graph/void", name, VOID_TRIPLES):
            yield ox.Triple(graph, VOID_TRIPLES, triple.object)
