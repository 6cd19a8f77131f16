"""Sitemap, robots.txt, /.well-known/ (VoID, example queries, API catalog, security.txt), problem kinds.

VoID and the example queries are read from the graphs that `graphs.description` computes. The IRI of a kind
of problem (RFC 9457) redirects to its page, `/doc/problem/<slug>`.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated
from xml.sax.saxutils import escape

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Path, Query, Request, Response

from ..feeds.news import parse_page_number
from ..http.dependencies import SettingsDep
from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_media_type, list_parameter_names
from ..http.parameters import check_query_parameters, request_base_url
from ..http.responses import NO_STORE_HEADERS, respond_with_body
from ..lists.definitions import LIST_DEFINITIONS
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.names import INTERNAL_KINDS
from ..pages.rendering import find_href, render_template
from ..problems import PROBLEM_KINDS, Problem
from ..rdf.formats import GRAPH_FORMATS, HTML, JSON, PLAIN_TEXT, PLAIN_XML, TURTLE, Format
from ..rdf.namespaces import RDF_TYPE, expand_curie
from ..resources.dependencies import StreamDep
from ..resources.parameters import ResourceParameters
from ..resources.profiles import OWN_PROFILE_FORMATS
from ..resources.representation import serialize_graph_body
from ..resources.routes import get_resource_document
from ..resources.schemas import RepresentationList, ResourceDocument
from ..store.changelog.log import ChangeLog
from ..store.changelog.queries import LastChange, count_resources_below, list_resources_below
from ..text import append_xml_element, make_xml_element, serialize_xml_element

LINKSET_FORMAT = Format("application/linkset+json", "json", "JSON", "", ("application/json",))
API_CATALOG_FORMAT = replace(
    LINKSET_FORMAT,
    media_type=f'{LINKSET_FORMAT.media_type}; profile="https://www.rfc-editor.org/info/rfc9727"',
)
API_CATALOG_PATH = "/.well-known/api-catalog"
PAGE_INTERFACE_PATHS = (
    "sparql",
    "update",
    "graphs",
    "validate",
    "search",
    "queries",
    "papers",
    "reconcile",
    "tables",
)
INTERFACE_PATHS = (*PAGE_INTERFACE_PATHS, "changes", "cite")  # the last two are only for programs
SECURITY_TXT_VALIDITY = timedelta(days=90)  # less than the year of RFC 9116, section 2.5.5

# Properties whose values are addresses of this service. They get the host of the request.
ADDRESS_PROPERTIES = frozenset(
    expand_curie(name)
    for name in (
        "dcat:accessURL",
        "dcat:downloadURL",
        "dcat:endpointDescription",
        "dcat:endpointURL",
        "schema:target",
        "void:dataDump",
        "void:sparqlEndpoint",
    )
)

# Paths that lead robots to endless addresses without new content.
ROBOTS_DISALLOWED_PATHS = (
    "/sparql?",
    "/graphs?",
    "/search?",
    "/validate?",
    "/queries?",
    "/queries/*?",
    "/queries/running",
    "/coverage?",
    "/cite",  # and all paths below it
    "/update",
    "/*?_mediatype=",
    "/*?_profile=",
)


class DescriptionParameters(ParameterModel):
    """Query parameters of VoID and of the example queries as RDF."""

    media_type: Text = describe_media_type((*GRAPH_FORMATS, HTML))


DESCRIPTION_OPERATION = Operation(formats=(*GRAPH_FORMATS, HTML))
API_CATALOG_OPERATION = Operation(formats=(LINKSET_FORMAT,))
TEXT_OPERATION = Operation(formats=(PLAIN_TEXT,))


def get_void(context: ContextDep, parameters: Annotated[DescriptionParameters, Query()]) -> Response:
    """The figures of the dataset as VoID: partitions, linksets, named graphs. Raises Problem 404, 406."""
    document = ox.NamedNode(f"{context.base}.well-known/void")
    document_triples = [
        ox.Triple(document, RDF_TYPE, expand_curie("void:DatasetDescription")),
        ox.Triple(document, expand_curie("foaf:primaryTopic"), ox.NamedNode(f"{document.value}#dataset")),
    ]
    return respond_with_description(
        context, parameters, "void", [*document_triples, *read_description_graph(context, "void")]
    )


def get_sparql_examples(
    context: ContextDep, parameters: Annotated[DescriptionParameters, Query()]
) -> Response:
    """The example queries as RDF, by the SIB conventions, with their prefixes. Raises Problem 404, 406."""
    return respond_with_description(
        context, parameters, "queries", read_description_graph(context, "queries")
    )


def get_api_catalog(request: Request) -> Response:
    """The interfaces of this service, each with what describes it (RFC 9727)."""
    base_url = str(request.base_url)
    catalog_links = {
        "anchor": base_url + API_CATALOG_PATH.removeprefix("/"),
        "item": [{"href": base_url + path} for path in INTERFACE_PATHS],
        "describedby": [build_linkset_link(f"{base_url}catalog", TURTLE)],
    }
    link_sets = [catalog_links, *(build_interface_links(base_url, path) for path in INTERFACE_PATHS)]
    body = json.dumps({"linkset": link_sets}, indent=2).encode() + b"\n"
    return respond_with_body(
        request, body, API_CATALOG_FORMAT, links=[f'<{API_CATALOG_PATH}>; rel="api-catalog"']
    )


def build_interface_links(base_url: str, path: str) -> dict[str, object]:
    """The links from an interface to its descriptions for programs and for people (RFC 8631)."""
    return {
        "anchor": base_url + path,
        "service-desc": [build_linkset_link(f"{base_url}openapi.json", JSON)],
        "service-doc": [
            build_linkset_link(base_url + path if path in PAGE_INTERFACE_PATHS else base_url, HTML)
        ],
        "service-meta": [build_linkset_link(f"{base_url}.well-known/void", TURTLE)],
        "status": [build_linkset_link(f"{base_url}ready", JSON)],
    }


def build_linkset_link(href: str, format_: Format) -> dict[str, str]:
    """A link of a link set (RFC 9264, section 4.2.4)."""
    return {"href": href, "type": format_.media_type}


def get_security_txt(request: Request, settings: SettingsDep) -> Response:
    """Whom to tell of a weakness (RFC 9116). Raises Problem 404 while the operator names nobody."""
    contacts = settings.contact.split()
    if not contacts:
        raise Problem(404, "The operator of this service has set no security contact.")
    expires = (datetime.now(UTC) + SECURITY_TXT_VALIDITY).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [*(f"Contact: {contact}" for contact in contacts), f"Expires: {expires.isoformat()}"]
    if request.url.scheme == "https":  # other schemes are not allowed (section 2.5.2)
        lines.append(f"Canonical: {request.base_url}.well-known/security.txt")
    lines.append("")
    # The expiry date changes every day without a write.
    return respond_with_body(request, "\n".join(lines).encode(), PLAIN_TEXT, headers=NO_STORE_HEADERS)


def get_robots_txt(request: Request) -> Response:
    """What robots may read: all pages, but no endless spaces (RFC 9309), and where the sitemap is."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in ROBOTS_DISALLOWED_PATHS),
        "Allow: /",
        "",
        f"Sitemap: {request.base_url}sitemap.xml",
        "",
    ]
    return respond_with_body(request, "\n".join(lines).encode(), PLAIN_TEXT)


