"""Answers of a service written in another format, piece by piece, by the engine of ours."""

import io
from collections.abc import Callable
from io import RawIOBase
from itertools import islice
from typing import IO, cast

import pyoxigraph as ox

from ..formats import N_TRIPLES
from ..opening import UnavailableError
from ..rdf import rdf_format
from ..readers.evaluation import Pieces
from ..readers.wire import REMOTE, ROWS, SIZE, UNFIT, Fault, Job
from ..unfit import UnfitError, told
from ..view import result_format
from .results import broken, parsed

ASKED = "__ASK_RETVAL"  # the variable in which Virtuoso answers an ASK
PIECE = 256 * 1024  # bytes that are read at once
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
    while piece := body.read(PIECE):
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
