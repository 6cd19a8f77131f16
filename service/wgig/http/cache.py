"""Response cache: whole responses, reused as long as the store is at the same version (RFC 9111).

It holds up to a set number of bytes (`LruStore`); one response may take a quarter of them. Concurrent
requests for the same response are coalesced (`SingleFlight`): one computes it and the others wait.
Conditional requests are answered with 304 (RFC 9110, section 13.1.2), and a POST or QUERY to /sparql of up to
16 KiB is cached by its body. Not cached: dumps, of which ranges may be requested and which the file system
caches, and the form for papers, whose content depends on tokens, which change without a write.
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
    """Of several requests for one key at a time, one leads and computes the response; the others wait."""

    def __init__(self) -> None:
        """Nothing is computed yet."""
        self.in_flight: dict[CacheKey, asyncio.Future[None]] = {}

    def lead_flight(self, key: CacheKey) -> "asyncio.Future[None]":
        """Begin to compute the response of a key, and let others wait for it."""
        flight = self.in_flight[key] = asyncio.get_running_loop().create_future()
        return flight

    def release_waiters(self, key: CacheKey, flight: "asyncio.Future[None]") -> None:
        """Let those who wait look again; without effect where that was done before."""
        if self.in_flight.get(key) is flight:
            del self.in_flight[key]
            flight.set_result(None)

    async def await_flight(self, key: CacheKey, request: "PeekedRequest") -> None:
        """Wait until the leader releases the waiters. Raises ClientDisconnect when this client goes away."""
        flight = self.in_flight[key]
        await request.peek()  # what comes after it is the disconnect
        async with cancel_on_disconnect(request.receive_rest):
            await asyncio.shield(flight)


class LruStore:
    """Responses of one version of the data, up to `max_bytes`; the least recently used are dropped first.

    It knows as well by which header fields the responses of a path vary (RFC 9111, section 4.1).
    """

    def __init__(self, get_version: Callable[[], int], max_bytes: int, metrics: Metrics) -> None:
        """Nothing is kept yet."""
        self.get_version, self.max_bytes, self.metrics = get_version, max_bytes, metrics
        self.clear()

    def clear(self) -> None:
        """Forget all responses, and begin with the version of now."""
        self.store_version, self.size_bytes = self.get_version(), 0
        self.entries: OrderedDict[CacheKey, CachedResponse] = OrderedDict()
        self.vary_by_path: dict[str, frozenset[bytes]] = {}
        self.metrics.cached_bytes = 0

    def get(self, key: CacheKey) -> CachedResponse | None:
        """The response for a key, if it is of the version of now."""
        if self.store_version != self.get_version():
            self.clear()
        entry = self.entries.get(key)
        if entry:
            self.entries.move_to_end(key)
        return entry

    def add(self, key: CacheKey, entry: CachedResponse) -> None:
        """Keep a response, and as many of those before as there is room for."""
        before = self.entries.pop(key, None)
        self.entries[key] = entry
        self.size_bytes += entry.size_bytes - (before.size_bytes if before else 0)
        while self.size_bytes > self.max_bytes:
            _, oldest = self.entries.popitem(last=False)
            self.size_bytes -= oldest.size_bytes
        self.metrics.cached_bytes = self.size_bytes

    def add_vary_fields(self, path: str, names: frozenset[bytes]) -> None:
        """Let the keys of a path have these header fields as well."""
        self.vary_by_path[path] = self.vary_by_path.get(path, frozenset()) | names


class VersionSource(Protocol):
    """What knows which writes its answers see."""

    @property
    def version(self) -> int:
        """The number of the last write that they see."""

    async def see_latest_writes(self) -> None:
        """See all that was written by now, wherever. Raises StoreUnavailableError where nobody can tell."""


BODY_KEYED_METHODS = ("POST", "QUERY")
CACHED_QUERY_PATHS = ("/sparql",)  # where these only ask
MAX_CACHED_QUERY_BYTES = 16 * 1024  # bytes of a body that counts as part of the address
RESPONSE_SHARE_DIVISOR = 4  # a response takes at most this part of the room


class ResponseCacheMiddleware:
    """ASGI middleware: sends a cached response again as long as the data has the same version.

    It keeps up to `room` bytes. Of concurrent requests for the same, one is computed and the others wait.
    """

    def __init__(
        self, app: ASGIApp, answerers: VersionSource, shortcuts: RawResponseCache, room: int
    ) -> None:
        """Nothing is cached yet; what is sent from here may be sent by `shortcuts` the next time."""
        self.app, self.version_source, self.raw_cache = app, answerers, shortcuts
        self.metrics = shortcuts.metrics
        self.store = LruStore(lambda: answerers.version, room, self.metrics)
        self.flights = SingleFlight()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the cached response, or compute it and cache that."""
        if scope["type"] != "http" or not is_cacheable_request(scope):
            await self.app(scope, receive, send)
            return
        request, body = PeekedRequest(receive), b""
        if scope["method"] in BODY_KEYED_METHODS:
            first = await request.peek()
            if first["type"] != "http.request" or first.get("more_body", False):
                await self.app(scope, request.receive, send)
                return
            body = first.get("body", b"")
        key = build_cache_key(scope, body, self.store.vary_by_path.get(scope["path"]))
        try:
            cached = await self.find_or_await(key, scope["path"], request)
        except ClientDisconnect:  # nobody is left to answer
            return
        if cached:
            self.metrics.cache_hits += 1
            await send_cached_response(cached, scope, send, self.raw_cache)
            return
        self.metrics.cache_misses += 1
        if scope["method"] == "HEAD":  # whose response is not whole
            await self.app(scope, request.receive, send)
            return
        await self.compute_response(key, scope, request.receive, send)

    async def find_or_await(
        self, key: CacheKey, path: str, request: "PeekedRequest"
    ) -> CachedResponse | None:
        """The cached response for a key, after any other request that computes it; None: compute it here.

        Raises ClientDisconnect.
        """
        cached = await self.find_fresh(key, path)
        while cached is None and key in self.flights.in_flight:
            await self.flights.await_flight(key, request)
            cached = await self.find_fresh(key, path)
        return cached

    async def find_fresh(self, key: CacheKey, path: str) -> CachedResponse | None:
        """The cached response for a key, if it is still true."""
        cached = self.store.get(key)
        if cached and path in CACHED_QUERY_PATHS:  # a query that is evaluated does this by itself
            await self.version_source.see_latest_writes()
            cached = self.store.get(key)
        return cached

    async def compute_response(self, key: CacheKey, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application respond, and cache that.

        A condition is judged here, as a 304 of the application would leave nothing to cache.
        """
        recorder = ResponseRecorder(self.store.max_bytes // RESPONSE_SHARE_DIVISOR)
        if not any(name == b"if-none-match" for name, _ in scope["headers"]):
            await self.run_recorded(key, recorder, scope, receive, send)
            return
        holding = HoldingSend(send, recorder)
        await self.run_recorded(key, recorder, strip_if_none_match(scope), receive, holding)
        if holding.held:
            assert recorder.cached_response
            await send_cached_response(recorder.cached_response, scope, send, self.raw_cache)

    async def run_recorded(
        self, key: CacheKey, recorder: ResponseRecorder, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Have the application respond while others wait; the response is cached when it is whole."""
        version, flight = self.version_source.version, self.flights.lead_flight(key)

        async def record(message: Message) -> None:
            recorder.record_message(message)
            if recorder.is_complete and version == self.version_source.version:
                self.add_recorded(scope, key, recorder)
            # Nobody waits for the client of another: what goes out as it comes is asked for by each.
            if recorder.is_complete or not recorder.has_known_length:
                self.flights.release_waiters(key, flight)
            await send(message)

        try:
            await self.app(scope, receive, record)
        finally:
            self.flights.release_waiters(key, flight)

    def add_recorded(self, scope: Scope, key: CacheKey, recorder: ResponseRecorder) -> None:
        """Cache a response that was recorded whole, by a key with all that it varies by."""
        if recorder.cached_response:
            self.store.add_vary_fields(scope["path"], recorder.vary_fields())
            full_key = build_cache_key(scope, key[-1], self.store.vary_by_path[scope["path"]])
            self.store.add(full_key, recorder.cached_response)


class PeekedRequest:
    """The messages of a request, of which the first can be looked at before it is received."""

    def __init__(self, receive: Receive) -> None:
        """Nothing was received yet."""
        self.receive_rest = receive
        self.first: Message | None = None

    async def peek(self) -> Message:
        """The first message, which `receive` gives nevertheless."""
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
    """Holds back a response of known length that may be cached, as a condition on it is judged at its end.

    A streamed one has a tag that no client knows yet, and may be more than can be held: it is passed on.
    """

    def __init__(self, send: Send, recorder: ResponseRecorder) -> None:
        """Hold nothing yet."""
        self.send, self.recorder = send, recorder
        self.held: list[Message] = []

    async def __call__(self, message: Message) -> None:
        """Hold a message that was recorded, or send it after those before."""
        if self.recorder.has_known_length:
            self.held.append(message)
            return
        while self.held:
            await self.send(self.held.pop(0))
        await self.send(message)


# What the paths begin with of files, of which parts may be asked for, and which the system keeps; and of the
# form, which says whether there are tokens, as they come and go without a write.
UNCACHED_PATH_PREFIXES = ("/dump", "/write")
CACHE_KEY_FIELDS = frozenset((b"accept", b"content-encoding", b"content-type", b"host"))
ACCEPT_LANGUAGE_FIELD = b"accept-language"


def is_cacheable_request(scope: Scope) -> bool:
    """Whether the response to a request may be cached, or come from the cache."""
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
    """What makes one response differ from another; the body is the last item."""
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
    """Whether a client names English alone in its Accept-Language fields, which it gets without as well."""
    liked = parse_accept_weights(one.decode("latin-1") for one in fields)
    return all(one.partition("-")[0] == "en" for one in liked)


@lru_cache(256)
def accepted_coding(fields: tuple[bytes, ...]) -> str:
    """The coding for a client with these Accept-Encoding fields."""
    return choose_coding(one.decode("latin-1") for one in fields)


def strip_if_none_match(scope: Scope) -> Scope:
    """The request without its condition."""
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]}


