"""Reads the front matter of a paper: YAML between two lines `---`, as statements about the whole paper.

It is limited to 32 KiB and 4 levels, without anchors, references and tags. An unknown key gets a suggestion,
and errors have line and column. Drafters that the graph does not know are described with a membership in
their stakeholder group; waivers have a reason each.
"""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple, NoReturn
from urllib.parse import quote

import pyoxigraph as ox
import yaml

from .outline import fault
from .statements import Statements
from .template import HEAD, PERSON, nearest
from .values import (
    XSD,
    Term,
    address,
    concept,
    count,
    day,
    iri,
    known_agent,
    local,
    parse_boolean,
    passage,
    slug,
)

FENCE = re.compile(r"\A---[ \t]*(?:\r\n|\r|\n)")
END = re.compile(r"(?<=[\r\n])(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|\Z)")
SURROGATE = re.compile("[\ud800-\udfff]")  # an escape in quotes may name one
LONGEST = 32 * 1024  # characters
DEEPEST = 4
NULL = ("", "~", "null")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
STRING = ox.NamedNode(f"{XSD}string")
LINES = "Write lines key: value."
QUOTES = "Put a text with a colon or another mark in quotes."
TABS = "Write spaces in place of the tab."
EXAMPLE = "Begin it with a line ---, a line such as paper: my-paper, and a line ---."


