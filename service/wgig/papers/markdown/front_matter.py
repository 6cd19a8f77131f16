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

from ...rdf.namespaces import XSD_STRING, expand_curie
from .graph import iter_membership_values, membership_iri
from .outline import paper_syntax_problem
from .statements import PaperStatements
from .template import DRAFTER_KEYS, FRONT_MATTER_KEYS, find_nearest_key
from .values import (
    PaperTerm,
    concept_iri,
    find_known_agent,
    parse_boolean,
    parse_day,
    parse_source_address,
    parse_whole_number,
    passage_iri,
    slugify_words,
    strip_name_prefix,
)

OPENING_FENCE_PATTERN = re.compile(r"\A---[ \t]*(?:\r\n|\r|\n)")
CLOSING_FENCE_PATTERN = re.compile(r"(?<=[\r\n])(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|\Z)")
SURROGATE_PATTERN = re.compile("[\ud800-\udfff]")  # an escape in quotes may name one
MAX_FRONT_MATTER_CHARACTERS = 32 * 1024  # characters
MAX_YAML_LEVELS = 4
YAML_NULL_WORDS = ("", "~", "null")
PAPER_NAME_PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
KEY_LINES_HINT = "Write lines key: value."
QUOTES_HINT = "Put a text with a colon or another mark in quotes."
TAB_HINT = "Write spaces in place of the tab."
FRONT_MATTER_HINT = "Begin it with a line ---, a line such as paper: my-paper, and a line ---."


