"""Diagnosis of SPARQL syntax errors: where, what is wrong, and what was probably meant.

The grammar finds the first token that does not fit and what could stand there. Known mistakes come from the
table slips.txt, each with cause and fix: typographic quotes, URLs without brackets, unclosed parentheses,
misspelt keywords. Errors beyond the grammar are reported as the engine words them.
"""

import re
import unicodedata
from collections.abc import Set
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ...problems import Problem
from ...rdf.sparql_lexer import (
    CLOSING_BRACKETS,
    OPENING_BRACKETS,
    SPARQL_WHITESPACE,
    locate_offset,
    sparql_syntax_problem,
)
from ...text import TextLines, find_near_names
from .grammar import SPARQL_KEYWORDS
from .parser import GrammarMismatch, ParsedSparqlText
from .scope import find_scope_problem

SYNTAX_MISTAKES_FILE = Path(__file__).with_name("slips.txt")
MISTAKE_CONTEXT_CHARS = 200  # characters that a pattern looks at, on either side
MAX_SHOWN_TOKEN_CHARS = 40  # characters of the token that does not fit


class SyntaxMistake(NamedTuple):
    """A row of the table: where it fits, its cause, and how to mend it."""

    inside_rules: frozenset[str]
    before_pattern: re.Pattern[str]
    here_pattern: re.Pattern[str]
    cause: str
    suggestion: str


@cache
def read_syntax_mistakes() -> list[SyntaxMistake]:
    """The rows of the table, which says itself how they are read."""
    lines = [
        line
        for line in SYNTAX_MISTAKES_FILE.read_text("utf-8").splitlines()
        if line and not line.startswith("# ")
    ]
    rows = zip(*[iter(line for line in lines if line != "#")] * 3, strict=True)
    return [parse_syntax_mistake(*row) for row in rows]


def parse_syntax_mistake(where: str, cause: str, mend: str) -> SyntaxMistake:
    """One row."""
    within, before, here = (part.strip() for part in where.split(" :: "))
    before_, here_ = (re.compile(pattern, re.IGNORECASE) for pattern in (before or "$", here))
    return SyntaxMistake(frozenset(within.split("|")), before_, here_, cause, mend)


def find_known_mistake(text: str, found: GrammarMismatch) -> tuple[str, str] | None:
    """The cause and the mend of the slip that a text shows; None for one that is not in the table."""
    before = " ".join(token.text for token in found.before[-8:])[-MISTAKE_CONTEXT_CHARS:]
    open_ = {"*", *found.open_rules, *(() if found.open_brackets else ["outside"])}
    for row in read_syntax_mistakes():
        if open_.isdisjoint(row.inside_rules) or not row.before_pattern.search(before):
            continue
        if row.here_pattern.match(text, found.start, found.start + MISTAKE_CONTEXT_CHARS):
            here = found.token.text[:MAX_SHOWN_TOKEN_CHARS]
            return row.cause.replace("{here}", here), row.suggestion.replace("{here}", here)
    return None


MAX_DIAGNOSED_CHARS = 1_000_000  # characters that are read again; the data of an update may be far longer

