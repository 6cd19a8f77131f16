"""Forker: the process that has the quads in memory and forks the query workers, and perhaps front processes.

The supervisor of front processes forks it. Without a supervisor, it is started as
`python -m wgig.sparql.workers.forker FD FD QUADS MEMORY BASE`. The first FD is the socket for messages to and
from the service, the second one the socket for new workers. QUADS is the maximum number of quads in memory,
MEMORY the maximum number of bytes for a query, BASE the base IRI of the graph. If the store has more quads,
workers read from a folder on disk. The forker has one thread, as a fork copies only the calling thread. So it
never opens a store on disk, which would start threads.
"""

import gc
import io
import json
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, NoReturn

import pyoxigraph as ox

from ...processes import name_process, send_signal
from ...store.change import parse_change
from ...store.errors import is_engine_damage
from .counted_quads import CountedQuads
from .protocol import (
    CHANGE_MESSAGE,
    FORK_MESSAGE,
    FORKED_MESSAGE,
    LOAD_MESSAGE,
    LOADED_MESSAGE,
    ForkerLimits,
    frame_message,
)
from .worker import iter_connection_messages, run_query_worker

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer


COPY_BUFFER_BYTES = 2**18  # for reading the copy
COPY_READERS = 2  # processes; each takes twice as long to read quads from disk as it takes to store them
COPY_BATCH_QUADS = 1000
ORPHAN_POLL_SECONDS = 0.001  # until the parent of a front process has exited


class FrontForking(NamedTuple):
    """How front processes run: with their number, a socket for changes, and the copy of the quads.

    The `sockets` are for them, and workers close them.
    """

    run: Callable[[int, socket.socket, CountedQuads], NoReturn]
    sockets: Sequence[socket.socket]


def run_forker(
    connection: socket.socket,
    workers_socket: socket.socket,
    limits: ForkerLimits,
    fronts: FrontForking | None = None,
) -> None:
    """Handle the messages of the service until it closes the connection."""
    name_process("wgig-forker")
    for signal_ in (signal.SIGINT, signal.SIGHUP):  # of a terminal, for the service
        signal.signal(signal_, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: reap_workers())
    worker_forker = WorkerForker(workers_socket, limits.memory_bytes, fronts)
    try:
        with suppress(ConnectionError):  # the service has exited
            serve_forker_messages(connection, worker_forker, limits.max_quads, limits.base)
    except EOFError as error:
        # The service starts a new forker, which repeats the copy.
        print(f"wgig: {error}; repeating it", file=sys.stderr)
    worker_forker.close()


def serve_forker_messages(
    connection: socket.socket, worker_forker: "WorkerForker", max_quads: int, base: str
) -> None:
    """Handle messages until the connection closes.

    Raises ConnectionError if the connection breaks, EOFError if the copy of the quads is incomplete.
    """
    copy: CountedQuads | None = None
    applied_changes = 0
    for kind, body in iter_connection_messages(connection):
        if kind == LOAD_MESSAGE:
            copy, damage = copy_store_to_memory(body.decode(), max_quads, base, connection)
            gc.freeze()  # garbage collection in workers would copy memory that they share
            outcome = damage or copy is not None
            connection.sendall(frame_message(LOADED_MESSAGE, json.dumps(outcome).encode()))
        elif kind == CHANGE_MESSAGE:
            applied_changes += 1
            if copy:
                copy.apply(parse_change(body))
        elif kind == FORK_MESSAGE:
            worker_forker.fork(connection, copy, applied_changes, int(body) if body else None)


class WorkerForker:
    """Forks workers, which exit together with this process, and front processes, which do not."""

    def __init__(
        self, workers_socket: socket.socket, memory_bytes: int, fronts: FrontForking | None = None
    ) -> None:
        """New workers are sent over `workers_socket`. A query in them may use `memory_bytes` of memory."""
        self.workers_socket, self.query_memory_bytes = workers_socket, memory_bytes
        self.fronts = fronts
        # The workers exit when the write end of this pipe is closed, also by the exit of this process.
        self.alive_read_end, self.alive_write_end = os.pipe()

    def fork(
        self,
        connection: socket.socket,
        copy: CountedQuads | None,
        applied_changes: int,
        front_number: int | None = None,
    ) -> None:
        """Fork a worker, and send its process ID, the number of its applied changes, and its socket.

        With a number, fork a front process instead, whose parent becomes the supervisor.
        """
        service_end, child_end = socket.socketpair()
        process_id = os.fork()
        if not process_id:
            for inherited_socket in (connection, self.workers_socket, service_end):
                inherited_socket.close()
            os.close(self.alive_write_end)
            if front_number is not None:
                self.run_orphaned_front(front_number, child_end, copy)
            for front_socket in self.fronts.sockets if self.fronts else ():
                front_socket.close()
            run_query_worker(child_end, self.alive_read_end, copy, self.query_memory_bytes)
        child_end.close()
        message = frame_message(FORKED_MESSAGE, json.dumps([process_id, applied_changes]).encode())
        socket.send_fds(self.workers_socket, [message], [service_end.fileno()])
        service_end.close()

    def run_orphaned_front(
        self, number: int, connection: socket.socket, copy: CountedQuads | None
    ) -> NoReturn:
        """Run a front process in a child of this process, which exits."""
        parent = os.getpid()
        if os.fork():
            os._exit(0)
        os.close(self.alive_read_end)
        while os.getppid() == parent:
            time.sleep(ORPHAN_POLL_SECONDS)
        assert self.fronts
        assert copy
        self.fronts.run(number, connection, copy)

    def close(self) -> None:
        """Let the workers exit, and wait until they have exited."""
        os.close(self.alive_write_end)
        with suppress(ChildProcessError):  # raised when the last child has exited
            while True:
                os.wait()


