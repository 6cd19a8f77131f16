"""Query worker: a process that answers query after query, and can be killed at any time."""

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

MEMORY_CHECK_SECONDS = 0.005  # seconds of a query after which it is worth to look at the memory
WORN_OUT_BYTES = 64 * MIB  # that a worker did not give back
# Part of all memory that it may keep from disk, without which the next query begins anew.
DISK_TABLES_MEMORY_DIVISOR = 32
PROC_STATM_PATH = Path("/proc/self/statm")


def run_query_worker(connection: socket.socket, alive: int, quads: ox.Store | None, memory: int) -> NoReturn:
    """Answer what comes over the connection until it ends, or until nobody has the other end of `alive`.

    `quads` is a copy in memory; without one a message says which store to open. A query may take so much
    `memory`, in bytes.
    """
    gc.disable()  # what queries make goes by itself
    silence_worker_process()
    threading.stack_size(THREAD_STACK_BYTES)
    tired, relief = os.pipe()
    worker = QueryWorker(connection, quads, memory, relief)
    coming = select.poll()
    coming.register(alive, select.POLLIN)
    coming.register(tired, select.POLLIN)
    while True:
        thread = threading.Thread(target=worker.serve, daemon=True)
        thread.start()
        if any(one == alive for one, _ in coming.poll()):
            os._exit(0)
        os.read(tired, 1)
        thread.join()


def silence_worker_process() -> None:
    """Neither a core nor a last word of the engine: who kills a worker knows why."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not os.environ.get("WGIG_DEBUG"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


class QueryWorker:
    """Does what the messages of a connection say, in a thread after another.

    A thread that was made to let others go first cannot take that back, so that it is relieved.
    """

    def __init__(self, connection: socket.socket, quads: ox.Store | None, memory: int, relief: int) -> None:
        """Take the connection, the copy in memory if there is one, the bound, and where to ask for relief."""
        self.connection, self.quads, self.relief_pipe = connection, quads, relief
        if quads is not None:
            warm_up_quads(quads)
        self.memory_limit = MemoryLimit(
            memory,
            WORN_OUT_BYTES
            if quads is not None
            else max(WORN_OUT_BYTES, all_memory() // DISK_TABLES_MEMORY_DIVISOR),
        )
        self.messages = iter_connection_messages(connection)
        self.start_niceness = get_thread_niceness()

    def serve(self) -> None:
        """Do what the messages say, until the thread is tired; the process ends with the connection."""
        tired = False
        try:
            self.memory_limit.renew()  # with the stack of this thread
            self.connection.sendall(frame_message(THREAD_MESSAGE, b"%d" % threading.get_native_id()))
            tired = self.handle_messages()
        finally:
            if not tired:
                os._exit(0)
        os.write(self.relief_pipe, b"t")

    def handle_messages(self) -> bool:
        """Do what the messages say; whether there are more, for another thread."""
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
    """How far this thread lets others go first: on Linux each thread has its own."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def warm_up_quads(quads: ox.Store) -> None:
    """Ask something, as the first query after a fork takes several times as long."""
    StoreView(quads).query("SELECT * { ?s ?p ?o } LIMIT 1", JSON_RESULTS.media_type, io.BytesIO())


def iter_connection_messages(connection: socket.socket) -> Iterator[WorkerMessage]:
    """What comes over a connection, until it ends."""
    buffer = bytearray()
    while received := connection.recv(NEXT_PIECE_BYTES):
        buffer += received
        yield from unframe_messages(buffer)


def send_query_answer(
    connection: socket.socket, view: StoreView, job: QueryJob, limit: "MemoryLimit"
) -> None:
    """Send the answer to a query piece by piece, or say why there is none, or no more of it."""
    began = time.monotonic()
    try:
        last = evaluate_query(
            view, job, lambda piece: connection.sendall(frame_message(PIECE_MESSAGE, piece))
        )
    except QueryFault as fault:
        connection.sendall(frame_message(FAULT_MESSAGE, json.dumps([fault.kind, str(fault)]).encode()))
    else:
        worn = time.monotonic() - began > MEMORY_CHECK_SECONDS and limit.is_worn_out()
        connection.sendall(frame_message(WORN_MESSAGE if worn else END_MESSAGE, last))


class MemoryLimit:
    """A bound on the memory that the process may take beside what it has."""

    def __init__(self, memory: int, worn_out: int) -> None:
        """Let it take so many bytes; it is worn out when it did not give back so many."""
        self.query_bytes, self.worn_out_bytes, self.base_bytes = memory, worn_out, 0

    def lift(self) -> None:
        """Let it take whatever it needs for now."""
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def renew(self) -> None:
        """Count from what the process has now."""
        self.base_bytes = process_data_bytes()
        if self.base_bytes:
            resource.setrlimit(
                resource.RLIMIT_DATA, (self.base_bytes + self.query_bytes, resource.RLIM_INFINITY)
            )

    def is_worn_out(self) -> bool:
        """Whether the process has much more than it had."""
        return process_data_bytes() > self.base_bytes + self.worn_out_bytes


def process_data_bytes() -> int:
    """The bytes of data and stacks of this process, as RLIMIT_DATA counts them; 0 where that is not known."""
    try:
        fields = PROC_STATM_PATH.read_bytes().split()
    except OSError:
        return 0
    return int(fields[5]) * resource.getpagesize()
