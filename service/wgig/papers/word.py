"""Reads papers from Word files (.docx): Markdown from their headings, with checks of the zip and XML.

Headings are recognized by style, or as plain titles that the template knows. What comes before the first
section is the front matter: a table of two columns, or paragraphs `Key: value`.

The archive is untrusted: at most 1000 entries, 20 MiB unpacked, 100,000 elements, 100 levels. Only XML that
is well-formed and declares no document type or entities is passed on (zip bomb, XXE).
"""

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, NoReturn
from xml.parsers import expat

import mammoth  # type: ignore[import-untyped]
import pyoxigraph as ox
from bs4 import BeautifulSoup, Tag
from markdownify import ATX, MarkdownConverter

from ..problems import Problem
from ..settings import MIB
from .markdown import reader
from .markdown.template import (
    ACTORS,
    CRITERIA,
    FORUM,
    HEAD,
    MECHANISM,
    SECTIONS,
    SWOT,
    Heading,
    criterion,
    marked,
    nearest,
    plain,
    recognized,
)
from .markdown.writer import dumped

LARGEST = 20 * MIB  # of all entries together, unpacked
MOST = 1000  # entries
DEEPEST = 100  # elements in each other
ELEMENTS = 100_000  # of one part; five pages have some thousand
CHUNK = 64 * 1024
DOCUMENT = re.compile(r"word/document\d*\.xml", re.IGNORECASE)
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
AGAIN = "Save the paper in Word as .docx and send it again."


def checked(data: bytes) -> io.BytesIO:
    """A Word file with nothing but the XML of the given one.

    Raises Problem 400 where the bytes are no Word file or hold XML that is not read here, 413 where they
    unpack too large or to too many elements.
    """
    clean = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(clean, "w") as kept:
            left = LARGEST
            for entry in entries(given):
                content = unpacked(given, entry, left)
                left -= len(content)
                if entry.filename.lower().endswith((".xml", ".rels")):
                    harmless(content)
                    kept.writestr(entry.filename, content)
    except UNREADABLE as error:
        raise Problem(400, f"The file is no Word file (.docx). {AGAIN}") from error
    clean.seek(0)
    return clean


def entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """What the archive lists. Raises Problem where it is no Word file, or says that it is too large."""
    found = archive.infolist()
    if len(set(archive.namelist())) < len(found):
        raise zipfile.BadZipFile("two entries of one name")
    if len(found) > MOST or sum(one.file_size for one in found) > LARGEST:
        too_large()
    if not any(map(DOCUMENT.fullmatch, archive.namelist())):
        raise Problem(400, f"The file is no Word file (.docx): no text is in it. {AGAIN}")
    return found


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    """The bytes of an entry. Raises Problem 413 where they are more than what is left."""
    content = bytearray()
    with archive.open(entry) as stream:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            content += chunk
            if len(content) > left:
                too_large()
    return bytes(content)


def too_large() -> NoReturn:
    """Raise the Problem 413 for what unpacks too large."""
    raise Problem(
        413,
        f"The Word file unpacks to more than {LARGEST // MIB} MiB or {MOST} parts. Take out pictures, or "
        "send the text as Markdown.",
    )


def harmless(content: bytes) -> None:
    """Raise Problem 400 for XML that is not well-formed, declares a type or entities, or is nested deeply.

    Raises Problem 413 for more elements than any paper has.
    """
    parser = expat.ParserCreate()
    depth = elements = 0

    def opens(*_: object) -> None:
        nonlocal depth, elements
        depth += 1
        elements += 1
        if elements > ELEMENTS:
            cause = f"A part of the Word file has more than {ELEMENTS} elements."
            raise Problem(413, f"{cause} Take out what does not belong to the paper.")
        if depth > DEEPEST:
            raise Problem(400, f"The XML in the Word file is nested more than {DEEPEST} deep. {AGAIN}")

    def closes(_: str) -> None:
        nonlocal depth
        depth -= 1

    def declares(*_: object) -> None:
        raise Problem(400, f"The XML in the Word file has a DOCTYPE, which Word never writes. {AGAIN}")

    parser.StartElementHandler, parser.EndElementHandler = opens, closes
    parser.StartDoctypeDeclHandler = declares
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Problem(400, f"The Word file is damaged: {expat.ErrorString(error.code)}. {AGAIN}") from error
    except LookupError as error:
        raise Problem(400, f"The Word file is damaged: {error}. {AGAIN}") from error


HEADING = re.compile(r"h([1-6])")
PAIR = re.compile(r"([^\s:][^:\n]{0,30}?)\s*:\s*(.*)", re.DOTALL)
VALUE = re.compile(r"(?:\([^();\n]*\)|[^,;\n])+")  # commas in brackets belong to the value
PERSON = re.compile(r"(.*\S)\s*\(([^()]*)\)")
LISTS = ("drafters", "cites", "source")
STYLES = "p.Title => h1:fresh\np[style-name='Title'] => h1:fresh"
# The headings below a section and their level in Markdown; and the level of names that an author gives.
BELOW: dict[str, tuple[tuple[Heading, ...], int]] = {
    "swot": (SWOT, 3),
    "actors": (ACTORS, 3),
    "forums": (FORUM, 4),
    "mechanisms": (MECHANISM, 4),
    "adequacy": (CRITERIA, 3),
}
NAMES = {"forums": 3, "mechanisms": 3, "adequacy": 4}
CONVERTER = MarkdownConverter(heading_style=ATX, bullets="-", escape_misc=True, strip=["img"])


