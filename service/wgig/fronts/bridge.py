"""The bridge: requests that front processes pass to the writer, over a Unix socket.

A connection carries one request at a time: the ASGI scope and messages, each in a frame with its kind and
length. Reading frames only as the application asks for them limits what is buffered. ASGI messages consist of
bytes, numbers and lists, so `marshal` can write them; the socket is in a folder that only the user of the
service can open.
"""

import asyncio
import marshal
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..http.access_log import REQUEST_RECORD_KEY, RequestRecord
from ..http.language import LanguageContext, is_language_chosen, language_context
from ..http.middleware import send_problem
from ..http.responses import ResponseAbortedError
from ..problems import Problem
from ..sparql.workers.protocol import MESSAGE_HEAD_STRUCT

REQUEST_FRAME, MESSAGE_FRAME, END_FRAME, CONTROL_FRAME = b"q", b"m", b"e", b"c"
HELLO_FRAME = b"h"  # from the writer, when it has accepted a connection
HELLO_TIMEOUT_SECONDS = 2.0  # for a writer that is starting; then the request is refused
RETRY_AFTER_SECONDS = 3  # in which a writer that has exited is replaced
MAX_IDLE_CONNECTIONS = 32
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "QUERY"))  # RFC 9110, section 9.2.1
ASGI_VERSIONS = {"version": "3.0", "spec_version": "2.4"}
STREAM_BUFFER_BYTES = 256 * 1024
# What the application needs of a scope. The rest are objects of the server.
SCOPE_KEYS = (
    "type", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers",
    "client", "server",
)  # fmt: skip


class BridgeConnection:
    """A connection between a front process and the writer, to which both send frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the streams of the socket."""
        self.reader, self.writer = reader, writer
        self.head: tuple[bytes, int] | None = None  # of a frame whose content has not been received
        self.lock = asyncio.Lock()

    async def send(self, kind: bytes, content: Any = None) -> None:
        """Send a frame, and wait until the other side has read most of the frames before it."""
        body = marshal.dumps(content)
        self.writer.write(MESSAGE_HEAD_STRUCT.pack(kind, len(body)) + body)
        await self.writer.drain()

    async def receive(self) -> tuple[bytes, Any]:
        """The next frame: its kind and content. Raises IncompleteReadError if the connection has ended.

        It may be canceled: then the next call receives the same frame.
        """
        async with self.lock:
            if self.head is None:
                self.head = MESSAGE_HEAD_STRUCT.unpack(
                    await self.reader.readexactly(MESSAGE_HEAD_STRUCT.size)
                )
            kind, length = self.head
            body = await self.reader.readexactly(length)
            self.head = None
        return kind, marshal.loads(body)  # noqa: S302  # nosec  from our own process

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()


