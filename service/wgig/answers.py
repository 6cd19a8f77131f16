"""Turn bytes into a response: limit, validators, conditions, content coding, caching (RFC 9110, 8 to 13)."""

import gzip
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence

from fastapi import Request, Response

from .bodies import parameters, values
from .formats import Format, named, negotiate, weights

SMALLEST_COMPRESSED = 1024  # below this, gzip costs more than it saves


class TooLargeError(Exception):
    """The answer does not fit."""


class Bounded(io.BytesIO):
    """A buffer that takes `limit` bytes and raises TooLargeError on more."""

    def __init__(self, limit: int) -> None:
        """A buffer for `limit` bytes."""
        super().__init__()
        self.limit = limit

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take the bytes and say how many they were."""
        if self.tell() + len(data) > self.limit:
            raise TooLargeError
        return super().write(data)


def pick(request: Request, offered: Sequence[Format], suffix: str = "") -> Format:
    """The format of the answer: `?_mediatype=` beats the suffix of the path, which beats the Accept fields.

    Raises Problem 406.
    """
    asked = values(parameters(request), "_mediatype")
    if asked or suffix:
        return named(asked[0] if asked else suffix, offered)
    return negotiate(request.headers.getlist("accept"), offered)


def answer(  # noqa: PLR0913 - what a response consists of
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
    coding = "gzip" if len(body) >= SMALLEST_COMPRESSED and accepts_gzip(request) else ""
    fields = {
        "ETag": entity_tag(body, format_, coding),
        "Vary": "Accept, Accept-Encoding",
        "Cache-Control": "no-store" if "authorization" in request.headers else "no-cache",
        **(headers or {}),
    }
    if links:
        fields["Link"] = ", ".join(links)
    if status == 200 and matches(request.headers.getlist("if-none-match"), fields["ETag"]):
        return Response(status_code=304, headers=fields)
    fields["Content-Type"] = format_.content_type
    if coding:
        fields["Content-Encoding"] = coding
        body = gzip.compress(body, compresslevel=6, mtime=0)
    if request.method == "HEAD":
        fields["Content-Length"] = str(len(body))
        body = b""
    return Response(body, status, fields)


def entity_tag(body: bytes, format_: Format, coding: str = "") -> str:
    """A strong validator: the same for the same bytes in the same format and coding."""
    digest = hashlib.sha256(f"{format_.media_type} {coding} ".encode())
    digest.update(body)
    return f'"{digest.hexdigest()[:32]}"'


def matches(condition: Iterable[str], tag: str) -> bool:
    """Whether one of the entity tags in the condition's fields is `tag`, or any is meant."""
    tags = [one.strip().removeprefix("W/") for one in ",".join(condition).split(",")]
    return tag in tags or "*" in tags


def accepts_gzip(request: Request) -> bool:
    """Whether the client takes gzip (RFC 9110, section 12.5.3)."""
    wanted = weights(request.headers.getlist("accept-encoding"))
    return wanted.get("gzip", wanted.get("*", 0.0)) > 0
