"""Request bodies: reading within limits, forms, multipart and text. Parsing is strict: nothing is guessed."""

import re
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from anyio import current_time, fail_after
from anyio.to_thread import run_sync
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState

from ..i18n import gettext_noop
from ..problems import Problem, build_sentence

if TYPE_CHECKING:  # costs 180 ms at import; the command line does not need it
    from fastapi import Request


FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"
MULTIPART_MEDIA_TYPE = "multipart/form-data"
SPARQL_QUERY_MEDIA_TYPE = "application/sparql-query"
SPARQL_UPDATE_MEDIA_TYPE = "application/sparql-update"

_WORD_REGEX = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # a "token" of RFC 9110, section 5.6.2
_VALUE_REGEX = rf"(?:{_WORD_REGEX}|\"(?:[^\"\\]|\\.)*\")"
_MEDIA_TYPE_PATTERN = re.compile(
    rf"\s*({_WORD_REGEX}/{_WORD_REGEX})\s*((?:;\s*(?:{_WORD_REGEX}={_VALUE_REGEX}\s*)?)*)"
)
_MEDIA_PARAMETER_PATTERN = re.compile(rf";\s*({_WORD_REGEX})=({_VALUE_REGEX})")
_BAD_PERCENT_PATTERN = re.compile(r"%(?![0-9A-Fa-f]{2})")

MAX_GZIP_MEMBERS = 1000  # in one gzip file
MAX_FORM_PAIRS = 10_000  # in a form or query string
MAX_BOUNDARY_CHARACTERS = 70  # RFC 2046, section 5.1.1
GUNZIP_CHUNK_BYTES = 64 * 1024  # compressed bytes that are decompressed at a time
BODY_CHUNK_TIMEOUT_SECONDS = 30  # for the next chunk of a body
MIN_BODY_BYTES_PER_SECOND = 4096  # average rate of a body

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class ContentType:
    """A parsed Content-Type: the media type in lower case and its parameters."""

    media_type: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class BodyPart:
    """One part of a multipart body: name, type and content of its file, and the name of its form field.

    Missing values are empty.
    """

    file_name: str
    content_type: str
    body: bytes
    field_name: str = ""


def require_content_type(request: "Request", accepted: Sequence[str]) -> ContentType:
    """The Content-Type of a request: one of `accepted`, with no charset other than UTF-8.

    Raises Problem 415 with the header Accept-Post for any other.
    """
    header_values = request.headers.getlist("content-type")
    content_type = parse_content_type(header_values[0]) if len(header_values) == 1 else None
    if content_type is None or content_type.media_type not in accepted:
        cause = (
            f"The Content-Type {', '.join(header_values)!r} is not supported"
            if header_values
            else "The request has no Content-Type"
        )
        raise unsupported_type_problem(f"{cause}. Send one of: {', '.join(accepted)}.", accepted)
    charset = content_type.parameters.get("charset", "utf-8")
    if charset.lower() not in ("utf-8", "utf8", "us-ascii"):
        raise unsupported_type_problem(f"The charset {charset!r} is not supported. Send UTF-8.", accepted)
    return content_type


def parse_content_type(header_value: str) -> ContentType | None:
    """The parsed value of a Content-Type header (RFC 9110, section 8.3); None if it is malformed."""
    match = _MEDIA_TYPE_PATTERN.fullmatch(header_value)
    if match is None:
        return None
    parameters = {
        key.lower(): _unquote_media_parameter(value)
        for key, value in _MEDIA_PARAMETER_PATTERN.findall(match[2])
    }
    return ContentType(match[1].lower(), parameters)


