"""The submitted form: fields and the pressed button, and changes to the rows of the form.

Field names are checked strictly: what is no field gets 400, and too many values or rows get 413; a field may
have 100,000 characters. A token in any field other than `token` and `source` is removed, and the field is
reported as a leak. Buttons add and remove parts and values. A newly opened form has an empty part wherever
the template requires one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ...http.auth import BEGINNING
from ...http.bodies import Pairs
from ...problems import Problem
from ...text import near
from ..markdown.values import NAMES
from .fields import (
    ASSESSMENT,
    DRAFTER,
    FORUM,
    MAIN,
    MECHANISM,
    MOST,
    PAPER,
    PARTS,
    SOME,
    SWOT,
    TEXT,
    Field,
    Part,
    field_of,
)
from .original import Source, criteria
from .state import Filled, Row, Value, as_sent

LONGEST = 100_000  # characters of one field
DOES = ("check", "show", "draft", "complete", "save", "overwrite", "markdown", "turtle")
ONCE = ("name", "source", "version", "profile", "lang", "token", "do", "add", "remove")
SECRET_OR_TEXT = ("token", "source")  # where what looks like a token may stand
ROW = re.compile(rf"(?P<part>{'|'.join(filter(None, PARTS))})-(?P<row>[1-9]\d{{0,3}})")
FIELD_NAME = re.compile(
    rf"(?:{ROW.pattern}-)?(?P<key>[A-Za-z]+)(?:-(?P<value>[1-9]\d{{0,3}}))?(?P<language>-language)?"
)
SECRET = re.compile(rf"{BEGINNING}[\w-]{{43}}")


class Place(NamedTuple):
    """Where a field stands: the kind of parts, the number of the part, the field, the number of the value."""

    part: str
    row: int
    field: Field
    value: int
    is_language: bool


@dataclass(frozen=True)
class Sent:
    """A form that was sent: what is filled in, and the other fields by their names.

    `leaked` are the names of fields in which a token stood, which is taken out.
    """

    filled: Filled
    once: dict[str, str]
    leaked: tuple[str, ...]

    @property
    def does(self) -> str:
        """What is to be done, by the button that was pressed."""
        return self.once.get("do", "check")

    @property
    def source(self) -> str:
        """The statements that the form was opened with, as N-Triples."""
        return self.once.get("source", "")

    @property
    def version(self) -> str:
        """The version of the graph when it was opened; empty where the paper is new."""
        return self.once.get("version", "")


class Fields:
    """The fields of a form while they are sorted: values by number, below the key of the field, by part."""

    def __init__(self) -> None:
        """Nothing is there but the paper itself."""
        self.rows: dict[str, dict[int, dict[str, dict[int, Value]]]] = {key: {} for key in PARTS}
        self.rows[PAPER.key][1] = {}

    def take(self, name: str, words: str) -> None:
        """Sort a field in. Raises Problem 400 where there is none such or it is doubled, 413 for too much."""
        row = ROW.fullmatch(name)
        if row:  # says that a part is there, be it empty
            self.row(row["part"], int(row["row"]))
            return
        at = place(name)
        values = self.row(at.part, at.row).setdefault(at.field.key, {})
        number = at.value or len(values) + 1
        old = values.get(number, Value(number, ""))
        if old.language if at.is_language else old.words:
            raise Problem(400, f"The field {name} is sent twice. Send it once.")
        if len(words) > LONGEST:
            raise Problem(413, f"The field {name} holds more than {LONGEST} characters. Shorten it.")
        said = old._replace(language=words.strip()) if at.is_language else None
        values[number] = said or old._replace(words=as_sent(at.field, words))
        check_sent_number(values, f"values of {name}")

    def row(self, part: str, number: int) -> dict[str, dict[int, Value]]:
        """A part with its values. Raises Problem 413 where there are too many of its kind."""
        found = self.rows[part].setdefault(number, {})
        check_sent_number(self.rows[part], f"parts of the kind {part}")
        return found

    def filled(self, name: str) -> Filled:
        """The form of the paper with this name."""
        return Filled(name, {key: [*map(row, sorted(there.items()))] for key, there in self.rows.items()})


def row(found: tuple[int, dict[str, dict[int, Value]]]) -> Row:
    """A part from its number and its values."""
    number, values = found
    return Row(number, {key: [*there.values()] for key, there in values.items()})


def check_sent_number(found: Mapping[int, object], what: str) -> None:
    """Raises Problem 413 where more were sent than the form takes."""
    if len(found) > MOST:
        raise Problem(413, f"The form takes at most {MOST} {what}, and more were sent. Leave some out.")


def sent(pairs: Pairs) -> Sent:
    """The form in the pairs of a body.

    Raises Problem 400 for a field that there is none of or that is doubled, 413 for too much.
    """
    once: dict[str, str] = {}
    fields = Fields()
    leaked: list[str] = []
    for name, given in pairs:
        words = given if name in SECRET_OR_TEXT else SECRET.sub("", given)
        if words != given:
            leaked.append(name)
        if name in once:
            raise Problem(400, f"The field {name} is sent twice. Send it once.")
        if name in ONCE:
            once[name] = words
        else:
            fields.take(name, words)
    if once.get("do", "check") not in DOES:
        raise Problem(400, f"There is nothing called {once['do']!r} to do. There are: {', '.join(DOES)}.")
    return Sent(fields.filled(once.get("name", "").strip()), once, tuple(leaked))


def place(name: str) -> Place:
    """Where a field stands by its name. Raises Problem 400 where there is none of this name."""
    found = FIELD_NAME.fullmatch(name)
    field = found and field_of(found["part"] or PAPER.key, found["key"])
    if not found or not field or not fits(field, found):
        raise no_field(name)
    return Place(
        found["part"] or PAPER.key,
        int(found["row"] or 1),
        field,
        int(found["value"] or 0),
        bool(found["language"]),
    )


def fits(field: Field, found: re.Match[str]) -> bool:
    """Whether a name has a number where the field has several fields, and a language where it is a text."""
    numbered = found["value"] is not None
    return numbered == (field.kind != SOME) and (field.kind == TEXT or not found["language"])


def no_field(name: str) -> Problem:
    """The 400 for a field that the form does not have."""
    keys = [*ONCE, *(one.key for part in PARTS.values() for one in part.fields)]
    guess = near(name, keys)
    meant = f"Did you mean {guess}? " if guess else ""
    return Problem(400, f"The form has no field {name!r}. {meant}Open the form anew at /write.")


BEGUN = (DRAFTER, SWOT, MAIN, FORUM, MECHANISM)  # of which an opened form shows one, be it empty


def begin_request(source: Source) -> Filled:
    """The form as it is opened: with an empty part where the template asks for one and there is none."""
    filled = source.filled
    for part in BEGUN:
        if not filled.rows[part.key]:
            filled = with_row(filled, part, Row(1, {}))
    judged = {one.words("criterion") for one in filled.rows[ASSESSMENT.key]}
    for iri in criteria():
        criterion = iri.removeprefix(NAMES["principle"])
        if criterion not in judged:
            number = len(filled.rows[ASSESSMENT.key]) + 1
            filled = with_row(filled, ASSESSMENT, Row(number, {"criterion": [Value(1, criterion)]}))
    return filled


def with_row(filled: Filled, part: Part, new: Row) -> Filled:
    """The form with one more part."""
    return Filled(filled.name, filled.rows | {part.key: [*filled.rows[part.key], new]})


def added(filled: Filled, what: str, source: Source) -> tuple[Filled, str]:
    """The form with one more part or value, and the name of what was added.

    The number of a new part is one that none had when the form was opened. Raises Problem 400 for what cannot
    be added, 413 where there are too many.
    """
    if what in PARTS and what and PARTS[what].several:
        there = filled.rows[what]
        check_part_number(len(there))
        number = max([len(source.nodes[what]), *(one.number for one in there)]) + 1
        return with_row(filled, PARTS[what], Row(number, {})), f"{what}-{number}"
    found = FIELD_NAME.fullmatch(what)
    at = place(f"{what}-1") if found and found["value"] is None else None
    if at is None or not at.field.several:
        raise Problem(400, f"Nothing that is called {what!r} can be added to the form.")
    row = filled.row(at.part, at.row) or Row(at.row, {})
    values = row.values.get(at.field.key) or [Value(1, "")]
    check_part_number(len(values))
    number = max(one.number for one in values) + 1
    new = Row(row.number, row.values | {at.field.key: [*values, Value(number, "")]})
    return replaced(filled, at.part, new), f"{what}-{number}"


def check_part_number(number: int) -> None:
    """Raises Problem 413 where so many are the most that there may be."""
    if number >= MOST:
        raise Problem(413, f"The form takes at most {MOST} of a kind.")


def removed(filled: Filled, what: str) -> tuple[Filled, str]:
    """The form without a part or value, and the name of what it was one of. Raises Problem 400."""
    found = ROW.fullmatch(what)
    if found:
        key, number = found["part"], int(found["row"])
        left = [one for one in filled.rows[key] if one.number != number]
        without = Filled(filled.name, filled.rows | {key: left})
        return unjudged(without, what) if key == MECHANISM.key else without, key
    at = place(what)
    row = filled.row(at.part, at.row)
    if row is None:
        raise Problem(400, f"The form has no part for {what!r}.")
    values = [one for one in row.values.get(at.field.key, ()) if one.number != at.value]
    return replaced(filled, at.part, Row(row.number, row.values | {at.field.key: values})), what.rpartition(
        "-"
    )[0]


def unjudged(filled: Filled, mechanism: str) -> Filled:
    """The form in which no assessment judges a mechanism, which is there no more."""
    for row in filled.rows[ASSESSMENT.key]:
        judged = [one for one in row.values.get("judges", ()) if one.words != mechanism]
        filled = replaced(filled, ASSESSMENT.key, Row(row.number, row.values | {"judges": judged}))
    return filled


def replaced(filled: Filled, key: str, new: Row) -> Filled:
    """The form with a part in place of the one with its number."""
    rows = [new if one.number == new.number else one for one in filled.rows[key]]
    return Filled(filled.name, filled.rows | {key: rows})
