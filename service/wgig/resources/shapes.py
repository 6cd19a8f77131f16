"""The pages of shapes, /shapes/{name}: Turtle source, reason, and valid and invalid example papers.

The invalid example is shown as a diff against the valid one. A misspelled name gets 404 with a suggestion.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import dropwhile
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pyoxigraph as ox
from fastapi import Path as PathParameter
from fastapi import Query, Request, Response

from ..http import language as http_language
from ..http.language import current_language
from ..http.operations import Operation
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem
from ..rdf import vocabulary
from ..rdf.formats import HTML, TURTLE, Format
from ..settings import SHIPPED_FOLDER
from ..shacl.rules import rules_by_code, section_headings
from ..text import find_near_name
from .alternates import Resource
from .ontology import require_graph_triples
from .parameters import NegotiationParameters, make_profile_operation
from .profile_negotiation import parse_preferences
from .profiles import DEFAULT_PROFILE_FORMATS, DEFAULT_PROFILE_TOKEN, default_profile
from .representation import (
    SUFFIXED_PATH_PATTERN,
    render_site_page,
    respond_with_resource,
    serialize_graph_body,
)
from .schemas import GraphDocument

EXAMPLE_PAPERS_FOLDER = SHIPPED_FOLDER / "shapes" / "examples" / "issue-paper"
VALID_EXAMPLE_NAME = "ok-final"  # passes all rules; each invalid example differs from it by one change
DIFF_CONTEXT_LINES = 2  # unchanged lines around a difference
# A shape in a Turtle file, from its name to the dot before an empty line.
SHAPE_BLOCK_PATTERN = re.compile(r"^shape:(?P<name>[\w-]+)\n.*? \.$(?=\n\n|\n?\Z)", re.MULTILINE | re.DOTALL)

FAILING_MARK, PASSING_MARK, SHARED_MARK = "-", "+", " "
GAP_MARK = "…"


class DiffLine(NamedTuple):
    """A line of a diff: with FAILING_MARK or PASSING_MARK only in that file; GAP_MARK for left out lines."""

    mark: str
    text: str


class ExampleDiff(NamedTuple):
    """The diff between an example that breaks a rule and the passing one, with their file names."""

    failing: str
    passing: str
    lines: Sequence[DiffLine]


@cache
def read_shape_sources() -> dict[str, str]:
    """The Turtle source of each shape, by local name."""
    files = sorted((SHIPPED_FOLDER / "shapes").glob("*.ttl"))
    return {
        block["name"]: block[0]
        for file in files
        for block in SHAPE_BLOCK_PATTERN.finditer(file.read_text(encoding="utf-8"))
    }


@cache
def example_papers_by_name() -> dict[str, Path]:
    """The files of all example papers, by file name."""
    return {file.name: file for file in sorted(EXAMPLE_PAPERS_FOLDER.glob("*.ttl"))}


@cache
def diff_rule_example(code: str) -> ExampleDiff | None:
    """The diff between the example that breaks this rule and the passing one; None if there is no example."""
    failing, passing = (
        example_papers_by_name().get(f"{name}.ttl") for name in (f"bad-{code}", VALID_EXAMPLE_NAME)
    )
    if failing is None or passing is None:
        return None
    return ExampleDiff(failing.name, passing.name, [*diff_example_lines(failing, passing)])


def example_matcher(failing: Path, passing: Path) -> SequenceMatcher[str]:
    """A matcher that compares two examples line by line, ignoring white space."""
    failing_lines, passing_lines = (
        [" ".join(line.split()) for line in read_example_lines(file)] for file in (failing, passing)
    )
    return SequenceMatcher(a=failing_lines, b=passing_lines, autojunk=False)


def read_example_lines(file: Path) -> list[str]:
    """The lines of an example without the comment at its top and the prefixes."""
    lines = dropwhile(lambda line: line.startswith("#"), file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if not line.startswith("@prefix")]


def diff_example_lines(failing: Path, passing: Path) -> Iterator[DiffLine]:
    """The lines in which two examples differ, with DIFF_CONTEXT_LINES around them."""
    failing_lines, passing_lines = read_example_lines(failing), read_example_lines(passing)
    for number, group in enumerate(example_matcher(failing, passing).get_grouped_opcodes(DIFF_CONTEXT_LINES)):
        if number:
            yield DiffLine(GAP_MARK, "")
        for tag, start, end, passing_start, passing_end in group:
            if tag == "equal":
                yield from (DiffLine(SHARED_MARK, line) for line in failing_lines[start:end])
            else:
                yield from (DiffLine(FAILING_MARK, line) for line in failing_lines[start:end])
                yield from (DiffLine(PASSING_MARK, line) for line in passing_lines[passing_start:passing_end])


SHAPE_OPERATION = make_profile_operation(DEFAULT_PROFILE_FORMATS, GraphDocument)
EXAMPLE_PAPER_OPERATION = Operation(formats=(TURTLE,))


ShapeName = Annotated[
    str,
    PathParameter(
        description="The name of a shape; a suffix such as `.ttl` selects a format.",
        examples=["WGIG-7B-MISSING"],
    ),
]
ExamplePaperName = Annotated[
    str, PathParameter(description="The file name of an example.", examples=[f"{VALID_EXAMPLE_NAME}.ttl"])
]


def get_shape(
    context: ContextDep, name: ShapeName, parameters: Annotated[NegotiationParameters, Query()]
) -> Response:
    """A shape, as a page with its reason and examples, or as RDF. Raises Problem 404 for an unknown name."""
    suffixed = SUFFIXED_PATH_PATTERN.fullmatch(name)
    name, suffix = (suffixed["path"], suffixed["suffix"]) if suffixed else (name, "")
    profiles = {DEFAULT_PROFILE_TOKEN: default_profile(context.base)}
    preferences = parse_preferences(context, parameters, DEFAULT_PROFILE_FORMATS, suffix, profiles)
    prefix = f"{context.base}shapes#"
    graph = require_graph_triples(context, "shapes")
    names = {iri.removeprefix(prefix) for iri in subject_iris(graph) if iri.startswith(prefix)}
    if name not in names:
        raise unknown_shape_problem(name, find_near_name(name, names))
    node = ox.NamedNode(prefix + name)
    triples = http_language.keep_requested_languages(
        vocabulary.extract_subgraph(graph, node, prefix), preferences.languages
    )

    def write(format_: Format) -> bytes:
        return (
            render_shape_page(context, node, graph)
            if format_ is HTML
            else serialize_graph_body(context, triples, format_)
        )

    resource = Resource(node.value, f"/shapes/{name}", lambda: (), write)
    links = [f'<{node.value}>; rel="about"']
    return respond_with_resource(
        context,
        preferences,
        resource,
        extra_links=links,
        find_languages=lambda _: http_language.list_statement_languages(triples),
    )


def get_example_paper(request: Request, name: ExamplePaperName) -> Response:
    """An example paper that passes the rules or breaks one. Raises Problem 404 for an unknown name."""
    file = example_papers_by_name().get(name)
    if file is None:
        raise Problem(404, f"There is no example {name!r}. The page of each rule links to its examples.")
    return respond_with_body(request, file.read_bytes(), TURTLE)


def render_shape_page(context: RequestContext, node: ox.NamedNode, graph: list[ox.Triple]) -> bytes:
    """The page of a shape; `graph` has the triples of all shapes."""
    name = node.value.partition("#")[2]
    rule = rules_by_code().get(name)
    rules: list[Any] = [*rules_by_code().values()]
    shapes: list[Any] = vocabulary.list_node_shapes(graph)
    siblings = rules if rule else shapes
    position = next((number for number, other in enumerate(siblings) if other.iri == node.value), None)
    using = find_using_shapes(graph, node)
    return render_site_page(
        context,
        "rule.html",
        iri=node.value,
        shape=vocabulary.build_node_shape(
            node, vocabulary.group_objects_by_subject(graph), current_language()
        ),
        rule=rule,
        previous=siblings[position - 1] if position else None,
        next=None if position is None else next(iter(siblings[position + 1 : position + 2]), None),
        users=[user for user in rules + shapes if user.iri in using],
        headings=section_headings(),
        source=read_shape_sources().get(name),
        example_diff=diff_rule_example(name),
        labels=vocabulary.labels_by_node(graph),
    )


def find_using_shapes(graph: list[ox.Triple], node: ox.NamedNode) -> set[str]:
    """The IRIs of the shapes that refer to a shape, also through blank nodes."""
    subjects_by_object: dict[Any, list[Any]] = {}
    for triple in graph:
        subjects_by_object.setdefault(triple.object, []).append(triple.subject)
    found: set[str] = set()
    pending: list[Any] = [node]
    while pending:
        for subject in subjects_by_object.get(pending.pop(), ()):
            if isinstance(subject, ox.NamedNode):
                found.add(subject.value)
            else:
                pending.append(subject)
    return found


def subject_iris(graph: list[ox.Triple]) -> set[str]:
    """The IRIs that are subjects in a graph."""
    return {triple.subject.value for triple in graph if isinstance(triple.subject, ox.NamedNode)}


def unknown_shape_problem(name: str, suggestion: str) -> Problem:
    """The 404 for a shape; `suggestion` is a similar name, or empty."""
    if suggestion:
        return Problem(404, f"There is no rule {name!r}. Did you mean {suggestion}?", suggestion=suggestion)
    return Problem(404, f"There is no rule {name!r}.")
