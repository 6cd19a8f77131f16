"""A process that answers queries, one after the other, and can be killed at any time."""

import gc
import io
import json
import os
import resource
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pyoxigraph as ox

from ..formats import JSON_RESULTS
from ..settings import MIB, STACK
from ..view import View
from .evaluation import NEXT, evaluate
from .wire import (
    ASK,
    CHANGE,
    END,
    FAULT,
    OPEN,
    OPENED,
    PIECE,
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
STATM = Path("/proc/self/statm")


def read(connection: socket.socket, alive: int, quads: ox.Store | None, memory: int) -> NoReturn:
    """Answer what comes over the connection until it ends, or until nobody has the other end of `alive`.

    `quads` is a copy in memory; without one a message says which store to open. A query may take so much
    `memory`, in bytes.
    """
    gc.disable()  # what queries make goes by itself
    silence()
    threading.stack_size(STACK)
    threading.Thread(target=serve, args=(connection, quads, memory), daemon=True).start()
    os.read(alive, 1)
    os._exit(0)


def silence() -> None:
    """Neither a core nor a last word of the engine: who kills a reader knows why."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not os.environ.get("WGIG_DEBUG"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def serve(connection: socket.socket, quads: ox.Store | None, memory: int) -> NoReturn:
    """Do what the messages say, and end with the connection."""
    try:
        if quads is not None:
            warm_up(quads)
        limit = Limit(memory)
        for kind, body in messages(connection):
            if kind == OPEN:
                limit.lift()
                quads = ox.Store.read_only(body.decode())
                connection.sendall(framed(OPENED))
                limit.renew()
            elif kind == CHANGE and quads is not None:
                limit.lift()
                apply(body, quads)
                limit.renew()
            elif kind == ASK and quads is not None:
                answer(connection, View(quads), Job.unpacked(body), limit)
    finally:
        os._exit(0)


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

    def __init__(self, memory: int) -> None:
        """Let it take so many bytes."""
        self.memory = memory
        self.renew()

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
        return data_size() > self.had + WORN_OUT


def data_size() -> int:
    """The bytes of data and stacks of this process, as RLIMIT_DATA counts them; 0 where that is not known."""
    try:
        fields = STATM.read_bytes().split()
    except OSError:
        return 0
    return int(fields[5]) * resource.getpagesize()
