"""Fair queue for query workers: clients take turns, so that no flood of others starves one."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from ...http.work_queue import queue_full_problem

Item = TypeVar("Item")

LONG_LOAN_SECONDS = 0.5  # seconds after which a loan is a long one
# Times as long as that loan a client counts as one of those whose loans are long.
LONG_LOAN_MEMORY_FACTOR = 20
QUEUE_RECHECK_SECONDS = 0.02  # seconds between two looks whether somebody still waits


class QueueLoan(NamedTuple):
    """Who has an item, and since when, by the monotonic clock."""

    client: str
    began: float

    @property
    def seconds(self) -> float:
        """How long it has been lent by now."""
        return time.monotonic() - self.began

    @property
    def is_long(self) -> bool:
        """Whether that is for long."""
        return self.seconds > LONG_LOAN_SECONDS


class QueueState(NamedTuple):
    """How many items are lent and how many are free, and how many clients' requests wait."""

    busy: int
    idle: int
    waiting: int


class FairQueue(Generic[Item]):
    """Lends items to clients. One client has at most `share` at a time; clients that wait take turns.

    Clients whose loans are long, now or lately, have at most `together` at a time, all of them together: the
    others find something free, however many addresses there are that keep what they get. Where one of the
    others waits all the same, `crowded` is called again and again.

    At most `waiting` wait, for at most `patience` seconds; one more takes the place of the last of a client
    that has more there.
    """

    def __init__(
        self, share: int, together: int, waiting: int, patience: float, crowded: Callable[[], None]
    ) -> None:
        """Nothing is there to lend yet."""
        self.max_per_client, self.max_long_loans, self.max_waiting, self.wait_seconds = (
            share,
            together,
            waiting,
            patience,
        )
        self.on_crowded = crowded
        self.idle: deque[Item] = deque()
        self.loans: dict[Item, QueueLoan] = {}
        self.queues: OrderedDict[str, deque[asyncio.Future[Item]]] = OrderedDict()
        self.long_until: dict[str, float] = {}  # when it is forgotten that a client had a long loan
        self.recheck_timer: asyncio.TimerHandle | None = None

    async def borrow(self, client: str) -> Item:
        """An item for the client, given back by `take_back`. Raises Problem 503 where none comes free."""
        if self.idle and self.next_client([client]) is not None:
            return self.lend_to(client)
        self.make_room(client)
        coming: asyncio.Future[Item] = asyncio.get_running_loop().create_future()
        self.queues.setdefault(client, deque()).append(coming)
        self.schedule_recheck()
        try:
            async with asyncio.timeout(self.wait_seconds):
                return await asyncio.shield(coming)
        except (TimeoutError, asyncio.CancelledError) as error:
            self.stop_waiting(client, coming)
            if isinstance(error, TimeoutError):
                raise queue_full_problem() from error
            raise

    def make_room(self, client: str) -> None:
        """Let the client wait, in the place of another one where too many do. Raises Problem 503."""
        if sum(map(len, self.queues.values())) < self.max_waiting:
            return
        most = max(self.queues.values(), key=len, default=deque())
        if len(most) <= len(self.queues.get(client, ())) + 1:
            raise queue_full_problem()
        most.pop().set_exception(queue_full_problem())

    def stop_waiting(self, client: str, coming: asyncio.Future[Item]) -> None:
        """Wait no more, or give back what came at the last moment."""
        if not coming.done():
            self.remove_waiter(client, coming)
        elif not coming.exception():
            self.take_back(coming.result())
            self.offer(coming.result())

    def remove_waiter(self, client: str, coming: asyncio.Future[Item]) -> None:
        """Take one who waits out of the queue of the client."""
        self.queues[client].remove(coming)
        if not self.queues[client]:
            del self.queues[client]

    def offer(self, item: Item) -> None:
        """Lend an item out, now or later."""
        self.idle.append(item)
        self.lend_idle()

    def withdraw(self, item: Item) -> None:
        """Lend an item no more."""
        if item in self.idle:
            self.idle.remove(item)

    def take_back(self, item: Item) -> None:
        """Who has the item, if anybody, has it no more."""
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
        """Give what is there to those who wait, one client after the other."""
        while self.idle and self.queues and (client := self.next_client(self.queues)) is not None:
            coming = self.queues[client][0]
            self.remove_waiter(client, coming)
            if client in self.queues:
                self.queues.move_to_end(client)
            coming.set_result(self.lend_to(client))

    def lend_to(self, client: str) -> Item:
        """One of the idle items, which the client has from now on."""
        item = self.idle.pop()
        self.loans[item] = QueueLoan(client, time.monotonic())
        return item

    def next_client(self, clients: Iterable[str]) -> str | None:
        """Who of the clients may have one more: the first of those with the least; None where nobody may."""
        lent, long = self.list_borrowers(), self.long_borrowers()
        full = sum(one in long for one in lent) >= self.max_long_loans
        may = (one for one in clients if lent.count(one) < self.max_per_client and not (full and one in long))
        return min(may, key=lent.count, default=None)

    @property
    def state(self) -> QueueState:
        """How it stands."""
        return QueueState(len(self.loans), len(self.idle), sum(map(len, self.queues.values())))

    def list_borrowers(self) -> list[str]:
        """Who has the items that are lent, one after the other."""
        return [one.client for one in self.loans.values()]

    def long_borrowers(self) -> set[str]:
        """The clients whose loans are long, now or lately."""
        long = {one.client for one in self.loans.values() if one.is_long}
        if self.long_until:
            now = time.monotonic()
            long.update(client for client, end in self.long_until.items() if end > now)
        return long

    def schedule_recheck(self) -> None:
        """Look again soon, as long as somebody waits."""
        if self.queues and not self.recheck_timer:
            self.recheck_timer = asyncio.get_running_loop().call_later(QUEUE_RECHECK_SECONDS, self.recheck)

    def recheck(self) -> None:
        """Lend to those whose long loans are forgotten by now, and tell of those who wait and had none."""
        self.recheck_timer = None
        self.lend_idle()
        if self.next_client(self.queues.keys() - self.long_borrowers()) is not None:
            self.on_crowded()
        self.schedule_recheck()
