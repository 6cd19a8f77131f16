"""Convert the front matter of a paper, which is YAML between two lines `---`, to statements.

It may have at most 32 Ki characters and 4 levels, and no anchors, aliases or tags. Errors have line and
column, and for an unknown key a suggestion. For a drafter who is not in the bundled facts, the statements
describe the person, and the membership in the working group if the person is a member. The module
`statements` explains slots.
"""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple, NoReturn
from urllib.parse import quote

import pyoxigraph as ox
import yaml

from ...rdf.namespaces import XSD_STRING, expand_curie
from ...text import slugify_words
from .graph import iter_membership_values, membership_iri
from .outline import paper_syntax_problem
from .statements import PaperStatements
from .template import DRAFTER_KEYS, FRONT_MATTER_KEYS, build_waiver_label, find_nearest_key
from .values import (
    PaperTerm,
    concept_iri,
    find_known_agent,
    known_agent_name,
    parse_boolean,
    parse_date,
    parse_source_reference,
    parse_whole_number,
    passage_iri,
    strip_name_prefix,
)

OPENING_FENCE_PATTERN = re.compile(r"\A---[ \t]*(?:\r\n|\r|\n)")
CLOSING_FENCE_PATTERN = re.compile(r"(?<=[\r\n])(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|\Z)")
SURROGATE_PATTERN = re.compile("[\ud800-\udfff]")  # an escape such as "\ud800" produces one
MAX_FRONT_MATTER_CHARACTERS = 32 * 1024
MAX_YAML_LEVELS = 4
YAML_NULL_WORDS = ("", "~", "null")
PAPER_NAME_PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
KEY_LINES_HINT = "Write lines of the form `key: value`."
QUOTES_HINT = "Put quotes around text that contains a colon or other punctuation."
FRONT_MATTER_NAME = "The block between the two lines `---` at the top"  # authors may not know the term
REFUSED_SIGNS, REFUSED_DEPTH, REFUSED_SURROGATE = "anchors, aliases and tags", "depth", "surrogate"
FRONT_MATTER_HINT = (
    "Start the file with a line `---`, a line such as `paper: my-paper`, and another line `---`."
)


