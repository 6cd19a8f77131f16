"""Response cache: complete responses, reused as long as the store has the same version (RFC 9111).

The size of the cache in bytes is limited (`LruStore`); one response may use a quarter of it. Concurrent
requests for the same response are coalesced (`SingleFlight`): one computes it and the others wait.
Conditional requests get 304 (RFC 9110, section 13.1.2), and a POST or QUERY to /sparql of up to 16 KiB is
cached by its body. Two kinds of responses are not cached: dumps support range requests and are in the cache
of the file system; the form for papers depends on tokens, which change without a write.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access_log import REQUEST_ID_FIELD, REQUEST_RECORD_KEY, TRACEPARENT_FIELD
from .fast_path import RAW_REQUEST_KEY, RawResponseCache
from .negotiation import choose_coding, parse_accept_weights
from .response_recorder import CachedResponse, ResponseRecorder
from .responses import CONDITIONAL_METHODS, cancel_on_disconnect, matches_entity_tag
from .telemetry import Metrics

CacheKey = tuple[Any, ...]


class SingleFlight:
    """Coalesces concurrent requests with the same key: the first computes the response, the others wait."""

    def __init__(self) -> None:
        """Start with no requests in flight."""
        self.in_flight: dict[CacheKey, asyncio.Future[None]] = {}

    def lead_flight(self, key: CacheKey) -> "asyncio.Future[None]":
        """Register the current request as the one that computes a response; others wait for the future."""
        flight = self.in_flight[key] = asyncio.get_running_loop().create_future()
        return flight

    def release_waiters(self, key: CacheKey, flight: "asyncio.Future[None]") -> None:
        """Wake the waiting requests, which read the cache again; no effect if they are already awake."""
        if self.in_flight.get(key) is flight:
            del self.in_flight[key]
            flight.set_result(None)

    async def await_flight(self, key: CacheKey, request: "PeekedRequest") -> None:
        """Wait until `release_waiters` is called. Raises ClientDisconnect if this client disconnects."""
        flight = self.in_flight[key]
        await request.peek()  # the next message after the body is the disconnect
        async with cancel_on_disconnect(request.receive_rest):
            await asyncio.shield(flight)


class LruStore:
    """Responses for one version of the store, up to `max_bytes`; the least recently used are evicted first.

    Also remembers the header fields by which the responses of a path vary (RFC 9111, section 4.1).
    """

    def __init__(self, get_version: Callable[[], int], max_bytes: int, metrics: Metrics) -> None:
        """Start empty, at the current version."""
        self.get_version, self.max_bytes, self.metrics = get_version, max_bytes, metrics
        self.clear()

    def clear(self) -> None:
        """Drop all responses, and continue with the current version."""
        self.store_version, self.size_bytes = self.get_version(), 0
        self.entries: OrderedDict[CacheKey, CachedResponse] = OrderedDict()
        self.vary_by_path: dict[str, frozenset[bytes]] = {}
        self.metrics.cached_bytes = 0

    def get(self, key: CacheKey) -> CachedResponse | None:
        """The response for a key, if it is of the current version."""
        if self.store_version != self.get_version():
            self.clear()
        entry = self.entries.get(key)
        if entry:
            self.entries.move_to_end(key)
        return entry

    def add(self, key: CacheKey, entry: CachedResponse) -> None:
        """Add a response, and evict old ones while the size is over `max_bytes`."""
        replaced = self.entries.pop(key, None)
        self.entries[key] = entry
        self.size_bytes += entry.size_bytes - (replaced.size_bytes if replaced else 0)
        while self.size_bytes > self.max_bytes:
            _, oldest = self.entries.popitem(last=False)
            self.size_bytes -= oldest.size_bytes
        self.metrics.cached_bytes = self.size_bytes

    def add_vary_fields(self, path: str, names: frozenset[bytes]) -> None:
        """Include these header fields in the cache keys of a path from now on."""
        self.vary_by_path[path] = self.vary_by_path.get(path, frozenset()) | names


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
        key = build_cache_key(scope, body, self.store.vary_by_path.get(scope["path"]))
        try:
            cached = await self.find_or_await(key, scope["path"], request)
        except ClientDisconnect:  # no response can be sent
            return
        if cached:
            self.metrics.cache_hits += 1
            await send_cached_response(cached, scope, send, self.raw_cache)
            return
        self.metrics.cache_misses += 1
        if scope["method"] == "HEAD":  # its response has no body to cache
            await self.app(scope, request.receive, send)
            return
        await self.compute_response(key, scope, request.receive, send)

    async def find_or_await(
        self, key: CacheKey, path: str, request: "PeekedRequest"
    ) -> CachedResponse | None:
        """The cached response for a key, if needed after waiting for another request; None: compute it.

        Raises ClientDisconnect.
        """
        cached = await self.find_fresh(key, path)
        while cached is None and key in self.flights.in_flight:
            await self.flights.await_flight(key, request)
            cached = await self.find_fresh(key, path)
        return cached

    async def find_fresh(self, key: CacheKey, path: str) -> CachedResponse | None:
        """The cached response for a key, if it still reflects the latest writes."""
        cached = self.store.get(key)
        if cached and path in CACHED_QUERY_PATHS:  # the evaluation of a query does this itself
            await self.version_source.see_latest_writes()
            cached = self.store.get(key)
        return cached

    async def compute_response(self, key: CacheKey, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application compute the response, and cache it.

        If-None-Match is evaluated here: a 304 from the application could not be cached.
        """
        recorder = ResponseRecorder(self.store.max_bytes // RESPONSE_SHARE_DIVISOR)
        if not any(name == b"if-none-match" for name, _ in scope["headers"]):
            await self.run_recorded(key, recorder, scope, receive, send)
            return
        holding_send = HoldingSend(send, recorder)
        await self.run_recorded(key, recorder, strip_if_none_match(scope), receive, holding_send)
        if holding_send.held_messages:
            assert recorder.cached_response
            await send_cached_response(recorder.cached_response, scope, send, self.raw_cache)

    async def run_recorded(
        self, key: CacheKey, recorder: ResponseRecorder, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let the application respond while other requests wait; a complete response is cached."""
        version, flight = self.version_source.version, self.flights.lead_flight(key)

        async def send_recorded(message: Message) -> None:
            recorder.record_message(message)
            if recorder.is_complete and version == self.version_source.version:
                self.add_recorded(scope, key, recorder)
            # Waiting requests must not depend on the speed of this client: streamed responses are not shared.
            if recorder.is_complete or not recorder.has_known_length:
                self.flights.release_waiters(key, flight)
            await send(message)

        try:
            await self.app(scope, receive, send_recorded)
        finally:
            self.flights.release_waiters(key, flight)

    def add_recorded(self, scope: Scope, key: CacheKey, recorder: ResponseRecorder) -> None:
        """Cache a completely recorded response; its key includes all header fields that it varies by."""
        if recorder.cached_response:
            self.store.add_vary_fields(scope["path"], recorder.vary_fields())
            full_key = build_cache_key(scope, key[-1], self.store.vary_by_path[scope["path"]])
            self.store.add(full_key, recorder.cached_response)


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

    A streamed response, of unknown length, is not held: its ETag is new, so If-None-Match cannot contain it,
    and it may be large.
    """

    def __init__(self, send: Send, recorder: ResponseRecorder) -> None:
        """Start without held messages."""
        self.send, self.recorder = send, recorder
        self.held_messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        """Hold a recorded message, or send it after the held ones."""
        if self.recorder.has_known_length:
            self.held_messages.append(message)
            return
        while self.held_messages:
            await self.send(self.held_messages.pop(0))
        await self.send(message)


# Dumps support range requests and are in the cache of the file system; the form for papers depends on tokens,
# which change without a write.
UNCACHED_PATH_PREFIXES = ("/dump", "/write")
CACHE_KEY_FIELDS = frozenset((b"accept", b"content-encoding", b"content-type", b"host"))
ACCEPT_LANGUAGE_FIELD = b"accept-language"


def is_cacheable_request(scope: Scope) -> bool:
    """Whether the response to a request may be cached or taken from the cache."""
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


def build_cache_key(scope: Scope, body: bytes, vary_fields: frozenset[bytes] | None) -> CacheKey:
    """The cache key of a request: everything that its response depends on; the last item is the body."""
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    names = CACHE_KEY_FIELDS | vary_fields if vary_fields else CACHE_KEY_FIELDS
    fields = tuple(pair for pair in scope["headers"] if pair[0] in names)
    if accepts_only_english(tuple(value for name, value in fields if name == ACCEPT_LANGUAGE_FIELD)):
        fields = tuple(pair for pair in fields if pair[0] != ACCEPT_LANGUAGE_FIELD)
    codings = tuple(value for name, value in scope["headers"] if name == b"accept-encoding")
    address = (scope["scheme"], scope["root_path"], scope["raw_path"], scope["query_string"])
    return (method, *address, fields, accepted_coding(codings), body)


@lru_cache(256)
def accepts_only_english(fields: tuple[bytes, ...]) -> bool:
    """Whether Accept-Language headers name only English, which is also the default."""
    languages = parse_accept_weights(field.decode("latin-1") for field in fields)
    return all(language.partition("-")[0] == "en" for language in languages)


@lru_cache(256)
def accepted_coding(fields: tuple[bytes, ...]) -> str:
    """The content coding for these Accept-Encoding headers."""
    return choose_coding(field.decode("latin-1") for field in fields)


def strip_if_none_match(scope: Scope) -> Scope:
    """The request without If-None-Match."""
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]}


