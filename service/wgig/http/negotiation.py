"""Content negotiation: the format (406) and the content coding that a client gets (RFC 9110, section 12.5).

`negotiate_format` chooses a format by the Accept fields, and raises the 406; profiles and formats of a
resource are chosen by `resources.negotiation`. `choose_coding` takes a coding by Accept-Encoding: zstd, br,
gzip or none. Bodies are coded whole or piece by piece (section 8.4).
"""

import gzip
import re
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

from ..rdf.formats import Format, not_acceptable_problem

_ACCEPT_PARAMETER_PATTERN = re.compile(
    r""";\s*(?:(?P<key>[^\s=;,]+)\s*=\s*(?P<value>"(?:[^"\\]|\\.)*"|[^\s;,"]*))?\s*"""
)
_UNNAMED_PARAMETER_REGEX = re.sub("P<[a-z]+>", ":", _ACCEPT_PARAMETER_PATTERN.pattern)
_ACCEPT_ITEM_PATTERN = re.compile(rf"(?P<name>[^\s;,]+)\s*(?P<parameters>(?:{_UNNAMED_PARAMETER_REGEX})*)")
_QVALUE_PATTERN = re.compile(r"0(\.\d{0,3})?|\.\d{1,3}|1(\.0{0,3})?")  # many leave out the zero, as Java does


def parse_accept_weights(fields: Iterable[str]) -> dict[str, float]:
    """What a client accepts: name -> weight, all fields as one list; items with a bad weight are left out."""
    found: dict[str, float] = {}
    for item in _ACCEPT_ITEM_PATTERN.finditer(",".join(fields)):
        parameters = {
            one["key"]: one["value"]
            for one in _ACCEPT_PARAMETER_PATTERN.finditer(item["parameters"])
            if one["key"]
        }
        q = parse_qvalue(parameters.get("q", parameters.get("Q", "1")))
        if q is not None:
            name = item["name"].lower()
            found[name] = max(q, found.get(name, 0.0))
    return found


def parse_qvalue(text: str) -> float | None:
    """The weight of an item; None for a bad one, whose item is left out of every field (RFC 9110, 12.4.2)."""
    return float(text) if _QVALUE_PATTERN.fullmatch(text) else None


def negotiate_format(accept: Iterable[str], offered: Sequence[Format]) -> Format:
    """The offered format that a client likes best, of equal ones the first.

    `accept` holds the values of all Accept fields; none: anything. Raises Problem 406.
    """
    wanted = accepted_media_ranges(accept)
    best = max(offered, key=lambda one: rank_format(wanted, one))
    if rank_format(wanted, best)[0] == 0:
        raise not_acceptable_problem(offered)
    return best


def accepted_media_ranges(accept: Iterable[str]) -> dict[str, float]:
    """What a client accepts by its Accept fields; where it sends none, anything. Java writes * for */*."""
    found = parse_accept_weights(accept) or {"*": 1.0}
    return {**found, "*/*": max(found.get("*", 0.0), found.get("*/*", 0.0))}


def rank_format(wanted: dict[str, float], one: Format) -> tuple[float, int]:
    """The weight of a format for a client, 0 for none, and how exactly it was named."""
    ranges = [(one.media_type, 3), *((name, 2) for name in one.aliases)]
    ranges += [(one.media_type.split("/")[0] + "/*", 1), ("*/*", 0)]
    return next(((wanted[name], exact) for name, exact in ranges if name in wanted), (0.0, 0))


IDENTITY_CODING = ""


class StreamCompressor(Protocol):
    """Codes one body piece by piece."""

    def compress(self, data: bytes, /) -> bytes:
        """What the piece brings out."""

    def flush(self) -> bytes:
        """The end of the coded body."""


class BrotliCompressor:
    """A coder for br, with the names that the others have."""

    def __init__(self) -> None:
        """Begin a body."""
        self.compressor = brotli.Compressor(quality=4)

    def compress(self, data: bytes, /) -> bytes:
        """What the piece brings out."""
        coded: bytes = self.compressor.process(data)
        return coded

    def flush(self) -> bytes:
        """The end of the coded body."""
        coded: bytes = self.compressor.finish()
        return coded


class ContentCoding(NamedTuple):
    """How a body is coded in one go, and piece by piece."""

    compress: Callable[[bytes], bytes]
    make_compressor: Callable[[], StreamCompressor]


# The first one that a client likes best is taken: it costs least and saves most.
CONTENT_CODINGS = {
    "zstd": ContentCoding(
        lambda body: zstandard.ZstdCompressor(level=3).compress(body),
        lambda: zstandard.ZstdCompressor(level=3).compressobj(),
    ),
    "br": ContentCoding(lambda body: brotli.compress(body, quality=4), BrotliCompressor),
    "gzip": ContentCoding(
        lambda body: gzip.compress(body, compresslevel=6, mtime=0),
        lambda: zlib.compressobj(level=6, wbits=31),
    ),
}


def choose_coding(accept_encoding: Iterable[str]) -> str:
    """The coding for these Accept-Encoding fields, IDENTITY_CODING for none (RFC 9110, section 12.5.3)."""
    wanted = parse_accept_weights(accept_encoding)
    liked = {name: wanted.get(name, wanted.get("*", 0.0)) for name in CONTENT_CODINGS}
    best = max(liked, key=lambda name: liked[name])
    return best if liked[best] > 0 and liked[best] >= wanted.get("identity", 0.0) else IDENTITY_CODING


def compress_body(body: bytes, coding: str) -> bytes:
    """The whole body in a coding."""
    return CONTENT_CODINGS[coding].compress(body) if coding else body


async def compress_pieces(pieces: AsyncIterator[bytes], coding: str) -> AsyncIterator[bytes]:
    """The pieces of a body in a coding."""
    if not coding:
        async for piece in pieces:
            yield piece
        return
    coder = CONTENT_CODINGS[coding].make_compressor()
    async for piece in pieces:
        if out := coder.compress(piece):
            yield out
    yield coder.flush()