def respond_with_description(
    context: RequestContext, parameters: DescriptionParameters, name: str, triples: Iterable[ox.Triple]
) -> Response:
    """A description in a format of RDF; a browser is led to the page of its graph. Raises Problem 400."""
    request = context.request
    format_ = choose_response_format(request, (*GRAPH_FORMATS, HTML), parameters.media_type)
    return (
        redirect_to_graph_page(name)
        if format_ is HTML
        else respond_with_body(request, serialize_localized_triples(context, triples, format_), format_)
    )


def redirect_to_graph_page(name: str) -> Response:
    """The redirect to the page of a graph."""
    return Response(status_code=303, headers={"Location": f"/graph/{name}", "Vary": "Accept, Accept-Profile"})


def serialize_localized_triples(
    context: RequestContext, triples: Iterable[ox.Triple], format_: Format
) -> bytes:
    """The triples, with addresses on the host of the request. Raises Problem 400 for an invalid host."""
    settings = context.settings
    return serialize_graph_body(
        context, localize_addresses(triples, settings.base, request_base_url(context.request)), format_
    )


def read_description_graph(context: RequestContext, name: str) -> list[ox.Triple]:
    """The triples of one of the graphs that describe the store. Raises Problem 404 where it is empty."""
    store = context.store
    store.flush_descriptions()
    triples = list(store.triples(f"{context.base}graph/{name}"))
    if not triples:
        raise Problem(
            404, f"The store has no graph {name}: descriptions are computed only with WGIG_DATA=shipped."
        )
    return triples


def localize_addresses(triples: Iterable[ox.Triple], base: str, host: str) -> Iterator[ox.Triple]:
    """The triples, with addresses of this service on the host of the request."""
    for triple in triples:
        if triple.predicate in ADDRESS_PROPERTIES:
            address = ox.NamedNode(triple.object.value.replace(base, host, 1))  # type: ignore[union-attr]
            yield ox.Triple(triple.subject, triple.predicate, address)
        else:
            yield triple


PROBLEM_KIND_OPERATION = Operation(
    formats=OWN_PROFILE_FORMATS,
    json=ResourceDocument | RepresentationList,
    is_self_checked=True,  # by what is known under that name
)
ProblemSlug = Annotated[str, Path(description="The kind of a problem.", examples=["not-found"])]


