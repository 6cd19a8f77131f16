"""Admission of SPARQL texts: what may run, rewritten so that the engine reads it as the grammar does.

The engine has no switch against outbound calls, no limit on recursion, and reads some texts differently from
the grammar: `trueSERVICE<x>{}` is a call, and a `<` after an operand never begins an IRI. Decisions must hold
for its reading too: where the two could differ, the text is refused or made unambiguous.

A fast path recognizes most queries by regular expression, as the full analysis takes longer than many
evaluations. What it accepts is left as it is by the full analysis, which a test checks; what it does not
accept may be harmless as well.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import zip_longest
from typing import NamedTuple

from ..http.outbound import MARK, OWN, allowed, is_own
from ..problems import Problem
from ..rdf.namespaces import namespaces
from ..rdf.sparql_lexer import CLOSING, Step, Token, fault, place, prefixes, tokens, walk
from ..settings import Settings, entries
from ..text import cut
from .language.diagnosis import earlier

_SPACE = r"[ \t\r\n]"
_IRI = r'<[^<>"{}|^`\\\x00-\x20]*>'
_BEGIN = re.compile(
    rf"(?:{_SPACE}|\#[^\r\n]*+[\r\n]|BASE{_SPACE}*+{_IRI}|PREFIX{_SPACE}++[^\s:<>\#\\]*+:{_SPACE}*+{_IRI})*+"
    rf"(?P<form>SELECT|ASK|CONSTRUCT|DESCRIBE)(?![\w:.-])",
    re.IGNORECASE | re.ASCII,
)
_REFUSED = ("service", "load", "from")  # keywords that are looked at, wherever they stand
_OPENING = ("(", "[", "{", "<<", "!")  # what adds to the depth
_COMMENT = re.compile(r"(?:^|[\s;.,{}()\[\]])#")
# An IRI that the engine may take for less-than and something, but for where no operand stands before it.
_MISREAD_AFTER_SPACE = re.compile(rf"""(?:^|[^\s(,=;{{]){_SPACE}*+<[^<>"{{}}|^`\\\x00-\x20]*[#'(\[!]""")


def form_of(text: str, nesting: int) -> str:
    """The form of a query that needs no closer look; empty for any other text.

    Such a query calls nobody, names no graphs of its own, nests no deeper than `nesting`, and is not misread.
    """
    begin = _BEGIN.match(text)
    if begin is None:
        return ""
    lowered = text.lower()
    if any(word in lowered for word in _REFUSED) or sum(map(text.count, _OPENING)) > nesting:
        return ""
    rest = text[begin.end() :]
    if "(" in rest and (_COMMENT.search(rest) or _MISREAD_AFTER_SPACE.search(rest)):
        return ""
    return begin["form"].upper()


OUTBOUND = ("SERVICE", "LOAD")
_OPERANDS = ("variable", "string", "number", "name", "iri", "language", "blank")

# What an IRI may hold that the engine would read as the begin of something else after a less-than sign.
_MISREAD = re.compile(r"[#'(\[!]")

NOWHERE = "<about:nowhere>"  # no scheme that the engine could request

# Behind the text, so that the engine, which looks some characters ahead, can tell where it stopped.
ROOM = " " * 16


def admit(text: str, settings: Settings) -> str:
    """The text as the engine may have it: the same, but for IRIs that the engine would misread.

    SERVICE and LOAD stay where the settings allow their target, and SERVICE of our own search does. The
    target is marked as one that the engine cannot ask: `federation` does it. LOAD SILENT may fail in silence
    (SPARQL 1.1 Update 3.1.4), so it stays, with an address that always fails. Raises Problem 403 for all
    other SERVICE and LOAD, 400 for undeclared prefixes and for too deep nesting.
    """
    declared = prefixes(text)
    called = aims(text)
    permitted = {start: aim for start, aim in called.items() if aim.instead(settings)}
    instead_of = {aim.token: aim.instead(settings) for aim in permitted.values()}
    pieces: list[str] = []
    done = 0
    for step in walk(text):
        token = step.token
        if step.depth > settings.query_nesting:
            raise fault(
                text,
                token.start,
                f"More than {settings.query_nesting} brackets are open here.",
                "Write it flatter.",
            )
        if token.kind == "name" and step.previous.word != "PREFIX" and prefix_of(token) not in declared:
            raise earlier(text, token.start) or undeclared(text, token, namespaces(settings.base))
        if calls_out(step, declared) and token.start not in permitted:
            raise Problem(403, refusal(called.get(token.start), settings), **place(text, token.start))
        if token in instead_of:
            instead = instead_of[token]
        elif is_misread(step):
            instead = _MISREAD.sub(lambda found: f"\\u{ord(found[0]):04X}", token.text)
        else:
            continue
        pieces += [text[done : token.start], instead]
        done = token.start + len(token.text)
    return "".join([*pieces, text[done:], ROOM])


class Aim(NamedTuple):
    """What a SERVICE or LOAD asks for: its keyword, whether SILENT follows, the token of the target."""

    word: str
    silent: bool
    token: Token

    def instead(self, settings: Settings) -> str:
        """What stands in an admitted text for a target; empty where it may not be asked for."""
        if self.word == "SERVICE" and is_own(self.token.iri, settings.base):
            return f"<{OWN}{self.token.iri}>"
        url = allowed(self.token.iri, settings.allow)
        if url is not None:
            return f"<{MARK}{url}>"
        return NOWHERE if (self.word, self.silent) == ("LOAD", True) else ""


def aims(text: str) -> dict[int, Aim]:
    """What each SERVICE and LOAD with a fixed target asks for, by the offset of its keyword."""
    found = list(tokens(text))
    end = Token("", "", len(text))
    calls = {
        word.start: Aim(word.word, first.word == "SILENT", second if first.word == "SILENT" else first)
        for word, first, second in zip_longest(found, found[1:], found[2:], fillvalue=end)
        if word.word in OUTBOUND
    }
    return {start: aim for start, aim in calls.items() if aim.token.kind in ("iri", "name")}


def refusal(aim: Aim | None, settings: Settings) -> str:
    """Why a SERVICE or LOAD is refused, and what to do instead; others need not know what is allowed."""
    elsewhere = "Load the other data into a store of yours and query it there."
    if not entries(settings.allow):
        return (
            "SERVICE and LOAD are refused: this service makes no requests of its own, unless its operator "
            f"allows addresses by WGIG_ALLOW. {elsewhere}"
        )
    if aim and aim.token.iri:
        return (
            f"{aim.word} <{cut(aim.token.iri)}> is refused: the operator of this service allows addresses by "
            f"WGIG_ALLOW, and this is none of them. {elsewhere}"
        )
    return (
        "SERVICE and LOAD are refused here, as no address is written out in full behind the word. "
        "The operator of this service allows addresses by WGIG_ALLOW. Write one of them out, as in <https://…>."
    )


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
    if (
        token.kind == "name"
        and not step.brackets
        and (previous.kind in ("", "iri", "string") or previous.text == ";")
    ):
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
    operand = previous.kind in _OPERANDS or previous.text in CLOSING or previous.word in ("TRUE", "FALSE")
    return (
        token.kind == "iri" and operand and step.brackets[-1:] == ["("] and bool(_MISREAD.search(token.text))
    )


def undeclared(text: str, token: Token, known: Mapping[str, str]) -> Problem:
    """The 400 for a prefix without declaration, with the line to add when it is a `known` one."""
    prefix = prefix_of(token)
    near = get_close_matches(prefix[:40], sorted({*prefixes(text), *known}), 1)  # comparing takes time
    meant = prefix if prefix in known else near[0] if near else ""
    asked = "" if prefix in known or not near else f"Did you mean {meant}:?"
    if meant in known:
        suggestion = f"{asked} Put this line first: PREFIX {meant}: <{known[meant]}>".strip()
    else:
        suggestion = asked or f"Put a line first that says what it stands for: PREFIX {prefix}: <...>"
    return fault(text, token.start, f"The prefix {prefix}: is not declared.", suggestion)
