"""Readers give up a query at its limits, and queries and clients that are slow let others go first."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from wgig.rdf.formats import CSV, JSON_RESULTS, N_TRIPLES, RDF_XML, XML_RESULTS
from wgig.settings import Settings
from wgig.sparql.workers import connections, fair_queue
from wgig.sparql.workers.connections import WorkerConnection
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
)
from wgig.sparql.workers.result import MAX_PIECES_AHEAD, QueryResult

from tests.fixtures.worker_pool import ENDLESS, ask, job, numbers, play

pytestmark = pytest.mark.slow

DOUBLED = " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(30))
HUGE = f'SELECT (STRLEN(?x30) AS ?n) {{ BIND("0123456789abcdef" AS ?x0) {DOUBLED} }}'
MANY = "SELECT * { ?s ?p ?o . ?t ?q ?r . ?u ?v ?w }"


async def fault_of(pool: WorkerPool, text: str, **given: Any) -> QueryFault:
    with pytest.raises(QueryFault) as caught:
        await ask(pool, text, **given)
    return caught.value


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
    while reader.thread_id == reader.process_id:
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
