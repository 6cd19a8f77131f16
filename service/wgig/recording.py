"""Take an answer down while it is sent, to give it again."""

import io
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import zstandard
from starlette.types import Message

LARGE = (
    64 * 1024
)  # bytes of a plain body, from which on it is kept compressed, and given in pieces of that size

RawHeaders = list[tuple[bytes, bytes]]


class Entry(NamedTuple):
    """A whole answer: its header fields, its entity tag, and its body, which may be `packed`."""

    headers: RawHeaders
    tag: str
    body: bytes
    packed: bool

    def pieces(self) -> Iterator[bytes]:
        """The body as it was sent."""
        if not self.packed:
            yield self.body
            return
        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(self.body))
        while piece := reader.read(LARGE):
            yield piece


class Recording:
    """An answer that is taken down, unless it is none to keep or takes more than `most` bytes."""

    def __init__(self, most: int) -> None:
        """Nothing was sent yet."""
        self.left = most
        self.headers: dict[bytes, bytes] = {}
        self.raw: RawHeaders = []
        self.pieces: list[bytes] = []
        self.length = 0
        self.coder: zstandard.ZstdCompressionObj | None = None
        self.wanted, self.ended = True, False

    def take(self, message: Message) -> None:
        """Take down a message of the answer."""
        if message["type"] == "http.response.start":
            self.raw = list(message["headers"])
            self.headers = dict(self.raw)
            public = b"no-store" not in self.headers.get(b"cache-control", b"")
            self.wanted = message["status"] == 200 and b"etag" in self.headers and public
        elif self.wanted:
            self.write(message.get("body", b""))
            self.ended = not message.get("more_body", False)
            if self.ended and self.coder:
                self.hold(self.coder.flush())
            self.wanted = self.left >= 0

    def write(self, piece: bytes) -> None:
        """Take down a piece of the body; a body that grows large is packed from then on."""
        self.length += len(piece)
        if self.coder is None and self.length > LARGE and b"content-encoding" not in self.headers:
            self.coder = zstandard.ZstdCompressor(level=3).compressobj()
            before, self.pieces = b"".join(self.pieces), []
            self.left += len(before)
            piece = before + piece
        self.hold(self.coder.compress(piece) if self.coder else piece)

    def hold(self, piece: bytes) -> None:
        """Hold some bytes of the body as it is kept."""
        self.pieces.append(piece)
        self.left -= len(piece)

    @property
    def at_once(self) -> bool:
        """Whether it is an answer to keep whose length was known before it went out."""
        return self.wanted and b"content-length" in self.headers

    @cached_property
    def entry(self) -> Entry | None:
        """The whole answer, when all was sent; None where it was not whole, or is not to be kept."""
        if not (self.wanted and self.ended):
            return None
        fields = [pair for pair in self.raw if pair[0] != b"content-length"]
        fields.append((b"content-length", str(self.length).encode()))
        return Entry(fields, self.headers[b"etag"].decode(), b"".join(self.pieces), self.coder is not None)

    def varies(self) -> frozenset[bytes]:
        """The names of the request's fields that the answer depends on, beside those of every key."""
        names = self.headers.get(b"vary", b"").lower().replace(b" ", b"").split(b",")
        return frozenset(names) - {b"accept-encoding"}
