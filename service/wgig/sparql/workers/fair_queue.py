"""Fair queue for query workers: clients take turns, so that many requests of one do not starve others."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from ...http.work_queue import queue_full_problem

Item = TypeVar("Item")

LONG_LOAN_SECONDS = 0.5  # a loan is long after this time
# After a long loan, a client counts as one with long loans for this many times its duration.
LONG_LOAN_MEMORY_FACTOR = 20
QUEUE_RECHECK_SECONDS = 0.02  # seconds between two checks of the waiting clients


class QueueLoan(NamedTuple):
    """The client that has an item, and since when, by the monotonic clock."""

    client: str
    began: float

    @property
    def seconds(self) -> float:
        """How long the item has been lent."""
        return time.monotonic() - self.began

    @property
    def is_long(self) -> bool:
        """Whether that is longer than LONG_LOAN_SECONDS."""
        return self.seconds > LONG_LOAN_SECONDS


class QueueState(NamedTuple):
    """How many items are lent, how many are free, and how many requests wait."""

    busy: int
    idle: int
    waiting: int


class FairQueue(Generic[Item]):
    """Lends items to clients, which take turns when they have to wait.

    A client has at most `max_per_client` items at a time. Clients with long loans, now or lately, have at
    most `max_long_loans` altogether, so that the others get an item even if many addresses send slow queries.
    While one of the others waits, `on_crowded` is called repeatedly.

    At most `max_waiting` requests wait, each for `wait_seconds`. One more replaces the last request of the
    client with the most waiting requests, if that has more than its own client.
    """

    def __init__(
        self,
        max_per_client: int,
        max_long_loans: int,
        max_waiting: int,
        wait_seconds: float,
        on_crowded: Callable[[], None],
    ) -> None:
        """There are no items yet."""
        self.max_per_client, self.max_long_loans, self.max_waiting, self.wait_seconds = (
            max_per_client,
            max_long_loans,
            max_waiting,
            wait_seconds,
        )
        self.on_crowded = on_crowded
        self.idle: deque[Item] = deque()
        self.loans: dict[Item, QueueLoan] = {}
        self.queues: OrderedDict[str, deque[asyncio.Future[Item]]] = OrderedDict()
        self.long_until: dict[str, float] = {}  # until when a client counts as one with long loans
        self.recheck_timer: asyncio.TimerHandle | None = None

    async def borrow(self, client: str) -> Item:
        """Lend an item to the client, until `take_back`. Raises Problem 503 where the wait is too long."""
        if self.idle and self.next_client([client]) is not None:
            return self.lend_to(client)
        self.make_room(client)
        waiter: asyncio.Future[Item] = asyncio.get_running_loop().create_future()
        self.queues.setdefault(client, deque()).append(waiter)
        self.schedule_recheck()
        try:
            async with asyncio.timeout(self.wait_seconds):
                return await asyncio.shield(waiter)
        except (TimeoutError, asyncio.CancelledError) as error:
            self.stop_waiting(client, waiter)
            if isinstance(error, TimeoutError):
                raise queue_full_problem() from error
            raise

    def make_room(self, client: str) -> None:
        """Make room for a waiting request, by rejecting another where too many wait. Raises Problem 503."""
        if sum(map(len, self.queues.values())) < self.max_waiting:
            return
        longest_queue = max(self.queues.values(), key=len, default=deque())
        if len(longest_queue) <= len(self.queues.get(client, ())) + 1:
            raise queue_full_problem()
        longest_queue.pop().set_exception(queue_full_problem())

    def stop_waiting(self, client: str, waiter: asyncio.Future[Item]) -> None:
        """Remove a waiting request, or give back the item that it got at the last moment."""
        if not waiter.done():
            self.remove_waiter(client, waiter)
        elif not waiter.exception():
            self.take_back(waiter.result())
            self.offer(waiter.result())

    def remove_waiter(self, client: str, waiter: asyncio.Future[Item]) -> None:
        """Remove a request from the queue of its client."""
        self.queues[client].remove(waiter)
        if not self.queues[client]:
            del self.queues[client]

    def offer(self, item: Item) -> None:
        """Add an item that is free to lend."""
        self.idle.append(item)
        self.lend_idle()

    def withdraw(self, item: Item) -> None:
        """Remove an item that is free."""
        if item in self.idle:
            self.idle.remove(item)

    def take_back(self, item: Item) -> None:
        """End the loan of an item, if there is one."""
        if (loan := self.loans.pop(item, None)) is None:
            return
        if loan.is_long:
            now = time.monotonic()
            self.long_until = {client: end for client, end in self.long_until.items() if end > now}
            self.long_until[loan.client] = max(
                self.long_until.get(loan.client, 0), now + LONG_LOAN_MEMORY_FACTOR * loan.seconds
            )
        self.lend_idle()

    def lend_idle(self) -> None:
        """Lend the free items to waiting requests, one client after the other."""
        while self.idle and self.queues and (client := self.next_client(self.queues)) is not None:
            waiter = self.queues[client][0]
            self.remove_waiter(client, waiter)
            if client in self.queues:
                self.queues.move_to_end(client)
            waiter.set_result(self.lend_to(client))

    def lend_to(self, client: str) -> Item:
        """Lend a free item to the client."""
        item = self.idle.pop()
        self.loans[item] = QueueLoan(client, time.monotonic())
        return item

    def next_client(self, clients: Iterable[str]) -> str | None:
        """The first of the clients with the fewest items that may have one more; None where no client may."""
        borrowers, long_borrowers = self.list_borrowers(), self.long_borrowers()
        is_full = sum(client in long_borrowers for client in borrowers) >= self.max_long_loans
        eligible = (
            client
            for client in clients
            if borrowers.count(client) < self.max_per_client and not (is_full and client in long_borrowers)
        )
        return min(eligible, key=borrowers.count, default=None)

    @property
    def state(self) -> QueueState:
        """How many items are lent and free, and how many requests wait."""
        return QueueState(len(self.loans), len(self.idle), sum(map(len, self.queues.values())))

    def list_borrowers(self) -> list[str]:
        """The clients that have the lent items, one entry per item."""
        return [loan.client for loan in self.loans.values()]

    def long_borrowers(self) -> set[str]:
        """The clients with long loans, now or lately."""
        clients = {loan.client for loan in self.loans.values() if loan.is_long}
        if self.long_until:
            now = time.monotonic()
            clients.update(client for client, end in self.long_until.items() if end > now)
        return clients

    def schedule_recheck(self) -> None:
        """Schedule the next check while requests wait."""
        if self.queues and not self.recheck_timer:
            self.recheck_timer = asyncio.get_running_loop().call_later(QUEUE_RECHECK_SECONDS, self.recheck)

    def recheck(self) -> None:
        """Lend to clients whose long loans no longer count, and report waiting clients without long loans."""
        self.recheck_timer = None
        self.lend_idle()
        if self.next_client(self.queues.keys() - self.long_borrowers()) is not None:
            self.on_crowded()
        self.schedule_recheck()
