"""The response cache: reuse while the data is unchanged, cache keys, conditional and concurrent requests."""

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.types import Message, Receive, Scope, Send
from wgig.http import cache
from wgig.http.cache import ResponseCacheMiddleware, VersionSource, measure_key
from wgig.http.fast_path import RawResponseCache
from wgig.http.telemetry import Metrics

ReceivedResponse = tuple[int, dict[bytes, bytes], bytes]
MAX_CACHE_BYTES = 40_000


class Origin:
    """An ASGI application whose response body begins with the number of requests so far."""

    def __init__(self, **options: Any) -> None:
        self.request_count = 0
        self.status = options.get("status", 200)
        self.has_length = options.get("has_length", True)
        self.is_single_chunk = options.get("is_single_chunk", False)  # the body is sent as one chunk
        self.headers = {b"etag": b'"t"', b"vary": b"Accept", **options.get("headers", {})}
        self.chunks = options.get("chunks", [])
        self.raises_error = options.get("raises_error", False)
        self.gate = options.get("gate")

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        self.request_count += 1
        number = b"%d" % self.request_count
        if self.gate:
            await self.gate.wait()
        length = b"%d" % sum(map(len, [number, *self.chunks]))
        headers = [*self.headers.items(), *([(b"content-length", length)] if self.has_length else [])]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if self.is_single_chunk:
            await send({"type": "http.response.body", "body": number})
            return
        for chunk in [number, *self.chunks]:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if self.raises_error:
            raise ConnectionError
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class CacheHarness:
    """The cache middleware in front of an Origin."""

    def __init__(self, **options: Any) -> None:
        self.origin = Origin(**options)
        self.version = 0
        self.sent: list[Message] = []
        self.raw_cache = RawResponseCache(lambda: self.version, MAX_CACHE_BYTES, Metrics())
        self.cache = ResponseCacheMiddleware(
            self.origin, cast(VersionSource, self), self.raw_cache, MAX_CACHE_BYTES
        )

    async def see_latest_writes(self) -> None:
        """There are no other writers."""

    def scope(
        self,
        target: str = "/x",
        method: str = "GET",
        body: bytes = b"",
        server: tuple[str, int] | None = None,
        **headers: str,
    ) -> Scope:
        path, _, query = target.partition("?")
        fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        if body:
            fields.append((b"content-length", str(len(body)).encode()))
        return {
            "type": "http",
            "method": method,
            "http_version": "1.1",
            "scheme": "http",
            "server": server,
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": fields,
        }

    async def request(
        self,
        target: str = "/x",
        method: str = "GET",
        body: bytes = b"",
        disconnected: asyncio.Event | None = None,
        server: tuple[str, int] | None = None,
        *,
        client: str = "127.0.0.1",
        **headers: str,
    ) -> ReceivedResponse:
        self.sent = sent = []
        scope = dict(self.scope(target, method, body, server, **headers), client=(client, 1))

        incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if not incoming:
                await (disconnected or asyncio.Event()).wait()
                incoming.append({"type": "http.disconnect"})
            return incoming.pop()

        async def send(message: Message) -> None:
            sent.append(message)

        await self.cache(scope, receive, send)
        start, *bodies = sent or [{"status": 0, "headers": {}}]
        return start["status"], dict(start["headers"]), b"".join(body["body"] for body in bodies)


def run_scenario(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 10))


def test_cached_response_has_content_length() -> None:
    async def scenario() -> None:
        harness = CacheHarness(chunks=[b"abc"])
        await harness.request()
        assert await harness.request() == (
            200,
            {b"etag": b'"t"', b"vary": b"Accept", b"content-length": b"4"},
            b"1abc",
        )

    run_scenario(scenario())


def test_write_empties_cache() -> None:
    async def scenario() -> None:
        harness = CacheHarness()
        await harness.request()
        harness.version += 1
        assert (await harness.request())[2] == b"2"

    run_scenario(scenario())


