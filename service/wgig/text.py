"""Text utilities: line positions, spelling suggestions, and cleaning of untrusted text.

Text from clients or from the graph is untrusted. Bidirectional embeddings and isolates are closed in the text
that opens them, so that they cannot reorder the surrounding text. A closing control without an opening one is
removed, because browsers isolate the text of an element by the same controls (Unicode Bidirectional
Algorithm, X6a). U+FFFD replaces control characters that could control a terminal or change the writing
direction, the marker of a workflow command of a CI job, and characters that XML does not allow (XML 1.0,
section 2.2).

A line ends with LF, CR or CRLF. Lines and columns are counted from 1, and a column is a character, as in
editors and parsers.
"""

import re
import unicodedata
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
BIDI_CONTROL_PATTERN = re.compile(rb"\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])")  # U+202A-202E, U+2066-2069
BIDI_CHARACTER_PATTERN = re.compile("([\u202a-\u202e\u2066-\u2069])")
# Parts of a page that are not changed: tags, scripts, and textareas, whose content a form sends back.
UNCHANGED_MARKUP_PATTERN = re.compile(r"(<textarea\b.*?</textarea>|<script\b.*?</script>|<[^>]*>)", re.DOTALL)


def balance_page_bidi(page: bytes) -> bytes:
    """The page with the bidirectional controls balanced in the text between any two tags."""
    if not BIDI_CONTROL_PATTERN.search(page):
        return page
    parts = UNCHANGED_MARKUP_PATTERN.split(page.decode())
    parts[::2] = map(balance_text_bidi, parts[::2])
    return "".join(parts).encode()


def balance_text_bidi(text: str) -> str:
    """The text with all embeddings and isolates closed at its end, without unmatched closing controls."""
    balanced: list[str] = []
    closers: list[str] = []
    open_isolates = 0
    for part in BIDI_CHARACTER_PATTERN.split(text):
        if part in CLOSING_CONTROLS:
            closers.append(CLOSING_CONTROLS[part])
            open_isolates += CLOSING_CONTROLS[part] == POP_ISOLATE
        elif part == POP_ISOLATE and open_isolates:
            while closers[-1] != part:  # the end of an isolate closes the embeddings inside it
                balanced.append(closers.pop())
            closers.pop()
            open_isolates -= 1
        elif part == POP_EMBEDDING and closers[-1:] == [part]:
            closers.pop()
        elif part in (POP_EMBEDDING, POP_ISOLATE):
            continue
        balanced.append(part)
    return "".join([*balanced, *reversed(closers)])


LINE_END_PATTERN = re.compile(r"\r\n|\n|\r")
MAX_EXCERPT_CHARACTERS = 120  # longer lines are cut


class TextPosition(NamedTuple):
    """A position in a text: line and column, counted from 1; columns are characters."""

    line: int
    column: int


class TextEdit(NamedTuple):
    """A change of a text: the characters from `start` to `end` are replaced by `text`."""

    start: int
    end: int
    text: str


