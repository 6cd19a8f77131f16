"""Read what a client sends: bodies within limits, forms, text; strictly, so that nothing is guessed."""

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

from ..problems import Problem

if TYPE_CHECKING:  # costs 180 ms, and the shell needs none
    from fastapi import Request


FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"
MULTIPART_MEDIA_TYPE = "multipart/form-data"
SPARQL_QUERY_MEDIA_TYPE = "application/sparql-query"
SPARQL_UPDATE_MEDIA_TYPE = "application/sparql-update"

_WORD_REGEX = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE_REGEX = rf"(?:{_WORD_REGEX}|\"(?:[^\"\\]|\\.)*\")"
_MEDIA_TYPE_PATTERN = re.compile(
    rf"\s*({_WORD_REGEX}/{_WORD_REGEX})\s*((?:;\s*(?:{_WORD_REGEX}={_VALUE_REGEX}\s*)?)*)"
)
_MEDIA_PARAMETER_PATTERN = re.compile(rf";\s*({_WORD_REGEX})=({_VALUE_REGEX})")
_BAD_PERCENT_PATTERN = re.compile(r"%(?![0-9A-Fa-f]{2})")

MAX_GZIP_MEMBERS = 1000  # of a gzip file
MAX_FORM_PAIRS = 10_000  # of a form
MAX_BOUNDARY_CHARACTERS = 70  # characters (RFC 2046, section 5.1.1)
GUNZIP_CHUNK_BYTES = 64 * 1024
BODY_CHUNK_TIMEOUT_SECONDS = 30  # seconds until the next piece of a body
BODY_BYTES_PER_SECOND = 4096  # bytes a second that have to come, on the whole

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class ContentType:
    """A parsed Content-Type: the media type in lower case and its parameters."""

    media_type: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class BodyPart:
    """One part of a multipart body: name and type of its file, what is in it, and the name of its field.

    What the sender did not give is empty.
    """

    name: str
    content_type: str
    body: bytes
    field: str = ""


def check_content_type(request: "Request", accepted: Sequence[str]) -> ContentType:
    """The type of the request's body, which is one of `accepted` and in UTF-8.

    Raises Problem 415 with Accept-Post otherwise.
    """
    fields = request.headers.getlist("content-type")
    found = parse_content_type(fields[0]) if len(fields) == 1 else None
    if found is None or found.media_type not in accepted:
        what = (
            f"Content-Type {', '.join(fields)!r} is not understood"
            if fields
            else "The request has no Content-Type"
        )
        raise unsupported_type_problem(f"{what} here. Send one of: {', '.join(accepted)}.", accepted)
    charset = found.parameters.get("charset", "utf-8")
    if charset.lower() not in ("utf-8", "utf8", "us-ascii"):
        raise unsupported_type_problem(f"The charset {charset!r} is not understood. Send UTF-8.", accepted)
    return found


def parse_content_type(field: str) -> ContentType | None:
    """A Content-Type field, parsed (RFC 9110, section 8.3); None when it is malformed."""
    match = _MEDIA_TYPE_PATTERN.fullmatch(field)
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
    """The 415 that says what to send."""
    return Problem(415, detail, headers={"Accept-Post": ", ".join(accepted)})


async def read_request_body(request: "Request", limit: int) -> bytes:
    """The body, with a gzip coding taken off, in at most `limit` bytes.

    Raises Problem 413 when it is larger, 400 when its coding is broken, 415 when its coding is unknown, 408
    when no more of it comes for a while.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise body_too_large_problem(limit)
    body = bytearray()
    async for chunk in iter_body_chunks(request.stream()):
        body += chunk
        if len(body) > limit:
            raise body_too_large_problem(limit)
    coding = ", ".join(request.headers.getlist("content-encoding")).strip().lower() or "identity"
    if coding == "identity":
        return bytes(body)
    if coding in ("gzip", "x-gzip"):
        return await run_sync(gunzip_body, bytes(body), limit)
    raise Problem(
        415,
        f"The content coding {coding!r} is not understood. Send the body plain or with gzip.",
        headers={"Accept-Encoding": "gzip, identity"},
    )


async def iter_body_chunks(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a body. Raises Problem 408 where the next one, or the whole, comes too slowly."""
    due = current_time() + BODY_CHUNK_TIMEOUT_SECONDS
    while True:
        try:
            with fail_after(min(BODY_CHUNK_TIMEOUT_SECONDS, due - current_time())):
                piece = await anext(stream, None)
        except TimeoutError as error:
            raise Problem(
                408,
                f"The body comes too slowly: nothing for {BODY_CHUNK_TIMEOUT_SECONDS} seconds, "
                f"or less than {BODY_BYTES_PER_SECOND} bytes a second. Send it again.",
                headers={"Connection": "close"},
            ) from error
        if piece is None:
            return
        due += len(piece) / BODY_BYTES_PER_SECOND
        yield piece


def gunzip_body(body: bytes, limit: int) -> bytes:
    """The content of a gzip file of one or more members, at most `limit` bytes. Raises Problem 400, 413."""
    content = bytearray()
    rest = memoryview(body)
    for _ in range(MAX_GZIP_MEMBERS):
        if not rest:
            return bytes(content)
        rest = gunzip_member(rest, content, limit)
    raise Problem(
        413, f"The gzip file has more than {MAX_GZIP_MEMBERS} members. Compress the body in one go."
    )


