"""What stands in the form: values by part and field, with the names under which they are sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .layout import PAPER, PARTS, Field, Part


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
