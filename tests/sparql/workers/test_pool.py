"""Readers answer, see every write, are killed at their limits, and are replaced."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.rdf.formats import CSV, JSON_RESULTS, N_TRIPLES, RDF_XML, XML_RESULTS
from wgig.settings import MIB, Settings
from wgig.sparql.workers import connections, fair_queue, pool
from wgig.sparql.workers.connections import HolderLink, ReaderLink
from wgig.sparql.workers.generation import Generation
from wgig.sparql.workers.pool import Pool
from wgig.sparql.workers.protocol import (
    CANCELED,
    CROWDED,
    LOST,
    ROWS,
    SIZE,
    SYNTAX,
    TIME,
    UNFIT,
    VALUE,
    Fault,
    Job,
)
from wgig.sparql.workers.result import AHEAD, Result
from wgig.store.store import Store
from wgig.store.view import Dataset

pytestmark = pytest.mark.slow

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
DOUBLED = " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(30))
HUGE = f'SELECT (STRLEN(?x30) AS ?n) {{ BIND("0123456789abcdef" AS ?x0) {DOUBLED} }}'
MANY = "SELECT * { ?s ?p ?o . ?t ?q ?r . ?u ?v ?w }"
Story = Callable[[Pool], Coroutine[Any, Any, None]]


def number(value: int) -> ox.Literal:
    return ox.Literal(value)


def triples(*numbers: int) -> list[ox.Triple]:
    return [ox.Triple(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), number(one)) for one in numbers]


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Pool]:
    store = Store.open(settings.store)
    if not store:
        store.replace({"urn:g": triples(*range(200))})
    pool = Pool(store, settings)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()


@pytest.fixture(params=["in memory", "on disk"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Two readers with small limits, which hold the quads in memory, or read them from disk."""
    most = 100_000 if request.param == "in memory" else 0
    return Settings(store=tmp_path, readers=2, reader_quads=most, query_seconds=1, query_memory=64 * MIB)


def play(settings: Settings, story: Story) -> None:
    """Let the story happen with a pool."""

    async def whole() -> None:
        async with running(settings) as pool:
            await asyncio.wait_for(story(pool), 30)

    asyncio.run(whole())


def job(text: str, **given: Any) -> Job:
    return Job(text, CSV.media_type, Dataset(), "urn:base", 1000 * MIB, 0)._replace(**given)


async def ask(pool: Pool, text: str, **given: Any) -> list[str]:
    result = await pool.ask(job(text, **given), "somebody")
    return (await result.whole()).decode().split()


async def numbers(pool: Pool, graph: str = "urn:g") -> set[int]:
    return set(map(int, (await ask(pool, f"SELECT ?n {{ GRAPH <{graph}> {{ ?s ?p ?n }} }}"))[1:]))


