"""Fair queue that lends items (query workers) to clients in turns, so that no client can block the others.

A loan lasts from `borrow` to `take_back`: the time of one query. Clients with long loans have lower priority.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, Protocol, TypeVar

from ...http.work_queue import queue_full_problem

Item = TypeVar("Item")

LONG_LOAN_SECONDS = 0.5  # a loan that lasts longer is a long loan
# A client counts as a client with long loans until a long loan has been over for 20 times its duration.
LONG_LOAN_MEMORY_FACTOR = 20
QUEUE_RECHECK_SECONDS = 0.02  # between two checks of the waiting clients


class QueueLoan(NamedTuple):
    """The client that has an item, and the time on the monotonic clock when it got the item."""

    client: str
    began: float

    @property
    def seconds(self) -> float:
        """The seconds since the item was lent."""
        return time.monotonic() - self.began

    @property
    def is_long(self) -> bool:
        """Whether the loan has lasted longer than LONG_LOAN_SECONDS."""
        return self.seconds > LONG_LOAN_SECONDS


class QueueState(NamedTuple):
    """The numbers of lent items, free items and waiting requests."""

    busy: int
    idle: int
    waiting: int


class SharedLimit(Protocol):
    """A limit on the items that a client has from the queues of several processes."""

    def is_reached(self, client: str) -> bool:
        """Whether a client may not have another item."""

    def add(self, client: str) -> bool:
        """Note that a client gets an item. False if another process has just lent it the last one."""

    def remove(self, client: str) -> None:
        """Note that a client has returned an item."""


class FairQueue(Generic[Item]):
    """Lends items to clients, which take turns when they have to wait.

    A client has at most `max_per_client` items at a time, and no more than `shared_limit` allows, if there is
    one. All clients with current or recent long loans have at most `max_long_loans` items together, so that
    other clients get an item even if many addresses send slow queries. While one of the other clients waits,
    `on_crowded` is called repeatedly.

    At most `max_waiting` requests wait, each for `wait_seconds`. If the queue is full, a new request replaces
    the last request of the client with the longest queue, provided that its own client has fewer requests.
    """

    def __init__(
        self,
        max_per_client: int,
        max_long_loans: int,
        max_waiting: int,
        wait_seconds: float,
        on_crowded: Callable[[], None],
    ) -> None:
        """Start without items; `offer` adds them."""
        self.max_per_client, self.max_long_loans, self.max_waiting, self.wait_seconds = (
            max_per_client,
            max_long_loans,
            max_waiting,
            wait_seconds,
        )
        self.on_crowded = on_crowded
        self.shared_limit: SharedLimit | None = None
        self.idle: deque[Item] = deque()
        self.loans: dict[Item, QueueLoan] = {}
        self.queues: OrderedDict[str, deque[asyncio.Future[Item]]] = OrderedDict()  # waiting, by client
        self.long_until: dict[str, float] = {}  # time until which a client counts as one with long loans
        self.recheck_timer: asyncio.TimerHandle | None = None

    def borrow_now(self, client: str) -> Item | None:
        """Get an item for the client until `take_back`, if one is free for it."""
        if self.idle and self.next_client([client]) is not None:
            return self.lend_to(client)
        return None

    async def borrow(self, client: str) -> Item:
        """Get an item for the client until `take_back`.

        Raises Problem 503 if the queue is full, or no item becomes free within `wait_seconds`.
        """
        if (item := self.borrow_now(client)) is not None:
            return item
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
        """Make room in the queue for a request of the client.

        If the queue is full, this rejects the last request of the longest queue. Raises Problem 503 if that
        queue is not longer than the queue of the client would be.
        """
        if sum(map(len, self.queues.values())) < self.max_waiting:
            return
        longest_queue = max(self.queues.values(), key=len, default=deque())
        if len(longest_queue) <= len(self.queues.get(client, ())) + 1:
            raise queue_full_problem()
        longest_queue.pop().set_exception(queue_full_problem())

    def stop_waiting(self, client: str, waiter: asyncio.Future[Item]) -> None:
        """Remove a waiting request, or return its item if it got one in the meantime."""
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
        """Add a free item, and lend it if a request waits."""
        self.idle.append(item)
        self.lend_idle()

    def withdraw(self, item: Item) -> None:
        """Remove an item if it is free."""
        if item in self.idle:
            self.idle.remove(item)

    def take_back(self, item: Item) -> None:
        """End the loan of an item, if there is one."""
        if (loan := self.loans.pop(item, None)) is None:
            return
        if self.shared_limit:
            self.shared_limit.remove(loan.client)
        if loan.is_long:
            now = time.monotonic()
            self.long_until = {client: end for client, end in self.long_until.items() if end > now}
            self.long_until[loan.client] = max(
                self.long_until.get(loan.client, 0), now + LONG_LOAN_MEMORY_FACTOR * loan.seconds
            )
        self.lend_idle()

    def lend_idle(self) -> None:
        """Lend the free items to waiting requests, one client after another."""
        while self.idle and self.queues and (client := self.next_client(self.queues)) is not None:
            if (item := self.lend_to(client)) is None:
                return  # `recheck` tries again
            waiter = self.queues[client][0]
            self.remove_waiter(client, waiter)
            if client in self.queues:
                self.queues.move_to_end(client)
            waiter.set_result(item)

    def lend_to(self, client: str) -> Item | None:
        """Lend a free item to the client; None if another process has just lent it the last one."""
        if self.shared_limit and not self.shared_limit.add(client):
            return None
        item = self.idle.pop()
        self.loans[item] = QueueLoan(client, time.monotonic())
        return item

    def next_client(self, clients: Iterable[str]) -> str | None:
        """The client with the fewest items that may have one more item; None if there is no such client."""
        borrowers, long_borrowers = self.list_borrowers(), self.long_borrowers()
        is_limit_reached = sum(client in long_borrowers for client in borrowers) >= self.max_long_loans
        eligible = (
            client
            for client in clients
            if borrowers.count(client) < self.max_per_client
            and not (self.shared_limit and self.shared_limit.is_reached(client))
            and not (is_limit_reached and client in long_borrowers)
        )
        return min(eligible, key=borrowers.count, default=None)

    @property
    def state(self) -> QueueState:
        """The numbers of lent items, free items and waiting requests."""
        return QueueState(len(self.loans), len(self.idle), sum(map(len, self.queues.values())))

    def list_borrowers(self) -> list[str]:
        """The clients of the lent items, one entry for each item."""
        return [loan.client for loan in self.loans.values()]

    def long_borrowers(self) -> set[str]:
        """The clients with current or recent long loans."""
        clients = {loan.client for loan in self.loans.values() if loan.is_long}
        if self.long_until:
            now = time.monotonic()
            clients.update(client for client, end in self.long_until.items() if end > now)
        return clients

    def schedule_recheck(self) -> None:
        """Schedule the next check if requests wait."""
        if self.queues and not self.recheck_timer:
            self.recheck_timer = asyncio.get_running_loop().call_later(QUEUE_RECHECK_SECONDS, self.recheck)

    def recheck(self) -> None:
        """Lend to clients whose long loans no longer count; call `on_crowded` if any other client waits."""
        self.recheck_timer = None
        self.lend_idle()
        if self.next_client(self.queues.keys() - self.long_borrowers()) is not None:
            self.on_crowded()
        self.schedule_recheck()
