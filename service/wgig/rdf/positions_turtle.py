"""Source positions of the triples in Turtle, TriG, N-Triples and N-Quads.

The text is walked in the order in which pyoxigraph yields triples, only by the brackets and punctuation of
the grammar; no names are resolved. pyoxigraph must have parsed the text without errors. The tokenizer is a
single regular expression, linear in the size of the text. Positions are character offsets of subject,
predicate and object, -1 if unknown. Each is then checked against its triple; if one does not fit, no
positions are returned.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import pyoxigraph as ox

from .namespaces import RDF_FIRST, RDF_NIL, RDF_REST, RDF_TYPE_IRI

NAME_CHARACTERS = r"0-9A-Za-z_:%\-\u0080-\U0010ffff"
BLANK_LABEL_CHARACTERS = NAME_CHARACTERS.replace(":", "")
LOCAL_NAME_REGEX = rf"(?:[{NAME_CHARACTERS}]++|\\.|\.++(?=[{NAME_CHARACTERS}\\]))*+"
_IRI_REGEX = rf"<[^<>\s]*+>|[{NAME_CHARACTERS}]{LOCAL_NAME_REGEX}"
_SPACE_REGEX = r"(?:[ \t\r\n]++|\#[^\r\n]*+)*+"
_NON_TERM_REGEX = (
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

# Numbers of the groups below; punctuation is last, and any other character is not syntax of RDF 1.1.
# Tokens that start no term are language tags, datatypes, PREFIX, BASE and GRAPH.
NON_TERM_GROUP, TERM_GROUP, STRING_GROUP = range(1, 4)
LEADING_SPACE_PATTERN = re.compile(rf"\ufeff?{_SPACE_REGEX}")


@cache
def compile_token_pattern() -> re.Pattern[str]:
    """The pattern of a token of Turtle; compiled on first use, as that takes 15 ms."""
    return re.compile(
        rf"(?:({_NON_TERM_REGEX})|({_TERM_REGEX})|({_STRING_REGEX})|({_PUNCTUATION_REGEX})|.){_SPACE_REGEX}",
        re.DOTALL,
    )


def find_first_token(text: str) -> int:
    """The offset of the first token, after space and comments."""
    return match.end() if (match := LEADING_SPACE_PATTERN.match(text)) else 0


TripleOffsets = tuple[int, int, int]  # of subject, predicate and object


class TriplePosition(NamedTuple):
    """The offsets of the first characters of the terms of a triple, -1 if unknown.

    Implied terms have the offset of the bracket that implies them: a blank node that of its `[` or `{`, the
    nodes of a list, rdf:first and rdf:rest that of the bracket of the list.
    """

    subject: int
    predicate: int
    object: int


COMPARED_LITERAL_CHARACTERS = 12  # at the start of a literal

# A prefixed name or an IRI reference. The group is the local name, or the last segment if it has no escapes.
WRITTEN_IRI_PATTERN = re.compile(
    rf"[{BLANK_LABEL_CHARACTERS}.]*+:({LOCAL_NAME_REGEX})|<(?:[^<>]*[/#:])?(?!\.\.?>)([^<>/#:\\]*)>",
    re.DOTALL,
)


def fits_turtle_triples(text: str, offsets: Sequence[TripleOffsets], triples: Sequence[ox.Triple]) -> bool:
    """Whether the text at the offsets fits each triple of pyoxigraph."""
    subjects: dict[int, object] = {}
    if len(offsets) != len(triples):
        return False
    for (subject_offset, predicate_offset, object_offset), (subject, predicate, value) in zip(
        offsets, triples, strict=True
    ):
        if text[predicate_offset] == "(":
            if predicate not in (RDF_FIRST, RDF_REST):
                return False
        elif subjects.setdefault(subject_offset, subject) != subject or not fits_iri(
            text, predicate_offset, predicate.value
        ):
            return False
        if predicate != RDF_REST and not TERM_FIT_CHECKS[type(value)](text, object_offset, value.value):
            return False
    return True


def fits_iri(text: str, offset: int, iri: str) -> bool:
    """Whether the text at an offset can be this IRI, whatever the base and the prefixes are."""
    if match := WRITTEN_IRI_PATTERN.match(text, offset):
        return iri.endswith(match[match.lastindex or 0].replace("\\", ""))
    return text[offset] == "<" or iri == (RDF_NIL.value if text[offset] in "()" else RDF_TYPE_IRI)


def fits_blank(text: str, offset: int, label: str) -> bool:
    """Whether the text at an offset can be a blank node, whatever its label: parsing renames them."""
    del label
    return text[offset] in "[(_"


def fits_literal(text: str, offset: int, value: str) -> bool:
    """Whether the text at an offset can be this literal, by its first characters up to an escape."""
    if text[offset] not in "\"'":
        return text.startswith(value, offset)
    start = offset + (3 if text.startswith(text[offset] * 3, offset) else 1)
    prefix = text[start : start + COMPARED_LITERAL_CHARACTERS].partition("\\")[0]
    return text.startswith(value[:COMPARED_LITERAL_CHARACTERS], start) or value.startswith(prefix)


TERM_FIT_CHECKS = {ox.NamedNode: fits_iri, ox.BlankNode: fits_blank, ox.Literal: fits_literal}


class TurtleWalker:
    """The state of the walk through the tokens: the current statement, and the offsets so far."""

    __slots__ = ("item_count", "offsets", "outer", "pending_string", "predicate", "subject")

    def __init__(self) -> None:
        """Start before the first statement."""
        self.offsets: list[TripleOffsets] = []
        # Subject, predicate and item count outside each open bracket.
        self.outer: list[tuple[int, int, int]] = []
        self.subject = self.predicate = -1
        self.item_count = -1  # number of items of the current list so far, -1 outside a list
        self.pending_string = -1  # offset of a string whose triple pyoxigraph yields at the next token

    def add_term(self, offset: int) -> None:
        """Use a term as the subject, predicate or object, whichever is missing first."""
        if self.subject < 0:
            self.subject = offset
        elif self.predicate < 0:
            self.predicate = offset
        else:
            self.offsets.append((self.subject, self.predicate, offset))

    def walk_term(self, offset: int) -> None:
        """Handle a term that is a single token."""
        if self.item_count >= 0:
            self.begin_item(offset)
        self.add_term(offset)

    def walk_string(self, offset: int) -> None:
        """Handle a string; its triple comes with the next token, which may be a datatype or language tag."""
        if self.item_count >= 0:
            self.begin_item(offset)
        self.pending_string = offset

    def begin_item(self, offset: int) -> None:
        """Handle the start of an item of a list; the first one adds the triple with the list as object."""
        if self.item_count:
            self.offsets.append((self.subject, self.subject, offset))
        else:
            subject, predicate, _ = self.outer[-1]
            if subject >= 0:
                self.offsets.append((subject, predicate, self.subject))
        self.item_count += 1

    def enter_node(self, offset: int) -> None:
        """Handle the opening bracket of a blank node or list."""
        if self.item_count >= 0:
            self.begin_item(offset)
        self.outer.append((self.subject, self.predicate, self.item_count))
        self.subject, self.predicate, self.item_count = offset, -1, -1

    def enter_list(self, offset: int) -> None:
        """Handle the opening bracket of a list, whose items are objects of rdf:first."""
        self.enter_node(offset)
        self.predicate, self.item_count = offset, 0

    def leave_node(self, offset: int) -> None:
        """Handle the closing bracket of a blank node, which becomes a term of the outer statement."""
        del offset
        node = self.subject
        self.subject, self.predicate, self.item_count = self.outer.pop()
        self.add_term(node)

    def leave_list(self, offset: int) -> None:
        """Handle the closing bracket of a list. An empty list or a subject list becomes a term only here."""
        head, item_count = self.subject, self.item_count
        if item_count:
            self.offsets.append((head, head, offset))
        self.subject, self.predicate, self.item_count = self.outer.pop()
        if self.subject < 0 or not item_count:
            self.add_term(head)

    def end_statement(self, offset: int) -> None:
        """Handle the end of a statement, or the start or end of a graph."""
        del offset
        self.subject = self.predicate = -1

    def end_objects(self, offset: int) -> None:
        """Handle a semicolon: another predicate follows."""
        del offset
        self.predicate = -1

    def skip(self, offset: int) -> None:
        """Handle a token that changes nothing."""


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
    NON_TERM_GROUP: TurtleWalker.skip,
}


def walk_turtle_text(text: str) -> list[TripleOffsets]:
    """The offsets of each triple of Turtle or TriG in the order of pyoxigraph; empty for RDF 1.2 syntax.

    pyoxigraph yields the triple of a string only after the next token, and the triples that one token
    completes in reverse order.
    """
    walker = TurtleWalker()
    offsets = walker.offsets
    for token in compile_token_pattern().finditer(text, find_first_token(text)):
        token_offset, count_before = token.start(), len(offsets)
        if walker.pending_string >= 0:
            walker.add_term(walker.pending_string)
            walker.pending_string = -1
        step = TOKEN_STEPS.get(token.lastindex or 0) or PUNCTUATION_STEPS.get(text[token_offset])
        if step is None:
            return []
        step(walker, token_offset)
        if len(offsets) > count_before + 1:
            offsets[count_before:] = offsets[count_before:][::-1]
    return offsets


def walk_n_triples_text(text: str) -> list[TripleOffsets]:
    """The offsets of each triple of N-Triples or N-Quads."""
    offsets: list[TripleOffsets] = []
    terms: list[int] = []
    for token in compile_token_pattern().finditer(text, find_first_token(text)):
        if token.lastindex in (TERM_GROUP, STRING_GROUP):
            terms.append(token.start())
        elif token.lastindex == NON_TERM_GROUP:
            continue
        elif text[token.start()] == "." and len(terms) in (3, 4):
            offsets.append((terms[0], terms[1], terms[2]))
            terms.clear()
        else:
            return []
    return offsets


def find_turtle_offsets(text: str, triples: Sequence[ox.Triple]) -> list[TripleOffsets]:
    """The offsets of each triple of Turtle or TriG; empty if they cannot be determined."""
    try:
        offsets = walk_turtle_text(text)
    except IndexError:  # a closing bracket without an opening one
        return []
    return offsets if fits_turtle_triples(text, offsets, triples) else []


def find_n_triples_offsets(text: str, triples: Sequence[ox.Triple]) -> list[TripleOffsets]:
    """The offsets of each triple of N-Triples or N-Quads; empty if they cannot be determined."""
    offsets = walk_n_triples_text(text)
    return offsets if fits_turtle_triples(text, offsets, triples) else []