def test_response_computed_across_a_write_is_not_cached() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()
        harness = CacheHarness(gate=gate)
        task = asyncio.create_task(harness.request())
        await asyncio.sleep(0)
        harness.version += 1
        gate.set()
        assert (await task)[2] == b"1"
        assert (await harness.request())[2] == b"2"

    run_scenario(scenario())


@pytest.mark.parametrize(
    "difference",
    [
        {"target": "/y"},
        {"target": "/x?a"},
        {"accept": "text/csv"},
        {"accept_encoding": "gzip"},
        {"host": "elsewhere"},
        {"target": "/sparql", "method": "POST", "body": b"ASK {}"},
        {"authorization": "Bearer x"},
        {"cache_control": "no-cache"},
    ],
)
def test_different_request_is_not_served_from_cache(difference: dict[str, Any]) -> None:
    async def scenario() -> None:
        harness = CacheHarness()
        await harness.request()
        assert (await harness.request(**difference))[2] == b"2"

    run_scenario(scenario())


def test_clients_with_same_preferred_coding_share_response() -> None:
    async def scenario() -> None:
        harness = CacheHarness()
        await harness.request(accept_encoding="gzip, zstd")
        assert (await harness.request(accept_encoding="br;q=0.5, zstd"))[2] == b"1"

    run_scenario(scenario())


def test_vary_headers_are_part_of_cache_key() -> None:
    async def scenario() -> None:
        harness = CacheHarness(headers={b"vary": b"Accept, Accept-Language"})
        responses = [
            (await harness.request(accept_language=language))[2] for language in ("fr", "ru", "fr", "ru")
        ]
        assert responses == [b"1", b"2", b"1", b"2"]

    run_scenario(scenario())


def test_english_only_and_no_accept_language_share_response() -> None:
    async def scenario() -> None:
        harness = CacheHarness(headers={b"vary": b"Accept-Language"})
        await harness.request()
        for languages in ("en", "en-US,en;q=0.9", "EN;q=0.1", ""):
            assert (await harness.request(accept_language=languages))[2] == b"1"
        for languages in ("*", "fr-xxxxxxxxxx"):  # no language that is a valid tag
            assert (await harness.request(accept_language=languages))[2] == b"1"
        for number, languages in enumerate(("en,fr;q=0.1", "fr;q=0.5"), 2):
            assert (await harness.request(accept_language=languages))[2] == b"%d" % number

    run_scenario(scenario())


def test_query_body_is_part_of_cache_key() -> None:
    async def scenario() -> None:
        harness = CacheHarness()
        bodies = [b"ASK {}", b"ASK { ?s ?p ?o }", b"ASK {}"]
        assert [(await harness.request("/sparql", "POST", body))[2] for body in bodies] == [b"1", b"2", b"1"]
        assert [(await harness.request("/update", "POST", b"x"))[2] for _ in range(2)] == [b"3", b"4"]

    run_scenario(scenario())


@pytest.mark.parametrize(
    "options",
    [{"status": 404}, {"headers": {b"cache-control": b"no-store"}}, {"chunks": [b"x" * MAX_CACHE_BYTES]}],
)
def test_uncacheable_response_is_computed_again(options: dict[str, Any]) -> None:
    async def scenario() -> None:
        harness = CacheHarness(**options)
        await harness.request()
        assert (await harness.request())[2].startswith(b"2")

    run_scenario(scenario())


def test_aborted_response_is_not_cached_and_releases_waiters() -> None:
    async def scenario() -> None:
        harness = CacheHarness(raises_error=True)
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await harness.request()
        assert harness.origin.request_count == 2
        assert not harness.cache.flights.in_flight

    run_scenario(scenario())


