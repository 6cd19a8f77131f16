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

Result = TypeVar("Result")


class Turns:
    """Work that waits for its turn: `at_once` calls run, at most `waiting` wait, `patience` seconds each."""

    def __init__(self, at_once: int, waiting: int, patience: float) -> None:
        """Nobody runs or waits yet."""
        self.limiter = anyio.CapacityLimiter(at_once)
        self.waiting = waiting
        self.patience = patience

    async def run(self, function: Callable[..., Result], *args: Any) -> Result:
        """What the function returns, called on a thread. Raises Problem 503 where its turn does not come."""
        async with self.turn():
            return await run_in_thread(function, *args)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Around a turn. Raises Problem 503 where it does not come."""
        if self.limiter.statistics().tasks_waiting >= self.waiting:
            raise busy()
        try:
            with anyio.fail_after(self.patience):
                await self.limiter.acquire()
        except TimeoutError as error:
            raise busy() from error
        try:
            yield
        finally:
            self.limiter.release()


def busy() -> Problem:
    """The 503 for too much work; nothing of it was begun."""
    return Problem(
        503, "Too many requests are at work. Nothing was begun; try again soon.", headers={"Retry-After": "5"}
    )


MEMORY = 1024 * MIB  # of a process, beside its programs


class Processes(Turns):
    """Turns that are taken in processes. A call is given up after so many seconds, and its process ended."""

    def __init__(self, at_once: int, waiting: int, patience: float, seconds: int) -> None:
        """No process runs yet."""
        super().__init__(at_once, waiting, patience)
        self.seconds = seconds
        self.running = anyio.CapacityLimiter(at_once)

    async def run(self, function: Callable[..., Result], *args: Any) -> Result:
        """What the function returns, called in a process; all of this is pickled.

        Raises Problem 503 where its turn does not come or it takes too long, 413 where the process ends.
        """
        async with self.turn():
            try:
                with anyio.fail_after(self.seconds):
                    # One that somebody else has ended says nothing of what was sent.
                    with suppress(BrokenWorkerProcess):
                        return await self.attempt(function, *args)
                    return await self.attempt(function, *args)
            except TimeoutError as error:
                raise Problem(
                    503, f"This took longer than {self.seconds} seconds and was given up. Send less at once."
                ) from error
            except (BrokenWorkerProcess, MemoryError) as error:
                raise Problem(
                    413,
                    "This takes more memory or deeper nesting than there is for it. Send less at once.",
                ) from error

    async def attempt(self, function: Callable[..., Result], *args: Any) -> Result:
        """What the function returns. Raises BrokenWorkerProcess where its process ends."""
        return await run_in_process(
            within, self.seconds, function, *args, cancellable=True, limiter=self.running
        )


def within(seconds: int, function: Callable[..., Result], *args: Any) -> Result:
    """Call the function in a process that ends by itself, should nobody be there any more to end it."""
    limit_memory()
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + 2 * seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
    return function(*args)


@cache
def limit_memory() -> None:
    """Bound the memory of the process, and let Ctrl-C be for the one who started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
