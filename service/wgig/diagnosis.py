"""Say in plain words why a SPARQL text does not parse: where, what is wrong, what was probably meant."""

import re
from difflib import get_close_matches

from .problems import Problem
from .sparql import CLOSING, OPENING, Token, fault, tokens

_WORDS = """
    A ABS ADD ADJUST ALL AS ASC ASK AVG BASE BIND BNODE BOUND BY CEIL CLEAR COALESCE CONCAT CONSTRUCT
    CONTAINS COPY COUNT CREATE DATA DATATYPE DAY DEFAULT DELETE DESC DESCRIBE DISTINCT DROP
    ENCODE_FOR_URI EXISTS FALSE FILTER FLOOR FROM GRAPH GROUP GROUP_CONCAT HASLANG HASLANGDIR HAVING
    HOURS IF IN INSERT INTO IRI ISBLANK ISIRI ISLITERAL ISNUMERIC ISTRIPLE ISURI LANG LANGDIR LANGMATCHES
    LATERAL LCASE LIMIT LOAD MAX MD5 MIN MINUS MINUTES MONTH MOVE NAMED NOT NOW OBJECT OFFSET OPTIONAL
    ORDER PREDICATE PREFIX RAND REDUCED REGEX REPLACE ROUND SAMETERM SAMPLE SECONDS SELECT SEPARATOR
    SERVICE SHA1 SHA256 SHA384 SHA512 SILENT STR STRAFTER STRBEFORE STRDT STRENDS STRLANG STRLANGDIR
    STRLEN STRSTARTS STRUUID SUBJECT SUBSTR SUM TIMEZONE TO TRIPLE TRUE TZ UCASE UNDEF UNION URI USING
    UUID VALUES VERSION WHERE WITH YEAR
"""
KEYWORDS = frozenset(_WORDS.split())

# Phrases of the engine, as sentences with the mend.
PHRASES = {
    "Duplicated variable name": ("A variable is named twice in SELECT.", "Name each once."),
    "variable that is unbound": (
        "SELECT asks for a variable that the groups do not have.",
        "Add it to GROUP BY or put an aggregate around it, such as SAMPLE(?x).",
    ),
    "IRI parsing failed": ("This is no absolute IRI.", "Write it in full, or declare a BASE."),
}


def diagnose(text: str, error: Exception) -> Problem:
    """The 400 for a text that the engine refused with `error`."""
    text = text.rstrip()
    return (
        misspelt(text)
        or unbalanced(text)
        or unexpected(text, str(error))
        or Problem(400, f"The text does not parse: {error}.", slug="syntax")
    )


def misspelt(text: str) -> Problem | None:
    """A word that SPARQL does not know."""
    for token in tokens(text):
        if token.word and token.word not in KEYWORDS:
            near = get_close_matches(token.word, KEYWORDS, 1)
            meant = f"Did you mean {near[0]}? " if near else ""
            suggestion = f"{meant}If it is a variable, write ?{token.text}."
            return fault(text, token.start, f"SPARQL has no word {token.text}.", suggestion)
    return None


def unbalanced(text: str) -> Problem | None:
    """A bracket without its partner."""
    open_: list[Token] = []
    for token in tokens(text):
        if token.text in OPENING:
            open_.append(token)
        elif token.text in CLOSING and token.kind == "mark":
            if not open_:
                return fault(
                    text, token.start, f"This {token.text} closes nothing.", "Take it out, or open it before."
                )
            if open_[-1].text != CLOSING[token.text]:
                wanted = OPENING[open_[-1].text]
                return fault(
                    text,
                    token.start,
                    f"This {token.text} stands where {wanted} is missing.",
                    f"Put a {wanted} before it.",
                )
            open_.pop()
    if open_:
        missing = OPENING[open_[-1].text]
        return fault(text, open_[-1].start, f"This {open_[-1].text} is never closed.", f"Add a {missing}.")
    return None


def unexpected(text: str, message: str) -> Problem | None:
    """What the engine says, where it says it.

    The engine compares a keyword by taking as many characters as it has, and reports the furthest place that
    it reached so: where it waited for keywords alone, the fault is between their start and that place.
    """
    found = re.match(r"error at (\d+):(\d+): expected (?:one of )?(.*)", message, re.DOTALL)
    if found is None:
        return None
    lines = text.split("\n")[: int(found[1]) - 1]
    reached = sum(len(line) + 1 for line in lines) + int(found[2]) - 1
    for phrase, (cause, suggestion) in PHRASES.items():
        if phrase in message:
            last = [token.start for token in tokens(text) if token.start < reached][-1]
            return fault(text, last, cause, suggestion)
    keywords = re.fullmatch(r"[A-Za-z_]+(?:, [A-Za-z_]+)*", found[3])
    start = reached - (min(map(len, found[3].split(", "))) if keywords else 0)
    here = next((token for token in tokens(text) if token.start >= start), None)
    if here is None:
        return fault(text, len(text), "The text ends too early.", "")
    cause = "or what follows it does not fit." if keywords else "does not fit here."
    return fault(text, here.start, f"{here.text} {cause}", "")
