"""The pages of shapes, /shapes/{name}: source, reason, and valid and invalid example papers.

A shape is shown as it is written in Turtle. Its invalid example is shown as a diff against the valid one. A
misspelt name gets 404 with a suggestion.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, get_close_matches
from functools import cache
from itertools import dropwhile
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox
from fastapi import Request, Response

from ..http import language as http_language
from ..http.language import language
from ..http.parameters import only
from ..http.responses import answer
from ..problems import Problem
from ..rdf import vocabulary
from ..rdf.formats import HTML, TURTLE, Format
from ..settings import SHIPPED
from ..shacl.rules import headings, rules
from .alternates import Subject
from .negotiation import wish
from .ontology import loaded
from .profiles import OFFERED, OWN, own
from .representation import SUFFIXED, graph_body, represent, show

EXAMPLES = SHIPPED / "shapes" / "examples" / "issue-paper"
PASSES = "ok-final"  # all rules; those that break one differ from it by one change
CONTEXT = 2  # lines around those that differ
BLOCK = re.compile(r"^shape:(?P<name>[\w-]+)\n.*? \.$(?=\n\n|\n?\Z)", re.MULTILINE | re.DOTALL)

FAILING, PASSING, BOTH = "-", "+", " "
GAP = "…"


class Line(NamedTuple):
    """A line of two examples: whether it stands in the failing one, the passing one or both, or a gap."""

    mark: str
    text: str


class Contrast(NamedTuple):
    """An example that breaks a rule, the one that passes, both by name, and where they differ."""

    failing: str
    passing: str
    lines: Sequence[Line]


@cache
def written() -> dict[str, str]:
    """The shapes as people wrote them in Turtle, by their local names."""
    files = sorted((SHIPPED / "shapes").glob("*.ttl"))
    return {
        block["name"]: block[0]
        for file in files
        for block in BLOCK.finditer(file.read_text(encoding="utf-8"))
    }


@cache
def examples() -> dict[str, Path]:
    """The files of the example papers that pass and that break a rule, by their names."""
    return {file.name: file for file in sorted(EXAMPLES.glob("*.ttl"))}


@cache
def contrast(code: str) -> Contrast | None:
    """The example that breaks the rule of this code beside the one that passes; None where there is none."""
    failing, passing = (examples().get(f"{name}.ttl") for name in (f"bad-{code}", PASSES))
    if failing is None or passing is None:
        return None
    return Contrast(failing.name, passing.name, [*differences(failing, passing)])


def matcher(failing: Path, passing: Path) -> SequenceMatcher[str]:
    """What compares two examples line by line, whatever the white space."""
    one, other = ([" ".join(line.split()) for line in statements(file)] for file in (failing, passing))
    return SequenceMatcher(a=one, b=other, autojunk=False)


def statements(file: Path) -> list[str]:
    """The lines of an example without its first comment and its prefixes."""
    lines = dropwhile(lambda line: line.startswith("#"), file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if not line.startswith("@prefix")]


def differences(failing: Path, passing: Path) -> Iterator[Line]:
    """The lines in which two examples differ, with some lines around them."""
    one, other = statements(failing), statements(passing)
    for number, group in enumerate(matcher(failing, passing).get_grouped_opcodes(CONTEXT)):
        if number:
            yield Line(GAP, "")
        for tag, start, end, other_start, other_end in group:
            if tag == "equal":
                yield from (Line(BOTH, line) for line in one[start:end])
            else:
                yield from (Line(FAILING, line) for line in one[start:end])
                yield from (Line(PASSING, line) for line in other[other_start:other_end])


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
    part = http_language.as_asked(vocabulary.part(graph, node, prefix), asked.languages)

    def write(format_: Format) -> bytes:
        return shape_page(request, node, graph) if format_ is HTML else graph_body(request, part, format_)

    subject = Subject(node.value, f"/shapes/{name}", lambda: (), write)
    more = [f'<{node.value}>; rel="about"']
    return represent(request, asked, subject, more=more, languages=http_language.of(part))


def example(request: Request, name: str) -> Response:
    """An example paper that passes the rules or breaks one. Raises Problem 404."""
    only(request)
    file = examples().get(name)
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
        written=written().get(name),
        contrast=contrast(name),
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
