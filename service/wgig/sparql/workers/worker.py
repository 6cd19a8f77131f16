"""Query worker: a process that evaluates one query after another, and can be killed at any time."""

import faulthandler
import gc
import io
import json
import os
import resource
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pyoxigraph as ox

from ...processes import name_process, signal_at_parent_exit
from ...rdf.formats import JSON_RESULTS
from ...settings import MIB, THREAD_STACK_BYTES, available_memory_bytes
from ...store.change import parse_change
from ...store.view import StoreView
from .counted_quads import CountedQuads
from .description import ResourceDescriber
from .evaluation import NEXT_CHUNK_BYTES, evaluate_query
from .protocol import (
    CHANGE_MESSAGE,
    CHUNK_MESSAGE,
    CONNECT_MESSAGE,
    DESCRIPTION_MEDIA_TYPE,
    END_MESSAGE,
    FAULT_MESSAGE,
    HELLO_MESSAGE,
    OPEN_MESSAGE,
    OPENED_MESSAGE,
    OUTDATED_FAULT,
    PULL_MESSAGE,
    QUERY_MESSAGE,
    RETIRE_MESSAGE,
    THREAD_MESSAGE,
    VERSION_MESSAGE,
    VERSION_STRUCT,
    WORN_MESSAGE,
    QueryFault,
    QueryJob,
    WorkerMessage,
    frame_message,
    unframe_messages,
)

MEMORY_CHECK_SECONDS = 0.005  # the memory is checked only after queries that took longer
WORN_OUT_BYTES = 64 * MIB  # a worker is replaced if its queries left more memory allocated
# A worker that reads from disk may keep 1/32 of the memory as a cache, which speeds up later queries.
DISK_CACHE_MEMORY_DIVISOR = 32
PROC_STATM_PATH = Path("/proc/self/statm")
# Bytes to the main thread: another thread should take over; the worker now belongs to a front process.
THREAD_HANDOVER, FRONT_HANDOVER = b"t", b"f"


def run_query_worker(
    connection: socket.socket, alive_pipe: int, copy: CountedQuads | None, memory_bytes: int
) -> NoReturn:
    """Handle the messages of the connection until it or the write end of `alive_pipe` is closed.

    `copy` is a copy in memory. If it is None, OPEN_MESSAGE names the folder of the store to read. A query
    may use `memory_bytes` of memory. A worker of a front process exits with that process instead.
    """
    name_process("wgig-worker")
    signal_at_parent_exit(signal.SIGCONT)  # so that a stopped worker exits, too
    gc.disable()  # queries leave no reference cycles
    silence_worker_process()
    threading.stack_size(THREAD_STACK_BYTES)
    handover_read_end, handover_write_end = os.pipe()
    worker = QueryWorker(connection, copy, memory_bytes, handover_write_end)
    poller = select.poll()
    poller.register(alive_pipe, select.POLLIN)
    poller.register(handover_read_end, select.POLLIN)
    while True:
        thread = threading.Thread(target=worker.serve, daemon=True)
        thread.start()
        while True:
            ready = [descriptor for descriptor, _ in poller.poll()]
            if handover_read_end in ready:
                if os.read(handover_read_end, 1) == THREAD_HANDOVER:
                    break
                assert worker.front_socket
                poller.unregister(alive_pipe)
                poller.register(worker.front_socket, 0)  # it is ready when the front process has exited
            else:
                os._exit(0)
        thread.join()


