"""Evaluation of one query into result chunks, in a worker or on a thread of the service.

The first chunk is sent at 16 KiB so that the response starts early, further ones at 64 KiB. Threads serve
in-memory stores and systems that cannot fork: 32 of them, fewer than the 40 of the framework, so that pages
always find one. Nothing limits their time.
"""

import io
from collections.abc import Callable
from typing import IO, Any, cast

from ...http.work_queue import WorkQueue
from ...rdf.serialization import OutputChecker, UnserializableError
from ...store.errors import StoreError
from ...store.store import Store
from ...store.view import StoreView
from .fair_queue import QueueState
from .protocol import (
    DISK_FAULT,
    ROWS_FAULT,
    SIZE_FAULT,
    SYNTAX_FAULT,
    UNFIT_FAULT,
    VALUE_FAULT,
    QueryFault,
    QueryJob,
)
from .result import QueryResult, ignore_flow_control

FIRST_PIECE_BYTES, NEXT_PIECE_BYTES = 16 * 1024, 64 * 1024  # bytes of a piece


def evaluate_query(view: StoreView, job: QueryJob, send: Callable[[bytes], None]) -> bytes:
    """The last piece of the answer to a query; those before were sent. Raises QueryFault."""
    pieces, text = ResultPieceWriter(job, send), job.query.engine_text
    try:
        if job.max_rows and view.exceeds(job.max_rows, text, job.dataset, job.base):
            raise QueryFault(ROWS_FAULT)
        view.query(text, job.media_type, cast(IO[bytes], pieces), job.dataset, job.base)
        pieces.watch.feed(pieces.piece)
    except SyntaxError as error:
        raise QueryFault(SYNTAX_FAULT, str(error)) from error
    except (OSError, StoreError) as error:
        raise QueryFault(DISK_FAULT, str(error)) from error
    except UnserializableError as error:
        raise QueryFault(UNFIT_FAULT, error.reason) from error
    except (ValueError, RuntimeError) as error:
        raise QueryFault(VALUE_FAULT, str(error)) from error
    return bytes(pieces.piece)


class ResultPieceWriter(io.RawIOBase):
    """A file whose content is sent in pieces, the first one soon.

    Raises QueryFault on what is too much, UnserializableError on what no parser could read.
    """

    def __init__(self, job: QueryJob, send: Callable[[bytes], None]) -> None:
        """Nothing is written yet."""
        self.send = send
        self.bytes_left = job.max_bytes
        self.watch = OutputChecker(job.media_type)
        self.piece_bytes = FIRST_PIECE_BYTES
        self.piece = bytearray()

    def write(self, data: Any) -> int:
        """Take the bytes and say how many they were."""
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            raise QueryFault(SIZE_FAULT)
        self.piece += data
        if len(self.piece) >= self.piece_bytes:
            self.watch.feed(self.piece)
            self.send(bytes(self.piece))
            self.piece.clear()
            self.piece_bytes = NEXT_PIECE_BYTES
        return len(data)


class ThreadQueryWorkers(WorkQueue):
    """Threads that answer queries over a store. Nothing limits their time."""

    def __init__(self, store: Store) -> None:
        """Fewer threads than the framework has (40), so that pages always find one."""
        super().__init__(at_once=32, waiting=256, patience=10)
        self.store = store

    is_copying = False  # nobody has a copy

    @property
    def version(self) -> int:
        """The number of the last write."""
        return self.store.version

    @property
    def queue_state(self) -> QueueState:
        """How many threads answer queries and how many more may, and how many queries wait for one."""
        now = self.limiter.statistics()
        return QueueState(now.borrowed_tokens, int(now.total_tokens) - now.borrowed_tokens, now.tasks_waiting)

    async def see_latest_writes(self) -> None:
        """Each write is seen before it is acknowledged."""

    async def ask(self, job: QueryJob, client: str) -> QueryResult:
        """The whole answer to a query. Raises Problem 503 where no thread comes free."""
        del client
        return await self.run(self.evaluate_whole, job)

    def evaluate_whole(self, job: QueryJob) -> QueryResult:
        """The whole answer to a query, or the fault in its place."""
        pieces: list[bytes] = []
        result = QueryResult(ignore_flow_control, lambda _: None)
        try:
            pieces.append(evaluate_query(self.store, job, pieces.append))
        except QueryFault as fault:
            result.fail(fault)
        else:
            result.add(b"".join(pieces), last=True)
        return result
