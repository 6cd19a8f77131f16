"""Read papers from Word files (.docx): Markdown from their headings, with checks of the zip and XML.

Headings are recognized by style, or as plain titles that the template has. What comes before the first
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
    ACTOR_HEADINGS,
    CRITERION_HEADINGS,
    FORUM_HEADINGS,
    FRONT_MATTER_KEYS,
    MECHANISM_HEADINGS,
    SECTION_HEADINGS,
    SWOT_HEADINGS,
    TemplateHeading,
    find_nearest_key,
    normalize_words,
    recognize_criterion,
    recognize_heading,
    split_heading_mark,
)
from .markdown.writer import serialize_yaml

MAX_UNPACKED_BYTES = 20 * MIB  # of all entries together, unpacked
MAX_ARCHIVE_ENTRIES = 1000  # entries
MAX_XML_LEVELS = 100  # levels of nested elements
MAX_XML_ELEMENTS = 100_000  # of one entry; five pages have a few thousand
UNPACK_CHUNK_BYTES = 64 * 1024
DOCUMENT_ENTRY_PATTERN = re.compile(r"word/document\d*\.xml", re.IGNORECASE)
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
SEND_AGAIN_HINT = "Save the paper in Word as .docx and send it again."


def sanitize_word_file(data: bytes) -> io.BytesIO:
    """A Word file with only the XML entries of the given one, after checks.

    Raises Problem 400 where the bytes are not a Word file or have forbidden XML, 413 where they unpack to too
    many bytes or elements.
    """
    output = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(output, "w") as target:
            remaining_bytes = MAX_UNPACKED_BYTES
            for entry in list_archive_entries(source):
                content = unpack_archive_entry(source, entry, remaining_bytes)
                remaining_bytes -= len(content)
                if entry.filename.lower().endswith((".xml", ".rels")):
                    check_harmless_xml(content)
                    target.writestr(entry.filename, content)
    except ARCHIVE_ERRORS as error:
        raise Problem(400, f"The file is not a Word file (.docx). {SEND_AGAIN_HINT}") from error
    output.seek(0)
    return output


def list_archive_entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The entries of the archive. Raises Problem where it is not a Word file or declares to be too large."""
    entries = archive.infolist()
    if len(set(archive.namelist())) < len(entries):
        raise zipfile.BadZipFile("two entries with one name")
    if len(entries) > MAX_ARCHIVE_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        refuse_large_archive()
    if not any(map(DOCUMENT_ENTRY_PATTERN.fullmatch, archive.namelist())):
        raise Problem(400, f"The file is not a Word file (.docx): it has no text. {SEND_AGAIN_HINT}")
    return entries


def unpack_archive_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, remaining_bytes: int) -> bytes:
    """The bytes of an entry. Raises Problem 413 for more than `remaining_bytes`."""
    content = bytearray()
    with archive.open(entry) as stream:
        for chunk in iter(lambda: stream.read(UNPACK_CHUNK_BYTES), b""):
            content += chunk
            if len(content) > remaining_bytes:
                refuse_large_archive()
    return bytes(content)


def refuse_large_archive() -> NoReturn:
    """Raise Problem 413 for an archive that unpacks to too much."""
    raise Problem(
        413,
        f"The Word file unpacks to more than {MAX_UNPACKED_BYTES // MIB} MiB or {MAX_ARCHIVE_ENTRIES} parts. "
        "Remove pictures, or send the text as Markdown.",
    )


class WordXmlLimits:
    """Limits on the XML of a Word file, as parser handlers that raise Problem beyond them."""

    def __init__(self) -> None:
        """Start before the first element."""
        self.depth = self.element_count = 0

    def open_element(self, *_: object) -> None:
        """Count a start tag. Raises Problem 413 for too many, 400 where they are nested too deeply."""
        self.depth += 1
        self.element_count += 1
        if self.element_count > MAX_XML_ELEMENTS:
            cause = f"A part of the Word file has more than {MAX_XML_ELEMENTS} elements."
            raise Problem(413, f"{cause} Remove what does not belong to the paper.")
        if self.depth > MAX_XML_LEVELS:
            raise Problem(
                400, f"The XML in the Word file is nested more than {MAX_XML_LEVELS} deep. {SEND_AGAIN_HINT}"
            )

    def close_element(self, _: str) -> None:
        """Count an end tag."""
        self.depth -= 1

    def refuse_doctype(self, *_: object) -> None:
        """Raise Problem 400 for a document type, which may declare entities."""
        raise Problem(
            400, f"The XML in the Word file has a DOCTYPE, which Word never writes. {SEND_AGAIN_HINT}"
        )


