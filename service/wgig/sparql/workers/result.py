"""Query results as a stream of pieces with backpressure, and the interface of query workers.

At most 4 pieces wait for the client, then the worker pauses. An incomplete result ends with a QueryFault.
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
    """Pauses or resumes the sender of a result."""

    def __call__(self, *, on: bool) -> None:
        """Resume if `on`, else pause."""


def ignore_flow_control(*, on: bool) -> None:
    """Do nothing, for a result that is complete from the start."""


class QueryResult:
    """The pieces of a result, read by one client as they come.

    An incomplete result ends in a QueryFault. `pace` is called to pause and to resume the sender, `stop` with
    the kind of fault when the client does not want the rest.
    """

    def __init__(self, pace: FlowControl, stop: Callable[[str], None]) -> None:
        """No piece has come yet."""
        self.pace, self.stop = pace, stop
        self.pieces: deque[bytes] = deque()
        self.has_begun = self.has_ended = False
        self.size = 0  # bytes that have come
        self.end_callback: Callable[[], None] | None = None
        self.fault: QueryFault | None = None
        self.waiter: asyncio.Future[None] | None = None

    def add(self, piece: bytes, *, last: bool) -> None:
        """Add a piece."""
        self.pieces.append(piece)
        self.size += len(piece)
        self.has_ended = last
        if len(self.pieces) == MAX_PIECES_AHEAD and not last:
            self.pace(on=False)
        self.wake()

    def fail(self, fault: QueryFault) -> None:
        """End the result with a fault, unless it has ended."""
        if not self.has_ended:
            self.fault, self.has_ended = fault, True
            self.wake()

    def wake(self) -> None:
        """Wake the reader, and call the callback for the end."""
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)
        if self.has_ended and self.end_callback:
            self.end_callback()
            self.end_callback = None

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` when no more pieces will come, at once if that is so already."""
        self.end_callback = callback
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
        """All pieces that were not read yet, joined. Raises QueryFault."""
        return await self.read_up_to(sys.maxsize)

    async def read_up_to(self, max_bytes: int) -> bytes:
        """What was not read yet, until it is more than `max_bytes`. Raises QueryFault."""
        body = bytearray()
        while len(body) <= max_bytes and (piece := await self.next_piece()) is not None:
            body += piece
        return bytes(body)

    @property
    def is_whole(self) -> bool:
        """Whether all pieces have come without a fault, and were read."""
        return self.has_ended and not self.fault and not self.pieces

    def close(self) -> None:
        """Cancel the query, as nobody wants the rest of its result."""
        if not self.has_ended:
            self.stop(CANCELED_FAULT)


class QueryWorkers(VersionSource, Protocol):
    """Evaluates queries: in worker processes, on threads or by a remote service."""

    @property
    def is_copying(self) -> bool:
        """Whether the quads are being copied for it."""

    @property
    def queue_state(self) -> QueueState:
        """How many queries run, how many more may run, and how many wait."""

    async def ask(self, job: QueryJob, client: str) -> QueryResult:
        """Start a query of a client; its result. Raises Problem 503 where the queue is full."""
