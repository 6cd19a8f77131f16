"""Which worker evaluates a query, when another worker is forked, and which query is canceled for others."""

import asyncio
from collections.abc import Callable

from ...http.limits import identify_client
from ...problems import Problem
from .connections import SLOW_QUERY_SECONDS, WorkerConnection
from .fair_queue import FairQueue, QueueState
from .protocol import CROWDED_FAULT, WAIT_FAULT, QueryFault, QueryJob
from .result import QueryResult

MAX_WAITING_QUERIES = 256
WORKER_WAIT_SECONDS = 10  # until a waiting query gets a 503


async def start_query(
    queue: FairQueue[WorkerConnection],
    job: QueryJob,
    client: str,
    seconds: float,
    result: QueryResult | None = None,
) -> QueryResult:
    """Start a query of a client on a worker of the queue, and return its result, by default a new one.

    Raises Problem 503 if no worker becomes free.
    """
    client_key = identify_client(client)
    worker = await queue.borrow(client_key)
    while worker.transport.is_closing():  # it was retired after the loan began
        queue.take_back(worker)
        worker = await queue.borrow(client_key)
    if not queue.idle and client_key in queue.long_borrowers():
        worker.listener.on_occupied()  # so that another worker is forked, if that is allowed
    return worker.start_query(job, seconds, result)


def make_worker_queue(size: int, on_crowded: Callable[[], None]) -> FairQueue[WorkerConnection]:
    """A queue that lends `size` workers, of which one client gets all but one."""
    max_per_client = size - 1
    return FairQueue(
        max(1, max_per_client),  # workers lent to one client
        max(1, 2 * max_per_client),  # workers lent in all, during the replacement of a generation
        MAX_WAITING_QUERIES,
        WORKER_WAIT_SECONDS,
        on_crowded,
    )


def start_query_soon(
    queue: FairQueue[WorkerConnection], job: QueryJob, client: str, seconds: float
) -> QueryResult:
    """Start a query of a client now, or else when a worker is free for it. Returns its result."""
    return start_query_now(queue, job, client, seconds) or start_waiting_query(
        queue, job, client, seconds, QueryResult()
    )


def start_waiting_query(
    queue: FairQueue[WorkerConnection], job: QueryJob, client: str, seconds: float, result: QueryResult
) -> QueryResult:
    """Start a query when a worker is free for it; its result fails with WAIT_FAULT if none becomes free."""

    async def start() -> None:
        try:
            await start_query(queue, job, client, seconds, result)
        except Problem:
            result.fail(QueryFault(WAIT_FAULT))

    def stop(kind: str) -> None:
        task.cancel()
        result.fail(QueryFault(kind))

    task = asyncio.get_running_loop().create_task(start())
    result.is_waiting, result.stop = True, stop  # this also keeps the task from being freed
    return result


def start_query_now(
    queue: FairQueue[WorkerConnection], job: QueryJob, client: str, seconds: float
) -> QueryResult | None:
    """Start a query of a client on a worker of the queue, if one is free for it; else return None."""
    client_key = identify_client(client)
    worker = queue.borrow_now(client_key)
    if worker and worker.transport.is_closing():
        queue.take_back(worker)
        return None
    if worker is None:
        return None
    if not queue.idle and client_key in queue.long_borrowers():
        worker.listener.on_occupied()
    return worker.start_query(job, seconds)


class WorkerSet:
    """Workers of which `size` are kept, and up to twice as many while they are busy. `queue` lends them."""

    is_serving = False  # whether free workers are lent

    def __init__(self, size: int, queue: FairQueue[WorkerConnection] | None = None) -> None:
        """Start without workers, and with a queue of its own if there is none."""
        self.size = size
        self.queue = queue or make_worker_queue(size, self.on_crowded)
        self.workers: set[WorkerConnection] = set()

    @property
    def forking_count(self) -> int:
        """The number of workers that are being forked."""
        return 0

    @property
    def queue_state(self) -> QueueState:
        """The numbers of busy workers, idle workers and waiting queries."""
        return self.queue.state

    def fork_worker(self) -> None:
        """Fork one more worker."""
        raise NotImplementedError

    def on_connected(self, worker: WorkerConnection) -> None:
        """Offer a new worker to the queue."""
        self.workers.add(worker)
        self.queue.offer(worker)

    def on_finished(self, worker: WorkerConnection, *, worn: bool) -> None:
        """Offer a worker to the next client, or close it."""
        self.queue.take_back(worker)
        if worn or not self.is_serving:
            worker.close()
        else:
            self.queue.offer(worker)
        self.end_surplus_worker()

    def end_surplus_worker(self) -> None:
        """Close an idle worker if there are more than `size` workers and another idle one."""
        idle = [worker for worker in self.queue.idle if worker in self.workers]
        if len(self.workers) > self.size and len(idle) > 1:
            self.queue.withdraw(idle[0])
            idle[0].close()

    def on_occupied(self) -> None:
        """Fork another worker if none is idle, up to twice `size`, because a worker stays busy."""
        is_full = len(self.workers) + self.forking_count >= 2 * self.size
        if self.is_serving and not self.queue.idle and not is_full:
            self.fork_worker()

    def on_crowded(self) -> None:
        """Handle a waiting client without long loans: if all workers have slow queries, fork another worker.

        If there are already twice `size` workers, one query is canceled with CROWDED_FAULT.
        """
        loans = self.queue.loans
        if self.forking_count or any(
            worker not in loans or loans[worker].seconds <= SLOW_QUERY_SECONDS for worker in self.workers
        ):
            return
        if len(self.workers) >= 2 * self.size:
            if not (victim := self.find_victim()):
                return
            victim.kill(CROWDED_FAULT)
        self.fork_worker()

    def find_victim(self) -> WorkerConnection | None:
        """The worker whose query is canceled when other clients wait; None if no loan is long.

        The order of choice: the client with the most workers, a client with earlier long loans, a query whose
        result was not read yet, the query that has run longest.
        """
        loans, borrowers = self.queue.loans, self.queue.list_borrowers()

        def rank(worker: WorkerConnection) -> tuple[int, bool, bool, float]:
            client, has_begun = loans[worker].client, worker.result is not None and worker.result.has_begun
            had_long_loans = client in self.queue.long_until
            return borrowers.count(client), had_long_loans, not has_begun, loans[worker].seconds

        candidates = (worker for worker in self.workers if worker in loans and loans[worker].is_long)
        return max(candidates, key=rank, default=None)
