"""Random interleavings of requests and writes: a client never sees from which cache its response comes.

The data of the modeled service is one number, which each write increases. Its responses contain this number
and all parts of the request on which a representation may depend. Each response is compared with that of a
service without a cache: for the same request, and a number that was current at some time during the request.
"""

import asyncio
import hashlib
import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import cast

import pytest
from starlette.types import Message, Receive, Scope, Send
from wgig.http.cache import ResponseCacheMiddleware, VersionSource
from wgig.http.fast_path import RAW_REQUEST_KEY, RawResponseCache
from wgig.http.language import parse_accept_language
from wgig.http.negotiation import choose_coding
from wgig.http.responses import CONDITIONAL_METHODS, matches_entity_tag
from wgig.http.telemetry import Metrics

from tests.fixtures.scheduling import run_in_random_order

VARY = b"Accept, Accept-Datetime, Accept-Encoding, Accept-Language, Accept-Profile"
CLIENTS = 4
CACHE_BYTES = 20_000  # for about 20 responses, so that some are evicted
STEPS_PER_OPERATION = 400  # of the event loop, at most
HEADER_VALUES: dict[str, tuple[str, ...]] = {
    "accept": ("text/html", "application/json", "text/csv;q=0.5, */*;q=0.1"),
    "accept-language": ("fr", "fr, en;q=0.5", "en-US,en;q=0.9", "ar"),
    "accept-profile": ("<urn:skos>", "<urn:dcat>"),
    "accept-datetime": ("Mon, 29 Nov 2004 00:00:00 GMT",),
    "accept-encoding": ("gzip", "gzip, zstd", "identity"),
    "host": ("a.example", "b.example"),
    "cookie": ("theme=dark",),
    "user-agent": ("one", "two"),
    "cache-control": ("no-cache",),
    "authorization": ("Bearer x",),
}


@dataclass(frozen=True)
class ModelRequest:
    """A request; `fields` are its header fields, except If-None-Match."""

    method: str
    path: str
    query: str
    scheme: str
    http_version: str
    fields: tuple[tuple[str, str], ...]
    body: bytes
    tags: tuple[str, ...]  # the values of If-None-Match

    def scope(self) -> Scope:
        """The ASGI scope, with the raw bytes as the server sets them."""
        headers = [(name.encode(), value.encode()) for name, value in self.fields]
        headers += [(b"if-none-match", tag.encode()) for tag in self.tags]
        headers += [(b"content-length", b"%d" % len(self.body))] if self.body else []
        return {
            "type": "http",
            "method": self.method,
            "scheme": self.scheme,
            "http_version": self.http_version,
            "root_path": "",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": self.query.encode(),
            "headers": headers,
            RAW_REQUEST_KEY: repr((self.scheme, self)).encode() if self.method == "GET" else b"",
        }

    def representation(self, number: int) -> bytes:
        """The body of the response for a number of the data, if nothing is cached."""
        return describe_representation(self.scope(), self.body, number)


def describe_representation(scope: Scope, body: bytes, number: int) -> bytes:
    """The number, and the result of negotiation from the header fields that the application sees."""
    values: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        values.setdefault(name.decode(), []).append(value.decode())
    negotiated = {
        "languages": parse_accept_language(tuple(values.get("accept-language", ()))),
        "coding": choose_coding(values.get("accept-encoding", ())),
        **{name: values.get(name) for name in ("accept", "accept-profile", "accept-datetime", "host")},
        "address": [scope["scheme"], scope["path"], scope["query_string"].decode(), body.decode()],
        "http": scope["http_version"],
        "has token": "authorization" in values,
    }
    return json.dumps({"number": number, **negotiated}).encode()


