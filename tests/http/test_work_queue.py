"""Work queues: limits, timeouts, and calls in processes that fail or are killed."""

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


def test_call_is_refused_if_queue_is_full() -> None:
    async def run_three_calls() -> list[int]:
        queue, started, can_finish = (
            WorkQueue(max_running=1, max_waiting=1, timeout_seconds=60),
            threading.Event(),
            threading.Event(),
        )

        def work() -> int:
            started.set()
            can_finish.wait(10)
            return 1

        first_call = asyncio.create_task(queue.run(work))
        await asyncio.to_thread(started.wait, 10)
        second_call = asyncio.create_task(queue.run(lambda: 2))
        await asyncio.sleep(0)  # let the second call begin to wait
        with pytest.raises(Problem, match="Try again soon") as caught:
            await queue.run(lambda: 3)
        assert (caught.value.status, caught.value.headers["Retry-After"]) == (503, "5")
        can_finish.set()
        return [await first_call, await second_call]

    assert asyncio.run(run_three_calls()) == [1, 2]


def test_call_times_out_in_queue_and_failure_frees_slot() -> None:
    async def run_calls() -> int:
        queue = WorkQueue(max_running=1, max_waiting=9, timeout_seconds=0.05)
        await queue.limiter.acquire_on_behalf_of("somebody")  # takes the only slot
        with pytest.raises(Problem, match="not started"):
            await queue.run(lambda: 1)
        queue.limiter.release_on_behalf_of("somebody")
        with pytest.raises(ZeroDivisionError):
            await queue.run(lambda: 1 // 0)
        return await queue.run(lambda: 2)

    assert asyncio.run(run_calls()) == 2


@pytest.mark.parametrize(
    ("work", "argument", "status", "sentence"),
    [
        pytest.param(sum, range(10**15), 503, "longer than 1 seconds and was stopped", id="endless"),
        pytest.param(bytearray, MAX_PROCESS_MEMORY_BYTES, 413, "more memory or deeper nesting", id="greedy"),
        pytest.param(ctypes.string_at, 0, 413, "more memory or deeper nesting", id="crashing"),
        pytest.param(parse_form, b"%00", 400, "NUL character", id="refusing"),
    ],
)
def test_failed_process_call_is_refused_and_next_call_runs(
    work: Callable[[Any], Any], argument: object, status: int, sentence: str
) -> None:
    async def run_two_calls() -> int:
        processes = ProcessWorkQueue(max_running=1, max_waiting=1, timeout_seconds=30, max_seconds=30)
        assert await processes.run(os.getpid)  # starts a process, which may take longer than one second
        processes.max_seconds = 1
        with pytest.raises(Problem, match=sentence) as caught:
            await processes.run(work, argument)
        assert caught.value.status == status
        processes.max_seconds = 30
        return await processes.run(os.getpid)

    assert asyncio.run(run_two_calls()) != os.getpid()
