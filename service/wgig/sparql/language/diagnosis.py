"""Diagnosis of SPARQL syntax errors: where, what is wrong, and what was probably meant.

The parser finds the first token that is not allowed and the tokens that are expected. Known mistakes come
from the table slips.txt, each with cause and fix: typographic quotes, URLs without brackets, unclosed
parentheses, misspelled keywords. Errors that the grammar does not cover are reported in the words of the
engine.
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
MISTAKE_CONTEXT_CHARS = 200  # characters before and after the error that a pattern is matched with
MAX_SHOWN_TOKEN_CHARS = 40  # characters of the unexpected token that a message shows


class SyntaxMistake(NamedTuple):
    """A row of the table of mistakes: where it matches, the cause, and the fix."""

    inside_rules: frozenset[str]
    before_pattern: re.Pattern[str]
    here_pattern: re.Pattern[str]
    cause: str
    suggestion: str


@cache
def read_syntax_mistakes() -> list[SyntaxMistake]:
    """The rows of the table; its first lines describe the format."""
    lines = [
        line
        for line in SYNTAX_MISTAKES_FILE.read_text("utf-8").splitlines()
        if line and not line.startswith("# ")
    ]
    rows = zip(*[iter(line for line in lines if line != "#")] * 3, strict=True)
    return [parse_syntax_mistake(*row) for row in rows]


def parse_syntax_mistake(location: str, cause: str, suggestion: str) -> SyntaxMistake:
    """A row of the table, from its three lines."""
    rules, before, here = (part.strip() for part in location.split(" :: "))
    before_pattern, here_pattern = (re.compile(pattern, re.IGNORECASE) for pattern in (before or "$", here))
    return SyntaxMistake(frozenset(rules.split("|")), before_pattern, here_pattern, cause, suggestion)


def find_known_mistake(text: str, mismatch: GrammarMismatch) -> tuple[str, str] | None:
    """The cause and the fix of a mistake in the table; None for any other."""
    before = " ".join(token.text for token in mismatch.before[-8:])[-MISTAKE_CONTEXT_CHARS:]
    open_rules = {"*", *mismatch.open_rules, *(() if mismatch.open_brackets else ["outside"])}
    for row in read_syntax_mistakes():
        if open_rules.isdisjoint(row.inside_rules) or not row.before_pattern.search(before):
            continue
        if row.here_pattern.match(text, mismatch.start, mismatch.start + MISTAKE_CONTEXT_CHARS):
            shown_token = mismatch.token.text[:MAX_SHOWN_TOKEN_CHARS]
            return row.cause.replace("{here}", shown_token), row.suggestion.replace("{here}", shown_token)
    return None


MAX_DIAGNOSED_CHARS = (
    1_000_000  # longer texts, such as updates with much data, are not parsed for a diagnosis
)

# Characters that word processors and web pages insert, and what to write instead.
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

# Phrases for sets of expected tokens: the tokens that must all be expected, more tokens that the phrase
# covers, and the phrase. Earlier entries take precedence.
_FUNCTION_KEYWORDS = frozenset(
    keyword
    for keyword in SPARQL_KEYWORDS
    if keyword not in ("AS", "ASC", "DESC", "WHERE", "FROM", "LIMIT", "OFFSET")
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
    """The 400 for a text in which the engine found a syntax error."""
    text = source.text.rstrip(SPARQL_WHITESPACE)
    if len(text) > MAX_DIAGNOSED_CHARS:
        return engine_syntax_problem(text, str(error))
    tree = source.tree
    if isinstance(tree, GrammarMismatch):
        return diagnose_grammar_mismatch(text, tree)
    return find_scope_problem(text, tree) or engine_syntax_problem(text, str(error))


def diagnose_earlier_error(source: ParsedSparqlText, start: int) -> Problem | None:
    """The 400 for a syntax error before an offset, or a URL without < at the offset; None without either."""
    text = source.text
    tree = source.tree if len(text) <= MAX_DIAGNOSED_CHARS else None
    if isinstance(tree, GrammarMismatch) and tree.start < start:
        return diagnose_grammar_mismatch(text, tree)
    if BARE_ADDRESS_PATTERN.match(text, start):
        return sparql_syntax_problem(
            text, start, "An IRI must be between < and >.", "Put < before it and > after it."
        )
    return None


def diagnose_unfinished_text(source: ParsedSparqlText) -> Problem | None:
    """The 400 for a text that ends too early; None for any other text."""
    text = source.text.rstrip(SPARQL_WHITESPACE)
    tree = source.tree if len(text) <= MAX_DIAGNOSED_CHARS else None
    return (
        diagnose_grammar_mismatch(text, tree)
        if isinstance(tree, GrammarMismatch) and tree.token.kind == "end_of_text"
        else None
    )


def diagnose_grammar_mismatch(text: str, mismatch: GrammarMismatch) -> Problem:
    """The 400 for a text that does not match the grammar."""
    start = mismatch.start
    if mismatch.token.kind == "mark" and not mismatch.token.text.isascii():
        return sparql_syntax_problem(text, start, *diagnose_unknown_sign(mismatch.token.text))
    diagnosis = (
        diagnose_crossed_bracket(mismatch)
        or find_known_mistake(text, mismatch)
        or diagnose_misspelt_word(mismatch)
        or diagnose_unclosed_bracket(text, mismatch)
    )
    if diagnosis is None and mismatch.token.kind == "end_of_text" and mismatch.open_brackets:
        last = mismatch.open_brackets[-1]
        return sparql_syntax_problem(
            text, last.start, f"This {last.text} is never closed.", f"Add a {OPENING_BRACKETS[last.text]}."
        )
    return sparql_syntax_problem(text, start, *(diagnosis or diagnose_unexpected_token(mismatch)))


MistakeDiagnosis = tuple[str, str]  # the cause and the fix


def diagnose_unknown_sign(character: str) -> MistakeDiagnosis:
    """A character that SPARQL does not have, often inserted by a word processor or a web page."""
    code = f"U+{ord(character):04X}"
    shown = f"{character} ({code}" if character.isprintable() else f"({code}"
    cause = f"SPARQL has no character {shown}, {unicodedata.name(character, 'without a name').lower()})."
    return cause, FOREIGN_SIGN_SUGGESTIONS.get(
        character, "Remove it." if character.isprintable() else "Write a plain space, or nothing."
    )


def diagnose_crossed_bracket(mismatch: GrammarMismatch) -> MistakeDiagnosis | None:
    """A closing bracket that does not match the open one."""
    bracket = mismatch.token.text
    if mismatch.token.kind != "mark" or bracket not in CLOSING_BRACKETS:
        return None
    if not mismatch.open_brackets:
        may_be_open = bracket == "}" and "Where" not in mismatch.open_rules
        return None if may_be_open else (f"This {bracket} closes nothing.", "Remove it, or open it before.")
    missing = OPENING_BRACKETS[mismatch.open_brackets[-1].text]
    if missing == bracket:
        return None
    return f"This {bracket} is found where {missing} is missing.", f"Put a {missing} before it."


def diagnose_misspelt_word(mismatch: GrammarMismatch) -> MistakeDiagnosis | None:
    """A word that is no keyword of SPARQL."""
    if not mismatch.token.word or mismatch.token.word in SPARQL_KEYWORDS:
        return None
    word = mismatch.token.text[:MAX_SHOWN_TOKEN_CHARS]
    fitting = sorted(token for token in mismatch.expected if token.isupper())
    near_keywords = find_near_names(word, fitting) or find_near_names(word, SPARQL_KEYWORDS, 1, 0.75)
    suggestions = [f"Did you mean {near_keywords[0]}?"] if near_keywords else []
    alternatives = {"@variable": f"Write ?{word} for a variable.", "@string": f'Write "{word}" for a string.'}
    suggestions += [sentence for token, sentence in alternatives.items() if token in mismatch.expected]
    return f"SPARQL has no word {word}.", " ".join(
        suggestions
    ) or f"Expected: {describe_expected_tokens(mismatch.expected)}."


def diagnose_unclosed_bracket(text: str, mismatch: GrammarMismatch) -> MistakeDiagnosis | None:
    """A parenthesis that is still open where the text goes on as if it were closed."""
    if (
        not mismatch.open_brackets
        or mismatch.open_brackets[-1].text != "("
        or ")" not in mismatch.expected
        or not mismatch.token.text
    ):
        return None
    location = locate_offset(text, mismatch.open_brackets[-1].start)
    cause = f"The ( of line {location['line']}, column {location['column']} is not closed before "
    return f"{cause}{mismatch.token.text[:MAX_SHOWN_TOKEN_CHARS]}.", "Put a ) before it."


def diagnose_unexpected_token(mismatch: GrammarMismatch) -> MistakeDiagnosis:
    """A token that is not allowed here, with the expected ones."""
    token = mismatch.token.text[:MAX_SHOWN_TOKEN_CHARS]
    cause = f"{token} is not allowed here." if token else "The text ends too early."
    return cause, f"Expected: {describe_expected_tokens(mismatch.expected)}."


def describe_expected_tokens(expected: frozenset[str]) -> str:
    """The expected tokens in words."""
    phrases: list[str] = []
    remaining = set(expected)
    for tokens, covered_tokens, phrase in EXPECTATION_WORDS:
        if tokens <= remaining:
            phrases.append(phrase)
            remaining -= tokens | covered_tokens
    phrases += sorted(token for token in remaining if token[0] != "@")
    shown = phrases[:MAX_SHOWN_EXPECTATIONS]
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown) or "nothing more"


def engine_syntax_problem(text: str, message: str) -> Problem:
    """The 400 with the message of the engine, for a text that matches the grammar and the rules of `scope`.

    The engine reports the furthest position that it reached, which may be after the error, and all tokens
    that it expected there. Sentences among these are reasons.
    """
    match = re.match(r"error at (\d+):(\d+): expected (?:one of )?", message)
    if match is None:
        return Problem(400, f"The text does not parse: {message}.", slug="syntax")
    starts = TextLines(text).line_starts
    start = min(len(text), starts[min(int(match[1]), len(starts)) - 1] + int(match[2]) - 1)
    reasons = re.findall(r"(?<![\"\w])[A-Z\\]\w* (?:[\w*]+ )+\w+", message[match.end() :])
    cause = f"The engine says: {reasons[0]}." if reasons else "The engine cannot parse this."
    return sparql_syntax_problem(text, start, cause, "The error is here or shortly before.")
