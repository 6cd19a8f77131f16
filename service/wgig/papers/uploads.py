"""Parse the papers in a request body: a file, a form with a text, or multipart/form-data with files.

In a form, the field `shapes` has the shapes to check them against: texts, or with multipart/form-data files.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ..http import bodies
from ..http.bodies import (
    FORM_MEDIA_TYPE,
    MAX_FORM_PAIRS,
    MULTIPART_MEDIA_TYPE,
    BodyPart,
    ContentType,
    Pairs,
    parameter_values,
)
from ..http.parameters import check_parameter_pairs
from ..problems import Problem
from ..rdf.formats import (
    FILE_FORMATS,
    FORMATS_BY_SUFFIX,
    JSON_LD,
    MARKDOWN,
    RDF_XML,
    TURTLE,
    WORD_DOCUMENT,
    Format,
    format_of_file,
)

# The formats of papers by media type.
FORMATS_BY_TYPE = {
    media_type: format_ for format_ in FILE_FORMATS for media_type in (format_.media_type, *format_.aliases)
}
UPLOAD_MEDIA_TYPES = (*FORMATS_BY_TYPE, FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE)
MAX_UPLOAD_FILES = 100  # files in one request

# The form fields. Without a chosen file, a browser sends `files` as an empty field.
# PAPER_NAME_FIELD is the file name of the text, TEXT_EDITED_FIELD is `yes` if it was edited on the page.
PAPER_TEXT_FIELD, PAPER_FORMAT_FIELD, PAPER_ADDRESS_FIELD = "paper", "format", "address"
PAPER_NAME_FIELD, TEXT_EDITED_FIELD = "name", "edited"
SHAPES_FIELD = "shapes"
SINGLE_UPLOAD_FIELDS, REPEATED_UPLOAD_FIELDS = (
    (PAPER_FORMAT_FIELD, PAPER_ADDRESS_FIELD, PAPER_NAME_FIELD, TEXT_EDITED_FIELD, "profile", "lang"),
    (PAPER_TEXT_FIELD, "files", SHAPES_FIELD),
)

# Patterns to recognize the format of a pasted text that is not Markdown.
FORMAT_PATTERNS = {
    JSON_LD: re.compile(r"\A\s*(?:\{|\[\s*\{)"),
    RDF_XML: re.compile(r"\A\s*<(?:\?xml|!|rdf:)"),
    TURTLE: re.compile(r"\A\s*<[^>\s]+>\s+(?:a\s|<)|^\s*@?(?:prefix\s+\S*:|base\s+<)", re.I | re.M),
}


class UploadedFile(NamedTuple):
    """An uploaded file or pasted text. `format` is None if neither media type nor file extension is known.

    `is_shapes`: it has shapes, and is not a file to check.
    """

    name: str
    data: bytes
    format: Format | None
    is_pasted: bool = False
    is_shapes: bool = False

    @property
    def text(self) -> str:
        """The text, with replacement characters for invalid UTF-8; empty for Word and unknown formats."""
        return "" if self.format in (WORD_DOCUMENT, None) else self.data.decode("utf-8", "replace")


FieldsAndFiles = tuple[Pairs, list[UploadedFile]]


def parse_uploads(
    content_type: ContentType, body: bytes, fetched_files: Sequence[UploadedFile] = ()
) -> FieldsAndFiles:
    """The fields and the files in a body, which has one of the UPLOAD_MEDIA_TYPES, and the fetched files.

    Raises Problem 400 if it is malformed, has unknown fields or neither file nor address, 413 for too
    many files.
    """
    fields, files = parse_upload_body(content_type, body)
    files += fetched_files
    check_uploads(fields, files)
    return fields, files


def parse_upload_body(content_type: ContentType, body: bytes) -> FieldsAndFiles:
    """The fields and the files in a body, without checks. Raises Problem 400 if it is malformed."""
    return FORM_UPLOAD_PARSERS.get(content_type.media_type, parse_bare_upload)(content_type, body)


def find_paper_address(fields: Pairs) -> str:
    """The address in the form; empty if there is none."""
    return next(filter(str.strip, parameter_values(fields, PAPER_ADDRESS_FIELD)), "").strip()


def check_uploads(fields: Pairs, files: Sequence[UploadedFile]) -> None:
    """Raise Problem 400 if there are unknown fields or neither file nor address, 413 for too many files."""
    if all(file.is_shapes for file in files) and not find_paper_address(fields):
        raise Problem(
            400,
            "No paper was sent. Paste its text or choose a file.",
        )
    check_parameter_pairs(fields, SINGLE_UPLOAD_FIELDS, REPEATED_UPLOAD_FIELDS, max_values=MAX_FORM_PAIRS)
    if len(files) > MAX_UPLOAD_FILES:
        raise Problem(413, f"More than {MAX_UPLOAD_FILES} files were sent. Send them in several requests.")


def parse_bare_upload(content_type: ContentType, body: bytes) -> FieldsAndFiles:
    """The whole body as one file."""
    format_ = FORMATS_BY_TYPE[content_type.media_type]
    return [], [UploadedFile(f"paper.{format_.suffix}", body, format_)]


def parse_form_upload(_: ContentType, body: bytes) -> FieldsAndFiles:
    """The fields of a URL-encoded form, and the text in it as a file."""
    fields = bodies.parse_form(body)
    return fields, [*iter_pasted_files(fields)]


def parse_multipart_upload(content_type: ContentType, body: bytes) -> FieldsAndFiles:
    """The fields of a multipart form, and the files and the text in it as files."""
    fields: Pairs = []
    files: list[UploadedFile] = []
    for part in bodies.parse_multipart(body, content_type.parameters.get("boundary", "")):
        if part.file_name or part_media_type(part) in FORMATS_BY_TYPE:
            files.append(build_uploaded_file(part))
        elif part.field_name:
            fields.append((part.field_name, bodies.decode_utf8_text(part.body, f"field {part.field_name}")))
    return fields, [*iter_pasted_files(fields), *files]


FORM_UPLOAD_PARSERS: dict[str, Callable[[ContentType, bytes], FieldsAndFiles]] = {
    FORM_MEDIA_TYPE: parse_form_upload,
    MULTIPART_MEDIA_TYPE: parse_multipart_upload,
}


def build_uploaded_file(part: BodyPart) -> UploadedFile:
    """The file in a part, with the format of its media type or else of its file extension."""
    name = part.file_name or part.field_name
    format_ = FORMATS_BY_TYPE.get(part_media_type(part)) or format_of_file(name)
    return UploadedFile(name, part.body, format_, is_shapes=part.field_name == SHAPES_FIELD)


def part_media_type(part: BodyPart) -> str:
    """The media type of a part; empty if it is missing or malformed."""
    content_type = bodies.parse_content_type(part.content_type)
    return content_type.media_type if content_type else ""


def iter_pasted_files(fields: Pairs) -> Iterator[UploadedFile]:
    """The pasted texts as files, unless they are blank.

    The format of a text is guessed; that of a paper may also be in the field `format`, as a media type or a
    file extension.
    """
    for text in filter(str.strip, parameter_values(fields, SHAPES_FIELD)):
        guessed_format = guess_text_format(text)
        shapes_format = TURTLE if guessed_format is MARKDOWN else guessed_format
        name = f"{SHAPES_FIELD}.{shapes_format.suffix}"
        yield UploadedFile(name, text.encode(), shapes_format, is_pasted=True, is_shapes=True)
    requested_format = next(filter(None, parameter_values(fields, PAPER_FORMAT_FIELD)), "").lower()
    # The text of a file that was checked before comes back with the name of the file.
    is_pasted = not any(parameter_values(fields, PAPER_NAME_FIELD))
    for text in filter(str.strip, parameter_values(fields, PAPER_TEXT_FIELD)):
        format_ = (
            (FORMATS_BY_TYPE.get(requested_format) or FORMATS_BY_SUFFIX.get(requested_format))
            if requested_format
            else guess_text_format(text)
        )
        yield UploadedFile(name_text_file(fields, format_), text.encode(), format_, is_pasted)


def name_text_file(fields: Pairs, format_: Format | None) -> str:
    """The file name of a pasted text: that in the form, with the suffix of the format."""
    name = next(filter(None, parameter_values(fields, PAPER_NAME_FIELD)), "paper")
    if format_ and format_of_file(name) is format_:
        return name
    return f"{name.rpartition('.')[0] or name}.{format_.suffix if format_ else 'txt'}"


def guess_text_format(text: str) -> Format:
    """The likely format of a text: Markdown unless a pattern of another format matches."""
    return next((format_ for format_, pattern in FORMAT_PATTERNS.items() if pattern.search(text)), MARKDOWN)