class BridgeClient:
    """ASGI application of a front process: the writer handles its requests."""

    def __init__(self, path: str, base: str) -> None:
        """`path` is the socket of the writer, `base` the base IRI of the graph, for problem documents."""
        self.path, self.base = path, base
        self.idle: deque[BridgeConnection] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the writer respond to a request; 503 if there is no writer."""
        try:
            connection = await self.connect()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return await send_problem(self.base, scope, send, writer_missing_problem())
        has_started = is_reusable = False
        sender = asyncio.create_task(self.send_request(connection, scope, receive))
        try:
            more = True
            while more:
                _, message = await connection.receive()
                has_started = True
                more = message["type"] == "http.response.start" or message.get("more_body", False)
                await send(message)
            is_reusable = True
        except (OSError, asyncio.IncompleteReadError) as error:
            if has_started:
                raise ResponseAbortedError from error
            problem = (
                writer_missing_problem() if scope["method"] in SAFE_METHODS else unknown_outcome_problem()
            )
            return await send_problem(self.base, scope, send, problem)
        finally:
            sender.cancel()
            await asyncio.wait([sender])
            if is_reusable and not connection.writer.is_closing() and len(self.idle) < MAX_IDLE_CONNECTIONS:
                with suppress(OSError):
                    await connection.send(END_FRAME)
                self.idle.append(connection)
            else:
                connection.close()
        return None

    async def connect(self) -> BridgeConnection:
        """An idle connection, or a new one. Raises OSError, TimeoutError or IncompleteReadError."""
        while self.idle:
            connection = self.idle.pop()
            if not (connection.reader.at_eof() or connection.writer.is_closing()):
                return connection
            connection.close()
        async with asyncio.timeout(HELLO_TIMEOUT_SECONDS):
            streams = await asyncio.open_unix_connection(self.path, limit=STREAM_BUFFER_BYTES)
            connection = BridgeConnection(*streams)
            try:
                await connection.receive()
            except BaseException:
                connection.close()
                raise
        return connection

    async def send_request(self, connection: BridgeConnection, scope: Scope, receive: Receive) -> None:
        """Send the scope of a request and its messages, until it is canceled after the response."""
        packed = {key: scope[key] for key in SCOPE_KEYS}
        packed["headers"] = [tuple(pair) for pair in scope["headers"]]
        record: RequestRecord = scope[REQUEST_RECORD_KEY]
        context = (record.id, record.trace, is_language_chosen())
        # A connection that has ended is noticed by the reader of the response.
        with suppress(OSError):
            await connection.send(REQUEST_FRAME, (packed, context))
            while True:
                message = await receive()
                await connection.send(MESSAGE_FRAME, dict(message))
                if message["type"] == "http.disconnect":
                    return


def writer_missing_problem() -> Problem:
    """The 503 while no writer responds."""
    return Problem(
        503,
        "The process that handles this request is being restarted.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def unknown_outcome_problem() -> Problem:
    """The 503 to a request that the writer may have carried out before it ended."""
    return Problem(
        503,
        "Outcome unknown: the process that handles this request ended before it responded. "
        "Read the data before you write again.",
    )


ControlHandler = Callable[[BridgeConnection, Any], Awaitable[None]]


class BridgeServer:
    """Handles the requests of front processes in the writer, by an ASGI application."""

    def __init__(self, app: ASGIApp, serve_control: ControlHandler) -> None:
        """`serve_control` serves a connection that begins with CONTROL_FRAME, given the content of that."""
        self.app, self.serve_control = app, serve_control
        self.request_count = 0  # requests that are being handled

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle the requests of a connection until it ends."""
        connection = BridgeConnection(reader, writer)
        try:
            await connection.send(HELLO_FRAME)
            while True:
                kind, content = await connection.receive()
                if kind == CONTROL_FRAME:
                    await self.serve_control(connection, content)
                elif kind == REQUEST_FRAME:
                    self.request_count += 1
                    try:
                        await self.handle_request(connection, *content)
                    finally:
                        self.request_count -= 1
        except (OSError, asyncio.IncompleteReadError, ResponseAbortedError):
            pass
        except asyncio.CancelledError:
            pass  # at the end of the event loop; Python 3.11 would log it as an error
        finally:
            connection.close()

    async def handle_request(
        self, connection: BridgeConnection, packed: dict[str, Any], context: tuple[str, str, bool]
    ) -> None:
        """Let the application respond to a request."""
        id_, trace, is_chosen = context
        client = packed["client"][0] if packed["client"] else ""
        record = RequestRecord(id_, "", packed["method"], client, time.perf_counter(), trace)
        scope: Scope = {**packed, "asgi": ASGI_VERSIONS, "extensions": {}, REQUEST_RECORD_KEY: record}
        language_context.set(LanguageContext(scope, is_chosen=is_chosen))
        is_disconnected = False

        async def receive() -> Message:
            nonlocal is_disconnected
            while not is_disconnected:
                try:
                    kind, message = await connection.receive()
                except (OSError, asyncio.IncompleteReadError):
                    break
                if kind == END_FRAME:
                    break
                is_disconnected = message["type"] == "http.disconnect"
                return dict(message)
            is_disconnected = True
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            packed_message = dict(message)
            if "headers" in message:
                packed_message["headers"] = [tuple(pair) for pair in message["headers"]]
            try:
                await connection.send(MESSAGE_FRAME, packed_message)
            except OSError as error:  # the front process has exited
                raise ClientDisconnect from error

        await self.app(scope, receive, send)