BODY_FIELDS = (b"content-encoding", b"content-length", b"content-type")


async def send_cached_response(
    cached: CachedResponse, scope: Scope, send: Send, raw_cache: RawResponseCache
) -> None:
    """Send a cached response, or 304 to a client that has it (RFC 9110, section 13.1.2)."""
    is_known = is_known_to_client(cached, scope)
    status = 304 if is_known else 200
    headers = [pair for pair in cached.headers if pair[0] not in BODY_FIELDS] if is_known else cached.headers
    await send({"type": "http.response.start", "status": status, "headers": headers})
    has_body = not is_known and scope["method"] != "HEAD"
    if has_body and cached.is_compressed:
        for piece in cached.iter_body():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # others come in between
        await send({"type": "http.response.body", "body": b""})
        return
    body = cached.body if has_body else b""
    await send({"type": "http.response.body", "body": body})
    if is_raw_cacheable(scope):
        record = scope.get(REQUEST_RECORD_KEY)
        route, client = (record.route, record.client) if record else ("", "")
        raw_cache.add(scope[RAW_REQUEST_KEY], status, headers, body, route, client)


def is_known_to_client(cached: CachedResponse, scope: Scope) -> bool:
    """Whether a client has the response, by the tags of its If-None-Match."""
    if scope["method"] not in CONDITIONAL_METHODS:
        return False
    tags = [value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"]
    return bool(tags) and matches_entity_tag(tags, cached.entity_tag, weak=True)


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


def is_raw_cacheable(scope: Scope) -> bool:
    """Whether the bytes of the request are known, have no body, and say nothing that is theirs alone."""
    if not scope.get(RAW_REQUEST_KEY) or scope["http_version"] != "1.1":
        return False
    return not any(name in PER_REQUEST_FIELDS for name, _ in scope["headers"])
