"""Convert the body of a paper in Markdown, which has eight sections, to statements.

A section is recognized by its heading. A heading that is not in the template is an error with a suggestion.
The module `statements` explains slots. A criterion is a principle of the Declaration of Principles.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.namespaces import expand_curie
from ...text import TextLines, slugify_words
from .outline import (
    MarkdownBlock,
    OutlineNode,
    first_word_offset,
    is_blank_line,
    join_block_lines,
    paper_syntax_problem,
)
from .statements import PaperStatements
from .template import (
    ACTOR_HEADINGS,
    ASSESSMENT_FIELDS,
    CRITERION_HEADINGS,
    FORUM_FIELDS,
    FORUM_HEADINGS,
    MECHANISM_FIELDS,
    MECHANISM_HEADINGS,
    SECTION_HEADINGS,
    SWOT_HEADINGS,
    TemplateHeading,
    build_criterion_label,
    find_nearest_heading,
    find_nearest_key,
    normalize_words,
    recognize_criterion,
    recognize_heading,
)
from .values import (
    category_iri,
    concept_iri,
    find_graph_mechanism,
    find_known_agent,
    iri_segment,
    mechanism_iri,
    parse_boolean,
    passage_iri,
    strip_name_prefix,
)


class HeadingMatcher:
    """Finds the template heading for each heading of a text."""

    def __init__(self, text: str) -> None:
        """Keep the text, from which problems quote an excerpt."""
        self.text = text

    def match_headings(
        self, nodes: Sequence[OutlineNode], headings: Sequence[TemplateHeading], level: int, container: str
    ) -> Iterator[tuple[TemplateHeading, OutlineNode]]:
        """The template heading of each node, with the node.

        Raises Problem 400 for an unknown or repeated heading, or one of another level. `container` begins the
        error message, such as `Section 3`.
        """
        nodes_by_heading: dict[TemplateHeading, OutlineNode] = {}
        for node in nodes:
            heading = recognize_heading(node.title, headings)
            if not heading or node.level != level:
                raise self.unknown_heading_problem(node, headings, level, container)
            if heading in nodes_by_heading:
                raise self.duplicate_heading_problem(
                    node, nodes_by_heading[heading], container, heading.marked_title
                )
            nodes_by_heading[heading] = node
            yield heading, node

    def duplicate_heading_problem(
        self, node: OutlineNode, first: OutlineNode, container: str, title: str
    ) -> Problem:
        """The Problem 400 for a heading that occurs twice; `first` is the first occurrence."""
        line = TextLines(self.text).locate(first.offset).line
        fix = f"Write below the first heading, on line {line}, and remove this heading."
        return paper_syntax_problem(
            self.text, node.offset, f"{container} has the heading {title} twice.", fix
        )

    def unknown_heading_problem(
        self, node: OutlineNode, headings: Sequence[TemplateHeading], level: int, container: str
    ) -> Problem:
        """The Problem 400 for a heading that the template does not have here."""
        marks = "#" * level
        title = f"{'#' * node.level} {node.title}"
        correction = None
        if nearest := find_nearest_heading(node.title, headings):
            suggestion = f"Did you mean `{marks} {nearest}`?"
            correction = (title, f"{marks} {nearest}")
        elif headings:
            suggestion = (
                f"Its headings are: {', '.join(f'`{marks} {heading.marked_title}`' for heading in headings)}."
            )
        else:
            suggestion = "Write text without headings instead."
        cause = (
            f"The heading `{title}` is not a section of the template."
            if headings is SECTION_HEADINGS
            else f"{container} has no heading `{title}`."
        )
        return paper_syntax_problem(self.text, node.offset, cause, suggestion, correction)

    def check_no_text(self, node: OutlineNode, location: str, suggestion: str) -> None:
        """Raise Problem 400 for text directly below a heading that may have only sub-headings."""
        if node.text:
            raise paper_syntax_problem(self.text, node.text_offset, f"There is text {location}.", suggestion)

    def check_no_headings(self, node: OutlineNode, container: str) -> None:
        """Raise Problem 400 for a sub-heading below a heading that may have only text."""
        for child in node.children:
            raise self.unknown_heading_problem(child, [], child.level, container)

    def named_children(
        self, node: OutlineNode, level: int, container: str, each_part: str
    ) -> list[OutlineNode]:
        """The sub-headings, each with a name. Raises Problem 400 for text before them or for other levels.

        `each_part` is the subject of the error message, such as `each forum`.
        """
        marks = "#" * level
        self.check_no_text(
            node, f"in {container} before its first heading", f"Start {each_part} with {marks} and its name."
        )
        for child in node.children:
            if child.level != level or not child.title:
                owner = f"{container[0].upper()}{container[1:]}"
                cause = f"{owner} has no heading {'#' * child.level} {child.title}.".strip()
                raise paper_syntax_problem(
                    self.text, child.offset, cause, f"Start {each_part} with {marks} and its name."
                )
        return node.children

    def list_values(self, node: OutlineNode, container: str) -> list[MarkdownBlock]:
        """The values below a heading: each list item, and each block that is not a list."""
        self.check_no_headings(node, container)
        return [item for block in node.blocks for item in (block.items or [block]) if item.text]


# `Name (group, group)`, or `(group)` for an actor without a name
ACTOR_PATTERN = re.compile(r"(?:(.*\S) ?)?\((?! ?[,)])([^()]*)\)")
# `Verdict: adequate`, also as a list item or with an emphasized key: `- **Verdict:** adequate`
FIELD_PATTERN = re.compile(r" {0,3}(?:[-*+] +)?([*_]{0,2})(\w+) ?(?::\1|\1 ?:)[ \t]*(.*)")
CITED_PATH_PATTERN = re.compile(r"[^\s,;]+")


ParsedField = tuple[str, ox.NamedNode, int]  # key, value, and the offset of the value


class ParsedAssessment(NamedTuple):
    """An assessment: its heading, its fields, and the lines of the reason."""

    node: OutlineNode
    fields: list[ParsedField]
    reason: Sequence[MarkdownBlock]


class BodyReader(HeadingMatcher):
    """Converts the sections of a text to statements. A parameter `section` is the number of a section."""

    def __init__(self, text: str, root: OutlineNode, statements: PaperStatements) -> None:
        """Find the title and the sections. Raises Problem 400 for text before the first section."""
        super().__init__(text)
        self.statements = statements
        self.mechanisms: dict[str, ox.NamedNode] = {}
        self.title = next(
            (
                child
                for child in root.children
                if child.level == 1 and not recognize_heading(child.title, SECTION_HEADINGS)
            ),
            None,
        )
        untitled_sections = [child for child in root.children if child is not self.title]
        self.sections = untitled_sections + (self.title.children if self.title else [])
        for node in [root, *filter(None, [self.title])]:
            self.check_no_text(node, "before section 1", "Put it below the heading of a section.")

    def read_sections(self) -> None:
        """Convert all sections, in the order of the template.

        Raises Problem 400 for headings and text that do not fit the template.
        """
        nodes_by_heading = dict(self.match_headings(self.sections, SECTION_HEADINGS, 2, "The paper"))
        for heading in SECTION_HEADINGS:
            if heading in nodes_by_heading:
                SECTION_READERS[heading.key](self, nodes_by_heading[heading], heading.mark)

    def read_text(self, subject: ox.NamedNode, curie: str, node: OutlineNode, container: str) -> None:
        """Add the text below a heading as the value of a property, unless it is empty."""
        self.check_no_headings(node, container)
        self.statements.add_slot(subject, curie, node.offset)
        if node.text:
            self.statements.add_value(
                subject, curie, self.statements.text_literal(node.text), node.text_offset, node.offset
            )

    def read_issue(self, node: OutlineNode, section: str) -> None:
        """Convert section 1: the description of the issue."""
        self.read_text(self.statements.paper, "wgig:issueDescription", node, f"Section {section}")

    def read_categories(self, node: OutlineNode, section: str) -> None:
        """Convert section 2: the categories of the issue."""
        self.statements.add_slot(self.statements.paper, "wgig:category", node.offset)
        for item in self.list_values(node, f"Section {section}"):
            self.statements.add_value(
                self.statements.paper, "wgig:category", category_iri(item.text), item.offset, node.offset
            )

    def read_swot(self, node: OutlineNode, section: str) -> None:
        """Convert section 3, the SWOT analysis. Without any points, add no statements."""
        container = f"section {section}"
        self.check_no_text(
            node,
            f"in {container} before its first heading",
            "Put it below ### Strengths or one of the other three headings.",
        )
        statements = self.statements
        statements.add_slot(statements.paper, "wgig:swot", node.offset)
        headed_nodes = list(self.match_headings(node.children, SWOT_HEADINGS, 3, f"Section {section}"))
        points = [
            (heading.key, item, child.offset)
            for heading, child in headed_nodes
            for item in self.list_values(child, heading.title)
        ]
        if not points:
            return
        swot = statements.add_part("swot", "wgig:Swot", statements.part_label("SWOT analysis"), node.offset)
        statements.add_value(statements.paper, "wgig:swot", swot, node.offset)
        for heading, child in headed_nodes:
            statements.add_slot(swot, heading.key, child.offset)
        for curie, item, heading_offset in points:
            statements.add_value(swot, curie, statements.text_literal(item.text), item.offset, heading_offset)

    def read_actors(self, node: OutlineNode, section: str) -> None:
        """Convert section 4: the main actor and other actors."""
        self.check_no_text(
            node, f"in section {section} before its first heading", "Put it below ### Main actor."
        )
        nodes_by_heading = dict(self.match_headings(node.children, ACTOR_HEADINGS, 3, f"Section {section}"))
        for heading in ACTOR_HEADINGS:
            self.statements.add_slot(
                self.statements.paper, heading.key, nodes_by_heading.get(heading, node).offset
            )
        headed_nodes = [
            (heading, nodes_by_heading[heading]) for heading in ACTOR_HEADINGS if heading in nodes_by_heading
        ]
        items = [
            (heading, child, item)
            for heading, child in headed_nodes
            for item in self.list_values(child, heading.title)
        ]
        for heading, child, item in items:
            self.statements.add_value(
                self.statements.paper, heading.key, self.read_actor(item), item.offset, child.offset
            )

    def read_actor(self, block: MarkdownBlock) -> ox.NamedNode:
        """The actor in a list item: `Name (stakeholder-group, ...)`, or the name or slug of a known agent.

        The name may be missing, as in a paper that is not complete.
        """
        text = strip_name_prefix("agent", " ".join(block.text.split()))
        match = None if find_known_agent(text) else ACTOR_PATTERN.fullmatch(text)
        name, groups = (match[1] or "", match[2].split(",")) if match else (text, [])
        statements = self.statements
        if known_agent := find_known_agent(name) or (
            concept_iri("agent", name) if slugify_words(text) == text else None
        ):
            actor = known_agent
            statements.node_offsets[actor] = block.offset
        else:
            actor = statements.agent_iri(name, "actor")
            if actor not in statements.node_offsets:  # else it is an actor or drafter with this name
                statements.describe_node(actor, "org:Organization", block.offset)
            if name:
                statements.add_value(actor, "foaf:name", ox.Literal(name), block.offset)
        for group in filter(None, map(str.strip, groups)):
            statements.add_value(actor, "wgig:stakeholderGroup", concept_iri("group", group), block.offset)
        return actor

    def read_forums(self, node: OutlineNode, section: str) -> None:
        """Convert section 5: the forums that discuss or handle the issue."""
        self.statements.add_slot(self.statements.paper, "wgig:forum", node.offset)
        for number, child in enumerate(self.named_children(node, 3, f"section {section}", "each forum"), 1):
            forum = self.statements.add_part(
                f"forum/{number}", "wgig:Forum", self.statements.text_literal(child.title), child.offset
            )
            self.read_part(forum, "wgig:forum", child, FORUM_HEADINGS, FORUM_FIELDS)

    def read_mechanisms(self, node: OutlineNode, section: str) -> None:
        """Convert section 6: the mechanisms, to which section 7 refers by name.

        Lines `About: ...` below the name of a mechanism refer to bodies and instruments of the graph.
        """
        self.statements.add_slot(self.statements.paper, "wgig:mechanism", node.offset)
        for number, child in enumerate(
            self.named_children(node, 3, f"section {section}", "each mechanism"), 1
        ):
            mechanism = self.statements.add_part(
                f"mechanism/{number}",
                "wgig:Mechanism",
                self.statements.text_literal(child.title),
                child.offset,
            )
            self.mechanisms.setdefault(normalize_words(child.title), mechanism)
            self.read_part(mechanism, "wgig:mechanism", child, MECHANISM_HEADINGS, MECHANISM_FIELDS)

    def read_part(
        self,
        part: ox.NamedNode,
        curie: str,
        node: OutlineNode,
        headings: Sequence[TemplateHeading],
        known_fields: Mapping[str, str],
    ) -> None:
        """Add the properties of a forum or mechanism, from the lines and headings below its name."""
        statements, part_name = self.statements, node.title
        fields, other_lines = self.parse_fields(node.lines, known_fields, f"A {curie.partition(':')[2]}")
        if other_lines:
            raise paper_syntax_problem(
                self.text,
                first_word_offset(other_lines[0]),
                f"There is text below {part_name} before its first heading.",
                f"Put it below #### {headings[0].marked_title}.",
            )
        statements.add_value(statements.paper, curie, part, node.offset)
        for key, value, offset in fields:
            statements.add_value(part, known_fields[key], value, offset)
        for heading, child in self.match_headings(node.children, headings, 4, part_name):
            if heading.key != "wgig:makesDecisions":
                self.read_text(part, heading.key, child, heading.marked_title)
                continue
            statements.add_slot(part, heading.key, child.offset)
            for item in self.list_values(child, heading.marked_title):
                statements.add_value(part, heading.key, parse_boolean(item.text), item.offset, child.offset)

    def read_adequacy(self, node: OutlineNode, section: str) -> None:
        """Convert section 7: assessments of the mechanisms by criterion."""
        self.check_no_text(
            node, f"in section {section} before its first heading", "Put it below ### a. Multilateral."
        )
        self.statements.add_slot(self.statements.paper, "wgig:assessment", node.offset)
        nodes_by_principle: dict[str, OutlineNode] = {}
        for child in node.children:
            heading, criterion_name = recognize_criterion(child.title)
            if not heading or child.level != 3:
                raise self.unknown_heading_problem(child, CRITERION_HEADINGS, 3, f"Section {section}")
            principle = iri_segment(strip_name_prefix("principle", criterion_name))
            if principle in nodes_by_principle:
                raise self.duplicate_heading_problem(
                    child, nodes_by_principle[principle], f"Section {section}", child.title
                )
            nodes_by_principle[principle] = child
            self.statements.add_slot(self.statements.paper, f"principle:{principle}", child.offset)
            label = build_criterion_label(principle)
            assessments = [
                self.parse_assessment(assessment_node)
                for assessment_node in self.list_assessment_nodes(child)
            ]
            filled_in_assessments = [
                assessment for assessment in assessments if assessment.fields or assessment.reason
            ]
            for number, assessment in enumerate(filled_in_assessments, 1):
                self.add_assessment(assessment, principle, number, label)

    def list_assessment_nodes(self, node: OutlineNode) -> list[OutlineNode]:
        """The headings that may have an assessment: that of a criterion, and the mechanisms below it."""
        for child in node.children:
            if child.level != 4:
                raise self.unknown_heading_problem(child, [], 4, node.title)
            self.check_no_headings(child, child.title)
        return [node, *node.children]

    def add_assessment(self, assessment: ParsedAssessment, principle: str, number: int, label: str) -> None:
        """Add the statements of an assessment: verdict, mechanism, cited paragraphs, reason."""
        statements = self.statements
        name = (principle or "other") + (f"-{number}" if number > 1 else "")
        offset = assessment.node.offset
        part = statements.add_part(
            f"assessment/{name}", "wgig:Assessment", statements.part_label(label), offset
        )
        statements.add_value(statements.paper, "wgig:assessment", part, offset)
        if principle:
            statements.add_value(part, "wgig:criterion", expand_curie(f"principle:{principle}"), offset)
        # Lines of the reason get slots too, as an author may have put a field there by mistake.
        for line in assessment.node.lines:
            if (match := FIELD_PATTERN.fullmatch(line.text)) and (
                key := match[2].capitalize()
            ) in ASSESSMENT_FIELDS:
                statements.add_slot(part, ASSESSMENT_FIELDS[key], first_word_offset(line))
        for key, value, offset in assessment.fields:
            statements.add_value(part, ASSESSMENT_FIELDS[key], value, offset)
        if assessment.reason:
            reason = statements.text_literal(join_block_lines(assessment.reason))
            statements.add_value(part, "wgig:rationale", reason, first_word_offset(assessment.reason[0]))

    def parse_assessment(self, node: OutlineNode) -> ParsedAssessment:
        """The assessment below a heading: lines `Key: value`, then the reason."""
        mechanism = [("Mechanism", self.find_mechanism(node.title), node.offset)] if node.level == 4 else []
        fields, reason = self.parse_fields(node.lines, ASSESSMENT_FIELDS, "An assessment")
        return ParsedAssessment(node, mechanism + fields, reason)

    def parse_fields(
        self, lines: Sequence[MarkdownBlock], known_fields: Mapping[str, str], owner: str
    ) -> tuple[list[ParsedField], Sequence[MarkdownBlock]]:
        """The values of the fields in the first lines, and the other lines, from the first without a field.

        Raises Problem 400 if a key seems to be misspelled; `owner` begins its message.
        """
        fields: list[ParsedField] = []
        for number, line in enumerate(lines):
            if is_blank_line(line):
                continue
            field = self.parse_field(line, known_fields, owner)
            if not field:
                return fields, lines[number:]
            key, text, offset = field
            fields += [(key, value, offset + start) for value, start in self.parse_field_values(key, text)]
        return fields, []

    def parse_field(
        self, line: MarkdownBlock, known_fields: Mapping[str, str], owner: str
    ) -> tuple[str, str, int] | None:
        """Key, value and offset of the value in a line such as `Verdict: adequate`; None for other lines.

        Raises Problem 400 if the key seems to be misspelled.
        """
        match = FIELD_PATTERN.fullmatch(line.text)
        if not match:
            return None
        key = match[2].capitalize()
        if key in known_fields:
            return key, match[3].rstrip("\\ "), line.offset + match.start(3)
        if nearest := find_nearest_key(key, known_fields):
            raise paper_syntax_problem(
                self.text, line.offset, f"{owner} has no line `{match[2]}`.", f"Did you mean `{nearest}`?"
            )
        return None

    def parse_field_values(self, key: str, text: str) -> list[tuple[ox.NamedNode, int]]:
        """The resources that a field names, each with its offset in the text of the field."""
        if not text:
            return []
        if key == "Cites":
            return [(passage_iri(match[0]), match.start()) for match in CITED_PATH_PATTERN.finditer(text)]
        if key == "About":
            return [(mechanism_iri(text), 0)]
        return [(self.find_mechanism(text) if key == "Mechanism" else concept_iri("verdict", text), 0)]

    def find_mechanism(self, name: str) -> ox.NamedNode:
        """The mechanism of section 6 with this name, or else the body or instrument of the graph.

        If there is neither, it is an IRI that the check reports.
        """
        missing_mechanism = ox.NamedNode(f"{self.statements.paper.value}/mechanism/{iri_segment(name)}")
        return self.mechanisms.get(normalize_words(name)) or find_graph_mechanism(name) or missing_mechanism

    def read_comments(self, node: OutlineNode, section: str) -> None:
        """Convert section 8: additional comments."""
        self.read_text(self.statements.paper, "wgig:additionalComments", node, f"Section {section}")


SECTION_READERS: dict[str, Callable[[BodyReader, OutlineNode, str], None]] = {
    "issue": BodyReader.read_issue,
    "categories": BodyReader.read_categories,
    "swot": BodyReader.read_swot,
    "actors": BodyReader.read_actors,
    "forums": BodyReader.read_forums,
    "mechanisms": BodyReader.read_mechanisms,
    "adequacy": BodyReader.read_adequacy,
    "comments": BodyReader.read_comments,
}
