"""Threads of the service: a few compute pages, others write.

Threads that compute in Python wait for each other, so more of them take more CPU for the same work: each of
20 pages at a time took five times as much as each of two. Each step of a query in the event loop waits for
all of them, too.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import current_default_thread_limiter, run_sync

ResultT = TypeVar("ResultT")

PAGE_THREADS = 2
# A thread that has worked on a page for so long probably waits, such as for a write. Another one may start.
WAITING_SECONDS = 1.0
MAX_THREADS = 40

write_limiter = RunVar[CapacityLimiter]("write_limiter")


async def limit_page_threads() -> None:
    """Let few threads of the default limiter of this event loop compute at a time, until this is canceled."""
    limiter, earlier = current_default_thread_limiter(), set[object]()
    while True:
        borrowers = set(limiter.statistics().borrowers)
        limiter.total_tokens = min(PAGE_THREADS + len(borrowers & earlier), MAX_THREADS)
        earlier = borrowers
        await asyncio.sleep(WAITING_SECONDS)


async def run_in_write_thread(function: Callable[..., ResultT], *args: Any) -> ResultT:
    """The return value of the function, called on a thread that may wait for locks that other writes hold."""
    try:
        limiter = write_limiter.get()
    except LookupError:
        limiter = CapacityLimiter(MAX_THREADS)
        write_limiter.set(limiter)
    return await run_sync(function, *args, limiter=limiter)
