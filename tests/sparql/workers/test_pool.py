"""Pool of query workers: workers see every write, and killed or outdated processes are replaced.

A forker has a copy of the quads in memory and forks workers; both together are a generation.
"""

import asyncio
import os
import signal
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.settings import Settings
from wgig.sparql.workers import connections, generation
from wgig.sparql.workers import pool as pool_module
from wgig.sparql.workers.connections import ForkerConnection, ForkerStarter, WorkerConnection
from wgig.sparql.workers.fair_queue import FairQueue
from wgig.sparql.workers.generation import WorkerGeneration
from wgig.sparql.workers.pool import WorkerPool
from wgig.sparql.workers.protocol import CANCELED_FAULT, WAIT_FAULT, ForkerLimits, QueryFault
from wgig.store.errors import StoreError
from wgig.store.folder import QUADS_FOLDER
from wgig.store.store import Store
from wgig.store.view import StoreSnapshot

from tests.fixtures.tables import MIN_TABLE_BYTES, build_store_with_tables, overwrite_bytes
from tests.fixtures.worker_pool import (
    ENDLESS_QUERY,
    STORED_TRIPLE_COUNT,
    make_job,
    make_triples,
    open_pool,
    run_with_pool,
    select_numbers,
)

pytestmark = [
    pytest.mark.slow,
    # Sockets of killed processes may be closed by garbage collection.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]


def test_every_worker_sees_every_acknowledged_write(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        await asyncio.to_thread(pool.store.replace, {"urn:g": make_triples(1)})
        assert [await select_numbers(pool) for _ in range(3)] == [{1}] * 3
        query = "SELECT ?n { GRAPH ?g { ?s ?p ?n } }"
        results = [await pool.start_query(make_job(query), client) for client in "ab"]
        assert [(await result.read_all()).split() for result in results] == [[b"n", b"1"]] * 2
        await asyncio.to_thread(pool.store.update, "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 2 } }")
        assert await select_numbers(pool) == {1, 2}
        await asyncio.to_thread(pool.store.apply, pool.store.compute_replacement("urn:g", None))
        assert await select_numbers(pool) == set()

    run_with_pool(settings, check)


@pytest.mark.parametrize("settings", ["in memory"], indirect=True)
def test_changes_are_sent_before_the_next_query_or_when_many_wait(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "CHANGE_PAUSE_SECONDS", 3600)

    async def check(pool: WorkerPool) -> None:
        await pool.wait_until_copied()
        assert pool.current
        while len(pool.current.workers) < pool.current.size:
            await asyncio.sleep(0)
        copies = [pool.current.forker, *pool.current.workers]

        async def write(number: int) -> list[bool]:
            """Write a number, and return for each copy whether the change waits."""
            await asyncio.to_thread(pool.store.replace, {"urn:g": make_triples(number)})
            while pool.version != pool.last_write_number:
                await asyncio.sleep(0)
            return [bool(copy.waiting_changes) for copy in copies]

        assert all(await write(1))
        assert await select_numbers(pool) == {1}
        assert [bool(copy.waiting_changes) for copy in copies].count(False) == 1  # the worker of the query
        pool.current.send_waiting()
        waiting = [bool(copy.waiting_changes) for copy in copies]
        assert (waiting[0], waiting.count(False)) == (
            False,
            2,
        )  # the forker, and the worker of the next query
        pool.current.send_all_waiting()
        assert not any(copy.waiting_changes for copy in copies)
        monkeypatch.setattr(connections, "MAX_WAITING_CHANGE_BYTES", 0)
        assert not any(await write(2))

    run_with_pool(settings, check)


@pytest.mark.parametrize("settings", ["in memory"], indirect=True)
@pytest.mark.parametrize("limit", ["max_change_bytes", "max_unused_bytes"])
def test_workers_with_many_changes_are_replaced_and_see_every_write(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(generation, "RENEWAL_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(WorkerConnection, limit, 100)

    async def check(pool: WorkerPool) -> None:
        assert pool.current
        old_ids = {worker.process_id for worker in pool.current.workers}
        number = 0
        while old_ids & {worker.process_id for worker in pool.current.workers}:
            number += 1
            await asyncio.to_thread(pool.store.replace, {"urn:g": make_triples(number)})
            assert await select_numbers(pool) == {number}
        assert [await select_numbers(pool) for _ in range(4)] == [{number}] * 4

    run_with_pool(settings, check)


def test_query_that_is_started_soon_waits_for_a_worker(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        results = [pool.start_query_soon(make_job("SELECT (1 AS ?n) {}"), "client") for _ in range(20)]
        assert pool.queue_state.busy < 20
        assert {await result.read_all() for result in results} == {b"n\r\n1\r\n"}
        endless = [pool.start_query_soon(make_job(ENDLESS_QUERY), "client") for _ in range(settings.readers)]
        await asyncio.sleep(0)
        assert pool.queue_state.waiting == 1
        endless[-1].close()
        with pytest.raises(QueryFault) as canceled:
            await endless[-1].read_all()
        assert canceled.value.kind == CANCELED_FAULT
        await asyncio.sleep(0)
        assert pool.queue_state.waiting == 0
        pool.queue.wait_seconds = 0
        with pytest.raises(QueryFault) as late:
            await pool.start_query_soon(make_job("ASK {}"), "client").read_all()
        assert late.value.kind == WAIT_FAULT
        for result in endless:
            result.close()

    run_with_pool(settings, check)


def test_store_can_be_written_after_the_end_of_the_event_loop(settings: Settings) -> None:
    stores = []

    async def check(pool: WorkerPool) -> None:
        stores.append(pool.store)

    run_with_pool(settings, check)
    stores[0].replace({"urn:g": make_triples(1)})
    assert list(stores[0].triples("urn:g")) == make_triples(1)


def test_workers_forked_later_see_every_write(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        for number in range(5):
            await asyncio.to_thread(pool.store.replace, {"urn:g": make_triples(number)})
            # Closing the result ends the worker, so another one is forked.
            (await pool.start_query(make_job(ENDLESS_QUERY), "client")).close()
            assert await select_numbers(pool) == {number}

    run_with_pool(settings, check)


def test_workers_see_a_bulk_load_whose_change_is_unknown(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        with (settings.store / "new.nt").open("w+b") as file:
            file.write(b'<urn:s> <urn:p> "7" .')
            file.seek(0)
            await asyncio.to_thread(pool.store.bulk_load, file, ox.RdfFormat.N_TRIPLES, "urn:new")
        await asyncio.to_thread(pool.store.finish_load)
        assert await select_numbers(pool, "urn:new") == {7}

    run_with_pool(settings, check)


def test_triple_with_a_blank_node_is_removed_from_all_workers(settings: Settings) -> None:
    triple = ox.Triple(ox.BlankNode("b"), ox.NamedNode("urn:p"), ox.Literal(1))

    async def check(pool: WorkerPool) -> None:
        await asyncio.to_thread(pool.store.replace, {"urn:g": [triple]})
        await asyncio.to_thread(pool.store.replace, {"urn:g": []})
        assert await select_numbers(pool) == set()

    run_with_pool(settings, check)


def forker_process_id(pool: WorkerPool) -> int:
    assert pool.current
    return pool.current.forker.process.pid


def test_killed_forker_is_replaced_together_with_its_workers(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        process_id = forker_process_id(pool)
        os.kill(process_id, signal.SIGKILL)
        while not pool.current or forker_process_id(pool) == process_id:
            await asyncio.sleep(0)
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT

    run_with_pool(settings, check)


async def kill_forker(pool: WorkerPool) -> WorkerGeneration:
    """Kill the current forker, and wait until the pool has noticed that. Returns its generation."""
    lost = pool.current
    assert lost
    lost.forker.process.kill()
    while pool.current is lost:
        await asyncio.sleep(0)
    return lost


def test_no_query_is_sent_to_a_worker_whose_forker_was_killed(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        assert pool.current
        workers = pool.current.workers
        # Wait until the workers have started, and so have closed the connection of the forker.
        while len(workers) < 2 or any(worker.thread_id == worker.process_id for worker in workers):
            await asyncio.sleep(0)
        for worker in workers:
            os.kill(worker.process_id, signal.SIGSTOP)  # so that it exits after the forker
        lost = await kill_forker(pool)
        assert not lost.workers.intersection(pool.queue.idle)
        await asyncio.to_thread(pool.store.replace, {"urn:g": make_triples(1)})
        assert await select_numbers(pool) == {1}

    run_with_pool(settings, check)


def test_no_worker_is_forked_after_the_forker_was_killed(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        lost = await kill_forker(pool)
        pool.queue.idle.clear()  # as if all workers were busy
        forking_count = lost.forking_count
        lost.on_occupied()
        assert lost.forking_count == forking_count

    run_with_pool(settings, check)


def test_query_gets_another_worker_if_its_worker_is_closed_before_it_starts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, borrow = list[WorkerConnection](), FairQueue.borrow

    async def borrow_and_close(queue: FairQueue[WorkerConnection], client: str) -> WorkerConnection:
        worker = await borrow(queue, client)
        if not closed:
            worker.close()
            closed.append(worker)
        return worker

    async def check(pool: WorkerPool) -> None:
        monkeypatch.setattr(FairQueue, "borrow", borrow_and_close)
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT
        assert closed[0] not in pool.queue.loans

    run_with_pool(settings, check)


def test_copy_of_the_store_that_fails_is_repeated(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures, take_snapshot = [StoreError("no room")], Store.snapshot

    def snapshot_or_fail(store: Store, name: str) -> StoreSnapshot:
        if failures:
            raise failures.pop()
        return take_snapshot(store, name)

    async def check(pool: WorkerPool) -> None:
        await pool.wait_until_copied()
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT
        assert not pool.loading_folders

    monkeypatch.setattr(pool_module, "WORKERS_RETRY_SECONDS", 0)
    monkeypatch.setattr(Store, "snapshot", snapshot_or_fail)
    run_with_pool(settings, check)
    assert caplog.messages == ["Query workers could not be started; retrying: no room"]


def test_forker_exits_if_its_workers_cannot_be_forked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        monkeypatch.undo()
        raise StoreError("no room")

    async def check(pool: WorkerPool) -> None:
        copy = await asyncio.to_thread(pool.make_numbered_copy)
        monkeypatch.setattr(WorkerPool, "populate", fail)
        assert not await pool.attempt_replacement(*copy, max_quads=10**6)
        while len(pool.generations) > 1:
            await asyncio.sleep(0)

    run_with_pool(Settings(store=tmp_path, readers=2), check)


def test_killed_worker_is_replaced(settings: Settings) -> None:
    async def check(pool: WorkerPool) -> None:
        assert pool.current
        killed = set(pool.current.workers)
        for worker in killed:
            os.kill(worker.process_id, signal.SIGKILL)
        while killed & pool.current.workers:
            await asyncio.sleep(0)
        assert len(await select_numbers(pool)) == STORED_TRIPLE_COUNT

    run_with_pool(settings, check)


def test_copy_with_many_removed_quads_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MAX_WASTED_QUADS", 100)

    async def check(pool: WorkerPool) -> None:
        first_forker = forker_process_id(pool)
        number = 0
        while forker_process_id(pool) == first_forker:
            await asyncio.to_thread(pool.store.replace, {"urn:g": make_triples(number, number + 1)})
            assert await select_numbers(pool) == {number, number + 1}
            number += 1

    run_with_pool(Settings(store=tmp_path, readers=2), check)


def test_workers_read_from_disk_until_the_quads_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_finish, start_forker = asyncio.Event(), WorkerPool.start_forker

    async def start_slowly(pool: WorkerPool, generation: WorkerGeneration) -> None:
        await start_forker(pool, generation)
        if generation.max_memory_quads:
            await may_finish.wait()

    monkeypatch.setattr(pool_module, "FIRST_COPY_SECONDS", 0)
    monkeypatch.setattr(WorkerPool, "start_forker", start_slowly)

    async def check(pool: WorkerPool) -> None:
        assert pool.current
        assert not pool.current.in_memory
        assert pool.is_copying
        await asyncio.to_thread(pool.store.replace, {"urn:g": make_triples(1)})
        assert await select_numbers(pool) == {1}
        may_finish.set()
        await pool.wait_until_copied()
        assert pool.current.in_memory
        assert not pool.is_copying
        assert await select_numbers(pool) == {1}
        while pool.reads_from_disk:  # until the workers that read from disk have exited
            await asyncio.sleep(0.01)
        await asyncio.to_thread(pool.store.replace, {"urn:g": make_triples(2)})
        assert await select_numbers(pool) == {2}
        assert not list(pool.folder.iterdir())  # no copy is left on disk

    run_with_pool(Settings(store=tmp_path, readers=2), check)


def test_unfinished_copy_is_not_removed(tmp_path: Path) -> None:
    async def check(pool: WorkerPool) -> None:
        unfinished_copy = pool.folder / "7.tmp"  # finished copies have a number as name
        unfinished_copy.mkdir()
        pool.remove_old_copies(pool.folder / "9")
        pool.remove_old_copies()
        assert unfinished_copy.exists()

    run_with_pool(Settings(store=tmp_path, readers=2), check)


def test_workers_keep_reading_from_disk_above_the_memory_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "FIRST_COPY_SECONDS", 0)

    async def check(pool: WorkerPool) -> None:
        await pool.wait_until_copied()
        while len(pool.generations) > 1:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(pool.store.replace, {"urn:g": make_triples(2)})
        assert await select_numbers(pool) == {2}

    run_with_pool(Settings(store=tmp_path, readers=2, reader_quads=10), check)


def test_no_process_is_left_after_the_pool_is_closed(tmp_path: Path) -> None:
    async def list_processes() -> list[int]:
        async with open_pool(Settings(store=tmp_path, readers=2)) as pool:
            assert pool.current
            await pool.start_query(make_job(ENDLESS_QUERY), "client")
            return [forker_process_id(pool), *(worker.process_id for worker in pool.current.workers)]

    for process_id in asyncio.run(list_processes()):
        with pytest.raises(ProcessLookupError):
            os.kill(process_id, 0)


def test_no_copy_is_left_after_the_pool_is_closed(tmp_path: Path) -> None:
    async def find_folder() -> Path:
        async with open_pool(Settings(store=tmp_path, readers=2, reader_quads=0)) as pool:
            assert list(pool.folder.iterdir())
            return pool.folder

    assert not asyncio.run(find_folder()).exists()


def test_forker_that_is_being_started_exits_with_the_pool(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_starting, is_closing, forkers = asyncio.Event(), asyncio.Event(), list[ForkerConnection]()
    start = ForkerConnection.start

    async def start_slowly(
        forker: ForkerConnection, limits: ForkerLimits, start_process: ForkerStarter
    ) -> None:
        is_starting.set()
        await is_closing.wait()
        await start(forker, limits, start_process)
        forkers.append(forker)

    async def check(pool: WorkerPool) -> None:
        monkeypatch.setattr(ForkerConnection, "start", start_slowly)
        copy = await asyncio.to_thread(pool.make_numbered_copy)
        attempt = asyncio.create_task(pool.attempt_replacement(*copy, settings.reader_quads))
        await is_starting.wait()
        closing = asyncio.create_task(pool.close())
        await asyncio.sleep(0)  # so that the task starts
        is_closing.set()
        await closing
        await asyncio.wait([attempt])
        assert len(forkers) == 1
        forkers[0].process.wait(0)  # raises TimeoutExpired if it is running

    run_with_pool(settings, check)


def test_closing_the_pool_during_a_copy_logs_no_error(
    settings: Settings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def check(pool: WorkerPool) -> None:
        copy = await asyncio.to_thread(pool.make_numbered_copy)
        renewing = asyncio.create_task(pool.replace(*copy, 10**6))  # up to a million quads
        while len(pool.generations) < 2:
            await asyncio.sleep(0.001)
        await pool.close()
        await asyncio.wait([renewing])
        assert renewing.cancelled()

    run_with_pool(settings, check)
    assert not caplog.messages
    assert not capfd.readouterr().err


def test_damaged_store_is_reported_and_not_copied_again(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    build_store_with_tables(settings.store)
    for table in (settings.store / QUADS_FOLDER).glob("*.sst"):
        if table.stat().st_size > MIN_TABLE_BYTES:
            overwrite_bytes(table, 0.3)

    async def check() -> list[str]:
        reports: list[str] = []
        pool = WorkerPool(Store.open(settings.store), settings)
        pool.report_damage = lambda: reports.append("damaged")
        await asyncio.wait_for(pool.start(), 30)  # ends, as the copy is not repeated
        await pool.wait_until_copied()
        await pool.close()
        return reports

    assert asyncio.run(check()) == ["damaged"]
    assert f"The store {settings.store} is damaged in the file " in caplog.text
