"""Things and terms as linked data: /id, /doc, /ontology, /shapes, /context.jsonld, home, static files."""

import json
import re
from collections.abc import Callable, Iterable
from functools import partial
from urllib.parse import quote, unquote_to_bytes

import pyoxigraph as ox
from fastapi import Request, Response

from . import bodies, facts, kinds, pages, vocabulary
from .answers import answer, pick
from .bodies import parameters
from .compact import compact, context_of
from .examples import examples
from .formats import HTML, JSON, JSON_LD, N_TRIPLES, RDF_XML, TURTLE, Format
from .lists.shown import LISTS
from .namespaces import OUTSIDE
from .pages.thing import page
from .problems import Problem
from .rdf import serialize
from .rules import headings, rules
from .things import Description, describe, known

# Plain JSON stands before JSON-LD, which answers to application/json as well.
OFFERED = (TURTLE, N_TRIPLES, JSON, JSON_LD, RDF_XML, HTML)
SUFFIXED = re.compile(rf"(?P<path>.+)\.(?P<suffix>{'|'.join(one.suffix for one in OFFERED)})")
LICENSE = "https://creativecommons.org/licenses/by/4.0/"
CONTEXT = "/context.jsonld"
CITATION = '</cite?iri={}&_mediatype=application/x-bibtex>; rel="describedby"; type="application/x-bibtex"'
FOR_EVER = "public, max-age=31536000, immutable"
STATIC_FORMATS = {"css": Format("text/css", "css", "CSS"), "svg": Format("image/svg+xml", "svg", "SVG")}
ENTRIES: dict[str, Callable[[list[ox.Triple]], object]] = {
    "ontology": vocabulary.by_kind,
    "shapes": vocabulary.shapes,
}
SHOWN = ("due-and-delivered", "issues-under-several-categories", "disagreements")
NOT_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\%]')

RDFS, FOAF, DCTERMS = OUTSIDE["rdfs"], OUTSIDE["foaf"], OUTSIDE["dcterms"]


def thing(request: Request, path: str) -> Response:
    """The name of a thing: 303 to its description. Raises Problem 404 when nothing is known about it."""
    iri = iri_of(request, path)
    store = request.app.state.store
    if not known(store, iri) and not any(kinds.listing(store, iri)):
        raise unknown(iri)
    location = f"/doc/{quote(path, safe=pages.PATH)}"
    headers = {"Location": location, "Link": f'<{location}>; rel="describedby"'}
    return Response(status_code=303, headers=headers)


def doc(request: Request, path: str) -> Response:
    """The description of a thing, or the list of what is below a kind's path. Raises Problem 404 and 406."""
    suffixed = SUFFIXED.fullmatch(path)
    path, suffix = (suffixed["path"], suffixed["suffix"]) if suffixed else (path, "")
    format_ = pick(request, OFFERED, suffix)
    iri = iri_of(request, path)
    description = describe(request.app.state.store, iri)
    write = partial(thing_body, request, description) if description else partial(folder_body, request, iri)
    here = f"/doc/{quote(path, safe=pages.PATH)}"
    links = [f'<{iri}>; rel="about"', *([CITATION.format(quote(iri, safe=""))] if description else [])]
    return linked(request, here, write(format_), format_, *links)


def ontology(request: Request) -> Response:
    """Our terms: a page with a place for each, or the graph that declares them."""
    return graph_document(request, "ontology")


def shapes(request: Request) -> Response:
    """Our shapes: a page of what they demand, or their graph."""
    return graph_document(request, "shapes")


def context(request: Request) -> Response:
    """The JSON-LD context of the ontology."""
    body = written({"@context": ontology_context(request)})
    return answer(request, body, JSON_LD)


def home(request: Request) -> Response:
    """What this is, what it holds, and the ways in."""
    counts = kinds.counts(request.app.state.store, request.app.state.settings.base)
    names = {"titles": kinds.TITLES, "name": kinds.title, "lists": LISTS}
    body = show(request, "home.html", counts=counts, examples=examples(), shown=SHOWN, **names)
    return answer(request, body, HTML)


def static(request: Request, name: str) -> Response:
    """A file that pages load; its path holds its digest, so it never changes. Raises Problem 404."""
    body = pages.static_files().get(request.url.path)
    if body is None:
        raise Problem(404, f"There is no file {request.url.path}. Pages link the files that they need.")
    return answer(request, body, STATIC_FORMATS[name.rpartition(".")[2]], headers={"Cache-Control": FOR_EVER})


def thing_body(request: Request, description: Description, format_: Format) -> bytes:
    """A description in a format."""
    settings = request.app.state.settings
    if format_ is HTML:
        view = page(request.app.state.store, description, f"{settings.base}graph/inferred")
        return show(request, "doc.html", page=view, labels=description.labels)
    if format_ is JSON:
        return thing_json(request, description)
    return graph_body(request, described(description, settings.base), format_)


def thing_json(request: Request, description: Description) -> bytes:
    """A thing as plain JSON. Raises Problem 400 for what is not there, UnfitError as `facts.thing`."""
    base = request.app.state.settings.base
    path = pages.href(description.iri, base) or ""
    return written(facts.thing(request.app.state.store, description, path, parameters(request), base))


