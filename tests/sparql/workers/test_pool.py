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
from wgig.sparql.language.parser import ParsedSparqlText
from wgig.sparql.workers import connections, fair_queue, pool
from wgig.sparql.workers.connections import ForkerConnection, WorkerConnection
from wgig.sparql.workers.generation import WorkerGeneration
from wgig.sparql.workers.pool import WorkerPool
from wgig.sparql.workers.protocol import (
    CANCELED_FAULT,
    CROWDED_FAULT,
    LOST_FAULT,
    ROWS_FAULT,
    SIZE_FAULT,
    SYNTAX_FAULT,
    TIME_FAULT,
    UNFIT_FAULT,
    VALUE_FAULT,
    QueryFault,
    QueryJob,
)
from wgig.sparql.workers.result import MAX_PIECES_AHEAD, QueryResult
from wgig.store.store import Store
from wgig.store.view import QueryDataset

pytestmark = pytest.mark.slow

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
DOUBLED = " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(30))
HUGE = f'SELECT (STRLEN(?x30) AS ?n) {{ BIND("0123456789abcdef" AS ?x0) {DOUBLED} }}'
MANY = "SELECT * { ?s ?p ?o . ?t ?q ?r . ?u ?v ?w }"
Story = Callable[[WorkerPool], Coroutine[Any, Any, None]]


def number(value: int) -> ox.Literal:
    return ox.Literal(value)


def triples(*numbers: int) -> list[ox.Triple]:
    return [ox.Triple(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), number(one)) for one in numbers]


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[WorkerPool]:
    store = Store.open(settings.store)
    if not store:
        store.replace({"urn:g": triples(*range(200))})
    pool = WorkerPool(store, settings)
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


def job(text: str, **given: Any) -> QueryJob:
    return QueryJob(
        ParsedSparqlText(text), CSV.media_type, QueryDataset(), "urn:base", 1000 * MIB, 0
    )._replace(**given)


async def ask(pool: WorkerPool, text: str, **given: Any) -> list[str]:
    result = await pool.ask(job(text, **given), "somebody")
    return (await result.read_all()).decode().split()


async def numbers(pool: WorkerPool, graph: str = "urn:g") -> set[int]:
    return set(map(int, (await ask(pool, f"SELECT ?n {{ GRAPH <{graph}> {{ ?s ?p ?n }} }}"))[1:]))


async def fault_of(pool: WorkerPool, text: str, **given: Any) -> QueryFault:
    with pytest.raises(QueryFault) as caught:
        await ask(pool, text, **given)
    return caught.value


def test_every_reader_sees_every_write_that_is_acknowledged(settings: Settings) -> None:
    async def story(pool: WorkerPool) -> None:
        await asyncio.to_thread(pool.store.replace, {"urn:g": triples(1)})
        assert [await numbers(pool) for _ in range(3)] == [{1}] * 3
        both = [await pool.ask(job("SELECT ?n { GRAPH ?g { ?s ?p ?n } }"), client) for client in "ab"]
        assert [(await one.read_all()).split() for one in both] == [[b"n", b"1"]] * 2
        await asyncio.to_thread(pool.store.update, "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 2 } }")
        assert await numbers(pool) == {1, 2}
        await asyncio.to_thread(pool.store.apply, pool.store.compute_replacement("urn:g", None))
        assert await numbers(pool) == set()

    play(settings, story)


def test_readers_that_are_made_later_have_seen_every_write(settings: Settings) -> None:
    async def story(pool: WorkerPool) -> None:
        for one in range(5):
            await asyncio.to_thread(pool.store.replace, {"urn:g": triples(one)})
            (await pool.ask(job(ENDLESS), "somebody")).close()
            assert await numbers(pool) == {one}

    play(settings, story)


def test_a_write_whose_change_is_not_known_is_seen(settings: Settings) -> None:
    async def story(pool: WorkerPool) -> None:
        with (settings.store / "new.nt").open("w+b") as file:
            file.write(b'<urn:s> <urn:p> "7" .')
            file.seek(0)
            await asyncio.to_thread(pool.store.bulk_load, file, ox.RdfFormat.N_TRIPLES, "urn:new")
        assert await numbers(pool, "urn:new") == {7}

    play(settings, story)


def test_blank_nodes_are_the_same_for_all(settings: Settings) -> None:
    node = ox.Triple(ox.BlankNode("b"), ox.NamedNode("urn:p"), number(1))

    async def story(pool: WorkerPool) -> None:
        await asyncio.to_thread(pool.store.replace, {"urn:g": [node]})
        await asyncio.to_thread(pool.store.replace, {"urn:g": []})
        assert await numbers(pool) == set()

    play(settings, story)


