"""`wgig serve --workers N`: a supervisor, one process that writes, and N front processes that speak HTTP.

The supervisor has one thread and no store, so that it can fork. It replaces a process that has exited or was
stopped. The listening socket is bound once, and all front processes accept its connections.

The supervisor also forks the forker (`sparql.workers.forker`), for the writer. When this has the quads in
memory, it forks the front processes, so that they share the memory. They take the place of those that the
supervisor has forked without a copy of the quads.
"""

import argparse
import asyncio
import gc
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, cast

import uvicorn
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
from ..fronts.copy import FrontCopy
from ..fronts.listener import ConnectionCounts, SharedListener
from ..fronts.shared_loans import SharedLoans
from ..fronts.shared_memory import SharedMemory
from ..fronts.workers import FrontWorkers
from ..http import access_log, telemetry
from ..http.access_log import AccessLogs, Telemetry
from ..http.limits import RateLimiter
from ..http.server import ServerConnection
from ..http.work_queue import WorkQueue
from ..problems import Problem
from ..processes import (
    ForeignProcess,
    adopt_orphans,
    end_with_parent,
    list_process_tree,
    name_process,
    read_process_state,
    send_signal,
)
from ..settings import MIB, Settings
from ..sparql.federation import SearchCallHandler
from ..sparql.language.hints import find_query_hints
from ..sparql.language.parser import ParsedSparqlText
from ..sparql.running import RunningQueries
from ..sparql.workers.connections import OWN_FORKERS, ForkerOptions
from ..sparql.workers.counted_quads import CountedQuads
from ..sparql.workers.forker import FrontForking, run_forker
from ..sparql.workers.pool import WorkerPool
from ..sparql.workers.protocol import ForkerLimits
from ..store.errors import StoreError
from ..store.folder import QUADS_FOLDER
from ..store.store import Store
from .parser import EXIT_FAILED, EXIT_UNREADABLE
from .serve import (
    SHUTDOWN_GRACE_SECONDS,
    BackgroundJob,
    GracefulServer,
    OpenService,
    SettingsReloader,
    build_server_config,
    install_signal_handlers,
    open_service,
    prepare_process,
    print_service_url,
)
from .serve_start import socket_url

log = logging.getLogger("wgig")

WRITER_READERS = 2  # query workers of the writer, for its pages
MIN_FRONT_READERS = 3  # query workers of a front process, of which one client has at most all but one
RESTART_SECONDS = 1.0  # between two starts of the same process
POLL_SECONDS = 0.5  # between two looks for stopped processes
DRAIN_POLL_SECONDS = 0.05  # between two looks for running requests, when the writer ends
STOPPED_STATES = (b"T", b"t")  # of a process, in proc(5)
REQUEST_SIGNAL = signal.SIGUSR1  # to the supervisor: a process has sent a request
REPLACED_SIGNAL = signal.SIGUSR2  # to a front process: another one accepts the connections
RELOAD_SIGNAL = signal.SIGRTMIN  # to the writer and front processes, which ignore SIGHUP: all reload, or none
SUPERVISOR_SIGNALS = (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, REQUEST_SIGNAL)
FORKER_REQUEST, FRONT_REQUEST = "forker", "front"  # to the supervisor
MAX_REPLACED_FRONTS = 3  # of each number, while clients use them
MAX_FRONTS_PER_NUMBER = 8  # current, replaced, starting or ending
MAX_REQUEST_BYTES = 64 * 1024  # of a request to the supervisor
MAX_WAITING_CONNECTIONS = 2048  # to be accepted
SMALL_STORE_BYTES = 4 * MIB  # of tables on disk: 15,000 quads, which are copied in 0.1 s


