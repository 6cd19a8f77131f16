"""References in the formats that programs for literature read: text, BibTeX, CSL-JSON and RIS.

Plain text has URLs in angle brackets (RFC 3986, appendix C). BibTeX entries work with classic BibTeX and
biblatex.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...rdf.formats import PLAIN_TEXT, Format

BIBTEX_FORMAT = Format("application/x-bibtex", "bib", "BibTeX")
CSL_JSON_FORMAT = Format(
    "application/vnd.citationstyles.csl+json", "json", "CSL-JSON", "", ("application/json",)
)
RIS_FORMAT = Format("application/x-research-info-systems", "ris", "RIS")

# The types of works, as in CSL-JSON, with their types in RIS.
DATASET_TYPE, DOCUMENT_TYPE = "dataset", "document"
RIS_TYPES = {DATASET_TYPE: "DATA", DOCUMENT_TYPE: "GEN"}
BIBTEX_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LATEX_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "{": r"\textbraceleft{}",  # not \{, as BibTeX counts escaped braces, too
        "}": r"\textbraceright{}",
        **{sign: f"\\{sign}" for sign in "$&#%_"},
    }
)


MAX_TEXT_URL_LENGTH = 400  # of the cited bytes, in text for people; other formats have longer ones, too


@dataclass(frozen=True)
class Reference:
    """A work that is cited. What is not known is empty.

    `work_type` is DATASET_TYPE or DOCUMENT_TYPE. `date` is a year, month or day (ISO 8601). `number` is that
    of a document, such as its symbol, and `locator` the number of the cited paragraph. `digest` is the
    SHA-256 of the cited bytes, and `content_url` the URL of the bytes, which contains it. `listed_in` is the
    URL of a page that lists the work, if no page has its text.
    """

    key: str
    work_type: str
    title: str
    authors: tuple[str, ...] = ()
    date: str = ""
    url: str = ""
    container: str = ""
    version: str = ""
    number: str = ""
    locator: str = ""
    digest: str = ""
    content_url: str = ""
    listed_in: str = ""

    @property
    def date_parts(self) -> list[int]:
        """The year, the month and the day, as far as they are known."""
        return [int(part) for part in self.date.split("-")] if self.date else []

    @property
    def plain_title(self) -> str:
        """The title on one line."""
        return " ".join(self.title.split())

    @property
    def paragraph(self) -> str:
        """The cited paragraph in words."""
        return self.locator and f"paragraph {self.locator}"

    @property
    def note(self) -> str:
        """The paragraph, the URL of the cited bytes, and where the work is listed."""
        copy = self.other_content_url and f"Archived copy: {self.other_content_url}"
        listed_in = self.listed_in and f"Listed in {self.listed_in}"
        return ". ".join(filter(None, (self.paragraph.capitalize(), copy, listed_in)))

    @property
    def other_content_url(self) -> str:
        """The URL of the cited bytes, if it is not that of the work."""
        return self.content_url if self.content_url != self.url else ""


def serialize_text_reference(reference: Reference) -> bytes:
    """The reference as one line of text."""
    version = reference.version and f"version {reference.version}"
    content_url = reference.other_content_url
    is_long = len(content_url) > MAX_TEXT_URL_LENGTH
    archived_copy = f"SHA-256 {reference.digest}" if is_long else f"<{content_url}>"
    parts = (reference.container, reference.number, version, reference.date, reference.paragraph)
    sentences = [
        ", ".join(reference.authors),
        f"“{reference.plain_title}”",
        ", ".join(filter(None, parts)),
        reference.url and f"<{reference.url}>",
        reference.listed_in and f"Listed in <{reference.listed_in}>",
        content_url and f"Archived copy: {archived_copy}",
    ]
    return f"{'. '.join(filter(None, sentences))}.\n".encode()


def serialize_bibtex(reference: Reference) -> bytes:
    """The reference as an entry for classic BibTeX and biblatex; text is escaped, URLs are not."""
    year, month, *_ = [*reference.date_parts, 0, 0]
    notes = [
        reference.paragraph.capitalize().translate(LATEX_ESCAPES),
        reference.other_content_url and rf"Archived copy: \url{{{reference.other_content_url}}}",
        reference.listed_in and rf"Listed in \url{{{reference.listed_in}}}",
    ]
    fields = {
        "author": " and ".join(f"{{{author.translate(LATEX_ESCAPES)}}}" for author in reference.authors),
        "title": f"{{{reference.plain_title.translate(LATEX_ESCAPES)}}}",
        "howpublished": (reference.container or reference.number).translate(LATEX_ESCAPES),
        "version": reference.version.translate(LATEX_ESCAPES),
        "year": str(year or ""),
        "month": BIBTEX_MONTHS[month - 1] if month else "",
        "url": reference.url,
        "note": ". ".join(filter(None, notes)),
    }
    lines = [
        f"  {name} = {value if name == 'month' else f'{{{value}}}'}"
        for name, value in fields.items()
        if value
    ]
    return "@misc{{{},\n{}\n}}\n".format(reference.key, ",\n".join(lines)).encode()


def serialize_csl_json(reference: Reference) -> bytes:
    """The reference as CSL-JSON: a list of one item (https://docs.citationstyles.org)."""
    item = {
        "id": reference.key,
        "type": reference.work_type,
        "title": reference.title,
        "author": [{"literal": author} for author in reference.authors],
        "container-title": reference.container,
        "version": reference.version,
        "number": reference.number,
        "locator": reference.locator,
        "issued": {"date-parts": [reference.date_parts]} if reference.date else None,
        "URL": reference.url,
        "note": reference.note if reference.other_content_url or reference.listed_in else "",
    }
    known = {name: value for name, value in item.items() if value}
    return f"{json.dumps([known], ensure_ascii=False, indent=2)}\n".encode()


def serialize_ris(reference: Reference) -> bytes:
    """The reference as a record in RIS, with a tag on each line."""
    fields = [
        ("TY", RIS_TYPES[reference.work_type]),
        ("ID", reference.key),
        *(("AU", author) for author in reference.authors),
        ("TI", reference.title),
        ("T2", reference.container),
        ("ET", reference.version),
        ("M1", reference.number),
        ("PY", reference.date[:4]),
        ("DA", reference.date.replace("-", "/")),
        ("UR", reference.url),
        ("N1", reference.note),
    ]
    lines = [f"{tag}  - {' '.join(value.split())}" for tag, value in fields if value]
    return "".join(f"{line}\r\n" for line in [*lines, "ER  - "]).encode()


# Clients without preferences get the first format.
REFERENCE_SERIALIZERS: Mapping[Format, Callable[[Reference], bytes]] = {
    PLAIN_TEXT: serialize_text_reference,
    BIBTEX_FORMAT: serialize_bibtex,
    CSL_JSON_FORMAT: serialize_csl_json,
    RIS_FORMAT: serialize_ris,
}