def test_what_takes_too_long_is_given_up(settings: Settings) -> None:
    async def story(pool: WorkerPool) -> None:
        assert (await fault_of(pool, ENDLESS)).kind == TIME_FAULT
        assert len(await numbers(pool)) == 200

    play(settings, story)


def test_what_takes_too_much_memory_is_given_up(settings: Settings) -> None:
    async def story(pool: WorkerPool) -> None:
        assert (await fault_of(pool, HUGE)).kind == LOST_FAULT
        assert len(await numbers(pool)) == 200

    play(replace(settings, query_seconds=30), story)


def test_what_is_too_large_is_given_up(settings: Settings) -> None:
    async def story(pool: WorkerPool) -> None:
        assert (await fault_of(pool, MANY, max_bytes=100_000)).kind == SIZE_FAULT

    play(settings, story)


@pytest.mark.parametrize(
    "text", ["SELECT * { GRAPH ?g { ?s ?p ?o } }", "CONSTRUCT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }"]
)
def test_what_has_too_many_rows_is_given_up_and_what_has_as_many_is_not(tmp_path: Path, text: str) -> None:
    async def story(pool: WorkerPool) -> None:
        assert (await fault_of(pool, text, media_type=N_TRIPLES.media_type, max_rows=199)).kind == ROWS_FAULT
        media_type = CSV.media_type if text.startswith("SELECT") else N_TRIPLES.media_type
        assert len(await ask(pool, text, media_type=media_type, max_rows=200)) >= 200
        assert await ask(pool, "ASK { ?s ?p ?o }", media_type=JSON_RESULTS.media_type, max_rows=1)

    play(Settings(store=tmp_path, readers=1), story)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT", SYNTAX_FAULT),
        ("ASK { FILTER(<urn:unknown>(1)) }", VALUE_FAULT),
        ('SELECT ("\\u0001" AS ?x) {}', UNFIT_FAULT),
        ('CONSTRUCT { <urn:s> <urn:p> "\\u0001" } {}', UNFIT_FAULT),
        ("CONSTRUCT { <urn:s> <http://x.org/1> 1 } {}", UNFIT_FAULT),
        ("CONSTRUCT { <urn:s> <http://www.w3.org/2000/xmlns/a> 1 } {}", UNFIT_FAULT),
        ("CONSTRUCT { <urn:s> <http://www.w3.org/1999/02/22-rdf-syntax-ns#li> 1 } {}", UNFIT_FAULT),
    ],
)
def test_why_there_is_no_answer_is_told(tmp_path: Path, text: str, kind: str) -> None:
    async def story(pool: WorkerPool) -> None:
        format_ = RDF_XML if text.startswith("CONSTRUCT") else XML_RESULTS
        assert (await fault_of(pool, text, media_type=format_.media_type)).kind == kind
        assert len(await numbers(pool)) == 200

    play(Settings(store=tmp_path, readers=1), story)


def test_a_query_ends_with_whoever_asked_it(tmp_path: Path) -> None:
    async def story(pool: WorkerPool) -> None:
        result = await pool.ask(job(MANY), "somebody")
        await result.next_piece()
        result.close()
        with pytest.raises(QueryFault) as caught:
            await result.read_all()
        assert caught.value.kind == CANCELED_FAULT
        assert len(await numbers(pool)) == 200

    play(Settings(store=tmp_path, readers=1), story)


def test_a_large_answer_waits_for_who_takes_it(tmp_path: Path) -> None:
    async def story(pool: WorkerPool) -> None:
        assert pool.current
        (reader,) = pool.current.workers
        result = await pool.ask(job(MANY), "somebody")
        while reader.transport.is_reading():
            await asyncio.sleep(0)
        assert len(result.pieces) >= MAX_PIECES_AHEAD
        while not reader.transport.is_reading():
            await result.next_piece()

    play(Settings(store=tmp_path, readers=1), story)


def test_others_need_not_wait_for_a_slow_client(tmp_path: Path) -> None:
    async def story(pool: WorkerPool) -> None:
        for number in range(2):
            slow = await pool.ask(job(MANY), f"slow {number}")
            assert await slow.next_piece()
        assert len(await numbers(pool)) == 200

    play(Settings(store=tmp_path, readers=2), story)


def test_others_need_not_wait_for_slow_queries(tmp_path: Path) -> None:
    async def story(pool: WorkerPool) -> None:
        slow = [await pool.ask(job(ENDLESS), f"slow {number}") for number in range(2)]
        assert len(await numbers(pool)) == 200
        assert not any(one.has_ended for one in slow)

    play(Settings(store=tmp_path, readers=2), story)


