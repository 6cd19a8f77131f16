"""The head of a paper: YAML between two lines of three hyphens, as statements about the paper as a whole."""

import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple
from urllib.parse import quote

import pyoxigraph as ox
import yaml

from ..sparql import fault
from .form import HEAD, PERSON, nearest
from .statements import Statements
from .values import XSD, Term, address, concept, count, day, iri, known_agent, passage, slug, truth

FENCE = re.compile(r"\A---[ \t]*(?:\r\n|\r|\n)")
END = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|\Z)", re.MULTILINE)
LONGEST = 32 * 1024  # characters
DEEPEST = 4
NULL = ("", "~", "null")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
STRING = ox.NamedNode(f"{XSD}string")
EXAMPLE = "Begin it with a line ---, a line such as paper: my-paper, and a line ---."


class Value(NamedTuple):
    """A value of the head and the offset of its first character in the text."""

    words: str
    at: int


class Entry(NamedTuple):
    """A key of the head with what stands behind it, and the offset of the key in the text."""

    key: str
    at: int
    node: yaml.Node


class Head:
    """The head of a text: its entries by key, and the offset where the body begins."""

    def __init__(self, text: str) -> None:
        """Read the head. Raises Problem 400 for a text without one, or one that is no simple YAML."""
        fence = FENCE.match(text)
        if not fence:
            raise fault(text, 0, "The paper has no head.", EXAMPLE)
        self.text, self.start = text, fence.end()
        end = END.search(text, self.start)
        if not end:
            raise fault(text, 0, "The head has no end.", "Close it with a line ---.")
        self.end = end.end()
        if end.start() - self.start > LONGEST:
            raise fault(text, self.start, f"The head is longer than {LONGEST} characters.", "Shorten it.")
        self.entries = self.mapping(self.composed(text[self.start : end.start()]), "The head", HEAD)

    def composed(self, source: str) -> yaml.Node:
        """The tree of the YAML. Raises Problem 400 where it is none, or more than a plain one."""
        try:
            self.simple(source)
            node = yaml.compose(source, yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = self.start + (getattr(mark, "index", 0))
            quoting = "Put a text with a colon or another mark in quotes."
            raise fault(self.text, at, f"The head does not parse: {error.problem}.", quoting) from error
        except yaml.reader.ReaderError as error:
            at = self.start + error.position
            raise fault(
                self.text, at, "This character is not allowed in the head.", "Take it out."
            ) from error
        if node is None:
            raise fault(self.text, 0, "The head is empty.", EXAMPLE)
        return node

    def simple(self, source: str) -> None:
        """Raise Problem 400 for anchors, references, tags and deep nesting, before they are followed."""
        depth = 0
        for event in yaml.parse(source, yaml.SafeLoader):
            at = self.start + event.start_mark.index
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise fault(self.text, at, "The head is nested too deeply.", "Write lists of plain values.")
            if getattr(event, "anchor", None) or getattr(event, "tag", None):
                cause = "Anchors, references and tags of YAML are not read."
                raise fault(self.text, at, cause, "Write the value out, or put it in quotes.")

    def mapping(self, node: yaml.Node, whose: str, known: Collection[str] = ()) -> list[Entry]:
        """The entries of a mapping. Raises Problem 400 for a key that is not `known`, or is there twice."""
        if not isinstance(node, yaml.MappingNode):
            raise fault(self.text, self.at(node), f"{whose} is no list of keys.", "Write lines key: value.")
        found: dict[str, Entry] = {}
        for key_node, value in node.value:
            key, at = str(key_node.value), self.at(key_node)
            if known and key not in known:
                raise fault(self.text, at, f"{whose} has no key {key}.", meant(key, known))
            if key in found:
                raise fault(
                    self.text, at, f"{whose} has the key {key} twice.", "Keep one; it may hold a list."
                )
            found[key] = Entry(key, at, value)
        return list(found.values())

    def values(self, node: yaml.Node) -> Iterator[Value]:
        """The values in a plain value or a list of them, but empty ones. Raises Problem 400 for others."""
        for one in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(one, yaml.ScalarNode):
                raise fault(
                    self.text, self.at(one), "A plain value is expected here.", "Write it on one line."
                )
            words = one.value.strip()
            if words not in NULL or one.style:
                yield Value(words, self.at(one))

    def at(self, node: yaml.Node) -> int:
        """The offset of a node in the text."""
        return self.start + int(node.start_mark.index)

    def first(self, key: str) -> Value | None:
        """The first value of a key, or none."""
        return next(
            (one for entry in self.entries if entry.key == key for one in self.values(entry.node)), None
        )

    def truth(self, value: Value) -> bool:
        """Whether a value says yes. Raises Problem 400 where it says neither yes nor no."""
        said = truth(value.words)
        if said.datatype == STRING:
            raise fault(
                self.text, value.at, f"{value.words} is neither true nor false.", "Write true or false."
            )
        return said.value == "true"


def meant(words: str, known: Collection[str]) -> str:
    """What to write in place of an unknown key."""
    near = nearest(words, known)
    return f"Did you mean {near}?" if near else f"Its keys are: {', '.join(known)}."


def begun(head: Head) -> Statements:
    """The statements of a paper with nothing but what the head says of all of them.

    Raises Problem 400 where the paper has no name, or the language is no tag.
    """
    name = head.first("paper")
    if not name:
        raise fault(head.text, 0, "The head does not name the paper.", "Add a line such as paper: my-paper.")
    if not SLUG.fullmatch(name.words):
        cause = f"{name.words} is no name of a paper: it has small letters, digits and hyphens."
        raise fault(head.text, name.at, cause, f"Write {slug(name.words) or 'my-paper'}.")
    entry = next(one for one in head.entries if one.key == "paper")
    about = Statements(name.words, entry.at)
    if language := head.first("language"):
        about.language = tag(head, language)
    if illustrative := head.first("illustrative"):
        about.illustrative = head.truth(illustrative)
    given = [one for entry in head.entries if entry.key == "source" for one in head.values(entry.node)]
    about.sources = [address(one.words) for one in given] or about.sources
    return about


def tag(head: Head, value: Value) -> str:
    """A language tag. Raises Problem 400 where it is none."""
    try:
        ox.Literal("", language=value.words)
    except ValueError as error:
        raise fault(
            head.text, value.at, f"{value.words} is no language tag.", "Write one such as en."
        ) from error
    return value.words


def titles(head: Head) -> list[tuple[Value, str]]:
    """The titles, each with its language."""
    found = []
    for entry in (one for one in head.entries if one.key == "title"):
        if not isinstance(entry.node, yaml.MappingNode):
            return [(one, "") for one in head.values(entry.node)]
        for inner in head.mapping(entry.node, "The title"):
            language = tag(head, Value(inner.key, inner.at))
            found += [(one, language) for one in head.values(inner.node)]
    return found


def state(head: Head, about: Statements) -> None:
    """State what the keys of the head say. Raises Problem 400 for a value of another form."""
    for entry in head.entries:
        if entry.key in SINGLE:
            name, term = SINGLE[entry.key]
            for one in head.values(entry.node):
                about.say(about.paper, name, term(one.words), one.at, entry.at)
        elif entry.key in STRUCTURED:
            STRUCTURED[entry.key](head, about, entry)


def drafters(head: Head, about: Statements, entry: Entry) -> None:
    """Those who drafted the paper: known ones by name, others described."""
    listed = entry.node.value if isinstance(entry.node, yaml.SequenceNode) else [entry.node]
    for number, node in enumerate(listed, 1):
        if isinstance(node, yaml.MappingNode):
            about.say(about.paper, "wgig:drafter", person(head, about, node, number), head.at(node), entry.at)
            continue
        for one in head.values(node):
            drafter = known_agent(one.words) or concept("agent", one.words)
            about.say(about.paper, "wgig:drafter", drafter, one.at, entry.at)


def person(head: Head, about: Statements, node: yaml.MappingNode, number: int) -> ox.NamedNode:
    """A person who is not in the graph, with a seat in the group where they are a member."""
    entries = head.mapping(node, "A drafter", PERSON)
    said = {one.key: value for one in entries for value in head.values(one.node)}
    name = said.get("name") or said.get("id")
    if not name:
        raise fault(head.text, head.at(node), "This drafter has no name.", "Add a line name: with the name.")
    own = said.get("id")
    agent = concept("agent", own.words) if own else about.agent(name.words, f"drafter-{number}")
    about.thing(agent, "foaf:Person", head.at(node))
    about.say(agent, "foaf:name", ox.Literal(name.words), name.at)
    seated = agent
    if "member" in said and head.truth(said["member"]):
        seated = membership(about, agent, name, said["member"].at)
    if "group" in said:
        group = said["group"]
        about.say(seated, "wgig:stakeholderGroup", concept("group", group.words), group.at)
    return agent


def membership(about: Statements, agent: ox.NamedNode, name: Value, at: int) -> ox.NamedNode:
    """The seat of a person in the group."""
    seat = iri(f"membership:{agent.value.rpartition('/')[2]}")
    about.thing(seat, "org:Membership", at)
    about.say(seat, "rdfs:label", ox.Literal(f"{name.words}, member", language="en"), at)
    about.say(seat, "org:member", agent, at)
    about.say(seat, "org:organization", iri("agent:wgig"), at)
    about.say(seat, "org:role", iri("role:member"), at)
    return seat


def waivers(head: Head, about: Statements, entry: Entry) -> None:
    """The rules that should not hold for the paper, each with its reason."""
    for number, one in enumerate(head.mapping(entry.node, "The list of waivers"), 1):
        waiver = about.part(f"waiver/{number}", "wgig:Waiver", about.label(f"waiver of {one.key}"), one.at)
        about.say(about.paper, "wgig:waiver", waiver, one.at, entry.at)
        about.say(waiver, "wgig:waives", iri(f"shape:{quote(one.key)}"), one.at)
        for reason in head.values(one.node):
            about.say(waiver, "wgig:reason", about.text(reason.words), reason.at, one.at)


def text(words: str) -> ox.Literal:
    """Plain text."""
    return ox.Literal(words)


# Keys with one kind of value, each by its property and how the value is read.
SINGLE: dict[str, tuple[str, Callable[[str], Term]]] = {
    "language": ("schema:inLanguage", text),
    "issue": ("wgig:issue", lambda words: concept("issue", words)),
    "posted": ("wgig:posted", day),
    "pages": ("bibo:numPages", count),
    "version": ("schema:version", text),
    "status": ("schema:creativeWorkStatus", text),
    "illustrative": ("wgig:illustrative", truth),
    "source": ("dcterms:source", address),
    "cites": ("cito:cites", passage),
}
STRUCTURED: dict[str, Callable[[Head, Statements, Entry], None]] = {
    "drafters": drafters,
    "waivers": waivers,
}
