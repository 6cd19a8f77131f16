"""What crawlers ask for first: /.well-known/, /robots.txt and the sitemap."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..feeds.news import log_of, whole
from ..http.parameters import host, only
from ..http.responses import answer, pick
from ..lists.definitions import LISTS
from ..pages.names import ITS_OWN
from ..pages.rendering import href, render
from ..problems import KINDS, Problem
from ..rdf.formats import GRAPHS, HTML, JSON, PLAIN_XML, TEXT, TURTLE, Format
from ..rdf.serialization import term
from ..resources.representation import graph_body
from ..resources.routes import doc
from ..settings import Settings
from ..store.changelog.log import Log
from ..store.changelog.queries import Last, below, count_below
from ..store.store import Store
from ..text import add_element, serialize_element

LINKSET = Format("application/linkset+json", "json", "JSON", "", ("application/json",))
PROFILED = replace(
    LINKSET, media_type=f'{LINKSET.media_type}; profile="https://www.rfc-editor.org/info/rfc9727"'
)
API_CATALOG = "/.well-known/api-catalog"
PAGES = ("sparql", "update", "graphs", "validate", "search", "queries", "papers", "reconcile", "tables")
INTERFACES = (*PAGES, "changes", "cite")  # the last for programs alone
GOOD_FOR = timedelta(days=90)  # less than the year of RFC 9116, section 2.5.5

# What names an address of this service, which is to be that of the host that was asked.
PLACES = frozenset(
    term(name)
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
TYPE = term("rdf:type")

# What leads a robot to ever new addresses with nothing new behind them.
ENDLESS = (
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


def void(request: Request) -> Response:
    """The figures of the dataset as VoID: partitions, linksets, named graphs. Raises Problem 404, 406."""
    document = ox.NamedNode(f"{request.app.state.settings.base}.well-known/void")
    about = [
        ox.Triple(document, TYPE, term("void:DatasetDescription")),
        ox.Triple(document, term("foaf:primaryTopic"), ox.NamedNode(f"{document.value}#dataset")),
    ]
    return described(request, "void", [*about, *own(request, "void")])


def sparql_examples(request: Request) -> Response:
    """The example queries as RDF, by the SIB conventions, with their prefixes. Raises Problem 404, 406."""
    return described(request, "queries", own(request, "queries"))


def api_catalog(request: Request) -> Response:
    """The interfaces of this service, each with what describes it (RFC 9727)."""
    only(request)
    here = str(request.base_url)
    whole = {
        "anchor": here + API_CATALOG.removeprefix("/"),
        "item": [{"href": here + path} for path in INTERFACES],
        "describedby": [link(f"{here}catalog", TURTLE)],
    }
    sets = [whole, *(interface(here, path) for path in INTERFACES)]
    body = json.dumps({"linkset": sets}, indent=2).encode() + b"\n"
    return answer(request, body, PROFILED, links=[f'<{API_CATALOG}>; rel="api-catalog"'])


def interface(host: str, path: str) -> dict[str, object]:
    """What describes an interface, for machines and for people (RFC 8631)."""
    return {
        "anchor": host + path,
        "service-desc": [link(f"{host}openapi.json", JSON)],
        "service-doc": [link(host + path if path in PAGES else host, HTML)],
        "service-meta": [link(f"{host}.well-known/void", TURTLE)],
        "status": [link(f"{host}ready", JSON)],
    }


def link(href: str, format_: Format) -> dict[str, str]:
    """A link of a link set (RFC 9264, section 4.2.4)."""
    return {"href": href, "type": format_.media_type}


def security(request: Request) -> Response:
    """Whom to tell of a weakness (RFC 9116). Raises Problem 404 while the operator names nobody."""
    only(request)
    contacts = request.app.state.settings.contact.split()
    if not contacts:
        raise Problem(404, "The operator of this service has named no contact for security.")
    expires = (datetime.now(UTC) + GOOD_FOR).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [*(f"Contact: {one}" for one in contacts), f"Expires: {expires.isoformat()}"]
    if request.url.scheme == "https":  # no other address may be named (section 2.5.2)
        lines.append(f"Canonical: {request.base_url}.well-known/security.txt")
    lines.append("")
    # It is another one tomorrow, without a write.
    return answer(request, "\n".join(lines).encode(), TEXT, headers={"Cache-Control": "no-store"})


def robots(request: Request) -> Response:
    """What robots may read: all pages, but no endless spaces (RFC 9309), and where the sitemap is."""
    only(request)
    lines = [
        "User-agent: *",
        *(f"Disallow: {one}" for one in ENDLESS),
        "Allow: /",
        "",
        f"Sitemap: {request.base_url}sitemap.xml",
        "",
    ]
    return answer(request, "\n".join(lines).encode(), TEXT)


def described(request: Request, name: str, triples: Iterable[ox.Triple]) -> Response:
    """A description in a format of RDF; a browser is led to the page of its graph. Raises Problem 400."""
    only(request, ("_mediatype",))
    format_ = pick(request, (*GRAPHS, HTML))
    return page_of(name) if format_ is HTML else answer(request, written(request, triples, format_), format_)


def page_of(name: str) -> Response:
    """The way to the page of a graph."""
    return Response(status_code=303, headers={"Location": f"/graph/{name}", "Vary": "Accept, Accept-Profile"})


def written(request: Request, triples: Iterable[ox.Triple], format_: Format) -> bytes:
    """The triples, with addresses on the host that was asked. Raises Problem 400 for a host that is none."""
    settings: Settings = request.app.state.settings
    return graph_body(request, localized(triples, settings.base, host(request)), format_)


def own(request: Request, name: str) -> list[ox.Triple]:
    """The triples of one of the graphs that describe the store. Raises Problem 404 where there is none."""
    store: Store = request.app.state.store
    store.catch_up()
    found = list(store.triples(f"{request.app.state.settings.base}graph/{name}"))
    if not found:
        raise Problem(
            404, f"The store holds no graph {name}: it describes itself only where WGIG_DATA is shipped."
        )
    return found


def localized(triples: Iterable[ox.Triple], base: str, host: str) -> Iterator[ox.Triple]:
    """The triples, with addresses of this service on the host that was asked."""
    for one in triples:
        if one.predicate in PLACES:
            place = ox.NamedNode(one.object.value.replace(base, host, 1))  # type: ignore[union-attr]
            yield ox.Triple(one.subject, one.predicate, place)
        else:
            yield one


def explain(request: Request, slug: str) -> Response:
    """The page of a kind of problem, to which the `type` of a problem document leads."""
    if slug not in KINDS:  # then it is a thing like any other
        return doc(request, f"problem/{slug}")
    only(request)
    pick(request, (HTML,))
    page = render("problem-kind.html", base=request.app.state.settings.base, kind=KINDS[slug], kinds=KINDS)
    return answer(request, page, HTML)


NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
MOST = 50_000 - 100  # things of a file, which may list 50,000 addresses
SITEMAP_PLACES = ("", *LISTS, "coverage", "queries", "sparql", "graphs", "ontology", "shapes", "validate")
INNER = ITS_OWN | {"identifier"}  # kinds of things that nobody looks for


async def sitemap(request: Request) -> Response:
    """The pages of this service, or the list of the files that list them where they are many."""
    only(request)
    return await run_sync(whole_or_parts, request, await log_of(request))


async def part(request: Request, name: str) -> Response:
    """One of the files that list pages. Raises Problem 400, 404."""
    only(request)
    number = whole(name.removesuffix(".xml"), "The number of the file")
    return await run_sync(numbered, request, await log_of(request), name, number)


def whole_or_parts(request: Request, log: Log) -> Response:
    """All pages in one file, or the list of files."""
    count = count_below(log, things(request), INNER)
    if count <= MOST:
        return urls(request, SITEMAP_PLACES, below(log, things(request), INNER, 0, MOST))
    root = ET.Element("sitemapindex", xmlns=NAMESPACE)
    for number in range(1, -(-count // MOST) + 1):
        add_element(add_element(root, "sitemap"), "loc", f"{request.base_url}sitemap/{number}.xml")
    return answer(request, serialize_element(root), PLAIN_XML)


def numbered(request: Request, log: Log, name: str, number: int) -> Response:
    """The file of a number. Raises Problem 404."""
    found = below(log, things(request), INNER, (number - 1) * MOST, MOST)
    if not found or name != f"{number}.xml":
        raise Problem(404, f"There is no list {name!r} of pages. The lists are in /sitemap.xml.")
    return urls(request, SITEMAP_PLACES if number == 1 else (), found)


def urls(request: Request, places: Iterable[str], latest: Iterable[Last]) -> Response:
    """A file that lists places of this service, and the pages of things.

    It may be long, and is written as text, in a tenth of the time that a tree takes.
    """
    base, home = request.app.state.settings.base, str(request.base_url)
    lines = [
        *(f"<loc>{escape(home + place)}</loc>" for place in places),
        *(
            f"<loc>{escape(f'{home[:-1]}{href(one.iri, base)}')}</loc>"
            f"{f'<lastmod>{one.at}</lastmod>' if one.known else ''}"
            for one in latest
        ),
    ]
    listed = "".join(f"  <url>{line}</url>\n" for line in lines)
    body = f"<?xml version='1.0' encoding='utf-8'?>\n<urlset xmlns=\"{NAMESPACE}\">\n{listed}</urlset>\n"
    return answer(request, body.encode(), PLAIN_XML)


def things(request: Request) -> str:
    """How the IRIs of things begin."""
    return f"{request.app.state.settings.base}id/"
