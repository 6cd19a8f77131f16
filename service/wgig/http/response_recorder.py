"""Recording of responses while they are sent, for the response cache."""

import io
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from starlette.types import Message

from ..zstd import ZstdCompressor, ZstdFile

LARGE_BODY_BYTES = 64 * 1024  # larger uncompressed bodies are stored compressed, and sent in such chunks
CACHED_RESPONSE_OVERHEAD_BYTES = 1000  # memory of a cached response in addition to fields and body
CACHED_FIELD_OVERHEAD_BYTES = 150  # memory of a header field in addition to name and value

RawHeaders = list[tuple[bytes, bytes]]


class CachedResponse(NamedTuple):
    """A complete response: its header fields, entity tag, and body, which may be stored compressed."""

    headers: RawHeaders
    entity_tag: str
    body: bytes
    is_compressed: bool

    @property
    def size_bytes(self) -> int:
        """The approximate memory that the response takes."""
        fields = sum(len(name) + len(value) for name, value in self.headers)
        overhead = CACHED_RESPONSE_OVERHEAD_BYTES + CACHED_FIELD_OVERHEAD_BYTES * len(self.headers)
        return len(self.body) + fields + overhead

    def iter_body(self) -> Iterator[bytes]:
        """The chunks of the body as it was sent, without the compression for storage."""
        if not self.is_compressed:
            yield self.body
            return
        reader = ZstdFile(io.BytesIO(self.body))
        while chunk := reader.read(LARGE_BODY_BYTES):
            yield chunk


class ResponseRecorder:
    """Records a response as it is sent, unless it must not be cached or takes more than `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        """Start before the first message."""
        self.bytes_left = max_bytes
        self.headers: dict[bytes, bytes] = {}
        self.raw_headers: RawHeaders = []
        self.body_chunks: list[bytes] = []
        self.body_length = 0
        self.compressor: ZstdCompressor | None = None
        self.is_cacheable, self.is_complete = True, False

    def record_message(self, message: Message) -> None:
        """Record an ASGI message of the response."""
        if message["type"] == "http.response.start":
            self.raw_headers = list(message["headers"])
            self.headers = dict(self.raw_headers)
            is_storable = b"no-store" not in self.headers.get(b"cache-control", b"")
            self.is_cacheable = message["status"] == 200 and b"etag" in self.headers and is_storable
        elif self.is_cacheable:
            self.record_body(message.get("body", b""))
            self.is_complete = not message.get("more_body", False)
            if self.is_complete and self.compressor:
                self.append_bytes(self.compressor.flush())
            self.is_cacheable = self.bytes_left >= 0

    def record_body(self, chunk: bytes) -> None:
        """Record a chunk of the body; a body of more than LARGE_BODY_BYTES is compressed."""
        self.body_length += len(chunk)
        if (
            self.compressor is None
            and self.body_length > LARGE_BODY_BYTES
            and b"content-encoding" not in self.headers
        ):
            self.compressor = ZstdCompressor(level=3)
            recorded, self.body_chunks = b"".join(self.body_chunks), []
            self.bytes_left += len(recorded)
            chunk = recorded + chunk
        self.append_bytes(self.compressor.compress(chunk) if self.compressor else chunk)

    def append_bytes(self, chunk: bytes) -> None:
        """Store a chunk of the body, which is compressed if the body is compressed."""
        self.body_chunks.append(chunk)
        self.bytes_left -= len(chunk)

    @property
    def has_known_length(self) -> bool:
        """Whether the response can be cached, and has a Content-Length, so that it is not streamed."""
        return self.is_cacheable and b"content-length" in self.headers

    @cached_property
    def cached_response(self) -> CachedResponse | None:
        """The recorded response; None if it is incomplete or must not be cached."""
        if not (self.is_cacheable and self.is_complete):
            return None
        fields = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        fields.append((b"content-length", str(self.body_length).encode()))
        return CachedResponse(
            fields, self.headers[b"etag"].decode(), b"".join(self.body_chunks), self.compressor is not None
        )
