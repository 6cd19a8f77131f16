"""Pages and terms: home, /ontology, /shapes, /context.jsonld, static files."""

from collections.abc import Callable

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from . import folders, kinds, languages, pages, vocabulary
from .answers import answer, pick
from .examples import examples
from .formats import HTML, JSON_LD, Format
from .links import host
from .lists.shown import LISTS
from .parameters import only
from .problems import Problem
from .profiles import schema_org
from .profiles.links import common
from .profiles.mapped import markup
from .profiles.profile import OFFERED
from .profiles.subject import Subject
from .profiles.wish import wish
from .represent import graph_body, json_body, ontology_context, represent, show
from .rules import headings, rules
from .stream.keeping import Stream
from .things import types_of

SOON = 2  # seconds that the home page waits for the log
FOR_EVER = "public, max-age=31536000, immutable"
STATIC_FORMATS = {"css": Format("text/css", "css", "CSS"), "svg": Format("image/svg+xml", "svg", "SVG")}
ENTRIES: dict[str, Callable[[list[ox.Triple]], object]] = {
    "ontology": vocabulary.by_kind,
    "shapes": vocabulary.shapes,
}
SHOWN = ("due-and-delivered", "issues-under-several-categories", "disagreements")


def ontology(request: Request) -> Response:
    """Our terms: a page with a place for each, or the graph that declares them."""
    return graph_document(request, "ontology")


def shapes(request: Request) -> Response:
    """Our shapes: a page of what they demand, or their graph."""
    return graph_document(request, "shapes")


def context(request: Request) -> Response:
    """The JSON-LD context of the ontology."""
    only(request)
    body = json_body({"@context": ontology_context(request)})
    return answer(request, body, JSON_LD, links=common())


async def home(request: Request) -> Response:
    """What this is, what it holds, and the ways in. Raises Problem 406 for a client that takes no HTML."""
    only(request)
    pick(request, (HTML,))
    stream: Stream = request.app.state.stream
    try:
        counts = await run_in_threadpool(folders.counts, await stream.ready(SOON))
    except Problem:
        counts = None  # it is being found out, and nobody has to wait for that
    return await run_in_threadpool(home_of, request, counts)


def home_of(request: Request, counts: dict[str, int] | None) -> Response:
    """The home page, with how many things of each kind there are, if that is known."""
    base = request.app.state.settings.base
    names = {"titles": kinds.TITLES, "name": kinds.title, "lists": LISTS}
    markup_ = schema_org.catalog(base, host(request), [kinds.title(one) for one in counts or kinds.TITLES])
    body = show(
        request, "home.html", counts=counts, examples=examples(), shown=SHOWN, markup=markup_, **names
    )
    kept = {"Cache-Control": "no-store"} if counts is None else {}
    return answer(request, body, HTML, links=common(), headers=kept)


def static(request: Request, name: str) -> Response:
    """A file that pages load; its path holds its digest, so it never changes. Raises Problem 404."""
    only(request)
    body = pages.static_files().get(request.url.path)
    if body is None:
        raise Problem(404, f"There is no file {request.url.path}. Pages link the files that they need.")
    return answer(request, body, STATIC_FORMATS[name.rpartition(".")[2]], headers={"Cache-Control": FOR_EVER})


def graph_document(request: Request, name: str) -> Response:
    """One of the graphs that have a page, `ontology` or `shapes`. Raises Problem 404 while it is empty."""
    asked = wish(request, OFFERED, request.path_params.get("suffix", ""))
    base = request.app.state.settings.base
    iri = f"{base}{name}"
    triples = languages.as_asked(loaded(request, name), asked.languages)
    header = [one for one in triples if one.subject == ox.NamedNode(iri)]

    def write(format_: Format) -> bytes:
        if format_ is not HTML:
            return graph_body(request, triples, format_)
        given = {
            "entries": ENTRIES[name](triples),
            "labels": vocabulary.names(triples),
            "markup": markup(iri, f"{host(request)}{name}", header, asked.languages.ranges, base),
        }
        return show(request, f"{name}.html", **given, rules=rules().values(), headings=headings())

    subject = Subject(iri, f"/{name}", lambda: header, write, types_of(header))
    tags = languages.of(triples)
    return represent(request, asked, subject, more=[f'<{iri}>; rel="about"'], languages=tags)


def loaded(request: Request, name: str) -> list[ox.Triple]:
    """The triples of one of our graphs. Raises Problem 404 while it is empty."""
    graph = f"{request.app.state.settings.base}graph/{name}"
    triples = list(request.app.state.store.triples(graph))
    if not triples:
        raise Problem(404, f"The store holds no graph <{graph}>. Load it with: wgig load --shipped {name}")
    return triples
