"""Protocol between the service, the forker (`holder`) and the query workers (`readers`): framed messages.

A message is a kind of one byte, the length of its body in four, and the body. Also what a query is to a
worker (`Job`), and why it has no whole result (`Fault`).
"""

import json
import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

import pyoxigraph as ox

from ...store.change import carry_out, unpacked
from ...store.view import Dataset

# To the holder: take a copy of the store in a folder; fork a reader. To it and to readers: the quads changed.
LOAD, FORK, CHANGE = b"L", b"F", b"C"
# From the holder: whether the copy is in memory; a reader and its socket.
LOADED, FORKED = b"l", b"f"
# To a reader: answer a query; read from the store in a folder from now on.
ASK, OPEN = b"A", b"O"
# From a reader: a piece of the answer; the last one; the last one, and it is worn out; there is no answer, or
# no more of it; the folder is open; the thread that answers from now on.
PIECE, END, WORN, FAULT, OPENED, THREAD = b"p", b"e", b"w", b"x", b"o", b"t"

HEAD = struct.Struct("!cI")

Message = tuple[bytes, bytes]


class Job(NamedTuple):
    """A query as a reader gets it: with the format of the answer.

    That takes at most so many bytes, and has at most so many rows or triples; 0: as many as there are.
    """

    text: str
    media_type: str
    dataset: Dataset
    base: str
    most: int
    rows: int

    def packed(self) -> bytes:
        """The job as bytes."""
        default, named, union = self.dataset.default, self.dataset.named, self.dataset.union
        members = (self.text, self.media_type, default, named, union, self.base, self.most, self.rows)
        return json.dumps(members).encode()

    @classmethod
    def unpacked(cls, body: bytes) -> Self:
        """The job of such bytes."""
        text, media_type, default, named, union, *rest = json.loads(body)
        return cls(text, media_type, Dataset(tuple(default), tuple(named), union), *rest)


class Fault(Exception):  # noqa: N818  a word of the trade
    """There is no answer, or no more of it. `kind` is one of the causes below; the message tells more."""

    def __init__(self, kind: str, said: str = "") -> None:
        """Why, and what the engine said of it."""
        super().__init__(said)
        self.kind = kind


# The text does not parse; it cannot be evaluated; the answer is too large; it has too many rows; it holds
# what its format cannot; the disk fails; the reader took too long; it ended; somebody ended it;
# others waited; the service that holds the data does not answer, or not as it should.
SYNTAX, VALUE, SIZE, ROWS, UNFIT = "syntax", "value", "size", "rows", "unfit"
DISK, TIME, LOST, CANCELED, CROWDED = "disk", "time", "lost", "canceled", "crowded"
REMOTE = "remote"


def framed(kind: bytes, body: bytes | bytearray = b"") -> bytes:
    """A message as it goes over a socket."""
    return HEAD.pack(kind, len(body)) + body


def unframed(buffer: bytearray) -> Iterator[Message]:
    """The whole messages at the front of the buffer, which are taken out of it."""
    start = 0
    try:
        while len(buffer) >= start + HEAD.size:
            kind, length = HEAD.unpack_from(buffer, start)
            begin = start + HEAD.size
            if len(buffer) < begin + length:
                break
            start = begin + length
            yield kind, bytes(buffer[begin:start])
    finally:
        del buffer[:start]


def apply(body: bytes, quads: ox.Store) -> None:
    """Do to a copy of the quads what the bytes of a change say."""
    carry_out(unpacked(body), quads)
