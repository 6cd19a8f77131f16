"""Serialize a paper as canonical Markdown: equal sets of triples have equal texts.
The template has no place for some statements, and a text with a heading or an unclosed comment would not be
parsed as the same text. For such statements, UnsupportedStatementError is raised.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pyoxigraph as ox
import yaml
from wgig_client.literals import build_value_literal, literal_value

from ...problems import Problem
from ...rdf.namespaces import PAPER_NAMESPACE, expand_curie
from ...text import TextLines, slugify_words
from .graph import PaperGraph
from .normalization import NormalizedPaper, group_assessments
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
from .values import local_name, resource_path

LINE_MARK_CHARACTERS = "#*- \t"  # that the writer may add before or after the text of a line


class UnsupportedStatementError(ValueError):
    """A paper that cannot be written, with the statements that cause it; empty if they are not known."""

    def __init__(self, message: str, statements: Sequence[ox.Triple]) -> None:
        """Keep the message and the statements."""
        super().__init__(message)
        self.statements = statements


def find_unreadable_statements(
    triples: Iterable[ox.Triple], markdown: str, problem: Problem
) -> list[ox.Triple]:
    """The statements with texts because of which the serialized Markdown does not parse.

    These are texts with headings or unclosed comments. If there are none, they are the texts that contain the
    line of the problem.
    """
    texts = [(triple, triple.object.value) for triple in triples if isinstance(triple.object, ox.Literal)]
    line = strip_line_marks(TextLines(markdown).line(problem.members["line"]))
    structured = [triple for triple, text in texts if has_markdown_structure(text)]
    return structured or [
        triple for triple, text in texts if line and line in map(strip_line_marks, text.splitlines())
    ]


def has_markdown_structure(text: str) -> bool:
    """Whether a text has headings or an unclosed comment."""
    try:
        return bool(parse_outline(text, 0).children)
    except Problem:
        return True


def strip_line_marks(line: str) -> str:
    """A line without heading and list marks."""
    return line.strip(LINE_MARK_CHARACTERS)


# The reader adds these properties to every paper, so a paper may be written even if its triples lack them.
IMPLIED_PROPERTIES = {
    expand_curie(curie)
    for curie in ("rdf:type", "rdfs:label", "dcterms:source", "wgig:illustrative", "wgig:round")
}
YES_NO_TEXTS = {"true": "yes", "false": "no"}


class IndentedDumper(yaml.SafeDumper):
    """A YAML dumper that indents lists below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent every list."""
        del indentless
        super().increase_indent(flow, indentless=False)


def serialize_markdown_paper(triples: Iterable[ox.Triple]) -> str:
    """The paper as Markdown. Raises UnsupportedStatementError for statements that Markdown cannot hold."""
    statements = NormalizedPaper([*triples]).originals
    graph = PaperGraph(statements)
    sections = [serialize_paper_section(graph, heading) for heading in SECTION_HEADINGS]
    front_matter = f"---\n{serialize_yaml(build_front_matter(graph))}---"
    text = "\n\n".join([front_matter, *filter(None, sections)]) + "\n"
    check_markdown_complete(statements, text)
    return text


def check_markdown_complete(statements: Mapping[ox.Triple, ox.Triple], text: str) -> None:
    """Raise UnsupportedStatementError unless the Markdown parses to the normalized statements of the paper.

    The error has the original statements; `statements` has them by normalized statement.
    """
    try:
        parsed = parse_paper_triples(text)[0]
    except Problem as problem:
        cause = f"Markdown cannot contain one of the texts of this paper. {problem.detail}"
        unreadable = find_unreadable_statements(statements, text, problem)
        raise UnsupportedStatementError(cause, [statements[triple] for triple in unreadable]) from problem
    differences = set(statements).symmetric_difference(parsed)
    lost = [original for triple, original in statements.items() if triple in differences]
    added = [
        triple for triple in parsed if triple in differences and triple.predicate not in IMPLIED_PROPERTIES
    ]
    if lost or added:
        raise UnsupportedStatementError(
            f"Markdown cannot contain this statement of the paper: {(lost + added)[0]} .", lost or added
        )


def serialize_yaml(values: dict[str, Any]) -> str:
    """A mapping as YAML, with each string on one line."""
    text: str = yaml.dump(values, Dumper=IndentedDumper, allow_unicode=True, sort_keys=False, width=1_000_000)
    return text


def build_front_matter(graph: PaperGraph) -> dict[str, Any]:
    """The front matter: keys with their values, in the order of the template, without empty ones."""
    paper = graph.paper
    values = {
        "paper": local_name(paper, "paper"),
        "title": title_entry(graph),
        "language": paper_yaml_value(graph, "schema:inLanguage"),
        "issue": unwrap_single_value(
            [local_name(issue, "issue") for issue in graph.values(paper, "wgig:issue")]
        ),
        "drafters": [drafter_entry(graph, drafter) for drafter in graph.values(paper, "wgig:drafter")],
        "posted": paper_yaml_value(graph, "wgig:posted"),
        "pages": paper_yaml_value(graph, "bibo:numPages"),
        "version": paper_yaml_value(graph, "schema:version"),
        "status": paper_yaml_value(graph, "schema:creativeWorkStatus"),
        "illustrative": paper_yaml_value(graph, "wgig:illustrative"),
        "source": unwrap_single_value(
            [resource_path(source) for source in graph.values(paper, "dcterms:source")]
        ),
        "cites": [resource_path(passage, "document/") for passage in graph.values(paper, "cito:cites")],
        "waivers": waiver_entries(graph),
    }
    return {key: values[key] for key in FRONT_MATTER_KEYS if values[key] not in ([], {})}


def paper_yaml_value(graph: PaperGraph, curie: str) -> Any:
    """The value of a property of the paper as YAML, or the list if there are several or none."""
    return unwrap_single_value([yaml_value(value) for value in graph.values(graph.paper, curie)])


def yaml_value(term: ox.NamedNode | ox.Literal) -> Any:
    """A term as a YAML value: an int, date or bool if its text is canonical, else a string."""
    value = literal_value(term) if isinstance(term, ox.Literal) else None
    is_canonical = type(value) in {int, date, bool} and build_value_literal(value) == term
    return value if is_canonical else term.value


def unwrap_single_value(values: list[Any]) -> Any:
    """The only value, or the list if there are several or none."""
    return values[0] if len(values) == 1 else values


def title_entry(graph: PaperGraph) -> Any:
    """The title as a string if it is in the language of the paper, else a mapping from language to title."""
    language = graph.first_text(graph.paper, "schema:inLanguage") or "en"
    titles_by_language: dict[str, list[str]] = {}
    for title in graph.values(graph.paper, "dcterms:title"):
        titles_by_language.setdefault(title.language or language, []).append(title.value)
    titles = {key: unwrap_single_value(values) for key, values in titles_by_language.items()}
    return titles[language] if list(titles) == [language] else titles


def drafter_entry(graph: PaperGraph, agent: ox.NamedNode) -> Any:
    """A drafter: the short name of an agent of the bundled facts, or a mapping that describes a person."""
    name = graph.first_text(agent, "foaf:name")
    memberships = [*graph.subjects_with("org:member", agent)]
    short_name = local_name(agent, "agent")
    # The reader generates this short name, so that the key `id` is not needed.
    generated_name = f"{local_name(graph.paper, 'paper')}-{slugify_words(name)}"
    values = {
        "name": name or [],
        "group": unwrap_single_value(
            [
                local_name(group, "group")
                for node in memberships or [agent]
                for group in graph.values(node, "wgig:stakeholderGroup")
            ]
        ),
        "id": [] if name and short_name == generated_name and slugify_words(name) else short_name,
        "member": True if memberships else [],
    }
    entry = {key: value for key, value in values.items() if value != []}  # [] stands for no value
    return short_name if list(entry) == ["id"] else entry


def waiver_entries(graph: PaperGraph) -> dict[str, Any]:
    """The reasons of the waivers, by rule code."""
    return {
        local_name(rule, "shape"): unwrap_single_value(property_texts(graph, waiver, "wgig:reason"))
        for waiver in graph.parts("wgig:waiver")
        for rule in graph.values(waiver, "wgig:waives")
    }


def serialize_paper_section(graph: PaperGraph, heading: TemplateHeading) -> str:
    """A section with its heading, or an empty string if the section is empty."""
    blocks = list(SECTION_WRITERS[heading.key](graph))
    return "\n\n".join([f"## {heading.marked_title}", *blocks]) if blocks else ""


def iter_issue_blocks(graph: PaperGraph) -> Iterator[str]:
    """The blocks of section 1: the description of the issue."""
    yield from property_texts(graph, graph.paper, "wgig:issueDescription")


def iter_category_blocks(graph: PaperGraph) -> Iterator[str]:
    """The blocks of section 2: a list of categories."""
    yield from format_bullet_list(
        [local_name(category, "category") for category in graph.values(graph.paper, "wgig:category")]
    )


def iter_swot_blocks(graph: PaperGraph) -> Iterator[str]:
    """The blocks of section 3: the points of the SWOT analysis below their headings."""
    for node in graph.values(graph.paper, "wgig:swot"):
        for heading in SWOT_HEADINGS:
            yield from blocks_below_heading(
                3, heading.marked_title, format_bullet_list(property_texts(graph, node, heading.key))
            )


def iter_actor_blocks(graph: PaperGraph) -> Iterator[str]:
    """The blocks of section 4: the main actor and other actors."""
    for heading in ACTOR_HEADINGS:
        actors = sorted(graph.values(graph.paper, heading.key), key=graph.actor_number)
        yield from blocks_below_heading(
            3, heading.marked_title, format_bullet_list([format_actor_item(graph, actor) for actor in actors])
        )


def format_actor_item(graph: PaperGraph, node: ox.NamedNode) -> str:
    """An actor as `Name (group, group)`, with the stakeholder groups that the paper states."""
    name = graph.first_text(node, "foaf:name") if graph.is_described(node) else local_name(node, "agent")
    groups = [local_name(group, "group") for group in graph.values(node, "wgig:stakeholderGroup")]
    return " ".join(filter(None, (name, f"({', '.join(groups)})" if groups else "")))


def iter_forum_blocks(graph: PaperGraph) -> Iterator[str]:
    """The blocks of section 5: forums."""
    for forum in graph.parts("wgig:forum"):
        yield from iter_part_blocks(graph, forum, FORUM_HEADINGS, {})


def iter_mechanism_blocks(graph: PaperGraph) -> Iterator[str]:
    """The blocks of section 6: governance mechanisms."""
    for mechanism in graph.parts("wgig:mechanism"):
        subjects = [resource_path(subject) for subject in graph.values(mechanism, "wgig:about")]
        yield from iter_part_blocks(graph, mechanism, MECHANISM_HEADINGS, {"About": subjects})


def iter_part_blocks(
    graph: PaperGraph,
    node: ox.NamedNode,
    headings: Sequence[TemplateHeading],
    fields: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    """The blocks of a forum or mechanism: the heading with its name, its fields, then its properties."""
    yield format_name_heading(3, graph.first_text(node, "rdfs:label"))
    yield from format_field_lines(fields)
    for heading in headings:
        texts = property_texts(graph, node, heading.key)
        if heading.key == "wgig:makesDecisions":
            texts = format_decisions(texts)
        yield from blocks_below_heading(4, heading.marked_title, texts)


def format_decisions(texts: Sequence[str]) -> list[str]:
    """The values of `Makes decisions`: a list, or one block if there is one value on one line."""
    values = [YES_NO_TEXTS.get(text, text) for text in texts]
    return values if len(values) == 1 and "\n" not in values[0] else format_bullet_list(values)


def iter_adequacy_blocks(graph: PaperGraph) -> Iterator[str]:
    """The blocks of section 7: assessments by criterion."""
    titles = {heading.key: heading.marked_title for heading in CRITERION_HEADINGS}
    other_title = titles[""]
    for principle, assessments in group_assessments(graph).items():
        if assessments:
            yield f"### {titles.get(principle, f'{other_title}: {principle}')}"
            yield from iter_assessment_blocks(graph, assessments)


def iter_assessment_blocks(graph: PaperGraph, assessments: Sequence[ox.NamedNode]) -> Iterator[str]:
    """The blocks of the assessments by one criterion. If there are several, each is below its mechanism."""
    for assessment in assessments:
        names = [
            format_mechanism_name(graph, mechanism) for mechanism in graph.values(assessment, "wgig:judges")
        ]
        fields = {
            "Verdict": [
                local_name(verdict, "verdict") for verdict in graph.values(assessment, "wgig:verdict")
            ]
        }
        if len(assessments) > 1 and names:
            yield format_name_heading(4, names.pop(0))
        fields["Mechanism"] = names
        fields["Cites"] = [
            ", ".join(resource_path(cited, "document/") for cited in graph.values(assessment, "cito:cites"))
        ]
        yield from format_field_lines(fields)
        yield from property_texts(graph, assessment, "wgig:rationale")


def format_field_lines(fields: Mapping[str, Sequence[str]]) -> list[str]:
    """The lines `Key: value` as one block; empty if there are no values."""
    lines = [f"{key}: {value}" for key, values in fields.items() for value in values if value]
    return ["  \n".join(lines)] if lines else []


def format_mechanism_name(graph: PaperGraph, node: ox.NamedNode) -> str:
    """The name of a mechanism of the paper, or the path of a body or instrument of the graph.

    For a mechanism without a label, it is the end of the IRI.
    """
    if label := graph.first_text(node, "rdfs:label"):
        return label
    if node.value.startswith(PAPER_NAMESPACE):
        return local_name(node, "paper").rpartition("/mechanism/")[2]
    return resource_path(node)


def iter_comment_blocks(graph: PaperGraph) -> Iterator[str]:
    """The blocks of section 8: additional comments."""
    yield from property_texts(graph, graph.paper, "wgig:additionalComments")


def property_texts(graph: PaperGraph, node: ox.NamedNode, curie: str) -> list[str]:
    """The values of a property as texts."""
    return [value.value for value in graph.values(node, curie)]


def format_bullet_list(values: Sequence[str]) -> list[str]:
    """A Markdown list as one block; empty if there are no values. Further lines of a value are indented."""
    lines = [bullet_mark(value) + value.replace("\n", "\n  ").replace("\n  \n", "\n\n") for value in values]
    return ["\n".join(lines)] if lines else []


def bullet_mark(value: str) -> str:
    """The list mark for a value: an asterisk before hyphens, as `- ---` would be a thematic break."""
    return "- " if value.partition("\n")[0].strip("- \t") else "* "


def format_name_heading(level: int, name: str) -> str:
    """A heading with a name. After a final #, which Markdown would remove, ` #` is added."""
    closing = " #" if name.endswith("#") else ""
    return f"{'#' * level} {name}{closing}"


def blocks_below_heading(level: int, title: str, blocks: Sequence[str]) -> Iterator[str]:
    """The heading and the blocks, or nothing if there are no blocks."""
    if blocks:
        yield f"{'#' * level} {title}"
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
