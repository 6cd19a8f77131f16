"""Threads of the service that evaluate queries, for in-memory stores and systems that cannot fork.

There are 32 of them, fewer than the 40 of the framework, so that pages always get a thread. Queries on
threads have no time limit. This module needs the web framework, which query workers do not import.
"""

from ...http.work_queue import WorkQueue
from ...store.store import Store
from .evaluation import evaluate_query
from .fair_queue import QueueState
from .protocol import QueryFault, QueryJob
from .result import QueryResult, ignore_flow_control


class ThreadQueryWorkers(WorkQueue):
    """Threads that evaluate queries over a store, without a time limit."""

    def __init__(self, store: Store) -> None:
        """`store` is read by all threads."""
        super().__init__(max_running=32, max_waiting=256, timeout_seconds=10)
        self.store = store

    is_copying = False  # threads use the store itself

    @property
    def version(self) -> int:
        """The number of the last write."""
        return self.store.version

    @property
    def queue_state(self) -> QueueState:
        """The numbers of busy threads, free threads and waiting queries."""
        statistics = self.limiter.statistics()
        return QueueState(
            statistics.borrowed_tokens,
            int(statistics.total_tokens) - statistics.borrowed_tokens,
            statistics.tasks_waiting,
        )

    async def see_latest_writes(self) -> None:
        """Do nothing, as each write is visible before it is acknowledged."""

    def start_query_soon(self, job: QueryJob, client: str) -> None:  # noqa: ARG002  the protocol
        """Return None: a query has to wait for a thread."""
        return

    async def start_query(self, job: QueryJob, client: str) -> QueryResult:
        """Evaluate a query and return its complete result. Raises Problem 503 if no thread becomes free."""
        del client
        return await self.run(self.evaluate_completely, job)

    def evaluate_completely(self, job: QueryJob) -> QueryResult:
        """The complete result of a query, or its fault."""
        chunks: list[bytes] = []
        result = QueryResult(ignore_flow_control, lambda _: None)
        try:
            chunks.append(evaluate_query(self.store, job, chunks.append))
        except QueryFault as fault:
            result.fail(fault)
        else:
            result.add(b"".join(chunks), last=True)
        return result
