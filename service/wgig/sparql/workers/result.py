"""Query results as a stream of chunks with backpressure, and the interface of what answers queries.

At most 4 chunks wait for the client, then the worker pauses. An incomplete result ends with a QueryFault.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ...http.cache import VersionSource
from .fair_queue import QueueState
from .protocol import CANCELED_FAULT, QueryFault, QueryJob

MAX_PIECES_AHEAD = 4  # pieces that wait for the client


class FlowControl(Protocol):
    """Lets more pieces come, or none for now."""

    def __call__(self, *, on: bool) -> None:
        """Let them come, or not."""


def ignore_flow_control(*, on: bool) -> None:
    """What has come already needs no pace."""


class QueryResult:
    """The pieces of an answer, taken by one client as they come.

    An answer that is not whole ends in a QueryFault. `pace` is told when enough pieces wait and when more may
    come, `stop` why nobody wants the rest.
    """

    def __init__(self, pace: FlowControl, stop: Callable[[str], None]) -> None:
        """Nothing has come yet."""
        self.pace, self.stop = pace, stop
        self.pieces: deque[bytes] = deque()
        self.has_begun = self.has_ended = False
        self.size = 0  # bytes that have come
        self.end_callback: Callable[[], None] | None = None
        self.fault: QueryFault | None = None
        self.waiter: asyncio.Future[None] | None = None

    def add(self, piece: bytes, *, last: bool) -> None:
        """A piece has come."""
        self.pieces.append(piece)
        self.size += len(piece)
        self.has_ended = last
        if len(self.pieces) == MAX_PIECES_AHEAD and not last:
            self.pace(on=False)
        self.wake()

    def fail(self, fault: QueryFault) -> None:
        """No more will come, and what has come is not whole."""
        if not self.has_ended:
            self.fault, self.has_ended = fault, True
            self.wake()

    def wake(self) -> None:
        """Let the client look again."""
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)
        if self.has_ended and self.end_callback:
            self.end_callback()
            self.end_callback = None

    def on_end(self, heard: Callable[[], None]) -> None:
        """Call this once no more pieces will come, which may be so already."""
        self.end_callback = heard
        if self.has_ended:
            self.wake()

    async def next_piece(self) -> bytes | None:
        """The next piece; None after the last one. Raises QueryFault."""
        if not self.pieces and not self.has_ended:
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter
        if self.fault:
            raise self.fault
        if not self.pieces:
            return None
        if len(self.pieces) == MAX_PIECES_AHEAD and not self.has_ended:
            self.pace(on=True)
        self.has_begun = True
        return self.pieces.popleft()

    async def read_all(self) -> bytes:
        """All that was not taken yet. Raises QueryFault."""
        return await self.read_up_to(sys.maxsize)

    async def read_up_to(self, most: int) -> bytes:
        """What was not taken yet, but not much more than so many bytes. Raises QueryFault."""
        body = bytearray()
        while len(body) <= most and (piece := await self.next_piece()) is not None:
            body += piece
        return bytes(body)

    @property
    def is_whole(self) -> bool:
        """Whether all pieces have come, and the client has them."""
        return self.has_ended and not self.fault and not self.pieces

    def close(self) -> None:
        """Nobody wants the rest."""
        if not self.has_ended:
            self.stop(CANCELED_FAULT)


class QueryWorkers(VersionSource, Protocol):
    """Has queries answered, wherever that is."""

    @property
    def is_copying(self) -> bool:
        """Whether quads are being copied for it."""

    @property
    def queue_state(self) -> QueueState:
        """How many queries are at work and how many more may be, and how many wait."""

    async def ask(self, job: QueryJob, client: str) -> QueryResult:
        """Begin to answer a query of a client. Raises Problem 503 where too many are at work."""
