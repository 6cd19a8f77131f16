"""Results of a remote SPARQL service, parsed without loss, and converted to the requested format.

Our engine parses and converts them as streams. Its parser drops white space at the ends of literals in XML
results, so that is written as character references first. A truncated result raises CutOffError. Some
services return a row for ASK, which becomes a boolean.
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
XML_RESULTS_END, XML_TAIL_BYTES = (
    b"</sparql>",
    64,
)  # the end tag, and the number of last bytes in which it must be
XML_WHITESPACE = b" \t\r\n"
# The engine strips white space from the ends of literals in XML, but not character references.
LITERAL_TAG_PATTERN = re.compile(rb"<literal(?:\s[^>]*)?>")
LEADING_SPACES_PATTERN = re.compile(rb"(<literal(?:\s[^>]*)?>)([ \t\r\n]+)")
TRAILING_SPACES_PATTERN = re.compile(rb"(?<![ \t\r\n])[ \t\r\n]+(?=</literal>)")


class XmlSpaceReader(RawIOBase):
    """XML results with white space at the ends of literals written as character references.

    Raises CutOffError where the results are truncated.
    """

    def __init__(self, source: RawIOBase) -> None:
        """`source` has the original XML."""
        super().__init__()
        self.source = source
        self.pending, self.converted, self.tail, self.has_ended = b"", b"", b"", False

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, target: Any) -> int:
        """Copy bytes into `target` as soon as there are some; how many, 0 at the end."""
        while not self.converted and not self.has_ended:
            piece = self.source.read(RESULT_PIECE_BYTES) or b""
            self.has_ended, self.tail = not piece, (self.tail + piece)[-XML_TAIL_BYTES:]
            # The engine accepts truncated XML.
            if self.has_ended and not self.tail.rstrip(XML_WHITESPACE).endswith(XML_RESULTS_END):
                raise CutOffError("The response of the shared store was cut off.")
            text = self.pending + piece
            cut = len(text) if self.has_ended else find_open_text_begin(text)
            self.converted, self.pending = encode_literal_spaces(text[:cut]), text[cut:]
        count = min(len(target), len(self.converted))
        target[:count], self.converted = self.converted[:count], self.converted[count:]
        return count


def find_open_text_begin(text: bytes) -> int:
    """Where the unfinished end of a text begins: an open tag, or white space and the tag before it."""
    tag = text.rfind(b"<")
    end = tag if tag > text.rfind(b">") else len(text)
    end = len(text[:end].rstrip(XML_WHITESPACE))
    tag = text.rfind(b"<", 0, end)
    return tag if LITERAL_TAG_PATTERN.fullmatch(text, max(tag, 0), end) else end


def encode_literal_spaces(text: bytes) -> bytes:
    """The XML with white space at the ends of literals as character references."""
    text = LEADING_SPACES_PATTERN.sub(lambda match: match[1] + encode_character_references(match[2]), text)
    return TRAILING_SPACES_PATTERN.sub(lambda match: encode_character_references(match[0]), text)


def encode_character_references(spaces: bytes) -> bytes:
    """Each byte as a character reference."""
    return b"".join(b"&#%d;" % space for space in spaces)


def parse_remote_results(body: RawIOBase, media_type: str) -> ox.QuerySolutions | ox.QueryBoolean:
    """The results in a body, parsed as they are read. Raises CutOffError where they are incomplete."""
    source = XmlSpaceReader(body) if media_type == XML_RESULTS.media_type else body
    try:
        results = ox.parse_query_results(cast(IO[bytes], source), format=result_format(media_type))
    except (SyntaxError, OSError) as error:
        raise broken_answer_error(error) from error
    assert not isinstance(results, ox.QueryTriples)
    return results


def iter_remote_solutions(body: RawIOBase, media_type: str) -> Iterator[SolutionRow]:
    """The solutions in a body. Raises CutOffError where it is incomplete or a variable is unbound.

    Our own queries never leave a variable unbound, but a busy service may return a row without its values.
    """
    solutions = parse_remote_results(body, media_type)
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    try:
        for solution in solutions:
            if None in solution:
                raise CutOffError("The shared store returned a row without its values.")
            yield dict(zip(names, solution, strict=True))
    except (SyntaxError, OSError) as error:
        raise broken_answer_error(error) from error
    finally:
        del solutions  # must be freed on this thread; a traceback would keep it


def broken_answer_error(error: Exception) -> StoreUnavailableError:
    """The error for a response that cannot be parsed."""
    cause = error if isinstance(error, StoreUnavailableError) else error.__cause__
    if isinstance(cause, StoreUnavailableError):
        return cause
    return CutOffError(f"The response of the shared store is incomplete or not valid: {error}.")


ASK_ANSWER_VARIABLE = "__ASK_RETVAL"  # the variable in which Virtuoso returns the result of ASK
READ_PIECE_BYTES = 256 * 1024  # bytes read at once
ANSWER_SIZE_FACTOR = 4  # how much larger than the limit for the converted result a response may be
BOOLEAN_JSON_TEMPLATE = b'{"head":{},"boolean":%s}'


def convert_remote_answer(
    body: RawIOBase, media_type: str, job: QueryJob, send: Callable[[bytes], None]
) -> bytes:
    """Convert a response in the format `media_type`; all pieces but the last are sent, the last is returned.

    Raises QueryFault.
    """
    writer = ResultPieceWriter(job, send)
    source = check_answer_rows(body, media_type, job) if job.max_rows else body
    try:
        with translate_serializer_errors(job.media_type):
            write_converted_answer(source, media_type, cast(IO[bytes], writer), job.media_type)
        writer.watch.feed(writer.piece)
    except UnserializableError as error:
        raise QueryFault(UNFIT_FAULT, error.reason) from error
    except StoreUnavailableError as error:
        raise QueryFault(REMOTE_FAULT, str(error)) from error
    except (SyntaxError, OSError) as error:
        raise QueryFault(REMOTE_FAULT, str(broken_answer_error(error))) from error
    return bytes(writer.piece)


def write_converted_answer(source: RawIOBase, source_type: str, out: IO[bytes], media_type: str) -> None:
    """Write a response in the format `source_type` as `media_type`."""
    if source_type == N_TRIPLES.media_type:
        quads = ox.parse(cast(IO[bytes], source), ox.RdfFormat.N_TRIPLES)
        ox.serialize((quad.triple for quad in quads), out, rdf_format(media_type))
        return
    results = read_ask_boolean(parse_remote_results(source, source_type))
    try:
        results.serialize(out, result_format(media_type))
    finally:
        del results  # must be freed on this thread; a traceback would keep it


def read_ask_boolean(results: ox.QuerySolutions | ox.QueryBoolean) -> ox.QuerySolutions | ox.QueryBoolean:
    """The results, or the boolean for the row that Virtuoso returns for ASK."""
    if isinstance(results, ox.QueryBoolean) or [variable.value for variable in results.variables] != [
        ASK_ANSWER_VARIABLE
    ]:
        return results
    value = any(row[0] is not None and row[0].value == "1" for row in results)
    boolean = ox.parse_query_results(
        BOOLEAN_JSON_TEMPLATE % str(value).lower().encode(), format=ox.QueryResultsFormat.JSON
    )
    assert isinstance(boolean, ox.QueryBoolean)
    return boolean


def check_answer_rows(body: RawIOBase, media_type: str, job: QueryJob) -> RawIOBase:
    """The whole body, buffered to count its rows or triples. Raises QueryFault where there are too many."""
    buffer = bytearray()
    while piece := body.read(READ_PIECE_BYTES):
        buffer += piece
        if len(buffer) > ANSWER_SIZE_FACTOR * job.max_bytes:
            raise QueryFault(SIZE_FAULT)
    if media_type == N_TRIPLES.media_type:
        count = buffer.count(b"\n")
    else:
        results = parse_remote_results(cast(RawIOBase, io.BytesIO(buffer)), media_type)
        count = (
            0 if isinstance(results, ox.QueryBoolean) else sum(1 for _ in islice(results, job.max_rows + 1))
        )
    if count > job.max_rows:
        raise QueryFault(ROWS_FAULT)
    return cast(RawIOBase, io.BytesIO(buffer))