def read(data: bytes) -> tuple[str, list[ox.Triple]]:
    """The text of a Word file as Markdown, and its triples.

    Raises Problem as `to_markdown` and reading do, but without a line, as a Word file has none: the excerpt
    is the paragraph.
    """
    text = to_markdown(data)
    try:
        return text, reader.read(text)[0]
    except Problem as problem:
        paragraph = str(problem.members.get("excerpt", "")).partition("\n")[0]
        raise Problem(problem.status, problem.detail, slug=problem.slug, excerpt=paragraph) from problem


def to_markdown(data: bytes) -> str:
    """The text of a Word file as Markdown.

    Raises Problem 400 where it is no Word file or its head has an unknown key, 413 where it is too large.
    """
    harmless = checked(data)
    try:
        html = mammoth.convert_to_html(
            harmless,
            style_map=STYLES,
            include_embedded_style_map=False,
            external_file_access=False,
            convert_image=lambda _: [],
        ).value
    except Exception as error:  # whatever mammoth stumbles over, it is the file
        raise Problem(400, f"The Word file is damaged: its text cannot be read. {AGAIN}") from error
    return Conversion(BeautifulSoup(reader.short(html), "html.parser")).text()


class Conversion:
    """The HTML of a Word file while it is written as Markdown."""

    def __init__(self, soup: BeautifulSoup) -> None:
        """Begin before the first element, in the head."""
        self.elements = [one for one in soup.children if isinstance(one, Tag)]
        self.values: dict[str, Any] = {}
        self.section: Heading | None = None
        self.base = 0  # the level in Word of the headings of the sections, 0 where they are plain titles

    def text(self) -> str:
        """The whole text."""
        blocks = [block for element in self.elements for block in self.blocks(element) if block]
        head = {key: self.values[key] for key in HEAD if key in self.values}
        return "\n\n".join([f"---\n{dumped(head) if head else ''}---", *blocks]) + "\n"

    def blocks(self, element: Tag) -> Iterator[str]:
        """What an element is in Markdown."""
        words = " ".join(element.get_text().split())
        level = level_of(element)
        section = recognized(words, SECTIONS)
        if section and (level or (marked(words)[0] and by_words(words, SECTIONS))):
            self.section, self.base = section, level
            yield f"## {section.written}"
        elif self.section:
            yield self.heading(element, words, level) or source(element)
        elif level == 1:
            self.values.setdefault("title", words)
        elif not self.pairs(element):
            yield source(element)

    def heading(self, element: Tag, words: str, level: int) -> str:
        """The heading that an element is inside its section, or an empty text."""
        self.base = self.base or max(0, level - 1)
        key = self.section.key if self.section else ""
        headings, below = BELOW.get(key, ((), 0))
        named = NAMES.get(key, 0)
        depth = level and max(3, level - self.base + 2)
        by_mark = depth == below or (not depth and marked(words)[0] == "f")
        known = recognized(words, headings) if by_mark else by_words(words, headings)
        if headings is CRITERIA and by_mark and not (known and known.key):
            known, principle = criterion(words)
            words = f"Other: {principle}" if principle else "Other"
        if known:
            return f"{'#' * below} {known.written if known.key else f'{known.mark}. {words}'}"
        if not depth and named and bold(element):
            depth = named
        return f"{'#' * depth} {words}" if depth else ""

    def pairs(self, element: Tag) -> bool:
        """Take the keys and values in a table or paragraph of the head; whether there are any."""
        if element.name == "table":
            found = [
                [cell.get_text("\n").strip() for cell in row.find_all(["td", "th"])]
                for row in element.find_all("tr")
            ]
            pairs = [(row[0].rstrip(" :"), row[1]) for row in found if len(row) == 2]
        else:
            pair = PAIR.fullmatch(element.get_text("\n" if element.br else "").strip())
            pairs = [(pair[1], pair[2])] if pair else []
        for key, value in pairs:
            self.take(key, value)
        return bool(pairs)

    def take(self, key: str, value: str) -> None:
        """Take a key of the head. Raises Problem 400 for one that the form does not have."""
        known = plain(key)
        if known not in HEAD:
            near = nearest(key, HEAD)
            mend = f"Did you mean {near}?" if near else f"Its keys are: {', '.join(HEAD)}."
            raise Problem(400, f"The head has no key {key}. {mend}", slug="syntax")
        self.values[known] = value_of(known, value)


def by_words(words: str, headings: tuple[Heading, ...]) -> Heading | None:
    """The heading that a plain title means by all of its words."""
    found = recognized(words, headings)
    return found if found and plain(marked(words)[1]) in found.spellings else None


def level_of(element: Tag) -> int:
    """The level of a heading, 0 for anything else."""
    found = HEADING.fullmatch(element.name)
    return int(found[1]) if found else 0


def bold(element: Tag) -> bool:
    """Whether all words of a paragraph are bold."""
    strong = "".join(one.get_text() for one in element.find_all("strong"))
    return element.name == "p" and strong.split() == element.get_text().split() != []


def source(element: Tag) -> str:
    """The Markdown of an element."""
    text: str = CONVERTER.convert_soup(element)
    return text.strip()


def value_of(key: str, value: str) -> Any:
    """A value of the head: a text, a list, or a map, by its key."""
    if key == "waivers":
        return {
            code.strip(): reason.strip()
            for code, _, reason in (line.partition(":") for line in value.splitlines() if line.strip())
        }
    if key not in LISTS:
        return value
    values = [one.strip() for one in VALUE.findall(value) if one.strip()]
    return [drafter(one) for one in values] if key == "drafters" else values


def drafter(words: str) -> Any:
    """A drafter: a name in the graph, or `Name (stakeholder-group, member)`."""
    found = PERSON.fullmatch(words)
    if not found:
        return words
    said = [one.strip() for one in found[2].split(",")]
    groups = [one for one in said if one != "member"]
    return {
        "name": found[1],
        **({"group": groups} if groups else {}),
        **({"member": True} if "member" in said else {}),
    }
