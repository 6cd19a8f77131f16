"""The store of the settings as a service for this process alone: on a socket in a private folder."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

import anyio
import httpx
import uvicorn
from anyio.to_thread import run_sync

from ..app import CHECKS, create_app
from ..backup.keeping import copy_to
from ..client import Graph
from ..client.connection import Connection, Limits
from ..commands import say
from ..processes import Processes
from ..readers.pool import Pool
from ..settings import STACK, Settings
from ..shipped import open_to_read
from ..store import Store

READERS = 3  # one client asks, and one more may come over HTTP


class Inside(uvicorn.Server):
    """A server in the loop of another program, whose signals it leaves alone."""

    def __init__(self, config: uvicorn.Config, pool: Pool) -> None:
        """Nothing listens yet."""
        super().__init__(config)
        self.pool = pool
        self.ready = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to the program."""
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, and have readers."""
        await super().startup(sockets)
        await self.pool.start()
        self.ready.set()


def copied(place: Path, settings: Settings) -> None:
    """Make a new folder a store like that of the settings, which is filled and brought up to date first."""
    open_to_read(settings, say)
    copy_to(place, settings.store)


@asynccontextmanager
async def inside(settings: Settings, seconds: int) -> AsyncIterator[Graph]:
    """The graph of the store as it is now, to read; a query may take so many seconds.

    What is written to the store meanwhile is not seen: all is read from a copy that is removed at the end,
    whoever else has the store open. Raises StoreError or OSError where there can be none.
    """
    threading.stack_size(STACK)
    with TemporaryDirectory(prefix="wgig-") as folder:
        copy = Path(folder) / "store"
        await run_sync(copied, copy, settings)
        mine = replace(settings, store=copy, query_seconds=seconds, readers=READERS, token="")
        store = Store.snapshot(copy)
        pool = Pool(store, mine)
        checks = Processes(**CHECKS, seconds=settings.paper_seconds)
        path = str(Path(folder) / "socket")
        app = create_app(mine, store, checks, pool)
        server = Inside(
            uvicorn.Config(
                app,
                uds=path,
                lifespan="off",
                ws="none",
                log_level="warning",
                access_log=False,
            ),
            pool,
        )
        transport = httpx.HTTPTransport(uds=path)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve)
            await server.ready.wait()
            await run_sync(app.state.index.open)  # which begins to make it
            try:
                with Graph(Connection("http://localhost/", Limits(), transport)) as graph:
                    yield graph
            finally:
                server.should_exit = True
                with anyio.CancelScope(shield=True):
                    await pool.close()
