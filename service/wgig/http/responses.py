"""Responses: ETag, conditional requests, compression and caching (RFC 9110, sections 8 to 13).

Whole responses have a strong ETag, which depends on content, format and coding, and get 304 where the client
has them. A streamed response that fails after it began ends by closing the connection, as its status is sent
already. Work is canceled when the client disconnects; work shorter than 0.05 s is not watched.
"""

import asyncio
import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

from fastapi import Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from ..rdf.formats import HTML, JSON, Format
from .language import page_header_fields
from .negotiation import IDENTITY_CODING, choose_coding, compress_body, compress_pieces
from .parameters import encode_field_value

IMMUTABLE_CACHE_CONTROL = "public, max-age=31536000, immutable"  # of what never changes at its address
NO_STORE_HEADERS = {"Cache-Control": "no-store"}
DISCONNECT_WATCH_SECONDS = 0.05  # seconds of work before it is worth to look whether somebody waits for it


@asynccontextmanager
async def cancel_on_disconnect(receive: Receive) -> AsyncIterator[None]:
    """Around work for a client whose request has been received: canceled when the client goes away.

    Raises ClientDisconnect then.
    """
    loop = asyncio.get_running_loop()
    watching: set[asyncio.Task[None]] = set()
    try:
        async with asyncio.timeout(None) as work:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                work.reschedule(loop.time())

            timer = loop.call_later(DISCONNECT_WATCH_SECONDS, lambda: watching.add(loop.create_task(watch())))
            try:
                yield
            finally:
                timer.cancel()
                for task in watching:
                    task.cancel()
    except TimeoutError as error:
        if work.expired():
            raise ClientDisconnect from error
        raise


class ResponseAbortedError(Exception):
    """An answer has begun and cannot be ended; the connection ends in its place."""


class StreamedResponse(Response):
    """A response whose body comes piece by piece."""

    def __init__(
        self, pieces: AsyncIterator[bytes], headers: Mapping[str, str], close: Callable[[], None]
    ) -> None:
        """Take the pieces of the body, in the coding that the headers name, and the header fields.

        `close` is called when no more of them is wanted.
        """
        self.pieces, self.on_close = pieces, close
        self.status_code, self.background = 200, None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces as fast as the client takes them; none for HEAD."""
        try:
            async with cancel_on_disconnect(receive):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                if scope["method"] != "HEAD":
                    async for piece in self.pieces:
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self.on_close()


CONDITIONAL_METHODS = ("GET", "HEAD", "QUERY")  # what 304 may answer (RFC 9110, section 13.1.2)
MIN_COMPRESSED_BYTES = 1024  # below this, a coding costs more than it saves


def respond_with_body(  # noqa: PLR0913 - what a response consists of
    request: Request,
    body: bytes,
    format_: Format,
    *,
    status: int = 200,
    links: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A whole answer with a strong ETag, or 304 when the client has it already.

    The ETag is the digest of the body, its media type and its coding. `links` are values of the Link field.
    """
    worthwhile = len(body) >= MIN_COMPRESSED_BYTES
    coding = request_coding(request) if worthwhile else IDENTITY_CODING
    fields = common_response_fields(request, compute_entity_tag(body, format_, coding), links) | dict(
        headers or {}
    )
    fields = page_header_fields(fields) if format_ is HTML else fields
    condition = request.headers.getlist("if-none-match") if request.method in CONDITIONAL_METHODS else []
    if status == 200 and matches_entity_tag(condition, fields["ETag"], weak=True):
        return Response(status_code=304, headers=fields)
    fields |= body_header_fields(format_, coding)
    body = compress_body(body, coding)
    if request.method == "HEAD":
        fields["Content-Length"] = str(len(body))
        body = b""
    return Response(body, status, fields)


def respond_with_json(
    request: Request,
    value: object,
    *,
    status: int = 200,
    links: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A whole answer as JSON in one line; see `respond_with_body`."""
    body = serialize_compact_json(value)
    return respond_with_body(request, body, JSON, status=status, links=links, headers=headers)


def serialize_compact_json(value: object) -> bytes:
    """JSON in one line: lines for people take longer than a search."""
    return json.dumps(value, ensure_ascii=False).encode()


def respond_with_stream(  # noqa: PLR0913 - what a response consists of
    request: Request,
    pieces: AsyncIterator[bytes],
    format_: Format,
    *,
    close: Callable[[], None],
    links: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer whose pieces go out as they come; `close` is called when no more of them is wanted.

    Its ETag names this one evaluation, as another may bring the same in another order.
    """
    coding = request_coding(request)
    fields = common_response_fields(request, f'"{uuid.uuid4().hex}"', links) | dict(headers or {})
    return StreamedResponse(
        compress_pieces(pieces, coding), fields | body_header_fields(format_, coding), close
    )


def common_response_fields(request: Request, tag: str, links: Iterable[str]) -> dict[str, str]:
    """The header fields of an answer and of the 304 in its place."""
    # What others said passes by: when it changes, nobody tells us.
    passing = getattr(request.state, "passing", False)
    fields = {
        "ETag": tag,
        "Vary": "Accept, Accept-Encoding",
        "Cache-Control": "no-store" if passing or "authorization" in request.headers else "no-cache",
    }
    if links:
        fields["Link"] = encode_field_value(", ".join(links))
    return fields


def body_header_fields(format_: Format, coding: str) -> dict[str, str]:
    """The header fields that describe a body."""
    fields = {"Content-Type": format_.content_type}
    if coding:
        fields["Content-Encoding"] = coding
    return fields


def compute_entity_tag(body: bytes, format_: Format, coding: str = "") -> str:
    """A strong validator: the same for the same bytes in the same format and coding."""
    digest = hashlib.sha256(f"{format_.media_type} {coding} ".encode())
    digest.update(body)
    return f'"{digest.hexdigest()[:32]}"'


def matches_entity_tag(condition: Iterable[str], tag: str, *, weak: bool) -> bool:
    """Whether one of the entity tags in the condition's fields is `tag`, or any is meant.

    `weak`: weak tags count, too, as for If-None-Match, not for If-Match (RFC 9110, section 13.1).
    """
    tags = [one.strip() for one in ",".join(condition).split(",")]
    return tag in tags or "*" in tags or (weak and f"W/{tag}" in tags)


def request_coding(request: Request) -> str:
    """The content coding that the client likes best."""
    return choose_coding(request.headers.getlist("accept-encoding"))
