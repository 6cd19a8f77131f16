"""Limits of query workers: time, memory, size and rows; slow queries and slow clients do not block others."""

import asyncio
import os
import signal
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
    MEMORY_FAULT,
    ROWS_FAULT,
    SIZE_FAULT,
    SYNTAX_FAULT,
    TIME_FAULT,
    UNFIT_FAULT,
    VALUE_FAULT,
    QueryFault,
)
from wgig.sparql.workers.result import MAX_CHUNKS_AHEAD, QueryResult

from tests.fixtures.worker_pool import (
    ENDLESS_QUERY,
    STORED_TRIPLE_COUNT,
    make_job,
    query_pool,
    run_with_pool,
    select_numbers,
)

pytestmark = pytest.mark.slow

# 30 doublings of a string of 16 bytes: 16 GiB.
DOUBLINGS = " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(30))
MEMORY_QUERY = f'SELECT (STRLEN(?x30) AS ?n) {{ BIND("0123456789abcdef" AS ?x0) {DOUBLINGS} }}'
LARGE_RESULT_QUERY = "SELECT * { ?s ?p ?o . ?t ?q ?r . ?u ?v ?w }"


async def catch_fault(pool: WorkerPool, text: str, **options: Any) -> QueryFault:
    """The fault of a query that fails."""
    with pytest.raises(QueryFault) as caught:
        await query_pool(pool, text, **options)
    return caught.value


