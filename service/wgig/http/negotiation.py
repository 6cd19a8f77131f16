"""Content negotiation: the format (406) and the content coding that a client gets (RFC 9110, section 12.5).

`negotiate_format` chooses every format, by `_mediatype`, the suffix of the path or the Accept fields, and
raises the 406. Profiles, each with formats of its own, are chosen in `resources.profile_negotiation`, which
ranks formats as here. `choose_coding` takes a coding by Accept-Encoding: zstd, br, gzip or none. Bodies are
coded whole or piece by piece (section 8.4).
"""

import gzip
import re
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

from ..problems import Problem
from ..rdf.formats import HTML, Format, not_acceptable_problem, rate_format_match
from .bodies import get_query_parameters, parameter_values

if TYPE_CHECKING:  # costs 180 ms, and the shell needs none
    from fastapi import Request

MAX_NAMED_FORMATS = 50  # formats that one request names
FormatRank = tuple[float, int]  # how much a format is liked, 0 for not at all, and how exactly it was named

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


def choose_response_format(request: "Request", offered: Sequence[Format], suffix: str = "") -> Format:
    """The format of the answer: `?_mediatype=` beats the suffix of the path, which beats the Accept fields.

    Raises Problem 400 and 406.
    """
    return negotiate_format(
        request.headers.getlist("accept"), offered, named=named_formats(request), suffix=suffix
    )


def choose_page_or_data(request: "Request", data: Format) -> Format:
    """HTML where the client likes a page best, else the format of the data, whatever it accepts."""
    return negotiate_format(request.headers.getlist("accept"), (data, HTML), default=data)


def named_formats(request: "Request") -> list[str]:
    """The media types or suffixes that `?_mediatype=` lists, the best first. Raises Problem 400."""
    given = parameter_values(get_query_parameters(request), "_mediatype")
    names = given[0].split(",") if given else []
    if len(names) > MAX_NAMED_FORMATS:
        raise Problem(400, f"The parameter _mediatype lists more than {MAX_NAMED_FORMATS} types. List fewer.")
    return names


def negotiate_format(
    accept: Iterable[str],
    offered: Sequence[Format],
    *,
    named: Sequence[str] = (),
    suffix: str = "",
    default: Format | None = None,
) -> Format:
    """The offered format that a client likes best, of equal ones the first.

    See `make_format_ranking` for what counts. Where none is acceptable, the default is given; without one,
    Problem 406 is raised.
    """
    rank = make_format_ranking(accept, named, suffix)
    best = max(offered, key=rank)
    if rank(best)[0] > 0:
        return best
    if default is None:
        raise not_acceptable_problem(offered, "" if named else suffix)
    return default


def make_format_ranking(
    accept: Iterable[str], named: Sequence[str] = (), suffix: str = ""
) -> Callable[[Format], FormatRank]:
    """A function that ranks a format by what a request says of formats.

    Those that it named, by media type or suffix, the best first, beat the suffix of the path, and that the
    values of all Accept fields; none of them: any format will do.
    """
    if named or suffix:
        return partial(rank_named_format, named or (suffix,))
    return partial(rank_accepted_format, accepted_media_ranges(accept))


def rank_named_format(names: Sequence[str], one: Format) -> FormatRank:
    """The rank of a format by the place of its name in a list: the last place counts 1."""
    return max(
        (place if close else 0, close)
        for place, close in enumerate((rate_format_match(name, one) for name in reversed(names)), 1)
    )


def accepted_media_ranges(accept: Iterable[str]) -> dict[str, float]:
    """What a client accepts by its Accept fields; where it sends none, anything. Java writes * for */*."""
    found = parse_accept_weights(accept) or {"*": 1.0}
    return {**found, "*/*": max(found.get("*", 0.0), found.get("*/*", 0.0))}


def rank_accepted_format(wanted: dict[str, float], one: Format) -> FormatRank:
    """The rank of a format by the weights of media ranges; the most specific range counts."""
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
