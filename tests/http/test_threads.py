"""Threads: few compute pages, unless they wait; writes and work queues have threads of their own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from anyio.to_thread import run_sync
from wgig.http import threads
from wgig.http.threads import PAGE_THREADS, limit_page_threads, run_in_write_thread
from wgig.http.work_queue import WorkQueue


class WaitingPages:
    """Page threads that wait until `release` is set."""

    def __init__(self, count: int) -> None:
        """Start them; the event loop must run."""
        self.started, self.release = list[int](), threading.Event()
        self.limiting = asyncio.create_task(limit_page_threads())
        self.tasks = [asyncio.create_task(self.start(number)) for number in range(count)]

    async def start(self, number: int) -> None:
        await asyncio.sleep(0)  # until the limit is set
        await run_sync(self.wait, number)

    def wait(self, number: int) -> None:
        self.started.append(number)
        self.release.wait()

    async def wait_for_starts(self, count: int) -> None:
        while len(self.started) < count:
            await asyncio.sleep(0)

    async def end(self) -> None:
        self.release.set()
        await asyncio.gather(*self.tasks)
        self.limiting.cancel()


def run_beside_pages(count: int, test: Callable[[WaitingPages], Coroutine[Any, Any, None]]) -> None:
    """Run a test for at most 30 seconds, while so many page threads were started."""

    async def run() -> None:
        pages = WaitingPages(count)
        try:
            await asyncio.wait_for(test(pages), 30)
        finally:
            await pages.end()

    asyncio.run(run())


def test_few_pages_are_computed_at_a_time() -> None:
    async def check(pages: WaitingPages) -> None:
        await pages.wait_for_starts(PAGE_THREADS)
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(pages.started) == PAGE_THREADS

    run_beside_pages(PAGE_THREADS + 2, check)


def test_pages_that_wait_let_others_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "WAITING_SECONDS", 0.001)
    count = 3 * PAGE_THREADS
    run_beside_pages(count, lambda pages: pages.wait_for_starts(count))


def test_writes_and_queues_do_not_wait_for_pages() -> None:
    async def check(pages: WaitingPages) -> None:
        await pages.wait_for_starts(PAGE_THREADS)
        assert await run_in_write_thread(len, "write") == 5
        assert await WorkQueue(1, 1, 1).run(len, "search") == 6

    run_beside_pages(PAGE_THREADS + 1, check)
