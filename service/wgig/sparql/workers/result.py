"""Query results as a stream of chunks with backpressure, and the interface of query workers.

At most 4 chunks are buffered for the client, then the worker pauses. An incomplete result ends with a
QueryFault.
"""

import asyncio
import hashlib
import sys
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ...http.cache import VersionSource
from .fair_queue import QueueState
from .protocol import CANCELED_FAULT, QueryFault, QueryJob

MAX_CHUNKS_AHEAD = 4  # chunks in the buffer of a result


class FlowControl(Protocol):
    """A function that pauses or resumes the sender of a result."""

    def __call__(self, *, on: bool) -> None:
        """Resume the sender if `on`, else pause it."""


def ignore_flow_control(*, on: bool) -> None:
    """Do nothing: the FlowControl of a result that is complete from the start."""


class QueryResult:
    """The chunks of a result, read by one client as they arrive.

    If the query fails, reading raises a QueryFault, also before chunks that have arrived. `set_flow` is
    called to pause and to resume the sender. `stop` is called with the kind of fault if the client stops
    reading before the end.
    """

    def __init__(
        self, set_flow: FlowControl = ignore_flow_control, stop: Callable[[str], None] = lambda _: None
    ) -> None:
        """Start with no chunks."""
        self.set_flow, self.stop = set_flow, stop
        self.chunks: deque[bytes] = deque()
        # The id of the service and the job, if all processes of the service have equal data at a version.
        self.origin: tuple[str, QueryJob] | None = None
        self.is_waiting = False  # for a worker
        self.has_begun = False  # whether the client has read a chunk
        self.has_ended = False  # whether the last chunk or a fault has arrived
        self.size = 0  # bytes received
        self.first_callback: Callable[[], None] | None = None
        self.end_callback: Callable[[], None] | None = None
        self.fault: QueryFault | None = None
        self.waiter: asyncio.Future[None] | None = None  # on which the reader waits

    @property
    def digest(self) -> str:
        """Equal for the results of one query at one version of the data; empty if it is not known."""
        if not self.origin:
            return ""
        service_id, job = self.origin
        return hashlib.sha256(service_id.encode() + job.pack()).hexdigest()[:32]

    def add(self, chunk: bytes, *, last: bool) -> None:
        """Add a chunk, and pause the sender if the buffer is full."""
        self.chunks.append(chunk)
        self.size += len(chunk)
        self.has_ended = last
        if len(self.chunks) == MAX_CHUNKS_AHEAD and not last:
            self.set_flow(on=False)
        self.wake()

    def fail(self, fault: QueryFault) -> None:
        """End the result with a fault, unless it has ended."""
        if not self.has_ended:
            self.fault, self.has_ended = fault, True
            self.wake()

    def wake(self) -> None:
        """Wake the reader, and call the callbacks of `on_first`, and of `on_end` if the result has ended."""
        if self.first_callback:
            callback, self.first_callback = self.first_callback, None
            callback()
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)
        if self.has_ended and self.end_callback:
            self.end_callback()
            self.end_callback = None

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the result ends, immediately if it has ended."""
        self.end_callback = callback
        if self.has_ended:
            self.wake()

    def on_first(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the first chunk or a fault arrives."""
        self.first_callback = callback

    async def next_chunk(self) -> bytes | None:
        """The next chunk; None after the last one. Raises the QueryFault of an incomplete result."""
        if not self.chunks and not self.has_ended:
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter
        if self.fault:
            raise self.fault
        if not self.chunks:
            return None
        if len(self.chunks) == MAX_CHUNKS_AHEAD and not self.has_ended:
            self.set_flow(on=True)
        self.has_begun = True
        return self.chunks.popleft()

    async def read_all(self) -> bytes:
        """All unread chunks, joined. Raises QueryFault."""
        return await self.read_up_to(sys.maxsize)

    async def read_up_to(self, max_bytes: int) -> bytes:
        """The unread chunks, joined, until they have more than `max_bytes`. Raises QueryFault."""
        body = bytearray()
        while len(body) <= max_bytes and (chunk := await self.next_chunk()) is not None:
            body += chunk
        return bytes(body)

    @property
    def is_whole(self) -> bool:
        """Whether the result has ended without a fault and all its chunks were read."""
        return self.has_ended and not self.fault and not self.chunks

    def close(self) -> None:
        """Cancel the query, unless its result has ended."""
        if not self.has_ended:
            self.stop(CANCELED_FAULT)


class QueryWorkers(VersionSource, Protocol):
    """Evaluates queries in worker processes, on threads or on a remote SPARQL server."""

    def start_query_soon(self, job: QueryJob, client: str) -> QueryResult | None:
        """Start a query of a client, and return its result; None if only `start_query` can start it."""

    @property
    def is_copying(self) -> bool:
        """Whether the quads are currently copied for workers."""

    @property
    def queue_state(self) -> QueueState:
        """The numbers of running queries, of idle workers and of waiting queries."""

    async def start_query(self, job: QueryJob, client: str) -> QueryResult:
        """Start a query of a client and return its result. Raises Problem 503 if the queue is full."""
