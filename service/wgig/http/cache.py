"""Response cache: whole responses, reused as long as the store is at the same version (RFC 9111).

It holds up to a set number of bytes; one response may take a quarter of them. Concurrent requests for the
same response are coalesced: one computes it and the others wait. Conditional requests are answered with 304
(RFC 9110, section 13.1.2), and a POST or QUERY to /sparql of up to 16 KiB is cached by its body. Not cached:
dumps, of which ranges may be requested and which the file system caches, and the form for papers, whose
content depends on tokens, which change without a write.
"""

import asyncio
import io
from collections import OrderedDict
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Protocol

import zstandard
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access_log import REQUEST_ID_FIELD, REQUEST_RECORD_KEY, TRACEPARENT_FIELD
from .fast_path import RAW_REQUEST_KEY, RawResponseCache
from .negotiation import choose_coding, parse_accept_weights
from .responses import CONDITIONAL_METHODS, cancel_on_disconnect, matches_entity_tag

# Bytes of a plain body, from which on it is kept compressed, and given in pieces of that size.
LARGE_BODY_BYTES = 64 * 1024

RawHeaders = list[tuple[bytes, bytes]]


class CachedResponse(NamedTuple):
    """A whole answer: its header fields, its entity tag, and its body, compressed where `is_compressed`."""

    headers: RawHeaders
    entity_tag: str
    body: bytes
    is_compressed: bool

    def iter_body(self) -> Iterator[bytes]:
        """The body as it was sent."""
        if not self.is_compressed:
            yield self.body
            return
        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(self.body))
        while piece := reader.read(LARGE_BODY_BYTES):
            yield piece


class ResponseRecorder:
    """An answer that is taken down, unless it is none to keep or takes more than `most` bytes."""

    def __init__(self, most: int) -> None:
        """Nothing was sent yet."""
        self.bytes_left = most
        self.headers: dict[bytes, bytes] = {}
        self.raw_headers: RawHeaders = []
        self.body_pieces: list[bytes] = []
        self.body_length = 0
        self.compressor: zstandard.ZstdCompressionObj | None = None
        self.is_cacheable, self.is_complete = True, False

    def record_message(self, message: Message) -> None:
        """Take down a message of the answer."""
        if message["type"] == "http.response.start":
            self.raw_headers = list(message["headers"])
            self.headers = dict(self.raw_headers)
            public = b"no-store" not in self.headers.get(b"cache-control", b"")
            self.is_cacheable = message["status"] == 200 and b"etag" in self.headers and public
        elif self.is_cacheable:
            self.record_body(message.get("body", b""))
            self.is_complete = not message.get("more_body", False)
            if self.is_complete and self.compressor:
                self.append_bytes(self.compressor.flush())
            self.is_cacheable = self.bytes_left >= 0

    def record_body(self, piece: bytes) -> None:
        """Take down a piece of the body; a body that grows large is packed from then on."""
        self.body_length += len(piece)
        if (
            self.compressor is None
            and self.body_length > LARGE_BODY_BYTES
            and b"content-encoding" not in self.headers
        ):
            self.compressor = zstandard.ZstdCompressor(level=3).compressobj()
            before, self.body_pieces = b"".join(self.body_pieces), []
            self.bytes_left += len(before)
            piece = before + piece
        self.append_bytes(self.compressor.compress(piece) if self.compressor else piece)

    def append_bytes(self, piece: bytes) -> None:
        """Hold some bytes of the body as it is kept."""
        self.body_pieces.append(piece)
        self.bytes_left -= len(piece)

    @property
    def has_known_length(self) -> bool:
        """Whether it is an answer to keep whose length was known before it went out."""
        return self.is_cacheable and b"content-length" in self.headers

    @cached_property
    def cached_response(self) -> CachedResponse | None:
        """The whole answer, when all was sent; None where it was not whole, or is not to be kept."""
        if not (self.is_cacheable and self.is_complete):
            return None
        fields = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        fields.append((b"content-length", str(self.body_length).encode()))
        return CachedResponse(
            fields, self.headers[b"etag"].decode(), b"".join(self.body_pieces), self.compressor is not None
        )

    def vary_fields(self) -> frozenset[bytes]:
        """The names of the request's fields that the answer depends on, beside those of every key."""
        names = self.headers.get(b"vary", b"").lower().replace(b" ", b"").split(b",")
        return frozenset(names) - {b"accept-encoding"}


class VersionSource(Protocol):
    """What knows which writes its answers see."""

    @property
    def version(self) -> int:
        """The number of the last write that they see."""

    async def in_line(self) -> None:
        """See all that was written by now, wherever. Raises StoreUnavailableError where nobody can tell."""


