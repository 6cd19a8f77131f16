"""`wgig serve --workers N`: a supervisor, one process that writes, and N front processes that speak HTTP.

The supervisor has one thread and no store, so that it can fork. It replaces a process that has exited or was
stopped. The listening socket is bound once, and all front processes accept its connections.
"""

import argparse
import asyncio
import gc
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, cast

import uvloop
from anyio.to_thread import run_sync

from ..about.health import FRONT_READY_TIMEOUT_SECONDS, list_unready_reasons
from ..app import QUEUES
from ..files import FileError
from ..fronts.app import (
    FrontApp,
    FrontQueryService,
    FrontService,
    make_raw_cache,
    make_recorder,
    snapshot_metrics,
)
from ..fronts.bridge import STREAM_BUFFER_BYTES, BridgeClient, BridgeServer
from ..fronts.control import CallHandler, FrontRegistry, WriterLink
from ..fronts.shared_memory import SharedMemory
from ..fronts.workers import FrontWorkers
from ..http import access_log, telemetry
from ..http.access_log import AccessLogs, Telemetry
from ..http.limits import RateLimiter
from ..http.work_queue import WorkQueue
from ..settings import Settings
from ..sparql.federation import SearchCallHandler
from ..sparql.language.hints import find_query_hints
from ..sparql.language.parser import ParsedSparqlText
from ..sparql.running import RunningQueries
from ..sparql.workers.pool import WorkerPool
from ..store.errors import StoreError
from ..store.store import Store
from .serve import (
    SHUTDOWN_GRACE_SECONDS,
    GracefulServer,
    OpenService,
    SettingsReloader,
    build_server_config,
    end_with_parent,
    install_signal_handlers,
    open_service,
    prepare_process,
    print_service_url,
    socket_url,
)

