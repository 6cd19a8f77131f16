"""The process that holds the quads in memory and forks readers.

It is called as `python -m wgig.sparql.workers.forker FD FD MOST MEMORY`. The first FD is its connection to the
service, over the second it hands out readers. MOST is how many quads it may hold, MEMORY how many bytes a
query may take. Where there are more quads, it holds none, and readers read from the folder. It has one thread
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

from ...store.change import N_QUADS
from .protocol import CHANGE, FORK, FORKED, LOAD, LOADED, apply, framed
from .worker import messages, read

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer


PIECE = 2**18  # bytes of the copy that are read at once


def main(connection: socket.socket, births: socket.socket, most: int, memory: int) -> None:
    """Do what the service says until its end of the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who ends leaves nothing behind
    nursery = Nursery(births, memory)
    try:
        with suppress(ConnectionError):  # the service is gone
            obey(connection, nursery, most)
    except EOFError as error:
        print(f"wgig: {error}, and it is taken anew", file=sys.stderr)
    nursery.close()


def obey(connection: socket.socket, nursery: "Nursery", most: int) -> None:
    """Do what comes over the connection until it ends. Raises ConnectionError where it breaks, EOFError."""
    quads: ox.Store | None = None
    changes = 0
    for kind, body in messages(connection):
        if kind == LOAD:
            quads = copied(body.decode(), most, connection)
            gc.freeze()
            connection.sendall(framed(LOADED, json.dumps(quads is not None).encode()))
        elif kind == CHANGE:
            changes += 1
            if quads is not None:
                apply(body, quads)
        elif kind == FORK:
            nursery.fork(connection, quads, changes)


class Nursery:
    """Forks readers, which end with this process."""

    def __init__(self, births: socket.socket, memory: int) -> None:
        """Hand readers out over `births`; a query of theirs may take `memory` bytes."""
        self.births, self.memory = births, memory
        self.alive, self.ours = os.pipe()

    def fork(self, connection: socket.socket, quads: ox.Store | None, changes: int) -> None:
        """Fork a reader, and hand out its process, the number of `changes` it has seen, and its socket."""
        here, there = socket.socketpair()
        process = os.fork()
        if not process:
            for one in (connection, self.births, here):
                one.close()
            os.close(self.ours)
            read(there, self.alive, quads, self.memory)
        there.close()
        born = framed(FORKED, json.dumps([process, changes]).encode())
        socket.send_fds(self.births, [born], [here.fileno()])
        here.close()

    def close(self) -> None:
        """Let the readers end, and wait until they are gone."""
        os.close(self.ours)
        with suppress(ChildProcessError):  # which tells that there is none any more
            os.wait()


def copied(folder: str, most: int, service: socket.socket) -> ox.Store | None:
    """A copy in memory of the quads of the store in a folder; None where they are more than `most`.

    Another process reads them, as a store on disk leaves threads behind. Blank nodes keep their names. Raises
    ConnectionError where the service ends meanwhile, EOFError where the other process does.
    """
    reading, writing = os.pipe()
    if not os.fork():
        os.close(reading)  # so that it ends with this process
        pour(folder, most, writing)
    os.close(writing)
    quads, count = ox.Store(), -1
    with io.BufferedReader(Watched(reading, service), PIECE) as stream, suppress(SyntaxError, ValueError):
        count = int(stream.readline())
        if count > most:
            return None
        quads.bulk_extend(ox.parse(stream, N_QUADS))
    if len(quads) != count:
        raise EOFError("the copy of the quads to memory broke off")
    return quads


class Watched(io.FileIO):
    """What comes out of a pipe, until whoever it is read for has gone."""

    def __init__(self, pipe: int, reader: socket.socket) -> None:
        """Take the end of the pipe, and a connection to whoever wants what comes."""
        super().__init__(pipe)
        self.reader = reader
        self.waiting = select.poll()
        self.waiting.register(pipe, select.POLLIN)
        self.waiting.register(reader, select.POLLRDHUP)

    def readinto(self, target: "Buffer") -> int | None:
        """Wait for more, and take it. Raises ConnectionError."""
        if any(one == self.reader.fileno() for one, _ in self.waiting.poll()):
            raise ConnectionAbortedError("the service is gone")
        return super().readinto(target)


def pour(folder: str, most: int, writing: int) -> NoReturn:
    """Write how many quads the store in a folder has, and all of them unless they are more than `most`."""
    try:
        quads = ox.Store.read_only(folder)
        with os.fdopen(writing, "wb") as stream:
            count = len(quads)
            stream.write(b"%d\n" % count)
            if count <= most:
                quads.dump(stream, N_QUADS)
    finally:
        os._exit(0)


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:]]
    main(socket.socket(fileno=numbers[0]), socket.socket(fileno=numbers[1]), *numbers[2:])
