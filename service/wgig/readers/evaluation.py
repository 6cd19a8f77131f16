"""One query evaluated: its answer in pieces, or the reason why there is none."""

import io
from collections.abc import Callable
from typing import IO, Any, cast

from ..opening import StoreError
from ..unfit import UnfitError, Watch
from ..view import View
from .wire import DISK, ROWS, SIZE, SYNTAX, UNFIT, VALUE, Fault, Job

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
