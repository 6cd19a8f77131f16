"""The body of an answer that comes in an event loop, and how a thread reads it."""

import asyncio
from io import RawIOBase
from typing import Any

import aiohttp

from .client import CutOffError, more


class Coming:
    """The body of an answer, as it comes. Raises CutOffError where it ends too early."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        """Nothing has come yet."""
        self.answer = answer
        self.held = bytearray()

    async def hold(self, size: int) -> bool:
        """Hold what comes until that is more than so many bytes; whether it is all."""
        while len(self.held) <= size:
            some = await self.more()
            if not some:
                return True
            self.held += some
        return False

    async def next(self) -> bytes:
        """The next bytes; none at the end."""
        if not self.held:
            return await self.more()
        some, self.held = bytes(self.held), bytearray()
        return some

    async def more(self) -> bytes:
        """The next bytes from outside."""
        try:
            return await more(self.answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise CutOffError("The shared store broke off its answer.") from error


class Body(RawIOBase):
    """The body of an answer, for a thread. Raises CutOffError where it ends too early."""

    def __init__(self, loop: asyncio.AbstractEventLoop, coming: Coming) -> None:
        """Nothing is read yet."""
        super().__init__()
        self.loop, self.coming = loop, coming
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the target as far as something has come; 0 at the end."""
        if not self.rest:
            self.rest = memoryview(asyncio.run_coroutine_threadsafe(self.coming.next(), self.loop).result())
        count = min(len(target), len(self.rest))
        target[:count], self.rest = self.rest[:count], self.rest[count:]
        return count
