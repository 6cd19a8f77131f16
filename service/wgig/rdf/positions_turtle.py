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

NAME = r"0-9A-Za-z_:%\-\u0080-\U0010ffff"
BLANK = NAME.replace(":", "")
LOCAL = rf"(?:[{NAME}]++|\\.|\.++(?=[{NAME}\\]))*+"
_IRI = rf"<[^<>\s]*+>|[{NAME}]{LOCAL}"
_SPACE = r"(?:[ \t\r\n]++|\#[^\r\n]*+)*+"
_SILENT = (
    rf"@[A-Za-z0-9-]++|\^\^{_SPACE}(?:{_IRI})|(?i:prefix)(?=[ \t\r\n#]){_SPACE}[{NAME}.]*+{_SPACE}<[^>]*+>"
    rf"|(?i:base){_SPACE}<[^>]*+>|(?i:graph)(?![{NAME}.\\])"
)
_TERM = (
    rf"_:[{BLANK}]++(?:\.++[{BLANK}]++)*+"
    r"|[+-]?(?:[0-9]++(?:\.[0-9]++|\.(?=[eE]))?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
    rf"|{_IRI}"
)
_TEXT = (
    r'"""(?:[^"\\]++|\\.|""?(?!"))*+"""'
    r'|"(?!"")(?:[^"\\\r\n]++|\\.)*+"'
    r"|'''(?:[^'\\]++|\\.|''?(?!'))*+'''"
    r"|'(?!'')(?:[^'\\\r\n]++|\\.)*+'"
)
_PUNCTUATION = r"[\[\]()};,.]|\{(?!\|)"

# In the order of their groups; what is none of them is no syntax of RDF 1.1.
SILENT, TERM, STRING, PUNCTUATION = range(1, 5)
SPACE = re.compile(rf"\ufeff?{_SPACE}")
TOKEN = re.compile(rf"(?:({_SILENT})|({_TERM})|({_TEXT})|({_PUNCTUATION})|.){_SPACE}", re.DOTALL)


def begin(text: str) -> int:
    """The offset of the first token."""
    return found.end() if (found := SPACE.match(text)) else 0


RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FIRST, REST, NIL, TYPE = f"{RDF}first", f"{RDF}rest", f"{RDF}nil", f"{RDF}type"

Offsets = tuple[int, int, int]


class Spot(NamedTuple):
    """Where the terms of a triple begin: offsets into the text in characters, -1 where unknown.

    What is only implied stands at the bracket that implies it: a blank node at its `[` or `{`, the cells of a
    list, rdf:first and rdf:rest at the bracket of the list.
    """

    subject: int
    predicate: int
    object: int


SHOWN = 12  # characters of a literal that are compared

# A prefixed name or an IRI reference with its last part, in which nothing but characters of names is escaped.
WRITTEN = re.compile(rf"[{BLANK}.]*+:({LOCAL})|<(?:[^<>]*[/#:])?(?!\.\.?>)([^<>/#:\\]*)>", re.DOTALL)


def fit(text: str, found: Sequence[Offsets], triples: Sequence[ox.Triple]) -> bool:
    """Whether each triple can be written where it was found in Turtle or a relative."""
    subjects: dict[int, object] = {}
    if len(found) != len(triples):
        return False
    for (at, predicate_at, object_at), (subject, predicate, value) in zip(found, triples, strict=True):
        if text[predicate_at] == "(":
            if predicate.value not in (FIRST, REST):
                return False
        elif subjects.setdefault(at, subject) != subject or not fits_iri(text, predicate_at, predicate.value):
            return False
        if predicate.value != REST and not FITS[type(value)](text, object_at, value.value):
            return False
    return True


def fits_iri(text: str, at: int, iri: str) -> bool:
    """Whether an IRI can be written at an offset; whatever its reference is resolved against."""
    if written := WRITTEN.match(text, at):
        return iri.endswith(written[written.lastindex or 0].replace("\\", ""))
    return text[at] == "<" or iri == (NIL if text[at] in "()" else TYPE)


def fits_blank(text: str, at: int, label: str) -> bool:
    """Whether a blank node can be written at an offset; its label may be new."""
    del label
    return text[at] in "[(_"


def fits_literal(text: str, at: int, value: str) -> bool:
    """Whether a literal can be written at an offset, by how it begins up to the first escape."""
    if text[at] not in "\"'":
        return text.startswith(value, at)
    begin = at + (3 if text.startswith(text[at] * 3, at) else 1)
    shown = text[begin : begin + SHOWN].partition("\\")[0]
    return text.startswith(value[:SHOWN], begin) or value.startswith(shown)


FITS = {ox.NamedNode: fits_iri, ox.BlankNode: fits_blank, ox.Literal: fits_literal}