def check_harmless_xml(content: bytes) -> None:
    """Raise Problem 400 for XML that is malformed, has a document type, or is nested too deeply.

    Raises Problem 413 for more elements than any paper has.
    """
    parser, limits = expat.ParserCreate(), WordXmlLimits()
    parser.StartElementHandler, parser.EndElementHandler = limits.open_element, limits.close_element
    parser.StartDoctypeDeclHandler = limits.refuse_doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Problem(
            400, f"The Word file is damaged: {expat.ErrorString(error.code)}. {SEND_AGAIN_HINT}"
        ) from error
    except LookupError as error:
        raise Problem(400, f"The Word file is damaged: {error}. {SEND_AGAIN_HINT}") from error


HTML_HEADING_PATTERN = re.compile(r"h([1-6])")
KEY_VALUE_PATTERN = re.compile(r"([^\s:][^:\n]{0,30}?)\s*:\s*(.*)", re.DOTALL)
LISTED_VALUE_PATTERN = re.compile(r"(?:\([^();\n]*\)|[^,;\n])+")  # commas in parentheses belong to the value
WORD_PERSON_PATTERN = re.compile(r"(.*\S)\s*\(([^()]*)\)")
LIST_KEYS = ("drafters", "cites", "source")
WORD_STYLE_MAP = "p.Title => h1:fresh\np[style-name='Title'] => h1:fresh"
# The template headings below a section, with their level in Markdown; then the level of headings that are
# names given by the author.
SECTION_SUBHEADINGS: dict[str, tuple[tuple[TemplateHeading, ...], int]] = {
    "swot": (SWOT_HEADINGS, 3),
    "actors": (ACTOR_HEADINGS, 3),
    "forums": (FORUM_HEADINGS, 4),
    "mechanisms": (MECHANISM_HEADINGS, 4),
    "adequacy": (CRITERION_HEADINGS, 3),
}
NAME_HEADING_LEVELS = {"forums": 3, "mechanisms": 3, "adequacy": 4}
HTML_CONVERTER = MarkdownConverter(heading_style=ATX, bullets="-", escape_misc=True, strip=["img"])


def read_word_paper(data: bytes) -> tuple[str, list[ox.Triple]]:
    """The text of a Word file as Markdown, and its triples.

    Raises Problem as `convert_word_to_markdown` and the Markdown reader, but without line and column, as a
    Word file has no lines: the excerpt is the paragraph.
    """
    text = convert_word_to_markdown(data)
    try:
        return text, reader.parse_paper_triples(text)[0]
    except Problem as problem:
        paragraph = str(problem.members.get("excerpt", "")).partition("\n")[0]
        raise Problem(problem.status, problem.detail, slug=problem.slug, excerpt=paragraph) from problem


def convert_word_to_markdown(data: bytes) -> str:
    """The text of a Word file as Markdown.

    Raises Problem 400 where it is not a Word file or its front matter has an unknown key, 413 where it is too
    large.
    """
    harmless = sanitize_word_file(data)
    try:
        html = mammoth.convert_to_html(
            harmless,
            style_map=WORD_STYLE_MAP,
            include_embedded_style_map=False,
            external_file_access=False,
            convert_image=lambda _: [],
        ).value
    except Exception as error:  # mammoth raises errors of many kinds for a damaged file
        raise Problem(400, f"The Word file is damaged: its text cannot be read. {SEND_AGAIN_HINT}") from error
    return WordConversion(BeautifulSoup(reader.check_paper_length(html), "html.parser")).convert()


