"""The control link between a front process and the writer: calls in both directions, over the bridge.

The writer asks front processes for their metrics and running queries; a front process asks the writer for
workers and for hints on queries.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from itertools import count
from typing import Any

from ..sparql.workers.pool import WorkerPool
from .bridge import CONTROL_FRAME, STREAM_BUFFER_BYTES, BridgeConnection

CALL_FRAME, REPLY_FRAME = b"k", b"r"
CALL_TIMEOUT_SECONDS = 2.0
RELINK_SECONDS = 0.05  # between attempts to reach the writer

CallHandler = Callable[..., Awaitable[Any]]

log = logging.getLogger("wgig")


class ControlLink:
    """One end of a control link. Arguments and results of calls are what `marshal` can write."""

    def __init__(self, connection: BridgeConnection, handlers: Mapping[str, CallHandler]) -> None:
        """`handlers` answer the calls of the other end, by name."""
        self.connection, self.handlers = connection, handlers
        self.numbers = count()
        self.replies: dict[int, asyncio.Future[Any]] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Handle frames until the link ends."""
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    kind, content = await self.connection.receive()
                    if kind == CALL_FRAME:
                        task = asyncio.create_task(self.answer(*content))
                        self.tasks.add(task)
                        task.add_done_callback(self.tasks.discard)
                    elif kind == REPLY_FRAME:
                        number, result = content
                        if (reply := self.replies.pop(number, None)) and not reply.done():
                            reply.set_result(result)
        finally:
            self.connection.close()
            for reply in self.replies.values():
                reply.cancel()

    async def answer(self, number: int, name: str, arguments: tuple[Any, ...]) -> None:
        """Answer a call of the other end."""
        with suppress(OSError):
            await self.connection.send(REPLY_FRAME, (number, await self.handlers[name](*arguments)))

    async def call(self, name: str, *arguments: Any) -> Any:
        """Call a handler of the other end. Raises OSError or TimeoutError if it does not answer."""
        number = next(self.numbers)
        reply = self.replies[number] = asyncio.get_running_loop().create_future()
        try:
            await self.connection.send(CALL_FRAME, (number, name, arguments))
            async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
                return await asyncio.shield(reply)
        except asyncio.CancelledError as error:
            if reply.cancelled():
                raise ConnectionResetError("the control link has ended") from error
            raise
        finally:
            self.replies.pop(number, None)


class WriterLink:
    """The control link of a front process to the writer, renewed when there is another writer."""

    def __init__(self, path: str, greeting: tuple[str, int], handlers: Mapping[str, CallHandler]) -> None:
        """`path` is the socket of the writer; `greeting` the socket for workers, and their number."""
        self.path, self.greeting, self.handlers = path, greeting, handlers
        self.link: ControlLink | None = None
        self.has_link = asyncio.Event()
        self.tasks: set[asyncio.Task[Any]] = set()

    async def keep(self) -> None:
        """Keep the link, until this is canceled."""
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                streams = await asyncio.open_unix_connection(self.path, limit=STREAM_BUFFER_BYTES)
                connection = BridgeConnection(*streams)
                await connection.receive()  # the greeting of the writer
                await connection.send(CONTROL_FRAME, self.greeting)
                self.link = ControlLink(connection, self.handlers)
                self.has_link.set()
                await self.link.run()
            self.link = None
            self.has_link.clear()
            await asyncio.sleep(RELINK_SECONDS)

    async def wait_for_writer(self) -> None:
        """Wait until the writer has registered this process."""
        while True:
            await self.has_link.wait()
            with suppress(OSError, TimeoutError):
                await self.call("wait")
                return

    def notify(self, name: str) -> None:
        """Call a handler of the writer without waiting for its result."""
        task = asyncio.get_running_loop().create_task(self.call(name))
        self.tasks.add(task)
        task.add_done_callback(self.forget)

    def forget(self, task: asyncio.Task[Any]) -> None:
        """Forget a finished call, whether it failed or not."""
        self.tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def call(self, name: str, *arguments: Any) -> Any:
        """Call a handler of the writer. Raises OSError or TimeoutError if there is none."""
        if self.link is None:
            raise ConnectionRefusedError("there is no writer")
        return await self.link.call(name, *arguments)


class FrontRegistry:
    """The front processes that are linked to this writer."""

    def __init__(self, pool: WorkerPool) -> None:
        """`pool` forks their workers. The `handlers` answer their calls, other than for workers."""
        self.pool = pool
        self.handlers: dict[str, CallHandler] = {}
        self.add_metrics: Callable[[dict[str, Any]], None] = lambda _: None  # of a front process that ends
        self.links: dict[str, ControlLink] = {}  # by the path of the socket for workers

    async def serve_control(self, connection: BridgeConnection, greeting: tuple[str, int]) -> None:
        """Keep a link to a front process until it ends."""
        path, size = greeting

        async def fork_worker() -> None:
            self.pool.fork_more_front_workers(path)

        async def end(metrics: dict[str, Any]) -> None:
            self.remove(path, link)
            self.add_metrics(metrics)

        async def answer() -> None:  # an answer shows that this process is registered
            pass

        handlers = {**self.handlers, "worker": fork_worker, "end": end, "wait": answer}
        link = self.links[path] = ControlLink(connection, handlers)
        self.pool.add_front(path, size)
        try:
            await link.run()
        finally:
            self.remove(path, link)

    def remove(self, path: str, link: ControlLink) -> None:
        """Forget the link to a front process that has ended or will end."""
        if self.links.get(path) is link:
            del self.links[path]
            self.pool.remove_front(path)

    async def call_all(self, name: str, *arguments: Any) -> list[Any]:
        """The results of a call to all front processes; without those that do not answer."""
        calls = (link.call(name, *arguments) for link in self.links.values())
        results = await asyncio.gather(*calls, return_exceptions=True)
        return [result for result in results if not isinstance(result, BaseException)]