def reap_workers() -> None:
    """Notice the workers that have exited, and kill those that were stopped, so that they are replaced.

    Ctrl-Z stops all processes of the service with SIGTSTP, until they continue together.
    """
    with suppress(ChildProcessError):
        while (child := os.waitpid(-1, os.WNOHANG | os.WUNTRACED))[0]:
            process_id, status = child
            if os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGSTOP:
                send_signal(process_id, signal.SIGKILL)


def copy_store_to_memory(
    folder: str, max_quads: int, base: str, connection: socket.socket
) -> tuple[CountedQuads | None, str]:
    """A copy in memory of the quads of the store in a folder, and the engine's message if a file is damaged.

    The copy is None if there are more than `max_quads`, or if a file is damaged. Child processes read the
    store, because opening it starts threads. Blank nodes keep their labels. Raises ConnectionError if the
    service closes the connection meanwhile, EOFError if a child process exits early.

    A thread fills the copy, because a thread has a heap of its own: loading a million quads leaves so many
    free blocks in its heap that looking for one took a fifth of the CPU of each request in a forked process.
    """
    if not max_quads:
        return None, ""  # without counting, which reads the whole store
    damage_read_end, damage_write_end = os.pipe()
    with (
        open(damage_read_end, "rb") as damage_stream,  # noqa: PTH123 - a descriptor
        ExitStack() as stack,
        ThreadPoolExecutor(1) as loader,
    ):
        streams = [
            stack.enter_context(start_copy_reader(folder, max_quads, part, damage_write_end, connection))
            for part in range(COPY_READERS)
        ]
        os.close(damage_write_end)
        counts = [read_quad_count(stream) for stream in streams]
        if max(counts) > max_quads:
            return None, ""
        copy = loader.submit(load_counted_quads, streams, counts[0], base).result()
        if copy is not None:
            return copy, ""
        damage = damage_stream.read().decode()  # until the child processes exit
    if damage:
        return None, damage
    raise EOFError("the copy of the quads to memory was interrupted")


def start_copy_reader(
    folder: str, max_quads: int, part: int, damage_descriptor: int, connection: socket.socket
) -> BinaryIO:
    """The output of a new child process that runs `write_store_to_pipe`.

    Reading it raises ConnectionError if the service has closed the connection.
    """
    read_end, write_end = os.pipe()
    if not os.fork():
        os.close(read_end)  # so that the writes of the child fail when this process exits
        write_store_to_pipe(folder, max_quads, part, write_end, damage_descriptor)
    os.close(write_end)
    return io.BufferedReader(WatchedPipe(read_end, connection), COPY_BUFFER_BYTES)


def read_quad_count(stream: BinaryIO) -> int:
    """The number of quads of the store, from the first line; -1 if the process has exited before."""
    with suppress(ValueError):
        return int(stream.readline())
    return -1


def load_counted_quads(streams: Iterable[BinaryIO], count: int, base: str) -> CountedQuads | None:
    """Load that many N-Quads into memory. Returns None if there are fewer.

    They are not checked, as the engine has written them: that took a quarter of the time. They are loaded in
    batches from each stream in turn, as the engine would store them only when it has a million.
    """
    quads = ox.Store()
    waiting = deque(ox.parse(stream, ox.RdfFormat.N_QUADS, lenient=True) for stream in streams)
    while waiting:
        parsed = waiting.popleft()
        with suppress(SyntaxError):  # if a stream ends within a line
            if batch := list(islice(parsed, COPY_BATCH_QUADS)):
                quads.bulk_extend(batch)
                waiting.append(parsed)
    return CountedQuads(quads, base) if len(quads) == count else None


class WatchedPipe(io.FileIO):
    """The read end of a pipe, from which reading fails when the consumer of the data has disconnected."""

    def __init__(self, descriptor: int, consumer: socket.socket) -> None:
        """`consumer` is the connection to the consumer."""
        super().__init__(descriptor)
        self.consumer = consumer
        self.poller = select.poll()
        self.poller.register(descriptor, select.POLLIN)
        self.poller.register(consumer, select.POLLRDHUP)

    def readinto(self, target: "Buffer") -> int | None:
        """Wait for data and read it. Raises ConnectionError if the consumer has disconnected."""
        if any(ready == self.consumer.fileno() for ready, _ in self.poller.poll()):
            raise ConnectionAbortedError("the service has exited")
        return super().readinto(target)


def write_store_to_pipe(
    folder: str, max_quads: int, part: int, descriptor: int, damage_descriptor: int
) -> NoReturn:
    """Write the number of quads of the store in a folder, and a part of them if they are at most `max_quads`.

    Each of the COPY_READERS parts has as many graphs. The engine's message about a damaged file is written to
    `damage_descriptor`.
    """
    try:
        quads = ox.Store.read_only(folder)
        with os.fdopen(descriptor, "wb") as stream:
            count = len(quads)
            stream.write(b"%d\n" % count)
            graphs = [ox.DefaultGraph(), *quads.named_graphs()] if count <= max_quads else []
            for graph in graphs[part::COPY_READERS]:
                ox.serialize(quads.quads_for_pattern(None, None, None, graph), stream, ox.RdfFormat.N_QUADS)
    except (OSError, RuntimeError, ValueError) as error:
        if is_engine_damage(error):
            os.write(damage_descriptor, str(error).encode())
    finally:
        os._exit(0)


if __name__ == "__main__":
    descriptor, workers_descriptor, quads_limit, memory_limit = map(int, sys.argv[1:5])
    run_forker(
        socket.socket(fileno=descriptor),
        socket.socket(fileno=workers_descriptor),
        ForkerLimits(quads_limit, memory_limit, sys.argv[5]),
    )
