"""Pool of the query workers (`readers`) of a store, each in step with every write before it is acknowledged.

A write goes down the socket of each worker and of the forker (`holder`). A large one, or one that is unknown,
makes a new generation.
"""

import asyncio
import logging
import shutil
from itertools import count
from pathlib import Path

from ...http.limits import party
from ...settings import Settings
from ...store.change import Change, packed
from ...store.errors import StoreError
from ...store.files import ASIDE
from ...store.store import Store
from .connections import ReaderLink
from .fair_queue import Lending, Standing
from .generation import Generation
from .protocol import Job
from .result import Result

WAITING, PATIENCE = 256, 10  # queries that wait, and for how many seconds
LARGE = 100_000  # quads of a change, beyond which a new copy is cheaper
WASTE = 200_000  # quads taken out of a copy, which does not free them, until it is replaced
SOON = 1.0  # seconds for the first readers, before some from disk answer in their place
AGAIN = 1.0  # seconds until the next try where no readers can be had

log = logging.getLogger("wgig")


class Pool:
    """Readers of a store, which are replaced when they end.

    A change goes down the socket of each before its write is acknowledged, so that every later query sees it.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        """No reader is there yet."""
        self.store, self.settings = store, settings
        but_one = settings.readers - 1
        self.lending: Lending[ReaderLink] = Lending(
            max(1, but_one), max(1, 2 * but_one), WAITING, PATIENCE, self.crowded
        )
        self.folder = settings.store / ASIDE / "readers"
        self.names = count()
        self.written = 0  # the last write, in the thread that writes
        self.version = 0  # the last write that readers were told of
        self.loading: set[Path] = set()  # the folders of copies that are being taken
        self.recent: list[tuple[int, bytes]] = []  # writes that those who are being made may not have seen
        self.starting = 0
        self.generations: list[Generation] = []
        self.current: Generation | None = None
        self.beginning = asyncio.Lock()  # held while a holder is started
        self.closed = False

    async def start(self) -> None:
        """Have readers, and keep them in step with the store from now on."""
        self.loop = asyncio.get_running_loop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.store.heard = self.heard
        await self.have()

    async def have(self) -> None:
        """Have readers, which read from disk until the quads are copied to memory where that takes long."""
        self.renewing = self.loop.create_task(self.renew())
        await asyncio.wait([self.renewing], timeout=SOON)
        if not self.renewing.done():
            await self.replace(*await asyncio.to_thread(self.numbered_copy), most=0)

    async def in_line(self) -> None:
        """Each write is seen before it is acknowledged."""

    async def ask(self, job: Job, client: str) -> Result:
        """Begin to answer a query of a client. Raises Problem 503 where no reader comes free."""
        asking = party(client)
        reader = await self.lending.borrow(asking)
        if not self.lending.idle and asking in self.lending.long():
            reader.keeper.occupied()
        return reader.ask(job, self.settings.query_seconds)

    def crowded(self) -> None:
        """Somebody waits for a reader who kept none for long."""
        if self.current:
            self.current.crowded()

    @property
    def copying(self) -> bool:
        """Whether the quads are being copied, while queries read from disk or from an older copy."""
        return bool(self.starting)

    @property
    def standing(self) -> Standing:
        """How many readers are busy and idle, and how many queries wait for one."""
        return self.lending.standing

    async def close(self) -> None:
        """End all readers, wait until they are gone, and leave no copy."""
        async with self.beginning:
            self.closed = True
        await asyncio.gather(*(one.close() for one in self.generations))
        shutil.rmtree(self.folder, ignore_errors=True)

    # What the thread does that writes, while nobody else does.

    def heard(self, change: Change | None) -> None:
        """Tell the readers of a write, or have new ones where that is easier."""
        self.written += 1
        if change is None or len(change) > LARGE:
            replacing = self.replace(*self.numbered_copy(), self.settings.reader_quads)
            asyncio.run_coroutine_threadsafe(replacing, self.loop).result()
            return
        folder = self.checkpoint() if self.on_disk else None
        self.loop.call_soon_threadsafe(
            self.publish, self.written, packed(change), folder, len(change.removed)
        )

    @property
    def on_disk(self) -> bool:
        """Whether some read from a folder, so that each write makes a checkpoint."""
        return not all(one.in_memory for one in self.generations)

    def checkpoint(self, *, to_load: bool = False) -> Path:
        """The folder of a copy of the store as it is now; one that is `to_load` is not tidied away."""
        folder = self.folder / str(next(self.names))
        if to_load:
            self.loading.add(folder)
        self.store.checkpoint(folder)
        return folder

    def numbered_copy(self) -> tuple[Path, int]:
        """The folder of a copy for new readers, and the number of the last write before it."""
        with self.store.alone():
            return self.checkpoint(to_load=True), self.written

    # What follows is done in the event loop.

    def publish(self, number: int, body: bytes, folder: Path | None, removed: int) -> None:
        """Tell all readers of a write."""
        self.version = number
        if not (self.starting or any(one.forking for one in self.generations)):
            self.recent.clear()
        self.recent.append((number, body))
        for one in self.generations:
            one.tell(body, folder, removed)
        if folder and not self.on_disk:  # those who would read from there have just gone
            self.tidy()
        if self.current and self.current.waste > WASTE and not self.starting:
            self.renewing = self.loop.create_task(self.renew())

    def missed(self, number: int) -> list[bytes]:
        """The writes after one, as told to the readers."""
        return [body for written, body in self.recent if written > number]

    async def renew(self) -> None:
        """Have new readers, of a new copy of the quads."""
        self.starting += 1
        try:
            await self.replace(*await asyncio.to_thread(self.numbered_copy), self.settings.reader_quads)
        finally:
            self.starting -= 1

    async def replace(self, folder: Path, number: int, most: int) -> None:
        """Have new readers of a copy, of up to `most` quads in memory, unless others are sooner.

        The old ones end with what they are at.
        """
        self.starting += 1
        try:
            while not (self.closed or self.has(number, most) or await self.attempt(folder, number, most)):
                await asyncio.sleep(AGAIN)
        finally:
            self.starting -= 1
            self.loading.discard(folder)
            if not self.on_disk:
                self.tidy()

    def has(self, number: int, most: int) -> bool:
        """Whether there are readers as good as new ones of such a copy would be."""
        return self.current is not None and self.current.number >= number and self.current.most >= most

    async def attempt(self, folder: Path, number: int, most: int) -> bool:
        """Whether readers of a copy could be had. Raises CancelledError at the end."""
        new = Generation(
            folder,
            number,
            self.settings.readers,
            most,
            lending=self.lending,
            missed=self.missed,
            lost=self.lost,
            tidy=self.tidy,
        )
        try:
            await self.load(new)
            if self.current and not (new.in_memory or self.current.in_memory) and self.has(number, 0):
                self.current.most = most  # they read from disk, as the new ones would
            else:
                await self.populate(new)
        except (OSError, StoreError) as error:
            if self.closed:
                raise asyncio.CancelledError from error
            log.error("No readers can be had now, and it is tried again: %s", error)
            return False
        if self.has(number, most):
            new.retire()
            return True
        old, self.current, self.version = self.current, new, max(self.version, number)
        new.serve()
        if old:
            old.retire()
        return True

    async def load(self, new: Generation) -> None:
        """Have a holder, with the quads unless too many. Raises OSError, and CancelledError at the end."""
        async with self.beginning:  # so that the end finds it among the generations
            if self.closed:
                raise asyncio.CancelledError
            await new.holder.start(new.most, self.settings.query_memory)
            self.generations.append(new)
        await new.load()

    async def populate(self, new: Generation) -> None:
        """Have readers in step with all writes. Raises OSError or StoreError."""
        copy = new.folder
        try:
            # Each write makes a checkpoint now; those since the copy did not.
            if not new.in_memory and self.written != new.number:
                new.folder, new.number = await asyncio.to_thread(self.numbered_copy)
            await new.populate()
        finally:
            if new.folder != copy:
                self.loading.discard(new.folder)

    def tidy(self, newest: Path | None = None) -> None:
        """Remove the copies that nobody needs now that all read from the newest, or nobody from any.

        One that is being made has another name until it is whole. At the end all go at once.
        """
        if self.closed:
            return
        whole = [one for one in self.folder.iterdir() if one.name.isdigit() and one not in self.loading]
        for one in whole:
            if newest is None or int(one.name) < int(newest.name):
                shutil.rmtree(one, ignore_errors=True)

    def lost(self, generation: Generation) -> None:
        """A holder has ended, and with it its readers: have others, if these were the ones that answer."""
        self.generations.remove(generation)
        if not self.on_disk:
            self.tidy()
        if generation is self.current:
            self.current = None
            if not self.closed:
                self.having = self.loop.create_task(self.have())
