"""Generation of query workers (`readers`): those of one copy of the quads, and their forker (`holder`)."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from .connections import SLOW, HolderLink, ReaderLink
from .fair_queue import Lending
from .protocol import CHANGE, CROWDED, OPEN, framed

Missed = Callable[[int], Sequence[bytes]]


class Generation:
    """A holder and its readers, as many as `size`; they are lent out while they serve.

    Their copy of the quads was taken after write `number`, and stands in `folder`. Readers read from there
    where the quads are more than `most`, and `tidy` is told when all of them do. `missed` gives the writes
    after a number, as far as somebody who is being made may have missed them. When the holder ends, `lost` is
    called.
    """

    def __init__(  # noqa: PLR0913 - what a generation is made of
        self,
        folder: Path,
        number: int,
        size: int,
        most: int,
        *,
        lending: Lending[ReaderLink],
        missed: Missed,
        lost: Callable[["Generation"], None],
        tidy: Callable[[Path], None],
    ) -> None:
        """There is no holder and no reader yet."""
        self.folder, self.number, self.size, self.most = folder, number, size, most
        self.lending, self.missed, self.lost, self.tidy = lending, missed, lost, tidy
        self.holder = HolderLink(self.born, self.ended)
        self.readers: set[ReaderLink] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.in_memory, self.serving, self.over = True, False, False
        self.forking = self.waste = 0
        self.ready = asyncio.Event()

    def load(self) -> asyncio.Future[bool]:
        """Let the holder, which is started, copy the quads; whether it has them, as they are not too many."""
        loaded = self.holder.load(self.folder)
        for body in self.missed(self.number):
            self.holder.change(body)
        loaded.add_done_callback(self.copied)
        return loaded

    def copied(self, loaded: asyncio.Future[bool]) -> None:
        """The quads are copied, or too many, or the holder has ended."""
        if loaded.cancelled():
            return
        self.in_memory = loaded.exception() is None and loaded.result()

    async def populate(self) -> None:
        """Have the readers made; the first one is there. Raises OSError."""
        for _ in range(self.size):
            self.fork()
        await self.ready.wait()
        if self.over:
            raise ConnectionResetError("the process that makes readers has ended")

    def serve(self) -> None:
        """Lend the readers out."""
        self.serving = True
        for reader in self.readers:
            self.lending.offer(reader)

    def retire(self) -> None:
        """Lend nobody out any more, and end when everybody has answered what was asked."""
        self.serving, self.over = False, True
        for reader in [one for one in self.readers if not one.result]:
            reader.close()
        self.end_if_empty()

    def tell(self, body: bytes, folder: Path | None, removed: int) -> None:
        """Tell everybody of a write, or of the folder that has it."""
        self.waste += removed if self.in_memory else 0
        self.holder.change(body)
        if not self.in_memory:
            self.folder = folder or self.folder
        for reader in self.readers:
            if self.in_memory:
                reader.tell(framed(CHANGE, body))
            else:
                self.open(reader)

    def open(self, reader: ReaderLink) -> None:
        """Let a reader read from the folder from now on."""
        reader.opening += 1
        reader.tell(framed(OPEN, str(self.folder).encode()))

    def fork(self) -> None:
        """Have one more reader made."""
        self.forking += 1
        self.holder.fork()

    def born(self, process: int, changes: int, connection: socket.socket) -> None:
        """A reader is there, which has seen so many changes of the copy."""
        reader = ReaderLink(process, self, self.number + changes)
        task = asyncio.create_task(reader.connect(connection))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def made(self, reader: ReaderLink) -> None:
        """The connection to a reader stands: let it catch up, and lend it out."""
        self.forking -= 1
        self.readers.add(reader)
        if self.in_memory:
            for body in self.missed(reader.seen):
                reader.tell(framed(CHANGE, body))
        else:
            self.open(reader)
        self.ready.set()
        if self.serving:
            self.lending.offer(reader)
        elif self.over:
            reader.close()

    def done(self, reader: ReaderLink, *, worn: bool) -> None:
        """A reader has answered: lend it to the next."""
        self.lending.settle(reader)
        if worn or not self.serving:
            reader.close()
        else:
            self.lending.offer(reader)
        self.let_go()

    def let_go(self) -> None:
        """End one who is idle of more readers than were asked for, unless all others are occupied."""
        idle = [one for one in self.lending.idle if one in self.readers]
        if len(self.readers) > self.size and len(idle) > 1:
            self.lending.withdraw(idle[0])
            idle[0].close()

    def occupied(self) -> None:
        """A reader is occupied, by a query that takes long or a slow client: have one for the others."""
        if not self.lending.idle and len(self.readers) + self.forking < 2 * self.size:
            self.fork()

    def crowded(self) -> None:
        """Somebody waits who kept no reader for long: where all are at slow queries, have one more made.

        Where there are twice as many as were asked for, a query is ended for it, whose client is told so.
        """
        loans = self.lending.loans
        if self.forking or any(one not in loans or loans[one].seconds <= SLOW for one in self.readers):
            return
        if len(self.readers) >= 2 * self.size:
            if not (victim := self.victim()):
                return
            victim.kill(CROWDED)
        self.fork()

    def victim(self) -> ReaderLink | None:
        """The reader whose query goes first where others wait; None where no query has run for long.

        It is one of the client that has the most readers; among such clients, of one who had long queries
        before. Of theirs it is one whose answer has not begun, and of these the longest.
        """
        loans, lent, lately = self.lending.loans, self.lending.lent(), self.lending.until

        def rank(reader: ReaderLink) -> tuple[int, bool, bool, float]:
            client, has_begun = loans[reader].client, reader.result is not None and reader.result.begun
            return lent.count(client), client in lately, not has_begun, loans[reader].seconds

        long = (one for one in self.readers if one in loans and loans[one].is_long)
        return max(long, key=rank, default=None)

    def opened(self) -> None:
        """A reader reads from the folder."""
        if not any(one.opening for one in self.readers):
            self.tidy(self.folder)

    def gone(self, reader: ReaderLink) -> None:
        """A reader has ended: have another made in its place."""
        self.readers.discard(reader)
        self.lending.withdraw(reader)
        self.lending.settle(reader)
        if self.over:
            self.end_if_empty()
        elif len(self.readers) + self.forking < self.size:
            self.fork()

    async def close(self) -> None:
        """End all at once, and wait until they are gone."""
        self.serving, self.over = False, True
        await asyncio.gather(*self.tasks)
        for reader in self.readers.copy():
            reader.close()
        self.holder.close()
        await asyncio.sleep(0)
        await self.holder.buried

    def end_if_empty(self) -> None:
        """End the holder when all readers are gone."""
        if not self.readers:
            self.holder.close()

    def ended(self) -> None:
        """The holder has ended, and so do its readers."""
        self.serving, self.over = False, True
        self.ready.set()
        self.lost(self)
