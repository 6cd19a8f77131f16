"""`wgig serve`: runs the server until SIGINT or SIGTERM, and reloads settings and tokens while it runs.

On shutdown, requests under way get 10 s, then a write as long; queries that are not done are told so 2 s
before the end. A reload changes what can be changed and names the rest. On glibc, malloc uses 2 arenas and a
fixed mmap threshold of 128 KiB, because by default eight arenas a core keep freed memory.
"""

import argparse
import asyncio
import ctypes
import logging
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import fields, replace
from functools import partial
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from anyio.to_thread import run_sync
from fastapi import FastAPI

from ..app import QUEUES, QueryBackends, Service, create_app, make_inline_backends, make_service
from ..files import FileError
from ..http import access_log, telemetry
from ..http.auth import TokenStore
from ..http.oidc import build_configured_issuer
from ..http.responses import ResponseAbortedError
from ..http.server import make_connection_class
from ..http.work_queue import ProcessWorkQueue
from ..seed import open_filled_store
from ..settings import THREAD_STACK_BYTES, Settings
from ..sparql.workers.evaluation import ThreadQueryWorkers
from ..sparql.workers.pool import WorkerPool
from ..store.backup.online import offer_checkpoints
from ..store.errors import StoreError
from ..store.store import Store
from .check_workers import prepare_check_worker
from .console import print_message

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # as malloc.h numbers them
# For all threads; by default there are eight a core, each of which keeps what is freed in it.
MAX_MALLOC_ARENAS = 2
# Bytes that are given back when they are freed; by default that grows to 32 MiB.
MMAP_THRESHOLD_BYTES = 128 * 1024