class ChildProcess:
    """A process of the service, which the supervisor starts again when it has exited."""

    def __init__(self, name: str, run: Callable[[], object], process_id: int | None = None) -> None:
        """`run` is called in the process; `process_id` is its ID if it has started."""
        self.name, self.run, self.id = name, run, process_id
        self.is_ending = False  # whether it was told to end
        self.started_at = time.monotonic() if process_id else 0.0
        self.was_stopped = False

    def start(self) -> None:
        """Fork the process."""
        self.started_at, self.was_stopped, self.is_ending = time.monotonic(), False, False
        self.id = fork_process(self.run)

    def send_signal(self, signal_: int) -> None:
        """Send a signal, if the process is running."""
        if self.id:
            send_signal(self.id, signal_)

    def terminate(self) -> None:
        """Let the process end, once: at a second SIGTERM, it would not finish its requests."""
        if not self.is_ending:
            self.is_ending = True
            self.send_signal(signal.SIGTERM)

    def kill_if_stopped(self) -> None:
        """Kill the process if it has been stopped since the last call, so that it is started again."""
        is_stopped = self.id is not None and read_process_state(self.id) in STOPPED_STATES
        if is_stopped and self.was_stopped:
            self.send_signal(signal.SIGKILL)
        self.was_stopped = is_stopped


def fork_process(run: Callable[[], object]) -> int:
    """Fork a process that calls `run`. Returns its ID."""
    parent = os.getpid()
    process_id = os.fork()
    if not process_id:
        run_child(parent, run)
    return process_id


def run_child(parent: int, run: Callable[[], object]) -> NoReturn:
    """Call `run` in a child of the process `parent`, with which it ends."""
    exit_code = EXIT_FAILED
    try:
        end_with_parent(parent)
        for signal_ in (signal.SIGINT, signal.SIGHUP):  # they are for the supervisor
            signal.signal(signal_, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SUPERVISOR_SIGNALS)
        run()
    except (ValueError, OSError, FileError, Problem, StoreError) as error:
        print(f"wgig: {error}", file=sys.stderr, flush=True)
        if isinstance(error, Problem):
            exit_code = EXIT_UNREADABLE
    except Exception:
        log.exception("a process of the service failed")
    finally:
        os._exit(exit_code)


def is_small_store(folder: Path) -> bool:
    """Whether the copy of the quads of a store to memory takes less time than a front process without it.

    A front process that starts without the copy is replaced soon, so that each client has to connect again.
    """
    with suppress(FileNotFoundError):  # a table that the engine has just merged with others
        tables = (folder / QUADS_FOLDER).glob("*.sst")
        return sum(table.stat().st_size for table in tables) < SMALL_STORE_BYTES
    return False


@contextmanager
def report_fork_errors() -> Iterator[None]:
    """Log why a process could not be forked, such as for lack of memory; it is tried again later."""
    try:
        yield
    except OSError as error:
        log.error("a process could not be started: %s", error)


def describe_exit(status: int) -> str:
    """How a process ended, by its status of `waitpid`."""
    code = os.waitstatus_to_exitcode(status)
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"has exited with code {code}"


class SupervisorRequests:
    """The requests of other processes to the supervisor, which gets REQUEST_SIGNAL for each."""

    def __init__(self) -> None:
        """Create the socket; the current process is the supervisor."""
        self.receiver, self.sender = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.receiver.setblocking(False)
        self.supervisor_id = os.getpid()

    def send(self, name: str, arguments: Sequence[Any], descriptors: Sequence[int] = ()) -> None:
        """Send a request with arguments that JSON can represent, and file descriptors. Raises OSError."""
        socket.send_fds(self.sender, [json.dumps([name, arguments]).encode()], descriptors)
        os.kill(self.supervisor_id, REQUEST_SIGNAL)

    def receive(self) -> Iterator[tuple[str, list[Any], list[int]]]:
        """The requests that have arrived."""
        with suppress(BlockingIOError):
            while True:
                packed, descriptors, _, _ = socket.recv_fds(self.receiver, MAX_REQUEST_BYTES, 3)
                name, arguments = json.loads(packed)
                yield name, arguments, descriptors


