"""Look at SPARQL text before the engine does: its tokens, its form, and whether it may run here.

The engine has no switch against outbound calls, no bound on recursion, and reads some texts in another way than the
grammar does (`trueSERVICE<x>{}` is a call, a `<` after an operand never begins an IRI). What is decided here must
hold for the engine's reading, too: where the two could differ, the text is refused or made unambiguous.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from .namespaces import namespaces
from .problems import Problem
from .settings import Settings

FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
UPDATES = ("INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH")
PROLOGUE = ("PREFIX", "BASE", "VERSION")
OUTBOUND = ("SERVICE", "LOAD")

# PN_CHARS of the grammar, without the ASCII part
_LETTERS = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = rf"{_LETTERS}_0-9\u00b7\u0300-\u036f\u203f-\u2040"
_LOCAL = rf"(?:[{_NAME}:-]|%[0-9A-Fa-f]{{2}}|\\[_~.\-!$&'()*+,;=/?#@%]|\.+(?=[{_NAME}:%\\-]))*"

_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\r\n]+)
    | (?P<comment>\#[^\r\n]*)
    | (?P<iri><(?:[^<>"{{}}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{{4}}|\\U[0-9A-Fa-f]{{8}})*>)
    | (?P<string>\"{{3}}(?:[^"\\]|\\.|"(?!""))*\"{{3}}|'''(?:[^'\\]|\\.|'(?!''))*'''
               |"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')
    | (?P<variable>[?$][{_NAME}]+)
    | (?P<blank>_:[{_NAME}](?:[{_NAME}-]|\.+(?=[{_NAME}-]))*)
    | (?P<name>(?:[{_LETTERS}](?:[{_NAME}-]|\.+(?=[{_NAME}-]))*)?:{_LOCAL})
    | (?P<word>[A-Za-z][A-Za-z0-9_]*)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*(?:--[A-Za-z]+)?)
    | (?P<mark>\^\^|&&|\|\||!=|<=|>=|<<|>>|\{{\||\|\}}|.)
    """,
    re.VERBOSE | re.DOTALL,
)

ABSOLUTE = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^<>"{}|^`\\\x00-\x20]+')

OPENING = {"(": ")", "[": "]", "{": "}", "{|": "|}", "<<": ">>"}
CLOSING = {close: open_ for open_, close in OPENING.items()}
EXCERPT = 120  # characters of a line that are shown
_OPERANDS = ("variable", "string", "number", "name", "iri", "language", "blank")

# What an IRI may hold that the engine would read as the begin of something else after a less-than sign.
_MISREAD = re.compile(r"[#'(\[!]")


class Token(NamedTuple):
    """A piece of SPARQL text: its kind (a group of the pattern above), its text, and where it starts."""

    kind: str
    text: str
    start: int

    @property
    def word(self) -> str:
        """The keyword in upper case; empty for everything that is no word."""
        return self.text.upper() if self.kind == "word" else ""


