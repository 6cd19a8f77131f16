"""Reads the body of a paper in Markdown: its eight sections, by their headings, as statements.

Headings that the template does not have are an error with a suggestion.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.namespaces import expand_curie
from ...text import TextLines
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
    FORUM_HEADINGS,
    MECHANISM_HEADINGS,
    SECTION_HEADINGS,
    SWOT_HEADINGS,
    TemplateHeading,
    find_nearest_heading,
    find_nearest_key,
    normalize_words,
    recognize_criterion,
    recognize_heading,
)
from .values import (
    category_iri,
    concept_iri,
    find_known_agent,
    iri_segment,
    parse_boolean,
    passage_iri,
    slugify_words,
    strip_name_prefix,
)


class HeadingMatcher:
    """The headings of a text, to be held against those of the form."""

    def __init__(self, text: str) -> None:
        """Take the text that the excerpts of Problems are from."""
        self.text = text

    def match_headings(
        self, nodes: Sequence[OutlineNode], headings: Sequence[TemplateHeading], level: int, where: str
    ) -> Iterator[tuple[TemplateHeading, OutlineNode]]:
        """The nodes with the headings that they are. Raises Problem 400 for others, and for doubles."""
        seen: dict[TemplateHeading, OutlineNode] = {}
        for node in nodes:
            heading = recognize_heading(node.title, headings)
            if not heading or node.level != level:
                raise self.unknown_heading_problem(node, headings, level, where)
            if heading in seen:
                raise self.duplicate_heading_problem(node, seen[heading], where, heading.marked_title)
            seen[heading] = node
            yield heading, node

    def duplicate_heading_problem(
        self, node: OutlineNode, first: OutlineNode, where: str, title: str
    ) -> Problem:
        """The Problem for a heading that stands twice."""
        line = TextLines(self.text).locate(first.offset).line
        mend = f"Write below the first, on line {line}, and take this one out."
        return paper_syntax_problem(self.text, node.offset, f"{where} has the heading {title} twice.", mend)

    def unknown_heading_problem(
        self, node: OutlineNode, headings: Sequence[TemplateHeading], level: int, where: str
    ) -> Problem:
        """The Problem for a heading that has no place where it stands."""
        marks = "#" * level
        if found := find_nearest_heading(node.title, headings):
            suggestion = f"Did you mean {marks} {found}?"
        elif headings:
            suggestion = f"Its headings are: {', '.join(f'{marks} {one.marked_title}' for one in headings)}."
        else:
            suggestion = "Write text without headings here."
        return paper_syntax_problem(
            self.text, node.offset, f"{where} has no heading {'#' * node.level} {node.title}.", suggestion
        )

    def check_no_text(self, node: OutlineNode, where: str, suggestion: str) -> None:
        """Raise Problem 400 where text stands right below a heading that has only headings below it."""
        if node.text:
            raise paper_syntax_problem(self.text, node.text_offset, f"There is text {where}.", suggestion)

    def check_no_headings(self, node: OutlineNode, where: str) -> None:
        """Raise Problem 400 where a heading stands below one that has only text below it."""
        for child in node.children:
            raise self.unknown_heading_problem(child, [], child.level, where)

    def named_children(self, node: OutlineNode, level: int, where: str, what: str) -> list[OutlineNode]:
        """The nodes one level below. Raises Problem 400 for text before them, and for other levels."""
        marks = "#" * level
        self.check_no_text(
            node, f"in {where} before its first heading", f"Begin {what} with {marks} and its name."
        )
        for child in node.children:
            if child.level != level or not child.title:
                cause = (
                    f"{where[0].upper()}{where[1:]} has no heading {'#' * child.level} {child.title}.".strip()
                )
                raise paper_syntax_problem(
                    self.text, child.offset, cause, f"Begin {what} with {marks} and its name."
                )
        return node.children

    def list_values(self, node: OutlineNode, where: str) -> list[MarkdownBlock]:
        """The items of lists and the other blocks below a heading, each a value of its own."""
        self.check_no_headings(node, where)
        return [one for block in node.blocks for one in (block.items or [block]) if one.text]


ACTOR_PATTERN = re.compile(r"(.*\S) ?\((?! ?[,)])([^()]*)\)")
ASSESSMENT_FIELD_PATTERN = re.compile(r" {0,3}(?:[-*+] +)?([*_]{0,2})(\w+) ?(?::\1|\1 ?:)[ \t]*(.*)")
CITED_PATH_PATTERN = re.compile(r"[^\s,;]+")
CRITERION_LABELS = {one.key: one.title.lower() for one in CRITERION_HEADINGS}


class Judgment(NamedTuple):
    """An assessment: where it stands, the key and offset of each value, the reason."""

    node: OutlineNode
    fields: list[tuple[str, ox.NamedNode, int]]
    reason: Sequence[MarkdownBlock]


class BodyReader(HeadingMatcher):
    """The sections of a text, to be stated one after the other."""

    def __init__(self, text: str, root: OutlineNode, about: PaperStatements) -> None:
        """Sort the headings of a text. Raises Problem 400 for one that the form does not have."""
        super().__init__(text)
        self.statements = about
        self.mechanisms: dict[str, ox.NamedNode] = {}
        self.title = next(
            (
                one
                for one in root.children
                if one.level == 1 and not recognize_heading(one.title, SECTION_HEADINGS)
            ),
            None,
        )
        roots = [one for one in root.children if one is not self.title]
        self.sections = roots + (self.title.children if self.title else [])
        for one in [root, *filter(None, [self.title])]:
            self.check_no_text(one, "before section 1", "Put it below the heading of a section.")

    def read_sections(self) -> None:
        """State all sections in the order of the form. Raises Problem 400 for what has no place in it."""
        found = dict(self.match_headings(self.sections, SECTION_HEADINGS, 2, "The form"))
        for heading in SECTION_HEADINGS:
            if heading in found:
                SECTION_READERS[heading.key](self, found[heading], heading.mark)

    def read_text(self, subject: ox.NamedNode, name: str, node: OutlineNode, where: str) -> None:
        """State the text below a heading, if there is one."""
        self.check_no_headings(node, where)
        self.statements.add_slot(subject, name, node.offset)
        if node.text:
            self.statements.add_value(
                subject, name, self.statements.text_literal(node.text), node.text_offset, node.offset
            )

    def read_issue(self, node: OutlineNode, mark: str) -> None:
        """Section 1: what the issue is."""
        self.read_text(self.statements.paper, "wgig:issueDescription", node, f"Section {mark}")

    def read_categories(self, node: OutlineNode, mark: str) -> None:
        """Section 2: the categories that the issue belongs to."""
        self.statements.add_slot(self.statements.paper, "wgig:category", node.offset)
        for one in self.list_values(node, f"Section {mark}"):
            self.statements.add_value(
                self.statements.paper, "wgig:category", category_iri(one.text), one.offset, node.offset
            )

    def read_swot(self, node: OutlineNode, mark: str) -> None:
        """Section 3: strengths, weaknesses, opportunities, threats; nothing where none is given."""
        where = f"section {mark}"
        self.check_no_text(
            node, f"in {where} before its first heading", "Put it below ### Strengths or another of the four."
        )
        about = self.statements
        about.add_slot(about.paper, "wgig:swot", node.offset)
        there = list(self.match_headings(node.children, SWOT_HEADINGS, 3, f"Section {mark}"))
        found = [
            (heading.key, one, child.offset)
            for heading, child in there
            for one in self.list_values(child, heading.title)
        ]
        if not found:
            return
        swot = about.add_part("swot", "wgig:Swot", about.part_label("SWOT analysis"), node.offset)
        about.add_value(about.paper, "wgig:swot", swot, node.offset)
        for heading, child in there:
            about.add_slot(swot, heading.key, child.offset)
        for name, one, at in found:
            about.add_value(swot, name, about.text_literal(one.text), one.offset, at)

    def read_actors(self, node: OutlineNode, mark: str) -> None:
        """Section 4: who handles the issue, with whom."""
        self.check_no_text(
            node, f"in section {mark} before its first heading", "Put it below ### Main actor."
        )
        found = dict(self.match_headings(node.children, ACTOR_HEADINGS, 3, f"Section {mark}"))
        for heading in ACTOR_HEADINGS:
            self.statements.add_slot(self.statements.paper, heading.key, found.get(heading, node).offset)
        there = [(one, found[one]) for one in ACTOR_HEADINGS if one in found]
        listed = [(key, child, one) for key, child in there for one in self.list_values(child, key.title)]
        for heading, child, one in listed:
            self.statements.add_value(
                self.statements.paper, heading.key, self.read_actor(one), one.offset, child.offset
            )

    def read_actor(self, block: MarkdownBlock) -> ox.NamedNode:
        """An actor, written `Name (stakeholder-group, ...)`, or by a name or slug that the graph knows."""
        words = strip_name_prefix("agent", " ".join(block.text.split()))
        found = None if find_known_agent(words) else ACTOR_PATTERN.fullmatch(words)
        name, groups = (found[1], found[2].split(",")) if found else (words, [])
        about = self.statements
        if known := find_known_agent(name) or (
            concept_iri("agent", name) if slugify_words(words) == words else None
        ):
            actor = known
            about.node_offsets[actor] = block.offset
        else:
            actor = about.agent_iri(name, "actor")
            about.describe_node(actor, "org:Organization", block.offset)
            about.add_value(actor, "foaf:name", ox.Literal(name), block.offset)
        for one in filter(None, map(str.strip, groups)):
            about.add_value(actor, "wgig:stakeholderGroup", concept_iri("group", one), block.offset)
        return actor

    def read_forums(self, node: OutlineNode, mark: str) -> None:
        """Section 5: where the issue is discussed or handled."""
        self.statements.add_slot(self.statements.paper, "wgig:forum", node.offset)
        for number, child in enumerate(self.named_children(node, 3, f"section {mark}", "each forum"), 1):
            forum = self.statements.add_part(
                f"forum/{number}", "wgig:Forum", self.statements.text_literal(child.title), child.offset
            )
            self.read_part(forum, "wgig:forum", child, FORUM_HEADINGS)

    def read_mechanisms(self, node: OutlineNode, mark: str) -> None:
        """Section 6: the mechanisms, which section 7 calls by their names."""
        self.statements.add_slot(self.statements.paper, "wgig:mechanism", node.offset)
        for number, child in enumerate(self.named_children(node, 3, f"section {mark}", "each mechanism"), 1):
            mechanism = self.statements.add_part(
                f"mechanism/{number}",
                "wgig:Mechanism",
                self.statements.text_literal(child.title),
                child.offset,
            )
            self.mechanisms.setdefault(normalize_words(child.title), mechanism)
            self.read_part(mechanism, "wgig:mechanism", child, MECHANISM_HEADINGS)

    def read_part(
        self, part: ox.NamedNode, name: str, node: OutlineNode, headings: Sequence[TemplateHeading]
    ) -> None:
        """State what stands below the name of a forum or mechanism."""
        about, where = self.statements, node.title
        self.check_no_text(
            node, f"below {where} before its first heading", f"Put it below #### {headings[0].marked_title}."
        )
        about.add_value(about.paper, name, part, node.offset)
        for heading, child in self.match_headings(node.children, headings, 4, where):
            if heading.key != "wgig:makesDecisions":
                self.read_text(part, heading.key, child, heading.marked_title)
                continue
            about.add_slot(part, heading.key, child.offset)
            for one in self.list_values(child, heading.marked_title):
                about.add_value(part, heading.key, parse_boolean(one.text), one.offset, child.offset)

    def read_adequacy(self, node: OutlineNode, mark: str) -> None:
        """Section 7: the mechanisms measured against the criteria."""
        self.check_no_text(
            node, f"in section {mark} before its first heading", "Put it below ### a. Multilateral."
        )
        self.statements.add_slot(self.statements.paper, "wgig:assessment", node.offset)
        seen: dict[str, OutlineNode] = {}
        for child in node.children:
            heading, words = recognize_criterion(child.title)
            if not heading or child.level != 3:
                raise self.unknown_heading_problem(child, CRITERION_HEADINGS, 3, f"Section {mark}")
            principle = iri_segment(strip_name_prefix("principle", words))
            if principle in seen:
                raise self.duplicate_heading_problem(child, seen[principle], f"Section {mark}", child.title)
            seen[principle] = child
            self.statements.add_slot(self.statements.paper, f"principle:{principle}", child.offset)
            label = CRITERION_LABELS.get(principle, unquote(principle))
            judgments = [self.parse_judgment(one) for one in self.list_assessment_nodes(child)]
            said = [one for one in judgments if one.fields or one.reason]
            for number, judgment in enumerate(said, 1):
                self.add_assessment(judgment, principle, number, label)

    def list_assessment_nodes(self, node: OutlineNode) -> list[OutlineNode]:
        """Where assessments by one criterion may stand: below its heading, and below names of mechanisms."""
        for child in node.children:
            if child.level != 4:
                raise self.unknown_heading_problem(child, [], 4, node.title)
            self.check_no_headings(child, child.title)
        return [node, *node.children]

    def add_assessment(self, judgment: Judgment, principle: str, number: int, label: str) -> None:
        """One assessment: verdict, mechanism, cited paragraphs, reason."""
        about = self.statements
        name = (principle or "other") + (f"-{number}" if number > 1 else "")
        at = judgment.node.offset
        part = about.add_part(f"assessment/{name}", "wgig:Assessment", about.part_label(label), at)
        about.add_value(about.paper, "wgig:assessment", part, at)
        if principle:
            about.add_value(part, "wgig:criterion", expand_curie(f"principle:{principle}"), at)
        for line in judgment.node.lines:  # also those in the reason, which may be meant
            if (found := ASSESSMENT_FIELD_PATTERN.fullmatch(line.text)) and (
                key := found[2].capitalize()
            ) in ASSESSMENT_FIELDS:
                about.add_slot(part, ASSESSMENT_FIELDS[key], first_word_offset(line))
        for key, value, at in judgment.fields:
            about.add_value(part, ASSESSMENT_FIELDS[key], value, at)
        if judgment.reason:
            reason = about.text_literal(join_block_lines(judgment.reason))
            about.add_value(part, "wgig:rationale", reason, first_word_offset(judgment.reason[0]))

    def parse_judgment(self, node: OutlineNode) -> Judgment:
        """What an assessment says: lines of keys and values first, then the reason, whatever is in it."""
        fields = [("Mechanism", self.find_mechanism(node.title), node.offset)] if node.level == 4 else []
        for number, line in enumerate(node.lines):
            if is_blank_line(line):
                continue
            found = self.parse_field(line)
            if not found:
                return Judgment(node, fields, node.lines[number:])
            key, words, at = found
            fields += [(key, value, at + after) for value, after in self.parse_field_values(key, words)]
        return Judgment(node, fields, [])

    def parse_field(self, line: MarkdownBlock) -> tuple[str, str, int] | None:
        """The key and value of a line such as `Verdict: adequate` and the offset of the value, or none.

        Raises Problem 400 where a line looks like a misspelt one.
        """
        found = ASSESSMENT_FIELD_PATTERN.fullmatch(line.text)
        if not found:
            return None
        key = found[2].capitalize()
        if key in ASSESSMENT_FIELDS:
            return key, found[3].rstrip("\\ "), line.offset + found.start(3)
        if near := find_nearest_key(key, ASSESSMENT_FIELDS):
            raise paper_syntax_problem(
                self.text, line.offset, f"An assessment has no line {found[2]}.", f"Did you mean {near}?"
            )
        return None

    def parse_field_values(self, key: str, words: str) -> list[tuple[ox.NamedNode, int]]:
        """What the value of a line names, each with its offset in it; an empty one names nothing."""
        if not words:
            return []
        if key == "Cites":
            return [(passage_iri(one[0]), one.start()) for one in CITED_PATH_PATTERN.finditer(words)]
        return [(self.find_mechanism(words) if key == "Mechanism" else concept_iri("verdict", words), 0)]

    def find_mechanism(self, words: str) -> ox.NamedNode:
        """The mechanism of section 6 with this name, or one that is not there."""
        unknown = ox.NamedNode(f"{self.statements.paper.value}/mechanism/{iri_segment(words)}")
        return self.mechanisms.get(normalize_words(words), unknown)

    def read_comments(self, node: OutlineNode, mark: str) -> None:
        """Section 8: whatever else there is to say."""
        self.read_text(self.statements.paper, "wgig:additionalComments", node, f"Section {mark}")


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
