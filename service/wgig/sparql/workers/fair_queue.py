"""Fair queue for query workers (`readers`): clients take turns, so that no flood of others starves one."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from ...http.work_queue import busy

Item = TypeVar("Item")

LONG = 0.5  # seconds after which a loan is a long one
AFTER = 20  # times as long as that loan a client counts as one of those whose loans are long
LOOK = 0.02  # seconds between two looks whether somebody still waits


class Loan(NamedTuple):
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
        return self.seconds > LONG


class Standing(NamedTuple):
    """How many items are lent and how many are free, and how many clients' requests wait."""

    busy: int
    idle: int
    waiting: int


class Lending(Generic[Item]):
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
        self.share, self.together, self.waiting, self.patience = share, together, waiting, patience
        self.crowded = crowded
        self.idle: deque[Item] = deque()
        self.loans: dict[Item, Loan] = {}
        self.queues: OrderedDict[str, deque[asyncio.Future[Item]]] = OrderedDict()
        self.until: dict[str, float] = {}  # when it is forgotten that a client had a long loan
        self.looking: asyncio.TimerHandle | None = None

    async def borrow(self, client: str) -> Item:
        """An item for the client, given back by `settle`. Raises Problem 503 where none comes free."""
        if self.idle and self.first([client]) is not None:
            return self.lend_to(client)
        self.make_way(client)
        coming: asyncio.Future[Item] = asyncio.get_running_loop().create_future()
        self.queues.setdefault(client, deque()).append(coming)
        self.watch()
        try:
            async with asyncio.timeout(self.patience):
                return await asyncio.shield(coming)
        except (TimeoutError, asyncio.CancelledError) as error:
            self.give_up(client, coming)
            if isinstance(error, TimeoutError):
                raise busy() from error
            raise

    def make_way(self, client: str) -> None:
        """Let the client wait, in the place of another one where too many do. Raises Problem 503."""
        if sum(map(len, self.queues.values())) < self.waiting:
            return
        most = max(self.queues.values(), key=len, default=deque())
        if len(most) <= len(self.queues.get(client, ())) + 1:
            raise busy()
        most.pop().set_exception(busy())

    def give_up(self, client: str, coming: asyncio.Future[Item]) -> None:
        """Wait no more, or give back what came at the last moment."""
        if not coming.done():
            self.leave(client, coming)
        elif not coming.exception():
            self.settle(coming.result())
            self.offer(coming.result())

    def leave(self, client: str, coming: asyncio.Future[Item]) -> None:
        """Take one who waits out of the queue of the client."""
        self.queues[client].remove(coming)
        if not self.queues[client]:
            del self.queues[client]

    def offer(self, item: Item) -> None:
        """Lend an item out, now or later."""
        self.idle.append(item)
        self.lend()

    def withdraw(self, item: Item) -> None:
        """Lend an item no more."""
        if item in self.idle:
            self.idle.remove(item)

    def settle(self, item: Item) -> None:
        """Who has the item, if anybody, has it no more."""
        if (loan := self.loans.pop(item, None)) is None:
            return
        if loan.is_long:
            now = time.monotonic()
            self.until = {client: end for client, end in self.until.items() if end > now}
            self.until[loan.client] = max(self.until.get(loan.client, 0), now + AFTER * loan.seconds)
        self.lend()

    def lend(self) -> None:
        """Give what is there to those who wait, one client after the other."""
        while self.idle and self.queues and (client := self.first(self.queues)) is not None:
            coming = self.queues[client][0]
            self.leave(client, coming)
            if client in self.queues:
                self.queues.move_to_end(client)
            coming.set_result(self.lend_to(client))

    def lend_to(self, client: str) -> Item:
        """One of the idle items, which the client has from now on."""
        item = self.idle.pop()
        self.loans[item] = Loan(client, time.monotonic())
        return item

    def first(self, clients: Iterable[str]) -> str | None:
        """Who of the clients may have one more: the first of those with the least; None where nobody may."""
        lent, long = self.lent(), self.long()
        full = sum(one in long for one in lent) >= self.together
        may = (one for one in clients if lent.count(one) < self.share and not (full and one in long))
        return min(may, key=lent.count, default=None)

    @property
    def standing(self) -> Standing:
        """How it stands."""
        return Standing(len(self.loans), len(self.idle), sum(map(len, self.queues.values())))

    def lent(self) -> list[str]:
        """Who has the items that are lent, one after the other."""
        return [one.client for one in self.loans.values()]

    def long(self) -> set[str]:
        """The clients whose loans are long, now or lately."""
        long = {one.client for one in self.loans.values() if one.is_long}
        if self.until:
            now = time.monotonic()
            long.update(client for client, end in self.until.items() if end > now)
        return long

    def watch(self) -> None:
        """Look again soon, as long as somebody waits."""
        if self.queues and not self.looking:
            self.looking = asyncio.get_running_loop().call_later(LOOK, self.look)

    def look(self) -> None:
        """Lend to those whose long loans are forgotten by now, and tell of those who wait and had none."""
        self.looking = None
        self.lend()
        if self.first(self.queues.keys() - self.long()) is not None:
            self.crowded()
        self.watch()
