"""Bounded work queues for calls on threads or processes: limits on running and waiting calls, and a timeout.

If a call gets no slot in time, it is not started, and the response is 503 with Retry-After. Work on untrusted
input runs in processes with limits on memory (1 GiB) and CPU time. A process that exceeds them is killed. The
response is then 503 after a timeout, or 413 if the process died.
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

from ..i18n import gettext_noop
from ..problems import Problem, build_sentence
from ..settings import MIB

ResultT = TypeVar("ResultT")


class WorkQueue:
    """Runs at most `max_running` calls; `max_waiting` wait for a slot, at most `timeout_seconds` each."""

    def __init__(self, max_running: int, max_waiting: int, timeout_seconds: float) -> None:
        """Start with all slots free."""
        self.limiter = anyio.CapacityLimiter(max_running)
        self.thread_limiter = anyio.CapacityLimiter(max_running)  # so that calls take no threads of pages
        self.max_waiting = max_waiting
        self.timeout_seconds = timeout_seconds

    async def run(self, function: Callable[..., ResultT], *args: Any) -> ResultT:
        """The return value of the function, called on a thread. Raises Problem 503 if it gets no slot."""
        async with self.slot():
            return await run_in_thread(function, *args, limiter=self.thread_limiter)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot in the block. Raises Problem 503 if none becomes free."""
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
    """The Problem 503 for a call that was not started, because the queue is full or the wait was too long."""
    detail = [
        build_sentence(gettext_noop("Too many requests are being processed.")),
        build_sentence(gettext_noop("Your request was not started. Try again soon.")),
    ]
    return Problem(503, detail, headers={"Retry-After": "5"})


MAX_PROCESS_MEMORY_BYTES = 1024 * MIB  # for the data of one process (RLIMIT_DATA)


class ProcessWorkQueue(WorkQueue):
    """A WorkQueue that runs calls in processes. A process is killed if a call exceeds `max_seconds`."""

    def __init__(self, max_running: int, max_waiting: int, timeout_seconds: float, max_seconds: int) -> None:
        """Start without processes; they are started when needed."""
        super().__init__(max_running, max_waiting, timeout_seconds)
        self.max_seconds = max_seconds
        # For anyio, whose default limiter would allow one process per CPU; the slots limit the calls.
        self.process_limiter = anyio.CapacityLimiter(max_running)

    async def run(self, function: Callable[..., ResultT], *args: Any) -> ResultT:
        """The return value of the function, called in a process; function, arguments and value are pickled.

        Raises Problem 503 if it gets no slot or takes too long, 413 if the process dies.
        """
        async with self.slot():
            try:
                with anyio.fail_after(self.max_seconds):
                    # Retried once: the process may have been killed for a reason other than this call.
                    with suppress(BrokenWorkerProcess):
                        return await self.run_once(function, *args)
                    return await self.run_once(function, *args)
            except TimeoutError as error:
                raise Problem(
                    503,
                    f"This took longer than {self.max_seconds} seconds and was stopped. Send less at once.",
                ) from error
            except (BrokenWorkerProcess, MemoryError) as error:
                raise Problem(
                    413,
                    "This needs more memory or deeper nesting than is allowed. Send less at once.",
                ) from error

    async def run_once(self, function: Callable[..., ResultT], *args: Any) -> ResultT:
        """The return value of the function. Raises BrokenWorkerProcess if its process dies."""
        return await run_in_process(
            call_within_limits,
            self.max_seconds,
            function,
            *args,
            cancellable=True,
            limiter=self.process_limiter,
        )


def is_process_limit(problem: Problem) -> bool:
    """Whether a problem of ProcessWorkQueue.run is that the call was ended at a limit on time or memory."""
    return isinstance(problem.__cause__, (TimeoutError, BrokenWorkerProcess, MemoryError)) and not (
        problem.headers  # of a call that was not started
    )


def call_within_limits(max_seconds: int, function: Callable[..., ResultT], *args: Any) -> ResultT:
    """Call the function in this process with a CPU limit, which works even if the service has died.

    The limit is twice `max_seconds`, so that a running service stops the call first, with its own message.
    """
    limit_process_memory()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit_seconds = int(usage.ru_utime + usage.ru_stime) + 2 * max_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit_seconds, resource.RLIM_INFINITY))
    return function(*args)


@cache
def limit_process_memory() -> None:
    """Limit the memory of this process, once, and ignore Ctrl-C, which the service handles."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_PROCESS_MEMORY_BYTES, MAX_PROCESS_MEMORY_BYTES))