async def fault_of(pool: Pool, text: str, **given: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        await ask(pool, text, **given)
    return caught.value


def test_every_reader_sees_every_write_that_is_acknowledged(settings: Settings) -> None:
    async def story(pool: Pool) -> None:
        await asyncio.to_thread(pool.store.replace, {"urn:g": triples(1)})
        assert [await numbers(pool) for _ in range(3)] == [{1}] * 3
        both = [await pool.ask(job("SELECT ?n { GRAPH ?g { ?s ?p ?n } }"), client) for client in "ab"]
        assert [(await one.whole()).split() for one in both] == [[b"n", b"1"]] * 2
        await asyncio.to_thread(pool.store.update, "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 2 } }")
        assert await numbers(pool) == {1, 2}
        await asyncio.to_thread(pool.store.apply, pool.store.change_to("urn:g", None))
        assert await numbers(pool) == set()

    play(settings, story)


def test_readers_that_are_made_later_have_seen_every_write(settings: Settings) -> None:
    async def story(pool: Pool) -> None:
        for one in range(5):
            await asyncio.to_thread(pool.store.replace, {"urn:g": triples(one)})
            (await pool.ask(job(ENDLESS), "somebody")).close()
            assert await numbers(pool) == {one}

    play(settings, story)


def test_a_write_whose_change_is_not_known_is_seen(settings: Settings) -> None:
    async def story(pool: Pool) -> None:
        with (settings.store / "new.nt").open("w+b") as file:
            file.write(b'<urn:s> <urn:p> "7" .')
            file.seek(0)
            await asyncio.to_thread(pool.store.bulk_load, file, ox.RdfFormat.N_TRIPLES, "urn:new")
        assert await numbers(pool, "urn:new") == {7}

    play(settings, story)


def test_blank_nodes_are_the_same_for_all(settings: Settings) -> None:
    node = ox.Triple(ox.BlankNode("b"), ox.NamedNode("urn:p"), number(1))

    async def story(pool: Pool) -> None:
        await asyncio.to_thread(pool.store.replace, {"urn:g": [node]})
        await asyncio.to_thread(pool.store.replace, {"urn:g": []})
        assert await numbers(pool) == set()

    play(settings, story)


def test_what_takes_too_long_is_given_up(settings: Settings) -> None:
    async def story(pool: Pool) -> None:
        assert (await fault_of(pool, ENDLESS)).kind == TIME
        assert len(await numbers(pool)) == 200

    play(settings, story)


def test_what_takes_too_much_memory_is_given_up(settings: Settings) -> None:
    async def story(pool: Pool) -> None:
        assert (await fault_of(pool, HUGE)).kind == LOST
        assert len(await numbers(pool)) == 200

    play(replace(settings, query_seconds=30), story)


def test_what_is_too_large_is_given_up(settings: Settings) -> None:
    async def story(pool: Pool) -> None:
        assert (await fault_of(pool, MANY, most=100_000)).kind == SIZE

    play(settings, story)


@pytest.mark.parametrize(
    "text", ["SELECT * { GRAPH ?g { ?s ?p ?o } }", "CONSTRUCT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }"]
)
def test_what_has_too_many_rows_is_given_up_and_what_has_as_many_is_not(tmp_path: Path, text: str) -> None:
    async def story(pool: Pool) -> None:
        assert (await fault_of(pool, text, media_type=N_TRIPLES.media_type, rows=199)).kind == ROWS
        media_type = CSV.media_type if text.startswith("SELECT") else N_TRIPLES.media_type
        assert len(await ask(pool, text, media_type=media_type, rows=200)) >= 200
        assert await ask(pool, "ASK { ?s ?p ?o }", media_type=JSON_RESULTS.media_type, rows=1)

    play(Settings(store=tmp_path, readers=1), story)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT", SYNTAX),
        ("ASK { FILTER(<urn:unknown>(1)) }", VALUE),
        ('SELECT ("\\u0001" AS ?x) {}', UNFIT),
        ('CONSTRUCT { <urn:s> <urn:p> "\\u0001" } {}', UNFIT),
        ("CONSTRUCT { <urn:s> <http://x.org/1> 1 } {}", UNFIT),
        ("CONSTRUCT { <urn:s> <http://www.w3.org/2000/xmlns/a> 1 } {}", UNFIT),
        ("CONSTRUCT { <urn:s> <http://www.w3.org/1999/02/22-rdf-syntax-ns#li> 1 } {}", UNFIT),
    ],
)
def test_why_there_is_no_answer_is_told(tmp_path: Path, text: str, kind: str) -> None:
    async def story(pool: Pool) -> None:
        format_ = RDF_XML if text.startswith("CONSTRUCT") else XML_RESULTS
        assert (await fault_of(pool, text, media_type=format_.media_type)).kind == kind
        assert len(await numbers(pool)) == 200

    play(Settings(store=tmp_path, readers=1), story)


