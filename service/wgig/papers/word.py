"""Convert papers in Word files (.docx) to Markdown, after checks of the zip archive and its XML.

A heading has a heading style, or is a paragraph with a title of the template. The front matter is before the
first section: a table with two columns, paragraphs such as `Issue: spam`, or YAML between paragraphs `---`.

The archive is untrusted (zip bombs, XXE). It may have at most 1000 entries, and 20 MiB when unpacked. Each
XML entry must be well-formed, without a document type, with at most 100,000 elements and 100 levels.
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
MAX_ARCHIVE_ENTRIES = 1000
MAX_XML_LEVELS = 100  # levels of nested elements
MAX_XML_ELEMENTS = 100_000  # of one entry; five pages have a few thousand
UNPACK_CHUNK_BYTES = 64 * 1024
DOCUMENT_ENTRY_PATTERN = re.compile(r"word/document\d*\.xml", re.IGNORECASE)
ARCHIVE_ERRORS = (  # raised by zipfile for data that is not a zip archive, or damaged
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
SAVE_AGAIN_HINT = "Save the paper as .docx in Word, and send it again."


def sanitize_word_file(data: bytes) -> io.BytesIO:
    """A copy of the Word file with its XML entries only, after checks.

    Raises Problem 400 if the data is not a Word file or has forbidden XML, 413 if it is too large unpacked.
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
        raise Problem(400, f"The file is not a Word file (.docx). {SAVE_AGAIN_HINT}") from error
    output.seek(0)
    return output


