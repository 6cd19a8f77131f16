"""Terms and files: /ontology, /shapes, /context.jsonld, static files."""

from collections.abc import Callable

import pyoxigraph as ox
from fastapi import Request, Response

from . import languages, pages, vocabulary
from .answers import answer
from .formats import HTML, JSON_LD, SVG, Format
from .links import host
from .parameters import only
from .problems import Problem
from .profiles.links import COMMON
from .profiles.mapped import markup
from .profiles.profile import OFFERED
from .profiles.subject import Subject
from .profiles.wish import wish
from .represent import graph_body, json_body, ontology_context, represent, show
from .rules import headings, rules
from .things import types_of

FOR_EVER = "public, max-age=31536000, immutable"
STATIC_FORMATS = {"css": Format("text/css", "css", "CSS"), "svg": SVG}
ENTRIES: dict[str, Callable[[list[ox.Triple]], object]] = {
    "ontology": vocabulary.by_kind,
    "shapes": vocabulary.shapes,
}


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
    return answer(request, body, JSON_LD, links=COMMON)


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