class TextLines:
    """The offset at which each line of a text begins. A line ends with LF, CR or CRLF."""

    def __init__(self, text: str) -> None:
        """Find the line ends."""
        self.text = text
        self.line_starts = [0, *(line_end.end() for line_end in LINE_END_PATTERN.finditer(text))]

    def locate(self, offset: int) -> TextPosition:
        """The position of the character at an offset."""
        line = bisect_right(self.line_starts, offset)
        return TextPosition(line, offset - self.line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of the line with this number, without its end."""
        end = self.line_starts[number] if number < len(self.line_starts) else None
        return self.text[self.line_starts[number - 1] : end].rstrip("\r\n")

    def excerpt(self, position: TextPosition) -> str:
        """The line of a position, cut to MAX_EXCERPT_CHARACTERS, and a caret below the column."""
        line, caret_index = self.line(position.line), position.column - 1
        start = max(0, caret_index - MAX_EXCERPT_CHARACTERS // 2)
        caret = re.sub(r"[^\t]", " ", line[start:caret_index]) + "^"
        return f"{replace_control_characters(line[start : start + MAX_EXCERPT_CHARACTERS])}\n{caret}"


MAX_QUOTED_CHARACTERS = 1000  # of untrusted text in a message

# Control characters except tab and line feed, line ends other than line feed, and controls of the writing
# direction.
UNSAFE_CHARACTER_PATTERN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
# The markers of workflow commands in a log of GitHub Actions: `::error::…` at the start of a line, after
# optional spaces, and `##[error]…` anywhere.
CI_COMMAND_PATTERN = re.compile(r"^(\s*)::|##\[")


def replace_control_characters(text: str) -> str:
    """The text with each character of UNSAFE_CHARACTER_PATTERN replaced by U+FFFD."""
    return UNSAFE_CHARACTER_PATTERN.sub("\N{REPLACEMENT CHARACTER}", text)


def shorten_text(text: str, max_characters: int = MAX_QUOTED_CHARACTERS) -> str:
    """The text, cut to `max_characters` with an ellipsis."""
    return text if len(text) <= max_characters else f"{text[: max_characters - 1]}…"


def shorten_untrusted_text(text: str, max_characters: int = MAX_QUOTED_CHARACTERS) -> str:
    """The text, cut to `max_characters` with an ellipsis, its control characters replaced by U+FFFD."""
    return replace_control_characters(shorten_text(text, max_characters))


def defuse_ci_command(line: str) -> str:
    """The line with U+FFFD in place of the marker that would make it a workflow command of a CI job."""
    return CI_COMMAND_PATTERN.sub("\\1\N{REPLACEMENT CHARACTER}", line)


def flatten_untrusted_text(text: str) -> str:
    """The text as one line, without control characters and workflow commands of CI jobs."""
    return defuse_ci_command(replace_control_characters(text).replace("\n", " "))


# Not allowed in any XML document (XML 1.0, section 2.2).
FORBIDDEN_XML_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
REPLACEMENT_CHARACTER = "\ufffd"


def append_xml_element(
    parent: "Element", name: str, text: str | None = None, /, **attributes: str
) -> "Element":
    """Append a new element to `parent`, and return it; see `make_xml_element`."""
    child = make_xml_element(name, text, **attributes)
    parent.append(child)
    return child


def make_xml_element(name: str, text: str | None = None, /, **attributes: str) -> "Element":
    """An element; U+FFFD replaces characters that XML does not allow (XML 1.0, section 2.2)."""
    from xml.etree.ElementTree import Element  # noqa: PLC0415  costs 2 ms, which delays `--help`

    element = Element(name, {key: clean_xml_text(value) for key, value in attributes.items()})
    element.text = None if text is None else clean_xml_text(text)
    return element


def clean_xml_text(text: str) -> str:
    """The text with each character that XML does not allow replaced by U+FFFD."""
    return FORBIDDEN_XML_CHARACTERS.sub(REPLACEMENT_CHARACTER, text)


def serialize_xml_element(root: "Element") -> bytes:
    """The element as a complete, indented XML document in UTF-8."""
    from xml.etree.ElementTree import indent, tostring  # noqa: PLC0415

    indent(root)
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def serialize_csv_rows(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows as CSV in UTF-8 (RFC 4180); None is an empty cell."""
    import csv  # noqa: PLC0415  costs 2 ms, which delays `--help`

    out = StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


MAX_LISTED_NAMES = 40  # listed in a message when no name is similar
MAX_COMPARED_CHARACTERS = 100  # of a name; bounds the time of the comparison
MIN_NAME_SIMILARITY = 0.65  # between 0 and 1: twice the characters in common, per characters of both


def slugify_words(text: str) -> str:
    """A text as an IRI segment of lowercase ASCII letters, digits and hyphens; may be empty."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", ascii_text.lower()))


def find_near_names(
    name: str, known: Collection[str], limit: int = 1, similarity: float = MIN_NAME_SIMILARITY
) -> list[str]:
    """The known names most similar to `name`, the best first.

    Case is ignored only if no name is similar with its case.
    """
    from rapidfuzz import fuzz, process  # noqa: PLC0415  costs 30 ms, which delays `--help`

    for fold in (str, str.casefold):
        key = fold(name[:MAX_COMPARED_CHARACTERS])
        names_by_key = {fold(candidate): candidate for candidate in known}
        matches = process.extract(
            key, list(names_by_key), scorer=fuzz.ratio, limit=None, score_cutoff=100 * similarity
        )
        # Of equally similar names, the last in the order of texts comes first, whatever the order of `known`.
        matches.sort(key=lambda match: (match[1], match[0]), reverse=True)
        if matches:
            return [names_by_key[near_key] for near_key, *_ in matches[:limit]]
    return []


def find_near_name(name: str, known: Collection[str]) -> str:
    """The known name most similar to `name`; empty if none is similar."""
    return next(iter(find_near_names(name, known)), "")


def suggest_near_name(name: str, known: Collection[str], default: str = "") -> str:
    """The question "Did you mean ...?" with the most similar known name; `default` if none is similar."""
    suggestion = find_near_name(name, known)
    return f"Did you mean {suggestion}?" if suggestion else default


@lru_cache(20_000)
def natural_sort_key(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A sort key by which "paragraph 9" comes before "paragraph 10"."""
    chunks = re.split(r"([0-9]+)", text.casefold())
    return tuple(
        (chunk.isdecimal(), int(chunk) if chunk.isdecimal() else 0, chunk) for chunk in chunks if chunk
    )