BODY_FIELDS = (b"content-encoding", b"content-length", b"content-type")


async def send_cached_response(
    cached: CachedResponse, scope: Scope, send: Send, raw_cache: RawResponseCache
) -> None:
    """Send a cached response, or 304 if the client already has it (RFC 9110, section 13.1.2)."""
    is_known = is_known_to_client(cached, scope)
    status = 304 if is_known else 200
    headers = [pair for pair in cached.headers if pair[0] not in BODY_FIELDS] if is_known else cached.headers
    await send({"type": "http.response.start", "status": status, "headers": headers})
    has_body = not is_known and scope["method"] != "HEAD"
    if has_body and cached.is_compressed:
        for chunk in cached.iter_body():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(0)  # let other requests run
        await send({"type": "http.response.body", "body": b""})
        return
    body = cached.body if has_body else b""
    await send({"type": "http.response.body", "body": body})
    if is_raw_cacheable(scope):
        record = scope.get(REQUEST_RECORD_KEY)
        route, client = (record.route, record.client) if record else ("", "")
        raw_cache.add(scope[RAW_REQUEST_KEY], status, headers, body, route, client)


def is_known_to_client(cached: CachedResponse, scope: Scope) -> bool:
    """Whether a tag in If-None-Match shows that the client already has the response."""
    if scope["method"] not in CONDITIONAL_METHODS:
        return False
    tags = [value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"]
    return bool(tags) and matches_entity_tag(tags, cached.entity_tag, weak=True)


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
    """Whether the raw bytes of a request can be a cache key: they are known, without PER_REQUEST_FIELDS."""
    if not scope.get(RAW_REQUEST_KEY) or scope["http_version"] != "1.1":
        return False
    return not any(name in PER_REQUEST_FIELDS for name, _ in scope["headers"])