def limit_malloc_memory() -> None:
    """Have threads share few arenas, and what is large given back. To be called before there are threads."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_ARENA_MAX, MAX_MALLOC_ARENAS)
        mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)


log = logging.getLogger("wgig")


class SettingsReloader:
    """Brings a running service in line with its settings and tokens as they are now.

    `service` is the service as it is now, which handlers find in the application, too.
    """

    def __init__(
        self,
        app: FastAPI,
        service: Service,
        checks: ProcessWorkQueue,
        pool: WorkerPool | None,
        read: Callable[[], Settings],
    ) -> None:
        """Take what goes by settings, and what reads them. It raises ValueError or OSError."""
        self.app, self.service, self.checks, self.pool, self.read_settings = app, service, checks, pool, read

    async def __call__(self) -> None:
        """Read all again; where that fails all stays as it is, and the log says why."""
        try:
            await self.reload_settings(self.read_settings())
        except (ValueError, OSError) as error:
            log.error("the settings stay as they are: %s", error)
        await self.check_tokens()

    async def reload_settings(self, wanted: Settings) -> None:
        """Let those of the settings that can change be these."""
        now = self.service.settings
        other = [one for one in fields(Settings) if getattr(now, one.name) != getattr(wanted, one.name)]
        for one in other:
            if not one.metadata["live"]:
                log.warning("WGIG_%s is another now: start the service anew for it", one.name.upper())
        changed = {one.name: getattr(wanted, one.name) for one in other if one.metadata["live"]}
        if changed:
            await self.apply_settings(replace(now, **changed))
        log.warning(
            "the settings were read again; changed: %s", ", ".join(map(str.upper, changed)) or "nothing"
        )

    async def apply_settings(self, settings: Settings) -> None:
        """Go by these settings from now on. No answer from before is given again."""
        self.service = self.app.state.service = replace(self.service, settings=settings)
        self.checks.max_seconds = settings.paper_seconds
        if self.pool:
            self.pool.settings = settings
        self.service.tokens.set_settings_secret(settings.token)
        self.service.limits.apply_settings(settings)
        self.service.telemetry.logs.apply_settings(settings)
        access_log.configure_logging(settings)
        await run_sync(self.service.store.touch)

    async def check_tokens(self) -> None:
        """Say what is wrong with the file of the tokens, which is read again when it changes."""
        try:
            await run_sync(self.service.tokens.list_tokens)
        except FileError as error:
            log.error("the tokens cannot be read, and nobody can write: %s", error)


MAX_OPEN_FILES = 65_536  # connections and files that may be open, as far as the system allows
SHUTDOWN_GRACE_SECONDS = 10  # seconds for the requests under way, then as many for a write
SHUTDOWN_NOTICE_SECONDS = 2  # of these seconds, in which queries that are not done are told so


Background = Callable[[], Coroutine[Any, Any, object]]


class GracefulServer(uvicorn.Server):
    """A server that says where it listens once it does, and that waits for nobody when told to stop twice."""

    def __init__(
        self,
        config: uvicorn.Config,
        url: str,
        reloading: SettingsReloader,
        background: Sequence[Background] = (),
        *,
        on_terminal: bool = False,
    ) -> None:
        """Nothing listens yet at the URL. What is in the `background` is made ready once it does.

        `on_terminal`: it was begun there.
        """
        super().__init__(config)
        self.url, self.reload_task, self.background_jobs = url, reloading, background
        self.is_on_terminal = on_terminal
        self.is_reload_asked = False
        self.stop_time: float | None = None  # when the socket closes, by the monotonic clock
        self.response_headers: list[tuple[bytes, bytes]] = []  # of every answer; the same list for all

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then print the URL, and make ready what the first request need not wait for."""
        await super().startup(sockets)
        if self.started:
            print(f"Serving on {self.url} (stop with Ctrl-C)", flush=True)
        self.background_tasks = [asyncio.create_task(one()) for one in self.background_jobs]

    async def on_tick(self, counter: int) -> bool:
        """Have every answer say the time at which it begins, also one that is long in coming.

        The server renews the field Date once a second, and gives a request that which it has at its begin.
        """
        ended = await super().on_tick(counter - counter % 10)  # so that it renews it each time
        self.response_headers[:] = self.server_state.default_headers
        self.server_state.default_headers = self.response_headers
        if self.is_reload_asked:
            self.is_reload_asked = False
            self.reload = asyncio.create_task(self.reload_task())
        return ended or (self.stop_time is not None and time.monotonic() >= self.stop_time)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for the requests under way. Those that are cut off then are no mistakes to report."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        waiting = asyncio.create_task(super().shutdown(sockets))
        asyncio.get_running_loop().call_later(
            SHUTDOWN_GRACE_SECONDS - SHUTDOWN_NOTICE_SECONDS, self.reload_task.service.running.end_all
        )
        # Since Python 3.12 a closed server waits for its last connection, whatever it is told meanwhile.
        while not (waiting.done() or self.force_exit):
            await asyncio.sleep(0.1)
        waiting.cancel()
        if self.reload_task.pool:
            await self.reload_task.pool.close()

    def handle_hangup(self, sig: int, frame: FrameType | None) -> None:
        """Read settings and tokens again soon; or stop where the terminal is gone, as one without it does."""
        if self.is_on_terminal and not os.isatty(0):
            return self.handle_exit(sig, frame)
        self.is_reload_asked = True
        return None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in good order, or at the second signal at once."""
        if self.stop_time is None:
            service = self.reload_task.service
            self.stop_time = time.monotonic() + service.settings.drain_seconds
            service.status.stopping = True
        else:
            self.force_exit = self.should_exit = True
        del sig, frame


def is_unforeseen_error(record: logging.LogRecord) -> bool:
    """Whether something went wrong that nobody foresaw; an answer that had to be broken off is none."""
    return not (record.exc_info and isinstance(record.exc_info[1], ResponseAbortedError))


def run_serve(arguments: argparse.Namespace, settings: Settings) -> NoReturn:
    """Serve until SIGINT or SIGTERM, then end the process with code 0.

    Requests under way are finished first, as far as the grace allows. Raises ValueError, OSError,
    FileError or StoreError.
    """
    access_log.configure_logging(settings)
    tell = access_log.log_service_message if settings.log == access_log.LOG_FORMAT_JSON else print_message
    prepare_process()
    traces = telemetry.make_tracing_from_environment()
    listening = bind_listening_socket(settings.host, settings.port)
    store = open_filled_store(settings, tell)
    store.describe_later()
    offer_checkpoints(store, tell)
    checks = ProcessWorkQueue(**QUEUES["checks"], seconds=settings.paper_seconds)
    pool = WorkerPool(store, settings) if settings.readers and not settings.remote_query else None
    tokens = TokenStore(settings.token_file, settings.token, build_configured_issuer(settings))
    tokens.list_tokens()  # what is wrong with their file is said now
    backends = open_backends(settings, store, pool)
    service = make_service(settings, store, backends=backends, checks=checks, tokens=tokens, tracing=traces)
    app = create_app(service)
    reloading = SettingsReloader(app, service, checks, pool, partial(Settings.from_arguments, arguments))
    try:
        service.projections.change_log.open()
    except StoreError as error:  # who asks for changes is told again
        tell(str(error))
    background = background_of(service, checks, pool)
    server = GracefulServer(
        config_of(app, service), socket_url(listening), reloading, background, on_terminal=os.isatty(0)
    )
    take_signals(server)
    server.run(sockets=[listening])
    store.stop_writing(0 if server.force_exit else SHUTDOWN_GRACE_SECONDS)
    if traces:
        traces.shutdown()
    tell("Stopped.")
    os._exit(0)  # a query that still runs on its thread would keep the process alive


def prepare_process() -> None:
    """Let the process have many open files, and its threads large stacks and few arenas."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, MAX_OPEN_FILES), most))
    limit_malloc_memory()
    threading.stack_size(THREAD_STACK_BYTES)