def _unquote_media_parameter(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def unsupported_type_problem(detail: str, accepted: Sequence[str]) -> Problem:
    """The Problem 415 that lists the accepted media types."""
    return Problem(415, detail, headers={"Accept-Post": ", ".join(accepted)})


async def read_request_body(request: "Request", max_bytes: int) -> bytes:
    """The body of a request, decompressed if it is gzip, of at most `max_bytes` bytes.

    Raises Problem 413 if it is larger, 400 if its gzip data is invalid, 415 for other content codings, 408 if
    it arrives too slowly.
    """
    is_form = request.headers.get("content-type", "").lower().startswith(MULTIPART_MEDIA_TYPE)
    too_large_problem = upload_too_large_problem if is_form else body_too_large_problem
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_large_problem(max_bytes)
    body = bytearray()
    async for chunk in iter_body_chunks(request.stream()):
        body += chunk
        if len(body) > max_bytes:
            raise too_large_problem(max_bytes)
    coding = ", ".join(request.headers.getlist("content-encoding")).strip().lower() or "identity"
    if coding == "identity":
        return bytes(body)
    if coding in ("gzip", "x-gzip"):
        return await run_sync(gunzip_body, bytes(body), max_bytes)
    raise Problem(
        415,
        f"The content coding {coding!r} is not supported. Send the body uncompressed or with gzip.",
        headers={"Accept-Encoding": "gzip, identity"},
    )


async def iter_body_chunks(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks of a body. Raises Problem 408 if the next chunk, or the whole body, arrives too slowly."""
    deadline = current_time() + BODY_CHUNK_TIMEOUT_SECONDS
    while True:
        try:
            with fail_after(min(BODY_CHUNK_TIMEOUT_SECONDS, deadline - current_time())):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise Problem(
                408,
                f"The body arrived too slowly: nothing for {BODY_CHUNK_TIMEOUT_SECONDS} seconds, or less "
                f"than {MIN_BODY_BYTES_PER_SECOND} bytes per second. Send it again.",
                headers={"Connection": "close"},
            ) from error
        if chunk is None:
            return
        # Each chunk extends the deadline by the time that it may take at the minimum rate.
        deadline += len(chunk) / MIN_BODY_BYTES_PER_SECOND
        yield chunk


def gunzip_body(body: bytes, max_bytes: int) -> bytes:
    """The content of a gzip file of one or more members, at most `max_bytes`.

    Raises Problem 400 if the file is invalid, 413 if it is too large.
    """
    content = bytearray()
    compressed = memoryview(body)
    for _ in range(MAX_GZIP_MEMBERS):
        if not compressed:
            return bytes(content)
        compressed = gunzip_member(compressed, content, max_bytes)
    raise Problem(
        413, f"The gzip file has more than {MAX_GZIP_MEMBERS} members. Compress the body as one member."
    )


def gunzip_member(compressed: memoryview, content: bytearray, max_bytes: int) -> memoryview:
    """Decompress the first member of `compressed` into `content`. Returns the bytes after that member."""
    decompressor = zlib.decompressobj(wbits=31)  # 31: the gzip format, with the largest window
    while not decompressor.eof:
        if not compressed:
            raise Problem(400, "The gzip file is incomplete. Send all of it.")
        chunk = compressed[:GUNZIP_CHUNK_BYTES]
        try:
            content += decompressor.decompress(chunk, max_bytes + 1 - len(content))
        except zlib.error as error:
            raise Problem(400, f"The body is not a valid gzip file: {error}. Compress it again.") from error
        if len(content) > max_bytes:
            raise body_too_large_problem(max_bytes)
        # At the end of the member, the chunk may contain the beginning of the next one.
        used_bytes = len(chunk) - len(decompressor.unused_data) if decompressor.eof else len(chunk)
        compressed = compressed[used_bytes:]
    return compressed


def body_too_large_problem(max_bytes: int) -> Problem:
    """The Problem 413 that states the limit."""
    return Problem(413, f"The body is larger than {max_bytes} bytes. Send it in smaller parts.")


def upload_too_large_problem(max_bytes: int) -> Problem:
    """The Problem 413 for a form with a file, with the limit in megabytes or kilobytes of a thousand."""
    size = f"{max_bytes // 1_000_000} MB" if max_bytes >= 1_000_000 else f"{max_bytes // 1000} kB"
    message = gettext_noop("The file is larger than %(size)s. Choose a smaller file.")
    return Problem(413, [build_sentence(message, size=size)])


def decode_utf8_text(body: bytes, description: str) -> str:
    """The text of a body. Raises Problem 400 if it is not UTF-8 or contains NUL.

    `description` names the body in the message.
    """
    try:
        decoded = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(
            400, f"The {description} is not UTF-8: byte {error.start + 1} is invalid. Send UTF-8."
        ) from error
    if "\0" in decoded:
        raise Problem(400, f"The {description} contains a NUL character. Remove it.")
    return decoded


def parse_form(encoded: bytes) -> Pairs:
    """The pairs of a form or query string in order; a key without `=` has an empty value.

    Only & separates pairs, + is a space, percent-encoding is decoded once
    (https://url.spec.whatwg.org/#urlencoded-parsing). Raises Problem 400 if the result is not UTF-8 text, 413
    for too many pairs.
    """
    if encoded.count(b"&") >= MAX_FORM_PAIRS:
        raise Problem(413, f"The form has more than {MAX_FORM_PAIRS} fields. Send fewer.")
    pairs = (pair.partition("=") for pair in encoded.decode("latin-1").split("&") if pair)
    return [(_decode_form_value(key), _decode_form_value(value)) for key, _, value in pairs]


def _decode_form_value(value: str) -> str:
    if match := _BAD_PERCENT_PATTERN.search(value):
        raise Problem(
            400,
            f"{value[match.start() :][:3]!r} is not a percent-encoded byte. Write a percent sign as %25.",
        )
    return decode_utf8_text(
        unquote_to_bytes(value.replace("+", " ").encode("latin-1")), "form or query string"
    )


def get_query_parameters(request: "Request") -> Pairs:
    """The pairs of the query string of a request. Raises Problem as `parse_form`."""
    return list(parse_query_string(request.scope["query_string"]))


@lru_cache(64)
def parse_query_string(query: bytes) -> tuple[tuple[str, str], ...]:
    """The pairs of a query string, cached, as several functions read them. Raises Problem as `parse_form`."""
    return tuple(parse_form(query))


def parameter_values(pairs: Pairs, key: str) -> list[str]:
    """All values of a key."""
    return [value for name, value in pairs if name == key]


def parse_multipart(body: bytes, boundary: str) -> list[BodyPart]:
    """The parts of a multipart/form-data body (RFC 7578), files and fields alike.

    Raises Problem 400 if it is malformed.
    """
    if not 0 < len(boundary) <= MAX_BOUNDARY_CHARACTERS:
        raise Problem(
            400,
            "The Content-Type of the multipart body has no boundary of "
            f"1 to {MAX_BOUNDARY_CHARACTERS} characters.",
        )
    parts: list[BodyPart] = []
    headers: dict[str, str] = {}
    header_name, header_value, content = bytearray(), bytearray(), bytearray()

    def end_header() -> None:
        headers[header_name.decode("latin-1").lower()] = header_value.decode("utf-8", "replace")
        header_name.clear()
        header_value.clear()

    def end_part() -> None:
        parts.append(build_body_part(headers, bytes(content)))
        headers.clear()
        content.clear()

    parser = MultipartParser(
        boundary,
        {
            "on_header_field": lambda data, start, end: header_name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: header_value.extend(data[start:end]),
            "on_header_end": end_header,
            "on_part_data": lambda data, start, end: content.extend(data[start:end]),
            "on_part_end": end_part,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Problem(400, f"The multipart body is malformed: {error}.") from error
    if parser.state != MultipartState.END:
        raise Problem(400, "The multipart body ends before its closing boundary. Send all of it.")
    return parts


def build_body_part(headers: dict[str, str], content: bytes) -> BodyPart:
    """A part from its headers (keys in lower case) and its content.

    Raises Problem 400 if it has a Content-Transfer-Encoding that changes its bytes.
    """
    coding = headers.get("content-transfer-encoding", "binary").strip().lower()
    if coding not in ("7bit", "8bit", "binary"):
        raise Problem(
            400, f"A part has the encoding {coding!r}. Send it without an encoding (RFC 7578, section 4.7)."
        )
    disposition = headers.get("content-disposition", "")
    field_name = parse_disposition(disposition).get_param("name", "", "content-disposition")
    return BodyPart(
        file_name=disposition_file_name(disposition),
        content_type=headers.get("content-type", ""),
        body=content,
        field_name=field_name if isinstance(field_name, str) else "",
    )


def disposition_file_name(disposition: str) -> str:
    """The file name in a Content-Disposition header; empty if there is none."""
    return parse_disposition(disposition).get_filename("")


def parse_disposition(disposition: str) -> Message:
    """An email Message with this Content-Disposition header, used to parse its parameters."""
    message = Message()
    message["Content-Disposition"] = disposition
    return message
