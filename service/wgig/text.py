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
from collections.abc import Collection, Iterable
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

POP_EMBEDDING, POP_ISOLATE = "\u202c", "\u2069"
CLOSING_CONTROLS = dict.fromkeys("\u202a\u202b\u202d\u202e", POP_EMBEDDING) | dict.fromkeys(
    "\u2066\u2067\u2068", POP_ISOLATE
)
BIDI_CONTROL_PATTERN = re.compile(rb"\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])")
# What stays as it is: tags, and what a form sends back or a program reads.
UNCHANGED_MARKUP_PATTERN = re.compile(r"(<textarea\b.*?</textarea>|<script\b.*?</script>|<[^>]*>)", re.DOTALL)


def balance_page_bidi(page: bytes) -> bytes:
    """The page with every text between two tags balanced."""
    if not BIDI_CONTROL_PATTERN.search(page):
        return page
    parts = UNCHANGED_MARKUP_PATTERN.split(page.decode())
    parts[::2] = map(balance_text_bidi, parts[::2])
    return "".join(parts).encode()


def balance_text_bidi(text: str) -> str:
    """The text with all that it opens closed, at its end at the latest, and without what closes nothing."""
    found: list[str] = []
    closing: list[str] = []
    for one in text:
        if one in CLOSING_CONTROLS:
            closing.append(CLOSING_CONTROLS[one])
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


LINE_END_PATTERN = re.compile(r"\r\n|\n|\r")
MAX_EXCERPT_CHARACTERS = 120  # characters of a line in an excerpt


class TextPosition(NamedTuple):
    """A place in a text, both counted from one; a column is a character."""

    line: int
    column: int


class TextLines:
    """Where each line of a text begins. A line ends with LF, CR or both."""

    def __init__(self, text: str) -> None:
        """Look for the ends of the lines."""
        self.text = text
        self.line_starts = [0, *(one.end() for one in LINE_END_PATTERN.finditer(text))]

    def locate(self, offset: int) -> TextPosition:
        """The place of the character at an offset."""
        line = bisect_right(self.line_starts, offset)
        return TextPosition(line, offset - self.line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of the line with this number, without its end."""
        end = self.line_starts[number] if number < len(self.line_starts) else None
        return self.text[self.line_starts[number - 1] : end].rstrip("\r\n")

    def excerpt(self, place: TextPosition) -> str:
        """The line of a place, as much of it as fits on a page, with a caret below the column."""
        line, before = self.line(place.line), place.column - 1
        start = max(0, before - MAX_EXCERPT_CHARACTERS // 2)
        caret = re.sub(r"[^\t]", " ", line[start:before]) + "^"
        return f"{line[start : start + MAX_EXCERPT_CHARACTERS]}\n{caret}"


MAX_REPEATED_CHARACTERS = 1000  # characters of a text of a stranger that are repeated

# Control characters but for tab and line feed, other ends of lines, and what turns the direction of writing.
STEERING_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# What begins a command in the log of GitHub Actions: `::error::…`, indented or not, or `##[error]…` anywhere.
CI_COMMAND_PATTERN = re.compile(r"^(\s*)::|##\[")


def replace_control_characters(text: str) -> str:
    """The text with each such character replaced by U+FFFD."""
    return STEERING_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)


def shorten_untrusted_text(text: str, longest: int = MAX_REPEATED_CHARACTERS) -> str:
    """The text as it can be shown: harmless, and a long one cut, with an ellipsis."""
    return replace_control_characters(text if len(text) <= longest else f"{text[: longest - 1]}…")


def defuse_ci_command(line: str) -> str:
    """The line with U+FFFD in place of the sign that would make it a command of a CI job."""
    return CI_COMMAND_PATTERN.sub("\\1\N{REPLACEMENT CHARACTER}", line)


def flatten_untrusted_text(text: str) -> str:
    """The text in one line that neither steers nor commands."""
    return defuse_ci_command(replace_control_characters(text).replace("\n", " "))


# What no document may hold (XML 1.0, section 2.2).
FORBIDDEN_XML_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
REPLACEMENT_CHARACTER = "\ufffd"


def append_xml_element(
    parent: "Element", name: str, text: str | None = None, /, **attributes: str
) -> "Element":
    """A new last child of an element, as `make_xml_element` makes it."""
    child = make_xml_element(name, text, **attributes)
    parent.append(child)
    return child


def make_xml_element(name: str, text: str | None = None, /, **attributes: str) -> "Element":
    """An element; U+FFFD stands for what XML cannot hold (1.0, section 2.2)."""
    from xml.etree.ElementTree import Element  # noqa: PLC0415  costs 2 ms, and help must come at once

    made = Element(name, {key: clean_xml_text(value) for key, value in attributes.items()})
    made.text = None if text is None else clean_xml_text(text)
    return made


def clean_xml_text(text: str) -> str:
    """The text, each character that XML cannot hold replaced by U+FFFD."""
    return FORBIDDEN_XML_CHARACTERS.sub(REPLACEMENT_CHARACTER, text)


def serialize_xml_element(root: "Element") -> bytes:
    """The bytes of a document."""
    from xml.etree.ElementTree import indent, tostring  # noqa: PLC0415

    indent(root)
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def serialize_csv_rows(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows as CSV in UTF-8 (RFC 4180); None is an empty cell."""
    import csv  # noqa: PLC0415  costs 2 ms, and help must come at once

    out = StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


MAX_LISTED_NAMES = 40  # names that are listed where none is near
MAX_COMPARED_CHARACTERS = 100  # characters of a name that are compared, which takes time
MIN_NAME_SIMILARITY = 0.65  # how alike names are that are near, up to 1


def find_near_names(
    name: str, known: Collection[str], most: int = 1, similarity: float = MIN_NAME_SIMILARITY
) -> list[str]:
    """The known names that are near, the nearest first; in whatever letters, where none is in these."""
    from difflib import get_close_matches  # noqa: PLC0415  costs 1 ms, and help must come at once

    for fold in (str, str.casefold):
        names = {fold(one): one for one in known}
        if found := get_close_matches(fold(name[:MAX_COMPARED_CHARACTERS]), names, most, similarity):
            return [names[one] for one in found]
    return []


def find_near_name(name: str, known: Collection[str]) -> str:
    """The name that is nearest among those known; empty where none is near."""
    return next(iter(find_near_names(name, known)), "")


def suggest_near_name(name: str, known: Collection[str], otherwise: str = "") -> str:
    """The sentence that asks whether the nearest name was meant; `otherwise` where none is near."""
    meant = find_near_name(name, known)
    return f"Did you mean {meant}?" if meant else otherwise


@lru_cache(20_000)
def natural_sort_key(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A sort key by which "paragraph 9" comes before "paragraph 10"."""
    pieces = re.split(r"([0-9]+)", text.casefold())
    return tuple(
        (piece.isdecimal(), int(piece) if piece.isdecimal() else 0, piece) for piece in pieces if piece
    )
