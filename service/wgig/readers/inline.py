"""Queries answered in the process of the service: for stores in memory, and systems that cannot fork."""

from ..store import Store
from ..turns import Turns
from .evaluation import evaluate
from .lending import Standing
from .result import Result, unpaced
from .wire import Fault, Job


class Inline(Turns):
    """Threads that answer queries over a store. Nothing limits their time."""

    def __init__(self, store: Store) -> None:
        """Fewer threads than the framework has (40), so that pages always find one."""
        super().__init__(at_once=32, waiting=256, patience=10)
        self.store = store

    copying = False  # nobody has a copy

    @property
    def version(self) -> int:
        """The number of the last write."""
        return self.store.version

    @property
    def standing(self) -> Standing:
        """How many threads answer queries and how many more may, and how many queries wait for one."""
        now = self.limiter.statistics()
        return Standing(now.borrowed_tokens, int(now.total_tokens) - now.borrowed_tokens, now.tasks_waiting)

    async def in_line(self) -> None:
        """Each write is seen before it is acknowledged."""

    async def ask(self, job: Job, client: str) -> Result:
        """The whole answer to a query. Raises Problem 503 where no thread comes free."""
        del client
        return await self.run(self.whole, job)

    def whole(self, job: Job) -> Result:
        """The whole answer to a query, or the fault in its place."""
        pieces: list[bytes] = []
        result = Result(unpaced, lambda _: None)
        try:
            pieces.append(evaluate(self.store, job, pieces.append))
        except Fault as fault:
            result.fail(fault)
        else:
            result.add(b"".join(pieces), last=True)
        return result
