"""An answer is given again while the data is the same, and never to a question that differs."""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest
from starlette.types import Message, Receive, Scope, Send
from wgig.http.cache import ResponseCacheMiddleware, VersionSource
from wgig.http.fast_path import RawResponseCache
from wgig.http.telemetry import Metrics

Answer = tuple[int, dict[bytes, bytes], bytes]
ROOM = 40_000


class Origin:
    """An application that counts how often it is asked, and answers with that number."""

    def __init__(self, **given: Any) -> None:
        self.asked = 0
        self.status = given.get("status", 200)
        self.has_length = given.get("has_length", True)
        self.single = given.get("single", False)  # in one piece
        self.headers = {b"etag": b'"t"', b"vary": b"Accept", **given.get("headers", {})}
        self.pieces = given.get("pieces", [])
        self.fails = given.get("fails", False)
        self.gate = given.get("gate")

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        self.asked += 1
        number = b"%d" % self.asked
        if self.gate:
            await self.gate.wait()
        length = b"%d" % sum(map(len, [number, *self.pieces]))
        headers = [*self.headers.items(), *([(b"content-length", length)] if self.has_length else [])]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if self.single:
            await send({"type": "http.response.body", "body": number})
            return
        for piece in [number, *self.pieces]:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self.fails:
            raise ConnectionError
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Kept:
    """A cache in front of an origin."""

    def __init__(self, **given: Any) -> None:
        self.origin = Origin(**given)
        self.version = 0
        self.sent: list[Message] = []
        self.shortcuts = RawResponseCache(lambda: self.version, ROOM, Metrics())
        self.cache = ResponseCacheMiddleware(self.origin, cast(VersionSource, self), self.shortcuts, ROOM)

    async def see_latest_writes(self) -> None:
        """Nobody else writes."""

    def scope(self, target: str = "/x", method: str = "GET", body: bytes = b"", **headers: str) -> Scope:
        path, _, query = target.partition("?")
        fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        if body:
            fields.append((b"content-length", str(len(body)).encode()))
        return {
            "type": "http",
            "method": method,
            "scheme": "http",
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": fields,
        }

    async def ask(
        self,
        target: str = "/x",
        method: str = "GET",
        body: bytes = b"",
        gone: asyncio.Event | None = None,
        **headers: str,
    ) -> Answer:
        self.sent = sent = []
        scope = self.scope(target, method, body, **headers)

        coming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if not coming:
                await (gone or asyncio.Event()).wait()
                coming.append({"type": "http.disconnect"})
            return coming.pop()

        async def send(message: Message) -> None:
            sent.append(message)

        await self.cache(scope, receive, send)
        start, *bodies = sent or [{"status": 0, "headers": {}}]
        return start["status"], dict(start["headers"]), b"".join(one["body"] for one in bodies)


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


def test_the_same_question_has_the_same_answer_with_its_length() -> None:
    async def story() -> None:
        kept = Kept(pieces=[b"abc"])
        await kept.ask()
        assert await kept.ask() == (
            200,
            {b"etag": b'"t"', b"vary": b"Accept", b"content-length": b"4"},
            b"1abc",
        )

    play(story())


def test_a_write_empties_it() -> None:
    async def story() -> None:
        kept = Kept()
        await kept.ask()
        kept.version += 1
        assert (await kept.ask())[2] == b"2"

    play(story())


def test_what_was_asked_before_a_write_and_came_after_is_not_kept() -> None:
    async def story() -> None:
        gate = asyncio.Event()
        kept = Kept(gate=gate)
        asking = asyncio.create_task(kept.ask())
        await asyncio.sleep(0)
        kept.version += 1
        gate.set()
        assert (await asking)[2] == b"1"
        assert (await kept.ask())[2] == b"2"

    play(story())


