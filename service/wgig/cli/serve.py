"""`wgig serve`: run the server until SIGINT or SIGTERM; reload settings and tokens on SIGHUP.

On shutdown, running requests have 10 s to finish; running queries are stopped after 8 s. Then a running write
has 10 s. A reload applies the settings that can change at run time, and logs the others.

On glibc, malloc uses 2 arenas and a fixed mmap threshold of 128 KiB, because by default eight arenas per core
keep freed memory.
"""

import argparse
import asyncio
import ctypes
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, NoReturn, Protocol

import uvicorn
from anyio.to_thread import run_sync
from fastapi import FastAPI
from starlette.types import ASGIApp

from ..about.home import prepare_home
from ..app import QUEUES, QueryBackends, Service, create_app, make_inline_backends, make_service
from ..files import FileError
from ..fronts.control import FrontRegistry
from ..http import access_log, telemetry
from ..http.access_log import RequestRecorder
from ..http.auth import TokenStore
from ..http.fast_path import RawResponseCache
from ..http.limits import RateLimiter
from ..http.oidc import build_configured_issuer
from ..http.responses import ResponseAbortedError
from ..http.server import make_connection_class
from ..http.threads import limit_page_threads
from ..http.work_queue import ProcessWorkQueue
from ..problems import Problem
from ..seed import open_filled_store
from ..settings import THREAD_STACK_BYTES, Settings
from ..sparql.plan import remove_empty_store
from ..sparql.service import QueryService
from ..sparql.short_path import ShortQueryPath
from ..sparql.workers.pool import WorkerPool
from ..sparql.workers.threads import ThreadQueryWorkers
from ..store.backup.online import offer_control
from ..store.errors import StoreError
from ..store.projection import PROJECTION_ERRORS
from ..store.retention import CautiousClock
from ..store.store import Store
from .serve_start import socket_url

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # constants of malloc.h
# By default there are eight arenas per core, and each keeps the memory that is freed in it.
MAX_MALLOC_ARENAS = 2
# Larger blocks are returned to the system when freed. By default, this threshold grows up to 32 MiB.
MMAP_THRESHOLD_BYTES = 128 * 1024
# A thread that computes in Python, such as for statistics, is interrupted after this time. By default it is
# 5 ms, for which each step of a request would wait.
THREAD_SWITCH_SECONDS = 0.0005