class FrontMatterLoader(yaml.SafeLoader):
    """YAML without what a head has no use for: anchors, references, tags, and nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node. Raises ComposerError for what is refused, before it is followed."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            refuse_yaml_event("anchors, references and tags are not read here", event)
        if SURROGATE_PATTERN.search(getattr(event, "value", "")):
            refuse_yaml_event("half a character is not allowed", event)
        if self.depth > MAX_YAML_LEVELS:
            refuse_yaml_event("it is nested too deeply", event)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def parse_yaml_tree(source: str) -> yaml.Node | None:
    """The tree of the YAML, None where there is none. Raises YAMLError."""
    loader = FrontMatterLoader(source)
    try:
        return loader.get_single_node()
    except (ValueError, OverflowError) as error:  # an escape has the number of no character
        raise yaml.reader.ReaderError("", loader.index, "", "", "") from error


def refuse_yaml_event(problem: str, event: Any) -> NoReturn:
    """Raise the error for an event that the head may not have."""
    raise yaml.composer.ComposerError(None, None, problem, event.start_mark)


class FrontMatterValue(NamedTuple):
    """A value of the head and the offset of its first character in the text."""

    words: str
    offset: int


class FrontMatterEntry(NamedTuple):
    """A key of the head with what stands behind it, and the offset of the key in the text."""

    key: str
    offset: int
    node: yaml.Node


class FrontMatter:
    """The head of a text: its entries by key, and the offset where the body begins."""

    def __init__(self, text: str) -> None:
        """Read the head. Raises Problem 400 for a text without one, or one that is no simple YAML."""
        fence = OPENING_FENCE_PATTERN.match(text)
        if not fence:
            raise paper_syntax_problem(text, 0, "The paper has no head.", FRONT_MATTER_HINT)
        self.text, self.start = text, fence.end()
        end = CLOSING_FENCE_PATTERN.search(text, self.start)
        if not end:
            raise paper_syntax_problem(text, 0, "The head has no end.", "Close it with a line ---.")
        self.body_offset = end.end()
        if end.start() - self.start > MAX_FRONT_MATTER_CHARACTERS:
            raise paper_syntax_problem(
                text,
                self.start,
                f"The head is longer than {MAX_FRONT_MATTER_CHARACTERS} characters.",
                "Shorten it.",
            )
        self.entries = self.parse_mapping(
            self.compose_tree(text[self.start : end.start()]), "The head", FRONT_MATTER_KEYS
        )

    def compose_tree(self, source: str) -> yaml.Node:
        """The tree of the YAML. Raises Problem 400 where it is none, or more than a plain one."""
        try:
            node = parse_yaml_tree(source)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = self.start + yaml_mark_offset(mark)
            mend = TAB_HINT if self.text.startswith("\t", at) else QUOTES_HINT
            raise paper_syntax_problem(
                self.text, at, f"The head does not parse: {error.problem}.", mend
            ) from error
        except yaml.reader.ReaderError as error:
            at = self.start + error.position
            raise paper_syntax_problem(
                self.text, at, "This character is not allowed in the head.", "Take it out."
            ) from error
        if node is None:
            raise paper_syntax_problem(self.text, 0, "The head is empty.", FRONT_MATTER_HINT)
        return node

    def parse_mapping(
        self, node: yaml.Node, whose: str, known: Collection[str] = ()
    ) -> dict[str, FrontMatterEntry]:
        """The entries of a mapping by key. Raises Problem 400 for a key that is not `known`, or doubled."""
        if not isinstance(node, yaml.MappingNode):
            raise paper_syntax_problem(
                self.text, self.node_offset(node), f"{whose} is no list of keys.", KEY_LINES_HINT
            )
        found: dict[str, FrontMatterEntry] = {}
        for key_node, value in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise paper_syntax_problem(
                    self.text,
                    self.node_offset(key_node),
                    "A key is a word, and this is none.",
                    KEY_LINES_HINT,
                )
            key, at = key_node.value, self.node_offset(key_node)
            if known and key not in known:
                raise paper_syntax_problem(
                    self.text, at, f"{whose} has no key {key}.", suggest_key(key, known)
                )
            if key in found:
                raise paper_syntax_problem(
                    self.text, at, f"{whose} has the key {key} twice.", "Keep one; it may hold a list."
                )
            found[key] = FrontMatterEntry(key, at, value)
        return found

    def iter_values(self, node: yaml.Node) -> Iterator[FrontMatterValue]:
        """The values in a plain value or a list of them, but empty ones. Raises Problem 400 for others."""
        for one in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(one, yaml.ScalarNode):
                raise paper_syntax_problem(
                    self.text,
                    self.node_offset(one),
                    "A plain value is expected here.",
                    "Write it on one line.",
                )
            words = one.value.strip()
            if words not in YAML_NULL_WORDS or one.style:
                yield FrontMatterValue(words, self.node_offset(one))

    def node_offset(self, node: yaml.Node) -> int:
        """The offset of a node in the text."""
        return self.start + yaml_mark_offset(node.start_mark)

    def first_value(self, key: str) -> FrontMatterValue | None:
        """The first value of a key, or none."""
        return next(self.iter_values(self.entries[key].node), None) if key in self.entries else None

    def single_value(self, entry: FrontMatterEntry | None) -> FrontMatterValue | None:
        """The value of a key that may be there, or none. Raises Problem 400 for several."""
        found = list(self.iter_values(entry.node)) if entry else []
        if entry and found[1:]:
            raise paper_syntax_problem(
                self.text, found[1].offset, f"There are several values of {entry.key}.", "Keep one."
            )
        return found[0] if found else None

    def parse_truth(self, value: FrontMatterValue) -> bool:
        """Whether a value says yes. Raises Problem 400 where it says neither yes nor no."""
        said = parse_boolean(value.words)
        if said.datatype == XSD_STRING:
            raise paper_syntax_problem(
                self.text, value.offset, f"{value.words} is neither true nor false.", "Write true or false."
            )
        return said.value == "true"


def yaml_mark_offset(mark: object) -> int:
    """The offset of a mark in the YAML, 0 where the parser gives none."""
    return int(getattr(mark, "index", 0))


def suggest_key(words: str, known: Collection[str]) -> str:
    """What to write in place of an unknown key."""
    near = find_nearest_key(words, known)
    return f"Did you mean {near}?" if near else f"Its keys are: {', '.join(known)}."


def build_initial_statements(head: FrontMatter) -> PaperStatements:
    """The statements of a paper with nothing but what the head says of all of them.

    Raises Problem 400 where the paper has no name, or the language is no tag.
    """
    entry = head.entries.get("paper")
    name = head.single_value(entry)
    if not entry or not name:
        raise paper_syntax_problem(
            head.text, 0, "The head does not name the paper.", "Add a line such as paper: my-paper."
        )
    if not PAPER_NAME_PATTERN.fullmatch(name.words):
        cause = f"{name.words} is no name of a paper: it has small letters, digits and hyphens."
        raise paper_syntax_problem(
            head.text, name.offset, cause, f"Write {slugify_words(name.words) or 'my-paper'}."
        )
    about = PaperStatements(name.words, entry.offset)
    if language := head.first_value("language"):
        about.language = parse_paper_language(head, language)
    if illustrative := head.first_value("illustrative"):
        about.illustrative = head.parse_truth(illustrative)
    if "source" in head.entries:
        given = head.iter_values(head.entries["source"].node)
        about.sources = [parse_source_address(one.words) for one in given] or about.sources
    return about


def parse_paper_language(head: FrontMatter, value: FrontMatterValue) -> str:
    """A language tag in small letters, as RDF has it. Raises Problem 400 where it is none."""
    try:
        ox.Literal("", language=value.words)
    except ValueError as error:
        raise paper_syntax_problem(
            head.text, value.offset, f"{value.words} is no language tag.", "Write one such as en."
        ) from error
    return value.words.lower()


def list_paper_titles(head: FrontMatter) -> list[tuple[FrontMatterValue, str]]:
    """The titles, each with its language."""
    if "title" not in head.entries:
        return []
    node = head.entries["title"].node
    if not isinstance(node, yaml.MappingNode):
        return [(one, "") for one in head.iter_values(node)]
    return [
        (one, parse_paper_language(head, FrontMatterValue(inner.key, inner.offset)))
        for inner in head.parse_mapping(node, "The title").values()
        for one in head.iter_values(inner.node)
    ]


def add_front_matter(head: FrontMatter, about: PaperStatements) -> None:
    """State what the keys of the head say. Raises Problem 400 for a value of another form."""
    for entry in head.entries.values():
        if entry.key in KEY_PROPERTIES:
            about.add_slot(about.paper, KEY_PROPERTIES[entry.key], entry.offset)
        if entry.key in SIMPLE_KEYS:
            name, term = SIMPLE_KEYS[entry.key]
            for one in head.iter_values(entry.node):
                about.add_value(about.paper, name, term(one.words), one.offset, entry.offset)
        elif entry.key in STRUCTURED_KEYS:
            STRUCTURED_KEYS[entry.key](head, about, entry)


def add_drafters(head: FrontMatter, about: PaperStatements, entry: FrontMatterEntry) -> None:
    """Those who drafted the paper: known ones by name, others described."""
    listed = entry.node.value if isinstance(entry.node, yaml.SequenceNode) else [entry.node]
    for node in listed:
        if isinstance(node, yaml.MappingNode):
            about.add_value(
                about.paper,
                "wgig:drafter",
                describe_drafter(head, about, node),
                head.node_offset(node),
                entry.offset,
            )
            continue
        for one in head.iter_values(node):
            if "," in one.words:
                raise paper_syntax_problem(
                    head.text, one.offset, "This names several drafters.", "Give each a line: - afonso"
                )
            drafter = find_known_agent(one.words) or concept_iri("agent", one.words)
            about.add_value(about.paper, "wgig:drafter", drafter, one.offset, entry.offset)


def describe_drafter(head: FrontMatter, about: PaperStatements, node: yaml.MappingNode) -> ox.NamedNode:
    """A person who is not in the graph, with a seat in the group where they are a member."""
    entries = head.parse_mapping(node, "A drafter", DRAFTER_KEYS)
    own, member = head.single_value(entries.get("id")), head.single_value(entries.get("member"))
    name = head.single_value(entries.get("name")) or own
    if not name:
        raise paper_syntax_problem(
            head.text, head.node_offset(node), "This drafter has no name.", "Add a line name: with the name."
        )
    agent = concept_iri("agent", own.words) if own else about.agent_iri(name.words, "drafter")
    about.agent_names.setdefault(agent, name.words)
    about.describe_node(agent, "foaf:Person", head.node_offset(node))
    about.add_value(agent, "foaf:name", ox.Literal(name.words), name.offset)
    seated = (
        describe_membership(about, agent, name, head.node_offset(node))
        if member and head.parse_truth(member)
        else agent
    )
    for one in head.iter_values(entries["group"].node) if "group" in entries else ():
        about.add_value(seated, "wgig:stakeholderGroup", concept_iri("group", one.words), one.offset)
    return agent


def describe_membership(
    about: PaperStatements, agent: ox.NamedNode, name: FrontMatterValue, at: int
) -> ox.NamedNode:
    """The seat of a person in the group."""
    seat = membership_iri(agent)
    about.describe_node(seat, "org:Membership", at)
    for property_, value in iter_membership_values(agent, name.words):
        about.add_value(seat, property_, value, at)
    return seat


def add_waivers(head: FrontMatter, about: PaperStatements, entry: FrontMatterEntry) -> None:
    """The rules that should not hold for the paper, each with its reason."""
    for number, one in enumerate(head.parse_mapping(entry.node, "The list of waivers").values(), 1):
        code = strip_name_prefix("shape", one.key)
        waiver = about.add_part(
            f"waiver/{number}", "wgig:Waiver", about.part_label(f"waiver of {code}"), one.offset
        )
        about.add_value(about.paper, "wgig:waiver", waiver, one.offset, entry.offset)
        about.add_value(waiver, "wgig:waives", expand_curie(f"shape:{quote(code)}"), one.offset)
        for reason in head.iter_values(one.node):
            about.add_value(
                waiver, "wgig:reason", about.text_literal(reason.words), reason.offset, one.offset
            )


def plain_literal(words: str) -> ox.Literal:
    """Plain text."""
    return ox.Literal(words)


# Keys with one kind of value, each by its property and how the value is read.
SIMPLE_KEYS: dict[str, tuple[str, Callable[[str], PaperTerm]]] = {
    "language": ("schema:inLanguage", plain_literal),
    "issue": ("wgig:issue", lambda words: concept_iri("issue", words)),
    "posted": ("wgig:posted", parse_day),
    "pages": ("bibo:numPages", parse_whole_number),
    "version": ("schema:version", plain_literal),
    "status": ("schema:creativeWorkStatus", plain_literal),
    "illustrative": ("wgig:illustrative", parse_boolean),
    "source": ("dcterms:source", parse_source_address),
    "cites": ("cito:cites", passage_iri),
}
STRUCTURED_KEYS: dict[str, Callable[[FrontMatter, PaperStatements, FrontMatterEntry], None]] = {
    "drafters": add_drafters,
    "waivers": add_waivers,
}
# The property of the paper that a key gives.
KEY_PROPERTIES = {key: name for key, (name, _) in SIMPLE_KEYS.items()} | {
    "title": "dcterms:title",
    "drafters": "wgig:drafter",
}
