"""The body of a paper: its eight sections as statements."""

import re
from collections.abc import Callable, Iterator, Sequence

import pyoxigraph as ox

from ..sparql import fault
from .form import (
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
    plain,
    recognized,
)
from .outline import Block, Node, joined
from .statements import Statements
from .values import category, concept, iri, known_agent, local, passage, slug, truth

ACTOR = re.compile(r"(.*\S)\s*\(([^()]*)\)")
FIELD = re.compile(r" {0,3}(?:[-*+] +)?(\w+) ?:[ \t]*(.*)")
SEPARATORS = re.compile(r"[\s,;]+")


class Body:
    """The sections of a text, to be stated one after the other."""

    def __init__(self, text: str, root: Node, about: Statements) -> None:
        """Sort the headings of a text. Raises Problem 400 for one that the form does not have."""
        self.text, self.about = text, about
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

    def named(
        self, nodes: Sequence[Node], headings: Sequence[Heading], level: int, where: str
    ) -> Iterator[tuple[Heading, Node]]:
        """The nodes with the headings that they are. Raises Problem 400 for others, and for doubles."""
        seen = set()
        for node in nodes:
            heading = recognized(node.title, headings)
            if not heading or node.level != level:
                raise self.unknown(node, [one.written for one in headings], level, where)
            if heading in seen:
                cause = f"{where} has the heading {heading.written} twice."
                raise fault(self.text, node.at, cause, "Bring the two together.")
            seen.add(heading)
            yield heading, node

    def unknown(self, node: Node, known: Sequence[str], level: int, where: str) -> Exception:
        """The Problem for a heading that has no place where it stands."""
        near = nearest(node.title, known)
        marks = "#" * level
        if near:
            suggestion = f"Did you mean {marks} {near}?"
        elif known:
            suggestion = f"Its headings are: {', '.join(f'{marks} {one}' for one in known)}."
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

    def write(self, subject: ox.NamedNode, name: str, node: Node, where: str) -> None:
        """State the text below a heading, if there is one."""
        self.leaf(node, where)
        if node.text:
            self.about.say(subject, name, self.about.text(node.text), node.text_at, node.at)

    def issue(self, node: Node, mark: str) -> None:
        """Section 1: what the issue is."""
        self.write(self.about.paper, "wgig:issueDescription", node, f"Section {mark}")

    def categories(self, node: Node, mark: str) -> None:
        """Section 2: the categories that the issue belongs to."""
        for one in self.values(node, f"Section {mark}"):
            self.about.say(self.about.paper, "wgig:category", category(one.text), one.at, node.at)

    def swot(self, node: Node, mark: str) -> None:
        """Section 3: strengths, weaknesses, opportunities, threats."""
        where = f"section {mark}"
        self.no_text(
            node, f"in {where} before its first heading", "Put it below ### Strengths or another of the four."
        )
        about = self.about
        swot = about.part("swot", "wgig:Swot", about.label("SWOT analysis"), node.at)
        about.say(about.paper, "wgig:swot", swot, node.at)
        for heading, child in self.named(node.children, SWOT, 3, f"Section {mark}"):
            for one in self.values(child, heading.title):
                about.say(swot, heading.key, about.text(one.text), one.at, child.at)

    def actors(self, node: Node, mark: str) -> None:
        """Section 4: who handles the issue, with whom."""
        self.no_text(node, f"in section {mark} before its first heading", "Put it below ### Main actor.")
        found = dict(self.named(node.children, ACTORS, 3, f"Section {mark}"))
        there = [(one, found[one]) for one in ACTORS if one in found]
        listed = [(key, child, one) for key, child in there for one in self.values(child, key.title)]
        for number, (heading, child, one) in enumerate(listed, 1):
            self.about.say(self.about.paper, heading.key, self.actor(one, number), one.at, child.at)

    def actor(self, block: Block, number: int) -> ox.NamedNode:
        """An actor, written `Name (stakeholder-group)`, or by a slug that the graph knows."""
        words = " ".join(block.text.split())
        found = ACTOR.fullmatch(words)
        name, group = (found[1], found[2]) if found else (words, "")
        about = self.about
        if known := known_agent(name) or (concept("agent", name) if slug(words) == words else None):
            actor = known
            about.homes[actor] = block.at
        else:
            actor = about.agent(name, f"actor-{number}")
            about.thing(actor, "org:Organization", block.at)
            about.say(actor, "foaf:name", ox.Literal(name), block.at)
        if group:
            about.say(actor, "wgig:stakeholderGroup", concept("group", group), block.at)
        return actor

    def forums(self, node: Node, mark: str) -> None:
        """Section 5: where the issue is discussed or handled."""
        for number, child in enumerate(self.deeper(node, 3, f"section {mark}", "each forum"), 1):
            forum = self.about.part(f"forum/{number}", "wgig:Forum", self.about.text(child.title), child.at)
            self.described(forum, "wgig:forum", child, FORUM)

    def governance(self, node: Node, mark: str) -> None:
        """Section 6: the mechanisms, which section 7 calls by their names."""
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
            for one in self.values(child, heading.written):
                about.say(part, heading.key, truth(one.text), one.at, child.at)

    def adequacy(self, node: Node, mark: str) -> None:
        """Section 7: the mechanisms measured against the criteria."""
        self.no_text(node, f"in section {mark} before its first heading", "Put it below ### a. Multilateral.")
        seen: set[str] = set()
        for child in node.children:
            heading, words = criterion(child.title)
            if not heading or child.level != 3:
                raise self.unknown(child, [one.written for one in CRITERIA], 3, f"Section {mark}")
            principle = slug(words)
            if principle in seen:
                cause = f"Section {mark} has the heading {child.title} twice."
                raise fault(
                    self.text, child.at, cause, "Bring the two together, with #### and a mechanism each."
                )
            seen.add(principle)
            for number, one in enumerate(self.assessments(child), 1):
                self.assessment(one, principle, number, heading)

    def assessments(self, node: Node) -> list[Node]:
        """Where the assessments by one criterion stand: below its heading, or below names of mechanisms."""
        for child in node.children:
            if child.level != 4:
                raise self.unknown(child, [], 4, node.title)
            self.leaf(child, child.title)
        return node.children if node.children and not node.text else [node, *node.children]

    def assessment(self, node: Node, principle: str, number: int, heading: Heading) -> None:
        """One assessment: verdict, mechanism, cited paragraphs, and the reason."""
        about = self.about
        name = (principle or "other") + (f"-{number}" if number > 1 else "")
        words = heading.title.lower() if heading.key else principle or "other"
        part = about.part(f"assessment/{name}", "wgig:Assessment", about.label(words), node.at)
        about.say(about.paper, "wgig:assessment", part, node.at)
        if principle:
            about.say(part, "wgig:criterion", iri(f"principle:{principle}"), node.at)
        if node.level == 4:
            about.say(part, "wgig:judges", self.mechanism(node.title), node.at)
        reason: list[Block] = []
        for line in node.lines:
            found = self.field(line, not joined(reason))
            if found is None:
                reason.append(line)
                continue
            key, words = found
            for value in self.values_of(key, words):
                about.say(part, FIELDS[key], value, line.at + line.text.index(words))
        if text := joined(reason):
            at = next(one.at for one in reason if one.text.strip())
            about.say(part, "wgig:rationale", about.text(text), at)

    def field(self, line: Block, early: bool) -> tuple[str, str] | None:
        """The key and value of a line such as `Verdict: adequate`, or none.

        Raises Problem 400 where a line before the reason, which is `early`, looks like a misspelt one.
        """
        found = FIELD.fullmatch(line.text)
        if not found:
            return None
        key, words = found[1].capitalize(), found[2].rstrip("\\ ")
        if key in FIELDS:
            return key, words
        near = nearest(key, FIELDS) if early else ""
        if near:
            raise fault(self.text, line.at, f"An assessment has no line {found[1]}.", f"Did you mean {near}?")
        return None

    def values_of(self, key: str, words: str) -> list[ox.NamedNode]:
        """What the value of a line names; an empty one names nothing."""
        if not words:
            return []
        if key == "Cites":
            return [passage(one) for one in SEPARATORS.split(words) if one]
        return [self.mechanism(words) if key == "Mechanism" else concept("verdict", words)]

    def mechanism(self, words: str) -> ox.NamedNode:
        """The mechanism of section 6 with this name, or one that is not there."""
        unknown = ox.NamedNode(f"{self.about.paper.value}/mechanism/{local(words)}")
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