@pytest.mark.parametrize(
    "other",
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
def test_another_question_has_another_answer(other: dict[str, Any]) -> None:
    async def story() -> None:
        kept = Kept()
        await kept.ask()
        assert (await kept.ask(**other))[2] == b"2"

    play(story())


def test_clients_that_like_the_same_coding_share_an_answer() -> None:
    async def story() -> None:
        kept = Kept()
        await kept.ask(accept_encoding="gzip, zstd")
        assert (await kept.ask(accept_encoding="br;q=0.5, zstd"))[2] == b"1"

    play(story())


def test_what_the_answer_depends_on_is_part_of_the_question() -> None:
    async def story() -> None:
        kept = Kept(headers={b"vary": b"Accept, Accept-Language"})
        answers = [(await kept.ask(accept_language=one))[2] for one in ("fr", "ru", "fr", "ru")]
        assert answers == [b"1", b"2", b"1", b"2"]

    play(story())


def test_who_reads_english_alone_shares_the_answer_of_who_says_nothing() -> None:
    async def story() -> None:
        kept = Kept(headers={b"vary": b"Accept-Language"})
        await kept.ask()
        for languages in ("en", "en-US,en;q=0.9", "EN;q=0.1", ""):
            assert (await kept.ask(accept_language=languages))[2] == b"1"
        for number, languages in enumerate(("en,fr;q=0.1", "*", "fr-xxxxxxxxxx", "fr;q=0.5"), 2):
            assert (await kept.ask(accept_language=languages))[2] == b"%d" % number

    play(story())


def test_questions_in_bodies_are_told_apart() -> None:
    async def story() -> None:
        kept = Kept()
        asked = [b"ASK {}", b"ASK { ?s ?p ?o }", b"ASK {}"]
        assert [(await kept.ask("/sparql", "POST", one))[2] for one in asked] == [b"1", b"2", b"1"]
        assert [(await kept.ask("/update", "POST", b"x"))[2] for _ in range(2)] == [b"3", b"4"]

    play(story())


@pytest.mark.parametrize(
    "given",
    [{"status": 404}, {"headers": {b"cache-control": b"no-store"}}, {"pieces": [b"x" * ROOM]}],
)
def test_what_is_not_to_be_kept_is_asked_again(given: dict[str, Any]) -> None:
    async def story() -> None:
        kept = Kept(**given)
        await kept.ask()
        assert (await kept.ask())[2].startswith(b"2")

    play(story())


def test_an_answer_that_breaks_off_is_not_kept_and_nobody_waits_for_it() -> None:
    async def story() -> None:
        kept = Kept(fails=True)
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await kept.ask()
        assert kept.origin.asked == 2
        assert not kept.cache.flights.in_flight

    play(story())


@pytest.mark.parametrize("how", [("/x", "GET", b""), ("/sparql", "POST", b"ASK {}")])
def test_who_waited_for_the_answer_of_another_and_left_does_not_ask_any_more(
    how: tuple[str, str, bytes],
) -> None:
    async def story() -> None:
        gate, gone = asyncio.Event(), asyncio.Event()
        kept = Kept(gate=gate, status=503)
        first = asyncio.create_task(kept.ask(*how))
        await asyncio.sleep(0)
        other = asyncio.create_task(kept.ask(*how, gone=gone))
        gone.set()
        assert (await other)[0] == 0
        gate.set()
        assert (await first)[0] == 503
        assert kept.origin.asked == 1

    play(story())


@pytest.mark.parametrize("condition", ['"t"', 'W/"t"', '"u", "t"', "*"])
def test_who_has_it_is_told_so_the_first_time_and_later(condition: str) -> None:
    async def story() -> None:
        kept = Kept()
        for _ in range(2):
            status, headers, body = await kept.ask(if_none_match=condition)
            assert (status, headers, body) == (304, {b"etag": b'"t"', b"vary": b"Accept"}, b"")
        assert kept.origin.asked == 1

    play(story())


def test_who_has_another_gets_it_whole_also_where_it_is_large() -> None:
    async def story() -> None:
        large = Kept(pieces=[b"x" * ROOM])
        assert (await large.ask(if_none_match='"u"'))[2] == b"1" + b"x" * ROOM
        small = Kept()
        assert (await small.ask(if_none_match='"u"'))[2] == b"1"

    play(story())


def test_what_is_kept_and_given_on_a_condition_is_put_together_once() -> None:
    async def story() -> None:
        kept = Kept(pieces=[b"abc"])
        await kept.ask(if_none_match='"u"')
        (entry,) = kept.cache.store.entries.values()
        assert kept.sent[-1]["body"] is entry.body

    play(story())


def test_head_gets_the_fields_of_get() -> None:
    async def story() -> None:
        kept = Kept(pieces=[b"abc"])
        await kept.ask(method="HEAD")
        _, headers, body = await kept.ask()
        assert (await kept.ask(method="HEAD"))[1:] == (headers, b"")
        assert body == b"2abc"

    play(story())


def test_of_many_who_ask_at_once_one_asks() -> None:
    async def story() -> None:
        gate = asyncio.Event()
        kept = Kept(gate=gate)
        asking = [asyncio.create_task(kept.ask()) for _ in range(9)]
        await asyncio.sleep(0)
        gate.set()
        assert [(await one)[2] for one in asking] == [b"1"] * 9

    play(story())


def test_who_waited_asks_where_the_other_failed() -> None:
    async def story() -> None:
        gate = asyncio.Event()
        kept = Kept(gate=gate, status=503)
        asking = [asyncio.create_task(kept.ask()) for _ in range(3)]
        await asyncio.sleep(0)
        gate.set()
        assert sorted([(await one)[2] for one in asking]) == [b"1", b"2", b"3"]

    play(story())


def test_it_keeps_what_was_asked_last_within_its_room() -> None:
    async def story() -> None:
        kept = Kept(pieces=[b"x" * (ROOM // 5)])
        for number in range(9):
            await kept.ask(f"/{number}")
        assert kept.cache.store.size_bytes <= ROOM
        assert kept.cache.store.size_bytes == sum(
            len(one.body) + 1000 for one in kept.cache.store.entries.values()
        )
        await kept.ask("/8")
        assert kept.origin.asked == 9
        await kept.ask("/0")
        assert kept.origin.asked == 10

    play(story())


def test_a_large_plain_answer_is_kept_packed_and_given_as_it_was() -> None:
    async def story() -> None:
        kept = Kept(pieces=[b"abc" * ROOM, b"d"])
        first = await kept.ask()
        assert await kept.ask() == (200, first[1], first[2])
        assert (await kept.ask(if_none_match='"t"'))[0] == 304
        assert (await kept.ask(method="HEAD"))[1:] == (first[1], b"")
        assert kept.cache.store.size_bytes < len(first[2]) / 10
        assert kept.origin.asked == 1

    play(story())


def test_what_goes_out_as_it_comes_is_not_held_back_for_a_condition() -> None:
    async def story() -> None:
        kept = Kept(has_length=False, pieces=[b"abc"], fails=True)
        with pytest.raises(ConnectionError):
            await kept.ask(if_none_match='"u"')
        assert kept.sent

    play(story())


@pytest.mark.parametrize("given", [{"single": True}, {"has_length": False}])
def test_nobody_waits_for_the_slow_client_of_another(given: dict[str, bool]) -> None:
    async def story() -> None:
        kept = Kept(**given)
        taken = asyncio.Event()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                await taken.wait()

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        slow = asyncio.create_task(kept.cache(kept.scope(), receive, send))
        await asyncio.sleep(0)
        assert (await kept.ask())[0] == 200
        taken.set()
        await slow

    play(story())


def test_a_condition_on_what_is_sent_by_post_is_not_answered_by_304() -> None:
    async def story() -> None:
        kept = Kept()
        for _ in range(2):
            status, _, body = await kept.ask("/sparql", "POST", b"ASK {}", if_none_match="*")
            assert (status, body) == (200, b"1")

    play(story())
