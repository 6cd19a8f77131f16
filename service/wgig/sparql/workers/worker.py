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
from ...settings import MIB, THREAD_STACK_BYTES, available_memory_bytes
from ...store.change import parse_change
from ...store.view import StoreView
from .counted_quads import CountedQuads
from .evaluation import NEXT_CHUNK_BYTES, evaluate_query
from .protocol import (
    CHANGE_MESSAGE,
    CHUNK_MESSAGE,
    END_MESSAGE,
    FAULT_MESSAGE,
    OPEN_MESSAGE,
    OPENED_MESSAGE,
    QUERY_MESSAGE,
    THREAD_MESSAGE,
    WORN_MESSAGE,
    QueryFault,
    QueryJob,
    WorkerMessage,
    frame_message,
    unframe_messages,
)
from .triple_counts import TripleCounts

MEMORY_CHECK_SECONDS = 0.005  # the memory is checked only after queries that took longer
WORN_OUT_BYTES = 64 * MIB  # a worker is replaced if its queries left more memory allocated
# A worker that reads from disk may keep 1/32 of the memory as a cache, which speeds up later queries.
DISK_CACHE_MEMORY_DIVISOR = 32
PROC_STATM_PATH = Path("/proc/self/statm")


def run_query_worker(
    connection: socket.socket, alive_pipe: int, copy: CountedQuads | None, memory_bytes: int
) -> NoReturn:
    """Handle the messages of the connection until it or the write end of `alive_pipe` is closed.

    `copy` is a copy in memory. If it is None, OPEN_MESSAGE names the folder of the store to read. A query
    may use `memory_bytes` of memory.
    """
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
        if any(descriptor == alive_pipe for descriptor, _ in poller.poll()):
            os._exit(0)
        os.read(handover_read_end, 1)
        thread.join()


def silence_worker_process() -> None:
    """Turn off core dumps and the error output of the engine, because workers are killed regularly."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not os.environ.get("WGIG_DEBUG"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


class QueryWorker:
    """Handles the messages of a connection, on one thread after another.

    A thread whose priority was lowered cannot raise it again, so another thread takes over.
    """

    def __init__(
        self, connection: socket.socket, copy: CountedQuads | None, memory_bytes: int, handover_pipe: int
    ) -> None:
        """A byte is written to `handover_pipe` when another thread should take over."""
        self.connection, self.copy, self.handover_pipe = connection, copy, handover_pipe
        self.quads = copy.quads if copy else None
        if copy:
            warm_up_quads(copy.quads)
        self.memory_limit = MemoryLimit(
            memory_bytes,
            WORN_OUT_BYTES
            if copy
            else max(WORN_OUT_BYTES, available_memory_bytes() // DISK_CACHE_MEMORY_DIVISOR),
        )
        self.messages = iter_connection_messages(connection)
        self.start_niceness = get_thread_niceness()

    def serve(self) -> None:
        """Handle messages until another thread should take over; exit the process at the end of them."""
        needs_new_thread = False
        try:
            self.memory_limit.renew()  # count the stack of this thread
            self.connection.sendall(frame_message(THREAD_MESSAGE, b"%d" % threading.get_native_id()))
            needs_new_thread = self.handle_messages()
        finally:
            if not needs_new_thread:
                os._exit(0)
        os.write(self.handover_pipe, b"t")

    def handle_messages(self) -> bool:
        """Handle messages until the connection closes or another thread should take over.

        Returns whether another thread should take over.
        """
        for kind, body in self.messages:
            if kind == OPEN_MESSAGE:
                self.memory_limit.lift()
                self.quads = ox.Store.read_only(body.decode())
                self.connection.sendall(frame_message(OPENED_MESSAGE))
                self.memory_limit.renew()
            elif kind == CHANGE_MESSAGE and self.copy:
                self.memory_limit.lift()
                self.copy.apply(parse_change(body))
                self.memory_limit.renew()
            elif kind == QUERY_MESSAGE and self.quads is not None:
                send_query_result(
                    self.connection,
                    StoreView(self.quads),
                    self.copy.counts if self.copy else None,
                    QueryJob.unpack(body),
                    self.memory_limit,
                )
                if get_thread_niceness() > self.start_niceness:
                    self.memory_limit.lift()
                    return True
        return False


def get_thread_niceness() -> int:
    """The niceness of this thread; on Linux each thread has its own."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def warm_up_quads(quads: ox.Store) -> None:
    """Run a small query, because the first query after a fork takes several times as long as later ones."""
    StoreView(quads).query("SELECT * { ?s ?p ?o } LIMIT 1", JSON_RESULTS.media_type, io.BytesIO())


def iter_connection_messages(connection: socket.socket) -> Iterator[WorkerMessage]:
    """The messages of a connection until it closes."""
    buffer = bytearray()
    while received := connection.recv(NEXT_CHUNK_BYTES):
        buffer += received
        yield from unframe_messages(buffer)


def send_query_result(
    connection: socket.socket,
    view: StoreView,
    counts: TripleCounts | None,
    job: QueryJob,
    limit: "MemoryLimit",
) -> None:
    """Evaluate a query and send the chunks of its result, or its fault."""
    started_at = time.monotonic()
    try:
        last_chunk = evaluate_query(
            view, job, lambda chunk: connection.sendall(frame_message(CHUNK_MESSAGE, chunk)), counts
        )
    except QueryFault as fault:
        connection.sendall(frame_message(FAULT_MESSAGE, json.dumps([fault.kind, str(fault)]).encode()))
    else:
        is_worn = time.monotonic() - started_at > MEMORY_CHECK_SECONDS and limit.is_worn_out()
        connection.sendall(frame_message(WORN_MESSAGE if is_worn else END_MESSAGE, last_chunk))


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
