"""The submitted form: fields and the pressed button, and changes to the rows of the form.

Field names are checked strictly: an unknown field gets 400, too many values or rows get 413; a field may have
100,000 characters. A token in any field other than `token` and `source` is removed, and the field is reported
as a leak. Buttons add and remove rows and values. A newly opened form has an empty row wherever the template
requires a part.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ...http.auth import TOKEN_PREFIX
from ...http.bodies import Pairs
from ...problems import Problem
from ...rdf.namespaces import DEFAULT_NAMESPACES
from ...text import find_near_name
from .fields import (
    ASSESSMENT_PART,
    CHECKBOX_FIELD,
    DRAFTER_PART,
    FORM_PARTS,
    FORUM_PART,
    MAIN_ACTOR_PART,
    MAX_FORM_ITEMS,
    MECHANISM_PART,
    PAPER_PART,
    SWOT_PART,
    TEXT_FIELD,
    FormField,
    FormPart,
    find_form_field,
)
from .original import OriginalPaper, criterion_positions
from .state import FieldValue, FormRow, FormState, normalize_field_text

MAX_FIELD_CHARACTERS = 100_000  # characters of one field
SINGLE_FORM_FIELDS = ("name", "source", "version", "profile", "lang", "token", "do", "add", "remove")
TOKEN_ALLOWED_FIELDS = ("token", "source")  # fields that may have a token
ROW_NAME_PATTERN = re.compile(rf"(?P<part>{'|'.join(filter(None, FORM_PARTS))})-(?P<row>[1-9]\d{{0,3}})")
FIELD_NAME_PATTERN = re.compile(
    rf"(?:{ROW_NAME_PATTERN.pattern}-)?(?P<key>[A-Za-z]+)(?:-(?P<value>[1-9]\d{{0,3}}))?(?P<language>-language)?"
)
LEAKED_TOKEN_PATTERN = re.compile(rf"{TOKEN_PREFIX}[\w-]{{43}}")


class FormAction(StrEnum):
    """The action of a submitted form, named by the field `do`; ADD and REMOVE have their own fields."""

    ADD = "add"
    REMOVE = "remove"
    SHOW = "show"
    CHECK = "check"
    DRAFT = "draft"
    COMPLETE = "complete"
    SAVE = "save"
    MARKDOWN = "markdown"
    TURTLE = "turtle"


NAMED_ACTIONS = tuple(action for action in FormAction if action not in (FormAction.ADD, FormAction.REMOVE))


class FieldPosition(NamedTuple):
    """The position of a field: key of the part, number of the row, field, number of the value."""

    part: str
    row: int
    field: FormField
    value: int
    is_language: bool


@dataclass(frozen=True)
class FormRequest:
    """A submitted form: its state, and its other fields by name.

    `leaked_fields` are the names of the fields from which a token was removed.
    """

    form_state: FormState
    other_fields: dict[str, str]
    leaked_fields: tuple[str, ...]

    @property
    def action(self) -> FormAction:
        """The action, from the button that was pressed."""
        changes = (action for action in (FormAction.ADD, FormAction.REMOVE) if self.other_fields.get(action))
        return next(changes, FormAction(self.other_fields.get("do", "check")))

    @property
    def item(self) -> str:
        """The name of what is to be added or removed; empty for other actions."""
        return self.other_fields.get(self.action, "")

    @property
    def source(self) -> str:
        """The statements with which the form was opened, as N-Triples."""
        return self.other_fields.get("source", "")

    @property
    def version(self) -> str:
        """The version of the graph when the form was opened; empty for a new paper."""
        return self.other_fields.get("version", "")


class FormFieldCollector:
    """Collects the fields of a form: values by part, row, field key and number."""

    def __init__(self) -> None:
        """Start with the row of the paper itself."""
        self.rows: dict[str, dict[int, dict[str, dict[int, FieldValue]]]] = {key: {} for key in FORM_PARTS}
        self.rows[PAPER_PART.key][1] = {}

    def add_field(self, name: str, words: str) -> None:
        """Add a field. Raises Problem 400 where it is unknown or repeated, 413 for too much."""
        row = ROW_NAME_PATTERN.fullmatch(name)
        if row:  # this field only says that there is such a row, which may be empty
            self.get_row(row["part"], int(row["row"]))
            return
        position = parse_field_name(name)
        values = self.get_row(position.part, position.row).setdefault(position.field.key, {})
        number = position.value or len(values) + 1
        old_value = values.get(number, FieldValue(number, ""))
        if old_value.language if position.is_language else old_value.words:
            raise Problem(400, f"The field {name} is sent twice. Send it once.")
        if len(words) > MAX_FIELD_CHARACTERS:
            raise Problem(
                413, f"The field {name} holds more than {MAX_FIELD_CHARACTERS} characters. Shorten it."
            )
        with_language = old_value._replace(language=words.strip()) if position.is_language else None
        values[number] = with_language or old_value._replace(
            words=normalize_field_text(position.field, words)
        )
        check_sent_number(values, f"values of {name}")

    def get_row(self, part: str, number: int) -> dict[str, dict[int, FieldValue]]:
        """The values of a row. Raises Problem 413 for too many rows of a kind."""
        row = self.rows[part].setdefault(number, {})
        check_sent_number(self.rows[part], f"parts of the kind {part}")
        return row

    def build_state(self, name: str) -> FormState:
        """The state of the form of the paper with this name."""
        return FormState(
            name,
            {
                key: [*map(build_form_row, sorted(numbered_rows.items()))]
                for key, numbered_rows in self.rows.items()
            },
        )


def build_form_row(numbered_row: tuple[int, dict[str, dict[int, FieldValue]]]) -> FormRow:
    """A row from its number and its values by number."""
    number, values = numbered_row
    return FormRow(number, {key: [*values_by_number.values()] for key, values_by_number in values.items()})


def check_sent_number(items: Mapping[int, object], description: str) -> None:
    """Raise Problem 413 for more items than the form accepts."""
    if len(items) > MAX_FORM_ITEMS:
        raise Problem(
            413, f"The form accepts at most {MAX_FORM_ITEMS} {description}, and more were sent. Remove some."
        )


def parse_form_request(pairs: Pairs) -> FormRequest:
    """The form in the pairs of a body.

    Raises Problem 400 for an unknown or repeated field, 413 for too much.
    """
    single_fields: dict[str, str] = {}
    collector = FormFieldCollector()
    leaked_fields: list[str] = []
    for name, value in pairs:
        words = value if name in TOKEN_ALLOWED_FIELDS else LEAKED_TOKEN_PATTERN.sub("", value)
        if words != value:
            leaked_fields.append(name)
        if name in single_fields:
            raise Problem(400, f"The field {name} is sent twice. Send it once.")
        if name in SINGLE_FORM_FIELDS:
            single_fields[name] = words
        else:
            collector.add_field(name, words)
    if single_fields.get("do", "check") not in NAMED_ACTIONS:
        raise Problem(
            400, f"There is no action {single_fields['do']!r}. Use one of: {', '.join(NAMED_ACTIONS)}."
        )
    return FormRequest(
        collector.build_state(single_fields.get("name", "").strip()), single_fields, tuple(leaked_fields)
    )


def parse_field_name(name: str) -> FieldPosition:
    """The position of the field with this name. Raises Problem 400 for an unknown field."""
    match = FIELD_NAME_PATTERN.fullmatch(name)
    field = match and find_form_field(match["part"] or PAPER_PART.key, match["key"])
    if not match or not field or not is_valid_field_name(field, match):
        raise unknown_form_field_problem(name)
    return FieldPosition(
        match["part"] or PAPER_PART.key,
        int(match["row"] or 1),
        field,
        int(match["value"] or 0),
        bool(match["language"]),
    )


def is_valid_field_name(field: FormField, match: re.Match[str]) -> bool:
    """Whether a name has a number where the field is numbered, and a language only where it is a text."""
    numbered = match["value"] is not None
    return numbered == (field.kind != CHECKBOX_FIELD) and (field.kind == TEXT_FIELD or not match["language"])


def unknown_form_field_problem(name: str) -> Problem:
    """The 400 for a field that the form does not have."""
    keys = [*SINGLE_FORM_FIELDS, *(field.key for part in FORM_PARTS.values() for field in part.fields)]
    nearest = find_near_name(name, keys)
    hint = f"Did you mean {nearest}? " if nearest else ""
    return Problem(400, f"The form has no field {name!r}. {hint}Open the form again at /write.")


# Of these parts an opened form shows at least one row, which may be empty.
INITIAL_PARTS = (DRAFTER_PART, SWOT_PART, MAIN_ACTOR_PART, FORUM_PART, MECHANISM_PART)


def build_initial_form(original: OriginalPaper) -> FormState:
    """The form when it is opened, with an empty row where the template requires a part that is missing."""
    form_state = original.form_state
    for part in INITIAL_PARTS:
        if not form_state.rows[part.key]:
            form_state = add_form_row(form_state, part, FormRow(1, {}))
    judged_criteria = {row.words("criterion") for row in form_state.rows[ASSESSMENT_PART.key]}
    for iri in criterion_positions():
        criterion = iri.removeprefix(DEFAULT_NAMESPACES["principle"])
        if criterion not in judged_criteria:
            number = len(form_state.rows[ASSESSMENT_PART.key]) + 1
            form_state = add_form_row(
                form_state, ASSESSMENT_PART, FormRow(number, {"criterion": [FieldValue(1, criterion)]})
            )
    return form_state


def add_form_row(form_state: FormState, part: FormPart, row: FormRow) -> FormState:
    """The form with one more row."""
    return FormState(form_state.name, form_state.rows | {part.key: [*form_state.rows[part.key], row]})


def add_form_item(form_state: FormState, item: str, original: OriginalPaper) -> tuple[FormState, str]:
    """The form with one more row or value, and the name of what was added.

    A new row gets a number that no row had when the form was opened. Raises Problem 400 for what cannot be
    added, 413 where there are too many.
    """
    if item in FORM_PARTS and item and FORM_PARTS[item].several:
        rows = form_state.rows[item]
        check_part_number(len(rows))
        number = max([len(original.nodes[item]), *(existing_row.number for existing_row in rows)]) + 1
        return add_form_row(form_state, FORM_PARTS[item], FormRow(number, {})), f"{item}-{number}"
    match = FIELD_NAME_PATTERN.fullmatch(item)
    position = parse_field_name(f"{item}-1") if match and match["value"] is None else None
    if position is None or not position.field.several:
        raise Problem(400, f"The form has no {item!r} that can be added.")
    row = form_state.find_row(position.part, position.row) or FormRow(position.row, {})
    values = row.values.get(position.field.key) or [FieldValue(1, "")]
    check_part_number(len(values))
    number = max(value.number for value in values) + 1
    new_row = FormRow(row.number, row.values | {position.field.key: [*values, FieldValue(number, "")]})
    return replace_form_row(form_state, position.part, new_row), f"{item}-{number}"


def check_part_number(number: int) -> None:
    """Raise Problem 413 where there are already as many as the form accepts."""
    if number >= MAX_FORM_ITEMS:
        raise Problem(413, f"The form accepts at most {MAX_FORM_ITEMS} of a kind.")


def remove_form_item(form_state: FormState, item: str) -> tuple[FormState, str]:
    """The form without a row or value, and the name of its part or field. Raises Problem 400."""
    match = ROW_NAME_PATTERN.fullmatch(item)
    if match:
        key, number = match["part"], int(match["row"])
        remaining = [row for row in form_state.rows[key] if row.number != number]
        new_state = FormState(form_state.name, form_state.rows | {key: remaining})
        return remove_judged_mechanism(new_state, item) if key == MECHANISM_PART.key else new_state, key
    position = parse_field_name(item)
    row = form_state.find_row(position.part, position.row)
    if row is None:
        raise Problem(400, f"The form has no part for {item!r}.")
    values = [value for value in row.values.get(position.field.key, ()) if value.number != position.value]
    return replace_form_row(
        form_state, position.part, FormRow(row.number, row.values | {position.field.key: values})
    ), item.rpartition("-")[0]


def remove_judged_mechanism(form_state: FormState, mechanism: str) -> FormState:
    """The form in which no assessment refers to a removed mechanism."""
    for row in form_state.rows[ASSESSMENT_PART.key]:
        remaining = [value for value in row.values.get("judges", ()) if value.words != mechanism]
        form_state = replace_form_row(
            form_state, ASSESSMENT_PART.key, FormRow(row.number, row.values | {"judges": remaining})
        )
    return form_state


def replace_form_row(form_state: FormState, key: str, new_row: FormRow) -> FormState:
    """The form with a row in place of the one with the same number."""
    rows = [new_row if row.number == new_row.number else row for row in form_state.rows[key]]
    return FormState(form_state.name, form_state.rows | {key: rows})
