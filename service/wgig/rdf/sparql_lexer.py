"""A SPARQL lexer: the tokens of a text, the form and nesting depth of a query, and error positions.

`SparqlText` keeps the tokens of a text, so that it is tokenized only once.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple, Self

import pyoxigraph as ox

from ..problems import Problem
from ..text import TextEdit, TextLines, find_near_name, suggest_near_name

QUERY_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
UPDATE_KEYWORDS = ("INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH")
PROLOGUE_KEYWORDS = ("PREFIX", "BASE", "VERSION")

# Regular expressions for PN_CHARS_BASE, PN_CHARS and PN_LOCAL of the SPARQL grammar.
_PN_CHARS_BASE = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PN_CHARS = rf"{_PN_CHARS_BASE}_0-9\u00b7\u0300-\u036f\u203f-\u2040"
# A word, or a prefix if a colon follows.
_WORD_OR_PREFIX = rf"[{_PN_CHARS_BASE}](?:[{_PN_CHARS}-]|\.+(?=[{_PN_CHARS}-]))*"
_PN_LOCAL = rf"(?:[{_PN_CHARS}:-]|%[0-9A-Fa-f]{{2}}|\\[_~.\-!$&'()*+,;=/?#@%]|\.+(?=[{_PN_CHARS}:%\\-]))*"

_NUMBER_REGEX = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"

_SPARQL_TOKEN_PATTERN = re.compile(
    rf"""
      (?P<space>[ \t\r\n]+)
    | (?P<comment>\#[^\r\n]*)
    | (?P<iri><(?:[^<>"{{}}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{{4}}|\\U[0-9A-Fa-f]{{8}})*>)
    | (?P<string>\"{{3}}(?:[^"\\]|\\.|"(?!""))*\"{{3}}|'''(?:[^'\\]|\\.|'(?!''))*'''
               |"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')
    | (?P<variable>[?$][{_PN_CHARS}]+)
    | (?P<blank>_:[{_PN_CHARS}](?:[{_PN_CHARS}-]|\.+(?=[{_PN_CHARS}-]))*)
    | (?P<name>(?:{_WORD_OR_PREFIX})?:{_PN_LOCAL})
    | (?P<run>{_WORD_OR_PREFIX})
    | (?P<number>{_NUMBER_REGEX})
    | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*(?:--[A-Za-z]+)?)
    | (?P<mark>\^\^|&&|\|\||!=|<=|>=|<<|>>|\{{\||\|\}}|.)
    """,
    re.VERBOSE | re.DOTALL,
)

# The tokens of a `run`, which is a word without a colon after it. They are split in a second step: otherwise
# the pattern above would search for a colon again after each of them.
_RUN_TOKEN_PATTERN = re.compile(rf"(?P<word>[A-Za-z][A-Za-z0-9_]*)|(?P<number>{_NUMBER_REGEX})|(?P<mark>.)")

# A codepoint escape (SPARQL 1.1 Query, section 19.2), which pyoxigraph accepts in IRIs.
_ESCAPE_PATTERN = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U(00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})")

ABSOLUTE_IRI_PATTERN = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^<>"{}|^`\\\x00-\x20]+')

OPENING_BRACKETS = {"(": ")", "[": "]", "{": "}", "{|": "|}", "<<": ">>"}
CLOSING_BRACKETS = {close: open_ for open_, close in OPENING_BRACKETS.items()}


class SparqlToken(NamedTuple):
    """A token: its kind (the name of a group in the patterns above), its text, and its offset."""

    kind: str
    text: str
    start: int

    @property
    def word(self) -> str:
        """The token in upper case if it is a word, such as a keyword; else empty."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def iri(self) -> str:
        """The unescaped text between the angle brackets of an IRI, which may be invalid; else empty."""
        return _ESCAPE_PATTERN.sub(unescape_character, self.text[1:-1]) if self.kind == "iri" else ""


def unescape_character(match: re.Match[str]) -> str:
    """The character of a codepoint escape."""
    return chr(int(match[1] or match[2], 16))


def tokenize_sparql(text: str) -> Iterator[SparqlToken]:
    """The tokens of the text, without space and comments. An unexpected character is of the kind `mark`.

    Raises Problem 400 for an unterminated string.
    """
    for match in iter_token_matches(text):
        kind = match.lastgroup
        assert kind is not None
        if match[0] in ('"', "'"):
            raise sparql_syntax_problem(
                text,
                match.start(),
                "The string that starts here does not end on this line.",
                f"Close it with {match[0]}; within a string, write \\{match[0]}.",
            )
        if kind not in ("space", "comment"):
            yield SparqlToken(kind, match[0], match.start())


def iter_token_matches(text: str) -> Iterator[re.Match[str]]:
    """The matches of the patterns above, in order; the time is linear in the length of the text."""
    for match in _SPARQL_TOKEN_PATTERN.finditer(text):
        if match.lastgroup == "run":
            yield from _RUN_TOKEN_PATTERN.finditer(text, *match.span())
        else:
            yield match


SPARQL_WHITESPACE = " \t\r\n"
# Appended to a text: pyoxigraph looks ahead, and reports correct positions only within the text.
LOOKAHEAD_PADDING = " " * 16

MAX_KEPT_TOKENS_CHARS = 1_000_000  # updates may be far longer


class SparqlText:
    """A SPARQL text with its tokens, computed on first access."""

    def __init__(self, text: str) -> None:
        """Store the text, which may be invalid."""
        self.text = text

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the tokens: that takes a sixth of the time of tokenizing. Syntax trees may be too deep."""
        return {name: self.__dict__[name] for name in ("text", "tokens") if name in self.__dict__}

    @cached_property
    def tokens(self) -> list[SparqlToken]:
        """The tokens, without space and comments. Raises Problem 400 for an unterminated string."""
        return list(tokenize_sparql(self.text))

    def release_long_tokens(self) -> None:
        """Drop the tokens of a long text: they need about 20 times its memory."""
        if len(self.text) > MAX_KEPT_TOKENS_CHARS:
            self.__dict__.pop("tokens", None)

    @property
    def engine_text(self) -> str:
        """The text to pass to pyoxigraph."""
        return self.text + LOOKAHEAD_PADDING

    def with_iris(self, iris: Mapping[int, str], start: int = 0, end: int | None = None) -> Self:
        """The text from `start` to `end`, with IRIs in angle brackets replacing the tokens at their offsets.

        The tokens are reused: each replacement is one token, so nothing is tokenized again.
        """
        end = len(self.text) if end is None else end
        chunks, tokens, copied_to, shift = list[str](), list[SparqlToken](), start, -start
        for kind, text, offset in self.tokens[self.token_index(start) : self.token_index(end)]:
            iri = iris.get(offset)
            if iri is None:
                tokens.append(SparqlToken(kind, text, offset + shift))
                continue
            tokens.append(SparqlToken("iri", iri, offset + shift))
            chunks += [self.text[copied_to:offset], iri]
            copied_to = offset + len(text)
            shift += len(iri) - len(text)
        replaced = type(self)("".join([*chunks, self.text[copied_to:end]]))
        replaced.tokens = tokens
        return replaced

    def token_index(self, offset: int) -> int:
        """The index of the first token at or after an offset."""
        return bisect_left(self.tokens, offset, key=attrgetter("start"))

    def without_tokens(self, ranges: Sequence[tuple[int, int]]) -> Self:
        """The text with spaces in place of the tokens in these ranges of indices; offsets stay the same."""
        text, tokens = self.text, list[SparqlToken](self.tokens)
        for begin, end in reversed(ranges):
            start, last = tokens[begin].start, tokens[end - 1]
            stop = last.start + len(last.text)
            text = text[:start] + " " * (stop - start) + text[stop:]
            del tokens[begin:end]
        replaced = type(self)(text)
        replaced.tokens = tokens
        return replaced


def find_declared_prefixes(tokens: Iterable[SparqlToken]) -> set[str]:
    """The prefixes that a text declares."""
    declared = set()
    previous = ""
    for token in tokens:
        if previous == "PREFIX" and token.kind == "name":
            declared.add(token.text.partition(":")[0])
        previous = token.word
    return declared


def resolve_iri_tokens(source: SparqlText, offsets: Collection[int], base: str) -> dict[int, str]:
    """The absolute IRIs of the IRIs and prefixed names at some offsets; empty if one of them is invalid.

    They are parsed as Turtle, which has the same declarations of prefixes and base.
    """
    lines = []
    pending_parts = 0  # of a declaration
    for token in source.tokens if offsets else ():
        pending_parts = {"BASE": 2, "PREFIX": 3}.get(token.word, pending_parts)
        if pending_parts:
            pending_parts -= 1
            lines.append(token.text)
        elif token.start in offsets:
            lines.append(f"<x:s> <x:{token.start}> {token.text} .")
    try:
        quads = list(ox.parse("\n".join(lines), ox.RdfFormat.TURTLE, base_iri=base))
    except (SyntaxError, ValueError):
        return {}
    return {
        int(quad.predicate.value.removeprefix("x:")): quad.object.value
        for quad in quads
        if isinstance(quad.object, ox.NamedNode)
    }


def find_first_word(tokens: Iterable[SparqlToken]) -> SparqlToken | None:
    """The first word after the prologue, such as SELECT or INSERT; None if there is none."""
    return next((token for token in tokens if token.word not in ("", *PROLOGUE_KEYWORDS)), None)


def get_query_form(query: SparqlText) -> str:
    """The form of a query: SELECT, ASK, CONSTRUCT or DESCRIBE.

    Raises Problem 400 for a text that is not a query: empty, an update, or with a misspelled keyword.
    """
    first = find_first_word(query.tokens)
    if first is None:
        raise Problem(
            400, "The query is empty. Start it with SELECT, ASK, CONSTRUCT or DESCRIBE.", slug="syntax"
        )
    if first.word in QUERY_FORMS:
        return first.word
    if first.word in UPDATE_KEYWORDS:
        raise sparql_syntax_problem(
            query.text,
            first.start,
            f"{first.text} starts an update, not a query.",
            "Send it by POST to /update.",
        )
    near_form = find_near_name(first.text, QUERY_FORMS)
    raise sparql_syntax_problem(
        query.text,
        first.start,
        f"A query cannot start with {first.text}.",
        suggest_near_name(first.text, QUERY_FORMS, "Start it with SELECT, ASK, CONSTRUCT or DESCRIBE."),
        replace_token(first, near_form) if near_form else None,
    )


def replace_token(token: SparqlToken, text: str) -> TextEdit:
    """The edit that replaces a token by a text."""
    return TextEdit(token.start, token.start + len(token.text), text)


class TokenStep(NamedTuple):
    """A token with its context: the token before it, the open brackets, and the nesting depth."""

    token: SparqlToken
    previous: SparqlToken
    brackets: Sequence[str]
    depth: int


def walk_tokens(tokens: Iterable[SparqlToken]) -> Iterator[TokenStep]:
    """The tokens with their context. `brackets` includes an opening bracket, but not a closing one."""
    brackets: list[str] = []
    negations = 0  # consecutive !, for each of which pyoxigraph recurses
    previous = SparqlToken("", "", 0)
    for token in tokens:
        if token.text in OPENING_BRACKETS:
            brackets.append(token.text)
        elif token.text in CLOSING_BRACKETS and brackets:
            brackets.pop()
        negations = negations + 1 if token.text == "!" else 0
        yield TokenStep(token, previous, brackets, len(brackets) + negations)
        previous = token


def has_dataset_clause(tokens: Iterable[SparqlToken]) -> bool:
    """Whether a query has a dataset clause, FROM or FROM NAMED (SPARQL 1.1 Query, section 13.2)."""
    # pyoxigraph also accepts FROMNAMED, without a space.
    return any("FROM" in step.token.word and not step.brackets for step in walk_tokens(tokens))


def locate_offset(text: str, start: int) -> dict[str, Any]:
    """`line` and `column` of an offset, counted from 1, and `excerpt`, the line with a caret below it."""
    lines = TextLines(text)
    position = lines.locate(start)
    return {**position._asdict(), "excerpt": lines.excerpt(position)}


def refuse_query(update: SparqlText) -> None:
    """Raise Problem 400 if the text is a query instead of an update."""
    first = find_first_word(update.tokens)
    if first and first.word in QUERY_FORMS:
        raise sparql_syntax_problem(
            update.text, first.start, f"{first.text} starts a query, not an update.", "Send it to /sparql."
        )


def sparql_syntax_problem(
    text: str, start: int, cause: str, suggestion: str, edit: TextEdit | None = None
) -> Problem:
    """The Problem 400 for an error at an offset, with line, column and excerpt; `suggestion` may be empty.

    `edit` is a change of the text that fixes the error, if there is one.
    """
    members = locate_offset(text, start)
    detail = f"Line {members['line']}, column {members['column']}: {cause}"
    if suggestion:
        detail, members["suggestion"] = f"{detail} {suggestion}", suggestion
    if edit:
        members["edit"] = edit._asdict()
    return Problem(400, detail, slug="syntax", **members)


def check_absolute_iri(iri: str, parameter: str) -> str:
    """The IRI, unchanged. Raises Problem 400 about `parameter` if it is not absolute or invalid."""
    try:
        ox.NamedNode(iri)  # the pattern accepts more than the grammar of IRIs, pyoxigraph less
        is_valid = ABSOLUTE_IRI_PATTERN.fullmatch(iri) is not None
    except ValueError:
        is_valid = False
    if not is_valid:
        raise Problem(
            400, f"{parameter} is {iri!r}, which is not an absolute IRI. Write it in full, with its scheme."
        )
    return iri