def test_a_query_ends_with_whoever_asked_it(tmp_path: Path) -> None:
    async def story(pool: Pool) -> None:
        result = await pool.ask(job(MANY), "somebody")
        await result.next()
        result.close()
        with pytest.raises(Fault) as caught:
            await result.whole()
        assert caught.value.kind == CANCELED
        assert len(await numbers(pool)) == 200

    play(Settings(store=tmp_path, readers=1), story)


def test_a_large_answer_waits_for_who_takes_it(tmp_path: Path) -> None:
    async def story(pool: Pool) -> None:
        assert pool.current
        (reader,) = pool.current.readers
        result = await pool.ask(job(MANY), "somebody")
        while reader.transport.is_reading():
            await asyncio.sleep(0)
        assert len(result.pieces) >= AHEAD
        while not reader.transport.is_reading():
            await result.next()

    play(Settings(store=tmp_path, readers=1), story)


def test_others_need_not_wait_for_a_slow_client(tmp_path: Path) -> None:
    async def story(pool: Pool) -> None:
        for number in range(2):
            slow = await pool.ask(job(MANY), f"slow {number}")
            assert await slow.next()
        assert len(await numbers(pool)) == 200

    play(Settings(store=tmp_path, readers=2), story)


def test_others_need_not_wait_for_slow_queries(tmp_path: Path) -> None:
    async def story(pool: Pool) -> None:
        slow = [await pool.ask(job(ENDLESS), f"slow {number}") for number in range(2)]
        assert len(await numbers(pool)) == 200
        assert not any(one.ended for one in slow)

    play(Settings(store=tmp_path, readers=2), story)


async def all_at_work(pool: Pool, clients: str, text: str = ENDLESS) -> list[Result]:
    """What clients get who ask one after the other, until all the readers there can be are at work."""
    assert pool.current
    asked = []
    for client in clients:
        asked.append(await pool.ask(job(text), client))
        while not pool.lending.idle and len(pool.current.readers) < 2 * pool.current.size:
            await asyncio.sleep(0)
    return asked


def test_a_slow_query_never_keeps_the_last_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_queue, "LONG", 0.1)

    async def story(pool: Pool) -> None:
        slow = await all_at_work(pool, "abcd")
        assert len(await numbers(pool)) == 200
        (ended,) = [one for one in slow if one.ended]
        with pytest.raises(Fault) as caught:
            await ended.whole()
        assert caught.value.kind == CROWDED
        assert len(await numbers(pool)) == 200  # by the reader that is free now
        assert sum(one.ended for one in slow) == 1

    play(Settings(store=tmp_path, readers=2), story)


def test_nobody_has_to_go_whose_query_did_not_run_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_queue, "LONG", 1000)

    async def story(pool: Pool) -> None:
        slow = await all_at_work(pool, "abcd")
        assert pool.current
        assert pool.current.victim() is None
        pool.crowded()
        assert not any(one.ended for one in slow)

    play(Settings(store=tmp_path, readers=2), story)


