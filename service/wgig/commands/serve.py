"""`wgig serve`: listen, answer, and stop when told to."""

import argparse
import asyncio
import logging
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from fastapi import FastAPI
from starlette.middleware import Middleware

from .. import logs, tracing
from ..allocating import give_back
from ..app import CHECKS, create_app
from ..backup.keeping import offer
from ..connections import connection
from ..issuer import configured
from ..processes import Processes
from ..readers.inline import Inline
from ..readers.pool import Pool
from ..reloading import Reloading
from ..settings import STACK, Settings
from ..shipped import open_filled
from ..store import Store, StoreError
from ..stream.keeping import Stream
from ..streaming import BrokenOffError
from ..tokens import Tokens
from ..workers import prepare
from . import say

FILES = 65_536  # connections and files that may be open, as far as the system allows
GRACE = 10  # seconds for the requests under way, then as many for a write
LAST = 2  # of these seconds, in which queries that are not done are told so


class Server(uvicorn.Server):
    """A server that says where it listens once it does, and that waits for nobody when told to stop twice."""

    url = ""
    reload: Callable[[], Coroutine[Any, Any, None]]
    asked_to_reload = False
    on_terminal = False  # whether it was begun there
    drain: Callable[[], int]  # how many seconds from the signal to stop until the socket closes
    leaving: float | None = None  # the time of that, by the monotonic clock
    stopping: Callable[[], None]  # what is told of it
    pool: Pool | None  # the readers, which end before it does
    background: Sequence[Callable[[], Coroutine[Any, Any, object]]]
    farewell: Callable[[], None]
    fields: list[tuple[bytes, bytes]]  # of every answer; the same list for all

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then print the URL, and make ready what the first request need not wait for."""
        await super().startup(sockets)
        if self.started:
            print(f"Serving on {self.url} (stop with Ctrl-C)", flush=True)
        self.ready = [asyncio.create_task(one()) for one in self.background]

    async def on_tick(self, counter: int) -> bool:
        """Have every answer say the time at which it begins, also one that is long in coming.

        The server renews the field Date once a second, and gives a request that which it has at its begin.
        """
        ended = await super().on_tick(counter - counter % 10)  # so that it renews it each time
        self.fields[:] = self.server_state.default_headers
        self.server_state.default_headers = self.fields
        if self.asked_to_reload:
            self.asked_to_reload = False
            self.reloading = asyncio.create_task(self.reload())
        return ended or (self.leaving is not None and time.monotonic() >= self.leaving)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for the requests under way. Those that are cut off then are no mistakes to report."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        waiting = asyncio.create_task(super().shutdown(sockets))
        asyncio.get_running_loop().call_later(GRACE - LAST, self.farewell)
        # Since Python 3.12 a closed server waits for its last connection, whatever it is told meanwhile.
        while not (waiting.done() or self.force_exit):
            await asyncio.sleep(0.1)
        waiting.cancel()
        if self.pool:
            await self.pool.close()

    def handle_hangup(self, sig: int, frame: FrameType | None) -> None:
        """Read settings and tokens again soon; or stop where the terminal is gone, as one without it does."""
        if self.on_terminal and not os.isatty(0):
            return self.handle_exit(sig, frame)
        self.asked_to_reload = True
        return None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in good order, or at the second signal at once."""
        if self.leaving is None:
            self.leaving = time.monotonic() + self.drain()
            self.stopping()
        else:
            self.force_exit = self.should_exit = True
        del sig, frame


def is_mistake(record: logging.LogRecord) -> bool:
    """Whether something went wrong that nobody foresaw; an answer that had to be broken off is none."""
    return not (record.exc_info and isinstance(record.exc_info[1], BrokenOffError))


def run(arguments: argparse.Namespace, settings: Settings) -> NoReturn:
    """Serve until SIGINT or SIGTERM, then end the process with code 0.

    Requests under way are finished first, as far as the grace allows. Raises ValueError, OSError or
    StoreError.
    """
    logs.begin(settings)
    tell = logs.say if settings.log == logs.JSON else say
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, FILES), most))
    give_back()
    traces = tracing.begun()
    listening = bind(settings.host, settings.port)
    threading.stack_size(STACK)
    store = open_filled(settings, tell)
    store.describe_later()
    offer(store, tell)
    checks = Processes(**CHECKS, seconds=settings.paper_seconds)
    pool = Pool(store, settings) if settings.readers and not settings.remote_query else None
    tokens = Tokens(settings.token_file, settings.token, configured(settings))
    tokens.all()  # what is wrong with their file is said now
    if settings.remote_query:
        app = shared_app(settings, store, checks, tokens, traces)
    else:
        app = create_app(settings, store, checks, pool, tokens, traces)
    server = Server(
        uvicorn.Config(
            app,
            http=connection(
                settings.base,
                app.state.shortcuts,
                app.state.notes,
                app.state.limits,
                by_peer=bool(settings.proxies),
            ),
            ws="none",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=settings.proxies,
            timeout_graceful_shutdown=GRACE,
        )
    )
    server.url, server.fields, server.pool = url(listening), [], pool
    stream: Stream = app.state.stream
    try:
        stream.start()
    except StoreError as error:  # who asks for changes is told again
        tell(str(error))
    prepared = partial(checks.run, prepare, settings.shacl)
    indexed = partial(asyncio.to_thread, app.state.index.open)
    server.background = [
        prepared,
        indexed,
        *([pool.start] if pool else []),
        stream.begin,
        partial(app.state.shelf.ask, len),
    ]
    server.drain = lambda: app.state.settings.drain_seconds
    server.reload = Reloading(app, checks, pool, partial(Settings.called_with, arguments))
    server.on_terminal = os.isatty(0)
    signal.signal(signal.SIGHUP, server.handle_hangup)
    server.stopping = partial(setattr, app.state, "stopping", True)
    server.farewell = app.state.running.end_all
    logging.getLogger("uvicorn.error").addFilter(is_mistake)
    # The server handles both signals itself and then raises them once more.
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_, lambda *_: None)
    server.run(sockets=[listening])
    store.end(0 if server.force_exit else GRACE)
    if traces:
        traces.end()
    tell("Stopped.")
    os._exit(0)  # a query that still runs on its thread would keep the process alive


def shared_app(
    settings: Settings, store: Store, checks: Processes, tokens: Tokens, traces: tracing.Tracing | None
) -> FastAPI:
    """The service over a shared store."""
    from ..shared.following import Current  # noqa: PLC0415  costs 0.1 s, and most stores are not shared
    from ..shared.passing import Passing  # noqa: PLC0415
    from ..shared.store import Shared  # noqa: PLC0415

    assert isinstance(store, Shared)
    passing = Passing(store, settings)
    current = Middleware(Current, following=passing.following)
    app = create_app(settings, store, checks, passing, tokens, traces, [current], Inline(store))
    app.state.shortcuts.version = lambda: passing.following.version
    return app


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to an address, which does not listen yet. Raises ValueError or OSError."""
    if not 0 <= port <= 65535:
        raise ValueError(f"There is no port {port}; give one from 0 to 65535 with --port.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise OSError(f"Cannot listen on {host} port {port}: {error.strerror}. {mend(error)}") from error
    return listening


def mend(error: OSError) -> str:
    """What to do about a failed bind."""
    match error:
        case PermissionError():
            return "Take a port above 1023 with --port."
        case socket.gaierror():
            return "Give an address of this machine with --host."
        case _:
            return "Stop what is there, or take another address with --port or --host."


def url(listening: socket.socket) -> str:
    """The address of a bound socket, as a browser wants it."""
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
