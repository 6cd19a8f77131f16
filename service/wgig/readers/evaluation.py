"""One query evaluated: its answer in pieces, or the reason why there is none."""

import io
from collections.abc import Callable
from typing import IO, Any, cast

from ..formats import RDF_XML, XML_RESULTS
from ..opening import StoreError
from ..view import View
from ..wellformed import NOT_IN_XML
from .wire import CHARACTER, DISK, ROWS, SIZE, SYNTAX, VALUE, Fault, Job

FIRST, NEXT = 16 * 1024, 64 * 1024  # bytes of a piece
XML = (RDF_XML.media_type, XML_RESULTS.media_type)


def evaluate(view: View, job: Job, send: Callable[[bytes], None]) -> bytes:
    """The last piece of the answer to a query; those before were sent. Raises Fault."""
    pieces = Pieces(job, send)
    try:
        if job.rows and view.exceeds(job.rows, job.text, job.dataset, job.base):
            raise Fault(ROWS)
        view.query(job.text, job.media_type, cast(IO[bytes], pieces), job.dataset, job.base)
    except SyntaxError as error:
        raise Fault(SYNTAX, str(error)) from error
    except (OSError, StoreError) as error:
        raise Fault(DISK, str(error)) from error
    except (ValueError, RuntimeError) as error:
        raise Fault(VALUE, str(error)) from error
    pieces.check()
    return bytes(pieces.piece)


class Pieces(io.RawIOBase):
    """A file whose content is sent in pieces, the first one soon. Raises Fault on what may not be sent."""

    def __init__(self, job: Job, send: Callable[[bytes], None]) -> None:
        """Nothing is written yet."""
        self.send = send
        self.left = job.most
        self.is_xml = job.media_type in XML
        self.size = FIRST
        self.piece = bytearray()
        self.before = b""

    def write(self, data: Any) -> int:
        """Take the bytes and say how many they were."""
        self.left -= len(data)
        if self.left < 0:
            raise Fault(SIZE)
        self.piece += data
        if len(self.piece) >= self.size:
            self.check()
            self.send(bytes(self.piece))
            self.before = bytes(self.piece[-2:])  # a character may be cut in two
            self.piece.clear()
            self.size = NEXT
        return len(data)

    def check(self) -> None:
        """Raises Fault where what is to be sent next is XML with a character that XML does not have."""
        if self.is_xml and (found := NOT_IN_XML.search(self.before + self.piece)):
            raise Fault(CHARACTER, f"U+{ord(found[0].decode()):04X}")
