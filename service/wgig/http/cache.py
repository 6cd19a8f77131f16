"""Response cache: complete responses, reused as long as the store has the same version (RFC 9111).

Two rules keep a cached response equal to the one that the application would send:

- The application sees only the header fields that are in the cache key. So a response depends on nothing that
  the key lacks. It sees no condition either: the unconditional response is stored.
- A response is stored only if the store still has the version that it had before the response was computed.

The size in bytes is limited (`LruStore`); one response may take a quarter of it. Concurrent requests for the
same response are coalesced (`SingleFlight`): one computes it and the others wait. If-None-Match is evaluated
here (RFC 9110, section 13.1.2). A POST or QUERY to /sparql of up to 16 KiB is cached by its body. Not cached:
dumps and releases, which support range requests and are in the cache of the file system; the form for papers,
whose content depends on tokens, which change without a write; security.txt, whose expiry date depends on the
day.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access_log import REQUEST_ID_FIELD, REQUEST_RECORD_KEY, TRACEPARENT_FIELD
from .fast_path import RAW_REQUEST_KEY, RawResponseCache, WholeResponse
from .language import parse_accept_language
from .negotiation import choose_coding
from .response_recorder import CachedResponse, RawHeaders, ResponseRecorder
from .responses import CONDITIONAL_METHODS, cancel_on_disconnect, matches_entity_tag
from .telemetry import Metrics

CacheKey = tuple[Any, ...]
# A client whose other requests take all that it may have waits for a worker, but other clients need not.
FOREIGN_FLIGHT_SECONDS = 0.5


@dataclass(eq=False)
class Flight:
    """A request of a client that computes a response, on whose end other requests wait."""

    client: str
    end: asyncio.Event = field(default_factory=asyncio.Event)


class SingleFlight:
    """Coalesces concurrent requests with the same key: the first computes the response, the others wait."""

    def __init__(self) -> None:
        """Start with no requests in flight."""
        self.in_flight: dict[CacheKey, Flight] = {}

    def lead_flight(self, key: CacheKey, client: str) -> Flight:
        """Register the current request as the one that computes a response, and for which others wait."""
        flight = self.in_flight[key] = Flight(client)
        return flight

    def release_waiters(self, key: CacheKey, flight: Flight) -> None:
        """Wake the waiting requests, which read the cache again; no effect if they are already awake."""
        if self.in_flight.get(key) is flight:
            del self.in_flight[key]
        flight.end.set()

    async def await_flight(self, key: CacheKey, client: str, request: "PeekedRequest") -> None:
        """Wait until `release_waiters` is called, for another client at most FOREIGN_FLIGHT_SECONDS.

        Raises ClientDisconnect if this client disconnects.
        """
        flight = self.in_flight[key]
        await request.peek()  # the next message after the body is the disconnect
        async with cancel_on_disconnect(request.receive_rest):
            with suppress(TimeoutError):
                async with asyncio.timeout(None if flight.client == client else FOREIGN_FLIGHT_SECONDS):
                    await flight.end.wait()


class LruStore:
    """Responses for one version of the store, up to `max_bytes`; evicts the least recently used first."""

    def __init__(self, get_version: Callable[[], int], max_bytes: int, metrics: Metrics) -> None:
        """Start empty, at the current version."""
        self.get_version, self.max_bytes, self.metrics = get_version, max_bytes, metrics
        self.restart(get_version())

    def restart(self, version: int) -> None:
        """Drop all responses, and continue with a version of the store."""
        self.store_version, self.size_bytes = version, 0
        self.entries: OrderedDict[CacheKey, CachedResponse] = OrderedDict()
        self.metrics.cached_bytes = 0

    def get(self, key: CacheKey) -> CachedResponse | None:
        """The response for a key, if it is of the current version."""
        version = self.get_version()
        if self.store_version != version:
            self.restart(version)
        entry = self.entries.get(key)
        if entry:
            self.entries.move_to_end(key)
        return entry

    def add(self, key: CacheKey, entry: CachedResponse, version: int) -> None:
        """Add a response computed at `version` if that is current; evict old ones beyond `max_bytes`."""
        if version != self.get_version():
            return
        if version != self.store_version:
            self.restart(version)
        replaced = self.entries.pop(key, None)
        self.entries[key] = entry
        self.size_bytes += entry.size_bytes - (replaced.size_bytes if replaced else 0)
        if not replaced:
            self.size_bytes += measure_key(key)
        while self.size_bytes > self.max_bytes:
            oldest_key, oldest = self.entries.popitem(last=False)
            self.size_bytes -= oldest.size_bytes + measure_key(oldest_key)
        self.metrics.cached_bytes = self.size_bytes


KEY_PART_OVERHEAD_BYTES = 50  # of a string or a tuple


def measure_key(key: CacheKey) -> int:
    """The approximate memory in bytes that a cache key takes."""
    size = 0
    for part in key:
        size += KEY_PART_OVERHEAD_BYTES
        if isinstance(part, tuple):
            size += measure_key(part)
        elif isinstance(part, bytes | str):
            size += len(part)
    return size


class VersionSource(Protocol):
    """The version of the data that query results reflect."""

    @property
    def version(self) -> int:
        """The number of the last write that results reflect."""

    async def see_latest_writes(self) -> None:
        """Catch up with all writes, also of other instances. Raises StoreUnavailableError."""


BODY_KEYED_METHODS = ("POST", "QUERY")
CACHED_QUERY_PATHS = ("/sparql",)  # BODY_KEYED_METHODS only read data at these paths
MAX_CACHED_QUERY_BYTES = 16 * 1024  # a larger body is not part of a cache key
RESPONSE_SHARE_DIVISOR = 4  # one response may take 1/4 of the cache


class ResponseCacheMiddleware:
    """ASGI middleware that caches responses, up to `max_bytes`, as long as the store has the same version.

    Of concurrent requests with the same key, one computes the response and the others wait.
    """

    def __init__(
        self, app: ASGIApp, version_source: VersionSource, raw_cache: RawResponseCache, max_bytes: int
    ) -> None:
        """Start empty; small responses sent from this cache are added to `raw_cache`."""
        self.app, self.version_source, self.raw_cache = app, version_source, raw_cache
        self.metrics = raw_cache.metrics
        self.store = LruStore(lambda: version_source.version, max_bytes, self.metrics)
        self.flights = SingleFlight()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the cached response, or compute and cache it."""
        if scope["type"] != "http" or not is_cacheable_request(scope):
            await self.app(scope, receive, send)
            return
        request, body = PeekedRequest(receive), b""
        if scope["method"] in BODY_KEYED_METHODS:
            message = await request.peek()
            if message["type"] != "http.request" or message.get("more_body", False):
                await self.app(scope, request.receive, send)
                return
            body = message.get("body", b"")
        key = build_cache_key(scope, body)
        try:
            cached, raw_version = await self.find_or_await(key, scope, request)
        except ClientDisconnect:  # no response can be sent
            return
        if cached:
            self.metrics.cache_hits += 1
            await self.send_cached(cached, raw_version, scope, send)
            return
        self.metrics.cache_misses += 1
        if scope["method"] == "HEAD":  # its response has no body to cache
            await self.app(scope, request.receive, send)
            return
        await self.compute_response(key, scope, request.receive, send)

    async def find_or_await(
        self, key: CacheKey, scope: Scope, request: "PeekedRequest"
    ) -> tuple[CachedResponse | None, object]:
        """The result of `find_fresh`, after waiting for a request that computes the response.

        If that one fails, each of those that waited computes the response. Raises ClientDisconnect.
        """
        found = await self.find_fresh(key, scope["path"])
        if found[0] is None and key in self.flights.in_flight:
            await self.flights.await_flight(key, get_client_address(scope), request)
            found = await self.find_fresh(key, scope["path"])
        return found

    async def find_fresh(self, key: CacheKey, path: str) -> tuple[CachedResponse | None, object]:
        """The cached response for a key that reflects all writes, or None; and the raw cache's version."""
        if path in CACHED_QUERY_PATHS and self.store.get(key):  # the evaluation of a query does this itself
            await self.version_source.see_latest_writes()
        raw_version = self.raw_cache.get_version()
        return self.store.get(key), raw_version

    async def compute_response(self, key: CacheKey, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application compute the unconditional response, and cache it."""
        recorder = ResponseRecorder(self.store.max_bytes // RESPONSE_SHARE_DIVISOR)
        raw_version = self.raw_cache.get_version()
        if not any(name == b"if-none-match" for name, _ in scope["headers"]):
            await self.run_recorded(key, recorder, scope, receive, send)
            return
        holding_send = HoldingSend(scope, send, recorder)
        await self.run_recorded(key, recorder, scope, receive, holding_send)
        if holding_send.known_headers:
            await send_not_modified(holding_send.known_headers, send)
        elif holding_send.held_messages:
            assert recorder.cached_response
            await self.send_cached(recorder.cached_response, raw_version, scope, send)

    async def run_recorded(
        self, key: CacheKey, recorder: ResponseRecorder, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let the application respond while other requests wait; a complete response is cached."""
        version = self.version_source.version
        flight = self.flights.lead_flight(key, get_client_address(scope))

        async def send_recorded(message: Message) -> None:
            recorder.record_message(message)
            if recorder.is_complete and recorder.cached_response:
                self.store.add(key, recorder.cached_response, version)
            # Waiting requests must not depend on the speed of this client: streamed responses are not shared.
            if recorder.is_complete or not recorder.has_known_length:
                self.flights.release_waiters(key, flight)
            await send(message)

        try:
            await self.app(keep_forwarded_fields(scope), receive, send_recorded)
        finally:
            self.flights.release_waiters(key, flight)

    async def send_cached(
        self, cached: CachedResponse, raw_version: object, scope: Scope, send: Send
    ) -> None:
        """Send a cached response, or 304 if the client already has it; add it to the raw cache.

        `raw_version` is the version of the raw cache from before the response was found or computed.
        """
        raw = await send_cached_response(cached, scope, send)
        if raw and is_raw_cacheable(scope):
            record = scope.get(REQUEST_RECORD_KEY)
            route, client = (record.route, record.client) if record else ("", "")
            self.raw_cache.add(scope[RAW_REQUEST_KEY], raw_version, raw, route, client)


def get_client_address(scope: Scope) -> str:
    """The address of the client of a request; empty if it is not known."""
    address, _ = scope.get("client") or ("", 0)
    return str(address)


class PeekedRequest:
    """The ASGI messages of a request; the first can be inspected before it is received."""

    def __init__(self, receive: Receive) -> None:
        """Wrap `receive`."""
        self.receive_rest = receive
        self.first: Message | None = None

    async def peek(self) -> Message:
        """The first message, which `receive` still returns afterwards."""
        if self.first is None:
            self.first = await self.receive_rest()
        return self.first

    async def receive(self) -> Message:
        """The next message."""
        if self.first is None:
            return await self.receive_rest()
        first, self.first = self.first, None
        return first


class HoldingSend:
    """An ASGI `send` that holds back a response until If-None-Match can be evaluated at its end.

    A streamed response, of unknown length, is not held, as it may be large; if its ETag matches, it is
    discarded.
    """

    def __init__(self, scope: Scope, send: Send, recorder: ResponseRecorder) -> None:
        """Start without held messages."""
        self.scope, self.send, self.recorder = scope, send, recorder
        self.held_messages: list[Message] = []
        self.known_headers: RawHeaders = []  # of a streamed response that the client already has

    async def __call__(self, message: Message) -> None:
        """Hold a recorded message, or send it after the held ones."""
        if self.known_headers:
            return
        if self.recorder.has_known_length:
            self.held_messages.append(message)
            return
        if message["type"] == "http.response.start" and self.recorder.is_cacheable:
            entity_tag = self.recorder.headers[b"etag"].decode()
            if is_known_to_client(entity_tag, self.scope):
                self.known_headers = self.recorder.raw_headers
                return
        while self.held_messages:
            await self.send(self.held_messages.pop(0))
        await self.send(message)


UNCACHED_PATH_PREFIXES = ("/dump", "/releases/", "/write", "/.well-known/security.txt")
BYPASS_FIELDS = frozenset((b"authorization", b"transfer-encoding", b"upgrade"))  # validated behind the cache

# Header fields that are part of the cache key as they are. Of Accept-Encoding and Accept-Language, it has the
# negotiated result. `LanguageMiddleware` adds the language cookie to Accept-Language.
KEY_FIELDS = frozenset(
    (b"accept", b"accept-datetime", b"accept-profile", b"content-encoding", b"content-type", b"host")
)
# The application sees only these fields. The last two do not change a representation.
FORWARDED_FIELDS = KEY_FIELDS | {b"accept-encoding", b"accept-language", b"content-length", b"wgig-query-id"}


def is_cacheable_request(scope: Scope) -> bool:
    """Whether the response to a request may be cached or taken from the cache."""
    if scope["path"].startswith(UNCACHED_PATH_PREFIXES):
        return False
    length = 0
    for name, value in scope["headers"]:
        if name in BYPASS_FIELDS or (name == b"cache-control" and b"no-cache" in value):
            return False
        if name == b"content-length" and value.isdigit():
            length = int(value)
    if scope["method"] in BODY_KEYED_METHODS:
        return scope["path"] in CACHED_QUERY_PATHS and 0 < length <= MAX_CACHED_QUERY_BYTES
    return scope["method"] in ("GET", "HEAD")


def build_cache_key(scope: Scope, body: bytes) -> CacheKey:
    """The cache key of a request: everything that its response may depend on, except the store version."""
    fields, languages, codings, has_host = [], [], [], False
    for pair in scope["headers"]:
        if pair[0] in KEY_FIELDS:
            fields.append(pair)
            has_host = has_host or (pair[0] == b"host" and bool(pair[1]))
        elif pair[0] == b"accept-language":
            languages.append(pair[1])
        elif pair[0] == b"accept-encoding":
            codings.append(pair[1])
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    address = (scope["scheme"], scope["root_path"], scope["raw_path"], scope["query_string"])
    is_http_10 = scope["http_version"] == "1.0"  # without chunked coding, so that large results are refused
    server = None if has_host else scope["server"]  # without a host, URLs have the address of the server
    negotiated = (accepted_languages(tuple(languages)), accepted_coding(tuple(codings)))
    return (method, *address, is_http_10, server, tuple(fields), negotiated, body)


def keep_forwarded_fields(scope: Scope) -> Scope:
    """The request with FORWARDED_FIELDS only: without conditions, and without fields that the key lacks."""
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] in FORWARDED_FIELDS]}


