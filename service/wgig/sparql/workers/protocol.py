"""Protocol between the service, the forker and the query workers: framed messages.

A message is a kind of one byte, the length of its body in four, and the body. Also what a query is to a
worker (`QueryJob`), and why it has no whole result (`QueryFault`).
"""

import json
import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

import pyoxigraph as ox

from ...store.change import apply_change, parse_change
from ...store.view import QueryDataset
from ..language.parser import ParsedSparqlText

# To the forker: take a copy of the store in a folder; fork a worker. To it and to workers: the quads changed.
LOAD_MESSAGE, FORK_MESSAGE, CHANGE_MESSAGE = b"L", b"F", b"C"
# From the forker: whether the copy is in memory; a worker and its socket.
LOADED_MESSAGE, FORKED_MESSAGE = b"l", b"f"
# To a worker: answer a query; read from the store in a folder from now on.
ASK_MESSAGE, OPEN_MESSAGE = b"A", b"O"
# From a worker: a piece of the answer; the last one; the last one, and it is worn out; there is no answer, or
# no more of it; the folder is open; the thread that answers from now on.
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
    """A query as a worker gets it: with the format of the answer.

    That takes at most so many bytes, and has at most so many rows or triples; 0: as many as there are.
    """

    query: ParsedSparqlText
    media_type: str
    dataset: QueryDataset
    base: str
    max_bytes: int
    max_rows: int

    def pack(self) -> bytes:
        """The job as bytes."""
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
        """The job of such bytes."""
        text, media_type, default, named, union, *rest = json.loads(body)
        return cls(
            ParsedSparqlText(text), media_type, QueryDataset(tuple(default), tuple(named), union), *rest
        )


class QueryFault(Exception):  # noqa: N818  a word of the trade
    """There is no answer, or no more of it. `kind` is one of the causes below; the message tells more."""

    def __init__(self, kind: str, said: str = "") -> None:
        """Why, and what the engine said of it."""
        super().__init__(said)
        self.kind = kind


# The text does not parse; it cannot be evaluated; the answer is too large; it has too many rows; it holds
# what its format cannot; the disk fails; the worker took too long; it ended; somebody ended it;
# others waited; the service that holds the data does not answer, or not as it should.
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
    """A message as it goes over a socket."""
    return MESSAGE_HEAD_STRUCT.pack(kind, len(body)) + body


def unframe_messages(buffer: bytearray) -> Iterator[WorkerMessage]:
    """The whole messages at the front of the buffer, which are taken out of it."""
    start = 0
    try:
        while len(buffer) >= start + MESSAGE_HEAD_STRUCT.size:
            kind, length = MESSAGE_HEAD_STRUCT.unpack_from(buffer, start)
            begin = start + MESSAGE_HEAD_STRUCT.size
            if len(buffer) < begin + length:
                break
            start = begin + length
            yield kind, bytes(buffer[begin:start])
    finally:
        del buffer[:start]


def apply_packed_change(body: bytes, quads: ox.Store) -> None:
    """Do to a copy of the quads what the bytes of a change say."""
    apply_change(parse_change(body), quads)