def described(description: Description, base: str) -> Iterable[ox.Triple]:
    """The triples of a description: its statements, the labels of what they name, and about the document."""
    subjects = {description.iri, *description.parts}
    for statement in description:
        yield statement.triple
    yield from label_triples({iri: text for iri, text in description.labels.items() if iri not in subjects})
    document = ox.NamedNode(description.iri.replace(f"{base}id/", f"{base}doc/", 1))
    yield ox.Triple(document, ox.NamedNode(f"{FOAF}primaryTopic"), ox.NamedNode(description.iri))
    yield ox.Triple(document, ox.NamedNode(f"{DCTERMS}license"), ox.NamedNode(LICENSE))
    for sentence in description.cut:
        yield ox.Triple(document, ox.NamedNode(f"{RDFS}comment"), ox.Literal(sentence, language="en"))


def folder_body(request: Request, iri: str, format_: Format) -> bytes:
    """The list of what is below an IRI, in a format. Raises Problem 404 when nothing is."""
    things, folders = kinds.listing(request.app.state.store, iri)
    if not things and not folders:
        raise unknown(iri)
    if format_ is HTML:
        title = kinds.title(iri.removeprefix(f"{request.app.state.settings.base}id/"))
        return show(request, "kind.html", title=title, folder=iri, things=things, folders=folders)
    members = (
        ox.Triple(ox.NamedNode(iri), ox.NamedNode(f"{RDFS}member"), ox.NamedNode(one)) for one in things
    )
    return graph_body(request, [*members, *label_triples(things)], format_)


def label_triples(labels: dict[str, ox.Literal]) -> Iterable[ox.Triple]:
    """The labels of things, each as an rdfs:label."""
    return (ox.Triple(ox.NamedNode(iri), ox.NamedNode(f"{RDFS}label"), text) for iri, text in labels.items())


def graph_document(request: Request, name: str) -> Response:
    """One of the graphs that have a page, `ontology` or `shapes`. Raises Problem 404 while it is empty."""
    format_ = pick(request, OFFERED, request.path_params.get("suffix", ""))
    base = request.app.state.settings.base
    triples = loaded(request, name)
    if format_ is HTML:
        given = {"entries": ENTRIES[name](triples), "labels": vocabulary.names(triples)}
        body = show(request, f"{name}.html", **given, rules=rules().values(), headings=headings())
    else:
        body = graph_body(request, triples, format_)
    return linked(request, f"/{name}", body, format_, f'<{base}{name}>; rel="about"')


def loaded(request: Request, name: str) -> list[ox.Triple]:
    """The triples of one of our graphs. Raises Problem 404 while it is empty."""
    graph = f"{request.app.state.settings.base}graph/{name}"
    triples = list(request.app.state.store.triples(graph))
    if not triples:
        raise Problem(404, f"The store holds no graph <{graph}>. Load it with: wgig load --shipped {name}")
    return triples


def graph_body(request: Request, triples: Iterable[ox.Triple], format_: Format) -> bytes:
    """Triples in an RDF format, or as JSON with the context of the ontology. Raises UnfitError."""
    if format_ is JSON:
        return written(compact(triples, ontology_context(request), CONTEXT))
    return serialize(triples, format_, request.app.state.settings.base)


def ontology_context(request: Request) -> dict[str, object]:
    """The JSON-LD context of the ontology as it stands in the store."""
    base = request.app.state.settings.base
    return context_of(vocabulary.terms(request.app.state.store.triples(f"{base}graph/ontology")), base)


def written(value: object) -> bytes:
    """JSON that people can read."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def show(request: Request, template: str, **values: object) -> bytes:
    """A page of this service."""
    return pages.render(template, base=request.app.state.settings.base, **values)


def linked(request: Request, path: str, body: bytes, format_: Format, *links: str) -> Response:
    """An answer that says where each of its formats is, and under which license it stands."""
    others = [
        f'<{path}.{one.suffix}>; rel="alternate"; type="{one.media_type}"'
        for one in OFFERED
        if one is not format_
    ]
    common = ['</ontology>; rel="describedby"', f'<{LICENSE}>; rel="license"']
    headers = {"Content-Location": f"{path}.{format_.suffix}"}
    return answer(request, body, format_, links=[*others, *links, *common], headers=headers)


def iri_of(request: Request, path: str) -> str:
    """The IRI of the thing that a path below /id or /doc names, whatever the host.

    Raises Problem 400, and 404 for a path with characters that no IRI has (RFC 3987, section 2.2).
    """
    bodies.text(unquote_to_bytes(request.scope["raw_path"]), "path")
    escaped = NOT_IN_IRI.sub(lambda found: quote(found[0]), path)
    iri = f"{request.app.state.settings.base}id/{escaped}"
    try:
        ox.NamedNode(iri)
    except ValueError as error:
        raise unknown(iri) from error
    return iri


def unknown(iri: str) -> Problem:
    """The 404 of a thing."""
    return Problem(
        404, f"Nothing is known about <{iri}>. See the home page for the kinds of things there are."
    )
