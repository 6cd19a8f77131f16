"""Diagnosis of SPARQL syntax errors: the position, the cause and a suggestion.

The parser finds the first token that is not allowed and the tokens that are expected instead. The table
slips.txt lists common mistakes, each with cause and fix, such as URLs without brackets. Errors that the
grammar does not cover are reported with the message of the engine.
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
    SparqlToken,
    locate_offset,
    replace_token,
    sparql_syntax_problem,
)
from ...text import TextEdit, TextLines, find_near_names
from .grammar import SPARQL_KEYWORDS
from .parser import GrammarMismatch, ParsedSparqlText
from .scope import find_scope_problem

SYNTAX_MISTAKES_FILE = Path(__file__).with_name("slips.txt")
# The patterns of the table see at most so many tokens before the error, and characters before and after it.
MISTAKE_CONTEXT_TOKENS, MISTAKE_CONTEXT_CHARS = 8, 200
MAX_SHOWN_TOKEN_CHARS = 40  # of the unexpected token in a message
# Before an edit in the table; the second one also replaces the token before the error.
FIX_MARK, WIDE_FIX_MARK = "fix:", "fix both:"


class SyntaxMistake(NamedTuple):
    """A row of the table of mistakes: the cause of an error and the suggested fix.

    The row is for errors inside these grammar rules, if the text before the error matches `before_pattern`,
    and the text from the error on matches `here_pattern`. `fix` is the line with an edit, or empty.
    """

    inside_rules: frozenset[str]
    before_pattern: re.Pattern[str]
    here_pattern: re.Pattern[str]
    cause: str
    suggestion: str
    fix: str

    def build_edit(self, here: re.Match[str], before: SparqlToken | None) -> TextEdit | None:
        """The edit that fixes the mistake, if the row has one.

        `here` is the match of `here_pattern`, and `before` the token before it.
        """
        if not self.fix:
            return None
        is_wide = self.fix.startswith(WIDE_FIX_MARK)
        template = self.fix.removeprefix(WIDE_FIX_MARK if is_wide else FIX_MARK).removeprefix(" ")
        text, start, end = here.expand(template), here.start(), here.end()
        if is_wide and before:
            return TextEdit(before.start, end, text)
        if text.endswith(here[0]):  # an insertion
            return TextEdit(start, start, text.removesuffix(here[0]))
        return TextEdit(start, end, text)


@cache
def read_syntax_mistakes() -> list[SyntaxMistake]:
    """The rows of slips.txt, whose first lines describe its format. A blank line is between two rows."""
    blocks = SYNTAX_MISTAKES_FILE.read_text("utf-8").split("\n\n")
    rows = ([line for line in block.splitlines() if not line.startswith("#")] for block in blocks)
    return [parse_syntax_mistake(*row) for row in rows if row]


def parse_syntax_mistake(location: str, cause: str, suggestion: str, fix: str = "") -> SyntaxMistake:
    """The row of the table with these lines. An empty pattern before the error matches any text."""
    rules, before, here = (part.strip() for part in location.split(" :: "))
    before_pattern, here_pattern = (re.compile(pattern, re.IGNORECASE) for pattern in (before or "$", here))
    return SyntaxMistake(frozenset(rules.split("|")), before_pattern, here_pattern, cause, suggestion, fix)


class MistakeDiagnosis(NamedTuple):
    """The cause of an error, the fix in words, and the edit that fixes it, if one does."""

    cause: str
    suggestion: str
    edit: TextEdit | None = None


def find_known_mistake(text: str, mismatch: GrammarMismatch) -> MistakeDiagnosis | None:
    """The diagnosis for a mistake in the table; None for any other mistake."""
    tokens_before = mismatch.before[-MISTAKE_CONTEXT_TOKENS:]
    before = " ".join(token.text for token in tokens_before)[-MISTAKE_CONTEXT_CHARS:]
    # In the table, `*` is any place, and `outside` is outside all brackets.
    open_rules = {"*", *mismatch.open_rules, *(() if mismatch.open_brackets else ["outside"])}
    for row in read_syntax_mistakes():
        if open_rules.isdisjoint(row.inside_rules) or not row.before_pattern.search(before):
            continue
        here = row.here_pattern.match(text, mismatch.start, mismatch.start + MISTAKE_CONTEXT_CHARS)
        if here:
            shown_token = mismatch.token.text[:MAX_SHOWN_TOKEN_CHARS]
            cause, suggestion = (
                sentence.replace("{here}", shown_token) for sentence in (row.cause, row.suggestion)
            )
            edit = row.build_edit(here, tokens_before[-1] if tokens_before else None)
            return MistakeDiagnosis(cause, suggestion, edit)
    return None


MAX_DIAGNOSED_CHARS = 1_000_000  # longer texts, such as updates with much data, are not diagnosed

# Characters that word processors and web pages insert, with what replaces them, and the suggestion.
DOUBLE_QUOTES, SINGLE_QUOTES = "“”„«»″", "‘’‚′´"
TYPOGRAPHIC_STRING_PATTERN = re.compile(
    "|".join(rf"[{quotes}][^{quotes}\r\n]*[{quotes}]" for quotes in (DOUBLE_QUOTES, SINGLE_QUOTES))
)
TYPOGRAPHIC_CHARACTER_FIXES = {
    **dict.fromkeys(DOUBLE_QUOTES, ('"', 'Write the straight quote ".')),
    **dict.fromkeys(SINGLE_QUOTES, ("'", "Write the straight quote '.")),
    **dict.fromkeys("‐‑‒–—−", ("-", "Write the plain hyphen -.")),
    **dict.fromkeys("≤⩽", ("<=", "Write <=.")),
    **dict.fromkeys("≥⩾", (">=", "Write >=.")),
    "≠": ("!=", "Write !=."),
    "…": ("...", "Write three dots, or the text that they stand for."),
    "×": ("*", "Write *."),
    "·": (".", "Write a plain dot."),
    "\u037e": (";", "Write the plain semicolon."),
    "\ufeff": ("", "It is a byte order mark: save the text without it."),
}

BARE_URL_PATTERN = re.compile(r"(?:https?|ftp|urn|mailto|file):(?!\s)", re.IGNORECASE)

# Phrases for sets of expected tokens, named as in `grammar`. An entry has the tokens that must all be
# expected, other tokens that the phrase covers, and the phrase. Earlier entries take precedence.
_FUNCTION_KEYWORDS = frozenset(
    keyword
    for keyword in SPARQL_KEYWORDS
    if keyword not in ("AS", "ASC", "DESC", "WHERE", "FROM", "LIMIT", "OFFSET")
)
_VALUE_TOKENS = {"@variable", "@blank", "@iri", "@name", "@string", "@number", "@sign", "TRUE", "FALSE"}
EXPECTATION_PHRASES: list[tuple[set[str], Set[str], str]] = [
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
    ({"@string"}, set(), "a string in quotes"),
    ({"@integer"}, set(), "a whole number"),
]
MAX_SHOWN_EXPECTATIONS = 8


def diagnose_syntax_error(source: ParsedSparqlText, error: Exception) -> Problem:
    """The Problem 400 for a text in which the engine found a syntax error."""
    text = source.text.rstrip(SPARQL_WHITESPACE)
    return find_syntax_problem(source) or engine_syntax_problem(text, str(error))


def find_syntax_problem(source: ParsedSparqlText) -> Problem | None:
    """The Problem 400 for the first error by the grammar and the rules of scope; None if there is none.

    A text of more than MAX_DIAGNOSED_CHARS is not examined.
    """
    text = source.text.rstrip(SPARQL_WHITESPACE)
    if len(text) > MAX_DIAGNOSED_CHARS:
        return None
    tree = source.tree
    if isinstance(tree, GrammarMismatch):
        return diagnose_grammar_mismatch(text, tree)
    return find_scope_problem(text, tree)


def diagnose_earlier_error(source: ParsedSparqlText, start: int) -> Problem | None:
    """The Problem 400 for a syntax error before `start`, or for a URL without < at `start`; else None.

    `start` is the offset of a name with an undeclared prefix.
    """
    text = source.text
    tree = source.tree if len(text) <= MAX_DIAGNOSED_CHARS else None
    if isinstance(tree, GrammarMismatch) and tree.start < start:
        return diagnose_grammar_mismatch(text, tree)
    if BARE_URL_PATTERN.match(text, start):
        return sparql_syntax_problem(
            text, start, "An IRI must be between < and >.", "Put < before it and > after it."
        )
    return None


def diagnose_unfinished_text(source: ParsedSparqlText) -> Problem | None:
    """The Problem 400 for a text that ends too early; None for other texts."""
    text = source.text.rstrip(SPARQL_WHITESPACE)
    tree = source.tree if len(text) <= MAX_DIAGNOSED_CHARS else None
    return (
        diagnose_grammar_mismatch(text, tree)
        if isinstance(tree, GrammarMismatch) and tree.token.kind == "end_of_text"
        else None
    )


def diagnose_grammar_mismatch(text: str, mismatch: GrammarMismatch) -> Problem:
    """The Problem 400 for a text that does not match the grammar."""
    start = mismatch.start
    if mismatch.token.kind == "mark" and not mismatch.token.text.isascii():
        return sparql_syntax_problem(text, start, *diagnose_unknown_character(text, mismatch.token))
    diagnosis = (
        diagnose_crossed_bracket(mismatch)
        or find_known_mistake(text, mismatch)
        or diagnose_misspelled_word(mismatch)
        or diagnose_unclosed_bracket(text, mismatch)
    )
    if diagnosis is None and mismatch.token.kind == "end_of_text" and mismatch.open_brackets:
        bracket = mismatch.open_brackets[-1]
        cause = f"This {bracket.text} is never closed."
        closing = OPENING_BRACKETS[bracket.text]
        edit = TextEdit(start, start, f" {closing}")
        return sparql_syntax_problem(text, bracket.start, cause, f"Add a {closing}.", edit)
    return sparql_syntax_problem(text, start, *(diagnosis or diagnose_unexpected_token(mismatch)))


def diagnose_unknown_character(text: str, token: SparqlToken) -> MistakeDiagnosis:
    """The diagnosis for a character that SPARQL does not have, such as a typographic quote."""
    character = token.text
    code = f"U+{ord(character):04X}"
    shown = f"{character} ({code}" if character.isprintable() else f"({code}"
    cause = f"SPARQL has no character {shown}, {unicodedata.name(character, 'without a name').lower()})."
    default_fix = (
        ("", "Remove it.")
        if character.isprintable()
        else (" ", "Replace it with a normal space, or remove it.")
    )
    replacement, suggestion = TYPOGRAPHIC_CHARACTER_FIXES.get(character, default_fix)
    string = TYPOGRAPHIC_STRING_PATTERN.match(text, token.start)
    if string:  # both quotes, as one of them would begin a string that does not end
        edit = TextEdit(token.start, string.end(), f"{replacement}{string[0][1:-1]}{replacement}")
    else:
        edit = replace_token(token, replacement)
    return MistakeDiagnosis(cause, suggestion, edit)


def diagnose_crossed_bracket(mismatch: GrammarMismatch) -> MistakeDiagnosis | None:
    """The diagnosis for a closing bracket that does not match the open bracket; None otherwise."""
    bracket = mismatch.token.text
    if mismatch.token.kind != "mark" or bracket not in CLOSING_BRACKETS:
        return None
    if not mismatch.open_brackets:
        may_lack_opening = bracket == "}" and "Where" not in mismatch.open_rules
        if may_lack_opening:
            return None
        removal = replace_token(mismatch.token, "")
        return MistakeDiagnosis(
            f"This {bracket} has no opening bracket.",
            "Remove it, or add the opening bracket before it.",
            removal,
        )
    missing = OPENING_BRACKETS[mismatch.open_brackets[-1].text]
    if missing == bracket:
        return None
    return MistakeDiagnosis(
        f"A {missing} is missing before this {bracket}.",
        f"Put the {missing} before it.",
        TextEdit(mismatch.start, mismatch.start, f"{missing} "),
    )


def diagnose_misspelled_word(mismatch: GrammarMismatch) -> MistakeDiagnosis | None:
    """The diagnosis for a word that is not a SPARQL keyword; None otherwise."""
    if not mismatch.token.word or mismatch.token.word in SPARQL_KEYWORDS:
        return None
    word = mismatch.token.text[:MAX_SHOWN_TOKEN_CHARS]
    expected_keywords = sorted(token for token in mismatch.expected if token.isupper())
    near_keywords = find_near_names(word, expected_keywords) or find_near_names(
        word, SPARQL_KEYWORDS, similarity=0.75
    )
    suggestions = [f"Did you mean {near_keywords[0]}?"] if near_keywords else []
    edit = replace_token(mismatch.token, near_keywords[0]) if near_keywords else None
    alternatives = {"@variable": f"Write ?{word} for a variable.", "@string": f'Write "{word}" for a string.'}
    suggestions += [sentence for token, sentence in alternatives.items() if token in mismatch.expected]
    if not edit and "@variable" in mismatch.expected:
        edit = replace_token(mismatch.token, f"?{word}")
    suggestion = " ".join(suggestions) or f"Expected: {describe_expected_tokens(mismatch.expected)}."
    return MistakeDiagnosis(f"SPARQL has no word {word}.", suggestion, edit)


def diagnose_unclosed_bracket(text: str, mismatch: GrammarMismatch) -> MistakeDiagnosis | None:
    """The diagnosis for a missing closing parenthesis before the unexpected token; None otherwise."""
    if (
        not mismatch.open_brackets
        or mismatch.open_brackets[-1].text != "("
        or ")" not in mismatch.expected
        or not mismatch.token.text
    ):
        return None
    location = locate_offset(text, mismatch.open_brackets[-1].start)
    cause = f"The ( of line {location['line']}, column {location['column']} is not closed before "
    edit = TextEdit(mismatch.start, mismatch.start, ") ")
    return MistakeDiagnosis(
        f"{cause}{mismatch.token.text[:MAX_SHOWN_TOKEN_CHARS]}.", "Put a ) before it.", edit
    )


def diagnose_unexpected_token(mismatch: GrammarMismatch) -> MistakeDiagnosis:
    """The diagnosis for any other unexpected token, with the expected tokens."""
    token = mismatch.token.text[:MAX_SHOWN_TOKEN_CHARS]
    cause = f"{token} is not allowed here." if token else "The text is incomplete."
    return MistakeDiagnosis(cause, f"Expected: {describe_expected_tokens(mismatch.expected)}.")


def describe_expected_tokens(expected: frozenset[str]) -> str:
    """The expected tokens as a list in English."""
    phrases: list[str] = []
    remaining = set(expected)
    for tokens, covered_tokens, phrase in EXPECTATION_PHRASES:
        if tokens <= remaining:
            phrases.append(phrase)
            remaining -= tokens | covered_tokens
    phrases += sorted(token for token in remaining if token[0] != "@")
    shown = phrases[:MAX_SHOWN_EXPECTATIONS]
    return (
        " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown) or "the end of the text"
    )


def engine_syntax_problem(text: str, message: str) -> Problem:
    """The Problem 400 with the message of the engine, for a text without an error by the grammar and `scope`.

    The engine reports the furthest position that it reached, which may be after the error, and a list of
    expected tokens. A sentence in the list is the cause of the error.
    """
    match = re.match(r"error at (\d+):(\d+): expected (?:one of )?", message)
    if match is None:
        return Problem(400, f"The text cannot be parsed: {message}.", slug="syntax")
    starts = TextLines(text).line_starts
    start = min(len(text), starts[min(int(match[1]), len(starts)) - 1] + int(match[2]) - 1)
    causes = re.findall(r"(?<![\"\w])[A-Z\\]\w* (?:[\w*]+ )+\w+", message[match.end() :])
    cause = f"The engine reports: {causes[0]}." if causes else "The engine cannot parse this."
    return sparql_syntax_problem(text, start, cause, "The error is at this position or shortly before it.")