# Signs that come with a text from elsewhere, and what to write instead.
FOREIGN_SIGN_SUGGESTIONS = {
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

BARE_ADDRESS_PATTERN = re.compile(r"(?:https?|ftp|urn|mailto|file):(?!\s)", re.IGNORECASE)

# What could stand in a place, in words: the tokens that tell it, those that need not be named any more, the
# word. The first that fits goes before.
_FUNCTION_KEYWORDS = frozenset(
    one for one in SPARQL_KEYWORDS if one not in ("AS", "ASC", "DESC", "WHERE", "FROM", "LIMIT", "OFFSET")
)
_VALUE_TOKENS = {"@variable", "@blank", "@iri", "@name", "@string", "@number", "@sign", "TRUE", "FALSE"}
EXPECTATION_WORDS: list[tuple[set[str], Set[str], str]] = [
    (
        {"@variable", "CONTAINS", "@string"},
        _FUNCTION_KEYWORDS | _VALUE_TOKENS | {"!", "+", "-", "<<"},
        "an expression",
    ),
    ({"@variable", "@iri", "@string"}, _VALUE_TOKENS | {"<<", "["}, "a variable, an IRI or a value"),
    ({"@iri", "^", "@variable"}, {"@name", "(", "!", "a"}, "a property, a path or a variable"),
    ({"@iri", "^"}, {"@name", "(", "!", "a"}, "a property"),
    ({"CONTAINS"}, _FUNCTION_KEYWORDS, "a function"),
    ({"FILTER", "OPTIONAL"}, _FUNCTION_KEYWORDS, "the next part of the pattern"),
    ({"*", "!=", "&&"}, {*"+-/<=>", "<=", ">=", "||", "@sign", "IN", "NOT"}, "an operator"),
    ({"@iri"}, {"@name"}, "an IRI or a prefixed name"),
    ({"@variable"}, set(), "a variable"),
    ({"@prefix"}, set(), "a prefix with its colon"),
    ({"@string"}, set(), "a text in quotes"),
    ({"@integer"}, set(), "a whole number"),
]
MAX_SHOWN_EXPECTATIONS = 8


def diagnose_syntax_error(source: ParsedSparqlText, error: Exception) -> Problem:
    """The 400 for a text that the engine refused with `error`."""
    text = source.text.rstrip(SPARQL_WHITESPACE)
    if len(text) > MAX_DIAGNOSED_CHARS:
        return engine_syntax_problem(text, str(error))
    found = source.tree
    if isinstance(found, GrammarMismatch):
        return diagnose_grammar_mismatch(text, found)
    return find_scope_problem(text, found) or engine_syntax_problem(text, str(error))


def diagnose_earlier_error(source: ParsedSparqlText, start: int) -> Problem | None:
    """The 400 for a text that leaves the grammar before an offset, or has an address without < there."""
    text = source.text
    found = source.tree if len(text) <= MAX_DIAGNOSED_CHARS else None
    if isinstance(found, GrammarMismatch) and found.start < start:
        return diagnose_grammar_mismatch(text, found)
    if BARE_ADDRESS_PATTERN.match(text, start):
        return sparql_syntax_problem(
            text, start, "An IRI stands between < and >.", "Put < before it and > behind it."
        )
    return None


def diagnose_unfinished_text(source: ParsedSparqlText) -> Problem | None:
    """The 400 for a text that ends too early."""
    text = source.text.rstrip(SPARQL_WHITESPACE)
    found = source.tree if len(text) <= MAX_DIAGNOSED_CHARS else None
    return (
        diagnose_grammar_mismatch(text, found)
        if isinstance(found, GrammarMismatch) and found.token.kind == "end"
        else None
    )


def diagnose_grammar_mismatch(text: str, found: GrammarMismatch) -> Problem:
    """The 400 for a text that leaves the grammar."""
    start = found.start
    if found.token.kind == "mark" and not found.token.text.isascii():
        return sparql_syntax_problem(text, start, *diagnose_unknown_sign(found.token.text))
    told = (
        diagnose_crossed_bracket(found)
        or find_known_mistake(text, found)
        or diagnose_misspelt_word(found)
        or diagnose_unclosed_bracket(text, found)
    )
    if told is None and found.token.kind == "end" and found.open_brackets:
        last = found.open_brackets[-1]
        return sparql_syntax_problem(
            text, last.start, f"This {last.text} is never closed.", f"Add a {OPENING_BRACKETS[last.text]}."
        )
    return sparql_syntax_problem(text, start, *(told or diagnose_unexpected_token(found)))


MistakeDiagnosis = tuple[str, str]  # the cause, and how to mend it


def diagnose_unknown_sign(sign: str) -> MistakeDiagnosis:
    """A sign that SPARQL does not know, often brought by a text processor or a web page."""
    code = f"U+{ord(sign):04X}"
    seen = f"{sign} ({code}" if sign.isprintable() else f"({code}"
    cause = f"SPARQL has no sign {seen}, {unicodedata.name(sign, 'without a name').lower()})."
    return cause, FOREIGN_SIGN_SUGGESTIONS.get(
        sign, "Take it out." if sign.isprintable() else "Write a plain space, or nothing."
    )


def diagnose_crossed_bracket(found: GrammarMismatch) -> MistakeDiagnosis | None:
    """A closing bracket that is not the partner of the one that is open."""
    sign = found.token.text
    if found.token.kind != "mark" or sign not in CLOSING_BRACKETS:
        return None
    if not found.open_brackets:
        begun = sign == "}" and "Where" not in found.open_rules
        return None if begun else (f"This {sign} closes nothing.", "Take it out, or open it before.")
    missing = OPENING_BRACKETS[found.open_brackets[-1].text]
    if missing == sign:
        return None
    return f"This {sign} stands where {missing} is missing.", f"Put a {missing} before it."


def diagnose_misspelt_word(found: GrammarMismatch) -> MistakeDiagnosis | None:
    """A word that SPARQL does not know."""
    if not found.token.word or found.token.word in SPARQL_KEYWORDS:
        return None
    word = found.token.text[:MAX_SHOWN_TOKEN_CHARS]
    fitting = sorted(one for one in found.expected if one.isupper())
    near = find_near_names(word, fitting) or find_near_names(word, SPARQL_KEYWORDS, 1, 0.75)
    meant = [f"Did you mean {near[0]}?"] if near else []
    ways = {"@variable": f"Write ?{word} for a variable.", "@string": f'Write "{word}" for a text.'}
    meant += [way for one, way in ways.items() if one in found.expected]
    return f"SPARQL has no word {word}.", " ".join(
        meant
    ) or f"Here can stand {describe_expected_tokens(found.expected)}."


def diagnose_unclosed_bracket(text: str, found: GrammarMismatch) -> MistakeDiagnosis | None:
    """A round bracket that is open where the text goes on as if it were closed."""
    if (
        not found.open_brackets
        or found.open_brackets[-1].text != "("
        or ")" not in found.expected
        or not found.token.text
    ):
        return None
    where = locate_offset(text, found.open_brackets[-1].start)
    cause = f"The ( of line {where['line']}, column {where['column']} is not closed before "
    return f"{cause}{found.token.text[:MAX_SHOWN_TOKEN_CHARS]}.", "Put a ) before it."


def diagnose_unexpected_token(found: GrammarMismatch) -> MistakeDiagnosis:
    """A token out of place, with what could stand there."""
    token = found.token.text[:MAX_SHOWN_TOKEN_CHARS]
    cause = f"{token} does not fit here." if token else "The text ends too early."
    return cause, f"Here can stand {describe_expected_tokens(found.expected)}."


def describe_expected_tokens(expected: frozenset[str]) -> str:
    """What could stand in a place, in words."""
    words: list[str] = []
    rest = set(expected)
    for tokens, also, word in EXPECTATION_WORDS:
        if tokens <= rest:
            words.append(word)
            rest -= tokens | also
    words += sorted(one for one in rest if one[0] != "@")
    shown = words[:MAX_SHOWN_EXPECTATIONS]
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown) or "nothing more"


def engine_syntax_problem(text: str, message: str) -> Problem:
    """What the engine says of a text that fits the grammar and the rules that are known here.

    It names the furthest place that it reached, which may be behind the fault, and whatever it waited for
    there; sentences among that are its reasons.
    """
    at = re.match(r"error at (\d+):(\d+): expected (?:one of )?", message)
    if at is None:
        return Problem(400, f"The text does not parse: {message}.", slug="syntax")
    starts = TextLines(text).line_starts
    start = min(len(text), starts[min(int(at[1]), len(starts)) - 1] + int(at[2]) - 1)
    reasons = re.findall(r"(?<![\"\w])[A-Z\\]\w* (?:[\w*]+ )+\w+", message[at.end() :])
    cause = f"The engine says: {reasons[0]}." if reasons else "The engine does not read this."
    return sparql_syntax_problem(text, start, cause, "The fault is here or shortly before.")
