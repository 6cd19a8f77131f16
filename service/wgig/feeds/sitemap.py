"""/sitemap.xml: the pages for people, and since when each is as it is (https://www.sitemaps.org/protocol.html)."""

from collections.abc import Iterable
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from anyio.to_thread import run_sync
from fastapi import Request, Response

from ..answers import answer
from ..formats import PLAIN_XML
from ..kinds import ITS_OWN
from ..lists.shown import LISTS
from ..pages import href
from ..parameters import only
from ..problems import Problem
from ..stream.last import Last, below, count_below
from ..stream.log import Log
from .paging import log_of, whole
from .xml import add, document

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
MOST = 50_000 - 100  # things of a file, which may list 50,000 addresses
PLACES = ("", *LISTS, "coverage", "queries", "sparql", "graphs", "ontology", "shapes", "validate")
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
        return urls(request, PLACES, below(log, things(request), INNER, 0, MOST))
    root = ET.Element("sitemapindex", xmlns=NAMESPACE)
    for number in range(1, -(-count // MOST) + 1):
        add(add(root, "sitemap"), "loc", f"{request.base_url}sitemap/{number}.xml")
    return answer(request, document(root), PLAIN_XML)


def numbered(request: Request, log: Log, name: str, number: int) -> Response:
    """The file of a number. Raises Problem 404."""
    found = below(log, things(request), INNER, (number - 1) * MOST, MOST)
    if not found or name != f"{number}.xml":
        raise Problem(404, f"There is no list {name!r} of pages. The lists are in /sitemap.xml.")
    return urls(request, PLACES if number == 1 else (), found)


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
