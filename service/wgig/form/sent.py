"""What a browser sends: the fields, and which button was pressed. What is no field is refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..bodies import Pairs
from ..near import near
from ..problems import Problem
from ..tokens import BEGINNING
from .filled import Filled, Row, Value
from .layout import MOST, PAPER, PARTS, SOME, TEXT, Field, field_of
from .words import as_sent

LONGEST = 100_000  # characters of one field
DOES = ("check", "show", "draft", "complete", "save", "overwrite", "markdown", "turtle")
ONCE = ("name", "source", "version", "profile", "lang", "token", "do", "add", "remove")
SECRET_OR_TEXT = ("token", "source")  # where what looks like a token may stand
ROW = re.compile(rf"(?P<part>{'|'.join(filter(None, PARTS))})-(?P<row>[1-9]\d{{0,3}})")
NAME = re.compile(
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
        enough(values, f"values of {name}")

    def row(self, part: str, number: int) -> dict[str, dict[int, Value]]:
        """A part with its values. Raises Problem 413 where there are too many of its kind."""
        found = self.rows[part].setdefault(number, {})
        enough(self.rows[part], f"parts of the kind {part}")
        return found

    def filled(self, name: str) -> Filled:
        """The form of the paper with this name."""
        return Filled(name, {key: [*map(row, sorted(there.items()))] for key, there in self.rows.items()})


def row(found: tuple[int, dict[str, dict[int, Value]]]) -> Row:
    """A part from its number and its values."""
    number, values = found
    return Row(number, {key: [*there.values()] for key, there in values.items()})


def enough(found: Mapping[int, object], what: str) -> None:
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
    found = NAME.fullmatch(name)
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
