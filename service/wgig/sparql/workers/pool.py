"""Pool of the query workers of a store, each in step with every write before it is acknowledged.

A write goes down the socket of each worker and of the forker. A large one, or one that is unknown, makes a
new generation.
"""

import asyncio
import logging
import shutil
from itertools import count
from pathlib import Path

from ...http.limits import identify_client
from ...settings import Settings
from ...store.change import Change, serialize_change
from ...store.errors import StoreError
from ...store.files import ASIDE_FOLDER
from ...store.store import Store
from .connections import WorkerConnection
from .fair_queue import FairQueue, QueueState
from .generation import GenerationOwner, WorkerGeneration
from .protocol import QueryJob
from .result import QueryResult

MAX_WAITING_QUERIES, WORKER_WAIT_SECONDS = 256, 10  # queries that wait, and for how many seconds
LARGE_CHANGE_QUADS = 100_000  # quads of a change, beyond which a new copy is cheaper
MAX_WASTED_QUADS = 200_000  # quads taken out of a copy, which does not free them, until it is replaced
FIRST_WORKERS_SECONDS = 1.0  # seconds for the first workers, before some from disk answer in their place
WORKERS_RETRY_SECONDS = 1.0  # seconds until the next try where no workers can be had

log = logging.getLogger("wgig")