async def all_at_work(pool: WorkerPool, clients: str, text: str = ENDLESS) -> list[QueryResult]:
    """What clients get who ask one after the other, until all the readers there can be are at work."""
    assert pool.current
    asked = []
    for client in clients:
        asked.append(await pool.ask(job(text), client))
        while not pool.queue.idle and len(pool.current.workers) < 2 * pool.current.size:
            await asyncio.sleep(0)
    return asked


def test_a_slow_query_never_keeps_the_last_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_queue, "LONG_LOAN_SECONDS", 0.1)

    async def story(pool: WorkerPool) -> None:
        slow = await all_at_work(pool, "abcd")
        assert len(await numbers(pool)) == 200
        (ended,) = [one for one in slow if one.has_ended]
        with pytest.raises(QueryFault) as caught:
            await ended.read_all()
        assert caught.value.kind == CROWDED_FAULT
        assert len(await numbers(pool)) == 200  # by the reader that is free now
        assert sum(one.has_ended for one in slow) == 1

    play(Settings(store=tmp_path, readers=2), story)


def test_nobody_has_to_go_whose_query_did_not_run_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_queue, "LONG_LOAN_SECONDS", 1000)

    async def story(pool: WorkerPool) -> None:
        slow = await all_at_work(pool, "abcd")
        assert pool.current
        assert pool.current.find_victim() is None
        pool.on_crowded()
        assert not any(one.has_ended for one in slow)

    play(Settings(store=tmp_path, readers=2), story)


