"""Text utilities: line positions, spelling suggestions, and cleaning of untrusted text.

Text that clients send or the graph holds is untrusted wherever it is shown. Bidirectional embeddings and
isolates are closed within the text that opens them, so that they cannot reorder what stands around it; in an
element that isolates its text, a control that closes the isolation from within is removed (Unicode
Bidirectional Algorithm, X6a), as browsers implement isolation by such controls themselves. Control characters
that could drive a terminal or change the writing direction become U+FFFD, and so does the mark that would
make a line a workflow command of a CI job. Characters that XML cannot hold (XML 1.0, section 2.2) are
replaced as well.

A line ends with LF, CR or both; lines and columns are counted from 1, and a column is a character, as in
editors and parsers.
"""

import re
from bisect import bisect_right
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

POP_EMBEDDING, POP_ISOLATE = "\u202c", "\u2069"
CLOSED_BY = dict.fromkeys("\u202a\u202b\u202d\u202e", POP_EMBEDDING) | dict.fromkeys(
    "\u2066\u2067\u2068", POP_ISOLATE
)
CONTROL = re.compile(rb"\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])")
# What stays as it is: tags, and what a form sends back or a program reads.
KEPT = re.compile(r"(<textarea\b.*?</textarea>|<script\b.*?</script>|<[^>]*>)", re.DOTALL)


def contained(page: bytes) -> bytes:
    """The page with every text between two tags balanced."""
    if not CONTROL.search(page):
        return page
    parts = KEPT.split(page.decode())
    parts[::2] = map(balanced, parts[::2])
    return "".join(parts).encode()


def balanced(text: str) -> str:
    """The text with all that it opens closed, at its end at the latest, and without what closes nothing."""
    found: list[str] = []
    closing: list[str] = []
    for one in text:
        if one in CLOSED_BY:
            closing.append(CLOSED_BY[one])
        elif one == POP_ISOLATE and one in closing:
            while closing[-1] != one:  # an isolate ends what is open in it
                found.append(closing.pop())
            closing.pop()
        elif one == POP_EMBEDDING and closing[-1:] == [one]:
            closing.pop()
        elif one in (POP_EMBEDDING, POP_ISOLATE):
            continue
        found.append(one)
    return "".join([*found, *reversed(closing)])


END = re.compile(r"\r\n|\n|\r")
EXCERPT_CHARACTERS = 120  # characters of a line in an excerpt


class Place(NamedTuple):
    """A place in a text, both counted from one; a column is a character."""

    line: int
    column: int


class TextLines:
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
        start = max(0, before - EXCERPT_CHARACTERS // 2)
        caret = re.sub(r"[^\t]", " ", line[start:before]) + "^"
        return f"{line[start : start + EXCERPT_CHARACTERS]}\n{caret}"


MAX_REPEATED_CHARACTERS = 1000  # characters of a text of a stranger that are repeated

# Control characters but for tab and line feed, other ends of lines, and what turns the direction of writing.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# What begins a command in the log of GitHub Actions: `::error::…`, indented or not, or `##[error]…` anywhere.
COMMAND = re.compile(r"^(\s*)::|##\[")


def harmless(text: str) -> str:
    """The text with each such character replaced by U+FFFD."""
    return STEERING.sub("\N{REPLACEMENT CHARACTER}", text)


def cut(text: str, longest: int = MAX_REPEATED_CHARACTERS) -> str:
    """The text as it can be shown: harmless, and a long one cut, with an ellipsis."""
    return harmless(text if len(text) <= longest else f"{text[: longest - 1]}…")


def inert(line: str) -> str:
    """The line with U+FFFD in place of the sign that would make it a command of a CI job."""
    return COMMAND.sub("\\1\N{REPLACEMENT CHARACTER}", line)


def one_line(text: str) -> str:
    """The text in one line that neither steers nor commands."""
    return inert(harmless(text).replace("\n", " "))


# What no document may hold (XML 1.0, section 2.2).
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STAND_IN = "\ufffd"


def add_element(parent: "Element", name: str, text: str | None = None, **attributes: str) -> "Element":
    """A new last child of an element; U+FFFD stands for what XML cannot hold (1.0, section 2.2)."""
    from xml.etree.ElementTree import SubElement  # noqa: PLC0415  costs 2 ms, and help must come at once

    given = {key: xml_text(value) for key, value in attributes.items()}
    child = SubElement(parent, name, given)
    child.text = None if text is None else xml_text(text)
    return child


def xml_text(text: str) -> str:
    """The text, each character that XML cannot hold replaced by U+FFFD."""
    return NOT_IN_XML.sub(STAND_IN, text)


def serialize_element(root: "Element") -> bytes:
    """The bytes of a document."""
    from xml.etree.ElementTree import indent, tostring  # noqa: PLC0415

    indent(root)
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


MAX_LISTED_NAMES = 40  # names that are listed where none is near
MAX_COMPARED_CHARACTERS = 100  # characters of a name that are compared, which takes time
ALIKE = 0.65  # how alike names are that are near, up to 1


def near(name: str, known: Collection[str]) -> str:
    """The name that is near among those known; in whatever letters, where none is in these; else none."""
    from difflib import get_close_matches  # noqa: PLC0415  costs 1 ms, and help must come at once

    for fold in (str, str.casefold):
        names = {fold(one): one for one in known}
        for found in get_close_matches(fold(name[:MAX_COMPARED_CHARACTERS]), names, 1, ALIKE):
            return names[found]
    return ""


@lru_cache(20_000)
def natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A sort key by which "paragraph 9" comes before "paragraph 10"."""
    pieces = re.split(r"([0-9]+)", text.casefold())
    return tuple(
        (piece.isdecimal(), int(piece) if piece.isdecimal() else 0, piece) for piece in pieces if piece
    )
