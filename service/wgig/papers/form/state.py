"""The state of the form: values by part and field, and their conversion to and from RDF terms.

A value that fits no datatype becomes one that violates its rule, so that the check reports it. A term that no
plain text means exactly is shown as N-Triples. Line endings are normalized as browsers send them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

import pyoxigraph as ox

from ...shacl.rules import SHAPES
from ..markdown.values import ID, XSD, address, count, day, parse_boolean
from .fields import LISTED, ONE, PAPER, PARTS, SOME, TEXT, TRUTH, Field, Part

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
        return parse_boolean(words)
    read: Callable[[str], ox.NamedNode | ox.Literal] = LINES.get(field.path, ox.Literal)
    return read(words.strip())


def text(words: str, language: str) -> ox.Literal:
    """A text in a language; without one where that is no tag, for the rules to find it."""
    try:
        return ox.Literal(words, language=language.lower())
    except ValueError:
        return ox.Literal(words)


def text_of_value(field: Field, value: Any) -> str:
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


class Value(NamedTuple):
    """The words in one field, and the language beside; the number is the last part of its name."""

    number: int
    words: str
    language: str = ""


class Row(NamedTuple):
    """One part of the paper: its number among those of its kind, and its values by the key of the field."""

    number: int
    values: dict[str, list[Value]]

    def words(self, key: str) -> str:
        """The words of the first value of a field, or an empty text."""
        return next((one.words for one in self.values.get(key, ())), "")

    @property
    def is_blank(self) -> bool:
        """Whether nothing is written in it; what it is measured against says nothing by itself."""
        said = (one for key, values in self.values.items() if key != "criterion" for one in values)
        return not any(one.words.strip() for one in said)


@dataclass(frozen=True)
class Filled:
    """A form as it is filled in: the name of the paper, and its parts by the key of their kind."""

    name: str
    rows: dict[str, list[Row]]

    @property
    def paper(self) -> Row:
        """What is said of the paper itself."""
        return self.rows[PAPER.key][0]

    @property
    def language(self) -> str:
        """The language of texts that say no other."""
        return self.paper.words("inLanguage").strip() or "en"

    def row(self, key: str, number: int) -> Row | None:
        """A part by its number, or none."""
        return next((one for one in self.rows[key] if one.number == number), None)

    def every(self) -> Iterator[tuple[Part, Row]]:
        """All parts, the paper itself first."""
        return ((part, row) for key, part in PARTS.items() for row in self.rows[key])


def name(part: Part, row: Row) -> str:
    """The name of a part, with which those of its fields begin; that of the paper itself is empty."""
    return f"{part.key}-{row.number}" if part.key else ""


def group(part: Part, row: Row, field: Field) -> str:
    """The name of all values of a field together."""
    return "-".join(filter(None, (name(part, row), field.key)))