def gunzip_member(rest: memoryview, content: bytearray, limit: int) -> memoryview:
    """Add what one member holds to the content, and return what comes after it."""
    member = zlib.decompressobj(wbits=31)
    while not member.eof:
        if not rest:
            raise Problem(400, "The gzip file ends early. Send it again, whole.")
        try:
            content += member.decompress(rest[:GUNZIP_CHUNK_BYTES], limit + 1 - len(content))
        except zlib.error as error:
            raise Problem(400, f"The body is no gzip file: {error}.") from error
        if len(content) > limit:
            raise body_too_large_problem(limit)
        rest = (
            rest[GUNZIP_CHUNK_BYTES:]
            if not member.eof
            else rest[len(rest[:GUNZIP_CHUNK_BYTES]) - len(member.unused_data) :]
        )
    return rest


def body_too_large_problem(limit: int) -> Problem:
    """The 413 that says what fits."""
    return Problem(413, f"The body is larger than {limit} bytes. Send it in smaller parts.")


def decode_utf8_text(body: bytes, what: str) -> str:
    """The body as text. Raises Problem 400 where it is not UTF-8 or holds a NUL; `what` names it there."""
    try:
        decoded = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(
            400, f"The {what} is not UTF-8: byte {error.start + 1} does not fit. Send UTF-8."
        ) from error
    if "\0" in decoded:
        raise Problem(400, f"The {what} holds a NUL character. Take it out.")
    return decoded


def parse_form(encoded: bytes) -> Pairs:
    """The pairs of a form or query string in their order; a bare key has an empty value.

    Only & separates, + is a space, percent signs are decoded once (https://url.spec.whatwg.org/#urlencoded-parsing).
    Raises Problem 400 where the result is not text, 413 for too many pairs.
    """
    if encoded.count(b"&") >= MAX_FORM_PAIRS:
        raise Problem(413, f"The form has more than {MAX_FORM_PAIRS} pairs. Send fewer.")
    pairs = (piece.partition("=") for piece in encoded.decode("latin-1").split("&") if piece)
    return [(_decode_form_value(key), _decode_form_value(value)) for key, _, value in pairs]


def _decode_form_value(value: str) -> str:
    if bad := _BAD_PERCENT_PATTERN.search(value):
        raise Problem(
            400,
            f"{value[bad.start() :][:3]!r} is no percent-encoded byte. Write a percent sign as %25.",
        )
    return decode_utf8_text(
        unquote_to_bytes(value.replace("+", " ").encode("latin-1")), "form or query string"
    )


def get_query_parameters(request: "Request") -> Pairs:
    """The pairs of the request's query string."""
    return list(parse_query_string(request.scope["query_string"]))


@lru_cache(64)
def parse_query_string(query: bytes) -> tuple[tuple[str, str], ...]:
    """The pairs of a query string, which several look at."""
    return tuple(parse_form(query))


def parameter_values(pairs: Pairs, key: str) -> list[str]:
    """All values of a key."""
    return [value for one, value in pairs if one == key]


def parse_multipart(body: bytes, boundary: str) -> list[BodyPart]:
    """The parts of a multipart/form-data body (RFC 7578), files and fields alike. Raises Problem 400."""
    if not 0 < len(boundary) <= MAX_BOUNDARY_CHARACTERS:
        raise Problem(
            400,
            "The Content-Type of the multipart body has no boundary of "
            f"1 to {MAX_BOUNDARY_CHARACTERS} characters.",
        )
    parts: list[BodyPart] = []
    headers: dict[str, str] = {}
    name, value, content = bytearray(), bytearray(), bytearray()

    def header() -> None:
        headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")
        name.clear()
        value.clear()

    def part() -> None:
        parts.append(build_body_part(headers, bytes(content)))
        headers.clear()
        content.clear()

    parser = MultipartParser(
        boundary,
        {
            "on_header_field": lambda data, start, end: name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: value.extend(data[start:end]),
            "on_header_end": header,
            "on_part_data": lambda data, start, end: content.extend(data[start:end]),
            "on_part_end": part,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Problem(400, f"The multipart body is malformed: {error}.") from error
    if parser.state != MultipartState.END:
        raise Problem(400, "The multipart body ends before its closing boundary. Send it again, whole.")
    return parts


def build_body_part(headers: dict[str, str], content: bytes) -> BodyPart:
    """A part from its headers, by lower-case names, and its content. Raises Problem 400 where it is coded."""
    coding = headers.get("content-transfer-encoding", "binary").strip().lower()
    if coding not in ("7bit", "8bit", "binary"):
        raise Problem(400, f"A part is coded as {coding!r}. Send it as it is (RFC 7578, section 4.7).")
    disposition = headers.get("content-disposition", "")
    field = parse_disposition(disposition).get_param("name", "", "content-disposition")
    return BodyPart(
        name=disposition_file_name(disposition),
        content_type=headers.get("content-type", ""),
        body=content,
        field=field if isinstance(field, str) else "",
    )


def disposition_file_name(disposition: str) -> str:
    """The name of the file in a Content-Disposition field; empty where there is none."""
    return parse_disposition(disposition).get_filename("")


def parse_disposition(disposition: str) -> Message:
    """A message with this Content-Disposition field."""
    message = Message()
    message["Content-Disposition"] = disposition
    return message
