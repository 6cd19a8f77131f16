"""The submitted form: fields and the pressed button, and changes to the rows of the form.

Field names are checked strictly: what is no field gets 400, and too many values or rows get 413; a field may
have 100,000 characters. A token in any field other than `token` and `source` is removed, and the field is
reported as a leak. Buttons add and remove parts and values. A newly opened form has an empty part wherever
the template requires one.
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
TOKEN_ALLOWED_FIELDS = ("token", "source")  # where what looks like a token may stand
ROW_NAME_PATTERN = re.compile(rf"(?P<part>{'|'.join(filter(None, FORM_PARTS))})-(?P<row>[1-9]\d{{0,3}})")
FIELD_NAME_PATTERN = re.compile(
    rf"(?:{ROW_NAME_PATTERN.pattern}-)?(?P<key>[A-Za-z]+)(?:-(?P<value>[1-9]\d{{0,3}}))?(?P<language>-language)?"
)
LEAKED_TOKEN_PATTERN = re.compile(rf"{TOKEN_PREFIX}[\w-]{{43}}")


class FormAction(StrEnum):
    """What is to be done with a form. The field `do` names it, but the first two have fields of their own."""

    ADD = "add"
    REMOVE = "remove"
    SHOW = "show"
    CHECK = "check"
    DRAFT = "draft"
    COMPLETE = "complete"
    SAVE = "save"
    MARKDOWN = "markdown"
    TURTLE = "turtle"


NAMED_ACTIONS = tuple(one for one in FormAction if one not in (FormAction.ADD, FormAction.REMOVE))


class FieldPosition(NamedTuple):
    """Where a field stands: the kind of parts, the number of the part, the field, the number of the value."""

    part: str
    row: int
    field: FormField
    value: int
    is_language: bool


@dataclass(frozen=True)
class FormRequest:
    """A form that was sent: what is filled in, and the other fields by their names.

    `leaked_fields` are the names of fields in which a token stood, which is taken out.
    """

    form_state: FormState
    other_fields: dict[str, str]
    leaked_fields: tuple[str, ...]

    @property
    def action(self) -> FormAction:
        """What is to be done, by the button that was pressed."""
        changes = (one for one in (FormAction.ADD, FormAction.REMOVE) if self.other_fields.get(one))
        return next(changes, FormAction(self.other_fields.get("do", "check")))

    @property
    def item(self) -> str:
        """The name of what is to be added or removed; empty where nothing is."""
        return self.other_fields.get(self.action, "")

    @property
    def source(self) -> str:
        """The statements that the form was opened with, as N-Triples."""
        return self.other_fields.get("source", "")

    @property
    def version(self) -> str:
        """The version of the graph when it was opened; empty where the paper is new."""
        return self.other_fields.get("version", "")


class FormFieldCollector:
    """The fields of a form while they are sorted: values by number, below the key of the field, by part."""

    def __init__(self) -> None:
        """Nothing is there but the paper itself."""
        self.rows: dict[str, dict[int, dict[str, dict[int, FieldValue]]]] = {key: {} for key in FORM_PARTS}
        self.rows[PAPER_PART.key][1] = {}

    def add_field(self, name: str, words: str) -> None:
        """Sort a field in. Raises Problem 400 where there is none such or it is doubled, 413 for too much."""
        row = ROW_NAME_PATTERN.fullmatch(name)
        if row:  # says that a part is there, be it empty
            self.get_row(row["part"], int(row["row"]))
            return
        at = parse_field_name(name)
        values = self.get_row(at.part, at.row).setdefault(at.field.key, {})
        number = at.value or len(values) + 1
        old = values.get(number, FieldValue(number, ""))
        if old.language if at.is_language else old.words:
            raise Problem(400, f"The field {name} is sent twice. Send it once.")
        if len(words) > MAX_FIELD_CHARACTERS:
            raise Problem(
                413, f"The field {name} holds more than {MAX_FIELD_CHARACTERS} characters. Shorten it."
            )
        said = old._replace(language=words.strip()) if at.is_language else None
        values[number] = said or old._replace(words=normalize_field_text(at.field, words))
        check_sent_number(values, f"values of {name}")

    def get_row(self, part: str, number: int) -> dict[str, dict[int, FieldValue]]:
        """A part with its values. Raises Problem 413 where there are too many of its kind."""
        found = self.rows[part].setdefault(number, {})
        check_sent_number(self.rows[part], f"parts of the kind {part}")
        return found

    def build_state(self, name: str) -> FormState:
        """The form of the paper with this name."""
        return FormState(
            name, {key: [*map(build_form_row, sorted(there.items()))] for key, there in self.rows.items()}
        )


def build_form_row(found: tuple[int, dict[str, dict[int, FieldValue]]]) -> FormRow:
    """A part from its number and its values."""
    number, values = found
    return FormRow(number, {key: [*there.values()] for key, there in values.items()})


def check_sent_number(found: Mapping[int, object], what: str) -> None:
    """Raises Problem 413 where more were sent than the form takes."""
    if len(found) > MAX_FORM_ITEMS:
        raise Problem(
            413, f"The form takes at most {MAX_FORM_ITEMS} {what}, and more were sent. Leave some out."
        )


def parse_form_request(pairs: Pairs) -> FormRequest:
    """The form in the pairs of a body.

    Raises Problem 400 for a field that there is none of or that is doubled, 413 for too much.
    """
    once: dict[str, str] = {}
    fields = FormFieldCollector()
    leaked: list[str] = []
    for name, given in pairs:
        words = given if name in TOKEN_ALLOWED_FIELDS else LEAKED_TOKEN_PATTERN.sub("", given)
        if words != given:
            leaked.append(name)
        if name in once:
            raise Problem(400, f"The field {name} is sent twice. Send it once.")
        if name in SINGLE_FORM_FIELDS:
            once[name] = words
        else:
            fields.add_field(name, words)
    if once.get("do", "check") not in NAMED_ACTIONS:
        raise Problem(
            400, f"There is nothing called {once['do']!r} to do. There are: {', '.join(NAMED_ACTIONS)}."
        )
    return FormRequest(fields.build_state(once.get("name", "").strip()), once, tuple(leaked))


def parse_field_name(name: str) -> FieldPosition:
    """Where a field stands by its name. Raises Problem 400 where there is none of this name."""
    found = FIELD_NAME_PATTERN.fullmatch(name)
    field = found and find_form_field(found["part"] or PAPER_PART.key, found["key"])
    if not found or not field or not is_valid_field_name(field, found):
        raise unknown_form_field_problem(name)
    return FieldPosition(
        found["part"] or PAPER_PART.key,
        int(found["row"] or 1),
        field,
        int(found["value"] or 0),
        bool(found["language"]),
    )


def is_valid_field_name(field: FormField, found: re.Match[str]) -> bool:
    """Whether a name has a number where the field has several fields, and a language where it is a text."""
    numbered = found["value"] is not None
    return numbered == (field.kind != CHECKBOX_FIELD) and (field.kind == TEXT_FIELD or not found["language"])


def unknown_form_field_problem(name: str) -> Problem:
    """The 400 for a field that the form does not have."""
    keys = [*SINGLE_FORM_FIELDS, *(one.key for part in FORM_PARTS.values() for one in part.fields)]
    guess = find_near_name(name, keys)
    meant = f"Did you mean {guess}? " if guess else ""
    return Problem(400, f"The form has no field {name!r}. {meant}Open the form anew at /write.")


# An opened form shows one of each, be it empty.
INITIAL_PARTS = (DRAFTER_PART, SWOT_PART, MAIN_ACTOR_PART, FORUM_PART, MECHANISM_PART)


def build_initial_form(source: OriginalPaper) -> FormState:
    """The form as it is opened: with an empty part where the template asks for one and there is none."""
    filled = source.form_state
    for part in INITIAL_PARTS:
        if not filled.rows[part.key]:
            filled = add_form_row(filled, part, FormRow(1, {}))
    judged = {one.words("criterion") for one in filled.rows[ASSESSMENT_PART.key]}
    for iri in criterion_positions():
        criterion = iri.removeprefix(DEFAULT_NAMESPACES["principle"])
        if criterion not in judged:
            number = len(filled.rows[ASSESSMENT_PART.key]) + 1
            filled = add_form_row(
                filled, ASSESSMENT_PART, FormRow(number, {"criterion": [FieldValue(1, criterion)]})
            )
    return filled


def add_form_row(filled: FormState, part: FormPart, new: FormRow) -> FormState:
    """The form with one more part."""
    return FormState(filled.name, filled.rows | {part.key: [*filled.rows[part.key], new]})


def add_form_item(filled: FormState, what: str, source: OriginalPaper) -> tuple[FormState, str]:
    """The form with one more part or value, and the name of what was added.

    The number of a new part is one that none had when the form was opened. Raises Problem 400 for what cannot
    be added, 413 where there are too many.
    """
    if what in FORM_PARTS and what and FORM_PARTS[what].several:
        there = filled.rows[what]
        check_part_number(len(there))
        number = max([len(source.nodes[what]), *(one.number for one in there)]) + 1
        return add_form_row(filled, FORM_PARTS[what], FormRow(number, {})), f"{what}-{number}"
    found = FIELD_NAME_PATTERN.fullmatch(what)
    at = parse_field_name(f"{what}-1") if found and found["value"] is None else None
    if at is None or not at.field.several:
        raise Problem(400, f"Nothing that is called {what!r} can be added to the form.")
    row = filled.find_row(at.part, at.row) or FormRow(at.row, {})
    values = row.values.get(at.field.key) or [FieldValue(1, "")]
    check_part_number(len(values))
    number = max(one.number for one in values) + 1
    new = FormRow(row.number, row.values | {at.field.key: [*values, FieldValue(number, "")]})
    return replace_form_row(filled, at.part, new), f"{what}-{number}"


def check_part_number(number: int) -> None:
    """Raises Problem 413 where so many are the most that there may be."""
    if number >= MAX_FORM_ITEMS:
        raise Problem(413, f"The form takes at most {MAX_FORM_ITEMS} of a kind.")


def remove_form_item(filled: FormState, what: str) -> tuple[FormState, str]:
    """The form without a part or value, and the name of what it was one of. Raises Problem 400."""
    found = ROW_NAME_PATTERN.fullmatch(what)
    if found:
        key, number = found["part"], int(found["row"])
        left = [one for one in filled.rows[key] if one.number != number]
        without = FormState(filled.name, filled.rows | {key: left})
        return remove_judged_mechanism(without, what) if key == MECHANISM_PART.key else without, key
    at = parse_field_name(what)
    row = filled.find_row(at.part, at.row)
    if row is None:
        raise Problem(400, f"The form has no part for {what!r}.")
    values = [one for one in row.values.get(at.field.key, ()) if one.number != at.value]
    return replace_form_row(
        filled, at.part, FormRow(row.number, row.values | {at.field.key: values})
    ), what.rpartition("-")[0]


def remove_judged_mechanism(filled: FormState, mechanism: str) -> FormState:
    """The form in which no assessment judges a mechanism, which is there no more."""
    for row in filled.rows[ASSESSMENT_PART.key]:
        judged = [one for one in row.values.get("judges", ()) if one.words != mechanism]
        filled = replace_form_row(
            filled, ASSESSMENT_PART.key, FormRow(row.number, row.values | {"judges": judged})
        )
    return filled


def replace_form_row(filled: FormState, key: str, new: FormRow) -> FormState:
    """The form with a part in place of the one with its number."""
    rows = [new if one.number == new.number else one for one in filled.rows[key]]
    return FormState(filled.name, filled.rows | {key: rows})