def get_problem_kind(context: ContextDep, stream: StreamDep, slug: ProblemSlug) -> Response:
    """The page of a kind of problem, to which the `type` of a problem document leads."""
    request = context.request
    if slug not in PROBLEM_KINDS:  # then it is a thing like any other
        pairs = check_query_parameters(request, *list_parameter_names(ResourceParameters))
        parameters = ResourceParameters.model_validate(dict(pairs))
        return get_resource_document(context, stream, f"problem/{slug}", parameters)
    check_query_parameters(request)
    choose_response_format(request, (HTML,))
    page = render_template(
        "problem-kind.html", base=context.base, kind=PROBLEM_KINDS[slug], kinds=PROBLEM_KINDS
    )
    return respond_with_body(request, page, HTML)


SITEMAP_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
MAX_SITEMAP_RESOURCES = 50_000 - 100  # in a file, which may have 50,000 addresses in all
SITEMAP_PATHS = (
    "",
    *LIST_DEFINITIONS,
    "coverage",
    "queries",
    "sparql",
    "graphs",
    "ontology",
    "shapes",
    "validate",
)
UNLISTED_KINDS = INTERNAL_KINDS | {"identifier"}  # kinds of resources that are of no use in search engines


SitemapPartName = Annotated[str, Path(description="The number of a file, with .xml.", examples=["1.xml"])]
SITEMAP_OPERATION = Operation(formats=(PLAIN_XML,))


async def get_sitemap(context: ContextDep, stream: StreamDep) -> Response:
    """The pages of this service, or the list of the files that list them where they are many."""
    return await run_sync(build_sitemap_or_index, context, await stream.get_current_log())


async def get_sitemap_part(context: ContextDep, stream: StreamDep, name: SitemapPartName) -> Response:
    """One of the files that list pages. Raises Problem 400, 404."""
    number = parse_page_number(name.removesuffix(".xml"), "The number of the file")
    return await run_sync(build_sitemap_part, context, await stream.get_current_log(), name, number)


def build_sitemap_or_index(context: RequestContext, log: ChangeLog) -> Response:
    """The sitemap in one file, or the index of its files."""
    count = count_resources_below(log, resource_iri_prefix(context), UNLISTED_KINDS)
    if count <= MAX_SITEMAP_RESOURCES:
        return respond_with_sitemap(
            context,
            SITEMAP_PATHS,
            list_resources_below(log, resource_iri_prefix(context), UNLISTED_KINDS, 0, MAX_SITEMAP_RESOURCES),
        )
    root = make_xml_element("sitemapindex", xmlns=SITEMAP_NAMESPACE)
    for number in range(1, -(-count // MAX_SITEMAP_RESOURCES) + 1):
        append_xml_element(
            append_xml_element(root, "sitemap"), "loc", f"{context.request.base_url}sitemap/{number}.xml"
        )
    return respond_with_body(context.request, serialize_xml_element(root), PLAIN_XML)


def build_sitemap_part(context: RequestContext, log: ChangeLog, name: str, number: int) -> Response:
    """The file of the sitemap with this number. Raises Problem 404."""
    resources = list_resources_below(
        log,
        resource_iri_prefix(context),
        UNLISTED_KINDS,
        (number - 1) * MAX_SITEMAP_RESOURCES,
        MAX_SITEMAP_RESOURCES,
    )
    if not resources or name != f"{number}.xml":
        raise Problem(404, f"There is no sitemap {name!r}. /sitemap.xml lists all sitemaps.")
    return respond_with_sitemap(context, SITEMAP_PATHS if number == 1 else (), resources)


def respond_with_sitemap(
    context: RequestContext, paths: Iterable[str], resources: Iterable[LastChange]
) -> Response:
    """A sitemap of some paths of this service and of the pages of resources.

    It can be long, so it is written as text, which takes a tenth of the time of an XML tree.
    """
    base, base_url = context.base, str(context.request.base_url)
    lines = [
        *(f"<loc>{escape(base_url + path)}</loc>" for path in paths),
        *(
            f"<loc>{escape(f'{base_url[:-1]}{find_href(resource.iri, base)}')}</loc>"
            f"{f'<lastmod>{resource.changed_at}</lastmod>' if resource.is_time_known else ''}"
            for resource in resources
        ),
    ]
    elements = "".join(f"  <url>{line}</url>\n" for line in lines)
    start = f"<?xml version='1.0' encoding='utf-8'?>\n<urlset xmlns=\"{SITEMAP_NAMESPACE}\">\n"
    return respond_with_body(context.request, f"{start}{elements}</urlset>\n".encode(), PLAIN_XML)


def resource_iri_prefix(context: RequestContext) -> str:
    """The prefix of the IRIs of resources."""
    return f"{context.base}id/"
