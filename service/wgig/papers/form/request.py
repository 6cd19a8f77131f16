"""The submitted form: its fields, its action (the pressed button), and the addition and removal of rows.

An unknown field is refused with 400, too many values, rows or characters with 413. An access token in any
other field than `token` and `source` is removed, and the field is reported. A newly opened form has an empty
row for every missing part that the template requires.
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

MAX_FIELD_CHARACTERS = 100_000
MAX_ADDRESS_CHARACTERS = 300
# Names of fields are such as `forum-2-nature-1`: the row (part and number), the key, and the number of the
# value. A field of the paper itself has no row, as in `title-1`; a checkbox has no number; `-language` is
# appended for the language of a text. The names below are those of other fields: the paper name, and fields
# that are no values of the paper. `source` is the paper as it was opened, in N-Triples; `source-1` is the
# value of dcterms:source. `address` is the query of the address at which the form was opened.
BUTTON_FIELDS = ("do", "add", "remove", "show")
SINGLE_FORM_FIELDS = ("name", "source", "address", "version", "profile", "lang", "token", *BUTTON_FIELDS)
# Names a field that the form filled in and the author wants to keep; may be sent several times.
KEPT_FIELD = "kept"
# In all other fields, tokens are removed. A token in `source` was in the paper before.
TOKEN_ALLOWED_FIELDS = ("token", "source")
# Without the paper itself, whose key is empty.
ROW_NAME_PATTERN = re.compile(rf"(?P<part>{'|'.join(filter(None, FORM_PARTS))})-(?P<row>[1-9]\d{{0,3}})")
FIELD_NAME_PATTERN = re.compile(
    rf"(?:{ROW_NAME_PATTERN.pattern}-)?(?P<key>[A-Za-z]+)(?:-(?P<value>[1-9]\d{{0,3}}))?(?P<language>-language)?"
)
# A token has 32 random bytes, which are 43 characters in Base64.
LEAKED_TOKEN_PATTERN = re.compile(rf"{TOKEN_PREFIX}[\w-]{{43}}")


class FormAction(StrEnum):
    """The action of a submitted form, in the field `do`, or in the fields `add`, `remove` and `show`.

    SHOW shows the form without a check, at the field that it names; RESTORE shows a draft of the browser.
    DRAFT and COMPLETE save the paper with this status, SAVE with the status in the form. MARKDOWN and TURTLE
    download it.
    """

    ADD = "add"
    REMOVE = "remove"
    SHOW = "show"
    RESTORE = "restore"
    CHECK = "check"
    DRAFT = "draft"
    COMPLETE = "complete"
    SAVE = "save"
    MARKDOWN = "markdown"
    TURTLE = "turtle"


# The actions that have a field of their own, with the name of an item.
ITEM_ACTIONS = (FormAction.ADD, FormAction.REMOVE, FormAction.SHOW)
# The values of the field `do`.
NAMED_ACTIONS = tuple(action for action in FormAction if action not in (FormAction.ADD, FormAction.REMOVE))


class FieldPosition(NamedTuple):
    """A parsed field name: part key, row number, field, value number (0: none), whether it is a language."""

    part: str
    row: int
    field: FormField
    value: int
    is_language: bool


@dataclass(frozen=True)
class FormRequest:
    """A submitted form: the values of the paper, and the other fields, such as `token`, by name.

    `kept_fields` are those that the form filled in and the author wants to keep. `leaked_fields` are the
    names of the fields from which a token was removed.
    """

    form_state: FormState
    other_fields: dict[str, str]
    kept_fields: frozenset[str]
    leaked_fields: tuple[str, ...]

    @property
    def action(self) -> FormAction:
        """The action of the pressed button."""
        changes = (action for action in ITEM_ACTIONS if self.other_fields.get(action))
        return next(changes, FormAction(self.other_fields.get("do", "check")))

    @property
    def item(self) -> str:
        """The name of the part or field to add to or show, or of the row or value to remove; else empty."""
        return self.other_fields.get(self.action, "")

    @property
    def original_n_triples(self) -> str:
        """The paper as it was opened, in N-Triples."""
        return self.other_fields.get("source", "")

    @property
    def address(self) -> str:
        """The query of the address at which the form was opened, under which a browser keeps a draft."""
        return self.other_fields.get("address", "")[:MAX_ADDRESS_CHARACTERS]

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

    def add_field(self, name: str, text: str) -> None:
        """Add a field. Raises Problem 400 if it is unknown or repeated, 413 if it exceeds a limit."""
        row_match = ROW_NAME_PATTERN.fullmatch(name)
        if row_match:  # a hidden field such as `forum-2`, by which rows without values are sent, too
            self.get_row(row_match["part"], int(row_match["row"]))
            return
        position = parse_field_name(name)
        values = self.get_row(position.part, position.row).setdefault(position.field.key, {})
        number = position.value or len(values) + 1
        old_value = values.get(number, FieldValue(number, ""))
        if old_value.language if position.is_language else old_value.text:
            raise Problem(400, f"The field {name} was sent twice. Send it once.")
        if len(text) > MAX_FIELD_CHARACTERS:
            raise Problem(
                413, f"The field {name} has more than {MAX_FIELD_CHARACTERS} characters. Shorten it."
            )
        values[number] = (
            old_value._replace(language=text.strip())
            if position.is_language
            else old_value._replace(text=normalize_field_text(position.field, text))
        )
        check_sent_count(values, f"values of {name}")

    def get_row(self, part: str, number: int) -> dict[str, dict[int, FieldValue]]:
        """The values of a row, which is added if missing. Raises Problem 413 for too many rows."""
        row = self.rows[part].setdefault(number, {})
        check_sent_count(self.rows[part], f"rows of {part}")
        return row

    def build_state(self, name: str) -> FormState:
        """The collected values, with the name of the paper."""
        return FormState(
            name,
            {
                key: [*map(build_form_row, sorted(numbered_rows.items()))]
                for key, numbered_rows in self.rows.items()
            },
        )


def build_form_row(numbered_row: tuple[int, dict[str, dict[int, FieldValue]]]) -> FormRow:
    """The row with a number and its values by field key and value number."""
    number, values = numbered_row
    return FormRow(number, {key: [*values_by_number.values()] for key, values_by_number in values.items()})


def check_sent_count(items: Mapping[int, object], description: str) -> None:
    """Raise Problem 413 if more items were sent than the form accepts."""
    if len(items) > MAX_FORM_ITEMS:
        raise Problem(
            413, f"The form accepts at most {MAX_FORM_ITEMS} {description}, but more were sent. Remove some."
        )


def parse_form_request(pairs: Pairs) -> FormRequest:
    """The form in the fields of a request body.

    Raises Problem 400 for an unknown or repeated field, 413 for too many or too long ones.
    """
    single_fields: dict[str, str] = {}
    collector = FormFieldCollector()
    kept_fields: set[str] = set()
    leaked_fields: list[str] = []
    for name, value in pairs:
        text = value if name in TOKEN_ALLOWED_FIELDS else LEAKED_TOKEN_PATTERN.sub("", value)
        if text != value:
            leaked_fields.append(name)
        if name in single_fields:
            raise Problem(400, f"The field {name} was sent twice. Send it once.")
        if name in SINGLE_FORM_FIELDS:
            single_fields[name] = text
        elif name == KEPT_FIELD:
            kept_fields.add(text)
        else:
            collector.add_field(name, text)
    if single_fields.get("do", "check") not in NAMED_ACTIONS:
        raise Problem(
            400, f"There is no action {single_fields['do']!r}. Use one of: {', '.join(NAMED_ACTIONS)}."
        )
    return FormRequest(
        collector.build_state(single_fields.get("name", "").strip()),
        single_fields,
        frozenset(kept_fields),
        tuple(leaked_fields),
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
    """Whether a field name has a value number, except for checkboxes, and `-language` only for a text."""
    numbered = match["value"] is not None
    return numbered == (field.kind != CHECKBOX_FIELD) and (field.kind == TEXT_FIELD or not match["language"])


def unknown_form_field_problem(name: str) -> Problem:
    """The Problem 400 for a field that the form does not have."""
    keys = [*SINGLE_FORM_FIELDS, *(field.key for part in FORM_PARTS.values() for field in part.fields)]
    nearest = find_near_name(name, keys)
    hint = f"Did you mean {nearest}? " if nearest else ""
    return Problem(400, f"The form has no field {name!r}. {hint}Open the form again at /write.")


# A newly opened form has at least one row of these parts.
INITIAL_PARTS = (DRAFTER_PART, SWOT_PART, MAIN_ACTOR_PART, FORUM_PART, MECHANISM_PART)


def build_initial_form(original: OriginalPaper) -> FormState:
    """The form when it is opened, with an empty row for every missing part that the template requires."""
    form_state = original.form_state
    for part in INITIAL_PARTS:
        if not form_state.rows[part.key]:
            form_state = add_form_row(form_state, part, FormRow(1, {}))
    judged_criteria = {row.first_text("criterion") for row in form_state.rows[ASSESSMENT_PART.key]}
    for criterion_iri in criterion_positions():
        criterion = criterion_iri.removeprefix(DEFAULT_NAMESPACES["principle"])
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
    """The form with one more row or value, and the name of the new item.

    A new row has a greater number than any row when the form was opened, as these numbers stand for the nodes
    of the original. Raises Problem 400 if the item cannot be added, 413 if there are too many.
    """
    if item in FORM_PARTS and item and FORM_PARTS[item].is_repeatable:
        rows = form_state.rows[item]
        check_item_can_be_added(len(rows))
        number = max([len(original.nodes[item]), *(existing_row.number for existing_row in rows)]) + 1
        return add_form_row(form_state, FORM_PARTS[item], FormRow(number, {})), f"{item}-{number}"
    match = FIELD_NAME_PATTERN.fullmatch(item)
    position = parse_field_name(f"{item}-1") if match and match["value"] is None else None
    if position is None or not position.field.is_repeatable:
        raise Problem(400, f"{item!r} cannot be added to the form.")
    row = form_state.find_row(position.part, position.row) or FormRow(position.row, {})
    values = row.values.get(position.field.key) or [FieldValue(1, "")]
    check_item_can_be_added(len(values))
    number = max(value.number for value in values) + 1
    new_row = FormRow(row.number, row.values | {position.field.key: [*values, FieldValue(number, "")]})
    return replace_form_row(form_state, position.part, new_row), f"{item}-{number}"


def check_item_can_be_added(count: int) -> None:
    """Raise Problem 413 if there are already as many items as the form accepts."""
    if count >= MAX_FORM_ITEMS:
        raise Problem(
            413,
            f"The form accepts at most {MAX_FORM_ITEMS} values in a field and {MAX_FORM_ITEMS} "
            "rows in a part.",
        )


def remove_form_item(form_state: FormState, item: str) -> tuple[FormState, str]:
    """The form without a row or value, and the name of its part or field.

    Raises Problem 400 if there is no such field or row.
    """
    match = ROW_NAME_PATTERN.fullmatch(item)
    if match:
        key, number = match["part"], int(match["row"])
        remaining = [row for row in form_state.rows[key] if row.number != number]
        new_state = FormState(form_state.name, form_state.rows | {key: remaining})
        return remove_mechanism_references(new_state, item) if key == MECHANISM_PART.key else new_state, key
    position = parse_field_name(item)
    row = form_state.find_row(position.part, position.row)
    if row is None:
        raise Problem(400, f"The form has no row for {item!r}.")
    values = [value for value in row.values.get(position.field.key, ()) if value.number != position.value]
    return replace_form_row(
        form_state, position.part, FormRow(row.number, row.values | {position.field.key: values})
    ), item.rpartition("-")[0]


def remove_mechanism_references(form_state: FormState, mechanism: str) -> FormState:
    """The form without references from assessments to a removed mechanism such as `mechanism-1`."""
    for row in form_state.rows[ASSESSMENT_PART.key]:
        remaining = [value for value in row.values.get("judges", ()) if value.text != mechanism]
        form_state = replace_form_row(
            form_state, ASSESSMENT_PART.key, FormRow(row.number, row.values | {"judges": remaining})
        )
    return form_state


def replace_form_row(form_state: FormState, key: str, new_row: FormRow) -> FormState:
    """The form with a row of a part replaced by another row with the same number."""
    rows = [new_row if row.number == new_row.number else row for row in form_state.rows[key]]
    return FormState(form_state.name, form_state.rows | {key: rows})
