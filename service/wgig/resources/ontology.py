"""Routes of terms and files: /ontology and its versions, /shapes, /context.jsonld, /static.

The ontology and the shapes are graphs with a page, in each format; static files have a digest in their path,
and may be cached for good.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pyoxigraph as ox
from fastapi import Request, Response

from ..http import language as http_language
from ..http.language import language
from ..http.parameters import host, only
from ..http.responses import answer
from ..pages import rendering
from ..problems import Problem
from ..rdf import vocabulary
from ..rdf.formats import HTML, JSON_LD, SVG, Format
from ..rdf.namespaces import OUTSIDE
from ..shacl.rules import headings, rules
from ..store import history
from ..store.projections import for_version
from ..store.store import Store
from .alternates import Subject, common
from .description import types_of
from .mappings import markup
from .negotiation import wish
from .ontology_page import vocabulary as vocabulary_of
from .profiles import OFFERED
from .representation import graph_body, json_body, ontology_context, represent, show

FOR_EVER = "public, max-age=31536000, immutable"
STATIC_FORMATS = {
    "css": Format("text/css", "css", "CSS"),
    "js": Format("text/javascript", "js", "JavaScript"),
    "svg": SVG,
}
ENTRIES: dict[str, Callable[[list[ox.Triple], str], object]] = {
    "ontology": vocabulary.by_kind,
    "shapes": lambda triples, _: vocabulary.shapes(triples),
}
VERSION_IRI = ox.NamedNode(f"{OUTSIDE['owl']}versionIRI")
VERSIONS = 20  # of a graph that its page lists
SHOWN = ("due-and-delivered", "issues-under-several-categories", "disagreements")


def ontology(request: Request) -> Response:
    """Our terms: a page with a place for each, or the graph that declares them."""
    return graph_document(request, "ontology")


def ontology_version(request: Request, version: str) -> Response:
    """The way from the IRI of the current version to the ontology: 303. Raises Problem 404 for another."""
    only(request)
    base = request.app.state.settings.base
    said = [one.object for one in loaded(request, "ontology") if one.predicate == VERSION_IRI]
    there = [one.value for one in said if isinstance(one, ox.NamedNode)]
    if f"{base}ontology/{version}" not in there:
        raise Problem(
            404,
            f"There is no version {version!r} of the ontology here. There is: {', '.join(there)}. What its "
            "graph held before is listed at /graph/ontology?versions.",
        )
    return Response(status_code=303, headers={"Location": "/ontology", "Vary": "Accept, Accept-Profile"})


def shapes(request: Request) -> Response:
    """Our shapes: a page of what they demand, or their graph."""
    return graph_document(request, "shapes")


def context(request: Request) -> Response:
    """The JSON-LD context of the ontology."""
    only(request)
    body = json_body({"@context": ontology_context(request)})
    return answer(request, body, JSON_LD, links=common())


def static(request: Request, name: str) -> Response:
    """A file that pages load; its path holds its digest, so it never changes. Raises Problem 404."""
    only(request)
    body = rendering.static_files().get(request.url.path)
    if body is None:
        raise Problem(404, f"There is no file {request.url.path}. Pages link the files that they need.")
    return answer(request, body, STATIC_FORMATS[name.rpartition(".")[2]], headers={"Cache-Control": FOR_EVER})


@dataclass(frozen=True)
class Content:
    """A graph that has a page: its triples, the languages of its texts, and what the page shows of it.

    `header` is what it says of itself, `labels` what its terms are called in the language of the page.
    """

    triples: list[ox.Triple]
    tags: list[str]
    header: list[ox.Triple]
    entries: object
    labels: dict[str, ox.Literal]


def graph_document(request: Request, name: str) -> Response:
    """One of the graphs that have a page, `ontology` or `shapes`. Raises Problem 404 while it is empty."""
    asked = wish(request, OFFERED, request.path_params.get("suffix", ""))
    store: Store = request.app.state.store
    base = request.app.state.settings.base
    iri = f"{base}{name}"
    triples = loaded(request, name)
    if asked.languages.only:
        found = content_of(http_language.as_asked(triples, asked.languages), name, base, language())
    else:
        found = content_in(store, store.version, name, base, language())

    def write(format_: Format) -> bytes:
        if format_ is not HTML:
            return graph_body(request, found.triples, format_)
        given: dict[str, object] = {
            "entries": found.entries,
            "labels": found.labels,
            "markup": markup(iri, f"{host(request)}{name}", found.header, asked.languages.ranges, base),
            "versions": history.versions(request, f"{base}graph/{name}")[-VERSIONS:],
        }
        if name == "ontology":
            given["book"] = vocabulary_of(store, store.version, base, language())
        return show(request, f"{name}.html", **given, rules=rules().values(), headings=headings())

    subject = Subject(iri, f"/{name}", lambda: found.header, write, types_of(found.header))
    return represent(request, asked, subject, more=[f'<{iri}>; rel="about"'], languages=found.tags)


@for_version(4)
def triples_in(store: Store, version: int, name: str, base: str) -> list[ox.Triple]:
    """One of our graphs as a version of the store has it."""
    del version  # which makes the cache forget
    return list(store.triples(f"{base}graph/{name}"))


@for_version(12)
def content_in(store: Store, version: int, name: str, base: str, tongue: str) -> Content:
    """What a page in a language shows of one of our graphs, as a version of the store has it."""
    return content_of(triples_in(store, version, name, base), name, base, tongue)


def content_of(triples: list[ox.Triple], name: str, base: str, tongue: str) -> Content:
    """What a page in a language shows of one of our graphs, by its triples."""
    about = ox.NamedNode(f"{base}{name}")
    header = [one for one in triples if one.subject == about]
    entries, labels = ENTRIES[name](triples, tongue), vocabulary.names(triples, tongue)
    return Content(triples, http_language.of(triples), header, entries, labels)


def loaded(request: Request, name: str) -> list[ox.Triple]:
    """The triples of one of our graphs. Raises Problem 404 while it is empty."""
    store: Store = request.app.state.store
    base = request.app.state.settings.base
    triples = triples_in(store, store.version, name, base)
    if not triples:
        raise Problem(
            404, f"The store holds no graph <{base}graph/{name}>. Load it with: wgig load --shipped {name}"
        )
    return triples
