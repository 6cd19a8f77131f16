"""Writes a paper as Markdown, canonically: the same triples always give the same text.

What Markdown cannot hold raises UnsupportedStatementError with the statements: those that the template has no
place for, and texts with headings or unclosed comments, which would not be read back as text.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import pyoxigraph as ox
import yaml

from ...problems import Problem
from ...rdf.literals import build_value_literal, literal_value
from ...rdf.namespaces import expand_curie
from ...text import TextLines
from .graph import PaperGraph, trailing_number
from .outline import parse_outline
from .reader import parse_paper_triples
from .template import (
    ACTOR_HEADINGS,
    CRITERION_HEADINGS,
    FORUM_HEADINGS,
    FRONT_MATTER_KEYS,
    MECHANISM_HEADINGS,
    SECTION_HEADINGS,
    SWOT_HEADINGS,
    TemplateHeading,
)
from .values import iri_segment, prefixed_short_name, resource_path, slugify_words

LINE_MARK_CHARACTERS = "#*- \t"  # what a line may begin or end with by being written


class UnsupportedStatementError(ValueError):
    """Why a paper cannot be written, with the statements to blame; none where that cannot be told."""

    def __init__(self, message: str, statements: Sequence[ox.Triple]) -> None:
        """Take what is said, and the statements."""
        super().__init__(message)
        self.statements = statements


def find_unreadable_statements(
    triples: Iterable[ox.Triple], written: str, problem: Problem
) -> list[ox.Triple]:
    """The statements whose texts are why what was written cannot be read.

    Those are to blame that are no plain text by themselves; else those with the line of the problem.
    """
    texts = [(one, one.object.value) for one in triples if isinstance(one.object, ox.Literal)]
    line = strip_line_marks(TextLines(written).line(problem.members["line"]))
    outlines = [one for one, words in texts if has_markdown_structure(words)]
    return outlines or [
        one for one, words in texts if line and line in map(strip_line_marks, words.splitlines())
    ]


def has_markdown_structure(words: str) -> bool:
    """Whether a text has headings, or a comment without end."""
    try:
        return bool(parse_outline(words, 0).children)
    except Problem:
        return True


def strip_line_marks(line: str) -> str:
    """A line without the marks of a heading or list."""
    return line.strip(LINE_MARK_CHARACTERS)


# What reading says by itself; triples that lack it lose nothing when it is added.
IMPLIED_PROPERTIES = {
    expand_curie(one)
    for one in ("rdf:type", "rdfs:label", "dcterms:source", "wgig:illustrative", "wgig:round")
}
YES_NO_WORDS = {"true": "yes", "false": "no"}


class IndentedDumper(yaml.SafeDumper):
    """YAML whose lists are set in below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Set every list in."""
        del indentless
        super().increase_indent(flow, indentless=False)


def serialize_markdown_paper(triples: Iterable[ox.Triple]) -> str:
    """The paper as Markdown. Raises UnsupportedStatementError with what the form cannot hold."""
    given = list(triples)
    graph = PaperGraph(given)
    sections = [text for heading in SECTION_HEADINGS if (text := serialize_paper_section(graph, heading))]
    text = "\n\n".join([f"---\n{serialize_yaml(build_front_matter(graph))}---", *sections]) + "\n"
    check_paper_held(given, text)
    return text


def check_paper_held(given: Sequence[ox.Triple], text: str) -> None:
    """Raise UnsupportedStatementError unless the Markdown written says all of the paper, and no more."""
    try:
        kept = parse_paper_triples(text)[0]
    except Problem as problem:
        cause = f"Markdown cannot hold a text of this paper. {problem.detail}"
        raise UnsupportedStatementError(cause, find_unreadable_statements(given, text, problem)) from problem
    other = set(given).symmetric_difference(kept)
    lost = [one for one in given if one in other]
    added = [one for one in kept if one in other and one.predicate not in IMPLIED_PROPERTIES]
    if lost or added:
        raise UnsupportedStatementError(
            f"Markdown cannot hold this of the paper: {(lost + added)[0]} .", lost or added
        )


def serialize_yaml(values: dict[str, Any]) -> str:
    """A mapping as YAML, one line a value."""
    text: str = yaml.dump(values, Dumper=IndentedDumper, allow_unicode=True, sort_keys=False, width=1_000_000)
    return text


def build_front_matter(graph: PaperGraph) -> dict[str, Any]:
    """The keys of the head that have a value, in the order of the form."""
    paper = graph.paper
    values = {
        "paper": prefixed_short_name(paper, "paper"),
        "title": title_entry(graph),
        "language": paper_yaml_value(graph, "schema:inLanguage"),
        "issue": unwrap_single_value(
            [prefixed_short_name(one, "issue") for one in graph.values(paper, "wgig:issue")]
        ),
        "drafters": [drafter_entry(graph, one) for one in graph.values(paper, "wgig:drafter")],
        "posted": paper_yaml_value(graph, "wgig:posted"),
        "pages": paper_yaml_value(graph, "bibo:numPages"),
        "version": paper_yaml_value(graph, "schema:version"),
        "status": paper_yaml_value(graph, "schema:creativeWorkStatus"),
        "illustrative": paper_yaml_value(graph, "wgig:illustrative"),
        "source": unwrap_single_value([resource_path(one) for one in graph.values(paper, "dcterms:source")]),
        "cites": [resource_path(one, "document/") for one in graph.values(paper, "cito:cites")],
        "waivers": waiver_entries(graph),
    }
    return {key: values[key] for key in FRONT_MATTER_KEYS if values[key] not in ([], {})}


def paper_yaml_value(graph: PaperGraph, name: str) -> Any:
    """The values of a property of the paper, as YAML has them."""
    return unwrap_single_value([yaml_value(one) for one in graph.values(graph.paper, name)])


def yaml_value(term: ox.NamedNode | ox.Literal) -> Any:
    """A value as YAML has it: number, day or truth; as text where that would spell it in another way."""
    value = literal_value(term) if isinstance(term, ox.Literal) else None
    is_plain = type(value) in {int, date, bool} and build_value_literal(value) == term
    return value if is_plain else term.value


def unwrap_single_value(values: list[Any]) -> Any:
    """The one value, or the list of those that there are."""
    return values[0] if len(values) == 1 else values


def title_entry(graph: PaperGraph) -> Any:
    """The titles: one text, or a map from language to text."""
    language = graph.first_text(graph.paper, "schema:inLanguage") or "en"
    found: dict[str, list[str]] = {}
    for one in graph.values(graph.paper, "dcterms:title"):
        found.setdefault(one.language or language, []).append(one.value)
    by_language = {key: unwrap_single_value(values) for key, values in found.items()}
    return by_language[language] if list(by_language) == [language] else by_language


def drafter_entry(graph: PaperGraph, agent: ox.NamedNode) -> Any:
    """A drafter: the name in the graph, or what is said of somebody who is not there."""
    name = graph.first_text(agent, "foaf:name")
    if not name:
        return prefixed_short_name(agent, "agent")
    seats = [*graph.subjects_with("org:member", agent)]
    own = prefixed_short_name(agent, "agent")
    implied = f"{prefixed_short_name(graph.paper, 'paper')}-{slugify_words(name)}"
    values = {
        "name": name,
        "group": unwrap_single_value(
            [
                prefixed_short_name(one, "group")
                for node in seats or [agent]
                for one in graph.values(node, "wgig:stakeholderGroup")
            ]
        ),
        "id": [] if own == implied and slugify_words(name) else own,
        "member": True if seats else [],
    }
    return {key: value for key, value in values.items() if value != []}


def waiver_entries(graph: PaperGraph) -> dict[str, Any]:
    """The reasons of the waivers by the codes of their rules."""
    return {
        prefixed_short_name(rule, "shape"): unwrap_single_value(property_texts(graph, waiver, "wgig:reason"))
        for waiver in graph.parts("wgig:waiver")
        for rule in graph.values(waiver, "wgig:waives")
    }


def serialize_paper_section(graph: PaperGraph, heading: TemplateHeading) -> str:
    """A section with its heading, or an empty text where the paper says nothing in it."""
    blocks = list(SECTION_WRITERS[heading.key](graph))
    return "\n\n".join([f"## {heading.marked_title}", *blocks]) if blocks else ""


def iter_issue_blocks(graph: PaperGraph) -> Iterator[str]:
    """Section 1."""
    yield from property_texts(graph, graph.paper, "wgig:issueDescription")


def iter_category_blocks(graph: PaperGraph) -> Iterator[str]:
    """Section 2."""
    yield from format_bullet_list(
        [prefixed_short_name(one, "category") for one in graph.values(graph.paper, "wgig:category")]
    )


def iter_swot_blocks(graph: PaperGraph) -> Iterator[str]:
    """Section 3."""
    for node in graph.values(graph.paper, "wgig:swot"):
        for heading in SWOT_HEADINGS:
            yield from blocks_below_heading(
                3, heading.marked_title, format_bullet_list(property_texts(graph, node, heading.key))
            )


def iter_actor_blocks(graph: PaperGraph) -> Iterator[str]:
    """Section 4."""
    for heading in ACTOR_HEADINGS:
        found = sorted(graph.values(graph.paper, heading.key), key=lambda one: actor_number(graph, one))
        yield from blocks_below_heading(
            3, heading.marked_title, format_bullet_list([format_actor_item(graph, one) for one in found])
        )


def actor_number(graph: PaperGraph, node: ox.NamedNode) -> int:
    """The number that keeps an actor apart from earlier ones with a like name, 1 without."""
    name = graph.first_text(node, "foaf:name")
    return trailing_number(node, f"-{slugify_words(name) or 'actor'}" if name else node.value)


def format_actor_item(graph: PaperGraph, node: ox.NamedNode) -> str:
    """An actor by name, with the stakeholder group that the paper gives."""
    name = graph.first_text(node, "foaf:name") or prefixed_short_name(node, "agent")
    groups = [prefixed_short_name(one, "group") for one in graph.values(node, "wgig:stakeholderGroup")]
    return f"{name} ({', '.join(groups)})" if groups else name


def iter_forum_blocks(graph: PaperGraph) -> Iterator[str]:
    """Section 5."""
    for forum in graph.parts("wgig:forum"):
        yield from iter_part_blocks(graph, forum, FORUM_HEADINGS)


def iter_mechanism_blocks(graph: PaperGraph) -> Iterator[str]:
    """Section 6."""
    for mechanism in graph.parts("wgig:mechanism"):
        yield from iter_part_blocks(graph, mechanism, MECHANISM_HEADINGS)


def iter_part_blocks(
    graph: PaperGraph, node: ox.NamedNode, headings: Sequence[TemplateHeading]
) -> Iterator[str]:
    """A forum or mechanism by its name, with what is said of it."""
    yield format_name_heading(3, graph.first_text(node, "rdfs:label"))
    for heading in headings:
        said = property_texts(graph, node, heading.key)
        if heading.key == "wgig:makesDecisions":
            said = format_decisions(said)
        yield from blocks_below_heading(4, heading.marked_title, said)


def format_decisions(said: Sequence[str]) -> list[str]:
    """Whether a forum makes decisions; several answers, or a long one, are a list."""
    words = [YES_NO_WORDS.get(one, one) for one in said]
    return words if len(words) == 1 and "\n" not in words[0] else format_bullet_list(words)


def iter_adequacy_blocks(graph: PaperGraph) -> Iterator[str]:
    """Section 7: by criterion, then by mechanism where there are several."""
    found: dict[str, list[ox.NamedNode]] = {one.key: [] for one in CRITERION_HEADINGS if one.key}
    for one in graph.values(graph.paper, "wgig:assessment"):
        criterion = next(
            (
                prefixed_short_name(principle, "principle")
                for principle in graph.values(one, "wgig:criterion")
            ),
            "",
        )
        found.setdefault(criterion, []).append(one)
    written = {one.key: one.marked_title for one in CRITERION_HEADINGS}
    other = written[""]
    for criterion, assessments in found.items():
        if assessments:
            yield f"### {written.get(criterion, f'{other}: {criterion}')}"
            name = f"/{iri_segment(criterion)}"
            yield from iter_assessment_blocks(
                graph, sorted(assessments, key=lambda one: trailing_number(one, name))
            )


def iter_assessment_blocks(graph: PaperGraph, assessments: Sequence[ox.NamedNode]) -> Iterator[str]:
    """The assessments by one criterion; several stand below the names of their mechanisms."""
    for one in assessments:
        names = [format_mechanism_name(graph, judged) for judged in graph.values(one, "wgig:judges")]
        fields = {
            "Verdict": [
                prefixed_short_name(verdict, "verdict") for verdict in graph.values(one, "wgig:verdict")
            ]
        }
        if len(assessments) > 1 and names:
            yield format_name_heading(4, names.pop(0))
        fields["Mechanism"] = names
        fields["Cites"] = [
            ", ".join(resource_path(cited, "document/") for cited in graph.values(one, "cito:cites"))
        ]
        lines = [f"{key}: {value}" for key, values in fields.items() for value in values if value]
        if lines:
            yield "  \n".join(lines)
        yield from property_texts(graph, one, "wgig:rationale")


def format_mechanism_name(graph: PaperGraph, node: ox.NamedNode) -> str:
    """The name of a mechanism, or the end of the IRI of one that is not there."""
    return (
        graph.first_text(node, "rdfs:label")
        or prefixed_short_name(node, "paper").rpartition("/mechanism/")[2]
    )


def iter_comment_blocks(graph: PaperGraph) -> Iterator[str]:
    """Section 8."""
    yield from property_texts(graph, graph.paper, "wgig:additionalComments")


def property_texts(graph: PaperGraph, node: ox.NamedNode, name: str) -> list[str]:
    """The values of a property as text."""
    return [one.value for one in graph.values(node, name)]


def format_bullet_list(values: Sequence[str]) -> list[str]:
    """A list of values, or nothing where there are none; further lines of a value are set in."""
    lines = [bullet_mark(one) + one.replace("\n", "\n  ").replace("\n  \n", "\n\n") for one in values]
    return ["\n".join(lines)] if lines else []


def bullet_mark(value: str) -> str:
    """What the item of a value begins with; a hyphen before hyphens alone would be a rule across the page."""
    return "- " if value.partition("\n")[0].strip("- \t") else "* "


def format_name_heading(level: int, name: str) -> str:
    """A heading with a name of the author's; hashes at its end are kept from closing the heading."""
    closing = " #" if name.endswith("#") else ""
    return f"{'#' * level} {name}{closing}"


def blocks_below_heading(level: int, words: str, blocks: Sequence[str]) -> Iterator[str]:
    """Blocks below a heading, or nothing where there are none."""
    if blocks:
        yield f"{'#' * level} {words}"
        yield from blocks


SECTION_WRITERS = {
    "issue": iter_issue_blocks,
    "categories": iter_category_blocks,
    "swot": iter_swot_blocks,
    "actors": iter_actor_blocks,
    "forums": iter_forum_blocks,
    "mechanisms": iter_mechanism_blocks,
    "adequacy": iter_adequacy_blocks,
    "comments": iter_comment_blocks,
}
