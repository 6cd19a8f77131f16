"""SPARQL text as tokens: what form a query has, how deep it nests, and where in it something is wrong.

Whoever looks at a text more than once does so by a `SparqlText`, which is cut into tokens once.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple, Self

import pyoxigraph as ox

from ..problems import Problem
from ..text import TextLines, suggest_near_name

QUERY_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
UPDATE_KEYWORDS = ("INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH")
PROLOGUE_KEYWORDS = ("PREFIX", "BASE", "VERSION")

# PN_CHARS of the grammar, without the ASCII part
_PN_CHARS_BASE = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PN_CHARS = rf"{_PN_CHARS_BASE}_0-9\u00b7\u0300-\u036f\u203f-\u2040"
# A prefix, where a colon follows.
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

# The pieces of a run. They are cut apart in a second step, lest each of them look for the colon again.
_PIECE_PATTERN = re.compile(rf"(?P<word>[A-Za-z][A-Za-z0-9_]*)|(?P<number>{_NUMBER_REGEX})|(?P<mark>.)")

# A character by its number (SPARQL 1.1 Query, section 19.2), which the engine reads in IRIs.
_ESCAPE_PATTERN = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U(00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})")

ABSOLUTE_IRI_PATTERN = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^<>"{}|^`\\\x00-\x20]+')

OPENING_BRACKETS = {"(": ")", "[": "]", "{": "}", "{|": "|}", "<<": ">>"}
CLOSING_BRACKETS = {close: open_ for open_, close in OPENING_BRACKETS.items()}


class SparqlToken(NamedTuple):
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
        return _ESCAPE_PATTERN.sub(unescape_character, self.text[1:-1]) if self.kind == "iri" else ""


def unescape_character(found: re.Match[str]) -> str:
    """The character that an escape stands for."""
    return chr(int(found[1] or found[2], 16))


def tokenize_sparql(text: str) -> Iterator[SparqlToken]:
    """The tokens of the text, without space and comments; a stray character is a mark.

    Raises Problem 400 for a string without an end.
    """
    for match in iter_token_matches(text):
        kind = match.lastgroup
        assert kind is not None
        if match[0] in ('"', "'"):
            raise sparql_syntax_problem(
                text,
                match.start(),
                "A string begins here and does not end on this line.",
                f"Close it with {match[0]}; within a string, write \\{match[0]}.",
            )
        if kind not in ("space", "comment"):
            yield SparqlToken(kind, match[0], match.start())


def iter_token_matches(text: str) -> Iterator[re.Match[str]]:
    """What the patterns above find in the text, one after the other, in time that grows with its length."""
    for match in _SPARQL_TOKEN_PATTERN.finditer(text):
        if match.lastgroup == "run":
            yield from _PIECE_PATTERN.finditer(text, *match.span())
        else:
            yield match


SPARQL_WHITESPACE = " \t\r\n"
# Behind a text, so that the engine, which looks some characters ahead, can tell where it stopped.
LOOKAHEAD_PADDING = " " * 16

MAX_KEPT_TOKENS_CHARS = 1_000_000  # characters of a text, as the data of an update may be far longer


class SparqlText:
    """A SPARQL text with its tokens, which are made once, when they are first asked for."""

    def __init__(self, text: str) -> None:
        """Take the text, whatever it is."""
        self.text = text

    def __getstate__(self) -> dict[str, Any]:
        """Pickle no tree, which may be too deep; tokens, as to read them takes a sixth of making them."""
        return {name: self.__dict__[name] for name in ("text", "tokens") if name in self.__dict__}

    @cached_property
    def tokens(self) -> list[SparqlToken]:
        """The tokens, without space and comments. Raises Problem 400 for a string without an end."""
        return list(tokenize_sparql(self.text))

    def release_long_tokens(self) -> None:
        """Let the tokens go of a text too long to keep them: they take some 20 times its memory."""
        if len(self.text) > MAX_KEPT_TOKENS_CHARS:
            self.__dict__.pop("tokens", None)

    @property
    def engine_text(self) -> str:
        """The text as the engine gets it."""
        return self.text + LOOKAHEAD_PADDING

    def with_iris(self, iris: Mapping[int, str], start: int = 0, end: int | None = None) -> Self:
        """The text from start to end with these IRIs in place of the tokens at their offsets.

        An IRI stands between < and >. No token is cut anew: what is put in place of one is one.
        """
        end = len(self.text) if end is None else end
        pieces, tokens, done, shift = list[str](), list[SparqlToken](), start, -start
        for kind, text, at in self.tokens[self._token_index(start) : self._token_index(end)]:
            iri = iris.get(at)
            if iri is None:
                tokens.append(SparqlToken(kind, text, at + shift))
                continue
            tokens.append(SparqlToken("iri", iri, at + shift))
            pieces += [self.text[done:at], iri]
            done = at + len(text)
            shift += len(iri) - len(text)
        made = type(self)("".join([*pieces, self.text[done:end]]))
        made.tokens = tokens
        return made

    def _token_index(self, offset: int) -> int:
        """The number of tokens that begin before an offset."""
        return bisect_left(self.tokens, offset, key=attrgetter("start"))


def find_declared_prefixes(tokens: Iterable[SparqlToken]) -> set[str]:
    """The prefixes that a text declares."""
    declared = set()
    previous = ""
    for token in tokens:
        if previous == "PREFIX" and token.kind == "name":
            declared.add(token.text.partition(":")[0])
        previous = token.word
    return declared


def find_first_word(tokens: Iterable[SparqlToken]) -> SparqlToken | None:
    """The word after the prologue, which tells what a text is."""
    return next((token for token in tokens if token.word not in ("", *PROLOGUE_KEYWORDS)), None)


def get_query_form(query: SparqlText) -> str:
    """The form of a query: SELECT, ASK, CONSTRUCT or DESCRIBE.

    Raises Problem 400 for a text that is no query: empty, an update, or begun with a typo.
    """
    first = find_first_word(query.tokens)
    if first is None:
        raise Problem(
            400, "The query is empty. Begin it with SELECT, ASK, CONSTRUCT or DESCRIBE.", slug="syntax"
        )
    if first.word in QUERY_FORMS:
        return first.word
    if first.word in UPDATE_KEYWORDS:
        raise sparql_syntax_problem(
            query.text,
            first.start,
            f"{first.text} begins an update, not a query.",
            "Send it by POST to /update.",
        )
    raise sparql_syntax_problem(
        query.text,
        first.start,
        f"A query does not begin with {first.text}.",
        suggest_near_name(first.text, QUERY_FORMS, "Begin it with SELECT, ASK, CONSTRUCT or DESCRIBE."),
    )


class TokenStep(NamedTuple):
    """A token in its place: the token before it, the brackets open around it, and how deep it is nested."""

    token: SparqlToken
    previous: SparqlToken
    brackets: Sequence[str]
    depth: int


def walk_tokens(tokens: Iterable[SparqlToken]) -> Iterator[TokenStep]:
    """The tokens with their surroundings; an opening bracket stands within itself, a closing one outside."""
    brackets: list[str] = []
    negations = 0  # the engine recurses for each ! of a row
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
    """Whether a query says itself what it runs over, by FROM (SPARQL 1.1 Query, section 13.2)."""
    return any("FROM" in step.token.word and not step.brackets for step in walk_tokens(tokens))


def locate_offset(text: str, start: int) -> dict[str, Any]:
    """Where an offset is: line and column, counted from 1, and the line with a caret under the column."""
    lines = TextLines(text)
    found = lines.locate(start)
    return {**found._asdict(), "excerpt": lines.excerpt(found)}


def refuse_query(update: SparqlText) -> None:
    """Raises Problem 400 for a query in the place of an update."""
    first = find_first_word(update.tokens)
    if first and first.word in QUERY_FORMS:
        raise sparql_syntax_problem(
            update.text, first.start, f"{first.text} begins a query, not an update.", "Send it to /sparql."
        )


def sparql_syntax_problem(text: str, start: int, cause: str, suggestion: str) -> Problem:
    """The 400 that says where in the text what is wrong, and how to mend it."""
    where = locate_offset(text, start)
    detail = f"Line {where['line']}, column {where['column']}: {cause}"
    if not suggestion:
        return Problem(400, detail, slug="syntax", **where)
    return Problem(400, f"{detail} {suggestion}", slug="syntax", **where, suggestion=suggestion)


def check_absolute_iri(iri: str, what: str) -> str:
    """The IRI, which is absolute. Raises Problem 400; `what` names the parameter in the message."""
    try:
        ox.NamedNode(iri)  # the pattern is wider than the grammar of IRIs, the engine narrower
        valid = ABSOLUTE_IRI_PATTERN.fullmatch(iri) is not None
    except ValueError:
        valid = False
    if not valid:
        raise Problem(400, f"{what} is {iri!r}, which is no absolute IRI. Write it in full, with its scheme.")
    return iri