def list_archive_entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The entries of the archive.

    Raises BadZipFile for two entries with the same name, Problem 400 if there is no document, and 413 if the
    sizes in the directory of the archive add up to too much.
    """
    entries = archive.infolist()
    if len(set(archive.namelist())) < len(entries):
        raise zipfile.BadZipFile("two entries with the same name")
    if len(entries) > MAX_ARCHIVE_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        refuse_large_archive()
    if not any(map(DOCUMENT_ENTRY_PATTERN.fullmatch, archive.namelist())):
        raise Problem(400, f"The file is not a Word file (.docx): it has no text. {SAVE_AGAIN_HINT}")
    return entries


def unpack_archive_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, remaining_bytes: int) -> bytes:
    """The unpacked content of an entry. Raises Problem 413 if it has more than `remaining_bytes`."""
    content = bytearray()
    with archive.open(entry) as stream:
        for chunk in iter(lambda: stream.read(UNPACK_CHUNK_BYTES), b""):
            content += chunk
            if len(content) > remaining_bytes:
                refuse_large_archive()
    return bytes(content)


def refuse_large_archive() -> NoReturn:
    """Raise Problem 413 for an archive that is too large."""
    raise Problem(
        413,
        f"The Word file unpacks to more than {MAX_UNPACKED_BYTES // MIB} MiB or {MAX_ARCHIVE_ENTRIES} parts. "
        "Remove pictures, or send the text as Markdown.",
    )


class WordXmlLimits:
    """Handlers of the XML parser that raise Problem if an entry exceeds the limits."""

    def __init__(self) -> None:
        """Start with no elements."""
        self.depth = self.element_count = 0

    def open_element(self, *_: object) -> None:
        """Count a start tag. Raises Problem 413 for too many elements, 400 for too many levels."""
        self.depth += 1
        self.element_count += 1
        if self.element_count > MAX_XML_ELEMENTS:
            cause = f"A part of the Word file has more than {MAX_XML_ELEMENTS} elements."
            raise Problem(413, f"{cause} Remove everything that does not belong to the paper.")
        if self.depth > MAX_XML_LEVELS:
            raise Problem(
                400, f"The XML in the Word file is nested more than {MAX_XML_LEVELS} deep. {SAVE_AGAIN_HINT}"
            )

    def close_element(self, _: str) -> None:
        """Count an end tag."""
        self.depth -= 1

    def refuse_doctype(self, *_: object) -> None:
        """Raise Problem 400 for a document type, which may declare entities."""
        raise Problem(
            400, f"The XML in the Word file has a DOCTYPE, which Word never writes. {SAVE_AGAIN_HINT}"
        )


def check_harmless_xml(content: bytes) -> None:
    """Check the XML of an entry.

    Raises Problem 400 if it is malformed, has a document type or too many levels, 413 for too many elements.
    """
    parser, limits = expat.ParserCreate(), WordXmlLimits()
    parser.StartElementHandler, parser.EndElementHandler = limits.open_element, limits.close_element
    parser.StartDoctypeDeclHandler = limits.refuse_doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Problem(
            400, f"The Word file is damaged: {expat.ErrorString(error.code)}. {SAVE_AGAIN_HINT}"
        ) from error
    except LookupError as error:
        raise Problem(400, f"The Word file is damaged: {error}. {SAVE_AGAIN_HINT}") from error


HTML_HEADING_PATTERN = re.compile(r"h([1-6])")
KEY_VALUE_PATTERN = re.compile(r"([^\s:][^:\n]{0,30}?)\s*:\s*(.*)", re.DOTALL)
FENCE_PATTERN = re.compile(r"[-–—]+")  # Word may replace hyphens by dashes
LISTED_VALUE_PATTERN = re.compile(r"(?:\([^();\n]*\)|[^,;\n])+")  # commas in parentheses belong to the value
WORD_PERSON_PATTERN = re.compile(r"(.*\S)\s*\(([^()]*)\)")
LIST_KEYS = ("drafters", "cites", "source")  # front matter keys with several values
# For mammoth: a paragraph of the style Title becomes a heading of level 1.
WORD_STYLE_MAP = "p.Title => h1:fresh\np[style-name='Title'] => h1:fresh"
# By section key: the template headings below the section, and their level in Markdown.
SECTION_SUBHEADINGS: dict[str, tuple[tuple[TemplateHeading, ...], int]] = {
    "swot": (SWOT_HEADINGS, 3),
    "actors": (ACTOR_HEADINGS, 3),
    "forums": (FORUM_HEADINGS, 4),
    "mechanisms": (MECHANISM_HEADINGS, 4),
    "adequacy": (CRITERION_HEADINGS, 3),
}
# By section key: the level in Markdown of headings that the author chooses, such as the name of a forum.
NAME_HEADING_LEVELS = {"forums": 3, "mechanisms": 3, "adequacy": 4}
HTML_CONVERTER = MarkdownConverter(heading_style=ATX, bullets="-", escape_misc=True, strip=["img"])


def read_word_paper(data: bytes) -> tuple[str, list[ox.Triple]]:
    """The Markdown of a paper in a Word file, and its triples.

    Raises the same Problems as `convert_word_to_markdown` and the Markdown reader, without line and column,
    because a Word file has no lines. The excerpt is the paragraph with the error.
    """
    text = convert_word_to_markdown(data)
    try:
        return text, reader.parse_paper_triples(text)[0]
    except Problem as problem:
        paragraph = str(problem.members.get("excerpt", "")).partition("\n")[0]
        raise Problem(problem.status, problem.detail, slug=problem.slug, excerpt=paragraph) from problem


def convert_word_to_markdown(data: bytes) -> str:
    """The Markdown of a paper in a Word file.

    Raises Problem 400 if it is not a Word file or has an unknown key in its front matter, 413 if too large.
    """
    sanitized_file = sanitize_word_file(data)
    try:
        html = mammoth.convert_to_html(
            sanitized_file,
            style_map=WORD_STYLE_MAP,
            include_embedded_style_map=False,
            external_file_access=False,
            convert_image=lambda _: [],
        ).value
    except Exception as error:  # mammoth raises many types of errors for a damaged file
        raise Problem(400, f"The Word file is damaged: its text cannot be read. {SAVE_AGAIN_HINT}") from error
    reader.check_paper_length(html)
    return WordConversion(BeautifulSoup(html, "html.parser")).convert()


class WordConversion:
    """Converts the HTML that mammoth makes of a Word file to Markdown."""

    def __init__(self, soup: BeautifulSoup) -> None:
        """Take the HTML."""
        self.elements = [element for element in soup.children if isinstance(element, Tag)]
        self.front_matter: dict[str, Any] = {}
        self.section: TemplateHeading | None = None  # None in the front matter
        # The level of the section headings in Word; 0 if they are plain paragraphs.
        self.base_level = 0

    def convert(self) -> str:
        """The Markdown of the file, with its front matter."""
        fenced_yaml = self.take_fenced_yaml()
        blocks = [block for element in self.elements for block in self.iter_blocks(element) if block]
        front_matter = {key: self.front_matter[key] for key in FRONT_MATTER_KEYS if key in self.front_matter}
        yaml = (serialize_yaml(front_matter) if front_matter else "") + fenced_yaml
        return "\n\n".join([f"---\n{yaml}---", *blocks]) + "\n"

    def take_fenced_yaml(self) -> str:
        """Take the YAML from the beginning, between two lines `---` as in Markdown; empty without them."""
        lines: list[str] = []
        for position, element in enumerate(self.elements):
            lines += iter_text_lines(element)
            if not lines or not FENCE_PATTERN.fullmatch(lines[0]):
                break
            if lines[1:] and FENCE_PATTERN.fullmatch(lines[-1]):
                self.elements = self.elements[position + 1 :]
                return "".join(f"{line}\n" for line in lines[1:-1])
        return ""

    def iter_blocks(self, element: Tag) -> Iterator[str]:
        """The Markdown blocks of an element. A key of the front matter has none."""
        text = " ".join(element.get_text().split())
        level = html_heading_level(element)
        section = recognize_heading(text, SECTION_HEADINGS)
        if section and (
            level or (split_heading_mark(text)[0] and recognize_full_title(text, SECTION_HEADINGS))
        ):
            self.section, self.base_level = section, level
            yield f"## {section.marked_title}"
        elif self.section:
            yield self.format_heading(element, text, level) or convert_element(element)
        elif level == 1:
            self.front_matter.setdefault("title", text)
        elif not FENCE_PATTERN.fullmatch(text) and not self.read_pairs(element):
            yield convert_element(element)

    def format_heading(self, element: Tag, text: str, level: int) -> str:
        """The Markdown of a heading inside a section; an empty string if the element is not a heading."""
        self.base_level = self.base_level or max(0, level - 1)
        key = self.section.key if self.section else ""
        headings, heading_level = SECTION_SUBHEADINGS.get(key, ((), 0))
        name_level = NAME_HEADING_LEVELS.get(key, 0)
        # 0 for a paragraph. In Markdown, a section heading has level 2, and a heading in it at least level 3.
        markdown_level = level and max(3, level - self.base_level + 2)
        # A number or letter is enough at the right level, and the f of "f. Other" in a plain paragraph.
        # Elsewhere the title must be complete.
        mark_suffices = markdown_level == heading_level or (
            not markdown_level and split_heading_mark(text)[0] == "f"
        )
        heading = recognize_heading(text, headings) if mark_suffices else recognize_full_title(text, headings)
        # Any other heading at this level is the criterion "Other" with the name of a principle.
        if headings is CRITERION_HEADINGS and mark_suffices and not (heading and heading.key):
            heading, principle = recognize_criterion(text)
            text = f"Other: {principle}" if principle else "Other"
        if heading:
            return (
                f"{'#' * heading_level} {heading.marked_title if heading.key else f'{heading.mark}. {text}'}"
            )
        if not markdown_level and name_level and is_bold_paragraph(element):
            markdown_level = name_level
        return f"{'#' * markdown_level} {text}" if markdown_level else ""

    def read_pairs(self, element: Tag) -> bool:
        """Add the keys and values in a table or paragraph to the front matter; return whether it has any."""
        if element.name == "table":
            rows = [
                [cell.get_text("\n").strip() for cell in row.find_all(["td", "th"])]
                for row in element.find_all("tr")
            ]
            pairs = [(row[0].rstrip(" :"), row[1]) for row in rows if len(row) == 2]
        else:
            match = KEY_VALUE_PATTERN.fullmatch(element.get_text("\n" if element.br else "").strip())
            pairs = [(match[1], match[2])] if match else []
        for key, value in pairs:
            self.add_value(key, value)
        return bool(pairs)

    def add_value(self, key: str, value: str) -> None:
        """Add a key and its value to the front matter. Raises Problem 400 for an unknown key."""
        normalized_key = normalize_words(key)
        if normalized_key not in FRONT_MATTER_KEYS:
            nearest = find_nearest_key(key, FRONT_MATTER_KEYS)
            fix = (
                f"Did you mean `{nearest}`?" if nearest else f"Its keys are: {', '.join(FRONT_MATTER_KEYS)}."
            )
            raise Problem(400, f"There is no key `{key}` at the top of a paper. {fix}", slug="syntax")
        self.front_matter[normalized_key] = parse_word_value(normalized_key, value)


def recognize_full_title(text: str, headings: tuple[TemplateHeading, ...]) -> TemplateHeading | None:
    """The heading whose title or synonym is the whole text, or None."""
    heading = recognize_heading(text, headings)
    return heading if heading and normalize_words(split_heading_mark(text)[1]) in heading.spellings else None


def iter_text_lines(element: Tag) -> Iterator[str]:
    """The lines of an element, those of a list with the mark of a list in YAML."""
    if element.name in ("ul", "ol"):
        yield from (f"  - {item.get_text().strip()}" for item in element.find_all("li"))
    else:
        text = element.get_text("\n" if element.br else "").replace("\xa0", " ")
        yield from (line.rstrip() for line in text.splitlines())


def html_heading_level(element: Tag) -> int:
    """The level of a heading; 0 for any other element."""
    match = HTML_HEADING_PATTERN.fullmatch(element.name)
    return int(match[1]) if match else 0


def is_bold_paragraph(element: Tag) -> bool:
    """Whether the element is a paragraph whose words are all bold."""
    strong = "".join(run.get_text() for run in element.find_all("strong"))
    return element.name == "p" and strong.split() == element.get_text().split() != []


def convert_element(element: Tag) -> str:
    """The Markdown of an element."""
    text: str = HTML_CONVERTER.convert_soup(element)
    return text.strip()


def parse_word_value(key: str, value: str) -> Any:
    """The value of a front matter key: a string, a list, or for waivers a mapping from code to reason."""
    if key == "waivers":
        return {
            code.strip(): reason.strip()
            for code, _, reason in (line.partition(":") for line in value.splitlines() if line.strip())
        }
    if key not in LIST_KEYS:
        return value
    values = [item.strip() for item in LISTED_VALUE_PATTERN.findall(value) if item.strip()]
    return [parse_drafter(drafter) for drafter in values] if key == "drafters" else values


def parse_drafter(text: str) -> Any:
    """A drafter as a name, or for `Name (stakeholder-group, member)` as a mapping."""
    match = WORD_PERSON_PATTERN.fullmatch(text)
    if not match:
        return text
    details = [detail.strip() for detail in match[2].split(",")]
    groups = [detail for detail in details if detail != "member"]
    return {
        "name": match[1],
        **({"group": groups} if groups else {}),
        **({"member": True} if "member" in details else {}),
    }
