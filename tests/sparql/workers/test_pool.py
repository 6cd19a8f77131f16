"""Readers see every write, and processes that are killed or out of date are replaced."""

import asyncio
import os
import signal
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.settings import Settings
from wgig.sparql.workers import pool
from wgig.sparql.workers.connections import ForkerConnection
from wgig.sparql.workers.generation import WorkerGeneration
from wgig.sparql.workers.pool import WorkerPool

from tests.fixtures.worker_pool import ENDLESS, job, number, numbers, play, running, triples

pytestmark = pytest.mark.slow


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
            os.kill(reader.process_id, signal.SIGKILL)
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
            return [process_of(pool), *(one.process_id for one in pool.current.workers)]

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