def silence_worker_process() -> None:
    """Turn off core dumps and the error output of the engine, because workers are killed regularly."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not os.environ.get("WGIG_DEBUG"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def report_aborts(connection: socket.socket) -> None:
    """Let this process send ABORTED_MARK to the sender of queries when the engine aborts it."""
    faulthandler.enable(connection.fileno(), all_threads=False)


class QueryWorker:
    """Handles the messages of a connection, on one thread after another.

    A thread whose priority was lowered cannot raise it again, so another thread takes over. After
    CONNECT_MESSAGE, queries come from a front process over a socket of its own, and changes still come from
    the service. If the service exits, the queries go on at the last version.
    """

    front_socket: socket.socket | None = None
    is_retired = False  # whether the service sends no more changes

    def __init__(
        self, connection: socket.socket, copy: CountedQuads | None, memory_bytes: int, handover_pipe: int
    ) -> None:
        """A byte is written to `handover_pipe` when another thread should take over."""
        self.connection, self.copy, self.handover_pipe = connection, copy, handover_pipe
        report_aborts(connection)
        self.quads = copy.quads if copy else None
        if copy:
            warm_up_quads(copy.quads)
        self.memory_limit = MemoryLimit(
            memory_bytes,
            WORN_OUT_BYTES
            if copy
            else max(WORN_OUT_BYTES, available_memory_bytes() // DISK_CACHE_MEMORY_DIVISOR),
        )
        self.describer = ResourceDescriber()
        self.version = 0  # of the data, if the service has sent VERSION_MESSAGE
        self.buffer = bytearray()  # of the messages of the service
        self.queries = self.iter_queries()
        self.start_niceness = get_thread_niceness()

    def serve(self) -> None:
        """Handle messages until another thread should take over; exit the process at the end of them."""
        needs_new_thread = False
        try:
            self.memory_limit.renew()  # count the stack of this thread
            self.send_thread_id()
            needs_new_thread = self.handle_queries()
        except MemoryError:
            os.abort()  # as the engine does
        finally:
            if not needs_new_thread:
                os._exit(0)
        os.write(self.handover_pipe, THREAD_HANDOVER)

    def send_thread_id(self) -> None:
        """Send the ID of this thread to the sender of queries, which lowers the priority of slow ones."""
        message = frame_message(THREAD_MESSAGE, b"%d" % threading.get_native_id())
        (self.front_socket or self.connection).sendall(message)

    def handle_queries(self) -> bool:
        """Evaluate queries until there are no more, or another thread should take over.

        Returns whether another thread should take over.
        """
        for connection, body in self.queries:
            assert self.quads is not None
            job = QueryJob.unpack(body)
            try:
                self.reach_version(job.version)
            except QueryFault as fault:
                send_query_fault(connection, fault)
                continue
            view = StoreView(self.quads)
            if job.media_type == DESCRIPTION_MEDIA_TYPE:
                send_description(connection, view, self.describer, job)
            else:
                send_query_result(connection, view, self.copy, job, self.memory_limit)
            if get_thread_niceness() > self.start_niceness:
                self.memory_limit.lift()
                return True
        return False

    def iter_queries(self) -> Iterator[tuple[socket.socket, bytes]]:
        """The packed jobs with the sockets from which they came; other messages are handled."""
        while (messages := receive_messages(self.connection, self.buffer)) is not None:
            for kind, body in messages:
                if kind == QUERY_MESSAGE and self.quads is not None:
                    yield self.connection, body
                else:
                    self.handle_message(kind, body)
            if self.front_socket:
                yield from self.iter_front_queries(self.front_socket)

    def iter_front_queries(self, front_socket: socket.socket) -> Iterator[tuple[socket.socket, bytes]]:
        """The packed jobs of the front process, until it closes the connection."""
        poller = select.poll()
        poller.register(self.connection, select.POLLIN)
        poller.register(front_socket, select.POLLIN)
        buffer = bytearray()
        while True:
            ready = {descriptor for descriptor, _ in poller.poll()}
            if front_socket.fileno() in ready:
                messages = receive_messages(front_socket, buffer)
                if messages is None:
                    os._exit(0)
                for _, body in messages:
                    yield front_socket, body
            elif not self.handle_service_messages():
                poller.unregister(self.connection)

    def handle_service_messages(self) -> bool:
        """Receive and handle messages of the service; False if it has exited."""
        messages = receive_messages(self.connection, self.buffer)
        for kind, body in messages or ():
            self.handle_message(kind, body)
        return messages is not None

    def reach_version(self, version: int) -> None:
        """Apply the changes up to a version. Raises QueryFault if the service does not send them any more."""
        if self.version >= version:
            return
        with suppress(OSError):
            self.connection.sendall(frame_message(PULL_MESSAGE))
        while self.version < version:
            if self.is_retired or not self.handle_service_messages():
                raise QueryFault(OUTDATED_FAULT)

    def handle_message(self, kind: bytes, body: bytes) -> None:
        """Handle a message of the service that is not a query."""
        if kind == OPEN_MESSAGE:
            self.describer.forget()
            self.open_folder(body.decode())
        elif kind == CHANGE_MESSAGE and self.copy:
            self.memory_limit.lift()
            change = parse_change(body)
            self.copy.apply(change)
            self.describer.forget(change)
            self.memory_limit.renew()
        elif kind == VERSION_MESSAGE and not self.is_retired:
            (self.version,) = VERSION_STRUCT.unpack(body)
        elif kind == CONNECT_MESSAGE:
            self.connect_to_front(body.decode())
        elif kind == RETIRE_MESSAGE and self.front_socket:
            self.is_retired = True
            self.front_socket.sendall(frame_message(RETIRE_MESSAGE))

    def open_folder(self, folder: str) -> None:
        """Read from a folder from now on.

        A worker of a front process gets no more changes if the folder does not exist any more: the service
        removes it after it has retired the workers that read from disk, without waiting for this one.
        """
        self.memory_limit.lift()
        try:
            self.quads = ox.Store.read_only(folder)
        except (OSError, RuntimeError):
            if not self.front_socket:
                raise
            self.is_retired = True
        else:
            self.connection.sendall(frame_message(OPENED_MESSAGE))
        self.memory_limit.renew()

    def connect_to_front(self, path: str) -> None:
        """Evaluate the queries of the front process that listens at a path, from now on."""
        front_socket = socket.socket(socket.AF_UNIX)
        front_socket.connect(path)
        front_socket.sendall(frame_message(HELLO_MESSAGE, b"%d" % os.getpid()))
        self.front_socket = front_socket
        report_aborts(front_socket)
        self.send_thread_id()
        os.write(self.handover_pipe, FRONT_HANDOVER)


def get_thread_niceness() -> int:
    """The niceness of this thread; on Linux each thread has its own."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def warm_up_quads(quads: ox.Store) -> None:
    """Run a small query, because the first query after a fork takes several times as long as later ones."""
    StoreView(quads).query("SELECT * { ?s ?p ?o } LIMIT 1", JSON_RESULTS.media_type, io.BytesIO())


