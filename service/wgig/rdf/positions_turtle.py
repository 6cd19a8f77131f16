"""Source positions of the triples in Turtle, TriG, N-Triples and N-Quads.

The walk knows only the brackets and punctuation of the grammar, resolves no names, and follows the order in
which the engine yields triples. It relies on the engine having parsed the text already. The tokenizer is one
regular expression, linear in the size of the text. Positions are character offsets of subject, predicate and
object, -1 where unknown; afterwards each is checked against its triple, and there are none at all where they
do not fit.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import pyoxigraph as ox

from .namespaces import RDF_FIRST, RDF_NIL, RDF_REST, RDF_TYPE_IRI

NAME_CHARACTERS = r"0-9A-Za-z_:%\-\u0080-\U0010ffff"
BLANK_LABEL_CHARACTERS = NAME_CHARACTERS.replace(":", "")
LOCAL_NAME_REGEX = rf"(?:[{NAME_CHARACTERS}]++|\\.|\.++(?=[{NAME_CHARACTERS}\\]))*+"
_IRI_REGEX = rf"<[^<>\s]*+>|[{NAME_CHARACTERS}]{LOCAL_NAME_REGEX}"
_SPACE_REGEX = r"(?:[ \t\r\n]++|\#[^\r\n]*+)*+"
_SILENT_REGEX = (
    rf"@[A-Za-z0-9-]++|\^\^{_SPACE_REGEX}(?:{_IRI_REGEX})"
    rf"|(?i:prefix)(?=[ \t\r\n#]){_SPACE_REGEX}[{NAME_CHARACTERS}.]*+{_SPACE_REGEX}<[^>]*+>"
    rf"|(?i:base){_SPACE_REGEX}<[^>]*+>|(?i:graph)(?![{NAME_CHARACTERS}.\\])"
)
_TERM_REGEX = (
    rf"_:[{BLANK_LABEL_CHARACTERS}]++(?:\.++[{BLANK_LABEL_CHARACTERS}]++)*+"
    r"|[+-]?(?:[0-9]++(?:\.[0-9]++|\.(?=[eE]))?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
    rf"|{_IRI_REGEX}"
)
_STRING_REGEX = (
    r'"""(?:[^"\\]++|\\.|""?(?!"))*+"""'
    r'|"(?!"")(?:[^"\\\r\n]++|\\.)*+"'
    r"|'''(?:[^'\\]++|\\.|''?(?!'))*+'''"
    r"|'(?!'')(?:[^'\\\r\n]++|\\.)*+'"
)
_PUNCTUATION_REGEX = r"[\[\]()};,.]|\{(?!\|)"

# In the order of their groups, punctuation last; what is none of them is no syntax of RDF 1.1.
SILENT_GROUP, TERM_GROUP, STRING_GROUP = range(1, 4)
LEADING_SPACE_PATTERN = re.compile(rf"\ufeff?{_SPACE_REGEX}")
TURTLE_TOKEN_PATTERN = re.compile(
    rf"(?:({_SILENT_REGEX})|({_TERM_REGEX})|({_STRING_REGEX})|({_PUNCTUATION_REGEX})|.){_SPACE_REGEX}",
    re.DOTALL,
)


def find_first_token(text: str) -> int:
    """The offset of the first token."""
    return found.end() if (found := LEADING_SPACE_PATTERN.match(text)) else 0


TripleOffsets = tuple[int, int, int]


class TriplePosition(NamedTuple):
    """Where the terms of a triple begin: offsets into the text in characters, -1 where unknown.

    What is only implied stands at the bracket that implies it: a blank node at its `[` or `{`, the cells of a
    list, rdf:first and rdf:rest at the bracket of the list.
    """

    subject: int
    predicate: int
    object: int


COMPARED_LITERAL_CHARACTERS = 12  # characters of a literal that are compared

# A prefixed name or an IRI reference with its last part, in which nothing but characters of names is escaped.
WRITTEN_IRI_PATTERN = re.compile(
    rf"[{BLANK_LABEL_CHARACTERS}.]*+:({LOCAL_NAME_REGEX})|<(?:[^<>]*[/#:])?(?!\.\.?>)([^<>/#:\\]*)>",
    re.DOTALL,
)


def fits_turtle_triples(text: str, found: Sequence[TripleOffsets], triples: Sequence[ox.Triple]) -> bool:
    """Whether each triple can be written where it was found in Turtle or a relative."""
    subjects: dict[int, object] = {}
    if len(found) != len(triples):
        return False
    for (at, predicate_at, object_at), (subject, predicate, value) in zip(found, triples, strict=True):
        if text[predicate_at] == "(":
            if predicate not in (RDF_FIRST, RDF_REST):
                return False
        elif subjects.setdefault(at, subject) != subject or not fits_iri(text, predicate_at, predicate.value):
            return False
        if predicate != RDF_REST and not TERM_FIT_CHECKS[type(value)](text, object_at, value.value):
            return False
    return True


def fits_iri(text: str, at: int, iri: str) -> bool:
    """Whether an IRI can be written at an offset; whatever its reference is resolved against."""
    if written := WRITTEN_IRI_PATTERN.match(text, at):
        return iri.endswith(written[written.lastindex or 0].replace("\\", ""))
    return text[at] == "<" or iri == (RDF_NIL.value if text[at] in "()" else RDF_TYPE_IRI)


def fits_blank(text: str, at: int, label: str) -> bool:
    """Whether a blank node can be written at an offset; its label may be new."""
    del label
    return text[at] in "[(_"


def fits_literal(text: str, at: int, value: str) -> bool:
    """Whether a literal can be written at an offset, by how it begins up to the first escape."""
    if text[at] not in "\"'":
        return text.startswith(value, at)
    begin = at + (3 if text.startswith(text[at] * 3, at) else 1)
    shown = text[begin : begin + COMPARED_LITERAL_CHARACTERS].partition("\\")[0]
    return text.startswith(value[:COMPARED_LITERAL_CHARACTERS], begin) or value.startswith(shown)


TERM_FIT_CHECKS = {ox.NamedNode: fits_iri, ox.BlankNode: fits_blank, ox.Literal: fits_literal}


class TurtleWalker:
    """What has been read of a statement, and the triples found so far."""

    __slots__ = ("held_string", "item_count", "offsets", "outer", "predicate", "subject")

    def __init__(self) -> None:
        """Begin before the first statement."""
        self.offsets: list[TripleOffsets] = []
        # Subject, predicate and items of what is around the open brackets.
        self.outer: list[TripleOffsets] = []
        self.subject = self.predicate = -1
        self.item_count = -1  # how many items of a list were read, -1 outside of a list
        self.held_string = -1  # a bare string that the engine has not yielded yet

    def add_term(self, at: int) -> None:
        """Take a term for the first that is missing of subject, predicate and object."""
        if self.subject < 0:
            self.subject = at
        elif self.predicate < 0:
            self.predicate = at
        else:
            self.offsets.append((self.subject, self.predicate, at))

    def walk_term(self, at: int) -> None:
        """A term begins and ends."""
        if self.item_count >= 0:
            self.begin_item(at)
        self.add_term(at)

    def walk_string(self, at: int) -> None:
        """A bare string begins; its triple comes with the next token."""
        if self.item_count >= 0:
            self.begin_item(at)
        self.held_string = at

    def begin_item(self, at: int) -> None:
        """An item of a list begins: the first brings the triple that the list is the object of."""
        if self.item_count:
            self.offsets.append((self.subject, self.subject, at))
        else:
            subject, predicate, _ = self.outer[-1]
            if subject >= 0:
                self.offsets.append((subject, predicate, self.subject))
        self.item_count += 1

    def enter_node(self, at: int) -> None:
        """A blank node or a list begins."""
        if self.item_count >= 0:
            self.begin_item(at)
        self.outer.append((self.subject, self.predicate, self.item_count))
        self.subject, self.predicate, self.item_count = at, -1, -1

    def enter_list(self, at: int) -> None:
        """A list begins, whose items are the objects of rdf:first."""
        self.enter_node(at)
        self.predicate, self.item_count = at, 0

    def leave_node(self, at: int) -> None:
        """A blank node ends and is a term of what is around it."""
        del at
        begun = self.subject
        self.subject, self.predicate, self.item_count = self.outer.pop()
        self.add_term(begun)

    def leave_list(self, at: int) -> None:
        """A list ends: an empty one is a term, another has been an object since its first item."""
        begun, items = self.subject, self.item_count
        if items:
            self.offsets.append((begun, begun, at))
        self.subject, self.predicate, self.item_count = self.outer.pop()
        if self.subject < 0 or not items:
            self.add_term(begun)

    def end_statement(self, at: int) -> None:
        """A statement ends, or a graph begins or ends."""
        del at
        self.subject = self.predicate = -1

    def end_objects(self, at: int) -> None:
        """Another predicate comes."""
        del at
        self.predicate = -1

    def skip(self, at: int) -> None:
        """Nothing changes."""


PUNCTUATION_STEPS = {
    "[": TurtleWalker.enter_node,
    "]": TurtleWalker.leave_node,
    "(": TurtleWalker.enter_list,
    ")": TurtleWalker.leave_list,
    ";": TurtleWalker.end_objects,
    ",": TurtleWalker.skip,
    ".": TurtleWalker.end_statement,
    "{": TurtleWalker.end_statement,
    "}": TurtleWalker.end_statement,
}
TOKEN_STEPS = {
    TERM_GROUP: TurtleWalker.walk_term,
    STRING_GROUP: TurtleWalker.walk_string,
    SILENT_GROUP: TurtleWalker.skip,
}


def walk_turtle_text(text: str) -> list[TripleOffsets]:
    """The offsets of each triple of Turtle or TriG in the order of the engine; none for syntax of RDF 1.2.

    The engine holds a bare string back until it has seen the next token, and yields what it learns from one
    token in the reverse order.
    """
    walk = TurtleWalker()
    found = walk.offsets
    for token in TURTLE_TOKEN_PATTERN.finditer(text, find_first_token(text)):
        at, before = token.start(), len(found)
        if walk.held_string >= 0:
            walk.add_term(walk.held_string)
            walk.held_string = -1
        step = TOKEN_STEPS.get(token.lastindex or 0) or PUNCTUATION_STEPS.get(text[at])
        if step is None:
            return []
        step(walk, at)
        if len(found) > before + 1:
            found[before:] = found[before:][::-1]
    return found


def walk_n_triples_text(text: str) -> list[TripleOffsets]:
    """The offsets of each triple of N-Triples or N-Quads."""
    found: list[TripleOffsets] = []
    terms: list[int] = []
    for token in TURTLE_TOKEN_PATTERN.finditer(text, find_first_token(text)):
        if token.lastindex in (TERM_GROUP, STRING_GROUP):
            terms.append(token.start())
        elif token.lastindex == SILENT_GROUP:
            continue
        elif text[token.start()] == "." and len(terms) in (3, 4):
            found.append((terms[0], terms[1], terms[2]))
            terms.clear()
        else:
            return []
    return found


def find_turtle_offsets(text: str, triples: Sequence[ox.Triple]) -> list[TripleOffsets]:
    """The offsets of each triple of Turtle or TriG; none where they cannot be told."""
    try:
        found = walk_turtle_text(text)
    except IndexError:  # a bracket closes that was not opened
        return []
    return found if fits_turtle_triples(text, found, triples) else []


def find_n_triples_offsets(text: str, triples: Sequence[ox.Triple]) -> list[TripleOffsets]:
    """The offsets of each triple of N-Triples or N-Quads; none where they cannot be told."""
    found = walk_n_triples_text(text)
    return found if fits_turtle_triples(text, found, triples) else []