def test_query_is_killed_at_an_earlier_limit_of_the_client(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        assert (await catch_fault(pool, ENDLESS_QUERY, max_seconds=0.1)).kind == TIME_FAULT
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT

    run_with_pool(replace(settings, query_seconds=1000), check)  # the test fails after 30


def test_client_cannot_raise_the_time_limit(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        assert (await catch_fault(pool, ENDLESS_QUERY, max_seconds=1000)).kind == TIME_FAULT

    run_with_pool(settings, check)


def test_query_is_killed_at_the_time_limit(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        assert (await catch_fault(pool, ENDLESS_QUERY)).kind == TIME_FAULT
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT

    run_with_pool(settings, check)


def test_query_is_killed_at_the_memory_limit(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        assert (await catch_fault(pool, MEMORY_QUERY)).kind == MEMORY_FAULT
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT

    run_with_pool(replace(settings, query_seconds=30), check)


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGSTOP])
def test_worker_that_is_killed_or_stopped_is_replaced(settings: Settings, signal_: signal.Signals) -> None:
    async def check(pool: WorkerPool) -> None:
        result = await pool.start_query(make_job(ENDLESS_QUERY), client="client")
        (worker,) = pool.queue.loans
        os.kill(worker.process_id, signal_)
        with pytest.raises(QueryFault) as caught:
            await result.read_all()
        assert caught.value.kind == LOST_FAULT
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT

    run_with_pool(replace(settings, query_seconds=30), check)


def test_query_is_refused_above_the_size_limit(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        assert (await catch_fault(pool, LARGE_RESULT_QUERY, max_bytes=100_000)).kind == SIZE_FAULT

    run_with_pool(settings, check)


@pytest.mark.parametrize(
    "text", ["SELECT * { GRAPH ?g { ?s ?p ?o } }", "CONSTRUCT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }"]
)
def test_query_is_refused_above_the_row_limit(tmp_path: Path, text: str) -> None:
    async def check(pool: WorkerPool) -> None:
        media_type = CSV.media_type if text.startswith("SELECT") else N_TRIPLES.media_type
        fault = await catch_fault(pool, text, media_type=media_type, max_rows=STORED_TRIPLE_COUNT - 1)
        assert fault.kind == ROWS_FAULT
        result = await query_pool(pool, text, media_type=media_type, max_rows=STORED_TRIPLE_COUNT)
        assert len(result) >= STORED_TRIPLE_COUNT
        assert await query_pool(pool, "ASK { ?s ?p ?o }", media_type=JSON_RESULTS.media_type, max_rows=1)

    run_with_pool(Settings(store=tmp_path, readers=1), check)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT", SYNTAX_FAULT),
        ("ASK { FILTER(<urn:unknown>(1)) }", VALUE_FAULT),
        # Results that XML or RDF/XML cannot contain.
        ('SELECT ("\\u0001" AS ?x) {}', UNFIT_FAULT),
        ('CONSTRUCT { <urn:s> <urn:p> "\\u0001" } {}', UNFIT_FAULT),
        ("CONSTRUCT { <urn:s> <http://x.org/1> 1 } {}", UNFIT_FAULT),
        ("CONSTRUCT { <urn:s> <http://www.w3.org/2000/xmlns/a> 1 } {}", UNFIT_FAULT),
        ("CONSTRUCT { <urn:s> <http://www.w3.org/1999/02/22-rdf-syntax-ns#li> 1 } {}", UNFIT_FAULT),
    ],
)
def test_fault_has_the_kind_of_the_error(tmp_path: Path, text: str, kind: str) -> None:
    async def check(pool: WorkerPool) -> None:
        format_ = RDF_XML if text.startswith("CONSTRUCT") else XML_RESULTS
        assert (await catch_fault(pool, text, media_type=format_.media_type)).kind == kind
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT

    run_with_pool(Settings(store=tmp_path, readers=1), check)


def test_query_is_canceled_when_its_result_is_closed(tmp_path: Path) -> None:
    async def check(pool: WorkerPool) -> None:
        result = await pool.start_query(make_job(LARGE_RESULT_QUERY), "client")
        await result.next_chunk()
        result.close()
        with pytest.raises(QueryFault) as caught:
            await result.read_all()
        assert caught.value.kind == CANCELED_FAULT
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT

    run_with_pool(Settings(store=tmp_path, readers=1), check)


def test_worker_pauses_until_the_client_reads(tmp_path: Path) -> None:
    async def check(pool: WorkerPool) -> None:
        assert pool.current
        (worker,) = pool.current.workers
        result = await pool.start_query(make_job(LARGE_RESULT_QUERY), "client")
        while worker.transport.is_reading():
            await asyncio.sleep(0)
        assert len(result.chunks) >= MAX_CHUNKS_AHEAD
        while not worker.transport.is_reading():
            await result.next_chunk()

    run_with_pool(Settings(store=tmp_path, readers=1), check)


def test_slow_client_does_not_block_others(tmp_path: Path) -> None:
    async def check(pool: WorkerPool) -> None:
        for number in range(2):
            slow_result = await pool.start_query(make_job(LARGE_RESULT_QUERY), f"slow {number}")
            assert await slow_result.next_chunk()
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT

    run_with_pool(Settings(store=tmp_path, readers=2), check)


def test_slow_queries_do_not_block_others(tmp_path: Path) -> None:
    async def check(pool: WorkerPool) -> None:
        slow_results = [
            await pool.start_query(make_job(ENDLESS_QUERY), f"slow {number}") for number in range(2)
        ]
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT
        assert not any(result.has_ended for result in slow_results)

    run_with_pool(Settings(store=tmp_path, readers=2), check)


async def occupy_all_workers(pool: WorkerPool, clients: str, text: str = ENDLESS_QUERY) -> list[QueryResult]:
    """Start a query of each client until the maximum number of workers is busy, and return the results."""
    assert pool.current
    results = []
    for client in clients:
        results.append(await pool.start_query(make_job(text), client))
        # A pool forks up to twice as many workers as the setting says.
        while not pool.queue.idle and len(pool.current.workers) < 2 * pool.current.size:
            await asyncio.sleep(0)
    return results


def test_slow_query_is_canceled_if_it_blocks_the_last_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_queue, "LONG_LOAN_SECONDS", 0.1)

    async def check(pool: WorkerPool) -> None:
        slow_results = await occupy_all_workers(pool, "abcd")
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT
        (canceled,) = [result for result in slow_results if result.has_ended]
        with pytest.raises(QueryFault) as caught:
            await canceled.read_all()
        assert caught.value.kind == CROWDED_FAULT
        # The next query is evaluated by the worker that is free now.
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT
        assert sum(result.has_ended for result in slow_results) == 1

    run_with_pool(Settings(store=tmp_path, readers=2), check)


def test_query_that_has_not_run_long_is_not_canceled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_queue, "LONG_LOAN_SECONDS", 1000)

    async def check(pool: WorkerPool) -> None:
        slow_results = await occupy_all_workers(pool, "abcd")
        assert pool.current
        assert pool.current.find_victim() is None
        pool.on_crowded()
        assert not any(result.has_ended for result in slow_results)

    run_with_pool(Settings(store=tmp_path, readers=2), check)


