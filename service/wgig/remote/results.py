"""Results of a remote SPARQL service, parsed without loss, and converted to the requested format.

Parsing and conversion are streamed, by our engine. White space at the ends of literals in XML results is
written as character references, as the parser would drop it. A truncated result raises CutOffError. Some
services answer ASK with a row, which becomes a boolean.
"""

import io
import re
from collections.abc import Callable, Iterator
from io import RawIOBase
from itertools import islice
from typing import IO, Any, cast

import pyoxigraph as ox

from ..rdf.formats import N_TRIPLES, XML_RESULTS
from ..rdf.serialization import UnfitError, rdf_format, told
from ..sparql.workers.evaluation import Pieces
from ..sparql.workers.protocol import REMOTE, ROWS, SIZE, UNFIT, Fault, Job
from ..store.errors import UnavailableError
from ..store.view import result_format
from .client import CutOffError

Row = dict[str, Any]

RESULT_PIECE_BYTES = 64 * 1024
END, TAIL = b"</sparql>", 64  # how they end, and the bytes in which that stands
SPACES = b" \t\r\n"
# Our engine takes spaces off the ends of a text in XML unless they are written as numbers.
BEGIN = re.compile(rb"<literal(?:\s[^>]*)?>")
AT_BEGIN = re.compile(rb"(<literal(?:\s[^>]*)?>)([ \t\r\n]+)")
AT_END = re.compile(rb"(?<![ \t\r\n])[ \t\r\n]+(?=</literal>)")


class Spaces(RawIOBase):
    """Results in XML in which the spaces at the ends of texts are written as numbers.

    Raises CutOffError where they end before their end.
    """

    def __init__(self, source: RawIOBase) -> None:
        """Take what is to be read."""
        super().__init__()
        self.source = source
        self.kept, self.done, self.tail, self.ended = b"", b"", b"", False

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the target as far as something has come; 0 at the end."""
        while not self.done and not self.ended:
            piece = self.source.read(RESULT_PIECE_BYTES) or b""
            self.ended, self.tail = not piece, (self.tail + piece)[-TAIL:]
            if self.ended and not self.tail.rstrip(SPACES).endswith(END):  # our engine takes what it gets
                raise CutOffError("The shared store ended an answer before its end.")
            text = self.kept + piece
            cut = len(text) if self.ended else begin_of_open(text)
            self.done, self.kept = spaced(text[:cut]), text[cut:]
        count = min(len(target), len(self.done))
        target[:count], self.done = self.done[:count], self.done[count:]
        return count


def begin_of_open(text: bytes) -> int:
    """Where that begins at the end of a text that may go on: a tag, and spaces, and the tag before them."""
    tag = text.rfind(b"<")
    end = tag if tag > text.rfind(b">") else len(text)
    end = len(text[:end].rstrip(SPACES))
    tag = text.rfind(b"<", 0, end)
    return tag if BEGIN.fullmatch(text, max(tag, 0), end) else end


def spaced(text: bytes) -> bytes:
    """The text with those spaces as numbers."""
    text = AT_BEGIN.sub(lambda found: found[1] + numbered(found[2]), text)
    return AT_END.sub(lambda found: numbered(found[0]), text)


def numbered(spaces: bytes) -> bytes:
    """Spaces as numbers."""
    return b"".join(b"&#%d;" % one for one in spaces)


def parsed(body: RawIOBase, media_type: str) -> ox.QuerySolutions | ox.QueryBoolean:
    """The results in a body, to be read to their end. Raises CutOffError where they have none."""
    source = Spaces(body) if media_type == XML_RESULTS.media_type else body
    try:
        found = ox.parse_query_results(cast(IO[bytes], source), format=result_format(media_type))
    except (SyntaxError, OSError) as error:
        raise broken(error) from error
    assert not isinstance(found, ox.QueryTriples)
    return found


def solutions(body: RawIOBase, media_type: str) -> Iterator[Row]:
    """The solutions in a body. Raises CutOffError where it ends too early, or a variable is unbound.

    No query of ours leaves one unbound, but a busy service may give a row before what is in it.
    """
    found = parsed(body, media_type)
    assert isinstance(found, ox.QuerySolutions)
    names = [one.value for one in found.variables]
    try:
        for solution in found:
            if None in solution:
                raise CutOffError("The shared store gave a row without what is in it.")
            yield dict(zip(names, solution, strict=True))
    except (SyntaxError, OSError) as error:
        raise broken(error) from error
    finally:
        del found  # it must not leave this thread, not even in a traceback


def broken(error: Exception) -> UnavailableError:
    """What an answer means that cannot be read."""
    cause = error if isinstance(error, UnavailableError) else error.__cause__
    if isinstance(cause, UnavailableError):
        return cause
    return CutOffError(f"The shared store gave an answer that is not whole, or none: {error}.")


ASKED = "__ASK_RETVAL"  # the variable in which Virtuoso answers an ASK
READ_PIECE_BYTES = 256 * 1024  # bytes that are read at once
LONGER = 4  # times as long as what it is written as an answer may be
BOOLEAN = b'{"head":{},"boolean":%s}'


def converted(body: RawIOBase, given: str, job: Job, send: Callable[[bytes], None]) -> bytes:
    """The last piece of an answer that came in a given format; those before were sent. Raises Fault."""
    pieces = Pieces(job, send)
    source = counted(body, given, job) if job.rows else body
    try:
        with told(job.media_type):
            write(source, given, cast(IO[bytes], pieces), job.media_type)
        pieces.watch.feed(pieces.piece)
    except UnfitError as error:
        raise Fault(UNFIT, error.why) from error
    except UnavailableError as error:
        raise Fault(REMOTE, str(error)) from error
    except (SyntaxError, OSError) as error:
        raise Fault(REMOTE, str(broken(error))) from error
    return bytes(pieces.piece)


def write(source: RawIOBase, given: str, out: IO[bytes], media_type: str) -> None:
    """Write an answer that came in a given format in another one."""
    if given == N_TRIPLES.media_type:
        quads = ox.parse(cast(IO[bytes], source), ox.RdfFormat.N_TRIPLES)
        ox.serialize((one.triple for one in quads), out, rdf_format(media_type))
        return
    found = truth(parsed(source, given))
    try:
        found.serialize(out, result_format(media_type))
    finally:
        del found  # it must not leave this thread, not even in a traceback


def truth(found: ox.QuerySolutions | ox.QueryBoolean) -> ox.QuerySolutions | ox.QueryBoolean:
    """The results, or the boolean that one row of them stands for."""
    if isinstance(found, ox.QueryBoolean) or [one.value for one in found.variables] != [ASKED]:
        return found
    said = any(row[0] is not None and row[0].value == "1" for row in found)
    boolean = ox.parse_query_results(BOOLEAN % str(said).lower().encode(), format=ox.QueryResultsFormat.JSON)
    assert isinstance(boolean, ox.QueryBoolean)
    return boolean


def counted(body: RawIOBase, given: str, job: Job) -> RawIOBase:
    """The whole body, held until its rows or triples are counted. Raises Fault where these are too many."""
    held = bytearray()
    while piece := body.read(READ_PIECE_BYTES):
        held += piece
        if len(held) > LONGER * job.most:
            raise Fault(SIZE)
    if given == N_TRIPLES.media_type:
        rows = held.count(b"\n")
    else:
        found = parsed(cast(RawIOBase, io.BytesIO(held)), given)
        rows = 0 if isinstance(found, ox.QueryBoolean) else sum(1 for _ in islice(found, job.rows + 1))
    if rows > job.rows:
        raise Fault(ROWS)
    return cast(RawIOBase, io.BytesIO(held))
