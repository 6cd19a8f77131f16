"""Evaluation of one query into result chunks, in a worker or on a thread of the service.

The first chunk is sent at 16 KiB so that the response starts early, further ones at 64 KiB. Threads serve
in-memory stores and systems that cannot fork: 32 of them, fewer than the 40 of the framework, so that pages
always find one. Nothing limits their time.
"""

import io
from collections.abc import Callable
from typing import IO, Any, cast

from ...http.work_queue import Turns
from ...rdf.serialization import UnfitError, Watch
from ...store.errors import StoreError
from ...store.store import Store
from ...store.view import View
from .fair_queue import Standing
from .protocol import DISK, ROWS, SIZE, SYNTAX, UNFIT, VALUE, Fault, Job
from .result import Result, unpaced

FIRST, NEXT = 16 * 1024, 64 * 1024  # bytes of a piece


def evaluate(view: View, job: Job, send: Callable[[bytes], None]) -> bytes:
    """The last piece of the answer to a query; those before were sent. Raises Fault."""
    pieces = Pieces(job, send)
    try:
        if job.rows and view.exceeds(job.rows, job.text, job.dataset, job.base):
            raise Fault(ROWS)
        view.query(job.text, job.media_type, cast(IO[bytes], pieces), job.dataset, job.base)
        pieces.watch.feed(pieces.piece)
    except SyntaxError as error:
        raise Fault(SYNTAX, str(error)) from error
    except (OSError, StoreError) as error:
        raise Fault(DISK, str(error)) from error
    except UnfitError as error:
        raise Fault(UNFIT, error.why) from error
    except (ValueError, RuntimeError) as error:
        raise Fault(VALUE, str(error)) from error
    return bytes(pieces.piece)


class Pieces(io.RawIOBase):
    """A file whose content is sent in pieces, the first one soon.

    Raises Fault on what is too much, UnfitError on what no parser could read.
    """

    def __init__(self, job: Job, send: Callable[[bytes], None]) -> None:
        """Nothing is written yet."""
        self.send = send
        self.left = job.most
        self.watch = Watch(job.media_type)
        self.size = FIRST
        self.piece = bytearray()

    def write(self, data: Any) -> int:
        """Take the bytes and say how many they were."""
        self.left -= len(data)
        if self.left < 0:
            raise Fault(SIZE)
        self.piece += data
        if len(self.piece) >= self.size:
            self.watch.feed(self.piece)
            self.send(bytes(self.piece))
            self.piece.clear()
            self.size = NEXT
        return len(data)


class Inline(Turns):
    """Threads that answer queries over a store. Nothing limits their time."""

    def __init__(self, store: Store) -> None:
        """Fewer threads than the framework has (40), so that pages always find one."""
        super().__init__(at_once=32, waiting=256, patience=10)
        self.store = store

    copying = False  # nobody has a copy

    @property
    def version(self) -> int:
        """The number of the last write."""
        return self.store.version

    @property
    def standing(self) -> Standing:
        """How many threads answer queries and how many more may, and how many queries wait for one."""
        now = self.limiter.statistics()
        return Standing(now.borrowed_tokens, int(now.total_tokens) - now.borrowed_tokens, now.tasks_waiting)

    async def in_line(self) -> None:
        """Each write is seen before it is acknowledged."""

    async def ask(self, job: Job, client: str) -> Result:
        """The whole answer to a query. Raises Problem 503 where no thread comes free."""
        del client
        return await self.run(self.whole, job)

    def whole(self, job: Job) -> Result:
        """The whole answer to a query, or the fault in its place."""
        pieces: list[bytes] = []
        result = Result(unpaced, lambda _: None)
        try:
            pieces.append(evaluate(self.store, job, pieces.append))
        except Fault as fault:
            result.fail(fault)
        else:
            result.add(b"".join(pieces), last=True)
        return result