class Supervisor:
    """Starts the processes of a service, and replaces those that have exited until it is told to stop."""

    def __init__(self, arguments: argparse.Namespace, settings: Settings, listener: socket.socket) -> None:
        """Bind the socket of the writer."""
        self.arguments, self.settings, self.listener = arguments, settings, listener
        self.memory, self.requests = SharedMemory(settings.workers), SupervisorRequests()
        self.front_readers = max(MIN_FRONT_READERS, settings.readers // settings.workers)
        self.loans = SharedLoans(
            MAX_FRONTS_PER_NUMBER * settings.workers,
            2 * self.front_readers,  # as many as there are while all are busy
            max(1, settings.readers - 1),  # as with one process
        )
        self.process_id = os.getpid()
        # Without it, the supervisor does not get the front processes that a forker has forked.
        self.forks_from_copy = adopt_orphans()
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
        self.replaced = list[ChildProcess]()  # front processes that others have replaced, oldest first
        self.forkers = list[ChildProcess]()
        self.starting_fronts = {*range(settings.workers)}  # numbers of those that have not served yet
        self.is_stopping, self.is_on_terminal = False, os.isatty(0)

    def run(self) -> NoReturn:
        """Run until SIGINT or SIGTERM, then end the process."""
        access_log.configure_logging(self.settings, forks=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, (*SUPERVISOR_SIGNALS, RELOAD_SIGNAL))
        self.writer.start()
        os.close(cast(int, self.ready_write_end))
        self.ready_write_end = None
        if not os.read(self.ready_read_end, 1):  # the writer has exited
            _, status = os.waitpid(cast(int, self.writer.id), 0)
            self.end(os.waitstatus_to_exitcode(status))
        self.listener.listen(MAX_WAITING_CONNECTIONS)
        for front in self.fronts:
            if self.forks_from_copy and self.settings.reader_quads and is_small_store(self.settings.store):
                front.started_at = time.monotonic()  # they start later, if there is no copy soon
            else:
                front.start()
        while any(child.id for child in self.children) or self.replaced:
            received = signal.sigtimedwait(SUPERVISOR_SIGNALS, POLL_SECONDS)
            with report_fork_errors():
                if received:
                    self.handle_signal(signal.Signals(received.si_signo))
            self.reap_children()
            for child in [*self.children, *self.replaced, *self.forkers]:
                child.kill_if_stopped()  # as it would not end either
            if not self.is_stopping:
                with report_fork_errors():
                    self.restart_children()
            elif not (self.replaced or any(front.id for front in self.fronts)):
                self.writer.send_signal(signal.SIGTERM)
        self.end(0)

    @property
    def children(self) -> list[ChildProcess]:
        """All processes."""
        return [self.writer, *self.fronts]

    def handle_signal(self, signal_: signal.Signals) -> None:
        """Stop the service, at a second signal at once; or pass a reload on."""
        was_terminal_closed = self.is_on_terminal and not os.isatty(0)
        if signal_ == REQUEST_SIGNAL:
            self.handle_requests()
        elif signal_ == signal.SIGHUP and not was_terminal_closed:
            self.memory.set_reloaded()
            self.send_to_all(RELOAD_SIGNAL)
        elif signal_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if self.is_stopping:
                self.send_to_all(signal.SIGKILL)
            for front in [*self.fronts, *self.replaced]:
                front.terminate()
            self.is_stopping = True
            self.writer.send_signal(signal.SIGUSR1)

    def send_to_all(self, signal_: int) -> None:
        """Send a signal to the writer and all front processes, also to those that were replaced."""
        for child in [*self.children, *self.replaced]:
            child.send_signal(signal_)

    def handle_requests(self) -> None:
        """Handle the requests of other processes."""
        for name, arguments, descriptors in self.requests.receive():
            if name == FORKER_REQUEST:
                self.fork_forker(ForkerLimits(*arguments), descriptors)
            else:
                self.on_front_serving(*arguments)

    def fork_forker(self, limits: ForkerLimits, descriptors: list[int]) -> None:
        """Fork a forker with its two sockets. Its process ID is written to the third descriptor."""

        def run() -> None:
            self.close_inherited_sockets()
            self.bridge_listener.close()
            os.close(descriptors[2])
            connection, workers_socket = (socket.socket(fileno=descriptor) for descriptor in descriptors[:2])
            fronts = FrontForking(self.run_copied_front, (self.listener, self.requests.sender))
            run_forker(connection, workers_socket, limits, fronts)

        try:
            forker = ChildProcess("forker", run)
            forker.start()
            self.forkers.append(forker)
            os.write(descriptors[2], b"%d" % (forker.id or 0))
        finally:
            for descriptor in descriptors:  # without a process ID, the writer tries again later
                os.close(descriptor)

    def on_front_serving(self, number: int, process_id: int) -> None:
        """Print the address of the service when all front processes serve, as /ready is 200 from then on."""
        if not read_process_state(process_id):
            return  # it has exited since
        # A process that was replaced before it was linked to the writer stays replaced.
        if process_id not in [front.id for front in (*self.fronts, *self.replaced)]:
            self.adopt_front(number, process_id)
        if self.memory.has_reloaded:  # perhaps after the process has read its settings
            send_signal(process_id, RELOAD_SIGNAL)
        if self.starting_fronts:
            self.starting_fronts.discard(number)
            if not self.starting_fronts:
                print_service_url(socket_url(self.listener))

    def adopt_front(self, number: int, process_id: int) -> None:
        """Let a front process that was forked from the copy of the quads take the place of another one.

        The other one ends when its clients have closed their connections. Of those that were replaced before,
        MAX_REPLACED_FRONTS remain.
        """
        old = self.fronts[number]
        front = self.fronts[number] = ChildProcess(old.name, old.run, process_id)
        if old.id:
            self.replaced.append(old)
            old.send_signal(REPLACED_SIGNAL)
        surplus = [replaced for replaced in self.replaced if replaced.name == front.name][
            :-MAX_REPLACED_FRONTS
        ]
        for child in [*surplus, front] if self.is_stopping else surplus:
            child.terminate()

    def reap_children(self) -> None:
        """Notice the processes that have exited."""
        with suppress(ChildProcessError):
            while True:
                process_id, status = os.waitpid(-1, os.WNOHANG)
                if not process_id:
                    return
                self.loans.clear_row(process_id)
                self.replaced = [child for child in self.replaced if child.id != process_id]
                self.forkers = [forker for forker in self.forkers if forker.id != process_id]
                for child in self.children:
                    if child.id == process_id:
                        child.id = None
                        if child is not self.writer:
                            self.memory.connection_counts.remove(self.fronts.index(child))
                        if not self.is_stopping:
                            end = describe_exit(status)
                            log.warning("the %s process %s, and is started again", child.name, end)

    def restart_children(self) -> None:
        """Start the processes that have exited."""
        for child in self.children:
            if child.id is None and time.monotonic() - child.started_at >= RESTART_SECONDS:
                child.start()

    def end(self, exit_code: int) -> NoReturn:
        """End all other processes, such as stopped ones, remove the sockets and end the process."""
        for process_id in list_process_tree(self.process_id)[1:]:
            send_signal(process_id, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        sys.stdout.flush()
        os._exit(exit_code)

    def run_writer(self) -> NoReturn:
        """The process that writes."""
        name_process("wgig-writer")
        self.close_inherited_sockets()
        self.listener.close()
        prepare_process()
        self.update_settings()
        settings = self.settings

        def make_registry(store: Store) -> FrontRegistry:
            pool_settings = replace(settings, readers=WRITER_READERS)
            pool = WorkerPool(
                store,
                pool_settings,
                self.memory.version + 1,
                self.set_version,
                ForkerOptions(self.request_forker, settings.workers) if self.forks_from_copy else OWN_FORKERS,
            )
            return FrontRegistry(pool)

        writer = open_service(self.arguments, settings, make_registry)
        if self.ready_write_end is not None:
            os.write(self.ready_write_end, b"r")
        gc.freeze()
        gc.enable()
        uvloop.run(serve_bridge(writer, self.bridge_listener))
        writer.close(SHUTDOWN_GRACE_SECONDS)

    def request_forker(
        self, forker_end: socket.socket, workers_end: socket.socket, limits: ForkerLimits
    ) -> ForeignProcess:
        """Let the supervisor fork a forker with these sockets. Raises OSError."""
        read_end, write_end = os.pipe()
        with open(read_end, "rb") as reply:  # noqa: PTH123 - a descriptor
            try:
                descriptors = [forker_end.fileno(), workers_end.fileno(), write_end]
                self.requests.send(FORKER_REQUEST, limits, descriptors)
            finally:
                os.close(write_end)
            process_id = reply.read()  # all other copies of the write end are closed, whatever happens
        if not process_id:
            raise ConnectionResetError("the supervisor has exited")
        return ForeignProcess(int(process_id))

    def set_version(self, version: int) -> None:
        """Announce a version of the data to all processes."""
        self.memory.version = version

    def close_inherited_sockets(self) -> None:
        """Close what only the supervisor uses: if it has exited, a request to it must fail."""
        self.requests.receiver.close()

    def run_front(self, number: int) -> NoReturn:
        """A process that speaks HTTP."""
        self.close_inherited_sockets()
        self.bridge_listener.close()
        self.serve_front(number, None, [])

    def run_copied_front(self, number: int, connection: socket.socket, copy: CountedQuads) -> NoReturn:
        """A process that speaks HTTP, in a child of the forker, which has exited."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        front_copy = FrontCopy(copy)
        listen: BackgroundJob = partial(front_copy.listen, connection)
        run_child(self.process_id, lambda: self.serve_front(number, front_copy, [listen]))

    def serve_front(
        self, number: int, copy: FrontCopy | None, background: Sequence[BackgroundJob]
    ) -> NoReturn:
        """Serve HTTP until the end of the process."""
        name_process("wgig-front")
        access_log.request_ids.restart()
        prepare_process()
        self.update_settings()
        service, link, app = self.make_front(number, copy)
        reloader = FrontReloader(app, service, partial(Settings.from_arguments, self.arguments))
        config = build_server_config(app, service, lambda: reloader.service.queries)

        async def hand_over_metrics() -> None:
            with suppress(OSError, TimeoutError):
                await link.call("end", snapshot_metrics(service))

        async def announce() -> None:
            await link.wait_for_writer()
            self.requests.send(FRONT_REQUEST, (number, os.getpid()))

        background = [service.workers.listen, link.keep, announce, *background]
        server = FrontServer(config, reloader, background, self.memory.connection_counts, number)
        server.on_stopped, server.ignores_interrupts = hand_over_metrics, True
        install_signal_handlers(server, RELOAD_SIGNAL)
        signal.signal(REPLACED_SIGNAL, lambda *_: server.leave_connections())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [RELOAD_SIGNAL])
        gc.freeze()
        gc.enable()
        server.run(sockets=[self.listener])
        os._exit(0)

    def update_settings(self) -> None:
        """Use the settings of the last reload, if any; this process was forked with earlier ones."""
        if self.memory.has_reloaded:
            with suppress(ValueError, OSError):  # logged at the reload
                self.settings = self.settings.with_live(Settings.from_arguments(self.arguments))
                access_log.configure_logging(self.settings)

    def make_front(self, number: int, copy: FrontCopy | None) -> tuple[FrontService, WriterLink, FrontApp]:
        """The components of a front process, its link to the writer and its application."""
        settings = replace(self.settings, cache_bytes=self.settings.cache_bytes // self.settings.workers)
        worker_path = self.folder / f"front-{number}-{os.getpid()}"
        workers = FrontWorkers(worker_path, self.front_readers, settings, self.memory, copy)
        self.loans.claim_row()
        workers.queue.shared_limit = self.loans
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
        link = WriterLink(str(self.bridge_path), (str(worker_path), self.front_readers), handlers)
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


class FrontServer(GracefulServer):
    """The server of a front process."""

    shared_listener: SharedListener

    def __init__(
        self,
        config: uvicorn.Config,
        reloader: SettingsReloader,
        background: Sequence[BackgroundJob],
        counts: ConnectionCounts,
        number: int,
    ) -> None:
        """Take the numbers of connections of all front processes, and the number of this one."""
        super().__init__(config, "", reloader, background)
        self.connection_counts, self.number = counts, number
        self.is_listening = False

    def leave_connections(self) -> None:
        """Accept no more connections, close each after its next response, and stop when there are none.

        Unlike at a shutdown, idle connections stay open until their timeout, as a client may be using one.
        During the startup, this only notes it.
        """
        self.is_replaced = True
        if not self.is_listening:
            return
        self.shared_listener.close()
        self.config.encoded_headers.append((b"connection", b"close"))
        connections = cast(type[ServerConnection], self.config.http_protocol_class)
        connections.raw_cache = None  # as its responses do not close the connection

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections of the only socket, and start the background jobs."""
        await super().startup([])
        [listener] = sockets or []
        self.shared_listener = SharedListener(
            listener,
            self.make_protocol,
            lambda: len(self.server_state.connections),
            self.connection_counts,
            self.number,
        )
        self.servers.append(self.shared_listener)  # type: ignore[arg-type]  # only closed
        self.is_listening = True
        if self.is_replaced:
            self.leave_connections()

    def make_protocol(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        make = cast(type[ServerConnection], self.config.http_protocol_class)
        return make(self.config, self.server_state, self.lifespan.state)

    async def on_tick(self, counter: int) -> bool:
        """Publish the number of connections, ten times a second."""
        self.shared_listener.publish_count()
        return await super().on_tick(counter)


class FrontReloader(SettingsReloader):
    """Applies changed settings to a front process. The writer logs what has changed, and reads the tokens."""

    service: FrontService  # type: ignore[assignment]

    def __init__(self, app: FrontApp, service: FrontService, read: Callable[[], Settings]) -> None:
        """Take the objects that use settings, and `read`, which returns the new settings."""
        super().__init__(app, service, None, service.workers, read)  # type: ignore[arg-type]

    async def __call__(self) -> None:
        """Read and apply settings; after an error, keep the old ones."""
        with suppress(ValueError, OSError):
            settings = self.service.settings.with_live(self.read_settings())
            if settings != self.service.settings:
                await self.apply_settings(settings)

    async def apply_settings(self, settings: Settings) -> None:
        """Use these settings from now on."""
        service = self.service
        queries = replace(service.queries, settings=settings)
        self.use_service(replace(service, settings=settings, queries=queries))  # type: ignore[arg-type]
        service.workers.apply_settings(settings)
        service.rate_limiter.apply_settings(settings)
        service.telemetry.logs.apply_settings(settings)
        access_log.configure_logging(settings)


async def serve_bridge(writer: OpenService, listener: socket.socket) -> None:
    """Handle the requests of front processes until SIGTERM."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    service = writer.service

    async def find_hints(text: str) -> list[tuple[Any, ...]]:
        hints = await run_sync(find_query_hints, ParsedSparqlText(text), service.store, service.settings.base)
        return [(*hint[:-1], hint.edit and tuple(hint.edit)) for hint in hints]

    registry = cast(FrontRegistry, service.peers)
    registry.handlers["hints"] = find_hints
    registry.add_metrics = service.telemetry.metrics.add_ended
    service.telemetry.metrics.processes.root_id = os.getppid()  # the supervisor
    bridge = BridgeServer(writer.app, registry.serve_control)
    server = await asyncio.start_unix_server(
        bridge.serve_connection, sock=listener, limit=STREAM_BUFFER_BYTES
    )
    tasks = [asyncio.create_task(job()) for job in writer.background]
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, setattr, service.status, "stopping", True)
    loop.add_signal_handler(RELOAD_SIGNAL, lambda: tasks.append(asyncio.create_task(writer.reloader())))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [RELOAD_SIGNAL])
    await stop.wait()
    server.close()
    # If the supervisor was killed, front processes may still wait for responses, such as to writes.
    end = loop.time() + SHUTDOWN_GRACE_SECONDS
    while bridge.request_count and loop.time() < end:
        await asyncio.sleep(DRAIN_POLL_SECONDS)
    await registry.pool.close()