WRITER_READERS = 2  # query workers of the writer, for its pages
MIN_FRONT_READERS = 3  # query workers of a front process, of which one client has at most all but one
RESTART_SECONDS = 1.0  # between two starts of the same process
POLL_SECONDS = 0.5  # between two looks for stopped processes
DRAIN_POLL_SECONDS = 0.05  # between two looks for running requests, when the writer ends
STOPPED_STATES = (b"T", b"t")  # of a process, in proc(5)
SUPERVISOR_SIGNALS = (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
MAX_WAITING_CONNECTIONS = 2048  # to be accepted


class ChildProcess:
    """A process of the service, which the supervisor starts again when it has exited."""

    def __init__(self, name: str, run: Callable[[], NoReturn]) -> None:
        """`run` is called in the process."""
        self.name, self.run = name, run
        self.id: int | None = None
        self.started_at = 0.0
        self.was_stopped = False

    def start(self) -> None:
        """Fork the process."""
        self.started_at, self.was_stopped = time.monotonic(), False
        parent = os.getpid()
        self.id = os.fork()
        if self.id:
            return
        try:
            end_with_parent(parent)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SUPERVISOR_SIGNALS)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor
            self.run()
        except (ValueError, OSError, FileError, StoreError) as error:
            print(f"wgig: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(1)

    def send_signal(self, signal_: signal.Signals) -> None:
        """Send a signal, if the process is running."""
        if self.id:
            with suppress(ProcessLookupError):
                os.kill(self.id, signal_)

    def kill_if_stopped(self) -> None:
        """Kill the process if it has been stopped since the last call, so that it is started again."""
        is_stopped = self.id is not None and read_process_state(self.id) in STOPPED_STATES
        if is_stopped and self.was_stopped:
            self.send_signal(signal.SIGKILL)
        self.was_stopped = is_stopped


def read_process_state(process_id: int) -> bytes:
    """The state of a process as one letter (proc(5)); empty if it is unknown."""
    try:
        return Path(f"/proc/{process_id}/stat").read_bytes().rpartition(b") ")[2][:1]
    except OSError:
        return b""


class Supervisor:
    """Starts the processes of a service, and replaces those that have exited until it is told to stop."""

    def __init__(self, arguments: argparse.Namespace, settings: Settings, listener: socket.socket) -> None:
        """Bind the socket of the writer."""
        self.arguments, self.settings, self.listener = arguments, settings, listener
        self.memory = SharedMemory()
        self.folder = Path(tempfile.mkdtemp(prefix="wgig-"))  # only this user can open it
        self.bridge_path = self.folder / "writer"
        self.bridge_listener = socket.socket(socket.AF_UNIX)
        self.bridge_listener.bind(str(self.bridge_path))
        self.bridge_listener.listen(MAX_WAITING_CONNECTIONS)
        # To the write end, the first writer writes when it has opened the store.
        self.ready_read_end, self.ready_write_end = cast(tuple[int, int | None], os.pipe())
        self.writer = ChildProcess("writer", self.run_writer)
        self.fronts = [
            ChildProcess(f"front {number}", partial(self.run_front, number))
            for number in range(settings.workers)
        ]
        self.is_stopping, self.is_on_terminal = False, os.isatty(0)

    def run(self) -> NoReturn:
        """Run until SIGINT or SIGTERM, then end the process."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SUPERVISOR_SIGNALS)
        self.writer.start()
        os.close(cast(int, self.ready_write_end))
        self.ready_write_end = None
        if not os.read(self.ready_read_end, 1):  # the writer has exited
            _, status = os.waitpid(cast(int, self.writer.id), 0)
            self.end(os.waitstatus_to_exitcode(status))
        self.listener.listen(MAX_WAITING_CONNECTIONS)
        for front in self.fronts:
            front.start()
        print_service_url(socket_url(self.listener))
        while any(child.id for child in self.children):
            received = signal.sigtimedwait(SUPERVISOR_SIGNALS, POLL_SECONDS)
            if received:
                self.handle_signal(signal.Signals(received.si_signo))
            self.reap_children()
            for child in self.children:
                child.kill_if_stopped()  # as it would not end either
            if not self.is_stopping:
                self.restart_children()
            elif not any(front.id for front in self.fronts):
                self.writer.send_signal(signal.SIGTERM)
        self.end(0)

    @property
    def children(self) -> list[ChildProcess]:
        """All processes."""
        return [self.writer, *self.fronts]

    def handle_signal(self, signal_: signal.Signals) -> None:
        """Stop the service, at a second signal at once; or pass a reload on."""
        was_terminal_closed = self.is_on_terminal and not os.isatty(0)
        if signal_ == signal.SIGHUP and not was_terminal_closed:
            for child in self.children:
                child.send_signal(signal.SIGHUP)
        elif signal_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for child in self.children if self.is_stopping else self.fronts:
                child.send_signal(signal.SIGKILL if self.is_stopping else signal.SIGTERM)
            self.is_stopping = True
            self.writer.send_signal(signal.SIGUSR1)

    def reap_children(self) -> None:
        """Notice the processes that have exited."""
        for child in self.children:
            if child.id and os.waitpid(child.id, os.WNOHANG)[0]:
                child.id = None
                if not self.is_stopping:
                    print(f"wgig: the {child.name} process has exited and is restarted", file=sys.stderr)

    def restart_children(self) -> None:
        """Start the processes that have exited."""
        for child in self.children:
            if child.id is None and time.monotonic() - child.started_at >= RESTART_SECONDS:
                child.start()

    def end(self, exit_code: int) -> NoReturn:
        """Remove the sockets and end the process."""
        shutil.rmtree(self.folder, ignore_errors=True)
        sys.stdout.flush()
        os._exit(exit_code)

    def run_writer(self) -> NoReturn:
        """The process that writes."""
        self.listener.close()
        prepare_process()
        settings = self.settings

        def make_registry(store: Store) -> FrontRegistry:
            pool_settings = replace(settings, readers=WRITER_READERS)
            pool = WorkerPool(store, pool_settings, self.memory.version + 1, self.set_version)
            return FrontRegistry(pool)

        writer = open_service(self.arguments, settings, make_registry)
        if self.ready_write_end is not None:
            os.write(self.ready_write_end, b"r")
        gc.freeze()
        gc.enable()
        uvloop.run(serve_bridge(writer, self.bridge_listener))
        writer.close(SHUTDOWN_GRACE_SECONDS)

    def set_version(self, version: int) -> None:
        """Announce a version of the data to all processes."""
        self.memory.version = version

    def run_front(self, number: int) -> NoReturn:
        """A process that speaks HTTP."""
        self.bridge_listener.close()
        access_log.request_ids.restart()
        prepare_process()
        service, link, app = self.make_front(number)
        reloader = FrontReloader(app, service, partial(Settings.from_arguments, self.arguments))
        config = build_server_config(app, service, lambda: reloader.service.queries)
        server = GracefulServer(config, "", reloader, [service.workers.listen, link.keep])
        install_signal_handlers(server)
        gc.freeze()
        gc.enable()
        server.run(sockets=[self.listener])
        os._exit(0)

    def make_front(self, number: int) -> tuple[FrontService, WriterLink, FrontApp]:
        """The components of a front process, its link to the writer and its application."""
        settings = replace(self.settings, cache_bytes=self.settings.cache_bytes // self.settings.workers)
        worker_path = self.folder / f"front-{number}-{os.getpid()}"
        size = max(MIN_FRONT_READERS, settings.readers // settings.workers)
        workers = FrontWorkers(worker_path, size, settings, self.memory)
        running = RunningQueries()
        tracing = telemetry.make_tracing_from_environment()
        telemetry_ = Telemetry(telemetry.Metrics(), AccessLogs(settings), tracing)

        async def list_running() -> list[tuple[str, float, str, str]]:
            return running.describe_current()

        async def cancel(id_: str) -> bool:
            return running.cancel(id_)

        async def collect_metrics() -> dict[str, Any]:
            return snapshot_metrics(service)

        async def probe() -> list[str]:
            return await list_unready_reasons(workers, FRONT_READY_TIMEOUT_SECONDS)

        handlers: dict[str, CallHandler] = {
            "probe": probe,
            "running": list_running,
            "cancel": cancel,
            "metrics": collect_metrics,
        }
        link = WriterLink(str(self.bridge_path), (str(worker_path), size), handlers)
        workers.request_worker = lambda: link.notify("worker")
        queries = FrontQueryService(
            settings=settings,
            store=cast(Store, None),  # it is not used for what a front process answers
            workers=workers,
            internal_workers=workers,
            running=running,
            telemetry=telemetry_,
            checks=WorkQueue(**QUEUES["checks"]),
            plans=WorkQueue(**QUEUES["plans"]),
            calls=WorkQueue(**QUEUES["calls"]),
            search_call=cast(SearchCallHandler, None),  # for a call of the search, the writer is asked
            writer=link,
        )
        service = FrontService(
            settings=settings,
            queries=queries,
            workers=workers,
            telemetry=telemetry_,
            rate_limiter=RateLimiter(settings, self.memory.buckets),
            raw_cache=make_raw_cache(workers, telemetry_, settings.cache_bytes),
            request_recorder=make_recorder(telemetry_),
            running=running,
        )
        return service, link, FrontApp(service, BridgeClient(str(self.bridge_path), settings.base))


class FrontReloader(SettingsReloader):
    """Applies changed settings to a front process."""

    service: FrontService  # type: ignore[assignment]

    def __init__(self, app: FrontApp, service: FrontService, read: Callable[[], Settings]) -> None:
        """Take the objects that use settings, and `read`, which returns the new settings."""
        super().__init__(app, service, None, service.workers, read)  # type: ignore[arg-type]

    async def apply_settings(self, settings: Settings) -> None:
        """Use these settings from now on."""
        service = self.service
        queries = replace(service.queries, settings=settings)
        self.use_service(replace(service, settings=settings, queries=queries))  # type: ignore[arg-type]
        service.workers.apply_settings(settings)
        service.rate_limiter.apply_settings(settings)
        service.telemetry.logs.apply_settings(settings)
        access_log.configure_logging(settings)

    async def check_tokens(self) -> None:
        """Do nothing, as the writer checks tokens."""


async def serve_bridge(writer: OpenService, listener: socket.socket) -> None:
    """Handle the requests of front processes until SIGTERM."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    service = writer.service

    async def find_hints(text: str) -> list[tuple[Any, ...]]:
        hints = await run_sync(find_query_hints, ParsedSparqlText(text), service.store, service.settings.base)
        return [(*hint[:-1], hint.edit and tuple(hint.edit)) for hint in hints]

    registry = cast(FrontRegistry, service.peers)
    registry.handlers["hints"] = find_hints
    bridge = BridgeServer(writer.app, registry.serve_control)
    server = await asyncio.start_unix_server(
        bridge.serve_connection, sock=listener, limit=STREAM_BUFFER_BYTES
    )
    tasks = [asyncio.create_task(job()) for job in writer.background]
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, setattr, service.status, "stopping", True)
    loop.add_signal_handler(signal.SIGHUP, lambda: tasks.append(asyncio.create_task(writer.reloader())))
    await stop.wait()
    server.close()
    # If the supervisor was killed, front processes may still wait for responses, such as to writes.
    end = loop.time() + SHUTDOWN_GRACE_SECONDS
    while bridge.request_count and loop.time() < end:
        await asyncio.sleep(DRAIN_POLL_SECONDS)
    await registry.pool.close()