@lru_cache(256)
def accepted_languages(fields: tuple[bytes, ...]) -> tuple[str, ...]:
    """The language ranges in Accept-Language headers; empty for English only, which is the default."""
    return parse_accept_language(tuple(field.decode("latin-1") for field in fields))


@lru_cache(256)
def accepted_coding(fields: tuple[bytes, ...]) -> str:
    """The content coding for these Accept-Encoding headers."""
    return choose_coding(field.decode("latin-1") for field in fields)


BODY_FIELDS = (b"content-encoding", b"content-length", b"content-type")


async def send_cached_response(cached: CachedResponse, scope: Scope, send: Send) -> WholeResponse | None:
    """Send a cached response, or 304 if the client already has it (RFC 9110, section 13.1.2).

    Returns the response if it was sent as one chunk.
    """
    if is_known_to_client(cached.entity_tag, scope):
        return await send_not_modified(cached.headers, send)
    await send({"type": "http.response.start", "status": 200, "headers": cached.headers})
    has_body = scope["method"] != "HEAD"
    if has_body and cached.is_compressed:
        for chunk in cached.iter_body():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(0)  # let other requests run
        await send({"type": "http.response.body", "body": b""})
        return None
    body = cached.body if has_body else b""
    await send({"type": "http.response.body", "body": body})
    return WholeResponse(200, cached.headers, body)


