"""Terms put into a query at the places that it keeps for them: `VALUES ?name { UNDEF }`, one term inside.

The engine writes each term, so that what a client sends stays one term whatever it holds.
"""

from collections.abc import Mapping
from typing import Any

from .sparql import Token, tokens


def bind(text: str, terms: Mapping[str, Any]) -> str:
    """The query with these terms by name of variable. Raises KeyError where it keeps no place for one."""
    kept = places(text)
    found = sorted(((token, name) for name in terms for token in kept[name]), key=lambda pair: -pair[0].start)
    for token, name in found:
        text = f"{text[: token.start]}{terms[name]}{text[token.start + len(token.text) :]}"
    return text


def places(text: str) -> dict[str, list[Token]]:
    """The one token inside of each `VALUES ?name { … }` of a query, by name of variable."""
    found: dict[str, list[Token]] = {}
    all_ = list(tokens(text))
    for word, variable, opening, token, closing in zip(*(all_[shift:] for shift in range(5)), strict=False):
        if (word.word, variable.kind, opening.text, closing.text) == ("VALUES", "variable", "{", "}"):
            found.setdefault(variable.text[1:], []).append(token)
    return found
