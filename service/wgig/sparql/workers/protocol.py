"""Protocol between the service, the forker and the query workers: framed messages.

A message is a kind of one byte, the length of its body in four bytes, and the body. `QueryJob` is a query
with all that a worker needs; `QueryFault` says why it has no complete result.
"""

import json
import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

import pyoxigraph as ox

from ...store.change import apply_change, parse_change
from ...store.view import QueryDataset
from ..language.parser import ParsedSparqlText

# To the forker: copy the store in a folder to memory; fork a worker. To it and to workers: a change.
LOAD_MESSAGE, FORK_MESSAGE, CHANGE_MESSAGE = b"L", b"F", b"C"
# From the forker: whether the copy is in memory; a new worker with its socket.
LOADED_MESSAGE, FORKED_MESSAGE = b"l", b"f"
# To a worker: evaluate a query; read from the store in a folder from now on.
ASK_MESSAGE, OPEN_MESSAGE = b"A", b"O"
# From a worker: a piece of the result; the last piece; the last piece, and the worker should be replaced; a
# fault; the folder is open; the ID of the thread that evaluates queries from now on.
PIECE_MESSAGE, END_MESSAGE, WORN_MESSAGE, FAULT_MESSAGE, OPENED_MESSAGE, THREAD_MESSAGE = (
    b"p",
    b"e",
    b"w",
    b"x",
    b"o",
    b"t",
)

MESSAGE_HEAD_STRUCT = struct.Struct("!cI")

WorkerMessage = tuple[bytes, bytes]


class QueryJob(NamedTuple):
    """A query with all that a worker needs to evaluate it.

    The result has at most `max_bytes` bytes and `max_rows` rows or triples; 0 rows: no limit.
    """

    query: ParsedSparqlText
    media_type: str
    dataset: QueryDataset
    base: str
    max_bytes: int
    max_rows: int

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
        )
        return json.dumps(members).encode()

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """The job from its JSON."""
        text, media_type, default, named, union, *limits = json.loads(body)
        return cls(
            ParsedSparqlText(text), media_type, QueryDataset(tuple(default), tuple(named), union), *limits
        )


class QueryFault(Exception):  # noqa: N818  a term of the glossary
    """A query has no result, or no complete one. `kind` is a constant below; the message has details."""

    def __init__(self, kind: str, message: str = "") -> None:
        """`message` is that of the engine, if any."""
        super().__init__(message)
        self.kind = kind


# In order: syntax error; cannot be evaluated; result too large; too many rows; a value that the format cannot
# hold; disk error; timeout; the worker exited; canceled by the client, an operator or the end of the service;
# ended for queries that waited; error of the service of a shared store.
SYNTAX_FAULT, VALUE_FAULT, SIZE_FAULT, ROWS_FAULT, UNFIT_FAULT = "syntax", "value", "size", "rows", "unfit"
DISK_FAULT, TIME_FAULT, LOST_FAULT, CANCELED_FAULT, CROWDED_FAULT = (
    "disk",
    "time",
    "lost",
    "canceled",
    "crowded",
)
REMOTE_FAULT = "remote"


def frame_message(kind: bytes, body: bytes | bytearray = b"") -> bytes:
    """A message with its header."""
    return MESSAGE_HEAD_STRUCT.pack(kind, len(body)) + body


def unframe_messages(buffer: bytearray) -> Iterator[WorkerMessage]:
    """The complete messages at the front of the buffer, which are removed from it."""
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


def apply_packed_change(body: bytes, quads: ox.Store) -> None:
    """Apply a serialized change to a copy of the quads."""
    apply_change(parse_change(body), quads)
