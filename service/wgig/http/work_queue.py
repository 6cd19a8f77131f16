"""Bounded work queues: so many calls at once, a limited queue with a timeout, on threads or processes.

A call whose turn does not come gets 503 with Retry-After, and nothing of it was begun. Work on untrusted
input runs in processes with limits on memory (1 GiB) and CPU time, which are killed when they exceed them:
503 after too long, 413 when the process dies.
"""

import resource
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any, TypeVar

import anyio
from anyio import BrokenWorkerProcess
from anyio.to_process import run_sync as run_in_process
from anyio.to_thread import run_sync as run_in_thread

from ..problems import Problem
from ..settings import MIB

ResultT = TypeVar("ResultT")


class WorkQueue:
    """Work that waits for its turn: `at_once` calls run, at most `waiting` wait, `patience` seconds each."""

    def __init__(self, at_once: int, waiting: int, patience: float) -> None:
        """Nobody runs or waits yet."""
        self.limiter = anyio.CapacityLimiter(at_once)
        self.max_waiting = waiting
        self.timeout_seconds = patience

    async def run(self, function: Callable[..., ResultT], *args: Any) -> ResultT:
        """What the function returns, called on a thread. Raises Problem 503 where its turn does not come."""
        async with self.slot():
            return await run_in_thread(function, *args)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Around a turn. Raises Problem 503 where it does not come."""
        if self.limiter.statistics().tasks_waiting >= self.max_waiting:
            raise queue_full_problem()
        try:
            with anyio.fail_after(self.timeout_seconds):
                await self.limiter.acquire()
        except TimeoutError as error:
            raise queue_full_problem() from error
        try:
            yield
        finally:
            self.limiter.release()


def queue_full_problem() -> Problem:
    """The 503 for too much work; nothing of it was begun."""
    return Problem(
        503, "Too many requests are at work. Nothing was begun; try again soon.", headers={"Retry-After": "5"}
    )


MAX_PROCESS_MEMORY_BYTES = 1024 * MIB  # of a process, beside its programs


class ProcessWorkQueue(WorkQueue):
    """Turns that are taken in processes. A call is given up after so many seconds, and its process ended."""

    def __init__(self, at_once: int, waiting: int, patience: float, seconds: int) -> None:
        """No process runs yet."""
        super().__init__(at_once, waiting, patience)
        self.max_seconds = seconds
        self.process_limiter = anyio.CapacityLimiter(at_once)

    async def run(self, function: Callable[..., ResultT], *args: Any) -> ResultT:
        """What the function returns, called in a process; all of this is pickled.

        Raises Problem 503 where its turn does not come or it takes too long, 413 where the process ends.
        """
        async with self.slot():
            try:
                with anyio.fail_after(self.max_seconds):
                    # One that somebody else has ended says nothing of what was sent.
                    with suppress(BrokenWorkerProcess):
                        return await self.run_once(function, *args)
                    return await self.run_once(function, *args)
            except TimeoutError as error:
                raise Problem(
                    503,
                    f"This took longer than {self.max_seconds} seconds and was given up. Send less at once.",
                ) from error
            except (BrokenWorkerProcess, MemoryError) as error:
                raise Problem(
                    413,
                    "This takes more memory or deeper nesting than there is for it. Send less at once.",
                ) from error

    async def run_once(self, function: Callable[..., ResultT], *args: Any) -> ResultT:
        """What the function returns. Raises BrokenWorkerProcess where its process ends."""
        return await run_in_process(
            call_within_limits,
            self.max_seconds,
            function,
            *args,
            cancellable=True,
            limiter=self.process_limiter,
        )


def call_within_limits(seconds: int, function: Callable[..., ResultT], *args: Any) -> ResultT:
    """Call the function in a process that ends by itself, should nobody be there any more to end it."""
    limit_process_memory()
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + 2 * seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
    return function(*args)


@cache
def limit_process_memory() -> None:
    """Bound the memory of the process, and let Ctrl-C be for the one who started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_PROCESS_MEMORY_BYTES, MAX_PROCESS_MEMORY_BYTES))
