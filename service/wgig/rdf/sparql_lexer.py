"""SPARQL text as tokens: what form a query has, how deep it nests, and where in it something is wrong."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..problems import Problem
from ..text import TextLines

FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
UPDATES = ("INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH")
PROLOGUE = ("PREFIX", "BASE", "VERSION")

# PN_CHARS of the grammar, without the ASCII part
_LETTERS = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = rf"{_LETTERS}_0-9\u00b7\u0300-\u036f\u203f-\u2040"
_RUN = rf"[{_LETTERS}](?:[{_NAME}-]|\.+(?=[{_NAME}-]))*"  # a prefix, where a colon follows
_LOCAL = rf"(?:[{_NAME}:-]|%[0-9A-Fa-f]{{2}}|\\[_~.\-!$&'()*+,;=/?#@%]|\.+(?=[{_NAME}:%\\-]))*"

_NUMBER = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"

_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\r\n]+)
    | (?P<comment>\#[^\r\n]*)
    | (?P<iri><(?:[^<>"{{}}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{{4}}|\\U[0-9A-Fa-f]{{8}})*>)
    | (?P<string>\"{{3}}(?:[^"\\]|\\.|"(?!""))*\"{{3}}|'''(?:[^'\\]|\\.|'(?!''))*'''
               |"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')
    | (?P<variable>[?$][{_NAME}]+)
    | (?P<blank>_:[{_NAME}](?:[{_NAME}-]|\.+(?=[{_NAME}-]))*)
    | (?P<name>(?:{_RUN})?:{_LOCAL})
    | (?P<run>{_RUN})
    | (?P<number>{_NUMBER})
    | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*(?:--[A-Za-z]+)?)
    | (?P<mark>\^\^|&&|\|\||!=|<=|>=|<<|>>|\{{\||\|\}}|.)
    """,
    re.VERBOSE | re.DOTALL,
)

# The pieces of a run. They are cut apart in a second step, lest each of them look for the colon again.
_PIECE = re.compile(rf"(?P<word>[A-Za-z][A-Za-z0-9_]*)|(?P<number>{_NUMBER})|(?P<mark>.)")

# A character by its number (SPARQL 1.1 Query, section 19.2), which the engine reads in IRIs.
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U(00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})")

ABSOLUTE = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^<>"{}|^`\\\x00-\x20]+')

OPENING = {"(": ")", "[": "]", "{": "}", "{|": "|}", "<<": ">>"}
CLOSING = {close: open_ for open_, close in OPENING.items()}


class Token(NamedTuple):
    """A piece of SPARQL text: its kind (a group of the pattern above), its text, and where it starts."""

    kind: str
    text: str
    start: int

    @property
    def word(self) -> str:
        """The keyword in upper case; empty for everything that is no word."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def iri(self) -> str:
        """What an IRI that is written out says, which may be none in truth; empty for all else."""
        return _ESCAPE.sub(by_number, self.text[1:-1]) if self.kind == "iri" else ""


def by_number(found: re.Match[str]) -> str:
    """The character that an escape stands for."""
    return chr(int(found[1] or found[2], 16))


def tokens(text: str) -> Iterator[Token]:
    """The tokens of the text, without space and comments; a stray character is a mark.

    Raises Problem 400 for a string without an end.
    """
    for match in matches(text):
        kind = match.lastgroup
        assert kind is not None
        if match[0] in ('"', "'"):
            raise fault(
                text,
                match.start(),
                "A string begins here and does not end on this line.",
                f"Close it with {match[0]}; within a string, write \\{match[0]}.",
            )
        if kind not in ("space", "comment"):
            yield Token(kind, match[0], match.start())


def matches(text: str) -> Iterator[re.Match[str]]:
    """What the patterns above find in the text, one after the other, in time that grows with its length."""
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "run":
            yield from _PIECE.finditer(text, *match.span())
        else:
            yield match


def prefixes(text: str) -> set[str]:
    """The prefixes that the text declares."""
    declared = set()
    previous = ""
    for token in tokens(text):
        if previous == "PREFIX" and token.kind == "name":
            declared.add(token.text.partition(":")[0])
        previous = token.word
    return declared


def first_word(text: str) -> Token | None:
    """The word after the prologue, which tells what the text is."""
    return next((token for token in tokens(text) if token.word not in ("", *PROLOGUE)), None)


def form(text: str) -> str:
    """The form of a query: SELECT, ASK, CONSTRUCT or DESCRIBE.

    Raises Problem 400 for a text that is no query: empty, an update, or begun with a typo.
    """
    first = first_word(text)
    if first is None:
        raise Problem(
            400, "The query is empty. Begin it with SELECT, ASK, CONSTRUCT or DESCRIBE.", slug="syntax"
        )
    if first.word in FORMS:
        return first.word
    if first.word in UPDATES:
        raise fault(
            text, first.start, f"{first.text} begins an update, not a query.", "Send it by POST to /update."
        )
    near = get_close_matches(first.text.upper(), FORMS, 1)
    raise fault(
        text,
        first.start,
        f"A query does not begin with {first.text}.",
        f"Did you mean {near[0]}?" if near else "Begin it with SELECT, ASK, CONSTRUCT or DESCRIBE.",
    )


class Step(NamedTuple):
    """A token in its place: the token before it, the brackets open around it, and how deep it is nested."""

    token: Token
    previous: Token
    brackets: Sequence[str]
    depth: int


def walk(text: str) -> Iterator[Step]:
    """The tokens with their surroundings; an opening bracket stands within itself, a closing one outside."""
    brackets: list[str] = []
    negations = 0  # the engine recurses for each ! of a row
    previous = Token("", "", 0)
    for token in tokens(text):
        if token.text in OPENING:
            brackets.append(token.text)
        elif token.text in CLOSING and brackets:
            brackets.pop()
        negations = negations + 1 if token.text == "!" else 0
        yield Step(token, previous, brackets, len(brackets) + negations)
        previous = token


def names_dataset(text: str) -> bool:
    """Whether a query says itself what it runs over, by FROM (SPARQL 1.1 Query, section 13.2)."""
    return any("FROM" in step.token.word and not step.brackets for step in walk(text))


def place(text: str, start: int) -> dict[str, Any]:
    """Where an offset is: line and column, counted from 1, and the line with a caret under the column."""
    lines = TextLines(text)
    found = lines.place(start)
    return {**found._asdict(), "excerpt": lines.excerpt(found)}


def refuse_query(text: str) -> None:
    """Raises Problem 400 for a query in the place of an update."""
    first = first_word(text)
    if first and first.word in FORMS:
        raise fault(text, first.start, f"{first.text} begins a query, not an update.", "Send it to /sparql.")


def fault(text: str, start: int, cause: str, suggestion: str) -> Problem:
    """The 400 that says where in the text what is wrong, and how to mend it."""
    where = place(text, start)
    detail = f"Line {where['line']}, column {where['column']}: {cause}"
    if not suggestion:
        return Problem(400, detail, slug="syntax", **where)
    return Problem(400, f"{detail} {suggestion}", slug="syntax", **where, suggestion=suggestion)


def absolute(iri: str, what: str) -> str:
    """The IRI, which is absolute. Raises Problem 400; `what` names the parameter in the message."""
    try:
        ox.NamedNode(iri)  # the pattern is wider than the grammar of IRIs, the engine narrower
        valid = ABSOLUTE.fullmatch(iri) is not None
    except ValueError:
        valid = False
    if not valid:
        raise Problem(400, f"{what} is {iri!r}, which is no absolute IRI. Write it in full, with its scheme.")
    return iri
