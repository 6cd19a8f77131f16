"""Query worker: a process that evaluates one query after another, and can be killed at any time."""

import gc
import io
import json
import os
import resource
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pyoxigraph as ox

from ...rdf.formats import JSON_RESULTS
from ...settings import MIB, THREAD_STACK_BYTES
from ...settings import available_memory_bytes as all_memory
from ...store.view import StoreView
from .evaluation import NEXT_PIECE_BYTES, evaluate_query
from .protocol import (
    ASK_MESSAGE,
    CHANGE_MESSAGE,
    END_MESSAGE,
    FAULT_MESSAGE,
    OPEN_MESSAGE,
    OPENED_MESSAGE,
    PIECE_MESSAGE,
    THREAD_MESSAGE,
    WORN_MESSAGE,
    QueryFault,
    QueryJob,
    WorkerMessage,
    apply_packed_change,
    frame_message,
    unframe_messages,
)

MEMORY_CHECK_SECONDS = 0.005  # the memory is checked only after queries longer than this
WORN_OUT_BYTES = 64 * MIB  # a worker whose queries left more memory allocated is replaced
# A worker that reads from disk may keep this part of all memory as a cache, which speeds up later queries.
DISK_TABLES_MEMORY_DIVISOR = 32
PROC_STATM_PATH = Path("/proc/self/statm")


def run_query_worker(
    connection: socket.socket, alive_pipe: int, quads: ox.Store | None, memory_bytes: int
) -> NoReturn:
    """Handle the messages of the connection until it closes, or the other end of the pipe `alive_pipe` does.

    `quads` is a copy in memory; without one a message tells which store to open. A query may use
    `memory_bytes` of memory.
    """
    gc.disable()  # queries leave no reference cycles
    silence_worker_process()
    threading.stack_size(THREAD_STACK_BYTES)
    relief_read_end, relief_write_end = os.pipe()
    worker = QueryWorker(connection, quads, memory_bytes, relief_write_end)
    poller = select.poll()
    poller.register(alive_pipe, select.POLLIN)
    poller.register(relief_read_end, select.POLLIN)
    while True:
        thread = threading.Thread(target=worker.serve, daemon=True)
        thread.start()
        if any(ready == alive_pipe for ready, _ in poller.poll()):
            os._exit(0)
        os.read(relief_read_end, 1)
        thread.join()


def silence_worker_process() -> None:
    """Turn off core dumps and the error output of the engine: a worker is killed on purpose."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not os.environ.get("WGIG_DEBUG"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


class QueryWorker:
    """Handles the messages of a connection, on one thread after another.

    A thread whose priority was lowered cannot raise it again, so another thread takes over.
    """

    def __init__(
        self, connection: socket.socket, quads: ox.Store | None, memory_bytes: int, relief_pipe: int
    ) -> None:
        """`relief_pipe` is written to when another thread should take over."""
        self.connection, self.quads, self.relief_pipe = connection, quads, relief_pipe
        if quads is not None:
            warm_up_quads(quads)
        self.memory_limit = MemoryLimit(
            memory_bytes,
            WORN_OUT_BYTES
            if quads is not None
            else max(WORN_OUT_BYTES, all_memory() // DISK_TABLES_MEMORY_DIVISOR),
        )
        self.messages = iter_connection_messages(connection)
        self.start_niceness = get_thread_niceness()

    def serve(self) -> None:
        """Handle messages until another thread should take over; the process exits with the connection."""
        needs_relief = False
        try:
            self.memory_limit.renew()  # count the stack of this thread
            self.connection.sendall(frame_message(THREAD_MESSAGE, b"%d" % threading.get_native_id()))
            needs_relief = self.handle_messages()
        finally:
            if not needs_relief:
                os._exit(0)
        os.write(self.relief_pipe, b"t")

    def handle_messages(self) -> bool:
        """Handle messages; whether another thread should take over before the connection has closed."""
        for kind, body in self.messages:
            if kind == OPEN_MESSAGE:
                self.memory_limit.lift()
                self.quads = ox.Store.read_only(body.decode())
                self.connection.sendall(frame_message(OPENED_MESSAGE))
                self.memory_limit.renew()
            elif kind == CHANGE_MESSAGE and self.quads is not None:
                self.memory_limit.lift()
                apply_packed_change(body, self.quads)
                self.memory_limit.renew()
            elif kind == ASK_MESSAGE and self.quads is not None:
                send_query_answer(
                    self.connection, StoreView(self.quads), QueryJob.unpack(body), self.memory_limit
                )
                if get_thread_niceness() > self.start_niceness:
                    self.memory_limit.lift()
                    return True
        return False


def get_thread_niceness() -> int:
    """The niceness of this thread; on Linux each thread has its own."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def warm_up_quads(quads: ox.Store) -> None:
    """Run a small query, as the first one after a fork takes several times as long."""
    StoreView(quads).query("SELECT * { ?s ?p ?o } LIMIT 1", JSON_RESULTS.media_type, io.BytesIO())


def iter_connection_messages(connection: socket.socket) -> Iterator[WorkerMessage]:
    """The messages of a connection, until it closes."""
    buffer = bytearray()
    while received := connection.recv(NEXT_PIECE_BYTES):
        buffer += received
        yield from unframe_messages(buffer)


def send_query_answer(
    connection: socket.socket, view: StoreView, job: QueryJob, limit: "MemoryLimit"
) -> None:
    """Send the result of a query piece by piece, or its fault."""
    started_at = time.monotonic()
    try:
        last_piece = evaluate_query(
            view, job, lambda piece: connection.sendall(frame_message(PIECE_MESSAGE, piece))
        )
    except QueryFault as fault:
        connection.sendall(frame_message(FAULT_MESSAGE, json.dumps([fault.kind, str(fault)]).encode()))
    else:
        is_worn = time.monotonic() - started_at > MEMORY_CHECK_SECONDS and limit.is_worn_out()
        connection.sendall(frame_message(WORN_MESSAGE if is_worn else END_MESSAGE, last_piece))


class MemoryLimit:
    """A limit on the memory that the process may allocate in addition to what it has."""

    def __init__(self, query_bytes: int, worn_out_bytes: int) -> None:
        """`worn_out_bytes` is how much a query may leave allocated."""
        self.query_bytes, self.worn_out_bytes, self.base_bytes = query_bytes, worn_out_bytes, 0

    def lift(self) -> None:
        """Remove the limit."""
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def renew(self) -> None:
        """Set the limit anew, from the memory that the process has now."""
        self.base_bytes = process_data_bytes()
        if self.base_bytes:
            resource.setrlimit(
                resource.RLIMIT_DATA, (self.base_bytes + self.query_bytes, resource.RLIM_INFINITY)
            )

    def is_worn_out(self) -> bool:
        """Whether queries left more than `worn_out_bytes` allocated."""
        return process_data_bytes() > self.base_bytes + self.worn_out_bytes


def process_data_bytes() -> int:
    """The bytes of data and stacks of this process, as RLIMIT_DATA counts them; 0 if not known."""
    try:
        fields = PROC_STATM_PATH.read_bytes().split()
    except OSError:
        return 0
    return int(fields[5]) * resource.getpagesize()
