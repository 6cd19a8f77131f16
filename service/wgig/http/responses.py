"""Responses: ETag, conditional requests, compression and caching (RFC 9110, sections 8 to 13).

A response of known length has a strong ETag, which depends on content, format and coding. It becomes a 304 if
the client already has it. If a streamed response fails after its start, the connection is closed, because the
status is already sent. Work that takes over 0.05 s is canceled when the client disconnects.
"""

import asyncio
import hashlib
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from fastapi import Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from ..rdf.formats import CSS, HTML, JAVASCRIPT, JSON, JSON_LD, Format
from .jsonld_profiles import (
    EXPANDED_PROFILE,
    apply_jsonld_profiles,
    describe_jsonld_type,
    list_held_profiles,
    parse_jsonld_profiles,
)
from .language import page_header_fields
from .negotiation import (
    IDENTITY_CODING,
    CompressionEffort,
    choose_coding,
    compress_body,
    compress_chunks,
    compress_static_file,
)
from .parameters import encode_field_value

IMMUTABLE_CACHE_CONTROL = "public, max-age=31536000, immutable"  # for content that never changes
NO_STORE_HEADERS = {"Cache-Control": "no-store"}
DISCONNECT_WATCH_SECONDS = 0.05  # time after which the connection is watched, as watching has a cost


@asynccontextmanager
async def cancel_on_disconnect(receive: Receive) -> AsyncIterator[None]:
    """Cancel the work in the block and raise ClientDisconnect when the client disconnects.

    The request body must have been received completely.
    """
    loop = asyncio.get_running_loop()
    watch_tasks: set[asyncio.Task[None]] = set()
    try:
        async with asyncio.timeout(None) as timeout:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                timeout.reschedule(loop.time())

            timer = loop.call_later(
                DISCONNECT_WATCH_SECONDS, lambda: watch_tasks.add(loop.create_task(watch()))
            )
            try:
                yield
            finally:
                timer.cancel()
                for task in watch_tasks:
                    task.cancel()
    except TimeoutError as error:
        if timeout.expired():
            raise ClientDisconnect from error
        raise


class ResponseAbortedError(Exception):
    """A response failed after its start; the connection is closed, so that it does not look complete."""


class StreamedResponse(Response):
    """A response whose body is sent in chunks."""

    def __init__(
        self, chunks: AsyncIterator[bytes], headers: Mapping[str, str], close: Callable[[], None]
    ) -> None:
        """Make a response of these chunks, which are already in the content coding of the headers.

        `close` is called at the end, also after an error or disconnect.
        """
        self.chunks, self.on_close = chunks, close
        self.status_code, self.background = 200, None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks as fast as the client receives them; none for HEAD."""
        try:
            async with cancel_on_disconnect(receive):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                if scope["method"] != "HEAD":
                    async for chunk in self.chunks:
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self.on_close()


CONDITIONAL_METHODS = ("GET", "HEAD", "QUERY")  # can get 304 (RFC 9110, section 13.1.2)
MIN_COMPRESSED_BYTES = 1024  # size of a body from which compressing saves more than it costs


def respond_with_body(  # noqa: PLR0913  the parts of a response
    request: Request,
    body: bytes,
    format_: Format,
    *,
    status: int = 200,
    links: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A complete response with a strong ETag, or 304 if the client already has it.

    The ETag is a digest of the body, its media type and its coding. `links` are values of the Link header.
    """
    if format_ is JSON_LD:
        body, format_ = apply_requested_profiles(request, body)
    coding = request_coding(request) if len(body) >= MIN_COMPRESSED_BYTES else IDENTITY_CODING
    fields = common_response_fields(request, compute_entity_tag(body, format_, coding), links) | dict(
        headers or {}
    )
    fields = page_header_fields(fields) if format_ is HTML else fields
    if_none_match = request.headers.getlist("if-none-match") if request.method in CONDITIONAL_METHODS else []
    if status == 200 and matches_entity_tag(if_none_match, fields["ETag"], weak=True):
        return Response(status_code=304, headers=fields)
    fields |= body_header_fields(format_, coding)
    if format_ in (CSS, JAVASCRIPT):
        body = compress_static_file(body, coding)
    else:
        effort = CompressionEffort.PAGE if format_ is HTML else CompressionEffort.ANSWER
        body = compress_body(body, coding, effort)
    if request.method == "HEAD":
        fields["Content-Length"] = str(len(body))
        body = b""
    return Response(body, status, fields)