class FrontMatterLoader(yaml.SafeLoader):
    """A YAML loader that refuses anchors, aliases, tags, surrogates and deep nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node. Raises ComposerError for refused YAML before it is processed."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            refuse_yaml_event(REFUSED_SIGNS, event)
        if SURROGATE_PATTERN.search(getattr(event, "value", "")):
            refuse_yaml_event(REFUSED_SURROGATE, event)
        if self.depth > MAX_YAML_LEVELS:
            refuse_yaml_event(REFUSED_DEPTH, event)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


# What the messages of the YAML loader mean for an author: cause and fix, by a part of the message.
YAML_CAUSES = {
    "mapping values": ("There is a second colon in this line.", QUOTES_HINT),
    "'\\t'": ("There is a tab in this line.", "Replace the tab with spaces."),
    "end of stream": ("A quotation mark in this block is not closed.", "Close it."),
    "expected ',' or": ("A bracket in this block is not closed.", "Close it, and put commas between values."),
    "expected ':'": ("There is a line without a colon.", KEY_LINES_HINT),
    "<block end>": ("This line does not fit the lines above it.", "Start all keys in the same column."),
    REFUSED_SIGNS: ("The signs &, * and ! have a special meaning here.", "Put quotes around the text."),
    REFUSED_DEPTH: ("Values are nested too deeply.", "Use at most the levels of the template."),
    REFUSED_SURROGATE: (
        "This escape is not allowed: it is half of a character.",
        "Write the character itself.",
    ),
}


def explain_yaml_error(message: str) -> tuple[str, str]:
    """The cause of an error of the YAML loader in plain words, and the fix."""
    causes = (cause for part, cause in YAML_CAUSES.items() if part in message)
    return next(causes, ("This line cannot be read.", QUOTES_HINT))


def parse_yaml_tree(yaml_text: str) -> yaml.Node | None:
    """The root node of the YAML, or None if it is empty. Raises YAMLError."""
    loader = FrontMatterLoader(yaml_text)
    try:
        return loader.get_single_node()
    except (ValueError, OverflowError) as error:  # for an escape with an invalid code point
        # `compose_tree` reports only the position.
        raise yaml.reader.ReaderError("", loader.index, "", "", "") from error


def refuse_yaml_event(problem: str, event: Any) -> NoReturn:
    """Raise ComposerError with the position of the event."""
    raise yaml.composer.ComposerError(None, None, problem, event.start_mark)


class FrontMatterValue(NamedTuple):
    """A value of the front matter and the offset of its first character in the text."""

    text: str
    offset: int


class FrontMatterEntry(NamedTuple):
    """A key of the front matter, the offset of the key in the text, and the YAML node of the value."""

    key: str
    offset: int
    node: yaml.Node


class FrontMatter:
    """The front matter of a text: its entries by key, and the offset of the body."""

    def __init__(self, text: str) -> None:
        """Parse the front matter. Raises Problem 400 if it is missing, too long or not valid."""
        fence = OPENING_FENCE_PATTERN.match(text)
        if not fence:
            raise paper_syntax_problem(
                text, 0, "The paper does not start with a line `---`.", FRONT_MATTER_HINT
            )
        self.text, self.start = text, fence.end()
        end = CLOSING_FENCE_PATTERN.search(text, self.start)
        if not end:
            raise paper_syntax_problem(
                text,
                0,
                "The block that starts with the line `---` has no end.",
                "End it with another line `---`.",
            )
        self.body_offset = end.end()
        if end.start() - self.start > MAX_FRONT_MATTER_CHARACTERS:
            raise paper_syntax_problem(
                text,
                self.start,
                f"{FRONT_MATTER_NAME} is longer than {MAX_FRONT_MATTER_CHARACTERS} characters.",
                "Shorten it.",
            )
        self.entries = self.parse_mapping(
            self.compose_tree(text[self.start : end.start()]), FRONT_MATTER_NAME, FRONT_MATTER_KEYS
        )

    def compose_tree(self, yaml_text: str) -> yaml.Node:
        """The root node of the YAML. Raises Problem 400 if it does not parse or is empty."""
        try:
            node = parse_yaml_tree(yaml_text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            offset = self.start + yaml_mark_offset(mark)
            cause, fix = explain_yaml_error(error.problem or "")
            raise paper_syntax_problem(self.text, offset, cause, fix) from error
        except yaml.reader.ReaderError as error:
            offset = self.start + error.position
            raise paper_syntax_problem(
                self.text, offset, "This character is not allowed.", "Remove it."
            ) from error
        if node is None:
            raise paper_syntax_problem(self.text, 0, f"{FRONT_MATTER_NAME} is empty.", FRONT_MATTER_HINT)
        return node

    def parse_mapping(
        self, node: yaml.Node, owner: str, known_keys: Collection[str] = ()
    ) -> dict[str, FrontMatterEntry]:
        """The entries of a mapping by key. Raises Problem 400 for a repeated or unknown key."""
        if not isinstance(node, yaml.MappingNode):
            raise paper_syntax_problem(
                self.text,
                self.node_offset(node),
                f"{owner} must consist of keys with values.",
                KEY_LINES_HINT,
            )
        entries: dict[str, FrontMatterEntry] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise paper_syntax_problem(
                    self.text,
                    self.node_offset(key_node),
                    "A key must be a single word.",
                    KEY_LINES_HINT,
                )
            key, offset = key_node.value, self.node_offset(key_node)
            if known_keys and key not in known_keys:
                nearest = find_nearest_key(key, known_keys)
                raise paper_syntax_problem(
                    self.text,
                    offset,
                    f"{owner} has no key `{key}`.",
                    f"Did you mean `{nearest}`?" if nearest else f"Its keys are: {', '.join(known_keys)}.",
                    (key, nearest) if nearest else None,
                )
            if key in entries:
                raise paper_syntax_problem(
                    self.text,
                    offset,
                    f"{owner} has the key {key} twice.",
                    "Keep one of them; its value can be a list.",
                )
            entries[key] = FrontMatterEntry(key, offset, value_node)
        return entries

    def iter_values(self, node: yaml.Node) -> Iterator[FrontMatterValue]:
        """The non-empty values of a scalar or a list of scalars. Raises Problem 400 for other nodes."""
        for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(item, yaml.ScalarNode):
                raise paper_syntax_problem(
                    self.text,
                    self.node_offset(item),
                    "A single value is expected.",
                    "Write it on one line.",
                )
            text = item.value.strip()
            if text not in YAML_NULL_WORDS or item.style:  # in quotes, these words are values
                yield FrontMatterValue(text, self.node_offset(item))

    def node_offset(self, node: yaml.Node) -> int:
        """The offset of a node in the text."""
        return self.start + yaml_mark_offset(node.start_mark)

    def first_value(self, key: str) -> FrontMatterValue | None:
        """The first value of a key, or None if the key or its value is missing."""
        return next(self.iter_values(self.entries[key].node), None) if key in self.entries else None

    def single_value(self, entry: FrontMatterEntry | None) -> FrontMatterValue | None:
        """The value of an entry, or None without entry or value. Raises Problem 400 for several values."""
        values = list(self.iter_values(entry.node)) if entry else []
        if entry and values[1:]:
            raise paper_syntax_problem(
                self.text, values[1].offset, f"There are several values of {entry.key}.", "Keep only one."
            )
        return values[0] if values else None

    def parse_truth(self, value: FrontMatterValue) -> bool:
        """Whether a value is true. Raises Problem 400 if it is not a boolean."""
        boolean = parse_boolean(value.text)
        if boolean.datatype == XSD_STRING:
            raise paper_syntax_problem(
                self.text, value.offset, f"{value.text} is neither true nor false.", "Write true or false."
            )
        return boolean.value == "true"


def yaml_mark_offset(mark: object) -> int:
    """The offset of a YAML mark; 0 if the parser reports no mark."""
    return int(getattr(mark, "index", 0))


def build_initial_statements(front_matter: FrontMatter) -> PaperStatements:
    """An empty PaperStatements with the name, language and sources of the paper.

    Raises Problem 400 if the name is missing or invalid, or the language is not a language tag.
    """
    entry = front_matter.entries.get("paper")
    name = front_matter.single_value(entry)
    if not entry or not name:
        raise paper_syntax_problem(
            front_matter.text,
            0,
            f"{FRONT_MATTER_NAME} does not name the paper.",
            "Add a line such as `paper: my-paper`.",
        )
    if not PAPER_NAME_PATTERN.fullmatch(name.text):
        cause = (
            f"{name.text} is not a valid name for a paper: it can only contain lowercase letters, "
            "digits and hyphens."
        )
        raise paper_syntax_problem(
            front_matter.text, name.offset, cause, f"Write {slugify_words(name.text) or 'my-paper'}."
        )
    statements = PaperStatements(name.text, entry.offset)
    if language := front_matter.first_value("language"):
        statements.language = parse_paper_language(front_matter, language)
    if illustrative := front_matter.first_value("illustrative"):
        statements.illustrative = front_matter.parse_truth(illustrative)
    if "source" in front_matter.entries:
        sources = front_matter.iter_values(front_matter.entries["source"].node)
        statements.sources = [parse_source_reference(source.text) for source in sources] or statements.sources
    return statements


def parse_paper_language(front_matter: FrontMatter, value: FrontMatterValue) -> str:
    """A language tag in lower case, as in RDF. Raises Problem 400 if it is invalid."""
    try:
        ox.Literal("", language=value.text)
    except ValueError as error:
        raise paper_syntax_problem(
            front_matter.text,
            value.offset,
            f"{value.text} is not a language tag.",
            "Write a language tag such as en.",
        ) from error
    return value.text.lower()


def list_paper_titles(front_matter: FrontMatter) -> list[tuple[FrontMatterValue, str]]:
    """The titles, each with its language tag, which is empty for the language of the paper."""
    if "title" not in front_matter.entries:
        return []
    node = front_matter.entries["title"].node
    if not isinstance(node, yaml.MappingNode):
        return [(title, "") for title in front_matter.iter_values(node)]
    return [
        (title, parse_paper_language(front_matter, FrontMatterValue(entry.key, entry.offset)))
        for entry in front_matter.parse_mapping(node, "The title").values()
        for title in front_matter.iter_values(entry.node)
    ]


def add_front_matter(front_matter: FrontMatter, statements: PaperStatements) -> None:
    """Add the statements for all keys. Raises Problem 400 for a value with a wrong structure."""
    for entry in front_matter.entries.values():
        if entry.key in KEY_PROPERTIES:
            statements.add_slot(statements.paper, KEY_PROPERTIES[entry.key], entry.offset)
        if entry.key in SIMPLE_KEYS:
            curie, parse_term = SIMPLE_KEYS[entry.key]
            for value in front_matter.iter_values(entry.node):
                statements.add_value(
                    statements.paper, curie, parse_term(value.text), value.offset, entry.offset
                )
        elif entry.key in STRUCTURED_KEYS:
            STRUCTURED_KEYS[entry.key](front_matter, statements, entry)


def add_drafters(front_matter: FrontMatter, statements: PaperStatements, entry: FrontMatterEntry) -> None:
    """Add the drafters: a string names an agent of the bundled facts, a mapping describes another person."""
    nodes = entry.node.value if isinstance(entry.node, yaml.SequenceNode) else [entry.node]
    for node in nodes:
        if isinstance(node, yaml.MappingNode):
            statements.add_value(
                statements.paper,
                "wgig:drafter",
                describe_drafter(front_matter, statements, node),
                front_matter.node_offset(node),
                entry.offset,
            )
            continue
        for value in front_matter.iter_values(node):
            if "," in value.text:
                raise paper_syntax_problem(
                    front_matter.text,
                    value.offset,
                    "This names several drafters.",
                    "Put each drafter on a separate line, such as: - afonso",
                )
            drafter = find_known_agent(value.text) or concept_iri("agent", value.text)
            statements.add_value(statements.paper, "wgig:drafter", drafter, value.offset, entry.offset)


def describe_drafter(
    front_matter: FrontMatter, statements: PaperStatements, node: yaml.MappingNode
) -> ox.NamedNode:
    """Describe a person, with any stakeholder groups and membership in the working group; return the IRI.

    With an `id` of the bundled facts and without a name, it is that person, whose name is not stated again.
    With another `id`, it is a person without a name, as in a paper that is not complete.
    """
    entries = front_matter.parse_mapping(node, "A drafter", DRAFTER_KEYS)
    offset = front_matter.node_offset(node)
    id_value, name_value, member = (
        front_matter.single_value(entries.get(key)) for key in ("id", "name", "member")
    )
    if not id_value and not name_value:
        raise paper_syntax_problem(
            front_matter.text, offset, "This drafter has no name.", "Add a line with name: and the name."
        )
    known_agent = find_known_agent(id_value.text) if id_value and not name_value else None
    agent = (
        known_agent
        or (concept_iri("agent", id_value.text) if id_value else None)
        or statements.agent_iri(name_value.text if name_value else "", "drafter")
    )
    name = name_value.text if name_value else known_agent_name(agent)
    if known_agent:
        statements.node_offsets[agent] = offset
    else:
        statements.agent_names.setdefault(agent, name)
        statements.describe_node(agent, "foaf:Person", offset)
    if name_value:
        statements.agent_iris.setdefault(name, agent)
        statements.add_value(agent, "foaf:name", ox.Literal(name), name_value.offset)
    is_member = member and front_matter.parse_truth(member)
    group_holder = describe_membership(statements, agent, name, offset) if is_member else agent
    for group in front_matter.iter_values(entries["group"].node) if "group" in entries else ():
        statements.add_value(
            group_holder, "wgig:stakeholderGroup", concept_iri("group", group.text), group.offset
        )
    return agent


def describe_membership(
    statements: PaperStatements, agent: ox.NamedNode, name: str, offset: int
) -> ox.NamedNode:
    """Describe the membership of a person in the working group; return its IRI."""
    membership = membership_iri(agent)
    statements.describe_node(membership, "org:Membership", offset)
    for property_, value in iter_membership_values(agent, name):
        statements.add_value(membership, property_, value, offset)
    return membership


def add_waivers(front_matter: FrontMatter, statements: PaperStatements, entry: FrontMatterEntry) -> None:
    """Add the waivers of rules with their reasons."""
    for number, waiver_entry in enumerate(
        front_matter.parse_mapping(entry.node, "The list of waivers").values(), 1
    ):
        code = strip_name_prefix("shape", waiver_entry.key)
        waiver = statements.add_part(
            f"waiver/{number}",
            "wgig:Waiver",
            statements.part_label(build_waiver_label(code)),
            waiver_entry.offset,
        )
        statements.add_value(statements.paper, "wgig:waiver", waiver, waiver_entry.offset, entry.offset)
        statements.add_value(waiver, "wgig:waives", expand_curie(f"shape:{quote(code)}"), waiver_entry.offset)
        for reason in front_matter.iter_values(waiver_entry.node):
            statements.add_value(
                waiver,
                "wgig:reason",
                statements.text_literal(reason.text),
                reason.offset,
                waiver_entry.offset,
            )


def plain_literal(text: str) -> ox.Literal:
    """A literal without language."""
    return ox.Literal(text)


# The keys with plain values: the property, and the function that converts a value to a term.
SIMPLE_KEYS: dict[str, tuple[str, Callable[[str], PaperTerm]]] = {
    "language": ("schema:inLanguage", plain_literal),
    "issue": ("wgig:issue", lambda text: concept_iri("issue", text)),
    "posted": ("wgig:posted", parse_date),
    "pages": ("bibo:numPages", parse_whole_number),
    "version": ("schema:version", plain_literal),
    "status": ("schema:creativeWorkStatus", plain_literal),
    "illustrative": ("wgig:illustrative", parse_boolean),
    "source": ("dcterms:source", parse_source_reference),
    "cites": ("cito:cites", passage_iri),
}
# The keys whose values have a structure: the function that adds their statements.
STRUCTURED_KEYS: dict[str, Callable[[FrontMatter, PaperStatements, FrontMatterEntry], None]] = {
    "drafters": add_drafters,
    "waivers": add_waivers,
}
# The properties of the paper by key.
KEY_PROPERTIES = {key: name for key, (name, _) in SIMPLE_KEYS.items()} | {
    "title": "dcterms:title",
    "drafters": "wgig:drafter",
}