@pytest.mark.parametrize("arguments", [("/x", "GET", b""), ("/sparql", "POST", b"ASK {}")])
def test_disconnected_waiter_does_not_compute_response(
    arguments: tuple[str, str, bytes],
) -> None:
    async def scenario() -> None:
        gate, disconnected = asyncio.Event(), asyncio.Event()
        harness = CacheHarness(gate=gate, status=503)
        first = asyncio.create_task(harness.request(*arguments))
        await asyncio.sleep(0)
        waiter = asyncio.create_task(harness.request(*arguments, disconnected=disconnected))
        disconnected.set()
        assert (await waiter)[0] == 0
        gate.set()
        assert (await first)[0] == 503
        assert harness.origin.request_count == 1

    run_scenario(scenario())


@pytest.mark.parametrize("condition", ['"t"', 'W/"t"', '"u", "t"', "*"])
def test_matching_if_none_match_gets_304(condition: str) -> None:
    async def scenario() -> None:
        harness = CacheHarness()
        for _ in range(2):
            status, headers, body = await harness.request(if_none_match=condition)
            assert (status, headers, body) == (304, {b"etag": b'"t"', b"vary": b"Accept"}, b"")
        assert harness.origin.request_count == 1

    run_scenario(scenario())


def test_other_if_none_match_gets_whole_response() -> None:
    async def scenario() -> None:
        large = CacheHarness(chunks=[b"x" * MAX_CACHE_BYTES])
        assert (await large.request(if_none_match='"u"'))[2] == b"1" + b"x" * MAX_CACHE_BYTES
        small = CacheHarness()
        assert (await small.request(if_none_match='"u"'))[2] == b"1"

    run_scenario(scenario())


def test_held_response_body_is_joined_once() -> None:
    async def scenario() -> None:
        harness = CacheHarness(chunks=[b"abc"])
        await harness.request(if_none_match='"u"')
        (entry,) = harness.cache.store.entries.values()
        assert harness.sent[-1]["body"] is entry.body

    run_scenario(scenario())


def test_head_gets_headers_of_get() -> None:
    async def scenario() -> None:
        harness = CacheHarness(chunks=[b"abc"])
        await harness.request(method="HEAD")
        _, headers, body = await harness.request()
        assert (await harness.request(method="HEAD"))[1:] == (headers, b"")
        assert body == b"2abc"

    run_scenario(scenario())


def test_concurrent_requests_are_coalesced() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()
        harness = CacheHarness(gate=gate)
        tasks = [asyncio.create_task(harness.request(client=f"127.0.0.{number}")) for number in range(9)]
        await asyncio.sleep(0)
        gate.set()
        assert [(await task)[2] for task in tasks] == [b"1"] * 9

    run_scenario(scenario())


def test_request_does_not_wait_long_for_that_of_another_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "FOREIGN_FLIGHT_SECONDS", 0.001)

    async def scenario() -> None:
        gate = asyncio.Event()
        harness = CacheHarness(gate=gate)
        tasks = [asyncio.create_task(harness.request(client=client)) for client in ("a", "a", "b")]
        while harness.origin.request_count < 2:
            await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks)
        assert harness.origin.request_count == 2

    run_scenario(scenario())


def test_waiters_compute_response_concurrently_if_first_request_failed() -> None:
    async def scenario() -> None:
        turns = asyncio.Semaphore(0)
        harness = CacheHarness(gate=SimpleNamespace(wait=turns.acquire), status=503)
        tasks = [asyncio.create_task(harness.request()) for _ in range(3)]
        await asyncio.sleep(0)
        turns.release()
        while harness.origin.request_count < 3:
            await asyncio.sleep(0)
        assert sum(task.done() for task in tasks) == 1
        for _ in range(2):
            turns.release()
        assert sorted([(await task)[2] for task in tasks]) == [b"1", b"2", b"3"]

    run_scenario(scenario())


