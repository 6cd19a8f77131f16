"""The state of the form: values by part and field, and their conversion to and from RDF terms.

A text that fits no datatype becomes a term that violates its rule, so that the check reports it. A term that
no plain text means exactly is shown as N-Triples. Line endings are normalized as browsers send them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

import pyoxigraph as ox

from ...rdf.namespaces import ID_NAMESPACE, XSD_STRING
from ...shacl.rules import SHAPES_NAMESPACE
from ..markdown.values import parse_boolean, parse_date, parse_source_reference, parse_whole_number
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

NO_LANGUAGE = "none"  # in place of the language tag of a text that has none
SAFE_IRI_CHARACTERS = "/:@!$&'()*+,;=~"
LINE_VALUE_PARSERS: dict[str, Callable[[str], Any]] = {
    "wgig:posted": parse_date,
    "bibo:numPages": parse_whole_number,
    "dcterms:source": parse_source_reference,
}


def choice_iri_prefix(field: FormField) -> str:
    """The common prefix of the IRIs that a field names by their ends."""
    return SHAPES_NAMESPACE if field.path == "wgig:waives" else f"{ID_NAMESPACE}{field.choice_folder}"


def parse_field_value(field: FormField, words: str, language: str) -> ox.NamedNode | ox.Literal:
    """The term that the words in a field mean; invalid words become a term that violates its rule."""
    if field.kind == TEXT_FIELD:
        return ox.Literal(words) if language == NO_LANGUAGE else build_text_literal(words, language)
    if field.kind in (SELECT_FIELD, CHECKBOX_FIELD, DATALIST_FIELD):
        return ox.NamedNode(choice_iri_prefix(field) + quote(words.strip(), safe=SAFE_IRI_CHARACTERS))
    if field.kind == BOOLEAN_FIELD:
        return parse_boolean(words)
    parse_line: Callable[[str], ox.NamedNode | ox.Literal] = LINE_VALUE_PARSERS.get(field.path, ox.Literal)
    return parse_line(words.strip())


def build_text_literal(words: str, language: str) -> ox.Literal:
    """A text in a language; without a language where the tag is invalid, for the rules to find it."""
    try:
        return ox.Literal(words, language=language.lower())
    except ValueError:
        return ox.Literal(words)


def format_field_value(field: FormField, value: Any) -> str:
    """The words in a field for a term; in N-Triples syntax where no words mean exactly that term."""
    words = find_exact_words(field, value)
    return normalize_field_text(field, str(value) if words is None else words)


def find_exact_words(field: FormField, value: Any) -> str | None:
    """The words that mean exactly this term, or None where there are none for the field."""
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
    """The language tag of a text; empty where it is that of the paper."""
    if field.kind != TEXT_FIELD or not isinstance(value, ox.Literal):
        return ""
    tag = value.language or NO_LANGUAGE
    return "" if tag == language.lower() else tag


def normalize_field_text(field: FormField, words: str) -> str:
    """Words as a browser sends them: with uniform line ends in a text area, without any in an input."""
    if field.kind == TEXT_FIELD:
        return words.replace("\r\n", "\n").replace("\r", "\n")
    return words.replace("\r", "").replace("\n", "")


class FieldValue(NamedTuple):
    """The words in one input, and the language beside it; the number is the end of the input's name."""

    number: int
    words: str
    language: str = ""


class FormRow(NamedTuple):
    """One part of the paper: its number among those of its kind, and its values by field key."""

    number: int
    values: dict[str, list[FieldValue]]

    def words(self, key: str) -> str:
        """The words of the first value of a field, or an empty string."""
        return next((value.words for value in self.values.get(key, ())), "")

    @property
    def is_blank(self) -> bool:
        """Whether nothing is written in it; the criterion of an assessment does not count."""
        written_values = (
            value for key, values in self.values.items() if key != "criterion" for value in values
        )
        return not any(value.words.strip() for value in written_values)


@dataclass(frozen=True)
class FormState:
    """The state of the form: the name of the paper, and its rows by the key of the part."""

    name: str
    rows: dict[str, list[FormRow]]

    @property
    def paper(self) -> FormRow:
        """The row of the paper itself."""
        return self.rows[PAPER_PART.key][0]

    @property
    def language(self) -> str:
        """The language of texts without a language of their own."""
        return self.paper.words("inLanguage").strip() or "en"

    def find_row(self, key: str, number: int) -> FormRow | None:
        """A row by its number, or None."""
        return next((row for row in self.rows[key] if row.number == number), None)

    def iter_rows(self) -> Iterator[tuple[FormPart, FormRow]]:
        """All rows with their parts, the paper itself first."""
        return ((part, row) for key, part in FORM_PARTS.items() for row in self.rows[key])


def form_row_name(part: FormPart, row: FormRow) -> str:
    """The name of a row, with which the names of its fields begin; empty for the paper itself."""
    return f"{part.key}-{row.number}" if part.key else ""


def field_group_name(part: FormPart, row: FormRow, field: FormField) -> str:
    """The common name of all values of a field in a row."""
    return "-".join(filter(None, (form_row_name(part, row), field.key)))
