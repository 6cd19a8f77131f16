"""Sitemap, robots.txt, /.well-known/ (VoID, example queries, API catalog, security.txt), problem types.

VoID and the example queries are read from the graphs that `graphs.description` computes. The IRI of a problem
type (RFC 9457), `/id/problem/<slug>`, redirects to its page, `/doc/problem/<slug>`.
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
from ..pages.names import INTERNAL_KINDS, RECORD_KINDS
from ..pages.rendering import find_href, render_template
from ..problems import PROBLEM_KINDS, Problem
from ..rdf.formats import GRAPH_FORMATS, HTML, JSON, PLAIN_TEXT, PLAIN_XML, TURTLE, Format
from ..rdf.namespaces import RDF_TYPE, expand_curie
from ..resources.dependencies import ResourceVersionsDep
from ..resources.parameters import ResourceParameters
from ..resources.profiles import DEFAULT_PROFILE_FORMATS
from ..resources.representation import serialize_graph_body
from ..resources.routes import get_resource_document
from ..resources.schemas import RepresentationList, ResourceDocument
from ..resources.signposting import LINKSET_JSON
from ..store.resource_versions.database import ResourceVersions
from ..store.resource_versions.queries import LastChange, count_resources_below, list_resources_below
from ..text import append_xml_element, make_xml_element, serialize_xml_element

API_CATALOG_FORMAT = replace(
    LINKSET_JSON,
    media_type=f'{LINKSET_JSON.media_type}; profile="https://www.rfc-editor.org/info/rfc9727"',
)
API_CATALOG_PATH = "/.well-known/api-catalog"
# Paths of interfaces for programs that have an HTML page, too.
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
    "changes",
)
INTERFACE_PATHS = (*PAGE_INTERFACE_PATHS, "cite", "oai")  # these two have no page of their own
SECURITY_TXT_VALIDITY = timedelta(days=90)  # RFC 9116, section 2.5.5, recommends less than a year

# Properties whose values are URLs of this service. In responses, these URLs have the host of the request.
URL_PROPERTIES = frozenset(
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

# Paths with endlessly many URLs that have no new content.
ROBOTS_DISALLOWED_PATHS = (
    "/sparql?",
    "/graphs?",
    "/search?",
    "/validate?",
    "/queries?",
    "/queries/*?",
    "/queries/running",
    "/coverage?",
    "/build?",
    "/compare?",
    "/cite",  # and all paths below it
    "/feedback",
    "/oai?",
    "/linkset?",
    "/update",
    "/*?_mediatype=",
    "/*?_profile=",
)


class DescriptionParameters(ParameterModel):
    """Query parameters of VoID and of the example queries as RDF."""

    media_type: Text = describe_media_type((*GRAPH_FORMATS, HTML))


DESCRIPTION_OPERATION = Operation(formats=(*GRAPH_FORMATS, HTML))
API_CATALOG_OPERATION = Operation(formats=(LINKSET_JSON,))
TEXT_OPERATION = Operation(formats=(PLAIN_TEXT,))


def get_void(context: ContextDep, parameters: Annotated[DescriptionParameters, Query()]) -> Response:
    """The statistics of the dataset as VoID: partitions, linksets, named graphs.

    Raises Problem 404 if they are not computed, 406 for an unsupported format.
    """
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
    """The example queries as RDF, by the SIB conventions, with their prefixes.

    Raises Problem 404 if the graph `queries` is empty, 406 for an unsupported format.
    """
    return respond_with_description(
        context, parameters, "queries", read_description_graph(context, "queries")
    )


def get_api_catalog(request: Request) -> Response:
    """The interfaces of this service, each with links to its descriptions (RFC 9727)."""
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
            build_linkset_link(base_url + (path if path in PAGE_INTERFACE_PATHS else "api"), HTML)
        ],
        "service-meta": [build_linkset_link(f"{base_url}.well-known/void", TURTLE)],
        "status": [build_linkset_link(f"{base_url}ready", JSON)],
    }


def build_linkset_link(href: str, format_: Format) -> dict[str, str]:
    """A link of a link set (RFC 9264, section 4.2.4)."""
    return {"href": href, "type": format_.media_type}


def get_security_txt(request: Request, settings: SettingsDep) -> Response:
    """The contacts for security reports (RFC 9116). Raises Problem 404 if WGIG_CONTACT is empty."""
    contacts = settings.contact.split()
    if not contacts:
        raise Problem(404, "The operator of this service has not set a security contact.")
    expires = (datetime.now(UTC) + SECURITY_TXT_VALIDITY).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [*(f"Contact: {contact}" for contact in contacts), f"Expires: {expires.isoformat()}"]
    if request.url.scheme == "https":  # other schemes are not allowed (section 2.5.2)
        lines.append(f"Canonical: {request.base_url}.well-known/security.txt")
    lines.append("")
    # The expiry date changes every day without a write.
    return respond_with_body(request, "\n".join(lines).encode(), PLAIN_TEXT, headers=NO_STORE_HEADERS)


def get_robots_txt(request: Request) -> Response:
    """The rules for crawlers (RFC 9309): the paths that they should not read, and the URL of the sitemap."""
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
    """A description in an RDF format, or a redirect to the page of its graph for a client that prefers HTML.

    Raises Problem 400 for an invalid host, 406 for an unsupported format.
    """
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
    """Serialized triples, with URLs on the host of the request. Raises Problem 400 for an invalid host."""
    settings = context.settings
    return serialize_graph_body(
        context, localize_urls(triples, settings.base, request_base_url(context.request)), format_
    )


def read_description_graph(context: RequestContext, name: str) -> list[ox.Triple]:
    """The triples of one of the graphs that describe the store. Raises Problem 404 if it is empty."""
    store = context.store
    store.flush_descriptions()
    triples = list(store.triples(f"{context.base}graph/{name}"))
    if not triples:
        raise Problem(
            404, f"The store has no graph {name}: descriptions are computed only with WGIG_DATA=shipped."
        )
    return triples


def localize_urls(triples: Iterable[ox.Triple], base_iri: str, base_url: str) -> Iterator[ox.Triple]:
    """The triples, with `base_iri` replaced by `base_url` in the values of URL_PROPERTIES."""
    for triple in triples:
        if triple.predicate in URL_PROPERTIES:
            url = ox.NamedNode(triple.object.value.replace(base_iri, base_url, 1))  # type: ignore[union-attr]
            yield ox.Triple(triple.subject, triple.predicate, url)
        else:
            yield triple


PROBLEM_KIND_OPERATION = Operation(
    formats=DEFAULT_PROFILE_FORMATS,
    json=ResourceDocument | RepresentationList,
    is_self_checked=True,  # the handler checks the parameters, which depend on the slug
)
ProblemSlug = Annotated[str, Path(description="The slug of a problem type.", examples=["not-found"])]


def get_problem_kind(
    context: ContextDep, resource_versions: ResourceVersionsDep, slug: ProblemSlug
) -> Response:
    """The page of a problem type (RFC 9457), to which the `type` of a problem document redirects."""
    request = context.request
    if slug not in PROBLEM_KINDS:  # the slug may be the name of a resource `id/problem/<slug>` in the store
        pairs = check_query_parameters(request, *list_parameter_names(ResourceParameters))
        parameters = ResourceParameters.model_validate(dict(pairs))
        return get_resource_document(context, resource_versions, f"problem/{slug}", parameters)
    check_query_parameters(request)
    choose_response_format(request, (HTML,))
    page = render_template(
        "problem-kind.html", base=context.base, kind=PROBLEM_KINDS[slug], kinds=PROBLEM_KINDS
    )
    return respond_with_body(request, page, HTML)


SITEMAP_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
MAX_SITEMAP_RESOURCES = 50_000 - 100  # per file; a file may have 50,000 URLs, including SITEMAP_PATHS
SITEMAP_PATHS = (
    "",
    "about",
    *LIST_DEFINITIONS,
    "coverage",
    "compare",
    "build",
    "queries",
    "sparql",
    "catalog",
    "graphs",
    "releases",
    "changes",
    "ontology",
    "shapes",
    "validate",
)
# Kinds of resources that nobody looks for with a search engine.
UNLISTED_KINDS = INTERNAL_KINDS | RECORD_KINDS


SitemapPartName = Annotated[
    str, Path(description="The number of a file of the sitemap, with .xml.", examples=["1.xml"])
]
SITEMAP_OPERATION = Operation(formats=(PLAIN_XML,))


async def get_sitemap(context: ContextDep, resource_versions: ResourceVersionsDep) -> Response:
    """The sitemap of this service, or the index of its files if there are too many pages for one."""
    return await run_sync(build_sitemap_or_index, context, await resource_versions.get_versions())


async def get_sitemap_part(
    context: ContextDep, resource_versions: ResourceVersionsDep, name: SitemapPartName
) -> Response:
    """A file of the sitemap. Raises Problem 400 for an invalid number, 404 if there is no such file."""
    number = parse_page_number(name.removesuffix(".xml"), "The number of the file")
    return await run_sync(build_sitemap_part, context, await resource_versions.get_versions(), name, number)


def build_sitemap_or_index(context: RequestContext, versions: ResourceVersions) -> Response:
    """The sitemap in one file, or the index of its files."""
    count = count_resources_below(versions, resource_iri_prefix(context), UNLISTED_KINDS)
    if count <= MAX_SITEMAP_RESOURCES:
        return respond_with_sitemap(
            context,
            SITEMAP_PATHS,
            list_resources_below(
                versions, resource_iri_prefix(context), UNLISTED_KINDS, 0, MAX_SITEMAP_RESOURCES
            ),
        )
    root = make_xml_element("sitemapindex", xmlns=SITEMAP_NAMESPACE)
    for number in range(1, -(-count // MAX_SITEMAP_RESOURCES) + 1):
        append_xml_element(
            append_xml_element(root, "sitemap"), "loc", f"{context.request.base_url}sitemap/{number}.xml"
        )
    return respond_with_body(context.request, serialize_xml_element(root), PLAIN_XML)


def build_sitemap_part(
    context: RequestContext, versions: ResourceVersions, name: str, number: int
) -> Response:
    """The file of the sitemap with this number and name. Raises Problem 404 if there is none."""
    resources = list_resources_below(
        versions,
        resource_iri_prefix(context),
        UNLISTED_KINDS,
        (number - 1) * MAX_SITEMAP_RESOURCES,
        MAX_SITEMAP_RESOURCES,
    )
    if not resources or name != f"{number}.xml":  # such as 01.xml
        raise Problem(404, f"There is no sitemap {name!r}. /sitemap.xml lists all sitemaps.")
    return respond_with_sitemap(context, SITEMAP_PATHS if number == 1 else (), resources)


def respond_with_sitemap(
    context: RequestContext, paths: Iterable[str], resources: Iterable[LastChange]
) -> Response:
    """A sitemap of these paths of this service and of the pages of these resources.

    A long sitemap is written as text, which takes a tenth of the time of an XML tree.
    """
    base, base_url = context.base, str(context.request.base_url)
    entries = [
        *(f"<loc>{escape(base_url + path)}</loc>" for path in paths),
        *(
            f"<loc>{escape(f'{base_url[:-1]}{find_href(resource.iri, base)}')}</loc>"
            f"{f'<lastmod>{resource.changed_at}</lastmod>' if resource.is_time_known else ''}"
            for resource in resources
        ),
    ]
    elements = "".join(f"  <url>{entry}</url>\n" for entry in entries)
    start = f"<?xml version='1.0' encoding='utf-8'?>\n<urlset xmlns=\"{SITEMAP_NAMESPACE}\">\n"
    return respond_with_body(context.request, f"{start}{elements}</urlset>\n".encode(), PLAIN_XML)


def resource_iri_prefix(context: RequestContext) -> str:
    """The beginning of the IRIs of all resources."""
    return f"{context.base}id/"
