"""Protocol between the service, the forker and the query workers: framed messages.

A message consists of its kind in one byte, the length of its body in four bytes, and the body. `QueryJob` is
a query with its limits and format. `QueryFault` is the reason why a query has no complete result.
"""

import json
import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

from ...store.view import QueryDataset
from ..language.parser import ParsedSparqlText

# From the service to the forker.
LOAD_MESSAGE = b"L"  # copy to memory the quads of the store in the folder that the body names
FORK_MESSAGE = b"F"  # fork a worker, or the front process whose number is the body
CHANGE_MESSAGE = b"C"  # apply a change; also sent to workers and front processes
# From the forker to the service.
# The copy is finished: true, false if there are too many quads for memory, or the engine's message about a
# damaged file.
LOADED_MESSAGE = b"l"
FORKED_MESSAGE = b"f"  # a new worker with its socket
# From the service to a worker; VERSION_MESSAGE and RETIRE_MESSAGE also to a front process.
QUERY_MESSAGE = b"A"  # evaluate a query
OPEN_MESSAGE = b"O"  # read from the store in a folder from now on
VERSION_MESSAGE = b"V"  # the version of the data after the changes so far, in eight bytes
# Connect to the front process that listens at a path, and evaluate its queries.
CONNECT_MESSAGE = b"N"
RETIRE_MESSAGE = b"R"  # no more changes follow; also sent by the worker to its front process
# From a worker to the service.
CHUNK_MESSAGE = b"p"  # a chunk of the result
END_MESSAGE = b"e"  # the last chunk
WORN_MESSAGE = b"w"  # the last chunk; the worker did not free its memory and must be replaced
FAULT_MESSAGE = b"x"  # the kind and the message of a QueryFault
OPENED_MESSAGE = b"o"  # the folder is open
THREAD_MESSAGE = b"t"  # the ID of the thread that evaluates queries from now on
PULL_MESSAGE = b"u"  # a query needs the changes that wait in the service
# The last bytes of a worker that the engine aborts, as it does for lack of memory. `faulthandler` writes them
# without a frame. As a header, they announce a message that is never complete.
ABORTED_MARK = b"Fatal Python error: Aborted"
# From a worker to its front process.
HELLO_MESSAGE = b"h"  # the ID of the process, as decimal digits

MESSAGE_HEAD_STRUCT = struct.Struct("!cI")
VERSION_STRUCT = struct.Struct("!Q")

WorkerMessage = tuple[bytes, bytes]  # the kind and the body
DESCRIPTION_MEDIA_TYPE = "x-wgig/description"  # of a job that is no query


class ForkerLimits(NamedTuple):
    """Settings of a forker: the maximum number of quads in memory, and of bytes for a query; the base IRI."""

    max_quads: int
    memory_bytes: int
    base: str


class QueryJob(NamedTuple):
    """A query with its result format, dataset, base IRI and limits.

    A job with DESCRIPTION_MEDIA_TYPE describes a resource; see `description.make_description_job`.

    The result has at most `max_bytes` bytes and `max_rows` rows or triples; `max_rows` 0 means no limit. A
    worker of a front process applies all changes up to `version` first. `max_seconds` is the time limit that
    the client asks for, which workers do not know; 0 means that of the service.
    """

    query: ParsedSparqlText
    media_type: str
    dataset: QueryDataset
    base: str
    max_bytes: int
    max_rows: int
    version: int = 0
    max_seconds: float = 0

    def limit_seconds(self, service_seconds: float) -> float:
        """The time limit of the query, at most that of the service."""
        return min(self.max_seconds or service_seconds, service_seconds)

    def pack(self) -> bytes:
        """The job as JSON."""
        default, named, union = self.dataset.default, self.dataset.named, self.dataset.union
        members = (
            self.query.text,
            self.media_type,
            default,
            named,
            union,
            self.base,
            self.max_bytes,
            self.max_rows,
            self.version,
        )
        return json.dumps(members).encode()

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The job from its JSON."""
        text, media_type, default, named, union, *base_and_limits = json.loads(body)
        return cls(
            ParsedSparqlText(text),
            media_type,
            QueryDataset(tuple(default), tuple(named), union),
            *base_and_limits,
        )


class QueryFault(Exception):  # noqa: N818  a term of the glossary
    """The reason why a query has no complete result. `kind` is one of the constants below."""

    def __init__(self, kind: str, message: str = "") -> None:
        """`message` is from the engine, if it reported one."""
        super().__init__(message)
        self.kind = kind


SYNTAX_FAULT = "syntax"
VALUE_FAULT = "value"  # the query has no syntax error, but cannot be evaluated
SIZE_FAULT = "size"  # the result has too many bytes
ROWS_FAULT = "rows"  # the result has too many rows, or the description too many quads
UNFIT_FAULT = "unfit"  # the result has a value that the format cannot represent
DISK_FAULT = "disk"  # an I/O error of the store
TIME_FAULT = "time"  # timeout
WAIT_FAULT = "busy"  # no worker became free in time
MEMORY_FAULT = "memory"  # the worker ran out of memory
LOST_FAULT = "lost"  # the worker was killed by another process, or crashed
CANCELED_FAULT = "canceled"  # by the client or an operator, or because the service stops
CROWDED_FAULT = "crowded"  # canceled so that waiting queries of other clients can run
REMOTE_FAULT = "remote"  # error of the SPARQL server that has the store
OUTDATED_FAULT = "outdated"  # the worker does not get the version of the job; another worker may have it


def frame_message(kind: bytes, body: bytes | bytearray = b"") -> bytes:
    """A message with its header."""
    return MESSAGE_HEAD_STRUCT.pack(kind, len(body)) + body


def unframe_messages(buffer: bytearray) -> Iterator[WorkerMessage]:
    """Remove the complete messages from the front of the buffer, and yield them."""
    start = 0
    try:
        while len(buffer) >= start + MESSAGE_HEAD_STRUCT.size:
            kind, length = MESSAGE_HEAD_STRUCT.unpack_from(buffer, start)
            body_start = start + MESSAGE_HEAD_STRUCT.size
            if len(buffer) < body_start + length:
                break
            start = body_start + length
            yield kind, bytes(buffer[body_start:start])
    finally:
        del buffer[:start]
