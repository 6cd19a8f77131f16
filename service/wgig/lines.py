"""The lines of a text, as editors and parsers count them."""

import re
from bisect import bisect_right
from typing import NamedTuple

END = re.compile(r"\r\n|\n|\r")
SHOWN = 120  # characters of a line in an excerpt


class Place(NamedTuple):
    """A place in a text, both counted from one; a column is a character."""

    line: int
    column: int


class Lines:
    """Where each line of a text begins. A line ends with LF, CR or both."""

    def __init__(self, text: str) -> None:
        """Look for the ends of the lines."""
        self.text = text
        self.starts = [0, *(one.end() for one in END.finditer(text))]

    def place(self, offset: int) -> Place:
        """The place of the character at an offset."""
        line = bisect_right(self.starts, offset)
        return Place(line, offset - self.starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of the line with this number, without its end."""
        end = self.starts[number] if number < len(self.starts) else None
        return self.text[self.starts[number - 1] : end].rstrip("\r\n")

    def excerpt(self, place: Place) -> str:
        """The line of a place, as much of it as fits on a page, with a caret below the column."""
        line, before = self.line(place.line), place.column - 1
        start = max(0, before - SHOWN // 2)
        caret = re.sub(r"[^\t]", " ", line[start:before]) + "^"
        return f"{line[start : start + SHOWN]}\n{caret}"
