"""Reads the body of a paper in Markdown: its eight sections, by their headings, as statements.

Headings that the template does not have are an error with a suggestion.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote

import pyoxigraph as ox

from ...problems import Problem
from ...text import TextLines
from .outline import Block, Node, fault, first_word, is_blank, joined
from .statements import Statements
from .template import (
    ACTORS,
    CRITERIA,
    FIELDS,
    FORUM,
    MECHANISM,
    SECTIONS,
    SWOT,
    Heading,
    criterion,
    nearest,
    nearest_heading,
    plain,
    recognized,
)
from .values import category, concept, iri, known_agent, local, parse_boolean, passage, segment, slug


class Headings:
    """The headings of a text, to be held against those of the form."""

    def __init__(self, text: str) -> None:
        """Take the text that the excerpts of Problems are from."""
        self.text = text

    def named(
        self, nodes: Sequence[Node], headings: Sequence[Heading], level: int, where: str
    ) -> Iterator[tuple[Heading, Node]]:
        """The nodes with the headings that they are. Raises Problem 400 for others, and for doubles."""
        seen: dict[Heading, Node] = {}
        for node in nodes:
            heading = recognized(node.title, headings)
            if not heading or node.level != level:
                raise self.unknown(node, headings, level, where)
            if heading in seen:
                raise self.twice(node, seen[heading], where, heading.written)
            seen[heading] = node
            yield heading, node

    def twice(self, node: Node, first: Node, where: str, title: str) -> Problem:
        """The Problem for a heading that stands twice."""
        line = TextLines(self.text).place(first.at).line
        mend = f"Write below the first, on line {line}, and take this one out."
        return fault(self.text, node.at, f"{where} has the heading {title} twice.", mend)

    def unknown(self, node: Node, headings: Sequence[Heading], level: int, where: str) -> Problem:
        """The Problem for a heading that has no place where it stands."""
        marks = "#" * level
        if found := nearest_heading(node.title, headings):
            suggestion = f"Did you mean {marks} {found}?"
        elif headings:
            suggestion = f"Its headings are: {', '.join(f'{marks} {one.written}' for one in headings)}."
        else:
            suggestion = "Write text without headings here."
        return fault(
            self.text, node.at, f"{where} has no heading {'#' * node.level} {node.title}.", suggestion
        )

    def no_text(self, node: Node, where: str, suggestion: str) -> None:
        """Raise Problem 400 where text stands right below a heading that has only headings below it."""
        if node.text:
            raise fault(self.text, node.text_at, f"There is text {where}.", suggestion)

    def leaf(self, node: Node, where: str) -> None:
        """Raise Problem 400 where a heading stands below one that has only text below it."""
        for child in node.children:
            raise self.unknown(child, [], child.level, where)

    def deeper(self, node: Node, level: int, where: str, what: str) -> list[Node]:
        """The nodes one level below. Raises Problem 400 for text before them, and for other levels."""
        marks = "#" * level
        self.no_text(node, f"in {where} before its first heading", f"Begin {what} with {marks} and its name.")
        for child in node.children:
            if child.level != level or not child.title:
                cause = (
                    f"{where[0].upper()}{where[1:]} has no heading {'#' * child.level} {child.title}.".strip()
                )
                raise fault(self.text, child.at, cause, f"Begin {what} with {marks} and its name.")
        return node.children

    def values(self, node: Node, where: str) -> list[Block]:
        """The items of lists and the other blocks below a heading, each a value of its own."""
        self.leaf(node, where)
        return [one for block in node.blocks for one in (block.items or [block]) if one.text]


ACTOR = re.compile(r"(.*\S) ?\((?! ?[,)])([^()]*)\)")
FIELD = re.compile(r" {0,3}(?:[-*+] +)?([*_]{0,2})(\w+) ?(?::\1|\1 ?:)[ \t]*(.*)")
CITED = re.compile(r"[^\s,;]+")
LABELS = {one.key: one.title.lower() for one in CRITERIA}


class Judgment(NamedTuple):
    """An assessment: where it stands, the key and offset of each value, the reason."""

    node: Node
    fields: list[tuple[str, ox.NamedNode, int]]
    reason: Sequence[Block]


class Body(Headings):
    """The sections of a text, to be stated one after the other."""

    def __init__(self, text: str, root: Node, about: Statements) -> None:
        """Sort the headings of a text. Raises Problem 400 for one that the form does not have."""
        super().__init__(text)
        self.about = about
        self.mechanisms: dict[str, ox.NamedNode] = {}
        self.title = next(
            (one for one in root.children if one.level == 1 and not recognized(one.title, SECTIONS)), None
        )
        roots = [one for one in root.children if one is not self.title]
        self.sections = roots + (self.title.children if self.title else [])
        for one in [root, *filter(None, [self.title])]:
            self.no_text(one, "before section 1", "Put it below the heading of a section.")

    def state(self) -> None:
        """State all sections in the order of the form. Raises Problem 400 for what has no place in it."""
        found = dict(self.named(self.sections, SECTIONS, 2, "The form"))
        for heading in SECTIONS:
            if heading in found:
                STATE[heading.key](self, found[heading], heading.mark)

    def write(self, subject: ox.NamedNode, name: str, node: Node, where: str) -> None:
        """State the text below a heading, if there is one."""
        self.leaf(node, where)
        self.about.slot(subject, name, node.at)
        if node.text:
            self.about.say(subject, name, self.about.text(node.text), node.text_at, node.at)

    def issue(self, node: Node, mark: str) -> None:
        """Section 1: what the issue is."""
        self.write(self.about.paper, "wgig:issueDescription", node, f"Section {mark}")

    def categories(self, node: Node, mark: str) -> None:
        """Section 2: the categories that the issue belongs to."""
        self.about.slot(self.about.paper, "wgig:category", node.at)
        for one in self.values(node, f"Section {mark}"):
            self.about.say(self.about.paper, "wgig:category", category(one.text), one.at, node.at)

    def swot(self, node: Node, mark: str) -> None:
        """Section 3: strengths, weaknesses, opportunities, threats; nothing where none is given."""
        where = f"section {mark}"
        self.no_text(
            node, f"in {where} before its first heading", "Put it below ### Strengths or another of the four."
        )
        about = self.about
        about.slot(about.paper, "wgig:swot", node.at)
        there = list(self.named(node.children, SWOT, 3, f"Section {mark}"))
        found = [
            (heading.key, one, child.at)
            for heading, child in there
            for one in self.values(child, heading.title)
        ]
        if not found:
            return
        swot = about.part("swot", "wgig:Swot", about.label("SWOT analysis"), node.at)
        about.say(about.paper, "wgig:swot", swot, node.at)
        for heading, child in there:
            about.slot(swot, heading.key, child.at)
        for name, one, at in found:
            about.say(swot, name, about.text(one.text), one.at, at)

    def actors(self, node: Node, mark: str) -> None:
        """Section 4: who handles the issue, with whom."""
        self.no_text(node, f"in section {mark} before its first heading", "Put it below ### Main actor.")
        found = dict(self.named(node.children, ACTORS, 3, f"Section {mark}"))
        for heading in ACTORS:
            self.about.slot(self.about.paper, heading.key, found.get(heading, node).at)
        there = [(one, found[one]) for one in ACTORS if one in found]
        listed = [(key, child, one) for key, child in there for one in self.values(child, key.title)]
        for heading, child, one in listed:
            self.about.say(self.about.paper, heading.key, self.actor(one), one.at, child.at)

    def actor(self, block: Block) -> ox.NamedNode:
        """An actor, written `Name (stakeholder-group, ...)`, or by a name or slug that the graph knows."""
        words = local("agent", " ".join(block.text.split()))
        found = None if known_agent(words) else ACTOR.fullmatch(words)
        name, groups = (found[1], found[2].split(",")) if found else (words, [])
        about = self.about
        if known := known_agent(name) or (concept("agent", name) if slug(words) == words else None):
            actor = known
            about.homes[actor] = block.at
        else:
            actor = about.agent(name, "actor")
            about.thing(actor, "org:Organization", block.at)
            about.say(actor, "foaf:name", ox.Literal(name), block.at)
        for one in filter(None, map(str.strip, groups)):
            about.say(actor, "wgig:stakeholderGroup", concept("group", one), block.at)
        return actor

    def forums(self, node: Node, mark: str) -> None:
        """Section 5: where the issue is discussed or handled."""
        self.about.slot(self.about.paper, "wgig:forum", node.at)
        for number, child in enumerate(self.deeper(node, 3, f"section {mark}", "each forum"), 1):
            forum = self.about.part(f"forum/{number}", "wgig:Forum", self.about.text(child.title), child.at)
            self.described(forum, "wgig:forum", child, FORUM)

    def governance(self, node: Node, mark: str) -> None:
        """Section 6: the mechanisms, which section 7 calls by their names."""
        self.about.slot(self.about.paper, "wgig:mechanism", node.at)
        for number, child in enumerate(self.deeper(node, 3, f"section {mark}", "each mechanism"), 1):
            mechanism = self.about.part(
                f"mechanism/{number}", "wgig:Mechanism", self.about.text(child.title), child.at
            )
            self.mechanisms.setdefault(plain(child.title), mechanism)
            self.described(mechanism, "wgig:mechanism", child, MECHANISM)

    def described(self, part: ox.NamedNode, name: str, node: Node, headings: Sequence[Heading]) -> None:
        """State what stands below the name of a forum or mechanism."""
        about, where = self.about, node.title
        self.no_text(
            node, f"below {where} before its first heading", f"Put it below #### {headings[0].written}."
        )
        about.say(about.paper, name, part, node.at)
        for heading, child in self.named(node.children, headings, 4, where):
            if heading.key != "wgig:makesDecisions":
                self.write(part, heading.key, child, heading.written)
                continue
            about.slot(part, heading.key, child.at)
            for one in self.values(child, heading.written):
                about.say(part, heading.key, parse_boolean(one.text), one.at, child.at)

    def adequacy(self, node: Node, mark: str) -> None:
        """Section 7: the mechanisms measured against the criteria."""
        self.no_text(node, f"in section {mark} before its first heading", "Put it below ### a. Multilateral.")
        self.about.slot(self.about.paper, "wgig:assessment", node.at)
        seen: dict[str, Node] = {}
        for child in node.children:
            heading, words = criterion(child.title)
            if not heading or child.level != 3:
                raise self.unknown(child, CRITERIA, 3, f"Section {mark}")
            principle = segment(local("principle", words))
            if principle in seen:
                raise self.twice(child, seen[principle], f"Section {mark}", child.title)
            seen[principle] = child
            self.about.slot(self.about.paper, f"principle:{principle}", child.at)
            label = LABELS.get(principle, unquote(principle))
            judgments = [self.judgment(one) for one in self.assessments(child)]
            said = [one for one in judgments if one.fields or one.reason]
            for number, judgment in enumerate(said, 1):
                self.assessment(judgment, principle, number, label)

    def assessments(self, node: Node) -> list[Node]:
        """Where assessments by one criterion may stand: below its heading, and below names of mechanisms."""
        for child in node.children:
            if child.level != 4:
                raise self.unknown(child, [], 4, node.title)
            self.leaf(child, child.title)
        return [node, *node.children]

    def assessment(self, judgment: Judgment, principle: str, number: int, label: str) -> None:
        """One assessment: verdict, mechanism, cited paragraphs, reason."""
        about = self.about
        name = (principle or "other") + (f"-{number}" if number > 1 else "")
        at = judgment.node.at
        part = about.part(f"assessment/{name}", "wgig:Assessment", about.label(label), at)
        about.say(about.paper, "wgig:assessment", part, at)
        if principle:
            about.say(part, "wgig:criterion", iri(f"principle:{principle}"), at)
        for line in judgment.node.lines:  # also those in the reason, which may be meant
            if (found := FIELD.fullmatch(line.text)) and (key := found[2].capitalize()) in FIELDS:
                about.slot(part, FIELDS[key], first_word(line))
        for key, value, at in judgment.fields:
            about.say(part, FIELDS[key], value, at)
        if judgment.reason:
            reason = about.text(joined(judgment.reason))
            about.say(part, "wgig:rationale", reason, first_word(judgment.reason[0]))

    def judgment(self, node: Node) -> Judgment:
        """What an assessment says: lines of keys and values first, then the reason, whatever is in it."""
        fields = [("Mechanism", self.mechanism(node.title), node.at)] if node.level == 4 else []
        for number, line in enumerate(node.lines):
            if is_blank(line):
                continue
            found = self.field(line)
            if not found:
                return Judgment(node, fields, node.lines[number:])
            key, words, at = found
            fields += [(key, value, at + after) for value, after in self.values_of(key, words)]
        return Judgment(node, fields, [])

    def field(self, line: Block) -> tuple[str, str, int] | None:
        """The key and value of a line such as `Verdict: adequate` and the offset of the value, or none.

        Raises Problem 400 where a line looks like a misspelt one.
        """
        found = FIELD.fullmatch(line.text)
        if not found:
            return None
        key = found[2].capitalize()
        if key in FIELDS:
            return key, found[3].rstrip("\\ "), line.at + found.start(3)
        if near := nearest(key, FIELDS):
            raise fault(self.text, line.at, f"An assessment has no line {found[2]}.", f"Did you mean {near}?")
        return None

    def values_of(self, key: str, words: str) -> list[tuple[ox.NamedNode, int]]:
        """What the value of a line names, each with its offset in it; an empty one names nothing."""
        if not words:
            return []
        if key == "Cites":
            return [(passage(one[0]), one.start()) for one in CITED.finditer(words)]
        return [(self.mechanism(words) if key == "Mechanism" else concept("verdict", words), 0)]

    def mechanism(self, words: str) -> ox.NamedNode:
        """The mechanism of section 6 with this name, or one that is not there."""
        unknown = ox.NamedNode(f"{self.about.paper.value}/mechanism/{segment(words)}")
        return self.mechanisms.get(plain(words), unknown)

    def comments(self, node: Node, mark: str) -> None:
        """Section 8: whatever else there is to say."""
        self.write(self.about.paper, "wgig:additionalComments", node, f"Section {mark}")


STATE: dict[str, Callable[[Body, Node, str], None]] = {
    "issue": Body.issue,
    "categories": Body.categories,
    "swot": Body.swot,
    "actors": Body.actors,
    "forums": Body.forums,
    "mechanisms": Body.governance,
    "adequacy": Body.adequacy,
    "comments": Body.comments,
}
