"""How many requests of a kind work at once, how many more may wait, and how long."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
from anyio.to_thread import run_sync

from .problems import Problem

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
            return await run_sync(function, *args)

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
