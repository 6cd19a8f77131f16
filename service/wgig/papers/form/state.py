"""The values in the form, by part, row and field, and their conversion from and to RDF terms.

An invalid text becomes a term that violates the rule for the field, so that the check reports it. A term that
no text converts to is shown as N-Triples. Line ends are normalized to those that browsers send.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

import pyoxigraph as ox

from ...rdf.namespaces import ID_NAMESPACE, XSD_STRING
from ...shacl.rules import SHAPES_NAMESPACE
from ..markdown.values import (
    mechanism_iri,
    parse_boolean,
    parse_date,
    parse_source_reference,
    parse_whole_number,
    passage_iri,
)
from ..markdown.writer import YES_NO_TEXTS
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
SAFE_IRI_CHARACTERS = "/:@!$&'()*+,;=~"  # not percent-encoded in IRIs
# By property: the function that converts the text in an input to a term.
FIELD_VALUE_PARSERS: dict[str, Callable[[str], ox.NamedNode | ox.Literal]] = {
    "wgig:posted": parse_date,
    "wgig:about": mechanism_iri,
    "bibo:numPages": parse_whole_number,
    "cito:cites": passage_iri,
    "dcterms:source": parse_source_reference,
}


def choice_iri_prefix(field: FormField) -> str:
    """The prefix of the IRIs of the choices of a field, without which they are shown in the form."""
    return SHAPES_NAMESPACE if field.path == "wgig:waives" else f"{ID_NAMESPACE}{field.choice_folder}"


def parse_field_value(field: FormField, text: str, language: str) -> ox.NamedNode | ox.Literal:
    """The term for a text in a field; for an invalid text, a term that violates a rule."""
    if field.kind == TEXT_FIELD:
        return ox.Literal(text) if language == NO_LANGUAGE else build_text_literal(text, language)
    if field.path in FIELD_VALUE_PARSERS:
        return FIELD_VALUE_PARSERS[field.path](text.strip())
    if field.kind in (SELECT_FIELD, CHECKBOX_FIELD, DATALIST_FIELD):
        return ox.NamedNode(choice_iri_prefix(field) + quote(text.strip(), safe=SAFE_IRI_CHARACTERS))
    if field.kind == BOOLEAN_FIELD:
        return parse_boolean(text)
    return ox.Literal(text.strip())


def build_text_literal(text: str, language: str) -> ox.Literal:
    """A literal with a language; for an invalid tag, without language, so that the check reports it."""
    try:
        return ox.Literal(text, language=language.lower())
    except ValueError:
        return ox.Literal(text)


def format_field_value(field: FormField, value: Any) -> str:
    """The text in a field for a term; the term as N-Triples if no text converts to it."""
    text = find_exact_text(field, value)
    return normalize_field_text(field, str(value) if text is None else text)


def find_exact_text(field: FormField, value: Any) -> str | None:
    """The text in a field that converts to this term, or None."""
    if field.kind == TEXT_FIELD:
        is_text = isinstance(value, ox.Literal) and (value.language or value.datatype == XSD_STRING)
        return str(value.value) if is_text else None
    text = str(getattr(value, "value", ""))
    if field.kind in (SELECT_FIELD, CHECKBOX_FIELD, DATALIST_FIELD):
        text = text.removeprefix(choice_iri_prefix(field))
    elif field.kind == BOOLEAN_FIELD:
        text = YES_NO_TEXTS.get(text, text)
    elif field.path == "dcterms:source":
        text = text.removeprefix(ID_NAMESPACE)
    return text if text and parse_field_value(field, text, "") == value else None


def value_language_tag(field: FormField, value: Any, language: str) -> str:
    """The language tag of a text; empty for the language of the paper."""
    if field.kind != TEXT_FIELD or not isinstance(value, ox.Literal):
        return ""
    tag = value.language or NO_LANGUAGE
    return "" if tag == language.lower() else tag


def normalize_field_text(field: FormField, text: str) -> str:
    """The text with LF as line ends in a text area, and without line ends in other inputs."""
    if field.kind == TEXT_FIELD:
        return text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\r", "").replace("\n", "")


class FieldValue(NamedTuple):
    """The text in an input, and its language, which is empty for that of the paper.

    The number ends the name of the input, such as `forum-2-nature-1`.
    """

    number: int
    text: str
    language: str = ""


class FormRow(NamedTuple):
    """A row of a part: the number of the row, and the values by field key."""

    number: int
    values: dict[str, list[FieldValue]]

    def first_text(self, key: str) -> str:
        """The first value of a field, or an empty string."""
        return next((value.text for value in self.values.get(key, ())), "")

    @property
    def is_blank(self) -> bool:
        """Whether all fields are blank, except for the criterion of an assessment."""
        written_values = (
            value for key, values in self.values.items() if key != "criterion" for value in values
        )
        return not any(value.text.strip() for value in written_values)


@dataclass(frozen=True)
class FormState:
    """The values in the form: the name of the paper, and the rows by part key."""

    name: str
    rows: dict[str, list[FormRow]]

    @property
    def paper(self) -> FormRow:
        """The row of the paper itself."""
        return self.rows[PAPER_PART.key][0]

    @property
    def language(self) -> str:
        """The default language of the texts."""
        return self.paper.first_text("inLanguage").strip() or "en"

    def find_row(self, key: str, number: int) -> FormRow | None:
        """A row by its number, or None."""
        return next((row for row in self.rows[key] if row.number == number), None)

    def iter_rows(self) -> Iterator[tuple[FormPart, FormRow]]:
        """All rows, each after its part; the row of the paper itself is the first."""
        return ((part, row) for key, part in FORM_PARTS.items() for row in self.rows[key])


def form_row_name(part: FormPart, row: FormRow) -> str:
    """The name of a row, such as `forum-2`; empty for the paper itself."""
    return f"{part.key}-{row.number}" if part.key else ""


def field_group_name(part: FormPart, row: FormRow, field: FormField) -> str:
    """The name of a field in a row without the number of a value, such as `forum-2-nature`."""
    return "-".join(filter(None, (form_row_name(part, row), field.key)))
