"""Diagnosis of SPARQL syntax errors: where, what is wrong, and what was probably meant.

The grammar finds the first token that does not fit and what could stand there. Known mistakes come from the
table slips.txt, each with cause and fix: typographic quotes, URLs without brackets, unclosed parentheses,
misspelt keywords. Errors beyond the grammar are reported as the engine words them.
"""

import re
import unicodedata
from collections.abc import Set
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ...problems import Problem
from ...rdf.sparql_lexer import CLOSING, OPENING, fault, place
from ...text import TextLines
from .grammar import KEYWORDS
from .parser import Misfit, read
from .scope import broken

TABLE = Path(__file__).with_name("slips.txt")
NEAR = 200  # characters that a pattern looks at, on either side
SHOWN = 40  # characters of the token that does not fit


class Slip(NamedTuple):
    """A row of the table: where it fits, its cause, and how to mend it."""

    within: frozenset[str]
    before: re.Pattern[str]
    here: re.Pattern[str]
    cause: str
    mend: str


@cache
def slips() -> list[Slip]:
    """The rows of the table, which says itself how they are read."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line and not line.startswith("# ")]
    rows = zip(*[iter(line for line in lines if line != "#")] * 3, strict=True)
    return [slip(*row) for row in rows]


def slip(where: str, cause: str, mend: str) -> Slip:
    """One row."""
    within, before, here = (part.strip() for part in where.split(" :: "))
    before_, here_ = (re.compile(pattern, re.IGNORECASE) for pattern in (before or "$", here))
    return Slip(frozenset(within.split("|")), before_, here_, cause, mend)


def known(text: str, found: Misfit) -> tuple[str, str] | None:
    """The cause and the mend of the slip that a text shows; None for one that is not in the table."""
    before = " ".join(token.text for token in found.before[-8:])[-NEAR:]
    open_ = {"*", *found.inside, *(() if found.open else ["outside"])}
    for row in slips():
        if open_.isdisjoint(row.within) or not row.before.search(before):
            continue
        if row.here.match(text, found.start, found.start + NEAR):
            here = found.token.text[:SHOWN]
            return row.cause.replace("{here}", here), row.mend.replace("{here}", here)
    return None


LONGEST = 1_000_000  # characters that are read again; the data of an update may be far longer

# Signs that come with a text from elsewhere, and what to write instead.
STRANGE = {
    **dict.fromkeys("“”„«»″", 'Write the straight quote ".'),
    **dict.fromkeys("‘’‚′´", "Write the straight quote '."),
    **dict.fromkeys("‐‑‒–—−", "Write the plain hyphen -."),
    **dict.fromkeys("≤⩽", "Write <=."),
    **dict.fromkeys("≥⩾", "Write >=."),
    "≠": "Write !=.",
    "…": "Write three dots, or what they stand for.",
    "×": "Write *.",
    "·": "Write a plain dot.",
    "\u037e": "Write the plain semicolon.",
    "\ufeff": "It is a byte order mark: save the text without it.",
}

ADDRESS = re.compile(r"(?:https?|ftp|urn|mailto|file):(?!\s)", re.IGNORECASE)

# What could stand in a place, in words: the tokens that tell it, those that need not be named any more, the
# word. The first that fits goes before.
_CALLS = frozenset(
    one for one in KEYWORDS if one not in ("AS", "ASC", "DESC", "WHERE", "FROM", "LIMIT", "OFFSET")
)
_VALUES = {"@variable", "@blank", "@iri", "@name", "@string", "@number", "@sign", "TRUE", "FALSE"}
WORDS: list[tuple[set[str], Set[str], str]] = [
    ({"@variable", "CONTAINS", "@string"}, _CALLS | _VALUES | {"!", "+", "-", "<<"}, "an expression"),
    ({"@variable", "@iri", "@string"}, _VALUES | {"<<", "["}, "a variable, an IRI or a value"),
    ({"@iri", "^", "@variable"}, {"@name", "(", "!", "a"}, "a property, a path or a variable"),
    ({"@iri", "^"}, {"@name", "(", "!", "a"}, "a property"),
    ({"CONTAINS"}, _CALLS, "a function"),
    ({"FILTER", "OPTIONAL"}, _CALLS, "the next part of the pattern"),
    ({"*", "!=", "&&"}, {*"+-/<=>", "<=", ">=", "||", "@sign", "IN", "NOT"}, "an operator"),
    ({"@iri"}, {"@name"}, "an IRI or a prefixed name"),
    ({"@variable"}, set(), "a variable"),
    ({"@prefix"}, set(), "a prefix with its colon"),
    ({"@string"}, set(), "a text in quotes"),
    ({"@integer"}, set(), "a whole number"),
]
FEW = 8


def diagnose(text: str, error: Exception) -> Problem:
    """The 400 for a text that the engine refused with `error`."""
    text = text.rstrip()
    if len(text) > LONGEST:
        return said(text, str(error))
    found = read(text)
    if isinstance(found, Misfit):
        return misfit(text, found)
    return broken(text, found) or said(text, str(error))


def earlier(text: str, start: int) -> Problem | None:
    """The 400 for a text that leaves the grammar before an offset, or has an address without < there."""
    found = read(text) if len(text) <= LONGEST else None
    if isinstance(found, Misfit) and found.start < start:
        return misfit(text, found)
    if ADDRESS.match(text, start):
        return fault(text, start, "An IRI stands between < and >.", "Put < before it and > behind it.")
    return None


def unfinished(text: str) -> Problem | None:
    """The 400 for a text that ends too early."""
    text = text.rstrip()
    found = read(text) if len(text) <= LONGEST else None
    return misfit(text, found) if isinstance(found, Misfit) and found.token.kind == "end" else None


def misfit(text: str, found: Misfit) -> Problem:
    """The 400 for a text that leaves the grammar."""
    start = found.start
    if found.token.kind == "mark" and not found.token.text.isascii():
        return fault(text, start, *strange(found.token.text))
    told = crossed(found) or known(text, found) or misspelt(found) or unclosed(text, found)
    if told is None and found.token.kind == "end" and found.open:
        last = found.open[-1]
        return fault(text, last.start, f"This {last.text} is never closed.", f"Add a {OPENING[last.text]}.")
    return fault(text, start, *(told or unexpected(found)))


Told = tuple[str, str]  # the cause, and how to mend it


def strange(sign: str) -> Told:
    """A sign that SPARQL does not know, often brought by a text processor or a web page."""
    code = f"U+{ord(sign):04X}"
    seen = f"{sign} ({code}" if sign.isprintable() else f"({code}"
    cause = f"SPARQL has no sign {seen}, {unicodedata.name(sign, 'without a name').lower()})."
    return cause, STRANGE.get(
        sign, "Take it out." if sign.isprintable() else "Write a plain space, or nothing."
    )


def crossed(found: Misfit) -> Told | None:
    """A closing bracket that is not the partner of the one that is open."""
    sign = found.token.text
    if found.token.kind != "mark" or sign not in CLOSING:
        return None
    if not found.open:
        begun = sign == "}" and "Where" not in found.inside
        return None if begun else (f"This {sign} closes nothing.", "Take it out, or open it before.")
    missing = OPENING[found.open[-1].text]
    if missing == sign:
        return None
    return f"This {sign} stands where {missing} is missing.", f"Put a {missing} before it."


def misspelt(found: Misfit) -> Told | None:
    """A word that SPARQL does not know."""
    if not found.token.word or found.token.word in KEYWORDS:
        return None
    word = found.token.text[:SHOWN]
    fitting = sorted(one for one in found.expected if one.isupper())
    near = get_close_matches(word.upper(), fitting, 1) or get_close_matches(word.upper(), KEYWORDS, 1, 0.75)
    meant = [f"Did you mean {near[0]}?"] if near else []
    ways = {"@variable": f"Write ?{word} for a variable.", "@string": f'Write "{word}" for a text.'}
    meant += [way for one, way in ways.items() if one in found.expected]
    return f"SPARQL has no word {word}.", " ".join(meant) or f"Here can stand {wanted(found.expected)}."


def unclosed(text: str, found: Misfit) -> Told | None:
    """A round bracket that is open where the text goes on as if it were closed."""
    if not found.open or found.open[-1].text != "(" or ")" not in found.expected or not found.token.text:
        return None
    where = place(text, found.open[-1].start)
    cause = f"The ( of line {where['line']}, column {where['column']} is not closed before "
    return f"{cause}{found.token.text[:SHOWN]}.", "Put a ) before it."


def unexpected(found: Misfit) -> Told:
    """A token out of place, with what could stand there."""
    token = found.token.text[:SHOWN]
    cause = f"{token} does not fit here." if token else "The text ends too early."
    return cause, f"Here can stand {wanted(found.expected)}."


def wanted(expected: frozenset[str]) -> str:
    """What could stand in a place, in words."""
    words: list[str] = []
    rest = set(expected)
    for tokens, also, word in WORDS:
        if tokens <= rest:
            words.append(word)
            rest -= tokens | also
    words += sorted(one for one in rest if one[0] != "@")
    shown = words[:FEW]
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown) or "nothing more"


def said(text: str, message: str) -> Problem:
    """What the engine says of a text that fits the grammar and the rules that are known here.

    It names the furthest place that it reached, which may be behind the fault, and whatever it waited for
    there; sentences among that are its reasons.
    """
    at = re.match(r"error at (\d+):(\d+): expected (?:one of )?", message)
    if at is None:
        return Problem(400, f"The text does not parse: {message}.", slug="syntax")
    starts = TextLines(text).starts
    start = min(len(text), starts[min(int(at[1]), len(starts)) - 1] + int(at[2]) - 1)
    reasons = re.findall(r"(?<![\"\w])[A-Z\\]\w* (?:[\w*]+ )+\w+", message[at.end() :])
    cause = f"The engine says: {reasons[0]}." if reasons else "The engine does not read this."
    return fault(text, start, cause, "The fault is here or shortly before.")
