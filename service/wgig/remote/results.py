"""Results of a remote SPARQL service, parsed without loss, and converted to the requested format.

pyoxigraph parses and converts them as streams. Its XML parser strips white space from the ends of literals,
so white space there is replaced by character references first. A truncated result raises
TruncatedResponseError. Virtuoso returns a row for ASK, which is converted to a boolean.
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
from ..sparql.workers.evaluation import ResultChunkWriter
from ..sparql.workers.protocol import REMOTE_FAULT, ROWS_FAULT, SIZE_FAULT, UNFIT_FAULT, QueryFault, QueryJob
from ..store.errors import StoreUnavailableError
from ..store.view import result_format
from .client import TruncatedResponseError

SolutionRow = dict[str, Any]

RESULT_CHUNK_BYTES = 64 * 1024
XML_RESULTS_END, XML_TAIL_BYTES = b"</sparql>", 64  # the end tag must be in the last 64 bytes
XML_WHITESPACE = b" \t\r\n"
LITERAL_TAG_PATTERN = re.compile(rb"<literal(?:\s[^>]*)?>")
LEADING_SPACES_PATTERN = re.compile(rb"(<literal(?:\s[^>]*)?>)([ \t\r\n]+)")
TRAILING_SPACES_PATTERN = re.compile(rb"(?<![ \t\r\n])[ \t\r\n]+(?=</literal>)")


class XmlSpaceReader(RawIOBase):
    """XML results with character references for white space at the ends of literals.

    Raises TruncatedResponseError if the results are truncated.
    """

    def __init__(self, source: RawIOBase) -> None:
        """Take the stream of the original XML."""
        super().__init__()
        self.source = source
        self.pending, self.converted = b"", b""  # an incomplete end of the XML, and bytes not yet read
        self.tail, self.has_ended = b"", False

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, target: Any) -> int:
        """Wait for bytes, copy them into `target`, and return their number, which is 0 at the end."""
        while not self.converted and not self.has_ended:
            chunk = self.source.read(RESULT_CHUNK_BYTES) or b""
            self.has_ended, self.tail = not chunk, (self.tail + chunk)[-XML_TAIL_BYTES:]
            # pyoxigraph accepts truncated XML.
            if self.has_ended and not self.tail.rstrip(XML_WHITESPACE).endswith(XML_RESULTS_END):
                raise TruncatedResponseError("The response from the shared store was cut off.")
            xml = self.pending + chunk
            end = len(xml) if self.has_ended else find_incomplete_end(xml)
            self.converted, self.pending = encode_literal_spaces(xml[:end]), xml[end:]
        count = min(len(target), len(self.converted))
        target[:count], self.converted = self.converted[:count], self.converted[count:]
        return count


def find_incomplete_end(xml: bytes) -> int:
    """The offset of the incomplete end of XML: an open tag, or white space and the literal tag before it."""
    tag = xml.rfind(b"<")
    end = tag if tag > xml.rfind(b">") else len(xml)
    end = len(xml[:end].rstrip(XML_WHITESPACE))
    tag = xml.rfind(b"<", 0, end)
    return tag if LITERAL_TAG_PATTERN.fullmatch(xml, max(tag, 0), end) else end


def encode_literal_spaces(xml: bytes) -> bytes:
    """The XML with character references for white space at the ends of literals."""
    xml = LEADING_SPACES_PATTERN.sub(lambda match: match[1] + encode_character_references(match[2]), xml)
    return TRAILING_SPACES_PATTERN.sub(lambda match: encode_character_references(match[0]), xml)


def encode_character_references(spaces: bytes) -> bytes:
    """The bytes as character references."""
    return b"".join(b"&#%d;" % space for space in spaces)


def parse_remote_results(body: RawIOBase, media_type: str) -> ox.QuerySolutions | ox.QueryBoolean:
    """The results in a body, parsed as a stream. Raises TruncatedResponseError if they are incomplete."""
    source = XmlSpaceReader(body) if media_type == XML_RESULTS.media_type else body
    try:
        results = ox.parse_query_results(cast(IO[bytes], source), format=result_format(media_type))
    except (SyntaxError, OSError) as error:
        raise broken_response_error(error) from error
    assert not isinstance(results, ox.QueryTriples)
    return results


def iter_remote_solutions(body: RawIOBase, media_type: str) -> Iterator[SolutionRow]:
    """The solutions in a body. Raises TruncatedResponseError if it is incomplete or a variable is unbound.

    Queries of this package leave no variable unbound, but a busy service may return a row without values.
    """
    solutions = parse_remote_results(body, media_type)
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    try:
        for solution in solutions:
            if None in solution:
                raise TruncatedResponseError("The shared store returned a row without its values.")
            yield dict(zip(names, solution, strict=True))
    except (SyntaxError, OSError) as error:
        raise broken_response_error(error) from error
    finally:
        del solutions  # must be freed on this thread; a traceback would keep a reference


def broken_response_error(error: Exception) -> StoreUnavailableError:
    """The error for a response that cannot be parsed."""
    cause = error if isinstance(error, StoreUnavailableError) else error.__cause__
    if isinstance(cause, StoreUnavailableError):
        return cause
    return TruncatedResponseError(f"The response from the shared store is incomplete or invalid: {error}.")


ASK_RESULT_VARIABLE = "__ASK_RETVAL"  # the variable in which Virtuoso returns the result of ASK
READ_CHUNK_BYTES = 256 * 1024
RESPONSE_SIZE_FACTOR = 4  # maximum size of a response, relative to the limit for the converted result
BOOLEAN_JSON_TEMPLATE = b'{"head":{},"boolean":%s}'


def convert_remote_response(
    body: RawIOBase, media_type: str, job: QueryJob, send: Callable[[bytes], None]
) -> bytes:
    """Convert a response in the format `media_type`: send all chunks except the last one, which is returned.

    Raises QueryFault if the response is incomplete, cannot be converted, or exceeds a limit of the job.
    """
    writer = ResultChunkWriter(job, send)
    source = buffer_within_row_limit(body, media_type, job) if job.max_rows else body
    try:
        with translate_serializer_errors(job.media_type):
            write_converted_response(source, media_type, cast(IO[bytes], writer), job.media_type)
        writer.checker.feed(writer.chunk)
    except UnserializableError as error:
        raise QueryFault(UNFIT_FAULT, error.reason) from error
    except StoreUnavailableError as error:
        raise QueryFault(REMOTE_FAULT, str(error)) from error
    except (SyntaxError, OSError) as error:
        raise QueryFault(REMOTE_FAULT, str(broken_response_error(error))) from error
    return bytes(writer.chunk)


def write_converted_response(source: RawIOBase, source_type: str, out: IO[bytes], media_type: str) -> None:
    """Write a response in the format `source_type` as `media_type`."""
    if source_type == N_TRIPLES.media_type:
        quads = ox.parse(cast(IO[bytes], source), ox.RdfFormat.N_TRIPLES)
        ox.serialize((quad.triple for quad in quads), out, rdf_format(media_type))
        return
    results = read_ask_boolean(parse_remote_results(source, source_type))
    try:
        results.serialize(out, result_format(media_type))
    finally:
        del results  # must be freed on this thread; a traceback would keep a reference


def read_ask_boolean(results: ox.QuerySolutions | ox.QueryBoolean) -> ox.QuerySolutions | ox.QueryBoolean:
    """The results; if they are the row that Virtuoso returns for ASK, the boolean in it."""
    if isinstance(results, ox.QueryBoolean) or [variable.value for variable in results.variables] != [
        ASK_RESULT_VARIABLE
    ]:
        return results
    value = any(row[0] is not None and row[0].value == "1" for row in results)
    boolean = ox.parse_query_results(
        BOOLEAN_JSON_TEMPLATE % str(value).lower().encode(), format=ox.QueryResultsFormat.JSON
    )
    assert isinstance(boolean, ox.QueryBoolean)
    return boolean


def buffer_within_row_limit(body: RawIOBase, media_type: str, job: QueryJob) -> RawIOBase:
    """The whole body, buffered to count its rows or triples. Raises QueryFault if there are too many."""
    buffer = bytearray()
    while chunk := body.read(READ_CHUNK_BYTES):
        buffer += chunk
        if len(buffer) > RESPONSE_SIZE_FACTOR * job.max_bytes:
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
