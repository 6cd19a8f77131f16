"""Forker: the process that holds the quads in memory and forks the query workers.

It is called as `python -m wgig.sparql.workers.forker FD FD MOST MEMORY`. The first FD is its connection to
the service, over the second it hands out workers. MOST is how many quads it may hold, MEMORY how many bytes a
query may take. Where there are more quads, it holds none, and workers read from the folder. It has one thread
and never opened a store on disk, so that a fork of it is whole.
"""

import gc
import io
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import pyoxigraph as ox

from .protocol import (
    CHANGE_MESSAGE,
    FORK_MESSAGE,
    FORKED_MESSAGE,
    LOAD_MESSAGE,
    LOADED_MESSAGE,
    apply_packed_change,
    frame_message,
)
from .worker import iter_connection_messages, run_query_worker

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer


COPY_PIECE_BYTES = 2**18  # bytes of the copy that are read at once


def run_forker(connection: socket.socket, births: socket.socket, most: int, memory: int) -> None:
    """Do what the service says until its end of the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who ends leaves nothing behind
    worker_forker = WorkerForker(births, memory)
    try:
        with suppress(ConnectionError):  # the service is gone
            serve_forker_messages(connection, worker_forker, most)
    except EOFError as error:
        print(f"wgig: {error}, and it is taken anew", file=sys.stderr)
    worker_forker.close()


def serve_forker_messages(connection: socket.socket, worker_forker: "WorkerForker", most: int) -> None:
    """Do what comes over the connection until it ends. Raises ConnectionError where it breaks, EOFError."""
    quads: ox.Store | None = None
    changes = 0
    for kind, body in iter_connection_messages(connection):
        if kind == LOAD_MESSAGE:
            quads = copy_store_to_memory(body.decode(), most, connection)
            gc.freeze()
            connection.sendall(frame_message(LOADED_MESSAGE, json.dumps(quads is not None).encode()))
        elif kind == CHANGE_MESSAGE:
            changes += 1
            if quads is not None:
                apply_packed_change(body, quads)
        elif kind == FORK_MESSAGE:
            worker_forker.fork(connection, quads, changes)


class WorkerForker:
    """Forks workers, which end with this process."""

    def __init__(self, births: socket.socket, memory: int) -> None:
        """Hand workers out over `births`; a query of theirs may take `memory` bytes."""
        self.workers_socket, self.query_memory_bytes = births, memory
        self.alive_read_end, self.alive_write_end = os.pipe()

    def fork(self, connection: socket.socket, quads: ox.Store | None, changes: int) -> None:
        """Fork a worker, and hand out its process, the number of `changes` it has seen, and its socket."""
        here, there = socket.socketpair()
        process = os.fork()
        if not process:
            for one in (connection, self.workers_socket, here):
                one.close()
            os.close(self.alive_write_end)
            run_query_worker(there, self.alive_read_end, quads, self.query_memory_bytes)
        there.close()
        born = frame_message(FORKED_MESSAGE, json.dumps([process, changes]).encode())
        socket.send_fds(self.workers_socket, [born], [here.fileno()])
        here.close()

    def close(self) -> None:
        """Let the workers end, and wait until they are gone."""
        os.close(self.alive_write_end)
        with suppress(ChildProcessError):  # which tells that there is none any more
            os.wait()


def copy_store_to_memory(folder: str, most: int, service: socket.socket) -> ox.Store | None:
    """A copy in memory of the quads of the store in a folder; None where they are more than `most`.

    Another process reads them, as a store on disk leaves threads behind. Blank nodes keep their names. Raises
    ConnectionError where the service ends meanwhile, EOFError where the other process does.
    """
    reading, writing = os.pipe()
    if not os.fork():
        os.close(reading)  # so that it ends with this process
        write_store_to_pipe(folder, most, writing)
    os.close(writing)
    quads, count = ox.Store(), -1
    with (
        io.BufferedReader(WatchedPipe(reading, service), COPY_PIECE_BYTES) as stream,
        suppress(SyntaxError, ValueError),
    ):
        count = int(stream.readline())
        if count > most:
            return None
        quads.bulk_extend(ox.parse(stream, ox.RdfFormat.N_QUADS))
    if len(quads) != count:
        raise EOFError("the copy of the quads to memory broke off")
    return quads


class WatchedPipe(io.FileIO):
    """What comes out of a pipe, until whoever it is read for has gone."""

    def __init__(self, pipe: int, consumer: socket.socket) -> None:
        """Take the end of the pipe, and a connection to whoever wants what comes."""
        super().__init__(pipe)
        self.consumer = consumer
        self.poller = select.poll()
        self.poller.register(pipe, select.POLLIN)
        self.poller.register(consumer, select.POLLRDHUP)

    def readinto(self, target: "Buffer") -> int | None:
        """Wait for more, and take it. Raises ConnectionError."""
        if any(one == self.consumer.fileno() for one, _ in self.poller.poll()):
            raise ConnectionAbortedError("the service is gone")
        return super().readinto(target)


def write_store_to_pipe(folder: str, most: int, writing: int) -> NoReturn:
    """Write how many quads the store in a folder has, and all of them unless they are more than `most`."""
    try:
        quads = ox.Store.read_only(folder)
        with os.fdopen(writing, "wb") as stream:
            count = len(quads)
            stream.write(b"%d\n" % count)
            if count <= most:
                quads.dump(stream, ox.RdfFormat.N_QUADS)
    finally:
        os._exit(0)


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:]]
    run_forker(socket.socket(fileno=numbers[0]), socket.socket(fileno=numbers[1]), *numbers[2:])
