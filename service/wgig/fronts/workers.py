"""The query workers of a front process. The writer forks them, and sends them changes.

Bounded queries are evaluated in the front process itself, if it has a copy of the quads. A worker connects to
the socket of its front process. A query names the version of the data that the front process has seen; a
worker that cannot reach it is closed, and another worker gets the query.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from ..settings import Settings
from ..sparql.workers.connections import CopyConnection, WorkerConnection
from ..sparql.workers.policy import WorkerSet, start_query, start_query_soon, start_waiting_query
from ..sparql.workers.protocol import (
    FAULT_MESSAGE,
    HELLO_MESSAGE,
    OUTDATED_FAULT,
    RETIRE_MESSAGE,
    QueryJob,
)
from ..sparql.workers.result import QueryResult
from .copy import FrontCopy
from .shared_memory import SharedMemory

RELOAD_COUNT_SHIFT = 48  # bits for versions of the data, below those for reloads of the settings


class FrontWorkers(WorkerSet):
    """The query workers of a front process, which connect to its socket."""

    def __init__(
        self, path: Path, size: int, settings: Settings, memory: SharedMemory, copy: FrontCopy | None = None
    ) -> None:
        """Create the set; `listen` opens the socket at `path`."""
        super().__init__(size)
        self.path, self.settings, self.memory, self.copy = path, settings, memory, copy
        self.request_worker: Callable[[], None] = lambda: None  # asks the writer for one more worker
        self.reload_count = 0
        self.is_serving = True

    async def listen(self) -> None:
        """Accept workers from now on."""
        self.server = await asyncio.get_running_loop().create_unix_server(
            lambda: FrontWorkerConnection(self), self.path
        )

    @property
    def version(self) -> int:
        """The version of the data that results reflect, or an earlier one; another one after a reload."""
        return self.memory.version + (self.reload_count << RELOAD_COUNT_SHIFT)

    def apply_settings(self, settings: Settings) -> None:
        """Use these settings from now on. Earlier responses in the cache become invalid."""
        self.settings = settings
        self.reload_count += 1

    @property
    def is_copying(self) -> bool:
        """False, as the writer copies the quads."""
        return False

    async def see_latest_writes(self) -> None:
        """Do nothing, as workers have each write before it is acknowledged."""

    async def start_query(self, job: QueryJob, client: str) -> QueryResult:
        """Start a query of a client and return its result. Raises Problem 503 if no worker becomes free."""
        job = job._replace(version=self.memory.version)
        if result := self.evaluate(job):
            return result
        result = await start_query(self.queue, job, client, self.settings.query_seconds)
        result.origin = (self.memory.id, job)
        return result

    def start_query_soon(self, job: QueryJob, client: str) -> QueryResult:
        """Start a query of a client, now or when a worker is free for it, and return its result."""
        job = job._replace(version=self.memory.version)
        if result := self.evaluate(job):
            return result
        result = start_query_soon(self.queue, job, client, self.settings.query_seconds)
        result.origin = (self.memory.id, job)
        return result

    def evaluate(self, job: QueryJob) -> QueryResult | None:
        """The whole result of a bounded query; None for any other query, or without a current copy."""
        body = self.copy.evaluate(job) if self.copy else None
        if body is None:
            return None
        result = QueryResult()
        result.add(body, last=True)
        return result

    def fork_worker(self) -> None:
        """Ask the writer for one more worker."""
        self.request_worker()

    def on_outdated(self, worker: "FrontWorkerConnection", job: QueryJob, result: QueryResult) -> None:
        """Close a worker that does not get the version of a job, and let another worker evaluate it."""
        client = self.queue.loans[worker].client
        self.queue.take_back(worker)
        worker.close()
        start_waiting_query(self.queue, job, client, self.settings.query_seconds, result)

    def on_retired(self, worker: "FrontWorkerConnection") -> None:
        """Close a worker that gets no more changes, after its query."""
        worker.is_retired = True
        if not worker.result:
            self.queue.withdraw(worker)
            worker.close()

    def on_finished(self, worker: WorkerConnection, *, worn: bool) -> None:
        """Offer a worker to the next client, or close it."""
        assert isinstance(worker, FrontWorkerConnection)
        super().on_finished(worker, worn=worn or worker.is_retired)

    def on_exited(self, worker: WorkerConnection) -> None:
        """Forget a worker that has exited. The writer forks another one."""
        self.workers.discard(worker)
        self.queue.withdraw(worker)
        self.queue.take_back(worker)

    def on_opened(self) -> None:
        """Do nothing, as workers tell the writer which folder they have opened."""

    async def close(self) -> None:
        """Accept no more workers, and close those that there are."""
        self.server.close()
        for worker in self.workers.copy():
            worker.close()


class FrontWorkerConnection(WorkerConnection):
    """The connection of a front process to one of its workers."""

    is_retired = False  # whether it gets no more changes

    def __init__(self, listener: FrontWorkers) -> None:
        """The worker says which process it is."""
        super().__init__(0, listener, 0)
        self.front = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport. The worker is lent after its HELLO_MESSAGE."""
        CopyConnection.connection_made(self, transport)

    def start_query(self, job: QueryJob, seconds: float, result: QueryResult | None = None) -> QueryResult:
        """Start a query and return its result. After `seconds` the worker is killed."""
        self.job = job
        return super().start_query(job, seconds, result)

    def handle_message(self, kind: bytes, body: bytes) -> None:
        """Handle one message of the worker."""
        if kind == HELLO_MESSAGE:
            self.process_id = self.thread_id = int(body)
            self.listener.on_connected(self)
        elif kind == RETIRE_MESSAGE:
            self.front.on_retired(self)
        elif kind == FAULT_MESSAGE and self.result and json.loads(body)[0] == OUTDATED_FAULT:
            result = self.result
            self.end_query()
            self.front.on_outdated(self, self.job, result)
        else:
            super().handle_message(kind, body)
