"""Evaluation of one query into pieces of a result, in a worker or on a thread of the service.

The first piece is sent at 16 KiB so that the response starts early, further ones at 64 KiB. Threads serve
in-memory stores and systems that cannot fork: 32 of them, fewer than the 40 of the framework, so that pages
always get one. They have no time limit.
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

FIRST_PIECE_BYTES, NEXT_PIECE_BYTES = 16 * 1024, 64 * 1024  # sizes of the pieces of a result


def evaluate_query(view: StoreView, job: QueryJob, send: Callable[[bytes], None]) -> bytes:
    """Evaluate a query: all pieces of the result but the last are sent, the last is returned.

    Raises QueryFault.
    """
    writer, text = ResultPieceWriter(job, send), job.query.engine_text
    try:
        if job.max_rows and view.exceeds(job.max_rows, text, job.dataset, job.base):
            raise QueryFault(ROWS_FAULT)
        view.query(text, job.media_type, cast(IO[bytes], writer), job.dataset, job.base)
        writer.watch.feed(writer.piece)
    except SyntaxError as error:
        raise QueryFault(SYNTAX_FAULT, str(error)) from error
    except (OSError, StoreError) as error:
        raise QueryFault(DISK_FAULT, str(error)) from error
    except UnserializableError as error:
        raise QueryFault(UNFIT_FAULT, error.reason) from error
    except (ValueError, RuntimeError) as error:
        raise QueryFault(VALUE_FAULT, str(error)) from error
    return bytes(writer.piece)


class ResultPieceWriter(io.RawIOBase):
    """A file whose content is sent in pieces, the first one early.

    Raises QueryFault above the size limit of the job, UnserializableError where the format cannot hold a
    value.
    """

    def __init__(self, job: QueryJob, send: Callable[[bytes], None]) -> None:
        """`send` is called with each full piece."""
        self.send = send
        self.bytes_left = job.max_bytes
        self.watch = OutputChecker(job.media_type)
        self.piece_bytes = FIRST_PIECE_BYTES
        self.piece = bytearray()

    def write(self, data: Any) -> int:
        """Append bytes, and return how many."""
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
    """Threads that evaluate queries over a store, without a time limit."""

    def __init__(self, store: Store) -> None:
        """Use fewer threads than the framework has (40), so that pages always get one."""
        super().__init__(max_running=32, max_waiting=256, timeout_seconds=10)
        self.store = store

    is_copying = False  # threads use the store itself

    @property
    def version(self) -> int:
        """The number of the last write."""
        return self.store.version

    @property
    def queue_state(self) -> QueueState:
        """How many threads evaluate queries, how many are free, and how many queries wait."""
        statistics = self.limiter.statistics()
        return QueueState(
            statistics.borrowed_tokens,
            int(statistics.total_tokens) - statistics.borrowed_tokens,
            statistics.tasks_waiting,
        )

    async def see_latest_writes(self) -> None:
        """Nothing to do: each write is visible before it is acknowledged."""

    async def ask(self, job: QueryJob, client: str) -> QueryResult:
        """The complete result of a query. Raises Problem 503 where no thread gets free."""
        del client
        return await self.run(self.evaluate_whole, job)

    def evaluate_whole(self, job: QueryJob) -> QueryResult:
        """The complete result of a query, or its fault."""
        pieces: list[bytes] = []
        result = QueryResult(ignore_flow_control, lambda _: None)
        try:
            pieces.append(evaluate_query(self.store, job, pieces.append))
        except QueryFault as fault:
            result.fail(fault)
        else:
            result.add(b"".join(pieces), last=True)
        return result