@pytest.fixture
def all_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every query has run for long from its begin."""
    monkeypatch.setattr(fair_queue, "LONG", -1)


@pytest.mark.parametrize(
    ("clients", "lately", "begun", "goes"),
    [
        pytest.param("abb", "a", [1], 2, id="of the client that has the most"),
        pytest.param("abc", "b", [1], 1, id="of a client that had long queries before"),
        pytest.param("abc", "", [0], 1, id="whose answer has not begun"),
        pytest.param("abc", "", [], 0, id="that has run for longest"),
    ],
)
@pytest.mark.usefixtures("all_is_long")
def test_which_query_has_to_go(
    tmp_path: Path, clients: str, lately: str, begun: list[int], goes: int
) -> None:
    async def story(pool: Pool) -> None:
        asked = [await pool.ask(job(MANY), client) for client in clients]
        pool.lending.until.update(dict.fromkeys(lately, 0))
        for one in begun:
            await asked[one].next()
        assert pool.current
        victim = pool.current.victim()
        assert victim
        assert [victim.result is one for one in asked].index(True) == goes

    play(Settings(store=tmp_path, readers=3), story)


def test_a_client_that_takes_nothing_loses_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0)

    async def story(pool: Pool) -> None:
        result = await pool.ask(job(MANY), "somebody")
        while not result.ended:
            await asyncio.sleep(0)
        with pytest.raises(Fault):
            await result.whole()

    play(Settings(store=tmp_path, readers=1), story)


def test_a_pause_changes_nothing_of_what_becomes_of_a_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SLOW", 0)

    async def story(pool: Pool) -> None:
        assert pool.current
        (reader,) = pool.current.readers
        await told_its_thread(reader)
        result = await pool.ask(job(MANY), "somebody")
        reader.pace(on=False)
        reader.pace(on=True)
        assert await comes_to_yield(reader, result)
        result.close()

    play(Settings(store=tmp_path, readers=1), story)


def yields(reader: ReaderLink) -> bool:
    """Whether the thread that answers lets others go first."""
    return os.getpriority(os.PRIO_PROCESS, reader.thread) > os.getpriority(os.PRIO_PROCESS, 0)


async def told_its_thread(reader: ReaderLink) -> int:
    """The thread that answers, once the reader has said which that is."""
    while reader.thread == reader.process:
        await asyncio.sleep(0)
    return reader.thread


async def comes_to_yield(reader: ReaderLink, result: Result) -> bool:
    """Whether a query lets others go first before it ends."""
    while not (yields(reader) or result.ended):
        await asyncio.sleep(0)
    return yields(reader)


def test_a_query_that_takes_long_lets_others_go_first_and_the_next_one_need_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SLOW", 0.01)
    some = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?c < 8) }"

    async def story(pool: Pool) -> None:
        assert pool.current
        (reader,) = pool.current.readers
        first = await told_its_thread(reader)
        result = await pool.ask(job(some), "somebody")
        assert await comes_to_yield(reader, result)
        await result.whole()
        while reader.thread == first:
            await asyncio.sleep(0)
        assert not yields(reader)
        assert len(await numbers(pool)) == 200

    play(replace(settings, readers=1, query_seconds=30), story)


def test_an_answer_that_ends_while_its_client_is_slow_does_not_hold_up_the_next(tmp_path: Path) -> None:
    async def story(pool: Pool) -> None:
        for size in range(100, 400, 10):
            text = f"SELECT * {{ ?s ?p ?o . ?t ?q ?r }} LIMIT {size * 20}"
            left = await pool.ask(job(text), "slow")
            while not left.ended and len(left.pieces) < AHEAD:
                await asyncio.sleep(0)
            if left.ended:
                assert len(await numbers(pool)) == 200
            left.close()

    play(Settings(store=tmp_path, readers=1), story)


def process_of(pool: Pool) -> int:
    assert pool.current
    return pool.current.holder.process.pid


def test_a_holder_that_is_killed_is_replaced_with_its_readers(settings: Settings) -> None:
    async def story(pool: Pool) -> None:
        killed = process_of(pool)
        os.kill(killed, signal.SIGKILL)
        while not pool.current or process_of(pool) == killed:
            await asyncio.sleep(0)
        assert len(await numbers(pool)) == 200

    play(settings, story)


def test_a_reader_that_is_killed_by_others_is_replaced(settings: Settings) -> None:
    async def story(pool: Pool) -> None:
        assert pool.current
        killed = set(pool.current.readers)
        for reader in killed:
            os.kill(reader.process, signal.SIGKILL)
        while killed & pool.current.readers:
            await asyncio.sleep(0)
        assert len(await numbers(pool)) == 200

    play(settings, story)


def test_a_copy_with_much_waste_is_replaced_while_it_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "WASTE", 100)

    async def story(pool: Pool) -> None:
        first = process_of(pool)
        one = 0
        while process_of(pool) == first:
            await asyncio.to_thread(pool.store.replace, {"urn:g": triples(one, one + 1)})
            assert await numbers(pool) == {one, one + 1}
            one += 1

    play(Settings(store=tmp_path, readers=2), story)


def test_until_all_is_in_memory_it_is_read_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, load = asyncio.Event(), Pool.load

    async def slow(pool: Pool, new: Generation) -> None:
        await load(pool, new)
        if new.most:
            await whole.wait()

    monkeypatch.setattr(pool, "SOON", 0)
    monkeypatch.setattr(Pool, "load", slow)

    async def story(pool: Pool) -> None:
        assert pool.current
        assert not pool.current.in_memory
        assert pool.copying
        await asyncio.to_thread(pool.store.replace, {"urn:g": triples(1)})
        assert await numbers(pool) == {1}
        whole.set()
        await pool.renewing
        assert pool.current.in_memory
        assert not pool.copying
        assert await numbers(pool) == {1}
        while pool.on_disk:  # until those from disk have ended
            await asyncio.sleep(0.01)
        await asyncio.to_thread(pool.store.replace, {"urn:g": triples(2)})
        assert await numbers(pool) == {2}
        assert not list(pool.folder.iterdir())

    play(Settings(store=tmp_path, readers=2), story)


def test_a_copy_that_is_being_made_is_not_in_the_way(tmp_path: Path) -> None:
    async def story(pool: Pool) -> None:
        made = pool.folder / "7.tmp"
        made.mkdir()
        pool.tidy(pool.folder / "9")
        pool.tidy()
        assert made.exists()

    play(Settings(store=tmp_path, readers=2), story)


def test_who_reads_from_disk_stays_where_all_is_too_much_for_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "SOON", 0)

    async def story(pool: Pool) -> None:
        await pool.renewing
        while len(pool.generations) > 1:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(pool.store.replace, {"urn:g": triples(2)})
        assert await numbers(pool) == {2}

    play(Settings(store=tmp_path, readers=2, reader_quads=10), story)


def test_nobody_is_left_when_the_service_is_gone(tmp_path: Path) -> None:
    async def story() -> list[int]:
        async with running(Settings(store=tmp_path, readers=2)) as pool:
            assert pool.current
            await pool.ask(job(ENDLESS), "somebody")
            return [process_of(pool), *(one.process for one in pool.current.readers)]

    for process in asyncio.run(story()):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_no_copy_is_left_when_the_service_is_gone(tmp_path: Path) -> None:
    async def story() -> Path:
        async with running(Settings(store=tmp_path, readers=2, reader_quads=0)) as pool:
            assert list(pool.folder.iterdir())
            return pool.folder

    assert not asyncio.run(story()).exists()


def test_a_holder_that_is_being_started_ends_with_the_pool(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, is_closing, holders = asyncio.Event(), asyncio.Event(), list[HolderLink]()
    start = HolderLink.start

    async def slow(holder: HolderLink, most: int, memory: int) -> None:
        begun.set()
        await is_closing.wait()
        await start(holder, most, memory)
        holders.append(holder)

    async def story(pool: Pool) -> None:
        monkeypatch.setattr(HolderLink, "start", slow)
        copy = await asyncio.to_thread(pool.numbered_copy)
        attempt = asyncio.create_task(pool.attempt(*copy, settings.reader_quads))
        await begun.wait()
        closing = asyncio.create_task(pool.close())
        await asyncio.sleep(0)  # let it begin
        is_closing.set()
        await closing
        await asyncio.wait([attempt])
        assert [one.process.poll() is not None for one in holders] == [True]

    play(settings, story)


def test_a_copy_that_is_being_taken_ends_with_the_pool_and_is_no_mistake(
    settings: Settings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def story(pool: Pool) -> None:
        renewing = asyncio.create_task(pool.replace(*await asyncio.to_thread(pool.numbered_copy), 10**6))
        while len(pool.generations) < 2:
            await asyncio.sleep(0.001)
        await pool.close()
        await asyncio.wait([renewing])
        assert renewing.cancelled()

    play(settings, story)
    assert not caplog.messages
    assert not capfd.readouterr().err