class Walk:
    """What has been read of a statement, and the triples found so far."""

    __slots__ = ("around", "found", "held", "items", "predicate", "subject")

    def __init__(self) -> None:
        """Begin before the first statement."""
        self.found: list[Offsets] = []
        self.around: list[Offsets] = []  # subject, predicate and items of what is around the open brackets
        self.subject = self.predicate = -1
        self.items = -1  # how many items of a list were read, -1 outside of a list
        self.held = -1  # a bare string that the engine has not yielded yet

    def place(self, at: int) -> None:
        """Take a term for the first that is missing of subject, predicate and object."""
        if self.subject < 0:
            self.subject = at
        elif self.predicate < 0:
            self.predicate = at
        else:
            self.found.append((self.subject, self.predicate, at))

    def term(self, at: int) -> None:
        """A term begins and ends."""
        if self.items >= 0:
            self.item(at)
        self.place(at)

    def text(self, at: int) -> None:
        """A bare string begins; its triple comes with the next token."""
        if self.items >= 0:
            self.item(at)
        self.held = at

    def item(self, at: int) -> None:
        """An item of a list begins: the first brings the triple that the list is the object of."""
        if self.items:
            self.found.append((self.subject, self.subject, at))
        else:
            subject, predicate, _ = self.around[-1]
            if subject >= 0:
                self.found.append((subject, predicate, self.subject))
        self.items += 1

    def enter(self, at: int) -> None:
        """A blank node or a list begins."""
        if self.items >= 0:
            self.item(at)
        self.around.append((self.subject, self.predicate, self.items))
        self.subject, self.predicate, self.items = at, -1, -1

    def enter_list(self, at: int) -> None:
        """A list begins, whose items are the objects of rdf:first."""
        self.enter(at)
        self.predicate, self.items = at, 0

    def leave(self, at: int) -> None:
        """A blank node ends and is a term of what is around it."""
        del at
        begun = self.subject
        self.subject, self.predicate, self.items = self.around.pop()
        self.place(begun)

    def leave_list(self, at: int) -> None:
        """A list ends: an empty one is a term, another has been an object since its first item."""
        begun, items = self.subject, self.items
        if items:
            self.found.append((begun, begun, at))
        self.subject, self.predicate, self.items = self.around.pop()
        if self.subject < 0 or not items:
            self.place(begun)

    def end(self, at: int) -> None:
        """A statement ends, or a graph begins or ends."""
        del at
        self.subject = self.predicate = -1

    def end_objects(self, at: int) -> None:
        """Another predicate comes."""
        del at
        self.predicate = -1

    def go_on(self, at: int) -> None:
        """Nothing changes."""


AT = {
    "[": Walk.enter,
    "]": Walk.leave,
    "(": Walk.enter_list,
    ")": Walk.leave_list,
    ";": Walk.end_objects,
    ",": Walk.go_on,
    ".": Walk.end,
    "{": Walk.end,
    "}": Walk.end,
}
BY_KIND = {TERM: Walk.term, STRING: Walk.text, SILENT: Walk.go_on}


def statements(text: str) -> list[Offsets]:
    """The offsets of each triple of Turtle or TriG in the order of the engine; none for syntax of RDF 1.2.

    The engine holds a bare string back until it has seen the next token, and yields what it learns from one
    token in the reverse order.
    """
    walk = Walk()
    found = walk.found
    for token in TOKEN.finditer(text, begin(text)):
        at, before = token.start(), len(found)
        if walk.held >= 0:
            walk.place(walk.held)
            walk.held = -1
        step = BY_KIND.get(token.lastindex or 0) or AT.get(text[at])
        if step is None:
            return []
        step(walk, at)
        if len(found) > before + 1:
            found[before:] = found[before:][::-1]
    return found


def lines(text: str) -> list[Offsets]:
    """The offsets of each triple of N-Triples or N-Quads."""
    found: list[Offsets] = []
    terms: list[int] = []
    for token in TOKEN.finditer(text, begin(text)):
        if token.lastindex in (TERM, STRING):
            terms.append(token.start())
        elif token.lastindex == SILENT:
            continue
        elif text[token.start()] == "." and len(terms) in (3, 4):
            found.append((terms[0], terms[1], terms[2]))
            terms.clear()
        else:
            return []
    return found


def find(text: str, triples: Sequence[ox.Triple]) -> list[Offsets]:
    """The offsets of each triple of Turtle or TriG; none where they cannot be told."""
    try:
        found = statements(text)
    except IndexError:  # a bracket closes that was not opened
        return []
    return found if fit(text, found, triples) else []


def find_lines(text: str, triples: Sequence[ox.Triple]) -> list[Offsets]:
    """The offsets of each triple of N-Triples or N-Quads; none where they cannot be told."""
    found = lines(text)
    return found if fit(text, found, triples) else []
