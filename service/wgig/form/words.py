"""The values of a graph as the words in a field, and words that were sent as values."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox

from ..markdown.values import ID, XSD, address, count, day, truth
from ..rules import SHAPES
from .layout import LISTED, ONE, SOME, TEXT, TRUTH, Field

NO_LANGUAGE = "none"  # what stands in place of the tag of a text that has none
SAFE = "/:@!$&'()*+,;=~"
STRING = ox.NamedNode(f"{XSD}string")
LINES: dict[str, Callable[[str], Any]] = {
    "wgig:posted": day,
    "bibo:numPages": count,
    "dcterms:source": address,
}
SAID = {"true": "yes", "false": "no"}


def folder(field: Field) -> str:
    """What the IRIs begin with that a field names by their ends."""
    return SHAPES if field.path == "wgig:waives" else f"{ID}{field.folder}"


def term(field: Field, words: str, language: str) -> ox.NamedNode | ox.Literal:
    """The value that words mean in a field; what is none becomes one that breaks the rule of it."""
    if field.kind == TEXT:
        return ox.Literal(words) if language == NO_LANGUAGE else text(words, language)
    if field.kind in (ONE, SOME, LISTED):
        return ox.NamedNode(folder(field) + quote(words.strip(), safe=SAFE))
    if field.kind == TRUTH:
        return truth(words)
    read: Callable[[str], ox.NamedNode | ox.Literal] = LINES.get(field.path, ox.Literal)
    return read(words.strip())


def text(words: str, language: str) -> ox.Literal:
    """A text in a language; without one where that is no tag, for the rules to find it."""
    try:
        return ox.Literal(words, language=language.lower())
    except ValueError:
        return ox.Literal(words)


def shown(field: Field, value: Any) -> str:
    """The words in a field for a value; as N-Triples have it where no words mean just that."""
    words = plain(field, value)
    return as_sent(field, str(value) if words is None else words)


def plain(field: Field, value: Any) -> str | None:
    """The words that mean just this value, None where it is not for such a field."""
    if field.kind == TEXT:
        is_text = isinstance(value, ox.Literal) and (value.language or value.datatype == STRING)
        return str(value.value) if is_text else None
    words = str(getattr(value, "value", ""))
    if field.kind in (ONE, SOME, LISTED):
        words = words.removeprefix(folder(field))
    elif field.kind == TRUTH:
        words = SAID.get(words, words)
    elif field.path == "dcterms:source":
        words = words.removeprefix(ID)
    return words if words and term(field, words, "") == value else None


def language_of(field: Field, value: Any, language: str) -> str:
    """The tag of a text; empty where it is the language of the paper."""
    if field.kind != TEXT or not isinstance(value, ox.Literal):
        return ""
    tag = value.language or NO_LANGUAGE
    return "" if tag == language.lower() else tag


def as_sent(field: Field, words: str) -> str:
    """Words as a browser sends them: one kind of line ends in a text, none where there is one line."""
    if field.kind == TEXT:
        return words.replace("\r\n", "\n").replace("\r", "\n")
    return words.replace("\r", "").replace("\n", "")