class WordConversion:
    """Converts the HTML of a Word file to Markdown."""

    def __init__(self, soup: BeautifulSoup) -> None:
        """Start before the first element, in the front matter."""
        self.elements = [element for element in soup.children if isinstance(element, Tag)]
        self.front_matter: dict[str, Any] = {}
        self.section: TemplateHeading | None = None
        # The level of the section headings in Word, 0 where they are plain titles.
        self.base_level = 0

    def convert(self) -> str:
        """The Markdown of the whole file."""
        blocks = [block for element in self.elements for block in self.iter_blocks(element) if block]
        front_matter = {key: self.front_matter[key] for key in FRONT_MATTER_KEYS if key in self.front_matter}
        return (
            "\n\n".join([f"---\n{serialize_yaml(front_matter) if front_matter else ''}---", *blocks]) + "\n"
        )

    def iter_blocks(self, element: Tag) -> Iterator[str]:
        """An element as Markdown blocks."""
        words = " ".join(element.get_text().split())
        level = html_heading_level(element)
        section = recognize_heading(words, SECTION_HEADINGS)
        if section and (
            level or (split_heading_mark(words)[0] and recognize_full_title(words, SECTION_HEADINGS))
        ):
            self.section, self.base_level = section, level
            yield f"## {section.marked_title}"
        elif self.section:
            yield self.format_heading(element, words, level) or convert_element(element)
        elif level == 1:
            self.front_matter.setdefault("title", words)
        elif not self.read_pairs(element):
            yield convert_element(element)

    def format_heading(self, element: Tag, words: str, level: int) -> str:
        """An element as a heading inside its section, or an empty string where it is not a heading."""
        self.base_level = self.base_level or max(0, level - 1)
        key = self.section.key if self.section else ""
        headings, heading_level = SECTION_SUBHEADINGS.get(key, ((), 0))
        name_level = NAME_HEADING_LEVELS.get(key, 0)
        depth = level and max(3, level - self.base_level + 2)
        by_mark = depth == heading_level or (not depth and split_heading_mark(words)[0] == "f")
        heading = recognize_heading(words, headings) if by_mark else recognize_full_title(words, headings)
        if headings is CRITERION_HEADINGS and by_mark and not (heading and heading.key):
            heading, principle = recognize_criterion(words)
            words = f"Other: {principle}" if principle else "Other"
        if heading:
            return (
                f"{'#' * heading_level} {heading.marked_title if heading.key else f'{heading.mark}. {words}'}"
            )
        if not depth and name_level and is_bold_paragraph(element):
            depth = name_level
        return f"{'#' * depth} {words}" if depth else ""

    def read_pairs(self, element: Tag) -> bool:
        """Read keys and values from a table or paragraph of the front matter; returns whether it has any."""
        if element.name == "table":
            rows = [
                [cell.get_text("\n").strip() for cell in row.find_all(["td", "th"])]
                for row in element.find_all("tr")
            ]
            pairs = [(row[0].rstrip(" :"), row[1]) for row in rows if len(row) == 2]
        else:
            pair = KEY_VALUE_PATTERN.fullmatch(element.get_text("\n" if element.br else "").strip())
            pairs = [(pair[1], pair[2])] if pair else []
        for key, value in pairs:
            self.add_value(key, value)
        return bool(pairs)

    def add_value(self, key: str, value: str) -> None:
        """Add a key of the front matter. Raises Problem 400 for an unknown key."""
        normalized_key = normalize_words(key)
        if normalized_key not in FRONT_MATTER_KEYS:
            nearest = find_nearest_key(key, FRONT_MATTER_KEYS)
            fix = f"Did you mean {nearest}?" if nearest else f"Its keys are: {', '.join(FRONT_MATTER_KEYS)}."
            raise Problem(400, f"The front matter has no key {key}. {fix}", slug="syntax")
        self.front_matter[normalized_key] = parse_word_value(normalized_key, value)


def recognize_full_title(words: str, headings: tuple[TemplateHeading, ...]) -> TemplateHeading | None:
    """The heading whose whole title a text is, or None."""
    heading = recognize_heading(words, headings)
    return heading if heading and normalize_words(split_heading_mark(words)[1]) in heading.spellings else None


def html_heading_level(element: Tag) -> int:
    """The level of a heading, 0 for anything else."""
    match = HTML_HEADING_PATTERN.fullmatch(element.name)
    return int(match[1]) if match else 0


def is_bold_paragraph(element: Tag) -> bool:
    """Whether all words of a paragraph are bold."""
    strong = "".join(run.get_text() for run in element.find_all("strong"))
    return element.name == "p" and strong.split() == element.get_text().split() != []


def convert_element(element: Tag) -> str:
    """The Markdown of an element."""
    text: str = HTML_CONVERTER.convert_soup(element)
    return text.strip()


def parse_word_value(key: str, value: str) -> Any:
    """A value of the front matter by its key: a text, a list, or a mapping."""
    if key == "waivers":
        return {
            code.strip(): reason.strip()
            for code, _, reason in (line.partition(":") for line in value.splitlines() if line.strip())
        }
    if key not in LIST_KEYS:
        return value
    values = [item.strip() for item in LISTED_VALUE_PATTERN.findall(value) if item.strip()]
    return [parse_drafter(drafter) for drafter in values] if key == "drafters" else values


def parse_drafter(words: str) -> Any:
    """A drafter: a name in the graph, or `Name (stakeholder-group, member)`."""
    match = WORD_PERSON_PATTERN.fullmatch(words)
    if not match:
        return words
    details = [detail.strip() for detail in match[2].split(",")]
    groups = [detail for detail in details if detail != "member"]
    return {
        "name": match[1],
        **({"group": groups} if groups else {}),
        **({"member": True} if "member" in details else {}),
    }
