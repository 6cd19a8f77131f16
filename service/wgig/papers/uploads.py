"""The papers in the body of a request: one as it is, a text in a form, or several files."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ..http import bodies
from ..http.bodies import FORM, MOST_PAIRS, MULTIPART, ContentType, Pairs, Part, values
from ..http.parameters import checked
from ..problems import Problem
from ..rdf.formats import FORMATS, JSON_LD, MARKDOWN, RDF_XML, SUFFIXES, TURTLE, WORD, Format, format_of

BY_TYPE = {name: one for one in FORMATS for name in (one.media_type, *one.aliases)}
SENT = (*BY_TYPE, FORM, MULTIPART)
MOST = 100  # files in one request

# The fields of a form; that of files is one of them where a browser sends it empty.
TEXT, FORMAT = "paper", "format"
ONCE, MANY = (FORMAT, "profile", "lang"), (TEXT, "files")

# What a text looks like that is not Markdown, where nobody says what it is.
LOOKS = {
    JSON_LD: re.compile(r"\A\s*(?:\{|\[\s*\{)"),
    RDF_XML: re.compile(r"\A\s*<(?:\?xml|!|rdf:)"),
    TURTLE: re.compile(r"\A\s*<[^>\s]+>\s+(?:a\s|<)|^\s*@?(?:prefix\s+\S*:|base\s+<)", re.I | re.M),
}


class File(NamedTuple):
    """A file that was sent; `format` is None where neither its type nor the ending of its name tells it."""

    name: str
    data: bytes
    format: Format | None

    @property
    def text(self) -> str:
        """Its text as far as it is one, whatever else is wrong with it."""
        return "" if self.format in (WORD, None) else self.data.decode("utf-8", "replace")


Sent = tuple[Pairs, list[File]]


def uploads(given: ContentType, body: bytes) -> Sent:
    """The fields and the files of a body of one of the types SENT.

    Raises Problem 400 where it is malformed, has other fields, or holds nothing to check, 413 for too many
    files.
    """
    fields, files = parted(given, body)
    accept(fields, files)
    return fields, files


def parted(given: ContentType, body: bytes) -> Sent:
    """The fields and the files of a body, whatever they are. Raises Problem 400 where it is malformed."""
    return FORMS.get(given.media_type, bare)(given, body)


def accept(fields: Pairs, files: Sequence[File]) -> None:
    """Raises Problem 400 for other fields and where there is nothing to check, 413 for too many files."""
    if not files:
        raise Problem(
            400,
            "No paper was sent. Paste its text or choose a file. A program names the type of what it sends, "
            f"such as Content-Type: text/markdown; or it sends a form with the text in the field {TEXT}.",
        )
    checked(fields, ONCE, MANY, most=MOST_PAIRS)
    if len(files) > MOST:
        raise Problem(413, f"More than {MOST} files were sent. Send them in several requests.")


def bare(given: ContentType, body: bytes) -> Sent:
    """The one file that a body is."""
    format_ = BY_TYPE[given.media_type]
    return [], [File(f"paper.{format_.suffix}", body, format_)]


def of_form(_: ContentType, body: bytes) -> Sent:
    """The text in a form."""
    fields = bodies.parse_form(body)
    return fields, [*pasted(fields)]


def of_parts(given: ContentType, body: bytes) -> Sent:
    """The text and the files in a form of parts."""
    fields: Pairs = []
    files: list[File] = []
    for part in bodies.parse_multipart(body, given.parameters.get("boundary", "")):
        if part.name or type_of(part) in BY_TYPE:
            files.append(uploaded(part))
        elif part.field:
            fields.append((part.field, bodies.text(part.body, f"field {part.field}")))
    return fields, [*pasted(fields), *files]


FORMS: dict[str, Callable[[ContentType, bytes], Sent]] = {FORM: of_form, MULTIPART: of_parts}


def uploaded(part: Part) -> File:
    """The file in a part, in the format of its type, or else of the ending of its name."""
    name = part.name or part.field
    return File(name, part.body, BY_TYPE.get(type_of(part)) or format_of(name))


def type_of(part: Part) -> str:
    """The media type of a part; empty where it has none or a malformed one."""
    found = bodies.parse_content_type(part.content_type)
    return found.media_type if found else ""


def pasted(fields: Pairs) -> Iterator[File]:
    """The text in the fields as a file, where there is any; in the format that they say, or by its looks."""
    asked = next(filter(None, values(fields, FORMAT)), "").lower()
    for text in filter(str.strip, values(fields, TEXT)):
        format_ = (BY_TYPE.get(asked) or SUFFIXES.get(asked)) if asked else looks_like(text)
        yield File(f"paper.{format_.suffix if format_ else 'txt'}", text.encode(), format_)


def looks_like(text: str) -> Format:
    """The format that a text seems to be in; Markdown unless it looks like another."""
    return next((format_ for format_, looks in LOOKS.items() if looks.search(text)), MARKDOWN)
