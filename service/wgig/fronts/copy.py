"""The copy of the quads in a front process that was forked from it, for bounded queries.

The writer sends changes. While the copy lacks a write, workers answer.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Iterator
from typing import cast

from ..sparql.language.bounded_query import find_bounded_patterns
from ..sparql.workers.counted_quads import CountedQuads
from ..sparql.workers.evaluation import evaluate_query
from ..sparql.workers.protocol import (
    CHANGE_MESSAGE,
    RETIRE_MESSAGE,
    VERSION_MESSAGE,
    VERSION_STRUCT,
    QueryFault,
    QueryJob,
    WorkerMessage,
    unframe_messages,
)
from ..store.change import parse_change
from ..store.view import StoreView

# A change is applied in parts of 1 to 4 ms, between which requests are handled. For a larger one, the
# writer forks another front process.
MAX_PART_QUADS, MAX_APPLIED_CHANGE_BYTES = 200, 1024 * 1024
NO_VERSION = -1
MAX_RESULT_BYTES = 64 * 1024  # of a bounded query


class FrontCopy(asyncio.Protocol):
    """The copy, and the connection over which the writer sends changes. `version` is that of its data.

    The copy is never freed, as this would write to memory that all front processes share.
    """

    transport: asyncio.Transport

    def __init__(self, copy: CountedQuads) -> None:
        """Begin without a version, before the first message; `listen` receives messages."""
        self.copy, self.view = copy, StoreView(copy.quads)
        self.version = NO_VERSION
        self.is_retired = False  # whether there are no more changes
        self.buffer = bytearray()
        self.messages = deque[WorkerMessage]()
        self.steps: Iterator[None] | None = None  # while messages are handled

    async def listen(self, connection: socket.socket) -> None:
        """Receive the messages of the writer from now on."""
        await asyncio.get_running_loop().create_connection(lambda: self, sock=connection)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Handle the messages of the writer."""
        self.buffer += data
        self.messages += unframe_messages(self.buffer)
        if not self.steps:
            self.steps = self.handle_messages()
            self.handle_step()

    def handle_step(self) -> None:
        """Handle messages up to the next pause, and the others after other events."""
        assert self.steps
        for _ in self.steps:
            asyncio.get_running_loop().call_soon(self.handle_step)
            return
        self.steps = None

    def handle_messages(self) -> Iterator[None]:
        """Handle all messages, with pauses between the parts of a large change."""
        while self.messages and not self.is_retired:
            kind, body = self.messages.popleft()
            if kind == VERSION_MESSAGE:
                (self.version,) = VERSION_STRUCT.unpack(body)
            elif kind == RETIRE_MESSAGE or len(body) > MAX_APPLIED_CHANGE_BYTES:
                self.is_retired = True
                self.transport.close()
            elif kind == CHANGE_MESSAGE:
                self.version = NO_VERSION
                first_part, *other_parts = parse_change(body).split(MAX_PART_QUADS)
                self.copy.apply(first_part)
                for part in other_parts:
                    yield
                    self.copy.apply(part)

    def evaluate(self, job: QueryJob) -> bytes | None:
        """The result of a bounded query, if the copy has the version of the job; else None.

        None as well if the result is too large, or if the engine reports an error.
        """
        if self.is_retired or self.version != job.version:
            return None
        patterns = find_bounded_patterns(job.query.text)
        if patterns is None or not self.copy.is_bounded(patterns):
            return None
        chunks = list[bytes]()
        try:
            last_chunk = evaluate_query(
                self.view, job._replace(max_bytes=min(job.max_bytes, MAX_RESULT_BYTES)), chunks.append
            )
        except QueryFault:
            return None
        return b"".join((*chunks, last_chunk))