@pytest.fixture
def all_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every query has run for long from its begin."""
    monkeypatch.setattr(fair_queue, "LONG_LOAN_SECONDS", -1)


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
    async def story(pool: WorkerPool) -> None:
        asked = [await pool.ask(job(MANY), client) for client in clients]
        pool.queue.long_until.update(dict.fromkeys(lately, 0))
        for one in begun:
            await asked[one].next_piece()
        assert pool.current
        victim = pool.current.find_victim()
        assert victim
        assert [victim.result is one for one in asked].index(True) == goes

    play(Settings(store=tmp_path, readers=3), story)


def test_a_client_that_takes_nothing_loses_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "RESULT_READ_TIMEOUT_SECONDS", 0)

    async def story(pool: WorkerPool) -> None:
        result = await pool.ask(job(MANY), "somebody")
        while not result.has_ended:
            await asyncio.sleep(0)
        with pytest.raises(QueryFault):
            await result.read_all()

    play(Settings(store=tmp_path, readers=1), story)


def test_a_pause_changes_nothing_of_what_becomes_of_a_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SLOW_QUERY_SECONDS", 0)

    async def story(pool: WorkerPool) -> None:
        assert pool.current
        (reader,) = pool.current.workers
        await told_its_thread(reader)
        result = await pool.ask(job(MANY), "somebody")
        reader.pace(on=False)
        reader.pace(on=True)
        assert await comes_to_yield(reader, result)
        result.close()

    play(Settings(store=tmp_path, readers=1), story)


def yields(reader: WorkerConnection) -> bool:
    """Whether the thread that answers lets others go first."""
    return os.getpriority(os.PRIO_PROCESS, reader.thread_id) > os.getpriority(os.PRIO_PROCESS, 0)


async def told_its_thread(reader: WorkerConnection) -> int:
    """The thread that answers, once the reader has said which that is."""
    while reader.thread_id == reader.process:
        await asyncio.sleep(0)
    return reader.thread_id


async def comes_to_yield(reader: WorkerConnection, result: QueryResult) -> bool:
    """Whether a query lets others go first before it ends."""
    while not (yields(reader) or result.has_ended):
        await asyncio.sleep(0)
    return yields(reader)


def test_a_query_that_takes_long_lets_others_go_first_and_the_next_one_need_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SLOW_QUERY_SECONDS", 0.01)
    some = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?c < 8) }"

    async def story(pool: WorkerPool) -> None:
        assert pool.current
        (reader,) = pool.current.workers
        first = await told_its_thread(reader)
        result = await pool.ask(job(some), "somebody")
        assert await comes_to_yield(reader, result)
        await result.read_all()
        while reader.thread_id == first:
            await asyncio.sleep(0)
        assert not yields(reader)
        assert len(await numbers(pool)) == 200

    play(replace(settings, readers=1, query_seconds=30), story)


def test_an_answer_that_ends_while_its_client_is_slow_does_not_hold_up_the_next(tmp_path: Path) -> None:
    async def story(pool: WorkerPool) -> None:
        for size in range(100, 400, 10):
            text = f"SELECT * {{ ?s ?p ?o . ?t ?q ?r }} LIMIT {size * 20}"
            left = await pool.ask(job(text), "slow")
            while not left.has_ended and len(left.pieces) < MAX_PIECES_AHEAD:
                await asyncio.sleep(0)
            if left.has_ended:
                assert len(await numbers(pool)) == 200
            left.close()

    play(Settings(store=tmp_path, readers=1), story)


def process_of(pool: WorkerPool) -> int:
    assert pool.current
    return pool.current.forker.process.pid


def test_a_holder_that_is_killed_is_replaced_with_its_readers(settings: Settings) -> None:
    async def story(pool: WorkerPool) -> None:
        killed = process_of(pool)
        os.kill(killed, signal.SIGKILL)
        while not pool.current or process_of(pool) == killed:
            await asyncio.sleep(0)
        assert len(await numbers(pool)) == 200

    play(settings, story)


def test_a_reader_that_is_killed_by_others_is_replaced(settings: Settings) -> None:
    async def story(pool: WorkerPool) -> None:
        assert pool.current
        killed = set(pool.current.workers)
        for reader in killed:
            os.kill(reader.process, signal.SIGKILL)
        while killed & pool.current.workers:
            await asyncio.sleep(0)
        assert len(await numbers(pool)) == 200

    play(settings, story)


def test_a_copy_with_much_waste_is_replaced_while_it_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MAX_WASTED_QUADS", 100)

    async def story(pool: WorkerPool) -> None:
        first = process_of(pool)
        one = 0
        while process_of(pool) == first:
            await asyncio.to_thread(pool.store.replace, {"urn:g": triples(one, one + 1)})
            assert await numbers(pool) == {one, one + 1}
            one += 1

    play(Settings(store=tmp_path, readers=2), story)


def test_until_all_is_in_memory_it_is_read_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, load = asyncio.Event(), WorkerPool.start_forker

    async def slow(pool: WorkerPool, new: WorkerGeneration) -> None:
        await load(pool, new)
        if new.max_memory_quads:
            await whole.wait()

    monkeypatch.setattr(pool, "FIRST_WORKERS_SECONDS", 0)
    monkeypatch.setattr(WorkerPool, "start_forker", slow)

    async def story(pool: WorkerPool) -> None:
        assert pool.current
        assert not pool.current.in_memory
        assert pool.is_copying
        await asyncio.to_thread(pool.store.replace, {"urn:g": triples(1)})
        assert await numbers(pool) == {1}
        whole.set()
        await pool.renew_task
        assert pool.current.in_memory
        assert not pool.is_copying
        assert await numbers(pool) == {1}
        while pool.reads_from_disk:  # until those from disk have ended
            await asyncio.sleep(0.01)
        await asyncio.to_thread(pool.store.replace, {"urn:g": triples(2)})
        assert await numbers(pool) == {2}
        assert not list(pool.folder.iterdir())

    play(Settings(store=tmp_path, readers=2), story)


def test_a_copy_that_is_being_made_is_not_in_the_way(tmp_path: Path) -> None:
    async def story(pool: WorkerPool) -> None:
        made = pool.folder / "7.tmp"
        made.mkdir()
        pool.remove_old_copies(pool.folder / "9")
        pool.remove_old_copies()
        assert made.exists()

    play(Settings(store=tmp_path, readers=2), story)


def test_who_reads_from_disk_stays_where_all_is_too_much_for_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "FIRST_WORKERS_SECONDS", 0)

    async def story(pool: WorkerPool) -> None:
        await pool.renew_task
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
            return [process_of(pool), *(one.process for one in pool.current.workers)]

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
    begun, is_closing, holders = asyncio.Event(), asyncio.Event(), list[ForkerConnection]()
    start = ForkerConnection.start

    async def slow(holder: ForkerConnection, most: int, memory: int) -> None:
        begun.set()
        await is_closing.wait()
        await start(holder, most, memory)
        holders.append(holder)

    async def story(pool: WorkerPool) -> None:
        monkeypatch.setattr(ForkerConnection, "start", slow)
        copy = await asyncio.to_thread(pool.make_numbered_copy)
        attempt = asyncio.create_task(pool.attempt_replacement(*copy, settings.reader_quads))
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
    async def story(pool: WorkerPool) -> None:
        renewing = asyncio.create_task(pool.replace(*await asyncio.to_thread(pool.make_numbered_copy), 10**6))
        while len(pool.generations) < 2:
            await asyncio.sleep(0.001)
        await pool.close()
        await asyncio.wait([renewing])
        assert renewing.cancelled()

    play(settings, story)
    assert not caplog.messages
    assert not capfd.readouterr().err