def receive_messages(connection: socket.socket, buffer: bytearray) -> list[WorkerMessage] | None:
    """The complete messages after another receive; `buffer` keeps the rest. None if the connection ended."""
    try:
        received = connection.recv(NEXT_CHUNK_BYTES)
    except ConnectionError:
        return None
    buffer += received
    return list(unframe_messages(buffer)) if received else None


def iter_connection_messages(connection: socket.socket) -> Iterator[WorkerMessage]:
    """The messages of a connection until it closes."""
    buffer = bytearray()
    while (messages := receive_messages(connection, buffer)) is not None:
        yield from messages


def send_query_result(
    connection: socket.socket,
    view: StoreView,
    copy: CountedQuads | None,
    job: QueryJob,
    limit: "MemoryLimit",
) -> None:
    """Evaluate a query and send the chunks of its result, or its fault."""
    started_at = time.monotonic()
    try:
        last_chunk = evaluate_query(
            view, job, lambda chunk: connection.sendall(frame_message(CHUNK_MESSAGE, chunk)), copy
        )
    except QueryFault as fault:
        send_query_fault(connection, fault)
    else:
        is_worn = time.monotonic() - started_at > MEMORY_CHECK_SECONDS and limit.is_worn_out()
        connection.sendall(frame_message(WORN_MESSAGE if is_worn else END_MESSAGE, last_chunk))


def send_description(
    connection: socket.socket, view: StoreView, describer: ResourceDescriber, job: QueryJob
) -> None:
    """Send the description of a resource, or a fault."""
    try:
        body = describer.describe(view, job)
    except QueryFault as fault:
        send_query_fault(connection, fault)
    else:
        connection.sendall(frame_message(END_MESSAGE, body))


def send_query_fault(connection: socket.socket, fault: QueryFault) -> None:
    """Send the reason why a query has no complete result."""
    connection.sendall(frame_message(FAULT_MESSAGE, json.dumps([fault.kind, str(fault)]).encode()))


class MemoryLimit:
    """A limit on the memory that the process may allocate in addition to its current memory."""

    def __init__(self, query_bytes: int, worn_out_bytes: int) -> None:
        """Set the limits: what one query may allocate, and what queries may leave allocated."""
        self.query_bytes, self.worn_out_bytes, self.base_bytes = query_bytes, worn_out_bytes, 0

    def lift(self) -> None:
        """Remove the limit."""
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def renew(self) -> None:
        """Set the limit relative to the current memory of the process."""
        self.base_bytes = process_data_bytes()
        if self.base_bytes:
            resource.setrlimit(
                resource.RLIMIT_DATA, (self.base_bytes + self.query_bytes, resource.RLIM_INFINITY)
            )

    def is_worn_out(self) -> bool:
        """Whether more than `worn_out_bytes` are allocated in addition to the memory at the last `renew`."""
        return process_data_bytes() > self.base_bytes + self.worn_out_bytes


def process_data_bytes() -> int:
    """The bytes of data and stacks of this process, as RLIMIT_DATA counts them; 0 if unknown."""
    try:
        fields = PROC_STATM_PATH.read_bytes().split()
    except OSError:
        return 0
    return int(fields[5]) * resource.getpagesize()  # the sixth field: data and stack in pages (proc(5))