class Loader(yaml.SafeLoader):
    """YAML without what a head has no use for: anchors, references, tags, and nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node. Raises ComposerError for what is refused, before it is followed."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            refused("anchors, references and tags are not read here", event)
        if SURROGATE.search(getattr(event, "value", "")):
            refused("half a character is not allowed", event)
        if self.depth > DEEPEST:
            refused("it is nested too deeply", event)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def tree(source: str) -> yaml.Node | None:
    """The tree of the YAML, None where there is none. Raises YAMLError."""
    loader = Loader(source)
    try:
        return loader.get_single_node()
    except (ValueError, OverflowError) as error:  # an escape has the number of no character
        raise yaml.reader.ReaderError("", loader.index, "", "", "") from error


def refused(problem: str, event: Any) -> NoReturn:
    """Raise the error for an event that the head may not have."""
    raise yaml.composer.ComposerError(None, None, problem, event.start_mark)


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
            node = tree(source)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = self.start + index(mark)
            mend = TABS if self.text.startswith("\t", at) else QUOTES
            raise fault(self.text, at, f"The head does not parse: {error.problem}.", mend) from error
        except yaml.reader.ReaderError as error:
            at = self.start + error.position
            raise fault(
                self.text, at, "This character is not allowed in the head.", "Take it out."
            ) from error
        if node is None:
            raise fault(self.text, 0, "The head is empty.", EXAMPLE)
        return node

    def mapping(self, node: yaml.Node, whose: str, known: Collection[str] = ()) -> dict[str, Entry]:
        """The entries of a mapping by key. Raises Problem 400 for a key that is not `known`, or doubled."""
        if not isinstance(node, yaml.MappingNode):
            raise fault(self.text, self.at(node), f"{whose} is no list of keys.", LINES)
        found: dict[str, Entry] = {}
        for key_node, value in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise fault(self.text, self.at(key_node), "A key is a word, and this is none.", LINES)
            key, at = key_node.value, self.at(key_node)
            if known and key not in known:
                raise fault(self.text, at, f"{whose} has no key {key}.", meant(key, known))
            if key in found:
                raise fault(
                    self.text, at, f"{whose} has the key {key} twice.", "Keep one; it may hold a list."
                )
            found[key] = Entry(key, at, value)
        return found

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
        return self.start + index(node.start_mark)

    def first(self, key: str) -> Value | None:
        """The first value of a key, or none."""
        return next(self.values(self.entries[key].node), None) if key in self.entries else None

    def single(self, entry: Entry | None) -> Value | None:
        """The value of a key that may be there, or none. Raises Problem 400 for several."""
        found = list(self.values(entry.node)) if entry else []
        if entry and found[1:]:
            raise fault(self.text, found[1].at, f"There are several values of {entry.key}.", "Keep one.")
        return found[0] if found else None

    def truth(self, value: Value) -> bool:
        """Whether a value says yes. Raises Problem 400 where it says neither yes nor no."""
        said = parse_boolean(value.words)
        if said.datatype == STRING:
            raise fault(
                self.text, value.at, f"{value.words} is neither true nor false.", "Write true or false."
            )
        return said.value == "true"


def index(mark: object) -> int:
    """The offset of a mark in the YAML, 0 where the parser gives none."""
    return int(getattr(mark, "index", 0))


def meant(words: str, known: Collection[str]) -> str:
    """What to write in place of an unknown key."""
    near = nearest(words, known)
    return f"Did you mean {near}?" if near else f"Its keys are: {', '.join(known)}."


def begun(head: Head) -> Statements:
    """The statements of a paper with nothing but what the head says of all of them.

    Raises Problem 400 where the paper has no name, or the language is no tag.
    """
    entry = head.entries.get("paper")
    name = head.single(entry)
    if not entry or not name:
        raise fault(head.text, 0, "The head does not name the paper.", "Add a line such as paper: my-paper.")
    if not SLUG.fullmatch(name.words):
        cause = f"{name.words} is no name of a paper: it has small letters, digits and hyphens."
        raise fault(head.text, name.at, cause, f"Write {slug(name.words) or 'my-paper'}.")
    about = Statements(name.words, entry.at)
    if language := head.first("language"):
        about.language = tag(head, language)
    if illustrative := head.first("illustrative"):
        about.illustrative = head.truth(illustrative)
    if "source" in head.entries:
        given = head.values(head.entries["source"].node)
        about.sources = [address(one.words) for one in given] or about.sources
    return about


def tag(head: Head, value: Value) -> str:
    """A language tag in small letters, as RDF has it. Raises Problem 400 where it is none."""
    try:
        ox.Literal("", language=value.words)
    except ValueError as error:
        raise fault(
            head.text, value.at, f"{value.words} is no language tag.", "Write one such as en."
        ) from error
    return value.words.lower()


def titles(head: Head) -> list[tuple[Value, str]]:
    """The titles, each with its language."""
    if "title" not in head.entries:
        return []
    node = head.entries["title"].node
    if not isinstance(node, yaml.MappingNode):
        return [(one, "") for one in head.values(node)]
    return [
        (one, tag(head, Value(inner.key, inner.at)))
        for inner in head.mapping(node, "The title").values()
        for one in head.values(inner.node)
    ]


def state(head: Head, about: Statements) -> None:
    """State what the keys of the head say. Raises Problem 400 for a value of another form."""
    for entry in head.entries.values():
        if entry.key in PROPERTIES:
            about.slot(about.paper, PROPERTIES[entry.key], entry.at)
        if entry.key in SINGLE:
            name, term = SINGLE[entry.key]
            for one in head.values(entry.node):
                about.say(about.paper, name, term(one.words), one.at, entry.at)
        elif entry.key in STRUCTURED:
            STRUCTURED[entry.key](head, about, entry)


def drafters(head: Head, about: Statements, entry: Entry) -> None:
    """Those who drafted the paper: known ones by name, others described."""
    listed = entry.node.value if isinstance(entry.node, yaml.SequenceNode) else [entry.node]
    for node in listed:
        if isinstance(node, yaml.MappingNode):
            about.say(about.paper, "wgig:drafter", person(head, about, node), head.at(node), entry.at)
            continue
        for one in head.values(node):
            if "," in one.words:
                raise fault(head.text, one.at, "This names several drafters.", "Give each a line: - afonso")
            drafter = known_agent(one.words) or concept("agent", one.words)
            about.say(about.paper, "wgig:drafter", drafter, one.at, entry.at)


def person(head: Head, about: Statements, node: yaml.MappingNode) -> ox.NamedNode:
    """A person who is not in the graph, with a seat in the group where they are a member."""
    entries = head.mapping(node, "A drafter", PERSON)
    own, member = head.single(entries.get("id")), head.single(entries.get("member"))
    name = head.single(entries.get("name")) or own
    if not name:
        raise fault(head.text, head.at(node), "This drafter has no name.", "Add a line name: with the name.")
    agent = concept("agent", own.words) if own else about.agent(name.words, "drafter")
    about.names.setdefault(agent, name.words)
    about.thing(agent, "foaf:Person", head.at(node))
    about.say(agent, "foaf:name", ox.Literal(name.words), name.at)
    seated = membership(about, agent, name, head.at(node)) if member and head.truth(member) else agent
    for one in head.values(entries["group"].node) if "group" in entries else ():
        about.say(seated, "wgig:stakeholderGroup", concept("group", one.words), one.at)
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
    for number, one in enumerate(head.mapping(entry.node, "The list of waivers").values(), 1):
        code = local("shape", one.key)
        waiver = about.part(f"waiver/{number}", "wgig:Waiver", about.label(f"waiver of {code}"), one.at)
        about.say(about.paper, "wgig:waiver", waiver, one.at, entry.at)
        about.say(waiver, "wgig:waives", iri(f"shape:{quote(code)}"), one.at)
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
    "illustrative": ("wgig:illustrative", parse_boolean),
    "source": ("dcterms:source", address),
    "cites": ("cito:cites", passage),
}
STRUCTURED: dict[str, Callable[[Head, Statements, Entry], None]] = {
    "drafters": drafters,
    "waivers": waivers,
}
# The property of the paper that a key gives.
PROPERTIES = {key: name for key, (name, _) in SINGLE.items()} | {
    "title": "dcterms:title",
    "drafters": "wgig:drafter",
}