def limit_malloc_memory() -> None:
    """Make malloc use few arenas and return large blocks to the system. Call this before threads start."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_ARENA_MAX, MAX_MALLOC_ARENAS)
        mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)


MAX_WORKERS_DELAY_SECONDS = 5  # of the preparation of other parts, if query workers cannot be started
FIRST_COMPACTION_SECONDS = 10 * 60  # so that a clock that is wrong when the machine starts can be corrected
SECONDS_PER_DAY = 24 * 60 * 60

log = logging.getLogger("wgig")


class SettingsReloader:
    """Applies changed settings and tokens to a running service.

    `service` is the current service, as in `app.state.service`.
    """

    def __init__(
        self,
        app: FastAPI,
        service: Service,
        checks: ProcessWorkQueue,
        pool: WorkerPool | None,
        read: Callable[[], Settings],
    ) -> None:
        """Take the objects that use settings, and `read`, which returns the new settings.

        `read` may raise ValueError or OSError.
        """
        self.app, self.service, self.checks, self.pool, self.read_settings = app, service, checks, pool, read

    async def __call__(self) -> None:
        """Read and apply settings and tokens; after an error, log it and keep the old ones."""
        try:
            await self.reload_settings(self.read_settings())
        except (ValueError, OSError) as error:
            log.error("the settings are unchanged: %s", error)
        await self.check_tokens()

    async def reload_settings(self, new_settings: Settings) -> None:
        """Apply the new settings that can change at run time, and log the names of the others."""
        old_settings = self.service.settings
        changed_fields = [
            field
            for field in fields(Settings)
            if getattr(old_settings, field.name) != getattr(new_settings, field.name)
        ]
        for field in changed_fields:
            if not field.metadata["live"]:
                log.warning("WGIG_%s has changed: restart the service to apply it", field.name.upper())
        live_names = [field.name.upper() for field in changed_fields if field.metadata["live"]]
        if live_names:
            await self.apply_settings(old_settings.with_live(new_settings))
        log.warning("the settings were reloaded; changed: %s", ", ".join(live_names) or "nothing")

    async def apply_settings(self, settings: Settings) -> None:
        """Use these settings from now on, and invalidate the response cache."""
        self.use_service(replace(self.service, settings=settings))
        self.checks.max_seconds = settings.paper_seconds
        if self.pool:
            self.pool.settings = settings
        self.service.tokens.set_settings_secret(settings.token)
        self.service.rate_limiter.apply_settings(settings)
        self.service.telemetry.logs.apply_settings(settings)
        access_log.configure_logging(settings)
        await run_sync(self.service.store.touch)

    def use_service(self, service: Service) -> None:
        """Let the application use a service from now on."""
        self.service = self.app.state.service = service

    async def check_tokens(self) -> None:
        """Read the token file if it has changed, and log errors in it."""
        try:
            await run_sync(self.service.tokens.list_tokens)
        except FileError as error:
            log.error("the tokens cannot be read, so nobody can write: %s", error)


MAX_OPEN_FILES = 65_536  # including connections; the hard limit of the system may be lower
SHUTDOWN_GRACE_SECONDS = 10  # for running requests; then the same again for a running write
SHUTDOWN_NOTICE_SECONDS = 2  # running queries are stopped this long before the end of the grace period


BackgroundJob = Callable[[], Coroutine[Any, Any, object]]


class GracefulServer(uvicorn.Server):
    """A server that prints its address when it listens, and stops immediately at a second signal."""

    def __init__(
        self,
        config: uvicorn.Config,
        url: str,
        reloader: SettingsReloader,
        background: Sequence[BackgroundJob] = (),
        *,
        on_terminal: bool = False,
    ) -> None:
        """Take the address to print, if any, and the `background` jobs to run when the server listens.

        `on_terminal` is whether it was started from a terminal.
        """
        super().__init__(config)
        self.url, self.reloader, self.background_jobs = url, reloader, background
        self.is_on_terminal = on_terminal
        self.is_reload_requested = False
        self.stop_time: float | None = None  # when the socket closes, by the monotonic clock
        self.ignores_interrupts = False  # whether Ctrl-C is for another process
        self.on_stopped: BackgroundJob | None = None  # runs after the last response
        self.is_replaced = False  # whether another process accepts the connections
        self.response_headers: list[tuple[bytes, bytes]] = []  # of every response; one shared list

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, print the address, and start the background jobs."""
        await super().startup(sockets)
        if self.started and self.url:
            threading.Thread(target=print_service_url, args=(self.url,), daemon=True).start()
        self.background_tasks = [asyncio.create_task(job()) for job in self.background_jobs]

    async def on_tick(self, counter: int) -> bool:
        """Update the Date header of all responses, including those to requests that wait.

        uvicorn updates the header once a second, but a response would have the value from the start of its
        request.
        """
        # uvicorn updates the Date header at multiples of 10, so with this argument at each tick.
        should_stop = await super().on_tick(counter - counter % 10)
        self.response_headers[:] = self.server_state.default_headers
        self.server_state.default_headers = self.response_headers
        if self.is_replaced:
            should_stop = should_stop or not self.server_state.connections
        if self.is_reload_requested:
            self.is_reload_requested = False
            self.reload_task = asyncio.create_task(self.reloader())
        return should_stop or (self.stop_time is not None and time.monotonic() >= self.stop_time)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for running requests. Requests that are aborted are not logged as errors."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        shutdown_task = asyncio.create_task(super().shutdown(sockets))
        asyncio.get_running_loop().call_later(
            SHUTDOWN_GRACE_SECONDS - SHUTDOWN_NOTICE_SECONDS, self.reloader.service.running.cancel_all
        )
        # Since Python 3.12, closing a server waits for its last connection, even after force_exit.
        while not (shutdown_task.done() or self.force_exit):
            await asyncio.sleep(0.1)
        shutdown_task.cancel()
        if self.on_stopped:
            await self.on_stopped()
        if self.reloader.pool:
            await self.reloader.pool.close()

    def handle_hangup(self, sig: int, frame: FrameType | None) -> None:
        """Request a reload of settings and tokens; or stop if the terminal of the server was closed."""
        if self.is_on_terminal and not os.isatty(0):
            return self.handle_exit(sig, frame)
        self.is_reload_requested = True
        return None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Shut down gracefully; at a second signal, stop immediately."""
        if sig == signal.SIGINT and self.ignores_interrupts:
            return
        if self.stop_time is None:
            service = self.reloader.service
            self.stop_time = time.monotonic() + service.settings.drain_seconds
            service.status.stopping = True
        else:
            self.force_exit = self.should_exit = True
        del frame


def print_service_url(url: str) -> None:
    """Print the address; waits while standard output is a full pipe. An output error is ignored."""
    with suppress(OSError):
        print(f"Serving on {url} (stop with Ctrl-C)", flush=True)


REFUSAL_MESSAGES = (  # of uvicorn, or how they begin
    "Invalid HTTP request received.",
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
)


def is_unexpected_error(record: logging.LogRecord) -> bool:
    """Whether a log record is an unexpected error.

    Responses that were aborted on purpose are none, nor are refused requests: clients could fill the log with
    them. The request log and the metrics have both.
    """
    is_aborted = record.exc_info and isinstance(record.exc_info[1], ResponseAbortedError)
    return not (is_aborted or str(record.msg).startswith(REFUSAL_MESSAGES))


def serve_until_stopped(
    arguments: argparse.Namespace, settings: Settings, listener: socket.socket
) -> NoReturn:
    """Serve until SIGINT or SIGTERM, then end the process with code 0.

    Running requests have SHUTDOWN_GRACE_SECONDS to finish. Raises ValueError, OSError, FileError or
    StoreError.
    """
    if settings.workers > 1 and settings.readers and not settings.remote_query:
        from .serve_fronts import Supervisor  # noqa: PLC0415  only needed with several processes

        Supervisor(arguments, settings, listener).run()
    prepare_process()
    running = open_service(arguments, settings)
    if settings.workers > 1 and not settings.readers:
        log.warning("one process speaks HTTP instead of %d, because WGIG_READERS is 0", settings.workers)
    server = GracefulServer(
        build_server_config(running.app, running.service, lambda: running.reloader.service.queries),
        socket_url(listener),
        running.reloader,
        running.background,
        on_terminal=os.isatty(0),
    )
    install_signal_handlers(server)
    gc.freeze()  # what exists now is used until the end
    gc.enable()
    server.run(sockets=[listener])
    running.close(0 if server.force_exit else SHUTDOWN_GRACE_SECONDS)


class OpenService(NamedTuple):
    """A service with an open store, its application, its reloader and its background jobs."""

    service: Service
    app: FastAPI
    reloader: SettingsReloader
    background: list[BackgroundJob]

    def close(self, grace_seconds: float) -> NoReturn:
        """Close the store when a running write has ended, for which it waits, then end the process."""
        service = self.service
        if service.store.close(grace_seconds):
            service.projections.save()
        if service.telemetry.tracing:
            service.telemetry.tracing.shutdown()
        remove_empty_store()
        access_log.log_service_message("Stopped.")
        logging.shutdown()
        os._exit(0)  # a query that still runs on a thread would keep the process alive


def open_service(
    arguments: argparse.Namespace,
    settings: Settings,
    make_registry: Callable[[Store], FrontRegistry] | None = None,
) -> OpenService:
    """Open the store and make the service. With `make_registry`, it is behind front processes.

    Raises ValueError, FileError or StoreError.
    """
    report = access_log.log_service_message
    tracing = telemetry.make_tracing_from_environment()
    store = open_filled_store(settings, report)
    offer_control(store, report)
    checks = ProcessWorkQueue(**QUEUES["checks"], max_seconds=settings.paper_seconds)
    pool, registry = None, make_registry(store) if make_registry else None
    if registry:
        pool = registry.pool
    elif settings.readers and not settings.remote_query:
        pool = WorkerPool(store, settings)
    tokens = TokenStore(
        settings.token_file,
        settings.token,
        build_configured_issuer(settings),
        Path(settings.settings) if settings.settings else None,
    )
    tokens.list_tokens()  # report an invalid token file now
    backends = open_backends(settings, store, pool)
    service = make_service(settings, store, backends=backends, checks=checks, tokens=tokens, tracing=tracing)
    if registry:
        service = replace(service, peers=registry)
    if pool:
        pool.report_damage = service.status.report_damage
    service.notifier.open()
    app = create_app(service, is_behind_fronts=registry is not None)
    reloader = SettingsReloader(app, service, checks, pool, partial(Settings.from_arguments, arguments))
    follow_rules: Callable[[], None] | None = None
    if settings.rules:
        from ..rules.follower import RulesFollower  # noqa: PLC0415  with rdflib, 0.3 s

        follow_rules = RulesFollower(service.writes).start
    return OpenService(service, app, reloader, list_background_jobs(service, pool, follow_rules))


def prepare_process() -> None:
    """Set limits of the process: open files, stacks of threads, arenas of malloc, time slices of threads.

    Garbage is not collected until the server runs: a start makes little, and looking for it takes 0.1 s.
    """
    gc.disable()
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard_limit, MAX_OPEN_FILES), hard_limit))
    limit_malloc_memory()
    threading.stack_size(THREAD_STACK_BYTES)
    sys.setswitchinterval(THREAD_SWITCH_SECONDS)


def open_backends(settings: Settings, store: Store, pool: WorkerPool | None) -> QueryBackends:
    """The backends that evaluate queries: worker processes, the shared store, or threads of this process."""
    if pool:
        return QueryBackends(pool, pool)
    if not settings.remote_query:
        return make_inline_backends(store)
    from ..remote.queries import RemoteQueryWorkers  # noqa: PLC0415  costs 0.1 s, and most stores are not shared
    from ..remote.store import SharedStore  # noqa: PLC0415

    assert isinstance(store, SharedStore)
    remote_workers = RemoteQueryWorkers(store, settings)
    return QueryBackends(remote_workers, ThreadQueryWorkers(store), remote_workers.follower)


def list_background_jobs(
    service: Service, pool: WorkerPool | None, follow_rules: Callable[[], None] | None
) -> list[BackgroundJob]:
    """The jobs to run in the background after the start, so that no request waits for them."""
    papers, judgments = service.projections.paper_counts, service.projections.judgment_counts
    return [
        # With a shared store, threads wait for its servers most of the time.
        *([] if service.settings.remote_query else [limit_page_threads]),
        partial(prepare_parts, service, pool, follow_rules),
        partial(prepare_home, service.settings.base, [papers["issue"], judgments, papers["posted"]]),
        service.notifier.resume,
        *([partial(compact_daily, service)] if service.settings.history_days else []),
    ]


async def prepare_parts(
    service: Service, pool: WorkerPool | None, follow_rules: Callable[[], None] | None = None
) -> None:
    """Prepare the parts of the service, the query workers first: the others would delay the first query.

    The first check starts its process, which takes 0.5 s: with the SHACL engine, it has 55 MB.
    """
    projections = service.projections
    if pool:
        await asyncio.wait([asyncio.create_task(pool.start())], timeout=MAX_WORKERS_DELAY_SECONDS)
    service.store.update_in_background()
    if follow_rules:
        follow_rules()
    jobs = (
        asyncio.to_thread(projections.open_saved),
        asyncio.to_thread(projections.search_index.open),
        asyncio.to_thread(projections.resource_versions.open),
    )
    for outcome in await asyncio.gather(*jobs, return_exceptions=True):
        if isinstance(outcome, StoreError):  # requests that need the part report it again
            access_log.log_service_message(str(outcome))
    await projections.resource_versions.scan_when_due()
    if pool:
        await pool.wait_until_copied()
    for projection in projections.saved:
        with suppress(Problem, *PROJECTION_ERRORS):  # it is logged, and requests build it again
            await projection.wait_until_current()


async def compact_daily(service: Service) -> None:
    """Remove the versions that are older than WGIG_HISTORY_DAYS, soon and then each day."""
    clock = CautiousClock()
    await asyncio.sleep(FIRST_COMPACTION_SECONDS)
    while True:
        before = clock.now() - timedelta(days=service.settings.history_days)
        try:
            await asyncio.to_thread(service.store.compact, before)
        except StoreError as error:  # such as a full disk
            access_log.log_service_message(f"Old versions could not be removed: {error}")
        await asyncio.sleep(SECONDS_PER_DAY)


class ServerParts(Protocol):
    """What the server of HTTP needs of a service."""

    @property
    def settings(self) -> Settings:
        """The settings."""

    @property
    def raw_cache(self) -> RawResponseCache:
        """The responses by the bytes of requests."""

    @property
    def request_recorder(self) -> RequestRecorder:
        """The recorder of requests."""

    @property
    def rate_limiter(self) -> RateLimiter:
        """The limit of requests of each client."""


def build_server_config(
    app: ASGIApp, service: ServerParts, get_queries: Callable[[], QueryService]
) -> uvicorn.Config:
    """The configuration of uvicorn for the application. `get_queries` returns its current QueryService."""
    settings = service.settings
    has_proxies = bool(settings.proxies)
    return uvicorn.Config(
        app,
        http=make_connection_class(
            settings.base,
            service.raw_cache,
            service.request_recorder,
            service.rate_limiter,
            ShortQueryPath(get_queries, service.raw_cache),
            by_peer=has_proxies,
        ),
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=has_proxies,
        forwarded_allow_ips=settings.proxies,
        timeout_graceful_shutdown=SHUTDOWN_GRACE_SECONDS,
    )


def install_signal_handlers(server: GracefulServer, reload_signal: int = signal.SIGHUP) -> None:
    """Handle a signal as a reload; keep aborted responses out of the log. Stop if told so before the start.

    From its start, uvicorn handles SIGINT and SIGTERM. It raises them again after the shutdown.
    """

    def handle_early_exit(sig: int, frame: FrameType | None) -> None:
        if not server.started:
            server.handle_exit(sig, frame)

    signal.signal(reload_signal, server.handle_hangup)
    logging.getLogger("uvicorn.error").addFilter(is_unexpected_error)
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_, handle_early_exit)