class WorkerPool:
    """Workers of a store, which are replaced when they end.

    A change goes down the socket of each before its write is acknowledged, so that every later query sees it.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        """No worker is there yet."""
        self.store, self.settings = store, settings
        but_one = settings.readers - 1
        self.queue: FairQueue[WorkerConnection] = FairQueue(
            max(1, but_one), max(1, 2 * but_one), MAX_WAITING_QUERIES, WORKER_WAIT_SECONDS, self.on_crowded
        )
        self.owner = GenerationOwner(
            self.queue, self.missed_writes, self.on_generation_lost, self.remove_old_copies
        )
        self.folder = settings.store / ASIDE_FOLDER / "readers"
        self.folder_numbers = count()
        self.written_number = 0  # the last write, in the thread that writes
        self.version = 0  # the last write that workers were told of
        self.loading_folders: set[Path] = set()  # the folders of copies that are being taken
        # Writes that those who are being made may not have seen.
        self.recent_writes: list[tuple[int, bytes]] = []
        self.starting_count = 0
        self.generations: list[WorkerGeneration] = []
        self.current: WorkerGeneration | None = None
        self.start_lock = asyncio.Lock()  # held while a forker is started
        self.is_closed = False

    async def start(self) -> None:
        """Have workers, and keep them in step with the store from now on."""
        self.loop = asyncio.get_running_loop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.store.on_commit = self.on_commit
        await self.start_workers()

    async def start_workers(self) -> None:
        """Have workers, which read from disk until the quads are copied to memory where that takes long."""
        self.renew_task = self.loop.create_task(self.renew())
        await asyncio.wait([self.renew_task], timeout=FIRST_WORKERS_SECONDS)
        if not self.renew_task.done():
            await self.replace(*await asyncio.to_thread(self.make_numbered_copy), most=0)

    async def see_latest_writes(self) -> None:
        """Each write is seen before it is acknowledged."""

    async def ask(self, job: QueryJob, client: str) -> QueryResult:
        """Begin to answer a query of a client. Raises Problem 503 where no worker comes free."""
        asking = identify_client(client)
        worker = await self.queue.borrow(asking)
        if not self.queue.idle and asking in self.queue.long_borrowers():
            worker.listener.on_occupied()
        return worker.ask(job, self.settings.query_seconds)

    def on_crowded(self) -> None:
        """Somebody waits for a worker who kept none for long."""
        if self.current:
            self.current.on_crowded()

    @property
    def is_copying(self) -> bool:
        """Whether the quads are being copied, while queries read from disk or from an older copy."""
        return bool(self.starting_count)

    @property
    def queue_state(self) -> QueueState:
        """How many workers are busy and idle, and how many queries wait for one."""
        return self.queue.state

    async def close(self) -> None:
        """End all workers, wait until they are gone, and leave no copy."""
        async with self.start_lock:
            self.is_closed = True
        await asyncio.gather(*(one.close() for one in self.generations))
        shutil.rmtree(self.folder, ignore_errors=True)

    # What the thread does that writes, while nobody else does.

    def on_commit(self, change: Change | None) -> None:
        """Tell the workers of a write, or have new ones where that is easier."""
        self.written_number += 1
        if change is None or len(change) > LARGE_CHANGE_QUADS:
            replacing = self.replace(*self.make_numbered_copy(), self.settings.reader_quads)
            asyncio.run_coroutine_threadsafe(replacing, self.loop).result()
            return
        folder = self.checkpoint() if self.reads_from_disk else None
        self.loop.call_soon_threadsafe(
            self.publish_write, self.written_number, serialize_change(change), folder, len(change.removed)
        )

    @property
    def reads_from_disk(self) -> bool:
        """Whether some read from a folder, so that each write makes a checkpoint."""
        return not all(one.in_memory for one in self.generations)

    def checkpoint(self, *, to_load: bool = False) -> Path:
        """The folder of a copy of the store as it is now; one that is `to_load` is not tidied away."""
        folder = self.folder / str(next(self.folder_numbers))
        if to_load:
            self.loading_folders.add(folder)
        self.store.copy_to(folder)
        return folder

    def make_numbered_copy(self) -> tuple[Path, int]:
        """The folder of a copy for new workers, and the number of the last write before it."""
        with self.store.write_lock():
            return self.checkpoint(to_load=True), self.written_number

    # What follows is done in the event loop.

    def publish_write(self, number: int, body: bytes, folder: Path | None, removed: int) -> None:
        """Tell all workers of a write."""
        self.version = number
        if not (self.starting_count or any(one.forking_count for one in self.generations)):
            self.recent_writes.clear()
        self.recent_writes.append((number, body))
        for one in self.generations:
            one.send_change(body, folder, removed)
        if folder and not self.reads_from_disk:  # those who would read from there have just gone
            self.remove_old_copies()
        if self.current and self.current.wasted_quads > MAX_WASTED_QUADS and not self.starting_count:
            self.renew_task = self.loop.create_task(self.renew())

    def missed_writes(self, number: int) -> list[bytes]:
        """The writes after one, as told to the workers."""
        return [body for written, body in self.recent_writes if written > number]

    async def renew(self) -> None:
        """Have new workers, of a new copy of the quads."""
        self.starting_count += 1
        try:
            await self.replace(*await asyncio.to_thread(self.make_numbered_copy), self.settings.reader_quads)
        finally:
            self.starting_count -= 1

    async def replace(self, folder: Path, number: int, most: int) -> None:
        """Have new workers of a copy, of up to `most` quads in memory, unless others are sooner.

        The old ones end with what they are at.
        """
        self.starting_count += 1
        try:
            while not (
                self.is_closed
                or self.has_equal_workers(number, most)
                or await self.attempt_replacement(folder, number, most)
            ):
                await asyncio.sleep(WORKERS_RETRY_SECONDS)
        finally:
            self.starting_count -= 1
            self.loading_folders.discard(folder)
            if not self.reads_from_disk:
                self.remove_old_copies()

    def has_equal_workers(self, number: int, most: int) -> bool:
        """Whether there are workers as good as new ones of such a copy would be."""
        return (
            self.current is not None
            and self.current.write_number >= number
            and self.current.max_memory_quads >= most
        )

    async def attempt_replacement(self, folder: Path, number: int, most: int) -> bool:
        """Whether workers of a copy could be had. Raises CancelledError at the end."""
        new = WorkerGeneration(folder, number, self.settings.readers, most, self.owner)
        try:
            await self.start_forker(new)
            if (
                self.current
                and not (new.in_memory or self.current.in_memory)
                and self.has_equal_workers(number, 0)
            ):
                self.current.max_memory_quads = most  # they read from disk, as the new ones would
            else:
                await self.populate(new)
        except (OSError, StoreError) as error:
            if self.is_closed:
                raise asyncio.CancelledError from error
            log.error("No workers can be had now, and it is tried again: %s", error)
            return False
        if self.has_equal_workers(number, most):
            new.retire()
            return True
        old, self.current, self.version = self.current, new, max(self.version, number)
        new.serve()
        if old:
            old.retire()
        return True

    async def start_forker(self, new: WorkerGeneration) -> None:
        """Have a forker, with the quads unless too many. Raises OSError, and CancelledError at the end."""
        async with self.start_lock:  # so that the end finds it among the generations
            if self.is_closed:
                raise asyncio.CancelledError
            await new.forker.start(new.max_memory_quads, self.settings.query_memory)
            self.generations.append(new)
        await new.load()

    async def populate(self, new: WorkerGeneration) -> None:
        """Have workers in step with all writes. Raises OSError or StoreError."""
        copy = new.folder
        try:
            # Each write makes a checkpoint now; those since the copy did not.
            if not new.in_memory and self.written_number != new.write_number:
                new.folder, new.write_number = await asyncio.to_thread(self.make_numbered_copy)
            await new.populate()
        finally:
            if new.folder != copy:
                self.loading_folders.discard(new.folder)

    def remove_old_copies(self, newest: Path | None = None) -> None:
        """Remove the copies that nobody needs now that all read from the newest, or nobody from any.

        One that is being made has another name until it is whole. At the end all go at once.
        """
        if self.is_closed:
            return
        whole = [
            one for one in self.folder.iterdir() if one.name.isdigit() and one not in self.loading_folders
        ]
        for one in whole:
            if newest is None or int(one.name) < int(newest.name):
                shutil.rmtree(one, ignore_errors=True)

    def on_generation_lost(self, generation: WorkerGeneration) -> None:
        """A forker has ended, and with it its workers: have others, if these were the ones that answer."""
        self.generations.remove(generation)
        if not self.reads_from_disk:
            self.remove_old_copies()
        if generation is self.current:
            self.current = None
            if not self.is_closed:
                self.start_task = self.loop.create_task(self.start_workers())
