"""/shapes/<name>: each shape as a page and as RDF, and the example papers of its rules."""

from difflib import get_close_matches

import pyoxigraph as ox
from fastapi import Request, Response

from . import languages, vocabulary
from .answers import answer
from .formats import HTML, TURTLE, Format
from .pages import rule as pages_rule
from .parameters import only
from .problems import Problem
from .profiles.profile import OFFERED, OWN, own
from .profiles.subject import Subject
from .profiles.wish import wish
from .represent import SUFFIXED, graph_body, represent, show
from .resource import loaded
from .rules import headings, rules
from .speaking import language

LONGEST = 100  # characters of a name that is compared with others


def shape(request: Request, name: str) -> Response:
    """A shape, as a page with its reason and examples, or as RDF. Raises Problem 404 with a near name."""
    suffixed = SUFFIXED.fullmatch(name)
    name, suffix = (suffixed["path"], suffixed["suffix"]) if suffixed else (name, "")
    asked = wish(request, OFFERED, suffix, known={OWN: own(request.app.state.settings.base)})
    prefix = f"{request.app.state.settings.base}shapes#"
    graph = loaded(request, "shapes")
    names = {iri.removeprefix(prefix) for iri in subjects(graph) if iri.startswith(prefix)}
    if name not in names:
        raise unknown(name, near(name, names))
    node = ox.NamedNode(prefix + name)
    part = languages.as_asked(vocabulary.part(graph, node, prefix), asked.languages)

    def write(format_: Format) -> bytes:
        return shape_page(request, node, graph) if format_ is HTML else graph_body(request, part, format_)

    subject = Subject(node.value, f"/shapes/{name}", lambda: (), write)
    more = [f'<{node.value}>; rel="about"']
    return represent(request, asked, subject, more=more, languages=languages.of(part))


def example(request: Request, name: str) -> Response:
    """An example paper that passes the rules or breaks one. Raises Problem 404."""
    only(request)
    file = pages_rule.examples().get(name)
    if file is None:
        raise Problem(404, f"There is no example {name!r}. The page of each rule links its examples.")
    return answer(request, file.read_bytes(), TURTLE)


def shape_page(request: Request, node: ox.NamedNode, graph: list[ox.Triple]) -> bytes:
    """The page of a shape."""
    name = node.value.partition("#")[2]
    return show(
        request,
        "rule.html",
        iri=node.value,
        shape=vocabulary.shape(node, vocabulary.by_subject(graph), language()),
        rule=rules().get(name),
        headings=headings(),
        written=pages_rule.written().get(name),
        contrast=pages_rule.contrast(name),
        labels=vocabulary.names(graph),
    )


def subjects(graph: list[ox.Triple]) -> set[str]:
    """The IRIs that a graph says something about."""
    return {one.subject.value for one in graph if isinstance(one.subject, ox.NamedNode)}


def near(name: str, names: set[str]) -> str:
    """The name that was probably meant, whatever its capitals; empty where none is near."""
    known = {one.upper(): one for one in names}
    found = get_close_matches(name[:LONGEST].upper(), known, 1)
    return known[found[0]] if found else ""


def unknown(name: str, likely: str) -> Problem:
    """The 404 of a shape, with the name that was probably meant."""
    if likely:
        return Problem(404, f"There is no shape {name!r}. Did you mean {likely}?", suggestion=likely)
    return Problem(404, f"There is no shape {name!r}. The page /shapes lists them.")