def open_backends(settings: Settings, store: Store, pool: WorkerPool | None) -> QueryBackends:
    """Who answers queries: the pool if there is one, else the shared store, else threads of this process."""
    if pool:
        return QueryBackends(pool, pool)
    if not settings.remote_query:
        return make_inline_backends(store)
    from ..remote.queries import RemoteQueryWorkers  # noqa: PLC0415  costs 0.1 s, and most stores are not shared
    from ..remote.store import SharedStore  # noqa: PLC0415

    assert isinstance(store, SharedStore)
    passing = RemoteQueryWorkers(store, settings)
    return QueryBackends(passing, ThreadQueryWorkers(store), passing.follower)


def background_of(service: Service, checks: ProcessWorkQueue, pool: WorkerPool | None) -> list[Background]:
    """What is made ready in the background, so that the first request need not wait for it."""
    projections = service.projections
    return [
        partial(checks.run, prepare_check_worker, service.settings.shacl),
        partial(asyncio.to_thread, projections.search_index.open),
        *([pool.start] if pool else []),
        projections.change_log.scan_when_due,
        partial(projections.papers_index.query, len),
    ]


def config_of(app: FastAPI, service: Service) -> uvicorn.Config:
    """How uvicorn serves the application."""
    settings = service.settings
    by_peer = bool(settings.proxies)
    return uvicorn.Config(
        app,
        http=make_connection_class(
            settings.base, service.shortcuts, service.notes, service.limits, by_peer=by_peer
        ),
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=by_peer,
        forwarded_allow_ips=settings.proxies,
        timeout_graceful_shutdown=SHUTDOWN_GRACE_SECONDS,
    )


def take_signals(server: GracefulServer) -> None:
    """Let SIGHUP reload, and log nothing of what is broken off on purpose."""
    signal.signal(signal.SIGHUP, server.handle_hangup)
    logging.getLogger("uvicorn.error").addFilter(is_unforeseen_error)
    # The server handles both signals itself and then raises them once more.
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_, lambda *_: None)


def bind_listening_socket(host: str, port: int) -> socket.socket:
    """A socket bound to an address, which does not listen yet. Raises ValueError or OSError."""
    if not 0 <= port <= 65535:
        raise ValueError(f"There is no port {port}; give one from 0 to 65535 with --port.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise OSError(
            f"Cannot listen on {host} port {port}: {error.strerror}. {suggest_bind_fix(error)}"
        ) from error
    return listening


def suggest_bind_fix(error: OSError) -> str:
    """What to do about a failed bind."""
    match error:
        case PermissionError():
            return "Take a port above 1023 with --port."
        case socket.gaierror():
            return "Give an address of this machine with --host."
        case _:
            return "Stop what is there, or take another address with --port or --host."


def socket_url(listening: socket.socket) -> str:
    """The address of a bound socket, as a browser wants it."""
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
