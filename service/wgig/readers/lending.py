"""Who gets the next reader: fair between clients, so that the flood of one does not starve another."""

import asyncio
from collections import Counter, OrderedDict, deque
from typing import Generic, TypeVar

from ..turns import busy

Item = TypeVar("Item")


class Lending(Generic[Item]):
    """Lends items to clients. One client has at most `share` at a time; clients that wait take turns.

    At most `waiting` wait, for at most `patience` seconds.
    """

    def __init__(self, share: int, waiting: int, patience: float) -> None:
        """Nothing is there to lend yet."""
        self.share, self.waiting, self.patience = share, waiting, patience
        self.idle: deque[Item] = deque()
        self.lent: Counter[str] = Counter()
        self.queues: OrderedDict[str, deque[asyncio.Future[Item]]] = OrderedDict()

    async def borrow(self, client: str) -> Item:
        """An item for the client, who gives it back by `settle`. Raises Problem 503 where none comes free."""
        if self.idle and self.lent[client] < self.share:
            self.lent[client] += 1
            return self.idle.pop()
        if sum(map(len, self.queues.values())) >= self.waiting:
            raise busy()
        coming: asyncio.Future[Item] = asyncio.get_running_loop().create_future()
        self.queues.setdefault(client, deque()).append(coming)
        try:
            async with asyncio.timeout(self.patience):
                return await asyncio.shield(coming)
        except (TimeoutError, asyncio.CancelledError) as error:
            self.give_up(client, coming)
            if isinstance(error, TimeoutError):
                raise busy() from error
            raise

    def give_up(self, client: str, coming: asyncio.Future[Item]) -> None:
        """Wait no more, or give back what came at the last moment."""
        if coming.done():
            self.settle(client)
            self.offer(coming.result())
        else:
            self.leave(client, coming)

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

    def settle(self, client: str) -> None:
        """The client has one item less."""
        self.lent[client] -= 1
        if not self.lent[client]:
            del self.lent[client]
        self.lend()

    def lend(self) -> None:
        """Give what is there to those who wait, one client after the other."""
        while self.idle and (client := self.next_client()) is not None:
            coming = self.queues[client][0]
            self.leave(client, coming)
            if client in self.queues:
                self.queues.move_to_end(client)
            self.lent[client] += 1
            coming.set_result(self.idle.pop())

    def next_client(self) -> str | None:
        """The client whose turn it is, of those who may have one more; None where there is none."""
        return next((one for one in self.queues if self.lent[one] < self.share), None)
