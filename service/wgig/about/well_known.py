"""Sitemap, /robots.txt, /.well-known/ (VoID, example queries, API catalog, security.txt), pages of problems.

VoID and the example queries are read from the graphs that `graphs.description` computes. The IRI of a kind of
problem (RFC 9457) leads to its page, `/doc/problem/<slug>`.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..feeds.news import parse_page_number
from ..http.dependencies import SettingsDep
from ..http.negotiation import choose_response_format
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
from ..resources.representation import serialize_graph_body
from ..resources.routes import get_resource_document
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
INTERFACE_PATHS = (*PAGE_INTERFACE_PATHS, "changes", "cite")  # the last for programs alone
SECURITY_TXT_VALIDITY = timedelta(days=90)  # less than the year of RFC 9116, section 2.5.5

# What names an address of this service, which is to be that of the host that was asked.
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

# What leads a robot to ever new addresses with nothing new behind them.
ROBOTS_DISALLOWED_PATHS = (
    "/sparql?",
    "/graphs?",
    "/search?",
    "/validate?",
    "/queries?",
    "/queries/*?",
    "/queries/running",
    "/coverage?",
    "/cite",  # and what begins so
    "/update",
    "/*?_mediatype=",
    "/*?_profile=",
)


def get_void(context: ContextDep) -> Response:
    """The figures of the dataset as VoID: partitions, linksets, named graphs. Raises Problem 404, 406."""
    document = ox.NamedNode(f"{context.base}.well-known/void")
    about = [
        ox.Triple(document, RDF_TYPE, expand_curie("void:DatasetDescription")),
        ox.Triple(document, expand_curie("foaf:primaryTopic"), ox.NamedNode(f"{document.value}#dataset")),
    ]
    return respond_with_description(context, "void", [*about, *read_description_graph(context, "void")])


def get_sparql_examples(context: ContextDep) -> Response:
    """The example queries as RDF, by the SIB conventions, with their prefixes. Raises Problem 404, 406."""
    return respond_with_description(context, "queries", read_description_graph(context, "queries"))


def get_api_catalog(request: Request) -> Response:
    """The interfaces of this service, each with what describes it (RFC 9727)."""
    check_query_parameters(request)
    here = str(request.base_url)
    whole = {
        "anchor": here + API_CATALOG_PATH.removeprefix("/"),
        "item": [{"href": here + path} for path in INTERFACE_PATHS],
        "describedby": [build_linkset_link(f"{here}catalog", TURTLE)],
    }
    sets = [whole, *(build_interface_links(here, path) for path in INTERFACE_PATHS)]
    body = json.dumps({"linkset": sets}, indent=2).encode() + b"\n"
    return respond_with_body(
        request, body, API_CATALOG_FORMAT, links=[f'<{API_CATALOG_PATH}>; rel="api-catalog"']
    )


def build_interface_links(host: str, path: str) -> dict[str, object]:
    """What describes an interface, for machines and for people (RFC 8631)."""
    return {
        "anchor": host + path,
        "service-desc": [build_linkset_link(f"{host}openapi.json", JSON)],
        "service-doc": [build_linkset_link(host + path if path in PAGE_INTERFACE_PATHS else host, HTML)],
        "service-meta": [build_linkset_link(f"{host}.well-known/void", TURTLE)],
        "status": [build_linkset_link(f"{host}ready", JSON)],
    }


def build_linkset_link(href: str, format_: Format) -> dict[str, str]:
    """A link of a link set (RFC 9264, section 4.2.4)."""
    return {"href": href, "type": format_.media_type}


def get_security_txt(request: Request, settings: SettingsDep) -> Response:
    """Whom to tell of a weakness (RFC 9116). Raises Problem 404 while the operator names nobody."""
    check_query_parameters(request)
    contacts = settings.contact.split()
    if not contacts:
        raise Problem(404, "The operator of this service has named no contact for security.")
    expires = (datetime.now(UTC) + SECURITY_TXT_VALIDITY).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [*(f"Contact: {one}" for one in contacts), f"Expires: {expires.isoformat()}"]
    if request.url.scheme == "https":  # no other address may be named (section 2.5.2)
        lines.append(f"Canonical: {request.base_url}.well-known/security.txt")
    lines.append("")
    # It is another one tomorrow, without a write.
    return respond_with_body(request, "\n".join(lines).encode(), PLAIN_TEXT, headers=NO_STORE_HEADERS)


def get_robots_txt(request: Request) -> Response:
    """What robots may read: all pages, but no endless spaces (RFC 9309), and where the sitemap is."""
    check_query_parameters(request)
    lines = [
        "User-agent: *",
        *(f"Disallow: {one}" for one in ROBOTS_DISALLOWED_PATHS),
        "Allow: /",
        "",
        f"Sitemap: {request.base_url}sitemap.xml",
        "",
    ]
    return respond_with_body(request, "\n".join(lines).encode(), PLAIN_TEXT)


def respond_with_description(context: RequestContext, name: str, triples: Iterable[ox.Triple]) -> Response:
    """A description in a format of RDF; a browser is led to the page of its graph. Raises Problem 400."""
    request = context.request
    check_query_parameters(request, ("_mediatype",))
    format_ = choose_response_format(request, (*GRAPH_FORMATS, HTML))
    return (
        redirect_to_graph_page(name)
        if format_ is HTML
        else respond_with_body(request, serialize_localized_triples(context, triples, format_), format_)
    )


def redirect_to_graph_page(name: str) -> Response:
    """The way to the page of a graph."""
    return Response(status_code=303, headers={"Location": f"/graph/{name}", "Vary": "Accept, Accept-Profile"})


def serialize_localized_triples(
    context: RequestContext, triples: Iterable[ox.Triple], format_: Format
) -> bytes:
    """The triples, with addresses on the host that was asked. Raises Problem 400 for a host that is none."""
    settings = context.settings
    return serialize_graph_body(
        context, localize_addresses(triples, settings.base, request_base_url(context.request)), format_
    )


def read_description_graph(context: RequestContext, name: str) -> list[ox.Triple]:
    """The triples of one of the graphs that describe the store. Raises Problem 404 where there is none."""
    store = context.store
    store.flush_descriptions()
    found = list(store.triples(f"{context.base}graph/{name}"))
    if not found:
        raise Problem(
            404, f"The store holds no graph {name}: it describes itself only where WGIG_DATA is shipped."
        )
    return found


def localize_addresses(triples: Iterable[ox.Triple], base: str, host: str) -> Iterator[ox.Triple]:
    """The triples, with addresses of this service on the host that was asked."""
    for one in triples:
        if one.predicate in ADDRESS_PROPERTIES:
            place = ox.NamedNode(one.object.value.replace(base, host, 1))  # type: ignore[union-attr]
            yield ox.Triple(one.subject, one.predicate, place)
        else:
            yield one


def get_problem_kind(context: ContextDep, stream: StreamDep, slug: str) -> Response:
    """The page of a kind of problem, to which the `type` of a problem document leads."""
    request = context.request
    if slug not in PROBLEM_KINDS:  # then it is a thing like any other
        return get_resource_document(context, stream, f"problem/{slug}")
    check_query_parameters(request)
    choose_response_format(request, (HTML,))
    page = render_template(
        "problem-kind.html", base=context.base, kind=PROBLEM_KINDS[slug], kinds=PROBLEM_KINDS
    )
    return respond_with_body(request, page, HTML)


SITEMAP_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
MAX_SITEMAP_RESOURCES = 50_000 - 100  # things of a file, which may list 50,000 addresses
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
UNLISTED_KINDS = INTERNAL_KINDS | {"identifier"}  # kinds of things that nobody looks for


async def get_sitemap(context: ContextDep, stream: StreamDep) -> Response:
    """The pages of this service, or the list of the files that list them where they are many."""
    check_query_parameters(context.request)
    return await run_sync(build_sitemap_or_index, context, await stream.get_current_log())


async def get_sitemap_part(context: ContextDep, stream: StreamDep, name: str) -> Response:
    """One of the files that list pages. Raises Problem 400, 404."""
    check_query_parameters(context.request)
    number = parse_page_number(name.removesuffix(".xml"), "The number of the file")
    return await run_sync(build_sitemap_part, context, await stream.get_current_log(), name, number)


def build_sitemap_or_index(context: RequestContext, log: ChangeLog) -> Response:
    """All pages in one file, or the list of files."""
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
    """The file of a number. Raises Problem 404."""
    found = list_resources_below(
        log,
        resource_iri_prefix(context),
        UNLISTED_KINDS,
        (number - 1) * MAX_SITEMAP_RESOURCES,
        MAX_SITEMAP_RESOURCES,
    )
    if not found or name != f"{number}.xml":
        raise Problem(404, f"There is no list {name!r} of pages. The lists are in /sitemap.xml.")
    return respond_with_sitemap(context, SITEMAP_PATHS if number == 1 else (), found)


def respond_with_sitemap(
    context: RequestContext, places: Iterable[str], latest: Iterable[LastChange]
) -> Response:
    """A file that lists places of this service, and the pages of things.

    It may be long, and is written as text, in a tenth of the time that a tree takes.
    """
    base, home = context.base, str(context.request.base_url)
    lines = [
        *(f"<loc>{escape(home + place)}</loc>" for place in places),
        *(
            f"<loc>{escape(f'{home[:-1]}{find_href(one.iri, base)}')}</loc>"
            f"{f'<lastmod>{one.changed_at}</lastmod>' if one.is_time_known else ''}"
            for one in latest
        ),
    ]
    listed = "".join(f"  <url>{line}</url>\n" for line in lines)
    body = (
        f"<?xml version='1.0' encoding='utf-8'?>\n<urlset xmlns=\"{SITEMAP_NAMESPACE}\">\n{listed}</urlset>\n"
    )
    return respond_with_body(context.request, body.encode(), PLAIN_XML)


def resource_iri_prefix(context: RequestContext) -> str:
    """How the IRIs of things begin."""
    return f"{context.base}id/"
