"""The pages of shapes, /shapes/{name}: source, reason, and valid and invalid example papers.

A shape is shown as it is written in Turtle. Its invalid example is shown as a diff against the valid one. A
misspelt name gets 404 with a suggestion.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import dropwhile
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox
from fastapi import Request, Response

from ..http import language as http_language
from ..http.language import current_language
from ..http.parameters import check_query_parameters
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem
from ..rdf import vocabulary
from ..rdf.formats import HTML, TURTLE, Format
from ..settings import SHIPPED_FOLDER
from ..shacl.rules import rules_by_code, section_headings
from ..text import find_near_name
from .alternates import Resource
from .ontology import get_shipped_triples
from .profile_negotiation import parse_preferences
from .profiles import OWN_PROFILE_FORMATS, OWN_PROFILE_TOKEN, own_profile
from .representation import (
    SUFFIXED_PATH_PATTERN,
    render_site_page,
    respond_with_resource,
    serialize_graph_body,
)

EXAMPLE_PAPERS_FOLDER = SHIPPED_FOLDER / "shapes" / "examples" / "issue-paper"
VALID_EXAMPLE_NAME = "ok-final"  # all rules; those that break one differ from it by one change
DIFF_CONTEXT_LINES = 2  # lines around those that differ
SHAPE_BLOCK_PATTERN = re.compile(r"^shape:(?P<name>[\w-]+)\n.*? \.$(?=\n\n|\n?\Z)", re.MULTILINE | re.DOTALL)

FAILING_MARK, PASSING_MARK, SHARED_MARK = "-", "+", " "
GAP_MARK = "…"


class DiffLine(NamedTuple):
    """A line of two examples: whether it stands in the failing one, the passing one or both, or a gap."""

    mark: str
    text: str


class ExampleDiff(NamedTuple):
    """An example that breaks a rule, the one that passes, both by name, and where they differ."""

    failing: str
    passing: str
    lines: Sequence[DiffLine]


@cache
def read_shape_sources() -> dict[str, str]:
    """The shapes as people wrote them in Turtle, by their local names."""
    files = sorted((SHIPPED_FOLDER / "shapes").glob("*.ttl"))
    return {
        block["name"]: block[0]
        for file in files
        for block in SHAPE_BLOCK_PATTERN.finditer(file.read_text(encoding="utf-8"))
    }


@cache
def example_papers_by_name() -> dict[str, Path]:
    """The files of the example papers that pass and that break a rule, by their names."""
    return {file.name: file for file in sorted(EXAMPLE_PAPERS_FOLDER.glob("*.ttl"))}


@cache
def diff_rule_example(code: str) -> ExampleDiff | None:
    """The example that breaks the rule of this code beside the one that passes; None where there is none."""
    failing, passing = (
        example_papers_by_name().get(f"{name}.ttl") for name in (f"bad-{code}", VALID_EXAMPLE_NAME)
    )
    if failing is None or passing is None:
        return None
    return ExampleDiff(failing.name, passing.name, [*diff_example_lines(failing, passing)])


def example_matcher(failing: Path, passing: Path) -> SequenceMatcher[str]:
    """What compares two examples line by line, whatever the white space."""
    one, other = (
        [" ".join(line.split()) for line in read_example_lines(file)] for file in (failing, passing)
    )
    return SequenceMatcher(a=one, b=other, autojunk=False)


def read_example_lines(file: Path) -> list[str]:
    """The lines of an example without its first comment and its prefixes."""
    lines = dropwhile(lambda line: line.startswith("#"), file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if not line.startswith("@prefix")]


def diff_example_lines(failing: Path, passing: Path) -> Iterator[DiffLine]:
    """The lines in which two examples differ, with some lines around them."""
    one, other = read_example_lines(failing), read_example_lines(passing)
    for number, group in enumerate(example_matcher(failing, passing).get_grouped_opcodes(DIFF_CONTEXT_LINES)):
        if number:
            yield DiffLine(GAP_MARK, "")
        for tag, start, end, other_start, other_end in group:
            if tag == "equal":
                yield from (DiffLine(SHARED_MARK, line) for line in one[start:end])
            else:
                yield from (DiffLine(FAILING_MARK, line) for line in one[start:end])
                yield from (DiffLine(PASSING_MARK, line) for line in other[other_start:other_end])


def get_shape(context: ContextDep, name: str) -> Response:
    """A shape, as a page with its reason and examples, or as RDF. Raises Problem 404 with a near name."""
    suffixed = SUFFIXED_PATH_PATTERN.fullmatch(name)
    name, suffix = (suffixed["path"], suffixed["suffix"]) if suffixed else (name, "")
    asked = parse_preferences(
        context, OWN_PROFILE_FORMATS, suffix, known={OWN_PROFILE_TOKEN: own_profile(context.base)}
    )
    prefix = f"{context.base}shapes#"
    graph = get_shipped_triples(context, "shapes")
    names = {iri.removeprefix(prefix) for iri in subject_iris(graph) if iri.startswith(prefix)}
    if name not in names:
        raise unknown_shape_problem(name, find_near_name(name, names))
    node = ox.NamedNode(prefix + name)
    part = http_language.keep_requested_languages(
        vocabulary.extract_subgraph(graph, node, prefix), asked.languages
    )

    def write(format_: Format) -> bytes:
        return (
            render_shape_page(context, node, graph)
            if format_ is HTML
            else serialize_graph_body(context, part, format_)
        )

    subject = Resource(node.value, f"/shapes/{name}", lambda: (), write)
    more = [f'<{node.value}>; rel="about"']
    return respond_with_resource(
        context, asked, subject, more=more, languages=http_language.list_statement_languages(part)
    )


def get_example_paper(request: Request, name: str) -> Response:
    """An example paper that passes the rules or breaks one. Raises Problem 404."""
    check_query_parameters(request)
    file = example_papers_by_name().get(name)
    if file is None:
        raise Problem(404, f"There is no example {name!r}. The page of each rule links its examples.")
    return respond_with_body(request, file.read_bytes(), TURTLE)


def render_shape_page(context: RequestContext, node: ox.NamedNode, graph: list[ox.Triple]) -> bytes:
    """The page of a shape."""
    name = node.value.partition("#")[2]
    return render_site_page(
        context,
        "rule.html",
        iri=node.value,
        shape=vocabulary.build_node_shape(
            node, vocabulary.group_objects_by_subject(graph), current_language()
        ),
        rule=rules_by_code().get(name),
        headings=section_headings(),
        written=read_shape_sources().get(name),
        contrast=diff_rule_example(name),
        labels=vocabulary.labels_by_node(graph),
    )


def subject_iris(graph: list[ox.Triple]) -> set[str]:
    """The IRIs that a graph says something about."""
    return {one.subject.value for one in graph if isinstance(one.subject, ox.NamedNode)}


def unknown_shape_problem(name: str, likely: str) -> Problem:
    """The 404 of a shape, with the name that was probably meant."""
    if likely:
        return Problem(404, f"There is no shape {name!r}. Did you mean {likely}?", suggestion=likely)
    return Problem(404, f"There is no shape {name!r}. The page /shapes lists them.")