@pytest.fixture
def long_loans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every query counts as long from its start."""
    monkeypatch.setattr(fair_queue, "LONG_LOAN_SECONDS", -1)


@pytest.mark.parametrize(
    ("clients", "recent_long_borrowers", "read_results", "victim_number"),
    [
        pytest.param("abb", "a", [1], 2, id="client with the most queries"),
        pytest.param("abc", "b", [1], 1, id="client with earlier long queries"),
        pytest.param("abc", "", [0], 1, id="result that was not read yet"),
        pytest.param("abc", "", [], 0, id="query that has run longest"),
    ],
)
@pytest.mark.usefixtures("long_loans")
def test_query_to_cancel_is_chosen_by_client_and_progress(
    tmp_path: Path, clients: str, recent_long_borrowers: str, read_results: list[int], victim_number: int
) -> None:
    async def check(pool: WorkerPool) -> None:
        results = [await pool.start_query(make_job(LARGE_RESULT_QUERY), client) for client in clients]
        # These clients have had long queries before.
        pool.queue.long_until.update(dict.fromkeys(recent_long_borrowers, 0))
        for number in read_results:
            await results[number].next_chunk()
        assert pool.current
        victim = pool.current.find_victim()  # the worker of the query to cancel
        assert victim
        assert [victim.result is result for result in results].index(True) == victim_number

    run_with_pool(Settings(store=tmp_path, readers=3), check)


def test_query_of_a_client_that_does_not_read_is_canceled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "RESULT_READ_TIMEOUT_SECONDS", 0)

    async def check(pool: WorkerPool) -> None:
        result = await pool.start_query(make_job(LARGE_RESULT_QUERY), "client")
        while not result.has_ended:
            await asyncio.sleep(0)
        with pytest.raises(QueryFault):
            await result.read_all()

    run_with_pool(Settings(store=tmp_path, readers=1), check)


def test_query_gets_lower_priority_after_a_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SLOW_QUERY_SECONDS", 0)

    async def check(pool: WorkerPool) -> None:
        assert pool.current
        (worker,) = pool.current.workers
        await wait_for_thread_id(worker)
        result = await pool.start_query(make_job(LARGE_RESULT_QUERY), "client")
        worker.set_flow(on=False)
        worker.set_flow(on=True)
        assert await gets_lower_priority(worker, result)
        result.close()

    run_with_pool(Settings(store=tmp_path, readers=1), check)


def has_lower_priority(worker: WorkerConnection) -> bool:
    """Whether the thread that evaluates queries has a lower priority (a greater number) than this process."""
    return os.getpriority(os.PRIO_PROCESS, worker.thread_id) > os.getpriority(os.PRIO_PROCESS, 0)


async def wait_for_thread_id(worker: WorkerConnection) -> int:
    """The ID of the thread that evaluates queries, as soon as the worker has sent it."""
    while worker.thread_id == worker.process_id:
        await asyncio.sleep(0)
    return worker.thread_id


async def gets_lower_priority(worker: WorkerConnection, result: QueryResult) -> bool:
    """Whether a query gets a lower priority before it ends."""
    while not (has_lower_priority(worker) or result.has_ended):
        await asyncio.sleep(0)
    return has_lower_priority(worker)


def test_long_query_gets_lower_priority_and_the_next_query_does_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SLOW_QUERY_SECONDS", 0.01)
    long_query = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?c < 8) }"

    async def check(pool: WorkerPool) -> None:
        await pool.wait_until_copied()
        assert pool.current
        (worker,) = pool.current.workers
        first_thread_id = await wait_for_thread_id(worker)
        result = await pool.start_query(make_job(long_query), "client")
        assert await gets_lower_priority(worker, result)
        await result.read_all()
        while worker.thread_id == first_thread_id:  # the next query is evaluated on a new thread
            await asyncio.sleep(0)
        assert not has_lower_priority(worker)
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT

    run_with_pool(replace(settings, readers=1, query_seconds=30), check)


def test_finished_result_of_a_slow_client_does_not_block_the_next_query(tmp_path: Path) -> None:
    async def check(pool: WorkerPool) -> None:
        for limit in range(2_000, 8_000, 200):  # so that some results just fill the buffer
            text = f"SELECT * {{ ?s ?p ?o . ?t ?q ?r }} LIMIT {limit}"
            unread = await pool.start_query(make_job(text), "slow")
            while not unread.has_ended and len(unread.chunks) < MAX_CHUNKS_AHEAD:
                await asyncio.sleep(0)
            if unread.has_ended:
                assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT
            unread.close()

    run_with_pool(Settings(store=tmp_path, readers=1), check)
