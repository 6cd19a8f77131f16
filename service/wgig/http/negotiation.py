"""Content negotiation: the format and the content coding of a response (RFC 9110, section 12.5).

`negotiate_format` chooses a format by the query parameter `_mediatype`, by the suffix of the path, or by the
Accept header, and raises Problem 406 if none is acceptable. `resources.profile_negotiation` chooses a profile
and one of its formats, and ranks formats by the same functions. `choose_coding` chooses a content coding by
Accept-Encoding: zstd, br, gzip or none. A body is compressed as a whole or in chunks (section 8.4).
"""

import gzip
import re
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import brotli  # type: ignore[import-untyped]

from .. import zstd
from ..problems import Problem
from ..rdf.formats import HTML, Format, not_acceptable_problem, rate_format_match

if TYPE_CHECKING:  # costs 180 ms, and commands do not need it
    from fastapi import Request

MAX_NAMED_FORMATS = 50  # in the parameter `_mediatype`
FormatRank = tuple[float, int]  # weight (0: not acceptable) and specificity of the match

_ACCEPT_PARAMETER_PATTERN = re.compile(
    r""";\s*(?:(?P<key>[^\s=;,]+)\s*=\s*(?P<value>"(?:[^"\\]|\\.)*"|[^\s;,"]*))?\s*"""
)
# Without group names, which must be unique in a pattern.
_UNNAMED_PARAMETER_REGEX = re.sub("P<[a-z]+>", ":", _ACCEPT_PARAMETER_PATTERN.pattern)
_ACCEPT_ITEM_PATTERN = re.compile(rf"(?P<name>[^\s;,]+)\s*(?P<parameters>(?:{_UNNAMED_PARAMETER_REGEX})*)")
_QVALUE_PATTERN = re.compile(
    r"0(\.\d{0,3})?|\.\d{1,3}|1(\.0{0,3})?"
)  # some clients, such as Java, omit the zero


def parse_accept_weights(fields: Iterable[str]) -> dict[str, float]:
    """The weights by name in all Accept headers; items with an invalid weight are left out."""
    weights: dict[str, float] = {}
    for name, _, q in iter_accept_items(fields):
        weights[name] = max(q, weights.get(name, 0.0))
    return weights


def iter_accept_items(fields: Iterable[str]) -> Iterator[tuple[str, dict[str, str], float]]:
    """The name, parameters and weight of each item in all Accept headers, except those with a bad weight."""
    for item in _ACCEPT_ITEM_PATTERN.finditer(",".join(fields)):
        parameters = {
            match["key"]: match["value"]
            for match in _ACCEPT_PARAMETER_PATTERN.finditer(item["parameters"])
            if match["key"]
        }
        q = parse_qvalue(parameters.get("q", parameters.get("Q", "1")))
        if q is not None:
            yield item["name"].lower(), parameters, q


def parse_qvalue(text: str) -> float | None:
    """The value of a weight (RFC 9110, section 12.4.2); None if it is invalid."""
    return float(text) if _QVALUE_PATTERN.fullmatch(text) else None


def choose_response_format(
    request: "Request", offered: Sequence[Format], mediatype: str | None = None, suffix: str = ""
) -> Format:
    """The format of a response: by `mediatype`, else by the suffix of the path, else by the Accept headers.

    `mediatype` is the value of `_mediatype`. Raises Problem 400 if it lists too many types, 406 if no format
    is acceptable.
    """
    named = parse_named_formats(mediatype)
    return negotiate_format(request.headers.getlist("accept"), offered, named=named, suffix=suffix)


def choose_page_or_data(request: "Request", data: Format) -> Format:
    """HTML if the client prefers it, else the format `data`, even if the client does not accept it."""
    return negotiate_format(request.headers.getlist("accept"), (data, HTML), default=data)


