"""Query results as a stream of chunks with backpressure, and the interface of what answers queries.

At most 4 chunks wait for the client, then the worker pauses. An incomplete result ends with a Fault.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ...http.cache import InLine
from .fair_queue import Standing
from .protocol import CANCELED, Fault, Job

AHEAD = 4  # pieces that wait for the client


class Pace(Protocol):
    """Lets more pieces come, or none for now."""

    def __call__(self, *, on: bool) -> None:
        """Let them come, or not."""


def unpaced(*, on: bool) -> None:
    """What has come already needs no pace."""


class Result:
    """The pieces of an answer, taken by one client as they come; an answer that is not whole ends in a Fault.

    `pace` is told when enough pieces wait and when more may come, `stop` why nobody wants the rest.
    """

    def __init__(self, pace: Pace, stop: Callable[[str], None]) -> None:
        """Nothing has come yet."""
        self.pace, self.stop = pace, stop
        self.pieces: deque[bytes] = deque()
        self.begun = self.ended = False
        self.size = 0  # bytes that have come
        self.heard: Callable[[], None] | None = None
        self.fault: Fault | None = None
        self.more: asyncio.Future[None] | None = None

    def add(self, piece: bytes, *, last: bool) -> None:
        """A piece has come."""
        self.pieces.append(piece)
        self.size += len(piece)
        self.ended = last
        if len(self.pieces) == AHEAD and not last:
            self.pace(on=False)
        self.wake()

    def fail(self, fault: Fault) -> None:
        """No more will come, and what has come is not whole."""
        if not self.ended:
            self.fault, self.ended = fault, True
            self.wake()

    def wake(self) -> None:
        """Let the client look again."""
        if self.more and not self.more.done():
            self.more.set_result(None)
        if self.ended and self.heard:
            self.heard()
            self.heard = None

    def when_ended(self, heard: Callable[[], None]) -> None:
        """Call this once no more pieces will come, which may be so already."""
        self.heard = heard
        if self.ended:
            self.wake()

    async def next(self) -> bytes | None:
        """The next piece; None after the last one. Raises Fault."""
        if not self.pieces and not self.ended:
            self.more = asyncio.get_running_loop().create_future()
            await self.more
        if self.fault:
            raise self.fault
        if not self.pieces:
            return None
        if len(self.pieces) == AHEAD and not self.ended:
            self.pace(on=True)
        self.begun = True
        return self.pieces.popleft()

    async def whole(self) -> bytes:
        """All that was not taken yet. Raises Fault."""
        return await self.up_to(sys.maxsize)

    async def up_to(self, most: int) -> bytes:
        """What was not taken yet, but not much more than so many bytes. Raises Fault."""
        body = bytearray()
        while len(body) <= most and (piece := await self.next()) is not None:
            body += piece
        return bytes(body)

    @property
    def is_whole(self) -> bool:
        """Whether all pieces have come, and the client has them."""
        return self.ended and not self.fault and not self.pieces

    def close(self) -> None:
        """Nobody wants the rest."""
        if not self.ended:
            self.stop(CANCELED)


class Answerers(InLine, Protocol):
    """Has queries answered, wherever that is."""

    @property
    def copying(self) -> bool:
        """Whether quads are being copied for it."""

    @property
    def standing(self) -> Standing:
        """How many queries are at work and how many more may be, and how many wait."""

    async def ask(self, job: Job, client: str) -> Result:
        """Begin to answer a query of a client. Raises Problem 503 where too many are at work."""