def apply_requested_profiles(request: Request, body: bytes) -> tuple[bytes, Format]:
    """A JSON-LD document in the profiles that the client asks for, and its format with their names."""
    profiles = parse_jsonld_profiles(request.headers.getlist("accept"))
    if not profiles:
        return body, JSON_LD
    body, held_profiles = apply_jsonld_profiles(body, profiles)
    return body, replace(JSON_LD, media_type=describe_jsonld_type(held_profiles))


def respond_with_json(
    request: Request,
    value: object,
    *,
    status: int = 200,
    links: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A complete response of JSON on one line; see `respond_with_body`."""
    body = serialize_compact_json(value)
    return respond_with_body(request, body, JSON, status=status, links=links, headers=headers)


def serialize_compact_json(value: object) -> bytes:
    """The value as JSON on one line, because indenting it would take longer than a search."""
    return json.dumps(value, ensure_ascii=False).encode()


def respond_with_stream(  # noqa: PLR0913  the parts of a response
    request: Request,
    chunks: AsyncIterator[bytes],
    format_: Format,
    *,
    close: Callable[[], None],
    digest: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A response whose chunks are sent as they arrive; `close` is called at its end, also after an error.

    Its ETag is weak, because the next evaluation may return the rows in another order: the same for the same
    `digest`, format and coding. It is unique if there is no digest, or the result changes without a write.
    """
    if format_ is JSON_LD:  # as the engine writes it
        profiles = parse_jsonld_profiles(request.headers.getlist("accept"))
        held_profiles = list_held_profiles(profiles, EXPANDED_PROFILE)
        format_ = replace(JSON_LD, media_type=describe_jsonld_type(held_profiles))
    coding = request_coding(request)
    if digest and not is_volatile(request):
        tag = f"W/{compute_entity_tag(digest.encode(), format_, coding)}"
    else:
        tag = f'"{uuid.uuid4().hex}"'
    fields = common_response_fields(request, tag) | dict(headers or {})
    return StreamedResponse(
        compress_chunks(chunks, coding), fields | body_header_fields(format_, coding), close
    )


def common_response_fields(request: Request, tag: str, links: Iterable[str] = ()) -> dict[str, str]:
    """The header fields that both a 200 and a 304 have."""
    is_private = is_volatile(request) or "authorization" in request.headers
    fields = {
        "ETag": tag,
        "Vary": "Accept, Accept-Encoding",
        "Cache-Control": "no-store" if is_private else "no-cache",
    }
    if links:
        fields["Link"] = encode_field_value(", ".join(links))
    return fields


def is_volatile(request: Request) -> bool:
    """Whether the response changes without a write: it has data of other services, or of NOW and the like."""
    return bool(getattr(request.state, "is_volatile", False))


def body_header_fields(format_: Format, coding: str) -> dict[str, str]:
    """The header fields that describe a body."""
    fields = {"Content-Type": format_.content_type}
    if coding:
        fields["Content-Encoding"] = coding
    return fields


def compute_entity_tag(body: bytes, format_: Format, coding: str = "") -> str:
    """The strong ETag of a body: equal for equal bytes, format and coding."""
    digest = hashlib.sha256(f"{format_.media_type} {coding} ".encode())
    digest.update(body)
    return f'"{digest.hexdigest()[:32]}"'


ENTITY_TAG_PATTERN = re.compile(r'(?:W/)?"[^"]*"|\*')  # a tag may contain commas and asterisks


def matches_entity_tag(fields: Iterable[str], tag: str, *, weak: bool) -> bool:
    """Whether the values of If-Match or If-None-Match headers contain `tag` or `*`.

    `weak`: weak tags match as well, as for If-None-Match, but not for If-Match (RFC 9110, section 13.1).
    """
    tags = ENTITY_TAG_PATTERN.findall(",".join(fields))
    if weak:
        tag, tags = tag.removeprefix("W/"), [value.removeprefix("W/") for value in tags]
    return tag in tags or "*" in tags


def request_coding(request: Request) -> str:
    """The content coding that the client prefers."""
    return choose_coding(request.headers.getlist("accept-encoding"))