async def send_not_modified(fields: RawHeaders, send: Send) -> WholeResponse:
    """Send the 304 for a response with these header fields, and return it."""
    headers = [pair for pair in fields if pair[0] not in BODY_FIELDS]
    await send({"type": "http.response.start", "status": 304, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
    return WholeResponse(304, headers, b"")


def is_known_to_client(entity_tag: str, scope: Scope) -> bool:
    """Whether a tag in If-None-Match shows that the client already has the response with this tag."""
    if scope["method"] not in CONDITIONAL_METHODS:
        return False
    tags = [value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"]
    return bool(tags) and matches_entity_tag(tags, entity_tag, weak=True)


# Headers of a connection or of a single request. A request with one of them is not in the raw cache.
PER_REQUEST_FIELDS = (
    b"connection",
    b"content-length",
    b"expect",
    b"transfer-encoding",
    b"upgrade",
    REQUEST_ID_FIELD,
    TRACEPARENT_FIELD,
)


def is_raw_cacheable(scope: Scope) -> bool:
    """Whether the raw bytes of a request can be a cache key.

    They are known, name the host, and have none of PER_REQUEST_FIELDS.
    """
    if not scope.get(RAW_REQUEST_KEY) or scope["http_version"] != "1.1":
        return False
    has_host = False
    for name, value in scope["headers"]:
        if name in PER_REQUEST_FIELDS:
            return False
        has_host = has_host or (name == b"host" and bool(value))
    return has_host
