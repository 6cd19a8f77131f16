"""Query worker (`reader`): a process that answers query after query, and can be killed at any time."""

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
from ...settings import MIB, STACK
from ...settings import memory as all_memory
from ...store.view import View
from .evaluation import NEXT, evaluate
from .protocol import (
    ASK,
    CHANGE,
    END,
    FAULT,
    OPEN,
    OPENED,
    PIECE,
    THREAD,
    WORN,
    Fault,
    Job,
    Message,
    apply,
    framed,
    unframed,
)

LONG = 0.005  # seconds of a query after which it is worth to look at the memory
WORN_OUT = 64 * MIB  # that a reader did not give back
TABLES = 32  # part of all memory that it may keep from disk, without which the next query begins anew
STATM = Path("/proc/self/statm")


def read(connection: socket.socket, alive: int, quads: ox.Store | None, memory: int) -> NoReturn:
    """Answer what comes over the connection until it ends, or until nobody has the other end of `alive`.

    `quads` is a copy in memory; without one a message says which store to open. A query may take so much
    `memory`, in bytes.
    """
    gc.disable()  # what queries make goes by itself
    silence()
    threading.stack_size(STACK)
    tired, relief = os.pipe()
    reader = Reader(connection, quads, memory, relief)
    coming = select.poll()
    coming.register(alive, select.POLLIN)
    coming.register(tired, select.POLLIN)
    while True:
        thread = threading.Thread(target=reader.serve, daemon=True)
        thread.start()
        if any(one == alive for one, _ in coming.poll()):
            os._exit(0)
        os.read(tired, 1)
        thread.join()


def silence() -> None:
    """Neither a core nor a last word of the engine: who kills a reader knows why."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not os.environ.get("WGIG_DEBUG"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


class Reader:
    """Does what the messages of a connection say, in a thread after another.

    A thread that was made to let others go first cannot take that back, so that it is relieved.
    """

    def __init__(self, connection: socket.socket, quads: ox.Store | None, memory: int, relief: int) -> None:
        """Take the connection, the copy in memory if there is one, the bound, and where to ask for relief."""
        self.connection, self.quads, self.relief = connection, quads, relief
        if quads is not None:
            warm_up(quads)
        self.limit = Limit(memory, WORN_OUT if quads is not None else max(WORN_OUT, all_memory() // TABLES))
        self.incoming = messages(connection)
        self.niceness = niceness()

    def serve(self) -> None:
        """Do what the messages say, until the thread is tired; the process ends with the connection."""
        tired = False
        try:
            self.limit.renew()  # with the stack of this thread
            self.connection.sendall(framed(THREAD, b"%d" % threading.get_native_id()))
            tired = self.work()
        finally:
            if not tired:
                os._exit(0)
        os.write(self.relief, b"t")

    def work(self) -> bool:
        """Do what the messages say; whether there are more, for another thread."""
        for kind, body in self.incoming:
            if kind == OPEN:
                self.limit.lift()
                self.quads = ox.Store.read_only(body.decode())
                self.connection.sendall(framed(OPENED))
                self.limit.renew()
            elif kind == CHANGE and self.quads is not None:
                self.limit.lift()
                apply(body, self.quads)
                self.limit.renew()
            elif kind == ASK and self.quads is not None:
                answer(self.connection, View(self.quads), Job.unpacked(body), self.limit)
                if niceness() > self.niceness:
                    self.limit.lift()
                    return True
        return False


def niceness() -> int:
    """How far this thread lets others go first: on Linux each thread has its own."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def warm_up(quads: ox.Store) -> None:
    """Ask something, as the first query after a fork takes several times as long."""
    View(quads).query("SELECT * { ?s ?p ?o } LIMIT 1", JSON_RESULTS.media_type, io.BytesIO())


def messages(connection: socket.socket) -> Iterator[Message]:
    """What comes over a connection, until it ends."""
    buffer = bytearray()
    while received := connection.recv(NEXT):
        buffer += received
        yield from unframed(buffer)


def answer(connection: socket.socket, view: View, job: Job, limit: "Limit") -> None:
    """Send the answer to a query piece by piece, or say why there is none, or no more of it."""
    began = time.monotonic()
    try:
        last = evaluate(view, job, lambda piece: connection.sendall(framed(PIECE, piece)))
    except Fault as fault:
        connection.sendall(framed(FAULT, json.dumps([fault.kind, str(fault)]).encode()))
    else:
        worn = time.monotonic() - began > LONG and limit.worn_out()
        connection.sendall(framed(WORN if worn else END, last))


class Limit:
    """A bound on the memory that the process may take beside what it has."""

    def __init__(self, memory: int, worn_out: int) -> None:
        """Let it take so many bytes; it is worn out when it did not give back so many."""
        self.memory, self.most, self.had = memory, worn_out, 0

    def lift(self) -> None:
        """Let it take whatever it needs for now."""
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def renew(self) -> None:
        """Count from what the process has now."""
        self.had = data_size()
        if self.had:
            resource.setrlimit(resource.RLIMIT_DATA, (self.had + self.memory, resource.RLIM_INFINITY))

    def worn_out(self) -> bool:
        """Whether the process has much more than it had."""
        return data_size() > self.had + self.most


def data_size() -> int:
    """The bytes of data and stacks of this process, as RLIMIT_DATA counts them; 0 where that is not known."""
    try:
        fields = STATM.read_bytes().split()
    except OSError:
        return 0
    return int(fields[5]) * resource.getpagesize()
