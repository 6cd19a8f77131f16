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
from ..rdf.serialization import UnserializableError, rdf_format, translate_serializer_errors
from ..sparql.workers.evaluation import ResultPieceWriter
from ..sparql.workers.protocol import REMOTE_FAULT, ROWS_FAULT, SIZE_FAULT, UNFIT_FAULT, QueryFault, QueryJob
from ..store.errors import StoreUnavailableError
from ..store.view import result_format
from .client import CutOffError

SolutionRow = dict[str, Any]

RESULT_PIECE_BYTES = 64 * 1024
XML_RESULTS_END, XML_TAIL_BYTES = b"</sparql>", 64  # how they end, and the bytes in which that stands
XML_WHITESPACE = b" \t\r\n"
# Our engine takes spaces off the ends of a text in XML unless they are written as numbers.
LITERAL_TAG_PATTERN = re.compile(rb"<literal(?:\s[^>]*)?>")
LEADING_SPACES_PATTERN = re.compile(rb"(<literal(?:\s[^>]*)?>)([ \t\r\n]+)")
TRAILING_SPACES_PATTERN = re.compile(rb"(?<![ \t\r\n])[ \t\r\n]+(?=</literal>)")


class XmlSpaceReader(RawIOBase):
    """Results in XML in which the spaces at the ends of texts are written as numbers.

    Raises CutOffError where they end before their end.
    """

    def __init__(self, source: RawIOBase) -> None:
        """Take what is to be read."""
        super().__init__()
        self.source = source
        self.pending, self.converted, self.tail, self.has_ended = b"", b"", b"", False

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the target as far as something has come; 0 at the end."""
        while not self.converted and not self.has_ended:
            piece = self.source.read(RESULT_PIECE_BYTES) or b""
            self.has_ended, self.tail = not piece, (self.tail + piece)[-XML_TAIL_BYTES:]
            # Our engine takes what it gets.
            if self.has_ended and not self.tail.rstrip(XML_WHITESPACE).endswith(XML_RESULTS_END):
                raise CutOffError("The shared store ended an answer before its end.")
            text = self.pending + piece
            cut = len(text) if self.has_ended else find_open_text_begin(text)
            self.converted, self.pending = encode_literal_spaces(text[:cut]), text[cut:]
        count = min(len(target), len(self.converted))
        target[:count], self.converted = self.converted[:count], self.converted[count:]
        return count


def find_open_text_begin(text: bytes) -> int:
    """Where that begins at the end of a text that may go on: a tag, and spaces, and the tag before them."""
    tag = text.rfind(b"<")
    end = tag if tag > text.rfind(b">") else len(text)
    end = len(text[:end].rstrip(XML_WHITESPACE))
    tag = text.rfind(b"<", 0, end)
    return tag if LITERAL_TAG_PATTERN.fullmatch(text, max(tag, 0), end) else end


def encode_literal_spaces(text: bytes) -> bytes:
    """The text with those spaces as numbers."""
    text = LEADING_SPACES_PATTERN.sub(lambda found: found[1] + encode_character_references(found[2]), text)
    return TRAILING_SPACES_PATTERN.sub(lambda found: encode_character_references(found[0]), text)


def encode_character_references(spaces: bytes) -> bytes:
    """Spaces as numbers."""
    return b"".join(b"&#%d;" % one for one in spaces)


def parse_remote_results(body: RawIOBase, media_type: str) -> ox.QuerySolutions | ox.QueryBoolean:
    """The results in a body, to be read to their end. Raises CutOffError where they have none."""
    source = XmlSpaceReader(body) if media_type == XML_RESULTS.media_type else body
    try:
        found = ox.parse_query_results(cast(IO[bytes], source), format=result_format(media_type))
    except (SyntaxError, OSError) as error:
        raise broken_answer_error(error) from error
    assert not isinstance(found, ox.QueryTriples)
    return found


def iter_remote_solutions(body: RawIOBase, media_type: str) -> Iterator[SolutionRow]:
    """The solutions in a body. Raises CutOffError where it ends too early, or a variable is unbound.

    No query of ours leaves one unbound, but a busy service may give a row before what is in it.
    """
    found = parse_remote_results(body, media_type)
    assert isinstance(found, ox.QuerySolutions)
    names = [one.value for one in found.variables]
    try:
        for solution in found:
            if None in solution:
                raise CutOffError("The shared store gave a row without what is in it.")
            yield dict(zip(names, solution, strict=True))
    except (SyntaxError, OSError) as error:
        raise broken_answer_error(error) from error
    finally:
        del found  # it must not leave this thread, not even in a traceback


def broken_answer_error(error: Exception) -> StoreUnavailableError:
    """What an answer means that cannot be read."""
    cause = error if isinstance(error, StoreUnavailableError) else error.__cause__
    if isinstance(cause, StoreUnavailableError):
        return cause
    return CutOffError(f"The shared store gave an answer that is not whole, or none: {error}.")


ASK_ANSWER_VARIABLE = "__ASK_RETVAL"  # the variable in which Virtuoso answers an ASK
READ_PIECE_BYTES = 256 * 1024  # bytes that are read at once
ANSWER_SIZE_FACTOR = 4  # times as long as what it is written as an answer may be
BOOLEAN_JSON_TEMPLATE = b'{"head":{},"boolean":%s}'


def convert_remote_answer(body: RawIOBase, given: str, job: QueryJob, send: Callable[[bytes], None]) -> bytes:
    """The last piece of an answer that came in a given format; those before were sent. Raises QueryFault."""
    pieces = ResultPieceWriter(job, send)
    source = check_answer_rows(body, given, job) if job.max_rows else body
    try:
        with translate_serializer_errors(job.media_type):
            write_converted_answer(source, given, cast(IO[bytes], pieces), job.media_type)
        pieces.watch.feed(pieces.piece)
    except UnserializableError as error:
        raise QueryFault(UNFIT_FAULT, error.reason) from error
    except StoreUnavailableError as error:
        raise QueryFault(REMOTE_FAULT, str(error)) from error
    except (SyntaxError, OSError) as error:
        raise QueryFault(REMOTE_FAULT, str(broken_answer_error(error))) from error
    return bytes(pieces.piece)


def write_converted_answer(source: RawIOBase, given: str, out: IO[bytes], media_type: str) -> None:
    """Write an answer that came in a given format in another one."""
    if given == N_TRIPLES.media_type:
        quads = ox.parse(cast(IO[bytes], source), ox.RdfFormat.N_TRIPLES)
        ox.serialize((one.triple for one in quads), out, rdf_format(media_type))
        return
    found = read_ask_boolean(parse_remote_results(source, given))
    try:
        found.serialize(out, result_format(media_type))
    finally:
        del found  # it must not leave this thread, not even in a traceback


def read_ask_boolean(found: ox.QuerySolutions | ox.QueryBoolean) -> ox.QuerySolutions | ox.QueryBoolean:
    """The results, or the boolean that one row of them stands for."""
    if isinstance(found, ox.QueryBoolean) or [one.value for one in found.variables] != [ASK_ANSWER_VARIABLE]:
        return found
    said = any(row[0] is not None and row[0].value == "1" for row in found)
    boolean = ox.parse_query_results(
        BOOLEAN_JSON_TEMPLATE % str(said).lower().encode(), format=ox.QueryResultsFormat.JSON
    )
    assert isinstance(boolean, ox.QueryBoolean)
    return boolean


def check_answer_rows(body: RawIOBase, given: str, job: QueryJob) -> RawIOBase:
    """The whole body, held until its rows or triples are counted. Raises QueryFault for too many."""
    held = bytearray()
    while piece := body.read(READ_PIECE_BYTES):
        held += piece
        if len(held) > ANSWER_SIZE_FACTOR * job.max_bytes:
            raise QueryFault(SIZE_FAULT)
    if given == N_TRIPLES.media_type:
        rows = held.count(b"\n")
    else:
        found = parse_remote_results(cast(RawIOBase, io.BytesIO(held)), given)
        rows = 0 if isinstance(found, ox.QueryBoolean) else sum(1 for _ in islice(found, job.max_rows + 1))
    if rows > job.max_rows:
        raise QueryFault(ROWS_FAULT)
    return cast(RawIOBase, io.BytesIO(held))