BODY_KEYED_METHODS = ("POST", "QUERY")
# What is of the connection, or of one request alone.
PER_REQUEST_FIELDS = (
    b"connection",
    b"content-length",
    b"expect",
    b"transfer-encoding",
    b"upgrade",
    REQUEST_ID_FIELD,
    TRACEPARENT_FIELD,
)
CACHED_QUERY_PATHS = ("/sparql",)  # where these only ask
MAX_CACHED_QUERY_BYTES = 16 * 1024  # bytes of a body that counts as part of the address
RESPONSE_SHARE_DIVISOR = 4  # an answer takes at most this part of the room
CACHED_RESPONSE_OVERHEAD_BYTES = 1000  # bytes that an entry takes beside its body

CACHE_KEY_FIELDS = frozenset((b"accept", b"content-encoding", b"content-type", b"host"))
ACCEPT_LANGUAGE_FIELD = b"accept-language"
# What the paths begin with of files, of which parts may be asked for, and which the system keeps; and of the
# form, which says whether there are tokens, as they come and go without a write.
UNCACHED_PATH_PREFIXES = ("/dump", "/write")
BODY_FIELDS = (b"content-encoding", b"content-length", b"content-type")

CacheKey = tuple[Any, ...]


class ResponseCacheMiddleware:
    """ASGI middleware: gives an answer again without a question as long as the data has the same version.

    It keeps up to `room` bytes. Of those who ask the same at once, one asks and the others wait for it.
    """

    def __init__(
        self, app: ASGIApp, answerers: VersionSource, shortcuts: RawResponseCache, room: int
    ) -> None:
        """Nothing is kept yet; what is given may be given by `shortcuts` the next time."""
        self.app, self.raw_cache, self.max_bytes = app, shortcuts, room
        self.version_source = answerers
        self.metrics = shortcuts.metrics
        self.in_flight: dict[CacheKey, asyncio.Future[None]] = {}
        self.clear()

    def clear(self) -> None:
        """Forget all answers."""
        self.store_version, self.size_bytes = self.version_source.version, 0
        self.entries: OrderedDict[CacheKey, CachedResponse] = OrderedDict()
        self.vary_by_path: dict[str, frozenset[bytes]] = {}
        self.metrics.cached_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the answer that is kept, or ask for it and keep it."""
        if scope["type"] != "http" or not is_cacheable_request(scope):
            return await self.app(scope, receive, send)
        question, rest = b"", receive
        if scope["method"] in BODY_KEYED_METHODS:
            first = await receive()
            receive = replay_message(first, rest)
            if first["type"] != "http.request" or first.get("more_body", False):
                return await self.app(scope, receive, send)
            question = first.get("body", b"")
        key = self.build_key(scope, question)
        while not (entry := await self.find_fresh(key, scope["path"])) and key in self.in_flight:
            if receive is rest:
                receive = replay_message(await receive(), rest)
            try:
                async with cancel_on_disconnect(rest):
                    await asyncio.shield(self.in_flight[key])
            except ClientDisconnect:  # nobody is left to answer
                return None
        if entry:
            self.metrics.cache_hits += 1
            return await send_cached_response(entry, scope, send, self.raw_cache)
        self.metrics.cache_misses += 1
        if scope["method"] == "HEAD":  # whose answer is not whole
            return await self.app(scope, receive, send)
        return await self.compute_response(key, scope, receive, send)

    def build_key(self, scope: Scope, question: bytes) -> CacheKey:
        """What makes one answer differ from another."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        names = CACHE_KEY_FIELDS | self.vary_by_path.get(scope["path"], frozenset())
        fields = tuple(pair for pair in scope["headers"] if pair[0] in names)
        if accepts_only_english(tuple(value for name, value in fields if name == ACCEPT_LANGUAGE_FIELD)):
            fields = tuple(pair for pair in fields if pair[0] != ACCEPT_LANGUAGE_FIELD)
        codings = tuple(value for name, value in scope["headers"] if name == b"accept-encoding")
        address = (scope["scheme"], scope["root_path"], scope["raw_path"], scope["query_string"])
        return (method, *address, fields, accepted_coding(codings), question)

    async def find_fresh(self, key: CacheKey, path: str) -> CachedResponse | None:
        """The answer that is kept for a key, if it is still true."""
        entry = self.find_cached(key)
        if entry and path in CACHED_QUERY_PATHS:  # in whose place something may be asked that looks by itself
            await self.version_source.in_line()
            entry = self.find_cached(key)
        return entry

    def find_cached(self, key: CacheKey) -> CachedResponse | None:
        """The answer that is kept for a key."""
        if self.store_version != self.version_source.version:
            self.clear()
        entry = self.entries.get(key)
        if entry:
            self.entries.move_to_end(key)
        return entry

    async def compute_response(self, key: CacheKey, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application answer, and keep that.

        A condition is judged here, as a 304 would leave nothing to keep.
        """
        as_of, recording = (
            self.version_source.version,
            ResponseRecorder(self.max_bytes // RESPONSE_SHARE_DIVISOR),
        )
        conditional = any(name == b"if-none-match" for name, _ in scope["headers"])
        flight = self.in_flight[key] = asyncio.get_running_loop().create_future()
        held: list[Message] = []

        async def record(message: Message) -> None:
            recording.record_message(message)
            if recording.is_complete and as_of == self.version_source.version:
                self.add_recorded(scope, key, recording)
            # Nobody waits for the client of another: what goes out as it comes is asked for by each.
            if recording.is_complete or not recording.has_known_length:
                self.release_waiters(key, flight)
            # Such an answer has a tag that nobody knows yet, and may be more than can be held.
            if conditional and recording.has_known_length:
                held.append(message)
                return
            while held:
                await send(held.pop(0))
            await send(message)

        try:
            await self.app(strip_if_none_match(scope) if conditional else scope, receive, record)
        finally:
            self.release_waiters(key, flight)
        if held:
            assert recording.cached_response
            await send_cached_response(recording.cached_response, scope, send, self.raw_cache)

    def add_recorded(self, scope: Scope, key: CacheKey, recording: ResponseRecorder) -> None:
        """Keep an answer that was taken down whole."""
        if recording.cached_response:
            self.vary_by_path[scope["path"]] = (
                self.vary_by_path.get(scope["path"], frozenset()) | recording.vary_fields()
            )
            self.add_response(self.build_key(scope, key[-1]), recording.cached_response)

    def release_waiters(self, key: CacheKey, flight: "asyncio.Future[None]") -> None:
        """Let those look again who waited for this answer."""
        if self.in_flight.get(key) is flight:
            del self.in_flight[key]
            flight.set_result(None)

    def add_response(self, key: CacheKey, entry: CachedResponse) -> None:
        """Keep an answer, and as many of those before as there is room for."""
        before = self.entries.pop(key, None)
        self.entries[key] = entry
        self.size_bytes += estimate_response_bytes(entry) - (estimate_response_bytes(before) if before else 0)
        while self.size_bytes > self.max_bytes:
            _, oldest = self.entries.popitem(last=False)
            self.size_bytes -= estimate_response_bytes(oldest)
        self.metrics.cached_bytes = self.size_bytes


def is_cacheable_request(scope: Scope) -> bool:
    """Whether the answer to a request may be kept, or one that is kept be given."""
    if scope["path"].startswith(UNCACHED_PATH_PREFIXES):
        return False
    length = 0
    for name, value in scope["headers"]:
        if name == b"authorization" or (name == b"cache-control" and b"no-cache" in value):
            return False
        if name == b"content-length" and value.isdigit():
            length = int(value)
    if scope["method"] in BODY_KEYED_METHODS:
        return scope["path"] in CACHED_QUERY_PATHS and 0 < length <= MAX_CACHED_QUERY_BYTES
    return scope["method"] in ("GET", "HEAD")


async def send_cached_response(
    entry: CachedResponse, scope: Scope, send: Send, shortcuts: RawResponseCache
) -> None:
    """Send an answer that is kept, or 304 to who has it already (RFC 9110, section 13.1.2)."""
    condition = [value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"]
    known = (
        scope["method"] in CONDITIONAL_METHODS
        and bool(condition)
        and matches_entity_tag(condition, entry.entity_tag, weak=True)
    )
    status = 304 if known else 200
    headers = [pair for pair in entry.headers if pair[0] not in BODY_FIELDS] if known else entry.headers
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if entry.is_compressed and not known and scope["method"] != "HEAD":
        for piece in entry.iter_body():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # others come in between
        await send({"type": "http.response.body", "body": b""})
        return
    body = b"" if known or scope["method"] == "HEAD" else entry.body
    await send({"type": "http.response.body", "body": body})
    if is_raw_cacheable(scope):
        noted = scope.get(REQUEST_RECORD_KEY)
        whose = (noted.route, noted.client) if noted else ("", "")
        shortcuts.add(scope[RAW_REQUEST_KEY], status, headers, body, *whose)


def is_raw_cacheable(scope: Scope) -> bool:
    """Whether the bytes of the request are known, have no body, and say nothing that is theirs alone."""
    if not scope.get(RAW_REQUEST_KEY) or scope["http_version"] != "1.1":
        return False
    return not any(name in PER_REQUEST_FIELDS for name, _ in scope["headers"])


def strip_if_none_match(scope: Scope) -> Scope:
    """The request without its condition."""
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]}


def replay_message(first: Message, receive: Receive) -> Receive:
    """What gives the first message once more, then those after it."""
    messages = [first]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def estimate_response_bytes(entry: CachedResponse) -> int:
    """About how many bytes an entry takes."""
    return len(entry.body) + CACHED_RESPONSE_OVERHEAD_BYTES


@lru_cache(256)
def accepts_only_english(fields: tuple[bytes, ...]) -> bool:
    """Whether a client names English alone in its Accept-Language fields, which it gets without as well."""
    liked = parse_accept_weights(one.decode("latin-1") for one in fields)
    return all(one.partition("-")[0] == "en" for one in liked)


@lru_cache(256)
def accepted_coding(fields: tuple[bytes, ...]) -> str:
    """The coding for a client with these Accept-Encoding fields."""
    return choose_coding(one.decode("latin-1") for one in fields)