def test_least_recently_used_responses_are_evicted() -> None:
    async def scenario() -> None:
        harness = CacheHarness(chunks=[b"x" * (MAX_CACHE_BYTES // 5)])
        for number in range(9):
            await harness.request(f"/{number}")
        assert harness.cache.store.size_bytes <= MAX_CACHE_BYTES
        assert harness.cache.store.size_bytes == sum(
            entry.size_bytes + measure_key(key) for key, entry in harness.cache.store.entries.items()
        )
        await harness.request("/8")
        assert harness.origin.request_count == 9
        await harness.request("/0")
        assert harness.origin.request_count == 10

    run_scenario(scenario())


def test_size_of_the_cache_includes_the_requests_and_the_header_fields() -> None:
    async def scenario() -> None:
        harness = CacheHarness()
        for number in range(9):
            await harness.request(accept=f"text/{number}{'x' * (MAX_CACHE_BYTES // 4)}")
        store = harness.cache.store
        assert len(store.entries) < 4
        assert store.size_bytes > len(store.entries) * MAX_CACHE_BYTES // 4
        (entry, *_) = store.entries.values()
        assert entry.size_bytes > len(entry.body) + sum(
            len(name) + len(value) for name, value in entry.headers
        )

    run_scenario(scenario())


def test_request_without_host_gets_only_responses_of_the_same_server_address() -> None:
    async def scenario() -> None:
        harness = CacheHarness()
        assert (await harness.request(server=("127.0.0.1", 80)))[2] == b"1"
        assert (await harness.request(server=("10.0.0.1", 80)))[2] == b"2"
        assert (await harness.request(server=("10.0.0.1", 80)))[2] == b"2"
        assert (await harness.request(server=("10.0.0.1", 80), host=""))[2] == b"3"
        assert (await harness.request(server=("10.0.0.1", 80), host="a"))[2] == b"4"
        assert (await harness.request(server=("127.0.0.1", 80), host="a"))[2] == b"4"

    run_scenario(scenario())


def test_large_response_is_stored_compressed() -> None:
    async def scenario() -> None:
        harness = CacheHarness(chunks=[b"abc" * MAX_CACHE_BYTES, b"d"])
        first = await harness.request()
        assert await harness.request() == (200, first[1], first[2])
        assert (await harness.request(if_none_match='"t"'))[0] == 304
        assert (await harness.request(method="HEAD"))[1:] == (first[1], b"")
        assert harness.cache.store.size_bytes < len(first[2]) / 10
        assert harness.origin.request_count == 1

    run_scenario(scenario())


def test_streamed_response_is_not_held_for_if_none_match() -> None:
    async def scenario() -> None:
        harness = CacheHarness(has_length=False, chunks=[b"abc"], raises_error=True)
        with pytest.raises(ConnectionError):
            await harness.request(if_none_match='"u"')
        assert harness.sent

    run_scenario(scenario())


def test_streamed_response_that_the_client_has_gets_304() -> None:
    async def scenario() -> None:
        harness = CacheHarness(has_length=False, chunks=[b"abc", b"def"])
        for _ in range(2):
            assert (await harness.request(if_none_match='W/"t"'))[::2] == (304, b"")
        assert harness.origin.request_count == 1
        assert (await harness.request())[::2] == (200, b"1abcdef")

    run_scenario(scenario())


@pytest.mark.parametrize("options", [{"is_single_chunk": True}, {"has_length": False}])
def test_waiters_do_not_depend_on_slow_client(options: dict[str, bool]) -> None:
    async def scenario() -> None:
        harness = CacheHarness(**options)
        can_continue = asyncio.Event()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                await can_continue.wait()

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        slow_request = asyncio.create_task(harness.cache(harness.scope(), receive, send))
        await asyncio.sleep(0)
        assert (await harness.request())[0] == 200
        can_continue.set()
        await slow_request

    run_scenario(scenario())


def test_post_never_gets_304() -> None:
    async def scenario() -> None:
        harness = CacheHarness()
        for _ in range(2):
            status, _, body = await harness.request("/sparql", "POST", b"ASK {}", if_none_match="*")
            assert (status, body) == (200, b"1")

    run_scenario(scenario())
