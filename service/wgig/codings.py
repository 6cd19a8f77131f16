"""Content codings: which one a client gets, and bodies in it, whole or piece by piece (RFC 9110, 8.4)."""

import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import NamedTuple, Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

from .formats import weights

PLAIN = ""


class Coder(Protocol):
    """Codes one body piece by piece."""

    def compress(self, data: bytes, /) -> bytes:
        """What the piece brings out."""

    def flush(self) -> bytes:
        """The end of the coded body."""


class Brotli:
    """A coder for br, with the names that the others have."""

    def __init__(self) -> None:
        """Begin a body."""
        self.coder = brotli.Compressor(quality=4)

    def compress(self, data: bytes, /) -> bytes:
        """What the piece brings out."""
        coded: bytes = self.coder.process(data)
        return coded

    def flush(self) -> bytes:
        """The end of the coded body."""
        coded: bytes = self.coder.finish()
        return coded


class Coding(NamedTuple):
    """How a body is coded in one go, and piece by piece."""

    whole: Callable[[bytes], bytes]
    coder: Callable[[], Coder]


# The first one that a client likes best is taken: it costs least and saves most.
CODINGS = {
    "zstd": Coding(
        lambda body: zstandard.ZstdCompressor(level=3).compress(body),
        lambda: zstandard.ZstdCompressor(level=3).compressobj(),
    ),
    "br": Coding(lambda body: brotli.compress(body, quality=4), Brotli),
    "gzip": Coding(
        lambda body: gzip.compress(body, compresslevel=6, mtime=0),
        lambda: zlib.compressobj(level=6, wbits=31),
    ),
}


def choose(accept_encoding: Iterable[str]) -> str:
    """The coding for a client with these Accept-Encoding fields, PLAIN for none (RFC 9110, 12.5.3)."""
    wanted = weights(accept_encoding)
    liked = {name: wanted.get(name, wanted.get("*", 0.0)) for name in CODINGS}
    best = max(liked, key=lambda name: liked[name])
    return best if liked[best] > 0 and liked[best] >= wanted.get("identity", 0.0) else PLAIN


def coded(body: bytes, coding: str) -> bytes:
    """The whole body in a coding."""
    return CODINGS[coding].whole(body) if coding else body


async def coded_pieces(pieces: AsyncIterator[bytes], coding: str) -> AsyncIterator[bytes]:
    """The pieces of a body in a coding."""
    if not coding:
        async for piece in pieces:
            yield piece
        return
    coder = CODINGS[coding].coder()
    async for piece in pieces:
        if out := coder.compress(piece):
            yield out
    yield coder.flush()