def tag_of(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


@dataclass
class ModelService:
    """The data, the application behind the cache, and the caches."""

    random: Random
    number: int = 0  # the data
    version: int = 0  # of the store, increased after the data
    acknowledged: int = 0
    requests: list[ModelRequest] = field(default_factory=list)
    seen_tags: list[str] = field(default_factory=list)
    computed: int = 0

    def __post_init__(self) -> None:
        self.raw_cache = RawResponseCache(lambda: self.version, CACHE_BYTES, Metrics())
        self.cache = ResponseCacheMiddleware(
            self.respond, cast(VersionSource, self), self.raw_cache, CACHE_BYTES
        )

    async def see_latest_writes(self) -> None:
        await self.pause()

    async def pause(self) -> None:
        """Let others run: mostly once, sometimes for long."""
        await asyncio.sleep(self.random.choice((0, 0, 0, 0.01, 0.5)))

    async def write(self) -> None:
        """Change the data, count the version, and acknowledge: in this order, with time between."""
        self.number += 1
        number = self.number
        await self.pause()
        self.version += 1
        await self.pause()
        self.acknowledged = max(self.acknowledged, number)

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application: it reads the data at some time, and sends what it read some time later."""
        self.computed += 1
        request_body = (await receive()).get("body", b"")
        await self.pause()
        body = describe_representation(scope, request_body, self.number)
        await self.pause()
        tag = tag_of(body)
        headers = [(b"etag", tag.encode()), (b"vary", VARY)]
        tags = [value.decode() for name, value in scope["headers"] if name == b"if-none-match"]
        if scope["method"] in CONDITIONAL_METHODS and matches_entity_tag(tags, tag, weak=True):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        if scope["path"] != "/streamed":
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        half = len(body) // 2 if scope["method"] != "HEAD" else len(body)
        for chunk in (body[:half], body[half:]) if scope["method"] != "HEAD" else ():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await self.pause()
        await send({"type": "http.response.body", "body": b""})


def draw_similar_request(random: Random, service: ModelService) -> ModelRequest:
    """Mostly a recent request of any client, again or with another header field, so that keys collide."""
    if not service.requests or random.random() < 0.1:
        return draw_request(random, service.seen_tags)
    request = random.choice(service.requests[-4:])
    if random.random() < 0.7:
        return request
    name = random.choice(list(HEADER_VALUES))
    base = {"host": "a.example"} if random.random() < 0.5 else dict(request.fields)
    fields = base | {name: random.choice(HEADER_VALUES[name])}
    return replace(request, fields=tuple(sorted(fields.items())))


def draw_request(random: Random, seen_tags: list[str]) -> ModelRequest:
    """A random request."""
    is_query = random.random() < 0.2
    names = random.sample(list(HEADER_VALUES), random.choice((0, 0, 1, 1, 2, 3)))
    fields = {"host": "a.example"} | {name: random.choice(HEADER_VALUES[name]) for name in names}
    tags = random.sample(seen_tags[-8:], min(len(seen_tags), 2)) if random.random() < 0.3 else []
    return ModelRequest(
        method=random.choice(("POST", "QUERY")) if is_query else random.choice(("GET", "GET", "GET", "HEAD")),
        path="/sparql" if is_query else random.choice(("/page", "/plain", "/streamed", "/sparql")),
        query=random.choice(("", "", "", "a=1")),
        scheme=random.choice(("http", "http", "http", "https")),
        http_version=random.choice(("1.1", "1.1", "1.1", "1.0")),
        fields=tuple(sorted(fields.items())),
        body=random.choice((b"ASK {}", b"ASK { }")) if is_query else b"",
        tags=tuple(random.choice((tag, f"W/{tag}", f'"other", {tag}')) for tag in tags),
    )


@dataclass
class ModelResponse:
    """A response as the client gets it."""

    status: int
    tag: str
    body: bytes


async def send_request(service: ModelService, request: ModelRequest) -> ModelResponse | None:
    """The response, from the raw cache as the server does it, or from the middleware; None without one."""
    scope = request.scope()
    raw = service.raw_cache.get(scope[RAW_REQUEST_KEY]) if request.method == "GET" else None
    if raw:
        head, _, body = raw.headers_and_body.partition(b"\r\n\r\n")
        tag = next(line for line in head.split(b"\r\n") if line.startswith(b"etag: ")).decode()[6:]
        return ModelResponse(raw.status, tag, body)
    messages: list[Message] = []
    is_received = False

    async def receive() -> Message:
        nonlocal is_received
        if is_received:
            await asyncio.Event().wait()
        is_received = True
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)
        await service.pause()

    await service.cache(scope, receive, send)
    start, *chunks = messages
    return ModelResponse(
        start["status"], dict(start["headers"])[b"etag"].decode(), b"".join(chunk["body"] for chunk in chunks)
    )


def assert_as_without_cache(request: ModelRequest, response: ModelResponse, numbers: range) -> None:
    """The response is one that an empty cache would give while the data had one of these numbers."""
    by_tag = {tag_of(body): body for body in map(request.representation, numbers)}
    assert response.tag in by_tag, (request, response, numbers)
    is_matched = request.method in CONDITIONAL_METHODS and matches_entity_tag(
        list(request.tags), response.tag, weak=True
    )
    if response.status == 304:
        assert is_matched, (request, response)
        assert not response.body
    else:
        # A streamed response is sent before its tag can be compared.
        assert not is_matched or request.path == "/streamed", (request, response)
        assert response.body == (b"" if request.method == "HEAD" else by_tag[response.tag])


async def run_client(service: ModelService, random: Random, operations: int) -> None:
    """Send requests and write, one after the other."""
    for _ in range(operations):
        await service.pause()
        if random.random() < 0.05:
            await service.write()
            continue
        request = draw_similar_request(random, service)
        service.requests.append(request)
        first = service.acknowledged
        response = await send_request(service, request)
        assert response
        assert_as_without_cache(request, response, range(first, service.number + 1))
        service.seen_tags.append(response.tag)


async def run_clients(service: ModelService, operations: int) -> None:
    """Run CLIENTS clients concurrently."""
    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(run_client(service, service.random, operations // CLIENTS))


def compare_with_model(seed: int, operations: int) -> ModelService:
    """Run so many requests and writes; the service afterwards."""
    service = ModelService(Random(seed))
    run_in_random_order(run_clients(service, operations), seed, operations * STEPS_PER_OPERATION)
    return service


def test_no_response_differs_from_one_without_cache() -> None:
    service = compare_with_model(seed=1, operations=3000)
    assert service.computed < 2000  # caches were used


@pytest.mark.long
@pytest.mark.parametrize("seed", [2, 3])
def test_no_response_of_many_differs_from_one_without_cache(seed: int) -> None:
    compare_with_model(seed, 25_000)