def tokens(text: str) -> Iterator[Token]:
    """The tokens of the text, without space and comments. Never fails: a stray character is a mark."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        assert kind is not None
        if kind not in ("space", "comment"):
            yield Token(kind, match[0], match.start())


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
    """The form of a query: SELECT, ASK, CONSTRUCT or DESCRIBE; empty where it is none of them (an update, a typo)."""
    first = first_word(text)
    return first.word if first and first.word in FORMS else ""


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


def admit(text: str, settings: Settings) -> str:
    """The text as the engine may have it: the same, but for IRIs that the engine would misread.

    Raises Problem 403 for SERVICE and LOAD, 400 for undeclared prefixes and for nesting deeper than the settings allow.
    """
    declared = prefixes(text)
    pieces: list[str] = []
    done = 0
    for step in walk(text):
        token = step.token
        if step.depth > settings.query_nesting:
            raise fault(text, token.start, f"More than {settings.query_nesting} brackets are open here.", "Write it flatter.")
        if token.kind == "name" and step.previous.word != "PREFIX" and prefix_of(token) not in declared:
            raise undeclared(text, token, namespaces(settings.base))
        if calls_out(step, declared):
            raise Problem(
                403,
                "SERVICE and LOAD are refused: this service makes no requests of its own. "
                "Load the other data into a store of yours and query it there.",
                **place(text, token.start),
            )
        if is_misread(step):
            pieces += [text[done : token.start], _MISREAD.sub(lambda found: f"\\u{ord(found[0]):04X}", token.text)]
            done = token.start + len(token.text)
    return "".join([*pieces, text[done:]])


def prefix_of(token: Token) -> str:
    """The prefix of a prefixed name."""
    return token.text.partition(":")[0]


def calls_out(step: Step, declared: set[str]) -> bool:
    """Whether the engine would make a request here, even where a keyword is glued to its neighbors."""
    token, previous = step.token, step.previous
    if any(keyword in token.word for keyword in OUTBOUND):
        return True
    if token.text == "{" and previous.kind == "name":
        return any(rest in declared for rest in glued(previous, "SERVICE"))
    if token.kind == "name" and not step.brackets and (previous.kind in ("", "iri", "string") or previous.text == ";"):
        return any(rest in declared for rest in glued(token, "LOAD"))
    return False


def glued(token: Token, keyword: str) -> Iterator[str]:
    """The prefixes that remain of a prefixed name when the engine takes the keyword off its front."""
    prefix = prefix_of(token)
    for match in re.finditer(keyword, prefix, re.IGNORECASE):
        rest = prefix[match.end() :]
        yield rest
        if rest.upper().startswith("SILENT"):
            yield rest[len("SILENT") :]


def is_misread(step: Step) -> bool:
    """Whether the engine may take the < of this IRI for less-than and read on inside of it."""
    token, previous = step.token, step.previous
    operand = previous.kind in _OPERANDS or previous.text in (")", "true", "false")
    return token.kind == "iri" and operand and step.brackets[-1:] == ["("] and bool(_MISREAD.search(token.text))


def undeclared(text: str, token: Token, known: Mapping[str, str]) -> Problem:
    """The 400 for a prefix without declaration, with the line to add when it is a `known` one."""
    prefix = prefix_of(token)
    near = get_close_matches(prefix, prefixes(text), 1)
    if prefix in known:
        suggestion = f"Put this line first: PREFIX {prefix}: <{known[prefix]}>"
    elif near:
        suggestion = f"Did you mean {near[0]}:?"
    else:
        suggestion = f"Put a line first that says what it stands for: PREFIX {prefix}: <...>"
    return fault(text, token.start, f"The prefix {prefix}: is not declared.", suggestion)


def place(text: str, start: int) -> dict[str, int | str]:
    """Where an offset is: line and column, counted from 1, and the line with a caret under the column."""
    line_start = text.rfind("\n", 0, start) + 1
    column = start - line_start + 1
    line = text[line_start:].partition("\n")[0].rstrip("\r")
    shown = max(0, column - 1 - EXCERPT // 2)
    caret = re.sub(r"[^\t]", " ", line[shown : column - 1]) + "^"
    return {
        "line": text.count("\n", 0, start) + 1,
        "column": column,
        "excerpt": f"{line[shown : shown + EXCERPT]}\n{caret}",
    }


def fault(text: str, start: int, cause: str, suggestion: str) -> Problem:
    """The 400 that says where in the text what is wrong, and how to mend it."""
    where = place(text, start)
    detail = f"Line {where['line']}, column {where['column']}: {cause}"
    if not suggestion:
        return Problem(400, detail, slug="syntax", **where)
    return Problem(400, f"{detail} {suggestion}", slug="syntax", **where, suggestion=suggestion)


def absolute(iri: str, what: str) -> str:
    """The IRI, which is absolute. Raises Problem 400; `what` names the parameter in the message."""
    if not ABSOLUTE.fullmatch(iri):
        raise Problem(400, f"{what} is {iri!r}, which is no absolute IRI. Write it in full, with its scheme.")
    return iri