def parse_named_formats(mediatype: str | None) -> list[str]:
    """The media types or suffixes in `_mediatype`, the best first. Raises Problem 400 for too many."""
    names = [] if mediatype is None else mediatype.split(",")
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
    """The offered format that a client prefers; of several with equal rank, the first.

    `make_format_ranking` explains the ranking. If no format is acceptable, returns `default`, or raises
    Problem 406 if `default` is None.
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
    """A function that ranks formats by a request.

    It uses the media types or suffixes in `named`, the preferred one first, else the suffix of the path, else
    the Accept headers. Without any of them, every format is acceptable.
    """
    if named or suffix:
        return partial(rank_named_format, named or (suffix,))
    return partial(rank_accepted_format, accepted_media_ranges(accept))


def rank_named_format(names: Sequence[str], format_: Format) -> FormatRank:
    """The rank of a format by the position of its name in `names`, the preferred one first.

    The last name has weight 1, the one before it weight 2, and so on.
    """
    return max(
        (weight if specificity else 0, specificity)
        for weight, specificity in enumerate(
            (rate_format_match(name, format_) for name in reversed(names)), 1
        )
    )


def accepted_media_ranges(accept: Iterable[str]) -> dict[str, float]:
    """The weights of media ranges in Accept headers; without headers, of `*/*`. Java sends * for */*."""
    weights = parse_accept_weights(accept) or {"*": 1.0}
    return {**weights, "*/*": max(weights.get("*", 0.0), weights.get("*/*", 0.0))}


def rank_accepted_format(weights: dict[str, float], format_: Format) -> FormatRank:
    """The rank of a format by the weight of the most specific media range that matches it."""
    ranges = [(format_.media_type, 3), *((name, 2) for name in format_.aliases)]
    ranges += [(format_.media_type.split("/")[0] + "/*", 1), ("*/*", 0)]
    return next(((weights[name], specificity) for name, specificity in ranges if name in weights), (0.0, 0))


IDENTITY_CODING = ""  # stands for a body without content coding


class StreamCompressor(Protocol):
    """Compresses a body in chunks."""

    def compress(self, data: bytes, /) -> bytes:
        """The compressed bytes available after a chunk; may be empty."""

    def flush(self) -> bytes:
        """The remaining bytes of the compressed body."""


class BrotliCompressor:
    """A StreamCompressor for br, because the library has other method names."""

    def __init__(self) -> None:
        """Start a body."""
        self.compressor = brotli.Compressor(quality=4)

    def compress(self, data: bytes, /) -> bytes:
        """The compressed bytes available after a chunk; may be empty."""
        compressed: bytes = self.compressor.process(data)
        return compressed

    def flush(self) -> bytes:
        """The remaining bytes of the compressed body."""
        compressed: bytes = self.compressor.finish()
        return compressed


class CompressionEffort(IntEnum):
    """How much CPU time a body is worth: the position of its level in `ContentCoding.levels`."""

    ANSWER = 0  # differs for each request
    PAGE = 1  # 7 % smaller than ANSWER for 0.15 ms more, on a page of 50 kB
    STATIC_FILE = 2  # compressed once; 100 to 700 ms for the largest script, which gets 15 % smaller


class ContentCoding(NamedTuple):
    """A function that compresses a whole body at a level, the level for each effort, and one for chunks."""

    compress: Callable[[bytes, int], bytes]
    levels: tuple[int, int, int]
    make_compressor: Callable[[], StreamCompressor]


# In order of preference: of codings with equal weight, the first is chosen. zstd takes the least CPU time.
CONTENT_CODINGS = {
    "zstd": ContentCoding(
        zstd.compress,
        (3, 6, 19),
        lambda: zstd.ZstdCompressor(level=3),
    ),
    "br": ContentCoding(
        lambda body, level: brotli.compress(body, quality=level), (4, 5, 11), BrotliCompressor
    ),
    "gzip": ContentCoding(
        lambda body, level: gzip.compress(body, compresslevel=level, mtime=0),
        (6, 6, 9),
        lambda: zlib.compressobj(level=6, wbits=31),
    ),
}


def choose_coding(accept_encoding: Iterable[str]) -> str:
    """The coding for these Accept-Encoding headers, or IDENTITY_CODING (RFC 9110, section 12.5.3)."""
    weights = parse_accept_weights(accept_encoding)
    supported = {name: weights.get(name, weights.get("*", 0.0)) for name in CONTENT_CODINGS}
    best = max(supported, key=lambda name: supported[name])
    is_accepted = supported[best] > 0 and supported[best] >= weights.get("identity", 0.0)
    return best if is_accepted else IDENTITY_CODING


def compress_body(body: bytes, coding: str, effort: CompressionEffort) -> bytes:
    """A whole body, compressed by a coding."""
    if not coding:
        return body
    compress, levels, _ = CONTENT_CODINGS[coding]
    return compress(body, levels[effort])


@lru_cache(96)  # about 30 files in three codings
def compress_static_file(body: bytes, coding: str) -> bytes:
    """A static file, compressed by a coding as much as it can."""
    return compress_body(body, coding, CompressionEffort.STATIC_FILE)


async def compress_chunks(chunks: AsyncIterator[bytes], coding: str) -> AsyncIterator[bytes]:
    """The chunks of a body, compressed by a coding."""
    if not coding:
        async for chunk in chunks:
            yield chunk
        return
    compressor = CONTENT_CODINGS[coding].make_compressor()
    async for chunk in chunks:
        if compressed := compressor.compress(chunk):
            yield compressed
    yield compressor.flush()
