"""Content negotiation: the format (406) and the content coding that a client gets (RFC 9110, section 12.5).

`negotiate` chooses a format by the Accept fields, and raises the 406; profiles and formats of a resource are
chosen by `resources.negotiation`. `choose` takes a coding by Accept-Encoding: zstd, br, gzip or none. Bodies
are coded whole or piece by piece (section 8.4).
"""

import gzip
import re
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

from ..rdf.formats import Format, not_acceptable

_PARAMETER = re.compile(r""";\s*(?:(?P<key>[^\s=;,]+)\s*=\s*(?P<value>"(?:[^"\\]|\\.)*"|[^\s;,"]*))?\s*""")
_ITEM = re.compile(
    rf"(?P<name>[^\s;,]+)\s*(?P<parameters>(?:{re.sub('P<[a-z]+>', ':', _PARAMETER.pattern)})*)"
)
_QVALUE = re.compile(r"0(\.\d{0,3})?|\.\d{1,3}|1(\.0{0,3})?")  # many leave out the zero, as Java does


def weights(fields: Iterable[str]) -> dict[str, float]:
    """What a client accepts: name -> weight, all fields as one list; items with a bad weight are left out."""
    found: dict[str, float] = {}
    for item in _ITEM.finditer(",".join(fields)):
        parameters = {
            one["key"]: one["value"] for one in _PARAMETER.finditer(item["parameters"]) if one["key"]
        }
        q = weight(parameters.get("q", parameters.get("Q", "1")))
        if q is not None:
            name = item["name"].lower()
            found[name] = max(q, found.get(name, 0.0))
    return found


def weight(text: str) -> float | None:
    """The weight of an item; None for a bad one, whose item is left out of every field (RFC 9110, 12.4.2)."""
    return float(text) if _QVALUE.fullmatch(text) else None


def negotiate(accept: Iterable[str], offered: Sequence[Format]) -> Format:
    """The offered format that a client likes best, of equal ones the first.

    `accept` holds the values of all Accept fields; none: anything. Raises Problem 406.
    """
    wanted = accepted(accept)
    best = max(offered, key=lambda one: liking(wanted, one))
    if liking(wanted, best)[0] == 0:
        raise not_acceptable(offered)
    return best


def accepted(accept: Iterable[str]) -> dict[str, float]:
    """What a client accepts by its Accept fields; where it sends none, anything. Java writes * for */*."""
    found = weights(accept) or {"*": 1.0}
    return {**found, "*/*": max(found.get("*", 0.0), found.get("*/*", 0.0))}


def liking(wanted: dict[str, float], one: Format) -> tuple[float, int]:
    """The weight of a format for a client, 0 for none, and how exactly it was named."""
    ranges = [(one.media_type, 3), *((name, 2) for name in one.aliases)]
    ranges += [(one.media_type.split("/")[0] + "/*", 1), ("*/*", 0)]
    return next(((wanted[name], exact) for name, exact in ranges if name in wanted), (0.0, 0))


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
