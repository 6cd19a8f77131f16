"""The state of the form: values by part and field, and their conversion to and from RDF terms.

A value that fits no datatype becomes one that violates its rule, so that the check reports it. A term that no
plain text means exactly is shown as N-Triples. Line endings are normalized as browsers send them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

import pyoxigraph as ox

from ...rdf.namespaces import ID_NAMESPACE, XSD_STRING
from ...shacl.rules import SHAPES_NAMESPACE
from ..markdown.values import parse_boolean, parse_day, parse_source_address, parse_whole_number
from ..markdown.writer import YES_NO_WORDS
from .fields import (
    BOOLEAN_FIELD,
    CHECKBOX_FIELD,
    DATALIST_FIELD,
    FORM_PARTS,
    PAPER_PART,
    SELECT_FIELD,
    TEXT_FIELD,
    FormField,
    FormPart,
)

NO_LANGUAGE = "none"  # what stands in place of the tag of a text that has none
SAFE_IRI_CHARACTERS = "/:@!$&'()*+,;=~"
LINE_VALUE_PARSERS: dict[str, Callable[[str], Any]] = {
    "wgig:posted": parse_day,
    "bibo:numPages": parse_whole_number,
    "dcterms:source": parse_source_address,
}


def choice_iri_prefix(field: FormField) -> str:
    """What the IRIs begin with that a field names by their ends."""
    return SHAPES_NAMESPACE if field.path == "wgig:waives" else f"{ID_NAMESPACE}{field.choice_folder}"


def parse_field_value(field: FormField, words: str, language: str) -> ox.NamedNode | ox.Literal:
    """The value that words mean in a field; what is none becomes one that breaks the rule of it."""
    if field.kind == TEXT_FIELD:
        return ox.Literal(words) if language == NO_LANGUAGE else build_text_literal(words, language)
    if field.kind in (SELECT_FIELD, CHECKBOX_FIELD, DATALIST_FIELD):
        return ox.NamedNode(choice_iri_prefix(field) + quote(words.strip(), safe=SAFE_IRI_CHARACTERS))
    if field.kind == BOOLEAN_FIELD:
        return parse_boolean(words)
    read: Callable[[str], ox.NamedNode | ox.Literal] = LINE_VALUE_PARSERS.get(field.path, ox.Literal)
    return read(words.strip())


def build_text_literal(words: str, language: str) -> ox.Literal:
    """A text in a language; without one where that is no tag, for the rules to find it."""
    try:
        return ox.Literal(words, language=language.lower())
    except ValueError:
        return ox.Literal(words)


def format_field_value(field: FormField, value: Any) -> str:
    """The words in a field for a value; as N-Triples have it where no words mean just that."""
    words = find_exact_words(field, value)
    return normalize_field_text(field, str(value) if words is None else words)


def find_exact_words(field: FormField, value: Any) -> str | None:
    """The words that mean just this value, None where it is not for such a field."""
    if field.kind == TEXT_FIELD:
        is_text = isinstance(value, ox.Literal) and (value.language or value.datatype == XSD_STRING)
        return str(value.value) if is_text else None
    words = str(getattr(value, "value", ""))
    if field.kind in (SELECT_FIELD, CHECKBOX_FIELD, DATALIST_FIELD):
        words = words.removeprefix(choice_iri_prefix(field))
    elif field.kind == BOOLEAN_FIELD:
        words = YES_NO_WORDS.get(words, words)
    elif field.path == "dcterms:source":
        words = words.removeprefix(ID_NAMESPACE)
    return words if words and parse_field_value(field, words, "") == value else None


def value_language_tag(field: FormField, value: Any, language: str) -> str:
    """The tag of a text; empty where it is the language of the paper."""
    if field.kind != TEXT_FIELD or not isinstance(value, ox.Literal):
        return ""
    tag = value.language or NO_LANGUAGE
    return "" if tag == language.lower() else tag


def normalize_field_text(field: FormField, words: str) -> str:
    """Words as a browser sends them: one kind of line ends in a text, none where there is one line."""
    if field.kind == TEXT_FIELD:
        return words.replace("\r\n", "\n").replace("\r", "\n")
    return words.replace("\r", "").replace("\n", "")


class FieldValue(NamedTuple):
    """The words in one field, and the language beside; the number is the last part of its name."""

    number: int
    words: str
    language: str = ""


class FormRow(NamedTuple):
    """One part of the paper: its number among those of its kind, and its values by the key of the field."""

    number: int
    values: dict[str, list[FieldValue]]

    def words(self, key: str) -> str:
        """The words of the first value of a field, or an empty text."""
        return next((one.words for one in self.values.get(key, ())), "")

    @property
    def is_blank(self) -> bool:
        """Whether nothing is written in it; what it is measured against says nothing by itself."""
        said = (one for key, values in self.values.items() if key != "criterion" for one in values)
        return not any(one.words.strip() for one in said)


@dataclass(frozen=True)
class FormState:
    """A form as it is filled in: the name of the paper, and its parts by the key of their kind."""

    name: str
    rows: dict[str, list[FormRow]]

    @property
    def paper(self) -> FormRow:
        """What is said of the paper itself."""
        return self.rows[PAPER_PART.key][0]

    @property
    def language(self) -> str:
        """The language of texts that say no other."""
        return self.paper.words("inLanguage").strip() or "en"

    def find_row(self, key: str, number: int) -> FormRow | None:
        """A part by its number, or none."""
        return next((one for one in self.rows[key] if one.number == number), None)

    def iter_rows(self) -> Iterator[tuple[FormPart, FormRow]]:
        """All parts, the paper itself first."""
        return ((part, row) for key, part in FORM_PARTS.items() for row in self.rows[key])


def form_row_name(part: FormPart, row: FormRow) -> str:
    """The name of a part, with which those of its fields begin; that of the paper itself is empty."""
    return f"{part.key}-{row.number}" if part.key else ""


def field_group_name(part: FormPart, row: FormRow, field: FormField) -> str:
    """The name of all values of a field together."""
    return "-".join(filter(None, (form_row_name(part, row), field.key)))
