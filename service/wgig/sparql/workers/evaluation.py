"""Evaluation of a query into chunks of its result, in a worker or on a thread of the service.

The first chunk is sent at 16 KiB so that the response starts early, further ones at 64 KiB.
"""

import io
from collections.abc import Callable
from typing import IO, Any, cast

from ...rdf.serialization import OutputChecker, UnserializableError
from ...rdf.sparql_lexer import SparqlText
from ...store.errors import StoreError, is_engine_damage
from ...store.view import QueryDataset, StoreView
from ..language.count_query import find_count_query
from .counted_quads import CountedQuads
from .join_order import order_joins
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

COUNTED_DATASET = QueryDataset()  # the union of all graphs
FIRST_CHUNK_BYTES, NEXT_CHUNK_BYTES = 16 * 1024, 64 * 1024


def evaluate_query(
    view: StoreView, job: QueryJob, send: Callable[[bytes], None], copy: CountedQuads | None = None
) -> bytes:
    """Evaluate a query: send all chunks of the result except the last, and return the last.

    A count query is answered from the counts of `copy`, if they have the numbers. Raises QueryFault.
    """
    writer, text, base = ResultChunkWriter(job, send), job.query.engine_text, job.base
    if copy and job.dataset == COUNTED_DATASET:
        text = use_counts(copy, job.query.text, base) or text
    try:
        if job.max_rows and view.exceeds(job.max_rows, text, job.dataset, base):
            raise QueryFault(ROWS_FAULT)
        view.query(text, job.media_type, cast(IO[bytes], writer), job.dataset, base)
        writer.checker.feed(writer.chunk)
    except SyntaxError as error:
        if copy and text != job.query.engine_text:
            return evaluate_query(view, job, send)  # the error has a position in the text
        raise QueryFault(SYNTAX_FAULT, str(error)) from error
    except (OSError, StoreError) as error:
        raise QueryFault(DISK_FAULT, str(error)) from error
    except UnserializableError as error:
        raise QueryFault(UNFIT_FAULT, error.reason) from error
    except (ValueError, RuntimeError) as error:
        kind = DISK_FAULT if is_engine_damage(error) else VALUE_FAULT
        raise QueryFault(kind, str(error)) from error
    return bytes(writer.chunk)


def use_counts(copy: CountedQuads, text: str, base: str) -> str | None:
    """The query with counts in place of what it counts, or with joins in a better order; None if as it is."""
    if answer := answer_count_query(copy, text, base):
        return answer
    ordered = order_joins(copy, text, base)
    return SparqlText(ordered).engine_text if ordered else None


def answer_count_query(copy: CountedQuads, text: str, base: str) -> str | None:
    """The query with counts in place of what it counts; None if it counts nothing that is kept."""
    if copy.counts is None:
        return None
    if (count_query := find_count_query(text, base)) and (answer := copy.counts.answer(count_query)):
        return answer
    replaced = copy.assessments and copy.assessments.replace_counted(text, base, copy.counts)
    return SparqlText(replaced).engine_text if replaced else None


class ResultChunkWriter(io.RawIOBase):
    """A file whose content is sent in chunks.

    Raises QueryFault above the size limit of the job, UnserializableError for a value that the format cannot
    represent.
    """

    def __init__(self, job: QueryJob, send: Callable[[bytes], None]) -> None:
        """`send` is called with each full chunk; the last chunk stays in `chunk`."""
        self.send = send
        self.bytes_left = job.max_bytes
        self.checker = OutputChecker(job.media_type)
        self.chunk_bytes = FIRST_CHUNK_BYTES
        self.chunk = bytearray()

    def write(self, data: Any) -> int:
        """Append bytes, and return their number."""
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            raise QueryFault(SIZE_FAULT)
        self.chunk += data
        if len(self.chunk) >= self.chunk_bytes:
            self.checker.feed(self.chunk)
            self.send(bytes(self.chunk))
            self.chunk.clear()
            self.chunk_bytes = NEXT_CHUNK_BYTES
        return len(data)
