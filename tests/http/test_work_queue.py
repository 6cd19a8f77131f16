"""Work waits for its turn, within bounds.

Work in a process is given up when it takes too long or ends its process; the next is done all the same.
"""

import asyncio
import ctypes
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from wgig.http.bodies import parse_form
from wgig.http.work_queue import MAX_PROCESS_MEMORY_BYTES, ProcessWorkQueue, WorkQueue
from wgig.problems import Problem


def test_one_works_one_waits_and_the_next_is_told_to_come_again() -> None:
    async def three() -> list[int]:
        turns, begun, free = (
            WorkQueue(max_running=1, max_waiting=1, timeout_seconds=60),
            threading.Event(),
            threading.Event(),
        )

        def work() -> int:
            begun.set()
            free.wait(10)
            return 1

        first = asyncio.create_task(turns.run(work))
        await asyncio.to_thread(begun.wait, 10)
        second = asyncio.create_task(turns.run(lambda: 2))
        await asyncio.sleep(0)  # let it begin to wait
        with pytest.raises(Problem, match="try again soon") as refused:
            await turns.run(lambda: 3)
        assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "5")
        free.set()
        return [await first, await second]

    assert asyncio.run(three()) == [1, 2]


def test_a_turn_that_does_not_come_in_time_is_refused_and_a_failure_frees_it() -> None:
    async def impatient() -> int:
        turns = WorkQueue(max_running=1, max_waiting=9, timeout_seconds=0.05)
        await turns.limiter.acquire_on_behalf_of("somebody")
        with pytest.raises(Problem, match="not started"):
            await turns.run(lambda: 1)
        turns.limiter.release_on_behalf_of("somebody")
        with pytest.raises(ZeroDivisionError):
            await turns.run(lambda: 1 // 0)
        return await turns.run(lambda: 2)

    assert asyncio.run(impatient()) == 2


@pytest.mark.parametrize(
    ("work", "argument", "status", "sentence"),
    [
        pytest.param(sum, range(10**15), 503, "longer than 1 seconds and was given up", id="endless"),
        pytest.param(bytearray, MAX_PROCESS_MEMORY_BYTES, 413, "more memory or deeper nesting", id="greedy"),
        pytest.param(ctypes.string_at, 0, 413, "more memory or deeper nesting", id="crashing"),
        pytest.param(parse_form, b"%00", 400, "NUL character", id="refusing"),
    ],
)
def test_what_a_process_cannot_do_is_refused_and_the_next_call_is_answered(
    work: Callable[[Any], Any], argument: object, status: int, sentence: str
) -> None:
    async def both() -> int:
        processes = ProcessWorkQueue(max_running=1, max_waiting=1, timeout_seconds=30, max_seconds=30)
        assert await processes.run(os.getpid)
        processes.max_seconds = 1
        with pytest.raises(Problem, match=sentence) as caught:
            await processes.run(work, argument)
        assert caught.value.status == status
        processes.max_seconds = 30
        return await processes.run(os.getpid)

    assert asyncio.run(both()) != os.getpid()
